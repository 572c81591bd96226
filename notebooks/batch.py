"""Execute the notebooks by papermill, into a folder of copies with an index page:

python notebooks/batch.py --profile cpu
python notebooks/batch.py --profile tiny --only 02,07
python notebooks/batch.py --only 12 -p data=eurosat -p methods=paper,discom-solo \
    -p profile=paper -p settings={} -p seeds=5 -p known= -p budget_hours=10 \
    -p runs=/mnt/runs

A notebook whose budget of hours left runs undone is "stopped"; the same call goes on.
"""

import re
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import nbclient.client
import nbformat
import pandas as pd
import papermill
import yaml
import zmq
from click import IntRange
from filelock import FileLock
from nbclient.output_widget import OutputWidget
from papermill.exceptions import PapermillExecutionError
from pooch import file_hash

import discom
from discom import cli
from discom.cli.flags import command, names
from discom.errors import ConfigError, DataError, check_choice, first_line
from discom.files import atomic_file, digest
from discom.running.sweep import Outcome, spread

PROFILES = ("tiny", "cpu")  # a few steps, or what pages show
SHORT = "n=330"  # scenes that the short form, tiny, draws
SHORT_VALUES = {"seeds": 1, "known": "", "budget_hours": 0}  # where a notebook has them
SHORT_ROWS = {"methods": "crodino,single", "settings": {"labelled": 0.3, "epochs": 1}}
PATIENCE = 2.0  # seconds until a notebook is tried again
ADDED = {
    "injected-parameters",
    "papermill-error-cell-tag",
}  # tags of papermill's own cells


class HeardWidget(OutputWidget):
    """nbclient's stand-in for the output below a slider.

    It sends on the socket on which nbclient waits for the kernel's answer. An answer
    that has come by then is not seen, and the notebook hangs, unless the socket is
    asked for what has come (github.com/jupyter/nbclient/issues/312).
    """

    def send(self, *args: Any, **more: Any) -> None:
        super().send(*args, **more)
        self.kernel_client.shell_channel.socket.get(zmq.EVENTS)


def run_notebooks(
    notebooks: Path,
    profile: str,
    out: Path,
    workers: int = 2,
    only: Sequence[str] = (),
    parameters: Mapping[str, Any] = {},
) -> bool:
    """Execute each `NN_….ipynb` of a folder, or those with the numbers `only`,
    `workers` side by side; whether none has failed. `parameters` are injected into
    each, before those of the profile count.

    A folder in `out` gets copies, runs and index.html. With the same profile and code,
    a later call goes on there: what has passed and was not changed stays. What its
    budget stopped with runs left is executed again.

    Raises:
        ConfigError, DataError: another profile, no such notebook, or a parameter that
            one of them lacks.
        TimeoutError: another process executes the same notebooks.
    """
    check_choice("profile", profile, PROFILES)
    sources = sorted(notebooks.resolve().glob("[0-9][0-9]_*.ipynb"))
    if not sources:
        raise DataError(notebooks, "no notebook in it", "name another folder")
    for number in only:
        check_choice("--only", number, [source.name[:2] for source in sources])
    code = sorted(Path(discom.__file__).parent.rglob("*.py"))
    shared = ("*.py", "checks/*.py", "pictures/*.py")
    code += sorted(file for pattern in shared for file in notebooks.glob(pattern))
    asked = [file_hash(file) for file in code] + [dict(parameters)] * bool(parameters)
    name = f"{profile}-{digest(asked)[:8]}"
    folder = out.resolve() / name
    copies = {folder / source.name: source for source in sources}
    rows = {copy.name: outcome(copy, source) for copy, source in copies.items()}
    chosen = [copy for copy in copies if not only or copy.name[:2] in only]
    for copy in chosen:
        for parameter in parameters:
            check_choice(
                f"parameters of {copy.stem}", parameter, declared(copies[copy])
            )
    jobs = [
        partial(_attempt, copies[copy], copy, profile, folder / "runs", parameters)
        for copy in chosen
        if rows[copy.name]["status"] != "passed"
    ]
    print(f"{folder}: {len(jobs)} notebooks to execute, profile {profile}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock", timeout=0):
        for copy, error in spread(jobs, workers):
            rows[copy.name] = outcome(copy, copies[copy])
            if error:
                rows[copy.name] |= {"status": "failed", "reason": error}
            print(copy.name, *rows[copy.name].values(), flush=True)
            table = pd.DataFrame.from_dict(rows, orient="index")
            with atomic_file(folder / "index.html") as part:
                part.write_text(table.to_html(na_rep=""), encoding="utf-8")
    print(folder / "index.html")
    return all(rows[copy.name]["status"] in ("passed", "stopped") for copy in chosen)


def declared(source: Path) -> dict[str, str]:
    """The parameters of a notebook, as they stand in it: name → its text."""
    cells = nbformat.read(source, as_version=4).cells
    texts = [c.source for c in cells if "parameters" in c.metadata.get("tags", [])]
    found = re.findall(r"^(\w+) = (.*?)(?:  #.*)?$", "\n".join(texts), re.MULTILINE)
    return dict(found)


