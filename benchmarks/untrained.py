"""What needs no training of a network: extra trees on coarse features, and logistic regression on
features of a network pretrained on ImageNet; with the labels and folds of a table's runs.

python benchmarks/untrained.py results/cells.csv --source data/cells
writes results/cells-untrained.csv.
"""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd

from discom import cli, data, files, frozen, tables
from discom.cli import flags
from discom.config import Config
from discom.tables import answers


@flags.command
def untrained(
    table: Path, source: Annotated[str, "Name or folder of the set."] = "data/cells"
) -> None:
    """Read shares of labels, seeds and folds of TABLE and write TABLE-untrained.csv: labelled,
    model, network, seed and f1, weighted and of all folds together."""
    whole, rows = data.load(source), []
    runs = tables.load_results(table)
    for share, folds in sorted({(run.config["labelled"], run.folds) for run in runs}):
        seeds = {run.seed for run in runs if run.config["labelled"] == share}
        models = frozen.rows(whole, Config(labelled=share), len(seeds), folds)
        rows += [
            (share, model, network, seed, round(answers.score([found], whole), 3))
            for model, networks in models.items()
            for network, each in networks.items()
            for seed, found in enumerate(each)
        ]
    columns = ["labelled", "model", "network", "seed", "f1"]
    with files.atomic_file(table.with_name(f"{table.stem}-untrained.csv")) as part:
        pd.DataFrame(rows, columns=columns).to_csv(part, index=False)


if __name__ == "__main__":
    sys.exit(cli.main(command=untrained))
