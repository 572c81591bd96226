"""What crosses over between two networks: closed forms, numpy, symmetries, planted numbers, and
wrong copies."""

import inspect
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from discom.data.augmentation import turn
from discom.errors import ConfigError
from discom.losses import crossing
from discom.losses.crossing import (
    cross_halves,
    halves,
    place_contrast,
    place_labels,
    place_separation,
)

RIGHT = vars(crossing)
NONE = 255


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def some_labels(*shape, classes=3, seed=0):
    """Classes and, at every seventh place, no label."""
    found = torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))
    found.view(-1)[::7] = NONE
    return found


# ---------------------------------------------------------------- halves


def test_halves_are_the_first_and_the_last_channels():
    maps = draw(2, 6, 3, 4)
    invariant, specific = halves(maps)
    assert torch.equal(invariant, maps[:, :3])
    assert torch.equal(specific, maps[:, 3:])
    assert torch.equal(torch.cat([invariant, specific], 1), maps)


@pytest.mark.parametrize("channels", [1, 7])
def test_an_odd_number_of_channels_has_no_halves(channels):
    with pytest.raises(
        ConfigError, match=rf"^network: a map of {channels} channels has no halves; choose an even"
    ):
        halves(torch.zeros(1, channels, 2, 2))


# ---------------------------------------------------------------- the class of a cell


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_cells_class_is_that_of_its_middle_pixel(stride):
    labels = some_labels(2, 3 * stride, 5 * stride, classes=30)
    found = place_labels(labels, (3, 5))
    assert found.dtype == torch.int64
    assert torch.equal(found, labels[:, stride // 2 :: stride, stride // 2 :: stride])


def test_classes_are_picked_and_never_averaged():
    labels = torch.tensor([0, NONE]).repeat(32)[None, None].expand(2, 64, 64).contiguous()
    for size in ((8, 8), (5, 7), (20, 3)):
        assert set(place_labels(labels, size).unique().tolist()) <= {0, NONE}
    assert torch.equal(place_labels(labels, (64, 64)), labels)


def test_large_ids_survive():
    labels = torch.tensor([[[2**24 + 1, 2**24 + 3]]])  # float32 would round them
    assert torch.equal(place_labels(labels, (1, 2)), labels)


# ---------------------------------------------------------------- separation


def separation_by_numpy(maps):
    total = 0.0
    for held in maps.values():
        places = held.movedim(1, -1).reshape(-1, held.shape[1]).numpy()
        half = held.shape[1] // 2
        total += (np.corrcoef(places.T)[:half, half:] ** 2).mean()
    return total


@pytest.mark.parametrize("modalities", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 4, 3, 5), (5, 2, 1, 7), (1, 6, 4, 4)])
def test_place_separation_is_numpys_correlation_over_all_places(shape, modalities):
    mix = draw(shape[1], shape[1], seed=5)
    maps = {
        f"m{k}": torch.einsum("bdhw,de->behw", draw(*shape, seed=k), mix) for k in range(modalities)
    }
    assert place_separation(maps).item() == pytest.approx(separation_by_numpy(maps), rel=1e-4)


def test_place_separation_of_halves_that_are_one_line_and_of_halves_that_are_independent():
    a, b = draw(8, 1, 16, 16), draw(8, 1, 16, 16, seed=1)
    assert place_separation({"rgb": torch.cat([a, 2 - 3 * a], 1)}).item() == pytest.approx(
        1, rel=1e-4
    )
    assert place_separation({"rgb": torch.cat([a, b], 1)}).item() < 0.01


def test_place_separation_does_not_care_where_places_are_but_that_halves_are_of_one_place():
    held = draw(3, 4, 4, 4) + draw(3, 1, 4, 4, seed=1)
    views = torch.tensor([3, 0, 6])
    plain = place_separation({"rgb": held}).item()
    assert place_separation({"rgb": turn(held, views)}).item() == pytest.approx(plain)
    apart = torch.cat([turn(held[:, :2], views), held[:, 2:]], 1)
    assert place_separation({"rgb": apart}).item() != pytest.approx(plain, rel=1e-2)


