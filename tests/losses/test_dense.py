"""Losses of dense prediction: numbers of the official codes, and the seven checks."""

import math

import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, classes_of, normal, seven_checks, twice
from torch import nn

from discom.data.checks import NO_LABEL
from discom.losses import dense

SHAPE = (2, 5, 3, 2)  # B, channels, h, w

# ---------------------------------------------------------------- numbers of the official codes


def official(name):
    values = golden(name)
    for key in ("student_features", "student_logits", "student_features_fewer_channels"):
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


def test_cwd_is_that_of_the_official_code():
    x, out = official("08b_cwd")
    for what, prefix in (("logits", ""), ("features", "features_")):
        student, teacher = x[f"student_{what}"], x[f"teacher_{what}"]
        for key, loss, T in (
            ("channel_kl_T4", dense.channel_wise, 4),
            ("channel_kl_T1", dense.channel_wise, 1),
            ("spatial_kl_T4", dense.pixel_wise, 4),
        ):
            gradient = (student, out[f"grad_student_{what}_{key}"])
            assert_golden([(key, loss(student, teacher, T), out[prefix + key], gradient)])
    s, t = x["student_logits"], x["teacher_logits"]
    value = 3 * dense.channel_wise(s, t)
    assert_golden([("loss", value, out["loss"], (s, out["grad_student_logits"]))])
    gradient = (s, out["grad_student_logits_mgd_repo_loss_logit"])
    assert_golden([("MGD's", value, out["mgd_repo_loss_logit_weight3_T4"], gradient)])
    losses = {"maskd_repo_pixelwise_kd_T1": dense.pixel_wise, "pixelwise_kd_T1": dense.element_kd}
    for key, loss in losses.items():
        gradient = (s, out[f"grad_student_logits_{key}"])
        assert_golden([(key, loss(s, t, 1.0), out[key], gradient)])


def convolution(values, padding=1):
    weight = values["weight"]
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=padding).double()
    layer.load_state_dict({"weight": weight, "bias": values["bias"]})
    return layer


def test_mgd_is_that_of_the_official_code():
    x, out = official("08c_mgd_seg")
    kept = x["uniform_draw"] <= 1 - 0.75
    align = convolution(x["align_conv"]["align"], padding=0)
    pairs = [("same_channels", "student_features", nn.Identity())]
    pairs += [("align", "student_features_fewer_channels", align)]
    for key, name, align in pairs:
        first, last = (convolution(x["conv"][part]) for part in ("generation_0", "generation_2"))
        generator = nn.Sequential(first, nn.ReLU(), last)
        teacher = x["teacher_features"]
        value = 2e-5 * dense.masked_generative(align(x[name]), teacher, generator, kept)
        features = (x[name], out[key]["grad_student_features"])
        weight = (first.weight, out[key]["grad_generation_0_weight"])
        assert_golden([(key, value, out[key]["loss"], features, weight)])


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


# ---------------------------------------------------------------- the equations, in loops


def kl(student, teacher):
    """KL(softmax teacher ‖ softmax student) of two rows of logits."""
    p, q = (z.exp() / z.exp().sum() for z in (student, teacher.detach()))
    return (q * (q / p).log()).sum()


def pixels(x):
    return list(x.movedim(1, -1).flatten(0, 2))


def loop_pixels(s, t, T=1.0, teacher_T=None):
    pairs = list(zip(pixels(s), pixels(t), strict=True))
    return sum(kl(a / T, b / (teacher_T or T)) for a, b in pairs) / len(pairs)


def loop_channels(s, t, T):
    pairs = list(zip(s.flatten(0, 1), t.flatten(0, 1), strict=True))
    return T**2 * sum(kl(a.flatten() / T, b.flatten() / T) for a, b in pairs) / len(pairs)


def loop_labels(s, y):
    rows = [(z, c) for z, c in zip(pixels(s), y.flatten(), strict=True) if c != NO_LABEL]
    return sum((z.exp().sum().log() - z[c]) for z, c in rows) / len(rows)


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


def loop_masked(s, t, masks):
    total, count = 0.0, 0
    for one, other, every in zip(s, t.detach(), masks, strict=True):
        for mask in every:
            for a, b in zip(one, other, strict=True):
                total = total + (mask * (a - b)).square().sum() / (mask.sum() + 1e-5)
                count += 1
    return total / (2 * count)


def loop_generated(s, t, kept):
    pairs = zip(generate(kept * s), t.detach(), strict=True)
    return sum((a - b).square().sum() for a, b in pairs) / len(s)


def loop_overlap(masks):
    values = []
    for image in masks:
        for i in range(len(image)):
            for j in range(len(image)):
                if i != j:
                    areas = image[i].square().sum() + image[j].square().sum() + 2e-12
                    values.append(2 * (image[i] * image[j]).sum() / areas)
    return sum(values) / len(values)


KERNEL = 0.3 * normal(5, 5, 3, 3, seed=3)


def generate(x):
    """A generator of fixed weights, in the precision of its input."""
    return F.conv2d(x, KERNEL.to(x), padding=1).tanh()


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


def generated(seed):
    return *maps(seed), (normal(2, 1, 3, 2, seed=seed) > 0).double()


