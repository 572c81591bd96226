# %% [markdown]
# # 02 · Can five small losses replace a teacher?
#
# You compute every term of the DisCoM-KD loss by hand on three samples, then see what each one does, and does not do, to an embedding.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/02_model_and_losses.ipynb)
# · [solutions](solutions/py/02_model_and_losses.py) · [the losses in the package](../discom/losses/disentangle.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **compute** Eqs 2–6 of the paper by hand · **predict** each term of an untrained network · **tell** the paper's loss from the released code's · **test** whether "invariant" is true |
# | Prerequisites | [notebook 01](01_data_preparation.ipynb) (data); PyTorch tensors and [autograd](https://pytorch.org/tutorials/beginner/basics/autogradqs_tutorial.html); what cross-entropy is |
# | Time | up to two minutes on two CPU cores, no GPU needed; seconds where the runs are found in `runs` |
# | Memory, disk | under 2 GB of memory, 50 MB of disk |
# | Data, licence | `scenes`, drawn here from known factors, MIT; nothing is downloaded |
# | Outputs | one run from top to bottom; `stamp` prints machine, versions, commit and date, the last cell seconds and memory |

# %% [markdown]
# ## What is the idea, and why is it not obvious?
#
# Several sensors saw the training scenes; only one will be there at use. The usual way trains a *teacher* on some sensors, then a *student* on one that imitates the teacher's
# soft labels, and starts again for each student.
#
# DisCoM-KD (Ienco and Dantas, BMVC 2024) has no teacher. All single-sensor networks train together, and shared *heads* (linear classifiers) push each embedding into three parts:
# **invariant** (the same in every sensor), **informative** (this sensor's own, useful) and **irrelevant** (its own, useless). But a loss is only a wish, and wishes can be granted in unwanted ways.

# %%
import os
from importlib.metadata import distributions

try:
    import discom.config
except ImportError:  # on Colab: this release, beside the torch that is there
    print("fetching this release")
    kept = ("torch", "torchvision", "numpy")
    pins = [f"{d.name}=={d.version}" for d in distributions() if d.name in kept]
    # !git clone --quiet --depth 1 --branch v0.1.0 https://github.com/discom-kd/discom
    # %pip install --quiet "./discom[deploy]" {" ".join(pins)}
    import discom
if os.path.isdir("discom/notebooks"):  # after the lines above, or a restart
    os.chdir("discom/notebooks")

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression

import discom
from discom import methods, models, plots, tables
from discom.losses import disentangle
from discom.notebook import check, finish, stamp

plots.style()

# %% tags=["parameters"]
# what discom.data.load reads: the embedded scenes, or a prepared folder
data = "scenes"
profile = "cpu"  # settings of the networks shown here: tiny, cpu or paper
seed = 0  # of the split, the weights and the toy numbers
# folder of the trained runs; those found there are read, not trained again
runs = "runs"

# %%
stamp(seed)

# %%
text = (
    {"fc": "0.85", "ec": "k", "boxstyle": "round"},
    {"fc": "w", "ec": "k", "boxstyle": "round", "ls": "--"},
)
parts = ["z_inv", "z_inf", "z_irr", "z_irr", "z_inf", "z_inv"]
heads = ["Cl rgb", "Cl_aux", "Cl_adv", "Cl_m-inf", "Cl_m-irr", "Cl depth"]
reads = {"z_inv": (1, 2), "z_inf": (1, 3), "z_irr": (4,)}
figure, axis = plt.subplots(figsize=(9, 3.8), layout="constrained")
for row, part in enumerate(parts):
    image, encoder = (1.0, 4.0)[row > 2], (0, 1.5, 1.5, 3.5, 3.5, 5)[row]
    axis.plot([0, 1, 2], [image, encoder, row], "k-", zorder=0)
    for head in reads[part] + ((0, 5)[row > 2],) * (part != "z_irr"):
        axis.plot([2, 3.4], [row, head], "0.6" if 0 < head < 5 else "k", zorder=0)
    axis.text(
        0,
        image,
        f"{'rgb' if row < 3 else 'depth'} image",
        ha="center",
        va="center",
        bbox=text[0],
    )
    axis.text(
        1,
        encoder,
        "invariant" if part == "z_inv" else "specific",
        ha="center",
        va="center",
        bbox=text[0],
    )
    axis.text(2, row, part, ha="center", va="center", bbox=text[part == "z_irr"])
    axis.text(3.4, row, heads[row], ha="center", va="center", bbox=text[0 < row < 5])
axis.set(
    xlim=(-0.4, 3.9),
    ylim=(5.5, -0.6),
    title="grey: kept at use · white, dashed: for training only",
)
_ = axis.axis("off")

