"""What a trained run's embeddings hold: every measure of `probing`, taken on the test part of the
run's own split."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from discom import methods, probing
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.batches import Images, paired_rows
from discom.errors import DataError, RunError
from discom.evaluation import embed, scores
from discom.files import digest, read_json, write_json
from discom.runs import Result, identity, weights_file
from discom.tables.statistics import label

__all__ = ["embeddings", "factors", "inspect", "load_run", "mean_matrices", "readings", "seed_of"]

ANGLES = ("rotation", "phase")  # factors in radians: read as cosine and sine
PARTS = ("inv", "inf", "irr")
CODED = 1000  # test samples that SAP, MIG and DCI see: their trees take minutes on more


def load_run(run_dir: Path | str, split: Split, network: str) -> tuple[methods.Method, Result]:
    """A finished run's model in eval mode, with the best weights of one deployed network.

    Raises:
        RunError: the run is not done, was trained on another split, or its weights cannot be read.
    """
    run_dir = Path(run_dir)
    result = Result.read(run_dir / "result.json")
    try:
        method, config = (
            methods.get(result.method),
            Config(**{**result.config, "accelerator": "auto"}),
        )
    except TypeError as error:
        raise RunError(
            f"{run_dir}: has settings of another version ({error}); train it again"
        ) from None
    held, here = read_json(run_dir / "config.json"), identity(method, split, config)
    if held.get("split") != here["split"]:
        raise RunError(
            f"{run_dir}: was trained on another split; give the split of its data with seed {result.seed} (commands:"
            " --data and --modalities as in its training)"
        )
    with torch.random.fork_rng():
        model = methods.build(method, split.train, config)
    try:
        model.load_state(network, load_file(weights_file(run_dir, network)))
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"{run_dir}: weights cannot be read ({reason}); delete the folder and train it again"
        ) from None
    return model.eval().requires_grad_(False), result


def embeddings(run_dir: Path | str, split: Split) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Part of the split ("train", "test") → modality → "inv", "inf", "irr" [N, D] and "logits" and
    "aux inv", …, the auxiliary head's logits on each part [N, C]; rows as in the data's modality.
    Each modality has its own best weights.
    """
    found = {"train": {}, "test": {}}
    for name in split.train.modalities:
        model, _ = load_run(run_dir, split, name)
        for part in found:
            z = embed(model, name, Images(getattr(split, part), name, "cpu"))
            heads = model.heads(name)
            logits = {"logits": heads.task[name](torch.cat([z["inv"], z["inf"]], dim=1))}
            logits |= {f"aux {key}": heads.aux(z[key]) for key in PARTS}
            found[part][name] = {key: value.numpy() for key, value in {**z, **logits}.items()}
    return found


def readings(run_dir: Path | str, split: Split) -> list[Result]:
    """Table 4: the class read from one part of a trained run's embedding alone, as results of
    "discom z_inv" and so on.

    Two readers of each part: the shared auxiliary head that was trained along (as the paper does;
    z_irr it never saw), and, named "… probe", a linear classifier fitted afterwards to the training
    part's embeddings, which also reads what no head was asked for. They are kept in
    `run_dir`/readings.json.
    """
    file, result = Path(run_dir) / "readings.json", Result.read(Path(run_dir) / "result.json")
    if kept := _kept(file, result):
        return [Result.from_json(held, file) for held in kept]
    held, found = embeddings(run_dir, split), {}
    for name, test in held["test"].items():
        y, truth = (getattr(split, part).modalities[name].y for part in ("train", "test"))
        for key in PARTS:
            reader = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(
                held["train"][name][key], y
            )
            read = {"": test[f"aux {key}"], " probe": _full(reader, test[key], result.classes)}
            for how, logits in read.items():
                scored = scores(torch.as_tensor(logits).float(), torch.from_numpy(truth))
                found.setdefault(f"z_{key}{how}", {})[name] = {**result.scores[name], **scored}
    made = [
        replace(result, method=f"{_label(result)} {part}", scores=found[part]) for part in found
    ]
    _keep(file, result, [one.to_json() for one in made])
    return made


def _keep(file: Path, result: Result, found: Any) -> None:
    """Store what was measured on a run, with what tells whether it is still that."""
    write_json(
        file, {"result": digest(result.to_json()), "checksum": digest(found), "found": found}
    )


def _kept(file: Path, result: Result) -> Any:
    """What `_keep` stored; None if there is nothing, or if the run was trained again or the file
    changed since."""
    try:
        held = read_json(file)
        same = (held["result"], held["checksum"]) == (
            digest(result.to_json()),
            digest(held["found"]),
        )
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None
    return held["found"] if same else None


def _full(reader, z: np.ndarray, classes: int) -> np.ndarray:
    """Log-probabilities [N, C], with a column for every class, also for those that the reader never
    met."""
    logits = np.full((len(z), classes), -1e9, np.float32)
    logits[:, reader[-1].classes_] = reader.predict_log_proba(z)
    return logits


