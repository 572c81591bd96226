"""Unpacking: good archives in full, and everything a stranger could put into one."""

import errno
import io
import os
import stat
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from discom.data.sources import archives
from discom.data.sources.archives import unpack
from discom.errors import DataError

FILES = {
    f"set/{name}/{name}_{k}.tif": bytes([k]) * (100 * k) + name.encode()
    for name in "ab"
    for k in (1, 2, 3)
}
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


def pack(archive: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A .zip or .tar(.gz) with `files` in their order; a name that ends with / is a folder."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", method) as opened:
            for name, content in files.items():
                opened.writestr(zipfile.ZipInfo(name), content, method)
    else:
        with tarfile.open(archive, "w:gz" if archive.name.endswith("gz") else "w") as opened:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.type, info.size = (
                    (tarfile.DIRTYPE, 0) if name.endswith("/") else (tarfile.REGTYPE, len(content))
                )
                opened.addfile(info, io.BytesIO(content))
    return archive


def held(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def refused(archive: Path, folder: Path, **given) -> str:
    """The message; nothing was written."""
    with pytest.raises(DataError) as caught:
        unpack(archive, folder, **given)
    assert held(folder) == {}
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_file_is_written(tmp_path, ending, capsys):
    archive = pack(tmp_path / f"x{ending}", {"set/": b"", **FILES})
    assert unpack(archive, tmp_path / "out") == tmp_path / "out"
    assert held(tmp_path / "out") == FILES
    assert f"x{ending}: 100%" in capsys.readouterr().err  # a bar
    unpack(archive, tmp_path / "out")
    assert capsys.readouterr().err == ""  # nothing to do


def test_names_of_other_systems(tmp_path):
    names = {
        "./a.tif": b"1",
        "b\\c\\d.tif": b"2",
        "e//f.tif": b"3",
        "grün/ß.tif": b"4",
        "..g/h..tif": b"5",
    }
    unpack(pack(tmp_path / "x.zip", names), tmp_path / "out")
    assert held(tmp_path / "out") == {
        "a.tif": b"1", "b/c/d.tif": b"2", "e/f.tif": b"3", "grün/ß.tif": b"4", "..g/h..tif": b"5"
    }  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS[:2])
def test_what_systems_leave_behind_is_left_out(tmp_path, ending):
    rest = {"__MACOSX/set/._a.tif": b"x", "set/.DS_Store": b"x", "set/a/Thumbs.db": b"x"}
    unpack(pack(tmp_path / f"x{ending}", FILES | rest), tmp_path / "out")
    assert held(tmp_path / "out") == FILES
    assert "holds no file" in refused(pack(tmp_path / f"y{ending}", rest), tmp_path / "none")


# no file outside the folder
# --------------------------------------------------------------------------------------

OUTSIDE = ("../evil.tif", "set/../../evil.tif", "..\\evil.tif", "set\\..\\..\\evil.tif", "/evil.tif", "\\evil.tif",
           "C:\\evil.tif", "C:/evil.tif", "c:evil.tif", "\\\\host\\share\\evil.tif", "//host/share/evil.tif",
           "set/..")  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS[:2])
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_outside_is_refused_before_anything_is_written(tmp_path, name, ending):
    archive = pack(tmp_path / f"x{ending}", FILES | {name: b"evil"})
    assert refused(archive, tmp_path / "in" / "out") == (
        f"{archive}: {name!r} would land outside {tmp_path / 'in' / 'out'}; it is not the archive of the authors, fetch"
        " it from its own page"
    )
    assert {path.name for path in tmp_path.rglob("*")} == {archive.name}


def trusting(archive: Path, folder: Path) -> None:
    """A deliberately wrong copy: believes the names."""
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            place = folder / info.filename.replace("\\", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(opened.read(info))


def stays_inside(unpacked, root: Path) -> bool:
    folder = root / "in" / "out"
    folder.mkdir(parents=True)
    with suppress(DataError):
        unpacked(pack(root / "x.zip", {"../evil.tif": b"evil"}), folder)
    return not (root / "in" / "evil.tif").exists()


def test_the_check_of_names_can_fail(tmp_path):
    assert stays_inside(unpack, tmp_path / "ours")
    assert not stays_inside(trusting, tmp_path / "naive")


def test_a_link_that_is_there_already_is_not_followed_outside(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "set").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"x\.zip: 'set/a/a_1\.tif' would land outside"):
        unpack(pack(tmp_path / "x.zip", FILES), tmp_path / "out")
    assert held(tmp_path / "elsewhere") == {}
    (tmp_path / "disk").mkdir()
    (tmp_path / "linked").symlink_to(
        tmp_path / "disk"
    )  # the folder itself may be one: data on another disk
    unpack(tmp_path / "x.zip", tmp_path / "linked")
    assert held(tmp_path / "disk") == FILES


