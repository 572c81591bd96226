"""What the cells of a notebook share, and the runner: one line each, a failure that does not stop the others."""

import re

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError

from discom import notebook
from discom.errors import ConfigError, DataError
from discom.notebook import check, finish, stamp
from discom.reproduce import PARAMETERS, run_notebooks

# ---------------------------------------------------------------- check, finish, stamp


@pytest.fixture(autouse=True)
def own_page(monkeypatch):
    """A count of checks for each test."""
    monkeypatch.setattr(notebook, "_page", {"started": notebook._page["started"], "passed": 0})


def counted(capsys) -> int:
    capsys.readouterr()
    finish()
    return int(re.match(r"all (\d+) checks passed", capsys.readouterr().out)[1])


def test_a_claim_that_holds_is_printed_with_a_tick(capsys):
    check("two and two are four", 2 + 2 == 4)
    assert capsys.readouterr().out == "✓ two and two are four\n"


def test_every_claim_that_holds_is_counted(capsys):
    assert counted(capsys) == 0
    for number in range(3):
        check(f"{number} is {number}", True)
    assert counted(capsys) == 3


@pytest.mark.parametrize("holds", [False, 0, None, [], ""])
def test_a_claim_that_fails_raises_and_is_not_counted(capsys, holds):
    check("this one holds", True)
    capsys.readouterr()
    with pytest.raises(AssertionError, match=r"^this should hold and does not: two and two are five$"):
        check("two and two are five", holds)
    assert capsys.readouterr().out == ""
    assert counted(capsys) == 1


def test_finish_prints_count_seconds_and_memory(capsys, monkeypatch):
    monkeypatch.setitem(notebook._page, "started", 100.0)
    monkeypatch.setattr(notebook.time, "perf_counter", lambda: 112.4)
    monkeypatch.setattr(notebook, "peak_memory", lambda device: 345.6)
    check("one", True)
    capsys.readouterr()
    finish()
    assert capsys.readouterr().out == "all 1 checks passed · 12 s · peak memory 346 MB\n"


def test_stamp_starts_the_count_and_the_clock_again(capsys, monkeypatch):
    check("before", True)
    monkeypatch.setitem(notebook._page, "started", -1e6)
    stamp()
    check("after", True)
    capsys.readouterr()
    finish()
    found = re.match(r"all 1 checks passed · (\d+) s", capsys.readouterr().out)
    assert int(found[1]) < 600


def test_stamp_says_where_and_with_what(capsys):
    here = {"processor": "abacus", "device": "GPU", "threads": 3, "python": "3.99", "commit": "abc1234"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebook, "machine", lambda device: {**here, "versions": {"torch": "9.8"}})
        patch.setattr(notebook.torch.cuda, "is_available", lambda: False)
        stamp(seed=11)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "python 3.99 · torch 9.8"
    assert second.startswith("abacus, 3 threads · seed 11 · commit abc1234 · ")
    assert re.search(r"\d{4}-\d\d-\d\d$", second)


# ---------------------------------------------------------------- run_notebooks

GOOD = """from discom.notebook import check, finish
check("the profile came with its data", (data, profile) == ("scenes:n=330", "tiny"))
check("runs go beside the copies", runs.endswith("runs"))
finish()"""


