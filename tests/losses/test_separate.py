"""Terms that drive z_irr apart: closed forms computed another way, gradients, and wrong copies that
must fail."""

import inspect
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from discom import methods
from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import separate
from discom.losses.separate import cross_covariance, hsic, irrelevant_task_loss, squared_correlation
from discom.models import Embedding

PARTS = ("inv", "inf", "irr")


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def embeddings(seed=0, rows=(12, 9), width=5, dtype=torch.float64):
    """Two modalities of different size, parts that depend on each other a little, units of
    different scale and mean."""
    made = {}
    for number, (name, size) in enumerate(zip(("rgb", "depth"), rows, strict=True)):
        parts = draw(3, size, width, seed=seed + number)
        parts = parts + 0.7 * parts.roll(1, 0)
        made[name] = Embedding(
            *((0.5 + torch.arange(width)) * parts + torch.arange(width)).to(dtype)
        )
    return made


def leaves(z):
    return {
        name: Embedding(*(part.detach().clone().requires_grad_() for part in one))
        for name, one in z.items()
    }


# ---------------------------------------------------------------- correlation, by numpy


def by_numpy(a, b):
    """The block of numpy's correlation matrix that is between the units of a and those of b."""
    width = a.shape[1]
    return (np.corrcoef(a.numpy().T, b.numpy().T)[:width, width:] ** 2).mean()


def by_hand_xcov(z):
    return sum(by_numpy(one.irr, one.inv) + by_numpy(one.irr, one.inf) for one in z.values())


@pytest.mark.parametrize(
    ("rows", "left", "right"), [(3, 1, 1), (7, 2, 5), (128, 16, 16), (40, 6, 1)]
)
def test_squared_correlation_is_numpys(rows, left, right):
    a, b = draw(rows, left), draw(rows, right, seed=1) + 0.3 * draw(rows, left)[:, :1]
    assert squared_correlation(a, b).item() == pytest.approx(by_numpy(a, b), rel=1e-4)


def test_cross_covariance_is_a_sum_of_numpys_over_pairs_and_modalities():
    z = embeddings()
    assert cross_covariance(z).item() == pytest.approx(by_hand_xcov(z), rel=1e-4)


def test_cross_covariance_of_three_modalities():
    z = embeddings() | {"thermal": embeddings(seed=9)["rgb"]}
    assert cross_covariance(z).item() == pytest.approx(by_hand_xcov(z), rel=1e-4)


def test_a_line_has_correlation_1_and_orthogonal_units_0():
    a = draw(30, 1)
    assert squared_correlation(a, -3 * a + 2).item() == pytest.approx(1, rel=1e-4)
    cosine, sine = (
        f(torch.arange(8) * math.pi / 4)[:, None].double() for f in (torch.cos, torch.sin)
    )
    assert squared_correlation(cosine, sine).item() == pytest.approx(0, abs=1e-12)
    assert squared_correlation(a, a**2 - (a**2).mean()).item() < 0.5  # a parabola is no line


def test_independent_units_have_about_one_over_the_batch():
    found = [
        squared_correlation(draw(64, 16, seed=2 * k), draw(64, 16, seed=2 * k + 1)).item()
        for k in range(20)
    ]
    assert np.mean(found) == pytest.approx(
        1 / 63, rel=0.05
    )  # r² of n independent normal pairs: 1 / (n - 1)


@pytest.mark.parametrize("scale", [0.1, 10.0, 1e3])
@pytest.mark.parametrize("shift", [0.0, -50.0])
def test_the_scale_and_the_mean_of_a_unit_do_not_count(scale, shift):
    a, b = draw(32, 4), draw(32, 4) + draw(32, 4, seed=1)
    turned = a * torch.tensor([scale, -1, 1, 1]) + torch.tensor([shift, 0, 3, 0])
    assert squared_correlation(turned, b).item() == pytest.approx(
        squared_correlation(a, b).item(), rel=1e-3
    )


