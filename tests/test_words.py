"""What a person's class reads counts by its value: a change of it at run time is another run."""

import os
import subprocess
import sys
import types

import pytest

from discom import data, fit, methods, profile
from discom.errors import RunError
from discom.methods import code

SOURCE = """
import argparse
import enum
import functools
import logging
import types
from collections import defaultdict

import numpy as np
import pandas as pd
import torch

import theirs
from discom.methods import Student

SCALE, steps, unread = 1.0, 3, 0
WEIGHTS = torch.tensor([1.0, 2.0])
PRIOR = np.array([0.5, 0.5])
FRAME = pd.DataFrame({"weight": [1.0]})
CRITERION = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
NETWORK = torch.nn.Sequential(torch.nn.Linear(1, 1))
torch.nn.init.ones_(NETWORK[0].weight), torch.nn.init.zeros_(NETWORK[0].bias)
arguments = argparse.Namespace(scale=1.0)
Mode = enum.Enum("Mode", ["MEAN", "SUM"])
MODE = Mode.MEAN
KEPT = {"rgb"}
TABLE = {"base": [1, 2]}
log, rows, seen, calls = logging.getLogger("mine"), [], defaultdict(list), 0
device = torch.device("cpu")


class Helper:
    power = 2

    def __init__(self, base):
        self.base = base

    def __call__(self, x):
        return x**self.power + self.base


HELPER = Helper(steps)


def factory(power):
    def inner(x):
        return x**power

    return inner


@functools.lru_cache
def seven():
    return SCALE


@torch.no_grad()
def frozen(x):
    return steps * x


powered = factory(2)
halved = functools.partial(max, 1)


def logged(x):
    global calls
    calls += 1
    log.info("x")
    rows.append(x)
    seen.setdefault(0, []).append(x)
    Mine.count += 1
    return x


class Base(Student):
    pass


class Other(Base):
    pass


class Mine(Base):
    factor, count = 1.0, 0
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)

    def loss(self, batch, least=0.0):
        x = [WEIGHTS, PRIOR, FRAME, CRITERION, arguments.scale, MODE, KEPT, TABLE, HELPER]
        x += [powered(1), halved(2), theirs.constant, theirs.scaled(1), NETWORK, device, rows]
        x += [seen, calls]
        return {"cl": logged(frozen(seven()))}
"""
THEIRS = """
constant, base, unread = 1, [2], 0

def scaled(x):
    return base[0] * x
"""
CHANGES = {  # what a running program changes → how
    "a constant": "SCALE = 2.0",
    "a name in lower case": "steps = 5",
    "a class attribute": "Mine.factor = 2.0",
    "an option of a class attribute": "Mine.criterion.label_smoothing = 0.2",
    "a method": "Mine.loss = lambda self, batch: {}",
    "a default": "Mine.loss.__defaults__ = (0.5,)",
    "a base class": "Mine.__bases__ = (Other,)",
    "a tensor": "WEIGHTS = torch.tensor([1.0, 3.0])",
    "an array": "PRIOR = np.array([0.4, 0.6])",
    "a table": "FRAME = pd.DataFrame({'weight': [2.0]})",
    "an object of a library": "CRITERION = torch.nn.CrossEntropyLoss(label_smoothing=0.2)",
    "a weight in an object": "CRITERION = torch.nn.CrossEntropyLoss(WEIGHTS, label_smoothing=0.1)",
    "weights of a network": "torch.nn.init.zeros_(NETWORK[0].weight)",
    "an argument of the script": "arguments.scale = 2.0",
    "a member": "MODE = Mode.SUM",
    "a set": "KEPT = {'rgb', 'depth'}",
    "an entry": "TABLE['base'][0] = 7",
    "an attribute of an object": "HELPER.base = 7",
    "a class that an object is of": "Helper.power = 3",
    "what a function was made with": "powered = factory(3)",
    "a function": "def powered(x):\n    return x",
    "an argument of a partial": "halved = functools.partial(max, 2)",
    "a name of a module": "theirs.constant = 2",
    "what a function of a module reads": "theirs.base[0] = 3",
    "a loop": "for SCALE in (1.0, 2.0): pass",
    "a value that is computed": "SCALE = float('2')",
}
SAME = {  # what changes no number → how
    "a name that nothing reads": "unread = 1",
    "one of a module": "theirs.unread = 1",
    "what the functions fill": "logged(1)",
    "what the program fills for them": "rows += [1]",
    "a device": "device = torch.device('cuda')",
    "how a module is used": "CRITERION.eval()",
    "the same once more": "SCALE, WEIGHTS = 1.0, torch.tensor([1.0, 2.0])",
    "the same function": "powered = factory(2)",
}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A function of a change: the code of the class of a module of one's own after it, or of a
    script, which runs in this process."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "theirs.py").write_text(THEIRS)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def changed(change, place):
        (tmp_path / "mine.py").write_text(SOURCE)
        monkeypatch.delitem(sys.modules, "theirs", raising=False)
        module = types.ModuleType(place)
        module.__file__ = str(tmp_path / "mine.py")
        monkeypatch.setitem(sys.modules, place, module)
        texts = sys.modules["discom.methods.code"]._texts
        monkeypatch.delitem(texts, place, raising=False)
        exec(compile(SOURCE, module.__file__, "exec"), vars(module))
        exec(compile(change, "<change>", "exec"), vars(module))
        return code(module.Mine)

    return changed


