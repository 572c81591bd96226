"""A source brings its files to where they are read: by download or by hand, verified, unpacked once
and in full."""

import hashlib
import os
import re
import shutil
import zipfile
from types import SimpleNamespace

import pytest
from filelock import FileLock
from fixtures.server import cut, good, page, serve, status

from discom.data.sources import SOURCES, archives
from discom.data.sources.download import RemoteFile
from discom.data.sources.source import Source
from discom.errors import DataError

FILES = {f"photos/{name}.png": name.encode() * 1000 for name in "abcd"}
LIST = b"a\nb\n"
TOLD = {"what": "", "modalities": {}, "size": "3 GB", "licence": "", "page": ""}


def archive_of(files: dict[str, bytes], path) -> bytes:
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content)
    return path.read_bytes()


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    return archive_of(FILES, tmp_path_factory.mktemp("made") / "photos.zip")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))
    with serve() as found:
        yield found


def source(content: bytes, address: str = "http://127.0.0.1:9", **changes) -> Source:
    """An archive, which may also come as another, and a list that readers can do without."""
    checksum = "md5:" + hashlib.md5(content).hexdigest()
    other = RemoteFile("packed-otherwise.zip", (f"{address}/other",), None, checksum)
    files = (
        RemoteFile("photos.zip", (f"{address}/photos",), len(content), checksum, instead=(other,)),
        RemoteFile("list.txt", (f"{address}/list",), len(LIST), needed=False),
    )
    return Source(
        "photos", read=lambda root, modalities=None: None, **{**TOLD, "files": files, **changes}
    )


def held(folder) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def refused(call, *arguments, **given) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments, **given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# by hand
# ------------------------------------------------------------------------------------------------------------


def test_an_archive_that_was_put_there_is_unpacked_once(root, content):
    (root / "photos.zip").write_bytes(content)
    assert source(content).gather(root) == root
    assert held(root / "photos") == FILES
    assert {path.name for path in root.iterdir()} == {"photos", "photos.zip"}
    before = {path: os.stat(path).st_mtime_ns for path in (root / "photos").rglob("*")}
    (root / "photos.zip").write_bytes(b"changed afterwards, and read no more")
    source(content).gather(root)
    (root / "photos.zip").unlink()
    source(content).gather(root)
    assert {path: os.stat(path).st_mtime_ns for path in (root / "photos").rglob("*")} == before


def test_files_that_a_person_unpacked_are_left_alone(root, content):
    (root / "photos").mkdir()
    (root / "photos" / "mine.png").write_bytes(b"1")
    (root / "photos.zip").write_bytes(content)
    source(content).gather(root)
    assert held(root / "photos") == {"mine.png": b"1"}
    (root / "list.txt").write_bytes(LIST)
    source(content).gather(root, download=True)  # nobody listens there
    shutil.rmtree(root / "photos")
    (root / "photos").mkdir()  # an empty one is none
    source(content).gather(root)
    assert held(root / "photos") == FILES


def test_a_folder_that_was_removed_is_unpacked_again(root, content):
    (root / "photos.zip").write_bytes(content)
    source(content).gather(root)
    shutil.rmtree(root / "photos")
    source(content).gather(root)
    assert held(root / "photos") == FILES


def test_without_any_file_the_reader_decides(root, content):
    assert source(content).gather(root) == root
    assert held(root) == {}


def test_the_same_content_packed_otherwise(root, content):
    (root / "packed-otherwise.zip").write_bytes(content)
    source(content).gather(root)
    assert held(root / "packed-otherwise") == FILES
    assert not (root / "photos").exists()


def test_the_folder_of_an_archive_has_its_whole_name(root, content):
    for name in ("photos.v1.zip", "PHOTOS.V2.ZIP"):
        (root / name).write_bytes(content)
    files = (RemoteFile("photos.v1.zip"), RemoteFile("PHOTOS.V2.ZIP"))
    source(content, files=files).gather(root)
    assert held(root / "photos.v1") == held(root / "PHOTOS.V2") == FILES


DAMAGED = {
    "cut short": (
        lambda content: content[:-9],
        r"photos\.zip: has [\d,]+ bytes, not [\d,]+; delete it and fetch",
    ),
    "other bytes": (
        lambda content: content.replace(b"a" * 9, b"x" * 9),
        r"photos\.zip: has md5 \w{32}, not \w{32}; d",
    ),
    "a web page": (
        lambda content: b"<html>" * 200,
        r"photos\.zip: is a web page and no data \(a login",
    ),
    "empty": (lambda content: b"", r"photos\.zip: has 0 bytes, not [\d,]+; delete it"),
}


@pytest.mark.parametrize("title", DAMAGED)
@pytest.mark.parametrize("download", [False, True])
def test_a_damaged_archive_is_refused_before_anything_is_unpacked(root, content, title, download):
    damage, reason = DAMAGED[title]
    (root / "photos.zip").write_bytes(damage(content))
    assert re.search(reason, refused(source(content).gather, root, download))
    assert [path.name for path in root.iterdir()] == ["photos.zip"]


def test_a_damaged_list_is_refused_too(root, content):
    (root / "photos.zip").write_bytes(content)
    (root / "list.txt").write_bytes(LIST + b"c\n")
    assert "list.txt: has 6 bytes, not 4; delete it" in refused(source(content).gather, root, True)


def test_damage_that_no_checksum_tells_leaves_no_folder(root, content):
    unknown = source(content, files=(RemoteFile("photos.zip"),))
    (root / "photos.zip").write_bytes(content.replace(b"c" * 9, b"x" * 9))
    assert (
        "photos.zip: is no archive or damaged (Bad CRC-32 for file 'photos/c.png'); delete"
        in refused(unknown.gather, root)
    )
    assert not (root / "photos").exists()
    (root / "photos.zip").write_bytes(content)
    unknown.gather(root)
    assert held(root / "photos") == FILES


def test_a_stranger_in_the_archive(root, content, tmp_path):
    bad = archive_of(FILES | {"../../evil.png": b"evil"}, tmp_path / "bad.zip")
    (root / "photos.zip").write_bytes(bad)
    assert "photos.zip: '../../evil.png' would land outside" in refused(source(bad).gather, root)
    assert not (root / "photos").exists()
    assert not list(tmp_path.rglob("evil.png"))


def test_no_folder(tmp_path, content):
    assert refused(source(content).gather, tmp_path / "raw") == (
        f"{tmp_path / 'raw'}: no such folder (--root). Give the folder with the raw files, or fetch them with"
        " --download (3 GB)"
    )


@pytest.mark.parametrize("download", [False, True])
def test_a_file_instead_of_its_folder(tmp_path, content, download):
    (tmp_path / "photos.zip").write_bytes(content)
    assert refused(source(content).gather, tmp_path / "photos.zip", download) == (
        f"{tmp_path / 'photos.zip'}: is a file; give the folder that holds it (--root)"
    )


# interrupted
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_call_leaves_no_folder_and_the_next_goes_on(
    root, content, monkeypatch, cut_unpacking, stop
):
    (root / "photos.zip").write_bytes(content)
    with cut_unpacking(stop), pytest.raises((KeyboardInterrupt, DataError)):
        source(content).gather(root)
    assert not (root / "photos").exists()
    (unfinished,) = root.glob(".photos*unfinished")
    assert sorted(path.name for path in unfinished.rglob("*.png")) == ["a.png", "b.png"]
    (unfinished / "photos" / ".c.png.123.part").write_bytes(b"torn")  # by a process that was killed
    (unfinished / "photos" / "d.png").write_bytes(b"torn")

    copy, written = archives.shutil.copyfileobj, []
    monkeypatch.setattr(
        archives.shutil,
        "copyfileobj",
        lambda *given: (written.append(given[1].name), copy(*given))[1],
    )
    source(content).gather(root)
    assert held(root / "photos") == FILES
    assert len(written) == 2  # c and the torn d
    assert {path.name for path in root.iterdir()} == {"photos", "photos.zip"}


def test_another_archive_does_not_go_on_where_the_first_stopped(root, content, tmp_path):
    files = (RemoteFile("photos.zip"),)
    (root / "photos.zip").write_bytes(content.replace(b"c" * 9, b"x" * 9))
    refused(source(content, files=files).gather, root)
    (root / "photos.zip").write_bytes(archive_of({"new.png": b"1"}, tmp_path / "new.zip"))
    source(content, files=files).gather(root)
    assert held(root / "photos") == {"new.png": b"1"}


