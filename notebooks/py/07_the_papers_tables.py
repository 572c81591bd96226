# %% [markdown]
# # 07 · What do the papers report, and what do we find?
#
# DisCoM-KD and CroDiNo-KD are published with a gain over a one-sensor network in every column. You will see what such a number can show, and test one yourself.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/07_the_papers_tables.ipynb)
# · [solutions](solutions/py/07_the_papers_tables.py) · [module `discom.tables`](../discom/tables/)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** the interval of a paired difference · **correct** it for splits that overlap · **correct** many comparisons with Holm's method · **say** which published numbers may be compared with yours |
# | Prerequisites | [03 training](03_training.ipynb): seeds and test scores; what a mean and a standard deviation are |
# | Time | half a minute on one CPU core, most of it imports; no GPU needed |
# | Memory, disk | below 1 GB of memory, nothing written |
# | Data, licence | finished runs in [results/](../results) (MIT) and the figures of DisCoM-KD's Tables 1–4; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the stamp below names machine, versions and commit |

# %% [markdown]
# ## The question, and the answer
#
# DisCoM-KD's paper prints higher scores than a student of one sensor in every column. Does the gain come from the second sensor?
#
# **With a label for every pair, no method of the papers beats the controls on our data.** On synthetic scenes DisCoM-KD scores like its own branch trained on one sensor alone (`discom-solo`). The paper has no such control.
#
# After correction for 90 comparisons one gain is left, and it belongs to a control: `discom-solo` over `student-2x`, a student of the branch's size, in depth.
#
# ![Differences of each method to three controls with 95 % intervals, in RGB and depth. DisCoM-KD lies near zero against all three; several distilled students lie far below in depth.](../results/scenes-table2.png)

# %%
import os
from importlib.metadata import distributions

try:
    import discom.config
except ImportError:  # on Colab: this release, beside the torch that is there
    print("fetching this release")
    kept = ("torch", "torchvision", "numpy")
    pins = [f"{d.name}=={d.version}" for d in distributions() if d.name in kept]
    # !git clone --quiet --depth 1 --branch v0.1.0 https://github.com/discom-kd/discom
    # %pip install --quiet "./discom[deploy]" {" ".join(pins)}
    import discom
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy import stats

from discom import plots, tables
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # data, profile and runs serve the last exercise alone:
profile = "cpu"  # this page reads finished runs and trains nothing
seed = 0  # of the simulations
runs = "runs"

# %%
plots.style()
stamp(seed)

# %% [markdown]
# ## What does the paper print?
#
# Table 1 is cross-modal: a teacher of one sensor, a student of the other. In Table 2 the teacher reads both. Each cell is a weighted F1 × 100, the mean of five runs, without a spread. A green arrow marks a mean above the student's.
#
# **Predict first:** in how many of the nine columns is DisCoM-KD first?

# %%
paper = tables.paper_figures()
printed = paper.query("table < 3 and method != 'teacher'").pivot(
    index="method", columns=["table", "data", "modality"], values="f1"
)
competitors = printed.drop(index=["student", "discom"])
summary = printed.loc[["student", "discom"]].T
summary["best competitor"] = competitors.idxmax()
summary["its F1"] = competitors.max()
first = (printed.idxmax() == "discom").sum()
print(f"DisCoM-KD is first in {first} of {printed.shape[1]} columns")
untaught = printed.loc[["student", "discom"]]
cross, multi = untaught[1], untaught[2][untaught[1].columns]
check("no teacher, so the same figure in both tables", np.array_equal(cross, multi))
summary

# %% alt="Both series lie right of zero in nearly all columns; DisCoM-KD is usually further right."
margins = summary[["discom", "its F1"]].sub(summary["student"], axis=0)
names = [f"T{table} {data_set} {sensor}" for table, data_set, sensor in margins.index]
figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
axis.plot(margins["its F1"], names, "s", color="0.6", label="best competitor")
axis.plot(margins["discom"], names, "ko", label="DisCoM-KD")
axis.axvline(0, color="0.5", ls=":")
axis.set(xlabel="printed F1 minus the student's (points); no interval can be drawn")
axis.set_title("The paper: DisCoM-KD above the student in every column")
axis.invert_yaxis()
axis.legend(frameon=False)
print(margins["discom"].describe()[["min", "max"]].round(2).to_dict())

