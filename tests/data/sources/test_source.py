"""Files of a source: downloaded, verified, and unpacked into one folder and nowhere else."""

import errno
import hashlib
import os
import zipfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
from fixtures.refusal import refused
from fixtures.server import cut, good, page, serve, status

from discom.data.sources.source import RemoteFile, Source, fetch, unpack

FILES = {f"set/{name}.tif": name.encode() * 500 for name in "abc"}
CONTENT = bytes(range(256)) * 400
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


def pack(archive: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content)
    return archive


def content(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


# unpacking


def wrong_byte(archive: Path) -> None:
    raw = bytearray(archive.read_bytes())
    raw[60] ^= 255
    archive.write_bytes(raw)


DAMAGES = {
    "wrong byte": wrong_byte,
    "web page": lambda archive: archive.write_bytes(b"<html>Log in</html>"),
    "cut": lambda archive: archive.write_bytes(archive.read_bytes()[:80]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_archive_leaves_nothing_behind(tmp_path, damage):
    archive = pack(tmp_path / "x.zip", FILES)
    damage(archive)
    text = refused(partial(unpack, archive))
    assert text.startswith(f"{archive}: is damaged (")
    assert text.endswith("); delete it and fetch it again")
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


def test_a_full_disk_is_no_fault_of_the_archive_or_the_host(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    archive = pack(tmp_path / "x.zip", FILES)
    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "extractall", fail)
        refused(partial(unpack, archive), "No space left on device", OSError)
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fail)
    remote = RemoteFile("y.zip", "https://a")
    refused(partial(fetch, remote, tmp_path), "No space left on device", OSError)


# downloads


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))
    with serve() as server:
        yield server


@pytest.mark.parametrize("checksum", ["", MD5, SHA])
def test_a_download_is_verified_and_readable_by_others(web, tmp_path, checksum):
    url = web.put("/x.zip", good(CONTENT))
    file = fetch(RemoteFile("x.zip", url, checksum), tmp_path / "new" / "folder")
    assert file == tmp_path / "new" / "folder" / "x.zip"
    assert file.read_bytes() == CONTENT
    assert file.stat().st_mode & 0o044 == 0o044
    assert [path.name for path in file.parent.iterdir()] == ["x.zip"]


def test_a_cut_download_starts_again(web, tmp_path):
    url = web.put("/x.zip", cut(CONTENT), cut(CONTENT), good(CONTENT))
    assert fetch(RemoteFile("x.zip", url), tmp_path).read_bytes() == CONTENT
    assert web.count("/x.zip") == 3


BAD = {
    "wrong bytes": (good(CONTENT[::-1]), "ValueError: "),
    "a web page": (page(), "ValueError: "),
    "nothing": (good(b""), "ValueError: "),
    "cut": (cut(CONTENT), "ChunkedEncodingError"),
    "not there": (status(404), "HTTPError: 404"),
}


@pytest.mark.parametrize(("answer", "reason"), BAD.values(), ids=BAD)
def test_what_is_not_the_file_never_gets_its_name(web, tmp_path, answer, reason):
    url = web.put("/x.zip", answer)
    text = refused(partial(fetch, RemoteFile("x.zip", url, MD5), tmp_path))
    assert text.startswith(f"{tmp_path / 'x.zip'}: {url} did not give it ({reason}")
    assert text.endswith("; try later, or fetch it by hand")
    assert list(tmp_path.iterdir()) == []


# a source brings its files to where they are read


def make_source(url="", checksum="", **changes) -> Source:
    files = (RemoteFile("photos.zip", url, checksum),)
    about = {"what": "", "modalities": {}, "size": "3 GB", "licence": "", "page": ""}
    return Source("photos", read=lambda root: None, **{**about, "files": files, **changes})


def test_gather_downloads_verifies_and_unpacks_once(web, tmp_path):
    packed = pack(tmp_path / "made.zip", FILES).read_bytes()
    checksum = "md5:" + hashlib.md5(packed).hexdigest()
    photos = RemoteFile("photos.zip", web.put("/photos", good(packed)), checksum)
    alone = RemoteFile("deep/one.tif", web.put("/one", good(CONTENT)), SHA)
    source, root = make_source(files=(photos, alone)), tmp_path / "raw"
    for _ in range(2):
        assert source.raw_folder(root, download=True) == root
    assert content(root / "photos") == FILES
    assert (root / "deep/one.tif").read_bytes() == CONTENT
    (root / "photos.zip").unlink()
    source.raw_folder(root, download=True)  # what is unpacked needs no archive
    assert web.count("/photos") == web.count("/one") == 1


def test_gather_verifies_what_was_fetched_by_hand(tmp_path):
    pack(tmp_path / "photos.zip", FILES)
    text = refused(partial(make_source("https://127.0.0.1/photos", MD5).raw_folder, tmp_path))
    wrong = f"its checksum is not {MD5}; delete it and fetch it again"
    assert text == f"{tmp_path / 'photos.zip'}: {wrong}"
    make_source("https://127.0.0.1/photos").raw_folder(tmp_path)
    assert content(tmp_path / "photos") == FILES


def test_gather_says_what_it_lacks(tmp_path):
    by_hand = make_source(by_hand="Ask the authors.")
    assert (by_hand.access, by_hand.advice()) == ("by hand", "Ask the authors.")
    program = "cannot be downloaded by a program. Ask"
    refused(partial(by_hand.raw_folder, tmp_path, download=True), program)
    files = (RemoteFile("a.zip", "https://a"), RemoteFile("b.mat"))
    both = make_source(files=files, by_hand="Ask.")
    assert both.access == "--download, and a part by hand"
    alone = r"b\.mat: cannot be downloaded\. Ask\."
    refused(partial(both.raw_folder, tmp_path, download=True), alone)
