# %% [markdown]
# # 08 · More labels, or a second camera?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/08_when_a_second_sensor_helps.ipynb) · [solutions](solutions/py/08_when_a_second_sensor_helps.py)
#
# Your robot will carry one camera. It names nine things: three shapes in three materials. In the dark, colour shows no material; far away, depth shows none. Of 2 000 scenes 200 have a label. There is money for **more labels**, or for a **second camera** on the recording rig alone. With it each scene is a *pair* of images, 1 800 without a label.
#
# With every label, pairs did not help a network of one camera (01 to 07). With 200 labels, [00](00_start_here.ipynb) had a recipe of two parts: a contrast, and labels that both sensors make. Is that cheaper than labels?
#
# **Write down two guesses.** How many labels would a network need to do as well *without* the pairs? And what works: the contrast, the labels, or only both together?
#
# | At a glance | |
# |---|---|
# | You will | **take** a recipe apart · **compute** a break-even · **decide** by stored results |
# | You need | notebook [00](00_start_here.ipynb) |
# | Time, memory | four or five minutes on one free CPU core, 2 GB |
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
clone = os.path.dirname(os.path.dirname(discom.config.__file__))
for place in ("discom/notebooks", f"{clone}/notebooks"):  # from Colab, or any folder
    if not os.path.isfile("course.py") and os.path.isdir(place):
        os.chdir(place)

# %% tags=["parameters"]
data = "objects"  # drawn with the seed
seed = 0  # of scenes, weights and batches
labelled = 200  # of 2 000 scenes
start_steps, steps = 700, 600  # the start, each way
profile = "cpu"  # tiny: a few steps, results mean nothing
runs = "runs"  # no effect here

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

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
from discom.data.augmentation import random_d4, apply_d4
from discom.evaluation.scores import scores as all_scores
from discom.losses.pseudo import fixmatch
from discom.models.encoders import resnet10
from discom.notebook import check, finish, stamp
from pictures import labels as pictures

if device.type == "cpu":
    torch.set_num_threads(1)
course.style()
stamp(seed, scenes=data, device=device)
if profile == "tiny":
    labelled, start_steps, steps = 36, 10, 20
scenes, test = course.scenes(data, seed, device=device)

# %% [markdown]
# ## What do more labels buy?
#
# Stored runs of one camera, ten seeds each. Scores are F1 × 100, close to % right.

# %% alt="F1 over the number of labels, 200 to 2 000, for depth and colour. Depth rises from 50.2 to 65.5, 70.4, 73.8 and 75.6, colour from 51.3 to 67.5, 75.5, 81.3 and 83.7; the best possible scores are 80 and 87."
stored = pictures.stored_scores()  # a row for each seed
figure = pictures.plot_worth(stored, test.best)

# %% [markdown]
# ## The two parts of the recipe
#
# The *contrast* is that of 00: each image looks for its partner.
#
# *Labels made by networks*: a network judges a **weak view** of an unlabelled image, turned and mirrored. Where it is at least 50 % sure (chosen on such scenes), its guess becomes the label of a **strong view**, which also has a blank patch.
#
# Who judges? For **own labels** (FixMatch), each sensor for itself. For **pair labels** (*agreed labels* in 00), the probabilities of both sensors are multiplied, and both learn the result. **Write `pair_labels` in one line before you read on.**

# %%
from lessons.pairs import Network, contrast, predict  # as they stand in 00


def weak_view(x):
    return apply_d4(x, random_d4(x))


def strong_view(x, size=12):
    pixel, (top, left) = torch.arange(32), torch.randint(33 - size, (2, len(x), 1))
    rows, columns = ((pixel >= c) & (pixel < c + size) for c in (top, left))
    blank = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(blank.to(x.device), x.mean((2, 3), keepdim=True), weak_view(x))


# %%
def own_labels(beliefs):  # sensor → log probabilities [96, 9]
    return beliefs


def pair_labels(beliefs):  # the product's logarithm; softmax divides by its sum
    return dict.fromkeys(beliefs, sum(beliefs.values()))


def pseudo_loss(strong, belief, threshold=0.5):
    confidence, guess = belief.softmax(1).max(1)
    guess = guess.masked_fill(confidence < threshold, -100)  # skipped
    return F.cross_entropy(strong, guess, reduction="sum") / len(guess)


logits, strong = torch.randn(2, 64, 9)
difference = fixmatch(logits, strong, 0.5) - pseudo_loss(strong, logits)
check("the package gives your loss", difference.abs() < 1e-5)

# %% [markdown]
# **Guess:** colour believes A 50 %, B 45 %, C 5 %; depth C 60 %, B 38 %, A 2 %. What is the pair label?

# %%
colour, depth = torch.tensor([[0.50, 0.45, 0.05], [0.02, 0.38, 0.60]]).log().split(1)
print(pair_labels({"rgb": colour, "depth": depth})["rgb"].softmax(1).round(decimals=2))

