"""Tables of hand-made results: every cell as it is written."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from discom import methods
from discom.errors import ConfigError, RunError
from discom.runs import Result
from discom.tables import (
    baselines,
    cost_to_markdown,
    paper_figures,
    paper_rows,
    paper_table,
    to_markdown,
    write,
)
from discom.tables.statistics import BASELINES, label, summary


def result(
    method="student",
    seed=0,
    rgb=80.0,
    depth=60.0,
    *,
    data="scenes",
    networks=None,
    seconds=10.0,
    **config,
):
    scores = {m: {"f1": f1, "accuracy": f1, "calibration_error": 0.1, "valid_f1": f1, "best_epoch": 3}
              for m, f1 in (networks or {"rgb": rgb, "depth": depth}).items()}  # fmt: skip
    return Result(
        method=method, data=data, seed=seed, hash="aa", scores=scores, parameters=dict.fromkeys(scores, 7),
        seconds=seconds, pairs_per_second=1.0, peak_memory_mb=1.0,
        machine={"device": "cpu", "processor": "P", "threads": 2},
        config={"seed": seed, "epochs": 2, "options": {"weights": {}}, **config}, counts={"train": 4}, classes=9,
    )  # fmt: skip


RUNS = [
    *(
        result("student", seed, rgb, 60.0, seconds=10)
        for seed, rgb in enumerate((70.0, 72.0, 74.0))
    ),
    *(
        result("discom", seed, rgb, 61.0, seconds=s)
        for seed, rgb, s in ((0, 73.0, 20), (1, 74.0, 90), (2, 78.0, 40))
    ),
    result("student-2x", 1, 71.0, 62.0, seconds=15),
]

# ---------------------------------------------------------------- Markdown


def test_markdown_by_hand():
    half = 4.302652729911275 / math.sqrt(3)
    expected = [
        "| data | method | modality | n | F1 | Δ student | Δ student-2x |",
        "|---|---|---|---|---|---|---|",
        "| scenes | student | rgb | 3 | 72.0 ± 2.0 | – | +1.0 |",
        "| scenes | student | depth | 3 | 60.0 ± 0.0 | – | -2.0 |",
        f"| scenes | discom | rgb | 3 | 75.0 ± 2.6 | +3.0 [{3 - half:+.1f}, {3 + half:+.1f}] | +3.0 |",
        "| scenes | discom | depth | 3 | 61.0 ± 0.0 | +1.0 [+1.0, +1.0] | -1.0 |",
        "| scenes | student-2x | rgb | 1 | 71.0 | -1.0 | – |",
        "| scenes | student-2x | depth | 1 | 62.0 | +2.0 | – |",
    ]
    assert to_markdown(summary(RUNS)).split("\n") == expected


def test_cost_is_the_median_over_the_runs_of_a_method_and_names_the_machine():
    lines = cost_to_markdown(RUNS).split("\n")
    assert (
        lines[0]
        == "| data | method | parameters at use | n | s per run | quickest | samples/s | peak MB |"
    )
    assert lines[2:5] == [
        "| scenes | student | 7 | 3 | 10 | 10 | 1 | 1 |",
        "| scenes | discom | 7 | 3 | 40 | 20 | 1 | 1 |",  # of 20, 90 and 40: the mean would be 50
        "| scenes | student-2x | 7 | 1 | 15 | 15 | 1 | 1 |",
    ]
    assert lines[-1] == "Machine: P, 2 threads, device cpu"


def test_markdown_of_a_single_run():
    lines = to_markdown(summary([result("discom", rgb=81.26)])).split("\n")
    assert lines[0] == "| data | method | modality | n | F1 |"
    assert lines[2] == "| scenes | discom | rgb | 1 | 81.3 |"


# ---------------------------------------------------------------- the paper's tables


def runs_of(
    number, data="scenes", modalities=("rgb", "depth"), seeds=3, gain=None, teacher=None, **config
):
    """Hand-made runs of a whole table; `gain` adds points to some methods."""
    made = []
    for name, options in paper_rows(number, list(modalities), teacher):
        reads = options.get("reads") or options.get("teacher")
        networks = [m for m in modalities if m != reads]
        if name == "teacher":
            networks = ["+".join(modalities)] if reads == "all" else [reads]
        for seed in range(seeds):
            f1 = 50.0 + seed + (gain or {}).get(name, 0.0) + 0.1 * seed * ("kd" in name)
            made.append(
                result(
                    name,
                    seed,
                    data=data,
                    networks=dict.fromkeys(networks, f1),
                    options=methods.get(name).options(options),
                    **config,
                )
            )
    return made


def test_table_1_has_one_teacher_and_the_students_of_the_other_modalities():
    table = paper_table(runs_of(1), 1)
    assert table["method"].tolist() == methods.names(dense=False)
    assert table["modality"].tolist() == ["rgb"] + ["depth"] * (len(methods.names(dense=False)) - 1)
    assert paper_table(runs_of(1, teacher="depth"), 1, "depth")["modality"].tolist()[:2] == [
        "depth",
        "rgb",
    ]


def test_table_2_has_a_teacher_of_all_and_a_student_for_each():
    table = paper_table(runs_of(2), 2)
    assert table["modality"].tolist() == ["rgb+depth"] + ["rgb", "depth"] * (
        len(methods.names(dense=False)) - 1
    )


def test_the_teacher_is_no_competitor():
    for number in (1, 2):
        row = paper_table(runs_of(number), number).iloc[0]
        assert row["method"] == "teacher"
        assert row.filter(like="vs ").isna().all()
        assert row["arrow"] == ""


def test_arrows_say_what_the_interval_says():
    table = paper_table(runs_of(1, gain={"dkd": 5.0, "mlkd": -5.0, "kdv1": 0.0}), 1).set_index(
        "method"
    )
    assert table.loc["dkd", "arrow"] == "↑"
    assert table.loc["mlkd", "arrow"] == "↓"
    assert table.loc["kdv1", "arrow"] == "~"
    assert table.loc["student", "arrow"] == ""
    assert table.loc["dkd", "vs student"] == pytest.approx(5.1)
    assert set(paper_table(runs_of(1, seeds=1), 1)["arrow"]) == {""}


def test_rows_of_both_tables_do_not_mix():
    """The runs of Table 2 in the same folder change nothing in Table 1, though methods and seeds
    are the same."""
    both = runs_of(1) + [
        r
        for r in runs_of(2, gain={"kdv2": 9.0})
        if r.method == "teacher" or methods.get(r.method).taught
    ]
    assert paper_table(both, 1).equals(paper_table(runs_of(1), 1))


@pytest.mark.parametrize("change", [{"data": "eurosat"}, {"epochs": 99}])
def test_runs_that_differ_in_data_or_settings_make_no_table(change):
    with pytest.raises(RunError, match="2 data sets or settings; collect them apart"):
        paper_table(runs_of(1) + runs_of(1, **change), 1)


def test_rows_as_the_authors_ran_them():
    rows = dict(paper_rows(1, ["rgb", "depth"], as_published=True))
    assert rows["mlkd"]["combination"] == "discom-paper"
    assert rows["discom"] == {"reduction": "released", "modality_targets": "released"}
    assert rows["kdv2+lskd"]["temperature"] == 4.0
    assert rows["kdv2"] == {"teacher": "rgb"}
    for name, options in rows.items():
        methods.get(name).options(options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((6, ["rgb", "depth"]), "6 is not one of ours; choose 1, 2, 3, 4, 5, dense, crodino"),
        ((0, ["rgb", "depth"]), "0 is not one of ours; choose 1, 2, 3, 4, 5, dense, crodino"),
        ((1, ["rgb"]), "two modalities or more"),
        ((1, ["rgb", "depth"], "sonar"), "'sonar' cannot be this table's; choose rgb, depth"),
        ((2, ["rgb", "depth"], "rgb"), "reads all modalities"),
        *(((number, ["rgb"]), "two modalities or more") for number in (3, 4, 5)),
        *(
            (
                (number, ["rgb", "depth"], "rgb"),
                f"'rgb' cannot be this table's; table {number} has none",
            )
            for number in (3, 4, 5)
        ),
        *(
            (
                (number, ["rgb", "depth"], None, True),
                f"as_published: table {number} says for itself",
            )
            for number in (3, 4, 5)
        ),
    ],
)
def test_a_table_that_cannot_be(arguments, message):
    with pytest.raises(ConfigError, match=message):
        paper_rows(*arguments)


def test_the_papers_figures():
    """Read off the paper's Tables 1 to 4 once more, by hand."""
    figures = paper_figures()
    value = figures.set_index(["table", "data", "modality", "method"])["f1"]
    assert value[1, "sunrgbd", "depth", "discom"] == 47.69
    assert value[1, "sunrgbd", "rgb", "teacher"] == 44.45
    assert value[1, "tristar", "depth", "student"] == 90.66
    assert value[2, "eurosat", "all", "teacher"] == 95.36
    assert value[2, "eurosat", "ms", "discom"] == 98.12
    assert value[2, "eurosat", "sar", "mlkd"] == 36.17
    assert value[3, "sunrgbd", "depth", "discom aux=0"] == 41.38
    assert value[3, "eurosat", "sar", "discom adv=0"] == 80.63
    assert value[4, "tristar", "depth", "discom z_inf"] == 90.68
    assert value[4, "sunrgbd", "rgb", "discom z_inv"] == 46.13
    assert value.groupby("table").size().to_dict() == {1: 39, 2: 75, 3: 5 * 6, 4: 3 * 6}
    assert not value.index.has_duplicates
    compared = figures[figures["table"] <= 2]
    assert set(compared["method"]) == set(methods.names(dense=False)) - {
        "student-2x",
        "discom-solo",
    }
    full = value.xs(
        "discom", level="method"
    )  # the full model's row is the same in Tables 2, 3 and 4
    assert full[2].to_dict() == full[3].to_dict() == full[4].to_dict()


