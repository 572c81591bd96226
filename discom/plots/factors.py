"""Scores and differences over a factor: a parameter of the synthetic scenes, or a setting."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from discom.plots.look import method_look, panels
from discom.tables.statistics import METRICS, metric_of

AXES = {"labelled": "training pairs with a label (%)", "noise": "noise of depth (1 is usual)"}


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
    score = METRICS[metric_of(table)]
    shown = _shown(table, factor, others, names)
    values, sensors = shown[factor].unique(), shown["modality"].unique()
    series = _series(shown, others, names)
    size = 5.4 * len(against), 2.4 * len(sensors) + 1.2
    figure, axes = panels(len(sensors), len(against), *size, sharex=True, sharey=True)
    legend = {}
    for axis, (sensor, baseline) in zip(axes.flat, product(sensors, against), strict=True):
        rows = shown[(shown["modality"] == sensor) & (shown["method"] != baseline)]
        for label, look, shift, curve in _curves(rows, others, series):
            ends = [curve[f"vs {baseline}{end}"] for end in (" low", "", " high")]
            places, errors = _aside(curve[factor], shift, values), np.diff(ends, axis=0)
            legend[label] = axis.errorbar(places, ends[1], errors, capsize=2, **look)
        _axis(axis, factor, values)
        axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set_title(f"{sensor}, minus {names.get(baseline, baseline)}")
        axis.set_ylabel(f"{score} points")
        axis.label_outer()
    below: dict[str, Any] = {"loc": "outside lower center", "ncols": 2, "frameon": False}
    figure.legend(list(legend.values()), list(legend), **below)
    return figure


def scores(table: pd.DataFrame, factor: str, *others: str, names: Mapping[str, str] = {}) -> Figure:
    """Scores over a factor, mean and 95 % interval over seeds: a panel for each modality, a curve
    for each method (of those in `names`, if any) and value of the other factors; dotted is the best
    possible score."""
    metric = metric_of(table)
    shown = _shown(table, factor, others, names)
    values, sensors = shown[factor].unique(), shown["modality"].unique()
    series = _series(shown, others, names)
    figure, axes = panels(1, len(sensors), 4.2 * len(sensors), 4, sharey=True)
    for axis, sensor in zip(axes.flat, sensors, strict=True):
        rows = shown[shown["modality"] == sensor]
        for label, look, shift, curve in _curves(rows, others, series):
            error = curve["sd"] / np.sqrt(curve["n"]) * stats.t.ppf(0.975, curve["n"] - 1)
            style = {"label": label, "capsize": 2, **look}
            axis.errorbar(_aside(curve[factor], shift, values), curve[metric], error, **style)
        if not np.isnan(best := rows["best"].iloc[0]):
            axis.axhline(best, color="black", linewidth=0.8, linestyle=":")
            axis.text(values[0], best, "best possible", va="bottom", size=8)
        _axis(axis, factor, values)
        axis.set_title(sensor)
    axes[0, 0].set_ylabel(f"test {METRICS[metric]} × 100")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _shown(
    table: pd.DataFrame, factor: str, others: Sequence[str], names: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of networks that read one sensor, in the order of the factors."""
    rows = table[~table["modality"].str.contains("+", regex=False)]
    rows = rows[rows["method"].isin(names)] if names else rows
    return rows.sort_values([factor, *others], kind="stable")


def _series(
    shown: pd.DataFrame, others: Sequence[str], names: Mapping[str, str]
) -> dict[tuple, tuple[str, Mapping[str, Any]]]:
    """(method, other factors) → label and look. Without other factors a method has its own colour
    and the marker of its place in `names`."""
    order = list(names) or list(shown["method"].unique())
    keys = [key for key, _ in shown.groupby(["method", *others], sort=False)]
    series: dict[tuple, tuple[str, Mapping[str, Any]]] = {}
    for number, key in enumerate(sorted(keys, key=lambda key: order.index(key[0]))):
        label = ", ".join([names.get(key[0], key[0]), *map("{}={:g}".format, others, key[1:])])
        look = method_look(number) if others else method_look(order.index(key[0]), key[0])
        series[key] = label, look
    return series


def _curves(
    rows: pd.DataFrame, others: Sequence[str], series: Mapping[tuple, tuple[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any], float, pd.DataFrame]]:
    """Label, look, shift from the middle and rows of the series that a panel has."""
    curves = dict(iter(rows.groupby(["method", *others], sort=False)))
    for place, (key, (label, look)) in enumerate(series.items()):
        if key in curves:
            yield label, look, place - (len(series) - 1) / 2, curves[key]


def _wide(values: np.ndarray) -> bool:
    """Whether the values of a factor, in their order, ask for a logarithmic axis."""
    return 0 < 5 * values[0] <= values[-1]


def _aside(places: pd.Series, shift: float, values: np.ndarray) -> np.ndarray:
    """The places of a curve's points, moved a little lest one interval hides another."""
    to, back = (np.log, np.exp) if _wide(values) else (np.asarray, np.asarray)
    return back(to(places) + 0.014 * shift * (np.ptp(to(values)) or values[0]))


def _axis(axis: Axes, factor: str, values: np.ndarray) -> None:
    """The axis of a factor: a tick for each of its values."""
    axis.set_xscale("log" if _wide(values) else "linear")
    percent = 100 if factor == "labelled" else 1
    axis.set_xticks(values, map("{:g}".format, percent * values))
    axis.minorticks_off()
    axis.set_xlabel(AXES.get(factor, factor))
