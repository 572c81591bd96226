# %% [markdown]
# # 03 · Training, on a CPU or a GPU
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/03_training.ipynb) · [solutions](solutions/py/03_training.py)
#
# You deploy a depth camera. Somebody lends you a colour camera, for the lab only. DisCoM-KD, whose parts you wrote in [02](02_model_and_losses.ipynb), promises that a depth network gets better if it trains beside colour. Each of your 2 000 scenes has both images and a label. Is the offer worth the training?
#
# ![Above, a student: a depth image goes through one encoder to the class. Below, DisCoM-KD: a colour and a depth image go through two encoders each to three parts, invariant, informative, irrelevant; heads that both share stand between them in training; the depth branch alone is deployed.](../docs/_static/student-and-branch.svg)
#
# What you have without the offer is a *student*: one encoder and one linear layer, trained on depth images and their labels. You will write the loop that trains both, stop it and go on as if nothing had happened, and let them compete.
#
# There are nine classes, so guessing gets 11 % of new depth images right. The best possible network of depth gets 80 %. **Guess 1.** Where does the depth branch of DisCoM-KD end: below the student, level with it, 5 points above, or 10?
#
# | At a glance | |
# |---|---|
# | You will | **write** a training loop for any of these networks · **measure** seconds and memory · **stop** a run and go on · **find** the control that a gain must beat |
# | You need | [02](02_model_and_losses.ipynb): the branch and its five losses |
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
from discom import data as sets, fit
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
# Only the student is new. It has one encoder. `class_loss` reads the first two parts of an embedding, so the student cuts its embedding into two halves and has no third part.

