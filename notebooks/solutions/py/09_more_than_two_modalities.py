# %% [markdown]
# # Solutions to notebook 09
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
from pathlib import Path

import numpy as np
import torch

from discom import tables
from discom.losses import disentangle, separate
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp

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
check(
    "the package says so",
    np.isclose(disentangle.adversarial_loss(z, heads).item(), answer_1, atol=1e-5),
)
check("exercise 1", np.isclose(answer_1, 5.5452, atol=1e-3))

# %% [markdown]
# **2.** On the true sensor's logit, reversal pushes with p − 1 and confusion with 1/M − p. They are equal at p = (1 + 1/M) / 2, with five
# sensors at 0.6. The package's losses are asked at this p: logits (t, 0, 0, 0, 0) with exp(t) / (exp(t) + 4) = 0.6.

# %%
answer_2 = (1 + 1 / 5) / 2
five = ["rgb", "depth", "thermal", "radar", "sound"]
heads = Heads(five, 1, 9).double()
heads.adv.weight.data = torch.eye(5, 1, dtype=torch.float64)
heads.adv.bias.data.zero_()
pushes = []
for loss in (disentangle.adversarial_loss, separate.confusion_loss):
    t = torch.tensor([[np.log(4 * answer_2 / (1 - answer_2))]], requires_grad=True)
    z = dict.fromkeys(five, Embedding(torch.zeros_like(t), None, None)) | {
        "rgb": Embedding(t, None, None)
    }
    pushes.append(-torch.autograd.grad(loss(z, heads), t)[0].item())
check("the package says so", np.isclose(pushes[0], pushes[1]))
check("exercise 2", np.isclose(5 * answer_2, 3, atol=0.01))

# %% [markdown]
# **3.** In darkfield the interval is −0.1 [−3.9, +3.6], although nothing passes between the branches. So other random numbers in training alone
# give intervals of this width. That of `discom` in darkfield is no wider: a change of this size is what chance gives.
# Brightfield and the stain keep their random numbers, and their differences are exactly 0.

# %%
results = Path(tables.__file__).parents[2] / "results"
cells = tables.load_results(results / "cellcycle-table2.json")
two = tables.load_results(results / "cellcycle-darkfield-table2.json")
change = tables.added_sensor(cells, two, ["discom-solo", "discom"])
print(change.drop(columns=["data", "each"]).round(2).to_string())
solo = change[(change["minus"] == "discom-solo") & (change["modality"] == "darkfield")]
answer_3 = solo[["difference", "low", "high"]].to_numpy()[0]
check("exercise 3", np.allclose(answer_3, [-0.1, -3.9, 3.6], atol=0.06))
finish()
