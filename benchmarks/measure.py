"""What is measured on the finished runs of a table of results/, each into a CSV file beside it.

python benchmarks/measure.py kinds results/all-labels.csv student discom
python benchmarks/measure.py parts results/all-labels.csv student discom --seeds 3
python benchmarks/measure.py heads results/terms.csv discom
python benchmarks/measure.py why results/labels.csv fixmatch agreed --seeds 3
python benchmarks/measure.py both results/watch.csv data/watch
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Annotated, Any

import click
import numpy as np
import pandas as pd
import torch

from discom import cli, data, files, tables
from discom import methods as registry
from discom.cli import flags
from discom.config import Config
from discom.data.batches import ModalityTensor
from discom.data.checks import UNLABELLED
from discom.errors import RunError, check_choice
from discom.evaluation import probing
from discom.evaluation.scores import scores
from discom.losses.pseudo import pseudo_labels
from discom.running.fit import fit
from discom.running.runs import Result, load_run, read_predictions
from real import TOGETHER
from stored import CHOSEN

KINDS = {(0, 0): "ordinary", (1, 0): "dark", (0, 1): "far", (1, 1): "dark and far"}
BLIND = {"rgb": "dark", "depth": "far"}  # scenes in which the sensor shows no material
NUMBERS = {"size": "scale", "distance": "shift", "light": "illumination"}  # R² of these
EVERY = 3  # epochs between two looks of `why`
Rows = Iterator[dict[str, Any]]


def split_of(result: Result) -> data.Split:
    """The parts of the scenes that a run had."""
    return data.load(result.data, seed=result.drawn).split(*result.parts)


def kinds_of(images: data.MultiModalData) -> pd.Series:
    """Id of a scene of `objects` → its kind."""
    hidden = zip(images.factors["dark"], images.factors["far"], strict=True)
    return pd.Series([KINDS[dark, far] for dark, far in hidden], images.ids)


def kinds(result: Result, runs: Path) -> Rows:
    """Of `objects`: which scenes each network gets right, ordinary, dark, far, or both: how many
    the test part has, and accuracy in %."""
    kind_of = kinds_of(data.load(result.data, seed=result.drawn))
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
        if hasattr(model, "branches"):
            parts = {"features": model.branches[sensor].features(x)}
        else:
            parts = model.embed(sensor, x)
        for part, values in parts.items():
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
    split = split_of(result)
    yield from probed(load_run(result.folder(runs), split)[0], split.test)
    if result.display_name == "discom":
        start = registry.build(registry.get("discom"), split.train, Config(**result.config))
        yield from ({"method": "untrained", **row} for row in probed(start, split.test))


@torch.inference_mode()
def heads(result: Result, runs: Path) -> Rows:
    """Table 4: F1 of a run of `discom`, whole, and of its shared auxiliary head on the invariant or
    the informative part alone."""
    check_choice("METHODS of heads", result.method, ["discom"])
    split = split_of(result)
    model: Any = load_run(result.folder(runs), split)[0]
    for sensor in model.deployed:
        x, head = torch.from_numpy(split.test.images(sensor)), model.owner(sensor).heads.aux
        z, labels = model.embed(sensor, x), torch.tensor(split.test.modalities[sensor].y)
        said = {"both": model.predict(sensor, x), "inv": head(z["inv"]), "inf": head(z["inf"])}
        for part, logits in said.items():
            yield {"network": sensor, "part": part, "f1": round(scores(logits, labels)["f1"], 3)}


@torch.inference_mode()
def given(model: Any, train: data.MultiModalData) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Who labels the training scenes as they are, without augmentation and in eval mode, a sensor
    or all: the labels, and whether each is taken."""
    model.eval()
    said = {}
    for sensor in train.modalities:
        x = torch.from_numpy(train.images(sensor))
        said[sensor] = model.predict(sensor, x).log_softmax(1)
    if model.paired:
        said = {"+".join(said): torch.stack([*said.values()]).sum(0)}
    taken = {name: pseudo_labels(logits, model.threshold) for name, logits in said.items()}
    return {name: (labels.numpy(), sure.numpy()) for name, (labels, sure) in taken.items()}


