# %% [markdown]
# # 10 · Can T1 be read as if FLAIR were there?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/10_segmentation.ipynb) · [solutions](solutions/py/10_segmentation.py)
#
# In **FLAIR**, a kind of MRI, a brain tumour is bright; in **T1** hardly darker than the rest. A network is to name every **pixel**, tumour or not, from T1 alone. Could a network of both draw the *masks*, the class of every pixel, that it learns from? In [04](04_teacher_and_student.ipynb), with one class an image, such a teacher was worth no more than one of the same sensor.
#
# What T1 shows of a tumour nobody knows, so we start with drawn scenes: 600 pairs of colour and depth, 30 with a mask.
#
# **Write down two guesses.** With 30 masks our colour network scores 40 points; multiplied with a depth network, 61. What will a colour network score when these *two* draw its missing masks? And when two *colour* networks do?
#
# | At a glance | |
# |---|---|
# | You will | **write** a U-Net, mIoU and soft labels · **find** what a teacher passes on · **build** an idea of CroDiNo-KD |
# | You need | the soft labels of [04](04_teacher_and_student.ipynb) |
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
# Wood is striped and flat, metal checked and domed, stone ringed and ridged. But colour shows 30 % of the wood as metal, and of the metal as wood; depth confuses metal and stone likewise. Both together never err.
#
# ## A network that answers for every pixel
#
# A **U-Net** makes ever coarser maps, which see whole objects. On the way back up it reads the finer ones again, for sharp outlines.


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
# Most pixels are background, so count for each class the pixels of the answer, of the truth, and of both. **IoU** divides the last by all that are in either, **Dice** by the mean of the two. *mIoU* is the mean over classes.
#
# **Guess** both for an answer that finds one of two pixels of stone and names no other.


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
# One half and two thirds.
#
# ## Thirty masks
#
# A step shows eight images, turned and mirrored at random: four with a mask, four of all. Cross-entropy skips pixels that nobody drew. We train a network of colour, its *twin* (other weights and batches), and one of depth, and multiply the probabilities of two.


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
# Each product answers for all 600 pairs, and a student hears it at every pixel: half of its loss is the divergence of its probabilities $p^s$ from the teacher's $p^t$, half is cross-entropy.
#
# $$ L_{soft} = \sum_c p^t_c \, \log \frac{p^t_c}{p^s_c} $$
#
# One teacher is *both sensors*. The control is *colour twice*: two networks, too, but without depth. **Take out your guesses.**


# %% alt="Three scenes: colour, what it shows, the truth, and the masks of four. Alone, objects are blots of two materials. The students of both teachers have fewer blots, and still mistake some objects. A disk of metal that colour shows as wood is partly wood for the student of both sensors. Both sensors together draw clean outlines."
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
# 53 with *both sensors*, and **57** with its *own* teacher, although that teacher scores eight points less. Both are far above *alone*, but *alone* was unlucky: its twin has 55. So with this seed depth adds nothing.
#
# ## Which errors go away?
#
# A wrong pixel is one of three kinds. *Outline*: an object taken for background, or the reverse. *Hidden*: named as colour shows it, but the object is of another material. *Misread*: the rest; colour shows the material.
#
# **Guess:** which kinds does the teacher of both cure better?


# %%
def errors(answer):  # of each kind, % of all pixels
    outline = (answer == 0) != (test.masks == 0)
    wrong = (answer != test.masks) & ~outline
    hidden = wrong & (answer == test.shown)
    kinds = {"outline": outline, "misread": wrong & ~hidden, "hidden": hidden}
    return {kind: 100 * where.double().mean().item() for kind, where in kinds.items()}


pd.DataFrame({way: errors(z.argmax(1)) for way, z in answers.items()}).T.round(1)

# %% [markdown]
# Outlines: wrong in 3.5 % of the pixels, not 4.0. But it misreads more. And nothing *hidden* is cured: the teacher errs in 0.3 %, its student in 2.6, more than *alone*. Whoever reads colour better is deceived more often.
#
# So our explanation: depth teaches *outlines*; materials are learned from the teacher that reads **colour** better, here *colour twice* (it misreads 5.6 %, *both sensors* 7.1). **Test it** with teachers that are half and half. One takes from *both sensors* what is object, and from *colour twice* which material; the other does the reverse. **Guess** both scores.


# %%
def half_and_half(outline, material):  # log probabilities of two teachers
    thing = torch.log1p(-outline[:, :1].exp().clamp(max=1 - 1e-6))
    return torch.cat([outline[:, :1], thing + material[:, 1:].log_softmax(1)], 1)


soft = half_and_half(both, own)
train("outlines of both", "rgb", taught_loss)
soft = half_and_half(own, both)
_ = train("materials of both", "rgb", taught_loss)