# ---------------------------------------------------------------- contrast, by numpy


def contrast_by_numpy(first, second, labels=None, temperature=0.1):
    """Two loops over places: each is told from all places that are not known to be of its class."""
    a, b = (x.movedim(1, -1).reshape(-1, x.shape[1]).double().numpy() for x in (first, second))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    known = None if labels is None else labels.flatten().tolist()
    total = 0.0
    for p in range(len(a)):
        others = [q for q in range(len(a))
                  if q == p or known is None or known[q] != known[p] or known[p] == NONE]  # fmt: skip
        for one, table in ((a, b), (b, a)):
            scores = np.exp(np.array([one[p] @ table[q] for q in others]) / temperature)
            total -= math.log(scores[others.index(p)] / scores.sum())
    return total / (2 * len(a))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 2, 4), (1, 5, 5, 3), (6, 2, 1, 1)])
def test_place_contrast_is_numpys(shape, labelled, temperature):
    first, second = draw(*shape), draw(*shape, seed=1) + draw(*shape)
    labels = some_labels(shape[0], *shape[2:]) if labelled else None
    found = place_contrast(first, second, labels, temperature).item()
    assert found == pytest.approx(contrast_by_numpy(first, second, labels, temperature))


@pytest.mark.parametrize("places", [2, 9, 64])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_orthogonal_places(places, temperature):
    """softmax of one 1/τ among zeros: log(1 + (P - 1)·e^(-1/τ))."""
    maps = torch.eye(places, dtype=torch.float64).T[None, :, None]  # place p is the unit vector p
    expected = math.log1p((places - 1) * math.exp(-1 / temperature))
    assert place_contrast(maps, maps, None, temperature).item() == pytest.approx(expected)


@pytest.mark.parametrize("held", [torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)])
def test_log_of_the_places_where_nothing_can_be_told_apart(held):
    assert place_contrast(held, held).item() == pytest.approx(math.log(32))


def test_places_of_one_class_are_no_negatives_of_each_other():
    a, b = draw(2, 3, 4, 4), draw(2, 3, 4, 4, seed=1)
    one_class = torch.full((2, 4, 4), 2)
    assert place_contrast(a, b, one_class).item() == 0
    assert place_contrast(a, b, torch.arange(32).view(2, 4, 4)).item() == pytest.approx(
        place_contrast(a, b).item()
    )


def test_places_without_a_label_are_negatives_of_all_others():
    a, b = draw(2, 3, 4, 4), draw(2, 3, 4, 4, seed=1)
    unlabelled = torch.full((2, 4, 4), NONE)
    assert place_contrast(a, b, unlabelled).item() == pytest.approx(place_contrast(a, b).item())


# ---------------------------------------------------------------- contrast, its symmetries


@pytest.mark.parametrize("labelled", [False, True])
def test_the_two_maps_may_change_places(labelled):
    a, b, labels = (
        draw(2, 3, 4, 4),
        draw(2, 3, 4, 4, seed=1),
        some_labels(2, 4, 4) if labelled else None,
    )
    assert place_contrast(a, b, labels).item() == pytest.approx(place_contrast(b, a, labels).item())


@pytest.mark.parametrize("views", [[1, 1, 1], [4, 2, 7]])
def test_one_motion_of_both_maps_and_the_labels_changes_nothing_and_of_one_map_does(views):
    a, b, labels, views = (
        draw(3, 4, 4, 4),
        draw(3, 4, 4, 4, seed=1),
        some_labels(3, 4, 4),
        torch.tensor(views),
    )
    b = b + 2 * a
    plain = place_contrast(a, b, labels).item()
    moved = [turn(x, views) for x in (a, b, labels[:, None])]
    assert place_contrast(moved[0], moved[1], moved[2][:, 0]).item() == pytest.approx(plain)
    assert place_contrast(moved[0], b, labels).item() != pytest.approx(plain, rel=1e-2)
    assert place_contrast(*moved[:2], labels).item() != pytest.approx(plain, rel=1e-3)


