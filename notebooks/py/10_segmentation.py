# %% [markdown]
# # 10 · Which pixels does a network lose when a sensor is missing?
#
# You train segmentation networks on two sensors, use them with one, find the pixels they lose, and put CroDiNo-KD's claims beside tables with intervals.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/10_segmentation.ipynb)
# · [solutions](solutions/py/10_segmentation.py) · [the losses in the package](../discom/losses/crossing.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** what a missing sensor costs at most · **write** CroDiNo-KD's terms by hand · **locate** a network's errors and name their cause · **judge** a claim of transfer by paired intervals |
# | Prerequisites | [03 training](03_training.ipynb) (`fit`, paired seeds), [04 teachers](04_teacher_and_student.ipynb) (soft labels); what a U-Net is |
# | Time | two to four minutes on two CPU cores, most of them in four live runs; the last cell prints the seconds of this run; a GPU is used where there is one, and was not timed |
# | Memory, disk | 3 GB of memory, 20 MB of disk |
# | Data, licence | `scenes-dense`, drawn here from known factors, and finished runs from [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## What is asked?
#
# **Segmentation** gives every pixel a class. Two sensors are there in training, one at use: can the other still leave something behind? CroDiNo-KD (Ferrod et al., 2025) trains the networks of both sensors side by side, without a teacher:
#
# ```text
# RGB image   ─► encoder ─► inv │ spec ─► decoder ─► mask     kept: works alone
#                 inv of one + spec of the other ─► auxiliary decoder ─► mask
# depth image ─► encoder ─► inv │ spec ─► decoder ─► mask     kept: works alone
# ```
#
# Only its README was at hand. *It states*: two single-modality encoder–decoders and an auxiliary decoder, trained jointly; invariant and specific features (disentanglement); contrastive learning; decoupled augmentation; mIoU on three data sets; 43 % less training time. *All else here is our design*: what is split, which pairs are contrasted, weights, networks. A result below speaks of our version, not of the paper.

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
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from scipy import ndimage
from torch.nn import functional as F

from discom import data as sets, fit, methods, models, plots, runs as stored, tables
from discom.config import profile as settings
from discom.data.augmentation import motion_table, restore, turn
from discom.data.scenes import drawing
from discom.evaluation.scores import class_iou, dense_scores, mean_iou
from discom.losses import crossing
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
# drawn scenes, or after a colon arguments such as n and size; the dense ones are taken
data = "scenes"
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of split, weights and batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data, and is it in order?
#
# Four objects on a background; nearer ones hide farther ones. A pixel's class is background or the object's material: wood, metal, stone. RGB shows it as a texture, depth as a relief (and has holes, value 0); an outline tells nothing. Split by scene, 5 : 1 : 4; scaling comes from the training part; pixels have no unit; 255 in a mask means "no label".

# %%
whole = sets.load(data.replace("scenes", "scenes-dense", 1))
split = whole.split(seed=seed)
test, sensors, classes = split.test, list(whole.modalities), whole.classes
C, truth = len(classes), np.asarray(test.masks)  # [N, H, W]
display(
    pd.DataFrame(
        {
            part: {
                **{s: f"{m.x.shape} {m.x.dtype}" for s, m in held.modalities.items()},
                "masks": f"{held.masks.shape} {held.masks.dtype}",
            }
            for part, held in split._asdict().items()
        }
    )
)
shares = {
    part: np.bincount(np.ravel(held.masks), minlength=C)[:C] / held.masks.size
    for part, held in split._asdict().items()
}
display(
    pd.DataFrame({part: 100 * share for part, share in shares.items()}, classes)
    .round(1)
    .rename_axis("% of the pixels")
)
figure = plots.pairs(split.train, rows=range(5))

# %%
ids = [set(part.ids.tolist()) for part in split]
check(
    "no scene is in two parts", sum(map(len, ids)) == len(set.union(*ids)) == len(whole)
)
check(
    "every class is in every part", all((share > 0).all() for share in shares.values())
)
check(
    "row i of both sensors and of the masks is the same scene",
    all(
        (m.ids == part.ids).all() and len(part.masks) == len(part)
        for part in split
        for m in part.modalities.values()
    ),
)
check(
    "scaled pixels lie in [0, 1]",
    all(
        0 <= part.images(s).min() <= part.images(s).max() <= 1
        for part in split
        for s in sensors
    ),
)

# %% [markdown]
# *Figure: five scenes, a column each, titled by the most frequent class; RGB, depth, class of every pixel.* **Take-away:** outlines are clear in both; materials take looking.
#
# ## What can one sensor know at best?
#
# RGB shows wood as metal and metal as wood with probability ε = 0.3; depth does so with metal and stone (δ = 0.3). Bayes' rule names the likeliest material for a cue $t$:
#
# $$
# \hat k(t) = \arg\max_k P(k \mid t), \qquad \mathrm{mIoU}_{best} = \tfrac14 \left(1 + 2\,\frac{1 - e}{1 + e} + 1\right), \quad e = \min(\varepsilon, 1 - \varepsilon)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $t$ | `cue` | texture, relief, or both as one number |
# | $\hat k$ | `rule` | material for each cue |
# | $e$ | in `ceilings` | each of the two confused materials keeps $1 - e$, loses $e$, gains $e$ |
#
# **Predict first:** which sensor alone can be sure of which material? And both together?

