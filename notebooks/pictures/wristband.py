"""Notebook 09: two exercises, who labels the windows, and units on the body."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy import stats

from course import SMALL
from pictures import dots_and_interval
from pictures.watch import show_windows


def show_exercises(signals: Mapping, labels, person):
    """Two exercises of one person, and the first of them of two others."""
    colours = {
        "acc": ("#08306b", "#35a0f0", "0.7"),
        "gyro": ("#7f2704", "#f08020", "0.7"),
    }
    shown = {(8, 3): "internal rotation", (8, 4): "external rotation"}
    shown |= dict.fromkeys(((1, 3), (3, 3)), "internal rotation")
    rows = {
        f"person {who}: {name}": np.flatnonzero((person == who) & (labels == exercise))[
            2
        ]
        for (who, exercise), name in shown.items()
    }
    title = "For the gyroscope, persons differ more than these two exercises"
    figure = show_windows(signals, rows, title, colours)
    for axis in figure.axes[len(rows) :]:
        axis.set(ylim=(-7.5, 7.5))
    return figure


NAMES = {"acc": "accelerometer", "gyro": "gyroscope"}
WAYS = ("labels alone", "own labels", "pair labels", "twin labels", "lent labels")
PAIRS, TWIN, OWN = "#d55e00", "#0173b2", "#4d4d4d"  # who labels, in every picture


def joined(diary: Sequence):
    """Of steps (sensor → beliefs, true labels, which windows count): beliefs and labels
    of all windows that count, on the CPU."""
    steps, labels, count = zip(*diary, strict=True)
    count = torch.cat(count)
    beliefs = {s: torch.cat([own[s] for own in steps]).cpu()[count] for s in steps[0]}
    return beliefs, torch.cat(labels)[count]


def overlap(diary: Sequence, sure: Callable) -> float:
    """Of the windows of which the gyroscope is sure and wrong, the share of which the
    other network is so, too."""
    beliefs, labels = joined(diary)
    wrong = {}
    for sensor, belief in beliefs.items():
        chosen, guess = sure(belief)
        wrong[sensor] = chosen & (guess != labels)
    both = torch.stack([*wrong.values()]).all(0)
    return float(both.sum() / wrong["gyro"].sum())


def overlaps(diaries: Mapping, sure: Callable) -> dict[str, str]:
    """The overlap of mistakes with the gyroscope's twin, and with the accelerometer."""
    ways = ("twin labels", "pair labels")
    return {way: f"{overlap(diaries[way], sure):.0%}" for way in ways}


def with_stored(answers: Mapping, score: Callable, seed: int) -> pd.DataFrame:
    """% right of these answers, and of the same ways with other seeds, stored: a row
    for each way, person and seed, a column for each sensor and their product."""
    stored = pd.read_csv("../results/watch-pairs.csv").query("way in @answers")
    tables = [stored[stored["seed"] != seed]]
    for way, own in answers.items():
        scores = {sensor: score(own[sensor]) for sensor in NAMES if sensor in own}
        if "twin" not in own:
            scores["both"] = score(own["acc"] + own["gyro"])
        table = pd.DataFrame(scores).rename_axis("person").reset_index()
        tables.append(table.assign(way=way, seed=seed))
    return pd.concat(tables)[["way", "person", *NAMES, "both", "seed"]]


def differences(table: pd.DataFrame, way: str, other: str) -> dict[str, pd.DataFrame]:
    """Sensor → points that a way lies above another: a row for each person, a column
    for each seed."""
    found = {}
    for sensor in NAMES:
        points = table.pivot(index=["person", "seed"], columns="way", values=sensor)
        found[sensor] = (points[way] - points[other]).unstack()
    return found


def interval(points: pd.DataFrame, digits: int = 0) -> str:
    """Mean and 95 % interval over persons (rows), each the mean of its seeds."""
    own = points.mean(axis=1)
    low, high = stats.ttest_1samp(own, 0).confidence_interval()
    return f"{own.mean():+.{digits}f} points [{low:+.{digits}f}, {high:+.{digits}f}]"


def compared(table: pd.DataFrame) -> str:
    """Pair labels above labels alone and above own labels, a line each."""
    lines = []
    for other in ("labels alone", "own labels"):
        gains = differences(table, "pair labels", other).items()
        each = [f"{NAMES[sensor]} {interval(own)}" for sensor, own in gains]
        lines.append(f"pairs − {other}: {', '.join(each)}")
    return "\n".join(lines)


def by_seed(table: pd.DataFrame) -> pd.DataFrame:
    """% right, a row for each way, a column for each sensor and seed."""
    means = table.groupby(["way", "seed"])[[*NAMES]].mean().unstack()
    means = means.loc[[way for way in WAYS if way in means.index]]
    means = means.sort_index(axis=1).rename(columns=NAMES, level=0)
    return means.round().astype("Int64").astype(object).fillna("")


ROWS = {"accelerometer alone": ("labels alone", "acc")}
ROWS |= {"gyroscope alone": ("labels alone", "gyro")}
ROWS |= {"gyroscope, trained with pairs": ("pair labels", "gyro")}
ROWS |= {"both, multiplied": ("labels alone", "both")}
ROWS |= {"both, trained with pairs": ("pair labels", "both")}


