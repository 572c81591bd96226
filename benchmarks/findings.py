"""The figure of the README: what each method gains over a student, from runs in results/.

python benchmarks/findings.py     writes results/findings.png
"""

from pathlib import Path

import pandas as pd

from discom import plots, tables
from discom.files import atomic_file

RESULTS = Path(__file__).parents[1] / "results"
ALL = {  # with a label for every pair: what a table calls it → what the figure calls it
    "kdv2": "distillation from a teacher",
    "dkd": "DKD",
    "mlkd": "MLKD",
    "mdico": "MDiCo",
    "discom": "DisCoM-KD",
    "discom-solo": "its branch, one sensor",
}
FEW = {  # with 200 labels
    "kdv2": "200 labels: distillation",
    "simclr depth=0.1": "200 labels: SimCLR, one sensor",
    "nt-xent": "200 labels: NT-Xent on pairs",
}


def findings() -> pd.DataFrame:
    """Rows of `tables.compare`, each method minus the student, named as in the figure."""
    every = tables.load_results(RESULTS / "scenes-table2.json")
    parts = [tables.compare(every, [(name, "student") for name in ALL])]
    for file in ("scenes-labelled-ten", "scenes-labelled"):
        runs = tables.load_results(RESULTS / f"few-labels/{file}.json")
        runs = [run for run in runs if run.config["labelled"] == 0.1]
        have = {run.label for run in runs} & set(FEW)
        parts.append(tables.compare(runs, [(name, "student") for name in FEW if name in have]))
    table = pd.concat(parts, ignore_index=True)
    few = table["data"] != "scenes"
    names = table["method"].map(ALL).where(~few, table["method"].map(FEW))
    table = table.assign(row=names).drop_duplicates(["row", "modality"])  # ten seeds before five
    order = [*ALL.values(), *FEW.values()]
    table = table.sort_values("row", key=lambda row: row.map(order.index), kind="stable")
    return table.assign(holm=tables.holm(table["p"]))


if __name__ == "__main__":
    plots.style()
    figure = plots.forest(findings())
    figure.set_size_inches(7.5, 6.2)
    figure.axes[0].set_xlabel("F1 points above a student of one sensor (dots: seeds)")
    title = "With all labels at most one point;\nwith 200 of 2 000, pairs bring twenty in depth"
    figure.suptitle(title)
    with atomic_file(RESULTS / "findings.png") as part:
        figure.savefig(part, format="png", dpi=150)
