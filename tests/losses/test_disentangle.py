"""Eqs. 2–6 and what may take Eq. 3's place: numbers of the released code, and the seven checks.

Inputs of a case are flat: (inv, inf, irr) of each modality, weight and bias of each head, labels.
"""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from golden_values import EXACT, assert_golden, golden
from harness import Case, classes_of, normal, seven_checks
from torch import nn

from discom.losses import disentangle
from discom.losses.separate import confusion_loss, discriminator_loss, minimax_loss
from discom.models import DisCoM, Embedding, Heads

NAMES, PARTS, LAMBDA = ("rgb", "depth", "thermal"), ("inv", "inf", "irr"), 0.7


def terms_of(z, heads, y, grl_lambda=1.0, reduction="paper", modality_targets="paper"):
    """The five terms of DisCoM-KD's loss."""
    targets = {"reduction": reduction, "modality_targets": modality_targets}
    return {
        "cl": disentangle.task_loss(z, heads, y, reduction),
        "adv": disentangle.adversarial_loss(z, heads, grl_lambda=grl_lambda, **targets),
        "mod": disentangle.modality_loss(z, heads, **targets),
        "aux": disentangle.auxiliary_loss(z, heads, y, reduction),
        "orth": disentangle.orthogonality_loss(z, reduction),
    }


# ---------------------------------------------------------------- numbers of the released code

# our term → the golden file's; our head → the golden file's
OFFICIAL = {"cl": "L_cl", "adv": "L_adv", "mod": "L_mod", "aux": "L_aux", "orth": "L_perp"}
HEADS = {"task.first": "task_cl", "task.second": "task_cl2", "aux": "task_cl3", "adv": "discr",
         "mod_inf": "task_dom", "mod_irr": "task_dom2"}  # fmt: skip


def copy_heads(inputs, heads):
    with torch.no_grad():
        for ours, theirs in HEADS.items():
            for name, values in inputs["heads"][theirs].items():
                heads.get_submodule(ours).get_parameter(name).copy_(values)
    return heads


def golden_case(inputs, order):
    parts = {m: [inputs[f"z_{part}_{m}"].requires_grad_() for part in PARTS] for m in order}
    heads = copy_heads(inputs, Heads(list(order), 8, 5).double())
    embeddings = {m: Embedding(*parts[m]) for m in order}
    return embeddings, heads, {m: inputs[f"targets_{m}"] for m in order}


def cases_of(terms, z, expected):
    for term, value in {**terms, "total": sum(terms.values())}.items():
        theirs = OFFICIAL.get(term, term)
        leaves = {f"z_{part}_{m}": getattr(z[m], part) for m in z for part in PARTS}
        pairs = [(leaf, expected["grads"][theirs][name]) for name, leaf in leaves.items()]
        yield term, value, expected[theirs], *pairs


RELEASED = {"reduction": "released", "modality_targets": "released"}
CONVENTIONS = {"paper": "convention_sum_over_modalities"}
CONVENTIONS |= {"released": "convention_released_concat_mean"}
ORDERS = [("first", "second"), ("second", "first")]  # the order of the modalities numbers them


@pytest.mark.parametrize("grl_lambda", [1, 0.3])
def test_released_conventions_are_the_released_code(grl_lambda):
    values = golden("06_discomkd")
    z, heads, y = golden_case(values.inputs, ORDERS[0])
    expected = values.outputs[f"released_lambda_{grl_lambda}"]
    terms = terms_of(z, heads, y, grl_lambda=grl_lambda, **RELEASED)
    assert_golden(cases_of(terms, z, expected))
    names = ("weight", "bias")
    pairs = [(getattr(heads.adv, n), expected[f"grad_L_adv_wrt_discr_{n}"]) for n in names]
    assert_golden([("head", terms["adv"], expected["L_adv"], *pairs)])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reduction", CONVENTIONS)
def test_the_papers_equations_on_the_released_numbers(order, reduction):
    values = golden("06_discomkd")
    z, heads, y = golden_case(values.inputs, order)
    key = f"paper_integer_targets_first{order.index('first')}_second{order.index('second')}"
    terms = terms_of(z, heads, y, reduction=reduction)
    assert_golden(cases_of(terms, z, values.outputs[key][CONVENTIONS[reduction]]))


