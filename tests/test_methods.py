"""The registry, and what every method of classification must do."""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import refused
from golden_values import golden
from torch import nn

from discom import cli, data, fit, methods, profile
from discom.data.batches import Batch
from discom.errors import ConfigError
from discom.losses import disentangle
from discom.losses.separate import minimax_loss
from discom.running import sweep
from discom.running.runs import Run

BANDS = {"rgb": 3, "depth": 1}
CLASSES = 3
# every method, its terms and their weights: tests/test_docs.py compares them with a page
WEIGHTS = {name: dict(methods.get(name).terms) for name in methods.names(dense=False)}
TAUGHT = [name for name in WEIGHTS if name.startswith(("kd", "dkd", "ctkd", "mlkd"))]
PAIRED = (*TAUGHT, "nt-xent", "decur", "agreed", "mdico")
SHARED = ("discom", "mdico")  # heads that all modalities share
BOUND = ("nt-xent", "decur", "agreed", *SHARED)  # one modality learns from another
SEVERAL = [name for name in WEIGHTS if name != "teacher"]
every_method = pytest.mark.parametrize("name", WEIGHTS)
every_taught = pytest.mark.parametrize("name", TAUGHT)


def encoder(channels):
    """A small network with BatchNorm, so that running statistics are part of the state."""
    conv, pool = nn.Conv2d(channels, 8, 3, bias=False), nn.AdaptiveAvgPool2d(2)
    return nn.Sequential(conv, nn.BatchNorm2d(8), nn.ReLU(), pool, nn.Flatten()), 32


