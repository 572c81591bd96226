# %% [markdown]
# # 05 · Two of these five losses are dead. Which?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/05_ablations.ipynb) · [solutions](solutions/py/05_ablations.py)
#
# The authors of DisCoM-KD put their training code online. It adds up five losses for each sensor. For the second sensor, two of the five do nothing at all: in no step do they move a single weight of its branch. No error says so, the curves look healthy, and the network learns. (We do not know whether the paper's tables were made with exactly this code.)
#
# | Loss | asks that |
# |---|---|
# | cl | `inv` and `inf` together name the class |
# | aux | each of them names it alone |
# | mod | `inf` and `irr` name the sensor |
# | adv | `inv` hides the sensor |
# | orth | `inf` is at right angles to `inv` and to `irr` |
#
# **Write down two guesses.** Which two are dead? And which of the five would be missed most if you left it out?
#
# | At a glance | |
# |---|---|
# | You will | **find** two dead losses · **leave out** one loss at a time · **see** why a short training misleads |
# | You need | [02](02_model_and_losses.ipynb) and [03](03_training.ipynb): the five losses and the loop |
# | Time, memory | five minutes on one free CPU core, 2 GB |
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
epochs = 10  # of the trainings of this notebook; stored runs have thirty
profile = "cpu"  # tiny: one epoch, results mean nothing

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
# ## Find the line
#
# In the paper `adv` and `mod` compare the logits of a head with the *number* of the sensor, 0 for colour and 1 for depth. The released code passes a tensor as large as the logits: ones for the first sensor, zeros for the second. PyTorch's cross-entropy takes class numbers or probabilities, and a tensor of this shape it reads as probabilities, without looking whether they add up to one.


# %%
def released(logits, sensor):  # logits [B, 2]
    targets = torch.full_like(logits, float(sensor == "rgb"))  # ones or zeros
    return F.cross_entropy(logits, targets)


# %% [markdown]
# By hand, on two images. The head is sure of colour for the first (88 %), and of depth for the second. The loss of a row is $-\sum_k t_k \log p_k$ with the target $t$.

# %%
logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]], requires_grad=True)
for sensor in ("rgb", "depth"):
    loss = released(logits, sensor)
    (gradient,) = torch.autograd.grad(loss, logits)
    print(f"{sensor}: loss {abs(loss):.2f}, gradient of each row")
    print(gradient.numpy().round(2))
check("zeros push nowhere", loss == 0 and not gradient.any())

# %% [markdown]
# **Your first guess: `mod` and `adv`.** With zeros as target each term of the sum is multiplied by zero, so for depth loss and gradient are 0, whatever the head says. With ones, a colour image is pushed towards *one half for each sensor*, from both sides: the head that is sure loses its certainty. That is the opposite of what `mod` asks.
#
# ## Do they pull?
#
# Is it so in a network, too? The *pull* of a loss at a branch is the length of its gradient there, in one batch. We compare three states: the released losses before training, the released losses after a short training, and the repaired ones after ten epochs. Branch, losses and loop are those of [02](02_model_and_losses.ipynb) and [03](03_training.ipynb).

# %%
from lessons.losses import Reverse, adv_loss, aux_loss, class_loss, losses, mod_loss
from lessons.losses import orth_loss
from lessons.model import Branch, make_network, sensors
from lessons.reading import readable
from lessons.training import right, train, unpaired

five = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five["adv"], five["mod"] = adv_loss, mod_loss
networks, histories, ends = {}, {}, {}


def batches(epoch):
    return unpaired(scenes, sensors)


def learn(way, terms, epochs=epochs):
    network = make_network(Branch, seed).to(device, memory_format=torch.channels_last)
    histories[way] = train(network, terms, batches, epochs, test)
    networks[way] = network
    ends[way] = {s: 100 * right(network, s, test).mean().item() for s in sensors}
    print(f"{way}: colour {ends[way]['rgb']:.0f} %, depth {ends[way]['depth']:.0f} %")


learn("all five", five)


# %%
def released_adv(parts, heads, sensor, labels):
    return released(heads.adv(Reverse.apply(parts[0], 1.0)), sensor)


def released_mod(parts, heads, sensor, labels):
    _, inf, irr = parts
    return released(heads.mod_inf(inf), sensor) + released(heads.mod_irr(irr), sensor)


