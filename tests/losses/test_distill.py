"""Golden vectors of the official codes, and the seven checks, for KD, DKD, LSKD and CTKD. Letters:
B batch, C classes.

The terms of MLKD, and the competitors as the authors of DisCoM-KD coded them, are in
test_multilevel.py.
"""

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
    dkd_terms,
    kd,
    standardize,
)

GOLDEN = Path(__file__).parents[1] / "golden"
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)

# ---------------------------------------------------------------- 0. golden vectors of the official
# codes A case is (name, value, expected value, (leaf, expected gradient), ...); the mutants of
# check 7 meet the same cases.


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def golden(name):
    """Logits of student and teacher, labels, cross-entropy, outputs."""
    data = json.loads((GOLDEN / f"{name}.json").read_text())
    student, teacher = (tensor(data["inputs"][f"{who}_logits"]) for who in ("student", "teacher"))
    labels = torch.tensor(data["inputs"]["targets"])
    return (
        student.requires_grad_(),
        teacher,
        labels,
        F.cross_entropy(student, labels),
        data["outputs"],
    )


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


def combined(parts, s, ce, loss):
    for name, value in (("loss_ce", ce), ("loss_kd", loss), ("total", ce + loss)):
        yield name, value, parts[name], (s, parts[f"grad_{name}_student_logits"])


def kd_cases(kd=kd, standardize=standardize):
    files = ("01_kd_hinton", "kl_T2", (4, 1, 2), 0.9), ("03b_lskd_kd", "kd", (2, 4), 9)
    for file, key, temperatures, weight in files:
        s, t, _, ce, out = golden(file)
        pair = (s, t) if weight < 1 else (standardize(s), standardize(t))
        for T in temperatures:
            loss, name = kd(*pair, T), f"{key}_T{T}"
            yield f"{file} {name}", loss, out[name], (s, out[f"grad_student_logits_{name}"])
        yield from combined(out["combination"], s, 0.1 * ce, weight * kd(*pair, temperatures[0]))


def dkd_cases(terms=dkd_terms, total=dkd, standardize=standardize):
    files = (("02_dkd", 4, 1, (2, 6, 8), lambda z: z), ("03c_lskd_dkd", 2, 9, (72,), standardize))
    for file, T, alpha, betas, prepare in files:
        s, t, y, ce, out = golden(file)
        cases = [(out, s, t, y, betas)]
        if binary := out.get("binary_case_first_two_columns_targets_mod_2"):
            cases.append((binary, s[:, :2].detach().requires_grad_(), t[:, :2], y % 2, (8,)))
        for out_, s_, t_, y_, betas_ in cases:
            values = dict(
                zip(("tckd", "nckd"), terms(prepare(s_), prepare(t_), y_, T), strict=True)
            )
            values |= {
                f"total_a{alpha}_b{b}": total(prepare(s_), prepare(t_), y_, T, alpha, b)
                for b in betas_
            }
            for name, value in values.items():
                yield f"{file} {name}", value, out_[name], (s_, out_[f"grad_student_logits_{name}"])
        for epoch in (0, 1, 10, 20, 25) if "epoch_0" in out else (1, 10, 25):
            loss = min(epoch / 20, 1) * total(prepare(s), prepare(t), y, T, alpha, betas[-1])
            yield from combined(out[f"epoch_{epoch}"], s, ce, loss)


def standardize_cases(standardize=standardize):
    data = json.loads((GOLDEN / "03a_lskd_normalize.json").read_text())
    s, t, constant = (
        tensor(data["inputs"][n]) for n in ("student_logits", "teacher_logits", "constant_row")
    )
    out, s = data["outputs"], s.requires_grad_()
    for name, z in {
        "student": s,
        "teacher": t,
        "constant_row": constant,
        "student_times_1000": 1000 * s,
    }.items():
        yield name, standardize(z), out[f"normalize_{name}"]
    cotangent = tensor(out["vjp_cotangent"])
    along = (tensor(out["normalize_student"]) * cotangent).sum().item()
    yield "vjp", (standardize(s) * cotangent).sum(), along, (s, out["vjp_student"])


