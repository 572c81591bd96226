# %% [markdown]
# # 06 · Do z_inv, z_inf and z_irr hold different things?
#
# You ask a trained DisCoM-KD network what its three parts hold: with fresh linear readers, with scores, with pictures, and with terms that pull the parts apart.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/06_what_the_embeddings_hold.ipynb)
# · [solutions](solutions/py/06_what_the_embeddings_hold.py) · [module `discom.evaluation.probing`](../discom/evaluation/probing.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **fit** a linear probe with chance level and control · **tell** a head's silence from absence · **read** SAP, MIG, DCI and CKA · **distrust** a UMAP picture by number · **weigh** separation against accuracy |
# | Prerequisites | [02 model and losses](02_model_and_losses.ipynb) (Eqs 2–7), [03 training](03_training.ipynb) (`fit`, paired seeds); what logistic regression is |
# | Time | two to four minutes on two CPU cores, about half of them for the live run; the last cell prints the seconds of this run; a GPU is used where there is one, and was not timed |
# | Memory, disk | 3 GB of memory, 60 MB of disk |
# | Data, licence | `scenes`, drawn here from known factors, MIT; finished runs from [results/](../results), also on real land-cover patches (RGB and elevation, four classes, split by place; [source and licence](../data/README.md)); nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## What do three names promise?
#
# DisCoM-KD calls its parts modality-**invariant**, **informative** and **irrelevant**, and discards the last. A name is no measurement: what one head did not find may be there for another reader. On drawn data all that varies is known, so we can ask:
#
# ```text
# image ─► network ─► z_inv · z_inf · z_irr ─┬─► a fresh reader per factor: score, chance, control
#                                            ├─► scores of the code: SAP, MIG, DCI; likeness: CKA
#                                            ├─► a picture: UMAP, and how far to trust it
#                                            └─► terms that separate: what do they buy, at what price?
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
import json
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from scipy import spatial, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from discom import (
    data as sets,
    explorer,
    fit,
    methods,
    models,
    plots,
    probing,
    runs as stored,
    tables,
)
from discom.evaluation import inspection, projection
from discom.config import profile as settings
from discom.data.batches import Images
from discom.evaluation.scores import embed
from discom.losses import separate
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # the embedded scenes, or after a colon any argument of scenes.make
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of split, weights, folds and pictures
runs = "runs"  # folder of the run that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data, and is it in order?
#
# One object per scene; its class is (shape, material). Both sensors see the outline; RGB sees the material as a texture, depth as a relief, and either cue is sometimes wrong ([01](01_data_preparation.ipynb)). **Nuisances** are one sensor's alone: illumination and background colour RGB's, tilt and distance (`shift`) of the plane depth's. Split by scene; scaling comes from the training part; pixels have no unit.

# %%
whole = sets.load(data)
split = whole.split(seed=seed)
sensors, C, y = list(whole.modalities), len(whole.classes), split.test.labels
parts = ["inv", "inf", "irr"]
display(
    pd.DataFrame(
        {
            part: {
                name: f"{m.x.shape} {m.x.dtype}" for name, m in held.modalities.items()
            }
            for part, held in split._asdict().items()
        }
    )
)
figure = plots.pairs(split.train)
ids = [part.ids.tolist() for part in split]
check("no scene is in two parts", len(set().union(*ids)) == sum(map(len, ids)))
check(
    "every class is in every part",
    all(len(np.unique(part.labels)) == C for part in split),
)
check(
    "row i of every sensor is the same scene",
    all((m.ids == split.test.ids).all() for m in split.test.modalities.values()),
)
check(
    "scaled pixels lie in [0, 1]",
    all(
        0 <= part.images(name).min() <= part.images(name).max() <= 1
        for part in split
        for name in sensors
    ),
)

# %% [markdown]
# *Figure: one scene per class, RGB over depth; black squares in depth are holes.* **Take-away:** the outline is in both rows, the material in each by another cue.
#
# ## One DisCoM-KD network, trained now
#
# The full loss, every weight 1 (Eq. 7). Each sensor's epoch is chosen on the validation part. **Predict first:** the adversarial term is a cross-entropy over M = 2 sensors, summed over both. Where does it end if the sensors cannot be told apart?

# %%
config = settings(profile, seed=seed)
run = stored.Run.of(runs, methods.get("discom"), whole, config)
print(
    "trained in this cell"
    if not (run.folder / "result.json").exists()
    else "found in the folder of runs, trained before"
)
result = fit("discom", split, config, run.folder, progress=False)
log = stored.read_metrics(run.folder / "metrics.csv")
figure = plots.curves({"discom": log})
for name, score in result.scores.items():
    print(
        f"{name}: test F1 {score['f1']:.1f} at epoch {score['best_epoch']}, chosen by"
        f" validation F1 {score['valid_f1']:.1f}"
    )
    check(
        "the kept epoch is the best on validation",
        score["valid_f1"] == log[f"valid_f1/{name}"].max(),
    )
print(
    f"L_adv in the last epoch {log['adv'].iloc[-1]:.3f}; M log M = {2 * np.log(2):.3f}"
)

