"""What is measured on the finished runs of a table of results/, each into a CSV file beside it.

python benchmarks/measure.py read kinds results/all-labels.csv student discom
python benchmarks/measure.py read parts results/all-labels.csv student discom --seeds 3
python benchmarks/measure.py both results/watch.csv data/watch
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import numpy as np
import pandas as pd
import torch

from claims import TOGETHER
from discom import cli, data, files, tables
from discom import methods as registry
from discom.cli import flags
from discom.config import Config
from discom.data.batches import ModalityTensor
from discom.errors import RunError, check_choice
from discom.evaluation import probing
from discom.evaluation.scores import scores
from discom.running.loading import load_run
from discom.running.runs import Result, read_predictions
from stored import CHOSEN

KINDS = {(0, 0): "ordinary", (1, 0): "dark", (0, 1): "far", (1, 1): "dark and far"}
BLIND = {"rgb": "dark", "depth": "far"}  # scenes in which the sensor shows no material
NUMBERS = {"size": "scale", "distance": "shift", "light": "illumination"}  # R² of these
Rows = Iterator[dict[str, Any]]
WHICH_BOTH = ("method", "sensors", "labelled", "seed", "missing")  # what tells rows of both apart


def kinds(result: Result, runs: Path) -> Rows:
    """Of `objects`: which scenes each network gets right, ordinary, dark, far, or both: how many
    the test part has, and accuracy in %."""
    scenes = data.load(result.data, seed=result.drawn)
    hidden = zip(scenes.factors["dark"], scenes.factors["far"], strict=True)
    kind_of = pd.Series([KINDS[dark, far] for dark, far in hidden], scenes.ids)
    stored = read_predictions(result.folder(runs) / "predictions.npz")
    for network in result.scores:
        right = stored[f"{network}_logits"].argmax(1) == stored[f"{network}_labels"]
        each = pd.Series(right).groupby(kind_of[stored[f"{network}_ids"]].to_numpy())
        for kind, part in each:
            row = {"network": network, "kind": kind, "scenes": len(part)}
            yield row | {"accuracy": round(100 * part.mean(), 3)}


def facts(test: data.MultiModalData, sensor: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, value in each scene, and the scenes in which it is looked for."""
    hidden, everywhere = test.factors[BLIND[sensor]] == 1, np.ones(len(test), bool)
    yield "class", test.labels, everywhere
    yield "shape", test.factors["shape"], everywhere
    yield "material", test.factors["material"], ~hidden
    yield "hidden material", test.factors["material"], hidden
    for name, factor in NUMBERS.items():
        yield name, test.factors[factor].astype(float), everywhere


@torch.inference_mode()
def probed(model: Any, test: data.MultiModalData) -> Rows:
    """A row for each part, sensor and fact: accuracy, or R², in %."""
    model.eval()
    z: dict[str, dict[str, np.ndarray]] = defaultdict(dict)  # part → sensor → [N, D]
    for sensor in test.modalities:
        x = torch.from_numpy(test.images(sensor))
        for part, values in model.embed(sensor, x).items():
            z[part][sensor] = values.numpy()
    for part, own in z.items():
        sensors = probing.modality_probe(own)
        for sensor, values in own.items():
            place = {"sensor": sensor, "part": part}
            yield place | {"fact": "which sensor", "score": np.round(sensors, 2)}
            for fact, truth, scenes in facts(test, sensor):
                score = probing.probe(values[scenes], truth[scenes])
                percent = 100 * score if fact in NUMBERS else score
                yield place | {"fact": fact, "score": np.round(percent, 2)}


def parts(result: Result, runs: Path) -> Rows:
    """Of `objects`: what linear probes read from embeddings, the sensor and known facts; beside
    `discom` before its training, too."""
    split = data.load(result.data, seed=result.drawn).split(*result.parts)
    yield from probed(load_run(result.folder(runs), split)[0], split.test)
    if result.display_name == "discom":
        start = registry.build(registry.get("discom"), split.train, Config(**result.config))
        yield from ({"method": "untrained", **row} for row in probed(start, split.test))


@flags.command
def read(
    what: Literal["kinds", "parts"],
    table: Path,
    methods: tuple[str, ...],
    runs: flags.Runs = Path("runs"),
    seeds: Annotated[int, "The first so many."] = 100,
) -> None:
    """Add what is read of METHODS' runs of a table to TABLE-kinds.csv or parts.csv; a run that the
    file has stays as it is."""
    results, keys = tables.load_results(table), ["method", "labelled", "seed"]
    for name in methods:
        check_choice(str(table), name, dict.fromkeys(run.display_name for run in results))
    file = table.with_name("parts.csv" if what == "parts" else f"{table.stem}-kinds.csv")
    rows = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=keys)
    for result in results:
        run = [result.display_name, result.config["labelled"], result.seed]
        known = (rows[keys] == run).all(axis=1).any()
        if run[0] in methods and result.seed < seeds and not known:
            new = (kinds if what == "kinds" else parts)(result, runs)
            each = pd.DataFrame([dict(zip(keys, run, strict=True)) | row for row in new])
            rows = pd.concat([rows, each], ignore_index=True) if len(rows) else each
            with files.atomic_file(file) as temporary:
                rows.to_csv(temporary, index=False)


