"""Golden vectors of the official codes, and the seven checks, for MLKD; the competitors as the
DisCoM-KD authors coded them. Letters: B batch, C classes; a view is the logits of (student,
teacher)."""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.losses.distill import (
    CurriculumTemperature,
    curriculum_lambda,
    dkd,
    kd,
    mlkd_terms,
    standardize,
)
from discom.losses.multilevel import (
    all_terms,
    check_combination,
    confident_shares,
    discom_paper,
    official,
)

GOLDEN = Path(__file__).parents[1] / "golden"
PARTS = {"instance": "kd", "batch": "bc", "classes": "cc"}  # our term → the golden file's
# file → standardized, temperatures, weight of the distillation
FILES = {"05_mlkd": (False, (4, 3, 5, 2, 6), 0.9), "03d_lskd_mlkd": (True, (2, 3, 5, 2, 6), 9)}

# ---------------------------------------------------------------- 0. golden vectors of the official
# codes A case is (name, value, expected value, (leaf, expected gradient), ...); the mutants of
# check 7 meet the same cases.


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def golden(file):
    """Views by name, labels, outputs."""
    data = json.loads((GOLDEN / f"{file}.json").read_text())
    inputs, views = data["inputs"], {}
    for name in ("_weak", "_strong") if "student_logits_weak" in inputs else ("",):
        s, t = (tensor(inputs[f"{who}_logits{name}"]) for who in ("student", "teacher"))
        views[name] = s.requires_grad_(), t
    return views, torch.tensor(inputs["targets"]), data["outputs"]


def grad(value, leaves):
    return torch.autograd.grad(value, leaves, retain_graph=True, materialize_grads=True)


def assert_golden(cases):
    for name, value, expected, *gradients in cases:
        pairs = [
            (value, expected),
            *((grad(value, leaf)[0], gradient) for leaf, gradient in gradients),
        ]
        for found, wanted in pairs:
            torch.testing.assert_close(
                found, tensor(wanted), rtol=1e-9, atol=1e-10, msg=f"{name}: {found}"
            )


def prepared(standardized, view):
    return tuple(map(standardize, view)) if standardized else view


def term_cases(terms=mlkd_terms):
    """One temperature and one view; LSKD goes in front of the instance term alone."""
    for file, (standardized, _, _) in FILES.items():
        views, _, out = golden(file)
        for T, expected in out["per_T"].items():
            for name, (s, t) in views.items():
                values = terms(s, t, float(T))
                first = prepared(standardized, (s, t))
                values["instance"] = terms(*first, float(T))["instance"]
                for ours, theirs in PARTS.items():
                    key = f"{theirs}{name}"
                    yield (
                        f"{file} {key} at {T}",
                        values[ours],
                        expected[key],
                        (s, expected[f"grad_{key}"]),
                    )
                for i, sample in enumerate(expected[f"kd{name}_reduce_False"]):
                    alone = terms(*(z[i : i + 1] for z in first), float(T))["instance"]
                    yield f"{file} kd{name} of sample {i} at {T}", alone, sample


def official_cases(official=official):
    for file, (standardized, temperatures, weight) in FILES.items():
        views, labels, out = golden(file)
        values = official(views["_weak"], views["_strong"], temperatures, standardized)
        values = {f"loss_{theirs}": weight * values[ours] for ours, theirs in PARTS.items()}
        values["loss_ce"] = 0.1 * sum(F.cross_entropy(s, labels) for s, _ in views.values())
        values["student_logits"] = sum(values.values())
        for key, value in values.items():
            gradients = [(s, out[f"grad_{key}{name}"]) for name, (s, _) in views.items()]
            yield (
                f"{file} {key}",
                value,
                out["loss" if key == "student_logits" else key],
                *gradients,
            )
        for key, share in zip(
            ("mask_fraction", "class_mask_fraction"),
            confident_shares(views["_weak"][1]),
            strict=True,
        ):
            yield f"{file} {key}", share, out[key]


