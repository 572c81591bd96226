# %% [markdown]
# # 02 · How do you cut an embedding in three?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/02_model_and_losses.ipynb) · [solutions](solutions/py/02_model_and_losses.py)
#
# Is it made of wood or of metal? In the light, a **colour** camera tells by the texture. In the dark it cannot, but a **depth** camera still measures the relief. You may record with both cameras, but you will deploy only one. What can the camera that you leave at home give to the other?
#
# The published method DisCoM-KD answers: *sort first*. It cuts what a network knows about an image into three parts. The **invariant** part contains what both cameras see and the answer needs. The **informative** part contains what one camera alone adds to the answer. The **irrelevant** part takes what one camera alone sees and no answer needs, such as the brightness of the lamp. Each camera has encoders of its own. The two networks meet only in four small layers, the shared heads, and only in training. Whatever depth learns from colour must pass through these heads.
#
# Here you write the whole method and follow four images through it. Then you open the three parts: **did it sort?**
#
# ![Two branches, for RGB and depth. Each turns its image into an invariant, an informative and an irrelevant part. A task head of each branch reads the first two. Four heads shared by both branches, in training only, are asked for the class or for the sensor.](../docs/_static/method.svg)
#
# | At a glance | |
# |---|---|
# | You will | **write** a branch and five losses · **trace** a batch of four scenes · **look** where facts end up · **repair** one part |
# | You need | PyTorch modules, autograd; the scenes of [00](00_start_here.ipynb) |
# | Time, memory | three or four minutes on one CPU core, 1.5 GB |
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
record = ""  # a file that keeps the scores
profile = "cpu"  # tiny: a few steps, results mean nothing

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import copy
from math import log

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import course
from checks import exercises_02 as exercises
from discom import discom_kd, methods
from discom.data.batches import Batch
from discom.losses import reverse_gradient
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import method, sorting

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
steps = 20 if profile == "tiny" else steps

# %% [markdown]
# In the picture above each camera has a **branch** of its own, which turns an image into three lists of numbers. Small linear layers, the **heads**, read these lists and are asked a question: which class, or which sensor? The answers become losses, and the losses are to do the sorting.
#
# ## Four facts that should be sorted
#
# The scenes are synthetic, so we know every fact about them. The *class* is a shape and a material. Below are four facts, each in two states: shape, material, light and the distance of the wall. The material comes three times: in an ordinary scene, in the dark, and far away, where depth is too coarse for relief.
#
# *Light* is the brightness of the lamp. *In the dark* is another thing, a switch that hides the material from colour. In depth, bright is near: wood is flat, metal a dome. For this picture nine noisy shots are combined, and depth's contrast is raised in each pair. So compare brightness within a pair only.
#
# **Guess 1.** Look who sees each fact, and whether the class needs it. In which part of which sensor should it stand?

# %% alt="Six pairs of scenes, colour above depth; in each pair one fact differs. Shape, disk or square: both sensors show it. Material in an ordinary scene: both show it. Material in the dark: only depth shows it. Material far away: only colour shows it. Light: only colour. Distance of the wall: only depth."
scenes, test = course.scenes(data, seed, device=device)
pairs, states = course.fact_pairs()
title = "Two images of a pair differ in one fact: which sensor sees it?"
figure = course.show_pairs(pairs, title, states)

# %% [markdown]
# *Guess 1,* by the definitions of the three parts:
#
# | fact | who sees it | does the class need it? | so it belongs in |
# |---|---|---|---|
# | shape | both sensors | yes | `inv` of both |
# | material in an ordinary scene | both sensors | yes | `inv` of both |
# | material in the dark | depth alone | yes | `inf` of depth |
# | material far away | colour alone | yes | `inf` of colour |
# | light | colour alone | no | `irr` of colour |
# | distance of the wall | depth alone | no | `irr` of depth |
#
# *Far away* and the *distance of the wall* are two things. The first hides the relief from depth. The second shifts all values of the depth image and hides nothing.
#
# ## Four scenes, from the pixels to the first loss
#
# Before we write a class, we send four colour images through a branch line by line. The *specific* encoder makes 128 numbers of each. The cut is a slice: the first half is called `inf`, the second half `irr`.

# %%
def shape(name, tensor):
    print(f"{name:24} {list(tensor.shape)}")


torch.manual_seed(seed)
pixels, labels = scenes.images["rgb"][:4], scenes.labels[:4]
specific, features = resnet10(3)  # of images with three bands
halves = specific.to(device)(pixels)
inf, irr = halves.chunk(2, dim=1)

shape("pixels", pixels)
shape("specific encoder", halves)
shape("first half: inf", inf)
shape("second half: irr", irr)

