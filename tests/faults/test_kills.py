"""`kill -9` at random moments and at the worst ones: the same command ends with the same result."""

import random
import signal

import pytest
from fixtures import children
from fixtures.children import Signal

pytestmark = pytest.mark.slow
GOES_ON = "interrupted; the same command goes on from the last saved epoch"


def pytest_generate_tests(metafunc):
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", range(metafunc.config.getoption("kills")))


def killed(folder, drawn, seconds, runs) -> bool:
    """Start a training and kill it at a moment drawn from `seconds`; whether that came in time."""
    child = children.start(folder, children.train, runs)
    child.process.join(drawn.uniform(0, seconds))
    child.process.kill()
    return child.end() != 0


def test_a_run_killed_at_a_random_moment_ends_with_the_same_numbers(whole, tmp_path, kill):
    reference, seconds = whole
    drawn, attempt = random.Random(kill), 0
    while not killed(tmp_path, drawn, seconds, runs := tmp_path / f"runs-{attempt}"):
        attempt += 1  # it was quicker this time, and done
    while drawn.random() < 0.3:  # and again on its way back
        killed(tmp_path, drawn, seconds, runs)
    child = children.start(tmp_path, children.train, runs)
    assert child.end() == 0, child.text()
    children.same_run(reference, children.folder_of(runs))


WORST = [
    *(("config.json", 1), ("step", 2), ("metrics.csv", 1), ("state.pt", 1), ("step", 3)),
    *(("state.pt", 2), ("depth.safetensors", 1), ("predictions.npz", 1), ("result.json", 1)),
]


def test_a_run_killed_at_the_worst_moments_one_after_the_other_ends_with_the_same_numbers(
    whole, tmp_path
):
    """In the middle of an epoch, and with a file written but not yet moved to its place."""
    runs = tmp_path / "runs"
    for what, moment in WORST:
        child = children.start(tmp_path, children.train, runs, Signal(moment, what))
        assert child.end() == -signal.SIGKILL, f"{what}: {child.text()}"
        assert not list(runs.rglob("result.json"))
        parts = [file.name.split("-", 2)[2] for file in runs.rglob(".*.part")]
        assert parts == ([] if what == "step" else [f"{what}.part"])  # and none from before
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(whole[0], children.folder_of(runs))


def test_ctrl_c_and_sigterm_leave_status_130_one_line_and_a_run_to_resume(whole, tmp_path):
    runs = tmp_path / "runs"
    for name, step in (("SIGINT", 5), ("SIGTERM", 4)):
        stopped = children.start(tmp_path, children.train, runs, Signal(step, "step", name))
        assert stopped.end() == 130
        assert stopped.text().splitlines()[-1].endswith(GOES_ON)
        assert "Traceback" not in stopped.text()
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(whole[0], children.folder_of(runs))
