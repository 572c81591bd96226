"""`discom data …`: prepare, check and show data sets."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from click import Choice

import discom
from discom.cli import flags
from discom.cli.flags import command, json_text
from discom.errors import ConfigError

PARTNER = "no partner of this class and name; add it, or use methods without pairs"
COPIES = "near-copies in two parts; look at them, then delete one, or give both one group"


@command
def prepare(
    data: str,
    out: Annotated[Path | None, Path, "Folder to write  [default: data/NAME]"] = None,
    root: Annotated[Path | None, Path, "Folder of the raw files  [default: data/raw/NAME]"] = None,
    modalities: flags.Modalities = "",
    size: Annotated[int | None, int, "Side in pixels to which images are resized."] = None,
    fit: Annotated[str | None, str, "Other proportions: squeeze (default) or crop."] = None,
    groups: Annotated[str | None, str, "Pattern '(.+)_[0-9]+'  [default: groups.csv]"] = None,
    options: Annotated[Any, json_text, "Others of the reader: '{\"window\": 256}'."] = "{}",
    split: Annotated[
        str | None, Choice(["random", "place", "official"]), "How to divide it  [default: its own]"
    ] = None,
    download: Annotated[bool, "Fetch what is missing in --root first."] = False,
    overwrite: flags.Overwrite = False,
) -> None:
    """Read raw data and write one prepared folder, whole or not at all.

    \b
    discom data prepare eurosat --download --split place
    discom data prepare folders --root my_images --size 64 --out data/mine
    discom data prepare arrays --root my_arrays --out data/mine
    """
    values = {"size": size, "fit": fit, "groups": groups}
    options = options | {flag: value for flag, value in values.items() if value is not None}
    how: dict = {"modalities": modalities, "out": out, "overwrite": overwrite, "options": options}
    folder = discom.data.prepare(data, root, download, split or "", **how)
    images = discom.data.load(folder)
    rule, paper = discom.data.split_rule(images)
    print(f"{folder}: {images}\ndivided {rule}; {paper}")


@command
def check(data: str, seed: flags.Seed = 0) -> None:
    """Verify a data set: pixels, labels, pairs, and copies between its parts."""
    from discom.data.own_folders import warn_of_classes
    from discom.data.splitting import near_duplicates

    images = discom.data.load(data, seed=seed)
    split = images.split(seed=seed)
    print(f"{data}: {images}")
    for part, samples in split._asdict().items():
        counts = {kind: int((samples.labels == k).sum()) for k, kind in enumerate(images.classes)}
        by_class = "" if images.dense else f", by class {counts}"
        without = len(samples) - sum(counts.values())
        rest = f", without a label {without}" if without else ""
        print(f"{part:>5}: {len(samples)} samples{by_class}{rest}")
    if left := len(images) - sum(map(len, split)):
        print(f" left: {left} samples in no part, since valid and test hold labelled ones alone")
    copies, apart = near_duplicates(split), set[str]()
    if "rules" in images.about:  # they were read of folders
        apart = warn_of_classes(data, {k: m.ids.tolist() for k, m in images.modalities.items()})
    for name, modality in images.modalities.items():
        alone = sorted({*modality.ids} - {*images.paired_ids} - apart)
        _warn_of(f"{data}/{name}", alone, PARTNER)
        rows = copies[copies["modality"] == name].itertuples()
        pairs = [f"{row.id} ({row.part}) = {row.other_id} ({row.other_part})" for row in rows]
        _warn_of(f"{data}/{name}", pairs, COPIES)


def _warn_of(place: str, ids: Iterable[str], advice: str) -> None:
    """Warn of samples, by their number and the first three names; of none there is no warning."""
    if names := [*map(str, ids)]:
        first = "', '".join(names[:3])
        warnings.warn(f"{place}: {len(names)}, such as '{first}': {advice}", stacklevel=3)


@command
def show(
    data: str, seed: flags.Seed = 0, out: Annotated[Path, "Picture to write."] = Path("pairs.png")
) -> None:
    """Draw samples of every class as a picture."""
    if out.suffix not in (".png", ".pdf", ".svg"):
        raise ConfigError("--out", f"'{out}' is no picture", "name a .png, .pdf or .svg")
    images = discom.data.load(data, seed=seed)
    discom.plots.style()
    with discom.files.atomic_file(out) as part:
        discom.plots.pairs(images).savefig(part, format=out.suffix[1:])
    print(out)
