# %% [markdown]
# # 09 · What changes when a third sensor joins?
#
# You extend the adversarial term to three sensors and measure whether the third helps the other two.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/09_more_than_two_modalities.ipynb)
# · [solutions](solutions/py/09_more_than_two_modalities.py) · [the adversaries in the package](../discom/losses/separate.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** the adversarial term for any number of sensors · **tell** reversal and confusion apart · **measure** what a third sensor changes, on your data too |
# | Prerequisites | [02 losses](02_model_and_losses.ipynb), [03 training](03_training.ipynb), [06 probes](06_what_the_embeddings_hold.ipynb) |
# | Time | three to eight minutes on one CPU core (longest without bf16); a GPU is used where there is one, but was not timed |
# | Memory, disk | 2 GB, 50 MB |
# | Data, licence | scenes drawn here and finished runs in [results/](../results/README.md), MIT; the runs' cells: T. Blasi et al., 2016, BSD-3-Clause; no download |
# | Stored outputs | one run from top to bottom; machine in the fourth code cell, seconds in the last |
#
# ## The answer: nothing measurable for the other two
#
# **On our scenes, thermal changed neither RGB nor depth measurably (five seeds, all labels). On real cells, darkfield did not measurably change brightfield or stain, nor the stain brightfield or darkfield. In both, no branch of `discom` was measurably above the same branch trained alone.**
#
# ![Three branches, RGB, depth and thermal, with the parts irr, inf and inv. The class is read from inf and inv. One classifier with three outputs asks which sensor inv comes from, in training only. Below: three sensors minus two, RGB +0.4 from −0.2 to +1.0, depth −0.7 from −1.9 to +0.4 F1 points.](../docs/_static/third-sensor.svg)
#
# DisCoM-KD trains a network for each sensor, its **branch**, without a teacher. A branch divides its embedding into three parts, meant to be **invariant** across sensors (z_inv), **informative** (z_inf) and **irrelevant** (z_irr). The class is read from z_inv and z_inf. In training, shared classifiers connect the branches; at inference each works alone.
#
# **For you:** measure a third sensor before you add it, by the commands in *When should I add a sensor?*

# %%
import os

ref, url = "v0.1.0", "https://github.com/discom-kd/discom"  # ref: a tag or a branch
try:
    import discom.config
except ImportError:  # on Colab, whose torch stays
    # !git clone -q --depth 1 -b {ref} {url} 2> /dev/null || echo "no {ref} yet: main"
    # !test -d discom || git clone -q --depth 1 {url}
    # !pip list --format=freeze | grep -E "^(torch|torchvision|numpy)=" > kept.txt
    # %pip install -q -c kept.txt "./discom[deploy]"
    import discom.config
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from discom import data as sets, fit, methods, plots, probing, tables
from discom.config import profile as settings
from discom.data.batches import ModalityTensor
from discom.evaluation import scores as scoring
from discom.losses import disentangle, separate
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp
from discom.running import runs as stored

# %% tags=["parameters"]
data = "scenes"  # synthetic scenes, of which RGB, depth and thermal are taken below
profile = "cpu"  # tiny (seconds, scores mean nothing) or cpu (minutes)
seed = 0  # of scenes, split, weights, batches and probes
runs = "runs"  # folder of the networks that are trained here

# %%
plots.style()
pd.set_option("display.width", 110)  # tables in one block
stamp(seed, scenes=data)

# %% [markdown]
# ## Which scenes?
#
# A scene shows one object. Its class is a pair of shape and material, nine in all. All sensors see the outline. RGB sees the material as a texture, depth as a relief, thermal as one of three brightness levels.
#
# Sometimes a cue is wrong: in 10 of 100 scenes RGB shows a random material, depth in 25, thermal in 40. A random cue is right by luck in one case of three, so the best possible accuracy is 93.3 % in RGB, 83.3 % in depth and 73.3 % in thermal. Scenes are split 2 : 1 : 2 by id.

