"""Pairs, classes, groups and sensors by the names of files, from the command line to the split."""

import unicodedata

import numpy as np
import pytest
import tifffile
from fixtures.refusal import refused
from test_folders import tree

from discom import cli, data
from discom.data.folders import read_folders
from discom.errors import DiscomError

FRAMES = [f"day{day}_{frame}" for day in range(4) for frame in range(3)]


def prepare(root, out, *flags):
    words = ["data", "prepare", "folders", "--root", root, "--out", out, *flags]
    return cli.main([str(word) for word in words])


@pytest.mark.parametrize("by", ["pattern", "ids", "stems"])
def test_frames_of_a_day_stay_together(tmp_path, by):
    tree(tmp_path / "mine", "rgb", stems=FRAMES)
    day_of = {stem: stem.split("_")[0] for stem in FRAMES}
    if by != "pattern":
        names = FRAMES if by == "stems" else [f"{k}/{s}" for k in ("cat", "dog") for s in FRAMES]
        rows = [f"{name},{day_of[name.split('/')[-1]]}" for name in names]
        (tmp_path / "mine" / "groups.csv").write_text("\n".join(["name,group", *rows]))
    flags = ["--groups", r"(.+)_\d+"] if by == "pattern" else []
    assert prepare(tmp_path / "mine", tmp_path / "out", *flags) == 0
    split = data.load(tmp_path / "out").split(seed=1)
    days = [{day_of[name.split("/")[1]] for name in part.ids} for part in split]
    assert sum(map(len, days)) == 4
    assert set.union(*days) == set(day_of.values())


WRONG_GROUPS = [
    ("(.+)_[a-z]+", "", "'cat/day0_0' has no group by"),
    (".+", "", r"'\.\+' has no part in parentheses; write e\.g\."),
    ("(.+", "", "groups: cannot be read as a pattern"),
    ("", "name,group\nday0_0,a\n", r"'cat/day0_1' has no group by groups\.csv; every"),
    ("", "file,place\nday0_0,a\n", r"groups\.csv: cannot be read as a table of groups"),
]


@pytest.mark.parametrize(("pattern", "table", "fragment"), WRONG_GROUPS)
def test_images_of_no_group_are_refused(tmp_path, pattern, table, fragment):
    tree(tmp_path, "rgb", stems=FRAMES)
    if table:
        (tmp_path / "groups.csv").write_text(table)
    refused(lambda: read_folders(tmp_path, groups=pattern), fragment, DiscomError)


def test_groups_that_cannot_be_divided_are_told_when_data_are_prepared(tmp_path, capsys):
    tree(tmp_path / "mine", "rgb", stems=FRAMES[:6])  # two days
    assert prepare(tmp_path / "mine", tmp_path / "out", "--groups", r"(.+)_\d+") == 2
    assert "error: mine: 2 groups" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_flag_that_the_check_names_mends_near_copies(tmp_path, capsys):
    draw = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / "mine" / "rgb" / kind).mkdir(parents=True)
        for day in range(6):
            image = draw.integers(0, 200, (16, 16, 3), np.uint8)
            for frame in range(3):
                file = tmp_path / "mine" / "rgb" / kind / f"{kind}{day}_{frame}.tif"
                tifffile.imwrite(file, image + np.uint8(frame), photometric="rgb")
    assert prepare(tmp_path / "mine", tmp_path / "a") == 0
    assert cli.main(["data", "check", str(tmp_path / "a")]) == 0
    assert "--groups" in capsys.readouterr().err
    for flags in (["--groups", r"(.+)_\d+"], ["--options", '{"group_copies": true}']):
        assert prepare(tmp_path / "mine", tmp_path / "b", *flags, "--overwrite") == 0
        assert cli.main(["data", "check", str(tmp_path / "b")]) == 0
        assert "near-copies" not in capsys.readouterr().err


def test_names_of_two_systems_are_pairs_and_classes(tmp_path):
    for sensor, form in (("rgb", "NFC"), ("depth", "NFD")):
        words = [unicodedata.normalize(form, word) for word in ("éléphant", "âne", "été")]
        tree(tmp_path, sensor, classes=words[:2], stems=[words[2], "a"])
    with pytest.warns(UserWarning, match=r"differ only in Unicode form; .* \(4 such names\)"):
        own = read_folders(tmp_path)
    assert len(own.classes) == 2
    assert len(own.paired_ids) == 4
    assert all(unicodedata.is_normalized("NFC", name) for name in own.ids)


def test_names_of_another_case_are_told_and_classes_refused(tmp_path):
    tree(tmp_path, "rgb", stems=["a", "Rex", "c"])
    tree(tmp_path, "depth", stems=["a", "rex", "c"])
    with pytest.warns(UserWarning, match="'cat/Rex' and 'cat/rex' differ only in case"):
        assert len(read_folders(tmp_path).paired_ids) == 4
    tree(tmp_path, "depth", classes=["Cat"])
    refused(lambda: read_folders(tmp_path), "'Cat' and 'cat' differ only in case; give one class")


def test_few_partners_are_told_with_examples(tmp_path):
    tree(tmp_path, "rgb", stems=["a", "img1", "img2", "img3"])
    tree(tmp_path, "depth", stems=["a", "depth1", "depth2", "depth3"])
    told = "only 2 of 14 images .*: .*depth cat/depth1, cat/depth2, cat/depth3; rgb cat/img1, cat/i"
    with pytest.warns(UserWarning, match=told.replace(".*: .*", ".*")):
        read_folders(tmp_path)


def test_sensors_in_the_bands_of_one_file(tmp_path):
    tree(tmp_path / "mine", "drone", stems="abcde", ending=".tif", bands=4)
    assert prepare(tmp_path / "mine", tmp_path / "a", "--bands", "rgb=3,2,1;nir=4") == 0
    own, whole = data.load(tmp_path / "a"), read_folders(tmp_path / "mine").modalities["drone"].x
    assert own.channels == {"nir": 1, "rgb": 3}
    np.testing.assert_array_equal(own.modalities["rgb"].x, whole[:, [2, 1, 0]])
    np.testing.assert_array_equal(own.modalities["nir"].x, whole[:, [3]])
    tree(tmp_path / "mine", "thermal", stems="abcde", bands=None)
    bands = {"rgb": [1, 2, 3], "nir": [4]}
    fragment = "bands: rgb may be in any of drone, thermal; name the bands of all other"
    refused(lambda: read_folders(tmp_path / "mine", bands=bands), fragment, DiscomError)
    own = read_folders(tmp_path / "mine", bands={**bands, "thermal": [1]})
    assert own.channels == {"nir": 1, "rgb": 3, "thermal": 1}


def test_motions_are_kept(tmp_path, capsys):
    for sensor in ("rgb", "sar"):
        tree(tmp_path / "mine", sensor, stems="abcde")
    assert prepare(tmp_path / "mine", tmp_path / "a", "--motions", "sar=none") == 0
    own = data.load(tmp_path / "a")
    assert {name: m.motions for name, m in own.modalities.items()} == {"rgb": "flip", "sar": "none"}
    assert data.load("scenes:n=9,size=8").modalities["rgb"].motions == "all"
    assert prepare(tmp_path / "mine", tmp_path / "b", "--motions", "sar=turn") == 2
    assert "motions 'turn'; write all, flip, none" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--bands rgb", "--bands rgb=a", "--motions rgb=", "--fit big"])
def test_flags_of_another_form_are_one_line(tmp_path, capsys, words):
    tree(tmp_path / "mine", "rgb")
    assert prepare(tmp_path / "mine", tmp_path / "a", *words.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1
