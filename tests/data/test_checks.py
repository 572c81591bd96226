"""Data that cannot be right are refused in one line that names the place."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import refused

from discom import data, files, fit, methods, profile
from discom.data import Modality, MultiModalData, scenes
from discom.errors import ConfigError, DataError

SIX, TEXT = np.arange(6), np.arange(6).astype(str)
PARTS = {"train": np.arange(3), "valid": np.array([3]), "test": np.array([4, 5])}


def modality(**changed):
    arrays = {"x": np.zeros((6, 1, 2, 2), np.float32), "y": SIX % 3, "ids": SIX}
    return Modality(**arrays | changed)


def make(**fields):
    own = {"modalities": {"rgb": modality()}, "classes": ("cat", "dog", "owl"), "name": "mine"}
    return MultiModalData(**own | fields)


# where → what is wrong there, of one modality
WRONG_MODALITY = {
    "rgb: ": [
        {"x": [[[[0.0]]]] * 6},
        {"x": np.zeros((6, 2, 2))},
        {"x": np.zeros((6, 1, 0, 2))},
        {"x": np.zeros((6, 1, 2, 2), bool)},
        {"x": np.zeros((6, 16, 16, 3))},  # bands at the end
        {"x": np.zeros((6, 16, 16, 20))},
        {"x": np.zeros((6, 16, 20, 3))},
        {"ids": np.array([0, 1, 2, 3, 4, 2])},
        {"motions": "turn"},
    ],
    r"rgb: .*\.filled": [{"x": np.ma.zeros((6, 1, 2, 2))}],  # whose mask would be lost
    "rgb/y: ": [
        {"y": pd.Series(SIX % 3, SIX[::-1])},
        {"y": np.full(6, 0.5)},
        {"y": SIX[:5] % 3},
        {"y": np.array([0, 1, 2, 3, 0, 0])},
        {"y": np.array([0, 1, 2, -2, 0, -1])},
    ],
    "rgb/ids: ": [{"ids": SIX / 2}, {"ids": np.array(["1", 1, 2, 3, 4, 5], object)}],
    "rgb: invalid: ": [{"invalid": value} for value in ("-32768", True, np.nan)],
}
# depth is of the size of rgb where its bands are its last axis
SHAPES = {"rgb": (6, 1, 5, 7), "depth": (6, 5, 7, 9)}
BANDS_LAST = {name: modality(x=np.zeros(shape)) for name, shape in SHAPES.items()}
# of the whole
WRONG_DATA = {
    ": ": [
        *(
            {"classes": names}
            for names in ((), "cat", ("cat", "dog", "cat"), ("cat", "dog", 3), ("cat", "dog", " "))
        ),
        {"modalities": {}},
        {"modalities": {"rgb": modality(), "depth": modality(ids=TEXT)}},
        {"parts": {"train": SIX}},
        *({"fractions": f} for f in ((0.5, 0.5), (0.7, 0.1, 0.3), (0.8, 0.0, 0.2))),
        {"fractions": (0.7, 0.3, float("nan"))},
        {"dense": True},
    ],
    "/": [
        {"modalities": {name: modality()}}
        for name in ("RGB", "near infrared", "", "2d", "../x", "logits")
    ],
    "/groups: ": [{"groups": np.zeros(5, int)}, {"groups": np.zeros(6)}],
    "/masks: ": [
        {"masks": np.zeros((7, 2, 2))},
        {"masks": np.zeros((6, 2, 2), int), "dense": True},
        {"masks": np.zeros((6, 2, 1), np.uint8), "dense": True},
    ],
    "/height: ": [
        {"factors": {"height": values}} for values in (np.zeros(5), np.array([1.5, None] * 3))
    ],
    "/depth: ": [
        *(
            {"modalities": {"rgb": modality(), "depth": modality(y=np.array(labels))}}
            for labels in ([0, 1, 2, 0, 0, 2], [0, 1, -1, 0, 1, 2])
        ),
        {"modalities": BANDS_LAST},
    ],
    "/train: ": [
        {"parts": {**PARTS, "train": np.array(rows, int)}} for rows in ([0, 6], [-1], [0, 1, 0], [])
    ],
    "/test: ": [{"parts": {**PARTS, "test": rows}} for rows in ([4, 5], SIX[2:])],
}


@pytest.mark.parametrize(
    ("place", "changed"), [(place, one) for place, every in WRONG_MODALITY.items() for one in every]
)
def test_a_wrong_modality(place, changed):
    wrong = {"rgb": modality(**changed)}
    error = ConfigError if "invalid" in changed else DataError
    refused(lambda: make(modalities=wrong), f"^mine/{place}", error)


@pytest.mark.parametrize(
    ("place", "changed"), [(place, one) for place, every in WRONG_DATA.items() for one in every]
)
def test_data_that_do_not_fit_together(place, changed):
    refused(lambda: make(**changed), f"^mine{place}")


@pytest.mark.parametrize("shape", [(3, 1, 100), (1, 1, 100), (100, 1, 100), (144, 11, 11)])
def test_signals_beside_images_are_no_images_with_their_bands_last(shape):
    """A signal is one pixel high; an image may have a side of its length."""
    sensors = {
        "acc": modality(x=np.zeros((6, *shape))),
        "rgb": modality(x=np.zeros((6, 1, 100, 7))),
    }
    assert make(modalities=sensors).channels == {"acc": shape[0], "rgb": 1}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("use", [lambda d: d.split(), lambda d: d.fingerprint])
def test_pixels_that_are_not_finite(value, use, monkeypatch):
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16)
    x = np.zeros((12, 2, 2, 2), np.float32)
    x[7, 1, 0, 1] = value
    wrong = modality(x=x, y=np.arange(12) % 3, ids=np.arange(12))
    place = rf"^mine/rgb: sample 7, band 1 holds {value} at pixel \(0, 1\)"
    refused(lambda: use(make(modalities={"rgb": wrong})), place)


# a class for every pixel


@pytest.mark.parametrize(("value", "place"), [(4, (0, 0, 0)), (254, (13, 15, 2)), (255, (7,))])
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_an_id_that_is_no_class_and_a_mask_without_any(value, place, where, monkeypatch, tmp_path):
    """In training a mask without any would count as labelled."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 3 * 16 * 16)
    whole = data.load("scenes-dense:n=20,size=16,objects=2")
    masks = whole.masks.copy()
    masks[place] = masks[(19, *place[1:])] = value  # the first one is named
    wrong, (sample, *pixel) = replace(whole, masks=masks), place
    found = rf"holds {value} at pixel \({pixel[0]}, {pixel[1]}\)" if pixel else "is 255 throughout"
    call = wrong.split if where == "memory" else lambda: wrong.save(tmp_path / "out")
    refused(call, rf"/masks: sample {sample} {found}")


