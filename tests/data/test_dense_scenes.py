"""Scenes of several objects: the same bytes for ever, the ranges of the recipe, what each sensor
can know, and what is refused."""

from itertools import product

import numpy as np
import pytest

from discom.data.scenes import MATERIALS, best_scores, ceilings, dense, several
from discom.errors import ConfigError
from discom.files import digest


def same(one, other, rows=slice(None)):
    return one[rows].tobytes() == other[rows].tobytes()


def make(n=120, seed=4, size=16, **factors):
    return dense(n, seed, size=size, **factors)


# the same bytes


def test_checksums_of_a_small_set():
    data = dense(24, 3, size=32)
    arrays = [*(m.x for m in data.modalities.values()), data.masks, data.labels]
    expected = ["3099a034c2fb1097", "5ef30ffe5b06093f", "b73362447925cc5f", "0319d9bf6dfd8927"]
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


def test_objects_and_probabilities_change_nothing_else():
    three, four = (dense(20, 1, size=16, objects=k).factors for k in (3, 4))
    assert all(same(values, four[name]) for name, values in three.items())
    for argument, cue, left in (("epsilon", "texture", "depth"), ("delta", "relief", "rgb")):
        one, other = dense(60, size=8), dense(60, size=8, **{argument: 0.9})
        changed = {k[:-2] for k in one.factors if not same(one.factors[k], other.factors[k])}
        assert changed == {cue}
        assert same(one.modalities[left].x, other.modalities[left].x)


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


def test_best_scores_are_those_of_the_usual_scenes_alone():
    assert best_scores("scenes-dense") == {
        name: 100 * best["miou"] for name, best in ceilings().items()
    }
    assert best_scores("scenes-dense-epsilon=0.1") == {}


# arguments


def test_the_name_has_the_arguments_that_were_changed():
    assert make().name == make(n=60).name == "scenes-dense"
    assert make(epsilon=0.1, objects=2).name == "scenes-dense-objects=2-epsilon=0.1"
    assert make(delta=0).name == "scenes-dense-delta=0"


NAN = float("nan")
WRONG = [
    ({"n": 0}, "n=0, size=16; n must be positive"),
    ({"seed": -1}, "seed=-1 is negative; use 0 or more"),
    ({"size": 30}, "size=30; .* multiple of 4 from 8 on"),
    ({"objects": 9}, "objects=9 is out of range; choose 1 to 8"),
    *(({k: NAN}, f"{k}=nan is not a probability") for k in ("epsilon", "delta")),
]


@pytest.mark.parametrize(("arguments", "fragment"), WRONG)
def test_arguments_out_of_range(arguments, fragment):
    with pytest.raises(ConfigError, match=f"^scenes-dense: .*{fragment}"):
        dense(**{"n": 12, "size": 16} | arguments)
