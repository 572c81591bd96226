"""A public data set: what it is, the function that reads it, and how its files are brought here."""

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from discom.data.multimodal import MultiModalData
from discom.errors import DataError, explain, first_line
from discom.files import atomic_folder

__all__ = ["RemoteFile", "Source", "fetch", "unpack"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class RemoteFile:
    """A file that a data set consists of."""

    name: str  # on disk
    # address → "md5:…" or "sha256:…", empty where none is published; no address: only by hand
    mirrors: Mapping[str, str] = field(default_factory=dict)
    needed: bool = True  # by the reader


@dataclass(frozen=True)
class Source:
    """One public data set."""

    name: str  # in commands and tables
    what: str  # one line, for the list of data sets
    modalities: dict[str, str]  # name → bands, size and unit: {"rgb": "3×64×64, reflectance"}
    size: str  # of the raw files
    licence: str
    page: str  # where it is described
    read: Callable[..., MultiModalData]  # (root, modalities=None, **options)
    files: tuple[RemoteFile, ...] = ()
    by_hand: str = ""  # what to fetch where, if not all can be downloaded

    @property
    def access(self) -> str:
        """How to get the files, in words."""
        by_program = [bool(file.mirrors) for file in self.files if file.needed]
        if not any(by_program):
            return "by hand"
        return "--download" if all(by_program) else "--download, and a part by hand"

    def about(self, dropped: Mapping[str, int], invalid: str, **more: Any) -> dict[str, Any]:
        """What a prepared folder says of its origin: samples left out by kind, values that are no
        measurement."""
        about = {"source": self.page, "licence": self.licence, "dropped": dict(dropped)}
        return about | {"invalid values": invalid} | more

    def advice(self) -> str:
        """What to do where files are missing, in one line."""
        if self.access == "by hand":
            return self.by_hand
        way = f"Give the folder with the raw files, or fetch them with --download ({self.size})"
        return f"{way}. {self.by_hand}" if self.by_hand else way

    def gather(self, root: Path | str, download: bool = False) -> Path:
        """Bring `root` to where `read` finds its files: download what is missing, verify, unpack.

        An archive is unpacked into a folder of its name beside it; where that folder exists, the
        archive may be missing.

        Raises:
            DataError: a file that is damaged or that cannot be fetched.
        """
        root = Path(root)
        if download and self.access == "by hand":
            raise DataError(f"{self.name}: cannot be downloaded by a program. {self.advice()}")
        if not root.is_dir() and (root.exists() or not download):
            raise DataError(f"{root}: no such folder (--root). {self.advice()}")
        for remote in sorted(self.files, key=lambda file: bool(file.mirrors)):  # by hand first
            file = root / remote.name
            if file.name.endswith(ARCHIVES) and _folder(file).is_dir():
                continue  # it is unpacked
            if file.is_file():
                _verify(file, remote)
            elif download and remote.mirrors:
                fetch(remote, root)
            elif download and remote.needed:
                raise DataError(f"{file}: cannot be downloaded. {self.by_hand}")
            if file.is_file() and file.name.endswith(ARCHIVES):
                unpack(file)
        return root


def fetch(remote: RemoteFile, folder: Path | str) -> Path:
    """Download into `folder`; each mirror is tried three times, and the file verified.

    Raises:
        DataError: no mirror gives the file, or it cannot be written.
    """
    import pooch
    import requests

    file, reasons = Path(folder, remote.name), []
    download = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 20, timeout=60)
    for url, checksum in remote.mirrors.items():
        registry, urls = {file.name: checksum or None}, {file.name: url}
        store = pooch.create(folder, "", registry=registry, urls=urls, retry_if_failed=2)
        try:
            store.fetch(file.name, downloader=download)
            file.chmod(0o644)  # pooch's temporary file is private
            return file
        except (requests.RequestException, ValueError) as error:
            reasons.append(f"{url} ({type(error).__name__}: {first_line(error)})")
        except OSError as error:
            raise DataError(explain(error, file)) from None
    raise DataError(
        f"{file}: no mirror gave it: {', '.join(reasons) or 'it has no address'}; try later, or"
        f" fetch it by hand into {folder}"
    )


def unpack(archive: Path) -> Path:
    """Write the content of a .zip or .tar(.gz) to a folder of its name beside it, whole or not.

    Raises:
        DataError: a member that would land outside the folder, or is a link or a device (nothing is
            written then); an archive that is damaged; a disk that cannot be written.
    """
    import pooch

    extract = pooch.Unzip if archive.suffix == ".zip" else pooch.Untar
    try:
        for name, is_plain in _members(archive):
            path = PureWindowsPath(name)  # takes / and \ alike, and knows drives
            if path.anchor or ".." in path.parts or not is_plain:
                wrong = "would land outside its folder" if is_plain else "is a link or a device"
                raise DataError(f"{archive}: {name!r} {wrong}; fetch the authors' own archive")
        with atomic_folder(_folder(archive), marker="unpacked") as part:
            extract(extract_dir=str(part.absolute()))(str(archive), "download", None)
    except DataError:
        raise
    except Exception as error:  # each format has its own exceptions for a damage
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(explain(error, _folder(archive))) from None
        reason = first_line(error).rstrip(":")
        raise DataError(f"{archive}: is damaged ({reason}); delete it and fetch it again") from None
    return _folder(archive)


def _members(archive: Path) -> Iterator[tuple[str, bool]]:
    """Every name, and whether it is a file or a folder."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the system has no kinds
                yield info.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR)
    else:
        with tarfile.open(archive) as packed:
            for member in packed:
                yield member.name, member.isreg() or member.isdir()


def _folder(archive: Path) -> Path:
    ending = next(ending for ending in ARCHIVES if archive.name.endswith(ending))
    return archive.with_name(archive.name.removesuffix(ending))


def _verify(file: Path, remote: RemoteFile) -> None:
    import pooch

    published = {checksum for checksum in remote.mirrors.values() if checksum}
    kinds = {checksum.partition(":")[0] for checksum in published}
    if published and published.isdisjoint(
        f"{kind}:{pooch.file_hash(str(file), kind)}" for kind in kinds
    ):
        words = " or ".join(sorted(published))
        raise DataError(f"{file}: its checksum is not {words}; delete it and fetch it again")
