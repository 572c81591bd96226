# %% [markdown]
# # 06 · Is "invariant" invariant?
#
# **No.** From z_inv a fresh linear classifier (a reader) always names the sensor, with the paper's loss and with an alternating adversary. With MDiCo it does so in 92 of 100 cases, and there z_inv tells little of the class. The one adversary that hides the sensor empties z_inv. You ask trained networks what their three parts hold, with readers that took no part in the training.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/06_what_the_embeddings_hold.ipynb)
# · [solutions](solutions/py/06_what_the_embeddings_hold.py) · [module `discom.evaluation.probing`](../discom/evaluation/probing.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **fit** a linear probe with chance level and control · **test** invariance by a linear reader, an MLP and a class reader carried to the other sensor · **tell** a head's silence from absence · **read** SAP, MIG, DCI and CKA · **distrust** a UMAP picture by number |
# | Prerequisites | [02 model and losses](02_model_and_losses.ipynb) (Eqs 2–7), [03 training](03_training.ipynb) (`fit`, paired seeds); what logistic regression is |
# | Time | about three minutes on two CPU cores, a third of them for two live runs; a GPU is used where there is one, and was not timed |
# | Memory, disk | 3 GB of memory, 60 MB of disk |
# | Data, licence | `scenes`, drawn here from known factors, and finished runs from [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## What do three names promise?
#
# DisCoM-KD calls its parts modality-**invariant**, **informative** and **irrelevant**, and discards the last. A name is no measurement: what one head misses, another reader may find. In synthetic scenes all that varies is known, so we can ask:
#
# ```text
# images ─► network ─► z_inv · z_inf · z_irr ─┬─► which sensor?      linear reader, MLP
#   discom, alternating, mdico                ├─► which class?       own sensor, other sensor
#                                             └─► which factor?      chance, control
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
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from discom import (
    data as sets,
    fit,
    methods,
    plots,
    probing,
    runs as stored,
    tables,
)
from discom.config import profile as settings
from discom.evaluation import inspection, projection
from discom.explorer import Explorer
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # the synthetic scenes, or after a colon any argument of scenes.make
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of scenes, split, weights, folds and pictures
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data, and is it in order?
#
# One object per scene; its class is (shape, material). Both sensors see the outline. RGB sees the material as a texture, depth as a relief, and either cue is sometimes wrong ([01](01_data_preparation.ipynb)). **Nuisances** are one sensor's alone: illumination and background colour are RGB's, tilt and distance (`shift`) of the plane depth's.

# %%
whole = sets.load(sets.at_seed(data, seed))  # scenes are drawn anew for each seed
split = whole.split(seed=seed)
sensors, C, y = list(whole.modalities), len(whole.classes), split.test.labels
parts = ["inv", "inf", "irr"]
shapes = {
    part: {name: f"{m.x.shape} {m.x.dtype}" for name, m in scenes.modalities.items()}
    for part, scenes in split._asdict().items()
}
display(pd.DataFrame(shapes))
figure = plots.pairs(split.train)

# %%
ids = [part.ids.tolist() for part in split]
check("no scene is in two parts", len(set().union(*ids)) == sum(map(len, ids)))
for part, scenes in split._asdict().items():
    pixels = [scenes.images(name) for name in sensors]
    check(f"{part}: every class is there", len(np.unique(scenes.labels)) == C)
    same = all((m.ids == scenes.ids).all() for m in scenes.modalities.values())
    check(f"{part}: row i of every sensor is the same scene", same)
    bounds = min(x.min() for x in pixels), max(x.max() for x in pixels)
    check(f"{part}: scaled pixels lie in [0, 1]", 0 <= bounds[0] <= bounds[1] <= 1)

# %% [markdown]
# *Figure: one scene per class, RGB over depth; black squares in depth are holes.* **Take-away:** the outline is in both rows, the material in each by another cue.
#
# ## Two networks, trained now
#
# `discom` has the paper's loss: an adversary reads the sensor from z_inv, and the reversed gradient makes the encoders hide it. `mdico` has the same branches; in the adversary's place a contrast pulls the two views of a scene together in z_inv and pushes other scenes away.
#
# **Predict first:** the adversarial term is a cross-entropy over M = 2 sensors, summed over both. Where does it end if the adversary cannot tell them apart?

