"""Scaling by percentiles: closed forms, constant bands, and the way through a manifest."""

import json
import warnings

import numpy as np
import pytest

from discom.data import normalize
from discom.data.normalize import Normalization


def test_bounds_are_numpys_percentiles_per_band():
    x = np.random.default_rng(0).normal(size=(50, 3, 4, 5)) * np.array([1, 10, 1000])[:, None, None]
    bounds = Normalization.fit(x)
    for band in range(3):
        values = np.sort(x[:, band].ravel())
        for found, share in ((bounds.low[band], 0.02), (bounds.high[band], 0.98)):
            place = share * (len(values) - 1)  # linear interpolation between order statistics
            below = int(place)
            expected = values[below] + (place - below) * (values[below + 1] - values[below])
            assert found == pytest.approx(expected, rel=1e-9)


def test_closed_form_of_a_ramp():
    x = np.arange(101, dtype=np.float64).reshape(101, 1, 1, 1)
    bounds = Normalization.fit(x)
    assert (bounds.low[0], bounds.high[0]) == (2.0, 98.0)
    expected = np.clip((np.arange(101) - 2) / 96, 0, 1)
    np.testing.assert_allclose(bounds(x).ravel(), expected, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_any_real_type_becomes_float32_in_the_unit_interval(dtype):
    x = np.random.default_rng(1).integers(0, 200, (20, 2, 3, 3)).astype(dtype)
    scaled = Normalization.fit(x)(x)
    assert scaled.dtype == np.float32
    assert scaled.shape == x.shape
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_values_beyond_the_bounds_are_clipped():
    bounds = Normalization(np.array([10.0]), np.array([20.0]))
    x = np.array([-1e6, 10, 15, 20, 1e6]).reshape(1, 1, 1, 5)
    assert bounds(x).ravel().tolist() == [0, 0, 0.5, 1, 1]


def test_each_band_has_its_own_bounds():
    bounds = Normalization(np.array([0.0, 100.0]), np.array([1.0, 200.0]))
    x = np.array([0.25, 150.0]).reshape(1, 2, 1, 1)
    assert bounds(x).ravel().tolist() == [0.25, 0.5]


def test_constant_band_warns_with_its_name_and_becomes_zero():
    x = np.random.default_rng(2).random((10, 3, 4, 4))
    x[:, 1] = 7.5
    with pytest.warns(UserWarning, match=r"depth: band 1 is constant \(7.5\) .*scaled to zero"):
        bounds = Normalization.fit(x, "depth")
    scaled = bounds(x)
    assert (scaled[:, 1] == 0).all()
    assert np.isfinite(scaled).all()
    assert scaled[:, 0].max() == scaled[:, 2].max() == 1
    x[0, 1, 0, 0] = 1e9  # another value at test time does not bring the band back as an infinity
    assert (bounds(x)[:, 1] == 0).all()


def test_no_warning_without_a_constant_band():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Normalization.fit(np.random.default_rng(3).random((10, 2, 4, 4)))


def test_dict_round_trip_is_exact_and_plain_json():
    x = np.random.default_rng(4).normal(size=(30, 3, 4, 4)).astype(np.float32)
    bounds = Normalization.fit(x)
    numbers = json.loads(json.dumps(bounds.to_dict(), allow_nan=False))
    again = Normalization.from_dict(numbers)
    assert set(numbers) == {"low", "high"}
    assert again.low.tolist() == bounds.low.tolist()
    assert again.high.tolist() == bounds.high.tolist()
    assert np.array_equal(again(x), bounds(x))


def test_pixels_that_were_not_measured_have_no_say():
    rng = np.random.default_rng(6)
    depth = rng.uniform(0.7, 8, (20, 1, 16, 16)).astype(np.float32)
    holes = np.where(rng.random(depth.shape) < 0.4, 0, depth).astype(np.float32)
    bounds = Normalization.fit(holes, invalid=0.0)
    assert [*bounds.low, *bounds.high] == pytest.approx(
        np.percentile(holes[holes > 0], (2, 98)).tolist()
    )
    assert Normalization.fit(holes).low == 0  # a wrong copy: the holes are the nearest surface
    assert (bounds(holes)[holes == 0] == 0).all()


def test_nothing_measured_at_all_is_a_constant_band():
    with pytest.warns(UserWarning, match="band 0 is constant"):
        assert Normalization.fit(np.zeros((2, 1, 4, 4)), invalid=0.0).high.tolist() == [0]


def test_of_a_band_too_large_to_hold_every_kth_sample_is_read(monkeypatch):
    x = np.random.default_rng(7).normal(size=(40, 2, 8, 8)).astype(np.float32)
    monkeypatch.setattr(normalize, "PIXELS", 64 * 15)
    bounds = Normalization.fit(x)
    np.testing.assert_allclose(bounds.low, np.percentile(x[::3], 2, axis=(0, 2, 3)))
    np.testing.assert_allclose(bounds.high, np.percentile(x[::3], 98, axis=(0, 2, 3)))
