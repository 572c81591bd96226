# %% [markdown]
# # 01 · What is a pair, and what may a training part know?
#
# You draw one scene as two sensors see it, count the best score each sensor allows, and prepare data that keeps its test part unseen.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/01_data_preparation.ipynb)
# · [solutions](solutions/py/01_data_preparation.py) · [module `discom.data`](../discom/data)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **explain** modality, id and pair · **derive** the best accuracy a sensor allows · **detect** leakage between parts · **prepare** a folder that trains here and with the released code |
# | Prerequisites | NumPy and a little PyTorch ([tensor tutorial](https://docs.pytorch.org/tutorials/beginner/basics/tensorqs_tutorial.html)) |
# | Time | half a minute on two CPU cores; no GPU is used |
# | Memory, disk | under 2 GB of memory, under 0.2 GB in a temporary folder |
# | Data, licence | drawn here from a seed, MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; its machine, versions and date: fourth code cell, seconds and memory: last one |

# %% [markdown]
# ## Why does data preparation decide a cross-modal study?
#
# A **modality** is one kind of sensor view: here a colour image (RGB) or a depth map. Every scene has an **id**; two images with the same id, one from each sensor, are a **pair**. In cross-modal distillation, networks learn together from several modalities and are then used with one sensor alone.
#
# So a test scene can slip into training by more doors: its other view, a second frame, a statistic. What comes through could pass for transfer between sensors. Each step is done in the open, then checked:
#
# ```text
# factors ─► scenes ─► MultiModalData ─► split by id ─► bounds of train ─► batches ─► notebook 02
#   (known)  (2 sensors)  (ids = pairs)    (leakage?)     (percentiles)     (D4 motions)
# ```

# %%
import os
from importlib.metadata import distributions

try:
    import discom.config
except ImportError:  # on Colab: this release, beside the torch that is there
    print("fetching this release")
    kept = ("torch", "torchvision", "numpy")
    pins = [f"{d.name}=={d.version}" for d in distributions() if d.name in kept]
    # !git clone --quiet --depth 1 --branch v0.1.0 https://github.com/discom-kd/discom
    # %pip install --quiet "./discom[deploy]" {" ".join(pins)}
    import discom
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %%
import tempfile
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from PIL import Image
from scipy import special, stats
from torch.nn.functional import cross_entropy

from discom import data as dd, plots, tables
from discom.data.augmentation import draw_motions, motion_table, turn
from discom.data.images import read_pixels
from discom.data.sources import midair, sunrgbd
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # which data: the name, then after a colon any argument of scenes.make
# tiny (seconds), cpu (minutes) or paper; sets the number of epochs below
profile = "cpu"
seed = 0  # of the split, the batches and every draw in this notebook
# folder of trained runs; the linear classifiers of this notebook are not stored there
runs = "runs"

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## What do the data look like?
#
# Drawn by `discom.data.scenes`, MIT licence: one object per scene, whose class is a pair (shape, material). Values go from 0 to 1 without a unit; 0 in depth means "not measured". The split is by id and per class, its test part as large as the training part, since scenes cost nothing.

# %%
source = dd.load(data)
parts = source.split(seed=seed)
print(
    "parts:",
    {name: len(part) for name, part in parts._asdict().items()},
    "· ids such as",
    source.ids[0],
)
rows = [
    [name, *m.x.shape, m.x.dtype, m.x.min(), m.x.max()]
    for name, m in source.modalities.items()
]
print(
    pd.DataFrame(
        rows, columns=["modality", "N", "C", "H", "W", "dtype", "min", "max"]
    ).to_string(index=False)
)
figure = plots.pairs(parts.train)

# %% [markdown]
# *Figure: one column per class, the RGB view above, the depth view of the same scene below; black squares in depth are holes.* **Take-away:** both sensors see the outline, RGB alone the texture, depth alone the relief. Now all of it is checked and counted.

# %%
ids = [set(part.ids.tolist()) for part in parts]
check(
    "no id is in two parts, and no id is lost",
    sum(map(len, ids)) == len(set.union(*ids)) == len(source),
)
counts = np.array([np.bincount(part.labels) for part in parts])  # [3 parts, 9 classes]
check(
    "every class is divided alike, up to a sample",
    (abs(counts - np.outer(source.fractions, counts.sum(0))) <= 1).all(),
)
check("every scene is a pair", len(source.paired_ids) == len(source))
check(
    "pixels lie in [0, 1]",
    all(m.x.min() >= 0 and m.x.max() <= 1 for m in source.modalities.values()),
)
figure, axes = plt.subplots(
    1, 3, figsize=(10, 2.9), layout="constrained", width_ratios=(1.7, 1, 1)
)
table = pd.DataFrame(
    counts.T, [name.replace("/", "\n") for name in source.classes], parts._fields
)
table.plot.bar(
    ax=axes[0],
    color=["0.2", "white", "0.7"],
    edgecolor="black",
    width=0.8,
    rot=90,
    fontsize=9,
)
axes[0].set(ylabel="scenes", ylim=(0, 1.35 * counts.max()))
axes[0].legend(ncols=3, frameon=False, fontsize=9, loc="upper center")
for axis, (name, m) in zip(axes[1:], source.modalities.items(), strict=True):
    axis.hist(
        m.x.ravel(),
        np.linspace(0, 1, 41),
        weights=np.full(m.x.size, 100 / m.x.size),
        color="0.5",
    )
    axis.set(title=name, xlabel="pixel value (no unit)", ylabel="share of pixels (%)")

