"""Many runs, on one machine or a Ray cluster."""

from discom.sweep.engines import Local, Ray, make_engine
from discom.sweep.grid import arm, cell_runs, cells
from discom.sweep.jobs import Source, Training, train
from discom.sweep.plan import estimate, forecast, missing, sweep
from discom.sweep.queue import JobQueue

__all__ = [
    "JobQueue",
    "Local",
    "Ray",
    "Source",
    "Training",
    "arm",
    "cell_runs",
    "cells",
    "estimate",
    "forecast",
    "make_engine",
    "missing",
    "sweep",
    "train",
]
