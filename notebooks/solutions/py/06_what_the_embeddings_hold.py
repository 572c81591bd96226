# %% [markdown]
# # Solutions to notebook 06
#
# Runs on its own, on a small draw and in the `tiny` profile, so that it takes seconds; its scores mean nothing.

# %%
import tempfile
from pathlib import Path

import numpy as np

from discom import data as sets
from discom import fit, methods, probing, tables
from discom.evaluation import inspection
from discom.config import profile as settings
from discom.notebook import check, finish, stamp
from discom.runs import Run

seed = 0
stamp(seed)
runs = Path(tempfile.mkdtemp())


def embedded(seed, **options):
    """A trained network's embeddings, and the split: scenes are drawn anew for each seed."""
    whole = sets.load(sets.at_seed("scenes:n=330,size=16", seed))
    split = whole.split(seed=seed)
    run = Run.of(runs, methods.get("discom"), whole, settings("tiny", seed=seed, options=options))
    fit("discom", split, run.config, run.folder, progress=False)
    return inspection.embeddings(run.folder, split), split


z, split = embedded(seed)
y, C = split.test.labels, len(split.test.classes)
irr, irr_train = (z[part]["rgb"]["irr"].astype(float) for part in ("test", "train"))

# %% [markdown]
# **1.** (46 − 36) / (100 − 36) ≈ 0.16: the colour of the probe map, 0 at chance and 1 at 100 %. Without it, 46 % of two
# values and 46 % of nine would look alike.

# %%
answer_1 = (46 - 36) / (100 - 36)
check(f"exercise 1: {answer_1:.3f}", np.isclose(answer_1, 0.156, atol=0.005))

# %% [markdown]
# **2.** Slice both arrays: the scale must come from the same units. How far the score falls says how widely the class is
# spread over the units; the order of units means nothing, so any eight would do.

# %%
answer_2 = probing.probe(irr[:, :8], y, train=irr_train[:, :8], seed=seed).score
all_units = probing.probe(irr, y, train=irr_train, seed=seed)
print(f"8 units {answer_2:.1f} %, all {irr.shape[1]} units {all_units.score:.1f} %, chance {all_units.chance:.1f} %")
check("exercise 2: an accuracy", 0 <= answer_2 <= 100)

# %% [markdown]
# **3.** Three norms. The mean of every column goes first; without that, two embeddings of non-negative units look alike
# because both lie in the same corner.


# %%
def answer_3(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    return np.linalg.norm(b.T @ a) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))


other = z["test"]["rgb"]["inf"].astype(float)
check(f"exercise 3: {answer_3(irr, other):.3f}", np.isclose(answer_3(irr, other), probing.cka(irr, other)))

# %% [markdown]
# **4.** The class means, less the mean of all means, span at most C − 1 directions; the projection takes exactly these
# away. In the training part no class mean differs from another afterwards. On new scenes the means differ a little, as
# both are estimates, and a probe also uses directions of small spread: so the score falls and need not reach chance.
# Directions are taken after whitening in LEACE (Belrose et al. 2023), which makes the linear probe's failure on the
# fitted part exact.

# %%
mean, sd = irr_train.mean(0), np.where(irr_train.std(0) > 0, irr_train.std(0), 1)
train, test = (irr_train - mean) / sd, (irr - mean) / sd
means = np.array([train[split.train.labels == c].mean(0) for c in range(C)])
_, size, directions = np.linalg.svd(means - means.mean(0), full_matrices=False)
directions = directions[size > 1e-9 * size[0]]  # [C − 1, D] at most
erased, after = (z - z @ directions.T @ directions for z in (test, train))
answer_4 = probing.probe(erased, y, seed=seed).score
left = np.ptp([after[split.train.labels == c].mean(0) for c in range(C)], axis=0).max()
print(f"class before {all_units.score:.1f} %, erased {answer_4:.1f} %, chance {all_units.chance:.1f} %")
check("exercise 4: no class mean of the training part differs any more", left < 1e-6)

# %% [markdown]
# **5.** One run per seed and arm; the same seed gives both arms the same scenes and split, so the difference is paired. In
# the `cpu` profile on the full data this asks whether xcov, which sees lines only, also hides the class from an MLP.

# %%
accuracy = {}
for s in range(5):
    for arm, options in {"discom": {}, "xcov=5": {"weights": {"xcov": 5.0}}}.items():
        arrays, part = embedded(s, **options)
        irr, irr_train = (arrays[name]["rgb"]["irr"] for name in ("test", "train"))
        probe = probing.probe(irr, part.test.labels, train=irr_train, seed=s, reader="mlp")
        accuracy.setdefault(arm, []).append(probe.score)
answer_5 = np.subtract(accuracy["xcov=5"], accuracy["discom"])
mean, low, high = tables.paired_difference(accuracy["xcov=5"], accuracy["discom"])
print(f"class from z_irr by an MLP: xcov=5 − discom {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}] in the tiny profile")
check("exercise 5", len(answer_5) == 5 and np.isfinite(answer_5).all())
finish()
