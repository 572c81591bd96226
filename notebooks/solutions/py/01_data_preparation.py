# %% [markdown]
# # 01 · Solutions
#
# The exercises are at the end of `01_data_preparation.ipynb`.

# %%
import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier

from discom import data as dd
from discom.data.augmentation import turn
from discom.notebook import check

source = dd.load("scenes")

# %% [markdown]
# **1.** A redrawn texture is right in one of two cases: 1 − 0.3 + 0.3 / 2.

# %%
answer_1 = 1 - 0.3 + 0.3 / 2
check(f"exercise 1: {answer_1:.3f}", np.isclose(answer_1, dd.scenes.best_accuracy(0.3, 2)))

# %% [markdown]
# **2.** If the cues agree, answer what both say; if not, the texture is right more often. So the rule always answers
# the texture, and the bound is that of RGB alone: in accuracy, the poorer sensor adds nothing to the
# richer one, though it does say how sure one can be.

# %%
texture, relief, material = (source.factors[name] for name in ("texture", "relief", "material"))
answer_2, clash = dd.scenes.best_accuracy(0.10), texture != relief
right = [(cue == material)[clash].mean() for cue in (texture, relief)]
check(f"exercise 2: {answer_2:.3f}; on a clash, texture is right in {right[0]:.0%}", right[0] > right[1])


# %% [markdown]
# **3.** The same motions for both; a mask takes them as well.


# %%
def same_motion(x_rgb, x_depth, motions):
    return turn(x_rgb, motions), turn(x_depth, motions)


x, motions = torch.rand(8, 4, 8, 8), torch.arange(8)
check("exercise 3", torch.equal(torch.cat(same_motion(x[:, :3], x[:, 3:], motions), 1), turn(x, motions)))

# %% [markdown]
# **4.** A moved object keeps the strength of its spatial frequencies, and a turned one keeps their mean over all
# directions. So: mean and peak of the spectrum on rings, and the sorted edge strengths, into a forest of trees.


# %%
def features(x):
    grey, size = x.mean(1), x.shape[-1]
    edges = np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:]).reshape(len(x), -1)
    spectrum = np.abs(np.fft.fft2(grey - grey.mean((1, 2), keepdims=True)))
    ring = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size) * size] * 2)).round()
    mean = np.stack([spectrum[:, ring == r].mean(1) for r in range(1, size // 2)], 1)
    peak = np.stack([spectrum[:, ring == r].max(1) for r in range(1, size // 2)], 1) / mean
    return np.concatenate([np.log(mean), peak, np.sort(edges, axis=1)[:, ::60]], axis=1)


train, valid, _ = source.split(seed=0)
trees = ExtraTreesClassifier(300, random_state=0).fit(features(train.images("rgb")), train.labels)
answer_4 = 100 * trees.score(features(valid.images("rgb")), valid.labels)
check(f"exercise 4: {answer_4:.1f} % on the validation part", answer_4 > 200 / len(source.classes))
