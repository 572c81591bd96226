"""Dense prediction: single-modality networks, the teacher that reads all, and students that learn
from it.

Every network is an encoder–decoder of one kind (`config.network`). A branch's images, masks and
what the teacher says about them are moved alike, each modality in a motion of its own; the teacher
alone sees its modalities moved together. Teacher and students draw their first weights from one
seed, as in classification: encoders of both start alike.
"""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import dense
from discom.losses.crossing import place_labels
from discom.losses.distill import check_temperature
from discom.methods.base import Method, register
from discom.methods.baselines import check_reads, students_of
from discom.models import EncoderDecoder, FusionDecoder

__all__ = [
    "CWD",
    "MGD",
    "DenseKDv2",
    "DenseTeacher",
    "KDNet",
    "MasKD",
    "ProtoKD",
    "Single",
    "Single2x",
]


class Dense(Method):
    """An encoder–decoder for each modality, trained side by side on the scenes that all modalities
    saw."""

    dense = True
    paired = True
    moves_maps = (
        False  # whether it moves maps of features, whose padding would come to lie on another side
    )

    def __init__(self, channels, classes, encoder, *, weights: Mapping[str, float] = {}):
        super().__init__(channels, classes, encoder, weights=weights)
        self.branches = nn.ModuleDict(
            {name: self.make(encoder, bands) for name, bands in channels.items()}
        )

    def check_sizes(self, sizes):
        for name, (height, width) in sizes.items():
            stride = self.branches[name].stride if self.moves_maps and name in self.branches else 1
            if height % stride or width % stride:
                raise ConfigError(
                    f"{self.name}: images of {height}×{width} are no multiple of the network's stride, {stride}, so"
                    " moved places cannot be put back; crop or resize them"
                )

    def make(self, network, bands: int) -> nn.Module:
        """One modality's network."""
        return network(bands)

    def loss(self, batch):
        return {
            "cl": sum(
                dense.cross_entropy(self.predict(m, batch.x[m]), batch.y[m]) for m in self.deployed
            )
        }

    def predict(self, modality, x):
        return self.branches[modality](x)

    def branch(self, modality):
        return copy.deepcopy(self.branches[modality])


@register("dense-teacher")
class DenseTeacher(Method):
    """The multi-modal teacher: an encoder for each modality that it reads, maps added, one decoder
    (`FusionDecoder`).

    Args:
        reads: "all" modalities, or one by name.
    """

    dense = True
    coupled = True

    def __init__(
        self, channels, classes, encoder, *, reads: str = "all", weights: Mapping[str, float] = {}
    ):
        super().__init__(channels, classes, encoder, weights=weights)
        self.reads = list(channels) if check_reads("reads", reads, channels) == "all" else [reads]
        self.deployed = ["+".join(self.reads)]
        self.paired = True
        self.model = FusionDecoder({name: channels[name] for name in self.reads}, encoder)

    def loss(self, batch):
        x = torch.cat([batch.x[name] for name in self.reads], dim=1)
        return {"cl": dense.cross_entropy(self.model(x), batch.y[self.reads[0]])}

    def predict(self, modality, x):
        return self.model(x)

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Stacked bands → what students may copy: logits, features, latent
        (`FusionDecoder.maps`)."""
        return self.model.maps(x)

    def branch(self, modality):
        return copy.deepcopy(self.model)


@register("single")
class Single(Dense):
    """One encoder–decoder per modality and cross-entropy; a CroDiNo-KD branch at use has the same
    parameters."""


class SideBySide(nn.Module):
    """Two networks of one modality, their logits averaged."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.networks = nn.ModuleList([first, second])

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C_in, H, W] → logits [B, C, H, W]."""
        return sum(network(x) for network in self.networks) / 2


@register("single-2x")
class Single2x(Dense):
    """Two encoder–decoders of the same modality side by side, trained as one: what twice the
    capacity is worth.

    CroDiNo-KD trains two networks and a decoder for two modalities, and this trains four networks.
    """

    def make(self, network, bands):
        return SideBySide(network(bands), network(bands))


class DenseDistilled(Dense):
    """The network of `single`, taught by a teacher; a subclass says what is copied.

    Args:
        teacher: what the teacher reads: "all" modalities, and there is a student for each; or one
            by name, and there is a student for every other.
        weights: term → factor in the total.
    """

    taught = True
    teacher_method = DenseTeacher
    copies = ("logits",)  # of the teacher's maps, those that are looked at

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", weights: Mapping[str, float] = {}
    ):
        super().__init__(students_of(teacher, channels), classes, encoder, weights=weights)
        self.classes = classes

    def loss(self, batch):
        totals = dict.fromkeys(self.terms, 0.0)
        for name in self.deployed:
            network, x = self.branches[name], batch.x[name]
            maps = network.encode(x)
            features, logits = network.decode(maps, x.shape[-2:])
            own = {"logits": logits, "features": features, "latent": maps[-1]}
            for term, value in self.distil(name, batch, own, batch.soft[name]).items():
                totals[term] = totals[term] + value
        return totals

    def distil(
        self, modality: str, batch: Batch, own: Mapping[str, Tensor], theirs: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """The named, unweighted terms of one student: its own maps and the teacher's, by the names
        in `copies`."""
        raise TypeError(f"{type(self).__name__} must define distil(modality, batch, own, theirs)")


@register("dense-kdv2")
class DenseKDv2(DenseDistilled):
    """½·CE + ½·T²·KL at every pixel, T = 4 (DisCoM-KD's Eq. 1, pixel by pixel)."""

    terms = {"cl": 0.5, "kd": 0.5}

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", temperature: float = 4.0,
        weights: Mapping[str, float] = {},
    ):  # fmt: skip
        check_temperature(temperature)
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        self.temperature = temperature

    def distil(self, modality, batch, own, theirs):
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "kd": dense.pixel_wise(own["logits"], theirs["logits"], self.temperature),
        }