def write(file, *cells):
    parameters = nbformat.v4.new_code_cell('data, profile, runs = "none", "none", "none"')
    parameters.metadata["tags"] = ["parameters"]
    pages = [parameters, *(nbformat.v4.new_code_cell(text) for text in cells)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=pages, metadata=metadata), file)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One notebook that fails and, after it, one that passes; the folder, what was returned and what was printed."""
    folder = tmp_path_factory.mktemp("book")
    write(
        folder / "01_fails.ipynb", "half = 1 / 2", "def broken():\n    raise ValueError('a loud bang')\nbroken()", "3"
    )
    write(folder / "02_passes.ipynb", GOOD)
    write(folder / "notes.ipynb", "raise RuntimeError('not part of the book')")
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *texts, **_: lines.append(" ".join(map(str, texts))))
        good = run_notebooks(folder, "tiny", folder / "out")
    return folder, good, lines


def test_the_return_value_says_that_one_failed(done):
    assert done[1] is False


def test_a_line_for_each_notebook_in_order(done):
    _, _, lines = done
    assert [line.split()[0] for line in lines] == ["01_fails", "02_passes"]
    assert re.fullmatch(r"02_passes +\d+ s  2 checks passed", lines[1])


def test_the_traceback_of_the_failing_cell_is_printed(done):
    first = done[2][0]
    assert re.match(r"01_fails +\d+ s  FAILED in cell \d+\n", first)
    assert "a loud bang" in first
    assert "ValueError" in first
    assert "broken()" in first


def test_both_copies_are_written_with_what_their_cells_printed(done):
    folder, _, _ = done
    assert sorted(file.name for file in (folder / "out").glob("*.ipynb")) == ["01_fails.ipynb", "02_passes.ipynb"]
    passed = nbformat.read(folder / "out/02_passes.ipynb", as_version=4)
    printed = "".join(out.get("text", "") for cell in passed.cells for out in cell.get("outputs", []))
    assert "✓ the profile came with its data" in printed
    assert "all 2 checks passed" in printed
    failed = nbformat.read(folder / "out/01_fails.ipynb", as_version=4)
    errors = [out for cell in failed.cells for out in cell.get("outputs", []) if out["output_type"] == "error"]
    assert [error["evalue"] for error in errors] == ["a loud bang"]
    last = failed.cells[-1]
    assert (last.source, last.execution_count) == ("3", None)


def test_the_notebooks_themselves_stay_as_they_were(done):
    folder, _, _ = done
    for name in ("01_fails", "02_passes"):
        source = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        assert all(cell.execution_count is None and not cell.outputs for cell in source.cells)


def pretend(monkeypatch, behaviour):
    """Without kernels: `behaviour(source, target, **how)` stands for papermill."""
    monkeypatch.setattr("discom.reproduce.papermill.execute_notebook", behaviour)


def test_all_good_is_true_and_a_notebook_without_checks_has_none(tmp_path, monkeypatch, capsys):
    write(tmp_path / "00_quiet.ipynb", "1")
    pretend(monkeypatch, lambda source, target, **how: nbformat.read(source, as_version=4))
    assert run_notebooks(tmp_path, "tiny", tmp_path / "out") is True
    assert re.fullmatch(r"00_quiet +0 s  0 checks passed\n", capsys.readouterr().out)


@pytest.mark.parametrize("name", ["tiny", "cpu", "paper"])
def test_the_profile_becomes_parameters(tmp_path, monkeypatch, name):
    asked = []
    write(tmp_path / "00_quiet.ipynb", "1")
    pretend(monkeypatch, lambda source, target, **how: asked.append((source, target, how)) or nbformat.read(source, 4))
    run_notebooks(tmp_path, name, tmp_path / "out")
    ((source, target, how),) = asked
    assert (source, target) == (str(tmp_path / "00_quiet.ipynb"), str(tmp_path / "out/00_quiet.ipynb"))
    assert how["parameters"] == {**PARAMETERS[name], "runs": str((tmp_path / "out/runs").resolve())}
    assert how["parameters"]["profile"] == name
    assert how["cwd"] == str(tmp_path)


def test_an_unknown_profile_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"^profile: 'huge' is unknown; choose tiny, cpu, paper$"):
        run_notebooks(tmp_path, "huge", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_notebooks_is_named(tmp_path):
    write(tmp_path / "notes.ipynb", "1")
    with pytest.raises(DataError, match=r"no notebook NN_….ipynb in it; run from the folder of the repository"):
        run_notebooks(tmp_path, "tiny", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_kernel_that_dies_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    """Out of memory, say: the kernel is killed, and papermill says so with another exception."""
    write(tmp_path / "01_greedy.ipynb", "1")
    write(tmp_path / "02_modest.ipynb", "1")

    def kill(source, target, **how):
        if "greedy" in source:
            raise DeadKernelError("Kernel died")
        return nbformat.read(source, as_version=4)

    pretend(monkeypatch, kill)
    assert run_notebooks(tmp_path, "tiny", tmp_path / "out") is False
    printed = capsys.readouterr().out
    assert "Kernel died" in printed
    assert "02_modest" in printed