def test_the_order_of_the_images_does_not_count():
    a, b, labels, rows = (
        draw(4, 3, 2, 2),
        draw(4, 3, 2, 2, seed=1),
        some_labels(4, 2, 2),
        torch.tensor([2, 0, 3, 1]),
    )
    again = place_contrast(a[rows], b[rows], labels[rows]).item()
    assert again == pytest.approx(place_contrast(a, b, labels).item())


def test_the_length_of_a_place_does_not_count():
    a, b = draw(2, 3, 4, 4), draw(2, 3, 4, 4, seed=1)
    lengths = draw(2, 1, 4, 4, seed=2).exp()
    assert place_contrast(lengths * a, 1e3 * b).item() == pytest.approx(place_contrast(a, b).item())
    assert place_contrast(-a, b).item() != pytest.approx(place_contrast(a, b).item(), rel=1e-2)


def test_the_gradient_pulls_pairs_together_and_others_apart():
    a, b = draw(2, 8, 4, 4).requires_grad_(), draw(2, 8, 4, 4, seed=1).requires_grad_()
    before = F.cosine_similarity(a, b).mean().item()
    for _ in range(20):
        loss = place_contrast(a, b)
        grads = torch.autograd.grad(loss, (a, b))
        a, b = ((x - 5.0 * g).detach().requires_grad_() for x, g in zip((a, b), grads, strict=True))
    assert F.cosine_similarity(a, b).mean().item() > before + 0.3
    far = F.cosine_similarity(a[:1].roll(1, 3), b[:1]).mean().item()
    assert far < 0.2


@pytest.mark.parametrize("labelled", [False, True])
def test_gradients_by_finite_differences(labelled):
    a, b = draw(2, 3, 2, 2).requires_grad_(), draw(2, 3, 2, 2, seed=1).requires_grad_()
    labels = some_labels(2, 2, 2) if labelled else None
    assert torch.autograd.gradcheck(lambda x, y: place_contrast(x, y, labels, 0.5), (a, b))
    assert torch.autograd.gradcheck(
        lambda x: place_separation({"rgb": x}), (draw(2, 4, 2, 2).requires_grad_(),)
    )


@pytest.mark.parametrize("dead", [0.0, 1.0])
def test_dead_features_have_finite_gradients(dead):
    a = torch.full((2, 4, 3, 3), dead, requires_grad=True)
    value = place_contrast(a, a.detach(), some_labels(2, 3, 3)) + place_separation({"rgb": a})
    value.backward()
    assert value.isfinite()
    assert a.grad.isfinite().all()


def test_bf16_under_autocast_is_computed_in_float32():
    a, b, labels = (
        draw(2, 8, 8, 8, dtype=torch.bfloat16),
        draw(2, 8, 8, 8, seed=1).bfloat16(),
        some_labels(2, 8, 8),
    )
    with torch.autocast("cpu", torch.bfloat16):
        contrast, separation = place_contrast(a, b, labels), place_separation({"rgb": a})
    assert (contrast.dtype, separation.dtype) == (torch.float32, torch.float32)
    assert contrast.item() == pytest.approx(contrast_by_numpy(a, b, labels), rel=1e-3)
    assert separation.item() == pytest.approx(separation_by_numpy({"rgb": a.double()}), rel=1e-3)


# ---------------------------------------------------------------- so many places are drawn


def test_the_places_drawn_follow_the_seed():
    a, b, labels = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=1), some_labels(2, 8, 8)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(place_contrast(a, b, labels, places=32).item())
    assert found[0] == found[1] != found[2]


def test_the_places_drawn_are_places_of_both_maps_with_their_labels():
    a, b, labels = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=1), some_labels(2, 8, 8)
    torch.manual_seed(3)
    found = place_contrast(a, b, labels, places=50).item()
    torch.manual_seed(3)
    chosen = torch.randperm(128)[:50]
    one, other = (x.movedim(1, -1).reshape(128, 3)[chosen].T[None, :, None] for x in (a, b))
    assert found == pytest.approx(contrast_by_numpy(one, other, labels.flatten()[chosen]))


