"""Synthetic scenes as a sensor would store them, and as image files of which some are faulty."""

from pathlib import Path

import numpy as np
from PIL import Image

from discom.data.multimodal import Modality, MultiModalData
from discom.data.scenes.drawing import MATERIALS
from discom.errors import DataError

DEEPEST = 4000  # mm, the farthest that the depth sensor sees


def measured(scenes: MultiModalData) -> MultiModalData:
    """Scenes of RGB and depth with their materials as classes, in the order of folders: photographs
    of 8 bits, and depth of 16 bits in mm, 0 where nothing was measured.

    >>> from discom.data import scenes
    >>> one = measured(scenes.make(n=9, size=8))
    >>> one.classes, one.modalities["depth"].x.dtype.name, one.modalities["depth"].unit
    (('metal', 'stone', 'wood'), 'uint16', 'mm')
    """
    classes, views = tuple(sorted(MATERIALS)), {}
    labels = np.array([classes.index(MATERIALS[k]) for k in scenes.factors["material"]])
    pixels = (("depth", DEEPEST, np.uint16, "mm", 0.0), ("rgb", 255, np.uint8, "", None))
    for name, top, kind, *about in pixels:
        x = np.round(top * scenes.modalities[name].x).astype(kind)
        views[name] = Modality(x, labels, np.arange(len(labels)), *about)
    return MultiModalData(views, classes, name=scenes.name)


def write_faulty(root: Path | str, scenes: MultiModalData, seed: int = 0) -> dict[str, list[str]]:
    """Write scenes of RGB and depth as <root>/<sensor>/<material>/<number>.png, and plant faults in
    thirteen of them.

    Returns:
        Fault → ids, "<material>/<number>": "lost" (the depth file is missing), "odd level" (in
        metres), "flat" (a lens cap), "upside down" (near is far), "other size" (twice the pixels),
        and eight "copied" ones; the copy has "-copy" after its id and a darker photograph.

    Raises:
        DataError: fewer than 13 scenes, or sensors other than RGB and depth.
    """
    if len(scenes) < 13 or set(scenes.modalities) != {"rgb", "depth"}:
        what = f"{len(scenes)} scenes of {' and '.join(scenes.modalities)}"
        raise DataError(f"{scenes.name}: {what}; give 13 or more of rgb and depth")
    data = measured(scenes)
    ids = [f"{data.classes[k]}/{row:04d}" for row, k in enumerate(data.labels)]
    depth, photo = (modality.x for modality in data.modalities.values())
    rows = np.random.default_rng(seed).permutation(len(ids))[:13].tolist()
    lost, metres, cap, upside, larger, *copied = rows
    depth[metres] //= 1000
    depth[cap] = DEEPEST // 2
    depth[upside] = DEEPEST - depth[upside]
    for row, name in enumerate(ids):
        _write(root, "rgb", name, photo[row])
        if row != lost:
            times = 2 if row == larger else 1
            _write(root, "depth", name, depth[row].repeat(times, 1).repeat(times, 2))
    for row in copied:
        _write(root, "rgb", f"{ids[row]}-copy", photo[row] // 5 * 4)
        _write(root, "depth", f"{ids[row]}-copy", depth[row])
    kinds = {"lost": [lost], "odd level": [metres], "flat": [cap], "upside down": [upside]}
    kinds |= {"other size": [larger], "copied": copied}
    return {kind: [ids[row] for row in some] for kind, some in kinds.items()}


def _write(root: Path | str, sensor: str, name: str, image: np.ndarray) -> None:
    file = Path(root) / sensor / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(file)
