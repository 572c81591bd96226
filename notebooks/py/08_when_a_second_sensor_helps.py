# %% [markdown]
# # 08 · How many labels is an unlabelled pair worth?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/08_when_a_second_sensor_helps.ipynb) · [solutions](solutions/py/08_when_a_second_sensor_helps.py)
#
# With a label for every scene, nothing in 01 to 07 helped a network of one sensor. With 200 labels, in [00](00_start_here.ipynb), a second camera did. Most projects lie between, and have a budget. The money pays for more **labels**, or for a second camera on the rig: it makes **pairs** of what is recorded anyway, and nobody labels them. To choose, you need an exchange rate.
#
# **Write down two guesses.** 200 of 2 000 scenes have a label; the other 1 800 pairs have none. How many labels would depth need *alone* to do as well as with these pairs? And where does the gain end: at 400 labels, at 1 000, at 2 000?
#
# | At a glance | |
# |---|---|
# | You will | **read** a number of labels off a curve · **train** with labels on which two sensors agree, and test two doubts · **fill** a decision chart with your own numbers |
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
from itertools import pairwise

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import course
from checks import exercises_08 as exercises
from discom.data.augmentation import any_motions, turn
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
# ## The exchange rate
#
# Stored runs, ten seeds each, trained networks of one sensor *alone* with 200 to 2 000 labels, and with *pairs and labels*: 200 labels, and 1 800 pairs without one. Where does the first curve reach the score of the second? Between two measured numbers we draw a straight line, with the labels on a logarithmic axis: each doubling counts alike.


# %%
def worth(score, curve):  # curve: number of labels → F1
    for low, high in pairwise(sorted(curve.keys())):
        if curve[low] <= score <= curve[high]:
            share = (score - curve[low]) / (curve[high] - curve[low])
            return low * (high / low) ** share
    return float("inf")


check("half way from 200 to 800", abs(worth(5, {200: 0, 800: 10}) - 400) < 1e-6)

# %% alt="FIGURE ONE"
stored = pictures.stored_scores()  # a row for each seed
f1, numbers = stored.mean(), {}  # f1: of sensor, way, number of labels
for sensor in ("depth", "rgb"):
    numbers[sensor] = worth(f1[sensor, "pairs and labels", 200], f1[sensor, "alone"])
    pair = (numbers[sensor] - 200) / 1800
    print(f"{sensor}: {numbers[sensor]:.0f} labels; a pair is worth {pair:.2f} of one")
title = "200 labels and 1 800 pairs do what 600 to 1 100 labels do alone"
figure = pictures.plot_worth(stored, numbers, test.best, title)

# %% [markdown]
# **An unlabelled pair is worth a quarter of a label for depth, half a label for colour.** So the second camera pays if it costs less than 430 (530 to 800 minus 200, [95 %](../docs/results/labels.md)) labels in depth, 900 in colour.
#
# ## Two doubts
#
# Depth has 1 800 unlabelled images of its own: perhaps they do it, without any partner (*FixMatch*). And perhaps any partner does (*strangers*). Write all of it, so that the ways differ in one line each.
#
# A *weak* view of an unlabelled image is turned and mirrored. A network judges it. Where the judge is sure, its guess becomes the *hard label* of a **strong view**, here a weak one with a blank patch. That is harder than what the judge saw, so there is something to learn.
#
# **Who judges?** FixMatch asks the sensor itself. Agreed labels multiply the beliefs of both, as in 00.

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


def pair_labels(beliefs):
    return dict.fromkeys(beliefs, sum(beliefs.values()))


def pseudo_loss(strong, belief, threshold=0.5):
    confidence, guess = belief.softmax(1).max(1)
    guess = guess.masked_fill(confidence < threshold, -100)  # skipped
    return F.cross_entropy(strong, guess, reduction="sum") / len(guess)


# %% [markdown]
# The loop is that of 00, with a judge. Each step shows 32 labelled scenes, weak views of 96 others, and strong views of the first 48 of these. `colour_of` says which colour image stands beside a depth image: so far its own.


