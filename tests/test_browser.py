"""The explorer's picture in a real browser: it shows what Python drew, and tells it where the
pointer went. What Python makes of that is tested in test_explorer.py.

It needs playwright (in requirements.txt) and a Chromium on PATH; on Debian and Ubuntu: `sudo apt
install chromium`.
"""

import base64
import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
SCRIPT = (Path(__file__).parents[1] / "notebooks/explorer/scatter.js").read_text()
# in the place of the model that anywidget gives; the page shows the picture at half its width
PAGE = """<div id="place" style="width: 450px"></div><script type="module">
window.values = {picture: "%s", label: "first"};
window.changed = {};
const model = {
    get: name => values[name],
    set: (name, value) => { values.set = {[name]: value}; },
    save_changes: () => { values.saved = values.set; },
    on: (name, act) => { changed[name] = act; },
};
"""


def picture(colour: str) -> str:
    """A PNG in double size, 1800 × 800 pixels, as a data URI."""
    Image.new("RGB", (1800, 800), colour).save(file := io.BytesIO(), "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.fixture
def page():
    """A page with the picture; errors of scripts fail the test."""
    api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements.txt")
    with api.sync_playwright() as playwright:
        # without its sandbox: as root, in a container, Chromium starts in no other way
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, errors = browser.new_page(), []
        page.on("pageerror", lambda error: errors.append(error.stack))
        shown = "render({model, el: document.getElementById('place')});</script>"
        page.set_content(PAGE % picture("red") + SCRIPT + shown)
        yield page
        browser.close()
        assert not errors, errors


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: sudo apt install chromium")
def test_the_picture_tells_clicks_and_lassos_in_its_own_pixels_and_follows_python(page):
    page.get_by_role("img", name="first").wait_for()
    canvas = page.locator(".discom-scatter > canvas")
    assert canvas.bounding_box()["width"] == 450  # a narrow page shows the whole picture
    canvas.click(position={"x": 100, "y": 50})
    (click,) = page.evaluate("values.saved.path")
    assert click == pytest.approx([200, 100], abs=2)
    box = canvas.bounding_box()
    corners = [(20, 20), (400, 20), (400, 180), (20, 180)]
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for x, y in corners:
        page.mouse.move(box["x"] + x, box["y"] + y)
    drawn = canvas.evaluate("canvas => canvas.toDataURL()")
    page.mouse.up()
    path = page.evaluate("values.saved.path")
    for place, corner in zip(path[-4:], corners, strict=True):
        assert place == pytest.approx([2 * side for side in corner], abs=2)
    assert canvas.evaluate("canvas => canvas.toDataURL()") != drawn  # the lasso is gone
    page.evaluate("new_picture => { values.picture = new_picture; }", picture("blue"))
    page.evaluate("values.label = 'second'; changed['change:picture']()")
    page.get_by_role("img", name="second").wait_for()
    pixel = "canvas => [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data]"
    assert canvas.evaluate(pixel) == [0, 0, 255, 255]