# %% [markdown]
# *Figure: training loss, then validation F1 of each sensor, over epochs.* **Take-away:** an L_adv near M log M says that the adversary's own head guesses. Remember it. For the scale: five seeds of this recipe reach 57.8 ± 4.9 in RGB and 61.9 ± 3.0 in depth; under the same budget the `student` alone 48.2 and 59.9, the branch alone (`discom-solo`) 56.0 and 62.1, a teacher of both sensors 57.2 ([all rows](../results/scenes-table2.md)).
#
# ## Is row i of the embedding row i of the data?
#
# Every answer below joins embeddings to factors by row; a loader that shuffles or drops would join strangers, silently. So nothing is shuffled, and some images are embedded again, one by one. Units are scaled by the *training* part:
#
# $$
# \hat z_{id} = \frac{z_{id} - \mu_d}{\sigma_d}, \qquad \mu_d, \sigma_d \ \text{over the training part}
# $$
#
# | symbol | in code | shape |
# |---|---|---|
# | $z$ | `z["test"]["rgb"]["inv"]` … | [N, D] |
# | $\mu, \sigma$ | `fit.mean(0)`, `fit.std(0)` | [D] |

# %%
# part of the split → sensor → part of the embedding → [N, D]
z = inspection.embeddings(run.folder, split)
nets = {name: stored.load_run(run.folder, split, name)[0] for name in sensors}
again, rows = [], [0, 7, len(y) - 1]
for name, i, part in product(sensors, rows, parts):
    # [D]
    one = (
        nets[name]
        .embed(name, torch.from_numpy(split.test.images(name, [i])))[part][0]
        .numpy()
    )
    nearest = np.linalg.norm(z["test"][name][part] - one, axis=1).argmin()
    again.append(
        np.allclose(one, z["test"][name][part][i], atol=1e-3)
        and np.allclose(one, z["test"][name][part][nearest], atol=1e-3)
    )
check(
    f"{len(again)} parts, embedded one image at a time, are the rows of the same"
    " number",
    all(again),
)
check(
    "a shift by one row would be noticed",
    not np.allclose(
        z["test"]["rgb"]["inf"], np.roll(z["test"]["rgb"]["inf"], 1, 0), atol=1e-3
    ),
)

# %% [markdown]
# ## What can a reader who never saw the training find?
#
# A **linear probe** is a fresh classifier on a frozen embedding: what is laid out so plainly that weighted sums find it?
#
# $$
# p(y \mid \hat z) = \mathrm{softmax}(W \hat z + b), \qquad
# \text{score} = \frac{100}{K} \sum_{k=1}^{K} \frac{1}{|F_k|} \sum_{i \in F_k} [\hat y_i = y_i]
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $W, b$ | inside `reader` | [C, D], [C] | fitted to all folds but $F_k$ |
# | $F_k$ | `fold` | K = 5 sets of rows | read, never fitted to |
#
# **Chance** is the share of the most frequent value; the **control** repeats everything with permuted labels. **Predict first:** score of a constant embedding; of the one-hot label as embedding.

# %%
def by_hand(z, y, fit):
    sd = fit.std(0)
    z = (z - fit.mean(0)) / np.where(sd > 0, sd, 1)
    scores = []
    for rest, fold in StratifiedKFold(5, shuffle=True, random_state=seed).split(z, y):
        reader = LogisticRegression(max_iter=1000).fit(z[rest], y[rest])
        scores.append(100 * (reader.predict(z[fold]) == y[fold]).mean())
    return np.mean(scores)


tried, fitted = (z[part]["rgb"]["irr"].astype(float) for part in ("test", "train"))
score, chance = by_hand(tried, y, fitted), 100 * np.bincount(y).max() / len(y)
control = by_hand(tried, np.random.default_rng(seed).permutation(y), fitted)
read = probing.probe(tried, y, train=fitted, seed=seed)
print(
    f"class from RGB's z_irr: {score:.1f} %, chance {chance:.1f} %, control"
    f" {control:.1f} %; the package: {read.score:.1f} ± {read.sd:.1f} (sd of folds)"
)
check(
    "the package gives the same score, chance and control",
    np.allclose(
        [score, chance, control], [read.score, read.chance, read.shuffled], atol=0.2
    ),
)
check(
    "the control is at chance, within 4 standard errors",
    abs(control - 100 / C) < 400 * np.sqrt(chance / 100 * (1 - chance / 100) / len(y)),
)
check(
    "a constant embedding: chance at most",
    probing.probe(np.ones((len(y), 4)), y).score <= chance + 1e-9,
)
check("the label as embedding: 100 %", probing.probe(np.eye(C)[y], y).score == 100)

# %% [markdown]
# ## Which part holds which factor?
#
# The **probe matrix** asks every part for every factor. Numbers (a tilt, a brightness) are read by ridge regression and scored by R²: 1 is perfect, 0 or less is nothing. References: the same network **untrained**, and the best accuracy that the data allows, since cues lie.
#
# **Predict first:** what can RGB say of the plane's tilt, or depth of the illumination? And which row for the class is lowest?

# %%
asked = {
    name: values
    for name, values in inspection.factors(split.test, "rgb").items()
    if name
    in (
        "class",
        "shape",
        "material",
        "texture",
        "relief",
        "scale",
        "centre_x",
        "illumination",
        "background",
        "shift",
        "tilt_x",
    )
}
fresh = methods.build(methods.get("discom"), split.train, config)  # its initial weights
rows, fit_on = {}, {}
for name in sensors:
    random = {
        part: embed(fresh, name, Images(getattr(split, part), name, "cpu"))[
            "inf"
        ].numpy()
        for part in z
    }
    for part in parts:
        rows[f"{name} z_{part}"], fit_on[f"{name} z_{part}"] = (
            z["test"][name][part],
            z["train"][name][part],
        )
    rows[f"{name} untrained"], fit_on[f"{name} untrained"] = (
        random["test"],
        random["train"],
    )