@pytest.mark.parametrize("place", ["__main__", "mine"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_a_class_reads_is_part_of_its_code(mine, what, place):
    """A script changed it, and the old result came back."""
    assert mine(CHANGES[what], place) != mine("", place)


@pytest.mark.parametrize("place", ["__main__", "mine"])
@pytest.mark.parametrize("what", SAME)
def test_what_changes_no_number_is_no_part_of_it(mine, what, place):
    """Nor does what a class fills while it trains: it would be another run afterwards."""
    assert mine(SAME[what], place) == mine("", place)


SCRIPT = f"""{SOURCE}
from discom import methods

print(*map(methods.code, [Mine, *map(methods.get, methods.names())]))
"""


def test_every_process_has_the_same_code(tmp_path):
    """Also where names are visited in another order."""
    (tmp_path / "theirs.py").write_text(THEIRS)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "commented.py").write_text(SCRIPT.replace("    global", "    # so\n    global"))
    answers = set()
    for number, file in enumerate(("script.py", "script.py", "commented.py")):
        environment = {**os.environ, "PYTHONHASHSEED": str(number)}
        how = {"capture_output": True, "check": True, "text": True, "cwd": tmp_path}
        answers.add(subprocess.run([sys.executable, file], env=environment, **how).stdout)
    assert len(answers) == 1


@pytest.mark.parametrize("change", ["STEPS = 5", "%time STEPS = 5", "set_steps(5)"])
def test_a_cell_that_changes_a_constant_gives_another_run(change, tmp_path):
    """Of the same folder the old result is refused, and of another one nothing comes back."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    source = """
from discom.methods import Student
STEPS = 3
def set_steps(number):
    global STEPS
    STEPS = number
class Stepped(Student):
    def loss(self, batch):
        return {name: STEPS * x for name, x in super().loss(batch).items()}
"""
    split, config = data.load("objects:n=66,size=16").split(0), profile("tiny", epochs=1)
    shell.run_cell(source, store_history=True).raise_error()
    own = shell.user_ns["Stepped"]
    first = fit(own, split, config, tmp_path / "run", progress=False)
    assert fit(own, split, config, tmp_path / "run", progress=False) == first
    shell.run_cell(change, store_history=True).raise_error()
    with pytest.raises(RunError, match="another folder"):
        fit(own, split, config, tmp_path / "run", progress=False)
    assert methods.code(own) != first.code
