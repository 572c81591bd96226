# %% [markdown]
# # 08 · More labels, or a second camera?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/08_when_a_second_sensor_helps.ipynb) · [solutions](solutions/py/08_when_a_second_sensor_helps.py)
#
# Your robot will carry one camera. Of 2 000 scenes 200 have a label. There is money for **more labels**, or for a **second camera** on the recording rig. It makes the other 1 800 scenes *pairs* without a label, and is never deployed.
#
# With a label for every scene, a second sensor added nothing (01 to 07). With 200 labels, [00](00_start_here.ipynb) had a recipe of two parts: a contrast, and labels that both sensors make. Which part does it? And is it cheaper than labels?
#
# **Write down two guesses.** How many labels would a network need to do as well *without* the pairs? And what does the work: the contrast, the labels, or only both together?
#
# | At a glance | |
# |---|---|
# | You will | **take** a recipe apart · **compute** a break-even · **decide** by stored results |
# | You need | notebook [00](00_start_here.ipynb) |
# | Time, memory | four to five minutes on one free CPU core, 2 GB |
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
# Stored runs, ten seeds each (thin lines), trained networks of one camera with 200 to 2 000 labels. Scores are F1 × 100, close to % right. Dotted: the best possible; no camera sees the material in every scene.

# %% alt="F1 over the number of labels, 200 to 2 000, for depth and colour. Depth rises from 50 to 66, 70, 74 and 76, colour from 51 to 68, 76, 81 and 84; the best possible scores are 80 and 87."
stored = pictures.stored_scores()  # a row for each seed
title = "200 more labels buy 15 or 16 points; after that, 400 buy five or eight"
figure = pictures.plot_worth(stored, test.best, title)

# %% [markdown]
# **Mark your first guess:** how high do 200 labels and the pairs reach?
#
# ## The two parts of the recipe
#
# The *contrast* is that of 00: each image looks for its partner from the other camera.
#
# *Labels made by networks* need two views. A network judges a **weak view** of an unlabelled image, turned and mirrored. Where it is at least 50 % sure, its guess becomes the label of a **strong view**, which also has a blank patch. The strong view is harder, so there is something to learn.
#
# Who judges? For **own labels**, each sensor judges for itself. This is FixMatch, and it needs no second camera. For **pair labels** (*agreed labels* in 00), the probabilities of both sensors are multiplied, and both learn the result. Where they disagree, the surer wins.

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
# The loop is that of 00 with a judge. Each step shows 32 labelled scenes, weak views of 96 of the other 1 800, and strong views of 48 of those. `partner` says which scene's colour image stands beside each depth image: here the same scene's, so the pairs are true.


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
# Five ways start from copies of the same two networks. They have the same 200 labels, learning rate and steps, and differ in judge and contrast alone. **Guess:** which part helps depth more on its own? And colour?

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

# %% alt="Dots of ten stored seeds and a diamond of this run, F1. Depth, stored means and this run: alone 50 and 56, own labels 47 and 50, pair labels 51 and 55, contrast 59 and 64, contrast and pair labels 67 and 62. Colour: 51 and 52, 62 and 49, 72 and 56, 68 and 58, 78 and 61."
title = "Depth gains little from pair labels alone; colour gains from each part"
figure = pictures.plot_ways(stored, pd.DataFrame(live).T, title)
course.results("08")  # the dots' means, and strangers

# %% [markdown]
# **It depends on the sensor.** In the stored runs depth has 50 *alone*, and 51 with pair labels. The contrast lifts it to 59, and pair labels on top of the contrast to 67. Colour gains from each part: 72, 68, and 78 with both. *Own labels* lift colour only.
#
# Our run is one seed of narrower networks. Again pair labels alone do not help depth, and the contrast does. On top of it they add nothing to depth here, and own labels help neither sensor. (Our ways share their settings; stored ones have their own, but *pair labels* has the recipe's.)
#
# **Strangers.** In the table's last rows another scene's image is the partner, and scores fall below *alone*. In 00 strangers ended at 38, above a weaker *alone* of 32. In both notebooks they stay 19 points or more below true pairs.
#
# ## Are the pair labels wrong?
#
# A suspicion: without the contrast the judges are poor, and their labels wrong. `train` kept what the networks believed. **Guess:** does the contrast make many more pair labels right? We count those that are at least 50 % sure.

# %%
kinds = pictures.kind_names(scenes)  # ordinary, dark, far away, or dark and far


def read(way):  # a row for each pair label: was it right?
    for step, pool, beliefs in diaries[way]:
        confidence, guess = pair_labels(beliefs)["rgb"].softmax(1).max(1)
        right = 100.0 * (guess == scenes.labels[pool])
        table = {"way": way, "kind": kinds[pool], "step": step, "right": right}
        yield pd.DataFrame(table)[(confidence >= 0.5).numpy()]


