"""What the digest of a method's code sees of an edit, and what it does not."""

import importlib
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from fixtures.refusal import refused

from discom import data, methods, profile
from discom.data.batches import LABELLED
from discom.errors import ConfigError, RunError
from discom.losses.distill import kd
from discom.methods import Student, code
from discom.running.runs import Run
from discom.running.sweep import train


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function of a module's text that imports it anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def read(source, name="mine", folder=""):
        file = tmp_path / folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        monkeypatch.syspath_prepend(str(file.parent))
        sys.modules.pop(name, None)  # it would be the one from before
        return importlib.import_module(name)

    return read


@pytest.fixture
def edited(monkeypatch):
    """A function of a module of discom and what is put in the place of what in its text."""
    module = sys.modules["discom.methods.code"]

    def edit(place, before, after):
        text = module._text(place)
        assert before in text
        spec = module._texts[place][0]
        monkeypatch.setitem(module._texts, place, (spec, text.replace(before, after)))

    return edit


EDITED = {  # module of discom, before, after → whose code is another
    ("running.fit", "torch.optim.AdamW(", "torch.optim.Adam("): "student kdv2 discom",
    ("data.batches", "shown once an epoch", "shown never"): "",  # a docstring
    ("data.batches", "LABELLED = {False: 1 / 3", "LABELLED = {False: 1 / 4"): "student kdv2 discom",
    ("data.augmentation", "WEAK, STRONG = 0.3", "WEAK, STRONG = 0.4"): "student kdv2 discom",
    ("evaluation.scores", "n_bins=15", "n_bins=14"): "student kdv2 discom",
    ("data.splitting", "FOLDS, WAYS = 10", "FOLDS, WAYS = 9"): "student kdv2 discom",
    ("data.scaling", "PERCENTILES = (2.0", "PERCENTILES = (1.0"): "student kdv2 discom",
    ("data.scenes.objects", "NOISE = ", "NOISE = 2 * "): "student kdv2 discom",
    ("models.encoders", "HOP = 32, 16", "HOP = 32, 8"): "student kdv2 discom",
    ("losses.distill", "temperature**2", "temperature**3"): "kdv2",
    (
        "methods.distilled",
        "temperature: PositiveFloat = 4.0",
        "temperature: PositiveFloat = 5.0",
    ): "kdv2",
    ("methods.semi_supervised", "import torch\n", "import torch\nNEW = 1\n"): "",
    ("running.fit", "model.train()\n", "model.train()  # so\n"): "",
}


@pytest.mark.parametrize(("place", "before", "after"), EDITED)
def test_an_edit_of_discom_is_seen_by_what_imports_it(edited, place, before, after):
    """An optimizer, the batches or a score were edited, and the old result came back."""
    names = ("student", "kdv2", "discom")
    first = [code(methods.get(name)) for name in names]
    edited(f"discom.{place}", before, after)
    changed = [
        name for name, was in zip(names, first, strict=True) if code(methods.get(name)) != was
    ]
    expected = EDITED[place, before, after].split()
    assert [name for name in changed if name != "discom" or "discom" in expected] == expected


def test_a_new_file_of_a_method_changes_no_other(monkeypatch):
    """Every file of the folder is imported, but by no statement of another."""
    package = sys.modules["discom.methods.code"].PACKAGE / "methods"
    before = {name: code(methods.get(name)) for name in methods.names()}
    new = package / "brand_new.py"
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [*glob(self, pattern), new])
    assert {name: code(methods.get(name)) for name in methods.names()} == before


def _patch(*change):
    return lambda patch: patch.setattr(*change)


REPLACED = {  # while a program runs → how, and whose code is another
    "a constant": (_patch("discom.discom_kd.ADVERSARY_STEPS", 1), "discom"),
    "a bound": (_patch("discom.data.scaling.PERCENTILES", (1.0, 99.0)), "agreed discom kdv2"),
    "an entry": (lambda patch: patch.setitem(LABELLED, False, 0.5), "agreed discom kdv2"),
    "an attribute": (_patch(methods.AgreedLabels, "paired", False), "agreed"),
    "an attribute of all": (_patch(methods.Method, "seed_offset", 9), "agreed discom kdv2"),
    "an inherited attribute": (_patch(methods.KDv2, "seed_offset", 9), "kdv2"),
    "an inherited function": (_patch(methods.KDv2, "cross_entropy", lambda *_: 0), "kdv2"),
    "a function": (_patch(methods.KDv1, "distil", lambda *_: {}), "kdv2"),
    "a helper": (_patch("discom.losses.distill.kd", partial(kd, temperature=1.0)), "kdv2"),
    "an import": (_patch("discom.methods.distilled.kd", partial(kd, temperature=1.0)), "kdv2"),
    "nothing": (_patch("discom.hardware.workers", 2), ""),
}


