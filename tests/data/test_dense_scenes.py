"""Scenes of several objects: the recipe pixel by pixel, the same bytes for ever, what each sensor
can know, and what each dial changes."""

import math
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from discom.data import load
from discom.data.checks import NO_LABEL
from discom.data.scenes import MATERIALS, ceilings, dense, several
from discom.errors import ConfigError, DataError
from discom.files import digest
from discom.tables.statistics import by_dials

CUES = {"rgb": ("texture",), "depth": ("relief",), "rgb+depth": ("texture", "relief")}


def same(one, other, rows=slice(None)):
    return one[rows].tobytes() == other[rows].tobytes()


def factors(n=4000, seed=0, objects=1, epsilon=0.3, delta=0.3, noise=0.0):
    return several._factors(n, seed, objects, epsilon, delta, noise * np.ones(n))


def make(n=120, seed=4, size=16, **dials):
    return dense(n, seed, size=size, **dials)


def without_noise(monkeypatch, n=12, seed=5, size=32):
    """Scenes without noise and holes, and their factors."""
    with monkeypatch.context() as patched:
        patched.setattr(several, "SIGMA", {"rgb": 0.0, "depth": 0.0})
        data = dense(n, seed, size=size, holes=0)
    return data, *several._factors(n, seed, 4, 0.3, 0.3, np.zeros(n))


# the same bytes


def test_checksums_of_a_small_set():
    data = dense(24, 3, size=32, noise=0.5, labelled=0.5, degraded=0.1)
    arrays = [*(m.x for m in data.modalities.values()), data.masks, data.labels]
    expected = ["3099a034c2fb1097", "acf7326f9f3ec3aa", "93b021a76b77a620", "0319d9bf6dfd8927"]
    assert [digest(array) for array in arrays] == expected


def test_more_scenes_begin_with_the_same_ones_and_another_seed_has_others(monkeypatch):
    few = dense(30, 2, size=16)
    monkeypatch.setattr(several, "CHUNK", 7)  # which has no part in it either
    more, other = dense(50, 2, size=16), dense(30, 3, size=16)
    for name in few.modalities:
        assert same(few.modalities[name].x, more.modalities[name].x[:30])
    assert same(few.masks, more.masks[:30])
    assert all(same(values, more.factors[name][:30]) for name, values in few.factors.items())
    assert few.fingerprint != other.fingerprint
    assert not set(few.ids) & set(other.ids)


def test_modalities_objects_and_probabilities_change_nothing_else():
    whole = dense(20, 1, size=16, degraded=0.1)
    for names in (("depth",), ("depth", "rgb")):
        part = dense(20, 1, size=16, degraded=0.1, modalities=names)
        assert all(same(part.modalities[name].x, whole.modalities[name].x) for name in names)
    three, four = (dense(20, 1, size=16, objects=k).factors for k in (3, 4))
    for name, values in three.items():
        less = (four[name] <= values).all()
        assert less if name.startswith("visible") else same(values, four[name])
    for argument, cue, left in (("epsilon", "texture", "depth"), ("delta", "relief", "rgb")):
        one, other = dense(60, size=8), dense(60, size=8, **{argument: 0.9})
        changed = {k[:-2] for k in one.factors if not same(one.factors[k], other.factors[k])}
        assert changed == {cue}
        assert same(one.modalities[left].x, other.modalities[left].x)


# the recipe


def at(values, row):
    return SimpleNamespace(**{name: array[row] for name, array in values.items()})


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def meet(thing, x, y, size):
    """One object at one point: its soft mask, its colour and its relief."""
    dx, dy = (x - thing.centre_x) / thing.scale, (y - thing.centre_y) / thing.scale
    u = math.cos(thing.rotation) * dx + math.sin(thing.rotation) * dy
    v = -math.sin(thing.rotation) * dx + math.cos(thing.rotation) * dy
    r = math.hypot(u, v)
    triangle = 0.55 - max(-v, 0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v)
    distance = [1 - r, 0.8 - max(abs(u), abs(v)), triangle][thing.shape]
    phase, freq = thing.phase, thing.frequency
    stripes, rings = math.sin(2 * freq * u + phase), math.sin(2.2 * freq * r + phase)
    checks = min(1, max(-1, 1.6 * stripes * math.sin(2 * freq * v + phase)))
    wave = [stripes, checks, rings][thing.texture]
    colour = (1 + wave) / 2 * thing.colour_a + (1 - wave) / 2 * thing.colour_b
    relief = [0.6, 1 - min(1.8 * r, 1) ** 2, 1 - min(1.8 * abs(u), 1)][thing.relief]
    return sigmoid(0.6 * size * distance), colour, relief


