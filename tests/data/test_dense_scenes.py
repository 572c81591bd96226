"""Several objects per scene: painted as the recipe says, with known ceilings, and dials that touch
training alone."""

import math
import time
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from discom import datasets
from discom.data import DRAWN, MultiModalData, load
from discom.data.scenes import MATERIALS, ceilings, dense, several
from discom.errors import ConfigError, DataError
from discom.files import digest

CUES = {"rgb": ("texture",), "depth": ("relief",), "rgb+depth": ("texture", "relief")}


def same(one, other, rows=slice(None)):
    return np.asarray(one)[rows].tobytes() == np.asarray(other)[rows].tobytes()


def factors(n=4000, seed=0, objects=1, epsilon=0.3, delta=0.3, noise=0.0):
    return several._factors(n, seed, objects, epsilon, delta, np.full(n, noise))


def quiet(monkeypatch, n=12, seed=5, **arguments):
    """Scenes without noise and missing squares, and every factor, colours as three numbers."""
    monkeypatch.setattr(several, "SIGMA", {"rgb": 0.0, "depth": 0.0})
    arguments = {"size": 32, "holes": 0.0, **arguments}
    return dense(n, seed, **arguments), *factors(n, seed, arguments.get("objects", 4))


# the same bytes
# -------------------------------------------------------------------------------------------------


def test_checksums_of_a_small_set():
    data = dense(24, 3, size=32, noise=0.5, labelled=0.5, degraded=0.1)
    assert {name: digest(m.x) for name, m in data.modalities.items()} == {
        "rgb": "3099a034c2fb1097",
        "depth": "acf7326f9f3ec3aa",
    }
    assert (digest(data.masks), digest(data.labels), data.fingerprint) == (
        "93b021a76b77a620",
        "0319d9bf6dfd8927",
        "5a46dc37c1c819b1",
    )


@pytest.mark.slow
def test_time_of_1200_pairs():
    start = time.process_time()
    dense()
    assert time.process_time() - start < 6  # of processor time, measured 2.7 s on one core


def test_seed_draws_everything():
    one, again, other = (dense(20, seed, size=16) for seed in (0, 0, 1))
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert one.ids[3] == "dense-0-000003"
    assert not set(one.ids) & set(other.ids)


def test_more_scenes_begin_with_the_same_ones(monkeypatch):
    few = dense(30, 2, size=16)
    monkeypatch.setattr(several, "CHUNK", 7)  # which has no part in it either
    more = dense(50, 2, size=16)
    for name in few.modalities:
        assert same(few.modalities[name].x, more.modalities[name].x[:30])
    assert same(few.masks, more.masks[:30])
    assert all(same(values, more.factors[name][:30]) for name, values in few.factors.items())


def test_modalities_asked_for_do_not_change_each_other():
    whole = dense(20, 1, size=16, degraded=0.1)
    for names in (("depth",), ("depth", "rgb")):
        part = dense(20, 1, size=16, degraded=0.1, modalities=names)
        assert tuple(part.modalities) == names
        assert all(same(part.modalities[name].x, whole.modalities[name].x) for name in names)
        assert same(part.masks, whole.masks)


def test_one_more_object_leaves_the_factors_of_the_others():
    three, four = (dense(20, 1, size=16, objects=k).factors for k in (3, 4))
    assert all(
        same(values, four[name]) for name, values in three.items() if not name.startswith("visible")
    )
    assert (four["visible_3"] <= three["visible_3"]).all()
    assert {name.rpartition("_")[0] for name in set(four) - set(three)} == {
        "shape", "material", "texture", "relief", "label", "visible", "centre_x", "centre_y", "rotation", "scale",
        "frequency", "phase", "colour_a", "colour_b", "gap",
    }  # fmt: skip


@pytest.mark.parametrize(("argument", "cue"), [("epsilon", "texture"), ("delta", "relief")])
def test_a_probability_changes_its_cue_alone(argument, cue):
    one, other = dense(60, size=8), dense(60, size=8, **{argument: 0.9})
    assert {
        name[:-2] for name in one.factors if not same(one.factors[name], other.factors[name])
    } == {cue}
    left = {"texture": "depth", "relief": "rgb"}[cue]
    assert same(one.modalities[left].x, other.modalities[left].x)
    assert same(one.masks, other.masks)


