"""What stands in results/: the runs of a table, and the scores of their networks."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from discom import tables
from discom.data.multimodal import TWIN
from discom.errors import RunError
from discom.running.runs import Result
from discom.tables import intervals
from discom.tables.stored import read_runs

RESULTS = Path(__file__).parents[1] / "results"
# tables that a file of their own shows → what their rows are compared with
TABLES = {
    "labels": ["student", "fixmatch"],
    "labels-controls": [],
    "labels-more": ["student", "fixmatch"],
    "labels-others": ["student"],
    "watch": ["student", "fixmatch threshold=0.95"],
    "all-labels": ["student", "discom-solo"],
    "all-labels-kd": ["student", "discom-solo"],
    "taught-by-rgb": ["student"],
    "ladder": ["student"],
    "epochs": ["student", "discom-solo"],
    "three": ["student"],
    "terms": ["discom"],
    "terms-ten": ["discom"],
    "parts-alone": ["discom"],  # its runs by `discom table 4`
    "dense/scenes-labelled": ["single", "dense-self"],
    "dense/scenes-batch": ["single"],
    "dense/scenes-distillation": ["single"],
    "dense/scenes-table-crodino": ["crodino"],  # its runs by `discom table crodino`
}
# table → what its runs are compared with, too, in files of their own
CONTROLS = {"labels": ["labels-controls"]}
# in the name of a row what was chosen for a set; on images it is the default
CHOSEN = re.compile(r"(?<=^agreed) threshold=[\d.]+ contrast=0$|(?<=^fixmatch) .+")


@lru_cache
def runs_of(table: str) -> list[Result]:
    """The runs of a table of results/, in their order."""
    return read_runs(RESULTS / f"{table}.csv")


@lru_cache
def table(name: str) -> tuple[pd.DataFrame, Sequence[str]]:
    """One of TABLES, and what its rows are compared with."""
    if name == "parts-alone":
        return tables.paper_table(runs_of(name), 4, deployed(name)), TABLES[name]
    return tables.summary(runs_of(name), TABLES[name]), TABLES[name]


def labels_of(config: Mapping[str, Any]) -> str:
    """Whose labels a run had: all, a few of everyone, or those of one person or some patients."""
    if groups := config["labelled_groups"]:
        return "one person" if groups == 1 else f"{groups} patients"
    share = config["labelled"]
    return "all" if share == 1 else "few" if share <= 0.1 else in_percent(share)


def in_percent(share: float) -> str:
    """0.2 as "20 %"."""
    return f"{100 * share:g} %"


@lru_cache
def networks(table: str) -> pd.DataFrame:
    """A row for each network and seed of a table: labels, see `labels_of`, their share, method, see
    `method_of`, sensors that trained, seed, network, score in % and the best possible one; of folds
    the score of all together, and `tally`, see `intervals.tally`."""
    cells = defaultdict(list)
    for run in chain.from_iterable(map(runs_of, [table, *CONTROLS.get(table, [])])):
        sensors = "+".join(sorted({*"+".join(run.scores).split("+")}))
        key = labels_of(run.config), run.config["labelled"], method_of(run), sensors, run.seed
        cells[key].append(run)
    rows = []
    for key, (first, *others) in cells.items():
        if len(others) >= max(1, first.folds):
            found = f"two runs of {key[2]} with seed {first.seed}"
            raise RunError(table, found, "collect them apart")
        tallies = intervals.tally([first, *others]) if first.folds else {}
        pooled = {name: intervals.tally_score(own, first.metric) for name, own in tallies.items()}
        for name, score in (pooled or first.main).items():
            rows.append([*key, name, score, first.best.get(name), tallies.get(name)])
    names = ["labels", "share", "method", "sensors", "seed", "network", "score", "best", "tally"]
    every = pd.DataFrame(rows, columns=names)
    few = every["labels"] == "few"  # of several such shares the smallest, the others by number
    more = few & (every["share"] > every.loc[few, "share"].min())
    return every.assign(labels=every["labels"].mask(more, every["share"].map(in_percent)))


def method_of(run: Result) -> str:
    """Its name without what was `CHOSEN` for a set. "twin" is `agreed` of a sensor and what
    measures the same at the same place: its copy, or the second accelerometer of `sisfall`."""
    name = CHOSEN.sub("", run.display_name)
    twins = any(sensor == "acc2" or sensor.endswith(TWIN) for sensor in run.scores)
    return "twin" if name == "agreed" and twins else name


def deployed(table: str) -> list[str]:
    """The sensors of a table, without copies."""
    every = networks(table)["network"].unique()
    return sorted(name for name in every if "+" not in name and TWIN not in name)


def of(table: str, labels: str, method: str, sensor: str, beside: str = "") -> pd.DataFrame:
    """The rows of `networks` of a method's networks of `sensor`, or where none reads it alone of
    those that read it, one seed after another; with `beside` of those that trained beside it."""
    every = networks(table).query("labels == @labels and method == @method")
    if beside:
        every = every[reads(every["sensors"], beside)]
    own = every["network"] == sensor
    return every[own if own.any() else reads(every["network"], sensor)].sort_values("seed")


def reads(names: pd.Series, sensor: str) -> pd.Series:
    """Which of names such as "acc+gyro" have a sensor among them."""
    return names.str.split("+").map(lambda each: sensor in each).astype(bool)
