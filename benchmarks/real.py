"""Tables of real sensors, as docs/results/real.md shows them."""

from itertools import permutations

import numpy as np
import pandas as pd

from claims import differences
from discom import tables
from discom.tables.intervals import t_test
from stored import RESULTS, deployed, networks, of

# what a page shows: row → table, labels, sensor ("": each), sensor that trained beside it
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
SETS = {"watch": "watch", "dsads-spread": "body units"}
SETS |= {"dsads-all": "body units", "cells": "cells", "hls": "land cover"}
TOGETHER = {"student": "two networks", "agreed": "two that trained with pairs"}
TOGETHER |= {"teacher": "one network of both"}


def scores() -> pd.DataFrame:
    """Mean F1 over sensors and their partners: a row for each of SHOWN, a column for each of
    COLUMNS, and for both sensors at inference: the product of two students' beliefs, where
    `measure.py both` wrote it."""
    rows = {}
    for row, (table, labels, sensor, beside) in SHOWN.items():
        sensors = [sensor] if sensor else deployed(table)
        rows[row] = {
            column: np.mean(
                [of(table, labels, way, one, beside)["score"].mean() for one in sensors]
            )
            for column, way in COLUMNS.items()
        }
        rows[row][BOTH] = next(iter(both(table)["student"]), np.nan)
    return pd.DataFrame.from_dict(rows, "index")


def gained(other: str) -> pd.DataFrame:
    """What pairs gain over a method in each of SHOWN, see `t_test`; each interval for itself."""
    each = [
        differences(table, labels, "agreed", other, *sensors)
        for table, labels, *sensors in SHOWN.values()
    ]
    tests = [t_test(own.mean(axis=1).to_numpy()) for own in each]
    return pd.DataFrame(tests, [*SHOWN], ["mean", "low", "high", "p"])


def gains() -> pd.DataFrame:
    """`scores` as a page shows them, and `gained`."""
    shown = scores()[[*COLUMNS]].map("{:.1f}".format)
    for column, method in [*COLUMNS.items()][:2]:
        points = tables.points(gained(method), ["mean", "low", "high"])
        shown[f"pairs − {column.removeprefix('and ')}"] = points
    return shown.rename_axis("deployed").reset_index()


def both(table: str) -> pd.DataFrame:
    """F1 of two sensors at inference as `measure.py both` wrote it, mean over the seeds and pairs
    that every method has: a row for each kind of labels, a column for each of TOGETHER, before them
    the best of student and FixMatch of one sensor; no row where it was not run."""
    columns = ["alone", *TOGETHER]
    if not (file := RESULTS / f"{table}-both.csv").exists():
        return pd.DataFrame(columns=columns)
    controls, rows = networks(table).query("method in ['student', 'fixmatch']"), {}
    for share, own in pd.read_csv(file).query("missing == 'none'").groupby("labelled"):
        means = own.pivot_table("f1", ["sensors", "seed"], "method").dropna()
        alone = controls[controls["share"] == share]
        scores = alone.pivot_table("score", "seed", ["method", "network"])
        for pair, runs in means.groupby("sensors"):
            seeds = runs.index.get_level_values("seed")
            best = scores.loc[seeds, (slice(None), pair.split("+"))].mean().max()
            means.loc[pair, "alone"] = best
        rows[alone["labels"].iloc[0]] = means.groupby("sensors").mean().mean()
    return pd.DataFrame(rows).T.reindex(columns=columns)


def together() -> pd.DataFrame:
    """`both` of each of SETS as a page shows it."""
    shown = pd.concat({name: both(name) for name in SETS}, names=["set", "labels"]).reset_index()
    means = shown[["alone", *TOGETHER]].map("{:.0f}".format).replace("nan", "–")
    names = {"alone": "better sensor alone", **TOGETHER}
    return shown.assign(**means, set=shown["set"].map(SETS)).rename(columns=names)


def pairs() -> pd.DataFrame:
    """Of `dsads` with labels of one person, F1 of the deployed unit: a row for each unit that
    trained beside it and each draw of labels; labels alone, own labels, with its twin, with the
    other unit."""
    place, parts = ("dsads", "one person"), {}
    for sensor, other in permutations(deployed("dsads"), 2):
        ways = {
            "alone": of(*place, "student", sensor),
            "own": of(*place, "fixmatch", sensor),
            "twin": of(*place, "twin", sensor),
            "pair": of(*place, "agreed", sensor, other),
        }
        scores = {way: own.set_index("seed")["score"] for way, own in ways.items()}
        parts[sensor, other] = pd.DataFrame(scores)
    return pd.concat(parts, names=["deployed", "beside"]).reset_index()