def test_shape_and_type():
    data = dense(7, size=16)
    assert {name: m.x.shape for name, m in data.modalities.items()} == {
        "rgb": (7, 3, 16, 16),
        "depth": (7, 1, 16, 16),
    }
    for modality in data.modalities.values():
        assert modality.x.dtype == np.float32
        assert 0 <= modality.x.min() < modality.x.max() <= 1
        assert modality.invalid is None  # as in the scenes of one object
    assert (data.masks.dtype, data.masks.shape) == (np.uint8, (7, 16, 16))
    assert (data.dense, data.classes, data.parts) == (True, ("background", *MATERIALS), None)
    assert all(values.shape == (7,) for values in data.factors.values())
    counts = np.stack([np.bincount(mask.ravel(), minlength=4) for mask in data.masks])
    assert (data.labels == counts.argmax(1)).all()


# the recipe
# -----------------------------------------------------------------------------------------------------


def at(held, row):
    return SimpleNamespace(**{name: values[row] for name, values in held.items()})


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def meet(thing, x, y, size):
    """One object at one point: its soft mask, its colour and its relief, written from the
    recipe."""
    dx, dy = (x - thing.centre_x) / thing.scale, (y - thing.centre_y) / thing.scale
    u = math.cos(thing.rotation) * dx + math.sin(thing.rotation) * dy
    v = -math.sin(thing.rotation) * dx + math.cos(thing.rotation) * dy
    r = math.hypot(u, v)
    distance = [
        1 - r,
        0.8 - max(abs(u), abs(v)),
        0.55 - max(-v, 0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v),
    ]
    phase, freq = thing.phase, thing.frequency
    wave = [
        math.sin(2 * freq * u + phase),
        min(1, max(-1, 1.6 * math.sin(2 * freq * u + phase) * math.sin(2 * freq * v + phase))),
        math.sin(2.2 * freq * r + phase),
    ][thing.texture]
    colour = (1 + wave) / 2 * thing.colour_a + (1 - wave) / 2 * thing.colour_b
    relief = [0.6, 1 - min(1.8 * r, 1) ** 2, 1 - min(1.8 * abs(u), 1)][thing.relief]
    return sigmoid(0.6 * size * distance[thing.shape]), colour, relief


def look(scene, things, row, column, size):
    """One pixel of both sensors and of the mask; the surfaces of the objects that hold it, the
    farthest first."""
    x, y = -1 + 2 * column / (size - 1), -1 + 2 * row / (size - 1)
    share = sigmoid(2 * (scene.gradient_x * x + scene.gradient_y * y))
    colour = share * scene.background + (1 - share) * scene.bottom
    plane = 0.5 + scene.shift + 0.7 * (scene.tilt_x * x + scene.tilt_y * y)
    depth, label, surfaces = plane, 0, [plane]
    for k, thing in enumerate(things):
        mask, body, relief = meet(thing, x, y, size)
        surface = plane + 0.05 + 0.72 / len(things) * (k + 0.1 * thing.gap + 0.9 * relief)
        colour = mask * body + (1 - mask) * colour
        depth = mask * surface + (1 - mask) * depth
        if mask > 0.5:
            label = thing.material + 1
            surfaces.append(surface)
    return colour * scene.illumination, depth, label, surfaces


def check_pixels(monkeypatch, order=1):
    data, scene, things = quiet(monkeypatch, n=20)
    assert all(
        {0, 1, 2} <= set(np.concatenate([t[name] for t in things]))
        for name in ("shape", "texture", "relief")
    )
    hidden = 0
    for n in range(len(data)):
        for row, column in np.random.default_rng(n).integers(0, 32, (60, 2)):
            objects = [at(thing, n) for thing in things][::order]
            colour, depth, label, surfaces = look(at(scene, n), objects, row, column, 32)
            rgb, found = (data.modalities[name].x[n, :, row, column] for name in ("rgb", "depth"))
            np.testing.assert_allclose(rgb, np.clip(colour, 0, 1), atol=0.51 / 65535)
            np.testing.assert_allclose(found, [np.clip(depth, 0, 1)], atol=0.51 / 65535)
            assert data.masks[n, row, column] == label
            assert surfaces == sorted(
                surfaces
            )  # what is painted later is nearer, whatever its relief
            hidden += len(surfaces) > 2
    assert hidden > 10  # pixels where one object hides another were among them


def test_every_formula_pixel_by_pixel(monkeypatch):
    check_pixels(monkeypatch)


