# %% [markdown]
# # Solutions to notebook 03
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.optim.lr_scheduler import OneCycleLR

from discom import data as sets
from discom import fit, methods, tables
from discom.config import profile as settings
from discom.notebook import check, finish, stamp

stamp(0)
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# **1.** 2.776 · 0.7 / √5 = 0.87. The interval reaches from -0.37 to 1.37, so the gain is not significant.

# %%
answer_1 = 2.776 * 0.7 / np.sqrt(5)
check("exercise 1", np.isclose(answer_1, 2.776 * 0.7 / np.sqrt(5), atol=0.01))
check("the interval includes zero", 0.5 - answer_1 < 0)

# %% [markdown]
# **2.** It can fail. Without `schedule.step()` the learning rate stays where the cycle begins, far below its peak, so the weights
# and the losses are others. In the notebook: `answer_2 = train("discom", split, short)[0]["loss"].iloc[-1] - package["loss"].iloc[-1]`
# after the deletion. Here the loop in short, on a small draw with the `tiny` profile, whose scores mean nothing.

# %%
scenes = sets.load("scenes:n=400,size=16")
split = scenes.split(seed=0)
options = {"accelerator": "cpu", "precision": "32-true", "epochs": 2}
short = settings("tiny", schedule="one-cycle", **options)
layout = torch.channels_last if short.channels_last else torch.contiguous_format


def last_loss(with_schedule):
    """The mean loss of the second of two epochs of DisCoM-KD."""
    rate, decay, size = short.learning_rate, short.weight_decay, short.batch_size
    place = {"device": torch.device("cpu"), "memory_format": layout}
    model = methods.build(methods.get("discom"), split.train, short).to(**place)
    batches = sets.Batches(split.train, size, short.seed, augment=short.augment, **place)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)
    schedule = OneCycleLR(optimizer, rate, 2 * len(batches) + 1, cycle_momentum=False)
    for epoch in range(2):
        losses = []
        for batch in batches.epoch(epoch):
            loss = sum(model.loss(batch).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if with_schedule:
                schedule.step()
            losses.append(loss.item())
    return np.mean(losses)


fit("discom", split, short, folder / "2", progress=False)
expected = pd.read_csv(folder / "2" / "metrics.csv")["loss"].iloc[-1]
check("with the schedule: the same loss", abs(last_loss(True) - expected) < 0.01)
answer_2 = last_loss(False) - expected
print(f"without: {answer_2:+.2f}")
check("exercise 2: it fails", abs(answer_2) > 0.05)

# %% [markdown]
# **3.** No gain shows for DisCoM-KD with one label in five: its interval in depth includes zero. The interval of NT-Xent lies
# above zero.

# %%
results = Path(tables.__file__).parents[2] / "results"
few = tables.load_results(results / "few-labels/scenes-others.json")
pairs = [("discom", "student"), ("nt-xent", "student")]
compared = tables.compare(few, pairs).set_index(["method", "modality"])
columns = ["difference", "low", "high"]
print(compared[columns].round(1))
answer_3 = compared.loc[("discom", "depth"), columns].tolist()
check("exercise 3", round(answer_3[0], 1) == 0.6 and answer_3[1] < 0 < answer_3[2])
check("NT-Xent gains", compared.loc[("nt-xent", "depth"), "low"] > 0)

# %% [markdown]
# Another share: the same comparison on runs of your own. Here two seeds, again small; with `scenes` and the `cpu` profile, take
# five seeds and expect minutes for each run.

# %%
f1 = {"discom": [], "student": []}
for seed in range(2):
    split = sets.load(sets.at_seed("scenes:n=400,size=16", seed)).split(seed=seed)
    for name, scores in f1.items():
        config = settings("tiny", seed=seed, labelled=0.4)
        run = folder / f"{name}-{seed}"
        scores.append(fit(name, split, config, run, progress=False).f1["depth"])
check("a score for each run", all(len(scores) == 2 for scores in f1.values()))
finish()
