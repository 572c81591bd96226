"""Losses of dense prediction: golden vectors of the official codes, closed forms, and wrong copies
that must fail."""

import inspect
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from discom.data.checks import NO_LABEL
from discom.losses import dense

GOLDEN = Path(__file__).parents[1] / "golden"
RIGHT = vars(dense)
SHAPE = (2, 5, 4, 3)  # B, channels, h, w


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def labels(classes=3, seed=0, shape=(2, 4, 3)):
    return torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))


def conv_relu_conv(wide=5, out=5):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, out, 3, padding=1)
    )


# ---------------------------------------------------------------- golden vectors of the official
# codes A case is (name, value, expected value, (leaf, expected gradient), ...); the copies with a
# mistake meet the same ones.


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def golden(name):
    data = json.loads((GOLDEN / f"{name}.json").read_text())
    held = {
        key: value if isinstance(value, dict) else tensor(value)
        for key, value in data["inputs"].items()
    }
    for key in (
        "student_features",
        "student_logits",
        "student_features_fewer_channels",
        "mask_token",
    ):
        if key in held:
            held[key].requires_grad_()
    return held, data["outputs"]


def protokd(space):
    x, out = golden("08a_protokd")
    features, logits = x["student_features"], x["student_logits"]
    for key, labelled in (
        ("all_classes_present", "labels"),
        ("class_missing_in_image0", f"labels_{MISSING}"),
    ):
        value = space["prototype_similarity"](
            features, x["teacher_features"], x[labelled].long(), 3
        )
        yield key, value, out[key]["proto_loss"], (features, out[key]["grad_student_features"])
    for T in (1, 10):
        value = space["element_kd"](logits, x["teacher_logits"], T)
        yield f"kd_T{T}", value, out[f"kd_T{T}"], (logits, out[f"grad_student_logits_kd_T{T}"])
    yield "by itself", space["element_kd"](logits, x["teacher_logits"]), out["kd_T10"]


def protokd_total(space):
    """The weighted sum; its segmentation loss, which is not ours, is taken as given."""
    x, out = golden("08a_protokd")
    features, logits = x["student_features"], x["student_logits"]
    proto = space["prototype_similarity"](features, x["teacher_features"], x["labels"].long(), 3)
    value = 10 * space["element_kd"](logits, x["teacher_logits"]) + 0.1 * proto
    rest = tensor(out["grad_student_logits"]) - tensor(out["grad_student_logits_seg"])
    yield (
        "total",
        value,
        out["loss"] - out["seg_loss"],
        (features, out["grad_student_features"]),
        (logits, rest),
    )


def cwd(space):
    x, out = golden("08b_cwd")
    for what, prefix in (("logits", ""), ("features", "features_")):
        pair = x[f"student_{what}"], x[f"teacher_{what}"]
        for key, loss, T in (("channel_kl_T4", "channel_wise", 4), ("channel_kl_T1", "channel_wise", 1),
                             ("spatial_kl_T4", "pixel_wise", 4)):  # fmt: skip
            yield (
                prefix + key,
                space[loss](*pair, T),
                out[prefix + key],
                (pair[0], out[f"grad_student_{what}_{key}"]),
            )
    s, t = x["student_logits"], x["teacher_logits"]
    for name, value in (
        ("loss", 3 * space["channel_wise"](s, t)),
        ("spatial_kl_T4", space["pixel_wise"](s, t)),
    ):
        yield f"{name} as it is by default", value, out[name]
    yield "loss", 3 * space["channel_wise"](s, t, 4.0), out["loss"], (s, out["grad_student_logits"])
    independent = (
        out["mgd_repo_loss_logit_weight3_T4"],
        (s, out["grad_student_logits_mgd_repo_loss_logit"]),
    )
    yield "MGD's", 3 * space["channel_wise"](s, t, 4.0), *independent
    for key, loss in (
        ("maskd_repo_pixelwise_kd_T1", "pixel_wise"),
        ("pixelwise_kd_T1", "element_kd"),
    ):
        yield key, space[loss](s, t, 1.0), out[key], (s, out[f"grad_student_logits_{key}"])


