"""Run the notebooks in batch, with parameters, by papermill."""

from discom.reproduce.batch import run_notebooks
from discom.reproduce.execution import PARAMETERS, execute

__all__ = ["PARAMETERS", "execute", "run_notebooks"]
