"""The branches and heads of DisCoM-KD. Letters: B batch, D embedding width, C classes, M
modalities."""

import copy
from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn

from discom.errors import ConfigError
from discom.models.encoders import Encoder, resnet18

__all__ = ["Branch", "DisCoM", "Embedding", "Heads"]


class Embedding(NamedTuple):
    """The three parts of one modality's embedding, each [B, D]."""

    inv: Tensor  # modality-invariant: the same in every sensor
    inf: Tensor  # modality-informative: this sensor's own, of use for the task
    irr: Tensor  # modality-irrelevant: this sensor's own, of no use


class Branch(nn.Module):
    r"""One modality's two encoders: x → (z_inv, z_inf, z_irr).

    .. math:: [z_{inf} \| z_{irr}] = \mathrm{specific}(x) \in \mathbb{R}^{2D}, \qquad
              z_{inv} = \mathrm{ReLU}(\mathrm{BatchNorm}(\mathrm{Linear}(\mathrm{invariant}(x))))
              \in \mathbb{R}^D

    Source: DisCoM-KD, section 3 and the released code's projection head (its second linear layer is
    never used there and is left out here).

    Args:
        channels: bands of the input.
        encoder: makes each of the two encoders; its feature count must be even.
        dimension: D; 0 is half the encoder's features (paper), and with another a linear layer
            brings h to 2D.

    Raises:
        ConfigError: an odd feature count, or a negative dimension.
    """

    def __init__(self, channels: int, encoder: Encoder = resnet18, dimension: int = 0):
        super().__init__()
        self.specific, features = encoder(channels)
        self.invariant, _ = encoder(channels)
        if features % 2 and not dimension:
            raise ConfigError(
                f"encoder: {features} features cannot be halved into z_inf and z_irr; use an even number"
            )
        if dimension < 0:
            raise ConfigError(
                f"dimension: {dimension} is negative; 0 is half the encoder's features"
            )
        self.width = dimension or features // 2
        if dimension:
            self.specific.append(nn.Linear(features, 2 * dimension))
        self.project = nn.Sequential(
            nn.Linear(features, self.width), nn.BatchNorm1d(self.width), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Embedding:
        """Images [B, channels, H, W] → Embedding of three [B, D]."""
        inf, irr = self.specific(x).split(self.width, dim=1)  # [B, 2D] → 2 × [B, D]
        return Embedding(self.project(self.invariant(x)), inf, irr)


class Heads(nn.Module):
    """The linear classifiers that pull the embeddings apart; only `task` is kept at use.

    Args:
        modalities: names; their order numbers them for `adv`, `mod_inf` and `mod_irr`.
        width: D.
        classes: C.
        pairwise: one linear layer "a-b" for every pair of modalities in the place of `adv`.
    """

    def __init__(self, modalities: list[str], width: int, classes: int, *, pairwise: bool = False):
        super().__init__()
        self.task = nn.ModuleDict(
            {name: nn.Linear(2 * width, classes) for name in modalities}
        )  # [z_inv ‖ z_inf] → C
        pairs = (
            {f"{a}-{b}": nn.Linear(width, 2) for a, b in combinations(modalities, 2)}
            if pairwise
            else {}
        )
        self.adv = (
            nn.ModuleDict(pairs) if pairwise else nn.Linear(width, len(modalities))
        )  # GRL(z_inv) → 2, or M
        self.mod_inf = nn.Linear(width, len(modalities))  # z_inf → M
        self.mod_irr = nn.Linear(width, len(modalities))  # z_irr → M
        self.aux = nn.Linear(width, classes)  # z_inv → C and z_inf → C


class DeployedBranch(nn.Module):
    """What is left at use: one modality in, logits out; no shared head, no other branch, z_irr not
    read."""

    def __init__(self, branch: Branch, task: nn.Linear):
        super().__init__()
        self.branch, self.task = copy.deepcopy(branch), copy.deepcopy(task)
        self.train(branch.training)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, channels, H, W] → logits [B, C]."""
        z = self.branch(x)
        return self.task(torch.cat([z.inv, z.inf], dim=1))


class DisCoM(nn.Module):
    """DisCoM-KD's network for M modalities: independent branches, shared heads; no weights are tied
    between branches.

    Args:
        channels: modality → bands of its images; the order numbers the modalities.
        classes: C.
        encoder: makes the 2·M encoders.
        dimension: D; 0 is half the encoder's features.
        pairwise: whether the heads tell modalities apart pair by pair, see `Heads`.

    >>> model = DisCoM({"rgb": 3, "depth": 1}, classes=9)
    >>> z = model.embed("depth", torch.zeros(2, 1, 64, 64))
    >>> z.inv.shape, model.branch("depth")(torch.zeros(1, 1, 64, 64)).shape if not model.eval().training else None
    (torch.Size([2, 256]), torch.Size([1, 9]))
    """

    def __init__(
        self,
        channels: Mapping[str, int],
        classes: int,
        encoder: Encoder = resnet18,
        dimension: int = 0,
        *,
        pairwise: bool = False,
    ):
        super().__init__()
        self.branches = nn.ModuleDict(
            {name: Branch(bands, encoder, dimension) for name, bands in channels.items()}
        )
        widths = {name: branch.width for name, branch in self.branches.items()}
        if len(set(widths.values())) > 1:
            raise ConfigError(
                f"encoder: embeddings of {widths} units; shared heads need one width for all modalities"
            )
        self.heads = Heads(list(channels), next(iter(widths.values())), classes, pairwise=pairwise)

    def embed(self, modality: str, x: Tensor) -> Embedding:
        """Images of one modality [B, channels, H, W] → its three embeddings [B, D]."""
        return self.branches[modality](x)

    def predict(self, modality: str, x: Tensor) -> Tensor:
        """Images of one modality → logits [B, C] of its task classifier on [z_inv ‖ z_inf]."""
        z = self.embed(modality, x)
        return self.heads.task[modality](torch.cat([z.inv, z.inf], dim=1))

    def branch(self, modality: str) -> DeployedBranch:
        """A copy of one modality's branch and task classifier that stands alone."""
        return DeployedBranch(self.branches[modality], self.heads.task[modality])