def mgd(space):
    x, out = golden("08c_mgd_seg")
    kept = x["uniform_draw"] <= 1 - 0.75
    torch.testing.assert_close(kept.double(), tensor(out["mask"]))
    for key, student in (
        ("same_channels", "student_features"),
        ("align", "student_features_fewer_channels"),
    ):
        first, last = (convolution(x["conv"][part]) for part in ("generation_0", "generation_2"))
        leaf = features = x[student]
        if key == "align":
            features = convolution(x["align_conv"]["align"], padding=0)(leaf)
        value = space["masked_generative"](
            features, x["teacher_features"], nn.Sequential(first, nn.ReLU(), last), kept
        )
        yield f"{key}, not weighted", value, out[key]["loss_unweighted"]
        gradients = (
            (leaf, out[key]["grad_student_features"]),
            (first.weight, out[key]["grad_generation_0_weight"]),
        )
        yield key, 2e-5 * value, out[key]["loss"], *gradients


def convolution(held, padding=1):
    weight = tensor(held["weight"])
    made = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=padding).double()
    made.load_state_dict({"weight": weight, "bias": tensor(held["bias"])})
    return made


def maskd(space):
    x, out = golden("08e_maskd")
    student, teacher, tokens = x["student_features"], x["teacher_features"], x["mask_token"]
    masks = space["token_masks"](tokens, teacher)
    yield "masks", masks, out["mask"]
    gradients = (
        (student, out["grad_student_features"]),
        (tokens, out["grad_mask_token_if_not_frozen"]),
    )
    yield "loss", space["receptive_mask"](student, teacher, masks), out["loss"], *gradients
    yield "overlap", space["token_overlap"](masks), out["mask_learning_dice"]
    fed = (masks[:, :, None] * teacher[:, None]).sum(1)  # as the docstring of token_masks says
    yield "in the feature's place", fed, out["mask_learning_output"]


MISSING = "class_missing_in_image0"
OFFICIAL = {
    "ProtoKD": protokd,
    "ProtoKD's sum": protokd_total,
    "CWD": cwd,
    "MGD": mgd,
    "MasKD": maskd,
}


def assert_golden(cases):
    for name, value, expected, *gradients in cases:
        pairs = [(value, tensor(expected))]
        for leaf, gradient in gradients:
            pairs.append((torch.autograd.grad(value, leaf, retain_graph=True)[0], tensor(gradient)))
        for found, wanted in pairs:
            torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12, msg=f"{name}: {found}")


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_code(name):
    assert_golden(OFFICIAL[name](RIGHT))


# ---------------------------------------------------------------- computed another way


def softmax(z, axis):
    shares = np.exp(z - z.max(axis, keepdims=True))
    return shares / shares.sum(axis, keepdims=True)


def ours(space):
    """What no official code is there for, by numpy."""
    s, t = draw(*SHAPE, seed=1), 3 * draw(*SHAPE, seed=2)
    p, q = softmax(s.numpy(), 1), softmax(t.numpy() / 2.5, 1)
    yield "soft_labels", space["soft_labels"](s, t, 2.5), (q * np.log(q / p)).sum(1).mean()
    q = softmax(t.numpy(), 1)
    yield "latent_kl", space["latent_kl"](s, t), (q * np.log(q / p)).sum(1).mean()
    y = labels(5)
    y[0, :2] = NO_LABEL
    held = [
        -np.log(p[b, y[b, i, j], i, j])
        for b in range(2)
        for i in range(4)
        for j in range(3)
        if y[b, i, j] < 5
    ]
    yield "cross_entropy", space["cross_entropy"](s, y), np.mean(held)
    nobody = space["cross_entropy"](s, torch.full_like(y, NO_LABEL))
    yield "no label", nobody, 0.0


def test_what_has_no_official_code_is_numpys():
    assert_golden(ours(RIGHT))


def prototypes_by_loops(student, teacher, y, classes):
    shared = [c for c in range(classes) if all((one == c).any() for one in y)]
    errors = []
    for b in range(len(y)):
        for c in shared:
            likeness = []
            for x in (student[b], teacher[b]):
                prototype = x[:, y[b] == c].sum(1) / ((y[b] == c).sum() + 1e-5)
                likeness.append(torch.cosine_similarity(x, prototype[:, None, None], dim=0))
            errors.append((likeness[0] - likeness[1]) ** 2)
    return torch.stack(errors).mean().item()


