"""The dials of the scenes: what each turns, how much of it, and that it leaves everything else as
it is."""

import math

import numpy as np
import pytest

from discom.data import load
from discom.data.scenes import single as scenes
from discom.data.splitting import split_rows
from discom.errors import ConfigError, DataError

ALL = ("rgb", "depth", "thermal")
REDRAWN = {"texture": 0.10, "relief": 0.25, "warmth": 0.40}


def factors(n=20_000, seed=0, shared=1.0):
    return scenes._factors(n, seed, REDRAWN, 3, 3, shared)


def make(n=330, size=8, **dials):
    return scenes.make(n, size=size, **{"modalities": ALL, **dials})


def near(found, expected, n, sds=4.0):
    """Within so many standard deviations of a share of n draws."""
    assert abs(found - expected) <= sds * math.sqrt(max(expected * (1 - expected), 1e-12) / n), (
        found,
        expected,
    )


def same(one, other, rows=slice(None)):
    return one[rows].tobytes() == other[rows].tobytes()


# at rest
# --------------------------------------------------------------------------------------------------------


def test_the_default_data_is_what_it_was():
    assert load("scenes:n=330").fingerprint == "5f9f6443fb335dad"


@pytest.mark.parametrize("dials", [{"shared": 1}, {"spurious": 0}, {"labelled": 1}, {"spurious_in": "depth"},
                                   {"labelled_in": "thermal"}, {"unpaired": False}])  # fmt: skip
def test_a_dial_at_rest_is_none(dials):
    still, plain = make(**dials), make()
    assert (still.fingerprint, still.name, still.parts) == (
        plain.fingerprint,
        "scenes-rgb-depth-thermal",
        None,
    )


NAMES = [
    ({}, "scenes"),
    ({"shared": 0.5}, "scenes-shared=0.5"),
    ({"shared": 0}, "scenes-shared=0"),
    ({"spurious": 0.6}, "scenes-spurious_rgb=0.6"),
    ({"spurious": 1, "spurious_in": "depth"}, "scenes-spurious_depth=1"),
    ({"labelled": 0.25}, "scenes-labelled=0.25"),
    (
        {"labelled": 0.5, "spurious": 0.6, "shared": 0.5},
        "scenes-shared=0.5-spurious_rgb=0.6-labelled=0.5",
    ),
]


@pytest.mark.parametrize(("dials", "name"), NAMES)
def test_the_name_tells_the_dials_that_were_turned(dials, name):
    data = make(99, modalities=("rgb", "depth"), **dials)
    assert data.name == name
    said = ",".join(f"{key}={value}" for key, value in dials.items())
    by_name = load(f"scenes:n=99,size=8,modalities=rgb+depth,{said}")
    assert (by_name.fingerprint, by_name.name) == (data.fingerprint, name)


@pytest.mark.parametrize(
    ("dials", "name"),
    [
        ({}, "scenes-rgb-depth-thermal"),
        ({"labelled": 0.5}, "scenes-rgb-depth-thermal-labelled=0.5"),
        (
            {"labelled": 0.5, "labelled_in": "thermal"},
            "scenes-rgb-depth-thermal-labelled_thermal=0.5",
        ),
        ({"unpaired": True}, "scenes-rgb-depth-thermal-unpaired=1"),
        ({"modalities": ("depth", "rgb")}, "scenes"),
        ({"modalities": ("depth", "thermal")}, "scenes-depth-thermal"),
    ],
)
def test_the_name_tells_other_sensors_than_the_usual_two(dials, name):
    assert make(99, **dials).name == name


def test_every_dial_is_another_fingerprint():
    dials = [
        {},
        {"shared": 0.5},
        {"spurious": 0.6},
        {"spurious": 0.6, "spurious_in": "depth"},
        {"labelled": 0.5},
    ]
    assert len({make(99, **given).fingerprint for given in dials}) == len(dials)


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        *(({name: value}, f"{name}={value} is no probability; choose 0 to 1")
          for name in ("shared", "spurious", "labelled") for value in (-0.1, 1.5, float("nan"))),
        ({"spurious": 0.5, "spurious_in": "thermal"}, "spurious_in='thermal' has no such nuisance; choose"),
        ({"spurious_in": "sonar"}, "spurious_in='sonar'"),
    ],
)  # fmt: skip
def test_dials_out_of_range(dials, message):
    with pytest.raises(ConfigError, match=f"^scenes: {message}"):
        make(99, **dials)