def injected(
    source: Path, profile: str, runs: Path, parameters: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """What is injected into a notebook: its own `data` stays, short in `tiny`, and so
    are other values of a notebook that has them; `parameters` win."""
    given: dict[str, Any] = {"profile": profile, "runs": str(runs)}
    own = declared(source)
    if profile == "tiny":
        short = SHORT_VALUES | (SHORT_ROWS if "dense" in own.get("data", "") else {})
        given |= {name: value for name, value in short.items() if name in own}
        if scenes := own.get("data", "").strip('"'):
            given["data"] = f"{scenes}{',' if ':' in scenes else ':'}{SHORT}"
    return {**given, **parameters}


def execute(
    source: Path, target: Path, parameters: dict[str, Any], cwd: Path | None = None
) -> nbformat.NotebookNode:
    """Execute a notebook with parameters, in its own folder or `cwd`, and write it to
    `target`."""
    options = {
        "kernel_name": "python3",
        "cwd": str(cwd or source.parent),
        "progress_bar": False,
    }
    # here, since a worker takes over functions alone
    nbclient.client.OutputWidget = HeardWidget
    quiet = [
        "--IPKernelApp.log_level=50"
    ]  # a kernel that ends reports an interrupt as an error
    return papermill.execute_notebook(
        source, target, parameters, start_timeout=300, extra_arguments=quiet, **options
    )


def outcome(copy: Path, source: Path) -> dict[str, Any]:
    """Status of an executed copy of a notebook as it is now (passed, failed, missing;
    stopped, where its key figures say that runs are left), minutes and key figures."""
    try:
        notebook = nbformat.read(copy, as_version=4)
        sources = [cell.source for cell in nbformat.read(source, as_version=4).cells]
    except (OSError, ValueError):  # none, or one that was cut off while it was written
        return {"status": "missing"}
    cells = [
        cell
        for cell in notebook.cells
        if not ADDED & set(cell.metadata.get("tags", []))
    ]
    if [cell.source for cell in cells] != sources:
        return {"status": "missing"}
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    failed = any(output.output_type == "error" for output in outputs)
    text = "".join(output.get("text", "") for output in outputs)
    figures = "".join(re.findall(r"^key figures: (.*)$", text, re.MULTILINE)[-1:])
    minutes = round((notebook.metadata["papermill"]["duration"] or 0) / 60, 1)
    left = re.search(r"\bleft [1-9]", figures)
    return {
        "status": "failed" if failed else "stopped" if left else "passed",
        "minutes": minutes,
        "figures": figures,
    }


def _attempt(
    source: Path, copy: Path, profile: str, runs: Path, parameters: Mapping[str, Any]
) -> Outcome:
    while True:
        try:
            execute(source, copy, injected(source, profile, runs, parameters))
        except PapermillExecutionError as error:
            if error.ename == "BusyError":  # another notebook trains the same run
                time.sleep(PATIENCE)
                continue
            return copy, f"cell {error.exec_count}: {error.ename}: {error.evalue}"
        except Exception as error:  # such as a kernel that died
            copy.unlink(missing_ok=True)
            return copy, f"{type(error).__name__}: {first_line(error)}"
        return copy, ""


@command
def batch(
    profile: Annotated[str, "tiny or cpu."] = "cpu",
    only: Annotated[Any, names, "Numbers, such as 02,07  [default: all]"] = "",
    workers: Annotated[int, IntRange(0), "Side by side; 0: one a core."] = 2,
    out: Annotated[Path, "Folder to write."] = Path("build/notebooks"),
    parameter: Annotated[
        tuple[str, ...], "NAME=VALUE, in YAML; wins over the profile."
    ] = (),
) -> bool:
    """Execute every notebook into a folder with an index page; a stopped batch
    continues."""
    given = dict[str, Any]()
    for name, value in map(_parsed, parameter):
        if name in given:
            raise ConfigError(
                "--parameter", f"'{name}' is given twice", "give one value"
            )
        given[name] = value
    return run_notebooks(Path(__file__).parent, profile, out, workers, only, given)


class _Once(yaml.SafeLoader):
    """YAML that refuses a key given twice; its own reader keeps the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for place, key in enumerate(keys) if key in keys[:place]]:
            raise ValueError(f"'{twice[0]}' is given twice")
        return super().construct_mapping(node, deep)


def _parsed(text: str) -> tuple[str, Any]:
    """NAME=VALUE; a ConfigError for another text."""
    name, sign, value = text.partition("=")
    if not (sign and name):
        raise ConfigError("--parameter", f"'{text}'", "write it as NAME=VALUE")
    try:
        return name, yaml.load(value, _Once) if value else ""
    except (yaml.YAMLError, ValueError) as error:
        found = f"{value} is no YAML ({first_line(error)})"
        raise ConfigError(f"--parameter {name}", found, "quote it") from None


if __name__ == "__main__":
    sys.exit(cli.main(command=batch))