def why(result: Result, _: Path) -> Rows:
    """A training of FixMatch or agreed labels once more, every few epochs: of the unlabelled scenes
    of a kind the share in % that gets a label, and of these labels the share that is right."""
    check_choice("METHODS of why", result.method, ["fixmatch", "agreed"])
    split, config = split_of(result), Config(**result.config)
    train, looks = split.train, list[tuple]()

    def look(epoch: int, model: Any) -> None:
        if epoch % EVERY == 0:
            looks.extend((epoch, who, *own) for who, own in given(model, train).items())

    with tempfile.TemporaryDirectory() as folder:
        fit(result.method, split, config, folder, on_epoch_end=look)
    left = train.keep_labels(config.labelled, config.seed).labels == UNLABELLED
    kinds = kinds_of(train)[train.ids].to_numpy()
    for (epoch, who, labels, sure), kind in product(looks, KINDS.values()):
        own = left & (kinds == kind)
        right = (labels == train.labels)[own & sure]
        row = {"epoch": epoch, "labels from": who, "kind": kind, "scenes": own.sum()}
        row["labelled %"] = np.round(100 * sure[own].mean(), 2)
        yield row | {"right %": np.round(100 * right.mean(), 2) if len(right) else np.nan}


def adding(read: Callable[[Result, Path], Rows], *keys: str) -> click.Command:
    """A command of what is read of a run. Columns `keys` tell runs apart."""

    def add(
        table: Path,
        methods: tuple[str, ...],
        runs: flags.Runs = Path("runs"),
        seeds: Annotated[int, "The first so many."] = 100,
    ) -> None:
        results = tables.load_results(table)
        for name in methods:
            check_choice(str(table), name, dict.fromkeys(run.display_name for run in results))
        file = table.with_name("parts.csv" if read is parts else f"{table.stem}-{add.__name__}.csv")
        rows = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=keys)
        for result in results:
            names = {"method": result.display_name, "seed": result.seed}
            names["labelled"] = result.config["labelled"]
            run = {key: names[key] for key in keys}
            known = (rows[[*keys]] == [*run.values()]).all(axis=1).any()
            if names["method"] in methods and result.seed < seeds and not known:
                new = pd.DataFrame([run | row for row in read(result, runs)])
                rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
                with files.atomic_file(file) as temporary:
                    rows.to_csv(temporary, index=False)

    add.__name__, add.__doc__ = read.__name__, f"{read.__doc__} Adds METHODS' runs to a file."
    return flags.command(add)


@torch.inference_mode()
def blanked(run_dir: Path, split: data.Split) -> dict[str, torch.Tensor]:
    """Logits [N, C] of the test part by sensor that is missing, or "none". Its raw values are zero,
    as those of a sensor that is not there."""
    model, result = load_run(run_dir, split)
    (network,) = result.scores
    logits = {}
    for missing in ["none", *network.split("+")]:
        sensors = dict(split.test.modalities)
        if missing in sensors:
            sensors[missing] = replace(sensors[missing], x=np.zeros_like(sensors[missing].x[:]))
        images = ModalityTensor(split.test.with_modalities(sensors), network, "cpu")
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
    and the product of what two networks believe. Writes TABLE-both.csv: method, the two sensors,
    share of the labels, seed, the sensor that is missing, and F1 of all folds together."""
    whole = data.load(source)
    answers = defaultdict(list)  # what tells rows apart → logits and labels, of each fold
    for result in tables.complete(tables.load_results(table)):
        if (method := CHOSEN.sub("", result.display_name)) not in TOGETHER:
            continue
        folder, names = result.folder(runs), [*result.scores]
        if not folder.is_dir():
            way_out = f"name their folder by --runs, or delete {table} and train them again"
            raise RunError(folder, f"is not here, and {table.name} has scores alone", way_out)
        stored = read_predictions(folder / "predictions.npz")
        if method == "teacher":
            split = whole.select(names[0].split("+")).split(*result.parts)
            logits = {(names[0], lost): own for lost, own in blanked(folder, split).items()}
        else:
            pairs = combinations(names, 2)
            logits = {("+".join(two), "none"): together(stored, two) for two in pairs}
        for (sensors, lost), own in logits.items():
            key = method, sensors, result.config["labelled"], result.seed, lost
            answers[key].append((own, torch.from_numpy(stored[f"{names[0]}_labels"])))
    rows = []
    for key, folds in answers.items():
        logits, labels = map(torch.cat, zip(*folds, strict=True))
        rows.append([*key, round(scores(logits, labels)["f1"], 3)])
    columns = ["method", "sensors", "labelled", "seed", "missing", "f1"]
    with files.atomic_file(table.with_name(f"{table.stem}-both.csv")) as temporary:
        pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False)


adds = [adding(read, "method", "seed") for read in (kinds, heads)]
adds += [adding(read, "method", "labelled", "seed") for read in (parts, why)]
measure = click.Group("measure", commands=[*adds, both], help=__doc__)

if __name__ == "__main__":
    sys.exit(cli.main(command=measure))
