"""TRISTAR: units, official parts, shots kept whole, and labels by the name of the frame."""

import numpy as np
import pytest
from fixtures import tristar as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.tristar import CLASSES, read_tristar

NATIVE = (fixture.HEIGHT, fixture.WIDTH)
CLASS_OF = {0: "sit", 1: "walk", 2: "stand", 3: "lay", 4: "get_down", 5: "get_up"}  # of a frame


def read(root, **options):
    return read_tristar(root, **{"size": NATIVE} | options)


def parts_of(sample: str) -> tuple[str, str, int]:
    part, shot, stem = sample.split("/")
    return part, shot, int(stem[:6]) - 7


def test_every_value_is_the_planted_one(raw):
    data = read(raw("tristar"), modalities=["thermal", "depth", "rgb"])
    assert len(data) == 7 * 6  # frames 6 and 7 of a shot have none or two of the classes
    for row, sample in enumerate(data.ids):
        part, shot, number = parts_of(sample)
        scene = fixture.scene(part, shot, number)
        assert data.classes[data.labels[row]] == CLASS_OF[number]
        assert data.groups[row] == f"{part}/{shot}"
        kelvin, metres = (data.modalities[name].x[row, 0] for name in ("thermal", "depth"))
        np.testing.assert_allclose(kelvin, scene["thermal"] / 100, rtol=1e-6)
        np.testing.assert_allclose(metres, scene["depth"] / 1000, rtol=1e-6)
        rgb = np.moveaxis(scene["rgb"], 2, 0)
        np.testing.assert_array_equal(data.modalities["rgb"].x[row], rgb)
    assert tuple(CLASS_OF.values()) == CLASSES


def test_parts_are_the_official_folders_and_shots_stay_whole(raw):
    data = read(raw("tristar"))
    for part, folder in (("train", "train"), ("valid", "val"), ("test", "test")):
        samples = data.ids[data.parts[part]]
        assert len(samples) == 6 * len(fixture.SHOTS[folder])
        assert {parts_of(sample)[0] for sample in samples} == {folder}


def test_frames_with_none_or_several_of_the_classes_are_left_out_and_counted(raw):
    with pytest.warns(UserWarning, match="14 of 56 frames have none or several of sit, walk"):
        assert len(read(raw("tristar"))) == 42


def image(name, pixels):
    part, shot, stem = fixture.STRANGE.split("/")
    return lambda root: writing.image(root / f"tristar/{part}/{shot}/{name}/{stem}.png", pixels)


def line(text):
    def change(root):
        file = root / "tristar/train/2/actions.txt"
        lines = file.read_text().splitlines()
        writing.text(file, *lines[:3], text, *lines[4:])

    return change


def gone(place):
    return lambda root: (root / place).rename(root / "gone")


SCENE = fixture.scene("train", "2", 3)
CELSIUS, TWICE = (SCENE["thermal"] - 27_315).astype(np.uint16), SCENE["depth"].repeat(2, axis=1)
BAD = {
    "nothing measured": (image("depth", 0 * SCENE["depth"]), "is 0 everywhere, nothing was"),
    "Celsius": (image("thermal", CELSIUS), "its median would be"),
    "tenths": (image("thermal", SCENE["thermal"] // 10), r"its median would be 29\.\d+ K"),
    "another grid": (image("depth", TWICE), "thermal, depth differ in size"),
    "listed twice": (line("000009_0000001494.png lay"), r"actions\.txt: lists 000009.* twice"),
    "no val": (gone("tristar/val"), "holds no folder with train, val and test; unpack"),
    "no actions.txt": (gone("tristar/train/2/actions.txt"), "no such file; fetch or"),
}


test_what_is_refused = refusals("tristar", read, BAD)
