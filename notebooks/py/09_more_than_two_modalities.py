# %% [markdown]
# # 09 · What changes when a third sensor joins?
#
# You extend the adversarial term to three sensors, compare its two forms, and ask whether a third sensor helps the other two.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/09_more_than_two_modalities.ipynb)
# · [solutions](solutions/py/09_more_than_two_modalities.py) · [the adversaries in the package](../discom/losses/adversaries.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** the adversarial term for any number of sensors · **tell** reversal and confusion apart by their gradients · **train** DisCoM-KD with three sensors · **judge** what a third sensor changed |
# | Prerequisites | [02 losses](02_model_and_losses.ipynb), [03 training](03_training.ipynb) (controls, paired seeds), [06](06_what_the_embeddings_hold.ipynb) (probes) |
# | Time | four to five minutes on one CPU core, most of it in one live run; a GPU is used where there is one |
# | Memory, disk | 2 GB of memory, 50 MB of disk |
# | Data, licence | synthetic scenes drawn here, and finished runs in [results/](../results/README.md), MIT; the cells of those runs are by T. Blasi et al., 2016 (BSD-3-Clause); nothing is downloaded |
# | Stored outputs | one run from top to bottom; machine, versions and date in the fourth code cell, seconds in the last |
#
# ## The answer: nothing measurable for the other two
#
# DisCoM-KD trains a network for each sensor, its **branch**, side by side and without a teacher. A branch divides its embedding into three parts, meant to be **invariant** (z_inv, the same in all sensors), **informative** (z_inf, the sensor's own and useful) and **irrelevant** (z_irr). The class is read from z_inv and z_inf. In training, shared classifiers connect the branches; at inference each works alone.
#
# **When thermal joined RGB and depth, neither changed measurably: five seeds of synthetic scenes. No DisCoM-KD branch was measurably above the same branch trained alone.** On real cells with three sensors none was either.
#
# ![Three branches, RGB, depth and thermal, with the parts irr, inf and inv. The class is read from inf and inv. One classifier with three outputs asks which sensor inv comes from, in training only. Below: three sensors minus two, RGB +0.4 from −0.2 to +1.0, depth −0.7 from −1.9 to +0.4 F1 points.](../docs/_static/third-sensor.svg)
#
# **For you:** with a label for every image, do not add a sensor for accuracy's sake without measuring it. *When should I add a sensor?* has the commands for your own images.

# %%
import os

ref, url = "v0.1.0", "https://github.com/discom-kd/discom"  # ref: a tag or a branch
try:
    import discom.config
except ImportError:  # on Colab: this tag or, where there is none, main; its torch stays
    # !git clone -q --depth 1 -b {ref} {url} 2> /dev/null || git clone -q --depth 1 {url}
    # !pip list --format=freeze | grep -E "^(torch|torchvision|numpy)=" > kept.txt
    # %pip install -q -c kept.txt "./discom[deploy]"
    import discom.config
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %%
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from discom import data as sets, fit, methods, plots, probing, runs as stored, tables
from discom.config import profile as settings
from discom.data.batches import Images
from discom.evaluation import inspection, scores as scoring
from discom.losses import adversaries, disentangle
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # or after a colon n and size; its three sensors are taken
profile = "cpu"  # tiny (seconds, scores mean nothing) or cpu (minutes)
seed = 0  # of scenes, split, weights, batches and probes
runs = "runs"  # folder of the networks that are trained here

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which scenes?
#
# A synthetic scene shows one object. Its class is a pair of shape and material, nine in all. All sensors see the outline. RGB sees the material as a texture, depth as a relief, thermal as one of three warmths.
#
# Each of these cues is sometimes **redrawn**: replaced by that of a random material. Scenes are split 2 : 1 : 2 by id, so all images of a scene stay in one part.

# %% alt="Six scenes, RGB above depth above thermal. RGB shows textured objects, depth noisy reliefs with black holes, thermal objects of even brightness."
source = f"{data}{',' if ':' in data else ':'}modalities=rgb+depth+thermal"
whole = sets.load(sets.at_seed(source, seed))  # every seed draws its own scenes
split, sensors = whole.split(seed=seed), list(whole.modalities)
M, C = len(sensors), len(whole.classes)
for name, part in split._asdict().items():
    shapes = [view.x.shape for view in part.modalities.values()]
    print(name, shapes, "per class", np.bincount(part.labels))