@pytest.mark.parametrize("what", REPLACED)
def test_what_a_running_program_replaces_is_other_code(what, monkeypatch):
    """The text was the same, so that the old result came back."""
    names = ("agreed", "discom", "kdv2")
    first = [code(methods.get(name)) for name in names]
    replace, expected = REPLACED[what]
    with monkeypatch.context() as patch:
        replace(patch)
        now = [code(methods.get(name)) for name in names]
        assert now == [code(methods.get(name)) for name in names]
    changed = [n for n, old, new in zip(names, first, now, strict=True) if old != new]
    assert changed == expected.split()
    assert first == [code(methods.get(name)) for name in names]


def test_what_is_replaced_in_a_persons_module_is_other_code(module):
    """Also right after its import, before any run was planned."""
    plain = code(module(MODULE).Mine)
    for name, value in {"SCALE": 2.0, "halved": partial(max, 1)}.items():
        mine = module(MODULE)
        setattr(mine, name, value)
        assert code(mine.Mine) != plain
    mine = module(MODULE)
    mine.Mine.needs_strong_view = True
    assert code(mine.Mine) != plain
    assert code(module(MODULE).Mine) == plain


def test_what_a_machine_gives_or_a_program_fills_is_not_code(module, monkeypatch):
    """A run that was trained elsewhere was another, or one after a cache was filled."""
    source = (
        f"import os\nHOME = os.environ['HOME']\nNAMES = [HOME]\nCORES = os.cpu_count()\n{MODULE}"
    )
    first = code(module(f"STORE = {{}}\n{source}").Mine)
    monkeypatch.setenv("HOME", "/elsewhere")
    monkeypatch.setattr("os.cpu_count", lambda: 77)
    other = module(f"STORE = {{}}\n{source}")
    other.STORE["read"] = 1
    other.Mine.address = "/elsewhere/mine.py:Mine"
    assert code(other.Mine) == first


def test_another_teacher_is_other_code(monkeypatch, module):
    before = code(methods.get("kdv2"))
    own = module("from discom.methods import Teacher\nclass Own(Teacher): pass").Own
    monkeypatch.setattr(methods.get("kdv2"), "teacher_method", own)
    assert code(methods.get("kdv2")) != before


def test_libraries_of_a_person_are_not_followed(module):
    """Of the user's site and of PYTHONPATH: an update of any of them was other code."""
    places = {"on_path": "path", "in_site": "mine/lib/site-packages", "near": "mine/parts"}
    codes = {}
    for changed in ("", *places):
        for name, folder in places.items():
            module(f"VALUE = {int(name == changed)}", name, folder)
        imports = f"import on_path, in_site, near\n{STUDENT}"
        codes[changed] = code(module(f"{imports}\nclass Mine(Student): pass", "own", "mine").Mine)
    assert codes["on_path"] == codes["in_site"] == codes[""] != codes["near"]


def test_every_file_of_discom_is_read_when_the_loop_is_imported():
    """What was edited between the import and the first run was taken for what ran."""
    program = "import sys, discom.running.fit; texts = sys.modules['discom.methods.code']._texts;"
    program += "print(*[n for n in sys.modules if n.startswith('discom') and n not in texts])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []


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
    refused(
        lambda: train(run, images.split(*run.parts)),
        "student was edited after it was planned",
        RunError,
    )
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
            module(source)
            return code(module("from mine import Mine\nclass Own(Mine): pass", "own").Own)
        if how == "an import":
            module(source)
            named = f"from mine import SCALE\n{STUDENT}"
            return code(module(f"{named}\nclass Mine(Student): scale = SCALE", "own").Mine)
        shell = InteractiveShell.instance()
        shell.run_cell(source, store_history=True).raise_error()
        return code(shell.user_ns["Mine"])

    before, after = EDITS[what]
    first = of(MODULE)
    assert of(MODULE.replace(before, after)) != first
    words = MODULE.replace("    def loss", "    # so\n    def loss")
    words = words.replace("        CRIT", '        """Cross-entropy."""\n        CRIT')
    assert of(words) == first
    other = of(words.replace("return 1", "return 2") + "\nOTHER = 1\n")
    assert (other == first) == (how == "a notebook")  # a file counts as a whole


def test_a_file_edited_after_its_import_is_not_what_runs(module):
    """Old code trained under the digest of the new, whose result then came back for the new."""
    first, same = module(MODULE, "first"), module(MODULE, "same")
    Path(first.__file__).write_text(MODULE.replace("x**n", "x * n"))
    assert code(first.Mine) == code(same.Mine)
    assert code(importlib.reload(first).Mine) != code(same.Mine)