# %% alt="Six scenes, RGB above depth above thermal. RGB shows textured objects, depth noisy outlines with black holes, thermal objects of even brightness."
source = f"{data}{',' if ':' in data else ':'}modalities=rgb+depth+thermal"
whole = sets.load(source, seed=seed)  # every seed draws its own scenes
split, sensors = whole.split(seed=seed), list(whole.modalities)
M, C = len(sensors), len(whole.classes)
for name, part in split._asdict().items():
    shapes = [view.x.shape for view in part.modalities.values()]
    print(name, shapes, "per class", np.bincount(part.labels))
figure = plots.pairs(split.train, rows=range(6))
_ = figure.suptitle("All sensors show the outline; only RGB shows the texture")

# %%
wrong = pd.Series({"rgb": 0.10, "depth": 0.25, "thermal": 0.40})  # random cues
best = 100 * (1 - wrong + wrong / 3)  # in %
package = whole.best
check("best possible: the package agrees", np.allclose(best, pd.Series(package)))

# %%
ids = np.concatenate([part.ids for part in split])
check("no scene is in two parts", len(set(ids)) == len(ids) == len(whole))
for name, part in split._asdict().items():
    same = all((view.ids == part.ids).all() for view in part.modalities.values())
    check(f"{name}: row i is the same scene in all sensors", same)

# %% [markdown]
# ## Reversal: does Eq. 3 hold for three sensors?
#
# A linear classifier, the **adversary**, learns to name the sensor from z_inv. A gradient reversal layer (GRL, `reverse_gradient`) turns the sign of the gradient on its way back to the encoders, so they learn to mislead the adversary. The cross-entropy CE is averaged over the batch:
#
# $$
# L_{adv} = \sum_{m=1}^{M} \mathrm{CE}\big(\mathrm{Cl}_{adv}(\mathrm{GRL}(z_{inv}^m)),\, m\big)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $M$ | `M` | 3 | number of sensors |
# | $z_{inv}^m$ | `z[m].inv` | [B, D] | B images of sensor $m$, D units |
# | $\mathrm{Cl}_{adv}$ | `heads.adv` | [B, D] → [B, M] | the adversary's logits |
#
# **Predict first:** what is $L_{adv}$ if the adversary can only guess, for M = 2 and for M = 3?


# %%
def reversal(z, heads):
    total = 0.0
    for number, part in enumerate(z.values()):
        logits = heads.adv(disentangle.reverse_gradient(part.inv))  # [B, M]
        total += F.cross_entropy(logits, torch.full((len(logits),), number))
    return total


# %%
torch.manual_seed(seed)
vectors = torch.randn(M, 3, 4, 8, dtype=torch.float64)  # three parts, B = 4, D = 8
z = {sensor: Embedding(*vectors[m]) for m, sensor in enumerate(sensors)}
heads = Heads(sensors, 8, C).double()
package = disentangle.adversarial_loss(z, heads)
check("the package gives the same", torch.isclose(reversal(z, heads), package))

# %%
guess = Heads(sensors, 8, C).double()
for parameter in guess.adv.parameters():
    parameter.data.zero_()  # the same answer for every image
value = reversal(z, guess).item()
print(f"three sensors {value:.4f}, two {2 * np.log(2):.4f}")
check("by hand: 3 log 3", np.isclose(value, 3 * np.log(3)))

# %% [markdown]
# **Reading.** Guessing costs M log M: 1.39 for two sensors, 3.30 for three. The equation needs no change.
#
# ## Confusion: where does a loss push the encoders?
#
# With two sensors, "not RGB" means depth. With three it leaves two answers, and reversal does not say which. Confusion asks for the uniform answer instead. The **confusion** loss (Tzeng et al., 2015) compares the adversary's answer with the uniform one:
#
# $$
# L_{conf} = \sum_m \mathrm{CE}\big(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}^m), m\big) - \frac{1}{M} \sum_m \sum_k \log p_k(z_{inv}^m)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | sg | `detach()` | – | no gradient: the first sum trains the adversary alone |
# | $p_k$ | `log_p` | [B, M] | probability of sensor $k$, adversary frozen: the second sum trains the encoders alone |
#
# To see the push on the encoders, we fix the adversary and let z_inv be one number t, the logit of the true sensor; the other logits are 0. A negative push lowers p, the true sensor's probability.
#
# **Predict first:** to which p does each loss drive the embedding?


