"""Golden vectors of the official codes, and the seven checks, for KD, DKD, LSKD and CTKD. Letters: B batch, C classes.

The terms of MLKD are in test_multilevel.py.
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
EXACT = {"rtol": 1e-9, "atol": 1e-10}
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)

# ---------------------------------------------------------------- 0. golden vectors of the official codes
# A case is (name, value, expected value, (leaf, expected gradient), ...); the mutants of check 7 go through the same cases.


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def golden(name):
    """Student's logits, teacher's logits, labels, cross-entropy and outputs of a file."""
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


def combination(parts, s, ce, loss):
    """The official losses_dict: cross-entropy, distillation and their sum, each with its gradient."""
    for name, value in (("loss_ce", ce), ("loss_kd", loss), ("total", ce + loss)):
        yield name, value, parts[name], (s, parts[f"grad_{name}_student_logits"])


def kd_cases(kd=kd):
    s, t, _, ce, out = golden("01_kd_hinton")
    for T in (1, 2, 4):
        yield f"kd at {T}", kd(s, t, T), out[f"kl_T2_T{T}"], (s, out[f"grad_student_logits_kl_T2_T{T}"])
        yield f"kl at {T}", kd(s, t, T) / T**2, out[f"kl_noT2_T{T}"]
    yield from combination(out["combination"], s, 0.1 * ce, 0.9 * kd(s, t))
    yield "loss", 0.1 * ce + 0.9 * kd(s, t), out["loss"], (s, out["grad_student_logits"])


def lskd_kd_cases(kd=kd, standardize=standardize):
    s, t, _, ce, out = golden("03b_lskd_kd")
    loss = {T: kd(standardize(s), standardize(t), T) for T in (2, 4)}
    for T, value in loss.items():
        yield f"LSKD at {T}", value, out[f"kd_T{T}"], (s, out[f"grad_student_logits_kd_T{T}"])
    yield from combination(out["combination"], s, 0.1 * ce, 9 * loss[2])
    yield "loss", 0.1 * ce + 9 * loss[2], out["loss"], (s, out["grad_student_logits"])


def dkd_outputs(out, s, t, y, T, alpha, beta, terms, total):
    for name, value in zip(("tckd", "nckd"), terms(s, t, y, T), strict=True):
        yield name, value, out[name], (s, out[f"grad_student_logits_{name}"])
    name = f"total_a{alpha}_b{beta}"
    yield name, total(s, t, y, T, alpha, beta), out[name], (s, out[f"grad_student_logits_{name}"])


def dkd_cases(terms=dkd_terms, total=dkd):
    s, t, y, ce, out = golden("02_dkd")
    for beta in (8, 6, 2):
        yield from dkd_outputs(out, s, t, y, 4.0, 1, beta, terms, total)
    for epoch in (0, 1, 10, 20, 25):
        yield from combination(out[f"epoch_{epoch}"], s, ce, min(epoch / 20, 1) * total(s, t, y))
    binary = out["binary_case_first_two_columns_targets_mod_2"]
    s2 = s.detach()[:, :2].requires_grad_()
    yield from dkd_outputs(binary, s2, t[:, :2], y % 2, 4.0, 1, 8, terms, total)
    yield "loss", total(s, t, y), out["loss"], (s, out["grad_student_logits"])


def lskd_dkd_cases(terms=dkd_terms, total=dkd, standardize=standardize):
    s, t, y, ce, out = golden("03c_lskd_dkd")

    def prepared(loss):
        return lambda s, t, *rest: loss(standardize(s), standardize(t), *rest)

    yield from dkd_outputs(out, s, t, y, 2.0, 9, 72, prepared(terms), prepared(total))
    loss = total(standardize(s), standardize(t), y, 2.0, 9.0, 72.0)
    for epoch in (1, 10, 25):
        yield from combination(out[f"epoch_{epoch}"], s, ce, min(epoch / 20, 1) * loss)
    yield "loss", ce + loss, out["loss"], (s, out["grad_student_logits"])


def standardize_cases(standardize=standardize):
    data = json.loads((GOLDEN / "03a_lskd_normalize.json").read_text())
    out = data["outputs"]
    s, t, constant = (tensor(data["inputs"][n]) for n in ("student_logits", "teacher_logits", "constant_row"))
    s.requires_grad_()
    yield "student", standardize(s), out["normalize_student"]
    yield "teacher", standardize(t), out["normalize_teacher"]
    yield "constant row", standardize(constant), out["normalize_constant_row"]
    yield "times 1000", standardize(1000 * s), out["normalize_student_times_1000"]
    direction = tensor(out["vjp_cotangent"])
    along = (tensor(out["normalize_student"]) * direction).sum().item()
    yield "vjp", (standardize(s) * direction).sum(), along, (s, out["vjp_student"])


def ctkd_cases(make=CurriculumTemperature, kd=kd, curriculum=curriculum_lambda):
    s, t, _, ce, out = golden("04_ctkd")
    for key, limits in (("temperature", {}), ("temperature_t_start2_t_end10", {"start": 2, "span": 10})):
        for entry in out[key]:
            yield f"{key} at {entry['theta']}", make(theta=entry["theta"], **limits).double()(), entry["temp"]
    for loops in (10, 5):
        for epoch, value in out["lambda_cosine"][f"max0_min_m1_loops{loops}"].items():
            yield f"λ({epoch}) of {loops}", tensor(curriculum(int(epoch), loops)), value
    runs = [("kd", entry, lambda T: 0.1 * ce + 0.9 * kd(s, t, T)) for entry in out["loop_kd_r0.1_a0.9_b0"]]
    runs += [
        ("LSKD", entry, lambda T: 0.1 * ce + 9 * kd(standardize(s), standardize(t), T))
        for entry in out["lskd_ctkd_logit_stand_r0.1_a9_b0"]
    ]
    for name, entry, loss in runs:
        module = make(theta=entry["theta"]).double()
        value, name = loss(module(entry["lambda_"])), f"{name} at θ = {entry['theta']}, λ = {entry['lambda_']}"
        gradients = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
        yield name, value, entry["loss"], *gradients
    entry, module = out["distillkl_theta1_no_grl"], make().double()
    gradients = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
    yield "without reversal", kd(s, t, module(1.0)), entry["kl_T2"], *gradients
    entry = out["no_mlp_kd_T4"]
    yield "no temperature", 0.1 * ce + 0.9 * kd(s, t, entry["temp"]), entry["loss"], (s, entry["grad_student_logits"])
    module = make().double()
    gradients = (s, out["grad_student_logits"]), (module.theta, out["grad_theta"])
    yield "loss", 0.1 * ce + 0.9 * kd(s, t, module(-1.0)), out["loss"], *gradients


def discom_cases(kd=kd, dkd=dkd, standardize=standardize, make=CurriculumTemperature, curriculum=curriculum_lambda):
    """The competitors as the authors of DisCoM-KD coded them, MLKD apart."""
    student, teacher, y, ce, out = golden("06c_discom_paper_competitors")
    for z in (0, 1):
        s, t = (standardize(student), standardize(teacher)) if z else (student, teacher)
        runs = [("KD1", 0, kd(s, t), lambda loss: loss, {}), ("KD2", 0, kd(s, t), lambda loss: 0.5 * ce + 0.5 * loss, {})]
        for epoch in (0, 10, 25):
            runs.append(("DKD", epoch, dkd(s, t, y), lambda loss, epoch=epoch: ce + min(epoch / 20, 1) * loss, {}))
        for epoch in (0, 1, 3, 5, 9):
            module, lambda_ = make().double(), curriculum(epoch, loops=5)
            T = module(lambda_)
            extra = {"temp": T, "decay_value": tensor(lambda_), "theta": module.theta}
            runs.append(("CTKD", epoch, kd(s, t, T), lambda loss: 0.1 * ce + 0.9 * loss, extra))
        for name, epoch, loss, total, extra in runs:
            name = f"{name}_znorm{z}_epoch{epoch}"
            expected = out[name]
            yield f"{name} distillation", loss, expected["loss_kd"]
            theta = [(extra.pop("theta"), expected["grad_theta"])] if extra else []
            yield name, total(loss), expected["loss"], (student, expected["grad_student_logits"]), *theta
            for key, value in extra.items():
                yield f"{name} {key}", value, expected[key]


CASES = {"kd": kd_cases, "dkd": dkd_cases, "standardize": standardize_cases, "LSKD with kd": lskd_kd_cases,
         "LSKD with dkd": lskd_dkd_cases, "CTKD": ctkd_cases, "DisCoM-KD's competitors": discom_cases}  # fmt: skip


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
        (p_rest, q_rest) = ([v for c, v in enumerate(row) if c != y] for row in (p, q))
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
    plain = {
        "kd": lambda s, t, y, T: kd(s, t, T),
        "tckd": lambda s, t, y, T: terms(s, t, y, T)[0],
        "nckd": lambda s, t, y, T: terms(s, t, y, T)[1],
        "dkd": lambda s, t, y, T: 0.5 * terms(s, t, y, T)[0] + 2.0 * terms(s, t, y, T)[1],
    }
    behind = {
        f"LSKD {name}": lambda s, t, y, T, f=f: f(standardize(s), standardize(t), y, T) for name, f in plain.items()
    }
    return plain | behind


LOSSES = forms(kd, dkd_terms, standardize) | {"dkd": lambda s, t, y, T: dkd(s, t, y, T, 0.5, 2.0)}
REFERENCES = forms(loop_kd, loop_dkd_terms, loop_standardize)
every_loss = pytest.mark.parametrize("name", LOSSES)
every_temperature = pytest.mark.parametrize("temperature", [1.0, 3.0, "learned"])


def case(batch=5, classes=4, seed=0, dtype=torch.float64):
    draw = torch.Generator().manual_seed(seed)
    s, t = (2 * torch.randn(batch, classes, generator=draw, dtype=torch.float64) for _ in range(2))
    return s.to(dtype).requires_grad_(), t.to(dtype), torch.randint(classes, (batch,), generator=draw)


def degrees(temperature, dtype=torch.float64):
    """The temperature and its θ; CTKD starts at T = 6.38 here, and λ = 1 leaves the gradient's sign."""
    if temperature != "learned":
        return temperature, None
    module = CurriculumTemperature(theta=-1.0).to(dtype)
    return module(1.0), module.theta


