# %% [markdown]
# # 05 · Which of five losses does the work?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/05_ablations.ipynb) · [solutions](solutions/py/05_ablations.py)
#
# In [03](03_training.ipynb) you trained DisCoM-KD with five losses at once, and it gained nothing. Perhaps one helps and another spoils it.
#
# So build a **ladder**. The lowest rung is the student, the next the branch of DisCoM-KD. Then one loss comes in at a time, up to DisCoM-KD. Every rung trains on the same scenes, from the same seed, for ten epochs.
#
# **Write down a guess:** which step helps depth most? Does one do harm?
#
# Then look into the code that its authors released. It differs from their paper, in two of the five losses.
#
# | At a glance | |
# |---|---|
# | You will | **climb** a ladder of losses · **test** what a short training says about a loss · **find** two dead losses by hand |
# | You need | [02](02_model_and_losses.ipynb) and [03](03_training.ipynb): the five losses and the loop |
# | Time, memory | five minutes on one CPU core, 2 GB |
# | Data, licence | scenes drawn here, MIT |

# %% jupyter={"source_hidden": true} tags=["hide-input"]
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

# %% tags=["parameters"]
data = "objects"  # drawn with the seed
seed = 0  # of scenes, weights and batches
epochs = 10  # each shows every scene once
profile = "cpu"  # tiny: one epoch, results mean nothing
runs = "runs"  # no effect here

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from math import log

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.linear_model import LinearRegression
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_05 as exercises
from discom import methods, tables
from discom.data.augmentation import any_motions, turn
from discom.data.batches import Batch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import ladder

torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data)
epochs = 1 if profile == "tiny" else epochs
scenes, test = course.scenes(data, seed)

# %% alt="A grid of dots. Rows are the five losses: cl, aux, orth, adv, mod. Columns are six rungs: student and branch have cl alone; then aux, orth, adv and mod join, one a rung."
figure = ladder.show_rungs()

# %% [markdown]
# ## Six rungs, one loop
#
# Branch, losses and loop come out of the files of 02 and 03, as you wrote them. A rung is a network and a list of losses.

# %%
sensors, device = list(scenes.images), "cpu"  # rgb, depth
names = ("Branch", "make_heads", "Reverse", "sensor_loss", "class_loss", "aux_loss")
names += ("orth_loss", "adv_loss", "mod_loss", "losses", "readable")
loop = ("Student", "make", "unpaired", "train", "right")
exec(course.written("02", *names) + "\n\n\n" + course.written("03", *loop))

three = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five = three | {"adv": adv_loss, "mod": mod_loss}
rungs = {"student": (Student, ["cl"]), "branch": (Branch, ["cl"])}
for count in range(2, 6):
    own = [*five][:count]
    rungs[f"+ {own[-1]}"] = Branch, own

# %% alt="Left, six curves of depth over ten epochs leave guessing one after another; student, branch and aux end at 53 to 57 %, with orth at 49, with adv and mod at 36 and 40, all still rising. Right, the ends of the rungs: up to aux, then down in both sensors, in colour from 72 to 42 %."
networks, histories, ends = {}, {}, {}
for rung, (kind, own) in rungs.items():
    network, terms = make(kind, sensors), {name: five[name] for name in own}
    histories[rung] = train(network, terms, lambda _: unpaired(scenes, sensors), epochs)
    networks[rung] = network
    ends[rung] = {s: 100 * right(network, s).mean().item() for s in sensors}

curves = {rung: history["right"] for rung, history in histories.items()}
two, all_five = (ends[rung]["depth"] for rung in ("+ aux", "+ mod"))
title = f"Depth, ten epochs: {two:.0f} % with two losses, {all_five:.0f} % with five"
figure = ladder.plot_ladder(curves, ends, title, test.best["depth"])

# %% [markdown]
# `aux` gains in both sensors. From there the ladder leads down: with all five losses colour loses 30 points and depth 17. But every curve still rises when the training stops.
#
# ## Would you cross out a loss now?
#
# Three seeds of the same ladder are stored, trained twice as long. **Guess:** how far does the lowest rung lie below the highest then?

