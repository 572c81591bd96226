"""What holds for every public set: read as written, prepared, divided, and refused if damaged."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from fixtures import writing
from fixtures.refusal import refused

from discom import cli
from discom.data import MultiModalData, load
from discom.data.arrays import Lazy
from discom.data.prepared import MANIFEST, verify
from discom.data.sources import SOURCES
from discom.data.splitting import protocol
from discom.errors import ConfigError

README = Path(__file__).parents[3] / "data" / "README.md"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Case(NamedTuple):
    forms: dict[str, tuple[tuple[int, ...], str, str, float | None]]  # shape, type, unit, invalid
    expected: tuple[int, int | None, str]  # classes, groups, name
    victim: str  # a file that a test removes, cuts or replaces
    options: dict[str, Any] = {}
    dense: bool = False


REFLECTANCE = "reflectance × 10 000"
BYTES, METRES, COUNTS = ("uint8", "", None), ("float32", "m", 0), ("uint16", "counts", None)
SUN = "SUNRGBD/kv2/kinect2data/004244_2014-06-10_16-24-00_rgbf000108-resize"
CASES = {
    "eurosat": Case(
        {
            "ms": ((30, 13, 64, 64), "uint16", REFLECTANCE, None),
            "sar": ((30, 2, 64, 64), "float32", "dB", None),
        },
        (10, None, "eurosat"),
        "EuroSAT_MS/River/River_2.tif",
    ),
    "sunrgbd": Case(
        {"rgb": ((60, 3, 18, 24), *BYTES), "depth": ((60, 1, 18, 24), *METRES)},
        (10, 11, "sunrgbd-grouped"),
        f"{SUN}/depth/0000118.png",
        {"size": [18, 24]},
    ),
    "tristar": Case(
        {"thermal": ((42, 1, 12, 16), "float32", "K", None), "depth": ((42, 1, 12, 16), *METRES)},
        (6, 7, "tristar-official"),
        "tristar/train/2/depth/000010_0000001660.png",
        {"size": [12, 16]},
    ),
    "nyuv2": Case(
        {"rgb": ((12, 3, 12, 16), *BYTES), "depth": ((12, 1, 12, 16), *METRES)},
        (40, 6, "nyuv2-official"),
        "nyu_depth_v2_labeled.mat",
        dense=True,
    ),
    "potsdam": Case(
        {"rgb": ((152, 3, 16, 16), *BYTES), "dsm": ((152, 1, 16, 16), "float32", "m", None)},
        (6, 38, "potsdam-official"),
        "2_Ortho_RGB/top_potsdam_6_7_RGB.tif",
        {"window": 16},
        dense=True,
    ),
    "midair": Case(
        {"rgb": ((27, 3, 16, 16), *BYTES), "depth": ((27, 1, 16, 16), *METRES)},
        (8, 6, "midair-grouped"),
        "MidAir/Kite_training/foggy/depth/trajectory_2001/000025.PNG",
        {"size": 16},
        dense=True,
    ),
    "hls": Case(
        {
            "rgb": ((122, 3, 32, 32), "int16", REFLECTANCE, None),
            "infrared": ((122, 3, 32, 32), "int16", REFLECTANCE, None),
            "elevation": ((122, 1, 32, 32), "float32", "asinh(Δz / 5 m)", None),
        },
        (4, 7, "hls"),
        "tiles/004.tif",
    ),
    "hls-dense": Case(
        {
            "rgb": ((31, 3, 64, 64), "int16", REFLECTANCE, None),
            "elevation": ((31, 1, 64, 64), "float32", "asinh(Δz / 5 m)", None),
        },
        (4, 7, "hls-dense"),
        "tiles/004.tif",
        dense=True,
    ),
    "cellcycle": Case(
        {key: ((63, 1, 20, 20), *COUNTS) for key in ("brightfield", "stain", "darkfield")},
        (4, 18, "cellcycle"),
        "G1/Ch3_CP0008.tif",
        {"size": 20},
    ),
}
ALL = pytest.mark.parametrize("name", CASES)


def read(name: str, root: Path, modalities=None) -> MultiModalData:
    return SOURCES[name].read(root, modalities, **CASES[name].options)


# reading


@ALL
def test_form_units_pairs_and_classes(name, raw):
    data, case = read(name, raw(name)), CASES[name]
    for key, m in data.modalities.items():
        assert (m.x.shape, str(m.x.dtype), m.unit, m.invalid) == case.forms[key]
    assert list(data.modalities) == list(case.forms)
    assert all(isinstance(modality.x, Lazy) for modality in data.modalities.values())
    assert data.ids.tolist() == data.paired_ids.tolist()
    assert len(set(data.ids)) == len(data)
    groups = None if data.groups is None else len(set(data.groups))
    assert (len(data.classes), groups, data.name) == case.expected
    assert data.dense == case.dense
    assert {"source", "licence"} == set(data.about)
    if case.dense:
        masks = np.asarray(data.masks)
        images, *_ = data.modalities.values()
        assert (masks.dtype, masks.shape) == (np.uint8, (len(data), *images.x.shape[2:]))


@ALL
def test_a_modality_alone_is_the_same_as_in_the_pair(name, raw):
    both = read(name, raw(name))
    for modality in both.modalities:
        alone = read(name, raw(name), [modality])
        assert list(alone.modalities) == [modality]
        np.testing.assert_array_equal(alone.modalities[modality].x, both.modalities[modality].x)
        assert modality in alone.name


@ALL
def test_no_id_and_no_group_is_in_two_parts(name, raw):
    data = read(name, raw(name))
    ways = ["official"] * (data.parts is not None) + ["grouped"] * (data.groups is not None)
    for way in [*ways, "random"]:
        parts = protocol(data, way).split(seed=0)
        for what in ("ids", "groups") if way in ways else ("ids",):
            each = [set(getattr(part, what)) for part in parts]
            assert sum(map(len, each)) == len(set.union(*each)) == len(set(getattr(data, what)))


# from raw files to a folder


def prepare(name: str, root: Path, *more: str) -> int:
    options = ["--options", json.dumps(CASES[name].options)] if CASES[name].options else []
    return cli.main(["data", "prepare", name, "--root", str(root), *options, *more])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCOM_DATA", str(tmp_path / "data"))
    for name in ("nyuv2", "cellcycle"):  # checksums of the real files, which no made one has
        monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], files=()))
    return tmp_path


@ALL
def test_prepare_and_load_give_what_the_reader_gave(name, raw, elsewhere):
    out = elsewhere / "out"
    assert prepare(name, raw(name), "--out", str(out)) == 0
    assert verify(out) == len(os.listdir(out)) - 1  # every file but the manifest
    data, again = read(name, raw(name)), load(out)
    assert again.fingerprint == data.fingerprint  # the same pixels, labels, ids, groups and parts
    assert (again.name, again.dense, again.classes) == (data.name, data.dense, data.classes)
    for key, modality in data.modalities.items():
        copied = again.modalities[key]
        assert (copied.unit, copied.invalid) == (modality.unit, modality.invalid)
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["about"]["options"] == CASES[name].options
    assert manifest["about"]["licence"] == SOURCES[name].licence


# damaged and missing files


LEFT_OUT = {"eurosat": "River_2", "tristar": "train/2/000010", "potsdam": "6_7"}
LEFT_OUT["midair"] = "Kite_training/foggy/2001/000025"


@ALL
def test_a_missing_file_is_named_and_what_lacks_a_partner_is_counted(name, copy):
    root, case = copy(name), CASES[name]
    (root / case.victim).unlink()
    if name not in LEFT_OUT:
        said = refused(lambda: writing.look_at(read(name, root)), f"^{root}")
        assert Path(case.victim).stem in said or "kinect2data" in said
        return
    with pytest.warns(
        UserWarning, match=rf"1 of \w+ have no partner \({LEFT_OUT[name]}.*left out$"
    ):
        data = read(name, root)
    images, *_ = case.forms.values()
    assert len(data) == images[0][0] - (4 if name == "potsdam" else 1)


@ALL
@pytest.mark.parametrize("damage", [writing.halve, writing.page, writing.blank])
def test_a_damaged_file_is_named(name, damage, copy):
    root = copy(name)
    damage(root / CASES[name].victim)
    fragment = rf"^{root / CASES[name].victim}.*(again|replace|original)"
    refused(lambda: writing.look_at(read(name, root)), fragment)


@ALL
def test_an_empty_or_missing_folder_is_refused_with_the_way_out(name, tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        refused(partial(read, name, place), f"^{place}")
    said = refused(partial(SOURCES[name].raw_folder, tmp_path / "nowhere"))
    assert said == f"{tmp_path / 'nowhere'}: no such folder (--root). {SOURCES[name].advice()}"


BAD_OPTIONS = [
    *((name, {"modalities": ["radar"]}, "'radar' is unknown") for name in CASES),
    ("hls", {"modalities": ["rgb", "rgb"]}, "'rgb' is unknown or twice"),
    *(("sunrgbd", {"size": size}, "size: ") for size in (0, [4], "24")),
    ("potsdam", {"window": 21}, "window: 21 is not a whole number from 1 to 20"),
    ("midair", {"every": 0}, "every: 0 is not a whole number from 1 on"),
]


@pytest.mark.parametrize(("name", "options", "fragment"), BAD_OPTIONS)
def test_options_out_of_range(name, options, fragment, raw):
    given = CASES[name].options | options
    refused(partial(SOURCES[name].read, raw(name), **given), fragment, ConfigError)


# the list of data sets


@ALL
def test_the_page_of_the_data_sets_says_what_the_list_says(name, capsys):
    assert cli.main(["data", "list"]) == 0
    listing = capsys.readouterr().out.partition(f"{name}: ")[2].splitlines()[1:6]
    rows = README.read_text().partition("| name | what |")[2].splitlines()
    row = next(line for line in rows if line.startswith(f"| {name} |"))
    assert [cell.strip() for cell in row.split("|")[2:7]] == [line.strip() for line in listing]
