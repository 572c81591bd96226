"""NT-Xent, Barlow Twins and DeCUR: the released numbers, and the seven checks."""

from itertools import combinations

import torch
import torch.nn.functional as F
from golden_values import golden
from harness import Case, Point, seven_checks, twice

from discom.losses.contrastive import barlow_twins, contrastive_loss, decur_cross, nt_xent


def with_itself(a, b, tau):
    z = F.normalize(torch.cat([a, b]), dim=1)
    return F.cross_entropy(z @ z.T / tau, torch.arange(len(z)).roll(len(a)))


def one_way(a, b, tau):
    a, b = (F.normalize(x, dim=1) for x in (a, b))
    return F.cross_entropy(a @ b.T / tau, torch.arange(len(a)))


def points_of_mdico(prefix, grad, sizes):
    """Of two or three modalities; their embeddings, then the temperature."""
    x, out = golden("09_mdico")
    for tau in (0.1, 0.5, 1.0):
        for names in (names for size in sizes for names in combinations("abc", size)):
            end = f"{''.join(names)}_tau{tau}"
            if f"{prefix}_{end}" in out:
                found = {k: out[f"grad_{name}_of_{grad}{end}"] for k, name in enumerate(names)}
                inputs = *(x[f"z_{name}"] for name in names), tau
                yield Point(inputs, out[f"{prefix}_{end}"], found)


def points_of_the_authors_newest_code():
    """Their term between sensors, half of the features of each, and those within a sensor, which
    they count one half. They divide by 1 + 1e-8."""
    x, out = golden("13_intra_cross")
    once = 1 + 1e-8
    for name, tau in (("", 1.0), ("temperature_0.1", 0.1), ("temperature_0.5", 0.5)):
        own = out["cases"][name] if name else out
        half = [x[f"cls_m{k}"][:, :5] for k in (1, 2)]
        found = {k - 1: once * own[f"grad_cls_m{k}"][:, :5] for k in (1, 2)}
        yield Point((*half, tau), once * own["loss_cross"], found)
        for k in ("m1", "m2"):
            inputs = x[f"proj_{k}"], x[f"proj_{k}_aug"], tau
            yield Point(inputs, once * own[f"loss_{k}"], {0: once * 2 * own[f"grad_proj_{k}"]})


def decur(a, view_of_a, b, view_of_b, common, weight, cross=decur_cross):
    total = cross(a, b, common, weight) + barlow_twins(a, view_of_a, weight)
    return (total + barlow_twins(b, view_of_b, weight)) / 3


def wrong_decur(cross):
    return lambda *inputs: decur(*inputs, cross=cross)


def all_blocks(a, b, common, weight):
    """The blocks of a common and a unique unit count, too."""
    free = barlow_twins(a, b, weight) - barlow_twins(a[:, :common], b[:, :common], weight)
    free = free - barlow_twins(a[:, common:], b[:, common:], weight)
    return decur_cross(a, b, common, weight) + free / 2


def points_of_decur():
    x, out = golden("12_decur")
    names = [f"z{sensor}_view{view}" for sensor in (1, 2) for view in (1, 2)]
    cases = {"": (6, 0.0051), "other_lambd": (6, 0.1), "other_dim_common": (3, 0.0051)}
    cases |= {"nothing_common": (0, 0.0051), "all_common": (10, 0.0051)}
    for name, settings in cases.items():
        own = out["cases"][name] if name else out
        found = {k: own[f"grad_{name}"] for k, name in enumerate(names)}
        yield Point((*(x[name] for name in names), *settings), own["loss"], found)


def points_of_barlow_twins():
    x, out = golden("12_decur")
    a, b = (x[f"z1_view{view}"] for view in (1, 2))
    found = {k - 1: out["parts"][f"grad_z1_view{k}_of_loss1"] for k in (1, 2)}
    yield Point((a, b), out["loss1"], found)
    yield Point((a, a.clone()), out["cases"]["same_view_twice"]["loss1"], {0: None})


