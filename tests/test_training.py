"""fit(): trains as a plain loop does, resumes to the same numbers, reads the test part once, keeps
the best weights, and says what went wrong."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock
from fixtures.refusal import refused
from lightning.fabric import Fabric
from lightning.fabric.plugins.precision import MixedPrecision
from safetensors import safe_open
from safetensors.torch import load_file
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight

import discom.running.fit as module
from discom import data, fit, hardware, methods, profile
from discom.data.batches import Batches
from discom.errors import ConfigError, OutOfTime, RunError
from discom.evaluation import scores
from discom.methods import Student, build
from discom.running import sweep
from discom.running.checkpoint import Checkpoint
from discom.running.forecast import probe
from discom.running.loading import load_run
from discom.running.runs import Result, Run, last_file, weights_file

TINY = profile("tiny", epochs=3)
ONCE = profile("tiny", epochs=1)


@pytest.fixture(scope="module")
def split():
    return data.load("objects:n=66,size=16").split(seed=0)


@pytest.fixture(scope="module")
def finished(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "0-abc"
    return folder, fit("discom", split, TINY, folder, progress=False)


OPTIMIZERS = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fit_computes_the_weights_of_a_plain_loop(split, tmp_path, name):
    settings = {"weight_decay": 0.5, "learning_rate": 0.01, "seed": 3, "optimizer": name}
    config = profile("tiny", epochs=1, batch_size=10, augment=0.9, **settings)
    fit("student", split, config, tmp_path / "run", progress=False)
    model = build(Student, split.train, config)
    optimizer = OPTIMIZERS[name](model.parameters(), lr=0.01, weight_decay=0.5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.01, total_steps=4, cycle_momentum=False
    )
    batches = list(Batches(split.train, 10, seed=3, augment=config.augment).epoch(0))
    assert len(batches) == 3
    model.train()
    for batch in batches:
        for parameter in model.parameters():
            parameter.grad = None
        logits = {name: model.predict(name, batch.x[name]) for name in batch.x}
        loss = sum(torch.nn.functional.cross_entropy(logits[k], batch.y[k]) for k in logits)
        loss.backward()
        optimizer.step()
        schedule.step()
    for name in model.deployed:
        saved, ours = load_file(weights_file(tmp_path / "run", name)), model.state(name)
        assert saved.keys() == ours.keys()
        for key, value in saved.items():
            torch.testing.assert_close(value, ours[key], rtol=1e-4, atol=1e-6, msg=key)


def test_a_run_leaves_what_it_promises(finished, split):
    folder, result = finished
    assert Result.read(folder / "result.json") == result
    assert result.hash == json.loads((folder / "config.json").read_text())["hash"]
    assert (result.digest, result.drawn, result.divided) == (split.origin.digest, 0, 0)
    assert result.best == {name: split.train.best[name] for name in ("rgb", "depth")}
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert files == {
        *(".lock", "config.json", "metrics.csv", "predictions.npz", "result.json"),
        *("weights/rgb.safetensors", "weights/depth.safetensors"),
    } | (
        {"last.safetensors"}
        if {own["best_epoch"] for own in result.scores.values()} != {2}
        else set()
    )
    table = pd.read_csv(folder / "metrics.csv", float_precision="round_trip")
    assert table["epoch"].tolist() == [0, 1, 2]
    for name, kept in result.scores.items():  # the first epoch with the highest validation F1
        assert kept["best_epoch"] == table[f"valid_f1/{name}"].idxmax()
        assert kept["valid_f1"] == table[f"valid_f1/{name}"].max()
        with safe_open(weights_file(folder, name), "pt") as file:
            assert file.metadata() == {"epoch": str(kept["best_epoch"])}


def test_the_last_epoch_needs_no_validation_label(split, tmp_path):
    """Whatever the validation labels are, test scores are the same; the best epoch changes."""
    valid = split.valid
    sensors = {name: replace(m, y=(2 * m.y + 1) % 9) for name, m in valid.modalities.items()}
    other = replace(valid.with_modalities(sensors), normalization=valid.normalization)
    for select in ("last", "best"):
        config = replace(TINY, select=select, epochs=6, learning_rate=0.05)
        results = [
            fit("student", parts, config, tmp_path / f"{select} {k}", progress=False)
            for k, parts in enumerate((split, split._replace(valid=other)))
        ]
        one, two = ([(v["f1"], v["best_epoch"]) for v in r.scores.values()] for r in results)
        assert (one == two) == (select == "last")


def test_the_test_part_is_read_after_the_last_epoch_and_once(split, tmp_path, monkeypatch):
    log, original = [], scores.ModalityTensor

    def watched(part, name, *given, **options):
        log.append((part is split.test, name))
        return original(part, name, *given, **options)

    monkeypatch.setattr(scores, "ModalityTensor", watched)
    given = {"progress": False, "on_epoch_end": lambda epochs, network: log.append(epochs)}
    fit("student", split, TINY, tmp_path / "run", **given)
    valid, test = ([(part, name) for name in ("rgb", "depth")] for part in (False, True))
    assert log == [*valid, 0, 1, 2, 3, *test]


@pytest.fixture
def fp16(monkeypatch):
    """Runs train in fp16, on the CPU, by Fabric's plugin, which Fabric itself takes on a GPU alone.
    A function of a function of step and progress: whether the gradients overflow there."""
    loss, calls = Student.loss, count()

    def launch(precision):
        plugin = MixedPrecision(precision, "cpu", torch.amp.GradScaler("cpu", init_scale=2.0**10))
        return Fabric(accelerator="cpu", devices=1, plugins=plugin)

    def overflow(when):
        def scaled(self, batch):
            factor = 1e36 if when(next(calls), batch.progress) else 1
            return {name: factor * term for name, term in loss(self, batch).items()}

        monkeypatch.setattr(Student, "loss", scaled)

    monkeypatch.setattr(module, "launch", launch)
    monkeypatch.setattr(module, "precision_used", lambda precision: "16-mixed")
    return overflow


def test_fp16_skips_the_steps_that_overflow_and_counts_them(split, tmp_path, fp16):
    """The weights are those of a plain loop with torch's scaler that leaves such a step out."""
    fp16(lambda step, progress: step == 1)
    config = replace(ONCE, schedule="constant", batch_size=10, precision="16-mixed")
    result = fit("student", split, config, tmp_path / "run", progress=False)
    assert result.precision == "16-mixed"
    log = pd.read_csv(tmp_path / "run/metrics.csv")
    assert (log["skipped_steps"].tolist(), log["loss_scale"].tolist()) == ([1], [2.0**9])
    model = build(Student, split.train, config)
    rate, decay = config.learning_rate, config.weight_decay
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)
    model.train()
    for step, batch in enumerate(Batches(split.train, 10, 0).epoch(0)):
        with torch.autocast("cpu", torch.float16):
            logits = {name: model.predict(name, batch.x[name]) for name in batch.x}
            loss = sum(torch.nn.functional.cross_entropy(logits[k], batch.y[k]) for k in logits)
        optimizer.zero_grad()
        factor = 2.0**9 if step > 1 else 2.0**10
        (factor * loss).backward()
        for parameter in model.parameters():
            parameter.grad /= factor
        if step != 1:
            optimizer.step()
    for name in model.deployed:
        saved, ours = load_file(weights_file(tmp_path / "run", name)), model.state(name)
        for key, value in saved.items():
            torch.testing.assert_close(value, ours[key], rtol=1e-4, atol=1e-6, msg=key)


