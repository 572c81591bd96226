# %% [markdown]
# # Solutions to notebook 02
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in about two minutes.

# %%
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "02.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
from course_data import cells_of

cells = ("data =", "from math import log", "scenes, test", "class Branch", "def class_loss", "class Reverse")
cells += ("def orth_loss", "def losses", "def unpaired", "five =", "def readable")
exec(cells_of("02", cells, "\n\n\nfigure ="), globals())  # without what it trains

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
# In this run `irr` knows less of the material in colour, but `inf` has lost as much: both come out of one encoder, and `inf`
# needs what `irr` should forget. An encoder of its own for `irr` would part them. One run; we have not tested that.


# %%
def with_hide(heads=make_heads):
    return nn.ModuleDict({**heads(), "hide": nn.Linear(64, 9)})


material, lit = course.facts(test)["material"]
networks = {"five losses": network}
make_heads = with_hide
networks["and hide_loss"] = make_network(seed=seed).to(device)
train(networks["and hide_loss"], five | {"hide": hide_loss}, steps)
for name, trained in networks.items():
    for sensor in sensors:
        numbers = [readable(z, material, lit) for z in parts_of(trained, sensor)]
        print(name, sensor, "material: inv {:.0f} %, inf {:.0f} %, irr {:.0f} %".format(*numbers))
