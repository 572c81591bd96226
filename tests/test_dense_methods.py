"""Dense prediction: what each method trains, learns from, leaves behind and refuses."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from discom import data, fit, methods, profile
from discom.data.augmentation import restore, turn
from discom.data.batches import Batch, Batches, ModalityTensor
from discom.data.checks import NO_LABEL
from discom.errors import ConfigError
from discom.losses import crossing, dense
from discom.methods import build
from discom.methods import dense as dense_methods
from discom.models import network
from discom.running.runs import Run, load_teacher, weights_file

TINY = profile("tiny", dense=True)
DENSE = methods.names(dense=True)
TAUGHT = {
    name: methods.get(name).teacher_method.name
    for name in DENSE
    if methods.get(name).teacher_method
}
# every dense method, its terms and their weights, as in tests/test_methods.py
WEIGHTS = {name: dict(methods.get(name).terms) for name in DENSE}
BANDS = {"rgb": 3, "depth": 1}
CLASSES = 4
OFF = dict.fromkeys(("aux", "orth", "contrast", "soft"), 0.0)
every_method = pytest.mark.parametrize("name", WEIGHTS)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes-dense:n=40,size=16").split(seed=0)


@pytest.fixture(scope="module")
def finished(split, tmp_path_factory):
    """A function: method → the folder of its finished run and the result; each is trained once."""
    root, runs = tmp_path_factory.mktemp("runs"), {}

    def run(name):
        if name not in runs:
            teacher = {"teacher": run(TAUGHT[name])[0]} if name in TAUGHT else {}
            runs[name] = root / name, fit(name, split, TINY, root / name, progress=False, **teacher)
        return runs[name]

    return run


def make(name, bands=BANDS, width=8, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = partial(network, classes=CLASSES, width=width)
        return methods.get(name)(bands, CLASSES, networks, **options)


def draw_batch(name="single", size=(16, 16), count=4):
    """Pairs in views of their own, with the teacher's maps that the method copies, which require a
    gradient."""
    draw = torch.Generator().manual_seed(0)
    truth = torch.randint(CLASSES, (count, 1, size[0] // 4, size[1] // 4), generator=draw).float()
    truth = F.interpolate(truth, size, mode="nearest").long()
    views = {m: torch.randint(8, (count,), generator=draw) for m in BANDS}
    x, y, soft = {}, {}, {}
    coarse = [side // 8 for side in size]
    shapes = {"logits": (CLASSES, *size), "latent": (32, *coarse)}
    shapes["features"] = (8, *(4 * side for side in coarse))
    for m, bands in BANDS.items():
        x[m] = turn(torch.rand(count, bands, *size, generator=draw) + truth, views[m])
        y[m] = turn(truth, views[m])[:, 0]
        soft[m] = {}
        for one in getattr(methods.get(name), "copies", ()):
            soft[m][one] = torch.randn(count, *shapes[one], generator=draw).requires_grad_()
    return Batch(x, y, soft=soft, views=views)


def networks_of(name):
    if name == "dense-teacher":
        return ["rgb+depth"]
    return ["rgb", "depth", *["rgb+depth"] * (name == "crodino")]


def total(model, terms):
    return sum(model.weights[term] * value for term, value in terms.items())


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


@every_method
def test_what_a_method_is_every_term_counts_every_parameter_learns_and_steps_help(name):
    torch.manual_seed(0)
    method, model, batch = methods.get(name), make(name), draw_batch(name)
    own = methods.Single if name == "dense-self" else methods.DenseTeacher
    assert method.teacher_method is (own if name in TAUGHT else None)
    assert method.shared_augmentation == (name == "dense-teacher")
    assert make("crodino", augmentation="coupled").shared_augmentation
    assert model.paired  # a class for every pixel is a class of one scene
    if name in TAUGHT and name != "dense-self":
        assert make(name, teacher="rgb").deployed == ["depth"]
    terms = model(batch)
    assert list(terms) == list(WEIGHTS[name])
    assert all(v.shape == () and v.isfinite() and v.requires_grad for v in terms.values())
    total(model, terms).backward()
    dead = [k for k, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert dead == []
    assert all(maps.grad is None for soft in batch.soft.values() for maps in soft.values())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(12):
        optimizer.zero_grad()
        total(model, model(batch)).backward()
        optimizer.step()
    assert model(batch)["cl"].item() < 0.9 * terms["cl"].item()


@every_method
def test_class_weights_reach_every_cross_entropy_and_nothing_else(name):
    model, batch, found = make(name).eval(), draw_batch(name), []
    logits, labels = torch.randn(2, 4, 4, 4), torch.tensor([0, 1, 3, 255]).repeat(2, 4, 1)
    for weight in (None, torch.ones(4), torch.tensor([1.0, 0.2, 5.0, 2.0])):
        torch.manual_seed(0)  # of a distorted view
        model.class_weights = weight
        found.append(model.loss(batch))
        expected = F.cross_entropy(logits, labels, weight, ignore_index=255)
        torch.testing.assert_close(model.cross_entropy(logits, labels), expected)
    plain, ones, weighted = found
    torch.testing.assert_close(ones, plain)
    changed = {term for term in plain if not torch.isclose(plain[term], weighted[term])}
    assert changed == set(plain) & {"cl", "aux", "deep", "tokens"}


# ---------------------------------------------------------------- a run


@every_method
def test_a_run_reports_every_network_and_a_branch_needs_its_own_images_alone(finished, split, name):
    folder, result = finished(name)
    assert (result.metric, list(result.scores)) == ("miou", networks_of(name))
    table = pd.read_csv(folder / "metrics.csv")
    terms = {term: weight for term, weight in WEIGHTS[name].items() if weight}
    assert np.allclose(table["loss"], sum(w * table[term] for term, w in terms.items()), rtol=1e-4)
    config = replace(TINY, options=result.config["options"])
    model = build(methods.get(name), split.train, config).eval()
    with np.load(folder / "predictions.npz") as file:
        kept = dict(file)
    for deployed in networks_of(name):
        model.load_state(deployed, load_file(weights_file(folder, deployed)))
        images = ModalityTensor(split.test, deployed, "cpu", dense=True)
        x, branch = images[torch.arange(len(images))], model.branch(deployed)
        with torch.no_grad():
            logits = branch(x)
            assert torch.equal(logits, model.predict(deployed, x))
        assert np.array_equal(kept[f"{deployed}_predicted"], logits.argmax(1))
        assert result.parameters[deployed] == sum(p.numel() for p in branch.parameters())


def test_a_run_of_single_teaches_its_own_sensors_with_the_best_weights_of_each(finished, split):
    own, alone = (
        Run.of("runs", methods.get(name), split.train, TINY) for name in ("dense-self", "single")
    )
    assert own.teacher == alone  # the same run, trained once
    folder, _ = finished("single")
    teacher = load_teacher(folder, methods.get("dense-self"), split, TINY)
    for m in BANDS:
        assert equal(teacher.state(m), load_file(weights_file(folder, m)))


@pytest.mark.parametrize("name", TAUGHT)
def test_a_teacher_and_its_students_start_from_other_weights(name, split):
    method = methods.get(name)
    teacher, student = (build(k, split.train, TINY) for k in (method.teacher_method, method))
    fused = method.teacher_method is methods.DenseTeacher
    encoder = teacher.model.networks[0].encoder if fused else teacher.branches["rgb"].encoder
    first, second = (next(iter(k.parameters())) for k in (encoder, student.branches["rgb"].encoder))
    assert first.shape == second.shape
    assert not torch.equal(first, second)


def test_branches_have_the_same_parameters_whatever_they_learned_from():
    def counts(name):
        model = make(name)
        return {m: sum(p.numel() for p in model.branch(m).parameters()) for m in model.deployed}

    alone = counts("single")
    for name in ("crodino", *TAUGHT):
        assert {m: counts(name)[m] for m in alone} == alone
    assert counts("single-2x") == {m: 2 * count for m, count in alone.items()}
    decoder = sum(p.numel() for p in network(1, CLASSES, width=8).decoder.parameters())
    for name in ("crodino", "dense-teacher"):
        assert counts(name)["rgb+depth"] == sum(alone.values()) - decoder  # one for two


def test_a_run_that_was_cut_off_ends_with_the_same_numbers(split, same_once_resumed):
    """Crodino's loss draws places."""
    steps = len(Batches(split.train, TINY.batch_size, 0, pairing="paired", dense=True))
    same_once_resumed("crodino", split, TINY, steps + 1)


