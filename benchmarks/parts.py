"""What embeddings of `objects` hold: linear probes of the sensor and of known facts.

python benchmarks/parts.py results/all-labels.csv student discom    adds to results/parts.csv and
draws it

Beside each run of `discom` stands the same network before its training.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure

import grid
from discom import cli, files, plots, tables
from discom import methods as registry
from discom.cli import flags
from discom.config import Config
from discom.data import MultiModalData, load
from discom.data.batches import ModalityTensor
from discom.errors import ConfigError
from discom.evaluation import probing
from discom.plots import panels
from discom.running.runs import Result, load_run

BLIND = {"rgb": "dark", "depth": "far"}  # scenes in which the sensor shows no material
NUMBERS = {"size": "scale", "distance": "shift", "light": "illumination"}  # R² of these


def facts(test: MultiModalData, sensor: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, value in each scene, and the scenes in which it is looked for."""
    hidden, everywhere = test.factors[BLIND[sensor]] == 1, np.ones(len(test), bool)
    yield "class", test.labels, everywhere
    yield "shape", test.factors["shape"], everywhere
    yield "material", test.factors["material"], ~hidden
    yield "hidden material", test.factors["material"], hidden
    for name, factor in NUMBERS.items():
        yield name, test.factors[factor].astype(float), everywhere


@torch.inference_mode()
def read(model: Any, test: MultiModalData) -> Iterator[dict[str, Any]]:
    """A row for each part, sensor and fact: accuracy, or R², in %."""
    model.eval()
    z: dict[str, dict[str, np.ndarray]] = {}  # part → sensor → [N, D]
    for sensor in test.modalities:
        x = ModalityTensor(test, sensor, "cpu")[torch.arange(len(test))]
        if hasattr(model, "branches"):
            parts = {"features": model.branches[sensor].features(x)}
        else:
            parts = model.embed(sensor, x)
        for part, values in parts.items():
            z.setdefault(part, {})[sensor] = values.numpy()
    for part, own in z.items():
        told = probing.modality_probe(own)
        for sensor, values in own.items():
            place = {"sensor": sensor, "part": part}
            yield place | {"fact": "which sensor", "score": told}
            for fact, truth, scenes in facts(test, sensor):
                score = probing.probe(values[scenes], truth[scenes])
                yield place | {"fact": fact, "score": 100 * score if fact in NUMBERS else score}


def rows_of(result: Result, source: str, runs: Path) -> pd.DataFrame:
    """What a run's networks hold, and beside `discom` the untrained ones."""
    split = load(source, seed=result.drawn).split(*result.parts)
    networks = {result.display_name: load_run(result.folder(runs), split)[0]}
    if result.display_name == "discom":
        start = registry.build(registry.get("discom"), split.train, Config(**result.config))
        networks["untrained"] = start
    run = {"labelled": result.config["labelled"], "seed": result.seed}
    found = [(name, row) for name, model in networks.items() for row in read(model, split.test)]
    return pd.DataFrame([{"method": name} | run | row for name, row in found]).round(2)


def figure(table: pd.DataFrame) -> Figure:
    """Means over seeds: a row for each part of a method, a column for each fact, RGB and depth."""
    names = {"student": "student", "untrained": "DisCoM-KD untrained", "discom": "DisCoM-KD"}
    names |= {"discom adversary=alternating": "alternating", "mdico": "MDiCo", "decur": "DeCUR"}
    names |= {"agreed": "agreed, 200 labels"}
    shown = [name for name in names if (table["method"] == name).any()]
    means = table.pivot_table("score", ["method", "part"], ["sensor", "fact"], sort=False)
    means = means.loc[shown].clip(lower=0)  # an R² below 0: worse than the mean
    drawn, axes = panels(1, 2, 11, 0.7 + 0.3 * len(means), sharey=True)
    labels = [f"{names[method]}  {part}" for method, part in means.index]
    for axis, sensor in zip(axes[0], ("rgb", "depth"), strict=True):
        look = {"cmap": "Greys", "vmin": 0, "vmax": 100, "annot": True, "fmt": ".0f", "cbar": False}
        sns.heatmap(means[sensor], ax=axis, yticklabels=labels, linewidths=1, **look)
        axis.set(title="RGB" if sensor == "rgb" else sensor, xlabel="", ylabel="")
        axis.set_xticks(axis.get_xticks(), means[sensor].columns, rotation=35, ha="right")
        axis.tick_params(length=0)
        firsts = means.reset_index().groupby("method", sort=False).head(1).index[1:]
        axis.hlines(firsts, 0, means[sensor].shape[1], color="white", linewidth=4)
    drawn.suptitle("What a linear probe reads: accuracy, or R² of size, distance and light, %")
    return drawn


@flags.command
def parts(
    table: Path,
    methods: tuple[str, ...],
    data: grid.Data = "objects",
    seeds: Annotated[int, int, "Read the first seeds."] = 3,
    runs: flags.Runs = Path("runs"),
) -> None:
    """Add METHODS' runs in TABLE that parts.csv beside it lacks, and draw all."""
    file = table.with_name("parts.csv")
    keys = ["method", "labelled", "seed"]
    rows = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=keys)
    found = defaultdict(list)
    for result in tables.load_results(table):
        found[result.display_name].append(result)
    if absent := sorted({*methods} - {*found}):
        raise ConfigError(table, f"no run of {absent[0]}", f"name one of {', '.join(found)}")
    for result in [r for method in methods for r in found[method] if r.seed < seeds]:
        run = [result.display_name, result.config["labelled"], result.seed]
        if not (rows[keys] == run).all(axis=1).any():
            rows = pd.concat([rows, rows_of(result, data, runs)], ignore_index=True)
            with files.atomic_file(file) as temporary:
                rows.to_csv(temporary, index=False)
    plots.style()
    figure(rows).savefig(file.with_suffix(".png"), dpi=150)


if __name__ == "__main__":
    sys.exit(cli.main(command=parts))
