"""One data set in one folder, in the file names of the released code of DisCoM-KD, memory-mapped.

    <MOD>_data_normalized.npy   images of a modality [N, C, H, W], scaled to [0, 1]  (with a split)
    <MOD>_data.npy              the same, in the sensor's unit and type              (without one)
    labels.npy, ids.npy         class and name of each sample [N]
    train_idx.npy, valid_idx.npy, test_idx.npy    rows of the split, or of the official one
    <MOD>_rows.npy              rows of labels.npy that the modality has, where it lacks some
    factors.npz, groups.npy, masks.npy, manifest.json

The released code needs the scaled images, `labels.npy` and the index files, which load here, too.
"""

import shutil
import warnings
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from discom.data import checks
from discom.data.arrays import Normalization, load_npy
from discom.errors import DataError
from discom.files import as_data_error, atomic_folder, checksum, chunks, read_json, write_json

MANIFEST, FORMAT = "manifest.json", 1
SUFFIXES = ("_data_normalized.npy", "_data.npy")
AGAIN = "prepare the folder again"
PLAIN = ("name", "about", "dense")  # fields of the data that the manifest holds as they are


class _Recorded(np.memmap):
    """A whole file of a prepared folder, checked when it was written; parts have no digest."""

    digest: str = ""


def is_prepared(folder: Path | str) -> bool:
    """Whether `folder` has this format."""
    folder = Path(folder)
    return (folder / MANIFEST).is_file() or any(any(folder.glob(f"*{end}")) for end in SUFFIXES)


def write_folder(folder: Path | str, data: Any, *, scaled: bool, overwrite: bool = False) -> None:
    """Write `data` (a MultiModalData), whole or not at all; see `MultiModalData.save`."""
    digests = {}
    with atomic_folder(folder, marker=MANIFEST, overwrite=overwrite) as part:
        _check_space(folder, part, data, scaled)
        for name, modality in data.modalities.items():
            file = part / f"{name.upper()}{SUFFIXES[0 if scaled else 1]}"
            images = _write(file, data, name if scaled else "", modality.x)
            digests[file.name] = checks.check_images(images, f"{data.name}/{name}")
            rows = data.rows_of(name)
            if not np.array_equal(rows, np.arange(len(data))):
                np.save(part / f"{name.upper()}_rows.npy", rows)
        if data.masks is not None:
            masks = _write(part / "masks.npy", data, "", data.masks)
            if data.dense:
                digests["masks.npy"] = checks.check_masks(masks, data)
        arrays = {"labels": data.labels, "ids": data.ids, "groups": data.groups}
        arrays |= {f"{name}_idx": rows for name, rows in (data.parts or {}).items()}
        for name, values in arrays.items():
            if values is not None:
                np.save(part / f"{name}.npy", _plain(values))
        if data.factors:
            factors: dict[str, Any] = {name: _plain(v) for name, v in data.factors.items()}
            np.savez(part / "factors.npz", **factors)
        sums = {file.name: checksum(file) for file in sorted(part.iterdir())}
        contents = {k: {"digest": v, **_stamp(part / k)} for k, v in digests.items()}
        manifest = _manifest(data, scaled) | {"checksums": sums, "contents": contents}
        write_json(part / MANIFEST, manifest)


def _check_space(folder: Path | str, part: Path, data: Any, scaled: bool) -> None:
    """A mapped file that outgrows the disk ends the process, so the room is counted before."""
    need = 0 if data.masks is None else prod(data.masks.shape) * data.masks.dtype.itemsize
    for modality in data.modalities.values():
        need += prod(modality.x.shape) * (4 if scaled else modality.x.dtype.itemsize)
    if need > (free := shutil.disk_usage(part).free):
        counts = f"{free:,} bytes are free and {need:,} needed"
        raise DataError(folder, counts, "make room, or choose another disk")


def _write(file: Path, data: Any, scaled: str, array: Any) -> np.ndarray:
    """Fill a mapped .npy some 64 MiB at a time, with the images of modality `scaled` if any."""
    kind = np.dtype(np.float32) if scaled else array.dtype
    target = np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=tuple(array.shape))
    slices = list(chunks(array, itemsize=kind.itemsize))
    for rows in tqdm(slices, desc=f"{data.name}: {file.stem}", disable=None):
        target[rows] = data.images(scaled, rows) if scaled else array[rows]
    target.flush()
    return target


def _plain(values: np.ndarray) -> np.ndarray:
    """Text instead of Python objects, which a file could only hold as code to run."""
    values = np.asarray(values)
    return values.astype(str) if values.dtype == object else values


def _stamp(file: Path) -> dict[str, int]:
    return {"size": file.stat().st_size, "mtime_ns": file.stat().st_mtime_ns}


def _manifest(data: Any, scaled: bool) -> dict[str, Any]:
    invalid = {name: modality.invalid for name, modality in data.modalities.items()}
    bounds = {name: bound.to_dict() for name, bound in (data.normalization or {}).items()}
    if scaled:  # unmeasured pixels are 0 where their value was stated
        invalid = {name: 0.0 if "invalid" in bounds.get(name, {}) else None for name in invalid}
    return {
        "format": FORMAT,
        **{name: getattr(data, name) for name in (*PLAIN, "classes", "fractions")},
        "modalities": {name: list(m.x.shape) for name, m in data.modalities.items()},
        "units": {name: "1" if scaled else m.unit for name, m in data.modalities.items()},
        "invalid": invalid,
        "normalized": scaled,
        "normalization": bounds,
    }


