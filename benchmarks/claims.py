"""The claims of claims.csv, named before their runs in results/README.md, and what came of them;
and other tables of real sensors, as docs/results/real.md shows them.

A claim compares a method with another, of the same labels: the mean over deployed sensors, and over
all that trained beside them, where none is named. "twin" in the place of a method is `agreed` with
the sensor's copy; a teacher reads the deployed sensor and the others.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from discom import tables
from discom.errors import check_choice
from discom.tables.intervals import group_dice, pseudo_values, t_test
from stored import RESULTS, TWIN, deployed, networks, of, runs_of

CLAIMS = pd.read_csv(Path(__file__).with_suffix(".csv"), keep_default_na=False)
TUMOUR = 1  # number of the class
# what a page shows: row → table, labels, sensor ("": each), sensor that trained beside it
SHOWN = {
    "watch, gyroscope": ("watch", "few", "gyro", ""),
    "watch, accelerometer": ("watch", "few", "acc", ""),
    "body units, labels of one person": ("dsads", "one person", "", ""),
    "body units, labels of all persons": ("dsads-spread", "few", "", ""),
    "belt, accelerometer": ("sisfall", "few", "acc", "gyro"),
    "belt, gyroscope": ("sisfall", "few", "gyro", "acc"),
    "cells, brightfield": ("cells", "few", "brightfield", ""),
    "cells, stain": ("cells", "few", "stain", ""),
    "land cover, RGB": ("hls", "few", "rgb", ""),
    "land cover, elevation": ("hls", "few", "elevation", ""),
}
COLUMNS = {"labels alone": "student", "and own unlabelled data": "fixmatch"}
COLUMNS |= {"and pairs with another sensor": "agreed"}
SETS = {"watch": "watch", "dsads-spread": "body units"}
SETS |= {"dsads-all": "body units", "cells": "cells", "hls": "land cover"}
# what one sensor can do without the other; "twin" sees what measures the same at the same place
ALONE = ("student", "student-2x", "discom-solo", "fixmatch", "simclr", "fixmatch-simclr", "twin")
ALONE += ("single", "single-2x", "dense-self", "dense-simclr")
TOGETHER = {"student": "two networks", "fixmatch": "two with own unlabelled data"}
TOGETHER |= {"agreed": "two that trained with pairs", "teacher": "one network of both"}
CELLS = ("hits", "labels", "predicted")  # columns of a file of both, see `measure.both`


def differences(
    table: str, labels: str, ours: str, theirs: str, sensor: str = "", beside: str = ""
) -> pd.DataFrame:
    """One method minus another in points, of the seeds that both have: a column for each deployed
    sensor and each set of sensors that trained; a row for each seed, or of folds for each person,
    place or patient. F1, of folds see `intervals.pseudo_values`; of masks Dice of the tumour."""
    columns = []
    for one in [sensor] if sensor else deployed(table):
        others = of(table, labels, theirs, one)
        for _, own in of(table, labels, ours, one, beside).groupby("sensors"):
            both = own.merge(others, on="seed", validate="one_to_one").set_index("seed")
            pairs = zip(both["tally_x"], both["tally_y"], strict=True)
            if both["tally_x"].isna().all():
                columns.append(both["score_x"] - both["score_y"])
            elif runs_of(table)[0].metric == "miou":
                columns += [group_dice(a, TUMOUR) - group_dice(b, TUMOUR) for a, b in pairs]
            else:
                columns.append(pseudo_values(*zip(*pairs, strict=True), "f1"))
    return pd.concat(columns, axis=1)


def mean_test(differences: pd.DataFrame) -> tuple[float, float, float, float]:
    """`t_test` of the mean over columns: its interval is over rows, seeds, persons or places."""
    return t_test(differences.mean(axis=1).dropna().to_numpy())


def claims(name: str) -> pd.DataFrame:
    """A table's claims as a page shows them: mean differences with 95 % t intervals, and p-values
    that Holm's method corrects for all of them."""
    check_choice("claims", name, CLAIMS["claims"].unique())
    asked, rows = CLAIMS[CLAIMS["claims"] == name], []
    unit = asked["unit"].iloc[0]
    for _, claim in asked.loc[:, "table":].iterrows():
        table, labels, method, other, sensor, _ = claim
        each = differences(*claim)
        ways = f"{each.shape[1]} ordered pairs" if each.shape[1] > 2 else "both"
        about = ", both sensors" * method.endswith("teacher")
        about += ", pretrained" * (table == "hls-pretrained")
        names = f"`{method}`{about}", f"`{other}`", sensor or f"mean of {ways}", labels
        rows.append([*names, each.mean(axis=1).count(), *mean_test(each)])
    head = ["method", "compared with", "deployed", "labels", unit]
    tested = pd.DataFrame(rows, columns=[*head, "difference", "low", "high", "p"])
    holm = pd.Series(tables.holm(tested["p"]))
    score = "Dice" if unit == "patients" else "F1"
    points = tables.points(tested, ["difference", "low", "high"])
    exact = holm.map("{:.3f}".format).str.removeprefix("0").mask(holm < 0.001, "< .001")
    return tested[head].assign(**{f"{score} points [95 %]": points, "p after Holm": exact})


