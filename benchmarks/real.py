"""Claims about real sensors: differences over groups such as persons, pooled over folds and label
draws.

python benchmarks/real.py     draws real.png and worn-pairs.png, and writes worn-pairs.csv, from the
tables of results/ that SHOWN and SETS name
"""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from catalogue import RESULTS, with_tests
from derive import TWIN
from discom import cli, plots, tables
from discom.cli import flags
from discom.plots import panels
from discom.tables.intervals import pseudo_values, t_test, tally, tally_score
from discom.tables.stored import read_runs


class Claim(NamedTuple):
    """A method minus another, of the same labels: the mean over deployed sensors, and over all that
    trained beside them. "twin" in the place of a method is `agreed` with the sensor's copy;
    "teacher" reads the deployed sensor and the others."""

    table: str
    labels: str  # see `labels_of`
    ours: str
    theirs: str
    deployed: str = ""  # all
    beside: str = ""  # any


# method → its labels, with the threshold that was chosen for a set; on images its defaults
NAMES = {"agreed": r"agreed( threshold=[\d.]+ contrast=0)?", "fixmatch": r"fixmatch( .*)?"}
NAMES["twin"] = NAMES["agreed"]
CLAIMS = {
    "watch": [
        Claim("watch", "few", "agreed", "student", "gyro"),
        Claim("watch", "few", "agreed", "fixmatch", "gyro"),
        Claim("watch", "few", "agreed", "student", "acc"),
    ],
    "dsads": [
        Claim("dsads-spread", "few", "agreed", "fixmatch"),
        Claim("dsads", "one person", "agreed", "fixmatch"),
        Claim("dsads-spread", "few", "agreed", "twin"),
        Claim("dsads", "one person", "agreed", "twin"),
        Claim("dsads-all", "all", "discom", "discom-solo"),
    ],
    "sisfall": [Claim("sisfall", "few", "agreed", "twin", "acc", "gyro")],
    "cells": [
        Claim("cells", "few", "agreed", "student", "brightfield"),
        Claim("cells", "few", "agreed", "fixmatch", "brightfield"),
        Claim("cells", "few", "agreed", "fixmatch", "stain"),
        Claim("cells", "all", "teacher", "student", "stain"),
    ],
    "hls": [
        Claim("hls", "few", "agreed", "student", "rgb"),
        Claim("hls", "few", "agreed", "fixmatch", "rgb"),
        Claim("hls", "few", "agreed", "fixmatch", "elevation"),
        Claim("hls", "few", "teacher", "student", "rgb"),
        Claim("hls", "all", "teacher", "student", "rgb"),
        Claim("hls-pretrained", "few", "agreed", "fixmatch", "rgb"),
    ],
}
GROUPS = {"cells": "places", "hls": "places"}  # of a set; else persons


def labels_of(config: Mapping[str, Any]) -> str:
    """Whose labels a run had: all, a few of all persons, or as many of one person."""
    if config["labelled"] == 1:
        return "all"
    return "one person" if config["labelled_groups"] else "few"


Place = tuple[str, str, str, frozenset]  # labels, method, network, sensors that trained


@lru_cache
def tallies(table: str) -> dict[Place, dict[int, pd.DataFrame]]:
    """Place → seed → its tally over all folds, see `intervals.tally`."""
    runs = defaultdict(lambda: defaultdict(list))
    for run in read_runs(RESULTS / f"{table}.csv"):
        sensors = frozenset("+".join(run.scores).split("+"))
        runs[labels_of(run.config), run.display_name, sensors][run.seed].append(run)
    found: dict[Place, dict[int, pd.DataFrame]] = defaultdict(dict)
    for (labels, method, sensors), seeds in runs.items():
        for seed, folds in seeds.items():
            for network, own in tally(folds).items():
                found[labels, method, network, sensors][seed] = own
    return dict(found)


def twin_of(table: str, sensor: str) -> str:
    """What measures the same at the same place: the second accelerometer of `sisfall`, else a copy
    of the sensor."""
    return "acc2" if table == "sisfall" else sensor + TWIN


