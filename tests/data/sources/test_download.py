"""Downloads: from a server on this machine that answers as real ones do on bad days."""

import errno
import hashlib
import logging
import shutil
import ssl
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
import requests
from fixtures.server import cut, good, page, serve, status, told

from discom.data.sources import download
from discom.data.sources.download import RemoteFile, fetch, find_file, verify_file
from discom.errors import DataError

CONTENT = bytes(range(256)) * 400
OTHER = CONTENT[::-1]
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NAME = "set.zip"


@pytest.fixture
def waits(monkeypatch):
    """What would be slept between two tries."""
    slept = []
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture
def web(monkeypatch, waits):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as found:
        yield found


def refused(call, *arguments) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_download_is_verified_named_and_shown(web, tmp_path, capsys, waits):
    url = web.put("/set.zip", good(CONTENT))
    file = fetch(RemoteFile(NAME, (url,), len(CONTENT), SHA), tmp_path / "new" / "folder")
    assert file == tmp_path / "new" / "folder" / NAME
    assert file.read_bytes() == CONTENT
    assert file.stat().st_mode & 0o044 == 0o044  # others may read it
    assert [path.name for path in file.parent.iterdir()] == [NAME]
    assert "set.zip: 100%" in capsys.readouterr().err
    assert not pooch.get_logger().isEnabledFor(logging.INFO)  # its own lines would tear the bar
    assert waits == []
    assert web.asked[0][1]["Accept-Encoding"] == "identity"


def test_what_is_there_is_verified_and_not_asked_for(web, tmp_path):
    url = web.put("/set.zip", good(CONTENT))
    (tmp_path / NAME).write_bytes(CONTENT)
    assert fetch(RemoteFile(NAME, (url,), len(CONTENT), MD5), tmp_path).read_bytes() == CONTENT
    (tmp_path / NAME).write_bytes(OTHER)
    message = refused(fetch, RemoteFile(NAME, (url,), len(CONTENT), MD5), tmp_path)
    assert (
        f"set.zip: has md5 {hashlib.md5(OTHER).hexdigest()}, not {MD5[4:]}; delete it and fetch it again"
        in message
    )
    assert web.asked == []


def test_a_cut_download_starts_again(web, tmp_path, waits):
    url = web.put("/set.zip", cut(CONTENT), cut(CONTENT), good(CONTENT))
    assert fetch(RemoteFile(NAME, (url,)), tmp_path).read_bytes() == CONTENT
    assert web.count("/set.zip") == 3
    assert waits == [1, 2]


