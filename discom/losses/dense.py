"""Losses of dense prediction: labels of pixels, six ways to copy a teacher's maps, and a contrast
of places.

B images, C classes, K tokens, D channels, h×w cells of a feature map, H×W pixels, x a place;
z^s, z^t logits of student and teacher [B, C, H, W]; p_T = softmax(z / T); labels y [B, H, W], int64
in [0, C), or `NO_LABEL`. All is computed in float32 at least, and no gradient reaches the teacher's
maps. Where paper and official code differ, the code is followed (tests/golden names the commits).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.labels import NO_LABEL
from discom.losses import check_temperature, full_precision, label_weights
from discom.losses.distill import softened_kl

EPSILON = 1e-5  # added to a class's pixels and to a mask's area; the least length in a cosine
TINY = 1e-12  # added to the areas of two masks; the least number of pixels


def cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Cross-entropy, mean over the labelled pixels; 0, with a gradient of 0, where there is none.

    .. math:: L_{cl} = -\tfrac{1}{|\{x: y_x \ne 255\}|} \sum_{x: y_x \ne 255} \log p_{y_x}

    With a `weight` of each class [C] the mean is weighted.

    >>> labels = torch.tensor([[[3, NO_LABEL]]])
    >>> round(cross_entropy(torch.zeros(1, 4, 1, 2), labels).item(), 4)  # log 4
    1.3863
    """
    logits = full_precision(logits)
    total = F.cross_entropy(logits, labels, weight, ignore_index=NO_LABEL, reduction="sum")
    return total / label_weights(labels, NO_LABEL, weight).sum().clamp(min=TINY)


def soft_dice(logits: Tensor, labels: Tensor) -> Tensor:
    r"""One minus the soft Dice overlap of each class with its labels, mean over the classes K that
    the batch has a label of; 0, with a gradient of 0, where there is none.

    .. math:: L_{dice} = 1 - \tfrac{1}{|K|} \sum_{c \in K} \frac{2 \sum_x p_c(x) [y_x = c]}{\sum_x
              p_c(x)^2 + \sum_x [y_x = c]}

    Sums are over the labelled pixels of the batch, p is the softmax of the logits. A class of few
    pixels counts as much as one of many, which cross-entropy neglects. Source: V-Net (Milletari et
    al., 3DV 2016) for several classes; the sums over the batch instead of an image are ours, since
    many images lack a class.

    >>> labels = torch.tensor([[[0, 1, 1, NO_LABEL]]])
    >>> round(soft_dice(torch.zeros(1, 2, 1, 4), labels).item(), 4)  # 1 - (1 / 1.75 + 2 / 2.75) / 2
    0.3506
    """
    logits = full_precision(logits)
    with torch.autocast(logits.device.type, enabled=False):
        has_label = (labels != NO_LABEL)[:, None]
        numbers = torch.arange(logits.shape[1], device=labels.device)
        truth = (labels[:, None] == numbers[:, None, None]).to(logits.dtype)  # [B, C, H, W]
        p = logits.softmax(1) * has_label
        hits, guessed, labelled = (x.sum((0, 2, 3)) for x in (p * truth, p.square(), truth))
        present = labelled > 0
        overlap = 2 * hits / (guessed + labelled).clamp(min=TINY)
        return ((1 - overlap) * present).sum() / present.sum().clamp(min=1)


def pixel_wise(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 4.0) -> Tensor:
    r"""Pixel-wise KD: `distill.kd` at every pixel, mean over images and pixels.

    .. math:: L = \frac{T^2}{BHW} \sum_{b,x} \mathrm{KL}(p^t_T \| p^s_T)

    Source: Hinton et al. 2015 for each pixel, in the reduction of MasKD's official code. Logits are
    [B, C, H, W]; the result is ≥ 0, and 0 where they agree up to a constant per pixel. Of the
    encoder's last maps, their channels as classes, and T = 1 it is our form of KD-Net's latent term
    (Hu et al., MICCAI 2020), whose equation was not at hand.

    >>> pixel_wise(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 5.0)).item()
    0.0
    """
    student, teacher = _pair(student_logits, teacher_logits)
    check_temperature(temperature)
    return softened_kl(student, teacher, temperature)


def element_kd(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 10.0) -> Tensor:
    r"""ProtoKD's pixel-wise KD: a mean over images, pixels and classes, without T².

    .. math:: L = \tfrac{1}{BHWC} \sum_{b,x,c} p^t_T (\log p^t_T - \log p^s_T)

    Source: Wang et al., ICASSP 2023, as in its official code; T = 10 and weight 10 are theirs.

    >>> student, teacher = torch.tensor([[0.0, 1.0], [2.0, 0.0]])[:, None, :, None, None]
    >>> ratio = pixel_wise(student, teacher, 10.0) / element_kd(student, teacher)
    >>> round(ratio.item())  # 2 classes, T = 10
    200
    """
    classes = student_logits.shape[1]
    return pixel_wise(student_logits, teacher_logits, temperature) / (classes * temperature**2)