# %%
config = settings(profile, seed=seed)
folders, curves, f1 = {}, {}, {}
for name in ("discom", "mdico"):
    run = stored.Run.of(runs, methods.get(name), whole, config)
    f1[name] = fit(name, split, config, run.folder, progress=False).f1
    folders[name] = run.folder
    curves[name] = stored.read_metrics(run.folder / "metrics.csv")
f1["best possible (accuracy)"] = sets.scenes.best_scores(whole.name)
display(pd.DataFrame(f1).T[sensors].round(1))
figure = plots.curves(curves)
adv = curves["discom"]["adv"].iloc[-1]
print(f"L_adv in the last epoch {adv:.3f}; M log M = {2 * np.log(2):.3f}")

# %% [markdown]
# *Figure: training loss, whose scale differs because the losses do, and validation F1 of each sensor.* **Take-away:** L_adv ends near M log M = 1.386. So either z_inv says nothing about the sensor, or this adversary does not find it.
#
# ## Is row i of the embedding row i of the data?
#
# Every answer below joins embeddings to factors by row. A loader that shuffles or drops rows would join strangers without an error, so we embed one image again, alone.

# %%
# method → part of the split → sensor → part of the embedding → [N, D]
z = {name: inspection.embeddings(folder, split) for name, folder in folders.items()}
train, test = z["discom"]["train"], z["discom"]["test"]
nets = {s: stored.load_run(folders["discom"], split, s)[0] for s in sensors}
for sensor, net in nets.items():
    image = torch.from_numpy(split.test.images(sensor, [7]))
    alone = torch.cat(list(net.embed(sensor, image).values()), 1)[0].numpy()
    rows = np.hstack([test[sensor][part] for part in parts])
    distance = np.linalg.norm(rows - alone, axis=1)
    print(f"{sensor}: distance to row 7 {distance[7]:.5f}, to 8 {distance[8]:.2f}")
    nearest = distance.argmin() == 7 and distance[7] < 0.01
    check(f"{sensor}: image 7, embedded alone, is row 7", nearest)

# %% [markdown]
# ## What can a reader find that took no part in the training?
#
# A **linear probe** is a fresh classifier on a frozen embedding. Units are scaled by the training part, and the reader is fitted to four folds of the test part and read on the fifth:
#
# $$
# \hat z = \frac{z - \mu_{train}}{\sigma_{train}}, \quad
# p(y \mid \hat z) = \mathrm{softmax}(W \hat z + b), \quad
# \text{score} = \frac{100}{K} \sum_{k=1}^{K} \frac{1}{|F_k|} \sum_{i \in F_k} [\hat y_i = y_i]
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z, \mu, \sigma$ | `z`, `fitted.mean(0)`, `fitted.std(0)` | [N, D], [D], [D] | embedding; mean and spread of its units |
# | $W, b$ | inside `reader` | [C, D], [C] | fitted to all folds but $F_k$ |
# | $F_k$ | `fold` | K = 5 sets of rows | read, never fitted to |
#
# **Chance** is the share of the most frequent value; the **control** repeats everything with permuted labels. **Predict first:** which score has a constant embedding, and which the one-hot label as embedding?

# %%
def by_hand(z, y, fitted):
    sd = fitted.std(0)
    z = (z - fitted.mean(0)) / np.where(sd > 0, sd, 1)
    scores, folds = [], StratifiedKFold(5, shuffle=True, random_state=seed)
    for rest, fold in folds.split(z, y):
        reader = LogisticRegression(max_iter=1000).fit(z[rest], y[rest])
        scores.append(100 * (reader.predict(z[fold]) == y[fold]).mean())
    return np.mean(scores)


irr, irr_train = (part["rgb"]["irr"].astype(float) for part in (test, train))
score, chance = by_hand(irr, y, irr_train), 100 * np.bincount(y).max() / len(y)
control = by_hand(irr, np.random.default_rng(seed).permutation(y), irr_train)
probe = probing.probe(irr, y, train=irr_train, seed=seed)
print(f"class from RGB's z_irr: {score:.1f} %, package {probe.score:.1f} %")
print(f"chance {chance:.1f} %, control {control:.1f} %")

# %%
ours, theirs = [score, chance, control], [probe.score, probe.chance, probe.shuffled]
check("the package gives the same", np.allclose(ours, theirs, atol=0.2))
error = np.sqrt(chance * (100 - chance) / len(y))
check("the control is within 4 errors of chance", abs(control - 100 / C) < 4 * error)
constant = probing.probe(np.ones((len(y), 4)), y).score
check("a constant embedding: no more than chance", constant < chance + 0.5)
check("the label as embedding: 100 %", probing.probe(np.eye(C)[y], y).score == 100)

# %% [markdown]
# **Reading.** A constant tells no class, so its score is chance; the one-hot label gives 100 %. The part named irrelevant tells the class far above chance. We come back to it.
#
# ## Does z_inv name its sensor?
#
# The same probe, asked for the sensor. The two views of a scene share a fold, and chance is 50 %. A linear reader can be blind: on four clouds in an exclusive-or pattern it is near chance, while an **MLP** with one hidden layer is right. So we use both. **Predict first:** the adversary was linear, and its loss is near that of guessing. Must a fresh linear reader guess, too?

# %%
rng = np.random.default_rng(seed)
corner = rng.choice([-1.0, 1.0], size=(400, 2))
crosswise = (corner.prod(1) > 0).astype(int)  # the exclusive or of the two signs
cloud = corner + 0.2 * rng.normal(size=corner.shape)
linear = probing.probe(cloud, crosswise, seed=seed)
mlp = probing.probe(cloud, crosswise, seed=seed, reader="mlp")
print(f"four clouds: linear {linear.score:.0f} %, MLP {mlp.score:.0f} %, chance 50 %")
blind = linear.score < 65 and mlp.score > 95
check("the linear reader is blind where the MLP reads", blind)

# %%
own = []
for number, (sensor, net) in enumerate(nets.items()):
    inv = torch.from_numpy(test[sensor]["inv"])
    own.append((net.heads(sensor).adv(inv).argmax(1) == number).float().mean())
print(f"discom, the adversary's own head on z_inv: {100 * np.mean(own):.1f} %")
named = {}
for name, arrays in z.items():
    fitted = {s: arrays["train"][s]["inv"] for s in sensors}
    asked = {s: arrays["test"][s]["inv"] for s in sensors}
    for reader in probing.READERS:
        named[name, reader] = probing.modality_probe(
            asked, train=fitted, seed=seed, reader=reader
        )
named = pd.DataFrame(named, index=probing.Probe._fields).T.drop(columns=["sd", "kind"])
display(named.astype(float).round(1))
error = 50 / np.sqrt(2 * len(y))
check("controls are near chance", (abs(named["shuffled"] - 50) < 4 * error).all())

# %% [markdown]
# **Reading.** No. The adversary's own head is right in 50 to 60 % of the samples. A fresh reader of the same kind is always right in `discom`, and in most cases in MDiCo. A loss near M log M says that one opponent was nearly beaten, not that nothing is left. One reason may be that the encoders move at each step of the adversary, while the probe's target stands still; an adversary with more steps follows below.
#
# ## Does a class look alike in both sensors?
#
# One direction in z_inv is enough to name the sensor, and a class reader may ignore it. So we ask for less: fit a class reader to one sensor's z_inv, and read the *other* sensor's with it.
#
# $$
# A_{ab} = \text{accuracy on sensor } b \text{ of the reader } \mathrm{softmax}(W \hat z + b) \text{ fitted to sensor } a
# $$
#
# The folds are those of scenes, so no scene is both fitted to and read. **Predict first:** in which of the two networks is the reader carried over more easily?

# %%
carried = {}
for name, arrays in z.items():
    fitted = {s: arrays["train"][s]["inv"] for s in sensors}
    asked = {s: arrays["test"][s]["inv"] for s in sensors}
    carried[name] = probing.class_transfer(asked, y, train=fitted, seed=seed)
display(pd.concat(carried, names=["method", "fitted to"]).round(1))
twins = probing.class_transfer({"a": irr, "b": irr}, y, seed=seed)
check("between equal sensors nothing is lost", np.ptp(twins.to_numpy()) == 0)

# %% [markdown]
# **Reading.** In `discom`: a reader of one sensor is right on the other in some 40 to 60 of 100 cases of one run, where chance is 11. MDiCo's contrast pulls the two views of a *scene* together, but its z_inv tells less of the *class*, even in its own sensor. One run each; now ten.
#
# ## Three losses, ten seeds
#
# **None of these three losses hides the sensor: a fresh linear reader always names it with the paper's loss and with the alternating adversary, and in 92 of 100 cases with MDiCo.** `adversary=alternating` gives the adversary an optimizer of its own and five steps before each step of the encoders. `discom-solo` never saw the other sensor, so its z_inv is the unaligned reference.
#
# Each seed has scenes of its own. The readings of all runs are in [scenes-probes.json](../results/scenes-probes.json), made by `discom probe results/scenes-table5.json --runs runs --out results/scenes-probes`. **Predict first:** which row names its sensor least, and which pays for that with F1?

# %%
probes = json.loads(Path("../results/scenes-probes.json").read_text())
rgb, depth = sensors
rows = []
for run in probes:
    row = {"method": run["method"], "seed": run["seed"]}
    row["sensor, linear"] = run["modality"]["z_inv"]["score"]
    row["sensor, MLP"] = run["mlp"]["modality"]["z_inv"]["score"]
    for fitted_to, accuracy in run["transfer"].items():
        for sensor in sensors:
            row[f"class, {fitted_to} → {sensor}"] = accuracy[sensor]
    rows.append(row | {f"F1 {sensor}": run["f1"][sensor] for sensor in sensors})
readings = pd.DataFrame(rows).set_index(["method", "seed"])
shown = ["discom", "discom adversary=alternating", "mdico", "discom-solo"]
groups = readings.loc[shown].groupby(level="method", sort=False)
mean, sd = (values.T.round(1).astype(str) for values in (groups.mean(), groups.std()))
mean + " ± " + sd


# %%
def minus(ours, theirs, column):
    """Paired difference of two methods over the seeds that both have, as text."""
    pairs = pd.concat([readings.loc[name, column] for name in (ours, theirs)], axis=1)
    a, b = pairs.dropna().to_numpy().T
    mean, low, high = tables.paired_difference(a, b)
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


columns = ["sensor, linear", f"class, {rgb} → {depth}", f"class, {depth} → {rgb}"]
columns += [f"F1 {sensor}" for sensor in sensors]
differences = pd.DataFrame(index=columns, columns=shown[1:])
for name in shown[1:]:
    differences[name] = [minus(name, "discom", column) for column in columns]
seeds = readings.groupby(level="method").size()[shown]
check("ten seeds of each", (seeds == 10).all())
differences.rename_axis("minus discom, 95 %")

# %% [markdown]
# **Reading.** MDiCo names its sensor least, and that varies much by seed: from 66 to 100 with the linear reader. The MLP finds more. At half the learning rate it names it in 60 of 100 cases, the MLP in 88 (three seeds, [runs](../results/scenes-half-rate.md)); the paper's loss stays at 100. With five adversary steps instead of one the sensor is still always named.
#
# Does the adversary at least align the classes of both sensors? A little. A carried class reader is right in about 40 of 100 cases with the paper's loss, in 32 without the adversary (`discom adv=0` in the file), and at chance in `discom-solo`. Orthogonality works against it: without (`discom orth=0`) the reader is right in 49 and 54. Without adversary, modality and orthogonality terms it is right in 63 and 76: the auxiliary classifier, which the sensors share, aligns them. The alternating adversary aligns less than the paper's.
#
# Two rows of the file hide the sensor in nine of ten seeds: an alternating adversary with a hidden layer, on 32 units, alone or with `hsic=0.2`. Their z_inv is empty: it tells no class either.
#
# Little of this is seen in F1. MDiCo scores like `discom`; the alternating adversary loses half a point in depth.
#
# ## Which part holds which factor?
#
# The **probe matrix** asks every part for every factor, over the same runs. Numbers (a tilt, a position) are read by ridge regression and scored by R²: 1 is perfect, 0 or less is nothing. **Predict first:** what can RGB say of the plane's tilt? Which row for the class is lowest?

