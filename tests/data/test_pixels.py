"""Pixels that were not measured: images without any other, and values that say so of none."""

import re
import warnings

import numpy as np
import pytest
from fixtures import writing
from fixtures.refusal import refused

from discom import cli, data, files
from discom.data import Modality, MultiModalData, load
from discom.data.own_folders import read_folders
from discom.data.tags import NO_DATA
from discom.errors import ConfigError

COUNT = 40
DRAW = np.random.default_rng(0)
DEPTH = DRAW.integers(500, 4000, (COUNT, 1, 4, 4)).astype(np.int16)
DEPTH[:, :, 0, :2] = -9999
IDS = np.array([f"s{k:02}" for k in range(COUNT)])


def of_depth(x=DEPTH, invalid: float | None = -9999, **more):
    sensor = Modality(x, np.arange(COUNT) % 2, IDS, invalid=invalid)
    return MultiModalData({"depth": sensor}, ("cat", "dog"), name="mine", **more)


def silent(call):
    """What the call gives; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call()


def test_images_without_a_measured_pixel_are_told_wherever_pixels_are_read(
    tmp_path, monkeypatch, capsys
):
    """They became constant images, which counted in the test score."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 7 * 32)
    x = DEPTH.copy()
    x[[3, 17, 39]] = -9999
    blank = of_depth(x)
    for call in (blank.split, lambda: blank.save(tmp_path / "out")):
        with pytest.warns(match="mine/depth: 3 of 40 .*'s03', 's17', 's39'") as told:
            call()
        assert len(told) == 1
    assert cli.main(["data", "check", str(tmp_path / "out")]) == 0
    assert "3 of 40 " in capsys.readouterr().err
    x[[3, 17, 39], :, 2] = 700
    silent(of_depth(x).split)


def test_files_of_nan_alone_are_told(tmp_path):
    for number in range(30):
        image = np.full((1, 4, 4), np.nan) if number in (2, 9) else DRAW.random((1, 4, 4))
        writing.write(tmp_path, {f"raw/height/{'ab'[number % 2]}/{number:02}.npy": image})
    options = {"root": tmp_path / "raw", "out": tmp_path / "out"}
    with pytest.warns(match="height: 2 of 30 .*'a/02', 'b/09'"):
        data.prepare("folders", **options)


def test_a_value_that_no_pixel_has_is_told_wherever_pixels_are_read(tmp_path):
    """-999 in the place of -9999: the holes were the nearest surface."""
    wrong = of_depth(invalid=-999)
    out = tmp_path / "out"
    for call in (wrong.split, lambda: wrong.save(out), lambda: load(out).split()):
        with pytest.warns(match="mine/depth: no pixel is -999.* -9999 "):
            call()
    right = of_depth()
    x = np.where(np.arange(COUNT)[:, None, None, None] > 5, DEPTH.clip(500), DEPTH)
    split = silent(of_depth(x).split)
    silent(lambda: split._replace(valid=split.valid.take(np.arange(2))).origin)
    silent(right.split)


def test_a_value_that_no_pixel_of_a_file_has_is_told(tmp_path):
    """Also where NaN takes its place, and where no hole is left at a smaller size."""
    for number in range(30):
        image = DRAW.uniform(500, 4000, (1, 8, 8)).astype("f4")
        image[0, :3, :3] = -9999
        image[0, 5:, 5:] = np.nan
        image[0, 4, 7] = -1
        writing.write(tmp_path, {f"raw/depth/{'ab'[number % 2]}/{number:02}.npy": image})
    root, out = tmp_path / "raw", tmp_path / "out"
    with pytest.warns(match="depth: no pixel is -999"):
        read_folders(root, invalid={"depth": -999}).save(out)
    with pytest.warns(match="depth: no pixel is -999"):
        load(out)
    assert (silent(lambda: read_folders(root, size=2, invalid={"depth": -1})).labels >= 0).all()


def test_a_tag_that_no_pixel_has_is_no_mistake(tmp_path):
    """Complete tiles state it, too, also one that their type cannot hold."""
    for sensor, kind in (("height", np.float32), ("grey", np.uint8)):
        for number in range(30):
            file = tmp_path / f"{sensor}/{'ab'[number % 2]}/{number:02}.tif"
            x = DRAW.integers(0, 250, (1, 8, 8)).astype(kind)
            writing.tiff(file, x, extratags=[(NO_DATA, "s", 0, "-9999", True)])
    own = silent(lambda: read_folders(tmp_path))
    assert [m.invalid for m in own.modalities.values()] == [None, -9999]
    silent(own.split)


@pytest.mark.parametrize(
    ("kind", "value", "span"),
    [
        *(("u1", value, "0 to 255") for value in (-1, 256, 0.5)),
        ("i2", 40_000, "-32768 to 32767"),
        ("f2", 1e5, "-65504 to 65504"),
        ("f4", -1.7976931348623157e308, "-3.40282e+38 to 3.40282e+38"),
        ("f8", -np.inf, "to 1.79769e+308"),
    ],
)
def test_a_value_that_the_type_cannot_hold_is_refused(tmp_path, kind, value, span):
    x = DEPTH.clip(0, 255).astype(kind)
    line = rf"depth: invalid.* {re.escape(span)}"
    refused(lambda: of_depth(x, value), f"^mine/{line}", ConfigError)
    for row in range(4):
        writing.write(tmp_path, {f"depth/{'ab'[row % 2]}/{row}.npy": x[row]})
    refused(lambda: read_folders(tmp_path, invalid={"depth": value}), line, ConfigError)


def test_the_largest_value_of_a_type_is_held_as_its_text_rounds_it():
    lowest = -3.4028235e38  # a little below the lowest float32
    x = np.where(DEPTH < 0, np.float32(lowest), DEPTH.astype("f4"))
    assert silent(of_depth(x, lowest).split).train.normalization["depth"].low[0] > 0
