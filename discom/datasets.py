"""`discom data …`: list, prepare, check and show data sets; and what all commands share."""

import inspect
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


def listing() -> None:
    """List the public data sets: size, licence, access, and what is prepared here."""
    from discom.data.sources import SOURCES

    for name, source in SOURCES.items():
        folder = discom.data.HOME / name
        state = f"prepared in {folder}" if discom.data.is_prepared(folder) else "not prepared"
        bands = "; ".join(f"{modality} {text}" for modality, text in source.modalities.items())
        options = ", ".join(f"{key}={value!r}" for key, value in _options(source).items())
        lines = [source.what, bands, source.size, source.licence, source.access, options]
        print(f"{name}: {state}", *filter(None, lines), source.page, sep="\n    ")


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
    if out:
        discom.files.check_place(out, discom.data.prepared.MANIFEST, overwrite)  # hours ahead
    names = modalities.split("+") if modalities else None
    images, name = _read(
        data, root, names, (options or {}) | ({"size": size} if size else {}), download
    )
    images = images.protocol(split) if split else images
    out = out or discom.data.HOME / (name if split_seed is None else f"{name}-{split_seed}")
    if out.resolve() == Path(data).resolve():
        raise ConfigError(f"--out: {out} is the folder that is read; choose another")
    fixed = None
    if split_seed is not None:
        if images.normalized:
            raise ConfigError(f"--split-seed: {data} is divided and scaled; take the raw folder")
        images = replace(images, about={**images.about, "split_seed": split_seed})
        fixed = images.split(seed=split_seed)
    images.save(out, split=fixed, overwrite=overwrite)
    print(f"{out}: {_describe(images)}")


def _read(name: str, root: Path | None, modalities: Any, options: dict[str, Any], download: bool):
    """The images of that name, and the name of the folder that takes them."""
    from discom.data.sources import SOURCES

    source = SOURCES.get(name)
    allowed = _options(source) if source else ["size"] if name == "folders" else []
    if wrong := [key for key in options if key not in allowed]:
        choice = ", ".join(allowed) or "none"
        raise ConfigError(f"--options: {name} has no option '{wrong[0]}'; it has {choice}")
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
    from discom.data.checks import levels, odd_levels
    from discom.data.duplicates import near_duplicates

    folder = discom.data.locate(data)
    compared = discom.data.prepared.verify(folder) if discom.data.is_prepared(folder) else 0
    images = discom.data.load(data)
    split = images.split(seed=seed)
    print(f"{data}: {_describe(images)}\nchecksums compared: {compared}")
    for part, samples in split._asdict().items():
        counts = {kind: int((samples.labels == k).sum()) for k, kind in enumerate(images.classes)}
        print(f"{part:>5}: {len(samples)} samples, by class {counts}")
    copies = near_duplicates(split)
    for name, modality in images.modalities.items():
        level = levels(modality)
        low, high = level.min(), level.max()
        print(f"{name}: level of an image {low:g} … {high:g} {modality.unit}".rstrip())
        rows = copies[copies["modality"] == name].itertuples()
        findings = {
            "no partner; add the missing file, or use methods that need no pairs": sorted(
                set(modality.ids) - set(images.paired_ids)
            ),
            "more than 100 times above or below the others; check unit and bit depth": (
                [] if images.normalized else modality.ids[odd_levels(level)]
            ),
            "no structure; look at it, or remove it": copies.attrs["flat"][name],
            "near-copies in two parts; remove one of each, or give both the same group": [
                f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows
            ],
        }
        for advice, ids in findings.items():
            if len(ids):
                rest = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
                warnings.warn(f"{data}/{name}: '{ids[0]}'{rest}: {advice}", stacklevel=2)


def show(
    data: Data, out: Annotated[Path, "the first picture; the others get an end"] = Path("pairs.png")
) -> None:
    """Draw samples, class counts and pixel values as three pictures."""
    images = discom.data.load(data)
    parts = {part: images.take(rows) for part, rows in images.divide().items()}
    figures = {
        "": lambda: discom.plots.pairs(images),
        "-classes": lambda: discom.plots.class_counts(parts),
        "-values": lambda: discom.plots.values(images),
    }
    draw(out, figures)
