# %% [markdown]
# # 01 · How can a split leak through the other sensor?
#
# You measure what a leaking split is worth, find the path through the second sensor, and learn to close it.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/01_data_preparation.ipynb)
# · [solutions](solutions/py/01_data_preparation.py) · [module `discom.data`](../discom/data)
#
# | At a glance | |
# |---|---|
# | You will be able to | **explain** what a pair is · **compute** the best possible score of a sensor · **measure** a leak · **split** data by scene or place |
# | Prerequisites | NumPy and pandas; what a training and a test part are, a confidence interval |
# | Time | under half a minute on one CPU core; no network is trained |
# | Memory, disk | under 2 GB of memory, no disk |
# | Data, licence | synthetic scenes drawn here, MIT; finished runs on land cover (NASA HLS, Copernicus DEM, ESA WorldCover; [licences](../data/README.md)); nothing is downloaded |
# | Stored outputs | one run; the fourth code cell prints machine, versions, commit and date |
#
# ## The question and the answer
#
# A *pair* is one scene seen by two sensors. **Divide scenes, never files.** If the files of each sensor are divided on their own, images of test scenes reach training through the other sensor, as many as the training share. In a small trial on synthetic scenes, a simple classifier gains 3 points of accuracy if 40 % of the test scenes leak, at the edge of significance, and 7 if all do.
#
# **Keep places together, too.** On real land-cover patches, student and DisCoM-KD score 21 to 29 F1 points higher with random splits than with splits by place.
#
# ![Left: labelled pairs of RGB and depth for training. Right: at test the RGB branch reads one image. A dashed arrow, the leak, takes the depth image of the test scene into training. Below: DisCoM-KD, a branch for each sensor with an invariant, an informative and an irrelevant part, between them classifiers that exist in training only; and the remedy.](../docs/_static/leak.svg)
#
# **What the paper claims:** DisCoM-KD trains the networks of both sensors together, without a teacher. On three benchmarks each network, which reads one sensor, scores above a student that was distilled from a two-sensor teacher.
#
# **What this project finds:** on synthetic scenes, patches and cells, with a label for every pair, the second sensor adds nothing measurable to a network that reads one ([README](../README.md)). The paper's benchmarks have not been run. A leak could fake a gain.

# %%
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

# %%
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import ndimage, stats

from discom import data as sets, plots, tables
from discom.data.duplicates import near_duplicates
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # after a colon any argument of scenes.make
profile = "cpu"  # without effect: nothing is trained here
runs = "runs"  # without effect, too
seed = 0  # of the split and every draw in this notebook

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## What is a pair?
#
# A synthetic scene shows one object of nine classes: three shapes times three materials. Each sensor takes one image of it. The two images have the same **id**, which makes them a **pair**. The scenes of seed 0 served to develop this page; it measures on those of seed 1.
#
# Both sensors see the outline. RGB shows the material as a texture, depth as a *relief*, the shape of its surface. Pixels run from 0 to 1 without a unit; the black specks of depth are places without a measurement. `split` divides the ids, never the images; the bounds to which images are scaled come from the training part alone.

# %%
scenes = sets.load(sets.at_seed(data, seed + 1))
parts = scenes.split(seed=seed)
images = {name: modality.x for name, modality in scenes.modalities.items()}
print("train, valid, test:", *map(len, parts))
print({name: (x.shape, x.dtype.name) for name, x in images.items()})
ids = [set(part.ids) for part in parts]
check("no id is in two parts", sum(map(len, ids)) == len(set.union(*ids)))

# %%
few, clean = sets.load("scenes:n=330"), sets.load("scenes:n=330,noise=0")
cues = pd.DataFrame(few.factors).query("shape == 1")  # squares, with little tilt
tilt = np.hypot(cues["tilt_x"], cues["tilt_y"])
rows = tilt.groupby([cues["texture"], cues["relief"]]).idxmin()
grids = {name: modality.x for name, modality in few.modalities.items()}
grids["depth, no noise"] = clean.modalities["depth"].x

# %% alt="Three grids of the same nine squares. RGB shows stripes, checks and rings; depth shows flat, dome and ridge, hard to see under noise and black holes; depth without noise shows the reliefs clearly."
figure, axes = plt.subplots(1, 3, figsize=(8, 3.1), sharey=True, layout="constrained")
for axis, (name, x) in zip(axes, grids.items(), strict=True):
    x = np.pad(x[rows], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=1)
    strips = [np.hstack(x.transpose(0, 2, 3, 1)[k : k + 3]) for k in (0, 3, 6)]
    axis.imshow(np.vstack(strips), cmap="gray", vmin=0, vmax=1)
    axis.set_xticks((17, 51, 85), ("flat", "dome", "ridge"))
    axis.set_yticks((17, 51, 85), ("stripes", "checks", "rings"))
    axis.set_title(name)
