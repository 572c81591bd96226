# %% [markdown]
# # 07 · Which numbers of a results table can carry a claim?
#
# You take the paper's Tables 1 and 2 apart, train a small one, and read the full ones with controls, intervals and a count of comparisons.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/07_the_papers_tables.ipynb)
# · [solutions](solutions/py/07_the_papers_tables.py) · [module `discom.tables`](../discom/tables/)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** a paired interval by hand · **ask** how much spread a published margin could bear · **plan, run and resume** a table · **judge** many comparisons together |
# | Prerequisites | [03 training](03_training.ipynb) (`fit`, paired seeds); what a mean and a standard deviation are |
# | Time | one or two minutes on two CPU cores, most of them in the live table; the last cell prints the seconds of this run; a GPU is used where there is one, and was not timed |
# | Memory, disk | 3 GB of memory (two workers), 50 MB of disk |
# | Data, licence | finished runs from [results/](../results), the paper's figures from the package, scenes drawn on the spot, MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## What does a table claim?
#
# The paper's Table 1 is **cross-modal**: a teacher reads one sensor, the student another. Table 2 is **multi-modal**: the teacher reads all of them. Each cell is a mean over five runs; a green or red arrow says whether it lies above or below the student's. Read quickly, that is a ranking.
#
# Is it one? The cells come without a spread. DisCoM-KD's branch is larger than the student. And with many cells, some arrows point up by luck alone. So the way from runs to a claim is walked step by step:
#
# ```text
# run ─► cell ─► paired difference ─► interval ─► many intervals ─► claim
#  seed   mean     same seed and split   t, n − 1     Holm            with its controls
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
# of the split that is looked at and of the simulations; the live table has seeds of its
# own
seed = 0
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which numbers, and from where?
#
# *Our runs*: one JSON record each, test F1 with settings, machine and checksum, on drawn scenes (RGB and depth, MIT) and on satellite patches (RGB and elevation; [size, source, licence](../data/README.md)). *The paper's figures*: means of five runs, from its Tables 1 and 2. *A small draw of scenes* for the live table, split by scene and class; pixels have no unit.

# %%
place = data if ":" in data else f"{data}:n=600"
small = sets.load(place)
sensors, split = list(small.modalities), small.split(seed=seed)
held = [
    r
    for name in ("scenes", "hls")
    for r in tables.load_results(f"../results/{name}-cpu.json")
]
named = [
    (r.data, tables.label(r.method, r.config["options"]), s, r.seed, f1)
    for r in held
    for s, f1 in r.f1.items()
]
long = pd.DataFrame(named, columns=["data", "method", "modality", "seed", "F1"])
# a column for each cell of a table
wide = long.pivot(index="seed", columns=["data", "method", "modality"], values="F1")
display(long.groupby("data")["F1"].describe()[["count", "min", "max"]].round(1))
display(
    pd.DataFrame(
        {
            part: {s: f"{m.x.shape} {m.x.dtype}" for s, m in p.modalities.items()}
            for part, p in split._asdict().items()
        }
    )
)
figure = plots.pairs(split.train)

# %%
ids = [set(part.ids.tolist()) for part in split]
check(
    "no scene is in two parts", sum(map(len, ids)) == len(set.union(*ids)) == len(small)
)
check(
    "every class is in every part",
    all(len(np.unique(part.labels)) == len(small.classes) for part in split),
)
check(
    "row i of both sensors is the same scene",
    all((m.ids == split.train.ids).all() for m in split.train.modalities.values()),
)
check(
    "scaled pixels lie in [0, 1]",
    all(
        0 <= part.images(s).min() <= part.images(s).max() <= 1
        for part in split
        for s in sensors
    ),
)
shared = {
    (r.data, str({k: v for k, v in r.config.items() if k not in ("seed", "options")}))
    for r in held
}
check(
    "runs of one data set differ in method and seed alone",
    len(shared) == len({r.data for r in held}),
)

