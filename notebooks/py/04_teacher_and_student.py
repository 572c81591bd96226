# %% [markdown]
# # 04 · Does the teacher help, or the extra capacity?
#
# On synthetic scenes neither helps measurably. You compute the distillation loss by hand, look at what a teacher says beyond the label, and compare a taught student with a larger one.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/04_teacher_and_student.ipynb)
# · [solutions](solutions/py/04_teacher_and_student.py) · [the losses in the package](../discom/losses/distill.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** T²·KL by hand · **explain** the factor T² · **measure** what soft labels say beyond the label · **judge** whether a teacher or capacity brought a gain |
# | Prerequisites | notebooks [01](01_data_preparation.ipynb) (data) and [03](03_training.ipynb) (`fit`, paired seeds); cross-entropy |
# | Time | about three minutes on two CPU cores, nearly all of it in the live runs; a GPU is used when there is one |
# | Memory, disk | 2 GB, 60 MB |
# | Data, licence | synthetic scenes, drawn here from known factors, MIT; results on two real sets are read from files of this repository |
# | Stored outputs | one run from top to bottom; machine, versions and date in the fourth code cell, seconds and memory in the last |

# %% [markdown]
# ## Which paradigm is DisCoM-KD meant to replace?
#
# A **teacher** is trained on sensors that will be missing at use. Then it is frozen, and a **student** for one sensor learns from the label and from the teacher's probabilities for the same scene, its **soft labels**. In the *cross-modal* case the teacher reads another sensor (here RGB, the student depth); in the *multi-modal* case all of them.
#
# Why is it not obvious that this helps? The teacher saw the same scenes and labels, and the student cannot see what the teacher sees. If the student still gains, three causes compete: **knowledge** (which classes are alike), **softness** (a target less certain than a label) or, compared carelessly, **capacity**.

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
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from scipy.special import log_softmax, rel_entr, softmax
from torch.nn.functional import cross_entropy

from discom import data as sets, fit, methods, plots, runs as stored, tables
from discom.config import profile as settings
from discom.losses import distill, multilevel
from discom.losses.distill import kd
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # the embedded scenes, or after a colon any argument of scenes.make
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of scenes, split, weights and batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %%
places = {
    "RGB image": (0, 1),
    "depth image": (0, 0),
    "teacher, frozen": (1.2, 1),
    "student": (1.2, 0),
    "label": (2.4, -1),
    "soft labels": (2.4, 1),
    "prediction": (2.4, 0),
    "T² · KL": (3.6, 1),
    "cross-entropy": (3.6, 0),
}
arrows = [
    "RGB image > teacher, frozen",
    "depth image > student",
    "teacher, frozen > soft labels",
    "student > prediction",
    "soft labels > T² · KL",
    "prediction > T² · KL",
    "prediction > cross-entropy",
    "label > cross-entropy",
    "depth image > teacher, frozen",
]
figure, axis = plt.subplots(figsize=(9, 2.6), layout="constrained")
boxes = {}
for name, place in places.items():
    colour = "0.85" if name in ("depth image", "student", "prediction") else "white"
    boxes[name] = axis.text(
        *place,
        name,
        ha="center",
        va="center",
        bbox={"boxstyle": "round,pad=0.4", "fc": colour, "ec": "black"},
    )
for start, end in (arrow.split(" > ") for arrow in arrows):
    ends = {
        "patchA": boxes[start].get_bbox_patch(),
        "patchB": boxes[end].get_bbox_patch(),
    }
    line = "--" if start == "depth image" and end != "student" else "-"
    axis.annotate(
        "",
        places[end],
        places[start],
        arrowprops={"arrowstyle": "-|>", "color": "black", "ls": line, **ends},
    )
axis.set(
    xlim=(-0.5, 4.2),
    ylim=(-1.4, 1.4),
    title="grey: kept at use · white: for training only · dashed: multi-modal only",
)
_ = axis.axis("off")

# %% [markdown]
# *Figure: boxes and arrows: the teacher's path above, from image to soft labels, the student's below, from image to prediction; both meet in T²·KL, prediction and label in the cross-entropy.* **Take-away:** the teacher touches the student only through numbers beside the label, C per scene.
#
# ## Which data, and is it in order?
#
# One object per scene; its class is a pair (shape, material). Both sensors see the outline; RGB sees the material as a texture, depth as a relief, and either cue is sometimes wrong (notebook 01). The split is by scene; scaling comes from the training part; pixels have no unit.

# %%
whole = sets.load(sets.at_seed(data, seed))  # scenes are drawn anew for each seed
split = whole.split(seed=seed)
sensors, C, chance = (
    list(whole.modalities),
    len(whole.classes),
    100 / len(whole.classes),
)
parts = split._asdict().items()
display(
    pd.DataFrame(
        {
            part: {
                name: f"{m.x.shape} {m.x.dtype}" for name, m in held.modalities.items()
            }
            for part, held in parts
        }
    )
)
figure = plots.pairs(split.train)