def test_the_papers_figures_stand_beside_ours_only_on_its_data():
    table = paper_table(runs_of(1, "sunrgbd"), 1).set_index("method")
    assert table.loc["discom", "paper"] == 47.69
    assert table.loc["teacher", "paper"] == 44.45
    assert math.isnan(table.loc["discom-solo", "paper"])
    joint = paper_table(runs_of(2, "sunrgbd"), 2)
    assert joint["paper"].tolist()[:3] == [55.95, 44.45, 43.82]
    assert "paper" not in paper_table(runs_of(1), 1)
    assert "paper" not in paper_table(runs_of(1, "sunrgbd", ("rgb", "thermal")), 1)


def test_every_form_says_the_same(tmp_path):
    table = paper_table(runs_of(1, "sunrgbd", gain={"dkd": 5.0}), 1)
    files = {
        file.suffix: file.read_text(encoding="utf-8")
        for file in write(table, tmp_path / "made/table")
    }
    assert list(files) == [".txt", ".md", ".csv", ".tex"]
    assert "56.1 ± 1.1 ↑" in files[".txt"]
    assert "| sunrgbd | dkd | depth | 3 | 56.1 ± 1.1 ↑ |" in files[".md"]
    assert r"56.1 $\pm$ 1.1 $\uparrow$" in files[".tex"]
    assert not set("±Δ↑↓–") & set(files[".tex"])
    again = pd.read_csv(tmp_path / "made/table.csv")
    assert again["f1"].tolist() == table["f1"].tolist()
    head, *lines = files[".txt"].splitlines()
    assert [line[head.index("modality") :].split()[0] for line in lines[:2]] == [
        "rgb",
        "depth",
    ]  # columns are aligned


