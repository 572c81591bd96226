"""Synthetic scenes: the same bytes for ever, what each sensor can know at best, what each argument
changes, and what is refused."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from discom.data import load, planned, scenes
from discom.data.scenes import best_accuracy, ceilings, classification, drawing, segmentation
from discom.data.scenes.classification import MATERIALS
from discom.errors import ConfigError
from discom.files import digest

ALL = ("rgb", "depth", "thermal")
REDRAWN = {"texture": 0.10, "relief": 0.25, "warmth": 0.40}


def factors(n=20_000, seed=0, materials=3, **redrawn):
    return classification._factors(n, seed, REDRAWN | redrawn, 3, materials)


def near(found, expected, n, sds=4.0):
    """Within so many standard deviations of a share of n draws."""
    assert abs(found - expected) <= sds * math.sqrt(max(expected * (1 - expected), 1e-12) / n)


def same(one, other, rows=slice(None)):
    return one[rows].tobytes() == other[rows].tobytes()


def changed(one, other):
    """The factors that differ between two data sets."""
    return {name for name in one.factors if not same(one.factors[name], other.factors[name])}


# the same bytes

SUMS = {
    "scenes:n=24,size=16,seed=3,modalities=rgb+depth+thermal": "dcecb4c91f807861 66e5831bdfd6a83e"
    " 685d9177cda2613f d3aae3a4de5a79e0 5020f00759164cce",
    "scenes-dense:n=24,size=32,seed=3": "3099a034c2fb1097 5ef30ffe5b06093f"
    " b73362447925cc5f 0319d9bf6dfd8927",
}


@pytest.mark.parametrize(("source", "sums"), SUMS.items())
def test_checksums_of_a_small_set(source, sums):
    data = load(source)
    arrays = [*(m.x for m in data.modalities.values()), data.masks, data.labels]
    assert " ".join(digest(array) for array in arrays) == sums


def test_modalities_and_probabilities_change_nothing_else():
    whole = scenes.make(30, size=16, seed=5, modalities=ALL)
    for names in (("rgb",), ("thermal", "depth", "rgb")):
        part = scenes.make(30, size=16, seed=5, modalities=names)
        assert tuple(part.modalities) == names
        assert all(same(part.modalities[name].x, whole.modalities[name].x) for name in names)
    one, other = scenes.make(200, size=8), scenes.make(200, size=8, epsilon=0.9)
    assert changed(one, other) == {"texture"}
    assert same(one.modalities["depth"].x, other.modalities["depth"].x)


def test_more_dense_scenes_begin_with_the_same_ones_and_another_seed_has_others(monkeypatch):
    few = scenes.dense(30, 2, size=16)
    monkeypatch.setattr(segmentation, "CHUNK", 7)  # which has no part in it either
    more, other = scenes.dense(50, 2, size=16), scenes.dense(30, 3, size=16)
    for name in few.modalities:
        assert same(few.modalities[name].x, more.modalities[name].x[:30])
    assert same(few.masks, more.masks[:30])
    assert all(same(values, more.factors[name][:30]) for name, values in few.factors.items())
    assert few.fingerprint != other.fingerprint
    assert not set(few.ids) & set(other.ids)


# the recipe


def test_noise_is_a_factor_on_that_of_depth_alone():
    none, usual, loud = (
        scenes.make(330, size=8, modalities=ALL, noise=noise).modalities for noise in (0, 1, 1.5)
    )
    assert all(same(none[name].x, loud[name].x) for name in ("rgb", "thermal"))
    depth = [sensor["depth"].x for sensor in (none, usual, loud)]
    inside = np.logical_and.reduce([abs(x - 0.5) < 0.5 for x in depth])  # neither hole nor clipped
    one, more = ((x - depth[0])[inside] for x in depth[1:])
    np.testing.assert_allclose(more, 1.5 * one, atol=1e-3)
    assert one.std() == pytest.approx(0.08, rel=0.1)


# the best that a sensor can do


def ceiling(train, test, *names):
    """Accuracy, on other scenes, of the most frequent class of what is shown."""
    (shown, label), (others_shown, others_label) = (
        [
            np.ravel_multi_index([f[name] for name in chosen], [4] * len(chosen))
            for chosen in (names, ("shape", "material"))
        ]
        for f in (train, test)
    )
    counts = np.zeros((shown.max() + 1, label.max() + 1))
    np.add.at(counts, (shown, label), 1)
    return (counts.argmax(1)[others_shown] == others_label).mean()


@pytest.mark.parametrize("materials", [2, 3])
@pytest.mark.parametrize(("cue", "share"), [*REDRAWN.items(), ("texture", 0.6), ("texture", 0)])
def test_the_best_accuracy_of_one_sensor(cue, share, materials):
    train, test = (factors(seed=seed, materials=materials, **{cue: share}) for seed in (0, 1))
    expected = 1 - share + share / materials
    assert best_accuracy(share, materials) == pytest.approx(expected)
    near(ceiling(train, test, "shape", cue), expected, 20_000)


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


def test_drawn_data_say_the_best_possible_scores_and_what_drew_them():
    make = scenes.make
    whole = make(9, modalities=("rgb", "depth", "thermal"), epsilon=0.3)
    assert whole.best == pytest.approx({"rgb": 80.0, "depth": 250 / 3, "thermal": 220 / 3})
    one, other = make(9, seed=1), make(9, seed=2)
    assert one.origin_at(1).digest == other.origin_at(2).digest != whole.origin_at(0).digest
    assert (one.origin_at(7).drawn, one.origin_at(7).divided) == (1, 7)
    changed = replace(one, classes=one.classes[::-1])  # no longer what was drawn
    assert changed.drawn is None
    assert changed.origin_at(1).content == changed.fingerprint
    pair = one.select(["depth", "rgb"])
    assert pair.drawn["modalities"] == ["depth", "rgb"]
    assert pair.origin_at(1).content != one.origin_at(1).content


# arguments

NAMES = {
    "scenes:noise=1,delta=0.25": "scenes",
    "scenes:noise=2": "scenes-noise=2",
    "scenes:shapes=2,epsilon=0": "scenes-epsilon=0-shapes=2",
    "scenes:modalities=depth+rgb+thermal,noise=2": "scenes-depth-rgb-thermal-noise=2",
    "scenes-dense:objects=2,epsilon=0.1": "scenes-dense-objects=2-epsilon=0.1",
}


@pytest.mark.parametrize(("source", "name"), NAMES.items())
def test_the_name_has_the_arguments_that_were_changed(source, name):
    assert load(f"{source},n=12,size=8").name == name


def test_arguments_by_name():
    by_name = load("scenes:n=12,size=16,seed=4,epsilon=0.5,modalities=rgb+thermal")
    expected = scenes.make(12, 16, 4, 0.5, modalities=("rgb", "thermal"))
    assert by_name.fingerprint == expected.fingerprint
    for source, fragment in [
        ("scenes:colour=3", "scenes has no argument 'colour'; it has n, size, seed, epsilon"),
        ("scenes:n=many", r"'many' is not a value for n; write e\.g\."),
    ]:
        with pytest.raises(ConfigError, match=fragment):
            load(source)


WHOLE, SHARE = "is not a whole number from", "is not a number from 0 to 1"
WRONG = [  # for both kinds
    ({"n": 0}, f"n: 0 {WHOLE} 1 on"),
    ({"size": 30}, "size: 30 is not a multiple of 4"),
    ({"seed": -1}, f"seed: -1 {WHOLE} 0 on"),
    ({"epsilon": float("nan")}, f"epsilon: nan {SHARE}"),
    ({"delta": 1.5}, f"delta: 1.5 {SHARE}"),
]
OF_ONE = [
    ({"noise": math.inf}, "noise: inf is not a number from 0 on"),
    ({"shapes": 4}, f"shapes: 4 {WHOLE} 1 to 3"),
    ({"shapes": 1, "materials": 1}, "shapes=1, materials=1 is one class"),
    (
        {"modalities": ("rgb", "sonar")},
        "modality 'sonar' is unknown or twice; choose of rgb, depth",
    ),
    ({"modalities": ("rgb", "rgb")}, "modality 'rgb' is unknown or twice; choose of rgb, depth"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "fragment"),
    [
        *(("scenes", *case) for case in [*WRONG, *OF_ONE]),
        *(("scenes-dense", *case) for case in [*WRONG, ({"objects": 9}, f"9 {WHOLE} 1 to 8")]),
    ],
)
def test_arguments_out_of_range(name, arguments, fragment):
    draw = {"scenes": scenes.make, "scenes-dense": scenes.dense}[name]
    with pytest.raises(ConfigError, match=f"^{name}: .*{fragment}"):
        draw(**{"n": 12, "size": 16} | arguments)


@pytest.mark.parametrize(
    "source",
    [
        *("scenes", "objects:n=600,dark=0.5", "scenes:seed=3", "scenes:noise=3,n=12"),
        *("scenes:n=60,modalities=rgb+thermal", "scenes-dense:n=30,size=16"),
    ],
)
def test_runs_are_planned_with_the_origin_of_data_that_nobody_drew(source, monkeypatch):
    """A table of ten runs drew all pixels of ten seeds before the first."""
    expected = {seed: load(source, seed=seed) for seed in (0, 4)}
    drawn, draw = [], drawing.draw

    def watched(factors, *given):
        drawn.append(len(factors["bottom"]))
        return draw(factors, *given)

    monkeypatch.setattr(drawing, "draw", watched)
    images_of = planned(source)
    for seed, data in expected.items():
        few = images_of(seed)
        assert few.origin_at(seed) == data.origin_at(seed)
        assert (few.name, few.classes, few.dense) == (data.name, data.classes, data.dense)
        assert [*few.modalities] == [*data.modalities]
        assert all(np.isnan(m.x).all() for m in few.modalities.values())  # nothing to train on
    assert drawn in ([], [9])
