"""Golden vectors of the released code, and the seven checks, for Eqs. 2–6. Letters: B batch, D
width, C classes."""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from discom.losses import disentangle
from discom.losses.disentangle import reverse_gradient
from discom.models import DisCoM, Embedding, Heads

GOLDEN = Path(__file__).parents[1] / "golden"
TERMS = ("cl", "adv", "mod", "aux", "orth")
PARTS = ("inv", "inf", "irr")
CONVENTIONS = [(r, t) for r in ("paper", "released") for t in ("paper", "released")]
EXACT = {"rtol": 1e-9, "atol": 1e-10}
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=25)

# ---------------------------------------------------------------- 0. golden vectors of the released
# code

# our term → the golden file's
OFFICIAL = {"cl": "L_cl", "adv": "L_adv", "mod": "L_mod", "aux": "L_aux", "orth": "L_perp"}
# our head → the golden file's
HEADS = {"task.first": "task_cl", "task.second": "task_cl2", "aux": "task_cl3", "adv": "discr",
         "mod_inf": "task_dom", "mod_irr": "task_dom2"}  # fmt: skip


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture(scope="module")
def golden():
    return json.loads((GOLDEN / "06_discomkd.json").read_text())


@pytest.fixture(scope="module")
def golden_project():
    return json.loads((GOLDEN / "06b_discomkd_projhead.json").read_text())


def golden_heads(inputs, heads):
    with torch.no_grad():
        for ours, theirs in HEADS.items():
            for name, values in inputs["heads"][theirs].items():
                heads.get_submodule(ours).get_parameter(name).copy_(tensor(values))
    return heads


def golden_case(inputs, order=("first", "second")):
    z = {
        m: Embedding(*(tensor(inputs[f"z_{p}_{m}"]).requires_grad_() for p in PARTS)) for m in order
    }
    heads = golden_heads(inputs, Heads(list(order), 8, 5).double())
    return z, heads, {m: torch.tensor(inputs[f"targets_{m}"]) for m in order}


def assert_golden(values, z, expected):
    """Every term and the total, and the gradient of each with respect to every embedding."""
    for term, value in {**values, "total": sum(values.values())}.items():
        theirs = OFFICIAL.get(term, term)
        assert value.item() == pytest.approx(expected[theirs], rel=1e-9, abs=1e-10), term
        leaves = {f"z_{p}_{m}": getattr(z[m], p) for m in z for p in PARTS}
        grads = torch.autograd.grad(
            value, list(leaves.values()), retain_graph=True, materialize_grads=True
        )
        for (name, leaf), grad in zip(leaves.items(), grads, strict=True):
            assert grad.shape == leaf.shape
            torch.testing.assert_close(
                grad, tensor(expected["grads"][theirs][name]), msg=f"{term} {name}", **EXACT
            )


@pytest.mark.parametrize("grl_lambda", [1, 0.3])
def test_released_code(golden, grl_lambda):
    z, heads, y = golden_case(golden["inputs"])
    expected = golden["outputs"][f"released_lambda_{grl_lambda}"]
    values = disentangle.terms(
        z, heads, y, grl_lambda=grl_lambda, reduction="released", modality_targets="released"
    )
    assert_golden(values, z, expected)
    head = [heads.adv.weight, heads.adv.bias]
    for grad, name in zip(
        torch.autograd.grad(values["adv"], head), ("weight", "bias"), strict=True
    ):
        torch.testing.assert_close(grad, tensor(expected[f"grad_L_adv_wrt_discr_{name}"]), **EXACT)


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
@pytest.mark.parametrize(
    ("reduction", "convention"),
    [("paper", "convention_sum_over_modalities"), ("released", "convention_released_concat_mean")],
)
def test_paper_equations(golden, order, reduction, convention):
    """The order numbers the modalities; output k of a modality head is modality number k, so no
    head is touched."""
    z, heads, y = golden_case(golden["inputs"], order)
    numbers = f"paper_integer_targets_first{order.index('first')}_second{order.index('second')}"
    assert_golden(
        disentangle.terms(z, heads, y, reduction=reduction),
        z,
        golden["outputs"][numbers][convention],
    )


def test_reordering_modalities_and_the_heads_outputs_changes_nothing(golden):
    z, heads, y = golden_case(golden["inputs"], ("second", "first"))
    with torch.no_grad():
        for head in (heads.adv, heads.mod_inf, heads.mod_irr):
            head.weight.copy_(head.weight.flip(0))
            head.bias.copy_(head.bias.flip(0))
    expected = golden["outputs"]["paper_integer_targets_first0_second1"][
        "convention_sum_over_modalities"
    ]
    assert_golden(disentangle.terms(z, heads, y), z, expected)


class Columns(nn.Module):
    """Columns of the input, in place of an encoder."""

    def __init__(self, start, stop):
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x):
        return x[:, self.start : self.stop]


