"""Files are whole or absent, digests name contents, and errors name the file and the way out."""

import hashlib
import json
import os

import numpy as np
import pytest

from discom.errors import DataError
from discom.files import atomic_file, atomic_folder, checksum, digest, read_json, write_json

MARKER = "manifest.json"


def write(path, text, fail=None):
    with atomic_file(path) as part:
        part.write_text(text)
        if fail:
            raise fail


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    write(tmp_path / "deep/a.txt", "old")
    for failure in (ValueError("no"), KeyboardInterrupt()):
        with pytest.raises(type(failure)):
            write(tmp_path / "deep/a.txt", "new", failure)
        assert os.listdir(tmp_path / "deep") == ["a.txt"]
        assert (tmp_path / "deep/a.txt").read_text() == "old"
    write(tmp_path / "deep/a.txt", "new")
    assert (tmp_path / "deep/a.txt").read_text() == "new"


def fill(path, text="new", *, fail=False, **given):
    with atomic_folder(path, marker=MARKER, **given) as part:
        (part / MARKER).write_text(text)
        if fail:
            raise RuntimeError


def test_a_folder_is_replaced_on_request_and_as_a_whole(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    fill(out, "first")  # an empty folder is filled
    (out / "stale.npy").touch()
    with pytest.raises(DataError, match=r"exists already; pass overwrite \(--overwrite\)"):
        fill(out, "second")
    with pytest.raises(RuntimeError):
        fill(out, "second", overwrite=True, fail=True)
    assert (out / MARKER).read_text() == "first"
    fill(out, "second", overwrite=True)
    assert (out / MARKER).read_text() == "second"
    assert os.listdir(out) == [MARKER]
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["out", "out/thesis.txt"])
def test_what_is_not_ours_is_never_replaced(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("ten years")
    for overwrite in (False, True):
        with pytest.raises(DataError, match=r"out: "):
            fill(tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / name).read_text() == "ten years"


def test_json_comes_back_and_nan_and_damage_are_refused(tmp_path):
    content = {"a": [1, 2.5, None, True], "é": "Straße"}
    write_json(tmp_path / "a.json", content)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            write_json(tmp_path / "a.json", {"loss": value})
    assert read_json(tmp_path / "a.json") == content
    for damaged in (b"", b'{"a": 1', b"\xff\xfe\x00"):
        (tmp_path / "a.json").write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.json: "):
            read_json(tmp_path / "a.json")


def test_a_digest_is_that_of_the_whole_bytes_whatever_the_chunks(tmp_path, monkeypatch):
    x = np.random.default_rng(0).random((8197, 2)).astype(np.float32)
    expected = hashlib.blake2b(b"float32(8197, 2)" + x.tobytes(), digest_size=8).hexdigest()
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1 << 10)
    assert digest(x) == digest(np.asfortranarray(x)) == expected
    np.save(tmp_path / "x.npy", x)
    assert digest(np.load(tmp_path / "x.npy", mmap_mode="r")) == expected
    other = np.where(np.arange(len(x))[:, None] == 8196, x + 1, x)
    different = [x, other, x.reshape(2, -1), x.astype(np.float64), x[::-1], x[:-1]]
    assert len({digest(part) for part in different}) == len(different)
    expected = hashlib.blake2b(json.dumps({"a": 1}).encode(), digest_size=8).hexdigest()
    assert digest({"a": 1}) == expected != digest({"a": 2})
    (tmp_path / "a").write_bytes(b"abc")
    assert checksum(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
