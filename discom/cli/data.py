"""`discom data …`: list, prepare, check and show data sets; and what all commands share."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import discom
from discom.config import check_options, options_of
from discom.errors import ConfigError

OWN = "Name your images: --root DIR"  # where a person's folder is missing
COPIES = "--options '{\"group_copies\": true}'"  # what joins them to groups
READER = ("size", "fit", "bands", "groups", "motions")  # flags that are options of a reader


def draw(out: Path, figures: Mapping[str, Callable]) -> None:
    """Write pictures beside each other: what the name `out` ends in → what draws it. A ConfigError
    for a name of another kind of file, or none."""
    ending = out.suffix or ".png"
    if ending not in (".png", ".pdf", ".svg") or not out.name:
        raise ConfigError("--out", f"'{out}' is no picture", "name a .png, .pdf or .svg")
    discom.plots.style()
    for name, figure in figures.items():
        file = out.with_name(f"{out.stem}{name}{ending}")
        with discom.files.atomic_file(file) as part:
            figure().savefig(part, format=ending[1:])
        print(file)


def intervals(end: str, rows: Any, baselines: Sequence[str]) -> dict[str, Callable]:
    """The figure of a table, for `draw`; none where no row is compared with a baseline."""
    if rows[[f"vs {name}" for name in baselines]].notna().any(axis=None):
        return {end: partial(discom.plots.intervals, rows, baselines)}
    print(f"no picture: no method shares a seed with {', '.join(baselines)}")
    return {}


def reader(source: str, modalities: str | None) -> Callable[[int | None], Any]:
    """A function of a seed: the data of a run with this seed. Files are read once for all."""
    load = lru_cache(maxsize=1)(discom.data.load)
    drawn = discom.data.locate(source) is None
    return lambda seed: load(source, modalities, seed if drawn else None)


def listing(flags: Namespace) -> None:
    """List the public data sets: size, licence, access, and what is prepared here."""
    from discom.data.sources import SOURCES

    for name, source in SOURCES.items():
        folder = discom.data.locate(f"{name}:")
        known = folder and discom.data.is_prepared(folder)
        state = f"prepared in {folder}" if known else "not prepared"
        bands = "; ".join(f"{modality} {text}" for modality, text in source.modalities.items())
        options = ", ".join(f"{key}={p.default!r}" for key, p in options_of(source.read).items())
        lines = [source.what, bands, source.size, source.licence, source.access, options]
        print(f"{name}: {state}", *filter(None, lines), source.page, sep="\n    ")


def prepare(flags: Namespace) -> None:
    """Read raw data and write one prepared folder, whole or not at all.

    discom data prepare eurosat --download
    discom data prepare folders --root my_images --size 64 --out data/mine
    """
    from discom.data.splitting import protocol

    if flags.out:  # refused before hours of reading
        discom.files.check_place(flags.out, discom.data.prepared.MANIFEST, flags.overwrite)
    images, name = _read(flags)
    if flags.split and images is not (images := protocol(images, flags.split)):
        name += f"-{flags.split}"  # beside the usual one, not in its place
    images.split_indices()  # too few groups are told now, not when training starts
    out = flags.out or discom.data.home() / name
    if flags.data.removesuffix(":") == "folders":  # runs are called by what they read
        images = replace(images, name=out.resolve().name)
    images.save(out, overwrite=flags.overwrite)
    print(f"{out}: {_describe(images)}")
    _warn_of_values(images, out)


def _read(flags: Namespace) -> tuple[Any, str]:
    """The images, and the name of the folder that takes them."""
    from discom.data.sources import SOURCES, Source

    name, root, download = flags.data.removesuffix(":"), flags.root, flags.download
    if not (root or download):
        discom.data.locate(flags.data)  # refuses the name of a set that is a folder here, too
    own = Source("folders", "", {}, "", "", "", discom.data.read_folders, by_hand=OWN)
    source = {**SOURCES, "folders": own}.get(name)
    given = {flag: value for flag in READER if (value := getattr(flags, flag)) is not None}
    options = (flags.options or {}) | given
    if source is None:  # drawn, or prepared before
        if root or download or options:
            found = f"'{name}' takes none of them"
            listed = f"--root, --download, --{', --'.join(READER)}, --options"
            raise ConfigError(listed, found, "leave them out")
        images = discom.data.load(flags.data, flags.modalities)
        return images, images.name
    check_options(name, source.read, options)
    modalities = flags.modalities.split("+") if flags.modalities else []
    root = source.raw_folder(root or discom.data.home() / "raw" / name, download)
    images = source.read(root, modalities or None, **options)
    images = replace(images, about={**images.about, "options": options})
    return images, images.name if source is own else "-".join([name, *modalities])


def _describe(images: Any) -> str:
    sizes = [f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in images.modalities.items()]
    counts = f"{len(images)} samples in {len(images.classes)} classes"
    if images.groups is not None:
        counts += f" and {len(set(images.groups.tolist()))} groups"
    return f"{counts}, {len(images.paired_ids)} complete pairs; {', '.join(sizes)}"


def _warn_of_values(images: Any, source: object) -> None:
    """Warn of values that may mean "not measured"."""
    from discom.data.checks import odd_values

    for name, modality in images.modalities.items():
        if found := odd_values(modality):
            way_out = f'--options \'{{"invalid": {{"{name}": …}}}}\''
            warnings.warn(f"{source}/{name}: {found}; {way_out}", stacklevel=3)


def check(flags: Namespace) -> None:
    """Verify a data set: checksums, pixels, labels, pairs, and copies between its parts."""
    from discom.data.splitting import near_duplicates

    folder = discom.data.locate(flags.data)
    known = folder and discom.data.is_prepared(folder)
    compared = discom.data.prepared.verify(folder) if folder and known else 0
    images = discom.data.load(flags.data, seed=flags.seed)
    split = images.split(seed=flags.seed)
    print(f"{flags.data}: {_describe(images)}\nchecksums compared: {compared}")
    for part, samples in split._asdict().items():
        counts = {kind: int((samples.labels == k).sum()) for k, kind in enumerate(images.classes)}
        by_class = "" if images.dense else f", by class {counts}"
        without = len(samples) - sum(counts.values())
        rest = f", without a label {without}" if without else ""
        print(f"{part:>5}: {len(samples)} samples{by_class}{rest}")
    _warn_of_values(images, flags.data)
    copies = near_duplicates(split)
    way_out = f"near-copies in two parts; prepare again with --groups PATTERN or {COPIES}"
    if images.groups is not None:
        way_out = f"near-copies in two groups; look at them, then mend the groups, or give {COPIES}"
    for name, modality in images.modalities.items():
        rows = copies[copies["modality"] == name].itertuples()
        alone = sorted(set(modality.ids) - set(images.paired_ids))
        pairs = [f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows]
        for ids, advice in (
            (alone, "no partner; add the missing file, or use methods that need no pairs"),
            (copies.attrs["flat"][name], "no structure; look at it, or remove it"),
            (pairs, way_out),
        ):
            if len(ids):
                first = "', '".join(map(str, ids[:3]))
                more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
                warnings.warn(f"{flags.data}/{name}: '{first}'{more}: {advice}", stacklevel=2)


def show(flags: Namespace) -> None:
    """Draw samples of every class as a picture."""
    images = discom.data.load(flags.data)
    draw(flags.out, {"": partial(discom.plots.pairs, images)})
