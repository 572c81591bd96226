"""What a trained run's embeddings hold: every measure of `probing`, taken on the test part of the
run's own split."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from discom import methods
from discom.data import MultiModalData, Split
from discom.data.batches import ModalityTensor, paired_rows
from discom.data.checks import UNLABELLED
from discom.evaluation import probing
from discom.evaluation.scores import embed, scores
from discom.files import read_json, write_json
from discom.running.runs import Result, load_run

ANGLES = ("rotation", "phase")  # factors in radians: read as cosine and sine
PARTS = ("inv", "inf", "irr")


def embeddings(run_dir: Path | str, split: Split) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Part of the split ("train", "test") → modality → "inv", "inf", "irr" [N, D] and "logits" and
    "aux inv", …, the auxiliary head's logits on each part [N, C]; rows as in the data's modality.
    Each modality has its own best weights."""
    arrays: dict[str, dict[str, dict[str, np.ndarray]]] = {"train": {}, "test": {}}
    model: Any
    for name in split.train.modalities:
        model, _ = load_run(run_dir, split, name)
        for part in arrays:
            z = embed(model, name, ModalityTensor(getattr(split, part), name, "cpu"))
            heads = model.heads(name)
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
            for how, answers in (("", test[f"aux {key}"]), (" probe", logits)):
                values = scores(torch.as_tensor(answers).float(), torch.from_numpy(truth))
                scored.setdefault(f"z_{key}{how}", {})[name] = {**result.scores[name], **values}
    return [replace(result, method=f"{result.label} {key}", scores=scored[key]) for key in scored]


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
        method, data, seed, hash, f1 (modality m → test F1); `matrix` and `shuffled` ("m z_inv" →
        factor → score of a linear probe, and of its control); `chance` and `kind` (m → factor → …);
        `modality` ("z_inv" → linear probe that tells the modalities apart); `mlp`, what an MLP
        reads: `modality` as before and `matrix` of the class ("m z_irr" → "class" → score);
        `transfer`, a class reader of z_inv (m fitted to → m read → accuracy); `cka` ("rgb z_inv |
        depth z_inv" → likeness). What compares modalities is taken on complete pairs.
    """
    result, arrays = Result.read(Path(run_dir) / "result.json"), embeddings(run_dir, split)
    run = {"method": result.label, "data": result.data, "seed": result.seed, "hash": result.hash}
    pairs = _pairs(arrays, split)
    mlp = {"modality": _probe_modality(pairs, "mlp"), "matrix": _probe_class(arrays, split)}
    probes = _probe_factors(arrays, split)
    return {**run, "f1": result.f1, **probes, **_compare_modalities(pairs), "mlp": mlp}


def write_probes(run_dir: Path | str, split: Split) -> None:
    """Write what `inspect` measures of a run as probes.json beside its result, where its method has
    an embedding: weights are seldom kept as long as results."""
    method = methods.get(Result.read(Path(run_dir) / "result.json").method)
    if method.embed is not methods.Method.embed:
        write_json(Path(run_dir) / "probes.json", inspect(run_dir, split))


def read_probes(run_dirs: Iterable[Path], file: Path | None) -> dict[str, Any]:
    """Hash of a run → its measures, of those in `file`, which holds many, and of runs that have a
    probes.json."""
    files = [run_dir / "probes.json" for run_dir in run_dirs]
    stored = [read_json(each) for each in files if each.is_file()]
    every = stored + (read_json(file) if file and file.is_file() else [])
    return {measures["hash"]: measures for measures in every}


def _probe_factors(arrays: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """Each modality's own factors and chance levels: its samples may be others."""
    names = ("matrix", "shuffled", "chance", "kind")
    fields: dict[str, Any] = {name: {} for name in names}
    for name in arrays["test"]:
        columns = factors(split.test, name)
        z = {part: {f"{name} z_{key}": arrays[part][name][key] for key in PARTS} for part in arrays}
        table = probing.probe_matrix(z["test"], columns, train=z["train"])
        fields["matrix"] |= table.to_dict("index")
        fields["shuffled"] |= table.attrs["shuffled"]
        fields["chance"][name] = table.attrs["chance"]
        fields["kind"][name] = table.attrs["kind"]
    return fields


def _probe_class(arrays: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """What an MLP reads of the class from the part that is discarded, as `matrix` says it."""
    rows: dict[str, Any] = {}
    for name in arrays["test"]:
        test, train = ({f"{name} z_irr": arrays[part][name]["irr"]} for part in ("test", "train"))
        labels = {"class": split.test.modalities[name].y}
        rows |= probing.probe_matrix(test, labels, train=train, reader="mlp").to_dict("index")
    return rows


def _pairs(arrays: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """Part of the split → part of the embedding → modality → [N, D] of the test part's complete
    pairs and all training samples, and their "class" [N]."""
    pairs: dict[str, Any] = {}
    for part, modalities in arrays.items():
        data = getattr(split, part)
        rows: Any = dict.fromkeys(modalities, slice(None))  # of training, mean and spread of units
        if part == "test":
            rows = paired_rows(data, list(modalities))
        pairs[part] = {
            key: {name: z[key][rows[name]] for name, z in modalities.items()} for key in PARTS
        }
        first = next(iter(modalities))
        pairs[part]["class"] = data.modalities[first].y[rows[first]]
    return pairs


def _probe_modality(pairs: Mapping[str, Any], reader: str) -> dict[str, Any]:
    train, test = pairs["train"], pairs["test"]
    return {
        f"z_{key}": probing.modality_probe(test[key], train=train[key], reader=reader)._asdict()
        for key in PARTS
    }


def _compare_modalities(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Telling the modalities apart, carrying a class reader over, and the likeness of all parts."""
    train, test = pairs["train"], pairs["test"]
    transfer = probing.class_transfer(test["inv"], test["class"], train=train["inv"])
    z = {f"{name} z_{key}": test[key][name] for name in test["inv"] for key in PARTS}
    return {
        "modality": _probe_modality(pairs, "linear"),
        "transfer": transfer.to_dict("index"),
        "cka": {f"{a} | {b}": probing.cka(z[a], z[b]) for a, b in combinations(z, 2)},
    }


def mean_matrices(inspected: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Method (with its options) → probe matrix, the mean over its runs, of what `inspect` gave."""
    return _means(inspected, lambda measures: measures["matrix"])


def part_scores(inspected: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """What a linear probe reads from each part, of what `inspect` gave for each run: columns
    method, seed, modality, part ("z_inv", …), `sensor` and `class`, accuracies in %."""
    rows = []
    for run in inspected:
        for place, read in run["matrix"].items():
            modality, part = place.split()  # "rgb z_inv"
            row = {"method": run["method"], "seed": run["seed"], "modality": modality, "part": part}
            rows.append(row | {"sensor": run["modality"][part]["score"], "class": read["class"]})
    return pd.DataFrame(rows)


def reader_tables(inspected: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Method (with its options) → what each reader reads in %, the mean over its runs, of what
    `inspect` gave: rows the question and the embedding, columns linear, mlp and chance."""
    return _means(inspected, answers)


def answers(measures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """A question, such as "modality from z_inv" → "linear", "mlp" and "chance" in %, of what
    `inspect` gave for one run. A class probe fitted on another modality has no "mlp"."""
    rows: dict[str, dict[str, float]] = {}
    matrix, mlp = measures["matrix"], measures["mlp"]
    for part, probe in measures["modality"].items():
        read = {"linear": probe["score"], "mlp": mlp["modality"][part]["score"]}
        rows[f"modality from {part}"] = {**read, "chance": probe["chance"]}
    chance = {name: levels["class"] for name, levels in measures["chance"].items()}
    for name, level in chance.items():
        row = f"{name} z_irr"
        read = {"linear": matrix[row]["class"], "mlp": mlp["matrix"][row]["class"]}
        rows[f"class from {row}"] = {**read, "chance": level}
    for own, accuracies in measures["transfer"].items():
        for name, score in accuracies.items():
            row = f"class from {name} z_inv (fitted on {own})"
            rows[row] = {"linear": score, "chance": chance[name]}
    return rows


def _means(inspected: Iterable[Mapping[str, Any]], table: Callable) -> dict[str, pd.DataFrame]:
    runs: dict[str, list[pd.DataFrame]] = {}
    for measures in inspected:
        cells = pd.DataFrame.from_dict(table(measures), orient="index")
        runs.setdefault(measures["method"], []).append(cells)
    return {
        name: pd.concat(tables).groupby(level=0, sort=False).mean() for name, tables in runs.items()
    }
