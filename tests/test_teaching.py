"""From a teacher's run to the logits in a batch: they are the frozen teacher's own words on the
very images shown."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from discom import data, fit, methods, profile, training
from discom.data import MultiModalData, scenes
from discom.data.augmentation import VIEWS, view
from discom.data.batches import Images, paired_rows
from discom.errors import ConfigError, DiscomError, Interrupted, RunError
from discom.methods import Teacher
from discom.runs import Result, claim, identity, weights_file
from discom.teaching import check_teacher, load_teacher, soft_labels

TINY = profile("tiny", epochs=2, batch_size=8)
TAUGHT = [name for name in methods.names(dense=False) if methods.get(name).taught]


def options(**given):
    return replace(TINY, options=given)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes:n=66,size=16").split(seed=0)


@pytest.fixture(scope="module")
def teachers(split, tmp_path_factory):
    """Finished runs of teacher by what they read."""
    root = tmp_path_factory.mktemp("teachers")
    for reads in ("all", "rgb"):
        fit("teacher", split, options(reads=reads), root / f"0-{reads}", progress=False)
    return {"all": root / "0-all", "rgb": root / "0-rgb"}


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def clone(module):
    return {key: value.clone() for key, value in module.state_dict().items()}


def same(module, state) -> bool:
    return all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


# ---------------------------------------------------------------- soft labels


def partly_paired():
    """Two modalities in different orders, each with samples that the other lacks."""
    whole = scenes.make(66, size=16)
    rgb, depth = whole.modalities.values()
    return MultiModalData(
        {"rgb": rgb.take(np.r_[9:66]), "depth": depth.take(np.r_[57:-1:-1])}, whole.classes
    )


KINDS = {
    "paired": lambda: scenes.make(66, size=16),
    "partly paired": partly_paired,
    "three": lambda: scenes.make(66, size=16, modalities=("thermal", "rgb", "depth")),
}


def make_teacher(train, reads):
    """A teacher whose running statistics are not the initial ones, frozen as `load_teacher` leaves
    it."""
    with torch.random.fork_rng():
        teacher = methods.build(Teacher, train, options(reads=reads))
    network = teacher.deployed[0]
    teacher.train().predict(network, Images(train, network, "cpu")[torch.arange(10)])
    return teacher.eval().requires_grad_(False)


@torch.no_grad()
def says(teacher, train, rows, views):
    """The network's own logits for the samples at `rows`, each modality seen in its own view."""
    images = [view(Images(train, m, "cpu")[rows[m]], views[m]) for m in teacher.reads]
    return teacher.predict(teacher.deployed[0], torch.cat(images, dim=1))


@pytest.mark.parametrize(
    ("augment", "strong", "views"), [(False, False, 1), (True, False, 8), (False, True, VIEWS)]
)
@pytest.mark.parametrize("reads", ["all", "rgb", "depth"])
@pytest.mark.parametrize("kind", KINDS)
def test_soft_labels_are_the_teachers_logits_for_every_view(kind, reads, augment, strong, views):
    train = KINDS[kind]().split(seed=0).train.take(np.arange(20))
    teacher = make_teacher(train, reads)
    soft = soft_labels(teacher, train_only(train), augment=augment, strong=strong)
    shapes = {m: (len(train.modalities[m].x), views, 9) for m in teacher.reads}
    assert {m: tuple(share.shape) for m, share in soft.shares.items()} == shapes
    rows = paired_rows(train, list(train.modalities))
    some = {m: found[:4].repeat(views) for m, found in rows.items()}  # four scenes in every view,
    every = {m: torch.arange(views).repeat_interleave(4) for m in rows}
    draw = torch.Generator().manual_seed(0)  # and all in views that differ between modalities
    mixed = {m: torch.randint(views, (len(found),), generator=draw) for m, found in rows.items()}
    for chosen, seen in ((some, every), (rows, mixed)):
        torch.testing.assert_close(
            soft(chosen, seen), says(teacher, train, chosen, seen), rtol=1e-4, atol=1e-4
        )


def train_only(train):
    """A split of which nothing but the training part may be read."""
    return data.Split(train, None, None)


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_soft_labels_do_not_depend_on_the_chunks_they_are_made_in(split, chunk):
    teacher = make_teacher(split.train, "all")
    whole, parts = (soft_labels(teacher, split, augment=False, chunk=size) for size in (512, chunk))
    for m, share in whole.shares.items():
        torch.testing.assert_close(parts.shares[m], share, rtol=1e-4, atol=1e-5)


