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
# | Prerequisites | NumPy and a little PyTorch ([tensor tutorial](https://docs.pytorch.org/tutorials/beginner/basics/tensorqs_tutorial.html)); nothing about several sensors |
# | Time | a minute or less on two CPU cores; no GPU is used; the last cell prints the seconds of this run |
# | Memory, disk | under 2 GB of memory, under 0.2 GB in a temporary folder |
# | Data, licence | drawn here from a seed, MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date, the last one seconds and memory |

# %% [markdown]
# ## Why does data preparation decide a cross-modal study?
#
# A **modality** is one kind of sensor view: here a colour image (RGB) or a depth map. Every scene has an **id**. Two images with the same id, one from each sensor, are a **pair**. In cross-modal distillation, networks learn together from several modalities and are then used with one sensor alone.
#
# With two sensors a test scene can slip into training by more doors than with one: its other view, a second frame, a statistic. What comes through could pass for transfer between sensors. So each step is done in the open, then checked:
#
# ```text
# factors ─► scenes ─► MultiModalData ─► split by id ─► bounds of train ─► batches ─► notebook 02
#   (known)  (2 sensors)  (ids = pairs)    (leakage?)     (percentiles)     (D4 motions)
# ```

# %%
try:
    import discom
except ImportError:  # on Colab: this release's files, without touching the installed torch
    print("fetching this release")
    # !git clone --quiet --depth 1 --branch v0.1.0 https://github.com/discom-kd/discom
    # %cd discom/notebooks
    # %pip install --quiet --editable ..

# %%
import tempfile
from copy import deepcopy
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from scipy import special, stats

from PIL import Image

from discom import data as dd, experiments, plots
from discom.data.augmentation import draw_motions, motion_table, move
from discom.data.images import read_pixels
from discom.data.sources import midair, sunrgbd
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # which data: the name, then after a colon any argument of scenes.make
profile = "cpu"  # tiny (seconds), cpu (minutes) or paper; sets the number of epochs below
seed = 0  # of the split, the batches and every draw in this notebook
runs = "runs"  # folder of trained runs; the linear classifiers of this notebook are not stored there

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## What do the data look like?
#
# Origin: drawn by `discom.data.scenes`, MIT licence. One object per scene; the class is a pair (shape, material). RGB has three bands, depth one; both are unitless numbers from 0 to 1, and 0 in depth means "not measured". The split is by id and per class, with as many test as training scenes, because scenes cost nothing.
#
# The figure has one column per class: the RGB view above, the depth view of the same scene below.

# %%
source = dd.load(data)
parts = source.split(seed=seed)
print("parts:", {name: len(part) for name, part in parts._asdict().items()}, "· ids such as", source.ids[0])
rows = [[name, *m.x.shape, m.x.dtype, m.x.min(), m.x.max()] for name, m in source.modalities.items()]
print(pd.DataFrame(rows, columns=["modality", "N", "C", "H", "W", "dtype", "min", "max"]).to_string(index=False))
figure = plots.pairs(parts.train)

# %% [markdown]
# **Take-away.** Both views show the same outline in the same place. The texture is in RGB alone, the relief in depth alone; the black squares in depth are holes. Before any of this is used, it is checked.

# %%
ids = [set(part.ids.tolist()) for part in parts]
check("no id is in two parts, and no id is lost", sum(map(len, ids)) == len(set.union(*ids)) == len(source))
counts, shares = np.array([np.bincount(part.labels) for part in parts]), np.reshape(source.fractions, (3, 1))
check("every class is divided alike, up to a sample", (abs(counts - shares * counts.sum(0)) <= 1).all())
check("every scene is a pair", len(source.paired_ids) == len(source))
check("pixels lie in [0, 1]", all(m.x.min() >= 0 and m.x.max() <= 1 for m in source.modalities.values()))


# %% [markdown]
# ## Can we draw a scene by hand? First the outline
#
# Both sensors see the outline. A pixel $(X, Y)$ is moved into object coordinates; a signed distance $d$ (up to scale) is positive inside; a sigmoid softens the edge:
#
# $$
# \begin{aligned}
# u &= (\cos\theta\,(X - c_x) + \sin\theta\,(Y - c_y)) / \sigma, \qquad v = (\cos\theta\,(Y - c_y) - \sin\theta\,(X - c_x)) / \sigma, \qquad r = \sqrt{u^2 + v^2} \\
# d_0 &= 1 - r, \qquad d_1 = 0.8 - \max(|u|, |v|), \qquad d_2 = 0.55 - \max(-v,\ 0.866u + 0.5v,\ -0.866u + 0.5v) \\
# m &= 1 / (1 + e^{-0.6 H d})
# \end{aligned}
# $$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $X, Y$ | `X`, `Y` | pixel coordinates from −1 to 1 | [H, W] |
# | $c, \theta, \sigma$ | `centre_x`, `centre_y`, `rotation`, `scale` | place, turn and size | numbers |
# | $u, v, r$ | `u`, `v`, `r` | object coordinates and radius | [H, W] |
# | $d_s$, $m$ | `d`, `m` | signed distance to shape $s$ (0 disk, 1 square, 2 triangle), soft mask | [H, W] |
#
# **Predict first:** what is $m$ exactly on the edge of a square, where $u = 0.8$ and $v = 0$?

