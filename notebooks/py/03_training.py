# %% [markdown]
# # 03 · Training: is the second camera worth it?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/03_training.ipynb) · [solutions](solutions/py/03_training.py)
#
# You deploy a depth camera. Somebody lends you a colour camera, for the lab only. DisCoM-KD, whose parts you wrote in [02](02_model_and_losses.ipynb), promises that a depth network gets better if it trains beside colour. Each of your 2 000 scenes has both images and a label. Is the offer worth the training?
#
# ![Above, a student: a depth image goes through one encoder to the class. Below, DisCoM-KD: a colour and a depth image go through two encoders each to three parts, invariant, informative, irrelevant; heads that both share stand between them in training; the depth branch alone is deployed.](../docs/_static/student-and-branch.svg)
#
# What you have without the offer is a *student*: one encoder and one linear layer, trained on depth images and their labels. You will write the loop that trains both, and let them compete. In the second half the same loop moves to a GPU, stops, and goes on as if nothing had happened.
#
# There are nine classes, so guessing gets 11 % of new depth images right. The best possible network of depth gets 80 %. **Guess 1.** Where does the depth branch of DisCoM-KD end: below the student, level with it, 5 points above, or 10?
#
# | At a glance | |
# |---|---|
# | You will | **write** a training loop for any of these networks · **find** the control that a gain must beat · **count** what a depth image can never show · **measure** a device, and **stop** a run and go on |
# | You need | [02](02_model_and_losses.ipynb): the branch and its five losses |
# | Time, memory | five or six minutes on one CPU core, 2 GB |
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
epochs = 20  # each shows every scene once
profile = "cpu"  # tiny: one epoch, results mean nothing

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import tempfile
import time
import warnings
from math import log
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_03 as exercises
from discom import data as sets, fit, methods
from discom.config import profile as settings
from discom.data.augmentation import random_d4, apply_d4
from discom.data.batches import Batches
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import training

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
epochs = 1 if profile == "tiny" else epochs
scenes, test = course.scenes(data, seed, device=device)

# %% [markdown]
# ## What you bring from 02
#
# The branch, the heads and the five losses are the ones that you wrote in [02](02_model_and_losses.ipynb). This notebook imports them from two files, [losses.py](lessons/losses.py) and [model.py](lessons/model.py), which hold exactly what 02 shows. The function `losses` sums each loss over the sensors.

# %%
from lessons.losses import adv_loss, aux_loss, class_loss, mod_loss, orth_loss
from lessons.losses import losses
from lessons.model import Branch, make_network, sensors

# %% [markdown]
# Only the student is new. It has one encoder, whose output is 128 numbers. A branch gives three parts, and `class_loss` takes the first two. So that the same loss serves both, the student hands over its numbers in two halves, and nothing in the place of the third part.

