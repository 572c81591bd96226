# %% [markdown]
# # 10 · Who draws the missing masks?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/10_segmentation.ipynb) · [solutions](solutions/py/10_segmentation.py)
#
# A sorting machine is to name the material of every **pixel** of a photo. In the lab it had a depth camera beside it; in the plant it has colour alone. There are 600 pairs of images. To draw a *mask*, the class of every pixel, takes a person ten minutes, so 30 pairs have one.
#
# A network of both sensors could draw the other 570 masks, and a colour network learn from them. In [04](04_teacher_and_student.ipynb), where a label was one class for a whole image, such a teacher was worth no more than one of the same sensor.
#
# **Write down two guesses.** With 30 masks our colour network scores 46 points, and together with a depth network 66. How much will the colour network score when these *two* draw the missing masks for it? And when it draws them **itself**?
#
# | At a glance | |
# |---|---|
# | You will | **write** a U-Net, its score, and soft labels for pixels · **take** a teacher apart to see which half teaches · **build** an idea of CroDiNo-KD |
# | You need | convolutions, cross-entropy; the soft labels of [04](04_teacher_and_student.ipynb) |
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
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %% tags=["parameters"]
data = "scenes-dense"  # drawn with the seed
seed = 0  # of scenes, weights and batches
steps = 700  # of each training, eight images a step
profile = "cpu"  # tiny: a few steps, results mean nothing
record = ""  # a file that keeps the scores
runs = "runs"  # no effect here

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_10 as exercises
from discom.data.augmentation import restore, turn
from discom.notebook import check, finish, stamp
from pictures import segments

torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data)
steps = 5 if profile == "tiny" else steps

# %% alt="Six scenes in three rows. Colour shows textures in four objects, depth shows reliefs in the same outlines with white holes, and the masks show background, wood, metal and stone."
scenes, test, best = segments.load(data, seed)
masks, drawn = torch.full_like(scenes.masks, 255), 30  # 255: nobody drew it
masks[:drawn] = scenes.masks[:drawn]
figure = segments.show_scenes(scenes, range(6), "Which is wood, which metal?")

# %% [markdown]
# Wood is striped and flat, metal checked and domed, stone ringed and ridged. But colour shows 30 % of the wood as metal, and of the metal as wood; depth confuses metal and stone in the same way. Both together never err.
#
# ## A network that answers for every pixel
#
# A **U-Net** makes ever coarser maps, on which it sees whole objects. On the way back up it reads the finer maps again, which keeps outlines sharp.


