"""Losses of dense prediction: numbers of the official codes, and the seven checks."""

import math
from itertools import permutations

import torch
from golden_values import assert_golden, golden
from harness import Case, classes_of, kl, normal, seven_checks, twice

from discom.data.checks import NO_LABEL
from discom.losses import dense

SHAPE = (2, 5, 3, 2)  # B, channels, h, w


def official(name):
    values = golden(name)
    for key in ("student_features", "student_logits"):
        if key in values.inputs:
            values.inputs[key].requires_grad_()
    return values.inputs, values.outputs


def test_protokd_is_that_of_the_official_code():
    x, out = official("08a_protokd")
    features, logits = x["student_features"], x["student_logits"]
    missing = x["labels_class_missing_in_image0"]
    pairs = {"all_classes_present": x["labels"], "class_missing_in_image0": missing}
    for key, labels in pairs.items():
        value = dense.prototype_similarity(features, x["teacher_features"], labels, 3)
        gradient = (features, out[key]["grad_student_features"])
        assert_golden([(key, value, out[key]["proto_loss"], gradient)])
    for T in (1, 10):
        value, key = dense.element_kd(logits, x["teacher_logits"], T), f"kd_T{T}"
        assert_golden([(key, value, out[key], (logits, out[f"grad_student_logits_{key}"]))])
    proto = dense.prototype_similarity(features, x["teacher_features"], x["labels"], 3)
    value = 10 * dense.element_kd(logits, x["teacher_logits"]) + 0.1 * proto
    rest = out["grad_student_logits"] - out["grad_student_logits_seg"]  # without its Dice loss
    pairs = (features, out["grad_student_features"]), (logits, rest)
    assert_golden([("total", value, out["loss"] - out["seg_loss"], *pairs)])


def test_pixel_wise_kd_is_that_of_the_official_code():
    x, out = official("08b_pixel_wise")
    cases = [("spatial_kl_T4", dense.pixel_wise, 4.0)]
    cases += [("maskd_repo_pixelwise_kd_T1", dense.pixel_wise, 1.0)]
    cases += [("pixelwise_kd_T1", dense.element_kd, 1.0)]
    for key, loss, T in cases:
        value = loss(x["student_logits"], x["teacher_logits"], T)
        gradient = (x["student_logits"], out[f"grad_student_logits_{key}"])
        assert_golden([(key, value, out[key], gradient)])


def test_maskd_is_that_of_the_official_code():
    x, out = official("08e_maskd")
    student, teacher, tokens = x["student_features"], x["teacher_features"], x["mask_token"]
    masks = dense.token_masks(tokens.requires_grad_(), teacher)
    value = dense.receptive_mask(student, teacher, masks)
    pairs = (student, out["grad_student_features"]), (tokens, out["grad_mask_token_if_not_frozen"])
    fed = (masks[:, :, None] * teacher[:, None]).sum(1)  # as the docstring of token_masks says
    assert_golden([("masks", masks, out["mask"]), ("loss", value, out["loss"], *pairs)])
    assert_golden([("overlap", dense.token_overlap(masks), out["mask_learning_dice"])])
    assert_golden([("in the feature's place", fed, out["mask_learning_output"])])


def plain_pixels(s, t, T=1.0, teacher_T=None):
    student, teacher = (z.movedim(1, -1) for z in (s, t.detach()))
    return kl(teacher / (teacher_T or T), student / T).mean()


def loop_labels(s, y):
    rows = [(z, c) for z, c in zip(s.movedim(1, -1).flatten(0, 2), y.flatten(), strict=True)]
    losses = [z.exp().sum().log() - z[c] for z, c in rows if c != NO_LABEL]
    return sum(losses) / len(losses)


def loop_prototypes(student, teacher, y, classes):
    shared = [c for c in range(classes) if all((one == c).any() for one in y)]
    errors = []
    for b in range(len(y)):
        for c in shared:
            cosines = []
            for x in (student[b], teacher[b].detach()):
                prototype = x[:, y[b] == c].sum(1) / ((y[b] == c).sum() + 1e-5)
                cosines.append(torch.cosine_similarity(x, prototype[:, None, None], dim=0))
            errors.append((cosines[0] - cosines[1]) ** 2)
    return torch.stack(errors).mean()


