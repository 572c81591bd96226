"""KD, DKD, LSKD and CTKD: numbers of the official codes, the seven checks, the curriculum."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, classes_of, kl, normal, seven_checks, twice
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.losses import distill
from discom.losses.distill import dkd_terms, kd, standardize

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def official(name):
    """Logits of student and teacher, labels, cross-entropy, outputs."""
    values = golden(name)
    student, teacher = (values.inputs[f"{who}_logits"] for who in ("student", "teacher"))
    labels = values.inputs["targets"]
    student.requires_grad_()
    return student, teacher, labels, F.cross_entropy(student, labels), values.outputs


def test_kd_is_that_of_the_official_codes():
    for file, key, temperatures, prepare in (
        ("01_kd_hinton", "kl_T2", (4, 1, 2), lambda z: z),
        ("03b_lskd_kd", "kd", (2, 4), standardize),
    ):
        s, t, *_, out = official(file)
        for T in temperatures:
            name, value = f"{key}_T{T}", kd(prepare(s), prepare(t), T)
            assert_golden([(name, value, out[name], (s, out[f"grad_student_logits_{name}"]))])


def test_dkd_is_that_of_the_official_codes():
    for file, T, alpha, betas, prepare in (
        ("02_dkd", 4, 1, (2, 6, 8), lambda z: z),
        ("03c_lskd_dkd", 2, 9, (72,), standardize),
    ):
        s, t, y, _, out = official(file)
        cases = [(out, s, t, y, betas)]
        binary = out.get("binary_case_first_two_columns_targets_mod_2")
        if binary:
            cases.append((binary, s[:, :2].detach().requires_grad_(), t[:, :2], y % 2, (8,)))
        for out_, s_, t_, y_, betas_ in cases:
            pair = prepare(s_), prepare(t_)
            values = dict(zip(("tckd", "nckd"), dkd_terms(*pair, y_, T), strict=True))
            for beta in betas_:
                values[f"total_a{alpha}_b{beta}"] = dkd(*pair, y_, T, alpha, beta)
            for name, value in values.items():
                gradient = out_[f"grad_student_logits_{name}"]
                assert_golden([(name, value, out_[name], (s_, gradient))])


def test_standardize_is_that_of_the_official_code():
    values = golden("03a_lskd_normalize")
    s = values.inputs["student_logits"].requires_grad_()
    inputs = {"student": s, "teacher": values.inputs["teacher_logits"]}
    inputs |= {"constant_row": values.inputs["constant_row"], "student_times_1000": 1000 * s}
    for name, z in inputs.items():
        assert_golden([(name, standardize(z), values.outputs[f"normalize_{name}"])])
    along = (standardize(s) * values.outputs["vjp_cotangent"]).sum()
    assert_golden([("vjp", along, along.detach(), (s, values.outputs["vjp_student"]))])


def test_ctkd_is_that_of_the_official_code():
    s, t, _, ce, out = official("04_ctkd")
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
        pair = (standardize(s), standardize(t)) if soft == 9 else (s, t)
        module = distill.CurriculumTemperature(theta=float(entry["theta"])).double()
        value = hard * ce + soft * kd(*pair, module(float(entry["lambda_"])))
        pairs = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
        assert_golden([(f"θ = {entry['theta']}", value, entry["loss"], *pairs)])


def plain_dkd(s, t, labels, T, alpha, beta):
    """By the probabilities of the target and of all else."""
    p, q = (z.softmax(1) for z in (s / T, t.detach() / T))
    target = F.one_hot(labels, s.shape[1]).bool()
    pairs = [torch.stack([x[target], x[~target].view(len(x), -1).sum(1)], 1) for x in (q, p)]
    others = [x[~target].view(len(x), -1) for x in (q, p)]
    return T**2 * (alpha * kl(*map(torch.log, pairs)) + beta * kl(*map(torch.log, others))).mean()


def draw(seed):
    return 2 * normal(5, 4, seed=seed), 2 * normal(5, 4, seed=seed + 50), classes_of(4, 5), 3.0


def dkd(s, t, y, T, alpha=0.5, beta=2.0):
    target, others = dkd_terms(s, t, y, T)
    return alpha * target + beta * others


def columns_and_rows(s, t, y, T):
    """Classes in another order, and a constant added to each row."""
    order = torch.tensor([2, 0, 3, 1])
    return s[:, order] + 7, t[:, order] - 5, order.argsort()[y], T


def swapped(s, t, y, T):
    return t, s, y, T


def other_teacher(s, t, y, T):
    return s, t.roll(1, 0), y, T


def other_labels(s, t, y, T):
    return s, t, (y + 1) % 4, T


def larger(s, t, y, T):
    return 2 * s + 5, t, y, T


BIG = torch.tensor([[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, 0.0]])
GAP = torch.tensor([[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 1.0, 2.0]])
PLAIN, Y = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).repeat(2, 1), torch.tensor([0, 1])
EDGES = [(s, t, Y, 3.0) for s in (BIG, GAP, PLAIN) for t in (BIG, -BIG, GAP, 0 * PLAIN)]
EDGES += [(PLAIN[:1], BIG[:1], Y[:1], 0.5), (BIG, PLAIN, 0 * Y, 20.0)]
REFUSED = [
    ((PLAIN, PLAIN[:, :3], Y, 3.0), r"^logits: student \(2, 4\), teacher \(2, 3\)"),
    ((PLAIN[0], PLAIN[0], Y, 3.0), r"^logits: student \(4,\)"),
    ((PLAIN[:0], PLAIN[:0], Y[:0], 3.0), "^logits: no samples"),
    *(((PLAIN, PLAIN, Y, T), f"^temperature: {T} ") for T in (0, -0.5, math.nan, math.inf)),
]
ONE_CLASS = [((PLAIN[:, :1], PLAIN[:, :1], Y, 3.0), "^logits: 1 class ")]
QUARTERS = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)  # KL((3/4, 1/4) ‖ (1/2, 1/2))
ZEROS = torch.zeros(1, 4), torch.tensor([[1e4, 0.0, 0.0, 0.0]]), torch.tensor([0])
COMMON = {"same": [twice, columns_and_rows], "edges": EDGES}
CASES = {
    "kd": Case(
        lambda s, t, y, T: kd(s, t, T),
        lambda s, t, y, T: T**2 * kl(t.detach() / T, s / T).mean(),
        draw,
        [
            ((PLAIN, PLAIN - 9, Y, 3.0), 0.0),
            ((torch.zeros(1, 2), 2 * torch.tensor([[3.0, 1.0]]).log(), Y, 2.0), 4 * QUARTERS),
            ((*ZEROS, 1.0), math.log(4)),
            ((torch.tensor([[1e4, 0]]), torch.tensor([[0, 1e4]]), Y, 4.0), 4e4),  # T² · gap / T
        ],
        {
            "swapped": lambda s, t, y, T: kd(t, s, T),
            "without T²": lambda s, t, y, T: kd(s, t, T) / T**2,
        },
        different=[swapped, other_teacher, larger],
        refused=REFUSED,
        **COMMON,
    ),
    "dkd": Case(
        dkd,
        lambda s, t, y, T: plain_dkd(s, t, y, T, 0.5, 2.0),
        draw,
        [
            ((PLAIN, PLAIN - 9, Y, 3.0), 0.0),
            ((*ZEROS, 1.0), 0.5 * math.log(4)),  # the teacher's rest is uniform, as the student's
        ],
        {
            "terms swapped": lambda s, t, y, T: dkd(s, t, y, T, 2.0, 0.5),
            "target kept": lambda s, t, y, T: dkd(s, t, y, T, 0.5, 0.0) + 2 * kd(s, t, T),
        },
        different=[swapped, other_teacher, other_labels, larger],
        refused=REFUSED + ONE_CLASS,
        **COMMON,
    ),
}


test_seven_checks = seven_checks(CASES)


@seeded
@given(st.integers(2, 6), st.integers(0, 1000), st.floats(0.5, 20))
def test_kd_is_tckd_plus_the_teachers_doubt_times_nckd(classes, seed, T):
    """Zhao et al.: KL = TCKD + (1 - p_y) NCKD for a sample, p_y the teacher's."""
    s, t, y = normal(1, classes, seed=seed), normal(1, classes, seed=seed + 1), torch.tensor([0])
    tckd, nckd = dkd_terms(s, t, y, T)
    doubt = 1 - (t / T).softmax(1)[0, 0]
    assert kd(s, t, T).item() == pytest.approx((tckd + doubt * nckd).item(), rel=1e-9, abs=1e-12)
    assert (nckd == 0) == (classes == 2)


def test_a_single_class_has_no_spread():
    with pytest.raises(ValueError, match=r"^logits: 1 class has no spread"):
        standardize(PLAIN[:, :1])
