"""Draw the figure of the README, from the rows in results/."""

import sys
from io import BytesIO

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image
from scipy import stats

from discom import cli, plots
from discom.cli import flags
from discom.plots import panels
from stored import RESULTS, networks

GREY, LIGHT, ORANGE = "#4d4d4d", "#b0b0b0", "#d55e00"
SENSORS = {"depth": "depth", "rgb": "RGB"}


def worth_of_pairs() -> Figure:
    """Bars for each sensor: labels alone, with its own images, with pairs, and twice the labels
    with its own images; mean and 95 % interval over seeds, dotted the best possible score."""
    bars = {
        ("student", 0.1): ("200 labels", GREY),
        ("fixmatch", 0.1): ("200 labels + own unlabelled\nimages (FixMatch)", LIGHT),
        ("agreed", 0.1): ("200 labels + unlabelled\npairs (agreed labels)", ORANGE),
        ("fixmatch", 0.2): ("400 labels + own unlabelled\nimages (FixMatch)", LIGHT),
    }
    every = pd.concat([networks("labels"), networks("labels-more")])
    every = every.set_index(["method", "share"]).loc[[*bars]]
    every["bar"] = every.index.map(lambda key: bars[key][0])
    drawn, axes = panels(1, 2, 7.8, 3.0, sharex=True, sharey=True)
    look = {"palette": dict(bars.values()), "saturation": 1, "width": 0.72}
    spread = float(stats.t.ppf(0.975, every["seed"].nunique() - 1))
    look |= {"errorbar": ("se", spread), "err_kws": {"color": "black"}}
    for axis, (sensor, shown) in zip(axes[0], SENSORS.items(), strict=True):
        own = every[every["network"] == sensor]
        sns.barplot(own, x="score", y="bar", hue="bar", ax=axis, **look)
        for name, score in own.groupby("bar")["score"].mean().items():
            colour = "black" if look["palette"][name] == LIGHT else "white"
            axis.text(2, name, f"{score:.0f}", va="center", fontweight="bold", color=colour)
        best = own["best"].iloc[0]
        axis.axvline(best, color=GREY, linestyle=":")
        axis.text(best - 1, -0.62, "best possible", ha="right", color=GREY, fontsize=9)
        axis.set(xlim=(0, 100), ylim=(3.6, -0.9), xlabel="F1 on new scenes, %", ylabel="")
        axis.set_title(f"deployed: {shown} alone", fontsize=11)
    title = "200 labels and pairs score above 400 labels without the other sensor"
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn


@flags.command
def figures() -> None:
    """Draw results/labels-worth.png, which the README shows, from the rows in results/."""
    plots.style()
    drawn = BytesIO()
    worth_of_pairs().savefig(drawn, dpi=150)
    picture = Image.open(drawn).convert("RGB").quantize()  # a third of the room
    picture.save(RESULTS / "labels-worth.png", optimize=True)


if __name__ == "__main__":
    sys.exit(cli.main(command=figures))