# ---------------------------------------------------------------- the ablations

LABELS = {
    3: [
        "discom", "discom adv=0", "discom mod=0", "discom aux=0", "discom orth=0",
        "discom reduction=released modality_targets=released", "discom pairing=paired", "discom grl_lambda=0.1",
        "discom grl_warmup=0.1", "discom dimension=16", "discom dimension=256", "discom-solo", "discom-solo orth=0",
        "discom-solo dimension=256",
    ],
    4: ["discom"],
    5: ["discom", "discom irr=1", "discom xcov=5", "discom xcov=20", "discom hsic=1", "discom hsic=5"],
}  # fmt: skip
every_ablation = pytest.mark.parametrize("number", LABELS)


def ablations_of(number, data="scenes", modalities=("rgb", "depth"), seeds=3, gain=None):
    """Hand-made runs of an ablation; `gain` adds points to rows by their label, growing a little
    with the seed."""
    made = []
    for name, options in paper_rows(number, list(modalities)):
        more = (gain or {}).get(label(name, options), 0.0)
        for seed in range(seeds):
            f1 = dict.fromkeys(modalities, 50.0 + seed + more * (1 + 0.01 * seed))
            made.append(
                result(
                    name, seed, data=data, networks=f1, options=methods.get(name).options(options)
                )
            )
    return made


