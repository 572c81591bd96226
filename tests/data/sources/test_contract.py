"""What holds for every public set: read as written, prepared, divided, and refused if damaged."""

import importlib
import json
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from fixtures import writing
from fixtures.refusal import refused

from discom import cli
from discom.data import MultiModalData, load, sources
from discom.data.prepared import MANIFEST
from discom.errors import ConfigError

CASES = {name: importlib.import_module(f"fixtures.{name}").CASE for name in sources.names()}
ALL = pytest.mark.parametrize("name", CASES)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def read(name: str, root: Path, modalities=None) -> MultiModalData:
    """The data, once every pixel has been read."""
    data = sources.get(name).read(root, modalities, **CASES[name].options)
    for modality in data.modalities.values():
        np.asarray(modality.x)
    return data


@ALL
def test_every_value_is_the_planted_one(name, raw):
    case, source = CASES[name], sources.get(name)
    data = read(name, raw(name))
    assert data.name == name
    assert data.ids.tolist() == data.paired_ids.tolist()
    assert set(data.ids) == set(case.samples)
    assert set(data.about) == {"source", "licence"}
    for part, names in case.parts.items():
        assert set(data.ids[data.parts[part]]) == names
    for key, m in data.modalities.items():
        assert (m.unit, m.invalid) == (source.sensors[key].unit, source.sensors[key].invalid)
        assert m.symmetry == case.symmetry
    for row, sample in enumerate(data.ids):
        planted = case.samples[sample]
        assert [*data.classes, None][data.labels[row]] == planted["class"]
        assert (None if data.groups is None else data.groups[row]) == planted.get("group")
        if data.dense:
            np.testing.assert_array_equal(data.masks[row], planted["masks"])
        for key, modality in data.modalities.items():
            pixels, expected = np.asarray(modality.x[row]), planted[key]
            assert (pixels.shape, pixels.dtype) == (expected.shape, expected.dtype)
            error = np.abs(pixels.astype(float) - expected)
            lossy = pixels.dtype == np.uint8
            assert (np.median if lossy else np.max)(error) <= case.close.get(key, 0), (key, sample)


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
    for divided in (data, replace(data, parts=None)):
        parts = divided.split(seed=0)
        for what in ("ids", "groups") if data.groups is not None else ("ids",):
            each = [set(getattr(part, what)) for part in parts]
            assert sum(map(len, each)) == len(set.union(*each))
            assert set(getattr(data, what)[data.labels >= 0]) <= set.union(*each)


@ALL
def test_prepare_and_load_give_what_the_reader_gave(name, raw, tmp_path):
    options = CASES[name].options
    words = ["data", "prepare", name, "--root", str(raw(name)), "--options", json.dumps(options)]
    for out in (tmp_path / "once", tmp_path / "twice"):
        assert cli.main([*words, "--out", str(out)]) == 0
    once, twice = ((tmp_path / out / MANIFEST).read_text() for out in ("once", "twice"))
    assert once == twice
    data, again = read(name, raw(name)), load(tmp_path / "once")
    assert again.fingerprint == data.fingerprint  # the same pixels, labels, ids, groups and parts
    assert (again.name, again.dense, again.classes) == (data.name, data.dense, data.classes)
    assert [m.unit for m in again.modalities.values()] == [m.unit for m in data.modalities.values()]
    assert json.loads(once)["about"]["options"] == options
    assert json.loads(once)["about"]["licence"] == sources.get(name).licence


@ALL
def test_a_missing_file_is_named_or_what_lacks_a_partner_is_counted(name, copy):
    root, case = copy(name), CASES[name]
    count = len(read(name, root))
    (root / case.victim).unlink()
    if not case.left_out:
        refused(lambda: read(name, root), f"^{root}")
        return
    with pytest.warns(UserWarning, match=f"1 of .*{case.left_out}"):
        assert len(read(name, root)) == count - 1


@ALL
@pytest.mark.parametrize("damage", [writing.halve, writing.page, writing.blank])
def test_a_damaged_file_is_named(name, damage, copy):
    root = copy(name)
    damage(root / CASES[name].victim)
    refused(lambda: read(name, root), f"^{root / CASES[name].victim}")


BAD = [(name, change) for name, case in CASES.items() for change in case.bad]


@pytest.mark.parametrize(("name", "change"), BAD)
def test_a_wrong_file_is_named(name, change, copy):
    root, files = copy(name), CASES[name].bad[change]
    writing.write(root, files)
    place = CASES[name].named.get(change, [*files][-1])
    refused(lambda: read(name, root), f"^{root}.*{place}")


@ALL
def test_an_empty_or_missing_folder_is_refused(name, tmp_path):
    refused(lambda: read(name, tmp_path), f"^{tmp_path}")
    refused(lambda: read(name, tmp_path / "nowhere"), f"^{tmp_path / 'nowhere'}: ")


@ALL
def test_modalities_and_options_out_of_range_are_refused(name, raw):
    source = sources.get(name)
    refused(lambda: source.read(raw(name), ["radar"]), "^modalities", ConfigError)
    refused(lambda: source.read(raw(name), option=1), f"^{name}: has no option", ConfigError)
    for option in list(signature(source.read_raw).parameters)[2:]:
        for value in ("24", 0, -1, [4], None):
            given = {**CASES[name].options, option: value}
            refused(lambda given=given: source.read(raw(name), **given), option, ConfigError)