figure = plots.pairs(split.train, rows=range(6))
_ = figure.suptitle("One object, three cues to its material")

# %%
ids = np.concatenate([part.ids for part in split])
check("no scene is in two parts", len(set(ids)) == len(ids) == len(whole))
for name, part in split._asdict().items():
    same = all((view.ids == part.ids).all() for view in part.modalities.values())
    check(f"{name}: row i is the same scene in all sensors", same)

# %% [markdown]
# ## How well can each sensor do at best?
#
# If a cue is redrawn with probability ε, it still names the right one of three materials by luck:
#
# $$
# a(\varepsilon) = 1 - \varepsilon + \frac{\varepsilon}{3}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\varepsilon$ | `redrawn` | 0.10 texture, 0.25 relief, 0.40 warmth |
# | $a$ | `best` | best possible accuracy, here in % |
#
# **Predict first:** the warmth is redrawn in 40 of 100 scenes. What is thermal's best possible accuracy?

# %%
redrawn = {"rgb": 0.10, "depth": 0.25, "thermal": 0.40}
best = {s: 100 * (1 - e + e / 3) for s, e in redrawn.items()}
package = sets.scenes.best_scores(whole.name)
check("the package agrees", all(np.isclose(best[s], package[s]) for s in sensors))
pd.Series(best, name="best possible accuracy (%)").round(1)

# %% [markdown]
# **Reading.** 73.3 %, since one redrawn warmth in three is right by chance.
#
# ## Reversal: does Eq. 3 hold for three?
#
# A linear classifier, the **adversary**, reads z_inv and learns to name its sensor. On the way back to the encoders a gradient reversal layer (GRL) turns the sign of the gradient, so they learn to mislead it. The cross-entropy CE is averaged over the batch:
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
# | GRL | `reverse_gradient` | – | the identity; back, minus the gradient |
#
# **Predict first:** what is $L_{adv}$ if the adversary can only guess, for M = 2 and for M = 3?


# %%
def reversal(z, heads):
    total = 0.0
    for number, part in enumerate(z.values()):
        logits = heads.adv(disentangle.reverse_gradient(part.inv))  # [B, M]
        total += F.cross_entropy(logits, torch.full((len(logits),), number))
    return total


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
# **Reading.** M log M. The equation needs no change for a third sensor. To compare its values between two and three, divide by M log M.
#
# ## Confusion: where should the encoders aim?
#
# With two sensors, "not RGB" means "depth". With three it leaves two answers. Reversal pushes away from the true sensor; the **confusion** loss (Tzeng et al., 2015) pulls towards 1/M for each:
#
# $$
# L_{conf} = \sum_m \mathrm{CE}\big(\mathrm{Cl}_{adv}(\mathrm{sg}\, z_{inv}^m), m\big) - \frac{1}{M} \sum_m \sum_k \log p_k(z_{inv}^m)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | sg | `detach()` | – | stops the gradient: the first sum trains the adversary alone |
# | $p_k$ | `log_p` | [B, M] | probability of sensor $k$, adversary's weights frozen: the second sum trains the encoders alone |
#
# **Predict first:** let $p$ be the probability of the true sensor. Towards which $p$ does each loss push the encoders?


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


package = adversaries.confusion_loss(z, heads)
check("the package gives the same", torch.isclose(confusion(z, heads), package))
check("guessing: 2 · 3 log 3", np.isclose(confusion(z, guess).item(), 6 * np.log(3)))

# %% [markdown]
# To see the push, let the embedding be one number t, the logit of the true sensor. The other logits are 0.

# %%
t = torch.linspace(-6, 6, 49, dtype=torch.float64)[:, None]  # [49, 1]
p = (t.exp() / (t.exp() + 2))[:, 0].numpy()
toy = Heads(sensors, 1, C).double()
toy.adv.weight.data = torch.eye(M, 1, dtype=torch.float64)  # logits (t, 0, 0)
toy.adv.bias.data.zero_()