def test_two_processes_do_not_unpack_at_once(root, content):
    (root / "photos.zip").write_bytes(content)
    with FileLock(root / ".photos.unfinished.lock"):
        assert "photos: another process is writing it; wait for it" in refused(
            source(content).gather, root
        )


# download
# -----------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_downloaded(web, content, tmp_path):
    web.put("/photos", cut(content), good(content))
    web.put("/list", good(LIST, "text/plain"))
    wanted, root = source(content, web.address), tmp_path / "deep" / "raw"
    wanted.gather(root, download=True)
    assert held(root / "photos") == FILES
    assert (root / "list.txt").read_bytes() == LIST
    assert [path for path, _ in web.asked] == ["/photos", "/photos", "/list"]
    wanted.gather(root, download=True)
    assert len(web.asked) == 3
    assert {path.name for path in root.iterdir()} == {"photos", "photos.zip", "list.txt"}


def test_without_download_nobody_is_asked(web, content, root):
    source(content, web.address).gather(root)
    assert web.asked == []


def test_a_download_packed_otherwise(web, content, root):
    web.put("/photos", page())
    web.put("/other", good(content))
    web.put("/list", good(LIST))
    source(content, web.address).gather(root, download=True)
    assert held(root / "packed-otherwise") == FILES
    assert not (root / "photos.zip").exists()


def test_a_needed_file_that_cannot_be_had(web, content, root):
    web.put("/photos", status(503))
    message = refused(source(content, web.address).gather, root, download=True)
    assert (
        f"photos.zip: no mirror gave it: {web.address}/photos (HTTP status 503), {web.address}/other"
        in message
    )
    assert held(root) == {}


def test_a_file_that_is_not_needed_is_missed_with_a_warning(web, content, root):
    web.put("/photos", good(content))
    with pytest.warns(
        UserWarning, match=r"list\.txt: no mirror gave it: .*/list \(HTTP status 404\).*; goes on"
    ):
        source(content, web.address).gather(root, download=True)
    assert held(root / "photos") == FILES


@pytest.mark.parametrize("files", [(), (RemoteFile("photos.zip"),)])
def test_what_only_a_person_can_fetch(tmp_path, content, files):
    wanted = source(
        content,
        files=files,
        by_hand="Ask for the key at example.org and put photos.zip into --root",
    )
    assert wanted.access == "by hand"
    assert refused(wanted.gather, tmp_path / "raw", download=True) == (
        "photos: cannot be downloaded by a program. Ask for the key at example.org and put photos.zip into --root"
    )
    assert refused(wanted.gather, tmp_path / "raw").endswith(
        f"raw: no such folder (--root). {wanted.by_hand}"
    )
    assert not (tmp_path / "raw").exists()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "photos.zip").write_bytes(content)
    wanted.gather(tmp_path / "raw")
    assert (tmp_path / "raw" / "photos").is_dir() == bool(files)


# the sources there are
# ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_says_how_to_get_it(name):
    wanted = SOURCES[name]
    assert wanted.name == name
    assert all([wanted.what, wanted.modalities, wanted.size, wanted.licence, wanted.page])
    assert (wanted.access != "--download") == bool(wanted.by_hand)
    assert "\n" not in wanted.advice()
    for file in (remote for each in wanted.files for remote in (each, *each.instead)):
        assert re.fullmatch(
            r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum or "md5:" + "0" * 32
        ), file.name
        assert file.size is None or file.size > 0
        assert all(re.match(r"https?://", url) for url in file.urls)


def test_a_part_by_hand_is_asked_for_before_gigabytes_are_fetched(content, tmp_path):
    files = (RemoteFile("big.mat", ("https://example.invalid/big.mat",)), RemoteFile("map.mat"))
    wanted = source(content, files=files, by_hand="Take map.mat from example.org")
    assert wanted.access == "--download, and a part by hand"
    assert refused(wanted.gather, tmp_path / "raw", download=True).endswith(
        "map.mat: missing, and no program can fetch it. Take map.mat from example.org"
    )
    assert not (tmp_path / "raw").exists()