# %%
def confusion(z, heads):
    weight, bias = heads.adv.weight.detach(), heads.adv.bias.detach()
    total = 0.0
    for number, part in enumerate(z.values()):
        logits = heads.adv(part.inv.detach())
        total += F.cross_entropy(logits, torch.full((len(logits),), number))
        log_p = F.linear(part.inv, weight, bias).log_softmax(1)  # [B, M]
        total -= log_p.mean()  # over B and the M answers
    return total


# %%
package = separate.confusion_loss(z, heads)
check("the package gives the same", torch.isclose(confusion(z, heads), package))
check("guessing: 2 · 3 log 3", np.isclose(confusion(z, guess).item(), 6 * np.log(3)))

# %%
toy = Heads(sensors, 1, C).double()
toy.adv.weight.data = torch.eye(M, 1, dtype=torch.float64)  # logits (t, 0, 0)
toy.adv.bias.data.zero_()
t = torch.linspace(-6, 6, 49, dtype=torch.float64)[:, None]  # [49, 1]
p = toy.adv(t).softmax(1)[:, 0].detach().numpy()


def push(loss):
    """Minus the gradient with respect to t, at every t."""
    logit = t.clone().requires_grad_()
    loss({sensors[0]: Embedding(logit, None, None)}, toy).backward()
    return -len(t) * logit.grad[:, 0].numpy()  # the loss is a mean over the rows of t


# %% alt="Push on the true sensor's logit over its probability p. Reversal, solid, is negative everywhere and largest at p = 0. Confusion, dashed, is positive below one third, zero at one third and negative above."
check("reversal pushes with p − 1", np.allclose(push(reversal), p - 1))
check("confusion pushes with 1/3 − p", np.allclose(push(confusion), 1 / 3 - p))
figure, axis = plt.subplots(figsize=(6.2, 3.2), layout="constrained")
axis.plot(p, push(reversal), "k-", label="reversal")
axis.plot(p, push(confusion), "k--", label="confusion")
axis.axhline(0, color="0.5", lw=0.8)
axis.axvline(1 / 3, color="0.5", lw=0.8, ls=":", label="1/3")
axis.set(xlabel="probability p of the true sensor", ylabel="push on its logit")
axis.set_title("Fixed adversary: confusion drives p to 1/3, reversal to 0")
_ = axis.legend(frameon=False)

# %% [markdown]
# **Reading.** Against a fixed adversary, confusion drives p to 1/3 and reversal to 0. But p = 0 does not hide the sensor: if only RGB images get the answer "not RGB", that answer gives RGB away.
#
# ## Does it learn?
#
# We repeat seed 0 of the finished runs with three sensors: DisCoM-KD with the paper's adversary, reversal. Each branch keeps its best epoch on validation and is scored once on the test part.
#
# Before training, the classifiers should guess. So three terms are known: `cl`, the cross-entropy of the class, is M log C; `adv`, of the sensor from z_inv, is M log M; `mod`, of the sensor from z_inf and from z_irr, is 2M log M.
#
# **Predict first:** after training, which sensor comes closest to its best possible score?

# %%
config = settings(profile, seed=seed)
untrained = methods.build(methods.DisCoMKD, split.train, config)
batch = next(sets.Batches(split.train, 128, seed).epoch(0))
terms = untrained.loss(batch)
guessing = {"cl": M * np.log(C), "adv": M * np.log(M), "mod": 2 * M * np.log(M)}
ratio = pd.Series({k: terms[k].item() / value for k, value in guessing.items()})
print("loss before training over guessing:", ratio.round(2).to_dict())
check("all within 15 % of guessing", (ratio - 1).abs().max() < 0.15)

# %% alt="Four panels over thirty epochs. The training loss falls. Validation F1 of RGB, depth and thermal rises from below ten, with large swings, and levels off near 90, 76 and 75."
folder = stored.Run.of(runs, methods.DisCoMKD, whole, config).folder
live = fit("discom", split, config, folder, progress=False)
curves = stored.read_metrics(folder / "metrics.csv")
figure = plots.curves(curves)
_ = figure.suptitle("All three branches level off in the last epochs", y=1.04)

# %%
three = tables.load_results("../results/scenes-thermal-table2.json")
seeds = pd.DataFrame({run.seed: run.f1 for run in three if run.label == "discom"}).T
score = pd.DataFrame({"live run": live.f1, "finished run, seed 0": seeds.loc[0]}).T
score.loc["five finished runs, mean"] = seeds.mean()
score.loc["chance"] = 100 / C
score.loc["best possible"] = best
for sensor, values in live.scores.items():
    highest = curves[f"valid_f1/{sensor}"].max()
    check(f"{sensor}: best validation epoch is kept", values["valid_f1"] == highest)
score.rename_axis("test F1 × 100").round(1)

# %% [markdown]
# **Reading.** Thermal comes closest: it is within a point of its best possible score. On 1 000 validation scenes luck can lift a score above it.
#
# ## Does z_inv hide its sensor?
#
# A new classifier may succeed where the adversary fails. So we fit a **probe**, a new linear classifier, to z_inv of four fifths of the test scenes and score it on the last fifth, five times over. All images of a scene share a fold. The test part is used a second time, but nothing is chosen by it.
#
# **Predict first:** how often does the probe name the right sensor, after training and before?


# %%
def probe(branches):
    """The probe's scores on z_inv; `branches`: a network for each sensor."""
    z = {"train": {}, "test": {}}  # of train, only the units' mean and spread are used
    for rows, (sensor, branch) in product(z, branches.items()):
        images = ModalityTensor(getattr(split, rows), sensor, "cpu")
        z[rows][sensor] = scoring.embed(branch, sensor, images)["inv"]  # [N, D]
    return probing.modality_probe(z["test"], train=z["train"], seed=seed)


trained = {sensor: stored.load_run(folder, split, sensor)[0] for sensor in sensors}
networks = {"trained": trained, "untrained": dict.fromkeys(sensors, untrained)}

# %%
probed = pd.DataFrame(columns=["named by the probe", "shuffled sensors", "chance"])
for name, branches in networks.items():
    result = probe(branches)
    probed.loc[name] = result.score, result.shuffled, result.chance
off = (probed["shuffled sensors"] - probed["chance"]).abs().max()
noise = 400 * np.sqrt(2 / 9 / (M * len(split.test)))  # four standard errors
check("with shuffled sensors the probe is near chance", off < noise)
probed.rename_axis("one seed, % of images").round(1)

# %% [markdown]
# **Reading.** The probe names the right sensor in 100.0 % of the images, after training and before: reversal did not hide the sensor in this run. With two sensors it did not either ([what the parts hold](../docs/results/parts.md)).
#
# ## Does a branch gain from the other two?
#
# The controls, `student` and `discom-solo`, see one sensor only. All runs have 30 epochs and a learning rate of 0.01 ([runs](../results/scenes-thermal-table2.json)). Each of five seeds has scenes of its own.
#
# | method | what it is | parameters |
# |---|---|---|
# | `student` | one ordinary network | 0.31 million |
# | `discom-solo` | the branch trained alone, without the shared classifiers | 0.63 million |
# | `discom` | DisCoM-KD with reversal | 0.63 million |
#
# We subtract F1 scores of the same seed, with 95 % Student-t intervals. The intervals are not corrected; a star marks p < 0.05 after **Holm's correction** for these nine comparisons ([07](07_the_papers_tables.ipynb)). **Predict first:** which differences get a star?

