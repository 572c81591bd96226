"""What the cells of a notebook share."""

import re

import pytest

from discom import notebook
from discom.errors import DataError
from discom.notebook import check, finish, stamp, terminal


def test_claims_that_hold_are_printed_and_counted_from_the_stamp_on(capsys, monkeypatch):
    check("before", True)
    monkeypatch.setattr(notebook, "peak_memory", lambda device: 345.6)
    stamp(seed=11)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("python 3.")
    assert " · torch " in first
    assert re.search(r" · threads \d+ · seed 11 · .+ · \d{4}-\d\d-\d\d$", second)
    check("two and two are four", 2 + 2 == 4)
    for holds in (False, 0, None, [], ""):
        with pytest.raises(AssertionError, match=r"^this should hold and does not: two is five$"):
            check("two is five", holds)
    assert capsys.readouterr().out == "✓ two and two are four\n"
    finish(**{"F1 discom rgb": 74.61234, "seconds": 12})
    figures, end = capsys.readouterr().out.splitlines()
    assert figures == "key figures: F1 discom rgb 74.61 · seconds 12"
    assert re.fullmatch(r"all 1 checks passed · \d s · peak memory 346 MB", end)


def test_a_notebook_that_needs_scenes_refuses_other_data_in_one_line():
    stamp(0, scenes="scenes:n=330")
    stamp(0, scenes="scenes-dense:n=20")
    with pytest.raises(DataError, match=r"^data: 'data/hls' has no known factors; .*scenes$"):
        stamp(0, scenes="data/hls")


def test_a_command_is_printed_with_its_answer_and_status(tmp_path, capsys):
    status, said = terminal("discom data check nothing", tmp_path)
    assert status == 2
    assert said.startswith("discom: error: nothing: no such folder")
    assert capsys.readouterr().out == f"$ discom data check nothing\n{said}"
    assert terminal("discom --version", quiet=True)[0] == 0
    assert capsys.readouterr().out == "$ discom --version\n"