# %% [markdown]
# *Figure: a map from images to heads. Each image feeds an invariant encoder (z_inv) and a specific one (z_inf, z_irr); four shared heads read the parts of both sensors,
# a task head per sensor reads z_inv and z_inf.* **Take-away:** the sensors meet only in the four shared heads, which are thrown away after training.
#
# ## Which data, and is it in order?
#
# One object per scene: a shape that both sensors see as an outline, of a material that `rgb` sees as texture and `depth` as relief; the class is (shape, material). Cues are wrong at
# a known rate. The split is by scene; scaling is fitted on the training part (notebook 01).

# %%
config = discom.profile(profile, seed=seed)
split = discom.data.load(data).split(seed=seed)
train, C, M = split.train, len(split.train.classes), len(split.train.modalities)
for part, held in zip(split._fields, split, strict=True):
    print(
        part,
        {
            name: (tuple(m.x.shape), str(m.x.dtype))
            for name, m in held.modalities.items()
        },
    )
print(f"{C} classes: {', '.join(train.classes)}; pixel values have no unit")
figure = plots.pairs(train)
ids = [part.ids for part in split]
values = [train.images(name) for name in train.modalities]
print("training samples per class:", np.bincount(train.labels, minlength=C))
check(
    "no scene is in two parts",
    len(np.unique(np.concatenate(ids))) == sum(map(len, ids)),
)
check(
    "every class is in the training part",
    np.bincount(train.labels, minlength=C).min() > 0,
)
check("scaled values are in [0, 1]", all(v.min() >= 0 and v.max() <= 1 for v in values))
check(
    "row i of every modality is the same scene",
    all((m.ids == train.ids).all() for m in train.modalities.values()),
)

# %% [markdown]
# *Figure: one scene per class, colour over depth, values scaled to [0, 1]; black squares in depth are holes.* **Take-away:** both sensors see the outline, faintly in depth; texture and relief are in one each.
#
# ## What does one branch make of a batch?
#
# $$
# \begin{aligned}
# h &= \mathrm{specific}(x), \quad z_{inf}=h_{1..D}, \quad z_{irr}=h_{D+1..2D} \\
# z_{inv} &= \mathrm{ReLU}(\mathrm{BatchNorm}(\mathrm{Linear}(\mathrm{invariant}(x))))
# \end{aligned}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x$ | `batch.x[name]` | [B, bands, H, W] | images of one modality |
# | $y$ | `batch.y[name]` | [B] | classes, 0 … C−1 |
# | $z_{inv}, z_{inf}, z_{irr}$ | `z[name].inv` `.inf` `.irr` | [B, D] each | the three parts |
# | $m$ | `number` | 0 … M−1 | the number of a modality |
# | $Cl$ | `heads.…` | linear, D (or 2D) → C or M | a classifier head |
#
# **Predict first:** two of the parts are halves of one ResNet's output, after its last ReLU. Which sign can their entries have?

# %%
model = methods.build(methods.get("discom"), train, config)
batch = next(discom.data.Batches(train, 18, seed, augment=0.0).epoch(0))
z = {name: model.model.embed(name, x) for name, x in batch.x.items()}
for name, parts in z.items():
    print(
        name,
        tuple(batch.x[name].shape),
        "→",
        {f"z_{part}": tuple(v.shape) for part, v in parts._asdict().items()},
    )
print("labels of the same rows:", *batch.y.values(), sep="\n")
check(
    "no entry of any part is negative",
    all(part.min() >= 0 for parts in z.values() for part in parts),
)

# %% [markdown]
# Labels differ in most rows: the paper shuffles each sensor on its own, so no term may compare rows. And no entry is negative, which will matter at Eq 6.
#
# ## Eq 2: is the task loss just one cross-entropy per sensor?
#
# $$
# L_{cl}=\sum_m \frac{1}{B} \sum_i \left( \log \sum_k e^{l_{ik}}-l_{i y_i} \right), \quad l=Cl_m([z_{inv}, z_{inf}])
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $l$ | `logits` | [B, C] | scores of the classes |
# | $[\cdot,\cdot]$ | `torch.cat(…, 1)` | [B, 2D] | one part beside the other |
#
# It is; and z_irr is not read. From here on toy embeddings are small enough to print: B = 3, D = 2, C = 3, M = 2, in double precision.
# **Predict first:** what is the cross-entropy of three equal logits?

# %%
def cross_entropy(logits, k):
    # the largest logit is taken out so that exp cannot overflow
    top = logits.max(dim=1).values
    return (
        top + (logits - top[:, None]).exp().sum(1).log() - logits[range(len(k)), k]
    ).mean()


