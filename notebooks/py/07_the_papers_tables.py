# %% [markdown]
# # 07 · What does the paper report, and what do we find?
#
# The paper puts DisCoM-KD first in nearly every column. In our tables no method shows a gain that can come from the second sensor. You walk from runs to a claim, with controls, intervals and a correction for many comparisons.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/07_the_papers_tables.ipynb)
# · [solutions](solutions/py/07_the_papers_tables.py) · [module `discom.tables`](../discom/tables/)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** a paired interval, also for overlapping splits · **ask** how much spread a published margin could bear · **plan, run and resume** a table · **judge** many comparisons together |
# | Prerequisites | [03 training](03_training.ipynb) (`fit`, paired seeds); what a mean and a standard deviation are |
# | Time | two to four minutes on two CPU cores, most of them in the live table; the last cell prints the seconds of this run; a GPU is used where there is one, and was not timed |
# | Memory, disk | 3 GB of memory (two workers), 50 MB of disk |
# | Data, licence | finished runs from [results/](../results), the paper's figures from the package, scenes drawn on the spot, MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## What does a table claim?
#
# The paper's Table 1 is **cross-modal**: a teacher reads one sensor, the student another. Table 2 is **multi-modal**: the teacher reads all of them. Each cell is a mean over five runs, with an arrow that says whether it lies above or below the student's.
#
# Is that a ranking? The cells come without a spread. DisCoM-KD's branch has twice the student's parameters and more supervision. And of many arrows some point up by luck. So the way from runs to a claim is walked step by step:
#
# ```text
# run ─► cell ─► paired difference ─► interval ─► many intervals ─► claim
#  seed   mean     same seed          what a seed     Holm        with its controls
#                                     draws decides
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
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from scipy import stats

from discom import data as sets, methods, plots, runs as stored, sweep, tables
from discom.config import profile as settings
from discom.losses import distill, multilevel
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # the embedded scenes, or after a colon any argument of scenes.make
# tiny (seconds, scores mean nothing), cpu (a minute or two) or paper (for a GPU)
profile = "cpu"
seed = 0  # of the scenes that are looked at and of the simulations
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which numbers, and from where?
#
# - *The paper's*: means of five runs, from its Tables 1 and 2.
# - *Ours*: a JSON record of each run with test F1, settings, machine and checksum. Scenes (RGB and depth, MIT) have all methods of both tables. Patches (satellite, RGB and elevation) and cells (brightfield and DNA stain) have the main methods of Table 2: [sizes, sources, licences](../data/README.md).
# - *A small draw of scenes* for the live table, split by scene and class; pixels have no unit.

# %%
FILES = {
    ("scenes", 1): "scenes-table1",
    ("scenes", 2): "scenes-table2",
    ("patches", 2): "hls-table2",
    ("cells", 2): "cellcycle-stain-table2",
}
results, full, rows = {}, {}, []
for key, file in FILES.items():
    results[key] = tables.load_results(f"../results/{file}.json")
    full[key] = tables.paper_table(results[key], key[1]).assign(data=key[0])
    count = results[key][0].counts
    seeds = full[key]["n"].min(), full[key]["n"].max()
    chance, sizes = 100 / results[key][0].classes, (count["train"], count["test"])
    rows.append((*key, len(results[key]), *seeds, *sizes, chance))
columns = ["data", "table", "runs", "seeds, least", "most", "train", "test", "chance"]
pd.DataFrame(rows, columns=columns).round(1)

# %%
place = data if ":" in data else f"{data}:n=2500"
small = sets.load(sets.at_seed(place, seed))
sensors, split = list(small.modalities), small.split(seed=seed)
figure = plots.pairs(split.train)
ids = [set(part.ids.tolist()) for part in split]
check(
    "no scene is in two parts", sum(map(len, ids)) == len(set.union(*ids)) == len(small)
)
check(
    "every class is in every part",
    all(len(np.unique(part.labels)) == len(small.classes) for part in split),
)
own = {"seed", "options", "learning_rate"}
for (where, number), listed in results.items():
    shared = {str({k: v for k, v in r.config.items() if k not in own}) for r in listed}
    check(f"{where}, Table {number}: runs share all other settings", len(shared) == 1)

# %% [markdown]
# *Figure: one scene per class, RGB over depth; black squares in depth are holes.* **Take-away:** within a table, runs differ in method and seed alone.
#
# ## What is a cell, and why is its ± not the uncertainty of a difference?
#
# A cell is a mean over seeds, its ± the spread of the seeds. A seed draws scenes and weights; some draws are hard for *every* method. This shared part cancels when runs of the same seed are subtracted:
#
# $$
# d_i = a_i - b_i, \qquad \bar d \pm t_{n-1}\, \frac{s_d}{\sqrt n}, \qquad s_d^2 = s_a^2 + s_b^2 - 2\, s_{ab}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $a_i, b_i$ | `a`, `b` | F1 of two methods with seed $i$, [n] |
# | $s_a, s_b, s_d$; $s_{ab}$ | `.std(ddof=1)`; `np.cov` | standard deviations; covariance |
# | $t_{n-1}$ | `t` | 97.5 % point of Student's t |
#
# **Predict first:** 60 ± 3.8 against 58 ± 2.7, five seeds. Noise?