_ = figure.suptitle("RGB shows the texture, depth the relief, both the outline")

# %% [markdown]
# ## How well can one sensor do at best?
#
# Texture and relief are the *cues* to the material. With probability $\varepsilon$ a cue is drawn anew from $K$ kinds, and may be wrong. The best classifier of one sensor recognises the shape and trusts the cue. It is right where the cue was kept, and where the new one is right by luck, one time in $K$:
#
# $$
# A = 1 - \varepsilon + \varepsilon / K
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $A$ | `best` (in %) | best possible accuracy of the sensor |
# | $\varepsilon$ | `redrawn` | share of scenes whose cue is drawn anew: 0.10 in RGB, 0.25 in depth |
# | $K$ | `K` | number of materials, 3 |
#
# **Predict first:** what is $A$ if the cue is always drawn anew?


# %%
def interval(hits):
    """99.9 % binomial interval of a share, in percent."""
    exact = stats.binomtest(int(np.sum(hits)), len(hits)).proportion_ci(0.999)
    return 100 * exact.low, 100 * exact.high


# %%
K, best = 3, {}
for sensor, cue, redrawn in (("rgb", "texture", 0.10), ("depth", "relief", 0.25)):
    best[sensor] = 100 * (1 - redrawn + redrawn / K)
    low, high = interval(scenes.factors[cue] == scenes.factors["material"])
    claim = f"{sensor}: best {best[sensor]:.1f} %, counted [{low:.1f}, {high:.1f}]"
    check(claim, low <= best[sensor] <= high)
check("always drawn anew: 33.3 %", np.isclose(sets.scenes.best_accuracy(1.0), 1 / K))

# %% [markdown]
# **Reading.** A cue that is always drawn anew leaves chance among three materials, 33.3 %. $A$ is a **bound**: a score above it by more than the sampling error shows that something leaks. A score below it proves nothing. A teacher's score is only a **reference**: one trained network, which a student may exceed. Chance is 11 %, one of nine classes.
#
# ## A classifier that can memorise
#
# The simplest one takes the class of the most similar training image:
#
# $$
# \hat y(x) = y_j, \quad j = \arg\max_i \cos\big(e(x), e(x_i)\big)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $e(x)$ | `rows_of(features)` | centred features of N images, [N, D] |
# | $x_i, y_i$ | `gallery`, `labels[owners]` | training images and their classes |
# | $j$ | `nearest` | number of the most similar one |


# %%
def edges(images):
    """Edge strength [N, H - 1, W - 1] of images [N, C, H, W]."""
    grey = images.mean(1)
    return np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:])


def rows_of(features):
    """Rows with mean 0 and one length, [N, D]; their products rank like cosines."""
    return stats.zscore(features.reshape(len(features), -1), axis=1)


query, rows = rows_of(np.array([[1, 2, 6]])), rows_of(np.array([[9, 5, 1], [0, 1, 9]]))
check("the second is nearest", (query @ rows.T).argmax(1) == 1)


# %% [markdown]
# Five draws share no scene. Each has test, training and spare scenes, of one size. *Honest*: the classifier has the images of training and spare scenes. *Leaky*: images of the test scenes, with their classes, replace spare ones. So both have equally many labelled images. The gain is leaky minus honest, paired by draw.

# %%
labels, rng = scenes.labels, np.random.default_rng(seed)
size = len(scenes) // 15
draws = rng.permutation(len(scenes))[: 15 * size].reshape(5, 3, size)


# %%
def leak(query, gallery, again, share=1):
    """Accuracy (%) in each draw, [5, 2]: honest; a share of the test scenes leaked."""
    query, gallery, again = (rows_of(x) for x in (query, gallery, again))
    scores = []
    for test, train, spare in draws:
        for count in (0, round(share * size)):
            honest, leaky = np.concatenate([train, spare[count:]]), test[:count]
            images = np.concatenate([gallery[honest], again[leaky]])
            owners = np.concatenate([honest, leaky])
            nearest = owners[(query[test] @ images.T).argmax(1)]
            scores.append(100 * (labels[nearest] == labels[test]).mean())
    return np.reshape(scores, (5, 2))