# %%
ways = ("adv=0 mod=0 aux=0 orth=0", "adv=0 mod=0 orth=0", "adv=0 mod=0", "mod=0")
names = {"student": "student", "discom": "+ mod"}
names |= dict(zip([f"discom {way}" for way in ways], [*rungs][1:5], strict=True))
stored = {s: course.seeds("../results/ladder.csv", names, s) for s in sensors}
of_seeds = {s: own[[*rungs]].agg(["mean", "min", "max"]).T for s, own in stored.items()}
pd.concat(of_seeds, axis=1).round(1)

# %% [markdown]
# The fall is gone. (F1 is nearly the share that is right.) From the lowest rung to the highest it is three points in colour and two in depth. But one rung moves by up to four points from seed to seed. So three seeds rank no rungs, your single run still less.
#
# ## Leave one out
#
# A ladder judges a loss beside those below it alone. So turn the question round: take all five and leave **one** out. **Guess** what that changes, after ten epochs and after thirty.

# %% alt="Two panels of four rows, a dot a seed. After 10 epochs: without aux 15 points fewer, without orth 25 and without adv 22 more, without mod about 2. After 30 epochs: without aux 4 fewer, the others within a point of zero."
without = {f"discom {name}=0": name for name in ("aux", "orth", "adv", "mod")}
changes = {}
for count, name in ((10, "terms-ten"), (30, "terms")):
    file, names = f"../results/{name}.csv", {"discom": "all"} | without
    scores = sum(course.seeds(file, names, s) for s in sensors) / 2
    scores = scores.dropna().sub(scores["all"], axis=0)
    changes[f"after {count} epochs"] = scores[[*without.values()]]
ten, thirty = (table["orth"].mean() for table in changes.values())
title = f"Without orth: {ten:+.0f} points after ten epochs, {thirty:+.0f} after thirty"
figure = ladder.plot_without(changes, title)

# %% [markdown]
# After ten epochs two losses look harmful: without `orth`, or without `adv`, DisCoM-KD is over 20 points better. Either one seems to cost nearly the whole fall. So their shares do not add up, and no ladder can deal them out.
#
# After thirty epochs nothing is left of it. Only without `aux` are points missing: four on average, some in [each of five seeds](../docs/results/all_labels.md).
#
# ## Why do ten epochs mislead?
#
# When does a network begin to learn the class? Guessing costs 2 log 9 = 4.39 in both sensors. **Guess** in which epoch each rung gets $L_{cl}$ below nine tenths of that.

# %%
for rung, history in histories.items():
    below = history["cl"] < 0.9 * 2 * log(9)
    print(f"{rung}: {f'epoch {below.idxmax() + 1}' if below.any() else 'never'}")
top = histories["+ mod"].drop(columns="right").round(2)
top.set_axis(range(1, epochs + 1)).T.rename_axis("+ mod, epoch", axis=1)

# %% [markdown]
# Student, branch and `aux` start in epoch 4. Each further loss delays the class by one more, to epoch 7. The table shows what comes first: in three epochs the parts stand at right angles and name their sensor, while $L_{cl}$ and $L_{aux}$ still guess. Three epochs are much of ten and little of thirty. **A short ablation measures who starts first.**
#
# In exercise 2 the adversary comes in later. Why easy losses hold the class up, we have not tested.
#
# ## Why is `aux` missed?
#
# 02 gave a reason: $L_{cl}$ reads `inv` and `inf` together, so one may stay idle. Fit a linear map from each part to the class (R² on new scenes). **Guess** which is idle without `aux`.

# %%
classes, every = F.one_hot(test.labels).float(), torch.ones(len(test.labels)) > 0
for rung in ("branch", "+ aux"):
    for sensor in sensors:
        with torch.no_grad():
            parts = networks[rung].eval().branches[sensor](test.images[sensor])
        inv, inf, _ = (readable(part, classes, every) for part in parts)
        print(f"{rung}, {sensor}: inv {inv:.0f} %, inf {inf:.0f} %")

