"""Tables as Markdown and CSV: every cell as it is written."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from fixtures.results import result

from discom.tables import summary, to_markdown, write
from discom.tables.statistics import INTERVALS

RUNS = [
    *(result("student", s, {"rgb": rgb}) for s, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", s, {"rgb": y, "depth": 61.0}) for s, y in enumerate((73.0, 74.0, 78.0))),
    result("student-2x", 1, {"rgb": 71.04}),
]
HALF = 4.302652729911275 / math.sqrt(3)
INTERVAL = f"[{3 - HALF:+.1f}, {3 + HALF:+.1f}]"


def test_cells_of_markdown_are_the_rounded_numbers_and_csv_has_all_digits(tmp_path):
    markdown, _, note = to_markdown(summary(RUNS)).rpartition("\n\n")
    assert note == f"objects: {INTERVALS['samples']}."
    cells = [[cell.strip() for cell in line.split("|")[5:-1]] for line in markdown.splitlines()]
    assert cells[2:] == [
        ["0.001", "72.0 ± 2.0", "–", "+1.0"],
        ["0.001", "75.0 ± 2.6", f"+3.0 {INTERVAL}", "+3.0"],
        ["0.001", "61.0 ± 0.0", "–", "–"],
        ["0.001", "71.0", "-1.0", "–"],
    ]
    table = summary(RUNS).assign(best=[93.3, 93.3, 83.3, math.nan])
    again = pd.read_csv(write(table, tmp_path / "made/table")[1])
    for column in ("f1", "vs student low", "best"):
        assert again[column].tolist() == pytest.approx(table[column].tolist(), nan_ok=True)


def test_what_a_seed_draws_is_said_under_the_table():
    drawn = [result(name, s) for s in (0, 1) for name in ("student", "discom")]
    fixed = [replace(run, data="hls", digest="hls", drawn=None) for run in drawn]
    last = to_markdown(summary(drawn + fixed)).splitlines()[-1]
    assert last == f"objects: {INTERVALS['samples']}. hls: {INTERVALS['split']}."