def push(loss):
    """How descent moves t: minus the gradient, at every t."""
    moved, still = t.clone().requires_grad_(), torch.zeros_like(t)
    z = dict.fromkeys(sensors, Embedding(still, None, None))
    z[sensors[0]] = Embedding(moved, None, None)
    (gradient,) = torch.autograd.grad(loss(z, toy), moved)
    return -len(t) * gradient[:, 0].numpy()  # the loss is a mean over rows


check("reversal pushes with p − 1", np.allclose(push(reversal), p - 1))
check("confusion pushes with 1/3 − p", np.allclose(push(confusion), 1 / 3 - p))

# %% alt="Push on the true sensor's logit over its probability p. Reversal, solid, is negative everywhere and largest at p = 0. Confusion, dashed, is positive below one third, zero at one third and negative above."
figure, axis = plt.subplots(figsize=(6.2, 3.4), layout="constrained")
axis.plot(p, push(reversal), "k-", label="reversal")
axis.plot(p, push(confusion), "k--", label="confusion")
axis.axhline(0, color="0.5", lw=0.8)
axis.axvline(1 / 3, color="0.5", lw=0.8, ls=":")
axis.set(xlabel="probability p of the true sensor", ylabel="push on its logit")
axis.set_title("Confusion stops at p = 1/3; reversal pushes on to 0")
_ = axis.legend(frameon=False)

# %% [markdown]
# **Reading.** Reversal towards 0, confusion towards 1/3. A negative push lowers p.
#
# An embedding with p = 0 does not hide its sensor: if only RGB images are surely "not RGB", a new classifier can use this. The finished runs below have reversal, and `adversary=alternating`: the same push, but the adversary takes five steps before each step of the encoders.
#
# ## What does a third sensor cost?
#
# **Predict first:** how many numbers does it add to the adversary, and how many to the deployed RGB branch?


# %%
def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


config = settings(profile, seed=seed)
built, sizes = {}, {}
for k in (2, 3):
    train = split.train.select(sensors[:k])
    for method in (methods.DisCoMSolo, methods.DisCoMKD):
        built[method.name, k] = model = methods.build(method, train, config)
    parts = model, model.model.heads.adv, model.branch("rgb")
    sizes[f"{k} sensors"] = [count(part) for part in parts]
pd.DataFrame(sizes, ["in training", "adversary", "deployed RGB branch"]).T

# %% [markdown]
# **Reading.** 65, one output with 64 weights and a bias; none. Training has half as many parameters again, inference no more.
#
# ## Does it learn?
#
# One live run of DisCoM-KD with three sensors and the paper's adversary, reversal: seed 0 of the five finished runs, trained again. All have 30 epochs and a learning rate of 0.01. Each branch keeps its best epoch on validation; the test part is read once, after every choice. Before training, the classifiers of class and sensor guess, so three losses are known. (`mod` asks for the sensor, of z_inf and of z_irr.)
#
# **Predict first:** which sensor comes closest to its best possible score?

# %%
batch = next(sets.Batches(split.train, 128, seed).epoch(0))
terms = built["discom", 3].loss(batch)
guessing = {"cl": M * np.log(C), "adv": M * np.log(M), "mod": 2 * M * np.log(M)}
ratio = pd.Series({k: terms[k].item() / value for k, value in guessing.items()})
print("loss before training over guessing:", ratio.round(2).to_dict())
check("all within 15 % of guessing", (ratio - 1).abs().max() < 0.15)

# %%
folder = stored.Run.of(runs, methods.DisCoMKD, whole, config).folder
live = fit("discom", split, config, folder, progress=False)
curves = stored.read_metrics(folder / "metrics.csv")

# %% alt="Validation F1 over epochs, a panel for each sensor. The curve of thermal ends at its dotted best possible score, those of RGB and depth below."
figure, axes = plots.look.panels(1, 3, 7.5, 2.8, sharey=True)
for axis, sensor in zip(axes[0], sensors, strict=True):
    axis.plot(curves["epoch"], curves[f"valid_f1/{sensor}"], "k-")
    axis.axhline(best[sensor], color="0.5", ls=":")
    axis.set(title=sensor, xlabel="epoch")
