"""One run as a worker sees it: where the data comes from, and what came of the training."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from discom import data, methods
from discom.data import MultiModalData
from discom.errors import BusyError, CrashError, DiscomError, RunError
from discom.runs import Result, Run, locked
from discom.training import fit

__all__ = ["Source", "attempt", "train"]


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
    return fit(method, split, run.config, run.folder, teacher=teacher, recompute=recompute, progress=progress)


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