# %%
def train(networks, steps, rate, judge=None, weight=0, colour_of=torch.clone):
    weights = [w for own in networks.values() for w in own.parameters()]
    optimizer, diary = torch.optim.AdamW(weights, weight_decay=1.0), []
    schedule = OneCycleLR(optimizer, rate, total_steps=steps + 1)
    for step in range(1, steps + 1):
        known = torch.randint(labelled, (32,))
        pool = unlabelled[torch.randperm(len(unlabelled))[:96]]
        rows = {"rgb": colour_of(pool), "depth": pool}
        loss, beliefs, strong, projected = 0.0, {}, {}, []
        for sensor, own in networks.items():
            x = scenes.images[sensor]
            views = [weak_view(x[known])]
            if judge:
                views += [weak_view(x[rows[sensor]]), strong_view(x[rows[sensor][:48]])]
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
# Labels cost as many steps in each way, 32 scenes a step; the ways of pairs add a contrast, as in 00. All start from copies of two students. **Guess** for each sensor: does *FixMatch* come nearer to *alone*, or to *pairs and labels*?

# %%
torch.manual_seed(seed)
students = {sensor: Network(len(x[0])) for sensor, x in scenes.images.items()}
unlabelled = torch.arange(len(scenes.labels))  # their labels are not read
train(students, start_steps, 0.01)
trained, diaries, live = {}, {}, {}


def right(network, sensor):
    answer = predict(network, test.images[sensor]).argmax(1)
    return 100 * (answer == test.labels).float()


def go_on(way, **options):
    torch.manual_seed(seed)
    trained[way] = copy.deepcopy(students)
    diaries[way] = train(trained[way], steps, 0.005, **options)
    live[way] = {s: right(n, s).mean().item() for s, n in trained[way].items()}
    print(f"{way}: depth {live[way]['depth']:.0f} %, colour {live[way]['rgb']:.0f} %")


go_on("alone")
go_on("FixMatch", judge=own_labels)
go_on("pairs and labels", judge=pair_labels, weight=1)

# %% [markdown]
# ANSWER ONE
#
# Now the second doubt: nothing changes but the colour image, which is another scene's. **Guess:** does depth end near *pairs and labels*, near *alone*, or below?

# %% alt="FIGURE TWO"
def strangers(pool):
    return pool.roll(1)  # the next scene in the batch


go_on("strangers", judge=pair_labels, weight=1, colour_of=strangers)
figure = pictures.plot_ways(stored, pd.DataFrame(live).T, "Only true pairs help both")

# %% [markdown]
# ANSWER TWO
#
# ## Where do right labels come from?
#
# In the dark colour cannot see the material; far away depth cannot. Nobody tells the networks. `train` has kept what each network believed about each unlabelled scene. We know those labels, the networks never read them. **Guess:** in the dark, whose guesses do the agreed labels follow?


# %%
kinds = pictures.kind_names(scenes)  # ordinary, dark, far away, or dark and far


