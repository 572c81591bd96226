# %% [markdown]
# # Solutions to notebook 02
#
# At the end of the notebook the cells below run as they are. This one imports what the notebook has written, so that the
# page also runs alone, in about two minutes.

# %%
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

notebooks = Path(globals().get("__file__", "02.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
import course
from checks import exercises_02 as exercises
from discom import hardware
from discom.notebook import check
from lessons.losses import Reverse, adv_loss, aux_loss, class_loss, mod_loss, orth_loss
from lessons.model import make_network
from lessons.reading import read_facts
from lessons.steps import train_steps

data, steps = globals().get("data", "objects"), globals().get("steps", 400)  # the notebook's
device, seed = hardware.device(), 0
scenes, test = course.scenes(data, seed, device=device)
five = {"cl": class_loss, "aux": aux_loss, "mod": mod_loss, "adv": adv_loss, "orth": orth_loss}

# %% [markdown]
# **1.** Forward, the detached part adds $(1 + λ) z$ and the other takes $λ z$ away, so $z$ is left. Backward, the detached
# part counts for nothing, and $-λ$ is left.


# %%
def reverse(z, strength):
    return (1 + strength) * z.detach() - strength * z


check("exercise 1", exercises.first(reverse) == "")

# %% [markdown]
# **2.** The square of the cosine is 0 at 90° alone. It is taken for each scene: the mean of cosines could be 0 with half of
# the scenes at 0° and half at 180°. The absolute value does as well, but its gradient jumps at 90°.


# %%
def right_angles(parts):
    inv, inf, irr = parts
    return (F.cosine_similarity(inv, inf) ** 2 + F.cosine_similarity(inf, irr) ** 2).mean()


check("exercise 2", exercises.second(right_angles) == "")

# %% [markdown]
# **3.** The reversal stands between `irr` and the head: the head learns to read the class, the encoder to hide it.


# %%
def hide_loss(parts, heads, sensor, labels):
    return F.cross_entropy(heads.hide(Reverse.apply(parts[2], 1.0)), labels)


check("exercise 3", exercises.third(hide_loss) == "")

# %% [markdown]
# In this run the colour branch forgets the material of objects far away, but in `inf` as much as in `irr`: both fall from
# about 40 % to 0. The shape and depth's facts stay about as they were. Both parts come out of one encoder, so what `irr`
# should forget, `inf` loses, too. An encoder of its own empties `irr` without that, as the notebook shows.

# %%
for name, terms in {"five losses": five, "and hide_loss": {**five, "hide": hide_loss}}.items():
    network = make_network(seed=seed)
    network.heads["hide"] = nn.Linear(64, 9)
    train_steps(network.to(device), terms, scenes, steps)
    print(f"\n{name}, R² in %")
    print(read_facts(network, test).round().astype(int).to_string())