# %% alt="Pair labels that are right along 600 steps, without and with the contrast. At the end: ordinary 81 and 85 %, dark 64 and 68, far away 82 and 80, dark and far 26 and 27, the last two pairs within two points."
history = pd.concat([*read("pair labels"), *read("contrast + pair labels")])
last = history.query("step > 0.9 * step.max()").groupby("way")["right"].mean()
ends = " %, ".join(f"{way} {share:.0f}" for way, share in last.items())
figure = pictures.plot_judges(history, f"Pair labels that are right: {ends} %")

# %% [markdown]
# No: 76 % are right without the contrast, 78 % with it.
#
# **Guess:** in which scenes can depth learn from them? Here are its answers on new scenes, right in %.

# %%
image, answers = test.images["depth"], {}
for way, own in trained.items():
    answers[way] = 100.0 * (predict(own["depth"], image).argmax(1) == test.labels)
pd.DataFrame(answers).groupby(pictures.kind_names(test)).mean().T.round()

# %% [markdown]
# Far away 82 % of the pair labels are right, but depth's image does not show the material: every way stays below a third. In the dark the labels (64 %) are no better than depth's own answers (67 %). In ordinary scenes 81 % could teach 70 %, and did not. Why, we have not tested. The contrast helps in dark and ordinary scenes.
#
# ## Which is cheaper?
#
# Where does the curve of labels alone reach the recipe? Between two measured numbers `worth` draws a straight line over the logarithm of the labels: each doubling counts alike.


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
# **The 1 800 pairs replace 273 labels in depth and 744 in colour.** The 95 % intervals are [230 to 330 and 630 to 860](../docs/results/labels.md). Own labels, without a second camera, replace 110 in colour.
#
# A label costs 1.00, a pair 0.02, the second camera 250. **Guess:** do you buy it for depth? For colour?

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
# In depth pairs cost 286, the labels that they replace 230 to 330: nobody can tell yet. In colour the camera pays. **Now enter your own prices.** The rate is that of 200 labels and 1 800 pairs of these scenes; for others we have not measured it.
#
# ## A chart that decides
#
# Here are stored gains over *labels alone*, in F1 points: objects, and the worn sensors of [09](09_real_sensors.ipynb). *Pairs* is the whole recipe in objects with few labels, pair labels alone on worn sensors, and with every label the contrast of [MDiCo](06_what_the_embeddings_hold.ipynb). *Both in use* is one network of both sensors. `chart` names what gained most in each row like yours.

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
# With every label, pairs bring nothing to one sensor. With few, or those of one person, they win every row, on the belt by one point. To deploy both with few labels, measure: the rows disagree.
#
# ## What you found
#
# **Depth owes its gain to the contrast first; pair labels alone gave it nothing. Colour gained from each part. With 200 labels, 1 800 true pairs replaced 273 labels in depth and 744 in colour. Your prices decide which is cheaper.**
#
# For your own two sensors:
#
# - *Learn own labels first:* they need no second sensor.
# - *Count in labels:* train alone with half and all of yours, and give `worth` the scores.
# - *Record both sensors at the same moment.*
#
# **Does it hold where nobody drew the data?** [09](09_real_sensors.ipynb) wears a watch.
#
# ## Exercises
#
# 1. **Warm-up.** Write `surest(beliefs)`: the sensor whose largest probability is larger judges alone. Return it for both sensors, as `pair_labels` does.
# 2. **Change one thing.** One clock is late now and then. Write `late(pool)`: a copy in which 24 scenes of 96 have changed places. Call `go_on("late", judge=pair_labels, weight=1, partner=late)`. What is left of the gain?
# 3. **Open.** Which scenes should you record? Let `unlabelled` be 400 *ordinary* scenes of the 1 800, then 400 *far* ones (see `kinds`). Go on with the recipe, and enter depth's scores.
#
# ## Quiz
#
# 1. Depth is deployed, and a label costs 0.30, the rest as above. Buy (a) the camera, (b) labels, (c) nobody can tell.
# 2. Colour, 200 labels, no second camera. First try (a) own labels, (b) a contrast with strangers, (c) nothing, as only pairs help.
# 3. Two classes, fog. Colour gives its wrong answer 99 %, depth the right one 60 %. The pair label is (a) depth's, (b) colour's, (c) left out, as they disagree.
#
# <details><summary>Answers</summary>
#
# 1. **b**: the labels cost 69 to 99, the pairs 286. Not *a*: it pays above 1.24. Not *c*: the whole interval is cheaper.
# 2. **a**: from 51 to 62 in the stored runs. Not *b*: strangers ended below *alone*. Not *c*: own labels need none.
# 3. **b**: 0.99 × 0.40 beats 0.01 × 0.60. Not *a*: being right does not count. Not *c*: the product is over 98 % sure.
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
