"""Rigid motions that are exact and can be undone, their frequencies, and the few views that they
and blanks make."""

import math

import pytest
import torch
from torch import nn

from discom.data.augmentation import (
    VIEWS,
    draw_motions,
    draw_views,
    motion_table,
    move,
    restore,
    turn,
    view,
)

SIZES = [(4, 4), (5, 5), (4, 6), (7, 3)]


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def generator(seed=7):
    return torch.Generator().manual_seed(seed)


# motions
# --------------------------------------------------------------------------------------------------------


def expected_motion(image, motion):
    """Motion k + 4h + 8v of one image [C, H, W] by torch's own functions."""
    turns, flip, flop = motion % 4, motion // 4 % 2, motion // 8
    if image.shape[1] == image.shape[2] or turns % 2 == 0:
        image = torch.rot90(image, turns, (1, 2))
    image = torch.flip(image, (2,)) if flip else image
    return torch.flip(image, (1,)) if flop else image


@pytest.mark.parametrize(("height", "width"), [(1, 1), *SIZES])
def test_each_image_is_moved_by_its_own_motion(height, width):
    x, motions = noise(16, 3, height, width), torch.randperm(16, generator=generator(1))
    moved = move(x, motions)
    assert moved.shape == x.shape
    for image, motion, found in zip(x, motions.tolist(), moved, strict=True):
        assert torch.equal(found, expected_motion(image, motion))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_argsort_undoes_every_motion(height, width):
    table = motion_table(height, width)
    pixels = noise(height * width)
    assert table.shape == (16, height * width)
    for motion in range(16):
        assert torch.equal(
            table[motion].sort().values, torch.arange(height * width)
        )  # no pixel lost or doubled
        assert torch.equal(pixels[table[motion]][table[motion].argsort()], pixels)
    assert len({tuple(row.tolist()) for row in table}) == (
        8 if height == width else 4
    )  # the symmetries there are
    assert torch.equal(table[0], torch.arange(height * width))


def test_bands_move_together():
    x = torch.arange(25.0).view(1, 1, 5, 5).expand(16, 3, 5, 5)
    moved = move(x, torch.arange(16))
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert torch.equal(moved[:, 0], moved[:, 2])


def frequencies(size, probability, n=40_000):
    motions = draw_motions(torch.zeros(n, 1, *size), probability, generator())
    return torch.bincount(motions, minlength=16) / n


def stated(probability, square):
    """Probability of each motion: with p (h of ½) × (v of ½) × (with ½ one of the turns,
    evenly)."""
    odds = [0.0] * 16
    odds[0] = 1 - probability
    turns = (0, 1, 2, 3) if square else (0, 2)
    for flips in range(4):
        odds[4 * flips] += probability / 4 * 0.5
        for quarters in turns:
            odds[quarters + 4 * flips] += probability / 4 * 0.5 / len(turns)
    return odds


@pytest.mark.parametrize("probability", [0.5, 1.0, 0.2])
@pytest.mark.parametrize("size", [(8, 8), (8, 6)])
def test_motions_have_the_stated_frequencies(size, probability):
    n = 40_000
    odds = stated(probability, size[0] == size[1])
    assert sum(odds) == pytest.approx(1)
    for motion, (found, expected) in enumerate(
        zip(frequencies(size, probability).tolist(), odds, strict=True)
    ):
        assert abs(found - expected) <= 4 * math.sqrt(expected * (1 - expected) / n), motion


def test_other_frequencies_would_be_noticed():
    """The mutation: without the second coin for the rotation, the test above must fail."""
    wrong = [0.5 * (m == 0) + 0.5 / 16 for m in range(16)]
    found = frequencies((8, 8), 0.5).tolist()
    assert any(
        abs(a - b) > 4 * math.sqrt(b * (1 - b) / 40_000) for a, b in zip(found, wrong, strict=True)
    )


# views
# ----------------------------------------------------------------------------------------------------------


def in_view(image, number):
    """One image [C, H, W] in a view."""
    return view(image[None], torch.tensor([number]))[0]


