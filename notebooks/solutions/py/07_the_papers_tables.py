# %% [markdown]
# # Solutions to notebook 07
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile

import numpy as np
from scipy import stats

import discom
from discom import data as sets, tables
from discom.notebook import check, finish, stamp

stamp(0)

# %% [markdown]
# **1.** t with nine degrees of freedom, times s_d, times the root of 1/10 + 2/7.

# %%
answer_1 = stats.t.ppf(0.975, 9) * 2 * np.sqrt(1 / 10 + 2 / 7)
print(f"± {answer_1:.2f} points")
check("exercise 1", np.isclose(answer_1, 2.81, atol=0.01))

# %% [markdown]
# **2.** One survives: DisCoM-KD over `student` in depth. In the whole table it does not, so whoever picks the family after
# seeing the p-values picks the verdict. The p-values are the six rows of `table2`, rounded.

# %%
p = [0.2063, 0.0037, 0.1115, 0.0154, 0.0824, 0.6259]
answer_2 = int((tables.holm(p) < 0.05).sum())
print(tables.holm(p).round(3))
check("exercise 2", answer_2 == 1)


# %% [markdown]
# **3.** Try one number of seeds after another.


# %%
def power(true, sd, n):
    t, shift = stats.t.ppf(0.975, n - 1), true / sd * np.sqrt(n)
    below = np.nan_to_num(stats.nct.cdf(-t, n - 1, shift))
    return stats.nct.sf(t, n - 1, shift) + below


answer_3 = next(n for n in range(2, 200) if power(2, 3, n) >= 0.8)
print(f"{answer_3} seeds")
check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))

# %% [markdown]
# **4.** Here on a small draw with the `tiny` profile, whose scores mean nothing; the real thing is `profile("cpu")` and
# `scenes`. Each seed draws its own scenes, so the differences are independent and need no overlap term.

# %%
folder, scores = tempfile.mkdtemp(), {"student-2x": [], "discom": []}
for seed in range(3):
    split = sets.load(f"scenes:n=120,size=16,seed={seed}").split(seed=seed)
    settings = discom.profile("tiny", seed=seed)
    for method, f1 in scores.items():
        run = f"{folder}/{method}-{seed}"
        f1.append(discom.fit(method, split, settings, run, progress=False).f1["depth"])
answer_4 = np.subtract(scores["discom"], scores["student-2x"])
mean, low, high = tables.paired_difference(scores["discom"], scores["student-2x"])
print(f"DisCoM-KD − student-2x, depth: {mean:+.1f} [{low:+.1f}, {high:+.1f}]")
check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())
finish()