def test_ten_steps_in_a_row_that_overflow_end_the_run(split, tmp_path, fp16):
    """In epochs of two steps; nine are no reason."""
    config = replace(TINY, epochs=12, precision="16-mixed", batch_size=24)
    fp16(lambda step, progress: step in {*range(3, 12), *range(13, 23)})
    train = partial(fit, "student", split, config, tmp_path / "run", progress=False)
    refused(train, "^precision 16-mixed: .* epoch 11; ", RunError)
    log = pd.read_csv(tmp_path / "run/metrics.csv")
    assert log["skipped_steps"].tolist() == [0, 1, 2, 2, 2, 2, 1, 2, 2, 2, 2]


def test_the_scale_of_fp16_survives_an_interruption(split, fp16, same_once_resumed):
    fp16(lambda step, progress: progress == 0)
    config = replace(TINY, precision="16-mixed", batch_size=10)
    _, folder = same_once_resumed("student", split, config, 5)
    log = pd.read_csv(folder / "metrics.csv")
    assert log["skipped_steps"].tolist() == [3, 0, 0]
    assert log["loss_scale"].tolist() == [2.0**7] * 3


@pytest.fixture
def bf16(monkeypatch):
    """Sets whether the processor has instructions for bf16."""
    return lambda has: monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: has)


