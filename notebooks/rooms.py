"""Drawn scenes as a person's own folder of images, recorded in rooms: what notebook 11
reads."""

from pathlib import Path

import numpy as np
from PIL import Image

from discom.data import MultiModalData
from discom.errors import DataError

SENSORS = {"rgb": "colour", "depth": "depth"}  # sensor → its folder
CENTIMETRES = 8  # the room whose depth is stored in them, the others in millimetres


def write_rooms(
    root: Path | str,
    scenes: MultiModalData,
    seed: int = 0,
    rooms: int = 12,
    pairs: int = 1200,
    labelled: float = 0.25,
) -> list[str]:
    """Write <root>/<sensor>/<class>/room01_000.png, the same number of pairs in each
    room: photographs of 8 bits, and depth of 16 bits in millimetres, 0 where nothing
    was measured. Most are in the folder "unlabelled".

    A room has its own lamp and camera height; room 8 stores depth in centimetres.

    Returns:
        The class of every pair, in the order of rooms and numbers.

    Raises:
        DataError: sensors other than RGB and depth, or fewer scenes than rooms.
    """
    if set(scenes.modalities) != set(SENSORS) or len(scenes) < rooms:
        found = f"{len(scenes)} scenes of {' and '.join(scenes.modalities)}"
        raise DataError(scenes.name, found, f"give {rooms} or more of rgb and depth")
    rng, names = np.random.default_rng(seed), []
    each = min(pairs, len(scenes)) // rooms
    for room in range(1, rooms + 1):
        rows = np.arange((room - 1) * each, room * each)
        images = _measure(scenes, rows, rng)
        if room == CENTIMETRES:
            images["depth"] //= 10
        for place, row in enumerate(rows):
            names.append(scenes.classes[scenes.labels[row]].replace("/", "-"))
            kind = names[-1] if place < labelled * each else "unlabelled"
            for sensor, x in images.items():
                folder = Path(root) / SENSORS[sensor] / kind
                folder.mkdir(parents=True, exist_ok=True)
                image = Image.fromarray(x[place].transpose(1, 2, 0).squeeze())
                image.save(folder / f"room{room:02}_{place:03}.png")
    return names


def _measure(
    scenes: MultiModalData, rows: np.ndarray, rng: np.random.Generator
) -> dict:
    """What the two cameras of one room store of these scenes, [rows, bands, H, W]."""
    lamp, height = rng.uniform(0.5, 1.2, (3, 1, 1)), rng.uniform(2200, 2800)
    rgb, depth = (scenes.modalities[sensor].x[rows] for sensor in SENSORS)
    millimetres = np.where(depth == 0, 0, np.round(height - 1500 * depth))
    photograph = np.round(255 * np.clip(lamp * rgb, 0, 1)).astype(np.uint8)
    return {"rgb": photograph, "depth": millimetres.astype(np.uint16)}
