# %% [markdown]
# # Solutions to notebook 05
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in about four minutes.

# %%
import os
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "05.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
os.chdir(notebooks)
from course_data import cells_of

cells = ("data =", "from math import log", "from lessons")
exec(cells_of("05", cells, '\n\n\nlearn("all five"'), globals())  # without what it trains

# %% [markdown]
# **1.** Every row must add up to one. The mean over the rows does not tell: with as many ones as zeros it is one.


# %%
def safe_cross_entropy(logits, targets):
    if targets.is_floating_point():
        sums = targets.sum(1)
        if targets.min() < 0 or not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            raise ValueError("every row of targets must be probabilities that add up to one")
    return F.cross_entropy(logits, targets)


check("exercise 1", exercises.first(safe_cross_entropy) == "")

# %% [markdown]
# **2.** The counter belongs to the loss that `late` returns, so that each late loss counts its own calls. Times 0, and not
# left out, because the loop wants a loss from every term. 128 calls are four epochs of 16 steps and two sensors.


# %%
def late(loss, calls):
    count = 0

    def later(*given):
        nonlocal count
        count += 1
        return loss(*given) * (count > calls)

    return later


check("exercise 2", exercises.second(late) == "")


def begins(history):
    below = history["cl"] < 0.9 * 2 * log(9)
    return below.idxmax() + 1 if below.any() else None


def begun(terms, epochs):
    network = make_network(Branch, seed).to(device, memory_format=torch.channels_last)
    history = train(network, terms, lambda _: unpaired(scenes, sensors), epochs, test)
    depth = 100 * right(network, "depth", test).mean().item()
    print(f"{', '.join(terms)}, {epochs} epochs: {depth:.0f} %, cl begins in epoch {begins(history)}")
    return begins(history)


begun(five | {"adv": late(adv_loss, 128)}, epochs)

# %% [markdown]
# With the adversary late, the class started in epoch 5 and not in 6 or 7 in our runs, and depth ended at 47 %, not 40. So part of the
# fall is a late start. One run of one seed; on another processor each may move by an epoch and some points.
#
# **3.** No. In twenty epochs the branch began in epoch 4, as in ten; all five began in epoch 6, in ten in 6 or 7. Depth ended at
# 74 % and 73 %: 14 epochs are left to learn in, not 3. One run of one seed.

# %%
twice = 2 * epochs
starts_of_twenty = {"cl": begun({"cl": class_loss}, twice), "all five": begun(five, twice)}
check("exercise 3", exercises.third(starts_of_twenty) == "")