def _label(result: Result) -> str:
    return label(result.method, result.config["options"])


def factors(data: MultiModalData, modality: str) -> dict[str, np.ndarray]:
    """What a modality's samples can be asked for: their class and every factor that varies; an
    angle as its cosine and sine, a factor that only repeats another one once."""
    rows = data.rows_of(modality)
    found = {"class": data.labels[rows]}
    for name, values in data.factors.items():
        held = np.asarray(values)[rows]
        if len(np.unique(held)) > 1 and not any(
            np.array_equal(held, other) for other in found.values()
        ):
            found[name] = np.stack([np.cos(held), np.sin(held)], 1) if name in ANGLES else held
    return found


def inspect(run_dir: Path | str, split: Split, *, scored: bool = False) -> dict[str, Any]:
    """Every measure of a run with embeddings, as plain JSON; kept in `run_dir`/probes.json.

    Args:
        run_dir: a finished run of discom or discom-solo.
        split: of its data, with its seed.
        scored: whether SAP, MIG and DCI are measured as well, whose trees take half a minute a
            modality.

    Returns:
        method, data, seed, hash; for each modality m: `matrix` ("m z_inv" → factor → score of a
        linear probe), with `shuffled` alike; `chance` and `kind` (factor → …); `modality` ("z_inv"
        → score, chance and shuffled of a probe that tells the modalities apart, on complete pairs);
        `cka` ("rgb z_inv | depth z_inv" → likeness); `scores` (m → sap, mig, dci, completeness and
        informativeness of the three parts side by side, if asked for); `f1` (m → test F1).
    """
    run_dir = Path(run_dir)
    file, result = run_dir / "probes.json", Result.read(run_dir / "result.json")
    if (kept := _kept(file, result)) and (kept["scores"] or not scored):
        return kept
    held = embeddings(run_dir, split)
    made: dict[str, Any] = {
        "method": _label(result),
        "data": result.data,
        "seed": result.seed,
        "hash": result.hash,
    }
    made |= {"f1": result.f1, "matrix": {}, "shuffled": {}, "chance": {}, "kind": {}, "scores": {}}
    for name in held["test"]:
        asked = factors(split.test, name)
        train, test = (
            {f"{name} z_{key}": held[part][name][key] for key in PARTS}
            for part in ("train", "test")
        )
        table = probing.probe_matrix(test, asked, train=train)
        made["matrix"] |= table.to_dict("index")
        for field in ("shuffled", "chance", "kind"):
            made[field] |= table.attrs[field]
        if scored:
            made["scores"][name] = _scores(np.concatenate(list(test.values()), axis=1), asked)
    made |= _across(held, split)
    _keep(file, result, made)
    return made


def _scores(codes: np.ndarray, asked: Mapping[str, np.ndarray]) -> dict[str, float]:
    """SAP, MIG and DCI over the categorical factors, the class apart, which is made of them; none
    if fewer than two."""
    named = [
        values for name, values in asked.items() if name != "class" and values.dtype.kind in "iu"
    ]
    if len(named) < 2:
        return {}
    codes, coded = codes[:CODED], np.stack(named, axis=1)[:CODED]
    parts = probing.dci_parts(codes, coded)
    return {"sap": probing.sap(codes, coded), "mig": probing.mig(codes, coded), "dci": parts.pop("disentanglement"),
            **parts}  # fmt: skip


def _across(held: Mapping[str, Any], split: Split) -> dict[str, Any]:
    """What takes two modalities: telling them apart, and the likeness of all parts, on the complete
    pairs."""
    rows = {part: paired_rows(getattr(split, part), list(held[part])) for part in held}
    paired = {part: {name: {key: held[part][name][key][rows[part][name]] for key in PARTS} for name in held[part]}
              for part in held}  # fmt: skip
    telling = {}
    for key in PARTS:
        test, train = (
            {name: z[key] for name, z in paired[part].items()} for part in ("test", "train")
        )
        telling[f"z_{key}"] = probing.modality_probe(test, train=train)._asdict()
    flat = {f"{name} z_{key}": z[key] for name, z in paired["test"].items() for key in PARTS}
    names = list(flat)
    alike = {
        f"{a} | {b}": probing.cka(flat[a], flat[b])
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    return {"modality": telling, "cka": alike}


def seed_of(run_dir: Path | str) -> int:
    """The seed of a finished run, which is that of its split."""
    return Result.read(Path(run_dir) / "result.json").seed


def mean_matrices(found: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Method (with its options) → probe matrix, the mean over its runs, of what `inspect` gave."""
    named: dict[str, list[pd.DataFrame]] = {}
    for one in found:
        named.setdefault(one["method"], []).append(
            pd.DataFrame.from_dict(one["matrix"], orient="index")
        )
    return {
        name: pd.concat(held).groupby(level=0, sort=False).mean() for name, held in named.items()
    }
