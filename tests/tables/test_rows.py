"""The tables' rows, and tables made of hand-made results."""

import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from fixtures.results import result

from discom import methods
from discom.errors import ConfigError, RunError
from discom.tables import FEW, SEEDS, baselines, paper_figures, paper_rows, paper_table

PAIR = ["rgb", "depth"]
DENSE = methods.names(dense=True)
CLASSIFICATION = list(dict.fromkeys(row.method for row in paper_rows(1, PAIR)))
WARMER = ["mlkd+lskd temperature=4"]
COMPETITORS = [*CLASSIFICATION]
for row in (*WARMER, "discom adversary=alternating"):
    COMPETITORS.insert(COMPETITORS.index(row.split()[0]) + 1, row)
ABLATIONS = pytest.mark.parametrize("number", [3, 4, 5, "crodino"])


def networks_of(name, options, modalities):
    """The networks that a run scores."""
    reads = options.get("reads") or options.get("teacher")
    fused = name == "crodino" and options.get("weights", {}).get("aux") != 0
    if "reads" in options:
        return ["+".join(modalities)] if reads == "all" else [reads]
    return [*(m for m in modalities if m != reads), *["+".join(modalities)] * fused]


def runs_of(number, data="scenes", modalities=PAIR, seeds=3, gain=None, **config):
    """Runs of a whole table; `gain` adds points to rows by their label, a tenth more a seed."""
    runs, kind = [], "miou" if isinstance(number, str) else "f1"
    for row, seed in product(paper_rows(number, list(modalities)), range(seeds)):
        name, options, _ = row
        more = (gain or {}).get(name, (gain or {}).get(row.label(), 0.0))
        networks = networks_of(name, options, modalities)
        score = dict.fromkeys(networks, 50.0 + seed + more * (1 + seed / 10))
        one = result(name, seed, score, data=data, options=options, metric=kind, **config)
        runs.append(replace(one, code=f"{name}-{seed}"))
    return runs


# ---------------------------------------------------------------- rows


def test_rows_of_the_tables_of_methods():
    dense = paper_rows("dense", PAIR)
    assert [row.method for row in dense] == DENSE
    assert dense[0] == ("dense-teacher", {"reads": "all"}, SEEDS)
    taught = {row.method for row in dense if row.options == {"teacher": "all"}}
    assert taught | {"dense-self"} == {name for name in DENSE if methods.get(name).teacher_method}
    for number in (1, 2):
        assert [row.label("teacher", "reads") for row in paper_rows(number, PAIR)] == COMPETITORS


def test_rows_differ_and_know_how_many_seeds_they_take():
    many = [row.label("teacher", "reads") for row in paper_rows(2, PAIR) if row.seeds == SEEDS]
    assert many == [name for name in COMPETITORS if "lskd" not in name]
    terms = [f"discom {term}=0" for term in ("adv", "mod", "aux", "orth")]
    extra = ["discom adversary=alternating", "discom irr=1", "discom-solo", "discom-solo orth=0"]
    many = [row.label() for row in paper_rows(3, PAIR) if row.seeds == SEEDS]
    assert many == ["discom", *terms, *extra]
    for number in (1, 2, 3, 4, 5, "dense", "crodino"):
        rows = paper_rows(number, PAIR)
        assert all(methods.get(row.method).options(row.options) for row in rows)
        assert {row.seeds for row in rows} <= {FEW, SEEDS}
        assert len({row.label() for row in rows}) == len(rows)
        baseline = next(row for row in rows if row.label() == baselines(number)[0])
        assert baseline.seeds == max(row.seeds for row in rows)  # every seed can be compared


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ((6, PAIR), "6 is unknown; choose 1, 2, 3, 4, 5, dense, crodino"),
        ((1, ["rgb"]), "two modalities or more"),
    ],
)
def test_a_table_that_cannot_be(arguments, fragment):
    with pytest.raises(ConfigError, match=fragment):
        paper_rows(*arguments)


# ---------------------------------------------------------------- tables from runs


def test_table_1_has_one_teacher_and_the_students_of_the_other_modalities():
    table = paper_table(runs_of(1), 1)
    assert table["method"].tolist() == COMPETITORS
    assert table["modality"].tolist() == ["rgb"] + ["depth"] * (len(COMPETITORS) - 1)
    turned = paper_table(runs_of(1, modalities=PAIR[::-1]), 1, modalities=PAIR[::-1])
    assert turned["modality"].tolist()[:2] == ["depth", "rgb"]


@pytest.mark.parametrize("number", [2, "dense"])
@pytest.mark.parametrize("order", [1, -1])
def test_tables_with_a_teacher_of_all_have_a_row_for_each_network(number, order):
    table = paper_table(runs_of(number)[::order], number)
    rows = paper_rows(number, PAIR)
    names = [row.label("teacher", "reads") for row in rows]
    expected = {
        (name, m)
        for name, row in zip(names, rows, strict=True)
        for m in networks_of(row.method, row.options, PAIR)
    }
    assert set(zip(table["method"], table["modality"], strict=True)) == expected
    assert len(table) == len(expected)
    assert list(table["method"].unique()) == names
    teacher = table.iloc[0]
    assert teacher["modality"] == "rgb+depth"
    assert teacher.filter(like="vs ").isna().all()  # it is no competitor
    assert teacher["arrow"] == ""


def test_arrows_say_what_the_interval_says():
    gain = {"dkd": 5.0, "mlkd": -5.0}
    table = paper_table(runs_of(1, gain=gain), 1).set_index("method")
    arrows = {"dkd": "↑", "mlkd": "↓", "kdv1": "~", "student": ""}
    assert {name: table.loc[name, "arrow"] for name in arrows} == arrows
    assert table.loc["dkd", "vs student"] == pytest.approx(5.5)
    assert set(paper_table(runs_of(1, seeds=1), 1)["arrow"]) == {""}


