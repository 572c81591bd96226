"""Folders of arrays of DisCoM-KD's public code: read as that code leaves them."""

import numpy as np
import pytest
from fixtures.refusal import refused

from discom import data

ROWS = np.arange(30)
RAW = np.random.default_rng(3).integers(1, 9000, (30, 6, 6, 4)).astype(np.uint16)  # bands last
SAR = np.random.default_rng(4).normal(-12, 2, (30, 6, 6, 2)).astype(np.float32)
ORDER = np.random.default_rng(1).permutation(30)
SPLIT = {"train": ORDER[:18], "valid": ORDER[18:24], "test": ORDER[24:]}


def write(folder, split="{}_idx", **arrays):
    """Arrays by name; None: there is no such file."""
    content = {"MS_data": RAW, "SAR_data": SAR, "labels": ROWS % 3}
    content |= {split.format(part): rows for part, rows in SPLIT.items()}
    folder.mkdir()
    for name, values in (content | arrays).items():
        if values is not None:
            np.save(folder / f"{name}.npy", values)
    return folder


def test_raw_arrays_with_bands_last_are_read_with_their_split(tmp_path):
    images = data.load(write(tmp_path / "eurosat"))
    assert (list(images.modalities), images.classes) == (["ms", "sar"], ("0", "1", "2"))
    assert (images.name, images.channels) == ("eurosat", {"ms": 4, "sar": 2})
    for part, rows in zip(images.split(seed=5), SPLIT.values(), strict=True):
        assert part.ids.tolist() == rows.tolist()
        np.testing.assert_array_equal(part.modalities["ms"].x, np.moveaxis(RAW[rows], 3, 1))
    images.save(tmp_path / "prepared")
    assert data.load(tmp_path / "prepared").fingerprint == images.fingerprint


def test_scaled_arrays_are_read_where_there_are_no_others_with_a_warning(tmp_path):
    scaled = np.moveaxis(SAR, 3, 1) / 30 + 0.5
    content = {"SAR_data": None, "SAR_data_normalized": scaled, "MS_data_normalized": scaled * 0}
    folder = write(tmp_path / "set", labels=1.0 + ROWS % 3, **content)
    with pytest.warns(UserWarning, match="SAR_data_normalized.npy: scaled by bounds of all images"):
        images = data.load(folder)
    np.testing.assert_array_equal(images.modalities["sar"].x, scaled)
    np.testing.assert_array_equal(images.modalities["ms"].x, np.moveaxis(RAW, 3, 1))
    assert images.classes == ("1", "2", "3")
    assert images.labels.tolist() == (ROWS % 3).tolist()


def test_of_numbered_splits_the_first_is_taken_and_without_one_seeds_divide(tmp_path):
    folder = write(tmp_path / "ten", "{}_idx_0", train_idx_1=ORDER[:5])
    with pytest.warns(UserWarning, match="of 2 splits number 0"):
        images = data.load(folder)
    assert images.parts["test"].tolist() == SPLIT["test"].tolist()
    none = dict.fromkeys([f"{part}_idx" for part in SPLIT])
    assert data.load(write(tmp_path / "none", **none)).parts is None


BAD = [
    ({"valid_idx": None}, "valid_idx.npy"),
    ({"MS_data": RAW[:, 0]}, "MS_data.npy"),
    ({"MS_data": RAW[:29]}, "ms"),
    ({"labels": np.array([object()] * 30)}, "labels.npy"),
    ({"labels": np.where(ROWS, ROWS % 3, np.nan)}, "labels.npy"),
    ({"test_idx": ROWS}, "parts"),
]


@pytest.mark.parametrize(("arrays", "fragment"), BAD)
def test_wrong_arrays_are_named(tmp_path, arrays, fragment):
    folder = write(tmp_path / "hand", **arrays)
    refused(lambda: data.load(folder), f"hand.*{fragment}")
