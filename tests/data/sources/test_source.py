"""Files of a source: downloaded, verified, unpacked and found, or refused in one line."""

import hashlib
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures import writing
from fixtures.refusal import refused

from discom.data.sources import REGISTRY, Sensor, Source, steps
from discom.errors import ConfigError

FILES = {f"set/{name}.tif": name.encode() * 500 for name in "abc"}


def pack(archive: Path) -> str:
    """An archive of the files; its checksum."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in FILES.items():
            opened.writestr(zipfile.ZipInfo(name), content)
    return "md5:" + hashlib.md5(archive.read_bytes()).hexdigest()


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A folder and the address where its files are served."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    (folder := tmp_path / "web").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield SimpleNamespace(folder=folder, url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def photos(monkeypatch):
    """A set that is forgotten after the test."""
    monkeypatch.setitem(REGISTRY, "photos", None)

    class Photos(Source):
        name, size = "photos", "3 GB"

    return REGISTRY["photos"]


def test_a_set_without_addresses_refuses_to_download(photos, tmp_path):
    refused(lambda: photos.raw_folder(tmp_path, download=True), f"^{tmp_path}: nothing can be")


def test_downloads_are_verified_unpacked_and_not_repeated(web, photos, tmp_path):
    checksum = pack(web.folder / "photos.zip")
    (web.folder / "list.txt").write_text("a b c")
    photos.files = {"photos.zip": (f"{web.url}/photos.zip", checksum)}
    photos.files |= {"lists/list.txt": (f"{web.url}/list.txt", "")}
    root = tmp_path / "new" / "raw"
    assert photos.raw_folder(root, download=True) == root
    for file in web.folder.iterdir():
        file.unlink()
    (root / "photos/set/b.tif").unlink()  # as if the unpacking had been stopped
    photos.raw_folder(root, download=True)
    assert (root / "lists/list.txt").read_text() == "a b c"
    assert {name: (root / "photos" / name).read_bytes() for name in FILES} == FILES


@pytest.mark.parametrize("served", ["other bytes", "a web page", "nothing"])
@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_the_file_is_refused(web, photos, tmp_path, served, known):
    checksum, file = pack(web.folder / "photos.zip"), web.folder / "photos.zip"
    contents = {"other bytes": bytearray(file.read_bytes()), "a web page": b"<html>Log in</html>"}
    contents["other bytes"][60] ^= 255
    file.unlink()
    if served in contents:
        file.write_bytes(contents[served])
    photos.files = {"photos.zip": (f"{web.url}/photos.zip", checksum if known else "")}
    refused(
        lambda: photos.raw_folder(tmp_path / "raw", True), rf"^{tmp_path}/raw/photos.zip: .*http"
    )


def test_what_was_fetched_by_hand_is_verified_and_never_replaced(web, photos, tmp_path):
    pack(tmp_path / "photos.zip")
    content = (tmp_path / "photos.zip").read_bytes()
    (web.folder / "photos.zip").write_text("what is served")
    served = hashlib.md5(b"what is served").hexdigest()
    photos.files = {"photos.zip": (f"{web.url}/photos.zip", f"md5:{served}")}
    refused(lambda: photos.raw_folder(tmp_path, download=True), rf"^{tmp_path}/photos\.zip: ")
    assert (tmp_path / "photos.zip").read_bytes() == content


def test_a_size_of_which_no_image_can_be_held_is_refused():
    sensor = Sensor(read=lambda item: np.zeros((3, 4, 4), np.uint8), smooth=True)
    assert sensor.stack([0, 1], (8, 6)).shape == (2, 3, 8, 6)
    call = partial(sensor.stack, [0, 1], (5_000_000, 5_000_000))
    refused(call, f"^size 5000000×5000000: .* {8 * 3 * 25e12 / 2**30:,.1f} GiB", ConfigError)


def test_nan_of_a_file_becomes_the_value_that_is_stated_or_is_refused(tmp_path):
    file, holes = tmp_path / "a.npy", np.float32([[1.0, np.nan]])
    np.save(file, holes)
    form = {"what": "heat", "kind": np.float32, "shape": (1, None, None)}
    assert steps.read_form(file, **form, invalid=-3.0).tolist() == [[[1.0, -3.0]]]
    refused(lambda: steps.read_form(file, **form), rf"^{file}: ")


def test_a_stem_stands_once_and_an_ending_has_any_case(tmp_path):
    names = ("b.tif", "a.TIF", "a.tif.aux.xml", "c.png", "e.tif/x")
    writing.write(tmp_path, dict.fromkeys(names, b""))
    assert list(steps.sorted_files(tmp_path, ".tif", ".png")) == ["a", "b", "c"]
    (tmp_path / "a.tif").touch()
    refused(lambda: steps.sorted_files(tmp_path, ".tif"), r"a\.tif: ")
