# %% [markdown]
# # 08 · How many labels is an unlabelled pair worth?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/08_when_a_second_sensor_helps.ipynb) · [solutions](solutions/py/08_when_a_second_sensor_helps.py)
#
# With a label for every scene, no second sensor in 01 to 07 helped a network of one. With 200 labels, in [00](00_start_here.ipynb), a second camera did. You have 200 labels, and money for **more labels** or for a second camera on the rig: then all that you record are **pairs**, and nobody labels them. Which is cheaper? You need an exchange rate.
#
# **Write down two guesses.** Of 2 000 scenes 200 have a label; the other 1 800 are pairs without one. How many labels would a network *alone* need to do as well as with these pairs? And who gains more from the other, depth or colour?
#
# | At a glance | |
# |---|---|
# | You will | **read** off a curve what pairs are worth · **train** on labels that two sensors agree on, and test two doubts · **fill** a chart with your own numbers |
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
# In stored runs, ten seeds each, networks of one sensor learned *alone*, from 200 to 2 000 labels, or from 200 labels and the pairs. Where does the curve of the first reach the score of the second? Between two measured numbers the curve is a straight line over the logarithm of the labels: each doubling counts alike.


# %%
def worth(score, curve):  # curve: number of labels → F1
    for low, high in pairwise(sorted(curve.keys())):
        if curve[low] <= score <= curve[high]:
            share = (score - curve[low]) / (curve[high] - curve[low])
            return low * (high / low) ** share
    return float("inf")


check("half way from 200 to 800", abs(worth(5, {200: 0, 800: 10}) - 400) < 1e-6)

# %% alt="F1 over the number of labels, 200 to 2 000, for depth and colour. Alone rises from 50 to 76 in depth and from 51 to 84 in colour. With 200 labels and pairs depth has 67, which alone reaches at 472 labels, and colour 78, which alone reaches at 943."
stored = pictures.stored_scores()  # a row for each seed
f1, numbers = stored.mean(), {}  # f1: of sensor, way, number of labels
for sensor in ("depth", "rgb"):
    numbers[sensor] = worth(f1[sensor, "pairs and labels", 200], f1[sensor, "alone"])
    pair = (numbers[sensor] - 200) / 1800
    print(f"{sensor}: {numbers[sensor]:.0f} labels; a pair is worth {pair:.2f} of one")
title = "200 labels and 1 800 pairs do what 470 to 940 labels do alone"
figure = pictures.plot_worth(stored, numbers, test.best, title)

# %% [markdown]
# **On average a pair is worth a seventh of a label for depth, two fifths of one for colour.** For depth the 1 800 pairs replace 270 labels (95 %: [230 to 330](../docs/results/labels.md)), for colour 740. Why colour gains more we have not tested.
#
# ## Two doubts
#
# Depth has 1 800 unlabelled images of its own. Perhaps they suffice, without a partner: *FixMatch*. And perhaps any partner does: *strangers*. You will write both, as small changes.
#
# A network judges a *weak* view of an unlabelled image, turned and mirrored. Where it is sure, its guess becomes the *hard label* of a **strong view**, here one with a blank patch. That is harder than what the judge saw, so there is something to learn.
#
# **Who judges?** FixMatch asks the sensor itself. Agreed labels come from the product of both beliefs, as in 00.

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
# The loop is that of 00, with a judge. A step shows 32 labelled scenes, weak views of 96 others, strong views of the first 48 of these. `colour_of` says which colour images stand beside the depth images: so far, their own.


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
# All ways start from copies of two students and see the same labels, 32 a step. With pairs there is a contrast as well. **Guess** for each sensor: is *FixMatch* nearer to *alone*, or to *pairs and labels*?

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
# Nearer to *alone*, with both. Pairs add eight points to depth and thirteen to colour.
#
# Now the second doubt. Nothing changes but the colour image, which is another scene's. **Guess:** does depth end near *pairs and labels*, near *alone*, or below?

# %% alt="Dots of ten stored seeds and a diamond of this run for alone, FixMatch, strangers, pairs, pairs and labels. In depth the diamonds lie at 53, 51, 52 and 62, in colour at 50, 50, 47 and 63. Stored pairs and labels lie highest, at 67 and 78; stored FixMatch is ten points above alone in colour only."
def strangers(pool):
    return pool.roll(1)  # the next scene in the batch


go_on("strangers", judge=pair_labels, weight=1, colour_of=strangers)
figure = pictures.plot_ways(stored, pd.DataFrame(live).T, "Only true pairs help both")

# %% [markdown]
# Near *alone*: without true pairs the gain is gone. Our run is one seed of narrow networks. The stored ones are wider and gain more; there FixMatch gives **colour** ten points, depth none. (Their *pairs* and *strangers* have the contrast alone; with strangers it does harm.)
#
# ## Where do right labels come from?
#
# In the dark colour cannot see the material; far away depth cannot. `train` kept what each network believed about the scenes of the pool, and we know their labels. **Guess** for ordinary, dark and far scenes: is the agreed label right more often than the better of the two sensors?


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


