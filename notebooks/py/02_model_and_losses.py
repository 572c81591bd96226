# %% [markdown]
# # 02 · How do you cut an embedding in three?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/02_model_and_losses.ipynb) · [solutions](solutions/py/02_model_and_losses.py)
#
# A network turns an image into a list of numbers, its *embedding*. All that it knows of the scene stands in there, mixed. The published method DisCoM-KD wants it sorted, in three parts for each sensor:
#
# - **invariant**: what every sensor sees, and the class depends on
# - **informative**: what this sensor alone sees, and the class depends on
# - **irrelevant**: what this sensor alone sees, and the class does not depend on
#
# Below are five facts, each in two states. The class is a shape and a material. **Write down a guess:** which part of which sensor should know each fact? One fits no part. And will a network obey?
#
# | At a glance | |
# |---|---|
# | You will | **write** a branch and its five losses · **turn** a gradient around · **look** where the facts end up |
# | You need | PyTorch modules, autograd, cross-entropy; the scenes of [00](00_start_here.ipynb) |
# | Time, memory | one minute on one free CPU core, 1.5 GB |
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
steps = 400  # of training
profile = "cpu"  # tiny: a few steps, results mean nothing
runs = "runs"  # no effect here

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from math import log

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn import linear_model, svm
from torch import nn

import course
from checks import exercises_02 as exercises
from discom import methods
from discom.data.batches import Batch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp

torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data)
steps = 20 if profile == "tiny" else steps

# %% alt="Five pairs of scenes, colour above depth; in each pair one fact differs. Material, in the light: both sensors show it. Material in the dark: only depth does. Size: both. Light: only colour. Distance: only depth."
scenes, test = course.scenes(data, seed)
sensors = list(scenes.images)  # rgb, depth
pairs, facts = course.fact_pairs()
figure = course.show_pairs(pairs, "Five facts, each in two states", facts)

# %% [markdown]
# ## One branch, three parts
#
# Each sensor gets a *branch* of two encoders. The specific one gives $z_{inf}$ and $z_{irr}$, the invariant one $z_{inv}$:
#
# $$ [z_{inf} \,\Vert\, z_{irr}] = E_{spec}(x), \qquad z_{inv} = \mathrm{ReLU}(\mathrm{BatchNorm}(W E_{inv}(x) + b)) $$
#
# So the cut is a slice. Nothing tells the parts apart yet. Losses must, through *heads*, linear classifiers. Each sensor has its own `task` head, which names the class from `inv` and `inf`. All other heads serve both sensors, and leave after training, as `irr` does.


