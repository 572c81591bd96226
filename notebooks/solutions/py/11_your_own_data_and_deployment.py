# %% [markdown]
# # Solutions to notebook 11
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from discom import data as sets
from discom.data.duplicates import near_duplicates
from discom.deployment import Contract
from discom.notebook import check, finish, stamp

stamp(0)

# %% [markdown]
# **1.** All ten are in one bin: |0.9 − 0.8|. The network is not sure enough, and the error does not say in which direction.

# %%
answer_1 = abs(0.9 - 0.8)
sure = np.full(10, 0.8)
shares, labels = torch.tensor(np.stack([sure, 1 - sure], 1)), torch.tensor([0] * 9 + [1])
by_library = multiclass_calibration_error(shares, labels, 2, n_bins=15).item()
check("hand and library agree", np.isclose(answer_1, by_library))
check("exercise 1", np.isclose(answer_1, 0.1))

# %% [markdown]
# **2.** The share of measured pixels outside the bounds, image by image. An image of which nothing was measured is guarded as well.


# %%
def guard(images, contract):
    low, high = (np.reshape(bound, (-1, 1, 1)) for bound in (contract.low, contract.high))
    measured = images != 0 if contract.invalid is None else images != contract.invalid
    inside = measured & (images >= low) & (images <= high)
    return 2 * inside.sum((1, 2, 3)) <= measured.sum((1, 2, 3))


mm = np.round(4000 * sets.scenes.make(n=100, seed=100).modalities["depth"].x)
low, high = np.percentile(mm[mm > 0], (2, 98))
contract = Contract("my/discom/0", "depth", ("metal", "stone", "wood"), (1, 32, 32), "mm", 0.0, (low,), (high,))
check("an empty image is guarded", guard(np.zeros((1, 1, 32, 32)), contract).all())
check("exercise 2", guard(mm / 1000, contract).all() and not guard(mm, contract).any())

# %% [markdown]
# **3.** A turn moves every difference to another place, so the copy looks like a stranger. Comparing all eight motions of the
# square would find it, at eight times the cost and of false alarms.

# %%
split = sets.scenes.make(n=330).split()
first = split.train.take(np.arange(20))


def tested(change):
    """The share of the first training images that are found when their changed copies are the test part."""
    copies = {name: sets.Modality(change(m.x), m.y, m.ids) for name, m in first.modalities.items()}
    found = near_duplicates(split._replace(test=first.having(copies)))
    return found.loc[found["other_part"] == "test", "other_id"].nunique() / len(first)


answer_3 = tested(lambda x: np.rot90(x, axes=(2, 3)).copy())
print(f"turned: {answer_3:.0%} found; as they are: {tested(lambda x: x):.0%}")
check("unturned copies are all found", tested(lambda x: x) == 1)
check("exercise 3", answer_3 < 0.2)

# %% [markdown]
# **4.** The answer is yours: write the folders as `<root>/<sensor>/<class>/<id>.png` and count the lines that start with
# `discom: warning`. Here, two sensors of ten scenes a class, one partner lost.

# %%
rgb, depth = sets.scenes.make(n=90).modalities.values()
faulty = sets.MultiModalData({"rgb": rgb, "depth": depth.take(np.arange(1, 90))}, split.train.classes)
answer_4 = len(np.setdiff1d(faulty.ids, faulty.paired_ids))
check("one sample has no partner", answer_4 == 1)
check("exercise 4", answer_4 >= 0)
finish()
