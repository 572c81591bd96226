"""A run on disk: its identity, its folder, and its result.

<runs>/<data set>/<method>/<seed>-<hash>/
    config.json         what was asked for
    metrics.csv         one row an epoch
    state.pt            the checkpoint; gone when the run is done
    weights/<network>.safetensors    the best epoch of that network by its validation score
    predictions.npz     logits of the test part; of a dense method the classes of its pixels
    result.json         written last and in one piece, with a checksum: a folder that has it is done
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from filelock import FileLock, Timeout
from safetensors.torch import load_file

from discom import methods
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.errors import BusyError, RunError, first_line
from discom.files import ANEW, digest, read_json, tidy, write_json
from discom.methods import Method


@dataclass(frozen=True)
class Result:
    """What a run reports; every field is plain JSON.

    Args:
        method, data, seed, hash: which run.
        scores: network (a modality, or "rgb+depth") → test scores, best_epoch, valid_f1 (or
            valid_miou).
        parameters: network → number of its parameters.
        seconds: of training and validation, and of asking a teacher; without the test.
        pairs_per_second, peak_memory_mb: training samples of each modality; of process or GPU.
        config: the settings, with the method's options in full.
        machine: processor, device, threads, versions, commit, devices, precision used.
        counts, classes: samples of the three parts, and labelled ones of the training part; C.
        teacher: hash of the run that it learned from, if any.
        metric: the score that chose the epoch and that tables show.
        samples: see `samples_of`; empty where it is not known.
    """

    method: str
    data: str
    seed: int
    hash: str
    scores: dict[str, dict[str, float]]
    parameters: dict[str, int]
    seconds: float
    pairs_per_second: float
    peak_memory_mb: float
    config: dict[str, Any]
    machine: dict[str, Any]
    counts: dict[str, int]
    classes: int
    teacher: str | None = None
    metric: str = "f1"
    samples: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its method with the options that are not the default, as rows of tables are called."""
        name, options = self.method.partition(" ")[0], self.config["options"]  # "discom z_inv"
        changed = methods.get(name).changed(options) if name in methods.names() else options
        return methods.label(self.method, changed)

    @property
    def main(self) -> dict[str, float]:
        """Network → the score that tables show: weighted F1 × 100, or mean IoU in percent."""
        return {name: scores[self.metric] for name, scores in self.scores.items()}

    @property
    def valid(self) -> dict[str, float]:
        """Network → the same score on the validation part, of the epoch that it chose."""
        return {name: scores[f"valid_{self.metric}"] for name, scores in self.scores.items()}

    @property
    def f1(self) -> dict[str, float]:
        """Network → weighted F1 × 100 on the test part."""
        return {name: scores["f1"] for name, scores in self.scores.items()}

    def folder(self, runs: Path | str) -> Path:
        """Where its run is, in the folder of all runs."""
        return Path(runs) / self.data / self.method / f"{self.seed}-{self.hash}"

    def to_json(self) -> dict[str, Any]:
        """Its fields, and a checksum of them."""
        content = json.loads(json.dumps(asdict(self)))
        return {**content, "checksum": digest(content)}

    @classmethod
    def from_json(cls, content: Any, file: Path | str) -> "Result":
        """What `to_json` gave, read from `file`; a RunError where its checksum differs."""
        try:
            values = dict(content)
            checksum = values.pop("checksum")
            result = cls(**values)
        except (TypeError, ValueError, KeyError) as error:
            raise RunError(f"{file}: not a result that discom wrote ({error}); {ANEW}") from None
        if checksum != digest(values):
            reason = "was changed after it was measured (its checksum differs)"
            raise RunError(f"{file}: {reason}; {ANEW}")
        return result

    @classmethod
    def read(cls, file: Path | str) -> "Result":
        """Read a result.json; a DiscomError where it is missing, damaged or edited."""
        if not Path(file).exists():
            raise RunError(f"{file}: no such result; train the run first")
        return cls.from_json(read_json(file), file)


@dataclass(frozen=True)
class Run:
    """Where a method with some settings trains on a data set."""

    runs: Path | str
    method: str
    data: str
    fingerprint: str
    config: Config
    teacher: "Run | None" = None
    changed: Mapping[str, Any] = field(default_factory=dict)  # options that are not the default

    @classmethod
    def of(
        cls, runs: Path | str, method: type[Method], data: MultiModalData, config: Config
    ) -> "Run":
        """The run of `method` on `data`, with its options in full. A taught method depends on its
        teacher's run: the one of the same settings, seed and data."""
        config, teacher = replace(config, options=method.options(config.options)), None
        if method.needs_teacher and method.teacher_method is not None:
            chosen = config.options.get("teacher")  # what it reads, where that can be chosen
            reads = replace(config, options={"reads": chosen} if chosen else {})
            teacher = cls.of(runs, method.teacher_method, data, reads)
        changed = method.changed(config.options)
        return cls(runs, method.name, data.name, data.fingerprint, config, teacher, changed)

    @cached_property
    def hash(self) -> str:
        """Ten digits that change with data, method, options, settings and teacher."""
        teachers = [self.teacher.hash] if self.teacher else []
        settings = {**self.config.identity(), "options": self.changed}
        return digest(self.method, self.fingerprint, settings, *teachers)[:10]

    @property
    def teacher_folder(self) -> Path | None:
        """The folder of its teacher's run."""
        return self.teacher.folder if self.teacher else None

    @cached_property
    def folder(self) -> Path:
        """`<runs>/<data>/<method>/<seed>-<hash>`."""
        return Path(self.runs) / self.data / self.method / f"{self.config.seed}-{self.hash}"