# %% [markdown]
# *Figure: left, scenes per class in each part, nine groups of three bars, all groups alike; right, the share of pixels at each value for RGB and depth; depth has a tall bar at 0.* **Take-away:** classes are balanced, so chance is 1 in 9; the tall bar is mostly holes.
#
# ## Can we draw a scene by hand? First the outline
#
# A pixel $(X, Y)$ is moved into object coordinates; a signed distance $d$ (up to scale) is positive inside; a sigmoid softens the edge:
#
# $$
# \begin{aligned}
# u &= (\cos\theta\,(X-c_x)+\sin\theta\,(Y-c_y))/\sigma, \quad v=(\cos\theta\,(Y-c_y)-\sin\theta\,(X-c_x))/\sigma, \quad r=\sqrt{u^2+v^2} \\
# d_0 &= 1-r, \quad d_1=0.8-\max(|u|,|v|), \quad d_2=0.55-\max(-v,\,0.866u+0.5v,\,-0.866u+0.5v) \\
# m &= 1/(1+e^{-0.6Hd})
# \end{aligned}
# $$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $X, Y$ | `X`, `Y` | pixel, from −1 to 1 | [H, W] |
# | $c, \theta, \sigma$ | `centre_x`, `centre_y`, `rotation`, `scale` | place, turn, size | numbers |
# | $u, v, r$ | `u`, `v`, `r` | object coordinates, radius | [H, W] |
# | $d_s$, $m$ | `d`, `m` | distance to shape $s$ (disk, square, triangle), soft mask | [H, W] |
#
# **Predict first:** what is $m$ exactly on the edge of a square, where $u = 0.8$ and $v = 0$?

# %%
def soft_mask(u, v, s, H):
    square = 0.8 - np.maximum(abs(u), abs(v))
    triangle = 0.55 - np.maximum(
        -v, np.maximum(0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v)
    )
    d = (1 - np.hypot(u, v), square, triangle)[s]
    return special.expit(0.6 * H * d)  # the sigmoid


def outline(f, H):
    X, Y = np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, H))
    dx, dy = (X - f["centre_x"]) / f["scale"], (Y - f["centre_y"]) / f["scale"]
    cos, sin = np.cos(f["rotation"]), np.sin(f["rotation"])
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    return {
        "X": X,
        "Y": Y,
        "u": u,
        "v": v,
        "r": np.hypot(u, v),
        "m": soft_mask(u, v, f["shape"], H),
    }


check("on the edge of a square the mask is one half", soft_mask(0.8, 0.0, 1, 32) == 0.5)
H = source.masks.shape[-1]
scene = [
    {name: values[row] for name, values in source.factors.items()} for row in range(100)
]
drawn = [outline(f, H) for f in scene]
same = [
    np.array_equal(o["m"] > 0.5, mask)
    for o, mask in zip(drawn, source.masks[:100], strict=True)
]
check("in 100 scenes, m > ½ is the package's mask, pixel for pixel", all(same))


# %% [markdown]
# ## Then what each sensor adds
#
# RGB lays one of three textures $w_t$ on the object, between two colours $a$ and $b$, before a background $g$ that runs between two more, under an illumination $L$. Depth lays one of three reliefs $\rho_k$ over a tilted plane. With standard normal noise $n$,
#
# $$
# \begin{aligned}
# w_0 &= \sin(2fu+\varphi), \quad w_1=\mathrm{clip}(1.6\,w_0\sin(2fv+\varphi),-1,1), \quad w_2=\sin(2.2fr+\varphi) \\
# x_{\text{rgb}} &= L\,\big(m\,[\tfrac{1+w_t}{2}a+\tfrac{1-w_t}{2}b]+(1-m)\,g\big)+0.05\,n \\
# \rho_0 &= 0.6, \quad \rho_1=1-\min(r,1)^2, \quad \rho_2=1-\min(|u|,1) \\
# x_{\text{depth}} &= 0.5+s+0.7\,(t_xX+t_yY)+m\,(0.10+0.22\,\rho_k)+0.08\,n
# \end{aligned}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $f, \varphi, t$ | `frequency`, `phase`, `texture` | of stripes, checker or rings |
# | $a, b, g, L$ | `colours`, `illumination` | colours [bands], light |
# | $k, s, t_x, t_y$ | `relief`, `shift`, `tilt_x`, `tilt_y` | flat, dome or ridge; height and tilt of the plane |
#
# Both images are clipped to [0, 1]; about 15 % of depth, in squares, is then set to 0. The data keep each colour by its brightness, so the mean over RGB bands can be redrawn as well as depth.
#
# **Predict first:** away from clipping and holes, what is left between hand and package?

