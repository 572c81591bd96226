"""Golden vectors of the official codes, and the seven checks, for KD, DKD, LSKD and CTKD. Letters: B batch, C classes.

The terms of MLKD, and the competitors as the authors of DisCoM-KD coded them, are in test_multilevel.py.
"""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.losses.distill import CurriculumTemperature, curriculum_lambda, dkd, dkd_terms, kd, standardize

GOLDEN = Path(__file__).parents[1] / "golden"
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)

# ---------------------------------------------------------------- 0. golden vectors of the official codes
# A case is (name, value, expected value, (leaf, expected gradient), ...); the mutants of check 7 meet the same cases.


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def golden(name):
    """Logits of student and teacher, labels, cross-entropy, outputs."""
    data = json.loads((GOLDEN / f"{name}.json").read_text())
    student, teacher = (tensor(data["inputs"][f"{who}_logits"]) for who in ("student", "teacher"))
    labels = torch.tensor(data["inputs"]["targets"])
    student.requires_grad_()
    return student, teacher, labels, F.cross_entropy(student, labels), data["outputs"]


def assert_same(name, found, expected, rtol=1e-9, atol=1e-10):
    torch.testing.assert_close(found, tensor(expected), rtol=rtol, atol=atol, msg=lambda text: f"{name}: {text}")


def assert_golden(cases):
    for name, value, expected, *gradients in cases:
        assert_same(name, value, expected)
        for leaf, gradient in gradients:
            (found,) = torch.autograd.grad(value, leaf, retain_graph=True, materialize_grads=True)
            assert_same(f"gradient of {name}", found, gradient)


def combined(parts, s, ce, loss):
    for name, value in (("loss_ce", ce), ("loss_kd", loss), ("total", ce + loss)):
        yield name, value, parts[name], (s, parts[f"grad_{name}_student_logits"])


def kd_cases(kd=kd, standardize=standardize):
    files = (
        ("01_kd_hinton", "kl_T2", (1, 2, 4), 4, 0.9, lambda z: z),
        ("03b_lskd_kd", "kd", (2, 4), 2, 9, standardize),
    )
    for file, key, temperatures, usual, weight, prepare in files:
        s, t, _, ce, out = golden(file)
        for T in temperatures:
            loss, name = kd(prepare(s), prepare(t), T), f"{key}_T{T}"
            yield f"{file} {name}", loss, out[name], (s, out[f"grad_student_logits_{name}"])
        yield from combined(out["combination"], s, 0.1 * ce, weight * kd(prepare(s), prepare(t), usual))


def dkd_cases(terms=dkd_terms, total=dkd, standardize=standardize):
    files = (("02_dkd", 4, 1, (2, 6, 8), lambda z: z), ("03c_lskd_dkd", 2, 9, (72,), standardize))
    for file, T, alpha, betas, prepare in files:
        s, t, y, ce, out = golden(file)
        cases = [(out, s, t, y, betas)]
        if binary := out.get("binary_case_first_two_columns_targets_mod_2"):
            cases.append((binary, s[:, :2].detach().requires_grad_(), t[:, :2], y % 2, (8,)))
        for out_, s_, t_, y_, betas_ in cases:
            values = dict(zip(("tckd", "nckd"), terms(prepare(s_), prepare(t_), y_, T), strict=True))
            values |= {f"total_a{alpha}_b{b}": total(prepare(s_), prepare(t_), y_, T, alpha, b) for b in betas_}
            for name, value in values.items():
                yield f"{file} {name}", value, out_[name], (s_, out_[f"grad_student_logits_{name}"])
        for epoch in (0, 1, 10, 20, 25) if "epoch_0" in out else (1, 10, 25):
            loss = min(epoch / 20, 1) * total(prepare(s), prepare(t), y, T, alpha, betas[-1])
            yield from combined(out[f"epoch_{epoch}"], s, ce, loss)


