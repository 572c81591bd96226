"""The branches and heads of DisCoM-KD. B batch, D embedding width, C classes, M modalities."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from discom.models.encoders import Encoder, resnet18


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


class DeployedBranch(nn.Module):
    """What inference needs: one modality in, logits out."""

    def __init__(self, branch: nn.Module, task: nn.Module):
        super().__init__()
        self.branch, self.task, self.training = branch, task, branch.training

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, channels, H, W] → logits [B, C]."""
        z = self.branch(x)
        return self.task(torch.cat([z.inv, z.inf], dim=1))


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

    def deployed_module(self, modality: str) -> DeployedBranch:
        """One modality's branch and task classifier: images → logits [B, C]."""
        return DeployedBranch(self.branches[modality], self.heads.task[modality])
