"""What the digest of a method's code sees of an edit, and what it does not."""

import importlib
import sys
from itertools import count
from pathlib import Path

import pytest
from fixtures.refusal import refused

from discom import data, methods, profile
from discom.errors import ConfigError, RunError
from discom.methods import Student, code
from discom.running.runs import Run
from discom.running.sweep import train

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


def test_the_encoder_and_the_teacher_are_part_of_it(monkeypatch, module):
    before = code(Student), code(methods.get("kdv2"))
    block = module("def _block(inputs, outputs, stride=1):\n    return None\n")._block
    monkeypatch.setattr("discom.models.encoders._block", block)
    after = code(Student), code(methods.get("kdv2"))
    assert [a != b for a, b in zip(after, before, strict=True)] == [True, True]
    monkeypatch.undo()
    monkeypatch.setattr(methods.get("kdv2"), "teacher_method", methods.Student2x)
    assert code(methods.get("kdv2")) != before[1]


def test_a_class_without_a_text_of_its_own_is_refused():
    """Two of a function had one digest: the second run was given the result of the first."""

    class Made(Student):
        pass

    typed: dict = {"__name__": "builtins", "Student": Student}
    exec("class Typed(Student): pass", typed)
    for own in (Made, typed["Typed"]):
        refused(lambda own=own: code(own), "^method: (Made|Typed): its source cannot", ConfigError)


def test_a_worker_that_imports_an_edited_file_refuses_the_run(tmp_path, monkeypatch):
    images = data.load("objects:n=66,size=16,modalities=rgb")
    run = Run.of(tmp_path, Student, images, profile("tiny", epochs=1))
    assert run.asked["code"] == code(Student)
    monkeypatch.setattr("discom.methods.code", lambda method: "edited")
    refused(lambda: train(run, images), "student was edited after it was planned", RunError)
    assert not run.folder.exists()


EDITS = {  # what a method's loss reads → before, after
    "a constant": ("SCALE = 1.0", "SCALE = 0.0"),
    "a constant's constant": ("BASE = 2", "BASE = 3"),
    "a partial's arguments": ("partial(powered, n=2)", "partial(powered, n=3)"),
    "what a partial calls": ("x**n", "x * n"),
    "a decorator": ("+ 1", "- 1"),
    "a cached function": ("return 7", "return 8"),
    "a lambda": ("lambda x: 5 * x", "lambda x: 6 * x"),
    "a class attribute": ("needs_strong_view = False", "needs_strong_view = True"),
    "a static method of a class": ("staticmethod(scaled)", "staticmethod(halved)"),
    "a module's object": ("label_smoothing=0.1", "label_smoothing=0.2"),
}
STUDENT = "from discom.methods import Student"
MODULE = """
from functools import cache, partial
from torch import nn
from discom.methods import Student

BASE = 2
SCALE = 1.0
TABLE = {"base": BASE}
CRITERION = nn.CrossEntropyLoss(label_smoothing=0.1)
second = lambda x: 5 * x

def scaled(x): return SCALE * x
def halved(x): return x / TABLE["base"]
def powered(x, n): return x**n
POWER = partial(powered, n=2)

def plus(function):
    def inner(*given):
        return function(*given) + 1
    return inner

@cache
def seven(): return 7

@plus
def summed(x): return halved(x) + second(x) + seven() + POWER(x)

class Mine(Student):
    needs_strong_view = False
    scale = staticmethod(scaled)

    def loss(self, batch):
        CRITERION(batch, batch)
        return {name: summed(x) for name, x in super().loss(batch).items()}

def unread(x): return 1
"""


WAYS = [("a module", what) for what in EDITS]
WAYS += [(how, "a constant") for how in ("a notebook", "two modules", "an import")]


@pytest.mark.parametrize(("how", "what"), WAYS)
def test_all_that_a_loss_reads_is_part_of_it(module, what, how):
    """An edit of a constant gave the old result back."""
    from IPython.core.interactiveshell import InteractiveShell

    def of(source):
        if how == "a module":
            return code(module(source).Mine)
        if how == "two modules":
            base = module(source)
            return code(module(f"from {base.__name__} import Mine\nclass Own(Mine): pass").Own)
        if how == "an import":
            named = f"from {module(source).__name__} import SCALE"
            return code(module(f"{named}\n{STUDENT}\nclass Mine(Student): scale = SCALE").Mine)
        shell = InteractiveShell.instance()
        shell.run_cell(source, store_history=True).raise_error()
        return code(shell.user_ns["Mine"])

    before, after = EDITS[what]
    first = of(MODULE)
    assert of(MODULE.replace(before, after)) != first
    words = MODULE.replace("return 1", "return 2").replace("    def loss", "    # so\n    def loss")
    words = words.replace("        CRIT", '        """Cross-entropy."""\n        CRIT')
    assert of(words + "\nOTHER = 1\n") == first


def test_a_file_edited_after_its_import_is_not_what_runs(module):
    """Old code trained under the digest of the new, whose result then came back for the new."""
    first, same = module(MODULE), module(MODULE)
    Path(first.__file__).write_text(MODULE.replace("x**n", "x * n"))
    assert code(first.Mine) == code(same.Mine)
    assert code(importlib.reload(first).Mine) != code(same.Mine)
