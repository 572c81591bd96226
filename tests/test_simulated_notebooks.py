"""Every notebook runs on a GPU: on the simulated one, in its short form, it ends without an error
and all that trains is there."""

import runpy
from pathlib import Path

import nbformat
import pytest
import simulated_gpu as simulation
import torch
from simulated_gpu import simulated_gpu

import batch
import course_data
from course_data import cells_of
from discom import hardware, notebook
from lessons.model import make_network
from lessons.pairs import contrast
from lessons.probes import embed, erase, probe

pytestmark = pytest.mark.skipif(not simulation.AVAILABLE, reason=simulation.LACKS)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
NUMBERS = sorted(path.name[:2] for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SOLVED = sorted(path.name[:2] for path in NOTEBOOKS.glob("solutions/py/[0-9][0-9]_*.py"))
IN_A_MINUTE = "06"  # of the quick run: it had faults in three places
WITHOUT_NETWORK = "01"  # its batches are on the GPU, no weights learn there
ENTER = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
import simulated_gpu
_context = simulated_gpu.simulated_gpu()
_types = _context.__enter__()
"""


def executed(source, folder):
    """The outputs of a notebook on the simulated GPU, a text for each code cell; the last one is of
    a cell that names where weights have learned."""
    notebook, code = nbformat.read(source, as_version=4), nbformat.v4.new_code_cell
    notebook.cells = [code(ENTER), *notebook.cells, code("print(*sorted(_types))")]
    copy = folder / source.name
    nbformat.write(notebook, copy)
    given = batch.injected(copy, "tiny", folder / "runs")
    cells = batch.execute(copy, folder / "executed.ipynb", given, NOTEBOOKS).cells
    code_cells = [cell for cell in cells if cell.cell_type == "code"]
    return ["".join(out.get("text", "") for out in cell.outputs) for cell in code_cells]


@pytest.mark.parametrize(
    "number",
    [n if n == IN_A_MINUTE else pytest.param(n, marks=pytest.mark.slow) for n in NUMBERS],
)
def test_a_notebook_trains_on_the_gpu(number, tmp_path):
    (source,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    *texts, types = executed(source, tmp_path)
    assert types.split() == [simulation.NAME] * (number != WITHOUT_NETWORK)
    lines = "".join(texts).splitlines()
    assert any(line.startswith("simulated GPU · seed 0") for line in lines)
    (last,) = (line for line in lines if " checks passed · " in line)
    assert last.endswith(" MB of simulated GPU")


def test_the_probes_of_06_are_where_their_images_are(in_notebooks):
    with simulated_gpu():
        device = hardware.device()
        _, test = course_data.scenes("objects:n=330", device=device)
        parts = embed(make_network().to(device), test.images)
        left = erase(parts["inv"], parts["inv"][0, 0])
        share = probe(left[:, 0], test.labels)
    assert {z.device.type for z in (*parts.values(), left)} == {simulation.NAME}
    assert 0 <= share <= 100


def test_the_contrast_of_00_makes_its_targets_where_its_images_are(in_notebooks):
    first, second = torch.randn(2, 8, 64, generator=torch.Generator().manual_seed(0))
    expected = contrast(first, second)
    with simulated_gpu():
        place = hardware.device()
        cost = contrast(first.to(place), second.to(place))
        assert (cost.device.type, cost.item()) == (simulation.NAME, expected.item())


@pytest.mark.slow
@pytest.mark.parametrize("number", [n for n in SOLVED if n != WITHOUT_NETWORK])
def test_solutions_train_on_the_gpu(number, in_notebooks, monkeypatch):
    """In the short form, in which no score means anything and no check may hold."""

    def short(*asked):
        cells = cells_of(*asked).replace('profile = "cpu"', 'profile = "tiny"', 1)
        cells = cells.replace('data = "objects"', 'data = "objects:n=1300"', 1)  # 500 labels of 00
        return cells.replace('data = "scenes-dense"', f'data = "scenes-dense:{batch.SHORT}"', 1)

    monkeypatch.setattr(course_data, "cells_of", short)
    monkeypatch.setattr(notebook, "check", lambda claim, holds: None)
    (solution,) = NOTEBOOKS.glob(f"solutions/py/{number}_*.py")
    given = {"data": f"objects:{batch.SHORT}", "steps": 2}  # of solutions that import lessons
    with simulated_gpu() as types:
        runpy.run_path(str(solution), init_globals=given)
    assert simulation.NAME in types  # the CPU, too, where a check has numbers of its own