class Columns(nn.Module):
    """Columns of the input, in place of an encoder."""

    def __init__(self, start):
        super().__init__()
        self.start = start

    def forward(self, x):
        return x[:, self.start : self.start + 16]


def test_projection_and_prediction_of_the_released_code():
    """Inputs are [specific ‖ invariant] encoder outputs: Branch asks for the specific one first."""
    values = golden("06b_discomkd_projhead")
    inputs, expected, calls = values.inputs, values.outputs, []

    def encoder(channels):
        calls.append(channels)
        return Columns(16 * (1 - len(calls) % 2)), 16

    model = DisCoM({"first": 32, "second": 32}, 5, encoder).double()
    copy_heads(inputs, model.heads)
    x = {}
    for m, branch in model.branches.items():
        for number, key in ((0, "l1"), (1, "bn")):
            state = {name: inputs[f"proj_{m}"][f"{key}_{name}"] for name in ("weight", "bias")}
            branch.project[number].load_state_dict(state, strict=False)
        x[m] = [inputs[f"{part}_{m}"].requires_grad_() for part in ("z_inf", "z_irr", "enc_inv")]
    z = {m: model.embed(m, torch.cat(parts, 1)) for m, parts in x.items()}
    y = {m: inputs[f"targets_{m}"] for m in z}
    terms = terms_of(z, model.heads, y, **RELEASED)
    expected["L_aux"] = expected["L_aux_inf"] + expected["L_aux_inv"]
    assert_golden((term, value, expected[OFFICIAL[term]]) for term, value in terms.items())
    names = ("z_inf", "z_irr", "enc_inv")
    pairs = [(x[m][k], expected["grads"][f"{n}_{m}"]) for m in x for k, n in enumerate(names)]
    assert_golden([("total", sum(terms.values()), expected["total"], *pairs)])
    norm = model.branches["first"].project[1]
    torch.testing.assert_close(norm.running_mean, expected["running_mean_first"], **EXACT)
    torch.testing.assert_close(norm.running_var, expected["running_var_first"], **EXACT)
    model.eval()
    for m, parts in x.items():
        images, answer = torch.cat(parts, 1), expected[f"eval_pred_{m}"]
        torch.testing.assert_close(z[m].inv, expected[f"z_inv_{m}"], **EXACT)
        torch.testing.assert_close(model.deployed_module(m)(images), answer, **EXACT)


# ---------------------------------------------------------------- flat inputs


def draw(seed, sizes=(4, 3), width=5, classes=4):
    count = len(sizes)
    shapes = [(size, width) for size in sizes for _ in PARTS]
    shapes += [(classes, 2 * width), (classes,)] * count
    for outputs in (count, count, count, classes):  # adv, mod_inf, mod_irr, aux
        shapes += [(outputs, width), (outputs,)]
    tensors = [normal(*shape, seed=100 * seed + k) for k, shape in enumerate(shapes)]
    return *tensors, *(classes_of(classes, size, seed=seed + k) for k, size in enumerate(sizes))


def structure(flat):
    """Embeddings, heads (functions of z), and labels."""
    count = (len(flat) - 8) // 6
    names, tensors = NAMES[:count], iter(flat)
    z = {m: Embedding(next(tensors), next(tensors), next(tensors)) for m in names}

    def head():
        weight, bias = next(tensors), next(tensors)
        layer = nn.Linear(*weight.shape[::-1]).to(weight)
        del layer.weight, layer.bias
        layer.weight, layer.bias = weight, bias  # leaves of the check stay leaves
        return layer

    task = {m: head() for m in names}
    heads = SimpleNamespace(task=task, adv=head(), mod_inf=head(), mod_irr=head(), aux=head())
    return z, heads, {m: next(tensors) for m in names}


