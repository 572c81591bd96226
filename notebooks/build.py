"""Make the committed notebooks from their py:percent twins: pair, execute once, keep the outputs that render anywhere.

python notebooks/build.py            all of them
python notebooks/build.py 02 03      some
"""

import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat

from discom.reproduce import PARAMETERS, execute

HERE = Path(__file__).resolve().parent


def twin(source: Path) -> nbformat.NotebookNode:
    """The notebook that a py:percent file describes, without outputs."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


WIDGET = "application/vnd.jupyter.widget-view+json"


def _fleeting(output: nbformat.NotebookNode) -> bool:
    """Progress bars: text on stderr, or a widget that no page can draw afterwards and that left no picture."""
    data = output.get("data", {})
    return output.get("name") == "stderr" or (WIDGET in data and "image/png" not in data)


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop progress bars, widgets, timings and the machine's own metadata; what is left renders on any page."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags" and value}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _fleeting(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)  # its picture stays
    language = {"name": "python"}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": language})
    return notebook


def build(source: Path) -> Path:
    """Execute the twin in the `cpu` profile and write the .ipynb beside this file."""
    target = HERE / f"{source.stem}.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / target.name
        nbformat.write(twin(source), plain)
        runs = HERE.parent / "build/notebooks/runs"
        executed = execute(plain, Path(folder) / "executed.ipynb", {**PARAMETERS["cpu"], "runs": str(runs)}, HERE)
    executed.cells = [cell for cell in executed.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):  # the injected cell took a number
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    nbformat.write(clean(executed), target)
    return target


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for file in sorted((HERE / "py").glob("[0-9][0-9]_*.py")):
        if not wanted or any(file.name.startswith(start) for start in wanted):
            print(build(file).name, flush=True)