@every_loss
@every_temperature
@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (4, 2)])
def test_equals_the_loop_reference(name, temperature, shape):
    s, t, y = case(*shape)
    T, theta = degrees(temperature)
    ours, theirs = LOSSES[name](s, t, y, T), REFERENCES[name](s, t, y, T)
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)
    leaves = [s] if theta is None else [s, theta]
    found, expected = (torch.autograd.grad(v, leaves, materialize_grads=True) for v in (ours, theirs))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)


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


def test_curriculum_temperature_equals_its_equation():
    for theta in (-3.0, 0.0, 1.0, 4.0):
        T = CurriculumTemperature(2.0, 7.0, theta).double()()
        assert T.item() == pytest.approx(2 + 7 / (1 + math.exp(-theta)), rel=1e-12)


# ---------------------------------------------------------------- 2. closed forms


@every_loss
@every_temperature
def test_zero_when_the_student_is_the_teacher_and_positive_otherwise(name, temperature):
    s, t, y = case(classes=3)
    T, _ = degrees(temperature)
    assert LOSSES[name](t, t, y, T).item() == pytest.approx(0, abs=1e-15)
    assert LOSSES[name](s, t, y, T) > 1e-3


def test_hand_values():
    """Teacher (3/4, 1/4), student (1/2, 1/2) at T = 2; then the target's 1/2 and the rest's (3/4, 1/4)."""
    t = 2 * tensor([[3.0, 1.0]]).log()
    expected = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert kd(torch.zeros(1, 2).double(), t, 2.0).item() == pytest.approx(expected)
    t = tensor([[4.0, 3.0, 1.0]]).log()
    s = tensor([[1.0, 1.0, 1.0]]).log()
    tckd, nckd = dkd_terms(s, t, torch.tensor([0]), 1.0)
    assert tckd.item() == pytest.approx(0.5 * math.log(1.5) + 0.5 * math.log(0.75))
    assert nckd.item() == pytest.approx(expected / 4)