def flat(term, grl_lambda=LAMBDA, **convention):
    """The package's function for a term, of flat inputs."""

    def loss(*inputs):
        z, heads, y = structure(inputs)
        if term == "discriminator":
            return discriminator_loss({m: heads.adv(part.inv.detach()) for m, part in z.items()})
        if term == "minimax":
            weight, bias = heads.adv.weight.detach(), heads.adv.bias.detach()
            logits = {m: F.linear(part.inv, weight, bias) for m, part in z.items()}
            return minimax_loss(logits, grl_lambda=grl_lambda)
        if term == "confusion":
            return confusion_loss(z, heads, grl_lambda=grl_lambda)
        return terms_of(z, heads, y, grl_lambda=grl_lambda, **convention)[term]

    return loss


# ---------------------------------------------------------------- the equations, row by row


def nll(head, rows, target):
    """-Σ_k t_k log p_k of each row; `target` is a class for each, or the probabilities t."""
    logits = rows @ head.weight.T + head.bias
    logp = logits - logits.exp().sum(1, keepdim=True).log()
    return -((F.one_hot(target, logits.shape[1]) if target.ndim == 1 else target) * logp).sum(1)


def cosine(a, b):
    return (a * b).sum(1) / ((a * a).sum(1).sqrt() * (b * b).sum(1).sqrt())


MEANS = {
    "paper": lambda rows: sum(row.sum() / len(row) for row in rows),
    "released": lambda rows: sum(row.sum() for row in rows) / sum(map(len, rows)),
}


def reference_of(term, reduction="paper"):
    """The mean of each sum of the equation, from each modality's rows."""

    def reference(*inputs):
        z, heads, y = structure(inputs)
        frozen = SimpleNamespace(weight=heads.adv.weight.detach(), bias=heads.adv.bias.detach())
        sums = []
        for number, (m, (inv, inf, irr)) in enumerate(z.items()):
            own, even = torch.full((len(inv),), number), torch.full((len(inv), len(z)), 1 / len(z))
            told_apart, stopped = nll(heads.adv, inv, own), nll(heads.adv, inv.detach(), own)
            rows = {
                "cl": [nll(heads.task[m], torch.cat([inv, inf], 1), y[m])],
                "adv": [told_apart],
                "mod": [nll(heads.mod_inf, inf, own), nll(heads.mod_irr, irr, own)],
                "aux": [nll(heads.aux, inv, y[m]), nll(heads.aux, inf, y[m])],
                "orth": [cosine(inv, inf), cosine(inf, irr)],
                "confusion": [stopped, LAMBDA * nll(frozen, inv, even)],
                "discriminator": [stopped],
                "minimax": [-LAMBDA * told_apart],
            }
            sums.append(rows[term])
        total = sum(map(MEANS[reduction], zip(*sums, strict=True)))
        return total / 2 if (term, reduction) == ("mod", "released") else total  # one mean of both

    return reference


# ---------------------------------------------------------------- the cases

LEARN = {  # term → parts and heads that its gradient reaches
    "cl": (("inv", "inf"), "task"),
    "adv": (("inv",), "adv"),
    "mod": (("inf", "irr"), "mod"),
    "aux": (("inv", "inf"), "aux"),
    "orth": (PARTS, ""),
    "confusion": (("inv",), "adv"),
    "discriminator": ((), "adv"),
    "minimax": (("inv",), ""),
}
HEAD_PLACES = {"task": range(0, 4), "adv": range(4, 6), "mod": range(6, 10), "aux": range(10, 12)}


def positions(term, count=2):
    parts, heads = LEARN[term]
    places = [3 * m + PARTS.index(part) for m in range(count) for part in parts]
    return [*places, *(3 * count + k for k in HEAD_PLACES.get(heads, ()))]


