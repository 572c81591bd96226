# %% [markdown]
# # 01 · A model scores twenty points more than it should. Where is the leak?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/01_data_preparation.ipynb) · [solutions](solutions/py/01_data_preparation.py)
#
# Ten persons wore a watch and did seven shoulder exercises. From four seconds of movement a model names the exercise, for patients who train at home. In the lab it was right in **92 %** of the test windows, none of which it had seen in training. Then a clinic tried it: **73 %**.
#
# Same watch, same code, same exercises. So the lab's test was too easy: it leaked.
#
# **Write down a guess.** Which suspect is worth the twenty points?
#
# - *Luck*: other test windows would have scored less.
# - *Scaling*: its bounds came from all windows, those of the test included.
# - *Copies*: some windows are in the file twice.
# - *Something else*. What?
#
# | At a glance | |
# |---|---|
# | You will | **pair** two sensors by id · **split** so that the score holds in use · **find** what leaks |
# | You need | NumPy; training and test parts |
# | Time, memory | a minute on one CPU core, 1 GB |
# | Data, licence | recordings of [Burns et al. 2018](https://arxiv.org/abs/1802.01489), [BSD-3](../data/watch-LICENSE.txt); scenes drawn here, MIT; the clinic is invented |

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
data = "objects:n=750"  # drawn with the seed, for a test of our check
seed = 0  # of the splits and of the scenes
record = ""  # a file that keeps the scores
profile = "cpu"  # no effect here
runs = "runs"  # nor this

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import warnings
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

import course
from checks import exercises_01 as exercises
from discom.data import sources
from discom.notebook import check, finish, stamp
from pictures import watch as pictures

NAMES = "windows at random", "whole recordings", "whole persons"
warnings.simplefilter("ignore")  # of a network that could train longer
course.style()
stamp(seed, scenes=data)

# %% alt="Four windows of one person, accelerometer above gyroscope. Pendulum: two smooth waves in the gyroscope. Abduction: the accelerometer's x and y change as the arm rises. The two others differ mainly in the level of the accelerometer's axes."
file = np.load("../data/watch.npz")
labels, classes = file["label"].astype(int), file["classes"]
signals = {s: file[s] * file[f"{s}_step"] for s in ("acc", "gyro")}  # [1149, 3, 100]
rows = {classes[k]: np.flatnonzero(labels == k)[2] for k in (0, 1, 3, 5)}
title = "The accelerometer feels where down is, the gyroscope how the wrist turns"
figure = pictures.show_windows(signals, rows, title)

# %% [markdown]
# Each person did each exercise once with either arm: 140 recordings, cut into 1 149 windows that do not overlap.
#
# ## Which rows belong together?
#
# Each sensor writes a file of its own, and their rows may differ in order; to see that, we shuffle one. An **id** says what was recorded together: here the recording, and the number of the window in it. Two rows with one id are a *pair*.

# %%
recording, person = file["recording"].astype(int), file["person"].astype(int)
ids = [f"{r:03d}-{k:02d}" for r, k in zip(recording, file["part"], strict=True)]
order = np.random.default_rng(seed).permutation(len(ids))
gyro_file, gyro_ids = signals["gyro"][order], [ids[row] for row in order]

row_of = {name: row for row, name in enumerate(gyro_ids)}
signals["gyro"] = gyro_file[[row_of[name] for name in ids]]
for way, gyro in {"by row": gyro_file, "by id": signals["gyro"]}.items():
    moves = [x.std(2).mean(1) for x in (signals["acc"], gyro)]  # how much, [N] each
    r = np.corrcoef(*moves)[0, 1]
    print(f"paired {way}: how much both sensors move correlates with r = {r:.2f}")
check("paired by id they move together", r > 0.7)

# %% [markdown]
# An arm that moves much turns much, too. So right pairs correlate. By row they are *strangers*, which in [00](00_start_here.ipynb) cost most of the gain, and no error message says so.
#
# ## The model of the lab
#
# Six numbers describe a window: mean and deviation of each axis. **Bounds**, the 5th and 95th percentile of each number, bring all to one scale. The answer is the exercise of the **most similar training window**. It needs no training, and one can ask what it found.
#
# Windows are dealt into five parts. Each is tested once, with the other four for training.