def decision(table: pd.DataFrame) -> pd.DataFrame:
    """% right of what one may deploy: mean, lowest and highest of the seeds, and points
    above the accelerometer alone with their interval over persons."""
    scores = table.set_index(["way", "person", "seed"])
    shown = {}
    for name, (way, sensor) in ROWS.items():
        own = scores.loc[way][sensor].unstack()
        means = own.mean().agg(["mean", "min", "max"]).round(1)
        above = own - scores.loc["labels alone"]["acc"].unstack()
        first = name == "accelerometer alone"
        shown[name] = [*means, "" if first else interval(above, digits=1)]
    columns = ["% right, mean of seeds", "lowest", "highest", "above the first row"]
    return pd.DataFrame(shown, index=columns).T


def plot_gains(gains: Mapping):
    """Sensor → points, [persons, seeds]: a dot for each person, with each seed and on
    average; a bar: mean and 95 % interval over persons."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.5), sharey=True, layout="constrained"
    )
    figure.suptitle(
        "With two seeds of three the gyroscope gains from pairs; on average it is open"
    )
    for axis, (sensor, name) in zip(axes, NAMES.items(), strict=True):
        columns = {f"seed {seed}": own for seed, own in gains[sensor].items()}
        columns["mean of\nthe seeds"] = gains[sensor].mean(axis=1)
        for place, points in enumerate(columns.values()):
            colour = PAIRS if place == len(columns) - 1 else "0.6"
            dots_and_interval(axis, place, points, colour)
            look = {"va": "center", "fontsize": 9.5, "fontweight": "bold"}
            axis.text(place + 0.33, points.mean(), f"{round(points.mean()):+d}", **look)
        axis.axhline(0, color="0.6", lw=1, ls=":")
        axis.set(xlim=(-0.4, 3.8), xticks=range(len(columns)), xticklabels=columns)
        axis.set_title(name, **SMALL)
    axes[0].set_ylabel("pair labels − labels alone,\npoints; a dot: a person")
    return figure


UNITS_WORN = {"rarm": "right arm", "larm": "left arm", "torso": "torso"}
UNITS_WORN |= {"rleg": "right leg", "lleg": "left leg"}  # from weak to strong


def stored_units() -> pd.DataFrame:
    """F1 of a deployed unit: a row for each unit beside it in training and each draw of
    labels; `better`: with labels alone, that one is the better of the two."""
    table = pd.read_csv("../results/worn-pairs.csv")
    strength = table.groupby("deployed")["alone"].mean()
    better = table["beside"].map(strength) > table["deployed"].map(strength)
    return table.assign(better=better)


def unit_means(table: pd.DataFrame) -> pd.DataFrame:
    """F1 points above own labels and above labels alone, mean of pairs and draws."""
    parts = {"with a better unit": table[table["better"]]["pair"]}
    parts |= {"with a weaker unit": table[~table["better"]]["pair"]}
    parts |= {"with any unit": table["pair"], "with its twin": table["twin"]}
    parts |= {"own labels": table["own"]}
    rows = {}
    for name, scores in parts.items():
        points = {f"above {k}": scores - table[v] for k, v in BASES.items()}
        rows[name] = {heading: own.mean() for heading, own in points.items()}
    return pd.DataFrame(rows).T.round(1)


BASES = {"own labels": "own", "labels alone": "alone"}


def plot_units(table: pd.DataFrame):
    """F1 points of a deployed unit above own labels, and above labels alone: with each
    other unit, whose name stands beside it, and with its twin; a line: lowest to
    highest of the draws of labels."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 5.6), sharey=True, layout="constrained"
    )
    means = table.groupby(["deployed", "beside"]).mean(numeric_only=True)
    above = [(means["pair"] > means[base]).sum() for base in BASES.values()]
    figure.suptitle(
        f"Of {len(means)} pairs {above[0]} beat own labels on average, "
        f"and {above[1]} labels alone"
    )
    for axis, (heading, base) in zip(axes, BASES.items(), strict=True):
        for place, unit in enumerate(UNITS_WORN):
            own = table[table["deployed"] == unit]
            parts = dict([*own.groupby("beside")])
            marks = [
                ("D", PAIRS, part["better"].all(), part["pair"], UNITS_WORN[beside])
                for beside, part in parts.items()
            ]
            first, *_ = parts.values()  # twin and own labels are the same in all
            marks.append(("s", TWIN, True, first["twin"], ""))
            if base == "alone":
                marks.append(("o", OWN, True, first["own"], ""))
            for k, (marker, colour, filled, scores, beside) in enumerate(marks):
                points, height = scores - own[base], place - 0.37 + 0.15 * k
                name = {"va": "center", "fontsize": 7.5, "color": colour}
                axis.text(points.max(), height, f"  {beside}", **name)
                span = {"color": colour, "lw": 1, "alpha": 0.5}
                axis.hlines(height, points.min(), points.max(), **span)
                look = {"color": colour if filled else "white", "edgecolor": colour}
                axis.scatter(
                    points.mean(), height, s=38, marker=marker, zorder=3, **look
                )
        axis.axvline(0, color="0.6", lw=1, ls=":")
        axis.set_title(f"above {heading}", **SMALL)
        axis.set_xlabel("F1 points; a line: lowest to highest of five draws")
    strength = table.groupby("deployed")["alone"].mean()
    names = [f"{name} ({strength[unit]:.0f})" for unit, name in UNITS_WORN.items()]
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    axes[0].set_ylabel("deployed unit (F1 with labels alone)")
    marks = {"with a better unit": ("D", PAIRS, PAIRS)}
    marks |= {"with a weaker unit": ("D", "white", PAIRS)}
    marks |= {"with its twin": ("s", TWIN, TWIN), "own labels": ("o", OWN, OWN)}
    for name, (marker, face, edge) in marks.items():
        look = {"marker": marker, "color": face, "edgecolor": edge, "s": 38}
        axes[0].scatter([], [], label=name, **look)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure
