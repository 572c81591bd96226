"""Scenes as files, and the faults that are planted in them."""

import numpy as np

from discom.data import read_folders
from discom.data.images import read_pixels
from discom.data.scenes import objects
from faulty import write_faulty


def test_files_hold_what_was_measured_but_for_the_faults(tmp_path):
    drawn = objects.make(n=40, size=8)
    faults = write_faulty(tmp_path, drawn, seed=3)
    depth = np.round(4000 * drawn.modalities["depth"].x)
    assert {kind: len(ids) for kind, ids in faults.items()} == {
        **dict.fromkeys(("lost", "odd level", "flat", "upside down", "other size"), 1),
        "copied": 8,
    }
    faulty = {one for kind in faults if kind != "copied" for one in faults[kind]}
    for row, material in enumerate(drawn.factors["material"]):
        one = f"{('wood', 'metal', 'stone')[material]}/{row:04d}"
        if one not in faulty:
            assert np.array_equal(read_pixels(tmp_path / f"depth/{one}.png"), depth[row])
    (lost,), (metres,), (upside,) = (faults[k] for k in ("lost", "odd level", "upside down"))
    assert not (tmp_path / f"depth/{lost}.png").exists()
    assert read_pixels(tmp_path / f"depth/{metres}.png").max() <= 4
    right = depth[int(upside[-4:])]
    assert np.array_equal(read_pixels(tmp_path / f"depth/{upside}.png"), 4000 - right)
    read = read_folders(tmp_path, size=8)
    assert (read.classes, len(read)) == (("metal", "stone", "wood"), 48)