# %%
ids = [part.ids.tolist() for part in split]
check("no scene is in two parts", len(set().union(*ids)) == sum(map(len, ids)))
check(
    "every class is in every part",
    all(len(np.unique(part.labels)) == C for part in split),
)
check(
    "row i of every sensor is the same scene",
    all((m.ids == split.train.ids).all() for m in split.train.modalities.values()),
)
images = [
    part.images(name, np.arange(50) % len(part)) for part in split for name in sensors
]
check("scaled pixels lie in [0, 1]", all(x.min() >= 0 and x.max() <= 1 for x in images))

# %% [markdown]
# *Figure: one scene per class, RGB over depth; black squares in depth are holes.* **Take-away:** both show the outline; texture is in RGB alone, relief in depth alone.
#
# ## What is the distillation loss, for three samples by hand?
#
# Both networks' logits are divided by a **temperature** T before the softmax, then compared (Eq. 1 of the paper, without its cross-entropy):
#
# $$
# p_T(c)=\frac{e^{z_c / T}}{\sum_k e^{z_k / T}}, \qquad
# L_{KD}=\frac{T^2}{B} \sum_{i=1}^{B} \sum_{c=1}^{C} p^t_T(c)\, \log \frac{p^t_T(c)}{p^s_T(c)}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z^s, z^t$ | `z_s`, `z_t` | [B, C] | logits of student and teacher |
# | $T$ | `T` | number > 0 | temperature; the paper's is 4 |
# | $p^s_T, p^t_T$ | `p_s`, `p_t` | [B, C] | softened probabilities |
#
# Three samples, three classes, T = 2, and logits chosen so that the teacher says (½, ¼, ¼) each time; the student says (¼, ¼, ½), the teacher's own words in other logits, and nothing (⅓ each). **Predict first:** what does each sample cost?

# %%
T = 2.0
z_t = T * np.log([[2.0, 1, 1], [2, 1, 1], [2, 1, 1]])  # [B, C]
z_s = T * np.log([[1.0, 1, 2], [6, 3, 3], [1, 1, 1]])
p_t, p_s = (np.exp(z / T) / np.exp(z / T).sum(1, keepdims=True) for z in (z_t, z_s))
kl = (p_t * np.log(p_t / p_s)).sum(1)  # [B]
L_kd = T**2 * kl.mean()
print(
    "p_t",
    p_t.round(2).tolist(),
    "\np_s",
    p_s.round(2).tolist(),
    f"\nKL of each sample {kl.round(4)}, loss {L_kd:.4f}",
)
check(
    "the samples cost ¼ log 2, 0 and log 3 − 1½ log 2",
    np.allclose(kl, [np.log(2) / 4, 0, np.log(3) - 1.5 * np.log(2)]),
)
check(
    "so the loss is 4/3 (log 3 − 1¼ log 2)",
    np.isclose(L_kd, 4 / 3 * (np.log(3) - 1.25 * np.log(2))),
)

# %%
student, teacher, label = (
    torch.tensor(z_s, requires_grad=True),
    torch.tensor(z_t),
    torch.tensor([0, 1, 2]),
)
check(
    "the package gives the same loss", np.isclose(kd(student, teacher, T).item(), L_kd)
)
plain = rel_entr(softmax(z_t, axis=1), softmax(z_s, axis=1)).sum(1).mean()
check(
    f"at temperature 1 it is the plain KL, {plain:.4f}",
    np.isclose(kd(student, teacher, 1.0).item(), plain),
)
sure = 1e3 * torch.eye(3, dtype=torch.float64)  # a teacher that only repeats the label
check(
    "a sure teacher's KL is the cross-entropy",
    torch.isclose(kd(student, sure, 1.0), cross_entropy(student, label)),
)

# %% [markdown]
# The second sample costs nothing: a constant added to a row of logits changes no probability. And cross-entropy turns out to be KD from a teacher without doubt.
#
# ## Why T²?
#
# The gradient that the student's logits receive is short:
#
# $$
# \frac{\partial L_{KD}}{\partial z^s}=\frac{T}{B}\,(p^s_T-p^t_T) \;\longrightarrow\; \frac{\tilde z^s-\tilde z^t}{B\,C} \quad (T \to \infty)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $\tilde z$ | `centred(z)` | [B, C] | logits minus the mean of their row |
#
# A warm softmax is nearly flat: $p_T \approx 1/C + \tilde z / (C\,T)$. Put into the gradient, T cancels. **Predict first:** without the factor, how much weaker is the pull at T = 8 than at T = 4?