def unlabelled(space):
    """Ignored pixels; teachers of another width; a class that only one image has, another that none
    has."""
    s, t, y = draw(*SHAPE, seed=1) + 1, draw(2, 7, 4, 3, seed=2), labels()
    y[0, 0], y[1, 2, 1:] = NO_LABEL, NO_LABEL
    for classes, chosen in (
        (3, y),
        (4, y),
        (3, y.where(torch.tensor([True, False])[:, None, None] | (y != 1), 2)),
    ):
        value = space["prototype_similarity"](s, t, chosen, classes)
        yield f"{classes} classes", value, prototypes_by_loops(s, t, chosen, classes)


def test_prototypes_by_loops():
    assert_golden(unlabelled(RIGHT))


def test_no_label_or_no_shared_class_gives_0_with_a_graph():
    y = labels()
    for held in (
        torch.full_like(y, NO_LABEL),
        torch.stack([torch.zeros_like(y[0]), torch.ones_like(y[0])]),
    ):
        s = draw(*SHAPE).requires_grad_()
        value = dense.prototype_similarity(s, draw(*SHAPE, seed=1), held, 3)
        value.backward()
        assert value.item() == 0
        assert torch.equal(s.grad, torch.zeros_like(s))
    s = draw(*SHAPE).requires_grad_()
    value = dense.cross_entropy(s, torch.full_like(y, NO_LABEL))
    value.backward()
    assert value.item() == 0
    assert torch.equal(s.grad, torch.zeros_like(s))


def test_an_ignored_pixel_gets_no_gradient_of_the_labels():
    s, y = draw(*SHAPE).requires_grad_(), labels(5)
    y[1, 2, 1] = NO_LABEL
    dense.cross_entropy(s, y).backward()
    reached = s.grad.abs().sum(1) > 0
    assert not reached[1, 2, 1]
    assert reached.sum() == y.numel() - 1
    torch.testing.assert_close(dense.cross_entropy(s, labels(5)), F.cross_entropy(s, labels(5)))


# ---------------------------------------------------------------- closed forms and properties

KL = {
    "pixel_wise": (1,),
    "channel_wise": (2, 3),
    "element_kd": (1,),
    "soft_labels": (1,),
    "latent_kl": (1,),
}


@pytest.mark.parametrize("name", KL)
def test_a_divergence_is_at_least_0_and_knows_only_differences(name):
    loss, s, t = getattr(dense, name), draw(*SHAPE), draw(*SHAPE, seed=1)
    shift = draw(*SHAPE, seed=2).mean(KL[name], keepdim=True)
    assert loss(s, t).item() > 0
    assert loss(s + 1e3 * shift, t - 50 * shift).item() == pytest.approx(
        loss(s, t).item(), rel=1e-9
    )
    assert loss(s, s if name != "soft_labels" else 4.0 * s).item() == pytest.approx(0, abs=1e-12)
    assert loss(t, s).item() != pytest.approx(loss(s, t).item(), rel=1e-3)


@pytest.mark.parametrize(("name", "choices", "share"), [
    ("pixel_wise", 5, 1), ("channel_wise", 12, 1), ("element_kd", 5, 1 / 5), ("soft_labels", 5, 1), ("latent_kl", 5, 1),
])  # fmt: skip
def test_a_certain_teacher_of_an_undecided_student(name, choices, share):
    """KL(one-hot ‖ uniform) = log of how many there are to choose from, times T² at T = 1."""
    t = torch.zeros(SHAPE)
    t[..., :1, :1] = 1e4 if name == "channel_wise" else 0
    t[:, :1] += 0 if name == "channel_wise" else 1e4
    value = getattr(dense, name)(torch.zeros(SHAPE), t, *(() if name == "latent_kl" else (1.0,)))
    assert value.item() == pytest.approx(share * math.log(choices), rel=1e-6)


