"""Data that cannot be right are refused in one line with the place, the value and the way out."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import refused

from discom import data, files, fit, methods, profile
from discom.data import Modality, MultiModalData, scenes
from discom.data.batches import Batch
from discom.errors import ConfigError
from discom.methods import build

CLASSES = ("cat", "dog", "owl")
TINY = profile("tiny", dense=True, epochs=1)


def modality(**changed):
    arrays = {"x": np.zeros((6, 1, 2, 2), np.float32), "y": np.arange(6) % 3, "ids": np.arange(6)}
    return Modality(**arrays | changed)


SIX, SHAPE = np.arange(6), r"numbers of shape \[N, C, H, W\]"
WHOLE = r"give whole numbers of shape \[6\]"
NAMES = r"give whole numbers or text of shape \[6\]"
WRONG_MODALITY = [
    ({"x": [[[[0.0]]]] * 6}, f"rgb: is no array but a list; give {SHAPE}"),
    ({"x": np.zeros((6, 2, 2))}, rf"rgb: holds float64 of shape \(6, 2, 2\); give {SHAPE}"),
    ({"x": np.zeros((6, 1, 0, 2))}, r"rgb: holds float64 of shape \(6, 1, 0, 2\); give"),
    ({"x": np.zeros((6, 1, 2, 2), bool)}, "rgb: holds bool of shape"),
    ({"y": pd.Series(SIX % 3, SIX[::-1])}, f"rgb/y: is no array but a Series; {WHOLE}"),
    ({"y": np.full(6, 0.5)}, f"rgb/y: holds float64 of shape .*; {WHOLE}"),
    ({"y": np.array([0, 1, 2, 3, 0, 0])}, "rgb/y: label 3 is above 2, the last class; renumber"),
    ({"y": np.array([0, 1, 2, -2, 0, -1])}, "rgb/y: label -2 is below -1; renumber"),
    ({"ids": SIX / 2}, f"rgb/ids: holds float64 of shape .*; {NAMES}"),
    ({"ids": np.array(["1", 1, 2, 3, 4, 5], object)}, "rgb/ids: holds object of shape"),
    ({"ids": np.array([0, 1, 2, 3, 4, 2])}, "rgb: id '2' occurs twice; give each sample its own"),
    *(({"invalid": v}, "rgb: invalid .* is no number; write") for v in ("-32768", True, np.nan)),
    ({"motions": "turn"}, "rgb: motions 'turn'; write all, flip, none"),
]


@pytest.mark.parametrize(("changed", "fragment"), WRONG_MODALITY)
def test_a_wrong_modality(changed, fragment):
    wrong = modality(**changed)
    refused(lambda: MultiModalData({"rgb": wrong}, CLASSES, name="mine"), f"^mine/{fragment}")


@pytest.mark.parametrize("name", ["RGB", "near infrared", "", "2d", "../x", "rgb-1"])
def test_a_name_that_is_no_file_name(name):
    refused(lambda: MultiModalData({name: modality()}, CLASSES), "lower-case letters, digits and _")


OTHER, LACKS = np.array([0, 1, 2, 0, 0, 2]), np.array([0, 1, -1, 0, 1, 2])
TEXT = np.arange(6).astype(str)
PARTS = {"train": np.arange(3), "valid": np.array([3]), "test": np.array([4, 5])}
WRONG_DATA = [
    *(
        ({"classes": names}, ": classes are .*; name each class once, in a tuple of texts")
        for names in ((), "cat", ("cat", "dog", "cat"), ("cat", "dog", 3))
    ),
    ({"groups": np.zeros(5, int)}, rf"/groups: holds int64 of shape \(5,\); {NAMES}"),
    ({"masks": np.zeros((7, 2, 2))}, r"/masks: holds float64 of shape \(7, .*shape \[6, H, W\]"),
    ({"factors": {"height": np.zeros(5)}}, r"/height: holds float64 of shape \(5,\); give numbers"),
    ({"factors": {"height": np.array([1.5, None] * 3)}}, "/height: holds object"),
    *(
        (
            {"modalities": {"rgb": modality(), "depth": modality(y=labels)}},
            f"/depth: id '{sample}' has another label in another modality; pairs share",
        )
        for labels, sample in ((OTHER, 4), (LACKS, 2))
    ),
    (
        {"modalities": {"rgb": modality(), "depth": modality(ids=TEXT)}},
        ": some ids are numbers, some are text; use one type",
    ),
    ({"parts": {"train": SIX}}, r": parts are \['train'\]; give train, valid, test"),
    ({"parts": {**PARTS, "test": [4, 5]}}, "/test: is no array but a list"),
    ({"parts": {**PARTS, "test": SIX[2:]}}, "/test: index 2 is in train already; keep it in"),
]


@pytest.mark.parametrize(("changed", "fragment"), WRONG_DATA)
def test_data_that_do_not_fit_together(changed, fragment):
    fields = {"modalities": {"rgb": modality()}, "classes": CLASSES, "name": "mine"}
    refused(lambda: MultiModalData(**fields | changed), f"^mine{fragment}")


def test_text_of_any_kind_names_samples_groups_and_factors():
    objects = TEXT.astype(object)
    data = MultiModalData(
        {"rgb": modality(ids=objects), "depth": modality(ids=TEXT)},
        CLASSES,
        groups=objects,
        factors={"city": objects, "size": SIX / 2},
    )
    assert len(data.paired_ids) == 6


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("use", [lambda d: d.split(), lambda d: d.fingerprint])
def test_pixels_that_are_not_finite(value, use, monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16)
    x = np.zeros((12, 2, 2, 2), np.float32)
    x[7, 1, 0, 1] = value
    wrong = modality(x=x, y=np.arange(12) % 3, ids=np.arange(12))
    fragment = rf"^data/rgb: sample 7, band 1 holds {value} at pixel \(0, 1\); fill or drop"
    refused(lambda: use(MultiModalData({"rgb": wrong}, CLASSES)), fragment)


# a class for every pixel


@pytest.fixture(scope="module")
def whole():
    return data.load("scenes-dense:n=20,size=16,objects=2")


WRONG_MASKS = [
    (lambda m: None, "2: dense, but has no masks; give masks"),
    (lambda m: m[:, :8], "2/rgb: images are 16×16 pixels, masks 8×16; resize masks by"),
    (lambda m: m.astype(np.int64), "2: masks are int64; save them as uint8"),
    # in training it would count as labelled
    (
        lambda m: np.where(np.arange(20)[:, None, None] == 7, np.uint8(255), m),
        "2/masks: sample 7 is 255 throughout, but its y is a class; set its y to -1",
    ),
]


@pytest.mark.parametrize(("change", "fragment"), WRONG_MASKS)
def test_masks_that_do_not_fit(whole, change, fragment):
    wrong = change(whole.masks)
    refused(lambda: replace(whole, masks=wrong).split(), f"^scenes-dense-objects={fragment}")


@pytest.mark.parametrize(("value", "place"), [(4, (0, 0, 0)), (254, (13, 15, 2))])
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_an_id_that_is_no_class(whole, value, place, where, monkeypatch, tmp_path):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16 * 16)
    masks = whole.masks.copy()
    masks[place] = masks[19, 15, 15] = value  # the first one is named
    wrong, (sample, *pixel) = replace(whole, masks=masks), place
    fragment = rf"masks: sample {sample} holds {value} at pixel \({pixel[0]}, {pixel[1]}\); use"
    refused(wrong.split if where == "memory" else lambda: wrong.save(tmp_path / "out"), fragment)


@pytest.mark.parametrize("unlabelled", ["one image", "all images"])
@pytest.mark.parametrize("name", ["single", "crodino"])
def test_a_step_with_images_without_a_label(whole, name, unlabelled):
    options = {"weights": {"soft": 0.5}} if name == "crodino" else {}
    model = build(methods.get(name), whole, replace(TINY, options=options))
    x = {m: torch.from_numpy(held.x[:4]) for m, held in whole.modalities.items()}
    masks = torch.from_numpy(whole.masks[:4]).long()
    masks[1 if unlabelled == "one image" else slice(None)] = 255
    batch = Batch(x, dict.fromkeys(x, masks), views=dict.fromkeys(x, torch.tensor([0, 3, 6, 1])))
    terms = model(batch)
    sum(model.weights[term] * value for term, value in terms.items()).backward()
    assert all(value.isfinite() for value in terms.values())
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert (terms["cl"].item() == 0) == (unlabelled == "all images")


def test_a_dense_method_needs_a_class_for_every_pixel(whole, tmp_path):
    lack, plain = "^single: needs a class for every pixel", scenes.make(66, size=16)
    for wrong in (plain, replace(whole, masks=None)):
        refused(partial(build, methods.get("single"), wrong, TINY), lack, ConfigError)
    run = tmp_path / "run"
    refused(lambda: fit("single", plain.split(), TINY, run, progress=False), lack, ConfigError)
    assert list(tmp_path.iterdir()) == []