@pytest.mark.parametrize("scale", [1e-3, 1e-4])
def test_nor_does_a_small_scale_lest_shrinking_be_a_way_out(scale):
    a, b = draw(32, 4), draw(32, 4) + draw(32, 4, seed=1)
    assert squared_correlation(scale * a, b).item() == pytest.approx(
        squared_correlation(a, b).item(), rel=0.1
    )


def test_the_width_of_an_embedding_does_not_count():
    a, b = draw(32, 4), draw(32, 4) + draw(32, 4, seed=1)
    wide = torch.cat([a, a], dim=1)
    assert squared_correlation(wide, b).item() == pytest.approx(squared_correlation(a, b).item())
    z = embeddings(width=4)
    twice = {
        name: Embedding(*(torch.cat([part, part], dim=1) for part in one))
        for name, one in z.items()
    }
    assert cross_covariance(twice).item() == pytest.approx(cross_covariance(z).item())
    assert hsic(twice).item() == pytest.approx(hsic(z).item(), rel=1e-5)


def test_the_order_of_the_samples_counts_in_neither_and_their_pairing_in_both():
    z = embeddings()["rgb"]
    rows = torch.randperm(len(z.irr), generator=torch.Generator().manual_seed(0))
    together = {"rgb": Embedding(*(part[rows] for part in z))}
    apart = {"rgb": Embedding(z.inv, z.inf, z.irr[rows])}
    for loss in (cross_covariance, hsic):
        assert loss(together).item() == pytest.approx(loss({"rgb": z}).item())
        assert loss(apart).item() != pytest.approx(loss({"rgb": z}).item(), rel=1e-2)


# ---------------------------------------------------------------- HSIC, by its trace