# %% alt="Shares of right guesses along 600 steps for agreed label, colour and depth. At the end: ordinary 86, 76, 78; dark 72, 38, 82; far away 82, 76, 35; dark and far 27, 29, 37."
pages = pd.concat([read(*page) for page in diaries["pairs and labels"]])
history = pages.groupby(["kind", "step"]).mean().reset_index()  # of 50 steps each
title = "Agreed labels beat both sensors, but in the dark they trail depth"
figure = pictures.plot_judges(history, title)
history.groupby("kind").last().filter(like="sure").round()

# %% [markdown]
# Yes where both see, and far away. In the dark **no**: there depth alone is right in 82 %, the agreed label in 72.
#
# The table says why: a product follows the sensor that is *surer*. Far away depth knows that it does not see (51 % sure), and colour decides. In the dark colour is 65 % sure, nearly as sure as depth, and right in 38 %. Why it does not know, we have not tested.
#
# **So where does the deployed depth network gain?** Guess: ordinary, dark, or far scenes?

# %%
answers = {way: right(own["depth"], "depth") for way, own in trained.items()}
pd.DataFrame(answers).groupby(pictures.kind_names(test)).mean().T.round()

# %% [markdown]
# In ordinary scenes by 11 points, where the labels are best, and in the dark by 9, where they were worse than its own. So something else helps, too: the contrast. Stored runs of depth: agreed labels alone +1, the contrast alone +9, both +16. Far away it gains next to nothing: its image lacks the material.
#
# ## Can you foretell the gain?
#
# Before you pay for pairs, you can ask what *one network of both* sensors scores. If it is far ahead, there is much to pass on. **Guess:** do pairs gain most where both together are furthest ahead? Here are all stored cases, F1.

# %%
cases = pictures.cases()
cases.round(1)

# %% [markdown]
# No. In depth both are 17 points ahead with every label, and pairs gain nothing. With 200 labels both are one point ahead, and pairs gain 17. (With every label *pairs* is the contrast of [MDiCo](06_what_the_embeddings_hold.ipynb).)
#
# What goes with the gain here is a lack of labels. Our explanation: pairs and labels supply the same, examples of what may change while the class stays. Eight rows cannot test that, so the chart keeps to what was measured. `own` is FixMatch's score; `sources` counts the persons or places that your labels come from.


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
# **With 200 labels of 2 000, an unlabelled pair was worth a seventh of a label for depth, two fifths of one for colour. Depth's own images gave it nothing, strangers gave neither sensor anything. With every label a pair was worth nothing. Agreed labels are right where both sensors see, or where the blind one knows that it is blind.**
#
# For your own two sensors:
#
# - *Count in labels:* train alone with a quarter, half and all of yours, and give `worth` the scores.
# - *Run FixMatch first:* it needs no second sensor.
# - *Look* at how sure each sensor is where it cannot see.
#
# We drew these scenes, so that each sensor misses what the other sees. **Does it hold where nobody drew the data?** [09](09_real_sensors.ipynb) wears a watch.
#
# ## Exercises
#
# 1. **Warm-up.** The product lets both sensors vote. Write `surest(beliefs)`: each scene is judged by the sensor whose largest probability is larger, alone. Return the judge for both sensors, as `pair_labels` does.
# 2. **Change one thing.** One camera's clock is late now and then. Write `late(pool)`: a copy of the pool in which 24 scenes of 96 have changed places. Call `go_on("late", judge=pair_labels, weight=1, colour_of=late)`. What is left of the gain?
# 3. **Open.** Which scenes should you record? Let `unlabelled` be the first 400 *ordinary* scenes, then the first 400 *far* ones (`kinds` names them), and go on with pairs. Enter depth's % right in `scores`. Where can colour tell depth something that depth can see?
#
# ## Quiz
#
# 1. One network of both sensors is 17 points above depth alone, with every label. From pairs depth then gains (a) about 17 points, (b) nothing that we measured, (c) half of it.
# 2. Far away the agreed labels are right far more often than depth's own guesses. Depth's answers there (a) improve as much, (b) hardly improve, as its image lacks the material, (c) get worse.
# 3. In fog colour is 99 % sure and wrong, depth 60 % sure and right. The agreed label (a) is depth's, (b) is colour's, (c) stays below the threshold.
#
# <details><summary>Answers</summary>
#
# 1. **b**. Not *a*, not *c*: most of the lead lies where depth sees no material.
# 2. **b**. Not *a*: three materials look alike. Not *c*: it still learns the shape.
# 3. **b**: in a product the surer decides. Not *a*: nobody asks who is right. Not *c*: the product is sure.
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
