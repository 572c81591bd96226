"""Scaling, against NumPy on every pixel."""

import numpy as np
import pytest
from fixtures.refusal import refused

from discom.data import Modality, MultiModalData, Normalization, scaling
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


def test_a_band_that_was_never_measured_is_scaled_to_zero():
    """Of -3.4e38 the error asked for the value that was stated."""
    x = np.concatenate([skewed()[:, :2], np.full((20, 1, 8, 8), -3.4e38, "f4")], 1)
    with pytest.warns(UserWarning, match=r"ir: bands \[2\] are constant"):
        scaled = Normalization.fit(x, "ir", -3.4e38)(x)
    assert (scaled[:, 2] == 0).all()
    assert scaled[:, :2].min() >= np.float32(LOWEST)


NOISE = np.random.default_rng(0).normal(size=(40, 1, 4, 4))
MENDED = {  # values that networks cannot read as they are, and what the line advises
    "near a million": (1e6 + NOISE, "subtract a constant", lambda x: x - x.mean()),
    "near a hundred million": (1e8 + NOISE, "subtract a constant", lambda x: x - x.mean()),
    "whole numbers": ((1e9 + 9 * NOISE).astype(int), "subtract a constant", lambda x: x - 10**9),
    "all huge": (
        1e303 * (9 + NOISE),
        r"divide it by a constant, such as 1e\+304",
        lambda x: x / 1e304,
    ),
    "some huge": (
        np.where(NOISE > 1, 1e303, NOISE),
        r"if 1e\+303 means 'not measured', state it as invalid",
        None,
    ),
}


@pytest.mark.parametrize("what", MENDED)
def test_what_training_refuses_is_refused_when_it_is_prepared_and_the_advice_helps(tmp_path, what):
    values, advice, mend = MENDED[what]

    def data_of(x, invalid=None):
        sensor = Modality(x, np.arange(40) % 2, np.arange(40), invalid=invalid)
        return MultiModalData({"time": sensor}, ("a", "b"), name="mine")

    raw = data_of(values)
    for call in (raw.split, lambda: raw.save(tmp_path / "out")):
        refused(call, f"^mine/time: .*{advice}")
    assert list(tmp_path.iterdir()) == []
    mended = data_of(mend(values)) if mend else data_of(values, 1e303)
    mended.save(tmp_path / "out")
    shown = mended.split().train.images("time")
    assert len(np.unique(shown)) > 30


@pytest.mark.parametrize(("middle", "kind"), [(1e9, float), (1e9, np.int64), (1e6, np.int32)])
def test_values_that_float32_does_not_tell_apart_are_refused(middle, kind):
    """Networks read float32, here and on the device, and it keeps three levels of 10⁹ ± 30."""
    x = (middle + np.random.default_rng(0).uniform(-30, 30, (9, 1, 4, 4))).astype(kind)
    if middle > 1e8:
        refused(lambda: Normalization.fit(x, "mine/time"), "mine/time: band 0: from 99")
    else:
        assert len(np.unique(Normalization.fit(x)(x))) > 40
        x[0, 0, 0, 0] = 1 << 30  # clipped
        assert Normalization.fit(x).high[0] < 1e6 + 30