# %% [markdown]
# `inv` comes from an encoder of its own. A linear layer brings its 128 numbers down to 64, so that all parts have one width.

# %%
invariant, _ = resnet10(3)
narrow = nn.Linear(features, 64)
project = nn.Sequential(narrow, nn.BatchNorm1d(64), nn.ReLU()).to(device)
wide = invariant.to(device)(pixels)
inv = project(wide)

shape("invariant encoder", wide)
shape("projection: inv", inv)

# %% [markdown]
# The task head reads `inv` and `inf` side by side. It never sees `irr`.

# %%
joined = torch.cat([inv, inf], dim=1)
task_head = nn.Linear(128, 9).to(device)  # nine classes
logits = task_head(joined)
loss = F.cross_entropy(logits, labels)

shape("inv and inf", joined)
shape("logits of the classes", logits)
shape("loss", loss)
print(f"\nloss {loss:.2f}; who guesses among nine pays log 9 = {log(9):.2f}")

# %% [markdown]
# That is a whole branch and its first loss. The rest of the method is more heads and more losses. Now the same lines as a module:
#
# $$ [z_{inf} \,\Vert\, z_{irr}] = E_{spec}(x), \qquad z_{inv} = \mathrm{ReLU}(\mathrm{BatchNorm}(W E_{inv}(x) + b)) $$


# %% tags=["lesson-model"]
bands = {"rgb": 3, "depth": 1}  # of an image of each sensor
sensors = list(bands)