def special_tar(archive: Path, kind: bytes, target: str) -> Path:
    pack(archive, FILES)
    with tarfile.open(archive, "a") as opened:
        info = tarfile.TarInfo("set/odd")
        info.type, info.linkname = kind, target
        opened.addfile(info)
    return archive


KINDS = {"symbolic link": (tarfile.SYMTYPE, "/etc"), "link inside": (tarfile.SYMTYPE, "a/a_1.tif"),
         "hard link": (tarfile.LNKTYPE, "/etc/passwd"), "pipe": (tarfile.FIFOTYPE, ""),
         "character device": (tarfile.CHRTYPE, ""), "block device": (tarfile.BLKTYPE, "")}  # fmt: skip


@pytest.mark.parametrize("title", KINDS)
def test_links_and_devices_in_a_tar(tmp_path, title):
    archive = special_tar(tmp_path / "x.tar", *KINDS[title])
    assert "x.tar: 'set/odd' is a link or a device; it is not the" in refused(
        archive, tmp_path / "out"
    )


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_links_and_devices_in_a_zip(tmp_path, kind):
    archive = pack(tmp_path / "x.zip", FILES)
    with zipfile.ZipFile(archive, "a") as opened:
        info = zipfile.ZipInfo("set/odd")
        info.external_attr = (kind | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    assert "x.zip: 'set/odd' is a link or a device; it is not the" in refused(
        archive, tmp_path / "out"
    )


# too large
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS[:3])
def test_the_limit_is_of_all_files(tmp_path, ending):
    archive, size = pack(tmp_path / f"x{ending}", FILES), sum(map(len, FILES.values()))
    assert f"unpacks to more than the {size - 1:,} bytes allowed" in refused(
        archive, tmp_path / "out", limit=size - 1
    )
    unpack(archive, tmp_path / "out", limit=size)
    assert held(tmp_path / "out") == FILES


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_a_bomb(tmp_path, ending):
    archive = pack(tmp_path / f"x{ending}", {f"{k}.tif": bytes(1 << 20) for k in range(4)})
    message = refused(archive, tmp_path / "out")
    assert (
        f"x{ending}: it unpacks to more than 500 times its {archive.stat().st_size:,} bytes"
        in message
    )


def test_a_bomb_of_overlapping_files(tmp_path):
    """Many entries of the list point at one content: each alone is harmless."""
    noise = np.random.default_rng(0).bytes(20_000)
    archive = pack(tmp_path / "x.zip", {"0.tif": noise}, zipfile.ZIP_STORED)
    with zipfile.ZipFile(archive, "a") as opened:
        first = opened.infolist()[0]
        for k in range(600):
            info = zipfile.ZipInfo("0.tif")
            info.CRC, info.file_size, info.compress_size, info.header_offset = (
                first.CRC,
                20_000,
                20_000,
                0,
            )
            info.filename = f"{k:05}"
            opened.filelist.append(info)
        opened._didModify = True
    assert "it unpacks to more than" in refused(archive, tmp_path / "out", limit=10 << 20)


def test_a_blank_label_image_is_no_bomb(tmp_path):
    rng = np.random.default_rng(0)
    files = {
        "mask.tif": bytes(4 << 20),
        "photo.tif": rng.bytes(100_000),
    }  # the mask alone grows a thousand times
    unpack(pack(tmp_path / "x.zip", files), tmp_path / "out")
    assert held(tmp_path / "out") == files


def test_a_tar_that_claims_more_than_it_holds(tmp_path):
    """A sparse or cut member: gigabytes by its header, nothing in the file."""
    info = tarfile.TarInfo("a.tif")
    info.size = 300 << 30
    (tmp_path / "x.tar").write_bytes(info.tobuf() + bytes(1024))
    assert "unpacks to more than" in refused(tmp_path / "x.tar", tmp_path / "out")
    info.size = 900
    (tmp_path / "x.tar").write_bytes(info.tobuf() + bytes(512))
    assert "is no archive or damaged (unexpected end of data)" in refused(
        tmp_path / "x.tar", tmp_path / "out"
    )


