"""The Gaussian toy against the official code: its draws, loss, short list of runs, and both
published curves.

tests/golden: what gauss/main.py of github.com/zihuixue/MFH at e6e4e85 computes (07_mfh_toy.json)
and prints (07_mfh_toy_official_output.txt). Letters: B batch, C classes.
"""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.errors import ConfigError
from discom.evaluation.focusing import (
    carried,
    focusing_loss,
    gaussian_pair,
    toy_curve,
    toy_run,
    train_linear,
    write_curves,
)
from discom.files import read_json
from discom.losses.distill import kd

GOLDEN = Path(__file__).parent / "golden"
OFFICIAL = json.loads((GOLDEN / "07_mfh_toy.json").read_text())["outputs"]
STORED = Path(__file__).parents[1] / "results" / "probes" / "focusing-toy.json"
COLUMNS = ["dial", "share", "seed", "teacher", "student", "kd", "gain"]
PAPER = {
    "gamma": {0: -0.71, 0.11: -0.45, 0.25: -0.34, 0.43: 0.24, 0.67: 1.53, 1: 2.50},
    "alpha": {0: 1.59, 0.5: 0.97, 0.67: 0.66, 0.75: 0.56, 0.8: 0.31},
}
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


# ---------------------------------------------------------------- the draws


def drawn(entry):
    """Ours from the official arguments: those name features by their counts, with the shared ones
    in the middle."""
    sizes = entry["args"]
    own, common = sizes["xs1_dim"], sizes["xs2_dim"]
    if entry["mode"] == "increase_gamma":
        first, decisive = common - sizes["overlap_dim"], own + common
        teacher = range(first, first + own)
    else:
        teacher, decisive = range(own + common), sizes["x1_dim"]
    rng = np.random.RandomState(entry["numpy_seed"])
    plane = rng.randn(len(entry["a"]))
    np.testing.assert_array_equal(plane, entry["a"])
    widths = (sizes["x1_dim"], sizes["x2_dim"])
    return gaussian_pair(rng, plane[:decisive], entry["n"], teacher, range(common), widths)


@pytest.mark.parametrize(
    "entry", OFFICIAL["gen_mm_data"], ids=lambda entry: str(entry["args"].get("overlap_dim"))
)
def test_official_draws(entry):
    """Equal in every bit, so that the runs below can be."""
    x1, x2, y = drawn(entry)
    assert (x1.dtype, x2.dtype, y.dtype) == (torch.float32, torch.float32, torch.int64)
    assert x1.tolist() == entry["x1"]
    assert x2.tolist() == entry["x2"]
    assert y.tolist() == entry["y"]
    equal = (x1[:, :, None] == x2[:, None, :]).all(0).nonzero().tolist()
    assert equal == entry["columns_shared_x1_x2"]


@seeded
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(1, 6), st.data())
def test_columns_are_features_or_noise(decisive, seed, samples, data):
    """Rebuilt from the plain order of the draws; no column but a carried one says anything about
    the label."""
    widths = data.draw(st.tuples(st.integers(1, 15), st.integers(1, 15)))
    carries = []
    for width in widths:
        low, high = sorted(data.draw(st.tuples(*[st.integers(0, min(width, decisive))] * 2)))
        carries.append(range(low, high))
    plane = np.random.RandomState(seed).randn(decisive)
    *found, y = gaussian_pair(np.random.RandomState(seed), plane, samples, *carries, widths)
    rng = np.random.RandomState(seed)
    x, student, teacher = (rng.randn(samples, width) for width in (decisive, widths[1], widths[0]))
    assert y.tolist() == [
        int(sum(map(float.__mul__, row, plane.tolist())) > 0) for row in x.tolist()
    ]
    for modality, features, noise in zip(found, carries, (teacher, student), strict=True):
        assert modality.shape == noise.shape
        for k, column in enumerate(modality.T):
            assert column.tolist() == (x if k in features else noise).astype("f4")[:, k].tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"samples": 0}, "samples: 0; draw"),
        ({"student": range(3, 6)}, r"student: carries range\(3, 6\); .* 0 to 4$"),  # no such column
        (
            {"teacher": range(8, 11)},
            r"teacher: carries range\(8, 11\); .* 0 to 9$",
        ),  # no such feature
        ({"teacher": range(-1, 2)}, r"teacher: carries range\(-1, 2\); "),
    ],
)
def test_wrong_draws_are_named(changed, message):
    usual = {"samples": 4, "teacher": range(2), "student": range(2), "widths": (20, 5)}
    with pytest.raises(ConfigError, match=f"^{message}"):
        gaussian_pair(np.random.RandomState(0), np.ones(10), **(usual | changed))


# ---------------------------------------------------------------- the dials


