"""Daily and Sports Activities: five units on the body while eight persons do nineteen activities.

`data/a<activity>/p<person>/s<segment>.txt`, 60 segments of five seconds at 25 Hz: 125 rows of 45
numbers, nine of each unit: accelerometer (m/s²), gyroscope (rad/s) and magnetometer, x y z each.
Sources: Barshan and Yuksek 2014, Altun et al. 2010; UCI data set 256.

Uncertain: the licence, and the magnetometer's unit, which no source at hand states.
"""

from itertools import product
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source
from discom.errors import DataError
from discom.files import as_data_error

UNITS = ("torso", "rarm", "larm", "rleg", "lleg")  # in the order of the columns
PERSONS, SEGMENTS, ROWS = 8, 60, 125
GRAVITY = 9.81  # m/s²
WAY_OUT = "unpack the archive again"


class Dsads(Source):
    """Signals [N, 9, 1, 125] of each unit, in half precision; accelerations are in g. Groups are
    persons; ids number the segments by activity, person and time."""

    name = "dsads"
    what = "five units on the body, 9 120 segments of five seconds, 19 activities, eight persons"
    classes = (
        "sitting",
        "standing",
        "lying on back",
        "lying on right side",
        "ascending stairs",
        "descending stairs",
        "standing in elevator still",
        "moving in elevator",
        "walking in parking lot",
        "treadmill 4 km/h flat",
        "treadmill 4 km/h inclined",
        "treadmill running 8 km/h",
        "stepper",
        "cross trainer",
        "cycling horizontal",
        "cycling vertical",
        "rowing",
        "jumping",
        "playing basketball",
    )
    sensors = dict.fromkeys(UNITS, Sensor("9×1×125", "g, rad/s, –"))
    symmetry = "none"
    size = "0.4 GB of text"
    licence = "CC BY 4.0 (uncertain: see the page); cite Barshan and Yuksek 2014, Altun et al. 2010"
    page = "https://archive.ics.uci.edu/dataset/256/daily+and+sports+activities"
    by_hand = "Unpack the archive of UCI's data set 256; --root is the folder with data/a01 to a19"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        activities = [f"a{number:02d}" for number in range(1, len(self.classes) + 1)]
        folder = self.find_folder(root, activities)
        places = list(product(range(len(activities)), range(PERSONS), range(SEGMENTS)))
        signals = {name: np.empty((len(places), 9, 1, ROWS), np.float16) for name in names}
        for row, (activity, person, segment) in enumerate(places):
            file = folder / activities[activity] / f"p{person + 1}" / f"s{segment + 1:02d}.txt"
            units = read_segment(file)
            for name in names:
                signals[name][row, :, 0] = units[UNITS.index(name)]
        labels, persons, _ = np.transpose(places)
        return self.build(signals, np.arange(len(places)), labels=labels, groups=persons)


def read_segment(file: Path) -> np.ndarray:
    """The signals of a segment, [5, 9, 125] float16."""
    with as_data_error(file, "rows of numbers", WAY_OUT):
        table = np.loadtxt(file, np.float32, delimiter=",", ndmin=2)
    if table.shape != (ROWS, 45) or not np.isfinite(table).all():
        found = f"holds {list(table.shape)} numbers, or some that are not finite"
        raise DataError(file, f"{found}; a segment is [{ROWS}, 45]", WAY_OUT)
    units = table.T.reshape(5, 9, ROWS).astype(np.float64)  # in float32, some quotients are ties
    units[:, :3] /= GRAVITY
    return units.astype(np.float16)
