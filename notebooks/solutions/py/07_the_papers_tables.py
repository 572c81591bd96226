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
# **2.** Try one number of seeds after another.


# %%
def power(true, error, n, level=0.05):
    t, shift = stats.t.ppf(1 - level / 2, n - 1), true / error
    below = np.nan_to_num(stats.nct.cdf(-t, n - 1, shift))
    return stats.nct.sf(t, n - 1, shift) + below


answer_2 = next(n for n in range(2, 200) if power(2, 3 / np.sqrt(n), n) >= 0.8)
print(f"{answer_2} seeds")
fewer, enough = (power(2, 3 / np.sqrt(n), n) for n in (answer_2 - 1, answer_2))
check("exercise 2", fewer < 0.8 <= enough)

# %% [markdown]
# **3.** Here on a small draw with the `tiny` profile, whose scores mean nothing; the real thing is `profile("cpu")` and
# `scenes`. Each seed draws its own scenes, so the differences are independent and need no overlap term.

# %%
folder, scores = tempfile.mkdtemp(), {"student-2x": [], "discom": []}
for seed in range(3):
    split = sets.load(f"scenes:n=120,size=16,seed={seed}").split(seed=seed)
    settings = discom.profile("tiny", seed=seed)
    for method, f1 in scores.items():
        run = f"{folder}/{method}-{seed}"
        f1.append(discom.fit(method, split, settings, run, progress=False).f1["depth"])
each = np.subtract(scores["discom"], scores["student-2x"])
half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
answer_3 = each, 0.0, (each.mean() - half, each.mean() + half)
print(f"DisCoM-KD − student-2x, depth: {each.mean():+.1f} ± {half:.1f}")
expected = tables.paired_difference(scores["discom"], scores["student-2x"])[1:]
check("exercise 3", len(each) >= 3 and np.allclose(answer_3[2], expected))
finish()