def is_of(method: str, name: str) -> bool:
    """Whether a row of a table, by its name, is of a method."""
    return re.fullmatch(NAMES.get(method, re.escape(method)), name) is not None


def of(table: str, labels: str, method: str, sensor: str, beside: str = "") -> list[dict]:
    """Seed → tally of a method's network that reads `sensor`, for each set of sensors that trained;
    a "twin" trained beside its twin, nothing else did."""
    return [
        seeds
        for (whose, name, network, sensors), seeds in tallies(table).items()
        if (whose, sensor in network.split("+")) == (labels, True)
        and is_of(method, name)
        and (method == "student" or (twin_of(table, sensor) in sensors) == (method == "twin"))
        and (not beside or beside in sensors or method == "twin")
    ]


def deployed(table: str) -> list[str]:
    """The sensors of a table, without copies."""
    every = {network for _, _, network, _ in tallies(table)}
    return sorted(name for name in every if "+" not in name and TWIN not in name)


def difference(claim: Claim) -> pd.Series:
    """A value for each person, see `intervals.pseudo_values`: the mean over sensors and over those
    that trained beside them, of the seeds that both have."""
    values = []
    for sensor in [claim.deployed] if claim.deployed else deployed(claim.table):
        theirs, *_ = of(claim.table, claim.labels, claim.theirs, sensor)
        for ours in of(claim.table, claim.labels, claim.ours, sensor, claim.beside):
            seeds = sorted(ours.keys() & theirs.keys())
            values.append(pseudo_values([ours[s] for s in seeds], [theirs[s] for s in seeds], "f1"))
    return pd.concat(values, axis=1).mean(axis=1)


def score(table: str, labels: str, method: str, sensor: str, beside: str = "") -> float:
    """The pooled F1 of all persons: mean over seeds, and over sensors that trained beside it."""
    found = of(table, labels, method, sensor, beside)
    scores = [tally_score(own, "f1") for seeds in found for own in seeds.values()]
    return float(np.mean(scores)) if scores else np.nan


def claims(name: str) -> pd.DataFrame:
    """A set's claims, as `catalogue.claims` has those of other tables: differences in F1 points
    with 95 % t intervals over groups."""
    rows, tests = [], []
    for claim in CLAIMS[name]:
        each = difference(claim)
        tests.append(t_test(each.to_numpy()))
        ours = f"`{claim.ours}`" + ", both sensors" * (claim.ours == "teacher")
        ours += ", pretrained" * (claim.table == "hls-pretrained")
        if not (sensor := claim.deployed):
            ways = sum(len(of(*claim[:3], each)) for each in deployed(claim.table))
            sensor = f"mean of {ways} ordered pairs"
        rows.append([ours, f"`{claim.theirs}`", sensor, claim.labels, len(each)])
    columns = ["method", "compared with", "deployed", "labels", GROUPS.get(name, "persons")]
    return with_tests(pd.DataFrame(rows, columns=columns), tests)


# what a page shows: rows, and columns
SHOWN = {
    "watch, gyroscope": ("watch", "few", "gyro", ""),
    "watch, accelerometer": ("watch", "few", "acc", ""),
    "body units, labels of one person": ("dsads", "one person", "", ""),
    "body units, labels of all persons": ("dsads-spread", "few", "", ""),
    "belt, accelerometer": ("sisfall", "few", "acc", "gyro"),
    "cells, brightfield": ("cells", "few", "brightfield", ""),
    "cells, stain": ("cells", "few", "stain", ""),
    "land cover, RGB": ("hls", "few", "rgb", ""),
    "land cover, elevation": ("hls", "few", "elevation", ""),
}
COLUMNS = {
    "labels alone": "student",
    "and own unlabelled data": "fixmatch",
    "and pairs with another sensor": "agreed",
}
BOTH = "labels alone, two networks at inference"
LOOK = {"labels alone": ("o", "#b0b0b0"), "and own unlabelled data": ("s", "#4d4d4d")}
LOOK |= {"and pairs with another sensor": ("D", "#d55e00")}
LOOK |= {BOTH: ("^", "#029e73")}


