"""Synthetic scenes: the same bytes for ever, what each sensor can know at best, what each argument
changes, and what is refused."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data import load, scenes
from discom.data.scenes import dense_scenes, drawing, objects
from discom.errors import ConfigError
from discom.files import digest

ALL = ("rgb", "depth", "thermal")
CUES = {"rgb": "texture", "depth": "relief", "thermal": "warmth"}


def same(one, other):
    return one.tobytes() == other.tobytes()


SUMS = {
    # noise is drawn 500 scenes at a time
    "objects:n=520,size=8": "055cc480926bcf93 e9b4dcaf931ba51b 1315bb45b14c9e23 fc982e4e3d0502ca",
    "scenes-dense:n=24,size=32,seed=3": "3099a034c2fb1097 5ef30ffe5b06093f"
    " b73362447925cc5f 0319d9bf6dfd8927",
    "objects:n=24,size=16,seed=3,modalities=rgb+depth+thermal": "48c0653ade076b81 9ff0eb14feab79dd"
    " 553e1bd557e5a8a0 256bfcc393ebe99a 5020f00759164cce",
}


@pytest.mark.parametrize("source", SUMS)
def test_checksums_of_a_small_set(source):
    data = load(source)
    arrays = [*(m.x for m in data.modalities.values()), data.masks, data.labels]
    assert " ".join(digest(array) for array in arrays) == SUMS[source]


@pytest.mark.parametrize(("name", "sensor"), [("dark", "rgb"), ("far", "depth")])
def test_a_probability_and_other_sensors_change_nothing_else(name, sensor):
    one = objects.make(200, size=8)
    other = objects.make(200, size=8, modalities=ALL[::-1], **{name: 0.9})
    changed = {k for k, values in one.factors.items() if not same(values, other.factors[k])}
    assert changed == {name, CUES[sensor]}
    for each in one.modalities:
        assert same(one.modalities[each].x, other.modalities[each].x) == (each != sensor)


def test_more_dense_scenes_begin_with_the_same_ones_and_another_seed_has_others(monkeypatch):
    few = scenes.dense(30, 2, size=16)
    monkeypatch.setattr(dense_scenes, "CHUNK", 7)  # which has no part in it either
    more, other = scenes.dense(50, 2, size=16), scenes.dense(30, 3, size=16)
    assert few.fingerprint == more.take(np.arange(30)).fingerprint != other.fingerprint
    assert all(same(values, more.factors[name][:30]) for name, values in few.factors.items())
    assert not set(few.ids) & set(other.ids)


def ceiling(train, test, *names):
    """Accuracy, on other scenes, of the most frequent class of what is shown."""
    label, expected = (3 * f["shape"] + f["material"] for f in (train, test))
    counts = np.zeros([4] * len(names) + [9])
    np.add.at(counts, (*(train[name] for name in names), label), 1)
    return (counts.argmax(-1)[*(test[name] for name in names)] == expected).mean()


def miou(confusion):
    """Mean IoU; rows are the truth."""
    right = np.diag(confusion)
    return (right / (confusion.sum(0) + confusion.sum(1) - right)).mean()


@pytest.mark.parametrize("p", [0.0, 0.1, dense_scenes.CONFUSED, 0.8])
@pytest.mark.parametrize("sensor", ["rgb", "depth"])
def test_best_of_dense_scenes_is_that_of_all_rules(sensor, p, monkeypatch):
    """Of all 27 rules from what is shown (3) to a material (3); the background is always right."""
    monkeypatch.setattr(dense_scenes, "CONFUSED", p)
    first, shown = {"rgb": 0, "depth": 1}[sensor], np.eye(3)
    shown[first : first + 2, first : first + 2] = [[1 - p, p], [p, 1 - p]]  # [material, shown]
    with np.errstate(invalid="ignore"):
        rules = [miou(shown @ np.eye(3)[list(rule)]) for rule in product(range(3), repeat=3)]
    best = 100 * (1 + 3 * np.nan_to_num(rules).max()) / 4
    assert dense_scenes.best()[sensor] == pytest.approx(best)


def test_drawn_data_say_what_drew_them():
    whole = objects.make(9, modalities=ALL)
    one, other = objects.make(9, seed=1), objects.make(9, seed=2)
    assert one.origin_at(1).digest == other.origin_at(2).digest != whole.origin_at(0).digest
    assert (one.origin_at(7).drawn, one.origin_at(7).divided) == (1, 7)
    changed = replace(one, classes=one.classes[::-1])  # no longer what was drawn
    assert changed.drawn is None
    assert changed.origin_at(1).content == changed.fingerprint


class OtherMaterial(drawing.Streams):
    """The same random numbers, but every scene has another material."""

    calls = 0

    def integers(self, count):
        self.calls += 1
        values = super().integers(count)
        return (values + 1) % count if self.calls == 2 else values


@pytest.mark.parametrize(("sensor", "hidden"), [("rgb", "dark"), ("depth", "far")])
def test_a_hidden_cue_tells_nothing(sensor, hidden, monkeypatch):
    """Exactly the scenes in which a cue is hidden look the same with another material; one that
    shows faintly is noticed."""
    right, streams = objects.SENSES[sensor], drawing.Streams

    def wrong(f, view, rng):
        return right(f | {CUES[sensor]: f["material"]}, view, rng)

    for sense, as_hidden in ((right, True), (wrong, False)):
        monkeypatch.setitem(objects.SENSES, sensor, sense)
        both = []
        for kind in (streams, OtherMaterial):
            monkeypatch.setattr(drawing, "Streams", kind)
            both.append(objects.make(300, size=16))
        one, other = both
        assert not (one.labels == other.labels).any()
        images = zip(one.modalities[sensor].x, other.modalities[sensor].x, strict=True)
        alike = [same(*pair) for pair in images]
        assert (alike == (one.factors[hidden] == 1).tolist()) == as_hidden


@pytest.mark.parametrize(("dark", "far"), [(0.2, 0.3), (0.6, 0), (1, 0.5)])
@pytest.mark.parametrize("names", [("rgb",), ("depth",), ("thermal",), ("rgb", "depth"), ALL])
def test_the_best_accuracy_of_sensors(names, dark, far):
    """That of a rule which knows how often each class is behind what is shown."""
    train, test = (objects.draw_factors(20_000, seed, dark, far) for seed in (0, 1))
    hidden = math.prod({"rgb": dark, "depth": far, "thermal": 0.4}[name] for name in names)
    expected = 1 - hidden + hidden / 3
    best = objects.make(9, size=8, dark=dark, far=far, modalities=names).best
    assert best["+".join(names)] == pytest.approx(100 * expected)
    found = ceiling(train, test, "shape", *(CUES[name] for name in names))
    assert found == pytest.approx(expected, abs=4 * 0.5 / 20_000**0.5)


MAKE = {"scenes-dense": scenes.dense, "objects": objects.make}
WRONG = [(name, wrong) for name in MAKE for wrong in ({"n": 0}, {"size": 30}, {"seed": -1})]
WRONG += [(name, huge) for name in MAKE for huge in ({"size": 4_000_000}, {"n": 10**11})]
WRONG += [("objects", {"dark": -0.1}), ("objects", {"modalities": ("rgb", "sonar")})]


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_arguments_out_of_range(name, wrong):
    refused(lambda: MAKE[name](**{"n": 12, "size": 16} | wrong), f"^{name}: ", ConfigError)
