"""SUN RGB-D: depth decoded, days kept whole, lists read by name."""

import re

import numpy as np
from fixtures import sunrgbd as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources.sunrgbd import CLASSES, read_sunrgbd, to_metres

NATIVE = (fixture.HEIGHT, fixture.WIDTH)


def read(root, **options):
    return read_sunrgbd(root, **{"size": NATIVE} | options)


def planted(label, frame):
    return np.minimum(fixture.millimetres(label, frame) / 1000, 8).astype(np.float32)


def rows(data):
    """(label, frame) → row."""
    ids = data.ids.tolist()
    pairs = [(label, frame) for label in range(10) for frame in range(fixture.FRAMES)]
    return {pair: ids.index(str(fixture.sample_id(*pair))) for pair in pairs}


def test_every_value_is_the_planted_one(raw):
    data = read(raw("sunrgbd"))
    assert CLASSES == data.classes == fixture.CLASSES
    assert data.ids.tolist() == [str(number) for number in range(4244, 4304)]
    for (label, frame), row in rows(data).items():
        assert data.labels[row] == label
        depth = data.modalities["depth"].x[row, 0]
        np.testing.assert_allclose(depth, planted(label, frame), rtol=1e-6)
        assert (depth[fixture.HOLE] == 0).all()
        colours = np.moveaxis(fixture.colours(label, frame), 2, 0).astype(int)
        assert np.median(np.abs(data.modalities["rgb"].x[row] - colours)) <= 2  # JPEG
        assert data.groups[row] == (fixture.day(label, frame) or "corner_of_the_lab-resize")


def test_the_rotation_is_undone_for_all_numbers():
    numbers = np.arange(65_536)
    stored = fixture.rotate_left(numbers)
    np.testing.assert_array_equal(np.round(to_metres(stored) * 1000), numbers)


def test_the_class_is_the_name_in_the_list_and_not_its_number(copy):
    root = copy("sunrgbd")
    file = root / "subsets/kv2.txt"
    file.write_text(re.sub(r"\d+$", "3", file.read_text(), flags=re.MULTILINE))
    assert np.bincount(read(root).labels).tolist() == [fixture.FRAMES] * 10


def image(name, pixels):
    return lambda root: writing.image(root / "SUNRGBD" / fixture.folder(0, 0) / name, pixels)


DEPTH = "depth/0000118.png"
MILLIMETRES = fixture.millimetres(0, 0)
ROTATED = fixture.rotate_left(MILLIMETRES)
BAD = {
    "bits not rotated": (image(DEPTH, MILLIMETRES.astype(np.uint16)), r"most lies beyond 10 m"),
    "empty": (image(DEPTH, 0 * MILLIMETRES.astype(np.uint16)), r"nothing was measured, or most"),
    "another size": (image(DEPTH, ROTATED[::2]), "rgb, depth differ in size"),
    "two images": (image("depth/2.png", ROTATED), "depth: holds 2 images, not"),
}


LINES = {
    "another sensor": "kv1/bathroom/4244.png 0",
    "unknown class": "kv2/garage/4244.png 0",
    "id without a folder": "kv2/bathroom/9999.png 0",
    "twice": "kv2/bathroom/4244.png 0",
}


def line(text):
    def add(root):
        file = root / "subsets/kv2.txt"
        file.write_text(f"{file.read_text()}{text}\n")

    return add, rf"kv2\.txt: line '{text}' is not kv2/<class>/<id>\.png"


BAD |= {name: line(text) for name, text in LINES.items()}
test_what_is_refused = refusals("sunrgbd", read, BAD)
