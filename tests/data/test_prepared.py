"""The folder on disk: round trips, damage, whole writes or none."""

import os

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data import Modality, MultiModalData, load
from discom.data.prepared import MANIFEST, verify
from discom.data.scenes import objects

PARTS = ("train", "valid", "test")


def assert_equal(one, other):
    assert list(one.modalities) == list(other.modalities)
    for field in ("classes", "name", "fractions", "about", "dense"):
        assert getattr(one, field) == getattr(other, field)
    for name, modality in one.modalities.items():
        same = other.modalities[name]
        for field in ("x", "y", "ids", "unit", "invalid", "symmetry"):
            np.testing.assert_array_equal(getattr(modality, field), getattr(same, field))
    for field in ("factors", "parts"):
        first, second = getattr(one, field) or {}, getattr(other, field) or {}
        assert set(first) == set(second)
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name])
    for name in ("masks", "groups", "ids", "labels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def partly_paired(**fields):
    """RGB of ids 0-29, depth of ids 29-10 in descending order and 40-45; values outside [0, 1]."""
    rng = np.random.default_rng(0)
    ids = {"rgb": np.arange(30), "depth": np.r_[np.arange(29, 9, -1), np.arange(40, 46)]}
    modalities = {
        name: Modality(rng.normal(9, 3, (len(i), 2, 4, 5)).astype("f"), i % 3, i, "m", 7.0, "flip")
        for name, i in ids.items()
    }
    extras = {
        "factors": {"height": rng.random(36), "city": np.array(["Lyon", "Nîmes"] * 18, object)},
        "masks": rng.integers(0, 3, (36, 4, 5)),
        "groups": np.array([f"site {k // 2}" for k in range(36)], object),
        "about": {"source": "here"},
    }
    return MultiModalData(modalities, ("a", "b", "c"), **extras | {"name": "mine"} | fields)


@pytest.fixture
def saved(tmp_path):
    """A folder of `partly_paired` data."""
    partly_paired().save(tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("parts", [None, {p: 12 * k + np.arange(12) for k, p in enumerate(PARTS)}])
def test_values_in_their_unit_come_back(tmp_path, parts, monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1 << 10)  # written a few samples at a time
    data, folder = partly_paired(parts=parts), tmp_path / "out"
    data.save(folder)
    opened = load(folder)
    assert_equal(data, opened)
    assert isinstance(opened.modalities["rgb"].x, np.memmap)
    assert opened.fingerprint == data.fingerprint
    opened.save(folder, overwrite=True)  # the folder that it is read from
    assert_equal(data, load(folder))


def test_a_folder_is_written_anew_on_request_alone_and_then_read_anew(saved):
    second, old = objects.make(30, size=8, seed=1), load(saved)
    images = old.modalities["rgb"].x.copy()
    refused(lambda: second.save(saved), "exists already; pass overwrite")
    second.save(saved, overwrite=True)
    new = load(saved)
    assert new.fingerprint == second.fingerprint != old.fingerprint
    assert (new.name, new.groups) == ("objects", None)  # no file of the first is left
    np.testing.assert_array_equal(old.modalities["rgb"].x, images)
    np.testing.assert_array_equal(new.modalities["rgb"].x, second.modalities["rgb"].x)


@pytest.mark.parametrize(
    ("name", "values"), [("labels", np.ones(36) / 2), ("ids", np.arange(35)), ("RGB_rows", [40])]
)
def test_wrong_arrays_are_named(saved, name, values):
    np.save(saved / f"{name}.npy", values)
    refused(lambda: load(saved), f"{name}.npy: ")


def test_damaged_and_missing_files_are_named(saved):
    for name in ("RGB_data.npy", "labels.npy", "factors.npz", MANIFEST):
        content = (saved / name).read_bytes()
        for size in (0, len(content) - 30):
            (saved / name).write_bytes(content[:size])
            refused(lambda name=name: load(saved), name)
        (saved / name).write_bytes(content)
    for old, new in (('"format": 2', '"format": 1'), ('"units": {', '"other": {')):
        text = (saved / MANIFEST).read_text()
        (saved / MANIFEST).write_text(text.replace(old, new))
        refused(lambda: load(saved), MANIFEST)
        (saved / MANIFEST).write_text(text)
    (saved / "RGB_data.npy").unlink()
    refused(lambda: load(saved), r"RGB_data\.npy")


def test_a_folder_is_written_whole_or_not_at_all(saved, monkeypatch):
    data, original = partly_paired(), np.save

    def save(file, values):
        if "groups" in str(file):
            raise KeyboardInterrupt
        original(file, values)

    monkeypatch.setattr(np, "save", save)
    for name in ("new", "out"):
        with pytest.raises(KeyboardInterrupt):
            data.save(saved.with_name(name), overwrite=True)
    assert os.listdir(saved.parent) == ["out"]
    assert_equal(data, load(saved))


def test_verify_finds_a_flipped_byte_in_any_file(saved):
    files = sorted(file for file in saved.iterdir() if file.name != MANIFEST)
    assert verify(saved) == len(files) == 9
    for file in files:
        content = file.read_bytes()
        for damaged in (content[:-1] + bytes([content[-1] ^ 1]), b""):
            file.write_bytes(damaged)
            refused(lambda: verify(saved), f"{file.name}: ")
        file.write_bytes(content)
