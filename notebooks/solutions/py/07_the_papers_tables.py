# %% [markdown]
# # Solutions to notebook 07
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in about a minute.

# %%
import os
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "07.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
os.chdir(notebooks)
from course_data import cells_of

cells = ("data =", "import numpy", "from lessons", "class Student", "def train")
exec(cells_of("07", cells), globals())  # without what it trains

# %% [markdown]
# **1.** Sort, multiply, let none fall below an earlier one, and put them back.


# %%
def holm(p):
    order = np.argsort(p)
    sorted_p = np.asarray(p)[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(sorted_p), 1)
    return adjusted


check("exercise 1", exercises.first(holm) == "")

# %% [markdown]
# **2.** Here it is two points below the student of one encoder, and ten stored seeds have it one point below: size alone does
# not help.


# %%
class Twice(Student):
    def __init__(self):
        super().__init__()
        self.second, features = resnet10(3)
        self.task = nn.Linear(2 * features, 9)

    def forward(self, images):
        both = self.encoder(images), self.second(images)
        return self.task(torch.cat(both, dim=1))


check("exercise 2", exercises.second(Twice) == "")
torch.manual_seed(seed)
network = Twice().to(device, memory_format=torch.channels_last)
print(f"twice the weights, turned: {100 * train(network, True)[-1].mean():.1f} %")

# %% [markdown]
# **3.** The best of many noisy scores is partly luck. A mean over neighbouring epochs has less noise.


# %%
def choose(valid, width=7):
    means = valid.unfold(0, width, 1).mean(1)
    return means.argmax() + width // 2


check("exercise 3", exercises.third(choose) == "")