# %%
factors = ["class", "shape", "material", "texture", "relief", "scale", "centre_x"]
factors += ["illumination", "background", "tilt_x", "shift"]
matrices = inspection.mean_matrices(probes)
mdico = matrices["mdico"].filter(like="z_inv", axis=0)
mdico.index += ", mdico"
matrix = pd.concat([matrices["discom"], mdico])[factors]
figure = plots.probe_map(matrix, probes[0]["chance"])
hidden = matrix.filter(like="rgb", axis=0)[["tilt_x", "shift"]].to_numpy()
check("RGB knows nothing of tilt and distance of the plane", hidden.max() < 0.05)
hidden = matrices["discom"].filter(like="depth", axis=0)[["illumination", "background"]]
check("depth knows nothing of illumination and background", hidden.max().max() < 0.05)

# %% [markdown]
# *Figure: a row is a part, a column a factor; numbers are accuracy in % or R², darker is more beyond chance. Means over ten seeds; the upper rows are `discom`.* **Take-away:** no part tells what its sensor never saw, so the probe does not invent information. In `discom` all three parts tell shape and material, nearly equally. The lowest rows for the class are MDiCo's z_inv, not those of z_irr.
#
# MDiCo's z_inv tells where the object is and, in depth, the tilt that only depth sees. The contrast has to tell scenes apart, so z_inv keeps whatever identifies a scene. Depth "reads" texture because texture goes with the material: a probe cannot tell knowledge from correlation.
#
# ## Is z_irr irrelevant? A head's silence is not absence
#
# The paper's Table 4 reads the class from one part by the auxiliary head, which was trained on z_inv and z_inf and never saw z_irr. We add a fresh reader ("probe"), fitted to the training part like that head. **Predict first:** which weighted F1 has a reader that always names the same of C equal classes?

# %%
results = tables.load_results("../results/scenes-table4.json")
display(Markdown(tables.to_markdown(tables.paper_table(results, 4), ("discom",))))
same = f1_score(np.arange(C), np.zeros(C), average="weighted")
expected = 2 / (C * (C + 1))
check("always the same class: F1 = 2 / (C (C + 1))", np.isclose(same, expected))
irrelevant = ("discom z_irr probe", "discom z_inf probe")
compared = tables.compare(results, [irrelevant]).drop(columns=["data", "p", "each"])
display(compared.round(2))
paper = tables.paper_figures().query("table == 4")
columns = ["data", "modality"]
display(paper.pivot(index="method", columns=columns, values="f1"))

# %% [markdown]
# **Reading.** Always the same class gives 2.2, and the auxiliary head reads no more than that from z_irr. The fresh reader finds 86.7 in RGB and 70.8 in depth, where the best possible scores are 93.3 and 83.3. That is 1.1 and 2.5 points less than it finds in z_inf.
#
# The paper (last table: other data, means of five runs, no row for z_irr) concludes that both parts together beat either alone. So they do here, by two points in RGB and one in depth over z_inf. That needs no separation: z_irr is discarded although it tells nearly as much.
#
# ## What does separation cost?
#
# **About half of the class or more can be removed from z_irr at little cost; the sensor leaves z_inv only together with the class.** The rows change the adversary (`alternating`, also with a hidden layer or 32 units instead of 64), leave terms out, or add one: `irr` reverses the gradient of a class head on z_irr; `xcov` and `hsic` punish dependence of z_irr on the other parts, by correlation and by kernels. The number is the term's weight. **Predict first:** does any point lie farther left without lying lower?