def make(name, bands=BANDS, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return methods.get(name)(bands, CLASSES, encoder, **options)


def draw_batch(name="student", seed=0, bands=BANDS, dtype=torch.float32):
    """What `fit` gives to a method: pairs for whoever needs them, a teacher's logits that require a
    gradient, strong views."""
    taught, paired = name in TAUGHT, name in PAIRED or name == "teacher"
    draw = torch.Generator().manual_seed(seed)
    sizes = {m: 6 if paired else 6 - k for k, m in enumerate(bands)}

    def images():
        shapes = {m: (sizes[m], channels, 8, 8) for m, channels in bands.items()}
        kind = {"generator": draw, "dtype": torch.float64}
        return {m: torch.rand(shape, **kind).to(dtype) for m, shape in shapes.items()}

    def soft():  # a teacher that is sure of its case, and right
        noise = torch.randn(6, CLASSES, generator=draw)
        answer = noise + 6 * F.one_hot(torch.arange(6) % CLASSES, CLASSES)
        return answer.requires_grad_() if taught else None

    y = {m: torch.arange(sizes[m]) % CLASSES for m in bands}
    batch = Batch(images(), y, soft=soft(), progress=0.5)
    if name.startswith("mlkd"):
        batch.strong = Batch(images(), y, soft=soft())
    return batch


def changed(batch, modality):
    """The same batch with other images of one modality."""
    x = {**batch.x, modality: 1 - batch.x[modality]}
    other = Batch(x, batch.y, soft=batch.soft, progress=batch.progress)
    other.strong = batch.strong and changed(batch.strong, modality)
    return other


def only(batch, modality):
    x, y = {modality: batch.x[modality]}, {modality: batch.y[modality]}
    alone = Batch(x, y, soft=batch.soft, progress=batch.progress)
    alone.strong = batch.strong and only(batch.strong, modality)
    return alone


def total(model, batch):
    torch.manual_seed(0)  # of the views that a loss draws
    terms = model(batch)
    return sum(weight * terms[term] for term, weight in model.weights.items() if term in terms)


def step(model, batch, optimizer):
    optimizer.zero_grad()
    total(model, batch).backward()
    optimizer.step()


def equal(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


# ---------------------------------------------------------------- registry


class Narrow(methods.DisCoMSolo):
    """A method that nobody registered."""


def test_a_method_that_nobody_registered_has_its_own_name_and_keeps_its_options_apart(tmp_path):
    split, results = data.load("scenes:n=66,size=8").split(seed=0), []
    for number, dimension in enumerate((0, 9)):
        config = profile("tiny", epochs=1, options={"dimension": dimension})
        results.append(fit(Narrow, split, config, tmp_path / f"{number}-aa", progress=False))
    assert [result.label for result in results] == ["Narrow", "Narrow dimension=9"]
    assert "Narrow" not in methods.names()


def test_a_class_in_a_file_works_on_the_command_line_and_in_workers(tmp_path, monkeypatch, capsys):
    """That of the guide. An edit of the file is another method."""
    monkeypatch.chdir(tmp_path)
    guide = Path(__file__).parents[1] / "docs/guides/new_method.md"
    (text,) = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    (command,) = re.findall(r"```bash\ndiscom (.*?)\n```", guide.read_text())
    file = Path("mutual.py")
    file.write_text(text)
    assert cli.main(shlex.split(command)) == 0
    assert "Mutual on scenes, seed 0" in capsys.readouterr().out
    mutual, source = methods.get("mutual.py:Mutual"), "scenes:n=66,size=8"
    configs = [profile("tiny", epochs=1, seed=seed) for seed in (0, 1)]
    runs = [Run.of("runs", mutual, data.load(source), own, source) for own in configs]
    done = sweep.sweep(runs, workers=2, progress=False)
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


# ---------------------------------------------------------------- learning


@every_method
@pytest.mark.parametrize("bands", [BANDS, {**BANDS, "sar": 2}], ids=len)
def test_every_term_counts_and_one_step_lowers_the_loss(name, bands):
    model, batch = make(name, bands), draw_batch(name, bands=bands)
    terms, before = model.loss(batch), total(model, batch).item()
    off = {"irr", "xcov", "hsic"} if name == "discom" else ()
    learned = [term for term in model.weights if term not in off]
    assert list(terms) == [*learned, *model.logged]
    assert all(v.shape == () and v.isfinite() for v in terms.values())
    assert all(terms[term].requires_grad for term in learned)
    assert (model.teacher_method is not None) == (name in TAUGHT)
    assert model.paired == (name in PAIRED or name == "teacher")
    assert len(model.deployed) == (1 if name == "teacher" else len(bands))
    step(model, batch, torch.optim.SGD(model.parameters(), lr=1e-3))
    assert total(model, batch).item() < before


@pytest.mark.parametrize("adversary", ["reversal", "alternating"])
def test_discoms_terms_are_those_of_the_losses_with_its_options(adversary):
    batch, extra = draw_batch(), {"irr", "xcov", "hsic"}
    weights = dict.fromkeys(extra, 1)
    model = make("discom", grl_lambda=0.25, adversary=adversary, weights=weights)
    z = {m: model.model.embed(m, x) for m, x in batch.x.items()}
    terms, heads = model(batch), model.model.heads
    hidden = disentangle.adversarial_loss(z, heads, grl_lambda=0.25)
    if adversary == "alternating":
        logits = {name: heads.adv(part.inv) for name, part in z.items()}
        hidden = minimax_loss(logits, grl_lambda=0.25)
    irrelevant = [F.cross_entropy(model.irrelevant(part.irr), batch.y[m]) for m, part in z.items()]
    expected = {
        "cl": disentangle.task_loss(z, heads, batch.y),
        "adv": hidden,
        "mod": disentangle.modality_loss(z, heads),
        "aux": disentangle.auxiliary_loss(z, heads, batch.y),
        "orth": disentangle.orthogonality_loss(z),
        "irr": sum(irrelevant),
    }
    assert terms.keys() == expected.keys() | extra
    encoder = model.model.branches["rgb"].specific[0].weight
    grads = [
        torch.autograd.grad(e["irr"], encoder, retain_graph=True)[0] for e in (terms, expected)
    ]
    torch.testing.assert_close(grads[0], -0.25 * grads[1])  # the encoders learn the opposite
    for term, value in expected.items():
        torch.testing.assert_close(terms[term], value)
    assert not any("adv" in key for key in model.branch("rgb").state_dict())


# ---------------------------------------------------------------- totals of the official codes
# The stored logits take the place of the student's network; losses are float32, as in a training.


def on_logits(name, file, epoch=0, theta=1.0, **options):
    """Total of a method for one student at an epoch of 300, its logits of each view, CTKD's θ."""
    inputs = golden(file).inputs
    views = ("_weak", "_strong") if "student_logits_weak" in inputs else ("",)
    logits = [inputs[f"student_logits{view}"].float().requires_grad_() for view in views]
    model = methods.get(name)({"rgb": 3}, 7, encoder, **methods.get(name).options(options))
    model.predict = lambda modality, number: logits[number]  # "images" are the number of their view
    batches = []
    for number, view in enumerate(views):
        soft = inputs[f"teacher_logits{view}"].float()
        batches.append(Batch({"rgb": number}, {"rgb": inputs["targets"]}, epoch, soft))
        batches[-1].progress = epoch / 300
    batches[0].strong = batches[1] if model.needs_strong_view else None
    thetas = [p for key, p in model.named_parameters() if key.endswith("theta")]
    for parameter in thetas:
        nn.init.constant_(parameter, float(theta))
    return total(model, batches[0]), logits, thetas


def assert_official(found, loss, expected, theta_gradient=None):
    value, logits, thetas = found
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


# how the DisCoM-KD authors' own code ran them; with LSKD the weights are those without
PUBLISHED: dict[str, dict] = {
    **{name: {"temperature": 4.0} for name in ("kdv1", "kdv2", "dkd")},
    "ctkd": {"loops": 5 / 300},
}


@pytest.mark.parametrize("key", COMPETITORS)
def test_options_give_what_the_discom_kd_authors_ran(key):
    """Four of their competitors, without and with z-score (LSKD), at several epochs of 300. They
    count epochs of DKD and CTKD from 0, so that theirs is ours one later."""
    short, znorm, epoch = key.split("_")
    plain, expected = methods.get(NAMES[short]), COMPETITORS[key]
    published = {"weights": plain.terms, **PUBLISHED[plain.name]}
    name = plain.name + ("+lskd" if znorm == "znorm1" else "")
    number = int(epoch.removeprefix("epoch"))
    found = on_logits(name, "06c_discom_paper_competitors", number - 1, **published)
    gradients = [expected["grad_student_logits"]]
    assert_official(found, expected["loss"], gradients, expected.get("grad_theta"))


# MLKD's official weight of the term that is divided by (B / C)² here
SCALE = (len(golden("05_mlkd").inputs["targets"]) / 7) ** 2
# method, options, epoch of 300 from 0 on, file, where in it
OFFICIAL = [
    ("kdv2", {"weights": {"cl": 0.1, "kd": 0.9}}, 0, "01_kd_hinton", "combination"),
    ("dkd", {}, 0, "02_dkd", "epoch_1"),
    ("dkd", {}, 9, "02_dkd", "epoch_10"),
    ("dkd", {}, 24, "02_dkd", "epoch_25"),
    ("mlkd", {"weights": {"classes": 0.9 * SCALE}}, 0, "05_mlkd", ""),
    ("kdv2+lskd", {}, 0, "03b_lskd_kd", "combination"),
    ("dkd+lskd", {}, 9, "03c_lskd_dkd", "epoch_10"),
    ("mlkd+lskd", {"weights": {"classes": 9 * SCALE}}, 0, "03d_lskd_mlkd", ""),
]


@pytest.mark.parametrize(("name", "options", "epoch", "file", "place"), OFFICIAL)
def test_defaults_are_those_of_the_official_code(name, options, epoch, file, place):
    out = golden(file).outputs
    out = out[place] if place else out
    views = ("weak", "strong") if name.startswith("mlkd") else ()
    gradients = [out[f"grad_student_logits_{view}"] for view in views]
    gradients = gradients or [out["grad_total_student_logits"]]
    found = on_logits(name, file, epoch, **options)
    assert_official(found, out.get("total", out.get("loss")), gradients)


def test_discoms_reversal_rises_over_a_share_of_the_run():
    model = make("discom", grl_warmup=0.5, grl_lambda=2.0)
    curve = [model.reversal(progress) for progress in (0, 0.25, 0.5, 0.9)]
    full = 2 * (2 / (1 + math.exp(-10)) - 1)
    assert curve == pytest.approx([0, 2 * (2 / (1 + math.exp(-5)) - 1), full, full])
    assert make("discom").reversal(0) == 1


# ---------------------------------------------------------------- what the taught ones compare


@every_taught
def test_a_student_for_every_modality_or_for_all_but_the_teachers(name):
    batch = draw_batch(name)
    both, one = make(name), make(name, teacher="rgb")
    assert (both.deployed, one.deployed) == (["rgb", "depth"], ["depth"])
    assert not [key for key in one.state_dict() if "rgb" in key]
    assert total(one, batch).item() == total(one, changed(batch, "rgb")).item()
    assert total(one, batch).item() != total(one, changed(batch, "depth")).item()


@every_taught
def test_no_gradient_reaches_the_teachers_logits_which_count(name):
    model, batch = make(name), draw_batch(name)
    before = model(batch)
    total(model, batch).backward()
    assert batch.soft.requires_grad
    assert batch.soft.grad is None
    assert batch.strong is None or batch.strong.soft.grad is None
    batch.soft = -batch.soft.detach()
    differs = {term for term, value in model(batch).items() if value.item() != before[term].item()}
    assert differs == set(model.terms) - {"cl"}


@every_taught
def test_under_autocast_losses_keep_their_digits(name):
    model, batch = make(name), draw_batch(name)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.predict("rgb", batch.x["rgb"]).dtype == torch.bfloat16
        assert {value.dtype for value in model(batch).values()} == {torch.float32}


# ---------------------------------------------------------------- what passes between modalities


def train(name, batches, bands=BANDS, state=None):
    """A method after a step on each batch, in float64."""
    model = make(name, bands).double()
    if state is not None:
        model.load_state_dict(state)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for batch in batches:
        step(model, batch, optimizer)
    return model


@pytest.mark.parametrize("name", [name for name in SEVERAL if name not in BOUND])
def test_trained_together_is_trained_alone(name):
    batches = [draw_batch(name, seed, dtype=torch.float64) for seed in range(3)]
    start = make(name).double().state("rgb")
    together = train(name, batches).state("rgb")
    alone = train(name, [only(batch, "rgb") for batch in batches], {"rgb": 3}, start).state("rgb")
    assert equal(together, alone)
    assert not equal(together, start)


def test_discom_learns_from_the_other_modality_through_the_heads_alone():
    """In one step nothing passes between branches; after some, the shared heads have changed."""
    batches = [draw_batch(seed=seed, dtype=torch.float64) for seed in range(3)]
    for steps, same in ((1, True), (3, False)):
        one = train("discom", batches[:steps]).state("rgb")
        two = train("discom", [changed(batch, "depth") for batch in batches[:steps]]).state("rgb")
        own = [key for key in one if "rgb" in key.split(".")]
        assert all(torch.equal(one[key], two[key]) for key in own) == same


def test_a_teacher_reads_all_modalities_or_the_one_it_is_told():
    batch = draw_batch("teacher")
    both, one = make("teacher"), make("teacher", reads="depth")
    assert (both.deployed, both.reads, both.paired) == (["rgb+depth"], ["rgb", "depth"], True)
    assert (one.deployed, one.reads, one.paired) == (["depth"], ["depth"], False)
    for m in BANDS:
        assert total(both, batch).item() != total(both, changed(batch, m)).item()
        same = total(one, batch).item() == total(one, changed(batch, m)).item()
        assert same == (m == "rgb")
    alone = only(batch, "rgb")  # same layers and weights as its student
    assert torch.equal(
        make("teacher", {"rgb": 3})(alone)["cl"], make("student", {"rgb": 3})(alone)["cl"]
    )


# ---------------------------------------------------------------- state


@pytest.mark.parametrize("name", SEVERAL)
def test_a_state_holds_one_network_and_goes_round(name):
    model, batch = make(name), draw_batch(name)
    rgb, depth, whole = model.state("rgb"), model.state("depth"), model.state_dict()
    shared = rgb.keys() & depth.keys()
    assert rgb.keys() | depth.keys() == whole.keys()
    assert bool(shared) == (name in SHARED)
    assert all(key.startswith("model.heads.") and "task" not in key for key in shared)
    assert any("running_mean" in key for key in rgb)
    before = {key: value.clone() for key, value in whole.items()}
    kept = {key: before[key] for key in rgb}
    step(model, batch, torch.optim.Adam(model.parameters(), lr=1e-2))
    after = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state("rgb", kept)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key] if key in rgb else after[key]), key