def look(scene, things, row, column, size):
    """One pixel of both sensors and of the mask, and the surfaces there, the farthest first."""
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
    data, scene, things = without_noise(monkeypatch, n=20)
    hidden = 0
    for n in range(len(data)):
        for row, column in np.random.default_rng(n).integers(0, 32, (60, 2)):
            objects = [at(thing, n) for thing in things][::order]
            colour, depth, label, surfaces = look(at(scene, n), objects, row, column, 32)
            rgb, found = (data.modalities[name].x[n, :, row, column] for name in ("rgb", "depth"))
            np.testing.assert_allclose(rgb, np.clip(colour, 0, 1), atol=0.51 / 65535)
            np.testing.assert_allclose(found, [np.clip(depth, 0, 1)], atol=0.51 / 65535)
            assert data.masks[n, row, column] == label
            assert surfaces == sorted(surfaces)  # what is painted later is nearer
            hidden += len(surfaces) > 2
    assert hidden > 10  # pixels where one object hides another were among them


def test_every_formula_pixel_by_pixel(monkeypatch):
    check_pixels(monkeypatch)


def test_masks_and_visible_shares_agree_with_the_layout(monkeypatch):
    data, _, things = without_noise(monkeypatch, n=4)
    axis = np.linspace(-1, 1, 32)
    for n in range(4):
        inside = np.array(
            [[[meet(at(t, n), x, y, 32)[0] > 0.5 for x in axis] for y in axis] for t in things]
        )
        owner = np.where(inside.any(0), len(things) - inside[::-1].argmax(0), 0)  # the last one
        materials = np.array([0, *(thing["material"][n] + 1 for thing in things)])
        assert (data.masks[n] == materials[owner]).all()
        for k in range(1, 5):
            share = (owner == k).sum() / inside[k - 1].sum()
            assert data.factors[f"visible_{k}"][n] == pytest.approx(share)


RANGES = {
    "centre_x": (-0.9, 0.9), "centre_y": (-0.9, 0.9), "rotation": (0, 2 * math.pi),
    "scale": (0.25, 0.44), "frequency": (3, 5), "phase": (0, 2 * math.pi), "gap": (0, 1),
    "colour_a": (0, 1), "colour_b": (0, 1), "background": (0, 1), "bottom": (0, 1),
    "gradient_x": (-1, 1), "gradient_y": (-1, 1), "illumination": (0.6, 1.2),
    "tilt_x": (-0.04, 0.04), "tilt_y": (-0.04, 0.04), "shift": (-0.38, -0.33),
}  # fmt: skip


def test_nuisance_factors_fill_their_ranges_and_say_nothing_about_the_material():
    n = 4000
    scene, (thing, other) = factors(n, objects=2)
    every = scene | thing
    assert set(every) == set(RANGES) | {"shape", "material", "texture", "relief", "label"}
    for name, (low, high) in RANGES.items():
        values, width = every[name], high - low
        assert low <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 4 * width / math.sqrt(12 * n)
    assert abs(thing["colour_a"] - thing["colour_b"]).min() >= 0.3  # so every texture shows
    columns = [every[k] if every[k].ndim == 1 else every[k][:, 0] for k in [*RANGES, "shape"]]
    for values in (*columns, other["material"], other["shape"]):
        assert abs(np.corrcoef(values, thing["material"])[0, 1]) < 4 / math.sqrt(n)


@pytest.mark.parametrize("holes", [0.0, 0.15, 0.6])
def test_missing_squares_are_the_only_zeros_of_depth(holes):
    depth = dense(200, 2, size=32, holes=holes).modalities["depth"].x
    cells = depth.reshape(200, 8, 4, 8, 4) == 0
    assert (cells.all((2, 4)) == cells.any((2, 4))).all()
    assert abs(cells.mean() - holes) <= 4 * math.sqrt(holes * (1 - holes) / (200 * 64))


def test_noise_of_the_sensors_has_the_stated_strength(monkeypatch):
    noisy, (clean, *_) = dense(60, 5, size=32, holes=0), without_noise(monkeypatch, n=60)
    for name, sigma in (("rgb", 0.05), ("depth", 0.015)):
        before, after = clean.modalities[name].x, noisy.modalities[name].x
        free = (before > 0.25) & (before < 0.75)  # far from clipping
        assert np.std((after - before)[free]) == pytest.approx(sigma, rel=0.02)


# what each sensor can know


def scores(confusion):
    """Share of right ones for each class, and mean IoU; rows are the truth."""
    right = np.diag(confusion)
    return right / confusion.sum(1), (right / (confusion.sum(0) + confusion.sum(1) - right)).mean()


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("sensor", ["rgb", "depth"])
def test_ceilings_are_the_best_of_all_rules(sensor, p):
    """Of all 27 rules from what is shown (3) to a material (3); the background is always right."""
    first, shown = {"rgb": 0, "depth": 1}[sensor], np.eye(3)
    shown[first : first + 2, first : first + 2] = [[1 - p, p], [p, 1 - p]]  # [material, shown]
    with np.errstate(invalid="ignore"):
        rules = [scores(shown @ np.eye(3)[list(rule)]) for rule in product(range(3), repeat=3)]
    best, ceiling = max(np.nan_to_num(miou) for _, miou in rules), ceilings(p, p)[sensor]
    accuracies = [ceiling[name] for name in MATERIALS]
    assert ceiling["miou"] == pytest.approx((1 + 3 * best) / 4)
    assert max(accuracy.mean() for accuracy, _ in rules) == pytest.approx(np.mean(accuracies))
    assert any(np.allclose(accuracy, accuracies) for accuracy, _ in rules)


def test_ceilings_in_closed_form():
    closed = (1 + 2 * 0.7 / 1.3 + 1) / 4
    assert ceilings()["rgb"]["miou"] == ceilings()["depth"]["miou"] == pytest.approx(closed)
    assert [ceilings()["depth"][name] for name in MATERIALS] == pytest.approx([1, 0.7, 0.7])
    assert ceilings()["rgb+depth"] == {"wood": 1, "metal": 1, "stone": 1, "miou": 1}


def bayes(thing, cues, learned):
    """The most frequent material of what is shown, learned from other objects."""
    shown, others = (
        np.ravel_multi_index([t[cue] for cue in cues], [3] * len(cues)) for t in (thing, learned)
    )
    counts = np.zeros((3 ** len(cues), 3))
    np.add.at(counts, (others, learned["material"]), 1)
    return counts.argmax(1)[shown]


@pytest.mark.parametrize("sensor", CUES)
@pytest.mark.parametrize(("epsilon", "delta"), [(0.7, 0.2)])
def test_a_classifier_of_the_factors_reaches_the_ceiling_in_the_masks(sensor, epsilon, delta):
    """Bayes' rule for every object, painted through the true layout, is scored pixel by pixel."""
    scene, things = factors(1000, 1, 4, epsilon, delta)
    (learned,) = factors(4000, 2, 1, epsilon, delta)[1]
    guessed = [{**thing, "label": bayes(thing, CUES[sensor], learned)} for thing in things]
    masks, predicted = (several._paint(scene, objects, 16)[1] for objects in (things, guessed))
    ceiling = ceilings(epsilon, delta)[sensor]
    truth, guess = (np.concatenate([t["label"] for t in objects]) for objects in (things, guessed))
    for k, name in enumerate(MATERIALS):
        sd = math.sqrt(ceiling[name] * (1 - ceiling[name]) / (truth == k).sum())
        assert abs((guess == k)[truth == k].mean() - ceiling[name]) <= 4 * sd + 1e-9
    confusion = np.zeros((4, 4))
    np.add.at(confusion, (masks.ravel(), predicted.ravel()), 1)
    assert scores(confusion)[1] == pytest.approx(ceiling["miou"], abs=0.02)


# the dials

NAMES = [
    ({"noise": 0, "labelled": 1, "degraded": 0}, "scenes-dense"),
    ({"noise": 0.4}, "scenes-dense-noise=0.4"),
    ({"labelled": 0.25}, "scenes-dense-labelled=0.25"),
    ({"degraded": 1e-05, "degraded_in": "rgb"}, "scenes-dense-degraded_rgb=1e-05"),
    (
        {"noise": 0.4, "labelled": 0.1, "degraded": 0.3},
        "scenes-dense-noise=0.4-labelled=0.1-degraded_depth=0.3",
    ),
]


@pytest.mark.parametrize(("dials", "name"), NAMES)
def test_the_name_and_the_split_of_turned_dials(dials, name, tmp_path):
    data, plain = make(60, **dials), make(60)
    assert data.name == name
    assert (data.fingerprint == plain.fingerprint) == (name == "scenes-dense")
    for ours, theirs in zip(data.split(seed=4), plain.split(seed=4), strict=True):
        assert ours.ids.tolist() == theirs.ids.tolist()
    text = "".join(f",{key}={value}" for key, value in dials.items())
    data.save(tmp_path / "out")
    for again in (load(f"scenes-dense:n=60,size=16,seed=4{text}"), load(tmp_path / "out")):
        assert (again.fingerprint, again.name, again.dense) == (data.fingerprint, name, True)
        assert all(same(values, data.factors[k]) for k, values in again.factors.items())
    degraded_in = dials.get("degraded_in", "depth")
    expected = {"noise": 0, "labelled": 1, "degraded_depth": 0, "degraded_rgb": 0}
    for key in ("noise", "labelled", "degraded"):
        if key in dials:
            expected[f"degraded_{degraded_in}" if key == "degraded" else key] = dials[key]
    table = by_dials(pd.DataFrame({"data": [name, *(other for _, other in NAMES)]}))
    assert table.iloc[0][list(expected)].to_dict() == expected


@pytest.mark.parametrize("noise", [0.4, 1.0])
def test_noise_redraws_materials_in_training_masks_alone(noise):
    plain, turned = make(600), make(600, noise=noise)
    train = np.isin(np.arange(600), turned.parts["train"])
    assert all(same(m.x, turned.modalities[name].x) for name, m in plain.modalities.items())
    assert same(plain.masks, turned.masks, ~train)
    assert same(plain.masks > 0, turned.masks > 0)
    for k in range(1, 5):
        wrong = turned.factors[f"label_{k}"] != turned.factors[f"material_{k}"]
        assert not wrong[~train].any()
        share = 2 * noise / 3  # one of three redrawn ones is right by chance
        assert abs(wrong[train].mean() - share) < 4 * math.sqrt(share * (1 - share) / train.sum())
    scene, things = factors(600, 4, 4)  # the masks are the layout, filled with label_1, …
    filled = [{**thing, "label": turned.factors[f"label_{k}"]} for k, thing in enumerate(things, 1)]
    assert same(several._paint(scene, filled, 16)[1].astype(np.uint8), turned.masks)


@pytest.mark.parametrize("labelled", [0.1, 0.5])
def test_labelled_takes_masks_from_training_images_alone(labelled):
    plain, turned = make(), make(labelled=labelled)
    train = np.isin(np.arange(120), turned.parts["train"])
    assert all(same(m.x, turned.modalities[name].x) for name, m in plain.modalities.items())
    gone = (turned.masks == NO_LABEL).all((1, 2))
    assert not gone[~train].any()
    assert (~gone & train).sum() == round(labelled * 60)
    assert same(plain.masks, turned.masks, ~gone)
    more = (make(labelled=labelled + 0.2).masks == NO_LABEL).all((1, 2))
    assert (more <= gone).all()  # who has a mask keeps it when the share grows
    together = make(labelled=labelled, noise=0.5, degraded=0.2)
    assert ((together.masks == NO_LABEL).all((1, 2)) == gone).all()
    assert same(make(noise=0.5).masks, together.masks, ~gone)


@pytest.mark.parametrize("modality", ["depth", "rgb"])
def test_degraded_adds_noise_to_training_images_of_one_sensor(modality):
    plain, turned = make(size=32), make(size=32, degraded=0.05, degraded_in=modality)
    train = np.isin(np.arange(120), turned.parts["train"])
    other = {"rgb": "depth", "depth": "rgb"}[modality]
    assert same(plain.modalities[other].x, turned.modalities[other].x)
    assert same(plain.masks, turned.masks)
    before, after = plain.modalities[modality].x, turned.modalities[modality].x
    assert same(before, after, ~train)
    assert ((before == 0) == (after == 0)).all() or modality == "rgb"  # missing as it was
    free = (before[train] > 0.25) & (before[train] < 0.75)  # far from clipping
    assert np.std((after - before)[train][free]) == pytest.approx(0.05, rel=0.03)


# arguments

NAN = float("nan")
WRONG = [
    ({"n": 0}, "n=0, size=16; n must be positive"),
    ({"seed": -1}, "seed=-1 is negative; use 0 or more"),
    ({"size": 30}, "size=30; .* multiple of 4 from 8 on"),
    ({"objects": 9}, "objects=9 is out of range; choose 1 to 8"),
    *(({k: NAN}, f"{k}=nan is no probability") for k in ("epsilon", "delta", "holes", "noise")),
    ({"labelled": 1.5}, "labelled=1.5 is no probability; choose 0 to 1"),
    ({"degraded": NAN}, "degraded=nan is no standard deviation; choose 0 or more"),
    ({"degraded_in": "thermal"}, "degraded_in='thermal' is no modality of these data; choose rgb"),
    ({"degraded": 0.1, "modalities": ("rgb",)}, "degraded_in='depth' is no modality of these data"),
    ({"modalities": ("rgb", "rgb")}, "modality 'rgb' is unknown or twice; choose rgb, depth"),
    ({"modalities": ()}, "no modality; give at least one"),
    ({"labelled": 0.01}, "labelled=0.01 leaves 0 of 6 training images a mask; raise it"),
]


@pytest.mark.parametrize(("arguments", "fragment"), WRONG)
def test_arguments_out_of_range(arguments, fragment):
    with pytest.raises((ConfigError, DataError), match=f"^scenes-dense: .*{fragment}"):
        dense(**{"n": 12, "size": 16} | arguments)
