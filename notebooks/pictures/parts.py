"""The picture of an embedding: its parts, of several networks, as maps of the same
samples."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom import plots
from discom.errors import DataError
from discom.evaluation.embeddings import Pairs, lay_out, some_of


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