@every_method
def test_states_that_do_not_fit_change_nothing(name):
    model = make(name)
    network = model.deployed[0]
    state = {key: value.clone() for key, value in model.state(network).items()}
    lost = sorted(state)[3]
    wrong = [{key: value for key, value in state.items() if key != lost}]
    wrong += [{**state, "left_over": torch.zeros(1)}, {**state, lost: torch.zeros(7, 7)}]
    for one, message in zip(wrong, (lost, "left_over", "size mismatch"), strict=True):
        with pytest.raises(RuntimeError, match=message):
            model.load_state(network, one)
    assert equal(model.state(network), state)


@every_method
@pytest.mark.parametrize("place", [0, -1])
def test_a_branch_is_a_copy_that_predicts_the_same(name, place):
    model, batch = make(name), draw_batch(name)
    network = model.deployed[place]
    x = torch.cat([batch.x[m] for m in network.split("+")], dim=1)
    model(batch)  # running statistics move
    model.eval()
    branch, expected = model.branch(network), model.predict(network, x)
    assert torch.equal(branch(x), expected)
    assert torch.equal(branch(x[:1]), model.predict(network, x[:1]))
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


@every_method
def test_only_disentangled_methods_have_embeddings_to_look_into(name):
    model, batch = make(name).eval(), draw_batch(name)
    if name not in ("discom-solo", *SHARED):
        with pytest.raises(ConfigError, match="has no embedding to look into; choose discom"):
            model.embed("rgb", batch.x["rgb"])
        return
    for modality, x in batch.x.items():
        z = model.embed(modality, x)
        logits = model.owner(modality).heads.task[modality](torch.cat([z["inv"], z["inf"]], dim=1))
        torch.testing.assert_close(logits, model.predict(modality, x))
    assert (model.owner("rgb").heads is model.owner("depth").heads) == (name in SHARED)
    assert make(name, dimension=5).embed("rgb", batch.x["rgb"])["irr"].shape == (6, 5)