def standardize_cases(standardize=standardize):
    data = json.loads((GOLDEN / "03a_lskd_normalize.json").read_text())
    s, t, constant = (tensor(data["inputs"][n]) for n in ("student_logits", "teacher_logits", "constant_row"))
    out, s = data["outputs"], s.requires_grad_()
    values = {"student": s, "teacher": t, "constant_row": constant, "student_times_1000": 1000 * s}
    for name, z in values.items():
        yield name, standardize(z), out[f"normalize_{name}"]
    cotangent = tensor(out["vjp_cotangent"])
    along = (tensor(out["normalize_student"]) * cotangent).sum().item()
    yield "vjp", (standardize(s) * cotangent).sum(), along, (s, out["vjp_student"])


def ctkd_cases(make=CurriculumTemperature, kd=kd, curriculum=curriculum_lambda):
    s, t, _, ce, out = golden("04_ctkd")
    for key, limits in (("temperature", {}), ("temperature_t_start2_t_end10", {"start": 2, "span": 10})):
        for entry in out[key]:
            yield key, make(theta=entry["theta"], **limits).double()(), entry["temp"]
    for loops in (10, 5):
        for epoch, value in out["lambda_cosine"][f"max0_min_m1_loops{loops}"].items():
            yield f"λ({epoch}) of {loops}", tensor(curriculum(int(epoch), loops)), value

    def plain(T):
        return 0.1 * ce + 0.9 * kd(s, t, T)

    fixed, alone = out["no_mlp_kd_T4"], out["distillkl_theta1_no_grl"]
    yield "no temperature to learn", plain(fixed["temp"]), fixed["loss"], (s, fixed["grad_student_logits"])
    runs = [(plain, entry) for entry in out["loop_kd_r0.1_a0.9_b0"]]
    runs += [(plain, {"theta": 1, "lambda_": -1, **out}), (lambda T: kd(s, t, T), {"theta": 1, "lambda_": 1, **alone})]
    for entry in out["lskd_ctkd_logit_stand_r0.1_a9_b0"]:
        runs.append((lambda T: 0.1 * ce + 9 * kd(standardize(s), standardize(t), T), entry))
    for loss, entry in runs:
        module = make(theta=entry["theta"]).double()
        value, expected = loss(module(entry["lambda_"])), entry["loss"] if "loss" in entry else entry["kl_T2"]
        gradients = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
        yield f"θ = {entry['theta']}, λ = {entry['lambda_']}", value, expected, *gradients


CASES = {"kd": kd_cases, "dkd": dkd_cases, "standardize": standardize_cases, "ctkd": ctkd_cases}


@pytest.mark.parametrize("name", CASES)
def test_official_code(name):
    assert_golden(CASES[name]())


def test_official_ctkd_with_dkd():
    """The official gradient of θ is NaN here (its -1000 leaves 0 · log 0); a central difference of its loss stands in."""
    s, t, y, ce, out = golden("04_ctkd")
    for entry in out["loop_dkd_r1_a0_b1_dkdalpha1_dkdbeta2"]:
        module = CurriculumTemperature(theta=entry["theta"]).double()
        value = ce + dkd(s, t, y, module(entry["lambda_"]), 1.0, 2.0)
        assert_golden([("loss", value, entry["loss"], (s, entry["grad_student_logits"]))])
        (gradient,) = torch.autograd.grad(value, module.theta)
        assert_same("θ", gradient, entry["grad_theta_central_difference"], rtol=0, atol=5e-9)


# ---------------------------------------------------------------- 1. reference: the equations, in loops


def softmax(row, T):
    powers = [((z - max(row)) / T).exp() for z in row]
    return [power / sum(powers) for power in powers]


def kl(q, p):
    return sum(b * (b / a).log() for a, b in zip(p, q, strict=True))


def loop_kd(s, t, T):
    return T**2 * sum(kl(softmax(b, T), softmax(a, T)) for a, b in zip(s, t, strict=True)) / len(s)