torch.manual_seed(seed)
toy = {
    name: models.Embedding(*torch.randn(3, 3, 2, dtype=torch.float64))
    for name in ("rgb", "depth")
}
y = {"rgb": torch.tensor([0, 1, 2]), "depth": torch.tensor([2, 2, 0])}
heads = models.Heads(list(toy), width=2, classes=3).double()
L_cl = sum(
    cross_entropy(heads.task[m](torch.cat([t.inv, t.inf], 1)), y[m])
    for m, t in toy.items()
)
print(
    "z_inv of rgb:",
    toy["rgb"].inv.numpy().round(3).tolist(),
    f"· L_cl by hand: {L_cl:.6f}",
)
check(
    "three equal logits cost log 3",
    abs(cross_entropy(torch.zeros(1, 3), y["rgb"][:1]) - np.log(3)) < 1e-6,
)
check(
    "the package gives the same L_cl",
    torch.isclose(L_cl, disentangle.task_loss(toy, heads, y)),
)

# %% [markdown]
# ## Eq 3: how can one number train two opponents?
#
# $$
# L_{adv}=\sum_m CE\left(Cl_{adv}(R_\lambda(z_{inv})), m\right), \qquad R_\lambda(z)=z, \quad \frac{\partial R_\lambda}{\partial z} := -\lambda I
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $R_\lambda$ | `Reverse` | [B, D] → [B, D] | gradient reversal; forward it does nothing |
# | $\lambda$ | `lam` | scalar, 1 in the paper | strength |
#
# The head descends the loss and learns to tell the sensors apart; the encoder, behind the reversal, climbs it and learns to hide which sensor it is.
# **Predict first:** how large is L_adv when the head can only guess?
#
# Then the fight in one dimension: the "encoders" put rgb at −gap/2 and depth at +gap/2, plus the same noise, and the "head" is one weight;
# λ = −1 undoes the reversal, so that both sides help each other.

# %%
class Reverse(torch.autograd.Function):
    forward = staticmethod(lambda ctx, z, lam: (setattr(ctx, "lam", lam), z.clone())[1])
    backward = staticmethod(lambda ctx, gradient: (-ctx.lam * gradient, None))


# a row's target: the number of its modality
number = {name: torch.full((3,), n) for n, name in enumerate(toy)}
L_adv = sum(
    cross_entropy(heads.adv(Reverse.apply(t.inv, 1.0)), number[m])
    for m, t in toy.items()
)
point = torch.tensor([[1.0, 0.5]], dtype=torch.float64, requires_grad=True)
ways = [
    cross_entropy(heads.adv(p), number["rgb"][:1])
    for p in (point, Reverse.apply(point, 1.0))
]
plain, turned = (torch.autograd.grad(loss, point)[0] for loss in ways)
print(
    f"L_adv by hand: {L_adv:.6f} · gradient {plain.numpy().round(4)}, behind the"
    f" reversal {turned.numpy().round(4)}"
)
check(
    "the package gives the same L_adv",
    torch.isclose(L_adv, disentangle.adversarial_loss(toy, heads)),
)
check(
    "same value, opposite gradient",
    torch.equal(*ways) and torch.allclose(plain, -turned),
)


# %%
def fight(lam, steps=400, rate=0.1):
    noise = torch.randn(256, generator=torch.Generator().manual_seed(seed))
    state, path = torch.tensor([2.0, 0.0], requires_grad=True), []  # gap, weight
    for _ in range(steps):
        # [2, 256]
        z = Reverse.apply(noise + state[0] * torch.tensor([[-0.5], [0.5]]), lam)
        logits = state[1] * torch.stack([-z, z], 2)  # [2, 256, 2]
        loss = sum(cross_entropy(logits[m], torch.full((256,), m)) for m in (0, 1))
        path.append([*state.tolist(), loss.item()])
        state = (
            (state - rate * torch.autograd.grad(loss, state)[0])
            .detach()
            .requires_grad_()
        )
    return np.array(path)


for lam, line in ((1.0, "k-"), (-1.0, "k--")):
    path = fight(lam)
    print(
        f"λ = {lam:+.0f}: gap {path[-1, 0]:.3f}, loss {path[-1, 2]:.3f} (M log M ="
        f" {2 * np.log(2):.3f})"
    )
    check(
        "the game ends at M log M" if lam > 0 else "no game: gap grows",
        (path[-1, 2] > 1.37) == (lam > 0),
    )
    plt.plot(path[:, 0], path[:, 1], line, label=f"λ = {lam:+.0f}")
plt.plot(2, 0, "ko", label="start")
_ = plt.gca().set(xlabel="gap between the sensors", ylabel="weight of the head")
_ = plt.legend(frameon=False)

