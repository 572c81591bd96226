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
    scenes = sets.load(sets.at_seed("scenes:n=330,size=16", seed))
    split = scenes.split(seed=seed)
    run = Run.of(
        runs,
        methods.get("discom"),
        scenes,
        settings("tiny", seed=seed, options=options),
    )
    fit("discom", split, run.config, run.folder, progress=False)
    return inspection.embeddings(run.folder, split), split


# %% [markdown]
# **1.** (46 − 36) / (100 − 36) ≈ 0.16: the grey of the grid, 0 at chance and 1 at 100 %. Without it, 46 % of two
# values and 46 % of nine would look alike.

# %%
answer_1 = (46 - 36) / (100 - 36)
check(f"exercise 1: {answer_1:.3f}", np.isclose(answer_1, 0.156, atol=0.005))

# %% [markdown]
# **2.** Both the vectors and those of the training part, which set mean and spread, lose the direction. Read the table by
# its second diagonal: a class probe fitted to one sensor and read on the other. In one run on the full data it went up
# from depth to RGB and hardly changed from RGB to depth. One run is no finding. Equal means do not align the classes:
# those of one class may still lie in different places around the mean.


# %%
def erase(vectors, train):
    """Both sensors' vectors without the direction between the sensors' means."""
    first, second = (train[sensor].mean(0) for sensor in train)
    direction = (first - second) / np.linalg.norm(first - second)
    return {s: v - np.outer(v @ direction, direction) for s, v in vectors.items()}


z, split = embedded(seed, adversary="alternating")
y = split.test.labels
test, train = (
    {s: arrays["inv"] for s, arrays in z[part].items()} for part in ("test", "train")
)
before = probing.class_transfer(test, y, train=train, seed=seed)
erased, fitted = erase(test, train), erase(train, train)
answer_2 = probing.class_transfer(erased, y, train=fitted, seed=seed)
print("before", before.round(1).to_dict("index"))
print("erased", answer_2.round(1).to_dict("index"))
gap = np.ptp([fitted[sensor].mean(0) for sensor in fitted], axis=0).max()
check("exercise 2: the sensors' means in training are equal", gap < 1e-4)

# %% [markdown]
# **3.** One run per seed and arm; the same seed gives both arms the same scenes and split, so the difference is paired. In
# the `cpu` profile on the full data this asks whether xcov, which sees lines only, also hides the class from an MLP.

# %%
accuracy = {}
for s in range(5):
    for arm, options in {"discom": {}, "xcov=5": {"weights": {"xcov": 5.0}}}.items():
        arrays, part = embedded(s, **options)
        irr, irr_train = (arrays[name]["rgb"]["irr"] for name in ("test", "train"))
        probe = probing.probe(
            irr, part.test.labels, train=irr_train, seed=s, reader="mlp"
        )
        accuracy.setdefault(arm, []).append(probe.score)
answer_3 = np.subtract(accuracy["xcov=5"], accuracy["discom"])
mean, low, high = tables.paired_difference(accuracy["xcov=5"], accuracy["discom"])
print(
    f"class from z_irr by an MLP: xcov=5 − discom {mean:+.1f} points, 95 % [{low:+.1f}, {high:+.1f}] in the tiny profile"
)
check("exercise 3", len(answer_3) == 5 and np.isfinite(answer_3).all())
finish()