# %%
def see_rgb(f, o, colours):
    # [bands, 1, 1]
    a, b, near, far = (
        np.asarray(colour, dtype=float)[:, None, None] for colour in colours
    )
    stripes = np.sin(2 * f["frequency"] * o["u"] + f["phase"])
    checker = np.clip(
        1.6 * stripes * np.sin(2 * f["frequency"] * o["v"] + f["phase"]), -1, 1
    )
    rings = np.sin(2.2 * f["frequency"] * o["r"] + f["phase"])
    w = (stripes, checker, rings)[f["texture"]]
    t = special.expit(2 * (f["gradient_x"] * o["X"] + f["gradient_y"] * o["Y"]))
    # [bands, H, W]
    body, g = (1 + w) / 2 * a + (1 - w) / 2 * b, t * near + (1 - t) * far
    return f["illumination"] * (o["m"] * body + (1 - o["m"]) * g)

def see_depth(f, o):
    dome, ridge = 1 - np.minimum(o["r"], 1) ** 2, 1 - np.minimum(abs(o["u"]), 1)
    rho = (0.6, dome, ridge)[f["relief"]]
    return (
        0.5
        + f["shift"]
        + 0.7 * (f["tilt_x"] * o["X"] + f["tilt_y"] * o["Y"])
        + o["m"] * (0.10 + 0.22 * rho)
    )


greys = [
    [[f[name]] for name in ("colour_a", "colour_b", "background", "bottom")]
    for f in scene
]
hands = {
    "rgb": [x[0] for x in map(see_rgb, scene, drawn, greys)],
    "depth": list(map(see_depth, scene, drawn)),
}
for (name, hand), noise in zip(hands.items(), (0.05 / np.sqrt(3), 0.08), strict=True):
    x, hand = source.modalities[name].x[:100], np.stack(hand)
    inside = (hand > 0.25) & (hand < 0.75) & (x > 0).all(1) & (x < 1).all(1)
    found = (x.mean(1) - hand)[inside].std()
    check(
        f"{name}: what is left is {found:.4f}, stated noise {noise:.4f}",
        abs(found / noise - 1) < 0.1,
    )

