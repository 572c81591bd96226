# %% [markdown]
# # Solutions to notebook 05
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile

import numpy as np

from discom import data as sets
from discom import methods, sweep, tables
from discom.config import profile as settings
from discom.evaluation import focusing
from discom.notebook import check, finish, stamp
from discom.runs import Run

stamp(0)

# %% [markdown]
# **1.** The smallest is multiplied by 3, the next by 2, the largest by 1, and none may become smaller than the one before:
# 0.01 · 3 = 0.03, 0.02 · 2 = 0.04, 0.20 · 1 = 0.20.

# %%
answer_1 = [0.04, 0.03, 0.20]
check("exercise 1", np.allclose(answer_1, tables.holm([0.02, 0.01, 0.20])))

# %% [markdown]
# **2.** Six: with five, even complete agreement gives 2 / 32 = 6 %. So the sign test could never call a five-seed
# difference significant, and the rows of ten seeds could pass it; the t interval can with five, since it takes the
# differences as normal.

# %%
answer_2 = next(n for n in range(1, 20) if 2 / 2**n < 0.05)
print({n: 2 / 2**n for n in (5, 6)})
check("exercise 2", 2 / 2**answer_2 < 0.05 <= 2 / 2 ** (answer_2 - 1))

# %% [markdown]
# **3.** Three seeds give an interval several times as wide as ten do; it should overlap the stored one.

# %%
answer_3 = focusing.toy_curve("gamma", seeds=[10, 11, 12], features=[10])
mean, low, high = tables.paired_difference(answer_3["kd"], answer_3["student"])
print("gain at γ = 1, seeds 10 to 12, in points:")
print(f"{mean:+.2f}, 95 % interval [{low:+.2f}, {high:+.2f}]")
check(
    "exercise 3",
    answer_3["seed"].nunique() >= 3
    and answer_3["seed"].min() > 9
    and np.allclose(answer_3["gain"], answer_3["kd"] - answer_3["student"]),
)

# %% [markdown]
# **4.** Two arms on the scenes of three seeds. Here on a small draw with the `tiny` profile, whose scores mean nothing; the
# real thing is `scenes` with `profile="cpu"`. If the adversary is what the auxiliary term makes up for, the differences
# are above zero, and a probe finds the class in z_inv again.

# %%
folder, f1, data = tempfile.mkdtemp(), {}, "scenes:n=120,size=16"
for seed in range(3):
    scenes = sets.load(sets.at_seed(data, seed))  # drawn anew for each seed
    for weights in ({"aux": 0}, {"aux": 0, "adv": 0}):
        options = {"weights": weights}
        config = settings("tiny", seed=seed, options=options)
        run = Run.of(folder, methods.get("discom"), scenes, config)
        result = sweep.train(run, data)
        f1.setdefault(tables.label("discom", options), []).append(result.f1["depth"])
with_adv, without_adv = f1.values()
answer_4 = np.subtract(without_adv, with_adv)
mean, low, high = tables.paired_difference(without_adv, with_adv)
print(f"{' against '.join(reversed(f1))}, depth, in the tiny profile:")
print(f"{mean:+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}]")
check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())
finish()
