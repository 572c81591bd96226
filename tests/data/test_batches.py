"""Batches: every sample once, the same ones for the same seed, and rigid motions that are exact and can be undone."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from discom.data import Batches, Modality, MultiModalData, scenes
from discom.data.batches import Images, draw_motions, motion_table, move
from discom.errors import ConfigError, DataError

calm = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def numbered(ids, height=3, width=3):
    """Data whose every pixel is the id of its sample, so that a batch tells which samples it holds."""
    modalities = {}
    for name, held in ids.items():
        held = np.array(held)
        x = np.broadcast_to(held[:, None, None, None], (len(held), 2, height, width)).astype(np.float32)
        modalities[name] = Modality(x.copy(), held % 2, held)
    return MultiModalData(modalities, ("even", "odd"))


def samples(batch, name):
    """The ids in a batch; checks that images and labels belong together."""
    found = batch.x[name][:, 0, 0, 0].long()
    assert (batch.x[name] == found[:, None, None, None]).all()
    assert (batch.y[name] == found % 2).all()
    return found.tolist()


def epoch_of(batches, epoch, name):
    return [i for batch in batches.epoch(epoch) for i in samples(batch, name)]


# which samples --------------------------------------------------------------------------------------------------


@calm
@given(st.integers(2, 150), st.integers(2, 40), st.sampled_from(["paired", "unpaired"]), st.integers(0, 99))
def test_every_sample_once_and_never_a_batch_of_one(count, batch_size, pairing, epoch):
    data = numbered({"rgb": range(count), "depth": range(count)})
    batches = Batches(data, batch_size, seed=1, pairing=pairing)
    drawn = list(batches.epoch(epoch))
    sizes = [len(batch.y["rgb"]) for batch in drawn]
    assert len(drawn) == len(batches)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= batch_size or (batch_size == 2 and max(sizes) == 3)  # an odd one out joins a pair
    for name in data.modalities:
        assert sorted(i for batch in drawn for i in samples(batch, name)) == list(range(count))


@pytest.mark.parametrize(("count", "batch_size"), [(129, 128), (9, 4), (33, 8), (3, 2), (5, 2), (65, 2)])
def test_one_sample_too_many_never_crashes_batchnorm(count, batch_size):
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.Flatten(), torch.nn.BatchNorm1d(4)).train()
    with pytest.raises(ValueError, match="more than 1 value"):
        network(torch.zeros(1, 2, 3, 3))  # what would happen with a batch of one
    data = numbered({"rgb": range(count)})
    for batch in Batches(data, batch_size, seed=0).epoch(0):
        assert torch.isfinite(network(batch.x["rgb"])).all()


def test_sizes_of_the_docstring():
    assert [len(b.y["rgb"]) for b in Batches(numbered({"rgb": range(129)}), 128, 0).epoch(0)] == [65, 64]


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_same_seed_and_epoch_same_batches(pairing):
    data = scenes.make(40, size=8)
    one, again, other = (Batches(data, 8, seed, pairing=pairing) for seed in (3, 3, 4))
    for batches in (again, one):  # also when an epoch is asked for a second time, or after another one
        for first, second in zip(one.epoch(5), batches.epoch(5), strict=True):
            for name in data.modalities:
                assert torch.equal(first.x[name], second.x[name])
                assert torch.equal(first.y[name], second.y[name])
    ids = numbered({"rgb": range(60), "depth": range(60)})
    one, other = (Batches(ids, 8, seed, pairing=pairing, augment=0) for seed in (3, 4))
    assert epoch_of(one, 5, "rgb") != epoch_of(one, 6, "rgb")
    assert epoch_of(one, 5, "rgb") != epoch_of(other, 5, "rgb")


def test_epochs_differ_in_their_motions():
    data = scenes.make(40, size=8)
    batches = Batches(data, 40, 0, augment=1)
    images = []
    for epoch in (0, 1):
        (batch,) = batches.epoch(epoch)
        images.append(sorted(image.sum((0, 1))[0].item() for image in batch.x["rgb"]))  # of the left column
    assert images[0] != images[1]


def test_paired_rows_are_the_same_scenes_and_unpaired_rows_are_not():
    data = numbered({"rgb": range(100), "depth": range(99, -1, -1), "thermal": np.r_[50:100, 0:50]})
    for batch in Batches(data, 16, 0, pairing="paired").epoch(0):
        assert samples(batch, "rgb") == samples(batch, "depth") == samples(batch, "thermal")
    data = numbered({name: range(100) for name in data.modalities})  # in one order, so that one shuffle would pair them
    batches = Batches(data, 16, 0, pairing="unpaired")
    orders = [epoch_of(batches, 0, name) for name in data.modalities]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        same = sum(a == b for a, b in zip(orders[one], orders[other], strict=True))
        assert same < 8  # one expected by chance


def test_paired_batches_leave_out_what_lacks_a_modality():
    data = numbered({"rgb": range(20), "depth": range(12, 40)})
    batches = Batches(data, 4, 0, pairing="paired")
    assert sorted(epoch_of(batches, 0, "rgb")) == sorted(epoch_of(batches, 0, "depth")) == list(range(12, 20))


def test_unequal_sizes_repeat_the_smaller_modality_evenly():
    data = numbered({"rgb": range(50), "depth": range(100, 120)})
    batches = Batches(data, 8, 0)
    for epoch in range(3):
        assert sorted(epoch_of(batches, epoch, "rgb")) == list(range(50))
        seen = np.bincount(np.array(epoch_of(batches, epoch, "depth")) - 100, minlength=20)
        assert seen.sum() == 50
        assert set(seen) == {2, 3}
    first, second = (epoch_of(batches, 0, "depth")[start : start + 20] for start in (0, 20))
    assert first != second  # shuffled anew, not the same round again
    assert sorted(first) == sorted(second)


def test_no_shared_ids_cannot_be_paired():
    data = numbered({"rgb": range(10), "depth": range(10, 20)})
    with pytest.raises(
        DataError, match=r"^data: no id stands in every modality, so no pairs; train with pairing=unpaired"
    ):
        Batches(data, 4, 0, pairing="paired")
    assert len(Batches(data, 4, 0)) == 3


def test_unknown_pairing():
    with pytest.raises(ConfigError, match=r"pairing: 'twins' is neither 'paired' nor 'unpaired'"):
        Batches(numbered({"rgb": range(10)}), 4, 0, pairing="twins")


@pytest.mark.parametrize("batch_size", [1, 0, -3])
def test_batch_size_below_two_is_refused(batch_size):
    with pytest.raises(ConfigError, match="batch_size"):
        Batches(numbered({"rgb": range(10)}), batch_size, 0)


def test_modality_without_samples_is_refused():
    data = numbered({"rgb": range(10), "depth": range(10, 20)}).take(np.arange(10))
    with pytest.raises(DataError, match="depth"):
        list(Batches(data, 4, 0).epoch(0))


# from memory or from disk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_streamed_equals_resident(tmp_path, pairing, scaled):
    data = scenes.make(66, size=8)
    split = data.split(seed=1)
    data.save(tmp_path / "out", split=split if scaled else None)
    opened = MultiModalData.open(tmp_path / "out").split(seed=1).train
    make = {"batch_size": 7, "seed": 2, "pairing": pairing}
    streamed, resident = Batches(opened, **make, resident_bytes=0), Batches(opened, **make)
    memory = Batches(split.train, **make)
    assert all(images.held is None for images in streamed.images.values())
    assert all(images.held is not None for images in resident.images.values())
    for three in zip(streamed.epoch(3), resident.epoch(3), memory.epoch(3), strict=True):
        for name in data.modalities:
            assert three[0].x[name].dtype == torch.float32
            assert 0 <= three[0].x[name].min() <= three[0].x[name].max() <= 1
            for other in three[1:]:
                assert torch.equal(three[0].x[name], other.x[name])
                assert torch.equal(three[0].y[name], other.y[name])


def test_only_the_larger_modality_is_streamed():
    data = scenes.make(10, size=8)  # rgb 7 680 bytes, depth 2 560
    images = Batches(data, 5, 0, resident_bytes=3000).images
    assert images["rgb"].held is None
    assert images["depth"].held is not None


def test_streaming_reads_a_batch_at_a_time(tmp_path, monkeypatch):
    data = scenes.make(40, size=8)
    data.save(tmp_path / "out")
    batches = Batches(MultiModalData.open(tmp_path / "out"), 8, 0, resident_bytes=0)
    asked = []
    original = MultiModalData.images

    def images(self, name, rows=slice(None)):
        asked.append(len(rows))
        return original(self, name, rows)

    monkeypatch.setattr(MultiModalData, "images", images)
    assert len(list(batches.epoch(0))) == 5
    assert asked == [8] * 10


def test_images_are_scaled_by_the_bounds_of_the_training_part():
    split = scenes.make(66, size=8).split(seed=1)
    held = Images(split.test, "rgb", "cpu")
    rows = torch.tensor([4, 0, 9])
    bounds = split.train.normalization["rgb"]
    expected = bounds(split.test.modalities["rgb"].x[[4, 0, 9]])
    np.testing.assert_array_equal(held[rows].numpy(), expected)
    assert len(held) == len(split.test)


def test_memory_format():
    data = scenes.make(10, size=8)
    batch = next(Batches(data, 5, 0, memory_format=torch.channels_last).epoch(0))
    assert batch.x["rgb"].is_contiguous(memory_format=torch.channels_last)
    plain = next(Batches(data, 5, 0).epoch(0))
    assert torch.equal(batch.x["rgb"], plain.x["rgb"])


# motions --------------------------------------------------------------------------------------------------------


def expected_motion(image, motion):
    """Motion k + 4h + 8v of one image [C, H, W] by torch's own functions."""
    turns, flip, flop = motion % 4, motion // 4 % 2, motion // 8
    if image.shape[1] == image.shape[2] or turns % 2 == 0:
        image = torch.rot90(image, turns, (1, 2))
    image = torch.flip(image, (2,)) if flip else image
    return torch.flip(image, (1,)) if flop else image


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (5, 5), (4, 6), (7, 3)])
def test_each_image_is_moved_by_its_own_motion(height, width):
    x = torch.rand(16, 3, height, width, generator=torch.Generator().manual_seed(0))
    motions = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    moved = move(x, motions)
    assert moved.shape == x.shape
    for image, motion, found in zip(x, motions.tolist(), moved, strict=True):
        assert torch.equal(found, expected_motion(image, motion))


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 5), (4, 6), (7, 3)])
def test_argsort_undoes_every_motion(height, width):
    table = motion_table(height, width)
    pixels = torch.rand(height * width, generator=torch.Generator().manual_seed(0))
    assert table.shape == (16, height * width)
    for motion in range(16):
        assert torch.equal(table[motion].sort().values, torch.arange(height * width))  # no pixel lost or doubled
        assert torch.equal(pixels[table[motion]][table[motion].argsort()], pixels)
    assert len({tuple(row.tolist()) for row in table}) == (8 if height == width else 4)  # the symmetries there are
    assert torch.equal(table[0], torch.arange(height * width))


