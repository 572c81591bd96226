"""What notebook 02 shows: clouds under a reversed gradient, five losses, and which fact
stands in which part."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import pandas as pd

from course import CLOUDS, RIGHT, SMALL
from course_data import SENSORS
from pictures import GREY, apart

# one colour for each loss, those of the parts where a part has one
LOSSES = {"cl": "#1a202c", "aux": "#2b6cb0", "mod": "#276749", "adv": "#d55e00"}
LOSSES |= {"orth": "#8c3fb0"}
NAMES = {"cl": "$L_{cl}$", "aux": "$L_{aux}$", "mod": "$L_{mod}$", "adv": "$L_{adv}$"}
NAMES |= {"orth": r"$L_\perp$"}
BELONGS = ("inv", "inv", "inf", "irr")  # the four facts of a sensor, in their order


def plot_clouds(move: Callable, *strengths: float, title: str = ""):
    """Two clouds of points, and arrows from where they started; `move` makes of a
    strength λ the start, the end [sensor, point, xy], and the adversary's loss."""
    size = (3.1 * len(strengths), 3.4)
    figure, axes = plt.subplots(
        1, len(strengths), figsize=size, layout="constrained", squeeze=False
    )
    figure.suptitle(title)
    for axis, strength in zip(axes[0], strengths, strict=True):
        start, end, loss = move(strength)
        for old, new, sensor in zip(start, end, SENSORS, strict=True):
            look = {"color": CLOUDS[sensor], "alpha": 0.4, "angles": "xy"}
            axis.quiver(*old.T, *(new - old).T, scale_units="xy", scale=1, **look)
            axis.scatter(*new.T, s=14, color=CLOUDS[sensor], label=SENSORS[sensor])
        axis.set(xlim=(-4, 4), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        axis.spines[:].set(visible=True, color="0.85")
        how = "plain gradient" if strength == -1 else f"reversed, λ = {strength:g}"
        axis.set_title(f"{how}\nthe adversary's loss is {loss:.2f}", **SMALL)
    axes[0, 0].legend(frameon=False, loc="lower left")
    return figure


def slider(move: Callable) -> None:
    """The clouds under a slider for λ, where a kernel runs."""

    def draw_one(strength: float) -> None:
        plot_clouds(move, strength)

    bar = ipywidgets.FloatSlider(1, min=-1, max=4, step=0.1, description="λ")
    ipywidgets.interact(draw_one, strength=bar)


def plot_losses(history: Sequence[Mapping], start: Mapping, title: str):
    """Loss curves, each divided by its value at the start, means of nine steps."""
    shares = pd.DataFrame(history).rolling(9, min_periods=1).mean() / pd.Series(start)
    figure, axis = plt.subplots(figsize=(9.2, 3.8), layout="constrained")
    ends = shares.iloc[-1].sort_values()
    heights = dict(zip(ends.index, apart(ends, 0.11), strict=True))
    for name, curve in shares.items():
        look = {"color": LOSSES[name], "lw": 2.2}
        axis.plot(curve, **look)
        text = {"color": LOSSES[name], "va": "center", "fontsize": 13}
        axis.text(1.01 * len(curve), heights[name], NAMES[name], **text)
    axis.axhline(1, color="0.6", lw=1, ls=":")
    axis.text(len(shares), 1.02, "a guess", ha="right", color=GREY, fontsize=10)
    axis.set(
        xlabel="training step",
        ylabel="loss; a guess = 1 (orth: first step)",
        title=title,
    )
    axis.set_ylim(-0.05)
    return figure


def plot_facts(before: pd.DataFrame, after: pd.DataFrame, title: str):
    """R² in %, untrained and trained: a row for each part, a column for each sensor and
    fact. The part that a fact belongs into is green."""
    figure = plt.figure(figsize=(9.2, 5.2), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(len(SENSORS), len(BELONGS), sharey=True)
    for line, sensor in zip(axes, SENSORS, strict=True):
        for axis, fact, own in zip(line, after[sensor], BELONGS, strict=True):
            values, untrained = after[sensor, fact], before[sensor, fact]
            colours = [RIGHT if part == own else "0.75" for part in values.index]
            axis.bar(values.index, values, 0.72, color=colours)
            look = {"color": "black", "marker": "_", "ls": "", "ms": 26, "mew": 2.2}
            axis.plot(values.index, untrained, **look)
            for place, part in enumerate(values.index):
                height = max(values[part], untrained[part]) + 4
                axis.text(place, height, f"{values[part]:.0f}", ha="center")
            axis.set_title(fact, **SMALL)
            axis.set(ylim=(0, 100), yticks=(0, 50, 100))
        line[0].set_ylabel(f"{SENSORS[sensor]}: R², %")
    note = "Green: the part that the fact belongs into.   Black line: before training."
    figure.supxlabel(note, fontsize=10.5)
    return figure


def means(table: pd.DataFrame) -> tuple[float, float]:
    """Of such a table, the mean R² in the parts that the facts belong into, and in the
    other parts."""
    own, others = [], []
    columns = zip(table, BELONGS * len(SENSORS), strict=True)
    for column, part in columns:
        own.append(table.loc[part, column])
        others.extend(table[column].drop(part))
    return sum(own) / len(own), sum(others) / len(others)
