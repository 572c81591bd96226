"""`discom data …`: prepare, check and look at data."""

import inspect
import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from discom.commands.shared import check_picture
from discom.errors import ConfigError

__all__ = ["check", "listing", "picture", "prepare"]


def prepare(
    name: str,
    out: Path | None = None,
    root: Path | None = None,
    modalities: str | None = None,
    split: str | None = None,
    scaling: str | None = None,
    split_seed: int | None = None,
    options: str = "{}",
    download: bool = False,
    overwrite: bool = False,
) -> None:
    """Read raw data and write one prepared folder; the same command goes on where it was
    interrupted.

    Args:
        name: a public data set (see discom data list), scenes or scenes-dense (or
            scenes:n=600,epsilon=.2), folders for your own <modality>/<class>/<image>, or a prepared
            folder to be divided and scaled.
        out: the folder to write; data/<name> by default, data/<name>-<seed> with --split_seed.
        root: where the raw files are, or go with --download; data/raw/<name> by default.
        modalities: which ones to keep, such as rgb+elevation; the set's own pair by default.
        split: official, grouped or random; the first that the data have by default.
        scaling: train or whole (bounds from all images, the test part too, as DisCoM-KD's released
            code has it); with
            --split_seed.
        split_seed: fix the split drawn with this seed, scale by its training part, and use the file
            names of DisCoM-KD's released code. Without it every run draws the split of its own
            seed.
        options: of the reader, as JSON such as '{"window": 256}'; discom data list has them with
        their defaults.
        download: fetch what is missing in --root first.
        overwrite: replace a folder that this command made before.
    """
    from discom.data import HOME
    from discom.data.prepared import MANIFEST
    from discom.data.sources import SOURCES
    from discom.files import check_place

    if scaling and split_seed is None:
        raise ConfigError(
            "--scaling: takes effect with --split_seed alone; a run takes it as --data FOLDER:scaling=whole"
        )
    chosen = modalities.split("+") if modalities else None
    if out:
        check_place(out, MANIFEST, overwrite)  # before hours of reading
    data = _read(name, root, chosen, _parse(options), download).protocol(split, scaling or "train")
    seeded = "" if split_seed is None else f"-{split_seed}"
    out = out or HOME / (
        ("-".join([name, *(chosen or [])]) if name in SOURCES else data.name) + seeded
    )
    check_place(out, MANIFEST, overwrite)
    if out.resolve() == Path(name).resolve():
        raise ConfigError(f"--out: {out} is the folder that is read; choose another")
    if split_seed is None:
        data.save(out, overwrite=overwrite)
    else:
        _save_scaled(data, split_seed, out, overwrite)
    print(f"{out}: {_describe(data)}")


def _parse(options: str) -> dict[str, Any]:
    try:
        found = json.loads(options)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(
            f"--options: {options!r} is no JSON object; write such as '{{\"window\": 256}}'"
        )
    return found


def _read(
    name: str,
    root: Path | None,
    modalities: list[str] | None,
    options: dict[str, Any],
    download: bool,
):
    from discom import data as sets
    from discom.data.sources import SOURCES

    source = SOURCES.get(name)
    if source is None and (options or download):
        raise ConfigError(
            f"name: '{name}' takes no --options and no --download; {', '.join(SOURCES)} do"
        )
    if source is not None:
        known = list(_options(source))
        if wrong := sorted(set(options) - set(known)):
            raise ConfigError(
                f"--options: {name} has no option '{wrong[0]}'; it has {', '.join(known) or 'none'}"
            )
        folder = source.gather(root or sets.HOME / "raw" / name, download)
        data = source.read(folder, modalities, **options)
        return replace(data, about={**data.about, "options": options})
    if name != "folders" and root is not None:
        raise ConfigError(
            f"--root: '{name}' has no raw files; leave it out, or name one of {', '.join(SOURCES)}"
        )
    if name == "folders" and root is None:
        raise ConfigError("--root: folders needs the folder with its raw files; see data/README.md")
    if name != "folders" and not (name.partition(":")[0] in sets.DRAWN or sets.is_prepared(name)):
        there = ", ".join([*sets.DRAWN, "folders", *SOURCES])
        raise ConfigError(f"name: '{name}' is unknown; choose {there}, or a prepared folder")
    data = sets.read_folders(root) if name == "folders" else sets.load(name)
    return data.select(modalities) if modalities else data


def _save_scaled(data, seed: int, out: Path, overwrite: bool) -> None:
    """Two steps where the images are files still: bounds need several passes, which are quick over
    one array."""
    from discom.data import MultiModalData
    from discom.data.lazy import Lazy
    from discom.data.prepared import holds, identity

    if data.normalized:
        raise ConfigError(
            f"--split_seed: {data.name} is divided and scaled already; take the folder made without"
        )
    raw = out.with_name(f".{out.name}.raw")
    if any(isinstance(modality.x, Lazy) for modality in data.modalities.values()):
        if not holds(raw, identity(data, scaled=False)):
            data.save(raw, overwrite=True)
        data = replace(MultiModalData.open(raw), scaling=data.scaling)
    data = replace(data, about={**data.about, "split_seed": seed})
    data.save(out, split=data.split(seed=seed), overwrite=overwrite)
    shutil.rmtree(raw, ignore_errors=True)