def test_rows_of_two_tables_do_not_mix():
    """The runs of Table 2 in the same folder change nothing in Table 1, though methods and seeds
    are the same."""
    other = [r for r in runs_of(2, gain={"kdv2": 9.0}) if methods.get(r.method).teacher_method]
    assert paper_table(runs_of(1) + other, 1).equals(paper_table(runs_of(1), 1))


@pytest.mark.parametrize("change", [{"data": "eurosat"}, {"epochs": 99}])
def test_runs_that_differ_in_data_or_settings_make_no_table(change):
    with pytest.raises(RunError, match="2 data sets or settings; collect them apart"):
        paper_table(runs_of(1) + runs_of(1, **change), 1)


@ABLATIONS
def test_an_ablation_is_in_its_order_whatever_the_runs(number):
    labels = [row.label() for row in paper_rows(number, PAIR)]
    first, last = labels[0], labels[-1]
    other = [] if number == "crodino" else [result("student", seed) for seed in range(3)]
    table = paper_table([*other, *runs_of(number, gain={last: 4.0})[::-1]], number)
    assert list(table["method"].unique()) == labels
    assert set(table["n"]) == {3}
    compared = [name for name in table if name.startswith("vs ")]
    assert compared == [f"vs {first}{end}" for end in ("", " low", " high")]
    arrows = table.groupby("method")["arrow"].agg(set)
    assert arrows[first] == {""}
    assert arrows[last] == ({"↑"} if last != first else {""})
    rows = paper_rows(number, ["depth", "rgb", "thermal"])
    assert [row.label() for row in rows] == labels
    rows.clear()  # a copy
    assert paper_rows(number, PAIR)


def test_table_4_has_what_is_read_from_each_part_below_the_full_model():
    runs = runs_of(4, "sunrgbd")
    parts = {"discom z_inv": 45.0, "discom z_inv probe": 46.0, "discom z_irr": 12.0}
    read = [
        replace(run, method=name, scores={m: {"f1": f1 + run.seed} for m in PAIR})
        for name, f1 in parts.items()
        for run in runs
    ]
    table = paper_table([*read, *runs], 4).set_index(["method", "modality"])
    assert list(table.index.levels[0]) == sorted(["discom", *parts])
    assert table.loc[("discom z_inv", "depth"), "vs discom"] == pytest.approx(-5)
    assert table.loc[("discom z_irr", "rgb"), "arrow"] == "↓"
    assert table["paper"].tolist()[:4] == [53.63, 47.69, 46.13, 39.92]
    assert table["paper"].isna().tolist()[4:] == [True] * 4


def test_the_best_possible_score_stands_beside_the_runs_that_say_it():
    """A folder of photos called scenes says none."""
    best = paper_table([replace(run, best={"rgb": 93.3}) for run in runs_of(2)], 2)
    best = best.groupby("modality")["best"].first()
    assert best["rgb"] == 93.3
    assert best[["depth", "rgb+depth"]].isna().all()


# ---------------------------------------------------------------- the paper's figures

PAPER = pd.read_csv(Path(__file__).parents[1] / "golden/paper_tables.csv")
SETS = {"SUNRGBD": "sunrgbd", "EuroSAT-MS-SAR": "eurosat", "TRISTAR": "tristar"}


def by_our_name(row):
    name = row.method.lower().replace("discom-kd", "discom")
    if row.variant == "LSKD":
        return f"{name}+lskd"
    if row.variant.startswith("without "):
        return f"{name} {row.variant.removeprefix('without ')}=0"
    return f"{name} z_{row.variant[5:]}" if row.variant.startswith("only ") else name


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
        compared = {name for *_, name in paper}
        assert compared == set(CLASSIFICATION) - {"student-2x", "discom-solo", "mdico"}


def test_the_papers_figures_stand_beside_ours_only_on_its_data():
    table = paper_table(runs_of(1, "sunrgbd"), 1).set_index("method")
    assert table.loc[["discom", "teacher"], "paper"].tolist() == [47.69, 44.45]
    assert math.isnan(table.loc["discom-solo", "paper"])
    assert paper_table(runs_of(2, "sunrgbd"), 2)["paper"].tolist()[:3] == [55.95, 44.45, 43.82]
    ablation = paper_table(runs_of(3, "sunrgbd"), 3).set_index(["method", "modality"])["paper"]
    assert ablation["discom adv=0"].to_dict() == {"rgb": 51.38, "depth": 46.83}
    assert math.isnan(ablation["discom dimension=16", "rgb"])
    assert math.isnan(table.loc["discom adversary=alternating", "paper"])
    assert "paper" not in paper_table(runs_of(1), 1)
    assert "paper" not in paper_table(runs_of(1, "sunrgbd", ("rgb", "thermal")), 1)


def test_what_reads_all_sensors_is_compared_with_the_teacher():
    gain = {"crodino": 4.5, "dense-teacher": 9.0}
    table = paper_table(runs_of("dense", gain=gain), "dense").set_index(["method", "modality"])
    branch, fused = table.loc[("crodino", "rgb")], table.loc[("crodino", "rgb+depth")]
    assert (branch["arrow"], branch["vs single"]) == ("↑", pytest.approx(4.5 * 1.1))
    assert fused["vs dense-teacher"] == pytest.approx(-4.5 * 1.1)
    assert math.isnan(branch["vs dense-teacher"])
    assert math.isnan(fused["vs single"])
