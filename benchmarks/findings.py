"""The figure of the README: what each method gains over a student, from runs in results/.

python benchmarks/findings.py     writes results/findings.png
"""

from itertools import product
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
    """Rows of `tables.compare`, each method minus the student, named as in the figure. Holm's p
    counts 90 comparisons with all labels (of 17 methods and controls) and 30 with fewer."""
    every = tables.load_results(RESULTS / "scenes-table2.json")
    methods = dict.fromkeys(run.label for run in every if run.method != "teacher")
    pairs: list[tuple[str, str]] = []
    for control, name in product(tables.BASELINES, methods):
        if name != control and (control, name) not in pairs:  # each pair of controls once
            pairs.append((name, control))
    with_all = tables.compare(every, pairs).assign(row=lambda table: table["method"].map(ALL))
    runs = {}
    for file in ("scenes-labelled", "scenes-labelled-ten"):
        for run in tables.load_results(RESULTS / f"few-labels/{file}.json"):
            runs[run.hash] = run
    with_few = tables.compare(runs.values(), [(name, "student") for name in FEW])
    with_few = with_few[tables.labelled(with_few) == 0.1]
    with_few = with_few.assign(row=with_few["method"].map(FEW))
    table = pd.concat([with_all, with_few]).query("minus == 'student'").dropna(subset="row")
    order = [*ALL.values(), *FEW.values()]
    return table.sort_values("row", key=lambda row: row.map(order.index), kind="stable")


if __name__ == "__main__":
    plots.style()
    figure = plots.forest(findings())
    figure.set_size_inches(7.5, 6.2)
    figure.axes[0].set_xlabel("F1 points above a student of one sensor (dots: seeds)")
    first = "With all labels no method gains more than a point;"
    figure.suptitle(f"{first}\nwith 200 of 2 000, pairs bring twenty in depth")
    with atomic_file(RESULTS / "findings.png") as part:
        figure.savefig(part, format="png", dpi=150)
