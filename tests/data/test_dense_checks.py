"""Dense data that cannot be right: refused in one line that says where; and images without any
label, which are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from discom import data, files, fit, methods, profile
from discom.data import Batch, Modality, MultiModalData
from discom.errors import ConfigError, DataError
from discom.losses.dense import cross_entropy
from discom.methods import build

TINY = profile("tiny", dense=True, epochs=1)


@pytest.fixture(scope="module")
def whole():
    return data.load("scenes-dense:n=20,size=16,objects=2")


def with_masks(held, masks, **fields):
    return replace(held, masks=masks, **fields)


def one_line(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---------------------------------------------------------------- at construction


@pytest.mark.parametrize("shape", [(16, 12), (12, 16), (8, 8)])
def test_masks_of_another_size_than_the_images(whole, shape):
    with pytest.raises(DataError) as caught:
        with_masks(whole, np.zeros((20, *shape), np.uint8))
    assert one_line(caught) == (
        f"scenes-dense/rgb: images are 16×16 pixels, masks {shape[0]}×{shape[1]};"
        " bring them to one size, masks by nearest neighbour"
    )


def test_the_modality_that_does_not_fit_is_named(whole):
    small = replace(whole.modalities["depth"], x=whole.modalities["depth"].x[:, :, ::2, ::2])
    with pytest.raises(
        DataError, match=r"^scenes-dense/depth: images are 8×8 pixels, masks 16×16; "
    ):
        replace(whole, modalities={**whole.modalities, "depth": small})


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32, bool, np.int8, np.uint16])
def test_masks_that_are_no_uint8(whole, dtype):
    with pytest.raises(DataError) as caught:
        with_masks(whole, whole.masks.astype(dtype))
    assert (
        one_line(caught)
        == f"scenes-dense: masks are {np.dtype(dtype)}; classes of pixels are uint8, 255 for no label"
    )


@pytest.mark.parametrize("count", [19, 21, 0])
def test_masks_of_another_number(whole, count):
    with pytest.raises(DataError) as caught:
        with_masks(whole, np.zeros((count, 16, 16), np.uint8))
    assert (
        one_line(caught)
        == f"scenes-dense: masks has {count} entries for 20 samples; align with ids"
    )


def test_masks_that_are_no_classes_may_be_anything(whole):
    """Without dense they are whatever a source knows of each pixel, as before."""
    held = with_masks(whole, np.zeros((20, 5, 7), np.float32), dense=False)
    assert held.take(np.array([3, 4])).masks.shape == (2, 5, 7)


# ---------------------------------------------------------------- at the split, where masks are
# read


@pytest.mark.parametrize(
    ("value", "place"), [(4, (0, 0, 0)), (254, (13, 15, 2)), (17, (19, 15, 15))]
)
def test_an_id_that_is_no_class(whole, value, place):
    masks = whole.masks.copy()
    masks[place] = value
    masks[19, 15, 15] = value  # the first one is named
    with pytest.raises(DataError) as caught:
        with_masks(whole, masks).split()
    assert one_line(caught) == (
        f"scenes-dense: mask of sample {place[0]} holds {value} at pixel ({place[1]}, {place[2]});"
        " there are classes 0 … 3, and 255 for no label"
    )


def test_the_sample_is_named_also_where_masks_are_read_in_parts(whole, monkeypatch, tmp_path):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16 * 16)
    masks = whole.masks.copy()
    masks[16, 3, 4] = 9
    with_masks(whole, masks).save(tmp_path / "held")
    for held in (with_masks(whole, masks), MultiModalData.open(tmp_path / "held")):
        with pytest.raises(
            DataError, match=r"mask of sample 16 holds 9 at pixel \(3, 4\); there are classes 0 … 3"
        ):
            held.split()


def test_masks_that_are_missing(whole):
    with pytest.raises(DataError) as caught:
        with_masks(whole, None).split()
    assert one_line(caught) == (
        "scenes-dense: dense, but has no masks; give masks [N, H, W], uint8, 255 where there is no label"
    )


def test_masks_without_a_single_label(whole):
    with pytest.raises(DataError) as caught:
        with_masks(whole, np.full_like(whole.masks, 255)).split()
    assert one_line(caught) == (
        "scenes-dense, train part: no pixel of any mask has a label; check how the masks were read, or divide otherwise"
    )


def test_one_labelled_pixel_in_the_last_image_of_a_part_is_enough(whole, monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16 * 16)
    masks = np.full_like(whole.masks, 255)
    for rows in whole.divide(seed=0).values():
        masks[rows[-1], 15, 15] = 3
    assert len(with_masks(whole, masks).split().train) == 10


@pytest.mark.parametrize("part", ["valid", "test"])
def test_a_part_without_a_label_is_named(whole, part):
    parts = whole.divide(seed=0)
    masks = whole.masks.copy()
    masks[parts[part]] = 255
    with pytest.raises(
        DataError, match=rf"^scenes-dense, {part} part: no pixel of any mask has a label"
    ):
        with_masks(whole, masks, parts=parts).split()


def test_dense_data_are_divided_whatever_their_most_frequent_class(whole):
    """One class may be the most frequent everywhere, which an image's label would not allow."""
    flat = {name: replace(m, y=np.zeros(20, np.int64)) for name, m in whole.modalities.items()}
    split = replace(whole, modalities=flat).split()
    assert sorted(i for part in split for i in part.ids) == sorted(whole.ids)
    with pytest.raises(DataError, match="two classes at least"):
        replace(whole, modalities=flat, dense=False).split()