# %%
def soft_mask(u, v, s, H):
    square = 0.8 - np.maximum(abs(u), abs(v))
    triangle = 0.55 - np.maximum(-v, np.maximum(0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v))
    d = (1 - np.hypot(u, v), square, triangle)[s]
    return special.expit(0.6 * H * d)  # the sigmoid


def outline(f, H):
    X, Y = np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, H))
    dx, dy = (X - f["centre_x"]) / f["scale"], (Y - f["centre_y"]) / f["scale"]
    cos, sin = np.cos(f["rotation"]), np.sin(f["rotation"])
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    return {"X": X, "Y": Y, "u": u, "v": v, "r": np.hypot(u, v), "m": soft_mask(u, v, f["shape"], H)}


check("on the edge of a square the mask is one half", soft_mask(0.8, 0.0, 1, 32) == 0.5)
H = source.masks.shape[-1]
scene = [{name: values[row] for name, values in source.factors.items()} for row in range(100)]
drawn = [outline(f, H) for f in scene]
same = [np.array_equal(o["m"] > 0.5, mask) for o, mask in zip(drawn, source.masks[:100], strict=True)]
check("in 100 scenes, m > ½ is the package's mask, pixel for pixel", all(same))


# %% [markdown]
# ## Then what each sensor adds
#
# RGB lays one of three textures $w_t$ on the object, between two colours $a$ and $b$, before a background $g$ that runs from one colour to another, under an illumination $L$. Depth lays one of three reliefs $\rho_k$ over a tilted plane. With $n$ standard normal noise,
#
# $$
# \begin{aligned}
# w_0 &= \sin(2fu + \varphi), \qquad w_1 = \mathrm{clip}(1.6\, w_0 \sin(2fv + \varphi), -1, 1), \qquad w_2 = \sin(2.2fr + \varphi) \\
# x_{\text{rgb}} &= L\,\big(m\,[\tfrac{1 + w_t}{2} a + \tfrac{1 - w_t}{2} b] + (1 - m)\,g\big) + 0.05\,n \\
# \rho_0 &= 0.6, \qquad \rho_1 = 1 - \min(r, 1)^2, \qquad \rho_2 = 1 - \min(|u|, 1) \\
# x_{\text{depth}} &= 0.5 + s + 0.7\,(t_x X + t_y Y) + m\,(0.10 + 0.22\,\rho_k) + 0.08\,n
# \end{aligned}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $f, \varphi, t$ | `frequency`, `phase`, `texture` | frequency, phase and kind of texture: 0 stripes, 1 checker, 2 rings |
# | $a, b, g, L$ | `colours`, `illumination` | colours [bands] and light |
# | $k, s, t_x, t_y$ | `relief`, `shift`, `tilt_x`, `tilt_y` | kind of relief (0 flat, 1 dome, 2 ridge), height and tilt of the plane |
#
# Both images are clipped to [0, 1]; about 15 % of depth, in squares of 4 × 4 pixels, is then set to 0.
#
# The data keep each colour by its brightness, so the mean over RGB bands can be redrawn as well as depth. **Predict first:** away from clipping and holes, what is left between hand and package? The noise alone: 0.08 in depth, and $0.05/\sqrt{3}$ in a mean of three bands.

# %%
def see_rgb(f, o, colours):
    a, b, near, far = (np.asarray(colour, dtype=float)[:, None, None] for colour in colours)  # [bands, 1, 1]
    stripes = np.sin(2 * f["frequency"] * o["u"] + f["phase"])
    checker = np.clip(1.6 * stripes * np.sin(2 * f["frequency"] * o["v"] + f["phase"]), -1, 1)
    rings = np.sin(2.2 * f["frequency"] * o["r"] + f["phase"])
    w = (stripes, checker, rings)[f["texture"]]
    t = special.expit(2 * (f["gradient_x"] * o["X"] + f["gradient_y"] * o["Y"]))
    body, g = (1 + w) / 2 * a + (1 - w) / 2 * b, t * near + (1 - t) * far  # [bands, H, W]
    return f["illumination"] * (o["m"] * body + (1 - o["m"]) * g)

def see_depth(f, o):
    dome, ridge = 1 - np.minimum(o["r"], 1) ** 2, 1 - np.minimum(abs(o["u"]), 1)
    rho = (0.6, dome, ridge)[f["relief"]]
    return 0.5 + f["shift"] + 0.7 * (f["tilt_x"] * o["X"] + f["tilt_y"] * o["Y"]) + o["m"] * (0.10 + 0.22 * rho)