# %%
class Branch(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.specific, features = resnet10(bands)  # [B, bands, 32, 32] → [B, 128]
        self.invariant, _ = resnet10(bands)
        linear, norm = nn.Linear(features, features // 2), nn.BatchNorm1d(features // 2)
        self.project = nn.Sequential(linear, norm, nn.ReLU())

    def forward(self, images):
        inf, irr = self.specific(images).chunk(2, dim=1)
        return self.project(self.invariant(images)), inf, irr  # [B, 64] each


def make_heads(width=64, classes=9):
    heads = {"task": nn.ModuleDict({s: nn.Linear(2 * width, classes) for s in sensors})}
    heads |= {n: nn.Linear(width, len(sensors)) for n in ("adv", "mod_inf", "mod_irr")}
    return nn.ModuleDict(heads | {"aux": nn.Linear(width, classes)})


# %% [markdown]
# ## Two losses that name the class
#
# $L_{cl}$ trains what you will deploy. $L_{aux}$ asks `inv` and `inf` for the class, **each by itself**, so that neither leaves the work to the other.
#
# $$ L_{cl} = \mathrm{CE}(h_{task}([z_{inv} \Vert z_{inf}]),\, y), \qquad L_{aux} = \mathrm{CE}(h_{aux}(z_{inv}),\, y) + \mathrm{CE}(h_{aux}(z_{inf}),\, y) $$
#
# All losses take the same: a sensor's parts, the heads, the sensor, the labels.


# %%
def class_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return F.cross_entropy(heads.task[sensor](torch.cat([inv, inf], 1)), labels)


def aux_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return sum(F.cross_entropy(heads.aux(part), labels) for part in (inv, inf))


# %% [markdown]
# ## Two losses that name the sensor
#
# Now the answer is the *sensor*: 0 for colour, 1 for depth. `inf` and `irr` should know what one sensor alone sees, so heads must name it from them. That is $L_{mod}$.
#
# From `inv` nobody should. A head, the *adversary*, tries to; the encoder must make it fail. One loss, $L_{adv}$, trains both, with a layer $R$ between them. Forward it does nothing. Backward it turns the gradient around, times λ:
#
# $$ R(z) = z, \qquad \partial R / \partial z := -\lambda I $$


# %%
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, strength):
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def sensor_loss(logits, sensor):
    return F.cross_entropy(logits, torch.full((len(logits),), sensors.index(sensor)))


def mod_loss(parts, heads, sensor, labels):
    _, inf, irr = parts
    return sum(sensor_loss(z, sensor) for z in (heads.mod_inf(inf), heads.mod_irr(irr)))


def adv_loss(parts, heads, sensor, labels, strength=1.0):
    return sensor_loss(heads.adv(Reverse.apply(parts[0], strength)), sensor)


# %% [markdown]
# ## What a reversal does
#
# Take the networks away. The embeddings of two sensors are two clouds of points, pushed by gradients against one linear adversary. At λ = −1 nothing is reversed. **Guess:** where do the clouds go at λ = 0.3 and at 3, and what is the adversary's loss there? With a kernel, a slider turns λ.


# %% alt="Two clouds of points with arrows. At λ = −1 they move apart. At 0.3 some points change sides. At 3 the clouds cover each other, and the points that moved furthest lie beyond the other cloud."
def move_clouds(strength, moves=60):
    torch.manual_seed(seed)
    start = torch.tensor([[[-1.0, 0.5]], [[1.0, -0.5]]]) + 0.5 * torch.randn(2, 60, 2)
    points, head = start.clone().requires_grad_(), nn.Linear(2, 2)
    groups = [{"params": [points], "lr": 6.0}, {"params": head.parameters()}]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    for _ in range(moves):
        rgb, depth = head(Reverse.apply(points, strength))  # logits
        loss = (sensor_loss(rgb, "rgb") + sensor_loss(depth, "depth")) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return start, points.detach(), loss.item()


course.slider(move_clouds)
figure = course.plot_clouds(move_clouds, -1.0, 0.3, 3.0)

# %% [markdown]
# Without reversal the clouds part, as $L_{mod}$ wants it. With it they meet. At λ = 3 the loss is log 2 = 0.69: the adversary guesses. Is the sensor hidden?
#
# The outermost points went *through* the other cloud. **Guess:** can a new line name the sensor of a point? Can a curve?

# %%
_, points, _ = move_clouds(3.0)
z, numbers = points.flatten(0, 1), torch.arange(2).repeat_interleave(60)
for name, reader in (("line", linear_model.LogisticRegression()), ("curve", svm.SVC())):
    share = reader.fit(z[::2], numbers[::2]).score(z[1::2], numbers[1::2])
    print(f"a {name} that fits half of the points is right in {share:.0%} of the rest")

# %% [markdown]
# A line cannot, a curve can. **An adversary that guesses does not prove that nothing is left to find.**
#
# ## One loss for the angles
#
# Nothing yet keeps `inf` and `irr` from being equal. The last loss lowers the cosine of neighbouring parts:
#
# $$ L_\perp = \cos(z_{inv}, z_{inf}) + \cos(z_{inf}, z_{irr}) $$
#
# After a ReLU no number is negative, so the least is 0, at right angles. **Guess:** can two vectors at right angles contain the very same fact?


# %%
def orth_loss(parts, heads=None, sensor=None, labels=None):
    inv, inf, irr = parts
    return (F.cosine_similarity(inv, inf) + F.cosine_similarity(inf, irr)).mean()


secret = torch.rand(100, 1)  # a fact of 100 scenes
left, right = F.pad(secret, (0, 1)), F.pad(secret, (1, 0))  # [s, 0] and [0, s]
check("[s, 0] and [0, s]: right angles, loss 0", orth_loss((left, right, left)) == 0)

# %% [markdown]
# They can: both contain $s$, in different units. **Orthogonal is not independent.**
#
# ## All five together
#
# DisCoM-KD adds all five, over both sensors. Batches are *unpaired*: each sensor's are shuffled alone, so no loss compares two images of one scene. Only shared heads connect the branches.
#
# A head that knows nothing costs log 9 for a class, log 2 for a sensor. **Guess:** which of the four cross-entropies ends near that?


# %%
def losses(network, terms, images, labels):
    sums = dict.fromkeys(terms, 0.0)
    for sensor, branch in network.branches.items():
        parts, own = branch(images[sensor]), labels[sensor]
        for name, loss in terms.items():
            sums[name] = sums[name] + loss(parts, network.heads, sensor, own)
    return sums


def unpaired(batch=32):
    rows = {s: torch.randperm(len(x))[:batch] for s, x in scenes.images.items()}
    images = {s: x[rows[s]] for s, x in scenes.images.items()}
    return images, {s: scenes.labels[rows[s]] for s in sensors}


def train(terms, chosen, steps):
    torch.manual_seed(seed)
    branches = nn.ModuleDict({s: Branch(len(scenes.images[s][0])) for s in chosen})
    network, history = nn.ModuleDict({"branches": branches, "heads": make_heads()}), []
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, steps + 1)
    for _ in range(steps):
        values = losses(network, terms, *unpaired())
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append({name: value.item() for name, value in values.items()})
    return network, pd.DataFrame(history)