def test_views_of_one_image_have_different_soft_labels(split):
    soft = soft_labels(make_teacher(split.train, "all"), split, augment=True, strong=True)
    assert len(torch.unique(soft.shares["rgb"][0], dim=0)) == VIEWS


def test_soft_labels_leave_the_teacher_as_it_was(split):
    teacher = make_teacher(split.train, "all")
    before = clone(teacher)
    soft = soft_labels(teacher, split, augment=True)
    assert same(teacher, before)
    assert not any(module.training for module in teacher.modules())
    assert not any(value.requires_grad for value in (*soft.shares.values(), soft.bias))


def test_soft_labels_are_float32_also_under_autocast(split):
    teacher = make_teacher(split.train, "all")
    plain = soft_labels(teacher, split, augment=False)
    with torch.autocast("cpu", torch.bfloat16):
        soft = soft_labels(teacher, split, augment=False)
    assert {value.dtype for value in (*soft.shares.values(), soft.bias)} == {torch.float32}
    for m, share in plain.shares.items():
        assert not torch.equal(soft.shares[m], share)
        torch.testing.assert_close(
            soft.shares[m], share, rtol=0.05, atol=0.05 * share.abs().max().item()
        )


# ---------------------------------------------------------------- the teacher of a run


@pytest.mark.parametrize("reads", ["all", "rgb"])
def test_a_loaded_teacher_is_the_saved_one_and_frozen(split, teachers, reads):
    folder = teachers[reads]
    before = torch.random.get_rng_state()
    teacher = load_teacher(folder, split, options(reads=reads))
    assert torch.equal(torch.random.get_rng_state(), before)
    saved = load_file(weights_file(folder, teacher.deployed[0]))
    assert teacher.state_dict().keys() == saved.keys()
    assert same(teacher, saved)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(module.training for module in teacher.modules())


def test_a_loaded_teacher_gives_the_predictions_of_its_run(split, teachers):
    teacher = load_teacher(teachers["all"], split, options(reads="all"))
    images = Images(split.test, "rgb+depth", "cpu")
    with np.load(teachers["all"] / "predictions.npz") as held:
        logits, labels, ids = (held[f"rgb+depth_{what}"] for what in ("logits", "labels", "ids"))
    found = teacher.predict("rgb+depth", images[torch.arange(len(images))])
    np.testing.assert_allclose(found.numpy(), logits, atol=1e-4)
    assert (labels == images.labels.numpy()).all()
    assert (ids == images.ids).all()


def test_a_teachers_run_is_that_of_one_network(teachers):
    both, one = (Result.read(teachers[reads] / "result.json") for reads in ("all", "rgb"))
    assert set(both.f1) == set(both.parameters) == {"rgb+depth"}
    assert set(one.f1) == {"rgb"}
    assert one.parameters["rgb"] < both.parameters["rgb+depth"] < 2.1 * one.parameters["rgb"]
    assert both.classes == 9
    assert both.teacher is None


@pytest.fixture
def watched(monkeypatch):
    """The batches that taught methods were given."""
    batches, original = [], methods.Distilled.loss

    def loss(self, batch):
        batches.append(batch)
        return original(self, batch)

    monkeypatch.setattr(methods.Distilled, "loss", loss)
    return batches


@pytest.mark.parametrize(
    ("method", "reads", "augment"),
    [
        ("kdv2", "all", 0.0),
        ("kdv2", "all", 1.0),
        ("kdv2", "rgb", 0.5),
        ("mlkd", "all", 0.0),
        ("mlkd", "rgb", 0.5),
    ],
)
def test_a_students_batches_hold_the_teachers_word_on_the_very_images_shown(
    split, teachers, tmp_path, watched, method, reads, augment
):
    config = replace(options(teacher=reads), augment=augment)
    before = content(teachers[reads])
    result = fit(method, split, config, tmp_path / "run", teacher=teachers[reads], progress=False)
    assert set(result.f1) == ({"rgb", "depth"} if reads == "all" else {"depth"})
    assert result.teacher == Result.read(teachers[reads] / "result.json").hash
    assert content(teachers[reads]) == before
    teacher = load_teacher(teachers[reads], split, options(reads=reads))
    assert [batch.epoch for batch in watched] == [0] * 4 + [1] * 4
    for batch in watched:
        assert torch.equal(batch.y["rgb"], batch.y["depth"])
        assert (batch.strong is not None) == (method == "mlkd")
        for seen in filter(None, (batch, batch.strong)):
            x = torch.cat([seen.x[m] for m in teacher.reads], dim=1)
            torch.testing.assert_close(
                seen.soft, teacher.predict(teacher.deployed[0], x), rtol=1e-4, atol=1e-4
            )
            assert not seen.soft.requires_grad