@pytest.mark.parametrize(("name", "value"), [("LIFT", 0.04), ("ROOM", 0.7), ("ZOOM", 1.7)])
def test_another_recipe_would_be_noticed(name, value, monkeypatch):
    monkeypatch.setattr(several, name, value)
    with pytest.raises(AssertionError):
        check_pixels(monkeypatch)


def test_another_order_of_painting_would_be_noticed(monkeypatch):
    with pytest.raises(AssertionError):
        check_pixels(monkeypatch, order=-1)


def test_the_nearest_surface_is_the_one_that_is_seen(monkeypatch):
    """Away from outlines the depth image is the maximum of all surfaces, whatever the order of
    painting."""
    data, scene, things = quiet(monkeypatch, n=30, size=64)
    hidden = 0
    for n in range(30):
        objects = [at(thing, n) for thing in things]
        for row, column in np.random.default_rng(n).integers(0, 64, (80, 2)):
            *_, surfaces = look(at(scene, n), objects, row, column, 64)
            masks = [
                meet(thing, -1 + 2 * column / 63, -1 + 2 * row / 63, 64)[0] for thing in objects
            ]
            if all(not 0.01 < mask < 0.99 for mask in masks):  # at an outline two surfaces mix
                assert data.modalities["depth"].x[n, 0, row, column] == pytest.approx(
                    max(surfaces), abs=0.01
                )
                hidden += len(surfaces) > 2
    assert hidden > 10


def test_masks_and_visible_shares_agree_with_the_layout(monkeypatch):
    data, _, things = quiet(monkeypatch, n=6)
    axis = np.linspace(-1, 1, 32)
    for n in range(6):
        held = np.array(
            [
                [[meet(at(thing, n), x, y, 32)[0] > 0.5 for x in axis] for y in axis]
                for thing in things
            ]
        )
        owner = np.where(
            held.any(0), len(things) - held[::-1].argmax(0), 0
        )  # the last that holds the pixel
        materials = np.array([0, *(thing["material"][n] + 1 for thing in things)])
        assert (data.masks[n] == materials[owner]).all()
        for k in range(1, 5):
            share = (owner == k).sum() / held[k - 1].sum()
            assert data.factors[f"visible_{k}"][n] == pytest.approx(share)
    assert (data.factors["visible_4"] == 1).all()  # nothing hides the nearest


RANGES = {
    "centre_x": (-0.9, 0.9), "centre_y": (-0.9, 0.9), "rotation": (0, 2 * math.pi), "scale": (0.25, 0.44),
    "frequency": (3, 5), "phase": (0, 2 * math.pi), "colour_a": (0, 1), "colour_b": (0, 1), "gap": (0, 1),
    "background": (0, 1), "bottom": (0, 1), "gradient_x": (-1, 1), "gradient_y": (-1, 1), "illumination": (0.6, 1.2),
    "tilt_x": (-0.04, 0.04), "tilt_y": (-0.04, 0.04), "shift": (-0.38, -0.33),
}  # fmt: skip


def test_nuisance_factors_fill_their_ranges_and_say_nothing_about_the_material():
    n = 4000
    scene, (thing, other) = factors(n, objects=2)
    held = scene | thing
    assert set(held) == set(RANGES) | {"shape", "material", "texture", "relief", "label"}
    for name, (low, high) in RANGES.items():
        values = held[name]
        assert low <= values.min() < low + 0.01 * (high - low), name
        assert high - 0.01 * (high - low) < values.max() <= high, name
        assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * n), name
    assert abs(thing["colour_a"] - thing["colour_b"]).min() >= 0.3  # so every texture shows
    told = [held[name] if held[name].ndim == 1 else held[name][:, 0] for name in [*RANGES, "shape"]]
    for about in (*told, other["material"], other["shape"]):
        assert abs(np.corrcoef(about, thing["material"])[0, 1]) < 4 / math.sqrt(n)
    assert np.allclose(np.bincount(thing["material"]) / n, 1 / 3, atol=0.03)


def test_objects_span_a_quarter_to_0_44_of_the_image():
    data = dense(300, objects=1)
    inside = (abs(data.factors["centre_x_1"]) < 0.5) & (abs(data.factors["centre_y_1"]) < 0.5)
    for mask, scale in zip(data.masks[inside], data.factors["scale_1"][inside], strict=True):
        wide = max(np.ptp(np.flatnonzero(mask.any(axis))) + 1 for axis in (0, 1))
        assert 0.75 * 63 * scale < wide < 1.2 * 63 * scale  # a disk spans 63 · scale pixels
    assert (
        (data.masks[:, :, [0, -1]] > 0).any((1, 2)) | (data.masks[:, [0, -1]] > 0).any((1, 2))
    ).mean() > 0.2


