# %% [markdown]
# # Solutions to notebook 03
#
# 1. ceil(N / 50), as long as that leaves two samples in every batch.
# 2. and 3. below, on a small draw so that they take seconds.
# 4. Compare `fit("discom", …, options={"weights": {"aux": 0}})` with the default, seed by seed. Each seed draws
#    its own scenes, so that the seeds are independent.

# %%
import math
import tempfile
from pathlib import Path

from discom import data as sets
from discom import fit, tables
from discom.config import profile as settings
from discom.data import Batches

whole = sets.load("scenes:n=120,size=16")
split = whole.split(seed=0)
folder = Path(tempfile.mkdtemp())

# %%
answer_1 = math.ceil(len(split.train) / 50)
assert answer_1 == len(Batches(split.train, 50, 0))

# %%
answer_2 = fit("student", split, settings("tiny", augment=0), folder / "2", progress=False)
assert answer_2.config["augment"] == 0

# %%
answer_3 = fit("discom", split, settings("tiny", options={"pairing": "paired"}), folder / "3", progress=False)
assert answer_3.config["options"]["pairing"] == "paired"
# No term looks at two embeddings of the same scene together, so pairing changes the order of samples and nothing else.

# %%
with_aux, without = [], []
for seed in range(5):
    part = sets.load(sets.at_seed("scenes:n=120,size=16", seed)).split(seed=seed)
    with_aux.append(fit("discom", part, settings("tiny", seed=seed), folder / f"with-{seed}", progress=False))
    off = settings("tiny", seed=seed, options={"weights": {"aux": 0}})
    without.append(fit("discom", part, off, folder / f"without-{seed}", progress=False))
for sensor in whole.modalities:
    mean, low, high = tables.paired_difference([r.f1[sensor] for r in with_aux], [r.f1[sensor] for r in without])
    print(f"{sensor}: L_aux is worth {mean:+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}] in the tiny profile")
