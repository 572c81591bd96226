"""Terms that separate z_irr from the other parts, by the seven checks."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from harness import Case, classes_of, mean_square_correlation, normal, seven_checks
from torch import nn

from discom.losses.disentangle import reverse_gradient
from discom.losses.separate import cross_covariance, hsic, irrelevant_task_loss, squared_correlation
from discom.models import Embedding

LAMBDA = 0.3


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


def samples_in_another_order(*parts):
    order = torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    return tuple(part[order] for part in parts)


def wider(*parts):
    return tuple(torch.cat([part, part], dim=1) for part in parts)


def scaled(inv, inf, irr):
    return inv, 10 * inf + 3, -10 * irr


def other_pairs(inv, inf, irr):
    return inv, inf, irr.roll(1, 0)


def read_class(inv, weight, bias, irr, labels):
    """`irrelevant_task_loss` of flat inputs."""
    head = nn.Linear(3, 4).to(irr)
    del head.weight, head.bias
    head.weight, head.bias = weight, bias
    logits = {"rgb": head(reverse_gradient(irr, LAMBDA))}
    return irrelevant_task_loss(logits, {"rgb": labels})


def plain_read(inv, weight, bias, irr, labels):
    logits = irr @ weight.T + bias
    return (logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]).mean()


def draw_head(seed):
    head = normal(4, 3, seed=seed), normal(4, seed=seed)
    return normal(8, 3), *head, normal(8, 3, seed=seed + 9), classes_of(4, 8, seed=seed)


LINE, WAVE = normal(30, 1), torch.arange(8) * math.pi / 4
STILL = torch.full((8, 3), 0.7, dtype=torch.float64)
DEAD = [(STILL, *dependent(0)[1:]), (*dependent(0)[:2], STILL), (STILL, STILL, STILL)]
DEAD.append((torch.cat([STILL[:, :1], dependent(0)[0][:, 1:]], 1), *dependent(0)[1:]))
PARTS = {"students": (0, 1, 2), "teachers": (), "edges": DEAD, "different": [other_pairs]}
PARTS |= {"same": [samples_in_another_order, wider, scaled], "float32": True}
CASES = {
    "squared_correlation": Case(
        squared_correlation,
        mean_square_correlation,
        lambda seed: dependent(seed)[:2],
        [
            ((LINE, -3 * LINE + 2), 1.0),
            ((WAVE.cos()[:, None], WAVE.sin()[:, None]), 0.0),
            ((STILL, dependent(0)[0]), 0.0),
        ],
        {"not centred": lambda a, b: F.cosine_similarity(a.T, b.T).square().mean()},
        students=(0, 1),
        teachers=(),
        same=[samples_in_another_order, wider, lambda a, b: (10 * a - 50, 0.01 * b)],
        different=[lambda a, b: (a.roll(1, 0), b)],
        edges=[parts[:2] for parts in DEAD],
        float32=True,
    ),
    "cross_covariance": Case(
        two_modalities(cross_covariance),
        pairs(mean_square_correlation),
        dependent,
        [((LINE, 2 * LINE, -LINE), 2.0), ((STILL, STILL, dependent(0)[2]), 0.0)],
        {"inv and inf": lambda inv, inf, irr: two_modalities(cross_covariance)(irr, inf, inv)},
        **PARTS,
    ),
    "hsic": Case(
        two_modalities(hsic),
        pairs(plain_hsic),
        dependent,
        [((LINE, LINE, LINE), 2.0), ((STILL, STILL, dependent(0)[2]), 0.0)],
        {
            "linear": two_modalities(cross_covariance),
            "inv and inf": lambda inv, inf, irr: two_modalities(hsic)(irr, inf, inv),
        },
        # finite differences would move the median; the gradient is that of the loops
        reversed=dict.fromkeys(range(3), 1.0),
        rtol=1e-5,
        **PARTS,
    ),
    "irrelevant_task_loss": Case(
        read_class,
        plain_read,
        draw_head,
        [((STILL, 0 * STILL[:4], 0 * STILL[:4, 0], STILL, classes_of(4, 8)), math.log(4))],
        {"no reversal": lambda inv, w, b, irr, y: F.cross_entropy(irr @ w.T + b, y)},
        students=(1, 2, 3),
        teachers=(0,),
        reversed={3: -LAMBDA},
        same=[lambda inv, w, b, irr, y: (inv, w, b + 5, irr.flip(0), y.flip(0))],
        different=[lambda inv, w, b, irr, y: (inv, w, b, irr, (y + 1) % 4)],
    ),
}


test_seven_checks = seven_checks(CASES)


def test_independent_units_have_about_one_over_the_batch():
    """r² of n independent normal pairs is 1 / (n - 1) in the mean."""
    draws = [(normal(64, 16, seed=2 * k), normal(64, 16, seed=2 * k + 1)) for k in range(20)]
    values = [squared_correlation(*pair).item() for pair in draws]
    assert np.mean(values) == pytest.approx(1 / 63, rel=0.05)


def test_hsic_sees_what_correlation_does_not():
    a, noise = normal(60, 1), normal(60, 1, seed=3)
    parabola = a**2 - (a * a**2).mean() * a
    assert squared_correlation(parabola, a) < 0.1
    values = [hsic({"rgb": Embedding(part, part, a)}).item() for part in (a**2, noise)]
    assert values[0] > 3 * values[1]
