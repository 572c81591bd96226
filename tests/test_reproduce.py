"""Notebooks in batch: a failure stops no other, the same call goes on, and an index says it all."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from discom import methods
from discom.cli import reproduce
from discom.cli.reproduce import PARAMETERS, outcome, run_notebooks
from discom.errors import BusyError, ConfigError, DataError
from discom.running import sweep

GOOD = """import os
from discom.notebook import check, finish, stamp
stamp(seed)
check("the profile came with its data", (data, profile) == ("scenes:n=330", "tiny"))
check("two kernels side by side have one thread each", os.environ["OMP_NUM_THREADS"] == "1")
finish(f1=60.0 + seed)"""
BANG = "def broken():\n    raise ValueError('a loud <b>bang</b>')\nbroken()"


def write(file, *cells):
    parameters = nbformat.v4.new_code_cell('data, profile, seed, runs = "none", "none", 0, "none"')
    parameters.metadata["tags"] = ["parameters"]
    pages = [parameters, *(nbformat.v4.new_code_cell(text) for text in cells)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=pages, metadata=metadata), file)


def statuses(out, book):
    """Notebook → status in the one batch of a folder."""
    (folder,) = out.glob("*-*")
    sources = sorted(book.glob("0*.ipynb"))
    return {source.stem: outcome(folder / source.name, source)["status"] for source in sources}


# ---------------------------------------------------------------- with kernels


@pytest.mark.slow
def test_two_at_a_time_a_failure_and_a_dead_kernel_stop_no_other(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(reproduce.__file__).parents[2]))
    write(tmp_path / "01_fails.ipynb", "half = 1 / 2", BANG, "3")
    write(tmp_path / "02_dies.ipynb", "import os\nos.kill(os.getpid(), 9)", "4")
    write(tmp_path / "03_passes.ipynb", GOOD)
    write(tmp_path / "notes.ipynb", "raise RuntimeError('not part of the book')")
    assert run_notebooks(tmp_path, "tiny", tmp_path / "out") is False
    printed = capsys.readouterr().out
    assert "cell 4: ValueError: a loud <b>bang</b>" in printed
    assert "DeadKernelError" in printed
    expected = {"01_fails": "failed", "02_dies": "missing", "03_passes": "passed"}
    assert statuses(tmp_path / "out", tmp_path) == expected
    (folder,) = (tmp_path / "out").glob("tiny-*")
    index = (folder / "index.html").read_text()
    assert "a loud &lt;b&gt;bang&lt;/b&gt;" in index
    assert "f1 60" in index
    source = nbformat.read(tmp_path / "03_passes.ipynb", as_version=4)
    assert all(cell.execution_count is None for cell in source.cells)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_batch_that_is_stopped_goes_on(tmp_path, name):
    flag = tmp_path / "begun"
    write(tmp_path / "01_quick.ipynb", "1")
    waits = f"import pathlib, time\nif not (flag := pathlib.Path({str(flag)!r})).exists():\n"
    write(tmp_path / "02_waits.ipynb", f"{waits}    flag.touch()\n    time.sleep(600)")
    code = (
        "import sys; from pathlib import Path; from discom.cli.reproduce import run_notebooks;"
        f"run_notebooks(Path({str(tmp_path)!r}), 'tiny', Path({str(tmp_path / 'out')!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell's background job ignores Ctrl-C, and its children would, too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (flag.exists() and list(tmp_path.glob("out/*/index.html"))):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(getattr(signal, name))
    assert "the same command goes on" in process.communicate(timeout=120)[1]
    assert statuses(tmp_path / "out", tmp_path)["01_quick"] == "passed"
    before = next(tmp_path.glob("out/*/01_quick.ipynb")).stat().st_mtime_ns
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert set(statuses(tmp_path / "out", tmp_path).values()) == {"passed"}
    assert next(tmp_path.glob("out/*/01_quick.ipynb")).stat().st_mtime_ns == before


# ---------------------------------------------------------------- without kernels


@pytest.fixture
def papermill(monkeypatch):
    """Stands for papermill: `says` maps a notebook's name to what it prints or raises."""

    class Papermill:
        def __init__(self):
            self.says, self.calls = {}, []

        def __call__(self, source, target, parameters, **how):
            name = Path(source).stem
            self.calls.append((name, {**how, "parameters": parameters}))
            answer = self.says.get(name, "")
            answer = answer.pop(0) if isinstance(answer, list) else answer
            notebook = nbformat.read(source, as_version=4)
            output = nbformat.v4.new_output("stream", text=str(answer))
            if isinstance(answer, PapermillExecutionError):
                output = nbformat.v4.new_output("error", ename=answer.ename, evalue=answer.evalue)
            notebook.cells[-1].outputs = [output]
            notebook.metadata["papermill"] = {"duration": 90.0}
            nbformat.write(notebook, target)
            if isinstance(answer, Exception):
                raise answer

    papermill = Papermill()
    monkeypatch.setattr(reproduce.papermill, "execute_notebook", papermill)
    monkeypatch.setattr(sweep, "PATIENCE", 0.01)
    return papermill