# %% [markdown]
# *Figure: weight of the head over the gap; with λ = 1 the path rises and returns to (0, 0), with λ = −1 it runs off to the upper right.*
# **Take-away:** the head first learns, then forgets, as the encoders close the gap. This toy settles; in a deep network nothing guarantees that.
#
# ## Eqs 4 and 5: what do the other heads ask for?
#
# $$
# \begin{aligned}
# L_{mod} &= \sum_m CE(Cl_{m\text{-}inf}(z_{inf}), m)+\sum_m CE(Cl_{m\text{-}irr}(z_{irr}), m) \\
# L_{aux} &= \sum_m \left[ CE(Cl_{aux}(z_{inv}), y)+CE(Cl_{aux}(z_{inf}), y) \right]
# \end{aligned}
# $$
#
# | symbol | in code | shape | asks for |
# |---|---|---|---|
# | $Cl_{m\text{-}inf}, Cl_{m\text{-}irr}$ | `heads.mod_inf`, `heads.mod_irr` | D → M | private parts that name their sensor |
# | $Cl_{aux}$ | `heads.aux`, one for all | D → C | parts that tell the class alone |
#
# **Predict first:** does any term forbid z_irr to tell the class?

# %%
L_mod = sum(cross_entropy(heads.mod_inf(t.inf), number[m]) for m, t in toy.items())
L_mod += sum(cross_entropy(heads.mod_irr(t.irr), number[m]) for m, t in toy.items())
L_aux = sum(
    cross_entropy(heads.aux(part), y[m])
    for m, t in toy.items()
    for part in (t.inv, t.inf)
)
print(f"L_mod by hand: {L_mod:.6f} · L_aux by hand: {L_aux:.6f}")
check(
    "the package gives the same L_mod",
    torch.isclose(L_mod, disentangle.modality_loss(toy, heads)),
)
check(
    "the package gives the same L_aux",
    torch.isclose(L_aux, disentangle.auxiliary_loss(toy, heads, y)),
)

# %% [markdown]
# No term forbids it: no classifier of the *class* ever reads z_irr. "Irrelevant" hangs on Eq 6 alone.
#
# ## Eq 6: does a signed cosine ask for orthogonality?
#
# $$
# L_{\perp}=\sum_m \frac{1}{B} \sum_i \left[ \cos(z_{inv}, z_{inf})+\cos(z_{inf}, z_{irr}) \right]_i, \qquad \cos(a, b)=\frac{a \cdot b}{\|a\| \, \|b\|}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $a \cdot b$ | `(a * b).sum(1)` | [B] | inner product of the rows |
# | $\theta$ | `angle` | [181] | angle between two vectors |
#
# The formula has no square and no absolute value. **Predict first:** where is its minimum, and where is its pull strongest?

# %%
def cosine(a, b):
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))


L_orth = sum(
    cosine(t.inv, t.inf).mean() + cosine(t.inf, t.irr).mean() for t in toy.values()
)
angle = torch.linspace(0, np.pi, 181, dtype=torch.float64)
# unit vectors [181, 2]
turned = torch.stack([angle.cos(), angle.sin()], 1).requires_grad_()
curve = cosine(turned, torch.tensor([[1.0, 0.0]], dtype=torch.float64))
pull = torch.autograd.grad(curve.sum(), turned)[0].norm(dim=1)
print(
    f"L_⊥ by hand: {L_orth:.6f} · minimum at {curve.argmin()}°, strongest pull at"
    f" {pull.argmax()}°"
)
check(
    "the package gives the same L_⊥",
    torch.isclose(L_orth, disentangle.orthogonality_loss(toy)),
)
check(
    "minimum at opposition, strongest pull at the right angle",
    (curve.argmin(), pull.argmax()) == (180, 90),
)
plt.figure(figsize=(7, 3))
plt.axvspan(0, 90, color="0.9", label="reachable without negative entries")
plt.plot(curve.detach(), "k", label="cos θ, the loss")
plt.plot(pull, "k--", label="length of its gradient")
plt.gca().set(
    xlabel="angle θ between two parts (degrees)",
    ylabel="value",
    xticks=range(0, 181, 45),
)
_ = plt.legend(frameon=False, fontsize=9)

# %% [markdown]
# *Figure: the cosine falls from 1 at 0° to −1 at 180°; the length of its gradient is an arch with its top at 90°; the left half is shaded.*
# **Take-away:** the formula passes orthogonality at full speed and rests at opposition. With the package's ResNet no entry is negative: the right half is out of reach and the lowest value is 0.
#
# **Predict first:** can z_irr be guessed from z_inf if their cosine is 0 on every sample?

# %%
# non-negative, as after a ReLU
z_inf = torch.cat([torch.rand(200, 4), torch.zeros(200, 4)], 1)
z_irr = z_inf.roll(4, dims=1)  # turned by 90 degrees
# fitted on one half of the samples
weight = torch.linalg.lstsq(z_inf[:100, :4], z_irr[:100, 4:]).solution
error = (z_inf[100:, :4] @ weight - z_irr[100:, 4:]).abs().max()
print(
    f"largest |cosine| {cosine(z_inf, z_irr).abs().max():.1g} · largest error of a"
    f" linear guess {error:.1g}"
)
check(
    "cosine zero, and yet z_irr is known from z_inf",
    cosine(z_inf, z_irr).abs().max() == 0 and error < 1e-4,
)

