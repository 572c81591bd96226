"""The folder on disk: round trips, damage, whole writes or none."""

import os
from dataclasses import replace

import numpy as np
import pytest
from fixtures.refusal import refused
from test_multimodal import make

from discom.data import load
from discom.data.prepared import MANIFEST
from discom.data.scenes import objects
from discom.errors import ConfigError

PARTS = ("train", "valid", "test")


def test_an_empty_name_is_not_the_working_directory():
    refused(lambda: load(""), "^data: ", ConfigError)


def contents(data):
    """All that is kept of data; the fingerprint is of pixels, labels, groups and parts."""
    arrays = {**data.factors, "ids": data.ids, "masks": data.masks}
    arrays = {name: values.tolist() for name, values in arrays.items() if values is not None}
    units = {name: m.unit for name, m in data.modalities.items()}
    plain = data.name, data.classes, data.fractions, data.about, data.dense
    return data.fingerprint, plain, units, arrays


def partly_paired(**fields):
    """RGB of ids 0-29, depth of ids 29-10 in descending order and 40-45; text as objects."""
    ids = {"rgb": range(30), "depth": [*range(29, 9, -1), *range(40, 46)]}
    factors = {"file": np.arange(36) / 7, "city": np.array(["Lyon", "Nîmes"] * 18, object)}
    groups = np.array([f"site {k // 2}" for k in range(36)], object)
    own = {"factors": factors, "groups": groups, "about": {"source": "here"}, "name": "mine"}
    data, how = make(ids, **own | fields), {"unit": "m", "invalid": 7.0, "symmetry": "none"}
    sensors = {name: replace(modality, **how) for name, modality in data.modalities.items()}
    return replace(data, modalities=sensors)


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
    assert contents(opened) == contents(data)
    assert isinstance(opened.modalities["rgb"].x, np.memmap)
    opened.save(folder, overwrite=True)  # the folder that it is read from
    assert contents(load(folder)) == contents(data)


def test_a_folder_is_written_anew_on_request_alone_and_then_read_anew(saved):
    second, old = objects.make(30, size=8, seed=1), load(saved)
    images = old.modalities["rgb"].x.copy()
    refused(lambda: second.save(saved), "exists already; pass overwrite")
    second.save(saved, overwrite=True)
    new = load(saved)
    assert new.fingerprint == second.fingerprint != old.fingerprint
    assert (new.name, new.groups) == ("objects", None)  # no file of the first is left
    np.testing.assert_array_equal(old.modalities["rgb"].x, images)


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
    assert contents(load(saved)) == contents(data)
