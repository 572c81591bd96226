"""How sure a network is, and how often it is right."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from discom.evaluation import calibration_error
from discom.plots.look import COLOURS

__all__ = ["reliability_diagram"]


def reliability_diagram(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Accuracy against confidence, with the Wilson 95 % interval of each bin, above the number of
    samples in each; a panel for each network, its calibration error in the title.

    Args:
        tables: network → what `calibration.reliability` gave. A point below the diagonal: surer
            than right.
    """
    figure, axes = plt.subplots(2, len(tables), squeeze=False, sharex=True, sharey="row", layout="constrained",
                                figsize=(3.5 * len(tables) + 0.5, 4.2), height_ratios=(3, 1.2))  # fmt: skip
    for (upper, lower), (name, table) in zip(axes.T, tables.items(), strict=True):
        held = table[table["count"] > 0]
        ends = [binomtest(round(row.accuracy * row.count), int(row.count)).proportion_ci(method="wilson")
                for row in held[["accuracy", "count"]].itertuples(index=False)]  # fmt: skip
        error = [
            held["accuracy"] - [e.low for e in ends],
            [e.high for e in ends] - held["accuracy"],
        ]
        upper.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
        upper.errorbar(held["confidence"], held["accuracy"], yerr=[e.clip(lower=0) for e in error], fmt="o-", ms=5,
                       capsize=2, linewidth=1, color=COLOURS[0])  # fmt: skip
        upper.set(
            title=f"{name}: ECE {calibration_error(table):.3f}", xlim=(0, 1), ylim=(-0.02, 1.02)
        )
        width = table["high"] - table["low"]
        bars = lower.bar(
            table["low"],
            table["count"],
            width,
            align="edge",
            color="0.75",
            edgecolor="black",
            lw=0.5,
        )
        lower.bar_label(bars, labels=[str(n) if n else "" for n in table["count"]], fontsize=7)
        lower.margins(y=0.25)
        lower.set(xlabel="confidence (largest probability)")
    axes[0, 0].set_ylabel("accuracy")
    axes[1, 0].set_ylabel("samples")
    return figure
