"""Make the committed notebooks from their py:percent twins: pair, execute once, keep the outputs that render anywhere.

python notebooks/build.py            all of them
python notebooks/build.py 02 03      some
python notebooks/build.py --text 02  new text around the stored outputs, where no code cell was edited
"""

import re
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


CAPTION = re.compile(r"^\*(?:Figures?\b)(.+?)\*(?=\s|$)", re.DOTALL | re.MULTILINE)


def describe(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Give every picture the caption below it, "*Figure: …*", as the text for those who do not see it.

    MyST-NB reads it from the cell's metadata, nbconvert's classic page from the output's, a text console in place of the
    picture. JupyterLab and GitHub read none of these: there the caption itself is what there is.

    Raises:
        ValueError: a picture without a caption of its own.
    """
    caption = None
    for number, cell in reversed(list(enumerate(notebook.cells))):
        if cell.cell_type == "markdown" and (found := CAPTION.search(cell.source)):
            caption = " ".join(re.sub("[`$]", "", found[1]).strip(" :,").split())
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        if pictures and caption is None:
            raise ValueError(f"cell {number}: no caption *Figure: …* between its picture and the next one")
        for output in pictures:
            output.metadata["image/png"] = {"alt": caption}
            output.data["text/plain"] = caption
        if pictures:
            cell.metadata["mystnb"], caption = {"image": {"alt": caption}}, None
    return notebook


def renew_text(source: Path) -> Path:
    """Put the twin's text around the outputs that are stored, and describe the pictures anew.

    Raises:
        ValueError: a code cell differs, so its output has to be made again.
    """
    target, cells = HERE / f"{source.stem}.ipynb", twin(source).cells
    stored = nbformat.read(target, as_version=4)
    outputs = [cell for cell in stored.cells if cell.cell_type == "code"]
    if [cell.source for cell in outputs] != [cell.source for cell in cells if cell.cell_type == "code"]:
        raise ValueError(f"{source}: a code cell was edited; run it without --text")
    left = iter(outputs)
    stored.cells = [next(left) if cell.cell_type == "code" else cell for cell in cells]
    nbformat.write(describe(clean(stored)), target)
    return target


def build(source: Path) -> Path:
    """Execute the twin in the `cpu` profile and write the .ipynb beside this file."""
    target = HERE / f"{source.stem}.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / target.name
        nbformat.write(twin(source), plain)
        runs = Path(folder) / "runs"  # nothing is found there: what a page shows was trained by the run that made it
        executed = execute(plain, Path(folder) / "executed.ipynb", {**PARAMETERS["cpu"], "runs": str(runs)}, HERE)
    executed.cells = [cell for cell in executed.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):  # the injected cell took a number
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    nbformat.write(describe(clean(executed)), target)
    return target


if __name__ == "__main__":
    make = renew_text if "--text" in sys.argv else build
    wanted = [word for word in sys.argv[1:] if word != "--text"]
    for file in sorted((HERE / "py").glob("[0-9][0-9]_*.py")):
        if not wanted or any(file.name.startswith(start) for start in wanted):
            print(make(file).name, flush=True)
