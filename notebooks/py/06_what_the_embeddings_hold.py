# %% [markdown]
# # 06 · Is "invariant" invariant?
#
# You ask trained networks what the three parts of their embeddings contain, by classifiers that are fitted afterwards.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/06_what_the_embeddings_hold.ipynb)
# · [solutions](solutions/py/06_what_the_embeddings_hold.py) · [probes in the package](../discom/evaluation/probing.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **fit** a probe with chance and controls · **test** invariance by linear and nonlinear probes · **read** a UMAP map and know its limits · **explore** single images |
# | Prerequisites | [02 model and losses](02_model_and_losses.ipynb), [03 training](03_training.ipynb); logistic regression |
# | Time | eight minutes on one busy CPU core, less on an idle one; no GPU needed |
# | Memory, disk | 2 GB, 60 MB |
# | Data, licence | synthetic scenes drawn here, finished runs in [results/](../results/README.md), MIT; no download |
# | Stored outputs | one run; machine, versions, commit in the fourth code cell, seconds in the last |
#
# ## The question and the answer
#
# DisCoM-KD divides an embedding into an invariant, an informative and an irrelevant part. The names say what its losses encourage. Are they true?
#
# **No. A linear classifier names the sensor from the invariant part without error, as it does from an untrained network. The irrelevant part tells the class almost as well as the informative part.**
#
# ![Three parts and what a linear probe finds. z_inv promises to hide the sensor; it names it in 100 percent. z_inf promises to tell the class; it does. z_irr promises to tell nothing of the class; it names it in 87 and 70 percent.](../docs/_static/three-names.svg)
#
# **When does this matter?** Not for the scores: with a label for every pair, a branch trained on one sensor alone scores as well ([03](03_training.ipynb)). It matters if you need a representation that hides the sensor, such as for one classifier of both. Then probe it first.

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
from itertools import product

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from discom import data as sets, explorer, fit, methods, plots, probing, runs as stored
from discom import tables
from discom.config import profile as settings
from discom.data.batches import Images
from discom.evaluation import inspection, projection, scores as scoring
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # or after a colon any argument of scenes.make
profile = "cpu"  # tiny: seconds, scores mean nothing; cpu: minutes
seed = 0  # of scenes, split, weights, folds and maps
runs = "runs"  # folder of the networks that are trained here
count = 500  # scenes in a map, two points each

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which scenes?
#
# A synthetic scene shows one object, whose class is its shape and material. Both sensors see the outline, RGB the texture, depth a relief. Only RGB sees the illumination, only depth the tilt of the ground. All factors are known.

# %% alt="Nine scenes, one for each class, RGB above depth. The same outline in both; RGB shows a texture, depth a noisy relief with black holes."
scenes = sets.load(sets.at_seed(data, seed))  # every seed draws its own scenes
split = scenes.split(seed=seed)
sensors, parts, y = list(scenes.modalities), ["inv", "inf", "irr"], split.test.labels
sizes = {sensor: view.x.shape for sensor, view in split.test.modalities.items()}
print("scenes in train, valid, test:", [len(part) for part in split], "test:", sizes)
figure = plots.pairs(split.train)
_ = figure.suptitle("Both sensors see the outline, each its own cue to the material")

# %%
ids = np.concatenate([part.ids for part in split])
check("no scene is in two parts of the split", len(set(ids)) == len(ids))
same = [(view.ids == split.test.ids).all() for view in split.test.modalities.values()]
check("row i is the same scene in both sensors", all(same))

# %% [markdown]
# ## Four networks on the same scenes
#
# All have the branches of DisCoM-KD and see the same scenes. Three are trained now, for 30 epochs with the same settings; each branch keeps its best epoch on validation.
#
# | network | what should make z_inv invariant |
# |---|---|
# | paper's loss | a linear adversary names the sensor from z_inv; its gradient is reversed |
# | alternating | the same, but the adversary takes five steps before each step of the encoders |
# | MDiCo | a contrast: both views of a scene close in z_inv, other scenes far |
# | untrained | nothing: the paper's network before its first step |
#
# **Predict first:** where does the adversary's loss end if it cannot tell two sensors apart?

