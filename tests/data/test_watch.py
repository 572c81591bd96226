"""The file of the watch: its arrays are what data/README.md says."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "data" / "watch.npz"


def test_the_watch_is_as_described():
    watch = np.load(FILE)
    n, recordings = 1149, 140
    for name, most in (("acc", 8), ("gyro", 32)):  # g and rad/s that a watch at an arm may reach
        values = watch[name] * watch[f"{name}_step"]
        assert values.shape == (n, 3, 100)
        assert np.isfinite(values).all()
        assert 0 < values.std(axis=(0, 2)).min() < abs(values).max() < most
    gravity = np.linalg.norm((watch["acc"] * watch["acc_step"]).mean(2), axis=1)
    assert 0.5 < np.median(gravity) < 1.1
    assert len(watch["classes"]) == 7
    labels, persons, sides = watch["label"], watch["person"], watch["side"]
    assert (np.bincount(labels).min(), np.bincount(labels).max()) == (121, 192)
    assert (np.bincount(persons).min(), np.bincount(persons).max()) == (70, 140)
    assert (len(np.bincount(labels)), len(np.bincount(persons))) == (7, 10)
    assert set(sides) == {0, 1}
    # one recording for each person, exercise and arm, and its windows in turn
    cells = set(zip(watch["recording"], persons, labels, sides, strict=True))
    assert len(cells) == len({cell[1:] for cell in cells}) == recordings
    for recording in range(recordings):
        part = watch["part"][watch["recording"] == recording]
        assert part.tolist() == list(range(len(part)))
    assert len({window.tobytes() for window in watch["acc"]}) == n  # none twice
