"""Public data sets, one file each: a function from the raw folder to MultiModalData, found by name."""

from collections.abc import Callable
from pathlib import Path

from discom.data.multimodal import MultiModalData
from discom.data.sources.eurosat import read_eurosat
from discom.data.sources.hls import read_hls

__all__ = ["SOURCES"]

SOURCES: dict[str, Callable[[Path], MultiModalData]] = {"eurosat": read_eurosat, "hls": read_hls}
