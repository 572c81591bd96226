# %% [markdown]
# # 05 · Which of five losses does the work?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/05_ablations.ipynb) · [solutions](solutions/py/05_ablations.py)
#
# In [03](03_training.ipynb) DisCoM-KD, with five losses at once, gained nothing. Perhaps one helps, another harms.
#
# So build a **ladder**. Its lowest rung is the *bare branch*, with the class loss alone. Each further rung adds one loss. Every rung trains for ten epochs, on the same scenes, from the same first weights.
#
# | Rung | its new loss asks that |
# |---|---|
# | branch (cl) | `inv` and `inf` together name the class |
# | + aux | each of them names it alone |
# | + mod | `inf` and `irr` name the sensor |
# | + adv | `inv` hides the sensor |
# | + orth | `inf` is at right angles to `inv`, `irr` |
#
# **Write down a guess:** which step helps depth most? Does one do harm?
#
# | At a glance | |
# |---|---|
# | You will | **climb** a ladder · **test** what a short training says · **find** two dead losses |
# | You need | [02](02_model_and_losses.ipynb) and [03](03_training.ipynb): the five losses and the loop |
# | Time, memory | four or five minutes on one free CPU core, 2 GB |
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
clone = os.path.dirname(os.path.dirname(discom.config.__file__))
for place in ("discom/notebooks", f"{clone}/notebooks"):  # from Colab, or any folder
    if not os.path.isfile("course.py") and os.path.isdir(place):
        os.chdir(place)

# %% tags=["parameters"]
data = "objects"  # drawn with the seed
seed = 0  # of scenes, weights and batches
epochs = 10  # each shows every scene once
profile = "cpu"  # tiny: one epoch, results mean nothing
runs = "runs"  # no effect here

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

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
from discom.data.augmentation import random_d4, apply_d4
from discom.data.batches import Batch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import ladder

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
epochs = 1 if profile == "tiny" else epochs
scenes, test = course.scenes(data, seed, device=device)

# %% [markdown]
# ## Five rungs, one loop
#
# Branch, losses and loop are those of 02 and 03.

# %%
from lessons.losses import Reverse, adv_loss, aux_loss, class_loss, mod_loss
from lessons.losses import orth_loss, sensor_loss
from lessons.model import Branch, make_network, sensors
from lessons.reading import readable
from lessons.training import right, train, unpaired

five = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five |= {"adv": adv_loss, "mod": mod_loss}
rungs = {"branch": ["cl"], "+ aux": ["cl", "aux"], "+ mod": ["cl", "aux", "mod"]}
rungs["+ adv"] = [*rungs["+ mod"], "adv"]
rungs["+ orth"] = [*rungs["+ adv"], "orth"]

# %% alt="Five rungs, two lines. Colour: from 67 up to 72 % with aux, down to 66 % or less with adv, to 42 % with orth. Depth: 53 to 59 %, then 40 % or less."
networks, histories, ends = {}, {}, {}


def batches(epoch):
    return unpaired(scenes, sensors)


def climb(rung, own):
    terms = {name: loss for name, loss in five.items() if name in own}
    network = make_network(Branch, seed).to(device, memory_format=torch.channels_last)
    histories[rung] = train(network, terms, batches, epochs, test)
    networks[rung] = network
    ends[rung] = {s: 100 * right(network, s, test).mean().item() for s in sensors}


for rung, own in rungs.items():
    climb(rung, own)
two, all_five = (ends[rung]["depth"] for rung in ("+ aux", "+ orth"))
title = f"Depth, ten epochs: {two:.0f} % with two losses, {all_five:.0f} % with five"
figure = ladder.plot_ladder(ends, title)

# %% [markdown]
# With `orth`, the last rung, each sensor loses 15 points or more.
#
# ## Would you cross out a loss now?
#
# This was one seed and ten epochs. Three seeds are stored for [twenty](../results/ladder.md). **Guess:** how far below the bare branch do all five losses end then?

# %%
names = {"discom adv=0 mod=0 aux=0 orth=0": "branch"}
names |= {"discom adv=0 mod=0 orth=0": "+ aux", "discom": "all five"}
stored = {s: course.seeds("../results/ladder.csv", names, s) for s in sensors}
pd.concat(stored, axis=1).rename_axis("F1 of seed").round(1)