def test_each_encoder_of_the_teacher_has_a_head_of_its_own():
    """What the heads add to the loss, by hand; a teacher that trains one head alone is found."""
    model, batch = make("dense-teacher").eval(), draw_batch()
    terms, parts = model(batch), []
    sensors = zip(batch.x.values(), model.model.networks, model.heads, strict=True)
    for x, encoder, head in sensors:
        coarse = F.conv2d(encoder.encode(x)[-1], head.weight, head.bias)
        answer = F.interpolate(coarse, (16, 16), mode="bilinear")
        parts.append(F.cross_entropy(answer, batch.y["rgb"]))
    torch.testing.assert_close(terms["deep"], sum(parts))
    assert not torch.isclose(terms["deep"], 2 * parts[0])
    assert list(make("dense-teacher", weights={"deep": 0})(batch)) == ["cl"]
    assert make("dense-teacher", reads="rgb").branch("rgb").stride == 8  # it can be exported


# ---------------------------------------------------------------- crodino


def test_crodino_without_its_terms_is_single_to_the_last_digit(finished, split, tmp_path):
    folder, alone = finished("single")
    config = replace(TINY, options={"weights": OFF})
    plain = fit("crodino", split, config, tmp_path / "run", progress=False)
    assert (plain.scores, plain.parameters) == (alone.scores, alone.parameters)
    for m in BANDS:
        assert equal(*(load_file(weights_file(one, m)) for one in (tmp_path / "run", folder)))


