"""What each file of results/ is a table of; its text and its figures."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pandas as pd

from discom import plots, tables
from discom.running.runs import Result
from discom.tables.intervals import t_test
from discom.tables.stored import read_runs

RESULTS = Path(__file__).parents[1] / "results"
SCENES = ("noise",)  # numbers that stand in a data set's name; 1 where they do not


class Summary(NamedTuple):
    """A table over factors, and its figures: scores where there is a title, of the methods in
    `names`, if any, and differences where a page shows them."""

    against: list[str]
    title: str = ""
    names: dict[str, str] = {}
    factors: list[str] = ["labelled"]
    differences: bool = True


OWN = "simclr depth=0.1"  # no other sensor
IMAGES = "+ all images of this sensor (SimCLR)"
FEW = {"student": "labels alone", OWN: IMAGES, "simclr": IMAGES, "simclr contrast=1": IMAGES}
FEW |= dict.fromkeys(
    ["nt-xent", "nt-xent contrast=3"], "+ all pairs with the other sensor (NT-Xent)"
)
FEW |= {"kdv2": "+ a teacher of both sensors (KD)"}
MASKS = {"single": "masks alone", "dense-simclr": IMAGES}
MASKS |= {"dense-self": "+ a teacher of this sensor", "dense-kdv2": "+ a teacher of both sensors"}
MASKS |= {"crodino": "+ our CroDiNo-KD"}
TITLES = {
    "labelled": "With 5 to 40 % labels pairs raise depth; RGB gains mostly from its own images",
    "stain": "Cells: NT-Xent beats labels alone in brightfield, not in the stain",
    "elevation": "Land cover: nothing decided with five splits by place",
    "masks": "A teacher of both sensors helps RGB where masks are few",
    "tiles": "Real tiles: nothing is decided with five splits",
}
# file of results/ → its number among `tables.paper_rows`, or what its runs are compared with
TABLES: dict[str, int | str | Summary] = {f"scenes-table{number}": number for number in (1, 2, 3)}
TABLES |= dict.fromkeys(["scenes-thermal-table2", "hls-table2", "hls-random-table2"], 2)
TABLES |= {f"cellcycle-{name}": 2 for name in ("table2", "stain-table2", "darkfield-table2")}
TABLES |= {
    "dense/scenes-table-crodino": "crodino",
    "scenes-budget": Summary(["student", "discom-solo"], factors=["epochs"]),
    "scenes-budget-rates": Summary(["student", "discom-solo"], factors=["learning_rate", "epochs"]),
    "labels": Summary(["student", "fixmatch"]),
    "watch": Summary(["student", "fixmatch threshold=0.95"]),
    "all-labels": Summary(["student", "discom-solo"]),
    "ladder": Summary(["student"], factors=["epochs"]),
    "terms": Summary(["discom"]),
    "terms-ten": Summary(["discom"]),
    "few-labels/scenes-labelled": Summary(["student", OWN], TITLES["labelled"], FEW),
    "few-labels/scenes-labelled-ten": Summary(["student", OWN], differences=False),
    "few-labels/scenes-others": Summary(["student", OWN, "nt-xent"]),
    "few-labels/scenes-noise": Summary(["student", OWN], names=FEW, factors=["noise"]),
    "few-labels/cellcycle-stain": Summary(
        ["student", "simclr"], TITLES["stain"], FEW, differences=False
    ),
    "few-labels/cellcycle-stain-kd": Summary(
        ["student", "simclr", "nt-xent contrast=3"], differences=False
    ),
    "few-labels/cellcycle-darkfield": Summary(["student", "simclr"]),
    "few-labels/hls-elevation": Summary(
        ["student", "simclr contrast=1"], TITLES["elevation"], FEW, differences=False
    ),
    "dense/scenes-labelled": Summary(
        ["single", "dense-self"], TITLES["masks"], MASKS, differences=False
    ),
    "dense/scenes-batch": Summary(["single"]),
    "dense/scenes-distillation": Summary(["single"]),
    "dense/hls-labelled": Summary(
        ["single", "dense-self"], TITLES["tiles"], MASKS, differences=False
    ),
}


# file of results/ → its claims, named before its runs in results/README.md: which method's network
# scores above which other one's
SHUFFLED = "nt-xent partners=shuffled contrast=3"
PAIRED = "discom pairing=paired"
RELEASED = "discom reduction=released modality_targets=released"
CLAIMS = {
    "labels": [
        ("agreed", sensor, other, sensor)
        for other in ("student", "fixmatch", SHUFFLED)
        for sensor in ("rgb", "depth")
    ],
    "all-labels": [
        ("teacher", "rgb+depth", "student", "rgb"),
        *(("discom", sensor, "discom-solo", sensor) for sensor in ("rgb", "depth")),
        *((PAIRED, sensor, "discom", sensor) for sensor in ("rgb", "depth")),
        ("kdv2", "depth", "student", "depth"),
    ],
    "terms": [
        *(("discom", "mean", f"discom {term}=0", "mean") for term in ("aux", "adv", "mod", "orth")),
        ("discom", "mean", RELEASED, "mean"),
        ("discom adversary=alternating", "mean", "discom", "mean"),
    ],
}


def by_seed(runs: Iterable[Result]) -> pd.DataFrame:
    """Test scores: a row for each seed, a column for each network, or their mean, each method and
    share of labels. Two runs of one cell, such as of two learning rates, are an error of pandas."""
    cells = [
        (run.seed, sensor, run.label, run.config["labelled"], score)
        for run in runs
        for sensor, score in {**run.main, "mean": fmean(run.main.values())}.items()
    ]
    names = ["seed", "network", "method", "labelled"]
    table = pd.DataFrame(cells, columns=[*names, "score"])
    return table.pivot(index="seed", columns=names[1:], values="score")


def claims(name: str) -> pd.DataFrame:
    """The claims of a table: differences in F1 points, paired by seed, with 95 % t intervals, and
    p-values that Holm's method corrects for all of them. "mean" is that of all sensors. Of several
    shares of labels the least."""
    runs = read_runs(RESULTS / f"{name}.csv")
    least = min(run.config["labelled"] for run in runs)
    scores = by_seed([run for run in runs if run.config["labelled"] == least])
    rows, tests = [], []
    for method, sensor, other, its_sensor in CLAIMS[name]:
        ours, theirs = scores[sensor, method, least], scores[its_sensor, other, least]
        each = (ours - theirs).dropna().to_numpy()
        tests.append(t_test(each))
        rows.append([f"`{method}`, {sensor}", f"`{other}`, {its_sensor}", len(each)])
    return with_tests(pd.DataFrame(rows, columns=["claim", "above", "seeds"]), tests)


def with_tests(table: pd.DataFrame, tests: Sequence[tuple], score: str = "F1") -> pd.DataFrame:
    """The rows of claims with their tests, as a page shows them: Holm's correction is for all."""
    tested = pd.DataFrame(tests, columns=["difference", "low", "high", "p"])
    tested["holm"] = tables.holm(tested["p"])
    table[f"{score} points [95 %]"] = tables.points(tested).str.replace("*", "")
    exact = tested["holm"].map("{:.3f}".format).str.removeprefix("0")
    return table.assign(**{"p after Holm": exact.mask(tested["holm"] < 0.001, "< .001")})


