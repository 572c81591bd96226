# %% [markdown]
# # 09 · What changes when a third sensor joins?
#
# You take DisCoM-KD from two sensors to three: three ways to hide the sensor, one more modality at equal budget, one that saw few scenes, and sets without a single pair.
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/discom-kd/discom/blob/v0.1.0/notebooks/09_more_than_two_modalities.ipynb)
# · [solutions](solutions/py/09_more_than_two_modalities.py) · [the adversaries in the package](../discom/losses/adversaries.py)

# %% [markdown]
# | At a glance | |
# |---|---|
# | You will be able to | **write** the adversarial term for any number of modalities · **tell** reversal, confusion and pairs apart by their gradients · **compare** two sensors with three at equal budget · **read** a dial of missing samples |
# | Prerequisites | [02 losses](02_model_and_losses.ipynb) (the five terms), [05 ablations](05_ablations.ipynb) (paired differences, dials) |
# | Time | three to five minutes on two CPU cores, most of them in two live runs; the last cell prints the seconds of this run; a GPU is used where there is one, and was not timed |
# | Memory, disk | 2 GB of memory, 30 MB of disk |
# | Data, licence | scenes drawn on the spot and finished runs from [results/](../results), MIT; nothing is downloaded |
# | Stored outputs | one run from top to bottom; the fourth code cell prints machine, versions, commit and date |

# %% [markdown]
# ## Why is three not just two and one more?
#
# With two sensors, "hide which sensor it was" has one meaning. With three, the paper (DisCoM-KD, BMVC 2024) calls it an open question. One classifier may ask "which of the three?" or a discriminator for each pair "this one or that?"; the encoders may run away from the answer or aim at doubt. And a third sensor may be missing in most scenes, or may never have seen the scenes of the others.
#
# ```text
# RGB     ─► inv │ inf │ irr ─► class        inv of all three ─► which sensor?   reversal: fool it
# depth   ─► inv │ inf │ irr ─► class                                            confusion: leave it in doubt
# thermal ─► inv │ inf │ irr ─► class                                            pairs: three small questions
# ```
#
# At use each branch still works alone, on one sensor.

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
import json
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from discom import data as sets, fit, methods, plots, probing, runs as stored, tables
from discom.evaluation import inspection
from discom.config import profile as settings
from discom.data.batches import paired_rows
from discom.losses import adversaries, disentangle
from discom.models import Embedding, Heads
from discom.notebook import check, finish, stamp

# %% tags=["parameters"]
# drawn scenes, or after a colon arguments such as n and size; their three sensors are
# taken
data = "scenes"
# tiny (seconds, scores mean nothing), cpu (minutes) or paper (hours on a GPU)
profile = "cpu"
seed = 0  # of the draw, the split, the weights and the batches
runs = "runs"  # folder of the runs that this notebook trains

# %%
plots.style()
stamp(seed, scenes=data)

# %% [markdown]
# ## Which data, and is it in order?
#
# Drawn scenes, one object each; its class is a pair (shape, material), nine in all. Every sensor sees the outline. RGB shows the material as a texture, depth as a relief, thermal as one of three warmths, and each cue is redrawn at random with its own probability. Split by scene, 2 : 1 : 2; scaling comes from the training part; pixels have no unit.

# %%
draw = data if ":" in data else f"{data}:n=2200"
whole = sets.load(f"{draw},seed={seed},modalities=rgb+depth+thermal")
sensors, C = list(whole.modalities), len(whole.classes)
split, M = whole.split(seed=seed), len(sensors)
display(
    pd.DataFrame(
        {
            part: {s: f"{m.x.shape} {m.x.dtype}" for s, m in held.modalities.items()}
            for part, held in split._asdict().items()
        }
    )
)
display(
    pd.DataFrame(
        {
            part: np.bincount(held.labels, minlength=C)
            for part, held in split._asdict().items()
        },
        whole.classes,
    ).T.rename_axis("scenes of a class")
)
figure = plots.pairs(split.train, rows=range(6))