# %%
def centred(z):
    return z - z.mean(1, keepdims=True)


temperatures = np.geomspace(0.5, 64, 29)  # steps of 2^¼
pull = np.array(
    [
        torch.autograd.grad(kd(student, teacher, T), student)[0].norm().item()
        for T in temperatures
    ]
)
limit = np.linalg.norm(centred(z_s) - centred(z_t)) / z_s.size  # B · C
label_pull = (
    torch.autograd.grad(cross_entropy(student, label), student)[0].norm().item()
)
at = {1: 4, 4: 12, 8: 16}  # where these temperatures stand
hand = {
    T: T / 3 * np.linalg.norm(softmax(z_s / T, axis=1) - softmax(z_t / T, axis=1))
    for T in at
}
for T, k in at.items():
    print(
        f"T = {T}: gradient {pull[k]:.4f} with T², {pull[k] / T**2:.4f} without; by"
        f" hand {hand[T]:.4f}"
    )
check(
    "autograd is T (p_s − p_t) / B",
    np.allclose(list(hand.values()), pull[list(at.values())]),
)
print(
    f"limit {limit:.4f}; without T², T = 8 pulls"
    f" {pull[at[4]] / 16 / (pull[at[8]] / 64):.2f} times weaker than T = 4"
)
check(
    "at T = 64 the gradient is within 2 % of its limit",
    abs(pull[-1] / limit - 1) < 0.02,
)
figure, axis = plt.subplots(figsize=(6.5, 3), layout="constrained")
axis.loglog(temperatures, pull, "k-o", ms=4, label="with T²")
axis.loglog(
    temperatures, pull / temperatures**2, "k--s", ms=4, mfc="white", label="without"
)
axis.axhline(limit, color="black", ls=":", label="limit, T → ∞")
axis.axhline(label_pull, color="0.6", lw=3, zorder=0, label="cross-entropy")
axis.set(
    xlabel="temperature T",
    ylabel="length of the gradient",
    xticks=[1, 4, 16, 64],
    xticklabels=[1, 4, 16, 64],
)
_ = axis.legend(frameon=False, fontsize=9)

# %% [markdown]
# *Figure: length of the gradient over temperature, both axes logarithmic; with T² it stays near the dotted limit, without it falls as T⁻².* **Take-away:** without T², T = 8 pulls about four times weaker than T = 4, so choosing T would also choose how much the teacher counts beside the label. And a very warm KD is a regression on centred logits.
#
# ## Two teachers, trained now
#
# One reads RGB alone, one both sensors (an encoder each, features added, one linear layer). Data, epochs and batches are those of every student; the epoch is chosen on the validation part, the test part is read once. **Predict first:** will the teacher with two sensors be better than either sensor's student?

# %%
def train(method, config, **options):
    """The run of a method on this split: its result and its folder; a taught one
    finds its teacher's run."""
    run = stored.Run.of(runs, method, whole, replace(config, options=options))
    return fit(
        method,
        split,
        run.config,
        run.folder,
        teacher=run.teacher_folder,
        progress=False,
    ), run.folder


config = settings(profile, seed=seed)
taught_by = {
    reads: train(methods.Teacher, config, reads=reads) for reads in (sensors[0], "all")
}
for result, folder in taught_by.values():
    ((name, score),) = result.scores.items()
    print(
        f"teacher reads {name}: test F1 {score['f1']:.1f}, chance {chance:.1f}; epoch"
        f" kept: {score['best_epoch']} of 0 to {config.epochs - 1}"
    )
    check(
        "the kept epoch is the best on validation",
        score["valid_f1"]
        == stored.read_metrics(folder / "metrics.csv")[f"valid_f1/{name}"].max(),
    )

# %% [markdown]
# Hardly: in the `cpu` profile expect about 90 of both teachers, where 93.3 is possible. Where the two cues disagree, RGB's is the more reliable one. So the best possible accuracy with both sensors is that of RGB alone.
#
# ## What does temperature do to a trained teacher's answer?
#
# Entropy measures how undecided an answer is, $H(p) = -\sum_c p_c \log p_c$ in nats, from 0 (sure) to $\log C$ (no idea). Three validation scenes are picked by rule: where the fusion teacher's largest probability is at the 90th, 50th and 10th percentile. **Predict first:** which answer changes its *order* of classes when T grows?

# %%
frozen, _ = stored.load_run(taught_by["all"][1], split)
x = torch.from_numpy(
    np.concatenate([split.valid.images(name) for name in sensors], axis=1)
)
with torch.inference_mode():
    z = frozen.predict("+".join(sensors), x).numpy().astype(float)  # [N, C]
