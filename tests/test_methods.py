"""What every registered method must do; a method that is added is tested here without a word."""

import re
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.methods import (
    BANDS,
    CLASSES,
    THREE,
    answers,
    batch_of,
    changed,
    equal,
    make,
    part,
    step,
    terms_of,
    total,
    train,
)  # fmt: skip
from fixtures.refusal import refused
from golden_values import gradients
from safetensors.torch import load_file

from discom import cli, data, fit, methods, profile
from discom.data.batches import ModalityTensor
from discom.errors import ConfigError
from discom.labels import NO_LABEL, UNLABELLED
from discom.methods.base import REGISTRY
from discom.running import sweep
from discom.running.runs import Run, read_predictions, weights_file

NAMES, IMAGES = methods.names(), methods.names(dense=False)
TAUGHT = [name for name in NAMES if methods.get(name).teacher_method]
SEVERAL = [name for name in NAMES if len(make(name).deployed) > 1]  # networks, each deployed alone
BOUND = [name for name in NAMES if methods.get(name).single_sensor_control]
SHARED = ("discom", "mdico")  # heads that all modalities share
every_method = pytest.mark.parametrize("name", NAMES)


@every_method
@pytest.mark.parametrize("bands", [BANDS, THREE], ids=len)
def test_every_term_counts_every_weight_learns_and_one_step_lowers_the_loss(name, bands):
    model, batch = make(name, bands), batch_of(name, bands=bands)
    torch.manual_seed(0)
    terms = model.loss(batch)
    assert list(terms) == list(model.weights)
    assert all(v.shape == () and v.isfinite() for v in terms.values())
    assert all(term.requires_grad for term in terms.values())
    before = total(model, batch)
    before.backward()
    weights = model.named_parameters()
    dead = [k for k, w in weights if w.grad is None or not 0 < w.grad.abs().max() < torch.inf]
    idle = {"discom-solo": ("adv", "mod_inf", "mod_irr"), "mdico": ("adv",)}.get(name, ())
    assert [key for key in dead if not {*idle} & {*key.split(".")}] == []
    convolutions = [w for w in model.parameters() if w.ndim == 4 and w.shape[-1] == 3]
    for term in {*terms} - {"tokens", "pseudo"}:  # of no encoder; of sure samples alone
        assert any(map(torch.any, gradients(terms[term], convolutions))), term
    step(model, batch, torch.optim.SGD(model.parameters(), lr=1e-3))
    assert total(model, batch).item() < before.item()


@pytest.mark.parametrize("name", SEVERAL)
def test_one_sensor_learns_from_another_only_where_the_method_says_so(name):
    """Trained together is trained alone to the last digit, or has a `single_sensor_control`."""
    batches = [batch_of(name, seed, dtype=torch.float64) for seed in range(3)]
    together = train(name, batches).state("rgb")
    beside = train(name, [changed(batch, "depth") for batch in batches]).state("rgb")
    assert equal(together, beside) == (name not in BOUND)
    if name not in (*BOUND, "maskd"):  # whose tokens are the teacher's, one set for all sensors
        start = make(name).double().state("rgb")
        alone = [part(batch, ["rgb"]) for batch in batches]
        assert equal(together, train(name, alone, {"rgb": 3}, start).state("rgb"))


@pytest.mark.parametrize("name", BOUND)
def test_a_method_of_several_sensors_names_the_one_to_take_for_one(name):
    control = methods.get(name).single_sensor_control
    refused(lambda: make(name, {"rgb": 3}), f"^{name}: .*{control}", ConfigError)
    assert methods.get(control).dense == methods.get(name).dense
    assert total(make(control, {"rgb": 3}), batch_of(control, bands={"rgb": 3})).isfinite()