# %%
def report(results):
    """A row for each leak: mean accuracies, gain with 95 % interval, corrected p."""
    rows = {}
    for name, (honest, leaky) in {name: r.T for name, r in results.items()}.items():
        test = stats.ttest_rel(leaky, honest)
        means = honest.mean(), leaky.mean(), (leaky - honest).mean()
        rows[name] = [*means, *test.confidence_interval(), test.pvalue]
    columns = ["honest %", "leaky %", "gain", "low", "high", "holm p"]
    table = pd.DataFrame.from_dict(rows, "index", columns=columns)
    return table.assign(**{"holm p": tables.holm(table["holm p"])})


# %% [markdown]
# ## The path: the other sensor
#
# Someone divides the RGB files and then, with another seed, the depth files. Each list looks clean. Yet the depth images of some RGB test scenes are in training, with their class.
#
# **Predict first:** two fifths of the scenes are for training. How many of the RGB test scenes have their depth image there?

# %%
rgb = scenes.select(["rgb"]).split(seed=seed)
depth = scenes.select(["depth"]).split(seed=seed + 1)
leaked = np.isin(rgb.test.ids, depth.train.ids)
low, high = interval(leaked)
print(f"depth image in training: {100 * leaked.mean():.1f} % of the RGB test scenes")
check(f"[{low:.1f}, {high:.1f}] holds 40 %", low <= 40 <= high)

# %% [markdown]
# **Reading.** It is the training share, 40 %. What is it worth? The classifier needs a **bridge**: features by which the RGB and the depth image of one scene are alike. Both sensors show the object before a background that is nearly a plane. So we fit a plane to the border of an image and subtract it.


# %%
def object_only(images):
    """Images minus the plane that fits their border, three pixels wide."""
    side = images.shape[-1]
    place = np.indices((side, side)).reshape(2, -1).T
    plane = np.column_stack([np.ones(side**2), place])
    border = np.abs(place - (side - 1) / 2).max(1) > side / 2 - 3
    pixels = images.reshape(-1, side**2).T
    fit = plane @ np.linalg.lstsq(plane[border], pixels[border], rcond=None)[0]
    return (pixels - fit).T.reshape(images.shape)


ramp = np.add.outer(np.arange(8.0), 3 * np.arange(8.0))[None, None]
check("a plane leaves nothing", np.allclose(object_only(ramp), 0))


# %%
x = images["depth"]
filled = np.where(x > 0, x, np.median(x[x > 0]))  # holes would bend the plane
objects = {"rgb": np.abs(object_only(images["rgb"])).mean(1)}  # brighter or darker
objects["depth"] = object_only(filled)[:, 0].clip(0)  # raised
for sensor, x in objects.items():
    objects[sensor] = ndimage.gaussian_filter(x, (0, 1, 1))

# %% alt="Six scenes. Without the background, RGB and depth show a bright object in the same place."
figure, axes = plt.subplots(2, 1, figsize=(7, 2.9), layout="constrained")
for axis, (sensor, x) in zip(axes, objects.items(), strict=True):
    axis.imshow(np.hstack(x[:6] / x[:6].max((1, 2), keepdims=True)), cmap="gray")
    axis.set(xticks=[], yticks=[], ylabel=sensor)
_ = figure.suptitle("Without the background, both sensors show the object")

# %% [markdown]
# Now RGB test images look for their class among depth images alone. Three bridges: the *edges* of the images, the *object* of the figure, and the *outline*, the true mask. All test scenes leak; in *object, 40 %* only 40 % of them. For comparison, *second frame*: no other sensor, but the RGB test images themselves come back with more noise.
#
# **Predict first:** which of them raise the score?

# %%
x = images["rgb"]
frames = np.clip(x + 0.05 * rng.standard_normal(x.shape), 0, 1)
leaks = {"second frame": leak(edges(x), edges(x), edges(frames))}
bridges = {
    "edges": (edges(x), edges(images["depth"])),
    "object": (objects["rgb"], objects["depth"]),
    "outline": (scenes.masks, scenes.masks),
}
leaks |= {name: leak(a, b, b) for name, (a, b) in bridges.items()}
leaks["object, 40 %"] = leak(*bridges["object"], objects["depth"], share=0.4)
table = report(leaks)
table.round(dict.fromkeys(table, 1) | {"holm p": 3})

