"""Make the committed notebooks from their py:percent twins: pair, execute once,
keep the outputs that render anywhere.

python notebooks/build.py            all of them
python notebooks/build.py 02 03      some
python notebooks/build.py --heads    badges, install cells and addresses alone
python notebooks/build.py --text 02  those, and new text around the stored outputs;
                                         of code, what it says about devices
python notebooks/build.py --from FOLDER  outputs of `batch.py --profile cpu`
"""

import argparse
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import jupytext
import nbformat

from batch import ADDED, execute, injected, outcome
from devices import on_a_cpu
from discom import __version__
from discom.errors import DataError, DiscomError
from discom.files import atomic_file
from lesson_files import write

HERE = Path(__file__).resolve().parent
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "docs/**/*.md",
    "data/*.md",
)  # besides the twins: pages that name the address
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)", re.IGNORECASE)
FIRST_CODE = re.compile(
    r"^# %%(?! \[markdown\])[^\n]*\n(.*?)(?=^# %%)", re.MULTILINE | re.DOTALL
)
INSTALL = """\
import os

ref, url = "RELEASE", "ADDRESS"  # ref: a tag or a branch
try:
    import discom.config
except ImportError:  # on Colab, whose torch stays
    # !git clone -q --depth 1 -b {ref} {url} 2> /dev/null || echo "no {ref} yet: main"
    # !test -d discom || git clone -q --depth 1 {url}
    # !pip list --format=freeze | grep -E "^(torch|torchvision|numpy)=" > kept.txt
    # %pip install -q -c kept.txt "./discom[deploy]"
    import discom.config
clone = os.path.dirname(os.path.dirname(discom.config.__file__))
for place in ("discom/notebooks", f"{clone}/notebooks"):  # from Colab, or any folder
    if not os.path.isfile("course.py") and os.path.isdir(place):
        os.chdir(place)
"""


def address(root: Path) -> str:
    """Where the repository lives: the one place that says so is pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"][
        "Repository"
    ]


def head(text: str, name: str, home: str, version: str) -> str:
    """The twin's text with the badge and the install cell of this release.

    Raises:
        DataError: there is no badge, or the first code cell is none that installs.
    """
    blob = (
        home.replace("https://github.com/", "https://colab.research.google.com/github/")
        + "/blob/main"  # there before any tag is
    )
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    badge = f"[![Open in Colab]({image})]({blob}/notebooks/{name}.ipynb)"
    cell = FIRST_CODE.search(text)
    if not BADGE.search(text):
        raise DataError(
            f"notebooks/py/{name}.py: no badge;"
            " write [![Open in Colab]()]() into its first cell"
        )
    if not cell or "git clone" not in cell[1]:
        raise DataError(
            f"notebooks/py/{name}.py: the first code cell must be the install cell;"
            " copy another twin's"
        )
    install = INSTALL.replace("RELEASE", f"v{version}").replace("ADDRESS", home) + "\n"
    return (
        BADGE.sub(lambda _: badge, text[: cell.start(1)])
        + install
        + text[cell.end(1) :]
    )


def page(text: str, home: str, version: str) -> str:
    """The page's text with the address and the version of this release."""
    text = re.sub(
        r"git clone \S+?(;| &&) cd discom", rf"git clone {home}\1 cd discom", text
    )
    owned = home.removeprefix("https://github.com/")
    text = re.sub(r"(colab\S+?/github)/[^/\s]+/[^/\s]+/", rf"\1/{owned}/", text)
    text = re.sub(r"https://github\S+?/actions/", f"{home}/actions/", text)
    text = re.sub(r"(?m)^\[(\d[\d.]*)\]: \S+$", rf"[\1]: {home}/releases/tag/v\1", text)
    text = re.sub(r"(?m)^version: .*$", f"version: {version}", text)
    return re.sub(r"(?m)^repository-code: .*$", f'repository-code: "{home}"', text)


def heads(root: Path, version: str = __version__) -> list[Path]:
    """Write badges, install cells and addresses anew; the files that this changed."""
    home, twins = address(root), sorted((root / "notebooks/py").glob("[0-9][0-9]_*.py"))
    made = {twin: head(twin.read_text(), twin.stem, home, version) for twin in twins}
    made |= {
        file: page(file.read_text(), home, version)
        for pattern in PAGES
        for file in root.glob(pattern)
    }
    changed = [file for file, text in made.items() if text != file.read_text()]
    for file in changed:
        with atomic_file(file) as part:
            part.write_text(made[file])
    return changed


