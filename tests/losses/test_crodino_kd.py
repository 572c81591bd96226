"""CroDiNo-KD's terms: the seven checks, the places that are drawn, and whose half goes where."""

import math

import pytest
import torch
import torch.nn.functional as F
from harness import Case, by_loops, mean_square_correlation, normal, seven_checks

from discom import crodino_kd
from discom.crodino_kd import cross_halves
from discom.data.augmentation import apply_d4
from discom.labels import NO_LABEL
from discom.losses.dense import pixel_info_nce


def rows_of(x):
    return x.movedim(1, -1).flatten(0, -2)  # [P, D]


def loop_contrast(first, second, labels, temperature=0.1):
    a, b = (F.normalize(rows_of(x), dim=1) for x in (first, second))
    classes = labels.flatten().tolist()
    total = 0.0
    for p in range(len(a)):
        negatives = [q for q in range(len(a)) if classes[q] != classes[p] or classes[p] == NO_LABEL]
        others = sorted({p, *negatives})
        for one, table in ((a, b), (b, a)):
            scores = torch.stack([(one[p] @ table[q] / temperature).exp() for q in others])
            total = total - (scores[others.index(p)] / scores.sum()).log()
    return total / (2 * len(a))


def plain_separation(*maps):
    return sum(mean_square_correlation(*rows_of(x).chunk(2, 1)) for x in maps)


def two(seed, channels=4, side=2):
    """Maps of two modalities that resemble each other a little."""
    first = normal(2, channels, side, side, seed=seed) + 2 * normal(2, 1, side, side, seed=seed + 7)
    return first, normal(2, channels, side, side, seed=seed + 50) + first


def labelled(seed):
    labels = torch.tensor([[[0, 1], [NO_LABEL, 0]], [[2, 0], [1, NO_LABEL]]])
    return *two(seed), labels


def separation(first, second):
    return crodino_kd.decorrelation({"rgb": first, "depth": second})


def moved(first, second, labels):
    views = torch.tensor([1, 5])
    return apply_d4(first, views), apply_d4(second, views), apply_d4(labels[:, None], views)[:, 0]


ANY = torch.full((2, 2, 2), NO_LABEL)
UNITS = torch.eye(8).view(2, 2, 2, 8).movedim(-1, 1)  # place p is the unit vector p
ALIKE = torch.ones(2, 3, 2, 2)
HALF = normal(4, 1, 3, 3)
BOTH = {"teachers": (), "float32": True}
CASES = {
    "pixel_info_nce": Case(
        pixel_info_nce,
        by_loops(loop_contrast, labelled, (0, 1)),
        [
            ((ALIKE, ALIKE, ANY), math.log(8)),
            ((UNITS, UNITS, ANY, 0.5), math.log1p(7 * math.exp(-2))),
            ((*two(0), torch.ones(2, 2, 2).long()), 0.0),  # no negatives
        ],
        {
            "same class as negatives": lambda a, b, y: pixel_info_nce(a, b),
            "one direction": lambda a, b, y: pixel_info_nce(a, b.detach(), y),
            "unlabelled as a class": lambda a, b, y: pixel_info_nce(a, b, y.where(y != 255, 7)),
        },
        same=[
            moved,
            lambda a, b, y: (b, a, y),
            lambda a, b, y: (3 * a, 0.1 * b, y),
            lambda a, b, y: (a, b, y.where(y != 2, NO_LABEL)),  # a class of one place
        ],
        **BOTH,
    ),
    "decorrelation": Case(
        separation,
        by_loops(plain_separation, lambda seed: two(seed, side=3), (0, 1)),
        [((torch.cat([HALF, -3 * HALF], 1),) * 2, 2.0), ((ALIKE[:, :2], ALIKE[:, :2]), 0.0)],
        {"other halves": lambda a, b: separation(a.roll(1, 1), b.roll(1, 1))},
        same=[lambda a, b: (b, a), lambda a, b: (5 * a + 2, b), lambda a, b: (a.flip(0, 2), b)],
        refused=[((ALIKE, ALIKE), "^network: a map of 3 channels has no halves")],
        rtol=1e-6,
        **BOTH,
    ),
}


def dependent(seed, rows=8, width=3):
    """Parts that depend on each other; their units differ in scale and mean."""
    parts = normal(3, rows, width, seed=seed)
    parts = (0.5 + torch.arange(width)) * (parts + 0.7 * parts.roll(1, 0)) + torch.arange(width)
    return tuple(parts)


def in_another_order_and_wider(*parts):
    order = torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    return tuple(torch.cat([part, part], dim=1)[order] for part in parts)


LINE, WAVE = normal(30, 1), torch.arange(8) * math.pi / 4
STILL = torch.full((8, 3), 0.7, dtype=torch.float64)
DEAD = [(STILL, *dependent(0)[1:]), (*dependent(0)[:2], STILL), (STILL, STILL, STILL)]
DEAD.append((torch.cat([STILL[:, :1], dependent(0)[0][:, 1:]], 1), *dependent(0)[1:]))
CASES |= {
    "squared_correlation": Case(
        crodino_kd.squared_correlation,
        by_loops(mean_square_correlation, lambda seed: dependent(seed)[:2], (0, 1)),
        [
            ((LINE, -3 * LINE + 2), 1.0),
            ((WAVE.cos()[:, None], WAVE.sin()[:, None]), 0.0),
            ((STILL, dependent(0)[0]), 0.0),
        ],
        {"not centred": lambda a, b: F.cosine_similarity(a.T, b.T).square().mean()},
        teachers=(),
        edges=[parts[:2] for parts in DEAD],
        float32=True,
        rtol=1e-6,
        same=[in_another_order_and_wider, lambda a, b: (10 * a - 50, 0.01 * b)],
    ),
}


test_seven_checks = seven_checks(CASES)


def test_many_places_are_drawn_with_their_labels_and_follow_the_seed():
    a, b = two(0, side=8)
    labels = torch.full((2, 8, 8), 1)
    labels[0] = torch.arange(64).view(8, 8)
    values = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        values.append(pixel_info_nce(a, b, labels, count=20).item())
    assert values[0] == values[1] != values[2]
    torch.manual_seed(3)
    chosen = torch.randperm(128)[:20]
    one, other = (rows_of(x)[chosen].T[None, :, None] for x in (a, b))
    expected = loop_contrast(one, other, labels.flatten()[chosen])
    assert values[0] == pytest.approx(expected.item())


@pytest.mark.parametrize(("count", "shift"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_every_row_takes_the_halves_that_are_said(count, shift):
    """Numbers: thousands the scale, hundreds the modality, tens the half, ones the row."""
    rows, halves = torch.arange(5)[:, None, None, None], torch.tensor([0, 10])[:, None, None]
    maps = {}
    for m in range(count):
        cells = [torch.zeros(side, side) for side in (8, 4, 2)]
        maps[m] = [1000 * k + 100 * m + halves + rows + zeros for k, zeros in enumerate(cells)]
    for scale, mixed in enumerate(cross_halves(maps, shift)):
        assert mixed.shape == maps[0][scale].shape
        for row, half in [(row, half) for row in range(5) for half in range(2)]:
            modality = (row + shift + half) % count
            assert (mixed[row, half] == 1000 * scale + 100 * modality + 10 * half + row).all()
