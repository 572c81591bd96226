"""The seven checks that every loss has to pass (house style, section 4), written once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from golden_values import gradients
from torch import Tensor

Inputs = tuple[Any, ...]


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def classes_of(count, *shape, seed=0):
    return torch.randint(count, shape, generator=torch.Generator().manual_seed(seed))


def twice(*inputs):
    """Every sample two times, which no mean over the batch may notice."""
    return tuple(torch.cat([x, x]) if isinstance(x, Tensor) else x for x in inputs)


@dataclass(frozen=True)
class Case:
    """One loss and what is known of it.

    Args:
        loss: inputs → scalar.
        reference: the same, by loops over the equation.
        draw: seed → inputs, float64.
        students: positions of the inputs that get a gradient.
        teachers: positions of those that require one here and must get none.
        reversed: position → factor between its gradient and the reference's.
        closed: inputs and value that follow from the equation.
        same, different: transformations of the inputs that must not, or must, change the value.
        edges: inputs whose value and gradients must be finite.
        refused: inputs and what the ValueError must say.
        wrong: deliberately wrong copies, which check 1 must refuse.
        rtol: of the value against the reference.
    """

    loss: Callable[..., Tensor]
    reference: Callable[..., Tensor | float]
    draw: Callable[[int], Inputs]
    students: Sequence[int] = (0,)
    teachers: Sequence[int] = (1,)
    reversed: Mapping[int, float] = field(default_factory=dict)
    closed: Sequence[tuple[Inputs, float]] = ()
    same: Sequence[Callable[..., Inputs]] = (twice,)
    different: Sequence[Callable[..., Inputs]] = ()
    edges: Sequence[Inputs] = ()
    refused: Sequence[tuple[Inputs, str]] = ()
    wrong: Mapping[str, Callable[..., Tensor]] = field(default_factory=dict)
    rtol: float = 1e-6


def leaves(inputs: Inputs, positions: Sequence[int]) -> Inputs:
    """The inputs, those at `positions` as leaves that require a gradient."""
    fresh = list(inputs)
    for position in positions:
        fresh[position] = fresh[position].detach().clone().requires_grad_()
    return tuple(fresh)


def check_reference(case: Case):
    """Value and gradients are those of loops over the equation; float32 gives the same digits."""
    for seed in range(2):
        inputs = leaves(case.draw(seed), case.students)
        ours, theirs = case.loss(*inputs), case.reference(*inputs)
        assert ours.shape == ()
        theirs = torch.as_tensor(theirs, dtype=torch.float64)
        torch.testing.assert_close(ours, theirs, rtol=case.rtol, atol=1e-10)
        single = (x.float() if floating(x) else x for x in inputs)
        assert case.loss(*single).item() == pytest.approx(theirs.item(), rel=1e-4, abs=1e-4)
        if not theirs.requires_grad:
            continue
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
        moved = list(inputs)
        for position, x in zip(learning, changed, strict=True):
            moved[position] = x
        return case.loss(*moved)

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
    """Single rows, equal rows, dead units and huge values stay finite in float32."""
    assert case.edges
    for inputs in case.edges:
        inputs = leaves(tuple(x.float() if floating(x) else x for x in inputs), case.students)
        value = case.loss(*inputs)
        assert value.isfinite()
        value.backward()
        for position in case.students:
            gradient = inputs[position].grad
            assert gradient is None or gradient.isfinite().all()


def check_bad_input(case: Case):
    for inputs, message in case.refused:
        with pytest.raises(ValueError, match=message) as error:
            case.loss(*inputs)
        assert "\n" not in str(error.value)


def check_mutations(case: Case):
    """Check 1 refuses every wrong copy, and a copy that returns a constant."""
    constant = {"a constant": lambda *inputs: 0 * sum(inputs[p].sum() for p in case.students)}
    assert case.wrong
    for name, wrong in {**case.wrong, **constant}.items():
        try:
            check_reference(replace(case, loss=wrong))
        except AssertionError:
            continue
        pytest.fail(f"not noticed: {name}")


def floating(x) -> bool:
    return isinstance(x, Tensor) and x.is_floating_point()


SEVEN = (check_reference, check_closed_forms, check_gradients, check_scale_and_invariance)
SEVEN += (check_edges, check_bad_input, check_mutations)


def seven_checks(cases: Mapping[str, Case]):
    """A test function that runs all checks on all cases."""

    @pytest.mark.parametrize(
        "check", SEVEN, ids=lambda check: check.__name__.removeprefix("check_")
    )
    @pytest.mark.parametrize("name", cases)
    def test_seven_checks(name, check):
        check(cases[name])

    return test_seven_checks
