"""The tables' rows, and tables made of hand-made results."""

import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from fixtures.results import result

from discom import methods
from discom.tables import baselines, paper_figures, paper_rows, paper_table
from discom.tables.rows import NUMBERS

PAIR = ["rgb", "depth"]


def networks_of(name, options, modalities):
    """The networks that a run scores."""
    reads = options.get("reads") or options.get("teacher")
    fused = name == "crodino" and options.get("weights", {}).get("aux") != 0
    if "reads" in options:
        return ["+".join(modalities)] if reads == "all" else [reads]
    return [*(m for m in modalities if m != reads), *["+".join(modalities)] * fused]


def runs_of(number, data="objects", modalities=PAIR, seeds=3, gain=None, **config):
    """Runs of a whole table; `gain` adds points to rows by their label, a tenth more a seed."""
    runs, kind = [], "miou" if isinstance(number, str) else "f1"
    for row, seed in product(paper_rows(number, list(modalities)), range(seeds)):
        if row.part:  # a score of the run of another row
            continue
        name, options = row.method, row.options
        more = (gain or {}).get(name, (gain or {}).get(row.display_name(), 0.0))
        networks = networks_of(name, options, modalities)
        score = dict.fromkeys(networks, 50.0 + seed + more * (1 + seed / 10))
        one = result(name, seed, score, data=data, options=options, metric=kind, **config)
        for own in one.scores.values() if number == 4 else ():
            own |= {"f1/inv": own["f1"] - 2, "f1/inf": own["f1"] - 1}
        changed = {**one.changed, **row.settings}  # as `standings` names rows with such settings
        runs.append(replace(one, code=f"{name}-{seed}", changed=changed))
    return runs


@pytest.mark.parametrize("number", NUMBERS)
def test_rows_have_their_baseline_and_their_teacher(number):
    rows = paper_rows(number, PAIR)
    assert baselines(number)[0] in {row.display_name() for row in rows}
    reads = "rgb" if number == 1 else "all"
    assert rows[0].options.get("reads", "all") == reads
    for row in rows:
        taught = methods.get(row.method).teacher_method and row.method != "dense-self"
        assert row.options.get("teacher") == (reads if taught else None)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_table_has_its_rows_in_their_order_whatever_the_runs(number):
    runs = runs_of(number)
    other = [replace(run, method="mine") for run in runs if run.method == baselines(number)[0]]
    table = paper_table([*runs, *other][::-1], number, PAIR)
    expected = {
        (row.name, network)
        for row in paper_rows(number, PAIR)
        for network in networks_of(row.method, row.options, PAIR)
        if row.options.get("reads") or number != 1 or network != "rgb"
    }
    assert set(zip(table["method"], table["modality"], strict=True)) == expected
    assert len(table) == len(expected)
    labels = [row.name for row in paper_rows(number, PAIR)]
    assert list(table["method"].unique()) == labels
    assert set(table["n"]) == {3}
    for row in table.to_dict("records"):  # a teacher is no competitor
        if row["method"] in ("teacher", "dense-teacher"):
            assert row["arrow"] == ""
            assert all(math.isnan(row[name]) for name in row if name.startswith("vs "))


def test_arrows_say_what_the_interval_says():
    table = paper_table(runs_of(1, gain={"dkd": 5.0, "mlkd": -5.0}), 1, PAIR).set_index("method")
    arrows = {"dkd": "↑", "mlkd": "↓", "kdv1": "~", "student": ""}
    assert {name: table.loc[name, "arrow"] for name in arrows} == arrows
    assert table.loc["dkd", "vs student"] == pytest.approx(5.5)
    assert set(paper_table(runs_of(1, seeds=1), 1, PAIR)["arrow"]) == {""}


def test_what_reads_all_sensors_is_compared_with_the_teacher():
    gain = {"crodino": 4.5, "dense-teacher": 9.0}
    table = paper_table(runs_of("dense", gain=gain), "dense", PAIR).set_index(
        ["method", "modality"]
    )
    branch, fused = table.loc[("crodino", "rgb")], table.loc[("crodino", "rgb+depth")]
    assert (branch["arrow"], branch["vs single"]) == ("↑", pytest.approx(4.5 * 1.1))
    assert fused["vs dense-teacher"] == pytest.approx(-4.5 * 1.1)
    assert math.isnan(branch["vs dense-teacher"])
    assert math.isnan(fused["vs single"])


PAPER = pd.read_csv(Path(__file__).parents[1] / "golden/paper_tables.csv")
# with the paper's split, which is the default of EuroSAT alone
SETS = {"SUNRGBD": "sunrgbd-random", "EuroSAT-MS-SAR": "eurosat", "TRISTAR": "tristar-random"}


def by_our_name(row):
    name = row.method.lower().replace("discom-kd", "discom")
    if row.variant == "LSKD":
        return f"{name}+lskd"
    if row.variant.startswith("only "):
        return f"{name} {row.variant.replace(' ', '=')}"
    if row.variant.startswith("without "):
        return f"{name} {row.variant.removeprefix('without ')}=0"
    return name


@pytest.mark.parametrize(("number", "count"), [(1, 39), (2, 75), (3, 30), (4, 18)])
def test_every_figure_of_the_paper(number, count):
    """Typed in from the paper once more, apart from the package's own file."""
    paper = {
        (SETS[row.dataset], row.modality, by_our_name(row)): row.f1
        for row in PAPER.query("table == @number").itertuples()
    }
    assert len(paper) == count
    figures = paper_figures().query("table == @number")
    assert figures.set_index(["data", "modality", "method"])["f1"].to_dict() == paper
    if number < 3:
        ours = {"student-2x", "discom-solo", "mdico"}
        assert {name for *_, name in paper} | ours == {row.method for row in paper_rows(1, PAIR)}


@pytest.mark.parametrize("number", [1, 2])
def test_the_papers_rows_stand_in_its_order(number):
    """Each distillation is followed by its form with standardised logits."""
    rows = PAPER.query("table == @number").itertuples()
    paper = [*dict.fromkeys(map(by_our_name, rows))]
    assert [row.name for row in paper_rows(number, PAIR) if row.name in paper] == paper


@pytest.mark.parametrize("number", ["dense", "crodino"])
def test_the_figures_of_crodinos_readme_stand_beside_ours(number):
    runs = runs_of(number, "potsdam", ["rgb", "dsm"])
    table = paper_table(runs, number, ["rgb", "dsm"]).set_index(["method", "modality"])["paper"]
    assert table["crodino"][["rgb", "dsm"]].to_list() == [76.13, 42.78]
    assert math.isnan(table["crodino", "rgb+dsm"])
    assert table["single", "dsm"] == 42.47
    assert "paper" not in paper_table(runs_of(number), number, PAIR)


def test_the_papers_figures_stand_beside_ours_only_on_its_data():
    table = paper_table(runs_of(1, "sunrgbd-random"), 1, PAIR).set_index("method")["paper"]
    assert table[["discom", "teacher"]].tolist() == [47.69, 44.45]
    assert table[["discom-solo", "discom adversary=alternating"]].isna().all()
    ablation = paper_table(runs_of(3, "sunrgbd-random"), 3, PAIR).set_index(["method", "modality"])[
        "paper"
    ]
    assert ablation["discom adv=0"].to_dict() == {"rgb": 51.38, "depth": 46.83}
    assert "paper" not in paper_table(
        runs_of(1, "sunrgbd"), 1, PAIR
    )  # the default split divides days
    thermal = ["rgb", "thermal"]
    assert "paper" not in paper_table(runs_of(1, "sunrgbd-random", thermal), 1, thermal)
