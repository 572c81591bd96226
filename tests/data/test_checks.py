"""Data that cannot be right are refused in one line that names the place."""

import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused

from discom import data, files, methods, profile
from discom.data import Modality, MultiModalData
from discom.data.scenes import objects
from discom.errors import ConfigError, DataError

SIX, TEXT = np.arange(6), np.arange(6).astype(str)
PARTS = {"train": np.arange(3), "valid": np.array([3]), "test": np.array([4, 5])}


def modality(**changed):
    arrays = {"x": np.zeros((6, 1, 2, 2), np.float32), "y": SIX % 3, "ids": SIX}
    return Modality(**arrays | changed)


def make(**fields):
    own = {"modalities": {"rgb": modality()}, "classes": ("cat", "dog", "owl"), "name": "mine"}
    return MultiModalData(**own | fields)


def of_rgb(**changed):
    return {"modalities": {"rgb": modality(**changed)}}


def of_both(**changed):
    return {"modalities": {"rgb": modality(), "depth": modality(**changed)}}


WRONG = [  # the place that the error names, what is wrong there
    *(("/rgb", of_rgb(x=x)) for x in (
        [[[[0.0]]]] * 6,
        np.zeros((6, 2, 2)),
        np.zeros((6, 1, 0, 2)),
        np.zeros((6, 1, 2, 2), bool),
        np.zeros((6, 16, 16, 3)),  # bands at the end
        np.zeros((6, 16, 20, 3)),
        np.zeros((6, 20, 16, 13)),
        np.zeros((6, 1, 64, 3)),  # signals [N, 1, T, C] and [N, T, 1, C]
        *(np.zeros((6, 1, *shape)) for shape in ((20, 3), (64, 9), (128, 22), (64, 1), (6, 128))),
        np.zeros((6, 64, 1, 3)),
        np.ma.zeros((6, 1, 2, 2)),  # whose mask would be lost
    )),
    ("/rgb", of_rgb(ids=np.array([0, 1, 2, 3, 4, 2]))),
    ("/rgb", of_rgb(symmetry="turn")),
    *(("/rgb", of_rgb(x=x, symmetry="rotate"))  # no signals of three axes
      for x in (np.zeros((6, 4, 1, 8)), np.zeros((6, 3, 2, 8)))),
    *(("/rgb/y", of_rgb(y=y)) for y in (
        pd.Series(SIX % 3, SIX[::-1]),
        np.full(6, 0.5),
        SIX[:5] % 3,
        np.array([0, 1, 2, 3, 0, 0]),
        np.array([0, 1, 2, -2, 0, -1]),
    )),
    *(("/rgb/ids", of_rgb(ids=ids)) for ids in (SIX / 2, np.array(["1", 1, 2, 3, 4, 5], object))),
    *(("/rgb: invalid", of_rgb(invalid=value)) for value in ("-32768", True, np.nan)),
    *(("", {"classes": c}) for c in ((), "cat", ("cat", "dog", "cat"), ("cat", "dog", 3))),
    ("", {"modalities": {}}),
    ("", of_both(ids=TEXT)),
    ("", {"parts": {"train": SIX}}),
    ("", {"dense": True}),
    *((f"/{name}", {"modalities": {name: modality()}})
      for name in ("RGB", "near infrared", "", "2d", "../x", "is")),
    *(("/groups", {"groups": groups}) for groups in (np.zeros(5, int), np.zeros(6))),
    *(("/groups", {"groups": np.array(["a", "b", "b", empty, "c", "c"])})
      for empty in ("", "nan", "<NA>")),
    ("/masks", {"masks": np.zeros((7, 2, 2))}),
    ("/masks", {"masks": np.zeros((6, 2, 2), int), "dense": True}),
    ("/masks", {"masks": np.zeros((6, 2, 1), np.uint8), "dense": True}),
    ("/height", {"factors": {"height": np.zeros(5)}}),
    ("/height", {"factors": {"height": np.array([1.5, None] * 3)}}),
    *(("/depth", of_both(y=np.array(y))) for y in ([0, 1, 2, 0, 0, 2], [0, 1, -1, 0, 1, 2])),
    *(("/parts", {"parts": {**PARTS, "train": np.array(rows, int)}})
      for rows in ([0, 6], [-1], [0, 1, 0], [0, 4])),
    ("/test", {"parts": {**PARTS, "test": [4, 5]}}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "changed"), WRONG)
def test_data_that_cannot_be_right(place, changed):
    error = ConfigError if place.endswith("invalid") else DataError
    refused(lambda: make(**changed), f"^mine.*{place}.*: ", error)


