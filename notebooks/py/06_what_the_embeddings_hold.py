# %% [markdown]
# # 06 · Is “invariant” invariant? Is “irrelevant” irrelevant?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/06_what_the_embeddings_hold.ipynb) · [solutions](solutions/py/06_what_the_embeddings_hold.py)
#
# A colleague hands you a network. "`inv` is the same for both cameras: build on it. `irr` knows nothing of the class: throw it away." Do you believe the names?
#
# Freeze the network and fit a small classifier, a **probe**, to one part of its embedding. What the probe reads, the part contains:
#
# ![An image goes through a frozen branch, which cuts its embedding in three. A probe of each part is asked for the sensor and for the class. By the names: inv, sensor a guess, class right. inf, both right. irr, sensor right, class a guess.](../docs/_static/three-names.svg)
#
# **Write down two guesses.** You train DisCoM-KD with your own code. How often does a probe name the sensor from `inv` (chance: 50 %), and the class from `irr` (11 %)?
#
# | At a glance | |
# |---|---|
# | You will | **write** a probe, and find its baseline · **erase** a direction · **train** a loss that compares pairs |
# | You need | [02](02_model_and_losses.ipynb) and [03](03_training.ipynb): the branch, its losses, the loop |
# | Time, memory | four minutes on one free CPU core, 2 GB |
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
seed = 0  # of scenes, weights, batches and maps
epochs = 20  # each shows every scene once
shown = 400  # scenes in a map, two points each
profile = "cpu"  # tiny: one epoch, results mean nothing

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_06 as exercises
from discom import methods
from discom.data.augmentation import random_d4, apply_d4
from discom.data.batches import Batch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import embeddings

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
epochs, shown = (1, 40) if profile == "tiny" else (epochs, shown)
scenes, test = course.scenes(data, seed, device=device)
sensors = list(scenes.images)  # rgb, depth

# %% [markdown]
# ## A probe by hand
#
# A probe is one linear layer, fitted to numbers that stay as they are:
#
# $$ \min_{W,\, b} \; \frac{1}{N} \sum_i \mathrm{CE}(W z_i + b,\, y_i) + \frac{1}{2N} \big(\lVert W \rVert^2 + \lVert b \rVert^2\big) $$
#
# $z_i$ is the part of scene $i$; $y_i$ its class, or the number of its sensor. The probe is fitted on one half of the new scenes and scored on the other.


