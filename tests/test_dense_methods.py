"""Methods of dense prediction by their equations, and what is theirs alone."""

from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from fixtures.methods import BANDS, CLASSES, batch_of, equal, make
from fixtures.refusal import refused
from safetensors.torch import load_file

from discom import crodino_kd, data, fit, methods, profile
from discom.data.augmentation import apply_d4, invert_d4
from discom.errors import ConfigError
from discom.losses import dense
from discom.methods import build, dense_prediction
from discom.running.loading import load_teacher
from discom.running.runs import Run, weights_file

TINY = profile("tiny", dense=True)
DENSE = methods.names(dense=True)
TAUGHT = [name for name in DENSE if methods.get(name).teacher_method]
OFF = dict.fromkeys(("aux", "orth", "contrast", "soft"), 0.0)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes-dense:n=40,size=16").split(seed=0)


@pytest.fixture(scope="module")
def single(split, tmp_path_factory):
    """The folder of a finished run of `single`, and its result."""
    folder = tmp_path_factory.mktemp("single")
    return folder, fit("single", split, TINY, folder, progress=False)


def test_a_run_of_single_teaches_its_own_sensors_with_the_best_weights_of_each(single, split):
    own, alone = (
        Run.of("runs", methods.get(name), split.train, TINY) for name in ("dense-self", "single")
    )
    assert own.teacher == alone  # the same run, trained once
    folder, _ = single
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


def test_each_encoder_of_the_teacher_has_a_head_of_its_own():
    """What the heads add to the loss, by hand; a teacher that trains one head alone is found."""
    model, batch = make("dense-teacher").eval(), batch_of("crodino")
    terms, parts = model(batch), []
    sensors = zip(batch.x.values(), model.model.networks, model.heads, strict=True)
    for x, encoder, head in sensors:
        coarse = F.conv2d(encoder.encode(x)[-1], head.weight, head.bias)
        answer = F.interpolate(coarse, (16, 16), mode="bilinear")
        parts.append(F.cross_entropy(answer, batch.y["rgb"]))
    torch.testing.assert_close(terms["deep"], sum(parts))
    assert not torch.isclose(terms["deep"], 2 * parts[0])
    assert make("dense-teacher", reads="rgb").branch("rgb").stride == 8  # it can be exported


@pytest.mark.parametrize("name", DENSE)
def test_dice_is_added_to_every_cross_entropy_with_labels(name, split, monkeypatch):
    """By terms whose cross-entropy is twice the Dice loss instead; terms without labels stay."""
    batch, model = batch_of(name), make(name).eval()

    def terms(weight):
        torch.manual_seed(0)  # of views that a method draws
        model.dice = weight
        return model(batch)

    plain, both = terms(0.0), terms(2.0)
    monkeypatch.setattr(dense, "cross_entropy", lambda z, y, w: 2 * dense.soft_dice(z, y))
    other = terms(0.0)
    for term in plain.keys() - {"tokens"}:  # which has a part without labels, too
        added = other[term] if term in ("cl", "aux", "deep") else 0
        torch.testing.assert_close(both[term], plain[term] + added)
    assert build(methods.get(name), split.train, replace(TINY, dice=0.5)).dice == 0.5


def test_crodino_without_its_terms_is_single_to_the_last_digit(single, split, tmp_path):
    folder, alone = single
    config = replace(TINY, options={"weights": OFF})
    plain = fit("crodino", split, config, tmp_path / "run", progress=False)
    assert (plain.scores, plain.parameters) == (alone.scores, alone.parameters)
    for m in BANDS:
        assert equal(*(load_file(weights_file(one, m)) for one in (tmp_path / "run", folder)))


