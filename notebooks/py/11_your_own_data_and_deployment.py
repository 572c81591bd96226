# %% [markdown]
# # 11 · Which of your two sensors do you deploy, and how?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/11_your_own_data_and_deployment.ipynb) · [solutions](solutions/py/11_your_own_data_and_deployment.py)
#
# A firm plans a box that names what lies before it, one of nine things. For a trial, a **colour** and a **depth** camera stood side by side in twelve rooms. They left 1 200 photographs, 1 200 depth images, and a label on every third pair. **Does the box get one camera, or both? And how does the network get into it?**
#
# Set `folder`, and the same cells answer for your sensors. The numbers in the text are those of the twelve rooms that are drawn without a folder, with seed 0; the questions, and the rules that decide, are yours as well.
#
# **Write down three guesses.** In new rooms a small network is right on 60 % of the photographs, or nearly half of the depth images.
#
# 1. *One* network reads both cameras. Or *two* networks read one each, and their probabilities are multiplied, as in [09](09_real_sensors.ipynb). Which is better?
# 2. A camera breaks. How often is the *one* network still right?
# 3. A large network has learned from the web's photographs, a linear classifier on top learns your labels. Does it beat the small networks?
#
# | At a glance | |
# |---|---|
# | You will | **find** a faulty recording · **test** by room · **decide**: one sensor or two · **export** networks and check the files |
# | You need | notebook [00](00_start_here.ipynb) |
# | Time, memory | six minutes on one CPU core, 2 GB |
# | Data, licence | rooms drawn here, MIT; or your own |

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
folder = ""  # of your own images; empty: rooms that are drawn
options = {}  # such as {"size": 64, "groups": "(.+)_[0-9]+", "invalid": {"depth": 0}}
data = "objects"  # what is drawn
seed = 0  # of rooms, folds, weights and batches
steps = 400  # of each training
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import timeit
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_11 as exercises
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp, terminal
from pictures import groups as pictures
from lessons.pairs import agreed_labels  # as it stands in 00
from rooms import pretrained, read_pairs, views

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, device=device)
steps = 5 if profile == "tiny" else steps

# %% alt="Four rooms, three pairs each, colour above depth. Light and colour cast differ between the rooms, and so does the distance of the depth camera."
own = read_pairs(folder, options, data, seed)
images, groups, sensors = own.images, own.groups, [*own.images]
known = torch.nonzero(own.labels >= 0)[:, 0]
print(f"{len(groups)} pairs in {len(set(groups))} groups, {len(known)} with a label")
figure = pictures.show_groups(images, groups, folder or "Light and distance differ")

# %% [markdown]
# White squares: no depth was measured. Files lie in `<sensor>/<class>/` or `<sensor>/unlabelled/` ([your own data](../docs/guides/own_data.md)). Two files of one name are a pair, and all images become 32×32, or `size`. In `room01_007` the *group* is `room01`.
#
# ## Is a recording wrong?
#
# First look at the level of each group, the mean of what was measured in its images. Is one far off?

# %%
levels = {s: x.where(x != own.holes[s], torch.nan) for s, x in images.items()}
levels = {s: x.flatten(1).nanmean(1) for s, x in levels.items()}
levels = pd.DataFrame(levels).groupby(groups).mean()
distance = (levels - levels.median()).abs()
print("far off:", *levels.index[(distance > 5 * distance.median()).any(axis=1)])
levels.T.round().astype(int)

# %% [markdown]
# In the rooms it is room 8, whose depth is a tenth of the others'. There another program stored *nearness*, with 8 bits beside the others' 16; `discom`, at the end of this page, warns of it. A network tells such files apart by their range; if all of one class were stored so, it would need nothing else. Below, each image is scaled by itself, so a change of sign repairs room 8. In a folder of your own, repair what you find in the files, before you read them.
#
# ## Who is tested?
#
# All pairs of a room share its lamp, so a whole room is trained on or tested. Three *folds* of four rooms each test every labelled pair once. [01](01_data_preparation.ipynb) shows how other splits deceive.
#
# A rule, before any score: *a gain counts if its 95 % interval over rooms lies above zero; else take what is simpler*: one camera, no pairs, a small network. If one network of both does as well as two, take two: they survive a broken camera.

