"""Runs where a part of the training samples has no label: hidden labels reach nothing."""

from dataclasses import replace
from functools import partial

import pytest
from fixtures.refusal import refused

from discom import data, fit, methods, profile
from discom.errors import ConfigError

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
    counts = []
    for name, others in {"student": 0, "mdico": 1, "kdv1": 1, "discom-solo": 0}.items():
        method, batches = methods.get(name), []

        def loss(self, batch, batches=batches, original=method.loss):
            batches.append(batch.y["rgb"])
            return original(self, batch)

        monkeypatch.setattr(method, "loss", loss)
        config = replace(FEW, options={"weights": {"orth": 0}} if name == "discom-solo" else {})
        given = {"teacher": teacher} if name == "kdv1" else {}
        assert run(name, split, tmp_path, config, **given).counts["labelled"] == known
        assert any((y < 0).any() for y in batches) == others
        counts.append([(y >= 0).sum().item() for y in batches])
    assert all(each == counts[0] for each in counts)


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


def test_what_needs_every_label_or_samples_without_one_is_refused(split):
    hidden, one = split.train.keep_labels(0.4), replace(FEW, labelled=1)
    groups = replace(one, labelled_groups=2)
    for train, config in ((split.train, FEW), (hidden, one), (split.train, groups)):
        refused(partial(methods.build, methods.get("dkd"), train, config), "^dkd: ", ConfigError)
    for name in ("fixmatch", "agreed"):
        build = partial(methods.build, methods.get(name), split.train)
        refused(partial(build, one), f"^{name}: ", ConfigError)
        assert build(groups).needs_unlabelled
