"""`discom data …`: list, prepare, check and show data sets; and what all commands share."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import discom
from discom.errors import ConfigError

FOLDERS = ("size", "unit", "invalid", "group_copies")  # options for a person's own images


def check_picture(out: Path) -> None:
    """Refuse a name of another kind of file."""
    if out.suffix not in ("", ".png", ".pdf", ".svg"):
        raise ConfigError(f"--out: '{out}' ends in {out.suffix}; pictures are .png, .pdf or .svg")


def draw(out: Path, figures: Mapping[str, Callable]) -> None:
    """Write pictures beside each other: what the name `out` ends in → what draws it."""
    check_picture(out)
    discom.plots.style()
    for end, figure in figures.items():
        file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
        figure().savefig(file)
        print(file)


def listing(flags: Namespace) -> None:
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


def prepare(flags: Namespace) -> None:
    """Read raw data and write one prepared folder, whole or not at all.

    discom data prepare eurosat --download
    discom data prepare folders --root my_images --size 64 --out data/mine
    """
    data, out, seed, overwrite = flags.data, flags.out, flags.split_seed, flags.overwrite
    if out:
        discom.files.check_place(out, discom.data.prepared.MANIFEST, overwrite)  # hours ahead
    images, name = _read(flags)
    if flags.split and images is not (images := images.protocol(flags.split)):
        name += f"-{flags.split}"  # beside the usual one, not in its place
    out = out or discom.data.HOME / (name if seed is None else f"{name}-{seed}")
    if out.resolve() == Path(data).resolve():
        raise ConfigError(f"--out: {out} is the folder that is read; choose another")
    fixed = None
    if seed is not None:
        if images.normalized:
            raise ConfigError(f"--split-seed: {data} is already split; use the raw folder")
        images = replace(images, about={**images.about, "split_seed": seed})
        fixed = images.split(seed=seed)
    images.save(out, split=fixed, overwrite=overwrite)
    print(f"{out}: {_describe(images)}")


def _read(flags: Namespace) -> tuple[Any, str]:
    """The images, and the name of the folder that takes them."""
    from discom.data.sources import SOURCES

    name, root, source = flags.data, flags.root, SOURCES.get(flags.data)
    options = (flags.options or {}) | ({"size": flags.size} if flags.size else {})
    modalities = flags.modalities.split("+") if flags.modalities else []
    allowed = _options(source) if source else FOLDERS if name == "folders" else ()
    if wrong := [key for key in options if key not in allowed]:
        choice = ", ".join(allowed) or "none"
        raise ConfigError(f"--options: {name} has no option '{wrong[0]}'; it has {choice}")
    if source:
        folder = source.raw_folder(root or discom.data.HOME / "raw" / name, flags.download)
        images = source.read(folder, modalities or None, **options)
        images = replace(images, about={**images.about, "options": options})
        return images, "-".join([name, *modalities])
    if name == "folders" and (root is None or flags.download):
        raise ConfigError("--root: folders needs the folder of your images and takes no --download")
    if name != "folders" and (root is not None or flags.download):
        raise ConfigError(f"--root, --download: '{name}' takes neither; leave them out")
    grouped = options.pop("group_copies", False)
    images = discom.data.read_folders(root, **options) if root else discom.data.load(name)
    if grouped:
        from discom.data.duplicates import near_groups

        images = replace(images, groups=near_groups(images))
    images = images.select(modalities) if modalities else images
    return images, images.name


def _describe(images) -> str:
    sizes = [f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in images.modalities.items()]
    counts = f"{len(images)} samples in {len(images.classes)} classes"
    return f"{counts}, {len(images.paired_ids)} complete pairs; {', '.join(sizes)}"


def check(flags: Namespace) -> None:
    """Verify a data set: checksums, pixels, labels, pairs, and copies between its parts."""
    from discom.data.checks import odd_levels
    from discom.data.duplicates import near_duplicates

    folder = discom.data.locate(flags.data)
    compared = discom.data.prepared.verify(folder) if discom.data.is_prepared(folder) else 0
    images = discom.data.load(discom.data.at_seed(flags.data, flags.seed))
    split = images.split(seed=flags.seed)
    print(f"{flags.data}: {_describe(images)}\nchecksums compared: {compared}")
    for part, samples in split._asdict().items():
        counts = {kind: int((samples.labels == k).sum()) for k, kind in enumerate(images.classes)}
        by_class = "" if images.dense else f", by class {counts}"
        without = len(samples) - sum(counts.values())
        rest = f", without a label {without}" if without else ""
        print(f"{part:>5}: {len(samples)} samples{by_class}{rest}")
    copies = near_duplicates(split)
    for name, modality in images.modalities.items():
        rows = copies[copies["modality"] == name].itertuples()
        alone = sorted(set(modality.ids) - set(images.paired_ids))
        odd = [] if images.normalized else modality.ids[odd_levels(modality)]
        pairs = [f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows]
        for ids, advice in (
            (alone, "no partner; add the missing file, or use methods that need no pairs"),
            (odd, "more than 100 times above or below the others; check unit and bit depth"),
            (copies.attrs["flat"][name], "no structure; look at it, or remove it"),
            (pairs, "near-copies in two parts; remove one of each, or give both the same group"),
        ):
            if len(ids):
                more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
                warnings.warn(f"{flags.data}/{name}: '{ids[0]}'{more}: {advice}", stacklevel=2)


def show(flags: Namespace) -> None:
    """Draw samples of every class as a picture."""
    images = discom.data.load(flags.data)
    draw(flags.out, {"": partial(discom.plots.pairs, images)})