def readings_of(runs, **points):
    """What is read from the parts of the full model's runs; `points`: part → F1 of each
    modality."""
    full = [run for run in runs if label(run.method, run.config["options"]) == "discom"]
    return [replace(run, method=f"discom {part.replace('__', ' ')}",
                    scores={m: {**held, "f1": f1 + run.seed} for m, held in run.scores.items()})
            for part, f1 in points.items() for run in full]  # fmt: skip


@every_ablation
def test_the_rows_of_the_ablations(number):
    rows = paper_rows(number, ["rgb", "depth"])
    assert [label(*row) for row in rows] == LABELS[number]
    for name, options in rows:
        methods.get(name).options(options)  # every one of them is the method's own
    assert paper_rows(number, ["depth", "rgb", "thermal"]) == rows


def test_rows_are_handed_out_as_copies():
    paper_rows(3, ["rgb", "depth"]).clear()
    assert len(paper_rows(3, ["rgb", "depth"])) == len(LABELS[3])


def test_what_a_table_is_compared_with():
    assert [baselines(number) for number in (1, 2, 3, 4, 5)] == [BASELINES] * 2 + [("discom",)] * 3


@every_ablation
def test_an_ablation_is_in_its_order_whatever_the_order_of_the_runs(number):
    runs = ablations_of(number)
    for given in (runs, runs[::-1]):
        table = paper_table(given, number)
        assert table["method"].tolist() == [name for name in LABELS[number] for _ in range(2)]
        assert set(table["modality"]) == {"rgb", "depth"}
        assert [column for column in table if column.startswith("vs ")] == ["vs discom", "vs discom low",
                                                                            "vs discom high"]  # fmt: skip
        assert table["n"].tolist() == [3] * len(table)


def test_arrows_of_an_ablation_compare_with_the_full_model():
    gain = {"discom adv=0": 4.0, "discom aux=0": -4.0, "discom orth=0": 0.0}
    table = paper_table(ablations_of(3, gain=gain), 3).set_index("method")
    assert set(table.loc["discom adv=0", "arrow"]) == {"↑"}
    assert set(table.loc["discom aux=0", "arrow"]) == {"↓"}
    assert set(table.loc["discom orth=0", "arrow"]) == {"~"}
    assert set(table.loc["discom", "arrow"]) == {""}
    assert table.loc["discom adv=0", "vs discom"].tolist() == pytest.approx([4.04] * 2)
    assert table.loc["discom", "vs discom"].isna().all()
    assert set(paper_table(ablations_of(3, seeds=1), 3)["arrow"]) == {""}


def test_other_runs_of_the_same_folder_do_not_mix_in():
    other = [result("discom", seed, options={"grl_lambda": 0.77}) for seed in range(3)]
    other += [result("student", seed) for seed in range(3)]
    for number in LABELS:
        assert paper_table(ablations_of(number) + other, number).equals(
            paper_table(ablations_of(number), number)
        )