# %%
def features(x):
    return np.hstack([x.mean(2), x.std(2)])  # [N, 3, 100] → [N, 6]


def scale(rows, known):  # by bounds of what is known
    low, high = np.percentile(known, [5, 95], axis=0)
    return (rows - low) / (high - low)


x = features(signals["acc"])


# %%
def deal(groups):  # whole groups into five parts
    names, numbers = np.unique(groups, return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(names)) % 5)[numbers]


def find(rows, groups, bounds="training", hide=None):
    """The training row most similar to each row, when that row is tested, [N]."""
    part, found = deal(groups), np.zeros(len(rows), int)
    for k in range(5):
        train, test = np.flatnonzero(part != k), np.flatnonzero(part == k)
        scaled = scale(rows, rows if bounds == "all" else rows[train])
        distances = cdist(scaled[test], scaled[train])
        if hide is not None:  # training rows of the same group
            distances[hide[test][:, None] == hide[train]] = np.inf
        found[test] = train[distances.argmin(1)]
    return found


# %% [markdown]
# ## Three suspects
#
# First the lab's own way, then one suspect after another. For copies we look at the steps from sample to sample: `likeness` is the cosine with the most similar other window.

# %%
right = labels[find(x, ids, bounds="all")] == labels
print(f"the lab's way: {100 * right.mean():.1f} % right")
by_part = [100 * right[deal(ids) == k].mean() for k in range(5)]
print("luck: the five parts have", *(f"{score:.0f} %" for score in by_part))
found = find(x, ids)
print(f"scaling by the training part: {100 * (labels[found] == labels).mean():.1f} %")


def likeness(rows):  # [N, …, T] → [N]
    steps = np.diff(rows, axis=-1).reshape(len(rows), -1)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    cosines = steps @ steps.T
    np.fill_diagonal(cosines, -1)
    return cosines.max(1)


print(f"copies: the highest likeness is {likeness(signals['acc']).max():.2f}")

# %% [markdown]
# No part is near 73 %, so it was not *luck*. *Scaling* by the training part changes nothing here. We keep it: in use there is no test part. *Copies* would have a likeness near 1.
#
# But perhaps this check is blind. So try it where copies **are**: film 300 scenes of 00 in depth, three noisy frames each. No model of depth can be right in more than 80 %.
#
# **Guess:** what does our model score there, comparing nothing but pixels?

# %%
scenes, _ = course.scenes(data, seed)
depth, kinds = scenes.images["depth"].numpy(), scenes.labels.numpy()
scene = np.tile(np.arange(len(depth)), 3)  # of each frame
frames = depth[scene] + np.random.default_rng(seed).normal(0, 0.02, depth[scene].shape)
copies, pixels = likeness(frames) > 0.85, frames.reshape(len(frames), -1)
for way, groups in {"frames": np.arange(len(scene)), "scenes": scene}.items():
    score = 100 * (kinds[scene[find(pixels, groups)]] == kinds[scene]).mean()
    print(f"{way} at random: {score:.0f} % right")
check(f"the check finds {100 * copies.mean():.0f} % of the copies", copies.all())

# %% [markdown]
# The check sees copies; the watch has none. And 96 % are more than the possible 80: **a score above the best possible proves a leak**. Split by scene, the same model only guesses, one in nine. But nobody knows the best possible for a watch.
#
# ## Ask the model what it found

# %%
same = recording[found] == recording
print(f"found in the same recording: {100 * same.mean():.0f} % of the windows")
for name, rows in {"same recording": same, "another": ~same}.items():
    print(f"{name}: {100 * (labels[found] == labels)[rows].mean():.0f} % right")

# %% [markdown]
# Four of five windows find their own recording, where the answer is always right. The others are at 60 %.
#
# **Why so alike?** They are seconds apart: same arm, same sleeve, the watch at the same angle. Does the angle alone give the recording away? Take the mean direction of gravity, three numbers, and nothing of the movement.