def column_encoder():
    """An encoder function for x = [specific output ‖ invariant output]: Branch asks for the
    specific one first."""
    made = []

    def encoder(channels):
        made.append(Columns(0, 16) if len(made) % 2 == 0 else Columns(16, 32))
        return made[-1], 16

    return encoder


def projected_case(inputs):
    model = DisCoM({"first": 32, "second": 32}, 5, column_encoder()).double()
    golden_heads(inputs, model.heads)
    with torch.no_grad():
        for m, branch in model.branches.items():
            for ours, theirs in (("0", "l1"), ("1", "bn")):
                for name in ("weight", "bias"):
                    values = tensor(inputs[f"proj_{m}"][f"{theirs}_{name}"])
                    branch.project.get_submodule(ours).get_parameter(name).copy_(values)
    x = {
        m: [tensor(inputs[f"{k}_{m}"]).requires_grad_() for k in ("z_inf", "z_irr", "enc_inv")]
        for m in model.branches
    }
    return model, x


def test_projection_of_the_released_code(golden_project):
    inputs, expected = golden_project["inputs"], golden_project["outputs"]
    model, x = projected_case(inputs)
    z = {m: model.embed(m, torch.cat(parts, 1)) for m, parts in x.items()}
    for m in z:
        torch.testing.assert_close(z[m].inv, tensor(expected[f"z_inv_{m}"]), **EXACT)
        assert torch.equal(z[m].inf, x[m][0])
        assert torch.equal(z[m].irr, x[m][1])
    y = {m: torch.tensor(inputs[f"targets_{m}"]) for m in z}
    values = disentangle.terms(z, model.heads, y, reduction="released", modality_targets="released")
    aux = expected["L_aux_inf"] + expected["L_aux_inv"]
    for term, value in values.items():
        assert value.item() == pytest.approx(
            aux if term == "aux" else expected[OFFICIAL[term]], rel=1e-9, abs=1e-10
        )
    total = sum(values.values())
    assert total.item() == pytest.approx(expected["total"], rel=1e-9)
    total.backward()
    for m, leaves in x.items():
        for name, leaf in zip(("z_inf", "z_irr", "enc_inv"), leaves, strict=True):
            torch.testing.assert_close(leaf.grad, tensor(expected["grads"][f"{name}_{m}"]), **EXACT)
    norm = model.branches["first"].project[1]
    torch.testing.assert_close(norm.running_mean, tensor(expected["running_mean_first"]), **EXACT)
    torch.testing.assert_close(norm.running_var, tensor(expected["running_var_first"]), **EXACT)
    assert norm.num_batches_tracked == 1


def test_prediction_of_the_released_code_after_one_training_step(golden_project):
    model, x = projected_case(golden_project["inputs"])
    images = {m: torch.cat(parts, 1).detach() for m, parts in x.items()}
    for m, image in images.items():
        model.embed(m, image)  # one forward in training mode moves the running statistics
    model.eval()
    for m, image in images.items():
        expected = tensor(golden_project["outputs"][f"eval_pred_{m}"])
        torch.testing.assert_close(model.predict(m, image), expected, **EXACT)
        torch.testing.assert_close(model.branch(m)(image), expected, **EXACT)


# ---------------------------------------------------------------- 1. reference: the equations, in
# loops


def nll(head, row, target):
    """-Σ_k t_k log p_k of one row; `target` is a class, or the list of all t_k."""
    logits = head.weight @ row + head.bias
    logp = logits - logits.max() - (logits - logits.max()).exp().sum().log()
    return (
        -sum(t * lp for t, lp in zip(target, logp, strict=True))
        if isinstance(target, list)
        else -logp[target]
    )


def cos(a, b):
    return (a * b).sum() / ((a * a).sum().sqrt() * (b * b).sum().sqrt())


def reference(term, z, heads, y, reduction="paper", targets="paper"):
    def per_modality(loss):
        return [[loss(n, m, i) for i in range(len(z[m].inv))] for n, m in enumerate(z)]

    def tell(head, part):  # classify the modality from one part
        target = [n if targets == "paper" else [float(n == 0)] * len(z) for n in range(len(z))]
        return per_modality(lambda n, m, i: nll(head, getattr(z[m], part)[i], target[n]))

    def pair(one, two):
        return per_modality(lambda n, m, i: cos(getattr(z[m], one)[i], getattr(z[m], two)[i]))

    def mean(losses):
        if reduction == "paper":
            return sum(sum(rows) / len(rows) for rows in losses)
        return sum(sum(rows) for rows in losses) / sum(len(rows) for rows in losses)

    if term == "cl":
        both = {m: torch.cat([z[m].inv, z[m].inf], 1) for m in z}
        return mean(per_modality(lambda n, m, i: nll(heads.task[m], both[m][i], y[m][i])))
    if term == "adv":
        return mean(tell(heads.adv, "inv"))
    if term == "mod":
        return mean(tell(heads.mod_inf, "inf") + tell(heads.mod_irr, "irr"))
    if term == "aux":
        parts = (
            per_modality(lambda n, m, i, p=p: nll(heads.aux, getattr(z[m], p)[i], y[m][i]))
            for p in PARTS[:2]
        )
        return sum(mean(losses) for losses in parts)
    return mean(pair("inv", "inf")) + mean(pair("inf", "irr"))