def ctkd_cases(make=CurriculumTemperature, kd=kd, curriculum=curriculum_lambda):
    s, t, _, ce, out = golden("04_ctkd")
    for key, limits in (
        ("temperature", {}),
        ("temperature_t_start2_t_end10", {"start": 2, "span": 10}),
    ):
        for entry in out[key]:
            yield key, make(theta=entry["theta"], **limits).double()(), entry["temp"]
    for loops in (10, 5):
        for epoch, value in out["lambda_cosine"][f"max0_min_m1_loops{loops}"].items():
            yield f"λ({epoch}) of {loops}", tensor(curriculum(int(epoch), loops)), value
    fixed, bare = out["no_mlp_kd_T4"], out["distillkl_theta1_no_grl"]
    yield (
        "no θ",
        0.1 * ce + 0.9 * kd(s, t, fixed["temp"]),
        fixed["loss"],
        (s, fixed["grad_student_logits"]),
    )
    bare = {"theta": 1, "lambda_": 1, "loss": bare["kl_T2"], **bare}
    weights = {"loop_kd_r0.1_a0.9_b0": 0.9, "lskd_ctkd_logit_stand_r0.1_a9_b0": 9}
    runs = [(0.1, 0.9, {"theta": 1, "lambda_": -1, **out}), (0, 1, bare)]
    runs += [(0.1, weight, entry) for key, weight in weights.items() for entry in out[key]]
    for hard, soft, entry in runs:
        pair = (standardize(s), standardize(t)) if soft == 9 else (s, t)
        module = make(theta=entry["theta"]).double()
        value = hard * ce + soft * kd(*pair, module(entry["lambda_"]))
        gradients = (s, entry["grad_student_logits"]), (module.theta, entry["grad_theta"])
        yield f"θ = {entry['theta']}, λ = {entry['lambda_']}", value, entry["loss"], *gradients


CASES = {"kd": kd_cases, "dkd": dkd_cases, "standardize": standardize_cases, "ctkd": ctkd_cases}


@pytest.mark.parametrize("name", CASES)
def test_official_code(name):
    assert_golden(CASES[name]())


def test_official_ctkd_with_dkd():
    """The official gradient of θ is NaN (its -1000 leaves 0 · log 0); a central difference of its
    loss stands in."""
    s, t, y, ce, out = golden("04_ctkd")
    for entry in out["loop_dkd_r1_a0_b1_dkdalpha1_dkdbeta2"]:
        module = CurriculumTemperature(theta=entry["theta"]).double()
        value = ce + dkd(s, t, y, module(entry["lambda_"]), 1.0, 2.0)
        assert_golden([("loss", value, entry["loss"], (s, entry["grad_student_logits"]))])
        assert grad(value, module.theta)[0].item() == pytest.approx(
            entry["grad_theta_central_difference"], abs=5e-9
        )


# ---------------------------------------------------------------- 1. reference: the equations, in
# loops


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
    means = [sum(row) / len(row) for row in z]
    stds = [
        (sum((v - m) ** 2 for v in row) / (len(row) - 1)).sqrt()
        for m, row in zip(means, z, strict=True)
    ]
    return torch.stack(
        [(row - m) / (std + 1e-7) for row, m, std in zip(z, means, stds, strict=True)]
    )


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


def case(batch=5, classes=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    s, t = (2 * torch.randn(batch, classes, generator=draw, dtype=torch.float64) for _ in range(2))
    return s.requires_grad_(), t, torch.randint(classes, (batch,), generator=draw)


def degrees(temperature, dtype=torch.float64):
    """The temperature, and the θ behind it; a learned one starts at T = 6.38, and λ = 1 leaves the
    gradient's sign."""
    if temperature != "learned":
        return temperature, []
    module = CurriculumTemperature(theta=-1.0).to(dtype)
    return module(1.0), [module.theta]


@every_loss
@every_temperature
@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (4, 2)])
def test_equals_the_loop_reference(name, temperature, shape):
    s, t, y = case(*shape)
    T, theta = degrees(temperature)
    ours, theirs = LOSSES[name](s, t, y, T), REFERENCES[name](s, t, y, T)
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(
        grad(ours, [s, *theta]), grad(theirs, [s, *theta]), rtol=1e-6, atol=1e-12
    )
    assert LOSSES[name](t, t, y, T).item() == pytest.approx(
        0, abs=1e-12
    )  # and so a closed form of check 2
    single = LOSSES[name](s.float(), t.float(), y, degrees(temperature, torch.float32)[0])
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(theirs.item(), rel=1e-5, abs=2e-5)