# %%
f = sets.scenes.dense(20_000, size=8, seed=2).factors  # many objects, tiny images
material, texture, relief = (
    np.concatenate([f[f"{name}_{k}"] for k in range(1, 5)])
    for name in ("material", "texture", "relief")
)
best, found = sets.scenes.ceilings(), {}
for network, cue in {
    "rgb": texture,
    "depth": relief,
    "rgb+depth": 3 * texture + relief,
}.items():
    rule = pd.crosstab(cue, material).idxmax(axis=1)  # cue → likeliest material
    said = rule[cue].to_numpy()
    # row the material, column the answer
    confused = pd.crosstab(material, said).to_numpy()
    hits, iou = (
        confused.diagonal(),
        confused.diagonal() / (confused.sum(0) + confused.sum(1) - confused.diagonal()),
    )
    found[network] = dict(
        zip(drawing.MATERIALS, hits / confused.sum(1), strict=True)
    ) | {"miou": (1 + iou.sum()) / 4}
display(pd.DataFrame(found).T.round(3).rename_axis("80 000 drawn objects"))
check(
    "rule and closed form agree within 1 point, for every network and material",
    all(abs(found[n][k] - best[n][k]) < 0.01 for n in best for k in best[n]),
)
check(
    "by hand: (1 + 2 · 0.7/1.3 + 1) / 4 = 0.7692",
    np.isclose(best["rgb"]["miou"], 0.7692, atol=1e-4),
)

# %% [markdown]
# **Reading.** Each sensor is sure of one material that the other confuses. So the teacher's ceiling is 1, but no training trick lifts a one-sensor network above its own: at use the information is gone. What transfer can do is bring it *closer* to that ceiling.
#
# **Write down before going on:** the mIoU that you expect of RGB alone, of depth alone, of both; and whether CroDiNo-KD's RGB network will beat RGB alone.
#
# ## CroDiNo-KD in the open: halves of a signed map
#
# Our design: an encoder's every map $m$ is split by channels.
#
# $$
# m = [\,inv \,\|\, spec\,], \qquad \cos(a, b) = \frac{a \cdot b}{\|a\|\,\|b\|}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $m$ | `m` | [B, 2D, h, w] | a map; signed at the coarsest scale |
# | $inv, spec$ | `inv`, `spec` | [B, D, h, w] | invariant and specific half |
#
# **Predict first:** after a ReLU, can two halves point away from each other?

# %%
m = torch.tensor([1.0, -2, -1, 2]).view(1, 4, 1, 1)  # one place, 2D = 4 channels
inv, spec = m[:, :2], m[:, 2:]
check(
    "by hand: halves (1, −2) and (−1, 2), as the package cuts them",
    all(map(torch.equal, (inv, spec), crossing.halves(m))),
)
check(
    "their cosine is (−1 − 4) / (√5 √5) = −1, and 0 after a ReLU",
    np.allclose(
        [F.cosine_similarity(*crossing.halves(z)).item() for z in (m, m.relu())],
        [-1, 0],
    ),
)
torch.manual_seed(seed)
many = torch.randn(2, 10_000, 8)
low = [F.cosine_similarity(*z, dim=1).min().item() for z in (many, many.relu())]
print(
    f"smallest cosine of 10 000 random pairs: signed {low[0]:.2f}, after a ReLU"
    f" {low[1]:.2f}"
)
check("after a ReLU no cosine is negative", low[1] >= 0 > low[0])
maps = models.network(3, C).encode(torch.randn(2, 3, 64, 64))
print(
    "our encoder's maps and smallest values:",
    [(tuple(z.shape[1:]), round(z.min().item(), 2)) for z in maps],
)
check(
    "only the coarsest map is signed: there the terms below are taken",
    [z.min().item() < 0 for z in maps] == [False, False, True],
)

# %% [markdown]
# ## Decoupled augmentation: how do moved maps meet again?
#
# Each sensor's image is flipped and turned on its own, with its mask. Two maps can only be compared once both motions are undone. A motion is a table of source pixels $\pi$, and its inverse is the sorting order:
#
# $$
# \text{moved}_p = x_{\pi(p)}, \qquad x_q = \text{moved}_{\pi^{-1}(q)}, \quad \pi^{-1} = \mathrm{argsort}(\pi)
# $$
#
# | symbol | in code | shape |
# |---|---|---|
# | $\pi$ | `table` | [h·w] |
#
# **Predict first:** for a quarter turn of 2×2 pixels, is π its own inverse?

# %%
# motion 1: a quarter turn
table, x = motion_table(2, 2)[1], torch.tensor([10.0, 20, 30, 40])
moved = x[table]
print(
    "table",
    table.tolist(),
    "argsort",
    table.argsort().tolist(),
    "moved",
    moved.tolist(),
)
check(
    "argsort undoes the quarter turn; the same table once more does not",
    torch.equal(moved[table.argsort()], x) and not torch.equal(moved[table], x),
)
# all eight motions
x, views = torch.randn(8, 4, 16, 16, requires_grad=True), torch.arange(8)
back, weight = restore(turn(x, views), views), torch.randn(8, 4, 16, 16)
(gradient,) = torch.autograd.grad((back * weight).sum(), x)
check(
    "the package undoes all eight, exactly, in value and gradient",
    torch.equal(back, x) and torch.equal(gradient, weight),
)
# a kernel that no motion changes, in a convolution of stride 2, the usual way to halve
# a map
blur = torch.ones(4, 1, 3, 3)
shrink = {
    "pooling": lambda z: F.max_pool2d(z, 2),
    "strided convolution": lambda z: F.conv2d(z, blur, stride=2, padding=1, groups=4),
}
shift = {
    name: (restore(small(turn(x, views)), views) - small(x)).abs().max().item()
    for name, small in shrink.items()
}
print({name: round(error, 2) for name, error in shift.items()})
check(
    "cells of pooled maps go home; those of padded strided convolutions have shifted",
    shift["pooling"] == 0 < shift["strided convolution"],
)