# %%
results = tables.load_results("../results/scenes-table5.json")
display(Markdown(tables.to_markdown(tables.paper_table(results, 5), ("discom",))))
figure = plots.separation(probes)

# %%
added = ("irr=", "xcov=", "hsic=")  # they act on z_irr
rows, emptied = [f"class from {sensor} z_irr" for sensor in sensors], {}
for name, table in inspection.reader_tables(probes).items():
    if name == "discom" or any(term in name for term in added):
        emptied[name] = table.loc[rows, list(probing.READERS)].stack()
pd.DataFrame(emptied).T.round(1)

# %% [markdown]
# *Figure: test F1 over what fresh readers find: above the sensor in z_inv, below the class in z_irr. Filled markers are the linear reader, open ones the MLP, mean ± sd over seeds; dotted is chance; grey are losses that separate nothing.* **Reading.** Above, only the alternating adversary with a hidden layer lies far left, and its z_inv is empty. MDiCo lies a little left of 100. F1 is at most 1.6 points below `discom`, since the class is also read from z_inf.
#
# Below and in the last table: `irr` leaves z_irr as it is. `hsic=0.2` removes about half of the class at no measurable cost (-0.4 points in depth, not significant), but how much varies widely by seed. `xcov=5` removes more and costs 1.7 points in depth. Larger weights cost four to six. No loss hides the sensor, keeps the class in z_inv and empties z_irr. Thirty-four intervals are read here without a correction.
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
# CKA compares two parts: 1 where one is a turned copy of the other. **Predict first:** a perfect code, each unit stored twice: which scores drop to 0?

# %%
# [180, 2], two factors of three even values
grid = np.indices((3, 3)).reshape(2, -1).T.repeat(20, axis=0)
perfect = grid * [1.0, 5.0]
codes = {
    "one unit per factor": perfect,
    "each unit twice": np.hstack([perfect, perfect]),
    "turned by 45°": grid @ [[1.0, 1], [1, -1]],
    "constant": np.ones((180, 2)),
}
scores = {}
for name, code in codes.items():
    scores[name] = {"SAP": probing.sap(code, grid), "MIG": probing.mig(code, grid)}
    scores[name] |= probing.dci_parts(code, grid)
display(pd.DataFrame(scores).T.round(2))
one, twice = scores["one unit per factor"], scores["each unit twice"]
check("a perfect code: MIG and DCI 1", min(one["MIG"], one["disentanglement"]) > 0.99)
gone = twice["SAP"] == 0 and abs(twice["MIG"]) < 1e-9
dci = twice["disentanglement"]
check("stored twice: SAP and MIG 0, DCI still 1", gone and dci > 0.99)

# %%
side_by_side = np.hstack([test["rgb"][part] for part in parts])[:1000]
known = [split.test.factors[name][:1000] for name in ("shape", "material", "texture")]
known = np.stack(known, axis=1).astype(int)
print(f"RGB: SAP {probing.sap(side_by_side, known):.3f}", end=", ")
print(f"MIG {probing.mig(side_by_side, known):.3f}")
for sensor, embedded in test.items():
    alike = probing.cka(embedded["inf"], embedded["irr"])
    print(f"{sensor}: CKA of z_inf with z_irr {alike:.2f}")
turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(irr.shape[1],) * 2))[0]
check("CKA of a turned copy is 1", np.isclose(probing.cka(irr, 3 * irr @ turn), 1))

# %% [markdown]
# **Reading.** SAP and MIG drop to 0 when each unit is stored twice: the second best unit is as good as the best. Trained networks score near 0, too. That does not mean that a factor is missing, but that no single unit is ahead of the next.
#
# ## What does a picture show?
#
# UMAP draws points so that near neighbours stay near, as far as D dimensions fit into two. `preserved` is the share of each point's 15 nearest neighbours that are also near in the picture. **Predict first:** in which row will colouring by sensor give two colours apart?

