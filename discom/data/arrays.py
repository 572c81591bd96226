"""Arrays that stay on disk until their rows are asked for, the prepared folder that keeps those of
a data set, the scaling of each band to [0, 1] by percentiles of the training split, and resizing.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from discom.data.checks import PARTS, check_finite, check_images, check_masks, is_signal
from discom.errors import DataError
from discom.files import as_data_error, atomic_folder, chunks, read_json, write_json

# of a prepared folder; docs/guides/splits.md lists its files
MANIFEST, FORMAT, IMAGES, AGAIN = "manifest.json", 2, "_data.npy", "prepare the folder again"
PLAIN = ("name", "about", "dense")  # fields of the data that the manifest holds as they are

PERCENTILES = (2.0, 98.0)  # the paper's clipping bounds
EXTREMES = (0.0, 100.0)  # of a signal, whose peaks tell what happened
VALUES = 1 << 27  # so many are read at once to find the bounds; of more, every k-th sample is read
HUGE = 1e30  # no sensor measures more, but files store such values where nothing was measured
LOWEST = 1 / 255  # of measured pixels, where 0 stands for "nothing was measured"


def read_only(values: Any) -> Any:
    """The same array, not to be changed in place: the digest of its content is taken once."""
    if isinstance(values, np.ndarray) and values.flags.writeable:
        values = values.view()
        values.flags.writeable = False
    return values


class Rows:
    """An array [N, …] whose rows are read when they are asked for; `numpy.asarray` reads them all.

    Args:
        read: numbers of rows [n] → their values `[n, *shape]`.
    """

    def __init__(self, read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, shape, dtype):
        self.read, self.rows, self.dtype = read, rows, np.dtype(dtype)
        self.shape, self.ndim = (len(rows), *shape), 1 + len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        rows = self.rows[first]
        values = np.asarray(self.read(np.atleast_1d(rows)))
        return values[(slice(None) if rows.ndim else 0, *rest)]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


def take_rows(array: Any, rows: np.ndarray) -> Any:
    """The samples at `rows` of any array; what is on disk stays there."""
    if isinstance(array, np.memmap):
        return Rows(array.__getitem__, rows, array.shape[1:], array.dtype)
    if isinstance(array, Rows):
        return Rows(array.read, array.rows[rows], array.shape[1:], array.dtype)
    return array[rows]


def lazy(items: Sequence, read: Callable[[Any], np.ndarray], shape: tuple, dtype: Any) -> Rows:
    """An array whose row i is `read(items[i])`, `[*shape]`, called each time the row is asked for.
    An item is a file, or a tuple that begins with one; an image of another shape or type is a
    DataError that names the file."""

    def read_rows(rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *shape), dtype)
        for image, row in zip(images, rows, strict=True):
            values = read(items[row])
            if (values.shape, values.dtype) != (image.shape, image.dtype):
                file = items[row][0] if isinstance(items[row], tuple) else items[row]
                found = f"holds {values.dtype} {values.shape}, not {image.dtype} {image.shape}"
                raise DataError(file, found, "fetch the file again")
            image[...] = values
        return images

    return Rows(read_rows, np.arange(len(items)), shape, dtype)


def write_folder(folder: Path | str, data: Any, *, overwrite: bool = False) -> None:
    """Write `data` (a MultiModalData), whole or not at all; see `MultiModalData.save`."""
    with atomic_folder(folder, marker=MANIFEST, overwrite=overwrite) as part:
        for name, modality in data.modalities.items():
            images = _write(part / f"{name.upper()}{IMAGES}", data.name, modality.x)
            check_images(images, f"{data.name}/{name}")
            rows = data.rows_of(name)
            if not np.array_equal(rows, np.arange(len(data))):
                np.save(part / f"{name.upper()}_rows.npy", rows)
        if data.masks is not None:
            masks = _write(part / "masks.npy", data.name, data.masks)
            if data.dense:
                check_masks(masks, data)
        arrays = {"labels": data.labels, "ids": data.ids, "groups": data.groups}
        arrays |= {f"{name}_idx": rows for name, rows in (data.parts or {}).items()}
        for name, values in arrays.items():
            if values is not None:
                np.save(part / f"{name}.npy", _plain(values))
        if data.factors:
            factors: dict[str, Any] = {name: _plain(v) for name, v in data.factors.items()}
            np.savez(part / "factors.npz", **factors)
        manifest = {
            "format": FORMAT,
            **{name: getattr(data, name) for name in (*PLAIN, "classes", "fractions")},
            "modalities": {name: list(m.x.shape) for name, m in data.modalities.items()},
            "units": {name: m.unit for name, m in data.modalities.items()},
            "invalid": {name: m.invalid for name, m in data.modalities.items()},
            "symmetry": {name: m.symmetry for name, m in data.modalities.items()},
        }
        write_json(part / MANIFEST, manifest)


def _write(file: Path, name: str, array: Any) -> np.ndarray:
    """The array, written some 64 MiB at a time and mapped; not through the map, since a map that
    outgrows the disk ends the process."""
    form = {"descr": np.dtype(array.dtype).str, "fortran_order": False, "shape": tuple(array.shape)}
    with file.open("wb") as target:
        np.lib.format.write_array_header_1_0(target, form)
        for rows in tqdm(list(chunks(array)), desc=f"{name}: {file.stem}", disable=None):
            target.write(np.ascontiguousarray(array[rows]).tobytes())
    return np.load(file, "r")


def _plain(values: np.ndarray) -> np.ndarray:
    """Text instead of Python objects, which a file could only hold as code to run."""
    values = np.asarray(values)
    return values.astype(str) if values.dtype == object else values


def read_folder(folder: Path | str) -> dict[str, Any]:
    """The fields of a MultiModalData, images as read-only memory maps; few pixels are read. A
    DataError names the file that is missing, damaged or contradicts another."""
    folder = Path(folder)
    manifest = read_json(folder / MANIFEST, AGAIN)
    with as_data_error(folder / MANIFEST, f"a manifest of format {FORMAT}", AGAIN):
        if manifest["format"] != FORMAT:
            raise ValueError("another format")
        labels, ids = _load(folder / "labels.npy"), _load(folder / "ids.npy")
        modalities = {}
        for name in manifest["modalities"]:
            rows = _load(folder / f"{name.upper()}_rows.npy", np.arange(len(labels)))
            images = _load(folder / f"{name.upper()}{IMAGES}", mmap_mode="r")
            about = [manifest[key][name] for key in ("units", "invalid", "symmetry")]
            modalities[name] = (images, labels[rows], ids[rows], *about)
        parts = {part: folder / f"{part}_idx.npy" for part in PARTS}
        divided = any(file.is_file() for file in parts.values())
        return {
            "modalities": modalities,
            "classes": tuple(manifest["classes"]),
            "factors": _load(folder / "factors.npz", {}),
            "masks": _load(folder / "masks.npy", None, mmap_mode="r"),
            "groups": _load(folder / "groups.npy", None),
            "parts": {part: _load(file) for part, file in parts.items()} if divided else None,
            "fractions": tuple(manifest["fractions"]),
            **{name: manifest[name] for name in PLAIN},
        }


def _load(file: Path, otherwise: Any = ..., mmap_mode: Any = None) -> Any:
    """The content of an .npy or .npz; `otherwise`, if it is given, where there is no such file."""
    if otherwise is not ... and not file.is_file():
        return otherwise
    with as_data_error(file, "a NumPy array", AGAIN):
        content = np.load(file, mmap_mode)
        return dict(content) if file.suffix == ".npz" else content


@dataclass(frozen=True, eq=False)
class Normalization:
    """Clip each band to [low, high], both [C] in the data's unit, and scale it to [0, 1].

    x'_c = clip((x_c - low_c) / (high_c - low_c), 0, 1)

    A constant band becomes zero. Pixels equal to `invalid` (see `Modality`) become 0 and measured
    ones 1/255 + 254/255 · x'_c, so that a hole is never taken for the nearest surface.

    Source: the released code's percentiles, here of the training split instead of the whole array.
    """

    low: np.ndarray
    high: np.ndarray
    invalid: float | None = None

    @classmethod
    def fit(
        cls, images: Any, name: str = "modality", invalid: float | None = None
    ) -> "Normalization":
        """Percentiles 2 and 98 per band of `images` [N, C, H, W], of signals the extremes, pixels
        equal to `invalid` left out.

        Of more than 2²⁷ values every k-th sample is read, with the smallest k that is enough. Warns
        where a band is constant; a DataError for no sample, another shape, pixels that are not
        finite, and bounds that no sensor measures.
        """
        if not len(images):
            raise DataError(name, "has no sample in the training part", "give more samples")
        sample = np.asarray(images[:: -(-int(np.prod(images.shape)) // VALUES)])
        check_finite(sample, name)
        bounds, ends = [], EXTREMES if is_signal(sample.shape) else PERCENTILES
        for band, values in enumerate(sample.swapaxes(0, 1)):
            measured = values if invalid is None else values[values != invalid]
            low, high = np.percentile(measured if measured.size else values, ends)
            if max(-low, high) > HUGE:
                found = f"band {band} goes from {low:g} to {high:g}"
                raise DataError(name, found, "state the value of unmeasured pixels as invalid")
            bounds.append((low, high))
        low, high = np.transpose(bounds)
        if len(constant := np.flatnonzero(low == high)):
            found = f"bands {constant.tolist()} are constant between the percentiles"
            warnings.warn(f"{name}: {found}; such a band is scaled to zero", stacklevel=2)
        return cls(low, high, invalid)

    def __call__(self, images: Any) -> np.ndarray:
        """Scale `images` [N, C, H, W] of any real type to float32 in [0, 1]."""
        raw = np.asarray(images)
        holes = None if self.invalid is None else raw == self.invalid
        return self.scale(np.array(raw, dtype=np.float32), holes, *self.bounds)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """What `scale` takes off each band and divides it by, float32 [C, 1, 1] each."""
        span = np.where(self.high > self.low, self.high - self.low, np.inf)
        low, span = (each.astype(np.float32)[:, None, None] for each in (self.low, span))
        return low, span

    @staticmethod
    def scale(values: Any, holes: Any, low: Any, span: Any) -> Any:
        """Scale float32 `values` [N, C, H, W], an array or a tensor, which change, too; `holes`, of
        the same shape, says which were not measured, None where all were."""
        values -= low
        values /= span
        values = values.clip(0, 1)
        if holes is not None:
            values *= 1 - LOWEST
            values += LOWEST
            values[holes] = 0
        return values

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, such as a digest takes."""
        bounds = {"low": self.low.tolist(), "high": self.high.tolist()}
        return bounds if self.invalid is None else {**bounds, "invalid": self.invalid}


