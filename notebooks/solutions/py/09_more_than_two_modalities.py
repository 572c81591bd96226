# %% [markdown]
# # Solutions to notebook 09
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import tempfile

import numpy as np
import torch

from discom import data as sets
from discom import methods, sweep, tables
from discom.config import profile as settings
from discom.losses import disentangle
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp
from discom.runs import Run

stamp(0)

# %% [markdown]
# **1.** A classifier that cannot tell anything gives each of four sensors the probability 1/4. Each sensor then costs log 4,
# and Eq. 3 sums over four of them: 4 log 4.

# %%
answer_1 = 4 * np.log(4)
names = ["rgb", "depth", "thermal", "radar"]
z = {m: Embedding(*(torch.randn(3, 8) for _ in range(3))) for m in names}
heads = Heads(names, 8, 9)
for parameter in heads.adv.parameters():
    parameter.data.zero_()
check("the package says so", np.isclose(disentangle.adversarial_loss(z, heads).item(), answer_1, atol=1e-5))
check("exercise 1", np.isclose(answer_1, 4 * np.log(4), atol=1e-3))

# %% [markdown]
# **2.** Reversal pushes with 1 − p, confusion with p − 1/3: equal at p = 2/3, with 1/3 each. Above it, where the classifier
# is surer, confusion is the stronger one.

# %%
answer_2 = 2 / 3
check("exercise 2", np.isclose(1 - answer_2, answer_2 - 1 / 3, atol=1e-3))

# %% [markdown]
# **3.** With and without the adversary, on three seeds. This run uses few scenes and the `tiny` profile, whose scores mean
# nothing. For an answer, use `scenes:n=2500` and the profile `cpu`, as in the notebook.

# %%
folder, f1 = tempfile.mkdtemp(), {}
arms = [{}, {"weights": {"adv": 0}}]
for seed in range(3):
    cell = f"scenes:n=99,size=16,modalities=rgb+depth+thermal,seed={seed}"
    for options in arms:
        config = settings("tiny", seed=seed, options=options)
        run = Run.of(folder, methods.get("discom"), sets.load(cell), config)
        f1.setdefault(tables.label("discom", options), []).append(sweep.train(run, cell).f1["thermal"])
answer_3 = np.subtract(f1["discom adv=0"], f1["discom"])
print("without the adversary, thermal: {:+.1f} [{:+.1f}, {:+.1f}]".format(*tables.paired_difference(f1["discom adv=0"], f1["discom"])))
check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())
finish()
