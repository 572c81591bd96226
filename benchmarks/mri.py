"""MRI of brain tumours: can a sequence be spared? Dice of the tumour, mean and differences over
patients, pooled over folds.

python benchmarks/mri.py     prints them and draws mri.png from mri.csv and mri-contrast.csv of
results/
"""

import sys
from collections import defaultdict
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from catalogue import RESULTS, with_tests
from discom import cli, plots
from discom.cli import flags
from discom.plots import panels
from discom.running.runs import Result
from discom.tables.intervals import group_dice, t_test, tally
from discom.tables.stored import read_runs

TUMOUR = 1  # number of the class


class Claim(NamedTuple):
    """A method's network minus another's, of the same masks."""

    masks: str  # see `masks_of`
    ours: str
    network: str
    theirs: str = "single"
    other: str = ""  # network of the other method; the same


CLAIMS = {
    "mri": [
        Claim("all", "dense-teacher", "t1+flair", other="t1"),
        Claim("all", "dense-kdv2", "t1"),
        Claim("all", "crodino", "t1"),
        Claim("10 %", "dense-kdv2", "t1"),
        Claim("10 %", "crodino", "t1"),
        Claim("10 %", "dense-kdv2", "flair"),
    ]
}
NAMES = {  # of rows in the figure
    "single": "masks alone",
    "dense-self": "and a teacher of this sequence",
    "dense-kdv2": "and a teacher of both sequences",
    "crodino": "and our CroDiNo-KD",
    "dense-teacher": "both sequences at inference",
}


def masks_of(run: Result) -> str:
    """Whose masks a run had: of all patients in its training part, or of a tenth."""
    return "10 %" if run.config["labelled_groups"] else "all"


def dice(table: str) -> pd.DataFrame:
    """Dice of the tumour in percent: a row for each patient, a column for each kind of masks,
    method and network; methods of which a fold is missing are left out."""
    folds = defaultdict(list)
    for run in read_runs(RESULTS / f"{table}.csv"):
        folds[masks_of(run), run.display_name].append(run)
    columns = {
        (*key, network): group_dice(cells, TUMOUR)
        for key, runs in folds.items()
        if len(runs) == runs[0].folds
        for network, cells in tally(runs).items()
    }
    return pd.DataFrame(columns)


def claims(name: str) -> pd.DataFrame:
    """The claims of a table with 95 % t intervals, paired over patients."""
    patients, rows, tests = dice(name), [], []
    for claim in CLAIMS[name]:
        other = claim.other or claim.network
        theirs = patients[claim.masks, claim.theirs, other]
        each = (patients[claim.masks, claim.ours, claim.network] - theirs).dropna()
        tests.append(t_test(each.to_numpy()))
        names = f"`{claim.ours}`, {claim.network}", f"`{claim.theirs}`, {other}"
        rows.append([*names, claim.masks, len(each)])
    table = pd.DataFrame(rows, columns=["method", "compared with", "masks", "patients"])
    return with_tests(table, tests, "Dice")


def scores(table: str) -> pd.DataFrame:
    """Mean Dice over patients with its 95 % t interval: a row for each column of `dice`."""
    rows = {key: t_test(each.dropna().to_numpy())[:3] for key, each in dice(table).items()}
    index = pd.MultiIndex.from_tuples(rows, names=["masks", "method", "network"])
    return pd.DataFrame(rows.values(), index, ["dice", "low", "high"])


def figure(table: pd.DataFrame) -> Figure:
    """A panel for all masks and for a tenth, a row for each network, its mean and interval."""
    drawn, axes = panels(1, 2, 10, 4, sharex=True, sharey=True)
    order = [method for method in NAMES if method in table.index.get_level_values("method")]
    places = {(method, network) for _, method, network in table.index}
    lines = [(m, n) for n in ("t1", "flair", "t1+flair") for m in order if (m, n) in places][::-1]
    for axis, masks in zip(axes[0], ("10 %", "all"), strict=True):
        for place, (method, network) in enumerate(lines):
            if (masks, method, network) in table.index:
                mean, low, high = table.loc[masks, method, network]
                taught = method in ("dense-kdv2", "crodino") and "+" not in network
                colour = "#d55e00" if taught else "#4d4d4d"
                axis.plot([low, high], [place, place], color=colour)
                axis.scatter(mean, place, color=colour)
        patients = "all patients" if masks == "all" else "a tenth of the patients"
        axis.set_title(f"masks of {patients}")
        axis.set_yticks(range(len(lines)), [f"{n.upper()}: {NAMES[m]}" for m, n in lines])
    drawn.supxlabel("Dice of the tumour, mean of 100 patients")
    return drawn


@flags.command
def mri() -> None:
    """Print the mean Dice of every network and the claims, and draw mri.png."""
    plots.style()
    for table in ("mri", "mri-contrast"):
        if (RESULTS / f"{table}.csv").exists():
            print(scores(table).round(1).to_string(), end="\n\n")
    figure(scores("mri")).savefig(RESULTS / "mri.png")


if __name__ == "__main__":
    sys.exit(cli.main(command=mri))