left = {"rgb": [], "depth": []}
for row, (f, o) in enumerate(zip(scene, drawn, strict=True)):
    grey = see_rgb(f, o, [[f[name]] for name in ("colour_a", "colour_b", "background", "bottom")])[0]
    for name, hand in {"rgb": grey, "depth": see_depth(f, o)}.items():
        x = source.modalities[name].x[row]
        inside = (hand > 0.25) & (hand < 0.75) & (x > 0).all(0) & (x < 1).all(0)
        left[name].append((x.mean(0) - hand)[inside])
for name, noise in {"rgb": 0.05 / np.sqrt(3), "depth": 0.08}.items():
    found = np.concatenate(left[name]).std()
    check(f"{name}: what is left is {found:.4f}, stated noise {noise:.4f}", abs(found / noise - 1) < 0.1)

# %%
f, o = next((f, o) for f, o in zip(scene, drawn, strict=True) if f["shape"] == 1)
rng, depth = np.random.default_rng(seed), see_depth(f, o)
rgb = see_rgb(f, o, ([0.9, 0.5, 0.1], [0.2, 0.2, 0.6], [0.8, 0.8, 0.7], [0.3, 0.5, 0.4]))
holes = np.kron(rng.random((H // 4, H // 4)) < 0.15, np.ones((4, 4))) > 0
noisy = rgb + 0.05 * rng.standard_normal(rgb.shape), depth + 0.08 * rng.standard_normal(depth.shape)
titles = ("soft mask m", "RGB, no noise", "RGB", "depth, no noise", "depth, holes are 0")
figure, axes = plt.subplots(1, 5, figsize=(10, 2.3), layout="constrained")
for axis, title, x in zip(axes, titles, (o["m"], rgb, noisy[0], depth, np.where(holes, 0, noisy[1])), strict=True):
    axis.imshow(np.clip(x.transpose(1, 2, 0) if x.ndim == 3 else x, 0, 1), cmap="gray", vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[], title=title)

# %% [markdown]
# From left to right: the soft mask of one square, its RGB view without and with noise (in colours of our choice), its depth view without noise, and with noise and black holes.
#
# **Take-away.** Outline, texture and relief are layers drawn apart; everything else is nuisance. In depth, noise and holes hide much of the outline.
#
# ## How well can anybody do with one sensor?
#
# Texture $t$ equals the material, except with probability $\varepsilon$, when it is redrawn uniformly from $K$ kinds; so does the relief, with $\delta$. The outline never lies. A classifier that reads the factors perfectly should answer (shape, texture), as a cue is right at least as often as any other answer:
#
# $$
# A_{\text{rgb}} = 1 - \varepsilon + \varepsilon / K, \qquad A_{\text{depth}} = 1 - \delta + \delta / K
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\varepsilon, \delta$ | `redrawn` | probability that the cue is redrawn: RGB, depth |
# | $K$ | `K` | number of materials |
#
# **Predict first:** with $\varepsilon = 1$, what is $A_{\text{rgb}}$ over the three materials?
#
# The figure counts, over all scenes, which cue goes with which material; every row sums to 100 %.

# %%
K, cues, bound = 3, {"rgb": ("texture", 0.10), "depth": ("relief", 0.25)}, {}
material = source.factors["material"]
figure, axes = plt.subplots(1, 2, figsize=(7, 2.7), layout="constrained")
for axis, (name, (cue, redrawn)) in zip(axes, cues.items(), strict=True):
    bound[name] = 1 - redrawn + redrawn / K
    right = source.factors[cue] == material
    low, high = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.999)
    check(f"{name}: counted [{low:.3f}, {high:.3f}] holds the bound {bound[name]:.3f}", low <= bound[name] <= high)
    share = 100 * pd.crosstab(material, source.factors[cue], normalize="index")
    sns.heatmap(share, annot=True, fmt=".0f", cmap="Greys", vmin=0, vmax=100, cbar=False, ax=axis)
    axis.set(title=f"{name}: % of a material", xlabel=f"{cue} (kind)", ylabel="material", yticklabels=["wood", "metal", "stone"])
check("a cue that is always redrawn leaves chance", np.isclose(dd.scenes.best_accuracy(1.0), 1 / K))

# %% [markdown]
# **Take-away.** The diagonal is the evidence, the rest is the doubt nobody can remove. RGB has the higher bound; which sensor is easier to learn from is another question, asked below. The brackets are 99.9 % binomial intervals; there are four such checks in this notebook, so a few seeds in a thousand fail one by chance.
#
# ## What happens to a scene that one sensor missed?
#
# `MultiModalData` maps a name to a `Modality(x, y, ids)`. Pairing is by id alone, so the order of rows is free, and modalities may differ in length. **Predict first:** of 12 scenes, depth lacks the last four and stands in reversed order. How many pairs are left?

# %%
few = source.take(np.arange(12))
depth = few.modalities["depth"].take(np.arange(8)[::-1])  # reversed, four missing
partial = dd.MultiModalData({"rgb": few.modalities["rgb"], "depth": depth}, few.classes)
epoch = {how: list(dd.Batches(partial, 4, seed, pairing=how).epoch(0)) for how in ("paired", "unpaired")}
seen = {how: sum(len(batch.y["depth"]) for batch in batches) for how, batches in epoch.items()}
check("eight pairs are left, and paired batches use these alone", len(partial.paired_ids) == seen["paired"] == 8)
check("unpaired batches show depth again until it has 12 rows", seen["unpaired"] == 12)


# %% [markdown]
# ## What does leakage look like, measured?
#
# A split must keep the test *scenes* out of training, not merely the test files. Two doors are tried. A nearest-neighbour classifier (cosine similarity of edge strength) gets a fixed training set and an equal number of extra images:
#
# - **second frame**: the same sensor once more, simulated as the first image plus fresh noise. Holes and first noise stay, so this is the strongest case;
# - **other sensor**: the other modality's view.
#
# Extras come from scenes that are nowhere else (honest) or from the test scenes (leaky): same number of images, same test set. Six seeds redraw parts and noise. **Predict first:** which door matters?

# %%
def edges(x):
    """Edge strength of [N, C, H, W], centred, of unit length: [N, pixels]."""
    grey = x.mean(1)
    e = np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:]).reshape(len(x), -1)
    e = e - e.mean(1, keepdims=True)
    return e / np.linalg.norm(e, axis=1, keepdims=True)


