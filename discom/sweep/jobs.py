"""Jobs as a worker sees them, and the one that sweeps have: where the data comes from, what came of
the training."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from discom import data, methods
from discom.data import MultiModalData
from discom.errors import BusyError, CrashError, DiscomError, RunError
from discom.runs import Result, Run, locked
from discom.training import fit

__all__ = ["Job", "Source", "Training", "attempt", "train"]


class Job(Protocol):
    """What an engine is given: it can be pickled, is called where a worker is, and returns the
    error or None."""

    @property
    def key(self) -> Path:
        """The path that the job makes; no two jobs at work have the same."""
        ...

    def __call__(self) -> DiscomError | None: ...

    def absolute(self) -> "Job":
        """The same job with paths that hold in any folder."""
        ...


@dataclass(frozen=True)
class Source:
    """Where every worker gets the data from: what `data.load` takes."""

    path: str
    modalities: str | None = None

    @lru_cache(maxsize=2)  # noqa: B019  a worker that has one source reads it once; of many it keeps the last
    def load(self) -> MultiModalData:
        """The data set."""
        return data.load(self.path, self.modalities)


def train(run: Run, source: Source, *, recompute: bool = False, progress: bool = False) -> Result:
    """Train a run, or read it if it is done; its teacher must be."""
    split = source.load().split(seed=run.config.seed)
    method, teacher = methods.get(run.method), run.teacher_folder
    return fit(
        method,
        split,
        run.config,
        run.folder,
        teacher=teacher,
        recompute=recompute,
        progress=progress,
    )


def attempt(run: Run, source: Source, recompute: bool = False) -> DiscomError | None:
    """Train a run and return what went wrong, if anything did."""
    with suppress(RunError):
        Result.read(run.folder / "result.json")
        return None  # another sweep trained it meanwhile: neither data nor network is needed to see that
    try:
        if run.folder.is_dir():  # nor to see that another one is at it
            with locked(run.folder):
                pass
        train(run, source, recompute=recompute)
    except BusyError as error:
        return error
    except DiscomError as error:
        return error if str(run.folder) in str(error) else RunError(f"{run.folder}: {error}")
    except Exception as error:  # a sweep outlives whatever a run runs into
        return CrashError(f"{run.folder}: {type(error).__name__}: {' '.join(str(error).split())}")
    return None


@dataclass(frozen=True)
class Training:
    """The job of a sweep: a run, its data, and whether a damaged result is trained again."""

    run: Run
    source: Source
    recompute: bool = False

    @property
    def key(self) -> Path:
        """The run's folder."""
        return self.run.folder

    def __call__(self) -> DiscomError | None:
        return attempt(self.run, self.source, self.recompute)

    def absolute(self) -> "Training":
        """The same training with paths that hold in any folder."""
        return replace(
            self,
            run=_absolute(self.run),
            source=replace(self.source, path=data.absolute(self.source.path)),
        )


def _absolute(run: Run) -> Run:
    teacher = (
        _absolute(run.teacher)
        if isinstance(run.teacher, Run)
        else run.teacher and run.teacher.resolve()
    )
    return replace(run, runs=Path(run.runs).resolve(), teacher=teacher)
