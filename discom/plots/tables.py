"""What many runs say together: paired differences with their 95 % interval, and probe matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.plots.look import look, panels
from discom.tables.statistics import METRICS, metric_of

__all__ = ["differences", "gains", "intervals", "probe_map"]

# columns of a table that are no dials of a grid
SUMMARY = ("data", "method", "modality", "n", *METRICS, "sd", "arrow", "paper")


def differences(table: pd.DataFrame, method: str, baselines: Sequence[str]) -> Figure:
    """`intervals` of one method alone."""
    chosen = table[table["method"] == method]
    if chosen.empty:
        raise RunError(f"{method}: no run of it in this table; train one first")
    return intervals(chosen, baselines)


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
    names = list(dict.fromkeys(compared["method"]))
    parts = dict(tuple(compared.groupby(["data", "modality"], sort=False)))
    repeated = len({modality for _, modality in parts}) < len(parts)  # in several data sets
    across = min(2, len(parts))
    down = -(-len(parts) // across)
    size = (4.6 * across + 0.6, (max(0.42 * len(names), 0.8) + 1.2) * down + 0.3)
    figure, axes = panels(down, across, *size, sharey=True)
    for axis in axes.flat[len(parts) :]:
        axis.axis("off")
    for axis, ((data, modality), part) in zip(axes.flat, parts.items(), strict=False):
        rows = part.set_index("method").reindex(names)
        for number, baseline in enumerate(baselines):
            heights = np.arange(len(names)) + 0.24 * (number - (len(baselines) - 1) / 2)
            middle, lengths = _spans(rows, baseline)
            style = {"label": f"− {baseline}", "capsize": 2, **look(number)}
            axis.errorbar(middle, heights, xerr=lengths, linestyle="", **style)
        for place, mean in enumerate(rows[metric]):
            text, spot = "" if np.isnan(mean) else f"{mean:.1f}", ("axes fraction", "data")
            axis.annotate(text, (1.01, place), xycoords=spot, va="center", fontsize=8)
        seeds = " or ".join(map(str, sorted(set(part["n"]))))
        where = f"{data}, {modality}" if repeated else modality
        axis.set_title(f"{where} (n = {seeds}; mean {score} at the right)")
        axis.set(xlabel=f"difference in {score} points", yticks=range(len(names)))
        axis.set(yticklabels=names, ylim=(len(names) - 0.5, -0.5))
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
    lines: dict[str, Any] = {}
    for axis in axes.flat:
        handles, labels = axis.get_legend_handles_labels()
        lines |= dict(zip(labels, handles, strict=True))
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": 4, "frameon": False}
    figure.legend([*lines.values()], [*lines], **place)


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
    modalities = [name for name in dict.fromkeys(table["modality"]) if "+" not in name]
    size = (4.4 * len(modalities) + 0.8, 2.9 * len(baselines) + 0.4)
    figure, axes = panels(len(baselines), len(modalities), *size)
    for axis_row, baseline in zip(axes, baselines, strict=True):
        others = table[~table["method"].isin([baseline, "teacher", "dense-teacher"])]
        for axis, modality in zip(axis_row, modalities, strict=True):
            part = others[others["modality"] == modality]
            curves = part.groupby(["method", *dials[1:]], sort=False)
            for number, ((method, *value), curve) in enumerate(curves):
                label = ", ".join([method, *(f"{dials[1]} {v:g}" for v in value)])
                aside = 0.012 * number * np.ptp(table[dial])  # lest one hides another
                curve = curve.sort_values(dial)
                middle, lengths = _spans(curve, baseline)
                style = {"label": label, "capsize": 2, **look(number)}
                axis.errorbar(curve[dial] + aside, middle, yerr=lengths, **style)
            axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
            axis.set(xlabel=dial, ylabel=f"{score} points", xticks=sorted(set(table[dial])))
            axis.set_title(f"{modality}: {score} − {score} of {baseline}", fontsize=10)
    _legend(figure, axes)
    return figure


def probe_map(
    matrix: pd.DataFrame, chance: Mapping[str, Any], factors: Sequence[str] | None = None
) -> Figure:
    """A probe matrix: rows embeddings, columns factors; the number is the accuracy in % or R², the
    colour what is read beyond chance, as a share of what could be.

    Args:
        matrix: of `probing.probe_matrix`.
        chance: factor → chance level in %, 0 for R²; or modality → that, for rows that start with
            the modality's name.
        factors: which columns, all by default.
    """
    scores = matrix[list(matrix if factors is None else factors)]
    levels = {row: chance.get(row.split()[0], chance) for row in scores.index}
    base = pd.DataFrame.from_dict(levels, orient="index")[list(scores)]
    beyond = ((scores - base) / (99.0 * (base > 0) + 1 - base)).clip(0, 1)
    text = scores.map("{:.2f}".format).where(base == 0, scores.map("{:.0f}".format))
    figure, ((axis,),) = panels(1, 1, 0.52 * scores.shape[1] + 2.6, 0.36 * len(scores) + 1.6)
    bar = {"cmap": "Greys", "vmin": 0, "vmax": 1, "cbar_kws": {"label": "read beyond chance"}}
    sns.heatmap(
        beyond, ax=axis, annot=text, fmt="", linewidths=0.5, annot_kws={"fontsize": 8}, **bar
    )
    shown = {name: "–".join(f"{level:.0f}" for level in base[name].unique()) for name in base}
    names = [f"{name}\n({level})" if level != "0" else name for name, level in shown.items()]
    axis.set_xticklabels(names, rotation=40, ha="right", fontsize=8)
    axis.tick_params(axis="y", rotation=0)
    axis.set(xlabel="factor (chance in %; no number: R²)", ylabel="")
    return figure
