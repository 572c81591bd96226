"""Maps of an embedding: its parts, before training and after."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from discom.errors import DataError
from discom.plots.panels import GREY, SENSORS, in_lines, panels

MARKERS = ("o", "^", "s", "D", "P", "v")  # of sensors
CLASSES = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#9c755f"]
CLASSES += ["#ff9da7", "#2f4b7c", "#a0cbe8", "#8cd17d"]
PARTS = {"inv": "invariant", "inf": "informative", "irr": "irrelevant"}  # of an embedding


def embedding_maps(
    maps: Mapping[str, Mapping[str, np.ndarray]],
    labels: np.ndarray,
    sensors: Sequence[str],
    classes: Sequence[str],
    reads: Mapping[str, pd.DataFrame],
    guess: float,
    title: str = "",
    lines: int = 60,
) -> Figure:
    """A row of maps for each network, such as before and after training, a column for each part of
    the embedding: a dot's colour is its class, its marker and its halo are its sensor, and lines
    join the views of some samples. In a corner stands what linear probes read, in %.

    Args:
        maps: network → part ("inv", "inf", "irr", or another) → places [M, N, 2] of N samples in M
            sensors; a part in which nothing varies is left out.
        labels: class of each sample [N], of at most twelve `classes`.
        sensors: their M names, two to six, in the order of the maps.
        reads: network → a row for each part: "sensor", and "class, <sensor>" for each, in % or NaN.
        guess: how often the most frequent class is right among all that the probes read, in %.
        lines: how many samples are joined.

    A DataError for more classes or sensors than there are colours.
    """
    for name, colours, names in (("classes", CLASSES, classes), ("sensors", SENSORS, sensors)):
        if len(names) > len(colours):
            found = f"{len(names)} {name} are more than a map can show"
            raise DataError("embedding_maps", found, f"choose {len(colours)} of them")
    present = dict.fromkeys(part for embedding in maps.values() for part in embedding)
    parts = sorted(present, key=[*PARTS, *present].index)
    figure, axes = panels(len(maps), len(parts), 10, 3.2 * len(maps) + 1.6)
    for line, (network, embedding) in zip(axes, maps.items(), strict=True):
        for axis, part in zip(line, parts, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(visible=True, color="0.85")
            if part in embedding:
                draw_map(axis, embedding[part], labels, lines)
                read = reads[network].loc[part]
                shares = ", ".join(f"{name} {_percent(read[f'class, {name}'])}" for name in sensors)
                corner = f"sensor {_percent(read['sensor'])}", in_lines(f"class: {shares}", 40)
                write_in_corner(axis, embedding[part], *corner)
            else:
                look = {"ha": "center", "color": GREY, "transform": axis.transAxes}
                axis.text(0.5, 0.5, "nothing varies", **look)
        line[0].set_ylabel(network, fontsize=13, fontweight="bold", labelpad=8)
    for axis, part in zip(axes[0], parts, strict=True):
        title_of_part = f"“{PARTS[part]}”  $z_{{{part}}}$" if part in PARTS else part
        axis.set_title(title_of_part, fontsize=13, fontweight="bold")
    figure.suptitle(title, fontsize=14, fontweight="bold")
    chance = f"{100 / len(sensors):.0f} % of sensors, {guess:.0f} % of classes"
    note = f"{len(labels)} samples. Corner: what a new linear probe reads; guessing gets {chance}."
    map_legend(figure, sensors, classes, note)
    return figure


def draw_map(axis: Axes, places: np.ndarray, labels: np.ndarray, lines: int) -> None:
    """Places [M, N, 2] of N samples in M sensors: a dot's colour is its class, its marker and its
    halo are its sensor, and lines join the views of so many samples."""
    flat, sensor = places.reshape(-1, 2), np.repeat(np.arange(len(places)), len(labels))
    turn = np.random.default_rng(0).permutation(len(flat))  # no sensor hides the other
    halo = np.array([_pale(colour) for colour in SENSORS])[sensor]
    x, y = flat[turn].T
    axis.scatter(x, y, s=230, c=halo[turn], lw=0, zorder=1, rasterized=True)
    some = np.linspace(0, len(labels) - 1, min(lines, len(labels))).astype(int)
    views = places[:, some].transpose(1, 0, 2)  # a line goes from sensor to sensor
    few: dict[str, Any] = {"colors": "0.15", "lw": 0.9, "alpha": 0.9, "zorder": 4}
    many: dict[str, Any] = {"colors": "0.35", "lw": 0.6, "alpha": 0.35, "zorder": 2}
    axis.add_collection(LineCollection([*views], **(few if lines <= 20 else many)))
    colours = np.array(CLASSES)[labels]
    for dots, marker in zip(places, MARKERS, strict=False):
        look: dict[str, Any] = {"s": 26, "edgecolors": "white", "lw": 0.35, "zorder": 3}
        axis.scatter(dots[:, 0], dots[:, 1], c=colours, marker=marker, **look)
    axis.margins(0.07)


def write_in_corner(axis: Axes, places: np.ndarray, bold: str, plain: str) -> None:
    """Two lines in a corner that no place [M, N, 2] is near; where there is none, room is made at
    the top left."""
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    at = (places.reshape(-1, 2) - (left, bottom)) / (right - left, top - bottom)
    corners = [(0, 1), (1, 1), (0, 0), (1, 0)]
    free = [c for c in corners if not (np.abs(at - c) < (0.72, 0.25)).all(1).any()]
    if not free:
        axis.set_ylim(bottom, top + 0.27 * (top - bottom))
    x, y = (free or corners)[0]
    look: dict[str, Any] = {"ha": "right" if x else "left", "va": "top" if y else "bottom"}
    bold = bold.replace(" ", "\\ ").replace("%", "\\%")
    place, text = (0.975 if x else 0.025, 0.965 if y else 0.035), f"$\\bf{{{bold}}}$\n{plain}"
    axis.text(*place, text, transform=axis.transAxes, fontsize=11, linespacing=1.4, **look)


def map_legend(figure: Figure, sensors: Sequence[str], classes: Sequence[str], note: str) -> None:
    """Below the figure, a note, and what markers, halos, lines and colours stand for."""
    handles: list[Any] = []
    for marker, colour, _ in zip(MARKERS, SENSORS, sensors, strict=False):
        halo = Line2D([], [], marker="o", ls="", ms=17, color=_pale(colour))
        handles.append((halo, Line2D([], [], marker=marker, ls="", ms=6, color="0.3")))
    handles.append(Line2D([], [], color="0.35", lw=0.8))
    handles += [
        Line2D([], [], marker="o", ls="", ms=8, color=colour) for colour in CLASSES[: len(classes)]
    ]
    names = [*sensors, "the same sample", *(in_lines(name, 20) for name in classes)]
    look: dict[str, Any] = {"frameon": False, "fontsize": 11, "labelspacing": 0.75, "ncols": 4}
    look |= {"loc": "outside lower center", "handletextpad": 0.6, "title_fontsize": 11}
    box = figure.legend(handles, names, title=note, **look)
    box.get_title().set_color(GREY)


def _pale(colour: str) -> tuple[float, float, float]:
    """The colour with four parts of white."""
    red, green, blue = (0.8 + 0.2 * value for value in to_rgb(colour))
    return red, green, blue


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.0f} %"
