# %% [markdown]
# # 05 · Which part does the work?
#
# You switch off the terms of DisCoM-KD's loss one by one, find out which one matters, and choose the comparison that shows what a part adds.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/05_ablations.ipynb)
# · [solutions](solutions/py/05_ablations.py) · [the losses in the package](../discom/losses/disentangle.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **read** an ablation by paired intervals and Holm's correction · **choose** the baseline that isolates one part · **explain** why a cosine of zero is not independence |
# | Prerequisites | [02 losses](02_model_and_losses.ipynb) (the five terms, the three parts), [03 training](03_training.ipynb) (paired seeds), [04](04_teacher_and_student.ipynb) (students) |
# | Time | about half a minute on one CPU core; nothing is trained |
# | Memory, disk | 2 GB, a few MB |
# | Data, licence | finished runs on synthetic scenes, from [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; machine, versions and date in the fourth code cell, seconds in the last |

# %% [markdown]
# ## The answer: the auxiliary classifier
#
# **One term matters: the auxiliary classifier, which must name the class from z_inv alone and from z_inf alone.** Without it DisCoM-KD loses four F1 points in RGB. Switched off singly, no other term makes a clear difference.
#
# **The other sensor adds nothing measurable.** A branch of one sensor, trained with class and auxiliary loss alone, scores as high as the branches of both.
#
# ![Two branches, RGB and depth, each with an invariant, an informative and an irrelevant part. Between them four shared classifiers: which sensor, gradient reversed; which class, auxiliary; which sensor, once from the informative and once from the irrelevant parts. Orthogonality links neighbouring parts.](../docs/_static/method.svg)
#
# **For you:** if every image has a label, start with a plain student of one sensor. On our scenes a branch of one sensor with class and auxiliary loss was a point better, at twice the size. To try both on a [folder of your images](../docs/guides/new_data.md), `<sensor>/<class>/<name>.png`:
#
# ```bash
# discom train --data my_images --method student
# discom train --data my_images --method discom-solo --options '{"weights": {"orth": 0}}'
# ```

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
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats

from discom import data as sets
from discom import plots, tables
from discom.losses import disentangle, separate
from discom.models import Embedding
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # the scenes that the first figure shows
profile = "cpu"  # no effect: nothing is trained
seed = 0  # of the scenes shown, and of the three dependence measures
runs = "runs"  # of your own runs, in the last exercise

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## What were the networks trained on?
#
# A synthetic scene shows one object of nine classes, three shapes times three materials. Every seed draws new scenes and splits them by id, so both images of a scene stay in one part ([more](01_data_preparation.ipynb)).

# %% alt="Nine scenes, one of each class, RGB above and depth below. Outlines appear in both rows, textures in RGB alone, reliefs in depth alone."
split = sets.load(sets.at_seed(data, seed)).split(seed=seed)
for sensor in split.train.modalities:
    print(sensor, [part.modalities[sensor].x.shape for part in split])
ids = [set(part.ids) for part in split]
check("no scene is in two parts", sum(map(len, ids)) == len(set.union(*ids)))
figure = plots.pairs(split.train)
_ = figure.suptitle("RGB shows a texture, depth a relief, both the outline")

# %% [markdown]
# All runs below are finished, with one budget:
#
# | | |
# |---|---|
# | training | 30 epochs, learning rate 0.01, chosen [on the validation part of a seed that no table has](../results/README.md) |
# | network kept | of each sensor the epoch with the best **validation** F1 |
# | score | weighted F1 × 100 on the **test** part, read once per run; a *point* is one of these hundred |
# | chance, upper bound | 11 % accuracy for nine classes; `best`, the accuracy of a perfect classifier |
#
# Four networks recur. A *branch* is DisCoM-KD's network for one sensor: two encoders, three parts.
#
# | name | network | loss | sensors in training |
# |---|---|---|---|
# | `student` | one encoder | class | one |
# | `student-2x` | two encoders | class | one |
# | `discom-solo` | branch | class, auxiliary, orthogonality | one |
# | `discom` | a branch each | all five terms | both |
#
# `aux=0` and the like switch a term off.

