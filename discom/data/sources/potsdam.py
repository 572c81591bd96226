"""ISPRS Potsdam 2D: 38 aerial tiles of 6000×6000 pixels (5 cm), heights, six classes per pixel; cut
into windows.

Orthophotos `top_potsdam_6_7_RGB.tif` (uint8), surface heights `dsm_potsdam_06_07.tif` (a zero in
front; float metres: uncertain), labels `top_potsdam_6_7_label.tif` in six colours, and
`…_label_noBoundary.tif` where black covers the borders of objects. `…_normalized_lastools.jpg`
holds heights above ground in 8 bits, of unknown scale; files `…_ownapproach.jpg` are never read.
Source: the ISPRS benchmark on urban classification.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from discom.data.lazy import Lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.rasters import read_rows, read_window, window_starts
from discom.data.sources.download import RemoteFile
from discom.data.sources.potsdam_tiles import (
    LABELS,
    LAYERS,
    RIGHT_COPY,
    TEST,
    TRAIN,
    find_tiles,
    tile_size,
)
from discom.data.sources.source import Source
from discom.data.sources.steps import NO_LABEL, carve, check_modalities, dominant_classes, pair
from discom.errors import ConfigError, DataError

__all__ = ["CLASSES", "POTSDAM", "read_potsdam"]

# by colour, in this order: other readers number the same classes otherwise
CLASSES = ("impervious", "building", "low_vegetation", "tree", "car", "clutter")
COLOURS = (0b111, 0b001, 0b011, 0b010, 0b110, 0b100)  # red, green, blue, each 255 or 0
STRANGE = 0.001  # the share of a label's pixels that may have another colour
HIGHEST = 500.0  # metres above or below the sea; Potsdam lies at some 30 to 100
PAGE = "https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx"


def read_potsdam(
    root: Path | str, modalities: Sequence[str] | None = None, orphans: str = "refuse", window: int = 512,
    border: str = "eroded", tiles: Sequence[str] | None = None,
) -> MultiModalData:  # fmt: skip
    """RGB [N, 3, 512, 512], heights [N, 1, 512, 512] and masks [N, 512, 512]: 144 windows of each
    tile, as in mmseg.

    Args:
        root: a folder that holds the files, at any depth.
        modalities: of rgb, dsm (metres), ndsm (above ground, relative), irrg and rgbir; rgb and dsm
        by default.
        orphans: "refuse" or "drop" tiles that a modality lacks. Test tiles without labels are
            always left out, and then there is no official split.
        window: its side in pixels.
        border: "eroded" takes the labels without the borders of objects, "full" those with them.
        tiles: a part of the 38, such as ["6_7", "2_10"].

    Raises:
        ConfigError: an option that is unknown or out of its range.
        DataError: files are missing or stand twice, orphans, or a file of another form.
    """
    names, root = list(modalities or ("rgb", "dsm")), Path(root)
    _check_options(names, window, border, tiles)
    read_rows.cache_clear()  # a file may have been replaced since
    wanted = [tile for tile in TRAIN + TEST if tile in (tiles or TRAIN + TEST)]
    held = find_tiles(
        root, {name: LAYERS[name] for name in names} | {"labels": LABELS[border]}, wanted
    )
    seen = set().union(*held.values())
    bare = [tile for tile in TEST if tile in seen - set(held["labels"])]
    held = {
        name: {tile: files[tile] for tile in files if tile not in bare}
        for name, files in held.items()
    }
    found, dropped = pair(held, str(root), orphans)
    official = _is_official(root, found, bare, wanted, asked=tiles is not None)
    spots, labels = _windows(held, found, window, border)
    dropped |= {
        "test tiles without labels": len(bare),
        "windows without labels": int((labels < 0).sum()),
    }
    spots = [spot for spot, label in zip(spots, labels, strict=True) if label >= 0]
    labels, groups = labels[labels >= 0], np.array([tile for tile, _, _ in spots])
    ids = np.array([f"{tile}-{top:04d}-{left:04d}" for tile, top, left in spots])

    def lazy(name: str, read: Callable, bands: tuple[int, ...], kind: str) -> Lazy:
        items = [(held[name][tile], top, left) for tile, top, left in spots]
        return Lazy(items, partial(read, window=window), (*bands, window, window), kind)

    def modality(name: str) -> Modality:
        images = lazy(
            name, READERS.get(name, read_window), LAYERS[name].bands[:1], LAYERS[name].kinds[0]
        )
        return Modality(images, labels, ids, LAYERS[name].unit)

    complete = set(found) == set(TRAIN + TEST if official else TRAIN)
    return MultiModalData(
        {name: modality(name) for name in names},
        CLASSES,
        dense=True,
        masks=lazy("labels", _read_mask, (), "uint8"),
        groups=groups,
        name="-".join(["potsdam", *(names if names != ["rgb", "dsm"] else []),
                       *([] if complete else [f"{len(found)}tiles"]), "official" if official else "grouped"]),
        parts=_parts(groups) if official else None,
        about={"source": PAGE, "licence": POTSDAM.licence, "dropped": dropped, "window": window, "border": border,
               "tiles": found, "masks": "class per pixel, 255 = no label",
               "invalid values": "none known in heights; the column that those of tile 3_13 lack repeats the last one;"
               " label pixels that are black or of another colour are 255"},
    )  # fmt: skip


def _check_options(names: list[str], window: int, border: str, tiles: Sequence[str] | None) -> None:
    check_modalities(names, tuple(LAYERS), "potsdam")
    if border not in LABELS:
        raise ConfigError(f"border: '{border}' is unknown; choose {' or '.join(LABELS)}")
    if type(window) is not int or window < 2:
        raise ConfigError(
            f"window: {window!r} is no side in pixels; choose a whole number such as 512"
        )
    if tiles is not None and (not isinstance(tiles, list | tuple) or not tiles):
        raise ConfigError(f'tiles: {tiles!r} is no list of tiles; choose such as ["6_7", "2_10"]')
    if unknown := [tile for tile in tiles or () if tile not in TRAIN + TEST]:
        raise ConfigError(
            f"tiles: potsdam has no {unknown[0]!r}; choose of {', '.join(TRAIN + TEST)}"
        )


def _is_official(
    root: Path, found: list[str], bare: list[str], wanted: list[str], asked: bool
) -> bool:
    """Whether the tiles can be divided as in the contest; warns of those that are not there."""
    test = {tile for tile in TEST if tile in wanted}
    official = bool(test) and test <= set(found) and sum(tile in TRAIN for tile in found) > 1
    if missing := [tile for tile in wanted if tile not in found]:
        told = f"{root}: {len(missing)} of {len(wanted)} tiles are missing or incomplete: {', '.join(missing)}"
        told += f" ({len(bare)} test tiles lack their label)" if bare else ""
        if asked:
            raise DataError(f"{told}; complete them, or leave them out of the option tiles")
        split = (
            "" if official else "; so there is no official split, and a drawn one keeps tiles whole"
        )
        warnings.warn(told + split, stacklevel=3)
    return official


def _parts(groups: np.ndarray) -> dict[str, np.ndarray]:
    train, valid = carve(np.flatnonzero(np.isin(groups, TRAIN)), groups)
    return {"train": train, "valid": valid, "test": np.flatnonzero(np.isin(groups, TEST))}


def _windows(
    held: Mapping[str, Mapping[str, Path]], found: Sequence[str], window: int, border: str
) -> tuple[list[tuple[str, int, int]], np.ndarray]:
    """(tile, top, left) of every window and its most frequent class; every header and every label
    is checked."""
    sizes = {
        tile: tile_size({name: files[tile] for name, files in held.items()}, tile) for tile in found
    }
    spots, labels = [], []
    for tile in tqdm(found, desc="potsdam/labels", unit="tile", disable=None):
        file, (height, width) = held["labels"][tile], sizes[tile]
        if window > min(height, width):
            raise ConfigError(
                f"window: {window} is more than the {min(height, width)} pixels of {file}; choose less"
            )
        ids = _read_label(file, height, window, border)
        places = [
            (top, left)
            for top in window_starts(height, window)
            for left in window_starts(width, window)
        ]
        cut = np.stack([ids[top : top + window, left : left + window] for top, left in places])
        labels.append(dominant_classes(cut, len(CLASSES), str(file)))
        spots += [(tile, *place) for place in places]
    if max(map(np.max, labels)) < 0:
        raise DataError(
            f"{file.parent}: none of {len(spots)} windows holds a label; fetch the labels again"
        )
    return spots, np.concatenate(labels)


def _read_label(file: Path, height: int, window: int, border: str) -> np.ndarray:
    """The class ids [H, W] of a whole label; many pixels without a class's colour are refused, few
    warned of."""
    ids, black, strange = [], 0, 0
    for top in range(0, height, window):
        strip = read_rows(file, top, window)
        ids.append(_decode(strip))
        dark = int((~strip.any(axis=0)).sum())
        black, strange = black + dark, strange + int((ids[-1] == NO_LABEL).sum()) - dark
    ids = np.concatenate(ids)
    if strange > STRANGE * ids.size:
        raise DataError(
            f"{file}: {strange / ids.size:.2%} of its pixels have no class's colour; it is blended or resized, as 4_12"
            f" in 5_Labels_all.zip is; take the copy in {RIGHT_COPY}….zip, or fetch it again"
        )
    if strange:
        warnings.warn(
            f"{file}: {strange} pixels have no class's colour; they are no label (255)",
            stacklevel=4,
        )
    if black and border == "full":
        warnings.warn(f"{file}: {black} pixels are black; they are no label (255)", stacklevel=4)
    return ids


def _decode(pixels: np.ndarray) -> np.ndarray:
    """Colours [3, H, W] to class ids [H, W]: an exact match or no label."""
    class_of = np.full(9, NO_LABEL, np.uint8)
    class_of[list(COLOURS)] = range(len(COLOURS))
    red, green, blue = pixels
    code = red & 4 | green & 2 | blue & 1  # in bytes, since a tile has 36 million pixels
    code[(pixels + np.uint8(1) > 1).any(axis=0)] = (
        8  # 255 + 1 is 0: some channel is neither 0 nor 255
    )
    return class_of[code]


def _read_mask(item: tuple[Path, int, int], window: int) -> np.ndarray:
    return _decode(read_window(item, window))


def _read_dsm(item: tuple[Path, int, int], window: int) -> np.ndarray:
    heights = read_window(item, window).astype(np.float32)
    worst = heights.flat[np.abs(heights).argmax()]
    if abs(worst) > HIGHEST:
        raise DataError(
            f"{item[0]}: holds {worst:g} m; Potsdam lies in ±{HIGHEST:g} m; fetch the file again"
        )
    return heights


def _read_ndsm(item: tuple[Path, int, int], window: int) -> np.ndarray:
    pixels = read_window(item, window)
    if (pixels != pixels[:1]).any():
        raise DataError(
            f"{item[0]}: its three bands differ, and heights are grey; take the original file"
        )
    return pixels[:1]


READERS = {"dsm": _read_dsm, "ndsm": _read_ndsm}

POTSDAM = Source(
    name="potsdam",
    what="aerial RGB and heights of a town, 38 tiles of 6000×6000 pixels cut into windows, six classes per pixel",
    modalities={"rgb": "3×512×512, 8 bit", "dsm": "1×512×512, m", "ndsm": "1×512×512, above ground, relative",
                "irrg": "3×512×512, 8 bit", "rgbir": "4×512×512, 8 bit"},
    size="14 GB as plain pixels",
    licence="none found; see the page",
    page=PAGE,
    read=read_potsdam,
    files=(
        *(RemoteFile(f"{name}.zip") for name in ("1_DSM", "2_Ortho_RGB", "5_Labels_all_noBoundary")),
        *(RemoteFile(f"{name}.zip", needed=False)
          for name in ("1_DSM_normalisation", "3_Ortho_IRRG", "5_Labels_all", RIGHT_COPY, f"{RIGHT_COPY}_no_Boundary")),
        RemoteFile("4_Ortho_RGBIR.zip", checksum="md5:c4a8f7d8c7196dd4eba4addd0aae10c1", needed=False),
    ),
    by_hand=f"Get the share's address and password at {PAGE} and put 1_DSM.zip, 2_Ortho_RGB.zip,"
    f" 5_Labels_all_noBoundary.zip and {RIGHT_COPY}_no_Boundary.zip into the folder (for the option border=full:"
    f" 5_Labels_all.zip and {RIGHT_COPY}.zip)",
)  # fmt: skip