def quarters(height, width):
    """The four quarters of an image, True inside: a corner and half of each side, the middle row
    counted in."""
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    top, left = rows < (height + 1) // 2, columns < (width + 1) // 2
    bottom, right = rows >= height // 2, columns >= width // 2
    return [top & left, top & right, bottom & left, bottom & right]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_first_eight_views_are_the_distinct_motions(height, width):
    image = noise(3, height, width) + 1
    views = [in_view(image, number) for number in range(8)]
    motions = [expected_motion(image, motion) for motion in range(16)]
    distinct = {tuple(v.flatten().tolist()) for v in views}
    assert len(distinct) == (8 if height == width else 4)
    assert distinct == {tuple(m.flatten().tolist()) for m in motions}
    assert torch.equal(views[0], image)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_other_views_blank_exactly_one_quarter_of_a_motion(height, width):
    image = noise(3, height, width) + 1  # no pixel is 0 by itself
    assert VIEWS == 40
    for number in range(8, VIEWS):
        found, moved = in_view(image, number), in_view(image, number % 8)
        blank = quarters(height, width)[number // 8 - 1]
        assert torch.equal(found == 0, blank.expand(3, -1, -1)), number
        assert torch.equal(found[:, ~blank], moved[:, ~blank])


def test_the_four_quarters_make_up_the_image():
    image = torch.ones(1, 6, 8)
    blanks = torch.cat([in_view(image, 8 * number) == 0 for number in range(1, 5)])
    assert torch.equal(blanks.sum(0), torch.ones(6, 8, dtype=torch.long))
    assert {int(blank.sum()) for blank in blanks} == {12}


@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_image_is_seen_in_its_own_view(size, dtype):
    x, views = noise(VIEWS, 2, *size).to(dtype), torch.randperm(VIEWS, generator=generator())
    before = x.clone()
    found = view(x, views)
    assert found.dtype == dtype
    assert torch.equal(x, before)
    for image, number, seen in zip(x, views.tolist(), found, strict=True):
        assert torch.equal(seen, in_view(image, number))


def test_view_0_is_the_image_itself():
    x = noise(5, 2, 4, 4)
    assert torch.equal(view(x, torch.zeros(5, dtype=torch.long)), x)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 3)])
def test_images_of_hardly_any_pixel_have_views(size):
    x = noise(VIEWS, 1, *size) + 1
    found = view(x, torch.arange(VIEWS))
    assert found.shape == x.shape
    assert ((found[8:] == 0).flatten(1).any(1)).all()
    assert (found[:8] > 0).all()


@pytest.mark.parametrize("size", [(8, 8), (8, 6)])
@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_weak_views_are_the_motions_that_are_drawn(size, probability):
    x = noise(60, 2, *size)
    views, motions = (
        draw_views(x, probability, generator()),
        draw_motions(x, probability, generator()),
    )
    assert int(views.max()) < 8
    assert torch.equal(view(x, views), move(x, motions))
    assert (views == 0).all() == (probability == 0)


@pytest.mark.parametrize("size", [(8, 8), (8, 6)])
@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_strong_views_are_moved_whatever_the_probability_and_have_a_blank_quarter(
    size, probability
):
    x = noise(60, 2, *size) + 1
    views, motions = (
        draw_views(x, probability, generator(), strong=True),
        draw_motions(x, 1.0, generator()),
    )
    assert 8 <= int(views.min()) <= int(views.max()) < VIEWS
    assert torch.equal(view(x, views % 8), move(x, motions))
    assert torch.equal(
        (view(x, views) == 0).flatten(1).sum(1), torch.full((60,), 2 * size[0] * size[1] // 4)
    )


def test_strong_views_blank_each_quarter_equally_often():
    views = draw_views(torch.zeros(40_000, 1, 2, 2), 0.5, generator(), strong=True)
    shares = torch.bincount(views // 8, minlength=5) / len(views)
    assert shares[0] == 0
    assert all(
        abs(share - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 40_000) for share in shares[1:].tolist()
    )


@pytest.mark.parametrize("strong", [False, True])
def test_one_seed_draws_one_set_of_views(strong):
    x = torch.zeros(100, 1, 4, 4)
    first, again, other = (draw_views(x, 0.5, generator(seed), strong) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# turned and put back
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), *SIZES])
def test_turning_is_the_view_without_its_blank(height, width):
    x = noise(VIEWS, 3, height, width) + 1
    views = torch.arange(VIEWS)
    assert torch.equal(turn(x, views), view(x, views % 8))
    assert torch.equal(turn(x, views % 8), turn(x, views))


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
@pytest.mark.parametrize(("height", "width"), [(1, 1), *SIZES])
def test_what_was_turned_is_put_back_exactly(height, width, dtype):
    x, views = (200 * noise(VIEWS, 3, height, width)).to(dtype), torch.arange(VIEWS)
    before = x.clone()
    assert torch.equal(restore(turn(x, views), views), x)
    assert torch.equal(turn(restore(x, views), views), x)
    assert torch.equal(x, before)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_so_is_the_gradient(height, width):
    """restore(turn(x)) is x: what is put in front of it reaches every pixel as it is, not a sum
    over motions."""
    x, views = noise(8, 2, height, width).requires_grad_(), torch.arange(8)
    weight = noise(8, 2, height, width, seed=1)
    (weight * restore(turn(x, views), views)).sum().backward()
    assert torch.equal(x.grad, weight)
    x.grad = None
    (weight * turn(x, views)).sum().backward()
    assert torch.equal(x.grad, restore(weight, views))


