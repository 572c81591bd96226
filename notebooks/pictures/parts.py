"""Pictures of embeddings: parts of several networks, as maps of the same samples."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom import plots
from discom.errors import DataError
from discom.evaluation.embeddings import Pairs, lay_out, some_of
from discom.plots.maps import draw_map, map_legend, write_in_corner
from discom.plots.panels import panels


def plot_parts(
    embedded: Mapping[str, Pairs],
    reads: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    title: str = "",
    shown: int = 400,
    seed: int = 0,
) -> Figure:
    """A row of UMAP maps for each network, a column for each part: colour is the class,
    marker and halo the sensor, lines join the views of a sample. In a corner stands
    what linear probes read there; see `plots.embedding_maps`.

    Args:
        embedded: name of a network, such as "before training" → its embeddings of the
            same samples: `embed_pairs(…)` of a run, `Pairs.of(…)` of arrays.
        reads: name of a network → what probes read of *all* its samples, in %: a row
            for each part, columns "sensor" and "class, <sensor>"; `read_parts(…)`, or
            made by probes of one's own.
        classes: their names, at most twelve.
        shown: how many samples are drawn.
        seed: of the choice of these and of the maps.

    A DataError for networks that embed other samples, and of `embedding_maps`.
    """
    first = next(iter(embedded.values()))
    for name, pairs in embedded.items():
        if not np.array_equal(pairs.labels, first.labels):
            found = f"'{name}' does not embed the samples of the first network"
            raise DataError("plot_parts", found, "give all networks the same samples")
    drawn = {name: some_of(pairs, shown, seed=seed) for name, pairs in embedded.items()}
    maps = {name: lay_out(pairs, seed=seed) for name, pairs in drawn.items()}
    sensors = list(next(iter(first.parts.values())))
    labels = some_of(first, shown, seed=seed).labels
    guess = 100 * np.bincount(first.labels).max() / len(first.labels)
    return plots.embedding_maps(maps, labels, sensors, classes, reads, guess, title)


def plot_panels(
    maps: Mapping[str, np.ndarray],
    labels: np.ndarray,
    sensors: Sequence[str],
    classes: Sequence[str],
    reads: pd.DataFrame,
    title: str,
) -> Figure:
    """Maps in rows of three, each with what probes read in its corner: colour is the
    class, marker and halo the sensor, lines join the views of ten samples.

    Args:
        maps: name of a panel → places [M, N, 2] of N samples in M sensors.
        labels: class of each sample [N].
        sensors: their M names, in the order of the maps.
        classes: their names, at most twelve.
        reads: a row for each panel, columns "sensor" and "class", in %.
    """
    rows = -(-len(maps) // 3)
    figure, axes = panels(rows, 3, 9.2, 2.9 * rows + 1.7)
    for axis in axes.flat[len(maps) :]:
        axis.axis("off")
    for axis, (name, places) in zip(axes.flat, maps.items(), strict=False):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color="0.85")
        axis.set_title(name, fontsize=13, fontweight="bold")
        draw_map(axis, places, labels, lines=10)
        sensor, label = reads.loc[name, ["sensor", "class"]]
        corner = f"sensor {sensor:.0f} %", f"class {label:.0f} %"
        write_in_corner(axis, places, *corner)
    figure.suptitle(title, fontsize=14, fontweight="bold")
    guess = f"a guess {100 / len(sensors):.0f} and {100 / len(classes):.0f} %"
    note = f"{len(labels)} scenes. Corner: how often a linear probe is right; {guess}."
    map_legend(figure, sensors, classes, note)
    return figure
