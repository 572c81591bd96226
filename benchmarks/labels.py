"""What unlabelled pairs are worth with 200 labels: six claims, numbers of labels, and the figure of
the README, from the runs of results/labels.json.

python benchmarks/labels.py     writes results/labels-worth.png
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from catalogue import RESULTS, runs
from discom import plots, tables
from discom.errors import ConfigError
from discom.files import atomic_file
from discom.plots.look import panels
from discom.running.runs import Result

METHOD, SHUFFLED = "agreed", "nt-xent partners=shuffled contrast=3"
# what the claims compare it with, named before the runs → what a page calls it
CONTROLS = {
    "student": "the labels alone",
    "fixmatch": "FixMatch, one sensor",
    SHUFFLED: "pairs of two scenes",
}
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


def with_labels(number: int) -> list[Result]:
    """The runs with so many labels."""
    share = number / TRAIN
    return [run for run in runs(("labels",)) if np.isclose(run.config["labelled"], share)]


def claims() -> pd.DataFrame:
    """The six claims, rows of `tables.compare`: p is corrected for all six. A ConfigError where one
    cannot be made."""
    table = tables.compare(with_labels(200), [(METHOD, control) for control in CONTROLS])
    if len(table) != len(CONTROLS) * len(SENSORS):
        found = f"{len(table)} of {len(CONTROLS) * len(SENSORS)} claims"
        raise ConfigError(
            "results/labels.json", found, "has a method no run, or two learning rates?"
        )
    return table


def scores(number: int, label: str, sensor: str) -> pd.Series:
    """Seed → test score of a method with so many labels."""
    found = [run for run in with_labels(number) if run.label == label]
    if len({run.seed for run in found}) < len(found):
        twice = f"{label} has two runs of one seed with {number} labels"
        raise ConfigError("results/labels.json", twice, "leave those of one learning rate out")
    return pd.Series({run.seed: run.main[sensor] for run in found}).sort_index()


def curve(sensor: str) -> pd.DataFrame:
    """The student's scores: a row a seed, a column a number of labels."""
    numbers = sorted({round(TRAIN * run.config["labelled"]) for run in runs(("labels",))})
    return pd.DataFrame({number: scores(number, "student", sensor) for number in numbers})


def worth(sensor: str) -> tuple[float, float, float]:
    """How many labels a student needs to score as the method does with 200, and the interval."""
    student = curve(sensor).dropna()
    ours = scores(200, METHOD, sensor)
    seeds = student.index.intersection(ours.index)
    return tables.labels_worth(ours[seeds], dict(student.loc[seeds].items()))


def gain_rows() -> list[list[str]]:
    """The claims as a table of text, head first."""
    rows = [["sensor", "`agreed` against", "seeds", "F1 points [95 %]", "p after Holm"]]
    for row in claims().itertuples():
        gain = f"{row.difference:+.1f} [{row.low:+.1f}, {row.high:+.1f}]"
        p = "< .0001" if row.holm < 1e-4 else f"{row.holm:.4f}".lstrip("0")
        rows.append([SENSORS[row.modality], CONTROLS[row.minus], str(row.n), gain, p])
    return rows


def worth_rows() -> list[list[str]]:
    """The numbers of labels as a table of text, head first."""
    rows = [["sensor", "200 labels and the pairs do what a student does with", "95 % interval"]]
    for sensor, name in SENSORS.items():
        number, low, high = (_text(bound, sensor) for bound in worth(sensor))
        rows.append([name, f"{number} labels", f"{low} to {high}"])
    return rows


def _text(number: float, sensor: str) -> str:
    """A number of labels in tens, or that it lies beyond the curve."""
    ends = curve(sensor).columns
    if np.isinf(number):
        return f"more than {ends.max()}"
    return f"{round(number, -1):.0f}" if number else f"fewer than {ends.min()}"


def figure() -> Figure:
    """Bars for each sensor: labels alone, with its own images, with pairs, and four times the
    labels."""
    drawn, axes = panels(1, 2, 7.8, 3.0, sharex=True, sharey=True)
    for axis, (sensor, name) in zip(axes[0], SENSORS.items(), strict=True):
        bars(axis, sensor)
        axis.set_title(f"deployed: {name} alone", fontsize=11)
    few, many = sorted(worth(sensor)[0] for sensor in SENSORS)
    many = "more" if np.isinf(many) else f"{round(many, -2):.0f}"
    title = (
        f"200 labels and unlabelled pairs do what {round(few, -2):.0f} to {many} labels do alone"
    )
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn


def bars(axis: Axes, sensor: str) -> None:
    """The mean of each of BARS with its 95 % interval, and the best possible score."""
    for place, (number, label, colour) in enumerate(BARS.values()):
        each = scores(number, label, sensor)
        mean, low, _ = tables.paired_difference(each, np.zeros(len(each)))
        axis.barh(place, mean, 0.72, xerr=mean - low, color=colour, error_kw={"ecolor": BLACK})
        axis.text(2, place, f"{mean:.0f}", va="center", fontweight="bold", color="white")
    best = next(run.best[sensor] for run in with_labels(200) if sensor in run.best)
    axis.axvline(best, color=GREY, linestyle=":")
    axis.text(best - 1, -0.62, "best possible", ha="right", color=GREY, fontsize=9)
    axis.set_yticks(range(len(BARS)), list(BARS))
    axis.set(xlim=(0, 100), ylim=(len(BARS) - 0.4, -0.9), xlabel="F1 on new scenes, %")


if __name__ == "__main__":
    plots.style()
    with atomic_file(RESULTS / "labels-worth.png") as part:
        figure().savefig(part, format="png", dpi=150)