order, steps = softmax(z, axis=1).max(1).argsort(), (1, 2, 4, 8, 16)
rows = [order[int(q * (len(z) - 1))] for q in (0.9, 0.5, 0.1)]
figure, axes = plt.subplots(
    3, 3, figsize=(9.5, 6.2), layout="constrained", width_ratios=(1, 1, 3.4)
)
for line, row in zip(axes, rows, strict=True):
    for axis, name in zip(line, sensors, strict=False):
        axis.imshow(
            split.valid.images(name, [row])[0].transpose(1, 2, 0),
            cmap="gray",
            vmin=0,
            vmax=1,
        )
        axis.set(xticks=[], yticks=[], title=name if row == rows[0] else "")
    soft = 100 * np.array([softmax(z[row] / T) for T in steps])  # [5, C]
    sns.heatmap(
        soft,
        annot=True,
        fmt=".0f",
        cmap="Greys",
        vmin=0,
        vmax=100,
        cbar=False,
        ax=line[-1],
        yticklabels=steps,
        xticklabels=False,
    )
    truth = whole.classes[split.valid.labels[row]]
    answer = whole.classes[z[row].argmax()]
    line[-1].set(
        ylabel="T", title=f"probability in %; true class {truth}, answer {answer}"
    )
axes[-1, -1].set_xticks(
    np.arange(C) + 0.5, [name.replace("/", "\n") for name in whole.classes], fontsize=9
)
# [6, N]
H = np.array(
    [
        -(softmax(z / T, axis=1) * log_softmax(z / T, axis=1)).sum(1)
        for T in (*steps, 1e4)
    ]
)
print(
    *(f"T = {T}: mean entropy {h:.2f}" for T, h in zip(steps, H.mean(1), strict=False)),
    f"log C = {np.log(C):.2f} nats",
    sep=" · ",
)
check("warmer is less decided, on every scene", (np.diff(H, axis=0) > -1e-9).all())
check("a very warm answer has entropy log C", np.allclose(H[-1], np.log(C), atol=1e-3))

# %% [markdown]
# *Figure: three scenes from sure (top) to unsure, with both images; in the table beside each a row is a temperature, a column a class, darker is more probable; rows pale from T = 1 to 16.* **Take-away:** none changes its order, as division by T keeps it. Sure need not mean right: compare answer and true class. At T = 1 the sure answer is little more than one name, at T = 16 little is left to read.
#
# ## Does a soft label know which classes are alike?
#
# Nobody told the teacher that a class is (shape, material). Take the label away and see where the rest of the probability, its **dark knowledge**, lies:
#
# $$
# \hat p(c)=\frac{p_T(c)}{1-p_T(y)} \ (c \ne y), \qquad
# s_{shape}=\frac{1}{N} \sum_{i} \sum_{c \,\ne\, y_i,\ shape(c)=shape(y_i)} \hat p_i(c)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $\hat p$ | `rest` | [N, C] | the answer without the true class $y$ |
# | $s_{shape}, s_{material}$ | columns of `dark(z, y)` | [N, 2], then means | share on classes of the same shape, or material |
#
# Two of the eight other classes share the shape, two the material: chance is 25 % each. **Predict first:** by hand, if a teacher gives classes of the right shape three times the weight of the others, what is $s_{shape}$?

# %%
# [2, C]: shape, material
kinds = np.array([name.split("/") for name in whole.classes]).T


def dark(z, y, T=4.0):
    rest = softmax(z / T, axis=1)
    rest[np.arange(len(y)), y] = 0
    rest /= rest.sum(1, keepdims=True)
    return np.stack(
        [(rest * (kind == kind[y][:, None])).sum(1) for kind in kinds], axis=1
    )


every = np.arange(C)
# [C, C], a row per true class
thrice = 4.0 * np.log(np.where(kinds[0] == kinds[0][:, None], 3.0, 1.0))
check(
    "a teacher without any idea: 25 % and 25 %",
    np.allclose(dark(np.zeros((C, C)), every), 0.25),
)
check(
    "three times the weight on the shape: 2·3 / (2·3 + 6) = 50 %",
    np.allclose(dark(thrice, every)[:, 0], 0.5),
)