# %%
a, b = np.array([62.0, 58, 65, 60, 55]), np.array([60.0, 57, 61, 58, 54])
d, n = a - b, len(a)
t = stats.t.ppf(0.975, n - 1)
half = t * d.std(ddof=1) / np.sqrt(n)
print(f"differences {d}, sd {d.std(ddof=1):.2f}: {d.mean():.1f} ± {half:.2f}")
hand = 2.776 * np.sqrt(6 / 4) / np.sqrt(5)
check("by hand: s_d = √(6/4) and t_4 = 2.776", np.isclose(half, hand, 1e-3))
check(
    "the package gives the same interval",
    np.allclose(tables.paired_difference(a, b), (2, 2 - half, 2 + half)),
)
check(
    "the variances add up",
    np.isclose(d.var(ddof=1), a.var(ddof=1) + b.var(ddof=1) - 2 * np.cov(a, b)[0, 1]),
)

# %% [markdown]
# No: the interval excludes zero, since both methods go up and down together. Now the same for real runs, DisCoM-KD and the student in depth, paired and as if their seeds had nothing in common (Welch):

# %%
def scores(method, sensor):
    """F1 on scenes, Table 2, seeds ascending."""
    found = [r for r in results["scenes", 2] if stored_label(r) == method]
    return np.array([r.f1[sensor] for r in sorted(found, key=lambda r: r.seed)])


def stored_label(result):
    return tables.label(result.method, result.config["options"])


a, b = scores("discom", "depth"), scores("student", "depth")
for name, f1 in (("discom", a), ("student", b)):
    print(f"{name} {f1.mean():.1f} ± {f1.std(ddof=1):.1f}")
print(f"correlation over {len(a)} seeds {np.corrcoef(a, b)[0, 1]:.2f}")
mean, low, high = tables.paired_difference(a, b)
apart = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
print(f"paired   {mean:+.1f} [{low:+.1f}, {high:+.1f}]")
print(f"unpaired {mean:+.1f} [{apart.low:+.1f}, {apart.high:+.1f}]")

# %% [markdown]
# **Reading.** Both methods vary by more than a point over the seeds, nearly in step. Half a point is invisible in the cells and visible in the paired differences.
#
# ## Independent seeds, or one set split anew?
#
# On scenes every seed draws samples of its own. The differences are independent, and the variance of their mean is $s_d^2 / n$.
# Patches and cells are one set each, which five seeds split anew.
# Any two training parts then share most of their samples, so the five differences vary less than those on new data would.
# Nadeau and Bengio therefore put $(1/n + n_{test}/n_{train})\, s_d^2$ in its place.
#
# **Predict first:** five splits of 70/10/20. How much wider does that make an interval?

# %%
hand = 2.776 * np.sqrt(1.5) * np.sqrt(1 / 5 + 2 / 7)
mean, low, high = tables.paired_difference(
    [62.0, 58, 65, 60, 55], [60.0, 57, 61, 58, 54], overlap=2 / 7
)
print(f"independent ± {half:.2f}, splits of one set ± {high - mean:.2f}")
print(f"{(high - mean) / half:.2f} times as wide")
check("by hand: 2.776 · √1.5 · √(1/5 + 2/7)", np.isclose(high - mean, hand, 1e-3))


# %%
def compared(where, number):
    """Every row of a table minus each of its controls, each pair once."""
    listed, pairs = results[where, number], []
    names = [stored_label(r) for r in listed if r.method != "teacher"]
    for minus in tables.BASELINES:
        for name in dict.fromkeys(names):
            if name != minus and (minus, name) not in pairs:
                pairs.append((name, minus))
    found, table = tables.compare(listed, pairs), full[where, number]
    shown = table.loc[table["method"] == "student", "modality"]
    found = found[found["modality"].isin(shown)].reset_index(drop=True)
    # teacher=rgb is true of the whole of Table 1
    found["method"] = [re.sub(r" teacher=\w+", "", name) for name in found["method"]]
    return found.assign(data=where, table=number)


tests = {key: compared(*key) for key in results}
rows = []
for key in (("scenes", 2), ("patches", 2), ("cells", 2)):
    counts = [r.counts for r in results[key]]
    split_anew = full[key]["draws"].iloc[0] == "split"
    overlap = np.mean([c["test"] / c["train"] for c in counts]) if split_anew else 0.0
    spread = tests[key]["each"].map(lambda each: each.std(ddof=1)).median()
    rows.append((key[0], full[key]["n"].max(), overlap, spread))
