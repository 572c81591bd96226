"""A run on disk, with its identity, its folder, and its result::

    <runs>/<data set>/<method>/<seed>-<hash>-<code>/
        config.json         what was asked for
        metrics.csv         one row an epoch
        state.pt            the checkpoint; gone when the run is done
        weights/<network>.safetensors    the best epoch of that network by its validation score
        last.safetensors    all networks after the last epoch, where that was not everyone's best
        predictions.npz     logits of the test part; of a dense method the classes of its pixels
        result.json         written last and in one piece: a folder that has it is done

The hash names what was asked for: method, settings and options in full, data, seeds, teacher. The
precision that a machine made of the one asked for stands in the result alone, so that a run may go
on on another machine. The code is the digest of what the method runs (`methods.code`): an edited
loss gives another folder.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from discom import methods
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.data.splitting import Origin
from discom.errors import ConfigError, RunError, check_kind
from discom.files import ANEW, as_data_error, digest, read_json
from discom.methods import Method

ORIGIN = ("digest", "drawn", "divided", "fold", "folds")  # what a result says of its split's Origin
SEEDS = ("drawn", "divided", "seed")  # of the samples, of their parts, of the run
TAUGHT_BY = ("method", "config", "teacher")  # what a result says of its teacher
DAMAGED = "delete the run's folder and train it again"
GONE = {"share": {}, "loops": 10 / 300}  # options that methods had → the default that is left


def identity(
    method: type[Method],
    data: str,
    origin: Origin,
    config: Config,
    teacher: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is asked of a run: the first fields of its `Result`, with the options in full, and its
    hash. `teacher`: the same of its teacher."""
    asked = {
        "method": method.name,
        "data": data,
        "seed": config.seed,
        **{name: getattr(origin, name) for name in ORIGIN},
        "config": {**config.identity(), "options": method.options(config.options)},
        "teacher": {name: teacher[name] for name in TAUGHT_BY} if teacher else None,
        "code": methods.code(method),
    }
    return {**asked, "hash": run_hash(asked)}


def run_hash(asked: Mapping[str, Any]) -> str:
    """Ten digits that change with method, data, split, seeds, settings, options and teacher."""
    data = [asked[name] for name in ORIGIN]
    return digest([asked["method"], *data, asked["config"], asked["teacher"]])[:10]


@dataclass(frozen=True)
class Result:
    """What a run reports; every field is plain JSON."""

    method: str
    data: str
    seed: int
    digest: str  # of its data, see `Origin`; results are grouped by it, never by the name
    drawn: int | None
    divided: int | None
    scores: dict[str, dict[str, float]]  # network → test scores, best_epoch, valid_f1 or valid_miou
    parameters: dict[str, int]  # network → number of its parameters
    seconds: float  # of training and validation, without the test
    pairs_per_second: float  # training samples of each modality
    peak_memory_mb: float  # of the process or the GPU, in this run
    config: dict[str, Any]  # the settings, options in full
    machine: dict[str, Any]  # processor, device, threads, versions, commit
    counts: dict[str, int]  # samples of the three parts, and labelled ones, that were used
    classes: int
    changed: dict[str, Any] = field(default_factory=dict)  # the options that are not the default
    best: dict[str, float] = field(default_factory=dict)  # network → best possible score, if known
    teacher: Mapping[str, Any] | None = None  # see `TAUGHT_BY`
    code: str = "unknown"  # see `methods.code`; of older results unknown
    metric: str = "f1"  # the score that chose the epoch and that tables show
    fold: int | None = None  # which of how many was tested, from 0 on; None for a plain split
    folds: int = 0
    tested: dict[str, Any] | None = None  # of a fold, see `evaluation.scores.count_by_group`
    precision: str = ""  # that was used; two where another machine took over, "bf16-mixed, 32-true"

    @property
    def display_name(self) -> str:
        """Its method with the options that are not the default, as rows of tables are called."""
        return methods.display_name(self.method, self.changed)

    @cached_property
    def hash(self) -> str:
        return run_hash(vars(self))

    @property
    def parts(self) -> tuple[int, int, int]:
        """Seed, folds and fold, the arguments of `MultiModalData.split` that gave its split."""
        return self.seed if self.divided is None else self.divided, self.folds, self.fold or 0

    @property
    def main(self) -> dict[str, float]:
        """Network → the score that tables show, weighted F1 × 100 or mean IoU in percent."""
        return {name: scores[self.metric] for name, scores in self.scores.items()}

    @property
    def f1(self) -> dict[str, float]:
        """Network → weighted F1 × 100 on the test part; a RunError for a dense run."""
        if self.metric != "f1":
            raise RunError("f1", f"{self.method} is scored by {self.metric}", "take .main")
        return {name: scores["f1"] for name, scores in self.scores.items()}

    def folder(self, runs: Path | str) -> Path:
        """Where it is in a folder of runs."""
        return Path(runs) / self.data / self.method / f"{self.seed}-{self.hash}-{self.code}"

    def to_json(self) -> dict[str, Any]:
        """Its fields; a ValueError where one is NaN."""
        return json.loads(json.dumps(asdict(self), allow_nan=False))

    @classmethod
    def from_json(cls, content: Any, file: Path | str) -> "Result":
        """What `to_json` gave, read from `file`, with settings that are newer than it at their
        default; a RunError where it is none."""
        try:
            values = _as_today(content)
            if teacher := values.get("teacher"):
                values["teacher"] = _as_today(teacher)
            with suppress(ConfigError):  # of what its method no longer has: the stored name stays
                method = methods.get(values["method"])
                values["changed"] = method.changed(values["config"]["options"])
            return cls(**values)
        except (TypeError, ValueError, KeyError) as error:
            raise RunError(file, f"not a result that discom wrote ({error})", ANEW) from None

    @classmethod
    def read(cls, file: Path | str) -> "Result":
        """Read a result.json; a DiscomError where it is missing or damaged."""
        return cls.from_json(read_json(file, "train the run again"), file)


def _as_today(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for before some settings were there: a newer setting or option has its
    default, a newer term no weight. What a method no longer has goes where it changed nothing."""
    config = {**Config().identity(), **asked["config"]}
    if asked["method"] in methods.names():
        usual, options = methods.get(asked["method"]).options(), config["options"]
        newer = dict.fromkeys(usual["weights"], 0.0)
        weights = {t: w for t, w in options["weights"].items() if w or t in newer}
        kept = {k: v for k, v in options.items() if k in usual or (k, v) not in GONE.items()}
        config["options"] = {**usual, **kept, "weights": {**newer, **weights}}
    return {**asked, "config": config}


@dataclass(frozen=True)
class Run:
    """Where a method, found by `methods.get`, trains with some settings on a data set, found by
    `data.load` from `source` and `modalities`."""

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
        data. A ConfigError for something else than data, such as their split, or than a Config."""
        check_kind("data", data, MultiModalData, "give what data.load(…) returns, before a split")
        check_kind("config", config, Config, 'give profile("cpu")')
        config, teacher = replace(config, options=method.options(config.options)), None
        if method.teacher_method is not None:
            chosen = config.options.get("teacher")  # what it reads, where that can be chosen
            theirs = replace(config, options={"reads": chosen} if chosen else {})
            place = source, modalities, folds, fold
            teacher = cls.of(runs, method.teacher_method, data, theirs, *place)
        origin = data.origin_at(config.seed, folds, fold)
        return cls(runs, method.address, data.name, origin, config, source, modalities, teacher)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Seed, folds and fold, the arguments of `MultiModalData.split` and `origin_at`."""
        return self.config.seed, self.origin.folds, self.origin.fold or 0

    @cached_property
    def asked(self) -> dict[str, Any]:
        method, teacher = methods.get(self.method), self.teacher.asked if self.teacher else None
        return identity(method, self.data, self.origin, self.config, teacher)

    @property
    def hash(self) -> str:
        return self.asked["hash"]

    @property
    def folder(self) -> Path:
        """``<runs>/<data>/<method>/<seed>-<hash>-<code>``."""
        name = f"{self.config.seed}-{self.hash}-{self.asked['code']}"
        return Path(self.runs) / self.data / self.asked["method"] / name


def weights_file(run_dir: Path | str, network: str) -> Path:
    """Where a run keeps the best weights of one deployed network."""
    return Path(run_dir) / "weights" / f"{network}.safetensors"


def last_file(run_dir: Path | str) -> Path:
    """Where a run keeps all networks as they were after its last epoch, unless those are the best
    of each."""
    return Path(run_dir) / "last.safetensors"


def check_divided(split: Any) -> None:
    """Refuse data that are not divided in three parts, with a ConfigError."""
    way_out = "give data.load(…).split(seed=0), or Split(train, valid, test)"
    check_kind("split", split, Split, way_out)
    for name, part in split._asdict().items():
        check_kind(f"split, {name} part", part, MultiModalData, way_out)


def finished(run_dir: Path, asked: Mapping[str, Any]) -> Result | None:
    """The result of a run that is done; a RunError where another run is in the folder."""
    file, settings = run_dir / "result.json", run_dir / "config.json"
    if not settings.exists():
        return None
    stored = read_json(settings, DAMAGED)
    if any(stored.get(name) != asked[name] for name in ("hash", "code")):
        found = "holds a run of another method, or of other settings, data or code"
        raise RunError(run_dir, found, "use another folder")
    return Result.read(file) if file.exists() else None


def read_predictions(file: Path | str) -> dict[str, np.ndarray]:
    """predictions.npz: `classes`, and for each network m `m_logits` [N, C], `m_labels` [N] and
    `m_ids` [N]; of a dense method `m_predicted` and `m_labels`, classes of pixels [N, H, W], uint8.
    A DataError where it is missing or damaged."""
    with as_data_error(file, "predictions", DAMAGED), np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
