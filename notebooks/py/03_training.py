# %% [markdown]
# # 03 · Does DisCoM-KD beat a student of its own size?
#
# Not measurably. On synthetic scenes it gains less than one F1 point, which does not survive a correction for multiple comparisons. Its own branch, trained without the other sensor, does as well. You write the training loop, train DisCoM-KD and three baselines with it, and read a comparison over ten seeds.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/03_training.ipynb) · [solutions](solutions/py/03_training.py) · module [discom/training.py](../discom/training.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **write** the training loop by hand · **choose** a precision by measuring · **pick** an epoch without touching the test part · **compare** methods by paired seeds |
# | Prerequisites | [01 data preparation](01_data_preparation.ipynb), [02 the model and its losses](02_model_and_losses.ipynb) |
# | Time | three to four minutes on two CPU cores, most of them in the four live runs; half a minute with the `tiny` profile; a GPU is used when there is one |
# | Memory, disk | 2 GB of memory, 60 MB of disk |
# | Data, licence | synthetic scenes, drawn here by `discom.data.scenes`, MIT; results on two real sets are read from files of this repository |
# | Stored outputs | one run from top to bottom, on the machine, with the versions and on the day that the first output names |

# %% [markdown]
# ## What would be a fair comparison?
#
# DisCoM-KD's branch for one sensor holds **two** encoders, the paper's student holds **one**. If the branch wins, three explanations compete: more parameters, extra supervision (the auxiliary head and the orthogonality term), or knowledge transferred from the other sensor. Only the last is cross-modal distillation. Each baseline takes one explanation away, as the figure below shows. Everything else (data, split, augmentation, batches, epochs, optimiser) is the same for all four, because one function, `fit`, trains them all.

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
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown

from discom import fit, methods, plots, tables
from discom import data as sets
from discom.config import profile as settings
from discom.notebook import check, finish, stamp
from discom.methods import build

# %% tags=["parameters"]
data = "scenes"  # what discom.data.load reads, the embedded scenes or a prepared folder
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of scenes, split, weights and batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed)

# %%
figure, axis = plt.subplots(figsize=(7, 1.7), layout="constrained")
axis.set(xlim=(-0.5, 3.6), ylim=(-0.3, 0.7))
axis.axis("off")
names = ["student", "student-2x", "discom-solo", "discom"]
removes = dict(
    zip(
        names,
        [
            "–",
            "a second encoder",
            "auxiliary and orthogonality terms",
            "the other sensor",
        ],
        strict=True,
    )
)
for place, name in enumerate(names):
    box = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": "black"}
    axis.text(place, 0, name, ha="center", va="center", bbox=box)
    if place:
        axis.annotate(
            "",
            (place - 0.3, 0.2),
            (place - 0.7, 0.2),
            arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.2},
        )
        axis.text(
            place - 0.5,
            0.3,
            "+ " + removes[name].replace(" and ", "\nand "),
            ha="center",
            fontsize=8,
        )

# %% [markdown]
# *Figure: four boxes in a row, student, student-2x, discom-solo, discom; each arrow names what the next method adds: a second encoder, the auxiliary and orthogonality terms, the other sensor.* **Take-away:** only the last arrow can show cross-modal transfer. It also adds the adversarial and modality terms, so even a gain there would need a further control.
#
# ## The data: what goes in?
#
# Paired scenes of one object each, seen by a colour camera and by a depth sensor; drawn here, MIT licence. A class is a shape together with a material. Both sensors see the outline; the material shows as a texture in RGB and as a relief in depth, and either cue is sometimes wrong. Pixels have no unit. The split is by scene, stratified by class, and drawn from the run's seed.

# %%
whole = sets.load(sets.at_seed(data, seed))  # scenes are drawn anew for each seed
split = whole.split(seed=seed)
parts = split._asdict().items()
display(
    pd.DataFrame(
        {
            part: {name: str(m.x.shape) for name, m in held.modalities.items()}
            for part, held in parts
        }
    )
)
figure = plots.pairs(split.train, columns=9)

# %% [markdown]
# *Figure: one scene per class; the upper row is RGB, the lower row depth, with missing values in black.* **Take-away:** neither sensor shows everything the other does. Classes are nearly balanced, so chance is about one over their number.

