"""Train methods, each `name` or `name:{JSON}` of options and settings, and compare them with the
first; choose a number for each, on seeds that no table reports; or make a data set of another.

python benchmarks/grid.py compare student discom 'discom:{"pairing": "paired"}' --epochs 10
python benchmarks/grid.py choose kdv2+lskd --option temperature --values 0.5,1,2
python benchmarks/grid.py twins data/dsads  # writes data/dsads-twins
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import click
import pandas as pd
import torch
from torch.nn.functional import interpolate

import discom.data
from discom import cli, files, profile, tables
from discom import methods as registry
from discom.cli import flags
from discom.config import FIELDS
from discom.data.batches import ModalityTensor
from discom.errors import ConfigError, say
from discom.evaluation.scores import scores
from discom.methods import Method
from discom.running import sweep
from discom.running.loading import load_run
from discom.running.runs import Run, read_predictions
from stored import TWIN

SETTINGS = [n for n, each in FIELDS.items() if each.annotation in (int, float) and n != "seed"]
Data = Annotated[str, "Such as objects:n=600, or a folder."]
Folds = Annotated[int | None, click.IntRange(2), "By group, instead of a split."]
Answers = Mapping[str, tuple[torch.Tensor, torch.Tensor]]  # part → logits [N, C], classes [N]


def parsed(text: str) -> tuple[type[Method], dict[str, Any], dict[str, Any]]:
    """One of METHODS, `name` or `name:{JSON}`: the method, its options, and settings of its own."""
    name, _, braces = text.partition(":")
    options = flags.json_text(braces or "{}")
    settings = {key: options.pop(key) for key in SETTINGS if key in options}
    return registry.get(name), options, settings


def plan(
    texts: Iterable[str],
    seeds: Iterable[int],
    settings: Mapping[str, Any],
    data: str,
    modalities: str,
    runs: Path | str,
    folds: int = 0,
) -> dict[tuple[str, int, int], Run]:
    """Each of METHODS with every seed, and with `folds` every one of them: what its row is called,
    seed, fold → run."""
    images_of, planned = discom.data.planned(data, modalities), dict[tuple[str, int, int], Run]()
    for seed, text, fold in product(seeds, texts, range(folds or 1)):
        method, options, own = parsed(text)
        key = registry.display_name(method.name, method.changed(options)), seed, fold
        if key in planned:
            raise ConfigError("METHODS", f"two are called '{key[0]}'", "compare them one by one")
        images = images_of(seed)
        own = {**settings, **own, "seed": seed, "options": options}
        config = profile(dense=images.dense, **own)
        planned[key] = Run.of(runs, method, images, config, data, modalities, folds, fold)
    return planned


@flags.command
def compare(
    methods: tuple[str, ...],
    data: Data = "objects",
    seeds: Annotated[int, click.IntRange(1), "How many."] = 10,
    collect: Annotated[Path | None, Path, "Table of runs to read and to add to."] = None,
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    folds: Folds = None,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> bool:
    """Compare METHODS, each `name` or `name:{JSON}` of options and settings, with the first."""
    planned = plan(methods, range(seeds), settings, data, modalities, runs, folds or 0)
    known = tables.collected(collect)
    if older := sweep.of_other_code(planned.values(), known):
        say(f"{collect}: {older} of its results were made by other code, or by code not known")
    done = sweep.sweep(planned.values(), known=known, workers=workers)
    if done.results:
        against = [next(iter(planned))[0]]
        print(tables.to_markdown(tables.summary(done.results, against), against))
        if collect:
            tables.collect(done.results, collect)
    for error in done.failed.values():
        say(f"error: {error}")
    return not done.failed


def changed(run: Run, option: str, value: float) -> Run:
    """The run of one try, with a setting, an option or a weight of its method changed. Its teacher
    stays the same."""
    if option in SETTINGS:
        return replace(run, config=replace(run.config, **{option: value}))
    method, options = registry.get(run.method), dict(run.config.options)
    value = bool(value) if isinstance(options.get(option), bool) else value
    if option in method.terms:
        options["weights"] = {**options["weights"], option: value}
    else:
        options[option] = value
    return replace(run, config=replace(run.config, options=method.options(options)))


@flags.command
def choose(
    methods: tuple[str, ...],
    option: Annotated[str, "A setting, or an option or weight of the method."] = "learning_rate",
    values: Annotated[Any, flags.numbers, "Numbers."] = "0.005,0.01,0.02",
    data: Data = "objects",
    seeds: Annotated[Any, flags.numbers, "Numbers, of no table."] = "100",
    out: Annotated[Path | None, Path, "JSON file to write."] = None,
    workers: flags.Workers = 0,
    modalities: flags.Modalities = "",
    folds: Folds = None,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Train METHODS with each value; print and write of each its mean validation score, and the
    best value. The file has the scores of each sensor, too. With --folds each network chooses by
    its pooled validation predictions."""
    usual = plan(methods, seeds, settings, data, modalities, runs, folds or 0)
    tries = [(label, value) for label, *_ in usual for value in values]
    planned = [changed(run, option, value) for run in usual.values() for value in values]
    results = sweep.results(planned, workers=workers)
    how = {"data": planned[0].data, "seeds": seeds, "set": settings}
    if folds:
        networks = pooled_choice(tries, planned)
        print(pd.DataFrame(networks).T.round(2).to_string())
        if out:
            files.write_json(out, {**how, "folds": folds, "option": option, "networks": networks})
        return
    rows = []
    for (label, value), result in zip(tries, results, strict=True):
        valid = {name: own[f"valid_{result.metric}"] for name, own in result.scores.items()}
        alone = {name: score for name, score in valid.items() if "+" not in name} or valid
        rows += [(label, f"{value:g}", sensor, score) for sensor, score in alone.items()]
    each = pd.DataFrame(rows, columns=["method", "value", "sensor", "score"])
    table = each.pivot_table("score", "method", "value", sort=False)
    apart = each.pivot_table("score", "value", ["method", "sensor"], sort=False)
    table = table.assign(chosen=table.idxmax(axis=1).astype(float))
    print(table.round(2).to_string())
    if out:
        sensors = {" / ".join(column): dict(apart[column].dropna()) for column in apart}
        files.write_json(out, {**how, **table.to_dict(), "sensors": sensors})


