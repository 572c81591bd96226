"""NT-Xent, Barlow Twins and DeCUR: the released numbers, loops over the equations, wrong copies."""

from itertools import combinations, product

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, normal, seven_checks

from discom.losses.contrastive import barlow_twins, contrastive_loss, decur_cross, nt_xent


def loop(a, b, temperature=0.1):
    rows = [*a, *b]
    total = 0.0
    for i, row in enumerate(rows):
        cosines = [torch.cosine_similarity(row, other, dim=0) / temperature for other in rows]
        others = torch.stack([cosine for k, cosine in enumerate(cosines) if k != i])
        total = total + others.logsumexp(0) - cosines[(i + len(a)) % len(rows)]
    return total / len(rows)


def with_itself(a, b):
    z = torch.nn.functional.normalize(torch.cat([a, b]), dim=1)
    return torch.nn.functional.cross_entropy(z @ z.T / 0.1, torch.arange(len(z)).roll(len(a)))


def one_way(a, b):
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in (a, b))
    return torch.nn.functional.cross_entropy(a @ b.T / 0.1, torch.arange(len(a)))


def correlations(a, b):
    """Loops over units: moments with the released constant under the root."""
    columns = [[(x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt() for x in z.T] for z in (a, b)]
    return [[(x * y).mean() for y in columns[1]] for x in columns[0]]


def barlow_loop(a, b, weight=0.0051):
    matrix = correlations(a, b)
    total = 0.0 * a.sum()
    for i, j in product(range(a.shape[1]), repeat=2):
        total = total + ((matrix[i][j] - 1) ** 2 if i == j else weight * matrix[i][j] ** 2)
    return total


def decur_loop(a, b, common=2, weight=0.0051):
    matrix = correlations(a, b)
    total = 0.0 * a.sum()
    for i, j in product(range(a.shape[1]), repeat=2):
        if (i < common) == (j < common):
            goal = float(i == j and i < common)
            total = total + (1 if i == j else weight) * (matrix[i][j] - goal) ** 2
    return total / 2


def decur_two(a, b):
    return decur_cross(a, b, 2)


def all_blocks(a, b):
    """The blocks of a common and a unique unit count, too."""
    matrix = torch.stack([torch.stack(row) for row in correlations(a, b)])
    goal = torch.diag(torch.tensor([1.0, 1, 0, 0]))
    weights = torch.where(torch.eye(4) == 1, 1.0, 0.0051)
    return (weights * (matrix - goal).square()).sum() / 2


def not_centred(a, b):
    matrix = F.normalize(a, dim=0).T @ F.normalize(b, dim=0)
    beside = matrix.square().sum() - matrix.diagonal().square().sum()
    return (matrix.diagonal() - 1).square().sum() + 0.0051 * beside


def views(seed):
    """Two views that share what they show; units differ in scale and mean."""
    scene = normal(8, 4, seed=seed)
    scales = 0.5 + torch.arange(4)
    return scales * (scene + 0.5 * normal(8, 4, seed=seed + 9)) + 2, scene - torch.arange(4)


# three units that are not correlated with each other
PLAIN = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
CORRELATED = {
    "draw": views,
    "students": (0, 1),
    "teachers": (),
    "same": (
        lambda a, b: (b, a),
        lambda a, b: (a.flip(0), b.flip(0)),
        lambda a, b: (torch.cat([a, a]), torch.cat([b, b])),
        lambda a, b: (a + 5, b),
    ),
    "different": (lambda a, b: (a, b.roll(1, 0)), lambda a, b: (a, -b)),
    "float32": True,
}
SHAPES = [
    ((torch.ones(3, 4), torch.ones(2, 4)), "give two .B, D., two pairs or more"),
    ((torch.ones(1, 4), torch.ones(1, 4)), "two pairs or more"),
]
CASES = {
    "barlow_twins": Case(
        barlow_twins,
        barlow_loop,
        closed=[((100 * PLAIN, PLAIN), 0.0), ((100 * PLAIN, -100 * PLAIN), 3 * 2.0**2)],
        wrong={
            "not centred": not_centred,
            "a mean": lambda a, b: barlow_twins(a, b) / 4,
            "no weight": lambda a, b: barlow_twins(a, b, 1.0),
        },
        refused=[*SHAPES, ((torch.ones(3, 4), torch.ones(3, 4), -1.0), "weight: -1.0 is negative")],
        **CORRELATED,
    ),
    "decur_cross": Case(
        decur_two,
        decur_loop,
        # the third unit should differ and does not
        closed=[
            ((100 * PLAIN, 100 * PLAIN), 1 / 2),
            ((100 * PLAIN, -100 * PLAIN), (4 + 4 + 1) / 2),
        ],
        wrong={
            "all common": lambda a, b: decur_cross(a, b, 4),
            "none common": lambda a, b: decur_cross(a, b, 0),
            "all blocks": all_blocks,
        },
        refused=SHAPES,
        **CORRELATED,
    ),
    "nt_xent": Case(
        nt_xent,
        loop,
        draw=lambda seed: (normal(5, 4, seed=seed), normal(5, 4, seed=seed + 9)),
        # all rows alike: one of 2B - 1 others
        closed=[((torch.ones(3, 2), torch.ones(3, 2)), torch.log(torch.tensor(5.0)).item())],
        wrong={"a row is among its negatives": with_itself, "one way": one_way},
        students=(0, 1),
        teachers=(),
        same=(
            lambda a, b: (b, a),
            lambda a, b: (3 * a, b),
            lambda a, b: (a.flip(0), b.flip(0)),
        ),
        different=(lambda a, b: (a, b.roll(1, 0)),),
        edges=((torch.zeros(3, 2), torch.zeros(3, 2)),),
        refused=[
            ((torch.ones(3, 2), torch.ones(2, 2)), "give two .B, D., two pairs or more"),
            ((torch.ones(1, 2), torch.ones(1, 2)), "two pairs or more"),
            ((torch.ones(2, 2), torch.ones(2, 2), 0.0), "temperature"),
        ],
        float32=True,
    ),
}


test_seven_checks = seven_checks(CASES)


def test_values_and_gradients_are_those_of_the_released_code():
    numbers = golden("09_mdico")
    z = {k.removeprefix("z_"): v.requires_grad_() for k, v in numbers.inputs.items()}
    cases = []
    for tau in (0.1, 0.5, 1.0):
        end = f"tau{tau}"
        for pair in combinations("abc", 2):
            name = "".join(pair)
            leaves = [(z[k], numbers.outputs[f"grad_{k}_of_{name}_{end}"]) for k in pair]
            value = nt_xent(*(z[k] for k in pair), tau)
            cases.append((name, value, numbers.outputs[f"ntxent_{name}_{end}"], *leaves))
        for name in ("ab", "abc"):
            leaves = [
                (z[k], numbers.outputs[f"grad_{k}_of_contrastive_{name}_{end}"]) for k in name
            ]
            value = contrastive_loss({k: z[k] for k in name}, tau)
            cases.append((name, value, numbers.outputs[f"contrastive_{name}_{end}"], *leaves))
    assert_golden(cases)
    with pytest.raises(ValueError, match="two or more"):
        contrastive_loss({"a": z["a"]})


def test_nt_xent_between_sensors_is_that_of_the_authors_newest_code():
    """Their term between sensors: half of the features of each. They divide by 1 + 1e-8."""
    numbers = golden("13_intra_cross")
    once = 1 + 1e-8
    inputs = {name: numbers.inputs[f"cls_{name}"].requires_grad_() for name in ("m1", "m2")}
    views = {name: numbers.inputs[f"proj_{name}"].requires_grad_() for name in ("m1", "m2")}
    cases = []
    for name, tau in (("", 1.0), ("temperature_0.1", 0.1), ("temperature_0.5", 0.5)):
        outputs = numbers.outputs["cases"][name] if name else numbers.outputs
        half = [x[:, :5] for x in inputs.values()]
        cross = nt_xent(*half, tau) / once
        leaves = [(inputs[k], outputs[f"grad_cls_{k}"]) for k in inputs]
        cases.append((f"cross {name}", cross, outputs["loss_cross"], *leaves))
        for k, raw in views.items():
            within = nt_xent(raw, numbers.inputs[f"proj_{k}_aug"], tau) / once
            leaf = (raw, 2 * outputs[f"grad_proj_{k}"])  # it counts one half there
            cases.append((f"{k} {name}", within, outputs[f"loss_{k}"], leaf))
    assert_golden(cases)


def test_barlow_twins_and_decur_are_those_of_the_released_code():
    numbers = golden("12_decur")
    z = {name: value.requires_grad_() for name, value in numbers.inputs.items()}
    one, two = ("z1_view1", "z1_view2"), ("z2_view1", "z2_view2")
    parts, cases = numbers.outputs["parts"], []
    within = [(z[name], parts[f"grad_{name}_of_loss1"]) for name in one]
    cases.append(
        ("sensor 1", barlow_twins(*(z[k] for k in one)), numbers.outputs["loss1"], *within)
    )
    named = {"": (0.0051, 6), "other_lambd": (0.1, 6), "other_dim_common": (0.0051, 3)}
    named |= {"nothing_common": (0.0051, 0), "all_common": (0.0051, 10)}
    for name, (weight, common) in named.items():
        outputs = numbers.outputs["cases"][name] if name else numbers.outputs
        cross = decur_cross(z["z1_view1"], z["z2_view1"], common, weight)
        whole = cross
        for sensor in (one, two):
            whole = whole + barlow_twins(*(z[k] for k in sensor), weight)
        leaves = [(z[k], outputs[f"grad_{k}"]) for k in (*one, *two)]
        cases.append((f"cross {name}", cross, outputs["loss12"]))
        cases.append((name, whole / 3, outputs["loss"], *leaves))
    for name in ("common", "unique"):
        rows = z["z1_view1"], z["z2_view1"]
        block = [x[:, :6] if name == "common" else x[:, 6:] for x in rows]
        value = 2 * decur_cross(*block, 6 if name == "common" else 0)
        leaves = [(x, parts[f"grad_z{k}_view1_of_loss12_{name}"]) for k, x in enumerate(rows, 1)]
        cases.append((name, value, numbers.outputs[f"loss12_{name}"], *leaves))
    same = numbers.outputs["cases"]["same_view_twice"]
    cases.append(("same", barlow_twins(z["z1_view1"], z["z1_view1"]), same["loss1"]))
    assert_golden(cases)
    with pytest.raises(ValueError, match="common: 11 is out of range; use 0 to 10"):
        decur_cross(z["z1_view1"], z["z2_view1"], 11)