@pytest.mark.parametrize("said", ["shared=many", "labelled=", "spurious=0.5x"])
def test_a_dial_that_is_no_number(said):
    with pytest.raises(ConfigError, match=f"is no value for {said.partition('=')[0]}"):
        load(f"scenes:n=99,{said}")


# shared
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.8])
def test_shares_of_right_outlines_and_reliefs(shared):
    """An outline that is redrawn is right by chance in one of three; a relief too, and where it is
    kept in 5 of 6."""
    plain, turned = factors(), factors(shared=shared)
    n = len(plain["shape"])
    right = turned["outline"] == turned["shape"]
    near(right.mean(), shared + (1 - shared) / 3, n)
    kept = turned["relief"] == plain["relief"]
    near(kept.mean(), shared + (1 - shared) / 3, n)
    near((turned["relief"] == turned["material"]).mean(), shared * 5 / 6 + (1 - shared) / 3, n)
    near(
        (~right & ~kept).mean(), (1 - shared) * 4 / 9, n
    )  # of the same scenes, and independent in them
    assert set(turned["outline"]) == set(turned["relief"]) == {0, 1, 2}


def test_what_is_not_shared_is_redrawn_from_streams_of_its_own():
    plain, turned = factors(), factors(shared=0.4)
    assert [name for name in plain if not same(plain[name], turned[name])] == ["relief", "outline"]
    assert same(plain["outline"], plain["shape"])
    apart = turned["outline"] != turned["shape"]
    for name in (
        "shape",
        "material",
        "texture",
        "scale",
        "shift",
    ):  # which scenes it hits has nothing to do with them
        correlation = np.corrcoef(apart, turned[name])[0, 1]
        assert abs(correlation) < 4 / math.sqrt(len(apart)), name


def test_more_shared_is_a_superset():
    less, more = factors(shared=0.3), factors(shared=0.7)
    apart = {
        name: held["outline"] != held["shape"] for name, held in (("less", less), ("more", more))
    }
    assert (apart["more"] <= apart["less"]).all()


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_images_of_scenes_with_the_same_cues_are_those_of_before(shared):
    plain, turned = make(), make(shared=shared)
    rows = {
        "rgb": turned.factors["outline"] == turned.factors["shape"],
        "depth": turned.factors["relief"] == plain.factors["relief"],
        "thermal": np.ones(len(plain), bool),
    }
    for name, kept in rows.items():
        before, after = plain.modalities[name].x, turned.modalities[name].x
        assert same(before, after, kept)
        changed = np.array([not same(b, a) for b, a in zip(before, after, strict=True)])
        assert (changed == ~kept).all()
    assert same(plain.masks, turned.masks)  # the object that depth and thermal see
    assert same(plain.labels, turned.labels)


