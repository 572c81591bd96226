"""Why a contrast helps: what an encoder's features tell of known factors, while it trains.

Trains methods on scenes with a part of the labels, and after some epochs reads every factor from
the features of the test scenes by a fresh linear probe.

python benchmarks/along.py student nt-xent --labelled 0.2 --out build/along
"""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import seaborn as sns
import torch

import grid
from discom import cli, files, inspection, plots
from discom.cli import flags
from discom.data import Split
from discom.data.batches import ModalityTensor
from discom.evaluation import probing
from discom.evaluation.scores import predict_logits
from discom.plots.look import method_look

AFTER = (0, 1, 2, 5, 10, 20, 40)  # epochs, and the last
# the two halves of the class, place and size; symmetric shapes have no single turn to read
FACTORS = ("shape", "material", "centre_x", "scale")


def features(model: Any, modality: str, x: torch.Tensor) -> torch.Tensor:
    """What is contrasted or classified: z_inv, or what a student's linear layer reads."""
    if hasattr(model, "branches"):
        return model.branches[modality].features(x)
    return model.embed(modality, x)["inv"]


def read(model: Any, split: Split) -> list[dict[str, Any]]:
    """The score of a linear probe for each sensor and factor."""
    model.eval()
    rows = []
    for name in model.deployed:
        images = ModalityTensor(split.test, name, "cpu")
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            z = predict_logits(partial(features, model, name), images)
        known = inspection.factors(split.test, name)
        chosen = {factor: known[factor] for factor in FACTORS if factor in known}
        found = probing.probe_matrix({"z": z.float().numpy()}, chosen).loc["z"]
        for factor in found.index:
            rows.append({"modality": name, "factor": factor, "score": found[factor]})
    return rows


@flags.command
def along(
    methods: tuple[str, ...],
    data: grid.Data = "scenes",
    seeds: grid.Seeds = 3,
    out: Annotated[Path, Path, "Write OUT.json and OUT.png."] = Path("build/along"),
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Train METHODS and read factors from their features after some epochs; write and draw."""
    arms = map(grid.Arm.of, methods)
    planned = grid.plan(arms, range(seeds), settings, data, modalities, runs)
    rows = grid.watch(planned, AFTER, read, workers)
    files.write_json(out.with_suffix(".json"), rows)
    plots.style()
    table = pd.DataFrame(rows)
    names = table["method"].unique()
    colours = {name: method_look(number, name)["color"] for number, name in enumerate(names)}
    panels = {"row": "modality", "col": "factor", "facet_kws": {"sharey": False}, "height": 2.5}
    lines = {"kind": "line", "hue": "method", "palette": colours, "errorbar": None}
    curves = sns.relplot(table, x="epoch", y="score", **panels, **lines)
    curves.set_titles("{col_name} from {row_name}").set_ylabels("accuracy in %, or R²")
    curves.savefig(out.with_suffix(".png"))


main = partial(cli.main, command=along)

if __name__ == "__main__":
    sys.exit(main())
