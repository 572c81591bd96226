"""`discom data …`: list, prepare, check and show data sets; and what all commands share."""

import inspect
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import discom
from discom.errors import ConfigError

__all__ = ["check", "draw", "listing", "prepare", "show"]

# a flag: its type and what it means
Data = Annotated[str, "scenes, scenes:n=600, a prepared folder, or a folder of images"]
Modalities = Annotated[str | None, "sensors in this order, such as rgb+elevation (default: all)"]
Overwrite = Annotated[bool, "replace what this command wrote there before"]
Json = dict[str, Any]


def draw(out: Path, figures: Mapping[str, Callable]) -> None:
    """Write pictures beside each other: what the name `out` ends in → what draws it."""
    if out.suffix not in ("", ".png", ".pdf", ".svg"):
        raise ConfigError(f"--out: '{out}' ends in {out.suffix}; pictures are .png, .pdf or .svg")
    discom.plots.style()
    for end, figure in figures.items():
        file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
        figure().savefig(file)
        print(file)


def listing(markdown: Annotated[bool, "the table of data/README.md"] = False) -> None:
    """List the public data sets: size, licence, access, and what is prepared here."""
    from discom.data.sources import SOURCES

    if markdown:
        print("| name | what | modalities | raw size | licence | access | options of `prepare` |")
        print("|" + " --- |" * 7)
    for name, source in SOURCES.items():
        bands = "; ".join(f"{modality} {text}" for modality, text in source.modalities.items())
        options = ", ".join(f"{key}={value!r}" for key, value in _options(source).items()) or "–"
        cells = [source.what, bands, source.size, source.licence, source.access, options]
        if markdown:
            print(f"| {' | '.join([name, *cells])} |")
        else:
            folder = discom.data.HOME / name
            state = f"prepared in {folder}" if discom.data.is_prepared(folder) else "not prepared"
            print(f"{name}: {state}", *cells, source.page, sep="\n    ")


def _options(source) -> dict[str, Any]:
    """What a reader takes besides its folder and its modalities, with the defaults."""
    parameters = list(inspect.signature(source.read).parameters.values())[2:]
    return {parameter.name: parameter.default for parameter in parameters}


def prepare(
    data: Annotated[str, "a name of discom data list, scenes, a prepared folder, or folders"],
    out: Annotated[Path | None, "the folder to write (default: data/NAME)"] = None,
    root: Annotated[Path | None, "the folder of the raw files (default: data/raw/NAME)"] = None,
    modalities: Modalities = None,
    split: Annotated[str | None, "official, grouped or random (default: the first)"] = None,
    scaling: Annotated[str | None, "train or whole, with --split-seed (default: train)"] = None,
    split_seed: Annotated[int | None, "fix this split, in the released code's files"] = None,
    size: Annotated[int | None, "pixels of a side that photos are resized to"] = None,
    options: Annotated[Json | None, "of the reader: '{\"window\": 256}'"] = None,
    download: Annotated[bool, "fetch what is missing in --root first"] = False,
    overwrite: Overwrite = False,
) -> None:
    """Read raw data and write one prepared folder, whole or not at all.

    discom data prepare eurosat --download
    discom data prepare folders --root my_images --size 64 --out data/mine
    """
    if scaling and split_seed is None:
        raise ConfigError("--scaling: needs --split-seed; a run takes --data FOLDER:scaling=whole")
    if out:
        discom.files.check_place(out, discom.data.prepared.MANIFEST, overwrite)  # hours ahead
    names = modalities.split("+") if modalities else None
    options = (options or {}) | ({"size": size} if size else {})
    images, name = _read(data, root, names, options, download)
    images = images.protocol(split, scaling or "train")
    out = out or discom.data.HOME / (name if split_seed is None else f"{name}-{split_seed}")
    if out.resolve() == Path(data).resolve():
        raise ConfigError(f"--out: {out} is the folder that is read; choose another")
    if split_seed is None:
        images.save(out, overwrite=overwrite)
    elif images.normalized:
        raise ConfigError(f"--split-seed: {data} is divided and scaled; take the raw folder")
    else:
        raw = out.with_name(f".{out.name}.raw")  # scaling reads every image more than once
        try:
            images.save(raw, overwrite=True)
            about = {**images.about, "split_seed": split_seed}
            images = replace(images.open(raw), scaling=images.scaling, about=about)
            images.save(out, split=images.split(seed=split_seed), overwrite=overwrite)
        finally:
            shutil.rmtree(raw, ignore_errors=True)
    print(f"{out}: {_describe(images)}")