@given(st.integers(1, 5), st.integers(2, 6), st.integers(0, 1000), st.floats(0.5, 20))
@seeded
def test_kd_is_tckd_plus_the_teachers_doubt_times_nckd(batch, classes, seed, T):
    """Zhao et al., Eq. 6: KL = TCKD + (1 - p_y) NCKD for each sample, p_y the teacher's."""
    s, t, y = case(batch, classes, seed)
    doubt = 1 - (t / T).softmax(1).gather(1, y[:, None]).squeeze(1)
    for i in range(batch):
        row = s[i : i + 1], t[i : i + 1]
        tckd, nckd = dkd_terms(*row, y[i : i + 1], T)
        assert kd(*row, T).item() == pytest.approx((tckd + doubt[i] * nckd).item(), rel=1e-9, abs=1e-12)


def test_two_classes_leave_nothing_among_the_rest():
    s, t, y = case(classes=2)
    tckd, nckd = dkd_terms(s, t, y)
    assert nckd == 0
    assert tckd.item() == pytest.approx(kd(s, t).item())


def test_hot_kd_compares_the_centred_logits():
    """T → ∞: T² KL → ‖(z^s - mean) - (z^t - mean)‖² / 2C, what Hinton et al. call matching logits."""
    s, t, _ = case()
    gap = (s - s.mean(1, keepdim=True)) - (t - t.mean(1, keepdim=True))
    assert kd(s, t, 1e5).item() == pytest.approx((gap.square().sum(1).mean() / 8).item(), rel=1e-4)