def test_a_result_says_the_precision_that_was_used_and_its_hash_the_one_that_was_asked_for(
    split, tmp_path, bf16
):
    for precision, instructions, used in (
        ("bf16-mixed", True, "bf16-mixed"),
        ("bf16-mixed", False, "32-true"),
        ("mixed", False, "32-true"),
    ):
        bf16(instructions)
        folder = tmp_path / f"{precision} {used}"
        config = replace(ONCE, precision=precision)
        result = fit("student", split, config, folder, progress=False)
        assert (result.config["precision"], result.precision) == (precision, used)
        bf16(not instructions)
        assert fit("student", split, config, folder, progress=False) == result  # it is read


def test_a_run_goes_on_on_a_machine_of_another_precision(split, tmp_path, bf16, stop_at):
    """It was refused as a run of other settings."""
    config, folder = replace(TINY, precision="mixed"), tmp_path / "run"
    bf16(True)
    stop_at("student", 3)
    with pytest.raises(KeyboardInterrupt):
        fit("student", split, config, folder, progress=False)
    bf16(False)
    result = fit("student", split, config, folder, progress=False)
    assert result.precision == "bf16-mixed, 32-true"
    assert Result.read(folder / "result.json") == result
    assert pd.read_csv(folder / "metrics.csv")["epoch"].tolist() == [0, 1, 2]


def test_float32_is_no_tf32_while_a_run_trains(split, tmp_path, monkeypatch):
    """torch's convolutions are TF32 unless they are told otherwise."""
    monkeypatch.setattr("torch.backends.cudnn.allow_tf32", True)
    monkeypatch.setattr("torch.backends.cudnn.benchmark", False)
    flags: list = []

    def look(*_):
        cudnn, matmul = torch.backends.cudnn, torch.get_float32_matmul_precision()
        flags.append((cudnn.allow_tf32, cudnn.benchmark, matmul))

    torch.set_float32_matmul_precision("high")
    try:
        fit("student", split, ONCE, tmp_path / "run", progress=False, on_epoch_end=look)
        look()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert flags == [(False, True, "highest")] * 2 + [(True, False, "high")]


