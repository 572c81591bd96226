"""Maps: the same seed, the same picture; neighbours and what a picture kept of them equal the long
way round."""

import numpy as np
import pytest

from discom.errors import DataError
from discom.evaluation.projection import neighbours, preserved, project


@pytest.fixture(scope="module")
def groups():
    """Three far groups of 20 rows in 8 units."""
    rng = np.random.default_rng(0)
    return 20 * np.eye(3, 8).repeat(20, axis=0) + rng.normal(size=(60, 8))


@pytest.fixture(scope="module")
def xy(groups):
    return project(groups, neighbors=10)


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def test_rows_of_one_group_lie_nearer_to_each_other_than_to_others(xy):
    assert xy.shape == (60, 2)
    middle = xy.reshape(3, 20, 2).mean(1)
    own = np.linalg.norm(xy[:, None] - middle, axis=2).argmin(1)
    assert own.tolist() == np.arange(3).repeat(20).tolist()


def test_seed_neighbours_and_distance_make_the_picture(groups, xy):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(project(groups, neighbors=10), xy)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for settings in ({"seed": 1}, {"neighbors": 5}):
        assert not np.allclose(project(groups, **{"neighbors": 10, **settings}), xy)


def test_units_count_alike_and_dead_ones_not_at_all(groups, xy):
    scaled = np.hstack([groups * 2.0 ** np.arange(8) + 64, np.full((60, 3), 7.0)])
    assert preserved(xy, project(scaled, neighbors=10), k=10) > 0.8


def test_neighbours_equal_the_long_way_round():
    rng = np.random.default_rng(1)
    z, others = rng.normal(size=(7, 5)), 9 * rng.normal(size=(11, 5))
    unit = [rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (z, others)]
    np.testing.assert_array_equal(neighbours(z, others, 4), nearest(-unit[0] @ unit[1].T, 4))
    directions = np.array([[-1.0, 0.0], [0.0, 0.0], [100.0, 0.1]])  # a row of zeros is between
    assert neighbours(np.array([[1.0, 0.0]]), directions, 3).tolist() == [[2, 1, 0]]


def test_what_was_kept_equals_the_long_way_round(groups, xy):
    scaled = (groups - groups.mean(0)) / groups.std(0)
    near, drawn = (
        nearest(np.linalg.norm(rows[:, None] - rows, axis=2) + 1e9 * np.eye(60), 7).tolist()
        for rows in (scaled, xy)
    )
    expected = np.mean([len(set(a) & set(b)) / 7 for a, b in zip(near, drawn, strict=True)])
    assert preserved(groups, xy, k=7) == pytest.approx(expected)
    assert 0.3 < expected < 1


HOLES = np.where(np.arange(60).reshape(20, 3) == 22, np.nan, 1.0)
BAD = [
    (lambda: project(np.eye(15)), "15 rows are too few for neighbors=15; give 16"),
    (lambda: project(np.eye(3), neighbors=2), "3 rows are too few .* give 4"),
    (lambda: project(HOLES), "project: 1 of 20 rows hold NaN"),
    (lambda: project(np.zeros(20)), r"project: float64 of shape \(20,\)"),
    (lambda: project(np.full((20, 4), 0.1, np.float32)), "no unit varies"),
    (lambda: preserved(np.eye(5), np.eye(4, 2)), "5 embeddings and 4 positions"),
]


@pytest.mark.parametrize(("call", "fragment"), BAD)
def test_bad_input_is_named(call, fragment):
    with pytest.raises(DataError, match=fragment):
        call()
