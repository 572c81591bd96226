"""What may take Eq. 3's place, and terms that separate z_irr: loops and the seven checks."""

import math
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from harness import Case, by_loops, classes_of, mean_square_correlation, normal, seven_checks
from torch import Tensor

from discom.losses.independence import (
    confusion_loss,
    cross_covariance,
    discriminator_loss,
    hsic,
    irrelevant_task_loss,
    minimax_loss,
    squared_correlation,
)
from discom.models import Embedding

# ---------------------------------------------------------------- the other side of Eq. 3


class Head(NamedTuple):
    weight: Tensor
    bias: Tensor

    def __call__(self, z):
        return F.linear(z, *self)


def confusion(*inputs, scale=0.7):
    """The invariant parts of three modalities, weight and bias of the classifier."""
    *parts, weight, bias = inputs
    z = {k: Embedding(inv, inv, inv) for k, inv in enumerate(parts)}
    return confusion_loss(z, SimpleNamespace(adv=Head(weight, bias)), grl_lambda=scale)


def plain_confusion(*inputs):
    """The first sum trains the classifier alone, the second the parts alone."""
    *parts, weight, bias = inputs
    total = 0.0
    for number, inv in enumerate(parts):
        told = (inv.detach() @ weight.T + bias).log_softmax(1)[:, number]
        doubt = (inv @ weight.detach().T + bias.detach()).log_softmax(1)
        total = total - told.mean() - 0.7 * doubt.sum(1).mean() / 3
    return total


def plain_discriminator(*logits):
    return -sum(own.log_softmax(1)[:, number].mean() for number, own in enumerate(logits))


def of_mapping(loss, **settings):
    return lambda *logits: loss(dict(enumerate(logits)), **settings)


def three(seed):
    """Logits of three modalities; their batches differ."""
    return tuple(normal(rows, 3, seed=10 * seed + rows) for rows in (2, 4, 3))


def draw_confusion(seed):
    return *three(seed), normal(3, 3, seed=seed + 90), normal(3, seed=seed + 91)


def plain_class(logits, labels):
    rows = [row.logsumexp(0) - row[k] for row, k in zip(logits, labels, strict=True) if k >= 0]
    return sum(rows) / len(rows)


def with_unlabelled(seed):
    labels = classes_of(4, 8, seed=seed)
    labels[3] = -1
    return normal(8, 4, seed=seed), labels


def twice(*inputs):
    return *(torch.cat([z, z]) for z in inputs[:3]), *inputs[3:]


ZEROS = [torch.zeros(rows, 3) for rows in (2, 4, 3)]
LOG = 3 * math.log(3)
THREE = {"teachers": (), "same": [twice]}
CASES = {
    "confusion": Case(
        confusion,
        by_loops(plain_confusion, draw_confusion, range(5)),
        [((*ZEROS, torch.zeros(3, 3), torch.zeros(3)), 1.7 * LOG)],
        {
            "λ forgotten": lambda *inputs: confusion(*inputs, scale=1.0),
            "one sum": lambda *inputs: 1.7 * plain_discriminator(*inputs[:3]),
        },
        unlike=range(5),  # finite differences see both sums at once
        **THREE,
    ),
    "discriminator": Case(
        of_mapping(discriminator_loss),
        by_loops(plain_discriminator, three, range(3)),
        [(ZEROS, LOG)],
        {"other numbers": lambda a, b, c: of_mapping(discriminator_loss)(b, a, c)},
        float32=True,
        **THREE,
    ),
    "minimax": Case(
        of_mapping(minimax_loss, grl_lambda=0.7),
        by_loops(lambda *logits: -0.7 * plain_discriminator(*logits), three, range(3)),
        [(ZEROS, -0.7 * LOG)],
        {
            "the other sign": of_mapping(minimax_loss, grl_lambda=-0.7),
            "λ forgotten": of_mapping(minimax_loss),
        },
        float32=True,
        **THREE,
    ),
    "irrelevant_task_loss": Case(
        lambda logits, labels: irrelevant_task_loss({"rgb": logits}, {"rgb": labels}),
        by_loops(plain_class, with_unlabelled),
        [((torch.zeros(8, 4), classes_of(4, 8)), math.log(4))],
        {"unlabelled as a class": lambda z, y: F.cross_entropy(z, y.clamp(min=0))},
        teachers=(),
        same=[lambda z, y: (z.flip(0) + 5, y.flip(0))],
    ),
}