# %% [markdown]
# So our encoder pools. Without a motion of its own for each sensor, *where* a place lies would give the contrastive task away.
#
# ## The contrastive term, for four places by hand
#
# A place in one sensor shall be more like itself in the other than like other places (InfoNCE; pairs are ours):
#
# $$
# L_{con} = -\frac{1}{2P} \sum_p \left[\log \frac{e^{a_p \cdot b_p / \tau}}{\sum_{q \in N_p} e^{a_p \cdot b_q / \tau}} + \log \frac{e^{b_p \cdot a_p / \tau}}{\sum_{q \in N_p} e^{b_p \cdot a_q / \tau}}\right]
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $a, b$ | `a`, `b` | [P, D] | invariant halves at P places, length 1 |
# | $\tau$ | `tau` | > 0 | temperature |
# | $N_p$ | `~alike` | [P, P] | p and the places of another class |
#
# **Predict first:** four places, each like itself and orthogonal to the rest, and τ with $e^{1/\tau} = 3$: what is the loss? And if places 1 and 2, and 3 and 4, share a class?

# %%
def by_hand(a, b, labels, tau):
    likeness = a @ b.T / tau  # [P, P]
    alike = (
        (labels[:, None] == labels)
        & (labels != 255)[:, None]
        & ~torch.eye(len(a), dtype=torch.bool)
    )
    likeness = likeness.masked_fill(alike, -torch.inf)
    return (
        -(
            likeness.log_softmax(1).diagonal() + likeness.T.log_softmax(1).diagonal()
        ).mean()
        / 2
    )


def package(a, b, labels, tau):  # places as a map [1, D, 1, P]
    return crossing.place_contrast(
        a.T[None, :, None], b.T[None, :, None], labels[None, None], tau
    )


tau, a = 1 / np.log(3), torch.eye(4, dtype=torch.float64)
one, two, none = torch.tensor([[0, 1, 2, 3], [0, 0, 1, 1], [255] * 4])
hand = {
    "3/(3 + 1 + 1 + 1): log 2": (one, np.log(2)),
    "3/(3 + 1 + 1): log 5/3": (two, np.log(5 / 3)),
    "no label, all are negatives: log 2": (none, np.log(2)),
}
for what, (labels, value) in hand.items():
    check(
        what,
        np.allclose([by_hand(a, a, labels, tau), package(a, a, labels, tau)], value),
    )
a, b = (F.normalize(torch.randn(4, 6, dtype=torch.float64), dim=1) for _ in range(2))
check(
    "random places: hand and package agree",
    torch.isclose(by_hand(a, b, two, 0.1), package(a, b, two, 0.1)),
)
check(
    "nothing to tell apart costs log 4",
    np.isclose(package(0 * a, 0 * b, one, 0.1).item(), np.log(4)),
)

# %% [markdown]
# ## The separation term, and what the auxiliary decoder reads
#
# Halves shall not be correlated over places. And the auxiliary decoder is given $inv$ of one sensor and $spec$ of the other, so it can only work if the two halves add up (both ours):
#
# $$
# L_\perp = \sum_m \frac{1}{D^2} \sum_{i,j} \mathrm{corr}_p(inv_{m,i},\, spec_{m,j})^2, \qquad aux = \mathrm{decoder}([\,inv_m \,\|\, spec_{m'}\,])
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\mathrm{corr}_p$ | `np.corrcoef` | over all places of the batch |
# | $m, m'$ | row of the batch | even rows RGB's inv and depth's spec, odd rows the other way |
#
# **Predict first:** is spec = inv² a good specific half in the eyes of this term?

# %%
def separation(inv, spec):  # one channel each, four places
    return crossing.place_separation(
        {"rgb": torch.tensor([inv, spec]).view(1, 2, 2, 2)}
    ).item()


inv = [-2.0, -1, 1, 2]
for what, spec, value in (
    ("a line of inv: 1", [4.0, 2, -2, -4], 1),
    ("spec = inv²: 0, though all of it follows from inv", [4.0, 1, 1, 4], 0),
    ("(0, 0, 1, 1): 0.9", [0.0, 0, 1, 1], 0.9),
):
    check(
        what,
        np.allclose(
            [np.corrcoef(inv, spec)[0, 1] ** 2, separation(inv, spec)], value, atol=1e-6
        ),
    )
named = {
    "rgb": [torch.tensor([1.0, 2]).view(1, 2, 1, 1).expand(2, 2, 1, 1)],
    "depth": [torch.tensor([3.0, 4]).view(1, 2, 1, 1).expand(2, 2, 1, 1)],
}
# RGB's inv is 1 and its spec 2, depth's 3 and 4
(mixed,) = crossing.cross_halves(named)
check(
    "row 0 reads (inv RGB, spec depth) = (1, 4), row 1 (inv depth, spec RGB) = (3, 2)",
    mixed.flatten(1).tolist() == [[1, 4], [3, 2]],
)

