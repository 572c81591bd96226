# %% [markdown]
# # Solutions to notebook 08
#
# At the end of the notebook the cells below run as they are. This one takes the notebook's own cells, so that the page
# also runs alone, in some minutes.

# %%
import os
import sys
from pathlib import Path

notebooks = Path(globals().get("__file__", "08.py")).resolve().parents[2]
sys.path.insert(0, str(notebooks))
os.chdir(notebooks)
from course_data import cells_of

cells = (
    "data =",
    "import numpy",
    "from lessons",
    "def weak_view",
    "unlabelled =",
    "def train",
    "trained,",
    "kinds =",
)
ends = "\n\n\ntorch.manual_seed", '\n\n\nrun("alone"', "\ntables_of_steps"
exec(cells_of("08", cells, *ends), globals())  # without what it draws and trains

# %% [markdown]
# **1.** Row by row the judge is the sensor with the larger maximum. `torch.where` takes whole rows.


# %%
def surest(beliefs):
    rgb, depth = beliefs.values()
    surer = (rgb.max(1).values > depth.max(1).values)[:, None]
    return dict.fromkeys(beliefs, torch.where(surer, rgb, depth))


check("exercise 1", exercises.first(surest) == "")

# %% [markdown]
# **2.** A copy, so that depth still reads the rows that it is given. The first 20 scenes pass their colour images on in a ring.
# Compare the printed score with that of true pairs in the notebook. A late pair is wrong twice: in the contrast, and in
# the label.


# %%
def late(others):
    rows = others.clone()
    rows[:20] = others[:20].roll(1)
    return rows


check("exercise 2", exercises.second(late) == "")
run("late", judge=pair_labels, weight=1, partner=late)

# %% [markdown]
# **3.** Both ways take 400 of the 1 800 unlabelled scenes. In ordinary scenes both sensors see the material; far away depth
# does not, so colour tells depth what its image cannot show. One seed decides little: try a second.

# %%
scores = {}
for kind in ("ordinary", "far away"):
    unlabelled = (
        labelled + torch.nonzero(torch.tensor(kinds[labelled:] == kind))[:400, 0]
    )
    run(kind, judge=pair_labels, weight=1)
    scores[kind] = live[kind]["depth"]
check("exercise 3", exercises.third(scores) == "")