# %%
f, o = next((f, o) for f, o in zip(scene, drawn, strict=True) if f["shape"] == 1)
rng, depth = np.random.default_rng(seed), see_depth(f, o)
rgb = see_rgb(
    f, o, ([0.9, 0.5, 0.1], [0.2, 0.2, 0.6], [0.8, 0.8, 0.7], [0.3, 0.5, 0.4])
)
holes = np.kron(rng.random((H // 4, H // 4)) < 0.15, np.ones((4, 4))) > 0
noisy = (
    rgb + 0.05 * rng.standard_normal(rgb.shape),
    depth + 0.08 * rng.standard_normal(depth.shape),
)
titles = (
    "soft mask m",
    "RGB, no noise",
    "RGB",
    "depth, no noise",
    "depth, holes are 0",
)
figure, axes = plt.subplots(1, 5, figsize=(10, 2.3), layout="constrained")
for axis, title, x in zip(
    axes,
    titles,
    (o["m"], rgb, noisy[0], depth, np.where(holes, 0, noisy[1])),
    strict=True,
):
    axis.imshow(
        np.clip(x.transpose(1, 2, 0) if x.ndim == 3 else x, 0, 1),
        cmap="gray",
        vmin=0,
        vmax=1,
    )
    axis.set(xticks=[], yticks=[], title=title)

# %% [markdown]
# *Figure: from left to right, the soft mask of one square; its RGB view without and with noise, in colours of our choice; its depth view without noise, and with noise and black holes.* **Take-away:** outline, texture and relief are layers drawn apart; between hand and package the noise alone is left, 0.08 in depth and $0.05/\sqrt{3}$ in a mean of three bands.
#
# ## How well can anybody do with one sensor?
#
# The texture equals the material, except with probability $\varepsilon$, when it is redrawn uniformly from $K$ kinds; so does the relief, with $\delta$. The outline never lies. A perfect reader should answer (shape, cue), as a cue is right at least as often as any other answer:
#
# $$
# A_{\text{rgb}} = 1 - \varepsilon + \varepsilon / K, \qquad A_{\text{depth}} = 1 - \delta + \delta / K
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\varepsilon, \delta$ | `redrawn` | probability that a cue is redrawn: RGB, depth |
# | $K$ | `K` | number of materials |
#
# **Predict first:** with $\varepsilon = 1$, what is $A_{\text{rgb}}$ over three materials?

# %%
K, cues, bound = 3, {"rgb": ("texture", 0.10), "depth": ("relief", 0.25)}, {}
material = source.factors["material"]
figure, axes = plt.subplots(1, 2, figsize=(7, 2.7), layout="constrained")
for axis, (name, (cue, redrawn)) in zip(axes, cues.items(), strict=True):
    bound[name] = 1 - redrawn + redrawn / K
    right = source.factors[cue] == material
    low, high = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.999)
    check(
        f"{name}: counted [{low:.3f}, {high:.3f}] holds the bound {bound[name]:.3f}",
        low <= bound[name] <= high,
    )
    share = 100 * pd.crosstab(material, source.factors[cue], normalize="index")
    sns.heatmap(
        share,
        annot=True,
        fmt=".0f",
        cmap="Greys",
        vmin=0,
        vmax=100,
        cbar=False,
        ax=axis,
    )
    axis.set(
        title=f"{name}: % of a material",
        xlabel=f"{cue} (kind)",
        ylabel="material",
        yticklabels=["wood", "metal", "stone"],
    )
check(
    "a cue that is always redrawn leaves chance",
    np.isclose(dd.scenes.best_accuracy(1.0), 1 / K),
)

# %% [markdown]
# *Figure: two tables of 3 × 3, RGB left, depth right: percent of the scenes of a material (row) that show each kind of cue (column); over 80 on the diagonal, under 10 elsewhere.* **Take-away:** off the diagonal is doubt that nobody can remove. Brackets are 99.9 % binomial intervals; four checks here use them, so some four seeds in a thousand fail one by chance.

# %% [markdown]
# ## What does leakage look like, measured?
#
# A split must keep the test *scenes* out of training, not merely the test files. A nearest-neighbour classifier (cosine similarity of edge strength) gets a fixed training set and as many extra images, through one of two doors:
#
# - **second frame**: the same image plus fresh noise, so holes and first noise stay: the strongest case;
# - **other sensor**: the other modality's view.
#
# Extras come from scenes that are nowhere else (honest) or from the test scenes (leaky). Six seeds redraw parts and noise. **Predict first:** which door matters?

# %%
def edges(x):  # edge strength of [N, C, H, W], centred, of unit length: [N, pixels]
    grey = x.mean(1)
    e = np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:]).reshape(
        len(x), -1
    )
    e = e - e.mean(1, keepdims=True)
    return e / np.linalg.norm(e, axis=1, keepdims=True)


def accuracy(test, train, extra, own, view):
    # percent of own[test] whose nearest of own[train], view[extra] has its class
    nearest = (own[test] @ np.concatenate([own[train], view[extra]]).T).argmax(1)
    return (
        100
        * (
            source.labels[np.concatenate([train, extra])][nearest]
            == source.labels[test]
        ).mean()
    )