# %% [markdown]
# **B, which neither camera guessed.** A product favours what both find possible.
#
# The loop is that of 00 with a judge. Each step shows 32 labelled scenes, weak views of 96 of the other 1 800, and strong views of 48 of those. `partner` may exchange colour images; by default each pair shows one scene.


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
# Five ways go on from copies of the same two networks. **Guess:** which part alone helps depth more? And colour?

# %%
torch.manual_seed(seed)
students = {
    sensor: Network(len(x[0])).to(device) for sensor, x in scenes.images.items()
}
unlabelled = torch.arange(labelled, len(scenes.labels))
train(students, start_steps, 0.01)
trained, diaries, live = {}, {}, {}


def go_on(way, **options):
    torch.manual_seed(seed)
    trained[way] = copy.deepcopy(students)
    diaries[way] = train(trained[way], steps, 0.005, **options)
    answers = {s: predict(n, test.images[s]) for s, n in trained[way].items()}
    answers["both"] = sum(answers.values())  # the product of two networks
    live[way] = {s: all_scores(z, test.labels)["f1"] for s, z in answers.items()}
    print(way, {name: round(score) for name, score in live[way].items()})


go_on("alone")
go_on("own labels", judge=own_labels)
go_on("pair labels", judge=pair_labels)
go_on("contrast", weight=1)
go_on("contrast + pair labels", judge=pair_labels, weight=1)

# %% alt="Dots of ten stored seeds and a diamond of this run, F1. Depth, stored means: alone 50, own labels 47, pair labels 51, contrast 59, both 67; this run 50 to 56 without the contrast, 59 to 64 with it. Colour: 51, 62, 72, 68, 78; this run 49 to 57 and 58 to 64."
figure = pictures.plot_ways(stored, pd.DataFrame(live).T)
course.results("08").rename(columns={"right, %": "F1 × 100"})  # means; strangers

# %% [markdown]
# **Your second guess: it depends on the sensor.** In stored runs the contrast lifts depth from 50 to 59. Pair labels alone add one point, which ten seeds cannot tell from none; beside the contrast they add eight. Colour gains from each. *Own labels* lift colour and cost depth three points.
#
# But in our run (diamonds; one seed, other settings) pair labels beside the contrast cost depth two points, own labels help neither sensor, and colour gains less. Why, we have not tested.
#
# With *strangers*, partners from other scenes, scores fall below *alone*.
#
# ## What could pair labels teach?
#
# A pair label *teaches* depth where it is right and depth's own guess is wrong; it *misleads* the other way round. The table has the labels of the last 60 steps, in %; *label* and *depth*: how often each is right. **Guess:** how often does a label teach?

# %%
kinds = pictures.kind_names(scenes)  # ordinary, dark, far away, or dark and far


def read(way):  # a row for each pair label that trained
    for _, pool, beliefs in diaries[way][-60:]:
        rows, judge = pool[:48], pair_labels(beliefs)["depth"][:48].softmax(1).cpu()
        label = judge.argmax(1) == scenes.labels[rows].cpu()
        depth = beliefs["depth"][:48].argmax(1).cpu() == scenes.labels[rows].cpu()
        table = {"way": way, "kind": kinds[rows], "label": label, "depth": depth}
        table |= {"teaches": label & ~depth, "misleads": depth & ~label}
        yield pd.DataFrame(table)[(judge.max(1).values >= 0.5).numpy()]


parts = [*read("pair labels"), *read(pictures.RECIPE)]
groups = pd.concat(parts).groupby(["way", "kind"])
(100 * groups.mean()).round().astype(int).assign(labels=groups.size())

# %% [markdown]
# Without the contrast, half of the far labels teach, but a far depth image does not show the material that they name. In the dark more labels mislead (18 %) than teach (8 %). In ordinary scenes more teach (16 %) than mislead (5 %), yet depth gained nothing; why, we do not know. With the contrast no more labels teach, so the stored step from 59 to 67 stays unexplained.
#
# ## Which is cheaper?
#
# How many labels alone score as high as the recipe? `worth` joins the measured scores by straight lines (labels on a log axis) and finds where they reach the recipe's. Inside its 95 % interval a paired t test finds no difference.


# %%
def worth(scores, curve):  # a row for each seed; curve: a column for each number
    numbers, logs = np.geomspace(200, 2000, 2001), np.log(curve.columns.to_list())
    lines = [np.interp(np.log(numbers), logs, own) for own in curve.to_numpy()]
    gaps = scores.to_numpy()[:, None] - np.array(lines)
    gap, error = gaps.mean(0), gaps.std(0, ddof=1) / np.sqrt(len(gaps))
    if gap[0] < 0 or gap[-1] > 0:
        return None  # beyond the curve's ends there is no number
    equal = numbers[abs(gap) <= 2.26 * error]  # 2.26: t of ten seeds
    found = [numbers[(gap <= 0).argmax()], *equal[[0, -1]]]
    return np.round(found).astype(int).tolist()


