# %% [markdown]
# # 10 · Does a second sensor help to segment with one?
#
# You write soft labels and parts of CroDiNo-KD by hand, and see when a second sensor helps.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/10_segmentation.ipynb)
# · [solutions](solutions/py/10_segmentation.py) · [the losses in the package](../discom/losses/crossing.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** the best mIoU of one sensor · **write** soft labels and mixing · **find** a network's errors · **decide** whether to train with a second sensor |
# | Prerequisites | [03 training](03_training.ipynb) (`fit`, paired seeds), [04 teachers](04_teacher_and_student.ipynb) (soft labels); what a U-Net is |
# | Time | about four minutes on one CPU core; a GPU is used where there is one, but was not timed |
# | Memory, disk | 1.5 GB, 20 MB |
# | Data, licence | synthetic scenes drawn here, finished runs in [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; machine and date in the fourth code cell, seconds in the last |
#
# ## The answer: yes, where masks are few
#
# Segmentation gives every pixel a class; the *mask* of an image holds them. The score is mIoU, the mean over classes of intersection over union. A *teacher* is a network trained first. Its *student* learns from the teacher's class probabilities, the **soft labels**, also on images without a mask. **On our synthetic scenes, with masks for 5 % of the training pairs, an RGB student whose teacher reads both sensors scores 4.5 points above one whose teacher reads RGB. With a mask for every pair we measured no gain.** The teacher of both is also larger.
#
# CroDiNo-KD (Ferrod et al., 2025) needs no teacher: the networks of both sensors learn side by side. We had its abstract and README only and test **our reconstruction**. It is nowhere clearly above soft labels of the same sensor.
#
# | RGB, minus soft labels of RGB alone | 5 % of the masks | all masks |
# |---|---|---|
# | soft labels of both sensors | +4.5* [+2.8, +6.2] | -0.4 [-0.8, +0.1] |
# | our CroDiNo-KD | +1.3 [-0.7, +3.3] | -2.6* [-3.2, -2.0] |
#
# mIoU points, ten seeds, 95 % intervals; * is p < 0.05 after Holm's correction over 90 comparisons.
#
# ```text
# teacher   RGB + depth ─► encoders ─► decoder ─► mask
#                                        │ soft labels
# student   RGB ─► encoder ─► decoder ◄──┘     alone at inference
#
# crodino   RGB ───► encoder ─► decoder ─► mask
#             half of each ─► auxiliary decoder ─► soft labels for both
#           depth ─► encoder ─► decoder ─► mask
# ```

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
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from discom import data as sets, fit, methods, plots, runs as stored, tables
from discom.config import profile as settings
from discom.losses import crossing, dense
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
data = "scenes"  # or after a colon n and size; the dense scenes are taken
profile = "cpu"  # tiny (scores mean nothing), cpu (minutes) or paper (for a GPU)
seed = 0  # of scenes, split, masks, weights and batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data?
#
# A scene has four objects of wood, metal or stone on a background. RGB shows wood as stripes, metal as checks, stone as rings; depth shows them flat, domed and ridged. Black squares in depth are holes.
#
# In RGB 30 % of the wood objects look like metal, and 30 % of the metal ones like wood. In depth metal and stone are confused in the same way.
#
# Every seed draws 600 scenes for training, 120 for validation and 480 for the test. In the live runs 30 training pairs keep their mask; every pixel of the others is 255, "no label".

# %%
scenes = sets.load(sets.at_seed(data.replace("scenes", "scenes-dense", 1), seed))
split = scenes.split(seed=seed)
few = split.train.hide(0.05, seed)  # what `fit` does with labelled=0.05
classes, truth = scenes.classes, np.asarray(split.test.masks)  # [N, H, W]
for sensor, images in scenes.modalities.items():
    print(f"{sensor}: {images.x.shape} {images.x.dtype}")
print("test pixels of", classes, np.bincount(truth.ravel()))

# %% alt="Four scenes in three rows. RGB shows textures in the objects, depth shows grey reliefs in the same outlines with black squares, and the masks show background, wood, metal and stone in four colours."
figure = plots.pairs(split.train, rows=range(4))
_ = figure.suptitle("RGB shows textures, depth shows reliefs of the same objects")