# %%
ablations = tables.load_results("../results/scenes-table3.json")
students = tables.load_results("../results/scenes-table2.json")
students = [run for run in students if run.method in ("student", "student-2x")]
print({run.method: run.parameters["rgb"] for run in ablations + students})
best = pd.Series(sets.scenes.best_scores("scenes"))
print("best possible accuracy:", best[["rgb", "depth"]].round(1).to_dict())
shown = "student(-2x)?|discom( (adv|mod|aux|orth)=0)?|discom-solo( orth=0)?"
scores = tables.summary(ablations + students, [])
scores = scores[scores["method"].str.fullmatch(shown)]
bound = scores["modality"].map(best)
check("no mean lies above the best", (scores["f1"] < bound).all())
scores.pivot(index="method", columns="modality", values=["f1", "sd"]).round(1)

# %% [markdown]
# ## What is lost without each term?
#
# The loss is a weighted sum. An **ablation** sets one weight to zero, trains again and compares with the full loss on the same seed.
#
# $$
# L = \sum_{t} w_t\, L_t, \qquad d_i = F1_i(w_t = 0) - F1_i(\text{full}), \qquad \bar d \pm t_{n-1}\, s_d / \sqrt n
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $L_t$ | `cl`, `adv`, `mod`, `aux`, `orth` | class, adversary, modality, auxiliary, orthogonality |
# | $w_t$ | `aux=0` | weight of a term, 1 in the paper |
# | $F1_i$, $d_i$ | `each` | score with seed i; the difference, below 0 if the term helps |
# | $\bar d$, $s_d$ | `difference` and `mean`, `spread` | mean and standard deviation of the n differences |
# | $t_{n-1}$ | `stats.t.ppf` | 97.5 % point of Student's t, for a 95 % interval |
#
# Of many intervals some exclude zero by chance. So Holm's correction raises the p-values of all comparisons that answer one question, the *group*. Group A asks whether any of the fifteen changes to DisCoM-KD matters: 30 comparisons, in two sensors.
#
# **Predict first:** four terms can go. How many of them matter?