axes[0, 0].set_ylabel("validation F1 × 100")
_ = figure.suptitle("Thermal reaches its best possible score (dotted)")

# %%
three = tables.load_results("../results/scenes-thermal-table2.json")
seeds = pd.DataFrame({run.seed: run.f1 for run in three if run.label == "discom"}).T
score = pd.DataFrame({"live run": live.f1, "finished run, seed 0": seeds.loc[0]}).T
score.loc["five finished runs, mean"] = seeds.mean()
score.loc["five finished runs, sd"] = seeds.std()
score.loc["chance"] = 100 / C
score.loc["best possible"] = best
for sensor, values in live.scores.items():
    kept = values["valid_f1"] == curves[f"valid_f1/{sensor}"].max()
    check(f"{sensor}: the kept epoch is the best on validation", kept)
score.round(1)

# %% [markdown]
# **Reading.** Thermal, which is at its best possible score. RGB stays about four points below its own, depth about eight. One run ranks no method; five seeds follow below.
#
# ## Does z_inv hide its sensor?
#
# An adversary trained along with the encoders may fail where a new classifier succeeds. So we fit a **probe**, a new linear classifier, to z_inv of four fifths of the test scenes and score it on the last fifth, five times over. All images of a scene share a fold. The training part only gives each unit's mean and spread.
#
# References: the network before its first step, and finished runs with two sensors, with and without the adversary (`adv=0`).
#
# **Predict first:** how often does the probe name the right one of three sensors?

# %%
z = {"live run": inspection.embeddings(folder, split), "untrained": {}}
for rows, sensor in product(("train", "test"), sensors):
    images = Images(getattr(split, rows), sensor, "cpu")
    vectors = scoring.embed(built["discom", 3], sensor, images)
    z["untrained"].setdefault(rows, {})[sensor] = vectors
probed = {}
for name, arrays in z.items():
    test, train = ({s: arrays[r][s]["inv"] for s in sensors} for r in ("test", "train"))
    probe = probing.modality_probe(test, train=train, seed=seed)
    probed[name] = probe.score, probe.shuffled, probe.chance
probed = pd.DataFrame(probed, ["named by the probe", "shuffled sensors", "chance"]).T
off = (probed["shuffled sensors"] - probed["chance"]).abs().max()
noise = 400 * np.sqrt(2 / 9 / (M * len(split.test)))  # four standard errors
check("with shuffled sensors the probe is near chance", off < noise)

# %%
finished = pd.read_json("../results/scenes-probes.json").to_dict("records")
finished = pd.json_normalize(finished).set_index("method")["modality.z_inv.score"]
two = finished[["discom", "discom adv=0"]].groupby("method")
print("two sensors, ten seeds, chance 50 %:")
print(two.agg(["count", "min", "max"]).round(1))
probed.rename_axis("three sensors, one seed (%)").round(1)

# %% [markdown]
# **Reading.** In 100.0 % of the images. But it does so before the first step, too, and with two sensors also without the adversary. Images and branches differ from the start, and training with reversal has not removed the sensor.
#
# ## Does DisCoM-KD with three sensors beat a control?
#
# The finished runs have about 2 000 training scenes and five seeds, each with scenes of its own. Two controls see one sensor only:
#
# | method | other sensors in training | size of a branch |
# |---|---|---|
# | `student`: one ordinary network | no | half |
# | `discom-solo`: the branch alone, without the shared classifiers of the sensor | no | as DisCoM-KD |
#
# We subtract F1 scores of the same seed, with 95 % Student-t intervals. **Holm's correction** for these 15 comparisons decides ([07](07_the_papers_tables.ipynb)): a difference is significant if its corrected p-value, `holm`, is below 0.05.
#
# **Predict first:** which of the 15 are significant?