def test_what_a_killed_download_left_is_cleared(web, tmp_path):
    (tmp_path / f".{NAME}.download").mkdir()
    (tmp_path / f".{NAME}.download" / "tmp123").write_bytes(CONTENT[:500])
    fetch(RemoteFile(NAME, (web.put("/set.zip", good(CONTENT)),), len(CONTENT), MD5), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_download_that_is_always_cut_leaves_nothing(web, tmp_path):
    url = web.put("/set.zip", cut(CONTENT))
    message = refused(fetch, RemoteFile(NAME, (url,)), tmp_path, 2)
    assert message == (
        f"{tmp_path / NAME}: no mirror gave it: {url} (the connection was cut); try later, or fetch it by hand into"
        f" {tmp_path}"
    )
    assert web.count("/set.zip") == 2
    assert list(tmp_path.iterdir()) == []


def test_mirrors_are_tried_in_order(web, tmp_path):
    urls = (
        web.put("/a", status(404)),
        web.put("/b", status(503)),
        web.put("/c", good(CONTENT)),
        web.put("/d"),
    )
    assert fetch(RemoteFile(NAME, urls, checksum=MD5), tmp_path).read_bytes() == CONTENT
    assert list(dict.fromkeys(path for path, _ in web.asked)) == ["/a", "/b", "/c"]


BAD = {
    "wrong bytes": (good(OTHER), rf"has md5 {hashlib.md5(OTHER).hexdigest()}, not {MD5[4:]}"),
    "a web page": (page(), "is a web page and no data"),
    "a web page after a mark of bytes": (
        page("\ufeff <!-- x --><HTML>"),
        "is a web page and no data",
    ),
    "cut without a word": (good(CONTENT[:-1]), r"has 102,399 bytes, not 102,400"),
    "too long": (good(CONTENT + b"x"), r"has 102,401 bytes, not 102,400"),
    "nothing": (good(b""), r"has 0 bytes, not 102,400"),
    "not there": (status(404), "HTTP status 404"),
    "forbidden": (status(403), "HTTP status 403"),
}


@pytest.mark.parametrize("title", BAD)
def test_what_is_not_the_file_never_gets_its_name(web, tmp_path, title):
    answer, reason = BAD[title]
    url = web.put("/set.zip", answer)
    remote = RemoteFile(NAME, (url,), len(CONTENT), MD5)
    message = refused(fetch, remote, tmp_path, 1)
    assert message.startswith(f"{tmp_path / NAME}: no mirror gave it: {url} ({reason}")
    assert list(tmp_path.iterdir()) == []
    mirror = web.put("/mirror", good(CONTENT))
    assert (
        fetch(RemoteFile(NAME, (url, mirror), len(CONTENT), MD5), tmp_path).read_bytes() == CONTENT
    )


def test_a_wrong_file_is_not_asked_for_again(web, tmp_path):
    url = web.put("/set.zip", good(OTHER))  # as large as the right one: gigabytes, with real sets
    refused(fetch, RemoteFile(NAME, (url,), checksum=MD5), tmp_path)
    assert web.count("/set.zip") == 1


def careless(remote, folder, tries=1):
    """A deliberately wrong copy: takes what comes."""
    file = Path(folder, remote.name)
    file.write_bytes(requests.get(remote.urls[0], timeout=5).content)
    return file


def takes_wrong_bytes(get, web, folder) -> bool:
    try:
        get(RemoteFile(NAME, (web.put("/set.zip", good(OTHER)),), len(CONTENT), MD5), folder)
    except DataError:
        return False
    return True


def test_the_check_of_checksums_can_fail(web, tmp_path):
    assert not takes_wrong_bytes(fetch, web, tmp_path)
    assert takes_wrong_bytes(careless, web, tmp_path)


def test_the_same_content_packed_otherwise(web, tmp_path):
    other = RemoteFile("other.tar", (web.put("/other", good(CONTENT)),), None, MD5)
    remote = RemoteFile(NAME, (web.put("/set.zip", status(404)),), instead=(other,))
    assert find_file(remote, tmp_path) is None
    assert fetch(remote, tmp_path) == tmp_path / "other.tar"
    asked = len(web.asked)
    assert fetch(remote, tmp_path) == find_file(remote, tmp_path) == tmp_path / "other.tar"
    assert len(web.asked) == asked
    nowhere = RemoteFile(
        NAME, (f"{web.address}/x",), instead=(RemoteFile("y", (f"{web.address}/y",)),)
    )
    message = refused(fetch, nowhere, tmp_path / "empty", 1)
    assert (
        f"{web.address}/x (HTTP status 404), {web.address}/y (HTTP status 404); try later"
        in message
    )


def test_space_is_looked_for_first(web, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    remote = RemoteFile(NAME, (web.put("/set.zip", good(CONTENT)),), len(CONTENT))
    message = refused(fetch, remote, tmp_path)
    assert message.startswith(
        f"{tmp_path}: 1,000 bytes are free, 102,400 needed for set.zip; make room"
    )
    assert web.asked == []


def test_a_full_disk_is_no_fault_of_the_mirror(web, tmp_path, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", write)
    message = refused(fetch, RemoteFile(NAME, ("http://a", "http://b")), tmp_path)
    assert message == f"{tmp_path}: No space left on device; make room or check the rights"
    assert list(tmp_path.iterdir()) == []


def test_no_address_and_no_server(tmp_path, waits):
    message = refused(fetch, RemoteFile(NAME), tmp_path)
    assert message == (
        f"{tmp_path / NAME}: has no address to download it from; fetch it by hand into {tmp_path}"
    )
    with serve() as gone:
        pass
    assert f"{gone.address}/x (no connection)" in refused(
        fetch, RemoteFile(NAME, (f"{gone.address}/x",)), tmp_path
    )


def test_a_server_that_does_not_answer(web, tmp_path, monkeypatch):
    def slow(*_, **given):
        raise requests.ReadTimeout(f"after {given['timeout']}")

    monkeypatch.setattr(requests, "get", slow)
    message = refused(fetch, RemoteFile(NAME, ("http://127.0.0.1/x",)), tmp_path)
    assert "http://127.0.0.1/x (no answer within 60 s)" in message


def test_a_server_without_a_trusted_certificate_is_refused(tmp_path, monkeypatch, waits):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed; it makes the certificate")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serve(tls) as web:
        remote = RemoteFile(NAME, (web.put("/set.zip", good(CONTENT)),))
        message = refused(fetch, remote, tmp_path / "raw")
        assert f"{web.address}/set.zip (its certificate cannot be trusted)" in message
        assert web.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # an institute's own authority
        assert fetch(remote, tmp_path / "raw").read_bytes() == CONTENT


def test_verify_file(tmp_path):
    file = tmp_path / NAME
    file.write_bytes(CONTENT)
    for remote in (
        RemoteFile(NAME),
        RemoteFile(NAME, (), len(CONTENT), SHA),
        RemoteFile(NAME, checksum=MD5),
    ):
        verify_file(file, remote)
    assert "has 102,400 bytes, not 5; delete" in refused(verify_file, file, RemoteFile(NAME, (), 5))
    file.write_bytes(b"")
    assert (
        refused(verify_file, file, RemoteFile(NAME))
        == f"{file}: has 0 bytes; delete it and fetch it again"
    )
    file.write_text("<html>")
    assert f"{file}: is a web page and no data" in refused(verify_file, file, RemoteFile(NAME))


# Zenodo
# -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def zenodo(web, monkeypatch):
    """What the record tells about the file; the file itself is served at /set.zip."""
    monkeypatch.setattr(download, "ZENODO", f"{web.address}/api/records")
    remote = RemoteFile(NAME, (web.put("/set.zip", good(CONTENT)),), record="7996570")
    return lambda *answers: (web.put("/api/records/7996570", *answers), remote)[1]


def entry(**changes) -> dict:
    return {"key": NAME, "size": len(CONTENT), "checksum": MD5, "links": {"self": "…"}} | changes


@pytest.mark.filterwarnings("error")
def test_zenodo_tells_size_and_checksum(zenodo, tmp_path):
    remote = zenodo(told({"id": 7996570, "files": [entry(key="readme.txt", size=3), entry()]}))
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


WRONG = {
    "checksum": (entry(checksum="md5:" + "0" * 32), f"has md5 {MD5[4:]}, not {'0' * 32}"),
    "size": (entry(size=7), "has 102,400 bytes, not 7"),
}


@pytest.mark.parametrize("title", WRONG)
def test_what_zenodo_tells_is_compared(zenodo, tmp_path, title):
    told_of, reason = WRONG[title]
    assert reason in refused(fetch, zenodo(told({"files": [told_of]})), tmp_path)
    assert list(tmp_path.iterdir()) == []


ODD = {
    "not there": (status(404), "HTTP status 404"),
    "a page": (page(), "Expecting value"),
    "no files": (told({"id": 1}), "no 'files' in the answer"),
    "a list": (told([1]), "list indices"),
    "another file": (told({"files": [entry(key="x.zip")]}), "not enough values"),
    "twice": (told({"files": [entry(), entry()]}), "too many values"),
    "no size": (told({"files": [{"key": NAME, "checksum": MD5}]}), "no 'size' in the answer"),
    "size null": (told({"files": [entry(size=None)]}), "NoneType"),
    "bare digits": (told({"files": [entry(checksum=MD5[4:])]}), f"its checksum is '{MD5[4:]}'"),
    "another kind": (told({"files": [entry(checksum="crc32:0a")]}), "its checksum is 'crc32:0a'"),
    "no checksum": (told({"files": [entry(checksum=None)]}), "expected string"),
}


@pytest.mark.parametrize("title", ODD)
def test_a_record_in_another_form_is_told_and_no_obstacle(zenodo, tmp_path, title):
    answer, reason = ODD[title]
    with pytest.warns(UserWarning, match="cannot be verified") as caught:
        assert fetch(zenodo(answer), tmp_path).read_bytes() == CONTENT
    (message,) = [str(warning.message) for warning in caught]
    assert message.startswith("set.zip: size and checksum stay unknown, http://127.0.0.1:")
    assert reason in message
    assert "\n" not in message
