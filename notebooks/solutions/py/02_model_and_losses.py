# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Solutions to notebook 02
#
# Runs on its own; each cell ends with the checker of its exercise.

# %%
import numpy as np
import torch
import torch.nn.functional as F

from discom import data, methods, profile
from discom.data import Batches
from discom.losses.disentangle import reverse_gradient
from discom.notebook import check, finish, stamp
from discom.methods import build

stamp(0)

# %% [markdown]
# **1.** Equal logits cost log C (or log M) each. L_aux has two cross-entropies for each of three modalities; so has L_mod.

# %%
answer_aux, answer_mod = 3 * 2 * np.log(9), 3 * 2 * np.log(3)
print(f"L_aux {answer_aux:.3f}, L_mod {answer_mod:.3f}")
check("exercise 1", abs(answer_aux - 6 * np.log(9)) < 1e-9 and abs(answer_mod - 6 * np.log(3)) < 1e-9)


# %% [markdown]
# **2.** λ multiplies the encoders' step alone. A strong λ closes the gap before the head has learnt much, and overshoots zero;
# a weak one lets the head learn first and comes in slowly.


# %%
def fight(lam, steps=400, rate=0.1):
    noise = torch.randn(256, generator=torch.Generator().manual_seed(0))
    state, path = torch.tensor([2.0, 0.0], requires_grad=True), []  # gap, weight
    for _ in range(steps):
        z = reverse_gradient(noise + state[0] * torch.tensor([[-0.5], [0.5]]), lam)  # [2, 256]
        logits = state[1] * torch.stack([-z, z], 2)  # [2, 256, 2]
        loss = sum(F.cross_entropy(logits[m], torch.full((256,), m)) for m in (0, 1))
        path.append([*state.tolist(), loss.item()])
        state = (state - rate * torch.autograd.grad(loss, state)[0]).detach().requires_grad_()
    return np.array(path)


lowest_gap = {lam: fight(lam)[:, 0].min() for lam in (0.2, 1.0, 5.0)}
print({lam: round(float(gap), 3) for lam, gap in lowest_gap.items()})
check("exercise 2", lowest_gap[5.0] < lowest_gap[1.0] < lowest_gap[0.2])


# %% [markdown]
# **3.** The target is even odds, so the loss is the mean over the classes of -log softmax. The gradient is zero at equal logits.


# %%
def confusion(logits):
    return -logits.log_softmax(1).mean()


check("exercise 3", abs(confusion(torch.zeros(4, 3)) - np.log(3)) < 1e-6 and confusion(torch.eye(1, 3) * 5) > np.log(3))

# %% [markdown]
# **4.** The square is lowest at the right angle, also for signed entries. z_inv and z_irr are still free of each other.


# %%
def squared(cosine):
    return cosine**2


free = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
optimizer = torch.optim.Adam([free], 0.05)
for _ in range(500):
    inv, inf, irr = free.clone()
    cosines = torch.stack([F.cosine_similarity(inv, inf), F.cosine_similarity(inf, irr)])
    optimizer.zero_grad()
    squared(cosines).mean().backward()
    optimizer.step()
left_over = cosines.detach()
print(
    f"largest |cosine| left: {left_over.abs().max():.4f}; cos(z_inv, z_irr) {F.cosine_similarity(inv, irr).mean():+.3f}"
)
check("exercise 4", abs(squared(0.0)) < 1e-9 and abs(squared(-1.0) - 1) < 1e-9 and (left_over.abs() < 0.1).all())

# %% [markdown]
# As a method: one subclass. Give it to `discom.fit` for five seeds and more, next to `discom`, and read the paired interval.


# %%
class Squared(methods.DisCoMKD):
    name = "discom-squared"

    def loss(self, batch):
        terms, total = super().loss(batch), 0.0
        for modality, x in batch.x.items():
            z = self.model.embed(modality, x)  # a second pass: simple rather than fast
            total += (
                squared(F.cosine_similarity(z.inv, z.inf)).mean() + squared(F.cosine_similarity(z.inf, z.irr)).mean()
            )
        return {**terms, "orth": total}


train = data.load("scenes:n=90").split(seed=0).train
model = build(Squared, train, profile("tiny"))
value = model.loss(next(Batches(train, 18, 0).epoch(0)))["orth"].item()
check("the squared term is between 0 and 2M", 0 <= value <= 4)
finish()
