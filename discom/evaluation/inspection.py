"""What a trained run's embeddings hold: every measure of `probing`, taken on the test part of the
run's own split."""

from collections.abc import Iterable, Mapping
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
from discom.data.batches import Images, paired_rows
from discom.data.checks import UNLABELLED
from discom.evaluation import probing
from discom.evaluation.scores import embed, scores
from discom.runs import Result, load_run

__all__ = ["embeddings", "factors", "inspect", "mean_matrices", "readings"]

ANGLES = ("rotation", "phase")  # factors in radians: read as cosine and sine
PARTS = ("inv", "inf", "irr")
CODED = 1000  # test samples for SAP, MIG and DCI, whose trees take minutes on more


def embeddings(run_dir: Path | str, split: Split) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Part of the split ("train", "test") → modality → "inv", "inf", "irr" [N, D] and "logits" and
    "aux inv", …, the auxiliary head's logits on each part [N, C]; rows as in the data's modality.
    Each modality has its own best weights."""
    arrays: dict[str, dict[str, dict[str, np.ndarray]]] = {"train": {}, "test": {}}
    model: Any
    for name in split.train.modalities:
        model, _ = load_run(run_dir, split, name)
        for part in arrays:
            z = embed(model, name, Images(getattr(split, part), name, "cpu"))
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
    train = split.train.hide(result.config["labelled"], result.seed)
    scored: dict[str, Any] = {}
    for name, test in arrays["test"].items():
        labels, truth = train.modalities[name].y, split.test.modalities[name].y
        known = labels != UNLABELLED
        for key in PARTS:
            reader = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
            reader.fit(arrays["train"][name][key][known], labels[known])
            logits = np.full((len(truth), result.classes), -1e9)  # training may lack a class
            logits[:, reader.classes_] = reader.predict_log_proba(test[key])
            for how, answers in (("", test[f"aux {key}"]), (" probe", logits)):
                values = scores(torch.as_tensor(answers).float(), torch.from_numpy(truth))
                scored.setdefault(f"z_{key}{how}", {})[name] = {**result.scores[name], **values}
    method = methods.label(result.method, result.config["options"])
    return [replace(result, method=f"{method} {key}", scores=scored[key]) for key in scored]


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


def inspect(run_dir: Path | str, split: Split, *, scored: bool = False) -> dict[str, Any]:
    """Every measure of a run of discom or discom-solo, as plain JSON; `scored` adds SAP, MIG and
    DCI, half a minute a modality.

    Returns:
        method, data, seed, hash, f1 (modality m → test F1); `matrix` and `shuffled` ("m z_inv" →
        factor → score of a linear probe, and of its control); `chance` and `kind` (m → factor → …);
        `modality` ("z_inv" → probe that tells the modalities apart, on complete pairs); `cka` ("rgb
        z_inv | depth z_inv" → likeness); `scores` (m → sap, mig, dci, completeness and
        informativeness of the three parts side by side).
    """
    result, arrays = Result.read(Path(run_dir) / "result.json"), embeddings(run_dir, split)
    name = methods.label(result.method, result.config["options"])
    run = {"method": name, "data": result.data, "seed": result.seed, "hash": result.hash}
    probes = _probe_factors(arrays, split, scored)
    return {**run, "f1": result.f1, **probes, **_compare_modalities(arrays, split)}


def _probe_factors(arrays: Mapping[str, Any], split: Split, scored: bool) -> dict[str, Any]:
    """Each modality's own factors, chance levels and scores: its samples may be others."""
    names = ("matrix", "shuffled", "chance", "kind", "scores")
    fields: dict[str, Any] = {name: {} for name in names}
    for name in arrays["test"]:
        columns = factors(split.test, name)
        z = {part: {f"{name} z_{key}": arrays[part][name][key] for key in PARTS} for part in arrays}
        table = probing.probe_matrix(z["test"], columns, train=z["train"])
        fields["matrix"] |= table.to_dict("index")
        fields["shuffled"] |= table.attrs["shuffled"]
        fields["chance"][name] = table.attrs["chance"]
        fields["kind"][name] = table.attrs["kind"]
        if scored:
            fields["scores"][name] = _scores(np.hstack(list(z["test"].values())), columns)
    return fields


def _scores(codes: np.ndarray, columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """SAP, MIG and DCI over the categorical factors but the class, which is made of them."""
    whole = [y for key, y in columns.items() if key != "class" and y.dtype.kind in "iu"]
    if len(whole) < 2:
        return {}
    codes, values = codes[:CODED], np.stack(whole, axis=1)[:CODED]
    parts = probing.dci_parts(codes, values)
    measures = {"sap": probing.sap(codes, values), "mig": probing.mig(codes, values)}
    return {**measures, "dci": parts.pop("disentanglement"), **parts}


def _compare_modalities(arrays: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """Telling the modalities apart, and the likeness of all parts, on the complete pairs."""
    paired = {}
    for part, modalities in arrays.items():
        rows = paired_rows(getattr(split, part), list(modalities))
        paired[part] = {
            key: {name: z[key][rows[name]] for name, z in modalities.items()} for key in PARTS
        }
    train, test = paired["train"], paired["test"]
    modality = {
        f"z_{key}": probing.modality_probe(test[key], train=train[key])._asdict() for key in PARTS
    }
    z = {f"{name} z_{key}": test[key][name] for name in arrays["test"] for key in PARTS}
    cka = {f"{a} | {b}": probing.cka(z[a], z[b]) for a, b in combinations(z, 2)}
    return {"modality": modality, "cka": cka}


def mean_matrices(inspected: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Method (with its options) → probe matrix, the mean over its runs, of what `inspect` gave."""
    runs: dict[str, list[pd.DataFrame]] = {}
    for measures in inspected:
        matrix = pd.DataFrame.from_dict(measures["matrix"], orient="index")
        runs.setdefault(measures["method"], []).append(matrix)
    return {
        name: pd.concat(tables).groupby(level=0, sort=False).mean() for name, tables in runs.items()
    }