# %%
pairs = [("discom", "discom-solo"), ("discom", "student"), ("discom-solo", "student")]
against = tables.compare(three, pairs)
check("9 comparisons of five seeds", len(against) == 9 and set(against["n"]) == {5})
against["F1 points"] = tables.points(against)
rows = ["method", "minus"]
against.pivot(index=rows, columns="modality", values="F1 points")[sensors]

# %% [markdown]
# **Reading.** None gets a star. In RGB the branch alone is 0.7 points above `student`, which is not significant among nine comparisons. `discom` is in no sensor measurably above a control.
#
# ## What did thermal change for RGB and depth?
#
# DisCoM-KD was also trained with RGB and depth alone. A seed draws the same RGB and depth images with thermal or without, so we pair three sensors with two by seed. **Predict first:** does RGB gain, and does depth?

# %%
two = tables.load_results("../results/scenes-table2.json")
solo = tables.added_sensor(three, two, ["discom-solo"])
check("a branch trained alone does not change", (solo["difference"] == 0).all())
thermal = tables.added_sensor(three, two, ["discom"])
thermal["F1 points"] = tables.points(thermal)
thermal.pivot(index="minus", columns="modality", values="F1 points")[["rgb", "depth"]]

# %% [markdown]
# **Reading.** Neither gains measurably: both intervals include zero. They leave room for a gain of one point in RGB and a loss of almost two in depth.
#
# ## And on real cells with three sensors?
#
# A flow cytometer photographed each cell in brightfield, with a DNA stain and in darkfield ([source and licence](../data/README.md)). There are four classes, 32×32 pixels, 2 382 cells for training and 690 for the test. Columns of the montages are divided as a whole, which keeps neighbouring tiles together. All runs have 30 epochs and a learning rate of 0.003 ([runs](../results/cellcycle-table2.json)).
#
# Five splits divide the same cells, so scores are not independent, and the intervals are widened ([07](07_the_papers_tables.ipynb)). `teacher` reads all three sensors, at inference too. **Predict first:** is `discom` above its controls here?

# %%
cells = tables.load_results("../results/cellcycle-table2.json")
print("train, test:", cells[0].counts["train"], cells[0].counts["test"])
f1 = tables.summary(cells, [])
f1["F1"] = f1.agg("{0[f1]:.1f} ± {0[sd]:.1f}".format, axis=1)  # sd over five splits
f1 = f1[f1["method"].isin(["teacher", "student", "discom-solo", "discom"])]
print(f1.pivot(index="modality", columns="method", values="F1").fillna(""))
against = tables.compare(cells, [("discom", "discom-solo"), ("discom", "student")])
against["F1 points"] = tables.points(against)
against.pivot(index="minus", columns="modality", values="F1 points")

# %% [markdown]
# **Reading.** `discom` is in no sensor measurably above a control here, either. Whether more can be gained is not known: the teacher is over ten points above brightfield and darkfield, but it also reads the stain.
#
# Now three sensors minus two. Runs with two exist for brightfield and stain, and for brightfield and darkfield, on the same splits. **Predict first:** the stain is the best sensor. Does it lift brightfield or darkfield when it joins?

# %%
changes = {"thermal": thermal}
for joins, other in (("darkfield", "stain"), ("stain", "darkfield")):
    pair = tables.load_results(f"../results/cellcycle-{other}-table2.json")
    changes[joins] = tables.added_sensor(cells, pair, ["discom"])
change = pd.concat(changes, names=["joins"]).reset_index()
change["holm"] = tables.holm(change["p"])  # over all six
change["F1 points"] = tables.points(change)
change.set_index(["joins", "modality"])[["F1 points", "n"]]

# %% alt="Six rows of five dots with mean and interval, DisCoM-KD with three sensors minus two. RGB and depth as thermal joins, brightfield and stain as darkfield joins, brightfield and darkfield as stain joins. All intervals include zero; those of brightfield and darkfield are the widest."
names = change["modality"] + " when " + change["joins"] + " joins"
figure = plots.forest(change.assign(row=names, modality="three sensors minus two"))
figure.axes[0].set_xlabel("F1 points, 95 % intervals; dots: seeds or splits")
_ = figure.suptitle("DisCoM-KD: no third sensor changed a score measurably")