# %%
changes = {"paper's loss": {}, "alternating": {"adversary": "alternating"}, "MDiCo": {}}
results, folders = {}, {}
for name, options in changes.items():
    method = "mdico" if name == "MDiCo" else "discom"
    config = settings(profile, seed=seed, options=options)
    folders[name] = stored.Run.of(runs, methods.get(method), scenes, config).folder
    results[name] = fit(method, split, config, folders[name], progress=False)

# %%
table = pd.DataFrame({name: result.f1 for name, result in results.items()})
table["best possible"] = sets.scenes.best_scores(scenes.name)
display(table.round(1))
for name in ("paper's loss", "alternating"):
    last = stored.read_metrics(folders[name] / "metrics.csv")["adv"].abs().iloc[-1]
    print(f"{name}: adversary's loss {last:.2f}, guessing {2 * np.log(2):.2f}")

# %% [markdown]
# At 2 log 2 = 1.39, the loss of guessing, and both adversaries end close to it. Either z_inv no longer shows the sensor, or the adversary cannot find it.
#
# Next we embed all scenes. Shuffled rows would give wrong answers without an error, so one image is embedded again, alone.

# %%
# an error where a network was trained on another split
z = {name: inspection.embeddings(folder, split) for name, folder in folders.items()}
fresh = methods.build(methods.get("discom"), split.train, settings(profile, seed=seed))
z["untrained"] = {"train": {}, "test": {}}
for rows, sensor in product(("train", "test"), sensors):
    vectors = scoring.embed(fresh, sensor, Images(getattr(split, rows), sensor, "cpu"))
    z["untrained"][rows][sensor] = {part: vectors[part].numpy() for part in parts}

# %%
paper = z["paper's loss"]["test"]  # sensor, then part: [scenes, units]
nets = {s: stored.load_run(folders["paper's loss"], split, s)[0] for s in sensors}
for sensor, net in nets.items():
    image = torch.from_numpy(split.test.images(sensor, [7]))
    alone = net.embed(sensor, image)["inv"].numpy()
    apart = np.linalg.norm(paper[sensor]["inv"] - alone, axis=1)
    check(f"{sensor}: image 7, alone, is row 7", apart[7] < 0.01 * np.median(apart))

# %% [markdown]
# ## What is a probe?
#
# A **probe** is a new classifier, fitted to the embeddings of a finished network. We fit it to four fifths of the test scenes and read it on the last fifth, five times over.
#
# $$
# \hat z = \frac{z - \mu}{\sigma}, \qquad
# p(y \mid \hat z) = \mathrm{softmax}(W \hat z + b), \qquad
# \text{score} = \frac{100}{K} \sum_{k=1}^{K} \frac{1}{|F_k|} \sum_{i \in F_k} [\hat y_i = y_i]
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z$, $\mu$, $\sigma$ | `vectors`, `train.mean(0)`, `spread` | [N, D], [D], [D] | embeddings; mean and spread in training |
# | $W$, $b$ | in `probe` | [C, D], [C] | fitted outside of $F_k$ |
# | $F_k$ | `fold` | K = 5 sets of rows | read only |
#
# **Chance** is the share of the most frequent answer. A **control** repeats all with permuted answers.
#
# **Predict first:** what is the score of a constant embedding? And of the label itself as embedding?


# %%
def by_hand(vectors, answers, train):
    spread = train.std(0)
    vectors = (vectors - train.mean(0)) / np.where(spread > 0, spread, 1)
    scores, folds = [], StratifiedKFold(5, shuffle=True, random_state=seed)
    for rest, fold in folds.split(vectors, answers):
        probe = LogisticRegression(max_iter=1000).fit(vectors[rest], answers[rest])
        scores.append(100 * probe.score(vectors[fold], answers[fold]))
    return np.mean(scores)


# %%
irr, train = (z["paper's loss"][rows]["rgb"]["irr"] for rows in ("test", "train"))
package = probing.probe(irr, y, train=train, seed=seed)
print(f"class from RGB's z_irr {package.score:.1f} %, control {package.shuffled:.1f} %")
ours = by_hand(irr.astype(float), y, train.astype(float))
check("the package gives the same", np.isclose(ours, package.score, atol=0.2))
check("control within 10 points of chance", abs(package.shuffled - package.chance) < 10)
constant = probing.probe(np.ones((len(y), 4)), y).score
check("a constant: no more than chance", constant < package.chance + 0.5)
label = probing.probe(np.eye(len(scenes.classes))[y], y).score
check("the label as embedding: 100 %", label == 100)