# %%
rows, third, flat = (
    [],
    min(400, len(source) // 3),
    {name: edges(m.x) for name, m in source.modalities.items()},
)
for s in range(seed, seed + 6):
    rng = np.random.default_rng(s)
    test, train, unseen = rng.permutation(len(source))[: 3 * third].reshape(3, third)
    for own, other, sigma in (("rgb", "depth", 0.05), ("depth", "rgb", 0.08)):
        x, second = source.modalities[own].x, flat[own].copy()
        for part in (test, unseen):
            second[part] = edges(
                np.clip(x[part] + sigma * rng.standard_normal(x[part].shape), 0, 1)
            )
        for door, view in (
            (f"second frame, {own}", second),
            (f"other sensor, {own}", flat[other]),
        ):
            for extras, extra in (("honest", unseen), ("leaky", test)):
                rows.append(
                    (door, s, extras, accuracy(test, train, extra, flat[own], view))
                )
scores = pd.DataFrame(
    rows, columns=["door", "seed", "extra images", "test accuracy (%)"]
)
look = {
    "units": "seed",
    "estimator": None,
    "marker": "o",
    "color": "0.3",
    "height": 2.5,
    "aspect": 1.05,
}
grid = sns.relplot(
    scores, x="extra images", y="test accuracy (%)", col="door", kind="line", **look
)
grid.set(ylim=(0, 105)).set_titles("{col_name}").refline(y=100 / len(source.classes))
for door, found in scores.groupby("door"):
    found = found.pivot(
        index="seed", columns="extra images", values="test accuracy (%)"
    )
    mean, low, high = tables.paired_difference(found["leaky"], found["honest"])
    print(
        f"{door:<19}: leaky − honest = {mean:+.1f} points, 95 % [{low:+.1f},"
        f" {high:+.1f}], n = {len(found)}"
    )
    check("a second frame raises the score", low > 0) if "frame" in door else None

# %% [markdown]
# *Figure: one panel per door and tested sensor; a line joins the honest (left) and leaky (right) score of one seed, chance is dashed. With second frames all lines rise from near chance to nearly 100 %; with the other sensor they stay flat near chance.* **Take-away:** with second frames of the test scenes, a classifier near chance seems to solve the task. Not measured: real second frames, which also move, and networks that can match one sensor with the other, as this classifier cannot. `split()` divides ids, never files, so both doors stay shut.
#
# Where scenes belong together (one video, one place), give `groups`: none is divided. On real land-cover patches, scores were 20 to 29 points higher where places stood on both sides (means of three methods in two sensors, five splits; [table](../data/README.md)).

# %%
room = np.arange(len(source)) // 5  # say, five scenes per room
grouped = replace(source, groups=room).split(seed=seed)
rooms, plain = (
    [set(room[np.isin(source.ids, part.ids)].tolist()) for part in split]
    for split in (grouped, parts)
)
print(
    f"rooms in training and test: {len(plain[0] & plain[2])} when split by id,"
    f" {len(rooms[0] & rooms[2])} by group"
)
check("no room is in two parts", sum(map(len, rooms)) == len(set.union(*rooms)))

# %% [markdown]
# ## Which statistics may a scaling use?
#
# Each band is clipped to its 2nd and 98th percentile $q$ and scaled to [0, 1]:
#
# $$
# x'_c = \mathrm{clip}\Big(\frac{x_c - q_{2}}{q_{98} - q_{2}}, 0, 1\Big)
# $$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $x_c$, $x'_c$ | `band` | band $c$, before and after | [N, 1, H, W] |
# | $q_2, q_{98}$ | `low`, `high` | percentiles over the **training part** | [C] |
#
# By hand: for the values 0, …, 100 the bounds are 2 and 98, so 26 becomes (26−2)/96 = 0.25. **Predict first:** what changes if the percentiles see the test part too, and what if that part is half as bright?

# %%
band = np.arange(101.0).reshape(1, 1, 1, 101)
scaling = dd.Normalization.fit(band)
check(
    "bounds 2, 98; 26 → 0.25",
    (*scaling.low, *scaling.high, scaling(band)[0, 0, 0, 26]) == (2, 98, 0.25),
)
change = {"like training": [], "half as bright": []}
for s in range(seed, seed + 5):
    train, _, test = (part.modalities["rgb"].x for part in source.split(seed=s))
    for case, light in zip(change, (1.0, 0.5), strict=True):
        honest, reading = (
            dd.Normalization.fit(train),
            dd.Normalization.fit(np.concatenate([train, light * test])),
        )
        change[case].append(np.abs(honest(light * test) - reading(light * test)).mean())
for case, moved in change.items():
    print(
        f"RGB test part {case}: pixels change by {np.mean(moved):.4f} ±"
        f" {np.std(moved, ddof=1):.4f}, n = {len(moved)}"
    )
check(
    "the dim part changes more in every split",
    np.greater(change["half as bright"], change["like training"]).all(),
)

# %% [markdown]
# **Take-away:** printed is how far a scaled test pixel moves, mean ± sd over splits. When both parts come from one source, reading the test part moves it little (the released code does read it). When the test light differs, the scaling adapts to the very shift that the test should reveal. `split()` fits on training alone.
#
# ## What does augmentation do to a pair?
#
# With probability ½ an image is flipped left–right (½), up–down (½) and, with ½, turned by 0, 90, 180 or 270 degrees; each sensor's image draws its own motion. A table of source pixels holds it, so `argsort` undoes it. Harmless for a class; wrong for per-pixel labels (exercise 3).
#
# By hand, an image rests if no coin moves it, $\tfrac14 \cdot \tfrac58$, or if two flips cancel a half turn, $\tfrac14 \cdot \tfrac18$; so the share that moves is
#
# $$
# \tfrac12 \left(1 - \tfrac{5}{32} - \tfrac{1}{32}\right) = \tfrac{13}{32}
# $$
#
# The paper's batches are **unpaired**: each modality is shuffled on its own. In **paired** ones, row $i$ is the same scene in both; pairing is by id alone. **Predict first:** how often do the images of an unpaired row share the class? And if depth has only eight of 12 scenes, in reversed order, how many rows has an epoch?

# %%
table = motion_table(H, H)  # [8 motions, H·W]
check("a square has eight motions", len(table.unique(dim=0)) == len(table) == 8)
x = torch.from_numpy(parts.train.images("depth", np.arange(8)))
back = (
    turn(x, torch.arange(8)).flatten(2).gather(2, table.argsort(1)[:, None]).view_as(x)
)
check("argsort undoes every motion exactly", torch.equal(back, x))
draws = draw_motions(
    torch.empty(20_000, 1, H, H), 0.5, torch.Generator().manual_seed(seed)
)
low, high = stats.binomtest(
    int((table[draws] != table[0]).any(1).sum()), len(draws)
).proportion_ci(0.999)
check(
    f"share of images moved [{low:.3f}, {high:.3f}] holds 13/32 = {13 / 32:.3f}",
    low <= 13 / 32 <= high,
)
few = source.take(np.arange(12))
partial = replace(
    few,
    modalities={
        "rgb": few.modalities["rgb"],
        "depth": few.modalities["depth"].take(np.arange(8)[::-1]),
    },
)
for how, shown in (("paired", 8), ("unpaired", 12)):
    y = next(dd.Batches(parts.train, 128, seed, pairing=how).epoch(0)).y
    same = (y["rgb"] == y["depth"]).float().mean().item()
    check(
        f"{how}: a row shares the class in {same:.0%}",
        same == 1 if how == "paired" else same < 0.4,
    )
    rows = sum(
        len(batch.y["depth"])
        for batch in dd.Batches(partial, 4, seed, pairing=how).epoch(0)
    )
    check(
        f"{how}: of 8 depth images and 12 RGB ones an epoch shows {shown} rows",
        rows == shown,
    )

# %% [markdown]
# **Take-away:** paired batches use the pairs alone; unpaired ones agree in class about as often as chance, and repeat images of the shorter sensor.
#
# ## Does the prepared folder survive the disk?
#
# `save(…, split=…)` writes the file names of the released code. Opening reads no image: arrays are memory maps.

# %%
home = tempfile.TemporaryDirectory()
folder = f"{home.name}/prepared"
source.save(folder, split=parts)
print(
    *[
        f"{file.stat().st_size / 1e6:5.1f} MB  {file.name}"
        for file in sorted(dd.Path(folder).iterdir())
    ],
    sep="\n",
)
again = dd.load(folder)
check(
    "images stay on disk",
    all(isinstance(m.x, np.memmap) for m in again.modalities.values()),
)
check(
    "the split comes back, whatever the seed",
    np.array_equal(again.split(seed=99).test.ids, parts.test.ids),
)
check(
    "so do the scaled images",
    np.array_equal(again.split().test.images("depth"), parts.test.images("depth")),
)

# %% [markdown]
# ## What do the 16 bits of a depth file mean?
#
# Public sets write depth as 16-bit PNG: SUN RGB-D turns the bits of the millimetres left by three, Mid-Air stores the bits of a float16, TRISTAR plain millimetres. A drawn depth map, in metres, goes into three such files and back through the package's readers. By hand, one metre is
#
# $$
# 1000 \cdot 2^3 = 8000, \quad \mathtt{0x3C00} = 15360, \quad 1000
# $$
#
# **Predict first:** a reader that takes every file for millimetres raises no error. What gives it away?

# %%
def millimetres(m):
    return np.round(1000 * m).astype(np.uint16)


# nothing is real but the codes; 0 is not measured
metres = 12 * parts.test.modalities["depth"].x[0, 0]
codes = {
    "SUN RGB-D": (
        8000,
        lambda m: (millimetres(m) << 3) | (millimetres(m) >> 13),
        sunrgbd.to_metres,
    ),
    "Mid-Air": (
        15360,
        lambda m: m.astype(np.float16).view(np.uint16),
        midair.to_metres,
    ),
    "TRISTAR": (1000, millimetres, lambda stored: stored / 1000),
}
for name, (one, encode, decode) in codes.items():
    Image.fromarray(encode(metres)).save(f"{home.name}/depth.png")
    stored = read_pixels(f"{home.name}/depth.png")[0]
    naive, off = stored[metres > 0] / 1000, abs(decode(stored) - metres)[metres > 0]
    print(
        f"{name}: {metres[metres > 0].min():.2f} to {metres.max():.2f} m, taken for"
        f" mm {naive.min():.2f} to {naive.max():.2f} m"
    )
    check(
        f"{name}: one metre is {one}; decoded within 5 mm",
        encode(np.ones(1)) == one and off.max() < 0.005,
    )

# %% [markdown]
# **Take-away:** only the range does. SUN RGB-D's numbers come out eight times too large up to 8.19 m and small again beyond, as lost bits come round; Mid-Air's in the printed few metres. So each reader in `discom/data/sources/` refuses what lies outside its range, naming the file; [data/README.md](../data/README.md) lists the sets.
#
# ## How far do plain pixels get?
#
# Between chance and the bound stands a linear softmax classifier on scaled pixels: Adam, learning rate 0.001, batches of 128, no augmentation. The epoch is chosen by validation loss; the test part is read once per trained classifier. Both sensors get the same scenes, epochs and rule.
#
# **Predict first**, three answers known in advance: the loss at zero weights; the loss on 60 images after many epochs; the test accuracy after training on shuffled labels.

# %%
epochs, C = {"tiny": 8, "cpu": 15, "paper": 30}[profile], len(source.classes)


def logits(w, part, name):
    return (torch.from_numpy(part.images(name)) - 0.5).flatten(1) @ w  # [N, C]


def fit_linear(train, valid, name, epochs):
    """Weights [pixels, C] of the epoch with the lowest validation loss; losses
    [epoch]: first batch, training, validation."""
    w = torch.zeros(
        train.images(name, [0]).size, len(train.classes), requires_grad=True
    )
    adam, kept, history = torch.optim.Adam([w], lr=1e-3), [], []
    batches = dd.Batches(train.select([name]), 128, seed, augment=0)
    for epoch in range(epochs):
        losses = []
        for batch in batches.epoch(epoch):
            losses.append(
                cross_entropy((batch.x[name] - 0.5).flatten(1) @ w, batch.y[name])
            )
            adam.zero_grad()
            losses[-1].backward()
            adam.step()
        kept.append(w.detach().clone())
        validation = cross_entropy(
            logits(kept[-1], valid, name), torch.tensor(valid.labels)
        )
        history.append(
            [losses[0].item(), sum(losses).item() / len(losses), validation.item()]
        )
    return kept[np.argmin(history, axis=0)[2]], np.array(history)


# %%
history = fit_linear(parts.train.take(np.arange(60)), parts.valid, "rgb", 200)[1]
check(
    f"the loss starts at log C = {np.log(C):.4f}",
    np.isclose(history[0, 0], np.log(C), atol=1e-4),
)
check(
    f"60 images are learned by heart: training loss {history[-1, 1]:.3f}",
    history[-1, 1] < 0.1,
)
m = parts.train.modalities["rgb"]
wrong = replace(
    parts.train,
    modalities={"rgb": replace(m, y=np.random.default_rng(seed).permutation(m.y))},
)
guess = (
    logits(fit_linear(wrong, parts.valid, "rgb", epochs)[0], parts.test, "rgb")
    .argmax(1)
    .numpy()
)
low, high = stats.binomtest(
    int((guess == parts.test.labels).sum()), len(guess)
).proportion_ci(0.999)
check(
    f"shuffled labels: test accuracy in [{low:.3f}, {high:.3f}], which holds 1/C ="
    f" {1 / C:.3f}",
    low <= 1 / C <= high,
)

# %%
rows, curves = [], {}
for s in range(seed, seed + 5):
    train, valid, test = source.split(seed=s)
    for name, (cue, _) in cues.items():
        w, curves[name] = fit_linear(train, valid, name, epochs)
        rules = {"majority": np.bincount(train.labels).argmax() == test.labels}
        rules["linear"] = logits(w, test, name).argmax(1).numpy() == test.labels
        rules["factors"] = test.factors[cue] == test.factors["material"]
        rows.append(
            {"modality": name, "seed": s, "chance": 100 / C}
            | {k: 100 * v.mean() for k, v in rules.items()}
        )
table = pd.DataFrame(rows).set_index(["modality", "seed"])
print(
    table.groupby("modality", sort=False)
    .agg(lambda c: f"{c.mean():.1f} ± {c.std():.1f}")
    .to_string()
)
for name, part in table.groupby("modality", sort=False):
    mean, low, high = tables.paired_difference(
        *part[["linear", "majority"]].to_numpy().T
    )
    print(
        f"{name}: linear − majority {mean:+.1f} points, 95 % [{low:+.1f},"
        f" {high:+.1f}], n = {len(part)}"
    )
    check(
        f"{name}: pixels stay far below the bound",
        (part["linear"] < part["factors"] - 30).all(),
    )

# %%
figure, axes = plt.subplots(
    1, 2, figsize=(10, 3.3), layout="constrained", width_ratios=(1, 1.3)
)
for (name, h), look, shift in zip(
    curves.items(), (("k", "o"), ("0.55", "s")), (-0.12, 0.12), strict=True
):
    for k, line, kind in ((1, "-", "training"), (2, "--", "validation")):
        axes[0].plot(
            h[:, k], line, color=look[0], marker=look[1], ms=4, label=f"{name}, {kind}"
        )
    axes[1].plot(
        np.arange(4) + shift,
        table.loc[name].T,
        look[1],
        color=look[0],
        mfc="none",
        ms=7,
    )
axes[0].axhline(np.log(C), color="black", linestyle=":")
axes[0].set(xlabel="epoch (from 0)", ylabel="cross-entropy (nats)")
axes[0].legend(
    fontsize=8, ncols=2, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1)
)
_ = axes[1].set(
    ylim=(0, 100),
    ylabel="test accuracy (%)",
    xlabel="rule",
    xticks=range(4),
    xticklabels=table.columns,
)