# %% [markdown]
# *Figure: one scene per class, RGB over depth; black squares in depth are holes.* **Take-away:** the runs are comparable before any of them is compared.
#
# ## What is a cell, and why is its ± not the uncertainty of a difference?
#
# A cell is a mean over seeds, its ± the spread of the seeds. A seed draws split and weights; some splits are hard for *every* method. This shared part cancels when runs of the same seed are subtracted:
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
apart = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
print(
    f"cells {a.mean():.0f} ± {a.std(ddof=1):.1f} and {b.mean():.0f} ±"
    f" {b.std(ddof=1):.1f}; differences {d}, sd {d.std(ddof=1):.2f}"
)
print(
    f"paired {d.mean():.1f} ± {half:.2f}; as if the seeds had nothing in common"
    f" {d.mean():.1f} ± {(apart.high - apart.low) / 2:.2f}"
)
check(
    "by hand: squares of d − 2 sum to 6, so s_d = √(6/4), and t_4 = 2.776",
    np.isclose(half, 2.776 * np.sqrt(6 / 4 / 5), atol=1e-3),
)
check(
    "the package gives the same interval",
    np.allclose(tables.paired_difference(a, b), (2, 2 - half, 2 + half)),
)
check(
    "the variances add up",
    np.isclose(d.var(ddof=1), a.var(ddof=1) + b.var(ddof=1) - 2 * np.cov(a, b)[0, 1]),
)


# %%
def unpaired(row):
    """Width of the interval (Welch) as if the seeds had nothing in common."""
    both = (
        wide[row["data"], name, row["modality"]].dropna()
        for name in (row["method"], row["minus"])
    )
    return np.ptp(stats.ttest_ind(*both, equal_var=False).confidence_interval())


by_set = {
    where: [r for r in held if r.data == where] for where in long["data"].unique()
}
rows = [(name, "student") for name in long["method"].unique() if name != "student"]
pairing = pd.concat(
    [tables.compare(results, rows) for results in by_set.values()], ignore_index=True
)
pairing["sd"] = [each.std(ddof=1) for each in pairing["each"]]
pairing["ratio"] = (pairing["high"] - pairing["low"]) / pairing.apply(unpaired, axis=1)
asked = {
    "comparisons": ("n", "size"),
    "n": ("n", "min"),
    "sd": ("sd", "median"),
    "ratio": ("ratio", "median"),
    "narrower": ("ratio", lambda r: (r < 1).sum()),
}
by_data = pairing.groupby("data").agg(**asked)
check(
    "an interval that excludes zero has p below 5 %",
    ((pairing["low"] * pairing["high"] > 0) == (pairing["p"] < 0.05)).all(),
)
display(by_data.round(2), pairing.groupby(["data", "modality"]).agg(**asked).round(2))

# %% [markdown]
# **Reading.** Every cell is compared with `student` on the same data and sensor by `tables.compare`. `sd` is the median $s_d$ in F1 points; `ratio` the median width of the paired interval over the unpaired one (Welch); `narrower` counts where pairing has paid. It has a price: the paired t has n − 1 degrees of freedom, so where seeds share little it is the wider one. We pair because the seeds were planned in pairs, not because it helps in a given row.
#
# ## How much spread could the paper's arrows bear?
#
# The paper prints no spread, so we cannot say which of its arrows would hold. What can be computed is a **sensitivity**: turn the interval round and ask how small $s_d$ must have been.
#
# $$
# |\bar d| > t_{n-1}\, \frac{s_d}{\sqrt n} \iff s_d < \frac{\sqrt n}{t_{n-1}}\, |\bar d|
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\bar d$ | `margin` | method − student, a difference of two printed means |
# | $s_d$ | `spread` | **hypothetical**, the same for all, runs taken as paired |
#
# **Predict first:** a margin of 2 points, five seeds: how small must $s_d$ be?

