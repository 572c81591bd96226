"""TRISTAR: units, official parts, shots kept whole, and labels by the name of the frame."""

import numpy as np
import pytest
from fixtures import tristar as fixture
from fixtures import writing

from discom.data.sources.tristar import ACTIONS, CLASSES, read_tristar
from discom.data.splitting import protocol

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
    assert (len(ACTIONS), len(set(ACTIONS))) == (14, 14)
    assert tuple(CLASS_OF.values()) == CLASSES


def test_parts_are_the_official_folders_and_shots_stay_whole(raw):
    data = read(raw("tristar"))
    for part, folder in (("train", "train"), ("valid", "val"), ("test", "test")):
        samples = data.ids[data.parts[part]]
        assert len(samples) == 6 * len(fixture.SHOTS[folder])
        assert {parts_of(sample)[0] for sample in samples} == {folder}
    drawn = protocol(data, "random").split(seed=0)
    shots = [{sample.rpartition("/")[0] for sample in part.ids} for part in drawn]
    assert shots[0] & shots[2]  # what the official parts and the groups prevent


def test_frames_with_none_or_several_of_the_classes_are_left_out_and_counted(raw):
    data = read(raw("tristar"))
    assert data.about["dropped"]["frames without one class"] == 14
    data = read(raw("tristar"), classes=["wave", "type", "put_down"])
    pairs = {
        (parts_of(sample)[2], data.classes[label])
        for sample, label in zip(data.ids, data.labels, strict=True)
    }
    assert pairs == {(2, "wave"), (0, "type"), (4, "put_down")}


def test_lines_of_other_systems_mean_the_same(raw, copy):
    root = copy("tristar")
    file = root / "tristar/train/2/actions.txt"
    lines = file.read_text().replace(".png", " ").replace("\n", " \r\n\r\n")
    file.write_bytes(("\ufeff" + lines).encode())
    assert read(root).fingerprint == read(raw("tristar")).fingerprint


SCENE = fixture.scene("train", "2", 3)
BYTES = (SCENE["depth"] // 256).astype(np.uint8)
IMAGES = {
    "depth of 8 bits": ("depth", BYTES, r"holds uint8 \[1, 24, 32\], depth is uint16 \[1, any,"),
    "nothing measured": ("depth", 0 * SCENE["depth"], r"is 0 everywhere, nothing was measured"),
    "Celsius": ("thermal", (SCENE["thermal"] - 27_315).astype(np.uint16), r"its median would be"),
    "tenths": ("thermal", SCENE["thermal"] // 10, r"its median would be 29\.\d+ K"),
    "another grid": ("depth", SCENE["depth"].repeat(2, axis=1), r"the modalities differ in size"),
}


@pytest.mark.parametrize(("name", "pixels", "message"), IMAGES.values(), ids=IMAGES)
def test_a_wrong_image_is_refused(refused, name, pixels, message):
    part, shot, stem = fixture.STRANGE.split("/")
    place = f"tristar/{part}/{shot}/{name}/{stem}.png"
    refused("tristar", read, lambda root: writing.image(root / place, pixels), message)


LINES = {
    "unknown label": ("000010_0000001660.png in_roo lay", r"actions\.txt: '000010.* has an"),
    "listed twice": ("000009_0000001494.png lay", r"actions\.txt: '000009.* is listed twice"),
}


@pytest.mark.parametrize(("line", "message"), LINES.values(), ids=LINES)
def test_a_wrong_line_is_refused(refused, line, message):
    def change(root):
        file = root / "tristar/train/2/actions.txt"
        lines = file.read_text().splitlines()
        writing.text(file, *lines[:3], line, *lines[4:])

    refused("tristar", read, change, message)


FOLDERS = {
    "no val": ("tristar/val", r"holds no folder with train, val and test; unpack tristar\.zip"),
    "no actions.txt": ("tristar/train/2/actions.txt", r"actions\.txt: no such file; fetch or"),
    "no depth": ("tristar/train/2/depth", r"depth: no such folder; unpack the archive again"),
}


@pytest.mark.parametrize(("place", "message"), FOLDERS.values(), ids=FOLDERS)
def test_a_missing_folder_is_named(refused, place, message):
    refused("tristar", read, lambda root: (root / place).rename(root / "gone"), message)
