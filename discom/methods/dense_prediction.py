"""Dense prediction: single-modality networks, the teacher of all modalities, and its students.

Every network is an encoder–decoder of one kind (`config.network`). Images, masks and the teacher's
maps are flipped and turned alike, each modality on its own; only the teacher sees its modalities
moved together.
"""

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import nn

from discom.data.augmentation import apply_d4, invert_d4, random_d4, recolour
from discom.errors import ConfigError
from discom.labels import NO_LABEL
from discom.losses import dense
from discom.methods.base import Method
from discom.methods.baselines import UNITS, IndependentNetworks, Taught, Teacher
from discom.methods.returned import as_terms
from discom.models.segmentation import FusionDecoder, SideBySide

TOKENS = 8  # of MasKD, as in its paper


class Pixels(Method):
    """Methods that predict a class for every pixel."""

    dense = True

    def cross_entropy(self, logits, labels):
        """The mean over labelled pixels, weighted by `class_weights`, plus `dice` times the soft
        Dice loss."""
        loss = dense.cross_entropy(logits, labels, self.class_weights)
        return loss + self.dice * dense.soft_dice(logits, labels) if self.dice else loss


class Dense(Pixels, IndependentNetworks):
    """An encoder–decoder for each modality, trained side by side on scenes with all modalities."""

    paired = True
    moves_maps = False  # whether maps of features are moved, whose padding would change sides

    def check_sizes(self, data):
        for name in self.branches if self.moves_maps else ():
            stride, (height, width) = self.branches[name].stride, data.modalities[name].x.shape[2:]
            if height % stride or width % stride:
                found = f"images of {height}×{width} are not multiples of the stride of {stride}"
                raise ConfigError(self.name, found, "crop or resize them, since places are moved")

    def make(self, bands, classes, encoder):
        return encoder(bands)


class DenseTeacher(Pixels, Teacher, name="dense-teacher"):
    """The teacher: an encoder for each modality that it reads, maps added, one decoder.

    L = CE(z, y) + .4·Σ_m CE(head_m(latent_m), y), with a linear head on the coarsest map of each
    modality, which training alone uses. Without it the network may learn from one modality alone:
    maps that are added leave nothing to gain for an encoder that begins slower.

    Source: the maps added as in FuseNet (Hazirbas et al. 2016); heads and their weight as in PSPNet
    (Zhao et al., CVPR 2017).
    """

    shared_augmentation = True
    terms = {"cl": 1.0, "deep": 0.4}
    # a student that starts from its teacher's weights would repeat its accidents
    seed_offset = 1_000_000

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        widths = [network.widths[-1] for network in self.model.networks]
        self.heads = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in widths)

    def make(self, channels, classes, encoder):
        return FusionDecoder(channels, encoder)

    def loss(self, batch):
        x, labels = torch.cat([batch.x[name] for name in self.reads], 1), batch.y[self.reads[0]]
        encoded = self.model.encode(x)
        terms = {"cl": self.cross_entropy(self.model.maps(x, encoded)["logits"], labels)}
        if self.weights["deep"]:
            rough = [head(maps[-1]) for head, maps in zip(self.heads, encoded, strict=True)]
            answers = [F.interpolate(z, labels.shape[-2:], mode="bilinear") for z in rough]
            terms["deep"] = sum(self.cross_entropy(answer, labels) for answer in answers)
        return terms


class Single(Dense, name="single"):
    """One encoder–decoder per modality and cross-entropy; as large as a branch of `crodino`."""


class Single2x(Dense, name="single-2x"):
    """Two encoder–decoders of the same modality, trained as one: twice the capacity."""

    def make(self, bands, classes, encoder):
        return SideBySide(encoder(bands), encoder(bands))


class DenseSimCLR(Dense, name="dense-simclr"):
    """`single` with SimCLR at every place: each place of an image and of a distorted view find each
    other among the places of the batch.

    L = Σ_m CE(branch_m(x_m), y_m) + Σ_m InfoNCE(p_m(z_m), p_m(z'_m)), with z_m the coarsest map of
    x_m, z'_m that of a view of it, flipped, turned and recoloured, the motion undone, and p_m a
    projection of each place. Places of one class are no negatives, as in `crodino`.

    The control without the other sensor: the images and labels of `crodino`. Source: ours, after
    Chen et al., ICML 2020 (SimCLR).
    """

    terms = {"cl": 1.0, "contrast": 0.02}
    unlabelled = ("contrast",)
    moves_maps = True

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        self.projections = nn.ModuleDict()
        for name in channels:
            width = self.branches[name].widths[-1]
            layers = nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, UNITS, 1)
            self.projections[name] = nn.Sequential(*layers)

    def loss_of(self, modality, batch):
        network, x, labels = self.branches[modality], batch.x[modality], batch.y[modality]
        motions = random_d4(x, batch.symmetry[modality])
        maps = network.encode(torch.cat([x, recolour(apply_d4(x, motions))]))
        of_image, of_view = self.projections[modality](maps[-1]).chunk(2)
        logits = network.decoder([scale[: len(x)] for scale in maps], x.shape[-2:])[1]
        classes = dense.place_labels(labels, of_image.shape[-2:])
        contrast = dense.pixel_info_nce(of_image, invert_d4(of_view, motions), classes)
        return {"cl": self.cross_entropy(logits, labels), "contrast": contrast}