matrix = probing.probe_matrix(rows, asked, train=fit_on, seed=seed)
figure = plots.probe_map(matrix, matrix.attrs["chance"])
check(
    "RGB knows nothing of tilt and distance of the plane",
    matrix.filter(like="rgb", axis=0)[["shift", "tilt_x"]].to_numpy().max() < 0.05,
)
check(
    "depth knows nothing of illumination and background",
    matrix.filter(like="depth", axis=0)[["illumination", "background"]].to_numpy().max()
    < 0.05,
)
best = {
    name: 100 * sets.scenes.best_accuracy(redrawn)
    for name, redrawn in zip(sensors, (0.10, 0.25), strict=True)
}
print(
    "best possible accuracy for the class:",
    ", ".join(f"{name} {value:.1f} %" for name, value in best.items()),
)

# %% [markdown]
# *Figure: a row is a part, a column a factor; numbers are accuracy in % or R², darker is more beyond chance.* **Take-away:** what a sensor never saw, none of its parts tells, so the probe does not invent. Depth "reads" texture, as texture goes with the material: a probe cannot tell knowledge from correlation. Against `untrained`, training has added class, shape and material, and dropped part of the nuisances. Compare z_inf with z_irr; five runs follow.
#
# ## Who is asking? A head's silence is not absence
#
# The paper's Table 4 reads the class from one part by the auxiliary head, which was trained on z_inv and z_inf and never saw z_irr. We add a fresh reader, fitted to the *training* part like that head (the probes above were fitted and read on test scenes, by folds: what do *new* scenes hold? No choice rests on them). The adversary $Cl_{adv}$ is linear, and so is our probe. **Predict first:** what F1 has a reader that always names one of C equal classes? And where $Cl_{adv}$ guesses, must a fresh reader guess too?

# %%
table = {}
for name, part in product(sensors, parts):
    (fit_z, mean, sd) = (
        z["train"][name][part],
        z["train"][name][part].mean(0),
        z["train"][name][part].std(0) + 1e-6,
    )
    reader = LogisticRegression(max_iter=1000).fit(
        (fit_z - mean) / sd, split.train.labels
    )
    answers = {
        "auxiliary head": z["test"][name][f"aux {part}"].argmax(1),
        "fresh reader": reader.predict((z["test"][name][part] - mean) / sd),
    }
    for how, said in answers.items():
        table.setdefault((name, how), {})[f"z_{part}"] = 100 * f1_score(
            y, said, average="weighted"
        )
display(pd.DataFrame(table).round(1))
check(
    "always the same of C equal classes: F1 = 2 / (C (C + 1))",
    np.isclose(
        f1_score(np.arange(C), np.zeros(C), average="weighted"), 2 / (C * (C + 1))
    ),
)
own = [
    100
    * (
        nets[name].heads(name).adv(torch.from_numpy(z["test"][name]["inv"])).argmax(1)
        == m
    )
    .float()
    .mean()
    for m, name in enumerate(sensors)
]
print(
    f"which sensor, by the adversary's own head from z_inv: {np.mean(own):.1f} %"
    " (chance 50)"
)
for part in parts:
    told = probing.modality_probe(
        {s: z["test"][s][part] for s in sensors},
        train={s: z["train"][s][part] for s in sensors},
        seed=seed,
    )
    print(
        f"which sensor, by a fresh linear probe from z_{part}: {told.score:.1f} %,"
        f" control {told.shuffled:.1f} %"
    )

# %% [markdown]
# **Take-away:** on z_irr the auxiliary head says almost nothing, as it was never asked; the fresh reader says about as much as from z_inf. In training the adversary's game ended near a draw; a fresh probe does far better. A draw does not prove that nothing can be told apart: the adversary chases moving encoders, the probe has all the time in the world.
#
# ## Is each factor in units of its own?
#
# Probes read all units together. Three scores ask for more, that one unit tells one factor:
#
# $$
# \begin{aligned}
# \mathrm{SAP} &= \tfrac{1}{K} \textstyle\sum_k (A_{(1)k} - A_{(2)k}), \qquad \mathrm{MIG} = \tfrac{1}{K} \textstyle\sum_k (I_{(1)k} - I_{(2)k}) / H_k \\
# \mathrm{DCI} &= \textstyle\sum_d \rho_d \,(1 - H_K(R_d)), \qquad \mathrm{CKA}(A, B) = \|B^\top A\|_F^2 \,/\, (\|A^\top A\|_F \, \|B^\top B\|_F)
# \end{aligned}
# $$
#
# | symbol | shape | meaning |
# |---|---|---|
# | $A_{(1)k}, A_{(2)k}$ | [K] | accuracy on factor k of the best and second best single unit |
# | $I_{(\cdot)k}, H_k$ | [K] | the same as mutual information; entropy of the factor |
# | $R_d, \rho_d$ | [D, K], [D] | importance of unit d for each factor; its share of all importance |
# | $A, B$ | [N, D] | two embeddings of the same samples, columns centred |
#
# **Predict first:** a perfect code, each unit stored twice: which scores drop to 0?

