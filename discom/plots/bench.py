"""Where the time of a training step goes."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from discom.bench import PHASES
from discom.plots.look import COLOURS, MARKERS

__all__ = ["cost_curves", "step_bars"]

ROUND = (
    (1, 2, 5),
    (1, 1.5, 2, 3, 5, 7),
    tuple(np.arange(1, 10, 0.5)),
)  # first digits of ticks, the sparse ones first
HATCHES = ("", "//", "", "..")  # readable in grey


def step_bars(comparisons: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Milliseconds of a step by phase, the recipe's bar beside ours, a panel for each workload of
    `bench`; above ours how many times as many pairs per second it trains on, with the interval."""
    figure, axes = plt.subplots(1, len(comparisons), squeeze=False, layout="constrained",
                                figsize=(3.3 * len(comparisons) + 1.4, 3.4))  # fmt: skip
    for axis, (name, found) in zip(axes[0], comparisons.items(), strict=True):
        floor = [0.0, 0.0]
        for number, phase in enumerate(PHASES):
            heights = [found[phase]["reference"], found[phase]["ours"]]
            axis.bar(["recipe", "ours"], heights, 0.6, bottom=floor, label=phase, color=COLOURS[number],
                     hatch=HATCHES[number], edgecolor="white", linewidth=0.5)  # fmt: skip
            floor = [low + height for low, height in zip(floor, heights, strict=True)]
        rate = found["pairs_per_second"]
        low, high = rate["interval"]
        axis.text(
            1,
            floor[1],
            f"× {rate['ratio']:.2f}\n[{low:.2f}, {high:.2f}]",
            ha="center",
            va="bottom",
            fontsize=10,
        )
        axis.set_title(name, fontsize=12)
        axis.set_ylim(0, max(1.08 * floor[0], 1.25 * floor[1]))
    axes[0][0].set_ylabel("ms per step")
    handles, labels = axes[0][-1].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], frameon=False, loc="outside right upper"
    )  # in the order of the stack
    return figure


def cost_curves(dials: Mapping[str, Mapping[str, Any]]) -> Figure:
    """What `bench.grow` measured, a panel for each dial with logarithmic axes: medians as a line,
    every round as a dot, and in the title the power with which the cost grows."""
    figure, axes = plt.subplots(1, len(dials), squeeze=False, layout="constrained",
                                figsize=(3.0 * len(dials), 3.2))  # fmt: skip
    for number, (axis, (dial, found)) in enumerate(zip(axes[0], dials.items(), strict=True)):
        for measured in found["rounds"]:
            axis.plot(found["values"], measured, ".", color="0.6", markersize=5)
        axis.plot(found["values"], found["measured"], MARKERS[number] + "-", color=COLOURS[number])
        axis.set(xscale="log", yscale="log", xlabel=dial, ylabel=found["unit"])
        axis.set_title(f"∝ {dial}$^{{{found['slope']:.2f}}}$", fontsize=11)
        axis.set_xticks(found["values"], [str(value) for value in found["values"]])
        ticks = _ticks(*axis.get_ylim())
        axis.set_yticks(ticks, [f"{value:g}" for value in ticks])
        axis.minorticks_off()
    return figure


def _ticks(low: float, high: float) -> list[float]:
    """Three round numbers or more between `low` and `high`."""
    for digits in ROUND:
        found = [
            digit * 10.0**power
            for power in range(-4, 7)
            for digit in digits
            if low <= digit * 10.0**power <= high
        ]
        if len(found) >= 3:
            break
    return found