def scores() -> pd.DataFrame:
    """Mean F1 over sensors and their partners: a row for each of SHOWN, a column for each of
    COLUMNS, and for both sensors at inference: the product of two students' beliefs, where
    both.py wrote it."""
    rows: dict[str, list[float]] = {}
    for row, (table, labels, sensor, beside) in SHOWN.items():
        means = [
            [score(table, labels, method, one, beside) for method in COLUMNS.values()]
            for one in ([sensor] if sensor else deployed(table))
        ]
        rows[row] = [*np.mean(means, 0), next(iter(both(table)["student"]), np.nan)]
    return pd.DataFrame.from_dict(rows, "index", columns=[*COLUMNS, BOTH])


def gained(theirs: str) -> list[tuple[float, ...]]:
    """What pairs gain over a method in each of SHOWN, see `t_test`; each interval for itself."""
    return [
        t_test(difference(Claim(table, labels, "agreed", theirs, sensor, beside)).to_numpy())
        for table, labels, sensor, beside in SHOWN.values()
    ]


def gains() -> pd.DataFrame:
    """`scores` as a page shows them, and `gained`."""
    shown = scores()[[*COLUMNS]].map("{:.1f}".format)
    for column, method in [*COLUMNS.items()][:2]:
        tests = pd.DataFrame(gained(method), shown.index, ["mean", "low", "high", "p"])
        texts = tables.points(tests, ["mean", "low", "high"])
        shown[f"pairs − {column.removeprefix('and ')}"] = texts
    return shown.rename_axis("deployed").reset_index()


SETS = {"watch": "watch", "dsads-spread": "body units"}
SETS |= {"dsads-all": "body units", "cells": "cells", "hls": "land cover"}
TOGETHER = {"student": "two networks", "agreed": "two that trained with pairs"}
TOGETHER |= {"teacher": "one network of both"}


def method_of(name: str) -> str:
    """The method of TOGETHER that a row of a table is of, or ""."""
    return next((method for method in TOGETHER if is_of(method, name)), "")


def both(table: str) -> pd.DataFrame:
    """F1 of two sensors at inference as both.py wrote it, mean over the seeds and pairs that every
    method has: a row for each share of the labels, a column for each of TOGETHER, before them the
    student of a pair's better sensor; no row where it was not run."""
    if not (file := RESULTS / f"{table}-both.csv").exists():
        return pd.DataFrame(columns=["alone", *TOGETHER])
    rows = {}
    for share, own in pd.read_csv(file).query("missing == 'none'").groupby("labelled"):
        means = own.pivot_table("f1", ["sensors", "seed"], "method").dropna()
        (labels,) = {key[0] for key in tallies(table) if (key[0] == "all") == (share == 1)}
        better = []
        for pair, runs in means.groupby("sensors"):
            students = [of(table, labels, "student", sensor)[0] for sensor in pair.split("+")]
            seeds = runs.index.get_level_values("seed")
            alone = [[tally_score(each[seed], "f1") for seed in seeds] for each in students]
            better.append(np.mean(alone, 1).max())
        rows[labels] = means.groupby("sensors").mean().mean().to_dict() | {"alone": np.mean(better)}
    return pd.DataFrame(rows).T.reindex(columns=["alone", *TOGETHER])


def together() -> pd.DataFrame:
    """`both` of each of SETS as a page shows it."""
    rows = [
        [title, labels, *("–" if np.isnan(mean) else f"{mean:.0f}" for mean in means)]
        for name, title in SETS.items()
        for labels, means in both(name).iterrows()
    ]
    return pd.DataFrame(rows, columns=["set", "labels", "better sensor alone", *TOGETHER.values()])


def figure(table: pd.DataFrame) -> Figure:
    """A line for each set: what labels alone, own signals, pairs and both sensors score."""
    drawn, axes = panels(1, 1, 9, 0.75 * len(table) + 1.6)
    axis = axes[0, 0]
    for place, (_, row) in enumerate(table[::-1].iterrows()):
        axis.plot([row.min(), row.max()], [place, place], color="#dddddd", zorder=0)
        for column, (marker, colour) in LOOK.items():
            label = column if not place else None
            axis.scatter(row[column], place, s=70, color=colour, marker=marker, label=label)
    axis.set_yticks(range(len(table)), table.index[::-1])
    axis.set(xlabel="F1 × 100 of new persons or places", ylim=(-0.6, len(table) - 0.4))
    drawn.legend(loc="outside lower center", ncols=2, frameon=False)
    return drawn


