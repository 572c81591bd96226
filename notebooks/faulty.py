"""Scenes as image files, some of them faulty: what notebook 11 checks."""

from pathlib import Path

import numpy as np
from PIL import Image

from discom.data import MultiModalData
from discom.data.scenes.drawing import MATERIALS
from discom.errors import DataError

DEEPEST = 4000  # mm, the farthest that the depth sensor sees


def write_faulty(
    root: Path | str, scenes: MultiModalData, seed: int = 0
) -> dict[str, list[str]]:
    """Write scenes of RGB and depth as <root>/<sensor>/<material>/<number>.png:
    photographs of 8 bits, depth of 16 bits in mm, 0 where nothing was measured. Plant
    faults in thirteen of them.

    Returns:
        Fault → ids, "<material>/<number>": "lost" (the depth file is missing), "odd
        level" (in metres), "flat" (a lens cap), "upside down" (near is far), "other
        size" (twice the pixels), and eight "copied" ones; the copy has "-copy" after
        its id and a darker photograph.

    Raises:
        DataError: fewer than 13 scenes, or sensors other than RGB and depth.
    """
    if len(scenes) < 13 or set(scenes.modalities) != {"rgb", "depth"}:
        found = f"{len(scenes)} scenes of {' and '.join(scenes.modalities)}"
        raise DataError(scenes.name, found, "give 13 or more of rgb and depth")
    photo = np.round(255 * scenes.modalities["rgb"].x).astype(np.uint8)
    depth = np.round(DEEPEST * scenes.modalities["depth"].x).astype(np.uint16)
    materials = enumerate(scenes.factors["material"])
    ids = [f"{MATERIALS[material]}/{row:04d}" for row, material in materials]
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
    kinds = {"lost": [lost], "odd level": [metres], "flat": [cap]}
    kinds |= {"upside down": [upside], "other size": [larger], "copied": copied}
    return {kind: [ids[row] for row in some] for kind, some in kinds.items()}


def _write(root: Path | str, sensor: str, name: str, image: np.ndarray) -> None:
    file = Path(root) / sensor / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(file)