def test_an_ablation_shows_what_there_is():
    runs = [
        run for run in ablations_of(5) if "hsic" not in label(run.method, run.config["options"])
    ]
    assert paper_table(runs, 5)["method"].unique().tolist() == LABELS[5][:4]


def test_table_4_has_what_is_read_from_each_part_below_the_full_model():
    runs = ablations_of(4)
    parts = {"z_inv": 45.0, "z_inv__probe": 46.0, "z_irr": 12.0}
    table = paper_table([*readings_of(runs, **parts), *runs], 4)
    names = ["discom", "discom z_inv", "discom z_inv probe", "discom z_irr"]
    assert table["method"].tolist() == [name for name in names for _ in range(2)]
    found = table.set_index(["method", "modality"])
    assert found.loc[("discom z_inv", "depth"), "vs discom"] == pytest.approx(-5)
    assert found.loc[("discom z_irr", "rgb"), "arrow"] == "↓"
    for number in (3, 5):  # nor do they show in the other tables
        whole = ablations_of(number)
        assert paper_table(whole + readings_of(whole, **parts), number).equals(
            paper_table(whole, number)
        )


def test_the_papers_figures_stand_beside_the_ablations():
    table = paper_table(ablations_of(3, "sunrgbd"), 3).set_index(["method", "modality"])["paper"]
    assert table["discom adv=0", "rgb"] == 51.38
    assert table["discom adv=0", "depth"] == 46.83
    assert table["discom mod=0", "rgb"] == 53.73
    assert table["discom aux=0", "depth"] == 41.38
    assert table["discom orth=0", "depth"] == 42.97
    assert table["discom", "rgb"] == 53.63
    asked_first_here = LABELS[3][5:]
    assert all(math.isnan(table[name, "rgb"]) for name in asked_first_here)
    runs = ablations_of(4, "sunrgbd")
    parts = paper_table(runs + readings_of(runs, z_inv=40.0, z_inf=41.0, z_irr__probe=20.0), 4)
    assert parts["paper"].tolist()[:6] == [53.63, 47.69, 46.13, 39.92, 50.82, 43.29]
    assert parts["paper"].isna().tolist()[6:] == [True, True]
    assert "paper" not in paper_table(ablations_of(5, "sunrgbd"), 5)
    assert "paper" not in paper_table(ablations_of(3), 3)
    assert "paper" not in paper_table(ablations_of(3, "sunrgbd", ("rgb", "thermal")), 3)


def test_every_form_of_an_ablation_says_the_same(tmp_path):
    table = paper_table(ablations_of(3, "sunrgbd", gain={"discom aux=0": -4.0}), 3)
    files = {
        file.suffix: file.read_text(encoding="utf-8")
        for file in write(table, tmp_path / "t", baselines(3))
    }
    head = "| data | method | modality | n | F1 | Δ discom | paper |"
    assert files[".md"].splitlines()[0] == head
    low, high = (
        table.set_index("method").loc["discom aux=0", f"vs discom {end}"].iloc[0]
        for end in ("low", "high")
    )
    assert (f"| sunrgbd | discom aux=0 | rgb | 3 | 47.0 ± 1.0 ↓ | -4.0 [{low:+.1f}, {high:+.1f}] | 53.9 |"
            in files[".md"].splitlines())  # fmt: skip
    assert (
        "| sunrgbd | discom pairing=paired | rgb | 3 | 51.0 ± 1.0 ~ | +0.0 [+0.0, +0.0] | – |"
        in files[".md"]
    )
    assert files[".txt"].splitlines()[0].split() == [
        "data",
        "method",
        "modality",
        "n",
        "F1",
        "Δ",
        "discom",
        "paper",
    ]
    assert r"$\Delta$ discom" in files[".tex"]
    assert pd.read_csv(tmp_path / "t.csv")["vs discom"].tolist() == pytest.approx(
        table["vs discom"], nan_ok=True
    )