def test_a_student_of_partly_paired_data_learns_from_pairs(tmp_path, watched):
    split = partly_paired().split(seed=0)
    fit("teacher", split, TINY, tmp_path / "teacher", progress=False)
    result = fit(
        "kdv2", split, TINY, tmp_path / "run", teacher=tmp_path / "teacher", progress=False
    )
    teacher = load_teacher(tmp_path / "teacher", split, options(reads="all"))
    assert set(result.f1) == {"rgb", "depth"}
    pairs = len(split.train.paired_ids)
    assert pairs < len(split.train)
    assert sum(len(batch.y["rgb"]) for batch in watched if batch.epoch == 0) == pairs
    for batch in watched:
        x = torch.cat([batch.x[m] for m in teacher.reads], dim=1)
        torch.testing.assert_close(
            batch.soft, teacher.predict("rgb+depth", x), rtol=1e-4, atol=1e-4
        )


class Stop(Exception):
    pass


@pytest.fixture
def asked(monkeypatch):
    """What `fit` wants from Batches, without a training."""
    calls = []

    def note(*_, **given):
        calls.append(given)
        raise Stop

    monkeypatch.setattr(training, "Batches", note)
    return calls


@pytest.mark.parametrize("method", TAUGHT)
def test_taught_methods_get_pairs(split, teachers, tmp_path, asked, method):
    with pytest.raises(Stop):
        fit(method, split, TINY, tmp_path / "run", teacher=teachers["all"], progress=False)
    assert asked[0]["pairing"] == "paired"
    assert asked[0]["strong"] == method.startswith("mlkd")
    assert {share.shape[1] for share in asked[0]["soft"].shares.values()} == {
        40 if method.startswith("mlkd") else 8
    }


@pytest.mark.parametrize(
    ("method", "given", "needed"),
    [
        ("teacher", {"reads": "all"}, True),
        ("teacher", {"reads": "rgb"}, False),
        ("student", {}, False),
        ("discom", {}, False),
        ("discom", {"pairing": "paired"}, True),
    ],
)
def test_untaught_methods_get_pairs_when_they_need_them(
    split, tmp_path, asked, method, given, needed
):
    with pytest.raises(Stop):
        fit(method, split, options(**given), tmp_path / "run", progress=False)
    assert asked[0]["pairing"] == ("paired" if needed else "unpaired")
    assert (asked[0]["soft"], asked[0]["strong"]) == (None, False)


@pytest.mark.parametrize(("augment", "views"), [(0.0, 1), (0.25, 8)])
def test_no_more_views_are_computed_than_can_be_shown(
    split, teachers, tmp_path, asked, augment, views
):
    with pytest.raises(Stop):
        fit(
            "dkd",
            split,
            replace(TINY, augment=augment),
            tmp_path / "run",
            teacher=teachers["all"],
            progress=False,
        )
    assert {share.shape[1] for share in asked[0]["soft"].shares.values()} == {views}


def test_mlkd_as_published_has_no_strong_view(split, teachers, tmp_path, asked):
    for number, method in enumerate(("mlkd", "mlkd+lskd")):
        config = options(**methods.get(method).published)
        with pytest.raises(Stop):
            fit(
                method,
                split,
                config,
                tmp_path / str(number),
                teacher=teachers["all"],
                progress=False,
            )
        assert not asked[-1]["strong"]
        assert asked[-1]["soft"].shares["rgb"].shape[1] == 8


