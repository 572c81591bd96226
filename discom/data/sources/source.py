"""A public data set: what it is, where it is, and the function that reads it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from discom.data.multimodal import MultiModalData
from discom.data.sources.archives import ARCHIVES, unpack
from discom.data.sources.download import RemoteFile, fetch, find_file
from discom.errors import DataError
from discom.files import UNFINISHED, atomic_folder, tidy

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """One public data set.

    Args:
        name: in commands and tables.
        what: one line, for the list of data sets.
        modalities: name → bands, size and unit, such as {"rgb": "3×64×64, reflectance"}.
        size: of the raw files, in words.
        licence: in words.
        page: where it is described.
        read: (root, modalities, **options) → MultiModalData; see its own docstring for the options.
        files: what it consists of.
        by_hand: where not all files can be downloaded, what to fetch and where to put it.
    """

    name: str
    what: str
    modalities: dict[str, str]
    size: str
    licence: str
    page: str
    read: Callable[..., MultiModalData]
    files: tuple[RemoteFile, ...] = ()
    by_hand: str = ""

    @property
    def access(self) -> str:
        """How to get the files, in words."""
        by_program = [bool(file.urls) for file in self.files if file.needed]
        if not any(by_program):
            return "by hand"
        return "--download" if all(by_program) else "--download, and a part by hand"

    def gather(self, root: Path | str, download: bool = False) -> Path:
        """Bring `root` to where `read` finds what it needs: download what is missing, verify,
        unpack.

        Archives are looked for directly in `root` and unpacked into a folder of their name beside
        them, which appears when it is complete; where it is there already, the archive is left
        alone and may be missing.

        Raises:
            DataError: a file that is damaged or cannot be had.
        """
        root = Path(root)
        if download and self.access == "by hand":
            raise DataError(f"{self.name}: cannot be downloaded by a program. {self.advice()}")
        if root.is_file():
            raise DataError(f"{root}: is a file; give the folder that holds it (--root)")
        if not root.is_dir() and not download:
            raise DataError(f"{root}: no such folder (--root). {self.advice()}")
        alone = [file for file in self.files if file.needed and not file.urls] if download else []
        if missing := [file.name for file in alone if not (root / file.name).is_file()]:
            raise DataError(
                f"{root / missing[0]}: missing, and no program can fetch it. {self.by_hand}"
            )
        for wanted in self.files:
            packed = [root / remote.name for remote in (wanted, *wanted.instead)]
            if not any(_is_unpacked(file) for file in packed):
                file = find_file(wanted, root) or (
                    _try_fetch(wanted, root)
                    if download and (wanted.urls or wanted.needed)
                    else None
                )
                if file and _unpacked(file):
                    _unpack_beside(file)
        return root

    def advice(self) -> str:
        """How the files get there, in one line."""
        if self.access == "by hand":
            return self.by_hand
        download = (
            f"Give the folder with the raw files, or fetch them with --download ({self.size})"
        )
        return f"{download}. {self.by_hand}" if self.by_hand else download


def _try_fetch(wanted: RemoteFile, root: Path) -> Path | None:
    try:
        return fetch(wanted, root)
    except DataError as error:
        if wanted.needed:
            raise
        warnings.warn(f"{error}; goes on without it", stacklevel=3)
        return None


def _unpacked(file: Path) -> Path | None:
    """The folder for the content of an archive; none for another file."""
    ending = next((ending for ending in ARCHIVES if file.name.lower().endswith(ending)), None)
    return file.with_name(file.name[: -len(ending)]) if ending else None


def _is_unpacked(file: Path) -> bool:
    folder = _unpacked(file)
    return folder is not None and folder.is_dir() and any(folder.iterdir())


def _unpack_beside(archive: Path) -> None:
    word = f"{archive.name} of {archive.stat().st_size} bytes"
    with atomic_folder(_unpacked(archive), marker=UNFINISHED, resume=word) as folder:
        tidy(folder)
        unpack(archive, folder)