# ---------------------------------------------------------------- an image without any label is
# allowed


def test_an_image_without_a_label_leaves_the_others_terms_alone():
    logits = torch.randn(
        3, 4, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    ).requires_grad_()
    labels = torch.randint(4, (3, 5, 5), generator=torch.Generator().manual_seed(1))
    without = labels.clone()
    without[1] = 255
    rest = cross_entropy(logits[[0, 2]], labels[[0, 2]])
    found = cross_entropy(logits, without)
    assert found.item() == pytest.approx(rest.item())
    assert torch.autograd.grad(found, logits)[0][1].abs().max() == 0
    none = cross_entropy(logits, torch.full_like(labels, 255))
    assert none.item() == 0
    assert torch.autograd.grad(none, logits)[0].abs().max() == 0


@pytest.mark.parametrize("unlabelled", ["one image", "all images"])
@pytest.mark.parametrize("name", ["single", "single-2x", "dense-teacher", "crodino"])
def test_a_step_with_images_without_a_label(whole, name, unlabelled):
    options = {"weights": {"soft": 0.5}} if name == "crodino" else {}
    model = build(methods.get(name), whole, replace(TINY, options=options))
    x = {m: torch.from_numpy(held.x[:4]) for m, held in whole.modalities.items()}
    masks = torch.from_numpy(whole.masks[:4]).long()
    masks[1 if unlabelled == "one image" else slice(None)] = 255
    batch = Batch(x, dict.fromkeys(x, masks), views=dict.fromkeys(x, torch.tensor([0, 3, 6, 1])))
    terms = model(batch)
    total = sum(model.weights[term] * value for term, value in terms.items())
    total.backward()
    assert all(value.isfinite() for value in terms.values())
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert (terms["cl"].item() == 0) == (unlabelled == "all images")


def test_training_and_test_with_images_without_a_label(whole, tmp_path):
    masks = whole.masks.copy()
    masks[::3] = 255
    result = fit(
        "crodino", with_masks(whole, masks).split(), TINY, tmp_path / "run", progress=False
    )
    assert all(0 <= scores["miou"] <= 100 for scores in result.scores.values())


# ---------------------------------------------------------------- data without classes of pixels


@pytest.mark.parametrize("name", methods.names(dense=True))
@pytest.mark.parametrize("kind", ["scenes", "masks of something else", "no masks"])
def test_a_dense_method_needs_a_class_for_every_pixel(whole, name, kind):
    held = {"scenes": lambda: data.load("scenes:n=9,size=16"),
            "masks of something else": lambda: replace(whole, dense=False),
            "no masks": lambda: with_masks(whole, None)}[kind]()  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        build(methods.get(name), held, TINY)
    assert one_line(caught) == (
        f"{name}: needs a class for every pixel, {held.name} has none; take dense data such as scenes-dense,"
        " or one of teacher, student, student-2x …"
    )


def test_nothing_is_left_of_a_dense_method_on_other_data(tmp_path):
    with pytest.raises(ConfigError, match="needs a class for every pixel"):
        fit(
            "single",
            data.load("scenes:n=66,size=16").split(),
            TINY,
            tmp_path / "run",
            progress=False,
        )
    assert list(tmp_path.iterdir()) == []


def test_classification_takes_dense_data_by_the_most_frequent_class(tmp_path):
    held = data.load("scenes-dense:n=60,size=16")
    result = fit(
        "student", held.split(), profile("tiny", epochs=1), tmp_path / "run", progress=False
    )
    assert (result.metric, result.classes) == ("f1", 4)


def test_dense_data_are_another_content_than_the_same_without_classes(whole):
    other = with_masks(whole, np.where(whole.masks == 1, 2, whole.masks).astype(np.uint8))
    assert len({held.fingerprint for held in (whole, other, replace(whole, dense=False))}) == 3
    assert with_masks(whole, whole.masks.copy()).fingerprint == whole.fingerprint


def test_one_modality_alone_keeps_its_masks(whole):
    alone = whole.select(["depth"])
    assert alone.dense
    assert np.array_equal(alone.masks, whole.masks)
    part = MultiModalData({"rgb": whole.modalities["rgb"].take(np.array([7, 2]))}, whole.classes,
                          masks=whole.masks[[7, 2]], dense=True)  # fmt: skip
    assert np.array_equal(part.take(np.array([1])).masks, whole.masks[[2]])
    assert isinstance(part.modalities["rgb"], Modality)
