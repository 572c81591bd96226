"""The prepared folder: one that keeps a data set, so that it is read without its raw files."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from tqdm.auto import tqdm

from discom.data.checks import PARTS
from discom.data.lazy_arrays import place_of
from discom.data.pixels import check_images, check_masks
from discom.data.scaling import Normalization
from discom.errors import watched
from discom.files import as_data_error, atomic_folder, chunks, read_json, write_json

# of a prepared folder; docs/guides/splits.md lists its files
MANIFEST, FORMAT, IMAGES, AGAIN = "manifest.json", 2, "_data.npy", "prepare the folder again"
PLAIN = ("name", "about", "dense")  # fields of the data that the manifest holds as they are


def write_folder(folder: Path | str, data: Any, *, overwrite: bool = False) -> None:
    """Write `data` (a MultiModalData), whole or not at all; see `MultiModalData.save`."""
    with atomic_folder(folder, marker=MANIFEST, overwrite=overwrite) as part:
        for name, modality in data.modalities.items():
            images = _write(part / f"{name.upper()}{IMAGES}", data.name, modality.x)
            check_images(images, data, name)
            # what training would refuse is refused now
            Normalization.fit(images, place_of(modality.x, f"{data.name}/{name}"), modality.invalid)
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
            with ZipFile(part / "factors.npz", "w") as file:  # np.savez takes no name "file"
                for name, values in data.factors.items():
                    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, _plain(values), allow_pickle=False)
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
        for rows in tqdm(list(chunks(array)), desc=f"{name}: {file.stem}", disable=not watched()):
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
