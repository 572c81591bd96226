"""Scenes of one object: the same bytes for ever, the best possible accuracy, and what each factor
changes."""

import math

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from discom.data import load
from discom.data.scenes import single as scenes
from discom.data.splitting import split_rows
from discom.errors import ConfigError
from discom.files import digest

ALL = ("rgb", "depth", "thermal")
REDRAWN = {"texture": 0.10, "relief": 0.25, "warmth": 0.40}


def factors(n=20_000, seed=0, shared=1.0, materials=3, **redrawn):
    return scenes._factors(n, seed, REDRAWN | redrawn, 3, materials, shared)


def make(n=330, size=8, **factors):
    return scenes.make(n, size=size, **{"modalities": ALL, **factors})


def near(found, expected, n, sds=4.0):
    """Within so many standard deviations of a share of n draws."""
    assert abs(found - expected) <= sds * math.sqrt(max(expected * (1 - expected), 1e-12) / n)


def same(one, other, rows=slice(None)):
    return one[rows].tobytes() == other[rows].tobytes()


def changed(one, other):
    """The factors that differ between two data sets."""
    return [name for name in one.factors if not same(one.factors[name], other.factors[name])]


# the same bytes


def test_checksums_of_a_small_set():
    data = scenes.make(24, size=16, seed=3, modalities=ALL)
    assert {name: digest(m.x) for name, m in data.modalities.items()} == {
        "rgb": "dcecb4c91f807861",
        "depth": "66e5831bdfd6a83e",
        "thermal": "685d9177cda2613f",
    }
    assert (digest(data.labels), digest(data.masks)) == ("5020f00759164cce", "d3aae3a4de5a79e0")


def test_modalities_and_probabilities_change_nothing_else():
    whole = scenes.make(30, size=16, seed=5, modalities=ALL)
    for names in (("rgb",), ("thermal", "depth", "rgb")):
        part = scenes.make(30, size=16, seed=5, modalities=names)
        assert tuple(part.modalities) == names
        assert all(same(part.modalities[name].x, whole.modalities[name].x) for name in names)
    one, other = scenes.make(200, size=8), scenes.make(200, size=8, epsilon=0.9)
    assert changed(one, other) == ["texture"]
    assert same(one.modalities["depth"].x, other.modalities["depth"].x)


# the recipe


def test_nuisance_factors_fill_their_ranges_and_are_independent():
    n, every = 4000, factors(4000)
    ranges = {name: bounds[:2] for name, *bounds in scenes.RANGES}
    assert set(every) == set(ranges) | {"shape", "material", "outline", *REDRAWN}
    for name, (low, high) in ranges.items():
        values, width = every[name], high - low
        assert low <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 4 * width / math.sqrt(12 * n)
        assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.05)
    columns = np.column_stack([every[name] for name in [*ranges, "shape", "material"]])
    assert abs(np.corrcoef(columns.T) - np.eye(columns.shape[1])).max() < 5 / math.sqrt(n)


# the best possible accuracy


def best_rule(shown, label, others_shown, others_label):
    """Accuracy on other scenes of the most frequent class of what is shown."""
    counts = np.zeros((shown.max() + 1, label.max() + 1))
    np.add.at(counts, (shown, label), 1)
    return (counts.argmax(1)[others_shown] == others_label).mean()


def ceiling(train, test, *names):
    codes = [
        np.ravel_multi_index([f[name] for name in chosen], [3] * len(chosen))
        for f in (train, test)
        for chosen in (names, ("shape", "material"))
    ]
    return best_rule(*codes)


