"""Make data/watch.npz from the wheel of seglearn 1.2.5, of which nothing is installed or run.

    pip download --no-deps seglearn==1.2.5
    python data/make_watch.py seglearn-1.2.5-py3-none-any.whl data/watch.npz

The wheel holds 140 recordings of ten persons at 50 Hz. They are brought to 25 Hz and cut into
windows of four seconds. data/README.md says what the arrays are.
"""

import hashlib
import io
import sys
import zipfile

import numpy as np
from scipy.signal import resample_poly

MEMBER = "seglearn/data/watch_dataset.npy"
SHA256 = "eb122f23cdf06ef6"  # first digits of that of the member
RATE, SECONDS = 25, 4
STEP = {"acc": 1 / 1024, "gyro": 1 / 256}  # what 1 in the arrays means, in g and in rad/s
CLASSES = {
    "PEN": "pendulum",
    "ABD": "abduction",
    "FEL": "forward elevation",
    "IR": "internal rotation",
    "ER": "external rotation",
    "TRAP": "trapezius row",
    "ROW": "bent-over row",
}


def read(wheel: str) -> dict:
    """The data set of seglearn: X (recordings [time, 6]), y, subject, side and their names."""
    raw = zipfile.ZipFile(wheel).read(MEMBER)
    if not hashlib.sha256(raw).hexdigest().startswith(SHA256):
        sys.exit(f"{wheel}: {MEMBER} is another file; take the wheel of seglearn 1.2.5")
    return np.load(io.BytesIO(raw), allow_pickle=True).item()  # pickled, so its checksum is known


def cut(source: dict) -> tuple[np.ndarray, np.ndarray]:
    """Windows [n, 6, 100], and of each its label, person, recording, side and part [n, 5]."""
    order = np.lexsort((source["side"], source["y"], source["subject"]))
    length = RATE * SECONDS
    windows, about = [], []
    for recording, row in enumerate(order):
        slow = resample_poly(source["X"][row], 1, 2, axis=0, padtype="line")  # 50 to 25 Hz
        known = source["y"][row], source["subject"][row] - 1, recording, source["side"][row]
        for part in range(len(slow) // length):
            windows.append(slow[part * length : (part + 1) * length].T)
            about.append((*known, part))
    return np.stack(windows), np.array(about, int)


def write(windows: np.ndarray, about: np.ndarray, target: str) -> None:
    """One compressed file of all arrays."""
    sensors = {"acc": windows[:, :3], "gyro": windows[:, 3:]}
    arrays = {name: np.rint(x / STEP[name]).astype("int16") for name, x in sensors.items()}
    arrays |= {f"{name}_step": np.array(step) for name, step in STEP.items()}
    label, person, recording, side, part = about.T
    np.savez_compressed(
        target,
        **arrays,
        label=label.astype("int8"),
        person=person.astype("int8"),
        recording=recording.astype("int16"),
        side=side.astype("int8"),
        part=part.astype("int8"),
        classes=np.array(list(CLASSES.values())),
        rate=RATE,
    )


def main(wheel: str, target: str) -> None:
    """Read, cut and write."""
    source = read(wheel)
    assert source["y_labels"] == list(CLASSES)
    write(*cut(source), target)


if __name__ == "__main__":
    main(*sys.argv[1:])
