"""Sets as they are prepared: divided at random, by place, or as published."""

from functools import partial

import numpy as np
import pytest
from fixtures import writing
from fixtures.eurosat import SAMPLES
from fixtures.refusal import refused

from discom import data
from discom.data.sources.landcover import read_longitude, utm_longitude
from discom.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "home"))


def write_place(file, pixels, zone, east, north=5_000_000.0):
    """A GeoTIFF of that zone of UTM, its upper left corner at these metres."""
    keys = (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32600 + zone)
    tags = [(33550, "d", 3, (10.0, 10.0, 0.0)), (33922, "d", 6, (0.0, 0, 0, east, north, 0))]
    tags = [(*tag, True) for tag in tags] + [(34735, "H", len(keys), keys, True)]
    writing.tiff(file, pixels, extratags=tags)


def test_longitudes_are_those_of_others(tmp_path):
    """A tower in Toronto and one in Paris, as encyclopedias state them in both systems; the middle
    of a zone; and of a file the middle of its pixels."""
    assert utm_longitude(17, 630_084, 4_833_438) == pytest.approx(-79.38714, abs=2e-5)
    assert utm_longitude(31, 448_252, 5_411_935) == pytest.approx(2.2945, abs=2e-4)
    assert utm_longitude(33, 500_000, -3e6) == pytest.approx(15)
    pixels = np.ones((13, 64, 64), np.uint16)
    write_place(tmp_path / "a.tif", pixels, 33, 500_000 - 320)
    assert read_longitude(tmp_path / "a.tif") == pytest.approx(15)
    writing.tiff(tmp_path / "b.tif", pixels)
    refused(partial(read_longitude, tmp_path / "b.tif"), "b.tif.*original")


def test_eurosat_by_place_is_cut_from_west_to_east(copy):
    """Samples lie from east to west in two zones; the west trains, the east tests."""
    root, stems = copy("eurosat"), [*SAMPLES]
    order = np.random.default_rng(0).permutation(len(stems))
    for number, k in enumerate(order):
        stem, zone = stems[k], 31 + number // 15
        file = root / f"EuroSAT_MS/{stem.rpartition('_')[0]}/{stem}.tif"
        write_place(file, SAMPLES[stem]["ms"], zone, 300_000 + 20_000.0 * (number % 15))
    folder = data.prepare("eurosat", root, split="place", modalities="sar+ms")
    images = data.load(folder)
    assert (folder.name, images.name) == ("eurosat-sar-ms-place", "eurosat-sar-ms-place")
    west = [stems[k] for k in order]
    for part, places in {"train": west[:18], "valid": west[18:24], "test": west[24:]}.items():
        assert {*images.ids[images.parts[part]]} == {*places}
    rule, paper = data.split_rule(images)
    assert "60/20/20" in rule
    assert "70/10/20" in paper
    option = data.prepare("eurosat", root, options={"place": True}, out=root.parent / "asked")
    assert data.load(option).name == "eurosat-place"  # the paper's figures are of `eurosat`
    plain = data.load(data.prepare("eurosat", root))
    assert (plain.name, plain.parts) == ("eurosat", None)
    refused(partial(data.prepare, "eurosat", root, split="official"), "official")
    alone = root / "EuroSAT_MS/River/River_2.tif"
    writing.tiff(alone, SAMPLES["River_2"]["ms"])
    refused(partial(data.prepare, "eurosat", root, split="place", overwrite=True), "River_2.tif")


def test_a_set_is_divided_as_asked_and_named_so(raw):
    """TRISTAR has official parts and groups; the paper's split of it is random."""
    ways = {
        "": "tristar",
        "official": "tristar",
        "place": "tristar-place",
        "random": "tristar-random",
    }
    for split, name in ways.items():
        folder = data.prepare("tristar", raw("tristar"), split=split, overwrite=True)
        images = data.load(folder)
        assert (folder.name, images.name) == (name, name)
        assert (images.parts is None) == (split in ("place", "random"))
        assert (images.groups is None) == (split == "random")
        assert images.split(seed=1).test.name == name
    days = data.load(data.prepare("sunrgbd", raw("sunrgbd"), split="place"))
    assert days.name == "sunrgbd"  # its own way
    refused(partial(data.prepare, "sunrgbd", raw("sunrgbd"), split="official"), "official.*place")
    refused(partial(data.prepare, "tristar", raw("tristar"), split="days"), "days", ConfigError)
    refused(partial(data.prepare, "objects:n=60,size=8", split="place"), "groups")
    drawn = data.load(data.prepare("objects:n=60,size=8", split="random"))
    assert drawn.name == "objects"