# ---------------------------------------------------------------- options


@every_method
def test_options_and_their_defaults(name):
    method = methods.get(name)
    options = method.options({})
    assert all(type(weight) is float for weight in options["weights"].values())
    assert method.options(options) == options
    assert method.changed({}) == method.changed(options) == {}
    term = next(iter(WEIGHTS[name]))
    assert method.changed({**options, "weights": {term: 7}}) == {"weights": {term: 7.0}}


# a method, its options (and bands, where others than usual), the place that the error names
BAD = [
    ("student", {"colour": 4}, "options"),
    ("discom", {"weights": {"colour": 1}}, "weights"),
    ("discom", {"weights": {"adv": -1}}, "weights: adv"),
    ("student", {"weights": {"cl": 0}}, "weights"),
    ("teacher", {"reads": "sonar"}, "reads"),
    ("kdv1", {"temperature": "4"}, "options: temperature"),
    ("kdv1", {"temperature": 0.0}, "temperature"),
    ("kdv2", {"teacher": "sonar"}, "teacher"),
    *(("ctkd", {"loops": loops}, "loops") for loops in (0, 10)),
    ("nt-xent", {"partners": "all"}, "partners"),
    *((name, {"threshold": t}, "threshold") for name in ("fixmatch", "agreed") for t in (0.0, 1.5)),
    ("simclr", {"share": {"sonar": 1}}, "share"),
    ("simclr", {"share": {"rgb": -1}}, "share: rgb"),
    ("discom", {"dimension": -1}, "dimension"),
    ("discom", {"grl_lambda": -1}, "grl_lambda"),
    ("discom", {"grl_warmup": 1.5}, "grl_warmup"),
    *(("discom", {name: "half"}, name)
      for name in ("pairing", "adversary", "reduction", "modality_targets")),
    ("discom", {"adversary": "alternating", "reduction": "released"}, "adversary"),
    ("discom", {"adversary_head": -1}, "adversary_head"),
    *((name, {"bands": {"rgb": 3}}, name) for name in BOUND),
    ("kdv2", {"bands": {"rgb": 3}, "teacher": "rgb"}, "teacher"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "place"), BAD)
