# %% [markdown]
# # 05 · Two of these five losses are dead. Which?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/05_ablations.ipynb) · [solutions](solutions/py/05_ablations.py)
#
# The authors of DisCoM-KD put their training code online. It adds up five losses for each sensor. Two of the five do nothing at all for the second sensor: they never move a weight of its branch. No error says so, the curves look healthy, and the network learns. (We do not know whether the paper's tables were made with exactly this code.)
#
# | Loss | asks that |
# |---|---|
# | cl | `inv` and `inf` together name the class |
# | aux | each of them names it alone |
# | mod | `inf` and `irr` name the sensor |
# | adv | `inv` hides the sensor |
# | orth | `inf` is at right angles to `inv` and to `irr` |
#
# **Write down two guesses.** Which two are dead? And which of the last four would be missed most if you left it out?
#
# | At a glance | |
# |---|---|
# | You will | **find** two dead losses · **leave out** one loss at a time · **see** why a short training misleads |
# | You need | [02](02_model_and_losses.ipynb) and [03](03_training.ipynb): the five losses and the loop |
# | Time, memory | seven minutes on one CPU core, 2 GB |
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

import pandas as pd
import torch
import torch.nn.functional as F

import course
from checks import exercises_05 as exercises
from discom import methods, tables
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
# In the paper `adv` and `mod` compare the logits of a head with the *number* of the sensor, 0 for colour and 1 for depth. The released code passes a tensor as large as the logits: ones for the first sensor, zeros for the second. PyTorch's cross-entropy takes class numbers or probabilities. A float tensor as large as the logits counts as probabilities, and nobody checks that they add up to one.


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
# **Your first guess: `mod` and `adv`.** With zeros as target each term of the sum is multiplied by zero, so for depth loss and gradient are 0, whatever the head says. With ones, the head is pushed towards *one half for each sensor*, whichever it was sure of. That is the opposite of what `mod` asks.
#
# ## Do they pull?
#
# Is it so in a network, too? The *pull* of a loss at a branch is the length of its gradient there, in one batch. We compare three states: the released losses before training, the released and the repaired ones after ten epochs. Branch, losses and loop are those of [02](02_model_and_losses.ipynb) and [03](03_training.ipynb).

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


def learn(way, terms):
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


as_released = {**five, "adv": released_adv, "mod": released_mod}
learn("released", as_released)


# %%
def pull(network, loss, sensor, batch):
    network.train()
    weights = list(network.branches[sensor].parameters())
    value = losses(network, {"one": loss}, *batch)["one"]
    gradients = torch.autograd.grad(value, weights, allow_unused=True)
    squares = [g.square().sum() for g in gradients if g is not None]
    return sum(squares).sqrt().item()


def pulls(network, terms, batch):
    row = {}
    for name in ("adv", "mod"):
        for sensor in sensors:
            row[f"{name}, {sensor}"] = pull(network, terms[name], sensor, batch)
    return row


# %%
batch = next(batches(0))
untrained = make_network(Branch, seed).to(device)
table = {"released, before training": pulls(untrained, as_released, batch)}
table["released, trained"] = pulls(networks["released"], as_released, batch)
table["repaired, trained"] = pulls(networks["all five"], five, batch)
pd.DataFrame(table).T.round(2)

# %%
for way in ("released", "all five"):
    last = histories[way].iloc[-1]
    print(f"{way}, loss at the end: adv {last['adv']:.2f}, mod {last['mod']:.2f}")

# %% [markdown]
# As released, neither loss ever pulls at depth's branch. At colour's branch both pull at first and then die: once the heads say one half to every image, nothing is left to push. That end looks like success. `adv` stands at 2 log 2 = 1.39, where its adversary only guesses, and `mod` at 4 log 2 = 2.77. The repaired adversary still pulls at both branches after ten epochs. Repaired `mod` hardly pulls either, but because it is solved: its loss is 0.04.
#
# One thing to keep in mind: depth, where two losses are dead, is right in 50 % of the images, and with the repaired losses in 38 %.
#
# ## Does the repair help?
#
# If two losses were dead, their repair should help. Stored runs of thirty epochs, five seeds with the released losses and five with the repaired ones, say what it gains, on average of both sensors. Points are of F1, which is nearly the share that is right. **Guess:** how many?

# %%
def mean_scores(file, names):  # of both sensors: a row for each seed
    colour, depth = (course.seeds(file, names, sensor) for sensor in sensors)
    return (colour + depth) / 2


names = {course.RELEASED: "released", "discom": "repaired"}
scores = mean_scores("../results/terms.csv", names)
gain = tables.paired_difference(scores["repaired"], scores["released"])
print("repaired − released, targets and weights:")
print("{:+.1f} [{:+.1f}, {:+.1f}] points of F1".format(*gain))
check("the repair gains less than two points", gain[2] < 2)