# %%
ids = np.concatenate([part.ids for part in split])
check("no scene is in two parts", len(set(ids)) == len(ids))
check("5 % of the masks are left", (few.labels >= 0).sum() == round(len(few) / 20))

# %% [markdown]
# ## What can one sensor know at best?
#
# Say there are $n$ wood and $n$ metal objects, and a share $e$ of each looks like the other. A network that answers what RGB shows names $n(1-e)$ of a class rightly; truth *or* answer holds $n(1+e)$. Background and stone have an IoU of 1:
#
# $$
# \mathrm{IoU}=\frac{1-e}{1+e},\qquad \mathrm{mIoU}_{best}=\frac{1}{4}\left(1+1+2\,\frac{1-e}{1+e}\right)
# $$
#
# In code $e$ is 0.3 and IoU is `iou`, both numbers. **Predict first:** which sensor has the higher best mIoU?

# %%
best = sets.scenes.best_scores("scenes-dense")
iou = (1 - 0.3) / (1 + 0.3)
by_hand = 100 * (1 + 1 + 2 * iou) / 4
print("best possible mIoU in %:", pd.Series(best).round(1).to_dict())
check("RGB by hand", np.isclose(best["rgb"], by_hand))
check("depth too", np.isclose(best["depth"], by_hand))
check("both sensors together know all", best["rgb+depth"] == 100)

# %% [markdown]
# **Reading.** Each sensor has the same best mIoU, 76.9 %. At inference the other sensor is missing, so no training lifts the expected score above it. A second sensor in training can only bring it closer.
#
# ## Soft labels: what is learned without a mask?
#
# Half of the loss reads the pixels with a label, half reads all pixels:
#
# $$
# L=\tfrac12\,\mathrm{CE}+\tfrac12\,\mathrm{KL}(p^t\,\|\,p^s),\qquad \mathrm{KL}=\sum_c p^t_c\,(\log p^t_c-\log p^s_c)
# $$
#
# CE is the cross-entropy over labelled pixels. $p^t$ and $p^s$ are the softmax of `teacher` and `student`, logits [B, C, H, W].
#
# **Predict first:** the teacher is sure of one of two classes, the student guesses. What is KL?


# %%
def soft_labels(student, teacher):
    """Mean over pixels of the KL of the teacher's and the student's classes."""
    student, teacher = F.log_softmax(student, 1), F.log_softmax(teacher, 1)
    return (teacher.exp() * (teacher - student)).sum(1).mean()


guess, sure = torch.zeros(1, 2, 1, 1), torch.tensor([50.0, 0]).view(1, 2, 1, 1)
check("KL is log 2", np.isclose(soft_labels(guess, sure), np.log(2)))
student, teacher = torch.randn(2, 2, 4, 8, 8)
package = dense.pixel_wise(student, teacher, temperature=1)
check("as the package's", np.isclose(soft_labels(student, teacher), package))

# %% [markdown]
# **Reading.** KL is log 2. It needs no mask, so all 600 training pairs teach.
#
# ## CroDiNo-KD: what does its auxiliary decoder read?
#
# The README names an auxiliary decoder, invariant and specific features, and contrast. **How they work is our choice.** Every encoder map is halved by channels: the *invariant* half is meant for what both sensors see, the *specific* half for the rest. For image $b$ of the batch the auxiliary decoder reads
#
# $$
# \left[\mathrm{inv}_b^{\mathrm{RGB}},\ \mathrm{spec}_b^{\mathrm{depth}}\right]\ \text{for even } b,\qquad \left[\mathrm{inv}_b^{\mathrm{depth}},\ \mathrm{spec}_b^{\mathrm{RGB}}\right]\ \text{for odd } b
# $$
#
# In code inv and spec [B, D, h, w] are the halves of `rgb` and `depth`; `mix` returns [B, 2D, h, w]. Each sensor's image is flipped and turned on its own, and its maps are turned back before.
#
# **Predict first:** RGB's two channels hold 1 and 2, those of depth 3 and 4. What do images 0 and 1 give?