# %% alt="Four loss curves, each divided by what guessing costs. The modality loss falls to zero within a hundred steps; class and auxiliary losses fall slowly to about one half; the adversary's moves up and down between 0.8 and 1.5, and ends at about 1.2."
five = {"cl": class_loss, "adv": adv_loss, "mod": mod_loss, "aux": aux_loss}
five["orth"] = orth_loss
network, history = train(five, sensors, steps)
guessing = {"cl": 2 * log(9), "aux": 4 * log(9), "mod": 4 * log(2), "adv": 2 * log(2)}
figure = course.plot_losses(history, guessing)

# %% [markdown]
# The adversary's. A camera is easy to name, so $L_{mod}$ is solved at once; the class takes longest.
#
# ## Where did the facts go?
#
# Fit a linear map from each part to each fact on half of the new scenes, and score it on the other half. Take out your first guess: green boxes mark where the idea wants each fact.


# %% alt="A table in shades of grey: five facts and the sensor against the three parts of colour and of depth. Within a sensor the three parts have nearly equal numbers for each fact. Green boxes, where the idea wants a fact, are hardly darker than their neighbours. Size has no box."
@torch.no_grad()
def readable(z, values, rows):  # R², on scenes that it was not fitted on
    z, half = F.pad(z, (0, 1), value=1.0), len(z) // 2
    weights = torch.linalg.lstsq(z[:half], values[:half]).solution
    errors, true = (x[half:][rows[half:]] for x in (values - z @ weights, values))
    return 100 * max(0, 1 - (errors.var(0) / true.var(0)).mean().item())


@torch.no_grad()
def parts_of(network, sensor):
    return network.eval().branches[sensor](test.images[sensor])


parts = {sensor: parts_of(network, sensor) for sensor in sensors}
figure = course.plot_facts(readable, parts, test)

# %% [markdown]
# *Size* has no box: both see it, and no class needs it. But boxes hardly matter: what one part of a sensor knows, the other two know, more or less. Even `inv` names the sensor, though its adversary guesses. A new line finds what the adversary lost; why, we have not tested.
#
# And `irr` knows the material. Yet only $L_{mod}$ and $L_\perp$ read `irr`, and neither asks for a class. Our explanation: `inf` and `irr` come out of **one** encoder, which learns the material for `inf`.
#
# Test it with $L_{cl}$ alone, which never reads `irr`. **Guess** how well `irr` knows the material then.

