"""Data sets made of a prepared one, for results.sh.

python benchmarks/derive.py twins data/dsads                 writes data/dsads-twins
python benchmarks/derive.py doubled data/hls-rgb-elevation   writes data/hls-rgb-elevation-doubled
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch.nn.functional as F
from torch import from_numpy

from discom import cli
from discom.cli import flags
from discom.data import MultiModalData, load

TWIN = "_twin"  # ends the name of a sensor's copy


def twins(data: MultiModalData) -> MultiModalData:
    """Each sensor and a copy of it."""
    copies = {name + TWIN: sensor for name, sensor in data.modalities.items()}
    return data.with_modalities({**data.modalities, **copies})


def doubled(data: MultiModalData) -> MultiModalData:
    """Images of twice the height and width, bilinear, for pretrained networks. In float64 first, so
    that every processor makes the same ones."""
    large = {}
    for name, sensor in data.modalities.items():
        images = from_numpy(sensor.x[:].astype("float64"))
        images = F.interpolate(images, scale_factor=2, mode="bilinear")
        large[name] = replace(sensor, x=images.numpy().astype("float32"))
    return data.with_modalities(large)


@flags.command
def derive(kind: Literal["twins", "doubled"], folder: Path) -> None:
    """Write FOLDER-KIND."""
    made = {"twins": twins, "doubled": doubled}[kind](load(str(folder)))
    made.save(folder.with_name(f"{folder.name}-{kind}"))


if __name__ == "__main__":
    sys.exit(cli.main(command=derive))
