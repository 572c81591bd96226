"""What unlabelled pairs are worth in labels, as the README and docs/results/labels.md say."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from discom import tables
from worth import RIVALS, labels_worth, worth

ROOT = Path(__file__).parents[1]


def test_numbers_of_the_readme_are_those_of_the_runs():
    """The better rival counts."""
    readme = " ".join((ROOT / "README.md").read_text().split())
    (stated,) = re.findall(r"depth alone needs \[about (\d+) labels\]", readme)
    assert round(min(worth("depth", rival)[0] for rival in RIVALS), -1) == int(stated)


def test_numbers_of_the_page_are_those_of_the_runs():
    page = " ".join((ROOT / "docs/results/labels.md").read_text().split())
    pattern = r"what about (\d+) labels do alone in depth, and at most (\d+) with FixMatch in RGB"
    (stated,) = re.findall(pattern, page)
    (replaced,) = re.findall(r"replace some (\d+) labels in depth and at most (\d+)", page)
    numbers = [min(worth(sensor, rival)[0] for rival in RIVALS) for sensor in ("depth", "rgb")]
    assert [round(number, -1) for number in numbers] == [*map(int, stated)]
    assert [round(number - 200, -1) for number in numbers] == [*map(int, replaced)]


def student(numbers, seeds):
    """Ten points for each doubling of the labels, from 40 with 200 on, and what the seed adds."""
    return {number: 40 + 10 * math.log2(number / 200) + seeds for number in numbers}


def test_labels_are_read_from_a_straight_curve_as_by_hand():
    """Gains 20 ± d are worth 200 · 2^(2 ± d / 10) labels; the interval is scipy's."""
    rng = np.random.default_rng(0)
    seeds, noise = rng.normal(size=6), rng.normal(size=6)
    curve = student([1600, 200, 800, 400], seeds)
    mean, low, high = tables.paired_difference(60 + noise, np.full(6, 60.0))
    expected = [800 * 2 ** (d / 10) for d in (mean, low, high)]
    assert labels_worth(60 + seeds + noise, curve) == pytest.approx(expected, rel=2e-3)


def test_beyond_the_curve_the_number_is_said_to_be_outside():
    seeds = np.array([-1.0, 0.0, 1.0])
    curve = student([200, 400, 800], seeds)
    assert labels_worth(80 + seeds, curve) == (math.inf, math.inf, math.inf)
    assert labels_worth(20 + seeds, curve) == (0, 0, 0)
    number, low, high = labels_worth([59.0, 62.0, 58.5], curve)  # about as with 800
    assert 400 < low < number < 800 < high == math.inf
    falls = {100: [40.0, 42, 41], 200: [55, 56, 57.5], 400: [45, 46, 47], 800: [60, 61, 62.5]}
    number, low, high = labels_worth([50.0, 52, 51], falls)  # it is passed three times
    assert 100 < low < number < 200 < 400 < high < 800


def test_the_interval_of_labels_covers_the_true_number_in_95_of_100():
    """Also where the curve is flat, since its own noise counts."""
    gain, slope = 3.0, 2.0
    rng, hits, numbers = np.random.default_rng(1), 0, np.array([200, 400, 800, 1600])
    for _ in range(400):
        seeds = rng.normal(size=10)
        rise = slope * np.log2(numbers / 200)[:, None]
        scores = 40 + rise + seeds + rng.normal(size=(4, 10)) / 2
        curve = dict(zip(numbers.tolist(), scores, strict=True))
        _, low, high = labels_worth(40 + gain + seeds + rng.normal(size=10) / 2, curve)
        hits += low <= 200 * 2 ** (gain / slope) <= high
    assert 0.92 <= hits / 400 <= 0.98
