"""The folder on disk: round trips, folders made by hand or read by the released code, damage, and
unfinished writes."""

import json
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from discom.data import Batches, Modality, MultiModalData, load, prepared, scenes
from discom.data.lazy import Lazy
from discom.data.prepared import MANIFEST, is_prepared, verify
from discom.errors import DataError

PARTS = ("train", "valid", "test")


def assert_equal(one, other):
    assert list(one.modalities) == list(other.modalities)
    assert one.classes == other.classes
    assert one.name == other.name
    assert one.fractions == other.fractions
    np.testing.assert_array_equal(one.ids, other.ids)
    for name, modality in one.modalities.items():
        np.testing.assert_array_equal(modality.x, other.modalities[name].x)
        np.testing.assert_array_equal(modality.y, other.modalities[name].y)
        np.testing.assert_array_equal(modality.ids, other.modalities[name].ids)
    assert set(one.factors) == set(other.factors)
    for name, values in one.factors.items():
        np.testing.assert_array_equal(values, other.factors[name])
    for name in ("masks", "groups"):
        values, found = getattr(one, name), getattr(other, name)
        assert (values is None) == (found is None), name
        if values is not None:
            np.testing.assert_array_equal(values, found)


def partly_paired(**fields):
    """RGB of ids 0-29, depth of ids 29-10 in descending order and 40-45; raw values far from [0,
    1]."""
    rng = np.random.default_rng(0)
    held = {"rgb": np.arange(30), "depth": np.r_[np.arange(29, 9, -1), np.arange(40, 46)]}
    modalities = {
        name: Modality(rng.normal(100, 30, (len(ids), 2, 4, 5)).astype(np.float32), ids % 3, ids)
        for name, ids in held.items()
    }
    count = 36
    extras = {
        "factors": {"height": rng.random(count), "kind": rng.integers(0, 4, count)},
        "masks": rng.integers(0, 3, (count, 4, 5)),
        "groups": np.array([f"site {k // 2}" for k in range(count)]),
    }
    return MultiModalData(modalities, ("a", "b", "c"), **extras | {"name": "mine"} | fields)


