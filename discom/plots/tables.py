"""What many runs say together: paired differences with their 95 % interval, and probe matrices."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.evaluation.inspection import reader_scores
from discom.plots.look import DOTTED, legend_below, method_look, panels, sensor_look
from discom.tables.statistics import METRICS, metric_of

NEARLY = 0.85  # of the most that a probe reads from any method


def forest(compared: pd.DataFrame, verdicts: Sequence[str] = (), reach: float = np.inf) -> Figure:
    """Rows of `tables.compare`: a line for each pair (named by its column `row`, else "method minus
    other"), a marker for each modality at the mean difference with its 95 % interval, filled where
    Holm's p < 0.05. Small dots are single seeds; a verdict for each line stands at the right.
    Seeds further from 0 than `reach` are drawn at its edge as arrowheads with their number."""
    if "row" not in compared:
        compared = compared.assign(row=compared["method"] + " minus " + compared["minus"])
    labels, modalities = list(compared["row"].unique()), compared["modality"].unique()
    figure, ((axis,),) = panels(1, 1, 7.0, 0.3 * len(labels) * (len(modalities) + 0.4) + 1.3)
    for number, modality in enumerate(modalities):
        rows = compared[compared["modality"] == modality]
        places = rows["row"].map(labels.index) + 0.7 * ((number + 0.5) / len(modalities) - 0.5)
        style: dict[str, Any] = {**sensor_look(modality, number), "linestyle": ""}
        means, clear = rows["difference"], rows["holm"] < 0.05
        half = rows["high"] - means  # the interval is symmetric
        axis.errorbar(means, places, xerr=half, mfc="white", label=modality, **style)
        axis.plot(means[clear], places[clear], **style, zorder=3)
        for place, each in zip(places - 0.12, rows["each"], strict=True):
            _seeds(axis, each, place, reach, style["color"])
    if (compared["holm"] < 0.05).any():
        axis.plot([], [], "ko", label="filled: Holm p < 0.05")
    _lines(axis, labels)
    for place, verdict in enumerate(verdicts):
        axis.text(1.02, place, verdict, transform=axis.get_yaxis_transform(), va="center")
    axis.set_xlabel("difference in points")
    legend_below(figure, columns=len(modalities) + 1)
    return figure


def _seeds(axis: Axes, each: np.ndarray, place: float, reach: float, colour: Any) -> None:
    """A small dot for each seed, an arrowhead with its number for one beyond the reach."""
    near = each[np.abs(each) <= reach]
    axis.plot(near, np.full(len(near), place), ".", ms=3, alpha=0.5, color=colour)
    for far in each[np.abs(each) > reach]:
        edge, arrow, side = (-reach, "<", "left") if far < 0 else (reach, ">", "right")
        axis.plot(edge, place, arrow, ms=4, color=colour)
        axis.text(edge, place, f"{far:.0f}", va="bottom", ha=side, size=8)


def _lines(axis: Axes, labels: Sequence[str]) -> None:
    """A line for each label, the first above, and a dotted one where a difference is zero."""
    axis.axvline(0, **DOTTED)
    axis.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5))


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline, a panel for each modality (and data set) that
    several methods read, if there is one; the mean score stands at the right. A RunError where no
    method shares a seed with a baseline."""
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
    keys = ["data", "modality"] if compared["data"].nunique() > 1 else ["modality"]
    parts = list(compared.groupby(keys, sort=False))
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
        axis.set(title=f"{', '.join(where)} (n = {seeds})", xlabel=f"difference in {score} points")
        _lines(axis, labels)
        axis.tick_params(axis="y", labelsize=9)
        axis.grid(axis="y", linewidth=0.4)
    legend_below(figure, columns=4)
    return figure


def probe_map(matrix: pd.DataFrame, chance: Mapping[str, Mapping[str, float]]) -> Figure:
    """A matrix of `inspection.mean_matrices`: the number is the accuracy in % or R², the colour
    what is read beyond chance, as a share of what could be. `chance` is modality → factor → level
    in %, 0 for R²; each row takes that of its level "modality"."""
    rows = matrix.index.get_level_values("modality")
    base = pd.DataFrame([chance[name] for name in rows], matrix.index)[list(matrix)]
    beyond = ((matrix - base) / (99.0 * (base > 0) + 1 - base)).clip(0, 1)
    text = matrix.map("{:.2f}".format).where(base == 0, matrix.map("{:.0f}".format))
    figure, ((axis,),) = panels(1, 1, 0.52 * matrix.shape[1] + 2.6, 0.36 * len(matrix) + 1.6)
    style = {"cmap": "Greys", "linewidths": 0.5, "annot_kws": {"fontsize": 8}}
    bar = {"vmin": 0, "vmax": 1, "cbar_kws": {"label": "read beyond chance"}}
    labels = [" ".join(row) for row in matrix.index]
    sns.heatmap(beyond, ax=axis, annot=text, fmt="", yticklabels=labels, **style, **bar)
    shown = {name: "–".join(f"{level:.0f}" for level in base[name].unique()) for name in base}
    names = [f"{name}\n({level})" if level != "0" else name for name, level in shown.items()]
    axis.set_xticklabels(names, rotation=40, ha="right", fontsize=8)
    axis.tick_params(axis="y", rotation=0)
    axis.set(xlabel="factor (chance in %; no number: R²)", ylabel="")
    return figure


def separation(inspected: Iterable[Mapping[str, Any]]) -> Figure:
    """Test F1 over what probes fitted afterwards read: above the modality from z_inv, below the
    class from z_irr, a column for each modality. Filled is the linear probe, open the MLP, mean ±
    sd over runs; dotted is chance. Methods of which the MLP reads nearly as much as of any
    (`NEARLY`) are grey. `inspected` is what `inspection.inspect` gave for each run."""
    table = pd.DataFrame([row for run in inspected for row in _readings(run)])
    panel = ["question", "modality"]
    mean = table.groupby([*panel, "method"], sort=False)["mlp"].mean()
    less = mean < NEARLY * mean.groupby(level=panel).transform("max")
    separate = mean[less].index.unique("method")
    coloured = [name for name in table["method"].unique() if name in separate]
    columns, lines = table["modality"].nunique(), -(-(len(coloured) + 1) // 2)
    figure, axes = panels(2, columns, 4.2 * columns, 6 + 0.4 * lines)
    parts = table.groupby(panel, sort=False)
    for axis, ((question, name), part) in zip(axes.flat, parts, strict=True):
        methods = sorted(part.groupby("method", sort=False), key=lambda one: one[0] in coloured)
        for method, points in methods:  # the grey ones below
            label, style = "all others", {"color": "0.7", "marker": "."}
            if method in coloured:
                label, style = method, method_look(coloured.index(method))
            _two_readers(axis, points, fill(label, 44, break_on_hyphens=False), style)
        axis.axvline(part["chance"].iloc[0], **DOTTED)
        axis.set(xlabel=f"{question} (%)", ylabel="test F1 × 100", title=name)
    legend_below(figure, columns=2, title="filled: linear probe, open: MLP", fontsize=9)
    return figure


def _readings(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What both probes read of a run: a row for each question and modality."""
    read = reader_scores(run).T
    for question, part in (("modality", "z_inv"), ("class", "z_irr")):
        for name, f1 in run["f1"].items():
            row = {"method": run["method"], "modality": name, "f1": f1}
            of = ("", "") if question == "modality" else (name, name)
            yield {**row, "question": f"{question} read from {part}", **read[question, part, *of]}


def _two_readers(axis: Axes, points: pd.DataFrame, label: str, style: Mapping[str, Any]) -> None:
    """A method's two markers, joined by a line."""
    values = points[["linear", "mlp", "f1"]]
    mean, sd = values.mean(), values.std().fillna(0)  # one run has no spread
    marker: dict[str, Any] = {**style, "linestyle": "", "elinewidth": 0.8}
    axis.plot(mean[["linear", "mlp"]], [mean.f1] * 2, color=style["color"], linewidth=0.6)
    for reader, face in (("linear", style["color"]), ("mlp", "white")):
        spread = {"xerr": sd[reader], "yerr": sd.f1, "mfc": face}
        legend = label if reader == "linear" else None
        axis.errorbar(mean[reader], mean.f1, **spread, label=legend, **marker)
