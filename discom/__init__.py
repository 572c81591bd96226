"""discom: teacher-free cross-modal knowledge distillation, taught, run and put to the test.

from discom import data, fit, methods, profile
split = data.load("scenes").split(seed=0)
result = fit("discom", split, profile("cpu"), "runs/first")
result.f1                                  # {"rgb": …, "depth": …}
"""

from discom.config import Config, profile
from discom.training import fit
from discom.version import __version__

__all__ = ["Config", "__version__", "fit", "profile"]