class Branch(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.specific, features = resnet10(bands)  # mean over pixels last: [B, 128]
        self.invariant, _ = resnet10(bands)
        width = features // 2
        linear, norm = nn.Linear(features, width), nn.BatchNorm1d(width)
        self.project = nn.Sequential(linear, norm, nn.ReLU())

    def forward(self, images):
        inf, irr = self.specific(images).chunk(2, dim=1)
        inv = self.project(self.invariant(images))
        return inv, inf, irr  # [B, 64] each


# %% [markdown]
# The heads are linear layers. Each sensor has a `task` head of its own, which is deployed with its branch. The four others serve both sensors and are thrown away after training.


# %% tags=["lesson-model"]
def make_heads(width=64, classes=9):
    task_heads = {sensor: nn.Linear(2 * width, classes) for sensor in sensors}
    heads = {"task": nn.ModuleDict(task_heads)}
    for name in ("adv", "mod_inf", "mod_irr"):
        heads[name] = nn.Linear(width, len(sensors))  # which sensor?
    heads["aux"] = nn.Linear(width, classes)  # which class?
    return nn.ModuleDict(heads)


def make_network(branch=Branch, seed=0, kept=sensors):
    torch.manual_seed(seed)
    branches = {sensor: branch(bands[sensor]) for sensor in kept}
    parts = {"branches": nn.ModuleDict(branches), "heads": make_heads()}
    return nn.ModuleDict(parts)


# %% [markdown]
# Are these the lines from above? With the same seed, the module must make the same parts of the four scenes.

# %%
def same(own, other):
    close = [torch.allclose(a, b, atol=1e-5) for a, b in zip(own, other, strict=True)]
    return all(close)


network = make_network(seed=seed).to(device)
heads, parts = network.heads, network.branches["rgb"](pixels)
by_line = inv, inf, irr
check("the module makes the same parts as the lines above", same(parts, by_line))

# %% [markdown]
# Beside it we put the network of the package, [`discom_kd.py`](../discom/discom_kd.py), with the same weights. From here on each loss is written by you and compared with the package, on the four scenes. The parts are those from above, but the task head of this network has other random weights, so its first loss is another one.

# %%
package = methods.get("discom")(bands, 9, resnet10).to(device)
package.model.load_state_dict(network.state_dict())

inv, inf, irr = parts
package_parts = package.embed("rgb", pixels).values()
check("and so does the package", same(parts, package_parts))

# %% [markdown]
# ## Loss 1: together, `inv` and `inf` name the class

# %% alt="The picture of the method. Lit are the invariant and the informative part of both sensors, and their task heads; all else is pale."
figure = method.show("cl")

# %% [markdown]
# This is the picture from above on its side; what this loss does not touch is pale.
#
# $$ L_{cl} = H(h_{task}([z_{inv} \Vert z_{inf}]),\, y) $$
#
# $H$ is the cross-entropy: minus the logarithm of the probability that the head gives to the right class. Try it on two rows and three classes, where class 0 is right. In the first row all logits are equal, so its probability is ⅓. In the second row its logit is larger by log 2. That gives it twice the probability of each other class, so ½.

# %%
two_rows = torch.tensor([[0, 0, 0], [log(2), 0, 0]])
classes = torch.tensor([0, 0])
probability = two_rows.softmax(1)[:, 0]
by_hand = -probability.log().mean()

print("probability of class 0:", probability)
print(f"by hand (log 3 + log 2) / 2 = {(log(3) + log(2)) / 2:.3f}")
print(f"{by_hand:.3f}, and PyTorch: {F.cross_entropy(two_rows, classes):.3f}")


# %% tags=["lesson-losses"]
def class_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    logits = heads.task[sensor](torch.cat([inv, inf], dim=1))
    return F.cross_entropy(logits, labels)


# %%
def compare(name, own, other):
    same = own.isclose(other, rtol=1e-4)
    check(f"{name} of four scenes is {own:.3f}, in the package {other:.3f}", same)


joined = torch.cat([inv, inf], dim=1)
other = discom_kd.task_loss({"rgb": heads.task["rgb"](joined)}, {"rgb": labels})
compare("L_cl", class_loss(parts, heads, "rgb", labels), other)

# %% [markdown]
# ## Loss 2: alone, they name it, too
#
# $L_{cl}$ trains what you deploy. But it is already small when one of the two parts does all the work. Here are two rows and three classes: `inv` knows the class, `inf` is empty, and a head adds the two up.

# %%
inv_rows = torch.tensor([[9.0, 0, 0], [0, 9, 0]])
inf_rows = torch.zeros(2, 3)
classes = torch.tensor([0, 1])

print(f"together:  {F.cross_entropy(inv_rows + inf_rows, classes):.3f}")
print(f"inv alone: {F.cross_entropy(inv_rows, classes):.3f}")
print(f"inf alone: {F.cross_entropy(inf_rows, classes):.3f} = log 3, a guess")

# %% alt="The picture of the method. Lit are the invariant and the informative part of both sensors, and the shared head called aux; all else is pale."
figure = method.show("aux")

# %% [markdown]
# So $L_{aux}$ asks each part for the class on its own. **One** head has to answer for both parts and both sensors. That may make a class look alike in all of them. It need not: one head can also read colour from some of the numbers and depth from others.
#
# $$ L_{aux} = H(h_{aux}(z_{inv}),\, y) + H(h_{aux}(z_{inf}),\, y) $$


# %% tags=["lesson-losses"]
def aux_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    of_inv = F.cross_entropy(heads.aux(inv), labels)
    of_inf = F.cross_entropy(heads.aux(inf), labels)
    return of_inv + of_inf


# %%
of_inv, of_inf, y = {"rgb": heads.aux(inv)}, {"rgb": heads.aux(inf)}, {"rgb": labels}
other = discom_kd.auxiliary_loss(of_inv, of_inf, y)
compare("L_aux", aux_loss(parts, heads, "rgb", labels), other)

# %% [markdown]
# Keep a contradiction in mind. By its definition, `inf` contains what its sensor *adds*. But $L_{aux}$ asks it for the whole class, and that includes the shape, which both sensors see. The paper does so, and so do we.
#
# ## Loss 3: `inf` and `irr` name the sensor

# %% alt="The picture of the method. Lit are the informative and the irrelevant part of both sensors, and the shared heads called mod_inf and mod_irr; all else is pale."
figure = method.show("mod")

# %% [markdown]
# What only one sensor sees betrays which sensor it was. So the label is now the *sensor* $s$, 0 for colour and 1 for depth, and two heads must name it:
#
# $$ L_{mod} = H(h_{mod\_inf}(z_{inf}),\, s) + H(h_{mod\_irr}(z_{irr}),\, s) $$
#
# Suppose that a head answers [log 3, 0] to a colour image, and the same to a depth image. These logits say *colour* with a probability of ¾ and *depth* with ¼. That is right for the first image, which costs little, and wrong for the second.

# %%
says_colour = torch.tensor([[log(3), 0]])

for sensor, number in {"colour": 0, "depth": 1}.items():
    cost = F.cross_entropy(says_colour, torch.tensor([number]))
    print(f"the image is of {sensor}: {cost:.3f}")
print(f"by hand: -log ¾ = {-log(3 / 4):.3f}, -log ¼ = {-log(1 / 4):.3f}")


# %% tags=["lesson-losses"]
def sensor_loss(logits, sensor):
    log_probability = logits.log_softmax(1)[:, sensors.index(sensor)]
    return -log_probability.mean()


def mod_loss(parts, heads, sensor, labels):
    _, inf, irr = parts
    of_inf = sensor_loss(heads.mod_inf(inf), sensor)
    of_irr = sensor_loss(heads.mod_irr(irr), sensor)
    return of_inf + of_irr


# %%
of_inf, of_irr = {"rgb": heads.mod_inf(inf)}, {"rgb": heads.mod_irr(irr)}
other = discom_kd.modality_loss(of_inf, of_irr)
compare("L_mod", mod_loss(parts, heads, "rgb", labels), other)

# %% [markdown]
# ## Loss 4: `inv` hides the sensor

# %% alt="The picture of the method. Lit are the invariant part of both sensors and the shared head called adv, whose gradient is reversed; all else is pale."
figure = method.show("adv")

# %% [markdown]
# `inv` must *not* betray the sensor. Two players work against each other. The head, called the **adversary**, learns to name the sensor from `inv`. The encoder learns to make it fail.
#
# $$ L_{adv} = H(h_{adv}(R(z_{inv})),\, s) $$
#
# One loss trains both players, by a layer $R$ between them. Forward it changes nothing. Backward it multiplies by −λ the gradient that goes on to the encoder, while the head itself learns as usual; the paper has λ = 1.
#
# Take the logits [log 3, 0] of a colour image again. The gradient of a cross-entropy is the probability minus the target: [¾ − 1, ¼ − 0]. A step of descent goes against it. It raises the first logit, and the sensor becomes easier to name. With both signs reversed, the same step makes it harder to name.


# %% tags=["lesson-losses"]
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, strength):
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None  # none for the strength


