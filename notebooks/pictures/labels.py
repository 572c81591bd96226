"""What labels and unlabelled pairs are worth: curves, points and shares."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.ticker import FuncFormatter, NullLocator

from course import COLOURS, SENSORS, SMALL, draw
from course_data import WAYS, kinds
from discom import tables
from pictures import GREY

TRAIN = 2000  # training scenes of the stored tables
RECIPE = "contrast + pair labels"
LOOKS = {"alone": COLOURS["alone"], "own labels": "#8c3fb0", "pair labels": "#a6761d"}
LOOKS |= {"contrast": COLOURS["pairs"], RECIPE: COLOURS["pairs and labels"]}
FILES = tuple(
    f"../results/{name}.csv" for name in ("labels", "labels-more", "all-labels")
)
CONTROLS = "../results/labels-controls.csv"
VERDICTS = {
    "gains": COLOURS["pairs and labels"],
    "open": "#b0b0b0",
    "no gain": "#4d4d4d",
}
LITTLE = 2  # points; a smaller gain is none


def kind_names(part: SimpleNamespace) -> np.ndarray:
    """The kind of each scene, also "dark and far"."""
    names = np.full(len(part.labels), "dark and far", dtype=object)
    for kind, rows in kinds(part).items():
        names[rows] = kind
    return names


def stored_scores(*files: str) -> pd.DataFrame:
    """F1 of stored runs: a row for each seed, a column for each sensor, way and number
    of labels."""
    runs = [run for file in files or FILES for run in tables.load_results(file)]
    found = {
        (
            run.seed,
            sensor,
            WAYS[run.display_name],
            round(TRAIN * run.config["labelled"]),
        ): f1
        for run in runs
        if run.display_name in WAYS
        for sensor, f1 in run.main.items()
    }
    names = ["seed", "sensor", "way", "labels"]
    return pd.Series(found).rename_axis(names).unstack(names[1:]).sort_index(axis=1)


def own_contrast() -> float:
    """Mean F1 of own labels beside a contrast of own images: colour, 200 labels, at
    settings chosen for colour. It was run with no other number of labels."""
    runs = tables.load_results(CONTROLS)
    method = "fixmatch-simclr contrast=0.3"
    return np.mean([run.main["rgb"] for run in runs if run.display_name == method])


def plot_worth(scores: pd.DataFrame, best: Mapping, worth=None):
    """Mean F1 over the number of labels, a panel for each sensor. With `worth`, sensor
    → labels and their bounds (labels, low, high), an arrow leads from the
    recipe's mean to as many labels without pairs, a band shows the bounds, and a star
    `own_contrast`."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 4.2), sharey=True, layout="constrained"
    )
    means = scores.mean()
    few = means.xs(200, level="labels")
    title = "Own labels beside 200 labels: {:+.0f} points in depth, {:+.0f} in colour"
    gains = [
        few[sensor, "own labels"] - few[sensor, "alone"] for sensor in ("depth", "rgb")
    ]
    title = title.format(*gains)
    if worth:
        title = "200 labels and pairs score as {:.0f} labels in depth, {:.0f} in colour"
        title = title.format(worth["depth"][0], worth["rgb"][0])
    figure.suptitle(title)
    for axis, sensor in zip(axes, ("depth", "rgb"), strict=True):
        means = scores[sensor].mean()
        look = {"lw": 2.2, "ms": 6}
        curve, few = means["alone"].dropna().loc[200:], means[RECIPE][200]
        axis.plot(curve, "o-", color=LOOKS["alone"], label="labels alone", **look)
        own = means["own labels"].dropna().loc[200:]
        name = "labels and own labels (FixMatch)"
        axis.plot(own, "s--", color=LOOKS["own labels"], label=name, **look)
        axis.set_xscale("log")
        if worth:
            number, low, high = worth[sensor]
            name = "200 labels + 1 800 pairs"
            axis.plot(200, few, "o", color=LOOKS[RECIPE], label=name, **look)
            axis.axvspan(low, high, color=LOOKS[RECIPE], alpha=0.2, lw=0)
            arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.5, "shrinkB": 0}
            axis.annotate("", (number, few), (200, few), arrowprops=arrow)
            axis.vlines(number, 0, few, color=GREY, lw=1, ls=":")
            name = f"{number:.0f} labels\n95 %: {low:.0f} to {high:.0f}"
            side = {"ha": "right", "color": GREY, "fontsize": 9.5}
            axis.text(low * 0.97, 40, name, **side)
        if worth and sensor == "rgb":
            look = {"color": LOOKS["own labels"], "ms": 12, "ls": ""}
            axis.plot(
                200, own_contrast(), "*", label="own labels + own contrast", **look
            )
        axis.axhline(best[sensor], color="0.6", lw=1, ls=":")
        name = {"ha": "right", "color": GREY, "fontsize": 9}
        axis.text(2000, best[sensor] + 0.8, "best possible", **name)
        axis.set(xlabel="labels, of 2 000 scenes", ylim=(38, 92), xticks=curve.index)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
    axes[0].set_ylabel("F1 on new scenes × 100")
    names = axes[1].get_legend_handles_labels()
    columns = 2 if worth else 3
    figure.legend(*names, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def plot_ways(scores: pd.DataFrame, live: pd.DataFrame):
    """A row for each way in `live`, way × sensor: F1 of the stored seeds with 200
    labels as dots, their mean as a line, and the live run's as a diamond below."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.8), sharex=True, sharey=True, layout="constrained"
    )
    few = scores.mean().xs(200, level="labels").unstack()
    better = few[["contrast", "pair labels"]].max(axis=1)
    gain = (few[RECIPE] - better)[["depth", "rgb"]]
    title = (
        "Both parts: {:+.0f} points in depth, {:+.0f} in colour above the better one"
    )
    figure.suptitle(title.format(*gain))
    for axis, sensor in zip(axes, ("depth", "rgb"), strict=True):
        for place, way in enumerate(live.index):
            values = scores[sensor, way, 200].dropna()
            look = {"color": LOOKS[way]}
            heights = np.full(len(values), place)
            axis.plot(values, heights, "o", alpha=0.45, mew=0, **look)
            axis.vlines(values.mean(), place - 0.3, place + 0.3, lw=2.5, **look)
            score = live.loc[way, sensor]
            axis.plot(score, place + 0.36, "D", ms=6, mfc="white", mec="black", mew=1.6)
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
        axis.set(yticks=range(len(live)), yticklabels=live.index)
        axis.set(ylim=(len(live) - 0.3, -0.6), xlabel="F1 on new scenes × 100")
    point = {"ls": "", "color": "black"}
    name = "diamond: the run of this page, one seed"
    run = axis.plot([], [], "D", mfc="white", mew=1.6, label=name, **point)
    name = "dots: ten stored seeds; line: their mean"
    seeds = axis.plot([], [], "o", alpha=0.45, label=name, **point)
    look = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(handles=seeds + run, **look)
    return figure


def show_views(images: Mapping, weak, strong, rows: list[int]):
    """Scenes as they are, in a weak view and in a strong one, of both sensors."""
    figure, axes = plt.subplots(
        2, 3 * len(rows), figsize=(9.2, 2.6), layout="constrained"
    )
    figure.suptitle("A weak view is judged; a strong view has to get the same answer")
    columns = axes.T.reshape(len(rows), 3, 2)  # scene, view, sensor
    for k, sensor in enumerate(SENSORS):
        own = images[sensor][torch.tensor(rows)]
        views = {"scene": own, "weak view": weak(own), "strong view": strong(own)}
        for place, (name, view) in enumerate(views.items()):
            for scene in range(len(rows)):
                axis = columns[scene, place, k]
                draw(axis, view[scene].clamp(0, 1))
                axis.set_title(name if k == 0 else "", **SMALL)
        axes[k, 0].set_ylabel(SENSORS[sensor])
    return figure


def outcome(row: pd.Series) -> str:
    """What a row of the advice says; losses stand apart from gains that are small."""
    if row["verdict"] == "no gain":
        return "loses" if row["high"] < 0 else "less than two points"
    return {"gains": "gains two points or more", "open": "not decided"}[row["verdict"]]


def plot_advice(table: pd.DataFrame):
    """Gains of one deployed sensor with their 95 % intervals, a block for each
    situation, in the colour of the verdict; rows without numbers are left out."""
    shown = table.dropna(subset="mean").reset_index(drop=True)
    first = shown["situation"].ne(shown["situation"].shift())  # of a situation
    places = shown.index + 1.2 * first.cumsum()
    figure, axis = plt.subplots(
        figsize=(9.2, 0.34 * places.max() + 1), layout="constrained"
    )
    outcomes = shown.apply(outcome, axis=1)
    looks = {
        "gains two points or more": ("o", VERDICTS["gains"]),
        "less than two points": ("o", VERDICTS["no gain"]),
        "loses": ("<", VERDICTS["no gain"]),
        "not decided": ("o", VERDICTS["open"]),
    }
    for name, (marker, colour) in looks.items():
        rows = outcomes == name
        means = shown.loc[rows, "mean"]
        errors = [means - shown.loc[rows, "low"], shown.loc[rows, "high"] - means]
        look = {"fmt": marker, "color": colour, "ms": 7, "lw": 2.2, "label": name}
        axis.errorbar(means, places[rows], xerr=errors, **look)
    for situation, rows in shown.groupby("situation", sort=False):
        height = places[rows.index[0]] - 0.8
        axis.text(-7.6, height, situation, fontweight="bold", fontsize=10, va="center")
    axis.axvline(0, color="0.6", lw=1)
    axis.axvline(LITTLE, color="0.6", lw=1, ls="--")
    axis.text(LITTLE + 0.2, places.max() + 0.55, "two points", color=GREY, fontsize=10)
    axis.set(yticks=places, yticklabels=shown["data"], xlim=(-7.8, 20))
    axis.set(ylim=(places.max() + 0.9, places.min() - 1.5))
    axis.set_xlabel(
        "points above the strongest network that never saw the other sensor"
    )
    few = shown[shown["situation"].str.contains("few labels of all|one person")]
    drawn = few["data"].str.startswith("scenes")
    counts = []
    for rows in (few[drawn], few[~drawn]):
        counts += [(rows["verdict"] == "gains").sum(), len(rows)]
    title = "Few labels: {} of {} rows of scenes gain, {} of {} of real sensors"
    axis.set_title(title.format(*counts))
    axis.legend(frameon=False, loc="lower right")
    return figure
