"""Stored outputs, which a CPU made, stay where a cell changed in its device alone."""

import re
from pathlib import Path

import nbformat
import pytest

import batch
import build
from devices import on_a_cpu
from discom.errors import DataError

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CODE = nbformat.v4.new_code_cell

EQUAL = {
    "from discom import hardware, methods\nx = 1": "from discom import methods\nx = 1",
    "from discom import hardware\nx = 1": "x = 1",
    "device = hardware.device()  # a GPU\nx = 1": "x = 1",
    'device = "cuda" if torch.cuda.is_available() else "cpu"\nx = 1': "x = 1",
    'names, device = list(x), "cpu"': "names = list(x)  # of sensors",
    'if device.type == "cpu":\n    torch.set_num_threads(1)': "torch.set_num_threads(1)",
    "net = Net(3).to(device)": "net = Net(3)",
    "net = net.to(device)\ny = net(x)": "y = net(x)",
    "net.to(device, memory_format=last)": "net.to(memory_format=last)",
    "y = net(x.to(z.device)).cpu().numpy()": "y = net(x).numpy()",
    "scenes = load(data, seed, device=device)": "scenes = load(data, seed)",
    "torch.arange(9, device=z.device).roll(3)": "torch.arange(9).roll(3)",
    "def f(z):\n    z = z.cpu()\n    return z": "def f(z):\n    return z",
}
OTHER = {
    "net = Net(3).to(device)": "net = Net(4)",
    "net.to(device, memory_format=last)": "net.to(device)",
    "net.to(torch.float64)": "net",
    "device = find()": "",
    'device = "cpu:1"': "",
    "names, device = list(x), find()": "names = list(x)",
    'a, b, device = 1, 2, "cpu"': "a, b = 2, 1",
    'if device.type == "cuda":\n    steps = 9': "",
    'if device.type == "cpu":\n    steps = 9\nelse:\n    steps = 3': "steps = 9",
    "print(device)": "print()",
    "run(x, device)": "run(x)",
    "load(data, device=other)": "load(data)",
    "z = z.cpu() + 1": "",
    "a = b.cpu()": "",
    "x.cpu(1)": "x",
    "x.cuda()": "x",
    "from discom import hardware": "from discom import methods",
}


@pytest.mark.parametrize(("source", "plain"), EQUAL.items())
def test_a_device_is_left_out(source, plain):
    assert on_a_cpu(source) == on_a_cpu(plain)


@pytest.mark.parametrize(("source", "plain"), OTHER.items())
def test_what_may_change_an_output_is_not(source, plain):
    assert on_a_cpu(source) != on_a_cpu(plain)


def test_what_is_no_python_stays_as_it_is():
    assert on_a_cpu("%pip install x  # there") == "%pip install x  # there"


def write(path, cells, outputs=()):
    """A twin and its notebook, whose cells have these outputs."""
    notebook = nbformat.v4.new_notebook(cells=[CODE(source) for source in cells])
    for cell, text in zip(notebook.cells, outputs, strict=False):
        cell.outputs = [nbformat.v4.new_output("stream", text=text)]
        cell.execution_count = 1
    if outputs:
        nbformat.write(notebook, path / "00_one.ipynb")
    twin = path / "py/00_one.py"
    twin.parent.mkdir(exist_ok=True)
    twin.write_text("\n\n".join(f"# %%\n{source}" for source in cells) + "\n")
    return twin


def test_outputs_stay_around_new_devices_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "HERE", tmp_path)
    twin = write(tmp_path, ["net = Net(3)", "print(net(x))"], ["", "0.5"])
    moved = ["net = Net(3).to(device)", "print(net(x.to(device)))"]
    build.renew_text(write(tmp_path, moved))
    stored = nbformat.read(tmp_path / "00_one.ipynb", as_version=4).cells
    assert [cell.source for cell in stored] == moved
    assert stored[1].outputs[0].text == "0.5"
    for edited in (["net = Net(4).to(device)", moved[1]], [moved[0], "print(x.to(device))"]):
        write(tmp_path, edited)
        with pytest.raises(DataError, match="a code cell was edited"):
            build.renew_text(twin)
    assert nbformat.read(tmp_path / "00_one.ipynb", as_version=4).cells == stored


def outputs(notebook, folder):
    """What an execution in the short form shows, but commit, time and memory: a list for each
    cell, of texts and pictures."""
    folder.mkdir()
    nbformat.write(notebook, folder / "source.ipynb")
    given = batch.injected(folder / "source.ipynb", "tiny", folder / "runs")
    done = batch.execute(folder / "source.ipynb", folder / "done.ipynb", given, NOTEBOOKS)
    shown = [
        [output.get("text") or output.data for output in cell.get("outputs", [])]
        for cell in done.cells
    ]
    machine = r"commit \w+|\d+ s( of one core)? · peak memory \d+ MB"
    return [[re.sub(machine, "", str(own)) for own in cell] for cell in shown]


@pytest.mark.slow
def test_a_whole_notebook_shows_the_same_without_its_device(tmp_path, monkeypatch):
    """00 as it is, on a CPU, and with its code as `on_a_cpu` reads it."""
    monkeypatch.setenv("DISCOM_DEVICE", "cpu")
    (source,) = NOTEBOOKS.glob("00_*.ipynb")
    whole, plain = (nbformat.read(source, as_version=4) for _ in range(2))
    for cell in plain.cells:
        kept = "git clone" in cell.source or "parameters" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not kept:
            cell.source = on_a_cpu(cell.source)
            assert "device" not in cell.source
    shown = outputs(whole, tmp_path / "whole")
    assert sum(map(len, shown)) > 10
    assert outputs(plain, tmp_path / "plain") == shown
