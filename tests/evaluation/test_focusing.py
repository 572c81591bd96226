"""The Gaussian toy against the official code: its draws, loss, short list of runs, and both
published curves.

tests/golden: what gauss/main.py of github.com/zihuixue/MFH at e6e4e85 computes (07_mfh_toy.json)
and prints (07_mfh_toy_official_output.txt). Letters: B batch, C classes.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from discom.errors import ConfigError
from discom.evaluation.focusing import carried, focusing_loss, gaussian_pair, toy_curve, toy_run
from discom.files import read_json
from discom.losses.distill import kd

TESTS = Path(__file__).parents[1]
OFFICIAL = json.loads((TESTS / "golden/07_mfh_toy.json").read_text())["outputs"]
STORED = TESTS.parent / "results/probes/focusing-toy.json"
COLUMNS = ["parameter", "share", "seed", "teacher", "student", "kd", "gain"]
PAPER = {
    "gamma": {0: -0.71, 0.11: -0.45, 0.25: -0.34, 0.43: 0.24, 0.67: 1.53, 1: 2.50},
    "alpha": {0: 1.59, 0.5: 0.97, 0.67: 0.66, 0.75: 0.56, 0.8: 0.31},
}


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


# ---------------------------------------------------------------- the draws


@pytest.mark.parametrize("entry", OFFICIAL["gen_mm_data"])
def test_official_draws(entry):
    """Equal in every bit, so that the runs below can be. The official arguments name features by
    their counts, with the shared ones in the middle."""
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
    x1, x2, y = gaussian_pair(rng, plane[:decisive], entry["n"], teacher, range(common), widths)
    assert (x1.dtype, x2.dtype, y.dtype) == (torch.float32, torch.float32, torch.int64)
    assert (x1.tolist(), x2.tolist(), y.tolist()) == (entry["x1"], entry["x2"], entry["y"])
    equal = (x1[:, :, None] == x2[:, None, :]).all(0).nonzero().tolist()
    assert equal == entry["columns_shared_x1_x2"]


@pytest.mark.parametrize("parameter", PAPER)
def test_shares_are_what_their_names_say(parameter):
    """γ = |both| / |either|, α = |teacher's alone| / |either|, β = |student's alone| / |either|, at
    every count."""
    for n in range(11) if parameter == "gamma" else range(41):
        share, *features = carried(parameter, n)
        teacher, student = map(set, features)
        parts = (teacher - student, student - teacher, teacher & student)
        alpha, beta, gamma = (len(part) / len(teacher | student) for part in parts)
        assert share == pytest.approx({"gamma": gamma, "alpha": alpha}[parameter], abs=1e-15)
        assert (alpha == beta) if parameter == "gamma" else (beta == 0)


@pytest.mark.parametrize(
    ("parameter", "n"), [("beta", 5), ("gamma", 11), ("alpha", 41), ("alpha", -1)]
)
def test_wrong_settings_are_named(parameter, n):
    with pytest.raises(
        ConfigError, match=f"parameter '{parameter}': {n} features give no share; use"
    ):
        toy_run(parameter, n)
    with pytest.raises(ConfigError, match="parameter 'delta': 0 features give no share"):
        toy_curve("delta", epochs=1)


# ---------------------------------------------------------------- the loss


def assert_golden(loss):
    for name in ("C2", "C7"):
        out = OFFICIAL[name]
        s, t = tensor(out["student_logits"]).requires_grad_(), tensor(out["teacher_logits"])
        y = torch.tensor(out["targets"])
        value = loss(s, t, y)
        soft = value - F.cross_entropy(s, y)
        close = {"rtol": 1e-9, "atol": 1e-10}
        torch.testing.assert_close(value, tensor(out["loss"]), **close)
        torch.testing.assert_close(soft, tensor(out["loss_pl"]), **close)
        for part, gradient in ((value, "grad_student_logits"), (soft, "grad_loss_pl")):
            (own,) = torch.autograd.grad(part, s, retain_graph=True)
            torch.testing.assert_close(own, tensor(out[gradient]), **close)


def divergence(s, t, parts=1):
    return F.kl_div(s.log_softmax(1), t.softmax(1), reduction="sum") / parts


def test_official_loss():
    assert_golden(focusing_loss)


WRONG = {
    "KL averaged over samples": lambda s, t, y: F.cross_entropy(s, y) + divergence(s, t, len(s)),
    "swapped in the KL": lambda s, t, y: F.cross_entropy(s, y) + divergence(t, s, s.numel()),
    "T = 2": lambda s, t, y: F.cross_entropy(s, y) + kd(s, t, 2.0) / s.shape[1],
    "student twice": lambda s, t, y: focusing_loss(s, s, y),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_losses_fail(name):
    with pytest.raises(AssertionError, match="not close"):
        assert_golden(WRONG[name])


@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (4, 2)])
def test_gradients_and_float32(shape):
    draw = torch.Generator().manual_seed(0)
    s, t = 2 * torch.randn(2, *shape, generator=draw, dtype=torch.float64)
    y = torch.randint(shape[1], shape[:1], generator=draw)
    single = focusing_loss(s.float(), t.float(), y)
    torch.testing.assert_close(single, focusing_loss(s, t, y).float(), rtol=1e-5, atol=1e-6)
    assert torch.autograd.gradcheck(lambda s: focusing_loss(s, t, y), [s.requires_grad_()])


# ---------------------------------------------------------------- training, runs, and the curves


def official_runs():
    for entry in OFFICIAL["run_mm_float32"]:
        n, parameter = entry["vari_dim"], entry["mode"].removeprefix("increase_")
        accuracies = [100 * entry[f"{name}_acc"] for name in ("teacher", "no_kd", "kd")]
        marks = () if (parameter, n) == ("alpha", 40) else pytest.mark.slow
        yield pytest.param(parameter, n, entry["seed"], accuracies, marks=marks)


@pytest.mark.parametrize(("parameter", "n", "seed", "accuracies"), official_runs())
def test_official_runs(parameter, n, seed, accuracies):
    """To one test sample of 1000, which the last digit of float32 may move on another processor."""
    state = torch.get_rng_state()
    row = toy_run(parameter, n, seed)
    assert [row[name] for name in ("teacher", "student", "kd")] == pytest.approx(
        accuracies, abs=0.1001
    )
    assert row["gain"] == pytest.approx(row["kd"] - row["student"])
    assert torch.equal(torch.get_rng_state(), state)  # the caller's stream is where it was


def test_a_seed_is_one_student_and_the_teacher_matters():
    """At every share the student alone is the same; the teacher and what it teaches are not."""
    rows = toy_curve("gamma", seeds=iter([3]), epochs=20, features=[0, 10])
    assert rows.columns.tolist() == COLUMNS
    assert rows["student"].nunique() == 1
    assert rows["teacher"].nunique() == rows["kd"].nunique() == 2
    assert rows.iloc[1].to_dict() == toy_run("gamma", 10, 3, 20)
    assert toy_run("gamma", 10, 4, 20)["student"] != rows["student"][0]


def printed():
    """What the official script prints for each share: means of ten runs in %, mean and deviation of
    the gain."""
    lines = (
        r"(gamma|alpha) = ([\d.]+).*",
        r"Teacher acc (\S+)",
        r"No KD acc (\S+)",
        r"KD student acc (\S+)",
        r"Delta: (\S+) ± (\S+)",
    )
    text = (TESTS / "golden/07_mfh_toy_official_output.txt").read_text()
    return [
        (parameter, *map(float, numbers))
        for parameter, *numbers in re.findall("\n".join(lines), text)
    ]


def test_stored_curves_are_the_official_ones():
    """Every printed digit of every mean and deviation, and the gains that the paper draws."""
    stored = pd.DataFrame(read_json(STORED))
    assert stored.columns.tolist() == COLUMNS
    assert len(stored) == 110
    official = printed()
    assert len(official) == 11
    for parameter, share, *figures in official:
        rows = stored[
            (stored["parameter"] == parameter) & ((stored["share"] - share).abs() < 0.005)
        ]
        assert sorted(rows["seed"]) == list(range(10))
        means = rows[["teacher", "student", "kd", "gain"]].mean()
        assert [*means, rows["gain"].std(ddof=0)] == pytest.approx(figures, abs=0.00501)
        assert figures[3] == PAPER[parameter][round(share, 2)]
        np.testing.assert_allclose(rows["gain"], rows["kd"] - rows["student"], atol=1e-9)