def masks(seed):
    return (normal(2, 3, 3, 2, seed=seed).sigmoid(),)


def shifted(*dimensions):
    """A constant per pixel, or per channel, added to both maps."""

    def change(s, t, *rest):
        return s + 3 * s.mean(dimensions, True), t - 7 * t.mean(dimensions, True), *rest

    return change


def swapped(s, t, *rest):
    return t, s, *rest


def doubled_student(s, *rest):
    return 2 * s + s.roll(1, 2), *rest


def swapped_classes(s, t, y, C):
    return s, t, y.flip(1), C


def mean_generated(s, t, kept):
    return dense.masked_generative(s, t, generate, kept)


def mean_token_mask(tokens, features):
    return dense.token_masks(tokens, features).square().mean()


def loop_token_mask(tokens, features):
    rows = [1 / (1 + (-(tokens @ z)).exp()) for z in pixels(features.detach())]
    return sum(row.square().mean() for row in rows) / len(rows)


S, T = torch.zeros(SHAPE), torch.zeros(SHAPE)
T[:, :1] = 1e4  # a teacher that is certain of class 0; the student is undecided
CORNER = torch.zeros(SHAPE)
CORNER[..., :1, :1] = 1e4  # certain of one position in each channel
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
PAIR = {"different": [swapped], "edges": [(*PIXEL, 3.0)], "refused": BAD, "float32": True}
CASES = {
    "pixel_wise": Case(
        dense.pixel_wise,
        lambda s, t, T: T**2 * loop_pixels(s, t, T),
        at_3,
        [((S, T, 1.0), math.log(5)), ((X, X + 4, 3.0), 0.0)],
        {"channels": dense.channel_wise, "elements": dense.element_kd},
        same=[twice, shifted(1)],
        **PAIR,
    ),
    "channel_wise": Case(
        dense.channel_wise,
        loop_channels,
        at_3,
        [((S, CORNER, 1.0), math.log(6)), ((X, X + 4, 3.0), 0.0)],
        {"pixels": dense.pixel_wise},
        same=[twice, shifted(2, 3)],
        **PAIR,
    ),
    "element_kd": Case(
        dense.element_kd,
        lambda s, t, T: loop_pixels(s, t, T) / 5,
        at_3,
        [((S, T, 1.0), math.log(5) / 5)],
        {"with T²": lambda s, t, T: dense.pixel_wise(s, t, T) / 5},
        same=[twice, shifted(1)],
        **PAIR,
    ),
    "soft_labels": Case(
        dense.soft_labels,
        lambda s, t, T: loop_pixels(s, t, 1.0, T),
        at_3,
        [((S, T, 1.0), math.log(5)), ((X, 3 * X, 3.0), 0.0)],
        {"a softened student": lambda s, t, T: dense.pixel_wise(s, t, T) / T**2},
        same=[twice, shifted(1)],
        **PAIR | {"refused": BAD_SHAPES},
    ),
    "latent_kl": Case(
        dense.latent_kl,
        loop_pixels,
        maps,
        [((S, T), math.log(5)), ((X, X + 4), 0.0)],
        {"positions": lambda s, t: dense.channel_wise(s, t, 1.0)},
        same=[twice, shifted(1)],
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
        loop_masked,
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
    "masked_generative": Case(
        mean_generated,
        loop_generated,
        generated,
        [((S + 2, generate(S + 2), S[:, :1] + 1), 0.0), ((X, generate(0 * X), 0 * X), 0.0)],
        {"scaled up": lambda s, t, kept: mean_generated(4 * s, t, kept)},
        different=[swapped, lambda s, t, kept: (s, t, 1 - kept)],
        refused=[((X, Z[:, :4], torch.ones(2, 1, 3, 2)), "^maps: ")],
    ),
    "token_overlap": Case(
        dense.token_overlap,
        loop_overlap,
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
    "token_masks": Case(
        mean_token_mask,
        loop_token_mask,
        lambda seed: (normal(3, 5, seed=seed), normal(*SHAPE, seed=seed + 1)),
        [((torch.zeros(3, 5).double(), X), 0.25)],
        {"scaled": lambda k, f: mean_token_mask(k / 5**0.5, f)},
        same=[lambda k, f: (k.flip(0), f), lambda k, f: (k.flip(1), f.flip(1))],
        different=[lambda k, f: (k / 5**0.5, f)],
        float32=True,
    ),
}


@seven_checks(CASES)
def test_seven_checks(name, check):
    check(CASES[name])


def test_an_ignored_pixel_gets_no_gradient_of_the_labels():
    s, y = labelled(0)
    dense.cross_entropy(s.requires_grad_(), y).backward()
    assert torch.equal(s.grad.abs().sum(1) > 0, y != NO_LABEL)


def test_masked_generative_is_a_sum_over_all_but_the_images():
    s, t, kept = torch.full(SHAPE, 2.0), torch.zeros(SHAPE), torch.zeros(2, 1, 3, 2)
    kept[..., :1] = 1
    for mask in (kept, kept.bool()):
        assert dense.masked_generative(s, t, nn.Identity(), mask).item() == 5 * 3 * 4.0