# ---------------------------------------------------------------- 2. closed forms


def test_hand_values():
    """Student (1/2, 1/2), teacher (3/4, 1/4); then the target's half against the rest, which is
    (3/4, 1/4) again."""
    quarters = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert kd(
        torch.zeros(1, 2).double(), 2 * tensor([[3.0, 1.0]]).log(), 2.0
    ).item() == pytest.approx(4 * quarters)
    s, t = tensor([[2.0, 3.0, 3.0]]).log(), tensor([[4.0, 3.0, 1.0]]).log()
    tckd, nckd = dkd_terms(s, t, torch.tensor([0]), 1.0)
    assert (tckd.item(), nckd.item()) == pytest.approx((0.5 * math.log(4 / 3), quarters))
    assert dkd(s, t, torch.tensor([0]), 1.0, -2.0, 0.5).item() == pytest.approx(
        (-2 * tckd + 0.5 * nckd).item()
    )
    s, t, y = (
        torch.tensor([[1e4, 0.0, 0.0]]),
        torch.tensor([[0.0, 1e4, 0.0]]),
        torch.tensor([1]),
    )  # T² · gap / T
    for value in (kd(s, t), dkd_terms(s, t, y)[0], dkd_terms(s, t, 0 * y + 2)[1]):
        assert value.item() == pytest.approx(4e4)


@seeded
@given(st.integers(2, 6), st.integers(0, 1000), st.floats(0.5, 20))
def test_kd_is_tckd_plus_the_teachers_doubt_times_nckd(classes, seed, T):
    """Zhao et al.: KL = TCKD + (1 - p_y) NCKD for a sample, p_y the teacher's; with two classes
    NCKD is 0."""
    s, t, y = case(1, classes, seed)
    tckd, nckd = dkd_terms(s, t, y, T)
    doubt = 1 - (t / T).softmax(1)[0, y]
    assert kd(s, t, T).item() == pytest.approx((tckd + doubt * nckd).item(), rel=1e-9, abs=1e-12)
    assert (nckd == 0) == (classes == 2)


# ---------------------------------------------------------------- 3. gradients


@every_loss
@every_temperature
def test_gradcheck(name, temperature):
    """For the student, a teacher that requires a gradient, and θ."""
    s, t, y = case(3, 3)
    module = CurriculumTemperature(theta=-1.0).double()

    def value(*_):  # gradcheck moves the leaves in place; λ = 1 is no reversal
        return LOSSES[name](s, t, y, module(1.0) if temperature == "learned" else temperature)

    assert torch.autograd.gradcheck(
        value, [s, t.requires_grad_()] + [module.theta] * (temperature == "learned")
    )


@every_loss
def test_only_the_student_learns(name):
    s, t, y = case()
    (before := LOSSES[name](s, t, y, 3.0)).backward()
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
def test_size_depends_on_neither_the_batch_nor_the_temperature(name):
    """The gradient stays within a factor of 3 from T = 2 to 32; without T² it would fall by more
    than 80."""
    s, t, y = case(16, 10)
    many = LOSSES[name](s.repeat(3, 1), t.repeat(3, 1), y.repeat(3), 3.0)
    assert many.item() == pytest.approx(LOSSES[name](s, t, y, 3.0).item(), rel=1e-12)
    sizes = [
        grad(LOSSES[name](s, t, y, T), s)[0].norm().item() for T in (2.0, 4.0, 8.0, 16.0, 32.0)
    ]
    assert max(sizes) < 3 * min(sizes)


# ---------------------------------------------------------------- 5. what changes nothing, and what
# must


