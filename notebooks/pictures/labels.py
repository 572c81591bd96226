"""What labels and unlabelled pairs are worth: curves, points and shares."""

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullLocator

from course import COLOURS, SENSORS, SMALL
from course_data import WAYS, kinds
from discom import tables
from pictures import GREY

TRAIN = 2000  # training scenes of the stored tables
RECIPE = "contrast + pair labels"
LOOKS = {"alone": COLOURS["alone"], "own labels": "#8c3fb0", "pair labels": "#a6761d"}
LOOKS |= {"contrast": COLOURS["pairs"], RECIPE: COLOURS["pairs and labels"]}
# from whom the labels come, case → its table, the deployed sensor ("": mean of all),
# the share of labels
CASES = {
    ("every label", "objects, depth"): ("all-labels", "depth", 1.0),
    ("every label", "objects, colour"): ("all-labels", "rgb", 1.0),
    ("at random", "objects, depth"): ("labels", "depth", 0.1),
    ("at random", "objects, colour"): ("labels", "rgb", 0.1),
    ("all persons", "watch, gyroscope"): ("watch", "gyro", 0.0435),
    ("all persons", "watch, accelerometer"): ("watch", "acc", 0.0435),
    ("all persons", "belt, accelerometer"): ("sisfall", "acc", 0.05),
    ("one person", "body, mean of units"): ("dsads", "", 0.0233),
    ("all places", "cells, brightfield"): ("cells", "brightfield", 0.05),
    ("all places", "cells, stain"): ("cells", "stain", 0.05),
    ("all places", "land cover, colour"): ("hls", "rgb", 0.05),
    ("all places", "land cover, elevation"): ("hls", "elevation", 0.05),
}
# column → the methods that stand for it, at most one in each table
COLUMNS = {
    "labels alone": ["student"],
    "own labels": ["fixmatch", "fixmatch threshold=0.8", "fixmatch threshold=0.95"],
    "contrast": ["nt-xent contrast=3"],
    "pair labels": [
        f"agreed {options}contrast=0"
        for options in ("", "threshold=0.8 ", "threshold=0.95 ")
    ],
    RECIPE: ["agreed"],
    "MDiCo": ["mdico"],
}
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
            WAYS[run.display_name],
            round(TRAIN * run.config["labelled"]),
        ): f1
        for run in runs
        if run.display_name in WAYS
        for sensor, f1 in run.main.items()
    }
    names = ["seed", "sensor", "way", "labels"]
    return pd.Series(found).rename_axis(names).unstack(names[1:]).sort_index(axis=1)


def plot_worth(scores: pd.DataFrame, best: Mapping, worth=None):
    """F1 over the number of labels, a panel for each sensor; thin: each seed. With
    `worth`, sensor → labels and their bounds (labels, low, high), an arrow leads from
    the recipe's mean to as many labels alone, and a band shows the bounds."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 4.2), sharey=True, layout="constrained"
    )
    alone = scores.mean().xs("alone", level="way").unstack()
    title = "200 more labels: {:+.0f} points in depth, {:+.0f} in colour"
    title = title.format(*(alone[400] - alone[200])[["depth", "rgb"]])
    if worth:
        title = "200 labels and 1 800 pairs: as {:.0f} labels alone in depth, {:.0f} in"
        title = f"{title} colour".format(worth["depth"][0], worth["rgb"][0])
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


def plot_ways(scores: pd.DataFrame, live: pd.DataFrame):
    """A row for each way in `live`, way × sensor: F1 of the stored seeds with 200
    labels as dots, their mean as a line, and the live run's as a diamond below."""
    figure, axes = plt.subplots(
        1, 2, figsize=(9.2, 3.6), sharex=True, sharey=True, layout="constrained"
    )
    few = scores.mean().xs(200, level="labels").unstack()
    gain = (few["pair labels"] - few["alone"])[["depth", "rgb"]]
    title = (
        "Pair labels alone: {:+.0f} in depth, {:+.0f} in colour (mean of stored seeds)"
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
    run = axis.plot([], [], "D", mfc="white", mew=1.6, label="this run", **point)
    name = "ten stored seeds, line: their mean"
    seeds = axis.plot([], [], "o", alpha=0.45, label=name, **point)
    look = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(handles=seeds + run, **look)
    return figure


@cache  # reading a table takes longer than what is asked of it
def _case(file: str, labelled: float) -> tuple[pd.DataFrame, str]:
    """Mean F1 of a stored table with this share of labels, a row for each method and
    network, twins left out; and how many labels of how many pairs these are."""
    runs = tables.load_results(f"../results/{file}.csv")
    table = tables.summary(runs, [])
    twins = table["data"].str.contains("twin|acc2")
    counts = [r.counts for r in runs if r.config["labelled"] == labelled]
    labels, pairs = (
        np.mean([own[part] for own in counts]) for part in ("labelled", "train")
    )
    labels, pairs = float(f"{labels:.3g}"), float(f"{pairs:.2g}")
    return table[
        (table["labelled"] == labelled) & ~twins
    ], f"{labels:.0f} of {pairs:.0f}"


def cases() -> pd.DataFrame:
    """Mean F1 of stored runs: a row for each of CASES, with its labels and pairs, and a
    column for each of COLUMNS."""
    found = {}
    for (whom, name), (file, sensor, labelled) in CASES.items():
        table, size = _case(file, labelled)
        own = (
            table["modality"] == sensor
            if sensor
            else ~table["modality"].str.contains(r"\+")
        )
        means = table[own].groupby("method")["f1"].mean()
        found[f"{size}, {whom}", name] = {
            column: means[[method for method in methods if method in means]].mean()
            for column, methods in COLUMNS.items()
        }
    table = pd.DataFrame.from_dict(found, orient="index")
    return table.rename_axis(["labels of pairs, from", "case"])


def both_deployed() -> pd.DataFrame:
    """Mean F1 of stored runs, a row for each set: the better sensor with its best
    method, one network of both, and two networks, trained with pairs and multiplied,
    where that was run. On the body: the mean of its pairs of units."""
    known = [method for methods in COLUMNS.values() for method in methods]
    found = {}
    for (whom, name), (file, _, labelled) in CASES.items():
        table, size = _case(file, labelled)
        fused = table[table["method"] == "teacher"]
        alone = table[table["method"].isin(known)]
        best = []
        for data, network in zip(fused["data"], fused["modality"], strict=True):
            own = alone[alone["modality"].isin(network.split("+"))]
            own = own[(own["data"] == data) | ~own["method"].str.startswith("agreed")]
            best.append(own["f1"].max())
        row = {"better sensor": np.mean(best), "one network": fused["f1"].mean()}
        found[f"{size}, {whom}", name.partition(",")[0]] = row
    table = pd.DataFrame.from_dict(found, orient="index")
    for file, name in {"watch": "watch", "cells": "cells", "hls": "land cover"}.items():
        both = pd.read_csv(f"../results/{file}-both.csv").query("labelled < 1")
        both = both[(both["method"] == "agreed") & (both["missing"] == "none")]
        table.loc[(slice(None), name), "two networks"] = both["f1"].mean()
    return table.round().astype("Int64").astype(object).fillna("–")