# %%
sensors = list(whole.modalities)
chance = 100 / len(whole.classes)
check(
    "no scene is in two parts",
    len(set(np.concatenate([part.ids for part in split])))
    == sum(len(part) for part in split),
)
check(
    "every class is in every part",
    all(len(np.unique(part.labels)) == len(whole.classes) for part in split),
)
check(
    "pixels are scaled to [0, 1]",
    all(
        0 <= part.images(s).min() <= part.images(s).max() <= 1
        for part in split
        for s in sensors
    ),
)
bounds = split.train.normalization[sensors[1]]
print(
    f"{sensors[1]} is clipped to [{bounds.low[0]:.3f}, {bounds.high[0]:.3f}],"
    " percentiles of the training part alone (0 is a hole, 1 the sensor's end)"
)

# %% [markdown]
# ## One epoch by hand: is the packaged loop more than these lines?
#
# The idea: a batch goes in, five named terms come out, and AdamW lowers their sum.
#
# $$
# L = L_{cl} + L_{adv} + L_{mod} + L_{aux} + L_{\perp} \qquad \text{(Eq. 7, every weight 1)}
# $$
#
# | symbol | in code | shape |
# |---|---|---|
# | $x_m$, $y_m$ | `batch.x["rgb"]`, `batch.y["rgb"]` | B × bands × H × W, B |
# | $L_{cl}$ … $L_\perp$ | `terms["cl"]` … `terms["orth"]` | scalar |
# | $L$ | `total` | scalar |
#
# **Predict first:** before any training the classifiers guess. With C classes and M = 2 sensors, what are $L_{cl}$ and $L_{adv}$ about?

# %%
plain = settings(
    profile,
    seed=seed,
    epochs=1,
    schedule="constant",
    precision="32-true",
    channels_last=False,
)
model = build(methods.get("discom"), split.train, plain)
batches = sets.Batches(split.train, plain.batch_size, plain.seed, augment=plain.augment)
optimizer = torch.optim.AdamW(
    model.parameters(),
    lr=plain.learning_rate,
    weight_decay=plain.weight_decay,
    fused=True,
)
model.train()
rows = []
for batch in batches.epoch(0):
    terms = model.loss(batch)  # Eqs. 2–6
    total = sum(terms.values())  # Eq. 7
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    rows.append(
        {name: value.item() for name, value in {**terms, "loss": total}.items()}
    )
by_hand = pd.DataFrame(rows)
by_hand.iloc[[0, -1]].round(3)

# %%
guess = {"cl": 2 * np.log(len(whole.classes)), "adv": 2 * np.log(2)}
print(
    {
        name: f"first batch {by_hand[name][0]:.2f}, guessing {value:.2f}"
        for name, value in guess.items()
    }
)
check(
    "at the start the classifiers guess: M·log C and M·log M, within 40 %",
    all(abs(by_hand[n][0] / v - 1) < 0.4 for n, v in guess.items()),
)
packaged = Path(tempfile.mkdtemp()) / "by-hand"
fit("discom", split, plain, packaged)
logged = pd.read_csv(packaged / "metrics.csv").loc[0, by_hand.columns]
check(
    "fit() logs the same means as the loop above",
    np.allclose(logged.to_numpy(float), by_hand.mean(), rtol=1e-4, atol=1e-4),
)

# %% [markdown]
# The two loops agree, so `fit` adds only what surrounds these lines: a schedule, validation, best weights, a log, and checkpoints. The first losses are near those of guessing, M·log C = 4.39 and M·log M = 1.39. They are not equal, because untrained heads are not quite even.
#
# ## Which precision is faster here, and does it change the loss?
#
# bfloat16 keeps float32's range with 8 bits of precision; convolutions run in it, the loss does not. Whether it is faster depends on the processor, so we measure: the same step, both ways in turn, on the same batch.
#
# **Predict first:** by how much can a rounding of 1 in 256 per number move a loss that averages over a batch?

# %%
network = (
    settings("cpu", seed=seed) if profile == "tiny" else settings(profile, seed=seed)
)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = build(methods.get("discom"), split.train, network).to(
    device, memory_format=torch.channels_last
)
batch = next(
    sets.Batches(
        split.train, 128, seed, device=device, memory_format=torch.channels_last
    ).epoch(0)
)
seconds, values = {False: [], True: []}, {}
for _ in range(4):
    for low in (False, True):
        started = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            loss = sum(model.loss(batch).values())
        loss.backward()
        values.setdefault(low, loss.item())
        seconds[low].append(time.perf_counter() - started)
ratio = np.median(seconds[True][1:]) / np.median(seconds[False][1:])
print(
    f"bf16 takes {ratio:.2f} of float32's time (median of 3 steps each, in turn);"
    f" loss {values[False]:.3f} against {values[True]:.3f}"
)
check("the loss differs by less than 2 %", abs(values[True] / values[False] - 1) < 0.02)