def accuracy(test, train, extra, own, view):
    """Percent of `own[test]` whose nearest image in `own[train]` and `view[extra]` has the right class."""
    nearest = (own[test] @ np.concatenate([own[train], view[extra]]).T).argmax(1)
    return 100 * (source.labels[np.concatenate([train, extra])][nearest] == source.labels[test]).mean()


# %%
rows, third, flat = [], min(400, len(source) // 3), {name: edges(m.x) for name, m in source.modalities.items()}
for s in range(seed, seed + 6):
    rng = np.random.default_rng(s)
    test, train, unseen = rng.permutation(len(source))[: 3 * third].reshape(3, third)
    for own, other, sigma in (("rgb", "depth", 0.05), ("depth", "rgb", 0.08)):
        x, second = source.modalities[own].x, flat[own].copy()
        for part in (test, unseen):
            second[part] = edges(np.clip(x[part] + sigma * rng.standard_normal(x[part].shape), 0, 1))
        for door, view in ((f"second frame, {own}", second), (f"other sensor, {own}", flat[other])):
            for extras, extra in (("honest", unseen), ("leaky", test)):
                rows.append((door, s, extras, accuracy(test, train, extra, flat[own], view)))
scores = pd.DataFrame(rows, columns=["door", "seed", "extra images", "test accuracy (%)"])
look = {"units": "seed", "estimator": None, "marker": "o", "color": "0.3", "height": 2.5, "aspect": 1.05}
grid = sns.relplot(scores, x="extra images", y="test accuracy (%)", col="door", kind="line", **look)
grid = grid.set(ylim=(0, 105)).set_titles("{col_name}").refline(y=100 / len(source.classes))
wide = scores.pivot(index="seed", columns=["door", "extra images"], values="test accuracy (%)")
for door in wide.columns.levels[0]:
    mean, low, high = experiments.paired_difference(wide[door, "leaky"].to_numpy(), wide[door, "honest"].to_numpy())
    print(f"{door:<19}: leaky − honest = {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}], n = {len(wide)}")
    check("a second frame raises the score", low > 0) if "frame" in door else None

# %% [markdown]
# One panel per door and tested sensor. A line joins the honest (left) and leaky (right) score of one seed; the dashed line is chance.
#
# **Take-away.** With second frames of the test scenes, a classifier near chance seems to solve the task, and has learned nothing: it recognises photographs. Real second frames also move and may leak less; that is not measured here. The other sensor's view makes no such difference; the printed intervals say how little. A caution: this classifier cannot match RGB edges with depth edges. Networks trained to align two sensors might, so here `split()` divides ids, never files.
#
# Where scenes belong together (one video, one place), ids are not enough: give `groups`, and no group is divided. On real land-cover patches, dividing places instead raised the mean of every method by 22 to 36 points ([data/README.md](../data/README.md)).

# %%
room = np.arange(len(source)) // 5  # say, five scenes per room
grouped = replace(source, groups=room).split(seed=seed)
rooms = [set(part.groups.tolist()) for part in grouped]
plain = [set(room[np.isin(source.ids, part.ids)].tolist()) for part in parts]
print(f"rooms in training and test: {len(plain[0] & plain[2])} when split by id, {len(rooms[0] & rooms[2])} by group")
check("no room is in two parts", sum(map(len, rooms)) == len(set.union(*rooms)))

# %% [markdown]
# ## Which statistics may a scaling use?
#
# Each band is clipped to its 2nd and 98th percentile $q$ and scaled to [0, 1]:
#
# $$
# x'_c = \mathrm{clip}\Big(\frac{x_c - q_{2}}{q_{98} - q_{2}},\ 0,\ 1\Big)
# $$
#
# | symbol | in code | meaning | shape |
# |---|---|---|---|
# | $x_c$, $x'_c$ | `band` | band $c$ before and after | [N, 1, H, W] |
# | $q_2, q_{98}$ | `low`, `high` | percentiles of band $c$ over the **training part** | [C] |
#
# By hand: for the values 0, 1, …, 100 the bounds are 2 and 98, so 26 becomes (26 − 2) / 96 = 0.25. **Predict first:** what changes if the percentiles are taken over the test part too? The cell prints how far a scaled test pixel moves, as mean ± sd over splits, for the test part as it is and at half its brightness.

# %%
band = np.arange(101.0).reshape(1, 1, 1, 101)
scaling = dd.Normalization.fit(band)
check("bounds 2, 98; 26 → 0.25", (*scaling.low, *scaling.high, scaling(band)[0, 0, 0, 26]) == (2, 98, 0.25))
change = {"like training": [], "half as bright": []}
for s in range(seed, seed + 5):
    train, _, test = (part.modalities["rgb"].x for part in source.split(seed=s))
    for case, light in zip(change, (1.0, 0.5), strict=True):
        honest, reading = dd.Normalization.fit(train), dd.Normalization.fit(np.concatenate([train, light * test]))
        change[case].append(np.abs(honest(light * test) - reading(light * test)).mean())
for case, moved in change.items():
    print(
        f"RGB test part {case}: pixels change by {np.mean(moved):.4f} ± {np.std(moved, ddof=1):.4f}, n = {len(moved)}"
    )
check("the dim part changes more in every split", np.greater(*list(change.values())[::-1]).all())

# %% [markdown]
# **Take-away.** When test and training come from the same source, reading the test part moves its pixels little (the released code does read it). When the test light differs, the scaling adapts to the very shift that the test should reveal. Fitting on training alone costs nothing, so `split()` does that.
#
# ## What does augmentation do to a pair?
#
# With probability ½ an image is flipped left–right (½), up–down (½) and, with ½, turned by 0, 90, 180 or 270 degrees. Each image of each modality draws its own motion. These are the eight motions of a square (the group D4), held as a table of source pixels, so `argsort` undoes them.
#
# By hand, an image rests if no coin moves it, $\tfrac14 \cdot \tfrac58$, or if two flips cancel a half turn, $\tfrac14 \cdot \tfrac18$; so the share that moves is
#
# $$
# \tfrac12 \left(1 - \tfrac{5}{32} - \tfrac{1}{32}\right) = \tfrac{13}{32}
# $$
#
# The paper's batches are **unpaired**: each modality is shuffled on its own. In **paired** ones, row $i$ is the same scene in both. **Predict first:** how often do the two images of an unpaired row share the class?

# %%
table = motion_table(H, H)  # [16 codes, H·W]
check("sixteen codes are eight motions", len(table) == 16 and len(table.unique(dim=0)) == 8)
x = torch.from_numpy(parts.train.images("depth", np.arange(16)))
back = move(x, torch.arange(16)).flatten(2).gather(2, table.argsort(1)[:, None]).view_as(x)
check("argsort undoes every motion exactly", torch.equal(back, x))
draws = draw_motions(torch.empty(20_000, 1, H, H), 0.5, torch.Generator().manual_seed(seed))
low, high = stats.binomtest(int((table[draws] != table[0]).any(1).sum()), len(draws)).proportion_ci(0.999)
check(f"share of images moved [{low:.3f}, {high:.3f}] holds 13/32 = {13 / 32:.3f}", low <= 13 / 32 <= high)

figure, axes = plt.subplots(4, 8, figsize=(9, 5.2), layout="constrained")
for top, how in ((0, "paired"), (2, "unpaired")):
    batch = next(dd.Batches(parts.train, 128, seed, pairing=how).epoch(0))
    same = (batch.y["rgb"] == batch.y["depth"]).float().mean().item()
    check(f"{how}: a row shares the class in {same:.0%}", same == 1 if how == "paired" else same < 0.4)
    for row, name in enumerate(batch.x, top):
        axes[row, 0].set_ylabel(f"{how}\n{name}", fontsize=9)
        for axis, image, label in zip(axes[row], batch.x[name], batch.y[name], strict=False):
            axis.imshow(image.permute(1, 2, 0), cmap="gray", vmin=0, vmax=1)
            axis.set_title(source.classes[label].replace("/", "\n"), fontsize=8)
            axis.set(xticks=[], yticks=[])

# %% [markdown]
# Eight columns from the head of a paired batch (upper two rows) and of an unpaired one (lower two), each image below its class.
#
# **Take-away.** A pair keeps its class, but its two views may be turned differently. That is harmless for a class, which no motion changes, and wrong for per-pixel labels (exercise 3).
#
# ## Does the prepared folder survive the disk?
#
# `save(…, split=…)` writes the file names of the released code, images scaled by the training bounds. Opening reads no image: arrays are memory maps.

# %%
home = tempfile.TemporaryDirectory()
folder = f"{home.name}/prepared"
source.save(folder, split=parts)
print(*[f"{file.stat().st_size / 1e6:5.1f} MB  {file.name}" for file in sorted(dd.Path(folder).iterdir())], sep="\n")
again = dd.load(folder)
check("images stay on disk", all(isinstance(m.x, np.memmap) for m in again.modalities.values()))
check("the split comes back, whatever the seed", np.array_equal(again.split(seed=99).test.ids, parts.test.ids))
check("so do the scaled images", np.array_equal(again.split().test.images("depth"), parts.test.images("depth")))

# %% [markdown]
# ## What do the 16 bits of a depth file mean?
#
# Public sets write depth as 16-bit PNG, each in its own code. Here a drawn depth map, in metres (0 is not measured), goes into three such files and comes back through the package's readers. SUN RGB-D turns the bits of the millimetres left by three, Mid-Air stores the bits of a float16, TRISTAR plain millimetres. By hand, one metre is
#
# $$
# 1000 \cdot 2^3 = 8000, \qquad \mathtt{0x3C00} = 15360, \qquad 1000 .
# $$
#
# **Predict first:** a reader that takes every file for millimetres raises no error. Which of its pictures would look wrong to you without a colour bar?

# %%
def millimetres(m):
    return np.round(1000 * m).astype(np.uint16)


metres = 12 * parts.test.modalities["depth"].x[0, 0]  # nothing is real but the codes
codes = {
    "SUN RGB-D": (lambda m: (millimetres(m) << 3) | (millimetres(m) >> 13), sunrgbd.to_metres),
    "Mid-Air": (lambda m: m.astype(np.float16).view(np.uint16), midair.to_metres),
    "TRISTAR": (millimetres, lambda stored: stored / 1000),
}
figure, axes = plt.subplots(2, 3, figsize=(8, 4.4), layout="constrained")
for column, one, (name, (encode, decode)) in zip(axes.T, (8000, 15360, 1000), codes.items(), strict=True):
    check(f"{name}: one metre is {one}", encode(np.ones(1)).item() == one)
    Image.fromarray(encode(metres)).save(f"{home.name}/depth.png")
    stored = read_pixels(f"{home.name}/depth.png")[0]
    naive, decoded = (np.where(metres > 0, picture, np.nan) for picture in (stored / 1000, decode(stored)))
    check(f"{name}: decoded within 5 mm", np.nanmax(np.abs(decoded - metres)) < 0.005)
    print(f"{name}, taken for mm: {np.nanmin(naive):.2f} to {np.nanmax(naive):.2f} m")
    for axis, what, picture in zip(column, ("taken for mm", "decoded"), (naive, decoded), strict=True):
        figure.colorbar(axis.imshow(picture, cmap="cividis"), ax=axis, label="metres")
        axis.set(title=f"{name}, {what}", xticks=[], yticks=[])

# %% [markdown]
# Upper row: the stored numbers taken for millimetres; lower row: decoded; white is not measured. Read the colour bars.
#
# **Take-away.** Two of three are wrong. SUN RGB-D's is eight times too far up to 8.19 m and near again beyond (the dark specks: lost bits come round); Mid-Air's is squeezed into a few metres and looks like depth. So a reader must know the code, and ranges are checked where files are read: `discom/data/sources/` refuses what lies outside, naming the file. `discom data list` names the public sets; [data/README.md](../data/README.md) says what each costs.
#
# ## How far do plain pixels get?
#
# Between chance and the bound stands a linear softmax classifier on scaled pixels: Adam, learning rate 0.001, batches of 128, no augmentation. The epoch is chosen by validation loss; the test part is never used to choose, and read once per trained classifier. Both sensors get the same scenes, the same epochs and the same rule.
#
# Three answers are known in advance: with zero weights the loss is $\log C$; a batch with fewer samples than pixels can be learned by heart; and trained on shuffled labels, the classifier must stay at chance.

# %%
epochs, C = {"tiny": 8, "cpu": 15, "paper": 30}[profile], len(source.classes)


def logits(net, part, name):
    return net(torch.from_numpy(part.images(name)).flatten(1) - 0.5).detach()


def fit_linear(train, valid, name, epochs):
    """The network of the epoch with the lowest validation loss; losses [epoch]: first batch, training, validation."""
    net, entropy = torch.nn.Linear(train.images(name, [0]).size, len(train.classes)), torch.nn.functional.cross_entropy
    net.load_state_dict({key: 0 * value for key, value in net.state_dict().items()})
    adam, kept, history = torch.optim.Adam(net.parameters(), lr=1e-3), [], []
    batches = dd.Batches(train.select([name]), 128, seed, augment=0)
    for epoch in range(epochs):
        losses = []
        for batch in batches.epoch(epoch):
            losses.append(entropy(net(batch.x[name].flatten(1) - 0.5), batch.y[name]))
            adam.zero_grad()
            losses[-1].backward()
            adam.step()
        validation = entropy(logits(net, valid, name), torch.tensor(valid.labels))
        history.append([losses[0].item(), sum(losses).item() / len(losses), validation.item()])
        kept.append(deepcopy(net))
    return kept[np.argmin(history, axis=0)[2]], np.array(history)


# %%
history = fit_linear(parts.train.take(np.arange(60)), parts.valid, "rgb", 200)[1]
check(f"the loss starts at log C = {np.log(C):.4f}", np.isclose(history[0, 0], np.log(C), atol=1e-4))
check(f"60 images are learned by heart: training loss {history[-1, 1]:.3f}", history[-1, 1] < 0.1)
m = parts.train.modalities["rgb"]
wrong = replace(parts.train, modalities={"rgb": replace(m, y=np.random.default_rng(seed).permutation(m.y))})
guess = logits(fit_linear(wrong, parts.valid, "rgb", epochs)[0], parts.test, "rgb").argmax(1).numpy()
low, high = stats.binomtest(int((guess == parts.test.labels).sum()), len(guess)).proportion_ci(0.999)
check(f"shuffled labels: test accuracy in [{low:.3f}, {high:.3f}], which holds 1/C = {1 / C:.3f}", low <= 1 / C <= high)

# %%
rows, curves = [], {}
for s in range(seed, seed + 5):
    train, valid, test = source.split(seed=s)
    for name, (cue, _) in cues.items():
        net, curves[name] = fit_linear(train, valid, name, epochs)
        rules = {"majority": np.bincount(train.labels).argmax() == test.labels}
        rules["linear"] = logits(net, test, name).argmax(1).numpy() == test.labels
        rules["factors"] = test.factors[cue] == test.factors["material"]
        rows.append({"modality": name, "seed": s, "chance": 100 / C} | {k: 100 * v.mean() for k, v in rules.items()})
table = pd.DataFrame(rows).set_index(["modality", "seed"])
print(table.groupby("modality", sort=False).agg(lambda c: f"{c.mean():.1f} ± {c.std():.1f}").to_string())
for name, part in table.groupby("modality", sort=False):
    mean, low, high = experiments.paired_difference(*part[["linear", "majority"]].to_numpy().T)
    print(f"{name}: linear − majority {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}], n = {len(part)}")
    check(f"{name}: pixels stay far below the bound", (part["linear"] < part["factors"] - 30).all())

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.3), layout="constrained", width_ratios=(1, 1.3))
kinds = ((1, "training"), (2, "validation"))
losses = pd.DataFrame({f"{name}, {kind}": h[:, k] for name, h in curves.items() for k, kind in kinds})
losses.plot(ax=axes[0], style=["o-", "o--", "s-", "s--"], color=["k", "k", "0.6", "0.6"], markersize=4)
axes[0].axhline(np.log(C), color="black", linestyle=":")
axes[0].set(xlabel="epoch (from 0)", ylabel="cross-entropy (nats)")
axes[0].legend(fontsize=8, ncols=2, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))
points = table.reset_index().melt(["modality", "seed"], var_name="rule", value_name="test accuracy (%)")
look = {"dodge": True, "jitter": 0.15, "size": 6, "edgecolor": "black", "linewidth": 0.7, "alpha": 0.8}
axis = sns.stripplot(points, x="rule", y="test accuracy (%)", hue="modality", ax=axes[1], **look).set(ylim=(0, 100))


