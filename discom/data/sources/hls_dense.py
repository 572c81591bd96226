"""The tiles of `hls` cut into crops of 64×64 pixels, with the class of every pixel."""

from discom.data.sources.hls import BAND, HLS, RELIEF
from discom.data.sources.source import Sensor


class HLSDense(HLS):
    """RGB, relief as in `hls`, and masks of the crops with labels on half of the pixels; infrared
    on request."""

    name = "hls-dense"
    what = "the tiles of hls cut into 1 186 crops, four classes per pixel, 62 groups of places"
    sensors = {
        "rgb": Sensor("3×64×64", BAND),
        "elevation": Sensor("1×64×64", RELIEF),
        "infrared": Sensor("3×64×64", BAND),
    }
    on_request = ("infrared",)
    side, share, dense = 64, 0.5, True  # pixels of a crop's side; at least with a class
