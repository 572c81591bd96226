"""Why a contrast helps: what an encoder's features tell of known factors, while it trains.

Trains methods on scenes with a part of the labels, and after some epochs reads every factor from
the features of the test scenes by a fresh linear probe.

python benchmarks/along.py --methods student nt-xent --set labelled=0.2 --out build/along
"""

import argparse
import sys
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from joblib import Parallel, delayed
from matplotlib.figure import Figure

import common
from discom import data, files, fit, inspection, methods, plots, profile
from discom.config import Config
from discom.data import Split
from discom.data.batches import ModalityTensor
from discom.errors import ConfigError
from discom.evaluation import probing
from discom.evaluation.scores import predict_logits
from discom.plots.look import method_look, panels

AFTER = (0, 1, 2, 5, 10, 20, 40)  # epochs, and the last
# the two halves of the class, place and size; symmetric shapes have no single turn to read
FACTORS = ("shape", "material", "centre_x", "scale")


def features(model: Any, modality: str, x: torch.Tensor) -> torch.Tensor:
    """What is contrasted or classified: z_inv, or what a student's linear layer reads."""
    if hasattr(model, "branches"):
        return model.branches[modality].features(x)
    return model.embed(modality, x)["inv"]


def read(model: Any, split: Split, epoch: int) -> list[dict[str, Any]]:
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
        place = {"epoch": epoch, "modality": name}
        rows += [{**place, "factor": factor, "score": found[factor]} for factor in found.index]
    return rows


def train(place: str, name: str, config: Config) -> list[dict[str, Any]]:
    """The readings after the epochs `AFTER` and the last one."""
    torch.set_num_threads(1)
    split = data.load(place, seed=config.seed).split(seed=config.seed)
    found = {"method": methods.label(name, config.options), "seed": config.seed}
    rows = []

    def watch(epoch: int, model: Any) -> None:
        if epoch in (*AFTER, config.epochs):
            rows.extend({**found, **row} for row in read(model, split, epoch))

    with TemporaryDirectory() as folder:
        fit(name, split, config, Path(folder) / "run", progress=False, on_epoch_end=watch)
    return rows


def curves(table: pd.DataFrame) -> Figure:
    """Score over epochs, mean over seeds: a panel for each sensor and factor, a curve for each
    method."""
    sensors, factors = table["modality"].unique(), [*dict.fromkeys(table["factor"])]
    figure, axes = panels(len(sensors), len(factors), 2.5 * len(factors), 2.5 * len(sensors) + 0.5)
    for axis, (sensor, factor) in zip(axes.flat, product(sensors, factors), strict=True):
        part = table[(table["modality"] == sensor) & (table["factor"] == factor)]
        for number, (method, rows) in enumerate(part.groupby("method", sort=False)):
            mean = rows.groupby("epoch")["score"].mean()
            axis.plot(mean.index, mean, label=method, **method_look(number, method))
        unit = "%" if factor in ("shape", "material") else "R²"
        axis.set(title=f"{factor} from {sensor}", xlabel="epoch", ylabel=unit)
    series = axes.flat[0].get_legend_handles_labels()
    figure.legend(*series, loc="outside lower center", ncols=len(series[0]), frameon=False)
    return figure


def along(chosen: argparse.Namespace) -> None:
    """Train, read and draw."""
    common.check_arms(chosen.methods)
    if chosen.seeds < 1:
        raise ConfigError("--seeds", f"{chosen.seeds} runs make no curve", "use 1 or more")
    jobs = []
    for seed, row in product(range(chosen.seeds), chosen.methods):
        if methods.get(row.method).teacher_method:
            raise ConfigError("--methods", f"{row.method} has no teacher here", "leave it out")
        settings = {**dict(chosen.set), **row.settings, "seed": seed, "options": row.options}
        config = profile(chosen.profile, accelerator="cpu", **settings)
        jobs.append(delayed(train)(chosen.data, row.method, config))
    rows = [row for rows in Parallel(chosen.workers or -1)(jobs) for row in rows]
    table = pd.DataFrame(rows)
    last = table[table["epoch"] == table["epoch"].max()]
    print(last.pivot_table("score", ["modality", "method"], "factor", sort=False).round(2))
    files.write_json(chosen.out.with_suffix(".json"), rows)
    plots.style()
    curves(table).savefig(chosen.out.with_suffix(".png"))


def main(arguments: list[str] | None = None) -> int:
    """Read along; see `common.run`."""
    parser = common.parser(__doc__, "methods data set profile workers")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--out", type=Path, required=True, help="write OUT.json and OUT.png")
    chosen = parser.parse_args(arguments)
    return common.run("along", lambda: along(chosen))


if __name__ == "__main__":
    sys.exit(main())
