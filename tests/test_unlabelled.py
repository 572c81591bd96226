"""Runs where a part of the training samples has no label: hidden labels reach nothing."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fixtures.refusal import refused

from discom import data, fit, methods, profile
from discom.errors import ConfigError, RunError
from discom.running.runs import read_predictions

FEW = profile("tiny", epochs=1, batch_size=15, labelled=0.4, augment=1.0)


@pytest.fixture(scope="module")
def split():
    return data.load("objects:n=88,size=8").split(seed=0)


@pytest.fixture(scope="module")
def teacher(split, tmp_path_factory):
    """The finished run of a teacher that had the labels of FEW."""
    folder = tmp_path_factory.mktemp("teacher") / "0-aa"
    fit("teacher", split, FEW, folder, progress=False)
    return folder


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


def test_what_needs_every_label_is_refused(split):
    hidden, one = split.train.keep_labels(0.4), replace(FEW, labelled=1)
    groups = replace(one, labelled_groups=2)
    for train, config in ((split.train, FEW), (hidden, one), (split.train, groups)):
        refused(partial(methods.build, methods.get("dkd"), train, config), "^dkd: ", ConfigError)
    assert methods.build(methods.get("fixmatch"), split.train, groups).needs_unlabelled


def test_a_teacher_that_had_other_labels_is_refused(split, teacher, tmp_path):
    call = partial(run, "kdv1", split, tmp_path, replace(FEW, labelled=1.0), teacher=teacher)
    refused(call, "labelled=0.4", RunError)


@pytest.mark.parametrize("name", ["fixmatch", "agreed"])
def test_what_learns_from_unlabelled_samples_alone_needs_some(name, split, tmp_path):
    refused(partial(run, name, split, tmp_path, replace(FEW, labelled=1.0)), "", ConfigError)
    assert not list(tmp_path.iterdir())