# %% alt="The curves of the first figure, and a dot for 200 labels and 1 800 pairs: 67 in depth, which labels alone reach at 473, interval 426 to 532; 78 in colour, which labels alone reach at 944, interval 830 to 1057."
numbers, free = {}, {}
for sensor in ("depth", "rgb"):
    curve, scores = stored[sensor]["alone"], stored[sensor].xs(200, axis=1, level=1)
    numbers[sensor] = worth(scores[pictures.RECIPE], curve)
    free[sensor] = worth(scores["own labels"], curve)
    print(f"{sensor}: recipe {numbers[sensor]}, own labels {free[sensor]}")
figure = pictures.plot_worth(stored, test.best, numbers)

# %% [markdown]
# **Your first guess: 473 labels in depth, 944 in colour** (stored seeds). The pairs replace 273 and 744 labels. But own labels, without a second camera, do as well in colour as 310: there the camera replaces 634. Beside an own contrast, not run here, [they score 68](../docs/results/labels.md#scores), and it replaces fewer. In depth they replace none.
#
# A label costs 1.00, a pair 0.02, the second camera 250. All 2 000 scenes are recorded as pairs. **Guess:** do you buy the camera for depth? For colour?

# %%
def cheaper(deployed, label, pair, camera, without=200):  # labels, or as good as
    cost = 2000 * pair + camera
    replaced, low, high = (number - without for number in numbers[deployed])
    answer = "the second camera" if cost < low * label else "too close to call"
    answer = "more labels" if cost > high * label else answer
    print(f"{deployed}, {replaced} labels: {answer}; break-even {cost / replaced:.2f}")


# %%
cheaper("depth", label=1.00, pair=0.02, camera=250)  # enter yours
cheaper("rgb", label=1.00, pair=0.02, camera=250)
cheaper("rgb", label=1.00, pair=0.02, camera=250, without=free["rgb"][0])

# %% [markdown]
# In depth the camera and pairs cost 290, the labels that they replace 226 to 332: too close to call. In colour the camera pays, also against own labels. **Now enter your own prices.**
#
# ## A chart that decides
#
# Stored gains over *labels alone*, in F1 points, on objects and [real sensors](../docs/results/real.md). [MDiCo](06_what_the_embeddings_hold.ipynb) learns from pairs. The small table deploys *both*, beside the better sensor's best method. **Guess:** does one method win every row?

# %%
gains = pictures.cases()
gains = gains.sub(gains["labels alone"], axis=0).round() + 0.0
best = gains.idxmax(axis=1)  # a tie: further left
print(pictures.both_deployed(), "\n")
gains.map("{:+.0f}".format).replace("+nan", "–").assign(**{"deploy one": best})

# %% [markdown]
# No. Find the row nearest to yours:
#
# - *Every label, deploy one:* no pairs.
# - *Few labels, deploy one:* on objects contrast and pair labels, on the body pair labels, which add three points beyond own labels and six with one person's. Of cells the stain, without pairs: they cost it four. The rows of the watch and of land cover are [run again](../docs/results/protocol.md#withdrawn).
# - *Deploy both:* multiply two networks that are about as good: 68 in our run on labels alone, 75 with the contrast. Of cells the stain alone beats both, since brightfield's mistakes outvote it. Where every pair has a label, compare one network of both with the product of two ([sets](../docs/guides/second_sensor.md#what-to-do)).
# - *Ask many persons for a few labels each:* on the watch 35 labels of eight persons beat about 100 of one ([09](09_real_sensors.ipynb)).
#
# ## What you found
#
# **The contrast helps depth, pair labels alone do not; colour gains from each. In stored runs 1 800 pairs replaced 273 labels in depth and 744 in colour.**
#
# - *Try own labels*, without a second sensor: they helped in four of ten rows.
# - *Count in labels:* train alone with half and all of yours, and ask `worth`.
# - *Record both sensors at the same moment.*
#
# **Where nobody drew the data?** 09 wears a watch.
#
# ## Exercises
#
# 1. **Warm-up.** Write `surest(beliefs)`: the sensor whose largest probability is larger judges alone, for both.
# 2. **Change one thing.** Write `late(pool)`: a copy in which 24 scenes of 96 have changed places. Call `go_on("late", judge=pair_labels, weight=1, partner=late)`. What gain is left?
# 3. **Open.** Which scenes should you record? Let `unlabelled` be 400 *ordinary* scenes of the 1 800, then 400 *far* ones. Go on with the recipe; enter depth's F1 × 100.
#
# ## Quiz
#
# 1. Depth is deployed, and a label costs 0.30, the rest as above. Buy (a) the camera, (b) labels, (c) nobody can tell.
# 2. Colour, 200 labels, no second camera. Try (a) own labels, (b) a contrast with strangers, (c) nothing, as only pairs help.
# 3. 200 labels, both cameras deployed. Try (a) one network of both, (b) two networks, multiplied, (c) depth alone, trained with pairs.
#
# <details><summary>Answers</summary>
#
# 1. **b**: the labels cost 68 to 100, the camera and pairs 290. Not *a*: that pays above 1.28. Not *c*: the whole interval is cheaper.
# 2. **a**: from 51 to 62 in stored runs. Not *b*: strangers ended below *alone*. Not *c*: own labels need none.
# 3. **b**: 68 in our run, or 75. Not *a*: 51, stored. Not *c*: 67 at best.
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