# %% [markdown]
# In eight; on TRISTAR in Table 1 MLKD is ahead. The margins over the student range from 0.07 to 9.18 points. Without the five scores behind each mean, nobody can tell which of them are noise.
#
# ## What may be compared?
#
# | | the paper | ours | may we compare? |
# |---|---|---|---|
# | data | SUN RGB-D, EuroSAT, TRISTAR | synthetic scenes, land-cover patches, cells | no: F1 levels mean nothing across data |
# | training | ResNet-18, 300 epochs, Adam, 1e-4 | ResNet-10, 30 epochs, AdamW, 1e-2 (scenes) | no: margins in points depend on it |
# | student of a branch's size | absent | `student-2x` | only ours can answer |
# | branch without the second sensor | absent | `discom-solo` | only ours can answer |
# | above or below the student | arrows | arrows with intervals | yes, as a direction |
# | which term matters | Tables 3, 4 | our ablations | yes, as a direction |
#
# **Predict first:** how many times the student's parameters does a DisCoM-KD branch have?

# %%
numbers = {f"scenes-table{number}": number for number in (1, 2, 3, 4)}
numbers |= {"hls-table2": 2, "cellcycle-stain-table2": 2}
results, full = {}, {}
for file, number in numbers.items():
    results[file] = tables.load_results(f"../results/{file}.json")
    full[file] = tables.paper_table(results[file], number)
scenes, parameters = full["scenes-table2"], {}
for result in results["scenes-table2"]:
    parameters[result.method] = result.parameters.get("depth")
for name in ("student", *tables.BASELINES[1:], "discom"):
    print(f"{name:>12} {parameters[name]:>8,} parameters at inference")
ratio = parameters["discom"] / parameters["student"]
check("two encoders, so twice the student within 2 %", abs(ratio / 2 - 1) < 0.02)

# %%
above = printed[2].gt(printed[2].loc["student"]).sum(axis=1)
beside = pd.crosstab(scenes["method"], scenes["arrow"])[["↑", "~", "↓"]]
beside.insert(0, "paper: above student, of 6", above.reindex(beside.index))
beside.drop(index=["student", "teacher"]).astype("Int64")

# %% [markdown]
# Twice. So a margin over `student` mixes three causes: size, the auxiliary classifier and the second sensor. The two controls separate them.
#
# The table counts directions on scenes: our interval above zero (↑), around it (~) or below (↓). DisCoM-KD has the paper's direction in depth. So far nothing says why.
#
# Competitors differ, too. In the authors' code one term of MLKD exchanges teacher and student. Ours follow each method's official code.
#
# ## Is a difference larger than the noise of its seeds?
#
# A seed that is hard for one method is often hard for all. So subtract scores of the same seed, and judge the differences:
#
# $$
# d_i = a_i - b_i, \qquad \bar d \pm t_{n-1}\; s_d\, \sqrt{\frac1n + o}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $a_i, b_i$ | `ours`, `theirs` | F1 of two methods with seed $i$ |
# | $s_d$ | `sd` | standard deviation of the $n$ differences |
# | $t_{n-1}$ | `t` | 97.5 % point of Student's t |
# | $o$ | `overlap` | 0, or test images per training image |
#
# Why the term $o$ (Nadeau and Bengio, 2003)?
#
# 1. On scenes every seed draws new images, so the differences are independent and $o = 0$.
# 2. Patches and cells are one set of images, which every seed splits anew.
# 3. Two training parts then share most images, so the differences are correlated.
# 4. Correlated differences vary less than those on new images would, so $s_d / \sqrt n$ is too small.
# 5. If the correlation equals the test part's share, $o = n_\mathrm{test} / n_\mathrm{train}$ repairs it.
#
# **Predict first:** on brightfield cells DisCoM-KD beats `student-2x` on all five splits. Does the corrected interval exclude zero?

