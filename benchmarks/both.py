"""Two sensors at inference: one network of both, also with zeros in the place of one sensor, and
the product of what two networks believe; weighted F1 of all folds together.

python benchmarks/both.py results/watch.csv --source data/watch   writes results/watch-both.csv
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch

import real
from discom import cli, data, files, tables
from discom.cli import flags
from discom.data.batches import ModalityTensor
from discom.errors import RunError
from discom.evaluation.scores import scores
from discom.running.runs import load_run, read_predictions


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


def product(stored: Mapping[str, np.ndarray], names: Sequence[str]) -> torch.Tensor:
    """Log of the product of the networks' beliefs, [N, C]; a RunError where they tested other
    samples."""
    if any((stored[f"{name}_ids"] != stored[f"{names[0]}_ids"]).any() for name in names):
        raise RunError("product", f"{' and '.join(names)} tested other samples", "use pairs alone")
    beliefs = [torch.from_numpy(stored[f"{name}_logits"]).log_softmax(1) for name in names]
    return torch.stack(beliefs).sum(0)


@flags.command
def both(
    table: Path,
    source: Annotated[str, "Name or folder of the set."] = "data/watch",
    runs: flags.Runs = Path("runs"),
) -> None:
    """Read the runs of TABLE whose methods are those of `real.TOGETHER`, and write TABLE-both.csv:
    method, the two sensors, share of the labels, seed, the sensor that is missing, and f1."""
    whole = data.load(source)
    said, truth = defaultdict(list), defaultdict(list)
    for result in tables.complete(tables.load_results(table)):
        if not (method := real.method_of(result.display_name)):
            continue
        folder, names = result.folder(runs), [*result.scores]
        stored = read_predictions(folder / "predictions.npz")
        if method == "teacher":
            split = whole.select(names[0].split("+")).split(*result.parts)
            found = {(names[0], lost): own for lost, own in answers(folder, split).items()}
        else:
            found = {("+".join(two), ""): product(stored, two) for two in combinations(names, 2)}
        for (sensors, lost), logits in found.items():
            key = method, sensors, result.config["labelled"], result.seed, lost or "none"
            said[key].append(logits)
            truth[key].append(torch.from_numpy(stored[f"{names[0]}_labels"]))
    rows = [
        [*key, round(scores(torch.cat(logits), torch.cat(truth[key]))["f1"], 3)]
        for key, logits in said.items()
    ]
    with files.atomic_file(table.with_name(f"{table.stem}-both.csv")) as part:
        columns = ["method", "sensors", "labelled", "seed", "missing", "f1"]
        pd.DataFrame(rows, columns=columns).to_csv(part, index=False)


if __name__ == "__main__":
    sys.exit(cli.main(command=both))
