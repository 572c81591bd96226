"""Notebooks in batch: a failure stops no other, the same call goes on, and the index tells what
came of each."""

import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from discom import cli
from discom.errors import BusyError, ConfigError, DataError, RunError, UnsuitableError
from discom.files import read_json
from discom.reproduce import PARAMETERS, run_notebooks
from discom.reproduce.execution import Execution, read_copy, render
from discom.reproduce.page import figures_of, write_page
from discom.reproduce.record import Batch
from discom.sweep import Local, queue

GOOD = """from discom.notebook import check, finish, stamp
stamp(seed)
check("the profile came with its data", (data, profile) == ("scenes:n=330", "tiny"))
check("runs go beside the copies", runs.endswith("runs"))
finish(f1=60.0 + seed)"""
BANG = "def broken():\n    raise ValueError('a loud <b>bang</b>')\nbroken()"
DEADLY = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def write(file, *cells):
    parameters = nbformat.v4.new_code_cell('data, profile, seed, runs = "none", "none", 0, "none"')
    parameters.metadata["tags"] = ["parameters"]
    pages = [parameters, *(nbformat.v4.new_code_cell(text) for text in cells)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=pages, metadata=metadata), file)


class Inline(nullcontext):
    """An engine without processes: each job is done where it stands."""

    threads = 1

    def __init__(self, workers=1):
        super().__init__()
        self.workers, self.ended, self.begun = workers, [], []

    def submit(self, job):
        self.begun.append(job)
        self.ended.append((job.key, job()))
        assert len(self.ended) <= self.workers

    def finished(self, timeout):
        yield self.ended.pop(0)


def batch_of(out, name=None):
    """The one folder of a batch in `out`, or that of a name."""
    folders = sorted(file.parent for file in out.glob("*/index.json"))
    if name:
        return out / name
    (folder,) = folders
    return folder


def statuses(folder):
    return {
        name: row["status"] for name, row in read_json(folder / "index.json")["notebooks"].items()
    }


# ---------------------------------------------------------------- with kernels


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A notebook that fails, one whose kernel is killed, one that passes; folder, what was returned
    and printed."""
    folder = tmp_path_factory.mktemp("book")
    write(folder / "01_fails.ipynb", "half = 1 / 2", BANG, "3")
    write(folder / "02_dies.ipynb", DEADLY, "4")
    write(folder / "03_passes.ipynb", GOOD)
    write(folder / "notes.ipynb", "raise RuntimeError('not part of the book')")
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *texts, **_: lines.append(" ".join(map(str, texts))))
        good = run_notebooks(folder, "tiny", folder / "out", engine=Local(1))
    return folder, good, lines


def test_the_return_value_says_that_some_failed(done):
    assert done[1] is False


def test_a_line_for_each_notebook_in_order(done):
    folder, _, lines = done
    assert re.fullmatch(
        r".*-tiny: 3 notebooks with profile tiny on scenes:n=330, 3 to execute", lines[0]
    )
    assert [line.split()[0] for line in lines[1:4]] == ["01_fails", "02_dies", "03_passes"]
    assert re.fullmatch(
        r"02_dies +seed 0 +\d+ s  FAILED: cell 3: the kernel died \(out of memory\?\)", lines[2]
    )
    assert re.fullmatch(r"03_passes +seed 0 +\d+ s  2 checks passed · f1 60", lines[3])
    assert lines[4] == str(batch_of(folder / "out") / "index.html")


def test_the_traceback_of_the_failing_cell_is_printed(done):
    first = done[2][1]
    assert re.match(
        r"01_fails +seed 0 +\d+ s  FAILED: cell 4: ValueError: a loud <b>bang</b>\n", first
    )
    assert "broken()" in first
    assert "\x1b" not in first


def test_copies_are_written_with_what_their_cells_printed(done):
    folder = batch_of(done[0] / "out")
    assert sorted(file.stem for file in folder.glob("*.ipynb")) == [
        "01_fails",
        "02_dies",
        "03_passes",
    ]
    passed = nbformat.read(folder / "03_passes.ipynb", as_version=4)
    printed = "".join(
        out.get("text", "") for cell in passed.cells for out in cell.get("outputs", [])
    )
    assert "✓ the profile came with its data" in printed
    failed = nbformat.read(folder / "01_fails.ipynb", as_version=4)
    errors = [
        out
        for cell in failed.cells
        for out in cell.get("outputs", [])
        if out["output_type"] == "error"
    ]
    assert [error["evalue"] for error in errors] == ["a loud <b>bang</b>"]
    last = failed.cells[-1]
    assert (last.source, last.execution_count) == ("3", None)


def test_each_copy_has_a_page_with_what_was_printed(done):
    folder = batch_of(done[0] / "out")
    assert "runs go beside the copies" in (folder / "03_passes.html").read_text()
    assert "a loud" in (folder / "01_fails.html").read_text()
    assert (folder / "02_dies.html").is_file()


def test_the_record_keeps_status_reason_figures_and_checks(done):
    folder = batch_of(done[0] / "out")
    held = read_json(folder / "index.json")
    assert {key: held["settings"][key] for key in ("profile", "data", "seeds")} == {
        "profile": "tiny", "data": "scenes:n=330", "seeds": 1}  # fmt: skip
    rows = held["notebooks"]
    assert statuses(folder) == {
        "01_fails.ipynb": "failed",
        "02_dies.ipynb": "failed",
        "03_passes.ipynb": "passed",
    }
    assert rows["01_fails.ipynb"]["reason"] == "cell 4: ValueError: a loud <b>bang</b>"
    passed = rows["03_passes.ipynb"]
    assert (passed["checks"], passed["figures"], passed["reason"]) == (2, {"f1": 60.0}, "")
    assert passed["seconds"] > 0
    assert passed["peak_memory_mb"] > 10


def test_the_notebooks_themselves_stay_as_they_were(done):
    for name in ("01_fails", "02_dies", "03_passes"):
        source = nbformat.read(done[0] / f"{name}.ipynb", as_version=4)
        assert all(cell.execution_count is None and not cell.outputs for cell in source.cells)


def children(pid):
    """The processes that a process has started, and those that they have."""
    found = []
    for line in subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split("\n"):
        if len(pair := line.split()) == 2 and int(pair[1]) == pid:
            found += [int(pair[0]), *children(int(pair[0]))]
    return found


def alive(pid):
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_batch_that_is_stopped_leaves_no_kernel_and_goes_on(tmp_path, name):
    flag = tmp_path / "begun"
    write(tmp_path / "01_quick.ipynb", "1")
    waits = f"import pathlib, time\nif not (flag := pathlib.Path({str(flag)!r})).exists():\n"
    write(tmp_path / "02_waits.ipynb", f"{waits}    flag.touch()\n    time.sleep(600)")
    command = [sys.executable, "-m", "discom", "reproduce", "--notebooks", str(tmp_path), "--profile", "tiny",
               "--out", str(tmp_path / "out")]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not flag.exists():
        assert process.poll() is None
        time.sleep(0.1)
    started = children(process.pid)
    assert len(started) >= 2  # the worker and its kernel at least
    process.send_signal(getattr(signal, name))
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130, told
    assert "the same command goes on" in told.splitlines()[-1]
    end = time.monotonic() + 30
    while any(map(alive, started)):
        assert time.monotonic() < end, "a process outlived the batch"
        time.sleep(0.1)
    folder = batch_of(tmp_path / "out")
    assert statuses(folder) == {"01_quick.ipynb": "passed", "02_waits.ipynb": "missing"}
    before = (folder / "01_quick.ipynb").stat().st_mtime_ns
    assert subprocess.run(command, check=False).returncode == 0
    assert statuses(folder) == {"01_quick.ipynb": "passed", "02_waits.ipynb": "passed"}
    assert (folder / "01_quick.ipynb").stat().st_mtime_ns == before


# ---------------------------------------------------------------- without kernels


@pytest.fixture
def papermill(monkeypatch):
    """Stands for papermill: `says` gives the exception, or what is printed, by the notebook's name;
    counts calls."""

    class Stand:
        says: dict
        asked: list

        def __call__(self, source, target, **how):
            self.asked.append((Path(source).stem, how["parameters"]["seed"], how))
            told = self.says.get(Path(source).stem, "")
            told = told.pop(0) if isinstance(told, list) else told
            notebook = nbformat.read(source, as_version=4)
            notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text=str(told))]
            notebook.metadata["papermill"] = {"duration": 1.5}
            nbformat.write(notebook, target)
            if isinstance(told, Exception):
                raise told
            return notebook

    stand = Stand()
    stand.says, stand.asked = {}, []
    monkeypatch.setattr("discom.reproduce.execution.papermill.execute_notebook", stand)
    monkeypatch.setattr(
        "discom.reproduce.execution.render", lambda copy: copy
    )  # has tests of its own
    return stand


def raised(name, message):
    """What papermill raises where a cell raised an exception of that name."""
    return PapermillExecutionError(5, 3, "cell", name, message, ["traceback"])


@pytest.fixture
def book(tmp_path):
    for name in ("01_one", "02_two", "03_three"):
        write(tmp_path / f"book/{name}.ipynb", "1")
    return tmp_path / "book"


def again(book, out, **more):
    """Run the book and return what was executed."""
    engine = Inline(more.pop("workers", 1))
    run_notebooks(book, "tiny", out, engine=engine, **more)
    return [(job.source.stem, job.parameters["seed"]) for job in engine.begun]


def test_the_same_call_runs_what_failed_or_is_missing_and_nothing_else(
    book, tmp_path, papermill, capsys
):
    papermill.says = {"02_two": raised("ValueError", "a bang")}
    assert again(book, tmp_path / "out") == [("01_one", 0), ("02_two", 0), ("03_three", 0)]
    papermill.says = {}
    assert again(book, tmp_path / "out") == [("02_two", 0)]
    assert set(statuses(batch_of(tmp_path / "out")).values()) == {"passed"}
    capsys.readouterr()
    assert again(book, tmp_path / "out") == []
    assert re.fullmatch(r".*-tiny: 3 notebooks .*, 0 to execute\n", capsys.readouterr().out)
    (batch_of(tmp_path / "out") / "03_three.ipynb").unlink()
    assert again(book, tmp_path / "out") == [("03_three", 0)]


def test_a_notebook_that_was_changed_is_executed_again(book, tmp_path, papermill):
    again(book, tmp_path / "out")
    write(book / "02_two.ipynb", "2")
    assert again(book, tmp_path / "out") == [("02_two", 0)]


@pytest.mark.parametrize("change", [{"seeds": 2}, {"data": "scenes:n=60,size=16"}, {"again": True}])
def test_other_settings_begin_another_folder(book, tmp_path, papermill, change):
    again(book, tmp_path / "out")
    assert len(again(book, tmp_path / "out", **change)) == 3 * change.get("seeds", 1)
    first, second = sorted(file.parent.name for file in (tmp_path / "out").glob("*/index.json"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-tiny", first)
    assert second == first + ("-scenes-n-60-size-16" if "data" in change else "-2")
    assert (
        again(book, tmp_path / "out", **{k: v for k, v in change.items() if k != "again"}) == []
    )  # the newest


def test_another_package_begins_another_folder(book, tmp_path, papermill, monkeypatch):
    again(book, tmp_path / "out")
    monkeypatch.setattr("discom.reproduce.batch.code_digest", lambda: "other")
    assert len(again(book, tmp_path / "out")) == 3
    assert len(list((tmp_path / "out").glob("*/index.json"))) == 2


def test_a_folder_of_somebody_else_is_left_alone(book, tmp_path, papermill):
    name = time.strftime("%Y-%m-%d") + "-tiny"
    for content, folder in (("{", name), ('{"notebooks": []}', f"{name}-2")):
        (tmp_path / "out" / folder).mkdir(parents=True)
        (tmp_path / "out" / folder / "index.json").write_text(content)
    assert len(again(book, tmp_path / "out")) == 3
    assert (tmp_path / "out" / f"{name}-3" / "index.html").is_file()
    assert (tmp_path / "out" / name / "index.json").read_text() == "{"


def test_only_some_and_later_the_rest(book, tmp_path, papermill):
    assert again(book, tmp_path / "out", only="03, 01_o") == [("01_one", 0), ("03_three", 0)]
    assert again(book, tmp_path / "out") == [("02_two", 0)]


def test_every_seed_has_copies_and_runs_of_its_own(book, tmp_path, papermill):
    papermill.says = {"01_one": ["key figures: F1 rgb 60", "key figures: F1 rgb 63"]}
    assert len(again(book, tmp_path / "out", seeds=2)) == 6
    folder = batch_of(tmp_path / "out")
    assert sorted(statuses(folder)) == [
        f"seed-{s}/{n}.ipynb" for s in (0, 1) for n in ("01_one", "02_two", "03_three")
    ]
    runs = {(seed, how["parameters"]["runs"]) for _, seed, how in papermill.asked}
    assert runs == {(seed, str(folder / f"seed-{seed}/runs")) for seed in (0, 1)}
    assert "F1 rgb 61.5 ± 2.1 (n = 2)" in (folder / "index.html").read_text()


@pytest.mark.parametrize("name", ["tiny", "cpu", "paper"])
def test_the_profile_becomes_parameters(book, tmp_path, papermill, name):
    run_notebooks(book, name, tmp_path / "out", only="01", engine=Inline())
    ((_, _, how),) = papermill.asked
    folder = batch_of(tmp_path / "out")
    assert how["parameters"] == {**PARAMETERS[name], "seed": 0, "runs": str(folder / "runs")}
    assert how["parameters"]["profile"] == name
    assert how["cwd"] == str(book)


def test_a_notebook_finds_data_given_by_a_relative_path(book, tmp_path, papermill, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["data", "prepare", "scenes:n=30,size=16", "--out", "mine"]) == 0
    run_notebooks(book, "tiny", Path("out"), data="mine", only="01", engine=Inline())
    assert papermill.asked[0][2]["parameters"]["data"] == str(tmp_path / "mine")


def test_a_notebook_that_is_not_for_these_data_is_skipped_with_the_reason(
    book, tmp_path, papermill, capsys
):
    papermill.says = {
        "02_two": raised("UnsuitableError", "data: 'x' has no known factors; it needs scenes")
    }
    assert run_notebooks(book, "tiny", tmp_path / "out", engine=Inline()) is True
    assert "SKIPPED: data: 'x' has no known factors; it needs scenes\n" in capsys.readouterr().out
    assert statuses(batch_of(tmp_path / "out"))["02_two.ipynb"] == "skipped"
    assert "not for these data" in (batch_of(tmp_path / "out") / "index.html").read_text()
    assert again(book, tmp_path / "out") == []


def test_a_notebook_whose_run_is_trained_elsewhere_is_executed_later(
    book, tmp_path, papermill, monkeypatch
):
    monkeypatch.setattr(queue, "PATIENCE", 0.01)
    papermill.says = {
        "01_one": [raised("BusyError", "another process trains this run"), "all 1 checks passed"]
    }
    assert [name for name, _ in again(book, tmp_path / "out", workers=2)].count("01_one") == 2
    assert set(statuses(batch_of(tmp_path / "out")).values()) == {"passed"}


def test_whatever_papermill_raises_does_not_stop_the_others(book, tmp_path, papermill, capsys):
    papermill.says = {
        "01_one": DeadKernelError("Kernel died"),
        "02_two": RuntimeError("no\nport left"),
    }
    assert run_notebooks(book, "tiny", tmp_path / "out", engine=Inline()) is False
    printed = capsys.readouterr().out
    assert "FAILED: before the first cell: the kernel died (out of memory?)" in printed
    assert "FAILED: RuntimeError: no\n" in printed
    assert statuses(batch_of(tmp_path / "out"))["03_three.ipynb"] == "passed"


def test_a_dry_run_lists_what_would_run_and_leaves_nothing(book, tmp_path, papermill, capsys):
    assert (
        run_notebooks(book, "paper", tmp_path / "out", seeds=2, only="01,02", dry_run=True) is True
    )
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("-paper: 4 notebooks with profile paper on scenes, 4 to execute")
    assert [line.split() for line in rest] == [
        [n, "seed", s] for s in "01" for n in ("01_one", "02_two")
    ]
    assert papermill.asked == []
    assert not (tmp_path / "out").exists()


def test_two_batches_in_one_folder_are_refused(book, tmp_path, papermill):
    papermill.says = {"01_one": raised("ValueError", "a bang")}
    again(book, tmp_path / "out")
    with (
        FileLock(batch_of(tmp_path / "out") / ".lock"),
        pytest.raises(BusyError, match="another process executes these notebooks"),
    ):
        again(book, tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profile": "huge"}, "profile: 'huge' is unknown; choose tiny, cpu, paper"),
        ({"seeds": 0}, "seeds: 0 executes nothing; use 1 or more"),
        ({"only": "01,9"}, "only: no notebook begins with '9'; there are 01, 02, 03"),
        ({"only": ""}, "only: no notebook begins with ''"),
        ({"data": "nowhere"}, "nowhere: no such folder"),
        ({"data": "scenes:m=3"}, "no argument 'm'"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_made(book, tmp_path, papermill, change, message):
    given = {"profile": "tiny", **change}
    with pytest.raises((ConfigError, DataError), match=re.escape(message)):
        run_notebooks(book, given.pop("profile"), tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()
    assert papermill.asked == []


def test_a_folder_without_notebooks_is_named(tmp_path):
    write(tmp_path / "notes.ipynb", "1")
    with pytest.raises(
        DataError, match=r"no notebook NN_….ipynb in it; run from the folder of the repository"
    ):
        run_notebooks(tmp_path, "tiny", tmp_path / "out")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--seeds", "0"], "seeds: 0"),
        (["--only", "99"], "'99'"),
        (["--engine", "slurm"], "choose local or ray"),
        (["--address", "auto"], "of no use to engine=local"),
        (["--workers", "-1"], "-1 is below 0"),
        (["--out", "book/01_one.ipynb"], "01_one.ipynb"),
    ],
)
def test_the_command_line_says_it_in_one_line(
    book, tmp_path, monkeypatch, papermill, capsys, flags, named
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["reproduce", "--notebooks", "book", "--profile", "tiny", *flags]) == 2
    error = capsys.readouterr().err
    assert error.startswith("discom: error: ")
    assert error.count("\n") == 1
    assert named in error


# ---------------------------------------------------------------- a job


def test_a_job_tells_what_ended_it(tmp_path, papermill):
    write(tmp_path / "01_one.ipynb", "1")
    job = Execution(tmp_path / "01_one.ipynb", tmp_path / "copy.ipynb", {"seed": 0})
    kinds = {"BusyError": BusyError, "UnsuitableError": UnsuitableError, "KeyError": RunError}
    for name, kind in kinds.items():
        papermill.says = {"01_one": raised(name, "why\nand more")}
        error = job()
        assert type(error) is kind
        assert str(error) == ("cell 3: KeyError: why" if name == "KeyError" else "why")
    papermill.says = {}
    assert job() is None


def test_an_older_copy_does_not_pass_for_a_new_one(tmp_path, monkeypatch):
    write(tmp_path / "01_one.ipynb", "1")
    write(tmp_path / "copy.ipynb", "old")

    def refuse(*_, **__):
        raise RuntimeError("no kernel")

    monkeypatch.setattr("discom.reproduce.execution.papermill.execute_notebook", refuse)
    assert "no kernel" in str(Execution(tmp_path / "01_one.ipynb", tmp_path / "copy.ipynb", {})())
    assert not (tmp_path / "copy.ipynb").exists()


def test_a_copy_says_seconds_checks_memory_and_figures(tmp_path):
    cell = nbformat.v4.new_code_cell("finish()")
    text = "key figures: F1 discom rgb 74.61 · loss 1.2e-05\nall 12 checks passed · 7 s · peak memory 640 MB\n"
    cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"papermill": {"duration": 7.25}})
    nbformat.write(notebook, tmp_path / "copy.ipynb")
    assert read_copy(tmp_path / "copy.ipynb") == {
        "seconds": 7.25, "checks": 12, "peak_memory_mb": 640,
        "figures": {"F1 discom rgb": 74.61, "loss": 1.2e-05}}  # fmt: skip


def test_a_page_shows_pictures_and_text(tmp_path):
    write(tmp_path / "copy.ipynb", "print('a word')")
    page = render(tmp_path / "copy.ipynb")
    assert page == tmp_path / "copy.html"
    assert "a word" in page.read_text()


# ---------------------------------------------------------------- the index page


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.targets, self.depth = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.depth.append(tag)
        self.targets += [value for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.depth.pop() == tag


def row(status="passed", seed=0, **more):
    return {"notebook": "01_one", "seed": seed, "status": status, "reason": "", "seconds": 61.0, "checks": 3,
            "peak_memory_mb": 1, "figures": {}, "page": True, "checksum": "0", **more}  # fmt: skip


def test_the_index_links_to_what_is_there_and_loads_nothing(tmp_path):
    rows = {"01_one.ipynb": row(), "02_two.ipynb": row("failed", notebook="02_two", page=False, reason="<i>&"),
            "03_three.ipynb": row("missing", notebook="03_three", page=False, seconds=0.0)}  # fmt: skip
    batch = Batch(
        tmp_path,
        {"profile": "tiny", "data": "a<b", "seeds": 1, "code": "0"},
        "2026-01-02 03:04:05",
        rows,
    )
    write_page(batch)
    text = (tmp_path / "index.html").read_text()
    found = Links(text)
    assert found.targets == ["01_one.html", "02_two.ipynb"]
    assert found.depth == []
    assert "&lt;i&gt;&amp;" in text
    assert "a&lt;b" in text
    assert "1 passed · 1 failed · 1 not yet executed · 2 min 2 s in all" in text
    assert "http" not in text


def test_the_spread_of_seeds_is_that_of_those_that_passed():
    """By hand: 60, 62 and 67 have the mean 63 and the standard deviation √13 = 3.6."""
    rows = [row(seed=s, figures={"f1": f1}) for s, f1 in enumerate((60.0, 62.0, 67.0))]
    assert figures_of([*rows, row("failed", figures={"f1": 0.0})]) == {"f1": "63 ± 3.6 (n = 3)"}
    assert figures_of(rows[:1]) == {"f1": "60"}


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    batch = Batch(tmp_path, {"profile": "tiny"}, "then", {})
    batch.write()
    before = (tmp_path / "index.json").read_bytes()
    batch.rows["01.ipynb"] = {"seconds": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        batch.write()
    assert (tmp_path / "index.json").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["index.json"]
