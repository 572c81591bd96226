"""The figure of the README: what each method gains over a student, from runs in results/.

python benchmarks/findings.py     writes results/findings.png
"""

from itertools import combinations

import pandas as pd

from catalogue import RESULTS, runs
from discom import plots, tables
from discom.files import atomic_file

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
    every = runs(("scenes-table2",))
    others = {run.label for run in every} - {"teacher", *tables.BASELINES}
    pairs = [(name, control) for name in others for control in tables.BASELINES]
    pairs += [(name, control) for control, name in combinations(tables.BASELINES, 2)]
    with_all = tables.compare(every, pairs)
    few = runs(("few-labels/scenes-labelled", "few-labels/scenes-labelled-ten"))
    with_few = tables.compare(few, [(name, "student") for name in FEW])
    parts = []
    for table, share, names in ((with_all, 1, ALL), (with_few, 0.1, FEW)):
        shown = table[(table["minus"] == "student") & (table["labelled"] == share)]
        parts += [shown[shown["method"] == name].assign(row=names[name]) for name in names]
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    plots.style()
    shown = findings()
    figure = plots.forest(shown)
    figure.set_size_inches(7.5, 6.2)
    figure.axes[0].set_xlabel("F1 points above a student of one sensor (dots: seeds)")
    most = shown[shown["modality"] == "depth"]["difference"].max()
    first = "With all labels no method gains more than a point;"
    figure.suptitle(f"{first}\nwith 200 of 2 000, pairs bring {most:.0f} in depth")
    with atomic_file(RESULTS / "findings.png") as part:
        figure.savefig(part, format="png", dpi=150)