# %% [markdown]
# The loss moves by less than two percent, since rounding errors of single numbers cancel in a mean. The ratio of times holds for this processor alone, and three steps cannot show a difference of a few hundredths. So choose `precision` by measuring on your own machine.
#
# ## Why not simply report the best epoch's test score?
#
# Suppose K checkpoints are all equally good, with true accuracy p, and each is measured on n test samples of its own. Every measurement scatters, and the best of K looks better than it is:
#
# $$
# \mathbb{E}\big[\max_k \hat p_k\big] - p \;\approx\; e_K \sqrt{p(1-p)/n}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | K | `epochs` | checkpoints to choose from |
# | n | `sizes` | size of the part that chooses |
# | p | `accuracy` | true accuracy of each checkpoint |
# | $e_K$ | `best_normal` | expected largest of K standard normal numbers |
#
# **Predict first:** with K = 30, p = 0.75 (about a student's accuracy in depth) and n = 2000, how many points does choosing on the test part hand out for nothing?

# %%
rng = np.random.default_rng(0)
epochs, accuracy = 30, 0.75
best_normal = rng.standard_normal((20_000, epochs)).max(1).mean()
sizes = np.array([100, 300, 1000, 2000, 10_000])
simulated = np.array(
    [
        100 * (rng.binomial(n, accuracy, (4000, epochs)).max(1).mean() / n - accuracy)
        for n in sizes
    ]
)
formula = 100 * best_normal * np.sqrt(accuracy * (1 - accuracy) / sizes)
figure, axis = plt.subplots(figsize=(5, 2.8), layout="constrained")
axis.loglog(sizes, simulated, "o", label="simulated")
axis.loglog(sizes, formula, "--", color="black", label="formula")
axis.set(xlabel="samples in the part that chooses", ylabel="points too many")
axis.legend(frameon=False)
print(f"n = 2000: {simulated[3]:.1f} points for nothing; e_30 = {best_normal:.2f}")
check(
    "simulation and formula agree within 10 %",
    np.all(abs(simulated / formula - 1) < 0.1),
)

# %% [markdown]
# *Figure: points for nothing over the size of the part that chooses, both axes logarithmic; the simulation lies on the line of the formula.* **Take-away:** two points for nothing, more than any method below gains on scenes. It is an upper bound: real epochs are not equally good, and their scores rise and fall together. `fit` chooses each sensor's epoch by validation F1 and reads the test part once, after the last epoch.
#
# ## Pull the plug: does a resumed run end with the same numbers?
#
# Order and augmentation of every epoch are drawn from (seed, epoch) alone, and a checkpoint is written after epochs. So a run that dies continues as if nothing had happened. Here a small run is interrupted in its third epoch, as Ctrl-C would, and called again. **Predict first:** will its scores differ in the first digit, in the last one, or not at all?

# %%
small, quick = (
    sets.load("scenes:n=120,size=16").split(seed=seed),
    settings("tiny", seed=seed, epochs=5),
)
scratch = Path(tempfile.mkdtemp())  # a new folder at every run of this cell
whole_run = fit("student", small, quick, scratch / "whole")
student, calls = methods.get("student"), []
original = student.loss


def impatient(self, batch):
    calls.append(1)
    if len(calls) == 2 * len(sets.Batches(small.train, quick.batch_size, seed)) + 1:
        raise KeyboardInterrupt
    return original(self, batch)


student.loss = impatient
try:
    fit("student", small, quick, scratch / "stopped")
except KeyboardInterrupt as stop:
    print(type(stop).__name__, "-", str(stop).partition(": ")[2])
finally:
    student.loss = original
check(
    "the interrupted run has no result yet",
    not (scratch / "stopped/result.json").exists(),
)
resumed = fit("student", small, quick, scratch / "stopped")
check(
    "resumed, it reports the same scores to the last digit",
    resumed.scores == whole_run.scores,
)

# %% [markdown]
# Not at all: the resumed run has the same scores to the last digit.
#
# ## Four methods, one budget: what does each comparison isolate?
#
# Epochs, batches, augmentation and optimiser are the same for all. The capacities are counted below; the best possible accuracy is known because we draw the scenes ourselves.

