"""Pairs of images after each step of their preparation."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch

from course import SENSORS, SMALL, draw

TEXT = 12  # points


def show_pairs(
    blocks: Mapping[str, Mapping], title: str, names: Mapping[str, Sequence[str]] = {}
):
    """Scenes in columns, a row for each sensor, in blocks: heading → sensor, or what a
    row shows, → images [k, bands, H, W] as numbers in [0, 1]. `names` of a block stand
    below its scenes."""
    counts = [len(next(iter(block.values()))) for block in blocks.values()]
    lines = len(next(iter(blocks.values())))
    height = 0.75 + lines * 8.5 / sum(counts) + 0.3 * bool(names)
    figure = plt.figure(figsize=(9, height), layout="constrained")
    figure.get_layout_engine().set(hspace=0.02, wspace=0.02)
    figure.suptitle(title)
    widths = np.add(counts, [0.3, *[0] * (len(counts) - 1)])  # room for the first names
    columns = figure.subfigures(1, len(counts), width_ratios=widths, squeeze=False)[0]
    for part, (heading, block) in zip(columns, blocks.items(), strict=True):
        part.suptitle(heading, **SMALL | {"fontsize": TEXT})
        axes = part.subplots(lines, len(next(iter(block.values()))), squeeze=False)
        for line, (sensor, images) in zip(axes, block.items(), strict=True):
            for axis, image in zip(line, images, strict=True):
                draw(axis, torch.as_tensor(image))
            if part is columns[0]:
                line[0].set_ylabel(SENSORS.get(sensor, sensor), fontsize=TEXT)
        for axis, name in zip(axes[-1], names.get(heading, ()), strict=False):
            axis.set_xlabel(name, fontsize=TEXT)
    return figure


def near_ones(
    pairs: Sequence[tuple[str, str]], images: Mapping, far: np.ndarray, count: int = 6
) -> list[tuple[str, str]]:
    """So many of these pairs of names, evenly spaced: of scenes that are near, since
    depth shows them well, and whose first name has an image."""
    clear = [
        pair
        for pair in pairs
        if pair[0] in images and not any(far[int(name.split("_")[1])] for name in pair)
    ]
    places = (np.arange(count) + 0.5) * len(clear) / count
    return [clear[int(place)] for place in places]


def show_holes(ways: Mapping[str, np.ndarray], title: str):
    """One depth image [1, H, W] for each way to scale it, heading → numbers in [0, 1];
    white where there is nothing."""
    figure, axes = plt.subplots(
        1, len(ways), figsize=(9.2, 3.0), layout="constrained", squeeze=False
    )
    figure.suptitle(title)
    colours = plt.get_cmap("viridis").with_extremes(bad="white")
    for axis, (heading, image) in zip(axes[0], ways.items(), strict=True):
        mesh = axis.imshow(np.ma.masked_invalid(image[0]), colours, vmin=0, vmax=1)
        axis.set_axis_off()
        axis.set_title(heading, **SMALL | {"fontsize": TEXT})
    bar = figure.colorbar(mesh, ax=axes[0].tolist(), ticks=[0, 0.5, 1], pad=0.02)
    bar.ax.set_yticklabels(["0, far", "0.5", "1, near"])
    return figure