# %% [markdown]
# In colour `inv` was nearly idle, and `aux` wakes it. In depth neither part was idle, and both gain a little. Whether this is what brings the four points, we have not tested.
#
# ## The code that was released
#
# In the paper, `adv` and `mod` compare logits with the *number* of the sensor, 0 or 1. The released code passes a tensor as large as the logits: ones for the first sensor, zeros for the second. PyTorch's cross-entropy reads it as **probabilities of the classes**, and does not ask whether they add up to one.
#
# **Guess** what (1, 1) asks of a colour image, and (0, 0) of a depth image.


# %%
def released(logits, sensor):  # logits [B, 2]
    targets = torch.full_like(logits, float(sensor == "rgb"))  # ones or zeros
    return F.cross_entropy(logits, targets)


# %% alt="Two panels, push on colour's probability over what the head says. Colour image: the paper's line pushes up all the way to one; the released line crosses zero at one half. Depth image: the paper's line pushes down; the released one is flat at zero."
p, pushes = torch.linspace(0.01, 0.99, 99), {}  # p: said probability of colour
for name, loss in {"paper": sensor_loss, "released": released}.items():
    for sensor in sensors:
        logits = torch.stack([p.logit(), torch.zeros(99)], 1).requires_grad_()
        (99 * loss(logits, sensor)).backward()
        pushes[name, sensor] = -logits.grad[:, 0]  # of colour's logit
figure = ladder.plot_pushes(p, pushes)
check("ones push towards one half", pushes["released", "rgb"][49].abs() < 1e-6)
check("zeros push nowhere", (pushes["released", "depth"] == 0).all())

# %% [markdown]
# Ones ask a colour image for **one half of each**. There the push is zero. Zeros ask nothing: loss and gradient are 0, whatever the head says, so depth is never touched.
#
# Now train with them, half as long. How hard does a loss *pull* at the encoders? Take the size of its gradient over all their weights, in one batch. **Guess:** how many times harder do the repaired losses pull?


# %%
def released_adv(parts, heads, sensor, labels):
    return released(heads.adv(Reverse.apply(parts[0], 1.0)), sensor)


def released_mod(parts, heads, sensor, labels):
    _, inf, irr = parts
    return sum(released(z, sensor) for z in (heads.mod_inf(inf), heads.mod_irr(irr)))


def pull(network, loss):
    weights = [*network.train().branches.parameters()]
    value = losses(network, {"one": loss}, *batch)["one"]
    gradients = torch.autograd.grad(value, weights, allow_unused=True)
    return sum(g.square().sum() for g in gradients if g is not None).sqrt().item()