def loop_dkd_terms(s, t, labels, T):
    tckd = nckd = 0
    for a, b, y in zip(s, t, labels, strict=True):
        p, q = softmax(a, T), softmax(b, T)
        p_rest, q_rest = ([v for c, v in enumerate(row) if c != y] for row in (p, q))
        tckd += kl([q[y], sum(q_rest)], [p[y], sum(p_rest)])
        nckd += kl([v / sum(q_rest) for v in q_rest], [v / sum(p_rest) for v in p_rest])
    return T**2 * tckd / len(s), T**2 * nckd / len(s)


def loop_standardize(z):
    rows = []
    for row in z:
        mean = sum(row) / len(row)
        std = (sum((v - mean) ** 2 for v in row) / (len(row) - 1)).sqrt()
        rows.append(torch.stack([(v - mean) / (std + 1e-7) for v in row]))
    return torch.stack(rows)


def forms(kd, terms, standardize):
    """Every loss as a function of student, teacher, labels and temperature."""
    losses = {
        "kd": lambda s, t, y, T: kd(s, t, T),
        "tckd": lambda s, t, y, T: terms(s, t, y, T)[0],
        "nckd": lambda s, t, y, T: terms(s, t, y, T)[1],
        "dkd": lambda s, t, y, T: 0.5 * terms(s, t, y, T)[0] + 2.0 * terms(s, t, y, T)[1],
    }
    for name, f in list(losses.items()):
        losses[f"LSKD {name}"] = lambda s, t, y, T, f=f: f(standardize(s), standardize(t), y, T)
    return losses


LOSSES = forms(kd, dkd_terms, standardize) | {"dkd": lambda s, t, y, T: dkd(s, t, y, T, 0.5, 2.0)}
REFERENCES = forms(loop_kd, loop_dkd_terms, loop_standardize)
every_loss = pytest.mark.parametrize("name", LOSSES)
every_temperature = pytest.mark.parametrize("temperature", [0.5, 3.0, "learned"])


def case(batch=5, classes=4, seed=0, dtype=torch.float64):
    draw = torch.Generator().manual_seed(seed)
    s, t = (2 * torch.randn(batch, classes, generator=draw, dtype=torch.float64) for _ in range(2))
    return s.to(dtype).requires_grad_(), t.to(dtype), torch.randint(classes, (batch,), generator=draw)


def degrees(temperature, dtype=torch.float64):
    """The temperature, and the θ behind it; a learned one starts at T = 6.38, and λ = 1 leaves the gradient's sign."""
    if temperature != "learned":
        return temperature, []
    module = CurriculumTemperature(theta=-1.0).to(dtype)
    return module(1.0), [module.theta]


def grad(value, leaves):
    return torch.autograd.grad(value, leaves, retain_graph=True, materialize_grads=True)


@every_loss
@every_temperature
@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (4, 2)])
def test_equals_the_loop_reference(name, temperature, shape):
    s, t, y = case(*shape)
    T, theta = degrees(temperature)
    ours, theirs = LOSSES[name](s, t, y, T), REFERENCES[name](s, t, y, T)
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(grad(ours, [s, *theta]), grad(theirs, [s, *theta]), rtol=1e-6, atol=1e-12)


@every_loss
@every_temperature
@pytest.mark.parametrize("autocast", [False, True])
def test_float32(name, temperature, autocast):
    s, t, y = case(8, 6, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        ours = LOSSES[name](s, t, y, degrees(temperature, torch.float32)[0])
    assert ours.dtype == torch.float32
    expected = REFERENCES[name](s.detach().double(), t.double(), y, degrees(temperature)[0])
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)


# ---------------------------------------------------------------- 2. closed forms