# %% [markdown]
# **Reading.** The stain lifts neither measurably, and all six intervals include zero. Some are wide: with the stain, `discom` could still gain almost five points in brightfield.
#
# ## When should I add a sensor?
#
# - **Every image has a label, one sensor at inference:** train one network on it. DisCoM-KD gained nothing measurable here.
# - **Few labels:** see [08](08_when_a_second_sensor_helps.ipynb), on two sensors.
# - **All sensors are there at inference:** you may try one network that reads them all, and compare. On cells `teacher` reached 92.1 and the best single sensor 89.8; five splits do not settle whether that is a gain.
#
# Your own images go into `my_images/<sensor>/<class>/<name>.png`, with equal names for one scene. Train with three sensors and with two:
#
# ```bash
# discom table 2 --data my_images --modalities rgb+depth+thermal --methods student,discom-solo,discom --runs three
# discom table 2 --data my_images --modalities rgb+depth --methods student,discom-solo,discom --runs two
# ```
#
# Each prints `discom` minus both controls over five splits. Then compare three with two:
#
# ```python
# from discom import tables
# three, two = tables.load_results("three"), tables.load_results("two")
# tables.added_sensor(three, two, ["discom"])
# ```
#
# Keep the third sensor only if, for the sensor you deploy, `difference` is above 0 with `holm` below 0.05, and the printed table has `discom` measurably above both controls. [11](11_your_own_data_and_deployment.ipynb) exports the network.
#
# ## What you should see on another machine
#
# Hand values and everything from files agree to the digit. Threads, processor and versions change rounding, so expect live scores within two points of ours. A test score over three points above the best possible one would be a bug.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Four sensors, and the adversary can only guess: put $L_{adv}$ into `answer_1`. *Hint:* what does each sensor add to the sum?
# 2. **Change one thing (10 min).** With five sensors, at which p do reversal and confusion push equally hard? Into `answer_2`. *Hint:* `1 / 3` was 1/M.
# 3. **Open (30 min).** Branches of `discom-solo` never meet, yet in darkfield three minus two is not 0 when the stain joins: training drew other random numbers. What does that say about `discom`? Difference, low and high into `answer_3`. *Hint:* `pair` holds the runs without the stain; `tables.added_sensor(cells, pair, ["discom-solo"])`.
#
# Worked answers are [kept apart](solutions/py/09_more_than_two_modalities.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, 5.5452, atol=1e-3))
if answer_2 is not None:
    check("exercise 2", np.isclose(5 * answer_2, 3, atol=0.01))
if answer_3 is not None:
    check("exercise 3", np.allclose(answer_3, [-0.1, -3.9, 3.6], atol=0.06))

# %% [markdown]
# ## Summary
#
# - Eq. 3 takes any number of sensors; guessing costs M log M (*Reversal*).
# - Against a fixed adversary, reversal drives the true sensor's probability to 0, confusion to 1/M (*Confusion*).
# - In one run with three sensors, a probe named the sensor from z_inv in all cases, as before training (*Does z_inv hide its sensor?*).
# - Over five seeds or splits, neither thermal, darkfield nor the stain changed the other two measurably (*What did thermal change*, *real cells*).
#
# **Limitations.** One family of scenes, one set of cells, one small network, all labels, thirty epochs; settings chosen with two sensors, on the validation part of seed 100, which on cells holds some test cells of the five splits. On cells, changes of several points remain possible, and brightfield never joined as the third. Confusion was not trained with three sensors.
#
# **Next:** [10 segmentation](10_segmentation.ipynb); all rows: [several sensors](../docs/results/modalities.md).
#
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080), Eq. 3. Ganin et al., JMLR 2016 (reversal). Tzeng et al., ICCV 2015 (confusion). Modules `discom/losses/separate.py`, `discom/losses/disentangle.py`; tests `tests/losses/test_disentangle.py`, `tests/data/test_scenes.py`.

# %%
finish()
