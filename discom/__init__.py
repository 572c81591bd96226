"""discom: teacher-free cross-modal knowledge distillation, taught, run and put to the test.

from discom import data, fit, profile
split = data.load("scenes").split(seed=0)
result = fit("discom", split, profile("cpu"), "runs/first")
result.f1                                  # {"rgb": …, "depth": …}
"""

from importlib import import_module
from typing import TYPE_CHECKING

from discom.config import Config, profile

if TYPE_CHECKING:
    from discom.running.training import fit

__version__ = "0.1.0"  # the one place; pyproject.toml reads it without an import

__all__ = ["Config", "__version__", "fit", "profile"]

_SUBMODULES = (
    *("cli", "data", "deployment", "evaluation", "files", "hardware", "inspection", "losses"),
    *("methods", "models", "plots", "running", "tables"),
)


def __getattr__(name: str):
    """Load a submodule at its first use; `import discom` needs neither torch nor matplotlib."""
    if name == "fit":
        return import_module("discom.running.training").fit
    if name == "probing":
        return import_module("discom.evaluation.probing")
    if name in _SUBMODULES:
        return import_module(f"discom.{name}")
    raise AttributeError(f"module 'discom' has no attribute '{name}'")