def compute(term, z, heads, y, reduction="paper", targets="paper", grl_lambda=1.0):
    """The package's function for a term."""
    modality = {"reduction": reduction, "modality_targets": targets}
    match term:
        case "cl":
            return disentangle.task_loss(z, heads, y, reduction)
        case "adv":
            return disentangle.adversarial_loss(z, heads, grl_lambda=grl_lambda, **modality)
        case "mod":
            return disentangle.modality_loss(z, heads, **modality)
        case "aux":
            return disentangle.auxiliary_loss(z, heads, y, reduction)
        case "orth":
            return disentangle.orthogonality_loss(z, reduction)


def case(sizes=(5, 3), width=6, classes=4, seed=0, dtype=torch.float64):
    """Embeddings of a batch size for each modality, heads and labels, all drawn from the seed."""
    draw = torch.Generator().manual_seed(seed)
    names = ["rgb", "depth", "thermal", "sar"][: len(sizes)]

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    z = {
        m: Embedding(*(normal(b, width).to(dtype).requires_grad_() for _ in PARTS))
        for m, b in zip(names, sizes, strict=True)
    }
    heads = Heads(names, width, classes).to(dtype)
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter.copy_(normal(*parameter.shape))
    return z, heads, {m: torch.randint(classes, (len(z[m].inv),), generator=draw) for m in names}


def doubles(z, heads, y):
    """The same numbers in float64."""
    exact = {
        m: Embedding(*(part.detach().double().requires_grad_() for part in e)) for m, e in z.items()
    }
    copy = Heads(list(z), next(iter(z.values())).inv.shape[1], heads.aux.out_features).double()
    copy.load_state_dict({k: v.double() for k, v in heads.state_dict().items()})
    return exact, copy, y


def assert_equals_reference(loss, term, data, reduction="paper", targets="paper", grl_lambda=1.0):
    """Value, and gradients with respect to every embedding and every head; the reversal turns those
    of L_adv."""
    z, heads, y = data
    ours = loss(z, heads, y, reduction=reduction, targets=targets, grl_lambda=grl_lambda)
    theirs = reference(term, z, heads, y, reduction, targets)
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-12)
    leaves = {f"{m} {p}": getattr(z[m], p) for m in z for p in PARTS} | dict(
        heads.named_parameters()
    )
    found, expected = (
        torch.autograd.grad(value, list(leaves.values()), allow_unused=True, materialize_grads=True)
        for value in (ours, theirs)
    )
    for name, one, two in zip(leaves, found, expected, strict=True):
        sign = -grl_lambda if term == "adv" and " inv" in name else 1
        torch.testing.assert_close(
            one, sign * two, rtol=1e-6, atol=1e-12, msg=f"gradient of {name}"
        )


def ours(term):
    return lambda z, heads, y, **options: compute(term, z, heads, y, **options)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("sizes", [(5, 3), (2, 4, 3)])
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_equals_the_loop_reference(term, sizes, reduction, targets):
    assert_equals_reference(ours(term), term, case(sizes), reduction, targets, grl_lambda=0.7)


@pytest.mark.parametrize("sizes", [(5, 3), (2, 4, 3)])
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_terms_are_the_functions(sizes, reduction, targets):
    z, heads, y = case(sizes)
    values = disentangle.terms(
        z, heads, y, grl_lambda=0.7, reduction=reduction, modality_targets=targets
    )
    assert tuple(values) == TERMS
    for term, value in values.items():
        assert value.item() == compute(term, z, heads, y, reduction, targets, 0.7).item()


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_lower_precision(term, dtype, tolerance, reduction, targets):
    """The reference takes the rounded numbers in float64; a cosine near 0 has no relative error,
    hence its bound."""
    data = case((8, 6), dtype=dtype)
    value = compute(term, *data, reduction, targets)
    assert value.dtype == dtype
    expected = reference(term, *doubles(*data), reduction, targets).item()
    assert value.item() == pytest.approx(
        expected, rel=tolerance, abs=4 * tolerance if term == "orth" else 0
    )