def raised(name, message):
    """What papermill raises where a cell raised an exception of that name."""
    return PapermillExecutionError(5, 3, "cell", name, message, ["traceback"])


@pytest.fixture
def book(tmp_path):
    for name in ("01_one", "02_two", "03_three"):
        write(tmp_path / f"book/{name}.ipynb", "1")
    return tmp_path / "book"


@pytest.fixture
def run(book, tmp_path, papermill):
    """Run the book in this process; the names that were executed."""

    def run(profile="tiny", **options):
        papermill.calls.clear()
        run.passed = run_notebooks(book, profile, tmp_path / "out", workers=1, **options)
        return [name for name, _ in papermill.calls]

    return run


def test_the_same_call_runs_what_failed_or_was_changed_and_nothing_else(
    run, book, tmp_path, papermill
):
    papermill.says = {"02_two": raised("ValueError", "a bang"), "03_three": DeadKernelError("dead")}
    assert run() == ["01_one", "02_two", "03_three"]
    assert not run.passed
    assert set(statuses(tmp_path / "out", tmp_path / "book").values()) == {
        "passed",
        "failed",
        "missing",
    }
    papermill.says = {}
    assert run() == ["02_two", "03_three"]
    assert run.passed
    assert run() == []
    write(book / "01_one.ipynb", "2")
    next(tmp_path.glob("out/*/03_three.ipynb")).unlink()
    copy = next(tmp_path.glob("out/*/02_two.ipynb"))
    copy.write_text(copy.read_text()[:100])  # cut off while it was written
    assert run() == ["01_one", "02_two", "03_three"]


def test_other_settings_or_another_package_begin_another_folder(run, tmp_path, monkeypatch):
    assert len(run()) == 3
    assert len(run(data="scenes:n=60,size=16")) == 3
    checksum = reproduce.checksum
    other = {file: f"changed {file}" for file in Path(methods.__file__).parent.glob("base.py")}
    monkeypatch.setattr(reproduce, "checksum", lambda file: other.get(file) or checksum(file))
    assert len(run()) == 3
    assert len(list(tmp_path.glob("out/*/index.html"))) == 3


def test_only_some_and_later_the_rest(run):
    assert run(only=["03", "01_o"]) == ["01_one", "03_three"]
    assert run() == ["02_two"]


def test_each_profile_has_its_parameters(run, book, tmp_path, papermill):
    for profile, expected in PARAMETERS.items():
        assert run(profile, only=["01"]) == ["01_one"]
        (folder,) = tmp_path.glob(f"out/{profile}-*")
        ((_, how),) = papermill.calls
        assert how["parameters"] == {**expected, "seed": 0, "runs": str(folder / "runs")}
        assert how["cwd"] == str(book)


def test_the_index_has_a_row_for_each_copy(run, tmp_path, papermill):
    papermill.says["01_one"] = "key figures: F1 rgb 74.6 · x<y 2\n"
    run(only=["01"])
    index = next(tmp_path.glob("out/*/index.html")).read_text()
    row = re.findall(
        r"<th>01_one.ipynb</th>\s*<td>(.*)</td>\s*<td>(.*)</td>\s*<td>(.*)</td>", index
    )
    assert row == [("passed", "1.5", "F1 rgb 74.6 · x&lt;y 2")]
    assert "missing" in index


def test_a_notebook_that_needs_other_data_is_skipped(run, tmp_path, papermill):
    papermill.says["02_two"] = raised("UnsuitableError", "data: 'x' has no known factors")
    run()
    assert run.passed
    assert statuses(tmp_path / "out", tmp_path / "book")["02_two"] == "skipped"
    assert run() == []


def test_a_notebook_whose_run_is_trained_elsewhere_is_executed_later(run, tmp_path, papermill):
    papermill.says["01_one"] = [raised("BusyError", "another process trains this run"), "done"]
    assert run() == ["01_one", "02_two", "03_three", "01_one"]
    assert set(statuses(tmp_path / "out", tmp_path / "book").values()) == {"passed"}


def test_two_batches_in_one_folder_are_refused(run, tmp_path, papermill):
    papermill.says["01_one"] = raised("ValueError", "a bang")
    run()
    (folder,) = tmp_path.glob("out/*")
    with FileLock(folder / ".lock"), pytest.raises(BusyError, match=re.escape(str(folder))):
        run()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profile": "huge"}, "profile: 'huge' is unknown; choose tiny, cpu, paper"),
        ({"workers": -1}, "workers: -1"),
        ({"only": ["01", "9"]}, "begins with '9'"),
        ({"data": "nowhere"}, "nowhere: no such folder"),
        ({"data": "scenes:m=3"}, "no argument 'm'"),
        ({"notebooks": Path("nowhere")}, "nowhere: no notebook begins"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_made(book, tmp_path, papermill, change, message):
    given = {"notebooks": book, "profile": "tiny", "out": tmp_path / "out", **change}
    with pytest.raises((ConfigError, DataError), match=re.escape(message)) as error:
        run_notebooks(**given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
    assert papermill.calls == []