@every_loss
@every_temperature
def test_zero_when_the_student_is_the_teacher_and_positive_otherwise(name, temperature):
    s, t, y = case(classes=3)
    assert LOSSES[name](t, t, y, degrees(temperature)[0]).item() == pytest.approx(0, abs=1e-14)
    assert LOSSES[name](s, t, y, degrees(temperature)[0]) > 1e-3


def test_hand_values():
    """Student (1/2, 1/2), teacher (3/4, 1/4); then the target's half against the rest, which is (3/4, 1/4) again."""
    half, quarters = math.log(0.5), 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert kd(torch.zeros(1, 2).double(), 2 * tensor([[3.0, 1.0]]).log(), 2.0).item() == pytest.approx(4 * quarters)
    s, t = tensor([[2.0, 3.0, 3.0]]).log(), tensor([[4.0, 3.0, 1.0]]).log()
    tckd, nckd = dkd_terms(s, t, torch.tensor([0]), 1.0)
    assert tckd.item() == pytest.approx(-half / 2 - 0.5 * math.log(1.5))
    assert nckd.item() == pytest.approx(quarters)


@seeded
@given(st.integers(2, 6), st.integers(0, 1000), st.floats(0.5, 20))
def test_kd_is_tckd_plus_the_teachers_doubt_times_nckd(classes, seed, T):
    """Zhao et al.: KL = TCKD + (1 - p_y) NCKD for a sample, p_y the teacher's; with two classes NCKD is 0."""
    s, t, y = case(1, classes, seed)
    tckd, nckd = dkd_terms(s, t, y, T)
    doubt = 1 - (t / T).softmax(1)[0, y]
    assert kd(s, t, T).item() == pytest.approx((tckd + doubt * nckd).item(), rel=1e-9, abs=1e-12)
    assert (nckd == 0) == (classes == 2)


def test_hot_kd_compares_the_centred_logits():
    """T → ∞: T² KL → ‖(z^s - mean) - (z^t - mean)‖² / 2C, what Hinton et al. call matching logits."""
    s, t, _ = case()
    gap = (s - s.mean(1, keepdim=True)) - (t - t.mean(1, keepdim=True))
    assert kd(s, t, 1e5).item() == pytest.approx((gap.square().sum(1).mean() / 8).item(), rel=1e-4)


# ---------------------------------------------------------------- 3. gradients


@every_loss
@every_temperature
def test_gradcheck(name, temperature):
    """For the student, a teacher that requires a gradient, and θ."""
    s, t, y = case(3, 3)
    module = CurriculumTemperature(theta=-1.0).double()

    def value(*_):  # gradcheck moves the leaves in place; λ = 1 is no reversal
        return LOSSES[name](s, t, y, module(1.0) if temperature == "learned" else temperature)

    assert torch.autograd.gradcheck(value, [s, t.requires_grad_()] + [module.theta] * (temperature == "learned"))


@every_loss
def test_only_the_student_learns(name):
    s, t, y = case()
    before = LOSSES[name](s, t, y, 3.0)
    before.backward()
    assert s.grad.isfinite().all()
    assert s.grad.abs().sum(1).min() > 0
    assert t.grad is None
    assert abs(LOSSES[name](s.roll(1, 1), t, y, 3.0) - before) > 1e-3
    if name == "nckd":
        assert s.grad.gather(1, y[:, None]).abs().max() == 0  # it leaves the target's logit alone


@pytest.mark.parametrize("lambda_", [-1.0, -0.3, 0.0, 1.0])
def test_lambda_scales_the_gradient_of_theta_alone(lambda_):
    """So that one step of descent on θ makes the student's loss grow where λ < 0."""
    s, t, _ = case()
    module = CurriculumTemperature(theta=-1.0).double()
    before = kd(s, t, module(lambda_))
    plain, found = (grad(loss, [s, module.theta]) for loss in (kd(s, t, module(1.0)), before))
    torch.testing.assert_close(found, (plain[0], lambda_ * plain[1]))
    with torch.no_grad():
        module.theta -= 0.01 * found[1]
    assert torch.sign(kd(s, t, module()) - before) == -math.copysign(1, lambda_) * (lambda_ != 0)