SCENES = data.load("objects:n=66,size=8")
PAIRS = replace(SCENES, groups=np.arange(66) // 2)
NONE = SCENES.modalities["depth"].take(np.arange(0))
WRONG = [  # what is said to be the test part
    lambda test: replace(PAIRS, normalization=test.normalization),  # the training images
    lambda test: replace(test, groups=np.arange(33)[: len(test)]),  # groups of the training part
    lambda test: test.with_modalities({**test.modalities, "depth": NONE}),
    lambda test: replace(test, normalization=None),
    lambda test: replace(test, classes=test.classes[::-1]),
    lambda test: test.select(["depth"]),
    lambda test: test.take(np.arange(0)),
    lambda test: test.keep_labels(0.5),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_parts_that_do_not_belong_together_are_refused_before_a_training(tmp_path, wrong):
    """Test images among the training images gave an F1 of 100 on labels of chance."""
    split = PAIRS.split(0)
    split = split._replace(test=wrong(split.test))
    refused(partial(fit, "student", split, ONCE, tmp_path / "run"), "test part: ")
    assert not (tmp_path / "run").exists()


def test_parts_of_which_none_has_bounds_are_refused(tmp_path):
    """All are alike, and a network would train on raw numbers."""
    raw = data.Split(*(replace(part, normalization=None) for part in SCENES.split(0)))
    refused(partial(fit, "student", raw, ONCE, tmp_path / "run"), "train part: ")


NO_SPLITS = {  # what is given in the place of a split → the place that the error names
    "the data": (SCENES, "split"),
    "nothing": (None, "split"),
    "a tuple": (tuple(SCENES.split(0)), "split"),
    "arrays": (data.Split(*(np.zeros(3) for _ in range(3))), "split, train part"),
}


@pytest.mark.parametrize("what", NO_SPLITS)
def test_what_is_no_split_is_refused_where_it_is_given(what, finished, tmp_path):
    """It was an AttributeError of some line within."""
    given, place = NO_SPLITS[what]
    run = Run.of(tmp_path, Student, SCENES, ONCE)
    for call in (
        partial(fit, "student", given, ONCE, tmp_path / "run"),
        partial(load_run, finished[0], given),
        partial(probe, run, given),
        partial(sweep.train, run, given),
    ):
        refused(call, f"^{place}: ", ConfigError)
    assert not [*tmp_path.iterdir()]


def test_runs_are_planned_of_data_and_settings_alone(split, tmp_path):
    refused(partial(Run.of, tmp_path, Student, split, ONCE), "^data: ", ConfigError)
    refused(partial(Run.of, tmp_path, Student, SCENES, "tiny"), "^config: ", ConfigError)


@pytest.mark.parametrize(
    ("method", "config", "place"),
    [
        (Student({"rgb": 3}, 2, methods.base.encoder("resnet10", 16)), ONCE, "method"),
        (torch.nn.Linear, ONCE, "method"),
        ("student", "tiny", "config"),
        ("student", {"epochs": 1}, "config"),
    ],
    ids=str,
)
def test_what_is_no_method_or_no_settings_is_refused(method, config, place, split, tmp_path):
    refused(partial(fit, method, split, config, tmp_path / "run"), f"^{place}: ", ConfigError)
    assert not (tmp_path / "run").exists()


def test_every_epoch_draws_its_own_numbers(split, tmp_path):
    """Views of a loss were the same in each epoch if its number were no part of the seed."""
    numbers = set()
    for seed in (0, 1):
        drawn: list = []
        given = {"on_epoch_end": lambda *_, to=drawn: to.append(torch.rand(()).item())}
        config = replace(TINY, epochs=2, seed=seed)
        fit("student", split, config, tmp_path / f"{seed}", progress=False, **given)
        numbers |= {*drawn[1:]}
    assert len(numbers) == 4


def test_a_seed_draws_the_first_weights(split):
    def weights(seed):
        network = build(Student, split.train, replace(ONCE, seed=seed))
        return torch.cat([weight.flatten() for weight in network.parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


@pytest.mark.parametrize("groups", [0, 12])
def test_a_seed_draws_the_labels_that_are_kept(groups):
    """With those of seed 0 all seeds of a row had the same labels."""
    train = PAIRS.split(0).train
    config = replace(ONCE, seed=3, labelled=0.5, labelled_groups=groups)
    network = build(Student, train, config)
    batches = module._prepare(network, train, config, hardware.launch("32-true"))[-1]
    drawn, other = (train.keep_labels(0.5, seed, groups) for seed in (3, 0))
    assert not np.array_equal(drawn.labels, other.labels)
    for name, images in batches.images.items():
        assert images.truth().tolist() == drawn.modalities[name].y.tolist()


@pytest.mark.parametrize("augmentation", ["coupled", "decoupled"])
def test_batches_are_augmented_as_the_method_asks(augmentation):
    train = data.load("scenes-dense:n=24,size=16").split(seed=0).train
    config = profile("tiny", dense=True, options={"augmentation": augmentation})
    network = build(methods.get("crodino"), train, config)
    batches = module._prepare(network, train, config, hardware.launch("32-true"))[-1]
    views = [batch.transform_ids for batch in batches.epoch(0)]
    alike = all(torch.equal(ids["rgb"], ids["depth"]) for ids in views)
    assert alike == (augmentation == "coupled")


def test_the_log_has_the_mean_of_an_epochs_batches():
    losses = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 8.0])]
    assert module._means(losses, ["cl", "loss"], 0) == {"cl": 2.0, "loss": 5.0}


def test_of_equal_scores_the_first_epoch_is_kept(tmp_path):
    model, epoch = SimpleNamespace(state=lambda name: {"w": torch.tensor(epoch)}), 0
    state = Checkpoint(tmp_path, "32-true", model=model)
    for epoch, score in enumerate((50.0, 60.0, 60.0, 55.0)):
        state.keep("f1", {"rgb": score}, epoch, "best")
    assert state.best["rgb"] == {"valid_f1": 60.0, "best_epoch": 1, "weights": {"w": 1}}


def test_a_nan_names_term_epoch_and_batch(split, tmp_path, monkeypatch):
    # of two sensors in two batches of an epoch
    factors, original = iter([1.0] * 8 + [float("nan")] * 4), Student.cross_entropy
    monkeypatch.setattr(Student, "cross_entropy", lambda *given: next(factors) * original(*given))
    config = profile("tiny", epochs=4, batch_size=16)
    train = partial(fit, "student", split, config, tmp_path / "run", progress=False)
    refused(train, "'cl' is nan in epoch 2, batch 0", RunError)
    assert not (tmp_path / "run/result.json").exists()


@pytest.mark.parametrize(("name", "dense"), [("discom", False), ("single", True)])
def test_balanced_class_weights_are_scikit_learns(name, dense, tmp_path):
    split = data.load("scenes-dense:n=30,size=16" if dense else "objects:n=90,size=8").split(seed=0)
    config = profile("tiny", dense=dense, epochs=1, labelled=0.5, class_weights="balanced")
    seen = {"on_epoch_end": lambda epochs, network: weights.append(network.class_weights)}
    weights: list = []
    fit(name, split, config, tmp_path / "run", progress=False, **seen)
    train = split.train.keep_labels(0.5, 0)
    truth = (train.masks if dense else train.labels)[train.labels >= 0].ravel()
    expected = compute_class_weight("balanced", classes=np.unique(truth), y=truth)
    assert np.allclose(weights[0], expected)


def test_a_class_without_a_label_takes_no_share_of_the_weights():
    """As of a class that the labelled persons lack."""
    train = data.load("objects:n=90,size=8").split(seed=0).train
    sensors = {k: replace(m, y=np.where(m.y == 4, -1, m.y)) for k, m in train.modalities.items()}
    train = train.with_modalities(sensors)
    config = replace(ONCE, class_weights="balanced")
    network = build(Student, train, config)
    module._prepare(network, train, config, hardware.launch("32-true"))
    labels = train.labels[train.labels >= 0]
    present = np.unique(labels)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    assert len(present) == 8
    assert np.allclose(network.class_weights[present], expected)


def test_settings_that_do_not_fit_leave_no_folder(split, tmp_path):
    for method, config in (
        ("single", profile("cpu")),
        ("student", profile("cpu", dense=True)),
        ("student", replace(TINY, options={"weights": {"cl": 0}})),
        ("student", replace(TINY, precision="16-mixed")),  # needs a GPU
    ):
        refused(partial(fit, method, split, config, tmp_path / "run"), "", ConfigError)
    assert not (tmp_path / "run").exists()


def test_trainings_in_threads_take_turns(finished, split, tmp_path):
    """Threads share torch's generator: one seed gave other numbers at each call."""
    with ThreadPoolExecutor(2) as threads:
        jobs = [
            threads.submit(fit, "discom", split, TINY, tmp_path / n, progress=False) for n in "ab"
        ]
    for again in (job.result() for job in jobs):
        for part in ("scores", "parameters", "config", "counts"):
            assert getattr(again, part) == getattr(finished[1], part)


def test_a_run_is_locked_for_one_process_at_a_time(split, tmp_path):
    (tmp_path / "run").mkdir()
    train = partial(fit, "student", split, ONCE, tmp_path / "run", progress=False)
    with FileLock(tmp_path / "run/.lock"):
        refused(train, "run/.lock", TimeoutError)
    train()


def test_students_of_two_teachers_are_two_runs(split, tmp_path):
    """Folders a-teacher and b-teacher were one teacher, since both names end alike."""
    one, two = tmp_path / "a-teacher", tmp_path / "b-teacher"
    fit("teacher", split, ONCE, one, progress=False)
    fit("teacher", split, TINY, two, progress=False)
    train = partial(fit, "kdv2", split, run_dir=tmp_path / "kd", progress=False)
    first = train(config=ONCE, teacher=one)
    refused(partial(train, config=ONCE, teacher=two), "holds a run of another", RunError)
    refused(partial(train, config=TINY, teacher=one), "holds a run of another", RunError)
    refused(partial(fit, "student", split, ONCE, tmp_path / "kd"), "holds a run", RunError)
    assert train(config=ONCE, teacher=one) == first


def test_epochs_whose_checkpoint_was_not_written_are_trained_again(
    split, monkeypatch, same_once_resumed
):
    monkeypatch.setattr("discom.running.checkpoint.TIME_SHARE", 0.0)  # the first epoch's alone is
    same_once_resumed("student", split, replace(TINY, learning_rate=0.05), 3)


def test_the_last_epoch_is_kept_without_a_copy_of_all_weights_each_epoch(
    split, tmp_path, monkeypatch
):
    """Also of a GPU, where each copy waits; the weights are those of the last step."""
    calls, state, last = [], Student.state, {}

    def noted(self, name):
        calls.append(name)
        return state(self, name)

    def look(epoch, network):
        last.update({k: v.clone() for k, v in network.state_dict().items()})
        log.append((epoch, len(calls)))

    log: list = []
    monkeypatch.setattr(Student, "state", noted)
    config = replace(TINY, select="last")
    fit("student", split, config, tmp_path / "run", progress=False, on_epoch_end=look)
    assert log == [(0, 0), (1, 0), (2, 0), (3, 0)]
    for name in ("rgb", "depth"):
        for key, value in load_file(weights_file(tmp_path / "run", name)).items():
            assert torch.equal(value, last[key])


@pytest.mark.parametrize("select", ["best", "last"])
def test_an_interrupted_run_of_the_last_epoch_or_the_best_ends_alike(
    select, split, same_once_resumed
):
    same_once_resumed("discom", split, replace(TINY, select=select, learning_rate=0.05), 3)


@pytest.fixture
def best_at(monkeypatch, split, tmp_path):
    """A function of a method and of network → its best epoch, of three: the run's folder, and
    epochs done → all weights at that moment."""

    def train(method, **best):
        epochs, states = count(), {}

        def validate(scoring):
            epoch = next(epochs)
            return {name: 50.0 + (epoch == best[name]) for name in scoring.network.deployed}

        def keep(epoch, network):
            states[epoch] = {key: w.clone() for key, w in network.state_dict().items()}

        monkeypatch.setattr(scores.Scoring, "validate", validate)
        folder = tmp_path / f"{method} {best}"
        config = replace(TINY, select="best", learning_rate=0.01)
        fit(method, split, config, folder, progress=False, on_epoch_end=keep)
        return folder, states

    return train


def test_weights_of_two_epochs_are_no_model_together(best_at, split):
    """The heads that depth was tested with were those of RGB, too."""
    folder, states = best_at("discom", rgb=0, depth=1)
    refused(partial(load_run, folder, split), "rgb 1, depth 2", RunError)
    for name, epochs in (("rgb", 1), ("depth", 2)):
        loaded = load_run(folder, split, name)[0].state(name)
        assert all(torch.equal(w, states[epochs][key]) for key, w in loaded.items())
    last = load_run(folder, split, epoch="last")[0].state_dict()
    assert all(torch.equal(w, states[3][key]) for key, w in last.items())
    assert not torch.equal(last["model.heads.aux.weight"], states[2]["model.heads.aux.weight"])


def test_networks_that_share_no_weight_are_loaded_together(best_at, split):
    folder, states = best_at("student", rgb=0, depth=1)
    loaded = load_run(folder, split)[0]
    for name, epochs in (("rgb", 1), ("depth", 2)):
        own = loaded.state(name)
        assert all(torch.equal(w, states[epochs][key]) for key, w in own.items())


def test_the_last_epoch_is_not_kept_twice(best_at, split):
    folder, states = best_at("discom", rgb=2, depth=2)
    assert not last_file(folder).exists()
    for options in ({}, {"epoch": "last"}):
        loaded = load_run(folder, split, **options)[0].state_dict()
        assert all(torch.equal(w, states[3][key]) for key, w in loaded.items())


def test_a_checkpoint_holds_no_second_copy_of_the_last_epoch(split, tmp_path, monkeypatch):
    """Of DisCoM-KD at the paper's size these were 360 of its 722 MB."""
    sizes = {}
    for select in ("best", "last"):
        folder = tmp_path / select
        config = replace(TINY, select=select)
        with pytest.raises(OutOfTime):  # the first epoch is the best so far
            fit("discom", split, config, folder, progress=False, until=0.0)
        sizes[select] = (folder / "state.pt").stat().st_size
    assert sizes["best"] == pytest.approx(sizes["last"], rel=0.01)


def test_the_auxiliary_head_is_read_on_each_part_of_the_embedding_alone(best_at, split):
    """With the head of the network's own epoch, by scikit-learn."""
    folder, _ = best_at("discom", rgb=0, depth=1)
    result = Result.read(folder / "result.json")
    for name in ("rgb", "depth"):
        x, y = torch.from_numpy(split.test.images(name)), split.test.labels
        model = load_run(folder, split, name)[0].model
        embedding = model.embed(name, x)
        for part in ("inv", "inf"):
            guess = model.heads.aux(getattr(embedding, part)).argmax(1)
            expected = 100 * f1_score(y, guess, average="weighted", zero_division=0)
            assert result.scores[name][f"f1/{part}"] == pytest.approx(expected, abs=1e-4)


def test_a_head_that_was_not_trained_is_not_read(split, tmp_path):
    for method, weights, read in (("discom", {"aux": 0}, False), ("mdico", {}, True)):
        config = replace(ONCE, options={"weights": weights})
        result = fit(method, split, config, tmp_path / method, progress=False)
        assert ("f1/inv" in result.scores["rgb"]) == read


@pytest.mark.parametrize("select", ["best", "last"])
def test_the_size_of_a_large_checkpoint_is_said_before_the_first_epoch(
    split, tmp_path, monkeypatch, select
):
    monkeypatch.setattr("discom.running.checkpoint.LARGE", 1e5)
    monkeypatch.setattr("discom.running.checkpoint.TIME_SHARE", float("inf"))
    folder, sizes = tmp_path / "run", []
    file = folder / "state.pt"
    given = {"on_epoch_end": lambda epoch, _: sizes.append(epoch and file.stat().st_size)}
    with pytest.warns(UserWarning, match="the checkpoint takes") as caught:
        fit("discom", split, replace(TINY, select=select), folder, progress=False, **given)
    (said,) = [str(each.message) for each in caught if "checkpoint" in str(each.message)]
    size = 1e6 * int(re.search(r"takes up to (\d+) MB", said)[1])
    assert max(sizes) <= size * 1.1 + 6e5
    if select == "last":
        assert sizes[-1] == pytest.approx(size, rel=0.1, abs=6e5)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone resets it")
def test_the_peak_of_memory_is_that_of_the_run(split, tmp_path):
    """A large run made all later ones of its process look as large; a notebook asks for all."""
    large = torch.ones(300 << 18)  # 300 MB
    before = hardware.peak_memory()
    del large
    result = fit("student", split, ONCE, tmp_path / "run", progress=False)
    assert result.peak_memory_mb < before - 200
    assert hardware.peak_memory() >= before - 5


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_one_gpu_of_many_is_asked_for_its_random_state(monkeypatch, kind):
    asked, its = [], f"torch.{kind}"
    monkeypatch.setattr(hardware, "device", lambda: torch.device(kind, 3))
    monkeypatch.setattr(f"{its}.device_count", lambda: 8)
    monkeypatch.setattr(f"{its}.get_rng_state", lambda device: asked.append(device))
    monkeypatch.setattr(f"{its}.set_rng_state", lambda state, device: asked.append(device))
    torch.manual_seed(0)
    first = torch.rand(())
    torch.manual_seed(0)
    with hardware.forked_random():
        torch.rand(9)
    assert torch.rand(()) == first
    assert asked == [3, 3]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    ],
)
def test_a_gpu_without_memory_says_what_was_too_large_and_leaves_the_checkpoint(
    split, tmp_path, monkeypatch, error
):
    """torch names its allocator's settings; in a checkpoint's loading it was a damaged file."""
    monkeypatch.setattr("discom.running.checkpoint.TIME_SHARE", float("inf"))
    train = partial(fit, "student", split, TINY, tmp_path / "run", progress=False)
    file, epoch, lacking = tmp_path / "run/state.pt", Batches.epoch, [True]

    def full(*_):
        raise error

    def second(self, number):
        return full() if number and lacking else epoch(self, number)

    said = "^GPU memory: batches of 32 images, rgb 3×16×16, depth 1×16×16, in 32-true do not fit"
    monkeypatch.setattr(Batches, "epoch", second)
    refused(train, said, RunError)
    lacking.clear()
    content = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "load_state_dict", full)
        refused(train, said, RunError)
    assert file.read_bytes() == content
    train()