@pytest.mark.parametrize("dial", PAPER)
def test_shares_are_what_their_names_say(dial):
    """γ = |both| / |either|, α = |teacher's alone| / |either|, β = |student's alone| / |either|, at
    every count."""
    counts = range(11) if dial == "gamma" else range(41)
    for n in counts:
        share = n / (20 - n) if dial == "gamma" else n / (n + 10)
        exact, teacher, student = carried(dial, share)
        teacher, student = set(teacher), set(student)
        either = len(teacher | student)
        alpha, beta, gamma = (
            len(part) / either for part in (teacher - student, student - teacher, teacher & student)
        )
        assert exact == share == pytest.approx({"gamma": gamma, "alpha": alpha}[dial], abs=1e-15)
        assert (alpha == beta) if dial == "gamma" else (beta == 0)
        assert alpha + beta + gamma == pytest.approx(1)
        assert carried(dial, round(share, 3)) == carried(dial, share)
    for share in PAPER[dial]:  # two printed decimals are enough
        assert carried(dial, share)[0] == pytest.approx(share, abs=0.005)


WRONG = [
    (("beta", 0.5), {}, r"dial: 'beta'; use gamma "),
    (
        ("gamma", 0.5),
        {},
        r"share: no number of features makes gamma = 0.5; .* 0.00, 0.11, 0.25, 0.43, 0.67, 1.00$",
    ),
    *(
        (("gamma", share), {}, f"share: .* gamma = {share};")
        for share in (-0.1, 1.1, math.nan, math.inf)
    ),
    (
        ("alpha", 0.85),
        {},
        r"share: no number of features makes alpha = 0.85; .* 0.00, 0.50, 0.67, 0.75, 0.80$",
    ),
    *(
        (("gamma", 1.0), {"seed": seed}, f"seed: {seed}; use 0 to 4294967294")
        for seed in (-1, 2**32 - 1)
    ),
    (("gamma", 1.0), {"epochs": 0}, "epochs: 0; use 1 or more"),
]


@pytest.mark.parametrize(("args", "more", "message"), WRONG)
def test_wrong_settings_are_named(args, more, message):
    with pytest.raises(ConfigError, match=f"^{message}") as error:
        toy_run(*args, **more)
    assert "\n" not in str(error.value)
    dial, share = args
    with pytest.raises(ConfigError, match=f"^{message}"):
        toy_curve(dial, seeds=[more.get("seed", 0)], shares=[share], epochs=more.get("epochs", 1))


@pytest.mark.parametrize("empty", [{"seeds": []}, {"shares": []}])
def test_an_empty_curve_is_named(empty):
    with pytest.raises(ConfigError, match=r"^curve: \d+ seeds and \d+ shares; "):
        toy_curve("gamma", **empty, epochs=1)
    with pytest.raises(ConfigError, match=r"^dial: "):
        toy_curve("delta", epochs=1)


# ---------------------------------------------------------------- the loss


def assert_golden(loss):
    for name in ("C2", "C7"):
        out = OFFICIAL[name]
        s, t = tensor(out["student_logits"]).requires_grad_(), tensor(out["teacher_logits"])
        y = torch.tensor(out["targets"])
        value = loss(s, t, y)
        hard = F.cross_entropy(s, y)
        close = {"rtol": 1e-9, "atol": 1e-10}
        torch.testing.assert_close(value, tensor(out["loss"]), **close)
        torch.testing.assert_close(value - hard, tensor(out["loss_pl"]), **close)
        for part, wanted in (
            (value, out["grad_student_logits"]),
            (value - hard, out["grad_loss_pl"]),
        ):
            (found,) = torch.autograd.grad(part, s, retain_graph=True)
            torch.testing.assert_close(found, tensor(wanted), **close)


def divergence(s, t, parts=1):
    return F.kl_div(s.log_softmax(1), t.softmax(1), reduction="sum") / parts


def test_official_loss():
    assert_golden(focusing_loss)


MUTANTS = {
    "KL averaged over samples": lambda s, t, y: F.cross_entropy(s, y) + divergence(s, t, len(s)),
    "KL summed": lambda s, t, y: F.cross_entropy(s, y) + divergence(s, t),
    "teacher and student swapped": lambda s, t, y: focusing_loss(t, s, y) + 0 * s.sum(),
    "swapped in the KL": lambda s, t, y: F.cross_entropy(s, y) + divergence(t, s, s.numel()),
    "probabilities for their logarithms": lambda s, t, y: (
        F.cross_entropy(s, y) + F.kl_div(s.softmax(1), t.softmax(1), reduction="sum") / s.numel()
    ),
    "T = 2": lambda s, t, y: F.cross_entropy(s, y) + kd(s, t, 2.0) / s.shape[1],
    "no cross-entropy": lambda s, t, y: divergence(s, t, s.numel()),
    "student twice": lambda s, t, y: focusing_loss(s, s, y),
    "half of each": lambda s, t, y: focusing_loss(s, t, y) / 2,
}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_losses_fail(name):
    with pytest.raises(AssertionError, match="not close"):
        assert_golden(MUTANTS[name])


