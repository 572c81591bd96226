"""Files are whole or absent, digests name contents, and JSON errors name the file."""

import errno
import hashlib
import json
import os

import numpy as np
import pytest

from discom.errors import DataError
from discom.files import atomic_file, atomic_folder, checksum, digest, read_json, tidy, write_json

MARKER = "manifest.json"


def test_atomic_file_appears_only_at_the_end_and_makes_its_folder(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with atomic_file(target) as part:
        part.write_text("whole")
        assert not target.exists()
        assert part.parent == target.parent  # the same file system, so that the move is atomic
    assert target.read_text() == "whole"
    assert os.listdir(target.parent) == ["a.txt"]


def test_atomic_file_keeps_the_old_content_when_the_block_fails(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write():
        with atomic_file(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_refuses_is_named_whoever_wrote(tmp_path, number):
    """torch raises an exception of its own after the system's."""

    def write(part):
        try:
            raise OSError(number, "refused")
        finally:
            raise RuntimeError("unexpected pos 640 vs 598")

    with pytest.raises(OSError, match="refused") as caught, atomic_file(tmp_path / "a.pt") as part:
        write(part)
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / "a.pt"))


def test_ctrl_c_while_torch_writes_is_ctrl_c(tmp_path):
    def write():
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("unexpected pos 640 vs 598")

    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "a.pt"):
        write()


def test_what_a_disk_did_not_say_stays_as_it_is(tmp_path):
    for error in (RuntimeError("a mistake"), OSError(errno.EIO, "cannot be read", "elsewhere")):
        with pytest.raises(type(error)) as caught, atomic_file(tmp_path / "a"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_place_after(
    tmp_path, monkeypatch, durable
):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (done.append(os.fstat(handle).st_ino), fsync(handle))
    )
    monkeypatch.setattr(os, "replace", lambda *given: (done.append("moved"), replace(*given)))
    with atomic_file(tmp_path / "a", durable=durable) as part:
        part.write_text("whole")
        file, folder = os.stat(part).st_ino, os.stat(tmp_path).st_ino
    assert done == ([file, "moved", folder] if durable else ["moved"])


def test_what_killed_processes_had_begun_is_tidied_away_and_nothing_else(tmp_path):
    (tmp_path / "weights").mkdir()
    for name in (
        ".state.pt.1.part",
        "weights/.rgb.safetensors.2.part",
        "weights/rgb.safetensors",
        ".lock",
        "a.part",
    ):
        (tmp_path / name).touch()
    tidy(tmp_path)
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert kept == {"weights", "weights/rgb.safetensors", ".lock", "a.part"}


def fill(folder, text="new", fail=False, **how):
    with atomic_folder(folder, marker=MARKER, **how) as part:
        (part / MARKER).write_text(text)
        if fail:
            raise RuntimeError("in the middle")


def test_atomic_folder_appears_only_at_the_end(tmp_path):
    target = tmp_path / "deep" / "out"
    with atomic_folder(target, marker=MARKER) as part:
        (part / MARKER).write_text("{}")
        assert not target.exists()
        assert part.parent == target.parent
    assert os.listdir(target) == [MARKER]
    assert os.listdir(target.parent) == ["out"]
    assert target.stat().st_mode & 0o777 == 0o755  # others may read it


def test_atomic_folder_leaves_nothing_after_an_exception(tmp_path):
    with pytest.raises(RuntimeError, match="in the middle"):
        fill(tmp_path / "out", fail=True)
    assert os.listdir(tmp_path) == []


def test_atomic_folder_fills_an_empty_folder(tmp_path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    assert (tmp_path / "out" / MARKER).read_text() == "new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_atomic_folder_never_replaces_what_is_not_ours(tmp_path, overwrite):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("ten years")
    with pytest.raises(DataError, match=r"out: exists and was not made by discom .*choose another"):
        fill(tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "ten years"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_atomic_folder_never_replaces_a_file(tmp_path, overwrite):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="was not made by discom"):
        fill(tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out").read_text() == "a file"


def test_atomic_folder_replaces_ours_on_request_alone(tmp_path):
    fill(tmp_path / "out", "first")
    (tmp_path / "out" / "stale.npy").write_text("from the first time")
    with pytest.raises(DataError, match=r"exists already; pass overwrite \(--overwrite\)"):
        fill(tmp_path / "out", "second")
    assert (tmp_path / "out" / MARKER).read_text() == "first"
    fill(tmp_path / "out", "second", overwrite=True)
    assert (tmp_path / "out" / MARKER).read_text() == "second"
    assert os.listdir(tmp_path / "out") == [MARKER]  # nothing of the first is left
    assert os.listdir(tmp_path) == ["out"]


def test_atomic_folder_keeps_the_old_one_when_replacing_fails(tmp_path):
    fill(tmp_path / "out", "first")
    with pytest.raises(RuntimeError):
        fill(tmp_path / "out", "second", overwrite=True, fail=True)
    assert (tmp_path / "out" / MARKER).read_text() == "first"
    assert os.listdir(tmp_path) == ["out"]


def test_json_round_trip(tmp_path):
    content = {"a": [1, 2.5, None, True], "é": "Straße"}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert (tmp_path / "a.json").read_text(encoding="utf-8").endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_it_cannot_say_and_keeps_the_old_file(tmp_path, value):
    write_json(tmp_path / "a.json", {"loss": 1.0})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": value})
    assert read_json(tmp_path / "a.json") == {"loss": 1.0}
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"not json", b"\xff\xfe\x00"])
def test_damaged_json_is_named_with_a_way_out(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(
        DataError, match=r"a\.json: not valid JSON .*; delete it and run the command again"
    ):
        read_json(tmp_path / "a.json")


def test_digest_sees_every_part_of_an_array():
    x = np.arange(12, dtype=np.float32)
    other = x.copy()
    other[-1] += 1
    different = [x, other, x.reshape(3, 4), x.astype(np.float64), x[::-1], x[:-1]]
    assert len({digest(part) for part in different}) == len(different)
    assert digest(x, other) != digest(other, x)
    assert digest(x) == digest(x.copy())
    assert len(digest(x)) == 16
    assert int(digest(x), 16) >= 0


def test_digest_is_that_of_the_whole_bytes_whatever_the_chunks(tmp_path):
    x = np.random.default_rng(0).random((4096 * 2 + 5, 2)).astype(np.float32)
    expected = hashlib.blake2b(b"float32(8197, 2)" + x.tobytes(), digest_size=8).hexdigest()
    assert digest(x) == expected
    assert digest(np.asfortranarray(x)) == expected  # the layout in memory is no content
    np.save(tmp_path / "x.npy", x)
    assert digest(np.load(tmp_path / "x.npy", mmap_mode="r")) == expected
    x[-1, -1] += 1  # in the last chunk
    assert digest(x) != expected


def test_digest_of_plain_values_ignores_the_order_of_keys():
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest([1, 2]) != digest([2, 1])
    expected = hashlib.blake2b(json.dumps({"a": 1}).encode(), digest_size=8).hexdigest()
    assert digest({"a": 1}) == expected


def test_checksum_is_sha256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert (
        checksum(tmp_path / "a")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