@pytest.mark.parametrize("places", [128, 1024])
def test_nothing_is_drawn_where_there_are_no_more_places(places):
    a, b = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=1)
    state = torch.random.get_rng_state()
    assert place_contrast(a, b, places=places).item() == pytest.approx(contrast_by_numpy(a, b))
    assert torch.equal(torch.random.get_rng_state(), state)


# ---------------------------------------------------------------- whose half goes where


def planted(count, rows=5, scales=3):
    """Maps that say what they are: thousands the scale, hundreds the modality, tens the half, ones
    the row."""
    made = {}
    for m in range(count):
        made[f"m{m}"] = []
        for k in range(scales):
            side = 2 ** (scales - k)
            held = torch.zeros(rows, 2 * (k + 1), side, side)
            for i in range(rows):
                held[i, : k + 1] = 1000 * k + 100 * m + i
                held[i, k + 1 :] = 1000 * k + 100 * m + 10 + i
            made[f"m{m}"].append(held)
    return made


def routed(space, count, shift):
    """Row, scale, half → the modality that it came from; checks that it is the same scale, half and
    row."""
    maps = planted(count)
    found = {}
    for k, held in enumerate(space["cross_halves"](maps, shift)):
        assert held.shape == maps["m0"][k].shape
        for i, row in enumerate(held):
            for half, part in enumerate(row.chunk(2)):
                assert (part == part.flatten()[0]).all()
                value = int(part.flatten()[0])
                assert (value // 1000, value // 10 % 10, value % 10) == (k, half, i)
                found[i, k, half] = value // 100 % 10
    return found


def routes_as_said(space):
    for count, shift in ((2, 0), (2, 1), (3, 0), (3, 1), (3, 2)):
        for (row, _, half), modality in routed(space, count, shift).items():
            assert modality == (row + shift + half) % count


def test_every_row_takes_the_halves_that_are_said():
    routes_as_said(RIGHT)


def test_two_and_three_modalities_written_out():
    found = routed(RIGHT, 2, 0)
    assert [(found[i, 0, 0], found[i, 0, 1]) for i in range(4)] == [(0, 1), (1, 0), (0, 1), (1, 0)]
    found = routed(RIGHT, 3, 1)
    assert [(found[i, 2, 0], found[i, 2, 1]) for i in range(4)] == [(1, 2), (2, 0), (0, 1), (1, 2)]


@pytest.mark.parametrize("count", [2, 3])
def test_all_shifts_together_show_every_row_every_pairing(count):
    seen = [routed(RIGHT, count, shift) for shift in range(count)]
    for row in range(5):
        assert {(found[row, 0, 0], found[row, 0, 1]) for found in seen} == {
            (m, (m + 1) % count) for m in range(count)
        }
    assert routed(RIGHT, count, count) == seen[0]


def test_the_gradient_reaches_the_halves_that_are_read_and_no_other():
    maps = {
        name: [draw(4, 4, 2, 2, seed=k).requires_grad_()] for k, name in enumerate(("rgb", "depth"))
    }
    cross_halves(maps)[0].sum().backward()
    for place, held in enumerate(maps.values()):
        reached = held[0].grad[:, :, 0, 0]
        expected = torch.tensor(
            [[(i + place) % 2 == 0] * 2 + [(i + place) % 2 == 1] * 2 for i in range(4)]
        )
        assert torch.equal(reached, expected.double())


def test_networks_of_different_depth_do_not_cross():
    maps = planted(2)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        cross_halves({"m0": maps["m0"], "m1": maps["m1"][:2]})


# ---------------------------------------------------------------- copies with a mistake


def contrast_is_numpys(space):
    first, second, labels = draw(2, 3, 2, 4), draw(2, 3, 2, 4, seed=1), some_labels(2, 2, 4)
    for held in (labels, None):
        found = space["place_contrast"](first, second, held).item()
        assert found == pytest.approx(contrast_by_numpy(first, second, held))


def separation_is_numpys(space):
    maps = {
        name: draw(3, 4, 4, 4, seed=k) + draw(3, 1, 4, 4, seed=9) for k, name in enumerate("ab")
    }
    assert space["place_separation"](maps).item() == pytest.approx(
        separation_by_numpy(maps), rel=1e-4
    )


def middles_are_taken(space):
    labels = torch.arange(64).view(1, 8, 8)
    assert space["place_labels"](labels, (2, 2)).flatten().tolist() == [18, 22, 50, 54]


def drawn_with_labels(space):
    a, b, labels = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=1), torch.full((2, 8, 8), 1)
    labels[0] = torch.arange(64).view(8, 8)
    torch.manual_seed(3)
    found = space["place_contrast"](a, b, labels, places=50).item()
    torch.manual_seed(3)
    chosen = torch.randperm(128)[:50]
    one, other = (x.movedim(1, -1).reshape(128, 3)[chosen].T[None, :, None] for x in (a, b))
    assert found == pytest.approx(contrast_by_numpy(one, other, labels.flatten()[chosen]))