def test_a_pair_of_two_labels_is_named_with_both():
    for labels, said in (
        ([0, 1, 2, 0, 0, 2], "'4' is 'cat' here and 'dog' in rgb"),
        ([0, 1, -1, 0, 1, 2], "'2' is without a label here and 'owl' in rgb"),
    ):
        refused(lambda labels=labels: make(**of_both(y=np.array(labels))), f"mine/depth: id {said}")


@pytest.mark.parametrize("use", [lambda d: d.split(), lambda d: d.fingerprint])
def test_pixels_that_are_not_finite(use, monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16)
    for value in (np.nan, np.inf):
        x = np.zeros((12, 2, 2, 2), np.float32)
        x[7, 1, 0, 1] = value
        wrong = make(modalities={"rgb": modality(x=x, y=np.arange(12) % 3, ids=np.arange(12))})
        refused(lambda wrong=wrong: use(wrong), "^mine/rgb: sample 7 ")


@pytest.mark.parametrize(("value", "place"), [(4, (0, 0, 0)), (254, (13, 15, 2)), (255, (7,))])
def test_an_id_that_is_no_class_and_a_mask_without_any(value, place, monkeypatch, tmp_path):
    """In training a mask without any would count as labelled."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16 * 16)
    whole = data.load("scenes-dense:n=20,size=16")
    masks = whole.masks.copy()
    masks[place] = masks[(19, *place[1:])] = value  # the first one is named
    wrong = replace(whole, masks=masks)
    for call in (wrong.split, lambda: wrong.save(tmp_path / "out")):
        refused(call, rf"/masks: sample {place[0]} .*{value}")


def test_a_class_without_a_pixel_is_told():
    """Masks of two classes as 0 and 255 scored a mean IoU of 100."""
    masks = np.where(np.arange(36).reshape(6, 2, 3) % 2, 255, 0).astype(np.uint8)
    sensors = of_rgb(x=np.zeros((6, 1, 2, 3), np.float32), y=0 * SIX)
    with pytest.warns(UserWarning, match="mine/masks: no pixel is of class 'dog'"):
        assert make(**sensors, classes=("cat", "dog"), masks=masks, dense=True).fingerprint


def test_a_class_without_a_pixel_in_a_part_is_refused_or_told():
    """Where training and test lacked it, nothing was said, and one class scored 100."""
    masks = np.zeros((6, 2, 2), np.uint8)
    masks[:, 0, 0] = 1
    parts = {"train": np.arange(3), "valid": SIX[3:4], "test": SIX[4:]}

    def split(*places):
        masks[masks == 2] = 0
        masks[[*places], 1, 1] = 2
        make(**of_rgb(y=0 * SIX), masks=masks, dense=True, parts=parts).split_indices()

    for places in ([4, 5], [3]):
        refused(partial(split, *places), "^mine: the train part has no pixel of class 'owl'")
    with pytest.warns(UserWarning, match="^mine: the test part has no pixel of class 'owl'"):
        split(0, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split(0, 3, 4)


def test_a_dense_method_needs_a_class_for_every_pixel():
    plain, tiny = objects.make(66, size=16), profile("tiny", dense=True, epochs=1)
    refused(lambda: methods.build(methods.get("single"), plain, tiny), "^single: ", ConfigError)


UNFIT = [  # images that an encoder cannot take: the encoder, their shape
    ("timm:vit_tiny_patch16_224", (3, 32, 32)),
    ("conv1d", (3, 32, 32)),
    ("spectrum", (3, 32, 32)),
    ("spectrum", (3, 1, 20)),  # less than a window
    ("timm:convnext_atto", (3, 4, 4)),
    ("timm:convnext_atto", (3, 1, 64)),
]


@pytest.mark.parametrize(("encoder", "shape"), UNFIT)
def test_an_encoder_that_cannot_take_the_images_is_refused_before_training(encoder, shape):
    sensors = of_rgb(x=np.zeros((6, *shape), np.float32), symmetry="none")
    config = profile("tiny", encoder=encoder)
    call = partial(methods.build, methods.get("student"), make(**sensors), config)
    refused(call, f"^encoder: {encoder} .* rgb", ConfigError)


def test_a_network_of_sensors_of_two_sizes_is_refused_before_training():
    both = of_both(x=np.zeros((6, 1, 2, 3), np.float32))
    call = partial(methods.build, methods.get("teacher"), make(**both), profile("tiny"))
    refused(call, "^mine: images of rgb 1×2×2, depth 1×2×3 cannot be stacked")
