# %% [markdown]
# # 08 · More labels, or a second camera?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/08_when_a_second_sensor_helps.ipynb) · [solutions](solutions/py/08_when_a_second_sensor_helps.py)
#
# Your robot will carry one camera. You have 2 000 scenes of it, and 200 of them have a label. There is money for one thing: **more labels**, or a **second camera** on the recording rig. The second camera gives you 1 800 *pairs* of images without a label, and it is never deployed.
#
# With a label for every scene, the second sensor of 01 to 07 added nothing. With 200 labels, [00](00_start_here.ipynb) gained much from a recipe of two parts: a contrast, and labels that both sensors make. Which part does it? And is it cheaper than labels?
#
# **Write down two guesses.** How many labels would a network need to do as well *without* the pairs? And what does the work: the contrast, the labels, or only both together?
#
# | At a glance | |
# |---|---|
# | You will | **take** a recipe apart · **compute** a break-even with your own prices · **decide** by stored results |
# | You need | notebook [00](00_start_here.ipynb) |
# | Time, memory | four minutes on one CPU core, 2 GB |
# | Data, licence | scenes drawn here, stored runs, MIT |

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
labelled = 200  # of 2 000 scenes
start_steps, steps = 700, 600  # the start, each way
profile = "cpu"  # tiny: a few steps, results mean nothing
runs = "runs"  # no effect here

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import copy

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_08 as exercises
from discom.data.augmentation import any_motions, turn
from discom.evaluation.scores import scores as all_scores
from discom.losses.pseudo import fixmatch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import labels as pictures

torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data)
if profile == "tiny":
    labelled, start_steps, steps = 60, 10, 20
scenes, test = course.scenes(data, seed)

# %% [markdown]
# ## What do more labels buy?
#
# Stored runs, ten seeds each, trained networks for one camera with 200 to 2 000 labels. Scores are F1 × 100, close to the share of right answers in %. Dotted is the best possible score: where a camera cannot see the material, even a perfect network guesses.

# %% alt="F1 over the number of labels, 200 to 2 000, for depth and colour. Depth rises from 50 to 66, 70, 74 and 76, colour from 51 to 68, 76, 81 and 84; the best possible scores are 80 and 87."
stored = pictures.stored_scores()  # a row for each seed
title = "200 more labels buy 15 or 16 points; after that, 400 buy five or eight"
figure = pictures.plot_worth(stored, test.best, title)

# %% [markdown]
# **Mark your first guess in both panels:** how high do 200 labels and the pairs reach?
#
# ## The two parts of the recipe
#
# *Contrast* is that of 00: each image looks for its partner from the other camera. It needs no label.
#
# *Labels made by networks* need two views. A network judges a **weak view** of an unlabelled image, turned and mirrored. Where it is at least 50 % sure, its guess becomes the label of a **strong view**, which also has a blank patch. The strong view is harder than what was judged, so there is something to learn.
#
# Who judges? For **own labels**, each sensor judges for itself. This is FixMatch, and it needs no second camera. For **pair labels**, the probabilities of both sensors are multiplied, and both sensors learn the result. (00 says *agreed labels*, but nothing makes the two agree: the surer one wins.)

# %%
exec(course.written("00", "Network", "predict", "contrast"))  # as they stand in 00


def weak_view(x):
    return turn(x, any_motions(x))


def strong_view(x, size=12):
    pixel, (top, left) = torch.arange(32), torch.randint(33 - size, (2, len(x), 1))
    rows, columns = ((pixel >= c) & (pixel < c + size) for c in (top, left))
    blank = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(blank, x.mean((2, 3), keepdim=True), weak_view(x))


# %%
def own_labels(beliefs):  # sensor → log probabilities [96, 9]
    return beliefs


def pair_labels(beliefs):  # a product of probabilities is a sum of logarithms
    return dict.fromkeys(beliefs, sum(beliefs.values()))


def pseudo_loss(strong, belief, threshold=0.5):
    confidence, guess = belief.softmax(1).max(1)
    guess = guess.masked_fill(confidence < threshold, -100)  # skipped
    return F.cross_entropy(strong, guess, reduction="sum") / len(guess)