def plain_masked(s, t, masks):
    errors = (masks[:, :, None] * (s - t.detach())[:, None]).square().sum((3, 4))
    return (errors / (masks.sum((2, 3))[:, :, None] + 1e-5)).mean() / 2


def plain_overlap(masks):
    pairs = [pair for image in masks for pair in permutations(image, 2)]
    a, b = torch.stack([torch.stack(pair) for pair in pairs], 1)
    areas = (a.square() + b.square()).sum((1, 2)) + 2e-12
    return (2 * (a * b).sum((1, 2)) / areas).mean()


def maps(seed):
    return normal(*SHAPE, seed=seed), 2 * normal(*SHAPE, seed=seed + 50)


def at_3(seed):
    return *maps(seed), 3.0


def labelled(seed):
    labels = classes_of(5, 2, 3, 2, seed=seed)
    labels[0, 0, 0] = NO_LABEL
    return normal(*SHAPE, seed=seed), labels


def with_classes(seed):
    """Class 0 and 1 in both images, class 2 in one, no label somewhere; a wider teacher."""
    labels = torch.tensor([[[0, 1], [2, 1], [0, NO_LABEL]], [[1, 0], [0, 1], [1, 1]]])
    return normal(*SHAPE, seed=seed) + 1, normal(2, 7, 3, 2, seed=seed + 50), labels, 3


def masked(seed):
    return *maps(seed), normal(2, 3, 3, 2, seed=seed + 9).sigmoid()


def masks(seed):
    return (normal(2, 3, 3, 2, seed=seed).sigmoid(),)


def shifted(s, t, *rest):
    """A constant per pixel added to both maps."""
    return s + 3 * s.mean(1, True), t - 7 * t.mean(1, True), *rest


def swapped(s, t, *rest):
    return t, s, *rest


def doubled_student(s, *rest):
    return 2 * s + s.roll(1, 2), *rest


def swapped_classes(s, t, y, C):
    return s, t, y.flip(1), C


S, T = torch.zeros(SHAPE), torch.zeros(SHAPE)
T[:, :1] = 1e4  # a teacher that is certain of class 0; the student is undecided
X, Z = maps(7)
PIXEL = X[:1, :, :1, :1], Z[:1, :, :1, :1]
SHAPES = [
    ((X, Z.mT), r"student \(2, 5, 3, 2\), teacher \(2, 5, 2, 3\); give two \[B, C, H, W\]"),
    ((X[0], Z[0]), "^maps: "),
]
BAD_SHAPES = [((*inputs, 3.0), message) for inputs, message in SHAPES]
BAD = [*BAD_SHAPES, *(((X, Z, t), "^temperature: ") for t in (0.0, -1.0))]
IMAGE = torch.eye(2)[None, :, None]  # two cells, each its class's prototype
TWO = torch.tensor([[[0, 1]]])
ONE_CLASS = torch.ones(1, 1, 1, 4), torch.zeros(1, 1, 4).long(), 1
PAIR = {
    "same": [twice, shifted],
    "different": [swapped],
    "edges": [(*PIXEL, 3.0)],
    "refused": BAD,
    "float32": True,
}
CASES = {
    "pixel_wise": Case(
        dense.pixel_wise,
        lambda s, t, T: T**2 * plain_pixels(s, t, T),
        at_3,
        [((S, T, 1.0), math.log(5)), ((X, X + 4, 3.0), 0.0)],
        {"elements": dense.element_kd},
        **PAIR,
    ),
    "element_kd": Case(
        dense.element_kd,
        lambda s, t, T: plain_pixels(s, t, T) / 5,
        at_3,
        [((S, T, 1.0), math.log(5) / 5)],
        {"with T²": lambda s, t, T: dense.pixel_wise(s, t, T) / 5},
        **PAIR,
    ),
    "soft_labels": Case(
        dense.soft_labels,
        lambda s, t, T: plain_pixels(s, t, 1.0, T),
        at_3,
        [((S, T, 1.0), math.log(5)), ((X, 3 * X, 3.0), 0.0)],
        {"a softened student": lambda s, t, T: dense.pixel_wise(s, t, T) / T**2},
        **PAIR | {"refused": BAD_SHAPES},
    ),
    "latent_kl": Case(
        dense.latent_kl,
        plain_pixels,
        maps,
        [((S, T), math.log(5)), ((X, X + 4), 0.0)],
        {"positions": lambda s, t: dense.latent_kl(s.transpose(1, 3), t.transpose(1, 3))},
        **PAIR | {"edges": [PIXEL], "refused": SHAPES},
    ),
    "cross_entropy": Case(
        dense.cross_entropy,
        loop_labels,
        labelled,
        [((S, torch.full((2, 3, 2), 3)), math.log(5)), ((X, torch.full((2, 3, 2), 255)), 0)],
        {"mean over all pixels": lambda s, y: dense.cross_entropy(s, y) * 11 / 12},
        teachers=(),
        same=[twice, lambda s, y: (s + 3 * s.mean(1, True), y)],
        different=[doubled_student, lambda s, y: (s, y.where(y == NO_LABEL, (y + 1) % 5))],
        edges=[(1e4 * X, torch.full((2, 3, 2), NO_LABEL))],
        float32=True,
    ),
    "prototype_similarity": Case(
        dense.prototype_similarity,
        loop_prototypes,
        with_classes,
        [
            ((IMAGE, torch.ones(1, 2, 1, 2), TWO, 2), 0.5),
            ((X, X, classes_of(3, 2, 3, 2), 3), 0.0),
            # the student's fourth cell lies opposite: ¼ · (-1 - 1)²
            ((torch.tensor([[[[1.0, 1, 1, -1]]]]), *ONE_CLASS), 1.0),
            ((X, Z, torch.arange(2)[:, None, None].expand(2, 3, 2), 3), 0.0),  # no class is in both
        ],
        {"classes of any image": lambda *inputs: dense.prototype_similarity(*inputs) * 2 / 3},
        same=[twice, lambda s, t, y, C: (s, 30 * t, y, C)],
        different=[swapped_classes, lambda s, t, y, C: (s, t.roll(1, 2), y, C)],
        refused=[((X, Z, classes_of(3, 2, 6, 4), 3), "one resolution")],
        float32=True,
    ),
    "receptive_mask": Case(
        dense.receptive_mask,
        plain_masked,
        masked,
        [
            ((S + 5, S + 2, torch.full((2, 3, 3, 2), 0.5)), 0.5 * 0.5 * 9),
            ((X, Z, 0 * X[:, :3]), 0),
        ],
        {"not squared": lambda s, t, m: dense.receptive_mask(s, t, m.sqrt())},
        students=(0, 2),
        same=[twice, swapped],
        different=[doubled_student],
        refused=[((X, Z[:1], X.sigmoid()), "^maps: ")],
        float32=True,
    ),
    "token_overlap": Case(
        dense.token_overlap,
        plain_overlap,
        masks,
        [
            ((torch.eye(12).view(1, 12, 4, 3),), 0.0),
            ((torch.full((1, 3, 2, 2), 0.3),), 1.0),
            ((torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]).view(1, 2, 1, 3),), 0.5),
            ((torch.rand(1, 1, 4, 3),), 0.0),
        ],
        {"areas not squared": lambda m: dense.token_overlap(m.sqrt())},
        teachers=(),
        same=[twice, lambda m: (m.flip(1),)],
        different=[lambda m: (m**3,)],
        float32=True,
    ),
}


test_seven_checks = seven_checks(CASES)


def test_an_ignored_pixel_gets_no_gradient_of_the_labels():
    s, y = labelled(0)
    dense.cross_entropy(s.requires_grad_(), y).backward()
    assert torch.equal(s.grad.abs().sum(1) > 0, y != NO_LABEL)
