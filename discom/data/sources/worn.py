"""Sensors that persons wear: a watch (watch), units on the body (dsads), and a belt (sisfall)."""

from itertools import product
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError
from discom.files import as_data_error

EXERCISES = (
    "pendulum, abduction, forward elevation, internal rotation, external rotation, trapezius row, "
    "bent-over row"
)
# what a mirror does to a left arm: the axis across the body turns round; a rotation is an axial
# vector, so of the gyroscope the two others do
MIRROR = {"acc": (-1, 1, 1), "gyro": (1, -1, -1)}
ABOUT = ("label", "person", "recording", "side", "part")  # of each window of the watch
ACTIVITIES = (
    "sitting, standing, lying on back, lying on right side, ascending stairs, descending stairs, "
    "standing in elevator still, moving in elevator, walking in parking lot, "
    "treadmill 4 km/h flat, treadmill 4 km/h inclined, treadmill running 8 km/h, stepper, "
    "cross trainer, cycling horizontal, cycling vertical, rowing, jumping, playing basketball"
)
UNITS = ("torso", "rarm", "larm", "rleg", "lleg")  # of dsads, in the order of the columns
SEGMENTS, ROWS = 60, 125  # of each person and activity, and of a segment of dsads
PERSONS = [f"SA{n:02d}" for n in range(1, 24)] + [f"SE{n:02d}" for n in range(1, 16)]  # of sisfall
TRIALS = 4505
WINDOW = 2400  # rows, twelve seconds
# code → windows of its trials, as far as they fit; others have one, around the largest |acc|
LONG = {"D01": 7, "D02": 7, "D03": 7, "D04": 7, "D05": 2, "D06": 2, "D17": 2}
COLUMNS = {"acc": slice(0, 3), "gyro": slice(3, 6), "acc2": slice(6, 9)}
# g, rad/s and g of a count, for each column
SCALES = np.repeat([32 / 2**13, np.deg2rad(4000 / 2**16), 16 / 2**14], 3).astype(np.float32)


class Watch(Source):
    """Signals of `watch.npz`, whose arrays data/README.md describes; a left arm is mirrored into a
    right one. Groups are persons. Source: Burns et al. 2018.
    """

    name = "watch"
    what = "a wrist watch, 1 149 windows of four seconds, seven shoulder exercises, ten persons"
    classes = tuple(EXERCISES.split(", "))
    sensors = {"acc": Sensor("3×1×100", "g"), "gyro": Sensor("3×1×100", "rad/s")}
    symmetry = "rotate"
    size = "1.1 MB"
    licence = "BSD-3-Clause, © 2018 David M. Burns; cite Burns et al. 2018"
    page = "https://arxiv.org/abs/1802.01489"
    by_hand = "watch.npz is in data/ of the repository: --root data"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        file, signals = root / "watch.npz", {}
        with as_data_error(file, "an archive of arrays", "take the repository's file again"):
            arrays = dict(np.load(file))
            label, person, recording, side, part = (arrays[name] for name in ABOUT)
            for name in names:
                x = arrays[name] * np.float32(arrays[f"{name}_step"])  # [N, 3, 100]
                x[side == 0] *= np.array(MIRROR[name], "f4")[:, None]
                signals[name] = x[:, :, None]  # [N, 3, 1, 100]
        ids = [f"{k:03d}-{n:02d}" for k, n in zip(recording, part, strict=True)]
        return self.build(signals, ids, labels=label, groups=person)


class Dsads(Source):
    """Daily and Sports Activities: five units on the body. Groups are persons; ids number the
    segments by activity, person and time.

    `data/a<activity>/p<person>/s<segment>.txt`: 125 rows of 45 numbers, nine of each unit:
    accelerometer (m/s²), gyroscope (rad/s) and magnetometer, x y z each. Sources: Barshan and
    Yuksek 2014, Altun et al. 2010. Uncertain: the licence, and the magnetometer's unit.
    """

    name = "dsads"
    what = "five units on the body, 9 120 segments of five seconds, 19 activities, eight persons"
    classes = tuple(ACTIVITIES.split(", "))
    sensors = dict.fromkeys(UNITS, Sensor("9×1×125", "g, rad/s, –"))
    symmetry = "none"
    size = "0.4 GB of text"
    licence = "CC BY 4.0 (uncertain: see the page); cite Barshan and Yuksek 2014, Altun et al. 2010"
    page = "https://archive.ics.uci.edu/dataset/256/daily+and+sports+activities"
    by_hand = "Unpack the archive of UCI's data set 256; --root is the folder with data/a01 to a19"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        folder = self.find_folder(root, ["a01", "a19"])
        places = np.array(list(product(range(1, 20), range(1, 9), range(1, SEGMENTS + 1))))
        files = [folder / f"a{a:02d}" / f"p{p}" / f"s{s:02d}.txt" for a, p, s in places]
        segments = np.stack([read_segment(file) for file in files])  # [N, 5, 9, 125]
        signals = {name: segments[:, UNITS.index(name), :, None] for name in names}
        labels, persons, _ = places.T - 1
        return self.build(signals, np.arange(len(files)), labels=labels, groups=persons)


