"""Maps: the same seed, the same picture; groups stay together."""

import numpy as np
import pytest
import torch

from pictures.embeddings import project

slow = pytest.mark.slow  # UMAP is compiled in half a minute


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