# %%
ids = [set(part.ids.tolist()) for part in split]
check(
    "no scene is in two parts", sum(map(len, ids)) == len(set.union(*ids)) == len(whole)
)
check(
    "every class is in every part",
    all((np.bincount(part.labels, minlength=C) > 0).all() for part in split),
)
check(
    "row i of all three sensors is the same scene",
    all((m.ids == part.ids).all() for part in split for m in part.modalities.values()),
)
check(
    "scaled pixels lie in [0, 1]",
    all(
        0 <= part.images(s).min() <= part.images(s).max() <= 1
        for part in split
        for s in sensors
    ),
)

# %% [markdown]
# *Figure: six training scenes, a column each with its class above; rows are RGB, depth (black squares: nothing measured) and thermal.* **Take-away:** the outline is in all three; the warmth is one number, the texture and the relief are patterns.
#
# ## What can each sensor know at best?
#
# A cue that is redrawn with probability ε among K = 3 materials names the right one in a share of
#
# $$
# a(\varepsilon) = 1 - \varepsilon + \frac{\varepsilon}{K}
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $\varepsilon$ | `redrawn` | .10 texture, .25 relief, .40 warmth |
# | $a$ | `best` | accuracy of the best reader of that sensor |
#
# **Predict first:** thermal has the worst cue. Will its branch have the worst score?

# %%
redrawn = {"rgb": 0.10, "depth": 0.25, "thermal": 0.40}
best = {s: 100 * sets.scenes.best_accuracy(e) for s, e in redrawn.items()}
f = sets.scenes.make(20_000, size=8, seed=2, modalities=["thermal"]).factors
found = {
    s: 100 * (f[cue] == f["material"]).mean()
    for s, cue in zip(sensors, ("texture", "relief", "warmth"), strict=True)
}
display(
    pd.DataFrame({"closed form (%)": best, "20 000 drawn scenes (%)": found}).round(1)
)
check("by hand: 1 − .4 + .4/3 = .7333", np.isclose(best["thermal"], 73.33, atol=0.01))
check(
    "drawn and closed form agree within 1 point",
    all(abs(best[s] - found[s]) < 1 for s in sensors),
)

# %% [markdown]
# ## Reversal: one question for all
#
# The paper's Eq. 3 holds for any M: one linear classifier of M sensors on $z_{inv}$, its gradient reversed on the way to the encoders.
#
# $$
# L_{adv} = \sum_{m=1}^{M} CE\big(Cl_{adv}(GRL(z_{inv}^m)),\, m\big)
# $$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $z_{inv}^m$ | `z[m].inv` | [B, D] | what shall not tell its sensor |
# | $Cl_{adv}$ | `heads.adv` | D → M | asks "which sensor?" |
#
# **Predict first:** the value where nothing can be told, for M = 2 and for M = 3?

# %%
def toy(names, pairwise=False, width=8, rows=4):
    """Random embeddings of a few rows and heads for these sensors, in float64."""
    torch.manual_seed(seed)
    z = {
        m: Embedding(*(torch.randn(rows, width, dtype=torch.float64) for _ in range(3)))
        for m in names
    }
    return z, Heads(list(names), width, C, pairwise=pairwise).double()


z, heads = toy(sensors)
by_hand = sum(
    cross_entropy(heads.adv(z[m].inv), torch.full((4,), k))
    for k, m in enumerate(sensors)
)
check(
    "by hand, the package gives the same",
    torch.isclose(by_hand, disentangle.adversarial_loss(z, heads)),
)
for parameter in heads.adv.parameters():
    parameter.data.zero_()
blind = disentangle.adversarial_loss(z, heads).item()
check(
    "where nothing can be told: 3 log 3 = 3.2958 (M = 2: 2 log 2 = 1.3863)",
    np.isclose(blind, 3.2958, atol=1e-4),
)

# %% [markdown]
# **Reading.** The value of blindness rises with M, so curves of this term for two and three sensors must not be compared as they are.
#
# ## Confusion: aim at doubt
#
# The classifier learns as before, on embeddings that pass no gradient (sg). The encoders see it with its weights held fixed (*) and minimise the cross-entropy of its answer to even odds (Tzeng et al., 2015):
#
# $$
# L_{conf} = \sum_m CE\big(Cl_{adv}(\mathrm{sg}\,z_{inv}^m), m\big) + \lambda \sum_m -\frac{1}{M} \sum_k \log p_k^*(z_{inv}^m)
# $$
#
# | symbol | in code | meaning |
# |---|---|---|
# | $p^*_k$ | `p` | odds of sensor k by the fixed classifier |
# | $t$ | `t` | a logit that an encoder can move: logits (t, 0, 0) |
#
# Let the true sensor be the first. Reversal pushes $t$ by $1 - p_1$, confusion by $p_1 - 1/M$. **Predict first:** where does each of them stop?

# %%
t = torch.linspace(-6, 6, 49, dtype=torch.float64)
heads = Heads(sensors, 1, C).double()
for parameter, value in zip(
    heads.adv.parameters(), ([[1.0], [0.0], [0.0]], [0.0, 0.0, 0.0]), strict=True
):
    parameter.data = torch.tensor(value, dtype=torch.float64)
push, names = (
    {},
    {"reversal": disentangle.adversarial_loss, "confusion": adversaries.confusion_loss},
)
for name, loss in names.items():
    point = t[:, None].clone().requires_grad_()
    others = torch.zeros(1, 1, dtype=torch.float64)
    z = {
        m: Embedding(point if m == sensors[0] else others, None, None) for m in sensors
    }
    # the loss is a mean over rows
    push[name] = len(t) * torch.autograd.grad(loss(z, heads), point)[0][:, 0]
p = (t.exp() / (t.exp() + 2)).numpy()
check(
    "reversal: the gradient on t is 1 − p, by hand",
    np.allclose(push["reversal"], 1 - p),
)
check("confusion: it is p − 1/3, by hand", np.allclose(push["confusion"], p - 1 / 3))
check(
    "at even odds reversal still pushes with 2/3, confusion with 0",
    np.allclose([push[n][24] for n in names], [2 / 3, 0]),
)

# %%
figure, axis = plt.subplots(figsize=(6.2, 3.1), layout="constrained")
for name, line in zip(names, ("-", "--"), strict=True):
    axis.plot(p, push[name], line, color="black", label=name)
axis.axhline(0, color="grey", linewidth=0.8)
axis.axvline(1 / 3, color="grey", linewidth=0.8, linestyle=":")
axis.annotate("even odds", (1 / 3, -0.3), xytext=(4, 0), textcoords="offset points")
axis.set(xlabel="odds of the true sensor, p", ylabel="gradient on its logit t")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# *Figure: how hard each term pushes the true sensor's logit down (above 0) or up (below 0), over the odds that the classifier gives it; solid reversal, dashed confusion, dotted even odds.* **Take-away:** reversal pushes hardest where the classifier is already wrong, so it overshoots: "surely not RGB" tells as much as "surely RGB". Confusion turns round at even odds; but where the classifier is sure, reversal fades to nothing and confusion still pushes with 2/3.
#
# ## Pairs: three small questions
#
# One linear discriminator for each pair, every sensor in M − 1 of them (ours):
#
# $$
# L_{pair} = \frac{1}{M-1} \sum_{a<b} \Big[CE\big(Cl_{ab}(GRL(z^a_{inv})), 0\big) + CE\big(Cl_{ab}(GRL(z^b_{inv})), 1\big)\Big]
# $$
#
# **Predict first:** the value where nothing can be told, M = 3? And what is it for M = 2?

# %%
z, heads = toy(sensors, pairwise=True)
by_hand = sum(
    cross_entropy(heads.adv[f"{a}-{b}"](z[m].inv), torch.full((4,), k))
    for a, b in combinations(sensors, 2)
    for k, m in enumerate((a, b))
) / (M - 1)
check(
    "by hand, the package gives the same",
    torch.isclose(by_hand, adversaries.pairwise_loss(z, heads)),
)
for parameter in heads.adv.parameters():
    parameter.data.zero_()
check(
    "where nothing can be told: 3 log 2 = 2.0794",
    np.isclose(adversaries.pairwise_loss(z, heads).item(), 2.0794, atol=1e-4),
)
two, pair = toy(sensors[:2], pairwise=True)
alone = Heads(sensors[:2], 8, C).double()
alone.adv = pair.adv["rgb-depth"]
check(
    "with two sensors it is Eq. 3",
    torch.isclose(
        adversaries.pairwise_loss(two, pair), disentangle.adversarial_loss(two, alone)
    ),
)

# %% [markdown]
# ## What does a third sensor cost?
#
# **Predict first:** how many numbers does the adversary add, out of how many? And the deployed branch?

# %%
small = (
    {}
    if profile == "tiny"
    else {
        "width": 8,
        "channels_last": False,
        "batch_size": 64,
        "epochs": 16,
        "learning_rate": 5e-3,
        "precision": "32-true",
    }
)
config = settings(profile, seed=seed, **small)


def built(names, **options):
    changed = settings(profile, seed=seed, options=options, **small)
    return methods.build(methods.DisCoMKD, split.train.select(names), changed)


sizes = {}
for names, adversary in [
    (sensors[:2], "reversal"),
    *((sensors, kind) for kind in adversaries.ADVERSARIES),
]:
    model = built(names, adversary=adversary)
    count = {
        "trained": model,
        "adversary": model.model.heads.adv,
        "at use, rgb": model.branch("rgb"),
    }
    sizes[f"{len(names)} sensors, {adversary}"] = {
        what: sum(p.numel() for p in part.parameters()) for what, part in count.items()
    }
display(pd.DataFrame(sizes).T.rename_axis("parameters"))
check(
    "a branch at use is the same network, whoever trained beside it",
    len({held["at use, rgb"] for held in sizes.values()}) == 1,
)
batch = next(sets.Batches(split.train, 32, seed).epoch(0))
terms = built(sensors).loss(batch)
print({name: round(value.item(), 2) for name, value in terms.items()})
start = {"cl": M * np.log(C), "adv": M * np.log(M), "mod": 2 * M * np.log(M)}
check(
    "untrained: cl near 3 log 9, adv near 3 log 3, mod near 6 log 3, within a third",
    all(abs(terms[k].item() / v - 1) < 1 / 3 for k, v in start.items()),
)

# %% [markdown]
# ## Two live runs: with the others, and alone
#
# `discom-solo` is the same branch trained on its own sensor: the control of equal size. Same split, epochs, batches, weights at the start; the epoch kept is the best on validation, the test part is read once per run.

# %%
live = {}
for method in (methods.DisCoMSolo, methods.DisCoMKD):
    run = stored.Run.of(runs, method, whole, config)
    live[method.name] = (
        fit(method, split, run.config, run.folder, progress=False),
        run.folder,
    )
figure = plots.curves(
    {
        name: stored.read_metrics(folder / "metrics.csv")
        for name, (_, folder) in live.items()
    }
)
score = pd.DataFrame({name: result.f1 for name, (result, _) in live.items()}).T
score.loc["chance"], score.loc["best possible"] = 100 / C, best
display(score.round(1).rename_axis("weighted F1, one seed"))
check(
    "the kept epoch is the best on validation",
    all(
        held["valid_f1"]
        == stored.read_metrics(folder / "metrics.csv")[f"valid_f1/{s}"].max()
        for result, folder in live.values()
        for s, held in result.scores.items()
    ),
)

# %%
found = inspection.embeddings(live["discom"][1], split)
rows = {part: paired_rows(getattr(split, part), sensors) for part in found}
read = {}
for key in ("inv", "inf", "irr"):
    test, train = (
        {s: found[part][s][key][rows[part][s]] for s in sensors}
        for part in ("test", "train")
    )
    told = probing.modality_probe(test, train=train)
    read[f"z_{key}"] = {
        "told by a fresh probe (%)": told.score,
        "shuffled": told.shuffled,
        "chance": told.chance,
    }
display(pd.DataFrame(read).T.round(1).rename_axis("which of three sensors?"))
check(
    "with shuffled sensors the probe is near chance",
    all(abs(held["shuffled"] - held["chance"]) < 8 for held in read.values()),
)

# %% [markdown]
# *Figure: training loss (scales differ, since the losses do) and validation F1 of each sensor.* **How to read the table.** If z_inv told nothing of its sensor, its first column would be at chance, 33.3. A linear classifier trained along says "I cannot tell"; the probe, fitted afterwards, says what is left.
#
# ## Which adversary? Five seeds, one budget
#
# Finished runs from [results/modalities/](../results/modalities), each seed with scenes of its own; the recipe of the live runs, whose learning rate was chosen by `student` on another seed. Δ is the row minus the column, paired by seed, with its 95 % Student-t interval. **Predict first:** which Δ leaves zero?

# %%
folder = Path("../results/modalities")
results = tables.load_results(folder / "adversaries.json")
table = tables.summary(results, ("discom-solo", "discom"))
shown = table.pivot(index="method", columns="modality", values=["f1", "sd"])[
    ["f1", "sd"]
].round(1)
display(shown[[(what, s) for s in sensors for what in ("f1", "sd")]])
figure = plots.intervals(table, ("discom-solo", "discom"))
left = pd.DataFrame(json.loads((folder / "invariance.json").read_text())).fillna(
    {"adversary": "none, alone"}
)
display(
    left.groupby("adversary")[["z_inv", "z_inf", "z_irr"]]
    .agg(["mean", "std"])
    .round(1)
    .rename_axis("sensor told by a fresh probe, % (chance 33.3)")
)


def verdict(label, mean, low, high, n):
    print(
        f"{label}: {mean:+.1f} [{low:+.1f}, {high:+.1f}], n = {n}:"
        f" {'a gain' if low > 0 else 'a loss' if high < 0 else 'within noise'}"
    )


for base in ("discom-solo", "discom"):
    for row in table[table[f"vs {base}"].notna()].to_dict("records"):
        verdict(
            f"{row['modality']}: {row['method']} − {base}",
            *(row[f"vs {base}{end}"] for end in ("", " low", " high")),
            row["n"],
        )

# %% [markdown]
# *Figure: each adversary minus the branch alone and minus reversal, in F1 points, a panel for each sensor; dots are means of five seeds with 95 % intervals.* **Take-away:** the adversaries differ in their gradients and, as far as five seeds can tell, in nothing else: every interval holds zero. And none does what it is for: a fresh linear probe names the sensor from z_inv in 91 to 94 of 100 cases with each of them, and in 93 where the branches never met (chance 33). What a classifier trained along cannot tell, another one can.
#
# ## Two sensors or three, at equal budget?
#
# Every branch sees as many batches of its own sensor either way; what changes is the company. **Predict first:** which sensor gains most from a third?

# %%
pairs = {
    "+".join(names): tables.load_results(folder / f"{'-'.join(names)}.json")
    for names in combinations(sensors, 2)
}
three = {
    r.seed: r
    for r in results
    if r.method == "discom" and r.config["options"]["adversary"] == "reversal"
}
rows = []
for names, held in pairs.items():
    held = {r.seed: r for r in held}
    for s in names.split("+"):
        common = sorted(set(held) & set(three))
        rows.append(
            (
                s,
                names,
                len(common),
                *tables.paired_difference(
                    [three[k].f1[s] for k in common], [held[k].f1[s] for k in common]
                ),
            )
        )