# %% [markdown]
# 58.1 and 52.9, on either side of the *own* teacher's 57.0: outlines of both help, materials of both harm.
#
# ## No teacher: an idea of CroDiNo-KD
#
# CroDiNo-KD trains both networks side by side. We had its abstract and README alone, so this is **our reconstruction**; a low score may be ours. Maps are cut in two by channels: an *invariant* half for what both sensors see, a *specific* one for the rest. An *auxiliary decoder* reads one sensor's invariant half and the other's specific half. Both networks learn its answers as soft labels. **Guess** its score.


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
# 60.8, the best of colour here; with seed 1 it is below *alone*. With all three seeds each teacher gains, and outlines of both add 0.2 to 1.1 points to the *own* teacher. Materials of both do not always, so which teacher is better stays open: *both* minus *own* is −3.9, +1.4, +3.2.
#
# ## Ten seeds, and all masks
#
# In the package each teacher is *one* network, and CroDiNo-KD has [more parts](../docs/results/crodino.md). **Guess** from [ten stored seeds](../docs/results/segmentation.md): what is left with all 600 masks?

# %% alt="Two panels of dots, ten seeds each, points above the student of a teacher of the same sensor. With 30 masks alone lies two points below, the teacher of both 4.5 above, our CroDiNo-KD one above, with an interval across zero. With all masks alone and the teacher of both lie at zero, and our CroDiNo-KD two and a half below."
title = "With few masks a teacher of both leads, with all it does not"
figure = segments.plot_gains(segments.stored_gains(), title)

# %% [markdown]
# Nothing. A mask leaves a teacher little to add, as a label did in 04 (here untested). With 30 masks a teacher of both leads by 4.5 points, but over *one* colour network; over two it is open. So is our CroDiNo-KD, and with all masks it costs 2.6.
#
# ## Back to the patients
#
# The score is the tumour's Dice, mean of 100 patients new to their networks. The licence lets us show no images. With all masks both sequences together reach 68, T1 alone 35; with masks of seven patients 43 and 17. **Guess** what a teacher of both adds to T1.

# %%
segments.of_patients(segments.patients())

# %% [markdown]
# [Nothing measurable](../docs/results/real.md#mri-can-t1-be-read-as-if-flair-were-there): −1 and +1, zero in both intervals; our CroDiNo-KD neither. Of the 33 points between T1 and both it learns none. Why is untested. Doctors drew these masks on FLAIR: perhaps much of a tumour is *hidden* in T1.
#
# ## What you found
#
# **No. Depth taught colour outlines in each of three seeds, but nothing that colour does not show. Where masks are few a teacher of both helps, but two networks of the same sensor may teach as well. FLAIR taught T1 nothing measurable.**
#
# For your own two sensors:
#
# - *Few masks, many pairs:* let two networks draw the rest and train a student; compare with two networks of the **same** sensor.
# - *All masks:* train one network.
# - *Both sensors at inference:* deploy both.
#
# [11](11_your_own_data_and_deployment.ipynb) takes your data, in [folders with masks](../docs/guides/new_data.md#a-class-for-every-pixel).
#
# ## Exercises
#
# 1. **Warm-up.** Write `dice_loss(logits, masks)`: 1 minus the mean over classes of $2 \sum p y / (\sum p^2 + \sum y)$, with the probabilities $p$, $y$ = 1 at pixels of the class and else 0, sums over all drawn pixels of the batch.
# 2. **Change one thing.** Must answers be *soft*? Write `hard(soft)`: masks [N, H, W], 255 where the teacher is less than 90 % sure. Train on them.
# 3. **Open.** How many masks is the teacher of both worth? Train `alone` with more (`masks`, `drawn`). Enter masks → mIoU in `worth`: one below the taught student, one above.
#
# ## Quiz
#
# 1. An IoU of ½ is a Dice of (a) ½, (b) ⅔, (c) 1.
# 2. Colour shows a metal disk as wood. Taught by both sensors, the colour network calls it (a) metal, (b) wood, (c) background.
# 3. Taught by both sensors, your student gains six points. Next you (a) try two networks of its own sensor, (b) train longer, (c) buy the second sensor.
#
# <details><summary>Answers</summary>
#
# 1. **b**: 2 IoU / (1 + IoU). Not *a*: they agree at 0 and 1 alone. Not *c*: then all would be right.
# 2. **b**: nothing in the image says otherwise. Not *a*: only depth knows. Not *c*: its outline is plain.
# 3. **a**: the gain may need no second sensor. Neither *b* nor *c* tells whose gain it is.
#
# </details>
#
# **References.** Ronneberger et al., [U-Net](https://arxiv.org/abs/1505.04597), 2015. Ferrod et al., [CroDiNo-KD](https://arxiv.org/abs/2505.24361), 2025.


# %%
def dice_loss(logits, masks): ...


def hard(soft): ...


exercises.check(dice_loss, hard, worth={}, goal=points["teacher of both"])
finish(**points)
