"""Notebook 09: two exercises, who labels the windows, and units on the body."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
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
PAIRS, TWIN = "#d55e00", "#0173b2"  # who labels, in every picture


def joined(diary: Sequence):
    """Of steps (sensor → beliefs, true labels, which windows count): beliefs and labels
    of all windows that count, on the CPU."""
    steps, labels, count = zip(*diary, strict=True)
    count = torch.cat(count)
    beliefs = {s: torch.cat([own[s] for own in steps]).cpu()[count] for s in steps[0]}
    return beliefs, torch.cat(labels)[count]


def overlap(first, other, labels, sure: Callable) -> tuple[float, float]:
    """Of the windows of which the first network is sure and wrong, the share of which
    the other is sure of the same wrong exercise; and the share that is left if the
    other's beliefs are shuffled among the windows of each exercise."""
    chosen, guess = sure(first)
    also, other_guess = sure(other)
    wrong = chosen & (guess != labels)
    same = also & (guess == other_guess)
    votes = F.one_hot(other_guess, other.shape[1]).float() * also[:, None]
    exercises = range(other.shape[1])
    rates = torch.stack([votes[labels == exercise].mean(0) for exercise in exercises])
    chance = rates[labels[wrong], guess[wrong]]
    return same[wrong].float().mean().item(), chance.mean().item()


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


def interval(points: pd.DataFrame) -> str:
    """Mean and 95 % interval over persons (rows), each the mean of its seeds."""
    own = points.mean(axis=1)
    low, high = stats.ttest_1samp(own, 0).confidence_interval()
    return f"{own.mean():+.1f} points [{low:+.1f}, {high:+.1f}]"


def compared(table: pd.DataFrame, way: str, other: str) -> str:
    """Points that a way lies above another, for each sensor."""
    gains = differences(table, way, other).items()
    each = [f"{NAMES[sensor]} {interval(own)}" for sensor, own in gains]
    return f"{way} − {other}: {', '.join(each)}"


