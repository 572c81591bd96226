"""MultiModalData: what every loader returns and everything else takes. Samples with the same id are
pairs."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.data.checks import check_classes, check_data, check_images, check_labelled, check_masks
from discom.data.lazy import take_rows
from discom.data.normalize import Normalization
from discom.data.prepared import read_folder, write_folder
from discom.data.splitting import PARTS, split_rows
from discom.errors import ConfigError, DataError
from discom.files import digest

__all__ = ["Modality", "MultiModalData", "Split"]


@dataclass(frozen=True, eq=False)
class Modality:
    """One sensor's view: images, labels and sample ids.

    Args:
        x: images [N, C, H, W], real numbers in the sensor's unit; an array, or one that is read in
        parts.
        y: class of each sample [N], int64, in [0, classes).
        ids: name of each sample [N], integers or strings; the same id in another modality is the
        same scene.
        unit: of the pixels, such as "m", "dB" or "K"; empty where they have none.
        invalid: the value that stands for "nothing was measured here", such as 0 for depth; None
            where there is none.
    """

    x: Any
    y: np.ndarray
    ids: np.ndarray
    unit: str = ""
    invalid: float | None = None

    def take(self, rows: np.ndarray) -> "Modality":
        """The samples at `rows`; what is on disk stays there."""
        return replace(self, x=take_rows(self.x, rows), y=self.y[rows], ids=self.ids[rows])


class Split(NamedTuple):
    """Training, validation and test part of one data set; no id (and no group) is in two of
    them."""

    train: "MultiModalData"
    valid: "MultiModalData"
    test: "MultiModalData"


@dataclass(frozen=True, eq=False)
class MultiModalData:
    """Any number of modalities over one set of classes, paired by sample id, partly paired, or not
    at all.

    Args:
        modalities: name → Modality. Names are lower-case letters, digits and underscores.
        classes: class names; label k means classes[k].
        factors: name → value per sample, aligned with `ids`; what is known of how a sample came to
        be.
        masks: something per pixel [N, H, W], aligned with `ids`; see `dense`.
        groups: samples with equal value are never separated by a split, aligned with `ids`.
        name: for folders and tables.
        normalization: modality → bounds fitted on a training split; None before a split.
        normalized: true when `x` is scaled already (a folder in the released code's format).
        parts: the split that the data came with, as rows of `ids`; `split()` then returns this one.
        fractions: how `split()` divides when it is not told.
        scaling: "train" fits the bounds on the training part; "whole" on everything, the test part
            included, as the released code of DisCoM-KD does.
        dense: whether every pixel has a class: `masks` then holds uint8 ids of `classes`, 255 for
            "no label", and `y` the most frequent one.
        about: where the data are from and what was done to them; kept in the manifest of a prepared
            folder.

    Raises:
        DataError: arrays of different length, labels out of range, an id twice, an id with two
            labels.

    >>> import numpy as np
    >>> x, y, ids = np.zeros((4, 1, 2, 2), "float32"), np.array([0, 0, 1, 1]), np.arange(4)
    >>> data = MultiModalData({"rgb": Modality(x, y, ids), "depth": Modality(x[:3], y[:3], ids[:3])}, ("cat", "dog"))
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
    normalized: bool = False
    parts: Mapping[str, np.ndarray] | None = None
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    scaling: str = "train"
    dense: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        check_data(self)

    @cached_property
    def ids(self) -> np.ndarray:
        """Every sample's id once, in order of first appearance over the modalities, [N]."""
        return pd.unique(np.concatenate([m.ids for m in self.modalities.values()]))

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.ids)

    def rows_of(self, name: str) -> np.ndarray:
        """Where the samples of modality `name` stand in `ids` (and in labels, factors, masks and
        groups)."""
        return self._index.get_indexer(self.modalities[name].ids)

    @cached_property
    def labels(self) -> np.ndarray:
        """The class of every id, [N] int64."""
        labels = np.zeros(len(self), dtype=np.int64)
        for name in reversed(self.modalities):
            labels[self.rows_of(name)] = self.modalities[name].y
        return labels

    @cached_property
    def paired_ids(self) -> np.ndarray:
        """The ids that every modality has, in the order of `ids`."""
        held = [np.isin(self.ids, modality.ids) for modality in self.modalities.values()]
        return self.ids[np.logical_and.reduce(held)]

    @cached_property
    def _pixels_checked(self) -> bool:
        """Whether every pixel can be learned from, or an error; looked at once, however often the
        data are divided."""
        for name, modality in self.modalities.items():
            check_images(modality.x, f"{self.name}/{name}")
        if self.dense:
            check_masks(self.masks, len(self.classes), self.name)
        return True

    @property
    def channels(self) -> dict[str, int]:
        """Modality → number of bands."""
        return {name: modality.x.shape[1] for name, modality in self.modalities.items()}

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """A name for the content: the same arrays give the same sixteen digits on every machine."""
        parts = [list(self.classes), self.normalized]
        for name, modality in self.modalities.items():
            parts += [name, np.asarray(modality.ids).astype(str), modality.y, modality.x]
            parts += [modality.invalid] if modality.invalid is not None else []
        parts += [self.groups] if self.groups is not None else []
        parts += [rows for _, rows in sorted((self.parts or {}).items())]
        parts += [self.masks] if self.dense else []
        parts += [self.scaling] if self.scaling != "train" else []
        return digest(*parts)

    def select(self, names: Sequence[str]) -> "MultiModalData":
        """The same data with the modalities `names` alone, in that order."""
        unknown = [name for name in names if name not in self.modalities]
        if len(set(names)) < len(names):
            raise DataError(f"{self.name}: {list(names)} names a modality twice; name each once")
        if unknown or not names:
            raise DataError(
                f"{self.name}: no modality {unknown}; there are {list(self.modalities)}"
            )
        if list(names) == list(self.modalities):
            return self
        kept = self.having({name: self.modalities[name] for name in names})
        return replace(
            kept, name="-".join([self.name.removesuffix("-" + "-".join(self.modalities)), *names])
        )

    def having(self, modalities: Mapping[str, Modality]) -> "MultiModalData":
        """The same data with other `modalities`, made of its own; a split that it came with
        stays."""
        kept = replace(self, modalities=modalities, factors={}, masks=None, groups=None, parts=None)
        kept = kept._aligned_with(self)
        if self.parts is None:
            return kept
        rows = {
            part: kept._index.get_indexer(self.ids[found]) for part, found in self.parts.items()
        }
        return replace(kept, parts={part: found[found >= 0] for part, found in rows.items()})

    def take(self, rows: np.ndarray) -> "MultiModalData":
        """The samples at `rows` of `ids`, in every modality that has them."""
        chosen = pd.Index(self.ids[rows])
        modalities = {
            name: modality.take(found[found >= 0])
            for name, modality in self.modalities.items()
            for found in [pd.Index(modality.ids).get_indexer(chosen)]
        }
        kept = replace(self, modalities=modalities, factors={}, masks=None, groups=None, parts=None)
        return kept._aligned_with(self)

    def _aligned_with(self, whole: "MultiModalData") -> "MultiModalData":
        rows = whole._index.get_indexer(self.ids)
        return replace(
            self,
            factors={name: values[rows] for name, values in whole.factors.items()},
            masks=None if whole.masks is None else take_rows(whole.masks, rows),
            groups=None if whole.groups is None else whole.groups[rows],
        )

    def protocol(self, split: str | None = None, scaling: str = "train") -> "MultiModalData":
        """The same data with one of the ways to divide and scale it that it allows.

        Args:
            split: "official" (the parts that came with the data), "grouped" (70/10/20 by seed,
                groups whole) or "random" (70/10/20 by seed, near-duplicates on both sides). None
                keeps the first that there is.
            scaling: "train" or "whole", see the class; "whole" warns, since it reads the test part.

        Raises:
            ConfigError: an unknown word, or a split that these data do not have.
        """
        if scaling not in ("train", "whole"):
            raise ConfigError(f"scaling: '{scaling}' is unknown; choose train or whole")
        has = {
            "official": self.parts is not None,
            "grouped": self.groups is not None,
            "random": True,
        }
        if split is not None and not has.get(split):
            there = " or ".join(name for name, found in has.items() if found)
            raise ConfigError(f"split: {self.name} has no split '{split}'; choose {there}")
        first = next(name for name, found in has.items() if found)
        if self.normalized and (scaling == "whole" or split not in (None, first)):
            raise ConfigError(
                f"{self.name}: is divided and scaled already; take the folder that was made without"
            )
        if scaling == "whole":
            warnings.warn(
                f"{self.name}: scaling=whole takes its bounds from the test part too", stacklevel=2
            )
        suffix = "-whole" * (scaling == "whole")
        if split in (None, first):
            return replace(self, name=self.name + suffix, scaling=scaling)
        parts, groups = (None, self.groups) if split == "grouped" else (None, None)
        # "sunrgbd-grouped" becomes "sunrgbd", whose figures are the paper's; "hls", grouped,
        # becomes "hls-random"
        base, ours = self.name.removesuffix(f"-{first}"), self.name.endswith(f"-{first}")
        name = base if ours and split == "random" else f"{base}-{split}"
        return replace(self, name=name + suffix, parts=parts, groups=groups, scaling=scaling)

    def divide(
        self, fractions: Sequence[float] | None = None, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Rows of `ids` of the three parts; `split` makes data of them and says more."""
        if not self.dense:
            check_classes(self.labels, self.classes, self.name)
        if fractions is None and self.parts is not None:
            return {part: self.parts[part] for part in PARTS}
        strata = (
            np.zeros(len(self), dtype=np.int64) if self.dense else self.labels
        )  # a mask holds many classes
        rows = split_rows(strata, fractions or self.fractions, seed, self.groups, self.name)
        return dict(zip(PARTS, rows, strict=True))

    def split(self, fractions: Sequence[float] | None = None, seed: int = 0) -> Split:
        """Divide the ids into training, validation and test part, by class, and by group where
        groups are given.

        Normalisation bounds are fitted on the training part and go with all three parts.

        Args:
            fractions: shares of train, valid and test, which sum to 1; None takes the split that
                came with the data, else `self.fractions`.
            seed: another seed, another split; without effect on a split that came with the data.

        Raises:
            DataError: too few samples or groups of a class, one class only, or pixels that are not
                finite.
        """
        rows = list(self.divide(fractions, seed).values())
        _ = self._pixels_checked
        parts = [self.take(part) for part in rows]
        for name, part in zip(PARTS, parts if self.dense else (), strict=False):
            check_labelled(part.masks, f"{self.name}, {name} part")
        bounds = self.normalization
        if not self.normalized:
            whole = self.scaling == "whole"  # the released rule, which knows of no invalid value
            read = self if whole else parts[0]
            bounds = {
                name: Normalization.fit(m.x, f"{self.name}/{name}", None if whole else m.invalid)
                for name, m in read.modalities.items()
            }
        return Split(*(replace(part, normalization=bounds) for part in parts))

    def images(self, name: str, rows=slice(None)) -> np.ndarray:
        """The images of modality `name` at `rows`, scaled to [0, 1] where the bounds are known,
        float32."""
        images = self.modalities[name].x[rows]
        if self.normalized or self.normalization is None:
            return np.asarray(images, dtype=np.float32)
        return self.normalization[name](images)

    def save(self, folder, *, split: Split | None = None, overwrite: bool = False) -> None:
        """Write one folder that `discom.data.load` reads, whole or not at all.

        Without `split`, images are written as held (`<MOD>_data.npy`), and each run draws its own
        split or takes the parts that came with the data. With it, the folder has the released
        code's form: images scaled by the bounds of its training part (`<MOD>_data_normalized.npy`)
        and three index files.

        Raises:
            DataError: the folder exists and is not ours, or is ours and `overwrite` is false.
        """
        data = self
        if split is not None:
            parts = {
                name: self._index.get_indexer(part.ids)
                for name, part in zip(PARTS, split, strict=True)
            }
            if any((rows < 0).any() for rows in parts.values()):
                raise DataError(
                    f"{self.name}: the split holds ids that the data does not have; split this data"
                )
            data = replace(self, normalization=split.train.normalization, parts=parts)
        write_folder(folder, data, scaled=self.normalized or split is not None, overwrite=overwrite)

    @classmethod
    def open(cls, folder) -> "MultiModalData":
        """Read a folder that `save`, or the released code's own preparation, wrote; images stay on
        disk."""
        fields = read_folder(folder)
        modalities = {name: Modality(*arrays) for name, arrays in fields.pop("modalities").items()}
        return cls(modalities, **fields)
