"""What unlabelled pairs are worth with 200 labels, and the README's figure, from the runs of
results/labels.csv.

python benchmarks/labels.py     writes results/labels-worth.png
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from catalogue import RESULTS
from discom import plots, tables
from discom.plots.look import panels
from discom.tables.stored import read_runs

METHOD = "agreed"
SENSORS = {"depth": "depth", "rgb": "RGB"}
TRAIN = 2000  # pairs of the training part
GREY, LIGHT, ORANGE, BLACK = "#4d4d4d", "#b0b0b0", "#d55e00", "#000000"
# row of the figure → number of labels, method, colour
BARS = {
    "200 labels": (200, "student", GREY),
    "200 labels + own images\n(FixMatch)": (200, "fixmatch", LIGHT),
    "200 labels + unlabelled\npairs (agreed labels)": (200, METHOD, ORANGE),
    "800 labels": (800, "student", GREY),
}


def scores(sensor: str) -> pd.DataFrame:
    """Test scores: a row for each seed, a column for each method and number of labels. Two runs of
    one cell, such as of two learning rates, are an error of pandas."""
    runs = [run for run in read_runs(RESULTS / "labels.csv") if sensor in run.main]
    cells = [(r.seed, r.label, round(TRAIN * r.config["labelled"]), r.main[sensor]) for r in runs]
    table = pd.DataFrame(cells, columns=["seed", "method", "labels", "score"])
    return table.pivot(index="seed", columns=["method", "labels"], values="score")


def worth(sensor: str) -> tuple[float, float, float]:
    """How many labels a student needs to score as the method does with 200, and the interval."""
    every = scores(sensor)
    seeds = every[["student", METHOD]].dropna()
    return tables.labels_worth(seeds[METHOD, 200], dict(seeds["student"].sort_index(axis=1)))


def figure() -> Figure:
    """Bars for each sensor: labels alone, with its own images, with pairs, and four times the
    labels."""
    drawn, axes = panels(1, 2, 7.8, 3.0, sharex=True, sharey=True)
    for axis, (sensor, name) in zip(axes[0], SENSORS.items(), strict=True):
        bars(axis, sensor)
        axis.set_title(f"deployed: {name} alone", fontsize=11)
    few, many = (f"{round(worth(sensor)[0], -2):.0f}" for sensor in SENSORS)
    title = f"200 labels and unlabelled pairs do what {few} to {many} labels do alone"
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn


def bars(axis: Axes, sensor: str) -> None:
    """The mean of each of BARS with its 95 % interval, and the best possible score."""
    every = scores(sensor)
    for place, (number, label, colour) in enumerate(BARS.values()):
        each = every[label, number].dropna()
        mean, low, _ = tables.paired_difference(each, np.zeros(len(each)))
        axis.barh(place, mean, 0.72, xerr=mean - low, color=colour, error_kw={"ecolor": BLACK})
        axis.text(2, place, f"{mean:.0f}", va="center", fontweight="bold", color="white")
    best = next(r.best[sensor] for r in read_runs(RESULTS / "labels.csv") if sensor in r.best)
    axis.axvline(best, color=GREY, linestyle=":")
    axis.text(best - 1, -0.62, "best possible", ha="right", color=GREY, fontsize=9)
    axis.set_yticks(range(len(BARS)), list(BARS))
    axis.set(xlim=(0, 100), ylim=(len(BARS) - 0.4, -0.9), xlabel="F1 on new scenes, %")


if __name__ == "__main__":
    plots.style()
    figure().savefig(RESULTS / "labels-worth.png", dpi=150)
