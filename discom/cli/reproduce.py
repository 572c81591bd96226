"""Execute the notebooks in batch by papermill: a folder of executed copies with an index page."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
from papermill.exceptions import PapermillExecutionError

import discom
from discom.data import absolute, load
from discom.errors import BusyError, DataError, RunError, check_choice, first_line
from discom.files import atomic_file, checksum, digest
from discom.running.checkpoint import locked, stoppable
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
    only: Sequence[str] | None = None,
    workers: int = 2,
) -> bool:
    """Execute each `NN_….ipynb` of a folder; whether none has failed.

    A folder in `out` gets copies, runs and index.html. With the same profile, data, seed and code,
    a later call goes on there: what has passed and was not changed stays. `only` is how the names
    of the wanted ones begin, such as ("03", "07").

    Raises:
        ConfigError, DataError: arguments or data that cannot be used.
        BusyError: another process executes the same notebooks.
    """
    check_choice("profile", profile, PARAMETERS)
    workers, starts = worker_count(workers=workers), tuple(only or [""])
    sources = sorted(notebooks.resolve().glob("[0-9][0-9]_*.ipynb"))
    for start in starts:
        if not any(source.name.startswith(start) for source in sources):
            raise DataError(notebooks, f"no notebook begins with '{start}'", "try e.g. 03")
    data = absolute(data or PARAMETERS[profile]["data"])
    load(data)  # what cannot be read is told before any notebook starts
    package = [checksum(file) for file in sorted(Path(discom.__file__).parent.rglob("*.py"))]
    folder = out.resolve() / f"{profile}-{digest([data, seed, package])[:8]}"
    parameters = {"data": data, "profile": profile, "seed": seed, "runs": str(folder / "runs")}
    copies = {folder / source.name: source for source in sources}
    rows = {copy.name: outcome(copy, source) for copy, source in copies.items()}
    jobs = {
        copy: partial(_attempt, source, copy, parameters)
        for copy, source in copies.items()
        if source.name.startswith(starts) and rows[copy.name]["status"] in ("failed", "missing")
    }
    print(f"{folder}: {len(jobs)} notebooks to execute, profile {profile} on {data}", flush=True)
    with stoppable(folder), locked(folder):
        for copy, error in do_all(jobs, workers):
            rows[copy.name] = outcome(copy, copies[copy])
            if error:
                rows[copy.name] |= {"status": "failed", "reason": str(error)}
            print(copy.name, *rows[copy.name].values(), flush=True)
            table = pd.DataFrame.from_dict(rows, orient="index")
            with atomic_file(folder / "index.html") as part:
                part.write_text(table.to_html(na_rep=""), encoding="utf-8")
    print(folder / "index.html")
    return not any(rows[copy.name]["status"] == "failed" for copy in jobs)


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
    try:
        notebook = nbformat.read(copy, as_version=4)
        sources = [cell.source for cell in nbformat.read(source, as_version=4).cells]
    except (OSError, ValueError):  # none, or one that was cut off while it was written
        return {"status": "missing"}
    cells = [cell for cell in notebook.cells if not ADDED & set(cell.metadata.get("tags", []))]
    if [cell.source for cell in cells] != sources:
        return {"status": "missing"}
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    errors = [output.ename for output in outputs if output.output_type == "error"]
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
