"""Batches: every sample once, the same ones for the same seed, pairs, strong views, and a teacher's
logits to match."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.fabric import Fabric

from discom.data import Batch, Batches, Modality, MultiModalData, scenes
from discom.data import batches as batching
from discom.data.augmentation import VIEWS, draw_motions, move, turn, view
from discom.data.batches import Images, SoftLabels, paired_rows
from discom.errors import ConfigError, DataError

calm = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def numbered(ids, height=3, width=3):
    """Data whose every pixel is the id of its sample, so that a batch tells which samples it
    holds."""
    modalities = {}
    for name, held in ids.items():
        held = np.array(held)
        x = np.broadcast_to(held[:, None, None, None], (len(held), 2, height, width)).astype(
            np.float32
        )
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


# which samples
# --------------------------------------------------------------------------------------------------


@calm
@given(
    st.integers(2, 150),
    st.integers(2, 40),
    st.sampled_from(["paired", "unpaired"]),
    st.integers(0, 99),
)
def test_every_sample_once_and_never_a_batch_of_one(count, batch_size, pairing, epoch):
    data = numbered({"rgb": range(count), "depth": range(count)})
    batches = Batches(data, batch_size, seed=1, pairing=pairing)
    drawn = list(batches.epoch(epoch))
    sizes = [len(batch.y["rgb"]) for batch in drawn]
    assert len(drawn) == len(batches)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= batch_size or (
        batch_size == 2 and max(sizes) == 3
    )  # an odd one out joins a pair
    for name in data.modalities:
        assert sorted(i for batch in drawn for i in samples(batch, name)) == list(range(count))


@pytest.mark.parametrize(
    ("count", "batch_size"), [(129, 128), (9, 4), (33, 8), (3, 2), (5, 2), (65, 2)]
)
def test_one_sample_too_many_never_crashes_batchnorm(count, batch_size):
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3), torch.nn.Flatten(), torch.nn.BatchNorm1d(4)
    ).train()
    with pytest.raises(ValueError, match="more than 1 value"):
        network(torch.zeros(1, 2, 3, 3))  # what would happen with a batch of one
    data = numbered({"rgb": range(count)})
    for batch in Batches(data, batch_size, seed=0).epoch(0):
        assert torch.isfinite(network(batch.x["rgb"])).all()


def test_sizes_of_the_docstring():
    assert [len(b.y["rgb"]) for b in Batches(numbered({"rgb": range(129)}), 128, 0).epoch(0)] == [
        65,
        64,
    ]


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_same_seed_and_epoch_same_batches(pairing):
    data = scenes.make(40, size=8)
    one, again, other = (Batches(data, 8, seed, pairing=pairing) for seed in (3, 3, 4))
    for batches in (
        again,
        one,
    ):  # also when an epoch is asked for a second time, or after another one
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
        images.append(
            sorted(image.sum((0, 1))[0].item() for image in batch.x["rgb"])
        )  # of the left column
    assert images[0] != images[1]


def test_paired_rows_are_the_same_scenes_and_unpaired_rows_are_not():
    data = numbered({"rgb": range(100), "depth": range(99, -1, -1), "thermal": np.r_[50:100, 0:50]})
    for batch in Batches(data, 16, 0, pairing="paired").epoch(0):
        assert samples(batch, "rgb") == samples(batch, "depth") == samples(batch, "thermal")
    data = numbered(
        {name: range(100) for name in data.modalities}
    )  # in one order, so that one shuffle would pair them
    batches = Batches(data, 16, 0, pairing="unpaired")
    orders = [epoch_of(batches, 0, name) for name in data.modalities]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        same = sum(a == b for a, b in zip(orders[one], orders[other], strict=True))
        assert same < 8  # one expected by chance


def test_paired_batches_leave_out_what_lacks_a_modality():
    data = numbered({"rgb": range(20), "depth": range(12, 40)})
    batches = Batches(data, 4, 0, pairing="paired")
    assert (
        sorted(epoch_of(batches, 0, "rgb"))
        == sorted(epoch_of(batches, 0, "depth"))
        == list(range(12, 20))
    )


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
        DataError,
        match=r"^data: no id stands in each of rgb, depth, so no pairs; train a method with",
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


# from memory or from disk
# ---------------------------------------------------------------------------------------


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
    assert all(images.resident is None for images in streamed.images.values())
    assert all(images.resident is not None for images in resident.images.values())
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
    assert images["rgb"].resident is None
    assert images["depth"].resident is not None


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


# stacked modalities
# ---------------------------------------------------------------------------------------------


def test_paired_rows_are_where_the_shared_ids_stand():
    data = numbered({"rgb": [4, 1, 7, 3], "depth": [3, 9, 4, 7], "sar": [7, 8, 3]})
    rows = paired_rows(data, ["rgb", "depth"])
    assert {name: data.modalities[name].ids[found].tolist() for name, found in rows.items()} == {
        "rgb": [4, 7, 3],
        "depth": [4, 7, 3],
    }
    assert {
        name: found.tolist() for name, found in paired_rows(data, ["sar", "rgb", "depth"]).items()
    } == {"sar": [0, 2], "rgb": [2, 3], "depth": [3, 0]}
    assert paired_rows(data, ["depth"])["depth"].tolist() == [
        2,
        3,
        0,
        1,
    ]  # each once, in the order of all ids


@pytest.mark.parametrize("resident_bytes", [0, 1 << 20])
def test_stacked_images_are_the_bands_of_the_same_scenes(resident_bytes):
    whole = scenes.make(20, size=8, modalities=("rgb", "depth", "thermal"))
    depth = whole.modalities["depth"].take(np.r_[15:2:-1])  # in another order, and some are missing
    data = MultiModalData({**whole.modalities, "depth": depth}, whole.classes)
    for name, expected in {
        "rgb+depth": range(3, 16),
        "thermal+rgb": range(20),
        "depth+thermal+rgb": range(3, 16),
    }.items():
        held = Images(data, name, "cpu", resident_bytes)
        assert (held.resident is None) == (resident_bytes == 0)
        assert held.ids.tolist() == whole.ids[list(expected)].tolist()
        assert held.labels.tolist() == whole.labels[list(expected)].tolist()
        stacked = np.concatenate(
            [whole.modalities[part].x[list(expected)] for part in name.split("+")], 1
        )
        rows = torch.tensor([2, 0, 9])
        np.testing.assert_array_equal(held[rows].numpy(), stacked[rows])
        assert len(held) == len(stacked)


def test_images_of_one_modality_are_all_of_them_in_their_order():
    data = numbered({"rgb": [4, 1, 7], "depth": [7, 9, 4]})
    held = Images(data, "depth", "cpu")
    assert held.ids.tolist() == [7, 9, 4]
    assert held.labels.tolist() == [1, 1, 0]
    assert held[torch.arange(3)][:, 0, 0, 0].tolist() == [7, 9, 4]


def test_stacked_images_are_scaled_each_by_its_own_bounds():
    split = scenes.make(66, size=8).split(seed=1)
    held = Images(split.test, "rgb+depth", "cpu")[torch.arange(5)].numpy()
    for name, part in (("rgb", held[:, :3]), ("depth", held[:, 3:])):
        np.testing.assert_array_equal(
            part, split.train.normalization[name](split.test.modalities[name].x[:5])
        )


def test_images_of_two_sizes_cannot_be_stacked():
    rgb, depth = (
        scenes.make(10, size=8).modalities["rgb"],
        scenes.make(10, size=12).modalities["depth"],
    )
    data = MultiModalData({"rgb": rgb, "depth": depth}, tuple("abcdefghi"))
    with pytest.raises(
        DataError, match=r"^data: images of .*rgb.*8, 8.*depth.*12, 12.* cannot be stacked"
    ):
        Images(data, "rgb+depth", "cpu")
    assert len(Images(data, "depth", "cpu")) == 10


def test_images_without_a_shared_id_cannot_be_stacked():
    with pytest.raises(DataError, match="no id stands in each of rgb, depth"):
        Images(numbered({"rgb": range(10), "depth": range(10, 20)}), "rgb+depth", "cpu")


# augmentation
# --------------------------------------------------------------------------------------------------


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
    reshaped = {
        name: replace(m, x=m.x.reshape(200, -1, *shape)) for name, m in data.modalities.items()
    }
    data = replace(data, modalities=reshaped)
    kwargs = {"batch_size": 200, "seed": 0, "pairing": "paired"}
    (plain,), (moved,) = (Batches(data, **kwargs, augment=p).epoch(0) for p in (0, 0.5))
    drawn = {}
    for name in data.modalities:
        assert torch.equal(plain.y[name], moved.y[name])
        drawn[name] = []
        for before, after in zip(plain.x[name], moved.x[name], strict=True):
            every = move(before.expand(16, *before.shape), torch.arange(16))
            fits = [m for m in range(16) if torch.equal(every[m], after)]
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


# strong views and soft labels
# -----------------------------------------------------------------------------------


def test_a_batch_knows_its_epoch():
    batches = Batches(numbered({"rgb": range(10)}), 4, 0, strong=True)
    for epoch in (0, 7):
        assert {(batch.epoch, batch.strong.epoch) for batch in batches.epoch(epoch)} == {
            (epoch, epoch)
        }
    assert [batch.strong for batch in Batches(numbered({"rgb": range(10)}), 4, 0).epoch(0)] == [
        None
    ] * 3


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
@pytest.mark.parametrize("augment", [0.0, 0.5])
def test_strong_views_change_nothing_about_the_weak_ones(pairing, augment):
    data = scenes.make(40, size=8)
    make = {"batch_size": 8, "seed": 3, "pairing": pairing, "augment": augment}
    plain, both = Batches(data, **make), Batches(data, **make, strong=True)
    for epoch in (0, 4):
        for one, two in zip(plain.epoch(epoch), both.epoch(epoch), strict=True):
            for name in data.modalities:
                assert torch.equal(one.x[name], two.x[name])
                assert torch.equal(one.y[name], two.y[name])


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_a_strong_view_is_of_the_same_samples_with_one_quarter_blank(pairing):
    ids = range(1, 41)  # no image is black by itself
    batches = Batches(
        numbered({"rgb": ids, "depth": ids}, 4, 6), 8, 0, pairing=pairing, augment=0, strong=True
    )
    for batch in batches.epoch(0):
        for name, strong in batch.strong.x.items():
            weak = samples(batch, name)
            assert strong.amax((1, 2, 3)).tolist() == weak
            assert (
                (strong == 0).flatten(1).sum(1) == 2 * 6
            ).all()  # two bands, a quarter of 24 pixels
            assert ((strong == 0) | (strong == batch.x[name])).all()
            assert torch.equal(batch.strong.y[name], batch.y[name])
        assert batch.strong.strong is None


def test_strong_views_are_drawn_for_each_image_modality_epoch_and_seed():
    data = scenes.make(60, size=8)

    def strong(seed, epoch):
        (batch,) = Batches(data, 60, seed, pairing="paired", augment=0, strong=True).epoch(epoch)
        found = {}
        for name, images in batch.strong.x.items():
            every = [view(batch.x[name], torch.full((60,), number)) for number in range(8, VIEWS)]
            fits = torch.stack([(images == seen).flatten(1).all(1) for seen in every])
            assert fits.any(0).all()
            found[name] = fits.float().argmax(0).tolist()
        return found

    first = strong(0, 0)
    assert len(set(first["rgb"])) > 20
    assert first["rgb"] != first["depth"]
    assert strong(0, 0) == first
    assert strong(0, 1)["rgb"] != first["rgb"]
    assert strong(1, 0)["rgb"] != first["rgb"]


def test_strong_motions_have_nothing_to_do_with_the_weak_ones(monkeypatch):
    drawn, original = [], batching.draw_views

    def watched(*given):
        drawn.append(original(*given))
        return drawn[-1]

    monkeypatch.setattr(batching, "draw_views", watched)
    data = numbered({"rgb": range(400), "depth": range(400)})
    list(Batches(data, 400, 0, pairing="paired", augment=1, strong=True).epoch(0))
    assert len(drawn) == 4
    for one, two in itertools.combinations(drawn, 2):
        assert (one % 8 == two % 8).float().mean() < 0.3  # 0.16 by chance


def linear_teacher(data, views, seed=0, classes=4):
    """Soft labels of a "network" that is one matrix: what it says of an image is known for every
    view."""
    draw = torch.Generator().manual_seed(seed)
    matrices, shares = {}, {}
    for name in data.modalities:
        images = Images(data, name, "cpu")
        x = images[torch.arange(len(images))]
        matrices[name] = torch.randn(x[0].numel(), classes, generator=draw)
        seen = [
            view(x, torch.full((len(x),), number)).flatten(1) @ matrices[name]
            for number in range(views)
        ]
        shares[name] = torch.stack(seen, 1)
    bias = torch.randn(classes, generator=draw)
    return SoftLabels(
        shares, bias
    ), lambda batch: bias + sum(x.flatten(1) @ matrices[m] for m, x in batch.x.items())


def partly_paired():
    whole = scenes.make(40, size=8)
    rgb, depth = whole.modalities.values()
    return MultiModalData(
        {"rgb": rgb.take(np.r_[5:40]), "depth": depth.take(np.r_[30:-1:-1])}, whole.classes
    )


@pytest.mark.parametrize("make_data", [lambda: scenes.make(40, size=8), partly_paired])
@pytest.mark.parametrize(
    ("augment", "strong", "views"), [(0, False, 1), (0.5, False, 8), (0, True, 40), (1, True, 40)]
)
def test_soft_labels_are_for_the_very_images_shown(make_data, augment, strong, views):
    data = make_data()
    soft, says = linear_teacher(data, views)
    batches = Batches(data, 8, 0, pairing="paired", augment=augment, soft=soft, strong=strong)
    for epoch in (0, 1):
        for batch in batches.epoch(epoch):
            for seen in (batch, batch.strong) if strong else (batch,):
                assert seen.soft.shape == (len(seen.y["rgb"]), 4)
                torch.testing.assert_close(seen.soft, says(seen), rtol=1e-4, atol=1e-4)


def test_soft_labels_of_a_teacher_that_reads_one_modality_leave_the_images_as_they_are():
    data = partly_paired()
    (both, says), make = (
        linear_teacher(data, 8),
        {"batch_size": 8, "seed": 0, "pairing": "paired", "augment": 1},
    )
    one = SoftLabels({"rgb": both.shares["rgb"]}, both.bias)
    rest = SoftLabels({"depth": both.shares["depth"]}, 0 * both.bias)
    kinds = [Batches(data, **make, soft=soft).epoch(0) for soft in (None, one, rest)]
    for bare, batch, other in zip(*kinds, strict=True):
        assert bare.soft is None
        assert all(torch.equal(batch.x[name], bare.x[name]) for name in data.modalities)
        torch.testing.assert_close(batch.soft + other.soft, says(batch), rtol=1e-4, atol=1e-4)


def test_soft_labels_are_looked_up_row_by_row_and_view_by_view():
    """Shares that say their own place: hundreds the row, ones the view."""
    rows, views = torch.arange(5)[:, None], torch.arange(8)[None]
    shares = {
        "rgb": (100 * rows + views)[..., None].float(),
        "depth": (1e4 * (100 * rows + views))[..., None].float(),
    }
    soft = SoftLabels(shares, torch.tensor([0.5]))
    found = soft(
        {"rgb": torch.tensor([4, 0]), "depth": torch.tensor([1, 2])},
        {"rgb": torch.tensor([7, 3]), "depth": torch.tensor([0, 5])},
    )
    assert found.tolist() == [[407.5 + 1e4 * 100], [3.5 + 1e4 * 205]]


def test_bf16_takes_no_digits_from_soft_labels():
    """Fabric rounds the tensors of dataclasses and mappings that a network is given; a batch is
    neither."""
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    soft = torch.tensor([[1.001, 2.002]])
    strong = Batch({"rgb": torch.rand(1, 3, 4, 4)}, {"rgb": torch.tensor([0])}, soft=soft + 1)
    batch = Batch(strong.x, strong.y, 3, soft, strong)
    seen = fabric.setup(_Keep())(batch)
    assert seen is batch
    assert (seen.soft.dtype, seen.strong.soft.dtype, seen.x["rgb"].dtype) == (torch.float32,) * 3
    assert torch.equal(seen.soft, soft)


class _Keep(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, batch):
        return batch


# a class for every pixel
# ----------------------------------------------------------------------------------------

COARSE = tuple("abcdefgh")


def class_of(x):
    """What the planted masks say of a pixel: a function of its first band; every fifth value has no
    label."""
    value = x[..., 0, :, :].long() if isinstance(x, torch.Tensor) else x[..., 0, :, :].astype(int)
    known = value % len(COARSE)
    return (
        torch.where(value % 5 == 0, 255, known)
        if isinstance(x, torch.Tensor)
        else np.where(value % 5, known, 255)
    )


def planted(ids, height=6, width=6, **fields):
    """Dense data whose images are all different numbers, and whose masks say what their pixel
    is."""
    modalities, masks = {}, {}
    pixels = np.arange(height * width).reshape(height, width)
    for band, (name, held) in enumerate(ids.items()):
        held = np.array(held)
        scene = 97 * held[:, None, None] + pixels  # what all modalities share
        x = np.stack([scene, scene + 1000 * band], 1).astype(np.float32)
        modalities[name] = Modality(x, np.zeros(len(held), int), held)
        masks |= dict(zip(held.tolist(), class_of(x).astype(np.uint8), strict=True))
    seen = dict.fromkeys(i for held in ids.values() for i in np.array(held).tolist())
    return MultiModalData(modalities, COARSE, masks=np.stack([masks[i] for i in seen]), dense=True, normalized=True,
                          **fields)  # fmt: skip


DENSE = {
    "paired": {"rgb": range(30), "depth": range(29, -1, -1)},
    "partly": {"depth": range(5, 30), "rgb": range(22), "sar": [3, *range(8, 20), 40]},
}


@pytest.mark.parametrize("resident_bytes", [0, 2000, 1 << 20])
@pytest.mark.parametrize("size", [(6, 6), (4, 7)])
@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
@pytest.mark.parametrize("kind", DENSE)
def test_masks_are_moved_exactly_as_their_images(kind, pairing, size, resident_bytes):
    data = planted(DENSE[kind], *size)
    make = {"pairing": pairing, "augment": 1, "dense": True, "resident_bytes": resident_bytes}
    batches, moved = Batches(data, 8, 0, **make), 0
    for batch in (*batches.epoch(0), *batches.epoch(1)):
        for name, labels in batch.y.items():
            assert labels.dtype == torch.int64
            assert labels.shape == (len(batch.x[name]), *size)
            assert torch.equal(labels, class_of(batch.x[name]))
            moved += int((batch.views[name] > 0).sum())
    assert moved > 20
    assert (labels == 255).any()


def test_a_mask_moved_in_another_way_would_be_noticed():
    data = planted(DENSE["paired"])
    batch = next(Batches(data, 8, 0, pairing="paired", augment=1, dense=True).epoch(0))
    assert not torch.equal(
        turn(batch.y["rgb"][:, None], batch.views["rgb"])[:, 0], class_of(batch.x["rgb"])
    )
    assert not torch.equal(
        batch.y["rgb"], batch.y["depth"]
    )  # the other modality's is in another place


def test_paired_masks_are_of_the_same_scene_once_put_back():
    for batch in Batches(
        planted(DENSE["paired"]), 8, 0, pairing="paired", augment=1, dense=True
    ).epoch(0):
        upright = [put_back(batch.y[name], batch.views[name]) for name in ("rgb", "depth")]
        assert torch.equal(*upright)


def put_back(labels, views):
    """Undo each image's motion by trying all: the one that `turn` makes the labels of."""
    found = []
    for one, seen in zip(labels[:, None], views.tolist(), strict=True):
        back = [turn(one[None], torch.tensor([v])) for v in range(8)]
        fits = [
            image for image in back if torch.equal(turn(image, torch.tensor([seen])), one[None])
        ]
        found.append(fits[0][0, 0])
    return torch.stack(found)


