"""What all figures share."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from discom.data.checks import NO_LABEL

__all__ = ["COLOURS", "MARKERS", "NOTHING", "class_colours", "class_legend", "picture", "style"]

COLOURS = sns.color_palette("colorblind")
MARKERS = "os^Dv*"
BRIGHT = np.array(
    [0.299, 0.587, 0.114]
)  # weights of red, green and blue in the grey that a printer makes
NOTHING = 0.85  # grey of a pixel without a label


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
    plt.rcParams |= {
        "figure.dpi": 90,
        "savefig.dpi": 120,
        "axes.spines.right": False,
        "axes.spines.top": False,
    }


def class_colours(count: int) -> np.ndarray:
    """A colour for each id in a mask, [256, 3]: neighbours differ in hue, and any four in a row by
    brightness alone, so that they can be told apart in grey; what is no class is light grey."""
    k = np.arange(count)
    pure = hsv_to_rgb(np.stack([k * 0.618 % 1, np.full(count, 0.8), np.ones(count)], 1))
    now, wanted = (pure @ BRIGHT)[:, None], np.take((0.7, 0.33, 0.52, 0.16), k % 4)[:, None]
    darker, lighter = pure * wanted / now, 1 - (1 - pure) * (1 - wanted) / (1 - now)
    return np.vstack(
        [np.where(wanted < now, darker, lighter), np.full((NO_LABEL + 1 - count, 3), NOTHING)]
    )


def picture(image: np.ndarray) -> np.ndarray:
    """[C, H, W] in [0, 1] → what imshow takes: the first three bands as colour, or the first as
    grey."""
    if len(image) == 13:  # Sentinel-2: red, green and blue are its fourth, third and second
        image = image[[3, 2, 1]]
    return image[:3].transpose(1, 2, 0) if len(image) >= 3 else image[0]


def class_legend(
    figure: Figure, ids: np.ndarray, classes: Sequence[str], also: Mapping[str, Any] = {}
) -> None:
    """Below the figure, the colours of the classes that occur in a mask.

    Args:
        figure: with constrained layout.
        ids: what occurs; what is no class is passed over.
        classes: names.
        also: further entries, name → colour.
    """
    palette = class_colours(len(classes))
    shown = {classes[k]: palette[k] for k in ids if k < len(classes)} | dict(also)
    handles = [Patch(color=colour, label=name) for name, colour in shown.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(8, len(handles)), fontsize=8, frameon=False,
                  borderpad=0)  # fmt: skip
