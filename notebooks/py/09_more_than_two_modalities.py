# %% [markdown]
# # 09 · What changes when a third sensor joins?
#
# Nothing measurable: when thermal joins, DisCoM-KD gains 0.4 F1 points in RGB and loses 0.7 in depth, both within noise, and it does not beat its branch trained alone. You write the adversarial term for any number of sensors, train DisCoM-KD with three, and compare three with two.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/09_more_than_two_modalities.ipynb)
# · [solutions](solutions/py/09_more_than_two_modalities.py) · [the adversaries in the package](../discom/losses/adversaries.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **write** the adversarial term for any number of modalities · **tell** reversal and confusion apart by their gradients · **train** DisCoM-KD with three sensors · **compare** three sensors with two |
# | Prerequisites | [02 losses](02_model_and_losses.ipynb) (the five terms), [05 ablations](05_ablations.ipynb) (paired differences) |
# | Time | about two minutes on two CPU cores, most of them in two live runs; a GPU is used where there is one, and was not timed |
# | Memory, disk | 2 GB of memory, 30 MB of disk |
# | Data, licence | synthetic scenes and finished runs from [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date, the last one the seconds |

# %% [markdown]
# ## Why is three not just two and one more?
#
# DisCoM-KD's adversarial term asks a classifier which sensor an embedding comes from, and the encoders learn to mislead it. With two sensors, "not RGB" means "depth". With three it leaves two answers. The encoders may aim at a wrong answer, or at doubt. The paper (BMVC 2024) tests two sensors and leaves more of them open.
#
# ```text
# RGB     ─► inv │ inf │ irr ─► class        inv of all three ─► which sensor?   reversal:  a wrong answer
# depth   ─► inv │ inf │ irr ─► class                                            confusion: doubt
# thermal ─► inv │ inf │ irr ─► class
# ```
#
# At inference each branch still works alone, on one sensor.

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
from torch.nn.functional import cross_entropy

from discom import data as sets, fit, methods, plots, probing, runs as stored, tables
from discom.evaluation import inspection
from discom.config import profile as settings
from discom.losses import adversaries, disentangle
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
# drawn scenes, or after a colon arguments such as n and size; their three sensors are
# taken
data = "scenes"
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of the draw, the split, the weights and the batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data, and is it in order?
#
# Synthetic scenes with one object each. The class is a pair (shape, material), nine in all. Every sensor sees the outline. RGB shows the material as a texture, depth as a relief, thermal as one of three warmths.
#
# Each of these cues is sometimes redrawn at random. Scenes are split 2 : 1 : 2, scaled by the training part; pixels have no unit.

# %%
draw = data if ":" in data else f"{data}:n=2500"
whole = sets.load(f"{draw},seed={seed},modalities=rgb+depth+thermal")
sensors, C = list(whole.modalities), len(whole.classes)
split, M = whole.split(seed=seed), len(sensors)
for sensor, images in whole.modalities.items():
    print(f"{sensor}: {images.x.shape} {images.x.dtype}")
for name, part in split._asdict().items():
    counts = np.bincount(part.labels, minlength=C)
    print(f"{name}: {len(part.ids)} scenes, {min(counts)} to {max(counts)} of a class")
figure = plots.pairs(split.train, rows=range(6))

# %%
ids = np.concatenate([part.ids for part in split])
check("every scene is in one part", len(ids) == len(set(ids)) == len(whole))
for name, part in split._asdict().items():
    pixels = [part.images(sensor) for sensor in sensors]
    rows = [part.modalities[sensor].ids for sensor in sensors]
    check(f"{name}: every class occurs", len(np.unique(part.labels)) == C)
    check(f"{name}: row i of all sensors is one scene", (rows == part.ids).all())
    scaled = all(x.min() >= 0 and x.max() <= 1 for x in pixels)
    check(f"{name}: scaled pixels lie in [0, 1]", scaled)