# %% [markdown]
# **Nothing**: −0.5 points, and at best +0.1. But the stored runs differ in *targets and weights*. The released code also averages over sensors (and over `mod`'s two heads) where you add, so each of its losses is half of yours and `mod` a quarter. A factor that all five share hardly matters, because AdamW divides a gradient by its usual size. `mod` at half of its share might matter. So the number is about the two changes together.
#
# In the package each change is an option. With both it has your released losses, at those weights.

# %%
options = {"reduction": "released", "modality_targets": "released"}
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10, **options)
package = package.to(device)
network = networks["released"]
package.model.load_state_dict(network.state_dict())
own, theirs = losses(network, as_released, *batch), package.loss(Batch(*batch))
parts = {"cl": 2, "aux": 2, "orth": 2, "adv": 2, "mod": 4}
same = []
for name, part in parts.items():
    same.append(torch.isclose(own[name] / part, theirs[name], rtol=1e-3))
said = "the released losses of the package are halves of yours, mod a quarter"
check(said, all(same))

# %% [markdown]
# ## Leave one out
#
# If two losses may be dead and after thirty epochs nothing is lost, perhaps the others are not needed either. So leave out one loss at a time, everything else as it was. `cl` stays, because no other loss trains the heads that classify. The same five seeds, thirty epochs. **Your second guess:** which of the four is missed?

# %% alt="Four rows, a dot for each of five seeds, their mean and its interval. After thirty epochs DisCoM-KD is 4.1 points lower without aux. Without orth, adv or mod it is within a point of all five."
without = {f"discom {name}=0": name for name in ("aux", "orth", "adv", "mod")}


def changes(file):  # F1 without a loss, minus that with all five
    scores = mean_scores(file, {"discom": "all", **without})
    return scores[[*without.values()]].sub(scores["all"], axis=0)


thirty = changes("../results/terms.csv")
title = "After thirty epochs, only leaving out aux costs points"
figure = ladder.plot_without(thirty, title)

# %% [markdown]
# **`aux`, at thirty epochs; perhaps less later.** Without it 4.1 points are lost, with an interval from 1.1 to 7.1. Depth alone is [undecided](../results/terms.md), and so is the mean once one corrects for [six comparisons](../docs/results/all_labels.md). The other three change the score by less than a point.
#
# `adv` and `mod` compare the sensors, and **neither of them is missed**. `aux` works without a second sensor: [03](03_training.ipynb)'s *branch alone*, which never meets colour, trains with `cl`, `aux` and `orth`, and depth did as well with it as with DisCoM-KD.
#
# ## Why is `aux` missed?
#
# 02 gave a reason: $L_{cl}$ reads `inv` and `inf` together, so one of them may stay idle. Then a network that trains with the class loss alone should have an idle part, and one that also trains with `aux` should not. (All five against all five without `aux` would be the direct test. But in ten epochs the latter [hardly gets beyond guessing](../results/terms-ten.md), so none of its parts can be read.) Fit a linear map from each part to the class and score it on new scenes by R² (100 %: no errors).

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
# In this run so it is: with the class loss alone `inv` reaches about half of the R² of its `inf`, and with `aux` the two are nearly level. For depth we saw the same in a second run, on another processor; there colour had a gap of six points with and without `aux`. So for colour one run decides nothing.
#
# Look at the scores, too. After ten epochs the class loss alone names 67 % of the colour images and 59 % of the depth images. With `aux` it is 72 and 59 %. With all five losses it is 38 % in both. Are the other three harmful?
#
# ## What ten epochs would have told you
#
# An ablation is often run short, to save time. Here are the same five seeds after ten epochs, and after thirty as before.

# %% alt="Four lines from ten to thirty epochs, points compared with all five. Without orth +25.1 becomes +0.6, without adv +21.9 becomes +0.4, without mod +2.3 becomes −0.2, without aux −15.3 becomes −4.1."
ten = changes("../results/terms-ten.csv")
title = "orth and adv cost over 20 points at ten epochs, under one at thirty"
figure = ladder.plot_slopes({10: ten, 30: thirty}, title)

# %% [markdown]
# After ten epochs `orth` and `adv` look harmful: leave out either one and DisCoM-KD gains over 20 points. A paper that stopped there would have crossed them out, with five seeds that agree. After thirty epochs less than a point is left. More seeds do not protect against too short a training.
#
# The same holds for `aux`, in the other direction: −15.3 points become −4.1. So −4.1 may be the rest of a delay. We have not trained longer without `aux`.
#
# ## Why?
#
# Suspicion: `orth` and `adv` only *delay* the class. Guessing costs 2 log 9 = 4.39 for both sensors. *Begun* means: $L_{cl}$ below nine tenths of that, the dotted line. **Guess:** in which epoch does each of three networks begin: all five, without `adv`, without `orth`?

# %%
for name in ("orth", "adv"):
    terms = {loss: five[loss] for loss in five if loss != name}
    learn(f"without {name}", terms)

