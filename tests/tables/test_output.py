"""Tables as Markdown and CSV: every cell as it is written."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from fixtures.results import result

from discom.tables import compare, points, summary, to_markdown, write
from discom.tables.output import INTERVALS

RUNS = [
    *(result("student", s, {"rgb": rgb}) for s, rgb in enumerate((70.0, 72.0, 74.0))),
    *(result("discom", s, {"rgb": y, "depth": 61.0}) for s, y in enumerate((73.0, 74.0, 78.0))),
    result("student-2x", 1, {"rgb": 71.04}),
]
HALF = 4.302652729911275 / math.sqrt(3)
INTERVAL = f"[{3 - HALF:+.1f}, {3 + HALF:+.1f}]"


def unpadded(markdown):
    """Lines of a table without its rule and without the spaces that align its columns."""
    lines = [re.sub(" +", " ", line) for line in markdown.split("\n")]
    return [line for line in lines if not line.startswith("|-")]


def test_markdown_and_csv_by_hand(tmp_path):
    markdown, _, note = to_markdown(summary(RUNS)).rpartition("\n\n")
    assert note == f"scenes: {INTERVALS['samples']}."
    assert len(set(map(len, markdown.split("\n")))) == 1  # columns are aligned
    assert unpadded(markdown) == [
        "| data | method | modality | n | lr | F1 | Δ student | Δ student-2x |",
        "| scenes | student | rgb | 3 | 0.001 | 72.0 ± 2.0 | – | +1.0 |",
        f"| scenes | discom | rgb | 3 | 0.001 | 75.0 ± 2.6 | +3.0 {INTERVAL} | +3.0 |",
        "| scenes | discom | depth | 3 | 0.001 | 61.0 ± 0.0 | – | – |",
        "| scenes | student-2x | rgb | 1 | 0.001 | 71.0 | -1.0 | – |",
    ]
    more = {"best": [93.3, 93.3, 83.3, math.nan], "paper": [1.25, math.nan, 2.0, 3.0]}
    table = summary(RUNS).assign(arrow=["", "↑", "↓", "~"], **more)
    lines = unpadded(to_markdown(table, ["student"]))
    assert lines[0] == "| data | method | modality | n | lr | F1 | Δ student | best | paper |"
    assert lines[1].endswith("| 72.0 ± 2.0 | – | 93.3 | 1.2 |")
    assert lines[2].endswith(f"| 75.0 ± 2.6 ↑ | +3.0 {INTERVAL} | 93.3 | – |")
    assert lines[4].endswith("| 71.0 ~ | -1.0 | – | 3.0 |")
    dense = summary([result("crodino", 0, {"rgb": 81.26}, metric="miou", labelled=0.2)], [])
    assert unpadded(to_markdown(dense, [])) == [
        "| data | labelled | method | modality | n | lr | mIoU |",
        "| scenes | 0.2 | crodino | rgb | 1 | 0.001 | 81.3 |",
    ]
    files = write(table, tmp_path / "made/table")
    assert files[0].read_text(encoding="utf-8") == to_markdown(table) + "\n"
    again = pd.read_csv(files[1])
    for column in ("f1", "vs student low", "best", "paper"):
        assert again[column].tolist() == pytest.approx(table[column].tolist(), nan_ok=True)


def test_what_a_seed_draws_is_said_under_the_table():
    drawn = [result(name, s) for s in (0, 1) for name in ("student", "discom")]
    fixed = [replace(run, data="hls", digest="hls", drawn=None) for run in drawn]
    lines = to_markdown(summary(drawn + fixed)).split("\n")
    assert lines[-2:] == ["", f"scenes: {INTERVALS['samples']}. hls: {INTERVALS['split']}."]
    assert to_markdown(summary(drawn[:1])).count("\n") == 3  # one seed has no interval
    assert to_markdown(summary(drawn[::2])).count("\n") == 3  # nor has one method


def test_a_star_needs_all_comparisons():
    runs = [result("student", seed, {"rgb": 70 + seed}) for seed in range(3)]
    runs += [result("kdv2", seed, {"rgb": 73 + seed + seed % 2 / 10}) for seed in range(3)]
    runs += [result("dkd", 0, {"rgb": 71})]
    table = compare(runs, [("kdv2", "student"), ("dkd", "student")])
    assert points(table).tolist() == ["+3.0* [+2.9, +3.2]", "+1.0"]
    assert points(table.assign(holm=0.06)).iloc[0] == "+3.0 [+2.9, +3.2]"
