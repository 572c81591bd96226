"""Near-copies between parts: planted ones are found, different scenes are not, flat images match
nothing."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from discom.data import Modality, MultiModalData, Split, scenes
from discom.data.duplicates import near_duplicates

COPIES = 20


@pytest.fixture(scope="module")
def split() -> Split:
    return scenes.make(n=200, size=64, seed=3).split()


def jpeg(image: np.ndarray) -> np.ndarray:
    """Written as a JPEG file of quality 90 and read back."""
    file, pixels = io.BytesIO(), np.round(255 * image).astype(np.uint8)
    plane = pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]
    Image.fromarray(plane).save(file, "JPEG", quality=90)
    return np.atleast_3d(np.asarray(Image.open(file), np.float32) / 255).transpose(2, 0, 1)


CHANGES = {
    "the same": lambda image: image,
    "darker": lambda image: 0.7 * image,
    "brighter": lambda image: np.clip(1.2 * image, 0, 1),
    "jpeg": jpeg,
    "moved by a pixel": lambda image: np.roll(image, 1, axis=2),
}


def planted(split: Split, change, into: str = "test") -> Split:
    """The split with changed copies of the first training scenes in another part, under new ids."""
    part, modalities = getattr(split, into), {}
    for name, m in split.train.modalities.items():
        copies = np.stack([change(image) for image in m.x[:COPIES]]).astype(np.float32)
        ids, own = np.array([f"copy-{i}" for i in m.ids[:COPIES]]), part.modalities[name]
        modalities[name] = Modality(
            np.concatenate([own.x, copies]),
            np.concatenate([own.y, m.y[:COPIES]]),
            np.concatenate([own.ids, ids]),
        )
    both = MultiModalData(modalities, part.classes, normalization=part.normalization)
    return split._replace(**{into: both})


def share_of_copies(split: Split, change, name: str) -> float:
    """Of the planted copies, those that are reported with the id of their own original."""
    table = near_duplicates(planted(split, change))
    parts = (table["part"] == "train") & (table["other_part"] == "test")
    table = table[(table["modality"] == name) & parts]
    return float((table["other_id"] == "copy-" + table["id"].astype(str)).sum() / COPIES)


@pytest.mark.parametrize("name", ["rgb", "depth"])
@pytest.mark.parametrize("change", CHANGES)
def test_planted_copies_are_reported(split, change, name):
    least = {"the same": 1.0, "darker": 1.0}.get(change, 0.85)
    assert share_of_copies(split, CHANGES[change], name) >= least


def test_different_scenes_are_no_copies_and_one_in_the_same_part_is_no_leak(split):
    table = near_duplicates(split)
    assert (len(table), table.attrs["flat"]) == (0, {"rgb": [], "depth": []})
    assert len(near_duplicates(planted(split, CHANGES["the same"], into="train"))) == 0


def test_every_later_part_is_compared_and_the_copy_is_exact(split):
    table = near_duplicates(planted(split, CHANGES["the same"], into="valid"))
    assert set(zip(table["part"], table["other_part"], strict=True)) == {("train", "valid")}
    assert (table["likeness"] > 0.999).all()
    assert len(table) == 2 * COPIES


@pytest.mark.parametrize("count", [5, None])
def test_flat_images_match_nothing_and_are_named(split, count):
    def emptied(part):
        x = part.modalities["depth"].x.copy()
        x[:count] = 0.5
        depth = replace(part.modalities["depth"], x=x)
        return replace(part, modalities={**part.modalities, "depth": depth})

    blank = Split(*(emptied(part) for part in split))
    table = near_duplicates(blank)
    flat = [i for part in blank for i in part.modalities["depth"].ids[:count].tolist()]
    assert (len(table), table.attrs["flat"]) == (0, {"rgb": [], "depth": flat})