# %%
def mix(rgb, depth):
    """The invariant half of one sensor, the specific half of the other."""
    (rgb_inv, rgb_spec), (depth_inv, depth_spec) = rgb.chunk(2, 1), depth.chunk(2, 1)
    mixed = torch.cat([rgb_inv, depth_spec], 1)
    mixed[1::2] = torch.cat([depth_inv, rgb_spec], 1)[1::2]
    return mixed


rgb = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).repeat(2, 1, 1, 1)
mixed = mix(rgb, rgb + 2)
check("1 4, then 3 2", mixed.flatten(1).tolist() == [[1, 4], [3, 2]])
(package,) = crossing.cross_halves({"rgb": [rgb], "depth": [rgb + 2]})
check("as the package's", torch.equal(mixed, package))

# %% [markdown]
# **Reading.** Image 0 gives 1 and 4, image 1 gives 3 and 2.
#
# ## What keeps the halves apart?
#
# A penalty on the correlation of the coarsest map's halves:
#
# $$
# L_\perp=\sum_m\frac{1}{D^2}\sum_{i,j}\mathrm{corr}(\mathrm{inv}_{m,i},\mathrm{spec}_{m,j})^2
# $$
#
# In code $D$ is `len(inv)`, the channels of a half, and corr is `pairs` [D, D], over all places of the batch.
#
# **Predict first:** the specific half is the square of the invariant one, whose values are -2, -1, 1 and 2. What is the penalty?


# %%
def separation(maps):
    """Mean squared correlation between the channels of the two halves."""
    inv, spec = maps.movedim(1, 0).flatten(1).chunk(2)  # [D, places] each
    pairs = torch.corrcoef(torch.cat([inv, spec]))[: len(inv), len(inv) :]
    return pairs.square().mean()


inv = torch.tensor([-2.0, -1.0, 1.0, 2.0])  # one channel, four places
for name, spec, value in (("line", -3 * inv, 1), ("square", inv.square(), 0)):
    penalty = separation(torch.stack([inv, spec]).view(1, 2, 2, 2)).item()
    check(f"{name}: {penalty:.3f}", abs(penalty - value) < 1e-6)
maps = {name: torch.randn(2, 8, 4, 4) for name in ("rgb", "depth")}
total = separation(maps["rgb"]) + separation(maps["depth"])
check("as the package's", torch.isclose(total, crossing.place_separation(maps)))

# %% [markdown]
# **Reading.** The penalty is zero, though one half determines the other: correlation does not see this curve.
#
# ## What is the whole loss?
#
# $$
# L=\sum_m \mathrm{CE}_m+0.3\,L_{aux}+0.05\,L_\perp+0.02\,L_{con}+L_{soft}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\mathrm{CE}_m, L_{aux}$ | `cl`, `aux` | cross-entropy of each network, and of the auxiliary decoder |
# | $L_\perp$ | `orth` | the penalty above |
# | $L_{con}$ | `contrast` | [contrast](../discom/losses/crossing.py): places of RGB's map find themselves in depth's |
# | $L_{soft}$ | `soft` | soft labels of the auxiliary decoder for both networks |
#
# All are numbers: [`CroDiNoKD.loss`](../discom/methods/crodino.py).
#
# **Predict first:** there are four classes. What is $\sum_m\mathrm{CE}_m$ before training?

# %%
steps = {"epochs": 11} if profile == "cpu" else {}  # as many steps as usual
config = settings(profile, dense=True, seed=seed, labelled=0.05, **steps)
model = methods.build(methods.CroDiNoKD, few, config)
batches = sets.Batches(few, 8, seed, pairing="paired", augment=1.0, dense=True)
batch = next(batches.epoch(0))
terms = model.loss(batch)
print("weights", model.weights)
print("terms  ", {name: round(term.item(), 3) for name, term in terms.items()})
print("L      ", round(sum(model.weights[n] * terms[n].item() for n in terms), 3))
check("two networks guess: 2 log 4", abs(terms["cl"] - 2 * np.log(4)) < 0.5)