def read(step, pool, beliefs):  # a row for each scene: who was right, who was sure
    table = {"kind": kinds[pool], "step": (step + 49) // 50 * 50}
    said = {"colour": beliefs["rgb"], "depth": beliefs["depth"]}
    for name, belief in (said | {"agreed label": sum(said.values())}).items():
        confidence, guess = belief.softmax(1).max(1)
        table[name] = 100.0 * (guess == scenes.labels[pool])
        table[f"{name} sure"] = 100.0 * confidence
    return pd.DataFrame(table).query("`agreed label sure` >= 50")  # they get a label


# %% alt="FIGURE THREE"
pages = pd.concat([read(*page) for page in diaries["pairs and labels"]])
history = pages.groupby(["kind", "step"]).mean().reset_index()  # of 50 steps each
title = "Agreed labels beat both sensors, but in the dark they trail depth"
figure = pictures.plot_judges(history, title)
history.groupby("kind").last().filter(like="sure").round()

# %% [markdown]
# ANSWER THREE
#
# **So what does the deployed depth network learn?** Guess where it gains: ordinary, dark, or far scenes?

# %%
answers = {way: right(own["depth"], "depth") for way, own in trained.items()}
pd.DataFrame(answers).groupby(pictures.kind_names(test)).mean().T.round()

# %% [markdown]
# ANSWER FOUR
#
# ## Which number foretells the gain?
#
# Before you train with pairs, you can measure three numbers: what *one* network of both sensors scores, what FixMatch scores, and what half of your labels score. Here are the stored cases, F1. **Guess:** which column foretells *pairs*?

# %%
cases = pictures.cases()
cases.round(1)

# %% [markdown]
# ANSWER FIVE


# %%
def chart(alone, own, both, labels, recordings, paired, sources):
    gain = (cases["pairs"] - cases["labels alone"]).map("{:+.0f}".format)
    if both > alone + 3:
        print(f"Deploy both, if you may: {both - alone:+.0f} points.")
    if labels > recordings / 2:
        return f"Deploy one, alone. Objects: {gain['objects, depth, every label']}."
    if not paired:
        return "Record true pairs: strangers gained nothing."
    if sources < 3:
        return f"Pairs. Body units: {gain['body units, one person']}."
    return f"FixMatch first ({own - alone:+.0f}). Then pairs: what do they add?"


alone, own, _, both = cases.loc["objects, depth, 200 labels"]  # yours
print(chart(alone, own, both, labels=200, recordings=2000, paired=True, sources=200))

# %%
logits, strong = torch.randn(2, 64, 9)
own = fixmatch(logits, strong, 0.5)
check("the package gives your loss", torch.isclose(own, pseudo_loss(strong, logits)))
course.results("08")

# %% [markdown]
# ## What you found
#
# **FOUND**
#
# For your own two sensors:
#
# - *Train* with half of your labels. If that costs little, neither labels nor pairs will gain much.
# - *Compare* the prices: of a second sensor in training, and of the labels that its pairs are worth.
# - *Count* FixMatch first: it needs no second sensor.
#
# All of this was drawn by us, so that each sensor misses what the other sees. **Does it hold where nobody drew the data?** [09](09_real_sensors.ipynb) wears a watch.
#
# ## Exercises
#
# 1. **Warm-up.** The product lets both sensors vote. Write `surest(beliefs)`: each scene is judged by the sensor whose largest probability is larger, alone. Return the judge for both sensors, as `pair_labels` does.
# 2. **Change one thing.** One camera's clock is late now and then. Write `late(pool)`: a copy of the pool in which 24 scenes of 96 have changed places. Call `go_on("late", judge=pair_labels, weight=1, colour_of=late)`. How much of the gain is left?
# 3. **Open.** Which scenes should you record? Let `unlabelled` be the first 400 *ordinary* scenes, then the first 400 *far* ones (`kinds` names them), and go on with pairs. Enter depth's % right in `scores`. Where can colour tell depth something that depth can see?
#
# ## Quiz
#
# 1. One network of both sensors is 17 points above depth alone, with every label. From pairs depth then gains (a) about 17 points, (b) nothing that we measured, (c) half of it.
# 2. Far away the agreed labels are right far more often than depth's own guesses. Depth's answers there (a) improve as much, (b) hardly improve, as its image lacks the material, (c) get worse.
# 3. With half of your labels the student loses one point. You should (a) buy the second sensor, (b) label twice as many, (c) expect little from either.
#
# <details><summary>Answers</summary>
#
# 1. **b**: most of the lead lies where depth sees no material. Not *a*, not *c*: what depth cannot see, no partner can teach it.
# 2. **b**. Not *a*: three materials look alike there. Not *c*: it learns the shape all the same.
# 3. **c**: the curve is flat, and both move along it. Not *a*, not *b*: each pays for points that are not there.
#
# </details>
#
# **References.** Sohn et al., [FixMatch](https://arxiv.org/abs/2001.07685), NeurIPS 2020. Blum and Mitchell, [Co-training](https://doi.org/10.1145/279943.279962), COLT 1998.


# %%
def surest(beliefs): ...


def late(pool): ...


scores = {"ordinary": None, "far away": None}
exercises.check(surest, late, scores)
finish(**{way: score["depth"] for way, score in live.items()})