logits, strong = torch.randn(2, 64, 9)
own = fixmatch(logits, strong, 0.5)
check("the package gives your loss", torch.isclose(own, pseudo_loss(strong, logits)))

# %% [markdown]
# The loop is that of 00 with a judge. Each step shows 32 labelled scenes. It adds weak views of 96 of the 1 800 unlabelled scenes, and strong views of 48 of those. `partner` gives the row of the colour image that stands beside each depth image; here both have the same row, so the pairs are true.


# %%
def train(networks, steps, rate, judge=None, weight=0, partner=torch.clone):
    weights = [w for own in networks.values() for w in own.parameters()]
    optimizer, diary = torch.optim.AdamW(weights, weight_decay=1.0), []
    schedule = OneCycleLR(optimizer, rate, total_steps=steps + 1)
    for step in range(1, steps + 1):
        known = torch.randint(labelled, (32,))
        pool = unlabelled[torch.randperm(len(unlabelled))[:96]]
        rows = {"rgb": partner(pool), "depth": pool}
        loss, beliefs, strong, projected = 0.0, {}, {}, []
        for sensor, own in networks.items():
            x = scenes.images[sensor]
            views = [weak_view(x[known])]
            views += [weak_view(x[rows[sensor]])] if judge or weight else []
            views += [strong_view(x[rows[sensor][:48]])] if judge else []
            features = own.train().encode(torch.cat(views))
            logits = own.classify(features)
            loss += F.cross_entropy(logits[:32], scenes.labels[known])
            beliefs[sensor] = logits[32:128].detach().log_softmax(1)
            strong[sensor] = logits[128:]
            projected.append(own.project(features[32:128]))
        for sensor, belief in judge(beliefs).items() if judge else ():
            growing = min(1, step / steps / 0.3)
            loss += growing * pseudo_loss(strong[sensor], belief[:48])
        loss += weight * contrast(*projected) if weight else 0
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        diary.append((step, pool, beliefs))
    return diary


# %% [markdown]
# ## Which part does it?
#
# Five ways start from copies of the same two networks. They have the same 200 labels, learning rate and steps, and differ in the judge and the contrast alone. **Guess for depth:** how many of the recipe's points does each part bring on its own?

# %%
torch.manual_seed(seed)
students = {sensor: Network(len(x[0])) for sensor, x in scenes.images.items()}
unlabelled = torch.arange(labelled, len(scenes.labels))
train(students, start_steps, 0.01)
trained, diaries, live = {}, {}, {}


def f1(network, sensor):
    return all_scores(predict(network, test.images[sensor]), test.labels)["f1"]


def go_on(way, **options):
    torch.manual_seed(seed)
    trained[way] = copy.deepcopy(students)
    diaries[way] = train(trained[way], steps, 0.005, **options)
    live[way] = {sensor: f1(own, sensor) for sensor, own in trained[way].items()}
    print(f"{way}: depth {live[way]['depth']:.0f}, colour {live[way]['rgb']:.0f}")


go_on("alone")
go_on("own labels", judge=own_labels)
go_on("pair labels", judge=pair_labels)
go_on("contrast", weight=1)
go_on("contrast + pair labels", judge=pair_labels, weight=1)

# %% alt="@ALT2@"
title = "Depth gains little from pair labels alone; colour gains from each part"
figure = pictures.plot_ways(stored, pd.DataFrame(live).T, title)
course.results("08")  # the dots' means, and strangers

# %% [markdown]
# @TEXT2@

# %%
kinds = pictures.kind_names(scenes)  # ordinary, dark, far away, or dark and far


def read(way):  # a row for each pair label: was it right?
    for step, pool, beliefs in diaries[way]:
        confidence, guess = pair_labels(beliefs)["rgb"].softmax(1).max(1)
        right = 100.0 * (guess == scenes.labels[pool])
        table = {"way": way, "kind": kinds[pool], "step": step, "right": right}
        yield pd.DataFrame(table)[(confidence >= 0.5).numpy()]