# %%
if not folder:  # yours: another group, or none
    images["depth"][groups == "room08"] *= -1


def folds(groups, k=3):  # the fold of each pair
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    number = dict(zip(names[order], np.arange(len(names)) % k, strict=True))
    return torch.tensor([number[name] for name in groups])


fold = folds(groups)

# %% [markdown]
# ## A network that is there already
#
# `scale` subtracts from each band of an image its mean, and divides by its spread. (Where the level tells the class, divide by a constant instead.)
#
# EfficientNet-Lite0, trained on ImageNet's photographs, turns an image into 1 280 numbers; a logistic regression names the class. Photographs go in as they are, depth scaled. **Take out guess 3.**

# %%
def scale(x, hole):  # less the mean, over the spread; what was not measured: 0
    seen = x != hole
    x = (x - (x * seen).sum((2, 3), True) / seen.sum((2, 3), True).clamp(1)) * seen
    return x.shape[-1] * F.normalize(x.flatten(2), dim=2).view_as(x)


labels, ready = own.labels[known], pretrained(own, known, fold, scale, device=device)
answers = {("pretrained", s): z for s, z in ready.items()}  # log probabilities


def right(answer):  # 100 or 0, of each labelled pair
    return 100 * (answer.argmax(1) == labels).float()


def table():
    rows = course.means({p: right(z) for p, z in answers.items()}, seed)
    return rows.set_index("way").drop(columns="seed").T.round(1)


def show(scores):  # "–" where nothing was run
    return scores.astype(object).where(scores.notna(), "–")


show(table())

# %% [markdown]
# In the rooms it is right on 66 % of the photographs, four points above the small network below. In depth it reaches 25 %.
#
# ## Networks of your own
#
# A network takes stored values; scaling is its first step. We chose steps, rate, batch and the pretrained network's inputs on other rooms (seed 100).

# %%
class Network(nn.Module):
    def __init__(self, *sensors):
        super().__init__()
        encoders = [resnet10(len(images[s][0]), width=8)[0] for s in sensors]
        self.sensors, self.encoders = sensors, nn.ModuleList(encoders)
        self.classify = nn.Linear(64 * len(sensors), len(own.classes))

    def forward(self, *x):  # stored images of each sensor → logits
        x = [scale(i, own.holes[s]) for s, i in zip(self.sensors, x, strict=True)]
        features = [encode(i) for encode, i in zip(self.encoders, x, strict=True)]
        return self.classify(torch.cat(features, dim=1))

# %%
def train(networks, rows, pair_labels=None):
    labelled = rows[own.labels[rows] >= 0]
    weights = [w for network in networks.values() for w in network.parameters()]
    optimizer = torch.optim.AdamW(weights, weight_decay=1.0)
    schedule = OneCycleLR(optimizer, 0.02, total_steps=steps + 1)
    for step in range(1, steps + 1):
        batch = labelled[torch.randint(len(labelled), (64,))]
        weight = max(0, 2 * step / steps - 1) if pair_labels else 0
        if weight:
            batch = torch.cat([batch, rows[torch.randint(len(rows), (64,))]])
        x, y = views(own, batch, device=device), own.labels[batch[:64]].to(device)
        logits = {k: n.train()(*map(x.get, n.sensors)) for k, n in networks.items()}
        loss = sum(F.cross_entropy(z[:64], y) for z in logits.values())
        if weight:
            pairs = {name: z[64:] for name, z in logits.items()}
            y = pair_labels(pairs)
            errors = [F.cross_entropy(z, y, reduction="sum") for z in pairs.values()]
            loss += weight * sum(errors) / 64
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

# %%
def evaluate(way, parts, pair_labels=None, lost=("",)):  # parts: name → sensors
    for k in range(3):
        torch.manual_seed(seed)
        networks = {name: Network(*part).to(device) for name, part in parts.items()}
        train(networks, torch.nonzero(fold != k)[:, 0], pair_labels)
        tested = fold[known] == k
        for name, network in networks.items():
            for gone in lost:
                x = [
                    images[s][known[tested]].to(device) * (s != gone)
                    for s in network.sensors
                ]
                place = way, f"{name}, no {gone}" if gone else name
                answers.setdefault(place, torch.zeros(len(known), len(own.classes)))
                answers[place][tested] = (
                    network.eval()(*x).detach().log_softmax(1).cpu()
                )
    return networks

