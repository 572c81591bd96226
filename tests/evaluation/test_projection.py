"""Maps: the same seed, the same picture; groups stay together."""

import numpy as np
import pytest

from discom.errors import DataError
from discom.evaluation.projection import project


@pytest.fixture(scope="module")
def groups():
    """Three far groups of 20 rows in 8 units."""
    rng = np.random.default_rng(0)
    return 20 * np.eye(3, 8).repeat(20, axis=0) + rng.normal(size=(60, 8))


@pytest.fixture(scope="module")
def xy(groups):
    return project(groups, neighbors=10)


def test_rows_of_one_group_lie_nearer_to_each_other_than_to_others(groups, xy):
    """In any scale of the units, and beside units that are dead."""
    scaled = np.hstack([groups * 2.0 ** np.arange(8) + 64, np.full((60, 3), 7.0)])
    for places in (xy, project(scaled, neighbors=10)):
        assert places.shape == (60, 2)
        middle = places.reshape(3, 20, 2).mean(1)
        own = np.linalg.norm(places[:, None] - middle, axis=2).argmin(1)
        assert own.tolist() == np.arange(3).repeat(20).tolist()


def test_seed_neighbours_and_distance_make_the_picture(groups, xy):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(project(groups, neighbors=10), xy)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for settings in ({"seed": 1}, {"neighbors": 5}):
        assert not np.allclose(project(groups, **{"neighbors": 10, **settings}), xy)


HOLES = np.where(np.arange(60).reshape(20, 3) == 22, np.nan, 1.0)
BAD = [
    (lambda: project(np.eye(15)), "15 rows are too few for neighbors=15; give 16"),
    (lambda: project(np.eye(3), neighbors=2), "3 rows are too few .* give 4"),
    (lambda: project(HOLES), "project: 1 of 20 rows hold NaN"),
    (lambda: project(np.zeros(20)), r"project: float64 of shape \(20,\)"),
    (lambda: project(np.full((20, 4), 0.1, np.float32)), "no unit varies"),
]


@pytest.mark.parametrize(("call", "fragment"), BAD)
def test_bad_input_is_named(call, fragment):
    with pytest.raises(DataError, match=fragment):
        call()