# ---------------------------------------------------------------- independence


def dependent(seed, rows=8, width=3):
    """Parts that depend on each other; their units differ in scale and mean."""
    parts = normal(3, rows, width, seed=seed)
    parts = (0.5 + torch.arange(width)) * (parts + 0.7 * parts.roll(1, 0)) + torch.arange(width)
    return tuple(parts)


def two_modalities(loss):
    """A loss of embeddings as a function of (inv, inf, irr); a second modality doubles it."""

    def value(inv, inf, irr):
        z = Embedding(inv, inf, irr)
        return loss({"rgb": z, "depth": z}) / 2

    return value


def plain_kernel(z):
    distances = (z[:, None] - z[None, :]).square().sum(2)
    return torch.exp(-distances / distances.detach().median())


def plain_hsic(a, b):
    """By the traces; the median's own gradient is none."""
    k, l = plain_kernel(a), plain_kernel(b)  # noqa: E741  the criterion's own letters
    h = torch.eye(len(a)).double() - 1 / len(a)
    scale = (torch.trace(k @ h @ k @ h) * torch.trace(l @ h @ l @ h)).sqrt()
    return torch.trace(k @ h @ l @ h) / scale


def pairs(reference):
    return lambda inv, inf, irr: reference(irr, inv) + reference(irr, inf)


def in_another_order_and_wider(*parts):
    order = torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    return tuple(torch.cat([part, part], dim=1)[order] for part in parts)


LINE, WAVE = normal(30, 1), torch.arange(8) * math.pi / 4
STILL = torch.full((8, 3), 0.7, dtype=torch.float64)
DEAD = [(STILL, *dependent(0)[1:]), (*dependent(0)[:2], STILL), (STILL, STILL, STILL)]
DEAD.append((torch.cat([STILL[:, :1], dependent(0)[0][:, 1:]], 1), *dependent(0)[1:]))
PARTS = {"teachers": (), "edges": DEAD, "float32": True, "rtol": 1e-6}
PARTS["same"] = [in_another_order_and_wider, lambda a, b, c: (a, 10 * b + 3, -10 * c)]
CASES |= {
    "squared_correlation": Case(
        squared_correlation,
        by_loops(mean_square_correlation, lambda seed: dependent(seed)[:2], (0, 1)),
        [
            ((LINE, -3 * LINE + 2), 1.0),
            ((WAVE.cos()[:, None], WAVE.sin()[:, None]), 0.0),
            ((STILL, dependent(0)[0]), 0.0),
        ],
        {"not centred": lambda a, b: F.cosine_similarity(a.T, b.T).square().mean()},
        **PARTS
        | {
            "same": [in_another_order_and_wider, lambda a, b: (10 * a - 50, 0.01 * b)],
            "edges": [parts[:2] for parts in DEAD],
        },
    ),
    "cross_covariance": Case(
        two_modalities(cross_covariance),
        by_loops(pairs(mean_square_correlation), dependent, range(3)),
        [((LINE, 2 * LINE, -LINE), 2.0), ((STILL, STILL, dependent(0)[2]), 0.0)],
        {"inv and inf": lambda inv, inf, irr: two_modalities(cross_covariance)(irr, inf, inv)},
        **PARTS,
    ),
    "hsic": Case(
        two_modalities(hsic),
        by_loops(pairs(plain_hsic), dependent, range(3)),
        [((LINE, LINE, LINE), 2.0), ((STILL, STILL, dependent(0)[2]), 0.0)],
        {
            "linear": two_modalities(cross_covariance),
            "inv and inf": lambda inv, inf, irr: two_modalities(hsic)(irr, inf, inv),
        },
        unlike=range(3),  # finite differences would move the median
        **PARTS | {"rtol": 1e-5},
    ),
}


test_seven_checks = seven_checks(CASES)


def test_hsic_sees_what_correlation_does_not():
    a, noise = normal(60, 1), normal(60, 1, seed=3)
    parabola = a**2 - (a * a**2).mean() * a
    assert squared_correlation(parabola, a) < 0.1
    values = [hsic({"rgb": Embedding(part, part, a)}).item() for part in (a**2, noise)]
    assert values[0] > 3 * values[1]