@pytest.mark.parametrize("materials", [2, 3])
@pytest.mark.parametrize(("cue", "share"), [*REDRAWN.items(), ("texture", 0.6), ("texture", 0)])
def test_the_best_accuracy_of_one_sensor(cue, share, materials):
    train, test = (factors(seed=seed, materials=materials, **{cue: share}) for seed in (0, 1))
    expected = 1 - share + share / materials
    assert scenes.best_accuracy(share, materials) == pytest.approx(expected)
    near(ceiling(train, test, "shape", cue), expected, 20_000)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_the_best_accuracy_where_the_class_is_divided(shared):
    train, test = (factors(seed=seed, shared=shared) for seed in (0, 1))
    n = len(train["shape"])
    rgb = (shared + (1 - shared) / 3) * scenes.best_accuracy(0.10)
    near(ceiling(train, test, "outline", "texture"), rgb, n)
    depth = shared * scenes.best_accuracy(0.25) + (1 - shared) / 3
    near(ceiling(train, test, "shape", "relief"), depth, n)
    near(ceiling(train, test, "shape", "warmth"), scenes.best_accuracy(0.40), n)
    both = ceiling(train, test, "outline", "texture", "shape", "relief")
    assert both >= scenes.best_accuracy(0.10) - 4 * math.sqrt(0.06 / n)
    if shared == 0:
        near(both, scenes.best_accuracy(0.10), n)  # each sensor has what the other lacks


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_information_is_that_of_drawn_scenes(shared):
    """Against scikit-learn's estimate from the factors of many scenes."""
    drawn = factors(200_000, shared=shared)
    codes = {
        "rgb": 3 * drawn["outline"] + drawn["texture"],
        "depth": 3 * drawn["shape"] + drawn["relief"],
        "class": 3 * drawn["shape"] + drawn["material"],
    }
    for pair, bits in scenes.information(shared).items():
        one, other = pair.split("; ")
        estimate = mutual_info_score(codes[one], codes[other]) / math.log(2)
        assert bits == pytest.approx(estimate, abs=0.01)
    assert scenes.information(1.0, 0.0, 0.0)["rgb; depth"] == pytest.approx(math.log2(9))


# the factors

CHANGES = [
    ({"shared": 0.5}, "scenes-shared=0.5"),
    ({"seen": 0.25}, "scenes-seen=0.25"),
    ({"seen": 0.5, "seen_in": "rgb"}, "scenes-seen_rgb=0.5"),
    ({"unpaired": "true"}, "scenes-unpaired=1"),
    ({"shared": 0, "seen": 0.5}, "scenes-shared=0-seen=0.5"),
    ({"noise": 2}, "scenes-noise=2"),
    ({"unpaired": "0", "shared": 1, "seen": 1}, "scenes"),
]


@pytest.mark.parametrize(("factors", "name"), CHANGES)
def test_the_name_has_the_factors_that_were_changed(factors, name):
    text = "".join(f",{key}={value}" for key, value in factors.items())
    data, plain = load(f"scenes:n=99,size=8{text}"), load("scenes:n=99,size=8")
    assert data.name == name
    assert (data.fingerprint == plain.fingerprint) == (name == "scenes")
    parts = data.parts is None
    assert parts == (name in ("scenes", "scenes-shared=0.5", "scenes-noise=2"))
    thermal = load(f"scenes:n=99,size=8,modalities=depth+rgb+thermal{text}").name
    assert thermal == name.replace("scenes", "scenes-depth-rgb-thermal")


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.8])
def test_shared_redraws_outlines_and_reliefs_alone(shared):
    plain, turned = factors(), factors(shared=shared)
    n, right = len(plain["shape"]), turned["outline"] == turned["shape"]
    near(right.mean(), shared + (1 - shared) / 3, n)  # one of three is right by chance
    kept = turned["relief"] == plain["relief"]
    near(kept.mean(), shared + (1 - shared) / 3, n)
    near((~right & ~kept).mean(), (1 - shared) * 4 / 9, n)  # of the same scenes, independently
    assert [k for k in plain if not same(plain[k], turned[k])] == ["relief", "outline"]
    more = factors(shared=shared + 0.2)
    assert ((more["outline"] != more["shape"]) <= ~right).all()


def test_noise_is_a_factor_on_that_of_depth_alone():
    none, usual, loud = (make(noise=factor).modalities for factor in (0, 1, 1.5))
    assert all(same(none[name].x, loud[name].x) for name in ("rgb", "thermal"))
    depth = [sensor["depth"].x for sensor in (none, usual, loud)]
    inside = np.logical_and.reduce([abs(x - 0.5) < 0.5 for x in depth])  # neither hole nor clipped
    one, more = ((x - depth[0])[inside] for x in depth[1:])
    np.testing.assert_allclose(more, 1.5 * one, atol=1e-3)
    assert one.std() == pytest.approx(0.08, rel=0.1)


@pytest.mark.parametrize("seen", [0.1, 0.9])
@pytest.mark.parametrize("name", ["depth", "thermal"])
def test_one_sensor_saw_a_share_of_the_training_scenes(seen, name):
    plain, data = make(seed=2), make(seed=2, seen=seen, seen_in=name)
    for part, before, after in zip(
        ("train", "", ""), plain.split(seed=2), data.split(), strict=True
    ):
        for other in ALL:
            whole, kept = before.modalities[other], after.modalities[other]
            rows = np.isin(whole.ids, kept.ids)
            assert same(whole.x[rows], kept.x)
            share = seen if part and other == name else 1
            assert rows.sum() == round(share * len(rows))
    assert all(same(plain.factors[k], data.factors[k]) for k in plain.factors)
    fewer = make(seed=2, seen=seen / 2, seen_in=name).modalities[name].ids
    assert set(fewer) < set(data.modalities[name].ids)


@pytest.mark.parametrize(("sensors", "shares"), [(ALL, (3, 2, 1)), (("rgb", "thermal"), (2, 1))])
def test_unpaired_training_scenes_are_dealt_out(sensors, shares):
    plain = make(modalities=sensors).split()
    data, other = (make(seed=s, modalities=sensors, unpaired=True).split() for s in (0, 1))
    ids = [set(m.ids) for m in data.train.modalities.values()]
    assert sum(map(len, ids)) == len(set.union(*ids)) == len(plain.train)
    for own, share in zip(ids, shares, strict=True):
        assert abs(len(own) - share / sum(shares) * len(plain.train)) <= 1
    assert data.test.paired_ids.tolist() == plain.test.paired_ids.tolist()
    numbers = [{i[-6:] for i in one.train.modalities["rgb"].ids} for one in (data, other)]
    assert numbers[0] != numbers[1]


def test_the_split_comes_with_the_data_and_survives_a_folder(tmp_path):
    data = make(seed=3, seen=0.5)
    expected = split_rows(data.labels, scenes.FRACTIONS, 3).values()
    data.save(tmp_path / "out")
    for whole in (data, load(tmp_path / "out"), data.select(["depth", "rgb"])):
        for part, rows in zip(whole.split(seed=7), expected, strict=True):
            assert set(part.ids) == set(data.ids[rows])
            assert (part.labels == 3 * part.factors["shape"] + part.factors["material"]).all()
    assert [p.ids.tolist() for p in make(seed=3).split(seed=3)] == [
        data.ids[rows].tolist() for rows in expected
    ]


# arguments

NAN = float("nan")
WRONG = [
    ({"n": 0}, "n=0, size=8; n must be positive"),
    ({"size": 30}, "size=30; .* multiple of 4 from 8 on"),
    ({"seed": -1}, "seed=-1 is negative"),
    *(({name: NAN}, f"{name}=nan is not a probability") for name in ("epsilon", "delta", "shared")),
    *(({name: 1.5}, f"{name}=1.5 is not a prob") for name in ("shared", "seen")),
    *(({"noise": value}, f"noise={value} is out of range") for value in (-1.0, NAN, math.inf)),
    ({"shapes": 4}, "shapes=4, materials=3; each is 1 to 3"),
    ({"shapes": 1, "materials": 1}, "not both 1"),
    ({"modalities": ("rgb", "sonar")}, "no modality 'sonar'; there are rgb, depth, thermal"),
    ({"seen": 0.5, "seen_in": "sonar"}, "'sonar' is not drawn; choose rgb, depth, thermal"),
    ({"seen": 0.5, "unpaired": True}, "no use for seen=0.5; leave"),
    ({"seen": 0.0}, "seen=0.0 leaves 0 of 27 training scenes; raise seen"),
]


@pytest.mark.parametrize(("arguments", "fragment"), WRONG)
def test_arguments_out_of_range(arguments, fragment):
    with pytest.raises(ConfigError, match=rf"^scenes: .*{fragment}"):
        make(**{"n": 66} | arguments)


def test_load_by_name():
    by_name = load("scenes:n=12,size=16,seed=4,epsilon=0.5,modalities=rgb+thermal")
    expected = scenes.make(12, 16, 4, 0.5, modalities=("rgb", "thermal"))
    assert by_name.fingerprint == expected.fingerprint
    for source, fragment in [
        ("scenes:colour=3", "scenes has no argument 'colour'; it has n, size, seed, epsilon"),
        ("scenes:labelled=0.2", "no argument 'labelled'; .*; labels are hidden by --labelled"),
        ("scenes:n=many", r"'many' is not a value for n; write e\.g\."),
        ("scenes:unpaired=maybe", "'maybe' is not a value for unpaired"),
    ]:
        with pytest.raises(ConfigError, match=fragment):
            load(source)
