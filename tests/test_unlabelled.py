"""Methods and runs where a part of the training samples has no label: which terms learn from them,
and that hidden labels reach nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from discom import cli, data, fit, methods, profile
from discom.data.batches import Batch
from discom.errors import ConfigError, RunError
from discom.running.runs import read_predictions

BANDS, CLASSES = {"rgb": 3, "depth": 1}, 3
LABEL_TERMS = ("cl", "aux", "irr")  # cross-entropies with the class
NEED_ALL = ("dkd", "dkd+lskd")
OPTIONS = {"discom": {"weights": dict.fromkeys(("irr", "xcov", "hsic"), 1)}}
FEW = profile("tiny", epochs=1, batch_size=15, labelled=0.4, augment=1.0)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes:n=88,size=8").split(seed=0)


@pytest.fixture(scope="module")
def teacher(split, tmp_path_factory):
    """The finished run of a teacher that had the labels of FEW."""
    folder = tmp_path_factory.mktemp("teacher") / "0-aa"
    fit("teacher", split, FEW, folder, progress=False)
    return folder


# ---------------------------------------------------------------- terms


def encoder(channels):
    return nn.Sequential(nn.Flatten(), nn.Linear(16 * channels, 32), nn.ReLU()), 32


def batch_of(name, labels, rows=slice(None)):
    """Pairs with these labels, a teacher's logits and strong views; only its samples at `rows`."""
    draw, count = torch.Generator().manual_seed(0), len(labels)
    x, strong = (
        {m: torch.rand(count, bands, 4, 4, generator=draw)[rows] for m, bands in BANDS.items()}
        for _ in range(2)
    )
    soft, again = torch.randn(2, count, CLASSES, generator=draw)
    y = {m: torch.as_tensor(labels)[rows] for m in BANDS}
    harder = Batch(strong, y, soft=again[rows]) if name.startswith("mlkd") else None
    return Batch(x, y, soft=soft[rows], strong=harder)


def terms_of(name, options, *which):
    torch.manual_seed(0)
    options = methods.get(name).options({**OPTIONS.get(name, {}), **options})
    model = methods.get(name)(BANDS, CLASSES, encoder, **options)
    values = model.eval().loss(batch_of(name, *which))  # BatchNorm sees the whole batch
    return {term: value for term, value in values.items() if term not in model.logged}


@pytest.mark.parametrize("name", methods.names(dense=False))
def test_a_class_of_weight_two_counts_as_if_its_samples_were_there_twice(name):
    torch.manual_seed(0)
    options = methods.get(name).options(OPTIONS.get(name, {}))
    model, labels = methods.get(name)(BANDS, CLASSES, encoder, **options).eval(), [0, 1, 2, 1]
    plain, twice = (model.loss(batch_of(name, labels, k)) for k in (range(4), [0, 1, 1, 2, 3, 3]))
    model.class_weights = torch.tensor([1.0, 2.0, 1.0])
    weighted = model.loss(batch_of(name, labels))
    for term in set(weighted) & set(LABEL_TERMS):
        torch.testing.assert_close(weighted[term], twice[term])
        assert not torch.isclose(weighted[term], plain[term])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in methods.names(dense=False) if name not in NEED_ALL),
        ("discom", {"reduction": "released"}),
    ],
)
def test_terms_of_labels_see_labelled_samples_and_other_terms_see_all(name, options):
    labels = torch.tensor([0, 2, -1, 1, -1, -1, 0, 1])
    found, known = terms_of(name, options, labels), labels >= 0
    labelled = terms_of(name, options, labels, known)
    other = terms_of(name, options, labels.where(known, 2))
    assert {*methods.get(name).unlabelled} == {*found} - {*LABEL_TERMS}
    for term, value in found.items():
        expected = labelled if term in LABEL_TERMS else other
        torch.testing.assert_close(value, expected[term])
        if term in LABEL_TERMS:
            assert not torch.isclose(value, other[term])  # unlabelled samples as a class


# ---------------------------------------------------------------- batches of a run


def run(name, split, tmp_path, config=FEW, **given):
    return fit(name, split, config, tmp_path / name, progress=False, **given)


