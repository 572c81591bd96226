"""Batches: every sample once, the same ones for the same seed, pairs, views, masks, soft labels."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.fabric import Fabric

from discom.data import Modality, MultiModalData, load, scenes
from discom.data import batches as module
from discom.data.augmentation import apply_d4, transform
from discom.data.batches import LABELLED, Batch, Batches, ModalityTensor
from discom.data.checks import NO_LABEL
from discom.data.scenes import objects
from discom.errors import ConfigError, DataError
from discom.files import digest

calm = settings(max_examples=20, deadline=None, derandomize=True, database=None)
PAIRINGS = st.sampled_from(["paired", "unpaired"])


def numbered(ids, labels=None):
    """Data whose every pixel is the id of its sample, so that a batch shows its samples; `labels`
    of the ids, by default odd or even."""
    modalities = {}
    for name, numbers in ids.items():
        numbers = np.array(numbers)
        x = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 2, 3, 3))
        y = numbers % 2 if labels is None else labels[numbers]
        modalities[name] = Modality(x.astype(np.float32), y, numbers)
    return MultiModalData(modalities, ("cat", "dog", "owl"), name="mine")


def partly(count, labelled):
    """Labels of three classes in turn, the first of them known."""
    return np.where(np.arange(count) < labelled, np.arange(count) % 3, -1)


def samples(batch, name, labels=None):
    """The ids in a batch; checks that images and labels belong together."""
    ids = batch.x[name][:, 0, 0, 0].long()
    assert (batch.x[name] == ids[:, None, None, None]).all()
    assert torch.equal(batch.y[name], ids % 2 if labels is None else torch.tensor(labels)[ids])
    return ids.tolist()


def epoch_of(batches, epoch, name):
    return [i for batch in batches.epoch(epoch) for i in samples(batch, name)]


@pytest.fixture
def room(monkeypatch):
    """Sets how many bytes the images of a modality may take on the device."""
    return lambda size: monkeypatch.setattr(module, "memory_budget", lambda device: size)


@calm
@given(st.integers(2, 150), st.integers(2, 40), PAIRINGS, st.integers(0, 99))
def test_every_sample_once_and_never_a_batch_of_one(count, batch_size, pairing, epoch):
    data = numbered({"rgb": range(count), "depth": range(count)[::-1]})
    batches = Batches(data, batch_size, seed=1, pairing=pairing)
    drawn = list(batches.epoch(epoch))
    sizes = [len(batch) for batch in drawn]
    assert len(drawn) == len(batches)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2  # BatchNorm needs two
    assert max(sizes) <= max(batch_size, 3)  # of two, an odd one out joins a pair
    for name in data.modalities:
        assert sorted(i for batch in drawn for i in samples(batch, name)) == list(range(count))
    if pairing == "paired":
        assert all(samples(batch, "rgb") == samples(batch, "depth") for batch in drawn)


DRAWN = [  # data, their digest, that of labels and views of an epoch of pairs, and without pairs
    ("scenes-dense", "51dd98723ee162ce", "ee45c469e3e21505", "543f08cba83b38d3"),
    ("objects", "8c5b0f14be6606c2", "b24c29831bf4a422", "764e47d562fa99da"),
]


@pytest.mark.parametrize(("name", "content", *("paired", "unpaired")), DRAWN)
def test_batches_of_drawn_data_are_for_ever_the_same(name, content, paired, unpaired):
    """Committed results rest on them: drawn data say that they may be turned."""
    data = load(f"{name}:n=40,size=8")
    sensors = {k: replace(m, symmetry="flip") for k, m in data.modalities.items()}
    wrong = replace(data, modalities=sensors)
    assert data.fingerprint == content != wrong.fingerprint
    for pairing, expected in {"paired": paired, "unpaired": unpaired}.items():
        drawn = []
        for each in (data, wrong):
            batches = Batches(each, 8, 3, pairing=pairing, strong=True, dense=data.dense)
            list(batches.epoch(1))  # what was drawn before has no part in it
            shown = [one for batch in batches.epoch(5) for one in (batch, batch.strong)]
            values = [v for one in shown for k in one.x for v in (one.transform_ids[k], one.y[k])]
            drawn.append(digest(*(v.numpy() for v in values)))
        assert drawn[0] == expected != drawn[1]


def test_paired_batches_leave_out_what_lacks_a_modality():
    labels = partly(40, 15)
    data = numbered({"rgb": range(20), "depth": range(12, 40)}, labels)
    with pytest.warns(UserWarning, match="^mine: 32 of 40 "):
        batches = Batches(data, 4, 0, pairing="paired")
    for name in ("rgb", "depth"):
        shown = [i for batch in batches.epoch(0) for i in samples(batch, name, labels)]
        assert set(shown) == {*range(12, 20)}
    assert batches.counts == {"train": 8, "labelled": 3}
    assert Batches(data, 4, 0).counts == {"train": 40, "labelled": 15}


def test_unequal_sizes_repeat_the_smaller_modality_evenly():
    batches = Batches(numbered({"rgb": range(50), "depth": range(100, 120)}), 8, 0)
    assert sorted(epoch_of(batches, 0, "rgb")) == list(range(50))
    depth = epoch_of(batches, 0, "depth")
    assert set(np.bincount(np.array(depth) - 100, minlength=20)) == {2, 3}
    assert depth[:20] != depth[20:40]  # shuffled anew, not the same round again
    assert sorted(depth[:20]) == sorted(depth[20:40])


@calm
@given(st.integers(40, 200), st.floats(0.03, 0.99), st.integers(12, 60), PAIRINGS)
def test_batches_share_labels_alike_and_others_come_once(count, share, batch_size, pairing):
    labelled = max(2, round(share * count))
    labels, ratio = partly(count, labelled), max(LABELLED[False], labelled / count)
    data = numbered({"rgb": range(count), "depth": range(count)}, labels)
    both = Batches(data, batch_size, 1, pairing=pairing)
    alone = Batches(data, batch_size, 1, pairing=pairing, unlabelled=False)
    drawn, known = list(both.epoch(0)), list(alone.epoch(0))
    assert len(drawn) == len(both) == len(known)
    for name in data.modalities:
        for batch, without in zip(drawn, known, strict=True):
            first = int((batch.y[name] >= 0).sum())
            assert abs(first - ratio * len(batch)) <= 1
            assert 2 <= first <= len(batch) <= batch_size
            assert samples(without, name, labels) == samples(batch, name, labels)[:first]
            assert (batch.y[name][first:] == -1).all()
        shown = [i for batch in drawn for i in samples(batch, name, labels)]
        times = np.bincount(shown, minlength=count)
        assert (times[labelled:] == 1).all()
        assert np.ptp(times[:labelled]) <= 1
        assert both.count == len(shown)
    if pairing == "paired":
        assert all(samples(b, "rgb", labels) == samples(b, "depth", labels) for b in drawn)


APART = {"rgb": range(10), "depth": range(10, 20)}
LACKS = numbered({"rgb": range(30), "depth": range(10, 30)}, partly(30, 10))
REFUSED = [
    ("mine", lambda: Batches(numbered(APART), 4, 0, pairing="paired")),  # no id is in both
    ("pairing", lambda: Batches(numbered(APART), 4, 0, pairing="twins")),
    ("mine", lambda: Batches(LACKS, 8, 0)),  # no sample of depth has a label
    ("mine", lambda: Batches(LACKS, 8, 0, pairing="paired")),
]


@pytest.mark.parametrize(("place", "make"), REFUSED)
def test_what_makes_no_batches(place, make):
    refused(make, f"^{place}: ", (ConfigError, DataError))


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_from_disk_and_from_memory_are_the_same(tmp_path, room, pairing):
    data = objects.make(66, size=8)
    split = data.split(seed=1)
    data.save(tmp_path / "out")
    opened = MultiModalData.open(tmp_path / "out").split(seed=1).train
    make = {"batch_size": 7, "seed": 2, "pairing": pairing}
    resident, drawn = Batches(opened, **make), Batches(split.train, **make)
    room(0)
    streamed = Batches(opened, **make)
    assert all(images.resident is None for images in streamed.images.values())
    assert all(images.resident is not None for images in resident.images.values())
    epochs = (b.epoch(3) for b in (streamed, resident, drawn))
    for first, *others in zip(*epochs, strict=True):
        assert 0 <= first.x["rgb"].min() < first.x["rgb"].max() <= 1
        for other, name in product(others, first.x):
            assert torch.equal(first.x[name], other.x[name])
            assert torch.equal(first.y[name], other.y[name])


@pytest.mark.parametrize("size", [0, 1 << 20])
@pytest.mark.parametrize("name", ["rgb+depth", "depth+thermal+rgb", "depth"])
def test_stacked_images_are_the_bands_of_the_same_scenes(room, size, name):
    room(size)
    whole = objects.make(66, size=8, modalities=("rgb", "depth", "thermal")).split(seed=1).test
    depth = whole.modalities["depth"].take(np.r_[15:2:-1])  # in another order, and some are missing
    data = MultiModalData({**whole.modalities, "depth": depth}, whole.classes)
    images = ModalityTensor(replace(data, normalization=whole.normalization), name, "cpu")
    rows = np.r_[15:2:-1] if name == "depth" else np.r_[3:16]
    assert images.ids.tolist() == whole.ids[rows].tolist()
    assert images.truth().tolist() == whole.labels[rows].tolist()
    expected = [whole.normalization[m](whole.modalities[m].x[rows]) for m in name.split("+")]
    some = torch.tensor([2, 0, 9])
    np.testing.assert_array_equal(images[some].numpy(), np.concatenate(expected, 1)[some])


def test_bf16_takes_no_digits_from_soft_labels():
    """Fabric rounds the tensors of dataclasses and mappings that a network is given."""

    keep = torch.nn.Identity()
    keep.register_parameter("one", torch.nn.Parameter(torch.ones(1)))
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    soft = torch.tensor([[1.001, 2.002]])
    batch = Batch({"rgb": torch.rand(1, 3, 4, 4)}, {"rgb": torch.tensor([0])}, teacher_output=soft)
    shown = fabric.setup(keep)(batch)
    assert (shown.teacher_output.dtype, shown.x["rgb"].dtype) == (torch.float32, torch.float32)
    assert torch.equal(shown.teacher_output, soft)


COARSE = tuple("abcdefgh")


def class_of(x):
    """What the planted masks say of a pixel: a function of its first band; every fifth value has no
    label."""
    value = torch.as_tensor(x)[..., 0, :, :].long()
    return torch.where(value % 5 == 0, 255, value % len(COARSE))


def planted(ids, height=6, width=6):
    """Dense data whose pixels are all different numbers, and whose masks say what their pixel
    is."""
    modalities, masks = {}, {}
    pixels = np.arange(height * width).reshape(height, width)
    for band, (name, numbers) in enumerate(ids.items()):
        numbers = np.array(numbers)
        scene = 97 * numbers[:, None, None] + pixels  # what all modalities share
        x = np.stack([scene, scene + 1000 * band], 1).astype(np.float32)
        modalities[name] = Modality(x, np.zeros(len(numbers), int), numbers, symmetry="all")
        masks |= dict(zip(numbers.tolist(), class_of(x).numpy().astype(np.uint8), strict=True))
    every = dict.fromkeys(i for numbers in ids.values() for i in np.array(numbers).tolist())
    return MultiModalData(modalities, COARSE, masks=np.stack([masks[i] for i in every]), dense=True)


PARTLY = {"depth": range(5, 30), "rgb": range(22), "sar": [3, *range(8, 20), 40]}


@pytest.mark.parametrize("most", [0, 2000, 1 << 20])
@pytest.mark.parametrize("size", [(6, 6), (4, 7)])
@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_masks_are_moved_exactly_as_their_images(pairing, size, most, room):
    room(most)
    data = planted(PARTLY, *size)
    make = {"pairing": pairing, "augment": 1, "dense": True, "strong": True}
    for batch in Batches(data, 8, 0, **make).epoch(0):
        for name, labels in batch.y.items():
            assert labels.dtype == torch.int64
            assert torch.equal(labels, class_of(batch.x[name]))
            assert len(batch.transform_ids[name].unique()) > 1
            strong = batch.strong.x[name]
            blank = transform(torch.ones_like(strong), batch.strong.transform_ids[name])[:, 0] == 0
            labels = batch.strong.y[name].masked_fill(blank, NO_LABEL)
            assert torch.equal(labels, class_of(strong))
    wrong = apply_d4(batch.y["rgb"][:, None], batch.transform_ids["rgb"])[:, 0]  # moved twice
    assert not torch.equal(wrong, class_of(batch.x["rgb"]))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("rgb", ["all", "flip", "none"])
@pytest.mark.parametrize("depth", ["all", "flip", "none"])
def test_a_sensor_is_shown_in_its_motions_and_coupled_ones_in_those_all_allow(rgb, depth, shared):
    allowed = {"all": set(range(8)), "flip": {0, 4}, "none": {0}}
    given, data = {"rgb": rgb, "depth": depth}, planted({"rgb": range(150), "depth": range(150)})
    sensors = {k: replace(m, symmetry=given[k]) for k, m in data.modalities.items()}
    make = {"pairing": "paired", "augment": 1, "dense": True, "shared_augmentation": shared}
    (moved,) = Batches(replace(data, modalities=sensors), 150, 3, strong=True, **make).epoch(0)
    (free,) = Batches(data, 150, 3, **make).epoch(0)  # knows no symmetry
    same = torch.equal(free.transform_ids["rgb"], free.transform_ids["depth"])
    assert same == shared == torch.equal(free.x["rgb"][:, 0], free.x["depth"][:, 0])
    for name in given:
        own = allowed[rgb] & allowed[depth] if shared else allowed[given[name]]
        for batch in (moved, moved.strong):
            assert set((batch.transform_ids[name] % 8).tolist()) == own
            assert allowed[batch.symmetry[name]] == own
        same = torch.equal(moved.transform_ids[name], free.transform_ids[name])
        assert same == (len(own) == 8)


@pytest.mark.parametrize("most", [0, 1 << 20])
def test_a_dense_batch_shows_the_masks_of_labelled_images_alone(most, room):
    room(most)
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