# ---------------------------------------------------------------- 4. scale


@every_loss
@every_temperature
def test_value_does_not_depend_on_the_batch_size(name, temperature):
    s, t, y = case()
    T, _ = degrees(temperature)
    many = LOSSES[name](s.repeat(3, 1), t.repeat(3, 1), y.repeat(3), T)
    assert many.item() == pytest.approx(LOSSES[name](s, t, y, T).item(), rel=1e-12)


@every_loss
def test_gradient_keeps_its_size_when_the_temperature_changes(name):
    """Within a factor of 3 from T = 2 to 32; without T² it would fall by more than 80."""
    s, t, y = case(16, 10)
    sizes = [grad(LOSSES[name](s, t, y, T), s)[0].norm().item() for T in (2.0, 4.0, 8.0, 16.0, 32.0)]
    assert max(sizes) < 3 * min(sizes)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 8.0), (0.0, 2.0), (3.0, 0.0), (-1.0, 0.5)])
def test_dkd_is_linear_in_its_weights(alpha, beta):
    s, t, y = case()
    tckd, nckd = dkd_terms(s, t, y, 3.0)
    values = dkd(s, t, y, 3.0, alpha, beta), alpha * tckd + beta * nckd
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(grad(value, s) for value in values))


# ---------------------------------------------------------------- 5. what changes nothing, and what must


@seeded
@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 1000), st.data())
def test_order_and_constants_change_nothing(batch, classes, seed, data):
    """Samples and classes in another order, a constant added to each row."""
    s, t, y = case(batch, classes, seed)
    rows, columns = (torch.tensor(data.draw(st.permutations(range(n)))) for n in (batch, classes))
    one, two = tensor(data.draw(st.lists(st.floats(-100, 100), min_size=2 * batch, max_size=2 * batch))).view(2, -1, 1)
    moved = (s + one)[rows][:, columns], (t + two)[rows][:, columns], columns.argsort()[y[rows]]
    for name, loss in LOSSES.items():
        assert loss(*moved, 3.0).item() == pytest.approx(loss(s, t, y, 3.0).item(), rel=1e-6, abs=1e-12), name


@seeded
@given(st.integers(0, 1000), st.lists(st.floats(0.1, 100), min_size=4, max_size=4), st.floats(-100, 100))
def test_standardize_does_not_see_positive_affine_maps(seed, factors, constant):
    z, _, _ = case(4, 5, seed)
    for sign in (1, -1):
        mapped = standardize(sign * tensor(factors)[:, None] * z + constant)
        torch.testing.assert_close(mapped, sign * standardize(z), rtol=1e-5, atol=1e-5)


@every_loss
def test_what_must_change(name):
    s, t, y = case()
    value = LOSSES[name](s, t, y, 3.0)

    def changes(s, t, y):
        return abs((LOSSES[name](s, t, y, 3.0) - value).item()) > 1e-3

    assert changes(t, s, y)  # KL is no distance
    assert changes(s, t.roll(1, 0), y)
    assert changes(s, t, (y + 1) % 4) == (name.removeprefix("LSKD ") != "kd")
    assert changes(2 * s, t, y) == (not name.startswith("LSKD"))


@seeded
@given(st.integers(1, 20), st.integers(-3, 40), st.floats(0.1, 10), st.floats(0.1, 30), st.floats(-20, 20))
def test_curriculum_falls_and_the_temperature_stays_in_its_range(loops, epoch, start, span, theta):
    value, after = curriculum_lambda(epoch, loops), curriculum_lambda(epoch + 1, loops)
    assert -1 <= after <= value <= 0
    assert (value == -1, value == 0) == (epoch >= loops, epoch <= 0)
    T = CurriculumTemperature(start, span, theta).double()().item()
    assert pytest.approx(start + span / (1 + math.exp(-theta)), rel=1e-6) == T
    assert start < T < start + span