# %% [markdown]
# z_irr is z_inf, moved to other units: zero cosine, all information shared. Geometry per sample says nothing about statistics over samples.
#
# ## Does the whole loss start where theory says?
#
# An untrained head guesses, so a cross-entropy over C classes should start near log C. Eq 7 is the plain sum of the five terms. **Predict first:** four of the five numbers. Then one batch is learnt by heart.

# %%
start = pd.DataFrame(
    {"untrained": {name: value.item() for name, value in model.loss(batch).items()}}
)
start["formula"] = ["M log C", "M log M", "2 M log M", "2 M log C", "between 0 and 2 M"]
start["value"] = [
    M * np.log(C),
    M * np.log(M),
    2 * M * np.log(M),
    2 * M * np.log(C),
    float("nan"),
]
print(start.round(3).to_string())
off = (start["untrained"] / start["value"] - 1).abs()
check("the cross-entropies start within 40 % of guessing", (off.dropna() < 0.4).all())

# %%
learner = methods.build(methods.get("discom"), train, discom.profile("tiny", seed=seed))
optimizer, history = torch.optim.Adam(learner.parameters(), 2e-3), []
for _ in range(80):
    terms = learner.loss(batch)
    optimizer.zero_grad()
    sum(terms.values()).backward()
    optimizer.step()
    history.append({f"L_{name}": value.item() for name, value in terms.items()})
history = pd.DataFrame(history)
print(history.iloc[[0, 20, -1]].round(3).to_string())
check("one batch can be learnt by heart: L_cl near 0", history["L_cl"].iloc[-1] < 0.1)
axis = history.plot(
    style=["k-", "r-s", "g-^", "b-D", "m-v"], markevery=10, figsize=(7, 3)
)
axis.axhline(M * np.log(M), color="black", ls=":", label="M log M")
axis.set(xlabel="step on the same batch", ylabel="nats (L_orth: cosines)")
_ = axis.legend(frameon=False, fontsize=9, ncols=2)

# %% [markdown]
# *Figure: five curves over steps on one batch; L_cl, L_mod and L_aux fall towards 0, L_adv ends near the dotted line M log M, L_orth falls and stays positive.*
# **Take-away:** terms that ask for something are satisfied; the adversarial one hovers about M log M. That may be perfect hiding, or a blind head.
#
# ## What does the released code compute instead?
#
# The authors' code ([commit 7a9f41b](https://github.com/tanodino/CMKD_Disentangle/tree/7a9f41b48902948785be73cff281231a8730d587)) differs from the equations twice. First, the target of the modality heads is not an integer but a [B, 2] matrix, all
# ones for the first modality and all zeros for the second, which cross-entropy reads as class *probabilities*. With $p$ the probability given to "first":
#
# $$
# \begin{aligned}
# \text{paper:} \quad & -\log p \ \text{(first)}, & -\log(1-p) \ \text{(second)} \\
# \text{released:} \quad & -\log p-\log(1-p) \ \text{(first)}, & 0 \ \text{(second)}
# \end{aligned}
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $p$ | `p` | [199] | what the head gives to the first modality |
#
# **Predict first:** which $p$ is best for the first row, and what does the second modality learn?

# %%
p = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
logits = torch.stack([p.log(), (1 - p).log()], 1)  # [199, 2]
# the targets of the released code
matrices = torch.ones_like(logits), torch.zeros_like(logits)
ce = torch.nn.functional.cross_entropy
curves = {
    "paper": (-p.log(), -(1 - p).log()),
    "released": [ce(logits, t, reduction="none") for t in matrices],
}
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=True)
for axis, (name, (first, second)) in zip(axes, curves.items(), strict=True):
    axis.plot(p, first, "k-", p, second, "k--")
    axis.set(
        title=f"{name} targets",
        xlabel="p, given to “first”",
        ylabel="loss of a sample (nats)",
    )
axes[1].legend(["first modality", "second modality"], frameon=False)
print(
    f"released, first: lowest {first.min():.4f} at p = {p[first.argmin()]:.2f} (2 log"
    f" 2 = {2 * np.log(2):.4f})"
)
check(
    "the optimum is even odds, at 2 log 2",
    first.argmin() == 99 and abs(first.min() - 2 * np.log(2)) < 1e-9,
)
check("the second modality costs nothing", (second == 0).all())