# %%
above = leaks["second frame"][:, 1].min() > best["rgb"]
check("second frames: all five draws above the bound", above)
check("the object is a bridge", table["low"]["object"] > 0 or len(scenes) < 5000)
check("a perfect outline finds nearly all", table["leaky %"]["outline"] > 95)

# %% [markdown]
# **Reading.** With edges no gain is measurable. The object is a bridge: the leak of all test scenes is worth 7.2 points, that of 40 % is worth 3.3, at the edge of significance. Second frames find every scene; so does the outline, the same mask in both sensors.
#
# A score far above the bound, as that of second frames, cannot be real. The object's leaky score, 29 %, stays far below it. **A score below the bound can come from a leaking split.**
#
# ## What is a random split worth on real data?
#
# The 3 064 land-cover patches of 62 places show RGB and elevation of tree, grass, crop or water, 32 pixels a side. They are cut from tiles that overlap or repeat. *By place*, each place stays in one part; *at random*, a place may be divided. Both sensors are divided together.
#
# For your own data, set `groups` to the place of each id; `split` then divides no group:

# %%
room = np.arange(len(scenes)) // 5  # as if five scenes in a row were taken in one room
by_room = replace(scenes, groups=room).split(seed=seed)
rooms = [set(part.groups) for part in by_room]
check("no room is in two parts", sum(map(len, rooms)) == len(set.union(*rooms)))

# %% [markdown]
# Five splits of each kind were trained before ([by place](../results/hls-table2.md), [at random](../results/hls-random-table2.md)), 70 % for training, 10 % for validation, 20 % for the test: a narrow ResNet-10 (0.3 million weights, not pretrained), 30 epochs, learning rate 0.003. *Student* is a network of one sensor, without a teacher. The epoch was chosen on validation, and the test part read once. The score is F1 in %, weighted by class.
#
# A random split and a split by place test on different patches, so nothing is paired, and the interval is Welch's. Splits of one set share patches; each variance is enlarged for that ([07](07_the_papers_tables.ipynb)). We claim a gain only if all four intervals lie above zero.
#
# **Predict first:** how many points is the random split worth?


# %%
place, random = {}, {}  # method -> its five runs
for file, runs_of in (("hls-table2", place), ("hls-random-table2", random)):
    for run in tables.load_results(f"../results/{file}.json"):
        runs_of.setdefault(run.label, []).append(run)
overlap = np.mean([r.counts["test"] / r.counts["train"] for r in place["student"]])
for name in ("student", "discom"):
    same = [r.config for r in place[name]] == [r.config for r in random[name]]
    check(f"{name}: same settings", same)

# %%
f1, rows = {}, []
for name, sensor in product(("student", "discom"), ("rgb", "elevation")):
    sides = [[run.f1[sensor] for run in kind[name]] for kind in (random, place)]
    gain = tables.unpaired_difference(*sides, overlap)
    f1[f"{name}, {sensor}"] = sides
    rows.append([name, sensor, *map(np.mean, sides), *gain])
columns = ["method", "sensor", "at random", "by place", "gain", "low", "high"]
table = pd.DataFrame(rows, columns=columns)
check("all four intervals lie above zero", (table["low"] > 0).all())
teacher = np.mean([run.main["rgb+elevation"] for run in place["teacher"]])
print(f"teacher of both sensors, by place: {teacher:.1f} · chance: about 25")
table.round(1)

# %% alt="F1 of five splits by place, 55 to 73, and of five random splits, 84 to 95, for student and DisCoM-KD in RGB and elevation; the teacher of both sensors by place is at 73."
figure, axis = plt.subplots(figsize=(6.5, 2.9), layout="constrained")
for row, (name, (at_random, by_place)) in enumerate(f1.items()):
    colour = "C3" if "rgb" in name else "C0"
    axis.plot(by_place, [row] * 5, "o", color=colour, mfc="none")
    axis.plot(at_random, [row] * 5, "o", color=colour)
axis.axvline(teacher, color="0.3", linestyle="--")
axis.set_yticks(range(4), f1)
axis.set(ylim=(3.5, -0.5), xlabel="F1 (%): ○ by place, ● at random, ┆ teacher by place")
_ = axis.set_title("Both methods score 21 to 29 points higher at random")

# %% [markdown]
# **Reading.** It is worth 21 to 29 points, and all four intervals lie above zero. Near-copies, known places or both may be the cause; the runs do not tell. The teacher of both sensors, split by place, scores 73, below every network of one sensor split at random. That is a warning, not a proof.
#
# The student reads one sensor only, so its gain comes from that sensor's own images. Whether DisCoM-KD gains more, through the other sensor, these intervals cannot tell.
#
# ## What should you see on another machine?
#
# Scenes and splits come from the seed, so counts agree to the digit. With another seed the object's gain lies in the interval of the table in about seven of eight cases (theory of five equal draws). It is a bug if the outline misses many scenes, or if second frames stay below the bound.
#
# ## Where it fails: a search for copies, and the other sensor
#
# `discom data check` looks for images of one part that come back in another, in each sensor by itself. Here we let it compare RGB with depth, too, as if both were one sensor. **Predict first:** does it find second frames, and does it find the other sensor's image?


# %%
def alone(x, part=parts.valid):
    """Images of the validation scenes as a data set of one sensor."""
    images = sets.Modality(x.astype(np.float32), part.labels, part.ids)
    return sets.MultiModalData({"image": images}, part.classes)


# %%
x = parts.valid.modalities["rgb"].x
noisy = np.clip(x + 0.05 * rng.standard_normal(x.shape), 0, 1)
none = alone(x).take(np.arange(0))
views = {"second frame": noisy, "other sensor": parts.valid.modalities["depth"].x}
for name, view in views.items():
    copies = near_duplicates(sets.Split(alone(x), none, alone(view)))
    own = copies[copies["id"] == copies["other_id"]]
    print(f"{name}: {len(own)} of {len(x)} scenes found")

# %% [markdown]
# **Reading.** It finds three of four second frames, and none of the other sensor's images. Only ids recorded with the images, and groups by place, day or person, prevent this. Where places are unknown, `near_groups(data)` joins near copies ([11](11_your_own_data_and_deployment.ipynb)).
#
# ## Exercises
#
# Write your answers into the next cell and run it; a wrong one stops with an error. [Solutions](solutions/py/01_data_preparation.py) are kept apart.
#
# 1. **Warm-up (2 min).** Two materials, and the texture is drawn anew with probability 0.3. What is the best accuracy of RGB? *Hint:* $K$ changes, too.
# 2. **Change one thing (10 min).** Divide the files of each sensor on its own with `dataclasses.replace(scenes, fractions=(0.7, 0.1, 0.2))`. For which share of RGB test scenes is the depth image in training? *Hint:* divide these new scenes in *The path*.
# 3. **Open (30 min+).** What share of the rooms has scenes in both training and test, when split by id? Derive it from the shares 2/5, 1/5 and 2/5, then count it. What should a group be in your own data? *Hint:* a room of five scenes misses training with probability $0.6^5$.

# %%
answer_1 = answer_2 = answer_3 = None  # shares between 0 and 1
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, sets.scenes.best_accuracy(0.3, 2)))
if answer_2 is not None:
    check("exercise 2", 0.64 < answer_2 < 0.76)
if answer_3 is not None:
    check("exercise 3", 0.79 < answer_3 < 0.9)

# %% [markdown]
# ## Summary
#
# - Divide ids, never files. Otherwise training holds the other image of as many test scenes as its own share, here 40 % (*The path*).
# - By one hand-made bridge a leak of 40 % of the test scenes is worth 3.3 points, at the edge of significance; one of all 7.2 (*The path*).
# - The best possible accuracy is a bound, 93.3 % in RGB and 83.3 % in depth; a teacher is a reference (*at best*).
# - On real patches, student and DisCoM-KD score 21 to 29 F1 points higher with random splits than by place; whether by near-copies or by known places is open (*real data*).
#
# **Limitations.** The scenes are synthetic, with one object and independent noise. The bridges were built by hand; no network was trained to match the sensors. On patches, the learning rate was chosen on a sixth split by place, whose validation part contains test images of the five; the three rates changed that [score](../results/choices/hls-learning-rate.json) by at most 5 points, one run each. The teacher used the students' rate, not its own best. In random splits validation images share places with training, too. The intervals say nothing about other regions.
#
# **Next.** Read your own images: [a new data set](../docs/guides/new_data.md). The method: [02 · model and losses](02_model_and_losses.ipynb).
#
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080).
# - C. Nadeau, Y. Bengio, *Inference for the generalization error*, 2003: the interval of splits that overlap.
# - Data sets, licences and splits: [data/README.md](../data/README.md).
# - Code: `discom/data/splitting.py`, `discom/tables/intervals.py`, `discom/data/duplicates.py`; tests: `tests/data/`, `tests/tables/`.

# %%
finish()