@pytest.mark.parametrize("holes", [0.0, 0.15, 0.6])
def test_missing_squares_are_the_only_zeros_of_depth(holes):
    data = dense(200, 2, size=32, holes=holes)
    cells = (
        data.modalities["depth"].x[:, 0].reshape(200, 8, 4, 8, 4).swapaxes(2, 3) == 0
    )  # [N, 8, 8, 4, 4]
    assert (cells.all((3, 4)) == cells.any((3, 4))).all()
    share = cells.mean()
    assert abs(share - holes) <= 4 * math.sqrt(holes * (1 - holes) / (200 * 64))


def test_noise_of_the_sensors_has_the_stated_strength(monkeypatch):
    noisy = dense(60, 5, size=32, holes=0)
    clean, *_ = quiet(monkeypatch, n=60)
    for name, sigma in (("rgb", 0.05), ("depth", 0.015)):
        before, after = clean.modalities[name].x, noisy.modalities[name].x
        free = (before > 0.25) & (before < 0.75)  # far from clipping
        assert np.std((after - before)[free]) == pytest.approx(sigma, rel=0.02)


# what each sensor can know
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_each_sensor_confuses_its_own_pair(p):
    n = 6000
    (thing,) = factors(n, epsilon=p, delta=p)[1]
    for cue, other in (("texture", [1, 0, 2]), ("relief", [0, 2, 1])):
        swapped = thing[cue] != thing["material"]
        assert (thing[cue][swapped] == np.array(other)[thing["material"][swapped]]).all()
        for k in range(3):
            share = swapped[thing["material"] == k].mean()
            expected = p * (other[k] != k)
            assert (
                abs(share - expected) <= 4 * math.sqrt(expected * (1 - expected) / (n / 3)) + 1e-9
            )
    middle = thing["material"] == 1  # which both may show wrongly, independently of each other
    wrong = [(thing[cue] != thing["material"])[middle] for cue in ("texture", "relief")]
    assert abs((wrong[0] & wrong[1]).mean() - p * p) < 0.03


def scores(confusion):
    """Share of right ones for each class, and mean IoU; rows are the truth."""
    right = np.diag(confusion)
    return right / confusion.sum(1), (right / (confusion.sum(0) + confusion.sum(1) - right)).mean()


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("sensor", ["rgb", "depth"])
def test_ceilings_are_the_best_of_all_rules(sensor, p):
    """Of all 27 rules from what is shown (3) to a material (3); the background, always right, is
    one class more."""
    first = {"rgb": 0, "depth": 1}[sensor]
    shown = np.eye(3)
    shown[first : first + 2, first : first + 2] = [[1 - p, p], [p, 1 - p]]  # [material, shown]
    found = [scores(shown @ np.eye(3)[list(rule)]) for rule in product(range(3), repeat=3)]
    with np.errstate(invalid="ignore"):
        best = max(np.nan_to_num(miou) for _, miou in found)
    told = ceilings(p, p)[sensor]
    assert told["miou"] == pytest.approx((1 + 3 * best) / 4)
    assert max(accuracy.mean() for accuracy, _ in found) == pytest.approx(
        np.mean([told[name] for name in MATERIALS])
    )
    assert [round(told[name], 9) for name in MATERIALS] in [
        np.round(accuracy, 9).tolist() for accuracy, _ in found
    ]


def test_ceilings_in_closed_form():
    told = ceilings()
    assert [told["rgb"][name] for name in MATERIALS] == pytest.approx([0.7, 0.7, 1])
    assert [told["depth"][name] for name in MATERIALS] == pytest.approx([1, 0.7, 0.7])
    assert told["rgb+depth"] == {"wood": 1, "metal": 1, "stone": 1, "miou": 1}
    assert (
        told["rgb"]["miou"] == told["depth"]["miou"] == pytest.approx((1 + 2 * 0.7 / 1.3 + 1) / 4)
    )
    assert round(told["rgb"]["miou"], 3) == 0.769
    assert ceilings(0.1, 0.4)["depth"] == ceilings(0.4, 0.4)["depth"] != ceilings(0.4, 0.1)["depth"]