# %% alt="@ALT3@"
history = pd.concat([*read("pair labels"), *read("contrast + pair labels")])
last = history.query("step > 0.9 * step.max()").groupby("way")["right"].mean()
ends = " %, ".join(f"{way} {share:.0f}" for way, share in last.items())
figure = pictures.plot_judges(history, f"Pair labels that are right: {ends} %")

# %% [markdown]
# @TEXT3@

# %%
image, answers = test.images["depth"], {}
for way, own in trained.items():
    answers[way] = 100.0 * (predict(own["depth"], image).argmax(1) == test.labels)
pd.DataFrame(answers).groupby(pictures.kind_names(test)).mean().T.round()

# %% [markdown]
# @TEXT4@


# %%
def worth(score, curve):  # curve: F1 by number of labels; never beyond its ends
    return np.exp(np.interp(score, curve, np.log(curve.index)))


# %% alt="The curves of the first figure, and a dot for 200 labels and 1 800 pairs: 67 in depth, which labels alone reach at 473; 78 in colour, which labels alone reach at 944."
mean, numbers = stored.mean(), {}
for sensor in ("depth", "rgb"):
    for way in ("own labels", "contrast + pair labels"):
        numbers[sensor] = worth(mean[sensor, way, 200], mean[sensor, "alone"].dropna())
        print(f"{sensor}, {way}: as {numbers[sensor]:.0f} labels alone")
title = "200 labels and 1 800 pairs do what 470 to 940 labels do alone"
figure = pictures.plot_worth(stored, test.best, title, numbers)

# %% [markdown]
# @TEXT5@

# %%
bounds = {"depth": (230, 330), "rgb": (630, 860)}  # labels, 95 %


def cheaper(deployed, label, pair, camera):
    cost, (low, high) = 1800 * pair + camera, bounds[deployed]
    answer = "the second camera" if cost < low * label else "too close to call"
    answer = "more labels" if cost > high * label else answer
    even = cost / (numbers[deployed] - 200)  # the price of a label
    print(f"{deployed} deployed: {answer}; break-even at {even:.2f} a label")


for deployed in ("depth", "rgb"):
    cheaper(deployed, label=1.00, pair=0.02, camera=250)  # yours

# %% [markdown]
# @TEXT6@

# %%
gains = pictures.cases()
gains = gains.sub(gains["labels alone"], axis=0).round() + 0.0


def chart(rows):
    print(rows.to_string(float_format="{:+.0f}".format, na_rep="–"))
    for case, own in {"deploy one": rows.iloc[:, :3], "deploy both": rows}.items():
        winners = own.idxmax(axis=1).unique()  # a tie: the cheaper, further left
        print(f"{case}: {' or '.join(winners)}")


for labels in gains.index.unique("labels"):
    print(f"\nlabels: {labels}")
    chart(gains.loc[labels])

# %% [markdown]
# @TEXT7@
#
# ## What you found
#
# @FOUND@
#
# ## Exercises
#
# 1. **Warm-up.** The product lets both sensors vote. Write `surest(beliefs)`: each scene is judged by the sensor whose largest probability is larger, alone. Return the judge for both sensors, as `pair_labels` does.
# 2. **Change one thing.** One camera's clock is late now and then. Write `late(pool)`: a copy of the pool in which 24 scenes of 96 have changed places. Call `go_on("late", judge=pair_labels, weight=1, partner=late)`. What is left of the gain?
# 3. **Open.** Which scenes should you record? Let `unlabelled` be 400 *ordinary* scenes of the 1 800, then 400 *far* ones (`kinds` names them), and go on with the recipe. Enter depth's F1 in `scores`.
#
# ## Quiz
#
# @QUIZ@
#
# **References.** Sohn et al., [FixMatch](https://arxiv.org/abs/2001.07685), NeurIPS 2020. Blum and Mitchell, [Co-training](https://doi.org/10.1145/279943.279962), COLT 1998.


# %%
def surest(beliefs): ...


def late(pool): ...


scores = {"ordinary": None, "far away": None}
exercises.check(surest, late, scores)
finish(**{way: score["depth"] for way, score in live.items()})
