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
from discom.losses import adversaries, disentangle
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
for loss in (disentangle.adversarial_loss, adversaries.confusion_loss):
    t = torch.tensor([[np.log(4 * answer_2 / (1 - answer_2))]], requires_grad=True)
    z = dict.fromkeys(five, Embedding(torch.zeros_like(t), None, None)) | {
        "rgb": Embedding(t, None, None)
    }
    pushes.append(-torch.autograd.grad(loss(z, heads), t)[0].item())
check("the package says so", np.isclose(pushes[0], pushes[1]))
check("exercise 2", np.isclose(5 * answer_2, 3, atol=0.01))

# %% [markdown]
# **3.** With and without the adversary, on three seeds. This run uses few scenes and the `tiny` profile, whose scores mean
# nothing. For an answer, use `scenes` without `n` and `size`, and the profile `cpu`, as in the notebook.

# %%
folder, f1 = tempfile.mkdtemp(), {}
arms = [{}, {"weights": {"adv": 0}}]
for seed in range(3):
    cell = f"scenes:n=99,size=16,modalities=rgb+depth+thermal,seed={seed}"
    for options in arms:
        config = settings("tiny", seed=seed, options=options)
        run = Run.of(folder, methods.get("discom"), sets.load(cell), config)
        f1.setdefault(tables.label("discom", options), []).append(
            sweep.train(run, cell).f1["thermal"]
        )
answer_3 = np.subtract(f1["discom adv=0"], f1["discom"])
print(
    "without the adversary, thermal: {:+.1f} [{:+.1f}, {:+.1f}]".format(
        *tables.paired_difference(f1["discom adv=0"], f1["discom"])
    )
)
check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())
finish()
