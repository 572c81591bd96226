"""Embeddings of samples that all sensors see, what probes read from their parts, and their place in
the plane."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from discom.data import MultiModalData
from discom.data.batches import ModalityTensor, paired_rows
from discom.errors import DataError
from discom.evaluation.probing import FOLDS, modality_probe, probe, standardised
from discom.evaluation.scores import BATCH_SIZE
from discom.labels import UNLABELLED
from discom.methods import Method


class Pairs(NamedTuple):
    """The embedding of N samples that M sensors see."""

    parts: dict[str, dict[str, np.ndarray]]  # part, such as "inv" → sensor → [N, D]
    labels: np.ndarray  # [N], classes

    @classmethod
    def of(cls, parts: Mapping[str, Mapping[str, Any]], labels: Any) -> "Pairs":
        """Embeddings of one's own, as `embed_pairs` gives those of a run.

        Args:
            parts: part → sensor → [N, D], arrays or tensors on any device. Every part has the same
                sensors; row i of each of them is sample i.
            labels: [N], the number of each sample's class, 0 or more.

        Raises:
            DataError: parts of other sensors, rows of other counts, or a sample without a class.

        >>> z = np.eye(3)
        >>> Pairs.of({"inv": {"rgb": z, "depth": torch.ones(3, 2)}}, [0, 2, 1]).labels
        array([0, 2, 1])
        """
        classes, arrays = _array(labels), dict[str, dict[str, np.ndarray]]()
        if classes.ndim != 1 or classes.dtype.kind not in "iu":
            found = f"labels are {classes.dtype} {list(classes.shape)}"
            raise DataError("Pairs", found, "give whole numbers [N], one for each sample")
        if (classes < 0).any():
            found = f"label {classes.min()} is no class"
            raise DataError("Pairs", found, "leave out samples without a label")
        for part, views in parts.items():
            arrays[part] = {name: _array(z) for name, z in views.items()}
            sensors = [*next(iter(arrays.values()))]
            if [*views] != sensors:
                found = f"'{part}' has the sensors {[*views]}, not {sensors}"
                raise DataError("Pairs", found, "give every part the same sensors in one order")
            for name, z in arrays[part].items():
                if z.ndim != 2 or len(z) != len(classes):
                    found = f"'{part}' of '{name}' is {list(z.shape)}, not [{len(classes)}, D]"
                    raise DataError("Pairs", found, "give a row to each label")
        return cls(arrays, classes)


def _array(values: Any) -> np.ndarray:
    """On the CPU, without a gradient."""
    return values.detach().cpu().numpy() if torch.is_tensor(values) else np.asarray(values)


@torch.inference_mode()
def embed_pairs(model: Method, test: MultiModalData) -> Pairs:
    """The embeddings that a method's networks make of the labelled samples that all sensors see.

    Of DisCoM-KD and its kind these are the parts of the embedding, of other methods with a network
    for each sensor its "features". Give a model whose networks are of one epoch, such as that of
    `load_run(…, epoch="last")`, or "first" before its training: the best epochs of two networks
    never met. A DataError for a method that has no embedding of one sensor.
    """
    sensors = list(test.modalities)
    rows = paired_rows(test, sensors)
    labels = test.modalities[sensors[0]].y[rows[sensors[0]]]
    known = labels != UNLABELLED
    views = {name: _embed(model.eval(), test, name, rows[name][known]) for name in sensors}
    parts = {part: {name: views[name][part] for name in sensors} for part in views[sensors[0]]}
    return Pairs(parts, labels[known])


def _embed(
    model: Method, test: MultiModalData, sensor: str, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Part → [N, D] of these rows of a sensor, computed where the model is."""
    images = ModalityTensor(test, sensor, next(model.parameters()).device)
    some = torch.from_numpy(rows).split(BATCH_SIZE[False])
    views = [model.embed(sensor, images[each]) for each in some]
    if not views[0]:
        found = f"{model.name} has no embedding of '{sensor}' alone"
        raise DataError("embed_pairs", found, "take a method with a network for each sensor")
    return {part: torch.cat([view[part] for view in views]).cpu().numpy() for part in views[0]}


def read_parts(pairs: Pairs, *, seed: int = 0) -> pd.DataFrame:
    """What fresh linear probes read from each part, in %: "sensor", which one a view is of, and
    "class, <sensor>" for each; see `probing`. NaN where a class has too few samples for a probe, or
    where nothing varies."""
    counts = np.bincount(pairs.labels)
    enough = (counts > 0).sum() > 1 and counts[counts > 0].min() >= FOLDS
    rows = {}
    for part, views in pairs.parts.items():
        sensors = len(views) > 1 and len(pairs.labels) >= FOLDS
        row = {"sensor": modality_probe(views, seed=seed) if sensors else np.nan}
        for name, z in views.items():
            row[f"class, {name}"] = probe(z, pairs.labels, seed=seed) if enough else np.nan
        rows[part] = row
    return pd.DataFrame(rows).T


def project(z: np.ndarray, *, neighbors: int = 15, seed: int = 0) -> np.ndarray:
    """Lay the rows of `z` [N, D] out in the plane by UMAP: positions [N, 2], float32.

    Units are standardised first. Only who is near whom is kept, as far as it can be; axes and the
    sizes and distances of groups mean nothing.

    Args:
        neighbors: how many nearest rows each row is tied to, 2 to N - 1; few invent small groups.
        seed: of the start and the order of the updates, on one thread.

    Raises:
        DataError: rows that are too few or not finite, or units of which none varies.
    """
    units = standardised(z, "project")
    needed = max(neighbors + 1, 4)  # UMAP's start needs four rows
    if len(units) < needed:
        few = f"{len(units)} rows are too few for neighbors={neighbors}"
        raise DataError("project", few, f"give {needed} or lower it")
    if not units.any():
        raise DataError("project", "no unit varies", "give rows of a trained run")
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optional parts that are missing, and few rows
        from umap import UMAP  # takes seconds, so only who draws a map waits for it

        layout = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
        places = layout.fit_transform(units.astype(np.float32))
    torch.set_num_threads(threads)  # numba takes all cores, for torch, too
    return places


def some_of(pairs: Pairs, most: int, *, seed: int = 0) -> Pairs:
    """So many samples at random, the same ones for embeddings of the same samples; or all."""
    order = np.random.default_rng(seed).permutation(len(pairs.labels))
    rows = np.sort(order[:most])
    parts = {
        part: {name: z[rows] for name, z in views.items()} for part, views in pairs.parts.items()
    }
    return Pairs(parts, pairs.labels[rows])


def lay_out(pairs: Pairs, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Part → places [M, N, 2] of the views of the samples, by `project`, all sensors of a part in
    one map; without parts in which nothing varies."""
    maps = {}
    for part, views in pairs.parts.items():
        z = np.concatenate([*views.values()])
        if np.ptp(z, axis=0).any():
            neighbors = min(15, len(z) - 1)
            maps[part] = project(z, neighbors=neighbors, seed=seed).reshape(len(views), -1, 2)
    return maps
