"""Which job is next: as many at work as the engine has workers, and what another process holds is
tried again later."""

import time
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path

from discom.errors import BusyError, DiscomError
from discom.sweep.engines import Local, Ray
from discom.sweep.jobs import Job

__all__ = ["PATIENCE", "JobQueue"]

PATIENCE = 2.0  # seconds until a job that another process holds up is tried again


class JobQueue:
    """Jobs in the order of their places; iterating does them and yields each one's place and error
    (or None).

    Whoever iterates may add more, such as what had to wait for the job that ended. A job whose
    error is a BusyError is not at its end: it is tried again after the others.

    Args:
        engine: does `engine.workers` jobs side by side; must have been entered when the iteration
            begins.
    """

    def __init__(self, engine: Local | Ray):
        self.engine = engine
        self._waiting: list[tuple[float, int]] = []  # a heap: when a job may begin; its place
        self._jobs: dict[int, Job] = {}
        self._at_work: dict[Path, int] = {}

    def add(self, place: int, job: Job) -> None:
        """Let a job begin as soon as no job of an earlier place waits."""
        self._jobs[place] = job
        heappush(self._waiting, (0.0, place))

    def __iter__(self) -> Iterator[tuple[int, DiscomError | None]]:
        while self._waiting or self._at_work:
            self._begin()
            if not self._at_work:
                time.sleep(max(0.0, self._waiting[0][0] - time.monotonic()))
            for key, error in self.engine.finished(PATIENCE) if self._at_work else ():
                place = self._at_work.pop(key)
                if isinstance(error, BusyError):
                    heappush(self._waiting, (time.monotonic() + PATIENCE, place))
                else:
                    del self._jobs[place]
                    yield place, error

    def _begin(self) -> None:
        now = time.monotonic()
        while (
            self._waiting
            and self._waiting[0][0] <= now
            and len(self._at_work) < self.engine.workers
        ):
            job = self._jobs[place := heappop(self._waiting)[1]]
            self._at_work[job.key] = place
            self.engine.submit(job)
