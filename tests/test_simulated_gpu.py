"""What trains, is scored, probed or exported on a GPU stays there: on a simulated one, whose
tensors cannot be mixed with those of the CPU, runs end with the CPU's numbers."""

from dataclasses import replace

import numpy as np
import pytest
import simulated_gpu as simulation
import torch
from simulated_gpu import simulated_gpu
from torch import nn

import speed
from discom import cli, data, deployment, fit, hardware, methods, profile
from discom.data import batches
from discom.evaluation.embeddings import embed_pairs
from discom.evaluation.probing import modality_probe
from discom.losses.distill import confident_shares
from discom.running import sweep
from discom.running.loading import load_run

pytestmark = pytest.mark.skipif(not simulation.AVAILABLE, reason=simulation.LACKS)

HERE, THERE = "cpu", "simulated GPU"
TINY = profile("tiny", epochs=1)
ALTERNATING = replace(TINY, options={"adversary": "alternating"})


def images(kind):
    """What a method of this kind trains on: "signals", "masks" or scenes."""
    if kind == "signals":
        x, y = np.random.default_rng(0).normal(size=(60, 3, 1, 64)), np.arange(60) % 3
        signals = data.Modality(x.astype(np.float32), y, np.arange(60), symmetry="none")
        return data.MultiModalData({"acc": signals}, ("sit", "walk", "run"))
    return data.load("scenes-dense:n=30,size=32" if kind == "masks" else "objects:n=66,size=16")


def trained(name, split, config, folder):
    """The result of a method, and of its teacher where it has one."""
    teacher = methods.get(name).teacher_method
    if teacher:
        fit(teacher, split, config, folder / "teacher", progress=False)
    there = folder / "teacher" if teacher else None
    return fit(name, split, config, folder / "run", teacher=there, progress=False)


def twice(name, split, config, folder):
    """The results of the same run on the CPU and there; all weights that learned are there."""
    here = trained(name, split, config, folder / "here")
    with simulated_gpu() as types:
        there = trained(name, split, config, folder / "there")
    assert types == {simulation.NAME}
    assert (here.machine["device"], there.machine["device"]) == (HERE, THERE)
    return here, there


class Forgetful(methods.Student):
    """A student whose loss has a weight for each class, on the CPU."""

    def cross_entropy(self, logits, labels):
        return nn.functional.cross_entropy(logits, labels, torch.ones(logits.shape[1]))


FIVE = {
    "discom": ("scenes", ALTERNATING),
    "agreed": ("scenes", replace(TINY, labelled=0.3)),
    "kdv2": ("scenes", TINY),
    "student": ("signals", replace(TINY, encoder="spectrum")),
    "crodino": ("masks", profile("tiny", dense=True, epochs=1)),
}


@pytest.mark.parametrize("name", FIVE)
def test_a_method_trains_there_to_the_scores_of_the_cpu(name, tmp_path):
    kind, config = FIVE[name]
    here, there = twice(name, images(kind).split(seed=0), config, tmp_path)
    assert here.scores == there.scores


@pytest.mark.slow
@pytest.mark.parametrize("name", methods.names())
def test_every_method_trains_there(name, tmp_path):
    method = methods.get(name)
    labelled = 0.3 if method.needs_unlabelled else 1.0
    config = profile("tiny", dense=method.dense, epochs=1, labelled=labelled)
    split = images("masks" if method.dense else "scenes").split(seed=0)
    here, there = twice(name, split, config, tmp_path)
    assert here.scores == there.scores


def test_a_method_that_forgets_the_device_fails_there_alone(tmp_path):
    split = images("scenes").split(seed=0)
    fit(Forgetful, split, TINY, tmp_path / "here", progress=False)
    with simulated_gpu(), pytest.raises(RuntimeError, match="same device"):
        fit(Forgetful, split, TINY, tmp_path / "there", progress=False)


def test_an_interrupted_run_goes_on_there(same_once_resumed):
    split = images("scenes").split(seed=0)
    with simulated_gpu() as types:
        config = replace(ALTERNATING, epochs=3)
        result, _ = same_once_resumed("discom", split, config, step=3)
    assert (types, result.machine["device"]) == ({simulation.NAME}, THERE)


def test_images_beyond_the_memory_budget_are_sent_batch_by_batch(tmp_path, monkeypatch):
    split, budget = images("scenes").split(seed=0), []
    whole, _ = twice("agreed", split, replace(TINY, labelled=0.3), tmp_path / "whole")
    monkeypatch.setattr(batches, "memory_budget", lambda place: budget.append(place.type) or 0)
    here, there = twice("agreed", split, replace(TINY, labelled=0.3), tmp_path / "parts")
    assert whole.scores == here.scores == there.scores
    assert {*budget} == {HERE, simulation.NAME}


