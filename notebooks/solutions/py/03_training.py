# %% [markdown]
# # Solutions to notebook 03
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in about three minutes.

# %%
import os
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "03.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
os.chdir(notebooks)
from course_data import cells_of

cells = ("data =", "import copy", "from lessons", "class Student", "def unpaired", "def train", "three =")
exec(cells_of("03", cells, '\ncurves["student"]'), globals())  # without what it trains

# %% [markdown]
# **1.** One order serves all sensors. Each image still gets a turn of its own: turned alike, a loss that compares pairs
# could find the partner by the turn.


# %%
def paired(part, sensors, size=125):
    for rows in torch.randperm(len(part.labels)).split(size):
        images, labels = {}, {}
        for sensor in sensors:
            own = part.images[sensor][rows]
            images[sensor] = apply_d4(own, random_d4(own))
            labels[sensor] = part.labels[rows]
        yield images, labels


check("exercise 1", exercises.first(paired) == "")

# %% [markdown]
# **2.** The smaller sensor is shown in whole rounds, each in a new order, until the larger one is used up.


# %%
def orders(counts, size):
    most, rows = max(counts.values()), {}
    for sensor, count in counts.items():
        rounds = [torch.randperm(count) for _ in range(-(-most // count))]
        rows[sensor] = torch.cat(rounds)[:most].split(size)
    return rows


check("exercise 2", exercises.second(orders) == "")

# %% [markdown]
# **3.** It has them and does not use them: no loss of DisCoM-KD compares the two images of a pair, so their order in a batch
# changes little. [Ten seeds](../../../docs/results/all_labels.md) say so, too: +0.4 points, not significant.

# %%
scores = {}
for batches in (unpaired, paired):
    unpaired = batches  # what `run` calls
    scores[batches.__name__] = run("DisCoM-KD", Branch, sensors, five)[-1]
check("exercise 3", exercises.third(scores, test.best["depth"]) == "")