def test_space_is_looked_for_first_and_counts_what_is_missing_alone(tmp_path, monkeypatch):
    archive, size = pack(tmp_path / "x.zip", FILES), sum(map(len, FILES.values()))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: SimpleNamespace(free=size - 1))
    assert refused(archive, tmp_path / "out") == (
        f"{tmp_path / 'out'}: {size - 1:,} bytes are free, {size:,} needed for x.zip; make room"
    )
    (tmp_path / "out" / "set" / "a").mkdir(parents=True)
    (tmp_path / "out" / "set" / "a" / "a_1.tif").write_bytes(FILES["set/a/a_1.tif"])
    unpack(archive, tmp_path / "out")
    assert held(tmp_path / "out") == FILES


# damaged
# ----------------------------------------------------------------------------------------------------------


def overwrite(archive: Path, place: bytes, content: bytes) -> None:
    """Replace the bytes that follow `place` in the archive."""
    raw = bytearray(archive.read_bytes())
    at = raw.index(place) + len(place)
    raw[at : at + len(content)] = content
    archive.write_bytes(raw)


def stored(path: Path) -> Path:
    return pack(
        path, {"a.tif": b"A" * 600, "b.tif": b"B" * 600, "c.tif": b"C" * 600}, zipfile.ZIP_STORED
    )


def damaged_zip(path: Path) -> Path:
    archive = stored(path)
    overwrite(archive, b"B" * 200, b"x")
    return archive


def damaged_tar(path: Path) -> Path:
    archive = pack(path, FILES)
    overwrite(archive, b"set/a/a_2.tif", b"x")
    return archive


def cut_file(archive: Path, share: float = 0.5) -> Path:
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    return archive


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def locked(path: Path) -> Path:
    """As if it asked for a password."""
    archive = stored(path)
    raw = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := raw.find(mark, at + 1)) >= 0:
            raw[at + offset] |= 1
    archive.write_bytes(raw)
    return archive


def deflate64(path: Path) -> Path:
    """What the Windows Explorer writes when a file has more than 2 GB."""
    archive = stored(path)
    raw = archive.read_bytes().replace(b"PK\x03\x04\x14\0\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x09\0")
    at = -1
    raw = bytearray(raw)
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        raw[at + 10] = 9
    archive.write_bytes(raw)
    return archive


PAGE = b"<!DOCTYPE html><html>Log in</html>" * 50
DAMAGED = {
    "a web page as .zip": (lambda root: written(root / "x.zip", PAGE), "File is not a zip file"),
    "a web page as .tar.gz": (
        lambda root: written(root / "x.tar.gz", PAGE),
        "file could not be opened successfully",
    ),
    "an empty .zip": (lambda root: written(root / "x.zip", b""), "File is not a zip file"),
    "an empty .tar": (
        lambda root: written(root / "x.tar", b""),
        "file could not be opened successfully",
    ),
    "a zip cut short": (lambda root: cut_file(stored(root / "x.zip")), "File is not a zip file"),
    "a tar cut short": (
        lambda root: cut_file(pack(root / "x.tar", FILES), 0.25),
        "unexpected end of data",
    ),
    "a tar cut short between two files": (
        lambda root: cut_file(pack(root / "x.tar", FILES), 0.1),
        "its list of files breaks off",
    ),
    "a tar with a damaged header": (
        lambda root: damaged_tar(root / "x.tar"),
        "its list of files breaks off",
    ),
    "a tar.gz cut short": (
        lambda root: cut_file(pack(root / "x.tgz", FILES)),
        "end-of-stream marker",
    ),
}


@pytest.mark.parametrize("title", DAMAGED)
def test_what_is_damaged_as_a_whole(tmp_path, title):
    make, reason = DAMAGED[title]
    archive = make(tmp_path)
    message = refused(archive, tmp_path / "out")
    assert message.startswith(f"{archive}: is no archive or damaged (")
    assert reason in message
    assert message.endswith("); delete it and fetch it again")


@pytest.mark.parametrize(
    ("make", "reason"), [(locked, "a password"), (deflate64, "That compression method is not")]
)
def test_what_another_program_can_unpack(tmp_path, make, reason):
    message = refused(make(tmp_path / "x.zip"), tmp_path / "out")
    assert f"x.zip: cannot be unpacked here ({reason}" in message
    assert message.endswith("; unpack it by hand beside itself")