def pooled_choice(
    tries: Sequence[tuple[str, float]], planned: Sequence[Run]
) -> dict[str, dict[str, float]]:
    """ "method / network" → value → F1 × 100 of the validation predictions of all folds and seeds
    together, "chosen", the best value, and F1 of the test predictions of these seeds, with that
    value ("test") and with the one that each fold chooses for itself ("nested test")."""
    answers: dict[str, dict[str, list[Answers]]] = {}
    for (method, value), run in zip(tries, planned, strict=True):
        for network, own in fold_answers(run).items():
            values = answers.setdefault(f"{method} / {network}", {})
            values.setdefault(f"{value:g}", []).append(own)
    chosen = {}
    for name, values in answers.items():
        valid = {value: pooled_f1(each, "valid") for value, each in values.items()}
        best = max(valid, key=valid.__getitem__)
        nested = [
            max(same_fold, key=lambda each: pooled_f1([each], "valid"))
            for same_fold in zip(*values.values(), strict=True)
        ]
        tested = {"test": pooled_f1(values[best], "test"), "nested test": pooled_f1(nested, "test")}
        chosen[name] = {**valid, "chosen": float(best), **tested}
    return chosen


@torch.inference_mode()
def fold_answers(run: Run) -> dict[str, Answers]:
    """Network → part ("valid" or "test") → logits [N, C] and classes [N] of a finished run."""
    split, answers = fold_split(run.source, run.modalities, run.origin.drawn, run.parts), {}
    model, result = load_run(run.folder, split)
    tested = read_predictions(run.folder / "predictions.npz")
    for network in result.scores:
        images = ModalityTensor(split.valid, network, "cpu")
        logits = model.predict(network, images[torch.arange(len(images))])
        stored = (torch.from_numpy(tested[f"{network}_{kind}"]) for kind in ("logits", "labels"))
        answers[network] = {"valid": (logits, images.truth()), "test": tuple(stored)}
    return answers


@lru_cache(maxsize=1)
def fold_split(source: str, modalities: str, drawn: int | None, parts: tuple) -> discom.data.Split:
    """Divided once for the values of one fold, which follow each other."""
    return discom.data.load(source, modalities, drawn).split(*parts)


def pooled_f1(answers: Sequence[Answers], part: str) -> float:
    """Weighted F1 × 100 of one part of all folds together."""
    logits, labels = map(torch.cat, zip(*(each[part] for each in answers), strict=True))
    return round(scores(logits, labels)["f1"], 3)


@flags.command
def twins(folder: Path) -> None:
    """Write FOLDER-twins: each sensor and a copy of it."""
    data = discom.data.load(str(folder))
    copies = {name + TWIN: sensor for name, sensor in data.modalities.items()}
    data.with_modalities({**data.modalities, **copies}).save(f"{folder}-twins")


@flags.command
def doubled(folder: Path) -> None:
    """Write FOLDER-doubled: images of twice the height and width, bilinear, for pretrained
    networks. In float64 first, so that every processor makes the same ones."""
    data, large = discom.data.load(str(folder)), {}
    for name, sensor in data.modalities.items():
        images = torch.from_numpy(sensor.x[:].astype("float64"))
        images = interpolate(images, scale_factor=2, mode="bilinear")
        large[name] = replace(sensor, x=images.numpy().astype("float32"))
    data.with_modalities(large).save(f"{folder}-doubled")


grid = click.Group("grid", commands=[compare, choose, twins, doubled], help=__doc__)

if __name__ == "__main__":
    sys.exit(cli.main(command=grid))
