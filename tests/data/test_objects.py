"""Objects: the same bytes for ever, what one sensor and several can know at best, nothing of the
material where it is hidden; and the other scenes, which share their drawing, as they were."""

import hashlib
import math

import numpy as np
import pytest
from test_scenes import ALL, ceiling, changed, near, same

from discom.data import load
from discom.data.scenes import drawing, objects
from discom.errors import ConfigError

CUES = {"rgb": "texture", "depth": "relief", "thermal": "warmth"}


def sums(source):
    """The first digits of the sha256 of each sensor's pixels."""
    sensors = load(source, seed=0).modalities.items()
    return {name: hashlib.sha256(m.x.tobytes()).hexdigest()[:16] for name, m in sensors}


# the same bytes

SUMS = {
    "scenes": {"rgb": "b8bd09a3c6298868", "depth": "00c5d73b85ced719"},
    "scenes-dense": {"rgb": "c01750a2d80660b5", "depth": "47b406bda4dee3c2"},
    "objects": {"rgb": "d629d49ca8b3094c", "depth": "88c8a23e749f426c"},
    "objects:n=24,size=16,modalities=rgb+depth+thermal": {
        "rgb": "7050e7261947f2af",
        "depth": "7ecc5854f214a85f",
        "thermal": "c51335ac4e408718",
    },
}


@pytest.mark.parametrize("source", SUMS)
def test_checksums_of_the_pixels(source):
    assert sums(source) == SUMS[source]


def test_arguments_and_sensors_change_nothing_else():
    whole = objects.make(30, size=16, seed=5, modalities=ALL)
    for names in (("rgb",), ("thermal", "depth", "rgb")):
        part = objects.make(30, size=16, seed=5, modalities=names)
        assert tuple(part.modalities) == names
        assert all(same(part.modalities[name].x, whole.modalities[name].x) for name in names)
    usual, darker, farther = (
        objects.make(200, size=8, **more) for more in ({}, {"dark": 0.9}, {"far": 0.9})
    )
    assert changed(usual, darker) == {"dark", "texture"}
    assert changed(usual, farther) == {"far", "relief"}
    assert same(usual.modalities["depth"].x, darker.modalities["depth"].x)
    assert same(usual.modalities["rgb"].x, farther.modalities["rgb"].x)


# what a sensor shows


def test_hidden_cues_are_the_fourth_kind_in_independent_shares():
    factors = objects._factors(20_000, 0, 0.2, 0.3)
    dark, far = factors["dark"] == 1, factors["far"] == 1
    for found, expected in ((dark, 0.2), (far, 0.3), (dark & far, 0.06)):
        near(found.mean(), expected, 20_000)
    assert np.array_equal(factors["texture"], np.where(dark, 3, factors["material"]))
    assert np.array_equal(factors["relief"], np.where(far, 3, factors["material"]))


class OtherMaterial(drawing.Streams):
    """The same random numbers, but every scene has another material."""

    calls = 0

    def integers(self, count):
        self.calls += 1
        values = super().integers(count)
        return (values + 1) % count if self.calls == 2 else values


def tells_nothing(sensor, hidden, monkeypatch):
    """Whether exactly the scenes in which a cue is hidden look the same with another material."""
    one = objects.make(300, size=16)
    monkeypatch.setattr(drawing, "Streams", OtherMaterial)
    other = objects.make(300, size=16)
    assert changed(one, other) == {"material", "texture", "relief", "warmth"}
    assert not (one.labels == other.labels).any()
    images = zip(one.modalities[sensor].x, other.modalities[sensor].x, strict=True)
    return [same(*pair) for pair in images] == (one.factors[hidden] == 1).tolist()


@pytest.mark.parametrize(("sensor", "hidden"), [("rgb", "dark"), ("depth", "far")])
def test_a_hidden_cue_tells_nothing_of_the_material(sensor, hidden, monkeypatch):
    assert tells_nothing(sensor, hidden, monkeypatch)


@pytest.mark.parametrize(("sensor", "hidden"), [("rgb", "dark"), ("depth", "far")])
def test_a_sensor_that_shows_it_faintly_is_noticed(sensor, hidden, monkeypatch):
    right = getattr(objects, f"_{sensor}")

    def wrong(f, view, rng):
        return right(f | {CUES[sensor]: f["material"]}, view, rng)

    monkeypatch.setattr(objects, f"_{sensor}", wrong)
    assert not tells_nothing(sensor, hidden, monkeypatch)


# the best that sensors can do


@pytest.mark.parametrize(("dark", "far"), [(0.2, 0.3), (0.6, 0), (1, 0.5)])
@pytest.mark.parametrize("names", [("rgb",), ("depth",), ("thermal",), ("rgb", "depth"), ALL])
def test_the_best_accuracy_of_sensors(names, dark, far):
    """That of a rule which knows how often each class is behind what is shown."""
    train, test = (objects._factors(20_000, seed, dark, far) for seed in (0, 1))
    hidden = math.prod({"rgb": dark, "depth": far, "thermal": 0.4}[name] for name in names)
    expected = 1 - hidden + hidden / 3
    best = objects.make(9, size=8, dark=dark, far=far, modalities=names).best
    assert best["+".join(names)] == pytest.approx(100 * expected)
    near(ceiling(train, test, "shape", *(CUES[name] for name in names)), expected, 20_000)


def test_every_combination_has_its_best_accuracy():
    assert objects.best() == pytest.approx({"rgb": 260 / 3, "depth": 80, "rgb+depth": 96})
    combinations = ["rgb", "depth", "thermal", "rgb+depth", "rgb+thermal", "depth+thermal"]
    assert [*objects.best(modalities=ALL)] == [*combinations, "rgb+depth+thermal"]
    assert objects.make(60, size=8).split().train.best == objects.best()


# arguments


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("objects:dark=0.2,far=0.3", "objects"),
        ("objects:dark=0.4,far=0", "objects-dark=0.4-far=0"),
        ("objects:modalities=thermal+rgb", "objects-thermal-rgb"),
    ],
)
def test_the_name_has_the_arguments_that_were_changed(source, name):
    assert load(f"{source},n=12,size=8").name == name


WRONG = [
    ({"n": 0}, "n: 0 is not a whole number from 1 on"),
    ({"size": 30}, "size: 30 is not a multiple of 4"),
    ({"seed": -1}, "seed: -1 is not a whole number from 0 on"),
    ({"dark": -0.1}, "dark: -0.1 is not a number from 0 to 1"),
    ({"far": 1.5}, "far: 1.5 is not a number from 0 to 1"),
    ({"far": math.nan}, "far: nan is not a number from 0 to 1"),
    ({"modalities": ("rgb", "sonar")}, "modality 'sonar' is unknown or twice; choose of rgb, dep"),
    ({"modalities": ("rgb", "rgb")}, "modality 'rgb' is unknown or twice; choose of rgb, depth"),
]


@pytest.mark.parametrize(("arguments", "fragment"), WRONG)
def test_arguments_out_of_range(arguments, fragment):
    with pytest.raises(ConfigError, match=f"^objects: {fragment}") as error:
        objects.make(**{"n": 12, "size": 16} | arguments)
    assert "\n" not in str(error.value)
    with pytest.raises(
        ConfigError, match="objects has no argument 'noise'; it has n, size, seed, "
    ):
        load("objects:noise=2")