gain = pd.DataFrame(
    rows, columns=["sensor", "with", "n", "mean", "low", "high"]
).sort_values("sensor", key=lambda c: c.map(sensors.index), kind="stable")
figure, axis = plt.subplots(figsize=(6.4, 2.9), layout="constrained")
axis.errorbar(
    gain["mean"],
    np.arange(len(gain)),
    xerr=[gain["mean"] - gain["low"], gain["high"] - gain["mean"]],
    fmt="o",
    color="black",
    capsize=3,
)
axis.axvline(0, color="grey", linewidth=0.8)
axis.set(
    yticks=range(len(gain)),
    yticklabels=[
        f"{r['sensor']}: all three − {r['with']}" for r in gain.to_dict("records")
    ],
    xlabel="F1 points",
    ylim=(len(gain) - 0.5, -0.5),
)
plt.show()
for r in gain.to_dict("records"):
    verdict(
        f"{r['sensor']}: three − {r['with']}", r["mean"], r["low"], r["high"], r["n"]
    )

# %% [markdown]
# *Figure: F1 of a sensor's branch trained with both others minus trained with one of them; dots are means of five seeds with 95 % intervals.* **Take-away:** nothing leaves zero. The largest means are RGB's and depth's +2.6 against their poorer pair; against their better pair the third sensor brings nothing, and thermal does not care.
#
# ## A sensor that saw a part of the scenes, and sets without pairs
#
# First a dial: thermal saw a tenth of the training scenes (or all); RGB and depth saw all. Then no pairs at all: each training scene was seen by one sensor, in the ratio 3 : 2 : 1; validation and test are as they were. An epoch is as long as the largest set, smaller ones are shown again. **Predict first:** whose branch will the others help most?

# %%
dial = tables.summary(tables.load_results(folder / "seen.json"), ("discom-solo",))
unpaired = tables.summary(
    tables.load_results(folder / "unpaired.json"), ("discom-solo",)
)
for held in (dial, unpaired):
    display(
        held.pivot(index=["data", "method"], columns="modality", values="f1")[
            sensors
        ].round(1)
    )
    for row in held[held["vs discom-solo"].notna()].to_dict("records"):
        share = row["data"].removeprefix("scenes-rgb-depth-thermal").strip("-") or "all"
        verdict(
            f"{share}, {row['modality']}: discom − discom-solo",
            *(row[f"vs discom-solo{end}"] for end in ("", " low", " high")),
            row["n"],
        )

# %%
share = dial["data"].str.extract(r"seen_thermal=([\d.]+)")[0]
curve = dial.assign(share=share.astype(float).fillna(1)).query("method == 'discom'")
figure, axes = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
for axis, sensor in zip(axes, sensors, strict=True):
    line = curve[curve["modality"] == sensor].sort_values("share")
    low, mean, high = (line[f"vs discom-solo{end}"] for end in (" low", "", " high"))
    axis.errorbar(line["share"], mean, [mean - low, high - mean], fmt="o-", capsize=2)
    axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axis.set(title=sensor, xlabel="share that thermal saw", ylabel="F1 points")
plt.show()

# %% [markdown]
# *Figure: F1 points that DisCoM-KD gains over its branch alone, over the share of training scenes that thermal saw; a panel for each sensor, bars are 95 % intervals.* **Take-away:** with a tenth of its scenes thermal falls from 71 to 38, and the two sensors that saw everything do not catch it: −0.7 [−8.4, +7.0] against the branch alone, n = 3. RGB's mean even falls beside it, within noise. Without a single pair the loss needs no change, since its batches are unpaired anyway; the printed lines say whether anything crosses over then.
#
# ## Where it fails: how many of all these differences are luck?

# %%
# the undisturbed cells stand in all three
every = pd.concat([table, dial, unpaired]).drop_duplicates(
    ["data", "method", "modality"]
)
low, high = (
    [*every[f"vs discom-solo {end}"].dropna(), *gain[end]] for end in ("low", "high")
)
above, below, count = (
    int((np.array(low) > 0).sum()),
    int((np.array(high) < 0).sum()),
    len(low),
)
print(
    f"of {count} intervals against discom-solo or two sensors, {above} lie above zero"
    f" and {below} below; between equals about {0.05 * count:.1f} would by luck"
)
check(
    "every interval counts once: 9 of adversaries, 3 and 3 of the dials, 6 of pairs",
    count == 9 + 3 + 3 + 6,
)