# %% [markdown]
# `pair_labels` will be 00's `agreed_labels`, with a threshold of 80 %. `evaluate` also puts **zeros in the place of a sensor**, as a broken camera does.
#
# ## One network of both, or two?
#
# **Take out guesses 1 and 2.**

# %%
fused = evaluate("labels", {"one network": sensors}, lost=("", *sensors))
small = evaluate("labels", {s: [s] for s in sensors})
answers["labels", "two networks"] = sum(answers["labels", s] for s in sensors)
show(table())

# %% [markdown]
# In the rooms, one network of both and two networks both score nine points above colour alone (best possible: 96). The *one* keeps 36 % without colour and 24 % without depth, less than a small network of the remaining sensor. Of two networks the other still works, once somebody notices.
#
# ## And if one is deployed alone?
#
# Two thirds of the pairs have no label. As in [00](00_start_here.ipynb), the product of both networks makes labels for them. Where it is 80 % sure (a threshold that was not tuned; 00 has 30 %), its class becomes the label of both images.
#
# **Guess:** which sensor gains more, the better or the worse?

# %%
sure_labels = partial(agreed_labels, sure=0.8)  # 0.3 in 00
evaluate("pairs", {s: [s] for s in sensors}, sure_labels)
answers["pairs", "two networks"] = sum(answers["pairs", s] for s in sensors)
show(table())

# %% [markdown]
# In the rooms neither gains clearly, as the next picture shows. In [08](08_when_a_second_sensor_helps.ipynb) depth needed the contrast, which was not run here.
#
# ## Is that enough to decide?
#
# You ask about the next room, so the unit is a room: a difference for each, and Student's interval of their mean.
#
# **Guess:** which differences are clear: two cameras over the best of one, two small networks over one of both, pretrained or pairs over labels?

# %%
def gain(first, second):  # a mean for each group
    points = right(answers[first]) - right(answers[second])
    return pd.Series(points).groupby(groups[known]).mean()


def best(sensor):  # of the networks of this sensor: its way and name
    ways = [place for place in answers if place[1] == sensor]
    return max(ways, key=lambda place: right(answers[place]).mean())


answers["best of each", "two networks"] = sum(answers[best(s)] for s in sensors)

# %% alt="Six rows of twelve dots with mean and interval. Two cameras minus the best of one: 9 points, the interval above zero. Two small networks minus one: 0, across zero. Pretrained minus labels: colour 0, across zero; depth nearly 20 down. Pairs minus labels: both intervals across zero."
one = max(map(best, sensors), key=lambda place: right(answers[place]).mean())
gains = {"two cameras − best of one": gain(("best of each", "two networks"), one)}
gains["two small − one"] = gain(("labels", "two networks"), ("labels", "one network"))
for way, s in [(w, s) for w, s in answers if s in sensors and w != "labels"]:
    gains[f"{s}: {way} − labels"] = gain((way, s), ("labels", s))
figure = pictures.plot_differences(gains, folder or "Rooms decide; blue: clear")

# %% [markdown]
# In the rooms two rows are clear. **Both cameras score nine points above the best network of one**, and in depth the pretrained network is far worse. Elsewhere take what is simpler. With two other seeds (below) other rows would be: there the pretrained network is about five points ahead in colour, two small networks are eight and nine points ahead of one, and pairs *cost* the two networks five points and 1.5.
#
# ## Into the box
#
# Many runtimes read ONNX files. Is anything lost on the way, such as scaling? **Every stored image goes in, and both answers are compared**.
#
# Here the networks of *labels* of the last fold are written; the ones that you deploy should be trained on all rooms.

# %%
def export(network, file):
    example = tuple(images[s][:2] for s in network.sensors)
    how = {"input_names": network.sensors, "external_data": False, "verbose": False}
    how["dynamic_shapes"] = {"x": ({0: torch.export.Dim("batch")},) * len(example)}
    torch.onnx.export(network.eval().cpu(), example, file, dynamo=True, **how)
    return onnxruntime.InferenceSession(file)


