"""Each method of images by its equation: the numbers of official codes, and losses written out."""

import copy

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.methods import BANDS, COUNT, THREE, batch_of, encoder, equal, make, terms_of, total
from golden_values import golden
from torch import Tensor, nn

from discom import data, discom_kd, fit, methods, profile
from discom.data.augmentation import distort
from discom.data.batches import Batch
from discom.losses.contrastive import barlow_twins, contrastive_loss, decur_cross, nt_xent

# ---------------------------------------------------------------- totals of the official codes
# The stored logits take the place of the student's network; losses are float32, as in a training.


def assert_official(name, file, epoch, options, loss, expected, theta_gradient=None):
    """Of a method for one student at an epoch of 300: the total, the gradients of its logits of
    each view, and of CTKD's θ."""
    inputs = golden(file).inputs
    views = ("_weak", "_strong") if "student_logits_weak" in inputs else ("",)
    logits = [inputs[f"student_logits{view}"].float().requires_grad_() for view in views]
    model = methods.get(name)({"rgb": 3}, 7, encoder, **methods.get(name).options(options))
    model.predict = lambda modality, number: logits[number]  # "images" are the number of their view
    batches = []
    for number, view in enumerate(views):
        soft = inputs[f"teacher_logits{view}"].float()
        batches.append(Batch({"rgb": number}, {"rgb": inputs["targets"]}, soft))
        batches[-1].progress = epoch / 300
    batches[0].strong = batches[1] if model.needs_strong_view else None
    thetas = [p for key, p in model.named_parameters() if key.endswith("theta")]
    for parameter in thetas:
        nn.init.ones_(parameter)
    value = total(model, batches[0])
    value.backward()
    # at T = 16 float32 has few digits left
    torch.testing.assert_close(value.double(), loss, rtol=1e-4, atol=1e-6)
    for z, gradient in zip(logits, expected, strict=True):
        torch.testing.assert_close(z.grad.double(), gradient, rtol=1e-3, atol=1e-5)
    for theta in thetas:
        assert theta.grad.item() == pytest.approx(theta_gradient.item(), rel=1e-2, abs=1e-8)


COMPETITORS = golden("06c_discom_paper_competitors").outputs
NAMES = {"KD1": "kdv1", "KD2": "kdv2", "DKD": "dkd", "CTKD": "ctkd"}
COMPETITORS = {key: out for key, out in COMPETITORS.items() if key.split("_znorm")[0] in NAMES}


@pytest.mark.parametrize("key", COMPETITORS)
def test_options_give_what_the_discom_kd_authors_ran(key, monkeypatch):
    """Four of their competitors, without and with z-score (LSKD), at several epochs of 300. They
    count epochs of DKD and CTKD from 0, so that theirs is ours one later, and reverse CTKD's
    gradient in 5 epochs. With LSKD their weights and T = 4 are those without."""
    monkeypatch.setattr("discom.methods.distilled.REVERSED", 5)
    short, znorm, epoch = key.split("_")
    plain, expected = methods.get(NAMES[short]), COMPETITORS[key]
    published = {**plain.options(), "weights": plain.terms}
    name = plain.name + ("+lskd" if znorm == "znorm1" else "")
    number = int(epoch.removeprefix("epoch"))
    own = name, "06c_discom_paper_competitors", number - 1, published
    gradients = [expected["grad_student_logits"]]
    assert_official(*own, expected["loss"], gradients, expected.get("grad_theta"))


# MLKD's official weight of the term that is divided by (B / C)² here
SCALE = (len(golden("05_mlkd").inputs["targets"]) / 7) ** 2
# method, options, epoch of 300 from 0 on, file, where in it
OFFICIAL = [
    ("kdv2", {"weights": {"cl": 0.1, "kd": 0.9}}, 0, "01_kd_hinton", "combination"),
    ("dkd", {}, 0, "02_dkd", "epoch_1"),
    ("dkd", {}, 9, "02_dkd", "epoch_10"),
    ("dkd", {}, 24, "02_dkd", "epoch_25"),
    ("mlkd", {"weights": {"classes": 0.9 * SCALE}}, 0, "05_mlkd", ""),
    ("mlkd", {"class_term": "official"}, 0, "05_mlkd", ""),
    ("kdv2+lskd", {}, 0, "03b_lskd_kd", "combination"),
    ("dkd+lskd", {}, 9, "03c_lskd_dkd", "epoch_10"),
    ("mlkd+lskd", {"weights": {"classes": 9 * SCALE}}, 0, "03d_lskd_mlkd", ""),
    ("mlkd+lskd", {"class_term": "official"}, 0, "03d_lskd_mlkd", ""),
]