def adv_loss(parts, heads, sensor, labels, strength=1.0):
    inv, _, _ = parts
    logits = heads.adv(Reverse.apply(inv, strength))
    return sensor_loss(logits, sensor)


# %%
z = says_colour.clone().requires_grad_()
plain = torch.autograd.grad(sensor_loss(z, "rgb"), z)[0]
turned = torch.autograd.grad(sensor_loss(Reverse.apply(z, 1.0), "rgb"), z)[0]
theirs = torch.autograd.grad(sensor_loss(reverse_gradient(z), "rgb"), z)[0]

print("plain gradient:   ", plain)
print("reversed:         ", turned)
check("the package reverses it alike", torch.equal(turned, theirs))
other = discom_kd.adversarial_loss({"rgb": heads.adv(inv)})
compare("L_adv", adv_loss(parts, heads, "rgb", labels), other)

# %% [markdown]
# What does this do in many steps? Two clouds of points stand for the `inv` of two sensors. $L_{adv}$ moves the points, and it trains an adversary that draws a line between the clouds. For comparison, one picture has the plain gradient: with λ = −1 the layer multiplies it by 1.
#
# **Guess 2.** Where do the clouds go when the gradient is reversed with λ = 0.3, and where with λ = 3?


# %%
def move_clouds(strength, moves=60):
    torch.manual_seed(seed)
    centres = torch.tensor([[[-1.0, 0.5]], [[1.0, -0.5]]])
    start = centres + 0.5 * torch.randn(2, 60, 2)  # [sensor, point, xy]
    points, head = start.clone().to(device).requires_grad_(), nn.Linear(2, 2).to(device)
    groups = [{"params": [points], "lr": 6.0}, {"params": head.parameters()}]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    for _ in range(moves):
        colour, depth = head(Reverse.apply(points, strength))
        loss = (sensor_loss(colour, "rgb") + sensor_loss(depth, "depth")) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return start, points.detach().cpu(), loss.item()


# %% alt="Two clouds of points with arrows. With the plain gradient they move apart. With λ = 0.3 some points change sides. With λ = 3 the clouds cover each other, and the points that moved furthest lie beyond the other cloud."
sorting.slider(move_clouds)
title = "Reversed strongly enough, the gradient mixes the clouds"
figure = sorting.plot_clouds(move_clouds, -1.0, 0.3, 3.0, title=title)

# %% [markdown]
# *Guess 2:* with λ = 0.3 the clouds begin to mix, but the adversary's loss stays well below that of a guess, log 2 = 0.69. With λ = 3 they cover each other, and the adversary guesses. (With a kernel, the slider shows the values between.)
#
# ## Loss 5: two angles

# %% alt="The picture of the method. Lit are the three parts of both sensors and the two signs between them, for the cosine of inv and inf, and of inf and irr; all else is pale."
figure = method.show("orth")

# %% [markdown]
# So far `inf` and `irr` may be copies of each other. The last loss lowers two cosines; there is none for `inv` and `irr`:
#
# $$ L_\perp = \cos(z_{inv}, z_{inf}) + \cos(z_{inf}, z_{irr}) $$
#
# Here are two rows: in the first the vectors stand at right angles, in the second they are parallel. Their cosines are 0 and 1. All three parts come out of a ReLU, so they have no negative numbers, and no cosine can be below 0.

