# %% [markdown]
# # Solutions to notebook 07
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile

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
    stepped = (m - np.arange(m)) * np.sort(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


by_hand = np.allclose(answer_2([0.01, 0.04, 0.03]), [0.03, 0.04, 0.04])
check("by hand: .01, .04, .03 become .03, .04, .04", by_hand)
p = np.random.default_rng(0).beta(0.4, 2, 50)
print(f"of 50 p-values {(holm(p) < 0.05).sum()} pass Holm")
print(f"and {(answer_2(p) < 0.05).sum()} Benjamini and Hochberg")
check("exercise 2", np.allclose(answer_2(p), stats.false_discovery_control(p)))
check("never stricter than Holm", (answer_2(p) <= holm(p) + 1e-12).all())


# %% [markdown]
# **3.** Try one number of seeds after another.


# %%
def power(difference, sd, n):
    t, shift = stats.t.ppf(0.975, n - 1), difference / sd * np.sqrt(n)
    above, below = stats.nct.sf(t, n - 1, shift), stats.nct.cdf(-t, n - 1, shift)
    return above + np.nan_to_num(below)


answer_3 = next(n for n in range(2, 200) if power(2, 3, n) >= 0.8)
print(f"{answer_3} seeds")
check("exercise 3", power(2, 3, answer_3) >= 0.8 > power(2, 3, answer_3 - 1))

# %% [markdown]
# **4.** The two are one method with other options, so they have other labels and other folders. Here on a small draw with
# the `tiny` profile, whose scores mean nothing; the real thing is `profile="cpu"` and `scenes`. Each seed draws its own
# scenes, and a teacher is trained before its student.

# %%
place, folder = "scenes:n=120,size=16", tempfile.mkdtemp()
mlkd = methods.get("mlkd")
variants = {"ours": {}, "theirs": dict(mlkd.published)}
print({name: tables.label("mlkd", options) for name, options in variants.items()})
scores = {name: [] for name in variants}
for seed in range(3):
    scenes = sets.load(sets.at_seed(place, seed))
    for name, options in variants.items():
        run = Run.of(folder, mlkd, scenes, settings("tiny", seed=seed, options=options))
        sweep.train(run.teacher, place)
        scores[name].append(sweep.train(run, place).f1["depth"])
answer_4 = np.subtract(scores["theirs"], scores["ours"])
mean, low, high = tables.paired_difference(scores["theirs"], scores["ours"])
print(f"as published − as it should be, depth: {mean:+.1f} [{low:+.1f}, {high:+.1f}]")
check("exercise 4", len(answer_4) >= 3 and np.isfinite(answer_4).all())
finish()