# %%
# [180, 2], two factors of three even values
factors = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
perfect = factors * [1.0, 5.0]
codes = {
    "one unit per factor": perfect,
    "each unit twice": np.hstack([perfect, perfect]),
    "turned by 45°": factors @ [[1.0, 1], [1, -1]],
    "constant": np.ones((180, 2)),
}
scores = {
    name: {
        "SAP": probing.sap(code, factors),
        "MIG": probing.mig(code, factors),
        **probing.dci_parts(code, factors),
    }
    for name, code in codes.items()
}
display(pd.DataFrame(scores).T.round(2))
one, twice, _, constant = scores.values()
check(
    "a perfect code: MIG and DCI 1, SAP about 1 − 1/3, as the runner-up guesses one"
    " of three",
    one["MIG"] > 0.99 and one["disentanglement"] > 0.99 and 0.6 < one["SAP"] < 0.75,
)
check(
    "stored twice: SAP and MIG 0, DCI still 1, less complete",
    twice["SAP"] == 0
    and abs(twice["MIG"]) < 1e-9
    and twice["disentanglement"] > 0.99 > twice["completeness"],
)
check(
    "a constant tells nothing",
    constant["SAP"] == constant["MIG"] == constant["disentanglement"] == 0,
)
a = np.random.default_rng(seed).normal(size=(500, 8))
turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(8, 8)))[0]
check(
    "CKA: a turned and scaled copy is the same, shuffled rows are not",
    np.isclose(probing.cka(a, 3 * a @ turn), 1) and probing.cka(a, a[::-1]) < 0.1,
)

# %% [markdown]
# A low SAP or MIG may mean a factor spread over units, or stored twice, not that it is missing. So the scores stand beside the probes.
#
# ## Same recipe, five seeds: what holds?
#
# Finished runs (`cpu` profile), probed like the live one; differences are paired by seed, with 95 % Student-t intervals. To make them again: `discom table 4 --data scenes --profile cpu --seeds 5`, then `discom probe runs/scenes/discom --data scenes`.

# %%
inspected = {
    name: json.loads(Path(f"../results/probes/{name}.json").read_text())
    for name in ("scenes", "hls")
}
inspected = {
    name: [one for one in held if one["method"] == "discom"]
    for name, held in inspected.items()
}
full = inspected["scenes"]
check(
    "five seeds of DisCoM-KD on scenes",
    sorted(one["seed"] for one in full) == [0, 1, 2, 3, 4],
)
styles = {"inv": ("o", "white"), "inf": ("s", "0.6"), "irr": ("^", "black")}
figure, axes = plt.subplots(
    1,
    3,
    figsize=(10.5, 3.6),
    width_ratios=(3, 3, 1.3),
    sharey=True,
    layout="constrained",
)
columns = {name: ["class", "shape", "material"] for name in sensors} | {
    "both": ["which sensor"]
}
for axis, (name, wanted) in zip(axes, columns.items(), strict=True):
    for (place, factor), (shift, part) in product(
        enumerate(wanted), zip((-0.25, 0, 0.25), parts, strict=True)
    ):
        told = [
            one["modality"][f"z_{part}"]["score"]
            if name == "both"
            else one["matrix"][f"{name} z_{part}"][factor]
            for one in full
        ]
        level = np.mean(
            [50.0 if name == "both" else one["chance"][name][factor] for one in full]
        )
        axis.plot([place + shift - 0.05] * len(told), told, ".", color="0.5", ms=4)
        axis.errorbar(
            place + shift + 0.05,
            np.mean(told),
            np.std(told, ddof=1),
            fmt=styles[part][0],
            mfc=styles[part][1],
            color="black",
            ms=6,
            capsize=2,
            label=None if place else f"z_{part}",
        )
        axis.hlines(level, place - 0.4, place + 0.4, color="black", ls=":")
    axis.set(
        title=name if name != "both" else "both sensors",
        xticks=range(len(wanted)),
        xlim=(-0.6, len(wanted) - 0.4),
        ylim=(0, 103),
    )
    axis.set_xticklabels(wanted)
axes[0].set_ylabel("read by a linear probe (%)")
_ = axes[0].legend(frameon=False, fontsize=9, loc="upper left")
inspection.mean_matrices(full)["discom"][
    [
        "class",
        "shape",
        "material",
        "texture",
        "relief",
        "scale",
        "illumination",
        "shift",
    ]
].round(2)


# %%
def line(what, ours, theirs, unit="points"):
    mean, low, high = tables.paired_difference(ours, theirs)
    verdict = (
        "no difference seen" if low <= 0 <= high else ("more" if low > 0 else "less")
    )
    print(
        f"{what}: {mean:+.1f} {unit}, 95 % [{low:+.1f}, {high:+.1f}], n ="
        f" {len(ours)}: {verdict}"
    )


for data_name, held in inspected.items():
    names = list(dict.fromkeys(row.split()[0] for row in held[0]["matrix"]))
    for name, factor in product(
        names, ["class", "shape", "material"] if data_name == "scenes" else ["class"]
    ):
        irr, inf = (
            [one["matrix"][f"{name} z_{part}"][factor] for one in held]
            for part in ("irr", "inf")
        )
        line(f"{data_name}, {name}, {factor}: z_irr − z_inf", irr, inf)
    for part in parts:
        told = [one["modality"][f"z_{part}"]["score"] for one in held]
        print(
            f"{data_name}: which sensor from z_{part}: {min(told):.1f} to"
            f" {max(told):.1f} % over {len(told)} seeds, chance 50"
        )
    alike = {
        name: [one["cka"][f"{name} z_inf | {name} z_irr"] for one in held]
        for name in names
    }
    print(
        f"{data_name}: CKA of z_inf with z_irr, "
        + "; ".join(f"{name} {min(v):.2f} to {max(v):.2f}" for name, v in alike.items())
    )
