"""Near copies between parts: planted ones are found, different scenes are not, flat images match
nothing."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from discom.data import Modality, MultiModalData, Split
from discom.data.scenes import objects
from discom.data.splitting import near_duplicates, near_groups

COPIES = 40


@pytest.fixture(scope="module")
def split() -> Split:
    return objects.make(n=200, size=64, seed=4, dark=0, far=0).split()


def jpeg(image: np.ndarray) -> np.ndarray:
    """Written as JPEG files of quality 90, band by band, and read back."""
    bands = []
    for band in np.round(255 * image).astype(np.uint8):
        file = io.BytesIO()
        Image.fromarray(band).save(file, "JPEG", quality=90)
        bands.append(np.asarray(Image.open(file), np.float32) / 255)
    return np.stack(bands)


CHANGES = {
    "the same": lambda image: image,
    "darker": lambda image: 0.7 * image,
    "brighter": lambda image: np.clip(1.2 * image, 0, 1),
    "jpeg": jpeg,
    "moved by a pixel": lambda image: np.roll(image, 1, axis=2),
}


def planted(split: Split, change, into: str) -> Split:
    """The split with changed copies of training scenes in the place of the first ones of a part."""
    part, modalities = getattr(split, into), {}
    for name, modality in part.modalities.items():
        x = modality.x.copy()
        x[:COPIES] = [change(image) for image in split.train.modalities[name].x[-COPIES:]]
        modalities[name] = replace(modality, x=x)
    return split._replace(**{into: replace(part, modalities=modalities)})


@pytest.mark.parametrize("change", CHANGES)
def test_planted_copies_are_reported_with_their_original(split, change):
    table = near_duplicates(planted(split, CHANGES[change], "test"))
    table = table[(table["part"] == "train") & (table["other_part"] == "test")]
    original = dict(zip(split.test.ids[:COPIES], split.train.ids[-COPIES:], strict=True))
    for name in split.train.modalities:
        rows = table[table["modality"] == name]
        reported = (rows["other_id"].map(original) == rows["id"]).sum()
        assert reported >= COPIES * (1 if change in ("the same", "darker") else 0.85)


def test_every_later_part_is_compared_and_a_copy_in_the_same_part_is_no_leak(split):
    table = near_duplicates(planted(split, CHANGES["the same"], "valid"))
    assert set(zip(table["part"], table["other_part"], strict=True)) == {("train", "valid")}
    assert (table["likeness"] > 0.999).all()
    assert len(table) == 2 * COPIES
    assert len(near_duplicates(planted(split, CHANGES["the same"], "train"))) == 0


@pytest.mark.parametrize("count", [5, None])
def test_different_scenes_and_flat_images_match_nothing(split, count):
    def emptied(part):
        depth = part.modalities["depth"]
        x = depth.x.copy()
        x[:count] = 0.5
        return replace(part, modalities={**part.modalities, "depth": replace(depth, x=x)})

    blank = Split(*(emptied(part) for part in split))
    table = near_duplicates(blank)
    flat = [i for part in blank for i in part.ids[:count].tolist()]
    assert (len(table), table.attrs["flat"]) == (0, {"rgb": [], "depth": flat})


def test_near_copies_are_one_group_also_by_way_of_others_and_flat_images_are_none():
    data = objects.make(n=60, size=64, seed=3)
    rgb = data.modalities["rgb"]
    x = rgb.x.copy()
    x[7] = 0.8 * x[5]
    x[9] = jpeg(x[7])
    x[20:23] = 0.5
    x[31], depth = x[30] ** 1.2, data.modalities["depth"].x.copy()
    depth[40], depth[30] = depth[31], depth[41]  # 30 ~ 31 in RGB, 31 ~ 40 and 30 ~ 41 in depth
    views = {"rgb": replace(rgb, x=x), "depth": replace(data.modalities["depth"], x=depth)}
    groups = near_groups(replace(data, modalities=views))
    together = [np.flatnonzero(groups == k).tolist() for k in range(groups.max() + 1)]
    assert [rows for rows in together if len(rows) > 1] == [[5, 7, 9], [30, 31, 40, 41]]
    flat = {"rgb": replace(rgb, x=np.full_like(x, 0.5)), "depth": views["depth"]}
    groups = near_groups(replace(data, modalities=flat))
    assert np.bincount(groups).max() == 2  # depth alone finds pairs


def test_signals_are_compared_along_their_time():
    """Waves of one shape, each with noise of its own, are no copies; a softer one is."""
    time, rng = np.linspace(0, 4, 128), np.random.default_rng(0)
    x = np.sin(2 * np.pi * time) + rng.normal(0, 0.5, (40, 1, 1, 128))
    kinds, ids = np.arange(40) % 2, np.arange(40)
    parts = {"train": ids[:24], "valid": ids[24:32], "test": ids[32:]}
    x[39] = 0.7 * x[0] + 0.2

    signals = Modality(x.astype(np.float32), kinds, ids, symmetry="none")
    data = MultiModalData({"acc": signals}, ("still", "moving"), parts=parts)
    copies = near_duplicates(data.split())[["id", "other_id"]]
    assert copies.to_numpy().tolist() == [[0, 39]]
