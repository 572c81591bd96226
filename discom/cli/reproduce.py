"""Execute the notebooks in batch by papermill: a folder of executed copies with an index page."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
from papermill.exceptions import PapermillExecutionError

from discom.data import absolute, load
from discom.errors import BusyError, DataError, RunError, check_choice, first_line
from discom.files import atomic_file, checksum, digest
from discom.running.checkpoint import stoppable
from discom.running.runs import locked
from discom.running.sweep import Outcome, do_all, worker_count

PARAMETERS = {  # how many scenes a profile of the notebooks draws, and which settings train on them
    "tiny": {"data": "scenes:n=330", "profile": "tiny"},
    "cpu": {"data": "scenes", "profile": "cpu"},
    "paper": {"data": "scenes", "profile": "paper"},
}
ADDED = {"injected-parameters", "papermill-error-cell-tag"}  # tags of papermill's own cells


def run_notebooks(
    notebooks: Path,
    profile: str,
    out: Path,
    *,
    data: str | None = None,
    seed: int = 0,
    only: str | None = None,
    workers: int = 2,
) -> bool:
    """Execute each `NN_….ipynb` of a folder; whether none has failed.

    A folder in `out` gets copies, runs and index.html. With the same profile, data, seed and code,
    a later call goes on there: what has passed and was not changed stays. `only` is how the names
    of the wanted ones begin, such as 03,07.

    Raises:
        ConfigError, DataError: arguments or data that cannot be used.
        BusyError: another process executes the same notebooks.
    """
    sources = sorted(Path(notebooks).resolve().glob("[0-9][0-9]_*.ipynb"))
    starts = tuple(start.strip() for start in (only or "").split(","))
    check_choice("profile", profile, PARAMETERS)
    workers = worker_count(workers=workers)
    for start in starts:
        if not any(source.name.startswith(start) for source in sources):
            raise DataError(f"{notebooks}: no notebook begins with '{start}'; try e.g. 03")
    data = absolute(data or PARAMETERS[profile]["data"])
    load(data)  # what cannot be read is told before any notebook starts
    package = [checksum(file) for file in sorted(Path(__file__).parent.rglob("*.py"))]
    folder = Path(out).resolve() / f"{profile}-{digest([data, seed, package])[:8]}"
    runs = str(folder / "runs")
    parameters = {"data": data, "profile": profile, "seed": seed, "runs": runs}
    rows, jobs = {}, {}
    for source in sources:
        copy = folder / source.name
        rows[copy.name] = outcome(copy, source)
        done = rows[copy.name]["status"] in ("passed", "skipped")
        if not done and source.name.startswith(starts):
            jobs[copy] = partial(_attempt, source, copy, parameters)
    print(f"{folder}: {len(jobs)} notebooks to execute, profile {profile} on {data}", flush=True)
    failed = []
    with stoppable(folder), locked(folder):
        for copy, error in do_all(jobs, workers):
            rows[copy.name] = outcome(copy, sources[0].with_name(copy.name))
            if error:
                failed.append(copy)
                rows[copy.name] |= {"status": "failed", "reason": str(error)}
            print(copy.name, *rows[copy.name].values(), flush=True)
            table = pd.DataFrame.from_dict(rows, orient="index")
            with atomic_file(folder / "index.html") as part:
                part.write_text(table.to_html(na_rep=""), encoding="utf-8")
    print(folder / "index.html")
    return not failed


def execute(
    source: Path, target: Path, parameters: dict[str, Any], cwd: Path | None = None
) -> nbformat.NotebookNode:
    """Execute a notebook with parameters, in its own folder or `cwd`, and write it to `target`."""
    options = {"kernel_name": "python3", "cwd": str(cwd or source.parent), "progress_bar": False}
    quiet = ["--IPKernelApp.log_level=50"]  # a kernel that ends reports an interrupt as an error
    return papermill.execute_notebook(
        source, target, parameters, start_timeout=300, extra_arguments=quiet, **options
    )


def outcome(copy: Path, source: Path) -> dict[str, Any]:
    """Status of an executed copy of a notebook as it is now (passed, failed, skipped since it needs
    other data, or missing), minutes and key figures."""
    if not copy.is_file():
        return {"status": "missing"}
    notebook = nbformat.read(copy, as_version=4)
    cells = [cell for cell in notebook.cells if not ADDED & set(cell.metadata.get("tags", []))]
    sources = [cell.source for cell in nbformat.read(source, as_version=4).cells]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    errors = [output.ename for output in outputs if output.output_type == "error"]
    if [cell.source for cell in cells] != sources:
        return {"status": "missing"}
    status = "skipped" if errors == ["UnsuitableError"] else "failed" if errors else "passed"
    text = "".join(output.get("text", "") for output in outputs)
    figures = "".join(re.findall(r"^key figures: (.*)$", text, re.MULTILINE)[-1:])
    minutes = round((notebook.metadata["papermill"]["duration"] or 0) / 60, 1)
    return {"status": status, "minutes": minutes, "figures": figures}


def _attempt(source: Path, copy: Path, parameters: dict[str, Any]) -> Outcome:
    try:
        execute(source, copy, parameters)
    except PapermillExecutionError as error:
        if error.ename == "BusyError":  # another notebook trains the same run: later
            return copy, BusyError(error.evalue)
        if error.ename != "UnsuitableError":
            return copy, RunError(f"cell {error.exec_count}: {error.ename}: {error.evalue}")
    except Exception as error:  # such as a kernel that died
        copy.unlink(missing_ok=True)
        return copy, RunError(f"{type(error).__name__}: {first_line(error)}")
    return copy, None