def resize(
    pixels: np.ndarray, size: tuple[int, int], *, smooth: bool, invalid: float | None = None
) -> np.ndarray:
    """Bring [C, H, W] to `[C, *size]` in the same type.

    `smooth` averages, band by band, the pixels that were measured, neither `invalid` nor NaN; where
    they are less than half of the area, the new pixel is `invalid`, else NaN. Without `smooth` the
    nearest pixel is taken: for classes, also [H, W], since there is none between two of them.

    >>> resize(np.array([[0, 9], [5, 7]], np.uint8), (4, 2), smooth=False).tolist()
    [[0, 9], [0, 9], [5, 7], [5, 7]]
    """
    (height, width), (new_height, new_width) = pixels.shape[-2:], size
    if (height, width) == (new_height, new_width):
        return pixels
    if not smooth:
        rows = ((np.arange(new_height) + 0.5) * height / new_height).astype(int)
        columns = ((np.arange(new_width) + 0.5) * width / new_width).astype(int)
        return pixels[..., rows[:, None], columns]
    measured = ~np.isnan(pixels)
    if invalid is not None:
        measured &= pixels != invalid
    plain = pixels
    if pixels.dtype != np.uint8 or not measured.all():
        plain = np.where(measured, pixels, 0).astype(np.float32)  # what Pillow resizes
    resized = _average(plain, size)
    if not measured.all():
        share = _average(measured.astype(np.float32), size)
        hole = np.nan if invalid is None else invalid
        resized = np.where(share < 0.5, hole, resized / np.maximum(share, 0.5))
    if pixels.dtype.kind in "iu" and resized.dtype != np.uint8:
        resized = np.round(resized)
    return resized.astype(pixels.dtype)


def _average(bands: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    larger = np.greater(size, bands.shape[-2:]).any()  # a box of less than a pixel would repeat
    how = Image.Resampling.BILINEAR if larger else Image.Resampling.BOX
    resized = [Image.fromarray(band).resize((size[1], size[0]), how) for band in bands]
    return np.stack([np.asarray(band) for band in resized])
