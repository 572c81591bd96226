# %% [markdown]
# # 02 · How do you cut an embedding in three?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/02_model_and_losses.ipynb) · [solutions](solutions/py/02_model_and_losses.py)
#
# Wood or metal? In the light, a **colour** camera tells by the texture. In the dark it cannot, but a **depth** camera still measures the relief. You may record with both and deploy one. What can the camera that stays behind give to the other?
#
# The published method DisCoM-KD promises to *sort*. It cuts what a network knows into three drawers: what both cameras see, what one adds, and what no answer needs. The first it may learn from the labels of both. Does it sort?
#
# | At a glance | |
# |---|---|
# | You will | **write** a branch and five losses · **look** where facts end up |
# | You need | PyTorch modules, autograd; the scenes of [00](00_start_here.ipynb) |
# | Time, memory | two minutes on one CPU core, 1.5 GB |
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
steps = 400  # of training
profile = "cpu"  # tiny: a few steps, results mean nothing
runs = "runs"  # no effect here

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from math import log

import torch
import torch.nn.functional as F
from sklearn.linear_model import LinearRegression
from torch import nn

import course
from checks import exercises_02 as exercises
from discom import methods
from discom.data.batches import Batch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
steps = 20 if profile == "tiny" else steps

# %% alt="Six pairs of scenes, colour above depth; in each pair one fact differs. Shape, disk or square: both sensors show it. Material, in the light: colour shows stripes or checks, depth a flat disk or a dome. Material in the dark: only depth shows it. Size: both. Light: only colour. Distance: only depth."
scenes, test = course.scenes(data, seed, device=device)
pairs, facts = course.fact_pairs()
figure = course.show_pairs(pairs, "Six facts, each in two states", facts)

# %% [markdown]
# In depth bright is near: wood is flat, metal a dome. (Shown without noise and holes.)
#
# The *class* is a shape and a material. A network turns an image into numbers, its *embedding*. DisCoM-KD cuts it in three:
#
# - **invariant**, `inv`: what both sensors see and the class needs
# - **informative**, `inf`: what this sensor alone sees and the class needs
# - **irrelevant**, `irr`: what this sensor alone sees and the class does not need
#
# **Write down a guess:** which part of which sensor should know each fact? One fact belongs nowhere.
#
# ## One branch, three parts
#
# Each sensor gets a *branch* of two encoders:
#
# $$ [z_{inf} \,\Vert\, z_{irr}] = E_{spec}(x), \qquad z_{inv} = \mathrm{ReLU}(\mathrm{BatchNorm}(W E_{inv}(x) + b)) $$
#
# The cut is a slice. Losses fill the parts through *heads*, linear layers. Each sensor's own head `task` names the class from `inv` and `inf`. The others serve both sensors, in training only.


# %% tags=["lesson-model"]
bands = {"rgb": 3, "depth": 1}  # of an image of each sensor
sensors = list(bands)


class Branch(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.specific, features = resnet10(bands)  # mean over pixels last: [B, 128]
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


def make_network(branch=Branch, seed=0, kept=sensors):
    torch.manual_seed(seed)
    branches = nn.ModuleDict({sensor: branch(bands[sensor]) for sensor in kept})
    return nn.ModuleDict({"branches": branches, "heads": make_heads()})


# %% [markdown]
# ## Two losses that name the class
#
# $L_{cl}$ trains what you deploy, but could use `inf` and leave `inv` idle. So $L_{aux}$ asks each alone, with **one** head for both parts and both sensors. (H is the cross-entropy.)
#
# $$ L_{cl} = H(h_{task}([z_{inv} \Vert z_{inf}]),\, y), \qquad L_{aux} = H(h_{aux}(z_{inv}),\, y) + H(h_{aux}(z_{inf}),\, y) $$
#
# **A conflict:** by the idea `inf` contains what its sensor *adds*, but $L_{aux}$ asks it for the whole class. The paper does so.


# %% tags=["lesson-losses"]
def class_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return F.cross_entropy(heads.task[sensor](torch.cat([inv, inf], 1)), labels)


def aux_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return sum(F.cross_entropy(heads.aux(part), labels) for part in (inv, inf))


# %% [markdown]
# ## Two losses that name the sensor
#
# Now the label is the *sensor* $s$: 0 for colour, 1 for depth. What one sensor alone sees gives it away, so $L_{mod}$ trains `inf` and `irr`, each with a head, to name the sensor:
#
# $$ L_{mod} = H(h_{mod\_inf}(z_{inf}),\, s) + H(h_{mod\_irr}(z_{irr}),\, s), \qquad L_{adv} = H(h_{adv}(R(z_{inv})),\, s) $$
#
# `inv` must not name it. Its head, the *adversary*, learns to name the sensor; the encoder learns to make it fail. $L_{adv}$ does both, by a layer between them: forward $R(z) = z$, backward the gradient times −λ (in training λ = 1).


# %% tags=["lesson-losses"]
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, strength):
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def sensor_loss(logits, sensor):
    return -logits.log_softmax(1)[:, sensors.index(sensor)].mean()