def test_bands_move_together():
    x = torch.arange(25.0).view(1, 1, 5, 5).expand(16, 3, 5, 5)
    moved = move(x, torch.arange(16))
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert torch.equal(moved[:, 0], moved[:, 2])


def frequencies(size, probability, n=40_000):
    motions = draw_motions(torch.zeros(n, 1, *size), probability, torch.Generator().manual_seed(7))
    return torch.bincount(motions, minlength=16) / n


def stated(probability, square):
    """Probability of each motion: with p (h of ½) × (v of ½) × (with ½ one of the turns, evenly)."""
    odds = [0.0] * 16
    odds[0] = 1 - probability
    turns = (0, 1, 2, 3) if square else (0, 2)
    for flips in range(4):
        odds[4 * flips] += probability / 4 * 0.5
        for turn in turns:
            odds[turn + 4 * flips] += probability / 4 * 0.5 / len(turns)
    return odds


@pytest.mark.parametrize("probability", [0.5, 1.0, 0.2])
@pytest.mark.parametrize("size", [(8, 8), (8, 6)])
def test_motions_have_the_stated_frequencies(size, probability):
    n = 40_000
    odds = stated(probability, size[0] == size[1])
    assert sum(odds) == pytest.approx(1)
    for motion, (found, expected) in enumerate(zip(frequencies(size, probability).tolist(), odds, strict=True)):
        assert abs(found - expected) <= 4 * math.sqrt(expected * (1 - expected) / n), motion