# %%
cells = results["cellcycle-stain-table2"]
scores = {"discom": [], "student-2x": []}
for result in cells:
    if result.label in scores:  # ordered by seed
        scores[result.label].append(result.f1["brightfield"])
ours, theirs = np.array(scores["discom"]), np.array(scores["student-2x"])
print("differences", (ours - theirs).round(2))

# %%
difference, n = ours - theirs, len(ours)
mean, sd = difference.mean(), difference.std(ddof=1)
t = stats.t.ppf(0.975, n - 1)
overlap = np.mean([r.counts["test"] / r.counts["train"] for r in cells])
for name, o in (("uncorrected", 0.0), ("corrected", overlap)):
    half = t * sd * np.sqrt(1 / n + o)
    print(f"{name}: {mean:+.2f} [{mean - half:+.2f}, {mean + half:+.2f}]")

# %%
package = tables.paired_difference(ours, theirs, overlap)
by_hand = (mean, mean - half, mean + half)
check("by hand equals the package", np.allclose(package, by_hand))
exact = 12.7062 * np.sqrt(2) * np.sqrt(1 / 2 + 2 / 7)  # t with 1 degree, d = 1 and 3
low = tables.paired_difference([1.0, 3.0], [0.0, 0.0], 2 / 7)[1]
check("two splits, t from a printed table", np.isclose(low, 2 - exact, rtol=1e-4))

# %% [markdown]
# No. Uncorrected, the interval starts just above zero; corrected, it includes zero. Five wins of five say less than it seems, since the splits share most of their images.
#
# How often would the uncorrected interval mislead? Under the fifth line's assumption this has a closed form.
#
# **Predict first:** two equal methods, five splits of 70/10/20. How often does the uncorrected interval exclude zero?

# %% alt="The corrected rate stays at 5 %; the uncorrected one rises with the number of splits."
o, splits = 2 / 7, np.arange(2, 31)
t_all = stats.t.ppf(0.975, splits - 1)
alarms = 2 * stats.t.sf(t_all / np.sqrt(1 + splits * o), splits - 1)
figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
axis.plot(splits, 100 * alarms, "k-", label="uncorrected")
axis.axhline(5, color="0.5", ls="--", label="corrected")
axis.set(xlabel="splits of one set", ylabel="false alarms (%)", ylim=(0, None))
axis.set_title("Uncorrected, more splits mean more false alarms")
axis.legend(frameon=False)
print(f"five splits: {alarms[3]:.1%}")

# %%
rng = np.random.default_rng(seed)
share = o / (1 + o)  # the test part's share of training and test images
common = np.sqrt(share) * rng.standard_normal((50_000, 1))
equal = common + np.sqrt(1 - share) * rng.standard_normal((50_000, 5))
ratio = np.abs(equal.mean(1)) / equal.std(1, ddof=1)
for name, extra, expected in (("uncorrected", 0, alarms[3]), ("corrected", o, 0.05)):
    rate = (ratio > stats.t.ppf(0.975, 4) * np.sqrt(1 / 5 + extra)).mean()
    print(f"{name}: {rate:.1%} of 50 000 simulated comparisons exclude zero")
    check(f"{name}: as the closed form says", abs(rate - expected) < 0.01)

# %% [markdown]
# In 15 % of the cases instead of 5 %, and more splits make it worse. The package adds the term by itself whenever seeds split one set.
#
# ## Which differences survive a whole table?
#
# One comparison in twenty excludes zero by luck. A table makes many. **Holm's correction** sorts the p-values of all comparisons read together, the *family*, and asks more of the smallest:
#
# $$
# \tilde p_{(i)} = \max_{j \le i}\ \min\big(1,\ (m - j + 1)\, p_{(j)}\big)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $m$ | `len(p)` | comparisons in the family |
# | $p_{(j)}$ | `p[order]` | the $j$-th smallest p-value |
# | $\tilde p$ | `adjusted` | below 0.05 for all survivors: the chance of *any* false alarm is at most 5 % |
#
# Our claim is about Table 2 on scenes, so its family is every method minus each control. **Predict first:** of these 90 comparisons, how many gains survive?