# %%
paper = tables.paper_figures().query("modality != 'all' and table < 3")
printed = paper.pivot(
    index="method", columns=["table", "data", "modality"], values="f1"
)
printed = printed.dropna(axis=1, thresh=2).loc[
    [name for name in methods.names() if name in printed.index and name != "teacher"]
]
competitors = [name for name in printed.index if methods.get(name).taught]
margin = printed.loc[[*competitors, "discom"]] - printed.loc["student"]  # an arrow each
per_sd = stats.t.ppf(0.975, 4) / np.sqrt(5)
print(
    f"{margin.size} arrows, {int((margin == 0).sum().sum())} of them at a margin of"
    f" exactly 0; 2 points need s_d < {2 / per_sd:.2f}"
)
check(
    "by hand: √5 / 2.776 = 0.8055, times 2 is 1.61",
    np.isclose(2 / per_sd, 2 * 0.8055, atol=1e-3),
)
best = printed.loc[competitors]
close = pd.DataFrame(
    {
        "best competitor": best.idxmax(),
        "discom − it": printed.loc["discom"] - best.max(),
    }
)
close["needs s_d below"] = close["discom − it"].abs() / per_sd
display(printed.T, close.round(2))

# %%
grid = np.linspace(0, max(8, 1.6 * by_data["sd"].max()), 321)
figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
for name, part, look in (
    ("DisCoM-KD", margin.loc[["discom"]], "k-"),
    ("competitors", margin.loc[competitors], "k--"),
):
    points = part.abs().to_numpy().ravel()
    axis.plot(
        grid,
        [100 * (points > s * per_sd).mean() for s in grid],
        look,
        label=f"{name}, {points.size} arrows",
    )
for number, (where, one) in enumerate(by_data.iterrows()):
    axis.axvline(one["sd"], color="0.5", ls=":")
    axis.text(one["sd"] + 0.1, 88 - 12 * number, f"our {where}", fontsize=8)
axis.set(
    xlabel="hypothetical sd of a paired difference (F1 points)",
    ylabel="arrows left (%)",
    ylim=(0, 103),
)
axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
for spread in (0.5, 1, 2, 4):
    kept = margin.abs() > spread * per_sd
    print(
        f"were s_d {spread}: {kept.sum().sum()} of {margin.size} arrows exclude zero;"
        f" of DisCoM-KD's {kept.shape[1]}, {kept.loc['discom'].sum()}"
    )

# %% [markdown]
# *Figure: share of arrows whose interval would exclude zero, falling with the spread that one assumes; dotted lines mark the median $s_d$ of our own small runs.* **Take-away:** this says nothing about the paper's runs, whose spread may be smaller or larger than ours and may differ between data sets. It says what a reader would have to know. Two more things show in the figures: an arrow at margin 0 is no difference at all, and on SUN RGB-D in Table 1 the paper's text compares DisCoM-KD with 42.87 (`mlkd+lskd`) as best competitor, where its table has `mlkd` higher.
#
# ## As it was run, or as it should have been?
#
# The authors published their code, and that is to their credit: only so can one see where a competitor differs from its official code. In theirs, MLKD's instance term has teacher and student exchanged, and a probability where a logarithm belongs:
#
# $$
# \text{official: } \sum_c p^t_c \,(\log p^t_c - \log p^s_c) \qquad
# \text{theirs: } \frac1C \sum_c p^s_c \,(\log p^s_c - p^t_c)
# $$
#
# With a multiplier for $\sum_c p^s_c = 1$, the second is lowest where $\log p^s_c - p^t_c$ is constant: $p^s = \mathrm{softmax}(p^t)$, a softmax of *probabilities*.
#
# | symbol | in code | shape |
# |---|---|---|
# | $p^t, p^s$ | `p_t`, what `settle` returns | [1, C], one sample, T = 1 |
#
# **Predict first:** a teacher is quite sure of one class among nine. How sure is the student at that minimum?

