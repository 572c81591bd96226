"""Motions and views: against NumPy image by image, their frequencies, and their exact inverse."""

import numpy as np
import pytest
import torch

from discom.data.augmentation import (
    STRONG,
    WEAK,
    _rotations,
    apply_d4,
    distort,
    draw_transforms,
    invert_d4,
    signal_view,
    transform,
)

VIEWS = 8 * (1 + 4)  # a motion, and no quarter of the image blank or one of four

SIZES = [(8, 8), (5, 5), (8, 6), (3, 7)]
# a socket that another test left open is collected here at times
pytestmark = pytest.mark.filterwarnings("error", "ignore::pytest.PytestUnraisableExceptionWarning")


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def generator(seed=7):
    return torch.Generator().manual_seed(seed)


def expected_motion(image, motion):
    """Quarter turns, then perhaps a horizontal flip, by NumPy; [C, H, W]."""
    if image.shape[1] == image.shape[2] or motion % 2 == 0:
        image = np.rot90(image, motion % 4, axes=(1, 2))
    return image[:, :, ::-1] if motion >= 4 else image


@pytest.mark.parametrize(("height", "width"), [(1, 1), *SIZES])
def test_each_image_is_moved_by_its_own_motion_and_put_back(height, width):
    x, motions = noise(8, 3, height, width), torch.randperm(8, generator=generator())
    moved = apply_d4(x, motions)
    for image, before, motion in zip(moved, x, motions.tolist(), strict=True):
        np.testing.assert_array_equal(image, expected_motion(before.numpy(), motion))
    assert torch.equal(invert_d4(moved, motions), x)