@pytest.mark.parametrize("name", ["pixel_wise", "channel_wise"])
def test_the_gradient_keeps_its_size_at_high_temperatures(name):
    sizes = []
    for T in (20.0, 40.0):
        s = draw(*SHAPE).requires_grad_()
        getattr(dense, name)(s, draw(*SHAPE, seed=1), T).backward()
        sizes.append(s.grad.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_identical_maps_give_0():
    s, y, masks = draw(*SHAPE), labels(), dense.token_masks(draw(3, 5), draw(*SHAPE))
    assert dense.prototype_similarity(s, s, y, 3).item() == 0
    assert dense.receptive_mask(s, s, masks).item() == 0
    assert dense.masked_generative(s, s, nn.Identity(), torch.ones(2, 1, 4, 3)).item() == 0


def test_prototypes_do_not_see_the_size_of_the_features():
    """Up to ε: neither the teacher's scale nor a rotation of its channels counts."""
    s, t, y = draw(*SHAPE), draw(*SHAPE, seed=1), labels()
    turn = torch.linalg.qr(draw(5, 5, seed=2))[0]
    turned = 30 * torch.einsum("de,behw->bdhw", turn, t)
    plain = dense.prototype_similarity(s, t, y, 3).item()
    assert dense.prototype_similarity(s, turned, y, 3).item() == pytest.approx(plain, rel=1e-6)
    assert 0 < plain < 4


def test_opposite_likeness_is_the_largest_difference():
    """One class, its prototype along e; one cell of four lies on -e, for the student alone: ¼ (-1 -
    1)²."""
    t = torch.ones(1, 1, 1, 4)
    s = torch.tensor([[[[1.0, 1.0, 1.0, -1.0]]]])
    value = dense.prototype_similarity(s, t, torch.zeros(1, 1, 4, dtype=torch.int64), 1)
    assert value.item() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_receptive_mask_of_constants(level):
    """½ · m² d² n / (m n) = ½ m d²: the mask counts once in the end."""
    s, t = torch.full(SHAPE, 5.0), torch.full(SHAPE, 2.0)
    value = dense.receptive_mask(s, t, torch.full((2, 7, 4, 3), level))
    assert value.item() == pytest.approx(0.5 * level * 9, rel=1e-4)


def test_receptive_mask_looks_only_where_the_mask_is():
    s, t, masks = draw(*SHAPE), draw(*SHAPE, seed=1), torch.zeros(2, 1, 4, 3, dtype=torch.float64)
    masks[..., 1, 2] = 1
    value = dense.receptive_mask(s, t, masks)
    expected = 0.5 * (s - t)[..., 1, 2].square().mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-4)
    assert dense.receptive_mask(s, t, 0 * masks).item() == 0


def test_overlap_of_tokens():
    apart, same = torch.eye(12).view(1, 12, 4, 3), torch.rand(1, 1, 4, 3).expand(1, 3, 4, 3)
    assert dense.token_overlap(apart).item() == 0
    assert dense.token_overlap(same).item() == pytest.approx(1, rel=1e-6)
    halves = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]).view(1, 2, 1, 3)
    assert dense.token_overlap(halves).item() == pytest.approx(0.5)  # 2 · 1 / (2 + 2)
    assert dense.token_overlap(same[:, :1]).item() == 0
    assert dense.token_overlap(torch.zeros(1, 2, 4, 3)).item() == 0


def test_masked_generative_is_a_sum_over_all_but_the_images():
    s, t, kept = torch.full(SHAPE, 2.0), torch.zeros(SHAPE), torch.zeros(2, 1, 4, 3)
    kept[..., :2, :] = 1
    assert (
        dense.masked_generative(s, t, nn.Identity(), kept).item() == 5 * 6 * 4.0
    )  # D, half of the cells, 2²
    twice = [torch.cat([x, x]) for x in (s, t, kept)]
    assert dense.masked_generative(*twice[:2], nn.Identity(), twice[2]).item() == 5 * 6 * 4.0
    assert dense.masked_generative(s, t, nn.Identity(), kept.bool()).item() == 5 * 6 * 4.0


# ---------------------------------------------------------------- gradients, few digits, what is
# refused

