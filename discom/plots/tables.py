"""What many runs say together: paired differences with their 95 % interval, and probe matrices."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.plots.look import look, panels
from discom.tables.statistics import METRICS, metric_of

__all__ = ["gains", "intervals", "probe_map"]

# columns of a table that are no dials of a grid
SUMMARY = ("data", "method", "modality", "n", *METRICS, "sd", "arrow", "paper")


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline, a panel for each modality (and data set); the
    mean score stands at the right.

    Raises:
        RunError: no method shares a seed with a baseline.
    """
    metric, score = metric_of(table), METRICS[metric_of(table)]
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    if compared.empty:
        raise RunError("intervals: no method shares a seed with a baseline; train the baselines")
    names = compared["method"].unique()
    places = np.arange(len(names))
    keys = ["data", "modality"] if compared["data"].nunique() > 1 else ["modality"]
    parts = list(compared.groupby(keys, sort=False))
    across = min(2, len(parts))
    down = -(-len(parts) // across)
    size = (4.6 * across + 0.6, (max(0.42 * len(names), 0.8) + 1.2) * down + 0.3)
    figure, axes = panels(down, across, *size, sharey=True)
    for axis in axes.flat[len(parts) :]:
        axis.axis("off")
    for axis, (where, part) in zip(axes.flat, parts, strict=False):
        rows = part.set_index("method").reindex(names)
        for number, baseline in enumerate(baselines):
            heights = places + 0.24 * (number - (len(baselines) - 1) / 2)
            middle, spans = _spans(rows, baseline)
            style = {"label": f"− {baseline}", "linestyle": "", "capsize": 2, **look(number)}
            axis.errorbar(middle, heights, xerr=spans, **style)
        for place, mean in enumerate(rows[metric]):
            text = "" if np.isnan(mean) else f"{mean:.1f}"
            axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", size=8)
        seeds = " or ".join(map(str, sorted(set(part["n"]))))
        axis.set_title(f"{', '.join(where)} (n = {seeds}; mean {score} at the right)")
        axis.set(xlabel=f"difference in {score} points", yticks=places, yticklabels=names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        axis.grid(axis="y", linewidth=0.4)
    _legend(figure, axes)
    return figure


def _spans(rows: pd.DataFrame, baseline: str) -> tuple[np.ndarray, np.ndarray]:
    """Differences to a baseline [N], and how far their intervals reach down and up [2, N]."""
    columns = [f"vs {baseline}{end}" for end in ("", " low", " high")]
    middle, low, high = rows[columns].to_numpy(float).T
    return middle, np.stack([middle - low, high - middle])


def _legend(figure: Figure, axes: np.ndarray) -> None:
    """Every label once, below the panels."""
    pairs = [zip(*axis.get_legend_handles_labels(), strict=True) for axis in axes.flat]
    lines = {label: handle for pair in pairs for handle, label in pair}
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=4, frameon=False)


def gains(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences over the first dial of a grid (`tables.by_dials`): a curve for each method and
    value of a second dial, a panel for each modality and baseline.

    Raises:
        RunError: no dial was turned, or more than two.
    """
    dials = [name for name in table if not name.startswith("vs ") and name not in SUMMARY]
    if len(dials) not in (1, 2):
        raise RunError(f"gains: {len(dials)} dials {dials}; turn one or two, fix the others")
    score, dial = METRICS[metric_of(table)], dials[0]
    modalities = [name for name in table["modality"].unique() if "+" not in name]
    size = (4.4 * len(modalities) + 0.8, 2.9 * len(baselines) + 0.4)
    figure, axes = panels(len(baselines), len(modalities), *size)
    for axis, (baseline, modality) in zip(axes.flat, product(baselines, modalities), strict=True):
        others = ~table["method"].isin([baseline, "teacher", "dense-teacher"])
        part = table[others & (table["modality"] == modality)].sort_values(dial, kind="stable")
        curves = part.groupby(["method", *dials[1:]], sort=False)
        for number, ((method, *value), curve) in enumerate(curves):
            label = ", ".join([method, *(f"{dials[1]} {v:g}" for v in value)])
            aside = 0.012 * number * np.ptp(table[dial])  # lest one hides another
            middle, spans = _spans(curve, baseline)
            axis.errorbar(
                curve[dial] + aside, middle, yerr=spans, label=label, capsize=2, **look(number)
            )
        axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set(xlabel=dial, ylabel=f"{score} points", xticks=table[dial].unique())
        axis.set_title(f"{modality}: {score} − {score} of {baseline}", fontsize=10)
    _legend(figure, axes)
    return figure


def probe_map(matrix: pd.DataFrame, chance: Mapping[str, Any]) -> Figure:
    """A probe matrix: rows embeddings, columns factors; the number is the accuracy in % or R², the
    colour what is read beyond chance, as a share of what could be.

    Args:
        matrix: of `probing.probe_matrix`.
        chance: factor → chance level in %, 0 for R²; or modality → that, for rows that start with
            the modality's name.
    """
    levels = {row: chance.get(row.split()[0], chance) for row in matrix.index}
    base = pd.DataFrame.from_dict(levels, orient="index")[list(matrix)]
    beyond = ((matrix - base) / (99.0 * (base > 0) + 1 - base)).clip(0, 1)
    text = matrix.map("{:.2f}".format).where(base == 0, matrix.map("{:.0f}".format))
    figure, ((axis,),) = panels(1, 1, 0.52 * matrix.shape[1] + 2.6, 0.36 * len(matrix) + 1.6)
    style = {"cmap": "Greys", "linewidths": 0.5, "annot_kws": {"fontsize": 8}}
    bar = {"vmin": 0, "vmax": 1, "cbar_kws": {"label": "read beyond chance"}}
    sns.heatmap(beyond, ax=axis, annot=text, fmt="", **style, **bar)
    shown = {name: "–".join(f"{level:.0f}" for level in base[name].unique()) for name in base}
    names = [f"{name}\n({level})" if level != "0" else name for name, level in shown.items()]
    axis.set_xticklabels(names, rotation=40, ha="right", fontsize=8)
    axis.tick_params(axis="y", rotation=0)
    axis.set(xlabel="factor (chance in %; no number: R²)", ylabel="")
    return figure