# %%
def settle(loss, classes):
    """Where a loss sends the student's probabilities, if nothing else pulls."""
    z = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
    for _ in range(4000):
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
# However sure the teacher, the swapped term asks for an undecided answer. In the whole loss a cross-entropy pulls the other way, and the batch and class terms pull to the teacher. In the printed tables `mlkd` falls far below the student in some columns; whether this term is the reason, only runs can tell. The package holds each such difference as an option, named in `published`. Two more are no options of a loss: in the released code the teacher stays in **training mode**, and the student trains without augmentation (the paper says that all approaches are augmented).

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
# **Reading.** A teacher in training mode answers differently in other company. Our tables use the official forms, with MLKD's class term divided by $(B / C)^2$, and a teacher in eval mode. To rerun with the authors' options: `discom table 1 --as_published`, or `discom train --method mlkd --as_published` for one row; a student without augmentation is `discom train --method student --augment 0`; a teacher in training mode is not offered. [Notebook 02](02_model_and_losses.ipynb) takes the modality targets apart.
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
# | $m$ | `len(p)` | comparisons that are read together, the family |
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
rng, m = np.random.default_rng(seed), 33
# 2000 tables of m paired differences
equals = stats.ttest_1samp(rng.standard_normal((2000, m, 5)), 0, axis=2).pvalue
alarm, corrected = (
    (equals < 0.05).any(1).mean(),
    np.mean([(holm(p) < 0.05).any() for p in equals]),
)
print(
    f"tables of equals with a false alarm: {100 * alarm:.0f} % (formula"
    f" {100 * (1 - 0.95**m):.0f} %), after Holm {100 * corrected:.1f} %"
)
for label, level in (
    ("one comparison", 0.05),
    (f"Holm's first step among {m}", 0.05 / m),
):
    print(
        f"{label}: five seeds need a difference of"
        f" {stats.t.ppf(1 - level / 2, 4) / np.sqrt(5):.2f} sd"
    )
check("simulation and formula agree within 3 points", abs(alarm - (1 - 0.95**m)) < 0.03)
check("after Holm false alarms are about 5 % or fewer", corrected < 0.065)

# %% [markdown]
# **Reading.** The correction has a price: the printed "need" lines say what a difference must reach. What follows prints both counts, and a claim should say which it rests on. Comparisons that share a baseline are dependent, so for real tables the formula is only a yardstick.
#
# ## Same budget? What each row costs
#
# For all rows the same: data, split, epochs, batches, augmentation, optimiser, choice of epoch on validation, one look at the test part. Not the same: parameters at use, and what has to be trained to get there. Cost is counted as parameters trained × views of a batch, for what the table deploys, its teacher included, in units of one student network; the teacher's forward passes are left out.
#
# **Predict first:** DisCoM-KD does without a teacher. In which table is it the cheaper one?

# %%
def size(name, held, config, **options):
    """Parameters that a step trains, times views, and those of the network deployed
    for the last sensor."""
    with torch.device("meta"):  # shapes without numbers
        model = methods.build(
            methods.get(name), held, settings(config, options=options)
        )
        count = [
            sum(p.numel() for p in net.parameters())
            for net in (model, model.branch(model.deployed[-1]))
        ]
    return count[0] * (1 + model.strong_view), count[1]


last, rows = small.select(sensors[1:]), {}
unit = size("student", last, "cpu")[0]
before = {
    reads: size("teacher", small, "cpu", reads=reads)[0]
    for reads in (sensors[0], "all")
}
for number in (1, 2):
    for name, options in tables.paper_rows(number, sensors)[1:]:
        alone = number == 1 and name in tables.BASELINES
        trained, use = size(name, last if alone else small, "cpu", **options)
        rows.setdefault(name, {"parameters at use": use})[f"cost, Table {number}"] = (
            trained + before.get(options.get("teacher"), 0)
        ) / unit
budget = pd.DataFrame(rows).T
check(
    "a DisCoM-KD branch is two students large, within 2 %",
    all(
        abs(budget.loc[k, "parameters at use"] / unit / 2 - 1) < 0.02
        for k in ("student-2x", "discom-solo", "discom")
    ),
)
budget.astype({"parameters at use": int}).round(2)

