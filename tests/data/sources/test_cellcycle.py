"""Cell cycle: tiles at their place, column after column; every cell once; columns kept whole."""

import numpy as np
import pytest
from fixtures import cellcycle as fixture
from fixtures import writing
from fixtures.refusal import refusals

from discom.data.sources import cellcycle
from discom.data.sources.cellcycle import CELLCYCLE, read_cellcycle
from discom.errors import DataError

MITOSIS = ("Prophase", "Metaphase", "Anaphase", "Telophase")
CHANNELS = ("brightfield", "stain", "darkfield")


def test_every_cell_is_the_planted_one(raw):
    data = read_cellcycle(raw("cellcycle"), size=40)
    assert data.classes == ("G1", "S", "G2", "M")
    for row, name in enumerate(data.ids):
        phase, tile = name.split("/")
        for channel, modality in data.modalities.items():
            pixels = fixture.planted(phase, int(tile), fixture.CHANNELS[channel])
            np.testing.assert_array_equal(modality.x[row, 0], pixels)
        label = "M" if phase in MITOSIS else phase.removesuffix("_phase")
        assert data.classes[data.labels[row]] == label
        assert data.groups[row] == f"{phase}/{int(tile) // fixture.SIDE:02d}"


def test_a_cell_that_stands_twice_is_read_once(raw):
    with pytest.warns(UserWarning, match="1 of .* cells stand there twice; left out"):
        data = read_cellcycle(raw("cellcycle"))
    assert len(data) == sum(fixture.CELLS.values()) - 1
    assert "Metaphase/000" in data.ids
    assert "Metaphase/002" not in data.ids


def damage(pixels, place="G2/Ch4_CP0008.tif"):
    return lambda root: writing.tiff(root / place, pixels[None])


WHOLE = fixture.montage("G2", 4)
BAD = {
    "cut": (damage(WHOLE[:120]), r"a montage is uint16 \[1, 160, 160\]; take the original file"),
    "no cell": (damage(0 * WHOLE), r"Ch4_CP0008\.tif: holds no cell; fetch it again"),
}


test_what_is_refused = refusals("cellcycle", lambda root: read_cellcycle(root, ["stain"]), BAD)


def test_a_file_that_is_not_the_authors_is_refused_before_it_is_read(raw):
    with pytest.raises(DataError, match=r"Ch\d_CP000\d\.tif: its checksum is not sha256:\w{64}; "):
        CELLCYCLE.raw_folder(raw("cellcycle"))


# the real montages


@pytest.fixture
def whole(real, monkeypatch):
    """The folder of the real montages, which have 30 tiles a side."""
    monkeypatch.setattr(cellcycle, "TILES", 30)
    return real("jurkat_cell_cycle")


def test_real_cells_are_the_same_in_every_channel(whole):
    CELLCYCLE.raw_folder(whole)  # all 21 checksums
    data = read_cellcycle(whole)
    assert np.bincount(data.labels).tolist() == [900, 900, 900, 716]
    assert len(set(data.groups)) == 30 * 3 + 21 + 3 + 1 + 1
    for channel in CHANNELS:
        assert read_cellcycle(whole, [channel]).ids.tolist() == data.ids.tolist()