by_data = pd.DataFrame(rows, columns=["data", "n", "overlap", "sd"]).set_index("data")
by_data["wider"] = np.sqrt(1 + by_data["n"] * by_data["overlap"])
check("only splits of one set overlap", (by_data["overlap"] > 0).tolist() == [0, 1, 1])
by_data.round(2)

# %% [markdown]
# **Reading.** `sd` is the median $s_d$ of all comparisons in F1 points, `wider` the factor of the correction: more than half as wide again on real data. The package applies it by itself, from what the seeds drew.
#
# ## How much spread could the paper's arrows bear?
#
# The paper prints no spread, so we cannot say which of its arrows would hold. What can be computed is a **sensitivity**: solve the interval for $s_d$ and ask how small it must have been.
#
# $$
# |\bar d| > t_{n-1}\, s_d \sqrt{\tfrac1n + o} \iff s_d < \frac{|\bar d|}{t_{n-1} \sqrt{1/n + o}}
# $$
#
# Its five repeats may share one split or draw five; the text does not say. So $o$, the overlap, is 0 or, at its 70/10/20, 2/7. **Predict first:** a margin of 2 points, five seeds: how small must $s_d$ be?

# %%
paper = tables.paper_figures().query("modality != 'all' and table < 3")
columns = ["table", "data", "modality"]
printed = paper.pivot(index="method", columns=columns, values="f1")
ranked = [name for name in methods.names() if name in printed.index]
ranked.remove("teacher")
printed = printed.dropna(axis=1, thresh=2).loc[ranked]
competitors = [name for name in ranked if methods.get(name).taught]
margin = printed.loc[[*competitors, "discom"]] - printed.loc["student"]  # an arrow each
once = stats.t.ppf(0.975, 4) * np.sqrt(1 / 5)
anew = stats.t.ppf(0.975, 4) * np.sqrt(1 / 5 + 2 / 7)
print(f"2 points need s_d < {2 / once:.2f}, or {2 / anew:.2f} if the splits overlap")
check("by hand: 2 √5 / 2.776", np.isclose(2 / once, 2 * 5**0.5 / 2.776, 1e-3))

# %%
first = printed.idxmax()
print(f"DisCoM-KD is first in {(first == 'discom').sum()} of {len(first)} columns")
below = int((margin.loc[competitors] < 0).sum().sum())
print(f"competitors are below the student in {below} of {10 * len(first)} cells")
both = tables.paper_figures().query("modality == 'all' and table == 2")
over = both.set_index("data")["f1"] - printed.loc["student", 2].groupby("data").max()
print(f"teacher of both sensors − better student: {over.round(2).to_dict()}")
best = printed.loc[competitors]
close = pd.DataFrame({"best competitor": best.idxmax()})
close["discom − it"] = printed.loc["discom"] - best.max()
close["discom − student"] = margin.loc["discom"]
close["needs s_d below"] = close["discom − it"].abs() / once
close["or, anew"] = close["discom − it"].abs() / anew
display(printed.T, close.round(2))

# %%
grid = np.linspace(0, 8, 321)
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
for name, part, look in (
    ("DisCoM-KD", margin.loc[["discom"]], "k-"),
    ("competitors", margin.loc[competitors], "k--"),
):
    points = part.abs().to_numpy().ravel()
    left = [100 * (points > s * once).mean() for s in grid]
    axis.plot(grid, left, look, label=f"{name}, {points.size} arrows")
for height, (where, row) in zip((20, 10, 0), by_data.iterrows(), strict=True):
    axis.axvline(row["sd"], color="0.5", ls=":")
    axis.text(row["sd"] + 0.05, height + 2, f"our {where}", fontsize=8)
axis.set(xlabel="hypothetical sd of a paired difference (F1 points)", ylim=(0, 103))
axis.set(ylabel="arrows left (%)", title="How many arrows hold depends on the spread")
axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
for spread in (0.5, 1, 2, 4):
    kept = margin.abs() > spread * once
    own = f"of DisCoM-KD's {kept.shape[1]}, {kept.loc['discom'].sum()}"
    print(f"s_d {spread}: {kept.sum().sum()} of {margin.size} arrows hold; {own}")

# %% [markdown]
# *Figure: share of arrows whose interval would exclude zero over the spread that one assumes ($o = 0$); dotted lines mark the median $s_d$ of our own runs.* **Take-away:** a margin of 2 points needs $s_d$ below 1.6, or 1.0 if the splits overlap. Most margins over the student would survive the spread of our scenes or cells, but not that of our patches; most over the best competitor would survive none. The paper's own spread is unknown.
#
# Two notes on reading. An arrow at margin 0 is no difference at all. And on SUN RGB-D in Table 1 the text compares DisCoM-KD with 42.87 (`mlkd+lskd`) as best competitor, where the table has `mlkd` higher.
#
# ## As it was run, or as it should have been?
#
# The authors published their code, to their credit: without it nobody could see where a competitor differs from its official code. In theirs, MLKD's instance term has teacher and student exchanged, and a probability where a logarithm belongs:
#
# $$
# \text{official: } \sum_c p^t_c \,(\log p^t_c - \log p^s_c) \qquad
# \text{theirs: } \frac1C \sum_c p^s_c \,(\log p^s_c - p^t_c)
# $$
#
# With a multiplier for $\sum_c p^s_c = 1$, the second is lowest where $\log p^s_c - p^t_c$ is constant: $p^s = \mathrm{softmax}(p^t)$, a softmax of *probabilities*.
#
# **Predict first:** a teacher is quite sure of one class among nine. How sure is the student at that minimum?

