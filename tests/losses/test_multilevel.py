"""The terms of MLKD: numbers of the official codes, the seven checks, and confident shares."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, kl, normal, seven_checks

from discom.losses.distill import confident_shares, mlkd_terms, standardize

PARTS = {"instance": "kd", "batch": "bc", "classes": "cc"}  # our term → the golden file's
FILES = {"05_mlkd": False, "03d_lskd_mlkd": True}  # whether it is standardized


def views_of(values):
    views = {}
    for name in ("_weak", "_strong") if "student_logits_weak" in values.inputs else ("",):
        student, teacher = (values.inputs[f"{who}_logits{name}"] for who in ("student", "teacher"))
        views[name] = student.requires_grad_(), teacher
    return views


def prepared(standardized, view):
    return tuple(map(standardize, view)) if standardized else view


@pytest.mark.parametrize("file", FILES)
def test_terms_are_those_of_the_official_code(file):
    """At one temperature on one view; LSKD goes in front of the instance term alone."""
    values, standardized = golden(file), FILES[file]
    for T, expected in values.outputs["per_T"].items():
        for name, (s, t) in views_of(values).items():
            terms = mlkd_terms(s, t, float(T))
            view = prepared(standardized, (s, t))
            terms["instance"] = mlkd_terms(*view, float(T))["instance"]
            for ours, theirs in PARTS.items():
                key = f"{theirs}{name}"
                gradient = (s, expected[f"grad_{key}"])
                assert_golden([(f"{key} at {T}", terms[ours], expected[key], gradient)])
            for i, sample in enumerate(expected[f"kd{name}_reduce_False"]):
                alone = mlkd_terms(*(z[i : i + 1] for z in view), float(T))["instance"]
                assert_golden([(f"sample {i} at {T}", alone, sample)])


def gram_gap(p, q):
    """‖q qᵀ - p pᵀ‖², by rows."""
    total = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            total = total + (q[i] @ q[j] - p[i] @ p[j]) ** 2
    return total


def loop_terms(s, t, T):
    p, q = ((z / T).softmax(1) for z in (s, t.detach()))
    return {
        "instance": T**2 * kl(t.detach() / T, s / T).mean(),
        "batch": gram_gap(p, q) / len(p),
        "classes": gram_gap(p.T, q.T) / len(p.T),
    }


def weighted(**weights):
    """The sum of the terms at T = 3, some of them with a weight."""

    def loss(s, t):
        return sum(weights.get(name, 1) * term for name, term in mlkd_terms(s, t, 3.0).items())

    return loss


def draw(seed):
    return tuple(normal(4, 3, seed=10 * seed + k) for k in range(2))


EYE = torch.eye(3)
BIG = torch.tensor([[1e4, -1e4, 0.0], [0.0, 1e4, 0.0], [0.0, 0.0, 0.0]])
CERTAIN = torch.zeros(2, 2), 1e4 * torch.eye(2)  # an undecided student and a teacher without doubt
CASES = {
    "mlkd terms": Case(
        weighted(),
        lambda s, t: sum(loop_terms(s, t, 3.0).values()),
        draw,
        [(CERTAIN, 9 * math.log(2) + 0.5 + 0.5)],
        {f"half of {name}": weighted(**{name: 0.5}) for name in PARTS}
        | {"T² on the Gram": weighted(batch=9)},
        same=[lambda *logits: tuple(z.flip(0)[:, [2, 0, 1]] + 3 for z in logits)],
        different=[lambda s, t: (s, t.roll(1, 0))],
        edges=[(BIG, -BIG), (0 * EYE[:1], EYE[:1])],
        refused=[((EYE, EYE[:, :2]), r"^logits: student \(3, 3\), teacher \(3, 2\)")],
    )
}


test_seven_checks = seven_checks(CASES)


def test_shares_of_confident_samples_and_classes():
    """The median counts, so (n + 1) / 2n for odd n, and what ties with it, in float32, too."""
    for shape in ((1, 2), (4, 3), (5, 6)):
        shares = confident_shares(normal(*shape))
        assert [share.item() for share in shares] == pytest.approx([-(-n // 2) / n for n in shape])
    tied = torch.tensor([[2.0, 0.0, 0.0]] * 3 + [[3.0, 0.0, 0.0]])
    assert confident_shares(tied)[0] == 0.75
    assert [share.item() for share in confident_shares(torch.zeros(8, 6))] == [1.0, 1.0]
    sure = 1e4 * F.one_hot(torch.tensor([0, 0, 1, 2]), 4).double()
    assert [share.item() for share in confident_shares(sure)] == [1, 0.75]
