"""Samples without a label: which labels are hidden, how they are divided, how batches hold them."""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from discom import cli, plots
from discom.data import Batches, Modality, MultiModalData, batches, load, scenes
from discom.data.batches import LABELLED
from discom.data.checks import NO_LABEL
from discom.data.duplicates import near_duplicates
from discom.data.images import read_folders
from discom.data.splitting import split_rows
from discom.errors import ConfigError

calm = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def numbered(labels, **own):
    """Data whose pixels are the id of their sample; `own`: modality → its ids, by default all."""
    labels, modalities = np.array(labels), {}
    for name, ids in (own or {"rgb": range(len(labels)), "depth": range(len(labels))}).items():
        ids = np.array(ids)
        x = np.broadcast_to(ids[:, None, None, None], (len(ids), 2, 3, 3)).astype(np.float32)
        modalities[name] = Modality(x, labels[ids], ids)
    return MultiModalData(modalities, ("cat", "dog", "owl"), name="mine")


def partly(count, labelled):
    """Samples of three classes in turn, the first of them labelled."""
    return np.where(np.arange(count) < labelled, np.arange(count) % 3, -1)


def ids_of(batch, name):
    return batch.x[name][:, 0, 0, 0].long()


# ---------------------------------------------------------------- hidden labels


@calm
@given(st.lists(st.integers(1, 80), min_size=2, max_size=3), st.integers(0, 2**31))
def test_hidden_labels_are_nested_and_stratified(counts, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    data, shares = numbered(labels), (0.001, 0.1, 0.2, 0.75, 1.0)
    kept = [data.keep_labels(share, seed).labels for share in shares]
    for share, found in zip(shares, kept, strict=True):
        assert (found[found >= 0] == labels[found >= 0]).all()
        expected = [max(1, round(share * count)) for count in counts]
        assert np.bincount(found[found >= 0]).tolist() == expected
        assert np.array_equal(found, data.keep_labels(share, seed).labels)
    assert all(((few >= 0) <= (more >= 0)).all() for few, more in pairwise(kept))
    assert np.array_equal(kept[-1], labels)


def test_hide_keeps_the_same_ids_in_all_modalities_and_changes_nothing_else():
    train = scenes.make(330, size=8).split().train
    hidden, other = train.keep_labels(0.2, seed=3), train.keep_labels(0.2, seed=4)
    rgb, depth = hidden.modalities.values()
    assert np.array_equal(rgb.y, depth.y)
    assert (hidden.labels >= 0).sum() == pytest.approx(0.2 * len(train), abs=5)
    assert not np.array_equal(hidden.labels >= 0, other.labels >= 0)
    assert rgb.x is train.modalities["rgb"].x
    assert hidden.normalization == train.normalization
    assert train.keep_labels(1.0).fingerprint == train.fingerprint != hidden.fingerprint


def test_hide_keeps_labels_in_every_modality_also_without_pairs():
    train = scenes.make(330, size=8).split().train
    halves = zip(train.modalities.items(), np.array_split(np.arange(len(train)), 2), strict=True)
    train = train.with_modalities({name: sensor.take(rows) for (name, sensor), rows in halves})
    for seed in range(5):
        for modality in train.keep_labels(0.01, seed).modalities.values():
            assert set(modality.y) == {-1, *range(9)}  # one of each class, where 0.01 is none


@pytest.mark.parametrize("resident", [True, False])
def test_a_dense_batch_shows_the_masks_of_labelled_images_alone(resident, monkeypatch):
    if not resident:
        monkeypatch.setattr(batches, "memory_budget", lambda device: 0)
    whole = scenes.dense(20, size=16)
    hidden = whole.keep_labels(0.25, seed=1)
    kept = hidden.labels >= 0
    assert kept.sum() == 5
    assert np.array_equal(hidden.labels[kept], whole.labels[kept])
    images = hidden.modalities["rgb"].x
    drawn = Batches(hidden, 8, seed=0, pairing="paired", augment=0, dense=True)
    times = np.zeros(20, int)
    for batch in drawn.epoch(0):
        for image, mask in zip(batch.x["rgb"].numpy(), batch.y["rgb"].numpy(), strict=True):
            row = int(np.abs(images - image).sum((1, 2, 3)).argmin())
            expected = whole.masks[row] if kept[row] else np.full((16, 16), NO_LABEL)
            assert np.array_equal(mask, expected)
            times[row] += 1
        labelled = (batch.y["rgb"] != NO_LABEL).any(2).any(1).tolist()
        assert labelled == sorted(labelled, reverse=True)
        assert sum(labelled) >= LABELLED[True] * len(batch) - 1
    assert (times[~kept] == 1).all()
    assert (times[kept] >= 1).all()


# ---------------------------------------------------------------- splits


def test_unlabelled_samples_go_to_the_training_part_and_change_nothing_about_the_others():
    labels = np.tile([0, 1, 2], 40)
    plain = split_rows(labels, (0.7, 0.1, 0.2), 0)
    parts = split_rows(np.r_[labels, [-1] * 30], (0.7, 0.1, 0.2), 0)
    assert parts["train"].tolist() == [*plain["train"], *range(120, 150)]
    assert all(parts[name].tolist() == plain[name].tolist() for name in ("valid", "test"))


def test_unlabelled_samples_go_with_their_group_and_only_labelled_ones_are_tested():
    rng, groups = np.random.default_rng(0), np.repeat(np.arange(40), 6)
    labels = np.where(rng.random(240) < 0.4, -1, np.arange(240) % 3)
    labels[groups >= 36] = -1  # groups without any label
    data = replace(numbered(labels), groups=groups)
    rows = split_rows(labels, data.fractions, 0, groups)
    parts = {part: set(groups[own]) for part, own in rows.items()}
    assert sum(map(len, parts.values())) == 40
    assert parts["train"] >= {36, 37, 38, 39}
    assert any((labels[rows[part]] == -1).any() for part in ("valid", "test"))
    split = data.split(seed=0)
    assert (split.train.labels == -1).any()
    for part in ("valid", "test"):
        expected = [row for row in rows[part] if labels[row] >= 0]
        assert getattr(split, part).ids.tolist() == expected


PARTS = {"train": range(12), "valid": range(12, 21), "test": range(21, 30)}
REFUSED = [
    ([0] * 30, None, "^mine: has labels of cat; two classes at least are needed"),
    ([0] * 27 + [1] * 3, None, r"^mine: class 'owl' has 0 labelled sample\(s\)"),
    ([-1] * 30, None, "^mine: has labels of no class; two classes at least"),
    ([0, 1] * 5 + [2, -1] + [-1] * 18, None, r"class 'owl' has 1 labelled sample\(s\)"),
    (partly(30, 12), PARTS, "no sample of the valid part has a label; label some, or divide"),
    (partly(30, 21), PARTS, "no sample of the test part has a label"),
    ([0, 1] * 5 + [-1, 0] + [0, 1, 2] * 6, PARTS, "no training sample of class 'owl' has a lab"),
    ([-1] * 12 + [0, 1, 2] * 6, PARTS, "no training sample of class 'cat' has a label"),
]


@pytest.mark.parametrize(("labels", "parts", "fragment"), REFUSED)
def test_too_few_labels_are_refused(labels, parts, fragment):
    given = {part: np.array(rows) for part, rows in parts.items()} if parts else None
    refused(replace(numbered(labels), parts=given).split, fragment)


@pytest.mark.parametrize("share", [0, 1.5, float("nan"), "0.2"])
def test_a_share_of_labels_that_is_none(share):
    fragment = rf"^labelled: {share!r} is not in \(0, 1\]; use e\.g\."
    refused(lambda: numbered(partly(12, 12)).keep_labels(share), fragment, ConfigError)


# ---------------------------------------------------------------- batches


@calm
@given(
    st.integers(40, 200),
    st.floats(0.03, 0.99),
    st.integers(12, 60),
    st.sampled_from(["paired", "unpaired"]),
)
def test_every_batch_has_the_same_share_of_labels_and_every_other_sample_comes_once(
    count, share, batch_size, pairing
):
    labelled = max(2, round(share * count))
    batches = Batches(numbered(partly(count, labelled)), batch_size, 1, pairing=pairing)
    drawn, rest = list(batches.epoch(0)), count - labelled
    ratio = max(LABELLED[False], labelled / count)
    assert len(drawn) == len(batches)
    for name in ("rgb", "depth"):
        for batch in drawn:
            first = int((batch.y[name] >= 0).sum())
            assert abs(first - ratio * len(batch)) <= 1
            assert first >= 2
            assert (batch.y[name][first:] == -1).all()
            truth = torch.tensor(partly(count, labelled))
            assert torch.equal(batch.y[name], truth[ids_of(batch, name)])
            assert len(batch) <= batch_size
        shown = torch.cat([ids_of(batch, name) for batch in drawn])
        times = torch.bincount(shown, minlength=count)
        assert times[labelled:].tolist() == [1] * rest
        assert times[:labelled].max() - times[:labelled].min() <= 1
        assert batches.count == len(shown)
    if pairing == "paired":
        assert all(torch.equal(ids_of(b, "rgb"), ids_of(b, "depth")) for b in drawn)


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_without_the_others_batches_hold_the_same_labelled_samples(pairing):
    data = numbered(partly(100, 10))
    make = {"pairing": pairing, "strong": True}
    both, alone = (Batches(data, 12, 0, **make, unlabelled=some) for some in (True, False))
    assert len(both) == len(alone) == 12  # 90 others, 45 labelled ones
    orders = set()
    for epoch in (0, 1):
        for batch, labelled in zip(both.epoch(epoch), alone.epoch(epoch), strict=True):
            for name in data.modalities:
                first = batch.y[name] >= 0
                assert torch.equal(ids_of(batch, name)[first], ids_of(labelled, name))
                assert torch.equal(batch.strong.y[name], batch.y[name])
                orders.add(tuple(ids_of(labelled, name).tolist()))
    assert len(orders) > 20  # new orders each time


def test_modalities_with_other_samples_hold_the_share_where_they_can():
    labels = partly(120, 30)
    own = {"rgb": range(120), "depth": [*range(10, 20), *range(40, 90)], "sar": range(12)}
    drawn = list(Batches(numbered(labels, **own), 24, 0).epoch(0))
    for batch in drawn:
        for name in ("rgb", "depth"):
            assert abs((batch.y[name] >= 0).float().mean() - LABELLED[False]) < 0.05
        assert (batch.y["sar"] >= 0).all()
        assert (batch.y["sar"] >= 0).sum() == (batch.y["rgb"] >= 0).sum()


def test_a_modality_without_labels_is_named():
    data = numbered(partly(30, 10), rgb=range(30), depth=range(10, 30))
    for pairing in ("paired", "unpaired"):
        lack = r"^mine: no training sample of '.*' has a label; label some, or"
        refused(partial(Batches, data, 8, 0, pairing=pairing), lack)


# ---------------------------------------------------------------- folders, reports, pictures


@pytest.fixture
def folder(tmp_path):
    """Two trees of images of two classes, and four pairs without one."""
    rng = np.random.default_rng(0)
    for modality, bands in (("rgb", 3), ("depth", 1)):
        for name, count in (("zebra", 10), ("ape", 10), ("unlabelled", 4)):
            for number in range(count):
                file = tmp_path / "set" / modality / name / f"{number}.npy"
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, rng.random((bands, 16, 16), np.float32))
    return tmp_path / "set"