def case(batch=5, classes=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    s, t = (2 * torch.randn(batch, classes, generator=draw, dtype=torch.float64) for _ in range(2))
    return s.requires_grad_(), t, torch.randint(classes, (batch,), generator=draw)


def loop(s, t, labels):
    """The equation, written out."""
    hard = soft = 0
    for a, b, y in zip(s, t, labels, strict=True):
        p, q = a.exp() / a.exp().sum(), b.exp() / b.exp().sum()
        hard = hard - p[y].log() / len(s)
        soft = soft + sum(q[c] * (q[c] / p[c]).log() for c in range(len(a))) / (len(s) * len(a))
    return hard + soft


@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (4, 2)])
def test_equals_the_loop_and_gradcheck(shape):
    s, t, y = case(*shape)
    torch.testing.assert_close(focusing_loss(s, t, y), loop(s, t, y), rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(
        focusing_loss(s.float(), t.float(), y), loop(s, t, y).float(), rtol=1e-5, atol=1e-6
    )
    assert torch.autograd.gradcheck(lambda s: focusing_loss(s, t, y), [s])


def test_closed_forms():
    """Equal networks leave the cross-entropy; uniform against (3/4, 1/4): half of 3/4 log 3/2 + 1/4
    log 1/2."""
    _, t, y = case()
    assert focusing_loss(t, t, y).item() == pytest.approx(F.cross_entropy(t, y).item(), rel=1e-12)
    quarters = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    value = focusing_loss(torch.zeros(1, 2).double(), tensor([[3.0, 1.0]]).log(), torch.tensor([1]))
    assert value.item() == pytest.approx(math.log(2) + quarters / 2)


def test_only_the_student_learns():
    s, t, y = case()
    t.requires_grad_()
    focusing_loss(s, t, y).backward()
    assert s.grad.abs().sum(1).min() > 0
    assert t.grad is None
    change = (2 * s, t, y), (s, t.roll(1, 0), y), (s, t, (y + 1) % 4), (t, s, y)
    assert all(
        abs((focusing_loss(*other) - focusing_loss(s, t, y)).item()) > 1e-3 for other in change
    )


@seeded
@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 1000), st.integers(1, 4), st.data())
def test_what_changes_nothing(batch, classes, seed, times, data):
    """Order of samples and classes, a constant per row, the batch repeated; and its KL is kd's over
    C."""
    s, t, y = case(batch, classes, seed)
    rows, columns = (torch.tensor(data.draw(st.permutations(range(n)))) for n in (batch, classes))
    one, two = (torch.linspace(-50, high, batch, dtype=torch.float64)[:, None] for high in (7, 100))
    moved = (s + one)[rows][:, columns], (t + two)[rows][:, columns], columns.argsort()[y[rows]]
    value = focusing_loss(s, t, y).item()
    assert focusing_loss(*moved).item() == pytest.approx(value, rel=1e-9)
    assert focusing_loss(
        s.repeat(times, 1), t.repeat(times, 1), y.repeat(times)
    ).item() == pytest.approx(value)
    assert value == pytest.approx((F.cross_entropy(s, y) + kd(s, t, 1.0) / classes).item())


BIG = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]]


@pytest.mark.parametrize(
    "pair", [(BIG, BIG), (BIG, [[-z for z in row] for row in BIG]), ([[1.0, 2.0, 0.0]] * 2, BIG)]
)
def test_large_logits_stay_finite(pair):
    s, t = (torch.tensor(values) for values in pair)
    value = focusing_loss(s.requires_grad_(), t, torch.tensor([2, 2]))
    value.backward()
    assert 0 <= value < math.inf
    assert s.grad.isfinite().all()


@pytest.mark.parametrize(
    "shapes", [((3, 2), (3, 3)), ((3, 2), (4, 2)), ((3,), (3,)), ((0, 2), (0, 2))]
)
def test_wrong_logits_are_named(shapes):
    s, t = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"^logits: "):
        focusing_loss(s, t, torch.zeros(len(s)).long())


# ---------------------------------------------------------------- training, whole runs, and the
# curves