# %%
branches = {
    n: build(methods.get(n), split.train, network).branch(sensors[0]) for n in names
}
count = {
    n: sum(p.numel() for p in branch.parameters()) for n, branch in branches.items()
}
display(pd.DataFrame({"parameters at use": count, "adds": removes}))
solo_excess = count["discom"] / count["student-2x"]
check(
    "discom, discom-solo and student-2x have the same capacity within 5 %",
    count["discom"] == count["discom-solo"] and abs(solo_excess - 1) < 0.05,
)
print(f"chance {chance:.1f} %")
best = sets.scenes.best_scores(whole.name)  # empty for real data
for s in sensors:
    print(f"best possible accuracy in {s}: {best.get(s, np.nan):.1f} %")

# %% [markdown]
# ## Train all four now
#
# One seed, live; same split, epochs, batches and optimiser. In the `cpu` profile expect about 90 in RGB (best possible 93.3) and about 75 in depth (best possible 83.3) of every method. **Predict first:** which arrow of the first figure will be the longest over many seeds?

# %%
live, curves = {}, {}
for name in names:
    folder = Path(runs) / f"live-{profile}-{name}"
    live[name] = fit(name, split, settings(profile, seed=seed), folder)
    curves[name] = pd.read_csv(folder / "metrics.csv")
cost = {
    name: {"seconds": r.seconds, "samples/s": r.pairs_per_second}
    for name, r in live.items()
}
pd.DataFrame(
    {
        name: {**{f"F1 {s}": r.f1[s] for s in sensors}, **cost[name]}
        for name, r in live.items()
    }
).T.round(1)

# %%
figure = plots.curves(curves)
check(
    "every run lowered its training loss",
    all(t["loss"].iloc[-1] < t["loss"].iloc[0] for t in curves.values()),
)
check(
    "the reported epoch is the one with the best validation F1",
    all(
        r.scores[s]["best_epoch"] == curves[n][f"valid_f1/{s}"].idxmax()
        for n, r in live.items()
        for s in sensors
    ),
)

# %% [markdown]
# *Figure: training loss and validation F1 of each sensor over epochs; the losses sum different terms and do not compare.* **Take-away:** the four curves end close together; one seed ranks nothing. The learning rate falls to zero at the end, so the last epochs are usually the best ones (counted below).
#
# ## Same budget, ten seeds: what holds?
#
# **The middle arrow is the longest: less than one point.** The table is read from full runs of the same recipe in this repository: weighted F1 × 100 on the test part, mean ± sd, and paired differences with 95 % intervals. Each seed has scenes of its own, so the seeds are independent and the intervals are Student-t. To run them again: `discom table 2 --data scenes`.

# %%
results = tables.load_results("../results/scenes-table2.json")
full = tables.paper_table(results, 2)
full = full[full["method"].isin(names)]
Markdown(tables.to_markdown(full))

# %%
kept = pd.Series(s["best_epoch"] for r in results for s in r.scores.values())
late = kept.max() - kept
print(
    f"{len(kept)} networks of {len(results)} runs: the epoch kept is one of the last"
    f" two in {(late < 2).mean():.0%}, one of the last five in {(late < 5).mean():.0%}"
)

# %% [markdown]
# **Reading.** A second encoder changes nothing measurable. The auxiliary and orthogonality terms add less than one point, and the other sensor adds nothing measurable to that. All methods stay three to four points below the best possible score in RGB and about nine below it in depth.
#
# ## Is it the same on real images?
#
# **Yes: no gain over the branch trained alone.** One set holds satellite patches in four land-cover classes (RGB and elevation, split by place), the other cells (brightfield and DNA stain): [sizes, sources, licences](../data/README.md). Five seeds split each set anew. Such splits overlap, so their intervals are corrected after Nadeau and Bengio.

# %%
def table_of(name, file):
    results = tables.load_results(f"../results/{file}-table2.json")
    return tables.paper_table(results, 2).assign(data=name)


real = [table_of("patches", "hls"), table_of("cells", "cellcycle-stain")]
every = pd.concat([full, *real])
figure = plots.intervals(every[every["method"] == "discom"], tables.BASELINES)

# %% [markdown]
# *Figure: DisCoM-KD minus each of three baselines, 95 % intervals; a panel for each sensor.* **Take-away:** only the difference to `discom-solo` can come from the other sensor. On scenes it is not above zero in either sensor; on real images its interval holds zero in all four panels, and for RGB patches it is wide.
#
# We read six comparisons on scenes together, so the next table corrects their p-values (Holm).

# %%
compared = tables.compare(results, [("discom", other) for other in tables.BASELINES])
check(
    "ten seeds on scenes, five on each real set",
    set(full["n"]) == {10} and all(set(table["n"]) == {5} for table in real),
)
columns = ["minus", "modality", "n", "difference", "low", "high", "p", "holm"]
compared[columns].round(3)

