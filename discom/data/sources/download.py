"""Files from the web: mirrors in order, verified before they get their name."""

import hashlib
import logging
import re
import shutil
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

from discom.errors import DataError, first_line

__all__ = ["RemoteFile", "fetch", "find_file", "verify_file"]

TRIES = 3  # of each mirror
TIMEOUT = 60  # seconds without a byte
ZENODO = "https://zenodo.org/api/records"

pooch.get_logger().setLevel(logging.WARNING)  # the bar says the same


@dataclass(frozen=True)
class RemoteFile:
    """A file that a data set consists of.

    Args:
        name: what it is called on disk.
        urls: where it is, in the order in which they are tried; none where a person has to fetch
        it.
        size: in bytes, where known.
        checksum: "md5:…" or "sha256:…", where known.
        needed: false for what the readers can do without.
        instead: the same content packed otherwise, tried when no mirror gives this one.
        record: of Zenodo, which is asked for size and checksum when the file is downloaded.
    """

    name: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    checksum: str | None = None
    needed: bool = True
    instead: tuple["RemoteFile", ...] = ()
    record: str | None = None


class _WrongFileError(Exception):
    """What came is not the file; to ask the same address again would bring the same."""


def verify_file(file: Path | str, remote: RemoteFile) -> None:
    """Compare size and checksum, as far as they are known.

    Raises:
        DataError: naming the file, what it has and what it should have; a page of HTML is told
            apart.
    """
    if wrong := _difference(Path(file), remote):
        raise DataError(f"{file}: {wrong}; delete it and fetch it again")


def find_file(remote: RemoteFile, folder: Path | str) -> Path | None:
    """The file, or the same content packed otherwise, where it is in `folder` already; verified.

    Raises:
        DataError: what is there is not the file.
    """
    for candidate in (remote, *remote.instead):
        file = Path(folder, candidate.name)
        if file.is_file():
            verify_file(file, candidate)
            return file
    return None


def fetch(remote: RemoteFile, folder: Path | str, tries: int = TRIES) -> Path:
    """Download into `folder`, with a progress bar; what is there already is only verified.

    A download that is cut off starts again, `tries` times at each mirror. It gets the file's name
    when it is verified.

    Raises:
        DataError: too little space, or no mirror gives the file (each is named with its reason).
    """
    folder, failed = Path(folder), []
    if file := find_file(remote, folder):
        return file
    for candidate in (remote, *remote.instead):
        candidate = _ask_zenodo(candidate) if candidate.record else candidate
        for url in candidate.urls:
            try:
                return _download(url, candidate, folder, tries)
            except (requests.RequestException, _WrongFileError, ValueError) as error:
                failed.append(f"{url} ({_reason(error)})")
            except OSError as error:
                raise DataError(
                    f"{folder}: {error.strerror or error}; make room or check the rights"
                ) from None
    if not failed:
        raise DataError(
            f"{folder / remote.name}: has no address to download it from; fetch it by hand into {folder}"
        )
    raise DataError(
        f"{folder / remote.name}: no mirror gave it: {', '.join(failed)}; try later, or fetch it by hand into {folder}"
    )


def _download(url: str, remote: RemoteFile, folder: Path, tries: int) -> Path:
    """Pooch calls `get` with a file beside the named one, again after a cut, and gives it the name
    in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if remote.size is not None and remote.size > free:
        raise OSError(f"{free:,} bytes are free, {remote.size:,} needed for {remote.name}")

    def get(url: str, part: str, _) -> None:
        # a total from the start: pooch asks for the truth of the bar, which has none without
        with tqdm(total=remote.size or 1, desc=remote.name, unit="B", unit_scale=True) as bar:
            pooch.HTTPDownloader(
                progressbar=bar, chunk_size=1 << 20, timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"},  # size and checksum are of the file, not of a packing of it
            )(url, part, None)  # fmt: skip
        if wrong := _difference(Path(part), remote):
            raise _WrongFileError(wrong)

    part = folder / f".{remote.name}.download"
    shutil.rmtree(part, ignore_errors=True)  # what a killed download left
    store = pooch.create(
        part,
        base_url="",
        registry={remote.name: None},
        urls={remote.name: url},
        retry_if_failed=tries - 1,
    )
    try:
        fetched = Path(store.fetch(remote.name, downloader=get))
        fetched.chmod(0o644)  # a temporary file is private
        return fetched.replace(folder / remote.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _difference(file: Path, remote: RemoteFile) -> str | None:
    """What tells `file` from the one that is wanted."""
    size = file.stat().st_size
    with open(file, "rb") as opened:
        head = opened.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if head.startswith(b"<") and b"html" in head:
            return "is a web page and no data (a login or error page?)"
        if size == 0 or (remote.size is not None and size != remote.size):
            return f"has {size:,} bytes" + (f", not {remote.size:,}" if remote.size else "")
        if remote.checksum is not None:
            kind, _, expected = remote.checksum.partition(":")
            opened.seek(0)
            found = hashlib.file_digest(opened, kind).hexdigest()
            if found != expected:
                return f"has {kind} {found}, not {expected}"
    return None


def _ask_zenodo(remote: RemoteFile) -> RemoteFile:
    """With the size and the checksum that the record tells; without them, and a warning, where it
    tells none."""
    address = f"{ZENODO}/{remote.record}"
    try:
        answer = requests.get(address, timeout=TIMEOUT)
        answer.raise_for_status()
        (told,) = [file for file in answer.json()["files"] if file["key"] == remote.name]
        size, checksum = int(told["size"]), told["checksum"]
        if not re.fullmatch(r"md5:[0-9a-f]{32}", checksum):
            raise ValueError(f"its checksum is '{checksum}'")
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        warnings.warn(
            f"{remote.name}: size and checksum stay unknown, {address} does not tell them ({_reason(error)}); what is"
            " downloaded cannot be verified",
            stacklevel=3,
        )
        return remote
    return replace(remote, size=size, checksum=checksum)


def _reason(error: Exception) -> str:
    match error:
        case requests.HTTPError():
            return f"HTTP status {error.response.status_code}"
        case requests.exceptions.SSLError():
            return "its certificate cannot be trusted"
        case requests.Timeout():
            return f"no answer within {TIMEOUT} s"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection was cut"
        case requests.ConnectionError():
            return "no connection"
        case KeyError():
            return f"no {error} in the answer"
    return first_line(error)[:200]