# %% [markdown]
# **Reading.** Two networks guess among four classes: about 2 log 4.
#
# **Predict first:** which terms are left in a batch without any mask?

# %%
decoder = list(model.auxiliary.parameters())
gradient = torch.autograd.grad(terms["soft"], decoder, allow_unused=True)
check("soft labels do not train their decoder", gradient == (None,) * len(decoder))
batch.y = {name: torch.full_like(mask, 255) for name, mask in batch.y.items()}
left = [name for name, term in model.loss(batch).items() if term > 0]
check(f"without masks: {left}", left == ["orth", "contrast", "soft"])

# %% [markdown]
# **Reading.** Separation, contrast and soft labels are left; they learn from all pairs.
#
# ## Live: one seed with 30 masks
#
# | method | learns from masks and | images in a step, with + without mask |
# |---|---|---|
# | `single` | – | 4 + 0 |
# | `dense-teacher` | the other sensor, which it reads | 4 + 0 |
# | `dense-kdv2` | soft labels of `dense-teacher` | 4 + 4 |
# | `dense-self` | soft labels of `single` | 4 + 4 |
# | `crodino` | the other sensor's network | 4 + 4 |
#
# Masks, steps, optimiser and the U-Net of one sensor are the same for all; a student also needs its teacher's training. Settings were [chosen on other seeds](../docs/results/segmentation.md), the epoch on validation; the test part is predicted once. `dense-self`, the control, comes with the finished runs below.
#
# **Predict first:** who comes closer to 76.9 when trained alone, RGB or depth?

# %%
live, folders = {}, {}
for name in ("single", "dense-teacher", "dense-kdv2", "crodino"):
    run = stored.Run.of(runs, methods.get(name), scenes, config)
    teacher, folders[name] = run.teacher_folder, run.folder
    live[name] = fit(name, split, config, run.folder, teacher=teacher, progress=False)
scores = pd.DataFrame({name: result.main for name, result in live.items()}).T
check("none above the best", not (scores > pd.Series(best) + 3).any(axis=None))
scores.loc["best possible"] = best
scores.loc["background everywhere"] = 100 * (truth == 0).mean() / len(classes)
scores.round(1).rename_axis("test mIoU in %")

# %% [markdown]
# **Reading.** Depth comes closer: 67.5 against 57.3. One seed ranks no methods. Training losses sum different terms, so compare their shape only.

# %% alt="Training loss, then validation mIoU over the epochs for RGB, depth and both sensors. In RGB and depth all curves end higher than they start and stay below the black line, the best possible score. For both sensors the teacher rises highest, and crodino's auxiliary decoder follows."
history = {name: stored.read_metrics(folders[name] / "metrics.csv") for name in live}
figure = plots.curves(history)
for axis, limit in zip(figure.axes[1:], best.values(), strict=True):
    axis.axhline(limit, color="black", lw=1)
    axis.locator_params(axis="x", integer=True)
_ = figure.suptitle("One seed: all stay below the best possible (line)", x=0.45, y=1.03)

# %% [markdown]
# ## With how many masks does the second sensor help?
#
# These are finished runs of [ten seeds](../results/dense/scenes-labelled.md), each with scenes of its own; differences are paired by seed.
#
# **Predict first:** in RGB with 5 % of the masks, is the gain of `dense-kdv2` over `single` larger than its gain over `dense-self`?

# %%
finished = tables.load_results("../results/dense/scenes-labelled.json")
table = tables.summary(finished, ["single"])
table["labelled"] = tables.labelled(table)
names = {name: name for name in (*live, "dense-self")}
shown = table[table["method"].isin(names)].copy()
shown["mIoU"] = shown["miou"].map("{:.1f}".format) + shown["sd"].map(" ± {:.1f}".format)
shown = shown[shown["labelled"].isin([0.05, 1])]
shown.pivot(index=["modality", "method"], columns="labelled", values="mIoU")