def test_rgb_shows_the_outline_and_depth_the_shape(monkeypatch):
    """RGB is as in a world where every scene's shape is that outline; depth as in one where only
    the reliefs differ."""
    turned, held = make(66, shared=0), factors(66, shared=0)
    for name, shape in (
        ("rgb", held["outline"]),
        ("depth", held["shape"]),
        ("thermal", held["shape"]),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(scenes, "_factors", lambda *_, shape=shape: {**held, "shape": shape})
            assert same(make(66).modalities[name].x, turned.modalities[name].x)


def best_rule(seen, label, others_seen, others_label):
    """Accuracy on other scenes of the most frequent class of what is seen."""
    counts = np.zeros((seen.max() + 1, label.max() + 1))
    np.add.at(counts, (seen, label), 1)
    return (counts.argmax(1)[others_seen] == others_label).mean()


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_the_ceilings_of_one_sensor_and_of_both(shared):
    """RGB: (s + (1-s)/3)(1 - ε + ε/3); depth: s(1 - δ + δ/3) + (1-s)/3; both at s = 0: depth's
    shape, RGB's texture."""
    one, other = factors(shared=shared), factors(seed=1, shared=shared)
    n = len(one["shape"])

    def ceiling(*names):
        seen, label = (
            [
                np.ravel_multi_index([f[name] for name in chosen], [3] * len(chosen))
                for f in (one, other)
            ]
            for chosen in (names, ("shape", "material"))
        )
        return best_rule(seen[0], label[0], seen[1], label[1])

    rgb = (shared + (1 - shared) / 3) * scenes.best_accuracy(0.10)
    depth = shared * scenes.best_accuracy(0.25) + (1 - shared) / 3
    near(ceiling("outline", "texture"), rgb, n)
    near(ceiling("shape", "relief"), depth, n)
    near(ceiling("shape", "warmth"), scenes.best_accuracy(0.40), n)  # thermal is left alone
    both = ceiling("outline", "texture", "shape", "relief")
    if shared == 0:
        near(rgb, 0.311, 1e4)
        near(depth, 1 / 3, 1e4)
        near(both, scenes.best_accuracy(0.10), n)  # each knows what the other lacks
    assert both >= scenes.best_accuracy(0.10) - 4 * math.sqrt(0.06 / n)


# spurious
# -------------------------------------------------------------------------------------------------------


def tied(data, modality):
    """Scenes whose nuisance is the one of their class."""
    share = data.labels / 9
    if modality == "depth":
        return np.isclose(data.factors["shift"], 0.4 * share - 0.2)
    return np.isclose(data.factors["background"], 0.5) & np.isclose(data.factors["bottom"], 0.5)


@pytest.mark.parametrize("modality", ["rgb", "depth"])
@pytest.mark.parametrize("spurious", [0.3, 0.8, 1.0])
def test_the_nuisance_goes_with_the_class_where_one_trains_and_not_where_one_tests(
    modality, spurious
):
    data = make(2200, spurious=spurious, spurious_in=modality)
    train, valid, test = (tied(part, modality) for part in data.split())
    near(np.concatenate([train, valid]).mean(), spurious, len(train) + len(valid))
    near(valid.mean(), spurious, len(valid))
    assert test.mean() < 0.01


@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_what_is_not_tied_is_as_it_was(modality):
    plain, turned = make(), make(spurious=0.5, spurious_in=modality)
    rows = tied(turned, modality)
    assert 0 < rows.sum() < len(rows)
    for name in ALL:
        before, after = plain.modalities[name].x, turned.modalities[name].x
        assert same(before, after, ~rows)
        changed = np.array([not same(b, a) for b, a in zip(before, after, strict=True)])
        assert (changed == (rows if name == modality else False)).all()
    changed = [
        name
        for name in plain.factors
        if not np.array_equal(plain.factors[name], turned.factors[name])
    ]
    assert changed == (["background", "bottom"] if modality == "rgb" else ["shift"])
    assert same(plain.masks, turned.masks)


def centroids(values, labels):
    return np.stack([values[labels == k].mean(0) for k in range(9)])


def nearest(values, centres):
    return ((values[:, None] - centres[None]) ** 2).sum(-1).argmin(1)


def cue(part, modality):
    """What a corner shows: the colour without its brightness, or the distance."""
    corners = (
        part.modalities[modality].x[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].astype(float)
    )  # [N, C, 4]
    if modality == "rgb":
        colour = corners.mean(2)
        return colour / colour.sum(1, keepdims=True)
    seen = np.where(corners > 0, corners, np.nan)  # a hole tells nothing
    return np.nan_to_num(np.nanmedian(seen, axis=2), nan=0.5)


@pytest.mark.filterwarnings("ignore:All-NaN")
@pytest.mark.parametrize(("modality", "least"), [("rgb", 0.6), ("depth", 0.18)])
def test_the_pictures_show_the_nuisance(modality, least):
    """A reader of the corners is far above chance on validation scenes, and at chance on test
    scenes."""
    data = make(2200, size=16, spurious=1, spurious_in=modality)
    train, valid, test = data.split()
    centres = centroids(cue(train, modality), train.labels)
    found = [
        (nearest(cue(part, modality), centres) == part.labels).mean() for part in (valid, test)
    ]
    assert found[0] > least
    near(found[1], 1 / 9, len(test))
    other = {"rgb": "depth", "depth": "rgb"}[modality]
    centres = centroids(cue(train, other), train.labels)
    near((nearest(cue(valid, other), centres) == valid.labels).mean(), 1 / 9, len(valid))


def test_flips_and_turns_leave_the_nuisance_alone():
    """The two colours of the background are one, so its gradient is gone; a distance has no
    direction."""
    held = factors(99)
    labels = held["shape"] * 3 + held["material"]
    scenes._tie(held, np.arange(99), labels, "rgb")
    assert same(held["background"], held["bottom"])
    hues = {label: held["background"][labels == label] for label in set(labels)}
    assert all((np.ptp(hue, axis=0) == 0).all() for hue in hues.values())
    distances = [
        np.abs(a[0] - b[0]).max() for k, a in hues.items() for m, b in hues.items() if k < m
    ]
    assert min(distances) > 0.1
    assert 0 <= held["background"].min() < held["background"].max() <= 1


# the split that comes with the data
# -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dials", [{"spurious": 0.6}, {"labelled": 0.5}, {"spurious": 0.6, "labelled": 0.5}]
)
def test_the_split_comes_with_the_data(dials):
    data = make(seed=3, **dials)
    expected = split_rows(data.labels, scenes.FRACTIONS, 3)
    for seed in (0, 3, 7):
        for part, rows in zip(data.split(seed=seed), expected, strict=True):
            assert part.ids.tolist() == data.ids[rows].tolist()
            assert (part.labels == 3 * part.factors["shape"] + part.factors["material"]).all()
    plain = make(seed=3)
    assert [part.ids.tolist() for part in plain.split(seed=3)] == [
        data.ids[rows].tolist() for rows in expected
    ]