# ---------------------------------------------------------------- 6. edges

BIG = [[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, 0.0], [0.0, 0.0, -1e4, -1e4]]
GAP = [[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 1.0, 2.0], [1000.0, 1000.0, 0.0, 0.0]]
SMALL = [[1.0, 2.0, 0.0]], [[0.0, 1.0, 5.0]]
# name → student, teacher, labels
EDGES = {
    "batch of one": (*SMALL, [2]),
    "one class of labels": (SMALL[0] + SMALL[1], SMALL[1] * 2, [1, 1]),
    "identical rows": (SMALL[0] * 3, SMALL[1] * 3, [0, 1, 2]),
    "constant rows": ([[3.3] * 3] * 2, [[-7.1] * 3] * 2, [0, 2]),
    "constant student": ([[3.3] * 3], SMALL[1], [0]),
    "±1e4, agreeing": (BIG, BIG, [0, 1, 2]),
    "±1e4, opposed": (BIG, [[-z for z in row] for row in BIG], [0, 1, 2]),
    "±1e4, teacher": ([[1.0, 2.0, 3.0, 4.0]] * 3, BIG, [1, 2, 3]),
    "±1e4, student": (BIG, [[1.0, 2.0, 3.0, 4.0]] * 3, [1, 2, 3]),
    "gap of 1000": (GAP, GAP, [0, 1, 2]),
    "gap of 1000, opposed": (GAP, [row[::-1] for row in GAP], [0, 1, 2]),
    "gap of 1000, target far below": (GAP, GAP, [1, 0, 3]),
}


@every_loss
@every_temperature
@pytest.mark.parametrize("edge", EDGES)
def test_edges_stay_finite(name, temperature, edge):
    """In float32: the value, and the gradients of student, teacher and θ."""
    s, t, y = (torch.tensor(values, requires_grad=kind < 2) for kind, values in enumerate(EDGES[edge]))
    T, theta = degrees(temperature, torch.float32)
    value = LOSSES[name](s, t, y, T)
    assert value.isfinite()
    assert value >= -1e-5
    assert all(gradient.isfinite().all() for gradient in grad(value, [s, t, *theta]))


def test_a_saturated_disagreement_has_its_value():
    """One class for sure against another in float32: T² · gap / T for each divergence."""
    s, t, y = torch.tensor([[1e4, 0.0, 0.0]]), torch.tensor([[0.0, 1e4, 0.0]]), torch.tensor([1])
    assert [v.item() for v in (kd(s, t, 4.0), dkd_terms(s, t, y)[0], dkd_terms(s, t, 0 * y + 2)[1])] == [4e4] * 3


def unmet(reason, *values):
    return pytest.param(*values, marks=pytest.mark.xfail(strict=True, reason=reason))


DO_NOT_FIT = "labels that do not fit are promised a ValueError; one_hot raises a RuntimeError"
WRONG = [
    *(({"t": torch.zeros(shape)}, r"logits: student \(3, 4\), teacher \(") for shape in ((3, 5), (4, 4), (3,))),
    *((dict.fromkeys("st", torch.zeros(shape)), r"logits: student \(") for shape in ((3,), (2, 3, 4))),
    (dict.fromkeys("st", torch.zeros(0, 4)), "logits: no samples"),
    *(({"T": T}, f"temperature: {T} ") for T in (0, -1, -0.5, math.nan, math.inf)),
    *(({"y": torch.zeros(shape).long()}, r"labels: \(.*\) for 3 rows") for shape in ((2,), (0,), (3, 1), ())),
    ({"s": torch.zeros(3, 1), "t": torch.zeros(3, 1), "y": torch.zeros(3).long()}, "logits: 1 class "),
    *(unmet(DO_NOT_FIT, {"y": torch.tensor(y)}, "labels: ") for y in ([0, 1, 4], [0, 1, -1], [0.0, 1.0, 2.0])),
]


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_wrong_input_is_named(changed, message):
    given = {"s": torch.zeros(3, 4), "t": torch.zeros(3, 4), "y": torch.zeros(3).long(), "T": 4.0, **changed}
    s, t, y, T = given.values()
    calls = [lambda: dkd_terms(s, t, y, T), lambda: dkd(s, t, y, T)]
    calls += [lambda: kd(s, t, T)] * ("y" not in changed)
    for call in calls:
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