def all_cases(all_terms=all_terms):
    """Not run by the official code: the sum of its terms over temperatures and views."""
    for file, (standardized, temperatures, _) in FILES.items():
        views, _, out = golden(file)
        values = all_terms(views["_weak"], views["_strong"], temperatures, standardized)
        per_T = [out["per_T"][str(T)] for T in temperatures]
        for ours, theirs in PARTS.items():
            expected = sum(entry[f"{theirs}{name}"] for entry in per_T for name in views)
            gradients = [
                (s, sum(tensor(e[f"grad_{theirs}{name}"]) for e in per_T))
                for name, (s, _) in views.items()
            ]
            yield f"{file} {ours}", values[ours], expected, *gradients


def paper_cases(discom_paper=discom_paper):
    views, labels, out = golden("06c_discom_paper_competitors")
    s, _ = view = views[""]
    for z in (0, 1):
        loss, expected = (
            sum(discom_paper(view, standardized=bool(z)).values()),
            out[f"MLKD_znorm{z}_epoch0"],
        )
        yield f"z-score {z} distillation", loss, expected["loss_kd"]
        yield (
            f"z-score {z}",
            F.cross_entropy(s, labels) + loss,
            expected["loss"],
            (s, expected["grad_student_logits"]),
        )
    yield (
        "mlkd",
        sum(discom_paper(view).values()),
        out["mlkd_loss"],
        (s, out["grad_student_logits_mlkd_loss"]),
    )


def competitor_cases():
    """KD1, KD2, DKD and CTKD with the weights, warm-up and curriculum of those authors; epochs
    count from 0."""
    views, y, out = golden("06c_discom_paper_competitors")
    hard = F.cross_entropy(student := views[""][0], y)
    for z in (0, 1):
        s, t = prepared(z, views[""])
        runs = [
            ("KD1", 0, 0.0, 1.0),
            ("KD2", 0, 0.5, 0.5),
            *(("DKD", e, 1.0, min(e / 20, 1)) for e in (0, 10, 25)),
        ]
        for method, epoch, a, b in runs + [("CTKD", e, 0.1, 0.9) for e in (0, 1, 3, 5, 9)]:
            name, module, lambda_ = (
                f"{method}_znorm{z}_epoch{epoch}",
                CurriculumTemperature().double(),
                1.0,
            )
            expected, theta = out[name], ()
            if method == "CTKD":
                lambda_, theta = (
                    curriculum_lambda(epoch, loops=5),
                    ((module.theta, expected["grad_theta"]),),
                )
                yield f"{name} λ", tensor(lambda_), expected["decay_value"]
                yield f"{name} temperature", module(lambda_), expected["temp"]
            loss = dkd(s, t, y) if method == "DKD" else kd(s, t, module(lambda_) if theta else 4.0)
            yield f"{name} distillation", loss, expected["loss_kd"]
            yield (
                name,
                a * hard + b * loss,
                expected["loss"],
                (student, expected["grad_student_logits"]),
                *theta,
            )


CASES = {"terms": term_cases, "official": official_cases, "all": all_cases, "paper": paper_cases}


@pytest.mark.parametrize("cases", [*CASES.values(), competitor_cases])
def test_official_code(cases):
    assert_golden(cases())


# ---------------------------------------------------------------- 1. reference: the equations, in
# loops


def softmax(row, T=1.0):
    powers = [((z - max(row)) / T).exp() for z in row]
    return [power / sum(powers) for power in powers]


def gram_gap(p, q):
    """‖q qᵀ - p pᵀ‖² for lists of rows."""
    n = range(len(p))
    dot = [
        [[sum(a * b for a, b in zip(x[i], x[j], strict=True)) for j in n] for i in n]
        for x in (p, q)
    ]
    return sum((dot[1][i][j] - dot[0][i][j]) ** 2 for i in n for j in n)


def loop_terms(s, t, T):
    p, q = ([softmax(row, T) for row in z] for z in (s, t))
    kl = sum(
        b * (b / a).log() for x, y in zip(p, q, strict=True) for a, b in zip(x, y, strict=True)
    )
    batch, classes = (
        gram_gap(p, q),
        gram_gap(list(zip(*p, strict=True)), list(zip(*q, strict=True))),
    )
    return {"instance": T**2 * kl / len(p), "batch": batch / len(p), "classes": classes / len(p[0])}


