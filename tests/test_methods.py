"""The registry, and what every method must do: learn a batch, keep networks apart, put weights
back, refuse errors."""

import csv
import json
import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from discom import data, methods, profile
from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import disentangle, multilevel
from discom.losses.distill import curriculum_lambda
from discom.methods import base
from discom.training import fit

GOLDEN = Path(__file__).parent / "golden"
BANDS = {"rgb": 3, "depth": 1}
CLASSES = 3
# every method in the order of tables, its terms and their weights
WEIGHTS = {
    "teacher": {"cl": 1},
    "student": {"cl": 1},
    "student-2x": {"cl": 1},
    "kdv1": {"cl": 0, "kd": 1},
    "kdv2": {"cl": 0.5, "kd": 0.5},
    "dkd": {"cl": 1, "tckd": 1, "nckd": 8},
    "ctkd": {"cl": 0.1, "kd": 0.9},
    "mlkd": {"cl": 0.1, "instance": 0.9, "batch": 0.9, "classes": 0.9},
    "kdv1+lskd": {"cl": 0, "kd": 9},
    "kdv2+lskd": {"cl": 0.1, "kd": 9},
    "dkd+lskd": {"cl": 1, "tckd": 9, "nckd": 72},
    "ctkd+lskd": {"cl": 0.1, "kd": 9},
    "mlkd+lskd": {"cl": 0.1, "instance": 9, "batch": 9, "classes": 9},
    "discom-solo": {"cl": 1, "aux": 1, "orth": 1},
    "discom": {"cl": 1, "adv": 1, "mod": 1, "aux": 1, "orth": 1, "irr": 0, "xcov": 0, "hsic": 0},
}
# of dense prediction, which has tests of its own
DENSE = [
    "dense-teacher",
    "single",
    "single-2x",
    "dense-kdv2",
    "kdnet",
    "protokd",
    "maskd",
    "cwd",
    "mgd",
    "crodino",
]
EXTRA = ("irr", "xcov", "hsic")  # terms that DisCoM-KD computes only when they count
TAUGHT = [name for name in WEIGHTS if name.startswith(("kd", "dkd", "ctkd", "mlkd"))]
every_method = pytest.mark.parametrize("name", WEIGHTS)
every_taught = pytest.mark.parametrize("name", TAUGHT)
several_networks = pytest.mark.parametrize("name", [name for name in WEIGHTS if name != "teacher"])


def encoder(channels):
    """A small network with BatchNorm, so that running statistics are part of the state."""
    layers = [
        nn.Conv2d(channels, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
    ]
    return nn.Sequential(*layers, nn.Flatten()), 32


def make(name, bands=BANDS, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return methods.get(name)(bands, CLASSES, encoder, **options)


def draw_batch(name="student", seed=0, sizes=None, dtype=torch.float32, bands=BANDS, strong=None):
    """What `fit` gives to a method: pairs for whoever needs them, with a teacher's logits, with
    strong views."""
    taught = name in TAUGHT
    paired = taught or name == "teacher"
    sizes = sizes or ((6,) * len(bands) if paired else range(6, 6 - len(bands), -1))
    draw = torch.Generator().manual_seed(seed)

    def images():
        return {
            m: torch.rand(size, channels, 8, 8, generator=draw, dtype=torch.float64).to(dtype)
            for (m, channels), size in zip(bands.items(), sizes, strict=True)
        }

    def soft():  # a teacher that is sure of its case, and right
        noise = torch.randn(sizes[0], CLASSES, generator=draw)
        return noise + 6 * F.one_hot(next(iter(y.values())), CLASSES) if taught else None

    x = images()
    y = {m: torch.randint(CLASSES, (len(x[m]),), generator=draw) for m in x}
    if paired:
        y = dict.fromkeys(x, torch.arange(sizes[0]) % CLASSES)
    batch = Batch(x, y, soft=soft())
    if name.startswith("mlkd") if strong is None else strong:
        batch.strong = Batch(images(), y, soft=soft())
    return batch


def changed(batch, modality):
    """The same batch with other images of one modality."""
    other = Batch({**batch.x, modality: 1 - batch.x[modality]}, batch.y, batch.epoch, batch.soft)
    other.strong = batch.strong and changed(batch.strong, modality)
    return other


def only(batch, modality):
    strong = batch.strong and only(batch.strong, modality)
    return Batch(
        {modality: batch.x[modality]},
        {modality: batch.y[modality]},
        batch.epoch,
        batch.soft,
        strong,
    )


def images_for(network, batch):
    """What a deployed network reads: "rgb+depth" the stacked bands of both."""
    return torch.cat([batch.x[m] for m in network.split("+")], dim=1)


def labels_for(network, batch):
    return batch.y[network.split("+")[0]]


def total(model, batch):
    return sum(model.weights[term] * value for term, value in model(batch).items())


def step(model, batch, optimizer):
    optimizer.zero_grad()
    loss = total(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def clone(state):
    return {key: value.clone() for key, value in state.items()}


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


# ---------------------------------------------------------------- registry


def test_names():
    assert methods.names() == [*WEIGHTS, *DENSE]
    assert methods.names(dense=False) == list(WEIGHTS)
    assert methods.names(dense=True) == DENSE
    assert [methods.get(name).name for name in WEIGHTS] == list(WEIGHTS)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        methods.get("tutor")
    assert (
        str(caught.value) == f"method: 'tutor' is unknown; choose {', '.join([*WEIGHTS, *DENSE])}"
    )


def test_a_registered_method_is_found(monkeypatch):
    monkeypatch.setattr(base, "_REGISTRY", dict(base._REGISTRY))

    @methods.register("mine")
    class Mine(methods.Student):
        pass

    assert methods.get("mine") is Mine
    assert Mine.name == "mine"
    assert methods.names()[-1] == "mine"
    assert methods.get("student").name == "student"


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_a_method_needs_is_known_before_it_is_built(name):
    method = methods.get(name)
    assert method.taught == (name in TAUGHT)
    assert method.paired == (name in TAUGHT)  # a teacher says it when it knows what it reads
    assert method.strong_view is False  # MLKD too, because its combinations differ


@pytest.mark.parametrize(
    ("call", "arguments"), [("loss", (None,)), ("predict", ("rgb", None)), ("branch", ("rgb",))]
)
def test_an_unfinished_method_says_what_it_lacks(call, arguments):
    class Empty(methods.Method):
        pass

    with pytest.raises(TypeError, match=rf"Empty must define {call}\("):
        getattr(Empty(BANDS, CLASSES, encoder, weights={}), call)(*arguments)


def test_an_unfinished_distillation_says_what_it_lacks():
    class Empty(methods.Distilled):
        pass

    with pytest.raises(TypeError, match=r"Empty must define distil\(modality, batch, logits\)"):
        Empty(BANDS, CLASSES, encoder)(draw_batch("kdv1"))


# ---------------------------------------------------------------- learning


@every_method
def test_terms(name):
    model = make(name)
    terms = model.loss(draw_batch(name))
    assert tuple(model.terms) == tuple(WEIGHTS[name])
    assert tuple(terms) == tuple(term for term in WEIGHTS[name] if term not in EXTRA)
    assert model.weights == model.terms == WEIGHTS[name]
    assert all(value.shape == () and value.isfinite() for value in terms.values())
    assert all(value.requires_grad for value in terms.values())


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        *((name, (6, 6)) for name in WEIGHTS),
        *((name, (6, 3)) for name in ("student", "discom-solo", "discom")),
    ],
)
def test_one_step_lowers_the_loss(name, sizes):
    model, batch = make(name), draw_batch(name, sizes=sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = step(model, batch, optimizer)
    assert total(model, batch).item() < before


@every_method
def test_learns_a_batch_by_heart(name):
    model, batch = make(name), draw_batch(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2 if name in TAUGHT else 1e-2)
    first = {term: value.item() for term, value in model(batch).items()}
    for _ in range(
        240 if name in ("dkd+lskd", "mlkd+lskd") else 60
    ):  # these two come to labels late
        step(model, batch, optimizer)
    last = {term: value.item() for term, value in model(batch).items()}
    for network in model.deployed:
        assert (
            model.predict(network, images_for(network, batch)).argmax(1)
            == labels_for(network, batch)
        ).all()
    if name in TAUGHT:
        assert all(
            last[term] < 0.3 * first[term] for term in last if model.weights[term] and term != "cl"
        )
    else:
        assert last["cl"] < 0.05 * first["cl"]


def test_adversary_gets_better_and_the_encoders_work_against_it():
    batch = draw_batch()
    for part, falls in (("heads.adv", True), ("invariant", False)):
        model = make("discom")
        chosen = [p for key, p in model.named_parameters() if part in key]
        optimizer = torch.optim.SGD(chosen, lr=1e-2)
        before = model(batch)["adv"]
        before.backward()
        optimizer.step()
        assert (model(batch)["adv"] < before) == falls


@pytest.mark.parametrize("name", ["ctkd", "ctkd+lskd"])
def test_the_temperature_of_ctkd_works_against_the_student(name):
    """A step on θ alone raises the loss; with a curriculum that has not begun it does nothing."""
    for epoch, first_epoch, rises in ((9, 1, True), (0, 0, False)):
        model, batch = make(name, first_epoch=first_epoch), draw_batch(name)
        batch.epoch = epoch
        assert [key for key, _ in model.named_parameters() if "theta" in key] == [
            "temperatures.rgb.theta",
            "temperatures.depth.theta",
        ]
        optimizer = torch.optim.SGD(model.temperatures.parameters(), lr=0.1)
        before = step(model, batch, optimizer)
        assert (total(model, batch).item() > before) == rises


def test_discoms_terms_are_those_of_the_loss_with_its_settings():
    batch = draw_batch()
    options = {"reduction": "released", "modality_targets": "released"}
    model = make("discom", grl_lambda=0.25, **options)
    z = {m: model.model.embed(m, x) for m, x in batch.x.items()}
    expected = disentangle.terms(z, model.model.heads, batch.y, **options)
    found = model(batch)
    assert {k: v.item() for k, v in found.items()} == pytest.approx(
        {k: v.item() for k, v in expected.items()}
    )
    assert found["cl"].item() != pytest.approx(make("discom")(batch)["cl"].item())

    def gradient(grl_lambda):
        model = make("discom", grl_lambda=grl_lambda, **options)
        model(batch)["adv"].backward()
        return model.model.branches["rgb"].project[0].weight.grad

    assert gradient(1.0).abs().max() > 0
    torch.testing.assert_close(gradient(0.25), 0.25 * gradient(1.0))


def test_solo_is_discoms_terms_of_one_modality_at_a_time():
    batch = draw_batch()
    model, found = make("discom-solo"), make("discom-solo")(batch)
    sums = dict.fromkeys(found, 0.0)
    for m, x in batch.x.items():
        z, heads, y = {m: model.models[m].embed(m, x)}, model.models[m].heads, {m: batch.y[m]}
        sums["cl"] += disentangle.task_loss(z, heads, y).item()
        sums["aux"] += disentangle.auxiliary_loss(z, heads, y).item()
        sums["orth"] += disentangle.orthogonality_loss(z).item()
    assert {k: v.item() for k, v in found.items()} == pytest.approx(sums)


# ---------------------------------------------------------------- the totals of the official codes
# The stored logits stand in the place of the student's network; the loss is taken in float32, as in
# a training.


def read_golden(file):
    held = json.loads((GOLDEN / f"{file}.json").read_text())
    inputs = {
        key: torch.tensor(value)
        for key, value in held["inputs"].items()
        if "logits" in key or key == "targets"
    }
    return inputs, held["outputs"]


def on_logits(name, inputs, epoch=0, theta=1.0, **options):
    """Total of a method for one student, the student's logits of each view, and CTKD's θ."""
    views = ("_weak", "_strong") if "student_logits_weak" in inputs else ("",)
    logits = [inputs[f"student_logits{view}"].clone().requires_grad_() for view in views]
    model = methods.get(name)({"rgb": 3}, 7, encoder, **methods.get(name).options(options))
    model.predict = lambda modality, number: logits[
        number
    ]  # a batch's "images" are the number of their view
    batches = [
        Batch({"rgb": number}, {"rgb": inputs["targets"]}, epoch, inputs[f"teacher_logits{view}"])
        for number, view in enumerate(views)
    ]
    batches[0].strong = batches[1] if model.strong_view else None
    thetas = [p for key, p in model.named_parameters() if key.endswith("theta")]
    for parameter in thetas:
        nn.init.constant_(parameter, theta)
    return total(model, batches[0]), logits, thetas


def assert_official(found, loss, gradients, theta_gradient=None):
    value, logits, thetas = found
    value.backward()
    torch.testing.assert_close(
        value.item(), loss, rtol=1e-4, atol=1e-6
    )  # at T = 16 float32 has few digits left
    for z, expected in zip(logits, gradients, strict=True):
        torch.testing.assert_close(z.grad, torch.tensor(expected), rtol=1e-3, atol=1e-5)
    for theta in thetas:
        assert theta.grad.item() == pytest.approx(theta_gradient, rel=1e-2, abs=1e-8)


_, PAPER = read_golden("06c_discom_paper_competitors")
PAPER = {key: value for key, value in PAPER.items() if "_znorm" in key}
PAPER_NAMES = {"KD1": "kdv1", "KD2": "kdv2", "DKD": "dkd", "MLKD": "mlkd", "CTKD": "ctkd"}


@pytest.mark.parametrize("key", PAPER)
def test_as_published_is_what_the_discom_kd_authors_ran(key):
    """Their five competitors, without and with z-score (LSKD), at several epochs, by `published`
    alone."""
    short, znorm, epoch = key.split("_")
    name = PAPER_NAMES[short] + ("+lskd" if znorm == "znorm1" else "")
    inputs, _ = read_golden("06c_discom_paper_competitors")
    expected = PAPER[key]
    found = on_logits(name, inputs, int(epoch.removeprefix("epoch")), **methods.get(name).published)
    assert_official(
        found, expected["loss"], [expected["grad_student_logits"]], expected.get("grad_theta")
    )


def test_every_published_competitor_was_compared():
    assert {key.split("_")[0] for key in PAPER} == set(PAPER_NAMES)
    assert len(PAPER) == 2 * (1 + 1 + 3 + 1 + 5)


# method, options, epoch from 0 on, file, where in it; the defaults are those of the official codes
HINTON = {
    "weights": {"cl": 0.1, "kd": 0.9}
}  # of the KD that DKD's code base holds; DisCoM-KD's are ½ and ½
OFFICIAL = [
    ("kdv2", HINTON, 0, "01_kd_hinton", "combination"),
    ("dkd", {}, 0, "02_dkd", "epoch_1"),
    ("dkd", {}, 9, "02_dkd", "epoch_10"),
    ("dkd", {}, 19, "02_dkd", "epoch_20"),
    ("dkd", {}, 24, "02_dkd", "epoch_25"),
    ("dkd", {"first_epoch": 0}, 0, "02_dkd", "epoch_0"),
    ("dkd", {"first_epoch": 0}, 10, "02_dkd", "epoch_10"),
    ("mlkd", {}, 0, "05_mlkd", ""),
    ("kdv2+lskd", {}, 0, "03b_lskd_kd", "combination"),
    ("dkd+lskd", {}, 0, "03c_lskd_dkd", "epoch_1"),
    ("dkd+lskd", {}, 9, "03c_lskd_dkd", "epoch_10"),
    ("mlkd+lskd", {}, 0, "03d_lskd_mlkd", ""),
]


@pytest.mark.parametrize(("name", "options", "epoch", "file", "place"), OFFICIAL)
def test_the_defaults_are_those_of_the_official_code(name, options, epoch, file, place):
    inputs, out = read_golden(file)
    out = out[place] if place else out
    if name.startswith("mlkd"):
        gradients = [out["grad_student_logits_weak"], out["grad_student_logits_strong"]]
    else:
        gradients = [out["grad_total_student_logits"]]
    assert_official(
        on_logits(name, inputs, epoch, **options), out.get("total", out.get("loss")), gradients
    )


CURRICULA = {"ctkd": "loop_kd_r0.1_a0.9_b0", "ctkd+lskd": "lskd_ctkd_logit_stand_r0.1_a9_b0"}


@pytest.mark.parametrize("name", CURRICULA)
def test_ctkds_curriculum_is_that_of_the_official_code(name):
    """Epoch 0 here is its epoch 1: λ begins at -0.024, and is -1 from its epoch 10 on."""
    inputs, out = read_golden("04_ctkd")
    epochs = {round(curriculum_lambda(number + 1, 10), 9): number for number in range(10)}
    compared = 0
    for entry in out[CURRICULA[name]]:
        if (epoch := epochs.get(round(entry["lambda_"], 9))) is not None:
            found = on_logits(name, inputs, epoch, entry["theta"])
            assert_official(
                found, entry["loss"], [entry["grad_student_logits"]], entry["grad_theta"]
            )
            compared += 1
    assert compared == {"ctkd": 9, "ctkd+lskd": 4}[name]


@pytest.mark.parametrize("name", ["dkd", "dkd+lskd"])
@pytest.mark.parametrize("first_epoch", [0, 1])
@pytest.mark.parametrize("epoch", [0, 10, 19, 20, 25])
def test_the_warm_up_of_dkd(name, first_epoch, epoch):
    model, batch = make(name, first_epoch=first_epoch), draw_batch(name)
    whole = make(name, warmup=1)(batch)
    batch.epoch = epoch
    found = model(batch)
    share = min((epoch + first_epoch) / 20, 1)
    assert found["cl"].item() == pytest.approx(whole["cl"].item())
    for term in ("tckd", "nckd"):
        assert found[term].item() == pytest.approx(share * whole[term].item())


# ---------------------------------------------------------------- what the taught ones compare


@every_taught
def test_a_student_for_every_modality_or_for_all_but_the_teachers(name):
    batch = draw_batch(name)
    both, one = make(name), make(name, teacher="rgb")
    assert (both.deployed, both.reads) == (["rgb", "depth"], ["rgb", "depth"])
    assert (one.deployed, one.reads) == (["depth"], ["rgb"])
    assert not [key for key in one.state_dict() if "rgb" in key]
    found = {term: value.item() for term, value in one(batch).items()}
    assert found == {term: value.item() for term, value in one(changed(batch, "rgb")).items()}
    assert found != {term: value.item() for term, value in one(changed(batch, "depth")).items()}


@every_taught
def test_the_terms_are_sums_over_students(name):
    """Both students start from the weights that each has on its own."""
    batch, both = draw_batch(name), make(name)
    sums = dict.fromkeys(both.terms, 0.0)
    for m in BANDS:
        alone = make(name, {m: BANDS[m]})
        alone.load_state(m, both.state(m))
        for term, value in alone(only(batch, m)).items():
            sums[term] += value.item()
    assert {term: value.item() for term, value in both(batch).items()} == pytest.approx(
        sums, rel=1e-5
    )


@every_taught
def test_nothing_flows_into_the_teachers_logits(name):
    model, batch = make(name), draw_batch(name)
    kept = batch.soft.clone()
    total(model, batch).backward()
    assert not batch.soft.requires_grad
    assert torch.equal(batch.soft, kept)
    batch.soft = -batch.soft
    before = model(draw_batch(name))
    differs = {term for term, value in model(batch).items() if value.item() != before[term].item()}
    assert differs == set(model.terms) - {"cl"}


@every_taught
def test_under_autocast_losses_keep_their_digits(name):
    model, batch, seen = make(name), draw_batch(name), []
    distil = model.distil

    def watched(modality, batch, *logits):
        seen.append((torch.is_autocast_enabled("cpu"), *(z.dtype for z in (*logits, batch.soft))))
        return distil(modality, batch, *logits)

    model.distil = watched
    with torch.autocast("cpu", torch.bfloat16):
        assert model.predict("rgb", batch.x["rgb"]).dtype == torch.bfloat16
        terms = model(batch)
    assert {value.dtype for value in terms.values()} == {torch.float32}
    assert len(seen) == 2
    assert set(seen) == {(False, *[torch.float32] * (2 + name.startswith("mlkd")))}


@every_taught
def test_lskd_standardises_what_is_compared_and_nothing_else(name):
    model, z = make(name), torch.tensor([[1.0, 2.0, 6.0]])
    found = model.compared(z)
    if not name.endswith("+lskd"):
        assert found is z
    else:
        torch.testing.assert_close(found, (z - 3) / math.sqrt(7))  # squares 4, 1, 9 over C - 1 = 2


@pytest.mark.parametrize("name", ["mlkd", "mlkd+lskd"])
@pytest.mark.parametrize("combination", multilevel.COMBINATIONS)
def test_mlkds_combinations(name, combination):
    strong = combination != "discom-paper"
    model, batch = (
        make(name, {"rgb": 3}, combination=combination),
        draw_batch(name, bands={"rgb": 3}, strong=strong),
    )
    assert model.strong_view == strong
    batches = [batch, batch.strong] if strong else [batch]
    views = [(model.predict("rgb", seen.x["rgb"]), seen.soft) for seen in batches]
    first, lskd = (2.0, True) if name == "mlkd+lskd" else (4.0, False)
    expected = {
        "official": lambda: multilevel.official(*views, (first, 3, 5, 2, 6), lskd),
        "all-terms": lambda: multilevel.all_terms(*views, (first, 3, 5, 2, 6), lskd),
        "discom-paper": lambda: multilevel.discom_paper(*views, (2, 3, 4, 5, 6), lskd),
    }[combination]()
    expected["cl"] = sum(F.cross_entropy(z, batch.y["rgb"]) for z, _ in views)
    found = model(batch)
    assert found.keys() == expected.keys()
    assert all(
        found[term].item() == pytest.approx(expected[term].item(), rel=1e-5) for term in found
    )


# ---------------------------------------------------------------- what passes between modalities


def train(name, batches, dtype=torch.float64, bands=BANDS, state=None):
    """A method after a step on each batch."""
    model = make(name, bands).to(dtype)
    if state is not None:
        model.load_state_dict(state)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for batch in batches:
        step(model, batch, optimizer)
    return model


@pytest.mark.parametrize("name", ["student", "student-2x", *TAUGHT, "discom-solo"])
@pytest.mark.parametrize("modality", BANDS)
def test_trained_together_is_trained_alone(name, modality):
    batches = [draw_batch(name, seed, dtype=torch.float64) for seed in range(4)]
    start = make(name).double().state(modality)
    together = train(name, batches)
    alone = train(
        name, [only(b, modality) for b in batches], bands={modality: BANDS[modality]}, state=start
    )
    assert equal(together.state(modality), alone.state(modality))
    assert not equal(together.state(modality), start)


def private(model, modality):
    """Weights of a modality's own networks, without the heads that are shared."""
    return {k: v for k, v in model.state(modality).items() if modality in k.split(".")}


@several_networks
def test_only_discom_learns_from_the_other_modality(name):
    """From its images, that is; what a teacher makes of them comes as a label."""
    batches = [draw_batch(name, seed, dtype=torch.float64) for seed in range(3)]
    one, two = train(name, batches), train(name, [changed(b, "depth") for b in batches])
    assert equal(private(one, "rgb"), private(two, "rgb")) == (name != "discom")
    assert not equal(private(one, "depth"), private(two, "depth"))


@several_networks
def test_gradient_of_one_modality_given_the_weights(name):
    """In one step nothing passes between branches, not even in DisCoM-KD: what passes goes through
    the shared heads."""

    def gradients(batch):
        model = make(name).double()
        total(model, batch).backward()
        return {k: p.grad for k, p in model.named_parameters() if p.grad is not None}

    batch = draw_batch(name, dtype=torch.float64)
    one, two = gradients(batch), gradients(changed(batch, "depth"))
    differ = {k for k in one if not torch.equal(one[k], two[k])}
    assert any("depth" in k for k in differ)
    assert not [k for k in differ if "rgb" in k]
    shared = {k for k in one if not set(BANDS) & set(k.split("."))}
    assert shared <= differ
    assert bool(shared) == (name == "discom")


def test_a_teacher_reads_all_modalities_or_the_one_it_is_told():
    batch = draw_batch("teacher")
    both, one = make("teacher"), make("teacher", reads="depth")
    assert (both.deployed, both.reads, both.paired) == (["rgb+depth"], ["rgb", "depth"], True)
    assert (one.deployed, one.reads, one.paired) == (["depth"], ["depth"], False)
    for m in BANDS:
        assert both(batch)["cl"].item() != both(changed(batch, m))["cl"].item()
    assert one(batch)["cl"].item() == one(changed(batch, "rgb"))["cl"].item()
    assert one(batch)["cl"].item() != one(changed(batch, "depth"))["cl"].item()
    only_one = make("teacher", {"rgb": 3})  # all there is
    assert (only_one.deployed, only_one.paired) == (["rgb"], False)


def test_a_teacher_of_one_modality_is_its_student():
    """Same layers, same initial weights: what a distillation adds is the soft labels."""
    batch = only(draw_batch(), "rgb")
    teacher, student = make("teacher", {"rgb": 3}), make("student", {"rgb": 3})
    assert torch.equal(teacher(batch)["cl"], student(batch)["cl"])


# ---------------------------------------------------------------- state


@several_networks
@pytest.mark.parametrize(("modality", "other"), [("rgb", "depth"), ("depth", "rgb")])
def test_state_goes_round(name, modality, other):
    model, batch = make(name), draw_batch(name)
    kept, whole = clone(model.state(modality)), clone(model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        step(model, batch, optimizer)
    after = clone(model.state_dict())
    model.load_state(modality, kept)
    assert equal(model.state(modality), kept)
    for key, value in model.state_dict().items():
        assert torch.equal(value, after[key] if other in key.split(".") else whole[key]), key


@several_networks
def test_state_is_whole_and_holds_nothing_of_the_others(name):
    model = make(name)
    rgb, depth, whole = model.state("rgb"), model.state("depth"), model.state_dict()
    assert rgb.keys() | depth.keys() == whole.keys()
    shared = rgb.keys() & depth.keys()
    assert bool(shared) == (name == "discom")
    assert all(key.startswith("model.heads.") and "task" not in key for key in shared)
    assert not [key for key in rgb if "depth" in key]
    assert any("running_mean" in key for key in rgb)
    assert any("theta" in key for key in rgb) == name.startswith("ctkd")


def test_the_state_of_a_teacher_is_all_of_it():
    model = make("teacher")
    assert equal(model.state("rgb+depth"), model.state_dict())


@every_method
def test_state_gives_back_the_predictions(name):
    model, other = make(name), make(name, seed=1)
    network, batch = model.deployed[-1], draw_batch(name)
    x = images_for(network, batch)
    model.train()(batch)  # running statistics move
    model.eval()
    other.eval()
    assert not torch.equal(other.predict(network, x), model.predict(network, x))
    other.load_state(network, model.state(network))
    assert torch.equal(other.predict(network, x), model.predict(network, x))


@every_method
def test_states_that_do_not_fit(name):
    model = make(name)
    network = model.deployed[0]
    state = model.state(network)
    lost = sorted(state)[3]
    with pytest.raises(RuntimeError, match="does not match") as caught:
        model.load_state(network, {key: value for key, value in state.items() if key != lost})
    assert str(caught.value) == f"weights of {name}/{network}: {lost} does not match the network"
    with pytest.raises(RuntimeError, match="left_over"):
        model.load_state(network, {**state, "left_over": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state(network, {**state, lost: torch.zeros(7, 7)})
    assert equal(model.state(network), state)


@several_networks
def test_the_state_of_another_network_does_not_fit(name):
    model = make(name)
    with pytest.raises(RuntimeError, match="does not match"):
        model.load_state("rgb", model.state("depth"))


@every_method
@pytest.mark.parametrize("place", [0, -1])
def test_branch_is_a_copy_that_predicts_the_same(name, place):
    model, batch = make(name), draw_batch(name)
    network = model.deployed[place]
    x = images_for(network, batch)
    model(batch)
    model.eval()
    branch, expected = model.branch(network), model.predict(network, x)
    assert torch.equal(branch(x), expected)
    assert torch.equal(branch(x[:1]), model.predict(network, x[:1]))
    foreign = {"adv", "aux", "mod_inf", "mod_irr", "theta", *BANDS} - set(network.split("+"))
    assert not [key for key in branch.state_dict() if foreign & set(key.split("."))]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(branch(x), expected)


@every_taught
def test_the_deployed_student_is_the_plain_student(name):
    """A distillation changes what is learned, not what is deployed."""
    shapes = [
        {k: v.shape for k, v in make(n).branch("rgb").state_dict().items()}
        for n in (name, "student")
    ]
    assert shapes[0] == shapes[1]


def test_student_2x_holds_two_encoders():
    once, twice = (make(name).branches["rgb"] for name in ("student", "student-2x"))
    assert (len(once.encoders), len(twice.encoders)) == (1, 2)
    assert (once.task.in_features, twice.task.in_features) == (32, 64)
    first, second = twice.encoders
    assert not torch.equal(first[0].weight, second[0].weight)
    weights = [sum(p.numel() for p in network.encoders.parameters()) for network in (once, twice)]
    assert weights[1] == 2 * weights[0]
    twice.eval()
    x = draw_batch().x["rgb"]
    expected = torch.cat([first(x), second(x)], 1) @ twice.task.weight.T + twice.task.bias
    torch.testing.assert_close(twice(x), expected)


# ---------------------------------------------------------------- options

OPTIONS = {  # all but the weights
    "student": {},
    "student-2x": {},
    "discom-solo": {"dimension": 0},
    "teacher": {"reads": "all"},
    "kdv1": {"teacher": "all", "temperature": 4.0},
    "kdv2": {"teacher": "all", "temperature": 4.0},
    "dkd": {"teacher": "all", "temperature": 4.0, "warmup": 20, "first_epoch": 1},
    "ctkd": {"teacher": "all", "loops": 10, "first_epoch": 1},
    "mlkd": {"teacher": "all", "temperature": 4.0, "combination": "official"},
    "kdv1+lskd": {"teacher": "all", "temperature": 2.0},
    "kdv2+lskd": {"teacher": "all", "temperature": 2.0},
    "dkd+lskd": {"teacher": "all", "temperature": 2.0, "warmup": 20, "first_epoch": 1},
    "ctkd+lskd": {"teacher": "all", "loops": 10, "first_epoch": 1},
    "mlkd+lskd": {"teacher": "all", "temperature": 2.0, "combination": "official"},
    "discom": {"grl_lambda": 1.0, "grl_warmup": 0, "dimension": 0, "pairing": "unpaired", "adversary": "reversal",
               "reduction": "paper", "modality_targets": "paper"},
}  # fmt: skip


@every_method
def test_options_and_their_defaults(name):
    found = methods.get(name).options({})
    assert found == {**OPTIONS[name], "weights": WEIGHTS[name]}
    assert all(type(weight) is float for weight in found["weights"].values())
    assert methods.get(name).options(found) == found


def test_options_that_are_given_are_filled_up():
    given = {"grl_lambda": 0.5, "weights": {"aux": 0}}
    full = {**OPTIONS["discom"], "grl_lambda": 0.5, "weights": {**WEIGHTS["discom"], "aux": 0.0}}
    assert methods.get("discom").options(given) == full
    found = methods.get("dkd+lskd").options({"temperature": 3, "weights": {"nckd": 8}})
    assert found == {
        **OPTIONS["dkd+lskd"],
        "temperature": 3.0,
        "weights": {"cl": 1, "tckd": 9, "nckd": 8},
    }


@every_method
def test_nothing_has_changed_when_every_default_is_written_out(name):
    method = methods.get(name)
    assert method.changed({}) == method.changed(method.options({})) == {}


CHANGED = [
    ("discom", {"pairing": "paired", "grl_lambda": 1}, {"pairing": "paired"}),
    ("discom", {"weights": {"adv": 1, "irr": 0, "hsic": 2}}, {"weights": {"hsic": 2.0}}),
    (
        "discom",
        {"weights": {"adv": 0}, "dimension": 16},
        {"dimension": 16, "weights": {"adv": 0.0}},
    ),
    ("kdv2", {"temperature": 2, "weights": {"kd": 0.5}}, {"temperature": 2.0}),
    ("dkd+lskd", {"weights": {"nckd": 8, "tckd": 9}}, {"weights": {"nckd": 8.0}}),
    ("mlkd", {"combination": "official"}, {}),
]


@pytest.mark.parametrize(("name", "given", "expected"), CHANGED)
def test_what_has_changed_is_what_is_not_the_default(name, given, expected):
    method = methods.get(name)
    assert method.changed(given) == method.changed(method.options(given)) == expected
    assert method.options(method.changed(given)) == method.options(
        given
    )  # and with the defaults it is all of it


def test_what_has_changed_must_be_an_option():
    with pytest.raises(ConfigError, match="student has no 'colour'"):
        methods.get("student").changed({"colour": 1})


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_pairing_is_an_option_of_discom(pairing):
    assert make("discom", pairing=pairing).paired == (pairing == "paired")
    assert make("discom").paired is False


@pytest.mark.parametrize("pairing", ["half", "", "Paired"])
def test_an_unknown_pairing(pairing):
    with pytest.raises(
        ConfigError, match=f"pairing: '{pairing}' is unknown; choose 'paired' or 'unpaired'"
    ):
        make("discom", pairing=pairing)


@pytest.mark.parametrize("method", ["discom", "discom-solo"])
@pytest.mark.parametrize("dimension", [1, 5, 40])
def test_a_dimension_that_is_given_is_that_of_every_part(dimension, method):
    model, batch = make(method, dimension=dimension), draw_batch()
    for name, x in batch.x.items():
        assert {key: z.shape for key, z in model.embed(name, x).items()} == dict.fromkeys(
            ("inv", "inf", "irr"), (len(x), dimension)
        )
    step(model, batch, torch.optim.SGD(model.parameters(), lr=1e-3))


@pytest.mark.parametrize("name", ["discom", "discom-solo"])
def test_embeddings_and_heads_make_the_prediction(name):
    model, batch = make(name).eval(), draw_batch()
    for modality, x in batch.x.items():
        z = model.embed(modality, x)
        logits = model.heads(modality).task[modality](torch.cat([z["inv"], z["inf"]], dim=1))
        torch.testing.assert_close(logits, model.predict(modality, x))
    same = model.heads("rgb") is model.heads("depth")
    assert same == (name == "discom")


@pytest.mark.parametrize("name", [name for name in WEIGHTS if not name.startswith("discom")])
def test_a_method_without_embeddings_says_so(name):
    with pytest.raises(
        ConfigError, match=rf"{re.escape(name)} has no embedding to look into; choose discom"
    ):
        make(name).embed("rgb", draw_batch().x["rgb"])


@every_method
def test_published_options_are_the_methods_own_and_build_it(name):
    method = methods.get(name)
    found = method.options(method.published)
    assert {**found, **method.published} == found | {
        "weights": method.published.get("weights", found["weights"])
    }
    make(name, **found)


def test_with_published_options_lskd_differs_from_its_method_by_the_standardisation_alone():
    for name in TAUGHT:
        if name.endswith("+lskd"):
            plain, lskd = methods.get(name.removesuffix("+lskd")), methods.get(name)
            ours, theirs = lskd.options(lskd.published), plain.options(plain.published)
            if "mlkd" in name:  # its temperatures are then 2 to 6, whatever this says
                assert (ours.pop("temperature"), theirs.pop("temperature")) == (2.0, 4.0)
            assert ours == theirs
            assert (lskd.standardized, plain.standardized) == (True, False)


@every_method
def test_unknown_option(name):
    known = ", ".join([*OPTIONS[name], "weights"])
    with pytest.raises(ConfigError) as caught:
        methods.get(name).options({"colour": 4})
    assert str(caught.value).startswith(f"options: {name} has no 'colour'; it has ")
    assert sorted(str(caught.value).partition("it has ")[2].split(", ")) == sorted(
        known.split(", ")
    )


@every_method
def test_weight_of_an_unknown_term(name):
    with pytest.raises(ConfigError) as caught:
        make(name, weights={"colour": 1.0})
    assert (
        str(caught.value)
        == f"weights: {name} has no term 'colour'; it has {', '.join(WEIGHTS[name])}"
    )


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("teacher", {"reads": 1}, "reads=1 is no str"),
        ("kdv1", {"teacher": None}, "teacher=None is no str"),
        ("kdv1", {"temperature": "hot"}, "temperature='hot' is no float"),
        ("kdv2+lskd", {"temperature": [4]}, r"temperature=\[4\] is no float"),
        ("dkd", {"warmup": 2.5}, "warmup=2.5 is no int"),
        ("dkd", {"first_epoch": "1"}, "first_epoch='1' is no int"),
        ("ctkd", {"loops": 5.0}, "loops=5.0 is no int"),
        ("mlkd", {"combination": 1}, "combination=1 is no str"),
        ("mlkd", {"weights": {"batch": "much"}}, "weights.batch='much' is no float"),
        ("student", {"weights": 1.0}, "weights=1.0 is no mapping"),
        ("discom", {"grl_lambda": None}, "grl_lambda=None is no float"),
    ],
)
def test_an_option_of_another_type(name, given, named):
    with pytest.raises(ConfigError, match=named):
        methods.get(name).options(given)


@pytest.mark.parametrize("name", [name for name in OPTIONS if "temperature" in OPTIONS[name]])
@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_that_is_not_positive(name, temperature):
    with pytest.raises(ConfigError, match=f"^temperature: {temperature} is no positive number"):
        make(name, **methods.get(name).options({"temperature": temperature}))


@pytest.mark.parametrize("name", ["dkd", "dkd+lskd", "ctkd", "ctkd+lskd"])
@pytest.mark.parametrize("epochs", [0, -3])
def test_a_warm_up_or_curriculum_without_epochs(name, epochs):
    option = "warmup" if name.startswith("dkd") else "loops"
    with pytest.raises(ConfigError, match=f"^{option}: {epochs} epochs"):
        make(name, **{option: epochs})


@pytest.mark.parametrize("name", ["mlkd", "mlkd+lskd"])
def test_an_unknown_combination(name):
    with pytest.raises(
        ConfigError,
        match=r"combination: 'paper' is unknown; choose official, all-terms, discom-paper$",
    ):
        make(name, combination="paper")


@pytest.mark.parametrize(
    ("name", "option"), [("teacher", "reads"), *((name, "teacher") for name in TAUGHT)]
)
def test_a_teacher_of_a_modality_that_is_not_there(name, option):
    with pytest.raises(ConfigError) as caught:
        make(name, **{option: "sonar"})
    assert (
        str(caught.value)
        == f"{option}: 'sonar' is no modality of this data; choose all, rgb, depth"
    )


@every_taught
def test_a_teacher_of_the_only_modality(name):
    with pytest.raises(
        ConfigError,
        match="teacher: 'rgb' is the only modality here, so no student is left; use 'all'",
    ):
        make(name, {"rgb": 3}, teacher="rgb")
    assert make(name, {"rgb": 3}).deployed == [
        "rgb"
    ]  # a student may learn from a teacher of its own kind


@pytest.mark.parametrize("bands", [{}, {"rgb": 3}])
def test_discom_with_one_modality(bands):
    with pytest.raises(
        ConfigError, match=r"discom: needs two modalities or more, .*; try discom-solo"
    ):
        make("discom", bands)


@pytest.mark.parametrize("option", ["reduction", "modality_targets"])
def test_discom_refuses_an_unknown_convention_before_training(option):
    with pytest.raises(
        ConfigError, match=f"^{option}: 'mean' is unknown; choose 'paper' or 'released'"
    ):
        make("discom", **{option: "mean"})


@every_method
def test_a_modality_with_a_name_that_torch_needs(name):
    with pytest.raises(
        ConfigError,
        match="modality 'training': torch uses this name for itself; rename the modality",
    ):
        make(name, {"rgb": 3, "training": 1})


@pytest.mark.parametrize("name", [name for name in WEIGHTS if name != "discom"])
def test_the_others_take_one_modality(name):
    batch = only(draw_batch(name), "rgb")
    assert total(make(name, {"rgb": 3}), batch).isfinite()


@every_method
def test_three_modalities(name):
    bands = {"rgb": 3, "depth": 1, "sar": 2}
    model, batch = make(name, bands), draw_batch(name, bands=bands)
    before = step(model, batch, torch.optim.SGD(model.parameters(), lr=1e-3))
    assert total(model, batch).item() < before
    for network in model.deployed:
        assert model.predict(network, images_for(network, batch)).shape == (
            len(labels_for(network, batch)),
            CLASSES,
        )
    assert len(model.deployed) == (1 if name == "teacher" else 3)


def test_two_students_beside_a_teacher_of_the_third():
    bands = {"rgb": 3, "depth": 1, "sar": 2}
    model, batch = make("kdv2", bands, teacher="depth"), draw_batch("kdv2", bands=bands)
    assert model.deployed == ["rgb", "sar"]
    assert total(model, batch).isfinite()


def test_a_weight_of_zero_switches_a_term_off(tmp_path):
    """Through fit(): the term is still reported, adds nothing to the loss, and its head stays as it
    was drawn."""
    split = data.load("scenes:n=60,size=8").split()

    def run(aux):
        config = profile("tiny", epochs=1, options={"weights": {"aux": aux, "adv": 2.0}})
        fit("discom", split, config, tmp_path / str(aux), progress=False)
        with open(tmp_path / str(aux) / "metrics.csv", newline="") as file:
            return {name: float(value) for name, value in next(csv.DictReader(file)).items()}

    off, on = run(0), run(1)
    for row, weight in ((off, 0), (on, 1)):
        assert row["aux"] > 0
        expected = row["cl"] + 2 * row["adv"] + row["mod"] + weight * row["aux"] + row["orth"]
        assert row["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_term_that_is_off_leaves_its_head_alone():
    for aux, moves in ((0.0, False), (1.0, True)):
        model, batch = make("discom", weights={"aux": aux}), draw_batch()
        terms = model(batch)
        sum(
            model.weights[term] * value for term, value in terms.items() if model.weights[term]
        ).backward()
        assert (model.model.heads.aux.weight.grad is not None) == moves
        assert model.model.heads.adv.weight.grad is not None


@pytest.mark.parametrize("name", ["kdv1", "kdv1+lskd"])
def test_kdv1_learns_nothing_from_labels(name):
    batch, other = draw_batch(name), draw_batch(name)
    other.y = {m: (y + 1) % CLASSES for m, y in other.y.items()}
    models = [make(name), make(name)]
    for model, seen in zip(models, (batch, other), strict=True):
        terms = model(seen)
        sum(
            model.weights[term] * value for term, value in terms.items() if model.weights[term]
        ).backward()
    for one, two in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(one.grad, two.grad)
