"""What many runs say together."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.plots.look import COLOURS, MARKERS
from discom.tables.statistics import METRICS, metric_of

__all__ = ["differences", "gain_map", "gains", "intervals", "probe_map"]

SUMMARY = (
    "data",
    "method",
    "modality",
    "n",
    *METRICS,
    "sd",
    "arrow",
    "paper",
)  # columns of a table that are no dials


def differences(table: pd.DataFrame, method: str, baselines: Sequence[str]) -> Figure:
    """Paired differences of one method to each baseline with their 95 % interval, a panel for each
    data set."""
    chosen = table[table["method"] == method]
    sets, score = list(dict.fromkeys(chosen["data"])), METRICS[metric_of(table)]
    if not sets:
        raise RunError(
            f"{method}: no run of it in this table, so nothing to compare; train one first"
        )
    figure, axes = plt.subplots(1, len(sets), squeeze=False, sharey=True, layout="constrained",
                                figsize=(3.9 * len(sets), 0.5 * len(baselines) + 1.5))  # fmt: skip
    for axis, data in zip(axes[0], sets, strict=True):
        part = chosen[chosen["data"] == data]
        for number, (_, row) in enumerate(part.iterrows()):
            height = np.arange(len(baselines)) + 0.22 * (number - (len(part) - 1) / 2)
            middle = np.array([row[f"vs {name}"] for name in baselines])
            low, high = (
                np.array([row[f"vs {name} {end}"] for name in baselines]) for end in ("low", "high")
            )
            look = {
                "color": COLOURS[number % len(COLOURS)],
                "fmt": MARKERS[number % len(MARKERS)],
                "capsize": 3,
            }
            label = f"{row['modality']} (n = {row['n']})"
            axis.errorbar(middle, height, xerr=[middle - low, high - middle], label=label, **look)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set(
            title=data,
            xlabel=f"{score} of {method} − {score} of …",
            yticks=range(len(baselines)),
            yticklabels=baselines,
        )
        axis.set_ylim(len(baselines) - 0.5, -0.5)
        axis.legend(frameon=False, fontsize=8, loc="best")
    return figure


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Every method of a table against each baseline: paired differences as dots with their 95 %
    interval, a panel for each modality, the mean score beside the method's name in the panel."""
    metric, score = metric_of(table), METRICS[metric_of(table)]
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    modalities = list(dict.fromkeys(compared["modality"]))
    if not modalities:
        raise RunError(
            "intervals: no method shares a seed with a baseline, so nothing to compare; train the baselines"
        )
    names = list(dict.fromkeys(compared["method"]))
    figure, axes = plt.subplots(1, len(modalities), squeeze=False, sharey=True, layout="constrained",
                                figsize=(4.6 * len(modalities) + 0.6, 0.42 * len(names) + 1.4))  # fmt: skip
    for axis, modality in zip(axes[0], modalities, strict=True):
        part = compared[compared["modality"] == modality].set_index("method").reindex(names)
        for number, baseline in enumerate(baselines):
            height = np.arange(len(names)) + 0.24 * (number - (len(baselines) - 1) / 2)
            middle, low, high = (
                part[f"vs {baseline}{end}"].to_numpy(float) for end in ("", " low", " high")
            )
            look = {
                "color": COLOURS[number % len(COLOURS)],
                "fmt": MARKERS[number % len(MARKERS)],
                "ms": 4,
            }
            axis.errorbar(
                middle,
                height,
                xerr=[middle - low, high - middle],
                label=f"− {baseline}",
                capsize=2,
                **look,
            )
        for place, (_, row) in enumerate(part.iterrows()):
            text = "" if np.isnan(row[metric]) else f"{row[metric]:.1f}"
            axis.annotate(
                text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8
            )
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        seeds = sorted({int(n) for n in part["n"].dropna()})
        axis.set(
            title=f"{modality} (n = {' or '.join(map(str, seeds))}; mean {score} at the right)"
        )
        axis.set(
            xlabel=f"difference in {score} points", yticks=range(len(names)), yticklabels=names
        )
        axis.grid(axis="y", linewidth=0.4)
        axis.set_ylim(len(names) - 0.5, -0.5)
    dots = axes[0][0].get_legend_handles_labels()
    figure.legend(*dots, loc="outside lower center", ncols=len(baselines), frameon=False)
    return figure


