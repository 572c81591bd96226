"""KD, DKD, MLKD, LSKD and CTKD: numbers of the official codes, the seven checks, the curriculum."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, Point, normal, seven_checks, twice
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.losses import distill
from discom.losses.distill import confident_shares, dkd_terms, kd, mlkd_terms, standardize

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)
KINDS = ("student_logits", "teacher_logits", "targets")
PARTS = {"instance": "kd", "batch": "bc", "classes": "cc"}  # our term of MLKD → the golden file's


def lskd(loss):
    """The loss of logits that are standardised first."""
    return lambda s, t, *rest: loss(standardize(s), standardize(t), *rest)


def points_of_kd(file, key, temperatures):
    x, out = golden(file)
    for T in temperatures:
        found = {0: out[f"grad_student_logits_{key}_T{T}"]}
        yield Point((x["student_logits"], x["teacher_logits"], T), out[f"{key}_T{T}"], found)


def points_of_dkd(file, T, alpha, betas):
    """The weights of the two terms are the last inputs."""
    x, out = golden(file)
    s, t, y = (x[kind] for kind in KINDS)
    binary = out.get("binary_case_first_two_columns_targets_mod_2")
    cases = [(out, (s, t, y), betas)]
    cases += [(binary, (s[:, :2], t[:, :2], y % 2), (8,))] if binary else []
    for own, inputs, several in cases:
        weights = {"tckd": (1, 0), "nckd": (0, 1)}
        weights |= {f"total_a{alpha}_b{beta}": (alpha, beta) for beta in several}
        for name, pair in weights.items():
            found = {0: own[f"grad_student_logits_{name}"]}
            yield Point((*inputs, T, *pair), own[name], found)


def points_of_mlkd(term, file):
    """Of one view, or of two."""
    x, out = golden(file)
    for T, own in out["per_T"].items():
        for view in ("_weak", "_strong") if "student_logits_weak" in x else ("",):
            key = f"{PARTS[term]}{view}"
            inputs = x[f"student_logits{view}"], x[f"teacher_logits{view}"], float(T)
            yield Point(inputs, own[key], {0: own[f"grad_{key}"]})


def dkd(s, t, y, T, alpha, beta):
    target, others = dkd_terms(s, t, y, T)
    return alpha * target + beta * others


def wrong_dkd(wrong):
    """A copy of `dkd` from what `kd` says and its two terms."""

    def loss(s, t, y, T, alpha, beta):
        target, others = dkd_terms(s, t, y, T)
        return wrong(kd(s, t, T), target, others, alpha, beta)

    return loss


def columns_and_rows(s, t, *rest):
    """Classes in another order, and a constant added to each row."""
    order = torch.tensor([*range(1, s.shape[1]), 0])
    y = [order.argsort()[x] if isinstance(x, torch.Tensor) else x for x in rest]
    return s[:, order] + 7, t[:, order] - 5, *y


def times_and_plus(s, t, *rest):
    return 3 * s + 1, 0.2 * t - 4, *rest


BIG = torch.tensor([[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, 0.0]])
GAP = torch.tensor([[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 1.0, 2.0]])
PLAIN, Y = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).repeat(2, 1), torch.tensor([0, 1])
QUARTERS = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)  # KL((3/4, 1/4) ‖ (1/2, 1/2))
ZEROS = torch.zeros(1, 4), torch.tensor([[1e4, 0.0, 0.0, 0.0]])
CERTAIN = torch.zeros(2, 2), 1e4 * torch.eye(2)  # an undecided student and a teacher without doubt


def common(*rest, labels=()):
    """Extreme inputs, and inputs that are refused; `rest` follows the temperature."""
    edges = [(s, t, *labels, 3.0, *rest) for s in (BIG, GAP, PLAIN) for t in (-BIG, GAP, 0 * PLAIN)]
    edges += [(PLAIN[:1], BIG[:1], *(y[:1] for y in labels), 0.5, *rest)]
    refused = [
        ((PLAIN, PLAIN[:, :3], *labels, 3.0, *rest), r"^logits: student \(2, 4\), teacher \(2, 3"),
        ((PLAIN[0], PLAIN[0], *labels, 3.0, *rest), r"^logits: student \(4,\)"),
        ((PLAIN[:0], PLAIN[:0], *(y[:0] for y in labels), 3.0, *rest), "^logits: no samples"),
    ]
    for T in (0, -0.5, math.nan, math.inf):
        refused.append(((PLAIN, PLAIN, *labels, T, *rest), f"^temperature: {T} "))
    return {"edges": edges, "refused": refused}


ONE_CLASS = PLAIN[:, :1], PLAIN[:, :1]
CASES = {
    "kd": Case(
        kd,
        [*points_of_kd("01_kd_hinton", "kl_T2", (4, 1, 2))],
        [
            ((PLAIN, PLAIN - 9, 3.0), 0.0),
            ((torch.zeros(1, 2), 2 * torch.tensor([[3.0, 1.0]]).log(), 2.0), 4 * QUARTERS),
            ((*ZEROS, 1.0), math.log(4)),
            ((torch.tensor([[1e4, 0]]), torch.tensor([[0, 1e4]]), 4.0), 4e4),  # T² · gap / T
        ],
        {
            "swapped": lambda s, t, T: kd(t, s, T),
            "without T²": lambda s, t, T: kd(s, t, T) / T**2,
            "standardised": lskd(kd),
        },
        same=[twice, columns_and_rows],
        **common(),
    ),
    "kd of lskd": Case(
        lskd(kd),
        [*points_of_kd("03b_lskd_kd", "kd", (2, 4))],
        [((PLAIN, 5 * PLAIN - 9, 3.0), 0.0)],
        {"as they are": kd},
        same=[twice, times_and_plus],
        refused=[((*ONE_CLASS, 3.0), "^logits: 1 class has no spread")],
    ),
    "dkd": Case(
        dkd,
        [*points_of_dkd("02_dkd", 4, 1, (2, 6, 8))],
        [
            ((PLAIN, PLAIN - 9, Y, 3.0, 1, 8), 0.0),
            # the teacher's rest is uniform, as the student's
            ((*ZEROS, torch.tensor([0]), 1.0, 0.5, 2), 0.5 * math.log(4)),
        ],
        {
            "terms swapped": lambda s, t, y, T, alpha, beta: dkd(s, t, y, T, beta, alpha),
            "target kept": wrong_dkd(lambda whole, target, others, a, b: a * target + b * whole),
            "without T²": lambda s, t, y, T, *weights: dkd(s, t, y, T, *weights) / T**2,
        },
        same=[twice, columns_and_rows],
        **common(1, 8, labels=(Y,)),
    ),
    "dkd of lskd": Case(
        lskd(dkd),
        [*points_of_dkd("03c_lskd_dkd", 2, 9, (72,))],
        [((PLAIN.double(), 5 * PLAIN.double() - 9, Y, 3.0, 1, 8), 0.0)],
        {"as they are": dkd},
        same=[twice, times_and_plus],
        refused=[((*ONE_CLASS, Y, 3.0, 1, 8), "^logits: 1 class ")],
    ),
}
CLOSED = {"instance": 9 * math.log(2), "batch": 0.5, "classes": 0.5}  # at T = 3, where certain
for term in PARTS:
    for standardized, file in {False: "05_mlkd", True: "03d_lskd_mlkd"}.items():

        def loss(s, t, T, term=term, standardized=standardized):
            return mlkd_terms(s, t, T, standardized=standardized)[term]

        CASES[f"mlkd {term}{' of lskd' if standardized else ''}"] = Case(
            loss,
            [*points_of_mlkd(term, file)],
            [((PLAIN, PLAIN - 9, 3.0), 0.0)]
            + ([] if standardized else [((*CERTAIN, 3.0), CLOSED[term])]),
            {"T² more": lambda s, t, T, loss=loss: T**2 * loss(s, t, T)},
            same=[columns_and_rows],
            **common(),
        )


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


def test_standardize_is_that_of_the_official_code():
    x, out = golden("03a_lskd_normalize")
    s = x["student_logits"].requires_grad_()
    inputs = {"student": s, "teacher": x["teacher_logits"]}
    inputs |= {"constant_row": x["constant_row"], "student_times_1000": 1000 * s}
    for name, z in inputs.items():
        assert_golden([(name, standardize(z), out[f"normalize_{name}"])])
    along = (standardize(s) * out["vjp_cotangent"]).sum()
    assert_golden([("vjp", along, along.detach(), (s, out["vjp_student"]))])


def test_ctkd_is_that_of_the_official_code():
    x, out = golden("04_ctkd")
    s, t, labels = (x[kind] for kind in KINDS)
    ce = F.cross_entropy(s.requires_grad_(), labels)
    for key, limits in (("temperature", (1, 20)), ("temperature_t_start2_t_end10", (2, 10))):
        for entry in out[key]:
            module = distill.CurriculumTemperature(*limits, theta=entry["theta"]).double()
            assert_golden([(key, module(), entry["temp"])])
    for loops in (10, 5):
        for epoch, value in out["lambda_cosine"][f"max0_min_m1_loops{loops}"].items():
            assert_golden([(f"λ({epoch})", distill.curriculum_lambda(int(epoch), loops), value)])
    runs = [(0.1, 0.9, {"theta": 1, "lambda_": -1, **out})]
    bare = out["distillkl_theta1_no_grl"]
    runs.append((0, 1, {"theta": 1, "lambda_": 1, "loss": bare["kl_T2"], **bare}))
    runs += [(0.1, 0.9, entry) for entry in out["loop_kd_r0.1_a0.9_b0"]]
    runs += [(0.1, 9, entry) for entry in out["lskd_ctkd_logit_stand_r0.1_a9_b0"]]
    for hard, soft, entry in runs:
        loss = lskd(kd) if soft == 9 else kd
        module = distill.CurriculumTemperature(theta=float(entry["theta"])).double()
        value = hard * ce + soft * loss(s, t, module(float(entry["lambda_"])))
        pairs = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
        assert_golden([(f"θ = {entry['theta']}", value, entry["loss"], *pairs)])


@seeded
@given(st.integers(2, 6), st.integers(0, 1000), st.floats(0.5, 20))
def test_kd_is_tckd_plus_the_teachers_doubt_times_nckd(classes, seed, T):
    """Zhao et al.: KL = TCKD + (1 - p_y) NCKD for a sample, p_y the teacher's."""
    s, t, y = normal(1, classes, seed=seed), normal(1, classes, seed=seed + 1), torch.tensor([0])
    tckd, nckd = dkd_terms(s, t, y, T)
    doubt = 1 - (t / T).softmax(1)[0, 0]
    assert kd(s, t, T).item() == pytest.approx((tckd + doubt * nckd).item(), rel=1e-9, abs=1e-12)
    assert (nckd == 0) == (classes == 2)