def prototype_similarity(
    student_features: Tensor, teacher_features: Tensor, labels: Tensor, classes: int
) -> Tensor:
    r"""ProtoKD: mean squared difference of the cosines between cells and class prototypes μ.

    .. math:: L_{proto} = \tfrac{1}{BCP} \sum_{b,c,x} [\cos(f^s_x, \mu^s_{bc}) - \cos(f^t_x,
              \mu^t_{bc})]^2, \qquad \mu_{bc} = \frac{\sum_{x: y_x = c} f_x}{|\{x: y_x = c\}| +
              10^{-5}}

    Source: Wang et al., ICASSP 2023; weight .1. As in the official code, a class that any image of
    the batch lacks is dropped for the whole batch; cells without a label belong to no prototype but
    are compared like the others.

    Features are [B, D, h, w] and [B, D', h, w], labels [B, h, w] int64, or `NO_LABEL`. The result
    is in [0, 4]; 0, with a gradient of 0, if no class is in every image.

    >>> f = torch.eye(2)[None, :, None]  # two cells, each its class's prototype
    >>> g = torch.ones(1, 2, 1, 2)  # a teacher for which the classes are alike
    >>> round(prototype_similarity(f, g, torch.tensor([[[0, 1]]]), classes=2).item(), 4)
    0.5
    """
    sizes = {(len(x), *x.shape[-2:]) for x in (student_features, teacher_features, labels)}
    if len(sizes) > 1:
        raise ValueError(f"features and labels: sizes {sorted(sizes)}; give one resolution")
    numbers = torch.arange(classes, device=labels.device)
    masks = labels.flatten(1)[:, None] == numbers[:, None]  # [B, C, h·w]
    shared = masks.any(2).all(0)  # [C]; the others weigh 0, which needs no copy to the host
    student = _prototype_cosines(student_features, masks)  # [B, C, h·w]
    teacher = _prototype_cosines(teacher_features.detach(), masks)
    cells = max(len(labels) * labels[:1].numel(), 1)  # a batch without images is worth 0
    per_class = (student - teacher).square().sum((0, 2)) / cells  # [C]
    return (per_class * shared).sum() / shared.sum().clamp(min=1)


def _prototype_cosines(features: Tensor, masks: Tensor) -> Tensor:
    """Cosine of each cell with each class's prototype of its image, [B, C, h·w]."""
    with torch.autocast(features.device.type, enabled=False):
        features = full_precision(features).flatten(2)  # [B, D, h·w]
        masks = masks.to(features.dtype)
        prototypes = masks @ features.mT / (masks.sum(2, keepdim=True) + EPSILON)  # [B, C, D]
        prototypes = F.normalize(prototypes, dim=2, eps=EPSILON)
        return prototypes @ F.normalize(features, dim=1, eps=EPSILON)


def token_masks(tokens: Tensor, teacher_features: Tensor) -> Tensor:
    r"""MasKD's masks, from tokens τ [K, D] and the teacher's features [B, D, h, w] → [B, K, h, w].

    .. math:: m_k(x) = \sigma(\tau_k \cdot f^t_x)

    Source: Huang et al., ICLR 2023. Officially 8 tokens on maps of class scores, learned on the
    teacher first (Σ_k mask_k ⊙ feature takes the feature's place), then frozen.

    >>> token_masks(torch.zeros(2, 3), torch.ones(1, 3, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """
    with torch.autocast(teacher_features.device.type, enabled=False):
        tokens, features = full_precision(tokens), full_precision(teacher_features.detach())
        return torch.einsum("kd,bdhw->bkhw", tokens, features).sigmoid()


def token_overlap(masks: Tensor) -> Tensor:
    r"""MasKD's term for learning tokens: mean Dice overlap of the masks of different tokens.

    .. math:: \mathrm{Dice}(a, b) = \frac{2 \sum_x a_x b_x}{\sum_x a_x^2 + \sum_x b_x^2 + 2 \cdot
              10^{-12}}

    Source: Huang et al., ICLR 2023, with the squared denominators of the official code. Masks are
    [B, K, h, w] in [0, 1], and so is the result; 0 for a single token.

    >>> apart = torch.eye(2)[None, :, None]
    >>> token_overlap(apart).item(), round(token_overlap(torch.ones(1, 2, 1, 2)).item(), 4)
    (0.0, 1.0)
    """
    with torch.autocast(masks.device.type, enabled=False):
        masks = full_precision(masks).flatten(2)
        areas = masks.square().sum(2) + TINY  # [B, K]
        dice = 2 * masks @ masks.mT / (areas[:, :, None] + areas[:, None])  # [B, K, K]
        tokens = masks.shape[1]
        total = dice.sum() - dice.diagonal(dim1=1, dim2=2).sum()
        return total / max(len(masks) * tokens * (tokens - 1), 1)


