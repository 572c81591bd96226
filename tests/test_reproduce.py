"""Notebooks in batch: a failure stops no other, the same call goes on, and an index says it all."""

import os
import re
import shutil
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

import batch
from batch import outcome, run_notebooks
from discom import methods
from discom.errors import BusyError


def write(file, *cells):
    own = 'data = "objects:size=16"  # its own\nprofile = "none"\nseed = 0\nruns = "none"'
    parameters = nbformat.v4.new_code_cell(own)
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


@pytest.fixture
def reproduce(tmp_path):
    """Start notebooks/batch.py in a folder that has it."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(batch.__file__, tmp_path / "notebooks")
    root = str(Path(batch.__file__).parents[1])

    def start():
        return subprocess.Popen(
            [sys.executable, "notebooks/batch.py", "--profile", "tiny", "--out", "out"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root},
            start_new_session=True,
            # a shell's background job ignores Ctrl-C, and its children would, too
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


@pytest.mark.slow
def test_a_batch_that_is_stopped_goes_on(tmp_path, reproduce):
    book, flag = tmp_path / "notebooks", tmp_path / "begun"
    write(book / "01_quick.ipynb", "1")
    waits = f"import pathlib, time\nif not (flag := pathlib.Path({str(flag)!r})).exists():\n"
    write(book / "02_waits.ipynb", f"{waits}    flag.touch()\n    time.sleep(600)")
    batch = reproduce()
    while not (flag.exists() and list(tmp_path.glob("out/*/index.html"))):
        assert batch.poll() is None
        time.sleep(0.1)
    batch.send_signal(signal.SIGINT)
    assert "the same command goes on" in batch.communicate(timeout=120)[1]
    before = next(tmp_path.glob("out/*/01_quick.ipynb")).stat().st_mtime_ns
    again = reproduce()
    again.communicate(timeout=300)
    assert again.returncode == 0
    assert set(statuses(tmp_path / "out", book).values()) == {"passed"}
    assert next(tmp_path.glob("out/*/01_quick.ipynb")).stat().st_mtime_ns == before


# ---------------------------------------------------------------- without kernels


@pytest.fixture
def papermill(monkeypatch):
    """Stands for papermill: `says` maps a notebook's name to what it raises, at its next call."""

    def execute(source, target, parameters, **how):
        name = Path(source).stem
        execute.calls.append(name)
        error = execute.says.pop(name, None)
        notebook = nbformat.read(source, as_version=4)
        if isinstance(error, PapermillExecutionError):
            output = nbformat.v4.new_output("error", ename=error.ename, evalue=error.evalue)
            notebook.cells[-1].outputs = [output]
        notebook.metadata["papermill"] = {"duration": 90.0}
        nbformat.write(notebook, target)
        if error:
            raise error

    execute.says, execute.calls = {}, []
    monkeypatch.setattr(batch.papermill, "execute_notebook", execute)
    monkeypatch.setattr(batch, "PATIENCE", 0.01)
    return execute


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

    def run(profile="tiny", only=()):
        papermill.calls.clear()
        run.passed = run_notebooks(book, profile, tmp_path / "out", workers=1, only=only)
        return list(papermill.calls)

    return run


@pytest.mark.parametrize("own", ["objects", "scenes:size=16"])
def test_a_notebook_keeps_its_own_data_and_tiny_shortens_them(own, book):
    source = book / "01_one.ipynb"
    source.write_text(source.read_text().replace("objects:size=16", own))
    given = {"profile": "cpu", "runs": "runs"}
    assert batch.injected(source, "cpu", Path("runs")) == given
    short = f"{own}{',' if ':' in own else ':'}n=330"
    tiny = {"profile": "tiny", "runs": "runs", "data": short}
    assert batch.injected(source, "tiny", Path("runs")) == tiny


def test_the_same_call_runs_what_failed_or_was_changed_and_nothing_else(
    run, book, tmp_path, papermill
):
    papermill.says = {"02_two": raised("ValueError", "a bang"), "03_three": DeadKernelError("dead")}
    assert run() == ["01_one", "02_two", "03_three"]
    assert not run.passed
    found = statuses(tmp_path / "out", book).values()
    assert set(found) == {"passed", "failed", "missing"}
    (folder,) = tmp_path.glob("out/*")
    assert "<td>1.5</td>" in (folder / "index.html").read_text()  # minutes
    with FileLock(folder / ".lock"), pytest.raises(BusyError, match=re.escape(str(folder))):
        run()
    assert run() == ["02_two", "03_three"]
    assert run.passed
    assert run() == []
    write(book / "01_one.ipynb", "2")
    (folder / "03_three.ipynb").unlink()
    copy = folder / "02_two.ipynb"
    copy.write_text(copy.read_text()[:100])  # cut off while it was written
    assert run() == ["01_one", "02_two", "03_three"]


def test_one_notebook_is_executed_alone_and_the_index_keeps_the_others(run, tmp_path, papermill):
    papermill.says = {"01_one": raised("ValueError", "a bang")}
    run()
    write(tmp_path / "book/02_two.ipynb", "2")
    assert run(only=["02"]) == ["02_two"]
    assert run.passed
    assert "failed" in next(tmp_path.glob("out/*/index.html")).read_text()
    assert run() == ["01_one"]


def test_another_package_begins_another_folder(run, tmp_path, monkeypatch):
    assert len(run()) == 3
    checksum = batch.checksum
    other = {file: f"changed {file}" for file in Path(methods.__file__).parent.glob("base.py")}
    monkeypatch.setattr(batch, "checksum", lambda file: other.get(file) or checksum(file))
    assert len(run()) == 3
    assert len(list(tmp_path.glob("out/*/index.html"))) == 2


@pytest.mark.parametrize("name", ["faulty.py", "checks/one.py", "explorer/scatter.js"])
def test_other_code_beside_the_notebooks_begins_another_folder(name, run, book, tmp_path):
    (book / "checks").mkdir()
    (book / "explorer/.ruff_cache").mkdir(parents=True)  # a linter's, never code
    run()
    (book / name).write_text("1")
    assert len(run()) == 3
    assert len(list(tmp_path.glob("out/*/index.html"))) == 2


def test_a_notebook_whose_run_is_trained_elsewhere_is_executed_later(run, tmp_path, papermill):
    papermill.says["01_one"] = raised("BusyError", "another process trains this run")
    assert sorted(run()) == ["01_one", "01_one", "02_two", "03_three"]
    assert run.passed