# %% [markdown]
# **Take-away:** methods come in two sizes, which is why every table here carries `student-2x` and `discom-solo`, two controls that the paper lacks. Doing without a teacher is not by itself cheaper: it depends on how many sensors are deployed.
#
# ## A small table, live
#
# A table is a list of runs. `sweep.missing` says which are not there yet, teachers first; `sweep.sweep` trains the rest in worker processes. **Predict first:** what does a second call do?

# %%
folder = Path(runs) / "live-table"
# a fresh table each time; leave this out to go on with the old one
shutil.rmtree(folder, ignore_errors=True)


def plan(seeds, chosen=("student", "discom-solo", "kdv2", "discom")):
    # every seed draws its own scenes
    draws = {s: sets.load(sets.at_seed(place, s)) for s in seeds}
    return [
        stored.Run.of(
            folder,
            methods.get(name),
            draws[s],
            settings(
                profile,
                seed=s,
                options=options,
                epochs=min(10, settings(profile).epochs),
                batch_size=32,
            ),
        )
        for s in seeds
        for name, options in tables.paper_rows(1, sensors)
        if name in chosen
    ]


wanted = plan(range(3))
todo, _ = sweep.missing(wanted)
print(f"{len(wanted)} runs wanted, {len(todo)} to train with their teachers")
check(
    "each student's teacher is trained before it",
    all(run.teacher in todo[:place] for place, run in enumerate(todo) if run.teacher),
)

# %%
failed = sweep.sweep(wanted, place, progress=False)
check("no run failed", not failed)
check("a second call has nothing left to train", not sweep.missing(wanted)[0])
print(f"a fourth seed would add {len(sweep.missing(plan(range(4)))[0])} runs")
live = [stored.Result.read(run.folder / "result.json") for run in todo]
logs = {
    run.method: stored.read_metrics(run.folder / "metrics.csv")
    for run in reversed(todo)
    if run.config.seed == 0 and run.method != "teacher"
}
# kdv2 first: it has no RGB
figure = plots.curves(dict(sorted(logs.items(), key=lambda item: item[0] != "kdv2")))
check(
    "the kept epoch is the best on validation",
    all(
        r.scores[sensors[-1]]["valid_f1"]
        == logs[r.method][f"valid_f1/{sensors[-1]}"].max()
        for r in live
        if r.seed == 0 and r.method in logs
    ),
)
print(
    f"chance {100 / len(small.classes):.1f}, {live[0].config['epochs']} epochs,"
    f" {live[0].counts}"
)
display(Markdown(tables.to_markdown(tables.paper_table(live, 1))))

# %% [markdown]
# *Figure: training loss (sums of different terms, so on different scales) and validation F1 of each sensor, seed 0.* **Take-away:** the arrows here are ↑ or ↓ only where the interval excludes zero, and ~ elsewhere. A few hundred scenes, few epochs and three seeds make a table of the right form; set beside the printed chance, its numbers rank nothing.
#
# ## The full tables, with their controls
#
# From [results/](../results): weighted F1 × 100 on the test part, mean ± sd over seeds, Δ = row − column, paired by seed, with 95 % Student-t intervals. To make them again: `discom table 1 --data scenes --seeds 5 --runs runs`, `discom table 2` likewise, then `discom show runs --collect FILE`. On the patches a part of Table 2 was not run.

# %%
full, labels = {}, {}
for where in wide.columns.unique("data"):
    results = [r for r in held if r.data == where]
    names = list(dict.fromkeys(s for r in results for s in r.f1 if "+" not in s))
    for number in (1, 2):
        labels[where, number] = {
            name: tables.label(name, options)
            for name, options in tables.paper_rows(number, names)
        }
        full[where, number] = table = tables.paper_table(results, number)
        print(
            f"{where}, Table {number}: {table['method'].nunique()} of"
            f" {len(labels[where, number])} methods, seeds {table['n'].min()} to"
            f" {table['n'].max()}, chance {100 / results[0].classes:.1f}"
        )
        display(
            Markdown(tables.to_markdown(table.drop(columns="paper", errors="ignore")))
        )
