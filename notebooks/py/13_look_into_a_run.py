# %% [markdown]
# # 13 · What did this run learn?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/main/notebooks/13_look_into_a_run.ipynb)
#
# An instrument for one finished run of DisCoM-KD, or of another method with a network for each sensor: yours from the command line, from [12](12_reproduce_discom_kd.ipynb) or from Colab. Without one, it trains one here. It shows the losses, what each part of the embedding is worth, and **the picture**: invariant, informative and irrelevant part, before training and after. A run that kept no weights has no picture.
#
# DisCoM-KD *names* its parts. If the names hold, `inv` sorts the classes and mixes the sensors, `inf` sorts the classes and separates the sensors, and `irr` separates the sensors alone. **Write down** which of the three names you expect to hold.
#
# | At a glance | |
# |---|---|
# | You will | **read** the losses of a run · **score** the parts of its embedding · **see** them before and after training |
# | You need | nothing; [06](06_what_the_embeddings_hold.ipynb) builds the probes by hand |
# | Time, memory | two or three minutes on one CPU core, 2 GB |
# | Data, licence | scenes drawn here, MIT; or those of your run |

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

# %% tags=["parameters"]
run = ""  # the folder of a finished run; empty: DisCoM-KD is trained here
data = "objects"  # what it was trained on, as in its command
modalities = ""  # such as rgb+depth; empty: all
split = "random"  # of a public set alone: random, as in the paper, or by place
backup = ""  # a folder that keeps the prepared set, as in 12
method = "discom"  # of the run that is trained here
seed = 0
profile = "cpu"  # of the run that is trained here; tiny: results mean nothing
settings = {"precision": "32-true", "epochs": 10}  # unlike the profile's; or {}
shown = 400  # pairs in a map
runs = "runs"  # where the run that is trained here has its folder

# %%
from discom import hardware

device = hardware.device()  # a GPU if there is one: all that trains is there

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from pathlib import Path

import pandas as pd

import discom
import reporting
import reproduction
from discom import methods, plots
from discom.evaluation.embeddings import embed_pairs, read_parts
from discom.notebook import check, finish, stamp
from discom.running import sweep
from discom.running.loading import load_run
from discom.running.runs import Result, Run
from pictures.parts import plot_parts

reproduction.set_up()
stamp(seed, device=device)

# %% [markdown]
# ## The run

# %%
source = reproduction.fetched(data, split, backup)
if not run:
    images = discom.data.load(source, modalities, seed)
    configuration = discom.profile(profile, seed=seed, **settings)
    asked = Run.of(runs, methods.get(method), images, configuration, source, modalities)
    sweep.results([asked], workers=1)
    run = asked.folder
run = Path(reporting.place(run))
result = Result.read(run / "result.json")
images = discom.data.load(source, modalities, result.drawn)
parts = images.split(*result.parts)
epochs = result.config["epochs"]
print(f"{result.display_name} on {result.data}, seed {result.seed}, {epochs} epochs")
pd.DataFrame(result.scores).T[["f1", "accuracy", "best_epoch"]].round(1)

# %% [markdown]
# ## Its losses
#
# The adversary tries to name the sensor from `inv`. A loss near that of guessing can mean two things: `inv` hides the sensor, or this adversary is too weak to find it. A new probe, below, tells which.

# %% alt="Left, the terms of the loss by epoch; right, the validation F1 of each sensor by epoch."
figure = plots.curves(run, f"{result.display_name} on {result.data}")

# %% [markdown]
# ## One part alone
#
# The paper's Table 4 takes the class from `inv` or from `inf` alone, by the auxiliary head, which learned to read each of them. (The paper does not say how it made its table; this head is our reading.)

# %%
columns = {"f1": "both parts", "f1/inv": "inv alone", "f1/inf": "inf alone"}
scores = pd.DataFrame(result.scores).T
scores[[name for name in columns if name in scores]].rename(columns=columns).round(1)

# %% [markdown]
# ## The picture
#
# Each part is laid out in the plane by UMAP, which keeps neighbours: distances between clouds mean nothing. So a new linear probe counts what can be read, in each corner: the sensor, and the class in each sensor. The upper row is the same network *before training*, and it is the row that people forget. **Guess** what a probe reads there.
#
# Below are networks after the last epoch. Under `select="best"` the tested weights of two sensors are of two epochs, and were never weights of one model.

# %%
networks = {"before training": "first", "after training": "last"}
if not (run / "weights").is_dir():
    print(f"no picture: {run.name} kept no weights; notebook 12 keeps DisCoM-KD's")
    networks = {}

embedded, reads = {}, {}
for name, epoch in networks.items():
    network, _ = load_run(run, parts, epoch=epoch)
    embedded[name] = embed_pairs(network.to(device), parts.test)
    reads[name] = read_parts(embedded[name])
pd.concat(reads).round(0) if reads else None

# %% alt="UMAP panels: a row before training and one after, a column for each part of the embedding; colour is the class, halo and marker the sensor, lines join the views of one sample."
probed = {}
if embedded:
    first = next(iter(embedded["after training"].parts))
    before, after = (table.loc[first, "sensor"] for table in reads.values())
    title = f"{first}: a probe names the sensor in {before:.0f} % before training"
    title = f"{title}, in {after:.0f} % after"
    figure = plot_parts(embedded, reads, parts.train.classes, title, shown)
    probed = {"sensor_before": before, "sensor_after": after}

# %% [markdown]
# Compare each corner with the panel above it, and with what you wrote down.
#
# - *Is `inv` invariant?* Only where a probe of the sensor comes near guessing; the title of the picture says what it reads before training and after. Clouds that touch in a picture are no proof.
# - *Do `inv` and `inf` hold the class?* What a probe reads beyond the row above was learned.
# - *Is `irr` irrelevant?* Only where a probe reads no more of the class there than before training.
# - The name of a part is what its loss asks for, not what a reader may assume: [06](06_what_the_embeddings_hold.ipynb) shows why, and erases the sensor afterwards.

# %%
if embedded:
    labels = [pairs.labels.tolist() for pairs in embedded.values()]
    check("both rows show the same samples", labels[0] == labels[1])
finish(**probed)
