"""What runs say: paired differences with 95 % intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom.errors import RunError
from discom.plots.look import panels
from discom.tables.statistics import METRICS, metric_of


def intervals(table: pd.DataFrame, baselines: Sequence[str]) -> Figure:
    """Differences of every method to each baseline with 95 % intervals: a panel for each data set,
    setting and modality that has some. A RunError where no method shares a seed with a baseline."""
    compared = table[table[[f"vs {name}" for name in baselines]].notna().any(axis=1)]
    if compared.empty:
        found = "no method shares a seed with a baseline"
        raise RunError("intervals", found, "train the baselines")
    shown = [name for name in baselines if compared[f"vs {name}"].notna().any()]
    methods = compared["method"].unique()
    places = list(compared)[: list(compared).index("method")]  # the data, and settings
    keys = [*(n for n in places if compared[n].nunique(dropna=False) > 1), "modality"]
    parts = list(compared.groupby(keys, sort=False, dropna=False))
    width = 1 + 0.08 * max(map(len, methods)) + 3 * len(parts)
    figure, axes = panels(1, len(parts), width, 1.5 + 0.42 * len(methods), sharey=True)
    for axis, (where, part) in zip(axes[0], parts, strict=True):
        rows = part.set_index("method").reindex(methods)
        for number, baseline in enumerate(shown):
            low, middle, high = (rows[f"vs {baseline}{end}"] for end in (" low", "", " high"))
            heights = np.arange(len(methods)) + 0.24 * (number - (len(shown) - 1) / 2)
            look = {"fmt": "os^D"[number % 4], "capsize": 2, "label": f"− {baseline}"}
            axis.errorbar(middle, heights, xerr=(middle - low, high - middle), **look)
        axis.axvline(0, color="black", linewidth=0.8, linestyle=":")
        named = zip(keys, where, strict=True)
        texts = [v if k in ("data", "modality") else f"{k}={v}" for k, v in named]
        axis.set_title(f"{', '.join(texts)} (n = {part['n'].max()})", fontsize=10)
        axis.set_yticks(range(len(methods)), methods)
        axis.set_xlabel(f"difference in {METRICS[metric_of(table)]} points")
        axis.grid(axis="y", linewidth=0.4)
    axes[0, 0].invert_yaxis()
    names = axes[0, 0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=4, frameon=False)
    return figure
