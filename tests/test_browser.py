"""The explorer in a real JupyterLab: a browser turns controls, clicks, lassoes and steps.

It needs playwright (in requirements.txt) and a Chromium on PATH; on Debian and Ubuntu: `sudo apt
install chromium`. Screenshots are left in build/browser.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
SECONDS = 300  # the longest wait for anything: a busy machine is no failure
SCREENSHOTS = ROOT / "build/browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
QUIET = {  # settings of JupyterLab: no question about news over the picture, every cell on the page
    "apputils-extension/notification": '{"fetchNews": "false"}',
    "notebook-extension/tracker": '{"windowingMode": "none"}',
}
CELL = f"""
import sys
sys.path.append({str(ROOT / "notebooks")!r})
"""
CELL += """
import explorer
import numpy as np
from discom import data

scenes, rng = data.load("scenes:n=60,size=8"), np.random.default_rng(0)
embedded = {
    name: dict(inv=rng.normal(size=(60, 2)), irr=rng.normal(size=(60, 2)), logits=np.eye(9)[m.y])
    for name, m in scenes.modalities.items()
}
explorer.project = lambda z, **_: z  # UMAP would compile for half a minute
picture = explorer.Explorer(scenes, embedded)
picture.select([3])
picture
"""


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
        time.sleep(0.05)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address, token included, of a JupyterLab of its own with one notebook."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cell = nbformat.v4.new_code_cell(CELL)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
    nbformat.write(notebook, folder / "explorer.ipynb")
    for name, setting in QUIET.items():
        file = folder / f"CONFIG/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(setting)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=token"]
    command += [f"--ServerApp.root_dir={folder}", "--Application.log_level=WARN"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": str(ROOT)}
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)

    def started() -> bool:
        assert server.poll() is None, (folder / "lab.log").read_text()
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=token").status == 200
        except (urllib.error.URLError, OSError):
            return False

    try:
        wait_for(started, "JupyterLab")
        yield f"http://127.0.0.1:{port}/lab/tree/explorer.ipynb?token=token"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def page(tmp_path):
    """The notebook's page after its cell; errors of scripts fail the test."""
    api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements.txt")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with served(tmp_path) as address, api.sync_playwright() as playwright:
        # without its sandbox: as root, in a container, Chromium starts in no other way
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1500})
        page.set_default_timeout(1000 * SECONDS)
        errors = []
        page.on("pageerror", lambda error: errors.append(error.stack))
        page.goto(address)
        page.get_by_text("| Idle").wait_for()  # the kernel, in the line at the bottom
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            page.get_by_text("nearest neighbours are near here too").wait_for()
            page.locator(".discom-scatter").scroll_into_view_if_needed()
            yield page
            assert not errors, errors
        finally:
            page.screenshot(path=SCREENSHOTS / "last.png")  # what a failed wait was looking at
            browser.close()


def picture(page) -> str:
    """What the canvas shows, as text."""
    return page.locator(".discom-scatter > canvas").evaluate("canvas => canvas.toDataURL()")


def scale(page) -> float:
    """How much smaller than its 900 pixels a narrow page shows the picture."""
    return page.locator(".discom-scatter > canvas").bounding_box()["width"] / 900


def lasso(page) -> None:
    box = page.locator(".discom-scatter > canvas").bounding_box()
    x, y, width, height = box["x"], box["y"], 0.7 * box["width"], 396 * scale(page)
    page.mouse.move(x + 4, y + 4)
    page.mouse.down()
    corners = [(x + width, y + 4), (x + width, y + height - 4), (x + 4, y + height - 4)]
    for corner in [*corners, (x + 4, y + 4)]:
        page.mouse.move(*corner, steps=6)
    page.mouse.up()


def painted(page) -> list[list[int]]:
    """Where the picture is coloured, from above to below; [x, y] on the page, legend left out."""
    return page.locator(".discom-scatter > canvas").evaluate("""canvas => {
        const {width, height} = canvas, spots = [];
        const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        for (let k = 0; k < pixels.length; k += 4) {
            const bands = pixels.slice(k, k + 3), x = (k / 4) % width;
            const inside = x < 0.7 * width && k / 4 / width < 796;
            if (inside && Math.max(...bands) - Math.min(...bands) > 60)
                spots.push([x / 2, Math.floor(k / 4 / width) / 2]);
        }
        return spots; }""")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: sudo apt install chromium")
def test_the_picture_follows_clicks_lassos_and_controls(page):
    page.get_by_text("Selected: 1").wait_for()  # by the cell itself
    lasso(page)
    page.get_by_text("Selected: 60").wait_for()
    page.screenshot(path=SCREENSHOTS / "lasso.png")
    page.get_by_label("embedding", exact=True).select_option(label="z_irr")
    page.get_by_role("img", name=re.compile("z_irr")).wait_for()
    page.get_by_label("colour", exact=True).select_option(label="illumination")
    page.get_by_role("img", name=re.compile("coloured by illumination")).wait_for()
    canvas, shown = page.locator(".discom-scatter > canvas"), scale(page)
    assert shown < 1  # the page is narrow, and the whole picture is seen
    clicked = []
    for place in (0, -1):  # the uppermost point and the lowest
        # no point is near, so nothing is selected
        canvas.click(position={"x": 899 * shown, "y": 2})
        page.get_by_text("Selected: 0").wait_for()
        page.wait_for_timeout(1000)  # until the canvas has drawn what the kernel sent
        empty = picture(page)
        x, y = painted(page)[place]
        canvas.click(position={"x": x * shown, "y": y * shown})
        page.get_by_text("Selected: 1").wait_for()
        wait_for(lambda: picture(page) != empty, "the images of a clicked point")  # noqa: B023
        page.wait_for_timeout(1000)
        clicked.append(picture(page))
    assert clicked[0] != clicked[1]
    page.screenshot(path=SCREENSHOTS / "click.png")