@pytest.mark.parametrize("unlabelled", ["one image", "all images"])
@pytest.mark.parametrize("name", ["single", "crodino"])
def test_a_step_with_images_without_a_label(name, unlabelled):
    options = {"weights": {"soft": 0.5}} if name == "crodino" else {}
    whole = data.load("scenes-dense:n=20,size=16,objects=2")
    tiny = profile("tiny", dense=True, epochs=1, options=options)
    model = methods.build(methods.get(name), whole, tiny)
    x = {m: torch.from_numpy(held.x[:4]) for m, held in whole.modalities.items()}
    masks = torch.from_numpy(whole.masks[:4]).long()
    masks[1 if unlabelled == "one image" else slice(None)] = 255
    views = dict.fromkeys(x, torch.tensor([0, 3, 6, 1]))
    terms = model(data.Batch(x, dict.fromkeys(x, masks), views=views))
    sum(model.weights[term] * value for term, value in terms.items()).backward()
    assert all(value.isfinite() for value in terms.values())
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert (terms["cl"].item() == 0) == (unlabelled == "all images")


def test_a_dense_method_needs_a_class_for_every_pixel(tmp_path):
    plain, tiny = scenes.make(66, size=16), profile("tiny", dense=True, epochs=1)
    run = tmp_path / "run"
    for use in (
        lambda: methods.build(methods.get("single"), plain, tiny),
        lambda: fit("single", plain.split(), tiny, run, progress=False),
    ):
        refused(use, "^single: ", ConfigError)
    assert not run.exists()