TOKENS = draw(3, 5, seed=3, dtype=torch.bfloat16)  # few digits: the same in every precision
# name → its loss of (student, teacher), both [2, 5, 4, 3]
LOSSES = {name: getattr(dense, name) for name in KL} | {
    "cross_entropy": lambda s, t: dense.cross_entropy(s, labels(5)),
    "prototype_similarity": lambda s, t: dense.prototype_similarity(s, t, labels(), 3),
    "receptive_mask": lambda s, t: dense.receptive_mask(
        s, t, dense.token_masks(TOKENS.to(s.dtype), t)
    ),
    "masked_generative": lambda s, t: dense.masked_generative(
        s, t, conv_relu_conv().to(s.dtype), (draw(2, 1, 4, 3) > 0.6).to(s.dtype)
    ),
    "token_overlap": lambda s, t: dense.token_overlap(s.abs().clamp(max=1)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_by_finite_differences(name):
    s, t = draw(*SHAPE).requires_grad_(), draw(*SHAPE, seed=1)
    assert torch.autograd.gradcheck(LOSSES[name], (s, t))


@pytest.mark.parametrize("name", LOSSES)
def test_bf16_under_autocast_is_computed_in_float32(name):
    s, t = (draw(*SHAPE, seed=seed, dtype=torch.bfloat16) for seed in (0, 1))
    expected = LOSSES[name](s.double(), t.double()).item()
    s.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        value = LOSSES[name](s, t)
    assert value.dtype == torch.float32
    # the generator is a network: its convolutions keep the networks' digits
    assert value.item() == pytest.approx(
        expected, rel=2e-2 if name == "masked_generative" else 1e-5
    )
    value.backward()
    assert s.grad.dtype == torch.bfloat16
    assert s.grad.isfinite().all()
    assert s.grad.abs().max() > 0


def products(space):
    """What rests on a product of matrices, which autocast would take in bf16."""
    s, t = draw(*SHAPE, dtype=torch.float32), draw(*SHAPE, seed=1, dtype=torch.float32)
    masks = space["token_masks"](draw(3, 5, dtype=torch.float32), t)
    proto, errors = (
        space["prototype_similarity"](s, t, labels(), 3),
        space["receptive_mask"](s, t, t.sigmoid()),
    )
    return masks, proto, errors, space["token_overlap"](t.sigmoid())


def products_are_exact(space):
    with torch.autocast("cpu", torch.bfloat16):
        found = products(space)
    torch.testing.assert_close(found, products(RIGHT), rtol=0, atol=0)


def test_products_stay_in_float32_under_autocast():
    products_are_exact(RIGHT)


@pytest.mark.parametrize("guard", range(4))
def test_a_product_without_its_guard_would_be_noticed(guard):
    source = inspect.getsource(dense)
    guards = list(re.finditer(r"torch\.autocast\(.*enabled=False\)", source))
    assert len(guards) == 4, "the source has other guards now"
    start, end = guards[guard].span()
    space = {}
    exec(source[:start] + "torch.enable_grad()" + source[end:], space)
    with pytest.raises(AssertionError):
        products_are_exact(space)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e4])
def test_dead_and_extreme_maps_have_finite_values_and_gradients(name, size, dtype):
    s = (size * draw(*SHAPE, dtype=dtype)).requires_grad_()
    t = 1e4 * draw(*SHAPE, seed=1, dtype=dtype)
    value = LOSSES[name](s, t)
    value.backward()
    assert value.isfinite()
    assert value.item() >= 0
    assert s.grad.isfinite().all()


PAIRS = ["pixel_wise", "channel_wise", "element_kd", "soft_labels", "latent_kl"]


@pytest.mark.parametrize("name", PAIRS)
def test_maps_of_different_shape_are_refused(name):
    with pytest.raises(ValueError, match=r"student \(2, 5, 4, 3\), teacher \(2, 5, 3, 4\)"):
        getattr(dense, name)(draw(*SHAPE), draw(2, 5, 3, 4))
    with pytest.raises(ValueError, match="maps"):
        getattr(dense, name)(draw(2, 5), draw(2, 5))


def test_other_shapes_and_temperatures_are_refused():
    s = draw(*SHAPE)
    with pytest.raises(ValueError, match="maps"):
        dense.receptive_mask(s, draw(1, 5, 4, 3), torch.ones(2, 3, 4, 3))
    with pytest.raises(ValueError, match="maps"):
        dense.masked_generative(s, draw(2, 6, 4, 3), nn.Identity(), torch.ones(2, 1, 4, 3))
    with pytest.raises(ValueError, match="one resolution"):
        dense.prototype_similarity(s, s, labels(shape=(2, 8, 6)), 3)
    for name in ("pixel_wise", "channel_wise", "element_kd", "soft_labels"):
        for T in (0.0, -1.0):
            with pytest.raises(ValueError, match="temperature"):
                getattr(dense, name)(s, s, T)


# ---------------------------------------------------------------- copies with a mistake