def test_other_frequencies_would_be_noticed():
    """The mutation: without the second coin for the rotation, the test above must fail."""
    wrong = [0.5 * (m == 0) + 0.5 / 16 for m in range(16)]
    found = frequencies((8, 8), 0.5).tolist()
    assert any(abs(a - b) > 4 * math.sqrt(b * (1 - b) / 40_000) for a, b in zip(found, wrong, strict=True))


@pytest.mark.parametrize("probability", [0, 0.0])
def test_no_augmentation_leaves_the_images(probability):
    data = scenes.make(30, size=8)
    batches = Batches(data, 30, 0, pairing="paired", augment=probability)
    (batch,) = batches.epoch(0)
    originals = {image.tobytes() for image in data.modalities["rgb"].x}
    assert {image.numpy().tobytes() for image in batch.x["rgb"]} == originals


@pytest.mark.parametrize("shape", [(8, 8), (4, 16)])
def test_augmentation_moves_each_image_and_each_modality_on_its_own(shape):
    data = scenes.make(200, size=8)
    reshaped = {name: replace(m, x=m.x.reshape(200, -1, *shape)) for name, m in data.modalities.items()}
    data = replace(data, modalities=reshaped)
    kwargs = {"batch_size": 200, "seed": 0, "pairing": "paired"}
    (plain,), (moved,) = (Batches(data, **kwargs, augment=p).epoch(0) for p in (0, 0.5))
    drawn = {}
    for name in data.modalities:
        assert torch.equal(plain.y[name], moved.y[name])
        drawn[name] = []
        for before, after in zip(plain.x[name], moved.x[name], strict=True):
            fits = [m for m in range(16) if torch.equal(expected_motion(before, m), after)]
            assert fits  # it is one of the motions, exactly
            drawn[name].append(fits[0])
        assert len(set(drawn[name])) > 2  # not one motion for the whole batch
        assert 0.4 < np.mean([m == 0 for m in drawn[name]]) < 0.75
    assert drawn["rgb"] != drawn["depth"]


def test_unscaled_source_is_never_changed():
    data = scenes.make(12, size=8)
    before = data.modalities["rgb"].x.copy()
    for batch in Batches(data, 4, 0, augment=1).epoch(0):
        batch.x["rgb"].zero_()
    np.testing.assert_array_equal(data.modalities["rgb"].x, before)
