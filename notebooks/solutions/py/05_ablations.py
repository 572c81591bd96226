# %% [markdown]
# # Solutions to notebook 05
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile
from pathlib import Path

import numpy as np

from discom import data as sets
from discom import fit, methods, tables
from discom.config import profile as settings
from discom import inspection
from discom.notebook import check, finish, stamp
from discom.running.runs import Result, Run

stamp(0)

# %% [markdown]
# **1.** The smallest is multiplied by 3, the next by 2, the largest by 1, and none may become smaller than the one before:
# 0.01 · 3 = 0.03, 0.02 · 2 = 0.04, 0.20 · 1 = 0.20.

# %%
answer_1 = [0.04, 0.03, 0.20]
check("exercise 1", np.allclose(answer_1, tables.holm([0.02, 0.01, 0.20])))

# %% [markdown]
# **2.** With eight comparisons the corrected p-value falls from 0.53 to 0.13, still above 5 %. A family must be chosen before the
# results are seen: a smaller one chosen afterwards is no evidence.

# %%
results = Path(tables.__file__).parents[2] / "results"
ablations = tables.load_results(results / "scenes-table3.json")
rows = [f"discom {term}=0" for term in ("adv", "mod", "aux", "orth")]
four = tables.compare(ablations, [(row, "discom") for row in rows])
four = four.set_index(["method", "modality"])["holm"]
answer_2 = four["discom aux=0", "depth"]
print(f"corrected p-value of depth: {answer_2:.2f}")
check("exercise 2", np.isclose(answer_2, 0.132, atol=0.005))
check("still not significant", answer_2 > 0.05)

# %% [markdown]
# **3.** Here on a small draw with the `tiny` profile, whose scores mean nothing, so its checker looks at the form alone. The
# notebook's checker compares a run on `scenes` with `profile="cpu"` with ours. We stored no probes of such runs: what z_inv
# holds there, you are the one to find out. At about 11 it is empty, at 70 or more it still holds the class.

# %%
scenes = sets.load("scenes:n=120,size=16")
split = scenes.split(seed=0)
config = settings("tiny", seed=0, options={"weights": {"aux": 0.0}})
run = Run.of(Path(tempfile.mkdtemp()), methods.get("discom"), scenes, config)
fit("discom", split, run.config, run.folder, progress=False)
probes = {reading.method: reading.f1 for reading in inspection.readings(run.folder, split)}
result, z_inv = Result.read(run.folder / "result.json"), probes["discom aux=0 z_inv probe"]
answer_3 = {sensor: (result.f1[sensor], z_inv[sensor]) for sensor in ("rgb", "depth")}
for sensor, (f1, probe) in answer_3.items():
    print(f"{sensor}: network {f1:.1f}, probe of z_inv {probe:.1f}")
    check(f"exercise 3: {sensor} has two scores", 0 <= min(f1, probe) <= max(f1, probe) <= 100)
finish()
