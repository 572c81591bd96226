# %% [markdown]
# # Solutions to notebook 07
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile
from dataclasses import replace

import numpy as np
from scipy import stats

from discom import data as sets, methods, sweep, tables
from discom.config import profile as settings
from discom.notebook import check, finish, stamp
from discom.runs import Run

stamp(0)

# %% [markdown]
# **1.** t with nine degrees of freedom, times s_d over the root of ten.

# %%
answer_1 = stats.t.ppf(0.975, 9) * 2 / np.sqrt(10)
print(f"± {answer_1:.2f} points")
check("exercise 1", np.isclose(answer_1, 1.43, atol=0.01))


# %% [markdown]
# **2.** The smallest of all later values, so accumulate from the end. It keeps more than Holm: it lets a share of the
# findings be false, where Holm lets none be.


# %%
def answer_2(p):
    order, m = np.argsort(p), len(p)
    stepped = np.sort(p) * m / np.arange(1, m + 1)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1)
    return adjusted


def holm(p):
    order, m = np.argsort(p), len(p)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate((m - np.arange(m)) * np.sort(p)), 1)
    return adjusted


check("by hand: .01, .04, .03 become .03, .04, .04", np.allclose(answer_2([0.01, 0.04, 0.03]), [0.03, 0.04, 0.04]))
p = np.random.default_rng(0).beta(0.4, 2, 50)
print(f"of 50 p-values {(holm(p) < 0.05).sum()} pass Holm, {(answer_2(p) < 0.05).sum()} Benjamini and Hochberg")
check("exercise 2", np.allclose(answer_2(p), stats.false_discovery_control(p)))
check("never stricter than Holm", (answer_2(p) <= holm(p) + 1e-12).all())


# %% [markdown]
# **3.** Try one number of seeds after another.


# %%
def power(difference, sd, n):
    t, shift = stats.t.ppf(0.975, n - 1), difference / sd * np.sqrt(n)
    return stats.nct.sf(t, n - 1, shift) + np.nan_to_num(stats.nct.cdf(-t, n - 1, shift))


answer_3 = next(n for n in range(2, 200) if power(2, 3, n) >= 0.8)
print(f"{answer_3} seeds")
check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))

# %% [markdown]
# **4.** The two are one method with other options, so they have other labels and other folders. Here on a small draw with
# the `tiny` profile, whose scores mean nothing; the real thing is `profile="cpu"` and `scenes`.

# %%
place = "scenes:n=120,size=16"
data, folder = sets.load(place), tempfile.mkdtemp()
mlkd = methods.get("mlkd")
options = {"ours": {}, "theirs": dict(mlkd.published)}
print({name: tables.label("mlkd", held) for name, held in options.items()})
scores = {name: [] for name in options}
for seed in range(3):
    for name, held in options.items():
        run = Run.of(folder, mlkd, data, replace(settings("tiny", seed=seed), options=held))
        for needed in (run.teacher, run):  # in a script or notebook of your own, sweep.sweep does this side by side
            result = sweep.train(needed, place)
        scores[name].append(result.f1["depth"])
answer_4 = np.subtract(scores["theirs"], scores["ours"])
mean, low, high = tables.paired_difference(scores["theirs"], scores["ours"])
print(f"as published − as it should be, depth: {mean:+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}] in the tiny profile")
check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())
finish()