# %% [markdown]
# *Figure: six training scenes under their classes; all three sensors see the outline, depth faintly; only RGB sees the texture, only depth the relief, and thermal one warmth.*
#
# ## What can each sensor know at best?
#
# A cue that is redrawn with probability ε among K = 3 materials names the right one in a share of
#
# $$
# a(\varepsilon) = 1 - \varepsilon + \frac{\varepsilon}{K}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\varepsilon$ | `redrawn` | .10 texture, .25 relief, .40 warmth |
# | $a$ | `best` | best possible accuracy of that sensor, in % |
#
# **Predict first:** the warmth is redrawn in 40 of 100 scenes. What is thermal's best possible accuracy?

# %%
redrawn = {"rgb": 0.10, "depth": 0.25, "thermal": 0.40}
cues = {"rgb": "texture", "depth": "relief", "thermal": "warmth"}
best = {s: 100 * sets.scenes.best_accuracy(e) for s, e in redrawn.items()}
f = sets.scenes.make(20_000, size=8, seed=2, modalities=["thermal"]).factors
counted = {s: 100 * (f[cue] == f["material"]).mean() for s, cue in cues.items()}
display(pd.DataFrame({"closed form": best, "20 000 scenes": counted}).round(1))
check("by hand: 1 − .4 + .4/3 = .7333", np.isclose(best["thermal"], 73.33, atol=0.01))
close = all(abs(best[s] - counted[s]) < 1 for s in sensors)
check("scenes and closed form agree within 1 point", close)

# %% [markdown]
# **Reading.** 73.3 %, not 60 %: one redrawn warmth in three is the right one by chance. These best possible scores stand beside every score below.
#
# ## Reversal: one question for any number of sensors
#
# Eq. 3 of the paper holds for any M. One linear classifier of M sensors reads $z_{inv}$, and its gradient is reversed on the way to the encoders.
#
# $$
# L_{adv} = \sum_{m=1}^{M} CE\big(Cl_{adv}(GRL(z_{inv}^m)),\, m\big)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z_{inv}^m$ | `z[m].inv` | [B, D] | the part that should not name its sensor |
# | $Cl_{adv}$ | `heads.adv` | D → M | asks "which sensor?" |
#
# **Predict first:** what is $L_{adv}$ where the classifier cannot tell anything, for M = 2 and for M = 3?

# %%
torch.manual_seed(seed)
parts = torch.randn(M, 3, 4, 8, dtype=torch.float64)  # inv, inf, irr of four rows
z = {m: Embedding(*parts[k]) for k, m in enumerate(sensors)}
heads = Heads(sensors, 8, C).double()
by_hand = 0.0
for number, m in enumerate(sensors):
    logits = heads.adv(z[m].inv)  # [4, M]
    by_hand = by_hand + cross_entropy(logits, torch.full((4,), number))
package = disentangle.adversarial_loss(z, heads)
check("by hand, the package gives the same", torch.isclose(by_hand, package))

# %%
for parameter in heads.adv.parameters():
    parameter.data.zero_()
blind = disentangle.adversarial_loss(z, heads).item()
print(f"three sensors {blind:.4f}, two {2 * np.log(2):.4f}")
check("by hand: 3 log 3 = 3.2958", np.isclose(blind, 3.2958, atol=1e-4))

# %% [markdown]
# **Reading.** M log M: 1.3863 for two sensors and 3.2958 for three. Curves of this term are therefore comparable only between runs with equally many sensors.
#
# ## Confusion: aim at doubt
#
# The classifier learns as before, on embeddings that pass no gradient (sg). The encoders see it with frozen weights (*) and make its answer uniform (Tzeng et al., 2015):
#
# $$
# L_{conf} = \sum_m CE\big(Cl_{adv}(\mathrm{sg}\,z_{inv}^m), m\big) + \lambda \sum_m -\frac{1}{M} \sum_k \log p_k^*(z_{inv}^m)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $p^*_k$ | `p` | probability of sensor k by the frozen classifier |
# | $t$ | `t` | a logit that the encoder can move: logits (t, 0, 0) |
#
# Let the true sensor be the first. **Predict first:** which value of $p_1$ does reversal push towards, and which one confusion?

