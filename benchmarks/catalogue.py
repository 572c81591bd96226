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


class Summary(NamedTuple):
    """A table over factors, and its figures: scores where there is a title, of the methods in
    `names`, if any, and differences where a page shows them."""

    against: list[str]
    title: str = ""
    names: dict[str, str] = {}
    factors: list[str] = ["labelled"]
    differences: bool = True


IMAGES = "+ all images of this sensor (SimCLR)"
MASKS = {"single": "masks alone", "dense-simclr": IMAGES}
MASKS |= {"dense-self": "+ a teacher of this sensor", "dense-kdv2": "+ a teacher of both sensors"}
MASKS |= {"crodino": "+ our CroDiNo-KD"}
FEW_MASKS = "A teacher of both sensors helps RGB where masks are few"
# file of results/ → its number among `tables.paper_rows`, or what its runs are compared with
TABLES: dict[str, str | Summary] = {
    "dense/scenes-table-crodino": "crodino",
    "labels": Summary(["student", "fixmatch"]),
    "watch": Summary(["student", "fixmatch threshold=0.95"]),
    "all-labels": Summary(["student", "discom-solo"]),
    "ladder": Summary(["student"], factors=["epochs"]),
    "three": Summary(["student"]),
    "terms": Summary(["discom"]),
    "terms-ten": Summary(["discom"]),
    "dense/scenes-labelled": Summary(["single", "dense-self"], FEW_MASKS, MASKS, differences=False),
    "dense/scenes-batch": Summary(["single"]),
    "dense/scenes-distillation": Summary(["single"]),
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


CLAIMED = {"labels": 0.1}  # of which share of labels the claims are; else of all


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
    p-values that Holm's method corrects for all of them. "mean" is that of all sensors."""
    share = CLAIMED.get(name, 1.0)
    runs = read_runs(RESULTS / f"{name}.csv")
    scores = by_seed([run for run in runs if run.config["labelled"] == share])
    rows, tests = [], []
    for method, sensor, other, its_sensor in CLAIMS[name]:
        ours, theirs = scores[sensor, method, share], scores[its_sensor, other, share]
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
    """A row for each point of the factors, method and network, and a column for each factor."""
    table = tables.summary(results, against)
    for name in set(factors) - set(table):  # all runs have one value
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
