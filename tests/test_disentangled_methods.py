"""DisCoM-KD with the alternating adversary, and MDiCo."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from discom import data, methods, profile
from discom.data.batches import Batch
from discom.losses.contrastive import contrastive_loss
from discom.running.runs import read_metrics

BANDS, CLASSES = {"rgb": 12, "depth": 12}, 4
ALTERNATING = {"adversary": "alternating"}


def encoder(channels):
    first = nn.Sequential(nn.Flatten(), nn.Linear(channels, 32), nn.BatchNorm1d(32), nn.ReLU())
    return nn.Sequential(*first, nn.Linear(32, 32)), 32


def make(name, bands=BANDS, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return methods.get(name)(bands, CLASSES, encoder, **options)


def batch_of(count=16):
    draw = torch.Generator().manual_seed(0)
    x = {name: torch.randn(count, 12, 1, 1, generator=draw) for name in BANDS}
    return Batch(x, dict.fromkeys(x, torch.arange(count) % CLASSES))


# ---------------------------------------------------------------- the alternating adversary


@pytest.mark.parametrize("hidden", [0, 8])
def test_the_classifier_steps_before_the_encoders_and_leaves_them_no_gradient(hidden):
    model, batch = make("discom", **ALTERNATING, adversary_head=hidden), batch_of()
    model.set_rate(1e-3)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    terms = model(batch)
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key, _ in model.named_parameters() if ".adv." in key}
    assert all(parameter.grad is None for parameter in model.parameters())
    terms["adv"].backward()
    reached = {key for key, p in model.named_parameters() if p.grad is not None}
    assert reached
    assert all(".invariant." in key or ".project." in key for key in reached)


def test_its_term_is_minus_the_cross_entropy_of_the_classifier_that_has_stepped():
    """Recomputed with a plain copy of the classifier and Adam."""
    model, batch = make("discom", **ALTERNATING, grl_lambda=0.5), batch_of()
    model.set_rate(0.01)
    head = nn.Linear(16, 2)
    head.load_state_dict(model.model.heads.adv.state_dict())
    adam = torch.optim.Adam(head.parameters(), lr=0.03, betas=(0.5, 0.999))
    z = torch.cat([model.embed(m, x)["inv"] for m, x in batch.x.items()])
    sensor = torch.arange(2).repeat_interleave(16)
    for _ in range(5):
        adam.zero_grad()
        (2 * F.cross_entropy(head(z.detach()), sensor)).backward()
        adam.step()
    expected = -0.5 * 2 * F.cross_entropy(head(z), sensor)
    torch.testing.assert_close(model(batch)["adv"], expected)
    model.eval()  # no steps outside training
    held = {key: value.clone() for key, value in model.model.heads.adv.state_dict().items()}
    model(batch)
    assert all(torch.equal(v, held[k]) for k, v in model.model.heads.adv.state_dict().items())


def test_other_networks_start_from_the_same_weights_whatever_its_head():
    plain = make("discom").state_dict()
    other = make("discom", **ALTERNATING, adversary_head=8).state_dict()
    same = [key for key in plain if ".adv." not in key]
    assert all(torch.equal(plain[key], other[key]) for key in same)
    shapes = [tuple(v.shape) for k, v in other.items() if ".adv." in k]
    assert shapes == [(8, 16), (8,), (2, 8), (2,)]


# ---------------------------------------------------------------- through fit


@pytest.fixture(scope="module")
def split():
    return data.load("scenes:n=66,size=16").split(seed=0)


def test_an_interrupted_run_ends_with_the_same_numbers(split, same_once_resumed, monkeypatch):
    """The rate of the classifier follows the schedule, and its Adam is part of the checkpoint."""
    method, rates = methods.get("discom"), []
    set_rate = method.set_rate
    monkeypatch.setattr(method, "set_rate", lambda self, r: (rates.append(r), set_rate(self, r)))
    config = profile("tiny", epochs=4, options={**ALTERNATING, "adversary_head": 8})
    folder = same_once_resumed("discom", split, config, 3)
    encoders = read_metrics(folder / "metrics.csv")["learning_rate"]  # one step an epoch
    assert rates[:4] == pytest.approx([*encoders])


# ---------------------------------------------------------------- MDiCo


def plain_mdico(model, batch):
    """Its terms, one linear layer at a time."""
    z, heads = {m: model.embed(m, x) for m, x in batch.x.items()}, model.model.heads
    cl = aux = mod = 0.0
    for number, (name, y) in enumerate(batch.y.items()):
        parts, sensor = z[name], torch.full_like(y, number)
        both = torch.cat([parts["inv"], parts["inf"]], dim=1)
        cl = cl + F.cross_entropy(heads.task[name](both), y) / 2
        for part in ("inv", "inf"):
            aux = aux + F.cross_entropy(heads.aux(parts[part]), y) / 2 / 2
        mod = mod + F.cross_entropy(heads.mod_inf(parts["inf"]), sensor) / 2 / 2
        mod = mod + F.cross_entropy(heads.mod_irr(parts["irr"]), sensor) / 2 / 2
    contrast = contrastive_loss({m: parts["inv"] for m, parts in z.items()})
    return {"cl": cl, "aux": aux, "mod": mod, "contrast": contrast}


def test_mdicos_terms_are_those_of_a_plain_computation():
    model, batch = make("mdico"), batch_of()
    terms, expected = model(batch), plain_mdico(model, batch)
    assert list(terms) == list(expected)
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value, msg=term)


def test_mdico_needs_pairs_for_its_contrast_alone():
    model, batch = make("mdico"), batch_of()
    before, order = model(batch), torch.arange(16).roll(1)
    batch.x["rgb"], batch.y["rgb"] = batch.x["rgb"][order], batch.y["rgb"][order]
    changed = {t for t, value in model(batch).items() if not torch.isclose(value, before[t])}
    assert changed == {"contrast"}