# %% [markdown]
# **Reading.** No correlation is not independence: the term is blind to a square.
#
# ## Same budget: what does each method train?
#
# $$
# L = \sum_m CE_m + 0.3\, L_{aux} + 0.05\, L_\perp + 0.02\, L_{con}
# $$
#
# Data, split, epochs, batches, augmentation, optimiser and choice of the epoch (validation) are the same for all. `single` is the network alone, the baseline; `single-2x` twice of it; the `dense-teacher` reads both sensors, a reference and no bound, since a training can fail (the bounds are the ceilings above); `dense-kdv2` students have its soft labels besides. **Predict first:** what does an untrained network's cross-entropy come to, with four classes?

# %%
config = settings(profile, dense=True, seed=seed)


def size(name, network=None):
    model = methods.build(methods.get(name), split.train, config)
    return sum(
        p.numel() for p in (model.branch(network) if network else model).parameters()
    )


arms = {
    "single": ["single"],
    "single-2x": ["single-2x"],
    "dense-kdv2": ["dense-kdv2", "dense-teacher"],
    "crodino": ["crodino"],
}
sizes = {
    name: {
        f"parameters at use, {sensors[0]}": size(name, sensors[0]),
        "parameters trained": sum(map(size, parts)),
    }
    for name, parts in arms.items()
}
display(pd.DataFrame(sizes).T)
trained = {name: row["parameters trained"] for name, row in sizes.items()}
saved = 100 * (1 - trained["crodino"] / trained["dense-kdv2"])
print(
    f"crodino trains {saved:.0f} % fewer parameters than teacher and students;"
    " the README says fewer, without a figure"
)
check(
    "a crodino or kdv2 branch has the size of single",
    len({size(name, sensors[0]) for name in ("single", "dense-kdv2", "crodino")}) == 1,
)
model = methods.build(methods.CroDiNoKD, split.train, config)
batch = next(
    sets.Batches(split.train, 8, seed, pairing="paired", augment=1.0, dense=True).epoch(
        0
    )
)
terms = model.loss(batch)
print(
    {name: round(value.item(), 3) for name, value in terms.items()},
    "· weights",
    model.weights,
)
check(
    "untrained: cl near 2 log 4, aux near log 4, within a half",
    all(
        abs(terms[t].item() / (k * np.log(C)) - 1) < 1 / 2
        for t, k in {"cl": 2, "aux": 1}.items()
    ),
)
moved = {s: restore(batch.y[s][:, None], batch.views[s]) for s in sensors}
check(
    "motions differ, yet masks meet once both are undone",
    not torch.equal(*batch.views.values()) and torch.equal(*moved.values()),
)

# %% [markdown]
# ## Four live runs: how close does each come to its ceiling?
#
# The epoch kept is the best on validation; the test part is read once per run. Take out the prediction that you wrote down.

# %%
def train(method, **options):
    """The run of a method on this split, trained unless `runs` has it; a taught one
    finds its teacher's run."""
    run = stored.Run.of(runs, method, whole, replace(config, options=options))
    return fit(
        method,
        split,
        run.config,
        run.folder,
        teacher=run.teacher_folder,
        progress=False,
    ), run.folder


live = {
    method.name: train(method)
    for method in (
        methods.DenseTeacher,
        methods.Single,
        methods.DenseKDv2,
        methods.CroDiNoKD,
    )
}
figure = plots.curves(
    {
        name: stored.read_metrics(folder / "metrics.csv")
        for name, (_, folder) in live.items()
    }
)
score = pd.DataFrame({name: result.main for name, (result, _) in live.items()}).T
score.loc["best possible"] = {
    network: 100 * held["miou"] for network, held in best.items()
}
display(
    score.round(1).assign(
        seconds=pd.Series(
            {name: round(result.seconds) for name, (result, _) in live.items()}
        )
    )
)
check(
    "the kept epoch is the best on validation",
    all(
        held["valid_miou"]
        == stored.read_metrics(folder / "metrics.csv")[f"valid_miou/{network}"].max()
        for result, folder in live.values()
        for network, held in result.scores.items()
    ),
)
seconds = {name: result.seconds for name, (result, _) in live.items()}
print(
    f"test mIoU in %, one seed, {config.epochs} epochs; a mask of background alone"
    f" has {100 * (truth == 0).mean() / 4:.1f}"
)
print(
    "crodino took"
    f" {seconds['crodino'] / (seconds['dense-teacher'] + seconds['dense-kdv2']):.2f}"
    " of the seconds of teacher and kdv2 students, in this run"
)

# %% [markdown]
# *Figure: training loss (the scales differ, since the losses do) and validation mIoU of each network.* **Take-away:** compare each column with its last row, its ceiling, first, and methods second: one seed ranks nothing, and the ratio of seconds, one run each, still less. In `crodino` the column of both sensors is the auxiliary decoder.
#
# ## Where does each network fail, and why?
#
# The factors tell, pixel by pixel, what a perfect reader of one sensor would say: texture or relief of the object in front. Such a reader errs exactly where its cue lies. **Predict first:** of which class will the RGB network's confusions be, and of which the depth network's?

# %%
n, height = len(test), truth.shape[1]
owner = np.zeros(truth.shape, int)  # the object in front, 0 for none
for k in range(1, 5):
    thing = {
        name: test.factors[f"{name}_{k}"]
        for name in ("shape", "centre_x", "centre_y", "rotation", "scale")
    }
    owner[drawing.geometry(thing, height)["mask"] > 0.5] = k