UNCHECKED = "a range that is no number or has no end is accepted, and the loss is NaN"
RANGES = [(-1.0, 20.0), (1.0, 0.0), (1.0, -2.0), (1.0, math.nan)]


@pytest.mark.parametrize(
    ("start", "span"), RANGES + [unmet(UNCHECKED, *v) for v in ((math.nan, 1.0), (1.0, math.inf), (math.inf, 1.0))]
)
def test_wrong_ranges_are_named(start, span):
    with pytest.raises(ValueError, match=f"^temperature: {start} to {start + span} "):
        CurriculumTemperature(start, span)


def test_one_class_has_no_spread_and_no_loops_no_curriculum():
    with pytest.raises(ValueError, match="^logits: 1 class "):
        standardize(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="^loops: 0 "):
        curriculum_lambda(3, 0)


# ---------------------------------------------------------------- 7. mutations: wrong copies must be caught


def divergence(s, t, T, reduction="batchmean"):
    return F.kl_div((s / T).log_softmax(1), (t / T).softmax(1), reduction=reduction)


def pieces(s, t, y, T, kept=0.0, weights=lambda q: 1.0, square=True):
    """TCKD and NCKD made of probabilities, as the official code has them; `kept` of the target stays among the rest."""
    mask = F.one_hot(y, s.shape[1])
    split = [(z / T).softmax(1) for z in (s, t)]
    split = [torch.stack([(p * mask).sum(1), (p * (1 - mask)).sum(1)], 1) for p in split]
    tckd = F.kl_div(split[0].log(), split[1], reduction="batchmean")
    rest = [(z / T - 1000 * (1 - kept) * mask).log_softmax(1) for z in (s, t)]
    nckd = (weights(split[1][:, 0]) * F.kl_div(*rest, reduction="none", log_target=True).sum(1)).mean()
    return (T**2 * tckd, T**2 * nckd) if square else (tckd, nckd)


class Changed(CurriculumTemperature):
    """CTKD's temperature with another λ or another span."""

    def __init__(self, lambda_=lambda value: value, start=1.0, span=20.0, theta=1.0, shorter=0.0):
        super().__init__(start, span - shorter, theta)
        self.change = lambda_

    def forward(self, lambda_=-1.0):
        return super().forward(self.change(lambda_))


def changed(**options):
    return {"make": lambda **given: Changed(**options, **given)}


def scaled(z, correction=1, root=0.0, detach=False, dim=-1):
    std = (z.var(dim, keepdim=True, correction=correction) + root).sqrt()
    return (z - z.mean(dim, keepdim=True)) / ((std.detach() if detach else std) + 1e-7)


