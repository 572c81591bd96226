"""Eqs. 2–6: numbers of the released code, three modalities, and the seven checks.

Inputs are inv, inf and irr of each modality, then heads, labels, and the settings of a term.
"""

import itertools
import math
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from golden_values import EXACT, assert_golden, golden, gradients
from harness import Case, Point, by_loops, classes_of, normal, seven_checks
from torch import nn

from discom import discom_kd
from discom.discom_kd import DisCoM, Embedding, Heads
from discom.losses import reverse_gradient

PARTS = ("inv", "inf", "irr")
# our term → the golden file's; our head → the golden file's
OFFICIAL = {"cl": "L_cl", "adv": "L_adv", "mod": "L_mod", "aux": "L_aux", "orth": "L_perp"}
HEADS = {"task.first": "task_cl", "task.second": "task_cl2", "aux": "task_cl3", "adv": "discr",
         "mod_inf": "task_dom", "mod_irr": "task_dom2"}  # fmt: skip
RELEASED = {"reduction": "released", "modality_targets": "released"}


def terms_of(z, heads, y, grl_lambda=1.0, reduction="paper", modality_targets="paper"):
    """The five terms of DisCoM-KD's loss."""
    targets = {"reduction": reduction, "modality_targets": modality_targets}
    inv, inf, irr = ({m: getattr(own, part) for m, own in z.items()} for part in PARTS)

    def said(head, part):
        return {m: head(own) for m, own in part.items()}

    own = {m: heads.task[m](torch.cat([inv[m], inf[m]], 1)) for m in z}
    hidden = said(lambda part: reverse_gradient(part, grl_lambda), inv)
    aux = said(heads.aux, inv), said(heads.aux, inf)
    return {
        "cl": discom_kd.task_loss(own, y, reduction),
        "adv": discom_kd.adversarial_loss(said(heads.adv, hidden), **targets),
        "mod": discom_kd.modality_loss(
            said(heads.mod_inf, inf), said(heads.mod_irr, irr), **targets
        ),
        "aux": discom_kd.auxiliary_loss(*aux, y, reduction),
        "orth": discom_kd.orthogonality_loss(inv, inf, irr, reduction),
    }


def embeddings_of(parts, y):
    return {m: Embedding(*parts[3 * k : 3 * k + 3]) for k, m in enumerate(y)}