# %%
chosen = np.sort(rng.choice(len(y), min(250, len(y)), replace=False))
small = split.test.take(chosen)
joint = {  # [2 · 250, D]
    f"z_{part}": np.concatenate([test[name][part][chosen] for name in sensors])
    for part in parts
}
mdico_test = z["mdico"]["test"]
joint["z_inv, mdico"] = np.concatenate([mdico_test[s]["inv"][chosen] for s in sensors])
drawn = {name: projection.project(rows, seed=seed) for name, rows in joint.items()}
classes = pd.Categorical.from_codes(np.tile(small.labels, 2), small.classes)
source = pd.Categorical.from_codes(np.repeat([0, 1], len(chosen)), sensors)
figure = plots.maps(drawn, {"class": classes, "sensor": source})
preserved = {name: projection.preserved(joint[name], drawn[name]) for name in drawn}
unrelated = 15 / (len(source) - 1)
print(f"share of 15 neighbours that are kept, {unrelated:.2f} without relation:")
display(pd.Series(preserved).round(2))
check("every picture keeps more than chance", min(preserved.values()) > 2 * unrelated)

# %% [markdown]
# *Figure: the three parts of `discom`, then z_inv of `mdico`, both sensors together, coloured by class and by sensor.* **Take-away:** in all of `discom`, z_inv among them, each group is of one sensor. MDiCo's z_inv draws the sensors side by side, in places mixed, and yet the reader above told them apart: two dimensions cannot show all that 64 hold. Distances between groups, their sizes and the axes mean nothing.
#
# ## Look behind a point
#
# In JupyterLab the next cell shows a picture to click in: choose points, see their images, predictions and nearest neighbours in the other sensor. GitHub shows the same state as a plain picture.

# %%
kept = (*parts, "logits")
embedded = {s: {part: test[s][part][chosen] for part in kept} for s in sensors}
explorer = Explorer(small, embedded, seed=seed)
# the first RGB scenes that are named wrongly
explorer.select(np.flatnonzero(explorer.points["right or wrong"] == "wrong")[:3])
explorer

# %% [markdown]
# *Figure: z_inv by class; ringed, three RGB scenes that are named wrongly, with lines to their depth views; below, their images in both sensors, then the depth scenes nearest to the first.*
#
# ## What you should see, and what would be a bug
#
# Hand values, controls and limits hold everywhere. Live scores move with threads, processor and versions: over ten seeds `discom` has 89 to 91 in RGB and 73 to 77 in depth. A bug looks different: a control above chance, depth that knows the illumination, a row that does not match its image, a probe of the label below 100 %. UMAP pictures differ between machines.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** A probe reads 46 % where the most frequent value has 36 %. Which share of what could be read beyond chance is that? Set `answer_1`. *Hint:* the colour of the probe map.
# 2. **Change one thing (10 min).** Read the class from RGB's z_irr with only its first 8 units; accuracy in % into `answer_2`. *Hint:* slice both `irr` and `irr_train`; `seed=seed`.
# 3. **Write a score (15 min).** CKA by hand: a function of `a` [N, D] and `b` [N, D'] in NumPy into `answer_3`. *Hint:* centre columns, then three Frobenius norms.
# 4. **Erase (20 min).** Take the class out of RGB's z_irr: project the standardised units onto the complement of the *training* part's C class means (less their mean), then probe again; accuracy in % into `answer_4`. At chance? *Hint:* `np.linalg.svd` of the [C, D] means gives the directions.
# 5. **Open (30 min+).** Train `discom` with `weights={"xcov": 5.0}` and without for five seeds; five paired differences of the class read by an MLP from RGB's z_irr into `answer_5`. *Hint:* `settings(profile, seed=s, options={"weights": …})`, `inspection.embeddings`.
#
# Worked answers are [kept apart](solutions/py/06_what_the_embeddings_hold.py).

