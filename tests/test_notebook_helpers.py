"""What the cells of a notebook share."""

import re

import pytest

from discom import notebook
from discom.errors import UnsuitableError
from discom.notebook import check, finish, stamp
from discom.version import __version__

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
    with pytest.raises(
        AssertionError, match=r"^this should hold and does not: two and two are five$"
    ):
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


@pytest.mark.parametrize(
    ("commit", "said"), [("abc1234", "commit abc1234"), (None, f"discom {__version__}")]
)
def test_stamp_says_where_and_with_what(capsys, commit, said):
    here = {
        "processor": "abacus",
        "device": "GPU",
        "threads": 3,
        "python": "3.99",
        "commit": commit,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebook, "machine", lambda device: {**here, "versions": {"torch": "9.8"}})
        patch.setattr(notebook.torch.cuda, "is_available", lambda: False)
        stamp(seed=11)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "python 3.99 · torch 9.8"
    assert second.startswith(f"abacus, 3 threads · seed 11 · {said} · ")
    assert re.search(r"\d{4}-\d\d-\d\d$", second)


def test_key_figures_are_printed_with_four_digits_before_the_count(capsys):
    finish(**{"F1 discom rgb": 74.61234, "seconds": 12})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "key figures: F1 discom rgb 74.61 · seconds 12"
    assert second.startswith("all 0 checks passed · ")


@pytest.mark.parametrize("name", ["scenes", "scenes:n=330", "scenes-dense:n=20"])
def test_a_notebook_that_needs_scenes_takes_them(name, capsys):
    stamp(0, scenes=name)
    assert "seed 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["data/hls", "scenes/of/mine"])
def test_a_notebook_that_needs_scenes_refuses_other_data_in_one_line(name):
    with pytest.raises(
        UnsuitableError, match=rf"^data: '{name}' has no known factors; .* needs scenes.*$"
    ):
        stamp(0, scenes=name)
