"""Curves of a run, and tables as dots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from discom.files import as_data_error
from discom.plots.panels import SENSORS, panels

# term of DisCoM-KD → how a reader calls it, and its colour
TERMS = {
    "cl": ("class", "#0173b2"),
    "adv": ("adversary", "#d55e00"),
    "mod": ("sensor", "#029e73"),
    "aux": ("auxiliary", "#8c3fb0"),
    "orth": ("orthogonal", "0.4"),
}


def curves(run: Path | str, title: str = "") -> Figure:
    """Terms of the loss and validation scores of the run in this folder, by epoch; a ring is the
    epoch whose weights are tested, where the run is done. Of an adversary the dotted line is the
    cost of guessing, M ln M for M sensors. A DataError where metrics.csv is missing or damaged."""
    with as_data_error(file := Path(run) / "metrics.csv", "the log of a run", "train it again"):
        log = pd.read_csv(file)
        epochs = log["epoch"] + 1
    scores = [name for name in log if name.startswith("valid_")]
    plain = {"epoch", "seconds", "lr", "learning_rate", *scores}
    terms = [name for name in TERMS if name in log] or [n for n in log if n not in plain]
    figure, ((left, right),) = panels(1, 2, 11, 3.8)
    look: dict[str, Any] = {"lw": 2} | ({"marker": "o", "ms": 4} if len(log) < 12 else {})
    left.set_yscale("log" if (log[terms] > 0).all(axis=None) else "symlog")
    ends = {}
    for number, name in enumerate(terms):
        called, colour = TERMS.get(name, (name, f"C{number}"))
        left.plot(epochs, log[name], color=colour, **look)
        ends[f"{called} ({name})" if called != name else name] = log[name].iloc[-1], colour
    _end_names(left, ends, epochs.iloc[-1])
    left.set(xlabel="epoch", title="terms of the loss")
    guess = len(scores) * np.log(max(len(scores), 1))
    if "adv" in terms and guess:
        left.axhline(guess, color=TERMS["adv"][1], lw=1, ls=":")
        cost = f"the adversary ends at {log['adv'].iloc[-1]:.2f}"
        left.set(title=f"{cost}; guessing (dotted) costs {guess:.2f}")
    tested = _best_epochs(Path(run) / "result.json")
    ends = {}
    for number, column in enumerate(scores):
        name, colour = column.partition("/")[2], SENSORS[number % len(SENSORS)]
        right.plot(epochs, log[column], color=colour, **look)
        ends[name] = log[column].iloc[-1], colour
        for row in np.flatnonzero(log["epoch"] == tested.get(name, -1)):
            ring = {"ms": 10, "mfc": "none", "mec": colour, "mew": 1.8}
            right.plot(epochs[row], log[column][row], "o", **ring)
    _end_names(right, ends, epochs.iloc[-1])
    note = " (ring: the epoch that is tested)" if tested else ""
    right.set(xlabel="epoch", ylabel="score, %", title=f"validation images{note}")
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.title.set_fontsize(11)
    figure.suptitle(title)
    return figure


def _best_epochs(file: Path) -> dict[str, int]:
    """Network → the epoch that was tested, from 0 on; nothing where the run is not done."""
    if not file.is_file():
        return {}
    # the runs' modules load the training's libraries, which other figures do without
    from discom.running.runs import Result

    return {name: int(scores["best_epoch"]) for name, scores in Result.read(file).scores.items()}


def _end_names(axis: Axes, ends: Mapping[str, tuple[float, Any]], last: float) -> None:
    """Names at the right ends of curves, none upon another."""
    axis.figure.canvas.draw()
    to, back = axis.transData.transform, axis.transData.inverted().transform
    height, gap = -np.inf, 0.055 * axis.get_window_extent().height
    look: dict[str, Any] = {"va": "center", "fontsize": 9.5, "fontweight": "bold"}
    for name, (value, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        height = max(to((last, value))[1], height + gap)
        place = last, back((0, height))[1]
        offset = {"textcoords": "offset points", "annotation_clip": False, "color": colour}
        axis.annotate(name, place, (6, 0), **offset, **look)


def standings(table: pd.DataFrame, title: str = "") -> Figure:
    """A table of `tables.standings` or `tables.paper_table` as dots, a panel for each network of
    one sensor: our mean ± sd, the paper's figure as an open diamond, the student as a dotted line.
    A row without a run keeps its line."""
    metric = "f1" if "f1" in table else "miou"
    single = table[~table["modality"].str.contains("+", regex=False)]
    networks, rows = [*single["modality"].unique()], [*single["method"].unique()][::-1]
    size = 2.2 + 4.4 * len(networks), 1.3 + 0.3 * len(rows)
    figure, axes = panels(1, len(networks), *size, sharey=True)
    diamond: dict[str, Any] = {"mfc": "none", "mec": "#d55e00"}
    with_paper, first = "paper" in single, "student" if "student" in rows else rows[-1]
    for axis, network in zip(axes[0], networks, strict=True):
        scores = single[single["modality"] == network].set_index("method").reindex(rows)
        for place, (name, row) in enumerate(scores.iterrows()):
            colour = {"discom": "#8c3fb0", first: "#0173b2", "discom-solo": "#0173b2"}
            look = {"color": colour.get(str(name), "0.35"), "ms": 6, "lw": 1.6}
            axis.errorbar(row[metric], place, xerr=np.nan_to_num(row["sd"]), fmt="o", **look)
        if with_paper:
            axis.plot(scores["paper"], range(len(rows)), "D", ms=7, mew=1.4, **diamond)
        if np.isfinite(scores.loc[first, metric]):
            axis.axvline(scores.loc[first, metric], color="#0173b2", lw=1, ls=":")
        axis.set_title(network, fontsize=11)
        scale = {"f1": "F1", "miou": "mIoU"}[metric]
        axis.set(xlabel=f"{scale} on test images, %", ylim=(-0.6, len(rows) - 0.4))
        axis.set_yticks(range(len(rows)), rows)
        axis.grid(axis="y", color="0.92")
    keys = [Line2D([], [], marker="o", color="0.35", label="our mean ± sd over seeds")]
    if with_paper:
        keys.append(Line2D([], [], marker="D", ls="", label="the paper", **diamond))
    keys.append(Line2D([], [], ls=":", color="#0173b2", label=f"our {first}"))
    figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(title)
    return figure