def test_one_step_is_a_step_down_the_gradient():
    """W - 0.1 ∂L/∂W by hand, with and without a teacher; the network starts where torch's generator
    puts it."""
    x, t, y = (
        torch.randn(6, 3, generator=torch.Generator().manual_seed(1)),
        torch.ones(6, 2),
        torch.arange(6) % 2,
    )
    t[:, 1] = x[:, 0]
    for teacher in (None, t):
        torch.manual_seed(5)
        start = torch.nn.Linear(3, 2)
        torch.manual_seed(5)
        found = train_linear(x, y, 1, teacher)
        p = start(x).softmax(1)
        error = (p - F.one_hot(y, 2)) / 6 + (0 if teacher is None else (p - t.softmax(1)) / 12)
        torch.testing.assert_close(found.weight, start.weight - 0.1 * error.T @ x)
        torch.testing.assert_close(found.bias, start.bias - 0.1 * error.sum(0))


def official_runs():
    for entry in OFFICIAL["run_mm_float32"]:
        n, dial = entry["vari_dim"], entry["mode"].removeprefix("increase_")
        wanted = [100 * entry[f"{name}_acc"] for name in ("teacher", "no_kd", "kd")]
        share = n / (20 - n) if dial == "gamma" else n / (n + 10)
        yield pytest.param(
            dial, share, entry["seed"], wanted, marks=() if share else pytest.mark.slow
        )


@pytest.mark.parametrize(("dial", "share", "seed", "wanted"), official_runs())
def test_official_runs(dial, share, seed, wanted):
    """To one test sample of 1000, which the last digit of float32 may move on another processor."""
    state = torch.get_rng_state()
    found = toy_run(dial, share, seed)
    assert [found[name] for name in ("teacher", "student", "kd")] == pytest.approx(
        wanted, abs=0.1001
    )
    assert found["gain"] == pytest.approx(found["kd"] - found["student"])
    assert torch.equal(torch.get_rng_state(), state)  # the caller's stream is where it was


def test_a_seed_is_one_student_and_the_teacher_matters():
    """At every share the student alone is the same; the teacher and what it teaches are not."""
    rows = toy_curve("gamma", seeds=[3], epochs=100, shares=[0, 0.43, 1])
    assert rows.columns.tolist() == COLUMNS
    assert rows["student"].nunique() == 1
    assert rows["teacher"].nunique() == rows["kd"].nunique() == 3
    again = toy_run("gamma", 0.43, 3, 100)
    assert rows.iloc[1].to_dict() == again
    assert toy_run("gamma", 0.43, 4, 100)["student"] != again["student"]


def test_curves_are_written_and_read(tmp_path):
    written = write_curves(tmp_path / "toy.json", seeds=[2], epochs=2)
    pd.testing.assert_frame_equal(pd.DataFrame(read_json(tmp_path / "toy.json")), written)
    assert written.groupby("dial").size().to_dict() == {"gamma": 6, "alpha": 5}


def printed():
    """What the official script prints for each share: means of ten runs in %, mean and deviation of
    the gain."""
    text = (GOLDEN / "07_mfh_toy_official_output.txt").read_text()
    lines = (
        r"(gamma|alpha) = ([\d.]+).*",
        r"Teacher acc (\S+)",
        r"No KD acc (\S+)",
        r"KD student acc (\S+)",
    )
    found = re.findall("\n".join([*lines, r"Delta: (\S+) ± (\S+)"]), text)
    return [(dial, *map(float, numbers)) for dial, *numbers in found]


def test_stored_curves_are_the_official_ones():
    """Every printed digit of every mean and deviation, and the gains that the paper draws."""
    stored = pd.DataFrame(read_json(STORED))
    assert stored.columns.tolist() == COLUMNS
    assert len(stored) == 110
    assert not stored.duplicated(["dial", "share", "seed"]).any()
    official = printed()
    assert len(official) == 11
    for dial, share, *figures in official:
        rows = stored[(stored["dial"] == dial) & ((stored["share"] - share).abs() < 0.005)]
        assert sorted(rows["seed"]) == list(range(10))
        means = rows[["teacher", "student", "kd", "gain"]].mean()
        assert [*means, rows["gain"].std(ddof=0)] == pytest.approx(figures, abs=0.00501)
        assert figures[3] == PAPER[dial][round(share, 2)]
        np.testing.assert_allclose(rows["gain"], rows["kd"] - rows["student"], atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("dial", "share"), [("gamma", 1.0), ("alpha", 0.8)])
def test_curves_can_be_made_again(dial, share):
    """Four seeds of a setting, each accuracy to one test sample of what is stored."""
    stored = pd.DataFrame(read_json(STORED))
    stored = stored[
        (stored["dial"] == dial) & (stored["share"] == share) & (stored["seed"] < 4)
    ].reset_index(drop=True)
    found = toy_curve(dial, range(4), shares=[share])
    pd.testing.assert_frame_equal(found[COLUMNS[:3]], stored[COLUMNS[:3]])
    for name in ("teacher", "student", "kd"):
        np.testing.assert_allclose(found[name], stored[name], atol=0.1001)
