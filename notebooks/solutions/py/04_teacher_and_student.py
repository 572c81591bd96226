# %% [markdown]
# # Solutions to notebook 04
#
# Runs on its own, on a small draw and in the `tiny` profile, so that it takes seconds; its scores mean nothing.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax, softmax

from discom import data as sets
from discom import fit, methods, tables, teaching
from discom.config import profile as settings
from discom.losses import distill
from discom.notebook import check, finish, stamp
from discom.runs import Run, load_run, read_predictions

stamp(0)
whole = sets.load("scenes:n=120,size=16")
runs = Path(tempfile.mkdtemp())


def train(method, seed, **options):
    scenes = sets.load(sets.at_seed("scenes:n=120,size=16", seed))  # drawn anew for each seed
    run = Run.of(runs, method, scenes, replace(settings("tiny", seed=seed), options=options))
    part = scenes.split(seed=seed)
    return fit(method, part, run.config, run.folder, teacher=run.teacher_folder, progress=False), run


# %% [markdown]
# **1.** With two classes the larger probability is σ((4 − 0) / T), and σ(1) = 0.731, so T = 4: the usual temperature makes
# a near certainty (0.982 at T = 1) into a leaning.

# %%
answer_1 = 4.0
check("exercise 1", np.isclose(softmax(np.array([4, 0]) / answer_1)[0], 0.731, atol=1e-3))

# %% [markdown]
# **2.** `100 * dark(*held["all"], T=1.0).mean(0)`. In a `cpu` run the share on the same shape is far higher than at T = 4,
# since a warm softmax pulls every share towards chance, here 25 %. The share on the same material is near 25 % at both.
# For logits z of the other classes the shares depend on z / T alone.

# %%
kinds = np.array([name.split("/") for name in whole.classes]).T  # [2, C]: shape, material


def dark(z, y, T=4.0):
    rest = softmax(z / T, axis=1)
    rest[np.arange(len(y)), y] = 0
    rest /= rest.sum(1, keepdims=True)
    return np.stack([(rest * (kind == kind[y][:, None])).sum(1) for kind in kinds], axis=1)


result, run = train(methods.Teacher, 0)
stored = read_predictions(run.folder / "predictions.npz")
z, y = stored["rgb+depth_logits"].astype(float), stored["rgb+depth_labels"]
answer_2 = 100 * dark(z, y, T=1.0).mean(0)
print("same shape, same material (%):", {T: (100 * dark(z, y, T).mean(0)).round(1).tolist() for T in (1.0, 4.0, 1e4)})
check("exercise 2: very warm shares are chance", np.allclose(dark(z, y, 1e6), 0.25, atol=1e-4))

# %% [markdown]
# **3.** Drop the column of the label, then T² times the mean KL of what is left.


# %%
def answer_3(z_s, z_t, y, T):
    others = np.arange(z_s.shape[1]) != y[:, None]  # [B, C]
    log_s, log_t = (log_softmax(z[others].reshape(len(y), -1) / T, axis=1) for z in (z_s, z_t))
    return T**2 * (np.exp(log_t) * (log_t - log_s)).sum(1).mean()


z_s, z_t = np.random.default_rng(0).normal(size=(2, 5, 4))
label = np.array([0, 1, 2, 3, 0])
package = distill.dkd_terms(*(torch.tensor(v) for v in (z_s, z_t, label)), 2.0)[1].item()
check(f"exercise 3: {package:.4f}", np.isclose(answer_3(z_s, z_t, label, 2.0), package))

# %% [markdown]
# **4.** `soft_labels` holds the teacher's answers for all training images in all views; view 0 is the image as it is. In a
# `cpu` run the teacher is somewhat surer on its training scenes than on new ones: there, less dark knowledge reaches the
# student than the held-out measurement suggests. In the `tiny` profile it has learnt too little to show it.

# %%
part = whole.split(seed=0)
frozen, _ = load_run(run.folder, part)
soft = teaching.soft_labels(frozen, part, augment=False)
rows, views = torch.arange(len(part.train)), torch.zeros(len(part.train), dtype=torch.long)
z_train = soft(dict.fromkeys(whole.modalities, rows), dict.fromkeys(whole.modalities, views))
answer_4 = 100 * (1 - z_train.softmax(1)[rows, torch.tensor(part.train.labels)].mean().item())
images = np.concatenate([part.train.images(name) for name in whole.modalities], axis=1)
with torch.inference_mode():
    again = frozen.predict("rgb+depth", torch.from_numpy(images))
print(f"off the label: {answer_4:.1f} % on training scenes, {100 * (1 - softmax(z, axis=1)[np.arange(len(y)), y]).mean():.1f} % on test scenes")
check("exercise 4: the stored answers are the teacher's", torch.allclose(again, z_train, atol=1e-4) and 0 < answer_4 < 100)

# %% [markdown]
# **5.** One fusion teacher per seed, found by `Run.of` from the same settings; then both students and the paired difference.
# Use the `cpu` profile and the full data for an answer: an interval around zero would say that softness is enough.


# %%
class Flattened(methods.KDv2):
    name = "kdv2-flat"

    def loss(self, batch):
        y = next(iter(batch.y.values()))  # [B], the same for every sensor: the batch is paired
        soft = flatten(batch.soft, y, self.temperature)
        return super().loss(sets.Batch(batch.x, batch.y, batch.epoch, soft))


def flatten(z, y, T):
    p_y = (z / T).softmax(1).gather(1, y[:, None])
    flat = ((1 - p_y) / (z.shape[1] - 1)).expand_as(z).scatter(1, y[:, None], p_y)
    return T * flat.log()


f1 = {"kdv2": [], "kdv2-flat": []}
for seed in range(5):
    train(methods.Teacher, seed, reads="all")
    for method in (methods.KDv2, Flattened):
        f1[method.name].append(train(method, seed, teacher="all")[0].f1["depth"])
answer_5 = np.subtract(f1["kdv2"], f1["kdv2-flat"])
mean, low, high = tables.paired_difference(f1["kdv2"], f1["kdv2-flat"])
print(f"depth: kdv2 − flattened {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}] in the tiny profile")
check("exercise 5", len(answer_5) == 5 and np.isfinite(answer_5).all())
finish()
