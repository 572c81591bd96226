"""What each file of results/ is a table of; its text and its figures."""

from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import grid
from discom import plots, tables
from discom.errors import ConfigError
from discom.files import read_json
from discom.running.runs import Result
from discom.tables.stored import read_runs

RESULTS = Path(__file__).parents[1] / "results"


class Summary(NamedTuple):
    """A table of `grid.summary`, and its figures: scores where there is a title, of the methods in
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
few, masks = partial(Summary, names=FEW), partial(Summary, names=MASKS)
# file of results/ → its number among `tables.paper_rows`, or what its runs are compared with
TABLES: dict[str, int | str | Summary] = {f"scenes-table{number}": number for number in range(1, 6)}
TABLES |= dict.fromkeys(["scenes-thermal-table2", "hls-table2", "hls-random-table2"], 2)
TABLES |= {f"cellcycle-{name}": 2 for name in ("table2", "stain-table2", "darkfield-table2")}
TABLES |= {
    "dense/scenes-table-crodino": "crodino",
    "scenes-budget": Summary(["student", "discom-solo"], factors=["epochs"]),
    "scenes-budget-rates": Summary(["student", "discom-solo"], factors=["learning_rate", "epochs"]),
    "scenes-half-rate": Summary(["discom"], factors=["learning_rate"]),
    "labels": Summary(["student", "fixmatch"]),
    "few-labels/scenes-labelled": few(
        ["student", OWN],
        "With 5 to 40 % labels pairs raise depth; RGB gains mostly from its own images",
    ),
    "few-labels/scenes-labelled-ten": few(["student", OWN], differences=False),
    "few-labels/scenes-others": few(["student", OWN, "nt-xent"]),
    "few-labels/scenes-noise": few(["student", OWN], factors=["noise"]),
    "few-labels/cellcycle-stain": few(
        ["student", "simclr"],
        "Cells: NT-Xent beats labels alone in brightfield, not in the stain",
        differences=False,
    ),
    "few-labels/cellcycle-stain-kd": few(
        ["student", "simclr", "nt-xent contrast=3"], differences=False
    ),
    "few-labels/cellcycle-darkfield": few(["student", "simclr"]),
    "few-labels/hls-elevation": few(
        ["student", "simclr contrast=1"],
        "Land cover: nothing decided with five splits by place",
        differences=False,
    ),
    "dense/scenes-labelled": masks(
        ["single", "dense-self"],
        "A teacher of both sensors helps RGB where masks are few",
        differences=False,
    ),
    "dense/scenes-batch": Summary(["single"]),
    "dense/scenes-distillation": Summary(["single"]),
    "dense/hls-labelled": masks(
        ["single", "dense-self"],
        "Real tiles: nothing is decided with five splits",
        differences=False,
    ),
}


@lru_cache
def content(name: str) -> Any:
    """What a file of results/ holds, named without .json."""
    if not (file := RESULTS / f"{name}.json").exists():
        raise ConfigError(f"results/{name}.json", "no such file", "check the name")
    return read_json(file)


@lru_cache
def runs(names: tuple[str, ...]) -> list[Result]:
    """The runs of some files, in their order, none twice; Table 4 reads parts of a run."""
    for name in names:
        content(name)  # names a file that is not there
    results = chain.from_iterable(read_runs(RESULTS / f"{name}.csv") for name in names)
    return list({(result.hash, result.label): result for result in results}.values())


@lru_cache
def table(name: str) -> tuple[pd.DataFrame, Sequence[str]]:
    """One of TABLES, and what its rows are compared with."""
    if name not in TABLES:
        raise ConfigError(f"results/{name}.csv", "is no table", f"there are {', '.join(TABLES)}")
    kind = TABLES[name]
    if isinstance(kind, Summary):
        return grid.summary(runs((name,)), kind.against, kind.factors), kind.against
    return tables.paper_table(runs((name,)), kind), tables.baselines(kind)


def texts(name: str) -> dict[Path, str]:
    """File → the table of a page."""
    return {RESULTS / f"{name}.md": tables.to_markdown(*table(name)) + "\n"}


def is_fresh(file: Path, text: str) -> bool:
    """Whether a file holds this text."""
    return file.exists() and file.read_text(encoding="utf-8") == text


def draw(name: str) -> None:
    """Write the figures of a table, which are the same at each call."""
    (rows, against), kind = table(name), TABLES[name]
    plots.style()
    if isinstance(kind, Summary):
        figures = grid.figures(rows, against, kind.factors, kind.names, kind.title)
        shown = {"": kind.differences, "-scores": bool(kind.title)}
        figures = {end: figure for end, figure in figures.items() if shown[end]}
    else:
        figures = {"": plots.intervals(rows, against)}
    for end, figure in figures.items():
        figure.savefig(RESULTS / f"{name}{end}.png")