@pytest.mark.parametrize("dense", [False, True])
def test_views_say_how_each_image_is_moved(dense):
    data = planted(DENSE["paired"], 5, 5)
    originals = {
        int(image[0, 0, 0]) // 97: image for image in torch.from_numpy(data.modalities["rgb"].x)
    }
    for batch in Batches(data, 8, 0, augment=1, dense=dense).epoch(0):
        assert set(batch.views) == {"rgb", "depth"}
        smallest = batch.x["rgb"][:, 0].amin((1, 2)).long() // 97
        upright = torch.stack([originals[i] for i in smallest.tolist()])
        assert batch.views["rgb"].shape == (len(upright),)
        assert torch.equal(turn(upright, batch.views["rgb"]), batch.x["rgb"])


@pytest.mark.parametrize("coupled", [False, True])
def test_coupled_modalities_have_equal_views_and_others_do_not(coupled):
    data = planted({name: range(40) for name in ("rgb", "depth", "sar")})
    make = {"batch_size": 10, "seed": 3, "pairing": "paired", "augment": 1, "dense": True}
    batches = Batches(data, **make, coupled=coupled)
    drawn = {
        name: torch.cat([b.views[name] for e in range(3) for b in batches.epoch(e)])
        for name in data.modalities
    }
    assert torch.equal(drawn["rgb"], drawn["depth"]) == coupled
    assert torch.equal(drawn["rgb"], drawn["sar"]) == coupled
    assert len(drawn["rgb"].unique()) == 8
    if coupled:
        for batch in batches.epoch(0):
            assert torch.equal(
                batch.x["rgb"][:, 0], batch.x["sar"][:, 0]
            )  # row by row the same pixels
            assert torch.equal(batch.y["rgb"], batch.y["depth"])