# %% [markdown]
# *Figure: loss of a sample over p. Left, the paper's targets: two mirrored curves, one falling, one rising. Right, the released ones: a valley with its floor at one half for the first modality, a flat line at 0 for the second.* **Take-away:** under released targets no head is ever asked to tell the sensors apart.
#
# Second, it takes one mean over all rows where the paper sums the modalities' means. Both are switches here.

# %%
leaves = {
    name: models.Embedding(*(part.clone().requires_grad_() for part in t))
    for name, t in toy.items()
}
paper = disentangle.terms(leaves, heads, y)
targets = disentangle.terms(leaves, heads, y, modality_targets="released")
(targets["adv"] + targets["mod"]).backward()
pulls = {name: [part.grad.norm().item() for part in t] for name, t in leaves.items()}
print("length of the gradient of L_adv + L_mod to (z_inv, z_inf, z_irr):")
print({name: np.round(lengths, 3).tolist() for name, lengths in pulls.items()})
averaged = disentangle.terms(leaves, heads, y, reduction="released")
ratio = {name: round((averaged[name] / paper[name]).item(), 6) for name in paper}
print("one mean over all rows, as a share of the sum of means:", ratio)
check(
    "the second modality's gradient is exactly zero",
    pulls["depth"] == [0, 0, 0] and min(pulls["rgb"]) > 0,
)
check(
    "1/M, and 1/(2M) for L_mod",
    ratio == {name: 0.25 if name == "mod" else 0.5 for name in paper},
)

# %% [markdown]
# So in the released code `depth` receives nothing from Eqs 3 and 4, and `rgb` only a push that fades once the head gives even odds. The factor 1/M scales all terms alike; the extra half on L_mod changes
# their balance.
#
# ## What must DisCoM-KD be compared with?
#
# A branch holds two encoders, the paper's student one. So a gain may be capacity, or the extra supervision of L_aux. Two controls: `student-2x` (two encoders, cross-entropy alone) and `discom-solo`
# (the same branch, on its own sensor: L_cl, L_aux, L_⊥). Only what DisCoM-KD gains over `discom-solo` can have crossed; it may also come from the terms that only two sensors have.

# %%
compared = ("student", "student-2x", "discom-solo", "discom")
made = {name: methods.build(methods.get(name), train, config) for name in compared}
kept = {
    n: {m: sum(w.numel() for w in net.branch(m).parameters()) for m in train.modalities}
    for n, net in made.items()
}
table = pd.DataFrame(kept).T.add_prefix("parameters kept, ")
table["parameters in training"] = [
    sum(w.numel() for w in net.parameters()) for net in made.values()
]
best = {
    name: f"{discom.data.scenes.best_accuracy(e):.1%}"
    for name, e in (("rgb", 0.10), ("depth", 0.25))
}
print(
    table.to_string(),
    f"\nchance {1 / C:.1%} · best possible accuracy on the scenes {best}",
)
check(
    "discom-solo keeps exactly what discom keeps", kept["discom-solo"] == kept["discom"]
)
check(
    "student-2x has that size within 10 %",
    abs(kept["student-2x"]["rgb"] / kept["discom"]["rgb"] - 1) < 0.1,
)

# %% [markdown]
# ## Do the released targets change what is learnt? A run too small to rank methods
#
# Five seeds, few images, a three-layer encoder in place of the ResNet (it too ends in a ReLU and a mean). Every method gets the same
# images, batches, epochs, learning rate, augmentation. `fit` keeps each sensor's best *validation* epoch and reads the test part once.

# %%
def small_encoder(channels, features=64):
    layers = []
    for few, more in ((channels, 16), (16, 32), (32, features)):
        layers += [
            torch.nn.Conv2d(few, more, 3, 2, 1, bias=False),
            torch.nn.BatchNorm2d(more),
            torch.nn.ReLU(),
        ]
    return torch.nn.Sequential(
        *layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    ), features


def small(method, title):
    class Small(method):
        name = title
        options = classmethod(lambda cls, given: method.options(given))

        def __init__(self, channels, classes, encoder, **options):
            super().__init__(channels, classes, small_encoder, **options)

    return Small


arms = {name: small(methods.get(name), name) for name in compared}
arms["discom-released"] = small(methods.get("discom"), "discom-released")

# %%
source, epochs = ("scenes:n=330", 2) if profile == "tiny" else ("scenes:n=1100", 16)
whole, released = (
    discom.data.load(source),
    {"modality_targets": "released", "reduction": "released"},
)
base = discom.profile("tiny", epochs=epochs, batch_size=50, learning_rate=5e-3)
results, folders = {}, {}
for name, method in arms.items():
    for s in range(5):
        settings = replace(base, seed=s, options=released if "released" in name else {})
        folders[name, s] = discom.runs.Run.of(
            f"{runs}/02", method, whole, settings
        ).folder
        results[name, s] = discom.fit(
            method, whole.split(seed=s), settings, folders[name, s], progress=False
        )