# %%
def probe(z, answers, reader=None):  # % right on the half that it was not fitted on
    reader = reader or nn.Linear(z.shape[1], int(answers.max()) + 1).to(z.device)
    weights, half = list(reader.parameters()), len(z) // 2
    optimizer = torch.optim.LBFGS(weights, max_iter=60, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        errors = F.cross_entropy(reader(z[:half]), answers[:half])
        loss = errors + sum(w.square().sum() for w in weights) / (2 * half)
        loss.backward()
        return loss

    optimizer.step(cost)
    right = reader(z[half:]).argmax(1) == answers[half:]
    return 100 * right.float().mean().item()


label = F.one_hot(test.labels).float()
check("the label itself: all right", probe(label, test.labels) == 100)

# %% [markdown]
# Now the parts, each number scaled to mean 0 and spread 1. Both views of a scene lie in the same half.
#
# **Guess first:** what does a probe read from a network that was *never trained*?


# %%
which = torch.arange(2, device=device).repeat(len(test.labels))  # rgb, depth, …


def scaled(z):  # [N, 2, D], both sensors by one scale
    return (z - z.mean((0, 1))) / (z.std((0, 1)) + 1e-6)


@torch.no_grad()
def parts_of(network, images=test.images):
    views = [network.eval().branches[s](images[s]) for s in sensors]
    pairs = zip(course.PARTS, zip(*views, strict=True), strict=True)
    return {name: scaled(torch.stack(pair, 1)) for name, pair in pairs}


def read(parts):
    table = {}
    for name, z in parts.items():
        table[name] = {"which sensor": probe(z.flatten(0, 1), which)}
        for k, sensor in enumerate(course.SENSORS.values()):
            table[name][f"class, {sensor}"] = probe(z[:, k], test.labels)
    return pd.DataFrame(table).T.round().astype(int)


# %%
from lessons.losses import adv_loss, aux_loss, class_loss, mod_loss, orth_loss
from lessons.model import make_network

start, depth = make_network(seed=seed).to(device), test.images["depth"]
one = {"rgb": depth.expand(-1, 3, -1, -1), "depth": depth}  # both see depth images
found = {"untrained": parts_of(start), "the same image": parts_of(start, one)}
pd.concat({name: read(parts) for name, parts in found.items()})

# %% [markdown]
# **Always** the sensor, hardly the class (12 to 16 %). The cameras are not the cause: in the lower rows both branches get the *same* depth image, and the probe still names the branch. Two random encoders turn one image into different numbers.
#
# So training must remove the sensor, and bring the class.
#
# ## DisCoM-KD, trained
#
# Branch and losses come from 02, the loop from 03. **Take out your guess.**

# %%
from lessons.losses import losses
from lessons.training import train, unpaired

five = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five |= {"adv": adv_loss, "mod": mod_loss}


def trained(terms, batches, cost=losses):
    network = make_network(seed=seed).to(device, memory_format=torch.channels_last)
    history = train(network, terms, batches, epochs, test, cost)
    print(f"{history['right'].iloc[-1]:.0f} % of new depth images right")
    return parts_of(network), history


found["DisCoM-KD"], history = trained(five, lambda _: unpaired(scenes, sensors))
read(found["DisCoM-KD"])

# %% [markdown]
# The probe names the sensor in 100 %: training removed nothing. It reads the class about as well from “irrelevant” as from “informative”.
#
# You tested both causes in 02: once the branches stand still, the adversary is right in 96 %, and one encoder makes `inf` and `irr`.
#
# ## Erase a direction
#
# Can you hide the sensor afterwards? Take a direction, a vector $u$ of length 1, and subtract from every $z$ its share in it:
#
# $$ z' = z - (z^\top u)\, u $$
#
# Try two kinds: the *probe's own*, the difference of its two rows of $W$, and the one from the mean of one sensor to that of the other. If a new probe finds another direction, erase that.
#
# **Guess:** how many of each kind must go before a new probe can only guess? What does the class lose?


# %%
def erase(z, direction):
    unit = direction / direction.norm()
    return z - (z @ unit)[:, None] * unit


def of_the_probe(z, reader):
    first, second = reader.weight.detach()
    return second - first


def between_means(z, reader):
    rgb, depth = z[: len(z) // 2].unflatten(0, (-1, 2)).mean(0)
    return depth - rgb


def erased(z, direction, count):
    rows = []
    for k in range(count + 1):
        reader = nn.Linear(z.shape[1], 2).to(z.device)
        rows.append({"which sensor": probe(z, which, reader)})
        for first, sensor in enumerate(course.SENSORS.values()):
            rows[k][f"class, {sensor}"] = probe(z[first::2], test.labels)
        z = erase(z, direction(z, reader)) if k < count else z
    return z, pd.DataFrame(rows)


hand = erase(torch.tensor([[3.0, 4.0]]), torch.tensor([2.0, 0.0]))
check("(3, 4) without its share in (1, 0): (0, 4)", hand.tolist() == [[0, 4]])

# %% alt="Three panels. The sensor: with each of six directions of probes erased, a new probe falls from 100 to between 70 and 75 percent; with one direction erased, the one between the means, it falls to 50. The class, in colour and in depth: flat lines between 60 and 72 percent, whatever is erased."
inv, curves = found["DisCoM-KD"]["inv"].flatten(0, 1), {}
_, curves["of the probe"] = erased(inv, of_the_probe, 6)
left, curves["between the means"] = erased(inv, between_means, 1)
figure = embeddings.plot_erased(curves, "One direction hides the sensor from a line")
embeddings.slider(inv, between_means(inv, None))

# %% [markdown]
# Six of the probe's own are not enough. **One** from mean to mean is, and the class loses nothing. (With a kernel, a slider erases a share; only all of it hides the sensor.)
#
# Because: where both means are equal, no linear probe gets its loss below a guess ([a theorem](https://arxiv.org/abs/2306.03819)). Without the probe's own direction the means still differ.
#
# Give the probe one bend, a hidden layer. **Guess.**

# %%
torch.manual_seed(seed)
curved = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
line, curve = probe(left, which), probe(left, which, curved)
print(f"right without a bend: {line:.0f} %, with one: {curve:.0f} %")

# %% [markdown]
# The bent probe finds the sensor every time. **Hidden from a linear probe is not hidden.**
#
# ## A loss that compares
#
# No loss of DisCoM-KD compares two images. **MDiCo** keeps the branch and three losses, and replaces $L_{adv}$ and $L_\perp$ by the contrast of 00. It compares not a projection but the `inv` of both views of a scene:
#
# $$ L = \tfrac12 L_{cl} + \tfrac14 L_{aux} + \tfrac14 L_{mod} + 2\, \mathrm{contrast}(z_{inv}^{rgb}, z_{inv}^{depth}) $$
#
# Row *i* of every sensor is now one scene. **Guess:** does a contrast, which never names the sensor, hide it better?


# %%
from lessons.pairs import contrast

weights = {"cl": 0.5, "aux": 0.25, "mod": 0.25, "contrast": 2.0}  # its authors'


def pair_losses(network, terms, images, labels):  # in the place of those of 02
    parts = {s: branch(images[s]) for s, branch in network.branches.items()}
    values = {"contrast": contrast(*(inv for inv, _, _ in parts.values()))}
    for name in ("cl", "aux", "mod"):
        each = [five[name](z, network.heads, s, labels[s]) for s, z in parts.items()]
        values[name] = sum(each)
    return {name: weight * values[name] for name, weight in terms.items()}


def paired(part, size=125):
    for rows in torch.randperm(len(part.labels)).split(size):
        images = {s: x[rows] for s, x in part.images.items()}
        images = {s: apply_d4(x, random_d4(x)) for s, x in images.items()}
        yield images, dict.fromkeys(sensors, part.labels[rows])


# %%
found["MDiCo"], history = trained(weights, lambda _: paired(scenes), pair_losses)
print(f"contrast: {history['contrast'].iloc[-1] / 2:.1f}; guessing costs log 249 = 5.5")
read(found["MDiCo"])

# %% alt="Six UMAP maps of 800 points, pink for colour and teal for depth, a shade for each shape. In all parts of DisCoM-KD, and in MDiCo's inf and irr, the sensors are separate groups, most of them sorted by shape. MDiCo's inv is one long cloud of both sensors; in each sensor the shapes go from disks to triangles."
maps = {}
for loss in ("DisCoM-KD", "MDiCo"):
    for name, z in found[loss].items():
        points = z[:shown].transpose(0, 1).flatten(0, 1)  # all rgb, then all depth
        maps[loss, name] = embeddings.project(points.cpu().numpy(), seed=seed)
figure = embeddings.plot_maps(maps, test, "Only in MDiCo's inv do the sensors meet")
stored = pd.read_csv("../results/parts.csv").query("part == 'inv'")
stored = stored.pivot_table("score", ["method", "sensor"], "fact", sort=False)
stored.loc[["untrained", "discom", "mdico"]].round().astype(int)

# %% [markdown]
# In a map only neighbours count: in MDiCo's `inv` alone they are of both sensors. After twenty epochs its contrast is still high (over 4.5 of 5.5). A linear probe names the sensor in 62 to 95 %, depending on the processor, and the class in less than a third.
#
# The table has `inv` after thirty epochs, mean of three seeds (size, distance and light as R²). From MDiCo's a probe names the sensor in 80 %, from the others in 100 %; it names the class about half as often as from DisCoM-KD's. Our explanation, not tested: shape and size, which both sensors see, help to find a scene again; the material, which one often misses, helps less.
#
# ## What is near?
#
# With a kernel, point at MDiCo's map to see a scene in both sensors. Below, three depth images with their five nearest colour images; green is the right class.

# %% alt="Three depth images, each with the five colour images that are nearest in inv, for DisCoM-KD and for MDiCo. With DisCoM-KD most have the shape of the depth image and often its material; with MDiCo few have its class."
embeddings.explore(maps["MDiCo", "inv"], test)
nearest, shares = {}, {}
for loss in ("DisCoM-KD", "MDiCo"):
    rgb, depth = F.normalize(found[loss]["inv"], dim=2).unbind(1)
    nearest[f"{loss}, inv"] = (depth @ rgb.T).topk(5).indices
    same = test.labels[nearest[f"{loss}, inv"]] == test.labels[:, None]
    shares[loss] = f"{100 * same.float().mean():.0f} % in {loss}"
title = f"The nearest in inv are of the right class: {', '.join(shares.values())}"
figure = course.show_neighbours(test, course.queries(test), nearest, title)

# %% [markdown]
# With DisCoM-KD over four in ten are right, though a linear probe tells the sensors apart (exercise 2).
#
# ## What you found
#
# **Neither name holds. From DisCoM-KD's “invariant” a linear probe names the sensor in 100 %, as from an untrained network. From “irrelevant” it names the class no worse than from “invariant”. One erased direction hides the sensor from a linear probe, not from a bent one. With a contrast a linear probe names the sensor less often, and the class about half as often.**
#
# For your own two sensors:
#
# - *Probe* a part before you build on its name, and the same part of an untrained network.
# - *Bend* the probe: a linear one that guesses does not show that the sensor is gone.
# - *Ask* for the class as well: an empty part hides everything.

# %%
course.results("06")

# %% [markdown]
# ## The same in the package
#
# `mdico` must give your four losses. Your probe is `probing.probe` in [evaluation/probing.py](../discom/evaluation/probing.py).
#
# Where a run keeps the best epoch of each sensor (`select="best"`), its two branches are of two epochs and were never weights of one model. Probe the last epoch: [13](13_look_into_a_run.ipynb) does, for any finished run.

# %%
package = methods.get("mdico")({"rgb": 3, "depth": 1}, 9, resnet10).to(device)
yours, batch = make_network(seed=seed).to(device), next(paired(scenes))
package.model.load_state_dict(yours.state_dict())
own, theirs = pair_losses(yours, weights, *batch), package.loss(Batch(*batch))
check("four equal losses", all(torch.isclose(own[name], theirs[name]) for name in own))

# %% [markdown]
# ## Exercises
#
# 1. **Warm-up.** Write `erase_all(z, directions)`: no share in any direction of [K, D] is left, nothing else is lost. They need not be at right angles.
# 2. **Change one thing.** Does a class look alike in both sensors? Write `carried(z, labels)`: fit a class probe on colour, `z[:, 0]`, and score it, in %, on depth, `z[:, 1]`, in the other half.
# 3. **Open.** Train DisCoM-KD without `adv`. How often does a probe name the sensor from `inv`, with and without? Set `scores`, in %.
#
# ## Quiz
#
# 1. A linear probe names the class from `irr` in 60 %. Training put it there if (a) 60 % is more than guessing, (b) an untrained network gives less, (c) it is scored on new scenes.
# 2. After you erase a direction, a new linear probe of the sensor guesses. Then (a) no linear probe finds the sensor, (b) no probe does, (c) the class is gone, too.
# 3. A part that contains nothing at all hides the sensor perfectly. So you should also (a) probe it for the class, (b) use a stronger probe of the sensor, (c) train longer.
#
# <details><summary>Answers</summary>
#
# 1. **b**: only the difference is due to training. Not *a*: random layers keep something, too. Not *c*: every score needs that.
# 2. **a**. Not *b*: a curved probe may still find it. Not *c*: the class is written in other directions as well.
# 3. **a**: hiding is easy where nothing is kept. Not *b*: it would find nothing, and be right. Not *c*: it need not fill the part.
#
# </details>
#
# **References.** Alain and Bengio, [Probes](https://arxiv.org/abs/1610.01644), 2016. Ravfogel et al., [Erasing directions one after the other](https://arxiv.org/abs/2004.07667), ACL 2020. Mena et al., MDiCo, Machine Learning 2025. McInnes et al., [UMAP](https://arxiv.org/abs/1802.03426), 2018.


# %%
def erase_all(z, directions): ...


def carried(z, labels): ...


scores = {"with adv": None, "without adv": None}
exercises.check(erase_all, carried, scores)
finish()
