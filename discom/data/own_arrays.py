"""A person's own arrays: an .npy file for each sensor, and files of what samples are."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discom.data.checks import check_classes, check_groups, check_ids, listed, looks_like_signal
from discom.data.groups import refuse_other_groups
from discom.data.images import CONTAINERS
from discom.data.multimodal import Modality, MultiModalData
from discom.data.pixels import check_array, count_pixels
from discom.data.sources.steps import most_frequent
from discom.errors import DataError, check_choice
from discom.files import as_data_error, read_json
from discom.labels import NO_LABEL, UNLABELLED

FORMS = "images are [N, C, H, W], signals [N, C, T] with T > C; save signals [N, T] as x[:, None]"
EXPLICIT = "save grey images as x[:, None], signals as x[:, :, None]"
TARGETS = "give labels.npy [N], a class for each sample, or masks.npy uint8 [N, H, W], one a pixel"
NAMES = 'write ["cat", "dog"], a name for each class from 0 on'
CLASSES = "classes.json"
NUMBERED = "names, labels = np.unique(labels, return_inverse=True)"
FEW = 50  # classes of pixels; more of them are, as a rule, grey levels between two classes


def read_arrays(
    root: Path | str,
    modalities: str | Sequence[str] | None = None,
    unit: Mapping[str, str] = {},
    invalid: Mapping[str, float] = {},
    symmetry: Mapping[str, str] = {},
) -> MultiModalData:
    """Read `<root>/<sensor>.npy`, images [N, C, H, W] or signals [N, C, T], which become
    [N, C, 1, T]; row n of every file is sample n. Sensors stay on disk.

    Beside them lie labels.npy [N], classes from 0 on, or -1 for no label; or masks.npy [N, H, W],
    uint8, the class of every pixel, or 255 for no label. Optional are groups.npy [N], ids.npy [N],
    and classes.json, a list of names or an object with the list "classes". A class without a pixel
    is refused: masks of 0 and 255, such as editors save, have one class and pixels without a label.

    Args:
        modalities: the sensors to keep, in this order, a list or such as "acc+gyro"; by default
            all, by name.
        unit, invalid, symmetry: by sensor, see `Modality`. Without `symmetry`, augmentation changes
            no signal, and mirrors images left to right.

    Raises:
        ConfigError: a sensor that is not there.
        DataError: no such folder, no labels, arrays that do not fit together, pickled objects, a
            class without a pixel, more than FEW classes of pixels without classes.json; or, where
            `modalities` are not named, files beside the sensors that may be others: arrays [N, T],
            and files such as .npz and .h5.

    Warns of other files that are left out.
    """
    root, asked = Path(root), listed(modalities)
    arrays = _list_arrays(root)
    labels, masks, groups, ids = (arrays.pop(k, None) for k in ("labels", "masks", "groups", "ids"))
    labels, classes = _label(root, labels, masks)
    sensors = asked or _choose_sensors(root, arrays, len(labels))
    for name in (*sensors, *unit, *invalid, *symmetry):
        check_choice(f"{root}: sensor", name, arrays)
    planes = {x.shape[2:] for x in arrays.values() if x.ndim == 4}  # H × W that are known
    planes |= set() if masks is None else {masks.shape[1:]}
    images = {}
    for name in sensors:
        if len(arrays[name]) != len(labels):
            found = f"holds {len(arrays[name])} samples, the labels or masks are {len(labels)}"
            way_out = "give all the same number: row n of every file is sample n"
            raise DataError(root / f"{name}.npy", found, way_out)
        images[name] = _to_images(root / f"{name}.npy", arrays[name], planes)
    ids = np.arange(len(labels)) if ids is None else ids
    check_ids(ids, f"{root}/ids.npy", len(labels))
    if groups is None:
        refuse_other_groups(root / "groups.npy")
    else:
        check_groups(groups, f"{root}/groups.npy", len(labels))
    modality_of = {}
    for name, x in images.items():
        usual = "none" if x.shape[2] == 1 else "flip"
        about = unit.get(name, ""), invalid.get(name), symmetry.get(name, usual)
        modality_of[name] = Modality(x, labels, ids, *about)
    name, dense = root.resolve().name, masks is not None
    return MultiModalData(modality_of, classes, masks=masks, groups=groups, name=name, dense=dense)


def _list_arrays(root: Path) -> dict[str, np.ndarray]:
    """Name → array, of the files that end in .npy; a DataError where there is no such folder."""
    if not root.is_dir():
        raise DataError(root, "no such folder", "name the folder of your arrays")
    return {file.stem: _load(file) for file in sorted(root.glob("[!.]*.npy"))}


def _choose_sensors(root: Path, arrays: Mapping[str, np.ndarray], count: int) -> list[str]:
    """The arrays that are sensors; a DataError where others may be, too: those of one row a sample,
    and files of another kind. Warns of what else is left out."""
    sensors = [name for name, x in arrays.items() if x.ndim > 2]
    flat = [name for name in arrays if arrays[name].ndim == 2 and len(arrays[name]) == count]
    files = [file.name for file in sorted(root.glob("[!.]*")) if file.name != CLASSES]
    others = [name for name in files if not name.endswith(".npy")]
    unread = [name for name in others if name.lower().endswith(CONTAINERS)]
    if not sensors:
        raise DataError(root, "has no array of a sensor", FORMS)
    if doubtful := [*(f"{name}.npy" for name in flat), *unread]:
        found = f"{', '.join(doubtful)} would be left out, and may be of a sensor"
        way_out = f"{FORMS}; or take the others alone: --modalities {'+'.join(sensors)}"
        raise DataError(root, found, way_out)
    if left := [name for name in arrays if name not in sensors]:
        warnings.warn(f"{root}: {', '.join(left)} left out, no sensor; {FORMS}", stacklevel=3)
    if others:
        found = f"{len(others)} files or folders are not read, such as {others[0]}"
        warnings.warn(f"{root}: {found}; arrays end in .npy", stacklevel=3)
    return sensors


def _load(file: Path) -> np.ndarray:
    """The array, left on disk where it has several axes."""
    with as_data_error(file, "a NumPy array", "save numbers or text: np.save(file, x.astype(…))"):
        array = np.load(file, "r")
        return array if array.ndim > 1 else np.array(array, ndmin=1)


def _to_images(file: Path, x: np.ndarray, planes: set[tuple[int, ...]]) -> np.ndarray:
    """Signals [N, C, T] as [N, C, 1, T]; a DataError for grey images [N, H, W], which are known by
    the `planes` H × W of another array, by many rows, or by fewer than two columns a row."""
    found = f"holds {list(x.shape)}"
    if x.ndim == 3 and x.shape[1] < x.shape[2]:
        if x.shape[1:] in planes:
            raise DataError(file, f"{found}, the H×W of another array", EXPLICIT)
        if not looks_like_signal(*x.shape[1:]):
            raise DataError(file, f"{found}, images or signals of {x.shape[1]} channels", EXPLICIT)
        return x[:, :, None]
    if x.ndim == 3:
        way_out = "save grey images as x[:, None], signals [N, T, C] as x.swapaxes(1, 2)"
        raise DataError(file, found, way_out)
    if x.ndim != 4:
        raise DataError(file, found, FORMS)
    return x


def _label(root: Path, labels: Any, masks: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """The class of each sample, of a mask the most frequent one, and the names of the classes."""
    if (labels is None) == (masks is None):
        found = "has no labels" if labels is None else "has labels and masks"
        raise DataError(root, found, TARGETS)
    if masks is None:
        if labels.dtype.kind == "U":
            way_out = f"save numbers, {NUMBERED}, and the names in {CLASSES}"
            raise DataError(root / "labels.npy", f"holds text, such as '{labels.flat[0]}'", way_out)
        check_array(labels, f"{root}/labels.npy", "iu", "N")
        labels = labels.astype(np.int64)  # unsigned ones have no -1
        used = labels.max(initial=UNLABELLED) + 1
        if not used:
            raise DataError(root / "labels.npy", "has no label", "number the classes from 0 on")
    elif masks.dtype != np.uint8 or masks.ndim != 3:
        raise DataError(root / "masks.npy", f"holds {masks.dtype} {list(masks.shape)}", TARGETS)
    else:
        counts = count_pixels(masks, NO_LABEL)
        labels, used = most_frequent(counts), len(np.trim_zeros(counts.sum(axis=0), "b"))
    if (file := root / CLASSES).is_file():
        names = _read_names(file)
        if used > len(names):
            found = f"has {len(names)} names, and {'labels' if masks is None else 'masks'}.npy"
            raise DataError(file, f"{found} the class {used - 1}", NAMES)
    elif masks is None and len(empty := np.setdiff1d(np.arange(used), labels)):
        found = f"no sample is of class {empty[0]}, but one is of class {used - 1}"
        raise DataError(root / "labels.npy", found, f"number classes without a gap, {NUMBERED}")
    else:
        names = tuple(map(str, range(used)))
    if masks is None and labels.min() < UNLABELLED:
        found = f"holds {labels.min()}"
        raise DataError(root / "labels.npy", found, f"{NUMBERED}; {UNLABELLED} is no label")
    if masks is not None:
        _check_pixels(root, counts.sum(axis=0), names, file.is_file())
    return labels, names


def _read_names(file: Path) -> tuple[str, ...]:
    """The names of the classes in classes.json."""
    with as_data_error(file, "a list of names", NAMES):
        names = read_json(file, NAMES)
        names = names["classes"] if isinstance(names, dict) else names
        if not isinstance(names, list):  # the letters of a word are no classes
            raise ValueError("it is no list")
    check_classes(names, str(file), NAMES)
    return tuple(names)


def _check_pixels(root: Path, counts: np.ndarray, names: Sequence[str], named: bool) -> None:
    """Refuse masks, by the pixels [255] of each value, without a pixel of one of the classes, and
    more than FEW classes that have no names."""
    file, empty = root / "masks.npy", np.flatnonzero(counts[: len(names)] == 0)
    if len(names) < 2 or len(empty):
        lack = f"no pixel is of class '{names[empty[0]]}'" if len(empty) else "has one class"
        found = f"{lack}, since {NO_LABEL} is 'no label' and other values are {_values(counts)}"
        way_out = "write 0, 1, … for the classes, and resize masks to the nearest pixel"
        raise DataError(file, found, way_out)
    if len(names) > FEW and not named:
        found = f"would be {len(names)} classes, as if resized smoothly or stored as JPEG"
        raise DataError(file, found, "resize to the nearest pixel, or name all in classes.json")


def _values(counts: np.ndarray) -> str:
    """The first values that have a pixel."""
    used = [*map(str, np.flatnonzero(counts))]
    return ", ".join(used[:5]) + ", …" * (len(used) > 5)