pd.DataFrame(
    {(name, one["seed"]): one["scores"][name] for one in full for name in sensors}
).T.groupby(level=0, sort=False).agg(["mean", "std"]).round(3)

# %% [markdown]
# *Figure: what a linear probe reads from each part, in percent, by factor and sensor, and at the right which sensor it was; dots are seeds, markers mean ± sd (n = 5); dotted is chance.* **Take-away:** z_irr tells class, shape and material far above chance, and nearly as well as z_inf; the intervals bound what was missed. Both are halves of one encoder's output, and their CKA is high. Nor is z_inv invariant: a fresh reader tells the sensor from it on every seed. SAP and MIG of the parts side by side are near 0: no unit is clearly ahead of the next.
#
# ## What does Table 4 show, and what can it not?
#
# Ours on two data sets, F1 from one part: by the trained-along head as in the paper, and by a fresh reader ("probe"). Below, the paper's figures: other data, means of five runs without spread, no row for z_irr.

# %%
for name in ("scenes", "hls"):
    results = tables.load_results(f"../results/ablations/{name}-table4.json")
    display(Markdown(tables.to_markdown(tables.paper_table(results, 4), ("discom",))))
    for d in tables.compare(
        results,
        [("discom z_irr probe", f"discom z_{part} probe") for part in ("inf", "inv")],
    ).itertuples():
        line(f"{name}, {d.modality}: {d.method} − {d.minus}", d.each, 0 * d.each, "F1")
published = (
    tables.paper_figures()
    .query("table == 4")
    .pivot(index="method", columns=["data", "modality"], values="f1")
)
check("the paper reports no z_irr", not any("irr" in name for name in published.index))
published

# %% [markdown]
# **Take-away:** the paper concludes that both parts together beat either alone; on our scenes the full model has the highest means, though many intervals include 0. That needs no separation: two readings of overlapping content can help each other, too. Whether z_irr deserved to be discarded the head cannot say; the fresh reader finds nearly all in it that it finds in z_inf. Patches: three seeds, wide intervals; their folds above share places, which the split by place here does not.
#
# ## What does a picture show?
#
# UMAP draws points so that near neighbours stay near, as far as D dimensions fit into two. Two numbers go with the pictures: the share of each point's 15 nearest neighbours that are kept (`preserved`; without relation 15 / (N − 1)), and a test of *distances between groups* (the scenes of one class in one sensor): of which pairs lies farther apart, how many answers turn round in another seed's picture, or in the embedding itself (50 % if unrelated)?
#
# **Predict first:** in which part will colouring by sensor give two colours apart?

# %%
rng, count = np.random.default_rng(seed), min(250, len(y))
chosen = np.sort(rng.choice(len(y), count, replace=False))
small = split.test.take(chosen)
# [2 · count, D]
joint = {
    part: np.concatenate([z["test"][name][part][chosen] for name in sensors])
    for part in ("inv", "inf")
}
drawn = {
    f"z_{part}": projection.project(held, seed=seed) for part, held in joint.items()
}
colours = {
    "class": pd.Categorical.from_codes(np.tile(small.labels, 2), small.classes),
    "sensor": pd.Categorical.from_codes(np.repeat([0, 1], count), sensors),
    "distance of the plane (shift)": np.tile(small.factors["shift"], 2),
}
figure = plots.maps(drawn, colours)
group = np.tile(small.labels, 2) + C * np.repeat([0, 1], count)
for part, held in joint.items():
    xy, other = drawn[f"z_{part}"], projection.project(held, seed=seed + 1)
    scaled = (held - held.mean(0)) / np.where(held.std(0) > 0, held.std(0), 1)
    # distances of group centres
    here, *there = (
        spatial.distance.pdist(pd.DataFrame(at).groupby(group).mean())
        for at in (xy, other, scaled)
    )
    turned = [
        50 * (1 - stats.kendalltau(here, distances).statistic) for distances in there
    ]
    print(
        f"z_{part}: {100 * projection.preserved(held, xy):.0f} % of 15 neighbours"
        f" kept, {1500 / (len(xy) - 1):.0f} % without relation; "
        f"comparisons of distances that turn round: {turned[0]:.0f} % with another"
        f" seed, {turned[1]:.0f} % against the embedding"
    )
check(
    "a picture keeps more neighbours than one without relation",
    all(
        projection.preserved(joint[part], drawn[f"z_{part}"]) > 15 / (2 * count - 1)
        for part in joint
    ),
)

# %% [markdown]
# *Figure: z_inv and z_inf of both sensors (rows), the same positions coloured three ways.*