@torch.inference_mode()
def blanked(run_dir: Path, split: data.Split) -> dict[str, torch.Tensor]:
    """Logits [N, C] of the test part by sensor that is missing, or "none". Its raw values are zero,
    as those of a sensor that is not there."""
    model, result = load_run(run_dir, split)
    (network,) = result.scores
    logits = {}
    for missing in ["none", *network.split("+")]:
        sensors = split.test.modalities.items()
        seen = {name: replace(own, x=own.x[:] * (name != missing)) for name, own in sensors}
        images = ModalityTensor(split.test.with_modalities(seen), network, "cpu")
        logits[missing] = model.predict(network, images[torch.arange(len(images))])
    return logits


def together(stored: Mapping[str, np.ndarray], names: Sequence[str]) -> torch.Tensor:
    """Log of the product of the networks' beliefs, [N, C]; a RunError where they tested other
    samples."""
    if any((stored[f"{name}_ids"] != stored[f"{names[0]}_ids"]).any() for name in names):
        raise RunError("both", f"{' and '.join(names)} tested other samples", "use pairs alone")
    beliefs = [torch.from_numpy(stored[f"{name}_logits"]).log_softmax(1) for name in names]
    return torch.stack(beliefs).sum(0)


@flags.command
def both(table: Path, source: str, runs: flags.Runs = Path("runs")) -> None:
    """Two sensors of SOURCE at inference: one network of both, also with zeros in the place of one,
    and the product of what two networks believe, of one run or, where each network has settings
    of its own, of two. Writes TABLE-both.csv: method, the two sensors, share of the labels, seed,
    the sensor that is missing, and F1 of all folds together; below it, where none is missing, a row
    for each group with its hits, labels and predictions of every class."""
    whole = data.load(source)
    answers = defaultdict(list)  # what tells rows apart → ids, logits and labels, of each fold
    for (method, labelled, seed, _), folder_of in networks_of(table, runs).items():
        for sensors, lost, *answered in answered_by_both(method, folder_of, whole):
            answers[method, sensors, labelled, seed, lost].append(answered)
    rows = []
    for key, folds in answers.items():
        ids, logits, labels = (np.concatenate(parts) for parts in zip(*folds, strict=True))
        f1 = scores(torch.from_numpy(logits), torch.from_numpy(labels))["f1"]
        rows.append(dict(zip(WHICH_BOTH, key, strict=True)) | {"f1": round(f1, 3)})
        if key[-1] == "none":
            groups = whole.group_ids[pd.Index(whole.ids).get_indexer(ids)]
            for group, cells in tallied(groups, labels, logits.argmax(1)).items():
                rows.append(dict(zip(WHICH_BOTH, key, strict=True)) | {"group": group} | cells)
    with files.atomic_file(table.with_name(f"{table.stem}-both.csv")) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)


def networks_of(table: Path, runs: Path) -> dict[tuple, list[tuple[Result, Path]]]:
    """Method, share of the labels, seed and fold → the runs of a table that score together, with
    their folders: one, or where each has a network of one sensor, all."""
    groups: dict[tuple, list[tuple[Result, Path]]] = defaultdict(list)
    for result in tables.complete(tables.load_results(table)):
        method = CHOSEN.sub("", result.display_name)
        if method in TOGETHER:
            key = method, result.config["labelled"], result.seed, result.fold
            groups[key].append((result, result.folder(runs)))
    return groups


def answered_by_both(method: str, group: Sequence[tuple[Result, Path]], whole: Any) -> Iterator:
    """Sensors, the one that is missing or "none", ids, logits [N, C] and classes [N] of each pair
    of networks, or of one network of both."""
    for result, folder in group:
        if method == "teacher":
            (network,) = result.scores
            stored = read_predictions(folder / "predictions.npz")
            split = whole.select(network.split("+")).split(*result.parts)
            for lost, logits in blanked(folder, split).items():
                ids, labels = (stored[f"{network}_{kind}"] for kind in ("ids", "labels"))
                yield network, lost, ids, logits.numpy(), labels
    if method == "teacher":
        return
    pools = [[each] for each in group]
    if all(len(result.scores) == 1 for result, _ in group):  # each with settings of its own
        pools = [[*group]]
    for pool in pools:
        stored, names = dict[str, np.ndarray](), list[str]()
        for result, folder in pool:
            stored |= read_predictions(folder / "predictions.npz")
            names += result.scores
        names.sort(key=[*whole.modalities].index)  # one name for a pair, whatever the order of runs
        for two in combinations(names, 2):
            ids, labels = (stored[f"{two[0]}_{kind}"] for kind in ("ids", "labels"))
            yield "+".join(two), "none", ids, together(stored, two).numpy(), labels


def tallied(groups: np.ndarray, truth: np.ndarray, said: np.ndarray) -> dict[str, dict[str, str]]:
    """Group → "hits", "labels" and "predicted", how many of each class: "5 0 3"."""
    one = np.eye(max(truth.max(), said.max()) + 1, dtype=int)
    cells = {"hits": one[truth] * (truth == said)[:, None], "labels": one[truth]}
    cells["predicted"] = one[said]
    summed = {kind: pd.DataFrame(each).groupby(groups).sum() for kind, each in cells.items()}
    return {
        str(group): {kind: " ".join(map(str, each.loc[group])) for kind, each in summed.items()}
        for group in summed["hits"].index
    }


measure = click.Group("measure", commands=[read, both], help=__doc__)

if __name__ == "__main__":
    sys.exit(cli.main(command=measure))
