"""Embeddings of pairs, before training and after; maps: the same seed, the same picture; groups
stay together."""

import numpy as np
import pytest
import torch
from fixtures.refusal import refused

from discom import data, fit, profile
from discom.data.scenes import objects
from discom.errors import DataError
from discom.evaluation.embeddings import (
    Pairs,
    embed_pairs,
    lay_out,
    project,
    read_parts,
    some_of,
)
from discom.evaluation.probing import modality_probe, probe
from discom.running.loading import load_run

slow = pytest.mark.slow  # UMAP is compiled in half a minute
TINY = profile("tiny", epochs=2, learning_rate=0.01)


@pytest.fixture(scope="module")
def odd():
    """Scenes of which some lack a sensor and some a label, in orders of their own."""
    scenes = objects.make(270, size=8)
    order = np.random.default_rng(0).permutation(270)
    labels = np.where(np.arange(270) % 7, scenes.labels, -1)
    sensors = {}
    for number, (name, sensor) in enumerate(scenes.modalities.items()):
        kept = order[np.arange(270) % 5 != number]
        sensors[name] = data.Modality(sensor.x[kept], labels[kept], kept)
    return data.MultiModalData(sensors, scenes.classes).split(seed=0)


def by_hand(model, test, name, ids):
    """The features of the samples of these ids, one by one."""
    own = {int(key): row for row, key in enumerate(test.modalities[name].ids)}
    images = torch.from_numpy(test.images(name))
    with torch.no_grad():
        return np.stack([model.branches[name].features(images[own[i]][None])[0] for i in ids])


def test_pairs_are_the_labelled_samples_that_all_sensors_see_in_one_order(odd, tmp_path):
    fit("student", odd, TINY, tmp_path / "run", progress=False)
    embedded = {}
    for epoch in ("last", "first"):
        model, _ = load_run(tmp_path / "run", odd, epoch=epoch)
        pairs = embedded[epoch] = embed_pairs(model, odd.test)
        test = odd.test
        labels = dict(zip(test.ids, test.labels, strict=True))
        shared = {*test.modalities["rgb"].ids} & {*test.modalities["depth"].ids}
        ids = [i for i in test.modalities["rgb"].ids if i in shared and labels[i] >= 0]
        ids.sort(key=[*test.ids].index)
        assert 0 < len(ids) < len(test)
        assert pairs.labels.tolist() == [labels[i] for i in ids]
        for name, z in pairs.parts["features"].items():
            np.testing.assert_allclose(z, by_hand(model, test, name, ids), rtol=1e-4, atol=1e-5)
    first, last = (embedded[epoch].parts["features"]["rgb"] for epoch in ("first", "last"))
    assert not np.allclose(first, last)


def test_the_first_weights_are_those_that_training_began_with(odd, tmp_path):
    began = {}

    def look(epoch, network):
        if not epoch:
            began.update({key: w.clone() for key, w in network.state_dict().items()})

    fit("discom", odd, TINY, tmp_path / "run", progress=False, on_epoch_end=look)
    state = load_run(tmp_path / "run", odd, epoch="first")[0].state_dict()
    assert all(torch.equal(w, began[key]) for key, w in state.items())
    parts = embed_pairs(load_run(tmp_path / "run", odd, epoch="last")[0], odd.test).parts
    assert [*parts] == ["inv", "inf", "irr"]


def test_a_network_of_both_sensors_has_no_embedding_of_one(odd, tmp_path):
    fit("teacher", odd, TINY, tmp_path / "run", progress=False)
    refused(lambda: embed_pairs(load_run(tmp_path / "run", odd)[0], odd.test), "teacher", DataError)


def pairs_of(count):
    """Two sensors of so many samples of each of three classes, by hand: in "inv" a sensor shows,
    in "inf" the class of the first sensor alone; "irr" is dead."""
    labels = np.arange(3).repeat(count)
    noise = np.random.default_rng(0).normal(size=(4, 3 * count, 3))
    inv = {"rgb": noise[0] + 9, "depth": noise[1]}
    inf = {"rgb": noise[2] + 9 * np.eye(3)[labels], "depth": noise[3]}
    dead = dict.fromkeys(inv, np.zeros((3 * count, 2)))
    return Pairs({"inv": inv, "inf": inf, "irr": dead}, labels)


def test_pairs_of_ones_own_are_those_of_arrays_and_tensors():
    made = pairs_of(20)
    tensors = {
        part: {name: torch.tensor(z, requires_grad=True) for name, z in views.items()}
        for part, views in made.parts.items()
    }
    for parts, labels in ((made.parts, [*made.labels]), (tensors, torch.tensor(made.labels))):
        pairs = Pairs.of(parts, labels)
        assert pairs.labels.tolist() == made.labels.tolist()
        for part, views in made.parts.items():
            for name, z in views.items():
                np.testing.assert_array_equal(pairs.parts[part][name], z)


Z = np.eye(4)


@pytest.mark.parametrize(
    ("parts", "labels", "problem"),
    [
        ({"inv": {"rgb": Z, "depth": Z[:3]}}, [0, 1, 0, 1], "'inv' of 'depth' is \\[3, 4\\]"),
        ({"inv": {"rgb": Z}}, [0, 1, 0], "'inv' of 'rgb' is \\[4, 4\\]"),
        ({"inv": {"rgb": Z[0]}}, [0, 1, 0, 1], "'inv' of 'rgb' is \\[4\\]"),
        ({"inv": {"rgb": Z, "depth": Z}, "inf": {"depth": Z, "rgb": Z}}, [0, 1, 0, 1], "'inf'"),
        ({"inv": {"rgb": Z}, "inf": {"rgb": Z, "depth": Z}}, [0, 1, 0, 1], "'inf'"),
        ({"inv": {"rgb": Z}}, [0, -1, 0, 1], "label -1"),
        ({"inv": {"rgb": Z}}, [0.0, 1, 0, 1], "float64"),
    ],
)
def test_pairs_that_are_none_are_refused(parts, labels, problem):
    """Views of other counts were laid out as if every second row were of the other sensor."""
    refused(lambda: Pairs.of(parts, labels), problem)


def test_probes_read_each_part_and_say_where_they_cannot():
    pairs = pairs_of(20)
    reads = read_parts(pairs)
    assert reads.loc["inv", "sensor"] == modality_probe(pairs.parts["inv"]) == 100
    assert reads.loc["inf", "class, rgb"] == probe(pairs.parts["inf"]["rgb"], pairs.labels) > 95
    assert reads.loc["inf", "class, depth"] < 60
    assert read_parts(pairs_of(4)).filter(like="class").isna().all(axis=None)


def test_samples_of_a_map_are_of_all_classes_and_the_same_for_each_network():
    """Ids are often sorted by class: the first 400 were of one."""
    first, second = pairs_of(20), pairs_of(20)
    few = some_of(first, 15)
    assert len({*few.labels}) == 3
    assert few.labels.tolist() == some_of(second, 15).labels.tolist()
    rows = [first.parts["inv"]["rgb"].tolist().index(z) for z in few.parts["inv"]["rgb"].tolist()]
    assert first.labels[rows].tolist() == few.labels.tolist()
    assert len(some_of(first, 99).labels) == 60


@slow
def test_a_map_holds_the_views_of_the_same_samples_and_no_dead_part():
    maps = lay_out(some_of(pairs_of(20), 50))
    assert {part: places.shape for part, places in maps.items()} == dict.fromkeys(
        ("inv", "inf"), (2, 50, 2)
    )
    rgb, depth = maps["inv"].mean(1)
    assert np.linalg.norm(rgb - depth) > maps["inv"].std(1).max()


@pytest.fixture(scope="module")
def groups():
    """Three far groups of 20 rows in 8 units."""
    rng = np.random.default_rng(0)
    return 20 * np.eye(3, 8).repeat(20, axis=0) + rng.normal(size=(60, 8))


@pytest.fixture(scope="module")
def xy(groups):
    return project(groups, neighbors=10)


@slow
def test_rows_of_one_group_lie_nearer_to_each_other_than_to_others(groups, xy):
    """In any scale of the units, and beside units that are dead."""
    scaled = np.hstack([groups * 2.0 ** np.arange(8) + 64, np.full((60, 3), 7.0)])
    for places in (xy, project(scaled, neighbors=10)):
        middle = places.reshape(3, 20, 2).mean(1)
        own = np.linalg.norm(places[:, None] - middle, axis=2).argmin(1)
        assert own.tolist() == np.arange(3).repeat(20).tolist()


@slow
def test_the_seed_makes_the_picture(groups, xy):
    np.testing.assert_array_equal(project(groups, neighbors=10), xy)
    assert not np.allclose(project(groups, neighbors=10, seed=1), xy)


@slow
def test_torch_keeps_its_threads(groups):
    """Numba set them to the number of cores, and small trainings after a map took 30 times longer
    on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        project(groups, neighbors=10)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
