"""A stranger's folders on the command line, from files to answers: what must come out, which
warnings must come, and no other."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures import own, writing

from discom import cli
from discom.data import load
from discom.data.folders import id_of
from discom.data.images import NO_DATA, read_pixels
from discom.running.runs import load_run

# how the folder is written → a sensor, and what warnings of prepare, check and train must say
CASES = {
    own.street: ("thermal", ["balanced_accuracy", "balanced_accuracy"]),
    own.fields: ("nir", []),
    own.soil: ("radar", ["height.* NaN", "radar.* NaN"]),
}
each_case = pytest.mark.parametrize("write", CASES, ids=lambda write: write.__name__)


@pytest.fixture
def discom(tmp_path, monkeypatch, capsys):
    """A function of a command line in an empty folder: what it prints; its warnings are in `said`,
    its error, if it ends with status 2, is the answer."""
    monkeypatch.chdir(tmp_path)

    def run(*words) -> str:
        status = cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        run.said += re.findall(r"discom: warning: .+", err)
        assert status in (0, 2), err
        return out if status == 0 else err

    run.said = []
    return run


def prepare(discom, write, root=Path()):
    flags = write(root)
    discom("data", "prepare", "folders", "--root", root / "old", "--out", root / "data/own", *flags)
    discom("data", "check", root / "data/own")
    return load(root / "data/own")


def expect(discom, patterns):
    assert len(discom.said) == len(patterns), discom.said
    for line, pattern in zip(discom.said, patterns, strict=True):
        assert re.search(pattern, line), line


@each_case
def test_a_strangers_folder_is_prepared_as_it_is_meant(write, discom):
    data = prepare(discom, write)
    expect(discom, [text for text in CASES[write][1] if text != "balanced_accuracy"])
    assert len(data.paired_ids) == len(data)
    groups = [set(part.groups) for part in data.split(seed=0)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == len(np.unique(data.groups))
    assert all(len(set(part.labels)) == len(data.classes) for part in data.split(seed=0))
    shapes = {name: m.x.shape[1:] for name, m in data.modalities.items()}
    if write is own.street:
        assert shapes == {"rgb": (3, 32, 32), "thermal": (1, 32, 32)}
        assert set(data.groups) == {f"café{number}" for number in range(14)}
        assert np.bincount(data.labels).tolist() == [3, 98]
        middle = read_pixels(next(Path("old/RGB/walk").glob("café3_0002.png")))[:, :, 8:56]
        row = data.ids.tolist().index("walk/café3_0002")
        assert abs(data.modalities["rgb"].x[row].mean() - middle.mean()) < 0.5
    elif write is own.fields:
        assert shapes == {"nir": (1, 16, 16), "rgb": (3, 16, 16)}
        for name, m in data.modalities.items():
            for image, sample in zip(m.x, m.ids, strict=True):
                absent = sum(map(int, re.findall(r"\d", str(sample)))) % 3 == 0
                assert ((image == 0).any((0, 1)) == (absent & (np.arange(16) < 6))).all(), name
            assert (m.invalid, m.x.dtype, m.x[m.x != 0].min() >= 400) == (0, np.uint16, True)
    else:
        for m in data.modalities.values():
            assert (m.invalid, (m.x == m.invalid).any()) == (-32768, True)
            assert (m.x[m.x != m.invalid] > -40).all()  # no hole was averaged


@pytest.mark.slow
@each_case
def test_from_a_strangers_folder_to_answers(write, discom):
    sensor, warned = CASES[write]
    data = prepare(discom, write)
    both = "+".join(data.modalities)
    for method, network in (("student", sensor), ("teacher", both)):
        trained = discom("train", "--data", "own", "--profile", "tiny", "--method", method)
        run = trained.splitlines()[0]
        if write is own.fields:  # read without the option it has no sensor of these names
            assert "another split" in discom("export", run, "--modality", network, "--data", "old")
        discom("export", run, "--modality", network, "--out", network)
        answers = pd.read_csv(io.StringIO(discom("predict", network, "old")))
        split = load("own").split(seed=0)
        branch = load_run(run, split, network)[0].branch(network).eval()
        assert len(answers) == len(data)
        rows = {id_of(Path(file)): k for k, file in enumerate(answers.iloc[:, 0])}
        for part in split:
            images = [torch.from_numpy(part.images(name)) for name in network.split("+")]
            with torch.inference_mode():
                shares = branch(torch.cat(images, 1)).softmax(1).numpy()
            own_rows = answers.iloc[[rows[sample] for sample in part.ids]]
            np.testing.assert_allclose(own_rows.filter(like="p("), shares, atol=1e-5)
            assert own_rows["class"].tolist() == [data.classes[k] for k in shares.argmax(1)]
        new = pd.read_csv(io.StringIO(discom("predict", network, "new")))
        assert len(new) == len([*Path("new").rglob("*.*")]) / (1 if write is own.fields else 2)
    discom.said = [line for line in discom.said if "train longer" not in line]  # two epochs
    expect(discom, warned)
    place = f"new/{'aerial' if write is own.fields else sensor}/hole.tif"
    hole = np.full((1, 20, 20), 29500, np.uint16)
    hole[:, :4] = 7
    writing.tiff(Path(place), hole, extratags=[(NO_DATA, "s", 0, "7", True)])
    answer = discom("predict", sensor, "new")
    if write is own.soil:  # it has a value for what was not measured
        assert f"\n{place}," in answer
    else:  # thermal has none, and the fourth band is not there
        assert re.search(rf"error: {place}: .*(holds nan|an image has 1)", answer)
