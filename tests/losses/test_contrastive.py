"""NT-Xent: the released numbers, loops over the equation, and what must not change it."""

from itertools import combinations

import pytest
import torch
from golden_values import assert_golden, golden
from harness import Case, normal, seven_checks

from discom.losses.contrastive import contrastive_loss, nt_xent


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


CASES = {
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
    )
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
