"""How samples are drawn: what a colour and a marker stand for, readable without colours too."""

from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_hex
from matplotlib.lines import Line2D

from discom.plots import COLOURS

__all__ = ["Marks", "draw", "explain", "marks"]

MARKERS = "os^Dv*PX<>"
AREAS = (
    1,
    0.9,
    1.2,
    0.65,
    1.2,
    1.9,
    1.3,
    1.3,
    1.2,
    1.2,
)  # a class shall not look larger for its marker
RAMP = [
    to_hex(colour) for colour in mpl.colormaps["viridis"](np.linspace(0, 1, 256))
]  # darker is less, in grey too
UNKNOWN = "#b0b0b0"


@dataclass(frozen=True, eq=False)
class Marks:
    """How samples are drawn: a colour and a marker each, and what these mean.

    Args:
        code: place of each sample in `palette` and `shapes` [N].
        palette: colours, as hexadecimal text; the last one is for what is not known.
        shapes: place in MARKERS that goes with each colour.
        labels: what each place means where they are categories; empty for a scale.
        limits: value of the first and the last colour of a scale, in the unit of the values.
    """

    code: np.ndarray
    palette: list[str]
    shapes: list[int]
    labels: tuple[str, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)


def marks(values: Any) -> Marks:
    """Choose colours and markers: text, truth values and up to ten integers are categories, other
    numbers a scale.

    Up to nine categories can be told apart at a glance; NaN is drawn grey.

    Args:
        values: [N] of any type; a pandas Categorical keeps the order of its categories.

    >>> marks(["b", "a", "b"]).labels, marks([0.5, 2.5]).limits
    (('a', 'b'), (0.5, 2.5))
    """
    if not isinstance(values, pd.Categorical):
        values = np.asarray(values)
    kind = values.dtype.kind
    if kind == "f" or (kind in "iu" and len(np.unique(values)) > len(MARKERS)):
        known = np.isfinite(values)
        low, high = (values[known].min(), values[known].max()) if known.any() else (0, 1)
        share = (np.where(known, values, low) - low) / max(high - low, np.finfo(float).tiny)
        code = np.where(known, np.round(255 * share), 256).astype(int)
        return Marks(code, [*RAMP, UNKNOWN], [0] * 257, limits=(float(low), float(high)))
    held = pd.Categorical(values)
    places, hues = range(len(held.categories)), COLOURS.as_hex()
    palette = [hues[place % len(hues)] for place in places]
    shapes = [
        (place + place // len(hues)) % len(MARKERS) for place in places
    ]  # no pair of both comes twice up to 100
    code = np.where(held.codes < 0, len(held.categories), held.codes).astype(int)
    return Marks(code, [*palette, UNKNOWN], [*shapes, 0], tuple(map(str, held.categories)))


def draw(axis: Axes, xy: np.ndarray, held: Marks, style: np.ndarray | int = 0) -> None:
    """Scatter the samples at `xy` [N, 2] as small points without ticks.

    `style` [N]: 0 filled, 1 outline only, 2 filled with a black outline.
    """
    xy, style = np.asarray(xy), np.broadcast_to(style, len(xy))
    size = float(np.clip(4000 / max(len(xy), 1), 6, 22))
    shapes, paints = np.array(held.shapes)[held.code], np.array(held.palette)[held.code]
    # the group drawn last would hide the others, so all are drawn in turn, an eighth of each at a
    # time
    turns = pd.DataFrame({"turn": np.arange(len(xy)) % 8, "shape": shapes, "style": style})
    for (_, shape, outline), rows in sorted(turns.groupby([*turns]).indices.items()):
        paint = paints[rows].tolist()
        inside, edge, width = ((paint, "none", 0), ("none", paint, 0.7), (paint, "black", 0.5))[
            outline
        ]
        axis.scatter(*xy[rows].T, marker=MARKERS[shape], s=size * AREAS[shape], alpha=0.8, facecolors=inside,
                     edgecolors=edge, linewidths=width)  # fmt: skip
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():  # a thin box: two lines would look like axes with a meaning
        spine.set(visible=True, linewidth=0.5, color="0.6")


def explain(axis: Axes, held: Marks, beside: bool = False) -> None:
    """What colours and markers mean: a legend or a colour bar that fills `axis`, or stands `beside`
    it."""
    if not beside:
        axis.axis("off")
    if held.labels:
        handles = [
            Line2D(
                [], [], linestyle="", color=colour, marker=MARKERS[shape], markersize=5, label=label
            )
            for colour, shape, label in zip(held.palette, held.shapes, held.labels, strict=False)
        ]
        spot = (
            {"loc": "upper left", "bbox_to_anchor": (1, 1)}
            if beside
            else {"loc": "upper center", "ncols": 2}
        )
        axis.legend(
            handles=handles, frameon=False, fontsize=8, handletextpad=0.1, columnspacing=1, **spot
        )
        return
    inset = axis.inset_axes((1.05, 0, 0.05, 1) if beside else (0.05, 0.75, 0.9, 0.2))
    scale = ScalarMappable(Normalize(*held.limits), ListedColormap(RAMP))
    bar = axis.figure.colorbar(scale, cax=inset, orientation="vertical" if beside else "horizontal")
    bar.ax.tick_params(labelsize=8)