@pytest.mark.parametrize("name", IMAGES)
def test_pairs_are_asked_for_where_the_loss_depends_on_them(name, monkeypatch):
    """Another order of one sensor's samples changes a term, or the method does without pairs."""
    monkeypatch.setattr("discom.methods.semi_supervised.distort", lambda x, symmetry: x)
    model, batch = make(name), batch_of(name)
    other, order = part(batch), torch.arange(len(batch.x["rgb"])).roll(1)
    for shown in filter(None, (other, other.strong)):
        shown.x["rgb"], shown.y["rgb"] = shown.x["rgb"][order], shown.y["rgb"][order]
    one, two = (terms_of(model, each) for each in (batch, other))
    terms = {t for t in model.terms if model.weights[t] and not torch.isclose(one[t], two[t])}
    assert bool(terms) == model.paired
    assert name != "mdico" or terms == {"contrast"}


def test_a_name_of_discoms_own_is_refused_before_it_hides_the_method():
    own = methods.get("student")
    with pytest.raises(ConfigError, match="'student' is one of discom's; rename yours"):
        type("Mine", (own,), {"__module__": __name__}, name="student")
    assert methods.get("student") is own


CLASS_TERMS = {"cl", "aux", "deep", "tokens"}  # with cross-entropies of the class
ROW_MIXING = set[str]()  # of these, what mixes rows of a batch, such as mixup
NAMED = "a term learns from labels (CLASS_TERMS) or is one of the method's `unlabelled`"
PARTLY = [
    *((name, {}) for name in NAMES if not methods.get(name).every_label),
    ("discom", {"reduction": "released"}),
]


@pytest.mark.parametrize(("name", "options"), PARTLY)
def test_terms_of_labels_see_labelled_samples_and_other_terms_see_all(name, options):
    model = make(name, **options).eval()  # BatchNorm sees the whole batch
    known = torch.tensor([1, 1, 0, 0, 0, 0, 1, 1]).bool()  # crodino mixes even and odd rows
    batch = batch_of(name)
    hidden = part(batch)
    for y in hidden.y.values():
        y[~known[: len(y)]] = NO_LABEL if model.dense else UNLABELLED
    found, whole, few = (
        terms_of(model, each) for each in (hidden, batch, part(hidden, rows=known))
    )
    assert {*model.unlabelled} == {*found} - CLASS_TERMS - {"proto"}, NAMED
    mixed = {"tokens"} | ROW_MIXING  # read labels beside all images
    mixed |= {"contrast"} if model.dense else set()
    for term in {*found} - mixed:
        expected = whole if term in model.unlabelled else few
        torch.testing.assert_close(found[term], expected[term], msg=term)
        if term not in model.unlabelled:
            assert not torch.isclose(found[term], whole[term])


@every_method
def test_a_class_of_weight_two_counts_as_if_its_samples_were_there_twice(name):
    """In every cross-entropy of the class, and in nothing else."""
    model, batch = make(name).eval(), batch_of(name)
    found = []
    for weight in (None, torch.ones(CLASSES), torch.tensor([1.0, 2.0, 1.0, 1.0])):
        model.class_weights = weight
        found.append(terms_of(model, batch))
    plain, ones, weighted = found
    torch.testing.assert_close(ones, plain)
    moved = {term for term in plain if not torch.isclose(plain[term], weighted[term])}
    assert moved == {*plain} & CLASS_TERMS, NAMED
    if not model.dense:
        model.class_weights, rows = None, [0, 1, 1, 2, 3, 4, 5, 5, 6]
        twice = terms_of(model, part(batch, rows=rows))
        model.class_weights = weight
        weighted = terms_of(model, part(batch, rows=[*range(7)]))
        for term in moved - ROW_MIXING:
            torch.testing.assert_close(weighted[term], twice[term])


class Chatty(methods.Student):
    """Returns a value that it does not declare."""

    def loss(self, batch):
        return {**super().loss(batch), "size": torch.tensor(1e9 * len(batch))}


def test_what_a_loss_returns_is_what_its_method_declares():
    refused(partial(make(Chatty), batch_of()), "'size'", ConfigError)


RETURNED = {  # what a function of an own method returns in the place of terms
    "nothing": lambda x: None,
    "a tensor": lambda x: x.sum(),
    "a number": lambda x: {"cl": 1.0},
    "a loss of each sample": lambda x: {"cl": x},
}


