# %% [markdown]
# # Solutions to notebook 06
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in about three minutes.

# %%
import os
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "06.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
os.chdir(notebooks)
from course_data import cells_of

cells = ("data =", "import numpy", "def probe", "which =", "from lessons.losses import adv")
cells += ("from lessons.losses import losses", "def erase(")  # MDiCo is not needed here
exec(cells_of("06", cells), globals())  # without what it trains

# %% [markdown]
# **1.** Directions that are not at right angles cannot be erased one after the other: the second brings back a share in the
# first. So take a basis of all of them, at right angles.


# %%
def erase_all(z, directions):
    for direction in torch.linalg.qr(directions.T).Q.T:
        z = erase(z, direction)
    return z


check("exercise 1", exercises.first(erase_all) == "")

# %% [markdown]
# **2.** The parts of both sensors have one scale already, so depth is read as it is, and only on the other half.


# %%
def carried(z, labels):
    reader = nn.Linear(z.shape[2], int(labels.max()) + 1).to(z.device)
    half = len(z) // 2
    probe(z[:, 0], labels, reader)
    right = reader(z[half:, 1]).argmax(1) == labels[half:]
    return 100 * right.float().mean().item()


check("exercise 2", exercises.second(carried) == "")
print(f"DisCoM-KD's inv: {carried(found['DisCoM-KD']['inv'], test.labels):.0f} %")

# %% [markdown]
# **3.** Without its adversary the sensor is read as well as with it: this adversary hides nothing from a probe.

# %%
four = {name: loss for name, loss in five.items() if name != "adv"}
found["without adv"], _ = trained(four, lambda _: unpaired(scenes, sensors))
scores = {}
for name, network in {"with adv": "DisCoM-KD", "without adv": "without adv"}.items():
    scores[name] = probe(found[network]["inv"].flatten(0, 1), which)
print(scores)
check("exercise 3", exercises.third(scores) == "")
