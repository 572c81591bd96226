"""A public data set: what it is, the function that reads it, and how its files are brought here."""

import stat
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from discom.data.multimodal import MultiModalData
from discom.errors import DataError, explain, first_line
from discom.files import atomic_folder

__all__ = ["RemoteFile", "Source", "fetch", "unpack"]


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
            if file.suffix == ".zip" and file.with_suffix("").is_dir():
                continue  # it is unpacked
            if file.is_file():
                _verify(file, remote)
            elif download and remote.mirrors:
                fetch(remote, root)
            elif download and remote.needed:
                raise DataError(f"{file}: cannot be downloaded. {self.by_hand}")
            if file.is_file() and file.suffix == ".zip":
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
    said = ", ".join(reasons) or "it has no address"
    raise DataError(f"{file}: no mirror gave it: {said}; try later, or fetch it by hand")


def unpack(archive: Path) -> Path:
    """Write the content of a .zip to a folder of its name beside it, whole or not at all.

    Raises:
        DataError: a member that would land outside the folder, or is a link or a device (nothing is
            written then); an archive that is damaged; a disk that cannot be written.
    """
    folder = archive.with_suffix("")
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                _check_member(archive, member)
            with atomic_folder(folder, marker="unpacked") as part:
                packed.extractall(part)
    except DataError:
        raise
    except Exception as error:  # zlib, zipfile and struct have their own exceptions for a damage
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(explain(error, folder)) from None
        reason = first_line(error).rstrip(":")
        raise DataError(f"{archive}: is damaged ({reason}); delete it and fetch it again") from None
    return folder


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    path = PureWindowsPath(member.filename)  # takes / and \ alike, and knows drives
    kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the system has no kinds
    is_plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
    if path.anchor or ".." in path.parts or not is_plain:
        wrong = "would land outside its folder" if is_plain else "is a link or a device"
        raise DataError(f"{archive}: {member.filename!r} {wrong}; fetch the authors' own archive")


def _verify(file: Path, remote: RemoteFile) -> None:
    import pooch

    sums = {checksum for checksum in remote.mirrors.values() if checksum}
    kinds = {checksum.partition(":")[0] for checksum in sums}
    if sums and sums.isdisjoint(f"{kind}:{pooch.file_hash(str(file), kind)}" for kind in kinds):
        words = " or ".join(sorted(sums))
        raise DataError(f"{file}: its checksum is not {words}; delete it and fetch it again")
