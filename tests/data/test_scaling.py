"""Scaling, against NumPy on every pixel."""

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data import Normalization, scaling
from discom.data.scaling import LOWEST


def skewed(seed=0):
    return np.random.default_rng(seed).gamma(2, 50, (20, 3, 8, 8)).astype(np.float32)


def test_each_band_is_clipped_and_scaled_by_its_own_percentiles():
    x = skewed()
    x[:, 2], x[0, 2, 0, 0] = 7, 9  # constant between the percentiles: it becomes 0
    with pytest.warns(UserWarning, match="^ir: ") as caught:
        scaled = Normalization.fit(x, "ir")(x)
    assert (len(caught), scaled.dtype) == (1, np.float32)
    assert (scaled[:, 2] == 0).all()
    for band in range(2):
        low, high = np.percentile(x[:, band], (2, 98))
        expected = np.clip((x[:, band] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(scaled[:, band], expected, atol=1e-5)


NO_DATA = np.where(skewed() < 50, -1.7976931348623157e308, skewed().astype(float))
UNFIT = [
    skewed()[:0],
    skewed()[0],
    np.where(skewed() < 50, np.nan, skewed()),
    NO_DATA,
    np.maximum(NO_DATA, -3.4028235e38),
]


@pytest.mark.parametrize("images", UNFIT)
def test_images_that_give_no_bounds(images):
    refused(lambda: Normalization.fit(images, "depth"), "^depth: ")


def test_unmeasured_pixels_keep_a_value_of_their_own():
    """Depth in metres: near ground, far hills, and sky, which is not measured (0)."""
    x = np.linspace(2, 90, 20 * 64).reshape(20, 1, 8, 8).astype(np.float32)
    x[:, :, :2] = 0
    scaled = Normalization.fit(x, invalid=0.0)(x)
    assert (scaled[x == 0] == 0).all()
    assert scaled[x > 0].min() == np.float32(LOWEST)  # the nearest ground is no sky
    low, high = np.percentile(x[x > 0], (2, 98))
    expected = LOWEST + (1 - LOWEST) * np.clip((x - low) / (high - low), 0, 1)
    np.testing.assert_allclose(scaled[x > 0], expected[x > 0], atol=1e-6)


def test_of_too_many_values_every_kth_sample_is_read(monkeypatch):
    x = skewed()
    monkeypatch.setattr(scaling, "VALUES", x.size // 3)
    bounds = Normalization.fit(x)
    np.testing.assert_allclose(bounds.low, np.percentile(x[::3], 2, axis=(0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize(("middle", "kind"), [(1e9, float), (1e9, np.int64), (1e6, np.int32)])
def test_values_that_float32_does_not_tell_apart_are_refused(middle, kind):
    """Networks read float32, here and on the device, and it keeps three levels of 10⁹ ± 30."""
    x = (middle + np.random.default_rng(0).uniform(-30, 30, (9, 1, 4, 4))).astype(kind)
    if middle > 1e8:
        refused(lambda: Normalization.fit(x, "mine/time"), "mine/time: band 0, from 99")
    else:
        assert len(np.unique(Normalization.fit(x)(x))) > 40
        x[0, 0, 0, 0] = 1 << 30  # clipped
        assert Normalization.fit(x).high[0] < 1e6 + 30
