"""The folder on disk: round trips, the released code's own form, damage, whole writes or none."""

import os
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data import Batches, Modality, MultiModalData, load, prepared, scenes
from discom.data.prepared import MANIFEST, is_prepared, verify

PARTS = ("train", "valid", "test")
ROWS = np.arange(30)


def assert_equal(one, other):
    assert list(one.modalities) == list(other.modalities)
    for field in ("classes", "name", "fractions", "about", "dense"):
        assert getattr(one, field) == getattr(other, field)
    for name, modality in one.modalities.items():
        same = other.modalities[name]
        for field in ("x", "y", "ids", "unit", "invalid"):
            np.testing.assert_array_equal(getattr(modality, field), getattr(same, field))
    for field in ("factors", "parts"):
        first, second = getattr(one, field) or {}, getattr(other, field) or {}
        assert set(first) == set(second)
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name])
    for name in ("masks", "groups", "ids", "labels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def partly_paired(**fields):
    """RGB of ids 0-29, depth of ids 29-10 in descending order and 40-45; values far from [0, 1]."""
    rng = np.random.default_rng(0)
    ids = {"rgb": np.arange(30), "depth": np.r_[np.arange(29, 9, -1), np.arange(40, 46)]}
    modalities = {
        name: Modality(rng.normal(100, 30, (len(i), 2, 4, 5)).astype("f"), i % 3, i, "m", 7.0)
        for name, i in ids.items()
    }
    extras = {
        "factors": {"height": rng.random(36), "city": np.array(["Lyon", "Nîmes"] * 18, object)},
        "masks": rng.integers(0, 3, (36, 4, 5)),
        "groups": np.array([f"site {k // 2}" for k in range(36)], object),
        "about": {"source": "here"},
    }
    return MultiModalData(modalities, ("a", "b", "c"), **extras | {"name": "mine"} | fields)


def by_hand(folder, **arrays):
    """What the released code's own preparation leaves: images, labels, index files, no manifest."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    order = rng.permutation(30)
    content = {
        "MS_data_normalized": rng.random((30, 4, 6, 6), dtype=np.float32),
        "SAR_data_normalized": rng.random((30, 2, 6, 6), dtype=np.float32),
        "labels": ROWS % 3,
        "train_idx": order[:20],
        "valid_idx": order[20:25],
        "test_idx": order[25:],
    } | arrays
    for name, values in content.items():
        if values is not None:
            np.save(folder / f"{name}.npy", values)
    return content


# round trips


def test_values_in_their_unit_come_back(tmp_path):
    parts = {"train": np.arange(20), "valid": np.arange(20, 28), "test": np.arange(28, 36)}
    for number, data in enumerate([partly_paired(), partly_paired(parts=parts)]):
        data.save(tmp_path / str(number))
        opened = load(tmp_path / str(number))
        assert_equal(data, opened)
        assert isinstance(opened.modalities["rgb"].x, np.memmap)
        assert (opened.normalized, opened.fingerprint) == (False, data.fingerprint)
        files = sorted(file.name for file in (tmp_path / str(number)).glob("*_data*.npy"))
        assert files == ["DEPTH_data.npy", "RGB_data.npy"]
        opened.save(tmp_path / str(number), overwrite=True)  # the folder that it is read from
        assert_equal(data, load(tmp_path / str(number)))


@pytest.mark.parametrize("kind", ["scenes", "partly paired", "dense"])
def test_a_scaled_folder_has_its_split(tmp_path, kind):
    data = {
        "scenes": lambda: scenes.make(90, size=8, modalities=("thermal", "depth", "rgb")),
        "partly paired": partly_paired,
        "dense": lambda: scenes.dense(20, size=16),
    }[kind]()
    split = data.split(seed=3)
    data.save(tmp_path / "out", split=split)
    opened = load(tmp_path / "out")
    assert list(opened.modalities) == list(data.modalities)  # the manifest keeps the order
    for part, again in zip(split, opened.split(seed=99), strict=True):
        np.testing.assert_array_equal(part.ids, again.ids)
        np.testing.assert_array_equal(part.masks, again.masks)
        for name in data.modalities:
            np.testing.assert_array_equal(part.images(name), again.images(name))
            np.testing.assert_array_equal(again.images(name), again.modalities[name].x)
            for field, value in vars(split.train.normalization[name]).items():
                np.testing.assert_array_equal(getattr(again.normalization[name], field), value)
    opened.save(tmp_path / "again")
    assert load(tmp_path / "again").fingerprint == opened.fingerprint


# a folder that changes


def test_a_folder_is_written_anew_on_request_alone_and_then_read_anew(tmp_path):
    first, second = partly_paired(), scenes.make(30, size=8, seed=1)
    first.save(tmp_path / "out", split=first.split())
    old = load(tmp_path / "out")
    images = old.modalities["rgb"].x.copy()
    refused(lambda: second.save(tmp_path / "out"), "exists already; pass overwrite")
    second.save(tmp_path / "out", overwrite=True)
    new = load(tmp_path / "out")
    assert new.fingerprint == second.fingerprint != old.fingerprint
    assert (new.name, new.parts) == ("scenes", None)  # no index file of the first is left
    np.testing.assert_array_equal(old.modalities["rgb"].x, images)
    np.testing.assert_array_equal(new.modalities["rgb"].x, second.modalities["rgb"].x)


# the released code's form


def test_a_folder_made_by_hand_loads_and_splits_unchanged(tmp_path):
    content = by_hand(tmp_path / "hand", labels=(ROWS % 3).astype(np.uint8))
    data = load(tmp_path / "hand")
    assert (set(data.modalities), data.classes) == ({"ms", "sar"}, ("0", "1", "2"))
    assert (data.normalized, data.name) == (True, "hand")
    for part, name in zip(data.split(seed=5), PARTS, strict=True):
        rows = content[f"{name}_idx"]
        assert part.ids.tolist() == rows.tolist()
        np.testing.assert_array_equal(part.images("ms"), content["MS_data_normalized"][rows])
    batches = list(Batches(data.split().train, 8, 0, augment=0).epoch(0))
    assert sum(len(batch.y["ms"]) for batch in batches) == 20


def test_the_released_code_reads_what_we_write(tmp_path):
    """Its own steps: np.load of two image files, the labels and three index files, then plain
    indexing."""
    data = scenes.make(90, size=8)
    raw = {name: replace(m, x=300 * m.x - 50) for name, m in data.modalities.items()}
    data = replace(data, modalities=raw)
    split = data.split(seed=0)
    data.save(tmp_path / "out", split=split)
    first = np.load(tmp_path / "out" / "RGB_data_normalized.npy")
    second = np.load(tmp_path / "out" / "DEPTH_data_normalized.npy")
    labels = np.load(tmp_path / "out" / "labels.npy")
    index = {part: np.load(tmp_path / "out" / f"{part}_idx.npy") for part in PARTS}
    assert (first.shape, second.shape) == ((90, 3, 8, 8), (90, 1, 8, 8))
    assert first.dtype == second.dtype == np.float32
    assert (first.min(), first.max()) == (second.min(), second.max()) == (0, 1)
    assert not list((tmp_path / "out").glob("*_rows.npy"))  # row i is the same scene in both
    for part, rows in index.items():
        np.testing.assert_array_equal(labels[rows], getattr(split, part).labels)
        np.testing.assert_array_equal(first[rows], getattr(split, part).images("rgb"))
        np.testing.assert_array_equal(second[rows], getattr(split, part).images("depth"))


def test_images_that_are_named_normalized_and_are_not_are_told(tmp_path, recwarn):
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 6, 6)).astype(np.uint8)
    by_hand(tmp_path / "hand", MS_data_normalized=images)
    load(tmp_path / "hand")
    (told,) = [str(w.message) for w in recwarn]
    assert "MS_data_normalized.npy: holds values from 0 to 255, and its name says 0 to 1" in told
    assert "rename it to MS_data.npy" in told
    (tmp_path / "hand" / "MS_data_normalized.npy").rename(tmp_path / "hand" / "MS_data.npy")
    train = load(tmp_path / "hand").split().train  # the way out
    assert (train.images("ms").min(), train.images("ms").max(), len(recwarn)) == (0, 1, 1)


# bad input


IMAGES = np.random.default_rng(3).random((30, 4, 6, 6), dtype=np.float32)
BAD = [
    ({"labels": None}, r"labels\.npy: no such file; prepare the folder again"),
    ({"labels": ROWS[:29] % 3}, r"ms/y: holds int64 of shape \(29,\); give .* of shape \[30\]"),
    ({"labels": ROWS / 2.0}, r"labels\.npy: holds float64 of shape .*; give whole numbers"),
    ({"SAR_data_normalized": IMAGES[:20]}, r"sar/y: holds .* \(30,\); give .* of shape \[20\]"),
    ({"MS_data_normalized": IMAGES[:, 0]}, r"MS_data_norm.*holds float32 of shape \(30, 6"),
    ({"train_idx": np.array([0, 30])}, r"/train: index 30 is outside 0 … 29"),
    ({"train_idx": ROWS[:9], "valid_idx": ROWS[8:], "test_idx": ROWS}, r"index 8 is in train al"),
    ({"train_idx": np.array([4, 7, 4])}, r"/train: index 4 is in train already"),
    ({"valid_idx": np.array([], int)}, r"/valid: is empty; every part needs samples"),
    ({"valid_idx": None}, r"valid_idx\.npy: no such file; prepare the folder again"),
    ({"ids": ROWS[:29]}, r"ids\.npy: holds .* \(29,\); give .* of shape \[30\]"),
    ({"MS_rows": ROWS + 1}, r"MS_rows\.npy: index 30 is outside 0 … 29"),
    ({"MS_data": IMAGES}, r"MS_data\.npy: stands beside MS_data_normalized\.npy.*keep one"),
]


@pytest.mark.parametrize(("arrays", "fragment"), BAD)
def test_wrong_arrays_are_named_with_a_way_out(tmp_path, arrays, fragment):
    by_hand(tmp_path / "hand", **arrays)
    refused(lambda: load(tmp_path / "hand"), rf"hand.*{fragment}")


@pytest.mark.parametrize("name", ["RGB_data.npy", "labels.npy", "factors.npz"])
def test_truncated_files_are_named(tmp_path, name):
    partly_paired().save(tmp_path / "out")
    file = tmp_path / "out" / name
    content = file.read_bytes()
    for size in (0, 5, 100, 2000):
        file.write_bytes(content[: min(size, len(content) - 30)])
        unreadable = rf"{name}: cannot be read as a NumPy array \(.+\); prepare"
        refused(lambda: load(tmp_path / "out"), unreadable)


def test_pickled_objects_and_archives_are_no_arrays(tmp_path):
    by_hand(tmp_path / "hand", ids=np.array([object()] * 30))
    ids = tmp_path / "hand" / "ids.npy"
    refused(lambda: load(tmp_path / "hand"), r"ids\.npy: cannot be read as a NumPy array")
    with ids.open("wb") as file:
        np.savez(file, ROWS)
    refused(lambda: load(tmp_path / "hand"), r"ids\.npy: cannot be read .*an archive, \.npz")


def test_a_damaged_manifest_never_loads_as_a_folder_without_one(tmp_path):
    partly_paired().save(tmp_path / "out")
    manifest = tmp_path / "out" / MANIFEST
    text = manifest.read_text()
    for damaged, fragment in [
        (text.replace('"format": 1', '"format": 2'), "has format 2, not 1; prepare the folder"),
        (text[:-20], "not valid JSON .*; prepare the folder again"),
        ("[]", "holds list, not a manifest; prepare the folder again"),
        (text.replace('"units": {', '"units": 5, "other": {'), "cannot be read as a manifest"),
        (text.replace('"m"', "5"), "mine/rgb: unit 5 is no text"),
    ]:
        manifest.write_text(damaged)
        refused(lambda: load(tmp_path / "out"), fragment)
    manifest.write_text(text)
    (tmp_path / "out" / "DEPTH_data.npy").unlink()
    refused(lambda: load(tmp_path / "out"), "DEPTH_data….npy: missing, the images of modality")


# writing


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails_at", ["labels", "train_idx", "groups"])
def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch, fails_at, error):
    data, original = partly_paired(), np.save
    data.save(tmp_path / "old")

    def save(file, values):
        if fails_at in str(file):
            raise error
        original(file, values)

    monkeypatch.setattr(np, "save", save)
    for name in ("new", "old"):
        with pytest.raises(type(error)):
            data.save(tmp_path / name, split=data.split(), overwrite=True)
    assert os.listdir(tmp_path) == ["old"]
    assert_equal(data, load(tmp_path / "old"))


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    other = scenes.make(60, size=8, seed=1).split()
    data = scenes.make(60, size=8)
    refused(lambda: data.save(tmp_path / "out", split=other), "the split has other ids")
    wrong = partly_paired()
    wrong.modalities["rgb"].x[3, 1, 2, 2] = np.nan
    refused(lambda: wrong.save(tmp_path / "out"), "mine/rgb: sample 3, band 1 holds nan")
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    fragment = r"out: 1,000 bytes are free and \d[\d,]+ needed; make room, or choose another"
    refused(lambda: data.save(tmp_path / "out"), fragment)
    assert os.listdir(tmp_path) == []


def test_memory_for_scaling_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1 << 16)
    images = np.random.default_rng(9).integers(0, 200, (600, 3, 16, 16)).astype(np.uint8)
    np.save(tmp_path / "x.npy", images)
    x, rows = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(600)
    data = MultiModalData({"rgb": Modality(x, rows % 3, rows)}, ("a", "b", "c"))
    split = data.split(seed=0)
    tracemalloc.start()
    data.save(tmp_path / "out", split=split)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 16  # some chunks; all of it as float32 would be 28


def test_verify_finds_a_flipped_byte_in_any_file(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "out", split=data.split())
    files = sorted(file for file in (tmp_path / "out").iterdir() if file.name != MANIFEST)
    assert verify(tmp_path / "out") == len(files) == 12
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        refused(lambda: verify(tmp_path / "out"), f"{file.name}: differs from its checksum in m")
        file.unlink()
        refused(lambda: verify(tmp_path / "out"), f"{file.name}: missing; prepare the folder ag")
        file.write_bytes(content)
    by_hand(tmp_path / "hand")
    assert verify(tmp_path / "hand") == 0  # nothing to compare with


def test_places_that_are_no_data(tmp_path):
    refused(lambda: load(tmp_path), r"has no folder; expected .*/<modality>/<class>/<id>\.png")
    refused(lambda: load(tmp_path / "nowhere"), "nowhere: no such folder, and no data set of that")
    refused(lambda: load("eurosatt"), "no such folder.*; did you mean eurosat?")
    (tmp_path / MANIFEST).write_text("{}")
    assert is_prepared(tmp_path)
    refused(lambda: load(tmp_path), r"no <MOD>_data_normalized\.npy in it")