def kernel_by_loops(z):
    """Gaussian kernel of two loops; its width is the lower median of all squared distances."""
    z = z.numpy()
    squares = np.array(
        [[sum((p - q) ** 2 for p, q in zip(one, other, strict=True)) for other in z] for one in z]
    )
    width = sorted(squares.ravel())[(squares.size - 1) // 2]
    return np.exp(-squares / width)


def dependence_by_trace(a, b):
    k, l = kernel_by_loops(a), kernel_by_loops(b)  # noqa: E741  the criterion's own letters
    h = np.eye(len(a)) - np.full((len(a), len(a)), 1 / len(a))
    return np.trace(k @ h @ l @ h) / math.sqrt(np.trace(k @ h @ k @ h) * np.trace(l @ h @ l @ h))


def by_hand_hsic(z):
    return sum(
        dependence_by_trace(one.irr, one.inv) + dependence_by_trace(one.irr, one.inf)
        for one in z.values()
    )


@pytest.mark.parametrize("seed", range(3))
def test_hsic_is_its_trace(seed):
    z = embeddings(seed)
    assert hsic(z).item() == pytest.approx(by_hand_hsic(z), rel=1e-4)


def test_hsic_of_equal_parts_is_1_each_and_sees_what_is_no_line():
    a = draw(60, 1)
    assert hsic({"rgb": Embedding(a, a, a)}).item() == pytest.approx(2, rel=1e-4)
    noise = draw(60, 1, seed=3)
    parabola, independent = (
        hsic({"rgb": Embedding(part, part, a)}).item() / 2 for part in (a**2, noise)
    )
    assert parabola > 3 * independent
    lines = [squared_correlation(part, a).item() for part in (a**2 - (a * a**2).mean() * a, noise)]
    assert max(lines) < 0.1  # which the correlation does not


def test_hsic_falls_towards_0_for_independent_parts_and_stays_within_its_bounds():
    found = [
        hsic({"rgb": Embedding(*draw(3, rows, 2, seed=rows))}).item() for rows in (16, 128, 512)
    ]
    assert 2 > found[0] > found[1] > found[2] > 0
    assert found[1] > 0.02  # as the docstring says of B = 128


@pytest.mark.parametrize("scale", [0.1, 100.0])
def test_hsic_takes_its_width_from_the_data(scale):
    z = embeddings()
    scaled = {
        name: Embedding(one.inv, scale * one.inf + 3, -scale * one.irr) for name, one in z.items()
    }
    assert hsic(scaled).item() == pytest.approx(hsic(z).item(), rel=1e-3)


def test_the_width_is_a_constant_of_the_gradient():
    """The median's own gradient is none: the derivative is that of a kernel of fixed width."""
    z = leaves({"rgb": embeddings()["rgb"]})
    hsic(z).backward()
    widths = {part: torch.cdist(getattr(z["rgb"], part), getattr(z["rgb"], part)).detach().square().median()
              for part in PARTS}  # fmt: skip
    again = leaves(z)

    def centred(part):
        held = getattr(again["rgb"], part)
        kernel = torch.exp(-(held[:, None] - held[None]).square().sum(-1) / widths[part])
        h = torch.eye(len(held)) - 1 / len(held)
        return h.double() @ kernel @ h.double()

    k = centred("irr")
    value = sum(
        (k * other).sum() / (k.norm() * other.norm()) for other in (centred("inv"), centred("inf"))
    )
    value.backward()
    for part in PARTS:
        torch.testing.assert_close(
            getattr(z["rgb"], part).grad, getattr(again["rgb"], part).grad, rtol=1e-3, atol=1e-6
        )


# ---------------------------------------------------------------- the class read off z_irr


def labels(z, classes=4, seed=0):
    draw_ = torch.Generator().manual_seed(seed)
    return {
        name: torch.randint(classes, (len(one.irr),), generator=draw_) for name, one in z.items()
    }


@pytest.mark.parametrize("classes", [2, 5, 19])
def test_a_blind_head_has_log_c_for_each_modality(classes):
    z, head = embeddings(), nn.Linear(5, classes).double()
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    assert irrelevant_task_loss(z, head, labels(z, classes)).item() == pytest.approx(
        2 * math.log(classes)
    )


def test_irrelevant_task_loss_is_the_mean_cross_entropy_of_each_modality_summed():
    z, head, y = embeddings(), nn.Linear(5, 4).double(), labels(embeddings())
    expected = 0.0
    for name, one in z.items():
        logits = (one.irr @ head.weight.T + head.bias).detach().numpy()
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        expected -= np.log(shares[np.arange(len(logits)), y[name].numpy()]).mean()
    assert irrelevant_task_loss(z, head, y).item() == pytest.approx(expected)


@pytest.mark.parametrize("grl_lambda", [0.0, 0.3, 1.0, 2.0])
def test_the_gradient_is_turned_round_for_the_encoders_and_not_for_the_head(grl_lambda):
    head, y = nn.Linear(5, 4).double(), labels(embeddings())
    z, plain = leaves(embeddings()), leaves(embeddings())
    irrelevant_task_loss(z, head, y, grl_lambda=grl_lambda).backward()
    reached, head.weight.grad, bias, head.bias.grad = head.weight.grad, None, head.bias.grad, None
    sum(F.cross_entropy(head(one.irr), y[name]) for name, one in plain.items()).backward()
    for name, one in z.items():
        torch.testing.assert_close(one.irr.grad, -grl_lambda * plain[name].irr.grad)
        assert one.inv.grad is None
        assert one.inf.grad is None
    torch.testing.assert_close(reached, head.weight.grad)  # λ does not slow the head
    torch.testing.assert_close(bias, head.bias.grad)


def test_who_gets_a_gradient_of_which_term():
    for loss in (cross_covariance, hsic):
        z = leaves(embeddings())
        loss(z).backward()
        assert all(part.grad.abs().max() > 0 for one in z.values() for part in one)


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("loss", [cross_covariance, squared_correlation])
def test_gradients_by_finite_differences(loss):
    a, b, c = (draw(6, 3, seed=k).requires_grad_() for k in range(3))
    if loss is squared_correlation:
        assert torch.autograd.gradcheck(loss, (a, b))
    else:
        assert torch.autograd.gradcheck(lambda *parts: loss({"rgb": Embedding(*parts)}), (a, b, c))


def test_gradients_of_hsic_by_finite_differences():
    """The kernels' widths are held still, as in the gradient: a step would move the median."""
    parts = [draw(6, 3, seed=k).requires_grad_() for k in range(3)]
    median, widths, turn = torch.Tensor.median, [], []

    def remember(self):
        widths.append(median(self))
        return widths[-1]

    def value(*given):
        turn[:] = widths
        return hsic({"rgb": Embedding(*given)})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "median", remember)
        hsic({"rgb": Embedding(*parts)})
        patch.setattr(torch.Tensor, "median", lambda self: turn.pop(0))
        assert len(widths) == 4  # two kernels for each of two pairs
        assert torch.autograd.gradcheck(value, parts)


