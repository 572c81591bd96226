"""Images of one part of a split that come back in another, found by small pictures of them."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors, radius_neighbors_graph

from discom.data.arrays import Normalization
from discom.data.images import resize
from discom.data.multimodal import MultiModalData, Split
from discom.files import chunks

SIDE = 16  # pixels of the small grey pictures
LIKENESS = 0.85  # cosine of two near copies at least
COLUMNS = ["modality", "part", "id", "other_part", "other_id", "likeness"]


def near_duplicates(split: Split) -> pd.DataFrame:
    """Every image that has a near copy in an earlier part of the split, with the most alike one.

    Each image is scaled and shrunk to a grey picture of 16×16 pixels; e is the differences between
    neighbouring pixels of it. Near copies have r(a, b) = ⟨e_a, e_b⟩ / (‖e_a‖ ‖e_b‖) ≥ 0.85.

    Copies that were saved as JPEG or made darker are found, and most that were moved by one pixel
    of 64; turned, mirrored and cropped ones are not. Of 1 000 synthetic scenes of 64×64 pixels, 6
    are taken for a copy of another (in RGB; none in depth), of 200 EuroSAT patches none.

    Returns:
        One row for each image and earlier part, most alike first: modality, part and id of the
        earlier image, other_part and other_id of the later one, likeness r.
        `attrs["flat"]`: modality → ids of images without any structure, which match none.
    """
    matches, flat = [], {}
    for name in split.train.modalities:
        parts = {k: v for k, v in split._asdict().items() if len(v.modalities[name].x)}
        ids = {part: data.modalities[name].ids for part, data in parts.items()}
        edges = {part: _edges(data, name) for part, data in parts.items()}
        flat[name] = [i for part in parts for i in ids[part][~edges[part].any(1)].tolist()]
        for part, other in combinations(parts, 2):
            nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(edges[part])
            distances, rows = (columns[:, 0] for columns in nearest.kneighbors(edges[other]))
            for copy in np.flatnonzero(1 - distances >= LIKENESS):
                pair = (name, part, ids[part][rows[copy]], other, ids[other][copy])
                matches.append((*pair, 1 - distances[copy]))
    table = pd.DataFrame(matches, columns=COLUMNS)
    table = table.sort_values("likeness", ascending=False, ignore_index=True)
    table.attrs["flat"] = flat
    return table


def near_groups(data: MultiModalData) -> np.ndarray:
    """A number for each id, [N], equal where images of a modality are near copies (those of
    `near_duplicates`, also by way of others). As `groups` of the data set, no split divides them.

    >>> from discom.data import scenes
    >>> near_groups(scenes.make(n=9, size=32)).tolist()  # no two are alike
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    near, bounds = csr_array((len(data), len(data))), {}
    for name, m in data.modalities.items():
        bounds[name] = Normalization.fit(m.x, f"{data.name}/{name}", m.invalid)
        edges = _edges(replace(data, normalization=bounds), name)
        rows = data.rows_of(name)
        seen = edges.any(1)  # a flat image matches none
        graph = radius_neighbors_graph(edges[seen], 1 - LIKENESS, metric="cosine").tocoo()
        places = rows[seen][graph.row], rows[seen][graph.col]
        near += csr_array((graph.data, places), near.shape)
    return connected_components(near)[1]


def _edges(data: MultiModalData, name: str) -> np.ndarray:
    """Differences between neighbours in the small picture of each image, [N, D]; 0 where flat."""
    edges = []
    for rows in chunks(data.modalities[name].x, itemsize=4):
        pictures = resize(data.images(name, rows).mean(1), (SIDE, SIDE), smooth=True)
        pictures[np.ptp(pictures, (1, 2)) < 1e-4] = 0
        steps = np.diff(pictures, axis=1), np.diff(pictures, axis=2)
        edges.append(np.hstack([step.reshape(len(pictures), -1) for step in steps]))
    return np.concatenate(edges)