# %% [markdown]
# Left: loss over epochs in the last split, RGB black and depth grey, training solid, validation dashed, $\log C$ dotted. Right: test accuracy, a point per split, for four rules; *factors* is the count behind the bound, so the best that any method can expect.
#
# **Take-away.** Training loss falls; for RGB the validation loss stays above log C (dotted) and rises, so colours at fixed places are learned by heart and tell nothing; for depth it improves for a few epochs and stops. So do the printed intervals say: RGB pixels do no better than answering the majority class, depth a few points. An object stands at a random place, turn and size, and nearly the whole way to the bound is open, and there later notebooks compare methods.
#
# ## What should you see on another machine?
#
# Images, splits and batches are functions of the seed, so counts and bounds should agree to the digit; the classifier may differ in the last one between processors and thread counts. With another seed or fewer scenes, expect scores to move by a few of the printed standard deviations. The splits share one pool of scenes, so their spread is that of splitting, not of drawing new data. Signs of a bug: a first loss other than $\log C$, shuffled labels above chance, a linear score near the bound.
#
# ## Where it fails: a pairing that no check can see
#
# Suppose depth files were sorted as text ("10" before "2"), RGB files as numbers, and both zipped. If labels disagree, `MultiModalData` refuses. If files are sorted inside class folders, labels agree and nothing is raised. Every column of the figure is such a false pair, RGB above, depth below; compare place and turn of the outlines.

