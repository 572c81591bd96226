"""Methods for few labels: their losses written out, their controls, and what they must not see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from discom import data, fit, methods, profile
from discom.data.augmentation import distort
from discom.data.batches import Batch
from discom.errors import ConfigError
from discom.losses.contrastive import barlow_twins, decur_cross, nt_xent
from discom.methods.baselines import IndependentNetworks
from discom.running.runs import read_predictions

BANDS, CLASSES, SIZE = {"rgb": 3, "depth": 1}, 3, 12
FEW = profile("tiny", epochs=4, batch_size=16, labelled=0.3, select="last")


def encoder(channels):
    return nn.Sequential(nn.Flatten(), nn.Linear(16 * channels, 32), nn.ReLU()), 32


def model_of(name, **options):
    given = {"threshold": 0.8, **options} if name in ("fixmatch", "agreed") else options
    torch.manual_seed(0)
    model = methods.get(name)(BANDS, CLASSES, encoder, **methods.get(name).options(given))
    with torch.no_grad():  # sure of some samples, not of all
        for branch in model.branches.values():
            branch.task.weight.mul_(12)
    return model


def pairs(progress=0.9, unlabelled=8):
    draw = torch.Generator().manual_seed(3)
    x = {m: torch.rand(SIZE, bands, 4, 4, generator=draw) for m, bands in BANDS.items()}
    y = torch.arange(SIZE) % CLASSES
    y[SIZE - unlabelled :] = -1
    return Batch(x, {m: y for m in BANDS}, progress=progress)


def outputs(model, batch):
    """Of every sensor the logits of images and views, and projections, views drawn as the loss
    draws them."""
    torch.manual_seed(7)
    logits, projected = {}, {}
    for name, x in batch.x.items():
        features = model.branches[name].features(torch.cat([x, distort(x)]))
        logits[name] = model.branches[name].task(features).chunk(2)
        if hasattr(model, "projections"):
            projected[name] = model.projections[name](features).chunk(2)
    return logits, projected


def loss_of(model, batch):
    torch.manual_seed(7)
    return model.loss(batch)


def learned(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    """Row by row: the cross-entropy where the class is likely enough, over all rows."""
    total = torch.zeros(())
    for row, view in zip(weak.detach().softmax(1), strong, strict=True):
        if row.max() >= threshold:
            total = total - view.log_softmax(0)[row.argmax()]
    return total / len(weak)


# ---------------------------------------------------------------- each loss written out


def test_fixmatch_learns_each_sensors_own_confident_labels():
    model, batch = model_of("fixmatch"), pairs()
    logits, _ = outputs(model, batch)
    terms = loss_of(model, batch)
    expected = {m: learned(weak, strong, 0.8) for m, (weak, strong) in logits.items()}
    torch.testing.assert_close(terms["pseudo"], sum(expected.values()))
    known = [F.cross_entropy(weak[:4], batch.y[m][:4]) for m, (weak, _) in logits.items()]
    torch.testing.assert_close(terms["cl"], sum(known))
    for m, (weak, _) in logits.items():
        sure = weak.softmax(1).max(1).values >= 0.8
        assert 0 < sure.sum() < SIZE
        assert terms[f"accepted/{m}"].item() == pytest.approx(sure.float().mean().item())
        counts = weak.argmax(1)[sure].bincount()
        assert terms[f"largest/{m}"].item() == pytest.approx(counts.max().item() / SIZE)


@pytest.mark.parametrize("strong", [True, False])
def test_agreed_labels_are_those_of_the_product(strong):
    model, batch = model_of("agreed", strong=strong), pairs()
    logits, projected = outputs(model, batch)
    terms = loss_of(model, batch)
    if strong:
        first = {m: weak for m, (weak, _) in logits.items()}
        second = {m: view for m, (_, view) in logits.items()}
    else:
        first = second = {m: model.predict(m, x) for m, x in batch.x.items()}
    product = first["rgb"].softmax(1) * first["depth"].softmax(1)
    together = (product / product.sum(1, keepdim=True)).log()
    expected = sum(learned(together, view, 0.8) for view in second.values())
    torch.testing.assert_close(terms["pseudo"], expected)
    own = sum(learned(first[m], second[m], 0.8) for m in BANDS)  # FixMatch's labels: a wrong copy
    assert not torch.isclose(terms["pseudo"], own)
    z = {m: weak for m, (weak, _) in projected.items()}
    torch.testing.assert_close(terms["contrast"], nt_xent(z["rgb"], z["depth"]))
    sure = together.exp().max(1).values >= 0.8
    assert terms["accepted"].item() == pytest.approx(sure.float().mean().item())


def test_no_gradient_of_a_pseudo_label_reaches_what_gives_it():
    """RGB's weak logits decide depth's label; depth's loss must not move RGB."""
    model, batch = model_of("agreed", weights={"cl": 0.0, "contrast": 0.0}), pairs()
    logits, _ = outputs(model, batch)
    together = sum(weak.log_softmax(1) for weak, _ in logits.values())
    loss = model.pseudo(together, logits["depth"][1], batch)
    loss.backward()
    moved = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert moved
    assert all("depth" in name for name in moved)