# %%
as_released = three | {"adv": released_adv, "mod": released_mod}
network, batch = make(Branch, sensors), next(unpaired(scenes, sensors))
start = {f"pull of {name}": pull(network, as_released[name]) for name in ("adv", "mod")}
half = train(network, as_released, lambda _: unpaired(scenes, sensors), -(-epochs // 2))

table = {"released, at the start": start}
runs_of = {"released": (network, as_released, half)}
runs_of["repaired"] = networks["+ mod"], five, histories["+ mod"]
for version, (own, terms, history) in runs_of.items():
    row = {f"pull of {name}": pull(own, terms[name]) for name in ("adv", "mod")}
    row |= {f"value of {name}": history[name].iloc[-1] for name in ("adv", "mod")}
    table[f"{version}, trained"] = row
pd.DataFrame(table).T.round(2)

# %% [markdown]
# As released both losses pull at the start, then die: the heads say one half to everything, at 2 log 2 = 1.39 and 4 log 2 = 2.77. The repaired adversary pulls some 40 times harder. $L_{mod}$ pulls little in both, for opposite reasons: released it is dead, repaired it is **solved**.
#
# ## Does the repair help?
#
# **Guess** what it gains after thirty epochs.

# %%
names = {course.RELEASED: "released", "discom": "repaired"}
scores = sum(course.seeds("../results/terms.csv", names, s) for s in sensors) / 2
scores = scores.dropna()
gain = tables.paired_difference(scores["repaired"], scores["released"])
print("repaired − released: {:+.1f} [{:+.1f}, {:+.1f}] points of F1".format(*gain))
check("the repair gains less than two points", gain[2] < 2)
course.results("05")

# %% [markdown]
# Nothing. **Repair is not gain.** A repaired adversary hides nothing either, as 02 showed, and a sensor is easy to name without it. After ten epochs depth is even [22 points better](../results/terms-ten.md) as released: there the adversary is dead from the first step.
#
# ## What you found
#
# **Of the four losses that DisCoM-KD adds to the class loss, only `aux` seems to be missed. `orth` and the adversary delay the start: after ten epochs each seems to cost over 20 points, after thirty they cost less than one. In the released code two losses are dead, and their repair gains nothing.**
#
# And `aux` needs no second sensor. What, then, do the parts hold? [06](06_what_the_embeddings_hold.ipynb) looks.
#
# For your own losses:
#
# - *Look* at when each curve starts to rise, before you cross out a loss.
# - *Leave out* one loss at a time as well: a ladder judges each beside those below it alone.
# - *Measure* the gradient of every loss before and after the training.
#
# ## The same in the package
#
# `discom` follows the paper; two options give the released code. That also takes one mean over both sensors, so all losses are halves, and $L_{mod}$ a quarter.

# %%
options = {"reduction": "released", "modality_targets": "released"}
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10, **options)
package.model.load_state_dict(network.state_dict())
own, theirs = losses(network, as_released, *batch), package.loss(Batch(*batch))
parts = {"cl": 2, "aux": 2, "orth": 2, "adv": 2, "mod": 4}
same = [torch.isclose(own[n] / part, theirs[n], rtol=1e-3) for n, part in parts.items()]
check("the released losses of the package are yours", all(same))

# %% [markdown]
# ## Exercises
#
# 1. **Warm-up.** Write `safe_cross_entropy(logits, targets)`: as `F.cross_entropy`, but with a `ValueError` where a row of float targets is no probabilities.
# 2. **Change one thing.** Write `late(loss, calls)`: a loss that gives 0 in its first `calls` calls, and is `loss` from then on. A step calls each loss twice, so `late(adv_loss, 128)` misses four epochs. Train all five with it. Does the class still start late?
# 3. **Open.** Train ten epochs with all but `orth`. Enter the share of new depth images that is right. What does the ladder hide?
#
# ## Quiz
#
# 1. After ten epochs a loss costs 20 points. First you (a) leave it out, (b) train longer, (c) repeat that with more seeds.
# 2. On a ladder a loss adds nothing. Left out of the whole, it costs five points. (a) One of the two is wrong. (b) It matters beside the losses above it. (c) The last loss always seems best.
# 3. An adversary's loss stays at 2 log 2 for all of the training. (a) The sensor is hidden. (b) Its weight is too small. (c) It may be dead: measure its gradient.
#
# <details><summary>Answers</summary>
#
# 1. **b**: the start may be late, and no more. Not *a*: after thirty epochs nothing was left. Not *c*: every seed is late.
# 2. **b**: each question has a right answer of its own. Not *a*: both are measured. Not *c*: that depends on the loss.
# 3. **c**: a dead loss stays there, too. Not *a*: 02 read the sensor from such an `inv`. Not *b*: no weight wakes a gradient of zero.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eqs. 2–7 and Table 3; [its code](https://github.com/tanodino/CMKD_Disentangle). Musgrave et al., [A metric learning reality check](https://arxiv.org/abs/2003.08505), ECCV 2020.


# %%
def safe_cross_entropy(logits, targets): ...


def late(loss, calls): ...


scores = {"all five": ends["+ mod"]["depth"], "without orth": None}
exercises.check(safe_cross_entropy, late, scores, best=test.best["depth"])
finish(**{rung: end["depth"] for rung, end in ends.items()})