def test_the_first_modality_is_moved_as_ever_when_others_follow_it():
    """Coupled or not, the same seed shows the same scenes, and the first modality in the same
    views."""
    data = planted({name: range(40) for name in ("rgb", "depth")})
    make = {"batch_size": 10, "seed": 3, "pairing": "paired", "augment": 0.5, "dense": True}
    for one, other in zip(
        *(Batches(data, **make, coupled=c).epoch(2) for c in (False, True)), strict=True
    ):
        assert torch.equal(one.x["rgb"], other.x["rgb"])
        assert torch.equal(one.x["depth"].amin((1, 2, 3)), other.x["depth"].amin((1, 2, 3)))


def test_classification_batches_are_what_they_were():
    """Views are drawn as before, and labels stay one for an image: a run's numbers are those of
    earlier versions."""
    data = scenes.make(30, size=8)
    batches = Batches(data, 10, 4)
    streams = np.random.SeedSequence([4, 1]).generate_state(4)
    for number, name in enumerate(data.modalities):
        generator = torch.Generator().manual_seed(int(streams[2 * number + 1]))
        for batch in batches.epoch(1):
            motions, numbers = (
                draw_motions(batch.x[name], 0.5, generator),
                torch.arange(64.0).view(1, 1, 8, 8),
            )
            assert batch.y[name].shape == (10,)
            assert torch.equal(move(numbers.expand(10, 1, 8, 8), motions),
                               turn(numbers.expand(10, 1, 8, 8), batch.views[name]))  # fmt: skip


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("resident_bytes", [0, 1 << 20])
@pytest.mark.parametrize("name", ["rgb", "depth", "sar", "rgb+depth", "sar+rgb+depth"])
def test_the_truth_of_images_is_their_own_mask(tmp_path, name, resident_bytes, opened):
    data = planted(DENSE["partly"])
    if opened:
        data.save(tmp_path / "held")
        data = MultiModalData.open(tmp_path / "held")
        assert data.dense
    held = Images(data, name, "cpu", resident_bytes, dense=True)
    assert (held._truth is None) == (resident_bytes == 0)
    rows = torch.tensor([3, 0, len(held) - 1])
    for chosen in (rows, slice(None)):
        images = held[rows if chosen is rows else torch.arange(len(held))]
        truth = held.truth(chosen)
        assert truth.dtype == torch.uint8
        for first in range(
            0, images.shape[1], 2
        ):  # each stacked modality's first band says the same
            assert torch.equal(truth.long(), class_of(images[:, first : first + 1]))


