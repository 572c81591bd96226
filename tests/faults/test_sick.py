"""Workers without memory, two sweeps at once, and images that turn NaN."""

from types import SimpleNamespace

from fixtures import children
from fixtures.children import DATA, NaNs, Signal, Starved

from discom.sweep import Local


def test_a_worker_out_of_memory_fails_one_run_and_no_other(whole_sweep, tmp_path):
    runs, pids = tmp_path / "runs", tmp_path / "pids"
    starved = Starved(DATA, marker=str(tmp_path / "starved"))
    child = children.start(tmp_path, children.train_many, runs, pids, starved)
    assert child.end() == 1, child.said()
    failed = [line for line in child.said().splitlines() if line.startswith(str(runs))]
    assert all("its teacher failed" in line for line in failed[1:])
    folders = [
        file.parent.relative_to(whole_sweep[0]) for file in whole_sweep[0].rglob("result.json")
    ]
    done = {folder: (runs / folder / "result.json").stat().st_mtime_ns
            for folder in folders if (runs / folder / "result.json").exists()}  # fmt: skip
    assert len(done) == len(folders) - len(failed) >= len(folders) - 2
    again = children.start(tmp_path, children.train_many, runs, pids, starved)
    assert again.end() == 0, again.said()
    assert all(
        (runs / folder / "result.json").stat().st_mtime_ns == then for folder, then in done.items()
    )
    for folder in folders:
        children.same_run(whole_sweep[0] / folder, runs / folder)


def test_a_worker_killed_while_it_had_nothing_to_do_is_given_nothing(tmp_path, monkeypatch):
    dead, fresh = (SimpleNamespace(is_alive=lambda alive=alive: alive) for alive in (False, True))
    sent = []
    engine = Local(1)
    engine.idle = [(dead, None)]
    monkeypatch.setattr(engine, "_start", lambda: (fresh, SimpleNamespace(send=sent.append)))
    job = SimpleNamespace(key=tmp_path)
    engine.submit(job)
    assert engine.busy[tmp_path][0] is fresh
    assert sent == [job]


def test_two_sweeps_at_once_train_each_run_once(whole_sweep, tmp_path):
    runs = tmp_path / "runs"
    both = [
        children.start(tmp_path / name, children.train_many, runs, tmp_path / name / "pids")
        for name in "ab"
    ]
    assert [child.end() for child in both] == [0, 0], [child.said() for child in both]
    folders = [file.parent for file in runs.rglob("result.json")]
    assert len(folders) == len(children.SWEPT) + 1
    for folder in folders:
        assert len(list((folder / "tensorboard").iterdir())) == 1  # each start writes a file
        children.same_run(whole_sweep[0] / folder.relative_to(runs), folder)


def test_pixels_that_turn_nan_stop_the_run_before_its_state_and_healed_it_goes_on(whole, tmp_path):
    runs, epoch = tmp_path / "runs", 2
    child = children.start(tmp_path, children.train, runs, NaNs(epoch))
    assert child.end() == 2, child.said()
    (line,) = child.errors()
    assert f"loss term 'cl' is nan in epoch {epoch}, batch 1; " in line
    assert line.endswith("or check the data")
    again = children.start(
        tmp_path, children.train, runs, Signal(1, "state.pt")
    )  # to see where it goes on
    assert again.end() < 0
    table = children.folder_of(runs) / "metrics.csv"
    assert table.read_text().count("\n") - 1 == epoch + 1
    healed = children.start(tmp_path, children.train, runs)
    assert healed.end() == 0, healed.said()
    children.same_run(whole[0], children.folder_of(runs))