protocol = (
    pd.DataFrame({"ours": held[0].config, "paper": vars(settings("paper"))})
    .drop(["seed", "options"])
    .dropna()
)
display(protocol[protocol["ours"].astype(str) != protocol["paper"].astype(str)])
print(
    "best accuracy possible on scenes:",
    {
        s: round(100 * sets.scenes.best_accuracy(e), 1)
        for s, e in (("rgb", 0.10), ("depth", 0.25))
    },
)
check(
    "scenes: five seeds in every cell",
    all(
        (table["n"] == 5).all()
        for (where, _), table in full.items()
        if where == "scenes"
    ),
)

# %%
for where in wide.columns.unique("data"):
    both = [
        full[where, number].assign(
            modality=full[where, number]["modality"] + f", Table {number}"
        )
        for number in (1, 2)
    ]
    figure = plots.intervals(pd.concat(both), tables.BASELINES)
    figure.suptitle(where)

# %% [markdown]
# *Figures: for each data set, F1 of every row minus that of `student`, `student-2x` and `discom-solo`, markers with 95 % intervals; a panel for each table and sensor; the dotted line is no difference.* **First look at the teacher.** The paper's reads the richer sensor and is above its student in Table 1. Where a table shows ours below its student, that student is asked to copy a poorer one, and a loss is no surprise (`--teacher` names another). **Take-away:** against `student`, an interval to the right of the line is an arrow that holds, taken alone. Against the other two it says that capacity, or extra supervision, is not the whole explanation. Now the count.

# %%
tests = []
for (where, number), table in full.items():
    pairs = [
        (labels[where, number][name], other)
        for name in [*competitors, "discom"]
        for other in tables.BASELINES
    ]
    found = tables.compare(by_set[where], pairs)
    # Table 1: the poorer sensor alone
    found = found[
        found["modality"].isin(table.loc[table["method"] == "student", "modality"])
    ]
    # a family: all that one table compares
    tests.append(
        found.assign(
            table=number,
            holm=tables.holm(found["p"]),
            method=found["method"].str.split(" ").str[0],
        )
    )
tests = pd.concat(tests, ignore_index=True)
tests["gain"], tests["loss"] = tests["low"] > 0, tests["high"] < 0
for sign in ("gain", "loss"):
    tests[f"{sign} after Holm"] = tests[sign] & (tests["holm"] < 0.05)
counted = tests.groupby(["data", "table", "minus"], sort=False).agg(
    comparisons=("p", "size"),
    **{
        sign: (sign, "sum")
        for sign in ("gain", "loss", "gain after Holm", "loss after Holm")
    },
)
print(
    f"{len(tests)} comparisons; between equals about {0.05 * len(tests):.0f}"
    " intervals would exclude zero"
)
for line in tests[tests["method"] == "discom"].itertuples():
    verdict = "gain" if line.gain else "loss" if line.loss else "within noise"
    print(
        f"{line.data}, Table {line.table}, {line.modality}: discom − {line.minus}"
        f" {line.difference:+.1f} [{line.low:+.1f}, {line.high:+.1f}], {verdict}; p"
        f" {line.p:.3f}, Holm {line.holm:.2f}"
    )
whole = tests.groupby(["data", "table", "method", "modality"], sort=False)[
    ["gain", "gain after Holm"]
].all()
print("rows that gain over all three baselines:", whole.sum().to_dict())
counted

# %% [markdown]
# **Reading.** `gain` and `loss` count intervals one by one; compare them with the number that luck alone would give. The columns after Holm count what stands when a table is read as a whole: one gain, over `student-2x` in Table 2 on scenes. DisCoM-KD's RGB network gains +9.5 [+6.1, +12.9] over `student` and +8.1 [+3.7, +12.4] over `student-2x`, taken alone; over its own branch alone it is +1.7 [−2.7, +6.2]. A gain that fades against a control is not shown to be distillation. DisCoM-KD trains on both sensors whatever the table, so its lines of Table 1 return in Table 2. A layer before its parts changes this picture ([05](05_ablations.ipynb)); no row here has it.
#
# ## The paper's order beside ours: what may be compared?
#
# **May not:** levels (other data, classes, image sizes), and margins in points (other epochs, width, learning rate, augmentation, as the short table above lists; and theirs have no spread). Competitors differ too: ours are the official forms. **May:** the order of methods within a column, as ranks. But an order is only worth comparing if it repeats, so each of our columns is also compared with itself, one seed against another. Spearman's ρ is the correlation of ranks, 1 for the same order, −1 for the reverse.
#
# **Predict first:** which agree better, two columns of the paper, or two seeds of ours?

