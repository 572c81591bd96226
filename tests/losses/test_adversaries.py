"""What may stand in Eq. 3's place: loops over rows, closed forms, where gradients go, wrong copies
that must fail."""

import inspect
import math

import pytest
import torch
from torch import nn

from discom import data, methods, profile
from discom.data import Batches
from discom.errors import ConfigError
from discom.losses import adversaries, disentangle
from discom.losses.adversaries import ADVERSARIES, confusion_loss, pairwise_loss
from discom.models import Embedding, Heads

NAMES = ("rgb", "depth", "thermal", "sonar")


def made(modalities=3, pairwise=False, rows=(5, 3, 4, 2), seed=0):
    """Embeddings of unequal batches, and heads, in float64."""
    torch.manual_seed(seed)
    names = NAMES[:modalities]
    z = {
        name: Embedding(
            *(torch.randn(n, 6, dtype=torch.float64).requires_grad_() for _ in range(3))
        )
        for name, n in zip(names, rows, strict=False)
    }
    return z, Heads(list(names), 6, 4, pairwise=pairwise).double()


def by_rows(loss, z, heads, grl_lambda=1.0):
    """The equations, one row at a time."""
    names, total = list(z), 0.0
    if loss is confusion_loss:
        for number, name in enumerate(names):
            for row in z[name].inv.tolist():
                logits = [
                    sum(w * x for w, x in zip(weights, row, strict=True)) + b
                    for weights, b in zip(
                        heads.adv.weight.tolist(), heads.adv.bias.tolist(), strict=True
                    )
                ]
                logp = [value - math.log(sum(map(math.exp, logits))) for value in logits]
                total -= (logp[number] + grl_lambda * sum(logp) / len(names)) / len(z[name].inv)
        return total
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            head = heads.adv[f"{a}-{b}"]
            for number, name in enumerate((a, b)):
                for row in z[name].inv:
                    logits = (head.weight @ row + head.bias).tolist()
                    total += (math.log(sum(map(math.exp, logits))) - logits[number]) / len(
                        z[name].inv
                    )
    return total / (len(names) - 1)


each = pytest.mark.parametrize(
    "loss", [confusion_loss, pairwise_loss], ids=lambda loss: loss.__name__
)


@each
@pytest.mark.parametrize("modalities", [2, 3, 4])
@pytest.mark.parametrize("grl_lambda", [1.0, 0.3])
def test_the_value_is_that_of_loops_over_rows(loss, modalities, grl_lambda):
    z, heads = made(modalities, loss is pairwise_loss)
    assert loss(z, heads, grl_lambda=grl_lambda).item() == pytest.approx(
        by_rows(loss, z, heads, grl_lambda), rel=1e-9
    )


@each
@pytest.mark.parametrize("modalities", [2, 3, 4])
def test_where_nothing_can_be_told_the_value_is_known(loss, modalities):
    z, heads = made(modalities, loss is pairwise_loss)
    for parameter in heads.adv.parameters():
        parameter.data.zero_()
    known = (
        2 * modalities * math.log(modalities)
        if loss is confusion_loss
        else modalities * math.log(2)
    )
    assert loss(z, heads).item() == pytest.approx(known, rel=1e-12)


def test_with_two_modalities_pairs_are_the_papers_equation():
    z, heads = made(2, pairwise=True)
    same = Heads(list(z), 6, 4).double()
    same.adv = heads.adv["rgb-depth"]
    held = [leaf.inv for leaf in z.values()] + list(same.adv.parameters())
    ours, paper = (
        pairwise_loss(z, heads, grl_lambda=0.4),
        disentangle.adversarial_loss(z, same, grl_lambda=0.4),
    )
    torch.testing.assert_close(ours, paper)
    for a, b in zip(torch.autograd.grad(ours, held), torch.autograd.grad(paper, held), strict=True):
        torch.testing.assert_close(a, b)


def gradients(loss, z, heads, **given):
    leaves = {name: part.inv for name, part in z.items()}
    own = dict(heads.adv.named_parameters())
    found = torch.autograd.grad(loss(z, heads, **given), [*leaves.values(), *own.values()])
    return dict(zip([*leaves, *own], found, strict=True))


@each
def test_the_heads_learn_to_tell_and_the_encoders_to_hide(loss):
    """One small step of each along its gradient."""
    z, heads = made(3, loss is pairwise_loss, rows=(20, 20, 20))

    def told():  # what the heads minimise
        return loss(z, heads, grl_lambda=0.0 if loss is confusion_loss else 1.0).item()

    def hidden():  # what the encoders maximise, or for the confusion loss how far the odds are from even
        return told() if loss is pairwise_loss else told() - loss(z, heads).item()

    found, before = gradients(loss, z, heads), (told(), hidden())
    with torch.no_grad():
        for name, parameter in heads.adv.named_parameters():
            parameter -= 0.01 * found[name]
        assert told() < before[0]
        for name, parameter in heads.adv.named_parameters():
            parameter += 0.01 * found[name]
        for name in z:
            z[name].inv.sub_(0.1 * found[name])
    assert hidden() > before[1]


@each
def test_lambda_scales_what_reaches_the_encoders_and_nothing_else(loss):
    z, heads = made(3, loss is pairwise_loss)
    whole, part = (
        gradients(loss, z, heads, grl_lambda=1.0),
        gradients(loss, z, heads, grl_lambda=0.25),
    )
    for name in whole:
        torch.testing.assert_close(part[name], (0.25 if name in z else 1.0) * whole[name])