def pull(network, loss, sensor):
    weights = [*network.train().branches[sensor].parameters()]
    value = losses(network, {"one": loss}, *batch)["one"]
    gradients = torch.autograd.grad(value, weights, allow_unused=True)
    squares = [g.square().sum() for g in gradients if g is not None]
    return sum(squares).sqrt().item()


def pulls(network, terms):
    row = {}
    for name in ("adv", "mod"):
        for sensor in sensors:
            row[f"{name}, {sensor}"] = pull(network, terms[name], sensor)
    return row


# %%
as_released = {**five, "adv": released_adv, "mod": released_mod}
untrained, batch = make_network(Branch, seed).to(device), next(batches(0))
table = {"released, before training": pulls(untrained, as_released)}
learn("released", as_released, (epochs + 1) // 2)
table["released, trained"] = pulls(networks["released"], as_released)
table["repaired, trained"] = pulls(networks["all five"], five)
for way in ("released", "all five"):
    last = histories[way].iloc[-1]
    print(f"{way}, loss at the end: adv {last['adv']:.2f}, mod {last['mod']:.2f}")
pd.DataFrame(table).T.round(2)

# %% [markdown]
# As released, neither loss ever pulls at depth's branch. At colour's branch both pull at first and then die: once the heads say one half to every image, nothing is left to push. That end looks like success. `adv` stands at 2 log 2 = 1.39, where its adversary only guesses, and `mod` at 4 log 2 = 2.77. The repaired adversary still pulls at both branches after ten epochs. The repaired $L_{mod}$ hardly does, for another reason: it is solved, near zero.
#
# ## Does the repair help?
#
# If two losses were dead, their repair should help. Five stored seeds of thirty epochs each say what it gains, on average of both sensors. **Guess:** how many points?

# %%
names = {course.RELEASED: "released", "discom": "repaired"}
scores = sum(course.seeds("../results/terms.csv", names, s) for s in sensors) / 2
scores = scores.dropna()
gain = tables.paired_difference(scores["repaired"], scores["released"])
print("repaired − released: {:+.1f} [{:+.1f}, {:+.1f}] points of F1".format(*gain))
check("the repair gains less than two points", gain[2] < 2)

# %% [markdown]
# **Nothing**: half a point less, and the interval ends at a tenth of a point above zero. (F1 is nearly the share that is right.) If two losses may die without a trace, perhaps the others are not needed either.
#
# ## Leave one out
#
# So leave out one loss at a time, everything else as it was. The same five seeds, thirty epochs. **Your second guess:** which loss is missed?

# %% alt="Four rows, a dot for each of five seeds. Thirty epochs without aux: four points below all five losses. Without orth, without adv, without mod: within a point of zero."
without = {f"discom {name}=0": name for name in ("aux", "orth", "adv", "mod")}
changes = {}
for count, name in ((30, "terms"), (10, "terms-ten")):
    names = {"discom": "all", **without}
    scores = sum(course.seeds(f"../results/{name}.csv", names, s) for s in sensors) / 2
    scores = scores.dropna().sub(scores["all"], axis=0)
    changes[f"after {count} epochs"] = scores[[*without.values()]]
thirty, ten = changes["after 30 epochs"], changes["after 10 epochs"]
title = f"Only without aux is something lost: {thirty['aux'].mean():+.1f} points"
figure = ladder.plot_without({"after 30 epochs": thirty}, title)

# %% [markdown]
# Only `aux` is missed. The other three change the score by a point at most, in either direction; in colour [leaving out `orth` even gains .9, interval .1 to 1.6](../results/terms.md). And `aux` needs no second sensor: it asks each part of a branch to name the class by itself. **None of the losses that were to bring the sensors together is missed.**
#
# ## Why is `aux` missed?
#
# 02 gave a reason: $L_{cl}$ reads `inv` and `inf` together, so one of them may stay idle. Then a network that trains with the class loss alone should have an idle part, and one that also trains with `aux` should not. Fit a linear map from each part to the class: R² on new scenes is 100 % without errors.

# %%
learn("cl", {"cl": class_loss})
learn("cl and aux", {"cl": class_loss, "aux": aux_loss})
classes = F.one_hot(test.labels.cpu()).float()
every = torch.ones(len(test.labels), dtype=torch.bool)
rows = {}
for way in ("cl", "cl and aux"):
    for sensor in sensors:
        with torch.no_grad():
            parts = networks[way].eval().branches[sensor](test.images[sensor])
        inv, inf, _ = (readable(part, classes, every) for part in parts)
        rows[f"{way}, {sensor}"] = {"inv": inv, "inf": inf}
pd.DataFrame(rows).T.round().astype(int)

# %% [markdown]
# So it is, in part. With the class loss alone, depth's `inv` reaches about half of the R² of its `inf`; in colour the gap is smaller. With `aux` all four parts gain, and depth's two end nearly level. The scores agree: ten epochs with `aux` give more than without, in both sensors.
#
# ## What ten epochs would have told you
#
# All of this was after thirty epochs. An ablation is often run short, to save time. Here are the same five seeds after ten.

# %% alt="Two panels of four rows, a dot a seed. After 30 epochs only aux is missed. After 10 epochs: without aux 15 points fewer, without orth 25 and without adv 22 more, without mod about 2."
title = "Without orth: {:+.0f} points after ten epochs, {:+.0f} after thirty"
title = title.format(ten["orth"].mean(), thirty["orth"].mean())
figure = ladder.plot_without(changes, title)

# %% [markdown]
# After ten epochs `orth` and `adv` look like the great harm: without either one, DisCoM-KD is over 20 points better. A paper that stopped there would have crossed them out, with five seeds that agree. After thirty epochs at most a point is left. More seeds do not protect against too short a training.
#
# **Why?** Suspicion: these losses only *delay* the class. Guessing costs 2 log 9 = 4.39 for both sensors. We say that a network begins to learn the class when $L_{cl}$ falls below nine tenths of that. **Guess:** in which epoch does each of three networks begin: all five, without `adv`, without `orth`?

# %% alt="Three curves of the class loss over ten epochs. Without orth and without adv leave guessing in epoch 5 and end near 2.1 and 2.2; all five leave it in epoch 6 and end at 3.0."
for name in ("orth", "adv"):
    terms = {loss: five[loss] for loss in five if loss != name}
    learn(f"without {name}", terms)
starts = {}
for way in ("all five", "without orth", "without adv"):
    below = histories[way]["cl"] < 0.9 * 2 * log(9)
    starts[way] = below.idxmax() + 1 if below.any() else None
figure = ladder.plot_starts(histories, starts, 2 * log(9))

# %% [markdown]
# All five begin in epoch 6, the two others in epoch 5. One epoch seems little, but the learning rate peaks in epoch 3 and falls to zero at the end, so whoever begins late learns at a low rate: after ten epochs all five stand where the two others stood three epochs before. The gap in the class loss is still open at the end, and the score with it. In thirty epochs there is time to close it. That the delay is the cause, exercise 2 tests.
#
# ## What you found
#
# **In the released code `adv` and `mod` are dead for depth, and die for colour. Their repair gains nothing. After thirty epochs only `aux` is missed, a loss that needs no second sensor. After ten, `orth` and `adv` cost over 20 points: they delay the class.**
#
# [06](06_what_the_embeddings_hold.ipynb) looks at what the parts contain.
#
# For your own two sensors:
#
# - *Measure* the gradient of every loss at every sensor's branch, before and after training. A loss that stays at its guessing value may be dead.
# - *Leave out* one loss at a time, at the length at which you will train.
# - *Look* when each curve starts to fall before you compare where it ends.
#
# ## The same in the package
#
# Two options of `discom` give the released losses. They also take means: each loss is half of yours, $L_{mod}$ a quarter.

# %%
options = {"reduction": "released", "modality_targets": "released"}
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10, **options)
package = package.to(device)
network = networks["released"]
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
# 3. **Open.** Train the branch with the class loss alone, `{"cl": class_loss}`, and with all five, for twenty epochs each. Enter the epoch in which each begins. Does the delay grow with the run?
#
# ## Quiz
#
# 1. After ten epochs a loss costs 20 points. First you (a) leave it out, (b) train longer, (c) repeat that with more seeds.
# 2. Beside one other loss a loss adds nothing. Beside four others, leaving it out costs five points. (a) One of the two is wrong. (b) What it does depends on the other losses. (c) The last loss always seems best.
# 3. An adversary's loss stays at 2 log 2. (a) The sensor is hidden. (b) Its weight is too small. (c) It may be dead: measure its gradient.
#
# <details><summary>Answers</summary>
#
# 1. **b**: perhaps only the start is late. Not *a*: after thirty epochs at most a point was left. Not *c*: five seeds agreed.
# 2. **b**. Not *a*: both are measured. Not *c*: `orth`, the last that the paper adds, is not missed.
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
finish(**{way: end["depth"] for way, end in ends.items()})
