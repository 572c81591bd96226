"""SisFall: two accelerometers and a gyroscope on a belt while 38 persons move and fall.

`SisFall_dataset/<person>/<code>_<person>_R<nn>.txt`, persons SA01 to SA23 (adults) and SE01 to SE15
(elderly): a row of nine whole numbers for each of 200 instants a second, ended by ";": x y z of the
accelerometer ADXL345, of the gyroscope ITG3200, and of a second accelerometer, MMA8451Q. Codes D01
to D19 are activities, F01 to F15 falls. Source: Sucerquia et al. 2017.

Uncertain: the licence. Only four trials were read here, so some file may differ in form.
"""

from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError
from discom.files import as_data_error

PERSONS = [f"SA{n:02d}" for n in range(1, 24)] + [f"SE{n:02d}" for n in range(1, 16)]
TRIALS = 4505
WINDOW = 2400  # rows, twelve seconds
# code → windows of its trials, as far as they fit; others have one, around the largest |acc|
LONG = {"D01": 7, "D02": 7, "D03": 7, "D04": 7, "D05": 2, "D06": 2, "D17": 2}
UNITS = {"acc": "g", "gyro": "rad/s", "acc2": "g"}
COLUMNS = {"acc": slice(0, 3), "gyro": slice(3, 6), "acc2": slice(6, 9)}
SCALES = {"acc": 32 / 2**13, "gyro": np.deg2rad(4000 / 2**16), "acc2": 16 / 2**14}  # g, rad/s, g
WAY_OUT = "take the original file"


class SisFall(Source):
    """Signals [N, 3, 1, 300], twelve seconds at 25 Hz, in half precision. Groups are persons; ids
    number the windows by person, code, trial and time.

    Short trials are filled up with their last row. The second accelerometer lies beside the first
    and measures the same: a negative control.
    """

    name = "sisfall"
    what = "sensors on a belt, 5 883 windows of twelve seconds, 19 activities, 15 falls, 38 persons"
    classes = tuple([f"D{n:02d}" for n in range(1, 20)] + [f"F{n:02d}" for n in range(1, 16)])
    sensors = {name: Sensor("3×1×300", unit) for name, unit in UNITS.items()}
    symmetry = "none"
    size = "0.7 GB of text"
    licence = "none stated; the paper calls the data freely available; cite Sucerquia et al. 2017"
    page = "https://doi.org/10.3390/s17010198"
    by_hand = "Unpack the authors' archive; --root is the folder with SisFall_dataset/SA01 to SE15"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        folder = self.find_folder(root, PERSONS)
        trials = [
            (person, file)
            for person, name in enumerate(PERSONS)
            for file in steps.sorted_files(folder / name, ".txt").values()
        ]
        steps.warn_left_out(folder, TRIALS - len(trials), f"{TRIALS} trials are not there")
        windows, labels, persons = list[np.ndarray](), list[int](), list[int]()
        for person, file in trials:
            code = file.name[:3]
            if code not in self.classes:
                raise DataError(file, f"'{code}' is no activity and no fall", "remove the file")
            own = cut(code, read_trial(file))
            windows += [to_signals(window) for window in own]
            labels += [self.classes.index(code)] * len(own)
            persons += [person] * len(own)
        signals = {name: np.stack([window[COLUMNS[name]] for window in windows]) for name in names}
        ids = np.arange(len(windows))
        return self.build(signals, ids, labels=labels, groups=np.array(persons))


def read_trial(file: Path) -> np.ndarray:
    """The rows of a trial in g and rad/s, [rows, 9] float32, at least a window."""
    with as_data_error(file, "rows of numbers", WAY_OUT):
        counts = np.loadtxt(file, np.float32, delimiter=",", comments=";", ndmin=2)
    if not len(counts) or counts.shape[1] != 9 or not np.isfinite(counts).all():
        raise DataError(file, f"holds {list(counts.shape)} numbers, a row has nine", WAY_OUT)
    trial = counts * np.repeat([*SCALES.values()], 3).astype(np.float32)
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
