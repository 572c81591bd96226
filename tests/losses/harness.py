"""The seven checks that every loss has to pass, written once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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


@dataclass(frozen=True)
class Case:
    """One loss and what is known of it."""

    loss: Callable[..., Tensor]  # inputs → scalar
    reference: Callable[..., Tensor | float]  # the same, by loops over the equation
    draw: Callable[[int], Inputs]  # seed → inputs, float64
    closed: Sequence[tuple[Inputs, float]]  # inputs and value that follow from the equation
    wrong: Mapping[str, Callable[..., Tensor]]  # wrong copies, which check 1 must refuse
    students: Sequence[int] = (0,)  # positions of the inputs that get a gradient
    teachers: Sequence[int] = (1,)  # of those that require one here and must get none
    reversed: Mapping[int, float] = field(default_factory=dict)  # position → factor of its gradient
    same: Sequence[Callable[..., Inputs]] = (twice,)  # changes that must not change the value
    different: Sequence[Callable[..., Inputs]] = ()  # and changes that must
    edges: Sequence[Inputs] = ()  # more inputs whose value and gradients must be finite
    refused: Sequence[tuple[Inputs, str]] = ()  # inputs and what the ValueError must say
    float32: bool = False  # whether bf16 inputs under autocast are computed in float32
    rtol: float = 1e-6  # of the value against the reference


def leaves(inputs: Inputs, positions: Sequence[int]) -> Inputs:
    """The inputs, those at `positions` as leaves that require a gradient."""
    fresh = list(inputs)
    for position in positions:
        fresh[position] = fresh[position].detach().clone().requires_grad_()
    return tuple(fresh)


def cast(inputs: Inputs, kind: torch.dtype) -> Inputs:
    floating = [isinstance(x, Tensor) and x.is_floating_point() for x in inputs]
    return tuple(x.to(kind) if cast else x for x, cast in zip(inputs, floating, strict=True))


def check_reference(case: Case):
    """Value and gradients are those of loops over the equation; float32 gives the same digits."""
    for seed in range(2):
        inputs = leaves(case.draw(seed), case.students)
        ours, theirs = case.loss(*inputs), case.reference(*inputs)
        assert ours.shape == ()
        torch.testing.assert_close(ours, theirs, rtol=case.rtol, atol=1e-10)
        single = case.loss(*cast(inputs, torch.float32)).item()
        assert single == pytest.approx(theirs.item(), rel=1e-4, abs=1e-4)
        chosen = [inputs[position] for position in case.students]
        pairs = zip(case.students, gradients(ours, chosen), gradients(theirs, chosen), strict=True)
        for position, ours_, theirs_ in pairs:
            expected = case.reversed.get(position, 1.0) * theirs_
            torch.testing.assert_close(ours_, expected, rtol=1e-5, atol=1e-9)


def check_closed_forms(case: Case):
    assert case.closed
    for inputs, value in case.closed:
        assert case.loss(*inputs).item() == pytest.approx(value, rel=1e-5, abs=1e-6)


def check_gradients(case: Case):
    """Finite differences for whoever learns; nothing for a teacher that does require a gradient."""
    inputs = leaves(case.draw(0), [*case.students, *case.teachers])
    learning = [position for position in case.students if position not in case.reversed]

    def value(*changed):
        every = dict(enumerate(inputs)) | dict(zip(learning, changed, strict=True))
        return case.loss(*every.values())

    if learning:
        assert torch.autograd.gradcheck(value, [inputs[position] for position in learning])
    case.loss(*inputs).backward()
    for position in case.students:
        assert inputs[position].grad.isfinite().all()
        assert inputs[position].grad.abs().max() > 0
    assert all(inputs[position].grad is None for position in case.teachers)


def check_scale_and_invariance(case: Case):
    """What must not change the value, such as the size of the batch, and what must."""
    for seed in range(2):
        inputs = case.draw(seed)
        value = case.loss(*inputs).item()
        for change in case.same:
            assert case.loss(*change(*inputs)).item() == pytest.approx(value, rel=1e-5, abs=1e-9)
        for change in case.different:
            assert case.loss(*change(*inputs)).item() != pytest.approx(value, rel=1e-3)


def check_edges(case: Case):
    """Zeros, tiny and huge numbers stay finite in float32; bf16 loses no more than its inputs."""
    drawn, scaled = case.draw(0), {*case.students, *case.teachers}
    for factor in (0.0, 1e-30, 1e4):
        edge = tuple(factor * x if k in scaled else x for k, x in enumerate(drawn))
        check_finite(case, edge)
    for edge in case.edges:
        check_finite(case, edge)
    if case.float32:
        inputs = cast(drawn, torch.bfloat16)
        with torch.autocast("cpu", torch.bfloat16):
            value = case.loss(*inputs)
        assert value.dtype == torch.float32
        exact = case.loss(*cast(inputs, torch.float64)).item()
        assert value.item() == pytest.approx(exact, rel=1e-3)


def check_finite(case: Case, inputs: Inputs):
    inputs = leaves(cast(inputs, torch.float32), case.students)
    value = case.loss(*inputs)
    assert value.isfinite()
    chosen = [inputs[position] for position in case.students]
    assert all(gradient.isfinite().all() for gradient in gradients(value, chosen))


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
        "a constant": lambda *inputs: 0 * sum(inputs[p].sum() for p in case.students),
    }
    for name, wrong in {**case.wrong, **general}.items():
        try:
            check_reference(replace(case, loss=wrong))
        except AssertionError:
            continue
        pytest.fail(f"not noticed: {name}")


SEVEN = (check_reference, check_closed_forms, check_gradients, check_scale_and_invariance)
SEVEN += (check_edges, check_bad_input, check_mutations)


def seven_checks(cases: Mapping[str, Case]):
    """A test: every check on every case."""
    names = [check.__name__.removeprefix("check_") for check in SEVEN]

    @pytest.mark.parametrize("check", SEVEN, ids=names)
    @pytest.mark.parametrize("name", cases)
    def test(name, check):
        check(cases[name])

    return test