def test_confusion_gives_encoders_at_even_odds_no_gradient():
    """Where reversal would go on: its gradient does not vanish at p = 1/M for rows whose modality
    is one of M."""
    z, heads = made(3)
    heads.adv.bias.data.zero_()
    weight = heads.adv.weight.data
    q, _ = torch.linalg.qr(
        weight.T
    )  # rows at a right angle to all of the classifier's weights: every logit is 0
    flat = {
        name: Embedding(*(x.detach() - x.detach() @ q @ q.T for x in part))
        for name, part in z.items()
    }
    for part in flat.values():
        part.inv.requires_grad_()
    confused = torch.autograd.grad(
        confusion_loss(flat, heads), [part.inv for part in flat.values()]
    )
    turned = torch.autograd.grad(
        disentangle.adversarial_loss(flat, heads), [part.inv for part in flat.values()]
    )
    assert max(g.abs().max() for g in confused) < 1e-12
    assert min(g.abs().max() for g in turned) > 1e-3


@each
def test_the_order_of_rows_changes_nothing(loss):
    z, heads = made(3, loss is pairwise_loss)
    turned = {name: Embedding(*(x.flip(0) for x in part)) for name, part in z.items()}
    torch.testing.assert_close(loss(z, heads), loss(turned, heads))


@each
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_logits_stay_finite(loss, size):
    z, heads = made(3, loss is pairwise_loss)
    big = {name: Embedding(*(size * x for x in part)) for name, part in z.items()}
    assert loss(big, heads).isfinite()


WRONG = {
    "the classifier's sum reaches the encoders": (confusion_loss, "z.inv.detach()", "z.inv"),
    "the encoders' sum trains the classifier": (
        confusion_loss,
        "heads.adv.weight.detach()",
        "heads.adv.weight",
    ),
    "certainty instead of doubt": (confusion_loss, "[-F.linear", "[F.linear"),
    "a sum over modalities for their mean": (
        confusion_loss,
        ".log_softmax(1).mean()",
        ".log_softmax(1).sum(1).mean()",
    ),
    "no lambda": (confusion_loss, "grl_lambda * sum(doubted)", "sum(doubted)"),
    "no reversal": (
        pairwise_loss,
        "reverse_gradient(embeddings[name].inv, grl_lambda)",
        "embeddings[name].inv",
    ),
    "no division": (pairwise_loss, "total / (len(embeddings) - 1)", "total"),
    "both sides one number": (pairwise_loss, "(len(logits),), number)", "(len(logits),), 0)"),
}


@pytest.mark.parametrize("change", WRONG, ids=lambda name: name.replace(" ", "-"))
def test_a_wrong_copy_is_noticed(change):
    loss, right, wrong = WRONG[change]
    text = inspect.getsource(loss)
    assert text.count(right) == 1
    room = dict(vars(adversaries))
    exec(text.replace(right, wrong), room)
    copy = room[loss.__name__]
    z, heads = made(3, loss is pairwise_loss)
    assert differs(copy, loss, z, heads)


def differs(one, other, z, heads):
    values = [f(z, heads, grl_lambda=0.3).item() for f in (one, other)]
    found = [gradients(f, z, heads, grl_lambda=0.3) for f in (one, other)]
    return values[0] != pytest.approx(values[1], rel=1e-6) or any(
        not torch.allclose(found[0][name], found[1][name]) for name in found[0]
    )


# ---------------------------------------------------------------- as an option of the method


@pytest.fixture(scope="module")
def split():
    return data.load("scenes:n=99,size=16,modalities=rgb+depth+thermal").split(seed=0)


@pytest.mark.parametrize("adversary", ADVERSARIES)
def test_the_method_takes_the_term_that_its_option_names(split, adversary):
    config = profile("tiny", options={"adversary": adversary, "grl_lambda": 0.5})
    model = methods.build(methods.get("discom"), split.train, config)
    batch = next(Batches(split.train, 8, 0).epoch(0))
    z = {name: model.model.embed(name, x) for name, x in batch.x.items()}
    loss = ADVERSARIES[adversary] or disentangle.adversarial_loss
    torch.testing.assert_close(model.loss(batch)["adv"], loss(z, model.model.heads, grl_lambda=0.5))
    assert isinstance(model.model.heads.adv, nn.ModuleDict) == (adversary == "pairwise")


def test_every_pair_has_its_head_and_a_deployed_branch_has_none(split):
    model = methods.build(
        methods.get("discom"), split.train, profile("tiny", options={"adversary": "pairwise"})
    )
    assert list(model.model.heads.adv) == ["rgb-depth", "rgb-thermal", "depth-thermal"]
    assert not any("adv" in name for name, _ in model.branch("rgb").named_parameters())
    assert {key for key in model.state("rgb") if ".adv." in key} == {
        key for key in model.state("depth") if ".adv." in key
    }


def test_reversal_is_the_paper_and_at_rest(split):
    assert methods.get("discom").changed({"adversary": "reversal"}) == {}
    assert methods.get("discom").options({})["adversary"] == "reversal"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"adversary": "confuse"},
            "adversary: 'confuse' is unknown; choose reversal, confusion, pairwise",
        ),
        (
            {"adversary": "pairwise", "reduction": "released"},
            "'pairwise' is not in the released code",
        ),
        (
            {"adversary": "confusion", "modality_targets": "released"},
            "'confusion' is not in the released code",
        ),
    ],
)
def test_what_does_not_fit_is_refused(split, options, said):
    with pytest.raises(ConfigError, match=said):
        methods.build(methods.get("discom"), split.train, profile("tiny", options=options))


def test_a_missing_modality_is_refused_for_pairs_too():
    z, heads = made(3, pairwise=True)
    labels = {name: torch.zeros(len(part.inv), dtype=torch.long) for name, part in z.items()}
    del z["depth"]
    with pytest.raises(ValueError, match="for heads that tell 3 modalities apart"):
        disentangle.terms(z, heads, labels, adversary=pairwise_loss)