def share(values):
    ordered = sorted(values)
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return sum(v <= median for v in values) / len(values)


def loop_official(weak, strong, temperatures=(4, 3, 5, 2, 6), standardized=False):
    q = [softmax(row) for row in weak[1]]
    total = dict.fromkeys(PARTS, 0.0)
    shares = {
        "batch": share([max(row) for row in q]),
        "classes": share([sum(c) for c in zip(*q, strict=True)]),
    }
    for k, T in enumerate(temperatures):
        for name, f in shares.items():
            total[name] += f * loop_terms(*weak, T)[name]
        for f, view in ((shares["batch"], weak), (1.0, strong if k < 3 else weak)):
            total["instance"] += f * loop_terms(*prepared(standardized, view), T)["instance"]
    return total


def loop_all(weak, strong, temperatures=(4, 3, 5, 2, 6), standardized=False):
    total = dict.fromkeys(PARTS, 0.0)
    for name, view, T in (
        (name, view, T) for name in PARTS for view in (weak, strong) for T in temperatures
    ):
        total[name] += loop_terms(*prepared(standardized and name == "instance", view), T)[name]
    return total


def loop_paper(weak, temperatures=(2, 3, 4, 5, 6), standardized=False):
    s, t = prepared(standardized, weak)
    total = {name: sum(loop_terms(s, t, T)[name] for T in temperatures) for name in PARTS}
    total["instance"] = 0.0
    for a, b, T in ((a, b, T) for T in temperatures for a, b in zip(s, t, strict=True)):
        total["instance"] += (
            sum(u * (u.log() - v) for u, v in zip(softmax(a, T), softmax(b, T), strict=True))
            / s.numel()
        )
    return total


def forms(terms, official, all_terms, paper):
    """Every term as a function of two views."""
    found = {}
    for part in PARTS:
        found[f"terms {part}"] = lambda weak, strong, part=part: terms(*weak, 3.0)[part]
        for z in (False, True):
            before = "LSKD " * z
            found[f"{before}official {part}"] = lambda w, s, part=part, z=z: official(
                w, s, standardized=z
            )[part]
            found[f"{before}all {part}"] = lambda w, s, part=part, z=z: all_terms(
                w, s, standardized=z
            )[part]
            found[f"{before}paper {part}"] = lambda w, s, part=part, z=z: paper(w, standardized=z)[
                part
            ]
    return found


LOSSES = forms(mlkd_terms, official, all_terms, discom_paper)
REFERENCES = forms(loop_terms, loop_official, loop_all, loop_paper)
every_loss = pytest.mark.parametrize("name", LOSSES)


def case(batch=4, classes=3, seed=0):
    """A weak and a strong view."""
    draw = torch.Generator().manual_seed(seed)
    logits = [
        2 * torch.randn(batch, classes, generator=draw, dtype=torch.float64) for _ in range(4)
    ]
    return (logits[0].requires_grad_(), logits[1]), (logits[2].requires_grad_(), logits[3])


@every_loss
@pytest.mark.parametrize("shape", [(4, 3), (1, 2)])
def test_equals_the_loop_reference(name, shape):
    weak, strong = case(*shape)
    ours, theirs = (losses[name](weak, strong) for losses in (LOSSES, REFERENCES))
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)
    found = (grad(value, [weak[0], strong[0]]) for value in (ours, theirs))
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-12)
    single = LOSSES[name](*((s.float(), t.float()) for s, t in (weak, strong)))
    assert (ours.shape, single.dtype) == ((), torch.float32)
    assert single.item() == pytest.approx(ours.item(), rel=1e-5, abs=1e-9)
    if "paper instance" not in name:  # whose least value is another closed form of check 2
        assert LOSSES[name](*((t, t) for _, t in (weak, strong))).item() == pytest.approx(
            0, abs=1e-12
        )


# ---------------------------------------------------------------- 2. closed forms


def test_hand_values():
    """A sure teacher of two samples, an unsure student: Grams I and (1/2) everywhere, both 2 × 2;
    KL = log 2."""
    values = mlkd_terms(torch.zeros(2, 2), 1e4 * torch.eye(2), 2.0).values()
    assert [value.item() for value in values] == pytest.approx([4 * math.log(2), 0.5, 0.5])