# %% [markdown]
# Chance, and 100 %. RGB's part named irrelevant, at 86.5 %, lies much nearer to the latter.
#
# ## Which part names the sensor?
#
# Now every part of all four networks. The two views of a scene share a fold when the sensor is named; chance is 50 %. The shape is read from each sensor and averaged; chance is about 34 %.
#
# **UMAP** draws an embedding in the plane so that near neighbours stay near. Each map has 500 scenes, two points each. `preserved` is the share of the 15 nearest neighbours that stay.
#
# **Predict first:** in which of the twelve maps do the sensors mix?


# %%
def views(name, part):
    """One part of an embedding, sensor by sensor, of test and training scenes."""
    arrays = z[name]
    return ({s: arrays[rows][s][part] for s in sensors} for rows in ("test", "train"))


answers, rows = {"shape": split.test.factors["shape"], "class": y}, {}
for name, part in product(z, parts):
    test, train = views(name, part)
    probe = probing.modality_probe(test, train=train, seed=seed)
    read = probing.probe_matrix(test, answers, train=train, seed=seed)
    rows[name, part] = probe.score, probe.shuffled, read["shape"].mean(), *read["class"]
columns = ["sensor", "control", "shape", *(f"class, {sensor}" for sensor in sensors)]
scores = pd.DataFrame(rows, columns).T
# within four standard errors
check("controls near 50", abs(scores["control"] - 50).max() < 200 / np.sqrt(2 * len(y)))

# %%
maps, kept = {}, []
for name, part in scores.index:
    test, _ = views(name, part)
    both = np.concatenate([test[sensor][:count] for sensor in sensors])
    maps[name, part] = projection.project(both, seed=seed)
    kept.append(projection.preserved(both, maps[name, part]))
scores.round(1).assign(preserved=np.round(kept, 2))