class DenseStudent(Dense):
    """The network of `single`, taught by maps: `distil` gives one student's terms beside `cl` from
    its own and the teacher's maps, here ½·CE + ½·T²·KL at every pixel."""

    terms = {"cl": 0.5, "kd": 0.5}
    unlabelled: tuple[str, ...] = ("kd",)
    temperature = 1.0

    @torch.no_grad()
    def ask(self, teacher, batch):
        """The teacher's maps, by modality. A fusing network must see all sensors moved alike, and
        students see each in a view of its own: so the teacher is asked about upright scenes, and
        its maps are moved as each student's images are. A teacher with a network for each sensor
        teaches each student by its own."""
        upright = {name: invert_d4(x, batch.transform_ids[name]) for name, x in batch.x.items()}
        maps, batch.teacher_output = {}, {}
        for network in teacher.deployed:
            x = torch.cat([upright[name] for name in network.split("+")], dim=1)
            maps[network] = teacher.deployed_module(network).maps(x)
        for name in self.deployed:
            output, ids = maps.get(name) or maps[teacher.deployed[0]], batch.transform_ids[name]
            batch.teacher_output[name] = {k: apply_d4(z.float(), ids) for k, z in output.items()}

    def loss_of(self, modality, batch):
        student = self.branches[modality].maps(batch.x[modality])
        terms = {"cl": self.cross_entropy(student["logits"], batch.y[modality])}
        copied = self.distil(modality, batch, student, batch.teacher_output[modality])
        return {**terms, **as_terms(f"{self.name}.distil", copied)}

    def distil(self, modality, batch, student, teacher):
        return {"kd": dense.pixel_wise(student["logits"], teacher["logits"], self.temperature)}


class DenseSelf(DenseStudent, name="dense-self"):
    """½·CE + ½·KL at every pixel, from a teacher of the student's own sensor: a run of `single`.

    The control of `dense-kdv2` without the other sensor: as many soft labels, on the same images.
    It starts from other weights than its teacher did.
    Source: self-distillation, Furlanello et al., ICML 2018.
    """

    seed_offset = DenseTeacher.seed_offset  # for the same reason
    teacher_method = Single


class DenseDistilled(Taught, DenseStudent):
    """Students of a teacher that fuses the sensors it reads."""

    teacher_method = DenseTeacher


class DenseKDv2(DenseDistilled, name="dense-kdv2"):
    """½·CE + ½·T²·KL at every pixel (DisCoM-KD's Eq. 1, pixel by pixel).

    T = 1 was chosen on validation.
    """

    def __init__(self, *parts, temperature: PositiveFloat = 1.0, **options):
        super().__init__(*parts, **options)
        self.temperature = temperature


class KDNet(DenseDistilled, name="kdnet"):
    """½·CE + ½·soft labels (T = 4) + KL of the latent maps (Hu et al., MICCAI 2020).

    There is no official code: this follows its abstract and later papers; weights and T are ours.
    """

    terms = {"cl": 0.5, "kd": 0.5, "latent": 1.0}
    unlabelled = ("kd", "latent")
    moves_maps = True

    def distil(self, modality, batch, student, teacher):
        return {
            "kd": dense.soft_labels(student["logits"], teacher["logits"]),
            "latent": dense.pixel_wise(student["latent"], teacher["latent"], 1.0),
        }


class ProtoKD(DenseDistilled, name="protokd"):
    """CE + 100·element-wise KD (T = 10) + .1·class prototypes (Wang et al., ICASSP 2023).

    Officially the KD counts 10; validation chose 100.

    The plain cross-entropy of all methods here stands for its weighted one with a Dice loss. As
    officially, a class that any image of a batch lacks is dropped for the batch; where images hold
    few classes each, `proto` hardly sees more than the background. It reads labelled images alone.
    """

    terms = {"cl": 1.0, "kd": 100.0, "proto": 0.1}
    moves_maps = True

    def distil(self, modality, batch, student, teacher):
        labelled = (batch.y[modality] != NO_LABEL).any(2).any(1)
        features = student["features"][labelled], teacher["features"][labelled]
        labels = dense.place_labels(batch.y[modality][labelled], features[0].shape[-2:])
        return {
            "kd": dense.element_kd(student["logits"], teacher["logits"]),
            "proto": dense.prototype_similarity(*features, labels, student["logits"].shape[1]),
        }


class MasKD(DenseDistilled, name="maskd"):
    """CE + differences of class scores under masks of learned tokens (Huang et al., ICLR 2023).

    Officially the tokens are learned on the teacher first and then frozen. Here they learn beside
    the student, by `tokens`: the task seen through the masks, plus their overlap; `mask` does not
    train them.
    """

    terms = {"cl": 1.0, "mask": 1.0, "tokens": 1.0}
    unlabelled = ("mask",)
    undecayed = ("tokens",)

    def __init__(self, channels, classes, encoder, **options):
        super().__init__(channels, classes, encoder, **options)
        self.tokens = nn.Parameter(torch.randn(TOKENS, classes) / classes**0.5)

    def distil(self, modality, batch, student, teacher):
        masks = dense.token_masks(self.tokens, teacher["logits"])  # [B, K, H, W]
        masked = teacher["logits"].detach() * masks.sum(1, keepdim=True)
        task = self.cross_entropy(masked, batch.y[modality])
        return {
            "mask": dense.receptive_mask(student["logits"], teacher["logits"], masks.detach()),
            "tokens": task + dense.token_overlap(masks),
        }