# %% [markdown]
# The fall is gone. (F1 is nearly the share that is right.) The bare branch does as well as all five losses: **leave the other four out, and nothing is lost.** With `aux` added it is better than either, in each seed and sensor. So `aux` adds one to four points, and the other three losses take them away.
#
# ## Leave one out
#
# A ladder tests a loss only beside those below it. So leave **one** of the five out. **Guess** what that changes after ten epochs, and after thirty (five stored seeds each).

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
# After ten epochs two losses look harmful: without `orth`, or without `adv`, DisCoM-KD is over 20 points better. After thirty at most a point is left. (Early scores move by ten points and more from run to run.)
#
# Only leaving out `aux` costs points, early and late: after thirty epochs 4.9 in colour and 3.4 in depth, where the interval [reaches zero](../results/terms.md). Yet the bare branch lacks `aux` and loses nothing. So `aux` seems to make up for what the others cost.
#
# ## Why do ten epochs mislead?
#
# When does a network begin to learn the class? Guessing costs 2 log 9 = 4.39 for both sensors. We say it begins when $L_{cl}$ falls below nine tenths of that. Your rung `+ adv` has all but `orth`; now train all but `adv`. **Guess** who begins when.

# %% alt="Six curves of the class loss over ten epochs. Branch, + aux and + mod leave guessing first, in epoch 4; all five last, in epoch 6 or 7, and end highest; without orth and without adv begin in epoch 5."
climb("without adv", ["cl", "aux", "mod", "orth"])
starts = {}
for rung, history in histories.items():
    below = history["cl"] < 0.9 * 2 * log(9)
    starts[rung] = below.idxmax() + 1 if below.any() else None
figure = ladder.plot_starts(histories, starts, 2 * log(9))
print("without orth, depth:", histories["+ adv"]["right"].tail(3).round().tolist())

# %% [markdown]
# The first three rungs begin in epoch 4. `orth` or `adv` alone costs one epoch, both together two or three. Without `orth`, depth rises 15 points in its last two epochs; why is untested.
#
# A late start leaves fewer epochs, at a lower learning rate: it peaks in epoch 3 and ends at zero. We have not separated the two causes (exercise 3).
#
# ## Why is `aux` missed?
#
# 02 gave a reason: $L_{cl}$ reads `inv` and `inf` together, so one may stay idle. Fit a linear map from each part to the class (R² on new scenes). **Guess** which is weaker without `aux`.

# %%
classes, every = F.one_hot(test.labels.cpu()).float(), torch.ones(len(test.labels)) > 0
for rung in ("branch", "+ aux"):
    for sensor in sensors:
        with torch.no_grad():
            parts = networks[rung].eval().branches[sensor](test.images[sensor])
        inv, inf, _ = (readable(part, classes, every) for part in parts)
        print(f"{rung}, {sensor}: inv {inv:.0f} %, inf {inf:.0f} %")

# %% [markdown]
# Without `aux`, `inv` reaches about half of `inf`'s R² in one sensor; which one differs between runs. With `aux` all parts gain and end nearly level. Whether this brings the points, we have not tested.
#
# ## The code that was released
#
# In the paper `adv` and `mod` compare logits with the *number* of the sensor, 0 or 1. The authors' code passes a tensor as large as the logits: ones for the first sensor, zeros for the second. PyTorch's cross-entropy reads it as **probabilities** and does not check their sum.
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
# With ones, a colour image is pushed to **one half for each sensor**. With zeros, loss and gradient are 0, whatever the head says.
#
# Now train with the released losses, half as long. The *pull* of a loss at a sensor's branch is the size of its gradient there, in one batch. **Guess** which released losses pull before training, and which after.


# %%
def released_adv(parts, heads, sensor, labels):
    return released(heads.adv(Reverse.apply(parts[0], 1.0)), sensor)


def released_mod(parts, heads, sensor, labels):
    _, inf, irr = parts
    return sum(released(z, sensor) for z in (heads.mod_inf(inf), heads.mod_irr(irr)))


def pull(network, loss, sensor):
    weights = [*network.train().branches[sensor].parameters()]
    value = losses(network, {"one": loss}, *batch)["one"]
    gradients = torch.autograd.grad(value, weights, allow_unused=True)
    return sum(g.square().sum() for g in gradients if g is not None).sqrt().item()


def pulls(network, terms):
    pairs = [(name, sensor) for name in ("adv", "mod") for sensor in sensors]
    return {f"{n}, {sensor}": pull(network, terms[n], sensor) for n, sensor in pairs}


# %%
as_released = five | {"adv": released_adv, "mod": released_mod}
network = make_network(Branch, seed).to(device)
batch = next(unpaired(scenes, sensors))
table = {"released, at the start": pulls(network, as_released)}
few = (epochs + 1) // 2
half = train(network, as_released, batches, few, test)
table["released, trained"] = pulls(network, as_released)
table["repaired, trained"] = pulls(networks["+ orth"], five)
for name, history in {"released": half, "repaired": histories["+ orth"]}.items():
    print(name, "at the end:", history[["adv", "mod"]].iloc[-1].round(2).to_dict())
