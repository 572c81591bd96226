"""`discom data …`: prepare, check and look at data."""

from pathlib import Path

from discom.commands.shared import check_picture
from discom.errors import ConfigError

__all__ = ["check", "picture", "prepare"]


def prepare(
    name: str,
    out: Path | None = None,
    root: Path | None = None,
    modalities: str | None = None,
    split_seed: int | None = None,
    overwrite: bool = False,
) -> None:
    """Read raw data and write one prepared folder.

    Args:
        name: scenes (or scenes:n=600,epsilon=.2), hls, eurosat, or folders for your own <modality>/<class>/<image>.
        out: the folder to write; data/<name> by default.
        root: where the raw files are; scenes need none.
        modalities: which ones to keep, such as rgb+elevation; all by default.
        split_seed: fix the split drawn with this seed, scale by its training part, and use the file names of
            DisCoM-KD's released code. Without it every run draws the split of its own seed.
        overwrite: replace a folder that this command made before.
    """
    from discom import data as sets
    from discom.data.sources import SOURCES

    if name.startswith("scenes"):
        data = sets.load(name)
    elif name == "folders" or name in SOURCES:
        if root is None:
            raise ConfigError(f"--root: {name} needs the folder with its raw files; see data/README.md")
        data = (SOURCES | {"folders": sets.read_folders})[name](root)
    else:
        raise ConfigError(f"name: '{name}' is unknown; choose scenes, folders, {', '.join(SOURCES)}")
    data = data.select(modalities.split("+")) if modalities else data
    out = out or Path("data") / data.name
    data.save(out, split=None if split_seed is None else data.split(seed=split_seed), overwrite=overwrite)
    print(f"{out}: {_describe(data)}")


def check(path: str) -> None:
    """Verify a data set: checksums where it has them, pixels, labels, pairs and the split; exit status 2 if it fails.

    Args:
        path: a prepared folder, a folder of images, or scenes.
    """
    from discom import data as sets
    from discom.data.prepared import is_prepared, verify

    compared = verify(path) if is_prepared(path) else 0
    data = sets.load(path)
    split = data.split()
    print(f"{path}: {_describe(data)}")
    print(f"checksums compared: {compared}")
    for part, held in zip(split._fields, split, strict=True):
        counts = [int((held.labels == k).sum()) for k in range(len(data.classes))]
        print(f"{part:>5}: {len(held)} samples, by class {dict(zip(data.classes, counts, strict=True))}")


def picture(path: str, out: Path = Path("pairs.png"), columns: int = 9) -> None:
    """Draw a grid of pairs, the class counts and the pixel values as three PNG files.

    Args:
        path: a prepared folder, a folder of images, or scenes.
        out: the grid's file, such as pairs.png; the others get -classes and -values before the ending.
        columns: how many scenes are shown.
    """
    from discom import data as sets
    from discom import plots

    if columns < 1:
        raise ConfigError(f"--columns: {columns} scenes cannot be drawn; use 1 or more")
    check_picture(out)
    plots.style()
    data = sets.load(path)
    drawn = {"": plots.pairs(data, columns), "-classes": plots.class_counts(data.split()._asdict()),
             "-values": plots.values(data)}  # fmt: skip
    for end, figure in drawn.items():
        file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
        figure.savefig(file)
        print(file)


def _describe(data) -> str:
    sizes = ", ".join(f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in data.modalities.items())
    return f"{len(data)} samples in {len(data.classes)} classes, {len(data.paired_ids)} complete pairs; {sizes}"
