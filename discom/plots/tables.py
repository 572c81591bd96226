"""What runs say: curves over a setting; paired differences with 95 % intervals."""

from collections.abc import Mapping, Sequence
from itertools import product
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from discom.errors import RunError
from discom.plots.look import DOTTED, legend_below, method_look, panels
from discom.tables.statistics import METRICS, metric_of

AXES = {"labelled": "training pairs with a label (%)"}


def gains(
    table: pd.DataFrame, factor: str, against: Sequence[str], names: Mapping[str, str] = {}
) -> Figure:
    """Differences to each baseline over a factor, with 95 % intervals: a row for each modality, a
    column for each baseline, a curve for each method (of those in `names`, if any)."""
    shown, series = _series(table, factor, names)
    sensors = shown["modality"].unique()
    size = 5.4 * len(against), 2.4 * len(sensors) + 1.2
    figure, axes = panels(len(sensors), len(against), *size, sharex=True, sharey=True)
    for axis, (sensor, baseline) in zip(axes.flat, product(sensors, against), strict=True):
        low, middle, high = (shown[f"vs {baseline}{end}"] for end in (" low", "", " high"))
        rows = shown.assign(low=low, middle=middle, high=high).dropna(subset="middle")
        _curves(axis, rows[rows["modality"] == sensor], factor, shown[factor].unique(), series)
        axis.axhline(0, **DOTTED)
        axis.set_title(f"{sensor}, minus {names.get(baseline, baseline)}")
        axis.set_ylabel(f"{METRICS[metric_of(table)]} points")
        axis.label_outer()
    legend_below(figure, columns=2)
    return figure


def scores(table: pd.DataFrame, factor: str, names: Mapping[str, str] = {}) -> Figure:
    """Scores over a factor, mean and 95 % interval over seeds, if these do not split one set: a
    panel for each modality, a curve for each method (of those in `names`, if any); dotted is the
    best possible score."""
    metric = metric_of(table)
    shown, series = _series(table, factor, names)
    values, sensors = shown[factor].unique(), shown["modality"].unique()
    mean, error = shown[metric], shown["sd"] / np.sqrt(shown["n"])
    half = (error * stats.t.ppf(0.975, shown["n"] - 1)).where(shown["draws"] != "split")
    shown = shown.assign(low=mean - half, middle=mean, high=mean + half)
    figure, axes = panels(1, len(sensors), 4.2 * len(sensors), 4, sharey=True)
    for axis, sensor in zip(axes.flat, sensors, strict=True):
        rows = shown[shown["modality"] == sensor]
        _curves(axis, rows, factor, values, series)
        if not np.isnan(best := rows["best"].iloc[0]):
            axis.axhline(best, **DOTTED)
            axis.text(values[0], best, "best possible", va="bottom", size=8)
        axis.set_title(sensor)
    axes[0, 0].set_ylabel(f"test {METRICS[metric]} × 100")
    legend_below(figure, columns=2)
    return figure


def _series(
    table: pd.DataFrame, factor: str, names: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """The rows of networks that read one sensor, in the order of the factor; and method → label,
    its own colour, and the marker of its place in `names`."""
    rows = table[~table["modality"].str.contains("+", regex=False)]
    rows = rows[rows["method"].isin(names)] if names else rows
    rows = rows.sort_values(factor, kind="stable")
    methods = list(names or rows["method"].unique())
    looks = {name: method_look(number, name) for number, name in enumerate(methods)}
    return rows, {name: {"label": names.get(name, name), **look} for name, look in looks.items()}


def _curves(
    axis: Axes, rows: pd.DataFrame, factor: str, values: np.ndarray, series: Mapping[str, dict]
) -> None:
    """Draw the curves of `rows` over the factor, whose values all get a tick: points `middle` with
    intervals `low` to `high`, moved a little lest one hides another."""
    wide = 0 < 5 * values[0] <= values[-1]  # asks for a logarithmic axis
    to, back = (np.log, np.exp) if wide else (np.asarray, np.asarray)
    step = 0.014 * (np.ptp(to(values)) or values[0])
    for number, (method, look) in enumerate(series.items()):
        curve = rows[rows["method"] == method]
        if len(curve):
            places = back(to(curve[factor]) + step * (number - (len(series) - 1) / 2))
            errors = curve["middle"] - curve["low"], curve["high"] - curve["middle"]
            axis.errorbar(places, curve["middle"], errors, capsize=2, **look)
    axis.set_xscale("log" if wide else "linear")
    percent = 100 if factor == "labelled" else 1
    axis.set_xticks(values, map("{:g}".format, percent * values))
    axis.minorticks_off()
    axis.set_xlabel(AXES.get(factor, factor))


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline, a panel for each modality (data set, and
    setting) that several methods read, if there is one; the mean score stands at the right. A
    RunError where no method shares a seed with a baseline."""
    metric, score = metric_of(table), METRICS[metric_of(table)]
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    if compared.empty:
        found = "no method shares a seed with a baseline"
        raise RunError("intervals", found, "train the baselines")
    readers = compared.groupby("modality")["method"].transform("nunique")
    compared = compared[readers > min(1, readers.max() - 1)]
    shown = [name for name in baselines if compared[f"vs {name}"].notna().any()]
    names = compared["method"].unique()
    labels = [fill(name, 36, break_on_hyphens=False) for name in names]
    before = list(compared)[: list(compared).index("method")]  # the data, and settings
    keys = [*(n for n in before if compared[n].nunique(dropna=False) > 1), "modality"]
    parts = list(compared.groupby(keys, sort=False, dropna=False))
    across = min(2, len(parts))
    down = -(-len(parts) // across)
    letters = max(len(line) for label in labels for line in label.split("\n"))
    high = (max(0.42 * len(names), 0.8) + 1.2) * down + 0.3
    figure, axes = panels(down, across, 3.6 * across + 0.08 * letters, high, sharey=True)
    for axis in axes.flat[len(parts) :]:
        axis.axis("off")
    for axis, (where, part) in zip(axes.flat, parts, strict=False):
        rows = part.set_index("method").reindex(names)
        for number, baseline in enumerate(shown):
            places = np.arange(len(names)) + 0.24 * (number - (len(shown) - 1) / 2)
            low, middle, high = (rows[f"vs {baseline}{end}"] for end in (" low", "", " high"))
            style = method_look(baselines.index(baseline)) | {"linestyle": "", "capsize": 2}
            errors = middle - low, high - middle
            axis.errorbar(middle, places, xerr=errors, label=f"− {baseline}", **style)
        axis.text(1.01, 1.0, score, transform=axis.transAxes, va="bottom", size=8)
        for place, mean in enumerate(rows[metric]):
            text = "" if np.isnan(mean) else f"{mean:.1f}"
            axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", size=8)
        seeds = " or ".join(map(str, sorted(set(part["n"]))))
        named = zip(keys, where, strict=True)
        texts = [v if k in ("data", "modality") else f"{k}={v}" for k, v in named]
        axis.set(title=f"{', '.join(texts)} (n = {seeds})", xlabel=f"difference in {score} points")
        axis.axvline(0, **DOTTED)
        axis.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5))
        axis.tick_params(axis="y", labelsize=9)
        axis.grid(axis="y", linewidth=0.4)
    legend_below(figure, columns=4)
    return figure
