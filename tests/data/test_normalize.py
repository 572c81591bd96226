"""Normalisation: against NumPy on every pixel, and a value that unmeasured pixels alone have."""

import numpy as np
import pytest

from discom.data import Modality, MultiModalData, Normalization, normalize
from discom.data.normalize import LOWEST
from discom.errors import DataError


def skewed(seed=0):
    return np.random.default_rng(seed).gamma(2, 50, (20, 3, 8, 8)).astype(np.float32)


def test_each_band_is_clipped_and_scaled_by_its_own_percentiles():
    x = skewed()
    scaled = Normalization.fit(x)(x)
    for band in range(3):
        low, high = np.percentile(x[:, band], (2, 98))
        expected = np.clip((x[:, band] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(scaled[:, band], expected, atol=1e-5)
    assert scaled.dtype == np.float32


def test_a_constant_band_becomes_zero_with_a_warning():
    x = skewed()
    x[:, 1] = 7
    with pytest.warns(UserWarning, match="ir: band 1 is constant"):
        bounds = Normalization.fit(x, "ir")
    assert (bounds(x)[:, 1] == 0).all()


def test_no_sample_is_named():
    with pytest.raises(DataError, match="depth: has no sample in the training part"):
        Normalization.fit(skewed()[:0], "depth")


def depth_with_sky():
    """Depth in metres: near ground, far hills, and sky, which is not measured (0)."""
    x = np.linspace(2, 90, 20 * 64).reshape(20, 1, 8, 8).astype(np.float32)
    x[:, :, :2] = 0
    return x


def test_unmeasured_pixels_keep_a_value_of_their_own():
    x = depth_with_sky()
    scaled = Normalization.fit(x, invalid=0.0)(x)
    assert (scaled[x == 0] == 0).all()
    assert scaled[x > 0].min() == np.float32(LOWEST)  # the nearest ground is no sky
    assert scaled.max() == 1
    low, high = np.percentile(x[x > 0], (2, 98))
    expected = LOWEST + (1 - LOWEST) * np.clip((x - low) / (high - low), 0, 1)
    np.testing.assert_allclose(scaled[x > 0], expected[x > 0], atol=1e-6)


def test_a_split_reserves_the_value():
    rows, x = np.arange(20), depth_with_sky()
    data = MultiModalData({"depth": Modality(x, rows % 2, rows, invalid=0.0)}, ("a", "b"))
    train = data.split(seed=0).train
    assert ((train.images("depth") == 0) == (x[train.ids] == 0)).all()


@pytest.mark.parametrize("invalid", [None, -9999.0])
def test_bounds_survive_a_manifest(invalid):
    bounds = Normalization.fit(skewed(), invalid=invalid)
    again = Normalization.from_dict(bounds.to_dict())
    np.testing.assert_array_equal(again(skewed(2)), bounds(skewed(2)))
    assert again.invalid == invalid


def test_of_too_many_values_every_kth_sample_is_read(monkeypatch):
    x = skewed()
    monkeypatch.setattr(normalize, "VALUES", x.size // 3)
    bounds = Normalization.fit(x)
    np.testing.assert_allclose(bounds.low, np.percentile(x[::3], 2, axis=(0, 2, 3)), rtol=1e-6)
