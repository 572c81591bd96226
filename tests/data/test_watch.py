"""The file of the watch: its arrays are what data/README.md says."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "data" / "watch.npz"


def test_the_watch_is_as_described():
    """Windows, exercises, persons and recordings; g and rad/s that a watch at an arm may reach."""
    watch = np.load(FILE)
    for name, most in (("acc", 8), ("gyro", 32)):
        values = watch[name] * watch[f"{name}_step"]
        assert values.shape == (1149, 3, 100)
        assert 0 < values.std(axis=(0, 2)).min() < abs(values).max() < most
    cells = {*zip(*(watch[name] for name in ("person", "label", "side")), strict=True)}
    assert len(cells) == len(np.unique(watch["recording"])) == 140
    assert (len(np.unique(watch["label"])), len(np.unique(watch["person"]))) == (7, 10)
    assert len({window.tobytes() for window in watch["acc"]}) == 1149  # none twice
