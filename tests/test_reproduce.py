"""Notebooks in batch: a failure stops no other, the same call goes on, and an index says it all."""

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

import batch
from batch import outcome, run_notebooks


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
    assert run() == ["02_two", "03_three"]
    assert run.passed
    assert run() == []
    write(book / "01_one.ipynb", "2")
    (folder / "03_three.ipynb").unlink()
    copy = folder / "02_two.ipynb"
    copy.write_text(copy.read_text()[:100])  # cut off while it was written
    assert run() == ["01_one", "02_two", "03_three"]


def test_other_code_beside_the_notebooks_begins_another_folder(run, book, tmp_path):
    run()
    (book / "checks").mkdir()
    (book / "checks/one.py").write_text("1")
    assert len(run()) == 3
    assert len(list(tmp_path.glob("out/*/index.html"))) == 2