# %% tags=["lesson-training"]
class Student(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encoder, _ = resnet10(bands)  # [B, bands, 32, 32] → [B, 128]

    def forward(self, images):
        first_half, second_half = self.encoder(images).chunk(2, dim=1)
        return first_half, second_half, None


# %% [markdown]
# Two depth images go in, and two embeddings of twice 64 numbers come out. A branch of DisCoM-KD gives three parts instead, from two encoders.

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
    orders = {s: torch.randperm(len(part.images[s])).split(size) for s in sensors}
    for batch in range(len(orders[sensors[0]])):
        images, labels = {}, {}
        for sensor in sensors:
            rows = orders[sensor][batch]
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
# Each image keeps its own label, and both sensors show all four scenes. But row and row show different scenes. (Of four scenes some meet by chance, as here in the first row of both batches. Of 2 000 hardly any do.) So no loss can compare the two images of one scene.
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
# The loss falls on this batch. An epoch takes such a step for each batch. Student and DisCoM-KD share the loop; they differ in network, losses and sensors. The learning rate rises to 0.01 and falls again (`OneCycleLR`). Rate and weight decay were chosen on other seeds and are the same for all.

# %% tags=["lesson-training"]
def make_optimizer(network, epochs, per_epoch=16):
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    steps = epochs * per_epoch + 1
    schedule = OneCycleLR(optimizer, 0.01, steps, cycle_momentum=False)
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
        history.append(torch.stack([*values.values()]).detach())
    means = torch.stack(history).mean(dim=0).tolist()  # read once: a GPU need not wait
    return dict(zip(terms, means, strict=True))


# %% [markdown]
# After each epoch the network is scored on the test scenes. `train` puts both together, and returns a row for each epoch.

# %% tags=["lesson-training"]
@torch.no_grad()
def right(network, sensor, part):  # 1 or 0 for each scene
    inv, inf, _ = network.eval().branches[sensor](part.images[sensor])
    logits = network.heads.task[sensor](torch.cat([inv, inf], 1))
    return (logits.argmax(1) == part.labels).float()


def train(network, terms, batches, epochs, test, cost=losses, per_epoch=16):
    optimizer, schedule = make_optimizer(network, epochs, per_epoch)
    history = []
    for epoch in range(epochs):
        means = one_epoch(network, terms, batches(epoch), optimizer, schedule, cost)
        score = 100 * right(network, "depth", test).mean().item()
        history.append({"right": score, **means})
    return pd.DataFrame(history)


# %% [markdown]
# ## What a GPU changes
#
# The loop stays as it is. Around it, four things matter:
#
# - **`.to(device)`**: network and images must be in the same memory. Our scenes are small, so all of them move there once. Large data move batch by batch.
# - **`channels_last`**: the bands of a pixel lie side by side in memory, as fast convolutions want them. It changes the speed and not the result.
# - **`autocast`**: the products of layers are computed in 16 bits, while weights and losses stay in 32. Use bf16 where the device has instructions for it (Nvidia from the A100 on, recent server CPUs). Older cards have fp16 alone, which also needs `torch.amp.GradScaler`, because small gradients become zero.
# - **The batch**: a GPU waits for the next small task most of the time. Larger batches keep it busy, until its memory is full. But an epoch then has fewer steps, so learning rate and number of epochs must be chosen anew.
#
# `autocast` surrounds the forward pass and the losses, not the backward pass:

# %%
def losses_in_bf16(network, terms, images, labels):
    with torch.autocast(device.type, torch.bfloat16):
        return losses(network, terms, images, labels)


# %% [markdown]
# Now measure: the quickest of three epochs of a student, and the most memory in use. On a CPU we count the seconds of this process alone, since other programs may run beside it.
#
# **Guess 2.** With four times the images in a batch, an epoch has a quarter of the steps. On the device that your stamp names, will it take a quarter of the time, or about the same?

# %%
clock = time.process_time if device.type == "cpu" else time.perf_counter


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
# The answer to guess 2, on this CPU: a sixth less, 0.94 seconds instead of 1.11, and not three quarters. A CPU is busy all the time, and four times the images are four times the work of a step. On a GPU, which waits between small steps, expect more from it; this page has not measured one. This processor has no instructions for bf16, so the table lacks its row; on one that has them, bf16 took a quarter of the time off (0.70 seconds instead of 0.92).
#
# The memory on a CPU is that of the whole process with all its libraries, so it hardly grows with the batch. On a GPU it is that of the tensors alone.
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
# **Guess 3.** Leave out the optimizer, the schedule or the random state. Which of them changes the loss of the next epoch most?

# %%
def go_on(file, without=None):
    network, optimizer, schedule = start()
    torch.manual_seed(seed + 1)  # a new session draws other numbers
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
for name in ("optimizer", "schedule", "random"):
    rows[f"without {name}"] = go_on(file, without=name)
near = 1e-6 if device.type == "cpu" else 0.02  # a GPU adds in an order of its own
same = np.allclose(rows["stopped, went on"], whole, rtol=near)
check("a run that stopped has the losses of one that did not", same)
pd.DataFrame(rows, index=["loss, epoch 3", "loss, epoch 4"]).T.round(4)

# %% [markdown]
# With all four things the run goes on with the same losses. The answer to guess 3: the optimizer, 2.11 instead of 2.06. AdamW divides each gradient by a running mean of its size. These means now begin anew, from single batches, while the learning rate is high in the middle of training. An epoch later the difference is gone in this run. Without the schedule, the first step still has the rate that the optimizer's state holds; then the rate starts small and rises once more. Without the random state, the run is as good as before, but it sees other batches, and nobody can repeat it.
#
# ## Which control does a gain need?
#
# Back to the offer. If DisCoM-KD beats the student, there are three possible causes. Its branch has two encoders where a student has one. The losses `aux` and `orth` train its parts. And colour comes in, through `adv`, `mod` and the heads that both sensors share.
#
# Only the last is the colour camera. So our control is the *branch alone*: the same branch without colour, trained on depth images with `cl`, `aux` and `orth`.

# %%
one = {"cl": class_loss}
three = {"cl": class_loss, "aux": aux_loss, "orth": orth_loss}
five = {**three, "adv": adv_loss, "mod": mod_loss}


def run(name, kind, sensors, terms):
    def batches(epoch):
        return unpaired(scenes, sensors)

    network = make_network(kind, seed, sensors)
    network.to(device, memory_format=torch.channels_last)
    begin = clock()
    curve = train(network, terms, batches, epochs, test)["right"].tolist()
    seconds = (clock() - begin) / epochs
    print(f"{name}: {curve[-1]:.1f} % right, {seconds:.1f} s an epoch")
    return curve


# %%
curves = {}
curves["student"] = run("student", Student, ["depth"], one)
curves["branch alone"] = run("branch alone", Branch, ["depth"], three)
curves["DisCoM-KD"] = run("DisCoM-KD", Branch, sensors, five)

# %% alt="Three curves of accuracy over twenty epochs. They start at guessing, rise side by side, cross several times, and end within a point of each other at 73 to 74 %, below the dotted line of 80 % that is best possible."
title = "Three networks, three sets of losses, one end"
figure = training.plot_curves(curves, title, best=test.best["depth"])

# %% [markdown]
# All three end within a point of each other. DisCoM-KD takes nearly four times as long as the student: it trains four encoders instead of one. (The scores jump in the first half, where the learning rate is at its highest, and settle as it falls.)
#
# In this run colour brought no gain, but one run proves little: scores differ by a point or two between seeds. Stored runs repeat the three with ten seeds ([every label](../docs/results/all_labels.md)). They train for 30 epochs instead of 20, and all three score some two points higher. Two rows are new: DisCoM-KD with *pairs* in its batches, and a network that reads *both sensors*.

# %% alt="Five rows of ten dots. Student, branch alone, DisCoM-KD and DisCoM-KD with pairs lie on top of each other at about 76. The network that reads both sensors lies at about 93, beyond the line that is best possible with depth."
scores = course.seeds("../results/all-labels.csv", course.EVERY, "depth")
title = "Colour knows much; DisCoM-KD brings none of it to depth"
figure = training.plot_seeds(scores, title, best=test.best["depth"])

# %%
for name in ("DisCoM-KD", "DisCoM-KD, pairs"):
    gain = scores[name] - scores["branch alone"]  # of the same seeds
    half = stats.sem(gain) * stats.t.ppf(0.975, len(gain) - 1)
    print(f"{name} − branch alone: {gain.mean():+.1f} ± {half:.1f} points of F1")

# %% [markdown]
# **Over ten seeds the depth branch of DisCoM-KD does not beat the same branch trained without colour.** The answer to guess 1 is: level with the student (0.0, from −0.4 to 0.5). Yet a network that reads both images is 16 points ahead, so colour knows a lot. (F1 is nearly the share that is right; ± is half of a 95 % interval.)
#
# With colour deployed, DisCoM-KD ends a point below its branch alone after 30 epochs; after 40 and 80 epochs three seeds do not decide.
#
# Of real sensors two were run with every label. On [units of the body](../docs/results/real.md) DisCoM-KD lies 1.4 points below its branch alone after eight short epochs, and on [MRI](../docs/results/images.md) other methods gained nothing. On the paper's own images we have not run DisCoM-KD; [12](12_reproduce_discom_kd.ipynb) does it on your machine.
#
# ## Why does nothing come across?
#
# **First suspect: the batches hold strangers.** But the fourth row of the figure has pairs in its batches, and gains nothing either. Two published methods whose losses do compare the images of a pair end level with the student, too ([every label](../docs/results/all_labels.md)).
#
# **Second suspect: nothing is left to learn.** The scenes are drawn so that we can test this. In 14 % of them it is *dark*: colour lacks the material there. 24 % are *far*: depth lacks it there. In 6 % both lack it. The class is one of three shapes in one of three materials. **Guess 4.** What share of far scenes does a depth network get right?

# %%
file = "../results/all-labels-kinds.csv"  # the same ten seeds
shares = {
    name: course.stored_kinds(file, method, "depth")
    for method, name in course.EVERY.items()
}
order = ["ordinary", "dark", "far", "dark and far"]
kinds = pd.DataFrame(shares).T[order]
kinds.round().astype(int)

# %% [markdown]
# A third, however it was trained. The shape is seen and the material is not, so one guess among three materials is left. That also says where the best possible 80 % come from: 70 % of the scenes show depth everything, and of the other 30 % a third is guessed, 70 + 10. **No training can teach what an image does not show.**
#
# How much of the lead of 16 points lies there? Multiply each kind's share of the scenes by how far the network of both is ahead in it.

# %%
counts = pd.read_csv(file).groupby("kind")["scenes"].mean()[order]
share = counts / counts.sum()
lead = kinds.loc["both sensors"] - kinds.loc["branch alone"]
points = share * lead
print(f"the whole lead: {points.sum():.1f} points of accuracy")
table = {"% of scenes": 100 * share, "lead there": lead, "points of the whole": points}
pd.DataFrame(table).round(1)

# %% [markdown]
# Far scenes make up nearly all of it. In ordinary scenes the labels alone bring depth to 93 or 94 %, and both sensors reach 98. That is a lead of two points of the whole, which depth could learn, and DisCoM-KD does not learn them. (In dark scenes the network of both is worse than depth alone; [04](04_teacher_and_student.ipynb) tests a cause.)
#
# Does DisCoM-KD use colour at all? We also trained it beside pictures of noise in colour's place. Over five stored seeds its depth branch was 1.0 ± 1.1 points worse beside noise than beside colour; the interval includes zero, so we cannot tell ([noise.csv](../results/noise.csv)).
#
# ## What you found
#
# **With a label for every scene we found no gain of DisCoM-KD over its own branch trained on depth alone. Of the 16 points that colour adds, 15 lie in scenes where the depth image does not show the answer, so no training can bring them. Why the other points do not come is open.** In [00](00_start_here.ipynb), with 200 labels, pairs helped a lot. Do labels leave nothing to add? In [04](04_teacher_and_student.ipynb) a teacher of both sensors judges each image.
#
# For your own two sensors:
#
# - **Count** how often the deployed sensor lacks the answer: train one network on this sensor and one on both, and look at fifty images that only the second gets right. No training mends what these do not show; deploying both sensors would.
# - **Train the branch alone** before you credit a second sensor with a gain.
# - **Plan ten seeds.** One run differs from the next by a point or two.
# - **Save all four things** in a checkpoint, and test that a run which goes on has the same losses.
# - **If labels are few**, 00 is your notebook. What a second sensor gained with few labels and with all stands in [one table](../docs/guides/second_sensor.md#what-to-do).
#
# ## The same in the package
#
# `fit` is this loop, with checks, files and scores around it. It chooses the device, and `precision="mixed"` chooses bf16 or fp16. It saves a checkpoint after each epoch, and called again on the same folder it goes on. From the same first weights and the same batches it must get the losses of your loop.

# %%
split = sets.load(data, seed=seed).split(seed)
own = make_network(Branch, seed).to(device, memory_format=torch.channels_last)
config = settings("cpu", seed=seed, epochs=2, precision="32-true", select="last")


def same_start(epoch, package):  # fit calls it before the first epoch, and after each
    if epoch == 0:
        own.load_state_dict(package.model.state_dict())


with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that two epochs teach nothing
    fit("discom", split, config, folder, on_epoch_end=same_start, progress=False)
    package = pd.read_csv(f"{folder}/metrics.csv")[[*five]]

# %%
theirs = Batches(split.train, config.batch_size, seed, augment=1.0, device=device)


def same_batches(epoch):
    for batch in theirs.epoch(epoch):
        yield batch.x, batch.y


mine = train(own, five, same_batches, 2, test)[[*five]]
first_epochs = np.allclose(package.loc[0], mine.loc[0], rtol=0.01)
check("equal losses in the first epoch, within 1 %", first_epochs)
both = pd.concat({"fit": package, "your loop": mine}, names=["loop", "epoch"])
both.swaplevel().sort_index().round(3)

# %% [markdown]
# The second epoch differs a little. Both loops add the same numbers in another order, and rounding errors grow from step to step.
#
# ## Exercises
#
# 1. **Warm-up.** Write `paired(part, sensors, size)`: like `unpaired`, but row *i* of every sensor shows the same scene. Each image still gets a turn of its own.
# 2. **Change one thing.** You have 2 000 depth images and only 300 in colour. Write `orders(counts, size)`, the rows of an epoch for each sensor. An epoch has as many batches as the larger sensor needs; the smaller one starts again, shuffled anew, whenever it is used up.
# 3. **Open.** Train DisCoM-KD with your `paired` batches. Set `scores` to the two shares of new depth images that are right, in %. Does your run agree with the ten seeds?
#
# ## Quiz
#
# 1. DisCoM-KD is two points above a student over ten seeds. Then (a) the other sensor helped, (b) the branch, the losses or the other sensor helped, (c) the student was trained too briefly.
# 2. A network that reads both sensors is 17 points above the student. A student can learn from it at most (a) 17 points, (b) what its own image shows and its labels did not teach, (c) nothing.
# 3. You load the network from a checkpoint, and make optimizer and schedule anew. Then (a) the run goes on as before, (b) training goes on, but as another run with another learning rate, (c) the network has forgotten everything.
#
# <details><summary>Answers</summary>
#
# 1. **b**: a student lacks all three; compare with the branch alone. Not *a*: that is one of three. Not *c*: that takes another control.
# 2. **b**: in far scenes its image does not show the material. Not *a*: most of the 17 points lie there. Not *c*: in ordinary scenes the student still errs.
# 3. **b**: the schedule begins again with a small learning rate. Not *a*: the losses differ, see the table. Not *c*: the weights are those of the file.
#
# </details>
#
# **References.** Ienco and Dantas, [DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024, Eq. 7 and section 4.

# %%
def paired(part, sensors, size=125): ...


def orders(counts, size): ...


scores = {"unpaired": None, "paired": None}
exercises.check(paired, orders, scores, best=test.best["depth"])
finish()