print(
    f"{len(results)} runs, scenes {results['discom', 0].counts}, {epochs} epochs"
    " each, batches of 50"
)
figure = plots.curves(
    {
        name: pd.read_csv(folders[name, 0] / "metrics.csv")
        for name in ("discom", "discom-released")
    }
)

# %% [markdown]
# *Figure: seed 0, paper's and released loss: total training loss (left, falling), validation F1 of both sensors (middle and right, jagged).* **Take-away:** F1 jumps from epoch to epoch, so which epoch is kept is partly luck. The totals
# have different scales; compare F1 only.
#
# A sharper question: can a *fresh* linear classifier tell the sensor from z_inv? If z_inv were invariant, it could only guess. The probe sees scenes that no run has used: one half
# fits it, the other scores it, in data order. **Predict first:** which of the networks below hides its sensor best?

# %%
def probe(a, b):
    # [N, D] each: the first half fits, the second is scored; percent of modalities told
    # right
    x, half, which = np.stack([a, b], 1), len(a) // 2, np.tile([0, 1], len(a))
    fitted = LogisticRegression(max_iter=2000).fit(
        np.concatenate(x[:half]), which[: 2 * half]
    )
    return 100 * fitted.score(np.concatenate(x[half:]), which[2 * half :])

def z_inv(name, s, trained=True):
    part = whole.split(seed=s).train
    net = methods.build(arms[name], part, replace(base, seed=s)).eval()
    pool = replace(fresh, normalization=part.normalization)
    for m in net.deployed if trained else ():
        net.load_state(m, load_file(discom.runs.weights_file(folders[name, s], m)))
    model = (
        net.models if name == "discom-solo" else dict.fromkeys(net.deployed, net.model)
    )
    with torch.inference_mode():
        return [
            model[m].embed(m, torch.from_numpy(pool.images(m))).inv.numpy()
            for m in net.deployed
        ]


fresh, random = (
    discom.data.load("scenes:n=600,seed=1000"),
    np.random.default_rng(seed).normal(size=(200, 8)),
)
check(
    "the probe: 50 % for equal, 100 % for shifted vectors",
    (probe(random, random), probe(random, random + 10)) == (50, 100),
)
told = {
    name: [probe(*z_inv(name, s)) for s in range(5)]
    for name in ("discom", "discom-released", "discom-solo")
}
told["untrained"] = [probe(*z_inv("discom", s, trained=False)) for s in range(5)]
print(pd.DataFrame(told).round(1).rename_axis("seed").T.to_string())
for other in ("discom-released", "discom-solo"):
    print(
        f"discom − {other}, mean and 95 %:",
        np.round(tables.paired_difference(told["discom"], told[other]), 1),
    )
axis = pd.DataFrame(told).T.plot(
    style="ko", mfc="none", legend=False, figsize=(6, 3), ylim=(45, 103)
)
axis.axhline(50, color="black", ls=":")
_ = axis.set(ylabel="modality told (%)", xticks=range(len(told)), xticklabels=told)

# %%
guess = [
    pd.read_csv(folders["discom", s] / "metrics.csv")["adv"].iloc[-1] for s in range(5)
]
print(
    f"L_adv at the end, per seed: {np.round(guess, 3)}; a head that guesses:"
    f" {M * np.log(M):.3f}"
)
others = ["student", "student-2x", "discom-solo", "discom-released"]
table = tables.summary(results.values(), others)
check("five paired seeds for every method", (table["n"] == 5).all())
Markdown(tables.to_markdown(table, others))

# %% [markdown]
# *Figure: a circle per seed for three trained networks and an untrained one, chance (50 %) dotted; all circles lie high above it, the untrained ones at 100 %.* **Take-away:** every z_inv tells its sensor, with an adversary (discom), an inert one (discom-released) and none (discom-solo). Training lowers the probe even without an adversary, and in the stored run furthest without one: the printed interval of discom − discom-solo lies above zero, that of discom − discom-released holds zero. Another run may answer otherwise. The table holds F1 × 100, mean ± sd, and paired differences: all F1 lie little above the chance accuracy of nine classes. In the stored run every interval holds zero; in another a few may not, but twenty differences stand there without a correction for their number, so they rank nothing.
#
# ## What should you see, and what would be a bug?
#
# The checks hold for any seed. Scores differ between processors, thread counts and torch versions: a rounding difference can change which epoch is kept. Expect each F1 within some three of the table's standard deviations of its mean, hence near chance, and probes far above one half. A probe at exactly 50 %, an L_cl that stays up on one batch, or start
# values far from the formulas mean a bug. Even `student` may lead here; [notebook 03](03_training.ipynb) compares the methods at full size.
#
# ## Where it fails: the adversary is content, the embedding is not invariant
#
# L_adv of the paper's loss ends near M log M (printed above the table): *its own* head is about at chance, and yet a fresh probe is not. An opponent that is fooled now is no proof that nothing can be
# seen. One caveat: each sensor keeps its own best epoch, so the two branches may stem from different moments of the game. The orthogonality term, too, reaches its goal without separating anything. **Predict first:** if z_inf turns away from both others, where do z_inv and z_irr go?

