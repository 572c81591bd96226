"""Curves: losses and scores over epochs; scores and differences over a factor, which is a parameter
of the synthetic scenes, or a setting."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from discom.plots.look import DOTTED, legend_below, method_look, panels
from discom.tables.statistics import METRICS, metric_of

NAMES = {"valid_f1": "validation F1 × 100", "valid_miou": "validation mIoU in %"}
AXES = {"labelled": "training pairs with a label (%)", "noise": "noise of depth (1 is usual)"}

Looks = dict[tuple, dict[str, Any]]  # (method, values of other factors) → label and look


def curves(metrics: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Training loss, and validation F1 (or mean IoU) of every modality, over epochs; of several
    runs by name, or of one."""
    runs = {"": metrics} if isinstance(metrics, pd.DataFrame) else metrics
    table = pd.concat(runs, names=["run"]).reset_index("run")
    titles = {"loss": "training loss"}
    for column in table:
        score, _, modality = column.partition("/")
        if score in NAMES:
            titles[column] = f"{modality}: {NAMES[score]}"
    points = table.rename(columns=titles).melt(["run", "epoch"], list(titles.values())).dropna()
    several = "run" if len(runs) > 1 else None
    palette = [method_look(number, name)["color"] for number, name in enumerate(runs)]
    series = {"hue": several, "style": several, "palette": palette if several else None}
    panel = {"kind": "line", "height": 2.9, "aspect": 1.15, "facet_kws": {"sharey": False}}
    columns = {"col": "variable", "col_wrap": 2 if len(titles) > 3 else None}
    grid = sns.relplot(points, x="epoch", y="value", errorbar=None, **columns, **panel, **series)
    grid.set_titles("{col_name}").set_ylabels("")
    if several:
        sns.move_legend(grid, "upper center", bbox_to_anchor=(0.5, 0), ncols=5, title=None)
    return grid.figure


def gains(
    table: pd.DataFrame,
    factor: str,
    *others: str,
    against: Sequence[str],
    names: Mapping[str, str] = {},
) -> Figure:
    """Differences to each baseline over a factor, with 95 % intervals: a row for each modality, a
    column for each baseline, a curve for each method (of those in `names`, if any) and value of the
    other factors."""
    shown, series = _series(table, factor, others, names)
    sensors = shown["modality"].unique()
    size = 5.4 * len(against), 2.4 * len(sensors) + 1.2
    figure, axes = panels(len(sensors), len(against), *size, sharex=True, sharey=True)
    for axis, (sensor, baseline) in zip(axes.flat, product(sensors, against), strict=True):
        low, middle, high = (shown[f"vs {baseline}{end}"] for end in (" low", "", " high"))
        rows = shown.assign(low=low, middle=middle, high=high)
        rows = rows[(rows["modality"] == sensor) & (rows["method"] != baseline)]
        _curves(axis, rows, [factor, *others], shown[factor].unique(), series)
        axis.axhline(0, **DOTTED)
        axis.set_title(f"{sensor}, minus {names.get(baseline, baseline)}")
        axis.set_ylabel(f"{METRICS[metric_of(table)]} points")
        axis.label_outer()
    legend_below(figure, columns=2)
    return figure


def scores(table: pd.DataFrame, factor: str, *others: str, names: Mapping[str, str] = {}) -> Figure:
    """Scores over a factor, mean and 95 % interval over seeds: a panel for each modality, a curve
    for each method (of those in `names`, if any) and value of the other factors; dotted is the best
    possible score."""
    metric = metric_of(table)
    shown, series = _series(table, factor, others, names)
    values, sensors = shown[factor].unique(), shown["modality"].unique()
    mean, error = shown[metric], shown["sd"] / np.sqrt(shown["n"])
    half = error * stats.t.ppf(0.975, shown["n"] - 1)
    shown = shown.assign(low=mean - half, middle=mean, high=mean + half)
    figure, axes = panels(1, len(sensors), 4.2 * len(sensors), 4, sharey=True)
    for axis, sensor in zip(axes.flat, sensors, strict=True):
        rows = shown[shown["modality"] == sensor]
        _curves(axis, rows, [factor, *others], values, series)
        if not np.isnan(best := rows["best"].iloc[0]):
            axis.axhline(best, **DOTTED)
            axis.text(values[0], best, "best possible", va="bottom", size=8)
        axis.set_title(sensor)
    axes[0, 0].set_ylabel(f"test {METRICS[metric]} × 100")
    legend_below(figure, columns=2)
    return figure


def _series(
    table: pd.DataFrame, factor: str, others: Sequence[str], names: Mapping[str, str]
) -> tuple[pd.DataFrame, Looks]:
    """The rows of networks that read one sensor, in the order of the factors; and (method, other
    factors) → label and look. Without other factors a method has its own colour and the marker of
    its place in `names`."""
    rows = table[~table["modality"].str.contains("+", regex=False)]
    rows = rows[rows["method"].isin(names)] if names else rows
    rows = rows.sort_values([factor, *others], kind="stable")
    order = list(names) or list(rows["method"].unique())
    keys = [key for key, _ in rows.groupby(["method", *others], sort=False)]
    series: Looks = {}
    for number, key in enumerate(sorted(keys, key=lambda key: order.index(key[0]))):
        label = ", ".join([names.get(key[0], key[0]), *map("{}={:g}".format, others, key[1:])])
        look = method_look(number) if others else method_look(order.index(key[0]), key[0])
        series[key] = {"label": label, **look}
    return rows, series


def _curves(
    axis: Axes, rows: pd.DataFrame, factors: Sequence[str], values: np.ndarray, series: Looks
) -> None:
    """Draw the curves of `rows` over the first of the factors, whose values all get a tick: points
    `middle` with intervals `low` to `high`, moved a little lest one hides another."""
    factor, *others = factors
    wide = 0 < 5 * values[0] <= values[-1]  # asks for a logarithmic axis
    to, back = (np.log, np.exp) if wide else (np.asarray, np.asarray)
    step = 0.014 * (np.ptp(to(values)) or values[0])
    groups = dict(iter(rows.groupby(["method", *others], sort=False)))
    for number, key in enumerate(series):
        if key in groups:
            curve = groups[key]
            places = back(to(curve[factor]) + step * (number - (len(series) - 1) / 2))
            errors = curve["middle"] - curve["low"], curve["high"] - curve["middle"]
            axis.errorbar(places, curve["middle"], errors, capsize=2, **series[key])
    axis.set_xscale("log" if wide else "linear")
    percent = 100 if factor == "labelled" else 1
    axis.set_xticks(values, map("{:g}".format, percent * values))
    axis.minorticks_off()
    axis.set_xlabel(AXES.get(factor, factor))