# labelled
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labelled", [0.1, 0.5, 0.9])
def test_depth_saw_a_share_of_the_training_scenes_and_rgb_all(labelled):
    plain, data = make(seed=2), make(seed=2, labelled=labelled)
    whole, split = plain.split(seed=2), data.split()
    for part, before, after in zip(split._fields, whole, split, strict=True):
        for name in ALL:
            there, here = before.modalities[name], after.modalities[name]
            if (part, name) != ("train", "depth"):
                assert same(there.x, here.x)
                assert there.ids.tolist() == here.ids.tolist()
                continue
            assert len(here.ids) == round(labelled * len(there.ids))
            rows = [there.ids.tolist().index(i) for i in here.ids]
            assert same(there.x[rows], here.x)
            assert same(there.y[rows], here.y)
    assert len(data) == len(plain)
    assert all(np.array_equal(data.factors[name], plain.factors[name]) for name in plain.factors)


def test_the_more_are_labelled_the_fewer_are_lost():
    few, more = (
        set(make(labelled=share).split().train.modalities["depth"].ids) for share in (0.2, 0.6)
    )
    assert few < more
    assert few != set(make(labelled=0.2, seed=1).split().train.modalities["depth"].ids)


def test_pairs_are_what_both_saw():
    data = make(labelled=0.4).split().train
    assert data.paired_ids.tolist() == sorted(data.modalities["depth"].ids.tolist())
    assert len(data.modalities["rgb"].ids) > len(data.paired_ids)


def test_dials_together_do_not_change_each_other():
    alone, together = make(spurious=0.6), make(spurious=0.6, labelled=0.5)
    assert same(alone.modalities["rgb"].x, together.modalities["rgb"].x)
    kept = np.isin(alone.ids, together.modalities["depth"].ids)
    assert same(alone.modalities["depth"].x[kept], together.modalities["depth"].x)
    assert (make(labelled=0.5).modalities["depth"].ids == together.modalities["depth"].ids).all()


def test_a_prepared_folder_keeps_the_dials(tmp_path):
    data = make(spurious=0.6, labelled=0.5)
    data.save(tmp_path / "made")
    held = load(tmp_path / "made")
    assert held.name == data.name
    for ours, theirs in zip(held.split(seed=5), data.split(), strict=True):
        assert ours.ids.tolist() == theirs.ids.tolist()
        for name in ALL:
            assert ours.modalities[name].ids.tolist() == theirs.modalities[name].ids.tolist()
            np.testing.assert_allclose(ours.images(name), theirs.images(name), atol=1e-6)


# not yet right
# --------------------------------------------------------------------------------------------------


def test_the_order_of_the_modalities_does_not_mix_the_scenes_up():
    data = make(66, modalities=("depth", "rgb"), labelled=0.5)
    assert (data.labels == 3 * data.factors["shape"] + data.factors["material"]).all()


def test_depth_alone_may_lack_labels():
    data = make(66, modalities=("depth",), labelled=0.5)
    assert len(data) < 66