def seen(name):
    """1 + the factor of the object in front, 0 on the background, [N, H, W]."""
    values = np.stack(
        [np.zeros(n, int), *(1 + test.factors[f"{name}_{k}"] for k in range(1, 5))], 1
    )
    return np.take_along_axis(values, owner.reshape(n, -1), 1).reshape(truth.shape)


reader = {"rgb": seen("texture"), "depth": seen("relief")}
check(
    "outlines and materials rebuilt from the factors are the masks, to the pixel",
    (seen("material") == truth).all(),
)
# flat is wood, rings are stone
both = np.where(
    reader["depth"] == 1, 1, np.where(reader["rgb"] == 3, 3, 2 * (owner > 0))
)
check("both cues together name every pixel", (both == truth).all())
ideal = {
    s: mean_iou(torch.tensor(reader[s]), torch.tensor(truth).long(), C).item()
    for s in sensors
}
over = {
    f"{name} {s}": result.main[s] - ideal[s]
    for name, (result, _) in live.items()
    for s in sensors
    if s in result.main
}
check(
    "no one-sensor network is above its perfect reader by more than 2 points",
    max(over.values()) < 2,
)
print(
    "perfect readers of one sensor on these scenes, mIoU:",
    {s: round(v, 1) for s, v in ideal.items()},
    f"closed form {100 * best['rgb']['miou']:.1f}",
)

# %%
said = {}
for name, (_, folder) in live.items():
    held = stored.read_predictions(folder / "predictions.npz")
    said |= {
        f"{name} {network}": held[f"{network}_predicted"]
        for network in (*sensors, "+".join(sensors))
        if f"{network}_predicted" in held
    }
    check(
        f"{name}: stored labels are the test masks",
        all((held[key] == truth).all() for key in held if key.endswith("_labels")),
    )
lies = {s: reader[s] != truth for s in sensors}
share = {s: lies[s].mean((1, 2)) for s in sensors}
# chosen by the factors, not by the networks
rows = [
    share["rgb"].argmax(),
    share["depth"].argmax(),
    (share["rgb"] + share["depth"]).argmin(),
]
short = {
    "crodino rgb": "rgb",
    "crodino depth": "depth",
    "crodino rgb+depth": "auxiliary",
    "dense-teacher rgb+depth": "teacher",
}
shown = {
    "ideal rgb": reader["rgb"],
    **{alias: said[name] for name, alias in short.items()},
}
figure = plots.predictions(
    {s: test.images(s, rows) for s in sensors},
    truth[rows],
    {name: mask[rows] for name, mask in shown.items()},
    classes,
    ["texture lies most", "relief lies most", "least lies"],
)

# %% [markdown]
# *Figure: three test scenes; beside the truth, prediction and errors (black) of a perfect RGB reader ("ideal"), of CroDiNo-KD's RGB and depth networks, of its auxiliary decoder and of the teacher.* **How to read it.** Look for objects that are black for a network and for the ideal reader of its sensor: there the cue lies. Thin black lines are outlines. The next table counts it.

# %%
confused = {
    name: mask
    for name, mask in {
        "perfect rgb": reader["rgb"],
        "crodino rgb": said["crodino rgb"],
        "perfect depth": reader["depth"],
        "crodino depth": said["crodino depth"],
    }.items()
}
figure = plots.pixel_confusions(confused, truth, classes)
# two classes within 2 pixels; objects without their outlines
window = (1, 5, 5)
outline = ndimage.maximum_filter(truth, window) > ndimage.minimum_filter(truth, window)
inside = (owner > 0) & ~outline
rows = {}
for name, mask in said.items():
    method, network = name.split()
    lying = lies[network] if network in lies else lies["rgb"] | lies["depth"]
    wrong, where = (
        (mask != truth) & inside,
        {"cue true": inside & ~lying, "cue lies": inside & lying},
    )
    rows[name] = {
        f"wrong, {what} (%)": 100 * wrong[place].mean() for what, place in where.items()
    }
    if network in lies:
        rows[name]["of these it names what the cue says (%)"] = (
            100 * (mask == reader[network])[wrong & lying].mean()
        )
    rows[name] |= {
        f"IoU {label}": v
        for label, v in zip(
            classes,
            class_iou(
                torch.tensor(mask).long(), torch.tensor(truth).long(), C
            ).tolist(),
            strict=True,
        )
    }
display(pd.DataFrame(rows).T.round(1))
for s in sensors:
    row, line = rows[f"crodino {s}"], 100 * lies[s][inside].mean()
    errors = (said[f"crodino {s}"] != truth) & inside
    lying_share = 100 * (errors & lies[s]).sum() / errors.sum()
    print(
        f"crodino {s}: the cue lies in {line:.1f} % of these pixels, which hold"
        f" {lying_share:.0f} % of its errors;"
        f" wrong {row['wrong, cue lies (%)']:.0f} % there and"
        f" {row['wrong, cue true (%)']:.0f} % elsewhere"
    )
check(
    "a perfect one-sensor reader errs where its cue lies and nowhere else, so never"
    " in the third material",
    all(
        ((reader[s] != truth) == lies[s]).all() and not lies[s][truth == k].any()
        for s, k in (("rgb", 3), ("depth", 1))
    ),
)