def test_decur_is_the_mean_of_its_three_losses():
    model, batch = model_of("decur"), pairs()
    _, z = outputs(model, batch)
    cross = decur_cross(z["rgb"][0], z["depth"][0], 48)
    expected = (barlow_twins(*z["rgb"]) + barlow_twins(*z["depth"]) + cross) / 3
    torch.testing.assert_close(loss_of(model, batch)["contrast"], expected)


@pytest.mark.parametrize("name", ["fixmatch", "agreed"])
def test_pseudo_labels_gain_weight_over_the_first_30_percent(name):
    model = model_of(name)
    full = loss_of(model, pairs(0.3))["pseudo"]
    assert full > 0
    for progress, share in ((0.0, 0.0), (0.15, 0.5), (0.9, 1.0)):
        torch.testing.assert_close(loss_of(model, pairs(progress))["pseudo"], share * full)


def test_with_shuffled_partners_no_image_meets_its_own_scene():
    """The contrast of shuffled partners is that of other pairs, exactly."""
    batch, bands = pairs(), {**BANDS, "thermal": 1}
    batch.x["thermal"], batch.y["thermal"] = batch.x["depth"].flip(0), batch.y["depth"]
    torch.manual_seed(0)
    model = methods.get("nt-xent")(bands, CLASSES, encoder, partners="shuffled")
    z = {m: model.projections[m](model.branches[m].features(x)) for m, x in batch.x.items()}
    rows = [z["rgb"], z["depth"].roll(1, 0), z["thermal"].roll(2, 0)]
    order = torch.arange(SIZE)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert not (order.roll(i) == order.roll(j)).any()
    expected = nt_xent(rows[0], rows[1]) + nt_xent(rows[0], rows[2]) + nt_xent(rows[1], rows[2])
    torch.testing.assert_close(model.loss(batch)["contrast"], expected)
    model.partners = "paired"
    assert not torch.isclose(model.loss(batch)["contrast"], expected)


# ---------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def split():
    return data.load("objects:n=110,size=8").split(seed=0)


@pytest.mark.parametrize("name", ["fixmatch", "agreed"])
def test_validation_labels_change_nothing_where_the_last_epoch_counts(name, split, tmp_path):
    """Neither weights nor test scores: nothing is chosen on them."""
    other = split.valid.labels.copy()
    other[:] = (other + 1 + np.arange(len(other))) % len(split.valid.classes)
    moved = {
        m: replace(v, y=other[split.valid.rows_of(m)]) for m, v in split.valid.modalities.items()
    }
    wrong = split._replace(valid=replace(split.valid, modalities=moved))
    assert (wrong.valid.labels != split.valid.labels).any()
    runs = {"a": (split, FEW), "b": (wrong, FEW)}
    results = {
        key: fit(name, given, config, tmp_path / key, progress=False)
        for key, (given, config) in runs.items()
    }
    tested = [
        {
            m: {k: v for k, v in scores.items() if k != "valid_f1"}
            for m, scores in run.scores.items()
        }
        for run in results.values()
    ]
    assert tested[0] == tested[1]
    assert results["a"].valid != results["b"].valid
    one, two = (read_predictions(tmp_path / key / "predictions.npz") for key in "ab")
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_what_is_logged_stands_beside_the_terms_and_is_not_minimised(split, tmp_path):
    class Chatty(methods.Student):
        logged = ("size",)

        def loss(self, batch):
            return {**super().loss(batch), "size": torch.tensor(1e9 * len(batch))}

    plain, chatty = (
        fit(method, split, FEW, tmp_path / method.name, progress=False)
        for method in (methods.Student, Chatty)
    )
    assert plain.scores == chatty.scores
    head = (tmp_path / "Chatty" / "metrics.csv").read_text().splitlines()[0]
    assert ",cl,size,loss," in head


class Undeclared(IndependentNetworks):
    """Returns a value that is neither a term nor logged."""

    def loss(self, batch):
        return {**super().loss(batch), "extra": torch.zeros(())}


class Missing(IndependentNetworks):
    """Declares a term that it does not return."""

    terms = {"cl": 1.0, "extra": 1.0}


@pytest.mark.parametrize("method", [Undeclared, Missing])
def test_a_loss_that_does_not_fit_its_declaration_is_one_line(method, split, tmp_path):
    with pytest.raises(ConfigError, match="declare and return 'extra', or do neither") as error:
        fit(method, split, FEW, tmp_path / "run", progress=False)
    assert "\n" not in str(error.value)


def test_a_threshold_that_accepts_every_sample_is_told():
    for name, classes in (("fixmatch", 2), ("agreed", 3)):
        with pytest.warns(UserWarning, match=rf"{name}: threshold 0\.\d accepts every sample"):
            methods.get(name)(BANDS, classes, encoder)


@pytest.mark.parametrize("name", ["fixmatch", "agreed"])
def test_where_every_sample_has_a_label_there_is_nothing_to_learn(name, split, tmp_path):
    with pytest.raises(ConfigError, match="every sample has a label; set labelled below 1"):
        fit(name, split, replace(FEW, labelled=1.0), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
