"""One data set in one folder, in the file names of the released code of DisCoM-KD, memory-mapped.

    <MOD>_data_normalized.npy   images of a modality [N, C, H, W], scaled to [0, 1]     (with a split)
    <MOD>_data.npy              the same, in the sensor's unit and type                 (without one)
    labels.npy, ids.npy         class and name of each sample [N]
    train_idx.npy, valid_idx.npy, test_idx.npy    rows of the split, or of the official one
    <MOD>_rows.npy              rows of labels.npy that the modality has, where it lacks some
    factors.npz, groups.npy, masks.npy            where known
    manifest.json               source, classes, counts, shapes, units, checksums, bounds of the scaling

The released code needs the first, `labels.npy` and the index files of a paired set; a folder with
those alone loads here, and a folder with a split that is written here trains there.
"""

import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from discom.data.checks import check_images, check_labels, check_rows
from discom.data.lazy import is_lazy, origin
from discom.data.normalize import Normalization
from discom.data.splitting import PARTS
from discom.errors import DataError, first_line
from discom.files import (
    UNFINISHED,
    atomic_folder,
    check_place,
    checksum,
    chunks,
    digest,
    read_json,
    unfinished,
    write_json,
)

__all__ = ["MANIFEST", "holds", "identity", "is_prepared", "read_folder", "verify", "write_folder"]

MANIFEST, FORMAT = "manifest.json", 1
SUFFIXES = ("_data_normalized.npy", "_data.npy")


def is_prepared(folder: Path | str) -> bool:
    """Whether `folder` has this format."""
    return any(
        (Path(folder) / MANIFEST).is_file() or any(Path(folder).glob(f"*{end}")) for end in SUFFIXES
    )


def write_folder(folder: Path | str, data: Any, *, scaled: bool, overwrite: bool = False) -> None:
    """Write `data` (a MultiModalData) to `folder`, whole or not at all; see `MultiModalData.save`.

    Some 64 MiB are held at a time. Where the images are still on disk, what an interrupted call had
    written stays, and the same call goes on behind it.
    """
    check_place(Path(folder), MANIFEST, overwrite)
    _check_space(Path(folder), data, scaled)
    on_disk = any(is_lazy(modality.x) for modality in data.modalities.values())
    written = identity(data, scaled)
    with atomic_folder(
        folder, marker=MANIFEST, overwrite=overwrite, resume=written if on_disk else ""
    ) as part:
        for name, modality in data.modalities.items():
            file = part / f"{name.upper()}{SUFFIXES[0] if scaled else SUFFIXES[1]}"
            read, kind = (modality.x.__getitem__, modality.x.dtype)
            if scaled:
                read, kind = partial(data.images, name), np.dtype(np.float32)
            _write_rows(file, modality.x, read, kind, f"{data.name}/{name}", on_disk)
            if not np.array_equal(data.rows_of(name), np.arange(len(data))):
                np.save(part / f"{name.upper()}_rows.npy", data.rows_of(name))
        if data.masks is not None:
            read, kind = data.masks.__getitem__, data.masks.dtype
            _write_rows(part / "masks.npy", data.masks, read, kind, f"{data.name}/masks", on_disk)
        np.save(part / "labels.npy", data.labels)
        np.save(part / "ids.npy", _plain(data.ids))
        for name, rows in (data.parts or {}).items():
            np.save(part / f"{name}_idx.npy", rows)
        if data.groups is not None:
            np.save(part / "groups.npy", _plain(data.groups))
        if data.factors:
            np.savez(
                part / "factors.npz",
                **{name: _plain(values) for name, values in data.factors.items()},
            )
        write_json(part / MANIFEST, {**_manifest(data, scaled, part), "identity": written})


def _check_space(folder: Path, data: Any, scaled: bool) -> None:
    arrays = [
        (modality.x, 4 if scaled else modality.x.dtype.itemsize)
        for modality in data.modalities.values()
    ]
    arrays += [(data.masks, data.masks.dtype.itemsize)] if data.masks is not None else []
    need = sum(int(np.prod(array.shape)) * size for array, size in arrays)
    need -= sum(
        file.stat().st_size for file in unfinished(folder).glob("*")
    )  # what a call before had written
    there = next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )
    if need > (free := shutil.disk_usage(there).free):
        raise DataError(
            f"{folder}: {free:,} bytes are free and {need:,} needed; make room, or choose another disk"
        )