@pytest.mark.parametrize("probability", [0.5, 1.0])
@pytest.mark.parametrize("size", [(8, 8), (8, 6)])
def test_motions_have_the_stated_frequencies(size, probability):
    n, square = 40_000, size[0] == size[1]
    motions = draw_transforms(torch.empty(n, 1, *size), probability, generator())
    pixels, expected = np.arange(size[0] * size[1]).reshape(1, *size), {}
    for turns in range(4):
        turned = np.rot90(pixels, turns, axes=(1, 2)) if square or turns % 2 == 0 else pixels
        drawn = 0.25 if square else (turns % 2 == 0) / 2
        share = probability * (0.5 * (turns == 0) + 0.5 * drawn) / 4
        for image in (turned, turned[:, :, ::-1], turned[:, ::-1], turned[:, ::-1, ::-1]):
            expected[image.tobytes()] = expected.get(image.tobytes(), 0) + share
    expected[pixels.tobytes()] += 1 - probability
    for motion in range(8):
        share = expected.pop(expected_motion(pixels, motion).tobytes(), 0)
        assert abs((motions == motion).double().mean() - share) < 0.01
    assert sum(expected.values()) == 0


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_view_is_a_motion_and_perhaps_a_blank_quarter(height, width):
    x = 1 + noise(1, 2, height, width)
    views = transform(x.expand(VIEWS, -1, -1, -1), torch.arange(VIEWS))
    upright = views[:8]
    assert torch.equal(upright, apply_d4(x.expand(8, -1, -1, -1), torch.arange(8)))
    for number in range(8, VIEWS):
        quarter, blank = number // 8 - 1, torch.ones(height, width)
        rows = slice(0, (height + 1) // 2) if quarter < 2 else slice(height // 2, None)
        columns = slice(0, (width + 1) // 2) if quarter % 2 == 0 else slice(width // 2, None)
        blank[rows, columns] = 0
        assert torch.equal(views[number], upright[number % 8] * blank)


def test_strong_views_are_moved_whatever_the_probability_and_have_a_blank_quarter():
    x = torch.empty(8000, 1, 8, 8)
    strong = draw_transforms(x, 0.0, generator(), strong=True)
    assert torch.equal(strong % 8, draw_transforms(x, 1.0, generator()))
    quarters = np.bincount(strong // 8, minlength=5)
    assert quarters[0] == 0
    assert (abs(quarters[1:] / 8000 - 0.25) < 0.02).all()


def distorted(x, seed=0):
    torch.manual_seed(seed)
    return distort(x)


def test_without_structure_a_distorted_view_is_noise_and_a_shift_of_colours():
    grey, colour = (distorted(torch.full((400, b, 16, 16), 0.5)) - 0.5 for b in (1, 3))
    amounts, shifts = grey.std((1, 2, 3)), colour.mean((2, 3))
    assert amounts.min() < 0.01  # uniform from 0 to 0.1
    assert 0.09 < amounts.max() < 0.11
    assert grey.mean((1, 2, 3)).abs().max() < 4 * 0.1 / 16
    assert 0.38 < shifts.max() < 0.42
    assert -0.42 < shifts.min() < -0.38
    assert torch.corrcoef(shifts.T).fill_diagonal_(0).abs().max() < 0.2  # each band its own


@pytest.mark.parametrize(("bands", "low", "high"), [(1, 0.6, 1.4), (3, 0.2, 1.8)])
def test_a_crop_and_a_factor_change_a_slope_as_far_as_they_say(bands, low, high):
    """Of a plane a crop of side s is the plane with s times the slope, wherever it is."""
    size, colours = 32, bands > 1
    plane = 1e4 * torch.arange(float(size)).expand(2000, bands, size, size)  # drowns the noise
    slopes = distorted(plane).std((2, 3)) / plane.std((2, 3))
    assert 0.3**0.5 * low * 0.97 < slopes.min() < 0.3**0.5 * low * 1.2
    assert high * 0.9 < slopes.max() < high * 1.01
    bands = distorted(plane).flatten(2)[:, [0, -1]]
    first, last = (bands - bands.mean(2, keepdim=True)).unbind(1)
    negative = ((first * last).sum(1) < 0).float().mean().item()
    assert negative == pytest.approx(0.5 * colours, abs=4 * 0.5 / 2000**0.5)


@pytest.mark.parametrize(("symmetry", "turned"), [("all", True), ("flip", False), ("none", False)])
def test_a_distorted_view_turns_only_what_may_turn(symmetry, turned):
    """Rows that brighten downwards; with "none" no place changes, and the slope is recolour's."""
    plane = 1e4 * torch.arange(16.0)[:, None].expand(300, 1, 16, 16)  # drowns the noise
    torch.manual_seed(0)
    slopes = (distort(plane, symmetry)[:, 0].diff(dim=1).mean((1, 2))) / 1e4
    assert bool((slopes < 0.1).any()) == turned
    assert bool((slopes < 0.59).any()) == (symmetry != "none")


def test_a_view_draws_speeds_sizes_offsets_and_noise_as_stated():
    time, count = torch.arange(400.0), 500
    x = torch.sin(2 * torch.pi * 60 * time / 400).repeat(count, 1, 1, 1)
    seen = signal_view(x, STRONG, generator=generator())[:, 0, 0]
    peak = torch.fft.rfft(seen - seen.mean(1, keepdim=True)).abs().argmax(1)
    assert peak.min() >= 44
    assert peak.max() <= 60
    assert peak.float().std() > 3  # uniform from 45 to 60: 4.3
    offset = seen.mean(1) / x.std()
    assert abs(offset.std() - 0.25) < 0.03
    assert abs(offset.mean()) < 0.05
    assert abs((seen.std(1) / x.std()).log().std() - 0.3) < 0.03
    levels = noise(count, 1, 1, 1).expand_as(x)  # of what never changes, noise alone is left
    still = signal_view(levels, STRONG, generator=generator())[:, 0, 0].std(1) / levels.std()
    assert abs(still.mean() - 0.1) < 0.01
    assert still.max() < 0.22


def test_a_view_turns_axes_in_space():
    turns = _rotations(noise(200, 3), torch.linspace(0, 40, 200))[:, 0]
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3).expand(200, 3, 3), atol=1e-5, rtol=0)
    traces = turns.diagonal(dim1=1, dim2=2).sum(1)  # 1 + 2 cos of the angle
    expected = 1 + 2 * torch.linspace(0, 40, 200).deg2rad().cos()
    torch.testing.assert_close(traces, expected, atol=1e-4, rtol=0)


def test_a_distorted_signal_is_a_strong_view():
    x = noise(4, 3, 1, 50)
    torch.manual_seed(3)
    seen = distort(x, "rotate")
    torch.manual_seed(3)
    torch.testing.assert_close(seen, signal_view(x, STRONG, "rotate"))


@pytest.mark.parametrize("symmetry", ["none", "rotate"])
def test_time_never_runs_backwards(symmetry):
    """The flips of images are no views of a signal."""
    rising = torch.arange(64.0).expand(60, 3, 1, 64)
    assert not draw_transforms(rising, 1.0, generator(), symmetry=symmetry).any()
    seen = signal_view(rising, WEAK, symmetry, generator())[:, :, 0]
    assert (seen[..., -8:].mean(2) > seen[..., :8].mean(2)).all()


@pytest.mark.parametrize(
    ("shape", "symmetry"), [((4, 3, 64, 64), "all"), ((4, 3, 1, 256), "rotate")]
)
def test_views_in_a_loss_of_half_precision_keep_their_places(shape, symmetry):
    """The grid had eight bits: on 64 pixels places were half a pixel off."""
    x, views = torch.rand(shape, generator=torch.Generator().manual_seed(0)), []
    for enabled in (False, True):
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            views.append(distort(x, symmetry))
    assert torch.equal(*views)