def receptive_mask(student_features: Tensor, teacher_features: Tensor, masks: Tensor) -> Tensor:
    r"""MasKD: squared differences of s and t under masks m, mean over images, tokens, channels.

    .. math:: L_{mask} = \tfrac{1}{2BKD} \sum_{b,k,d} \frac{\sum_x m_x^2 (s_x - t_x)^2}{\sum_x m_x +
              10^{-5}}

    Source: Huang et al., ICLR 2023; the mask is squared above the line only, as in the official
    code. Features are [B, D, h, w], officially maps of class scores; masks [B, K, h, w] in (0, 1).

    >>> s, t = torch.full((1, 2, 2, 2), 3.0), torch.full((1, 2, 2, 2), 1.0)
    >>> round(receptive_mask(s, t, torch.full((1, 5, 2, 2), 0.5)).item(), 4)  # ½ · .5 · 2²
    1.0
    """
    student, teacher = _pair(student_features, teacher_features)
    with torch.autocast(student.device.type, enabled=False):
        masks = full_precision(masks).flatten(2)
        errors = masks.square() @ (student - teacher).square().flatten(2).mT  # [B, K, D]
        return 0.5 * (errors / (masks.sum(2, keepdim=True) + EPSILON)).mean()


def soft_labels(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 4.0) -> Tensor:
    r"""KD-Net's soft-label term: mean over images and pixels, no T², only the teacher softened.

    .. math:: L = \tfrac{1}{BHW} \sum_{b,x} \mathrm{KL}(\mathrm{softmax}(z^t / T) \|
              \mathrm{softmax}(z^s))

    Source: generalized distillation (Lopez-Paz et al., ICLR 2016) for each pixel, which KD-Net (Hu
    et al., MICCAI 2020) says it adapts. KD-Net has no official code and its equations were not at
    hand, so this is no reproduction: T, the mean, and KL for the cross-entropy are ours.
    """
    student, teacher = _pair(student_logits, teacher_logits)
    return softened_kl(student, teacher / temperature, 1.0)


def places(maps: Tensor) -> Tensor:
    """The places of all maps as rows, [B, D, h, w] → [B·h·w, D]."""
    return maps.movedim(1, -1).flatten(0, -2)


def place_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """The class at the middle of each cell of a coarser grid: [B, H, W] → [B, h, w], int64.

    >>> place_labels(torch.arange(16).view(1, 4, 4), (2, 2)).flatten().tolist()
    [5, 7, 13, 15]
    """
    return F.interpolate(labels[:, None].float(), tuple(size), mode="nearest-exact")[:, 0].long()


def pixel_info_nce(
    first: Tensor,
    second: Tensor,
    labels: Tensor | None = None,
    temperature: float = 0.1,
    count: int = 1024,
) -> Tensor:
    r"""InfoNCE over places: a place resembles itself in the other modality, not other places.

    .. math:: L_{con} = -\tfrac{1}{2P} \sum_p [\log \mathrm{softmax}_q(a_p \cdot b_q / \tau)_p
              + \log \mathrm{softmax}_q(b_p \cdot a_q / \tau)_p], \qquad \|a_p\| = \|b_p\| = 1

    Source: InfoNCE (van den Oord et al. 2018); the pairs are ours. Other places of the same class
    are no negatives; a place without a label is a negative of all others. The result is log of the
    number of places where all are alike.

    `first`, `second` are the invariant halves of two modalities [B, D, h, w] in the same position,
    `labels` the class of each place [B, h, w], or `NO_LABEL`; None makes all others negatives. So
    many places as `count` are drawn at random where there are more: costs grow with its square.

    >>> a = torch.eye(4).view(1, 4, 2, 2)
    >>> pixel_info_nce(a, a).item() < 1e-3, round(pixel_info_nce(0 * a, 0 * a).item(), 4)  # log 4
    (True, 1.3863)
    """
    with torch.autocast(first.device.type, enabled=False):
        a, b = (F.normalize(full_precision(places(x)), dim=1) for x in (first, second))  # [P, D]
        classes = None if labels is None else labels.flatten()  # [P]
        if len(a) > count:
            rows = torch.randperm(len(a))[:count].to(a.device)
            a, b = a[rows], b[rows]
            classes = None if classes is None else classes[rows]
        scores = a @ b.T / temperature  # [P, P]
        if classes is not None:
            same_class = (classes[:, None] == classes) & (classes != NO_LABEL)[:, None]
            same_class.fill_diagonal_(False)
            scores = scores.masked_fill(same_class, -torch.inf)
        partners = torch.arange(len(a), device=a.device)
        return (F.cross_entropy(scores, partners) + F.cross_entropy(scores.T, partners)) / 2


def _pair(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    if student.shape != teacher.shape or student.ndim != 4:
        shapes = f"student {tuple(student.shape)}, teacher {tuple(teacher.shape)}"
        raise ValueError(f"maps: {shapes}; give two [B, C, H, W]")
    return full_precision(student), full_precision(teacher.detach())