# %%
pairs = [("discom", "discom-solo"), ("discom adversary=alternating", "discom-solo")]
pairs += [(method, "student") for method, _ in pairs] + [("discom-solo", "student")]
against = tables.compare(three, pairs)
check("15 comparisons of five seeds", len(against) == 15 and set(against["n"]) == {5})
table = tables.summary(three, [])
table["F1"] = table.agg("{0[f1]:.1f} ± {0[sd]:.1f}".format, axis=1)
print(table.pivot(index="method", columns="modality", values="F1")[sensors])
against.drop(columns=["data", "n", "p", "each"]).round(3)


# %% [markdown]
# **Reading.** One, and it is a loss: in RGB the alternating adversary is 1.1 points below the branch alone. `discom` is in no sensor significantly above a control.
#
# In thermal there is no room for a gain: every method is within half a point of the best possible 73.3. In RGB and depth there is, but the intervals of `discom` minus `discom-solo` end at +0.6 and +0.2.
#
# ## What did thermal change for RGB and depth?
#
# DisCoM-KD was also trained with RGB and depth alone, in both forms. A seed draws the same RGB and depth images with thermal or without, so three minus two is a paired difference, over the five seeds that both files have. **Predict first:** does RGB gain, and does depth?

# %%
both = tables.load_results("../results/scenes-table2.json")
for run in three:
    both.append(replace(run, data="scenes", method=f"{run.label}, three"))
solo = tables.compare(both, [("discom-solo, three", "discom-solo")])
check("the branch alone never meets thermal", (solo["difference"] == 0).all())
forms = "discom", "discom adversary=alternating"
change = tables.compare(both, [(f"{form}, three", form) for form in forms])
change.drop(columns=["data", "each"]).round(3)

# %% alt="Ten rows of five open circles with mean and interval. DisCoM-KD minus the branch alone includes zero in all sensors; the alternating adversary lies one point below zero in RGB; three sensors minus two includes zero in both."
part = pd.concat([against[against["minus"] == "discom-solo"], change])
names = part["modality"] + ": " + part["method"] + " − " + part["minus"]
names = names.str.replace("discom adversary=", "")
names = names.str.replace("three − .*", "three − two", regex=True)
figure, axis = plt.subplots(figsize=(6.2, 5), layout="constrained")
for place, row in enumerate(part.itertuples()):
    axis.plot(row.each, [place] * row.n, "ko", mfc="none", ms=4, alpha=0.5)
    half = row.high - row.difference
    axis.errorbar(row.difference, place, xerr=half, fmt="ks", capsize=4)
axis.axvline(0, color="0.5", lw=0.8, ls=":")
axis.axhline(5.5, color="0.5", lw=0.8)  # above methods, below three minus two
axis.set_yticks(range(len(part)), names)
axis.invert_yaxis()
axis.set_xlabel("F1 points: five seeds, mean, 95 % interval")
_ = axis.set_title("No gain; alternating loses a point in RGB", loc="right")

# %% [markdown]
# **Reading.** Neither, measurably: in four comparisons no difference is significant. By the intervals, a gain of one point in RGB is not ruled out.
#
# ## And on real cells with three sensors?
#
# A flow cytometer photographed each cell in brightfield, with a DNA stain and in darkfield ([source and licence](../data/README.md)). There are four classes, 32×32 pixels, about 2 400 cells for training and 670 for the test. The runs are five splits of the same cells, by columns of neighbours, so the intervals are widened ([07](07_the_papers_tables.ipynb)). The best possible score is unknown; `teacher` reads all three sensors.
#
# **Predict first:** the stain shows the phase best. Does it lift brightfield or darkfield?

# %%
cells = tables.load_results("../results/cellcycle-table2.json")
print("train, test:", cells[0].counts["train"], cells[0].counts["test"])
f1 = tables.summary(cells, [])
f1["F1"] = f1.agg("{0[f1]:.1f} ± {0[sd]:.1f}".format, axis=1)
print(f1.pivot(index="method", columns="modality", values="F1").fillna(""))
against = tables.compare(cells, [("discom", name) for name in tables.BASELINES])
against["points"] = tables.points(against)
against.pivot(index="minus", columns="modality", values="points")