@seeded
@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 1000), st.data())
def test_order_and_constants_change_nothing(batch, classes, seed, data):
    """Samples and classes in another order, a constant added to each row."""
    s, t, y = case(batch, classes, seed)
    rows, columns = (torch.tensor(data.draw(st.permutations(range(n)))) for n in (batch, classes))
    one, two = tensor(
        data.draw(st.lists(st.floats(-100, 100), min_size=2 * batch, max_size=2 * batch))
    ).view(2, -1, 1)
    moved = (s + one)[rows][:, columns], (t + two)[rows][:, columns], columns.argsort()[y[rows]]
    for name, loss in LOSSES.items():
        assert loss(*moved, 3.0).item() == pytest.approx(
            loss(s, t, y, 3.0).item(), rel=1e-6, abs=1e-12
        ), name


@seeded
@given(
    st.integers(0, 1000),
    st.lists(st.floats(0.1, 100), min_size=4, max_size=4),
    st.floats(-100, 100),
)
def test_standardize_does_not_see_positive_affine_maps(seed, factors, constant):
    z, _, _ = case(4, 5, seed)
    mapped = standardize(tensor(factors)[:, None] * z + constant)
    torch.testing.assert_close(mapped, standardize(z), rtol=1e-5, atol=1e-5)


@every_loss
def test_what_must_change(name):
    s, t, y = case()
    value = LOSSES[name](s, t, y, 3.0)
    others = (
        (t, s, y),
        (s, t.roll(1, 0), y),
        (s, t, (y + 1) % 4),
        (2 * s, t, y),
    )  # KL is no distance
    changed = [abs((LOSSES[name](*other, 3.0) - value).item()) > 1e-3 for other in others]
    assert changed == [True, True, name.removeprefix("LSKD ") != "kd", not name.startswith("LSKD")]


@seeded
@given(
    st.integers(1, 20),
    st.integers(-3, 40),
    st.floats(0.1, 10),
    st.floats(0.1, 30),
    st.floats(-20, 20),
)
def test_curriculum_falls_and_the_temperature_stays_in_its_range(loops, epoch, start, span, theta):
    value, after = curriculum_lambda(epoch, loops), curriculum_lambda(epoch + 1, loops)
    assert -1 <= after <= value <= 0
    assert (value == -1, value == 0) == (epoch >= loops, epoch <= 0)
    T = CurriculumTemperature(start, span, theta).double()().item()
    assert pytest.approx(start + span / (1 + math.exp(-theta)), rel=1e-6) == T
    assert start < T < start + span
    with pytest.raises(ValueError, match=r"^loops: 0 "):
        curriculum_lambda(epoch, 0)


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
    "±1e4, agreeing": (BIG, BIG, [0, 1, 2]),
    "±1e4, opposed": (BIG, [[-z for z in row] for row in BIG], [0, 1, 2]),
    "±1e4, teacher": ([[1.0, 2.0, 3.0, 4.0]] * 3, BIG, [1, 2, 3]),
    "±1e4, student": (BIG, [[1.0, 2.0, 3.0, 4.0]] * 3, [1, 2, 3]),
    "gap of 1000, agreeing": (GAP, GAP, [1, 0, 3]),
    "gap of 1000, opposed": (GAP, [row[::-1] for row in GAP], [0, 1, 2]),
}


@every_loss
@every_temperature
@pytest.mark.parametrize("edge", EDGES)
def test_edges_stay_finite(name, temperature, edge):
    """In float32: the value, and the gradients of student, teacher and θ."""
    s, t, y = (
        torch.tensor(values, requires_grad=kind < 2) for kind, values in enumerate(EDGES[edge])
    )
    T, theta = degrees(temperature, torch.float32)
    value = LOSSES[name](s, t, y, T)
    assert -1e-5 <= value < math.inf
    assert all(gradient.isfinite().all() for gradient in grad(value, [s, t, *theta]))


WRONG = [
    *(
        ({"t": torch.zeros(shape)}, r"logits: student \(3, 4\), teacher \(")
        for shape in ((3, 5), (4, 4), (3,))
    ),
    *(
        (dict.fromkeys("st", torch.zeros(shape)), r"logits: student \(")
        for shape in ((3,), (2, 3, 4))
    ),
    (dict.fromkeys("st", torch.zeros(0, 4)), "logits: no samples"),
    *(({"T": T}, f"temperature: {T} ") for T in (0, -1, -0.5, math.nan, math.inf)),
    *(
        ({"y": torch.zeros(shape).long()}, r"labels: torch.int64 \(.*\); give")
        for shape in ((2,), (0,), (3, 1), ())
    ),
    (
        {"s": torch.zeros(3, 1), "t": torch.zeros(3, 1), "y": torch.zeros(3).long()},
        "logits: 1 class ",
    ),
    *(({"y": torch.tensor(y)}, "labels: ") for y in ([0, 1, 4], [0, 1, -1], [0.0, 1.0, 2.0])),
    ({"T": torch.ones(1)}, r"temperature: a tensor of shape \(1,\)"),
]