def gains(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Paired differences over the dials of a grid (`experiments.by_dials`): curves with their 95 %
    interval over one dial, a panel for each modality and baseline; a map of the last method over
    two, with the intervals written in.

    Raises:
        RunError: no dial was turned, or more than two.
    """
    dials = [name for name in table if not name.startswith("vs ") and name not in SUMMARY]
    if len(dials) not in (1, 2):
        raise RunError(
            f"gains: {len(dials)} dials were turned {dials}; a picture has one or two, give the others one value"
        )
    score = METRICS[metric_of(table)]
    modalities, draw = (
        list(dict.fromkeys(table["modality"])),
        _gain_curve if len(dials) == 1 else _gain_map,
    )
    modalities = [name for name in modalities if "+" not in name]
    figure, axes = plt.subplots(len(baselines), len(modalities), squeeze=False, layout="constrained",
                                figsize=(4.4 * len(modalities) + 0.8, 2.9 * len(baselines) + 0.4))  # fmt: skip
    for row, baseline in zip(axes, baselines, strict=True):
        for axis, modality in zip(row, modalities, strict=True):
            name = draw(axis, table[table["modality"] == modality], dials, baseline, score)
            axis.set_title(f"{modality}: {name} − {score} of {baseline}", fontsize=10)
    if len(dials) == 1:
        shown = {
            name: dot
            for axis in axes.flat
            for dot, name in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            shown.values(),
            shown.keys(),
            loc="outside lower center",
            ncols=4,
            frameon=False,
            fontsize=9,
        )
    return figure


def _gain_curve(axis, part: pd.DataFrame, dials: Sequence[str], baseline: str, score: str) -> str:
    methods = [
        name
        for name in dict.fromkeys(part["method"])
        if name not in (baseline, "teacher", "dense-teacher")
    ]
    width = np.ptp(part[dials[0]]) or 1.0
    for number, name in enumerate(methods):
        line = part[part["method"] == name].sort_values(dials[0])
        middle, low, high = (
            line[f"vs {baseline}{end}"].to_numpy(float) for end in ("", " low", " high")
        )
        place = line[dials[0]] + 0.012 * width * (number - (len(methods) - 1) / 2)
        look = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % len(MARKERS)],
            "ms": 5,
        }
        axis.errorbar(
            place,
            middle,
            yerr=[middle - low, high - middle],
            capsize=3,
            label=name,
            linewidth=1.2,
            **look,
        )
    axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axis.set(xlabel=dials[0], ylabel=f"{score} points", xticks=sorted(set(part[dials[0]])))
    return score


def _gain_map(axis, part: pd.DataFrame, dials: Sequence[str], baseline: str, score: str) -> str:
    name = [name for name in dict.fromkeys(part["method"]) if name != baseline][-1]
    cells = part[part["method"] == name].pivot(index=dials[0], columns=dials[1])
    middle, low, high = (cells[f"vs {baseline}{end}"] for end in ("", " low", " high"))
    text = [[f"{m:+.1f}" + ("" if np.isnan(a) else f"\n[{a:+.1f}, {b:+.1f}]") for m, a, b in zip(*row, strict=True)]
            for row in zip(middle.to_numpy(), low.to_numpy(), high.to_numpy(), strict=True)]  # fmt: skip
    most = np.nanmax(np.abs([part.loc[part["method"] == name, f"vs {baseline}"]]))
    sns.heatmap(middle, ax=axis, annot=text, fmt="", cmap="PuOr", vmin=-most, vmax=most, annot_kws={"fontsize": 8},
                cbar_kws={"label": f"{score} points"})  # fmt: skip
    axis.invert_yaxis()
    return f"{score} of {name}"


def gain_map(table: pd.DataFrame, baseline: str, names: Mapping[str, str] | None = None) -> Figure:
    """Paired differences to a baseline on several data sets at once: rows data sets, columns
    methods, a panel for each modality; each cell has the difference with its 95 % interval, in bold
    where that excludes zero.

    Args:
        table: a summary.
        baseline: what is compared with.
        names: data set → what to call it.
    """
    score = METRICS[metric_of(table)]
    shown = table[table[f"vs {baseline}"].notna()]
    modalities, methods, sets = (
        list(dict.fromkeys(shown[column])) for column in ("modality", "method", "data")
    )
    most = float(shown[f"vs {baseline}"].abs().max())
    figure, axes = plt.subplots(1, len(modalities), squeeze=False, sharey=True, layout="constrained",
                                figsize=((1.25 * len(methods) + 0.6) * len(modalities) + 2.2, 0.62 * len(sets) + 1.3),
                                )  # fmt: skip
    for axis, modality in zip(axes[0], modalities, strict=True):
        part = shown[shown["modality"] == modality].set_index(["data", "method"])
        cells = part[f"vs {baseline}"].unstack().reindex(index=sets, columns=methods)
        sns.heatmap(cells, ax=axis, cmap="PuOr", vmin=-most, vmax=most, cbar=axis is axes[0][-1], linewidths=0.5,
                    cbar_kws={"label": f"{score} − {score} of {baseline}"})  # fmt: skip
        for (data, method), row in part.iterrows():
            middle, low, high = (row[f"vs {baseline}{end}"] for end in ("", " low", " high"))
            text = f"{middle:+.1f}" + ("" if np.isnan(low) else f"\n[{low:+.1f}, {high:+.1f}]")
            place = methods.index(method) + 0.5, sets.index(data) + 0.5
            axis.text(*place, text, ha="center", va="center", fontsize=8, color="black" if abs(middle) < 0.7 * most
                      else "white", fontweight="bold" if low > 0 or high < 0 else "normal")  # fmt: skip
        axis.set(
            title=f"{modality} (n = {' or '.join(map(str, sorted(set(part['n']))))})",
            xlabel="",
            ylabel="",
        )
        axis.set_yticklabels([(names or {}).get(data, data) for data in sets], rotation=0)
        axis.set_xticklabels(
            [method.replace(" ", "\n") for method in methods], rotation=0, fontsize=8
        )
    return figure


def probe_map(
    matrix: pd.DataFrame, chance: Mapping[str, Any], factors: Sequence[str] | None = None
) -> Figure:
    """A probe matrix: rows embeddings, columns factors; the colour is what is read beyond chance,
    as a share of what could be, and the number the accuracy in % or R².

    Args:
        matrix: of `probing.probe_matrix`.
        chance: factor → chance level in %, 0 for R²; or modality → that, for rows that start with
            the modality's name.
        factors: which columns, all by default.
    """
    shown = matrix[list(factors)] if factors is not None else matrix
    rows = {row: chance.get(row.split()[0], chance) for row in shown.index}
    base = pd.DataFrame.from_dict(rows, orient="index")[list(shown)]
    top = base.where(base == 0, 100.0).where(base > 0, 1.0)
    beyond = ((shown - base) / (top - base)).clip(0, 1)
    text = shown.map("{:.2f}".format).where(base == 0, shown.map("{:.0f}".format))
    figure, axis = plt.subplots(
        figsize=(0.52 * shown.shape[1] + 2.6, 0.36 * len(shown) + 1.6), layout="constrained"
    )
    sns.heatmap(beyond, ax=axis, annot=text, fmt="", cmap="Greys", vmin=0, vmax=1, annot_kws={"fontsize": 8},
                linewidths=0.5, cbar_kws={"label": "read beyond chance"})  # fmt: skip
    levels = {
        name: "–".join(f"{level:.0f}" for level in base[name].dropna().unique()) for name in shown
    }
    names = [f"{name}\n({levels[name]})" if levels[name] != "0" else name for name in shown]
    axis.set_xticklabels(names, rotation=40, ha="right", fontsize=8)
    axis.set_yticklabels(axis.get_yticklabels(), rotation=0, fontsize=9)
    axis.set(xlabel="factor (chance in %; no number: R²)", ylabel="")
    return figure
