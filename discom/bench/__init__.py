"""How fast a training is: the paper's recipe, written as such code usually is, against the path
that `fit` takes."""

from discom.bench.comparison import bench
from discom.bench.growth import grow
from discom.bench.measure import PHASES
from discom.bench.streaming import larger_than_memory
from discom.bench.workloads import WORKLOADS, Workload

__all__ = ["PHASES", "WORKLOADS", "Workload", "bench", "grow", "larger_than_memory"]
