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


def stored_scores(row: Mapping, record: str = "") -> pd.DataFrame:
    """Stored scores, a row for each seed and number of epochs; with `record`, those of
    this run (`row`) are first put into that file, at its seed and length."""
    keep(pd.DataFrame([row]), record, by=PLACE)
    stored = pd.read_csv(record or "../results/margins.csv")
    return stored.set_index(PLACE).sort_index()


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


def plot_lengths(scores: pd.DataFrame, run: Mapping):
    """How far networks of one sensor are above the student whose images stay as they
    are: a dot for each stored seed and number of epochs, a line where one seed has
    several lengths, a ring for this run."""
    plain = "student, as they are"
    margins = scores[[*TURNS]].sub(scores[plain], axis=0)
    figure, axis = plt.subplots(figsize=(9.2, 3.9), layout="constrained")
    for (name, colour), shift in zip(TURNS.items(), (0.985, 1.015), strict=True):
        for _, own in margins[name].dropna().groupby(level="seed"):
            places = shift * own.index.get_level_values("epochs")
            axis.plot(places, own, "o-", color=colour, alpha=0.75, ms=8, lw=2.5)
        ring = {"ms": 12, "mfc": "none", "mec": colour, "mew": 2}
        axis.plot(shift**3 * run["epochs"], run[name] - run[plain], "o", **ring)
        axis.plot([], [], "o", color=colour, label=name)
    axis.plot([], [], "o", ms=12, mfc="none", mec="0.4", mew=2, label="your run")
    longest = margins.groupby(level="seed").size().idxmax()
    own = margins.loc[longest, "student, turned"]
    lengths = scores.index.unique("epochs").sort_values()
    title = (
        f"Turned images give one seed {own.iloc[0]:.0f} points at {own.index[0]} epochs"
    )
    title += f", {own.iloc[-1]:.0f} at {own.index[-1]}"
    axis.axhline(0, color="0.6", lw=1, ls=":")
    axis.set(
        xscale="log", title=title, xlabel="epochs of training; a dot: a stored seed"
    )
    axis.set(xticks=lengths, xticklabels=lengths)
    axis.minorticks_off()
    axis.set(ylabel="points of accuracy above the\nstudent, images as they are")
    axis.legend(frameon=False, loc="upper right")
    return figure


def plot_leads(leads: pd.DataFrame, hidden: Mapping):
    """Points that a network of both sensors is ahead of each student (columns) in each
    kind of scene (rows); `hidden`: sensor → where its image shows no material."""
    shown, not_shown = "#0173b2", "0.6"
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.1), layout="constrained")
    for axis, (sensor, points) in zip(axes, leads.items(), strict=True):
        blind = points.index.str.contains(hidden[sensor])  # "dark and far", too
        points = pd.concat([points[~blind], points[blind]])
        colours = [shown] * sum(~blind) + [not_shown] * sum(blind)
        bars = axis.barh(points.index, points, color=colours)
        axis.bar_label(bars, fmt="%+.1f", padding=4)
        axis.axvline(0, color="0.6", lw=1, ls=":")
        axis.set(xlim=(-3, 19), title=SENSORS[sensor], xlabel="points of accuracy")
        axis.invert_yaxis()
    for colour, name in (
        (shown, "its image shows the material"),
        (not_shown, "it does not"),
    ):
        axis.barh([points.index[0]], [0], color=colour, label=name)
    title = "A network of both leads most where the student's image shows no material"
    figure.suptitle(title, fontweight="bold")
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure
