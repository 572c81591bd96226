"""discom: teacher-free cross-modal knowledge distillation, taught, run and put to the test.

A first run::

    from discom import data, fit, profile
    split = data.load("objects").split(seed=0)
    fit("discom", split, profile("cpu"), "runs/first").f1  # {"rgb": …, "depth": …}
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from discom.config import Config, profile

if TYPE_CHECKING:
    from discom.running.fit import fit

__version__ = "0.1.0"  # the one place; pyproject.toml reads it without an import

__all__ = ["Config", "__version__", "fit", "profile"]


def __getattr__(name: str):
    """Load a submodule at its first use; `import discom` needs neither torch nor matplotlib."""
    if name == "fit":
        return import_module("discom.running.fit").fit
    if name.startswith("_") or not find_spec(f"discom.{name}"):
        raise AttributeError(f"module 'discom' has no attribute '{name}'")
    return import_module(f"discom.{name}")
