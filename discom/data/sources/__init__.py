"""Public data sets, one file each: a Source, found by name."""

from discom.data.sources.cellcycle import CELLCYCLE
from discom.data.sources.eurosat import EUROSAT
from discom.data.sources.hls import HLS, HLS_DENSE
from discom.data.sources.midair import MIDAIR
from discom.data.sources.nyuv2 import NYUV2
from discom.data.sources.potsdam import POTSDAM
from discom.data.sources.source import Source
from discom.data.sources.sunrgbd import SUNRGBD
from discom.data.sources.tristar import TRISTAR

__all__ = ["SOURCES", "Source"]

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (EUROSAT, SUNRGBD, TRISTAR, NYUV2, POTSDAM, MIDAIR, HLS, HLS_DENSE, CELLCYCLE)
}