def shuffled(*inputs):
    """Samples in another order, and a constant added to all logits."""
    rows = [torch.tensor([2, 0, 3, 1]), torch.tensor([1, 2, 0])]
    z = [x[rows[k // 3]] for k, x in enumerate(inputs[:6])]
    heads = [x + 3 if x.ndim == 1 else x for x in inputs[6:18]]
    return *z, *heads, *(y[rows[k]] for k, y in enumerate(inputs[18:]))


def twice(*inputs):
    return *(x.repeat(2, 1) for x in inputs[:6]), *inputs[6:18], *(y.repeat(2) for y in inputs[18:])


def other_modality_first(*inputs):
    return *inputs[3:6], *inputs[:3], *inputs[6:18], *inputs[:17:-1]


def other_labels(*inputs):
    return *inputs[:18], *((y + 1) % 4 for y in inputs[18:])


def longer(*inputs):
    return *((k + 2.0) * x for k, x in enumerate(inputs[:6])), *inputs[6:]


def blind(*inputs):
    """Heads whose logits are all 0, and parts that are one vector."""
    ones = [torch.ones_like(x) for x in inputs[:6]]
    return *ones, *(0 * x for x in inputs[6:18]), *inputs[18:]


def edges():
    usual = draw(0)
    yield draw(0, sizes=(1, 1))
    yield *usual[:18], *(0 * y for y in usual[18:])  # one class


def permuted(term, order):
    """The loss of a term with the parts inv, inf, irr in another order."""

    def loss(*inputs):
        return flat(term)(*(inputs[3 * m + k] for m in range(2) for k in order), *inputs[6:])

    return loss


WRONG = {
    "cl": {"other order": permuted("cl", (1, 0, 2)), "irr for inf": permuted("cl", (0, 2, 1))},
    "adv": {
        "no reversal": flat("adv", grl_lambda=-LAMBDA),
        "on inf": permuted("adv", (1, 0, 2)),
        "released targets": flat("adv", modality_targets="released"),
    },
    "mod": {
        "heads swapped": permuted("mod", (0, 2, 1)),
        "released targets": flat("mod", modality_targets="released"),
    },
    "aux": {"on irr": permuted("aux", (0, 2, 1))},
    "orth": {"inv and irr": permuted("orth", (1, 0, 2))},
    "confusion": {"reversal": flat("adv"), "λ forgotten": flat("confusion", grl_lambda=1.0)},
    "discriminator": {"on inf": permuted("discriminator", (1, 0, 2))},
    "minimax": {
        "the other sign": flat("minimax", grl_lambda=-LAMBDA),
        "λ forgotten": flat("minimax", grl_lambda=1.0),
    },
}
CLOSED = {  # with blind heads and equal vectors
    "cl": 2 * math.log(4),
    "adv": 2 * math.log(2),
    "mod": 4 * math.log(2),
    "aux": 4 * math.log(4),
    "orth": 4.0,
    "confusion": (1 + LAMBDA) * 2 * math.log(2),
    "discriminator": 2 * math.log(2),
    "minimax": -LAMBDA * 2 * math.log(2),
}
CHANGES = {"cl": other_labels, "aux": other_labels, "orth": None}


def case_of(term):
    different = CHANGES.get(term, other_modality_first)
    learns = positions(term)
    return Case(
        flat(term),
        reference_of(term),
        draw,
        [(blind(*draw(0)), CLOSED[term])],
        WRONG[term],
        students=learns,
        teachers=positions("minimax") if term == "discriminator" else (),
        reversed=dict.fromkeys(learns[:2], -LAMBDA) if term == "adv" else {},
        same=[shuffled, twice] + [longer] * (term == "orth") + [other_labels] * (term == "adv"),
        different=[different] if different else [],
        edges=list(edges()),
    )


CASES = {term: case_of(term) for term in LEARN}
# finite differences see both sums of the confusion loss at once; its gradient is that of the loops
CASES["confusion"].reversed.update(dict.fromkeys(CASES["confusion"].students, 1.0))


test_seven_checks = seven_checks(CASES)


@pytest.mark.parametrize(
    ("term", "reduction"),
    [*((term, "paper") for term in LEARN), *((term, "released") for term in OFFICIAL)],
)
def test_every_convention_is_that_of_the_loops(term, reduction):
    ours, theirs = flat(term, reduction=reduction), reference_of(term, reduction)
    inputs = draw(0, (2, 4, 3))
    torch.testing.assert_close(ours(*inputs), theirs(*inputs), rtol=1e-6, atol=1e-12)
