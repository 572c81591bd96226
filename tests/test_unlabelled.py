"""Methods and runs where a part of the training samples has no label: which terms learn from them,
and that hidden labels reach nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from discom import cli, data, fit, methods, profile
from discom.data import Batch, Batches
from discom.errors import ConfigError, DataError, Interrupted, RunError
from discom.evaluation.inspection import readings
from discom.explorer import Explorer
from discom.losses import disentangle
from discom.losses.separate import irrelevant_task_loss
from discom.methods import MDiCo
from discom.models import Embedding, Heads
from discom.runs import read_metrics, read_predictions

BANDS, CLASSES = {"rgb": 3, "depth": 1}, 3
LABEL_TERMS = ("cl", "aux", "irr")  # cross-entropies with the class
UNLABELLED = {  # method → the terms that learn from samples without a label
    **dict.fromkeys(("teacher", "student", "student-2x"), ()),
    **dict.fromkeys(("kdv1", "kdv2", "ctkd", "kdv1+lskd", "kdv2+lskd", "ctkd+lskd"), ("kd",)),
    **dict.fromkeys(("mlkd", "mlkd+lskd"), ("instance", "batch", "classes")),
    **dict.fromkeys(("dkd", "dkd+lskd"), ()),
    "discom": ("adv", "mod", "orth", "xcov", "hsic", "contrast"),
    "discom-solo": ("orth",),
    "mdico": ("mod", "contrast"),
}
NEED_ALL = ("dkd", "dkd+lskd")
OPTIONS = {
    "discom": {
        "pairing": "paired",
        "weights": dict.fromkeys(("irr", "xcov", "hsic", "contrast"), 1),
    }
}
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


def terms_of(name, *which):
    torch.manual_seed(0)
    options = methods.get(name).options(OPTIONS.get(name, {}))
    model = methods.get(name)(BANDS, CLASSES, encoder, **options)
    return model.eval().loss(batch_of(name, *which))  # BatchNorm sees the whole batch


def test_every_method_says_which_terms_use_unlabelled_samples():
    assert {n: methods.get(n).unlabelled for n in methods.names(dense=False)} == UNLABELLED
    assert tuple(n for n in methods.names() if methods.get(n).every_label) == NEED_ALL
    for name in methods.names(dense=False):
        labels = set(LABEL_TERMS) if name not in NEED_ALL else {"cl", "tckd", "nckd"}
        assert set(methods.get(name).terms) - set(UNLABELLED[name]) <= labels


@pytest.mark.parametrize("name", [name for name in UNLABELLED if name not in NEED_ALL])
def test_terms_of_labels_see_labelled_samples_and_other_terms_see_all(name):
    labels = torch.tensor([0, 2, -1, 1, -1, -1, 0, 1])
    found, known = terms_of(name, labels), labels >= 0
    labelled = terms_of(name, labels, known)
    other = terms_of(name, labels.where(known, 2))
    for term, value in found.items():
        expected = labelled if term in LABEL_TERMS else other
        torch.testing.assert_close(value, expected[term])
        if term in LABEL_TERMS:
            assert not torch.isclose(value, other[term])  # unlabelled samples as a class


@pytest.mark.parametrize("reduction", ["paper", "released"])
def test_losses_of_labels_are_loops_over_labelled_rows(reduction):
    torch.manual_seed(0)
    counts = {"rgb": 7, "depth": 5}
    z = {m: Embedding(*torch.randn(3, n, 4).double()) for m, n in counts.items()}
    y = {m: torch.arange(n) % 5 - 1 for m, n in counts.items()}  # two of seven, one of five are -1
    heads = Heads(list(z), 4, CLASSES + 1).double()

    def loop(answer):
        """Of logits `answer(modality, row)`; the mean over rows of a modality, or over all."""
        rows = {
            m: [-answer(m, i).log_softmax(0)[y[m][i]] for i in range(counts[m]) if y[m][i] >= 0]
            for m in z
        }
        if reduction == "paper":
            return sum(sum(own) / len(own) for own in rows.values())
        every = [loss for own in rows.values() for loss in own]
        return sum(every) / len(every)

    task = loop(lambda m, i: heads.task[m](torch.cat([z[m].inv[i], z[m].inf[i]])))
    aux = sum(loop(lambda m, i, k=k: heads.aux(getattr(z[m], k)[i])) for k in ("inv", "inf"))
    torch.testing.assert_close(disentangle.task_loss(z, heads, y, reduction), task)
    torch.testing.assert_close(disentangle.auxiliary_loss(z, heads, y, reduction), aux)
    if reduction == "paper":
        hidden = loop(lambda m, i: heads.aux(z[m].irr[i]))
        torch.testing.assert_close(irrelevant_task_loss(z, heads.aux, y), hidden)


# ---------------------------------------------------------------- batches of a run


@pytest.fixture
def shown(monkeypatch):
    """Method → the batches that its loss was given."""
    batches = {}
    for name in ("student", "mdico", "kdv1", "discom-solo"):
        method = methods.get(name)

        def loss(self, batch, name=name, original=method.loss):
            batches.setdefault(name, []).append(batch)
            return original(self, batch)

        monkeypatch.setattr(method, "loss", loss)
    return batches


def run(name, split, tmp_path, config=FEW, **given):
    return fit(name, split, config, tmp_path / name, progress=False, **given)


def test_methods_see_the_same_labels_equally_often(split, teacher, tmp_path, shown):
    off = replace(FEW, options={"weights": {"orth": 0}})
    results = [run(name, split, tmp_path) for name in ("student", "mdico")]
    results += [run("kdv1", split, tmp_path, teacher=teacher)]
    results += [run("discom-solo", split, tmp_path, off)]
    known = (split.train.hide(0.4, seed=0).labels >= 0).sum()
    assert [result.counts["labelled"] for result in results] == [known] * 4
    assert len({len(batches) for batches in shown.values()}) == 1
    for step in zip(*shown.values(), strict=True):
        labels = [(batch.y["rgb"] >= 0).sum().item() for batch in step]
        assert len(set(labels)) == 1
    has_others = {name: any((b.y["rgb"] < 0).any() for b in own) for name, own in shown.items()}
    assert has_others == {"student": False, "mdico": True, "kdv1": True, "discom-solo": False}


def images(batches, name):
    """Each labelled image of the batches, in whichever view it was shown, and how often."""
    shown = {}
    for batch in batches:
        for x, label in zip(batch.x[name], batch.y[name], strict=True):
            if label >= 0:
                key = tuple(x.flatten().sort().values.tolist())
                shown[key] = shown.get(key, 0) + 1
    return shown


def test_student_and_mdico_learn_from_the_same_labelled_images(split, tmp_path, shown):
    for name in ("student", "mdico"):
        run(name, split, tmp_path)
    for modality in BANDS:
        one, other = (images(shown[name], modality) for name in ("student", "mdico"))
        assert one.keys() == other.keys()
        assert all(abs(one[key] - other[key]) <= 1 for key in one)


# ---------------------------------------------------------------- runs


@pytest.mark.parametrize("name", ["teacher", "discom", "kdv2"])
def test_hidden_labels_reach_nothing(split, teacher, tmp_path, name):
    """A run that hides labels is one on data that never had them."""
    given = {"teacher": teacher} if name == "kdv2" else {}
    hidden = split._replace(train=split.train.hide(0.4, seed=0))
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


def test_a_run_with_hidden_labels_resumes_to_the_same_numbers(split, tmp_path, monkeypatch):
    two = replace(FEW, epochs=2)
    whole = run("mdico", split, tmp_path / "whole", two)
    steps, original, calls = len(Batches(split.train.hide(0.4), 15, 0)), MDiCo.loss, []

    def loss(self, batch):
        calls.append(1)
        if len(calls) == steps + 2:  # in the second epoch
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(MDiCo, "loss", loss)
    with pytest.raises(Interrupted):
        run("mdico", split, tmp_path / "cut", two)
    assert run("mdico", split, tmp_path / "cut", two).scores == whole.scores
    tables = [
        read_metrics(tmp_path / place / "mdico/metrics.csv").drop(columns="seconds")
        for place in ("whole", "cut")
    ]
    assert tables[0].equals(tables[1])


def test_readings_and_the_explorer_take_what_has_no_label(split, tmp_path, monkeypatch):
    run("discom", split, tmp_path)
    hidden = split._replace(train=split.train.hide(0.4, seed=0))
    one, other = (readings(tmp_path / "discom", split) for _ in range(2))
    assert [part.scores for part in one] == [part.scores for part in other]
    monkeypatch.setattr("discom.explorer.project", lambda z, *, seed: z[:, :2])
    rng, count = np.random.default_rng(0), len(hidden.train)
    z = {m: {"inv": rng.random((count, 4)), "logits": rng.random((count, 9))} for m in BANDS}
    shown = Explorer(hidden.train, z)
    shown.select([0, int(np.flatnonzero(hidden.train.labels < 0)[0])])
    answers = shown.points["right or wrong"].to_numpy()
    assert np.array_equal(answers == "unlabelled", np.tile(hidden.train.labels < 0, 2))


# ---------------------------------------------------------------- refused


def test_what_needs_every_label_is_refused_in_one_line(split, tmp_path, capsys):
    hidden, one = split.train.hide(0.4), replace(FEW, labelled=1)
    for train, config in ((split.train, FEW), (hidden, one)):
        with pytest.raises(ConfigError, match=r"^dkd: needs the label of every training sample; "):
            methods.build(methods.get("dkd"), train, config)
    words = ["train", "--data", "scenes:n=66,size=8", "--profile", "tiny", "--labelled", "0.3"]
    assert cli.main([*words, "--method", "dkd", "--runs", str(tmp_path)]) == 2
    assert cli.main([*words, "--method", "student", "--labelled", "0"]) == 2
    dense = ["train", "--method", "single", "--profile", "tiny", "--labelled", "0.3"]
    assert cli.main([*dense, "--data", "scenes-dense:n=20,size=16", "--runs", str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert "error: labelled: 0.0 is no share of the labels" in errors[1]
    assert "not of single; take the data scenes-dense:labelled=0.3" in errors[2]
    assert not list(tmp_path.iterdir())


OTHERS = [
    ({"labelled": 1.0}, "labelled=0.4, the student 1.0"),
    ({"seed": 1}, "seed=0, the student 1"),
]


@pytest.mark.parametrize(("changes", "fragment"), OTHERS)
def test_a_teacher_that_had_other_labels_is_refused(split, teacher, tmp_path, changes, fragment):
    with pytest.raises(RunError, match=f"this teacher has {fragment}; train a teacher for it"):
        run("kdv1", split, tmp_path, replace(FEW, **changes), teacher=teacher)


def test_a_training_part_without_labels_is_refused(split, tmp_path):
    modalities = {
        m: replace(one, y=np.full_like(one.y, -1)) for m, one in split.train.modalities.items()
    }
    none = split._replace(train=replace(split.train, modalities=modalities))
    with pytest.raises(DataError, match="no training sample of 'rgb' has a label; label some"):
        run("student", none, tmp_path)