def read_segment(file: Path) -> np.ndarray:
    """The signals of a segment of dsads, [5, 9, 125] float16."""
    table = _read_rows(file, 45, ROWS)
    units = table.T.reshape(5, 9, ROWS).astype(np.float64)  # in float32, some quotients are ties
    units[:, :3] /= 9.81  # m/s² → g
    return units.astype(np.float16)


class SisFall(Source):
    """Sensors on a belt; the second accelerometer, a negative control, lies beside the first and
    measures the same. Groups are persons; ids number the windows by person, code, trial and time.

    `SisFall_dataset/<person>/<code>_<person>_R<nn>.txt`: nine whole numbers for each of 200 times a
    second, ended by ";": x y z of the accelerometer ADXL345, of the gyroscope ITG3200, and of a
    second accelerometer, MMA8451Q. Source: Sucerquia et al. 2017.

    Uncertain: the licence. Only four trials were read here, so some file may differ in form.
    """

    name = "sisfall"
    what = "sensors on a belt, 5 883 windows of twelve seconds, 19 activities, 15 falls, 38 persons"
    classes = tuple([f"D{n:02d}" for n in range(1, 20)] + [f"F{n:02d}" for n in range(1, 16)])
    sensors = {
        "acc": Sensor("3×1×300", "g"),
        "gyro": Sensor("3×1×300", "rad/s"),
        "acc2": Sensor("3×1×300", "g"),
    }
    symmetry = "none"
    size = "0.7 GB of text"
    licence = "none stated; the paper calls the data freely available; cite Sucerquia et al. 2017"
    page = "https://doi.org/10.3390/s17010198"
    by_hand = "Unpack the authors' archive; --root is the folder with SisFall_dataset/SA01 to SE15"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        folder = self.find_folder(root, PERSONS)
        files = sorted(folder.glob("S[AE][0-9][0-9]/[!.]*.txt"))
        steps.warn_left_out(folder, TRIALS - len(files), f"{TRIALS} trials are not there")
        windows, origins = [], []
        for file in files:
            code, person = file.name[:3], PERSONS.index(file.parent.name)
            if code not in self.classes:
                raise DataError(file, f"'{code}' is no activity and no fall", "remove the file")
            for window in cut(code, read_trial(file)):
                windows.append(to_signals(window))
                origins.append((self.classes.index(code), person))
        stacked, (labels, persons) = np.stack(windows), np.transpose(origins)
        signals = {name: stacked[:, COLUMNS[name]] for name in names}
        return self.build(signals, np.arange(len(stacked)), labels=labels, groups=persons)


def read_trial(file: Path) -> np.ndarray:
    """The rows of a trial of sisfall in g and rad/s, [rows, 9] float32, at least a window."""
    trial = _read_rows(file, 9) * SCALES
    return np.pad(trial, ((0, max(0, WINDOW - len(trial))), (0, 0)), mode="edge")


def cut(code: str, trial: np.ndarray) -> list[np.ndarray]:
    """The windows of a trial of that code."""
    rest = len(trial) - WINDOW
    if code in LONG:
        count = min(LONG[code], len(trial) // WINDOW)
        starts = np.linspace(0, rest, count).round().astype(int)
    else:
        peak = np.linalg.norm(trial[:, COLUMNS["acc"]], axis=1).argmax()
        starts = np.clip([peak - WINDOW // 2], 0, rest)
    return [trial[start : start + WINDOW] for start in starts]


def to_signals(window: np.ndarray) -> np.ndarray:
    """A window [2400, 9] at 200 Hz as signals [9, 1, 300] at 25 Hz: a filter to 50 Hz, without
    ringing at the ends, then the mean of two values."""
    from scipy.signal import resample_poly

    values = resample_poly(window, 1, 4, padtype="line").astype(np.float16)
    return values.reshape(-1, 2, 9).mean(axis=1).T[:, None]


def _read_rows(file: Path, columns: int, rows: int | None = None) -> np.ndarray:
    """So many finite numbers, [rows, columns] float32; a row may end with ";"."""
    with as_data_error(file, f"rows of {columns} numbers", "unpack the archive again"):
        table = np.loadtxt(file, np.float32, delimiter=",", comments=";", ndmin=2)
        if table.shape != (rows or len(table), columns) or not np.isfinite(table).all():
            raise ValueError(f"holds {list(table.shape)}, or some that are not finite")
        return table
