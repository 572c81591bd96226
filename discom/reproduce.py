"""Run the notebooks in order, with parameters, by papermill."""

import re
import time
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from discom.config import PROFILES
from discom.errors import ConfigError, DataError

__all__ = ["PARAMETERS", "execute", "run_notebooks"]

# What a profile means for a notebook: how many scenes are drawn, and which settings train on them.
PARAMETERS = {
    "tiny": {"data": "scenes:n=330", "profile": "tiny"},
    "cpu": {"data": "scenes", "profile": "cpu"},
    "paper": {"data": "scenes", "profile": "paper"},
}


def run_notebooks(notebooks: Path, profile: str, out: Path) -> bool:
    """Execute every `NN_….ipynb` of a folder; print one line each, and the traceback of a cell that fails.

    Args:
        notebooks: the folder; the notebooks run inside it.
        profile: tiny, cpu or paper.
        out: where the executed copies go; runs that they train go to `out`/runs.

    Returns:
        Whether all of them ran to their last cell. One that fails does not stop the others.

    Raises:
        ConfigError: an unknown profile.
        DataError: no notebook in the folder.
    """
    if profile not in PARAMETERS:
        raise ConfigError(f"profile: '{profile}' is unknown; choose {', '.join(PROFILES)}")
    sources = sorted(Path(notebooks).glob("[0-9][0-9]_*.ipynb"))
    if not sources:
        raise DataError(f"{notebooks}: no notebook NN_….ipynb in it; run from the folder of the repository")
    out.mkdir(parents=True, exist_ok=True)
    good = True
    for source in sources:
        started = time.perf_counter()
        try:
            notebook = execute(source, out / source.name, profile, runs=out / "runs")
            report = f"{_checks(notebook)} checks passed"
        except PapermillExecutionError as error:
            good, report = False, f"FAILED in cell {error.exec_count}\n{error}"
        except (DeadKernelError, CellTimeoutError) as error:
            good, report = False, f"FAILED: {error}"
        print(f"{source.stem:<32} {time.perf_counter() - started:5.0f} s  {report}", flush=True)
    return good


def execute(source: Path, target: Path, profile: str, runs: Path, cwd: Path | None = None) -> nbformat.NotebookNode:
    """Execute one notebook with the parameters of a profile, in its own folder or `cwd`, and write it to `target`."""
    return papermill.execute_notebook(
        str(source),
        str(target),
        parameters={**PARAMETERS[profile], "runs": str(runs.resolve())},
        kernel_name="python3",
        cwd=str(cwd or source.parent),
        progress_bar=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors only: its start-up remarks would hide our lines
    )


def _checks(notebook: nbformat.NotebookNode) -> int:
    """How many checks the line of `discom.notebook.finish` counts; 0 without that line."""
    texts = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    found = re.findall(r"all (\d+) checks passed", "".join(texts))
    return int(found[-1]) if found else 0
