"""Watch: a wrist watch's accelerometer and gyroscope while ten persons do shoulder exercises.

`watch.npz`, which data/make_watch.py of the repository makes: signals int16 [N, 3, 100], four
seconds at 25 Hz, for each sensor with the step that turns them into g or rad/s; for each window
label, person, recording, side (0: left arm) and part, its number in the recording. Source: Burns et
al. 2018, by way of the package seglearn.
"""

from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source
from discom.errors import DataError
from discom.files import as_data_error

# what a mirror does to a left arm: the axis across the body turns round; a rotation is an axial
# vector, so of the gyroscope the two others do
MIRROR = {"acc": (-1, 1, 1), "gyro": (1, -1, -1)}
ABOUT = ("label", "person", "recording", "side", "part")  # of each window
WAY_OUT = "take the repository's file again"


class Watch(Source):
    """Signals [N, 3, 1, 100]; a left arm is mirrored into a right one. Groups are persons."""

    name = "watch"
    what = "a wrist watch, 1 149 windows of four seconds, seven shoulder exercises, ten persons"
    classes = (
        "pendulum",
        "abduction",
        "forward elevation",
        "internal rotation",
        "external rotation",
        "trapezius row",
        "bent-over row",
    )
    sensors = {"acc": Sensor("3×1×100", "g"), "gyro": Sensor("3×1×100", "rad/s")}
    symmetry = "rotate"
    size = "1.1 MB"
    licence = "BSD-3-Clause, © 2018 David M. Burns; cite Burns et al. 2018"
    page = "https://arxiv.org/abs/1802.01489"
    by_hand = "watch.npz is in data/ of the repository: --root data"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        file, signals = root / "watch.npz", {}
        with as_data_error(file, "an archive of arrays", WAY_OUT):
            arrays = dict(np.load(file, allow_pickle=False))
            label, person, recording, side, part = (arrays[name] for name in ABOUT)
            for name in names:
                x = arrays[name] * np.float32(arrays[f"{name}_step"])  # [N, 3, 100]
                x[side == 0] *= np.array(MIRROR[name], "f4")[:, None]
                signals[name] = x[:, :, None]  # [N, 3, 1, 100]
        if tuple(arrays["classes"]) != self.classes:
            raise DataError(file, "holds other exercises", WAY_OUT)
        ids = [f"{k:03d}-{n:02d}" for k, n in zip(recording, part, strict=True)]
        return self.build(signals, ids, labels=label, groups=person)
