"""What unlabelled pairs are worth with 200 labels, and the README's figure, from the runs of
results/labels.csv.

python benchmarks/labels.py     writes results/labels-worth.png
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from catalogue import RESULTS, by_seed
from discom import plots, tables
from discom.plots import panels
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
    """Test scores: a row for each seed, a column for each method and number of labels."""
    table = by_seed(read_runs(RESULTS / "labels.csv"))[sensor]
    return table.rename(columns=lambda share: round(TRAIN * share), level="labelled")


def worth(sensor: str) -> tuple[float, float, float]:
    """How many labels a student needs to score as the method does with 200, and the interval."""
    every = scores(sensor).dropna(axis=1)  # what has all seeds
    return labels_worth(every[METHOD, 200], every["student"])


def labels_worth(scores: ArrayLike, curve: Mapping[float, ArrayLike]) -> tuple[float, float, float]:
    """How many labels a baseline needs to score as a method does with few, and a 95 % interval.

    The baseline's scores are interpolated between the measured numbers of labels, for each seed,
    along the logarithm. The interval reaches from the first to the last number at which the paired
    t test finds no difference; the number is where the mean difference first passes zero.

    Args:
        scores: of the method, one for each seed, [n].
        curve: number of labels → the baseline's scores with the same seeds, [n].

    Returns:
        The number and its bounds. Infinity stands for more labels than the curve has, 0 for fewer
        than its first.
    """
    labels = np.array(sorted(curve), float)
    grid = np.linspace(np.log(labels[0]), np.log(labels[-1]), 2001)
    baseline = np.stack([np.asarray(curve[number], float) for number in labels], 1)
    each = [np.interp(grid, np.log(labels), own) for own in baseline]
    each = np.asarray(scores, float)[:, None] - each  # [n, 2001]
    mean, half = each.mean(0), stats.t.ppf(0.975, len(each) - 1) * stats.sem(each)
    # from the other end: after the last number that is not clearly too many
    too_many = np.logical_and.accumulate((mean + half < 0)[::-1])[::-1]

    def first(reached: np.ndarray) -> float:
        if not reached.any():
            return np.inf
        return float(np.exp(grid[reached.argmax()])) if reached.argmax() else 0.0

    return first(mean <= 0), first(mean - half <= 0), first(too_many)


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