def summary(
    results: Sequence[Result], against: Sequence[str], factors: Sequence[str]
) -> pd.DataFrame:
    """A row for each point of the factors, method and network, and a column for each factor.
    Learning rates are compared one by one where they are a factor."""
    parts = [list(results)]
    if "learning_rate" in factors:
        rates = dict.fromkeys(result.config["learning_rate"] for result in results)
        parts = [[r for r in results if r.config["learning_rate"] == rate] for rate in rates]
    table = pd.concat([tables.summary(part, against) for part in parts], ignore_index=True)
    for name in set(factors) - set(table):
        if name in SCENES:
            values = table["data"].str.extract(rf"-{name}=([\d.]+)", expand=False)
            table.insert(2, name, values.astype(float).fillna(1))
        elif name == "learning_rate":
            table[name] = table["lr"]
        else:  # all runs have one value
            table.insert(2, name, results[0].config[name])
    return table


@lru_cache
def table(name: str) -> tuple[pd.DataFrame, Sequence[str]]:
    """One of TABLES, and what its rows are compared with."""
    kind, results = TABLES[name], read_runs(RESULTS / f"{name}.csv")
    if isinstance(kind, Summary):
        return summary(results, kind.against, kind.factors), kind.against
    return tables.paper_table(results, kind), tables.baselines(kind)


def draw(name: str) -> None:
    """Write the figures of a table."""
    (rows, against), kind = table(name), TABLES[name]
    figures = {}
    plots.style()
    if not isinstance(kind, Summary):
        figures[""] = plots.intervals(rows, against)
    elif kind.differences and rows["method"].nunique() > 1:
        # points of the factors with more than one method; what is alone is not compared
        points = [part for _, part in rows.groupby(kind.factors) if part["method"].nunique() > 1]
        if len(points) > 1:
            first, *others = kind.factors
            curves = rows
            for other in others:  # each of its values has curves of its own
                values = rows[other].map(f", {other}={{:g}}".format)
                curves = curves.assign(method=curves["method"] + values)
            figures[""] = plots.gains(curves, first, against, kind.names)
        else:
            figures[""] = plots.intervals(points[0], against)
    if isinstance(kind, Summary) and kind.title:
        figures["-scores"] = plots.scores(rows, kind.factors[0], kind.names)
        figures["-scores"].suptitle(kind.title)
    for end, figure in figures.items():
        figure.savefig(RESULTS / f"{name}{end}.png")