# %%
first = torch.tensor([[1.0, 0.0], [1.0, 2.0]])
second = torch.tensor([[0.0, 3.0], [2.0, 4.0]])  # right angle; twice the first
print("cosines:", F.cosine_similarity(first, second))


# %% tags=["lesson-losses"]
def orth_loss(parts, heads=None, sensor=None, labels=None):
    inv, inf, irr = parts
    cosines = F.cosine_similarity(inv, inf) + F.cosine_similarity(inf, irr)
    return cosines.mean()


# %%
other = discom_kd.orthogonality_loss({"rgb": inv}, {"rgb": inf}, {"rgb": irr})
compare("L_orth", orth_loss(parts), other)

# %% [markdown]
# Does a right angle keep a fact out of a part? Let `secret` be a fact of 100 scenes, one number each. `inv` keeps it in its first place, `inf` in its second.

# %%
secret = torch.rand(100, 1)
empty = torch.zeros(100, 1)
inv_rows = irr_rows = torch.cat([secret, empty], dim=1)  # [s, 0]
inf_rows = torch.cat([empty, secret], dim=1)  # [0, s]
print(f"L_orth = {orth_loss((inv_rows, inf_rows, irr_rows)):.1f}")
print("the secret in inv:", inv_rows[:3, 0])
print("the secret in inf:", inf_rows[:3, 1])

# %% [markdown]
# **Orthogonal is not independent.** The loss is at its least, and both parts contain the whole secret.
#
# ## All five together
#
# DisCoM-KD adds the five losses of both sensors, each with the weight 1:
#
# $$ L = \sum_s \left( L_{cl} + L_{adv} + L_{mod} + L_{aux} + L_\perp \right) $$


# %% tags=["lesson-losses"]
def losses(network, terms, images, labels):
    sums = dict.fromkeys(terms, 0.0)
    for sensor, branch in network.branches.items():
        parts = branch(images[sensor])
        for name, loss in terms.items():
            value = loss(parts, network.heads, sensor, labels[sensor])
            sums[name] = sums[name] + value
    return sums


# %% [markdown]
# Here the four scenes reach the end: both images of each go through the network, and all losses are added up. A head that guesses pays log 9 for a class and log 2 for a sensor. The factor in front counts how often it is asked.

# %%
five = {"cl": class_loss, "aux": aux_loss, "mod": mod_loss, "adv": adv_loss}
five["orth"] = orth_loss
images = {sensor: scenes.images[sensor][:4] for sensor in sensors}
values = losses(network, five, images, {"rgb": labels, "depth": labels})
total = sum(values.values())

guess = {
    "cl": 2 * log(9),  # two sensors
    "aux": 4 * log(9),  # two parts of two sensors
    "mod": 4 * log(2),  # two parts of two sensors
    "adv": 2 * log(2),  # one part of two sensors
}
for name, cost in guess.items():
    print(f"{name:5} {values[name]:6.3f}   a guess costs {cost:.3f}")
print(f"orth  {values['orth']:6.3f}   parallel parts cost 4")
print(f"total {total:6.3f}")

# %%
package_values = package.loss(Batch(images, {"rgb": labels, "depth": labels}))
package_total = sum(package_values.values())
compare("the total", total, package_total)

total.backward()
package_total.backward()
weights = zip(network.parameters(), package.parameters(), strict=True)
close = [torch.allclose(own.grad, other.grad, atol=1e-4) for own, other in weights]
check(f"the same gradient in all {len(close)} tensors of weights", all(close))

# %% [markdown]
# You have written DisCoM-KD. (The authors' published program differs from their paper, which you followed: it takes means over both sensors, and in two losses the second sensor has a wrong target, as [05](05_ablations.ipynb) shows.)
#
# ## Train it
#
# No loss of DisCoM-KD compares the two images of a scene, so it does not need the pairs that [01](01_data_preparation.ipynb) made. Batches are *unpaired*: each sensor draws scenes of its own.


# %% tags=["lesson-steps"]
def random_batch(part, size=32):
    images, labels = {}, {}
    for sensor, own in part.images.items():
        rows = torch.randperm(len(own))[:size]
        images[sensor], labels[sensor] = own[rows], part.labels[rows]
    return images, labels


# %% [markdown]
# One step of training computes the five losses, adds them up and follows the gradient of the sum.


# %% tags=["lesson-steps"]
def train_steps(network, terms, part, steps):
    network.train()
    weights = network.parameters()
    optimizer = torch.optim.AdamW(weights, weight_decay=0.03, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, steps + 1)
    history = []
    for _ in range(steps):
        values = losses(network, terms, *random_batch(part))
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append({name: value.item() for name, value in values.items()})
    return history