# %% [markdown]
# *Figure: what the pixels of each class are taken for, in percent; perfect readers beside trained networks.* **How to read it.** If a network's numbers between two materials are those of the perfect reader, it is at its sensor's limit there; what it confuses *beyond* that is for training to mend, and only that can be transferred. The teacher and the auxiliary decoder have no such limit: errors in their "cue lies" column were avoidable.
#
# And the outlines? **Predict first:** is the error near a boundary the missing sensor's fault?

# %%
right = {name: mask == truth for name, mask in said.items()}
near = 100 * pd.DataFrame(
    {
        "near": {name: pixels[outline].mean() for name, pixels in right.items()},
        "away": {name: pixels[~outline].mean() for name, pixels in right.items()},
    }
)
axis = near.plot.barh(
    color=["white", "0.5"],
    edgecolor="black",
    figsize=(8.5, 4),
    xlabel="right pixels (%)",
)
axis.invert_yaxis()
axis.legend(
    ["within 2 pixels of a boundary", "away"],
    frameon=False,
    loc="upper left",
    bbox_to_anchor=(1, 1),
)
print(
    f"near a boundary all are worse than away: {(near['near'] < near['away']).all()};"
    f" from the best to the worst network {np.ptp(near['near']):.1f} points near,"
    f" {np.ptp(near['away']):.1f} away"
)

# %% [markdown]
# *Figure: accuracy near a boundary and away from it.* **Take-away:** both sensors show the outlines, so errors near one also come from maps at half size. The last line tells how networks differ near and away.
#
# ## Which mIoU? Two tiny images by hand
#
# $$
# IoU_c = \frac{TP_c}{TP_c + FP_c + FN_c}, \qquad \mathrm{mIoU} = \text{mean over the classes that are present}
# $$
#
# *Pooled* (ours, and usual): counts over all images, then the ratio. *Per image*: a ratio for each, then the mean. Pixels of 255 count nowhere. **Predict first:** class 2 is in no mask, and is predicted once, on a 255. Its IoU?

# %%
t = torch.tensor([[[0, 0, 0], [0, 1, 255]], [[1, 1, 1], [1, 1, 1]]])
p = torch.tensor([[[0, 0, 0], [1, 1, 2]], [[1, 1, 1], [1, 1, 0]]])
check(
    "pooled: class 0 has 3/(3+1+1) = 60, class 1 has 6/(6+1+1) = 75, class 2 none",
    np.allclose(class_iou(p, t, 3), [60, 75, np.nan], equal_nan=True),
)
check("so pooled mIoU is 67.5", np.isclose(mean_iou(p, t, 3), 67.5))
check(
    "per image: (3/4 + 1/2)/2 and 5/6, their mean 72.9",
    np.isclose(dense_scores(p, t, "abc")["miou_per_image"], 100 * (0.625 + 5 / 6) / 2),
)
print(
    f"an absent class counted as 0 would give {(60 + 75 + 0) / 3:.1f}: never compare"
    " scores of different conventions"
)
result = live["crodino"][0].scores
display(
    pd.DataFrame(
        {
            network: {k: held[k] for k in ("miou", "miou_per_image", "accuracy")}
            for network, held in result.items()
        }
    ).round(1)
)
by_us = mean_iou(
    torch.tensor(said["crodino rgb"]).long(), torch.tensor(truth).long(), C
).item()
check(
    "the live run's mIoU is pooled, from its stored masks",
    np.isclose(by_us, result["rgb"]["miou"], atol=1e-3),
)

# %% [markdown]
# ## The claims, with several seeds
#
# *The README's figures*, as printed, mIoU without a spread; then *ours*, finished runs from [results/](../results): every method of the package, same scenes, split by seed. Δ is the row minus a baseline, paired by seed, with its 95 % Student-t interval; `time` is all training that a method needs, its teacher's too, over that of `dense-kdv2`. To make it again: `discom table dense --data scenes-dense --profile cpu`. **Predict first:** which of the README's margins would survive a spread of half a point?

# %%
stored_at = Path("../results/dense")
published = [
    ("NYUDepth", "RGB", 42.64, 43.86, 44.85),
    ("NYUDepth", "depth", 36.01, 37.28, 37.60),
    ("Potsdam", "RGB", 75.73, 76.09, 76.13),
    ("Potsdam", "depth", 42.47, 42.43, 42.78),
    ("Mid-Air", "RGB", 47.84, 48.32, 48.37),
    ("Mid-Air", "depth", 47.07, 47.40, 47.91),
]
readme = pd.DataFrame(
    published, columns=["data", "sensor", "single", "best competitor", "CroDiNo-KD"]
)
for other in ("single", "best competitor"):
    readme[f"− {other}"] = (readme["CroDiNo-KD"] - readme[other]).round(2)