def bayes(thing, cues, told):
    """The most frequent material of what is shown, learned from the other objects `told`."""
    seen, known = (
        np.ravel_multi_index([held[cue] for cue in cues], [3] * len(cues)) for held in (thing, told)
    )
    counts = np.zeros((3 ** len(cues), 3))
    np.add.at(counts, (known, told["material"]), 1)
    return counts.argmax(1)[seen]


@pytest.mark.parametrize("sensor", CUES)
@pytest.mark.parametrize(("epsilon", "delta"), [(0.3, 0.3), (0.1, 0.4), (0.7, 0.2)])
def test_a_classifier_of_the_factors_reaches_the_ceiling_in_the_masks(sensor, epsilon, delta):
    """Bayes' rule for every object, painted through the true layout, is scored pixel by pixel."""
    n = 1000
    scene, things = factors(n, 1, 4, epsilon, delta)
    (learned,) = factors(4000, 2, 1, epsilon, delta)[1]
    guessed = [{**thing, "label": bayes(thing, CUES[sensor], learned)} for thing in things]
    masks, predicted = (several._paint(scene, held, 16)[1] for held in (things, guessed))
    told = ceilings(epsilon, delta)[sensor]
    truth, guess = (
        np.concatenate([thing["label"] for thing in held]) for held in (things, guessed)
    )
    for k, name in enumerate(MATERIALS):
        sd = math.sqrt(told[name] * (1 - told[name]) / (truth == k).sum())
        assert abs((guess == k)[truth == k].mean() - told[name]) <= 4 * sd + 1e-9
    confusion = np.zeros((4, 4))
    np.add.at(confusion, (masks.ravel(), predicted.ravel()), 1)
    assert scores(confusion)[1] == pytest.approx(
        told["miou"], abs=0.02 if told["miou"] < 1 else 1e-9
    )


# the dials
# ------------------------------------------------------------------------------------------------------


def make(n=120, seed=4, size=16, **dials):
    return dense(n, seed, size=size, **dials)


def training(data):
    return np.isin(np.arange(len(data)), data.parts["train"])


DIALS = [
    {"noise": 0.4},
    {"labelled": 0.1},
    {"degraded": 0.3},
    {"noise": 1, "labelled": 0.5, "degraded": 0.1},
]


@pytest.mark.parametrize("dials", DIALS)
def test_the_split_is_the_one_without_dials(dials):
    plain, turned = make(), make(**dials)
    for seed in (4, 9):
        for ours, theirs in zip(turned.split(seed=seed), plain.split(seed=4), strict=True):
            assert ours.ids.tolist() == theirs.ids.tolist()
    assert [len(part) for part in turned.split()] == [60, 12, 48]


def test_600_120_480():
    data = dense(1200, size=8, objects=1, noise=0.1)
    assert [len(data.parts[part]) for part in ("train", "valid", "test")] == [600, 120, 480]
    assert [len(part) for part in dense(1200, size=8, objects=1).split()] == [600, 120, 480]


@pytest.mark.parametrize(
    "dials", [{"noise": 0}, {"labelled": 1}, {"degraded": 0}, {"degraded_in": "rgb"}]
)
def test_a_dial_at_rest_is_none(dials):
    still, plain = make(20, **dials), make(20)
    assert (still.fingerprint, still.name, still.parts) == (plain.fingerprint, "scenes-dense", None)


@pytest.mark.parametrize("noise", [0.4, 1.0])
def test_noise_redraws_materials_in_training_masks_alone(noise):
    plain, turned = make(600), make(600, noise=noise)
    train = training(turned)
    assert all(
        same(plain.modalities[name].x, turned.modalities[name].x) for name in plain.modalities
    )
    assert same(plain.masks, turned.masks, ~train)
    assert same(plain.masks > 0, turned.masks > 0)
    changed = {
        name for name in plain.factors if not same(plain.factors[name], turned.factors[name])
    }
    assert changed == {f"label_{k}" for k in range(1, 5)}
    for k in range(1, 5):
        wrong = turned.factors[f"label_{k}"] != turned.factors[f"material_{k}"]
        assert not wrong[~train].any()
        share = 2 * noise / 3  # one of three redrawn ones is right by chance
        assert abs(wrong[train].mean() - share) < 4 * math.sqrt(share * (1 - share) / train.sum())
    counts = np.stack([(turned.masks == k).sum((1, 2)) for k in range(4)])
    assert (turned.labels == counts.argmax(0)).all()
    less = make(600, noise=noise / 2)
    assert ((less.masks != plain.masks) <= (turned.masks != plain.masks)).all()


def test_a_wrong_label_is_the_same_in_all_of_the_object(monkeypatch):
    """The masks are the layout, filled with label_1 … in the order of distance."""
    turned = make(60, noise=1)
    scene, things = factors(60, 4, 4)
    filled = [{**thing, "label": turned.factors[f"label_{k}"]} for k, thing in enumerate(things, 1)]
    assert same(several._paint(scene, filled, 16)[1].astype(np.uint8), turned.masks)


@pytest.mark.parametrize("labelled", [0.1, 0.5])
def test_labelled_takes_masks_from_training_images_alone(labelled):
    plain, turned = make(), make(labelled=labelled)
    train = training(turned)
    assert all(
        same(plain.modalities[name].x, turned.modalities[name].x) for name in plain.modalities
    )
    assert same(plain.labels, turned.labels)
    gone = (turned.masks == several.NO_LABEL).all((1, 2))
    assert not gone[~train].any()
    assert (~gone & train).sum() == round(labelled * 60)
    assert same(plain.masks, turned.masks, ~gone)
    assert not (turned.masks[~gone] == several.NO_LABEL).any()
    more = (make(labelled=labelled + 0.2).masks == several.NO_LABEL).all((1, 2))
    assert (more <= gone).all()  # who has a mask keeps it when the share grows
    turned.split()


@pytest.mark.parametrize(("modality", "degraded"), [("depth", 0.05), ("rgb", 0.05), ("depth", 0.4)])
def test_degraded_adds_noise_to_training_images_of_one_sensor(modality, degraded):
    plain, turned = make(size=32), make(size=32, degraded=degraded, degraded_in=modality)
    train = training(turned)
    other = {"rgb": "depth", "depth": "rgb"}[modality]
    assert same(plain.modalities[other].x, turned.modalities[other].x)
    assert same(plain.masks, turned.masks)
    assert all(same(values, turned.factors[name]) for name, values in plain.factors.items())
    before, after = plain.modalities[modality].x, turned.modalities[modality].x
    assert same(before, after, ~train)
    assert all(not same(b, a) for b, a in zip(before[train], after[train], strict=True))
    assert (
        (before == 0) == (after == 0)
    ).all() or modality == "rgb"  # what is missing is as it was
    if degraded < 0.1:
        free = (before[train] > 0.25) & (before[train] < 0.75)  # far from clipping
        assert np.std((after - before)[train][free]) == pytest.approx(degraded, rel=0.03)
    else:
        assert 0 <= after.min() <= after.max() == 1


def test_dials_together_do_not_change_each_other():
    together = make(noise=0.5, labelled=0.5, degraded=0.2, degraded_in="rgb")
    noise, labelled, degraded = (
        make(noise=0.5),
        make(labelled=0.5),
        make(degraded=0.2, degraded_in="rgb"),
    )
    gone = (labelled.masks == several.NO_LABEL).all((1, 2))
    assert ((together.masks == several.NO_LABEL).all((1, 2)) == gone).all()
    assert same(noise.masks, together.masks, ~gone)
    assert all(
        same(degraded.modalities[name].x, together.modalities[name].x) for name in ("rgb", "depth")
    )


NAMES = [
    ({}, "scenes-dense"),
    ({"noise": 0.4}, "scenes-dense-noise=0.4"),
    ({"labelled": 0.25}, "scenes-dense-labelled=0.25"),
    ({"degraded": 1e-05, "degraded_in": "rgb"}, "scenes-dense-degraded_rgb=1e-05"),
    (
        {"noise": 0.4, "labelled": 0.1, "degraded": 0.3},
        "scenes-dense-noise=0.4-labelled=0.1-degraded_depth=0.3",
    ),
]


@pytest.mark.parametrize(("dials", "name"), NAMES)
def test_the_name_tells_the_dials_that_were_turned(dials, name):
    data = make(60, **dials)
    assert data.name == name
    said = "".join(f",{key}={value}" for key, value in dials.items())
    by_name = load(f"scenes-dense:n=60,size=16,seed=4{said}")
    assert (by_name.fingerprint, by_name.name) == (data.fingerprint, name)