def test_gradients_of_the_irrelevant_task_by_finite_differences():
    """Against λ times the negative of the numeric gradient: reversal makes autograd's the
    derivative of nothing."""
    head, y = nn.Linear(3, 4).double(), {"rgb": torch.tensor([0, 1, 2, 3, 0, 1])}
    z = draw(6, 3).requires_grad_()

    def value(irr):
        return irrelevant_task_loss({"rgb": Embedding(irr, irr, irr)}, head, y, grl_lambda=0.5)

    (found,) = torch.autograd.grad(value(z), z)
    step = 1e-6
    for row, unit in ((0, 0), (3, 2), (5, 1)):
        change = torch.zeros(6, 3, dtype=torch.float64)
        change[row, unit] = step
        numeric = (value(z + change) - value(z - change)).item() / (2 * step)
        assert found[row, unit].item() == pytest.approx(-0.5 * numeric, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loss", [cross_covariance, hsic])
@pytest.mark.parametrize("dead", ["one unit", "a part", "z_irr", "all", "all but one sample"])
def test_dead_units_have_finite_values_and_gradients(loss, dead, dtype):
    z = leaves(embeddings(dtype=dtype))
    with torch.no_grad():
        one = z["rgb"]
        if dead == "one unit":
            one.inv[:, 2] = 0
        elif dead == "a part":
            one.inv[:] = 0
        elif dead == "z_irr":
            one.irr[:] = 1.7
        else:
            for part in one:
                part[0 if dead == "all" else 1 :] = 0.3
    value = loss(z)
    value.backward()
    assert value.isfinite()
    assert 0 <= value.item() <= 4
    for part in (part for one in z.values() for part in one):
        assert part.grad.isfinite().all()
        assert part.grad.abs().max() < 1e4


def test_a_part_that_does_not_change_adds_nothing():
    z = embeddings()
    still = torch.full_like(z["rgb"].irr, 0.7)
    for loss in (cross_covariance, hsic):
        assert loss({"rgb": z["rgb"]._replace(irr=still)}).item() == pytest.approx(0, abs=1e-6)
        only = loss({"rgb": z["rgb"]._replace(inf=still)}).item()
        rest = loss({"rgb": z["rgb"]._replace(inv=still)}).item()
        assert only + rest == pytest.approx(loss({"rgb": z["rgb"]}).item(), abs=1e-6)


# ---------------------------------------------------------------- few digits


@pytest.mark.parametrize("loss", [cross_covariance, hsic])
def test_bf16_under_autocast_is_computed_in_float32(loss):
    z = embeddings(rows=(64, 48), dtype=torch.bfloat16)
    expected = loss(
        {name: Embedding(*(part.double() for part in one)) for name, one in z.items()}
    )  # the same values
    z = leaves(z)
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(z)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected.item(), rel=1e-3)
    value.backward()
    for part in (part for one in z.values() for part in one):
        assert part.grad.dtype == torch.bfloat16
        assert part.grad.isfinite().all()
        assert part.grad.abs().max() > 0