def test_gradient_of_kd_is_what_its_docstring_says():
    s, t, _ = case()
    expected = 3.0 * ((s / 3).softmax(1) - (t / 3).softmax(1)) / len(s)
    torch.testing.assert_close(torch.autograd.grad(kd(s, t, 3.0), s)[0], expected)


def test_standardized_rows_have_mean_0_and_deviation_1():
    z = standardize(case()[0])
    torch.testing.assert_close(z.mean(1), torch.zeros(5).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(z.std(1), torch.ones(5).double(), atol=1e-6, rtol=0)
    assert standardize(torch.full((2, 3), 7.0)).tolist() == [[0.0] * 3] * 2


# ---------------------------------------------------------------- 3. gradients


@every_loss
@every_temperature
def test_gradcheck(name, temperature):
    """Student, teacher where it requires a gradient, and θ; λ = 1 is no reversal, so finite differences hold."""
    s, t, y = case(3, 3)
    module = CurriculumTemperature(theta=-1.0).double()

    def value(*_):  # gradcheck moves the leaves in place
        return LOSSES[name](s, t, y, module(1.0) if temperature == "learned" else temperature)

    leaves = [s, t.requires_grad_()] + [module.theta] * (temperature == "learned")
    assert torch.autograd.gradcheck(value, leaves)


@every_loss
def test_only_the_student_learns(name):
    s, t, y = case()
    before = LOSSES[name](s, t, y, 3.0)
    before.backward()
    assert s.grad.isfinite().all()
    assert s.grad.abs().sum(1).min() > 0
    assert t.grad is None
    assert abs((LOSSES[name](s.roll(1, 1), t, y, 3.0) - before).item()) > 1e-3


def test_nckd_leaves_the_targets_logit_alone():
    s, t, y = case()
    (gradient,) = torch.autograd.grad(dkd_terms(s, t, y)[1], s)
    assert gradient.gather(1, y[:, None]).abs().max() == 0


@pytest.mark.parametrize("lambda_", [-1.0, -0.3, 0.0, 1.0])
def test_lambda_scales_the_gradient_of_theta_alone(lambda_):
    s, t, _ = case()
    module = CurriculumTemperature(theta=0.5).double()
    plain = torch.autograd.grad(kd(s, t, module(1.0)), [s, module.theta])
    found = torch.autograd.grad(kd(s, t, module(lambda_)), [s, module.theta])
    torch.testing.assert_close(found, (plain[0], lambda_ * plain[1]))
    assert module(lambda_).item() == module(1.0).item()


@pytest.mark.parametrize(("lambda_", "climbs"), [(-1.0, True), (1.0, False)])
def test_the_temperature_plays_against_the_student(lambda_, climbs):
    s, t, _ = case()
    module = CurriculumTemperature(theta=-1.0).double()
    before = kd(s, t, module(lambda_))
    before.backward()
    with torch.no_grad():
        module.theta -= 0.01 * module.theta.grad
    assert (kd(s, t, module()) > before) == climbs


# ---------------------------------------------------------------- 4. scale


@every_loss
@every_temperature
@pytest.mark.parametrize("copies", [2, 5])
def test_value_does_not_depend_on_the_batch_size(name, temperature, copies):
    s, t, y = case()
    T, _ = degrees(temperature)
    many = LOSSES[name](s.repeat(copies, 1), t.repeat(copies, 1), y.repeat(copies), T)
    assert many.item() == pytest.approx(LOSSES[name](s, t, y, T).item(), rel=1e-12)


@every_loss
def test_gradient_keeps_its_size_when_the_temperature_changes(name):
    """Within a factor of 3 from T = 2 to 32; without T² it would fall by more than 80."""
    s, t, y = case(16, 10)
    sizes = [torch.autograd.grad(LOSSES[name](s, t, y, T), s)[0].norm().item() for T in (2.0, 4.0, 8.0, 16.0, 32.0)]
    assert max(sizes) < 3 * min(sizes)


def test_dkd_is_linear_in_its_weights():
    s, t, y = case()
    tckd, nckd = dkd_terms(s, t, y, 3.0)
    for alpha, beta in ((1.0, 8.0), (0.0, 2.0), (3.0, 0.0), (-1.0, 0.5)):
        values = dkd(s, t, y, 3.0, alpha, beta), alpha * tckd + beta * nckd
        torch.testing.assert_close(*values)
        torch.testing.assert_close(*(torch.autograd.grad(v, s, retain_graph=True)[0] for v in values))


# ---------------------------------------------------------------- 5. what changes nothing, and what must


@seeded
@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 1000), st.data())
def test_order_of_samples_and_of_classes_changes_nothing(batch, classes, seed, data):
    s, t, y = case(batch, classes, seed)
    rows = torch.tensor(data.draw(st.permutations(range(batch))))
    columns = torch.tensor(data.draw(st.permutations(range(classes))))
    moved = s[rows][:, columns], t[rows][:, columns], columns.argsort()[y[rows]]
    for loss in LOSSES.values():
        assert loss(*moved, 3.0).item() == pytest.approx(loss(s, t, y, 3.0).item(), rel=1e-9, abs=1e-12)