@pytest.mark.parametrize("spelling", ["unlabeled", "Unlabelled"])
@pytest.mark.parametrize("renamed", [(), ("depth",), ("rgb", "depth")])
def test_a_folder_unlabelled_is_no_class(folder, renamed, spelling):
    for sensor in renamed:
        (folder / sensor / "unlabelled").rename(folder / sensor / spelling)
    data = read_folders(folder)
    assert data.classes == ("ape", "zebra")
    assert len(data.paired_ids) == 24
    for sample, label in zip(data.ids, data.labels, strict=True):
        assert label == {"ape": 0, "zebra": 1, "unlabelled": -1}[sample.split("/")[0]]
    split = data.split()
    assert (split.train.labels == -1).sum() == 4
    assert len(near_duplicates(split)) == 0


def test_images_below_a_class_folder_are_not_passed_over(folder):
    (folder / "rgb" / "unlabelled" / "ape").mkdir()
    np.save(folder / "rgb" / "unlabelled" / "ape" / "0.npy", np.zeros((3, 16, 16), np.float32))
    fragment = r"ape/0\.npy: lies too deep; expected .*rgb/<class>/<id>"
    refused(lambda: read_folders(folder), fragment)


def test_the_check_counts_them_and_the_picture_names_them(folder, tmp_path, capsys, clean_slate):
    assert cli.main(["data", "check", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "'ape': 7, 'zebra': 7}, without a label 4" in printed
    assert "'ape': 2, 'zebra': 2}\n" in printed
    out = str(tmp_path / "prepared")
    prepare = ["data", "prepare", "folders", "--root", str(folder), "--size", "8", "--out", out]
    assert cli.main(prepare) == 0
    data = load(out)
    assert data.modalities["rgb"].x.shape == (24, 3, 8, 8)
    assert (data.labels == read_folders(folder).labels).all()
    titles = {axis.get_title() for axis in plots.pairs(data, columns=6).axes}
    assert titles - {""} == {"ape", "zebra", "unlabelled"}
