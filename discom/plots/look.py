"""What all figures share."""

import matplotlib.pyplot as plt
import seaborn as sns

__all__ = ["COLOURS", "MARKERS", "style"]

COLOURS = sns.color_palette("colorblind")
MARKERS = "os^Dv*"


def style() -> None:
    """The look of every figure: quiet, and readable in grey."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
    plt.rcParams |= {"figure.dpi": 90, "savefig.dpi": 120, "axes.spines.right": False, "axes.spines.top": False}
