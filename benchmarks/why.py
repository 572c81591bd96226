"""Why unlabelled pairs help with few labels: what networks know while they train on `objects`.

python benchmarks/why.py student agreed --labelled 0.1    writes results/why.csv and its .png

After some epochs, for each sensor and for both (the product of what they believe): how many of the
training scenes are named right, in ordinary, dark, far scenes; and which facts a linear probe reads
from each sensor's features of the test scenes.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import seaborn as sns
import torch

import grid
import parts
from discom import cli, data, files, plots
from discom.cli import flags
from discom.data.batches import ModalityTensor
from kinds import KINDS

AFTER = (0, 5, 10, 15, 20, 25, 30)  # epochs


@torch.inference_mode()
def named(model: Any, scenes: data.MultiModalData) -> Iterator[dict[str, Any]]:
    """Accuracy in % on scenes as they are, not turned, by kind of scene."""
    model.eval()
    hidden = zip(scenes.factors["dark"], scenes.factors["far"], strict=True)
    kinds, every = [KINDS[dark, far] for dark, far in hidden], torch.arange(len(scenes))
    beliefs = {}
    for sensor in scenes.modalities:
        x = ModalityTensor(scenes, sensor, "cpu")[every]
        beliefs[sensor] = model.predict(sensor, x).log_softmax(1)
    beliefs["both"] = torch.stack([*beliefs.values()]).sum(0)
    for who, belief in beliefs.items():
        right = pd.Series(belief.argmax(1).numpy() == scenes.labels)
        for kind, part in right.groupby(kinds):
            yield {"sensor": who, "what": f"{kind} scenes", "score": 100 * part.mean()}


def read(model: Any, split: data.Split) -> Iterator[dict[str, Any]]:
    """Accuracy on the training scenes, and facts read from features of the test scenes."""
    yield from named(model, split.train)
    for row in parts.read(model, split.test):
        if row["fact"] not in ("class", "which sensor"):
            yield {"sensor": row["sensor"], "what": row["fact"], "score": row["score"]}


def figure(table: pd.DataFrame, method: str) -> Any:
    """While `method` trains: training scenes named right, by kind."""
    rows = table[(table["method"] == method) & table["what"].str.endswith(" scenes")]
    rows = rows.assign(sensor=rows["sensor"].replace({"rgb": "RGB", "both": "product of both"}))
    colours = {"RGB": "#0173b2", "depth": "#de8f05", "product of both": "#029e73"}
    curves = sns.relplot(
        rows,
        x="epoch",
        y="score",
        hue="sensor",
        col="what",
        col_order=[f"{kind} scenes" for kind in ("ordinary", "dark", "far")],
        palette=colours,
        kind="line",
        units="seed",
        estimator=None,
        height=2.9,
        aspect=1.05,
    )
    curves.set_titles("{col_name}").set(ylim=(0, 100), ylabel="training scenes named right, %")
    for axis in curves.axes.flat:
        axis.axhline(100 / 3, color="0.5", linestyle=":")
    curves.legend.set_title("")
    return curves


@flags.command
def why(
    methods: tuple[str, ...],
    data: grid.Data = "objects",
    seeds: grid.Seeds = 3,
    out: Annotated[Path, Path, "Write this file, and its .png."] = Path("results/why.csv"),
    workers: flags.Workers = 0,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Train METHODS and look after some epochs; the figure shows the last one."""
    arms = [*map(grid.Arm.of, methods)]
    planned = grid.plan(arms, range(seeds), settings, data, "", runs)
    rows = grid.watch(planned, AFTER, read, workers)
    table = pd.DataFrame(rows).round({"score": 2})
    with files.atomic_file(out) as temporary:
        table.to_csv(temporary, index=False)
    plots.style()
    figure(table, arms[-1].label).savefig(out.with_suffix(".png"), dpi=150)


main = partial(cli.main, command=why)

if __name__ == "__main__":
    sys.exit(main())