# %%
def holm(p):
    order = np.argsort(p)
    stepped = (len(p) - np.arange(len(p))) * np.asarray(p)[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


check("by hand", np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]))


# %%
def family(results):
    """Every method minus each of the three controls, each pair once."""
    methods = dict.fromkeys(r.label for r in results if r.method != "teacher")
    pairs = []
    for control in tables.BASELINES:
        for name in methods:
            if name != control and (control, name) not in pairs:
                pairs.append((name, control))
    return tables.compare(results, pairs)


table2 = family(results["scenes-table2"])
check("17 methods: (3 · 17 − 3 − 3) pairs in 2 sensors", len(table2) == 90)
check("our Holm equals the package's", np.allclose(holm(table2["p"]), table2["holm"]))

# %%
alone, survives = table2["p"] < 0.05, table2["holm"] < 0.05
gain = table2["difference"] > 0
print(f"taken alone: {(alone & gain).sum()} gains, {(alone & ~gain).sum()} losses")
print(f"after Holm: {(survives & gain).sum()} gain, {(survives & ~gain).sum()} losses")
shown = ["method", "minus", "modality", "difference", "low", "high", "p", "holm"]
table2[alone & gain | survives][shown].sort_values("p").round(4)

# %% alt="90 sorted differences with intervals; twelve losses and one small gain are black, the others grey."
ranked = table2.sort_values("difference", ignore_index=True)
kept = ranked["holm"] < 0.05
figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
for part, look, label in (
    (ranked[~kept], "0.7", "does not"),
    (ranked[kept], "k", "survives Holm"),
):
    half = part["high"] - part["difference"]
    style = {"fmt": "o", "ms": 3, "lw": 1, "color": look, "label": label}
    axis.errorbar(part.index, part["difference"], half, **style)
axis.axhline(0, color="0.5", ls=":")
axis.set(xlabel="comparison, sorted", ylabel="difference (F1 points)")
axis.set_title("One gain survives: discom-solo over student-2x in depth")
_ = axis.legend(frameon=False, loc="lower right")

# %% [markdown]
# One: `discom-solo` over `student-2x` in depth, 0.94 points without any second sensor. Taken alone, DisCoM-KD is above both students in depth. Neither gain survives, and against `discom-solo` it has none.
#
# The twelve surviving losses are all in depth: DKD, MLKD and MLKD with LSKD.
#
# **Predict first:** in Table 1 the teacher reads RGB alone. Does it help the depth student more, or less?

# %%
table1 = family(results["scenes-table1"]).query("modality == 'depth'")
survives = table1[holm(table1["p"]) < 0.05]
gains = survives.query("difference > 0")[["method", "minus", "difference"]]
print(f"{len(table1)} comparisons, {len(survives)} survive, gains among them:")
print(gains.to_string(index=False))
taught = full["scenes-table1"].set_index("method").loc["kdv1":"mlkd"]
taught[["f1", "sd", "vs student", "vs student low", "vs student high"]].round(1)

# %% [markdown]
# Less. All five lower the depth student, DKD most. Again a single gain survives, the same one. A likely cause: the teacher's outputs depend on texture, which depth does not show.
#
# ## Which part matters: Tables 3 and 4
#
# Table 3 removes one term at a time. Table 4 classifies with one part of the embedding alone.
#
# **Predict first:** which removal costs most in the paper, and is it the same in ours?

# %%
changes = []
for number in (3, 4):
    theirs = paper[paper["table"] == number]
    both = pd.concat([theirs, full[f"scenes-table{number}"]])
    both = both.pivot(index="method", columns=["data", "modality"], values="f1")
    changes.append((both - both.loc["discom"]).loc[theirs["method"].unique()])
