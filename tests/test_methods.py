"""The registry, and what every method must do: learn a batch, keep modalities apart, put weights back."""

import csv

import pytest
import torch
from torch import nn

from discom import data, methods, profile
from discom.data import Batch
from discom.errors import ConfigError
from discom.losses import disentangle
from discom.training import fit

BANDS = {"rgb": 3, "depth": 1}
CLASSES = 3
TERMS = {
    "student": ("cl",),
    "student-2x": ("cl",),
    "discom-solo": ("cl", "aux", "orth"),
    "discom": ("cl", "adv", "mod", "aux", "orth"),
}
every_method = pytest.mark.parametrize("name", TERMS)


def encoder(channels):
    """A small network with BatchNorm, so that running statistics are part of the state."""
    layers = [nn.Conv2d(channels, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten()), 32


def make(name, bands=BANDS, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return methods.get(name)(bands, CLASSES, encoder, **options)


def draw_batch(seed=0, sizes=(6, 5), dtype=torch.float32, bands=BANDS):
    draw = torch.Generator().manual_seed(seed)
    x = {}
    for (m, channels), size in zip(bands.items(), sizes, strict=True):
        x[m] = torch.rand(size, channels, 8, 8, generator=draw, dtype=torch.float64).to(dtype)
    return Batch(x, {m: torch.randint(CLASSES, (len(x[m]),), generator=draw) for m in x})


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
    assert methods.names() == list(TERMS)
    assert [methods.get(name).name for name in TERMS] == list(TERMS)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'teacher' is unknown; choose student, student-2x, discom-solo, discom$"):
        methods.get("teacher")


def test_a_registered_method_is_found(monkeypatch):
    monkeypatch.setattr(methods, "_REGISTRY", dict(methods._REGISTRY))

    @methods.register("mine")
    class Mine(methods.Student):
        pass

    assert methods.get("mine") is Mine
    assert Mine.name == "mine"
    assert methods.names()[-1] == "mine"
    assert methods.get("student").name == "student"


@pytest.mark.parametrize(("call", "arguments"), [("loss", (None,)), ("predict", ("rgb", None)), ("branch", ("rgb",))])
def test_an_unfinished_method_says_what_it_lacks(call, arguments):
    class Empty(methods.Method):
        pass

    with pytest.raises(TypeError, match=rf"Empty must define {call}\("):
        getattr(Empty(BANDS, CLASSES, encoder, weights={}), call)(*arguments)


# ---------------------------------------------------------------- learning


@every_method
def test_terms(name):
    model = make(name)
    terms = model.loss(draw_batch())
    assert tuple(terms) == model.terms == TERMS[name]
    assert model.weights == dict.fromkeys(TERMS[name], 1.0)
    assert all(value.shape == () and value.isfinite() for value in terms.values())
    assert all(value.requires_grad for value in terms.values())


@every_method
@pytest.mark.parametrize("sizes", [(6, 6), (6, 3)])
def test_one_step_lowers_the_loss(name, sizes):
    model, batch = make(name), draw_batch(sizes=sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = step(model, batch, optimizer)
    assert total(model, batch).item() < before


@every_method
def test_learns_a_batch_by_heart(name):
    model, batch = make(name), draw_batch()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    first = model(batch)["cl"].item()
    for _ in range(60):
        step(model, batch, optimizer)
    assert model(batch)["cl"].item() < 0.05 * first
    for m, x in batch.x.items():
        assert (model.predict(m, x).argmax(1) == batch.y[m]).all()


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


def test_discoms_terms_are_those_of_the_loss_with_its_settings():
    batch = draw_batch()
    options = {"reduction": "released", "modality_targets": "released"}
    model = make("discom", grl_lambda=0.25, **options)
    z = {m: model.model.embed(m, x) for m, x in batch.x.items()}
    expected = disentangle.terms(z, model.model.heads, batch.y, **options)
    found = model(batch)
    assert {k: v.item() for k, v in found.items()} == pytest.approx({k: v.item() for k, v in expected.items()})
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


# ---------------------------------------------------------------- what passes between modalities


def move(name, batches, dtype=torch.float64, bands=BANDS, state=None):
    """A method after a step on each batch."""
    model = make(name, bands).to(dtype)
    if state is not None:
        model.load_state_dict(state)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for batch in batches:
        step(model, batch, optimizer)
    return model


def only(batch, modality):
    return Batch({modality: batch.x[modality]}, {modality: batch.y[modality]})


@pytest.mark.parametrize("name", ["student", "student-2x", "discom-solo"])
@pytest.mark.parametrize("modality", BANDS)
def test_trained_together_is_trained_alone(name, modality):
    batches = [draw_batch(seed, dtype=torch.float64) for seed in range(4)]
    start = make(name).double().state(modality)
    together = move(name, batches)
    alone = move(name, [only(b, modality) for b in batches], bands={modality: BANDS[modality]}, state=start)
    assert equal(together.state(modality), alone.state(modality))
    assert not equal(together.state(modality), start)


def private(model, modality):
    """Weights of a modality's own networks, without the heads that are shared."""
    return {k: v for k, v in model.state(modality).items() if modality in k.split(".")}


@every_method
def test_only_discom_learns_from_the_other_modality(name):
    batches = [draw_batch(seed, dtype=torch.float64) for seed in range(3)]
    others = [Batch({**b.x, "depth": 1 - b.x["depth"]}, b.y) for b in batches]
    one, two = move(name, batches), move(name, others)
    assert equal(private(one, "rgb"), private(two, "rgb")) == (name != "discom")
    assert not equal(private(one, "depth"), private(two, "depth"))


@every_method
def test_gradient_of_one_modality_given_the_weights(name):
    """In one step nothing passes between branches, not even in DisCoM-KD: what passes goes through the shared heads."""

    def gradients(batch):
        model = make(name).double()
        total(model, batch).backward()
        return {k: p.grad for k, p in model.named_parameters() if p.grad is not None}

    batch = draw_batch(dtype=torch.float64)
    one, two = gradients(batch), gradients(Batch({**batch.x, "depth": 1 - batch.x["depth"]}, batch.y))
    changed = {k for k in one if not torch.equal(one[k], two[k])}
    assert any("depth" in k for k in changed)
    assert not [k for k in changed if "rgb" in k]
    shared = {k for k in one if not set(BANDS) & set(k.split("."))}
    assert shared <= changed
    assert bool(shared) == (name == "discom")


# ---------------------------------------------------------------- state


@every_method
@pytest.mark.parametrize(("modality", "other"), [("rgb", "depth"), ("depth", "rgb")])
def test_state_goes_round(name, modality, other):
    model, batch = make(name), draw_batch()
    kept, whole = clone(model.state(modality)), clone(model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        step(model, batch, optimizer)
    after = clone(model.state_dict())
    model.load_state(modality, kept)
    assert equal(model.state(modality), kept)
    for key, value in model.state_dict().items():
        assert torch.equal(value, after[key] if other in key.split(".") else whole[key]), key


@every_method
def test_state_is_whole_and_holds_nothing_of_the_others(name):
    model = make(name)
    rgb, depth, whole = model.state("rgb"), model.state("depth"), model.state_dict()
    assert rgb.keys() | depth.keys() == whole.keys()
    shared = rgb.keys() & depth.keys()
    assert bool(shared) == (name == "discom")
    assert all(key.startswith("model.heads.") and "task" not in key for key in shared)
    assert not [key for key in rgb if "depth" in key]
    assert any("running_mean" in key for key in rgb)


@every_method
def test_state_gives_back_the_predictions(name):
    model, other = make(name), make(name, seed=1)
    x = draw_batch().x["depth"]
    model.train()(draw_batch())  # running statistics move
    model.eval()
    other.eval()
    assert not torch.equal(other.predict("depth", x), model.predict("depth", x))
    other.load_state("depth", model.state("depth"))
    assert torch.equal(other.predict("depth", x), model.predict("depth", x))


@every_method
def test_states_that_do_not_fit(name):
    model = make(name)
    state = model.state("rgb")
    lost = sorted(state)[3]
    with pytest.raises(RuntimeError, match=f"{name}/rgb: {lost} does not match"):
        model.load_state("rgb", {key: value for key, value in state.items() if key != lost})
    with pytest.raises(RuntimeError, match="does not match"):
        model.load_state("rgb", model.state("depth"))
    with pytest.raises(RuntimeError, match="left_over"):
        model.load_state("rgb", {**state, "left_over": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state("rgb", {**state, lost: torch.zeros(7, 7)})


@every_method
@pytest.mark.parametrize("modality", BANDS)
def test_branch_is_a_copy_that_predicts_the_same(name, modality):
    model, x = make(name), draw_batch().x[modality]
    model(draw_batch())
    model.eval()
    branch, expected = model.branch(modality), model.predict(modality, x)
    assert torch.equal(branch(x), expected)
    assert torch.equal(branch(x[:1]), model.predict(modality, x[:1]))
    assert not [
        key for key in branch.state_dict() if {"adv", "aux", "mod_inf", "mod_irr", *BANDS} & set(key.split("."))
    ]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(branch(x), expected)


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


@pytest.mark.parametrize("name", ["student", "student-2x", "discom-solo"])
def test_options_of_the_baselines(name):
    assert methods.get(name).options({}) == {"weights": dict.fromkeys(methods.get(name).terms, 1.0)}


def test_options_of_discom():
    defaults = {"grl_lambda": 1.0, "reduction": "paper", "modality_targets": "paper"}
    defaults["weights"] = dict.fromkeys(("cl", "adv", "mod", "aux", "orth"), 1.0)
    assert methods.get("discom").options({}) == defaults
    given = {"grl_lambda": 0.5, "weights": {"aux": 0}}
    full = {**defaults, "grl_lambda": 0.5, "weights": {**defaults["weights"], "aux": 0.0}}
    assert methods.get("discom").options(given) == full


@every_method
def test_unknown_option(name):
    with pytest.raises(ConfigError, match=rf"options: {name} has no 'temperature'; it has .*weights"):
        methods.get(name).options({"temperature": 4})


@every_method
def test_weight_of_an_unknown_term(name):
    with pytest.raises(ConfigError, match=f"weights: {name} has no term 'kd'; it has cl"):
        make(name, weights={"kd": 1.0})


@pytest.mark.parametrize("bands", [{}, {"rgb": 3}])
def test_discom_with_one_modality(bands):
    with pytest.raises(ConfigError, match=r"discom: needs two modalities or more, .*; try discom-solo"):
        make("discom", bands)


@pytest.mark.parametrize("option", ["reduction", "modality_targets"])
def test_discom_refuses_an_unknown_convention_before_training(option):
    with pytest.raises(ConfigError, match=f"^{option}: 'mean' is unknown; choose 'paper' or 'released'"):
        make("discom", **{option: "mean"})


@pytest.mark.parametrize("name", ["student", "student-2x", "discom-solo"])
def test_the_others_take_one_modality(name):
    batch = only(draw_batch(), "rgb")
    assert total(make(name, {"rgb": 3}), batch).isfinite()


@every_method
def test_three_modalities(name):
    bands = {"rgb": 3, "depth": 1, "sar": 2}
    model, batch = make(name, bands), draw_batch(sizes=(6, 5, 4), bands=bands)
    before = step(model, batch, torch.optim.SGD(model.parameters(), lr=1e-3))
    assert total(model, batch).item() < before
    assert model.predict("sar", batch.x["sar"]).shape == (4, CLASSES)


def test_a_weight_of_zero_switches_a_term_off(tmp_path):
    """Through fit(): the term is still reported, adds nothing to the loss, and its head stays as it was drawn."""
    split = data.load("scenes:n=60,size=8").split()

    def train(aux):
        config = profile("tiny", epochs=1, options={"weights": {"aux": aux, "adv": 2.0}})
        fit("discom", split, config, tmp_path / str(aux), progress=False)
        with open(tmp_path / str(aux) / "metrics.csv", newline="") as file:
            return {name: float(value) for name, value in next(csv.DictReader(file)).items()}

    off, on = train(0), train(1)
    for row, weight in ((off, 0), (on, 1)):
        assert row["aux"] > 0
        expected = row["cl"] + 2 * row["adv"] + row["mod"] + weight * row["aux"] + row["orth"]
        assert row["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_term_that_is_off_leaves_its_head_alone():
    for aux, moves in ((0.0, False), (1.0, True)):
        model, batch = make("discom", weights={"aux": aux}), draw_batch()
        terms = model(batch)
        sum(model.weights[term] * value for term, value in terms.items() if model.weights[term]).backward()
        assert (model.model.heads.aux.weight.grad is not None) == moves
        assert model.model.heads.adv.weight.grad is not None
