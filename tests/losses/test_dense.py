"""Losses of dense prediction: numbers of the official codes, loops, and the seven checks."""

import math

import torch
import torch.nn.functional as F
from golden_values import EXACT, golden
from harness import Case, Point, by_loops, classes_of, kl, normal, seven_checks, twice

from discom.labels import NO_LABEL
from discom.losses import dense

SHAPE = (2, 5, 3, 2)  # B, channels, h, w

# ---------------------------------------------------------------- numbers of the official codes


def points_of_logits(file, **temperatures):
    """Of the golden values of these names."""
    x, out = golden(file)
    for key, T in temperatures.items():
        found = {0: out[f"grad_student_logits_{key}"]}
        yield Point((x["student_logits"], x["teacher_logits"], T), out[key], found)


def points_of_prototypes():
    x, out = golden("08a_protokd")
    missing = x["labels_class_missing_in_image0"]
    labels = {"all_classes_present": x["labels"], "class_missing_in_image0": missing}
    for key, y in labels.items():
        inputs = x["student_features"], x["teacher_features"], y, 3
        yield Point(inputs, out[key]["proto_loss"], {0: out[key]["grad_student_features"]})


def point_of_tokens():
    """Features of student and teacher, and the tokens, which learn where they are not frozen."""
    x, out = golden("08e_maskd")
    found = {0: out["grad_student_features"], 2: out["grad_mask_token_if_not_frozen"]}
    inputs = x["student_features"], x["teacher_features"], x["mask_token"]
    return Point(inputs, out["loss"], found)


def point_of_overlap():
    _, out = golden("08e_maskd")
    return Point((out["mask"],), out["mask_learning_dice"], {0: None})


def test_masks_are_those_of_the_official_code():
    x, out = golden("08e_maskd")
    masks = dense.token_masks(x["mask_token"], x["teacher_features"])
    fed = (masks[:, :, None] * x["teacher_features"][:, None]).sum(1)  # as the docstring says
    torch.testing.assert_close(masks, out["mask"], **EXACT)
    torch.testing.assert_close(fed, out["mask_learning_output"], **EXACT)


# ---------------------------------------------------------------- loops where there is no code


def plain_pixels(s, t, T):
    student, teacher = (z.movedim(1, -1) for z in (s, t.detach()))
    return kl(teacher / T, student).mean()


def loop_labels(s, y):
    rows = [(z, c) for z, c in zip(s.movedim(1, -1).flatten(0, 2), y.flatten(), strict=True)]
    losses = [z.exp().sum().log() - z[c] for z, c in rows if c != NO_LABEL]
    return sum(losses) / len(losses)


def loop_dice(s, y):
    """Class by class, over the labelled pixels of the whole batch."""
    p, y = s.softmax(1).movedim(1, -1).flatten(0, 2), y.flatten()
    p, y = p[y != NO_LABEL], y[y != NO_LABEL]
    overlaps = []
    for c in sorted(set(y.tolist())):
        own = (y == c).double()
        overlaps.append(2 * (p[:, c] * own).sum() / ((p[:, c] ** 2).sum() + own.sum()))
    return 1 - sum(overlaps) / len(overlaps)


def each_image(s, y):
    """A wrong copy: overlaps of single images."""
    pairs = zip(s.split(1), y.split(1), strict=True)
    return torch.stack([dense.soft_dice(*pair) for pair in pairs]).mean()


def all_classes(s, y):
    """A wrong copy: an absent class counts as missed."""
    present = len(set(y.flatten().tolist()) - {NO_LABEL})
    return 1 - (1 - dense.soft_dice(s, y)) * present / s.shape[1]


def plain_sums(s, y):
    """A wrong copy: probabilities are not squared."""
    p, known = s.softmax(1), (y != NO_LABEL)[:, None]
    truth = torch.stack([y == c for c in range(s.shape[1])], 1)
    hits, guessed, labelled = ((k * known).sum((0, 2, 3)) for k in (p * truth, p, truth * 1.0))
    overlaps = (2 * hits / (guessed + labelled))[labelled > 0]
    return 1 - overlaps.mean()


def maps(seed):
    return normal(*SHAPE, seed=seed), 2 * normal(*SHAPE, seed=seed + 50)


def few_classes(logits, labels):
    """Without a label of class 4."""
    return logits, labels.where(labels != 4, 1)


def labelled(seed):
    labels = classes_of(5, 2, 3, 2, seed=seed)
    labels[0, 0, 0] = NO_LABEL
    return normal(*SHAPE, seed=seed), labels


# ---------------------------------------------------------------- the cases


def masked(s, t, tokens):
    return dense.receptive_mask(s, t, dense.token_masks(tokens, t))


def shifted(s, t, *rest):
    """A constant per pixel added to both maps."""
    return s + 3 * s.mean(1, True), t - 7 * t.mean(1, True), *rest


S, T = torch.zeros(SHAPE), torch.zeros(SHAPE)
T[:, :1] = 1e4  # a teacher that is certain of class 0; the student is undecided
X, Z = maps(7)
BAD_SHAPES = [
    ((X, Z.mT, 3.0), r"student \(2, 5, 3, 2\), teacher \(2, 5, 2, 3\); give two \[B, C, H, W\]"),
    ((X[0], Z[0], 3.0), "^maps: "),
]
BAD = [*BAD_SHAPES, *(((X, Z, t), "^temperature: ") for t in (0.0, -1.0))]
IMAGE = torch.eye(2)[None, :, None]  # two cells, each its class's prototype
TWO = torch.tensor([[[0, 1]]])
ONE_CLASS = torch.ones(1, 1, 1, 4), torch.zeros(1, 1, 4).long(), 1
TOKENS = torch.full((3, 5), 0.1).double()
PAIR = {"same": [twice, shifted], "float32": True}
CASES = {
    "pixel_wise": Case(
        dense.pixel_wise,
        [*points_of_logits("08b_pixel_wise", spatial_kl_T4=4.0, maskd_repo_pixelwise_kd_T1=1.0)],
        [((S, T, 1.0), math.log(5)), ((X, X + 4, 3.0), 0.0)],
        {"elements": dense.element_kd},
        edges=[(X[:1, :, :1, :1], Z[:1, :, :1, :1], 3.0)],
        refused=BAD,
        **PAIR,
    ),
    "element_kd": Case(
        dense.element_kd,
        [
            *points_of_logits("08a_protokd", kd_T1=1, kd_T10=10),
            *points_of_logits("08b_pixel_wise", pixelwise_kd_T1=1),
        ],
        [((S, T, 1.0), math.log(5) / 5)],
        {"with T²": lambda s, t, T: dense.pixel_wise(s, t, T) / s.shape[1]},
        refused=BAD,
        **PAIR,
    ),
    "soft_labels": Case(
        dense.soft_labels,
        by_loops(plain_pixels, lambda seed: (*maps(seed), 3.0)),
        [((S, T, 1.0), math.log(5)), ((X, 3 * X, 3.0), 0.0)],
        {"a softened student": lambda s, t, T: dense.pixel_wise(s, t, T) / T**2},
        refused=BAD_SHAPES,
        **PAIR,
    ),
    "cross_entropy": Case(
        dense.cross_entropy,
        by_loops(loop_labels, labelled),
        [((S, torch.full((2, 3, 2), 3)), math.log(5)), ((X, torch.full((2, 3, 2), 255)), 0)],
        {"mean over all pixels": lambda s, y: dense.cross_entropy(s, y) * 11 / 12},
        teachers=(),
        same=[twice, lambda s, y: (s + 3 * s.mean(1, True), y)],
        edges=[(1e4 * X, torch.full((2, 3, 2), NO_LABEL))],
        float32=True,
    ),
    "soft_dice": Case(
        dense.soft_dice,
        by_loops(loop_dice, lambda seed: few_classes(*labelled(seed))),
        [
            # 12 pixels of class 3, p = 1/5 each: 2 · 12/5 over 12/25 + 12
            ((S, torch.full((2, 3, 2), 3)), 1 - 4.8 / 12.48),
            ((1e3 * F.one_hot(TWO, 2).movedim(-1, 1).double(), TWO), 0.0),
            ((X, torch.full((2, 3, 2), 255)), 0.0),
        ],
        {"each image": each_image, "all classes": all_classes, "plain sums": plain_sums},
        teachers=(),
        same=[twice, lambda s, y: (s + 3 * s.mean(1, True), y)],
        edges=[(1e4 * X, torch.full((2, 3, 2), NO_LABEL))],
        float32=True,
    ),
    "prototype_similarity": Case(
        dense.prototype_similarity,
        [*points_of_prototypes()],
        [
            ((IMAGE, torch.ones(1, 2, 1, 2), TWO, 2), 0.5),
            ((X, X, classes_of(3, 2, 3, 2), 3), 0.0),
            # the student's fourth cell lies opposite: ¼ · (-1 - 1)²
            ((torch.tensor([[[[1.0, 1, 1, -1]]]]), *ONE_CLASS), 1.0),
            ((X, Z, torch.arange(2)[:, None, None].expand(2, 3, 2), 3), 0.0),  # no class is in both
        ],
        {"classes of any image": lambda *inputs: dense.prototype_similarity(*inputs) * 2 / 3},
        same=[twice, lambda s, t, y, C: (s, 30 * t, y, C)],
        refused=[((X, Z, classes_of(3, 2, 6, 4), 3), "one resolution")],
        float32=True,
    ),
    "receptive_mask": Case(
        masked,
        [point_of_tokens()],
        [((X + 3, X, 0 * TOKENS), 0.5 * 0.5 * 9), ((X, X, TOKENS), 0.0)],
        {
            "the mask not squared": lambda s, t, tokens: dense.receptive_mask(
                s, t, dense.token_masks(tokens, t).sqrt()
            )
        },
        same=[lambda s, t, tokens: (s.repeat(2, 1, 1, 1), t.repeat(2, 1, 1, 1), tokens)],
        refused=[((X, Z[:1], TOKENS), "^maps: ")],
        float32=True,
    ),
    "token_overlap": Case(
        dense.token_overlap,
        [point_of_overlap()],
        [
            ((torch.eye(12).view(1, 12, 4, 3),), 0.0),
            ((torch.full((1, 3, 2, 2), 0.3),), 1.0),
            ((torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]).view(1, 2, 1, 3),), 0.5),
            ((torch.rand(1, 1, 4, 3),), 0.0),
        ],
        {"areas not squared": lambda m: dense.token_overlap(m.sqrt())},
        teachers=(),
        same=[twice, lambda m: (m.flip(1),)],
        float32=True,
    ),
}


test_seven_checks = seven_checks(CASES)


def test_an_ignored_pixel_gets_no_gradient_of_the_labels():
    s, y = labelled(0)
    dense.cross_entropy(s.requires_grad_(), y).backward()
    assert torch.equal(s.grad.abs().sum(1) > 0, y != NO_LABEL)