@pytest.mark.parametrize("resident_bytes", [0, 1 << 20])
def test_the_truth_without_dense_is_the_label_of_the_image(resident_bytes):
    data = numbered({"rgb": range(10), "depth": range(4, 10)})
    held = Images(data, "rgb+depth", "cpu", resident_bytes)
    assert held.truth().tolist() == [0, 1, 0, 1, 0, 1]
    assert held.truth(torch.tensor([1, 4])).tolist() == [1, 0]
    assert held.truth().dtype == torch.int64


def test_masks_of_a_batch_are_read_when_they_are_asked_for(tmp_path):
    planted(DENSE["paired"]).save(tmp_path / "held")
    data = MultiModalData.open(tmp_path / "held")
    streamed, resident = (
        Batches(data, 8, 0, augment=1, dense=True, resident_bytes=size) for size in (0, 1 << 20)
    )
    for one, other in zip(streamed.epoch(0), resident.epoch(0), strict=True):
        for name in data.modalities:
            assert torch.equal(one.y[name], other.y[name])
            assert torch.equal(one.x[name], other.x[name])


@pytest.mark.parametrize(("spare", "held"), [(0, True), (-4, False)])
def test_a_modality_is_held_up_to_a_quarter_of_the_free_memory(monkeypatch, spare, held):
    data = scenes.make(12, size=8)
    size = 4 * 12 * 3 * 8 * 8
    monkeypatch.setattr("discom.data.batches.free_memory", lambda device: 4 * size + spare)
    images = Batches(data, 4, 0).images
    assert (images["rgb"].resident is not None) == held
    assert images["depth"].resident is not None


def test_an_epoch_read_from_disk_may_be_left_in_the_middle():
    batches = Batches(scenes.make(40, size=8), 4, 0, resident_bytes=0)
    first = next(iter(batches.epoch(0)))
    again = list(batches.epoch(0))
    assert torch.equal(first.x["rgb"], again[0].x["rgb"])
    assert len(again) == len(batches)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]


def test_what_fails_while_reading_ahead_is_told_at_its_batch(monkeypatch):
    batches = Batches(scenes.make(40, size=8), 4, 0, resident_bytes=0)
    read, calls = batches.images["rgb"]._read, []

    def broken(rows):
        calls.append(rows)
        if len(calls) == 3:
            raise DataError("cannot be read")
        return read(rows)

    monkeypatch.setattr(batches.images["rgb"], "_read", broken)
    coming = batches.epoch(0)
    next(coming), next(coming)
    with pytest.raises(DataError, match="cannot be read"):
        next(coming)
