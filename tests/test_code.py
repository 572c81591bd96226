"""What the digest of a method's code sees of an edit, and what it does not."""

import importlib
import sys
import textwrap
from itertools import count

import pytest

from discom import data, fit, methods, profile
from discom.errors import RunError
from discom.methods import Student, code

SOURCE = '''
"""A method in a file of its own."""
import torch.nn.functional as F
from discom.losses import distill
from discom.methods import Student

def scaled(loss):
    """Twice."""
    return 2 * loss

class Mine(Student):
    def loss(self, batch):
        """Cross-entropy."""
        return {name: scaled(term) for name, term in super().loss(batch).items()}
'''


NUMBERS = count()  # a module of the same name would be the one from before


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function of a module's text that imports it anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def read(source):
        name = f"mine{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(source)
        return importlib.import_module(name)

    return read


def test_an_edit_of_what_is_called_changes_the_digest_and_words_do_not(module):
    first = module(SOURCE)
    rest = code(Student), code(methods.get("kdv2"))
    words = SOURCE.replace("Twice.", "Doubled.").replace("    return 2", "    # so\n    return 2")
    same = module(words.replace("def loss", "\n\n    def loss"))
    assert code(same.Mine) == code(first.Mine)
    for old, new in (("2 * loss", "3 * loss"), ("super().loss", "Student.loss")):
        edited = module(SOURCE.replace(old, new))
        assert code(edited.Mine) != code(first.Mine), new
    assert (code(Student), code(methods.get("kdv2"))) == rest


def test_an_edited_loss_of_the_package_changes_its_methods_and_no_other(monkeypatch, module):
    names = methods.names()
    before = {name: code(methods.get(name)) for name in names}
    assert len(set(before.values())) == len(names)
    edited = module("def fixmatch(weak, strong, threshold=0.95):\n    return weak.mean()").fixmatch
    edited.__module__ = "discom.losses.pseudo"
    monkeypatch.setattr("discom.methods.semi_supervised.fixmatch", edited)
    after = {name: code(methods.get(name)) for name in names}
    assert {name for name in names if after[name] != before[name]} == {"fixmatch", "agreed"}


def test_the_encoder_and_the_teacher_are_part_of_it(monkeypatch):
    before = code(Student), code(methods.get("kdv2")), code(methods.get("single"))
    block = type("_Block", (methods.base.nn.Module,), {"__module__": "discom.models.encoders"})
    block.__qualname__ = "_Block"
    monkeypatch.setattr("discom.models.encoders._Block", block)
    after = code(Student), code(methods.get("kdv2")), code(methods.get("single"))
    assert [a != b for a, b in zip(after, before, strict=True)] == [True, True, False]
    monkeypatch.undo()
    monkeypatch.setattr(methods.get("kdv2"), "teacher_method", methods.Student2x)
    assert code(methods.get("kdv2")) != before[1]


def test_an_own_class_of_a_notebook_is_followed(tmp_path):
    """What IPython keeps of a cell: the sources of functions, not of classes."""
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell.instance()
    cell = textwrap.dedent(SOURCE.split('own."""')[1])
    digests = []
    for text in (cell, cell.replace("2 * loss", "3 * loss"), cell, cell.replace("term)", "-term)")):
        shell.run_cell(text).raise_error()
        digests.append(code(shell.user_ns["Mine"]))
    assert digests[0] == digests[2]
    assert len(set(digests)) == 3


def test_fit_in_a_folder_of_its_own_says_that_the_code_is_another(tmp_path, module):
    """It returned the result of the old loss."""
    split = data.load("scenes:n=66,size=16,modalities=rgb").split(0)
    config = profile("tiny", epochs=1)
    first = module(SOURCE)
    fit(first.Mine, split, config, tmp_path / "run", progress=False)
    edited = module(SOURCE.replace("2 * loss", "3 * loss"))
    with pytest.raises(RunError, match=r"run: holds a run with other code: .*; use another folder"):
        fit(edited.Mine, split, config, tmp_path / "run", progress=False)