# %%
for name, shape, goal in (("signed", torch.clone, -2), ("non-negative", torch.abs, 0)):
    free = torch.randn(
        3, 50, 4, generator=torch.Generator().manual_seed(seed)
    ).requires_grad_()
    for _ in range(2000):
        inv, inf, irr = shape(free)
        loss = cosine(inv, inf).mean() + cosine(inf, irr).mean()
        free = (free - torch.autograd.grad(loss, free)[0]).detach().requires_grad_()
    print(
        f"{name}: Eq 6 for one modality {loss:+.3f} · cos(z_inv, z_irr)"
        f" {cosine(inv, irr).mean():+.3f}"
    )
    check(f"{name}: close to its minimum", abs(loss - goal) < 0.1)

# %% [markdown]
# With signed entries z_inf turns against both others, and z_inv and z_irr end up *parallel*. Without negative entries the cosines of Eq 6 come near 0, and z_inv and z_irr still share a direction (printed). No term holds them apart.
#
# ## Your turn
#
# **1 · Warm-up (2 min).** With M = 3, C = 9 and all logits equal, what are L_aux and L_mod (`answer_1`, a pair)? *Hint:* count the cross-entropies.
#
# **2 · Change one thing (10 min).** Run `fight` with λ = 0.2, 1 and 5; put the lowest gap of each path into `answer_2`, in this order. *Hint:* `min` over a path.
#
# **3 · Write a loss (15 min).** The confusion loss asks the encoder for even odds: cross-entropy of the uniform distribution to the head's. Put a function of logits [B, M] into `answer_3`. *Hint:* mean over the classes of −log softmax.
#
# **4 · Open (30 min and more).** Replace the cosine by its square and minimise it as in the last code cell, with signed entries; put the mean cosines that remain, (inv, inf) and (inf, irr), into `answer_4`. Then train it. *Hint:* subclass `methods.DisCoMKD`, change `orth` in `loss`.
#
# [Worked answers](solutions/py/02_model_and_losses.py) are kept apart.

# %%
answer_1 = answer_2 = answer_3 = answer_4 = None
if answer_1 is not None:
    check("exercise 1", np.allclose(answer_1, (6 * np.log(9), 6 * np.log(3))))
if answer_2 is not None:
    check("exercise 2", answer_2[2] < answer_2[1] < answer_2[0])
if answer_3 is not None:
    flat, sharp = answer_3(torch.zeros(4, 3)), answer_3(torch.tensor([[5.0, 0, 0]]))
    check("exercise 3", abs(flat - np.log(3)) < 1e-6 and sharp > np.log(3))
if answer_4 is not None:
    check("exercise 4", np.abs(answer_4).max() < 0.1)

# %% [markdown]
# ## What have we seen?
#
# - Eqs 2–6 are cross-entropies and cosines; hand and package agree (the cells after each equation).
# - Reversal makes a game with its rest point at M log M (the fight), but a term at M log M does not show invariance, and training without an adversary lowers the probe, too (its circles).
# - The signed cosine prefers opposition, zero cosine is not independence, and z_inv, z_irr are free of each other (Eq 6, "Where it fails").
# - Released targets give the second modality no gradient in Eqs 3 and 4 (the gradient table); what this does to F1 is not settled at this size (the table near chance).
# - So five losses train without a teacher; whether they replace one is not answered here.
#
# **Limitations:** drawn data, a toy encoder, five seeds, a linear probe (a lower bound of what can be told).
# **Next:** [notebook 03](03_training.ipynb) trains the full networks and reads their curves.

# %% [markdown]
# ## References
#
# - D. Ienco, C. F. Dantas, *DisCoM-KD*, BMVC 2024, [arXiv 2408.07080](https://arxiv.org/abs/2408.07080), Eqs 2–7.
# - Y. Ganin et al., *Domain-adversarial training of neural networks*, JMLR 17, 2016: gradient reversal.
# - Released code: [github.com/tanodino/CMKD_Disentangle](https://github.com/tanodino/CMKD_Disentangle), commit 7a9f41b.
# - Here: [`discom/losses/disentangle.py`](../discom/losses/disentangle.py), tested by `tests/losses/test_disentangle.py`; [`discom/models/disentangled.py`](../discom/models/disentangled.py). Data and code: MIT.

# %%
finish()