def test_bf16_reaches_the_head_under_autocast():
    z, y, head = leaves(embeddings(dtype=torch.bfloat16)), labels(embeddings()), nn.Linear(5, 4)
    with torch.autocast("cpu", torch.bfloat16):
        value = irrelevant_task_loss(z, head, y)
    assert value.dtype == torch.float32
    value.backward()
    assert all(one.irr.grad.isfinite().all() for one in z.values())
    assert head.weight.grad.dtype == torch.float32


# ---------------------------------------------------------------- copies with a mistake


def turned_round(space):
    z, y, head = leaves(embeddings()), labels(embeddings()), nn.Linear(5, 4).double()
    space["irrelevant_task_loss"](z, head, y).backward()
    plain = leaves(embeddings())
    sum(F.cross_entropy(head(one.irr), y[name]) for name, one in plain.items()).backward()
    torch.testing.assert_close(z["rgb"].irr.grad, -plain["rgb"].irr.grad)


def values_are_right(space):
    z = embeddings()
    assert space["cross_covariance"](z).item() == pytest.approx(by_hand_xcov(z), rel=1e-4)
    assert space["hsic"](z).item() == pytest.approx(by_hand_hsic(z), rel=1e-4)


MISTAKES = {
    "no standardisation": ("z / (z.square().mean(0) + TINY).sqrt()", "z", values_are_right),
    "no mean taken off": ("    z = z - z.mean(0)\n", "", values_are_right),
    "one sample too few": ("(a.T @ b / len(a))", "(a.T @ b / (len(a) - 1))", values_are_right),
    "the signed correlation": (".square().mean()  # [D", ".mean()  # [D", values_are_right),
    "a sum over units": (".square().mean()  # [D", ".square().sum()  # [D", values_are_right),
    "rows not centred": (" - kernel.mean(1, keepdim=True) + kernel.mean()", "", values_are_right),
    "no centring": (" - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()", "",
                    values_are_right),
    "a kernel of another width": ("(distances.detach().median() + TINY)", "(2 * distances.detach().median() + TINY)",
                                  values_are_right),
    "a kernel of distances": ("torch.exp(-distances /", "torch.exp(-distances.sqrt() /", values_are_right),
    "not normalised": (" / (k.square().sum() * l.square().sum() + TINY).sqrt()", "", values_are_right),
    "a wrong pair of the first": ("sum(squared_correlation(z.irr, other) for z in embeddings.values() "
                                  "for other in (z.inv, z.inf))",
                                  "sum(squared_correlation(z.inv, other) for z in embeddings.values() "
                                  "for other in (z.irr, z.inf))", values_are_right),
    "a wrong pair of the second": ("sum(_dependence(z.irr, other) for z in embeddings.values() "
                                   "for other in (z.inv, z.inf))",
                                   "sum(_dependence(z.inf, other) for z in embeddings.values() "
                                   "for other in (z.inv, z.irr))", values_are_right),
    "a pair left out": ("sum(_dependence(z.irr, other) for z in embeddings.values() for other in (z.inv, z.inf))",
                        "sum(_dependence(z.irr, z.inv) for z in embeddings.values())", values_are_right),
    "a gradient that is not reversed": ("head(reverse_gradient(z.irr, grl_lambda))", "head(z.irr)", turned_round),
    "the class read off another part": ("head(reverse_gradient(z.irr, grl_lambda))",
                                        "head(reverse_gradient(z.inf, grl_lambda))", turned_round),
}  # fmt: skip


def test_the_source_passes_what_its_wrong_copies_fail():
    for check in (values_are_right, turned_round):
        check(vars(separate))


@pytest.mark.parametrize("what", MISTAKES)
def test_a_copy_with_a_mistake_would_be_noticed(what):
    right, wrong, check = MISTAKES[what]
    source = inspect.getsource(separate)
    assert source.count(right) == 1, "the source reads otherwise now"
    space = {}
    exec(source.replace(right, wrong), space)
    with pytest.raises((AssertionError, TypeError)):
        check(space)


