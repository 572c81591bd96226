# %% [markdown]
# # 00 · Can a sensor that is never deployed help the one that is?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/00_start_here.ipynb) · [solutions](solutions/py/00_start_here.py)
#
# A robot works in bathrooms of a care home, where cameras that see faces are forbidden. So it carries a **depth** camera only. In your lab a **colour** camera is allowed beside it. With both you recorded 2 000 scenes, and labelled 200.
#
# Training on the 200 labelled depth images ignores 1 800 scenes and the colour camera. Can they help, although these scenes have no label and the robot never sees colour?
#
# **Write down a guess.** With nine classes, guessing gets 11 % right; the best possible network for depth gets 80 %. Trained on the labelled depth images alone, ours gets about half of the new scenes right. How many will the *same* network get with colour beside it in training, and not one more label?
#
# | At a glance | |
# |---|---|
# | You will | **build** a training loop and two losses, line by line · **test** what they do, and why |
# | You need | PyTorch modules, cross-entropy |
# | Time, memory | eight minutes on one CPU core, 2 GB |
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
labelled = 200  # of 2 000 scenes
steps, every = 660, 110  # of each way, and between its scores
profile = "cpu"  # tiny: a few steps, results mean nothing

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_00 as exercises
from discom.data.augmentation import random_d4, apply_d4
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
if profile == "tiny":
    labelled, steps, every = 60, 20, 10

# %% alt="Twelve scenes, colour above depth: four ordinary, four dark, four far away. Colour shows stripes, checks or rings, but not in the dark. Depth shows a raised object with white holes; far away its relief is gone."
scenes, test = course.scenes(data, seed, device=device)
title = "In the dark, colour loses the texture; far away, depth loses the relief"
figure = course.show_pairs(scenes, title)

# %% [markdown]
# The class is one of three shapes and one of three materials. Both cameras see the shape. Colour (`rgb` in the code) shows wood, metal and stone as stripes, checks and rings; depth shows a flat face, a dome and a ridge, with a wall behind. In depth, bright is near and white is a hole. One scene in five is dark: only depth sees the material. Three in ten are far: only colour does. Far away depth has to guess one of three materials, so at best it gets 70 % and a third of the other 30 % right, 80 % in all.
#
# ## A network and a loop
#
# Each sensor gets a small network: an encoder (discom's ResNet of four blocks), a layer that names the class, and a projection for comparing sensors.
#
# One loop serves the whole notebook. A step takes 41 labelled scenes. With a `pair_loss` it also takes 82 unlabelled pairs, which makes 123 scenes. All images are turned and mirrored at random. The curves score new scenes; we tune nothing by them.