@pytest.mark.parametrize("method", ["ctkd", "mlkd"])
def test_a_taught_run_that_was_cut_off_ends_with_the_same_numbers(
    split, teachers, tmp_path, monkeypatch, method
):
    config, folders = TINY, (tmp_path / "whole", tmp_path / "cut")
    whole = fit(method, split, config, folders[0], teacher=teachers["all"], progress=False)
    original, calls = methods.Distilled.loss, []

    def stop(self, batch):
        calls.append(1)
        if len(calls) == 6:  # four steps an epoch: in the second one
            raise KeyboardInterrupt
        return original(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(methods.Distilled, "loss", stop)
        with pytest.raises(Interrupted, match="goes on"):
            fit(method, split, config, folders[1], teacher=teachers["all"], progress=False)
    cut = fit(method, split, config, folders[1], teacher=teachers["all"], progress=False)
    assert (cut.scores, cut.config, cut.teacher) == (whole.scores, whole.config, whole.teacher)
    tables = [pd.read_csv(folder / "metrics.csv").drop(columns="seconds") for folder in folders]
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["epoch"].tolist() == [0, 1]
    for name in whole.f1:
        ours, theirs = (load_file(weights_file(folder, name)) for folder in folders)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert not (folders[1] / "state.pt").exists()


def test_under_bf16_soft_labels_keep_their_digits(split, tmp_path, watched, monkeypatch):
    """The settings of the cpu profile on little data."""
    config = profile("cpu", epochs=1, batch_size=16, precision="bf16-mixed")
    assert (config.precision, config.channels_last, config.width) == ("bf16-mixed", True, 16)
    seen, original = [], methods.MLKD.distil

    def distil(self, modality, batch, *logits):
        seen.append([torch.is_autocast_enabled("cpu"), *(z.dtype for z in logits)])
        return original(self, modality, batch, *logits)

    monkeypatch.setattr(methods.MLKD, "distil", distil)
    fit("teacher", split, config, tmp_path / "teacher", progress=False)
    result = fit(
        "mlkd", split, config, tmp_path / "run", teacher=tmp_path / "teacher", progress=False
    )
    assert all(0 <= f1 <= 100 for f1 in result.f1.values())
    teacher = load_teacher(tmp_path / "teacher", split, replace(config, options={"reads": "all"}))
    assert len(watched) == 2
    for batch in (b for weak in watched for b in (weak, weak.strong)):
        assert batch.soft.dtype == batch.x["rgb"].dtype == torch.float32
        assert not torch.equal(batch.soft, batch.soft.bfloat16().float())
        assert batch.x["rgb"].is_contiguous(memory_format=torch.channels_last)
        expected = teacher.predict(
            "rgb+depth", torch.cat([batch.x[m] for m in teacher.reads], dim=1)
        )
        torch.testing.assert_close(
            batch.soft, expected, rtol=0.05, atol=0.05 * expected.abs().max().item()
        )
    assert seen == [[False, torch.float32, torch.float32]] * 4


# ---------------------------------------------------------------- teachers that do not fit


def forge(folder, split, config=TINY, method=Teacher, **changes):
    """What a finished run leaves behind, as far as it is asked who it is."""
    claim(folder, identity(method, split, config))
    result = Result(
        method=method.name, data=split.train.name, seed=config.seed, hash="0123456789", scores={}, parameters={},
        seconds=1.0, pairs_per_second=1.0, peak_memory_mb=1.0, machine={}, counts={},
        config={**config.identity(), "options": method.options(config.options)}, classes=len(split.train.classes),
    )  # fmt: skip
    (folder / "result.json").write_text(json.dumps(replace(result, **changes).to_json()))
    return folder


def test_the_settings_of_a_teacher_are_its_own_and_its_accelerator_the_students(split, tmp_path):
    theirs = replace(options(reads="rgb"), width=16, epochs=7, seed=0)
    folder = forge(tmp_path / "teacher", split, theirs)
    ours = replace(options(teacher="rgb"), accelerator="cpu")
    found = check_teacher(folder, methods.KDv2, split, ours)
    assert found == replace(theirs, accelerator="cpu", options=Teacher.options({"reads": "rgb"}))


def test_a_method_without_teacher_keeps_its_settings(split):
    assert check_teacher(None, methods.Student, split, TINY) == TINY


def test_a_teacher_of_another_seed_may_teach_on_the_same_split(split, tmp_path):
    folder = forge(tmp_path / "teacher", split, replace(TINY, seed=5))
    assert check_teacher(folder, methods.KDv2, split, TINY).seed == 5


def another_name(split):
    return data.Split(*(replace(part, name="others") for part in split))


def another_split(split):
    return data.load("scenes:n=66,size=16").split(seed=1)


def another_scale(split):
    bounds = {
        "rgb": split.train.normalization["depth"],
        "depth": split.train.normalization["depth"],
    }
    return data.Split(*(replace(part, normalization=bounds) for part in split))


def fewer_classes(split):
    return data.load("scenes:n=66,size=16,shapes=2").split(seed=0)


WRONG = {
    "another data set": (
        lambda f, s: forge(f, another_name(s)),
        "this teacher has data=others, the student scenes; ",
    ),
    "another split": (
        lambda f, s: forge(f, another_split(s)),
        r"this teacher has split=\w{16}, the student \w{16}; ",
    ),
    "another scale": (
        lambda f, s: forge(f, another_scale(s)),
        r"this teacher has split=\w{16}, the student \w{16}; ",
    ),
    "fewer classes": (
        lambda f, s: forge(f, fewer_classes(s)),
        "this teacher has classes=6, the student 9; ",
    ),
    "other modalities": (
        lambda f, s: forge(f, s, options(reads="rgb")),
        "this teacher has reads=rgb, the student all; train a teacher for it",
    ),
    "a run of student": (
        lambda f, s: forge(f, s, method=methods.Student),
        "is a run of student; METHOD learns from a run of teacher",
    ),
    "an unfinished run": (
        lambda f, s: claim(f, identity(Teacher, s, TINY)),
        "no such result; train the run first",
    ),
    "an empty folder": (lambda f, s: f.mkdir(), "no such result; train the run first"),
    "no folder": (lambda f, s: None, "no such result; train the run first"),
    "an edited result": (
        lambda f, s: edit(forge(f, s) / "result.json"),
        "was changed after it was measured .*; run the command again with --recompute",
    ),
    "settings cut short": (
        lambda f, s: (forge(f, s) / "config.json").write_text('{"method"'),
        "not valid JSON",
    ),
}


def edit(file):
    file.write_text(file.read_text().replace("0123456789", "9876543210"))


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("method", ["kdv1", "mlkd+lskd"])
def test_a_teacher_that_does_not_fit_is_named_and_nothing_is_left(split, tmp_path, what, method):
    make, message = WRONG[what][0], WRONG[what][1].replace("METHOD", re.escape(method))
    folder = tmp_path / "teacher"
    make(folder, split)
    before = content(tmp_path)
    with pytest.raises(DiscomError, match=message) as caught:
        fit(method, split, TINY, tmp_path / "run", teacher=folder, progress=False)
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)
    assert content(tmp_path) == before
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", ["missing", "a list"])
def test_a_teacher_without_settings_is_named(split, tmp_path, damage):
    folder = forge(tmp_path / "teacher", split)
    (folder / "config.json").unlink()
    if damage == "a list":
        (folder / "config.json").write_text("[]")
    with pytest.raises(DiscomError, match=r"teacher"):
        fit("kdv2", split, TINY, tmp_path / "run", teacher=folder, progress=False)