def test_methods_see_the_same_labels_equally_often(split, teacher, tmp_path, monkeypatch):
    known = (split.train.keep_labels(0.4, seed=0).labels >= 0).sum()
    others = {"student": False, "mdico": True, "kdv1": True, "discom-solo": False}
    shown = {name: [] for name in others}
    for name, batches in shown.items():
        method = methods.get(name)

        def loss(self, batch, batches=batches, original=method.loss):
            batches.append(batch)
            return original(self, batch)

        monkeypatch.setattr(method, "loss", loss)
        config = replace(FEW, options={"weights": {"orth": 0}} if name == "discom-solo" else {})
        given = {"teacher": teacher} if name == "kdv1" else {}
        result = run(name, split, tmp_path, config, **given)
        assert result.counts["labelled"] == known
    for step in zip(*shown.values(), strict=True):
        assert len({(batch.y["rgb"] >= 0).sum().item() for batch in step}) == 1
    for name, batches in shown.items():
        assert any((batch.y["rgb"] < 0).any() for batch in batches) == others[name]


# ---------------------------------------------------------------- runs


@pytest.mark.parametrize("name", ["teacher", "discom", "kdv2"])
def test_hidden_labels_reach_nothing(split, teacher, tmp_path, name):
    """A run that hides labels is one on data that never had them."""
    given = {"teacher": teacher} if name == "kdv2" else {}
    hidden = split._replace(train=split.train.keep_labels(0.4, seed=0))
    ours = fit(name, split, FEW, tmp_path / "a", progress=False, **given)
    if name == "kdv2":
        bare = tmp_path / "teacher"
        fit("teacher", hidden, replace(FEW, labelled=1), bare, progress=False)
        given = {"teacher": bare}
    theirs = fit(name, hidden, replace(FEW, labelled=1), tmp_path / "b", progress=False, **given)
    assert ours.scores == theirs.scores
    assert ours.counts == theirs.counts


def test_all_parts_but_the_training_part_keep_their_labels(split, tmp_path):
    few, every = (
        fit("student", split, replace(FEW, labelled=share), tmp_path / f"{share}", progress=False)
        for share in (0.4, 1.0)
    )
    assert few.scores != every.scores
    assert every.counts["labelled"] == every.counts["train"] == len(split.train)
    for share in (0.4, 1.0):
        arrays = read_predictions(tmp_path / f"{share}" / "predictions.npz")
        for name, modality in split.test.modalities.items():
            assert np.array_equal(arrays[f"{name}_labels"], modality.y)
            assert np.array_equal(arrays[f"{name}_ids"], modality.ids)


# ---------------------------------------------------------------- refused


def test_what_needs_every_label_is_refused_in_one_line(split, tmp_path, capsys):
    hidden, one = split.train.keep_labels(0.4), replace(FEW, labelled=1)
    for train, config in ((split.train, FEW), (hidden, one)):
        with pytest.raises(ConfigError, match=r"^dkd: needs the label of every training sample; "):
            methods.build(methods.get("dkd"), train, config)
    words = ["train", "--data", "scenes:n=66,size=8", "--profile", "tiny", "--labelled", "0.3"]
    assert cli.main([*words, "--method", "dkd", "--runs", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_table_leaves_out_what_needs_every_label(split, capsys, monkeypatch):
    few = split.train.keep_labels(0.4)
    monkeypatch.setattr("discom.data.planned", lambda *_: lambda seed: few)
    words = ["table", "2", "--data", "scenes:n=66,size=8", "--profile", "tiny", "--seeds", "1"]
    assert cli.main([*words, "--methods", "student,dkd", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("1 runs, ")
    assert err.startswith("discom: warning: left out: dkd: ")
    assert len(err.splitlines()) == 1


def test_a_teacher_that_had_other_labels_is_refused(split, teacher, tmp_path):
    message = "0-aa: has labelled=0.4, kdv1 needs labelled=1.0; train its teacher"
    with pytest.raises(RunError, match=message):
        run("kdv1", split, tmp_path, replace(FEW, labelled=1.0), teacher=teacher)