# %% [markdown]
# **Guess 3.** Which of the five losses falls first, and which never falls?

# %% alt="Five curves over 400 steps, each as a share of what a guess costs; orthogonality as a share of its first step. The modality loss falls to zero within a hundred steps. Orthogonality, class and auxiliary loss fall slowly. The adversarial loss moves up and down around one and ends above it."
network = make_network(seed=seed).to(device)
history = train_steps(network, five, scenes, steps)
start = guess | {"orth": history[0]["orth"]}
title = "Four losses fall; the adversary's does not"
figure = sorting.plot_losses(history, start, title)


# %%
@torch.no_grad()
def right(network, sensor, part):  # 1 or 0 for each scene
    inv, inf, _ = network.eval().branches[sensor](part.images[sensor])
    logits = network.heads.task[sensor](torch.cat([inv, inf], 1))
    return (logits.argmax(1) == part.labels).float()


scores = {}
for sensor in sensors:
    scores[sensor] = 100 * right(network, sensor, test).mean().item()
    print(f"{sensor}: {scores[sensor]:.0f} % of new scenes right; a guess gets 11 %")

# %% [markdown]
# *Guess 3:* $L_{mod}$ and $L_\perp$ fall first, within a hundred steps: a camera is easy to name, and two vectors are easily turned to a right angle. $L_{adv}$ never settles below a guess and ends above it; we come back to that. Meanwhile the network learns the class in both sensors, though 400 steps are few. Whether the five losses help it to learn is the question of [03](03_training.ipynb). Here we ask what they did to the three parts.
#
# ## Did it sort?
#
# We read each fact from each part. A shape or a material is written as one column of zeros and ones for each kind. A linear map from the part to the fact is fitted to the first half of the new scenes and scored by R² on the second half: 100 % is a fit without errors. A fit that is no better than the mean, or worse, counts as 0 %.
#
# The material is scored where the question arises: in ordinary scenes, in dark ones for depth, and in those far away for colour. All other facts are scored in every scene. In the code, `rows` marks the scenes that count.


# %% tags=["lesson-reading"]
def readable(z, values, rows):  # R² in %, on scenes that it was not fitted on
    z, half = z.cpu(), len(z) // 2
    line = LinearRegression().fit(z[:half], values[:half])
    new_z, new_values, rows = z[half:], values[half:], rows[half:]
    score = line.score(new_z[rows], new_values[rows])
    return 100 * max(0, score)


# %% [markdown]
# Two parts that one can check in one's head: one contains twice the fact, the other noise.

# %%
fact, noise = torch.rand(1000, 1), torch.rand(1000, 1)
every = torch.ones(1000, dtype=torch.bool)
print(f"twice the fact: {readable(2 * fact, fact, every):.0f} %")
print(f"noise: {readable(noise, fact, every):.0f} %")

# %% [markdown]
# Now the four facts, each in the three parts of the sensors that see it. An untrained network is read as well, because a fact may stand in a part before any loss has sorted. **Had it sorted, only the green bars would be high.**


# %% tags=["lesson-reading"]
@torch.no_grad()
def parts_of(network, sensor, part):
    return network.eval().branches[sensor](part.images[sensor])


def read_facts(network, part):  # a row for inv, inf, irr, a column for sensor and fact
    table = {}
    for sensor, facts in course.facts(part).items():
        parts = parts_of(network, sensor, part)
        for fact, (values, rows) in facts.items():
            table[sensor, fact] = [readable(z, values, rows) for z in parts]
    return pd.DataFrame(table, index=course.PARTS)


# %% alt="Eight bar charts, one for each sensor and fact; bars are the three parts, green where the fact belongs, black lines the untrained network. Most grey bars are high, too. Depth's shape is read best from the invariant part. Light and distance stand in all parts before training, too."
untrained = make_network(seed=seed).to(device)
before, after = read_facts(untrained, test), read_facts(network, test)
title = "Hardly sorted: most facts can be read from all three parts"
figure = sorting.plot_facts(before, after, title)

belongs, elsewhere = sorting.means(after)
print(f"mean R² where a fact belongs {belongs:.0f} %, elsewhere {elsewhere:.0f} %")

