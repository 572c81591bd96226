"""The page stands alone, says what the run's files say, and is read without a picture."""

import base64
import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from discom import cli, data, fit
from discom.config import profile
from discom.errors import RunError
from discom.report import render, write_report
from discom.runs import Result, read_predictions


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"
        self.text += " "

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run"
    fit(
        "student",
        data.load("scenes:n=120,size=16").split(),
        profile("tiny"),
        folder,
        progress=False,
    )
    return folder


@pytest.fixture(scope="module")
def page(run_dir):
    return Page(render(run_dir))


def test_it_is_whole_and_needs_nothing_else(run_dir, page):
    assert page.open == []
    links = [
        value
        for _, attrs in page.tags
        for key, value in attrs.items()
        if key in ("src", "href", "srcset")
    ]
    assert all(link.startswith(("data:image/svg+xml;base64,", "#")) for link in links)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert "@import" not in render(run_dir)
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {link[1:] for link in links if link.startswith("#")} <= ids


def test_every_picture_has_words_and_is_one(page):
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 2 * 2 + 1  # confusion and reliability of two networks, and the curves
    for attrs in pictures:
        assert len(attrs["alt"]) > 40
        svg = ElementTree.fromstring(base64.b64decode(attrs["src"].partition(",")[2]))
        assert svg.tag.endswith("svg")
        assert len(list(svg.iter())) > 20


def test_its_numbers_are_those_of_the_run(run_dir, page):
    result, held = (
        Result.read(run_dir / "result.json"),
        read_predictions(run_dir / "predictions.npz"),
    )
    text = " ".join(page.text.split())
    for name, scores in result.scores.items():
        assert f"{scores['f1']:.1f} F1" in text
        assert f"calibration error {scores['calibration_error']:.3f}" in text
        assert f"accuracy {scores['accuracy']:.1f} %" in text
        labels, said = held[f"{name}_labels"], held[f"{name}_logits"].argmax(1)
        recall = 100 * (said[labels == 3] == 3).mean()
        row = re.search(
            rf"{re.escape(str(held['classes'][3]))} (\S+) {recall:.1f} (\S+) {(labels == 3).sum()}\b",
            text,
        )
        assert row
    for words in (
        result.hash,
        f"{result.counts['test']} test samples",
        result.machine["versions"]["torch"],
        "one-cycle",
    ):
        assert words in text
    assert not re.search(r"\b(nan|None|undefined)\b", text)


def test_the_same_run_gives_the_same_page(run_dir, page):
    assert render(run_dir) == render(run_dir)


def test_a_class_name_is_text_and_no_markup(run_dir, tmp_path):
    folder = shutil.copytree(run_dir, tmp_path / "run")
    held = read_predictions(folder / "predictions.npz")
    held["classes"] = np.array(["<script>alert(1)</script>", '"onload="x', *held["classes"][2:]])
    np.savez(folder / "predictions.npz", **held)
    page = Page(render(folder))
    assert not {"script"} & {tag for tag, _ in page.tags}
    assert not any("onload" in attrs for _, attrs in page.tags)
    assert "<script>alert(1)</script>" in page.text


def test_a_run_that_is_all_right_has_no_confusions(run_dir, tmp_path):
    folder = shutil.copytree(run_dir, tmp_path / "run")
    held = read_predictions(folder / "predictions.npz")
    for name in ("rgb", "depth"):
        held[f"{name}_logits"] = (
            50 * np.eye(len(held["classes"]), dtype=np.float32)[held[f"{name}_labels"]]
        )
    np.savez(folder / "predictions.npz", **held)
    assert "none: every answer is right" in Page(render(folder)).text


def test_a_damaged_run_is_refused_and_the_old_page_stays(run_dir, tmp_path):
    folder = shutil.copytree(run_dir, tmp_path / "run")
    (folder / "predictions.npz").write_bytes(b"no archive")
    file = tmp_path / "report.html"
    file.write_text("old")
    with pytest.raises(RunError, match=r"predictions\.npz"):
        write_report(folder, file)
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "run"]


def test_a_dense_run_shows_iou_in_place_of_calibration(tmp_path):
    split = data.load("scenes-dense:n=20,size=16").split()
    fit("single", split, profile("tiny", dense=True, epochs=1), tmp_path / "run", progress=False)
    page = Page(render(tmp_path / "run"))
    assert "IoU" in page.text
    assert "Bins of confidence" not in page.text
    assert sum(tag == "img" for tag, _ in page.tags) == 2 + 1


def test_the_command_writes_the_page(run_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["show", str(run_dir), "--out", "pages/report.html"]) == 0
    assert (tmp_path / "pages/report.html").read_text().startswith("<!DOCTYPE html>")
    assert "pages/report.html" in capsys.readouterr().out


def test_a_page_of_several_runs_or_of_none_is_refused(run_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        shutil.copytree(run_dir, tmp_path / "runs" / name)
    (tmp_path / "held.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    for path, why in (
        ("runs", "holds 2 runs; name one"),
        ("held.json", "page of one run"),
        ("empty", "page of one run"),
    ):
        assert cli.main(["show", path, "--out", "report.html"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert why in line
    assert not (tmp_path / "report.html").exists()


def test_the_one_run_below_a_folder_is_found(run_dir, tmp_path, capsys):
    assert cli.main(["show", str(run_dir.parent), "--out", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text() == render(run_dir)