# %% [markdown]
# **Reading.** Neither, measurably. A teacher of all three reaches 92.1, far above brightfield and darkfield alone. DisCoM-KD gains nothing measurable of that over its branch alone: every interval includes zero, and those of brightfield and darkfield leave room for a gain of three to four points.
#
# ## When should I add a sensor?
#
# - **Every image has a label, one sensor at inference:** train one network on it. These runs show no reason for a second sensor.
# - **Few labels:** see [08](08_when_a_second_sensor_helps.ipynb), which measured two sensors.
# - **You need a part that hides the sensor:** do not rely on z_inv; probe it.
# - **All sensors are there at inference:** a network that reads them all, such as `teacher`, is the usual choice; it was not trained here.
#
# On your own images: put them into `my_images/<sensor>/<class>/<name>.png`, with equal names for one scene. Train three sensors and the controls, then two:
#
# ```bash
# discom table 2 --data my_images --methods student,discom-solo,discom
# discom table 2 --data my_images --methods student,discom-solo,discom --modalities rgb+depth
# ```
#
# Both print intervals against both controls over five splits. Keep the third sensor only if the whole interval of `discom` minus `discom-solo` is above 0 with it. [11](11_your_own_data_and_deployment.ipynb) leads from folders to an exported network.
#
# ## What you should see on another machine
#
# Hand values and everything from files agree to the digit. Live scores depend on processor, threads and versions. Expect the live run within two points of seed 0 of the finished runs. A score over three points above the best possible one would be a bug.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Four sensors, and the adversary can only guess. The value of $L_{adv}$ into `answer_1`. *Hint:* what does each sensor add to the sum?
# 2. **Change one thing (10 min).** With five sensors, at which p do reversal and confusion push equally hard? Into `answer_2`. *Hint:* `1 / 3` was 1/M.
# 3. **Open (30 min+).** Does the adversary matter with three sensors? Train `discom` with and without it on three seeds or more. The differences in one sensor into `answer_3`. *Hint:* `replace(config, seed=k, options={"weights": {"adv": 0}})`, and new scenes for each k as in *Which scenes?*
#
# Worked answers are [kept apart](solutions/py/09_more_than_two_modalities.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, 5.5452, atol=1e-3))
if answer_2 is not None:
    check("exercise 2", np.isclose(5 * answer_2, 3, atol=0.01))
if answer_3 is not None:
    check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())

# %% [markdown]
# ## Summary
#
# - Eq. 3 takes any number of sensors; guessing costs M log M (*Reversal*).
# - Reversal pushes the true sensor's probability to 0, confusion to 1/M (*Confusion*).
# - A further sensor costs a branch in training and nothing at inference (*What does a third sensor cost?*).
# - In one run with three sensors a linear probe named the sensor from z_inv in all cases, as it did before training (*Does z_inv hide its sensor?*).
# - Over five seeds DisCoM-KD with three sensors is not significantly above a control; its alternating form is one point below the branch alone in RGB (*beat a control*).
# - Over the same seeds thermal changed neither RGB nor depth significantly (*What did thermal change*). On cells the third sensor adds nothing measurable either (*real cells*).
#
# **Limitations.** One family of synthetic scenes and one set of cells, one small network, all labels, five seeds; settings chosen with two sensors. Thermal's cue is easy to learn. Confusion was not trained with three sensors, nor `student-2x` on scenes.
#
# **Next:** [10 segmentation](10_segmentation.ipynb). All rows with three sensors: [several sensors](../docs/results/modalities.md).
#
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080), Eq. 3; the paper's tables have two sensors. Y. Ganin et al., *Domain-adversarial training of neural networks*, JMLR 2016 (reversal). E. Tzeng et al., *Simultaneous deep transfer across domains and tasks*, ICCV 2015 (confusion). I. Goodfellow et al., *Generative adversarial nets*, NeurIPS 2014 (alternating steps). Modules `discom/losses/adversaries.py`, `discom/losses/disentangle.py`, `discom/evaluation/probing.py`; tests `tests/losses/test_disentangle.py`, `tests/data/test_scenes.py`.

# %%
finish()