@pytest.mark.parametrize("modalities", ["rgb", "depth+rgb"])
def test_chosen_modalities_keep_the_split(modalities):
    whole = load("scenes:n=330,size=8,spurious=1")
    chosen = load("scenes:n=330,size=8,spurious=1", modalities)
    assert set(chosen.split(seed=1).test.ids) == set(whole.split(seed=1).test.ids)


@pytest.mark.parametrize("labelled", [0, 0.01])
def test_depth_without_a_training_scene_is_refused(labelled):
    with pytest.raises((ConfigError, DataError), match="labelled"):
        make(66, labelled=labelled).split()


@pytest.mark.parametrize("name", ALL)
def test_any_sensor_may_have_seen_a_share(name):
    plain, data = make(seed=2), make(seed=2, labelled=0.4, labelled_in=name)
    whole, part = plain.split(seed=2), data.split(seed=2)
    for there, here in zip(whole[1:], part[1:], strict=True):  # validation and test are whole
        assert {k: len(m.ids) for k, m in here.modalities.items()} == {
            k: len(m.ids) for k, m in there.modalities.items()
        }
    count = len(whole.train)
    assert {k: len(m.ids) for k, m in part.train.modalities.items()} == {
        k: round(0.4 * count) if k == name else count for k in ALL
    }
    rows = np.isin(plain.modalities[name].ids, data.modalities[name].ids)
    assert same(plain.modalities[name].x, data.modalities[name].x) or same(
        plain.modalities[name].x[rows], data.modalities[name].x
    )


def test_the_scenes_that_depth_saw_are_those_that_another_sensor_would_have_seen():
    ids = [
        make(labelled=0.4, labelled_in=name).modalities[name].ids for name in ("depth", "thermal")
    ]
    assert (ids[0] == ids[1]).all()


# unpaired
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sensors", "shares"), [(ALL, (1 / 2, 1 / 3, 1 / 6)), (("rgb", "thermal"), (2 / 3, 1 / 3))]
)
def test_unpaired_training_scenes_are_dealt_out(sensors, shares):
    plain, data = make(modalities=sensors).split(), make(modalities=sensors, unpaired=True).split()
    held = [set(m.ids) for m in data.train.modalities.values()]
    assert sum(map(len, held)) == len(set.union(*held)) == len(plain.train)
    for ids, share in zip(held, shares, strict=True):
        assert abs(len(ids) - share * len(plain.train)) <= 1
    assert not len(data.train.paired_ids)
    for there, here in zip(plain[1:], data[1:], strict=True):
        assert (here.paired_ids == there.paired_ids).all()


def test_unpaired_scenes_are_drawn_by_the_seed_and_look_as_they_did():
    plain, data, other = make(), make(unpaired=True), make(seed=1, unpaired=True)
    rows = np.isin(plain.modalities["thermal"].ids, data.modalities["thermal"].ids)
    assert same(plain.modalities["thermal"].x[rows], data.modalities["thermal"].x)
    numbers = [
        {i.rpartition("-")[2] for i in one.split().train.modalities["thermal"].ids}
        for one in (data, other)
    ]
    assert numbers[0] != numbers[1]


@pytest.mark.parametrize(
    ("dials", "said"),
    [
        (
            {"labelled": 0.5, "labelled_in": "sonar"},
            "labelled_in='sonar' is not drawn; choose rgb, depth, thermal",
        ),
        (
            {"labelled": 0.5, "modalities": ("rgb", "thermal")},
            "labelled_in='depth' is not drawn; choose rgb, thermal",
        ),
        ({"unpaired": True, "labelled": 0.5}, "leave labelled=0.5 out"),
    ],
)
def test_sensors_that_do_not_fit_are_refused(dials, said):
    with pytest.raises(ConfigError, match=said):
        make(66, **dials)


@pytest.mark.parametrize(("word", "expected"), [("true", 1), ("1", 1), ("False", 0), ("0", 0)])
def test_a_truth_is_read_as_one(word, expected):
    name = load(f"scenes:n=66,size=8,unpaired={word}").name
    assert name == ("scenes-unpaired=1" if expected else "scenes")


def test_a_word_that_is_no_truth_is_refused():
    with pytest.raises(ConfigError, match="'maybe' is no value for unpaired"):
        load("scenes:n=66,size=8,unpaired=maybe")