# name → method, what replaces the package's functions
MUTANTS = {
    "kd: teacher twice": ("kd", {"kd": lambda s, t, T=4: kd(t, t, T) + 0 * s.sum()}),
    "kd: student twice": ("kd", {"kd": lambda s, t, T=4: kd(s, s, T)}),
    "kd: swapped": ("kd", {"kd": lambda s, t, T=4: kd(t, s, T)}),
    "kd: without T²": ("kd", {"kd": lambda s, t, T=4: divergence(s, t, T)}),
    "kd: T for T²": ("kd", {"kd": lambda s, t, T=4: T * divergence(s, t, T)}),
    "kd: mean over B and C": ("kd", {"kd": lambda s, t, T=4: T**2 * divergence(s, t, T, "mean")}),
    "kd: sum": ("kd", {"kd": lambda s, t, T=4: T**2 * divergence(s, t, T, "sum")}),
    "kd: teacher at T = 1": ("kd", {"kd": lambda s, t, T=4: kd(s, t * T, T)}),
    "kd: student detached": ("kd", {"kd": lambda s, t, T=4: kd(s.detach(), t, T) + 0 * s.sum()}),
    "kd: not standardized": ("kd", {"standardize": lambda z: z}),
    "dkd: target kept": ("dkd", {"terms": lambda *a: pieces(*a, kept=1.0)}),
    "dkd: target kept in the sum": ("dkd", {"total": lambda s, t, y, T, a, b: a * dkd_terms(s, t, y, T)[0] + b * kd(s, t, T)}),
    "dkd: coupled": ("dkd", {"terms": lambda *a: pieces(*a, weights=lambda q: 1 - q)}),
    "dkd: without T²": ("dkd", {"terms": lambda *a: pieces(*a, square=False)}),
    "dkd: terms swapped": ("dkd", {"terms": lambda *a: dkd_terms(*a)[::-1]}),
    "dkd: weights swapped": ("dkd", {"total": lambda s, t, y, T, a, b: dkd(s, t, y, T, b, a)}),
    "dkd: weights forgotten": ("dkd", {"total": lambda s, t, y, T, a, b: dkd(s, t, y, T)}),
    "dkd: student and teacher swapped": ("dkd", {"terms": lambda s, t, y, T: dkd_terms(t, s, y, T)}),
    "dkd: another target": ("dkd", {"terms": lambda s, t, y, T: dkd_terms(s, t, (y + 1) % s.shape[1], T)}),
    "standardize: ddof 0": ("standardize", {"standardize": lambda z: scaled(z, correction=0)}),
    "standardize: 1e-7 under the root": ("standardize", {"standardize": lambda z: scaled(z, root=1e-7)}),
    "standardize: std detached": ("standardize", {"standardize": lambda z: scaled(z, detach=True)}),
    "standardize: over the batch": ("standardize", {"standardize": lambda z: scaled(z, dim=0)}),
    "standardize: not centred": ("standardize", {"standardize": lambda z: z / (z.std(1, keepdim=True) + 1e-7)}),
    "ctkd: sign of λ": ("ctkd", changed(lambda_=lambda value: -value)),
    "ctkd: λ forgotten": ("ctkd", changed(lambda_=lambda value: -1.0)),
    "ctkd: |λ|": ("ctkd", changed(lambda_=abs)),
    "ctkd: 20 is the end": ("ctkd", changed(shorter=1.0)),
    "ctkd: T detached": ("ctkd", {"kd": lambda s, t, T: kd(s, t, torch.as_tensor(T).detach())}),
    "ctkd: T² detached": ("ctkd", {"kd": lambda s, t, T: float(T) ** 2 * divergence(s, t, T)}),
    "ctkd: curriculum rises": ("ctkd", {"curriculum": lambda epoch, loops: -curriculum_lambda(epoch, loops)}),
    "ctkd: straight line": ("ctkd", {"curriculum": lambda epoch, loops: -min(max(epoch, 0), loops) / loops}),
}  # fmt: skip
RIGHT = {
    "kd": {"kd": lambda s, t, T=4: T**2 * divergence(s, t, T)},
    "dkd": {"terms": pieces},
    "standardize": {"standardize": scaled},
    "ctkd": {**changed(), "kd": lambda s, t, T: T**2 * divergence(s, t, T)},
}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_copies_are_caught(name):
    method, replaced = MUTANTS[name]
    with pytest.raises(AssertionError):
        assert_golden(CASES[method](**replaced))


@pytest.mark.parametrize("method", RIGHT)
def test_right_copies_made_of_the_same_pieces_are_not(method):
    assert_golden(CASES[method](**RIGHT[method]))