# %%
held = {}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.7), sharey=True, layout="constrained")
for axis, (reads, (result, folder)) in zip(axes, taught_by.items(), strict=True):
    name = next(iter(result.scores))
    # of the test part, written by fit
    stored_logits = stored.read_predictions(folder / "predictions.npz")
    held[reads] = z, y = (
        stored_logits[f"{name}_logits"].astype(float),
        stored_logits[f"{name}_labels"],
    )
    p = softmax(z / 4, axis=1)
    mean = pd.DataFrame(
        100 * np.array([p[y == c].mean(0) for c in range(C)]),
        whole.classes,
        whole.classes,
    )
    sns.heatmap(
        mean,
        annot=True,
        fmt=".0f",
        cmap="Greys",
        vmin=0,
        vmax=50,
        cbar=False,
        ax=axis,
        annot_kws={"fontsize": 9},
    )
    axis.hlines(range(0, C + 1, 3), 0, C, color="black")
    axis.vlines(range(0, C + 1, 3), 0, C, color="black")
    axis.set(
        title=f"teacher reads {name}",
        xlabel="class c",
        ylabel="true class" if axis is axes[0] else "",
    )
    print(
        f"teacher reads {name}: {100 * (1 - p[np.arange(len(y)), y]).mean():.0f} % of"
        " the probability is off the label at T = 4"
    )
    for kind, share in zip(("shape", "material"), 100 * dark(z, y).T, strict=True):
        half = 1.96 * share.std(ddof=1) / np.sqrt(len(share))
        verdict = "above chance" if share.mean() - half > 25 else "not above chance"
        print(
            f"  same {kind}: {share.mean():.1f} % of it, 95 % interval ± {half:.1f}"
            f" over {len(share)} test scenes: {verdict}"
        )

# %% [markdown]
# *Figure: mean answer of each teacher at T = 4 over the test scenes of each class (a row sums to 100 %); lines divide the shapes.* **Take-away:** both teachers lean to classes of the same shape, and hardly to those of the same material. Intervals are over scenes, for one teacher each; test answers describe it, and no choice rests on them.
#
# ## Can the loss be split into label and dark knowledge?
#
# It can, exactly; this is the observation behind *decoupled* KD (DKD):
#
# $$
# \mathrm{KL}(p^t \,\|\, p^s)=\underbrace{\mathrm{KL}(b^t \,\|\, b^s)}_{TCKD}+(1-p^t_y)\, \underbrace{\mathrm{KL}(\hat p^t \,\|\, \hat p^s)}_{NCKD}, \qquad b=(p_y,\ 1-p_y)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | TCKD, NCKD | `tckd`, `nckd` | target class against the rest; the rest among themselves (both times T²) |
#
# **Predict first:** what becomes of the dark knowledge when the teacher is sure of the label?

# %%
z_all, z_one, y = (
    torch.tensor(v) for v in (held["all"][0], held[sensors[0]][0], held["all"][1])
)
gap = 0.0
for i in range(100):
    # the RGB teacher plays the student; one test scene at a time, T = 4
    row = slice(i, i + 1)
    tckd, nckd = distill.dkd_terms(z_one[row], z_all[row], y[row])
    p_y = softmax(z_all[i].numpy() / 4)[y[i]]
    gap = max(gap, abs(kd(z_one[row], z_all[row]) - (tckd + (1 - p_y) * nckd)).item())
check(f"the identity holds on 100 scenes, largest gap {gap:.0e}", gap < 1e-9)
for T in (1, 4):
    off = 1 - softmax(z_all.numpy() / T, axis=1)[np.arange(len(y)), y]
    print(
        f"T = {T}: dark knowledge counts {off.mean():.2f} on average, below 0.05 on"
        f" {(off < 0.05).mean():.0%} of the test scenes"
    )

# %% [markdown]
# So plain KD listens to the dark knowledge least where the teacher is surest. DKD takes the factor $(1 - p^t_y)$ away and gives NCKD a weight of its own, 8.
#
# ## What do the other three change?
#
# - **LSKD** standardises both rows of logits first, $(z - \bar z) / \mathrm{std}(z)$: the student must copy the teacher's *pattern*, not its size.
# - **CTKD** learns one temperature $T = 1 + 20\,\sigma(\theta)$ with the gradient on θ reversed: while the student descends, T looks for where the student is worst. It starts at θ = 1.
# - **MLKD** adds two agreements, between samples and between classes. Its paper keeps confident samples and classes; its official code, as we read it, multiplies a finished scalar by the share that a mask would keep, so nothing is selected. The agreement between classes grows with $(B / C)^2$; the package divides by that, because its weight was chosen for $B = 64$ and $C = 100$.
#
# **Predict first:** a student has the teacher's logits times 3. What do plain KD and LSKD say?

# %%
louder = 3 * teacher + 1
z = [distill.standardize(v) for v in (louder, teacher)]
print(
    f"student = 3 × teacher + 1: plain KD {kd(louder, teacher, 2.0):.4f}, LSKD"
    f" {kd(*z, 2.0):.1e}"
)
check(
    "LSKD sees neither scale nor shift, plain KD sees the scale",
    kd(*z, 2.0) < 1e-9 < kd(louder, teacher, 2.0),
)
module, path = distill.CurriculumTemperature().double(), []
adam = torch.optim.Adam(module.parameters(), 0.05)
for _ in range(60):
    T = module(-1.0)
    loss = kd(student.detach(), teacher, T)
    adam.zero_grad()
    loss.backward()
    adam.step()
    path.append([T.item(), loss.item()])