def identity(data: Any, scaled: bool) -> str:
    """Names what `write_folder` writes: all that is known of the data, and size and time of the
    files it reads."""
    about = [data.name, data.classes, data.about, data.fractions, data.scaling, data.dense, scaled]
    held = [data.ids.astype(str), data.labels]
    for name, modality in data.modalities.items():
        about += [name, modality.unit, modality.invalid]
        held += [modality.ids.astype(str), *origin(modality.x)]
    about += [{name: bounds.to_dict() for name, bounds in (data.normalization or {}).items()}]
    named = {**data.factors, "groups": data.groups, **(data.parts or {})}
    held += [_plain(values) for values in named.values() if values is not None]
    held += origin(data.masks) if data.masks is not None else []
    return digest(repr(about), repr(sorted(named)), *held)


def holds(folder: Path | str, written: str) -> bool:
    """Whether `folder` is the complete work of a `write_folder` of that identity."""
    file = Path(folder) / MANIFEST
    return (
        file.is_file()
        and not (Path(folder) / UNFINISHED).is_file()
        and read_json(file).get("identity") == written
    )


def _write_rows(
    file: Path,
    array: Any,
    read: Callable[[slice], np.ndarray],
    kind: np.dtype,
    where: str,
    shown: bool,
):
    """Append to `file`, an .npy, the rows that it lacks; `shown` shows progress."""
    head = BytesIO()
    about = {
        "descr": np.lib.format.dtype_to_descr(kind),
        "fortran_order": False,
        "shape": array.shape,
    }
    np.lib.format.write_array_header_1_0(head, about)
    row = max(1, int(np.prod(array.shape[1:])) * kind.itemsize)
    with open(file, "r+b" if file.exists() else "w+b") as out:
        same = out.read(len(head.getvalue())) == head.getvalue()
        done = (
            max(0, file.stat().st_size - out.tell()) // row if same else 0
        )  # a torn row is written again
        if not same:
            out.seek(0)
            out.write(head.getvalue())
        out.seek(len(head.getvalue()) + done * row)
        out.truncate()
        with tqdm(
            total=len(array),
            initial=done,
            desc=where,
            unit="image",
            disable=None if shown else True,
        ) as bar:
            for rows in chunks(array, done, kind.itemsize):
                values = read(rows)
                if values.ndim == 4:
                    check_images(values, f"{where}, images {rows.start} to {rows.stop - 1}")
                out.write(np.ascontiguousarray(values, dtype=kind))
                bar.update(rows.stop - rows.start)


def _plain(values: np.ndarray) -> np.ndarray:
    """Text instead of Python objects, which a file could only hold as code to run."""
    values = np.asarray(values)
    return values.astype(str) if values.dtype == object else values


def _manifest(data, scaled: bool, folder: Path) -> dict[str, Any]:
    counts = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    return {
        "format": FORMAT,
        "name": data.name,
        "about": dict(data.about),
        "classes": list(data.classes),
        "counts": dict(zip(data.classes, counts, strict=True)),
        "modalities": {name: list(modality.x.shape) for name, modality in data.modalities.items()},
        "scaling": data.scaling,
        "dense": data.dense,
        "units": {
            name: "1" if scaled else modality.unit for name, modality in data.modalities.items()
        },
        "invalid": {
            name: None if scaled else modality.invalid for name, modality in data.modalities.items()
        },
        "paired": len(data.paired_ids),
        "normalized": scaled,
        "normalization": {
            name: bounds.to_dict() for name, bounds in (data.normalization or {}).items()
        },
        "fractions": list(data.fractions),
        "checksums": {
            file.name: checksum(file)
            for file in sorted(folder.iterdir())
            if file.name != UNFINISHED
        },
    }


