# %% [markdown]
# # 12 · Do the tables of DisCoM-KD come out on your machine?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/12_reproduce_discom_kd.ipynb)
#
# This notebook is an instrument, not a lesson. It takes a data set and tables of the paper ([DisCoM-KD](https://arxiv.org/abs/2408.07080), BMVC 2024), says what they cost on this machine, trains what is missing, and shows the paper's figures beside yours. It stops when your time is up, and **Run all** goes on where it stopped; after a session that was cut off, from a `backup`.
#
# In the paper DisCoM-KD scores above the *student*, a network of one sensor, in every row. Look here at a second comparison, too: *discom-solo* is the same branch with the same losses, trained without the other sensor. **Only what DisCoM-KD gains over `discom-solo` came from the other sensor.**
#
# | At a glance | |
# |---|---|
# | You will | **prepare** a data set · **measure** what its tables cost · **train** them in pieces · **compare** them with the paper |
# | You need | for the values below one CPU core; for the paper's network a GPU for hours or days |
# | Time, memory | five minutes as it stands, 2 GB |
# | Data, licence | scenes drawn here, MIT; a public set of [data/README.md](../data/README.md); or your own |

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import os

ref, url = "v0.1.0", "https://github.com/discom-kd/discom"  # ref: a tag or a branch
try:
    import discom.config
except ImportError:  # on Colab, whose torch stays
    # !git clone -q --depth 1 -b {ref} {url} 2> /dev/null || echo "no {ref} yet: main"
    # !test -d discom || git clone -q --depth 1 {url}
    # !pip list --format=freeze | grep -E "^(torch|torchvision|numpy)=" > kept.txt
    # %pip install -q -c kept.txt "./discom[deploy]"
    import discom.config
clone = os.path.dirname(os.path.dirname(discom.config.__file__))
for place in ("discom/notebooks", f"{clone}/notebooks"):  # from Colab, or any folder
    if not os.path.isfile("course.py") and os.path.isdir(place):
        os.chdir(place)

# %% [markdown]
# ## Choose
#
# | | as it stands | a first look | half a day | the paper | your own sensors |
# |---|---|---|---|---|---|
# | `data` | `objects` | `objects` | `eurosat` | `eurosat`, `sunrgbd` or `tristar` | a prepared folder, or one of images, `<sensor>/<class>/<name>.png` |
# | `tables` | `2` | `2` | `2` | `1,2,3,4`, or one of them | `2,4` |
# | `methods` | five rows | `student,discom-solo,discom` | `student,discom-solo,discom` | `paper,discom-solo,student augment=0`: the paper's rows, the control, and a student whose images are not turned | `student,discom-solo,discom` |
# | `profile` | `cpu` | `cpu` | `paper` | `paper` | `cpu` |
# | `settings` | last epoch, float32 | `{}` | `{}` | `{}`, or `{"precision": "mixed"}` | `{}` |
# | `seeds` | 11 | 3 | 1 | 5 | 5 |
# | `budget_hours` | 0.07 | 0.4 | 4 | an hour less than your session gives | 2 |
# | `backup` | empty | empty | on Colab a folder of a mounted Drive | on Colab a folder of a mounted Drive | empty |
# | `known` | stored results | empty | empty | empty | empty |
#
# As it stands, ten seeds are read from stored results. Of the eleventh the student trains first, then other rows until the budget is spent. Names of rows are those of the tables, such as `discom adv=0`; empty `methods` are all. *Half a day* is that of a free T4: by [arithmetic](../docs/guides/reproduce.md#what-it-costs) one seed of student, branch alone and DisCoM-KD takes some three hours on EuroSAT; the forecast below says what it takes here.
#
# All that stands here but `budget_hours`, `backup` and `known` is part of a run's name, so choose once: with another precision or another `select` everything trains anew. Profile `paper` computes in float32, as the paper, and tests each sensor's best epoch. `mixed` is fp16 on a free Colab card (T4), and should be faster for large networks; the forecast below tells. One seed in float32 tells whether the difference matters.
#
# On Colab: *Runtime*, *Change runtime type* for a GPU; *File*, *Save a copy in Drive*, or these values are gone tomorrow; and for `backup` a cell above with `from google.colab import drive; drive.mount("/content/drive")` ([guide](../docs/guides/colab.md)).

# %% tags=["parameters"]
data = "objects"  # scenes, a public set, a prepared folder, or a folder of images
modalities = ""  # such as rgb+depth, in this order; empty: all
split = "random"  # of a public set alone: random, as in the paper, or by place
tables = "2"  # of the paper, such as 1,2,3,4
methods = "teacher,student,kdv2,discom-solo,discom"  # rows; paper: the paper's
profile = "cpu"  # or paper; tiny: a few steps, results mean nothing
settings = {"precision": "32-true", "select": "last"}  # unlike the profile's; or {}
seeds = 11  # how many, from 0 on
budget_hours = 0.07  # for training; 0: no limit
runs = "runs"  # each run has a folder here
known = "../results/all-labels.csv"  # zips of reports or results.csv, at commas
backup = ""  # a folder that keeps copies, such as of a mounted Drive

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import time

import pandas as pd

import backups
import discom
import reporting
import reproduction
from discom import plots
from discom.notebook import check, finish, stamp
from pictures import reproduced