# %% alt="Three curves of the class loss over ten epochs. Without orth and without adv leave guessing in epoch 5 and end near 2.1 and 2.2; all five leave it in epoch 6 and end at 3.1."
starts, goal = {}, histories["all five"]["cl"].iloc[-1]
for way in ("all five", "without orth", "without adv"):
    curve = histories[way]["cl"]
    below = curve < 0.9 * 2 * log(9)
    starts[way] = below.idxmax() + 1 if below.any() else None
    print(f"{way}: {goal:.2f} reached in epoch {(curve <= goal).idxmax() + 1}")
figure = ladder.plot_starts(histories, starts, 2 * log(9))

# %% [markdown]
# All five begin in epoch 6, the two others in epoch 5. One epoch seems little, but the learning rate peaks in epoch 3 and falls to zero at the end, so whoever begins late learns at a low rate. All five end at a class loss of 3.1, which the two others have passed by epoch 7. In thirty epochs there is time to catch up.
#
# ## Do dead losses delay?
#
# Now both halves of this page meet. If `adv` delays the class, a dead `adv` must not. As released it is dead for depth, but in colour it pulls at first. So after ten epochs the released losses should be ahead of the repaired ones in depth alone. You have trained one seed of that, with other targets and the same weights. Five stored seeds have both changes.

# %%
names = {course.RELEASED: "released", "discom adv=0": "without adv", "discom": "five"}
table = {}
for sensor in sensors:
    live = ends["released"][sensor] - ends["all five"][sensor]
    column = {"released, targets alone, one seed": f"{live:+.1f}"}
    scores = course.seeds("../results/terms-ten.csv", names, sensor)
    for way in ("released", "without adv"):
        gain = tables.paired_difference(scores[way], scores["five"])
        column[f"{way}, five seeds"] = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*gain)
    table[course.SENSORS[sensor]] = column
print("points more than all five repaired losses, after ten epochs")
pd.DataFrame(table)

# %% [markdown]
# So it is, by and large. With other targets alone, depth is 12 points ahead, and colour five. (These are shares that are right, of one seed.) In the five stored seeds depth gains 22.3 points of F1, about as much as by leaving `adv` out; the halved weights ride along in them. In colour they decide nothing. Leaving out `mod` [gains nothing in depth](../results/terms-ten.md), so it is the dead `adv` that helps. **A dead loss does not delay.** The bug switches off the loss that does, and after thirty epochs that no longer shows.
#
# ## What you found
#
# - **In the released code `adv` and `mod` are dead for depth, and die for colour.** Their repair, with its weights, gains nothing after thirty epochs.
# - **After thirty epochs only `aux` is missed**, perhaps less later. Neither of the two losses that compare the sensors is.
# - **After ten epochs `orth` and `adv` cost over 20 points.** With them the class begins an epoch later, and where `adv` is dead the points are not lost. That the late start alone costs them is not tested here; exercise 2 does.
#
# [06](06_what_the_embeddings_hold.ipynb) looks at what the parts contain.
#
# For your own two sensors:
#
# - *Measure* the gradient of every loss at every sensor's branch, before and after training. A loss that stays at its guessing value may be dead.
# - *Leave out* one loss at a time, at the length at which you will train.
# - *Look* when each curve starts to fall before you compare where it ends.
#
# ## Exercises
#
# 1. **Warm-up.** Write `safe_cross_entropy(logits, targets)`: `F.cross_entropy`, but a `ValueError` if a row of float targets is not a distribution.
# 2. **Change one thing.** Write `late(loss, calls)`: 0 in the first `calls` calls, then `loss`. A step calls each loss twice, so `late(adv_loss, 128)` starts after four epochs. When do all five begin then, and where does depth end?
# 3. **Open.** Train with the class loss alone, `{"cl": class_loss}`, and with all five, for twenty epochs each. Enter the epoch in which each begins. Does the delay grow with the run?
#
# ## Quiz
#
# 1. After ten epochs a loss costs 20 points. First you (a) leave it out, (b) train longer, (c) repeat that with more seeds.
# 2. You repair the targets of a program and its weights, and its score stays the same. (a) The targets make no difference. (b) The two changes together make none. (c) Neither of them makes one.
# 3. An adversary's loss stays at 2 log 2. (a) The sensor is hidden. (b) Its weight is too small. (c) It may be dead: measure its gradient.
#
# <details><summary>Answers</summary>
#
# 1. **b**: perhaps only the start is late. Not *a*: after thirty epochs less than a point was left. Not *c*: five seeds agreed.
# 2. **b**: nothing else was compared. Not *a* and not *c*: one may gain what the other costs. Change one thing at a time.
# 3. **c**: a dead loss stays there, too. Not *a*: in 02 a frozen encoder gave the sensor away. Not *b*: no weight changes a gradient of zero.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eqs. 2–7 and Table 3; [its code](https://github.com/tanodino/CMKD_Disentangle). Musgrave et al., [A metric learning reality check](https://arxiv.org/abs/2003.08505), ECCV 2020.


# %%
def safe_cross_entropy(logits, targets): ...


def late(loss, calls): ...


starts_of_twenty = {"cl": None, "all five": None}
exercises.check(safe_cross_entropy, late, starts_of_twenty)
finish(**{way: end["depth"] for way, end in ends.items()})
