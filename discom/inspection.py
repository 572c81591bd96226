"""What a trained run's embeddings hold: every measure of `evaluation.probing`, taken on the test
part of the run's own split."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from discom.data import MultiModalData, Split
from discom.data.batches import ModalityTensor, paired_rows
from discom.data.checks import UNLABELLED
from discom.evaluation import probing
from discom.evaluation.scores import embed, scores
from discom.running.runs import Result, load_run

ANGLES = ("rotation", "phase")  # factors in radians: read as cosine and sine
PARTS = ("inv", "inf", "irr")
PLACES = ("train", "test")


def embeddings(run_dir: Path | str, split: Split) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Part of the split ("train", "test") → modality → "inv", "inf", "irr" [N, D] and "logits" and
    "aux inv", …, the auxiliary head's logits on each part [N, C]; rows as in the data's modality.
    Each modality has its own best weights."""
    arrays: dict[str, dict[str, dict[str, np.ndarray]]] = {part: {} for part in PLACES}
    model: Any
    for name in split.train.modalities:
        model, _ = load_run(run_dir, split, name)
        for part in arrays:
            z = embed(model, name, ModalityTensor(getattr(split, part), name, "cpu"))
            heads = model.owner(name).heads
            z["logits"] = heads.task[name](torch.cat([z["inv"], z["inf"]], dim=1))
            z |= {f"aux {key}": heads.aux(z[key]) for key in PARTS}
            arrays[part][name] = {key: value.numpy() for key, value in z.items()}
    return arrays


def readings(run_dir: Path | str, split: Split) -> list[Result]:
    """Table 4: the class read from one part of a trained run's embedding alone, as results of
    "discom z_inv" and so on.

    Two readers of each part: the shared auxiliary head, as in the paper (it never saw z_irr), and,
    named "… probe", a linear classifier fitted afterwards to the training part's embeddings, with
    the labels that the run had.
    """
    result, arrays = Result.read(Path(run_dir) / "result.json"), embeddings(run_dir, split)
    train = split.train.keep_labels(result.config["labelled"], result.seed)
    scored: dict[str, Any] = {}
    for name, test in arrays["test"].items():
        labels, truth = train.modalities[name].y, split.test.modalities[name].y
        known = labels != UNLABELLED
        for key in PARTS:
            reader = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
            reader.fit(arrays["train"][name][key][known], labels[known])
            logits = np.full((len(truth), result.classes), -1e9)  # training may lack a class
            shares = reader.predict_proba(test[key])
            logits[:, reader.classes_] = np.log(np.maximum(shares, np.finfo(float).tiny))
            for how, read in (("", test[f"aux {key}"]), (" probe", logits)):
                values = scores(torch.as_tensor(read).float(), torch.from_numpy(truth))
                scored.setdefault(f"z_{key}{how}", {})[name] = {**result.scores[name], **values}
    named = replace(result, changed={})  # the name holds them
    return [replace(named, method=f"{result.label} {key}", scores=scored[key]) for key in scored]


def factors(data: MultiModalData, modality: str) -> dict[str, np.ndarray]:
    """What a modality's samples can be asked for: their class and every factor that varies; an
    angle as its cosine and sine, a factor that only repeats another one once."""
    rows = data.rows_of(modality)
    columns = {"class": data.labels[rows]}
    for name, column in data.factors.items():
        values = np.asarray(column)[rows]
        repeated = any(np.array_equal(values, other) for other in columns.values())
        if len(np.unique(values)) > 1 and not repeated:
            angle = name in ANGLES
            columns[name] = np.stack([np.cos(values), np.sin(values)], 1) if angle else values
    return columns


def inspect(run_dir: Path | str, split: Split) -> dict[str, Any]:
    """Every measure of a run of discom, discom-solo or mdico, as plain JSON.

    Returns:
        Nested by modality m and part p ("z_inv", "z_inf" or "z_irr"): method, data, seed, f1
        (m → test F1); `matrix` (m → p → factor → score of a linear probe) and `chance` (m → factor
        → level); `modality` (p → linear probe that tells the modalities apart); `transfer`, a class
        reader of z_inv (m fitted to → m read → accuracy); `mlp`, what an MLP reads: `modality`, and
        `matrix` of the class in z_irr. What compares modalities is taken on complete pairs.
    """
    result, z = Result.read(Path(run_dir) / "result.json"), embeddings(run_dir, split)
    run = {"method": result.label, "data": result.data, "seed": result.seed}
    measures: dict[str, Any] = {**run, "f1": result.f1, "matrix": {}, "chance": {}, "modality": {}}
    mlp: dict[str, dict] = {"matrix": {}, "modality": {}}
    for name in z["test"]:  # its own samples, whose factors and chance levels may be others
        train, test = ({f"z_{key}": z[place][name][key] for key in PARTS} for place in PLACES)
        table = probing.probe_matrix(test, factors(split.test, name), train=train)
        measures["matrix"][name] = table.to_dict("index")
        measures["chance"][name] = table.attrs["chance"]
        discarded, labels = {"z_irr": test["z_irr"]}, {"class": split.test.modalities[name].y}
        table = probing.probe_matrix(discarded, labels, train=train, reader="mlp")
        mlp["matrix"][name] = table.to_dict("index")
    rows = paired_rows(split.test, list(z["test"]))
    for key in PARTS:
        pairs = {name: own[key][rows[name]] for name, own in z["test"].items()}
        fit = {name: own[key] for name, own in z["train"].items()}  # mean and spread of units
        for reader, fields in (("linear", measures), ("mlp", mlp)):
            told = probing.modality_probe(pairs, train=fit, reader=reader)
            fields["modality"][f"z_{key}"] = told._asdict()
        if key == "inv":
            classes = split.test.modalities[name].y[rows[name]]  # pairs share them
            transfer = probing.class_transfer(pairs, classes, train=fit)
            measures["transfer"] = transfer.to_dict("index")
    return {**measures, "mlp": mlp}


def _matrix(measures: Mapping[str, Any]) -> pd.DataFrame:
    parts = measures["matrix"].items()
    tables = {name: pd.DataFrame.from_dict(rows, orient="index") for name, rows in parts}
    return pd.concat(tables, names=["modality", "part"])


def mean_matrices(inspected: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Method (with its options) → the mean over its runs, of what `inspect` gave for each, of the
    probe matrix: rows (modality, part), columns the factors."""
    runs: dict[str, list[pd.DataFrame]] = {}
    for measures in inspected:
        runs.setdefault(measures["method"], []).append(_matrix(measures))
    by = ["modality", "part"]
    return {name: pd.concat(own).groupby(by, sort=False).mean() for name, own in runs.items()}


def part_scores(inspected: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """What probes read from each part, of what `inspect` gave for each run: columns method, seed,
    modality, part ("z_inv", …), and accuracies in %. `sensor` and `class` are a linear probe's,
    `sensor, MLP` and `class, MLP` an MLP's, which reads the class from z_irr alone."""
    rows = []
    for run in inspected:
        mlp = run["mlp"]
        for (modality, part), read in _matrix(run)["class"].items():
            row = {"method": run["method"], "seed": run["seed"], "modality": modality, "part": part}
            row |= {"sensor": run["modality"][part]["score"], "class": read}
            row |= {"sensor, MLP": mlp["modality"][part]["score"]}
            row |= {"class, MLP": mlp["matrix"][modality].get(part, {"class": np.nan})["class"]}
            rows.append(row | {"class, chance": run["chance"][modality]["class"]})
    return pd.DataFrame(rows)