def read_folder(folder: Path | str) -> dict[str, Any]:
    """The fields of a MultiModalData, images as read-only memory maps; few pixels are read. A
    DataError names the file that is missing, damaged or contradicts another."""
    folder = Path(folder)
    manifest = _read_manifest(folder)
    with as_data_error(folder / MANIFEST, "a manifest", AGAIN):
        return _read_fields(folder, manifest)


def _read_fields(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    files, labels = _image_files(folder, manifest), _load(folder / "labels.npy")
    checks.check_labels(labels, labels.size, None, f"{folder}/labels.npy")
    every, classes = np.arange(len(labels)), 1 + max(labels.tolist(), default=-1)
    ids = _load(folder / "ids.npy", every)
    checks.check_array(ids, f"{folder}/ids.npy", "iuU", len(labels))
    modalities = {}
    for name, file in files.items():
        own = file.with_name(f"{file.name.partition('_data')[0]}_rows.npy")
        rows = _load(own, every)
        checks.check_rows({own.name: rows}, len(labels), str(folder))
        about = manifest.get("units", {}).get(name, ""), manifest.get("invalid", {}).get(name)
        modalities[name] = (_images(file, manifest), labels[rows], ids[rows], *about)
    masks, bounds = folder / "masks.npy", manifest.get("normalization", {})
    parts = {part: folder / f"{part}_idx.npy" for part in checks.PARTS}
    divided = any(file.is_file() for file in parts.values())
    scaled = all(file.name.endswith(SUFFIXES[0]) for file in files.values())
    return {
        "modalities": modalities,
        "classes": tuple(manifest.get("classes") or map(str, range(classes))),
        "factors": _load(folder / "factors.npz", {}),
        "masks": _map(masks, manifest) if masks.is_file() else None,
        "groups": _load(folder / "groups.npy", None),
        "normalization": {k: Normalization.from_dict(v) for k, v in bounds.items()} or None,
        "normalized": manifest.get("normalized", scaled),
        "parts": {part: _load(file) for part, file in parts.items()} if divided else None,
        "fractions": tuple(manifest.get("fractions", (0.7, 0.1, 0.2))),
        "name": folder.resolve().name,
        **{name: manifest[name] for name in PLAIN if name in manifest},
    }


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    manifest = read_json(file, AGAIN) if file.is_file() else {}
    if not isinstance(manifest, dict):
        raise DataError(file, f"holds {type(manifest).__name__}, not a manifest", AGAIN)
    if manifest.get("format", FORMAT) != FORMAT:
        raise DataError(file, f"has format {manifest['format']}, not {FORMAT}", AGAIN)
    return manifest


def _image_files(folder: Path, manifest: dict[str, Any]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in [file for end in SUFFIXES for file in sorted(folder.glob(f"*{end}"))]:
        name = file.name.partition("_data")[0].lower()
        if name in files:
            beside = f"stands beside {files[name].name}, the same modality"
            raise DataError(file, beside, "keep one of the two")
        files[name] = file
    names = manifest.get("modalities", files)  # the manifest keeps the order
    if missing := [name for name in names if name not in files]:
        file = folder / f"{missing[0].upper()}_data….npy"
        raise DataError(file, f"missing, the images of modality '{missing[0]}'", AGAIN)
    if not files:
        raise DataError(folder, "no <MOD>_data_normalized.npy in it", "see data/README.md")
    return {name: files[name] for name in names}


def _images(file: Path, manifest: dict[str, Any]) -> np.ndarray:
    images = _map(file, manifest)
    checks.check_array(images, str(file), *checks.IMAGES)
    some = images[:: 1 + len(images) // 64]
    if file.name.endswith(SUFFIXES[0]) and some.size and (some.min() < 0 or some.max() > 1):
        values = f"holds values from {some.min():g} to {some.max():g}, and its name says 0 to 1"
        rename = f"rename it to {file.name.replace(*SUFFIXES)}"
        warnings.warn(
            f"{file}: {values}; {rename}, and it is scaled by the training part", stacklevel=2
        )
    return images


def _map(file: Path, manifest: dict[str, Any]) -> np.ndarray:
    """The file, not read; with its digest where size and time are those of the manifest."""
    array, record = _load(file, mmap_mode="r"), manifest.get("contents", {}).get(file.name, {})
    if isinstance(array, np.memmap) and record.items() >= _stamp(file).items():
        recorded = array.view(_Recorded)
        recorded.digest = record["digest"]
        return recorded
    return array


def _load(file: Path, otherwise: Any = ..., mmap_mode: Any = None) -> Any:
    """The content of an .npy or .npz; `otherwise` where there is no such file, if it is given."""
    if otherwise is not ... and not file.is_file():
        return otherwise
    with as_data_error(file, "a NumPy array", AGAIN):
        if file.suffix == ".npz":
            return dict(np.load(file, allow_pickle=False))
        return load_npy(file, mmap_mode)


def verify(folder: Path | str) -> int:
    """Compare every file with the manifest's checksum, else a DataError; how many were compared (0
    without a manifest)."""
    sums = _read_manifest(Path(folder)).get("checksums", {})
    for name, expected in sums.items():
        file = Path(folder, name)
        if not file.is_file():
            raise DataError(file, "missing", AGAIN)
        if checksum(file) != expected:
            raise DataError(file, f"differs from its checksum in {MANIFEST}", AGAIN)
    return len(sums)