@seeded
@given(st.integers(0, 1000), st.lists(st.floats(-100, 100), min_size=8, max_size=8))
def test_a_constant_per_row_changes_nothing(seed, constants):
    s, t, y = case(4, 3, seed)
    one, two = tensor(constants).view(2, 4, 1)
    for loss in LOSSES.values():
        assert loss(s + one, t + two, y, 3.0).item() == pytest.approx(loss(s, t, y, 3.0).item(), rel=1e-6, abs=1e-12)


@seeded
@given(st.integers(0, 1000), st.lists(st.floats(0.1, 100), min_size=4, max_size=4), st.floats(-100, 100))
def test_standardize_does_not_see_positive_affine_maps(seed, factors, constant):
    z, _, _ = case(4, 5, seed)
    factor = tensor(factors)[:, None]
    torch.testing.assert_close(standardize(factor * z + constant), standardize(z), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(standardize(-factor * z + constant), -standardize(z), rtol=1e-5, atol=1e-5)


def test_what_must_change():
    s, t, y = case()
    for name, loss in LOSSES.items():
        assert abs(loss(s, t, y, 3.0) - loss(t, s, y, 3.0)) > 1e-3, name  # KL is no distance
        assert abs(loss(s, t, y, 3.0) - loss(s, t.roll(1, 0), y, 3.0)) > 1e-3, name
        differs = abs(loss(s, t, y, 3.0) - loss(s, t, (y + 1) % 4, 3.0)) > 1e-3
        assert differs == (not name.endswith(" kd") and name != "kd"), name
        assert (abs(loss(2 * s, t, y, 3.0) - loss(s, t, y, 3.0)) > 1e-3) == (not name.startswith("LSKD")), name


@seeded
@given(st.integers(1, 20), st.integers(-3, 40))
def test_the_curriculum_falls_from_0_to_minus_1(loops, epoch):
    value, after = curriculum_lambda(epoch, loops), curriculum_lambda(epoch + 1, loops)
    assert -1 <= after <= value <= 0
    assert (value == -1) == (epoch >= loops)
    assert (value == 0) == (epoch <= 0)


@seeded
@given(st.floats(0.1, 10), st.floats(0.1, 30), st.floats(-30, 30))
def test_the_temperature_stays_in_its_range(start, span, theta):
    T = CurriculumTemperature(start, span, theta).double()().item()
    assert start < T < start + span + 1e-12


# ---------------------------------------------------------------- 6. edges

BIG = [[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, 0.0], [0.0, 0.0, -1e4, -1e4]]
GAP = [[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 1.0, 2.0], [1000.0, 1000.0, 0.0, 0.0]]
# name → student, teacher, labels
EDGES = {
    "batch of one": ([[1.0, 2.0, 0.0]], [[0.0, 1.0, 5.0]], [2]),
    "one class of labels": ([[1.0, 2.0], [0.0, 3.0]], [[0.0, 1.0], [4.0, 1.0]], [1, 1]),
    "identical rows": ([[1.0, 2.0, 0.0]] * 4, [[0.0, 1.0, 5.0]] * 4, [0, 1, 2, 0]),
    "constant rows": ([[3.0] * 3] * 2, [[-7.1] * 3] * 2, [0, 2]),
    "constant rows for the student": ([[3.3] * 3] * 2, [[0.0, 1.0, 5.0]] * 2, [0, 2]),
    "±1e4, agreeing": (BIG, BIG, [0, 1, 2]),
    "±1e4, opposed": (BIG, [[-z for z in row] for row in BIG], [0, 1, 2]),
    "±1e4, teacher only": ([[1.0, 2.0, 3.0, 4.0]] * 3, BIG, [1, 2, 3]),
    "±1e4, student only": (BIG, [[1.0, 2.0, 3.0, 4.0]] * 3, [1, 2, 3]),
    "gap of 1000, agreeing": (GAP, GAP, [0, 1, 2]),
    "gap of 1000, opposed": (GAP, [row[::-1] for row in GAP], [0, 1, 2]),
    "gap of 1000, target far below": (GAP, GAP, [1, 0, 3]),
}


@every_loss
@pytest.mark.parametrize("temperature", [0.5, 4.0, "learned"])
@pytest.mark.parametrize("edge", EDGES)
def test_edges_stay_finite(name, temperature, edge):
    """In float32: the value, and the gradients of student, teacher and θ."""
    s, t, y = EDGES[edge]
    s, t, y = torch.tensor(s, requires_grad=True), torch.tensor(t, requires_grad=True), torch.tensor(y)
    T, theta = degrees(temperature, torch.float32)
    value = LOSSES[name](s, t, y, T)
    assert value.isfinite()
    assert value >= -1e-5
    leaves = [s, t] if theta is None else [s, t, theta]
    for gradient in torch.autograd.grad(value, leaves, materialize_grads=True):
        assert gradient.isfinite().all()


def test_a_saturated_disagreement_has_its_value():
    """One class for sure against another: T² · gap / T, and for the two-way split the same."""
    s, t = torch.tensor([[1e4, 0.0, 0.0]]), torch.tensor([[0.0, 1e4, 0.0]])
    assert kd(s, t, 4.0).item() == pytest.approx(4e4)
    tckd, nckd = dkd_terms(s, t, torch.tensor([1]), 4.0)
    assert tckd.item() == pytest.approx(4e4)
    assert nckd.item() == pytest.approx(4e4)


@pytest.mark.parametrize(("student", "teacher"), [((3, 4), (3, 5)), ((3, 4), (4, 4)), ((4,), (4,)), ((2, 3, 4),) * 2])
def test_wrong_shapes_are_named(student, teacher):
    for loss in (kd, lambda s, t: dkd_terms(s, t, torch.zeros(len(s)).long()), lambda s, t: dkd(s, t, torch.zeros(3))):
        with pytest.raises(ValueError, match="^logits: student") as raised:
            loss(torch.zeros(student), torch.zeros(teacher))
        assert str(student) in str(raised.value)
        assert str(teacher) in str(raised.value)


@pytest.mark.parametrize("T", [0, -1, -0.5, math.nan, math.inf])
def test_wrong_temperatures_are_named(T):
    s, t, y = case()
    for loss in (lambda: kd(s, t, T), lambda: dkd_terms(s, t, y, T), lambda: dkd(s, t, y, T)):
        with pytest.raises(ValueError, match=f"^temperature: {T} "):
            loss()


@pytest.mark.parametrize("labels", [[0, 1], [[0], [1], [2]], 0, []])
def test_labels_of_another_shape_are_named(labels):
    s, t, _ = case(3)
    with pytest.raises(ValueError, match="^labels: .* for 3 rows of logits"):
        dkd_terms(s, t, torch.tensor(labels).long())


PROMISED = "the docstring promises a ValueError for labels that do not fit; one_hot raises a RuntimeError"


@pytest.mark.xfail(strict=True, reason=PROMISED)
@pytest.mark.parametrize("labels", [[0, 1, 4], [0, 1, -1], [0.0, 1.0, 2.0]])
def test_labels_outside_the_classes_are_named(labels):
    s, t, _ = case(3)
    with pytest.raises(ValueError, match="^labels: "):
        dkd_terms(s, t, torch.tensor(labels))