print(
    f"CTKD on a student that stands still: T {path[0][0]:.2f} → {path[-1][0]:.2f},"
    f" loss {path[0][1]:.4f} → {path[-1][1]:.4f}"
)
check(
    "CTKD starts at 1 + 20 σ(1), and its T raises the loss",
    np.isclose(path[0][0], 1 + 20 / (1 + np.exp(-1))) and path[-1][1] > path[0][1],
)
shares = [share.item() for share in multilevel.confident_shares(z_all[:128])]
print(f"MLKD's factors on 128 scenes: samples {shares[0]:.3f}, classes {shares[1]:.3f}")
check(
    "128 samples leave ½, and C classes the middle one and all below",
    np.allclose(shares, [0.5, (C // 2 + 1) / C]),
)

# %% [markdown]
# LSKD ignores the scale of the logits, CTKD's T moves to where this student does worse, and MLKD's two factors come out as the stated constants, so they select nothing.
#
# ## Four arms, one budget: what does each isolate?
#
# Data, split, epochs, batches, augmentation, optimiser and choice of epoch are the same for all. What was trained *before* is not: the teacher costs two encoders more, which inference does not need. `kdv2` is the paper's second variant: half cross-entropy, half KD at T = 4, from the teacher of both sensors. **Predict first:** which wins in depth?

# %%
arms = {
    "student": (0, "labels alone"),
    "student-2x": (0, "a second encoder"),
    "discom-solo": (0, "a second encoder and extra terms, no teacher"),
    "kdv2": (2, "a teacher that reads all sensors"),
}
size = {}
for arm in arms:
    network = methods.build(methods.get(arm), split.train, config)
    size[arm] = sum(p.numel() for p in network.branch(sensors[-1]).parameters())
print(f"{config.epochs} epochs each · chance {chance:.1f} %")
best = sets.scenes.best_scores(whole.name)
print({s: f"best possible accuracy {best[s]:.1f} %" for s in sensors if s in best})
check("a taught student has the student's size", size["kdv2"] == size["student"])
check(
    "student-2x is twice as large, within 1 %",
    abs(size["student-2x"] / size["student"] - 2) < 0.01,
)
pd.DataFrame(
    [[arm, size[arm], *told] for arm, told in arms.items()],
    columns=[
        "arm",
        f"parameters at use, {sensors[-1]}",
        "encoders trained before",
        "what it has",
    ],
).set_index("arm")

# %% [markdown]
# ## Knowledge or softness? A flattened teacher
#
# One more control. The **flattened** teacher keeps its confidence in the label and spreads the rest evenly, so it is soft and knows nothing:
#
# $$
# p^{flat}(y)=p^t_T(y), \qquad p^{flat}(c)=\frac{1-p^t_T(y)}{C-1} \quad (c \ne y)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $p^{flat}$ | `flat` | [B, C] | the soft label without dark knowledge |
#
# What a student gains over this one came from dark knowledge. **Predict first:** what is `dark` of a flattened teacher?

# %%
class Flattened(methods.KDv2):
    name = "kdv2-flat"

    def loss(self, batch):
        # [B], the same for every sensor: the batch is paired
        y = next(iter(batch.y.values()))
        soft = flatten(batch.soft, y, self.temperature)
        return super().loss(sets.Batch(batch.x, batch.y, batch.epoch, soft))


def flatten(z, y, T):  # logits [B, C] whose softmax at T is the flattened one
    p_y = (z / T).softmax(1).gather(1, y[:, None])  # [B, 1]
    flat = ((1 - p_y) / (z.shape[1] - 1)).expand_as(z).scatter(1, y[:, None], p_y)
    return T * flat.log()


z = flatten(z_all, y, 4.0)
check(
    "25 % and 25 % are left of the dark knowledge",
    np.allclose(dark(z.numpy(), y.numpy()), 0.25),
)
check(
    "the confidence stays",
    torch.allclose(*((v / 4).softmax(1).gather(1, y[:, None]) for v in (z, z_all))),
)

# %%
live, curves = {}, {}
for method in (methods.Student, methods.KDv2, Flattened):
    live[method.name], folder = train(method, config)
    curves[method.name] = stored.read_metrics(folder / "metrics.csv")
figure = plots.curves(curves)
print(f"test F1 after {config.epochs} epochs, one seed, chance {chance:.1f}")
pd.DataFrame(
    {name: {**result.f1, "seconds": result.seconds} for name, result in live.items()}
).T.round(1)

# %% [markdown]
# *Figure: training loss (losses differ, so their scales do) and validation F1 of each sensor over epochs.* **Take-away:** in the `cpu` profile expect about 90 in RGB (best possible 93.3) and 75 in depth (best possible 83.3) of `student` and `kdv2`. The gap between `kdv2` and `kdv2-flat` answers "knowledge or softness" for one seed, and one seed ranks nothing: exercise 5 gives the control more seeds.
#
# ## Same budget, ten seeds: what does the teacher bring?
#
# **Nothing measurable, in either sensor.** The table is read from full runs of the same recipe in this repository: weighted F1 × 100 on the test part, mean ± sd, and paired differences with 95 % intervals. Each seed has scenes of its own, so the intervals are Student-t. To run them again: `discom table 2 --data scenes`.

# %%
results = tables.load_results("../results/scenes-table2.json")
full = tables.paper_table(results, 2)
full = full[full["method"].isin(["teacher", *arms])]
check("ten seeds of each of nine networks", len(full) == 9 and set(full["n"]) == {10})
Markdown(tables.to_markdown(full))

# %% [markdown]
# **Reading.** Neither the teacher nor a second encoder changes the score measurably. Only `discom-solo`, extra supervision without a teacher, gains, measurably in RGB, and less than one point. A likely reason: the teacher scores no better than the RGB student, and what it knows beyond depth is texture, which a depth student cannot see. Of the other methods with a teacher none gains, and several lose in depth ([all rows](../results/scenes-table2.md)).
#
# ## Is it the same on real images?
#
# **Yes, though the teacher is better there:** nine points above the students of patches, nineteen above the student of brightfield. `kdv2` gains nothing measurable. The two sets are satellite patches (RGB and elevation) and cells (brightfield and DNA stain): [sizes, sources, licences](../data/README.md). Five seeds split each set anew. Such splits overlap, so their intervals are corrected after Nadeau and Bengio.

# %%
def table_of(name, file):
    results = tables.load_results(f"../results/{file}-table2.json")
    return tables.paper_table(results, 2).assign(data=name)


real = pd.concat([table_of("patches", "hls"), table_of("cells", "cellcycle-stain")])
every = pd.concat([full, real])
figure = plots.intervals(every[every["method"] == "kdv2"], tables.BASELINES)
shown = real[real["method"].isin(["teacher", "student", "kdv2"])]
shown[["data", "method", "modality", "n", "f1", "sd"]].round(1)

# %% [markdown]
# *Figure: `kdv2` minus each of three baselines, 95 % intervals; a panel for each sensor.* **Take-away:** on scenes no interval excludes zero; nor on real images. Intervals are not corrected for their number, so one that barely excludes zero is weak evidence.
#
# ## What you should see, and what would be a bug
#
# Hand values, identities and limits hold everywhere. Live scores move a little with threads, processor and library versions; expect them within some three standard deviations of the table. A bug looks different: KD at T = 1 that is not the plain KL, both shares at 25 % from a trained teacher, a teacher that moves during the student's training.
#
# ## Where it fails: a teacher that is misled
#
# In some scenes the texture is that of another material, and RGB alone cannot tell. **Predict first:** on such *test* scenes, what does each teacher give to the true class, to the class that the texture names, and to the third material of that shape?

# %%
texture, material, shape = (
    split.test.factors[name] for name in ("texture", "material", "shape")
)
check(
    "predictions and factors are of the same scenes",
    (shape * 3 + material == held["all"][1]).all(),
)
lies, rows = texture != material, []
for reads, (z, _) in held.items():
    p = softmax(z, axis=1)[lies]
    for told, kind in {
        "true": material,
        "named by the texture": texture,
        "the third": 3 - material - texture,
    }.items():
        rows += [
            (f"teacher, {'fusion' if reads == 'all' else reads}", told, 100 * value)
            for value in p[np.arange(len(p)), (3 * shape + kind)[lies]]
        ]
given = pd.DataFrame(rows, columns=["teacher", "class", "probability (%)"])
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
sns.barplot(
    given,
    y="teacher",
    x="probability (%)",
    hue="class",
    palette=["white", "0.55", "0.85"],
    edgecolor="black",
    errorbar=("ci", 95),
    seed=seed,
    capsize=0.15,
    err_kws={"color": "black", "linewidth": 1.5},
    ax=axis,
)
axis.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
print(
    f"{lies.sum()} of {len(lies)} test scenes have a wrong texture; mean probability"
    " at T = 1:"
)
given.groupby(["teacher", "class"], sort=False)["probability (%)"].mean().unstack(
    sort=False
).round(1)

# %% [markdown]
# *Figure: three bars per teacher, mean probability of the true class, of the one the texture names and of the third, with bootstrapped 95 % intervals over these test scenes.* **Take-away:** both teachers give most to the class that the texture names. It is not mere doubt, as the short third bar shows. The fusion teacher leaves more to the true class, for which depth speaks. On training scenes a teacher may know labels by heart: exercise 4 looks.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Two classes, teacher's logits (4, 0): at which T is its larger probability 0.731? Set `answer_1`. *Hint:* σ(1) = 0.731.
# 2. **Change one thing (10 min).** The two mean shares (%) of the fusion teacher at T = 1 into `answer_2`. Which one changes most from T = 4, and why? *Hint:* `dark` has an argument.
# 3. **Write a loss (15 min).** NCKD by hand: a function of `z_s`, `z_t` [B, C], `y` [B] and `T`, in NumPy, into `answer_3`. *Hint:* drop the column $y$ of each row, then T² times a mean KL.
# 4. **Look at what the student is shown (15 min).** Mean probability off the label (T = 1, percent) of the fusion teacher on the *training* scenes, unmoved, into `answer_4`. *Hint:* `discom.teaching.soft_labels(frozen, split, augment=False)` is called with rows and views, all 0.
# 5. **Open (30 min+).** Train `KDv2` and `Flattened` for five seeds with one fusion teacher per seed; five differences (KDv2 − flattened) of one sensor into `answer_5`. Was it knowledge? *Hint:* `train` with `teacher="all"`, after `whole = sets.load(sets.at_seed(data, seed))` and the `split` of that seed.
#
# Worked answers are [kept apart](solutions/py/04_teacher_and_student.py).

# %%
answer_1 = answer_2 = answer_3 = answer_4 = answer_5 = None
if answer_1 is not None:
    check(
        "exercise 1",
        np.isclose(softmax(np.array([4, 0]) / answer_1)[0], 0.731, atol=1e-3),
    )
if answer_2 is not None:
    check(
        "exercise 2",
        np.allclose(answer_2, 100 * dark(*held["all"], T=1.0).mean(0), atol=0.1),
    )
if answer_3 is not None:
    check(
        "exercise 3",
        np.isclose(
            answer_3(z_s, z_t, label.numpy(), 2.0),
            distill.dkd_terms(student, teacher, label, 2.0)[1].item(),
        ),
    )
if answer_4 is not None:
    check(
        "exercise 4",
        0
        < answer_4
        < 100 * (1 - softmax(held["all"][0], axis=1)[np.arange(len(y)), y]).mean(),
    )
if answer_5 is not None:
    check("exercise 5", len(answer_5) == 5 and np.isfinite(answer_5).all())

# %% [markdown]
# ## What was seen
#
# - KD is a KL of softened answers; hand and package agree, T = 1 is the plain KL, a sure teacher gives the cross-entropy (*three samples*).
# - T² keeps the teacher's weight when T changes (*Why T²*).
# - Soft labels lean towards classes of the same shape (*Does a soft label know*); the loss splits exactly into label and dark knowledge (*Can the loss be split*).
# - The title's question: on these scenes neither the teacher nor a second encoder helps measurably, in ten seeds. The teacher of both sensors is no better than the RGB student (*Same budget*). On real images the teacher is better, and still hands nothing on that we can measure.
# - On test scenes with a misleading texture, both teachers favour the wrong class (*Where it fails*).
#
# **Limitations.** One network, thirty epochs, all labels; one synthetic and two real sets; the cross-modal case (a teacher of RGB for a depth student) is described and not scored. One teacher of each kind, and one seed of the flattened control. **Next:** [05](05_ablations.ipynb) asks which terms of DisCoM-KD, which has no teacher, do the work.

# %% [markdown]
# ## References
#
# - G. Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015, [arXiv 1503.02531](https://arxiv.org/abs/1503.02531): temperature, T².
# - B. Zhao et al., *Decoupled Knowledge Distillation*, CVPR 2022, [arXiv 2203.08679](https://arxiv.org/abs/2203.08679) · S. Sun et al., *Logit Standardization in Knowledge Distillation*, CVPR 2024, [arXiv 2403.01427](https://arxiv.org/abs/2403.01427) · Z. Li et al., *Curriculum Temperature for Knowledge Distillation*, AAAI 2023, [arXiv 2211.16231](https://arxiv.org/abs/2211.16231) · Y. Jin et al., *Multi-Level Logit Distillation*, CVPR 2023, [official code](https://github.com/Jin-Ying/Multi-Level-Logit-Distillation).
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080): Eq. 1 and both scenarios.
# - Modules: `discom/losses/distill.py`, `discom/losses/multilevel.py`, `discom/methods/distilled.py`, `discom/teaching.py`; tests: `tests/losses/test_distill.py`. Satellite patches: NASA HLS, Copernicus DEM, ESA WorldCover (CC BY 4.0). Cells: T. Blasi et al., 2016, BSD-3-Clause. Scenes and text: this repository, MIT.

# %%
finish()