# %%
def settle(loss, classes):
    """Where a loss sends the student's probabilities, if nothing else pulls."""
    z = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
    for _ in range(500):
        (step,) = torch.autograd.grad(loss(z), z)
        z = (z - 2 * step).detach().requires_grad_()
    return z.detach().softmax(1)


z_t = torch.tensor([[4.0, 1, 0]], dtype=torch.float64)
p_t, official = z_t.softmax(1), settle(lambda z: distill.kd(z, z_t, 1.0), 3)
swapped = settle(lambda z: multilevel.discom_paper((z, z_t), (1,))["instance"], 3)
print(
    "teacher",
    p_t[0].numpy().round(3),
    "official",
    official[0].numpy().round(3),
    "swapped",
    swapped[0].numpy().round(3),
)
check("the official minimum is the teacher", torch.allclose(official, p_t, atol=1e-5))
check(
    "the swapped minimum is softmax(p_t)",
    torch.allclose(swapped, p_t.softmax(1), atol=1e-5),
)
sure = torch.tensor([[200.0] + 8 * [0.0]], dtype=torch.float64)
most = (
    settle(lambda z: multilevel.discom_paper((z, sure), (1,))["instance"], 9)
    .max()
    .item()
)
print(f"a sure teacher, nine classes: the student is asked for {most:.3f}")
check("by hand: e / (e + 8)", np.isclose(most, np.e / (np.e + 8), atol=1e-5))

# %% [markdown]
# Only 25 % sure: however sure the teacher, the swapped term drives the student towards an undecided answer. The other terms act against it. In the printed tables `mlkd` falls far below the student in some columns; whether this term is the reason, only runs can tell. The package has each such difference as an option, named in `published`. Two more are no options of a loss: in the released code the teacher stays in **training mode**, and the student trains without augmentation (the paper says that all approaches are augmented).

# %%
for name in methods.names():
    for option, theirs in methods.get(name).published.items():
        print(
            f"{name:>11}  {option}: {methods.get(name).options({})[option]}  → "
            f" {theirs}"
        )
teacher = methods.build(
    methods.Teacher, split.train, settings("tiny", options={"reads": sensors[0]})
)
x, gap = torch.from_numpy(split.valid.images(sensors[0], np.arange(15))), {}
for training in (False, True):
    teacher.train(training)
    with torch.no_grad():
        first, second = (
            teacher.predict(sensors[0], batch)[0]
            for batch in (x[:8], torch.cat([x[:1], x[8:]]))
        )
    gap[training] = (first - second).abs().max().item()
print(
    "one image, other companions in its batch: a teacher's logits move by"
    f" {gap[False]:.4f} in eval mode, by {gap[True]:.4f} in training mode"
)
check(
    "in eval mode an answer depends on its image alone", gap[False] < 1e-4 < gap[True]
)

# %% [markdown]
# **Reading.** A teacher in training mode answers differently in other company. Our tables use the official forms, with MLKD's class term divided by $(B / C)^2$, and a teacher in eval mode. `discom table 1 --as_published` runs the authors' options, `discom train --method student --augment 0` a student without augmentation; a teacher in training mode is not offered.
#
# ## Many intervals: how many exclude zero by luck?
#
# A 95 % interval misses the truth once in twenty. Of $m$ independent comparisons between equals, at least one excludes zero with probability $1 - 0.95^m$. **Holm's** correction sorts the p-values and asks more of the smallest:
#
# $$
# \tilde p_{(i)} = \max_{j \le i}\ \min\big(1,\ (m - j + 1)\, p_{(j)}\big)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $m$ | `len(p)` | comparisons that are read together, the **family** |
# | $p_{(j)}$ | `p[order]` | the $j$-th smallest p-value |
# | $\tilde p$ | `holm(p)` | with $\tilde p < 0.05$ as rule, the chance of *any* false alarm is at most 5 %, dependent or not |
#
# **Predict first:** eleven equal methods against three baselines. How often does such a table show at least one "significant" difference?