@pytest.mark.parametrize("term", TERMS)
def test_autocast(term):
    data = case((8, 6), dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        value = compute(term, *data)
    expected = reference(term, *doubles(*data)).item()
    assert value.item() == pytest.approx(expected, rel=1e-2, abs=4e-2 if term == "orth" else 0)


# ---------------------------------------------------------------- 2. closed forms


def silence(heads):
    for parameter in heads.parameters():
        nn.init.zeros_(parameter)
    return heads


@pytest.mark.parametrize("sizes", [(5, 3), (2, 4, 3)])
def test_silent_heads_give_logarithms(sizes):
    z, heads, y = case(sizes, classes=4)
    values = disentangle.terms(z, silence(heads), y)
    count, log_m, log_c = len(sizes), math.log(len(sizes)), math.log(4)
    expected = {
        "cl": count * log_c,
        "adv": count * log_m,
        "mod": 2 * count * log_m,
        "aux": 2 * count * log_c,
    }
    assert {k: values[k].item() for k in expected} == pytest.approx(expected)
    values = disentangle.terms(z, heads, y, reduction="released")
    expected = {"cl": log_c, "adv": log_m, "mod": log_m, "aux": 2 * log_c}
    assert {k: values[k].item() for k in expected} == pytest.approx(expected)


@pytest.mark.parametrize("count", [2, 3])
def test_silent_heads_with_released_targets(count):
    """-Σ_k log(1/M) = M log M on the first modality, 0 on the others: log M for equal batches in
    one mean."""
    z, heads, y = case((4,) * count)
    for reduction, adv, mod in (("released", 1, 1), ("paper", count, 2 * count)):
        values = disentangle.terms(
            z, silence(heads), y, reduction=reduction, modality_targets="released"
        )
        assert values["adv"].item() == pytest.approx(adv * math.log(count))
        assert values["mod"].item() == pytest.approx(mod * math.log(count))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    ("inv", "irr", "cosines"), [(1, 1, 2), (-1, -1, -2), (1, -1, 0), (2, 0.5, 2)]
)
def test_parallel_and_opposed_embeddings(count, inv, irr, cosines):
    z, _, _ = case((4,) * count)
    z = {m: Embedding(inv * e.inf, e.inf, irr * e.inf) for m, e in z.items()}
    assert disentangle.orthogonality_loss(z).item() == pytest.approx(cosines * count, abs=1e-12)
    assert disentangle.orthogonality_loss(z, "released").item() == pytest.approx(cosines, abs=1e-12)


def test_orthogonal_embeddings_give_zero_whatever_inv_and_irr_do():
    inv, inf = torch.eye(2, 8).expand(2, 3, 2, 8).unbind(2)
    z = {m: Embedding(inv[i], inf[i], inv[i]) for i, m in enumerate(("rgb", "depth"))}
    assert disentangle.orthogonality_loss(z).item() == 0


def test_perfect_heads_give_zero():
    """Modality and class written into the embedding: every classification term vanishes."""
    y = {"rgb": torch.tensor([0, 1, 2]), "depth": torch.tensor([2, 0])}
    z = {}
    for number, (m, labels) in enumerate(y.items()):
        part = torch.cat(
            [F.one_hot(labels, 4), F.one_hot(torch.full_like(labels, number), 2)], 1
        ).double()
        z[m] = Embedding(part, part, part)
    heads = silence(Heads(list(y), 6, 4).double())
    with torch.no_grad():
        for head in (heads.adv, heads.mod_inf, heads.mod_irr):
            head.weight[:, 4:] = 100 * torch.eye(2)
        for head in (heads.aux, *heads.task.values()):
            head.weight[:, :4] = 100 * torch.eye(4)
    values = disentangle.terms(z, heads, y)
    assert all(
        values[term].item() == pytest.approx(0, abs=1e-30) for term in ("cl", "adv", "mod", "aux")
    )


# ---------------------------------------------------------------- 3. gradients

USES = {
    "cl": ("inv", "inf"),
    "adv": ("inv",),
    "mod": ("inf", "irr"),
    "aux": ("inv", "inf"),
    "orth": PARTS,
}


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_gradcheck(term, reduction, targets):
    """With λ = -1 the reversal is the identity both ways, so finite differences hold for L_adv
    too."""
    z, heads, y = case((3, 2), width=4, classes=3)
    leaves = [part for e in z.values() for part in e] + list(heads.parameters())

    def value(*_):  # gradcheck moves the leaves in place
        return compute(term, z, heads, y, reduction, targets, grl_lambda=-1.0)

    assert torch.autograd.gradcheck(value, leaves)


@pytest.mark.parametrize("term", TERMS)
def test_gradients_are_finite_and_reach_the_parts_that_the_equation_names(term):
    z, heads, y = case((5, 4, 3))
    compute(term, z, heads, y).backward()
    for m, e in z.items():
        for part in PARTS:
            grad = getattr(e, part).grad
            if part in USES[term]:
                assert grad.isfinite().all(), (m, part)
                assert grad.abs().sum(1).min() > 0, (m, part)  # every row
            else:
                assert grad is None, (m, part)


