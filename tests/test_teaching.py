"""From a teacher's run to the logits in a batch: those of the frozen teacher for the very images
that are shown."""

import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from fixtures.refusal import refused
from safetensors.torch import load_file

from discom import data, fit, methods, profile
from discom.data.augmentation import apply_d4
from discom.data.batches import Batch
from discom.errors import ConfigError, DiscomError, RunError
from discom.running.loading import load_run, load_teacher
from discom.running.runs import Result, weights_file

TINY = profile("tiny", epochs=2, batch_size=8)


def options(**given):
    return replace(TINY, options=given)


@pytest.fixture(scope="module")
def split():
    return data.load("objects:n=66,size=16").split(seed=0)


@pytest.fixture(scope="module")
def teachers(split, tmp_path_factory):
    """Finished runs of teacher by what they read."""
    root = tmp_path_factory.mktemp("teachers")
    for reads in ("all", "rgb"):
        fit("teacher", split, options(reads=reads), root / f"0-{reads}", progress=False)
    return {"all": root / "0-all", "rgb": root / "0-rgb"}


def content(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["dense-teacher", "single"])
def test_maps_are_of_upright_images_and_moved_as_the_students_are(name):
    """A teacher of one network each teaches every sensor by its own."""
    train = data.load("scenes-dense:n=30,size=16").split(seed=0).train
    config = profile("tiny", dense=True)
    teacher = methods.build(methods.get(name), train, config).eval()
    student = methods.build(methods.get("kdnet"), train, config)
    images = {sensor: torch.from_numpy(train.images(sensor)[:2]) for sensor in ("rgb", "depth")}
    views = {"rgb": torch.tensor([0, 5]), "depth": torch.tensor([2, 2])}
    batch = Batch({m: apply_d4(x, views[m]) for m, x in images.items()}, {}, transform_ids=views)
    student.ask(teacher, batch)
    for modality, answers in batch.teacher_output.items():
        network = modality if name == "single" else "rgb+depth"
        x = torch.cat([images[sensor] for sensor in network.split("+")], dim=1)
        upright = teacher.branch(network).maps(x)
        assert answers.keys() == {"logits", "features", "latent"}
        for key, answer in answers.items():
            assert not answer.requires_grad
            torch.testing.assert_close(answer, apply_d4(upright[key].detach(), views[modality]))


@pytest.mark.parametrize("reads", ["all", "rgb"])
def test_a_loaded_teacher_is_the_saved_one_and_frozen(split, teachers, reads):
    folder = teachers[reads]
    before = torch.random.get_rng_state()
    teacher = load_teacher(folder, methods.KDv2, split, options(teacher=reads))
    assert torch.equal(torch.random.get_rng_state(), before)
    saved = load_file(weights_file(folder, teacher.deployed[0]))
    state = teacher.state_dict()
    assert state.keys() == saved.keys()
    assert all(torch.equal(value, saved[key]) for key, value in state.items())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(module.training for module in teacher.modules())


@pytest.mark.parametrize(
    ("method", "reads", "augment"), [("kdv2", "all", 1.0), ("kdv2", "rgb", 0.5), ("mlkd", "all", 0)]
)
def test_a_students_batches_hold_the_teachers_logits_for_the_very_images_shown(
    split, teachers, tmp_path, monkeypatch, method, reads, augment
):
    batches, original = [], methods.Distilled.loss

    def loss(self, batch):
        batches.append(batch)
        return original(self, batch)

    monkeypatch.setattr(methods.Distilled, "loss", loss)
    config = replace(options(teacher=reads), augment=augment)
    result = fit(method, split, config, tmp_path / "run", teacher=teachers[reads], progress=False)
    assert set(result.f1) == ({"rgb", "depth"} if reads == "all" else {"depth"})
    assert result.teacher["config"] == Result.read(teachers[reads] / "result.json").config
    teacher, _ = load_run(teachers[reads], split)
    assert [batch.progress for batch in batches] == [0.0] * 4 + [0.5] * 4
    for batch in batches:
        assert torch.equal(batch.y["rgb"], batch.y["depth"])
        assert (batch.strong is not None) == (method == "mlkd")
        for shown in filter(None, (batch, batch.strong)):
            x = torch.cat([shown.x[m] for m in teacher.reads], dim=1)
            logits = teacher.predict(teacher.deployed[0], x)
            torch.testing.assert_close(shown.teacher_output, logits, rtol=1e-4, atol=1e-4)
            assert not shown.teacher_output.requires_grad


def rescaled(split):
    bounds = dict.fromkeys(("rgb", "depth"), split.train.normalization["depth"])
    return data.Split(*(replace(part, normalization=bounds) for part in split))


WRONG = [
    (None, lambda split: data.load("objects:n=66,size=16").split(seed=1), "another split"),
    (None, rescaled, "another split"),
    (shutil.rmtree, None, ""),
    (lambda folder: shutil.rmtree(folder / "weights"), None, ""),
]


@pytest.mark.parametrize(("damage", "other", "message"), WRONG)
def test_a_teacher_that_does_not_fit_is_named_and_nothing_is_left(
    split, teachers, tmp_path, damage, other, message
):
    folder = shutil.copytree(teachers["all"], tmp_path / "teacher")
    if damage:
        damage(folder)
    given, before = other(split) if other else split, content(tmp_path)
    train = partial(fit, "kdv1", given, TINY, tmp_path / "run", teacher=folder, progress=False)
    assert refused(train, message, DiscomError).startswith(str(folder))
    assert content(tmp_path) == before


def test_a_run_that_is_no_teacher_of_this_student_is_named(split, teachers, tmp_path):
    fit("student", split, TINY, tmp_path / "student", progress=False)
    wrong = {"reads=rgb": teachers["rgb"], "method=student": tmp_path / "student"}
    for found, folder in {**wrong, "labelled=1": teachers["all"]}.items():
        config = replace(TINY, labelled=0.4) if folder == teachers["all"] else TINY
        load = partial(load_teacher, folder, methods.KDv1, split, config)
        refused(load, rf"^{folder}: .*{found}", RunError)


def test_a_teacher_is_needed_by_taught_methods_and_no_others(split, teachers, tmp_path):
    for method, given in (("kdv1", {}), ("student", {"teacher": teachers["all"]})):
        train = partial(fit, method, split, TINY, tmp_path / "run", progress=False, **given)
        refused(train, f"^teacher: {method} ", ConfigError)
    assert list(tmp_path.iterdir()) == []
