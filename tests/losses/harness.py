"""The checks that every loss has to pass, written once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pytest
import torch
from golden_values import gradients
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

Inputs = tuple[Any, ...]


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def classes_of(count, *shape, seed=0):
    return torch.randint(count, shape, generator=torch.Generator().manual_seed(seed))


def kl(teacher, student):
    """KL(teacher ‖ student) of each row of logits, classes last."""
    return kl_divergence(Categorical(logits=teacher), Categorical(logits=student))


def mean_square_correlation(a, b):
    """Of every column of a with every column of b."""
    return torch.corrcoef(torch.cat([a, b], 1).T)[: a.shape[1], a.shape[1] :].square().mean()


def twice(*inputs):
    """Every sample two times, which no mean over the batch may notice."""
    return tuple(torch.cat([x, x]) if isinstance(x, Tensor) and x.ndim else x for x in inputs)


class Point(NamedTuple):
    """What a loss must give: by its authors' code, or by loops over its equation."""

    inputs: Inputs
    value: Tensor
    # of each input that learns; None: it learns, and finite differences alone know the gradient
    gradients: Mapping[int, Tensor | None]


@dataclass(frozen=True)
class Case:
    """One loss and what is known of it."""

    loss: Callable[..., Tensor]  # inputs → scalar
    points: Sequence[Point]
    closed: Sequence[tuple[Inputs, float]]  # inputs and value that follow from the equation
    wrong: Mapping[str, Callable[..., Tensor]]  # wrong copies, which check 1 must refuse
    teachers: Sequence[int] = (1,)  # inputs that require a gradient here and must get none
    # inputs whose gradient is not the value's, which finite differences would take it for
    unlike: Sequence[int] = ()
    same: Sequence[Callable[..., Inputs]] = (twice,)  # changes that must not change the value
    edges: Sequence[Inputs] = ()  # more inputs whose value and gradients must be finite
    refused: Sequence[tuple[Inputs, str]] = ()  # inputs and what the ValueError must say
    float32: bool = False  # whether bf16 inputs under autocast are computed in float32
    rtol: float = 1e-9  # of value and gradients at the points


def by_loops(reference, draw, students=(0,), factors: Mapping[int, float] = {}) -> list[Point]:
    """A reference at two draws; `factors` are those of gradients that are reversed."""
    points = []
    for seed in range(2):
        inputs = leaves(draw(seed), students)
        value = reference(*inputs)
        given = gradients(value, [inputs[position] for position in students])
        pairs = zip(students, given, strict=True)
        points.append(Point(inputs, value.detach(), {p: factors.get(p, 1) * g for p, g in pairs}))
    return points


def leaves(inputs: Inputs, positions) -> Inputs:
    """The inputs, those at `positions` as leaves that require a gradient."""
    fresh = list(inputs)
    for position in positions:
        fresh[position] = fresh[position].detach().clone().requires_grad_()
    return tuple(fresh)


def cast(inputs: Inputs, kind: torch.dtype) -> Inputs:
    floating = [isinstance(x, Tensor) and x.is_floating_point() for x in inputs]
    return tuple(x.to(kind) if cast else x for x, cast in zip(inputs, floating, strict=True))


def check_points(case: Case):
    """Value and gradients are the known ones; float32 gives the same digits."""
    exact = {"rtol": case.rtol, "atol": max(1e-10, case.rtol * 1e-3)}
    for point in case.points:
        inputs, known = leaves(point.inputs, point.gradients), torch.as_tensor(point.value).double()
        value = case.loss(*inputs)
        assert value.shape == ()
        torch.testing.assert_close(value, known, **exact)
        chosen = [inputs[position] for position in point.gradients]
        for found, expected in zip(gradients(value, chosen), point.gradients.values(), strict=True):
            if expected is not None:
                torch.testing.assert_close(found, expected, **exact)
        single = case.loss(*cast(inputs, torch.float32)).item()
        assert single == pytest.approx(known.item(), rel=1e-4, abs=1e-4)


def check_closed_forms(case: Case):
    assert case.closed
    for inputs, value in case.closed:
        assert case.loss(*inputs).item() == pytest.approx(value, rel=1e-5, abs=1e-6)


def check_gradients(case: Case):
    """Finite differences for whoever learns; nothing for a teacher that does require a gradient."""
    point = case.points[0]
    inputs = leaves(point.inputs, {*point.gradients, *case.teachers})
    learning = [position for position in point.gradients if position not in case.unlike]

    def value(*changed):
        every = dict(enumerate(inputs)) | dict(zip(learning, changed, strict=True))
        return case.loss(*every.values())

    if learning:
        assert torch.autograd.gradcheck(value, [inputs[position] for position in learning])
    case.loss(*inputs).backward()
    assert all(inputs[position].grad is None for position in case.teachers)
    found = [inputs[position].grad for position in point.gradients]
    assert any(gradient is not None and gradient.any() for gradient in found)


def check_invariance(case: Case):
    """What must not change the value, such as the size of the batch."""
    for point in case.points[:2]:
        for change in case.same:
            value = case.loss(*change(*point.inputs)).item()
            assert value == pytest.approx(float(point.value), rel=1e-5, abs=1e-9)


def check_edges(case: Case):
    """Zeros, tiny and huge numbers stay finite in float32; bf16 loses no more than its inputs."""
    inputs, learning = case.points[0].inputs, [*case.points[0].gradients]
    scaled = {*learning, *case.teachers}
    edges = [
        tuple(factor * x if k in scaled else x for k, x in enumerate(inputs))
        for factor in (0.0, 1e-30, 1e4)
    ]
    for edge in [*edges, *case.edges]:
        single = leaves(cast(edge, torch.float32), learning)
        value = case.loss(*single)
        assert value.isfinite()
        found = gradients(value, [single[position] for position in learning])
        assert all(gradient.isfinite().all() for gradient in found)
    if case.float32:
        half = cast(inputs, torch.bfloat16)
        with torch.autocast("cpu", torch.bfloat16):
            value = case.loss(*half)
        assert value.dtype == torch.float32
        exact = case.loss(*cast(half, torch.float64)).item()
        assert value.item() == pytest.approx(exact, rel=1e-3)


def check_bad_input(case: Case):
    for inputs, message in case.refused:
        with pytest.raises(ValueError, match=message) as error:
            case.loss(*inputs)
        assert "\n" not in str(error.value)


def check_mutations(case: Case):
    """Check 1 refuses every wrong copy, and a copy that returns half or a constant."""
    assert case.wrong
    general = {
        "half": lambda *inputs: case.loss(*inputs) / 2,
        "a constant": lambda *inputs: 0 * sum(inputs[p].sum() for p in case.points[0].gradients),
    }
    for name, wrong in {**case.wrong, **general}.items():
        try:
            check_points(replace(case, loss=wrong))
        except AssertionError:
            continue
        pytest.fail(f"not noticed: {name}")


SEVEN = (check_points, check_closed_forms, check_gradients, check_invariance)
SEVEN += (check_edges, check_bad_input, check_mutations)


def seven_checks(cases: Mapping[str, Case]):
    """A test: every check on every case."""
    names = [check.__name__.removeprefix("check_") for check in SEVEN]

    @pytest.mark.parametrize("check", SEVEN, ids=names)
    @pytest.mark.parametrize("name", cases)
    def test(name, check):
        check(cases[name])

    return test