# %%
ranked = ["student", *competitors, "discom"]
order, own = (
    {
        f"paper T{n} {where} {s}": printed[n, where, s].loc[ranked]
        for n, where, s in printed
    },
    {},
)
for (where, number), table in full.items():
    for s in table.loc[table["method"] == "student", "modality"]:
        names = {labels[where, number][name]: name for name in ranked}
        # seeds × methods
        block = (
            wide[where]
            .xs(s, axis=1, level="modality")
            .reindex(columns=list(names))
            .dropna(axis=1, how="all")
            .rename(columns=names)
        )
        key, seeds = (
            f"ours T{number} {where.split('-')[0]} {s}",
            block.dropna().T.corr("spearman").to_numpy(),
        )
        order[key], own[key] = (
            block.mean(),
            float(np.median(seeds[np.triu_indices(len(seeds), 1)])),
        )
rho = pd.DataFrame(order).corr("spearman", min_periods=6)
luck = np.quantile(
    [
        abs(stats.spearmanr(np.arange(12), rng.permutation(12)).statistic)
        for _ in range(2000)
    ],
    0.95,
)
for name, values in {
    "paper, paper": rho.to_numpy()[:9, :9][np.tril_indices(9, -1)],
    "ours, paper": rho.to_numpy()[9:, :9].ravel(),
}.items():
    print(
        f"{name}: median ρ {np.nanmedian(values):.2f}, {(abs(values) > luck).sum()}"
        f" of {np.isfinite(values).sum()} pairs of columns beyond ±{luck:.2f}"
    )
print(
    f"n = {len(ranked)} methods; shuffled orders stay within ±{luck:.2f} in 95 %;"
    " seed against seed:",
    {key: round(r, 2) for key, r in own.items()},
)
rho.iloc[9:, :9].round(1)

# %% [markdown]
# *Last table: ρ of our columns with the paper's.* **Take-away:** where our own seeds hardly agree (patches, RGB), an order is luck, and so is its agreement with the paper. Where they agree well, our order belongs to our set-up, and a low ρ with the paper means that another set-up orders the methods differently. The paper's two tables share students and DisCoM-KD's runs, so its columns agree partly for that reason. n is small, and many pairs are looked at.
#
# ## What you should see, and what would be a bug
#
# Hand values, minima and counts of the paper's arrows hold to the digit on every machine; simulated shares move by a point or two with `seed`; the full tables are read from files. The live table does change, since threads, processor and versions change rounding and training turns rounding into points: expect its means between 5 and 25, near the chance of 11.1, and a full run of `discom` on scenes within three sd of its cell (RGB 57.8 ± 4.9, depth 61.9 ± 3.0). A bug looks different: a run listed as failed, a file refused for its checksum, `discom` that differs between Tables 1 and 2, or Holm finding more than the plain count.
#
# ## Where it fails: differences that these tables cannot see
#
# "Within noise" is not "no difference". How large must a true difference be for the interval to exclude zero four times in five? With the noncentral t and our own median $s_d$:

# %%
def power(difference, sd, n):
    """Probability that the 95 % paired interval of n seeds excludes zero."""
    t, shift = stats.t.ppf(0.975, n - 1), difference / sd * np.sqrt(n)
    # far out scipy says NaN for 0
    return stats.nct.sf(t, n - 1, shift) + np.nan_to_num(
        stats.nct.cdf(-t, n - 1, shift)
    )


grid = np.linspace(0.01, 15, 300)
figure, axes = plt.subplots(
    1, len(by_data), figsize=(9, 3), sharey=True, layout="constrained"
)
for axis, (where, one) in zip(np.atleast_1d(axes), by_data.iterrows(), strict=True):
    for count, look in ((3, ":"), (5, "-"), (10, "--")):
        axis.plot(
            grid,
            100 * power(grid, one["sd"], count),
            f"k{look}",
            label=f"{count} seeds",
        )
    axis.axhline(80, color="0.7", zorder=0)
    axis.set(
        title=f"{where}, sd {one['sd']:.1f}",
        xlabel="true difference (F1 points)",
        ylabel="found (%)" if where == by_data.index[0] else "",
    )
    needed = {
        count: next(
            (
                x
                for x in np.linspace(0.05, 60, 1200)
                if power(x, one["sd"], count) > 0.8
            ),
            np.inf,
        )
        for count in (int(one["n"]), 10, 30)
    }
    print(
        f"{where}: found four times in five from",
        ", ".join(f"{x:.1f} points ({count} seeds)" for count, x in needed.items()),
    )
np.atleast_1d(axes)[-1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
draws = rng.normal(2, 1.5, (20_000, 5))
simulated = (stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05).mean()
check("no difference is 'found' in 5 %", np.isclose(power(0, 1, 5), 0.05))
check(
    "formula and simulation agree within 1.5 points",
    abs(simulated - power(2, 1.5, 5)) < 0.015,
)

# %% [markdown]
# *Figure: probability that an interval excludes zero, over the true difference, for three numbers of seeds; the grey line is four in five.* **Take-away:** our tables are blind to differences below the printed points, before any correction for many comparisons. So "DisCoM-KD is not shown to beat its own branch alone" may mean that nothing crosses over, or that little does. Only more seeds can tell.
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
if answer_1 is not None:
    check(
        "exercise 1",
        np.isclose(answer_1, stats.t.ppf(0.975, 9) * 2 / np.sqrt(10), atol=0.01),
    )
if answer_2 is not None:
    check(
        "exercise 2",
        np.allclose(
            answer_2(tests["p"].to_numpy()), stats.false_discovery_control(tests["p"])
        ),
    )
if answer_3 is not None:
    check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))
if answer_4 is not None:
    check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())

# %% [markdown]
# ## What was seen
#
# - A cell's ± is not the uncertainty of a difference; pairing by seed changes its interval by the printed ratio (*What is a cell*).
# - How many of the paper's arrows would stand depends on a spread that it does not print: a sensitivity, not a verdict (*How much spread*).
# - In the authors' code one term of a competitor asks for an undecided answer, and a teacher moves while it teaches (*As it was run*).
# - A DisCoM-KD branch has two students' parameters; teacher-free is not always cheaper (*Same budget*).
# - The title's question: taken alone, plain distillation gains over `student` on scenes, and DisCoM-KD does in RGB; after Holm one gain is left, over `student-2x`, and no row gains over all three baselines (*The full tables*). Smaller differences than those under *Where it fails* our tables miss.
#
# **Limitations.** Two data sets, a small network, few epochs and seeds; official competitors, not the authors' variants; Student's t takes differences as normal, which so few seeds cannot check; one family per table is a choice. **Next:** the same commands with `--profile paper`, on the paper's data.

# %% [markdown]
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Tables 1 and 2, section 4; [released code](https://github.com/tanodino/CMKD_Disentangle) (competitors at commit fab65e7).
# - Y. Jin et al., *Multi-Level Logit Distillation*, CVPR 2023, [official code](https://github.com/Jin-Ying/Multi-Level-Logit-Distillation).
# - S. Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979 · Y. Benjamini, Y. Hochberg, *Controlling the false discovery rate*, JRSS B 57, 1995.
# - Modules: `discom/tables/`, `discom/tables/statistics.py`, `discom/sweep.py`, `discom/losses/multilevel.py`; tests: `tests/tables/test_rows.py`, `tests/tables/test_statistics.py`, `tests/test_sweep.py`, `tests/losses/test_multilevel.py`. Patches: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0). Scenes, text and code: this repository, MIT.

# %%
finish()