def _read(name: str, root: Path | None, modalities: Any, options: dict[str, Any], download: bool):
    """The images of that name, and the name of the folder that takes them."""
    from discom.data.sources import SOURCES

    source = SOURCES.get(name)
    allowed = _options(source) if source else ["size"] if name == "folders" else []
    if wrong := [key for key in options if key not in allowed]:
        there = ", ".join(allowed) or "none"
        raise ConfigError(f"--options: {name} has no option '{wrong[0]}'; it has {there}")
    if source:
        folder = source.gather(root or discom.data.HOME / "raw" / name, download)
        images = source.read(folder, modalities, **options)
        images = replace(images, about={**images.about, "options": options})
        return images, "-".join([name, *(modalities or [])])
    if download or (root is None) == (name == "folders"):
        raise ConfigError(f"--root, --download: '{name}' takes neither; folders needs --root")
    images = discom.data.read_folders(root, **options) if root else discom.data.load(name)
    images = images.select(modalities) if modalities else images
    return images, images.name


def _describe(images) -> str:
    sizes = [f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in images.modalities.items()]
    counts = f"{len(images)} samples in {len(images.classes)} classes"
    return f"{counts}, {len(images.paired_ids)} complete pairs; {', '.join(sizes)}"


def check(data: Data, seed: Annotated[int, "of the split"] = 0) -> None:
    """Verify a data set: checksums, pixels, labels, pairs, and copies between its parts."""
    from discom.data.duplicates import near_duplicates

    folder = discom.data.locate(data)
    prepared = discom.data.is_prepared(folder)
    compared = discom.data.prepared.verify(folder) if prepared else 0
    images = discom.data.load(data)
    split = images.split(seed=seed)
    print(f"{data}: {_describe(images)}\nchecksums compared: {compared}")
    for name, part in split._asdict().items():
        counts = {kind: int((part.labels == k).sum()) for k, kind in enumerate(images.classes)}
        print(f"{name:>5}: {len(part)} samples, by class {counts}")
    copies = near_duplicates(split)
    for name in images.modalities:
        _look(f"{data}/{name}", images, name, copies)


def _look(place: str, images, name: str, copies) -> None:
    """A line on a modality, and a warning for each kind of sample that is worth a look."""
    from discom.data.checks import levels, odd_levels

    modality, flat = images.modalities[name], copies.attrs["flat"][name]
    alone = sorted(set(modality.ids) - set(images.paired_ids))
    level = levels(modality)
    odd = modality.ids[[] if images.normalized else odd_levels(level)]
    rows = copies[copies["modality"] == name].itertuples()
    pairs = [f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows]
    values = f"level of an image {level.min():g} … {level.max():g} {modality.unit}".rstrip()
    print(f"{name}: {len(alone)} without a partner; {values}; {len(odd)} at an odd level,", end=" ")
    print(f"{len(flat)} flat, {len(pairs)} near-copies between parts")
    for ids, advice in (
        (alone, "no partner; add the missing file, or use methods that need no pairs"),
        (odd, "more than 100 times above or below the others; check unit and bit depth"),
        (flat if len(flat) < len(modality.ids) else [], "no structure; look at it, or remove it"),
        (pairs, "near-copies in two parts; remove one of each, or give both the same group"),
    ):
        if len(ids):
            shown = ", ".join(f"'{sample}'" for sample in ids[:3])
            more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
            warnings.warn(f"{place}: {shown}{more}: {advice}", stacklevel=2)


def show(
    data: Data,
    out: Annotated[Path, "the picture"] = Path("pairs.png"),
    columns: Annotated[int, "how many samples are drawn"] = 9,
) -> None:
    """Draw samples of every class as a picture."""
    if columns < 1:
        raise ConfigError(f"--columns: {columns} samples cannot be drawn; use 1 or more")
    images = discom.data.load(data)
    draw(out, {"": lambda: discom.plots.pairs(images, columns)})
