"""Pictures: each function draws one and returns its figure; saving is the caller's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from discom.data import MultiModalData
from discom.errors import RunError
from discom.runs import read_predictions

__all__ = ["class_counts", "confusions", "curves", "differences", "gains", "intervals", "pairs", "probe_map", "style",
           "values"]  # fmt: skip

COLOURS = sns.color_palette("colorblind")
MARKERS = "os^Dv*"
SUMMARY = ("data", "method", "modality", "n", "f1", "sd", "arrow", "paper")  # columns of a table that are no dials


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
    plt.rcParams |= {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False, "axes.spines.top": False}


def _picture(image: np.ndarray) -> np.ndarray:
    """[C, H, W] in [0, 1] → what imshow takes: the first three bands as colour, or the first as grey."""
    if len(image) == 13:  # Sentinel-2: red, green and blue are its fourth, third and second
        image = image[[3, 2, 1]]
    return image[:3].transpose(1, 2, 0) if len(image) >= 3 else image[0]


def pairs(data: MultiModalData, columns: int = 9, rows: Sequence[int] | None = None) -> Figure:
    """A grid of scenes: a row for each modality, a column for each scene; without `rows`, classes in turn.

    Where every pixel has a class, a last row shows it.
    """
    if rows is None:
        ids = data.paired_ids if len(data.paired_ids) else data.ids
        labels = data.labels[np.isin(data.ids, ids)]
        turn = pd.Series(labels).groupby(labels).cumcount()  # the first of each class, then the second, …
        chosen = ids[np.lexsort((labels, turn))[:columns]]
        rows = np.flatnonzero(np.isin(data.ids, chosen))
        rows = rows[np.argsort(data.labels[rows], kind="stable")]
    count, high = len(rows), len(data.modalities) + data.dense
    figure, axes = plt.subplots(high, count, squeeze=False, layout="constrained",
                                figsize=(1.25 * count, 1.4 * high + 0.3))  # fmt: skip
    bounded = data if data.normalization or data.normalized else data.split().train  # for the scale of the picture
    for axis_row, name in zip(axes, data.modalities, strict=False):
        place = {i: row for row, i in enumerate(data.modalities[name].ids.tolist())}
        for axis, row in zip(axis_row, rows, strict=True):
            axis.set(xticks=[], yticks=[])
            if (found := place.get(data.ids[row].item())) is None:
                axis.text(0.5, 0.5, "missing", ha="center", va="center", transform=axis.transAxes, fontsize=8)
                continue
            image = data.modalities[name].x[[found]]
            scaled = image if data.normalized else bounded.normalization[name](image)
            axis.imshow(_picture(np.clip(scaled[0], 0, 1)), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis_row[0].set_ylabel(name)
    for axis, row in zip(axes[0], rows, strict=True):
        axis.set_title(data.classes[data.labels[row]].replace("/", "\n"), fontsize=8)
    if data.dense:
        _draw_masks(axes[-1], data, rows)
    return figure


def _draw_masks(axes: Sequence[Axes], data: MultiModalData, rows: Sequence[int]) -> None:
    """The class of every pixel in colour, white where there is none, and a legend of the classes that occur."""
    masks = np.asarray(data.masks[np.asarray(rows)])
    colours = np.array([*sns.husl_palette(len(data.classes), s=0.7), (1.0, 1.0, 1.0)])
    for axis, mask in zip(axes, masks, strict=True):
        axis.imshow(colours[np.minimum(mask, len(data.classes))], interpolation="nearest")
        axis.set(xticks=[], yticks=[])
    axes[0].set_ylabel("class")
    shown = [k for k in np.unique(masks) if k < len(data.classes)]
    handles = [Patch(color=colours[k], label=data.classes[k]) for k in shown]
    axes[0].figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=8, frameon=False)


def class_counts(parts: Mapping[str, MultiModalData]) -> Figure:
    """Samples of every class in each part, as bars; where every pixel has one, of the most frequent class."""
    counts = pd.DataFrame({name: np.bincount(part.labels, minlength=len(part.classes)) for name, part in parts.items()})
    counts.index = next(iter(parts.values())).classes
    axis = counts.plot.bar(
        figsize=(0.7 * len(counts) + 3, 3), width=0.8, color=COLOURS, edgecolor="black", linewidth=0.5
    )
    axis.set(xlabel="most frequent class" if next(iter(parts.values())).dense else "class", ylabel="samples")
    axis.figure.autofmt_xdate(rotation=35)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axis.figure.set_layout_engine("constrained")
    return axis.figure


def values(data: MultiModalData) -> Figure:
    """How often each pixel value occurs, a panel for each modality, in the sensor's unit; up to 256 samples."""
    figure, axes = plt.subplots(1, len(data.modalities), squeeze=False, layout="constrained",
                                figsize=(3.4 * len(data.modalities), 2.4))  # fmt: skip
    for axis, (name, modality) in zip(axes[0], data.modalities.items(), strict=True):
        sample = np.asarray(modality.x[:: max(1, len(modality.x) // 256)])[:256]
        for band in range(sample.shape[1]):
            pixels = sample[:, band].ravel()
            pixels = pixels if modality.invalid is None else pixels[pixels != modality.invalid]
            axis.hist(pixels, bins=60, histtype="step", density=True, label=f"band {band}")
        unit = "pixel value" + f" ({modality.unit})" * bool(modality.unit)
        axis.set(title=name, xlabel=unit, ylabel="density" if axis is axes[0][0] else "")
        if sample.shape[1] <= 4:
            axis.legend(frameon=False, fontsize=8)
    return figure


def curves(metrics: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Training loss, and validation F1 of every modality, over epochs; several runs by name, or one."""
    runs = {"": metrics} if isinstance(metrics, pd.DataFrame) else metrics
    scored = list(dict.fromkeys(c for table in runs.values() for c in table if c.startswith("valid_f1/")))
    figure, axes = plt.subplots(1, 1 + len(scored), figsize=(3.4 * (1 + len(scored)), 2.7), layout="constrained")
    for number, (name, table) in enumerate(runs.items()):
        how = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % 6],
            "markevery": max(1, len(table) // 8),
            "ms": 4,
        }
        axes[0].plot(table["epoch"], table["loss"], label=name, **how)
        for axis, column in zip(axes[1:], scored, strict=True):
            if column in table:
                axis.plot(table["epoch"], table[column], **how)
            axis.set(xlabel="epoch", ylabel="weighted F1 × 100", title=f"{column.partition('/')[2]}, validation")
    axes[0].set(xlabel="epoch", ylabel="total loss", title="training")
    if len(runs) > 1:
        axes[0].legend(frameon=False)
    return figure


def confusions(predictions: Path | str) -> Figure:
    """Confusion of every modality on the test part, each row in percent of its true class, from predictions.npz."""
    held = read_predictions(predictions)
    classes = held["classes"].tolist()
    names = [key.removesuffix("_logits") for key in held if key.endswith("_logits")]
    size = ((0.45 * len(classes) + 2.2) * len(names), 0.4 * len(classes) + 1.9)
    figure, axes = plt.subplots(1, len(names), squeeze=False, layout="constrained", figsize=size)
    for axis, name in zip(axes[0], names, strict=True):
        labels, predicted = held[f"{name}_labels"], held[f"{name}_logits"].argmax(1)
        counts = np.zeros((len(classes), len(classes)))
        np.add.at(counts, (labels, predicted), 1)
        shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
        sns.heatmap(shares, ax=axis, cmap="Greys", vmin=0, vmax=100, annot=True, fmt=".0f", cbar=False,
                    annot_kws={"fontsize": 7}, xticklabels=classes,
                    yticklabels=classes if axis is axes[0][0] else False)  # fmt: skip
        axis.set(xlabel="predicted", ylabel="true class (row = 100 %)" if axis is axes[0][0] else "", title=name)
        axis.tick_params(labelsize=8)
    return figure


def differences(table: pd.DataFrame, method: str, baselines: Sequence[str]) -> Figure:
    """Paired differences of one method to each baseline with their 95 % interval, a panel for each data set."""
    chosen = table[table["method"] == method]
    sets = list(dict.fromkeys(chosen["data"]))
    if not sets:
        raise RunError(f"{method}: no run of it in this table, so nothing to compare; train one first")
    figure, axes = plt.subplots(1, len(sets), squeeze=False, sharey=True, layout="constrained",
                                figsize=(3.9 * len(sets), 0.5 * len(baselines) + 1.5))  # fmt: skip
    for axis, data in zip(axes[0], sets, strict=True):
        part = chosen[chosen["data"] == data]
        for number, (_, row) in enumerate(part.iterrows()):
            height = np.arange(len(baselines)) + 0.22 * (number - (len(part) - 1) / 2)
            middle = np.array([row[f"vs {name}"] for name in baselines])
            low, high = (np.array([row[f"vs {name} {end}"] for name in baselines]) for end in ("low", "high"))
            look = {"color": COLOURS[number % len(COLOURS)], "fmt": MARKERS[number % len(MARKERS)], "capsize": 3}
            label = f"{row['modality']} (n = {row['n']})"
            axis.errorbar(middle, height, xerr=[middle - low, high - middle], label=label, **look)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set(title=data, xlabel=f"F1 of {method} − F1 of …", yticks=range(len(baselines)), yticklabels=baselines)
        axis.set_ylim(len(baselines) - 0.5, -0.5)
        axis.legend(frameon=False, fontsize=8, loc="best")
    return figure


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Every method of a table against each baseline: paired differences as dots with their 95 % interval, a panel for
    each modality, F1 beside the method's name in the panel."""
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    modalities = list(dict.fromkeys(compared["modality"]))
    if not modalities:
        raise RunError("intervals: no method shares a seed with a baseline, so nothing to compare; train the baselines")
    names = list(dict.fromkeys(compared["method"]))
    figure, axes = plt.subplots(1, len(modalities), squeeze=False, sharey=True, layout="constrained",
                                figsize=(4.6 * len(modalities) + 0.6, 0.42 * len(names) + 1.4))  # fmt: skip
    for axis, modality in zip(axes[0], modalities, strict=True):
        part = compared[compared["modality"] == modality].set_index("method").reindex(names)
        for number, baseline in enumerate(baselines):
            height = np.arange(len(names)) + 0.24 * (number - (len(baselines) - 1) / 2)
            middle, low, high = (part[f"vs {baseline}{end}"].to_numpy(float) for end in ("", " low", " high"))
            look = {"color": COLOURS[number % len(COLOURS)], "fmt": MARKERS[number % len(MARKERS)], "ms": 4}
            axis.errorbar(middle, height, xerr=[middle - low, high - middle], label=f"− {baseline}", capsize=2, **look)
        for place, (_, row) in enumerate(part.iterrows()):
            text = "" if np.isnan(row["f1"]) else f"{row['f1']:.1f}"
            axis.annotate(text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        seeds = sorted({int(n) for n in part["n"].dropna()})
        axis.set(title=f"{modality} (n = {' or '.join(map(str, seeds))}; mean F1 at the right)")
        axis.set(xlabel="difference in F1 points", yticks=range(len(names)), yticklabels=names)
        axis.grid(axis="y", linewidth=0.4)
        axis.set_ylim(len(names) - 0.5, -0.5)
    dots = axes[0][0].get_legend_handles_labels()
    figure.legend(*dots, loc="outside lower center", ncols=len(baselines), frameon=False)
    return figure


def gains(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Paired differences over the dials of a grid (`experiments.by_dials`): curves with their 95 % interval over one
    dial, a panel for each modality and baseline; a map of the last method over two, with the intervals written in.

    Raises:
        RunError: no dial was turned, or more than two.
    """
    dials = [name for name in table if not name.startswith("vs ") and name not in SUMMARY]
    if len(dials) not in (1, 2):
        raise RunError(
            f"gains: {len(dials)} dials were turned {dials}; a picture has one or two, give the others one value"
        )
    modalities, draw = list(dict.fromkeys(table["modality"])), _gain_curve if len(dials) == 1 else _gain_map
    modalities = [name for name in modalities if "+" not in name]
    figure, axes = plt.subplots(len(baselines), len(modalities), squeeze=False, layout="constrained",
                                figsize=(4.4 * len(modalities) + 0.8, 2.9 * len(baselines) + 0.4))  # fmt: skip
    for row, baseline in zip(axes, baselines, strict=True):
        for axis, modality in zip(row, modalities, strict=True):
            name = draw(axis, table[table["modality"] == modality], dials, baseline)
            axis.set_title(f"{modality}: {name} − F1 of {baseline}", fontsize=10)
    if len(dials) == 1:
        shown = {name: dot for axis in axes.flat for dot, name in zip(*axis.get_legend_handles_labels(), strict=True)}
        figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _gain_curve(axis, part: pd.DataFrame, dials: Sequence[str], baseline: str) -> str:
    methods = [name for name in dict.fromkeys(part["method"]) if name not in (baseline, "teacher")]
    width = np.ptp(part[dials[0]]) or 1.0
    for number, name in enumerate(methods):
        line = part[part["method"] == name].sort_values(dials[0])
        middle, low, high = (line[f"vs {baseline}{end}"].to_numpy(float) for end in ("", " low", " high"))
        place = line[dials[0]] + 0.012 * width * (number - (len(methods) - 1) / 2)
        look = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "ms": 5}
        axis.errorbar(place, middle, yerr=[middle - low, high - middle], capsize=3, label=name, linewidth=1.2, **look)
    axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axis.set(xlabel=dials[0], ylabel="F1 points", xticks=sorted(set(part[dials[0]])))
    return "F1"


def _gain_map(axis, part: pd.DataFrame, dials: Sequence[str], baseline: str) -> str:
    name = [name for name in dict.fromkeys(part["method"]) if name != baseline][-1]
    cells = part[part["method"] == name].pivot(index=dials[0], columns=dials[1])
    middle, low, high = (cells[f"vs {baseline}{end}"] for end in ("", " low", " high"))
    text = [[f"{m:+.1f}" + ("" if np.isnan(a) else f"\n[{a:+.1f}, {b:+.1f}]") for m, a, b in zip(*row, strict=True)]
            for row in zip(middle.to_numpy(), low.to_numpy(), high.to_numpy(), strict=True)]  # fmt: skip
    most = np.nanmax(np.abs([part.loc[part["method"] == name, f"vs {baseline}"]]))
    sns.heatmap(middle, ax=axis, annot=text, fmt="", cmap="PuOr", vmin=-most, vmax=most, annot_kws={"fontsize": 8},
                cbar_kws={"label": "F1 points"})  # fmt: skip
    axis.invert_yaxis()
    return f"F1 of {name}"


def probe_map(matrix: pd.DataFrame, chance: Mapping[str, float], factors: Sequence[str] | None = None) -> Figure:
    """A probe matrix: rows embeddings, columns factors; the colour is what is read beyond chance, as a share of what
    could be, and the number the accuracy in % or R².

    Args:
        matrix: of `probing.probe_matrix`.
        chance: factor → chance level in %, 0 for R².
        factors: which columns, all by default.
    """
    shown = matrix[list(factors)] if factors is not None else matrix
    base = pd.Series({name: chance[name] for name in shown})
    top = pd.Series({name: 100.0 if chance[name] else 1.0 for name in shown})
    beyond = ((shown - base) / (top - base)).clip(0, 1)
    text = [[f"{value:.0f}" if chance[name] else f"{value:.2f}" for name, value in row.items()]
            for _, row in shown.iterrows()]  # fmt: skip
    figure, axis = plt.subplots(figsize=(0.52 * shown.shape[1] + 2.6, 0.36 * len(shown) + 1.6), layout="constrained")
    sns.heatmap(beyond, ax=axis, annot=text, fmt="", cmap="Greys", vmin=0, vmax=1, annot_kws={"fontsize": 8},
                linewidths=0.5, cbar_kws={"label": "read beyond chance"})  # fmt: skip
    names = [f"{name}\n({chance[name]:.0f})" if chance[name] else name for name in shown]
    axis.set_xticklabels(names, rotation=40, ha="right", fontsize=8)
    axis.set_yticklabels(axis.get_yticklabels(), rotation=0, fontsize=9)
    axis.set(xlabel="factor (chance in %; no number: R²)", ylabel="")
    return figure