# %% tags=["lesson-training"]
class Student(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encoder, _ = resnet10(bands)  # [B, bands, 32, 32] → [B, 128]

    def forward(self, images):
        first_half, second_half = self.encoder(images).chunk(2, dim=1)
        return first_half, second_half, None


# %% [markdown]
# Two depth images go in. For each of them the student gives 2 × 64 numbers from one encoder, a branch 3 × 64 from two.

# %%
two_images = scenes.images["depth"][:2].cpu()
for kind in (Student, Branch):
    network = make_network(kind, seed, ["depth"])
    parts = network.branches["depth"](two_images)
    shapes = [tuple(part.shape) for part in parts if part is not None]
    weights = sum(weight.numel() for weight in network.branches.parameters())
    print(f"{kind.__name__}: {tuple(two_images.shape)} → {shapes}, {weights:,} weights")

# %% [markdown]
# ## Batches of strangers
#
# DisCoM-KD shuffles each sensor on its own, as its authors' code does. Row 7 of a colour batch and row 7 of a depth batch then show different scenes: they are *strangers*. Each image comes turned or mirrored at random, and an epoch shows every image once.

# %% tags=["lesson-training"]
def unpaired(part, sensors, size=125):
    rows_of = {}  # of each sensor: the rows of every batch
    for sensor in sensors:
        shuffled = torch.randperm(len(part.images[sensor]))
        rows_of[sensor] = shuffled.split(size)
    for batch in range(len(rows_of[sensors[0]])):
        images, labels = {}, {}
        for sensor in sensors:
            rows = rows_of[sensor][batch]
            own = part.images[sensor][rows]
            images[sensor] = apply_d4(own, random_d4(own))
            labels[sensor] = part.labels[rows]
        yield images, labels


# %% [markdown]
# Try it on four scenes whose images are a single pixel, the number of the scene. The label is that number, too.

# %%
numbers = torch.arange(4.0)[:, None, None, None]  # [4, 1, 1, 1]
images = {"rgb": numbers, "depth": numbers}
four = SimpleNamespace(images=images, labels=torch.arange(4))
torch.manual_seed(seed)
for images, labels in unpaired(four, sensors, size=2):
    for sensor in sensors:
        shown = images[sensor].flatten().int().tolist()
        print(f"{sensor:5} shows scenes {shown}, labels {labels[sensor].tolist()}")
    print()

# %% [markdown]
# Each image keeps its own label, and both sensors show all four scenes. But which scenes share a row is chance. Here one row of each batch happens to show one scene twice; among 2 000 scenes that hardly ever happens. So no loss can compare the two images of one scene.
#
# ## One step, then the loop
#
# A step of training is four lines: compute the loss, clear the old gradients, compute new ones, move the weights. Take three steps on one batch of 125 depth images. The loss of a guess among nine classes is log 9.

# %%
network = make_network(Student, seed, ["depth"]).to(device)
optimizer = torch.optim.AdamW(network.parameters(), lr=0.001)
images, labels = next(unpaired(scenes, ["depth"]))
for step in range(3):
    loss = losses(network, {"cl": class_loss}, images, labels)["cl"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"before step {step + 1}: loss {loss.item():.2f} (a guess: {log(9):.2f})")

# %% [markdown]
# The loss falls on this batch. An epoch takes such a step for each batch. Student and DisCoM-KD share the loop; they differ in network, losses and sensors. The learning rate rises to 0.01 and falls again (`OneCycleLR`). This rate and the weight decay were chosen on other seeds and scenes, and are the same for all ([how](../docs/results/protocol.md#choices)). The short training of 02 had others.

# %% tags=["lesson-training"]
def make_optimizer(network, epochs, per_epoch=16):
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    rates = epochs * per_epoch + 1  # one for the start, and one after each step
    schedule = OneCycleLR(optimizer, 0.01, rates, cycle_momentum=False)
    return optimizer, schedule


def one_epoch(network, terms, batches, optimizer, schedule, cost=losses):
    network.train()
    history = []
    for images, labels in batches:
        values = cost(network, terms, images, labels)
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append(torch.stack(list(values.values())).detach())
    means = torch.stack(history).mean(dim=0).tolist()
    return dict(zip(terms, means, strict=True))


# %% [markdown]
# After each epoch the network is scored on the test scenes. `train` puts both together, and returns a row for each epoch. It is given a function, `make_batches`, which yields the batches of an epoch.

# %% tags=["lesson-training"]
@torch.no_grad()
def right(network, sensor, part):  # 1 or 0 for each scene
    inv, inf, _ = network.eval().branches[sensor](part.images[sensor])
    logits = network.heads.task[sensor](torch.cat([inv, inf], 1))
    return (logits.argmax(1) == part.labels).float()


def train(network, terms, make_batches, epochs, test, cost=losses, per_epoch=16):
    optimizer, schedule = make_optimizer(network, epochs, per_epoch)
    history = []
    for epoch in range(epochs):
        batches = make_batches(epoch)
        means = one_epoch(network, terms, batches, optimizer, schedule, cost)
        score = 100 * right(network, "depth", test).mean().item()
        history.append({"right": score, **means})
    return pd.DataFrame(history)


# %% [markdown]
# ## Which control does a gain need?
#
# If DisCoM-KD beats the student, there are three possible causes. Its branch has two encoders where a student has one. The losses `aux` and `orth` train its parts. And colour comes in, through `adv`, `mod` and the heads that both sensors share.
#
# Only the last is the colour camera. So our control is the *branch alone*: the same branch without colour, trained on depth images with `cl`, `aux` and `orth`.
#
# `run` trains a network and prints the seconds of an epoch, scoring included. On a CPU it counts the seconds of this process alone, since other programs may run beside it.

# %%
one = {"cl": class_loss}
three = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five = {**three, "adv": adv_loss, "mod": mod_loss}
clock = time.process_time if device.type == "cpu" else time.perf_counter


def run(name, kind, sensors, terms, batches=unpaired):
    def make_batches(epoch):
        return batches(scenes, sensors)

    network = make_network(kind, seed, sensors)
    network.to(device, memory_format=torch.channels_last)
    begin = clock()
    curve = train(network, terms, make_batches, epochs, test)["right"].tolist()
    seconds = (clock() - begin) / epochs
    print(f"{name}: {curve[-1]:.1f} % right, {seconds:.1f} s an epoch")
    return curve


# %%
curves = {}
curves["student"] = run("student", Student, ["depth"], one)
curves["branch alone"] = run("branch alone", Branch, ["depth"], three)
curves["DisCoM-KD"] = run("DisCoM-KD", Branch, sensors, five)

# %% alt="Three curves of accuracy over twenty epochs. They start at guessing. From epoch 13 to 15 DisCoM-KD lies below the other two, then it catches up. All end within a point of each other at 73 to 74 %, below the dotted line of 80 % that is best possible."
title = "DisCoM-KD learns later, and all three end level"
figure = training.plot_curves(curves, title, best=test.best["depth"])

# %% [markdown]
# **DisCoM-KD learns late.** At epoch 15 it lies some ten points behind the other two; at the end all three are within a point of each other. A whole training of ten epochs, with a schedule of its own, ends 28 points below the student and 22 below the branch alone (three stored seeds, [how many epochs](../docs/results/all_labels.md#how-many-epochs)). So give it time before you judge it. An epoch takes three times as long as the student's, too: four encoders train instead of one.
#
# In this run colour brought no gain, but one run proves little: scores differ by a point or two between seeds. Stored runs repeat the three with ten seeds ([every label](../docs/results/all_labels.md)). They train for 30 epochs instead of 20, and all three score some two points higher. Two rows are new: DisCoM-KD with *pairs* in its batches, and a network that reads *both sensors*.

# %% alt="Five rows of ten dots. Student, branch alone, DisCoM-KD and DisCoM-KD with pairs lie on top of each other at about 76. The network that reads both sensors lies at about 93, beyond the line that is best possible with depth."
scores = course.seeds("../results/all-labels.csv", course.EVERY, "depth")
title = "Colour knows much; DisCoM-KD brings none of it to depth"
figure = training.plot_seeds(scores, title, best=test.best["depth"])

# %%
comparisons = [
    ("DisCoM-KD", "student"),
    ("DisCoM-KD", "branch alone"),
    ("DisCoM-KD, pairs", "branch alone"),
]
for name, control in comparisons:
    gain = scores[name] - scores[control]  # of the same seeds
    half = stats.sem(gain) * stats.t.ppf(0.975, len(gain) - 1)
    print(f"{name} − {control}: {gain.mean():+.2f} ± {half:.2f} points of F1")

# %% [markdown]
# **Over ten seeds the depth branch of DisCoM-KD does not beat the same branch trained without colour.** Nor does it beat the student. The answer to guess 1 is: level with it, 75.68 beside 75.64, which the figure rounds. Yet a network that reads both images is 16 points above the branch alone, so colour knows a lot. (± is half of a 95 % interval. F1 is nearly the share that is right.)
#
# If colour is the camera that you deploy, DisCoM-KD even ends a point below its branch alone ([−1.0, from −1.4 to −0.6](../results/all-labels.md), ten seeds, 30 epochs). With 40 or 80 epochs, three seeds do not show this loss again.
#
# What do real sensors say? On [units of the body](../docs/results/real.md) DisCoM-KD lies 1.4 points below its branch alone (95 % interval: 0.9 to 2.0), after eight short epochs. On [MRI](../docs/results/images.md) it was not run; two other ways to train with a second image gained nothing there. Nor have we run it on the paper's own images: [12](12_reproduce_discom_kd.ipynb) does that on your machine.
#
# ## Why does nothing come across?
#
# **First suspect: the batches hold strangers.** But the fourth row of the figure has pairs in its batches, and gains nothing either. Perhaps the losses must compare the two images of a pair? MDiCo and DeCUR, two published methods that do so, end at 75.4 and 75.6, level with the student, too ([ten seeds](../results/all-labels.md)).
#
# **Second suspect: nothing is left to learn.** The scenes are drawn so that we can test this. The class is one of three shapes in one of three materials. Colour lacks the material in *dark* scenes, and depth lacks it in *far* ones. 14 % of the scenes are only dark, 24 % only far, and 6 % both. The other 56 % are ordinary: both images show everything. **Guess 2.** What share of the far scenes does a depth network get right?

# %%
file = "../results/all-labels-kinds.csv"  # the same ten seeds
names = {"ordinary": "ordinary", "dark": "only dark", "far": "only far"}
names["dark and far"] = "dark and far"
accuracy = {
    name: course.stored_kinds(file, method, "depth")
    for method, name in course.EVERY.items()
}
kinds = pd.DataFrame(accuracy).T[list(names)].rename(columns=names)
kinds.round().astype(int)

# %% [markdown]
# A third, however it was trained. The shape is seen and the material is not, so one guess among three materials is left. That also says where the best possible 80 % come from: 70 % of the scenes show depth everything, and of the other 30 % a third is guessed, 70 + 10. **No training can teach what an image does not show.**
#
# How much of the lead of 16 points lies there? Multiply each kind's share of the scenes by how far the network of both is ahead in it.

# %%
counts = pd.read_csv(file).groupby("kind")["scenes"].mean()[list(names)]
share = (counts / counts.sum()).rename(names)
lead = kinds.loc["both sensors"] - kinds.loc["branch alone"]
points = share * lead
print(f"the whole lead: {points.sum():.1f} points of accuracy")
table = {"% of scenes": 100 * share, "lead there": lead, "points of the whole": points}
pd.DataFrame(table).round(1)

# %% [markdown]
# Far scenes hold 15 of the 16 points. The other kinds nearly cancel: both sensors gain two points in ordinary scenes and lose one in dark ones, and 15 + 2 − 1 = 16. ([04](04_teacher_and_student.ipynb) tests why they lose there.)
#
# The two points in ordinary scenes are there to be learned: these depth images show both shape and relief, so all of them count as right in the best possible 80 %. The labels alone bring depth to 93 or 94 % there, and both sensors reach 98. DisCoM-KD stays at 94.
#
# Does DisCoM-KD use colour at all? We also trained it for 20 epochs, as above, beside pictures of noise in colour's place. Over five stored seeds its depth branch was 1.0 ± 1.1 points worse beside noise than beside colour; the interval includes zero, so we cannot tell ([noise.csv](../results/noise.csv)).
#
# ## Is the offer worth it?
#
# **With a label for every scene we found no gain of DisCoM-KD over its own branch trained on depth alone. Of the 16 points that colour adds, 15 lie in far scenes, where the depth image does not show the answer, so no training can bring them. Two points in ordinary scenes could be learned; why DisCoM-KD does not learn them is open.** In [00](00_start_here.ipynb), with 200 labels, pairs helped a lot. Do labels leave nothing to add? In [04](04_teacher_and_student.ipynb) a teacher of both sensors judges each image.
#
# For your own two sensors:
#
# - **Count** how often the deployed sensor lacks the answer: train one network on this sensor and one on both, and look at fifty images that only the second gets right. No training mends what these do not show; deploying both sensors would.
# - **Train the branch alone** before you credit a second sensor with a gain.
# - **Train long enough.** DisCoM-KD needs more epochs than its controls before the comparison is fair.
# - **Plan ten seeds.** One run differs from the next by a point or two.
# - **If labels are few**, 00 is your notebook. What a second sensor gained with few labels and with all stands in [one table](../docs/guides/second_sensor.md#what-to-do).
#
# ## Second half: what a GPU changes
#
# Your own data will be larger, and the loop stays as it is. Around it, five things matter:
#
# - **`.to(device)`**: network and images must be in the same memory. Our scenes are small, so all of them move there once. Large data move batch by batch.
# - **`channels_last`**: the bands of a pixel lie side by side in memory, as fast convolutions want them. It changes the speed and not the result.
# - **`autocast`**: the products of layers are computed in 16 bits, while weights and losses stay in 32. Use bf16 where the device has instructions for it (Nvidia from the A100 on, recent server CPUs). Older cards have only fp16, in which small gradients become zero; `torch.amp.GradScaler` prevents this.
# - **Reading a number**: `.item()` and `.tolist()` wait until the GPU has computed everything. So `one_epoch` keeps the losses on the device and reads them once.
# - **The batch**: a GPU waits for the next small task most of the time. Larger batches keep it busy, until its memory is full. But an epoch then has fewer steps, so learning rate and number of epochs must be chosen anew.
#
# `autocast` surrounds the forward pass and the losses, not the backward pass:

# %%
def losses_in_bf16(network, terms, images, labels):
    with torch.autocast(device.type, torch.bfloat16):
        return losses(network, terms, images, labels)


# %% [markdown]
# Now measure: the quickest of three epochs of a student, this time without scoring, and the most memory in use.
#
# **Guess 3.** With four times the images in a batch, an epoch has a quarter of the steps. On the device that your stamp names, will it take a quarter of the time, or about the same?

# %%
def measure(size=125, cost=losses):
    network = make_network(Student, seed, ["depth"])
    network.to(device, memory_format=torch.channels_last)
    optimizer, schedule = make_optimizer(network, epochs=3)
    hardware.start_peak()
    seconds = []
    for _ in range(3):
        start, batches = clock(), unpaired(scenes, ["depth"], size)
        one_epoch(network, {"cl": class_loss}, batches, optimizer, schedule, cost)
        seconds.append(clock() - start)
    return {"seconds an epoch": min(seconds), "memory, MB": hardware.recent_peak()}


# %%
rows = {"float32, batches of 125": measure()}
if hardware.precision_used("mixed") == "bf16-mixed":  # the device has it
    rows["bf16, batches of 125"] = measure(cost=losses_in_bf16)
rows["float32, batches of 500"] = measure(size=500)
pd.DataFrame(rows).T.round({"seconds an epoch": 2, "memory, MB": 0})

# %% [markdown]
# The answer to guess 3, on this CPU: a sixth less, 1.19 seconds instead of 1.41, and not three quarters. A CPU is busy all the time, and four times the images are four times the work of a step. A GPU waits between small steps, so expect more from it; on a GPU we have measured nothing yet, and your run of this page does. This processor has no instructions for bf16, so the table lacks its row.
#
# The memory on a CPU is that of the whole process with all its libraries. On a GPU it is that of the tensors alone.
#
# ## Stop, and go on
#
# A Colab session ends (and its files with it: there, save to a folder on Drive), a cluster job hits its limit. What must a file hold so that training goes on as if nothing had happened? Four things: the network, the optimizer, the schedule, and the state of the random numbers, which decides the next batches.
#
# First a run of four epochs that is not interrupted. It leaves such a file after the second.

# %%
def start():
    network = make_network(Student, seed, ["depth"])
    network.to(device, memory_format=torch.channels_last)
    return network, *make_optimizer(network, epochs=4)


def two_epochs(network, optimizer, schedule):
    history = []
    for _ in range(2):
        batches = unpaired(scenes, ["depth"])
        means = one_epoch(network, {"cl": class_loss}, batches, optimizer, schedule)
        history.append(means["cl"])
    return history


# %%
file = f"{tempfile.mkdtemp()}/checkpoint.pt"
network, optimizer, schedule = start()
two_epochs(network, optimizer, schedule)
checkpoint = {
    "network": network.state_dict(),  # weights, and the means of batch normalization
    "optimizer": optimizer.state_dict(),  # AdamW's running means of every gradient
    "schedule": schedule.state_dict(),  # how many steps are done
    "random": torch.get_rng_state(),  # all draws here are the CPU's
}
torch.save(checkpoint, file)
whole = two_epochs(network, optimizer, schedule)

# %% [markdown]
# Now the session has ended. `start` builds everything anew, other random numbers are drawn, and the file comes back. With `without`, one of its four things is left out.
#
# **Guess 4.** Leave out the optimizer, the schedule or the random state. Which of them changes the loss of the next epoch most?

# %%
def go_on(file, without=None, session=1):
    network, optimizer, schedule = start()
    torch.manual_seed(seed + session)  # a new session draws other numbers
    saved = torch.load(file, map_location="cpu")
    network.load_state_dict(saved["network"])
    if without != "optimizer":
        optimizer.load_state_dict(saved["optimizer"])
    if without != "schedule":
        schedule.load_state_dict(saved["schedule"])
    if without != "random":
        torch.set_rng_state(saved["random"])
    return two_epochs(network, optimizer, schedule)


# %%
rows = {"not interrupted": whole, "stopped, went on": go_on(file)}
for name in ("optimizer", "schedule"):
    rows[f"without {name}"] = go_on(file, without=name)
for session in (1, 2, 3):
    own = go_on(file, without="random", session=session)
    rows[f"without random, session {session}"] = own
near = 1e-6 if device.type == "cpu" else 0.02  # a GPU adds in an order of its own
same = np.allclose(rows["stopped, went on"], whole, rtol=near)
check("a run that stopped has the losses of one that did not", same)
pd.DataFrame(rows, index=["loss, epoch 3", "loss, epoch 4"]).T.round(3)

# %% [markdown]
# With all four things the run goes on with the same losses. How much do other batches alone change? The last three rows say it: up to 0.006 in epoch 3.
#
# The answer to guess 4: the optimizer, which costs 0.05. AdamW divides each gradient by a running mean of its size. These means now begin anew, from single batches, while the learning rate is high in the middle of training. An epoch later the loss is within what other batches change. Without the schedule, the learning rate starts small and rises once more, which costs 0.02. Without the random state, the run is as good as before, but nobody can repeat it.
#
# So save all four things, and test once that a run which goes on has the same losses.
#
# ## The same in the package
#
# `fit` is this loop, with checks, files and scores around it. It chooses the device, and `precision="mixed"` chooses bf16 or fp16. It saves a checkpoint after each epoch, and called again on the same folder it goes on.

# %%
split = sets.load(data, seed=seed).split(seed)
config = settings("cpu", seed=seed, epochs=2, precision="32-true", select="last")
with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that two epochs teach nothing
    fit("discom", split, config, folder, progress=False)
    logged = pd.read_csv(f"{folder}/metrics.csv")[[*five]]

# %% [markdown]
# From the same first weights and the same batches it must get the losses of your loop.

# %%
first = methods.build(methods.get("discom"), split.train, config)
network = make_network(Branch, seed)
network.load_state_dict(first.model.state_dict())
network.to(device, memory_format=torch.channels_last)
theirs = Batches(split.train, config.batch_size, seed, augment=1.0, device=device)


def same_batches(epoch):
    for batch in theirs.epoch(epoch):
        yield batch.x, batch.y


mine = train(network, five, same_batches, 2, test)[[*five]]
table = pd.DataFrame({"fit": logged.loc[0], "your loop": mine.loc[0]}).T
near = np.allclose(table.loc["fit"], table.loc["your loop"], rtol=0.01)
check("equal losses in the first epoch, within 1 %", near)
table.round(3)

# %% [markdown]
# Where the last digits differ, both loops added the same numbers in another order, and rounding errors grow from step to step.
#
# ## Exercises
#
# 1. **Warm-up.** Write `paired(part, sensors, size)`: like `unpaired`, but row *i* of every sensor shows the same scene. Each image still gets a turn of its own.
# 2. **Change one thing.** You have 2 000 depth images and only 300 in colour. Write `orders(counts, size)`. It gets `{"depth": 2000, "rgb": 300}` and returns for each sensor the batches of an epoch, each a list of rows. An epoch has as many batches as the larger sensor needs; the smaller one starts again, shuffled anew, whenever it is used up.
# 3. **Open.** Train DisCoM-KD with your `paired` batches, `run("pairs", Branch, sensors, five, paired)`. Set `ends` to this last share of new depth images that are right, in %, and to that of your run with strangers. Over ten stored seeds pairs were 0.4 points better. Could your two runs have shown that?
#
# ## Quiz
#
# 1. DisCoM-KD is two points above a student over ten seeds. Then (a) the other sensor helped, (b) the branch, the losses or the other sensor helped, (c) the student was trained too briefly.
# 2. A network that reads both sensors is 16 points above the branch alone. This branch can learn from it at most (a) 16 points, (b) what its own image shows and its labels did not teach, (c) nothing.
# 3. You load the network from a checkpoint, and make optimizer and schedule anew. Then (a) the run goes on as before, (b) training goes on, but as another run with another learning rate, (c) the network has forgotten everything.
#
# <details><summary>Answers</summary>
#
# 1. **b**: a student lacks all three; compare with the branch alone. Not *a*: that is one of three. Not *c*: that takes another control.
# 2. **b**: in far scenes its image does not show the material. Not *a*: 15 of the 16 points lie there. Not *c*: in ordinary scenes the branch still errs.
# 3. **b**: the schedule begins again with a small learning rate. Not *a*: the losses differ, see the table. Not *c*: the weights are those of the file.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eq. 7 and section 4.

# %%
def paired(part, sensors, size=125): ...


def orders(counts, size): ...


ends = {"unpaired": None, "paired": None}
exercises.check(paired, orders, ends, best=test.best["depth"])
finish()
