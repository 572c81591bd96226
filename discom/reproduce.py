"""Execute the notebooks in batch by papermill: a dated folder of copies with an index page.

A record beside each copy says what came of it, so the same call goes on where it stopped.
"""

import re
import time
from functools import partial
from html import escape
from itertools import product
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from discom.checkpoint import stoppable
from discom.data import absolute, load
from discom.errors import BusyError, ConfigError, DataError, RunError, first_line
from discom.files import atomic_file, checksum, digest, read_json, write_json
from discom.runs import locked
from discom.sweep import Job, Outcome, do_all

__all__ = ["PARAMETERS", "execute", "run_notebooks"]

PARAMETERS = {  # how many scenes a profile of the notebooks draws, and which settings train on them
    "tiny": {"data": "scenes:n=330", "profile": "tiny"},
    "cpu": {"data": "scenes", "profile": "cpu"},
    "paper": {"data": "scenes", "profile": "paper"},
}
DONE = ("passed", "skipped")  # skipped: the notebook needs other data


def run_notebooks(
    notebooks: Path,
    profile: str,
    out: Path,
    *,
    data: str | None = None,
    seeds: int = 1,
    only: str | None = None,
    workers: int = 2,
    again: bool = False,
) -> bool:
    """Execute each `NN_….ipynb` of a folder; one that fails does not stop the others.

    Args:
        notebooks: the folder, in which they run.
        profile: tiny, cpu or paper.
        out: holds a dated folder with copies, runs and index.html. The newest one of the same
            profile, data, seeds and package goes on: what has passed and was not changed stays.
        data: what `data.load` reads; the profile's scenes by default.
        seeds: how often each is executed, with the seeds 0, 1, ….
        only: how the names of the wanted ones begin, such as 03,07.
        workers: notebooks side by side, on one thread each where there are several.
        again: begin a new folder.

    Returns:
        Whether all have passed, or are skipped since they need other data.

    Raises:
        ConfigError, DataError: arguments or data that cannot be used.
        BusyError: another process executes the same notebooks.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.
    """
    sources = sorted(Path(notebooks).resolve().glob("[0-9][0-9]_*.ipynb"))
    starts = tuple(start.strip() for start in (only or "").split(","))
    if profile not in PARAMETERS:
        raise ConfigError(f"profile: '{profile}' is unknown; choose {', '.join(PARAMETERS)}")
    if min(seeds, workers) < 1:
        raise ConfigError(f"seeds: {seeds}, workers: {workers}; both must be 1 or more")
    for start in starts:
        if not any(source.name.startswith(start) for source in sources):
            raise DataError(f"{notebooks}: no notebook NN_….ipynb begins with '{start}'")
    if data is not None:
        load(data)  # what cannot be read is told before any notebook starts
    data = absolute(data or PARAMETERS[profile]["data"])
    package = [checksum(file) for file in sorted(Path(__file__).parent.rglob("*.py"))]
    name = f"{profile}-{digest([data, seeds, package])[:8]}"
    folder = Path(out).resolve() / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}"
    folder = folder if again else max(folder.parent.glob(f"*-{name}"), default=folder)
    records: dict[Path, dict[str, Any]] = {}
    jobs: dict[Path, Job] = {}
    for seed, source in product(range(seeds), sources):
        copy = folder / (f"seed-{seed}" if seeds > 1 else "") / source.name
        records[copy] = _record(copy, source)
        if records[copy]["status"] not in DONE and source.name.startswith(starts):
            runs = str(copy.parent / "runs")
            parameters = {"data": data, "profile": profile, "seed": seed, "runs": runs}
            jobs[copy] = partial(_attempt, source, copy, parameters)
    print(f"{folder}: {len(jobs)} notebooks to execute, profile {profile} on {data}", flush=True)
    with stoppable(folder), locked(folder):
        for copy, error in do_all(jobs, workers):
            records[copy] = _record(copy, sources[0].with_name(copy.name))
            words = [value for key, value in records[copy].items() if key != "checksum"]
            print(copy.relative_to(folder), *words, error or "", flush=True)
            _write_index(folder / "index.html", f"Notebooks, profile {profile}, {data}", records)
    print(folder / "index.html")
    return all(records[copy]["status"] in DONE for copy in jobs)


def execute(
    source: Path, target: Path, parameters: dict[str, Any], cwd: Path | None = None
) -> nbformat.NotebookNode:
    """Execute a notebook with parameters, in its own folder or `cwd`, and write it to `target`."""
    return papermill.execute_notebook(
        str(source),
        str(target),
        parameters=parameters,
        kernel_name="python3",
        cwd=str(cwd or source.parent),
        progress_bar=False,
        start_timeout=300,  # a busy machine
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors alone
    )


def _attempt(source: Path, copy: Path, parameters: dict[str, Any]) -> Outcome:
    """Execute a notebook in a worker; its copy gets a page and a record of what came of it."""
    trace = ""
    record: dict[str, Any] = {"status": "passed", "checksum": checksum(source), "reason": ""}
    copy.parent.mkdir(exist_ok=True)
    try:
        execute(source, copy, parameters)
    except PapermillExecutionError as failure:
        if failure.ename == "BusyError":  # another notebook trains the same run: later
            return copy, BusyError(failure.evalue)
        record["status"] = "skipped" if failure.ename == "UnsuitableError" else "failed"
        record["reason"] = f"cell {failure.exec_count}: {failure.ename}: {failure.evalue}"
        trace = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(["", *failure.traceback]))
    except Exception as failure:  # such as a kernel that died
        record.update(status="failed", reason=f"{type(failure).__name__}: {first_line(failure)}")
    if copy.is_file():
        notebook = nbformat.read(copy, as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        text = "".join(output.get("text", "") for output in outputs)
        record["minutes"] = round((notebook.metadata["papermill"]["duration"] or 0) / 60, 1)
        record["checks"] = "".join(re.findall(r"all (\d+) checks passed", text)[-1:])
        record["figures"] = "".join(re.findall(r"^key figures: (.*)$", text, re.MULTILINE)[-1:])
        page, _ = HTMLExporter().from_notebook_node(notebook)
        copy.with_suffix(".html").write_text(page, encoding="utf-8")
    write_json(copy.with_suffix(".json"), record)
    failed = record["status"] == "failed"
    return copy, RunError(f"{copy.name}: {record['reason']}{trace}") if failed else None


def _record(copy: Path, source: Path) -> dict[str, Any]:
    """What `_attempt` has written about a copy of the notebook as it is now."""
    file = copy.with_suffix(".json")
    record = read_json(file) if file.exists() and copy.is_file() else {}
    return record if record.get("checksum") == checksum(source) else {"status": "missing"}


def _write_index(file: Path, title: str, records: dict[Path, dict[str, Any]]) -> None:
    """A page with a line for each notebook; several seeds have a line each."""
    table = pd.DataFrame(
        records.values(), columns=["status", "minutes", "checks", "figures", "reason"]
    )
    links = [copy.relative_to(file.parent).with_suffix(".html") for copy in records]
    table.insert(0, "notebook", [f'<a href="{link}">{link.with_suffix("")}</a>' for link in links])
    plain = {name: lambda value: escape(str(value)) for name in ("figures", "reason")}
    body = table.to_html(escape=False, index=False, na_rep="", formatters=plain)
    head = f'<!DOCTYPE html><meta charset="utf-8"><title>{escape(title)}</title>'
    with atomic_file(file) as part:
        part.write_text(f"{head}<h1>{escape(title)}</h1>{body}", encoding="utf-8")
