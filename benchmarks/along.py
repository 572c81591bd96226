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
from typing import Any

import pandas as pd
import torch
from grid import arm, divide, setting
from joblib import Parallel, delayed
from matplotlib.figure import Figure

from discom import data, files, methods, plots, profile
from discom.config import Config
from discom.data import Batches, Split
from discom.data.batches import Images
from discom.errors import DiscomError
from discom.evaluation import inspection, probing
from discom.evaluation.scores import predict_logits
from discom.plots.look import look, panels

AFTER = (0, 1, 2, 5, 10, 20, 40)  # epochs, and the last
# what is read: class content of the outline and of the surface, place, size and turn
FACTORS = ("shape", "material", "centre_x", "scale", "rotation")


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
        images = Images(split.test, name, "cpu")
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            z = predict_logits(partial(features, model, name), images)
        known = inspection.factors(split.test, name)
        chosen = {factor: known[factor] for factor in FACTORS}
        found = probing.probe_matrix({"z": z.float().numpy()}, chosen).loc["z"]
        place = {"epoch": epoch, "modality": name}
        rows += [{**place, "factor": factor, "score": found[factor]} for factor in found.index]
    return rows


def train(place: str, name: str, options: dict, config: Config) -> list[dict[str, Any]]:
    """`fit`'s loop without what surrounds it, and the readings after the epochs `AFTER`."""
    torch.set_num_threads(1)
    images = data.load(data.at_seed(place, config.seed))
    split = images.split(seed=config.seed)
    hidden = split.train.hide(config.labelled, config.seed)
    model: Any = methods.build(methods.get(name), split.train, config)
    learns = any(model.weights[term] for term in model.unlabelled)
    pairing = "paired" if model.paired else "unpaired"
    how: dict[str, Any] = {"epochs": config.epochs, "pairing": pairing, "augment": config.augment}
    batches = Batches(hidden, config.batch_size, config.seed, unlabelled=learns, **how)
    rate, decay = config.learning_rate, config.weight_decay
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)
    steps = config.epochs * len(batches) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, cycle_momentum=False)
    rows = read(model, split, 0)
    for epoch in range(config.epochs):
        torch.manual_seed(config.seed * 1_000_003 + epoch)
        model.train()
        for batch in batches.epoch(epoch):
            with torch.autocast("cpu", torch.bfloat16, config.precision == "bf16-mixed"):
                terms = model(batch)
            loss = sum(model.weights[term] * value for term, value in terms.items())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch + 1 in AFTER or epoch + 1 == config.epochs:
            rows += read(model, split, epoch + 1)
    label = methods.label(name, options)
    return [{"method": label, "seed": config.seed, **row} for row in rows]


def curves(table: pd.DataFrame) -> Figure:
    """Score over epochs, mean over seeds: a panel for each sensor and factor, a curve for each
    method."""
    sensors, factors = table["modality"].unique(), [*dict.fromkeys(table["factor"])]
    figure, axes = panels(len(sensors), len(factors), 2.5 * len(factors), 2.5 * len(sensors) + 0.5)
    for axis, (sensor, factor) in zip(axes.flat, product(sensors, factors), strict=True):
        part = table[(table["modality"] == sensor) & (table["factor"] == factor)]
        for number, (method, rows) in enumerate(part.groupby("method", sort=False)):
            mean = rows.groupby("epoch")["score"].mean()
            axis.plot(mean.index, mean, label=method, **look(number))
        unit = "%" if factor in ("shape", "material") else "R²"
        axis.set(title=f"{factor} from {sensor}", xlabel="epoch", ylabel=unit)
    series = axes.flat[0].get_legend_handles_labels()
    figure.legend(*series, loc="outside lower center", ncols=len(series[0]), frameon=False)
    return figure


def main(arguments: list[str] | None = None) -> int:
    """Train, read and draw; the exit status is 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", type=arm, nargs="+", required=True, help="name or name:{JSON}")
    parser.add_argument("--data", default="scenes")
    words = "such as labelled=0.2 epochs=60"
    parser.add_argument("--set", type=setting, nargs="+", default=[], help=words)
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--profile", default="cpu", help="tiny or cpu (default)")
    parser.add_argument("--workers", type=int, default=-1, help="side by side (default: all cores)")
    parser.add_argument("--out", type=Path, required=True, help="write OUT.json and OUT.png")
    chosen = parser.parse_args(arguments)
    jobs = []
    try:
        for seed, (name, given) in product(range(chosen.seeds), chosen.methods):
            own, options = divide(given)
            settings = {**dict(chosen.set), **own, "seed": seed, "options": options}
            config = profile(chosen.profile, **settings)
            jobs.append(delayed(train)(chosen.data, name, options, config))
        rows = [row for rows in Parallel(chosen.workers)(jobs) for row in rows]
    except DiscomError as error:
        print(f"along: error: {error}", file=sys.stderr)
        return 2
    table = pd.DataFrame(rows)
    last = table[table["epoch"] == table["epoch"].max()]
    print(last.pivot_table("score", ["modality", "method"], "factor", sort=False).round(2))
    files.write_json(chosen.out.with_suffix(".json"), rows)
    plots.style()
    curves(table).savefig(chosen.out.with_suffix(".png"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