# %%
t = torch.linspace(-6, 6, 49, dtype=torch.float64)[:, None]  # [49, 1]
p = (t.exp() / (t.exp() + 2))[:, 0].numpy()
heads = Heads(sensors, 1, C).double()
heads.adv.weight.data = torch.eye(M, 1, dtype=torch.float64)  # logits (t, 0, 0)
heads.adv.bias.data.zero_()


def push(loss):
    """The gradient of the loss for t, at every t."""
    first = t.clone().requires_grad_()
    z = dict.fromkeys(sensors, Embedding(torch.zeros_like(t), None, None))
    z[sensors[0]] = Embedding(first, None, None)
    (gradient,) = torch.autograd.grad(loss(z, heads), first)
    return len(t) * gradient[:, 0].numpy()  # the loss is a mean over rows


# %%
reversal = push(disentangle.adversarial_loss)
confusion = push(adversaries.confusion_loss)
check("reversal: the gradient is 1 − p, by hand", np.allclose(reversal, 1 - p))
check("confusion: it is p − 1/3, by hand", np.allclose(confusion, p - 1 / 3))
minimax = push(adversaries.minimax_loss)
check("the alternating adversary pushes as reversal does", np.allclose(minimax, 1 - p))

# %%
figure, axis = plt.subplots(figsize=(6.2, 3.1), layout="constrained")
axis.plot(p, reversal, color="black", label="reversal")
axis.plot(p, confusion, color="black", linestyle="--", label="confusion")
axis.axhline(0, color="grey", linewidth=0.8)
axis.axvline(1 / 3, color="grey", linewidth=0.8, linestyle=":")
axis.set(xlabel="probability of the true sensor, p", ylabel="gradient for its logit t")
axis.set_title("Confusion turns round at p = 1/3; reversal pushes on to p = 0")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# *Figure: gradient for the true sensor's logit over its probability; solid reversal, dashed confusion, dotted p = 1/3.*
#
# **Reading.** Reversal pushes towards p = 0, confusion towards 1/3. At p = 0 the classifier excludes the true sensor, and a new classifier can use that to name it. At p = 1 reversal's gradient vanishes and confusion's is largest.
#
# The package has a third form, `adversary="alternating"`. It pushes the encoders as reversal does, but its classifier has an optimizer of its own and takes five steps before each of theirs.
#
# ## What does a third sensor cost?
#
# **Predict first:** how many numbers does it add to the adversary, and how many to the deployed RGB branch?

# %%
def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


config, sizes = settings(profile, seed=seed), {}
for names in (sensors[:2], sensors):
    model = methods.build(methods.DisCoMKD, split.train.select(names), config)
    sizes["+".join(names)] = {
        "trained": count(model),
        "adversary": count(model.model.heads.adv),
        "deployed, rgb": count(model.branch("rgb")),
    }
sizes = pd.DataFrame(sizes).T.rename_axis("parameters")
display(sizes)
check("the deployed branch stays as it is", sizes["deployed, rgb"].nunique() == 1)

# %%
batch = next(sets.Batches(split.train, 32, seed).epoch(0))
terms = model.loss(batch)
start = {"cl": M * np.log(C), "adv": M * np.log(M), "mod": 2 * M * np.log(M)}
for term, value in start.items():
    near = abs(terms[term].item() / value - 1) < 1 / 3
    check(f"untrained, {term} is within a third of {value:.2f}", near)

# %% [markdown]
# **Reading.** The adversary grows by one output, a row of D weights and a bias. The deployed branch does not grow. What a third sensor costs is training its own branch.
#
# ## Two live runs: with the others, and alone
#
# `discom-solo` is the same branch trained on its own sensor alone: the control of equal size. Split, epochs, batches and initial weights are the same. The epoch kept is the best on validation; each run reads the test part once.
#
# **Predict first:** which sensor comes closest to its best possible score?