# %% tags=["lesson-pairs"]
class Network(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encode, width = resnet10(bands, width=16)  # [B, bands, 32, 32] → [B, 128]
        self.classify = nn.Linear(width, 9)
        hidden = nn.Linear(width, width)
        self.project = nn.Sequential(hidden, nn.ReLU(), nn.Linear(width, 64))


@torch.no_grad()
def predict(network, images):
    return network.eval().classify(network.encode(images))


# %%
def accuracy(network, sensor):
    right = predict(network, test.images[sensor]).argmax(1) == test.labels
    return 100 * right.float().mean().item()


# %%
def draw_scenes(pair_loss):  # rows: 41 with a label, and 82 without
    known = torch.randint(labelled, (41,))
    if pair_loss is None:
        return known
    return torch.cat([known, torch.randint(labelled, len(scenes.labels), (82,))])


def train(networks, rate, pair_loss=None):
    weights = [w for network in networks.values() for w in network.parameters()]
    optimizer, curve = torch.optim.AdamW(weights, weight_decay=1.0), {}
    schedule = OneCycleLR(optimizer, rate, total_steps=steps + 1, cycle_momentum=False)
    for step in range(1, steps + 1):
        rows = draw_scenes(pair_loss)
        loss, logits, projected = 0.0, {}, {}
        for sensor, network in networks.items():
            images = scenes.images[sensor][rows]
            features = network.train().encode(apply_d4(images, random_d4(images)))
            logits[sensor] = network.classify(features)
            projected[sensor] = network.project(features)
            loss += F.cross_entropy(logits[sensor][:41], scenes.labels[rows[:41]])
        if pair_loss:
            loss += pair_loss(projected, logits, progress=step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % every == 0:
            curve[step] = {s: accuracy(n, s) for s, n in networks.items()}
    return curve


# %% [markdown]
# ## Which images belong together?
#
# We train the two networks in four ways, each time from the same first weights, for 660 steps. *Alone* sees the labelled scenes. *Pairs* sees 82 unlabelled pairs more in each step.
#
# Both images of a pair show the same scene. So we can ask of each, without a label: **which of the other 245 images of this step is its partner?** The answer is the image with the most similar projection. The loss, [NT-Xent](https://arxiv.org/abs/2002.05709), is a cross-entropy over cosines:
#
# $$ L = -\frac{1}{2B} \sum_i \log \frac{\exp(\cos(z_i, z_{p(i)}) / \tau)}{\sum_{k \ne i} \exp(\cos(z_i, z_k) / \tau)} $$
#
# Here $z_i$ is the projection of image $i$, $p(i)$ its partner, $B = 123$ scenes and $\tau = 0.1$. Guessing costs log 245.


# %% tags=["lesson-pairs"]
def contrast(first, second, temperature=0.1):
    z = F.normalize(torch.cat([first, second]), dim=1)  # [2B, 64]
    cosines = z @ z.T / temperature
    cosines.fill_diagonal_(-torch.inf)  # no image is its own partner
    partners = torch.arange(len(z), device=z.device).roll(len(first))
    return F.cross_entropy(cosines, partners)


# %%
alike, distinct = torch.ones(123, 64), torch.eye(64)
check("all images alike: log 245 = 5.50", abs(contrast(alike, alike) - 5.501) < 0.001)
check("every partner found: almost 0", contrast(distinct, distinct) < 0.01)


# %% [markdown]
# Each way has its own learning rate, and the contrast has the weight 3. Both were chosen on other scenes, as [for the stored runs](../docs/results/protocol.md#choices) that follow below.


# %%
def pairs(projected, logits, progress):
    return 3 * contrast(projected["rgb"], projected["depth"])


def make_networks():
    torch.manual_seed(seed)  # each way starts with the same weights
    return {s: Network(len(x[0])).to(device) for s, x in scenes.images.items()}


trained, curves = {}, {}


def run(way, rate, pair_loss=None):
    trained[way] = make_networks()
    curves[way] = train(trained[way], rate, pair_loss)
    print(f"{way}: depth {curves[way][steps]['depth']:.0f} % right")


run("alone", rate=0.02)
run("pairs", rate=0.01, pair_loss=pairs)

# %% [markdown]
# With pairs depth gets six points more of the new scenes right.
#
# ## Is it just more images?
#
# *Alone* saw 200 scenes, *pairs* 2 000. To test this, give each depth image **the colour image of another scene** as its partner. All else stays, with one side effect: its true partner is still in the batch, and now counts as a wrong answer.
#
# **Guess:** do such *strangers* bring depth near *pairs*, or near *alone*?


# %%
def strangers(projected, logits, progress):
    others = projected["rgb"].roll(1, dims=0)  # of the next scene in the batch
    return pairs({"rgb": others, "depth": projected["depth"]}, logits, progress)


run("strangers", rate=0.01, pair_loss=strangers)
gain = curves["pairs"][steps]["depth"] - curves["strangers"][steps]["depth"]
check("pairs beat strangers by over 5 points", gain > 5 or profile == "tiny")

# %% [markdown]
# They bring it below *alone*, though the images are the same as with *pairs*. A true partner shows the same object, so it tells the network what to keep. A wrong one asks it to make different objects alike. (A control without this side effect follows below the table.)
#
# ## Let the sensors agree on labels
#
# The two networks fail in different scenes. So multiply their probabilities for each pair, scaled to sum to one. A class that gets 30 % or more (by the end every scene has one) becomes the *agreed label* of both images, as in [co-training](https://doi.org/10.1145/279943.279962). Early labels are often wrong, so their weight grows from 0 to 1 over the first 30 % of the steps. Beside them the contrast has the weight 1, also chosen on other scenes.
#
# **Guess:** among dark and among far scenes, what share of the agreed labels is right?


# %% tags=["lesson-pairs"]
def agreed_labels(logits, sure):
    beliefs = sum(z.detach().log_softmax(1) for z in logits.values()).softmax(1)
    confidence, labels = beliefs.max(1)
    return labels.masked_fill(confidence < sure, -100)  # cross_entropy skips -100


# %%
def pairs_and_labels(projected, logits, progress):
    labels = agreed_labels(logits, sure=0.3)
    loss = contrast(projected["rgb"], projected["depth"])
    for z in logits.values():
        errors = F.cross_entropy(z, labels, reduction="sum") / len(labels)
        loss += min(1, progress / 0.3) * errors
    return loss


run("pairs and labels", rate=0.01, pair_loss=pairs_and_labels)

# %%
logits = {s: predict(n, test.images[s]) for s, n in trained["pairs"].items()}
agreed = agreed_labels(logits, sure=0.3)
answers = {s: z.argmax(1) for s, z in logits.items()} | {"agreed label": agreed}
print(f"{100 * (agreed >= 0).float().mean():.0f} % of the scenes get an agreed label")
for kind in ("dark", "far"):
    rows = test.factors[kind].bool().to(device) & (agreed >= 0)  # with an agreed label
    for name, answer in answers.items():
        share = 100 * (answer == test.labels)[rows].float().mean()
        print(f"{kind}: {name} right in {share:.0f} %")

# %% [markdown]
# In the dark the agreed label is nearly as good as depth's own answer, far away as good as colour's. A sensor that cannot see the material is less sure, so the other decides more. Still, a third to nearly half of these labels are wrong. They help all the same: together with the contrast depth reaches 66 %.
#
# ## Luck, or depth's own images?
#
# One run can be luck. So here are ten stored runs of each way, with the same settings, other scenes and other weights. **Guess:** in how many of the ten does *alone* beat *pairs*?

# %% alt="Left, accuracy in depth while training: after 330 steps the curves part, and they end at 48 for strangers, 55 alone, 61 for pairs and 66 for pairs and labels. Right, ten dots for each way: alone about 50, pairs about 59, strangers spread from 27 to 46, pairs and labels about 64."
ways = {"student": "alone", "nt-xent contrast=3": "pairs"}
ways |= {"nt-xent partners=shuffled contrast=3": "strangers"}
ways |= {"agreed strong=False": "pairs and labels"}
stored = course.seeds("../results/labels.csv", ways, "depth", labelled=0.1)
alone, beside = stored["alone"].mean(), stored["pairs and labels"].mean()
title = f"Same 200 labels: {alone:.0f} % alone, {beside:.0f} % with colour beside it"
figure = course.plot_ways(curves, stored, title, test.best["depth"])

# %% [markdown]
# In none: *pairs* wins ten times of ten, by nine points on average. With *strangers* depth ends below *alone* each time. Agreed labels add five points more, with nine seeds of ten.
#
# But depth has 1 800 unlabelled images, too. With [FixMatch](https://arxiv.org/abs/2001.07685) a network of one sensor labels its own images. **Guess** what it gains. The table has it, too.

# %%
course.results_table("../results/labels.csv")

# %% [markdown]
# With FixMatch colour gains ten points, and depth loses three; we have not tested why. The last row is the package's `agreed`, which shows each network harder views of its images as well, with other colours and more noise. It leads in both sensors.
#
# Must the partner come from the other sensor? One can compare each image with another view of *itself* ([SimCLR](https://arxiv.org/abs/2002.05709)), beside FixMatch and tuned alike. This control knows no wrong partner. In depth it scores [44](../docs/results/labels.md), below *alone*, so there the other sensor makes the gain. In colour it scores 68, as high as *pairs*: there the second sensor is needed only for what the last row adds.
#
# ## Who finds whom?
#
# For each depth image we look up the five colour images with the nearest projections. We ask with three scenes, chosen by a rule: the first ordinary one of the first and of the fifth class, and the first far one of the last. Green: the same class.

# %% alt="Three depth images, each with five colour images, before and after training. Before, all three find the same images of any class. After, the disk of wood finds five disks, three of them of wood; the square of metal finds disks only, three of them checked like metal; the far triangle finds five triangles, two of its material."
@torch.no_grad()
def embed(network, images):
    return F.normalize(network.eval().project(network.encode(images)), dim=1)


found, shares = {}, {}
for stage, networks in {"before": make_networks(), "after": trained["pairs"]}.items():
    z = {sensor: embed(n, test.images[sensor]) for sensor, n in networks.items()}
    found[stage] = (z["depth"] @ z["rgb"].T).topk(5).indices
    same = test.labels[found[stage]] == test.labels[:, None]
    shares[stage] = 100 * same.float().mean()
title = f"Right class: {shares['before']:.0f} % before, {shares['after']:.0f} % after"
figure = course.show_neighbours(test, course.queries(test), found, title)

# %% [markdown]
# Before training all three find nearly the same images. After it the disk of wood finds disks, three of five with stripes, the texture of wood, which depth cannot see. The square finds disks, three of them with checks, the texture of its material. The triangle finds triangles; far away its material is a guess. Over all new scenes the title counts how often the class is right.
#
# ## Why do pairs help?
#
# Our explanation: only what **both** sensors see helps to find a partner. That is shape and material, so the class, but also the object's *size*, which no label contains. Only depth sees the wall's distance and tilt.
#
# Read each of the five from depth's features with a linear map. **Guess:** which of the five is read more than twice as well with *pairs* as *alone*?


# %%
@torch.no_grad()
def readable(network, factor):  # R², on scenes that it was not fitted on
    features = F.pad(
        network.eval().encode(test.images["depth"]).cpu(), (0, 1), value=1.0
    )
    half = len(features) // 2
    weights = torch.linalg.lstsq(features[:half], factor[:half]).solution
    errors = factor[half:] - features[half:] @ weights
    return 100 * max(0, 1 - (errors.var(0) / factor[half:].var(0)).mean().item())


# %% alt="Bars of R². Shape, material and size, which both sensors see, are not read before training and read best with pairs: size 83 percent with pairs, 33 alone, 30 with strangers. Distance and tilt, which only depth sees, are read best before training and fade in every way."
factors, bars = course.factors(test), {}
for stage, networks in ({"before": make_networks()} | trained).items():
    if stage != "pairs and labels":
        bars[stage] = [readable(networks["depth"], f) for f in factors.values()]
title = "What a linear map reads from depth's features on new scenes"
figure = course.plot_bars(bars, list(factors), title)

# %% [markdown]
# **Size**, as our explanation says: 83 % with pairs, 33 alone. Shape and material are read best with pairs, too. Distance and tilt could be read before any training, and they fade in every way: no loss needs them.
#
# ## What you found
#
# **Yes. With the same 200 labels, depth gains nine points from pairs with a colour camera that is absent in use, and fourteen if the two networks also agree on labels (F1, ten seeds; from 50 to 59 and 64). Training must know which images belong together: with strangers, at the settings of pairs, depth falls below labels alone.**
#
# For your own two sensors:
#
# - *Check* that both see what the label is about; record them together.
# - *Avoid* other clues that both share, such as a clock in the image.
# - *Compare* with FixMatch on one sensor before you buy the second.
# - *Look up* what a second sensor gained on other data, in [one table](../docs/guides/second_sensor.md#what-to-do).
#
# The published method for this, DisCoM-KD, never asks which images belong together. **Does it do the same?** [01](01_data_preparation.ipynb) to [03](03_training.ipynb) build it from nothing.
#
# ## Exercises
#
# 1. **Warm-up.** In `contrast` an image looks for its partner in both sensors. Write `across`, which looks in the other only: the mean of two cross-entropies, over rows and columns of the [B, B] cosines.
# 2. **Change one thing.** Without pairs: each sensor learns its *own* confident labels, weighted as above. Labels count from 30 % on, as above. Call `run("own labels", 0.01, own_labels)`.
# 3. **Open.** How many labels are pairs worth? Raise `labelled`, call `run("more", 0.02)`, and enter in `scores` one accuracy below that of *pairs* and one above.
#
# ## Quiz
#
# 1. Both cameras print the time into the image. Pairs teach (a) the object, (b) the time, (c) nothing.
# 2. In scenes dark *and* far away, agreed labels are (a) as good as elsewhere, (b) right, as two opinions count double, (c) mostly wrong.
# 3. You may record 1 000 more scenes, without labels. What helps depth most? (a) Both cameras side by side. (b) Both, each in scenes of its own. (c) Depth alone, twice as often.
#
# <details><summary>Answers</summary>
#
# 1. **b**: the easiest clue wins. Not *a*: the object is no longer needed. Not *c*: the loss falls fast.
# 2. **c**: neither sees the material, so of three one is guessed. Not *a*: elsewhere one does. Not *b*: two guesses remain a guess.
# 3. **a**: the gain comes from true partners. Not *b*: these are strangers. Not *c*: its own images bring depth less.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024. Tian et al., [Contrastive multiview coding](https://arxiv.org/abs/1906.05849), ECCV 2020.


# %%
def across(first, second, temperature=0.1): ...


def own_labels(projected, logits, progress): ...


scores, goal = {}, curves["pairs"][steps]["depth"]  # number of labels → accuracy
exercises.check(across, own_labels, scores, goal)
finish(**{way: curve[max(curve)]["depth"] for way, curve in curves.items()})