def test_a_damaged_file_is_not_written_and_those_before_it_stay(tmp_path):
    archive = damaged_zip(tmp_path / "x.zip")
    with pytest.raises(
        DataError,
        match=r"x\.zip: is no archive or damaged \(Bad CRC-32 for file 'b\.tif'\); delete",
    ):
        unpack(archive, tmp_path / "out")
    assert held(tmp_path / "out") == {"a.tif": b"A" * 600}
    unpack(stored(archive), tmp_path / "out")
    assert sorted(held(tmp_path / "out")) == ["a.tif", "b.tif", "c.tif"]


def test_a_file_that_is_shorter_than_the_list_says(tmp_path):
    archive = pack(tmp_path / "x.zip", {"a.tif": b"A" * 600})
    raw = bytearray(archive.read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (601).to_bytes(4, "little")
    archive.write_bytes(raw)
    assert "is no archive or damaged (a.tif is cut short)" in refused(archive, tmp_path / "out")


def test_a_tar_gz_with_a_wrong_sum_writes_nothing(tmp_path):
    archive = pack(tmp_path / "x.tar.gz", FILES)
    raw = bytearray(archive.read_bytes())
    raw[-8] ^= 1  # the sum of all content
    archive.write_bytes(raw)
    assert "CRC check failed" in refused(archive, tmp_path / "out")


def test_no_archive_at_all(tmp_path):
    assert (
        refused(tmp_path / "x.zip", tmp_path / "out")
        == f"{tmp_path / 'x.zip'}: no such file; fetch it"
    )


@pytest.mark.parametrize("ending", ENDINGS[:2])
def test_an_archive_without_files(tmp_path, ending):
    archive = pack(tmp_path / f"x{ending}", {"set/": b""})
    assert (
        refused(archive, tmp_path / "out")
        == f"{archive}: holds no file; delete it and fetch it again"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.tif", "./a/b.tif", "a\\b.tif", "a//b.tif"])
def test_a_file_that_is_there_twice(tmp_path, second):
    archive = pack(tmp_path / "x.zip", {"a/b.tif": b"1"})
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(second, b"2")
    assert f"x.zip: {second!r} is in it twice" in refused(archive, tmp_path / "out")


def test_a_name_of_two_lines_stays_on_one(tmp_path):
    archive = pack(tmp_path / "x.tar", {"../a\nb\udcff": b""})
    assert r"'../a\nb\udcff' would land outside" in refused(archive, tmp_path / "out")


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])  # a plain .tar has no sum of its content
def test_random_damage_is_found_or_harmless(tmp_path, ending):
    rng = np.random.default_rng(0)
    content = pack(tmp_path / f"good{ending}", FILES).read_bytes()
    told = set()
    for trial in range(60):
        raw = bytearray(content)
        for place in rng.integers(len(raw), size=rng.integers(1, 5)):
            raw[place] = rng.integers(256)
        archive, out = written(tmp_path / f"{trial}{ending}", bytes(raw)), tmp_path / f"out{trial}"
        try:
            unpack(archive, out)
            assert held(out) == FILES
        except DataError as error:
            told.add(str(error))
            assert held(out).items() <= FILES.items()
    assert len(told) > 20
    assert not any("\n" in message for message in told)


# interrupted
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS[:3])
def test_a_call_that_was_cut_off_goes_on(tmp_path, ending, cut_unpacking):
    archive, out = pack(tmp_path / f"x{ending}", FILES), tmp_path / "out"
    with cut_unpacking(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        unpack(archive, out)
    first = dict(list(FILES.items())[:2])
    assert held(out) == first  # two whole files, nothing of the third
    kept = {name: os.stat(out / name).st_ino for name in first}
    (out / "set" / "b").mkdir()
    (out / "set" / "b" / "b_3.tif").write_bytes(b"torn")  # as a power cut leaves it
    unpack(archive, out)
    assert held(out) == FILES
    assert {name: os.stat(out / name).st_ino for name in first} == kept  # not written again


def test_a_disk_that_fills_up(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    archive = pack(tmp_path / "x.zip", FILES)
    monkeypatch.setattr(archives.shutil, "copyfileobj", full)
    message = refused(archive, tmp_path / "out")
    assert (
        message
        == f"{tmp_path / 'out'}: No space left on device while x.zip is unpacked; make room or check the rights"
    )


def test_a_file_where_a_folder_is_needed(tmp_path):
    archive = pack(tmp_path / "x.zip", {"a": b"1", "a/b": b"2"})
    with pytest.raises(DataError, match=r"(File exists|Not a directory) while x\.zip is unpacked"):
        unpack(archive, tmp_path / "out")
