"""What each file of results/ is a table of; its text and its figures."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from discom import plots, tables
from discom.plots import panels
from discom.running.runs import Result
from discom.tables.intervals import t_test
from discom.tables.stored import read_runs

RESULTS = Path(__file__).parents[1] / "results"


# file of results/ → what its runs are compared with
TABLES = {
    "labels": ["student", "fixmatch"],
    "watch": ["student", "fixmatch threshold=0.95"],
    "all-labels": ["student", "discom-solo"],
    "ladder": ["student"],
    "three": ["student"],
    "terms": ["discom"],
    "terms-ten": ["discom"],
    "dense/scenes-labelled": ["single", "dense-self"],
    "dense/scenes-batch": ["single"],
    "dense/scenes-distillation": ["single"],
    "dense/scenes-table-crodino": ["crodino"],  # by the package: `discom table crodino`
}
# method → its name in the figure of scores over the share of masks
MASKS = {"single": "masks alone", "dense-simclr": "+ all images of this sensor (SimCLR)"}
MASKS |= {"dense-self": "+ a teacher of this sensor", "dense-kdv2": "+ a teacher of both sensors"}
MASKS |= {"crodino": "+ our CroDiNo-KD"}
LOOKS = [("o", "#4d4d4d"), ("s", "#0173b2"), ("^", "#b0b0b0"), ("D", "#029e73"), ("v", "#8c3fb0")]

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
        (run.seed, sensor, run.display_name, run.config["labelled"], score)
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
    return with_tests(pd.DataFrame(rows, columns=["method", "compared with", "seeds"]), tests)


def with_tests(table: pd.DataFrame, tests: Sequence[tuple], score: str = "F1") -> pd.DataFrame:
    """The rows of claims with their tests, as a page shows them: Holm's correction is for all."""
    tested = pd.DataFrame(tests, columns=["difference", "low", "high", "p"])
    tested["holm"] = tables.holm(tested["p"])
    table[f"{score} points [95 %]"] = tables.points(tested, ["difference", "low", "high"])
    exact = tested["holm"].map("{:.3f}".format).str.removeprefix("0")
    return table.assign(**{"p after Holm": exact.mask(tested["holm"] < 0.001, "< .001")})


@lru_cache
def table(name: str) -> tuple[pd.DataFrame, Sequence[str]]:
    """One of TABLES, and what its rows are compared with."""
    against, results = TABLES[name], read_runs(RESULTS / f"{name}.csv")
    if name.endswith("-table-crodino"):
        return tables.paper_table(results, "crodino"), against
    rows = tables.summary(results, against)
    if name == "ladder":
        rows.insert(2, "epochs", results[0].config["epochs"])  # the same in all rows
    return rows, against


def draw(name: str) -> None:
    """Write the figure of a table, if it has one: its differences, or of masks the scores."""
    rows, against = table(name)
    plots.style()
    if name == "dense/scenes-labelled":
        masks(rows).savefig(RESULTS / f"{name}-scores.png")
    elif rows["method"].nunique() > 1:
        plots.intervals(rows, against).savefig(RESULTS / f"{name}.png")


def masks(table: pd.DataFrame) -> Figure:
    """Scores over the share of images with a mask, mean and 95 % interval over seeds: a panel for
    each sensor, a curve for each of MASKS; dotted is the best possible score."""
    drawn, axes = panels(1, 2, 8.4, 4.4, sharey=True)
    shares, ends = table["labelled"].unique(), stats.t.ppf(0.975, table["n"] - 1)
    table = table.assign(half=ends * table["sd"] / np.sqrt(table["n"]))
    for axis, sensor in zip(axes[0], ("rgb", "depth"), strict=True):
        own = table[table["modality"] == sensor].sort_values("labelled").set_index("method")
        for number, (method, label) in enumerate(MASKS.items()):
            rows, look = own.loc[method], dict(zip(("marker", "color"), LOOKS[number], strict=True))
            places = rows["labelled"] * 1.04 ** (number - 2)  # lest one hides another
            axis.errorbar(places, rows["miou"], rows["half"], capsize=2, label=label, **look)
        axis.axhline(own["best"].iloc[0], color="black", linewidth=0.8, linestyle=":")
        axis.text(shares.min(), own["best"].iloc[0], "best possible", va="bottom", size=8)
        axis.set_xscale("log")
        axis.set_xticks(shares, [f"{100 * share:g}" for share in shares])
        axis.minorticks_off()
        axis.set(title=sensor, xlabel="training pairs with a label (%)")
    axes[0, 0].set_ylabel("test mIoU × 100")
    names = axes[0, 0].get_legend_handles_labels()
    drawn.legend(*names, loc="outside lower center", ncols=2, frameon=False)
    drawn.suptitle("A teacher of both sensors helps RGB where masks are few")
    return drawn
