"""What figures share: colours, panels, images and legends."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from discom.data.checks import NO_LABEL

COLOURS = sns.color_palette("colorblind")
MARKERS = "os^DvPX<>"  # no factor in common with the ten colours: 90 looks
SENSORS = {"rgb": 3, "depth": 0, "elevation": 0, "thermal": 2}  # their colours in all figures
METHODS = [(0.1, 0.1, 0.1), *(COLOURS[k] for k in (4, 1, 5, 6, 9, 8, 7))]  # no sensor's
PLACES = {"student": 0, "simclr": 1, "discom-solo": 1, "nt-xent": 2, "discom": 3, "kdv2": 7}
PLACES |= {"single": 0, "dense-simclr": 1, "crodino": 3, "dense-kdv2": 7}  # the same for pixels
PLACES |= {"student-2x": 5, "dense-self": 5}  # further controls
NOTHING = 0.85  # grey of a pixel without a label
DOTTED: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": ":"}  # what compares


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    rc = {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False}
    sns.set_theme(style="ticks", palette="colorblind", rc=rc | {"axes.spines.top": False})


def method_look(number: int, method: str = "") -> dict[str, Any]:
    """Colour and marker of the number-th series of a figure. No sensor has these colours; a method
    of `PLACES`, with whatever options, has one everywhere, and other methods share the rest."""
    place = PLACES.get(method.partition(" ")[0], 4 + number % 3) if method else number
    return {"color": METHODS[place % len(METHODS)], "marker": MARKERS[number % len(MARKERS)]}


def sensor_look(modality: str, number: int) -> dict[str, Any]:
    """Colour and marker of the number-th modality of a figure; some have one colour everywhere,
    which no other modality takes."""
    own = {"color": COLOURS[SENSORS[modality]]} if modality in SENSORS else {}
    return method_look(number) | own


def panels(rows: int, columns: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    """A figure of that size in inches, and its axes [rows, columns]."""
    size = (width, height)
    return plt.subplots(rows, columns, squeeze=False, layout="constrained", figsize=size, **more)


def legend_below(figure: Figure, columns: int, **more: Any) -> None:
    """Below the figure, every series of its panels once."""
    series: dict[str, Any] = {}
    for axis in figure.axes:
        handles, names = axis.get_legend_handles_labels()
        series |= dict(zip(names, handles, strict=True))
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "frameon": False}
    figure.legend(series.values(), series.keys(), **place, **more)


def show(axis: Axes, image: np.ndarray | None) -> None:
    """Draw an image [C, H, W] in [0, 1], the first three bands as colour or the first as grey, or
    the word "missing"."""
    axis.set(xticks=[], yticks=[])
    if image is None:
        axis.text(0.5, 0.5, "missing", ha="center", va="center", transform=axis.transAxes)
        return
    if len(image) == 13:  # Sentinel-2: red, green and blue are its fourth, third and second
        image = image[[3, 2, 1]]
    bands = image[:3].transpose(1, 2, 0) if len(image) >= 3 else image[0]
    axis.imshow(np.clip(bands, 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def class_colours(count: int) -> np.ndarray:
    """A colour for each id in a mask, [256, 3]: neighbours differ in hue, any four in a row in
    brightness; what is not a class is light grey."""
    k = np.arange(count)
    pure = hsv_to_rgb(np.stack([k * 0.618 % 1, np.full(count, 0.8), np.ones(count)], 1))
    grey = (pure @ [0.299, 0.587, 0.114])[:, None]  # what a printer makes of it
    goal = np.take((0.7, 0.33, 0.52, 0.16), k % 4)[:, None]
    colours = np.where(goal < grey, pure * goal / grey, 1 - (1 - pure) * (1 - goal) / (1 - grey))
    return np.vstack([colours, np.full((NO_LABEL + 1 - count, 3), NOTHING)])


def class_legend(
    figure: Figure, ids: np.ndarray, classes: Sequence[str], also: Mapping[str, Any] = {}
) -> None:
    """Below the figure, the colours of the classes whose ids occur, and further entries."""
    palette = class_colours(len(classes))
    entries = {classes[k]: palette[k] for k in ids if k < len(classes)} | dict(also)
    handles = [Patch(color=colour, label=name) for name, colour in entries.items()]
    columns = min(8, len(handles))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8)
