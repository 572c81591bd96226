# %% [markdown]
# # Solutions to notebook 04
#
# Runs on its own, on a small draw and in the `tiny` profile, so that it takes seconds; its scores mean nothing.

# %%
import tempfile
from dataclasses import replace

import numpy as np
import torch
from scipy.special import softmax

from discom import data as sets
from discom import fit, methods, tables
from discom.config import profile as settings
from discom.notebook import check, finish, stamp
from discom.runs import Run, read_predictions

stamp(0)
data = "scenes:n=120,size=16"
runs = tempfile.mkdtemp()


def train(method, seed, **options):
    scenes = sets.load(sets.at_seed(data, seed))  # drawn anew for each seed
    run = Run.of(runs, method, scenes, replace(settings("tiny", seed=seed), options=options))
    part, teacher = scenes.split(seed=seed), run.teacher_folder
    return fit(method, part, run.config, run.folder, teacher=teacher, progress=False), run.folder


# %% [markdown]
# **1.** With two classes the larger probability is σ((4 − 0) / T), and σ(1) = 0.731, so T = 4. The usual temperature
# turns near certainty (0.982 at T = 1) into a leaning.

# %%
answer_1 = 4.0
check("exercise 1", abs(softmax(np.array([4, 0]) / answer_1)[0] - 0.731) < 1e-3)

# %% [markdown]
# **2.** In the notebook: `same_shape(softmax(logits, axis=1), labels).mean()`. A temperature of 4 pulls every share
# towards chance, 25 %; at T = 1 the teacher's preference for classes of the right shape is at its full size. The share
# depends on the logits divided by T alone, so a very warm teacher is at chance:

# %%
_, folder = train(methods.Teacher, 0)
saved = read_predictions(folder / "predictions.npz")
logits, labels = saved["rgb+depth_logits"].astype(float), saved["rgb+depth_labels"]
shapes = np.array([name.split("/")[0] for name in sets.load(data).classes])
alike = shapes[:, None] == shapes


def same_shape(soft, labels):
    others = soft.copy()
    others[np.arange(len(labels)), labels] = 0
    return (others * alike[labels]).sum(1) / others.sum(1)


for T in (1, 4, 1e6):
    print(f"T = {T:g}: {same_shape(softmax(logits / T, axis=1), labels).mean():.1%}")
answer_2 = same_shape(softmax(logits, axis=1), labels).mean()
warm = same_shape(softmax(logits / 1e6, axis=1), labels)
check("exercise 2: a very warm teacher is at chance", np.allclose(warm, 0.25, atol=1e-4))

# %% [markdown]
# **3.** One teacher for each seed, both students, and the paired difference. For an answer use the `cpu` profile and all
# scenes. An interval around zero would say that softness is enough.


# %%
def flatten(z, y, T):
    """Logits [B, C] that keep the label's probability at T and spread the rest evenly."""
    p_y = (z / T).softmax(1).gather(1, y[:, None])
    even = ((1 - p_y) / (z.shape[1] - 1)).expand_as(z)
    return T * even.scatter(1, y[:, None], p_y).log()


class Flattened(methods.KDv2):
    name = "kdv2-flat"

    def loss(self, batch):
        y = next(iter(batch.y.values()))  # the same for every sensor: the batch is paired
        soft = flatten(batch.soft, y, self.temperature)
        return super().loss(sets.Batch(batch.x, batch.y, batch.epoch, soft))


z, y = torch.tensor(logits), torch.tensor(labels)
flat = flatten(z, y, 4.0)
check("what is left is chance", np.allclose(same_shape((flat / 4).softmax(1).numpy(), labels), 0.25))
f1 = {"kdv2": [], "kdv2-flat": []}
for seed in range(3):
    train(methods.Teacher, seed)
    for method in (methods.KDv2, Flattened):
        f1[method.name].append(train(method, seed)[0].f1["depth"])
answer_3 = np.subtract(f1["kdv2"], f1["kdv2-flat"])
mean, low, high = tables.paired_difference(f1["kdv2"], f1["kdv2-flat"])
print(f"depth: kdv2 − flattened {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}], tiny profile")
check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())
finish()