# %% [markdown]
# ## What you should see, and what would be a bug
#
# After correction one gain of DisCoM-KD is left, about half a point over `student` in depth. The gain over `student-2x`, which has its size, is no longer significant.
#
# Your live `cpu` scores should lie within some three standard deviations of the table's means. Threads, processor and library versions change rounding, and with it the scores a little; the same machine, threads and versions repeat to the last digit. A bug looks different: a score at chance after thirty epochs, a loss that becomes NaN (the run then stops and names term, epoch and batch), a resumed run that differs, or `student-2x` far below `student` on every seed.

# %% [markdown]
# ## Where it fails: one class for another
#
# The live DisCoM-KD run, test part. **Predict first:** which is confused more, the shape or the material?

# %%
figure = plots.confusions(Path(runs) / f"live-{profile}-discom/predictions.npz")

# %% [markdown]
# *Figure: one matrix for each sensor; a row is a true class in percent, a column a prediction; each shape's three classes form a block.* **Take-away:** the material. About nine of ten errors name another material of the right shape; most of the others take squares for disks or disks for squares. By construction the cue shows another material in one scene of fifteen in RGB and one of six in depth; there even the best classifier is wrong.

# %% [markdown]
# ## Your turn
#
# Answers go into the next cell, which checks them; [solutions](solutions/py/03_training.py) are kept apart.
#
# 1. **Warm-up (2 min).** How many batches has an epoch of this training part at batch size 50? Set `answer_1`. *Hint:* nearly equal sizes.
# 2. **Change one thing (10 min).** Train `student` with `augment=0` in the `tiny` profile and put the Result into `answer_2`. *Hint:* `settings("tiny", augment=0)`.
# 3. **Change one thing (10 min).** Train `discom` on paired batches, result into `answer_3`. Would you expect a difference, when no term compares the two embeddings of a scene? *Hint:* `options={"pairing": "paired"}`.
# 4. **Open (30 min+).** Take the auxiliary term away for five seeds and compare with `paired_difference`. How much of the second arrow was it? Put the five differences of one sensor into `answer_4`. *Hint:* `options={"weights": {"aux": 0}}`, and new scenes for each seed: `sets.load(sets.at_seed(data, seed))`.

# %%
answer_1, answer_2, answer_3, answer_4 = None, None, None, None


def check_answers():
    if answer_1 is not None:
        check(
            "1: batches of an epoch",
            answer_1 == len(sets.Batches(split.train, 50, seed)),
        )
    if answer_2 is not None:
        check(
            "2: trained without augmentation",
            answer_2.method == "student" and answer_2.config["augment"] == 0,
        )
    if answer_3 is not None:
        check(
            "3: trained on pairs",
            answer_3.method == "discom"
            and answer_3.config["options"]["pairing"] == "paired",
        )
    if answer_4 is not None:
        check(
            "4: five paired differences",
            len(answer_4) == 5 and np.isfinite(answer_4).all(),
        )


check_answers()

# %% [markdown]
# ## What was seen
#
# - The packaged loop logs the same numbers as a dozen lines of PyTorch; untrained classifiers about guess (*One epoch by hand*).
# - Choosing among thirty equally good epochs on the test part hands out two points for nothing (*Why not simply report*).
# - An interrupted run resumes to the last digit (*Pull the plug*).
# - The title's question: on ten seeds of scenes DisCoM-KD gains less than one point over the student of its own size, and nothing after correction; its branch trained without the other sensor does as well. No cross-modal transfer is shown. On real images nothing is measurable either (*Same budget*).
#
# **Limitations.** One network, thirty epochs, all labels; one synthetic and two real sets. The paper's protocol (300 epochs, full-width network, three benchmarks) has not been run here. **Next:** [04](04_teacher_and_student.ipynb) sets a teacher beside these methods, [05](05_ablations.ipynb) takes the terms away one by one.

# %% [markdown]
# ## References
#
# - D. Ienco, C. F. Dantas: *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Eq. 7, section 4 (protocol); [released code](https://github.com/tanodino/CMKD_Disentangle).
# - Modules: `discom/training.py`, `discom/methods/`, `discom/tables/statistics.py`; tests: `tests/test_training.py`, `tests/test_methods.py`, `tests/tables/test_statistics.py`.
# - Satellite patches: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0). Cells: T. Blasi et al., 2016, BSD-3-Clause. Scenes: this repository, MIT.

# %%
finish()