# %%
# the same part drawn six times
figure, axes = plt.subplots(2, 3, figsize=(9.7, 6), layout="constrained")
drawings = product((seed, seed + 1), (5, 15, 50))
for axis, (again, near) in zip(axes.flat, drawings, strict=True):
    xy = projection.project(joint["inv"], neighbors=near, seed=again)
    axis.scatter(*xy.T, c=colours["sensor"].codes, cmap="coolwarm", s=8)
    kept = 100 * projection.preserved(joint["inv"], xy)
    axis.set(title=f"seed {again}, {near} neighbours", xticks=[], yticks=[])
    axis.set_xlabel(f"{kept:.0f} % of 15 neighbours kept")

# %% [markdown]
# *Figure: z_inv drawn for two seeds and three numbers of neighbours: blue RGB, red depth.*
#
# **Take-away, a warning in place of an interpretation:** distances between groups, their sizes, empty space and axes mean nothing; few neighbours invent small groups. That seeds agree does not help: compare the two printed shares. A question that a picture raises is answered by the embedding: a reader with its control.
#
# ## Look behind a point
#
# In JupyterLab the next cell shows a picture to click in: choose points, see their images, predictions and nearest neighbours in the other sensor. GitHub shows the same state as a plain picture.

# %%
explorer = explorer.Explorer(
    small,
    {
        name: {part: z["test"][name][part][chosen] for part in (*parts, "logits")}
        for name in sensors
    },
    seed=seed,
)
# the first RGB scenes that are named wrongly
explorer.select(np.flatnonzero(explorer.points["right or wrong"] == "wrong")[:3])
explorer

# %%
for part in parts:
    from_rgb, to_depth = (z["test"][name][part][chosen] for name in sensors)
    # [count, 5] rows of depth, by cosine
    nearest = projection.neighbours(from_rgb, to_depth, k=5)
    print(
        f"5 nearest depth scenes of an RGB scene in z_{part}:"
        f" {100 * (small.labels[nearest] == small.labels[:, None]).mean():.0f} % of"
        f" its class, chance {100 / C:.0f} %"
    )

# %% [markdown]
# *Figure: z_inv by class; ringed, three RGB scenes that are named wrongly; below, their images in both sensors, then the depth scenes nearest to the first.* **Take-away:** the printed shares put "invariant" in another way: are scenes of one class near each other across sensors? If z_inv were invariant and told the class, it should lead here; compare it with the other two, one run only.
#
# ## Which term could pull z_irr apart?
#
# Eq. 6 lowers a cosine per sample, which says nothing about dependence over samples (notebook 02). Three terms, not in the paper, address it: **irr** reverses the gradient of a class head on z_irr; **xcov** (r²) and **hsic** (d) punish dependence of z_irr on the other two parts:
#
# $$
# r^2(a, b) = \frac{1}{D D'} \sum_{ij} \mathrm{corr}(a_i, b_j)^2, \qquad
# d(a, b) = \frac{\mathrm{tr}(KHLH)}{\sqrt{\mathrm{tr}(KHKH)\,\mathrm{tr}(LHLH)}}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $a, b$ | `a`, `b` | [B, D], [B, D'] | two parts of a batch |
# | $K, L$ | `kernel(a)`, `kernel(b)` | [B, B] | $e^{-\|a_i - a_j\|^2 / \mathrm{median}}$ |
# | $H$ | `H` | [B, B] | $1 - 1/B$: takes the mean out |
#
# **Predict first:** $b = a^2$ with $a$ even around 0: what does each term see?

# %%
def kernel(a):
    square = spatial.distance.cdist(a, a) ** 2
    return np.exp(-square / (np.median(square) + 1e-6))


a = np.linspace(-1, 1, 201)[:, None]
partners = {
    "line, b = −2a": -2 * a,
    "parabola, b = a²": a**2,
    "shuffled": np.random.default_rng(seed).permutation(a),
}
H, hand, package = np.eye(len(a)) - 1 / len(a), {}, {}
for name, b in partners.items():
    K, L = (H @ kernel(v) @ H for v in (a, b))
    hand[name] = (
        np.corrcoef(a[:, 0], b[:, 0])[0, 1] ** 2,
        (K * L).sum() / np.sqrt((K**2).sum() * (L**2).sum()),
    )
    one = {
        "rgb": models.Embedding(
            inv=torch.tensor(b), inf=torch.tensor(b), irr=torch.tensor(a)
        )
    }
    # two equal pairs
    package[name] = [
        term(one).item() / 2 for term in (separate.cross_covariance, separate.hsic)
    ]
display(pd.DataFrame(hand, index=["r²", "d"]).round(3))
check(
    "the package gives the same two terms",
    np.allclose(list(hand.values()), list(package.values()), atol=1e-3),
)
check(
    "a parabola is invisible to r² and visible to d",
    package["parabola, b = a²"][0] < 1e-6
    and package["parabola, b = a²"][1] > 5 * package["shuffled"][1],
)
check(
    "a line is seen in full by r²",
    np.isclose(package["line, b = −2a"][0], 1, atol=1e-3),
)

# %% [markdown]
# ## What does separation buy, and at what price?
#
# Finished runs with one term added (name = weight), all with 15 epochs and batches of 64, so compare them with their own `discom`, not with the tables above. **Predict first:** does any arm move left without moving down?

# %%
arms = {}
for r in tables.load_results("../results/separation/scenes-table5.json"):
    arms.setdefault(tables.label(r.method, r.config["options"]), {})[r.seed] = {
        f"{m} F1": f1 for m, f1 in r.f1.items()
    }
