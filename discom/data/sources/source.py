"""A public data set: what it is, the function that reads it, and how its files are brought here."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch
from pooch.hashes import hash_matches

from discom.data.multimodal import MultiModalData
from discom.errors import DataError, first_line
from discom.files import atomic_folder


@dataclass(frozen=True)
class RemoteFile:
    """A file that a data set consists of."""

    name: str  # on disk
    url: str = ""  # none: it is fetched by hand
    checksum: str = ""  # "md5:…" or "sha256:…"; none: the authors publish none


@dataclass(frozen=True)
class Source:
    """One public data set."""

    name: str  # in commands and tables
    what: str  # one line, for the list of data sets
    # name → bands, size and unit: {"rgb": "3×64×64, reflectance"}; these are read by default
    modalities: dict[str, str]
    size: str  # of the raw files
    licence: str
    page: str  # where it is described
    # (root, modalities=None, **options); a DataError names a file that is missing or wrong
    read: Callable[..., MultiModalData]
    files: tuple[RemoteFile, ...] = ()
    by_hand: str = ""  # what to fetch where, if not all can be downloaded

    @property
    def access(self) -> str:
        """How to get the files, in words."""
        if not any(file.url for file in self.files):
            return "by hand"
        return "--download, and a part by hand" if self.by_hand else "--download"

    def advice(self) -> str:
        """What to do where files are missing, in one line."""
        if self.access == "by hand":
            return self.by_hand
        way = f"Give the folder with the raw files, or fetch them with --download ({self.size})"
        return f"{way}. {self.by_hand}" if self.by_hand else way

    def raw_folder(self, root: Path | str, download: bool = False) -> Path:
        """Bring `root` to where `read` finds its files: download what is missing, verify, unpack.

        An archive is unpacked into a folder of its name beside it; where that folder exists, the
        archive may be missing.
        """
        root = Path(root)
        if download and self.access == "by hand":
            raise DataError(self.name, f"cannot be downloaded by a program. {self.advice()}")
        if not root.is_dir() and (root.exists() or not download):
            raise DataError(root, f"no such folder (--root). {self.advice()}")
        for remote in sorted(self.files, key=lambda file: bool(file.url)):  # by hand first
            file = root / remote.name
            if file.suffix == ".zip" and file.with_suffix("").is_dir():
                continue  # it is unpacked
            if file.is_file():
                if not hash_matches(file, remote.checksum or None):
                    wrong = f"its checksum is not {remote.checksum}"
                    raise DataError(file, wrong, "delete it and fetch it again")
            elif download and remote.url:
                fetch(remote, root)
            elif download:
                raise DataError(file, f"cannot be downloaded. {self.by_hand}")
            if file.is_file() and file.suffix == ".zip":
                unpack(file)
        return root


def fetch(remote: RemoteFile, folder: Path | str) -> Path:
    """Download into `folder`, tried three times, and verify the file."""
    import requests

    name, file = remote.name, Path(folder, remote.name)
    download = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 20, timeout=60)
    registry, urls = {name: remote.checksum or None}, {name: remote.url}
    store = pooch.create(folder, "", registry=registry, urls=urls, retry_if_failed=2)
    try:
        store.fetch(name, downloader=download)
        file.chmod(0o644)  # pooch's temporary file is private
    except (requests.RequestException, ValueError) as error:
        reason = f"{remote.url} did not give it ({type(error).__name__}: {first_line(error)})"
        raise DataError(file, reason, "try later, or fetch it by hand") from None
    return file


def unpack(archive: Path) -> Path:
    """Write the content of a .zip to a folder of its name beside it, whole or not at all.

    `zipfile` keeps a member whose name leads elsewhere inside the folder, and writes a link as a
    plain file.
    """
    folder = archive.with_suffix("")
    with atomic_folder(folder, marker="unpacked") as part:
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(part)
        except Exception as error:  # zlib, zipfile and struct have their own kinds for a damage
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of the disk
            reason = f"is damaged ({first_line(error).rstrip(':')})"
            raise DataError(archive, reason, "delete it and fetch it again") from None
    return folder
