"""Notebooks in batch: a failure stops no other, and the same call goes on."""

from pathlib import Path

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

import batch
from discom import cli


def write(file, text, data="objects:size=16"):
    own = f'data = "{data}"  # its own\nprofile = "none"\nseed = 0\nruns = "none"'
    parameters, cell = map(nbformat.v4.new_code_cell, (own, text))
    parameters.metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, cell], metadata=metadata), file)


def test_a_notebook_keeps_its_own_data_and_tiny_shortens_them(tmp_path):
    given = {"runs": "runs"}
    for own, short in (("objects", "objects:n=330"), ("objects:size=16", "objects:size=16,n=330")):
        write(tmp_path / "01.ipynb", "1", own)
        cpu, tiny = (
            batch.injected(tmp_path / "01.ipynb", p, Path("runs")) for p in ("cpu", "tiny")
        )
        assert cpu == {"profile": "cpu", **given}
        assert tiny == {"profile": "tiny", "data": short, **given}


def test_a_parameter_has_one_value(tmp_path):
    words = ["-p", "seeds=1", "--parameter", "seeds=2", "--out", str(tmp_path / "out")]
    assert cli.main(words, batch.batch) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("only", [",", "02,", " "])
def test_a_list_without_a_notebook_is_refused(only, tmp_path, capsys):
    words = ["--only", only, "--out", str(tmp_path / "out")]
    assert cli.main(words, batch.batch) == 2
    assert "--only" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_same_call_runs_what_failed_or_was_changed_and_nothing_else(tmp_path, monkeypatch):
    """The second notebook raises an exception at its first run, the third dies."""
    names, calls = ["01_one", "02_two", "03_three"], []
    errors = {"02_two": PapermillExecutionError(5, 3, "cell", "ValueError", "a bang", [])}
    errors["03_three"] = OSError("dead")

    def execute(source, target, parameters, **how):
        calls.append(Path(source).stem)
        notebook, error = nbformat.read(source, as_version=4), errors.pop(calls[-1], None)
        if isinstance(error, PapermillExecutionError):
            output = nbformat.v4.new_output("error", ename=error.ename, evalue=error.evalue)
            notebook.cells[-1].outputs = [output]
        notebook.metadata["papermill"] = {"duration": 90.0}
        nbformat.write(notebook, target)
        if error:
            raise error

    def run():
        calls.clear()
        passed = batch.run_notebooks(tmp_path / "book", "tiny", tmp_path / "out", workers=1)
        return passed, [*calls]

    monkeypatch.setattr(batch.papermill, "execute_notebook", execute)
    for name in names:
        write(tmp_path / f"book/{name}.ipynb", "1")
    assert run() == (False, names)
    assert run() == (True, names[1:])
    assert run() == (True, [])
    write(tmp_path / "book/01_one.ipynb", "2")
    (folder,) = tmp_path.glob("out/*-*")
    (folder / "02_two.ipynb").write_text("{")  # cut off while it was written
    assert run() == (True, names[:2])
    (tmp_path / "book/checks").mkdir()
    (tmp_path / "book/checks/one.py").write_text("1")  # other code: another folder
    assert run() == (True, names)


def test_what_its_budget_stopped_is_executed_again_and_has_not_failed(tmp_path, monkeypatch):
    left, calls = [2, 0], []

    def execute(source, target, parameters, **how):
        calls.append(source)
        notebook = nbformat.read(source, as_version=4)
        text = f"key figures: runs 10 · left {left.pop(0)}\n"
        notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text=text)]
        notebook.metadata["papermill"] = {"duration": 90.0}
        nbformat.write(notebook, target)

    monkeypatch.setattr(batch.papermill, "execute_notebook", execute)
    write(tmp_path / "book/12_one.ipynb", "1")
    for executions in (1, 2, 2):
        assert batch.run_notebooks(tmp_path / "book", "cpu", tmp_path / "out", workers=1)
        assert len(calls) == executions
