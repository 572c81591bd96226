"""Pictures of embeddings: scatter plots of a projection, coloured by what is known of each
sample."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from discom.errors import DataError
from discom.evaluation.projection import preserved, project
from discom.plots.marks import draw, explain, marks

__all__ = ["maps", "stability"]

CAPTION = "UMAP. Near points are alike; axes, distances between groups and the size of a group mean nothing."


def maps(panels: Mapping[str, np.ndarray], colours: Mapping[str, Any]) -> Figure:
    """A grid of scatter plots: a row for each embedding, a column for each thing to colour it by.

    Args:
        panels: name → positions [N, 2], such as `projection.project` returns; the same samples in
        each.
        colours: name → value of each sample [N], as in `marks`.

    Raises:
        DataError: nothing to draw, positions that are not [N, 2], or another number of samples
            somewhere.

    >>> figure = maps({"z": np.eye(2)}, {"class": ["cat", "dog"], "size": [0.1, 0.7]})
    >>> [axis.get_title() for axis in figure.axes[:2]]
    ['class', 'size']
    >>> plt.close(figure)
    """
    sizes = {f"panel {name}": np.shape(xy) for name, xy in panels.items()}
    chosen = {name: marks(values) for name, values in colours.items()}
    if not panels or not colours:
        raise DataError(
            f"maps: {len(panels)} panels, {len(colours)} colourings; give at least one of each"
        )
    count = len(next(iter(panels.values())))
    sizes |= {f"colouring {name}": (len(held.code), 2) for name, held in chosen.items()}
    for name, shape in sizes.items():
        if shape != (count, 2):
            raise DataError(
                f"maps: {name} has shape {shape}, the first panel {count} samples in 2 columns; align them"
            )
    rows, columns = len(panels), len(colours)
    entries = max(
        [1, *((len(held.labels) + 1) // 2 for held in chosen.values())]
    )  # legends have two columns
    figure, axes = plt.subplots(rows + 1, columns, squeeze=False, layout="constrained",
                                figsize=(3.1 * columns, 2.9 * rows + 0.2 * entries + 0.6),
                                height_ratios=[2.9] * rows + [0.2 * entries + 0.15])  # fmt: skip
    for axis_row, (name, xy) in zip(axes, panels.items(), strict=False):
        axis_row[0].set_ylabel(name)
        for axis, held in zip(axis_row, chosen.values(), strict=True):
            draw(axis, xy, held)
    for axis, foot, (name, held) in zip(axes[0], axes[-1], chosen.items(), strict=True):
        axis.set_title(name)
        explain(foot, held)
    figure.supxlabel(CAPTION, fontsize=8)
    return figure


def stability(
    z: np.ndarray,
    colour: Any,
    neighbors: Sequence[int] = (5, 15, 50),
    seeds: Sequence[int] = (0, 1),
) -> Figure:
    """The same embedding drawn again: a row for each seed, a column for each number of neighbours.

    What is not in every panel is not in the data. Under each panel stands the share of the 15
    nearest neighbours that the picture kept (`projection.preserved`).

    Args:
        z: embeddings [N, D].
        colour: value of each sample [N], as in `marks`.
        neighbors, seeds: as in `projection.project`.

    Raises:
        DataError, ConfigError: as `projection.project`.
    """
    held, kept = marks(colour), min(15, len(z) - 1)
    figure, axes = plt.subplots(len(seeds), len(neighbors), squeeze=False, layout="constrained",
                                figsize=(2.7 * len(neighbors) + 1.6, 2.7 * len(seeds) + 0.6))  # fmt: skip
    for axis_row, seed in zip(axes, seeds, strict=True):
        axis_row[0].set_ylabel(f"seed {seed}")
        for axis, count in zip(axis_row, neighbors, strict=True):
            xy = project(z, neighbors=count, seed=seed)
            draw(axis, xy, held)
            axis.set_xlabel(
                f"{100 * preserved(z, xy, kept):.0f} % of {kept} neighbours kept", fontsize=8
            )
    for axis, count in zip(axes[0], neighbors, strict=True):
        axis.set_title(f"{count} neighbours")
    explain(axes[0][-1], held, beside=True)
    figure.supxlabel(CAPTION, fontsize=8)
    return figure