for one in json.loads(Path("../results/probes/scenes-separation.json").read_text()):
    told = {
        f"{m} z_{p}": one["matrix"][f"{m} z_{p}"]["class"]
        for m, p in product(sensors, parts)
    }
    arms[one["method"]][one["seed"]] |= told | {
        f"{m} CKA": one["cka"][f"{m} z_inf | {m} z_irr"] for m in sensors
    }
order = [row.label() for row in tables.paper_rows(5, sensors)]
# a row per seed
arms = {name: pd.DataFrame(arms[name]).T.dropna() for name in order if name in arms}
check(
    f"every arm has the same {len(arms['discom'])} seeds",
    all(set(held.index) == set(arms["discom"].index) for held in arms.values()),
)
figure, axes = plt.subplots(
    1, 2, figsize=(10, 3.8), sharex=True, sharey=True, layout="constrained"
)
for axis, m in zip(axes, sensors, strict=True):
    for (name, held), marker in zip(arms.items(), "os^Dv*P", strict=False):
        x, f1 = held[f"{m} z_irr"], held[f"{m} F1"]
        axis.plot(x, f1, marker, color="0.6", mfc="none", ms=4)
        axis.errorbar(
            x.mean(),
            f1.mean(),
            f1.std(),
            x.std(),
            fmt=marker,
            color="black",
            ms=8,
            capsize=2,
            label=name.removeprefix("discom ") if name != "discom" else name,
        )
    axis.axvline(100 / C, color="black", ls=":")
    axis.set(
        title=m,
        xlabel="class from z_irr by a linear probe (%)",
        ylabel="test F1 × 100" if m == sensors[0] else "",
    )
axes[1].legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
# CKA of z_inf with z_irr
shown = [f"{m} {what}" for m in sensors for what in ("F1", "z_inf", "z_irr", "CKA")]
pd.DataFrame({name: held[shown].mean() for name, held in arms.items()}).T.round(2)

# %%
for m, (name, held) in product(sensors, list(arms.items())[1:]):
    for what, column in (("class from z_irr", f"{m} z_irr"), ("test F1", f"{m} F1")):
        line(
            f"{m}, {name.removeprefix('discom ')}: {what}",
            held[column],
            arms["discom"].loc[held.index, column],
        )

# %% [markdown]
# *Figure: test F1 over what a linear probe reads of the class from z_irr, a panel for each sensor; large markers are mean ± sd of both axes, small ones seeds; dotted is chance; farther left is more separate.* **Take-away:** an arm separates where its first interval lies below 0, and pays where its second does; with three seeds, look at the dots as well. `irr` moves little. The strong penalties push z_irr towards chance; F1 goes down with it, and so does what z_inf tells: they harm all parts. The weak `xcov` takes CKA from near 1 to near 0, yet the class is still read from z_irr: uncorrelated is not empty. Sixteen intervals are read here without a correction. Other weights or budgets may do better.
#
# ## What you should see, and what would be a bug
#
# Hand values, controls and limits hold everywhere. Live scores move with threads, processor and versions: expect test F1 within three standard deviations of the five seeds (RGB 57.8 ± 4.9, depth 61.9 ± 3.0), and the class from z_inf or z_irr as near to each other as theirs. A bug looks different: a control above chance, depth that knows the illumination, a row that does not match its image, a probe of the label below 100 %. UMAP pictures differ between machines.
#
# ## Where it fails: a linear reader can be blind
#
# "Chance" of a linear probe does not mean that nothing is there. Four clouds, two classes crosswise; then the same two readers on the live run, for the class and for the sensor.

# %%
corner = np.random.default_rng(seed).choice([-1.0, 1.0], size=(400, 2))
crosswise = (corner.prod(1) > 0).astype(int)  # the exclusive or of the two signs
cloud = corner + 0.2 * np.random.default_rng(seed + 1).normal(size=corner.shape)


def near(z, y):  # a reader without a form: the 15 nearest vote
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return (
        100
        * cross_val_score(
            KNeighborsClassifier(15), (z - z.mean(0)) / (z.std(0) + 1e-6), y, cv=folds
        ).mean()
    )


seen = {
    "linear": probing.probe(cloud, crosswise, seed=seed).score,
    "15 nearest": near(cloud, crosswise),
}
print(
    "four clouds:",
    {how: f"{value:.0f} %" for how, value in seen.items()},
    "chance 50 %",
)
check(
    "the linear probe is at chance where neighbours read all",
    seen["linear"] < 65 and seen["15 nearest"] > 99,
)
rows = {
    f"class, {m} z_{part}": [
        probing.probe(
            z["test"][m][part], y, train=z["train"][m][part], seed=seed
        ).score,
        near(z["test"][m][part], y),
    ]
    for m, part in product(sensors, ("inf", "irr"))
}
both, source = (
    np.concatenate([z["test"][m]["inv"] for m in sensors]),
    np.repeat([0, 1], len(y)),
)
rows["sensor, z_inv"] = [
    probing.modality_probe(
        {m: z["test"][m]["inv"] for m in sensors},
        train={m: z["train"][m]["inv"] for m in sensors},
        seed=seed,
    ).score,
    near(both, source),
]
pd.DataFrame(rows, index=["linear (%)", "15 nearest (%)"]).T.round(1)