# %%
def unit(inside, outside):
    convolve = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
    return nn.Sequential(convolve, nn.BatchNorm2d(outside), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.fine = nn.Sequential(unit(4 * bands, 16), unit(16, 16))
        self.middle = nn.Sequential(unit(16, 32), unit(32, 32))
        self.coarse = nn.Sequential(unit(32, 64), unit(64, 64))
        self.up, self.top = unit(64 + 32, 32), unit(32 + 16, 16)
        self.classify = nn.Conv2d(16, 4, 1)

    def encode(self, x):  # [B, bands, 64, 64] → maps of 32², 16² and 8² places
        fine = self.fine(F.pixel_unshuffle(x, 2))
        middle = self.middle(F.max_pool2d(fine, 2))
        return fine, middle, self.coarse(F.max_pool2d(middle, 2))

    def decode(self, maps):
        fine, middle, x = maps
        x = self.up(torch.cat([F.interpolate(x, scale_factor=2), middle], 1))
        x = self.top(torch.cat([F.interpolate(x, scale_factor=2), fine], 1))
        return F.interpolate(self.classify(x), scale_factor=2, mode="bilinear")

    def forward(self, x):
        return self.decode(self.encode(x))  # logits [B, 4, 64, 64]


# %% [markdown]
# ## What is a good mask?
#
# Most pixels are background, so the share of right pixels says little. Count for each class the pixels that the answer has, those that the truth has, and those that both have. **IoU** divides the last by all that either has, **Dice** by the mean of the two. The mean of IoU over the classes is *mIoU*.
#
# **Guess** both for an answer that finds one of two pixels of stone and names no other stone.


# %%
def overlap(answer, masks):  # IoU and Dice of each class
    known = masks != 255
    pairs = torch.bincount(4 * masks[known] + answer[known], minlength=16)
    counts = pairs.view(4, 4).double()  # a row for each true class
    both, sizes = counts.diag(), counts.sum(0) + counts.sum(1)
    return both / (sizes - both), 2 * both / sizes


def score(answer, masks):  # mIoU, %
    return 100 * overlap(answer.argmax(1), masks)[0].mean().item()


iou, dice = overlap(torch.tensor([3, 0, 3]), torch.tensor([3, 3, 255]))
print(f"stone: IoU {iou[3]:.2f}, Dice {dice[3]:.2f}")
print("best possible mIoU:", {name: round(value) for name, value in best.items()})

# %% [markdown]
# One half and two thirds. Dice is never the lower of the two; for one class both rank answers alike. The best possible network of one sensor has 77 here.
#
# ## Thirty masks
#
# A step shows eight images, each turned and mirrored at random: four with a mask, and four of all. Cross-entropy skips the pixels that nobody drew. We train a network of colour, its *twin* (other weights and batches), and one of depth. Then we multiply the probabilities of two networks, as in [09](09_real_sensors.ipynb).


# %%
def look(network, sensor):  # at eight images; logits are turned back
    rows = torch.cat([torch.randint(drawn, (4,)), torch.randint(len(masks), (4,))])
    views = torch.randint(8, rows.shape)
    return restore(network(turn(scenes.images[sensor][rows], views)), views), rows


@torch.no_grad()
def answer(network, images):  # log probabilities [N, 4, 64, 64]
    network.eval()
    return torch.cat([network(x).log_softmax(1) for x in images.split(100)])


def fit(network, loss):  # loss(): of a new batch
    network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.03)
    schedule = OneCycleLR(optimizer, 0.01, steps + 1, cycle_momentum=False)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        schedule.step()


# %%
def label_loss(logits, rows):
    return F.cross_entropy(logits, masks[rows], ignore_index=255)


def judge(name, beliefs):  # log probabilities of the test scenes
    answers[name], points[name] = beliefs, score(beliefs, test.masks)
    print(f"{name}: mIoU {points[name]:.1f}")


def train(name, sensor, loss, draws=seed):  # loss(logits, rows)
    torch.manual_seed(draws)
    network = UNet(len(scenes.images[sensor][0]))
    fit(network, lambda: loss(*look(network, sensor)))
    judge(name, answer(network, test.images[sensor]))
    return network


answers, points = {}, {}
colour = train("alone", "rgb", label_loss)
twin = train("its twin", "rgb", label_loss, seed + 100)
depth = train("depth alone", "depth", label_loss)
judge("colour twice", answers["alone"] + answers["its twin"])
judge("both sensors", answers["alone"] + answers["depth alone"])

# %% [markdown]
# ## Two teachers that cost no training
#
# These products answer for all 600 pairs, and a student hears them at every pixel: half of its loss is the divergence of its probabilities $p^s$ from the teacher's $p^t$, half is the cross-entropy.
#
# $$ L_{soft} = \frac{1}{|X|} \sum_{x \in X} \sum_c p^t_{xc} \, \log \frac{p^t_{xc}}{p^s_{xc}} $$
#
# *Both sensors* is one teacher. The other is the control, *colour twice*: it is two networks, too, and knows the same 30 masks, but not depth. **Take out your guesses.**


# %% alt="Three scenes: colour, what it shows, the truth, and three answers. Alone, objects are blots of two or three materials. With the teacher of both most have one. A disk of metal that colour shows as wood stays partly wrong."
def soft_loss(logits, soft):
    return (soft.exp() * (soft - logits.log_softmax(1))).sum(1).mean()


