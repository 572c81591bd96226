"""The README's picture: a pair of images, and what each sensor scores alone on new scenes."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from discom import data, plots
from stored import networks

GREY, LIGHT, ORANGE = "#4d4d4d", "#b0b0b0", "#d55e00"
OWN = ("fixmatch", "simclr", "fixmatch-simclr")
BARS = {
    "alone": ("200 labels", GREY),
    "own": ("+ its own unlabelled images", LIGHT),
    "pairs": ("+ unlabelled pairs: agreed labels", ORANGE),
}


def scores(sensor: str) -> pd.DataFrame:
    """F1 × 100 of ten seeds with 200 labels: labels alone, with the sensor's own unlabelled
    images (of all methods that we ran, the one with the highest mean), and agreed labels."""
    few = networks("labels").query("share == 0.1 and network == @sensor")
    few = few[~few["sensors"].str.contains("_twin")]
    means = few[few["method"].str.split(" ").str[0].isin(OWN)].groupby("method")["score"].mean()
    chosen = {"alone": "student", "own": means.idxmax(), "pairs": "agreed"}
    columns = {name: few.loc[few["method"] == method] for name, method in chosen.items()}
    return pd.DataFrame({name: rows.set_index("seed")["score"] for name, rows in columns.items()})


def draw_bars(axis: Axes, sensor: str) -> None:
    """Three bars with 95 % intervals of the mean, and the best possible score."""
    ten = scores(sensor)
    half = ten.sem() * stats.t.ppf(0.975, len(ten) - 1)
    colours = [colour for _, colour in BARS.values()]
    axis.barh(list(BARS), ten.mean(), 0.78, xerr=half, color=colours)
    for name, (label, colour) in BARS.items():
        ink = "black" if colour == LIGHT else "white"
        axis.text(1.5, name, f"{ten[name].mean():.0f}  {label}", va="center", color=ink)
    best = networks("labels").query("network == @sensor")["best"].iloc[0]
    axis.axvline(best, color=GREY, linestyle=":")
    axis.set(xlim=(0, 100), ylim=(2.6, -0.6), yticks=[])
    axis.spines["left"].set_visible(False)


def front(number: int = 2) -> Figure:
    """The picture, with this scene of seed 0."""
    scenes = data.load("objects", seed=0)
    drawn, axes = plots.panels(2, 2, 8.4, 3.8, width_ratios=[1, 3.6])
    for row, (sensor, name) in zip(axes, {"rgb": "colour", "depth": "depth"}.items(), strict=True):
        image = scenes.modalities[sensor].x[number]
        plots.show(row[0], image, in_colours=sensor == "depth")
        row[0].set_ylabel(name)
        draw_bars(row[1], sensor)
        row[1].set_title(f"deployed: {name} alone", loc="left")
    axes[0, 1].tick_params(labelbottom=False)
    label = "F1 on new scenes, % (ten seeds, 95 % intervals; dotted: the best possible)"
    drawn.supxlabel(label, x=0.98, ha="right", fontsize=11)
    title = "On synthetic scenes unlabelled pairs help each camera that works alone"
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn
