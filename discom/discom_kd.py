r"""DisCoM-KD (Ienco and Dantas, BMVC 2024) on one page, from top to bottom: a branch, the
classifiers on its embedding, Equations 2 to 7, the training step, the branch trained alone, and
what is deployed.

B batch, D embedding width, C classes, M modalities. The equations are functions of mappings
modality → tensor, so that they serve in any training loop: embeddings [B, D], logits of the class
[B, C] or of the modality [B, M], labels int64 [B], -1 for none. B may differ between modalities,
whose order numbers them. Each returns an unweighted scalar ≥ 0 (Eq. 6: ≥ -2M). The terms that take
labels are means over the labelled samples, where a `weight` of each class [C] makes them weighted
means. The paper and its released code differ in two conventions:

- `reduction`: "paper" sums the means over each modality's batch; "released" takes one mean over
  the rows of all modalities, 1/M of the paper's value for equal batches, and 1/(2M) for L_mod.
- `modality_targets`: "paper" asks each modality classifier for the number of the modality;
  "released" reads a matrix of ones for the first modality and zeros for the others as class
  probabilities, which leaves L_adv and L_mod almost without effect.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn

from discom.errors import ConfigError, check_choice
from discom.labels import UNLABELLED
from discom.losses import full_precision, label_weights, reverse_gradient, summed
from discom.methods.base import Method
from discom.models.encoders import Encoder, resnet18

Tensors = Mapping[str, Tensor]  # modality → tensor
CONVENTIONS = ("paper", "released")
ADVERSARY_STEPS = 5  # of the alternating classifier before each step of the encoders
ADVERSARY_RATE = 3.0  # its learning rate in multiples of theirs

# ---------------------------------------------------------------- the branch (section 3)


class Embedding(NamedTuple):
    """The three parts of one modality's embedding, each [B, D]."""

    inv: Tensor  # modality-invariant: the same in every modality
    inf: Tensor  # modality-informative: this modality's own, useful for the task
    irr: Tensor  # modality-irrelevant: this modality's own, useless for the task


class Branch(nn.Module):
    r"""One modality's two encoders: x → (z_inv, z_inf, z_irr).

    .. math:: [z_{inf} \| z_{irr}] = \mathrm{specific}(x) \in \mathbb{R}^{2D}, \qquad
              z_{inv} = \mathrm{ReLU}(\mathrm{BatchNorm}(\mathrm{Linear}(\mathrm{invariant}(x))))
              \in \mathbb{R}^D

    Source: DisCoM-KD, section 3, with the projection head of the released code. `dimension` is D: 0
    is half the encoder's features (paper), another number adds a linear layer to 2D.
    """

    def __init__(self, channels: int, encoder: Encoder = resnet18, dimension: int = 0):
        super().__init__()
        self.specific, features = encoder(channels)
        self.invariant, _ = encoder(channels)
        self.width = dimension or features // 2
        if dimension:
            self.specific = nn.Sequential(self.specific, nn.Linear(features, 2 * dimension))
        linear, norm = nn.Linear(features, self.width), nn.BatchNorm1d(self.width)
        self.project = nn.Sequential(linear, norm, nn.ReLU())

    def forward(self, x: Tensor) -> Embedding:
        """Images [B, channels, H, W] → Embedding of three [B, D]."""
        inf, irr = self.specific(x).split(self.width, dim=1)  # [B, 2D] → 2 × [B, D]
        return Embedding(self.project(self.invariant(x)), inf, irr)


# ---------------------------------------------------------------- the classifiers (Figure 1)


class Heads(nn.Module):
    """The linear classifiers on the embeddings; only `task` is kept at inference.

    The order of `modalities` numbers them.
    """

    def __init__(self, modalities: list[str], width: int, classes: int):
        super().__init__()
        count = len(modalities)
        self.task = nn.ModuleDict({name: nn.Linear(2 * width, classes) for name in modalities})
        self.adv: nn.Module = nn.Linear(width, count)  # GRL(z_inv) → M
        self.mod_inf = nn.Linear(width, count)  # z_inf → M
        self.mod_irr = nn.Linear(width, count)  # z_irr → M
        self.aux = nn.Linear(width, classes)  # z_inv → C and z_inf → C