def taught_loss(logits, rows):
    return (label_loss(logits, rows) + soft_loss(logits, soft[rows])) / 2


guess, sure = torch.zeros(1, 2, 1, 1), torch.tensor([[[[0.0]], [[-99.0]]]])
check("a guess, a sure teacher: log 2", abs(soft_loss(guess, sure) - 0.693) < 1e-3)
alone = answer(colour, scenes.images["rgb"])
soft = own = (alone + answer(twin, scenes.images["rgb"])).log_softmax(1)
train("own teacher", "rgb", taught_loss)
soft = both = (alone + answer(depth, scenes.images["depth"])).log_softmax(1)
_ = train("teacher of both", "rgb", taught_loss)
ways = ["alone", "own teacher", "teacher of both", "both sensors"]
said = {way: answers[way].argmax(1) for way in ways}
figure = segments.show_answers(test, [4, 7, 12], said, "Students mix materials less")

# %% [markdown]
# TAUGHT
#
# ## Which errors go away?
#
# A wrong pixel is one of three kinds. An *outline* error takes an object for background, or the reverse. A *hidden* one names what colour shows, and the object is of another material. The rest is *misread*: colour shows the material, and the network does not read it.
#
# **Guess:** which kinds does the teacher of both cure?


# %%
def errors(answer):  # of each kind, % of all pixels
    outline = (answer == 0) != (test.masks == 0)
    wrong = (answer != test.masks) & ~outline
    hidden = wrong & (answer == test.shown)
    kinds = {"outline": outline, "misread": wrong & ~hidden, "hidden": hidden}
    return {kind: 100 * where.double().mean().item() for kind, where in kinds.items()}


pd.DataFrame({way: errors(masks) for way, masks in said.items()}).T.round(1)

# %% [markdown]
# ERRORS
#
# Is it outlines or materials that depth teaches? **Test it**: build two teachers that are half and half. One takes from *both sensors* what is object and what background, and from *colour twice* which material. The other does the reverse. **Guess** both scores.


# %%
def half_and_half(outline, material):  # log probabilities of two teachers
    thing = torch.log1p(-outline[:, :1].exp().clamp(max=1 - 1e-6))
    return torch.cat([outline[:, :1], thing + material[:, 1:].log_softmax(1)], 1)


soft = half_and_half(both, own)
train("outlines of both", "rgb", taught_loss)
soft = half_and_half(own, both)
_ = train("materials of both", "rgb", taught_loss)

# %% [markdown]
# HALF
#
# ## No teacher: an idea of CroDiNo-KD
#
# CroDiNo-KD (2025) trains the networks of both sensors side by side, without a teacher. We had its abstract and README alone, so this is **our reconstruction**, and a low score may be ours. Each map is cut in two by channels: an *invariant* half for what both sensors see, a *specific* half for the rest. An *auxiliary decoder* reads the invariant half of one sensor and the specific half of the other, in turn. Both networks learn its answers as soft labels. **Guess** its score.


# %%
def mix(rgb, depth):
    (rgb_inv, rgb_own), (depth_inv, depth_own) = rgb.chunk(2, 1), depth.chunk(2, 1)
    mixed = torch.cat([rgb_inv, depth_own], 1)
    mixed[1::2] = torch.cat([depth_inv, rgb_own], 1)[1::2]
    return mixed


def side_by_side():
    rows = torch.cat([torch.randint(drawn, (4,)), torch.randint(len(masks), (4,))])
    views = torch.randint(8, rows.shape)
    maps = {s: model[s].encode(turn(x[rows], views)) for s, x in scenes.images.items()}
    mixed = [mix(*pair) for pair in zip(*maps.values(), strict=True)]
    mixed = restore(model["mixed"].decode(mixed), views)
    loss, soft = 0.3 * label_loss(mixed, rows), mixed.detach().log_softmax(1)
    for sensor, own in maps.items():
        logits = restore(model[sensor].decode(own), views)
        loss += label_loss(logits, rows) + soft_loss(logits, soft)
    return loss