def test_crodinos_terms_are_those_of_the_losses_and_each_can_be_alone():
    batch = draw_batch()
    model = make("crodino").eval()
    upright, logits = {}, {}
    for m, x in batch.x.items():
        upright[m] = [restore(one, batch.views[m]) for one in model.branches[m].encode(x)]
        logits[m] = model.branches[m](x)
    truth = restore(batch.y["rgb"][:, None], batch.views["rgb"])[:, 0]
    last = {m: maps[-1] for m, maps in upright.items()}
    fused = model.auxiliary["rgb+depth"](crossing.cross_halves(upright), (16, 16))[1]
    invariant = [crossing.halves(one)[0] for one in last.values()]
    answers = {m: turn(fused, batch.views[m]) for m in BANDS}
    expected = {
        "cl": sum(dense.cross_entropy(logits[m], batch.y[m]) for m in BANDS),
        "aux": dense.cross_entropy(fused, truth),
        "orth": crossing.place_separation(last),
        "contrast": crossing.place_contrast(*invariant, truth[:, 4::8, 4::8]),
        "soft": sum(dense.pixel_wise(logits[m], answers[m]) for m in BANDS),
    }
    terms = model(batch)
    assert list(terms) == list(expected)
    for term, value in terms.items():
        torch.testing.assert_close(value, expected[term])
    for on in ({"aux": 0.3}, {"orth": 1.0}, {"contrast": 1.0}, {"aux": 0.3, "soft": 0.5}):
        one = make("crodino", weights={**OFF, **on})
        # the auxiliary decoder is made last: the branches start from the same weights
        assert equal(one.state("rgb"), make("single").state("rgb"))
        assert list(one(batch)) == ["cl", *on]


def test_the_fused_network_is_the_mean_over_pairings():
    model = make("crodino").eval()
    x = torch.cat(list(draw_batch().x.values()), 1)
    maps = {
        m: model.branches[m].encode(part) for m, part in zip(BANDS, x.split([3, 1], 1), strict=True)
    }
    decoder = model.auxiliary["rgb+depth"]
    logits = [decoder(crossing.cross_halves(maps, shift), (16, 16))[1] for shift in (0, 1)]
    torch.testing.assert_close(model.predict("rgb+depth", x), sum(logits) / 2)


# ---------------------------------------------------------------- what is refused

BAD = [
    ("crodino", {"weights": {"aux": 0}}, "^weights: soft needs aux's decoder; raise aux"),
    ("crodino", {"augmentation": "apart"}, "^augmentation: 'apart' is unknown; choose decoupled"),
    ("dense-kdv2", {"temperature": 0.0}, "^temperature: 0.0 "),
    ("crodino", {"bands": {"rgb": 3}}, "^crodino: needs two modalities, .*; try single$"),
    ("kdnet", {"bands": {"rgb": 3}, "teacher": "rgb"}, "^teacher: 'rgb' is the only modality here"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_options_that_do_not_fit(name, options, message):
    with pytest.raises(ConfigError, match=message):
        make(name, **options)


def uneven():
    """Dense data of 37×50 pixels, of which no side is a multiple of 8."""
    scenes = data.load("scenes-dense:n=12,size=52")
    parts = scenes.modalities.items()
    cut = {m: replace(one, x=np.ascontiguousarray(one.x[..., :37, :50])) for m, one in parts}
    return replace(scenes, modalities=cut, masks=np.ascontiguousarray(scenes.masks[:, :37, :50]))


@pytest.mark.parametrize("name", DENSE)
def test_images_of_any_size_unless_places_must_be_put_back(name):
    if name in ("crodino", "dense-simclr", "kdnet", "protokd"):
        with pytest.raises(ConfigError, match=f"^{name}: images of 37×50 are not multiples .* 8; "):
            build(methods.get(name), uneven(), TINY)
    else:
        assert build(methods.get(name), uneven(), TINY).paired


# ---------------------------------------------------------------- what single competitors have


def test_maskds_tokens_learn_from_their_own_task_and_not_from_the_mask():
    model = make("maskd")
    terms, options = model(draw_batch("maskd")), {"retain_graph": True, "allow_unused": True}
    assert model.tokens.shape == (8, CLASSES)
    students = list(model.branches.parameters())
    assert torch.autograd.grad(terms["mask"], model.tokens, **options)[0] is None
    assert torch.autograd.grad(terms["tokens"], model.tokens, **options)[0].abs().max() > 0
    assert all(g is None for g in torch.autograd.grad(terms["tokens"], students, **options))


def test_protokd_reads_prototypes_of_labelled_images_alone():
    batch, model = draw_batch("protokd", count=6), make("protokd")
    few = Batch({}, {}, soft={}, views={})
    for m in BANDS:
        batch.y[m][2:] = NO_LABEL
        few.x[m], few.y[m], few.views[m] = batch.x[m][:2], batch.y[m][:2], batch.views[m][:2]
        few.soft[m] = {name: maps[:2] for name, maps in batch.soft[m].items()}
    model.eval()  # BatchNorm's statistics are those of no batch
    torch.testing.assert_close(model(batch)["proto"], model(few)["proto"])
    assert model(batch)["proto"] > 0


def test_dense_simclr_puts_places_back_before_it_compares_them(monkeypatch):
    """A network that averages squares of 8×8 pixels turns with its image, so a view that differs by
    its motion alone has the same places."""

    def pooled(x):
        means = F.avg_pool2d(x, 8)
        return means - means.mean((0, 2, 3), keepdim=True)

    batch, model = draw_batch(size=(32, 32)), make("dense-simclr", {"rgb": 3})
    monkeypatch.setattr(dense_methods, "recolour", lambda x: x)
    model.projections["rgb"], one = torch.nn.Identity(), model.branches["rgb"]
    blank = torch.zeros(len(batch), CLASSES, 32, 32)
    monkeypatch.setattr(one, "encode", lambda x: [pooled(x)])
    monkeypatch.setattr(one, "decode", lambda maps, size: (None, blank))
    z, labels = pooled(batch.x["rgb"]), crossing.place_labels(batch.y["rgb"], (4, 4))
    expected = crossing.place_contrast(z, z, labels)
    torch.testing.assert_close(model.loss(batch)["contrast"], expected)
    monkeypatch.setattr(dense_methods, "restore", lambda x, motions: x)  # a wrong copy
    assert model.loss(batch)["contrast"] > 1.1 * expected


def test_single_2x_is_the_mean_of_two_networks():
    model, x = make("single-2x").eval(), torch.rand(2, 3, 16, 16)
    first, second = model.branches["rgb"].networks
    torch.testing.assert_close(model.predict("rgb", x), (first(x) + second(x)) / 2)
    assert not torch.equal(first(x), second(x))
