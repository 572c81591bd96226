"""What needs no training of a network: extra trees on coarse features, and logistic regression on
features of a network pretrained on ImageNet; with the labels and folds of a table's runs.

python benchmarks/untrained.py results/cells.csv --source data/cellcycle-brightfield-stain
writes results/cells-untrained.csv.
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import pandas as pd

from discom import cli, data, files, frozen, tables
from discom.cli import flags
from discom.config import Config
from discom.tables import answers


@flags.command
def untrained(
    table: Path, source: Annotated[str, "Folder of the set."] = "data/cellcycle-brightfield-stain"
) -> None:
    """Read shares of labels, seeds and folds of TABLE and write TABLE-untrained.csv: labelled,
    model, network, seed and f1, weighted and of all folds together."""
    whole, rows, seeds = data.load(source), [], defaultdict(set)
    for run in tables.load_results(table):
        share, groups = run.config["labelled"], run.config["labelled_groups"]
        seeds[share, groups, run.folds].add(run.seed)
    for (share, groups, folds), known in sorted(seeds.items()):
        config = Config(labelled=share, labelled_groups=groups)
        models = frozen.rows(whole, config, len(known), folds)
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