# %%
def attempt(what, call, *arguments):
    try:
        call(*arguments)
        print(f"{what}: accepted")
    except discom.errors.DataError as error:
        print(f"{what}: refused: {str(error).replace(folder, 'prepared')}")


rgb, depth, inside = parts.train.modalities["rgb"], parts.train.modalities["depth"], np.arange(len(parts.train))
for label in range(C):
    inside[rgb.y == label] = sorted(np.flatnonzero(rgb.y == label), key=str)
for what, order in (("all files", sorted(range(len(rgb.y)), key=str)), ("the files of each class", inside)):
    zipped = {"rgb": rgb, "depth": dd.Modality(depth.x[order], depth.y[order], rgb.ids)}
    attempt(f"zipped after sorting {what}", dd.MultiModalData, zipped, source.classes)
shown = np.flatnonzero(depth.ids[inside] != rgb.ids)[:9]
figure = plots.pairs(dd.MultiModalData(zipped, source.classes), rows=shown)
np.lib.format.open_memmap(f"{folder}/DEPTH_data_normalized.npy", mode="r+")[7, 0, 3, 5] = np.nan
attempt("one damaged pixel", dd.load, folder)

# %% [markdown]
# **Take-away.** Ids that come from the sensors, never from positions, are the protection; no check here sees a false pair of one class, and the eye needs a second look. Damaged input is another matter: it is named, with sample and pixel.
#
# ## Your turn
#
# Put your answer in the next cell and run it; it says whether each is right. Solutions are [kept apart](solutions/py/01_data_preparation.py).
#
# 1. **Warm-up (2 min).** Two materials, texture redrawn with probability 0.3: what is the best accuracy of RGB? *Hint:* $K$ changes too.
# 2. **One step further (10 min).** Both sensors at once, defaults for $\varepsilon$ and $\delta$: what accuracy does the best rule reach? *Hint:* which cue should win when they disagree?
# 3. **Change one thing (10 min).** Write `same_motion(x_rgb, x_depth, motions)` that turns both views alike, so that masks stay aligned. *Hint:* one call of `move` per modality.
# 4. **Open (30 min+).** Find features of RGB on which a classifier reaches twice chance on the *validation* part. Answer with that accuracy in percent. *Hint:* what stays when an object moves and turns?

# %%
answers = {1: None, 2: None, 3: None, 4: None}
x, motions = torch.rand(16, 4, 8, 8), torch.arange(16)
grade = {
    1: lambda answer: abs(answer - dd.scenes.best_accuracy(0.3, 2)) < 1e-3,
    2: lambda answer: abs(answer - bound["rgb"]) < 0.005,
    3: lambda answer: torch.equal(torch.cat(answer(x[:, :3], x[:, 3:], motions), 1), move(x, motions)),
    4: lambda answer: answer > 200 / C,
}
for n, answer in answers.items():
    print(f"exercise {n}:", "not answered yet" if answer is None else ["no, see the hint", "right"][grade[n](answer)])
check("the checker tells wrong from right", grade[1](0.85) and not grade[1](0.7))

# %% [markdown]
# ## What was shown, and what was not
#
# - A scene is outline, texture and relief plus nuisance; drawn by hand it equals the package up to the stated noise (*what each sensor adds*).
# - Each sensor has a known best accuracy, counted and in closed form (*how well can anybody do*).
# - Second frames of test scenes ruin a test; the other sensor's view made no difference beyond noise for a nearest-neighbour classifier, which cannot match sensors: that such a leak does harm is possible, and not shown here (*leakage*).
# - Bounds come from training alone; motions can be undone; a folder reads back as it was written (*scaling, augmentation, disk*).
# - Depth in another code looks like depth; three codes were decoded within 5 mm (*16 bits*).
# - Pixels are far from the bound: RGB at the majority class, depth a few points above (*plain pixels*).
#
# **Limitations.** The scenes are drawn: one object, independent nuisance, labels without error. Five splits of one pool say little about another sensor. Nothing here shows that one sensor helps the other.
#
# **Next.** [02 · The model and its losses](02_model_and_losses.ipynb)
#
# ## References
#
# - Ienco and Dantas, *DisCoM-KD: Cross-Modal Knowledge Distillation via Disentanglement Representation and Adversarial Learning*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080); its protocol is the source of the percentiles, motions and unpaired batches.
# - Public sets and their codes: `discom/data/sources/`, [data/README.md](../data/README.md); each reader's docstring names its sources.
# - Code and tests: `discom/data/scenes/`, `multimodal.py`, `splitting.py`, `normalize.py`, `batches.py`, `prepared.py`; each has `tests/data/test_<module>.py`.
# - Data and text: this repository, MIT licence.

# %%
home.cleanup()
finish()
