"""The paper's margins beside ours, how margins change with training, where a network of
both sensors leads."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from course import CLOUDS, SENSORS
from course_data import keep
from discom import tables

DATA = {"sunrgbd": "SUN RGB-D", "eurosat": "EuroSAT", "tristar": "TRISTAR"}
BANDS = SENSORS | {"ms": "multispectral", "sar": "radar", "thermal": "thermal"}
TURNS = {"student, turned": "0.1", "branch alone, turned": "#d55e00"}
PLACE = ["seed", "epochs"]


def columns() -> pd.DataFrame:
    """F1 in the paper's Table 2: a row for each method, a column for each sensor; the
    network of both sensors has the same score in the two columns of a data set."""
    figures = tables.paper_figures().query("table == 2")
    figures = figures.assign(data=figures["data"].str.removesuffix("-random"))
    figures = figures.pivot_table("f1", "method", ["data", "modality"])
    figures.loc["teacher"] = figures.loc["teacher"].groupby("data").transform("max")
    return figures.drop(columns="all", level=1)[[*DATA]]


def beside_stored(row: Mapping, record: str = "") -> pd.DataFrame:
    """Scores of this run and the stored ones, a row for each seed and number of epochs;
    with `record`, the run's are put into that file."""
    run = pd.DataFrame([row])
    keep(run, record, by=PLACE)
    both = pd.concat([run, pd.read_csv(record or "../results/margins.csv")])
    return both.drop_duplicates(PLACE).set_index(PLACE).sort_index()


def plot_margins(theirs: pd.Series, ours: Mapping):
    """DisCoM-KD minus student: a dot for each (data set, sensor) of the paper; ours,
    sensor → mean and half of its interval."""
    figure, axis = plt.subplots(figsize=(9.2, 3.6), layout="constrained")
    names = [f"{DATA[data]}, {BANDS[sensor]}" for data, sensor in theirs.index]
    axis.plot(theirs, range(len(names)), "o", color="0.2", ms=9)
    for place, (sensor, (mean, half)) in enumerate(ours.items(), len(names)):
        look = {"fmt": "o", "color": CLOUDS[sensor], "lw": 2.5, "ms": 9}
        axis.errorbar(mean, place, xerr=half, **look)
        names.append(f"ours, {SENSORS[sensor]}")
    axis.axvline(0, color="0.6", lw=1, ls=":")
    axis.axhline(len(theirs) - 0.5, color="0.85", lw=1)
    axis.set(yticks=range(len(names)), yticklabels=names)
    axis.set(xlabel="branch − student, points of F1; ours with 95 % intervals")
    axis.set_title("DisCoM-KD: above the student in the paper, level with it here")
    axis.invert_yaxis()
    return figure


def plot_lengths(scores: pd.DataFrame, seed: int, epochs: int):
    """How far networks of one sensor are above the student whose images stay as they
    are, a dot for each seed and number of epochs; a line joins those of one seed."""
    margins = scores[[*TURNS]].sub(scores["student, as they are"], axis=0)
    figure, axis = plt.subplots(figsize=(9.2, 3.9), layout="constrained")
    for (name, colour), shift in zip(TURNS.items(), (0.985, 1.015), strict=True):
        for _, own in margins[name].dropna().groupby(level="seed"):
            places = shift * own.index.get_level_values("epochs")
            axis.plot(places, own, "o-", color=colour, alpha=0.75, ms=8, lw=2.5)
        axis.plot([], [], "o", color=colour, label=name)
    own = margins.loc[seed, "student, turned"]
    last, lengths = own.index[-1], scores.index.unique("epochs").sort_values()
    start, end = (
        f"{own[epochs]:.0f} points at {epochs} epochs",
        f"{own[last]:.0f} at {last}",
    )
    title = f"What turns give one seed: {start}, {end}"
    axis.axhline(0, color="0.6", lw=1, ls=":")
    axis.set(xscale="log", title=title, xlabel="epochs of training; a dot: one seed")
    axis.set(xticks=lengths, xticklabels=lengths)
    axis.minorticks_off()
    axis.set(ylabel="points above the student\nwhose images stay as they are")
    axis.legend(frameon=False, loc="upper right")
    return figure


def plot_leads(leads: pd.DataFrame):
    """Points that a network of both sensors is ahead of each student (rows), by whether
    the student's image shows the material (columns)."""
    figure, axis = plt.subplots(figsize=(9.2, 2.5), layout="constrained")
    left = pd.Series(0.0, index=leads.index)
    looks = {"#0173b2": "white", "0.75": "black"}  # of a bar and of its number
    for (name, points), (colour, text) in zip(
        leads.items(), looks.items(), strict=True
    ):
        bars = axis.barh(leads.index, points, left=left, color=colour, label=name)
        look = {"label_type": "center", "fontweight": "bold", "color": text}
        axis.bar_label(bars, fmt="%.1f", **look)
        left = left + points
    axis.set(xlabel="points that a network of both sensors is ahead of the student")
    axis.set_title("Most of the lead lies where the student's image shows no material")
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