def test_released_targets_leave_the_later_modalities_without_gradient():
    z, heads, y = case((5, 4, 3))
    options = {"reduction": "released", "targets": "released"}
    (compute("adv", z, heads, y, **options) + compute("mod", z, heads, y, **options)).backward()
    for number, e in enumerate(z.values()):
        for part in e:
            assert (part.grad.abs().sum() > 0) == (number == 0)


@pytest.mark.parametrize("grl_lambda", [1.0, 0.3, 0.0, 2.5])
def test_reversal_turns_the_encoders_gradient_and_not_the_heads(grl_lambda):
    z, heads, y = case()

    def grads(strength):
        leaves = [z["rgb"].inv, z["depth"].inv, heads.adv.weight, heads.adv.bias]
        return torch.autograd.grad(compute("adv", z, heads, y, grl_lambda=strength), leaves)

    plain = grads(-1.0)
    for number, (one, two) in enumerate(zip(grads(grl_lambda), plain, strict=True)):
        assert two.abs().max() > 1e-3
        torch.testing.assert_close(one, -grl_lambda * two if number < 2 else two)


def test_reversal_is_the_identity_forward():
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(reverse_gradient(z, 0.2), z)


# ---------------------------------------------------------------- 4. scale


def double(z, y, names):
    z = {
        m: Embedding(*(torch.cat([part, part]) for part in e)) if m in names else e
        for m, e in z.items()
    }
    return z, {m: torch.cat([v, v]) if m in names else v for m, v in y.items()}


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_value_does_not_depend_on_the_batch_size(term, reduction, targets):
    z, heads, y = case((5, 3, 4))
    twice, y2 = double(z, y, list(z))
    assert compute(term, twice, heads, y2, reduction, targets).item() == pytest.approx(
        compute(term, z, heads, y, reduction, targets).item(), rel=1e-12
    )


@pytest.mark.parametrize("term", TERMS)
def test_a_larger_modality_counts_for_more_only_in_the_released_reduction(term):
    z, heads, y = case((5, 3))
    twice, y2 = double(z, y, ["rgb"])
    for reduction in ("paper", "released"):
        same = compute(term, twice, heads, y2, reduction).item() == pytest.approx(
            compute(term, z, heads, y, reduction).item(), rel=1e-9
        )
        assert same == (reduction == "paper")


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("count", [2, 3])
def test_released_over_paper_reduction(term, count):
    z, heads, y = case((4,) * count)
    ratio = (
        compute(term, z, heads, y, "paper").item() / compute(term, z, heads, y, "released").item()
    )
    assert ratio == pytest.approx(2 * count if term == "mod" else count)


def test_term_weights_scale_linearly():
    z, heads, y = case()
    leaves = [part for e in z.values() for part in e]
    values = disentangle.terms(z, heads, y)

    def grads(loss):
        parts = torch.autograd.grad(loss, leaves, retain_graph=True, materialize_grads=True)
        return torch.cat([part.flatten() for part in parts])

    weights = dict(zip(TERMS, (0.5, 2.0, 0.0, 3.0, -1.0), strict=True))
    expected = sum(weight * grads(values[term]) for term, weight in weights.items())
    torch.testing.assert_close(grads(sum(w * values[t] for t, w in weights.items())), expected)


# ---------------------------------------------------------------- 5. what changes nothing, and what
# must


@seeded
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.integers(0, 1000),
    st.sampled_from(CONVENTIONS),
    st.data(),
)
def test_order_of_samples_changes_nothing(sizes, seed, convention, data):
    z, heads, y = case(sizes, seed=seed)
    rows = {m: torch.tensor(data.draw(st.permutations(range(len(y[m]))))) for m in z}
    moved = {m: Embedding(*(part[rows[m]] for part in e)) for m, e in z.items()}
    for term in TERMS:
        before = compute(term, z, heads, y, *convention).item()
        after = compute(term, moved, heads, {m: y[m][rows[m]] for m in y}, *convention).item()
        assert after == pytest.approx(before, rel=1e-12, abs=1e-12)


@seeded
@given(st.integers(0, 1000), st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_cosines_do_not_see_the_length(seed, factors):
    z, _, _ = case((4, 3), seed=seed)
    scaled = {
        m: Embedding(*(k * part for k, part in zip(factors, e, strict=True))) for m, e in z.items()
    }
    before = disentangle.orthogonality_loss(z).item()
    assert disentangle.orthogonality_loss(scaled).item() == pytest.approx(
        before, rel=1e-9, abs=1e-12
    )


@seeded
@given(st.integers(0, 1000), st.floats(-100, 100), st.sampled_from(CONVENTIONS))
def test_a_constant_added_to_all_logits_changes_nothing(seed, constant, convention):
    z, heads, y = case((4, 3), seed=seed)
    before = {term: compute(term, z, heads, y, *convention).item() for term in TERMS}
    with torch.no_grad():
        for name, parameter in heads.named_parameters():
            if name.endswith("bias"):
                parameter.add_(constant)
    for term in TERMS:
        assert compute(term, z, heads, y, *convention).item() == pytest.approx(
            before[term], rel=1e-9, abs=1e-10
        )


@seeded
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.integers(0, 1000),
    st.sampled_from(CONVENTIONS),
)
def test_bounds(sizes, seed, convention):
    z, heads, y = case(sizes, seed=seed)
    values = {term: compute(term, z, heads, y, *convention).item() for term in TERMS}
    assert all(values[term] >= 0 for term in TERMS if term != "orth")
    assert abs(values["orth"]) <= (2 * len(sizes) if convention[0] == "paper" else 2) + 1e-12