def loss_of(term, order=(0, 1, 2), **fixed):
    """A term of flat inputs, with the parts in another order or other settings."""

    def loss(*inputs):
        *parts, heads, y, settings = inputs
        parts = [parts[3 * (k // 3) + order[k % 3]] for k in range(len(parts))]
        if parts[0].dtype != torch.float64:
            heads = deepcopy(heads).to(parts[0].dtype)
        return terms_of(embeddings_of(parts, y), heads, y, **{**settings, **fixed})[term]

    return loss


# ---------------------------------------------------------------- numbers of the released code


def copy_heads(inputs, heads):
    with torch.no_grad():
        for ours, theirs in HEADS.items():
            for name, values in inputs["heads"][theirs].items():
                heads.get_submodule(ours).get_parameter(name).copy_(values)
    return heads


def points_of_the_released_code(term):
    """Its own conventions, and the paper's equations on its numbers; the order of the modalities
    numbers them."""
    x, out = golden("06_discomkd")
    first, second = "first", "second"
    cases = [
        ((first, second), out[f"released_lambda_{scale}"], {"grl_lambda": scale, **RELEASED})
        for scale in (1, 0.3)
    ]
    for order in ((first, second), (second, first)):
        own = out[f"paper_integer_targets_first{order.index(first)}_second{order.index(second)}"]
        cases += [
            (order, own["convention_sum_over_modalities"], {}),
            (order, own["convention_released_concat_mean"], {"reduction": "released"}),
        ]
    for order, own, settings in cases:
        names = [f"z_{part}_{m}" for m in order for part in PARTS]
        found = own["grads"][OFFICIAL[term]]
        heads = copy_heads(x, Heads(list(order), 8, 5).double())
        inputs = *(x[name] for name in names), heads, {m: x[f"targets_{m}"] for m in order}
        known = {k: found[name] for k, name in enumerate(names)}
        yield Point((*inputs, settings), own[OFFICIAL[term]], known)


@pytest.mark.parametrize("scale", [1, 0.3])
def test_the_adversary_itself_learns_as_in_the_released_code(scale):
    point = next(points_of_the_released_code("adv"))
    head, own = point.inputs[6].adv, golden("06_discomkd").outputs[f"released_lambda_{scale}"]
    value = loss_of("adv", grl_lambda=scale)(*point.inputs)
    for found, name in zip(gradients(value, [*head.parameters()]), ("weight", "bias"), strict=True):
        torch.testing.assert_close(found, own[f"grad_L_adv_wrt_discr_{name}"], **EXACT)


def test_projection_and_prediction_of_the_released_code():
    """Inputs are [specific ‖ invariant] encoder outputs: Branch asks for the specific one first."""
    inputs, expected = golden("06b_discomkd_projhead")
    halves = itertools.cycle(torch.eye(32).split(16))

    def encoder(channels):
        half = nn.Linear(channels, 16, bias=False)
        half.weight.data = next(halves)
        return half, 16

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


# ---------------------------------------------------------------- three modalities


def one_mean(term, inputs, names):
    """Each sum of the equation as one mean over the rows of these modalities."""
    *parts, heads, y, _ = inputs
    z = embeddings_of(parts, y)
    inv, inf, irr = (torch.cat([getattr(z[m], part) for m in names]) for part in PARTS)
    both = [heads.task[m](torch.cat([z[m].inv, z[m].inf], 1)) for m in names]
    labels = torch.cat([y[m] for m in names])
    number = torch.cat([torch.full_like(y[m], list(y).index(m)) for m in names])
    ce, cosine = F.cross_entropy, F.cosine_similarity
    return {
        "cl": lambda: ce(torch.cat(both), labels),
        "adv": lambda: ce(heads.adv(inv), number),
        "mod": lambda: ce(heads.mod_inf(inf), number) + ce(heads.mod_irr(irr), number),
        "aux": lambda: ce(heads.aux(inv), labels) + ce(heads.aux(inf), labels),
        "orth": lambda: (cosine(inv, inf) + cosine(inf, irr)).mean(),
    }[term]()


def reference_of(term):
    """The paper adds up the means of the modalities, the released code takes one over all rows."""

    def reference(*inputs):
        *_, y, settings = inputs
        if settings["reduction"] == "paper":
            return sum(one_mean(term, inputs, [m]) for m in y)
        return one_mean(term, inputs, list(y)) / (2 if term == "mod" else 1)  # of both heads

    return reference


def draw(seed):
    """Batches differ in size; the second draw has the released code's reduction."""
    sizes = {"rgb": 2, "depth": 4, "thermal": 3}
    parts = [normal(n, 5, seed=10 * seed + n + k) for n in sizes.values() for k in (0, 20, 40)]
    heads = Heads(list(sizes), 5, 4).double()
    for k, weights in enumerate(heads.parameters()):
        weights.data = normal(*weights.shape, seed=100 * seed + k)
    y = {m: classes_of(4, n, seed=seed) for m, n in sizes.items()}
    return *parts, heads, y, {"grl_lambda": 0.7, "reduction": ("paper", "released")[seed]}


# ---------------------------------------------------------------- the cases


def shuffled(*inputs):
    """Samples in another order, and a constant added to all logits."""
    *parts, heads, y, settings = inputs
    heads = deepcopy(heads)
    for weights in heads.parameters():
        weights.data += 3 * (weights.ndim == 1)
    return *(z.flip(0) for z in parts), heads, {m: own.flip(0) for m, own in y.items()}, settings


def twice(*inputs):
    *parts, heads, y, settings = inputs
    labels = {m: own.repeat(2) for m, own in y.items()}
    return *(z.repeat(2, 1) for z in parts), heads, labels, settings


def longer(*inputs):
    return *((k + 2.0) * z for k, z in enumerate(inputs[:-3])), *inputs[-3:]


def blind():
    """Heads whose logits are all 0, and parts that are one vector."""
    *parts, heads, y, _ = draw(0)
    for weights in heads.parameters():
        weights.data.zero_()
    return *map(torch.ones_like, parts), heads, y, {}


def one_row():
    """A batch of one in each modality, so of one class."""
    *parts, heads, y, settings = next(points_of_the_released_code("cl")).inputs
    return *(z[:1] for z in parts), heads, {m: own[:1] for m, own in y.items()}, settings


WRONG = {
    "cl": {"other order": loss_of("cl", (1, 0, 2)), "irr for inf": loss_of("cl", (0, 2, 1))},
    "adv": {
        "no reversal": loss_of("adv", grl_lambda=-1),
        "on inf": loss_of("adv", (1, 0, 2)),
        "released targets": loss_of("adv", modality_targets="released"),
    },
    "mod": {
        "heads swapped": loss_of("mod", (0, 2, 1)),
        "released targets": loss_of("mod", modality_targets="released"),
    },
    "aux": {"on irr": loss_of("aux", (0, 2, 1))},
    "orth": {"inv and irr": loss_of("orth", (1, 0, 2))},
}
CLOSED = {"cl": 3 * math.log(4), "adv": 3 * math.log(3), "mod": 6 * math.log(3)}
CLOSED |= {"aux": 6 * math.log(4), "orth": 6.0}  # with blind heads and equal vectors


def case_of(term):
    reversed_ = dict.fromkeys(range(0, 9, 3), -0.7) if term == "adv" else {}
    loops = by_loops(reference_of(term), draw, range(9), reversed_)
    return Case(
        loss_of(term),
        [*points_of_the_released_code(term), *loops],
        [(blind(), CLOSED[term])],
        WRONG[term],
        teachers=(),
        unlike=range(0, 6, 3) if term == "adv" else (),
        same=[shuffled, twice] + [longer] * (term == "orth"),
        edges=[one_row()],
    )


test_seven_checks = seven_checks({term: case_of(term) for term in OFFICIAL})


def test_orthogonality_keeps_its_digits_in_half_precision():
    """Of parts in bf16 the cosine had two."""
    generator = torch.Generator().manual_seed(0)
    parts = [{"rgb": torch.randn(64, 32, generator=generator).bfloat16()} for _ in range(3)]
    exact = discom_kd.orthogonality_loss(*({"rgb": part["rgb"].double()} for part in parts))
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            value = discom_kd.orthogonality_loss(*parts)
        torch.testing.assert_close(value.double(), exact, rtol=0, atol=1e-6)
