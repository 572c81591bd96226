"""What labels and unlabelled pairs are worth: curves, points and shares."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullLocator

from course import COLOURS, SENSORS, SMALL
from course_data import METHODS, ROWS, kinds
from discom import tables
from pictures import GREY, apart

TRAIN = 2000  # training scenes of the stored tables
LOOKS = {"FixMatch": "#8c3fb0"} | {
    way: COLOURS[way] for way in ROWS if way != "FixMatch"
}
# case → its table, the deployed sensor ("": mean of all), the share of labels
CASES = {
    "objects, depth, 200 labels": ("labels", "depth", 0.1),
    "objects, colour, 200 labels": ("labels", "rgb", 0.1),
    "objects, depth, every label": ("all-labels", "depth", 1.0),
    "objects, colour, every label": ("all-labels", "rgb", 1.0),
    "watch, gyroscope, 35 labels": ("watch", "gyro", 0.0435),
    "watch, accelerometer, 35 labels": ("watch", "acc", 0.0435),
    "body units, one person": ("dsads", "", 0.0233),
    "belt, accelerometer, 5 % labels": ("sisfall", "acc", 0.05),
}
AGREED = [f"agreed threshold={chosen} contrast=0" for chosen in ("0.8", "0.95")]
# column → the methods that stand for it, one in each table
COLUMNS = {
    "labels alone": ["student"],
    "own data": ["fixmatch", "fixmatch threshold=0.8", "fixmatch threshold=0.95"],
    "pairs": ["agreed", "mdico", *AGREED],
    "one network of both": ["teacher"],
}
KINDS = ("ordinary", "dark", "far away", "dark and far")
JUDGES = {"agreed label": "#d55e00", "colour": "#cc3377", "depth": "#117788"}


FILES = ("../results/labels.csv", "../results/all-labels.csv")


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
            METHODS[run.label],
            round(TRAIN * run.config["labelled"]),
        ): f1
        for run in runs
        if run.label in METHODS
        for sensor, f1 in run.main.items()
    }
    names = ["seed", "sensor", "way", "labels"]
    return pd.Series(found).rename_axis(names).unstack(names[1:]).sort_index(axis=1)


def plot_worth(scores: pd.DataFrame, worth: Mapping, best: Mapping, title: str):
    """Mean F1 over the number of labels, a panel for each sensor. An arrow leads from
    pairs and 200 labels to as many labels as do the same alone: `worth` of a sensor."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 4.2), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, (sensor, number) in zip(axes, worth.items(), strict=True):
        means = scores[sensor].mean()
        for way in ("alone", "FixMatch", "pairs and labels"):
            curve = means[way].dropna()
            axis.plot(curve, "o-", color=LOOKS[way], lw=2.2, ms=6, label=way)
        score = means["pairs and labels"][200]
        arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.5, "shrinkB": 0}
        axis.annotate("", (number, score), (200, score), arrowprops=arrow)
        axis.vlines(number, 0, score, color=GREY, lw=1, ls=":")
        axis.text(number * 1.04, 31, f"{number:.0f}\nlabels", color=GREY, fontsize=9.5)
        axis.axhline(best[sensor], color="0.6", lw=1, ls=":")
        name = {"ha": "right", "color": GREY, "fontsize": 9}
        axis.text(2000, best[sensor] + 0.8, "best possible", **name)
        numbers = sorted(means["alone"].index.union(means["pairs and labels"].index))
        axis.set_xscale("log")
        axis.set(xlabel="labels, of 2 000 scenes", ylim=(28, 92), xticks=numbers)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
    axes[0].set_ylabel("F1 on new scenes, %")
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=3, frameon=False)
    return figure


def plot_ways(scores: pd.DataFrame, live: pd.DataFrame, title: str):
    """A row for each way: F1 of each stored seed with 200 labels as dots, and the live
    run's % right as a diamond; `live`: way × sensor."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.1), sharex=True, sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    ways = [way for way in ROWS if ("depth", way, 200) in scores]
    for axis, sensor in zip(axes, ("depth", "rgb"), strict=True):
        for place, way in enumerate(ways):
            values = scores[sensor, way, 200].dropna()
            look = {"color": LOOKS[way]}
            axis.plot(
                values, np.full(len(values), place), "o", alpha=0.45, mew=0, **look
            )
            axis.vlines(values.mean(), place - 0.3, place + 0.3, lw=2.5, **look)
        for name, score in live[sensor].items():
            place = ways.index(name)
            axis.plot(score, place, "D", ms=8, mfc="white", mec="black", mew=1.6)
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
        axis.set(
            yticks=range(len(ways)), yticklabels=ways, ylim=(len(ways) - 0.4, -0.6)
        )
        axis.set_xlabel("right on new scenes, %")
    point = {"ls": "", "color": "black"}
    run = axis.plot([], [], "D", mfc="white", mew=1.6, label="this run", **point)
    seeds = axis.plot([], [], "o", alpha=0.45, label="stored seeds", **point)
    figure.legend(
        handles=seeds + run, loc="outside lower center", ncols=2, frameon=False
    )
    return figure


def plot_judges(history: pd.DataFrame, title: str):
    """How many guesses about the pool are right in training: columns kind of scene,
    step, and a share in % for each of JUDGES."""
    shown = [kind for kind in KINDS if kind in set(history["kind"])]
    figure, axes = plt.subplots(
        1, len(shown), figsize=(9.2, 3.6), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, kind in zip(axes, shown, strict=True):
        curves = history[history["kind"] == kind].set_index("step")[[*JUDGES]]
        last, ends = curves.index[-1], curves.iloc[-1].sort_values()
        for name, colour in JUDGES.items():
            axis.plot(curves[name], color=colour, lw=2.4, label=name)
        for name, height in zip(ends.index, apart(ends, 6), strict=True):
            end = f"{ends[name]:.0f}"
            axis.text(1.04 * last, height, end, color=JUDGES[name], va="center")
        axis.set(xlim=(0, 1.2 * last), ylim=(0, 100), xlabel="training step")
        axis.set_xticks([0, last])
        axis.set_title(kind, **SMALL)
    look = {"loc": "outside lower center", "ncols": 3, "frameon": False}
    figure.legend(*axes[0].get_legend_handles_labels(), **look)
    axes[0].set_ylabel("guesses right, %")
    return figure


def cases() -> pd.DataFrame:
    """Mean F1 of stored runs: a row for each of CASES, a column for each of COLUMNS."""
    found = {}
    for name, (file, sensor, labelled) in CASES.items():
        table = tables.summary(tables.load_results(f"../results/{file}.csv"), [])
        twins = table["data"].str.contains("twin|acc2")
        table = table[(table["labelled"] == labelled) & ~twins]
        own = table["modality"].str.contains(
            rf"(?:^|\+){sensor}(?:\+|$)" if sensor else ""
        )
        means = table[own].groupby("method")["f1"].mean()
        found[name] = {
            column: means[[method for method in methods if method in means]].mean()
            for column, methods in COLUMNS.items()
        }
    return pd.DataFrame.from_dict(found, orient="index")