# %% alt="The mean of one axis for all windows of one exercise, in 20 columns, one for each recording. The dots of a column lie close together, columns differ. Above, windows at random: rings of test windows are in every column, among dots of training. Below, whole persons: all dots of four columns are rings."
gravity, rows = signals["acc"].mean(2), labels == 3  # [N, 3]; internal rotation
share = 100 * (recording[find(gravity, ids)] == recording).mean()
check(f"{share:.0f} % find their recording by gravity; guessing: 1 %", share > 20)

levels = pd.Series(gravity[rows, 0], index=recording[rows])
tested = {NAMES[0]: deal(ids)[rows] == 0, NAMES[2]: deal(person)[rows] == 0}
title = "One exercise, 20 recordings: each keeps a level of its own"
figure = pictures.show_levels(levels, tested, title)

# %% [markdown]
# It does, in half of the windows. So the lab measured how well a watch knows *a recording* again.
#
# ## Keep together what belongs together
#
# `deal` never divides a group. **Guess** what is left when whole recordings are tested, and when whole persons are. Which is lower?

# %%
splits = dict(zip(NAMES, (ids, recording, person), strict=True))
right, table = {}, pd.DataFrame(columns=list(splits))
for sensor, signal in signals.items():
    for split, groups in splits.items():
        right[sensor, split] = labels[find(features(signal), groups)] == labels
        table.loc[sensor, split] = 100 * right[sensor, split].mean()
table.astype(float).round(0)

# %%
leaky, honest = (right["acc", split] for split in (NAMES[0], NAMES[2]))
gain = pd.Series(100.0 * leaky - 100.0 * honest).groupby(person).mean()
low, high = stats.ttest_1samp(gain, 0).confidence_interval()
print(f"the leak, over ten persons: {gain.mean():.0f} points [{low:.0f}, {high:.0f}]")
score = 100 * (labels[find(x, recording, hide=person)] == labels).mean()
print(f"whole recordings, and the person's other ones hidden: {score:.0f} % right")

# %% [markdown]
# With whole persons we are in the clinic: 73 %. Whole recordings score even less. Our explanation: the person's *other* exercises, worn at the same angle, are found in their place, with the wrong label. The last line tests it: hide those, and the score is nearly that of new persons. In the gyroscope both are equal; why, we have not tested.
#
# Which split is right? The one that asks what use will ask. A clinic meets **new persons**, so test on new persons.
#
# ## Is it this model's fault?
#
# It does nothing but look up. Perhaps a model that learns is safe. **Guess:** which of these four loses most?


# %%
def accuracy(model, groups):
    part, right = deal(groups), 0
    for k in range(5):
        train, test = part != k, part == k
        scaled = scale(x, x[train])
        model.fit(scaled[train], labels[train])
        right += (model.predict(scaled[test]) == labels[test]).sum()
    return 100 * right / len(labels)


# %% alt="Four lines over three ways to split. With windows at random trees and nearest window lead, then the network; linear is fifteen points behind. With whole recordings all fall, nearest window the most. With whole persons nearest window and linear are equal, trees a little better."
models = {
    "nearest window": KNeighborsClassifier(1),
    "trees": ExtraTreesClassifier(50, random_state=seed),
    "network": MLPClassifier(100, solver="lbfgs", max_iter=100, random_state=seed),
    "linear": LogisticRegression(max_iter=1000),
}
scores = pd.DataFrame(index=list(models), columns=list(splits), dtype=float)
for name, split in product(models, splits):
    scores.loc[name, split] = accuracy(models[name], splits[split])
lead = scores.loc["nearest window"] - scores.loc["linear"]
points = [f"{score:.0f} points" for score in lead]
title = f"Lookup leads linear by {points[0]} with the leak, by {points[2]} without"
figure = pictures.plot_models(scores, title)
ours = np.isclose(scores.iloc[0, 2], 100 * honest.mean())
check("scikit-learn finds what we found", ours)
for name, model in models.items():  # trained and tested on the same windows
    print(f"{name} remembers {100 * model.fit(x, labels).score(x, labels):.0f} %")

# %% [markdown]
# All lose, the lookup most, the linear model least. Why? The last lines say how much of its own training windows each model names right. The more it remembers, the more it can look up. So a leak does more than flatter, **it favours the model that remembers**: for new persons, lookup, network and linear model are equal.
#
# ## The same with discom
#
# The package reads the watch with its ids and with persons as groups; `split` does what your code did.

# %%
whole = sources.get("watch").read("../data")
parts = whole.split(seed=seed)
check("no person is in two parts", sum(len(set(p.groups)) for p in parts) == 10)
low = np.percentile(parts.train.modalities["gyro"].x, 2, axis=(0, 2, 3))
bounds = parts.train.normalization["gyro"]  # of each axis, 2nd to 98th percentile
check("bounds come from the training part", np.allclose(low, bounds.low))
again = np.random.default_rng(seed + 1).permutation(10)[person] % 5  # another deal
share = 100 * (again != deal(person)).mean()
print(f"acc dealt anew: {share:.0f} % of gyro's test windows have a partner in it")
course.results("01")

# %% [markdown]
# The last line is a leak that only pairs have. Deal the files of each sensor on their own, and each list looks clean, but what is tested in one is trained in the other, with its label. What this is worth to a network we have not tested.
#
# ## What you found
#
# **The leak was the recording: four of five test windows had neighbours of their own recording in training, known by the angle of the watch. With whole persons the score falls from 92 to 73 %. The check for copies saw nothing. Only notes on who was recorded, and when, prevent it.**
#
# For your own two sensors:
#
# - *Write down* person, place, day and device of each recording. Make groups of what use will meet anew.
# - *Pair* by id, *deal* once for both sensors, take *bounds* from training.
# - *Doubt* a score that a mere lookup reaches.
#
# The table keeps what notebooks measured, here the means of five deals. Now a score can be trusted, and 00's question is open: DisCoM-KD never asks which images belong together. **What does it ask instead?** [02](02_model_and_losses.ipynb) builds it.
#
# ## Exercises
#
# 1. **Warm-up.** A battery dies, and each sensor lacks some windows. Write `pair(first, second)`: for two lists of ids the row numbers of the pairs, in the order of `first`.
# 2. **Change one thing.** A left arm is a right one in the mirror. Write `mirror`: for `left` arms `acc` changes the sign of x; `gyro` keeps x and changes y and z. What do the three splits score then, and why does one of them gain most?
# 3. **Open.** The clinic labels a few windows of each new patient. How many of each exercise bring the lookup to 85 %? In a copy of `find` let these windows always train, and test the others. Enter in `windows` one number below and one above.
#
# ## Quiz
#
# 1. You train on patients of three hospitals, for use in a fourth. Groups are (a) windows, (b) patients, (c) hospitals.
# 2. A check finds no near-copies between training and test. So the split (a) is safe for every model, (b) may leak, (c) leaks elsewhere.
# 3. Without a leak, scaling by bounds of *all* windows scored as much as scaling by training. So (a) do it, as more data give better bounds, (b) take training's all the same, (c) leave scaling out.
#
# <details><summary>Answers</summary>
#
# 1. **c**: what use meets anew. Not *a*: a lookup finds the patient. Not *b*: patients are new, but device and room are known.
# 2. **b**: our watch had none. Not *a*: a recording is known by its angle. Not *c*: it may be clean.
# 3. **b**: no effect here is no promise elsewhere. Not *a*: in use there is no test part to take bounds from. Not *c*: then the largest number decides what is similar.
#
# </details>
#
# **References.** Burns et al., [Shoulder physiotherapy exercise recognition](https://arxiv.org/abs/1802.01489), Physiological Measurement 2018. Kapoor and Narayanan, [Leakage and the reproducibility crisis](https://doi.org/10.1016/j.patter.2023.100804), Patterns 2023.


# %%
def pair(first, second): ...


def mirror(signal, sensor, left): ...


windows = {}  # number of labelled windows of an exercise → % right
exercises.check(pair, mirror, windows)
course.keep(scores.rename_axis("model").reset_index().assign(seed=seed), record)
finish(**{split: scores.loc["nearest window", split] for split in splits})
