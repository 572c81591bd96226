"""Land cover from optical bands and elevation: 306 tiles of 128×128 pixels, cut into patches of 32×32.

Tiles `tiles/NNN.tif`, int16 [8, 128, 128]: blue, green, red, NIR, SWIR1, SWIR2 (surface reflectance × 10 000),
elevation in metres, ESA WorldCover code; `index.csv` gives each tile's `location_group`. Sources: NASA HLS,
Copernicus DEM, ESA WorldCover (CC BY 4.0). Tiles overlap and repeat, so groups must never be divided by a split.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from discom.data.images import read_image
from discom.data.multimodal import Modality, MultiModalData
from discom.data.sources.source import Source
from discom.errors import DataError

__all__ = ["CLASSES", "HLS", "read_hls"]

CLASSES = {10: "tree", 30: "grass", 40: "crop", 80: "water"}  # WorldCover code → name; the rest is too rare
BANDS = {"rgb": [2, 1, 0], "infrared": [3, 4, 5], "elevation": [6]}
PATCH, MAJORITY = 32, 0.60  # pixels; share of a patch that its class must cover


def read_hls(root: Path | str, modalities: Sequence[str] | None = None) -> MultiModalData:
    """RGB [N, 3, 32, 32], infrared (NIR, SWIR1, SWIR2) and elevation [N, 1, 32, 32] of patches with a clear class.

    Raises:
        DataError: the index or a tile is missing or has another form.
    """
    root = Path(root)
    if not (root / "index.csv").is_file():
        raise DataError(f"{root / 'index.csv'}: missing; give the folder that holds index.csv and tiles/")
    index = pd.read_csv(root / "index.csv", dtype={"tile": str})
    if missing := {"tile", "location_group"} - set(index.columns):
        raise DataError(f"{root / 'index.csv'}: has no column {sorted(missing)[0]}; copy the file again")
    patches, labels, ids, groups = [], [], [], []
    for tile, group in zip(index["tile"].str.zfill(3), index["location_group"], strict=True):
        file = root / "tiles" / f"{tile}.tif"
        pixels = read_image(file)
        if pixels.shape != (8, 128, 128):
            raise DataError(f"{file}: has shape {pixels.shape}, needed (8, 128, 128)")
        for row in range(0, 128, PATCH):
            for column in range(0, 128, PATCH):
                patch = pixels[:, row : row + PATCH, column : column + PATCH]
                shares = [(patch[7] == code).mean() for code in CLASSES]
                if max(shares) >= MAJORITY:
                    patches.append(patch)
                    labels.append(int(np.argmax(shares)))
                    ids.append(f"{tile}-{row:03d}-{column:03d}")
                    groups.append(group)
    if not patches:
        raise DataError(f"{root / 'tiles'}: no patch of {PATCH}×{PATCH} pixels has a majority class of {MAJORITY:.0%}")
    images, labels, ids = np.stack(patches), np.array(labels), np.array(ids)
    units = {"rgb": "reflectance × 10 000", "infrared": "reflectance × 10 000", "elevation": "m"}
    data = MultiModalData(
        {name: Modality(images[:, bands], labels, ids, units[name]) for name, bands in BANDS.items()},
        tuple(CLASSES.values()),
        groups=np.array(groups),
        name="hls",
        about={"source": HLS.page, "licence": HLS.licence, "invalid values": "none known"},
    )
    return data.select(modalities) if modalities else data


HLS = Source(
    name="hls",
    what="land cover of 306 tiles cut into 3 064 patches, four classes, 64 groups of places",
    modalities={"rgb": "3×32×32, reflectance × 10 000", "infrared": "3×32×32, the same", "elevation": "1×32×32, m"},
    size="60 MB",
    licence="NASA HLS (free and open), Copernicus DEM (attribution), ESA WorldCover (CC BY 4.0)",
    page="https://github.com/shahed137003/Water-Segmentation-project (commit 3db152b, MIT)",
    read=read_hls,
    by_hand="Give a folder with index.csv (columns tile, location_group) and tiles/NNN.tif (int16: blue, green, red,"
    " NIR, SWIR1, SWIR2, elevation, WorldCover code)",
)