# %% alt="Twelve UMAP maps of 1 000 points: a row for each network, a column for each part, a colour and marker for each sensor. The sensors lie apart, in the untrained network, too. In MDiCo's z_inv they touch."
figure, axes = plots.look.panels(4, 3, 7.6, 9.6)
for axis, ((name, part), xy) in zip(axes.flat, maps.items(), strict=True):
    plots.samples.scatter(axis, xy, np.repeat(sensors, len(xy) // 2))
    sensor, shape = scores.loc[(name, part), ["sensor", "shape"]]
    text = f"{name}: z_{part}\nsensor {sensor:.1f} %, shape {shape:.1f} %"
    axis.set_title(text, fontsize=10)
    axis.get_legend().remove()
legend = axes[0, 0].get_legend_handles_labels()
figure.legend(*legend, loc="outside lower center", ncols=2, markerscale=2)
_ = figure.suptitle("Trained or not, the sensors lie apart")

# %% [markdown]
# In none. MDiCo's z_inv comes closest. The untrained network shows the sensor, too: images and branches differ from the start. So the losses need not put the sensor into z_inv; they fail to remove it.
#
# Training adds the shape, and in MDiCo's z_inv only part of it.
#
# A map keeps only some of the neighbours; its axes, and the sizes and distances of groups, mean nothing.
#
# ## Linear, or not?
#
# A linear probe can miss what is there. So we add a second kind, a network with one hidden layer (**MLP**). And we hide the sensor ourselves: the difference between the sensors' means is one direction of z_inv, and we project it out.
#
# Another worry: behind a ReLU some units are zero for nearly all images of a sensor, and a probe could lean on them. The third row of each network drops units that are active in less than 5 % of either sensor's images.
#
# **Predict first:** which probe still names the sensor when that one direction is gone?


# %%
def named(vectors, train):
    """How often either probe names the sensor, in %, and the MLP's control."""
    linear = probing.modality_probe(vectors, train=train, seed=seed)
    mlp = probing.modality_probe(vectors, train=train, seed=seed, reader="mlp")
    return {"linear": linear.score, "MLP": mlp.score, "MLP, control": mlp.shuffled}


def erase(vectors, train):
    """Both sensors' vectors without the direction between the sensors' means."""
    first, second = (train[sensor].mean(0) for sensor in sensors)
    direction = (first - second) / np.linalg.norm(first - second)
    return {s: v - np.outer(v @ direction, direction) for s, v in vectors.items()}


# %%
rows = {}
for name in z:
    test, train = views(name, "inv")
    rows[name, "as it is"] = named(test, train)
    rows[name, "one direction less"] = named(erase(test, train), erase(train, train))
    active = np.all([(test[s] > 0).mean(0) > 0.05 for s in sensors], axis=0)
    some = [{s: v[s][:, active] for s in sensors} for v in (test, train)]
    rows[name, f"only {active.sum()} active units"] = named(*some)
pd.DataFrame(rows).T.round(1)

# %% [markdown]
# The MLP, in every network. Without that direction the linear probe falls to 53 to 62 %, and the MLP stays above 98 %. A weak linear probe does not prove that the sensor is gone. The units that are rarely active make no difference.
#
# ## Did the heads in training find it?
#
# The adversary is linear, too. So is the auxiliary head, with which the paper's Table 4 reads the class from one part; it never saw z_irr in training. We ask both heads, on the vectors that we probed.
#
# **Predict first:** how often is each head right?

# %%
right, head = [], {}
for number, (sensor, net) in enumerate(nets.items()):
    guesses = net.heads(sensor).adv(torch.from_numpy(paper[sensor]["inv"])).argmax(1)
    right.append(100 * (guesses == number).float().mean())
    silent = 100 * (paper[sensor]["aux irr"].argmax(1) == y).mean()
    head[f"class from {sensor}'s z_irr"] = silent
pd.Series({"sensor from z_inv": np.mean(right)} | head).round(1)

# %% [markdown]
# The adversary in 59.5 % of the cases, the auxiliary head hardly ever, where the probes above were right in 100 %, and in 71 % or more. A head shows what it has learnt, not what the part contains. A likely reason: the adversary was fitted while the encoders moved; a probe's vectors stand still.
#
# ## Ten seeds
#
# So far one seed. From here on we load finished runs with the same settings ([probes](../results/scenes-probes.json)); each seed has scenes of its own. Two networks are new:
#
# - `solo`: the paper's branches, each trained on its own sensor alone.
# - `strong`: an alternating adversary with a hidden layer, on parts of 32 units, without orthogonality.
#
# We compare runs of one kind of processor, AMD EPYC, which leaves five seeds of `strong`.
#
# We also ask for less than invariance: is a class probe, fitted to one sensor's z_inv, right on the other's, in the same folds of scenes?
#
# The second table has more of the paper's loss; its `modality` is the sensor. The last one has five paired differences with 95 % intervals, their p-values corrected by Holm's method.
#
# **Predict first:** if a network hides its sensor, what does its z_inv tell of the class?

# %%
strong = "discom dimension=32 adversary=alternating adversary_head=64 orth=0"
names = {"discom": "paper's loss", "discom adversary=alternating": "alternating"}
names |= {"mdico": "MDiCo", "discom-solo": "solo", strong: "strong"}
finished = tables.load_results("../results/scenes-table5.json")
finished = [run for run in finished if run.machine["processor"] == "AMD EPYC"]
epochs = {run.hash: [s["best_epoch"] for s in run.scores.values()] for run in finished}
probes = pd.read_json("../results/scenes-probes.json").to_dict("records")
table = pd.json_normalize(probes)
table["network"] = table["method"].map(names)  # nothing for all others
table = table[table["network"].notna() & table["hash"].isin(epochs)]
counts = table.groupby("network").size()[list(names.values())]
check("ten seeds of each, five of strong", counts.tolist() == [10, 10, 10, 10, 5])

# %%
columns = {
    "modality.z_inv.score": "sensor, linear probe",
    "mlp.modality.z_inv.score": "sensor, MLP",
    "transfer.rgb.rgb": "class from RGB, fitted to RGB",
    "transfer.rgb.depth": "class from depth, fitted to RGB",
    "f1.rgb": "F1 of the branch, RGB",
    "f1.depth": "F1 of the branch, depth",
}
readings = table.set_index("network")[list(columns)].rename(columns=columns)
display(readings.groupby("network").agg(["mean", "std"]).T[[*names.values()]].round(1))
inspection.reader_tables(probes)["discom"].round(1)  # more of the paper's loss

# %% alt="A point for each run, five networks. The sensor is named in 100 percent, but for MDiCo, which spreads from 66, and the strong adversary, near 50. A class probe carried from RGB to depth is best with the paper's loss, about 37 percent, and near chance with solo and strong."
long = readings[list(columns.values())[:4]].melt(ignore_index=False).reset_index()
look = {"x": "value", "y": "network", "col": "variable", "order": list(names.values())}
grid = sns.catplot(long, col_wrap=2, color="k", s=6, height=2.3, aspect=1.6, **look)
for axis, chance in zip(grid.axes.flat, (50, 50, 100 / 9, 100 / 9), strict=True):
    axis.axvline(chance, color="0.4", ls=":")
grid.set(xlabel="% right (dotted: chance)", ylabel="").set_titles("{col_name}")
_ = grid.figure.suptitle("The one network that hides its sensor tells no class", y=1.04)

# %%
table["apart"] = table["hash"].map(epochs).map(np.ptp)
numbers = table.set_index(["network", "seed"]).select_dtypes("number")
ours, mdico, solo = (numbers.loc[name] for name in ("paper's loss", "MDiCo", "solo"))
pairs = {"sensor: MDiCo - paper": (mdico - ours)["modality.z_inv.score"]}
for sensor in sensors:
    z_irr, z_inf = (ours[f"matrix.{sensor} z_{part}.class"] for part in ("irr", "inf"))
    pairs[f"class from {sensor}: z_irr - z_inf"] = z_irr - z_inf
for way in ("rgb.depth", "depth.rgb"):
    pairs[f"class carried {way}: paper - solo"] = (ours - solo)[f"transfer.{way}"]
tests = {name: tables.statistics.t_test(v.to_numpy()) for name, v in pairs.items()}
tests = pd.DataFrame(tests, ["mean", "low", "high", "p"]).T
display(tests.assign(Holm=tables.holm(tests["p"])).round(4))
alike = ours.loc[ours["apart"] == 0, "modality.z_inv.score"]
print(f"both branches of the same epoch: {len(alike)} runs, sensor {alike.min():.1f} %")

# %% [markdown]
# Nothing. In four of five runs of `strong` no probe finds the sensor, and in all five its z_inv tells the class at chance. So z_inv is not invariant but empty. The branch still classifies: it also reads z_inf.
#
# With MDiCo's loss a linear probe names the sensor less often, in 92 % on average. This varies much by seed, and the interval almost reaches zero.
#
# The paper's z_irr tells the class worse than z_inf, by one to four points. Both intervals exclude zero.
#
# A class probe carries over better with the paper's loss than in `solo`: training together aligns the classes in part. The adversary need not be the reason, since the branches also share the auxiliary classifier ([ablations](../docs/results/ablations.md#is-invariant-invariant)).
#
# ## Which part contains which factor?
#
# Means over the same ten seeds. A number is read by ridge regression and scored by R²: 1 is perfect, 0 or less is nothing.
#
# **Predict first:** what can RGB's parts tell of the tilt? And what does MDiCo's z_inv keep, which tells little of the class?

# %% alt="A grid of eight parts and seven factors. All six parts of the paper's loss are dark for class, shape and material. MDiCo's z_inv is light there and dark for the place, and for the tilt in depth."
factors = ["class", "shape", "material", "scale", "centre_x", "illumination", "tilt_x"]
means = inspection.mean_matrices(probes)
other = means["mdico"].filter(like="z_inv", axis=0)
matrix = pd.concat([means["discom"], other.rename("{}, MDiCo".format)])[factors]
figure = plots.probe_map(matrix, probes[0]["chance"])
_ = figure.suptitle("All six parts tell the class; MDiCo's z_inv tells the place")
tilt = matrix.filter(like="rgb", axis=0)["tilt_x"]
check("no part of RGB tells the tilt, which RGB does not see", tilt.max() < 0.05)

# %% [markdown]
# Nothing of the tilt: a probe does not invent what a sensor never saw. MDiCo's z_inv keeps the place of the object, which identifies a scene in both sensors. But in depth it also keeps the tilt, which RGB cannot see.
#
# With the paper's loss all three parts tell much the same of these factors. Added terms can take half of the class out of z_irr at no measurable cost, most of it at a cost in depth ([terms that separate](../docs/results/ablations.md#terms-that-separate)).
#
# ## Look behind a point
#
# In JupyterLab the next cell is a map to click in: choose points, see their images, predictions and nearest neighbours in the other sensor. Elsewhere it is a picture: z_inv of the paper's loss, three misclassified RGB scenes ringed.

# %% alt="UMAP map of z_inv: the two sensors in two colours. Three misclassified RGB scenes are ringed, with lines to their depth views; below, their images in both sensors and the depth scenes nearest to the first."
rows, keys = np.arange(min(250, len(y))), (*parts, "logits")
embedded = {s: {key: paper[s][key][rows] for key in keys} for s in sensors}
picture = explorer.Explorer(split.test.take(rows), embedded, seed=seed)
picture.colour.value = "modality"
# the first three, which are of RGB
picture.select(np.flatnonzero(picture.points["right or wrong"] == "wrong")[:3])
picture

# %% [markdown]
# Each line joins the two views of a scene and ends in the other colour. RGB takes the first scene for disk/wood, and the five depth scenes nearest to it in z_inv are all of that class.
#
# ## What you should see on another machine
#
# What is read from files agrees to the digit. Live, the sensor should be named in nearly 100 %, with MDiCo anywhere above 60. F1 should be within four points of the ten seeds' means. Maps differ between versions. Signs of a bug: a control three points above chance, RGB that tells the tilt.
#
# ## Exercises
#
# A wrong answer stops the next cell with an error ([solutions](solutions/py/06_what_the_embeddings_hold.py)).
#
# 1. **Warm-up (2 min).** A probe is right in 46 %, the most frequent answer in 36 %. Which share of what lies beyond chance does the probe read? `answer_1`. *Hint:* the grey of the grid above.
# 2. **Change one thing (10 min).** Erase the one direction from the alternating network's z_inv, then carry class probes; the table into `answer_2`. Do they carry over better than before? *Hint:* `views`, `erase`, `probing.class_transfer` with `seed=seed`.
# 3. **Open (30 min+).** For five seeds, train `discom` with `weights={"xcov": 5.0}` and without; five paired differences of the class that an MLP reads from RGB's z_irr into `answer_3`. *Hint:* `settings(profile, seed=s, options={"weights": …})`.

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, (46 - 36) / (100 - 36), atol=0.005))
if answer_2 is not None:
    test, train = views("alternating", "inv")
    erased, fitted = erase(test, train), erase(train, train)
    carried = probing.class_transfer(erased, y, train=fitted, seed=seed)
    check("exercise 2", np.allclose(answer_2, carried, atol=0.2))
