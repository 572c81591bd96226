"""What may take Eq. 3's place, correlation and independence: loops and the seven checks."""

import math

import torch
import torch.nn.functional as F
from harness import Case, by_loops, mean_square_correlation, normal, seven_checks

from discom.losses.independence import (
    discriminator_loss,
    hsic,
    minimax_loss,
    squared_correlation,
)
from discom.models import Embedding

# ---------------------------------------------------------------- the other side of Eq. 3


def plain_discriminator(*logits):
    return -sum(own.log_softmax(1)[:, number].mean() for number, own in enumerate(logits))


def of_mapping(loss, **settings):
    return lambda *logits: loss(dict(enumerate(logits)), **settings)


def three(seed):
    """Logits of three modalities; their batches differ."""
    return tuple(normal(rows, 3, seed=10 * seed + rows) for rows in (2, 4, 3))


ZEROS = [torch.zeros(rows, 3) for rows in (2, 4, 3)]
LOG = 3 * math.log(3)
CASES = {
    "discriminator": Case(
        of_mapping(discriminator_loss),
        by_loops(plain_discriminator, three, range(3)),
        [(ZEROS, LOG)],
        {"other numbers": lambda a, b, c: of_mapping(discriminator_loss)(b, a, c)},
        teachers=(),
        float32=True,
    ),
    "minimax": Case(
        of_mapping(minimax_loss, grl_lambda=0.7),
        by_loops(lambda *logits: -0.7 * plain_discriminator(*logits), three, range(3)),
        [(ZEROS, -0.7 * LOG)],
        {
            "the other sign": of_mapping(minimax_loss, grl_lambda=-0.7),
            "λ forgotten": of_mapping(minimax_loss),
        },
        teachers=(),
        float32=True,
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
    "hsic": Case(
        two_modalities(hsic),
        by_loops(pairs(plain_hsic), dependent, range(3)),
        [((LINE, LINE, LINE), 2.0), ((STILL, STILL, dependent(0)[2]), 0.0)],
        {
            "linear": pairs(squared_correlation),
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
