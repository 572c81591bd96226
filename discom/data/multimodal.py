"""MultiModalData: what every loader returns and everything else takes; the same id is a pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from discom.data import checks, pixels, splitting
from discom.data.lazy_arrays import native, read_only, take_rows
from discom.data.prepared import write_folder
from discom.data.scaling import Normalization
from discom.data.splitting import Origin, Split
from discom.errors import DataError
from discom.files import digest
from discom.labels import UNLABELLED

TWIN = "_twin"  # ends the name of a sensor's copy, see `select`


@dataclass(frozen=True, eq=False, repr=False)
class Modality:
    """One sensor's view: images, labels and sample ids.

    Args:
        x: images [N, C, H, W], real numbers in the sensor's unit; an array in memory or on disk.
        y: class of each sample [N], int64, in [0, classes), or -1: not labelled.
        ids: name of each sample [N], integers or strings; equal ids are the same scene.
        unit: of the pixels, such as "m", "dB" or "K".
        invalid: the value of unmeasured pixels, such as 0 for depth; see `Normalization`.
        symmetry: what augmentation may do to the images: "all", flips and quarter turns (cells,
            satellites); "flip", left–right (street scenes); "none"; or "rotate" (signals, each
            three channels axes in space).
    """

    x: Any
    y: np.ndarray
    ids: np.ndarray
    unit: str = ""
    invalid: float | None = None
    symmetry: str = "flip"

    def __post_init__(self):
        y = self.y
        if isinstance(y, np.ndarray) and y.dtype.kind in "iu":
            object.__setattr__(self, "y", y.astype(np.int64, copy=False))
        object.__setattr__(self, "ids", native(self.ids))
        for name in ("x", "y", "ids"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def take(self, rows: np.ndarray) -> "Modality":
        """The samples at `rows`; what is on disk stays there."""
        return replace(self, x=take_rows(self.x, rows), y=self.y[rows], ids=self.ids[rows])


@dataclass(frozen=True, eq=False, repr=False)
class MultiModalData:
    """Modalities over one set of classes, paired by sample id, partly paired, or not at all.

    Args:
        modalities: name → Modality. Names are lower-case letters, digits and underscores.
        classes: class names; label k means classes[k].
        factors: name → what is known of each sample, aligned with `ids`.
        groups: of each sample, aligned with `ids`: a split never divides one.
        masks: something per pixel [N, H, W], aligned with `ids`. Where `dense`, uint8 ids of
            `classes`, 255 for "no label", and `y` is the most frequent one, or -1 if there is none.
        normalization: modality → bounds fitted on a training split; None before a split.
        parts: the split that the data came with, as rows of `ids`; else `fractions` divide them.
        about: where the data are from and what was done to them.
        best: modality, or "rgb+depth" → the best possible accuracy or mIoU in %, where it is known.

    A DataError for arrays that do not fit together, see `checks.check_data`.

    >>> x, y, ids = np.zeros((4, 1, 2, 2), "float32"), np.array([0, 0, 1, 1]), np.arange(4)
    >>> rgb, depth = Modality(x, y, ids), Modality(x[:3], y[:3], ids[:3])
    >>> data = MultiModalData({"rgb": rgb, "depth": depth}, ("cat", "dog"))
    >>> len(data), data.paired_ids.tolist()
    (4, [0, 1, 2])
    """

    modalities: Mapping[str, Modality]
    classes: tuple[str, ...]
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    masks: Any = None
    groups: np.ndarray | None = None
    name: str = "data"
    normalization: Mapping[str, Normalization] | None = None
    parts: Mapping[str, np.ndarray] | None = None
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    dense: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    # of data as they were drawn, and of parts as they were split, which part of what: neither
    # `replace` nor `changed` copies them, so that changed data are known
    drawn: Mapping[str, Any] | None = field(default=None, init=False)
    origin: tuple[str, Origin] | None = field(default=None, init=False)

    def __post_init__(self):
        object.__setattr__(self, "masks", read_only(self.masks))
        object.__setattr__(self, "groups", read_only(native(self.groups)))
        factors = {k: read_only(native(values)) for k, values in self.factors.items()}
        object.__setattr__(self, "factors", factors)
        checks.check_data(self)

    def changed(self, **values: Any) -> "MultiModalData":
        """As `dataclasses.replace`, but without checks: what is made of valid data is valid."""
        data = object.__new__(MultiModalData)
        current = {field.name: getattr(self, field.name) for field in fields(self)}
        vars(data).update({**current, "drawn": None, "origin": None, **values})
        return data

    def __repr__(self) -> str:
        sizes = [f"{k} {'×'.join(map(str, m.x.shape))}" for k, m in self.modalities.items()]
        groups = "" if self.groups is None else f" and {len(np.unique(self.groups))} groups"
        counts = f"{len(self)} samples in {len(self.classes)} classes{groups}"
        return f"{counts}, {len(self.paired_ids)} complete pairs; {', '.join(sizes)}"

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def ids(self) -> np.ndarray:
        """Every sample's id once, in order of first appearance over the modalities, [N]."""
        every = pd.unique(np.concatenate([m.ids for m in self.modalities.values()]))
        return read_only(np.asarray(every))

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.ids)

    def rows_of(self, name: str) -> np.ndarray:
        """Rows of `ids` (and of labels, factors, masks, groups) that modality `name` has."""
        return self._index.get_indexer(pd.Index(self.modalities[name].ids))

    @cached_property
    def labels(self) -> np.ndarray:
        """The class of every id, [N] int64, -1 where it has no label."""
        labels = np.zeros(len(self), dtype=np.int64)
        for name in reversed(list(self.modalities)):
            labels[self.rows_of(name)] = self.modalities[name].y
        return read_only(labels)

    @cached_property
    def has(self) -> dict[str, np.ndarray]:
        """Modality → whether it has each of the `ids`, [N]."""
        return {name: np.isin(self.ids, m.ids) for name, m in self.modalities.items()}

    @property
    def group_ids(self) -> np.ndarray:
        """What varies on its own, the group of each sample, [N], or where there are none its id."""
        return self.ids if self.groups is None else self.groups

    @property
    def paired_ids(self) -> np.ndarray:
        """The ids that every modality has, in the order of `ids`."""
        return self.ids[np.logical_and.reduce([*self.has.values()])]

    @property
    def channels(self) -> dict[str, int]:
        """Modality → number of bands."""
        return {name: m.x.shape[1] for name, m in self.modalities.items()}

    def shape_of(self, network: str) -> tuple[int, int, int]:
        """[C, H, W] that a network reads of one sensor, or of several, "rgb+depth", stacked; a
        DataError where their sizes differ."""
        shapes = {name: self.modalities[name].x.shape[1:] for name in network.split("+")}
        if len({shape[1:] for shape in shapes.values()}) > 1:
            sizes = ", ".join(f"{k} {'×'.join(map(str, shape))}" for k, shape in shapes.items())
            found = f"images of {sizes} cannot be stacked"
            raise DataError(self.name, found, "bring them to one size or rate")
        _, height, width = next(iter(shapes.values()))
        return sum(shape[0] for shape in shapes.values()), height, width

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen digits that name the content; pixels are checked when they are read for it."""
        modalities = self.modalities.items()
        contents = {k: pixels.check_images(m.x, self, k) for k, m in modalities}
        if self.dense:
            contents["masks"] = pixels.check_masks(self.masks, self)
        # the False, and that "all" is left out, are part of the digests in results/
        parts = [list(self.classes), False, contents]
        for name, modality in modalities:
            parts += [name, np.asarray(modality.ids).astype(str), modality.y, modality.invalid]
            parts += [modality.symmetry] if modality.symmetry != "all" else []
        parts += [np.asarray(self.groups).astype(str)] if self.groups is not None else []
        parts += [rows for _, rows in sorted((self.parts or {}).items())]
        return digest(*parts)

    def drawn_by(self, generator: str, seed: int, **arguments: Any) -> "MultiModalData":
        """These data, which the generator gave for seed and arguments; they need no fingerprint."""
        drawn = {"generator": generator, "seed": seed, **arguments}
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in drawn.items()}
        return self.changed(drawn=plain)

    def origin_at(self, seed: int, folds: int = 0, fold: int = 0) -> Origin:
        """The origin of `split` with these arguments. Nothing is read of drawn data."""
        content = {name: value for name, value in (self.drawn or {}).items() if name != "seed"}
        samples = digest(content) if self.drawn else self.fingerprint
        drawn = self.drawn["seed"] if self.drawn else None
        if self.parts and not folds:
            return Origin(samples, "official", drawn)
        rule = f"{folds} stratified folds" if folds else f"{self.fractions}"
        rule += " by group" * (self.groups is not None)
        return Origin(samples, rule, drawn, seed, fold if folds else None, folds)

    def select(self, names: str | Sequence[str]) -> "MultiModalData":
        """The same data with the modalities `names` alone, such as "rgb+depth", in that order. One
        that ends in "_twin" is a copy: the control with a second network and no other sensor."""
        names = checks.listed(names) or []
        copies = {name + TWIN: sensor for name, sensor in self.modalities.items()}
        sensors = {**copies, **self.modalities}
        wrong = [name for name in names if name not in sensors or names.count(name) > 1]
        if wrong or not names:
            found = f"no modality {wrong}, or named twice"
            raise DataError(self.name, found, f"there are {[*self.modalities]}")
        if list(names) == list(self.modalities):
            return self
        base = self.name.removesuffix("-" + "-".join(self.modalities))
        part = self.with_modalities({name: sensors[name] for name in names}, self.parts)
        drawn = {**self.drawn, "modalities": list(names)} if self.drawn else None
        return part.changed(name="-".join([base, *names]), drawn=drawn)

    def take(self, rows: np.ndarray) -> "MultiModalData":
        """The samples at `rows` of `ids`, in every modality that has them."""
        modalities, ids = {}, self._index[rows]
        for name, modality in self.modalities.items():
            places = pd.Index(modality.ids).get_indexer(ids)
            modalities[name] = modality.take(places[places >= 0])
        return self.with_modalities(modalities)

    def with_modalities(
        self, modalities: Mapping[str, Modality], parts: Mapping[str, np.ndarray] | None = None
    ) -> "MultiModalData":
        """Other `modalities`, made of its own, with what is known of their samples, and `parts`."""
        bare = self.changed(modalities=modalities)
        rows = self._index.get_indexer(bare._index)
        parts = {
            k: bare._index.get_indexer(self._index[places]) for k, places in (parts or {}).items()
        }
        return bare.changed(
            factors={name: read_only(values[rows]) for name, values in self.factors.items()},
            masks=None if self.masks is None else read_only(take_rows(self.masks, rows)),
            groups=None if self.groups is None else read_only(self.groups[rows]),
            parts={name: places[places >= 0] for name, places in parts.items()} or None,
        )

    def keep_labels(self, labelled: float, seed: int = 0, groups: int = 0) -> "MultiModalData":
        """The same samples, of whose labels a share in (0, 1] is kept and the others are -1.

        They are drawn in each class (where dense, of all as one) of samples that the same
        modalities have, one at least. A larger share keeps all that a smaller one keeps.
        With `groups` as many from so many groups, evenly spaced by name from number `seed` on; a
        warning names a class that these lack.
        """
        checks.check_number("labelled", labelled, 1e-6, 1, whole=False)
        checks.check_number("seed", seed, 0)
        checks.check_number("groups", groups, 0)
        hide = splitting.hidden_rows(self, labelled, seed, groups)
        labels = np.where(hide, UNLABELLED, self.labels)
        hidden = {k: replace(m, y=labels[self.rows_of(k)]) for k, m in self.modalities.items()}
        return self.changed(modalities=hidden)

    def split_indices(self, seed: int = 0, folds: int = 0, fold: int = 0) -> dict[str, np.ndarray]:
        """Part → its rows of `ids`, as `split` takes them, or a DataError; no pixel is read."""
        checks.check_number("seed", seed, 0)
        rows = splitting.fold_rows(self, folds, seed, fold) if folds else self.parts
        rows = dict(rows or splitting.split_rows(self, seed))
        for part in () if self.dense else ("valid", "test"):
            rows[part] = rows[part][self.labels[rows[part]] >= 0]
        checks.check_parts(self, rows if folds != 1 else {"train": rows["train"]})
        return rows

    def split(self, seed: int = 0, folds: int = 0, fold: int = 0) -> Split:
        """The split that came with the data, or else one by class and by group, near `fractions`;
        bounds are fitted on the training part, the only one with unlabelled samples. Where `folds`
        is not 0, number `fold` of so many; of one fold all samples train, and those with a label
        validate and test, too. A DataError for too few labels or groups of a class, or pixels that
        are not finite."""
        rows = self.split_indices(seed, folds, fold)
        origin = self.origin_at(seed, folds, fold)  # its digest checks the pixels
        parts, bounds = {name: self.take(places) for name, places in rows.items()}, {}
        for name, m in parts["train"].modalities.items():
            bounds[name] = Normalization.fit(m.x, f"{self.name}/{name}", m.invalid)
        return Split(
            *(part.changed(normalization=bounds, origin=(k, origin)) for k, part in parts.items())
        )

    def images(self, name: str, rows: Any = slice(None)) -> np.ndarray:
        """Images of modality `name`, scaled to [0, 1] where the bounds are known, float32."""
        x = self.modalities[name].x[rows]
        return self.normalization[name](x) if self.normalization else np.array(x, "f4")

    def save(self, folder: Any, *, overwrite: bool = False) -> None:
        """Write one folder that `discom.data.load` reads, whole or not at all, images as they are.
        A DataError where it exists and is not ours, or is ours and `overwrite` is false, and for
        pixels that `split` refuses."""
        write_folder(folder, self, overwrite=overwrite)
