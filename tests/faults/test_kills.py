"""`kill -9` at random moments, and at the worst ones: the same command ends with the same
result.json."""

import os
import random
import signal
import time

from fixtures import children
from fixtures.children import Signal

SWEEPS = 5  # every so many kills, one hits a sweep


def pytest_generate_tests(metafunc):
    kills = metafunc.config.getoption("kills")
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", [n for n in range(kills) if n % SWEEPS])
    if "sweep_kill" in metafunc.fixturenames:
        metafunc.parametrize("sweep_kill", range(0, kills, SWEEPS))


def killed(folder, drawn, seconds, target, *given, strike=None) -> float | None:
    """Start a process and kill it (or call `strike`) at a moment drawn from `seconds`; None if that
    came in time, else the seconds that it took to its good end."""
    started = time.perf_counter()
    child = children.start(folder, target, *given)
    child.process.join(drawn.uniform(0, seconds))
    if child.process.exitcode is None:
        strike(child) if strike else child.process.kill()
    return None if child.end() else time.perf_counter() - started


def test_a_run_killed_at_a_random_moment_ends_with_the_same_numbers(whole, tmp_path, kill, tally):
    reference, seconds = whole
    drawn, attempt = random.Random(kill), 0
    while seconds := killed(
        tmp_path, drawn, seconds, children.train, runs := tmp_path / f"runs-{attempt}"
    ):
        attempt += 1  # it was quicker this time, and done
    places = [children.place(folder.parent) for folder in runs.rglob(".lock")] or [
        "before there was a folder"
    ]
    started = time.perf_counter()
    while drawn.random() < 0.3:  # and again on its way back
        killed(tmp_path, drawn, whole[1], children.train, runs)
    child = children.start(tmp_path, children.train, runs)
    assert child.end() == 0, child.said()
    children.same_run(reference, children.folder_of(runs))
    tally.setdefault("single runs", []).append((places[0], time.perf_counter() - started))


def everyone(child) -> None:
    os.killpg(child.process.pid, signal.SIGKILL)


def one_worker(pids):
    def strike(child):
        working = [int(file.name) for file in pids.iterdir()] if pids.exists() else []
        if not gone(latest := max(working, default=child.process.pid)):
            os.kill(latest, signal.SIGKILL)

    return strike


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_sweep_killed_at_a_random_moment_ends_with_the_same_numbers(
    whole_sweep, tmp_path, sweep_kill, tally
):
    """All its processes at once, the one that plans alone, or one that trains."""
    reference, seconds = whole_sweep
    folders = [file.parent.relative_to(reference) for file in reference.rglob("result.json")]
    assert len(folders) == len(children.SWEPT) + 1
    drawn, attempt = random.Random(sweep_kill), 0
    while True:
        runs, pids = tmp_path / f"runs-{attempt}", tmp_path / f"pids-{attempt}"
        what, strike = [("all processes of a sweep", everyone), ("the planning process of a sweep", None),
                        ("one worker of a sweep", one_worker(pids))][sweep_kill // SWEEPS % 3]  # fmt: skip
        seconds = killed(tmp_path, drawn, seconds, children.train_many, runs, pids, strike=strike)
        if seconds is None:
            break
        attempt += 1  # it was quicker this time, and done
    done = len(list(runs.rglob("result.json")))
    started = time.perf_counter()
    child = children.start(tmp_path, children.train_many, runs, pids)
    assert child.end() == 0, child.said()
    for folder in folders:
        for name in children.STATES:
            (runs / folder / name).unlink(
                missing_ok=True
            )  # what is done is not opened again by a sweep
        children.same_run(reference / folder, runs / folder)
    deadline = time.monotonic() + 30
    while not all(
        gone(int(file.name)) for file in pids.iterdir()
    ):  # those whose planning process was killed
        assert time.monotonic() < deadline
    tally.setdefault(what, []).append(
        (f"with {done} of {len(folders)} runs done", time.perf_counter() - started)
    )


# the first four in a run's beginning, when there is no state yet
WORST = [("config.json", 1), ("step", 2), ("rgb.safetensors", 1), ("state.pt", 1), ("step", 3), ("state-before.pt", 1),
         ("metrics.csv", 1), ("state.pt", 2), ("predictions.npz", 1), ("result.json", 1)]  # fmt: skip


def test_killed_at_the_worst_moments_one_after_the_other_a_run_ends_with_the_same_numbers(
    whole, tmp_path
):
    """In the middle of an epoch, and with a file written but not yet moved to its place."""
    runs = tmp_path / "runs"
    for what, moment in WORST:
        child = children.start(tmp_path, children.train, runs, Signal(moment, what))
        assert child.end() == -signal.SIGKILL, f"{what}: {child.said()}"
        assert not list(runs.rglob("result.json"))
        left = [file.name for file in runs.rglob(".*.part")]
        moving = {"step": [], "state-before.pt": ["state.pt"]}.get(what, [what])
        assert [
            name[1:].rpartition(".part")[0].rpartition(".")[0] for name in left
        ] == moving  # and none from before
    assert children.start(tmp_path, children.train, runs).end() == 0
    children.same_run(whole[0], children.folder_of(runs))