MISTAKES = {
    "CWD of all channels at once": ("student.flatten(0, 1).flatten(1), teacher.flatten(0, 1).flatten(1)",
                            "student.flatten(1), teacher.flatten(1)", cwd),
    "CWD over the images alone": ("temperature)  # [B·C, H·W]", "temperature) * student.shape[1]", cwd),
    "CWD over the classes": ("student.flatten(0, 1).flatten(1), teacher.flatten(0, 1).flatten(1)",
                             "_pixels(student), _pixels(teacher)", cwd),
    "CWD turned round": ("student.flatten(0, 1).flatten(1), teacher.flatten(0, 1).flatten(1)",
                         "teacher.flatten(0, 1).flatten(1), student.flatten(0, 1).flatten(1)", cwd),
    "pixels over positions": ("logits.movedim(1, -1).flatten(0, -2)", "logits.flatten(0, 1).flatten(1)", cwd),
    "classes not moved": ("logits.movedim(1, -1).flatten(0, -2)", "logits.reshape(-1, logits.shape[1])", cwd),
    "ProtoKD's T²": ("(student_logits.shape[1] * temperature**2)", "student_logits.shape[1]", protokd),
    "ProtoKD's usual mean": ("(student_logits.shape[1] * temperature**2)", "temperature**2", protokd),
    "prototypes over the batch": (
        "masks @ features.mT / (masks.sum(2, keepdim=True) + EPSILON)",
        "(masks @ features.mT).sum(0) / (masks.sum((0, 2))[:, None] + EPSILON) * torch.ones(2, 1, 1)", protokd),
    "a class of any image": (".any(2).all(0)", ".any(2).any(0)", protokd),
    "a mean over all classes": ("/ shared.sum().clamp(min=1)", "/ classes", protokd),
    "products, not cosines": ("F.normalize(features, dim=1, eps=EPSILON)", "features", protokd),
    "absolute differences": (".square().mean((0, 2))", ".abs().mean((0, 2))", protokd),
    "a prototype held still": ("masks @ features.mT", "masks @ features.mT.detach()", protokd),
    "ignored pixels in the last class": ("labels.flatten(1)", "labels.flatten(1).clamp(max=classes - 1)", unlabelled),
    "the mask not squared": ("masks.square() @", "masks @", maskd),
    "the mask squared twice": ("/ (masks.sum(2, keepdim=True) + EPSILON)).mean()",
                               "/ (masks.square().sum(2, keepdim=True) + EPSILON)).mean()", maskd),
    "MasKD not halved": ("return 0.5 * (errors", "return (errors", maskd),
    "MasKD's sum over tokens": ("+ EPSILON)).mean()", "+ EPSILON)).sum(1).mean()", maskd),
    "a softmax of tokens": ("_full(teacher_features)).sigmoid()", "_full(teacher_features)).softmax(1)", maskd),
    "tokens scaled": ("_full(tokens), _full(teacher_features)", "_full(tokens) / tokens.shape[1] ** 0.5, "
                      "_full(teacher_features)", maskd),
    "areas not squared": ("areas = masks.square().sum(2)", "areas = masks.sum(2)", maskd),
    "overlap with itself": (" - dice.diagonal(dim1=1, dim2=2).sum()", "", maskd),
    "a mean of squares": (".square().sum() / len(student)", ".square().mean()", mgd),
    "a sum over images": (".square().sum() / len(student)", ".square().sum()", mgd),
    "nothing masked": ("generator(kept * student_features)", "generator(student_features)", mgd),
    "the other part masked": ("generator(kept * student_features)", "generator(~kept * student_features)", mgd),
    "masked after the generator": ("generator(kept * student_features)", "kept * generator(student_features)", mgd),
    "what is kept scaled up": ("generator(kept * student_features)", "generator(kept * student_features / 0.25)", mgd),
    "soft labels with T²": ("/ temperature, 1.0)", "/ temperature, 1.0) * temperature**2", ours),
    "a softened student": ("kd(_pixels(student), _pixels(teacher) / temperature, 1.0)",
                           "kd(_pixels(student), _pixels(teacher), temperature)", ours),
    "a latent term over positions": ("return pixel_wise(student_map", "return channel_wise(student_map", ours),
    "a mean over all pixels": ("(labels != NO_LABEL).sum((1, 2))", "torch.full_like(labels, True).sum((1, 2))", ours),
    "no pixel, no number": ("known.sum().clamp(min=1) *", "known.sum() *", ours),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_copy_with_a_mistake_would_be_noticed(what):
    right, wrong, cases = MISTAKES[what]
    source = inspect.getsource(dense)
    assert source.count(right) == 1, "the source reads otherwise now"
    space = {}
    exec(source.replace(right, wrong), space)
    with pytest.raises(AssertionError):
        assert_golden(cases(space))