def test_the_papers_instance_term_is_least_at_the_softmax_of_a_softmax():
    """There it is -log Σ_c e^{p_t} / C, below its value at the teacher itself."""
    (s, t), _ = case(6, 5)

    def value(s):
        return discom_paper((s, t), [3.0])["instance"]

    p = (t / 3).softmax(1)
    best = (3 * p).requires_grad_()  # at T = 3 its probabilities are softmax(p)
    assert value(best).item() == pytest.approx(-p.logsumexp(1).mean().item() / 5)
    assert grad(value(best), best)[0].abs().max() < 1e-12
    assert value(best) < min(value(t), value(s), 0)


def test_shares_of_confident_samples_and_classes():
    """The median counts, so (n + 1) / 2n for odd n, and what ties with it; the weak view's teacher
    decides."""
    for shape in ((1, 2), (4, 3), (5, 6)):
        found = confident_shares(case(*shape)[0][1])
        assert [share.item() for share in found] == pytest.approx([-(-n // 2) / n for n in shape])
    assert confident_shares(tensor([[2.0, 0.0, 0.0]] * 3 + [[3.0, 0.0, 0.0]]))[0] == 0.75
    t = (
        1e4 * F.one_hot(torch.tensor([0, 0, 1, 2]), 4).double()
    )  # equally sure of classes with 2, 1, 1 and 0 samples
    assert [share.item() for share in confident_shares(t)] == [1, 0.75]
    weak = sum(mlkd_terms(0 * t, t, T)["classes"] for T in range(2, 7))
    assert official((0 * t, t), case(4, 4)[1])["classes"].item() == pytest.approx(
        0.75 * weak.item()
    )


# ---------------------------------------------------------------- 3. gradients


@every_loss
def test_gradients(name):
    """Finite differences for students and teachers; a share is no function of the logits that one
    could descend."""
    weak, strong = case(3, 3)
    teachers = [] if "official" in name else [t.clone().requires_grad_() for _, t in (weak, strong)]

    def value(s, s2, t=weak[1], t2=strong[1]):
        return LOSSES[name]((s, t), (s2, t2)) + 0 * sum(z.sum() for z in (s, s2, t, t2))

    assert torch.autograd.gradcheck(value, [weak[0], strong[0], *teachers])
    before = LOSSES[name](weak, strong)
    before.backward()
    assert weak[0].grad.abs().sum(1).min() > 0
    assert weak[1].grad is strong[1].grad is None
    assert (strong[0].grad is not None) == (
        " all" in f" {name}" or name.endswith("official instance")
    )
    assert abs(LOSSES[name]((strong[0], weak[1]), strong) - before) > 1e-4


# ---------------------------------------------------------------- 4. scale


@every_loss
def test_repeating_the_batch(name):
    """‖·‖² of a B × B Gram over B grows like the copies, that of a C × C Gram over C like their
    square."""
    views = case()
    many = [(s.repeat(3, 1), t.repeat(3, 1)) for s, t in views]
    factor = {"instance": 1, "batch": 3, "classes": 9}[name.split()[-1]]
    assert LOSSES[name](*many).item() == pytest.approx(
        factor * LOSSES[name](*views).item(), rel=1e-9
    )


def test_only_the_instance_gradient_keeps_its_size_when_the_temperature_changes():
    (s, t), _ = case(16, 10)
    for part in PARTS:
        cool, hot = (grad(mlkd_terms(s, t, T)[part], s)[0].norm() for T in (4.0, 32.0))
        assert (cool < 3 * hot) == (part == "instance")


# ---------------------------------------------------------------- 5. what changes nothing, and what
# must


@settings(derandomize=True, database=None, deadline=None, max_examples=10)
@given(st.integers(1, 5), st.integers(2, 4), st.integers(0, 1000), st.data())
def test_order_and_constants_change_nothing(batch, classes, seed, data):
    """Samples (of both views together) and classes in another order, a constant added to each
    row."""
    views = case(batch, classes, seed)
    rows, columns = (torch.tensor(data.draw(st.permutations(range(n)))) for n in (batch, classes))
    constants = tensor(data.draw(st.lists(st.floats(-50, 50), min_size=batch, max_size=batch)))[
        :, None
    ]
    moved = [
        tuple((z + k * constants)[rows][:, columns] for k, z in enumerate(view)) for view in views
    ]
    for name, loss in LOSSES.items():
        assert loss(*moved).item() == pytest.approx(loss(*views).item(), rel=1e-6, abs=1e-12), name


@every_loss
def test_what_must_change(name):
    weak, strong = case(6, 4)
    value = LOSSES[name](weak, strong)

    def changes(weak, strong):
        return abs((LOSSES[name](weak, strong) - value).item()) > 1e-6

    combination, part = name.split()[-2:]
    assert changes((weak[0], weak[1].roll(1, 0)), strong) == (
        part != "classes"
    )  # this Gram sums over samples,
    assert changes((weak[0].roll(1, 1), weak[1]), strong) == (
        part != "batch"
    )  # and that one over classes
    assert changes(strong, weak) == (combination != "all")
    if combination == "terms":
        assert changes(weak[::-1], strong) == (part == "instance")  # the two others are distances
    elif not name.startswith("LSKD"):  # which those authors put in front of every term
        same = LOSSES[f"LSKD {name}"](weak, strong).item() == value.item()
        assert same == (combination != "paper" and part != "instance")


# ---------------------------------------------------------------- 6. edges

BIG = torch.tensor([[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, 0.0], [0.0, 0.0, -1e4, -1e4]])
GAP = torch.tensor([[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 1.0, 2.0], [1000.0, 1000.0, 0.0, 0.0]])
ROW = torch.tensor([[1.0, -2.0, 0.5, 4.0]])
# name → logits of student and teacher
EDGES = {
    "batch of one": (ROW, ROW.flip(1)),
    "identical rows": (ROW.repeat(3, 1), ROW.flip(1).repeat(3, 1)),
    "constant rows": (torch.full((2, 3), 3.3), torch.full((2, 3), -7.1)),
    "±1e4, agreeing": (BIG, BIG),
    "±1e4, opposed": (BIG, -BIG),
    "±1e4, teacher": (ROW.repeat(3, 1), BIG),
    "±1e4, student": (BIG, ROW.repeat(3, 1)),
    "gap of 1000, agreeing": (GAP, GAP),
    "gap of 1000, opposed": (GAP, GAP.flip(1)),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges_stay_finite(edge):
    """In float32: the values, and the gradients of students and teachers, and of θ where the
    temperature is learned."""
    weak = tuple(z.clone().requires_grad_() for z in EDGES[edge])
    strong = tuple(z.clone().requires_grad_() for z in EDGES[edge][::-1])
    values = {name: (loss(weak, strong), [*weak, *strong]) for name, loss in LOSSES.items()}
    module = CurriculumTemperature()
    for part in PARTS:
        for name, view in (("learned", weak), ("learned LSKD", prepared(True, weak))):
            values[f"{name} {part}"] = mlkd_terms(*view, module(-1.0))[part], [*weak, module.theta]
    for name, (value, leaves) in values.items():
        assert (-1e4 if "paper instance" in name else -1e-5) <= value < math.inf, name
        assert all(gradient.isfinite().all() for gradient in grad(value, leaves)), name


ZERO = torch.zeros(3, 4)
MAKERS = {
    "terms": lambda weak, T, z: mlkd_terms(*prepared(z, weak), T),
    "official": lambda weak, T, z: official(weak, (ZERO, ZERO), (4, 3, 5, 2, T), z),
    "all": lambda weak, T, z: all_terms((ZERO, ZERO), weak, (4, T), z),
    "paper": lambda weak, T, z: discom_paper(weak, (2, T), z),
}
# name → view, temperature, standardized, message
WRONG = {
    f"T = {T}": (ZERO, ZERO, T, False, f"temperature: {T} ") for T in (0, -1, math.nan, math.inf)
} | {
    "other classes": (
        ZERO,
        torch.zeros(3, 5),
        4,
        False,
        r"logits: student \(3, 4\), teacher \(3, 5\)",
    ),
    "other samples": (
        torch.zeros(2, 4),
        ZERO,
        4,
        False,
        r"logits: student \(2, 4\), teacher \(3, 4\)",
    ),
    "one class": (ZERO[:, :1], ZERO[:, :1], 4, True, "logits: (1 class |views of shapes )"),
    "no samples": (ZERO[:0], ZERO[:0], 4, False, "logits: no samples"),
    "one dimension": (ZERO[0], ZERO[0], 4, False, r"logits: student \(4,\)"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("maker", MAKERS)
def test_wrong_input_is_named(maker, wrong):
    s, t, T, z, message = WRONG[wrong]
    with pytest.raises(ValueError, match=f"^{message}"):
        MAKERS[maker]((s, t), T, z)


def test_combinations_have_names():
    assert [check_combination(name) for name in ("official", "all-terms", "discom-paper")] == [
        None
    ] * 3
    with pytest.raises(
        ValueError,
        match=r"^combination: 'paper' is unknown; choose official, all-terms, discom-paper",
    ):
        check_combination("paper")


# ---------------------------------------------------------------- 7. mutations: wrong copies must
# be caught


def but(right, change):
    """The right function's terms, some of them replaced."""
    return lambda *args, **options: (
        (found := right(*args, **options)) | change(found, *args, **options)
    )


def total(part, view, temperatures):
    return sum(mlkd_terms(*view, T)[part] for T in temperatures)


# name, which begins with the method → what replaces the package's function
MUTANTS = {
    "terms: teacher twice": lambda s, t, T: mlkd_terms(t + 0 * s, t, T),
    "terms: swapped": but(mlkd_terms, lambda v, s, t, T: {"instance": kd(t, s, T)}),
    "terms: without T²": but(mlkd_terms, lambda v, s, t, T: {"instance": v["instance"] / T**2}),
    "terms: T² on every term": but(mlkd_terms, lambda v, s, t, T: {"batch": v["batch"] * T**2}),
    "terms: Grams swapped": but(mlkd_terms, lambda v, s, t, T: {"batch": v["classes"], "classes": v["batch"]}),
    "terms: mean of the Gram": but(mlkd_terms, lambda v, s, t, T: {"batch": v["batch"] / len(s)}),
    "official: masks dropped": but(official, lambda v, w, s, Ts, z: {k: total(k, w, Ts) for k in ("batch", "classes")}),
    "official: strong view at every T": but(official, lambda v, w, s, Ts, z: {
        "instance": v["instance"] + sum(kd(*prepared(z, s), T) - kd(*prepared(z, w), T) for T in Ts[3:])}),
    "official: standardized everywhere": lambda w, s, Ts, z: official(prepared(z, w), prepared(z, s), Ts),
    "all: official": official,
    "all: mean of the views": but(all_terms, lambda v, *_: {part: v[part] / 2 for part in PARTS}),
    "paper: Kullback-Leibler": but(
        discom_paper, lambda v, view, **z: {"instance": sum(kd(*view, T) / T**2 / 7 for T in range(2, 7))}
    ),
    "paper: mean over the batch": but(discom_paper, lambda v, view, **z: {"instance": v["instance"] * 7}),
    "paper: swapped": lambda view, **z: discom_paper(view[::-1], **z),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_copies_are_caught(name):
    with pytest.raises(AssertionError):
        assert_golden(CASES[name.split(":")[0]](MUTANTS[name]))


@pytest.mark.parametrize("temperatures", [(), (4, 3, 5, 2), (4, 3, 5, 2, 6, 1)])
def test_the_official_combination_has_five_temperatures(temperatures):
    with pytest.raises(ValueError, match=r"^temperatures: "):
        official((ZERO, ZERO), (ZERO, ZERO), temperatures)


def test_no_temperature_is_no_loss():
    for call in (
        lambda: all_terms((ZERO, ZERO), (ZERO, ZERO), ()),
        lambda: discom_paper((ZERO, ZERO), ()),
    ):
        with pytest.raises(ValueError, match=r"^temperatures: "):
            call()


def test_equal_confidences_stay_equal_in_float32():
    assert [share.item() for share in confident_shares(torch.zeros(8, 6))] == [1.0, 1.0]
