"""Maps: the same seed, the same picture; neighbours and what a picture kept of them equal the long
way round."""

import numpy as np
import pytest

from discom.errors import ConfigError, DataError
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


# ---------------------------------------------------------------- project


def test_positions_are_two_finite_numbers_a_row(xy):
    assert xy.shape == (60, 2)
    assert np.isfinite(xy).all()


def test_rows_of_one_group_lie_nearer_to_each_other_than_to_others(xy):
    middle = xy.reshape(3, 20, 2).mean(1)
    own = np.linalg.norm(xy[:, None] - middle, axis=2).argmin(1)
    assert own.tolist() == np.arange(3).repeat(20).tolist()


def test_one_seed_one_picture_another_seed_another(groups, xy):
    np.testing.assert_array_equal(project(groups, neighbors=10), xy)
    assert not np.allclose(project(groups, neighbors=10, seed=1), xy)


def test_neighbours_and_distance_matter(groups, xy):
    assert not np.allclose(project(groups, neighbors=5), xy)
    assert not np.allclose(project(groups, neighbors=10, min_dist=0.5), xy)


def test_units_count_alike_and_dead_ones_not_at_all(groups, xy):
    scaled = np.hstack([groups * 2.0 ** np.arange(8) + 64, np.full((60, 3), 7.0)])
    assert preserved(xy, project(scaled, neighbors=10), k=10) > 0.8


def test_the_global_random_state_is_left_alone(groups):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    project(groups[:12], neighbors=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("rows", [4, 5])
def test_the_fewest_rows_that_are_allowed_are_enough(groups, rows):
    assert np.isfinite(project(groups[:rows], neighbors=rows - 1)).all()


@pytest.mark.parametrize(("rows", "neighbors", "needed"), [(15, 15, 16), (3, 2, 4), (0, 15, 16)])
def test_too_few_rows_are_counted(groups, rows, neighbors, needed):
    with pytest.raises(
        DataError, match=rf"{rows} rows are too few for neighbors={neighbors}; give {needed} or"
    ):
        project(groups[:rows], neighbors=neighbors)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_named(groups, value):
    bad = groups.copy()
    bad[[7, 9], 2] = value
    with pytest.raises(DataError, match=r"row 7 \(of 2\) has NaN or infinity"):
        project(bad)


@pytest.mark.parametrize("shape", [(20,), (20, 2, 2)])
def test_what_is_no_table_is_refused(shape):
    with pytest.raises(DataError, match=r"project: shape \(20.*\); give a table"):
        project(np.zeros(shape))


def test_an_embedding_that_never_changes_is_refused():
    with pytest.raises(DataError, match="no unit varies"):
        project(np.full((20, 4), 0.1, np.float32))


@pytest.mark.parametrize("setting", [{"neighbors": 1}, {"min_dist": -0.1}, {"min_dist": 1.5}])
def test_settings_out_of_range_are_refused(groups, setting):
    with pytest.raises(ConfigError, match=f"{next(iter(setting))}={next(iter(setting.values()))}"):
        project(groups, **setting)


# ---------------------------------------------------------------- neighbours


def test_neighbours_equal_the_long_way_round():
    rng = np.random.default_rng(1)
    z, others = rng.normal(size=(7, 5)), 9 * rng.normal(size=(11, 5))
    similar = (z / np.linalg.norm(z, axis=1)[:, None]) @ (
        others / np.linalg.norm(others, axis=1)[:, None]
    ).T
    np.testing.assert_array_equal(neighbours(z, others, 4), nearest(-similar, 4))


def test_length_does_not_matter_and_direction_does():
    others = np.array([[0.0, 1.0], [100.0, 0.0], [-1.0, 0.0]])
    assert neighbours([[1.0, 0.0]], others, 3).tolist() == [[1, 0, 2]]


def test_a_row_of_zeros_is_between_like_and_unlike():
    others = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.1]])
    assert neighbours([[1.0, 0.0]], others, 3).tolist() == [[2, 1, 0]]


@pytest.mark.parametrize("k", [0, 4])
def test_the_number_of_neighbours_has_bounds(k):
    with pytest.raises(ConfigError, match=f"k={k}; choose 1 to 3"):
        neighbours(np.eye(3), np.eye(3), k)


def test_embeddings_of_two_spaces_are_refused():
    with pytest.raises(DataError, match="2 and 3 units"):
        neighbours(np.eye(2), np.eye(3), 1)
    with pytest.raises(DataError, match="others: row 1"):
        neighbours(np.eye(2), [[1.0, 0.0], [np.nan, 0.0]], 1)


# ---------------------------------------------------------------- preserved


def test_what_was_kept_equals_the_long_way_round(groups, xy):
    scaled = (groups - groups.mean(0)) / groups.std(0)
    tables = [
        np.linalg.norm(rows[:, None] - rows, axis=2) + 1e9 * np.eye(60) for rows in (scaled, xy)
    ]
    near, drawn = (nearest(table, 7) for table in tables)
    expected = np.mean(
        [len(set(a) & set(b)) / 7 for a, b in zip(near.tolist(), drawn.tolist(), strict=True)]
    )
    assert preserved(groups, xy, k=7) == pytest.approx(expected)
    assert 0.3 < expected < 1


def test_a_faithful_picture_keeps_all_and_a_random_one_what_chance_gives():
    rng = np.random.default_rng(2)
    plane = rng.normal(size=(400, 2))
    plane /= plane.std(0)
    assert preserved(plane, 5 * plane[:, ::-1] + 3) == 1
    assert preserved(plane, rng.normal(size=(400, 2))) == pytest.approx(15 / 399, abs=0.01)


def test_positions_of_other_samples_are_refused():
    with pytest.raises(DataError, match="5 embeddings and 4 positions"):
        preserved(np.eye(5), np.eye(4, 2))
    with pytest.raises(ConfigError, match="k=5; choose 1 to 4"):
        preserved(np.eye(5), np.eye(5, 2), k=5)
