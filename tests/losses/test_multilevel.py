"""MLKD in its three combinations, and the competitors as the DisCoM-KD authors coded them."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, normal, seven_checks

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

PARTS = {"instance": "kd", "batch": "bc", "classes": "cc"}  # our term → the golden file's
# file → standardized, temperatures, weight of the distillation
FILES = {"05_mlkd": (False, (4, 3, 5, 2, 6), 0.9), "03d_lskd_mlkd": (True, (2, 3, 5, 2, 6), 9)}

# ---------------------------------------------------------------- numbers of the official codes


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
    values, standardized = golden(file), FILES[file][0]
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


@pytest.mark.parametrize("file", FILES)
def test_the_official_combination_is_the_official_codes(file):
    values, (standardized, temperatures, weight) = golden(file), FILES[file]
    views, out = views_of(values), values.outputs
    terms = official(views["_weak"], views["_strong"], temperatures, standardized)
    sums = {f"loss_{theirs}": weight * terms[ours] for ours, theirs in PARTS.items()}
    hard = [F.cross_entropy(s, values.inputs["targets"]) for s, _ in views.values()]
    sums["loss_ce"] = 0.1 * sum(hard)
    for key, value in sums.items():
        found = [(s, out[f"grad_{key}{name}"]) for name, (s, _) in views.items()]
        assert_golden([(key, value, out[key], *found)])
    found = [(s, out[f"grad_student_logits{name}"]) for name, (s, _) in views.items()]
    assert_golden([("loss", sum(sums.values()), out["loss"], *found)])
    shares = confident_shares(views["_weak"][1])
    assert_golden(
        zip("bc", shares, (out["mask_fraction"], out["class_mask_fraction"]), strict=True)
    )


@pytest.mark.parametrize("file", FILES)
def test_all_terms_are_sums_of_the_official_ones(file):
    values, (standardized, temperatures, _) = golden(file), FILES[file]
    views = views_of(values)
    terms = all_terms(views["_weak"], views["_strong"], temperatures, standardized)
    rows = [values.outputs["per_T"][str(T)] for T in temperatures]
    for ours, theirs in PARTS.items():
        expected = sum(row[f"{theirs}{name}"] for row in rows for name in views)
        found = [(s, sum(r[f"grad_{theirs}{n}"] for r in rows)) for n, (s, _) in views.items()]
        assert_golden([(ours, terms[ours], expected, *found)])


@pytest.mark.parametrize("z", [0, 1])
def test_competitors_as_the_discom_kd_authors_coded_them(z):
    """Their weights, warm-up and curriculum, without and with LSKD; epochs count from 0."""
    values = golden("06c_discom_paper_competitors")
    view, y, out = views_of(values)[""], values.inputs["targets"], values.outputs
    s, t = prepared(z, view)
    hard = F.cross_entropy(view[0], y)
    runs = [("KD1", 0, 0.0, 1.0, kd(s, t)), ("KD2", 0, 0.5, 0.5, kd(s, t))]
    runs += [("DKD", e, 1.0, min(e / 20, 1), dkd(s, t, y)) for e in (0, 10, 25)]
    runs.append(("MLKD", 0, 1.0, 1.0, sum(discom_paper(view, standardized=bool(z)).values())))
    for method, epoch, a, b, soft in runs:
        expected = out[f"{method}_znorm{z}_epoch{epoch}"]
        gradient = (view[0], expected["grad_student_logits"])
        assert_golden([(method, soft, expected["loss_kd"])])
        assert_golden([(method, a * hard + b * soft, expected["loss"], gradient)])
    for epoch in (0, 1, 3, 5, 9):
        expected, module = out[f"CTKD_znorm{z}_epoch{epoch}"], CurriculumTemperature().double()
        lambda_ = curriculum_lambda(epoch, loops=5)
        assert_golden([("λ", lambda_, expected["decay_value"])])
        value = 0.1 * hard + 0.9 * kd(s, t, module(lambda_))
        found = (view[0], expected["grad_student_logits"]), (module.theta, expected["grad_theta"])
        assert_golden([(f"CTKD {epoch}", value, expected["loss"], *found)])


# ---------------------------------------------------------------- the equations, in loops


def softmax(row, T=1.0):
    powers = [((z - max(row)) / T).exp() for z in row]
    return [power / sum(powers) for power in powers]


def gram_gap(p, q):
    """‖q qᵀ - p pᵀ‖² for lists of rows."""
    total = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            ours = sum(a * b for a, b in zip(p[i], p[j], strict=True))
            theirs = sum(a * b for a, b in zip(q[i], q[j], strict=True))
            total = total + (theirs - ours) ** 2
    return total


def loop_terms(s, t, T):
    p, q = ([softmax(row, T) for row in z] for z in (s, t.detach()))
    pairs = [(a, b) for x, y in zip(p, q, strict=True) for a, b in zip(x, y, strict=True)]
    columns = [list(zip(*x, strict=True)) for x in (p, q)]
    return {
        "instance": T**2 * sum(b * (b / a).log() for a, b in pairs) / len(p),
        "batch": gram_gap(p, q) / len(p),
        "classes": gram_gap(*columns) / len(p[0]),
    }


def share(values):
    ordered = sorted(values)
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return sum(v <= median for v in values) / len(values)


def loop_official(weak, strong, standardized):
    q, total = [softmax(row) for row in weak[1].detach()], 0.0
    samples = share([max(row) for row in q])
    classes = share([sum(column) for column in zip(*q, strict=True)])
    for k, T in enumerate((4, 3, 5, 2, 6)):
        terms = loop_terms(*weak, T)
        total = total + samples * terms["batch"] + classes * terms["classes"]
        for factor, view in ((samples, weak), (1.0, strong if k < 3 else weak)):
            instance = loop_terms(*prepared(standardized, view), T)["instance"]
            total = total + factor * instance
    return total


def loop_all(weak, strong, standardized):
    total = 0.0
    for view in (weak, strong):
        for T in (4, 3, 5, 2, 6):
            terms = loop_terms(*view, T)
            terms["instance"] = loop_terms(*prepared(standardized, view), T)["instance"]
            total = total + sum(terms.values())
    return total


def loop_paper(weak, strong, standardized):
    s, t = prepared(standardized, weak)
    total = 0.0
    for T in range(2, 7):
        terms = loop_terms(s, t, T)
        total = total + terms["batch"] + terms["classes"]
        for a, b in zip(s, t.detach(), strict=True):
            pairs = zip(softmax(a, T), softmax(b, T), strict=True)
            total = total + sum(u * (u.log() - v) for u, v in pairs) / s.numel()
    return total


def draw(seed):
    return tuple(normal(4, 3, seed=10 * seed + k) for k in range(4))


def flat(combine):
    """A combination as a function of student and teacher logits, weak then strong."""
    return lambda s, t, s2, t2: combine((s, t), (s2, t2))


def summed(combine, **options):
    return flat(lambda weak, strong: sum(combine(weak, strong, **options).values()))


def paper(weak, strong, **options):
    return discom_paper(weak, **options)


def but(combine, term, factor):
    """A combination with one term scaled."""

    def wrong(weak, strong):
        terms = combine(weak, strong)
        return sum(terms.values()) + (factor - 1) * terms[term]

    return flat(wrong)


def terms_at_3(weak, strong):
    return mlkd_terms(*weak, 3.0)


def rows_and_columns(s, t, s2, t2):
    order = torch.tensor([2, 0, 1])
    return tuple(z.flip(0)[:, order] + 3 for z in (s, t, s2, t2))


def other_teacher(s, t, s2, t2):
    return s, t.roll(1, 0), s2, t2


EYE, ZERO = torch.eye(3), torch.zeros(3, 3)
SAME = (EYE, EYE, EYE, EYE)
BIG = torch.tensor([[1e4, -1e4, 0.0], [0.0, 1e4, 0.0], [0.0, 0.0, 0.0]])
EDGES = [(BIG, -BIG, -BIG, BIG), (ZERO[:1], EYE[:1], EYE[:1], EYE[:1]), (ZERO, ZERO, ZERO, ZERO)]
SHAPES = [
    ((ZERO, ZERO[:, :2], ZERO, ZERO), r"^logits: student \(3, 3\), teacher \(3, 2\)"),
    ((ZERO[:0],) * 4, "^logits: no samples"),
]
VIEWS = [((ZERO, ZERO, ZERO[:2], ZERO[:2]), "^logits: views of shapes")]
SURE = 1e4 * torch.eye(2), torch.zeros(2, 2)
CASES = {
    "mlkd terms": Case(
        summed(terms_at_3),
        flat(lambda weak, strong: sum(loop_terms(*weak, 3.0).values())),
        draw,
        closed=[(SAME, 0.0), ((SURE[1], SURE[0], *SURE), 9 * math.log(2) + 0.5 + 0.5)],
        same=[rows_and_columns],
        different=[other_teacher],
        edges=EDGES,
        refused=SHAPES,
        wrong={
            "without T²": but(terms_at_3, "instance", 1 / 9),
            "T² on the Gram": but(terms_at_3, "batch", 9),
            "mean of the Gram": but(terms_at_3, "classes", 1 / 3),
            "teacher twice": lambda s, t, s2, t2: sum(mlkd_terms(t + 0 * s, t, 3.0).values()),
        },
    ),
    **{
        f"{name}{' lskd' * lskd}": Case(
            summed(combine, standardized=lskd),
            flat(lambda weak, strong, loops=loops, lskd=lskd: loops(weak, strong, lskd)),
            draw,
            students=students,
            teachers=teachers,
            closed=closed,
            same=[rows_and_columns],
            different=[other_teacher],
            edges=EDGES,
            refused=SHAPES + (VIEWS if combine is not paper else []),
            wrong={
                "half the batch term": but(combine, "batch", 0.5),
                "twice the class term": but(combine, "classes", 2),
                "half the instance term": but(combine, "instance", 0.5),
                "the other way of LSKD": summed(combine, standardized=not lskd),
                **wrong,
            },
        )
        for lskd in (False, True)
        for name, combine, loops, students, teachers, closed, wrong in (
            (
                "official",
                official,
                loop_official,
                (0, 2),
                (1, 3),
                [(SAME, 0.0)],
                {"all": summed(all_terms)},
            ),
            (
                "all terms",
                all_terms,
                loop_all,
                (0, 2),
                (1, 3),
                [(SAME, 0.0)],
                {"official": summed(official)},
            ),
            # uniform students and teachers: Σ_T 1/C · (log 1/C - 1/C), which is negative
            (
                "paper",
                paper,
                loop_paper,
                (0,),
                (1, 2, 3),
                [((ZERO,) * 4, -5 / 3 * (math.log(3) + 1 / 3))],
                {"kl": flat(lambda w, _: sum(kd(*w, T) / T**2 / 3 for T in range(2, 7)))},
            ),
        )
    },
}
test_seven_checks = seven_checks(CASES)

# ---------------------------------------------------------------- what only one of them has


def test_the_papers_instance_term_is_least_at_the_softmax_of_a_softmax():
    """There it is -log Σ_c e^{p_t} / C, below its value at the teacher itself."""
    s, t = normal(6, 5), normal(6, 5, seed=1)
    p = (t / 3).softmax(1)
    best = (3 * p).requires_grad_()  # at T = 3 its probabilities are softmax(p)
    value = discom_paper((best, t), [3.0])["instance"]
    assert value.item() == pytest.approx(-p.logsumexp(1).mean().item() / 5)
    assert torch.autograd.grad(value, best)[0].abs().max() < 1e-12
    assert value < min(discom_paper((z, t), [3.0])["instance"] for z in (s, t))


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: official((ZERO, ZERO), (ZERO, ZERO), ()), "^temperatures: "),
        (lambda: official((ZERO, ZERO), (ZERO, ZERO), (4, 3, 5, 2)), "^temperatures: "),
        (lambda: all_terms((ZERO, ZERO), (ZERO, ZERO), ()), "^temperatures: "),
        (lambda: discom_paper((ZERO, ZERO), ()), "^temperatures: "),
        (lambda: check_combination("paper"), "^combination: 'paper' .* official, all-terms, disc"),
    ],
)
def test_bad_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