def identity(
    method: type[Method], split: Split, config: Config, teacher: Path | None = None
) -> dict[str, Any]:
    """What makes a run this one: the content of its config.json. No pixels are read for it."""
    rows = [array for part in split for array in (part.labels, np.asarray(part.ids).astype(str))]
    bounds = {name: bound.to_dict() for name, bound in (split.train.normalization or {}).items()}
    return {
        "method": method.name,
        "data": split.train.name,
        "split": digest(bounds, list(split.train.channels.items()), *rows),
        **config.identity(),
        "options": method.changed(config.options),
        **({"teacher": Result.read(teacher / "result.json").hash} if teacher else {}),
    }


def samples_of(split: Split) -> dict[str, str]:
    """Digests of the labelled ids in "all" parts together and in the "test" part alone: two seeds
    have the same, or split the same samples in two ways, or have samples of their own."""
    ids = [np.sort(np.asarray(part.ids[part.labels >= 0]).astype(str)) for part in split]
    return {"all": digest(np.sort(np.concatenate(ids))), "test": digest(ids[-1])}


def load_run(
    run_dir: Path | str, split: Split, network: str | None = None
) -> tuple[Method, Result]:
    """A finished run's model in eval mode, frozen, with the best weights of one deployed network,
    by default the first. A RunError where the run is not done, was trained on another split, or has
    weights that cannot be read."""
    run_dir = Path(run_dir)
    result = Result.read(run_dir / "result.json")
    with as_run_error(run_dir):
        config = Config(**{**result.config, "accelerator": "auto"})
        trained_on = read_json(run_dir / "config.json")["split"]
    method = methods.get(result.method)
    if trained_on != identity(method, split, config)["split"]:
        way_out = f"give the split of its data and modalities with seed {result.seed}"
        raise RunError(f"{run_dir}: was trained on another split; {way_out}")
    with torch.random.fork_rng():  # the caller's own draws stay as they are
        model = methods.build(method, split.train, config)
    network = network or model.deployed[0]
    with as_run_error(run_dir):
        model.load_state(network, load_file(weights_file(run_dir, network)))
    return model.eval().requires_grad_(False), result


@contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Lock a run's folder, made if need be, until this block or its process ends; a BusyError where
    another process has it, a RunError where it cannot be written."""
    lock = FileLock(run_dir / ".lock", timeout=0)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        reason = "another process trains this run; wait for it, or stop it"
        raise BusyError(f"{run_dir}: {reason}") from None
    except OSError as error:
        reason = f"cannot be written ({error.strerror}); choose another folder for runs"
        raise RunError(f"{run_dir}: {reason}") from None
    try:
        tidy(run_dir)
        yield
    finally:
        lock.release()


def write_identity(run_dir: Path, identity: dict[str, Any]) -> None:
    """Write what was asked for into a run's folder; a RunError where another run is in it."""
    file = run_dir / "config.json"
    identity = json.loads(json.dumps(identity))  # tuples become lists, as they will be read
    if not file.exists():
        write_json(file, identity)
    elif (content := read_json(file)) != identity:
        with as_run_error(file):
            names = {**content, **identity}
        name = next(key for key in names if content.get(key) != identity.get(key))
        reason = f"{name}={content.get(name)!r}, not {identity.get(name)!r}"
        raise RunError(f"{run_dir}: holds a run with {reason}; use another folder")


def weights_file(run_dir: Path | str, network: str) -> Path:
    """Where a run keeps the best weights of one deployed network."""
    return Path(run_dir) / "weights" / f"{network}.safetensors"


def read_metrics(file: Path | str) -> pd.DataFrame:
    """metrics.csv: one row an epoch; a RunError where it is missing or damaged."""
    with as_run_error(file):
        return pd.read_csv(file, float_precision="round_trip")


def read_predictions(file: Path | str) -> dict[str, np.ndarray]:
    """predictions.npz: `classes`, and for each network m `m_logits` [N, C], `m_labels` [N] and
    `m_ids` [N]; of a dense method `m_predicted` and `m_labels`, classes of pixels [N, H, W], uint8.
    A RunError where it is missing or damaged.
    """
    with as_run_error(file), np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


@contextmanager
def as_run_error(file: Path | str) -> Iterator[None]:
    """Make a RunError of whatever a library raises over a damaged file of a run."""
    try:
        yield
    except Exception as error:
        reason = f"cannot be read ({first_line(error)})"
        raise RunError(f"{file}: {reason}; delete the run's folder and train it again") from None