pd.concat(changes).drop(index="discom").round(1)

# %% [markdown]
# The table shows points relative to the full model. Removing the auxiliary classifier (`aux`) costs most in five of the paper's six columns and in both of ours. Removing orthogonality (`orth`) costs SUN RGB-D more than four points and our scenes next to nothing. One part alone is worse than both everywhere. [05](05_ablations.ipynb) has our intervals.
#
# ## The full result
#
# Test F1, mean ± sd over n seeds, paired differences with 95 % intervals, and the best possible score. All values come from finished runs. `discom table 2 --data scenes` makes them again.

# %% alt="Three methods minus three controls in RGB and depth; no interval against discom-solo lies above zero."
main = ["teacher", *tables.BASELINES, "kdv2", "discom", "mdico"]
shown = scenes[scenes["method"].isin(["kdv2", "discom", "mdico"])]
figure = plots.intervals(shown, tables.BASELINES)
figure.suptitle("Scenes: nothing beats the branch trained alone")
display(Markdown(tables.to_markdown(scenes[scenes["method"].isin(main)])))

# %% [markdown]
# Taken alone, DisCoM-KD is half a point above the student in depth. Its branch trained alone is as far above, so the gain is no sign of the second sensor.
#
# ## And on real images?
#
# Here a teacher of both sensors is far ahead of most students, so there is something to learn from it.

# %% alt="On patches and cells every interval of kdv2, DisCoM-KD and MDiCo includes zero."
real_sets = {"hls-table2": "patches", "cellcycle-stain-table2": "cells"}
real = pd.concat([full[file].assign(data=name) for file, name in real_sets.items()])
shown = real[real["method"].isin(["kdv2", "discom", "mdico"])]
figure = plots.intervals(shown, tables.BASELINES)
figure.suptitle("Real images: every interval includes zero")
students = real[real["method"].isin(["teacher", "student"])]
print(students[["data", "method", "modality", "n", "f1", "sd"]].round(1).to_string())
for name in real_sets:
    found = family(results[name])
    alone, survives = (found["p"] < 0.05).sum(), (found["holm"] < 0.05).sum()
    print(f"{name}: {len(found)} comparisons, {alone} alone, {survives} after Holm")

# %% [markdown]
# Nothing survives. One comparison excludes zero if taken alone: the alternating adversary over the student in elevation ([table](../results/hls-table2.md)). The best possible score of real images is unknown, and the teacher of both sensors is the nearest reference.
#
# CroDiNo-KD, the segmentation method, is in the same position. Its README puts it first in all six columns, at most one mIoU point above the best competitor and without a spread. [10](10_segmentation.ipynb) has our version.
#
# ## Where it fails: small gains that five splits cannot see
#
# "Includes zero" is not "no difference". How large must a true difference be to be found four times in five? We take the median $s_d$ of our own comparisons.


# %%
def power(true, sd, n, overlap=0.0):
    """Probability that the 95 % interval excludes zero."""
    t, shift = stats.t.ppf(0.975, n - 1), true / sd / np.sqrt(1 / n + overlap)
    below = np.nan_to_num(stats.nct.cdf(-t, n - 1, shift))  # far out scipy says NaN
    return stats.nct.sf(t, n - 1, shift) + below


check("no difference is found in 5 %", np.isclose(power(0, 1, 5), 0.05))
check("80 % at 1.96 + 0.84 standard errors", abs(power(2.8, 100, 10_000) - 0.8) < 0.01)

# %% alt="The curve of scenes rises first, then cells, and patches last."
true = np.linspace(0.01, 8, 400)
figure, axis = plt.subplots(figsize=(6.5, 3), layout="constrained")
for name, style in zip(["scenes-table2", *real_sets], ("k-", "k--", "k:"), strict=True):
    found, listed = family(results[name]), results[name]
    sd = np.median([each.std(ddof=1) for each in found["each"]])
    n = found["n"].max()
    overlap = np.mean([r.counts["test"] / r.counts["train"] for r in listed])
    rate = power(true, sd, n, 0.0 if name.startswith("scenes") else overlap)
    axis.plot(
        true, 100 * rate, style, label=f"{real_sets.get(name, 'scenes')}, n = {n}"
    )
    print(f"{name}: found four times in five from {true[rate > 0.8][0]:.1f} points")