def test_a_run_that_another_process_ends_meanwhile_is_read(split, tmp_path, monkeypatch):
    """It was trained a second time, over the files of the first."""
    done, folder = tmp_path / "done", tmp_path / "run"
    first = fit("student", split, ONCE, done, progress=False)

    class Late(FileLock):
        def __enter__(self):
            shutil.copytree(done, folder, dirs_exist_ok=True)
            return super().__enter__()

    monkeypatch.setattr(module, "FileLock", Late)
    assert fit("student", split, ONCE, folder, progress=False) == first


@pytest.mark.parametrize(
    ("name", "dense", "spared"),
    [("ctkd", False, "theta"), ("ctkd+lskd", False, "theta"), ("maskd", True, "tokens")],
)
def test_weight_decay_spares_what_is_no_weight_of_a_layer(name, dense, spared):
    """One step without a gradient shrinks what is decayed; it drew a temperature to its middle."""
    images = data.load("scenes-dense:n=24,size=16" if dense else "objects:n=66,size=16")
    config = profile("tiny", dense=dense, learning_rate=0.1, weight_decay=1.0)
    network = build(methods.get(name), images, config)
    groups = module._parameter_groups(network, 0.1, 1.0)
    assert sum(len(group["params"]) for group in groups) == len([*network.parameters()])
    before = {key: weight.detach().clone() for key, weight in network.named_parameters()}
    optimizer = torch.optim.AdamW(groups, 0.1, weight_decay=1.0)
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for key, weight in network.named_parameters():
        factor = 1.0 if key.endswith(spared) else 0.9
        torch.testing.assert_close(weight.detach(), factor * before[key])


def test_other_methods_decay_every_parameter():
    """BatchNorm and biases, too: it is a part of the recipe."""
    for name in set(methods.names()) - {"ctkd", "ctkd+lskd", "maskd"}:
        assert methods.get(name).undecayed == ()