if answer_3 is not None:
    check("exercise 3", len(answer_3) == 5 and np.isfinite(answer_3).all())

# %% [markdown]
# ## Summary
#
# - "Invariant" is not invariant: a linear probe names the sensor from z_inv as from an untrained network (*Which part*).
# - Neither a weak linear probe nor an adversary near guessing proves invariance (*Linear, or not?*, *Did the heads*).
# - "Irrelevant" is not irrelevant: z_irr tells the class one to four points worse than z_inf (*Ten seeds*).
# - The one network whose z_inv does not tell the sensor has an empty z_inv: it does not tell the class either (*Ten seeds*).
#
# **Limitations.** One family of synthetic scenes, one small network, a label for every pair. All live results are one seed, the untrained network too. A probe gives a lower bound of what a part contains. A run's branches may be kept at different epochs; in three runs of the paper's loss the epochs agree, and the sensor is named as well.
#
# **Next.** [07](07_the_papers_tables.ipynb): what the papers report. [08](08_when_a_second_sensor_helps.ipynb): when a second sensor helps.
#
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080), Eqs. 3 and 5, Table 4. Mena et al., *MDiCo*, Machine Learning 2025. G. Alain and Y. Bengio, *Linear classifier probes*, 2017, [arXiv 1610.01644](https://arxiv.org/abs/1610.01644). Y. Elazar and Y. Goldberg, *Adversarial removal of demographic attributes*, EMNLP 2018, [arXiv 1808.06640](https://arxiv.org/abs/1808.06640): the same finding for text. N. Belrose et al., *LEACE*, 2023, [arXiv 2306.03819](https://arxiv.org/abs/2306.03819): erasing. L. McInnes et al., *UMAP*, 2018, [arXiv 1802.03426](https://arxiv.org/abs/1802.03426). Code: `discom/evaluation/probing.py`, `discom/evaluation/inspection.py`, `discom/explorer/__init__.py`; tests: `tests/evaluation/test_probing.py`, `tests/evaluation/test_inspection.py`.

# %%
finish()