def by_hand(folder, count=30, **arrays):
    """A folder as the released code's users have it: two image files, labels, three index files,
    nothing else."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    order = rng.permutation(count)
    third = count // 3
    content = {
        "MS_data_normalized": rng.random((count, 4, 6, 6), dtype=np.float32),
        "SAR_data_normalized": rng.random((count, 2, 6, 6), dtype=np.float32),
        "labels": np.arange(count) % 3,
        "train_idx": order[: 2 * third],
        "valid_idx": order[2 * third : -5],
        "test_idx": order[-5:],
    } | arrays
    for name, values in content.items():
        if values is not None:
            np.save(folder / f"{name}.npy", values)
    return content


# round trips
# ----------------------------------------------------------------------------------------------------


def test_raw_round_trip(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "out")
    opened = load(tmp_path / "out")
    assert_equal(data, opened)
    assert not opened.normalized
    assert opened.parts is None
    assert opened.fingerprint == data.fingerprint
    assert opened.paired_ids.tolist() == data.paired_ids.tolist() == list(range(10, 30))
    assert sorted(file.name for file in (tmp_path / "out").glob("*_data*.npy")) == [
        "DEPTH_data.npy",
        "RGB_data.npy",
    ]


@pytest.mark.parametrize("modalities", [("rgb", "depth"), ("thermal", "depth", "rgb")])
def test_round_trip_of_scenes_with_split(tmp_path, modalities):
    data = scenes.make(90, size=8, modalities=modalities)
    split = data.split(seed=3)
    data.save(tmp_path / "out", split=split)
    opened = load(tmp_path / "out")
    assert list(opened.modalities) == list(modalities)  # the manifest keeps the order
    for part, again in zip(
        split, opened.split(seed=99), strict=True
    ):  # the seed has no say any more
        np.testing.assert_array_equal(part.ids, again.ids)
        for name in modalities:
            np.testing.assert_array_equal(part.images(name), again.images(name))
            np.testing.assert_array_equal(again.images(name), again.modalities[name].x)
            bounds = again.normalization[name]
            assert bounds.low.tolist() == split.train.normalization[name].low.tolist()
            assert bounds.high.tolist() == split.train.normalization[name].high.tolist()
        for name, values in part.factors.items():
            np.testing.assert_array_equal(values, again.factors[name])
        np.testing.assert_array_equal(part.masks, again.masks)


def test_round_trip_of_partly_paired_data_with_split_and_groups(tmp_path):
    data = partly_paired()
    split = data.split(seed=1)
    data.save(tmp_path / "out", split=split)
    for part, again in zip(split, load(tmp_path / "out").split(), strict=True):
        np.testing.assert_array_equal(part.ids, again.ids)
        np.testing.assert_array_equal(part.groups, again.groups)
        np.testing.assert_array_equal(part.factors["height"], again.factors["height"])
        for name, modality in part.modalities.items():
            np.testing.assert_array_equal(modality.ids, again.modalities[name].ids)
            np.testing.assert_array_equal(part.images(name), again.images(name))


def test_saved_again_is_the_same(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "one", split=data.split())
    load(tmp_path / "one").save(tmp_path / "two")
    one, two = load(tmp_path / "one"), load(tmp_path / "two")
    assert_equal(one, two)
    assert one.fingerprint == two.fingerprint
    sums = [
        json.loads((tmp_path / name / MANIFEST).read_text())["checksums"] for name in ("one", "two")
    ]
    assert {k: v for k, v in sums[0].items() if k != "factors.npz"} == {
        k: v
        for k, v in sums[1].items()
        if k != "factors.npz"  # an archive holds the time of writing
    }


def test_overwriting_the_folder_that_the_data_is_read_from(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "out")
    load(tmp_path / "out").save(tmp_path / "out", overwrite=True)
    assert_equal(data, load(tmp_path / "out"))


def test_object_strings_are_written_without_pickle(tmp_path):
    data = partly_paired()
    named = np.array([f"scene {k}" for k in range(30)], dtype=object)
    modality = data.modalities["rgb"]
    data = MultiModalData(
        {"rgb": replace(modality, ids=named)},
        data.classes,
        groups=np.array(["p", "q", "r"] * 10, dtype=object),
    )
    data.save(tmp_path / "out")
    opened = load(tmp_path / "out")
    assert opened.ids.tolist() == named.tolist()
    assert opened.groups.tolist() == ["p", "q", "r"] * 10


def test_factors_of_object_strings_round_trip(tmp_path):
    data = partly_paired()
    cities = np.array(["Lyon", "Nîmes"] * 18, dtype=object)
    replace(data, factors={"city": cities}).save(tmp_path / "out")
    assert load(tmp_path / "out").factors["city"].tolist() == cities.tolist()


def test_manifest_tells_what_is_there(tmp_path):
    partly_paired().save(tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert manifest["classes"] == ["a", "b", "c"]
    assert manifest["modalities"] == {"rgb": [30, 2, 4, 5], "depth": [26, 2, 4, 5]}
    assert manifest["paired"] == 20
    assert set(manifest["checksums"]) == set(os.listdir(tmp_path / "out")) - {MANIFEST}


# the released code's form
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_folder_made_by_hand_loads_and_splits_unchanged(tmp_path, kind):
    content = by_hand(tmp_path / "hand", labels=(np.arange(30) % 3).astype(kind))
    data = load(tmp_path / "hand")
    assert set(data.modalities) == {"ms", "sar"}
    assert data.classes == ("0", "1", "2")
    assert (data.normalized, data.name) == (True, "hand")
    split = data.split(seed=5)
    for part, rows in zip(split, PARTS, strict=True):
        rows = content[f"{rows}_idx"]
        assert part.ids.tolist() == rows.tolist()
        assert part.labels.dtype == np.int64
        assert part.labels.tolist() == content["labels"][rows].tolist()
        np.testing.assert_array_equal(part.images("ms"), content["MS_data_normalized"][rows])
        np.testing.assert_array_equal(part.images("sar"), content["SAR_data_normalized"][rows])
    batches = list(Batches(split.train, 8, 0, augment=0).epoch(0))
    assert sum(len(batch.y["ms"]) for batch in batches) == 20


def test_images_of_a_folder_made_by_hand_may_be_float64(tmp_path):
    x = np.random.default_rng(0).random((30, 4, 6, 6))
    by_hand(tmp_path / "hand", MS_data_normalized=x)
    images = load(tmp_path / "hand").split().train.images("ms")
    assert images.dtype == np.float32


def test_released_code_reads_what_we_write(tmp_path):
    """Its own steps: np.load of two image files, the labels and three index files, then plain
    indexing."""
    data = scenes.make(90, size=8)
    raw = {name: 300 * m.x - 50 for name, m in data.modalities.items()}
    data = replace(
        data, modalities={name: replace(m, x=raw[name]) for name, m in data.modalities.items()}
    )
    split = data.split(seed=0)
    data.save(tmp_path / "out", split=split)
    first = np.load(tmp_path / "out" / "RGB_data_normalized.npy")
    second = np.load(tmp_path / "out" / "DEPTH_data_normalized.npy")
    labels = np.load(tmp_path / "out" / "labels.npy")
    index = {part: np.load(tmp_path / "out" / f"{part}_idx.npy") for part in PARTS}
    assert first.shape == (90, 3, 8, 8)
    assert second.shape == (90, 1, 8, 8)
    assert first.dtype == second.dtype == np.float32
    assert not list((tmp_path / "out").glob("*_rows.npy"))  # row i is the same scene in both
    for images in (first, second):
        assert (images.min(), images.max()) == (0, 1)
    assert np.array_equal(np.sort(np.concatenate(list(index.values()))), np.arange(90))
    for part, rows in index.items():
        np.testing.assert_array_equal(labels[rows], getattr(split, part).labels)
        np.testing.assert_array_equal(first[rows], getattr(split, part).images("rgb"))
        np.testing.assert_array_equal(second[rows], getattr(split, part).images("depth"))


def test_raw_folder_with_index_files_keeps_its_split_when_saved_again(tmp_path):
    by_hand(tmp_path / "hand", MS_data_normalized=None, SAR_data_normalized=None)
    for name in ("MS", "SAR"):
        raw = 100 * np.random.default_rng(2).random((30, 2, 6, 6), dtype=np.float32)
        np.save(tmp_path / "hand" / f"{name}_data.npy", raw)
    data = load(tmp_path / "hand")
    assert not data.normalized
    data.save(tmp_path / "out")
    again = load(tmp_path / "out")
    np.testing.assert_array_equal(again.split().train.images("ms"), data.split().train.images("ms"))


def test_scaled_and_raw_images_of_one_modality_are_ambiguous(tmp_path):
    content = by_hand(tmp_path / "hand")
    np.save(tmp_path / "hand" / "MS_data.npy", 100 * content["MS_data_normalized"])
    with pytest.raises(
        DataError,
        match=r"MS_data\.npy: stands beside MS_data_normalized\.npy, .*; keep one of the two",
    ):
        load(tmp_path / "hand")


# bad input
# ------------------------------------------------------------------------------------------------------


def with_value(value):
    x = np.random.default_rng(3).random((30, 4, 6, 6), dtype=np.float32)
    x[17, 2, 3, 5] = value
    return x


rows = np.arange(30)
BAD = {
    "labels missing": ({"labels": None}, r"labels\.npy: missing; the folder is incomplete, prepare it again"),
    "labels short": ({"labels": rows[:29] % 3}, r"labels\.npy for MS.*: \(29,\) labels for 30 samples; one label per"),
    "labels long": ({"labels": np.arange(31) % 3}, r"labels\.npy for MS.*: \(31,\) labels for 30 samples"),
    "labels 2-d": ({"labels": rows[:, None] % 3}, r"labels\.npy: \(30, 1\) labels for 30 samples"),
    "labels float": ({"labels": rows / 2.0}, r"labels\.npy: labels are float64.*; save them as integers"),
    "labels negative": ({"labels": rows % 3 - 1}, r"labels\.npy: label -1 is below 0; renumber"),
    "other count": ({"SAR_data_normalized": with_value(0)[:20]}, r"for SAR.*: \(30,\) labels for 20 samples"),
    "nan": ({"MS_data_normalized": with_value(np.nan)},
            r"MS_data_normalized\.npy: sample 17, band 2 holds nan at pixel \(3, 5\); fill or drop such samples"),
    "inf": ({"SAR_data_normalized": with_value(-np.inf)},
            r"SAR_data_normalized\.npy: sample 17, band 2 holds -inf at pixel \(3, 5\)"),
    "3-d": ({"MS_data_normalized": np.zeros((30, 6, 6), np.float32)},
            r"MS_data_normalized\.npy: holds float32 of shape \(30, 6, 6\); needed are numbers of shape"),
    "text": ({"MS_data_normalized": np.full((30, 1, 2, 2), "a")}, r"MS_data_normalized\.npy: holds <U1 of shape"),
    "complex": ({"MS_data_normalized": np.zeros((30, 1, 2, 2), complex)}, r"MS_data_normalized\.npy: holds complex128"),
    "index high": ({"train_idx": np.array([0, 1, 30])},
                   r"train_idx\.npy: index 30 is outside 0 … 29; make the split anew"),
    "index negative": ({"test_idx": np.array([-1])}, r"test_idx\.npy: index -1 is outside 0 … 29"),
    "index twice": ({"train_idx": rows[:20], "valid_idx": rows[20:25], "test_idx": rows[19:]},
                    r"test_idx\.npy: index 19 is in train_idx.npy already; a sample has one place"),
    "index in one part twice": ({"train_idx": np.array([4, 7, 4])}, r"train_idx\.npy: index 4 is in train_idx"),
    "index float": ({"valid_idx": np.array([1.0, 2.0])}, r"valid_idx\.npy: holds float64 .*; whole row numbers needed"),
    "index mask": ({"valid_idx": np.zeros(30, bool)}, r"valid_idx\.npy: holds bool .*; whole row numbers needed"),
    "index 2-d": ({"valid_idx": np.array([[1], [2]])}, r"valid_idx\.npy: holds int64 of shape \(2, 1\)"),
    "index empty": ({"valid_idx": np.array([], int)}, r"valid_idx\.npy: is empty; every part needs samples"),
    "index missing": ({"valid_idx": None}, r"valid_idx\.npy: missing beside .*; a split has three index files"),
    "ids twice": ({"ids": rows // 2}, r"id .* stands twice"),
    "groups short": ({"groups": rows[:9]}, r"groups has 9 entries for 30 samples"),
    "name": ({"MS-B_data_normalized": with_value(0)}, r"ms-b: a modality's name is lower-case letters, digits and _"),
    "labels nan": ({"labels": np.full(30, np.nan)}, r"labels\.npy: labels are float64"),
    "labels text": ({"labels": np.array(["cat", "dog", "owl"] * 10)}, r"labels\.npy: labels are <U3"),
    "labels 0-d": ({"labels": np.array(3)}, r"labels\.npy: \(\) labels for 1 samples"),
    "ids short": ({"ids": rows[:29]}, r"ids\.npy: \(29,\) ids for \(30,\) labels"),
    "ids long": ({"ids": np.arange(34)}, r"ids\.npy: \(34,\) ids for \(30,\) labels"),
    "rows high": ({"MS_rows": rows + 1}, r"MS_rows\.npy: index 30 is outside 0 … 29"),
    "rows negative": ({"MS_rows": rows - 1}, r"MS_rows\.npy: index -1 is outside"),
    "rows float": ({"MS_rows": rows * 1.0}, r"MS_rows\.npy: holds float64"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_wrong_arrays_are_named_with_a_way_out(tmp_path, case):
    arrays, message = BAD[case]
    by_hand(tmp_path / "hand", **arrays)
    before = sorted(os.listdir(tmp_path / "hand"))
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path / "hand")
    assert "hand" in str(caught.value)  # the place
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path / "hand")) == before
    assert os.listdir(tmp_path) == ["hand"]


@pytest.mark.parametrize("size", [0, 5, 100, 2000])
@pytest.mark.parametrize("name", ["MS_data_normalized.npy", "labels.npy"])
def test_truncated_arrays_are_named(tmp_path, name, size):
    by_hand(tmp_path / "hand")
    file = tmp_path / "hand" / name
    content = file.read_bytes()
    file.write_bytes(content[: min(size, len(content) - 8)])
    with pytest.raises(
        DataError,
        match=rf"{name}: cannot be read as a NumPy array \(.+\); copy or prepare it again",
    ):
        load(tmp_path / "hand")


def test_pickled_objects_are_never_loaded(tmp_path):
    by_hand(tmp_path / "hand", labels=np.array([{"a": 1}] * 30, dtype=object))
    with pytest.raises(DataError, match=r"labels\.npy: cannot be read as a NumPy array"):
        load(tmp_path / "hand")


def test_truncated_factors_are_named(tmp_path):
    partly_paired().save(tmp_path / "out")
    file = tmp_path / "out" / "factors.npz"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"factors\.npz"):
        load(tmp_path / "out")


def test_missing_modality_file_is_named(tmp_path):
    partly_paired().save(tmp_path / "out")
    (tmp_path / "out" / "DEPTH_data.npy").unlink()
    with pytest.raises(
        DataError, match=r"out: no images of modality 'depth' \(DEPTH_data….npy\); prepare it again"
    ):
        load(tmp_path / "out")


def test_images_of_another_shape_than_the_manifest_says(tmp_path):
    partly_paired().save(tmp_path / "out")
    np.save(tmp_path / "out" / "RGB_data.npy", np.zeros((30, 2, 5, 5), np.float32))
    with pytest.raises(
        DataError, match=r"RGB_data\.npy: has shape \(30, 2, 5, 5\), its manifest another; prepare"
    ):
        load(tmp_path / "out")


def test_damaged_manifest_is_named(tmp_path):
    partly_paired().save(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).write_text('{"format": 1,')
    with pytest.raises(DataError, match=r"manifest\.json: not valid JSON"):
        load(tmp_path / "out")


def test_manifest_of_another_form_is_named(tmp_path):
    partly_paired().save(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).write_text("[]")
    with pytest.raises(DataError, match=r"manifest\.json"):
        load(tmp_path / "out")


def test_folders_that_hold_nothing_of_ours(tmp_path):
    assert not is_prepared(tmp_path)
    with pytest.raises(
        DataError, match=r"neither a prepared folder nor <modality>/<class>/<image>"
    ):
        load(tmp_path)
    with pytest.raises(
        DataError,
        match=r"nowhere: no such folder, and no data set of that name; there are scenes, scenes-dense, eurosat",
    ):
        load(tmp_path / "nowhere")
    (tmp_path / MANIFEST).write_text("{}")
    assert is_prepared(tmp_path)
    with pytest.raises(DataError, match=r"no <MOD>_data_normalized\.npy in it"):
        load(tmp_path)


# writing
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", ["labels", "ids", "train_idx", "groups"])
def test_nothing_half_written_after_an_exception(tmp_path, monkeypatch, fails_at):
    original = np.save

    def save(file, values):
        if fails_at in str(file):
            raise OSError("No space left on device")
        original(file, values)

    data = partly_paired()
    split = data.split()
    monkeypatch.setattr(np, "save", save)
    with pytest.raises(OSError, match="No space left"):
        data.save(tmp_path / "sub" / "out", split=split)
    assert os.listdir(tmp_path / "sub") == []


def test_old_folder_survives_a_failed_overwrite(tmp_path, monkeypatch):
    data = partly_paired()
    data.save(tmp_path / "out")

    def save(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "save", save)
        with pytest.raises(KeyboardInterrupt):
            data.save(tmp_path / "out", overwrite=True)
    assert os.listdir(tmp_path) == ["out"]
    assert_equal(data, load(tmp_path / "out"))
    assert verify(tmp_path / "out") > 0


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_that_is_not_ours_is_left_alone(tmp_path, overwrite):
    by_hand(tmp_path / "hand")  # no manifest: somebody's own preparation
    before = {file.name: file.read_bytes() for file in (tmp_path / "hand").iterdir()}
    with pytest.raises(
        DataError, match=r"hand: exists and was not made by discom .*choose another output folder"
    ):
        partly_paired().save(tmp_path / "hand", overwrite=overwrite)
    assert {file.name: file.read_bytes() for file in (tmp_path / "hand").iterdir()} == before
    assert os.listdir(tmp_path) == ["hand"]


def test_own_folder_is_replaced_on_request_alone(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "out", split=data.split())
    with pytest.raises(
        DataError, match=r"out: exists already; pass overwrite \(--overwrite\) to replace it"
    ):
        scenes.make(30, size=8).save(tmp_path / "out")
    assert load(tmp_path / "out").name == "mine"
    scenes.make(30, size=8).save(tmp_path / "out", overwrite=True)
    opened = load(tmp_path / "out")
    assert (opened.name, opened.parts) == ("scenes", None)  # no index file of the first is left


def test_split_of_other_data_is_refused(tmp_path):
    other = scenes.make(60, size=8, seed=1).split()
    with pytest.raises(DataError):
        scenes.make(60, size=8, seed=0).save(tmp_path / "out", split=other)


def test_pixels_that_are_not_finite_are_not_written(tmp_path):
    data = partly_paired()
    data.modalities["rgb"].x[3, 1, 2, 2] = np.nan
    with pytest.raises(DataError, match="rgb"):
        data.save(tmp_path / "out")
    assert os.listdir(tmp_path) == []


# verify
# ---------------------------------------------------------------------------------------------------------


def test_verify_finds_a_flipped_byte_in_any_file(tmp_path):
    data = partly_paired()
    data.save(tmp_path / "out", split=data.split())
    files = sorted(file for file in (tmp_path / "out").iterdir() if file.name != MANIFEST)
    assert verify(tmp_path / "out") == len(files) == 12
    for file in files:
        content = file.read_bytes()
        damaged = bytearray(content)
        damaged[-1] ^= 1
        file.write_bytes(damaged)
        with pytest.raises(
            DataError, match=rf"{file.name}: differs from its checksum in manifest\.json; prepare"
        ):
            verify(tmp_path / "out")
        file.unlink()
        with pytest.raises(DataError, match=rf"{file.name}: missing; prepare the folder again"):
            verify(tmp_path / "out")
        file.write_bytes(content)
    assert verify(tmp_path / "out") == len(files)


def test_verify_has_nothing_to_compare_without_a_manifest(tmp_path):
    by_hand(tmp_path / "hand")
    assert verify(tmp_path / "hand") == 0


# images that are files still
# ------------------------------------------------------------------------------------


class Interruption(Exception):
    pass


def on_disk(images, asked, stop_at=None, **fields):
    """`images` [N, …] behind a reader that notes what it is asked for and stops at a row."""

    def read(row):
        if row == stop_at:
            raise Interruption
        asked.append(row)
        return images[row]

    count = len(images)
    x = Lazy(range(count), read, images.shape[1:], images.dtype)
    fields = {"name": "files", "dense": "masks" in fields} | fields
    return MultiModalData(
        {"rgb": Modality(x, np.arange(count) % 3, np.arange(count))}, ("a", "b", "c"), **fields
    )


@pytest.fixture
def images(monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 2 * 3 * 4 * 4)  # two images
    return np.random.default_rng(4).integers(0, 60_000, (11, 3, 4, 2)).astype(np.uint16)


def test_files_are_written_in_their_own_type_and_read_once(tmp_path, images):
    asked = []
    on_disk(images, asked).save(tmp_path / "out")
    assert asked == list(range(11))
    held = load(tmp_path / "out").modalities["rgb"].x
    assert held.dtype == np.uint16
    np.testing.assert_array_equal(held, images)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "RGB_data.npy"), images)
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("stop_at", [0, 1, 5, 10])
def test_an_interrupted_write_goes_on_where_it_stopped(tmp_path, images, stop_at):
    with pytest.raises(Interruption):
        on_disk(images, [], stop_at).save(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    unfinished = tmp_path / ".out.unfinished"
    with pytest.raises(
        DataError, match=r"\.out\.unfinished: is unfinished; run the command that prepares it again"
    ):
        load(unfinished)
    asked = []
    on_disk(images, asked).save(tmp_path / "out")
    assert asked == list(range(stop_at - stop_at % 2, 11))  # chunks of two
    np.testing.assert_array_equal(load(tmp_path / "out").modalities["rgb"].x, images)
    assert verify(tmp_path / "out") == 3
    assert os.listdir(tmp_path) == ["out"]


def test_a_row_that_was_torn_is_written_again(tmp_path, images):
    with pytest.raises(Interruption):
        on_disk(images, [], 6).save(tmp_path / "out")
    file = tmp_path / ".out.unfinished" / "RGB_data.npy"
    with open(file, "r+b") as torn:
        torn.truncate(file.stat().st_size - 5)
    asked = []
    on_disk(images, asked).save(tmp_path / "out")
    assert asked[0] == 5
    np.testing.assert_array_equal(load(tmp_path / "out").modalities["rgb"].x, images)


@pytest.mark.parametrize("change", ["labels", "about", "shape"])
def test_what_was_left_of_other_data_is_not_mixed_in(tmp_path, images, change):
    with pytest.raises(Interruption):
        on_disk(images, [], 6).save(tmp_path / "out")
    asked, other = [], images + 1
    fields = {"about": {"window": 256}} if change == "about" else {}
    data = on_disk(other[:, :1] if change == "shape" else other, asked, **fields)
    if change == "labels":
        y = np.arange(11) % 2
        data = replace(data, modalities={"rgb": replace(data.modalities["rgb"], y=y)})
    data.save(tmp_path / "out")
    assert asked == list(range(11))
    np.testing.assert_array_equal(
        load(tmp_path / "out").modalities["rgb"].x, data.modalities["rgb"].x
    )


def test_what_a_killed_replacement_left_is_no_obstacle(tmp_path, images):
    on_disk(images, []).save(tmp_path / "out")
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old" / "labels.npy").write_bytes(b"of a process that was killed")
    on_disk(images + 1, [], about={"second": True}).save(tmp_path / "out", overwrite=True)
    np.testing.assert_array_equal(load(tmp_path / "out").modalities["rgb"].x, images + 1)
    assert os.listdir(tmp_path) == ["out"]


def test_two_writers_of_one_folder_are_told(tmp_path, images):
    def second(row):
        if row == 4:
            with pytest.raises(DataError, match="out: another process is writing it"):
                on_disk(images, []).save(tmp_path / "out")
        return images[row]

    x = Lazy(range(11), second, images.shape[1:], images.dtype)
    data = MultiModalData(
        {"rgb": Modality(x, np.arange(11) % 3, np.arange(11))}, ("a", "b", "c"), name="files"
    )
    data.save(tmp_path / "out")
    np.testing.assert_array_equal(load(tmp_path / "out").modalities["rgb"].x, images)


def test_masks_units_and_provenance_come_back(tmp_path, images):
    masks = np.random.default_rng(5).integers(0, 3, (11, 4, 2)).astype(np.uint8)
    data = on_disk(
        images,
        [],
        masks=Lazy(range(11), masks.__getitem__, (4, 2), np.uint8),
        about={"source": "here"},
    )
    kept = replace(data.modalities["rgb"], unit="m", invalid=0.0)
    replace(data, modalities={"rgb": kept}).save(tmp_path / "out")
    opened = load(tmp_path / "out")
    np.testing.assert_array_equal(opened.masks, masks)
    assert isinstance(opened.masks, np.memmap)
    assert (opened.modalities["rgb"].unit, opened.modalities["rgb"].invalid) == ("m", 0.0)
    assert opened.about == {"source": "here"}
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert manifest["counts"] == {"a": 4, "b": 4, "c": 3}
    assert manifest["units"] == {"rgb": "m"}
    assert opened.dense
    part = opened.split(seed=0).train
    np.testing.assert_array_equal(part.masks, masks[part.ids])


def test_an_official_split_stays_with_raw_values(tmp_path, images):
    parts = {"train": np.arange(7), "valid": np.array([7, 8]), "test": np.array([9, 10])}
    data = on_disk(images, [], parts=parts)
    data.save(tmp_path / "out")
    opened = load(tmp_path / "out")
    assert not opened.normalized
    assert sorted(file.name for file in (tmp_path / "out").glob("*_data*")) == ["RGB_data.npy"]
    assert [part.ids.tolist() for part in opened.split(seed=3)] == [
        rows.tolist() for rows in parts.values()
    ]
    again = load(f"{tmp_path / 'out'}:split=random")
    assert again.name == "files-random"
    assert again.parts is None


# what a later call may take from an earlier one
# -------------------------------------------------------------------


def cut_after(monkeypatch, rows):
    """Writing stops, as if killed, after so many chunks."""
    original, left = prepared.check_images, [rows]

    def stop(values, where):
        original(values, where)
        left[0] -= 1
        if left[0] < 0:
            raise Interruption

    monkeypatch.setattr(prepared, "check_images", stop)


def saved(folder):
    """Sixty scenes on disk in a folder of their own."""
    scenes.make(60, size=8).save(folder)
    return load(folder)


CHANGES = {
    "another split": lambda data: data.split(seed=1),
    "other bounds": lambda data: replace(data, scaling="whole").split(seed=0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_scaled_folder_is_never_of_two_scalings(tmp_path, monkeypatch, change):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 3 * 8 * 8 * 4 * 8)
    data = saved(tmp_path / "raw")
    with monkeypatch.context() as patched:
        cut_after(patched, 4)
        with pytest.raises(Interruption):
            data.save(tmp_path / "out", split=data.split(seed=0))
    split = CHANGES[change](data)
    data.save(tmp_path / "out", split=split)
    for name in ("rgb", "depth"):
        part = load(tmp_path / "out").split().train
        np.testing.assert_array_equal(part.images(name), split.train.images(name))


def test_a_resumed_folder_holds_nothing_of_another_source_with_the_same_names(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 3 * 8 * 8 * 4 * 8)
    saved(tmp_path / "a")
    scenes.make(60, size=8, epsilon=0.9).save(tmp_path / "b")
    with monkeypatch.context() as patched:
        cut_after(patched, 4)
        with pytest.raises(Interruption):
            load(tmp_path / "a").save(tmp_path / "out")
    load(tmp_path / "b").save(tmp_path / "out")
    assert load(tmp_path / "out").fingerprint == load(tmp_path / "b").fingerprint


@pytest.mark.parametrize("fewer", ["parts", "groups", "modalities"])
def test_what_was_cut_at_the_very_end_leaves_no_file_to_other_data(tmp_path, monkeypatch, fewer):
    parts = {"train": np.arange(30), "valid": np.arange(30, 40), "test": np.arange(40, 60)}
    data = replace(saved(tmp_path / "raw"), groups=np.arange(60) // 3, parts=parts)

    def stop(*_):
        raise Interruption

    with monkeypatch.context() as patched:
        patched.setattr(prepared, "checksum", stop)
        with pytest.raises(Interruption):
            data.save(tmp_path / "out")
    other = {
        "parts": replace(data, parts=None),
        "groups": data.protocol("random"),
        "modalities": data.select(["rgb"]),
    }
    other[fewer].save(tmp_path / "out")
    opened = load(tmp_path / "out")
    assert opened.fingerprint == other[fewer].fingerprint
    assert verify(tmp_path / "out") == len(os.listdir(tmp_path / "out")) - 1


def test_raw_files_that_were_replaced_meanwhile_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1)
    files = [tmp_path / f"{k}.npy" for k in range(6)]
    for k, file in enumerate(files):
        np.save(file, np.full((1, 2, 2), k, np.uint8))

    def data():
        x = Lazy(files, np.load, (1, 2, 2), np.uint8)
        return MultiModalData(
            {"rgb": Modality(x, np.arange(6) % 2, np.arange(6))}, ("a", "b"), name="files"
        )

    with monkeypatch.context() as patched:
        cut_after(patched, 3)
        with pytest.raises(Interruption):
            data().save(tmp_path / "out")
    np.save(files[0], np.full((1, 2, 2), 99, np.uint8))
    os.utime(files[0], ns=(1, 1))
    data().save(tmp_path / "out")
    assert load(tmp_path / "out").modalities["rgb"].x[:, 0, 0, 0].tolist() == [99, 1, 2, 3, 4, 5]


def test_too_little_space_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _: Free(1000))
    with pytest.raises(
        DataError,
        match=r"out: 1,000 bytes are free and \d[\d,]+ needed; make room, or choose another",
    ):
        scenes.make(60, size=8).save(tmp_path / "deep" / "out")
    assert os.listdir(tmp_path) == []


def test_what_is_written_already_needs_no_more_space(tmp_path, monkeypatch, images):
    with pytest.raises(Interruption):
        on_disk(images, [], 10).save(tmp_path / "out")
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _: Free(images[0].nbytes))
    on_disk(images, []).save(tmp_path / "out")  # one image was left
    np.testing.assert_array_equal(load(tmp_path / "out").modalities["rgb"].x, images)


class Free:
    def __init__(self, free):
        self.free = free


def test_a_damaged_manifest_never_loads_as_a_folder_without_one(tmp_path):
    saved(tmp_path / "out")
    manifest = tmp_path / "out" / MANIFEST
    text = manifest.read_text()
    manifest.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(
        DataError,
        match=r"manifest\.json: has format 2, this version reads 1; prepare the folder again",
    ):
        load(tmp_path / "out")
    manifest.write_text(text[:-20])
    with pytest.raises(
        DataError, match=r"manifest\.json: not valid JSON .*; prepare the folder again"
    ):
        load(tmp_path / "out")


def test_memory_for_scaling_small_integers_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("discom.files.CHUNK_BYTES", 1 << 16)
    images = np.random.default_rng(9).integers(0, 200, (600, 3, 16, 16)).astype(np.uint8)
    np.save(tmp_path / "x.npy", images)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    rows = np.arange(600)
    data = MultiModalData({"rgb": Modality(x, rows % 3, rows)}, ("a", "b", "c"), name="bytes")
    split = data.split(seed=0)
    tracemalloc.start()
    data.save(tmp_path / "out", split=split)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 16  # some chunks; all of it as float32 would be 28


def test_a_folder_that_is_not_there_is_no_folder_of_half_its_name(tmp_path):
    saved(tmp_path / "set")
    with pytest.raises(DataError, match="set:old: no such folder"):
        load(f"{tmp_path / 'set'}:old:split=random")
