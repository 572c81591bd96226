"""Batches: every sample once, the same ones for the same seed, pairs, views, masks, soft labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.fabric import Fabric
from test_multimodal import make as numbered

from discom.data import Modality, MultiModalData, Normalization, load
from discom.data import batches as module
from discom.data.augmentation import apply_d4, transform
from discom.data.batches import LABELLED, Batch, Batches, ModalityTensor
from discom.data.scenes import objects
from discom.files import digest
from discom.labels import NO_LABEL

calm = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def partly(count, labelled):
    """Labels of three classes in turn, the first of them known."""
    return np.where(np.arange(count) < labelled, np.arange(count) % 3, -1)


def samples(batch, name, labels=None):
    """The ids in a batch; checks that images and labels belong together."""
    ids = batch.x[name][:, 0, 0, 0].long()
    assert (batch.x[name] == ids[:, None, None, None]).all()
    assert torch.equal(batch.y[name], ids % 3 if labels is None else torch.tensor(labels)[ids])
    return ids.tolist()


@pytest.fixture
def room(monkeypatch):
    """Sets how many bytes the images of a modality may take on the device."""
    return lambda size: monkeypatch.setattr(module, "memory_budget", lambda device: size)


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
    for pairs, expected in {True: paired, False: unpaired}.items():
        drawn = []
        for each in (data, wrong):
            batches = Batches(each, 8, 3, paired=pairs, strong=True)
            list(batches.epoch(1))  # what was drawn before has no part in it
            shown = [one for batch in batches.epoch(5) for one in (batch, batch.strong)]
            values = [v for one in shown for k in one.x for v in (one.transform_ids[k], one.y[k])]
            drawn.append(digest(*(v.numpy() for v in values)))
        assert drawn[0] == expected != drawn[1]


def test_paired_batches_leave_out_what_lacks_a_modality():
    labels = partly(40, 15)
    data = numbered({"rgb": range(20), "depth": range(12, 40)}, labels)
    with pytest.warns(UserWarning, match="^data: 32 of 40 "):
        batches = Batches(data, 4, 0, paired=True)
    for name in ("rgb", "depth"):
        shown = [i for batch in batches.epoch(0) for i in samples(batch, name, labels)]
        assert set(shown) == {*range(12, 20)}
    assert batches.counts == {"train": 8, "labelled": 3}
    assert Batches(data, 4, 0).counts == {"train": 40, "labelled": 15}


def test_progress_is_the_share_of_the_epochs_that_are_done():
    batches = Batches(numbered({"rgb": range(8)}), 4, 0, epochs=4, strong=True)
    for epoch in range(4):
        shown = [one for batch in batches.epoch(epoch) for one in (batch, batch.strong)]
        assert [one.progress for one in shown] == [epoch / 4] * 4


def test_unequal_sizes_repeat_the_smaller_modality_evenly():
    drawn = [*Batches(numbered({"rgb": range(50), "depth": range(100, 120)}), 8, 0).epoch(0)]
    rgb, depth = ([i for b in drawn for i in samples(b, name)] for name in ("rgb", "depth"))
    assert sorted(rgb) == list(range(50))
    assert set(np.bincount(np.array(depth) - 100, minlength=20)) == {2, 3}
    assert depth[:20] != depth[20:40]  # shuffled anew, not the same round again
    assert sorted(depth[:20]) == sorted(depth[20:40])


SHARES = st.one_of(st.just(1.0), st.floats(0.03, 0.99))


@calm
@given(st.integers(2, 200), SHARES, st.integers(2, 60), st.booleans(), st.integers(0, 99))
def test_batches_share_labels_alike_and_others_come_once(count, share, batch_size, paired, epoch):
    labelled = max(2, round(share * count))
    labels, ratio = partly(count, labelled), max(LABELLED[False], labelled / count)
    data = numbered({"rgb": range(count), "depth": range(count)[::-1]}, labels)
    both = Batches(data, batch_size, 1, paired=paired)
    alone = Batches(data, batch_size, 1, paired=paired, unlabelled=False)
    drawn, known = list(both.epoch(epoch)), list(alone.epoch(epoch))
    assert len(drawn) == len(both) == len(known)
    sizes = [len(batch) for batch in drawn]
    assert max(sizes) - min(sizes) <= 1
    if labelled == count or (count >= 40 and batch_size >= 12):
        assert max(sizes) <= max(batch_size, 3)  # of two, an odd one out joins a pair
    for name in data.modalities:
        for batch, without in zip(drawn, known, strict=True):
            first = int((batch.y[name] >= 0).sum())
            assert first >= 2  # BatchNorm needs two
            assert abs(first - ratio * len(batch)) <= 1
            assert samples(without, name, labels) == samples(batch, name, labels)[:first]
            assert (batch.y[name][first:] == -1).all()
        shown = [i for batch in drawn for i in samples(batch, name, labels)]
        times = np.bincount(shown, minlength=count)
        assert (times[labelled:] == 1).all()
        assert np.ptp(times[:labelled]) <= 1
        assert both.count == len(shown)
    if paired:
        assert all(samples(b, "rgb", labels) == samples(b, "depth", labels) for b in drawn)


APART = {"rgb": range(10), "depth": range(10, 20)}
LACKS = numbered({"rgb": range(30), "depth": range(10, 30)}, partly(30, 10))
REFUSED = [
    lambda: Batches(numbered(APART), 4, 0, paired=True),  # no id is in both
    lambda: Batches(LACKS, 8, 0),  # no sample of depth has a label
]


@pytest.mark.parametrize("make", REFUSED)
def test_what_makes_no_batches(make):
    refused(make, "^data: ")


@pytest.mark.parametrize("size", [0, 1 << 20])
@pytest.mark.parametrize("name", ["rgb+depth", "depth+thermal+rgb", "depth"])
def test_stacked_images_are_the_bands_of_the_same_scenes(room, size, name):
    room(size)
    split = objects.make(66, size=8, modalities=("rgb", "depth", "thermal")).split(seed=1)
    whole, trained = split.test, split.train.modalities
    depth = whole.modalities["depth"].take(np.r_[15:2:-1])  # in another order, and some are missing
    data = MultiModalData({**whole.modalities, "depth": depth}, whole.classes)
    images = ModalityTensor(replace(data, normalization=whole.normalization), name, "cpu")
    rows = np.r_[15:2:-1] if name == "depth" else np.r_[3:16]
    assert images.ids.tolist() == whole.ids[rows].tolist()
    assert images.truth().tolist() == whole.labels[rows].tolist()
    names = name.split("+")
    expected = [Normalization.fit(trained[m].x)(whole.modalities[m].x[rows]) for m in names]
    some = torch.tensor([2, 0, 9])
    np.testing.assert_array_equal(images[some].numpy(), np.concatenate(expected, 1)[some])


KINDS = {"uint8": 255, "int16": -9999, "uint16": 65535, "float16": 0.0, "float32": 0.0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("holes", [False, True])
def test_values_that_fit_as_they_are_stored_are_scaled_on_the_device(room, kind, holes, tmp_path):
    """EuroSAT missed the memory of a card by a little, and each batch was read from disk."""
    rng, invalid = np.random.default_rng(0), KINDS[kind] if holes else None
    low, high = (0, 1) if kind.startswith("float") else (np.iinfo(kind).min, np.iinfo(kind).max)
    x = (low + (high - low) * rng.random((40, 2, 8, 8))).astype(kind)
    x[rng.random(x.shape) < 0.1] = KINDS[kind]
    labels, ids = np.arange(40) % 3, np.arange(40)
    sensors = {k: Modality(x, labels, ids, invalid=invalid) for k in ("rgb", "sar")}
    sensors["sar"] = Modality(x[::-1].copy(), labels[::-1], ids[::-1], invalid=invalid)
    MultiModalData(sensors, ("a", "b", "c")).save(tmp_path / "data")
    part = load(str(tmp_path / "data")).split(seed=0).train  # on disk
    read = {}
    for size in (0, 2 * len(part) * x[0].nbytes, 1 << 30):
        room(size)
        images = ModalityTensor(part, "rgb+sar", "cpu")
        read[size] = images[torch.tensor([7, 0, 3])]
        assert bool(images.stored) == (0 < size < 1 << 30 and kind != "float32")
        assert read[size].dtype == torch.float32
    plain, compact, resident = read.values()
    assert torch.equal(plain, resident)
    torch.testing.assert_close(compact, plain, rtol=0, atol=1e-6)
    assert (compact == 0).any()


def test_what_torch_keeps_in_reserve_is_free_and_workers_share(monkeypatch):
    """The second run of a process found a card full of its own cache."""
    for name, size in {"mem_get_info": (100, 1000), "memory_reserved": 80}.items():
        monkeypatch.setattr(f"torch.cuda.{name}", lambda device, size=size: size)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda device: 20)
    assert module.memory_budget("cuda:0") == 40
    monkeypatch.setattr("discom.hardware.workers", 4)
    assert module.memory_budget("cuda:0") == 10


def test_batches_show_signals_in_weak_views():
    x, labels = np.random.default_rng(0).normal(size=(60, 3, 1, 64)), np.arange(60) % 3
    signals = Modality(x.astype(np.float32), labels, np.arange(60), symmetry="rotate")
    data = MultiModalData({"acc": signals}, ("sit", "walk", "run"))
    plain, first, again = (
        next(Batches(data, 60, seed=0, augment=chance).epoch(0)).x["acc"] for chance in (0, 1, 1)
    )
    assert torch.equal(plain.sort(0).values, torch.tensor(signals.x).sort(0).values)
    assert torch.equal(first, again)
    assert not torch.equal(first, plain)


def test_bf16_takes_no_digits_from_soft_labels():
    """Fabric rounds the tensors of dataclasses and mappings that a network is given."""
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    soft = torch.tensor([[1.001, 2.002]])
    batch = Batch({"rgb": torch.rand(1, 3, 4, 4)}, {"rgb": torch.tensor([0])}, teacher_output=soft)
    shown = fabric.setup(torch.nn.Identity())(batch)
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
@pytest.mark.parametrize("paired", [True, False])
def test_masks_are_moved_exactly_as_their_images(paired, size, most, room):
    room(most)
    data = planted(PARTLY, *size)
    make = {"paired": paired, "augment": 1, "strong": True}
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
    make = {"paired": True, "augment": 1, "shared_augmentation": shared}
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
    hidden = planted({"rgb": range(20)}).keep_labels(0.25, seed=1)
    kept, times = hidden.labels >= 0, np.zeros(20, int)
    assert kept.sum() == 5
    for batch in Batches(hidden, 8, seed=0, augment=0).epoch(0):
        rows = (batch.x["rgb"][:, 0, 0, 0] / 97).int().numpy()
        expected = class_of(batch.x["rgb"])
        expected[~kept[rows]] = NO_LABEL
        assert torch.equal(batch.y["rgb"], expected)
        assert kept[rows].tolist() == sorted(kept[rows], reverse=True)
        assert kept[rows].sum() >= LABELLED[True] * len(batch) - 1
        times += np.bincount(rows, minlength=20)
    assert (times[~kept] == 1).all()
    assert (times[kept] >= 1).all()
