"""A process that is asked to end does so within two seconds and can be resumed; and the time of day
is of no importance."""

import random
import signal
import time

import pandas as pd
import pytest
from fixtures import children
from fixtures.children import Clock, Signal
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

LIFE = 2.0  # seconds between SIGTERM and SIGKILL


def pytest_generate_tests(metafunc):
    if "moment" in metafunc.fixturenames:
        count = max(1, metafunc.config.getoption("kills") // 5)
        metafunc.parametrize("moment", [(number + 0.5) / count for number in range(count)])


def test_two_seconds_from_sigterm_are_enough(whole, tmp_path, moment, tally):
    """At a moment between the start of the process, 0, and its end, 1."""
    reference, seconds = whole
    runs = tmp_path / "runs"
    child = children.start(tmp_path, children.train, runs)
    child.process.join(random.Random(moment).gauss(moment, 0.02) * seconds)
    asked = time.perf_counter()
    child.process.terminate()
    child.process.join(LIFE)
    took, status = time.perf_counter() - asked, child.process.exitcode
    child.process.kill()
    assert status is not None, f"not ended within {LIFE} s"
    assert "Traceback" not in child.said()
    if status == 130:
        assert (
            child.said()
            .splitlines()[-1]
            .endswith("interrupted; the same command goes on from the last saved epoch")
        )
        tally.setdefault("SIGTERM", []).append(took)
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
        last = stopped.said().splitlines()[-1]
        assert last.endswith("interrupted; the same command goes on from the last saved epoch")
        assert "Traceback" not in stopped.said()
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(whole[0], children.folder_of(runs))


def test_a_clock_that_is_set_back_changes_nothing(whole, tmp_path):
    """By a day in the middle of a run, which is then killed, and goes on with that clock."""
    runs = tmp_path / "runs"
    killed = children.start(tmp_path, children.train, runs, Clock(3), Signal(6, "step"))
    assert killed.end() == -signal.SIGKILL
    late = children.start(tmp_path, children.train, runs, Clock(0, late=86_400.0))
    assert late.end() == 0, late.said()
    folder = children.folder_of(runs)
    children.same_run(whole[0], folder)
    board = EventAccumulator(str(folder / "tensorboard"), purge_orphaned_data=True).Reload()
    table = pd.read_csv(folder / "metrics.csv")
    assert set(board.Tags()["scalars"]) == set(table) - {"epoch"}
    for name in board.Tags()["scalars"]:
        events = board.Scalars(name)
        assert [event.step for event in events] == table["epoch"].tolist()
        assert [event.value for event in events] == pytest.approx(table[name].tolist(), rel=1e-6)