# %%
material, lit = course.facts(test)["material"]
for count in (0, 200):
    alone, _ = train({"cl": class_loss}, ["rgb"], count)
    numbers = [readable(z, material, lit) for z in parts_of(alone, "rgb")]
    print(count, "steps: inv {:.0f} %, inf {:.0f} %, irr {:.0f} %".format(*numbers))

# %% [markdown]
# Nearly as well as `inf`, with no loss on it; before training it knew nothing. A slice is no wall.
#
# ## What you found
#
# **You cut an embedding with a slice, and five losses ask what belongs into each part. Only one forbids anything, and its guessing adversary proves nothing. In this run all that a sensor knew stood in each of its parts.** [06](06_what_the_embeddings_hold.ipynb) asks whether full training changes that.
#
# Why divide at all? By the shared head `aux`, one sensor's labels could shape what the other calls invariant; and a classifier that never reads the irrelevant cannot lean on it. Both are hopes about accuracy: [03](03_training.ipynb) measures it.
#
# For your own two sensors:
#
# - *List* your facts: what do both see, what does the label need? If both see all of that, nothing is left for `inf`.
# - *Read* a part with a new map before you trust its name.
# - *Expect* little of $L_{mod}$: the look of an image names its camera at once.
#
# ## The same in the package
#
# `discom` has these losses for more sensors, other encoders, missing labels. With your weights it must give your losses and gradients.

# %%
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10)
package.model.load_state_dict(network.state_dict())
batch = unpaired()
own, theirs = losses(network.train(), five, *batch), package.loss(Batch(*batch))
network.zero_grad()
(sum(own.values()) + sum(theirs.values())).backward()
check("five equal losses", all(torch.isclose(own[name], theirs[name]) for name in five))
pairs = zip(network.parameters(), package.parameters(), strict=True)
same = [torch.allclose(weight.grad, other.grad, atol=1e-5) for weight, other in pairs]
check("equal gradients of all weights", all(same))

# %% [markdown]
# ## Exercises
#
# 1. **Warm-up.** Write `reverse(z, strength)` in one line, with `detach()`.
# 2. **Change one thing.** Without a ReLU, $L_\perp$ is least at 180°. Write `right_angles(parts)`, least at 90° for every scene.
# 3. **Open.** Add a head `hide` to `make_heads`, and write `hide_loss`: the head reads the class from `irr`, the encoder hides it. Train with it. Does `irr` forget the material? Does `inf`?
#
# ## Quiz
#
# 1. In your training $L_{adv}$ ends no lower than 2 log 2. Then (a) `inv` contains nothing of the sensor, (b) this adversary finds nothing, (c) λ is too small.
# 2. Both sensors see all that the class needs. By the idea, `inf` should contain (a) nothing of the class, (b) the class once more, (c) what is noise in that sensor.
# 3. Which fact of the first figure does *no* part have room for? (a) The light, since depth is blind to it. (b) The distance, as no class needs it. (c) The size.
#
# <details><summary>Answers</summary>
#
# 1. **b**: you saw clouds that a curve tells apart. Not *a*: a new map found the sensor. Not *c*: a strong reversal gave log 2 as well.
# 2. **a**: what all see belongs into `inv`. Not *b*: then nothing is divided. Not *c*: noise is irrelevant.
# 3. **c**: both see it and no class needs it. Not *a* or *b*: one sensor sees them, so they are irrelevant there.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eqs. 2–7. Ganin et al., [Domain-adversarial training](https://arxiv.org/abs/1505.07818), JMLR 2016.


# %%
def reverse(z, strength): ...


def right_angles(parts): ...


def hide_loss(parts, heads, sensor, labels): ...


exercises.check(reverse, right_angles, hide_loss)
finish()