axis.set(xlabel="true difference (F1 points)", ylabel="found (%)")
axis.set_title("Scenes show one point, real sets do not")
_ = axis.legend(frameon=False)

# %% [markdown]
# On scenes a gain of about one point would be found four times in five. On patches it takes seven points, so the real sets leave the question open.
#
# ## What you should see on another machine
#
# Nothing is trained here, so everything read from files is equal to the last digit. Simulated rates move by less than a point with `seed`. A file that was changed is refused for its checksum.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Ten splits of 70/10/20, $s_d$ = 2 points. Put the half width of the corrected interval into `answer_1`. *Hint:* `stats.t.ppf(0.975, 9)`.
# 2. **Change one thing (10 min).** Let the family be DisCoM-KD's six comparisons in `table2` alone. How many survive? Into `answer_2`. Why must you choose a family before you see the p-values? *Hint:* `holm` of a part of `table2["p"]`.
# 3. **Change one thing (10 min).** How many independent seeds find a true difference of 2 points four times in five, if $s_d$ = 3? Into `answer_3`. *Hint:* call `power` with growing `n`.
# 4. **Open (30 min+).** Train `student-2x` and `discom` on `data` with three seeds or more, into `runs`. Put the paired differences of one sensor into `answer_4`. *Hint:* `discom.fit`, with `discom.profile(profile, seed=…)`.
#
# Worked answers are in [their own file](solutions/py/07_the_papers_tables.py).

# %%
answer_1 = answer_2 = answer_3 = answer_4 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, 2.81, atol=0.01))
if answer_2 is not None:
    p = table2.loc[table2["method"] == "discom", "p"]
    check("exercise 2", answer_2 == (tables.holm(p) < 0.05).sum())
if answer_3 is not None:
    check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))
if answer_4 is not None:
    check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())

# %% [markdown]
# ## Summary
#
# - **The paper** puts DisCoM-KD first in eight of nine columns, without a spread and without a control of the branch's size (*What does the paper print*).
# - **Ours:** with every label, no method of the papers beats the controls. One gain survives Holm, and it is a control's (*Which differences survive*).
# - **Intervals:** subtract scores of the same seed. Where seeds split one set, add $n_\mathrm{test} / n_\mathrm{train}$ (*Is a difference larger*).
# - **Both agree** that the auxiliary classifier matters (*Which part matters*).
# - **Use it?** With a label for every pair, train a student. With few labels the second sensor can help: [should I train with my second sensor?](../docs/guides/second_sensor.md) On your data, `discom table 2 --data my_images` makes these comparisons.
#
# **Limitations.** One family of synthetic scenes and two real sets, none of them the paper's. Small networks, 30 epochs, loss weights as published. Student's t takes differences as normal. **Next:** [08](08_when_a_second_sensor_helps.ipynb) asks when a second sensor helps; [11](11_your_own_data_and_deployment.ipynb), your own data.
#
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Tables 1–4, section 4.
# - R. Ferrod et al., *CroDiNo-KD*, ECML-PKDD 2025, [arXiv 2505.24361](https://arxiv.org/abs/2505.24361).
# - C. Nadeau, Y. Bengio, *Inference for the generalization error*, Machine Learning 52, 2003.
# - S. Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979.
# - Code: `discom/tables/statistics.py`, `discom/tables/rows.py`; tests: `tests/tables/test_statistics.py`. All findings: [classification](../docs/results/classification.md).
# - Data: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0); cells: T. Blasi et al., 2016 (BSD-3-Clause). Scenes, text and code: this repository, MIT.

# %%
finish()