# %% alt="Differences to single over 5 to 100 % of the masks, RGB above depth. In RGB dense-kdv2 falls from nearly seven points at 5 % to three at 20 %, and is at zero with all masks; dense-self lies at two to three, and at zero with all; crodino falls from three to below zero, with a wide interval at 50 %. In depth dense-kdv2 lies one to two points above zero up to 50 %, dense-self below one point, crodino at zero or below. With all masks crodino is two points below zero in both."
figure = plots.gains(table, "labelled", against=["single"], names=names)
for axis in figure.axes:
    axis.set_xlabel("training pairs with a mask (%)")
    axis.label_outer()
_ = figure.suptitle("dense-kdv2 gains most in RGB with 5 % of the masks")

# %%
second = ["dense-kdv2", "protokd", "crodino"]  # methods that learn from both sensors
others = ["single-2x", "dense-self", "dense-simclr"]  # these three from one
pairs = [(name, "single") for name in others + second]
pairs += [(name, "dense-self") for name in second]
compared = tables.compare(finished, pairs)  # corrects over all its rows
compared["labelled"] = tables.labelled(compared)
compared["points"] = tables.points(compared)
print(f"clear (*): {(compared['holm'] < 0.05).sum()} of {len(compared)}")

# %%
compared["pair"] = compared["method"] + " − " + compared["minus"]
shown = compared[compared["method"].isin(names) & compared["labelled"].isin([0.05, 1])]
shown.pivot(index=["modality", "pair"], columns="labelled", values="points")

# %% [markdown]
# **Reading.** The gain over `single` is larger: 6.6 points against 4.5. So most of the gain comes from the second sensor, or from the teacher's larger network and [extra loss](../discom/methods/dense.py). Depth gains less, but clearly. From 10 to 50 % [no gain over `dense-self` is clear](../docs/results/segmentation.md).
#
# **Our `crodino` is nowhere clearly above `dense-self`.** With all masks it is clearly below, in both sensors. One run of 40.0 ([seed 7](../docs/results/segmentation.md)) widens its interval at 50 %. Its auxiliary decoder reads both sensors: with all masks it reaches 89.4, three points below the teacher.
#
# `single` sees half as many images in a step, but with 5 % of the masks [more did not raise its mean](../results/dense/scenes-batch.md); with 50 % they did, by three points in RGB. `crodino` trains in [0.86 of the time](../results/dense/time.json) of a teacher and its students.
#
# ## Where it fails
#
# In the live runs a wrong pixel confuses object and *background*, or the *pair* of materials that look alike in its sensor, or something *else*. **Predict first:** which kind is most frequent?

# %% alt="Four scenes in six rows: RGB image, truth, and for single and crodino the predicted mask and its errors in black. The networks find the objects; whole objects have the wrong material, touching ones melt into one, and thin black lines follow the outlines."
students = ("single", "dense-kdv2", "crodino")
answers = {}
for name in students:
    answers[name] = stored.read_predictions(folders[name] / "predictions.npz")
rows = [row for row, mask in enumerate(truth) if len(np.unique(mask)) == 4][:4]
images = {"RGB": split.test.images("rgb", rows)}
masks = {name: answers[name]["rgb_predicted"][rows] for name in ("single", "crodino")}
figure = plots.predictions(images, truth[rows], masks, classes)
_ = figure.suptitle("30 masks: errors are outlines and whole objects")


# %%
def errors(answer, pair):
    """Wrong pixels of each kind, in % of all pixels."""
    wrong = answer != truth
    ground = (answer == 0) != (truth == 0)
    confused = wrong & np.isin(answer, pair) & np.isin(truth, pair)
    rest = wrong & ~ground & ~confused
    kinds = {"background": ground, "pair": confused, "else": rest}
    return {name: 100 * kind.mean() for name, kind in kinds.items()}


# %%
rows = {}
for sensor, pair in (("rgb", [1, 2]), ("depth", [2, 3])):  # numbers of the materials
    for name in students:
        rows[sensor, name] = errors(answers[name][f"{sensor}_predicted"], pair)
    rows[sensor, "best rule"] = {"pair": 30 * np.isin(truth, pair).mean()}