# %%
def holm(p):
    order = np.argsort(p)
    stepped = (len(p) - np.arange(len(p))) * np.asarray(p)[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


check(
    "by hand: .01, .04, .03 become .03, .06, .06; so the package",
    all(
        np.allclose(f([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
        for f in (holm, tables.holm)
    ),
)

# %%
rng, m = np.random.default_rng(seed), 33
equals = rng.standard_normal((2000, m, 10))  # 2000 tables of m differences, ten seeds
p = stats.ttest_1samp(equals, 0, axis=2).pvalue
alarm = (p < 0.05).any(1).mean()
corrected = np.mean([(holm(row) < 0.05).any() for row in p])
expected = 1 - 0.95**m
print(f"tables of equals with a false alarm: {alarm:.0%} (formula {expected:.0%})")
print(f"after Holm {corrected:.1%}")
for label, level in (("one comparison", 0.05), (f"Holm's first of {m}", 0.05 / m)):
    needed = stats.t.ppf(1 - level / 2, 9) / np.sqrt(10)
    print(f"{label}: ten seeds need a difference of {needed:.2f} sd")
check("simulation and formula agree within 3 points", abs(alarm - expected) < 0.03)
check("after Holm false alarms are about 5 % or fewer", corrected < 0.065)

# %% [markdown]
# **Reading.** Four tables of equals in five have a false alarm. The correction has a price: the "need" lines say what a difference must reach. Comparisons that share a baseline are dependent, so for real tables the formula is only a yardstick.
#
# ## Same budget? What each row costs
#
# Data, epochs, batches, augmentation, optimiser and choice of epoch are the same for all rows. Parameters at inference are not, nor is what has to be trained to get there. Cost is parameters trained × views of a batch, in units of one student. It covers every network that the table deploys and the teacher, without the teacher's forward passes.
#
# **Predict first:** DisCoM-KD does without a teacher. Is it cheaper than `kdv2` in Table 1, in Table 2, in both?

# %%
def size(name, part, **options):
    """Parameters that a step trains, times views, and those deployed last."""
    with torch.device("meta"):  # shapes without numbers
        config = settings("cpu", options=options)
        model = methods.build(methods.get(name), part, config)
        branch = model.branch(model.deployed[-1])
        count = [sum(p.numel() for p in net.parameters()) for net in (model, branch)]
    return count[0] * (1 + model.strong_view), count[1]


last, rows = small.select(sensors[1:]), {}
unit = size("student", last)[0]
before = {}
for reads in (sensors[0], "all"):
    before[reads] = size("teacher", small, reads=reads)[0]
for number in (1, 2):
    for name, options, _ in tables.paper_rows(number, sensors)[1:]:
        alone = number == 1 and name in tables.BASELINES
        trained, use = size(name, last if alone else small, **options)
        cost = (trained + before.get(options.get("teacher"), 0)) / unit
        rows.setdefault(name, {"parameters": use})[f"cost, Table {number}"] = cost
budget = pd.DataFrame(rows).T
twice = budget.loc[["student-2x", "discom-solo", "discom"], "parameters"] / unit / 2
check("a branch is two students large, within 2 %", (abs(twice - 1) < 0.02).all())
budget.astype({"parameters": int}).round(2)

# %% [markdown]
# **Reading.** In neither. In Table 2 both cost four students; in Table 1 one network is deployed, and DisCoM-KD trains two. Only MLKD, with its second view of each batch, costs more than DisCoM-KD, and only in Table 2. Networks come in two sizes, which is why every table here carries `student-2x` and `discom-solo`, two controls that the paper lacks.
#
# ## A small table, live
#
# A table is a list of runs. `sweep.missing` says which are not there yet, teachers first; `sweep.sweep` trains the rest in worker processes. **Predict first:** what does a second call do?

# %%
folder = Path(runs) / "live-table"
# a fresh table each time; leave this out to go on with the old one
shutil.rmtree(folder, ignore_errors=True)
chosen = ("student", "kdv2", "discom")


def plan(seeds):
    wanted = []
    for s in range(seeds):
        scenes = sets.load(sets.at_seed(place, s))  # every seed draws its own scenes
        for row in tables.paper_rows(1, sensors):
            if row.label("teacher", "reads") in chosen:
                config = settings(profile, seed=s, options=row.options)
                method = methods.get(row.method)
                wanted.append(stored.Run.of(folder, method, scenes, config))
    return wanted


wanted = plan(3)
todo, _ = sweep.missing(wanted)
print(f"{len(wanted)} runs wanted, {len(todo)} to train with their teachers")
order = [run.folder for run in todo]
check(
    "each student's teacher is trained before it",
    all(run.teacher.folder in order[:i] for i, run in enumerate(todo) if run.teacher),
)

# %%
failed = sweep.sweep(wanted, place, progress=False)
check("no run failed", not failed)
check("a second call has nothing left to train", not sweep.missing(wanted)[0])
print(f"a fourth seed would add {len(sweep.missing(plan(4))[0])} runs")
live = [stored.Result.read(run.folder / "result.json") for run in todo]
logs = {}
for run in reversed(todo):  # kdv2 comes before discom, so that panels keep their order
    if run.config.seed == 0 and run.method != "teacher":
        logs[run.method] = stored.read_metrics(run.folder / "metrics.csv")
figure = plots.curves(dict(sorted(logs.items(), key=lambda item: item[0] != "kdv2")))
print(f"chance {100 / len(small.classes):.1f}, {live[0].counts}")
display(Markdown(tables.to_markdown(tables.paper_table(live, 1))))

# %% [markdown]
# *Figure: training loss (sums of different terms, so on different scales) and validation F1 of each sensor, seed 0.* **Take-away:** the second call trains nothing. The arrows are ↑ or ↓ only where the interval excludes zero, and ~ elsewhere. A thousand training scenes and three seeds make a table of the right form; its numbers rank nothing. Should one interval exclude zero, recall how many you read.
#
# ## The full tables, with their controls
#
# **On scenes the first place goes to `discom-solo`, a branch that never saw the other sensor.** Shown are the main rows ([all of Table 1](../results/scenes-table1.md), [all of Table 2](../results/scenes-table2.md)): weighted F1 × 100 on the test part, mean ± sd, and paired differences with 95 % intervals. To make them again: `discom table 1 --data scenes`, `discom table 2` likewise.

# %%
main = ["teacher", "student", "student-2x", "kdv2", "discom-solo", "discom"]
for (where, number), table in full.items():
    shown = table[table["method"].isin(main)]
    display(Markdown(f"**{where}, Table {number}**\n\n{tables.to_markdown(shown)}"))
for (where, number), table in full.items():
    few = table["method"].str.contains("lskd")
    expected = np.where(few, 5, 10) if where == "scenes" else 5
    check(f"{where}, Table {number}: n as planned", (table["n"] == expected).all())

# %%
for (where, number), table in full.items():
    figure = plots.intervals(table, tables.BASELINES)
    most = table["vs student"].max()
    figure.suptitle(f"{where}, Table {number}: largest gain over student {most:+.1f}")

# %% [markdown]
# *Figures: F1 of every row minus that of three controls, 95 % intervals; right of the dotted line is a gain.* **First look at the teacher.** On scenes the teacher of both sensors is no better than the RGB student, so it has nothing to teach it. It is 16 points better than the depth student, which does not gain from it either. On cells it is better, 91.6 against 89.5 for the stain alone. Still no interval of `kdv2` there lies above zero. (The paper's SUN RGB-D leaves most to hand on: its teacher of both sensors is 11.5 points above the better student.) On patches its teacher is nine points above the students of either sensor, and `kdv2` gains nothing.
#
# **Take-away:** against `student`, an interval to the right is an arrow that holds, taken alone. Only one of DisCoM-KD against `discom-solo` can come from the other sensor. Now the count.
#
# ## Which differences survive?
#
# A **family** is what is read together, and should be named before the p-values are seen. Two are counted here. *Table*: every row minus three controls. *Question*: DisCoM-KD minus its three controls, and `discom-solo` minus the two students. We picked the second knowing the table, so it shows what a family does; the verdict is the first.
#
# **Predict first:** which family leaves more gains?

# %%
def question(found):
    asked = (found["method"] == "discom") | (found["method"] == "discom-solo")
    return found[asked]


def survivors(found, family):
    found = found.assign(holm=tables.holm(found["p"]), family=family)
    found["alone"] = found["p"] < 0.05
    found["survives"] = found["holm"] < 0.05
    return found


judged = [survivors(found, "table") for found in tests.values()]
judged += [survivors(question(found), "question") for found in tests.values()]
judged = pd.concat(judged, ignore_index=True)
judged["sign"] = np.where(judged["difference"] > 0, "gains", "losses")
keys = ["family", "data", "table"]
counted = judged.groupby(keys, sort=False).agg(comparisons=("p", "size"))
counted["by luck"] = 0.05 * counted["comparisons"]
for name in ("alone", "survives"):
    for sign in ("gains", "losses"):
        found = judged[judged[name] & (judged["sign"] == sign)].groupby(keys).size()
        counted[f"{sign}, {name}"] = found.reindex(counted.index, fill_value=0)
counted.round(1)

# %%
shown = ["method", "minus", "modality", "difference", "p", "holm"]
for (family, where, number), rows in judged.groupby(keys, sort=False):
    print(f"\n{where}, Table {number}, family: {family}")
    if not rows["survives"].any():
        print("nothing survives")
    for sign, part in rows[rows["survives"]].groupby("sign"):
        text = part[shown].to_string(index=False, float_format="{:.4f}".format)
        print(f"{sign} that survive\n{text}")
    lost = rows[rows["alone"] & ~rows["survives"] & (rows["sign"] == "gains")]
    if len(lost):
        text = lost[shown].to_string(index=False, float_format="{:.4f}".format)
        print(f"gains, taken alone, that do not survive\n{text}")

# %% [markdown]
# **Reading, scenes, Table 2.** Read as a whole, the table has one gain: `discom-solo` over `student-2x` in depth, 0.9 points without any second sensor. Twelve losses survive, all in depth: those of `dkd`, `mlkd` and both forms of `mlkd+lskd`, against each control. DisCoM-KD trains on both sensors in either table, so its rows for depth return in Table 1.
#
# **Scenes, Table 1.** The same gain survives, and thirty losses: with a teacher of RGB every form of distillation lowers the depth student, `kdv2` least (after Holm only against `discom-solo`) and `mlkd+lskd` most. A likely cause is that it teaches the texture, which depth cannot see.
#
# **In the small family** of Table 2 four gains survive, each below one point: DisCoM-KD over `student` in depth, `discom-solo` over `student` in RGB and over `student-2x` in both. In that of Table 1, with half as many comparisons, DisCoM-KD over `student-2x` survives too: the verdict depends on the family. DisCoM-KD over `discom-solo` survives in none. On cells and on patches nothing survives in either family.
#
# ## The paper's order beside ours: what may be compared?
#
# **May not:** levels (other data, classes, image sizes), and margins in points (other epochs, width, optimiser, learning rate; theirs have no spread). Competitors differ too: ours are the official forms. **May:** the order of methods within a column, if it repeats. So each of our columns is also compared with itself, one seed against another. Spearman's ρ is the correlation of ranks, 1 for the same order, −1 for the reverse.
#
# **Predict first:** which agree better, two columns of the paper, or two seeds of ours?

# %%
rows = []
for number in (1, 2):
    for r in results["scenes", number]:
        name = re.sub(r" teacher=\w+", "", stored_label(r))
        rows += [(f"ours T{number} {s}", name, r.seed, f1) for s, f1 in r.f1.items()]
long = pd.DataFrame(rows, columns=["column", "method", "seed", "F1"])
order = {f"paper T{n} {d} {s}": printed[n, d, s] for n, d, s in printed}
agree = {}
for column in ("ours T1 depth", "ours T2 rgb", "ours T2 depth"):
    wide = long[long["column"] == column].pivot(index="method", columns="seed")["F1"]
    wide = wide.loc[ranked].dropna(axis=1)  # the seeds that all have
    order[column] = wide.mean(axis=1)
    between = wide.corr("spearman").to_numpy()
    agree[column] = np.median(between[np.triu_indices(len(between), 1)])
rho = pd.DataFrame(order).corr("spearman")
rho.iloc[9:, :9].T.round(2)

# %%
shuffled = [rng.permutation(len(ranked)) for _ in range(2000)]
by_luck = [stats.spearmanr(range(len(ranked)), each).statistic for each in shuffled]
luck = np.quantile(np.abs(by_luck), 0.95)
papers = rho.iloc[:9, :9].to_numpy()[np.tril_indices(9, -1)]
print(f"shuffled orders stay within ±{luck:.2f} in 95 %; median ρ of two columns:")
print(f"paper {np.median(papers):.2f}")
for column, value in agree.items():
    beyond = (rho.loc[column].iloc[:9] > luck).sum()
    print(f"{column}: two seeds {value:.2f}; {beyond} of the paper's 9 > {luck:.2f}")
plain = [name for name in competitors if not name.endswith("+lskd")]
for name, column in order.items():
    lower = sum(column[f"{each}+lskd"] < column[each] for each in plain)
    print(f"{name}: LSKD lowers {lower} of {len(plain)} methods")

# %% [markdown]
# **Take-away:** two seeds of ours. In depth our order repeats, and in RGB less so, where most methods lie within a point. The paper's columns agree less with each other; without its seeds we cannot tell whether data or noise is the reason. One thing recurs: LSKD lowers most methods in most columns, in the paper and here.
#
# ## What you should see, and what would be a bug
#
# Hand values and everything read from files hold to the digit on every machine; simulated shares move by a point or two with `seed`. The live table changes a little with threads, processor and versions: expect depth means of 60 to 70, below the full tables, since it learns from half as many scenes. A bug looks different: a run listed as failed, a file refused for its checksum, `discom` that differs between Tables 1 and 2, or Holm finding more than the plain count.
#
# ## Where it fails: differences that these tables cannot see
#
# "Not shown" is not "no difference". How large must a true difference be for the interval to exclude zero four times in five? With the noncentral t, our own median $s_d$ and the correction for overlap:

# %%
def power(difference, sd, n, overlap=0.0):
    """Probability that the 95 % paired interval of n seeds excludes zero."""
    t, shift = stats.t.ppf(0.975, n - 1), difference / sd / np.sqrt(1 / n + overlap)
    above, below = stats.nct.sf(t, n - 1, shift), stats.nct.cdf(-t, n - 1, shift)
    return above + np.nan_to_num(below)  # far out scipy says NaN for 0


grid = np.linspace(0.01, 10, 400)
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for (where, row), look in zip(by_data.iterrows(), ("-", "--", ":"), strict=True):
    n = int(row["n"])
    found = power(grid, row["sd"], n, row["overlap"])
    axis.plot(grid, 100 * found, f"k{look}", label=f"{where}, {n} seeds")
    smallest = grid[found > 0.8][0]
    print(f"{where}: found four times in five from {smallest:.1f} points")
axis.axhline(80, color="0.7", zorder=0)
axis.set(xlabel="true difference (F1 points)", ylabel="found (%)")
axis.set_title("Scenes show a difference of one point, real sets do not")
axis.legend(frameon=False)
draws = rng.normal(2, 1.5, (20_000, 5))
simulated = (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
check("no difference is 'found' in 5 %", np.isclose(power(0, 1, 5), 0.05))
check("formula and simulation agree", abs(simulated - power(2, 1.5, 5)) < 0.015)

# %% [markdown]
# *Figure: probability that an interval excludes zero over the true difference; the grey line is four in five.* **Take-away:** our tables often miss differences smaller than the printed values, even before a correction. On scenes a second sensor worth more than a point would probably have been seen. On cells one worth two points would often be missed, on patches one worth five.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Ten seeds, $s_d$ = 2 points: the half width of the paired interval into `answer_1`. *Hint:* `stats.t.ppf(0.975, 9)`.
# 2. **Write it (10 min).** Benjamini and Hochberg bound the *share* of false alarms instead: sort, $\tilde p_{(i)} = \min_{j \ge i} \min(1, m\, p_{(j)} / j)$. A function of p into `answer_2`. Does it keep more than Holm? *Hint:* accumulate from the largest p down.
# 3. **Plan (10 min).** How many seeds find a true difference of 2 points four times in five, if $s_d$ is 3? Into `answer_3`. *Hint:* `power`.
# 4. **Open (30 min+).** Run `mlkd` as published and as it should be, on scenes, three seeds or more, `discom train --method mlkd --as_published`; paired differences of one sensor into `answer_4`. *Hint:* `tables.label` tells the two apart.
#
# Worked answers are [kept apart](solutions/py/07_the_papers_tables.py).

# %%
answer_1 = answer_2 = answer_3 = answer_4 = None
p = tests["scenes", 2]["p"].to_numpy()
if answer_1 is not None:
    half = stats.t.ppf(0.975, 9) * 2 / np.sqrt(10)
    check("exercise 1", np.isclose(answer_1, half, atol=0.01))
if answer_2 is not None:
    check("exercise 2", np.allclose(answer_2(p), stats.false_discovery_control(p)))
if answer_3 is not None:
    check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))
if answer_4 is not None:
    check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())

# %% [markdown]
# ## What was seen
#
# - A cell's ± is not the uncertainty of a difference: on scenes two methods go up and down together (*What is a cell*). Splits of one set overlap, and their intervals must be wider (*Independent seeds*).
# - How many of the paper's arrows would stand depends on a spread that it does not print: a sensitivity, not a verdict (*How much spread*).
# - In the authors' code one term of MLKD drives the student towards an undecided answer, and the teacher stays in training mode (*As it was run*).
# - A DisCoM-KD branch has twice a student's parameters; without a teacher it is still no cheaper to train than `kdv2` (*Same budget*).
# - The title's question: the paper reports DisCoM-KD first in eight of nine columns. In ours it gains half a point over the student in depth, which survives in a small family and not in the whole table. Its branch trained alone gains as much, so nothing is shown to come from the second sensor (*Which differences survive*).
#
# **Limitations.** One synthetic family and two real sets, not the paper's; a small network, thirty epochs; official competitors with their authors' weights, not tuned here; Student's t takes differences as normal, which so few seeds cannot check. **Next:** the same commands with `--profile paper`, on the paper's data.

# %% [markdown]
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Tables 1 and 2, section 4; [released code](https://github.com/tanodino/CMKD_Disentangle) (competitors at commit fab65e7).
# - Y. Jin et al., *Multi-Level Logit Distillation*, CVPR 2023, [official code](https://github.com/Jin-Ying/Multi-Level-Logit-Distillation).
# - C. Nadeau, Y. Bengio, *Inference for the generalization error*, Machine Learning 52, 2003 · S. Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979 · Y. Benjamini, Y. Hochberg, *Controlling the false discovery rate*, JRSS B 57, 1995.
# - Modules: `discom/tables/rows.py`, `discom/tables/statistics.py`, `discom/sweep.py`, `discom/losses/multilevel.py`; tests: `tests/tables/test_rows.py`, `tests/tables/test_statistics.py`, `tests/test_sweep.py`, `tests/losses/test_multilevel.py`. Patches: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0). Cells: T. Blasi et al., 2016, BSD-3-Clause. Scenes, text and code: this repository, MIT.

# %%
finish()
