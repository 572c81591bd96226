"""Which scenes of `objects` each network of a table gets right: ordinary, dark, far, or both.

python benchmarks/kinds.py results/all-labels.csv     writes all-labels-kinds.csv and its .png
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom import cli, data, files, plots, tables
from discom.cli import flags
from discom.plots import panels
from discom.running.runs import Result, read_predictions

KINDS = {(0, 0): "ordinary", (1, 0): "dark", (0, 1): "far", (1, 1): "dark and far"}
SENSORS = {"rgb": "RGB", "depth": "depth"}
# method of a bar → its name and colour
BARS = {
    "student": ("student", "#4d4d4d"),
    "discom-solo": ("DisCoM-KD's branch alone", "#b0b0b0"),
    "discom": ("DisCoM-KD", "#d55e00"),
    "kdv2": ("student of a teacher of both", "#0173b2"),
    "teacher": ("teacher: reads both sensors", "#029e73"),
}


def accuracies(result: Result, runs: Path) -> pd.DataFrame:
    """A row for each network and kind of scene of a run: test scenes, and accuracy in %."""
    whole = data.load(result.data, seed=result.drawn)
    hidden = zip(whole.factors["dark"], whole.factors["far"], strict=True)
    ids = next(iter(whole.modalities.values())).ids
    kinds = pd.Series([KINDS[dark, far] for dark, far in hidden], index=ids)
    answers, rows = read_predictions(result.folder(runs) / "predictions.npz"), []
    for network in result.scores:
        labels = answers[f"{network}_labels"]
        right = pd.Series(answers[f"{network}_logits"].argmax(1) == labels)
        for kind, part in right.groupby(kinds[answers[f"{network}_ids"]].to_numpy()):
            row = {"method": result.display_name, "seed": result.seed}
            row |= {"network": network, "kind": kind, "scenes": len(part)}
            rows.append(row | {"accuracy": round(100 * part.mean(), 3)})
    return pd.DataFrame(rows)


def figure(table: pd.DataFrame) -> Figure:
    """Bars for each deployed sensor and kind of scene: the mean over seeds of BARS."""
    drawn, axes = panels(1, 2, 9.5, 3.7, sharey=True)
    means = table.groupby(["network", "method", "kind"])["accuracy"].mean()
    for axis, (sensor, title) in zip(axes[0], SENSORS.items(), strict=True):
        for place, (method, (name, colour)) in enumerate(BARS.items()):
            network = "rgb+depth" if method == "teacher" else sensor
            heights = means[network, method][[*KINDS.values()]]
            shift = 0.16 * (place - (len(BARS) - 1) / 2)
            axis.bar(np.arange(len(KINDS)) + shift, heights, 0.15, color=colour, label=name)
        axis.axhline(100 / 3, color="#4d4d4d", linestyle=":")
        axis.set(title=f"deployed: {title} alone", ylim=(0, 104), yticks=range(0, 101, 25))
        axis.set_xticks(range(len(KINDS)), [*KINDS.values()])
    axes[0, 0].set_ylabel("new scenes right, %")
    axes[0, 1].text(
        3.5, 35, "one guess in three", ha="right", va="bottom", fontsize=9, color="#4d4d4d"
    )
    drawn.suptitle("The teacher's lead lies mostly where the deployed sensor shows no material")
    drawn.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return drawn


@flags.command
def kinds(table: Path, runs: flags.Runs = Path("runs")) -> None:
    """Add the runs of TABLE, a .csv of results/, that TABLE-kinds.csv lacks; print the means."""
    file = table.with_name(f"{table.stem}-kinds.csv")
    rows = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["method", "seed"])
    known = {*zip(rows["method"], rows["seed"], strict=True)}
    absent = [r for r in tables.load_results(table) if (r.display_name, r.seed) not in known]
    rows = pd.concat([rows, *(accuracies(result, runs) for result in absent)], ignore_index=True)
    means = rows.pivot_table("accuracy", ["network", "method"], "kind", sort=False)
    print(means.round(1).to_string())
    with files.atomic_file(file) as temporary:
        rows.to_csv(temporary, index=False)
    plots.style()
    figure(rows).savefig(file.with_suffix(".png"), dpi=150)


if __name__ == "__main__":
    sys.exit(cli.main(command=kinds))