def test_options_and_modalities_that_do_not_fit_are_one_line(name, given, place):
    bands, given = given.get("bands", BANDS), {k: v for k, v in given.items() if k != "bands"}
    refused(
        lambda: make(name, bands, **methods.get(name).options(given)), f"^{place}: ", ConfigError
    )


def test_two_classes_leave_standardised_logits_nothing_to_say():
    """They are ±.7 for any logits: the gradient was 0, and the run ended at an F1 of guessing."""
    images = data.load("scenes:n=66,size=8,shapes=2,materials=1")
    for name in (name for name in TAUGHT if methods.get(name).standardized):
        build = partial(methods.build, methods.get(name), images, profile("tiny"))
        refused(build, f"^{re.escape(name)}: ", ConfigError)
    with pytest.warns(UserWarning, match="^nckd: has no effect on two classes"):
        methods.build(methods.get("dkd"), images, profile("tiny"))


def test_one_class_is_nothing_to_learn():
    """Masks of one class gave a mean IoU of 100."""
    masks = replace(data.load("scenes-dense:n=20,size=16,objects=2"), classes=("all",))
    one = replace(masks, masks=np.zeros_like(masks.masks))
    dense = profile("tiny", dense=True)
    refused(partial(methods.build, methods.get("single"), one, dense), "^single: ", ConfigError)


def test_images_of_a_class_for_every_pixel_are_refused():
    """The training ended in a KeyError after its last epoch."""
    images = data.load("scenes-dense:n=20,size=16")
    build = partial(methods.build, methods.get("student"), images, profile("tiny"))
    refused(build, "^student: needs a class for every image", ConfigError)


def test_a_term_of_weight_0_adds_nothing_and_leaves_its_head_alone():
    for aux, moves in ((0.0, False), (1.0, True)):
        model, batch = make("discom", weights={"aux": aux}), draw_batch()
        terms = model(batch)
        assert terms["aux"].item() > 0  # it is still reported
        assert terms["aux"].requires_grad == moves
        total(model, batch).backward()
        assert (model.model.heads.aux.weight.grad is not None) == moves


class Annotated(methods.Student):
    """Options of every kind, whose defaults are of another type than they may be."""

    def __init__(
        self,
        *parts,
        temperature: float = 4,
        limit: float | None = None,
        kind: Literal["a", "b"] = "a",
        steps: Mapping[str, int] | None = None,
        part: Mapping[str, float] = {"rgb": 1.0, "depth": 2.0},
        sizes: tuple[int, int] = (1, 2),
        one: Literal[1, 2] = 1,
        free=None,
        **options,
    ):
        super().__init__(*parts, **options)


def test_the_annotation_of_an_option_decides_and_not_its_default():
    """A default 4 refused 4.5, and one of None died with an IndexError."""
    own = Annotated.options({})
    assert (own["temperature"], type(own["temperature"])) == (4.0, float)
    assert own == Annotated.options({"temperature": 4})
    given = {"temperature": 4.5, "limit": 2, "kind": "b", "steps": {"rgb": 2.0}, "free": "x"}
    assert Annotated.options(given) == {**own, **given}
    assert Annotated.changed({"temperature": 4.5, "limit": 2}) == {"temperature": 4.5, "limit": 2.0}
    number = Annotated.options({"free": np.float32(2)})["free"]
    assert (number, type(number)) == (2, int)  # NumPy's numbers are numbers
    assert Annotated.options({"temperature": -0.0})["temperature"].hex() == "0x0.0p+0"
    fewer = Annotated.changed({"part": {"rgb": 1}})  # had the label of the default
    assert fewer == {"part": {"rgb": 1.0}}
    assert Annotated.changed({"part": {"depth": 2, "rgb": 1}, "sizes": [1, 2]}) == {}
    labels = {methods.label("a", {"t": value}) for value in (0.1, 0.1000001, 0.10000011)}
    assert len(labels) == 3
    wrong = [
        ("free", [{1}]),
        ("free", float("nan")),
        ("temperature", "4"),
        ("limit", "2"),
        ("one", 3),
        ("sizes", 3),
        ("kind", "c"),
        ("steps", {"rgb": 0.5}),
        ("weights", 3),
    ]
    for option, value in wrong:
        call = partial(Annotated.options, {option: value})
        refused(call, f"^options: {option}: ", ConfigError)
