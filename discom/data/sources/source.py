"""A public data set: what it is, the function that reads it, and how its files are brought here."""

import errno
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from discom.data.multimodal import MultiModalData
from discom.errors import DataError, first_line
from discom.files import atomic_folder

__all__ = ["RemoteFile", "Source", "fetch", "unpack"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class RemoteFile:
    """A file that a data set consists of.

    Args:
        name: what it is called on disk.
        mirrors: address → "md5:…" or "sha256:…" (empty where none is published), in the order in
            which they are tried; no address where only a person can fetch the file.
        needed: false for what the reader can do without.
    """

    name: str
    mirrors: Mapping[str, str] = field(default_factory=dict)
    needed: bool = True


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
        read: (root, modalities, **options) → MultiModalData; see its own docstring.
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
        by_program = [bool(file.mirrors) for file in self.files if file.needed]
        if not any(by_program):
            return "by hand"
        return "--download" if all(by_program) else "--download, and a part by hand"

    def about(self, dropped: Mapping[str, int], invalid: str, **more: Any) -> dict[str, Any]:
        """What a prepared folder says of its origin: how many samples of which kind were left
        out, and which values are no measurement."""
        start = {"source": self.page, "licence": self.licence, "dropped": dict(dropped)}
        return {**start, "invalid values": invalid, **more}

    def advice(self) -> str:
        """What to do where files are missing, in one line."""
        if self.access == "by hand":
            return self.by_hand
        download = (
            f"Give the folder with the raw files, or fetch them with --download ({self.size})"
        )
        return f"{download}. {self.by_hand}" if self.by_hand else download

    def gather(self, root: Path | str, download: bool = False) -> Path:
        """Bring `root` to where `read` finds its files: download what is missing, verify, unpack.

        An archive in `root` is unpacked into a folder of its name beside it. Where that folder
        exists already, the archive may be missing.

        Raises:
            DataError: a file that is damaged or that cannot be fetched.
        """
        root = Path(root)
        if download and self.access == "by hand":
            raise DataError(f"{self.name}: cannot be downloaded by a program. {self.advice()}")
        if root.is_file():
            raise DataError(f"{root}: is a file; give the folder that holds it (--root)")
        if not root.is_dir() and not download:
            raise DataError(f"{root}: no such folder (--root). {self.advice()}")
        for remote in self.files if download else ():
            if remote.needed and not remote.mirrors and not (root / remote.name).is_file():
                raise DataError(f"{root / remote.name}: cannot be downloaded. {self.by_hand}")
        for remote in self.files:
            file = root / remote.name
            if file.name.endswith(ARCHIVES) and _folder(file).is_dir():
                continue  # it is unpacked
            if file.is_file():
                _verify(file, remote)
            elif download and remote.mirrors:
                fetch(remote, root)
            if file.is_file() and file.name.endswith(ARCHIVES):
                unpack(file)
        return root


def fetch(remote: RemoteFile, folder: Path | str) -> Path:
    """Download into `folder` with pooch, which tries each mirror three times and verifies the file.

    Raises:
        DataError: no mirror gives the file (each is named with its reason), or it cannot be
            written.
    """
    import pooch
    import requests

    file, reasons = Path(folder, remote.name), []
    for url, checksum in remote.mirrors.items():
        registry = {file.name: checksum or None}
        store = pooch.create(
            folder, "", registry=registry, urls={file.name: url}, retry_if_failed=2
        )
        download = pooch.HTTPDownloader(progressbar=True, chunk_size=1 << 20, timeout=60)
        try:
            store.fetch(file.name, downloader=download)
            file.chmod(0o644)  # pooch's temporary file is private
            return file
        except requests.HTTPError as error:
            reasons.append(f"{url} (HTTP status {error.response.status_code})")
        except requests.RequestException as error:
            reasons.append(f"{url} ({type(error).__name__})")
        except ValueError:
            reasons.append(f"{url} (its checksum is not {checksum})")
        except OSError as error:
            raise _disk_error(file, error) from None
    raise DataError(
        f"{file}: no mirror gave it: {', '.join(reasons) or 'it has no address'}; try later, or"
        f" fetch it by hand into {folder}"
    )


def unpack(archive: Path) -> Path:
    """Write the content of a .zip or .tar(.gz) to a folder of its name beside it, whole or not.

    Every name is checked before the first file is written.

    Raises:
        DataError: a member that would land outside the folder, or is a link or a device; an
            archive that is damaged; a disk that cannot be written.
    """
    import pooch

    extract = pooch.Unzip if archive.suffix == ".zip" else pooch.Untar
    try:
        for name, is_plain in _members(archive):
            path = PureWindowsPath(name)  # takes / and \ alike, and knows drives
            if path.anchor or ".." in path.parts or not is_plain:
                wrong = "would land outside its folder" if is_plain else "is a link or a device"
                raise DataError(
                    f"{archive}: {name!r} {wrong}; this is not the authors' archive, fetch it from"
                    " its own page"
                )
        with atomic_folder(_folder(archive), marker="unpacked") as part:
            extract(extract_dir=str(part.absolute()))(str(archive), "download", None)
    except DataError:
        raise
    except Exception as error:  # each format has its own exceptions for a damage
        if isinstance(error, OSError) and error.errno is not None:
            raise _disk_error(_folder(archive), error) from None
        reason = first_line(error).rstrip(":")
        raise DataError(f"{archive}: is damaged ({reason}); delete it and fetch it again") from None
    return _folder(archive)


def _members(archive: Path) -> Iterator[tuple[str, bool]]:
    """Every name, and whether it is a file or a folder and nothing else."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the system has no kinds
                yield info.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR)
    else:
        with tarfile.open(archive) as packed:
            for member in packed:
                yield member.name, member.isreg() or member.isdir()
            rest = packed.fileobj.read(1 << 20) if packed.fileobj else b""
        if not rest or rest.strip(b"\0"):  # tarfile takes a damaged header for the end
            raise EOFError("its list of files breaks off")


def _folder(archive: Path) -> Path:
    ending = next(ending for ending in ARCHIVES if archive.name.endswith(ending))
    return archive.with_name(archive.name.removesuffix(ending))


def _verify(file: Path, remote: RemoteFile) -> None:
    import pooch

    known = {checksum for checksum in remote.mirrors.values() if checksum}
    kinds = {checksum.partition(":")[0] for checksum in known}
    if known and not known & {f"{kind}:{pooch.file_hash(str(file), kind)}" for kind in kinds}:
        words = " or ".join(sorted(known))
        raise DataError(f"{file}: its checksum is not {words}; delete it and fetch it again")


def _disk_error(place: Path, error: OSError) -> DataError:
    """What the system says, with the way out that fits."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            way = "make room, or choose another disk"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            way = "get the right to write there, or choose another folder"
        case errno.ENOENT:
            way = "the file vanished meanwhile, run the command again"
        case _:
            way = "check the disk"
    return DataError(f"{error.filename or place}: {error.strerror}; {way}")