reproduction.set_up()
stamp(f"0 to {seeds - 1}", device=device)
figures = {}

# %% [markdown]
# ## Where am I?

# %%
configuration = discom.profile(profile, **settings)
about = hardware.describe(configuration.precision, runs)
pd.Series(about, name="").to_frame().style.set_properties(**{"text-align": "left"})

# %% [markdown]
# ## The data
#
# A public set is fetched, verified by its checksum and prepared once. A `backup` keeps the prepared set as one zip; a later session unpacks it there, and fetches nothing.

# %%
source = reproduction.fetched(data, split, backup)
asked = {"modalities": modalities, "profile": profile, "settings": settings}
study = reproduction.study_of(source, runs, tables, methods, seeds, **asked)
images = discom.data.load(source, modalities, seed=0)
parts = images.split(0)
print(f"{images.name}: {', '.join(study.sensors)}")
print("divided:", *discom.data.split_rule(images), sep="\n  ")
reproduction.counts(parts)

# %% alt="Pairs of every class: a row for each sensor."
figures["pairs"] = plots.pairs(parts.train)

# %% [markdown]
# Does each sensor show the class? Does one show what the other lacks? Each band is scaled to [0, 1] between its 2nd and 98th percentile in the *training* part, so about two values in a hundred lie at each end. Holes, where a sensor measured nothing, are 0, too.

# %% alt="Histograms of the scaled values: a panel for each sensor, a line for each band."
figures["values"] = reproduced.plot_values(parts.train)

# %% [markdown]
# ## The plan
#
# Each row of a table needs a run for each seed. A run's folder has a name made of all that was asked for, so tables share runs, and nothing is trained twice. To find out what each absent run costs *here*, the next cell trains each kind of run for three epochs of a few batches: minutes for a whole table.
#
# A line says the hours of all runs and, where you ask for several tables, of each one alone: a run that tables share counts in each of them, and once in the sum. Then comes a line for each row: how many of its runs are there, how many are to train, and what these take. A run that several rows need is counted in the first. The forecast holds for a machine as busy as it is now.

# %%
backups.fetch(study, backup)
stored = reporting.results_of(known)
absent = study.absent(stored)
print(f"{len(study.every)} runs, {len(absent)} to train with their teachers")
costs = reproduction.probed(absent, parts)
plan = reproduction.forecast(study, absent, costs)
hours = reproduction.hours_of(study, absent, costs)
print(f"{reproduction.totals(hours)}; budget: {budget_hours:g} h")
plan.style.format("{:.3g}", na_rep="–")

# %% [markdown]
# If the total is far beyond what you have, take fewer `methods` first, then fewer `seeds`, then fewer epochs, which are no longer the paper's.
#
# ## Train
#
# Training goes seed by seed. Within a seed student, discom-solo and DisCoM-KD come first. Each line ends with the name of the run's folder. While you watch, a line says what is left; in batch a line comes every ten minutes. The tables appear after each seed.

# %%
end = reproduction.until(budget_hours, time.time())
done = reproduction.train(study, stored, costs, end, backup)

# %%
standing = reporting.show(study, done)

# %% [markdown]
# **How to read it.** The score is our mean with its 95 % interval, *paper* the paper's mean of five runs, where it has one. *n* counts seeds; a row without a run says *missing*; *lr* is the learning rate, *best* what a perfect classifier of this sensor would score, where that is known. *Δ student* and *Δ discom-solo* are mean differences of runs with the same seed, with a 95 % interval. The arrow behind each says whether that interval lies above zero (↑), below it (↓) or contains it (~). One seed has no interval. Where seeds divide one set anew, as in the paper, it takes three, and is approximate ([why](../docs/results/protocol.md#intervals)).
#
# A gain over the student may come from the larger network and from losses of one sensor. `discom-solo` has the same branch and losses, but never sees the other sensor; so Δ discom-solo is what the other sensor can have given.

# %% alt="A dot with its standard deviation for each row of the first table, a panel for each sensor."
number, table = next(iter(standing.items()))
figures["scores"] = plots.standings(table, f"Table {number}, {images.name}")

# %% [markdown]
# ## Report

# %%
for number, table in standing.items():
    print(f"Table {number}:", *reporting.agreement(table, number), sep="\n  ")
print("Beside the paper's protocol:", *reporting.differences(study), sep="\n  ")
file = reporting.report(study, done, standing, figures, about, backup)
check("all results are in one zip, with tables, curves and figures", file.is_file())

# %% [markdown]
# The zip lies beside the runs, and in the backup. Name it as `known`: a colleague's notebook, or yours tomorrow, takes these scores and trains only what is missing, also where the code of discom has changed since.
#
# ## What next?
#
# - *The embeddings, as a picture?* [13](13_look_into_a_run.ipynb) opens a run of DisCoM-KD that trained here; name its folder, on Colab that in the backup. Other rows keep no weights.
# - *A gain over the student, but none over discom-solo?* [03](03_training.ipynb) and [05](05_ablations.ipynb) take DisCoM-KD apart.
# - *Few labels?* [08](08_when_a_second_sensor_helps.ipynb), and `discom advise` for your sensors.
# - *In batch:* `papermill` and `notebooks/batch.py` take the same parameters ([guide](../docs/guides/reproduce.md)).

# %%
finish(runs=len(done.results), left=len(done.left))
