"""Images of one part of a split that come back in another: a perceptual hash proposes pairs,
correlation decides."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import imagehash
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from discom.data.images import resize
from discom.data.multimodal import MultiModalData, Split
from discom.files import chunks

__all__ = ["near_duplicates"]

SIDE = 32  # pixels of the small pictures that are compared
CANDIDATES = 32  # nearest hashes of an image that are compared pixel by pixel
DISTANCE, LIKENESS = 14, 0.85  # bits of 64 at most, and correlation at least
COLUMNS = ["modality", "part", "id", "other_part", "other_id", "distance", "likeness"]


class _Sketch(NamedTuple):
    """Ids, small pictures [N, ≤ 3, SIDE, SIDE] uint8, their hashes [N, 64] of 0 and 1, and the ids
    of images that show nothing."""

    ids: np.ndarray
    pictures: np.ndarray
    hashes: np.ndarray
    flat: np.ndarray


def near_duplicates(split: Split) -> pd.DataFrame:
    """Every image that has a near copy in an earlier part of the split, with the most alike one.

    Each image is scaled, made small (32×32, three bands at most) and hashed to 64 bits. Of the 32
    nearest hashes, those within 14 bits are compared pixel by pixel, over shifts by one small
    pixel; correlated by 0.85 or more is a copy. A copy that was turned, mirrored or cropped is not
    found.

    d(a, b) = Σ_k [a_k ≠ b_k];  r(a, b) = max_shift ⟨a, b_shift⟩ / (‖a‖ ‖b_shift‖)

    Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010.

    Returns:
        One row for each image and earlier part, most alike first: modality, part and id of the
        earlier image, other_part and other_id of the later one, distance d, likeness r.
        `attrs["flat"]`: modality → ids of images without any structure, which match none.

    >>> from discom import data
    >>> split = data.scenes.make(n=60, size=16).split()
    >>> leaky = split._replace(test=split.train.take(np.arange(2)))  # two training scenes
    >>> near_duplicates(leaky)[["modality", "part", "other_part", "distance"]].values.tolist()[0]
    ['rgb', 'train', 'test', 0]
    """
    matches, flat = [], {}
    for name in split.train.modalities:
        parts = {part: _sketch(data, name) for part, data in zip(split._fields, split, strict=True)}
        flat[name] = np.concatenate([sketch.flat for sketch in parts.values()]).tolist()
        for part, other in combinations(parts, 2):
            for first, second, *closeness in _matches(parts[part], parts[other]):
                matches.append((name, part, first, other, second, *closeness))
    table = pd.DataFrame(matches, columns=COLUMNS)
    table = table.sort_values("likeness", ascending=False, ignore_index=True)
    table.attrs["flat"] = flat
    return table


def _sketch(data: MultiModalData, name: str) -> _Sketch:
    modality = data.modalities[name]
    small = []
    for rows in chunks(modality.x, itemsize=4):
        small += [_small(image) for image in data.images(name, rows)]
    shows = np.array([picture is not None for picture in small], dtype=bool)
    pictures = np.array([picture for picture in small if picture is not None])
    hashes = np.array([_hash(picture) for picture in pictures], dtype=np.float32)
    return _Sketch(modality.ids[shows], pictures, hashes, modality.ids[~shows])


def _small(image: np.ndarray) -> np.ndarray | None:
    """[C, H, W] → [≤ 3, SIDE, SIDE], stretched over 0 … 255; None where all is flat."""
    bands = np.stack([group.mean(0) for group in np.array_split(image, min(3, len(image)))])
    small = resize(bands, (SIDE, SIDE), smooth=True)
    low, span = small.min(), np.ptp(small)
    return None if span < 1e-4 else np.round(255 * (small - low) / span).astype(np.uint8)


def _hash(picture: np.ndarray) -> np.ndarray:
    return imagehash.phash(Image.fromarray(picture.mean(0).astype(np.uint8))).hash.ravel()


def _matches(first: _Sketch, second: _Sketch) -> Iterator[tuple]:
    """(id in `first`, id in `second`, distance, likeness): the most alike pair of each image."""
    if not len(first.ids) or not len(second.ids):
        return
    # of 0 and 1, the squared Euclidean distance is Hamming's, and a matrix product
    nearest = NearestNeighbors(
        n_neighbors=min(CANDIDATES, len(first.ids)), algorithm="brute", metric="sqeuclidean"
    )
    bits, rows = nearest.fit(first.hashes).kneighbors(second.hashes)
    for start in range(0, len(rows), 64):
        some = slice(start, start + 64)
        alike = _likeness(first.pictures[rows[some]], second.pictures[some])
        alike = np.where(bits[some] < DISTANCE + 0.5, alike, -1)
        best = alike.argmax(1)
        for k in np.flatnonzero(alike.max(1) >= LIKENESS):
            row, column = start + k, best[k]
            pair = first.ids[rows[row, column]], second.ids[row]
            yield *pair, round(bits[row, column]), round(float(alike[k, column]), 3)


def _likeness(candidates: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """r of [n, K, C, SIDE, SIDE] and [n, C, SIDE, SIDE], [n, K]."""
    middle = _unit(candidates[..., 1:-1, 1:-1])  # [n, K, D]
    shifts = [pictures[..., i : SIDE - 2 + i, j : SIDE - 2 + j] for i in range(3) for j in range(3)]
    windows = np.stack([_unit(window) for window in shifts], axis=2)  # [n, D, 9]
    return (middle @ windows).max(-1).clip(max=1)


def _unit(windows: np.ndarray) -> np.ndarray:
    """The last three axes as one vector of length 1, each band's mean taken out."""
    centred = windows.astype(np.float32)
    centred -= centred.mean((-1, -2), keepdims=True)
    flat = centred.reshape(*centred.shape[:-3], -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-6)
