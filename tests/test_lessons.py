"""notebooks/lessons: what a later notebook imports is what an earlier one shows."""

import importlib
from pathlib import Path

import pytest

from discom.errors import DataError
from lesson_files import lessons, write

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
IMPORTS = """\
# %%
import os

# %%
from math import log, pi
import numpy as np
"""


def folder(place, *cells):
    twins = place / "py"
    twins.mkdir()
    code = "\n\n".join((IMPORTS, *cells)) + "\n"
    (twins / "07_a_name.py").write_text(code)
    (place / "lessons").mkdir()
    return place


def test_the_lessons_are_those_of_the_twins():
    made = lessons(NOTEBOOKS / "py")
    stored = {file.name: file.read_text() for file in (NOTEBOOKS / "lessons").glob("*.py")}
    del stored["__init__.py"]
    assert stored == made
    for name in made:
        assert importlib.import_module(f"lessons.{Path(name).stem}").__doc__


def test_a_lesson_imports_what_it_reads_and_nothing_else(tmp_path):
    first = '# %% tags=["lesson-area"]\ndef area(r):\n    return pi * r**2'
    second = '# %% tags=["lesson-logs"]\ndef size(r):\n    return np.log(area(r))'
    other = "# %%\nprint(size(2))"
    place = folder(tmp_path, first, second, other)
    assert {file.name for file in write(place)} == {"area.py", "logs.py"}
    assert write(place) == []
    text = (place / "lessons/logs.py").read_text()
    assert "import numpy as np" in text
    assert "from lessons.area import area" in text
    assert "# from 07_a_name\ndef size(r):" in text
    assert "math" not in text
    assert "print" not in text
    (place / "lessons/gone.py").write_text("")
    assert [file.name for file in write(place)] == ["gone.py"]


def test_a_lesson_may_not_read_what_only_its_notebook_has(tmp_path):
    cell = '# %% tags=["lesson-area"]\ndef area(r):\n    return seed * r'
    with pytest.raises(DataError, match=r"07_a_name\.py: .* area reads seed"):
        lessons(folder(tmp_path, cell) / "py")