# %% [markdown]
# **Take-away:** the toy is invisible to the linear reader, and the last row shows that this is no toy problem: neighbours tell the sensor from z_inv where the linear probe still errs. So a linear score in the price list is a lower bound, most of all under xcov, which punishes lines only. And a probe says what *can* be read, never what the task head *does* read.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** A probe reads 46 % where the most frequent value has 36 %. Which share of what could be read beyond chance is that? Set `answer_1`. *Hint:* the colour of the probe map.
# 2. **Change one thing (10 min).** Read the class from RGB's z_irr with only its first 8 units; accuracy in % into `answer_2`. *Hint:* slice both `z["test"]["rgb"]["irr"]` and the training part; `seed=seed`.
# 3. **Write a score (15 min).** CKA by hand: a function of `a` [N, D] and `b` [N, D'] in NumPy into `answer_3`. *Hint:* centre columns, then three Frobenius norms.
# 4. **Erase (20 min).** Take the class out of RGB's z_irr: project the standardised units onto the complement of the *training* part's C class means (less their mean), then probe again; accuracy in % into `answer_4`. At chance? *Hint:* `np.linalg.svd` of the [C, D] means gives the directions.
# 5. **Open (30 min+).** Train `discom` with `weights={"xcov": 5.0}` and without for five seeds; five paired differences of the class read by `near` from RGB's z_irr into `answer_5`. *Hint:* `settings(profile, seed=s, options={"weights": …})`, `inspection.embeddings`.
#
# Worked answers are [kept apart](solutions/py/06_what_the_embeddings_hold.py).

# %%
answer_1 = answer_2 = answer_3 = answer_4 = answer_5 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, (46 - 36) / (100 - 36), atol=0.005))
if answer_2 is not None:
    check(
        "exercise 2",
        np.isclose(
            answer_2,
            probing.probe(tried[:, :8], y, train=fitted[:, :8], seed=seed).score,
            atol=0.2,
        ),
    )
if answer_3 is not None:
    check(
        "exercise 3",
        np.isclose(
            answer_3(tried, z["test"]["rgb"]["inf"]),
            probing.cka(tried, z["test"]["rgb"]["inf"]),
        ),
    )
if answer_4 is not None:
    check(
        "exercise 4",
        0 <= answer_4 < probing.probe(tried, y, train=fitted, seed=seed).score,
    )
if answer_5 is not None:
    check("exercise 5", len(answer_5) == 5 and np.isfinite(answer_5).all())

# %% [markdown]
# ## What was seen
#
# - A probe needs chance, a control and factors that cannot be known; here all three behave (*What can a reader*, *Which part*).
# - On scenes the auxiliary head is silent on z_irr, on patches it is far below its other parts; a fresh linear reader reads z_irr about as well as z_inf (*Who is asking*, Table 4).
# - So the answer to the title is: less than their names say. Over five seeds, linear readers find nearly the same in z_irr and z_inf, and z_inv still names its sensor (*five seeds*).
# - Neighbours in a picture can be trusted in part, by number; its distances cannot (*What does a picture show*).
# - Strong penalties push z_irr towards chance and F1 down, with n = 3 and, for `hsic` in depth, intervals that hold zero; a weak one decorrelates the parts, and the class can still be read (*What does separation buy*).
#
# **Limitations.** Drawn scenes with independent factors, one small network, thirty epochs; patches with three seeds and no factor but the class; linear readers; three seeds and untuned weights for the added terms. Each sensor's network is of its own best epoch. **Next:** [07](07_the_papers_tables.ipynb) asks which numbers of the results tables can carry a claim.

# %% [markdown]
# ## References
#
# - G. Alain, Y. Bengio, *Understanding intermediate layers using linear classifier probes*, 2017, [arXiv 1610.01644](https://arxiv.org/abs/1610.01644) · J. Hewitt, P. Liang, *Designing and Interpreting Probes with Control Tasks*, EMNLP 2019, [arXiv 1909.03368](https://arxiv.org/abs/1909.03368).
# - A. Kumar et al. (SAP), ICLR 2018, [arXiv 1711.00848](https://arxiv.org/abs/1711.00848) · R. T. Q. Chen et al. (MIG), NeurIPS 2018, [arXiv 1802.04942](https://arxiv.org/abs/1802.04942) · C. Eastwood, C. Williams (DCI), ICLR 2018, [OpenReview](https://openreview.net/forum?id=By-7dz-AZ) · F. Locatello et al., *Challenging Common Assumptions …*, ICML 2019, [arXiv 1811.12359](https://arxiv.org/abs/1811.12359).
# - S. Kornblith et al. (CKA), ICML 2019, [arXiv 1905.00414](https://arxiv.org/abs/1905.00414) · L. McInnes et al. (UMAP), 2018, [arXiv 1802.03426](https://arxiv.org/abs/1802.03426).
# - B. Cheung et al. (cross-covariance), 2015, [arXiv 1412.6583](https://arxiv.org/abs/1412.6583) · A. Gretton et al., *Measuring Statistical Dependence with Hilbert-Schmidt Norms*, ALT 2005.
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Eqs 3–7, Table 4.
# - Modules: `discom/evaluation/probing.py`, `discom/evaluation/inspection.py`, `discom/evaluation/projection.py`, `discom/plots/samples.py`, `discom/explorer/`, `discom/losses/separate.py`; tests: `tests/evaluation/test_probing.py`, `tests/evaluation/test_inspection.py`, `tests/losses/test_separate.py`. Scenes, text and code: this repository, MIT; the patches: see data/README.md.

# %%
finish()