# %% [markdown]
# **It hardly sorted.** Had it sorted, the mean elsewhere would be near 0. A little is there: depth's shape is read best from `inv`, where it belongs. But `irr` should know nothing of the class, and it knows shape and colour's material nearly as well as `inf` does. (The panel *in the dark* is scored on about 150 scenes, too few to compare its bars.)
#
# Are 400 steps too few? In three longer runs, which are [stored](../docs/results/parts.md), a linear classifier names the class from `irr` about as often as from `inv`, in 80 % of the colour images and 74 % of the depth images. Light and distance, which `irr` should keep, can [hardly be read](../results/parts.csv) from it then.
#
# The black lines are a warning. Light and distance could be read from all parts before any training, from `inv` as well, where they do not belong. So a fact that is found in its own part need not have been sorted into it.
#
# ## Does `inv` hide the sensor?
#
# $L_{adv}$ ended worse than a guess. That sounds like success: the adversary could not find the sensor. Or does it only lag? It learns where the embeddings *were*, while the encoders move on.
#
# We can test that by stopping one player. From here two copies of the network are trained with $L_{adv}$ alone, for a quarter of the steps: in one the encoders go on moving, in the other their weights are frozen. (In both the running means of BatchNorm go on, and a new cycle of the learning rate begins.) We do it three times, with other batches.
#
# **Guess 4.** In how many images will the adversary name the right sensor in each case? A coin is right in half of them.


# %%
def adversary_right(network):
    shares = []
    for number, sensor in enumerate(sensors):
        inv, _, _ = parts_of(network, sensor, test)
        named = network.heads.adv(inv).argmax(1)
        shares.append((named == number).float().mean().item())
    return 100 * sum(shares) / len(shares)


