"""fit(): resumes to the same numbers, reads the test part once, keeps the best weights, and says
what went wrong."""

import json
import re
import time

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from discom import data, fit, methods, profile, training
from discom.data import Modality, MultiModalData, scenes
from discom.errors import BusyError, ConfigError, Interrupted, RunError
from discom.evaluation import CLASSIFICATION, weighted_f1
from discom.methods import Method, Student, build
from discom.runs import Result, weights_file

TINY = profile("tiny", epochs=3)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes:n=66,size=16").split(seed=0)


@pytest.fixture(scope="module")
def finished(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "0-abc"
    return folder, fit("discom", split, TINY, folder, progress=False)


def numbers(result) -> dict:
    """What two runs that are one and the same must agree on to the last digit."""
    return {
        "scores": result.scores,
        "parameters": result.parameters,
        "config": result.config,
        "counts": result.counts,
    }


def test_a_run_leaves_what_it_promises(finished):
    folder, result = finished
    written = json.loads((folder / "result.json").read_text())
    assert written["scores"] == result.scores
    assert Result.read(folder / "result.json") == result
    assert set(result.f1) == {"rgb", "depth"}
    assert (result.classes, result.teacher) == (9, None)
    assert not list(folder.glob("state*"))
    table = pd.read_csv(folder / "metrics.csv")
    assert table["epoch"].tolist() == [0, 1, 2]
    assert {"loss", "cl", "adv", "mod", "aux", "orth", "valid_f1/rgb", "valid_f1/depth"} <= set(
        table
    )
    assert np.allclose(
        table["loss"], table[["cl", "adv", "mod", "aux", "orth"]].sum(axis=1), rtol=1e-5
    )
    assert list((folder / "tensorboard").glob("events*"))


def test_the_best_epoch_is_the_first_with_the_highest_validation_f1(finished):
    folder, result = finished
    table = pd.read_csv(folder / "metrics.csv")
    for name, scores in result.scores.items():
        assert scores["best_epoch"] == table[f"valid_f1/{name}"].idxmax()
        assert scores["valid_f1"] == pytest.approx(table[f"valid_f1/{name}"].max())


def test_saved_weights_give_the_reported_test_score_through_the_deployed_branch(finished, split):
    folder, result = finished
    model = build(methods.get("discom"), split.train, TINY).eval()
    for name, modality in split.test.modalities.items():
        model.load_state(name, load_file(weights_file(folder, name)))
        logits = model.branch(name)(torch.from_numpy(split.test.images(name)))
        labels = torch.from_numpy(modality.y)
        assert weighted_f1(logits, labels).item() == pytest.approx(result.f1[name], abs=1e-4)
        with np.load(folder / "predictions.npz") as held:
            assert np.allclose(held[f"{name}_logits"], logits.detach().numpy(), atol=1e-4)
            assert (held[f"{name}_ids"] == modality.ids).all()


def test_a_finished_run_is_read_and_not_trained_again(finished, split):
    folder, result = finished
    before = (folder / "result.json").stat().st_mtime_ns
    assert fit("discom", split, TINY, folder) == result
    assert (folder / "result.json").stat().st_mtime_ns == before


def test_same_seed_same_numbers_other_seed_other_numbers(finished, split, tmp_path):
    _, first = finished
    again = fit("discom", split, TINY, tmp_path / "again", progress=False)
    other = fit(
        "discom", split, profile("tiny", epochs=3, seed=1), tmp_path / "other", progress=False
    )
    assert numbers(again) == numbers(first)
    assert other.scores != first.scores


def test_the_callers_random_numbers_are_left_alone(split, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit("student", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    assert torch.equal(torch.rand(3), expected)


class _Watched(dict):
    """A mapping of modalities that notes whenever somebody reads it."""

    def __init__(self, held, log, name):
        super().__init__(held)
        self.log, self.name = log, name

    def items(self):
        self.log.append(self.name)
        return super().items()

    def __getitem__(self, key):
        self.log.append(self.name)
        return super().__getitem__(key)


def test_the_test_part_is_read_after_the_last_epoch_and_once(split, tmp_path, monkeypatch):
    log = []
    score = CLASSIFICATION.select
    watched = CLASSIFICATION._replace(select=lambda *a: (log.append("validation"), score(*a))[1])
    monkeypatch.setattr("discom.evaluation.CLASSIFICATION", watched)
    parts = [
        MultiModalData(
            _Watched(part.modalities, log, name), part.classes, normalization=part.normalization
        )
        for name, part in split._asdict().items()
    ]
    log.clear()  # building the parts reads them
    identity = len(log)
    fit("student", type(split)(*parts), TINY, tmp_path / "run", progress=False)
    last = len(log) - 1 - log[::-1].index("validation")
    images = [place for place, name in enumerate(log) if name == "test" and place > identity]
    # the identity of the run reads ids and labels first; from then on nothing until the last
    # validation
    first_validation = log.index("validation")
    assert [place for place in images if first_validation < place <= last] == []
    assert any(place > last for place in images)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """33 training samples, and a teacher for them: at batch 32 they would leave a batch of one."""
    split = scenes.make(60, size=16).split((0.55, 0.2, 0.25), seed=0)
    assert len(split.train) == 33
    folder = tmp_path_factory.mktemp("odd") / "teacher"
    fit("teacher", split, profile("tiny", epochs=1), folder, progress=False)
    return split, folder


@pytest.mark.parametrize("name", methods.names(dense=False))
def test_every_method_trains_on_every_odd_size(odd, name, tmp_path):
    """A batch of one sample BatchNorm would refuse."""
    split, teacher = odd
    given = {"teacher": teacher} if methods.get(name).taught else {}
    result = fit(name, split, profile("tiny", epochs=1), tmp_path / "run", progress=False, **given)
    assert set(result.f1) == ({"rgb+depth"} if name == "teacher" else {"rgb", "depth"})
    assert all(0 <= f1 <= 100 for f1 in result.f1.values())


def test_unpaired_and_partly_paired_modalities_train(tmp_path):
    whole = scenes.make(60, size=16)
    rgb, depth = whole.modalities.values()
    keep = np.r_[0:40]
    uneven = MultiModalData({"rgb": rgb, "depth": depth.take(keep)}, whole.classes)
    other = Modality(depth.x, depth.y, np.array([f"other-{i}" for i in depth.ids]))
    unpaired = MultiModalData({"rgb": rgb, "depth": other}, whole.classes)
    for name, held in {"uneven": uneven, "unpaired": unpaired}.items():
        result = fit(
            "discom",
            held.split((0.5, 0.2, 0.3)),
            profile("tiny", epochs=1),
            tmp_path / name,
            progress=False,
        )
        assert set(result.f1) == {"rgb", "depth"}


def test_three_modalities_train(tmp_path):
    whole = scenes.make(60, size=16, modalities=("rgb", "depth", "thermal"))
    result = fit(
        "discom",
        whole.split((0.5, 0.2, 0.3)),
        profile("tiny", epochs=1),
        tmp_path / "run",
        progress=False,
    )
    assert set(result.f1) == {"rgb", "depth", "thermal"}


def test_a_hand_made_folder_in_the_released_format_trains_unchanged(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 3
    for name, bands in (("MS", 4), ("SAR", 2)):
        images = (
            rng.random((30, bands, 16, 16)).astype("float32") * 0.2
            + labels[:, None, None, None] * 0.3
        )
        np.save(tmp_path / f"{name}_data_normalized.npy", images.astype("float32"))
    np.save(tmp_path / "labels.npy", labels)
    for part, rows in {"train": range(18), "valid": range(18, 24), "test": range(24, 30)}.items():
        np.save(tmp_path / f"{part}_idx.npy", np.array(list(rows)))
    held = data.load(tmp_path)
    result = fit(
        "discom",
        held.split(),
        profile("tiny", epochs=2, batch_size=6),
        tmp_path / "run",
        progress=False,
    )
    assert result.counts == {"train": 18, "valid": 6, "test": 6}
    assert set(result.f1) == {"ms", "sar"}


class _Broken(Student):
    name = "broken"

    def loss(self, batch):
        terms = super().loss(batch)
        self.calls = getattr(self, "calls", 0) + 1
        return {"cl": terms["cl"] * (float("nan") if self.calls == 5 else 1.0)}


def test_a_nan_names_term_epoch_and_batch(split, tmp_path):
    steps = 2  # 30 training samples at batch 16
    with pytest.raises(RunError, match=r"'cl' is nan in epoch 2, batch 0"):
        fit(
            _Broken,
            split,
            profile("tiny", epochs=4, batch_size=16),
            tmp_path / "run",
            progress=False,
        )
    assert 2 * steps + 1 == 5  # the fifth call is the first of the third epoch
    assert not (tmp_path / "run/result.json").exists()


def test_a_folder_of_another_run_is_refused(finished, split):
    folder, _ = finished
    with pytest.raises(RunError, match=r"holds a run with epochs=3, not 4"):
        fit("discom", split, profile("tiny", epochs=4), folder)
    with pytest.raises(RunError, match="method='discom', not 'student'"):
        fit("student", split, TINY, folder)


def test_a_folder_of_another_split_is_refused(finished):
    folder, _ = finished
    with pytest.raises(RunError, match="split="):
        fit("discom", data.load("scenes:n=66,size=16").split(seed=1), TINY, folder)


# --- damaged results, and runs that are not ours to train
# -------------------------------------------------------------


@pytest.fixture
def student(split, tmp_path):
    """A finished run of student: its folder, its result, and the call that made it."""

    def again(**given):
        return fit(
            "student", split, profile("tiny", epochs=1), tmp_path / "run", progress=False, **given
        )

    return tmp_path / "run", again(), again


DAMAGE = {
    "a score": lambda text: re.sub(r'"f1": [\d.]+', '"f1": 99.5', text, count=1),
    "no checksum": lambda text: json.dumps(
        {k: v for k, v in json.loads(text).items() if k != "checksum"}
    ),
    "cut short": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "a list": lambda text: f"[{text}]",
    "of an earlier version": lambda text: '{"method": "student"}',
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_result_is_refused_by_name_and_recompute_trains_again(student, what):
    folder, result, again = student
    file = folder / "result.json"
    metrics = pd.read_csv(folder / "metrics.csv").drop(columns="seconds")
    damaged = DAMAGE[what](file.read_text())
    file.write_text(damaged)
    with pytest.raises(RunError, match=r"; run the command again with --recompute$") as caught:
        again()
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    assert file.read_text() == damaged
    assert numbers(again(recompute=True)) == numbers(result)
    assert numbers(Result.read(file)) == numbers(result)
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "metrics.csv").drop(columns="seconds"), metrics
    )
    assert numbers(again()) == numbers(result)


def test_recompute_leaves_a_whole_result_alone(student, monkeypatch):
    folder, result, again = student
    before = (folder / "result.json").stat().st_mtime_ns
    monkeypatch.setattr(training, "_train_epoch", None)  # would be called
    assert again(recompute=True) == result
    assert (folder / "result.json").stat().st_mtime_ns == before


def test_a_run_that_another_process_trains_is_left_to_it(split, tmp_path, is_free):
    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run/.lock"):
        with pytest.raises(
            BusyError, match=r"run: another process trains this run; wait for it, or stop it$"
        ):
            fit("student", split, TINY, tmp_path / "run", progress=False)
        assert [file.name for file in (tmp_path / "run").iterdir()] == [".lock"]
    assert fit("student", split, TINY, tmp_path / "run", progress=False).f1
    assert is_free(tmp_path / "run")


def test_a_run_is_locked_while_it_trains_and_free_after_an_error(
    split, tmp_path, monkeypatch, is_free
):
    free, original = [], Student.loss

    def watched(self, batch):
        free.append(is_free(tmp_path / "run"))
        if len(free) == 3:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(Student, "loss", watched)
    with pytest.raises(Interrupted):
        fit("student", split, TINY, tmp_path / "run", progress=False)
    assert free == [False] * 3
    assert is_free(tmp_path / "run")


def test_a_run_is_locked_until_its_result_is_written(split, tmp_path, monkeypatch, is_free):
    free, original = [], training.write_json

    def watched(file, content):
        free.append(is_free(tmp_path / "run"))
        original(file, content)

    monkeypatch.setattr(training, "write_json", watched)
    fit("student", split, profile("tiny", epochs=1), tmp_path / "run", progress=False)
    assert free == [False]


def test_a_folder_that_cannot_be_made_is_named(split, tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(
        RunError, match=r"0-abc: cannot be written \(.+\); choose another folder for runs$"
    ):
        fit("student", split, TINY, tmp_path / "runs/scenes/student/0-abc", progress=False)
    assert (tmp_path / "runs").read_text() == "a file"


def test_options_that_do_not_fit_are_config_errors(split, tmp_path):
    with pytest.raises(ConfigError, match="no 'temperature'"):
        fit("discom", split, profile("tiny", options={"temperature": 4}), tmp_path / "a")
    with pytest.raises(ConfigError, match="no term 'adv'"):
        fit("student", split, profile("tiny", options={"weights": {"adv": 0}}), tmp_path / "b")
    with pytest.raises(ConfigError, match="reduction"):
        fit("discom", split, profile("tiny", options={"reduction": "sum"}), tmp_path / "c")


def test_a_term_of_weight_zero_has_no_influence_and_is_still_logged(split, tmp_path):
    off = {"weights": {"adv": 0, "mod": 0}}
    fit("discom", split, profile("tiny", epochs=1, options=off), tmp_path / "run", progress=False)
    table = pd.read_csv(tmp_path / "run/metrics.csv")
    assert (table[["adv", "mod"]] > 0).all(axis=None)
    assert np.allclose(table["loss"], table[["cl", "aux", "orth"]].sum(axis=1), rtol=1e-5)


# --- interruption: the rest of it is in tests/faults
# -----------------------------------------------------------------


def test_interrupted_in_process_is_resumable(split, tmp_path, monkeypatch):
    reference = fit("discom", split, TINY, tmp_path / "whole", progress=False)
    original, calls = methods.DisCoMKD.loss, []

    def stop(self, batch):
        calls.append(1)
        if len(calls) == 2:  # one step an epoch: the second epoch
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(methods.DisCoMKD, "loss", stop)
    with pytest.raises(Interrupted, match="goes on"):
        fit("discom", split, TINY, tmp_path / "run", progress=False)
    assert (tmp_path / "run/state.pt").exists()
    assert numbers(fit("discom", split, TINY, tmp_path / "run", progress=False)) == numbers(
        reference
    )


def test_a_method_must_say_what_it_does():
    with pytest.raises(TypeError, match="must define loss"):
        Method({"rgb": 3}, 2, None, weights={}).loss(None)


@pytest.mark.slow
def test_augmentation_takes_at_most_a_tenth_of_a_step():
    """Medians of both, measured in turn on the cpu profile's network; about a hundredth where this
    was written."""
    held = scenes.make(300).split((0.9, 0.05, 0.05))
    config = profile("cpu")
    model = build(methods.get("student"), held.train, config)
    moved, still = (data.Batches(held.train, 128, 0, augment=share) for share in (1.0, 0.0))
    extra, steps = [], []
    for epoch in range(5):
        times = [time.perf_counter()]
        for batches in (moved, still):
            made = list(batches.epoch(epoch))
            times.append(time.perf_counter())
        extra.append((times[1] - times[0]) - (times[2] - times[1]))
        for batch in made:
            sum(model.loss(batch).values()).backward()
        steps.append(time.perf_counter() - times[2])
    assert np.median(extra) < 0.1 * np.median(steps)
