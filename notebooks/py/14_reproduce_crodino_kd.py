# %% [markdown]
# # 14 · Does CroDiNo-KD come out on your machine?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/14_reproduce_crodino_kd.ipynb)
#
# As [12](12_reproduce_discom_kd.ipynb), for segmentation: [CroDiNo-KD](https://arxiv.org/abs/2505.24361) (ECML-PKDD 2025) trains networks of two sensors side by side, without a teacher. **What trains here is a reconstruction** from its abstract and README, not its authors' code; a low score may come from our design ([what we chose](../docs/results/crodino.md)). The notebook switches its parts off one by one, beside a network that trains alone.
#
# | At a glance | |
# |---|---|
# | You will | **train** our CroDiNo-KD without each of its parts · **compare** it with a network alone · **see** its masks |
# | You need | for the values below one CPU core; for the paper's data a GPU |
# | Time, memory | four minutes as it stands, 2 GB |
# | Data, licence | scenes drawn here, MIT; Potsdam or another set with masks of [data/README.md](../data/README.md); or your own |

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
# ## What others report
#
# mIoU in %, from the README of CroDiNo-KD, means of its runs:
#
# | set | sensor | a network alone | best other method | CroDiNo-KD |
# |---|---|---|---|---|
# | NYU Depth v2 | RGB | 42.64 | 43.86 (KDv2) | 44.85 |
# | | depth | 36.01 | 37.28 (ProtoKD) | 37.60 |
# | Potsdam | RGB | 75.73 | 76.09 (masked distillation) | 76.13 |
# | | depth | 42.47 | 42.43 (masked distillation) | 42.78 |
# | Mid-Air | RGB | 47.84 | 48.32 (KD-Net) | 48.37 |
# | | depth | 47.07 | 47.40 (masked distillation) | 47.91 |
#
# An independent report, VeCAS, finds it two points below a network alone. Dice on 599 pairs of X-ray images, five folds by patient:
#
# | U-Net alone | KD-Net | ProtoKD | CroDiNo-KD |
# |---|---|---|---|
# | 51.3 ± 2.9 | 51.3 | 49.9 | 49.0 ± 3.1 |
#
# Networks that make the missing image from the other one score lower there: Pix2Pix 9.8, CycleGAN 2.3, ControlNet 8.9 and ResViT 37.0.
#
# On one of the README's sets its figures stand in the column *paper*, beside yours; `tables = "dense"` has the other methods, too.
#
# ## Choose
#
# As it stands, all rows are read from stored results: masks for 5 % of the scenes, 11 epochs. One run trains here, and its masks are drawn below.
#
# Potsdam is fetched by hand. Prepare it with `discom data prepare potsdam --root RAW`, then set `data = "potsdam"`, `profile = "paper"`, `settings = {}`, `known = ""` and a `budget_hours`, on a GPU.

# %% tags=["parameters"]
data = "scenes-dense"  # scenes, a public set, or a prepared folder with masks
modalities = ""  # such as rgb+depth; empty: all
split = "official"  # of a public set: official, place or random
tables = "crodino"  # parts switched off; or dense: beside other methods
methods = ""  # rows to keep; empty: all
profile = "cpu"  # or paper; tiny: results mean nothing
settings = {"labelled": 0.05, "epochs": 11}  # masks for 5 % of the images
seeds = 5  # how many, from 0 on
budget_hours = 0.1  # for training; 0: no limit
runs = "runs"  # each run has a folder here
known = "../results/dense/scenes-table-crodino.csv"  # results; empty: none
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
# ## Data, plan, training

# %%
configuration = discom.profile(profile, dense=True, **settings)
about = hardware.describe(configuration.precision, runs)
source = reproduction.fetched(data, split, backup)
asked = {"modalities": modalities, "profile": profile, "settings": settings}
study = reproduction.study_of(source, runs, tables, methods, seeds, **asked)
images = discom.data.load(source, modalities, seed=0)
parts = images.split(0)
print(f"{images.name}: {', '.join(study.sensors)}")
print("divided:", discom.data.split_rule(images)[0])
pd.Series(about, name="").to_frame().style.set_properties(**{"text-align": "left"})

# %% alt="Samples with their masks: a row for each sensor, and one for the mask."
figures["pairs"] = plots.pairs(parts.train)

# %%
backups.fetch(study, backup)
stored = reporting.results_of(known)
one = reproduction.study_of(source, runs, "crodino", "crodino", 1, **asked)
absent = {run.folder: run for run in [*study.absent(stored), *one.absent()]}.values()
costs = reproduction.probed(absent, parts)
hours = reproduction.hours_of(study, absent, costs)
print(f"{len(study.every)} runs, {len(absent)} to train, one of them for its masks")
print(f"{reproduction.totals(hours)}; budget: {budget_hours:g} h")
end = reproduction.until(budget_hours, time.time())
done = reproduction.train(study, stored, costs, end, backup)

# %%
standing = reporting.show(study, done)

# %% [markdown]
# Each row is compared with the full reconstruction, by seed, with a 95 % interval: ↑ a part that is better left out, ↓ one that helps. A row of both sensors, such as `rgb+depth`, is the auxiliary decoder. Compare `single`, a network alone, first: a negative Δ in its row means that the parts together help.

# %% alt="A dot with its standard deviation for each row, a panel for each sensor."
number, table = next(iter(standing.items()))
figures["scores"] = plots.standings(table, f"{number}, {images.name}")

# %% [markdown]
# ## Its masks
#
# One run, seed 0, trained here. Where do the networks of one sensor fail, and does the auxiliary decoder of both?

# %% alt="Test samples: a row for each sensor, the true mask, and the mask of each network."
reproduction.train(one, [], costs, end, backup)
run = one.every[0]
if (run.folder / "result.json").is_file():
    figures["masks"] = reproduced.plot_masks(parts.test, run.folder)

# %%
for number, table in standing.items():
    print(f"Table {number}:", *reporting.agreement(table, number), sep="\n  ")
print("Beside the protocol:", *reporting.differences(study), sep="\n  ")
file = reporting.report(study, done, standing, figures, about, backup)
check("all results are in one zip, with tables, curves and figures", file.is_file())
finish(runs=len(done.results), left=len(done.left))