for name, network in (small | fused).items():
    path = Path(own.place.name, f"{name}.onnx")
    file, stored = export(network, path), {s: images[s] for s in network.sensors}
    (logits,) = file.run(None, {s: x.numpy() for s, x in stored.items()})
    error = (network(*stored.values()).detach() - torch.tensor(logits)).abs().max()
    check(f"{name}: the file is the network", error < 1e-4 * np.abs(logits).max())
    image = {s: x[:1].numpy() for s, x in stored.items()}
    times = timeit.repeat("file.run(None, image)", globals=globals(), number=100)
    print(f"{10 * min(times):.2f} ms an image, {path.stat().st_size / 1000:.0f} kB")

# %% [markdown]
# A file checks nothing: given nearness in place of depth, it answers, too. [`discom export`](../docs/guides/deploy.md) adds a contract: classes, units, usual values. `discom predict` refuses other bands, and warns of unusual values.
#
# ## The package: the same, with the corners filled

# %%
own.data.save(f"{own.place.name}/mine")
terminal("discom advise mine --dry-run", own.place.name)
others = pd.read_csv("../results/rooms.csv").query("seed != @seed")
show(others.set_index(["seed", "way"]).T)

# %% [markdown]
# `advise` warns that with twelve rooms a gain below nine points will hardly show. `discom data check` finds lost partners and copies; levels show a wrong room. On your own images, the whole way is:
#
# ```bash
# discom data prepare folders --root my_images --size 32 --groups '(.+)_[0-9]+' --out data/mine
# discom advise data/mine    # which sensor, both, or one trained with both? Ends with the commands that train and export
# discom predict depth new_images
# ```
#
# ## What you found
#
# **For the rooms: mount both cameras, with two small networks, if about nine points are worth it. If you mount one, take colour. No gain by pair labels was clear. The pretrained network fails in depth. In colour it is level with ours in this run, and five points ahead with two other seeds. With both cameras two small networks did as well as one, or better.**
#
# For your own:
#
# - *Begin* with levels by group and a pretrained network.
# - *Decide* by an interval over groups.
# - *Few labels?* In 08, also synthetic, pairs with a contrast were worth [hundreds of labels](../docs/results/labels.md); with a label for every pair they were worth [nothing](../docs/results/all_labels.md). What they gained on real sensors stands in [one table](../docs/guides/second_sensor.md#what-to-do).
# - *Fine-tune?* Not tested here. On [land cover](../docs/results/images.md#cells-and-land-cover) a fine-tuned network of colour scores 69 with few labels (one draw).
#
# ## Exercises
#
# 1. **Warm-up.** A camera must be `worth` some points. Write `decide(low, high, worth)`: "both" if the whole interval lies above `worth`, "one" if below, else "label more".
# 2. **Change one thing.** `drop(images)` puts zeros in the place of the first sensor in a random third of the pairs, of the second in another. Let `views` end with it, and `evaluate` the one network.
# 3. **Open.** Set `folder` to images of your own. Enter the first interval, what a sensor must be worth, and your verdict.
#
# ## Quiz
#
# 1. One network of both has 73 %, without colour 33 %; a network of depth has 45 %. So (a) depth is useless beside colour, (b) it never learned to do without colour, (c) it was trained too briefly.
# 2. Frames of one video lie in training and test. You (a) trust the narrow interval, (b) widen it, (c) split by video, and count videos.
# 3. File and network agree on 1 200 images; in the box it guesses. First you check (a) the values that go in, (b) the ONNX version, (c) the learning rate.
#
# <details><summary>Answers</summary>
#
# 1. **b**: colour was always there. Not *a*: two networks gain twelve points by depth. Not *c*: more steps show it colour, too.
# 2. **c**: you ask about new videos. Not *a*: frames are no independent evidence. Not *b*: the split leaks.
# 3. **a**: unit, channel order, near and far. Not *b*: file and network agreed. Not *c*: it is the same network.
#
# </details>
#
# **References.** [ONNX Runtime](https://onnxruntime.ai). Neverova et al., [ModDrop](https://arxiv.org/abs/1501.00102), 2016. Tan and Le, [EfficientNet](https://arxiv.org/abs/1905.11946), 2019.

# %%
def decide(low, high, worth): ...


def drop(images): ...


mine = {"low": None, "high": None, "worth": None, "verdict": None}
exercises.check(decide, drop, mine, next(iter(gains.values())), folder)
course.keep(table().T.reset_index().assign(seed=seed), record)
finish()