@pytest.mark.filterwarnings("ignore:std")  # of no rows
@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_wrong_input_is_named(changed, message):
    usual = {"s": torch.zeros(3, 4), "t": torch.zeros(3, 4), "y": torch.zeros(3).long(), "T": 4.0}
    s, t, y, T = (usual | changed).values()
    for loss in [dkd_terms, dkd, LOSSES["LSKD dkd"]] + [LOSSES["kd"]] * ("y" not in changed):
        with pytest.raises(ValueError, match=f"^{message}"):
            loss(s, t, y, T)


RANGES = [(math.nan, 1.0), (1.0, math.inf), (math.inf, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(
    ("start", "span"), [(-1.0, 20.0), (1.0, 0.0), (1.0, -2.0), (1.0, math.nan), *RANGES]
)
def test_wrong_ranges_are_named(start, span):
    with pytest.raises(ValueError, match=f"^temperature: {start} to {start + span} "):
        CurriculumTemperature(start, span)


# ---------------------------------------------------------------- 7. mutations: wrong copies must
# be caught


def temperature_with(change=lambda lambda_: lambda_, shorter=0.0):
    def make(start=1.0, span=20.0, theta=1.0):
        module = CurriculumTemperature(start, span - shorter, theta)
        forward = module.forward
        module.forward = lambda lambda_=-1.0: forward(change(lambda_))
        return module

    return {"make": make}


def each(change):
    return {"terms": lambda s, t, y, T: change(*dkd_terms(s, t, y, T), kd(s, t, T), T)}


# name, which begins with the method → what replaces the package's functions
MUTANTS = {
    "kd: teacher twice": {"kd": lambda s, t, T=4: kd(t, t, T) + 0 * s.sum()},
    "kd: swapped": {"kd": lambda s, t, T=4: kd(t, s, T)},
    "kd: without T²": {"kd": lambda s, t, T=4: kd(s, t, T) / T**2},
    "kd: mean over B and C": {"kd": lambda s, t, T=4: kd(s, t, T) / s.shape[1]},
    "kd: not standardized": {"standardize": lambda z: z},
    "dkd: target kept among the rest": each(lambda tckd, nckd, kd, T: (tckd, kd)),
    "dkd: coupled": each(lambda tckd, nckd, kd, T: (tckd, kd - tckd)),
    "dkd: without T²": each(lambda tckd, nckd, kd, T: (tckd / T**2, nckd / T**2)),
    "dkd: terms swapped": each(lambda tckd, nckd, kd, T: (nckd, tckd)),
    "dkd: student and teacher swapped": {"terms": lambda s, t, y, T: dkd_terms(t, s, y, T)},
    "standardize: ddof 0": {"standardize": lambda z: F.layer_norm(z, z.shape[1:], eps=1e-14)},
    "standardize: std detached": {"standardize": lambda z: (z - z.mean(1, True)) / z.detach().std(1, keepdim=True)},
    "standardize: over the batch": {"standardize": lambda z: standardize(z.T).T},
    "ctkd: sign of λ": temperature_with(lambda lambda_: -lambda_),
    "ctkd: 20 is the end": temperature_with(shorter=1.0),
    "ctkd: T detached": {"kd": lambda s, t, T: kd(s, t, tensor(T).detach())},
    "ctkd: T² detached": {"kd": lambda s, t, T: kd(s, t, T) / T**2 * tensor(T).detach() ** 2},
    "ctkd: curriculum rises": {"curriculum": lambda epoch, loops: -curriculum_lambda(epoch, loops)},
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_copies_are_caught(name):
    with pytest.raises(AssertionError):
        assert_golden(CASES[name.split(":")[0]](**MUTANTS[name]))