@pytest.mark.parametrize("what", RETURNED)
@pytest.mark.parametrize(
    ("name", "function"),
    [("student", "loss"), ("student", "loss_of"), ("kdv2", "distil"), ("dense-kdv2", "distil")],
)
def test_what_is_no_term_is_refused_with_the_function_that_returned_it(
    monkeypatch, name, function, what
):
    """An own `loss` without a return was an AttributeError."""
    answer = RETURNED[what]
    monkeypatch.setattr(methods.get(name), function, lambda *_: answer(torch.zeros(2)))
    refused(partial(make(name), batch_of(name)), f"^{name}[.]{function}", ConfigError)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("predict", lambda *_: None),
        ("predict", lambda self, modality, x: x[:, 0, 0, :3]),
        ("deployed_module", methods.Method.deployed_module),
    ],
)
def test_a_method_whose_networks_give_no_logits_is_refused_before_it_trains(
    monkeypatch, function, answer
):
    """Logits of too few classes ended in a message of the scores, after the first epoch."""
    monkeypatch.setattr(methods.Student, function, answer)
    images, config = data.load("objects:n=18,size=16"), profile("tiny")
    found = partial(methods.build, methods.Student, images, config)
    refused(found, f"^student.*{function}", ConfigError)


def test_a_method_that_says_nothing_of_its_loss_is_refused():
    refused(partial(methods.Method.loss, make("student"), batch_of()), "^student: ", ConfigError)


@pytest.mark.parametrize("name", TAUGHT)
def test_no_gradient_reaches_the_teachers_answers_which_count(name):
    model, batch = make(name), batch_of(name)
    before = model(batch)
    total(model, batch).backward()
    assert all(a.requires_grad and a.grad is None for a in answers(batch))
    with torch.no_grad():
        for answer in answers(batch):
            answer.copy_(-answer.flip(0))
    differs = {term for term, value in model(batch).items() if value.item() != before[term].item()}
    assert differs == set(model.terms) - {"cl"}


@pytest.mark.parametrize("name", [name for name in TAUGHT if name in IMAGES])
def test_under_autocast_losses_keep_their_digits(name):
    model, batch = make(name), batch_of(name)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.predict("rgb", batch.x["rgb"]).dtype == torch.bfloat16
        assert {value.dtype for value in model(batch).values()} == {torch.float32}


@pytest.mark.parametrize("name", SEVERAL)
def test_a_state_holds_one_network_and_goes_round(name):
    model, batch = make(name), batch_of(name)
    rgb, whole = model.state("rgb"), model.state_dict()
    assert set().union(*map(model.state, model.deployed)) == whole.keys()
    assert bool(rgb.keys() & model.state("depth")) == (name in SHARED or hasattr(model, "tokens"))
    before = {key: value.clone() for key, value in whole.items()}
    kept = {key: before[key] for key in rgb}
    step(model, batch, torch.optim.Adam(model.parameters(), lr=1e-2))
    after = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state("rgb", kept)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key] if key in rgb else after[key]), key


@every_method
@pytest.mark.parametrize("place", [0, -1])
def test_a_branch_is_a_copy_that_predicts_the_same_from_its_own_images(name, place):
    model, batch = make(name), batch_of(name)
    network = model.deployed[place]
    x = torch.cat([batch.x[m] for m in network.split("+")], dim=1)
    model(batch)  # running statistics move
    model.eval()
    branch, expected = model.branch(network), model.predict(network, x)
    assert expected.shape == (len(x), CLASSES, *(x.shape[2:] if model.dense else ()))
    assert torch.equal(branch(x), expected)
    torch.testing.assert_close(branch(x[:1]), expected[:1])
    foreign = {"adv", "aux", "mod_inf", "mod_irr", "theta", *BANDS} - set(network.split("+"))
    assert not [key for key in branch.state_dict() if foreign & set(key.split("."))]
    other = make(name, seed=1).eval()
    assert not torch.equal(other.predict(network, x), expected)
    other.load_state(network, model.state(network))
    assert torch.equal(other.predict(network, x), expected)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(branch(x), expected)