display(readme)
print(
    f"its margins: {readme['− single'].min():+.2f} to {readme['− single'].max():+.2f}"
    f" on single, {readme['− best competitor'].min():+.2f} to"
    f" {readme['− best competitor'].max():+.2f} on the best competitor; hours: 20"
    f" against 36 is {100 * (1 - 20 / 36):.0f} % less"
)
check("by hand: 44.85 − 42.64 = 2.21", readme.loc[0, "− single"] == 2.21)
held = {
    name: tables.load_results(stored_at / f"scenes-{name}.json")
    for name in ("table-dense", "table-crodino", "labelled")
}
table = tables.paper_table(held["table-dense"], "dense")
check(
    "the intervals' mean is the mean of the seeds' differences",
    np.isclose(
        table.query("method == 'crodino' and modality == 'rgb'")["vs single"].item(),
        np.mean(
            [
                ours.main["rgb"] - theirs.main["rgb"]
                for ours in held["table-dense"]
                for theirs in held["table-dense"]
                if (ours.method, theirs.method) == ("crodino", "single")
                and ours.seed == theirs.seed
            ]
        ),
    ),
)
Markdown(tables.to_markdown(table, tables.baselines("dense")))

# %%
def verdicts(table, baseline, methods=None, all_lines=True):
    """A line for each interval against a baseline (or for those that leave zero),
    and how many leave zero."""
    rows = table[
        table[f"vs {baseline} low"].notna()
        & (table["method"].isin(methods) if methods else True)
    ]
    low, high = rows[f"vs {baseline} low"], rows[f"vs {baseline} high"]
    for r, d, a, b in zip(
        rows.itertuples(), rows[f"vs {baseline}"], low, high, strict=True
    ):
        if all_lines or a > 0 or b < 0:
            print(
                f"  {r.modality}: {r.method} − {baseline} {d:+.1f} [{a:+.1f},"
                f" {b:+.1f}], n = {r.n}:"
                f" {'a gain' if a > 0 else 'a loss' if b < 0 else 'within noise'}"
            )
    print(
        f"of {len(rows)} intervals against {baseline}, {(low > 0).sum()} lie above"
        f" zero and {(high < 0).sum()} below; between equals about"
        f" {0.05 * len(rows):.1f} would by luck"
    )


figure = plots.intervals(table, ("single", "single-2x", "dense-kdv2"))
for baseline in ("single", "single-2x", "dense-kdv2"):
    verdicts(table, baseline, ["crodino"])
taught = ["dense-kdv2", "kdnet", "protokd", "maskd"]
print("students of a teacher:")
verdicts(table, "single", taught, all_lines=False)
print("auxiliary decoder against the teacher:")
verdicts(table, "dense-teacher")

# %%
each = pd.DataFrame(
    [(r.method, s, r.seed, v) for r in held["table-dense"] for s, v in r.main.items()],
    columns=["method", "network", "seed", "mIoU"],
)
wide = each.pivot(index=["network", "seed"], columns="method", values="mIoU")
display(
    wide[["single", "single-2x", "dense-kdv2", "crodino", "dense-teacher"]]
    .round(1)
    .unstack("seed")
    .stack("method", future_stack=True)
    .dropna(how="all")
)
for s in sensors:
    rival = wide.loc[s, taught].mean().idxmax()
    pair = wide.loc[s, ["crodino", rival]].dropna()
    mean, low, high = tables.paired_difference(pair["crodino"], pair[rival])
    print(
        f"{s}: crodino − {rival}, of {len(taught)} kinds of students the one with the"
        f" best test mean (a choice that favours it): {mean:+.1f} [{low:+.1f},"
        f" {high:+.1f}], n = {len(pair)}"
    )
cost = table[table["method"] == "crodino"].iloc[0]
print(
    f"training time: {100 * (1 - cost['time']):.0f} % less than teacher and kdv2"
    f" students [{100 * (1 - cost['time high']):.0f},"
    f" {100 * (1 - cost['time low']):.0f}]; the README says 43 %"
)

# %% [markdown]
# *Figure: mIoU of every method minus that of three baselines, RGB left, depth right; markers are means with 95 % intervals, mean mIoU at the right.* **How to read it.** First claim (better one-sensor networks): the `crodino − single` lines, and `− dense-kdv2` for "better than distillation", with the best competitor in the last cell; `− single-2x` asks whether a second network of the same sensor buys more. Second claim (time): the last line; seconds of shared machines are noisy. The lines against `dense-teacher` ask what the auxiliary decoder, trained along, is worth against a teacher. The seeds' table shows where the spread comes from: methods that fall together at one seed share its split and first weights, and pairing takes that out; one that falls or escapes alone makes an interval wide.
#
# **Verdict, for these five seeds.** No method gains over `single` with an interval above zero: crodino − single is −1.1 [−2.4, +0.2] in RGB and +0.4 [−0.9, +1.7] in depth, though depth stays some 20 points below its ceiling, so there was room. The auxiliary decoder fuses as well as the teacher, 80.1 against 77.0. At seed 1 the teacher missed RGB's textures (57.9), and KDv2's RGB student, which copies it and began with the same first weights, fell to 38.6: the wide rows are that one seed, an accident that a method without a teacher cannot inherit. The column `time` says .84, from a machine that other work shared; [measured alone](../results/dense/time.json) it is .79 [.79, .80] of teacher and students, where 20 of 36 hours would be .56. On [real tiles](../results/dense/hls-table-dense.md) of land cover (six runs, split by place) nothing is gained either: crodino − single +0.2 [−7.7, +8.0] in RGB, −2.1 [−5.2, +0.9] in elevation.
#
# ## Which of the four ideas does the work?
#
# Each is switched off (or augmentation coupled, or soft labels from the auxiliary decoder added); the rows minus `crodino`, paired. **Predict first:** for which row will the auxiliary decoder's column lose most?

# %%
ablation = tables.paper_table(held["table-crodino"], "crodino")
verdicts(ablation, "crodino", all_lines=False)
Markdown(tables.to_markdown(ablation, tables.baselines("crodino")))