MISTAKES = {
    "places of one class as negatives": ("likeness.masked_fill(alike, -torch.inf)", "likeness", contrast_is_numpys),
    "unlabelled places as one class": (" & (known != NO_LABEL)[:, None]", "", contrast_is_numpys),
    "the pair itself masked": ("            alike.fill_diagonal_(False)\n", "", contrast_is_numpys),
    "one direction only": ("(F.cross_entropy(likeness, same) + F.cross_entropy(likeness.T, same)) / 2",
                           "F.cross_entropy(likeness, same)", contrast_is_numpys),
    "a sum of both directions": ("F.cross_entropy(likeness.T, same)) / 2", "F.cross_entropy(likeness.T, same))",
                                 contrast_is_numpys),
    "no length of 1": ("F.normalize(_places(x).float() if x.dtype.itemsize < 4 else _places(x), dim=1)",
                       "_places(x)", contrast_is_numpys),
    "another temperature": ("a @ b.T / temperature", "a @ b.T * temperature", contrast_is_numpys),
    "channels as places": ("maps.flatten(2).transpose(1, 2).flatten(0, 1)", "maps.reshape(-1, maps.shape[1])",
                           contrast_is_numpys),
    "places of one map drawn": ("a, b, known = a[chosen], b[chosen],", "a, b, known = a[chosen], b[:places],",
                                drawn_with_labels),
    "labels not drawn along": ("else known[chosen]", "else known[:places]", drawn_with_labels),
    "one modality left out": ("for held in maps.values())", "for held in list(maps.values())[:1])",
                              separation_is_numpys),
    "the upper left pixel": ('mode="nearest-exact"', 'mode="nearest"', middles_are_taken),
    "halves of one modality": ("specific[(rows + shift + 1) % count, rows]", "specific[(rows + shift) % count, rows]",
                               routes_as_said),
    "one pairing for the whole batch": ("invariant[(rows + shift) % count, rows]", "invariant[shift % count, rows]",
                                        routes_as_said),
    "the shift forgotten": ("invariant[(rows + shift) % count, rows]", "invariant[rows % count, rows]",
                            routes_as_said),
    "halves the wrong way round": ("invariant, specific = maps.chunk", "specific, invariant = maps.chunk",
                                   routes_as_said),
    "halves by turns": ("maps.chunk(2, dim=1)", "maps[:, ::2], maps[:, 1::2]", routes_as_said),
}  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [
        contrast_is_numpys,
        separation_is_numpys,
        middles_are_taken,
        drawn_with_labels,
        routes_as_said,
    ],
)
def test_the_source_passes_what_its_wrong_copies_fail(check):
    check(RIGHT)


@pytest.mark.parametrize("what", MISTAKES)
def test_a_copy_with_a_mistake_would_be_noticed(what):
    right, wrong, check = MISTAKES[what]
    source = inspect.getsource(crossing)
    assert source.count(right) == 1, "the source reads otherwise now"
    space = {}
    exec(source.replace(right, wrong), space)
    with pytest.raises((AssertionError, TypeError)):
        check(space)