@pytest.mark.parametrize("name", ["discom-solo", *SHARED])
def test_disentangled_methods_have_embeddings_to_look_into(name):
    model, batch = make(name).eval(), batch_of(name)
    for modality, x in batch.x.items():
        z = model.embed(modality, x)
        heads = model.network_of(modality).heads
        logits = heads.task[modality](torch.cat([z["inv"], z["inf"]], dim=1))
        torch.testing.assert_close(logits, model.predict(modality, x))
    assert (model.network_of("rgb").heads is model.network_of("depth").heads) == (name in SHARED)
    assert make(name, dimension=5).embed("rgb", batch.x["rgb"])["irr"].shape == (8, 5)


@every_method
def test_options_and_their_defaults(name):
    """A default written out is no other option, and what does not fit is named with its place."""
    method = methods.get(name)
    options = method.options({})
    assert options["weights"] == {term: float(weight) for term, weight in method.terms.items()}
    assert method.options(options) == options
    assert method.changed({}) == method.changed(options) == {}
    term = next(iter(method.terms))
    assert method.changed({**options, "weights": {term: 7}}) == {"weights": {term: 7.0}}
    for given, place in (
        ({"colour": 4}, "options"),
        ({"weights": {"colour": 1}}, "weights"),
        ({"weights": {term: -1}}, "options: weights"),
        ({"weights": dict.fromkeys(method.terms, 0)}, "weights"),
        *(({option: [{1}]}, f"options: {option}") for option in options),
    ):
        refused(partial(method.options, given), f"^{place}", ConfigError)


ONE = {"rgb": 3}
# a method, its options (and bands, where others than usual), the place that the error names
BAD = [
    ("teacher", {"reads": "sonar"}, "reads"),
    ("kdv1", {"temperature": "4"}, "temperature"),
    *((name, {"temperature": 0.0}, "temperature") for name in ("kdv1", "dense-kdv2")),
    ("kdv2", {"teacher": "sonar"}, "teacher"),
    ("mlkd", {"class_term": "paper"}, "class_term"),
    ("nt-xent", {"partners": "all"}, "partners"),
    *((name, {"threshold": t}, "threshold") for name in ("fixmatch", "agreed") for t in (0.0, 1.5)),
    *(("discom", {name: -1}, name) for name in ("dimension", "grl_lambda")),
    *(("discom", {name: "half"}, name)
      for name in ("pairing", "adversary", "reduction", "modality_targets")),
    ("discom", {"adversary": "alternating", "reduction": "released"}, "adversary"),
    ("crodino", {"weights": {"aux": 0}}, "weights"),
    ("crodino", {"augmentation": "apart"}, "augmentation"),
    *((name, {"bands": ONE, "teacher": "rgb"}, "teacher") for name in ("kdv2", "kdnet")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "place"), BAD)
def test_options_and_modalities_that_do_not_fit_are_one_line(name, given, place):
    bands, given = given.get("bands", BANDS), {k: v for k, v in given.items() if k != "bands"}
    where = f"^(options: )?{place}: "
    refused(lambda: make(name, bands, **methods.get(name).options(given)), where, ConfigError)


def test_rows_of_other_options_have_other_names():
    names = {methods.display_name("a", {"t": value}) for value in (0.1, 0.1000001, 0.10000011)}
    assert len(names) == 3


def test_classes_of_which_a_method_learns_nothing_are_refused():
    """Of two classes, standardised logits are ±.7 whatever they were: the gradient was 0, and the
    run ended at an F1 of guessing. Masks of one class gave a mean IoU of 100, and masks for a
    method of images a KeyError after the last epoch."""
    whole, masks = data.load("objects:n=66,size=8"), data.load("scenes-dense:n=20,size=16")
    two = replace(whole.take(np.flatnonzero(whole.labels < 2)), classes=whole.classes[:2])
    one = replace(masks, classes=("all",), masks=np.zeros_like(masks.masks))
    lskd = [name for name in TAUGHT if getattr(methods.get(name), "standardized", False)]
    for name, images in [*((name, two) for name in lskd), ("single", one), ("student", masks)]:
        config = profile("tiny", dense=methods.get(name).dense)
        build = partial(methods.build, methods.get(name), images, config)
        refused(build, f"^{re.escape(name)}: ", ConfigError)