def listing(markdown: bool = False) -> None:
    """The public data sets: what, size, licence, how to get them, and whether they are prepared
    here.

    Args:
        markdown: print the table of data/README.md.
    """
    from discom.data import HOME, is_prepared
    from discom.data.sources import SOURCES

    rows = [["name", "what", "modalities", "raw size", "licence", "access", "options of `prepare`"]]
    for source in SOURCES.values():
        bands = "; ".join(f"{name} {text}" for name, text in source.modalities.items())
        options = ", ".join(f"{name}={value!r}" for name, value in _options(source).items()) or "–"
        rows.append(
            [source.name, source.what, bands, source.size, source.licence, source.access, options]
        )
    if markdown:
        rows.insert(1, ["---"] * len(rows[0]))
        print("\n".join(f"| {' | '.join(cells)} |" for cells in rows))
        return
    for name, what, bands, size, licence, access, options in rows[1:]:
        state = f"prepared in {HOME / name}" if is_prepared(HOME / name) else "not prepared here"
        print(f"{name:9} {what}: {state}")
        for line in (
            bands,
            f"{size}; {licence}; {access}",
            f"options: {options}",
            SOURCES[name].page,
        ):
            print(f"{'':9} {line}")


def _options(source) -> dict[str, Any]:
    """What a reader takes besides its folder and its modalities, with the defaults."""
    parameters = list(inspect.signature(source.read).parameters.values())[2:]
    return {parameter.name: parameter.default for parameter in parameters}


def check(path: str, seed: int = 0) -> None:
    """Verify a data set: checksums where it has them, pixels, labels, pairs, the split, and copies
    between its parts; exit status 2 if it cannot be used, warnings for what it should be looked at
    for.

    Args:
        path: a prepared folder, a folder of images, scenes or scenes-dense.
        seed: of the split, where it is drawn.
    """
    from discom import data as sets
    from discom.data.prepared import is_prepared, verify

    folder = sets.locate(path)
    compared = verify(folder) if is_prepared(folder) else 0
    data = sets.load(path)
    split = data.split(seed=seed)
    print(f"{path}: {_describe(data)}")
    print(f"checksums compared: {compared}")
    for part, held in zip(split._fields, split, strict=True):
        counts = [int((held.labels == k).sum()) for k in range(len(data.classes))]
        print(
            f"{part:>5}: {len(held)} samples, by class {dict(zip(data.classes, counts, strict=True))}"
        )
    _look(path, data, split)


def _look(path: str, data, split) -> None:
    """What makes no data set unusable, but is worth a look: a line for each modality, and warnings
    with the ids."""
    import numpy as np

    from discom.data.duplicates import near_duplicates
    from discom.data.checks import levels, odd_levels

    copies = near_duplicates(split)
    for name, modality in data.modalities.items():
        alone, level = np.setdiff1d(modality.ids, data.paired_ids), levels(modality)
        odd = modality.ids[[] if data.normalized else odd_levels(level)]
        flat, copied = copies.attrs["flat"][name], copies[copies["modality"] == name]
        values = f"level of an image {level.min():g} … {level.max():g} {modality.unit}".rstrip()
        print(f"{name}: {len(alone)} without a partner; {values}; {len(odd)} at an odd level, {len(flat)} flat,"
              f" {len(copied)} near-copies between parts")  # fmt: skip
        pairs = [
            f"'{r.id}' ({r.part}) = '{r.other_id}' ({r.other_part})" for r in copied.itertuples()
        ]
        for found, what in (
            (alone, "no partner; add the missing file, or use methods that need no pairs"),
            (
                odd,
                "more than 100 times above or below the others; check unit and bit depth, or remove it",
            ),
            # where all are, their constant bands were warned of
            (
                flat if len(flat) < len(modality.ids) else [],
                "no structure within the bounds of scaling; look at it, and remove it if it shows nothing",
            ),
            (pairs, "near-copies in two parts; remove one of each, or give both the same group"),
        ):
            if len(found):
                shown = ", ".join(str(one) if found is pairs else f"'{one}'" for one in found[:3])
                more = f" and {len(found) - 3} more" * (len(found) > 3)
                warnings.warn(f"{path}/{name}: {shown}{more}: {what}", stacklevel=1)


def picture(path: str, out: Path = Path("pairs.png"), columns: int = 9) -> None:
    """Draw a grid of pairs, the class counts and the pixel values as three PNG files.

    Args:
        path: a prepared folder, a folder of images, scenes or scenes-dense.
        out: the grid's file, such as pairs.png; the others get -classes and -values before the
        ending.
        columns: how many scenes are shown.
    """
    from discom import data as sets
    from discom import plots

    if columns < 1:
        raise ConfigError(f"--columns: {columns} scenes cannot be drawn; use 1 or more")
    check_picture(out)
    plots.style()
    data = sets.load(path)
    parts = {part: data.take(rows) for part, rows in data.divide().items()}
    drawn = {
        "": plots.pairs(data, columns),
        "-classes": plots.class_counts(parts),
        "-values": plots.values(data),
    }
    for end, figure in drawn.items():
        file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
        figure.savefig(file)
        print(file)


def _describe(data) -> str:
    sizes = ", ".join(
        f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in data.modalities.items()
    )
    return f"{len(data)} samples in {len(data.classes)} classes, {len(data.paired_ids)} complete pairs; {sizes}"