# %% [markdown]
# **Reading.** Where the printed count is no larger than luck's share, the table of gains is empty. That is what these runs show: at this budget a third sensor, in whatever way it is hidden, brings nothing across. It is no proof that nothing can: RGB and depth stand at a third of what is possible after so short a training, and thermal at its ceiling, so there was much to learn and little time.
#
# ## What you should see, and what would be a bug
#
# Hand values, gradients and blind values hold everywhere; stored tables are read from files. In the `cpu` profile expect of the live runs about (mean ± sd of five seeds) RGB 26.6 ± 2.8, depth 21.8 ± 3.0 and thermal 71.2 ± 1.6 for `discom-solo`, and the same within noise for `discom`. A bug looks different: a value where nothing can be told that is not 3 log 3, a branch at use that grows with the number of sensors, thermal above 73.3 by more than a point or two of luck, a probe at chance from z_inv (it would be the first).
#
# ## Your turn
#
# 1. **Warm-up (2 min).** Four sensors, nothing can be told: the value of the pairwise loss into `answer_1`. *Hint:* M sensors, each with log 2.
# 2. **Change one thing (10 min).** For which odds p of the true sensor do reversal and confusion push equally hard, with M = 3? Into `answer_2`. *Hint:* the two gradients of the first figure.
# 3. **Open (30 min+).** Does an adversary matter at all here? Train `discom` with `weights={"adv": 0}` on three seeds or more; the differences to `discom` of one sensor into `answer_3`. *Hint:* as in *Two cells, live* of [05](05_ablations.ipynb).
#
# Worked answers are [kept apart](solutions/py/09_more_than_two_modalities.py).

# %%
answer_1 = answer_2 = answer_3 = None
if answer_1 is not None:
    check("exercise 1", np.isclose(answer_1, 4 * np.log(2), atol=1e-3))
if answer_2 is not None:
    check("exercise 2", np.isclose(1 - answer_2, answer_2 - 1 / 3, atol=1e-3))
if answer_3 is not None:
    check("exercise 3", len(answer_3) >= 3 and np.isfinite(answer_3).all())

# %% [markdown]
# ## What to take along
#
# - Eq. 3 takes any number of sensors; its blind value M log M grows with M.
# - Reversal overshoots even odds and fades where the classifier is sure; confusion does neither; pairs are Eq. 3 for two (second figure, three cells of checks).
# - Five seeds tell no adversary from another, nor from the branch alone, and a fresh probe names the sensor from z_inv with each of them (tables of the section "Which adversary?").
# - Two sensors or three, a sensor with a tenth of the scenes, no pairs at all: every interval is printed, and the last count puts them beside luck.
#
# **Limits.** One family of drawn scenes, a small network, a short budget; chosen arms; nothing is corrected for many comparisons but the count above.
#
# **Next:** [10 your own data, and deployment](10_your_own_data_and_deployment.ipynb).

# %% [markdown]
# **References.** D. Ienco and C. F. Dantas, *DisCoM-KD: Cross-Modal Knowledge Distillation via Disentanglement Representation and Adversarial Learning*, BMVC 2024, arXiv 2408.07080, Eq. 3 · Y. Ganin et al., *Domain-adversarial training of neural networks*, JMLR 2016 (reversal) · E. Tzeng et al., *Simultaneous deep transfer across domains and tasks*, ICCV 2015 (confusion). Code: `discom/losses/adversaries.py`, `discom/losses/disentangle.py`, `discom/data/scenes/single.py`; tests: `tests/losses/test_disentangle.py`, `tests/data/test_scenes.py`. Scenes: drawn here, MIT.

# %%
finish(
    **{
        f"F1 {name} {s}": result.f1[s]
        for name, (result, _) in live.items()
        for s in sensors
    }
)