@pytest.mark.parametrize(("dials", "name"), NAMES)
def test_tables_read_the_dials_from_the_name(dials, name):
    from discom.tables.statistics import by_dials

    table = by_dials(pd.DataFrame({"data": [name, *(other for _, other in NAMES)]}))
    rest = {"noise": 0, "labelled": 1, "degraded_depth": 0, "degraded_rgb": 0}
    told = {f"degraded_{dials.get('degraded_in', 'depth')}" if key == "degraded" else key: value
            for key, value in dials.items() if key != "degraded_in"}  # fmt: skip
    assert table.iloc[0][list(rest)].to_dict() == rest | told


# arguments and places
# -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n=0, size=16; n must be positive"),
        ({"seed": -1}, "seed=-1 is negative; use 0 or more"),
        ({"size": 30}, "size=30; .* multiple of 4 from 8 on"),
        ({"size": 4}, "size=4; .* multiple of 4 from 8 on"),
        ({"objects": 0}, "objects=0 is out of range; choose 1 to 8"),
        ({"objects": 9}, "objects=9 is out of range"),
        *(({name: value}, f"{name}={value} is no probability; choose 0 to 1")
          for name in ("epsilon", "delta", "holes", "noise", "labelled") for value in (-0.1, 1.5, float("nan"))),
        *(({"degraded": value}, f"degraded={value} is no standard deviation; choose 0 or more")
          for value in (-0.1, float("nan"), float("inf"))),
        ({"degraded_in": "thermal"}, "degraded_in='thermal' is no modality of these data; choose rgb or depth"),
        ({"degraded": 0.1, "modalities": ("rgb",)}, "degraded_in='depth' is no modality of these data; choose rgb"),
        ({"modalities": ("rgb", "thermal")}, "modality 'thermal' is unknown or given twice; there are rgb, depth"),
        ({"modalities": ("rgb", "rgb")}, "modality 'rgb' is unknown or given twice"),
        ({"labelled": 0.01}, "labelled=0.01 leaves 0 of 6 training images a mask; raise it"),
    ],
)  # fmt: skip
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ConfigError, match=f"^scenes-dense: .*{message}") as caught:
        dense(**{"n": 12, "size": 16} | arguments)
    assert "\n" not in str(caught.value)


def test_no_modality_is_refused():
    with pytest.raises(DataError, match=r"^scenes-dense: no modality"):
        dense(6, size=8, modalities=())


def test_load_by_name():
    by_name = load("scenes-dense:n=60,size=32,seed=2,modalities=depth+rgb")
    assert by_name.fingerprint == dense(60, 2, size=32, modalities=("depth", "rgb")).fingerprint
    assert list(load("scenes-dense:n=6,size=8", "rgb").modalities) == ["rgb"]
    with pytest.raises(
        ConfigError, match=r"scenes-dense has no argument 'shapes'; it has n, seed, size, objects"
    ):
        load("scenes-dense:shapes=2")
    with pytest.raises(
        ConfigError, match=r"'many' is no value for n; write e\.g\. scenes-dense:n=600,epsilon=0\.2"
    ):
        load("scenes-dense:n=many")
    with pytest.raises(
        DataError, match=r"scenes-dens: no such folder, .* there are scenes, scenes-dense, "
    ):
        load("scenes-dens")
    assert list(DRAWN) == ["scenes", "scenes-dense"]


def test_a_prepared_folder_keeps_all(tmp_path):
    data = make(40, noise=0.5, labelled=0.5, degraded=0.1)
    data.save(tmp_path / "made")
    held = MultiModalData.open(tmp_path / "made")
    assert (held.fingerprint, held.name, held.dense) == (data.fingerprint, data.name, True)
    assert same(held.masks, data.masks)
    assert {
        name: same(values, data.factors[name]) for name, values in held.factors.items()
    } == dict.fromkeys(data.factors, True)


def test_commands_take_them_by_name(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    datasets.prepare("scenes-dense:n=12,size=16")
    datasets.check("data/scenes-dense")
    assert load("data/scenes-dense").fingerprint == dense(12, size=16).fingerprint
    datasets.show("scenes-dense:n=12,size=16", tmp_path / "pairs.png", columns=3)
    assert "12 samples in 4 classes, 12 complete pairs" in capsys.readouterr().out
    assert (tmp_path / "pairs.png").stat().st_size > 0
    with pytest.raises(DataError, match="scenes-many: .*; there are scenes, scenes-dense, "):
        datasets.prepare("scenes-many", tmp_path / "other")