def mod_loss(parts, heads, sensor, labels):
    _, inf, irr = parts
    return sum(sensor_loss(z, sensor) for z in (heads.mod_inf(inf), heads.mod_irr(irr)))


def adv_loss(parts, heads, sensor, labels, strength=1.0):
    return sensor_loss(heads.adv(Reverse.apply(parts[0], strength)), sensor)


# %% [markdown]
# ## What a reversal does
#
# Two clouds of points are embeddings of two sensors. A loss moves them and trains an adversary. At λ = −1 nothing is reversed. **Guess:** where do the clouds go at λ = 0.3 and at 3?


# %% alt="Two clouds of points with arrows. At λ = −1 they move apart. At 0.3 some points change sides. At 3 the clouds cover each other, and the points that moved furthest lie beyond the other cloud."
def move_clouds(strength, moves=60):
    torch.manual_seed(seed)
    start = torch.tensor([[[-1.0, 0.5]], [[1.0, -0.5]]]) + 0.5 * torch.randn(2, 60, 2)
    points, head = start.clone().to(device).requires_grad_(), nn.Linear(2, 2).to(device)
    groups = [{"params": [points], "lr": 6.0}, {"params": head.parameters()}]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    for _ in range(moves):
        logits = head(Reverse.apply(points, strength))  # of each sensor
        loss = sum(map(sensor_loss, logits, sensors)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return start, points.detach().cpu(), loss.item()


course.slider(move_clouds)
figure = course.plot_clouds(move_clouds, -1.0, 0.3, 3.0)

# %% [markdown]
# Without reversal the clouds part, as $L_{mod}$ asks. At 0.3 the adversary still wins. At 3 the clouds meet and the loss, a mean over both, is log 2 = 0.69: it guesses. **Guess:** if a *network's* adversary guesses, is the sensor hidden?
#
# ## One loss for the angles
#
# Still `inf` and `irr` may be equal. The paper's last loss lowers two cosines:
#
# $$ L_\perp = \cos(z_{inv}, z_{inf}) + \cos(z_{inf}, z_{irr}) $$
#
# All three parts come out of a ReLU, so no number is negative, and the least is 0, at right angles. **Guess:** can two vectors at right angles contain the same fact?


# %% tags=["lesson-losses"]
def orth_loss(parts, heads=None, sensor=None, labels=None):
    inv, inf, irr = parts
    return (F.cosine_similarity(inv, inf) + F.cosine_similarity(inf, irr)).mean()


# %%
secret = torch.rand(100, 1)  # a fact of 100 scenes
left, right = F.pad(secret, (0, 1)), F.pad(secret, (1, 0))  # [s, 0] and [0, s]
check("[s, 0] and [0, s]: right angles, loss 0", orth_loss((left, right, left)) == 0)

# %% [markdown]
# They can: both contain the secret. **Orthogonal is not independent.** Nothing is detached: `irr` learns from $L_{mod}$ and $L_\perp$ alone.
#
# ## All five together
#
# DisCoM-KD adds the five losses of both sensors, all with weight 1; each is a mean over that sensor's own batch:
#
# $$ L = \sum_s L_{cl} + L_{adv} + L_{mod} + L_{aux} + L_\perp $$
#
# Batches are *unpaired*: each sensor draws scenes of its own.
#
# Guessing costs log 9 for a class, log 2 for a sensor. **Guess:** which loss falls first, which never? Is $L_{cl}$ alone worse on new scenes?


# %% tags=["lesson-losses"]
def losses(network, terms, images, labels):
    sums = dict.fromkeys(terms, 0.0)
    for sensor, branch in network.branches.items():
        parts, own = branch(images[sensor]), labels[sensor]
        for name, loss in terms.items():
            sums[name] = sums[name] + loss(parts, network.heads, sensor, own)
    return sums


# %%
def unpaired(batch=32):
    rows = {s: torch.randperm(len(x))[:batch] for s, x in scenes.images.items()}
    images = {s: x[rows[s]] for s, x in scenes.images.items()}
    return images, {s: scenes.labels[rows[s]] for s in sensors}


def train(network, terms, steps):
    weights, history = network.train().parameters(), []
    optimizer = torch.optim.AdamW(weights, weight_decay=0.03, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, steps + 1)
    for _ in range(steps):
        values = losses(network, terms, *unpaired())
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append({name: value.item() for name, value in values.items()})
    return history


@torch.no_grad()
def parts_of(network, sensor):
    return network.eval().branches[sensor](test.images[sensor])


# %% alt="Four loss curves, each divided by what guessing costs. The modality loss falls to zero within a hundred steps; class and auxiliary losses fall slowly to about one half; the adversary's moves up and down around one, and ends above it."
five = dict(cl=class_loss, adv=adv_loss, mod=mod_loss, aux=aux_loss, orth=orth_loss)
network, alone = make_network(seed=seed).to(device), make_network(seed=seed).to(device)
history = train(network, five, steps)
train(alone, {"cl": class_loss}, steps)
for name, own in {"five losses": network, "L_cl alone": alone}.items():
    for s in sensors:
        named = own.heads.task[s](torch.cat(parts_of(own, s)[:2], 1)).argmax(1)
        print(f"{name}, {s}: {(named == test.labels).float().mean():.0%} right")
guessing = {"cl": 2 * log(9), "aux": 4 * log(9), "mod": 4 * log(2), "adv": 2 * log(2)}
figure = course.plot_losses(history, guessing)

# %% [markdown]
# A camera is easy to name: $L_{mod}$ is solved at once. $L_{adv}$ ends **above** a guess. Five losses win in depth, not in colour, in one run; [03](03_training.ipynb) makes more.
#
# ## Where did the facts go?
#
# Fit a linear map from a part to a fact on half of the new scenes; score it on the rest. R² is 100 % without errors, 0 % if the mean does as well. Green boxes mark where the idea wants a fact.


# %% tags=["lesson-reading"]
def readable(z, values, rows):  # R², on scenes that it was not fitted on
    z = z.cpu()
    half = len(z) // 2
    line, rows = LinearRegression().fit(z[:half], values[:half]), rows[half:]
    return 100 * max(0, line.score(z[half:][rows], values[half:][rows]))


# %% alt="A table in shades of grey: six facts and the sensor against the three parts of colour and of depth. What a sensor sees stands in all of its parts. Shape is darkest in the boxed inv, distance in the boxed irr; the material is darker outside its box. Size has no box."
figure = course.plot_facts(readable, {s: parts_of(network, s) for s in sensors}, test)

# %% [markdown]
# *Size* has no box: both see it, no class needs it. Shape follows its boxes, the material does not. **Hardly a part lacks what its sensor sees**.
#
# ## Why does `inv` name the sensor?
#
# $L_{adv}$ forbids it, and its adversary finds nothing. Our map does. **Suspicion:** the adversary lags. It learns where embeddings *were*, while the branch moves on.
#
# Test it: 100 steps more of $L_{adv}$ alone, beside branches that move, then beside frozen ones. **Guess** how often the adversary is right.

# %%
for branches, more in (("moving", 0), ("moving", 100), ("frozen", 100)):
    network.branches.requires_grad_(branches == "moving")
    train(network, {"adv": adv_loss}, more)
    named = [network.heads.adv(parts_of(network, s)[0]).argmax(1) for s in sensors]
    share = (torch.stack(named).cpu() == torch.tensor([[0], [1]])).float().mean()
    print(f"{more} steps more, {branches} branches: adversary right in {share:.0%}")

# %% [markdown]
# It lagged: it fails beside moving branches, but not beside frozen ones. **A guessing adversary proves nothing.**
#
# ## Why does `irr` know the material?
#
# Neither $L_{mod}$ nor $L_\perp$ asks it for a class. Our explanation: **one** encoder makes `inf` and `irr`, and learns the material for `inf`. Test it with $L_{cl}$ alone, which never reads `irr`. **Guess** what `irr` knows then.

# %%
material, lit = course.facts(test)["material"]
untrained = make_network(seed=seed).to(device)
for name, own in {"before training": untrained, "L_cl alone": alone}.items():
    r2 = [readable(z, material, lit) for z in parts_of(own, "rgb")]
    print(f"{name}:", "inv {:.0f} %, inf {:.0f} %, irr {:.0f} %".format(*r2))

# %% [markdown]
# Nearly as much as `inf`: the slice separates nothing. `inv` has its own encoder and learns little: $L_{cl}$ can do without.
#
# ## What you found
#
# **You cut an embedding with a slice, and five losses should sort it. Some facts lean towards their part; none is kept out of another. The one loss that forbids anything fails: its adversary lags behind.**
#
# For your own two sensors:
#
# - *List* facts in ten pairs of images: who sees each, does the label need it?
# - *Read* facts from a part before you trust its name.
# - *Freeze* the branches and train the adversary on before you call the sensor hidden.
#
# ## The same in the package
#
# With the same parameters [`discom`](../discom/discom_kd.py) must give your losses and gradients. It serves [your loop](../docs/guides/own_loop.md). (The authors' program differs from their paper, which you follow: [05](05_ablations.ipynb).)

# %%
package = methods.get("discom")({"rgb": 3, "depth": 1}, 9, resnet10).to(device)
yours, batch = make_network(seed=seed).to(device), unpaired()
package.model.load_state_dict(yours.state_dict())
own, theirs = losses(yours, five, *batch), package.loss(Batch(*batch))
(sum(own.values()) + sum(theirs.values())).backward()
check("five equal losses", all(torch.isclose(own[name], theirs[name]) for name in five))
both = zip(yours.parameters(), package.parameters(), strict=True)
check("same gradients", all(torch.allclose(a.grad, b.grad, atol=1e-5) for a, b in both))

# %% [markdown]
# ## Exercises
#
# 1. **Warm-up.** Write `reverse` in one line, with `detach()`.
# 2. **Change one thing.** Without a ReLU, $L_\perp$ is least at 180°. Write `right_angles`, least at 90° for every scene.
# 3. **Open.** Write `hide_loss`: a new head `hide` in `make_heads` reads the class from `irr`, the encoder hides it. Train with it. Do `irr` and `inf` forget the material?
#
# ## Quiz
#
# 1. $L_{adv}$ ends no lower than 2 log 2. Then (a) `inv` contains nothing of the sensor, (b) its adversary may lag, (c) λ is too small.
# 2. Both sensors see all that the class needs. Who asks `inf` for the class? (a) The idea. (b) The idea and $L_{aux}$. (c) $L_{aux}$.
# 3. By the idea, which fact has no part? (a) The light. (b) The size. (c) The distance.
#
# <details><summary>Answers</summary>
#
# 1. **b**. Not *a*: on frozen branches yours found it. Not *c*: at 0.3 the adversary won.
# 2. **c**: $L_{aux}$ asks for the class, whoever sees it. What both see belongs into `inv`.
# 3. **b**: both see it, no class needs it. One sensor alone sees the others.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eqs. 2–7. Ganin et al., [Reversal](https://arxiv.org/abs/1505.07818), JMLR 2016.


# %%
def reverse(z, strength): ...


def right_angles(parts): ...


def hide_loss(parts, heads, sensor, labels): ...


exercises.check(reverse, right_angles, hide_loss)
finish()
