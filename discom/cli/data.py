"""`discom data …`: list, prepare, check and show data sets."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

from click import argument, option

import discom
from discom.cli import flags
from discom.cli.flags import command
from discom.config import check_options
from discom.errors import ConfigError, DataError

READER = ("size", "fit", "bands", "groups", "motions")  # flags that are options of a reader
OWN = "name your images: --root DIR"  # where a person's folder is missing
COPIES = "--options '{\"group_copies\": true}'"  # what joins near copies to groups


def draw(out: Path, figure: Callable) -> None:
    """Write what `figure` draws as a picture; a ConfigError for a name of another kind of file."""
    file = out if out.suffix else out.with_name(f"{out.name}.png")
    if file.suffix not in (".png", ".pdf", ".svg"):
        raise ConfigError("--out", f"'{out}' is no picture", "name a .png, .pdf or .svg")
    discom.plots.style()
    with discom.files.atomic_file(file) as part:
        figure().savefig(part, format=file.suffix[1:])
    print(file)


@command()
def listing(asked: Namespace) -> None:
    """List the public data sets: size, licence, access, and what is prepared here."""
    from discom.data import sources

    for name in sources.names():
        folder = discom.data.locate(f"{name}:")
        prepared = folder and discom.data.is_prepared(folder)
        state = f"prepared in {folder}" if prepared else "not prepared"
        card = [f"{title}: {text}" for title, text in sources.get(name).card().items() if text]
        print(f"{name}: {state}", *card, sep="\n    ")


@command(
    argument("data"),
    option("--out", type=flags.PATH, help="Folder to write  [default: data/NAME]"),
    option("--root", type=flags.PATH, help="Folder of the raw files  [default: data/raw/NAME]"),
    flags.MODALITIES,
    option("--split", help="official, grouped or random  [default: the first that there is]"),
    option("--size", type=int, help="Side in pixels to which images are resized."),
    option("--fit", help="Other proportions: squeeze, crop or pad  [default: squeeze]"),
    option("--bands", type=flags.by_sensor, metavar="BANDS", help="Of sensors: 'rgb=1,2,3;nir=4'"),
    option("--groups", help="Pattern of names, as '(.+)_[0-9]+'  [default: groups.csv]"),
    option("--motions", type=flags.by_sensor, metavar="MOTIONS", help="As 'rgb=all;sar=none'"),
    option("--options", **flags.JSON, help="Others of the reader, such as '{\"window\": 256}'."),
    option("--download", is_flag=True, help="Fetch what is missing in --root first."),
    flags.OVERWRITE,
)
def prepare(asked: Namespace) -> None:
    """Read raw data and write one prepared folder, whole or not at all.

    \b
    discom data prepare eurosat --download
    discom data prepare folders --root my_images --size 64 --out data/mine
    """
    from discom.data.splitting import protocol

    if asked.out:  # refused before hours of reading
        discom.files.check_place(asked.out, discom.data.prepared.MANIFEST, asked.overwrite)
    images, name = _read(asked)
    if asked.split and images is not (images := protocol(images, asked.split)):
        name += f"-{asked.split}"  # beside the usual one, not in its place
    images.split_indices()  # too few groups are told now, not when training starts
    out = asked.out or discom.data.home() / name
    if asked.data.removesuffix(":") == "folders":  # runs are called by what they read
        images = images.changed(name=out.resolve().name)
    images.save(out, overwrite=asked.overwrite)
    print(f"{out}: {_describe(images)}")
    _warn_of_values(images, out)


def _read(asked: Namespace) -> tuple[Any, str]:
    """The images, and the name of the folder that takes them."""
    from discom.data import read_folders, sources

    name, root, download = asked.data.removesuffix(":"), asked.root, asked.download
    if not (root or download):
        discom.data.locate(asked.data)  # refuses the name of a set that is a folder here, too
    modalities = asked.modalities.split("+") if asked.modalities else []
    given = {flag: value for flag in READER if (value := getattr(asked, flag)) is not None}
    options = asked.options | given
    if name in sources.names():
        root = root or discom.data.home() / "raw" / name
        source = sources.get(name)
        images = source.read(root, modalities or None, download=download, **options)
        name = "-".join([name, *modalities])
    elif name == "folders":
        check_options(name, read_folders, options)
        if download or not root or not root.is_dir():
            raise DataError(root or name, "no such folder (--root)", OWN)
        images = read_folders(root, modalities or None, **options)
        name = images.name
    else:  # drawn, or prepared before
        if root or download or options:
            listed = f"--root, --download, --{', --'.join(READER)}, --options"
            raise ConfigError(listed, f"'{name}' takes none of them", "leave them out")
        images = discom.data.load(asked.data, asked.modalities)
        return images, images.name
    return images.changed(about={**images.about, "options": options}), name


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


@command(argument("data"), option("--seed", type=flags.SEED, default=0, help="Seed of the split."))
def check(asked: Namespace) -> None:
    """Verify a data set: checksums, pixels, labels, pairs, and copies between its parts."""
    from discom.data.splitting import near_duplicates

    folder = discom.data.locate(asked.data)
    prepared = folder is not None and discom.data.is_prepared(folder)
    compared = discom.data.prepared.verify(folder) if folder and prepared else 0
    images = discom.data.load(asked.data, seed=asked.seed)
    split = images.split(seed=asked.seed)
    print(f"{asked.data}: {_describe(images)}\nchecksums compared: {compared}")
    for part, samples in split._asdict().items():
        counts = {kind: int((samples.labels == k).sum()) for k, kind in enumerate(images.classes)}
        by_class = "" if images.dense else f", by class {counts}"
        without = len(samples) - sum(counts.values())
        rest = f", without a label {without}" if without else ""
        print(f"{part:>5}: {len(samples)} samples{by_class}{rest}")
    _warn_of_values(images, asked.data)
    copies = near_duplicates(split)
    way_out = f"near-copies in two parts; prepare again with --groups PATTERN or {COPIES}"
    if images.groups is not None:
        way_out = f"near-copies in two groups; look at them, then mend the groups, or give {COPIES}"
    for name, modality in images.modalities.items():
        place, rows = f"{asked.data}/{name}", copies[copies["modality"] == name].itertuples()
        alone = sorted(set(modality.ids) - set(images.paired_ids))
        _warn_of(place, alone, "no partner; add the missing file, or use methods without pairs")
        _warn_of(place, copies.attrs["flat"][name], "no structure; look at it, or remove it")
        pairs = [f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows]
        _warn_of(place, pairs, way_out)


def _warn_of(place: str, ids: Iterable[str], advice: str) -> None:
    """Warn of samples, by the first three names; of none there is no warning."""
    if names := [*map(str, ids)]:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        first = "', '".join(names[:3])
        warnings.warn(f"{place}: '{first}'{more}: {advice}", stacklevel=3)


@command(argument("data"), option("--out", type=flags.PATH, default="pairs.png", help="Picture."))
def show(asked: Namespace) -> None:
    """Draw samples of every class as a picture."""
    images = discom.data.load(asked.data)
    draw(asked.out, lambda: discom.plots.pairs(images))
