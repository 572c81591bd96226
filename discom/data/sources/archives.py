"""Archives from strangers: unpacked into one folder and nowhere else."""

import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from tqdm.auto import tqdm

from discom.errors import DataError, first_line
from discom.files import atomic_file

__all__ = ["ARCHIVES", "unpack"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
LIMIT = 200 << 30  # bytes; the largest of the public sets is some 40 GB unpacked
RATIO = 500  # what grows by more than this is a bomb; label images of few classes grow by a hundred
SMALL = 1 << 20  # bytes that do no harm, whatever they grow from
USELESS = {"__MACOSX", ".DS_Store", "Thumbs.db"}


def unpack(archive: Path | str, folder: Path | str, limit: int = LIMIT) -> Path:
    """Write the files of a .zip or .tar(.gz) below `folder`, skipping those that are there in full.

    Every name is checked before the first file is written. A call that was cut off goes on where it
    stopped: each file appears whole or not at all.

    Raises:
        DataError: no archive, damaged or empty; a file that would land outside `folder`, is there
            twice, or is a link or a device; locked by a password; more than `limit` bytes in all,
            or less free space than that.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise DataError(f"{archive}: no such file; fetch it")
    try:
        with _open(archive) as opened:
            missing = [
                (place, size, member)
                for place, (size, member) in _checked(archive, opened, folder, limit).items()
                if not (place.is_file() and place.stat().st_size == size)
            ]
            folder.mkdir(parents=True, exist_ok=True)
            need, free = sum(size for _, size, _ in missing), shutil.disk_usage(folder).free
            if need > free:
                raise DataError(
                    f"{folder}: {free:,} bytes are free, {need:,} needed for {archive.name}; make room"
                )
            for place, size, member in tqdm(
                missing, desc=archive.name, unit="file", disable=not missing
            ):
                _write(opened, member, place, size)
    except DataError:
        raise
    except RuntimeError as error:  # a password, or a method that zipfile has not
        reason = "a password" if "password" in str(error) else error
        raise DataError(
            f"{archive}: cannot be unpacked here ({reason}); unpack it by hand beside itself"
        ) from None
    except Exception as error:  # each format has its own exceptions for a damage
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(
                f"{folder}: {error.strerror} while {archive.name} is unpacked; make room or check the rights"
            ) from None
        reason = first_line(error).rstrip(":")
        raise DataError(
            f"{archive}: is no archive or damaged ({reason}); delete it and fetch it again"
        ) from None
    return folder


def _open(archive: Path) -> zipfile.ZipFile | tarfile.TarFile:
    return zipfile.ZipFile(archive) if archive.suffix.lower() == ".zip" else tarfile.open(archive)


def _write(opened, member, place: Path, size: int) -> None:
    reader = opened.open if isinstance(opened, zipfile.ZipFile) else opened.extractfile
    with (
        atomic_file(place, durable=False) as part,
        reader(member) as content,
        open(part, "wb") as out,
    ):
        shutil.copyfileobj(content, out, 1 << 20)
        if out.tell() != size:
            raise EOFError(f"{place.name} is cut short")


def _checked(archive: Path, opened, folder: Path, limit: int) -> dict[Path, tuple[int, object]]:
    """Where to write → size and handle, for every file of use."""
    inside, packed = os.path.realpath(folder), archive.stat().st_size
    found, total = {}, 0
    for name, size, plain, is_file, member in _members(opened):
        path = PureWindowsPath(name)  # takes / and \ alike, and knows drives
        place = Path(
            os.path.realpath(Path(folder, *path.parts))
        )  # a link on the way may lead outside
        total += size
        if not plain:
            wrong = f"{name!r} is a link or a device"
        elif path.anchor or ".." in path.parts or not place.is_relative_to(inside):
            wrong = f"{name!r} would land outside {folder}"
        elif total > limit:
            wrong = f"it unpacks to more than the {limit:,} bytes allowed"
        elif total > SMALL and total > RATIO * packed:
            wrong = f"it unpacks to more than {RATIO} times its {packed:,} bytes"
        elif is_file and place in found:
            wrong = f"{name!r} is in it twice"
        else:
            if is_file and USELESS.isdisjoint(path.parts):
                found[place] = size, member
            continue
        raise DataError(
            f"{archive}: {wrong}; it is not the archive of the authors, fetch it from its own page"
        )
    if not found:
        raise DataError(f"{archive}: holds no file; delete it and fetch it again")
    return found


def _members(opened) -> Iterator[tuple[str, int, bool, bool, object]]:
    """Name, size, whether it is a file or a folder and nothing else, whether it is a file, and its
    handle."""
    if isinstance(opened, zipfile.ZipFile):
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0: written where files have no kinds
            yield (
                info.filename,
                info.file_size,
                kind in (0, stat.S_IFREG, stat.S_IFDIR),
                not info.is_dir(),
                info,
            )
    else:
        for info in opened:
            yield info.name, info.size, info.isreg() or info.isdir(), info.isreg(), info
        # tarfile takes a damaged header for the end, and leaves the sum at the end of a .gz unread
        rest = [block.strip(b"\0") for block in iter(lambda: opened.fileobj.read(1 << 20), b"")]
        if not rest or any(rest):
            raise EOFError("its list of files breaks off")