pd.DataFrame(rows).T.fillna(0).round(1)

# %% [markdown]
# **Reading.** In this seed more than half of each network's errors confuse the pair, on 5 to 6 % of all pixels. The best rule, to name the likeliest material, would confuse nearly 5 %: most of these errors cannot be trained away.
#
# ## When should I use it, and how?
#
# On our scenes:
#
# - With masks for 5 % train `dense-kdv2`, above all for the weaker sensor.
# - From 10 to 50 % try `dense-self`, too: no difference was clear.
# - With a mask for every pair train `single`.
# - With both sensors at inference train `dense-teacher`: 92.5 with all masks.
#
# Your own data go into a [folder with masks](../docs/guides/new_data.md#what-the-reader-decides), 255 for no label.
#
# ```bash
# discom data check data/mine
# discom table dense --data data/mine --methods single,dense-self,dense-kdv2
# discom train --data data/mine --method dense-kdv2     # its teacher first; prints RUN
# discom export RUN --data data/mine --modality rgb --out rgb
# discom predict rgb new.tif --tile 256 --out maps
# ```
#
# ## What you should see on another machine
#
# Hand values and results from files agree to the digit. Live scores differ, as processors round differently; how far was not measured. A guide is the spread between seeds, 3.2 points for `single` in RGB.
#
# ## Your turn
#
# 1. **Warm-up (2 min).** RGB confuses wood and metal in 40 % of the objects. Put its best possible mIoU in % into `answer_1`. *Hint:* $e=0.4$.
# 2. **Change one thing (10 min).** Train `crodino` without soft labels, and put the result of `fit` into `answer_2`; five seeds lost [4.3 points](../docs/results/segmentation.md) in RGB on average. *Hint:* `dataclasses.replace(config, options={"weights": {"soft": 0.0}})`.
# 3. **Open (30 min+).** Train `single` and `dense-kdv2` with 10 % of the masks for three seeds or more. Put the RGB row of `tables.compare` into `answer_3`; ten seeds gained [4.5 points](../docs/results/segmentation.md). *Hint:* `sweep.sweep` trains teachers first.
#
# Answers are [kept apart](solutions/py/10_segmentation.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", abs(answer_1 - 71.4) < 0.1)
if answer_2 is not None:
    check("exercise 2: soft labels are off", answer_2.label == "crodino soft=0")
    check("exercise 2", answer_2.seed == seed and 0 < answer_2.main["rgb"] < 80)
if answer_3 is not None:
    row = answer_3["modality"], answer_3["method"], answer_3["minus"]
    check("exercise 3: which pair", row == ("rgb", "dense-kdv2", "single"))
    check("exercise 3", answer_3["n"] >= 3 and abs(answer_3["difference"]) < 30)

# %% [markdown]
# ## Summary
#
# - One sensor reaches 76.9 at most, both reach 100 (*What can one sensor know at best*).
# - On our scenes, with 5 % of the masks the teacher of both sensors gives RGB 4.5 points more than one of RGB; with all masks we measured no gain (*With how many masks*).
# - Our CroDiNo-KD is nowhere clearly above soft labels of one sensor.
# - In the live seed most errors confuse two materials that look alike (*Where it fails*).
#
# **Limitations.** One family of synthetic scenes, a small U-Net from scratch; on [real tiles](../docs/results/segmentation.md) no difference was clear. The validation part keeps all its masks, four times as many as training has at 5 %. No teacher of one sensor is as large as `dense-teacher`, or has its extra loss. The authors' own code may do better.
#
# **Next:** [11](11_your_own_data_and_deployment.ipynb), your own images.
#
# **References.** R. Ferrod et al., *Revisiting Cross-Modal Knowledge Distillation*, ECML-PKDD 2025, [arXiv 2505.24361](https://arxiv.org/abs/2505.24361), and its [README](https://github.com/rogerferrod/CroDiNo-KD). Tests: `tests/losses/test_crossing.py`, `tests/test_dense_methods.py`. All rows, each choice of ours: [dense prediction](../docs/results/segmentation.md)

# %%
finish()
