"""Scores and differences over a factor: a parameter of the synthetic scenes, or a setting."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from discom.data import scenes
from discom.plots.look import look, panels
from discom.tables.statistics import METRICS, metric_of

__all__ = ["gains", "scores"]

AXES = {"labelled": "training samples with a label (%)", "noise": "noise of depth (1 is usual)"}


def gains(table: pd.DataFrame, factor: str, *others: str, against: Sequence[str]) -> Figure:
    """Differences to each baseline over a factor, with 95 % intervals: a panel for each baseline
    and modality, a curve for each method and value of the other factors."""
    score = METRICS[metric_of(table)]
    ordered = table.sort_values([factor, *others], kind="stable")
    values = ordered[factor].unique()
    to, back = (np.log, np.exp) if _wide(values) else (np.asarray, np.asarray)
    keys = ["method", *others]
    numbers = {key: n for n, (key, _) in enumerate(ordered.groupby(keys, sort=False))}
    modalities = [name for name in table["modality"].unique() if "+" not in name]
    width, height = 4.2 * len(modalities) + 2.6, 3 * len(against)
    figure, axes = panels(len(against), len(modalities), width, height)
    for axis, (baseline, modality) in zip(axes.flat, product(against, modalities), strict=True):
        rows = ordered[(ordered["modality"] == modality) & (ordered["method"] != baseline)]
        for key, curve in rows.groupby(keys, sort=False):
            (method, *fixed), number = key, numbers[key]
            label = ", ".join([method, *map("{}={:g}".format, others, fixed)])
            ends = [curve[f"vs {baseline}{end}"] for end in (" low", "", " high")]
            aside = 0.012 * number * (np.ptp(to(values)) or values[0])  # lest one hides another
            style = {"label": label, "capsize": 2, **look(number)}
            axis.errorbar(back(to(curve[factor]) + aside), ends[1], np.diff(ends, axis=0), **style)
        _axis(axis, factor, values)
        axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set(ylabel=f"{score} points", title=f"{modality}, minus {baseline}")
        if modality == modalities[-1]:
            axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def scores(table: pd.DataFrame, factor: str, *others: str, names: Mapping[str, str] = {}) -> Figure:
    """Scores over a factor, mean and 95 % interval over seeds: a panel for each modality, a curve
    for each method (of those in `names`, if any) and value of the other factors; dotted is the best
    possible score."""
    metric = metric_of(table)
    shown = table[~table["modality"].str.contains("+", regex=False)]
    shown = shown[shown["method"].isin(names)] if names else shown
    shown = shown.sort_values([factor, *others], kind="stable")
    values, sensors = shown[factor].unique(), shown["modality"].unique()
    figure, axes = panels(1, len(sensors), 4.2 * len(sensors), 4, sharey=True)
    present = shown["method"].unique()
    order = {key: n for n, key in enumerate(name for name in names or present if name in present)}
    for axis, sensor in zip(axes.flat, sensors, strict=True):
        rows = shown[shown["modality"] == sensor]
        groups = rows.groupby(["method", *others], sort=False)
        for (method, *fixed), curve in sorted(groups, key=lambda group: order[group[0][0]]):
            label = ", ".join([names.get(method, method), *map("{}={:g}".format, others, fixed)])
            error = curve["sd"] / np.sqrt(curve["n"]) * stats.t.ppf(0.975, curve["n"] - 1)
            number = order[method] if not others else len(axis.containers)
            style = {"label": label, "capsize": 2, **look(number)}
            axis.errorbar(curve[factor], curve[metric], error, **style)
        if best := scenes.best_scores(rows["data"].iloc[0].split()[0]).get(sensor):
            axis.axhline(best, color="black", linewidth=0.8, linestyle=":")
            axis.text(values[0], best, "best possible", va="bottom", size=8)
        _axis(axis, factor, values)
        axis.set_title(sensor)
    axes[0, 0].set_ylabel(f"test {METRICS[metric]} × 100")
    series = axes[0, 0].get_legend_handles_labels()
    figure.legend(*series, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _wide(values: np.ndarray) -> bool:
    """Whether the values of a factor, in their order, ask for a logarithmic axis."""
    return 0 < 5 * values[0] <= values[-1]


def _axis(axis: Axes, factor: str, values: np.ndarray) -> None:
    """The axis of a factor: a tick for each of its values."""
    axis.set_xscale("log" if _wide(values) else "linear")
    percent = 100 if factor == "labelled" else 1
    axis.set_xticks(values, map("{:g}".format, percent * values))
    axis.minorticks_off()
    axis.set_xlabel(AXES.get(factor, factor))