# %% [markdown]
# *Figure: left, loss over epochs in the last split, RGB black circles, depth grey squares, training solid, validation dashed, $\log C$ dotted; both training losses fall; validation falls for an epoch or two at most, then rises, for RGB more than for depth. Right, test accuracy, a point per split and sensor: chance, majority and linear below 20 %, factors above 80 %.* **Take-away:** RGB pixels do no better than the majority class, depth a few points; the printed intervals say so. *Factors* counts the rule behind the bound: nearly the whole way to it is open to later notebooks.
#
# ## What should you see on another machine?
#
# Images, splits and batches are drawn from the seed, so counts should agree to the digit; the classifier may differ in the last one between processors and thread counts. With another seed, expect linear scores within some three of the printed standard deviations. These are of splits that share one pool of scenes, not of new data. Signs of a bug: a first loss other than $\log C$, shuffled labels above chance, a linear score near the bound.
#
# ## Where it fails: a pairing that no check can see
#
# Suppose depth files were sorted as text ("10" before "2"), RGB files as numbers, and both zipped. If labels disagree, `MultiModalData` refuses. **Predict first:** and if the sorting is inside class folders?

# %%
rgb, depth = (parts.train.modalities[name] for name in ("rgb", "depth"))
inside = np.arange(len(rgb.y))
for label in range(C):
    inside[rgb.y == label] = sorted(np.flatnonzero(rgb.y == label), key=str)
for what, order in (
    ("all files", sorted(range(len(rgb.y)), key=str)),
    ("the files of each class", inside),
):
    zipped = {"rgb": rgb, "depth": dd.Modality(depth.x[order], depth.y[order], rgb.ids)}
    try:
        falsely = dd.MultiModalData(zipped, source.classes)
        print(
            f"sorted {what}: accepted, {np.mean(depth.ids[order] != rgb.ids):.0%} of"
            " the pairs are false"
        )
    except discom.errors.DataError as error:
        print(f"sorted {what}: refused: {error}")
figure = plots.pairs(falsely, rows=np.flatnonzero(depth.ids[inside] != rgb.ids)[:9])

# %% [markdown]
# *Figure: nine false pairs that were accepted, RGB above, depth below; within a column the outlines differ.* **Take-away:** the protection is ids that come from the sensors, never from positions; no check here sees a false pair of one class, and the eye needs a second look.
#
# ## Your turn
#
# Put answers in the next cell and run it. Solutions are [kept apart](solutions/py/01_data_preparation.py).
#
# 1. **Warm-up (2 min).** Two materials, texture redrawn with probability 0.3: what is the best accuracy of RGB? *Hint:* $K$ changes too.
# 2. **One step further (10 min).** Both sensors at once, defaults for $\varepsilon$ and $\delta$: what accuracy does the best rule reach? *Hint:* which cue should win when they disagree?
# 3. **Change one thing (10 min).** Write `same_motion(x_rgb, x_depth, motions)` that turns both views alike. *Hint:* one call of `turn` per modality.
# 4. **Open (30 min+).** Find features of RGB on which a classifier reaches twice chance on the *validation* part; answer in percent. *Hint:* what stays when an object moves and turns?

# %%
answers = {1: None, 2: None, 3: None, 4: None}
x, motions = torch.rand(8, 4, 8, 8), torch.arange(8)
grade = {
    1: lambda answer: abs(answer - dd.scenes.best_accuracy(0.3, 2)) < 1e-3,
    2: lambda answer: abs(answer - bound["rgb"]) < 0.005,
    3: lambda answer: torch.equal(
        torch.cat(answer(x[:, :3], x[:, 3:], motions), 1), turn(x, motions)
    ),
    4: lambda answer: answer > 200 / C,
}
for n, answer in answers.items():
    print(
        f"exercise {n}:",
        "not answered yet"
        if answer is None
        else ["no, see the hint", "right"][grade[n](answer)],
    )
check("the checker tells wrong from right", grade[1](0.85) and not grade[1](0.7))

# %% [markdown]
# ## What was shown, and what was not
#
# - A scene drawn by hand equals the package's up to the stated noise (*what each sensor adds*).
# - Each sensor has a known best accuracy, counted and in closed form (*how well can anybody do*).
# - Second frames of test scenes ruin a nearest-neighbour test; the other sensor's view does nothing beyond noise there, which says nothing about networks (*leakage*).
# - Bounds come from training alone, motions can be undone, a folder reads back as written (*statistics, augmentation, disk*).
# - Depth in another code raises no error; three codes were decoded within 5 mm (*16 bits*).
# - RGB pixels stay at the majority class, depth a few points above, far from the bound (*plain pixels*).
#
# **Limitations.** Drawn scenes: one object, independent nuisance, labels without error. Five splits of one pool say little about another sensor. Nothing here shows that one sensor helps the other.
#
# **Next.** [02 · The model and its losses](02_model_and_losses.ipynb)
#
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): percentiles, motions and unpaired batches follow its protocol.
# - Public sets and their codes: `discom/data/sources/`; each reader names its sources.
# - Code: `discom/data/scenes/`, `multimodal.py`, `splitting.py`, `normalize.py`, `batches.py`, `prepared.py`, each with `tests/data/test_<module>.py`. Data and text: this repository, MIT.

# %%
home.cleanup()
finish()