def test_crodinos_terms_are_those_of_the_losses_and_each_can_be_alone():
    batch = batch_of("crodino")
    model = make("crodino").eval()
    upright, logits = {}, {}
    for m, x in batch.x.items():
        upright[m] = [invert_d4(one, batch.transform_ids[m]) for one in model.branches[m].encode(x)]
        logits[m] = model.branches[m](x)
    truth = invert_d4(batch.y["rgb"][:, None], batch.transform_ids["rgb"])[:, 0]
    last = {m: maps[-1] for m, maps in upright.items()}
    fused = model.auxiliary["rgb+depth"](crodino_kd.cross_halves(upright), (16, 16))[1]
    invariant = [crodino_kd.halves(one)[0] for one in last.values()]
    answers = {m: apply_d4(fused, batch.transform_ids[m]) for m in BANDS}
    expected = {
        "cl": sum(dense.cross_entropy(logits[m], batch.y[m]) for m in BANDS),
        "aux": dense.cross_entropy(fused, truth),
        "orth": crodino_kd.decorrelation(last),
        "contrast": dense.pixel_info_nce(*invariant, truth[:, 4::8, 4::8]),
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
    x = torch.cat(list(batch_of("crodino").x.values()), 1)
    maps = {
        m: model.branches[m].encode(part) for m, part in zip(BANDS, x.split([3, 1], 1), strict=True)
    }
    decoder = model.auxiliary["rgb+depth"]
    logits = [decoder(crodino_kd.cross_halves(maps, shift), (16, 16))[1] for shift in (0, 1)]
    torch.testing.assert_close(model.predict("rgb+depth", x), sum(logits) / 2)


@pytest.mark.parametrize("name", DENSE)
def test_images_of_any_size_unless_places_must_be_put_back(name):
    """37×50 pixels, of which no side is a multiple of 8."""
    whole = data.load("scenes-dense:n=12,size=52")
    cut = {m: replace(one, x=one.x[..., :37, :50]) for m, one in whole.modalities.items()}
    uneven = replace(whole, modalities=cut, masks=whole.masks[:, :37, :50])
    if name in ("crodino", "dense-simclr", "kdnet", "protokd"):
        refused(partial(build, methods.get(name), uneven, TINY), f"^{name}: ", ConfigError)
    else:
        assert build(methods.get(name), uneven, TINY).paired


def test_maskds_tokens_learn_from_their_own_task_and_not_from_the_mask():
    model = make("maskd")
    terms, options = model(batch_of("maskd")), {"retain_graph": True, "allow_unused": True}
    assert model.tokens.shape == (8, CLASSES)
    students = list(model.branches.parameters())
    assert torch.autograd.grad(terms["mask"], model.tokens, **options)[0] is None
    assert torch.autograd.grad(terms["tokens"], model.tokens, **options)[0].abs().max() > 0
    assert all(g is None for g in torch.autograd.grad(terms["tokens"], students, **options))


def test_dense_simclr_puts_places_back_before_it_compares_them(monkeypatch):
    """A network that averages squares of 4×4 pixels turns with its image, so a view that differs by
    its motion alone has the same places."""

    def pooled(x):
        means = F.avg_pool2d(x, 4)
        return means - means.mean((0, 2, 3), keepdim=True)

    batch, model = batch_of("dense-simclr"), make("dense-simclr", {"rgb": 3})
    monkeypatch.setattr(dense_prediction, "recolour", lambda x: x)
    model.projections["rgb"], one = torch.nn.Identity(), model.branches["rgb"]
    blank = torch.zeros(len(batch), CLASSES, 16, 16)
    monkeypatch.setattr(one, "encode", lambda x: [pooled(x)])
    monkeypatch.setattr(one.decoder, "forward", lambda maps, size: (None, blank))
    z, labels = pooled(batch.x["rgb"]), dense.place_labels(batch.y["rgb"], (4, 4))
    expected = dense.pixel_info_nce(z, z, labels)
    torch.testing.assert_close(model.loss(batch)["contrast"], expected)
    monkeypatch.setattr(dense_prediction, "invert_d4", lambda x, transform_ids: x)  # a wrong copy
    assert model.loss(batch)["contrast"] > 1.1 * expected


def test_single_2x_is_the_mean_of_two_networks():
    model, x = make("single-2x").eval(), torch.rand(2, 3, 16, 16)
    first, second = model.branches["rgb"].networks
    torch.testing.assert_close(model.predict("rgb", x), (first(x) + second(x)) / 2)
    assert not torch.equal(first(x), second(x))
