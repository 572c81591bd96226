"""Dense prediction from end to end: what each method trains, learns from, leaves behind, resumes
and refuses."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from discom import data, fit, methods, profile
from discom.data import Batch, Batches, Modality, MultiModalData
from discom.data.augmentation import restore, turn
from discom.data.batches import Images, paired_rows
from discom.errors import ConfigError, Interrupted, RunError
from discom.evaluation import SEGMENTATION, task_of
from discom.evaluation.dense import dense_scores
from discom.losses import crossing, dense
from discom.methods import build
from discom.models import network
from discom.runs import Result, weights_file
from discom.teaching import TeacherMaps, load_teacher

TINY = profile("tiny", dense=True)
DENSE = methods.names(dense=True)
TAUGHT = [name for name in DENSE if methods.get(name).taught]
# every dense method, its terms and their weights; "soft" is off unless asked for
WEIGHTS = {
    "dense-teacher": {"cl": 1},
    "single": {"cl": 1},
    "single-2x": {"cl": 1},
    "dense-kdv2": {"cl": 0.5, "kd": 0.5},
    "kdnet": {"cl": 0.5, "kd": 0.5, "latent": 1},
    "protokd": {"cl": 1, "kd": 10, "proto": 0.1},
    "maskd": {"cl": 1, "mask": 1, "tokens": 1},
    "cwd": {"cl": 1, "cwd": 3},
    "mgd": {"cl": 1, "mgd": 2e-5},
    "crodino": {"cl": 1, "aux": 0.3, "orth": 0.05, "contrast": 0.02, "soft": 0},
}
BANDS = {"rgb": 3, "depth": 1}
CLASSES = 4
every_method = pytest.mark.parametrize("name", WEIGHTS)


def options(**given):
    return replace(TINY, options=given)


@pytest.fixture(scope="module")
def split():
    return data.load("scenes-dense:n=60,size=32").split(seed=0)


@pytest.fixture(scope="module")
def teacher(split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher") / "0-teacher"
    fit("dense-teacher", split, TINY, folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def finished(split, teacher, tmp_path_factory):
    """A function: method → the folder of its finished run and the result; each is trained once."""
    root, held = tmp_path_factory.mktemp("runs"), {}

    def run(name):
        if name not in held:
            given = {"teacher": teacher} if name in TAUGHT else {}
            folder = root / name
            held[name] = folder, fit(name, split, TINY, folder, progress=False, **given)
        return held[name]

    return run


def make(name, bands=BANDS, seed=0, width=8, **given):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return methods.get(name)(
            bands, CLASSES, partial(network, classes=CLASSES, width=width), **given
        )


def draw_batch(bands=BANDS, size=(16, 16), count=4, seed=0, names=()):
    """Pairs in views of their own, with what a teacher says of them: `names` of its maps."""
    draw = torch.Generator().manual_seed(seed)
    truth = torch.randint(
        CLASSES, (count, 1, size[0] // 4 + 1, size[1] // 4 + 1), generator=draw
    ).float()
    truth = F.interpolate(truth, size, mode="nearest").long()
    views = {m: torch.randint(8, (count,), generator=draw) for m in bands}
    x = {
        m: turn(torch.rand(count, c, *size, generator=draw) + truth, views[m])
        for m, c in bands.items()
    }
    y = {m: turn(truth, views[m])[:, 0] for m in bands}
    cells = [-(-side // 8) for side in size]
    shapes = {
        "logits": (CLASSES, *size),
        "features": (8, *(4 * side for side in cells)),
        "latent": (32, *cells),
    }
    soft = {m: {k: torch.randn(count, *shapes[k], generator=draw) for k in names} for m in bands}
    return Batch(x, y, soft=soft, views=views)


def batch_for(name, **given):
    return draw_batch(names=getattr(methods.get(name), "copies", ()), **given)


def networks_of(name):
    return (
        ["rgb+depth"]
        if name == "dense-teacher"
        else ["rgb", "depth", *["rgb+depth"] * (name == "crodino")]
    )


def total(model, terms):
    return sum(model.weights[term] * value for term, value in terms.items())


def clone(state):
    return {key: value.clone() for key, value in state.items()}


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


# ---------------------------------------------------------------- what they are


def test_every_dense_method_stands_in_the_table_above():
    assert list(WEIGHTS) == DENSE
    assert TAUGHT == ["dense-kdv2", "kdnet", "protokd", "maskd", "cwd", "mgd"]


@every_method
def test_what_a_method_needs_is_known_before_it_is_built(name):
    method = methods.get(name)
    assert method.dense
    assert task_of(method) is SEGMENTATION
    assert method.teacher_method is (methods.DenseTeacher if name in TAUGHT else None)
    assert method.coupled == (name == "dense-teacher")
    assert make(name).paired  # a class for every pixel is a class of one scene
    assert make(name).deployed == networks_of(name)


@every_method
def test_terms(name):
    model = make(name)
    terms = model(batch_for(name))
    assert model.weights == model.terms == WEIGHTS[name]
    assert list(terms) == [term for term in WEIGHTS[name] if term != "soft"]
    assert all(
        value.shape == () and value.isfinite() and value.requires_grad for value in terms.values()
    )


@every_method
def test_a_few_steps_lower_the_loss(name):
    torch.manual_seed(0)
    model, batch = make(name), batch_for(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    found = []
    for _ in range(12):
        terms = model(batch)
        optimizer.zero_grad()
        total(model, terms).backward()
        optimizer.step()
        found.append(terms["cl"].item())
    assert found[-1] < 0.9 * found[0]


@every_method
def test_every_parameter_learns(name):
    torch.manual_seed(0)
    model = make(name)
    total(model, model(batch_for(name))).backward()
    assert [
        key for key, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0
    ] == []


@every_method
@pytest.mark.parametrize("count", [2, 3])
def test_a_network_in_training_mode_takes_every_batch(name, count):
    terms = make(name)(batch_for(name, count=count, size=(8, 16)))
    assert all(value.isfinite() for value in terms.values())


# ---------------------------------------------------------------- a run


@every_method
def test_a_run_reports_the_mean_iou_of_every_network(finished, split, name):
    folder, result = finished(name)
    assert Result.read(folder / "result.json") == result
    assert (result.metric, result.method, result.classes) == ("miou", name, CLASSES)
    assert list(result.scores) == networks_of(name)
    for scores in result.scores.values():
        ious = {key: value for key, value in scores.items() if key.startswith("iou/")}
        assert list(ious) == [f"iou/{c}" for c in split.test.classes]  # all four occur in 24 images
        assert set(scores) - set(ious) == {
            "miou",
            "miou_per_image",
            "accuracy",
            "valid_miou",
            "best_epoch",
        }
        assert scores["miou"] == pytest.approx(np.mean(list(ious.values())), abs=1e-4)
        assert all(0 <= scores[key] <= 100 for key in scores if key != "best_epoch")
    assert result.main == {deployed: scores["miou"] for deployed, scores in result.scores.items()}
    assert result.counts == {"train": 30, "valid": 6, "test": 24}
    assert not (folder / "state.pt").exists()


@every_method
def test_a_log_has_every_term_that_counts_and_the_validation_score(finished, name):
    folder, result = finished(name)
    table = pd.read_csv(folder / "metrics.csv")
    terms = {term: weight for term, weight in WEIGHTS[name].items() if weight}
    scored = [f"valid_miou/{deployed}" for deployed in networks_of(name)]
    assert list(table) == ["epoch", "seconds", "learning_rate", *terms, "loss", *scored]
    assert np.allclose(table["loss"], sum(w * table[term] for term, w in terms.items()), rtol=1e-4)
    for deployed, scores in result.scores.items():
        assert scores["best_epoch"] == table[f"valid_miou/{deployed}"].idxmax()
        assert scores["valid_miou"] == pytest.approx(table[f"valid_miou/{deployed}"].max())


@every_method
def test_the_exported_branch_needs_its_own_images_alone_and_gives_the_reported_scores(
    finished, split, name
):
    folder, result = finished(name)
    model = build(methods.get(name), split.train, options(**result.config["options"])).eval()
    with np.load(folder / "predictions.npz") as held:
        kept = dict(held)
    for deployed in networks_of(name):
        model.load_state(deployed, load_file(weights_file(folder, deployed)))
        images = Images(split.test, deployed, "cpu", dense=True)
        x = images[torch.arange(len(images))]
        branch = model.branch(deployed)
        with torch.no_grad():
            logits = branch(x)  # a network of images: nothing else is handed to it
            assert torch.equal(logits, model.predict(deployed, x))
        assert logits.shape == (24, CLASSES, 32, 32)
        assert np.array_equal(kept[f"{deployed}_predicted"], logits.argmax(1))
        assert kept[f"{deployed}_predicted"].dtype == kept[f"{deployed}_labels"].dtype == np.uint8
        assert np.array_equal(kept[f"{deployed}_labels"], split.test.masks)
        assert kept[f"{deployed}_ids"].tolist() == split.test.ids.tolist()
        expected = dense_scores(logits.argmax(1), images.truth(), split.test.classes)
        assert {k: result.scores[deployed][k] for k in expected} == pytest.approx(
            expected, abs=1e-4
        )
        assert result.parameters[deployed] == sum(p.numel() for p in branch.parameters())


def test_a_branch_of_one_modality_has_the_same_parameters_whatever_it_learned_from(finished):
    alone = finished("single")[1].parameters
    for name in ("crodino", *TAUGHT):
        found = finished(name)[1].parameters
        assert {m: found[m] for m in alone} == alone
    assert finished("single-2x")[1].parameters == {m: 2 * count for m, count in alone.items()}
    decoder = sum(p.numel() for p in network(1, CLASSES, width=8).decoder.parameters())
    assert (
        finished("crodino")[1].parameters["rgb+depth"] == sum(alone.values()) - decoder
    )  # one for two
    assert finished("dense-teacher")[1].parameters["rgb+depth"] == sum(alone.values()) - decoder


@pytest.mark.parametrize("name", ["single", "maskd", "crodino"])
def test_an_odd_number_of_training_images_trains(teacher, name, tmp_path):
    """17 at a batch of 8: a batch of one sample BatchNorm would refuse."""
    whole = data.load("scenes-dense:n=34,size=32").split(seed=0)
    assert len(whole.train) == 17
    config = replace(TINY, epochs=1)
    fit("dense-teacher", whole, config, tmp_path / "teacher", progress=False)
    given = {"teacher": tmp_path / "teacher"} if name in TAUGHT else {}
    assert fit(name, whole, config, tmp_path / "run", progress=False, **given).metric == "miou"


# ---------------------------------------------------------------- interrupted


@pytest.mark.parametrize("name", ["crodino", "mgd"])
def test_a_run_that_was_cut_off_ends_with_the_same_numbers(
    finished, split, teacher, tmp_path, monkeypatch, name
):
    whole_folder, whole = finished(name)
    given = {"teacher": teacher} if name in TAUGHT else {}
    original, calls = methods.get(name).loss, []

    def stop(self, batch):
        calls.append(batch.epoch)
        if batch.epoch == 1:
            raise KeyboardInterrupt
        return original(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(methods.get(name), "loss", stop)
        with pytest.raises(Interrupted, match="goes on"):
            fit(name, split, TINY, tmp_path / "run", progress=False, **given)
    cut = fit(name, split, TINY, tmp_path / "run", progress=False, **given)
    assert calls.count(0) == 4  # the first epoch was trained once
    assert (cut.scores, cut.config, cut.teacher) == (whole.scores, whole.config, whole.teacher)
    folders = (whole_folder, tmp_path / "run")
    pd.testing.assert_frame_equal(
        *(pd.read_csv(f / "metrics.csv").drop(columns="seconds") for f in folders)
    )
    for deployed in networks_of(name):
        assert equal(*(load_file(weights_file(folder, deployed)) for folder in folders))


# ---------------------------------------------------------------- crodino

OFF = dict.fromkeys(("aux", "orth", "contrast"), 0.0)


def test_crodino_without_its_terms_is_single_to_the_last_digit(finished, split, tmp_path):
    _, alone = finished("single")
    plain = fit("crodino", split, options(weights=OFF), tmp_path / "run", progress=False)
    assert plain.scores == alone.scores
    assert plain.parameters == alone.parameters
    for m in ("rgb", "depth"):
        ours, theirs = (
            load_file(weights_file(folder, m))
            for folder in (tmp_path / "run", finished("single")[0])
        )
        assert equal(ours, theirs)


@pytest.mark.parametrize("term", ["aux", "orth", "contrast", "soft"])
def test_each_term_shows_when_it_is_on(term):
    batch = draw_batch()
    on = {"aux": 0.3, "soft": 0.5} if term == "soft" else {term: 0.5}
    found = make("crodino", weights={**OFF, **on})(batch)
    assert list(found) == ["cl", *on]
    assert term not in make("crodino", weights={**OFF, "aux": 0.3 * (term != "aux")})(batch)


def test_a_term_leaves_the_others_as_they_are():
    """The auxiliary decoder is made last: the branches start from the same weights with and without
    it."""
    batch, plain = draw_batch(), make("crodino", weights=OFF)
    whole = make("crodino", weights={"soft": 0.5})
    for key, value in plain.state_dict().items():
        assert torch.equal(value, whole.state_dict()[key])
    assert whole(batch)["cl"].item() == plain(batch)["cl"].item()
    assert equal(plain.state_dict(), {k: whole.state_dict()[k] for k in plain.state_dict()})


def test_the_terms_are_those_of_the_losses():
    model, batch = make("crodino", weights={"soft": 0.5}).eval(), draw_batch()
    upright = {
        m: [restore(one, batch.views[m]) for one in model.branches[m].encode(x)]
        for m, x in batch.x.items()
    }
    logits = {m: model.branches[m](x) for m, x in batch.x.items()}
    truth = restore(batch.y["rgb"][:, None], batch.views["rgb"])[:, 0]
    assert torch.equal(truth, restore(batch.y["depth"][:, None], batch.views["depth"])[:, 0])
    last = {m: held[-1] for m, held in upright.items()}
    fused = model.auxiliary["rgb+depth"](crossing.cross_halves(upright), (16, 16))[1]
    invariant = [crossing.halves(held)[0] for held in last.values()]
    expected = {
        "cl": sum(dense.cross_entropy(logits[m], batch.y[m]) for m in BANDS),
        "aux": dense.cross_entropy(fused, truth),
        "orth": crossing.place_separation(last),
        "contrast": crossing.place_contrast(*invariant, truth[:, 4::8, 4::8]),
        "soft": sum(dense.pixel_wise(logits[m], turn(fused, batch.views[m])) for m in BANDS),
    }
    for term, value in model(batch).items():
        assert value.item() == pytest.approx(expected[term].item(), rel=1e-5), term


def test_no_gradient_of_the_soft_labels_reaches_the_auxiliary_decoder():
    model = make("crodino", weights={"soft": 0.5})
    model(draw_batch())["soft"].backward()
    assert all(p.grad is None for p in model.auxiliary.parameters())
    assert all(p.grad is not None for p in model.branches["rgb"].parameters())


def test_the_auxiliary_decoder_teaches_both_encoders_and_no_decoder_of_a_branch():
    model = make("crodino")
    model(draw_batch())["aux"].backward()
    for branch in model.branches.values():
        assert all(p.grad.abs().max() > 0 for p in branch.encoder.parameters())
        assert all(p.grad is None for p in branch.decoder.parameters())


def test_the_state_of_a_branch_holds_nothing_of_others_and_that_of_both_holds_all():
    model = make("crodino")
    alone = model.state("rgb")
    assert set(alone) == {f"branches.rgb.{key}" for key in model.branches["rgb"].state_dict()}
    assert not [key for key in alone if "depth" in key or "auxiliary" in key]
    assert model.state("rgb+depth").keys() == model.state_dict().keys()
    assert [key for key in model.state("rgb+depth") if key.startswith("auxiliary.rgb+depth.")]


def test_the_best_weights_of_one_network_do_not_disturb_another():
    """They are put back one after the other, from different epochs."""
    first, second = make("crodino", seed=1), make("crodino", seed=2)
    x = torch.rand(2, 3, 16, 16)
    together = second.eval()
    together.load_state("rgb+depth", clone(first.state("rgb+depth")))
    together.load_state("rgb", clone(make("crodino", seed=3).state("rgb")))
    assert torch.equal(together.predict("rgb", x), make("crodino", seed=3).eval().predict("rgb", x))
    assert equal(together.branches["depth"].state_dict(), first.branches["depth"].state_dict())


def test_both_networks_together_are_the_mean_over_all_pairings():
    model, batch = make("crodino").eval(), draw_batch()
    x = torch.cat([batch.x[m] for m in BANDS], 1)
    maps = {m: model.branches[m].encode(batch.x[m]) for m in BANDS}
    logits = [
        model.auxiliary["rgb+depth"](crossing.cross_halves(maps, shift), (16, 16))[1]
        for shift in (0, 1)
    ]
    torch.testing.assert_close(model.predict("rgb+depth", x), (logits[0] + logits[1]) / 2)
    assert not torch.allclose(*logits)


@pytest.mark.parametrize("augmentation", ["decoupled", "coupled"])
def test_the_augmentation_is_that_of_the_batches(split, augmentation):
    model = build(methods.get("crodino"), split.train, options(augmentation=augmentation))
    assert model.coupled == (augmentation == "coupled")
    batch = next(
        Batches(
            split.train, 16, 0, pairing="paired", augment=1, coupled=model.coupled, dense=True
        ).epoch(0)
    )
    assert torch.equal(batch.views["rgb"], batch.views["depth"]) == model.coupled
    assert all(value.isfinite() for value in model(batch).values())


def test_three_modalities_train_for_a_step():
    held = data.load("scenes-dense:n=12,size=16,objects=2")
    rgb, depth = held.modalities.values()
    three = MultiModalData({"rgb": rgb, "depth": depth, "grey": Modality(rgb.x.mean(1, keepdims=True), rgb.y, rgb.ids)},
                           held.classes, masks=held.masks, dense=True)  # fmt: skip
    model = build(methods.get("crodino"), three, options(weights={"soft": 0.5}))
    assert model.deployed == ["rgb", "depth", "grey", "rgb+depth+grey"]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batch = next(Batches(three, 6, 0, pairing="paired", augment=1, dense=True).epoch(0))
    before = clone(model.state_dict())
    terms = model(batch)
    total(model, terms).backward()
    optimizer.step()
    assert all(value.isfinite() for value in terms.values())
    assert all(not torch.equal(before[key], p) for key, p in model.named_parameters())
    x = torch.cat(list(batch.x.values()), 1)
    assert model.predict("rgb+depth+grey", x).shape == (6, 4, 16, 16)
    assert model.branch("rgb+depth+grey").eval()(x).shape == (6, 4, 16, 16)


# ---------------------------------------------------------------- what is refused


def test_soft_labels_need_the_auxiliary_decoder():
    with pytest.raises(
        ConfigError,
        match=r"^weights: soft labels come from the auxiliary decoder; give aux a weight",
    ):
        make("crodino", weights={"aux": 0, "soft": 0.5})


def test_an_unknown_augmentation():
    with pytest.raises(
        ConfigError, match=r"^augmentation: 'apart' is unknown; choose decoupled or coupled$"
    ):
        make("crodino", augmentation="apart")


@pytest.mark.parametrize("option", ["contrast_temperature", "soft_temperature"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_temperature_that_is_not_positive(option, value):
    with pytest.raises((ConfigError, ValueError), match="temperature"):
        make("crodino", **{option: value})


def test_one_modality_alone():
    with pytest.raises(
        ConfigError, match=r"^crodino: needs two modalities .*, the data has \['rgb'\]; try single$"
    ):
        make("crodino", bands={"rgb": 3})
    assert make("single", bands={"rgb": 3}).deployed == ["rgb"]
    with pytest.raises(
        ConfigError, match=r"^teacher: 'rgb' is the only modality here, .*; use 'all'"
    ):
        make("cwd", bands={"rgb": 3}, teacher="rgb")


@pytest.mark.parametrize("tokens", [0, -3])
def test_no_tokens(tokens):
    with pytest.raises(ConfigError, match=rf"^tokens: {tokens} make no mask; the paper has 8$"):
        make("maskd", tokens=tokens)


def uneven(count=20):
    """Dense data of 37×50 pixels, of which no side is a multiple of 8."""
    held = data.load(f"scenes-dense:n={count},size=52")
    cut = {
        m: replace(one, x=np.ascontiguousarray(one.x[..., :37, :50]))
        for m, one in held.modalities.items()
    }
    return replace(held, modalities=cut, masks=np.ascontiguousarray(held.masks[:, :37, :50]))


@pytest.mark.parametrize("name", ["crodino", "kdnet", "protokd", "mgd"])
def test_places_of_images_of_any_size_cannot_be_put_back(name):
    with pytest.raises(ConfigError) as caught:
        build(methods.get(name), uneven(), TINY)
    assert str(caught.value) == (
        f"{name}: images of 37×50 are no multiple of the network's stride, 8, so moved places cannot be put back;"
        " crop or resize them"
    )


def test_images_of_any_size_do_for_the_others(tmp_path):
    split, config = uneven().split(), replace(TINY, epochs=1)
    result = fit("single", split, config, tmp_path / "run", progress=False)
    assert set(result.main) == {"rgb", "depth"}
    with np.load(tmp_path / "run/predictions.npz") as held:
        assert held["rgb_predicted"].shape == (8, 37, 50)
    fit("dense-teacher", split, config, tmp_path / "teacher", progress=False)
    result = fit(
        "dense-kdv2",
        split,
        config,
        tmp_path / "taught",
        teacher=tmp_path / "teacher",
        progress=False,
    )
    assert set(result.main) == {"rgb", "depth"}


@pytest.mark.parametrize("name", ["student", "discom", "teacher"])
def test_a_method_of_classification_has_no_other_network(name):
    held = data.load("scenes:n=9,size=16")
    with pytest.raises(ConfigError) as caught:
        build(methods.get(name), held, profile("tiny", network="unet:resnet18"))
    assert (
        str(caught.value)
        == f"network: 'unet:resnet18' is of dense prediction, {name} has ResNet-18; leave it out"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "huge"}, r"^network: 'huge' is unknown; choose small or ARCHITECTURE:ENCODER"),
        (
            {"network": "unet:"},
            r"^network: 'unet:' is unknown; choose small or ARCHITECTURE:ENCODER",
        ),
        ({"network": "unet:hub:resnet18"}, r"^network: 'unet:hub:resnet18' is unknown"),
        ({"width": 7}, r"^width: 7 has no halves .*choose an even number such as 16"),
    ],
)
@pytest.mark.parametrize("name", ["single", "crodino", "dense-teacher"])
def test_a_network_that_there_is_not_leaves_nothing(split, tmp_path, name, changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        fit(name, split, replace(TINY, **changes), tmp_path / "run", progress=False)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["single", "crodino", "dense-kdv2"])
def test_a_network_of_the_library_trains_for_a_step(name):
    pytest.importorskip("segmentation_models_pytorch")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        make_one = partial(network, classes=CLASSES, name="unet:resnet18")
        model = methods.get(name)(BANDS, CLASSES, make_one)
    terms = model(batch_for(name, size=(64, 32), count=2))
    total(model, terms).backward()
    assert all(value.isfinite() for value in terms.values())


def test_a_teacher_of_classification_teaches_no_dense_student(split, tmp_path):
    fit("teacher", split, profile("tiny", epochs=1), tmp_path / "teacher", progress=False)
    with pytest.raises(RunError) as caught:
        fit("cwd", split, TINY, tmp_path / "run", teacher=tmp_path / "teacher", progress=False)
    assert (
        str(caught.value)
        == f"{tmp_path / 'teacher'}: is a run of teacher; cwd learns from a run of dense-teacher"
    )
    assert not (tmp_path / "run").exists()


def test_nor_does_a_dense_teacher_teach_classification(split, teacher, tmp_path):
    with pytest.raises(
        RunError, match=r"is a run of dense-teacher; kdv2 learns from a run of teacher$"
    ):
        fit("kdv2", split, profile("tiny"), tmp_path / "run", teacher=teacher, progress=False)


# ---------------------------------------------------------------- from the teacher's maps


@pytest.fixture(scope="module")
def frozen(split, teacher):
    config = Result.read(teacher / "result.json").config
    return load_teacher(
        teacher, split, replace(TINY, options=config["options"]), method=methods.DenseTeacher
    )


def test_the_teacher_is_frozen_and_unchanged_by_its_students(
    frozen, split, teacher, finished, monkeypatch, tmp_path
):
    kept = load_file(weights_file(teacher, "rgb+depth"))
    seen = []

    class Watched(TeacherMaps):
        def __init__(self, held, *given, **named):
            seen.append(held)
            super().__init__(held, *given, **named)

    monkeypatch.setattr("discom.teaching.TeacherMaps", Watched)
    fit(
        "protokd", split, replace(TINY, epochs=1), tmp_path / "run", teacher=teacher, progress=False
    )
    (used,) = seen
    assert not used.training
    assert not any(p.requires_grad or p.grad is not None for p in used.parameters())
    assert equal(used.state("rgb+depth"), kept)
    assert finished("protokd")[1].teacher == Result.read(teacher / "result.json").hash


def every_row(train):
    rows = paired_rows(train, ["rgb", "depth"])
    draw = torch.Generator().manual_seed(0)
    return rows, {m: torch.randint(8, (len(found),), generator=draw) for m, found in rows.items()}


@pytest.mark.parametrize("resident_bytes", [0, 4 << 30])
@pytest.mark.parametrize("names", [("logits",), ("latent",), ("logits", "features", "latent")])
def test_the_teacher_is_asked_about_upright_images_and_its_answers_are_moved(
    frozen, split, names, resident_bytes
):
    maps = TeacherMaps(frozen, split, names, resident_bytes)
    assert (maps.resident is None) == (resident_bytes == 0)
    rows, views = every_row(split.train)
    chosen = {m: found[[5, 29, 0, 7]] for m, found in rows.items()}
    seen = {m: found[:4] for m, found in views.items()}
    x = torch.cat([Images(split.train, m, "cpu")[chosen[m]] for m in ("rgb", "depth")], 1)
    with torch.no_grad():
        upright = frozen.maps(x)
    found = maps(chosen, seen)
    assert list(found) == ["rgb", "depth"]
    for m, held in found.items():
        assert set(held) == set(names)
        for name, value in held.items():
            torch.testing.assert_close(value, turn(upright[name], seen[m]), rtol=1e-4, atol=1e-5)
            assert not value.requires_grad
            assert value.dtype == torch.float32


def test_held_and_not_held_say_the_same_also_where_modalities_lack_scenes(frozen, split):
    train = split.train
    rgb, depth = train.modalities.values()
    partly = MultiModalData({"rgb": rgb.take(np.r_[4:30]), "depth": depth.take(np.r_[25:-1:-1])}, train.classes,
                            masks=np.concatenate([train.masks[4:30], train.masks[3::-1]]), dense=True,
                            normalization=train.normalization)  # fmt: skip
    part = data.Split(partly, None, None)
    held, asked = (TeacherMaps(frozen, part, ("logits", "latent"), size) for size in (4 << 30, 0))
    batches = Batches(partly, 6, 0, pairing="paired", augment=1, dense=True, soft=held)
    others = Batches(partly, 6, 0, pairing="paired", augment=1, dense=True, soft=asked)
    for one, other in zip(batches.epoch(0), others.epoch(0), strict=True):
        upright = {m: restore(one.x[m], one.views[m]) for m in ("rgb", "depth")}
        with torch.no_grad():
            logits = frozen.maps(torch.cat(list(upright.values()), 1))["logits"]
        for m in ("rgb", "depth"):
            torch.testing.assert_close(
                one.soft[m]["logits"], turn(logits, one.views[m]), rtol=1e-4, atol=1e-5
            )
            for name, value in one.soft[m].items():
                torch.testing.assert_close(value, other.soft[m][name], rtol=1e-4, atol=1e-5)


def test_a_student_of_a_teacher_of_one_modality_learns_for_every_other(split, tmp_path):
    config = replace(TINY, epochs=1)
    fit(
        "dense-teacher",
        split,
        replace(config, options={"reads": "rgb"}),
        tmp_path / "teacher",
        progress=False,
    )
    taught = replace(config, options={"teacher": "rgb"})
    result = fit(
        "kdnet", split, taught, tmp_path / "run", teacher=tmp_path / "teacher", progress=False
    )
    assert list(result.scores) == ["depth"]


def test_a_copied_map_of_another_view_would_be_noticed(frozen, split):
    maps = TeacherMaps(frozen, split, ("logits",))
    rows, views = every_row(split.train)
    found = maps(rows, views)
    assert not torch.equal(found["rgb"]["logits"], found["depth"]["logits"])
    back = [restore(found[m]["logits"], views[m]) for m in ("rgb", "depth")]
    assert torch.equal(*back)


# ---------------------------------------------------------------- what single competitors hold


def test_maskd_has_no_gradient_from_the_mask_to_the_tokens_and_one_from_their_own_task():
    model, batch = make("maskd"), batch_for("maskd")
    terms = model(batch)
    (reached,) = torch.autograd.grad(
        terms["mask"], model.tokens, retain_graph=True, allow_unused=True
    )
    assert reached is None
    (reached,) = torch.autograd.grad(terms["tokens"], model.tokens, retain_graph=True)
    assert reached.abs().max() > 0
    students = list(model.branches.parameters())
    assert all(
        g is None
        for g in torch.autograd.grad(
            terms["tokens"], students, retain_graph=True, allow_unused=True
        )
    )
    assert all(g is not None for g in torch.autograd.grad(terms["mask"], students))


def test_maskd_has_the_number_of_tokens_that_is_asked_for():
    assert make("maskd").tokens.shape == (8, CLASSES)
    assert make("maskd", tokens=3).tokens.shape == (3, CLASSES)


def test_the_generator_of_mgd_is_trained_and_is_no_part_of_the_branch(finished):
    folder, result = finished("mgd")
    kept = load_file(weights_file(folder, "rgb"))
    fresh = make("mgd")  # the initial weights of the seed
    generator = [key for key in kept if key.startswith("generators.")]
    assert generator
    assert all(key.startswith("generators.rgb.") for key in generator)
    assert all(not torch.equal(kept[key], fresh.state_dict()[key]) for key in generator)
    assert result.parameters["rgb"] == sum(p.numel() for p in fresh.branches["rgb"].parameters())


def test_mgd_hides_three_quarters_of_the_places(monkeypatch):
    shares = []
    original = dense.masked_generative

    def watched(student, teacher, generator, kept):
        assert kept.shape == (len(student), 1, *student.shape[-2:])
        shares.append(kept.float().mean().item())
        return original(student, teacher, generator, kept)

    monkeypatch.setattr(dense, "masked_generative", watched)
    torch.manual_seed(0)
    make("mgd")(batch_for("mgd", size=(128, 128), count=8))
    assert shares == pytest.approx([0.25, 0.25], abs=0.03)


@pytest.mark.parametrize("name", TAUGHT)
def test_nothing_of_a_teacher_is_asked_for_that_is_not_looked_at(name):
    """Maps are large: a student names those that it copies, and needs every one of them."""
    copies = methods.get(name).copies
    for dropped in copies:
        batch = draw_batch(names=[k for k in copies if k != dropped])
        with pytest.raises(KeyError, match=dropped):
            make(name)(batch)
    make(name)(draw_batch(names=copies))


def test_single_2x_is_the_mean_of_two_networks():
    model, x = make("single-2x").eval(), torch.rand(2, 3, 16, 16)
    first, second = model.branches["rgb"].networks
    torch.testing.assert_close(model.predict("rgb", x), (first(x) + second(x)) / 2)
    assert not torch.equal(first(x), second(x))
