"""What many runs say together: paired differences with their 95 % interval, and probe matrices."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.plots.look import look, panels
from discom.tables.statistics import METRICS, metric_of

__all__ = ["intervals", "invariance", "probe_map"]


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline, a panel for each modality (and data set); the
    mean score stands at the right. A RunError where no method shares a seed with a baseline."""
    metric, score = metric_of(table), METRICS[metric_of(table)]
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    if compared.empty:
        raise RunError("intervals: no method shares a seed with a baseline; train the baselines")
    shown = [name for name in baselines if compared[f"vs {name}"].notna().any()]
    names = compared["method"].unique()
    labels = [fill(name, 36, break_on_hyphens=False) for name in names]
    places = np.arange(len(names))
    keys = ["data", "modality"] if compared["data"].nunique() > 1 else ["modality"]
    parts = list(compared.groupby(keys, sort=False))
    across = min(2, len(parts))
    down = -(-len(parts) // across)
    letters = max(len(line) for label in labels for line in label.split("\n"))
    wide, high = 3.6 * across + 0.08 * letters, max(0.42 * len(names), 0.8) + 1.2
    size = (wide, high * down + 0.3)
    figure, axes = panels(down, across, *size, sharey=True)
    for axis in axes.flat[len(parts) :]:
        axis.axis("off")
    for axis, (where, part) in zip(axes.flat, parts, strict=False):
        rows = part.set_index("method").reindex(names)
        for number, baseline in enumerate(shown):
            heights = places + 0.24 * (number - (len(shown) - 1) / 2)
            columns = [f"vs {baseline}{end}" for end in (" low", "", " high")]
            low, middle, high = rows[columns].to_numpy(float).T
            style = look(baselines.index(baseline)) | {"linestyle": "", "capsize": 2}
            style["label"] = f"− {baseline}"
            axis.errorbar(middle, heights, xerr=(middle - low, high - middle), **style)
        axis.text(1.01, 1.0, score, transform=axis.transAxes, va="bottom", size=8)
        for place, mean in enumerate(rows[metric]):
            text = "" if np.isnan(mean) else f"{mean:.1f}"
            axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", size=8)
        seeds = " or ".join(map(str, sorted(set(part["n"]))))
        axis.set_title(f"{', '.join(where)} (n = {seeds})")
        axis.set(xlabel=f"difference in {score} points", yticks=places, yticklabels=labels)
        axis.tick_params(axis="y", labelsize=9)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        axis.grid(axis="y", linewidth=0.4)
    series = axes.flat[0].get_legend_handles_labels()  # every panel has them all
    figure.legend(*series, loc="outside lower center", ncols=4, frameon=False)
    return figure


def probe_map(matrix: pd.DataFrame, chance: Mapping[str, Any]) -> Figure:
    """A matrix of `probing.probe_matrix`: the number is the accuracy in % or R², the colour what is
    read beyond chance, as a share of what could be. `chance` is factor → level in %, 0 for R²; or
    modality → that, for rows that start with the modality's name."""
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


def invariance(inspected: Iterable[Mapping[str, Any]]) -> Figure:
    """Test F1 over how well a fresh probe names the modality from z_inv, a panel for each modality:
    for each method the linear reader, filled, and the MLP, open; mean ± sd over runs, chance
    dotted. `inspected` is what `inspection.inspect` gave for each run."""
    runs = list(inspected)
    readers = [(run["modality"]["z_inv"], run["mlp"]["modality"]["z_inv"]) for run in runs]
    rows = [
        {"method": run["method"], "panel": name, "f1": f1, "linear": a["score"], "mlp": b["score"]}
        for run, (a, b) in zip(runs, readers, strict=True)
        for name, f1 in run["f1"].items()
    ]
    parts = list(pd.DataFrame(rows).groupby("panel", sort=False))
    wide, names = 4.2 * len(parts), dict.fromkeys(run["method"] for run in runs)
    titles = {name: fill(name, 44, break_on_hyphens=False) for name in names}
    lines = [line for title in titles.values() for line in title.split("\n")]
    columns = max(1, int(wide / (0.075 * max(map(len, lines)) + 0.5)))
    figure, axes = panels(1, len(parts), wide, 3.6 + 0.22 * len(lines) / columns, sharex=True)
    for axis, (name, part) in zip(axes.flat, parts, strict=True):
        for number, (method, points) in enumerate(part.groupby("method", sort=False)):
            values = points[["linear", "mlp", "f1"]]
            mean, sd = values.mean(), values.std().fillna(0)  # one run has no spread
            marker: dict[str, Any] = {**look(number), "linestyle": "", "elinewidth": 0.8}
            axis.plot(mean[["linear", "mlp"]], [mean.f1] * 2, color=marker["color"], linewidth=0.6)
            for reader, face in (("linear", marker["color"]), ("mlp", "white")):
                label = titles[method] if reader == "linear" else None
                spread = {"xerr": sd[reader], "yerr": sd.f1, "mfc": face, "label": label}
                axis.errorbar(mean[reader], mean.f1, **spread, **marker)
        axis.axvline(readers[0][0]["chance"], color="black", linewidth=0.8, linestyle=":")
        axis.set(xlabel="modality read from z_inv (%)", ylabel="test F1 × 100", title=name)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    text: dict[str, Any] = {"title": "filled: linear reader, open: MLP", "fontsize": 9}
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, **text)
    return figure