# ---------------------------------------------------------------- as terms of the method


def encoder(channels):
    layers = [
        nn.Conv2d(channels, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers), 32


def made(**options):
    torch.manual_seed(0)
    return methods.get("discom")({"rgb": 3, "depth": 1}, 4, encoder, **options)


def batch(epoch=0):
    x = {
        "rgb": draw(12, 3, 8, 8, dtype=torch.float32),
        "depth": draw(10, 1, 8, 8, seed=1, dtype=torch.float32),
    }
    return Batch(x, {name: torch.arange(len(images)) % 4 for name, images in x.items()}, epoch)


PAPERS = ("cl", "adv", "mod", "aux", "orth")
SWITCHED = [("irr",), ("xcov",), ("hsic",), ("irr", "hsic"), ("irr", "xcov", "hsic")]


@pytest.mark.parametrize("terms", SWITCHED)
def test_a_term_is_computed_when_its_weight_is_not_0(terms):
    model = made(weights=dict.fromkeys(terms, 0.5))
    assert tuple(model(batch())) == (*PAPERS, *terms)
    assert tuple(made()(batch())) == PAPERS


def test_the_papers_terms_are_the_same_with_the_others_on():
    """Its head is made last: the networks start from the same weights."""
    plain, other = made(), made(weights={"irr": 1.0, "xcov": 1.0, "hsic": 1.0})
    assert all(
        torch.equal(value, other.state_dict()[key]) for key, value in plain.state_dict().items()
    )
    ours, theirs = other(batch()), plain(batch())
    assert {term: ours[term].item() for term in PAPERS} == {
        term: theirs[term].item() for term in PAPERS
    }


def test_the_methods_terms_are_those_of_the_losses():
    model, held = made(weights={"irr": 1.0, "xcov": 1.0, "hsic": 1.0}), batch()
    z = {name: model.model.embed(name, x) for name, x in held.x.items()}
    found = model(held)
    assert found["xcov"].item() == pytest.approx(cross_covariance(z).item(), rel=1e-5)
    assert found["hsic"].item() == pytest.approx(hsic(z).item(), rel=1e-5)
    assert found["irr"].item() == pytest.approx(
        irrelevant_task_loss(z, model.irrelevant, held.y).item(), rel=1e-5
    )


def test_the_irrelevant_head_is_there_only_if_it_is_used_and_goes_with_every_modality():
    assert not [key for key in made().state_dict() if key.startswith("irrelevant")]
    model = made(weights={"irr": 2.0})
    for modality in ("rgb", "depth"):
        assert [key for key in model.state(modality) if key.startswith("irrelevant")]


@pytest.mark.parametrize("term", ["adv", "irr"])
def test_the_warm_up_turns_both_reversals_up(term):
    """Ganin's curve: 0 at the start, tanh(5·e/E) = 2/(1 + exp(-10·e/E)) - 1, and near λ from E
    on."""

    def reached(epoch, **options):
        model = made(weights={term: 1.0}, **options)
        model(batch(epoch))[term].backward()
        place = "specific.0.weight" if term == "irr" else "project.0.weight"
        return dict(model.named_parameters())[f"model.branches.rgb.{place}"].grad

    whole = reached(0)
    assert whole.abs().max() > 0
    for epoch, share in (
        (0, 0.0),
        (5, math.tanh(2.5)),
        (9, math.tanh(4.5)),
        (10, math.tanh(5)),
        (99, math.tanh(5)),
    ):
        torch.testing.assert_close(reached(epoch, grl_warmup=10), share * whole)
        torch.testing.assert_close(
            reached(epoch, grl_warmup=10, grl_lambda=0.5), 0.5 * share * whole
        )
        torch.testing.assert_close(reached(epoch), whole)  # constant without


def test_a_negative_warm_up_is_refused():
    with pytest.raises(ConfigError, match="grl_warmup"):
        made(grl_warmup=-5)