def not_centred(a, b):
    matrix = F.normalize(a, dim=0).T @ F.normalize(b, dim=0)
    beside = matrix.square().sum() - matrix.diagonal().square().sum()
    return (matrix.diagonal() - 1).square().sum() + 0.0051 * beside


def refused(name, *settings):
    """What each of these losses refuses: views that are no pairs."""
    for first, second in ((3, 2), (1, 1)):
        inputs = torch.ones(first, 4), torch.ones(second, 4), *settings
        yield inputs, f"{name}: .*give two .B, D., two pairs or more"


# three units that are not correlated with each other
PLAIN = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
LARGE, ONES = 100 * PLAIN, torch.ones(3, 2)
CASES = {
    "nt_xent": Case(
        nt_xent,
        [*points_of_mdico("ntxent", "", [2]), *points_of_the_authors_newest_code()],
        closed=[((ONES, ONES, 0.1), torch.log(torch.tensor(5.0)).item())],  # one of 2B - 1 others
        wrong={"a row is among its negatives": with_itself, "one way": one_way},
        teachers=(),
        same=[
            lambda a, b, tau: (b, a, tau),
            lambda a, b, tau: (3 * a, b, tau),
            lambda a, b, tau: (a.flip(0), b.flip(0), tau),
        ],
        edges=[(torch.zeros(3, 2), torch.zeros(3, 2), 0.1)],
        refused=[*refused("nt_xent", 0.1), ((ONES, ONES, 0.0), "^temperature: 0")],
        float32=True,
    ),
    "contrastive_loss": Case(
        lambda *inputs: contrastive_loss(dict(enumerate(inputs[:-1])), inputs[-1]),
        [*points_of_mdico("contrastive", "contrastive_", [2, 3])],
        closed=[((ONES, ONES, ONES, 0.1), 6 * torch.log(torch.tensor(5.0)).item())],
        wrong={"each pair once": lambda a, b, *rest: nt_xent(a, b, rest[-1])},
        teachers=(),
        same=[lambda a, b, *rest: (b, a, *rest)],
        refused=[((ONES, 0.1), "two or more")],
        float32=True,
    ),
    "barlow_twins": Case(
        barlow_twins,
        [*points_of_barlow_twins()],
        closed=[((LARGE, PLAIN), 0.0), ((LARGE, -LARGE), 3 * 2.0**2)],
        wrong={
            "not centred": not_centred,
            "a mean": lambda a, b: barlow_twins(a, b) / 4,
            "no weight": lambda a, b: barlow_twins(a, b, 1.0),
        },
        teachers=(),
        same=[twice, lambda a, b: (b, a), lambda a, b: (a.flip(0) + 5, b.flip(0))],
        refused=[*refused("correlation"), ((PLAIN, PLAIN, -1.0), "weight: -1.0 is negative")],
        float32=True,
    ),
    "decur": Case(
        decur,
        [*points_of_decur()],
        closed=[
            # the third unit should differ and does not
            ((LARGE, LARGE, LARGE, LARGE, 2, 0.0051), 1 / 2 / 3),
            ((LARGE, LARGE, -LARGE, -LARGE, 2, 0.0051), (4 + 4 + 1) / 2 / 3),
        ],
        wrong={
            "all common": wrong_decur(lambda a, b, common, weight: decur_cross(a, b, 10, weight)),
            "none common": wrong_decur(lambda a, b, common, weight: decur_cross(a, b, 0, weight)),
            "all blocks": wrong_decur(all_blocks),
        },
        teachers=(),
        same=[twice, lambda a, b, c, d, *rest: (c, d, a, b, *rest)],
        refused=[((PLAIN,) * 4 + (4, 0.1), "common: 4 is out of range; use 0 to 3")],
        float32=True,
    ),
}


test_seven_checks = seven_checks(CASES)