# %%
rows = sorted({run.label for run in ablations} - {"discom"})
changes = [(row, "discom") for row in rows]
group_a = tables.compare(ablations, changes)
check("group A has thirty comparisons", len(group_a) == 30)
first = group_a.iloc[0]
mean, spread, n = first["each"].mean(), first["each"].std(ddof=1), first["n"]
half = stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)
same = np.allclose([mean - half, mean + half], first[["low", "high"]].tolist())
check("the first row's interval by hand", same)
same = np.allclose(tables.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
check("by hand: Holm makes .01, .04, .03 into .03, .06, .06", same)
columns = ["modality", "difference", "low", "high", "holm"]
group_a.query("holm < 0.05").set_index("method")[columns].round(3)

# %% [markdown]
# How to read the figures: the bars are 95 % intervals, **not corrected**. A **filled** mark is significant after Holm's correction over its group, a hollow one is not.


# %%
def forest(axis, table, labels, title):
    """Mean differences with intervals of both sensors; filled: significant (Holm)."""
    for sensor, mark, shift in (("rgb", "C3o", -0.15), ("depth", "C0s", 0.15)):
        rows = table[table["modality"] == sensor]
        place, mean = np.arange(len(rows)) + shift, rows["difference"].to_numpy()
        half = mean - rows["low"]  # the interval is symmetric
        axis.errorbar(mean, place, xerr=half, fmt=mark, mfc="white", label=sensor)
        clear = rows["holm"].to_numpy() < 0.05
        axis.plot(mean[clear], place[clear], mark, zorder=3)
    axis.axvline(0, color="black", lw=0.8, ls=":")
    axis.set(yticks=range(len(labels)), yticklabels=labels)
    axis.set_title(title, loc="right")
    axis.invert_yaxis()
    if (table["holm"] < 0.05).any():
        axis.plot([], [], "ko", label="filled:\nHolm p < 0.05")
    axis.legend(frameon=False, loc="upper left")


# %% alt="Five rows of paired differences to full DisCoM-KD. Without the auxiliary classifier about four points are lost in each sensor, significant in RGB. One sensor with class and auxiliary loss gains under a point, significant in RGB. The three other terms lie near zero."
words = {
    "discom adv=0": "no adversary",
    "discom mod=0": "no modality\nclassifier",
    "discom aux=0": "no auxiliary\nclassifier",
    "discom orth=0": "no orthogonality",
    "discom-solo orth=0": "one sensor, class\n+ auxiliary alone",
}
five = group_a.set_index("method").loc[list(words)]
axis = plt.subplots(figsize=(6, 3.6), layout="constrained")[1]
forest(axis, five, words.values(), "Only the auxiliary classifier is clearly missed")
_ = axis.set_xlabel("row minus full DisCoM-KD, F1 points")

# %% [markdown]
# **Reading.** One of four. Without the auxiliary classifier RGB loses about four points. In depth the mean loss is as large, but it varies more, and is not significant after correction. One change gains in RGB: the branch of one sensor with class and auxiliary loss alone. The ten changes that are not drawn are not significant ([all rows](../results/scenes-table3.md)).
#
# ## Is that a gain or a repair? And what does the other sensor add?
#
# A term may gain because it adds something, or because it undoes harm that other terms do. The baseline decides. `student-2x` has two encoders and the class loss alone. If the network without the auxiliary classifier ends below it, the other terms did harm.
#
# For the other sensor the baseline must have the same terms. So we compare class and auxiliary loss on both sensors with class and auxiliary loss on one. Group B has four such pairs, eight comparisons.
#
# **Predict first:** does DisCoM-KD without its auxiliary classifier still reach `student-2x`? Does the other sensor add something?

# %%
bare, solo = "discom adv=0 mod=0 orth=0", "discom-solo orth=0"
table5 = tables.load_results("../results/scenes-table5.json")
sources = ablations + students + [run for run in table5 if run.label == bare]
pairs = {
    (bare, solo): "other sensor",
    ("discom", bare): "adversary, modality,\northogonality",
    ("discom aux=0", "student-2x"): "all but auxiliary,\nover student-2x",
    (solo, "student-2x"): "auxiliary + branch,\nover student-2x",
}
group_b = tables.compare(sources, pairs)
check("group B has eight comparisons", len(group_b) == 8)
group_b["adds"] = np.repeat([text.replace("\n", " ") for text in pairs.values()], 2)
group_b.set_index("adds")[columns].round(3)

# %% alt="Four rows of paired differences. The other sensor alone lies at zero in both sensors. Adversary, modality and orthogonality lie below zero. All terms but the auxiliary lose almost four points to student-2x in RGB. Class and auxiliary loss on a branch gain about one point."
axis = plt.subplots(figsize=(6, 3.4), layout="constrained")[1]
title = "No measurable gain from the other sensor"
forest(axis, group_b, pairs.values(), title)
_ = axis.set_xlabel("what the row adds, F1 points")

# %% [markdown]
# **Reading.** No, and no. Without its auxiliary classifier DisCoM-KD ends almost four points below `student-2x` in RGB. So most of what the classifier gives is repair. The other sensor adds nothing measurable: neither interval reaches far beyond half a point. Beside the auxiliary classifier, the three other terms cost 0.6 and 0.8 points.
#
# Nor does [longer training](../results/scenes-budget.md) show a gain over the branch alone, up to 80 epochs (five seeds).
#
# ## What could break without the auxiliary classifier?
#
# The class loss reads z_inv and z_inf together, so one of them may be empty. The auxiliary loss reads each alone.
#
# $$
# L_{cl} = \mathrm{CE}(\mathrm{Cl}([z_{inv} \,\Vert\, z_{inf}]),\, y), \qquad L_{aux} = \mathrm{CE}(\mathrm{Cl}_{aux}(z_{inv}),\, y) + \mathrm{CE}(\mathrm{Cl}_{aux}(z_{inf}),\, y)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z_{inv}, z_{inf}$ | `z.inv`, `z.inf` | [B, D] | invariant and informative part of B samples |
# | $\mathrm{Cl}$, $\mathrm{Cl}_{aux}$ | `classifier`, `auxiliary` | 2D → C, D → C | linear classifiers of C classes |
# | $\mathrm{CE}$, $y$ | `F.cross_entropy`, `labels` | [B] | cross-entropy, class labels |
#
# **Predict first:** z_inf names all nine classes and z_inv is all zeros. What are the two losses?

# %%
labels, one_hot, nothing = torch.arange(9), torch.eye(9), torch.zeros(9, 9)
z = Embedding(inv=nothing, inf=20 * one_hot, irr=nothing)
classifier = torch.cat([nothing, one_hot])  # [2D, C]: reads z_inf alone
class_loss = F.cross_entropy(torch.cat([z.inv, z.inf], dim=1) @ classifier, labels)
auxiliary = torch.nn.Identity()  # unit k is the logit of class k
auxiliary_loss = F.cross_entropy(auxiliary(z.inv), labels)
auxiliary_loss += F.cross_entropy(auxiliary(z.inf), labels)
print(f"class loss {class_loss:.4f} · auxiliary loss {auxiliary_loss:.4f}")
check("the class loss is satisfied", class_loss < 1e-6)
check("the auxiliary loss is log 9", abs(auxiliary_loss - np.log(9)) < 1e-5)
heads = SimpleNamespace(aux=auxiliary)
package = disentangle.auxiliary_loss({"rgb": z}, heads, {"rgb": labels})
check("the package gives the same", torch.isclose(package, auxiliary_loss))

# %% [markdown]
# **Reading.** The class loss is zero; the auxiliary loss is log 9, as if z_inv guessed. So the class loss does not keep z_inv from becoming empty, and an empty z_inv would hide the sensor from the adversary perfectly.
#
# Whether z_inv becomes empty in our networks is untested; the third exercise asks you.
#
# ## Does a cosine of zero mean independence?
#
# No, and the formula does not even favour zero. The orthogonality term is a *signed* cosine, one for each sample and averaged:
#
# $$
# L_\perp = \cos(z_{inv}, z_{inf}) + \cos(z_{inf}, z_{irr}), \qquad \Big|\frac{d}{d\theta} \cos\theta\Big| = \sin\theta
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $z_{inv}, z_{inf}, z_{irr}$ | `z_inf`, `z_irr` | the three parts, each [B, D] |
# | $\theta$ | `angle` | angle between two parts of one sample |
#
# **Predict first:** at which angle is the loss smallest, and at which is its gradient largest?

# %%
angle = torch.arange(0, 181) * torch.pi / 180
vectors = torch.stack([angle.cos(), angle.sin()], dim=1).requires_grad_()
loss = F.cosine_similarity(vectors, torch.tensor([[1.0, 0.0]]))
loss.sum().backward()
pull = vectors.grad.norm(dim=1)
check("by hand: the gradient is sin θ", torch.allclose(pull, angle.sin(), atol=1e-4))
check("it is largest at 90 degrees", pull.argmax() == 90)
check("it vanishes at 180, where the loss is smallest", loss.argmin() == 180)

# %% alt="The cosine falls from 1 at 0 degrees to minus 1 at 180. The length of its gradient is an arch with its top at 90 degrees. The half beyond 90 degrees is grey: the default network cannot reach it."
axis = plt.subplots(figsize=(6, 2.8), layout="constrained")[1]
axis.plot(loss.detach(), "k", label="loss, cos θ")
axis.plot(pull, "k--", label="length of its gradient")
axis.axvspan(90, 180, color="0.92")
axis.text(135, -0.08, "not reached by\nthe default network", ha="center", fontsize=9)
axis.set(xlabel="angle θ (degrees)", ylabel="value", xticks=range(0, 181, 45))
axis.set_title("The formula favours opposite vectors; ReLU stops at 90°")
_ = axis.legend(frameon=False, loc="lower left")

# %% [markdown]
# **Reading.** It is smallest at 180° and steepest at 90°, so the formula favours opposite vectors. In the default network every part ends in a ReLU: no entry is negative, and 90° is the limit. Does 90° at least make the parts independent?
#
# Let z_inf = (u, 0) and z_irr = (0, w), all entries from 0 to 1. Their cosine is zero for every sample, whatever w is. Two measures look across samples instead. r² is the squared correlation, a mean over all pairs of units. HSIC, the Hilbert–Schmidt independence criterion, asks whether samples that are alike in one part are alike in the other:
#
# $$
# r^2(a, b) = \frac{1}{D^2} \sum_{ij} \mathrm{corr}(a_i, b_j)^2, \qquad K^a_{ij} = e^{-\Vert a_i - a_j \Vert^2 / \mathrm{median}}, \qquad \mathrm{HSIC}(a, b) = \frac{\sum_{ij} \bar K^a_{ij} \bar K^b_{ij}}{\Vert \bar K^a \Vert\, \Vert \bar K^b \Vert}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $a, b$ | `a`, `b` | two parts, [B, D]; in r², $a_i$ is unit i, in $K$, sample i |
# | $\bar K^a$ | `kernel(a)` | similarity of all pairs of samples, means of rows and columns removed, [B, B] |
#
# **Predict first:** w is new noise, or u itself, or the hill 4u(1 − u). Which measure sees which?


# %%
def squared_correlation(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    covariance = a.T @ b / len(a)
    variances = torch.outer(a.square().mean(0), b.square().mean(0))
    return (covariance.square() / (variances + 1e-12)).mean()


def kernel(a):
    distances = torch.cdist(a, a).square()
    similar = torch.exp(-distances / distances.median())
    return similar - similar.mean(0) - similar.mean(1, keepdim=True) + similar.mean()


def hsic(a, b):
    return (kernel(a) * kernel(b)).sum() / (kernel(a).norm() * kernel(b).norm())


# %%
generator = torch.Generator().manual_seed(seed)
u, noise = torch.rand(2, 1000, generator=generator, dtype=torch.float64)
drawn, rows = {"noise": noise, "u": u, "hill": 4 * u * (1 - u)}, {}
zero = torch.zeros_like(u)
z_inf = torch.stack([u, zero], dim=1)
for name, w in drawn.items():
    z_irr = torch.stack([zero, w], dim=1)
    cosine = F.cosine_similarity(z_inf, z_irr).abs().max()
    ours = cosine, squared_correlation(z_inf, z_irr), hsic(z_inf, z_irr)
    rows[name] = [value.item() for value in ours]
    one = {"rgb": Embedding(inv=0 * z_inf, inf=z_inf, irr=z_irr)}
    package = separate.cross_covariance(one), separate.hsic(one)
    check(f"w = {name}: the package's", np.allclose(ours[1:], package, atol=1e-3))
check("by hand: u is one of four pairs on a line, 1/4", abs(rows["u"][1] - 0.25) < 1e-6)
check("by hand: HSIC of a part and itself is 1", abs(hsic(z_inf, z_inf) - 1) < 1e-6)
measures = pd.DataFrame(rows, index=["cosine", "r²", "HSIC"]).T
measures.round(3)

# %% alt="Three scatter plots of a unit of z_irr over a unit of z_inf: a cloud, a line and a hill, each with its r² and HSIC."
figure, axes = plt.subplots(1, 3, figsize=(7, 2.9), sharey=True, layout="constrained")
for axis, (name, w) in zip(axes, drawn.items(), strict=True):
    axis.plot(u, w, "k.", ms=2)
    r2, dependence = measures.loc[name, ["r²", "HSIC"]]
    axis.set(title=f"r² {r2:.2f}\nHSIC {dependence:.2f}", xlabel="u in z_inf")
check("r² misses the hill, HSIC sees it", r2 < 0.01 < 0.1 < dependence)
axes[0].set_ylabel("w in z_irr")
_ = figure.suptitle("The cosine is 0 in all three; only HSIC sees the hill")

# %% [markdown]
# **Reading.** The cosine sees nothing, r² sees the line, HSIC sees both dependences. Used as extra losses, both [remove class from z_irr](../docs/results/ablations.md), but neither gains F1.
#
# ## What you should see
#
# Tables and figures of finished runs are read from files, so your numbers should equal ours. An `AssertionError` of a `check` means a bug. If you *train* again, expect another score for each seed on another processor, by up to a few points ([measured](../docs/results/index.md#machines)). Over ten seeds the mean differences should stay near our intervals.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** What does Holm's correction make of the p-values 0.02, 0.01 and 0.20? A list in their order into `answer_1`. *Hint:* the smallest times 3, the next times 2.
# 2. **Change one thing (10 min).** Compare only the four terms of the paper, eight comparisons instead of thirty. The corrected p-value of depth without the auxiliary classifier into `answer_2`. It is smaller now: why is that no evidence? *Hint:* `tables.compare` with the first four of `words`.
# 3. **Open (30 min+).** Do what we have not done: train without the auxiliary classifier, seed 0, and probe z_inv. Is it empty? Into `answer_3` for each sensor the pair (test F1 of the network, probe's F1 of z_inv). *Hint:* `discom.fit("discom", split, discom.profile("cpu", seed=0, options={"weights": {"aux": 0.0}}), "runs/no-aux")`, then `discom.evaluation.inspection.readings`. The checker compares the first of each pair with ours; chance for the second is about 11.
#
# Worked answers are [kept apart](solutions/py/05_ablations.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.allclose(answer_1, tables.holm([0.02, 0.01, 0.20])))
if answer_2 is not None:
    check("exercise 2", np.isclose(answer_2, 0.132, atol=0.005))
if answer_3 is not None:
    ours = next(r.f1 for r in ablations if r.label == "discom aux=0" and r.seed == 0)
    for sensor, (f1, probe) in answer_3.items():
        check(f"exercise 3: {sensor} is near ours", abs(f1 - ours[sensor]) < 10)
        print(f"{sensor}: the probe reads {probe:.1f} from z_inv")

# %% [markdown]
# ## Summary
#
# - The auxiliary classifier does the work: without it RGB loses four points (*What is lost*).
# - Most of that is repair: without it the network falls below `student-2x` (*Gain or repair*).
# - The other sensor adds nothing measurable to class and auxiliary loss (*Gain or repair*).
# - A branch of one sensor with class and auxiliary loss is about a point above a student of its size (*Gain or repair*).
# - A cosine of zero says nothing about dependence across samples (*Cosine*).
#
# **Limitations.** One small network, one family of synthetic scenes, a label for every pair, thirty epochs. We knew the runs when we chose the groups. `discom-solo orth=0` was the best of fifteen rows in RGB, so its gain may be too large. On real images `discom-solo` is [not clearly above a student](../docs/results/classification.md).
#
# With few labels the second sensor can help: see [the guide](../docs/guides/second_sensor.md). The paper's own Table 3 has no spread: see [07](07_the_papers_tables.ipynb).
#
# **Next:** [06](06_what_the_embeddings_hold.ipynb) asks what the three parts hold.
#
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080), Eqs. 2–7 and Table 3. A. Gretton et al., *Measuring Statistical Dependence with Hilbert-Schmidt Norms*, 2005. Modules `discom/losses/disentangle.py`, `discom/losses/separate.py`, `discom/tables/statistics.py`; tests `tests/losses/test_disentangle.py`, `tests/tables/test_statistics.py`. Tables 3 and 5 again: `discom table 3 --data scenes`, `discom table 5 --data scenes`.

# %%
finish()