def test_a_motion_is_no_other_ones_way_back():
    """The mutation: a quarter turn put back by another quarter turn the same way."""
    x = noise(8, 1, 4, 4)
    views = torch.arange(8)
    twice = turn(turn(x, views), views)
    assert [torch.equal(one, other) for one, other in zip(twice, x, strict=True)].count(
        False
    ) == 2  # ±90 degrees


def test_view_0_costs_no_copy():
    x, views = noise(5, 2, 4, 4), torch.tensor([0, 8, 16, 0, 32])
    assert turn(x, views) is x
    assert restore(x, views) is x


def encoded(network, x, views):
    """The maps of the images as they stand, and those of moved images, put back."""
    with torch.no_grad():
        return network(x), restore(network(turn(x, views)), views)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.MaxPool2d(8)])
@pytest.mark.parametrize("size", [(16, 16), (16, 24)])
def test_maps_of_a_pooling_encoder_are_put_back_exactly(pool, size):
    network = nn.Sequential(pool, nn.ReLU(), nn.MaxPool2d(2)) if pool.kernel_size == 2 else pool
    upright, restored = encoded(
        network, (64 * noise(8, 3, *size)).round(), torch.arange(8)
    )  # sums that are exact
    assert torch.equal(restored, upright)


@pytest.mark.parametrize("size", [(16, 16), (16, 24)])
def test_maps_of_a_1x1_convolution_and_of_a_unit_that_is_alike_on_all_sides_are_too(size):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.MaxPool2d(2)]
    for weight in layers[2].parameters():
        nn.init.constant_(weight, 0.1)
    upright, restored = encoded(nn.Sequential(*layers), noise(8, 3, *size), torch.arange(8))
    torch.testing.assert_close(restored, upright)


@pytest.mark.parametrize("size", [(16, 16), (16, 24)])
def test_a_padded_convolution_of_stride_2_shifts_its_cells(size):
    """Even one that is alike on all sides: its cells are centred on even pixels, counted from the
    left."""
    network = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    for weight in network.parameters():
        nn.init.constant_(weight, 0.1)
    upright, restored = encoded(network, noise(8, 3, *size), torch.arange(8))
    shifted = [
        (one - other).abs().max().item() > 0.05
        for one, other in zip(restored, upright, strict=True)
    ]
    assert shifted[0] is False
    assert (
        sum(shifted) >= 3 if size[0] != size[1] else sum(shifted) >= 6
    )  # a transposition leaves the corner in place


def test_a_network_that_can_tell_its_sides_apart_has_other_maps_of_moved_images():
    """What is put back is the place, not the content: a network need not see a moved image as it
    saw the image."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2))
    upright, restored = encoded(network, noise(8, 3, 8, 8), torch.arange(8))
    assert torch.equal(restored[0], upright[0])
    assert (restored[1:] - upright[1:]).abs().amax((1, 2, 3)).min() > 1e-2