# %%
torch.manual_seed(seed)
model = nn.ModuleDict({"rgb": UNet(3), "depth": UNet(1), "mixed": UNet(1)})
fit(model, side_by_side)
judge("our CroDiNo-KD", answer(model["rgb"], test.images["rgb"]))
course.beside("segments.csv", points, seed, record)

# %% [markdown]
# SEEDS
#
# ## Ten seeds, and all masks
#
# The package fills the corners. Its teachers are *one* network each, and its CroDiNo-KD also contrasts the invariant halves, keeps the halves uncorrelated, and turns each sensor on its own. All have ten stored seeds. **Guess:** what is left when all 600 pairs have a mask?

# %% alt="Two panels of dots, ten seeds each, points above the student of a teacher of the same sensor. With 30 masks alone lies two points below, the teacher of both 4.5 above, our CroDiNo-KD one above with an interval across zero. With all masks alone and the teacher of both lie at zero, and our CroDiNo-KD two and a half below."
title = "With few masks a teacher of both helps, with all it does not"
figure = segments.plot_gains(segments.stored_gains(), title)

# %% [markdown]
# TEN
#
# ## What you found
#
# **FOUND**
#
# For your own two sensors:
#
# - *Few masks, many pairs:* train a network for each sensor, let the product draw the rest, and train a student. Compare it with a student of its **own** sensor's answers.
# - *A mask for every pair:* train the one network.
# - *Both sensors at inference:* deploy both, and multiply.
#
# [11](11_your_own_data_and_deployment.ipynb) takes your data, in [folders with masks](../docs/guides/new_data.md#a-class-for-every-pixel).
#
# ## Exercises
#
# 1. **Warm-up.** Where a class has one pixel in a hundred, cross-entropy may never find it. Write `dice_loss(logits, masks)`: 1 minus the mean over classes of $2 \sum p y / (\sum p^2 + \sum y)$, with the probabilities $p$, $y$ = 1 at the pixels of the class and 0 elsewhere, and sums over all drawn pixels of the batch.
# 2. **Change one thing.** Must the teacher's answers be *soft*? Write `hard(soft)`: masks [N, H, W], 255 where the teacher is less than 90 % sure. Train on them.
# 3. **Open.** How many masks is the teacher of both worth? Train `alone` with more: `masks` and `drawn`. Enter masks → mIoU in `worth`: one below the taught student, one above.
#
# ## Quiz
#
# 1. A class has an IoU of ½. Its Dice is (a) ½, (b) ⅔, (c) 1.
# 2. Colour shows a metal disk as wood. Taught by both sensors, the colour network (a) calls it metal, (b) calls it what such a texture mostly is, (c) leaves it out.
# 3. A student of *both* gains six points on your data. Before you buy a depth camera you (a) train a student of its own sensor's answers, (b) train longer, (c) take a larger teacher.
#
# <details><summary>Answers</summary>
#
# 1. **b**: Dice = 2 IoU / (1 + IoU). Not *a*: they agree at 0 and 1 alone. Not *c*: then all pixels would be right.
# 2. **b**: nothing in the image says otherwise. Not *a*: that is in depth alone. Not *c*: its outline is plain to see.
# 3. **a**: part of the gain may need no second sensor. Not *b* or *c*: neither tells whose gain it is.
#
# </details>
#
# **References.** Ronneberger et al., [U-Net](https://arxiv.org/abs/1505.04597), 2015. Ferrod et al., [CroDiNo-KD](https://arxiv.org/abs/2505.24361), 2025, and its [README](https://github.com/rogerferrod/CroDiNo-KD). All stored rows: [segmentation](../docs/results/segmentation.md), [what we rebuilt](../docs/results/crodino.md).


# %%
def dice_loss(logits, masks): ...


def hard(soft): ...


exercises.check(dice_loss, hard, {}, goal=points["teacher of both"])
finish(**points)