def read_folder(folder: Path | str) -> dict[str, Any]:
    """The fields of a MultiModalData, images as read-only memory maps.

    Raises:
        DataError: naming the missing, damaged or contradictory file.
    """
    folder = Path(folder)
    if (folder / UNFINISHED).is_file():
        raise DataError(
            f"{folder}: is unfinished; run the command that prepares it again, it goes on from here"
        )
    manifest = _read_manifest(folder)
    files = _image_files(folder, manifest)
    labels = _load(folder / "labels.npy")
    check_labels(labels, labels.size, None, f"{folder}/labels.npy")
    classes = manifest.get("classes") or [
        str(k) for k in range(int(labels.max()) + 1 if len(labels) else 0)
    ]
    ids = _load(folder / "ids.npy") if (folder / "ids.npy").is_file() else np.arange(len(labels))
    if ids.shape != labels.shape:
        raise DataError(
            f"{folder}/ids.npy: {ids.shape} ids for {labels.shape} labels; one id per label is needed"
        )
    modalities = {}
    for name, file in files.items():
        images = _load(file, mmap_mode="r")
        check_images(images, str(file))
        if list(images.shape) != manifest.get("modalities", {}).get(name, list(images.shape)):
            raise DataError(
                f"{file}: has shape {images.shape}, its manifest another; prepare the folder again"
            )
        rows_file = folder / f"{file.name.removesuffix('.npy').split('_data')[0]}_rows.npy"
        rows = _load(rows_file) if rows_file.is_file() else np.arange(len(labels))
        check_rows({rows_file.name: rows}, len(labels), str(folder))
        check_labels(
            labels[rows], len(images), len(classes), f"{folder}/labels.npy for {file.name}"
        )
        about = [
            manifest.get(key, {}).get(name, otherwise)
            for key, otherwise in (("units", ""), ("invalid", None))
        ]
        modalities[name] = (images, labels[rows].astype(np.int64), ids[rows], *about)
    how = {"groups": {}, "masks": {"mmap_mode": "r"}}
    optional = {
        name: _load(folder / f"{name}.npy", **how[name])
        for name in how
        if (folder / f"{name}.npy").is_file()
    }
    bounds = {
        name: Normalization.from_dict(numbers)
        for name, numbers in manifest.get("normalization", {}).items()
    }
    return {
        "modalities": modalities,
        "classes": tuple(classes),
        "factors": _load(folder / "factors.npz") if (folder / "factors.npz").is_file() else {},
        **optional,
        "name": manifest.get("name", folder.resolve().name),
        "normalization": bounds or None,
        "normalized": manifest.get(
            "normalized", all(file.name.endswith(SUFFIXES[0]) for file in files.values())
        ),
        "parts": _parts(folder, len(labels)),
        "fractions": tuple(manifest.get("fractions", (0.7, 0.1, 0.2))),
        "about": manifest.get("about", {}),
        "scaling": manifest.get("scaling", "train"),
        "dense": manifest.get("dense", False),
    }


def _read_manifest(folder: Path) -> dict[str, Any]:
    again = "prepare the folder again"  # without its manifest it would load as a poorer one
    held = read_json(folder / MANIFEST, again) if (folder / MANIFEST).is_file() else {}
    if not isinstance(held, dict):
        raise DataError(
            f"{folder / MANIFEST}: holds {type(held).__name__}, not a manifest; {again}"
        )
    if held.get("format", FORMAT) != FORMAT:
        raise DataError(
            f"{folder / MANIFEST}: has format {held['format']}, this version reads {FORMAT}; {again}"
        )
    return held


def _image_files(folder: Path, manifest: dict[str, Any]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in [file for end in SUFFIXES for file in sorted(folder.glob(f"*{end}"))]:
        name = file.name.partition("_data")[0].lower()
        if name in found:
            raise DataError(
                f"{file}: stands beside {found[name].name}, the same modality; keep one of the two"
            )
        found[name] = file
    missing = [name for name in manifest.get("modalities", {}) if name not in found]
    if missing:
        raise DataError(
            f"{folder}: no images of modality '{missing[0]}' ({missing[0].upper()}_data….npy); prepare it again"
        )
    if len(found) < 1:
        raise DataError(
            f"{folder}: no <MOD>_data_normalized.npy in it; see data/README.md for the format"
        )
    return {
        name: found[name] for name in manifest.get("modalities", found)
    }  # the manifest keeps the order


def _parts(folder: Path, count: int) -> dict[str, np.ndarray] | None:
    there = {
        part: folder / f"{part}_idx.npy" for part in PARTS if (folder / f"{part}_idx.npy").is_file()
    }
    if not there:
        return None
    for part in PARTS:
        if part not in there:
            raise DataError(
                f"{folder}/{part}_idx.npy: missing beside {sorted(there)}; a split has three index files"
            )
    parts = {part: _load(file) for part, file in there.items()}
    check_rows({there[part].name: rows for part, rows in parts.items()}, count, str(folder))
    return parts


def _load(file: Path, **how):
    try:
        held = np.load(file, allow_pickle=False, **how)
        return dict(held) if file.suffix == ".npz" else held
    except FileNotFoundError:
        raise DataError(f"{file}: missing; the folder is incomplete, prepare it again") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason = first_line(error)
        raise DataError(
            f"{file}: cannot be read as a NumPy array ({reason}); copy or prepare it again"
        ) from None


def verify(folder: Path | str) -> int:
    """Compare every file with the manifest's checksum and return how many were compared (0 without
    a manifest).

    Raises:
        DataError: naming the first file that is missing or differs.
    """
    folder = Path(folder)
    sums = _read_manifest(folder).get("checksums", {})
    for name, expected in sums.items():
        if not (folder / name).is_file():
            raise DataError(f"{folder / name}: missing; prepare the folder again")
        if checksum(folder / name) != expected:
            raise DataError(
                f"{folder / name}: differs from its checksum in {MANIFEST}; prepare the folder again"
            )
    return len(sums)