@pytest.mark.parametrize(("name", "options", "epoch", "file", "place"), OFFICIAL)
def test_defaults_are_those_of_the_official_code(name, options, epoch, file, place):
    out = golden(file).outputs
    out = out[place] if place else out
    views = ("weak", "strong") if name.startswith("mlkd") else ()
    gradients = [out[f"grad_student_logits_{view}"] for view in views]
    gradients = gradients or [out["grad_total_student_logits"]]
    loss = out.get("total", out.get("loss"))
    assert_official(name, file, epoch, options, loss, gradients)


@pytest.mark.parametrize("samples", [4, 32])
def test_mlkds_class_term_grows_with_the_batch_unless_it_is_scaled(samples):
    """A sure and right student of C = 2 classes, B / 2 samples of each; a teacher that is as sure
    of one class alone. Their matrices PᵀP are diagonal, B / 2 twice, and B and 0, so that each of
    the five temperatures adds (B² / 4 + B² / 4) / C = B² / 4, times the share of one half."""
    halves = torch.arange(samples) // (samples // 2)
    student = 1e4 * F.one_hot(halves, 2).float()
    teacher = 1e4 * F.one_hot(torch.zeros_like(halves), 2).float()
    for form, factor in {"official": 1.0, "scaled": (samples / 2) ** -2}.items():
        model = methods.get("mlkd")({"rgb": 3}, 2, encoder, class_term=form)
        terms = model.distil("rgb", None, (student, teacher), (student, teacher))
        expected = torch.tensor(5 * samples**2 / 4 * 0.5 * factor)
        torch.testing.assert_close(terms["classes"], expected)


@pytest.mark.parametrize("adversary", ["reversal", "alternating"])
def test_discoms_terms_are_those_of_the_losses_with_its_options(adversary):
    batch = batch_of("discom")
    model = make("discom", grl_lambda=0.25, adversary=adversary)
    z = {m: model.model.embed(m, x) for m, x in batch.x.items()}
    terms, heads = model(batch), model.model.heads
    inv, inf, irr = ({m: own[k] for m, own in z.items()} for k in range(3))
    adv, aux, aux_inf, mod_inf, mod_irr = (
        {m: head(own) for m, own in part.items()}
        for head, part in (
            (heads.adv, inv),
            (heads.aux, inv),
            (heads.aux, inf),
            (heads.mod_inf, inf),
            (heads.mod_irr, irr),
        )
    )
    task = {m: heads.task[m](torch.cat([inv[m], inf[m]], 1)) for m in z}
    expected = {
        "cl": discom_kd.task_loss(task, batch.y),
        "adv": discom_kd.adversarial_loss(adv),
        "mod": discom_kd.modality_loss(mod_inf, mod_irr),
        "aux": discom_kd.auxiliary_loss(aux, aux_inf, batch.y),
        "orth": discom_kd.orthogonality_loss(inv, inf, irr),
    }
    assert terms.keys() == expected.keys()
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value)
    assert not any("adv" in key for key in model.branch("rgb").state_dict())


def test_the_total_is_eq_7_with_the_weights_of_the_method():
    batch = batch_of("discom")
    model = make("discom", weights={"adv": 0.5, "orth": 0.0})
    terms = model.loss(batch)
    expected = terms["cl"] + 0.5 * terms["adv"] + terms["mod"] + terms["aux"]
    torch.testing.assert_close(model.total(batch), expected)
    model.total(batch).backward()  # a term without a weight moves no head
    assert model.model.heads.adv.weight.grad.any()


ALTERNATING = {"adversary": "alternating"}


def test_the_classifier_steps_before_the_encoders_and_leaves_them_no_gradient():
    """Its term is the cross-entropy of the classifier that has stepped, recomputed with a copy of
    it and Adam; the embeddings get -λ times its gradient."""
    model = make("discom", **ALTERNATING, grl_lambda=0.5)
    batch, adversary = batch_of("mdico"), model.model.heads.adv
    model.set_rate(0.01)
    head = copy.deepcopy(adversary)
    adam = torch.optim.Adam(head.parameters(), lr=0.03, betas=(0.5, 0.999))
    z = torch.cat([model.embed(m, x)["inv"] for m, x in batch.x.items()]).detach()
    sensor = torch.arange(2).repeat_interleave(8)
    for _ in range(5):
        adam.zero_grad()
        (2 * F.cross_entropy(head(z), sensor)).backward()
        adam.step()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    terms = model(batch)
    torch.testing.assert_close(terms["adv"], 2 * F.cross_entropy(head(z), sensor))
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key, _ in model.named_parameters() if ".adv." in key}
    assert all(parameter.grad is None for parameter in model.parameters())
    terms["adv"].backward()
    encoders = [*model.model.branches.parameters()]
    z = torch.cat([model.embed(m, x)["inv"] for m, x in batch.x.items()])
    other = torch.autograd.grad(2 * F.cross_entropy(head(z), sensor), encoders, allow_unused=True)
    for one, own in zip(other, encoders, strict=True):
        assert (one is None) == (own.grad is None)
        if one is not None:
            torch.testing.assert_close(own.grad, -0.5 * one)
    reached = {key for key, p in model.named_parameters() if p.grad is not None}
    assert reached
    assert all(".invariant." in key or ".project." in key for key in reached)
    stepped = copy.deepcopy(adversary).state_dict()
    model.eval()
    model(batch)  # no steps outside training
    assert equal(adversary.state_dict(), stepped)


def test_the_rate_of_the_classifier_follows_the_schedule(tmp_path, monkeypatch):
    method, rates = methods.get("discom"), []
    set_rate = method.set_rate
    monkeypatch.setattr(method, "set_rate", lambda self, r: (rates.append(r), set_rate(self, r)))
    config, split = profile("tiny", epochs=4, options=ALTERNATING), data.load("objects:n=66,size=8")
    fit("discom", split.split(seed=0), config, tmp_path, progress=False)
    logged = pd.read_csv(tmp_path / "metrics.csv")["learning_rate"]  # one step an epoch
    assert rates == pytest.approx([*logged])


def test_mdicos_terms_are_those_of_a_plain_computation():
    """One linear layer at a time."""
    model, batch = make("mdico"), batch_of("mdico")
    z, heads = {m: model.embed(m, x) for m, x in batch.x.items()}, model.model.heads
    cl = aux = mod = 0.0
    for number, (name, y) in enumerate(batch.y.items()):
        parts, sensor = z[name], torch.full_like(y, number)
        both = torch.cat([parts["inv"], parts["inf"]], dim=1)
        cl = cl + F.cross_entropy(heads.task[name](both), y) / 2
        for key in ("inv", "inf"):
            aux = aux + F.cross_entropy(heads.aux(parts[key]), y) / 2 / 2
        mod = mod + F.cross_entropy(heads.mod_inf(parts["inf"]), sensor) / 2 / 2
        mod = mod + F.cross_entropy(heads.mod_irr(parts["irr"]), sensor) / 2 / 2
    contrast = contrastive_loss({m: parts["inv"] for m, parts in z.items()})
    terms, expected = model(batch), {"cl": cl, "aux": aux, "mod": mod, "contrast": contrast}
    assert list(terms) == list(expected)
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value, msg=term)


def model_of(name, **options):
    given = {"threshold": 0.8, **options} if "threshold" in methods.get(name).options() else options
    model = make(name, **given).eval()  # views count for nobody else
    with torch.no_grad():  # sure of some samples, not of all
        for branch in model.branches.values():
            branch.task.weight.mul_(50)
    return model


def few_labels(progress=0.9):
    """Pairs, each brighter than the one before; the first four have a label."""
    batch = batch_of("agreed")
    light = torch.linspace(0.1, 1.5, COUNT)[:, None, None, None]
    batch.x, batch.progress = {m: light * x for m, x in batch.x.items()}, progress
    for y in batch.y.values():
        y[4:] = -1
    return batch


def outputs(model, batch):
    """Of every sensor the logits of images and views, and projections, views drawn as the loss
    draws them."""
    torch.manual_seed(0)
    logits, projected = {}, {}
    for name, x in batch.x.items():
        features = model.branches[name].features(torch.cat([x, distort(x)]))
        logits[name] = model.branches[name].task(features).chunk(2)
        if hasattr(model, "projections"):
            projected[name] = model.projections[name](features).chunk(2)
    return logits, projected


def learned(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    """Row by row: the cross-entropy where the class is likely enough, over all rows."""
    total = torch.zeros(())
    for row, view in zip(weak.detach().softmax(1), strong, strict=True):
        if row.max() >= threshold:
            total = total - view.log_softmax(0)[row.argmax()]
    return total / len(weak)


def test_fixmatch_learns_each_sensors_own_confident_labels():
    model, batch = model_of("fixmatch"), few_labels()
    logits, _ = outputs(model, batch)
    terms = terms_of(model, batch)
    expected = {m: learned(weak, strong, 0.8) for m, (weak, strong) in logits.items()}
    torch.testing.assert_close(terms["pseudo"], sum(expected.values()))
    known = [F.cross_entropy(weak[:4], batch.y[m][:4]) for m, (weak, _) in logits.items()]
    torch.testing.assert_close(terms["cl"], sum(known))
    for weak, _ in logits.values():
        sure = weak.softmax(1).max(1).values >= 0.8
        assert 0 < sure.sum() < COUNT


def test_fixmatch_with_simclr_never_meets_the_other_sensor():
    model, batch = model_of("fixmatch-simclr"), few_labels()
    logits, projected = outputs(model, batch)
    terms = terms_of(model, batch)
    expected = sum(learned(weak, strong, 0.8) for weak, strong in logits.values())
    torch.testing.assert_close(terms["pseudo"], expected)
    contrast = sum(nt_xent(*views) for views in projected.values())
    torch.testing.assert_close(terms["contrast"], contrast)
    crossed = nt_xent(projected["rgb"][0], projected["depth"][0])  # of `agreed`: a wrong copy
    assert not torch.isclose(terms["contrast"], crossed)
    known = [F.cross_entropy(weak[:4], batch.y[m][:4]) for m, (weak, _) in logits.items()]
    torch.testing.assert_close(terms["cl"], sum(known))


@pytest.mark.parametrize("strong", [True, False])
def test_agreed_labels_are_those_of_the_product(strong):
    model, batch = model_of("agreed", strong=strong), few_labels()
    logits, projected = outputs(model, batch)
    terms = terms_of(model, batch)
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


def test_decur_is_the_mean_of_its_three_losses():
    model, batch = model_of("decur"), few_labels()
    _, z = outputs(model, batch)
    cross = decur_cross(z["rgb"][0], z["depth"][0], 48)
    expected = (barlow_twins(*z["rgb"]) + barlow_twins(*z["depth"]) + cross) / 3
    torch.testing.assert_close(terms_of(model, batch)["contrast"], expected)


@pytest.mark.parametrize("name", ["fixmatch", "fixmatch-simclr", "agreed"])
def test_pseudo_labels_gain_weight_over_the_first_30_percent(name):
    model = model_of(name)
    full = terms_of(model, few_labels(0.3))["pseudo"]
    assert full > 0
    for progress, share in ((0.0, 0.0), (0.15, 0.5), (0.9, 1.0)):
        torch.testing.assert_close(terms_of(model, few_labels(progress))["pseudo"], share * full)


def test_with_shuffled_partners_no_image_meets_its_own_scene():
    """The contrast of shuffled partners is that of other pairs, exactly."""
    model = make("nt-xent", THREE, partners="shuffled")
    batch = batch_of("nt-xent", bands=THREE)
    z = {m: model.projections[m](model.branches[m].features(x)) for m, x in batch.x.items()}
    rows = [z["rgb"], z["depth"].roll(1, 0), z["sar"].roll(2, 0)]
    expected = nt_xent(rows[0], rows[1]) + nt_xent(rows[0], rows[2]) + nt_xent(rows[1], rows[2])
    torch.testing.assert_close(model.loss(batch)["contrast"], expected)
    model.partners = "paired"
    assert not torch.isclose(model.loss(batch)["contrast"], expected)
