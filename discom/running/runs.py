"""A run on disk: its identity, its folder, and its result.

<runs>/<data set>/<method>/<seed>-<hash>-<code>/
    config.json         what was asked for
    metrics.csv         one row an epoch
    state.pt            the checkpoint; gone when the run is done
    weights/<network>.safetensors    the best epoch of that network by its validation score
    predictions.npz     logits of the test part; of a dense method the classes of its pixels
    result.json         written last and in one piece: a folder that has it is done

The hash names what was asked for: method, settings and options in full, data, seeds, teacher. The
code is the digest of what the method runs (`methods.code`): an edited loss gives another folder.
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
from safetensors.torch import load_file

from discom import methods
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.splitting import Origin
from discom.errors import RunError, first_line
from discom.files import ANEW, read_json
from discom.methods import Method
from discom.running.identity import ORIGIN, asked, filled, run_hash, settings_of


@dataclass(frozen=True)
class Result:
    """What a run reports; every field is plain JSON.

    Args:
        method, data, seed: which run, by the names of method and data.
        digest, drawn, divided: of its data, see `Origin`: by these results are grouped.
        scores: network (a modality, or "rgb+depth") → test scores, best_epoch, valid_f1 (or
            valid_miou).
        parameters: network → number of its parameters.
        seconds: of training and validation, without the test.
        pairs_per_second, peak_memory_mb: training samples of each modality; of process or GPU.
        config: the settings, with the method's options in full and the precision that was used.
        machine: processor, device, threads, versions, commit.
        counts, classes: samples of the three parts, and labelled ones of the training part; C.
        changed: the method's options that are not the default.
        best: network → the best possible score in %, where the data say it.
        teacher: `asked` of the run that it learned from, if any.
        code: digest of the method's code, see `methods.code`; of older results unknown.
        metric: the score that chose the epoch and that tables show.
        fold, folds: which of how many folds was tested, from 0 on; None and 0 for a plain split.
        tested: of a fold, what `evaluation.scores.count_by_group` gives.
    """

    method: str
    data: str
    seed: int
    digest: str
    drawn: int | None
    divided: int | None
    scores: dict[str, dict[str, float]]
    parameters: dict[str, int]
    seconds: float
    pairs_per_second: float
    peak_memory_mb: float
    config: dict[str, Any]
    machine: dict[str, Any]
    counts: dict[str, int]
    classes: int
    changed: dict[str, Any] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    teacher: Mapping[str, Any] | None = None
    code: str = "unknown"
    metric: str = "f1"
    fold: int | None = None
    folds: int = 0
    tested: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """Its method with the options that are not the default, and a teacher's settings that are
        not its own, as rows of tables are called."""
        label = methods.label(self.method, self.changed)
        if not self.teacher:
            return label
        theirs, own = self.teacher["config"], ("seed", "options")
        other = {k: v for k, v in theirs.items() if k not in own and v != self.config.get(k)}
        if (name := self.teacher["method"]) in methods.names():  # what it reads is the student's
            options = {k: v for k, v in theirs["options"].items() if k != "reads"}
            other |= methods.get(name).changed(options)
        return methods.label(f"{label} teacher:", other) if other else label

    @cached_property
    def hash(self) -> str:
        """See `run_hash`; what Table 4 reads from the parts of a run has the run's."""
        return run_hash(self.method.split()[0], self, self.config, self.teacher)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Seed, folds and fold: the arguments of `MultiModalData.split` that gave its split."""
        return self.seed if self.divided is None else self.divided, self.folds, self.fold or 0

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
        """`<runs>/<data>/<method>/<seed>-<hash>-<code>`."""
        return Path(runs) / self.data / self.method / f"{self.seed}-{self.hash}-{self.code}"

    def to_json(self) -> dict[str, Any]:
        """Its fields; a ValueError where one is NaN."""
        return json.loads(json.dumps(asdict(self), allow_nan=False))

    @classmethod
    def from_json(cls, content: Any, file: Path | str) -> "Result":
        """What `to_json` gave, read from `file`, with settings that are newer than it at their
        default; a RunError where it is none."""
        try:
            values = dict(content)
            values["config"] = filled(values["method"], values["config"])
            if teacher := values.get("teacher"):
                theirs = filled(teacher["method"], teacher["config"])
                values["teacher"] = {**teacher, "config": theirs}
            method, options = values["method"], values["config"]["options"]
            if method in methods.names() and not options.keys() - methods.get(method).defaults():
                values["changed"] = methods.get(method).changed(options)
            return cls(**values)
        except (TypeError, ValueError, KeyError) as error:
            raise RunError(file, f"not a result that discom wrote ({error})", ANEW) from None

    @classmethod
    def read(cls, file: Path | str) -> "Result":
        """Read a result.json; a DiscomError where it is missing or damaged."""
        if not Path(file).exists():
            raise RunError(file, "no such result", "train the run first")
        return cls.from_json(read_json(file), file)


@dataclass(frozen=True)
class Run:
    """Where a method with some settings trains on a data set, which `data.load` reads from
    `source` and `modalities`."""

    runs: Path | str
    method: str
    data: str
    origin: Origin
    config: Config
    source: str = ""
    modalities: str | None = None
    teacher: "Run | None" = None

    @classmethod
    def of(
        cls,
        runs: Path | str,
        method: type[Method],
        data: MultiModalData,
        config: Config,
        source: str = "",
        modalities: str | None = None,
        folds: int = 0,
        fold: int = 0,
    ) -> "Run":
        """The run of `method` on `data` (of `folds` on one `fold`), with its options in full. A
        method with a teacher depends on the teacher's run: the one of the same settings, seed and
        data."""
        config, teacher = replace(config, options=method.options(config.options)), None
        if method.teacher_method is not None:
            chosen = config.options.get("teacher")  # what it reads, where that can be chosen
            theirs = replace(config, options={"reads": chosen} if chosen else {})
            place = source, modalities, folds, fold
            teacher = cls.of(runs, method.teacher_method, data, theirs, *place)
        origin = data.origin_at(config.seed, folds, fold)
        return cls(runs, method.name, data.name, origin, config, source, modalities, teacher)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Seed, folds and fold: the arguments of `MultiModalData.split` and `origin_at`."""
        return self.config.seed, self.origin.folds, self.origin.fold or 0

    @cached_property
    def settings(self) -> dict[str, Any]:
        """See `settings_of`."""
        return settings_of(methods.get(self.method), self.config)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What its students keep of it."""
        return asked(self.method, self.settings, self.teacher.asked if self.teacher else None)

    @cached_property
    def hash(self) -> str:
        """See `run_hash`."""
        return run_hash(self.method, self.origin, self.settings, self.asked["teacher"])

    @cached_property
    def code(self) -> str:
        """See `methods.code`."""
        return methods.code(methods.get(self.method))

    @cached_property
    def folder(self) -> Path:
        """`<runs>/<data>/<method>/<seed>-<hash>-<code>`."""
        name = f"{self.config.seed}-{self.hash}-{self.code}"
        return Path(self.runs) / self.data / self.method / name


def identity(
    method: type[Method], split: Split, config: Config, teacher: Path | None = None
) -> dict[str, Any]:
    """What makes a run this one: the content of its config.json."""
    origin, settings = split.origin, settings_of(method, config)
    taught_by = None
    if teacher:
        result = Result.read(teacher / "result.json")
        taught_by = asked(result.method, result.config, result.teacher)
    return {
        "method": method.name,
        **settings,  # first, since the first that differs is named
        "data": split.train.name,
        **{name: getattr(origin, name) for name in ORIGIN},
        "teacher": taught_by,
        "hash": run_hash(method.name, origin, settings, taught_by),
        "code": methods.code(method),
    }


def load_run(
    run_dir: Path | str, split: Split, network: str | None = None
) -> tuple[Method, Result]:
    """A finished run's model in eval mode, frozen, with the best weights of one deployed network,
    by default the first. A RunError where the run is not done, was trained on another split, or has
    weights that cannot be read."""
    run_dir = Path(run_dir)
    result = Result.read(run_dir / "result.json")
    method, origin = methods.get(result.method), split.origin
    with as_run_error(run_dir):
        config = Config(**result.config)
    if any(getattr(result, name) != getattr(origin, name) for name in ORIGIN):
        found = f"was trained on other data, or another split, than {split.train.name}"
        way_out = f"give its data and modalities with seed {result.seed}, or train it again"
        raise RunError(run_dir, found, way_out)
    with torch.random.fork_rng():  # the caller's own draws stay as they are
        model = methods.build(method, split.train, config, restored=True)
    network = network or model.deployed[0]
    with as_run_error(run_dir):
        model.load_state(network, load_file(weights_file(run_dir, network)))
    return model.eval().requires_grad_(False), result


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
        found = f"cannot be read ({first_line(error)})"
        raise RunError(file, found, "delete the run's folder and train it again") from None