@pytest.mark.parametrize(
    ("term", "changes"), [("cl", True), ("aux", True), ("adv", False), ("mod", False)]
)
def test_labels_of_the_class_matter_where_they_should(term, changes):
    z, heads, y = case((4, 4))
    swapped = {m: (labels + 1) % 4 for m, labels in y.items()}
    difference = compute(term, z, heads, swapped).item() - compute(term, z, heads, y).item()
    assert (abs(difference) > 1e-3) == changes


@pytest.mark.parametrize("targets", ["paper", "released"])
@pytest.mark.parametrize(
    ("term", "changes"),
    [("adv", True), ("mod", True), ("cl", False), ("aux", False), ("orth", False)],
)
def test_order_of_modalities_matters_where_it_should(term, changes, targets):
    z, heads, y = case((5, 3))
    turned = dict(reversed(z.items()))
    difference = compute(term, turned, heads, y, targets=targets) - compute(
        term, z, heads, y, targets=targets
    )
    assert (abs(difference.item()) > 1e-3) == changes


# ---------------------------------------------------------------- 6. edges


def identical_rows(z):
    return {
        m: Embedding(*(part.detach()[:1].expand(4, -1).clone().requires_grad_() for part in e))
        for m, e in z.items()
    }


def edge(name):
    z, heads, y = case((4, 4), dtype=torch.float32)
    if name == "batch of one":
        return case((1, 1), dtype=torch.float32)
    if name == "one class":
        return z, heads, {m: torch.zeros_like(labels) for m, labels in y.items()}
    if name == "identical rows":
        return identical_rows(z), heads, y
    if name == "zero embeddings":
        return (
            {
                m: Embedding(*(torch.zeros_like(p, requires_grad=True) for p in e))
                for m, e in z.items()
            },
            heads,
            y,
        )
    for number, parameter in enumerate(heads.parameters()):  # logits of ±1e4
        nn.init.constant_(parameter, 0.0)
        if parameter.ndim == 1:
            with torch.no_grad():
                parameter += 1e4 * torch.tensor(
                    [(-1.0) ** (number // 2 + k) for k in range(len(parameter))]
                )
    return z, heads, y


@pytest.mark.parametrize(
    "name", ["batch of one", "one class", "identical rows", "zero embeddings", "logits of 1e4"]
)
@pytest.mark.parametrize(("reduction", "targets"), CONVENTIONS)
def test_edges_stay_finite(name, reduction, targets):
    z, heads, y = edge(name)
    values = disentangle.terms(z, heads, y, reduction=reduction, modality_targets=targets)
    assert all(value.isfinite() for value in values.values())
    sum(values.values()).backward()
    assert all(part.grad.isfinite().all() for e in z.values() for part in e)
    assert all(parameter.grad.isfinite().all() for parameter in heads.parameters())
    if name == "zero embeddings":
        assert values["orth"] == 0
    if (
        name == "logits of 1e4"
    ):  # one modality is told for sure, the other is 2e4 off; no overflow on the way
        assert values["adv"].item() == pytest.approx(2e4 if reduction == "paper" else 1e4)


def wrong_input(name):
    z, heads, y = case((4, 3))
    match name:
        case "one modality":
            return ({"rgb": z["rgb"]}, heads, y), {}, "embeddings"
        case "modality missing":
            return ({m: z[m] for m in ("rgb", "depth")}, case((4, 3, 2))[1], y), {}, "embeddings"
        case "modality too many":
            return (case((4, 3, 2))[0], heads, {**y, "thermal": y["rgb"][:2]}), {}, "embeddings"
        case "labels missing":
            return (
                (z, heads, {"rgb": y["rgb"]}),
                {},
                "labels: no labels for 3 embeddings of 'depth'",
            )
        case "labels of another size":
            return (
                (z, heads, {**y, "depth": y["rgb"]}),
                {},
                "labels: 4 labels for 3 embeddings of 'depth'",
            )
        case "reduction":
            return (z, heads, y), {"reduction": "mean"}, "reduction: 'mean' is unknown"
        case "modality_targets":
            return (
                (z, heads, y),
                {"modality_targets": "ones"},
                "modality_targets: 'ones' is unknown",
            )


@pytest.mark.parametrize(
    "name",
    ["one modality", "modality missing", "modality too many", "labels missing", "labels of another size", "reduction",
     "modality_targets"],
)  # fmt: skip
def test_wrong_input_is_named(name):
    arguments, options, message = wrong_input(name)
    with pytest.raises(ValueError, match=f"^{message}"):
        disentangle.terms(*arguments, **options)


# ---------------------------------------------------------------- 7. mutations: wrong copies must
# be caught


def tell(head, parts, numbers, reverse=None):
    """Modality cross-entropy of a list of parts against a list of numbers, in the paper's
    convention."""
    if reverse is not None:
        parts = [reverse_gradient(part, reverse) for part in parts]
    pairs = zip(parts, numbers, strict=True)
    return sum(F.cross_entropy(head(part), torch.full((len(part),), k)) for part, k in pairs)


def part(z, name):
    return [getattr(e, name) for e in z.values()]


def classify(head, parts, y):
    return sum(
        F.cross_entropy(head(part), labels) for part, labels in zip(parts, y.values(), strict=True)
    )


def task(z, heads, y, one="inv", two="inf", turn=False):
    names = list(z)
    chosen = dict(zip(names, reversed(names) if turn else names, strict=True))
    joined = {m: torch.cat([getattr(e, one), getattr(e, two)], 1) for m, e in z.items()}
    return sum(F.cross_entropy(heads.task[chosen[m]](joined[m]), y[m]) for m in z)


def cosines(z, one, two):
    return sum(F.cosine_similarity(getattr(e, one), getattr(e, two)).mean() for e in z.values())


def real(term, **changes):
    return lambda z, h, y, **o: compute(term, z, h, y, **{**o, **changes})


# name → (term, reduction, modality targets, the wrong copy)
MUTANTS = {
    "cl: mean for sum": ("cl", "paper", "paper", lambda z, h, y, **_: task(z, h, y) / len(z)),
    "cl: released for paper": ("cl", "paper", "paper", real("cl", reduction="released")),
    "cl: paper for released": ("cl", "released", "paper", real("cl", reduction="paper")),
    "cl: parts in the other order": ("cl", "paper", "paper", lambda z, h, y, **_: task(z, h, y, "inf", "inv")),
    "cl: irr for inf": ("cl", "paper", "paper", lambda z, h, y, **_: task(z, h, y, "inv", "irr")),
    "cl: the other modality's head": ("cl", "paper", "paper", lambda z, h, y, **_: task(z, h, y, turn=True)),
    "cl: inf detached": ("cl", "paper", "paper", lambda z, h, y, **_: task(
        {m: Embedding(e.inv, e.inf.detach(), e.irr) for m, e in z.items()}, h, y)),
    "cl: returns 0": ("cl", "paper", "paper", lambda z, h, y, **_: 0 * task(z, h, y)),
    "adv: no reversal": ("adv", "paper", "paper", lambda z, h, y, **_: tell(h.adv, part(z, "inv"), range(len(z)))),
    "adv: no reversal, released": ("adv", "released", "released", real("adv", grl_lambda=-1.0)),
    "adv: λ forgotten": ("adv", "paper", "paper", real("adv", grl_lambda=1.0)),
    "adv: λ twice": ("adv", "paper", "paper", real("adv", grl_lambda=0.7**2)),
    "adv: loss negated": ("adv", "paper", "paper", lambda z, h, y, **_: -tell(h.adv, part(z, "inv"), range(len(z)))),
    "adv: modalities swapped": ("adv", "paper", "paper", lambda z, h, y, grl_lambda, **_: tell(
        h.adv, part(z, "inv"), reversed(range(len(z))), grl_lambda)),
    "adv: on inf": ("adv", "paper", "paper", lambda z, h, y, grl_lambda, **_: tell(
        h.adv, part(z, "inf"), range(len(z)), grl_lambda)),
    "adv: the head of mod": ("adv", "paper", "paper", lambda z, h, y, grl_lambda, **_: tell(
        h.mod_inf, part(z, "inv"), range(len(z)), grl_lambda)),
    "adv: released targets for integers": ("adv", "paper", "paper", real("adv", targets="released")),
    "adv: integers for released targets": ("adv", "released", "released", real("adv", targets="paper")),
    "mod: with reversal": ("mod", "paper", "paper", lambda z, h, y, **_: tell(
        h.mod_inf, part(z, "inf"), range(len(z)), 1.0) + tell(h.mod_irr, part(z, "irr"), range(len(z)))),
    "mod: one head for both": ("mod", "paper", "paper", lambda z, h, y, **_: tell(
        h.mod_inf, part(z, "inf") + part(z, "irr"), [*range(len(z))] * 2)),
    "mod: heads swapped": ("mod", "paper", "paper", lambda z, h, y, **_: tell(
        h.mod_irr, part(z, "inf"), range(len(z))) + tell(h.mod_inf, part(z, "irr"), range(len(z)))),
    "mod: without irr": ("mod", "paper", "paper", lambda z, h, y, **_: tell(
        h.mod_inf, part(z, "inf"), range(len(z)))),
    "mod: inv for irr": ("mod", "paper", "paper", lambda z, h, y, **_: tell(
        h.mod_inf, part(z, "inf"), range(len(z))) + tell(h.mod_irr, part(z, "inv"), range(len(z)))),
    "mod: mean for sum": ("mod", "paper", "paper", lambda z, h, y, **o: real("mod")(z, h, y, **o) / len(z)),
    "mod: two means for one": ("mod", "released", "paper", lambda z, h, y, **o: 2 * real("mod")(z, h, y, **o)),
    "mod: released targets for integers": ("mod", "paper", "paper", real("mod", targets="released")),
    "mod: integers for released targets": ("mod", "released", "released", real("mod", targets="paper")),
    "aux: on irr": ("aux", "paper", "paper", lambda z, h, y, **_: classify(
        h.aux, part(z, "inv"), y) + classify(h.aux, part(z, "irr"), y)),
    "aux: on irr too": ("aux", "paper", "paper", lambda z, h, y, **o: compute(
        "aux", z, h, y) + classify(h.aux, part(z, "irr"), y)),
    "aux: without inv": ("aux", "paper", "paper", lambda z, h, y, **_: classify(h.aux, part(z, "inf"), y)),
    "aux: mean of the parts": ("aux", "paper", "paper", lambda z, h, y, **_: compute("aux", z, h, y) / 2),
    "aux: one mean over both parts": ("aux", "released", "paper", lambda z, h, y, **o: compute(
        "aux", z, h, y, "released") / 2),
    "aux: head frozen": ("aux", "paper", "paper", lambda z, h, y, **_: sum(classify(
        lambda x: F.linear(x, h.aux.weight.detach(), h.aux.bias), part(z, p), y) for p in ("inv", "inf"))),
    "orth: inv-irr for inf-irr": ("orth", "paper", "paper", lambda z, h, y, **_: cosines(
        z, "inv", "inf") + cosines(z, "inv", "irr")),
    "orth: all three pairs": ("orth", "paper", "paper", lambda z, h, y, **_: compute(
        "orth", z, h, y) + cosines(z, "inv", "irr")),
    "orth: mean for sum": ("orth", "paper", "paper", lambda z, h, y, **_: compute("orth", z, h, y) / len(z)),
    "orth: absolute": ("orth", "paper", "paper", lambda z, h, y, **_: sum(
        F.cosine_similarity(e.inf, other).abs().mean() for e in z.values() for other in (e.inv, e.irr))),
    "orth: squared": ("orth", "paper", "paper", lambda z, h, y, **_: sum(
        F.cosine_similarity(e.inf, other).square().mean() for e in z.values() for other in (e.inv, e.irr))),
    "orth: not normalised": ("orth", "paper", "paper", lambda z, h, y, **_: sum(
        (e.inf * other).sum(1).mean() for e in z.values() for other in (e.inv, e.irr))),
    "orth: over the batch": ("orth", "paper", "paper", lambda z, h, y, **_: sum(
        F.cosine_similarity(e.inf, other, dim=0).mean() for e in z.values() for other in (e.inv, e.irr))),
    "orth: sign": ("orth", "paper", "paper", lambda z, h, y, **_: -compute("orth", z, h, y)),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("sizes", [(5, 3), (2, 4, 3)])
def test_wrong_copies_are_caught(name, sizes):
    term, reduction, targets, wrong = MUTANTS[name]
    with pytest.raises(AssertionError):
        assert_equals_reference(wrong, term, case(sizes), reduction, targets, grl_lambda=0.7)


@pytest.mark.parametrize("term", TERMS)
def test_right_copies_made_of_the_same_pieces_are_not(term):
    """What the mutants are built from is right; only the mutation is caught."""
    right = {
        "cl": lambda z, h, y, **_: task(z, h, y),
        "adv": lambda z, h, y, grl_lambda, **_: tell(
            h.adv, part(z, "inv"), range(len(z)), grl_lambda
        ),
        "mod": lambda z, h, y, **_: (
            tell(h.mod_inf, part(z, "inf"), range(len(z)))
            + tell(h.mod_irr, part(z, "irr"), range(len(z)))
        ),
        "aux": lambda z, h, y, **_: sum(classify(h.aux, part(z, p), y) for p in ("inv", "inf")),
        "orth": lambda z, h, y, **_: cosines(z, "inv", "inf") + cosines(z, "inf", "irr"),
    }
    assert_equals_reference(right[term], term, case((2, 4, 3)), grl_lambda=0.7)