# %%
live, curves = {}, {}
for method in (methods.DisCoMSolo, methods.DisCoMKD):
    run = stored.Run.of(runs, method, whole, config)
    live[method.name] = fit(method, split, run.config, run.folder, progress=False)
    curves[method.name] = stored.read_metrics(run.folder / "metrics.csv")
figure = plots.curves(curves)

# %%
score = pd.DataFrame({name: result.f1 for name, result in live.items()}).T
score.loc["chance"] = 100 / C
score.loc["best possible"] = best
display(score.round(1).rename_axis("weighted F1, one seed"))
for name, result in live.items():
    for sensor, values in result.scores.items():
        highest = curves[name][f"valid_f1/{sensor}"].max()
        kept = values["valid_f1"] == highest
        check(f"{name}, {sensor}: the kept epoch is the best on validation", kept)

# %% [markdown]
# *Figure: training loss, whose scale differs because the losses do, and validation F1 of each sensor, for the branch alone and with the others.*
#
# **Reading.** Thermal comes closest to its best possible score, within about a point. RGB stays some ten points below its own and depth nearly twenty, as these runs have half the training scenes of those below. The two methods are within a few points of each other. One seed ranks nothing; five follow below.
#
# ## Does z_inv hide its sensor?
#
# A linear classifier trained along with the encoders may fail while a new one succeeds. So we fit a fresh probe to the training embeddings and score it on the test part. **Predict first:** how often does it name the right one of three sensors from z_inv?

# %%
arrays, probed = inspection.embeddings(run.folder, split), {}
for key in ("inv", "inf", "irr"):
    test = {s: arrays["test"][s][key] for s in sensors}
    train = {s: arrays["train"][s][key] for s in sensors}
    probe = probing.modality_probe(test, train=train)
    probed[f"z_{key}"] = [probe.score, probe.shuffled, probe.chance]
columns = ["named by the probe", "shuffled sensors", "chance"]
probed = pd.DataFrame(probed, index=columns).T.rename_axis("accuracy (%)")
display(probed.round(1))
control = abs(probed["shuffled sensors"] - probed["chance"])
check("with shuffled sensors the probe is near chance", control.max() < 8)

# %% [markdown]
# **Reading.** In 100 of 100 cases, where chance is 33: the reversal has not hidden the sensor.
#
# ## Does a third sensor help, over five seeds?
#
# No: neither RGB nor depth changes beyond noise. The runs stand in [scenes-thermal-table2.json](../results/scenes-thermal-table2.json): the `cpu` profile, some 2 000 training scenes and five seeds, each with scenes of its own.
#
# `adversary=alternating` trains the classifier of the sensors in steps of its own. Δ is the row minus the column, paired by seed, with a 95 % Student-t interval. **Predict first:** which Δ to `discom-solo` excludes zero?

# %%
folder, bases = Path("../results"), ("student", "discom-solo")
three = tables.load_results(folder / "scenes-thermal-table2.json")
table = tables.summary(three, bases)
table["best"] = table["modality"].map(best)
display(Markdown(tables.to_markdown(table, bases)))
figure = plots.intervals(table, bases)

# %% [markdown]
# *Figure: each method minus the student and minus the branch alone, in F1 points, a panel for each sensor; dots are means of five seeds with 95 % intervals.*
#
# **Reading.** In RGB, the branch alone is 0.7 points above the student, and the alternating adversary costs 1.1 points against the branch alone and 0.4 against the student; every other Δ includes zero. One in twenty intervals between equal methods would exclude it by chance. Thermal is as good as it can be (73 of 73), RGB is three points from its best score and depth eight.
#
# Two sensors or three? [scenes-table2.json](../results/scenes-table2.json) has the same methods with RGB and depth alone, and a seed draws the same RGB and depth images in both files. So three minus two is a paired difference. **Predict first:** does RGB or depth gain more from thermal, and what is the difference for `discom-solo`, whose branches never meet?

# %%
pair = sets.scenes.make(50, size=8, seed=seed)
trio = sets.scenes.make(50, size=8, seed=seed, modalities=sensors)
for sensor, images in pair.modalities.items():
    same = np.array_equal(images.x, trio.modalities[sensor].x)
    check(f"a seed draws the same {sensor} images, with thermal or without", same)