# %% [markdown]
# **Reading.** A row whose interval holds zero shows no effect at this n; it does not show that there is none. What is removed may have a stand-in ([05](05_ablations.ipynb)). Here no removal is a loss; soft labels from an auxiliary decoder that is still learning are one (depth −4.2 [−7.4, −0.9]).
#
# ## Where might something cross over?
#
# If both sensors' networks learn well alone, there is little to bring. So training is made harder, and at test nothing changes: only a tenth of the training images have a mask (`labelled=0.1`), the others are pairs without labels. `soft=0.5` lets each branch learn the auxiliary decoder's answer as well, also where there is no mask. **Predict first:** for which sensor will an interval leave zero?

# %%
few = tables.summary(held["labelled"], ("single",))
figure = plots.intervals(few, ("single",))
verdicts(few, "single")
Markdown(tables.to_markdown(few, ("single",)))

# %% [markdown]
# *Figure: mIoU of a method minus mIoU of `single` with a tenth of the masks, paired, n = 3, RGB left, depth right; markers are means with 95 % intervals.* **Take-away:** no interval lies above zero. CroDiNo-KD is ahead in RGB by +2.8 [−4.0, +9.6], and by +3.8 [−2.7, +10.3] with `soft=0.5`; three seeds cannot tell that from luck.
#
# ## What you should see, and what would be a bug
#
# Hand values, closed forms and exact motions hold everywhere; stored tables are read from files. In the `cpu` profile expect of the live runs about (mean ± sd of five seeds, RGB / depth) `single` 66.7 ± 1.0 / 56.7 ± 2.3, `crodino` 65.6 ± 1.7 / 57.1 ± 3.0, and of what reads both 80 ± 3; the teacher 81 to 83, or 58 where it misses a cue. Live scores move by points with threads, processor and versions, and by far more where a cue is only just learned or missed. A bug looks different: a one-sensor mIoU above its ceiling by more than a point or two of luck, a masked pixel that changes a score, a motion undone only nearly, a teacher whose "cue lies" column is as bad as RGB's after training, `crodino` slower than teacher plus students.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** RGB's best mIoU (%) if it confuses wood and metal with ε = 0.4, by hand, into `answer_1`. *Hint:* (1 − e)/(1 + e).
# 2. **Change one thing (10 min).** Somebody forgets the argsort and applies each motion a second time. For which of the eight `views` is the result still right? A list of numbers into `answer_2`. *Hint:* `turn(turn(x, views), views)`; which motions are their own inverse?
# 3. **Open (30 min+).** Does anything cross over when half of the images have a mask? Train `single` and `crodino` with the setting `labelled=0.5` and three seeds or more; the differences (crodino − single) of one sensor into `answer_3`. *Hint:* the data are `scenes-dense:seed=0` and so on; then as in *Two cells, live* of [05](05_ablations.ipynb).
#
# Worked answers are [kept apart](solutions/py/10_segmentation.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check(
        "exercise 1",
        np.isclose(answer_1, 100 * sets.scenes.ceilings(0.4)["rgb"]["miou"], atol=0.05),
    )
if answer_2 is not None:
    places = torch.arange(16.0).view(1, 1, 4, 4)
    check(
        "exercise 2",
        sorted(answer_2)
        == [
            v
            for v in range(8)
            if torch.equal(
                turn(turn(places, torch.tensor([v])), torch.tensor([v])), places
            )
        ],
    )
if answer_3 is not None:
    check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())

# %% [markdown]
# ## What was seen
#
# - A missing sensor costs what only it can tell: closed form, Bayes' rule and perfect readers agree (*at best*, *Where does each network fail*).
# - Signed halves, exact motions, InfoNCE over places and correlations, each by hand and in the package (*in the open*).
# - No transfer was seen: CroDiNo-KD's networks stay within noise of the same networks alone, no idea is missed when it is removed, and with few labels no gain is shown (*The claims*, *Which of the four*, *Where might something*). What holds is the fusion by the auxiliary decoder, and a part of the saved time.
#
# **Limitations.** Drawn scenes, a small network, few epochs; our reading of a README; sensors whose errors are independent; differences are not corrected for their number. **Back to:** [07](07_the_papers_tables.ipynb), on what a table can carry.
#
# ## References
#
# - R. Ferrod, C. F. Dantas, L. Di Caro, D. Ienco, *Revisiting Cross-Modal Knowledge Distillation: A Disentanglement Approach for RGBD Semantic Segmentation*, ECML-PKDD 2025, [arXiv 2505.24361](https://arxiv.org/abs/2505.24361); README of [rogerferrod/CroDiNo-KD](https://github.com/rogerferrod/CroDiNo-KD).
# - A. van den Oord et al., *Representation Learning with Contrastive Predictive Coding*, 2018, [arXiv 1807.03748](https://arxiv.org/abs/1807.03748): InfoNCE · O. Ronneberger et al., *U-Net*, MICCAI 2015, [arXiv 1505.04597](https://arxiv.org/abs/1505.04597).
# - Modules: `discom/methods/crodino.py`, `discom/methods/dense.py`, `discom/losses/crossing.py`, `discom/evaluation/scores.py`, `discom/data/scenes/several.py`; tests: `tests/losses/test_crossing.py`. Data and text: this repository, MIT.

# %%
finish()
