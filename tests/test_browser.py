"""Widgets in a real JupyterLab: a browser opens a notebook, runs it, turns controls, clicks and
lassos.

It needs playwright (in requirements.txt) and a Chromium; on Debian and Ubuntu: `sudo apt install
chromium`. Playwright uses the Chromium on PATH, so none of its own has to be fetched. Screenshots
are left in build/browser.
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
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from discom.reproduce import PARAMETERS

ROOT = Path(__file__).parents[1]
WIDGETS = re.compile(r"\b(widgets|ipywidgets|anywidget|interact|interactive)\b")
LAST = re.compile(r"all \d+ checks passed · ")
SECONDS = 300  # the longest wait for anything: a busy machine is no failure
WHOLE = 1200  # and for a notebook from its first cell to its last
SCREENSHOTS = ROOT / "build/browser"
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)
BROWSER = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH: sudo apt install chromium"
)
QUIET = {  # settings of JupyterLab
    "apputils-extension/notification": '{"fetchNews": "false"}',  # no question about news over the picture
    "notebook-extension/tracker": '{"windowingMode": "none"}',  # every cell is on the page, also those out of sight
}


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
        time.sleep(0.05)


def with_widgets() -> set[str]:
    """The notebooks whose code names a library of widgets."""
    notebooks = {
        path.stem: nbformat.read(path, as_version=4).cells
        for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    return {
        name
        for name, cells in notebooks.items()
        if any(cell.cell_type == "code" and WIDGETS.search(cell.source) for cell in cells)
    }


@contextmanager
def served(notebook: Path, folder: Path) -> Iterator[str]:
    """A JupyterLab of its own with the notebook in the tiny profile: its address, token
    included."""
    room = folder / "notebooks"
    room.mkdir()
    parameters = {**PARAMETERS["tiny"], "runs": str(folder / "runs")}
    nbformat.write(
        parameterize_notebook(load_notebook_node(str(notebook)), parameters), room / notebook.name
    )
    shutil.copytree(ROOT / "results", folder / "results")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        name: str(folder / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    for name, setting in QUIET.items():
        file = (
            folder / f"JUPYTER_CONFIG_DIR/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        )
        file.parent.mkdir(parents=True)
        file.write_text(setting)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
               "--ServerApp.port_retries=0", "--IdentityProvider.token=token", f"--ServerApp.root_dir={room}",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
               "--Application.log_level=WARN"]  # fmt: skip
    environment = {
        **os.environ,
        **own,
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def answers() -> bool:
        assert server.poll() is None, (folder / "lab.log").read_text()
        try:
            return (
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=token", timeout=2).status
                == 200
            )
        except (urllib.error.URLError, OSError):
            return False

    try:
        wait_for(answers, "JupyterLab")
        yield f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?token=token"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def after_run_all(notebook: Path, folder: Path) -> Iterator:
    """The notebook's page after its last cell, in a window of 1200 × 1500 pixels; errors of scripts
    fail the test."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install -r requirements.txt"
    )
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with served(notebook, folder) as address, sync_api.sync_playwright() as playwright:
        # without its sandbox: as root, in a container, Chromium starts in no other way
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1500})
        page.set_default_timeout(1000 * SECONDS)
        errors = []
        page.on("pageerror", lambda error: errors.append(error.stack))
        page.goto(address)
        page.get_by_text("| Idle").wait_for()  # the kernel, in the line at the bottom
        page.keyboard.press("Control+b")  # the file browser takes room
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            page.get_by_text(LAST).wait_for(timeout=1000 * WHOLE)  # the last cell is done
            yield page
            assert not errors, errors
        finally:
            page.screenshot(
                path=SCREENSHOTS / f"{notebook.stem[:2]}_last.png"
            )  # what a failed wait was looking at
            browser.close()


def sources(page) -> list[str]:
    """The images below the picture, as the bytes that the page holds."""
    found = page.locator(".jp-OutputArea-output .widget-html img")
    return found.evaluate_all(
        "images => images.map(image => image.src)"
    )  # at one moment: they come and go


def middle(page) -> tuple[float, float, float]:
    """Centre of the picture on the page, and its side."""
    box = page.locator(".discom-scatter > canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def drag_around(page) -> None:
    x, y, side = middle(page)
    near = 0.48 * side
    page.mouse.move(x - near, y - near)
    page.mouse.down()
    for dx, dy in [(near, -near), (near, near / 2), (-near, near / 2), (-near, -near)]:
        page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def painted(page) -> list[list[int]]:
    """Where the picture is coloured, from its upper edge to its lower one; [column, row] in
    pixels."""
    return page.locator(".discom-scatter > canvas").evaluate("""canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const found = [];
        for (let k = 0; k < pixels.length; k += 4) {
            const bands = pixels.slice(k, k + 3);
            if (Math.max(...bands) - Math.min(...bands) > 60)
                found.push([(k / 4) % canvas.width, Math.floor(k / 4 / canvas.width)]);
        }
        return found; }""")


def click(page, column: float, row: float) -> None:
    page.locator(".discom-scatter > canvas").click(position={"x": column, "y": row})


def the_images_follow_clicks_lassos_and_controls(page) -> None:
    page.get_by_text(
        "nearest neighbours are the nearest in this picture too"
    ).wait_for()  # the picture is there
    page.locator(".discom-scatter").scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "06_1_run.png")
    chosen = sources(page)  # by the cell itself
    assert page.get_by_text("Distances between clusters").first.is_visible()

    drag_around(page)
    wait_for(lambda: sources(page) != chosen and len(sources(page)) == 2, "the images of a lasso")
    assert page.get_by_text(re.compile(r"Selected samples: the first 8 of \d+")).is_visible()
    page.screenshot(path=SCREENSHOTS / "06_2_lasso.png")
    before = sources(page)

    page.keyboard.press("ArrowRight")  # the picture has the focus: on to the next point
    wait_for(
        lambda: sources(page) != before and len(sources(page)) == 2, "the images of the next point"
    )
    assert page.get_by_text("Selected samples: 1;").is_visible()
    before = sources(page)

    page.get_by_label("embedding", exact=True).select_option(label="z_irr")
    page.get_by_text("cosine in z_irr, nearest first").wait_for()
    wait_for(
        lambda: len(sources(page)) == 2 and sources(page)[1] != before[1],
        "neighbours in the other embedding",
    )
    assert sources(page)[0] == before[0], "the same sample is selected"
    page.get_by_label("colour", exact=True).select_option(label="illumination")
    page.locator(".discom-ramp").wait_for()

    clicked = []
    for place in (0, -1):  # the uppermost point and the lowest
        click(page, 2, 2)  # nothing is in the corner, so nothing is selected
        wait_for(lambda: sources(page) == [], "an empty selection")
        click(page, *painted(page)[place])
        wait_for(lambda: len(sources(page)) == 2, "the images of a clicked point")
        clicked.append(sources(page))
    assert clicked[0][0] != clicked[1][0]
    page.screenshot(path=SCREENSHOTS / "06_3_click.png")


INTERACTIONS = {"06_what_the_embeddings_hold": the_images_follow_clicks_lassos_and_controls}


def test_every_notebook_with_widgets_has_its_interaction():
    assert with_widgets() == INTERACTIONS.keys(), (
        "write down above what a reader does with its widgets, and sees"
    )


@BROWSER
@pytest.mark.slow
@pytest.mark.parametrize("name", INTERACTIONS)
def test_widgets_answer_in_jupyterlab(name, tmp_path):
    with after_run_all(ROOT / f"notebooks/{name}.ipynb", tmp_path) as page:
        INTERACTIONS[name](page)