def gained(other: str) -> pd.DataFrame:
    """What pairs gain over a method in each of SHOWN, see `t_test`; each interval for itself."""
    each = [
        differences(table, labels, "agreed", other, *sensors)
        for table, labels, *sensors in SHOWN.values()
    ]
    return pd.DataFrame([mean_test(own) for own in each], [*SHOWN], ["mean", "low", "high", "p"])


def gains() -> pd.DataFrame:
    """As a page shows it: mean F1 over sensors and their partners, a row for each of SHOWN and a
    column for each of COLUMNS; and `gained`."""
    shown = pd.DataFrame(index=[*SHOWN])
    for column, method in COLUMNS.items():
        for row, (table, labels, sensor, beside) in SHOWN.items():
            sensors = [sensor] if sensor else deployed(table)
            each = [of(table, labels, method, one, beside)["score"].mean() for one in sensors]
            shown.loc[row, column] = f"{np.mean(each):.1f}"
    for column, method in [*COLUMNS.items()][:2]:
        points = tables.points(gained(method), ["mean", "low", "high"])
        shown[f"pairs − {column.removeprefix('and ')}"] = points
    return shown.rename_axis("deployed").reset_index()


def best_alone(table: str, labels: str, sensors: Sequence[str], seeds: pd.Index) -> pd.DataFrame:
    """The rows of `networks`, one for each of these seeds, of the best method of one sensor: of
    ALONE that have them all, and of the sensors, the pair with the best mean."""
    rows = networks(table).query("labels == @labels and network in @sensors and seed in @seeds")
    rows = rows[rows["method"].str.split().str[0].isin(ALONE)]
    each = rows.groupby(["method", "network"])["score"].agg(["mean", "size"])
    method, sensor = each[each["size"] >= len(seeds)]["mean"].idxmax()
    return of(table, labels, method, sensor).set_index("seed").loc[seeds]


@lru_cache
def both(table: str) -> pd.DataFrame:
    """Two sensors at inference, as `measure.py both` wrote them, minus `best_alone`: a row for each
    kind of labels and each of TOGETHER, with F1 of both and of the sensor alone, their difference
    in points, mean, low and high over groups, see `pseudo_values` (NaN where the file has no
    groups), and the number of seeds; means over the seeds and pairs that every method has."""
    kinds = networks(table).drop_duplicates("share").set_index("share")["labels"]
    every = pd.read_csv(RESULTS / f"{table}-both.csv", dtype={"group": str})
    every = every[(every["missing"] == "none") & ~every["sensors"].str.contains(TWIN)]
    rows = []
    for share, of_share in every.groupby("labelled"):
        scores = of_share.pivot_table("f1", ["sensors", "seed"], "method").dropna()
        for method in scores:
            alone, values = [], []
            for sensors, f1 in scores[method].groupby("sensors"):
                seeds = f1.index.get_level_values("seed")
                control = best_alone(table, kinds[share], sensors.split("+"), seeds)
                alone.append(control["score"].mean())
                own = of_share[(of_share["method"] == method) & (of_share["sensors"] == sensors)]
                if "group" in own and own["group"].notna().any():
                    ours = [group_tally(own[own["seed"] == seed]) for seed in seeds]
                    values.append(pseudo_values(ours, [*control["tally"]], "f1"))
            f1, rival = scores[method].groupby("sensors").mean().mean(), np.mean(alone)
            gain = f1 - rival, np.nan, np.nan
            if values:
                gain = mean_test(pd.concat(values, axis=1))[:3]
            rows.append([kinds[share], method, f1, rival, *gain, len(seeds)])
    columns = ["labels", "method", "f1", "alone", "mean", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=columns).set_index(["labels", "method"])


def group_tally(rows: pd.DataFrame) -> pd.DataFrame:
    """What `intervals.tally` has of one network, from the rows of groups in a file of both."""
    rows = rows[rows["group"].notna()].set_index("group")
    kinds = (rows[kind].str.split(expand=True).astype(float) for kind in CELLS)
    table = pd.concat(kinds, axis=1)
    return table.set_axis(range(table.shape[1]), axis=1)


def together() -> pd.DataFrame:
    """`both` of each of SETS as a page shows it."""
    rows = []
    for table, name in SETS.items():
        for labels, own in both(table).groupby("labels", sort=False):
            own = own.droplevel("labels")
            gains = tables.points(own, ["mean", "low", "high"]).reindex([*TOGETHER]).fillna("–")
            alone = f"{own['alone'].iloc[0]:.1f}"
            row = {"set": name, "labels": labels, "better sensor alone": alone}
            rows.append(row | dict(zip(TOGETHER.values(), gains, strict=True)))
    return pd.DataFrame(rows)


def pairs() -> pd.DataFrame:
    """Of `dsads` with labels of one person, F1 of the deployed unit: a row for each unit that
    trained beside it and each draw of labels; labels alone, own labels, with its twin, with the
    other unit."""
    parts = {}
    for sensor, other in permutations(deployed("dsads"), 2):
        ways = {"alone": ("student", sensor), "own": ("fixmatch", sensor), "twin": ("twin", sensor)}
        ways["pair"] = ("agreed", sensor, other)
        each = {way: of("dsads", "one person", *how) for way, how in ways.items()}
        scores = {way: own.set_index("seed")["score"] for way, own in each.items()}
        parts[sensor, other] = pd.DataFrame(scores)
    return pd.concat(parts, names=["deployed", "beside"]).reset_index()
