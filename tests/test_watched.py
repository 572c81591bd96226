"""Bars are drawn where somebody looks, and nowhere else."""

import sys
from types import ModuleType, SimpleNamespace

import IPython
import pytest
from nbclient import NotebookClient
from nbformat import v4

from discom import data
from discom.errors import watched


@pytest.fixture
def elsewhere(monkeypatch):
    """A function that puts the test on a terminal or not, and into a kernel or not."""
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)

    def place(terminal=False, asks=None):
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
        parent = {"content": {"allow_stdin": asks}} if asks is not None else {}
        shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))
        monkeypatch.setattr(IPython, "get_ipython", lambda: None if asks is None else shell)

    return place


def test_a_person_looks_at_a_terminal_or_at_a_notebook_that_may_ask(elsewhere, monkeypatch):
    for terminal in (True, False):
        elsewhere(terminal)
        assert watched() is terminal
        for asks in (True, False):  # a kernel's stream says of itself that it is a terminal
            elsewhere(terminal, asks)
            assert watched() is asks
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert watched()


def test_a_notebook_that_is_executed_in_batch_has_nobody_who_looks():
    """As by papermill: its bars stayed as dead widgets."""
    cell = v4.new_code_cell("from discom.errors import watched\nprint(watched())")
    client = NotebookClient(v4.new_notebook(cells=[cell]), kernel_name="python3")
    with client.setup_kernel():
        told = []
        for asks in (None, True):  # True: as JupyterLab does
            client.kc.allow_stdin = client.kc.allow_stdin if asks is None else asks
            told += [output.text for output in client.execute_cell(cell, 0).outputs]
    assert told == ["False\n", "True\n"]


@pytest.mark.parametrize("looks", [True, False])
def test_a_folder_that_is_written_draws_a_bar_for_who_looks(looks, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("discom.data.prepared.watched", lambda: looks)
    data.load("objects:n=9,size=8").save(tmp_path / "objects")
    assert ("100%" in capsys.readouterr().err) == looks