def twin(source: Path) -> nbformat.NotebookNode:
    """The notebook that a py:percent file describes, without outputs."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
    }
    return notebook


# What Colab reads: a notebook that trains on a GPU opens with one
COLAB_GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}}
WIDGET = "application/vnd.jupyter.widget-view+json"


def _fleeting(output: nbformat.NotebookNode) -> bool:
    """Progress bars: text on stderr, or a widget that no page can draw
    afterwards and that left no picture."""
    data = output.get("data", {})
    return output.get("name") == "stderr" or (
        WIDGET in data and "image/png" not in data
    )


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop progress bars, widgets, timings and the machine's own metadata; what is left
    renders on any page."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {
            key: value
            for key, value in cell.metadata.items()
            if key in ("tags", "alt", "jupyter") and value
        }
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _fleeting(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)  # its picture stays
    # its lexer knows lines that are none of Python's, such as %pip
    language = {"name": "python", "pygments_lexer": "ipython3"}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": language}
    if any("hardware.device()" in cell.source for cell in notebook.cells):
        about |= COLAB_GPU
    notebook.metadata = nbformat.from_dict(about)
    return notebook


CAPTION = re.compile(r"^\*(?:Figures?\b)(.+?)\*(?=\s|$)", re.DOTALL | re.MULTILINE)


def describe(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Give every picture its text for those who do not see it: `# %% alt="…"` of its
    cell, or the caption below it, "*Figure: …*".

    MyST-NB reads it from the cell's metadata, nbconvert from the output's, a text
    console in place of the picture.

    Raises:
        ValueError: a picture without a text of its own.
    """
    caption = None
    for number, cell in reversed(list(enumerate(notebook.cells))):
        if cell.cell_type == "markdown" and (found := CAPTION.search(cell.source)):
            caption = " ".join(re.sub("[`$]", "", found[1]).strip(" :,").split())
        pictures = [
            output
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        own = cell.metadata.pop("alt", None)
        text = own or caption
        if pictures and text is None:
            raise ValueError(
                f'cell {number}: no text for its picture; write # %% alt="…"'
            )
        for output in pictures:
            output.metadata["image/png"] = {"alt": text}
            output.data["text/plain"] = text
        if pictures:
            cell.metadata["mystnb"] = {"image": {"alt": text}}
            caption = caption if own else None
    return notebook


def _needs_a_run(cell: nbformat.NotebookNode) -> tuple[str, ...]:
    """What the outputs of a code cell depend on, which a CPU has made; the install cell
    has none here."""
    return (
        ("install",)
        if "git clone" in cell.source
        else (on_a_cpu(cell.source), *cell.metadata.get("tags", []))
    )


def number(cells: list[nbformat.NotebookNode]) -> None:
    """Count the code cells, as one run from top to bottom does."""
    for count, cell in enumerate(cells, 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def renew_text(source: Path) -> Path:
    """Put the twin's text, its install cell and what its code says about devices around
    the outputs that are stored, and describe the pictures anew.

    Raises:
        DataError: another code cell differs in more than that; nothing is written.
    """
    target, edited = HERE / f"{source.stem}.ipynb", twin(source)
    stored = nbformat.read(target, as_version=4)
    new, old = (
        [cell for cell in notebook.cells if cell.cell_type == "code"]
        for notebook in (edited, stored)
    )
    shown, run = (
        [cell for cell in cells if on_a_cpu(cell.source)] for cells in (new, old)
    )  # a cell that chooses the device alone has no outputs
    if [_needs_a_run(cell) for cell in shown] != [_needs_a_run(cell) for cell in run]:
        raise DataError(
            f"{source.name}: a code cell was edited;"
            f" run python notebooks/build.py {source.stem[:2]}"
        )
    for cell, stored_cell in zip(shown, run, strict=True):
        cell.outputs = stored_cell.outputs
    number(new)
    with atomic_file(target) as part:
        nbformat.write(describe(clean(edited)), part)
    return target


def build(source: Path, folder: Path | None = None) -> Path:
    """Write the .ipynb beside this file, from the executed copy that `batch.py
    --profile cpu` has left in `folder`; the twin is executed where there is none.

    Raises:
        DataError: the copy has not passed, or the twin was edited since.
    """
    target = HERE / f"{source.stem}.ipynb"
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / target.name
        nbformat.write(twin(source), plain)
        if folder:
            status = outcome(folder / target.name, plain)["status"]
            if status != "passed":
                raise DataError(
                    f"{folder / target.name}: {status};"
                    " run notebooks/batch.py --profile cpu"
                )
            executed = nbformat.read(folder / target.name, as_version=4)
        else:  # without runs, so that all is trained that a page shows
            given = injected(plain, "cpu", Path(temporary) / "runs")
            executed = execute(plain, Path(temporary) / "executed.ipynb", given, HERE)
    executed.cells = [
        cell
        for cell in executed.cells
        if not ADDED & set(cell.metadata.get("tags", []))
    ]
    for cell, written in zip(executed.cells, twin(source).cells, strict=True):
        cell.metadata = written.metadata
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    number(code)  # the injected cell took one
    nbformat.write(describe(clean(executed)), target)
    return target


def main(arguments: list[str]) -> int:
    """Write the heads, then what the arguments ask for; 2 where an error is printed."""
    parser = argparse.ArgumentParser(
        description="Make the notebooks from their twins in notebooks/py."
    )
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="numbers, such as 02; all by default"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--heads", action="store_true", help="badges, install cells and addresses alone"
    )
    only.add_argument(
        "--text",
        action="store_true",
        help="new text, and devices, around the stored outputs, without a run",
    )
    only.add_argument(
        "--from", type=Path, dest="folder", help="take executed copies from there"
    )
    chosen = parser.parse_args(arguments)
    try:
        for file in [*heads(HERE.parent), *write(HERE)]:
            print(file.name, flush=True)
        for file in (
            [] if chosen.heads else sorted((HERE / "py").glob("[0-9][0-9]_*.py"))
        ):
            if not chosen.notebooks or file.name.startswith(tuple(chosen.notebooks)):
                made = renew_text(file) if chosen.text else build(file, chosen.folder)
                print(made.name, flush=True)
    except DiscomError as error:
        print(f"notebooks/build.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