# %%
answer_1 = answer_2 = answer_3 = answer_4 = answer_5 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, (46 - 36) / (100 - 36), atol=0.005))
if answer_2 is not None:
    eight = probing.probe(irr[:, :8], y, train=irr_train[:, :8], seed=seed)
    check("exercise 2", np.isclose(answer_2, eight.score, atol=0.2))
if answer_3 is not None:
    other = test["rgb"]["inf"]
    check("exercise 3", np.isclose(answer_3(irr, other), probing.cka(irr, other)))
if answer_4 is not None:
    check("exercise 4", 0 <= answer_4 < probe.score)
if answer_5 is not None:
    check("exercise 5", len(answer_5) == 5 and np.isfinite(answer_5).all())

# %% [markdown]
# ## What was seen
#
# - A probe needs chance, a control and factors that cannot be known; here all three behave (*What can a reader find*, *Which part*).
# - "Invariant" is not invariant: the loss of the adversary is near that of guessing, and a fresh reader of the same kind names the sensor (*Does z_inv name its sensor?*, *ten seeds*).
# - The shared auxiliary classifier aligns the classes of both sensors, the adversary adds a little, and orthogonality works against it (*ten seeds*).
# - "Irrelevant" is not irrelevant: the auxiliary head is silent on z_irr, and a fresh reader finds nearly as much as in z_inf (Table 4).
# - Small weights of `xcov` or `hsic` remove about half of the class or more from z_irr, at little cost (*What does separation cost?*).
#
# **Limitations.** Synthetic scenes with independent factors, and one small network. Each sensor's network is kept at its own best epoch, up to four epochs apart; where both kept the same one, the sensor is named just as well (paper's loss, alternating adversary). Readers are linear or have one hidden layer, so what they miss may still be there. Weights of added terms were not tuned. **Next:** [07](07_the_papers_tables.ipynb) asks which numbers of the results tables can carry a claim.

# %% [markdown]
# ## References
#
# - G. Alain, Y. Bengio, *Understanding intermediate layers using linear classifier probes*, 2017, [arXiv 1610.01644](https://arxiv.org/abs/1610.01644) · J. Hewitt, P. Liang, *Designing and Interpreting Probes with Control Tasks*, EMNLP 2019, [arXiv 1909.03368](https://arxiv.org/abs/1909.03368).
# - A. Kumar et al. (SAP), ICLR 2018, [arXiv 1711.00848](https://arxiv.org/abs/1711.00848) · R. T. Q. Chen et al. (MIG), NeurIPS 2018, [arXiv 1802.04942](https://arxiv.org/abs/1802.04942) · C. Eastwood, C. Williams (DCI), ICLR 2018, [OpenReview](https://openreview.net/forum?id=By-7dz-AZ) · F. Locatello et al., *Challenging Common Assumptions …*, ICML 2019, [arXiv 1811.12359](https://arxiv.org/abs/1811.12359).
# - S. Kornblith et al. (CKA), ICML 2019, [arXiv 1905.00414](https://arxiv.org/abs/1905.00414) · L. McInnes et al. (UMAP), 2018, [arXiv 1802.03426](https://arxiv.org/abs/1802.03426).
# - B. Cheung et al. (cross-covariance), 2015, [arXiv 1412.6583](https://arxiv.org/abs/1412.6583) · A. Gretton et al., *Measuring Statistical Dependence with Hilbert-Schmidt Norms*, ALT 2005 · I. Goodfellow et al. (alternating steps), *Generative Adversarial Nets*, NeurIPS 2014.
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Eqs 3–7, Table 4 · Mena et al., *MDiCo*, Machine Learning 2025.
# - Modules: `discom/evaluation/probing.py`, `discom/evaluation/inspection.py`, `discom/evaluation/projection.py`, `discom/plots/samples.py`, `discom/explorer/`, `discom/losses/adversaries.py`, `discom/losses/contrastive.py`, `discom/losses/separate.py`; tests: `tests/evaluation/test_probing.py`, `tests/evaluation/test_inspection.py`, `tests/losses/test_separate.py`. Scenes, text and code: this repository, MIT.

# %%
finish()
