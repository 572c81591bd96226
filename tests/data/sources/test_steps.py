"""What the readers share: files by name, pairs, whole groups."""

import warnings

import numpy as np
import pytest
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data.sources import steps

KEYS = st.sets(st.text(st.sampled_from("ab01_"), min_size=1, max_size=3), max_size=12)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_a_stem_stands_once_and_an_ending_has_any_case(tmp_path):
    touch(tmp_path, "b.tif", "a.TIF", "a.tif.aux.xml", "c.png", "e.tif/x")
    assert list(steps.sorted_files(tmp_path, ".tif", ".png")) == ["a", "b", "c"]
    refused(lambda: steps.sorted_files(touch(tmp_path, "a.tif"), ".tif"), r"a\.tif: ")


def test_folders_that_hold_all_the_names_at_any_depth(tmp_path):
    touch(tmp_path, "two/deep/cat/x", "two/deep/dog/x", "one/cat/x", "one/dog/x", "half/cat/x")
    refused(lambda: steps.find_folder(tmp_path, ("cat", "dog"), "animals"), f"{tmp_path}")
    deep = tmp_path / "two" / "deep"
    assert steps.find_folder(tmp_path / "two", ("cat", "dog"), "animals") == deep
    refused(lambda: steps.find_folder(tmp_path, ("horse",), "horses"), f"{tmp_path}")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["rgb", "depth", "sar"]), KEYS, min_size=1))
def test_what_pairs_and_what_is_left_is_all_there_is(keys_of):
    files = {name: dict.fromkeys(keys) for name, keys in keys_of.items()}
    common = set.intersection(*keys_of.values())
    if not common:
        refused(lambda: steps.pair(files, "here"), "^here: ")
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert steps.pair(files, "here") == sorted(common)
    alone = [(name, len(keys) - len(common)) for name, keys in keys_of.items()]
    assert len(caught) == len([count for _, count in alone if count])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60))
def test_a_carved_part_has_whole_groups(samples):
    groups, tested = map(np.array, zip(*samples, strict=True))
    if len(set(groups[~tested])) < 2:
        return
    parts = steps.split_official(tested, groups)
    assert sorted([*parts["train"], *parts["valid"]]) == np.flatnonzero(~tested).tolist()
    assert parts["test"].tolist() == np.flatnonzero(tested).tolist()
    assert len(parts["valid"])
    assert not set(groups[parts["train"]]) & set(groups[parts["valid"]])


@pytest.mark.parametrize(
    "rows", ["a,1\na,2", "a,1\nb,", "", None], ids=["twice", "blank", "no line", "no column"]
)
def test_a_table_is_read_by_name_or_refused(tmp_path, rows):
    file = tmp_path / "trees.csv"
    file.write_text("more,plot,tree\n0,7,007\n0,8,b\n")
    assert steps.read_table(file, ["tree", "plot"])["plot"].to_dict() == {"007": 7, "b": 8}
    file.write_text("tree\na\n" if rows is None else f"tree,plot\n{rows}\n")
    refused(lambda: steps.read_table(file, ["tree", "plot"]), "trees.csv")
