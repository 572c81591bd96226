"""DisCoM-KD with the alternating adversary, and MDiCo."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from discom import data, fit, methods, profile
from discom.data import Batch
from discom.errors import ConfigError
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


def gaussian_views(count, draw):
    """Two views of 4 shared and 4 own factors each; the class is the signs of two shared ones."""
    shared = torch.randn(count, 4, generator=draw)
    mixing = torch.Generator().manual_seed(9)
    x = {}
    for name in BANDS:
        factors = torch.cat([shared, torch.randn(count, 4, generator=draw)], dim=1)
        noise = 0.3 * torch.randn(count, 12, generator=draw)
        x[name] = (factors @ torch.randn(8, 12, generator=mixing) / 8**0.5 + noise)[..., None, None]
    y = (shared[:, 0] > 0) + 2 * (shared[:, 1] > 0)
    return Batch(x, dict.fromkeys(x, y))


def batch_of(count=16, seed=0):
    return gaussian_views(count, torch.Generator().manual_seed(seed))


def total(model, batch):
    return sum(model.weights[term] * value for term, value in model(batch).items())


# ---------------------------------------------------------------- the alternating adversary


def trained_on_gaussian_views(steps=160, peak=1e-2, **options):
    """After a training on the two views: accuracy in % of a fresh linear probe that reads the
    sensor from z_inv, and of the class."""
    model, draw = make("discom", **options), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), peak, weight_decay=0, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, steps + 1, cycle_momentum=False)
    for _ in range(steps):
        model.set_rate(schedule.get_last_lr()[0])
        loss = total(model, gaussian_views(128, draw))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    fitted, read = (gaussian_views(1000, draw) for _ in range(2))
    with torch.no_grad():
        z = [torch.cat([model.embed(m, b.x[m])["inv"] for m in BANDS]) for b in (fitted, read)]
        answers = torch.cat([model.predict(m, read.x[m]).argmax(1) for m in BANDS])
    sensor = np.arange(2).repeat(1000)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(z[0], sensor)
    right = (answers == torch.cat(list(read.y.values()))).float().mean().item()
    return 100 * probe.score(z[1], sensor), 100 * right


def test_the_alternating_adversary_hides_the_sensor_from_a_fresh_linear_probe():
    """Chance is 50 %. At this learning rate reversal does not hide it; both keep the class."""
    reversal, class_of_reversal = trained_on_gaussian_views()
    alternating, class_of_alternating = trained_on_gaussian_views(**ALTERNATING)
    assert reversal > 90
    assert alternating < 80
    assert min(class_of_reversal, class_of_alternating) > 75


@pytest.mark.parametrize("hidden", [0, 8])
def test_the_classifier_steps_before_the_encoders_and_leaves_them_no_gradient(hidden):
    model, batch = make("discom", **ALTERNATING, adversary_head=hidden), batch_of()
    model.set_rate(1e-3)
    optimizer = model.adversary_optimizer
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"]) == (pytest.approx(3e-3), (0.5, 0.999))
    assert {id(p) for p in group["params"]} == {id(p) for p in model.model.heads.adv.parameters()}
    before = {key: value.clone() for key, value in model.state_dict().items()}
    terms = model(batch)
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key, _ in model.named_parameters() if ".adv." in key}
    assert all(parameter.grad is None for parameter in model.parameters())
    assert {state["step"].item() for state in optimizer.state.values()} == {5}
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


def test_several_devices_are_refused(split, tmp_path):
    config = profile("tiny", devices=2, options=ALTERNATING)
    with pytest.raises(ConfigError, match=r"^devices: 2, but .*; use devices=1$"):
        fit("discom", split, config, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


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
        second = parts[model.irr_reads]
        mod = mod + F.cross_entropy(heads.mod_inf(parts["inf"]), sensor) / 2 / 2
        mod = mod + F.cross_entropy(heads.mod_irr(second), sensor) / 2 / 2
    contrast = contrastive_loss({m: parts["inv"] for m, parts in z.items()})
    return {"cl": cl, "aux": aux, "mod": mod, "contrast": contrast}


@pytest.mark.parametrize(("irr_reads", "other"), [("irr", "inv"), ("inv", "irr")])
def test_mdicos_terms_are_those_of_a_plain_computation(irr_reads, other):
    model, batch = make("mdico", irr_reads=irr_reads), batch_of()
    terms, expected = model(batch), plain_mdico(model, batch)
    assert list(terms) == list(expected)
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value, msg=term)
    wrong = make("mdico", irr_reads=other)(batch)
    assert {t for t, value in wrong.items() if not torch.isclose(value, terms[t])} == {"mod"}


def test_mdico_needs_pairs_for_its_contrast_alone():
    model, batch = make("mdico"), batch_of()
    before, order = model(batch), torch.arange(16).roll(1)
    batch.x["rgb"], batch.y["rgb"] = batch.x["rgb"][order], batch.y["rgb"][order]
    changed = {t for t, value in model(batch).items() if not torch.isclose(value, before[t])}
    assert changed == {"contrast"}