def test_a_run_of_there_is_probed_and_exported(tmp_path, monkeypatch):
    """A finished run is read on the CPU, and embeds on the GPU if it is moved there."""
    split = images("scenes").split(seed=0)
    with simulated_gpu():
        fit("discom", split, TINY, tmp_path / "run", progress=False)
        network, _ = load_run(tmp_path / "run", split, epoch="last")
        here = embed_pairs(network, split.test)
        places, embed = set(), network.embed
        monkeypatch.setattr(
            network, "embed", lambda name, x: places.add(x.device.type) or embed(name, x)
        )
        there = embed_pairs(network.to(hardware.device()), split.test)
        assert places == {simulation.NAME}
        for part, views in there.parts.items():
            for name, z in views.items():
                np.testing.assert_allclose(z, here.parts[part][name], rtol=1e-5, atol=1e-6)
        assert 0 <= modality_probe(there.parts["inv"]) <= 100
        assert deployment.export(tmp_path / "run", split, "depth", tmp_path / "depth") < 1e-4
    session = deployment.load(tmp_path / "depth")[1]
    assert len(session.run(None, {"depth": split.test.modalities["depth"].x})) == 2


def test_both_sides_of_the_benchmark_train_there():
    few = speed.scenes(16, 16)
    config = replace(TINY, schedule="constant", batch_size=16, augment=0.0)
    sides = (speed.recipe, speed.ours)
    here = [side(few, config)[0] for side in sides]
    with simulated_gpu() as types:
        there = [side(few, config)[0] for side in sides]
    assert types == {simulation.NAME}
    assert there == pytest.approx(here, rel=1e-5)


@pytest.mark.slow
def test_advise_trains_there(tmp_path, monkeypatch, capsys):
    """In this process: on a GPU there is one worker."""
    monkeypatch.chdir(tmp_path)
    images("scenes").save("mine")
    words = "advise mine --steps 3 --folds 2 --seeds 2 --profile tiny"
    with simulated_gpu() as types:
        assert cli.main(words.split()) == 0
    assert types == {simulation.NAME}
    assert "train it with" in capsys.readouterr().out


def test_sweeps_have_one_worker_there(monkeypatch):
    """A second process would not have the GPU's memory to itself."""
    monkeypatch.setattr(sweep, "parallel_config", lambda backend, n_jobs, **_: jobs(n_jobs))
    counts = []

    def jobs(count):
        counts.append(count)
        return torch.no_grad()  # any context

    run = [lambda: ("folder", "")]
    [*sweep.spread(run)]
    with simulated_gpu():
        [*sweep.spread(run)]
    assert counts == [sweep.cpu_count(), 1]


def ones(*shape, place=None):
    return torch.ones(shape, device=place)


MIXED = {
    "a sum": lambda x: x + ones(3),
    "a layer of the CPU": lambda x: nn.Linear(3, 2)(x),
    "a target of the CPU": lambda x: nn.functional.cross_entropy(x[None], torch.tensor([1])),
    "an index of there into the CPU": lambda x: ones(3)[torch.zeros(1, dtype=int).to(x.device)],
    "stacking": lambda x: torch.stack([x, ones(3)]),
    "an assignment by a mask": lambda x: ones(3).index_put_((ones(3) > 0,), x),
    "NumPy": lambda x: x.numpy(),
    "an array": np.asarray,
    "a generator of the CPU": lambda x: torch.rand(3, device=x.device, generator=torch.Generator()),
    "float64": lambda x: x.double(),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_a_gpu_refuses_is_refused(name):
    with simulated_gpu():
        place = hardware.device()
        with pytest.raises((RuntimeError, TypeError)):
            MIXED[name](ones(3, place=place))
    MIXED[name](ones(3))  # nothing else is wrong with it


ALLOWED = {
    "a number": lambda x: x + 1,
    "a single number of the CPU": lambda x: x + torch.tensor(1.0),
    "an index of the CPU": lambda x: x[torch.tensor([0, 2])],
    "a mask of the CPU": lambda x: x[torch.tensor([True, False, True])],
    "a copy": lambda x: x.cpu() + ones(3),
    "an assignment of a slice": lambda x: ones(3)[:2].copy_(x[:2]),
    "a number in a text": lambda x: torch.tensor(float(f"{x.mean():.2f}")),
    "a network that moves": lambda x: nn.Linear(3, 2).to(x.device)(x),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_gpu_does_gives_the_numbers_of_the_cpu(name):
    torch.manual_seed(0)
    expected = ALLOWED[name](ones(3))
    with simulated_gpu():
        torch.manual_seed(0)
        found = ALLOWED[name](ones(3, place=hardware.device()))
        assert torch.equal(found.cpu(), expected)


def test_a_copy_is_another_tensor():
    """A device has memory of its own: what changes here stays as it was there."""
    with simulated_gpu():
        here = ones(3)
        there = here.to(hardware.device())
        here += 1
        back = there.cpu()
        there += 5
        assert (here.tolist(), there.tolist(), back.tolist()) == ([2] * 3, [6] * 3, [1] * 3)


def test_a_loss_of_float64_is_computed_where_there_is_float64():
    """Apple's GPU has none; `mlkd` compares confidences in it."""
    z = torch.eye(4) * torch.arange(4.0)
    with simulated_gpu():
        shares = confident_shares(z.to(hardware.device()))
        assert [share.device.type for share in shares] == [simulation.NAME] * 2
        assert [share.item() for share in shares] == [s.item() for s in confident_shares(z)]