@pytest.mark.parametrize("damage", ["missing", "cut short", "of another network"])
def test_a_teacher_without_weights_is_named(split, tmp_path, damage):
    folder = forge(tmp_path / "teacher", split)
    file = weights_file(folder, "rgb+depth")
    if damage != "missing":
        file.parent.mkdir()
        file.write_bytes(
            b"\x08\0\0\0\0\0\0\0{}      " if damage == "of another network" else b"cut"
        )
    with pytest.raises(DiscomError, match=r"teacher"):
        fit("kdv2", split, TINY, tmp_path / "run", teacher=folder, progress=False)


def test_a_teacher_that_stacks_the_modalities_in_another_order_is_named(tmp_path):
    there, back = (
        data.load(f"scenes:n=66,size=16,modalities={m}").split() for m in ("rgb+depth", "depth+rgb")
    )
    with pytest.raises(DiscomError, match="teacher"):
        check_teacher(forge(tmp_path / "teacher", back), methods.KDv2, there, TINY)


@pytest.mark.parametrize("method", TAUGHT)
def test_a_taught_method_without_teacher(split, tmp_path, method):
    with pytest.raises(ConfigError) as caught:
        fit(method, split, TINY, tmp_path / "run", progress=False)
    assert str(caught.value) == f"teacher: {method} needs a teacher; give the folder of its run"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "method", [name for name in methods.names() if not methods.get(name).taught]
)
def test_an_untaught_method_with_a_teacher(split, teachers, tmp_path, method):
    with pytest.raises(ConfigError) as caught:
        fit(method, split, TINY, tmp_path / "run", teacher=teachers["all"], progress=False)
    assert str(caught.value) == f"teacher: {method} has no teacher; leave it out"
    assert list(tmp_path.iterdir()) == []


def test_options_that_do_not_fit_the_data_leave_nothing(split, teachers, tmp_path):
    for given in ({"teacher": "sonar"}, {"temperature": 0.0}, {"colour": "red"}):
        with pytest.raises((ConfigError, RunError)):
            fit(
                "kdv2",
                split,
                options(**given),
                tmp_path / "run",
                teacher=teachers["all"],
                progress=False,
            )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_student_of_another_teacher_is_refused(split, teachers, tmp_path):
    fit(
        "kdv1",
        split,
        replace(TINY, epochs=1),
        tmp_path / "run",
        teacher=teachers["all"],
        progress=False,
    )
    other = forge(tmp_path / "teacher", split)
    with pytest.raises(
        RunError, match=r"run: holds a run with teacher='all', not '0123456789'; use another folder"
    ):
        fit("kdv1", split, replace(TINY, epochs=1), tmp_path / "run", teacher=other, progress=False)