def pairs(labels: str) -> pd.DataFrame:
    """Of `dsads`: a row for each deployed and training unit, with what the pair gains over labels
    alone, what FixMatch gains without the other unit, and the difference of both, F1 points."""
    means = pair_seeds(labels).groupby(["deployed", "beside"]).mean()
    gains = {"gain": ("pair", "alone"), "placebo": ("own", "alone"), "own part": ("pair", "own")}
    columns = {name: means[way] - means[minus] for name, (way, minus) in gains.items()}
    return pd.DataFrame(columns).reset_index()


def pair_seeds(labels: str) -> pd.DataFrame:
    """Of `dsads`, pooled F1 of the deployed unit: a row for each unit that trained beside it and
    each draw of labels; labels alone, own labels, with its twin, with the other unit."""
    ways = {"alone": "student", "own": "fixmatch", "twin": "twin", "pair": "agreed"}
    rows = []
    for sensor, other in permutations(deployed("dsads"), 2):
        scores = {}
        for way, method in ways.items():
            (seeds,) = of("dsads", labels, method, sensor, other if way == "pair" else "")
            for seed, own in seeds.items():
                scores[way, seed] = tally_score(own, "f1")
        table = pd.Series(scores).unstack(0)[[*ways]].rename_axis("seed").reset_index()
        rows.append(table.assign(deployed=sensor, beside=other))
    return pd.concat(rows)[["deployed", "beside", "seed", *ways]]


PANELS = {
    "gain": "pairs with another unit\nminus labels alone",
    "placebo": "own signals (FixMatch)\nminus labels alone",
    "own part": "pairs with another unit\nminus own signals",
}
UNITS = {"torso": "torso", "rarm": "right arm", "larm": "left arm"}
UNITS |= {"rleg": "right leg", "lleg": "left leg"}


def pair_figure(table: pd.DataFrame) -> Figure:
    """Three panels of the 20 pairs: a dot for each unit that trained beside the deployed one."""
    drawn, axes = panels(1, 3, 10.5, 3.9, sharex=True, sharey=True)
    for axis, (column, title) in zip(axes[0], PANELS.items(), strict=True):
        for place, unit in enumerate([*UNITS][::-1]):
            points = table.loc[table["deployed"] == unit, column]
            colour = "#4d4d4d" if column == "placebo" else "#d55e00"
            axis.scatter(points, [place] * len(points), s=45, color=colour, alpha=0.6)
            axis.plot([points.mean()] * 2, [place - 0.3, place + 0.3], color="black")
        axis.axvline(0, color="#4d4d4d", linestyle=":")
        axis.set_title(title, fontsize=11)
        axis.set_yticks(range(len(UNITS)), [*UNITS.values()][::-1])
    alone, own = ((table[name] > 0).sum() for name in ("gain", "own part"))
    title = f"{alone} of {len(table)} pairs of units lie above labels alone, {own} above own data"
    drawn.suptitle(title, fontweight="bold", fontsize=13)
    axes[0, 0].set_ylabel("deployed unit")
    axes[0, 1].set_xlabel("F1 points; a dot for each unit beside it in training, a bar: mean")
    return drawn


@flags.command
def real() -> None:
    """Draw real.png and worn-pairs.png, and print what they show."""
    plots.style()
    table = scores()
    means, lows, *_ = np.transpose(gained("fixmatch"))
    drawn = figure(table)
    title = f"Pairs score above own unlabelled data in {(means > 0).sum()} of {len(means)}"
    drawn.suptitle(f"{title}; in {(lows > 0).sum()} the whole interval does")
    drawn.savefig(RESULTS / "real.png")
    pair_figure(pairs("one person")).savefig(RESULTS / "worn-pairs.png")
    pair_seeds("one person").round(2).to_csv(RESULTS / "worn-pairs.csv", index=False)
    print(table.round(1).to_string())


if __name__ == "__main__":
    sys.exit(cli.main(command=real))
