"""Near-copies between parts: planted ones are found, different scenes are not, and flat images
match nothing."""

import io
from dataclasses import replace

import imagehash
import numpy as np
import pytest
from PIL import Image

from discom.data import Modality, MultiModalData, Split, duplicates, scenes
from discom.data.duplicates import near_duplicates

COPIES = 20


@pytest.fixture(scope="module")
def split() -> Split:
    return scenes.make(n=300, seed=3).split()


def jpeg(image: np.ndarray) -> np.ndarray:
    """Written as a JPEG file of quality 90 and read back."""
    file = io.BytesIO()
    pixels = np.round(255 * image).astype(np.uint8)
    Image.fromarray(pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]).save(
        file, "JPEG", quality=90
    )
    read = np.asarray(Image.open(file), dtype=np.float32) / 255
    return np.atleast_3d(read).transpose(2, 0, 1)


CHANGES = {
    "the same": lambda image: image,
    "darker": lambda image: 0.7 * image,
    "brighter": lambda image: np.clip(1.2 * image, 0, 1),
    "jpeg": jpeg,
    "moved by a pixel": lambda image: np.roll(image, 1, axis=2),
}


def planted(split: Split, change, into: str = "test") -> Split:
    """The split with changed copies of the first scenes of the training part in another one, under
    new ids."""
    copies = {
        name: Modality(
            np.stack([change(image) for image in m.x[:COPIES]]).astype(np.float32), m.y[:COPIES],
            np.array([f"copy-{i}" for i in m.ids[:COPIES]]),
        )
        for name, m in split.train.modalities.items()
    }  # fmt: skip
    held = getattr(split, into)
    both = {
        name: Modality(
            *(np.concatenate([getattr(m, f), getattr(copies[name], f)]) for f in ("x", "y", "ids"))
        )
        for name, m in held.modalities.items()
    }
    return split._replace(
        **{into: MultiModalData(both, held.classes, normalization=held.normalization)}
    )


def found_copies(split: Split, change, name: str, find=near_duplicates) -> float:
    """Share of planted copies that are reported with the id of their own original."""
    table = find(planted(split, change))
    table = table[
        (table["modality"] == name) & (table["part"] == "train") & (table["other_part"] == "test")
    ]
    return float((table["other_id"] == "copy-" + table["id"].astype(str)).sum() / COPIES)


@pytest.mark.parametrize("name", ["rgb", "depth"])
@pytest.mark.parametrize("change", CHANGES)
def test_planted_copies_are_found(split, change, name):
    least = {"the same": 1.0, "darker": 1.0}.get(change, 0.85)
    assert found_copies(split, CHANGES[change], name) >= least


def test_different_scenes_are_no_copies(split):
    table = near_duplicates(split)
    assert len(table) == 0
    assert table.attrs["flat"] == {"rgb": [], "depth": []}


def test_a_copy_in_the_same_part_is_no_leak(split):
    assert len(near_duplicates(planted(split, CHANGES["the same"], into="train"))) == 0


def test_every_later_part_is_compared_and_the_copy_is_exact(split):
    table = near_duplicates(planted(split, CHANGES["the same"], into="valid"))
    assert set(zip(table["part"], table["other_part"], strict=True)) == {("train", "valid")}
    assert (table["distance"] == 0).all()
    assert (table["likeness"] > 0.999).all()
    assert len(table) == 2 * COPIES


def test_flat_images_match_nothing_and_are_named(split):
    def emptied(part):
        x = part.modalities["depth"].x.copy()
        x[:5] = 0.5
        depth = replace(part.modalities["depth"], x=x)
        return replace(part, modalities={**part.modalities, "depth": depth})

    blank = Split(*(emptied(part) for part in split))
    table = near_duplicates(blank)
    assert len(table) == 0
    assert table.attrs["flat"]["depth"] == [
        i for part in blank for i in part.modalities["depth"].ids[:5].tolist()
    ]
    assert table.attrs["flat"]["rgb"] == []


def test_a_part_of_flat_images_alone_is_allowed(split):
    depth = split.test.modalities["depth"]
    flat = replace(split.test, modalities={"depth": replace(depth, x=np.zeros_like(depth.x))})
    table = near_duplicates(
        Split(split.train.select(["depth"]), split.valid.select(["depth"]), flat)
    )
    assert len(table) == 0
    assert len(table.attrs["flat"]["depth"]) == len(flat)


@pytest.mark.parametrize("bands", [1, 2, 3, 10])
@pytest.mark.parametrize("size", [8, 32, 50])
def test_any_bands_and_sizes(bands, size):
    rng = np.random.default_rng(bands)
    x, y = rng.integers(0, 4000, (60, bands, size, size)).astype(np.uint16), np.arange(60) % 2
    parts = MultiModalData({"s": Modality(x, y, np.arange(60))}, ("a", "b")).split()
    copied = parts._replace(
        test=replace(parts.test, modalities={"s": parts.train.modalities["s"].take(np.arange(4))})
    )
    table = near_duplicates(copied)
    assert table["id"].tolist() == table["other_id"].tolist()
    assert sorted(table["id"]) == parts.train.ids[:4].tolist()


def test_the_distance_is_that_of_imagehash(split):
    sketch = duplicates._sketch(split.valid, "rgb")
    one, two = (
        imagehash.phash(Image.fromarray(p.mean(0).astype(np.uint8))) for p in sketch.pictures[:2]
    )
    assert one - two == np.abs(sketch.hashes[0] - sketch.hashes[1]).sum()


def test_likeness_is_the_correlation_at_the_best_shift():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (1, 32, 32)).astype(np.uint8)
    moved = np.roll(picture, (1, -1), (1, 2))
    (r,) = duplicates._likeness(np.stack([picture, moved])[None], picture[None])
    assert r == pytest.approx([1, 1], abs=1e-5)
    other = rng.integers(0, 256, (1, 32, 32)).astype(np.uint8)
    (r,) = duplicates._likeness(other[None, None], picture[None])
    middle, shifts = other[0, 1:-1, 1:-1].ravel(), [(i, j) for i in range(3) for j in range(3)]
    best = max(
        np.corrcoef(middle, picture[0, i : 30 + i, j : 30 + j].ravel())[0, 1] for i, j in shifts
    )
    assert r == pytest.approx([best], abs=1e-5)


WRONG = {
    "the hash alone decides": ("_likeness", lambda candidates, _: np.ones(candidates.shape[:2])),
    "no shift is tried": (
        "_likeness",
        lambda candidates, pictures: np.einsum(
            "nkd,nd->nk", duplicates._unit(candidates), duplicates._unit(pictures)
        ),
    ),
    "the mean is left in": (
        "_unit",
        lambda w: (
            (f := w.reshape(*w.shape[:-3], -1).astype(float))
            / np.linalg.norm(f, axis=-1, keepdims=True)
        ),
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_copy_fails(split, how, monkeypatch):
    monkeypatch.setattr(duplicates, *WRONG[how])
    right = (
        len(near_duplicates(split)) == 0
        and found_copies(split, CHANGES["moved by a pixel"], "rgb") >= 0.85
    )
    assert not right