def by_person(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the seeds, a column for each person: how much better the accelerometer
    alone is than the gyroscope alone, in this order, and the gyroscope's gain."""
    alone = table[table["way"] == "labels alone"].groupby("person")[[*NAMES]].mean()
    gain = differences(table, "pair labels", "labels alone")["gyro"].mean(axis=1)
    rows = {"alone: accelerometer − gyroscope": alone["acc"] - alone["gyro"]}
    rows["gyroscope: pair labels − labels alone"] = gain
    ordered = pd.DataFrame(rows).sort_values(next(iter(rows)), ascending=False)
    return ordered.round().astype(int).T


def by_seed(table: pd.DataFrame) -> pd.DataFrame:
    """% right, a row for each way, a column for each sensor and seed."""
    means = table.groupby(["way", "seed"])[[*NAMES]].mean().unstack()
    means = means.loc[[way for way in WAYS if way in means.index]]
    means = means.sort_index(axis=1).rename(columns=NAMES, level=0)
    return means.round(1).astype(object).where(means.notna(), "–")


# what one may deploy: how it trained, its sensor, and what it is compared with
ROWS = {
    "accelerometer alone": ("labels alone", "acc", ()),
    "gyroscope alone": ("labels alone", "gyro", ("acc",)),
    "gyroscope, pair labels": ("pair labels", "gyro", ("acc", "gyro")),
    "gyroscope, lent labels": ("lent labels", "gyro", ("acc", "gyro")),
    "both alone, multiplied": ("labels alone", "both", ("acc",)),
    "both with pair labels, multiplied": ("pair labels", "both", ("acc",)),
}


def decision(table: pd.DataFrame) -> pd.DataFrame:
    """% right of what one may deploy: mean, lowest and highest of the seeds, and points
    above one sensor alone with their interval over persons."""
    scores = table.set_index(["way", "person", "seed"])
    shown = {}
    for name, (way, sensor, others) in ROWS.items():
        own = scores.loc[way][sensor].unstack()
        row = dict(own.mean().agg(["mean", "min", "max"]).round(1))
        for other, title in NAMES.items():
            above = own - scores.loc["labels alone"][other].unstack()
            row[f"above the {title} alone"] = interval(above) if other in others else ""
        shown[name] = row
    columns = {"mean": "% right, mean of seeds", "min": "lowest", "max": "highest"}
    return pd.DataFrame(shown).T.rename(columns=columns)


def plot_gains(gains: Mapping):
    """Sensor → points, [persons, seeds]: a dot for each person, with each seed and on
    average; a bar: mean and 95 % interval over persons."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.5), sharey=True, layout="constrained"
    )
    persons = gains["gyro"].mean(axis=1)
    figure.suptitle(
        f"With pairs the gyroscope gains in {(persons > 0).sum()} of {len(persons)} "
        f"persons and loses in {(persons < 0).sum()}"
    )
    for axis, (sensor, name) in zip(axes, NAMES.items(), strict=True):
        columns = {f"seed {seed}": own for seed, own in gains[sensor].items()}
        columns["mean of\nthe seeds"] = gains[sensor].mean(axis=1)
        for place, points in enumerate(columns.values()):
            colour = PAIRS if place == len(columns) - 1 else "0.6"
            dots_and_interval(axis, place, points, colour)
            look = {"va": "center", "fontsize": 10, "fontweight": "bold"}
            axis.text(place + 0.33, points.mean(), f"{points.mean():+.1f}", **look)
        axis.axhline(0, color="0.6", lw=1, ls=":")
        axis.set(xlim=(-0.4, 4), xticks=range(len(columns)), xticklabels=columns)
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
    """F1 points of a deployed unit above labels alone, beside each other unit and
    beside its twin; a line: lowest to highest of the draws of labels."""
    points = table[["deployed", "beside", "better"]].assign(
        pair=table["pair"] - table["alone"], twin=table["twin"] - table["alone"]
    )
    pairs = points.groupby(["deployed", "beside"])["pair"]
    strength = table.groupby("deployed")["alone"].mean()
    figure, axis = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
    figure.suptitle(
        f"Of {len(pairs)} pairs {(pairs.mean() > 0).sum()} gain on average, "
        f"and {(pairs.min() > 0).sum()} with every draw of labels"
    )
    for place, unit in enumerate(UNITS_WORN):
        own = points[points["deployed"] == unit]
        marks = [
            ("D", PAIRS, part["better"].all(), part["pair"])
            for _, part in own.groupby("beside")
        ]
        first = own[own["beside"] == own["beside"].iloc[0]]  # a twin is the same in all
        marks.append(("s", TWIN, True, first["twin"]))
        for k, (marker, colour, filled, gains) in enumerate(marks):
            height = place - 0.32 + 0.16 * k
            span = {"color": colour, "lw": 1.5, "alpha": 0.5}
            axis.hlines(height, gains.min(), gains.max(), **span)
            look = {"color": colour if filled else "white", "edgecolor": colour}
            axis.scatter(gains.mean(), height, s=42, marker=marker, zorder=3, **look)
    axis.axvline(0, color="0.6", lw=1, ls=":")
    axis.set_xlabel(
        "F1 points above labels alone; a line: lowest to highest draw of labels"
    )
    names = [f"{name} ({strength[unit]:.0f})" for unit, name in UNITS_WORN.items()]
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_ylabel("deployed unit (F1 with labels alone)")
    marks = {"with a better unit": ("D", PAIRS, PAIRS)}
    marks |= {"with a weaker unit": ("D", "white", PAIRS)}
    marks |= {"with its twin": ("s", TWIN, TWIN)}
    for name, (marker, face, edge) in marks.items():
        look = {"marker": marker, "color": face, "edgecolor": edge, "s": 42}
        axis.scatter([], [], label=name, **look)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