class DisCoM(nn.Module):
    """DisCoM-KD's network: an independent branch for each of M modalities, and shared heads.

    The order of `channels` (modality → bands) numbers the modalities; see `Branch` and `Heads`.
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        classes: int,
        encoder: Encoder = resnet18,
        dimension: int = 0,
    ):
        super().__init__()
        branches = {name: Branch(bands, encoder, dimension) for name, bands in channels.items()}
        width = next(iter(branches.values())).width
        self.branches = nn.ModuleDict(branches)
        self.heads = Heads(list(channels), width, classes)

    def embed(self, modality: str, x: Tensor) -> Embedding:
        """Images of one modality [B, channels, H, W] → its three embeddings [B, D]."""
        return self.branches[modality](x)

    def deployed_module(self, modality: str) -> "DeployedBranch":
        """One modality's branch and task classifier: images → logits [B, C]."""
        return DeployedBranch(self.branches[modality], self.heads.task[modality])


def apply(function: Callable[[Tensor], Tensor], part: Tensors) -> dict[str, Tensor]:
    """Modality → a head, or another function, of its part of the embedding."""
    return {modality: function(z) for modality, z in part.items()}


def class_logits(heads: Any, inv: Tensors, inf: Tensors) -> dict[str, Tensor]:
    """Modality → what its own task classifier makes of [z_inv ‖ z_inf], [B, C]."""
    return {m: heads.task[m](torch.cat([inv[m], inf[m]], dim=1)) for m in inv}


# ---------------------------------------------------------------- the equations (section 3.1)


def task_loss(
    logits: Tensors, labels: Tensors, reduction: str = "paper", weight: Tensor | None = None
) -> Tensor:
    r"""Eq. 2: each modality's classifier learns the class; log C per modality for equal logits.

    .. math:: L_{cl} = \sum_m \mathrm{CE}(\mathrm{Cl}_m([z_{inv} \| z_{inf}]), y_m)

    >>> round(task_loss({"rgb": torch.zeros(2, 3)}, {"rgb": torch.tensor([0, 2])}).item(), 4)
    1.0986
    """
    how: Any = {"ignore_index": UNLABELLED, "reduction": "none"}
    losses = [F.cross_entropy(logits[m], labels[m], weight, **how) for m in logits]
    counts = [label_weights(labels[m], UNLABELLED, weight).sum() for m in logits]
    return _reduce(losses, reduction, counts)


def adversarial_loss(
    logits: Tensors, *, reduction: str = "paper", modality_targets: str = "paper"
) -> Tensor:
    r"""Eq. 3: the classifier learns to tell modalities apart, the encoders to hide them.

    .. math:: L_{adv} = \sum_m \mathrm{CE}(\mathrm{Cl}_{adv}(\mathrm{GRL}(z_{inv})), m)

    M·log M where z_inv tells nothing of its modality. GRL is `reverse_gradient`, which the caller
    puts between the embedding and the classifier.

    >>> z = {name: torch.zeros(2, 8, requires_grad=True) for name in ("rgb", "depth")}
    >>> classifier = nn.Linear(8, 2)
    >>> loss = adversarial_loss(apply(lambda inv: classifier(reverse_gradient(inv)), z))
    """
    losses = [_modality_cross_entropy(logits[m], k, modality_targets) for k, m in enumerate(logits)]
    return _reduce(losses, reduction)


def modality_loss(
    informative: Tensors,
    irrelevant: Tensors,
    *,
    reduction: str = "paper",
    modality_targets: str = "paper",
) -> Tensor:
    r"""Eq. 4: both private parts must tell their modality.

    .. math:: L_{mod} = \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}inf}(z_{inf}), m)
              + \sum_m \mathrm{CE}(\mathrm{Cl}_{m\text{-}irr}(z_{irr}), m)
    """
    losses = [
        _modality_cross_entropy(logits[m], k, modality_targets)
        for k, m in enumerate(informative)
        for logits in (informative, irrelevant)
    ]
    return _reduce(losses, reduction)


def auxiliary_loss(
    invariant: Tensors,
    informative: Tensors,
    labels: Tensors,
    reduction: str = "paper",
    weight: Tensor | None = None,
) -> Tensor:
    r"""Eq. 5: z_inv alone and z_inf alone must tell the class, by one head for both.

    .. math:: L_{aux} = \sum_m \sum_{z \in \{z_{inv}, z_{inf}\}}
              \mathrm{CE}(\mathrm{Cl}_{aux}(z), y_m)
    """
    of_inv = task_loss(invariant, labels, reduction, weight)
    return of_inv + task_loss(informative, labels, reduction, weight)


def orthogonality_loss(
    inv: Tensors, inf: Tensors, irr: Tensors, reduction: str = "paper"
) -> Tensor:
    r"""Eq. 6, signed, of the parts [B, D]: its minimum, -2M, is opposition, not orthogonality;
    (inv, irr) is free.

    .. math:: L_{\perp} = \sum_m \cos(z_{inv}, z_{inf}) + \sum_m \cos(z_{inf}, z_{irr})

    >>> right_angles = [{"rgb": z[None]} for z in torch.eye(3)]
    >>> orthogonality_loss(*right_angles).item()
    0.0
    """
    inv, inf, irr = (apply(full_precision, part) for part in (inv, inf, irr))
    invariant = [F.cosine_similarity(inv[m], inf[m]) for m in inv]  # [B] each
    irrelevant = [F.cosine_similarity(inf[m], irr[m]) for m in inv]
    return _reduce(invariant, reduction) + _reduce(irrelevant, reduction)


def _modality_cross_entropy(logits: Tensor, number: int, targets: str) -> Tensor:
    """Cross-entropy [B] of modality logits [B, M] against `number`, in either convention."""
    check_choice("modality_targets", targets, CONVENTIONS)
    if targets == "paper":
        labels = torch.full((len(logits),), number, device=logits.device)
        return F.cross_entropy(logits, labels, reduction="none")
    return F.cross_entropy(logits, torch.full_like(logits, float(number == 0)), reduction="none")


def _reduce(losses: list[Tensor], reduction: str, counts: Sequence[Any] = ()) -> Tensor:
    """Per-sample losses, one [B] for each modality (and head) → scalar: means over all samples, or
    over `counts`, the loss of the others being 0."""
    check_choice("reduction", reduction, CONVENTIONS)
    counts = counts or [len(loss) for loss in losses]
    if reduction == "paper":
        return torch.stack([loss.sum() / n for loss, n in zip(losses, counts, strict=True)]).sum()
    return torch.cat(losses).sum() / sum(counts)


# ---------------------------------------------------------------- the training step


class Disentangled(Method):
    """A method whose networks are branches: what DisCoM-KD, its branch alone and MDiCo share.

    It holds one `DisCoM` of all modalities, whose heads they share. `dimension`: see `DisCoMKD`.
    """

    def __init__(self, channels, classes, encoder, *, dimension: NonNegativeInt = 0, **options):
        super().__init__(channels, classes, encoder, **options)
        self.make(channels, partial(DisCoM, classes=classes, encoder=encoder, dimension=dimension))

    def make(self, channels: Mapping[str, int], network: Callable[..., DisCoM]) -> None:
        """Make the networks of these modalities."""
        self.model = network(channels)

    def network_of(self, modality: str) -> DisCoM:
        """The network that holds the branch of that modality, and the heads trained with it."""
        return self.model

    def parts(self, x: Tensors) -> list[dict[str, Tensor]]:
        """Images by modality → the invariant, informative and irrelevant parts by it, [B, D]."""
        z = [self.network_of(name).embed(name, images) for name, images in x.items()]
        return [dict(zip(x, part, strict=True)) for part in zip(*z, strict=True)]

    def embed(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """Images [B, C_in, H, W] → the named parts of their embedding, [B, D] each."""
        return self.network_of(modality).embed(modality, x)._asdict()

    def predict_from_parts(self, modality: str, x: Tensor) -> dict[str, Tensor]:
        """What the auxiliary head, where it is trained, makes of z_inv and of z_inf, [B, C]: the
        paper's Table 4, which does not say which head it read."""
        z, head = self.embed(modality, x), self.network_of(modality).heads.aux
        return {part: head(z[part]) for part in ("inv", "inf") if self.weights.get("aux")}

    def deployed_module(self, modality):
        return self.network_of(modality).deployed_module(modality)


class DisCoMKD(Disentangled, name="discom"):
    r"""DisCoM-KD, Eqs. 2 to 7, with options that the paper lacks. `total` is

    .. math:: L = L_{cl} + L_{adv} + L_{mod} + L_{aux} + L_{\perp} \qquad \text{(Eq. 7)}

    Args:
        grl_lambda: strength λ of the gradient reversal (paper: 1).
        dimension: D; 0 is half the encoder's features (paper), another number adds a linear layer.
        pairing: "unpaired" shuffles each modality on its own (released code), "paired" keeps
            scenes together.
        adversary: "reversal" (paper) or "alternating" (Goodfellow et al., NeurIPS 2014, Algorithm
            1): the classifier of the modalities has its own Adam, of three times the encoders'
            learning rate, and takes five steps before each of theirs.
        reduction, modality_targets: "paper" or "released", see the head of this page.
    """

    terms = dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0)
    single_sensor_control = "discom-solo"
    unlabelled = ("adv", "mod", "orth")

    def __init__(
        self,
        *parts,
        grl_lambda: NonNegativeFloat = 1.0,
        pairing: Literal["paired", "unpaired"] = "unpaired",
        adversary: Literal["reversal", "alternating"] = "reversal",
        reduction: Literal["paper", "released"] = "paper",
        modality_targets: Literal["paper", "released"] = "paper",
        **options,
    ):
        super().__init__(*parts, **options)  # channels, classes, encoder
        self.conventions = {"reduction": reduction, "modality_targets": modality_targets}
        self.paired, alternating = pairing == "paired", adversary == "alternating"
        self.grl_lambda = grl_lambda
        if alternating:
            if "released" in self.conventions.values():
                found = f"'{adversary}' is not in the released code"
                raise ConfigError("adversary", found, "leave 'released' out")
            weights = self.model.heads.adv.parameters()
            self.adversary_optimizer = torch.optim.Adam(weights, betas=(0.5, 0.999), fused=True)

    def loss(self, batch):
        inv, inf, irr = self.parts(batch.x)
        heads, conventions = self.model.heads, self.conventions
        labels = batch.y, conventions["reduction"], self.class_weights
        return {
            "cl": task_loss(class_logits(heads, inv, inf), *labels),  # Eq. 2
            "adv": self.adversarial(inv),  # Eq. 3
            "mod": modality_loss(  # Eq. 4
                apply(heads.mod_inf, inf), apply(heads.mod_irr, irr), **conventions
            ),
            "aux": auxiliary_loss(apply(heads.aux, inv), apply(heads.aux, inf), *labels),  # Eq. 5
            "orth": orthogonality_loss(inv, inf, irr, conventions["reduction"]),  # Eq. 6
        }

    def adversarial(self, inv: Tensors) -> Tensor:
        """Eq. 3. Of the alternating adversary its two sides in turn: the classifier's steps, on
        embeddings that get no gradient, and the term, of a copy of it that gets none."""
        classifier = self.model.heads.adv
        reverse = partial(reverse_gradient, grl_lambda=self.grl_lambda)
        if self.adversary_optimizer is None:
            return adversarial_loss(apply(classifier, apply(reverse, inv)), **self.conventions)
        inv = apply(full_precision, inv)
        with torch.autocast(inv[self.deployed[0]].device.type, enabled=False):
            for _ in range(ADVERSARY_STEPS if self.training else 0):
                adversarial_loss(apply(classifier, apply(torch.detach, inv))).backward()
                self.adversary_optimizer.step()
                self.adversary_optimizer.zero_grad()
            frozen = copy.deepcopy(classifier).requires_grad_(False)
            return adversarial_loss(apply(frozen, apply(reverse, inv)))

    def set_rate(self, rate):
        if self.adversary_optimizer is not None:
            self.adversary_optimizer.param_groups[0]["lr"] = ADVERSARY_RATE * rate


# ---------------------------------------------------------------- the branch alone


class DisCoMSolo(Disentangled, name="discom-solo"):
    """DisCoM-KD's branch trained on its own modality alone: L_cl + L_aux + L_⊥, nothing shared.

    With one modality, L_adv and L_mod have nothing to tell apart. Only what DisCoM-KD gains over
    this control comes from the other modality.
    """

    terms = dict.fromkeys(("cl", "aux", "orth"), 1.0)
    unlabelled = ("orth",)

    def make(self, channels, network):
        models = {name: network({name: bands}) for name, bands in channels.items()}
        self.models: Any = nn.ModuleDict(models)

    def network_of(self, modality):
        return self.models[modality]

    def loss(self, batch):
        labels, rows = (batch.y, "paper", self.class_weights), []
        for modality, images in batch.x.items():
            heads, (inv, inf, irr) = self.models[modality].heads, self.parts({modality: images})
            cl = task_loss(class_logits(heads, inv, inf), *labels)
            aux = auxiliary_loss(apply(heads.aux, inv), apply(heads.aux, inf), *labels)
            rows.append({"cl": cl, "aux": aux, "orth": orthogonality_loss(inv, inf, irr)})
        return summed(rows)


# ---------------------------------------------------------------- what is deployed


class DeployedBranch(nn.Module):
    """What inference needs: one modality in, logits out."""

    def __init__(self, branch: nn.Module, task: nn.Module):
        super().__init__()
        self.branch, self.task, self.training = branch, task, branch.training

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, channels, H, W] → logits [B, C]."""
        z = self.branch(x)
        return self.task(torch.cat([z.inv, z.inf], dim=1))