# %%
both = tables.load_results(folder / "scenes-table2.json")
for result in three:
    label = tables.label(result.method, result.config["options"])
    both.append(replace(result, data="scenes", method=f"{label} of three"))
questions = [
    ("discom", "discom-solo"),
    ("discom of three", "discom-solo of three"),
    ("discom of three", "discom"),
    ("discom-solo of three", "discom-solo"),
]
compared = tables.compare(both, questions).drop(columns=["data", "p", "each"])
display(compared.set_index(["method", "minus", "modality"]).round(2))

# %% [markdown]
# **Reading.** Neither with one other sensor nor with two is DisCoM-KD above its branch alone. Thermal's part is +0.4 points in RGB and -0.7 in depth, and both intervals include zero. For `discom-solo` the difference is exactly 0: each branch has random numbers of its own, so a further sensor does not even change its luck. `holm` is the p-value after correction for all rows of the table.
#
# ## What you should see, and what would be a bug
#
# Hand values, gradients and blind values hold everywhere; the tables of the last section are read from files. In the `cpu` profile expect the live runs within some five points of those shown here: RGB 82, depth 66 and thermal 72 for `discom-solo`, and the same within noise for `discom`.
#
# A bug looks different: a blind value that is not 3 log 3, a deployed branch that grows with the number of sensors, or a score above its best possible one by more than three points.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Four sensors, and the classifier cannot tell anything: the value of Eq. 3 into `answer_1`. *Hint:* what does each sensor cost?
# 2. **Change one thing (10 min).** For which probability p of the true sensor do reversal and confusion push equally hard, with M = 3? Into `answer_2`. *Hint:* the two gradients of the figure.
# 3. **Open (30 min+).** Does the adversary matter at all here? Train `discom` with `weights={"adv": 0}` on three seeds or more; the differences to `discom` of one sensor into `answer_3`. *Hint:* as in *And in a trained network?* of [05](05_ablations.ipynb).
#
# Worked answers are [kept apart](solutions/py/09_more_than_two_modalities.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, 4 * np.log(4), atol=1e-3))
if answer_2 is not None:
    check("exercise 2", np.isclose(1 - answer_2, answer_2 - 1 / 3, atol=1e-3))
if answer_3 is not None:
    check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())

# %% [markdown]
# ## What to take along
#
# - Eq. 3 takes any number of sensors; its blind value M log M grows with M (*Reversal*).
# - Reversal pushes on past doubt, confusion stops at it (*Confusion*).
# - A further sensor costs a branch in training and nothing at inference (*What does a third sensor cost?*).
# - Over five seeds, a third sensor adds nothing measurable to RGB or depth, and a probe still names the sensor from z_inv (*Does a third sensor help, over five seeds?*).
#
# **Limitations.** One family of synthetic scenes and one small network. Thermal shows the material as one brightness, which is easy to learn; a sensor with a harder cue may act differently. Confusion has no row of five seeds.
#
# **Next:** [10 segmentation](10_segmentation.ipynb).

# %% [markdown]
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD: Cross-Modal Knowledge Distillation via Disentanglement Representation and Adversarial Learning*, BMVC 2024, arXiv 2408.07080, Eq. 3 · Y. Ganin et al., *Domain-adversarial training of neural networks*, JMLR 2016 (reversal) · E. Tzeng et al., *Simultaneous deep transfer across domains and tasks*, ICCV 2015 (confusion) · I. Goodfellow et al., *Generative adversarial nets*, NeurIPS 2014 (alternating steps). Code: `discom/losses/adversaries.py`, `discom/losses/disentangle.py`, `discom/data/scenes/single.py`; tests: `tests/losses/test_disentangle.py`, `tests/data/test_scenes.py`. Scenes: synthetic, MIT.

# %%
key = {f"F1 {name} {s}": r.f1[s] for name, r in live.items() for s in sensors}
finish(**key)
