"""What labels and unlabelled pairs are worth: curves, points and shares."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullLocator

from course import COLOURS, SENSORS, SMALL
from course_data import WAYS, kinds
from discom import tables
from pictures import GREY, apart

TRAIN = 2000  # training scenes of the stored tables
RECIPE = "contrast + pair labels"
LOOKS = {"alone": COLOURS["alone"], "own labels": "#8c3fb0", "pair labels": "#a6761d"}
LOOKS |= {"contrast": COLOURS["pairs"], RECIPE: COLOURS["pairs and labels"]}
# labels, case → its table, the deployed sensor ("": mean of all), the share of labels
CASES = {
    ("every", "objects, depth"): ("all-labels", "depth", 1.0),
    ("every", "objects, colour"): ("all-labels", "rgb", 1.0),
    ("few", "objects, depth"): ("labels", "depth", 0.1),
    ("few", "objects, colour"): ("labels", "rgb", 0.1),
    ("few", "watch, gyroscope"): ("watch", "gyro", 0.0435),
    ("few", "watch, accelerometer"): ("watch", "acc", 0.0435),
    ("few", "belt, accelerometer"): ("sisfall", "acc", 0.05),
    ("one person", "body, mean of units"): ("dsads", "", 0.0233),
}
AGREED = [f"agreed threshold={chosen} contrast=0" for chosen in ("0.8", "0.95")]
# column → the methods that stand for it, one in each table
COLUMNS = {
    "labels alone": ["student"],
    "own labels": ["fixmatch", "fixmatch threshold=0.8", "fixmatch threshold=0.95"],
    "pairs": ["agreed", "mdico", *AGREED],
    "both in use": ["teacher"],
}
KINDS = ("ordinary", "dark", "far away", "dark and far")
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
            WAYS[run.label],
            round(TRAIN * run.config["labelled"]),
        ): f1
        for run in runs
        if run.label in WAYS
        for sensor, f1 in run.main.items()
    }
    names = ["seed", "sensor", "way", "labels"]
    return pd.Series(found).rename_axis(names).unstack(names[1:]).sort_index(axis=1)


def plot_worth(scores: pd.DataFrame, best: Mapping, title: str, worth=None):
    """F1 over the number of labels, a panel for each sensor; thin: each seed. With
    `worth`, sensor → labels, an arrow leads from the recipe's mean to as many alone."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 4.2), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, sensor in zip(axes, ("depth", "rgb"), strict=True):
        means = scores[sensor].mean()
        look = {"lw": 2.2, "ms": 6}
        curve, few = means["alone"].dropna(), means[RECIPE][200]
        axis.plot(curve, "o-", color=LOOKS["alone"], label="labels alone", **look)
        for _, seed in scores[sensor]["alone"].dropna(axis=1).iterrows():
            axis.plot(seed, color=LOOKS["alone"], lw=0.7, alpha=0.35)
        axis.set_xscale("log")
        if worth:
            number, name = worth[sensor], "200 labels + 1 800 pairs"
            axis.plot(200, few, "o", color=LOOKS[RECIPE], label=name, **look)
            arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.5, "shrinkB": 0}
            axis.annotate("", (number, few), (200, few), arrowprops=arrow)
            axis.vlines(number, 0, few, color=GREY, lw=1, ls=":")
            name = f"{number:.0f}\nlabels"
            axis.text(number * 1.04, 41, name, color=GREY, fontsize=9.5)
        axis.axhline(best[sensor], color="0.6", lw=1, ls=":")
        name = {"ha": "right", "color": GREY, "fontsize": 9}
        axis.text(2000, best[sensor] + 0.8, "best possible", **name)
        axis.set(xlabel="labels, of 2 000 scenes", ylim=(38, 92), xticks=curve.index)
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
    axes[0].set_ylabel("F1 on new scenes × 100")
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=2, frameon=False)
    return figure


def plot_ways(scores: pd.DataFrame, live: pd.DataFrame, title: str):
    """A row for each way in `live`, way × sensor: F1 of the stored seeds with 200
    labels as dots, their mean as a line, and the live run's as a diamond."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.3), sharex=True, sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, sensor in zip(axes, ("depth", "rgb"), strict=True):
        for place, way in enumerate(live.index):
            values = scores[sensor, way, 200].dropna()
            look = {"color": LOOKS[way]}
            heights = np.full(len(values), place)
            axis.plot(values, heights, "o", alpha=0.45, mew=0, **look)
            axis.vlines(values.mean(), place - 0.3, place + 0.3, lw=2.5, **look)
            score = live.loc[way, sensor]
            axis.plot(score, place, "D", ms=7, mfc="white", mec="black", mew=1.6)
        axis.set_title(f"{SENSORS[sensor]} deployed", **SMALL)
        axis.set(yticks=range(len(live)), yticklabels=live.index)
        axis.set(ylim=(len(live) - 0.4, -0.6), xlabel="F1 on new scenes × 100")
    point = {"ls": "", "color": "black"}
    run = axis.plot([], [], "D", mfc="white", mew=1.6, label="this run", **point)
    name = "ten stored seeds, line: their mean"
    seeds = axis.plot([], [], "o", alpha=0.45, label=name, **point)
    look = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(handles=seeds + run, **look)
    return figure


def plot_judges(history: pd.DataFrame, title: str):
    """Pair labels that are right while training, means of 50 steps: columns way, kind
    of scene, step, and `right` in %, a row for each label."""
    history = history.assign(step=(history["step"] + 49) // 50 * 50)
    history = history.groupby(["way", "kind", "step"])["right"].mean().reset_index()
    shown = [kind for kind in KINDS if kind in set(history["kind"])]
    figure, axes = plt.subplots(
        1, len(shown), figsize=(9.2, 3.4), sharey=True, layout="constrained"
    )
    figure.suptitle(title)
    for axis, kind in zip(axes, shown, strict=True):
        rows = history[history["kind"] == kind]
        curves = rows.pivot(index="step", columns="way", values="right")
        last, ends = curves.index[-1], curves.iloc[-1].sort_values()
        for way, curve in curves.items():
            axis.plot(curve, color=LOOKS[way], lw=2.4, label=way)
        for way, height in zip(ends.index, apart(ends, 6), strict=True):
            end = {"color": LOOKS[way], "va": "center"}
            axis.text(1.04 * last, height, f"{ends[way]:.0f}", **end)
        axis.set(xlim=(0, 1.25 * last), ylim=(0, 100), xlabel="training step")
        axis.set_xticks([0, last])
        axis.set_title(kind, **SMALL)
    look = {"loc": "outside lower center", "ncols": 3, "frameon": False}
    figure.legend(*axes[0].get_legend_handles_labels(), **look)
    axes[0].set_ylabel("pair labels right, %")
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
    table = pd.DataFrame.from_dict(found, orient="index")
    return table.rename_axis(["labels", "case"])