@pytest.fixture(scope="module")
def splits():
    """Of images and of dense data."""
    names = {False: "objects:n=66,size=16", True: "scenes-dense:n=40,size=16"}
    return {dense: data.load(name).split(seed=0) for dense, name in names.items()}


@pytest.fixture(scope="module")
def teachers(splits, tmp_path_factory):
    """A function of a method's name: the arguments of `fit` that give its teacher's run."""
    root = tmp_path_factory.mktemp("teachers")

    def given(name):
        method = methods.get(name)
        if method.teacher_method is None:
            return {}
        folder, config = root / method.teacher_method.name, profile("tiny", dense=method.dense)
        fit(method.teacher_method, splits[method.dense], config, folder, progress=False)
        return {"teacher": folder}

    return given


@pytest.mark.parametrize(
    ("name", "options"), [*((n, {}) for n in NAMES), ("discom", {"adversary": "alternating"})]
)
def test_a_run_reports_every_network_and_ends_with_the_same_numbers_once_resumed(
    splits, teachers, name, options, same_once_resumed
):
    """The weights that it leaves are those that it tested; each network needs its own images."""
    method = methods.get(name)
    config = profile("tiny", dense=method.dense, options=options)
    config = replace(config, labelled=0.5 if method.needs_unlabelled else 1.0)
    split = splits[method.dense]
    steps = 4 if method.dense else 1  # of an epoch
    result, folder = same_once_resumed(name, split, config, steps + 1, **teachers(name))
    model = methods.build(method, split.train, config).eval()
    assert list(result.scores) == model.deployed
    table = pd.read_csv(folder / "metrics.csv")
    loss = sum(weight * table[term] for term, weight in model.weights.items() if weight)
    assert np.allclose(table["loss"], loss, rtol=1e-4)
    kept = read_predictions(folder / "predictions.npz")
    for network in model.deployed:
        model.load_state(network, load_file(weights_file(folder, network)))
        images = ModalityTensor(split.test, network, "cpu")
        with torch.no_grad():
            logits = model.branch(network)(images[torch.arange(len(images))])
        if method.dense:
            assert np.array_equal(kept[f"{network}_predicted"], logits.argmax(1))
        else:
            np.testing.assert_allclose(logits, kept[f"{network}_logits"], atol=1e-4)


def test_a_class_in_a_file_works_on_the_command_line_and_in_workers(
    tmp_path, monkeypatch, capsys, request
):
    """That of the guide. An edit of the file is another method."""
    request.addfinalizer(lambda: REGISTRY.pop("Mutual", None))
    monkeypatch.chdir(tmp_path)
    guide = Path(__file__).parents[1] / "docs/guides/new_method.md"
    text, _ = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    (command,) = re.findall(r"```bash\ndiscom (.*?)\n```", guide.read_text())
    file = Path("mutual.py")
    file.write_text(text)
    assert cli.main(shlex.split(command)) == 0
    assert "Mutual on objects, seed 0" in capsys.readouterr().out
    mutual, source = methods.get("mutual.py:Mutual"), "objects:n=66,size=8"
    configs = [profile("tiny", epochs=1, seed=seed) for seed in (0, 1)]
    runs = [Run.of("runs", mutual, data.load(source), own, source) for own in configs]
    done = sweep.sweep(runs, workers=2)
    assert not done.failed
    assert {(r.method, r.code) for r in done.results} == {("Mutual", methods.code(mutual))}
    file.write_text(text.replace("for a in logits", "for a in [*logits]"))
    assert methods.code(methods.get("mutual.py:Mutual")) != methods.code(mutual)
    words = ["export", str(runs[0].folder), "--data", source, "--modality", "rgb"]
    assert cli.main(words) == 2  # its code is another one now
    assert "mutual.py:Mutual was edited after its training" in capsys.readouterr().err
    file.write_text(text)
    assert cli.main(words) == 0
    for wrong in ("none.py:Mutual", "mutual.py:Other", "mutual.py:"):
        with pytest.raises(ConfigError, match=f"^method: .*{wrong.partition(':')[0]}: "):
            methods.get(wrong)
