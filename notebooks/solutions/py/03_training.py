# %% [markdown]
# # Solutions to notebook 03
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from discom import data as sets
from discom import fit, tables
from discom.config import profile as settings
from discom.notebook import check, finish, stamp

stamp(0)
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# **1.** 2.776 · 0.7 / √5 = 0.87. The interval reaches from -0.37 to 1.37, so the gain is not significant.

# %%
answer_1 = 2.776 * 0.7 / np.sqrt(5)
check("exercise 1", np.isclose(answer_1, 2.776 * 0.7 / np.sqrt(5), atol=0.01))
check("the interval includes zero", 0.5 - answer_1 < 0)

# %% [markdown]
# **2.** In the notebook: `answer_2, _ = train("discom-solo", split, config)`. Here `fit`, which logs the same columns, on a small
# draw with the `tiny` profile, whose scores mean nothing.

# %%
scenes = sets.load("scenes:n=120,size=16")
split, sensors = scenes.split(seed=0), list(scenes.modalities)
fit("discom-solo", split, settings("tiny"), folder / "2", progress=False)
logged = pd.read_csv(folder / "2" / "metrics.csv")
scores = {f"valid_f1/{sensor}": sensor for sensor in sensors}
answer_2 = logged.rename(columns=scores).drop(columns=["epoch", "seconds", "learning_rate"])
check("exercise 2", set(answer_2) == {"cl", "aux", "orth", "loss", *sensors})

# %% [markdown]
# **3.** The same for five seeds, again small. With `scenes:n=1500` and the `cpu` profile it takes some minutes.

# %%
f1 = {"discom": [], "discom-solo": []}
for seed in range(5):
    split = sets.load(sets.at_seed("scenes:n=120,size=16", seed)).split(seed=seed)
    for name, scores in f1.items():
        run = folder / f"{name}-{seed}"
        scores.append(fit(name, split, settings("tiny", seed=seed), run, progress=False).f1["depth"])
answer_3 = np.array(f1["discom"]) - np.array(f1["discom-solo"])
mean, low, high = tables.paired_difference(f1["discom"], f1["discom-solo"])
print(f"depth: {mean:+.1f} [{low:+.1f}, {high:+.1f}] points, tiny profile")
check("exercise 3", len(answer_3) == 5 and np.isfinite(answer_3).all())
finish()
