"""What all figures share."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import hsv_to_rgb

from discom.data.checks import NO_LABEL

__all__ = ["COLOURS", "MARKERS", "NOTHING", "class_colours", "style"]

COLOURS = sns.color_palette("colorblind")
MARKERS = "os^Dv*"
NOTHING = 0.85  # grey of a pixel without a label


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
    plt.rcParams |= {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False, "axes.spines.top": False}


def class_colours(count: int) -> np.ndarray:
    """A colour for each id in a mask, [256, 3]: neighbours differ in hue, strength and brightness, lest hue alone tells
    them apart, and what is no class is light grey."""
    k = np.arange(count)
    hues = np.stack([k * 0.618 % 1, 0.5 + 0.35 * (k % 2), 0.95 - 0.3 * (k // 2 % 2)], 1)
    return np.vstack([hsv_to_rgb(hues), np.full((NO_LABEL + 1 - count, 3), NOTHING)])
