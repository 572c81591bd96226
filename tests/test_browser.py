"""The map of notebook 06 in JupyterLab: a point under the cursor shows its picture.

It needs playwright (in requirements.txt) and a Chromium on PATH; on Debian and Ubuntu: `sudo apt
install chromium`.
"""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
CODE = f"""
import sys, types
import torch
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "notebooks")!r}]
from pictures import embeddings
images = {{"rgb": torch.rand(9, 3, 8, 8), "depth": torch.rand(9, 1, 8, 8)}}
part = types.SimpleNamespace(images=images, labels=torch.zeros(9).long(), classes=["disk/wood"])
xy = torch.cat([torch.zeros(14, 2), torch.tensor([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])])
plot = embeddings.explore(xy.numpy(), part)
"""  # the middle of the map is a point


@pytest.fixture
def page(tmp_path):
    """JupyterLab's page of a notebook that draws a map."""
    api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements.txt")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "map.ipynb")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={tmp_path}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}/lab/tree/map.ipynb"
    try:
        with api.sync_playwright() as playwright:
            # as root, in a container, Chromium has no sandbox, and WebGL without a GPU
            flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.set_default_timeout(120_000)
            for _ in range(60):  # until the server answers
                try:
                    page.goto(address)
                    break
                except api.Error:
                    page.wait_for_timeout(1000)
            yield page
            browser.close()
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: sudo apt install chromium")
def test_a_point_under_the_cursor_shows_its_picture(page):
    page.locator(".jp-CodeCell").click()
    page.keyboard.press("Control+Enter")
    output = page.locator(".jp-OutputArea")
    canvas, picture = output.locator("canvas").first, output.locator("[style*='data:image/png']")
    for _ in range(10):  # until the map has its size and the kernel has answered
        box = canvas.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(middle[0] - 100, middle[1] - 50)
        page.mouse.move(*middle, steps=5)
        page.wait_for_timeout(4000)
        if picture.count():
            break
    assert picture.count() == 1
    assert "disk/wood" in output.inner_text()