pd.DataFrame(table).T.round(2)

# %% [markdown]
# As released, neither loss ever pulls at depth's branch. At colour's both pull at first, then die: the heads say one half to every image, which costs 2 log 2 = 1.39 and 4 log 2 = 2.77. The repaired adversary still pulls after ten epochs. $L_{mod}$ hardly does: it is **solved**, near zero.
#
# ## Does the repair help?
#
# **Guess** what it gains after thirty epochs, on average of both sensors.

# %%
names = {course.RELEASED: "released", "discom": "repaired"}
scores = sum(course.seeds("../results/terms.csv", names, s) for s in sensors) / 2
scores = scores.dropna()
gain = tables.paired_difference(scores["repaired"], scores["released"])
print("repaired − released: {:+.1f} [{:+.1f}, {:+.1f}] points of F1".format(*gain))
check("the repair gains less than two points", gain[2] < 2)

# %% [markdown]
# **Nothing.** [After ten epochs](../results/terms-ten.md) depth is 22 points better as released; in colour, where the released adversary pulls at first, we see no difference, +2 [−11, +15].
#
# ## What you found
#
# **Of DisCoM-KD's four losses beside the class loss, only `aux` seems to be missed. After twenty epochs the bare branch does as well as all five. `orth` and `adv` look harmful in a short run: without either one, ten epochs end 20 points higher, thirty at most one. In the released code `adv` and `mod` are dead for depth and die for colour; their repair gains nothing.**
#
# `aux` needs no second sensor. [06](06_what_the_embeddings_hold.ipynb) looks at what the parts contain.
#
# For your own second sensor:
#
# - *Feed* it noise (03) before you tune the weights of its losses.
# - *Look* when each curve starts to fall.
# - *Leave out* one loss at a time, and all at once.
# - *Measure* the gradient of every loss for each sensor, before and after training.
#
# ## The same in the package
#
# Two options of `discom` give the released losses. They also take means: each loss is half of yours, $L_{mod}$ a quarter.

# %%
options = {"reduction": "released", "modality_targets": "released"}
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10, **options)
package = package.to(device)
package.model.load_state_dict(network.state_dict())
own, theirs = losses(network, as_released, *batch), package.loss(Batch(*batch))
parts = {"cl": 2, "aux": 2, "orth": 2, "adv": 2, "mod": 4}
same = [torch.isclose(own[n] / part, theirs[n], rtol=1e-3) for n, part in parts.items()]
check("the released losses of the package are yours", all(same))

# %% [markdown]
# ## Exercises
#
# 1. **Warm-up.** Write `safe_cross_entropy(logits, targets)`: `F.cross_entropy`, but a `ValueError` if a row of float targets is not a distribution.
# 2. **Change one thing.** Write `late(loss, calls)`: 0 in the first `calls` calls, then `loss`. A step calls each loss twice, so `late(adv_loss, 128)` misses four epochs. When do all five begin then?
# 3. **Open.** Train the branch and all five for twenty epochs. Enter the epoch in which each begins. Does the delay grow with the run?
#
# ## Quiz
#
# 1. After ten epochs a loss costs 20 points. First you (a) leave it out, (b) train longer, (c) repeat that with more seeds.
# 2. On a ladder a loss adds nothing. Left out of the whole, it costs five points. (a) One of the two is wrong. (b) What it does depends on the other losses. (c) The last loss always seems best.
# 3. An adversary's loss stays at 2 log 2. (a) The sensor is hidden. (b) Its weight is too small. (c) It may be dead: measure its gradient.
#
# <details><summary>Answers</summary>
#
# 1. **b**: perhaps only the start is late. Not *a*: after thirty epochs at most a point was left. Not *c*: five seeds agreed.
# 2. **b**. Not *a*: both are measured. Not *c*: that depends on the loss.
# 3. **c**: a dead loss stays there, too. Not *a*: 02's map read the sensor all the same. Not *b*: no weight changes a gradient of zero.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eqs. 2–7 and Table 3; [its code](https://github.com/tanodino/CMKD_Disentangle). Musgrave et al., [A metric learning reality check](https://arxiv.org/abs/2003.08505), ECCV 2020.


# %%
def safe_cross_entropy(logits, targets): ...


def late(loss, calls): ...


starts_of_twenty = {"branch": None, "all five": None}
exercises.check(safe_cross_entropy, late, starts_of_twenty)
finish(**{rung: end["depth"] for rung, end in ends.items()})
