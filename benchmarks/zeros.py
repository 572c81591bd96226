"""A network of all sensors that gets zeros in the place of one: weighted F1 of all folds together.

python benchmarks/zeros.py results/watch.csv --source data/watch   writes results/watch-zeros.csv
"""

import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch

from discom import cli, data, files, tables
from discom.cli import flags
from discom.data.batches import ModalityTensor
from discom.evaluation.scores import scores
from discom.running.runs import load_run


@torch.inference_mode()
def answers(run_dir: Path, split: data.Split) -> dict[str, torch.Tensor]:
    """Logits [N, C] of the test part by sensor that is missing, "" for none. Its raw values are
    zero, as those of a sensor that is not there."""
    model, result = load_run(run_dir, split)
    (network,) = result.scores
    names, test = network.split("+"), split.test
    images = ModalityTensor(test, network, "cpu")
    x = images[torch.arange(len(images))]
    parts = dict(zip(names, x.split([test.channels[name] for name in names], 1), strict=True))
    found = {"": model.predict(network, x)}
    for missing in names:
        zeros = test.normalization[missing](np.zeros((1, *parts[missing].shape[1:])))
        other = {**parts, missing: torch.from_numpy(zeros).expand_as(parts[missing])}
        found[missing] = model.predict(network, torch.cat([*other.values()], 1))
    return found


@flags.command
def zeros(
    table: Path,
    source: Annotated[str, "Name or folder of the set."] = "data/watch",
    runs: flags.Runs = Path("runs"),
) -> None:
    """Read each run of `teacher` in TABLE and write TABLE-zeros.csv: labels, seed, missing, f1."""
    whole = data.load(source)
    said, truth = defaultdict(list), defaultdict(list)
    for result in tables.load_results(table):
        if result.method == "teacher":
            split = whole.split(*result.parts)
            for missing, logits in answers(result.folder(runs), split).items():
                key = result.config["labelled"], result.seed, missing or "none"
                said[key].append(logits)
                truth[key].append(torch.from_numpy(split.test.labels))
    rows = [
        [*key, round(scores(torch.cat(logits), torch.cat(truth[key]))["f1"], 3)]
        for key, logits in said.items()
    ]
    with files.atomic_file(table.with_name(f"{table.stem}-zeros.csv")) as part:
        columns = ["labelled", "seed", "missing", "f1"]
        pd.DataFrame(rows, columns=columns).to_csv(part, index=False)


main = partial(cli.main, command=zeros)

if __name__ == "__main__":
    sys.exit(main())
