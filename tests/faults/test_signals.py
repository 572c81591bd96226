"""Ctrl-C and SIGTERM end a training within two seconds, with status 130 and a run to resume."""

import random
import signal

import pytest
from fixtures import children
from fixtures.children import Signal

pytestmark = pytest.mark.slow
GOES_ON = "interrupted; the same command goes on from the last saved epoch"


def pytest_generate_tests(metafunc):
    if "moment" in metafunc.fixturenames:
        count = max(1, metafunc.config.getoption("kills") // 5)
        metafunc.parametrize("moment", [(number + 0.5) / count for number in range(count)])


def test_two_seconds_from_sigterm_are_enough(whole, tmp_path, moment):
    """At a moment between the start of the process, 0, and its end, 1."""
    reference, seconds = whole
    runs = tmp_path / "runs"
    child = children.start(tmp_path, children.train, runs)
    child.process.join(random.Random(moment).gauss(moment, 0.02) * seconds)
    child.process.terminate()
    child.process.join(2.0)
    status = child.process.exitcode
    child.process.kill()
    assert status is not None, "not ended within 2 s"
    assert "Traceback" not in child.text()
    if status == 130:
        assert child.text().splitlines()[-1].endswith(GOES_ON)
    else:  # the training had not begun, or was over
        assert status in (-signal.SIGTERM, 0)
        assert not list(runs.rglob("config.json")) or list(runs.rglob("result.json"))
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(reference, children.folder_of(runs))


def test_ctrl_c_and_sigterm_leave_status_130_one_line_and_a_run_to_resume(whole, tmp_path):
    runs = tmp_path / "runs"
    for name, step in (("SIGINT", 5), ("SIGTERM", 4)):
        stopped = children.start(tmp_path, children.train, runs, Signal(step, "step", name))
        assert stopped.end() == 130
        assert stopped.text().splitlines()[-1].endswith(GOES_ON)
        assert "Traceback" not in stopped.text()
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(whole[0], children.folder_of(runs))