@register("kdnet")
class KDNet(DenseDistilled):
    """½·CE + ½·soft labels (T = 4) + KL of the latent maps (Hu et al., MICCAI 2020).

    No official code exists; what its abstract and later papers say is followed: soft labels as in
    generalised distillation, and agreement of the latent maps. The weights and T are ours.
    """

    terms = {"cl": 0.5, "kd": 0.5, "latent": 1.0}
    copies = ("logits", "latent")
    moves_maps = True

    def distil(self, modality, batch, own, theirs):
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "kd": dense.soft_labels(own["logits"], theirs["logits"]),
            "latent": dense.latent_kl(own["latent"], theirs["latent"]),
        }


@register("protokd")
class ProtoKD(DenseDistilled):
    """CE + 10·element-wise KD (T = 10) + .1·likeness to class prototypes (Wang et al., ICASSP
    2023).

    Its own cross-entropy is weighted by the batch's class shares and has a Dice loss beside it;
    here every method has the same plain cross-entropy, so that only what is copied differs. As
    officially, a class that is absent from any image of a batch is dropped for the whole batch:
    where images hold few classes each, as in scenes-dense at 16 images a batch, hardly more than
    the background is left in `proto`.
    """

    terms = {"cl": 1.0, "kd": 10.0, "proto": 0.1}
    copies = ("logits", "features")
    moves_maps = True

    def distil(self, modality, batch, own, theirs):
        labels = place_labels(batch.y[modality], own["features"].shape[-2:])
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "kd": dense.element_kd(own["logits"], theirs["logits"]),
            "proto": dense.prototype_similarity(
                own["features"], theirs["features"], labels, self.classes
            ),
        }


@register("maskd")
class MasKD(DenseDistilled):
    """CE + differences of class scores under masks that tokens see in the teacher's (Huang et al.,
    ICLR 2023).

    Officially the tokens are learned on the teacher first and then frozen; here they learn beside
    the student, from `tokens`: the task seen through the masks, plus their overlap. No gradient
    goes from `mask` to the tokens.

    Args:
        tokens: K.
    """

    terms = {"cl": 1.0, "mask": 1.0, "tokens": 1.0}

    def __init__(
        self,
        channels,
        classes,
        encoder,
        *,
        teacher: str = "all",
        tokens: int = 8,
        weights: Mapping[str, float] = {},
    ):
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        if tokens < 1:
            raise ConfigError(f"tokens: {tokens} make no mask; the paper has 8")
        self.tokens = nn.Parameter(torch.randn(tokens, classes) / classes**0.5)

    def distil(self, modality, batch, own, theirs):
        masks = dense.token_masks(self.tokens, theirs["logits"])  # [B, K, H, W]
        seen = theirs["logits"] * masks.sum(1, keepdim=True)
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "mask": dense.receptive_mask(own["logits"], theirs["logits"], masks.detach()),
            "tokens": dense.cross_entropy(seen, batch.y[modality]) + dense.token_overlap(masks),
        }


@register("cwd")
class CWD(DenseDistilled):
    """CE + 3·channel-wise distillation of the class scores, T = 4 (Shu et al., ICCV 2021)."""

    terms = {"cl": 1.0, "cwd": 3.0}

    def distil(self, modality, batch, own, theirs):
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "cwd": dense.channel_wise(own["logits"], theirs["logits"]),
        }


@register("mgd")
class MGD(DenseDistilled):
    """CE + 2e-5·masked generation of the teacher's latent map from a quarter of the student's (Yang
    et al., ECCV 2022).

    Its official segmentation code adds channel-wise distillation, which is a method of its own
    here.
    """

    terms = {"cl": 1.0, "mgd": 2e-5}
    copies = ("latent",)
    moves_maps = True
    kept = 0.25  # share of the places that the generator sees

    def __init__(
        self, channels, classes, encoder, *, teacher: str = "all", weights: Mapping[str, float] = {}
    ):
        super().__init__(channels, classes, encoder, teacher=teacher, weights=weights)
        self.generators = nn.ModuleDict(
            {name: self._generator(branch) for name, branch in self.branches.items()}
        )

    @staticmethod
    def _generator(branch: EncoderDecoder) -> nn.Module:
        width = branch.widths[-1]
        convolutions = [nn.Conv2d(width, width, 3, padding=1) for _ in range(2)]
        return nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1])

    def distil(self, modality, batch, own, theirs):
        height, width = own["latent"].shape[-2:]
        drawn = torch.rand(len(batch), 1, height, width)
        kept = drawn.to(own["latent"].device) < self.kept
        generator: Any = self.generators[modality]
        return {
            "cl": dense.cross_entropy(own["logits"], batch.y[modality]),
            "mgd": dense.masked_generative(own["latent"], theirs["latent"], generator, kept),
        }