def play_on(frozen):
    played = copy.deepcopy(network)
    played.branches.requires_grad_(not frozen)
    train_steps(played, {"adv": adv_loss}, scenes, steps // 4)
    return adversary_right(played)


print(f"after training: right in {adversary_right(network):.0f} %")
for encoders in ("moving", "frozen"):
    shares = []
    for draw in range(3):
        torch.manual_seed(draw)
        shares.append(play_on(frozen=encoders == "frozen"))
    print(f"{encoders}:", ", ".join(f"{share:.0f} %" for share in shares))

# %% [markdown]
# *Guess 4:* beside moving encoders the adversary is right in 36 to 55 %. The encoders move against its last answer, so it may even be right less often than a coin. Beside frozen ones it names the sensor in 94 to 96 % of the images. The sensor was in `inv` all the time, and the adversary came too late. **An adversary that fails proves nothing.**
#
# How could it name more than half of the sensors after training, while its loss was above that of a guess? A loss counts how sure an answer is, and an error of which the head is sure costs more than many right answers save.
#
# Longer training does not change the finding. In the three stored runs a new linear probe names the sensor from `inv` in [100 % of the images](../docs/results/parts.md), after training and before it: two encoders with different weights put their images in different places.
#
# ## Why is nothing kept out of `irr`?
#
# Neither $L_{mod}$ nor $L_\perp$ asks `irr` for the class. Yet it knows the shape nearly as well as `inf` does. Our suspicion is the encoder: **one** encoder makes `inf` and `irr`, so what it learns for one half stands in the other half, too.

# %% alt="The picture of the method. Lit are the specific encoder of both sensors and the two parts that it makes, the informative and the irrelevant one; all else is pale."
title = "One encoder makes both inf and irr"
figure = method.show("specific", "inf", "irr", title=title)

# %% [markdown]
# We test it: `irr` gets an encoder of its own. The five losses, the scenes and the number of steps stay the same. (With a third encoder the same seed draws other weights and batches, so we look at other seeds below.) If the shared encoder is the reason, `irr` now loses the shape.
#
# The new encoder makes 128 numbers, too. We keep 64 of them, so that `irr` has its old width. The old `irr` is still computed, and nothing reads it.


# %%
class ApartBranch(Branch):
    def __init__(self, bands):
        super().__init__(bands)
        self.irrelevant, _ = resnet10(bands)

    def forward(self, images):
        inv, inf, _ = super().forward(images)
        irr = self.irrelevant(images)[:, 64:]
        return inv, inf, irr


# %% alt="The same eight bar charts for the branch whose irrelevant part has an encoder of its own. Its bar is almost zero for shape and material, and the highest one for light and distance. Grey bars stay in the other two parts."
apart = make_network(ApartBranch, seed=seed).to(device)
before_apart = read_facts(apart, test)
train_steps(apart, five, scenes, steps)
after_apart = read_facts(apart, test)
title = "With an encoder of its own, irr drops shape and material"
figure = sorting.plot_facts(before_apart, after_apart, title)

# %% [markdown]
# A bar of zero says that R² finds nothing. Does a linear classifier still find the class in `irr`?


# %%
def class_from_irr(network, sensor):  # % of the second half right
    _, _, irr = parts_of(network, sensor, test)
    z, classes, half = irr.cpu(), test.labels.cpu(), len(irr) // 2
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    probe.fit(z[:half], classes[:half])
    return 100 * probe.score(z[half:], classes[half:])


for name, trained in {"one encoder": network, "own encoder": apart}.items():
    colour, depth = (class_from_irr(trained, sensor) for sensor in sensors)
    print(f"{name}: colour {colour:.0f} %, depth {depth:.0f} %; a guess gets 11 %")

# %% [markdown]
# The suspicion holds. A linear map no longer finds shape or material in `irr`, in either sensor, and the class is named from it no more often than by a guess: in 11 % of the colour images and 12 % of the depth images, where one encoder for both left 46 and 27 %. Light and distance are read from it better than before. No loss was added. `irr` did not learn the class, because nothing that shares its weights needs it now.
#
# `inv` and `inf` stay mixed, and nothing was gained where a fact belongs: in this run colour's `inv` even lost shape (43 → 31) and the material of ordinary scenes (27 → 6). $L_{aux}$ asks both of them for the class. The only loss that could keep the light out of `inv` is $L_{adv}$, and you have seen it fail.
#
# Is that one lucky run? Here it stands beside stored runs with other seeds, each with weights and scenes of its own. All numbers are in %, means of both sensors.


# %%
irr, irr_apart = after.loc["irr"], after_apart.loc["irr"]
points = {
    "shape in irr, one encoder": irr[:, "shape"].mean(),
    "shape in irr, own encoder": irr_apart[:, "shape"].mean(),
}
for name, row in {"one encoder": irr, "own encoder": irr_apart}.items():
    mean = (row["rgb", "light"] + row["depth", "distance of the wall"]) / 2
    points[f"light or distance in irr, {name}"] = mean

points["new scenes right, one encoder"] = sum(scores.values()) / 2
shares = [right(apart, sensor, test).mean().item() for sensor in sensors]
points["new scenes right, own encoder"] = 100 * sum(shares) / 2
course.beside("encoders.csv", points, seed, record)

# %% [markdown]
# In all three runs a linear map finds no shape in the new `irr`, and it finds more of light and distance than in the old one. The share of right answers changes by about a point at most. All of this is after 400 steps; the longer runs have one encoder. The third encoder costs time in training only: the task head never reads `irr`, so that encoder is not deployed.
#
# ## What you found
#
# **DisCoM-KD cuts an embedding with a slice, and five losses are to sort the pieces. Two of its promises fail here for reasons that you have tested.** `inv` seems to hide the sensor because its adversary lags. `irr` knows the class because it shares an encoder with `inf`. Give it one of its own, and after 400 steps a linear map reads light and distance from it, but neither shape nor material.
#
# For your own two sensors:
#
# - *List* four facts: who sees each, and does the label need it? Ten pairs of images show it.
# - *Read* the class from each part before you trust its name, and any fact that you have as a number, such as the exposure time. Read an untrained network beside it.
# - *Freeze* the encoders and train the adversary on, before you call anything hidden.
# - If a part must not contain something, let it share no encoder with a part that needs it, and still read it out: here even untrained encoders passed on light and distance.
#
# ## Exercises
#
# 1. **A trick.** Write `reverse` in one line, without a class. `z.detach()` has the value of `z` and no gradient: which sum of `z` and `z.detach()` has the value of `z` and −λ times its gradient?
# 2. **Change one thing.** Without a ReLU, $L_\perp$ is least at 180°. Write `right_angles`, least at 90° for every scene.
# 3. **Open.** Can the losses empty `irr` without a second encoder? Write `hide_loss`: a new head, `network.heads["hide"] = nn.Linear(64, 9)`, reads the class from `irr`, and the encoder hides it. Train `Branch` with six losses and read the facts. What do `irr` and `inf` forget?
#
# ## Quiz
#
# 1. $L_{adv}$ ends at 2 log 2. Then (a) `inv` contains nothing of the sensor, (b) its adversary may lag, (c) λ is too small.
# 2. Both sensors see all that the class needs, and `inv` tells it. Which loss still pushes `inf` to tell it, too? (a) $L_{cl}$. (b) $L_{mod}$. (c) $L_{aux}$.
# 3. Both sensors see the *size* of the object, and no class needs it. By the definitions, which part should contain it? (a) `inv`. (b) `irr`. (c) None.
#
# <details><summary>Answers</summary>
#
# 1. **b**. Not *a*: on frozen encoders your adversary found it. Not *c*: in the clouds, too small a λ left the adversary right.
# 2. **c**: $L_{aux}$ asks `inf` on its own. Not *a*: it reads both parts together and is already small. Not *b*: it asks for the sensor. By the definitions `inf` should tell nothing here.
# 3. **c**: `inv` takes only what the class needs, and `irr` only what one sensor alone sees. The size is neither.
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
