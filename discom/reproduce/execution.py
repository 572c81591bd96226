"""One notebook: executed with parameters, and what its copy says afterwards."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from discom.checkpoint import stoppable
from discom.errors import BusyError, CrashError, DiscomError, RunError, UnsuitableError, first_line
from discom.files import atomic_file

__all__ = ["PARAMETERS", "Execution", "execute", "read_copy", "render", "traceback_of"]

# What a profile means for a notebook: how many scenes are drawn, and which settings train on them.
PARAMETERS = {
    "tiny": {"data": "scenes:n=330", "profile": "tiny"},
    "cpu": {"data": "scenes", "profile": "cpu"},
    "paper": {"data": "scenes", "profile": "paper"},
}
START = 300  # seconds that a kernel may take to start on a busy machine


@dataclass(frozen=True)
class Execution:
    """A job for an engine: execute `source` with `parameters` in its own folder, and leave `key`,
    the copy.

    What ends it early is told apart: a BusyError means that another process trains a run that the
    notebook needs, an UnsuitableError that the notebook is not for these data; any other error is a
    failure.
    """

    source: Path
    key: Path
    parameters: dict[str, Any]

    def absolute(self) -> "Execution":
        """The same job with paths that hold in any folder; those among the parameters do so
        already."""
        return replace(self, source=self.source.resolve(), key=self.key.resolve())

    def __call__(self) -> DiscomError | None:
        error = self._attempt()
        if self.key.is_file() and not isinstance(error, BusyError):
            render(self.key)
        return error

    def _attempt(self) -> DiscomError | None:
        self.key.unlink(
            missing_ok=True
        )  # else a kernel that does not start would leave an older copy
        try:
            with stoppable(self.key):
                execute(self.source, self.key, self.parameters)
        except PapermillExecutionError as error:
            kinds = {"BusyError": BusyError, "UnsuitableError": UnsuitableError}
            if error.ename in kinds:
                return kinds[error.ename](first_line(ValueError(error.evalue)))
            return RunError(
                f"cell {error.exec_count}: {error.ename}: {first_line(ValueError(error.evalue))}"
            )
        except DeadKernelError:
            return RunError(f"{_last_cell(self.key)}: the kernel died (out of memory?)")
        except DiscomError as error:
            return error
        except Exception as error:  # a batch outlives whatever a notebook runs into
            return CrashError(f"{type(error).__name__}: {first_line(error)}")
        return None


def execute(
    source: Path, target: Path, parameters: dict[str, Any], cwd: Path | None = None
) -> nbformat.NotebookNode:
    """Execute one notebook with parameters, in its own folder or `cwd`, and write it to
    `target`."""
    return papermill.execute_notebook(
        str(source),
        str(target),
        parameters=parameters,
        kernel_name="python3",
        cwd=str(cwd or source.parent),
        progress_bar=False,
        start_timeout=START,
        extra_arguments=[
            "--IPKernelApp.log_level=40"
        ],  # errors only: its start-up remarks would hide our lines
    )


def render(notebook: Path) -> Path:
    """Write a page with everything that a notebook shows beside it, NAME.html, and return its
    path."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, as_version=4))
    with atomic_file(notebook.with_suffix(".html")) as part:
        part.write_text(page, encoding="utf-8")
    return notebook.with_suffix(".html")


def read_copy(copy: Path) -> dict[str, Any]:
    """What an executed copy says of itself: seconds, and the lines that `discom.notebook.finish`
    prints at its end.

    Args:
        copy: the executed notebook.

    Returns:
        seconds; checks, how many passed; peak_memory_mb, None without `finish`; figures, name →
        number.
    """
    notebook = nbformat.read(copy, as_version=4)
    outputs = _outputs(notebook)
    text = "".join(output.get("text", "") for output in outputs)
    ended = re.findall(r"all (\d+) checks passed · .* peak memory (\d+) MB", text)
    told = re.findall(r"^key figures: (.*)$", text, re.MULTILINE)
    return {
        "seconds": float(notebook.metadata.get("papermill", {}).get("duration") or 0),
        "checks": int(ended[-1][0]) if ended else 0,
        "peak_memory_mb": int(ended[-1][1]) if ended else None,
        "figures": {n: float(v) for n, v in (item.rsplit(" ", 1) for item in told[-1].split(" · "))}
        if told
        else {},
    }


def traceback_of(copy: Path) -> str:
    """The traceback of the cell that failed, without colours; "" where none did."""
    errors = [
        out for out in _outputs(nbformat.read(copy, as_version=4)) if out.output_type == "error"
    ]
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(errors[-1]["traceback"])) if errors else ""


def _outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def _last_cell(copy: Path) -> str:
    """The cell that was at work when the kernel ended."""
    cells = [cell for cell in nbformat.read(copy, as_version=4).cells if cell.cell_type == "code"]
    begun = [
        number
        for number, cell in enumerate(cells, 1)
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    return f"cell {begun[-1]}" if begun else "before the first cell"
