# %% [markdown]
# # 01 · Solutions
#
# The exercises are at the end of `01_data_preparation.ipynb`.

# %%
from dataclasses import replace

import numpy as np

from discom import data as sets
from discom.notebook import check

scenes = sets.load("scenes:seed=1")  # those of the notebook

# %% [markdown]
# **1.** A texture that is replaced at random is right in one of two cases: 1 − 0.3 + 0.3 / 2.

# %%
answer_1 = 1 - 0.3 + 0.3 / 2
check(f"exercise 1: {answer_1:.2f}", np.isclose(answer_1, sets.scenes.best_accuracy(0.3, 2)))

# %% [markdown]
# **2.** The share is that of the training part, now 0.7, whatever the test share is.

# %%
shared = replace(scenes, fractions=(0.7, 0.1, 0.2))
rgb = shared.select(["rgb"]).split(seed=0)
depth = shared.select(["depth"]).split(seed=1)
answer_2 = np.isin(rgb.test.ids, depth.train.ids).mean()
check(f"exercise 2: {answer_2:.2f}", abs(answer_2 - 0.7) < 0.06)

# %% [markdown]
# **3.** A room misses training with probability 0.6⁵, misses the test with 0.6⁵, and misses both with 0.2⁵. All other
# rooms are divided. With groups none is. A group should be whatever the deployed network will not have seen: a place, a
# day, a patient, a video.

# %%
answer_3 = 1 - 2 * 0.6**5 + 0.2**5
room = np.arange(len(scenes)) // 5


def divided(data):
    """Share of the rooms that have scenes in training and in the test part."""
    parts = data.split(seed=0)
    in_part = [set(room[np.isin(scenes.ids, part.ids)].tolist()) for part in parts]
    return len(in_part[0] & in_part[2]) / (room.max() + 1)


by_id, by_room = divided(scenes), divided(replace(scenes, groups=room))
check(f"exercise 3: {answer_3:.3f}, counted {by_id:.3f}", abs(by_id - answer_3) < 0.06)
check("split by room: none", by_room == 0)
