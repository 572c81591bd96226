"""Augmentation: rigid motions of each image, views of signals, and harder views, a batch
[B, C, H, W] at a time. A signal is an image of one row."""

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from discom.data.checks import SYMMETRIES, is_signal

WEAK, STRONG = 0.3, 1.0  # strengths of a signal's views
ANGLE = 40  # degrees, of the largest rotation of a strong view


def draw_transforms(
    x: Tensor,
    probability: float,
    generator: torch.Generator,
    strong: bool = False,
    symmetry: str = "all",
) -> Tensor:
    """The number of a transform for each image, [B], see `transform`.

    With `probability` (released code: ½) a horizontal flip (½), a vertical flip (½) and, with ½, a
    rotation by 0, 90, 180 or 270 degrees (only 0 or 180 where H ≠ W). With symmetry "flip" the
    horizontal flip alone, with "none" and "rotate" nothing. A strong view is always moved, as far
    as its sensor allows, and has one quarter blank.
    """
    mirrored, free = 0.5 * (symmetry in ("all", "flip")), 0.5 * (symmetry == "all")
    chances = torch.tensor([[1.0 if strong else probability], [free], [mirrored], [free]])
    moved, turned, horizontal, vertical = torch.rand(4, len(x), generator=generator) < chances
    turns = torch.randint(4, (len(x),), generator=generator)
    if x.shape[-1] != x.shape[-2]:
        turns = turns // 2 * 2
    # a vertical flip is half a turn and a horizontal flip
    turns = (turns * turned + 2 * vertical) % 4
    ids = moved * (turns + 4 * (horizontal ^ vertical))
    return ids + 8 * torch.randint(1, 5, (len(x),), generator=generator) if strong else ids


def random_d4(x: Tensor, symmetry: str = "all") -> Tensor:
    """A motion for each image, [B], all that `symmetry` allows equally likely; drawn by torch's
    global generator."""
    step = max(SYMMETRIES[symmetry], 1 if x.shape[-1] == x.shape[-2] else 2)
    return torch.randint(8, (len(x),)) // step * step


def apply_d4(x: Tensor, transform_ids: Tensor) -> Tensor:
    """Each image, mask or map of features [B, C, H, W] in its motion, the number of its transform
    mod 8; nothing is blanked. Motion k + 4h is k quarter turns, then a horizontal flip if h = 1;
    quarter turns exist for square images only.

    >>> image = torch.arange(4.0).view(1, 1, 2, 2)
    >>> apply_d4(image, torch.tensor([4]))[0, 0].tolist()  # a horizontal flip
    [[1.0, 0.0], [3.0, 2.0]]
    """
    motions = transform_ids % 8
    if not motions.any():
        return x
    table = _table(*x.shape[-2:], x.device)
    starts = torch.arange(len(x), device=x.device)[:, None] * table.shape[1]
    order = table[motions.to(x.device, non_blocking=True)] + starts
    pixels = x.movedim(1, -1)
    moved = pixels.flatten(0, 2).index_select(0, order.flatten())
    return moved.view(pixels.shape).movedim(-1, 1)


def invert_d4(x: Tensor, transform_ids: Tensor) -> Tensor:
    """Undo `apply_d4` exactly, for values and gradients.

    A map of features [B, D, H/8, W/8] of a moved image is put back as well where its cells are
    those of the image's own grid: pooling keeps them, a padded convolution with stride 2 does not.
    """
    motions = transform_ids % 8
    # a motion with a flip undoes itself
    return apply_d4(x, torch.where(motions < 4, -motions % 4, motions))


@lru_cache(maxsize=32)
def _table(height: int, width: int, device: torch.device) -> Tensor:
    """Source pixel of every target pixel under each motion, [8, H·W]."""
    pixels = torch.arange(height * width).view(height, width)
    turned = [pixels.rot90(k) if height == width or k % 2 == 0 else pixels for k in range(4)]
    motions = turned + [image.flip(1) for image in turned]
    return torch.stack([image.reshape(-1) for image in motions]).to(device)


def transform(x: Tensor, transform_ids: Tensor) -> Tensor:
    """Images [B, C, H, W] each by its own transform t: motion t mod 8, then quarter t div 8, from 1
    on, set to 0."""
    x = apply_d4(x, transform_ids)
    if (transform_ids < 8).all():
        return x
    height, width = x.shape[-2:]
    masks = x.new_ones(5, 1, height, width)
    for quarter in range(4):
        top, left = quarter // 2 * (height // 2), quarter % 2 * (width // 2)
        masks[quarter + 1, :, top : top + (height + 1) // 2, left : left + (width + 1) // 2] = 0
    return x * masks[(transform_ids // 8).to(x.device, non_blocking=True)]


def _without_autocast(view: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same view where losses are in half precision, whose places in an image are pixels off."""

    @wraps(view)
    def viewed(x: Tensor, *arguments: Any, **options: Any) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return view(x, *arguments, **options)

    return viewed


@_without_autocast
def distort(x: Tensor, symmetry: str = "all") -> Tensor:
    """A hard view of each image, as SimCLR needs it: another place, and `recolour`.

    A square crop of 30 to 100 % of the area, put back to full size, flipped and turned at random as
    `symmetry` allows; with "none", as for time and frequency, every pixel keeps its place. Of a
    signal a strong `signal_view`. Drawn by torch's global generator; the amounts were chosen on
    validation scores of scenes.
    """
    if is_signal(x.shape):
        return signal_view(x, STRONG, symmetry)
    if symmetry == "none":
        return recolour(x)
    side = _uniform(x, 0.3, 1).sqrt()
    crop = x.new_zeros(len(x), 2, 3)
    crop[:, 0, 0] = crop[:, 1, 1] = side
    crop[:, :, 2] = _uniform(x, -1, 1, 2) * (1 - side)[:, None]
    grid = F.affine_grid(crop, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    return recolour(apply_d4(x, random_d4(x, symmetry)))


@_without_autocast
def signal_view(
    x: Tensor, strength: float, symmetry: str = "none", generator: torch.Generator | None = None
) -> Tensor:
    """Another view of each signal [B, C, 1, T]: another time, speed, size, offset and noise.

    A part of it of 1 - s/4 to all of its length, stretched to T. Where `symmetry` is "rotate", each
    three channels are axes in space and turn together, by up to 40 s degrees. Each channel's
    deviation from its mean times e^u, u ~ N(0, (0.3 s)²); its mean shifts by N(0, (s/4)²); noise
    with a deviation of 0 to s/5. The last three are in deviations of the channel over the batch.

    Args:
        strength: s; 0 changes nothing, `WEAK` is 0.3 and `STRONG` 1.
        generator: of torch, by default its global one.
    """
    channels, last = x.shape[1], x.shape[3] - 1
    center = x[:, :, 0].mean((0, 2), keepdim=True)
    z = x[:, :, 0] - center  # [B, C, T]
    deviation = z.square().mean((0, 2), keepdim=True).sqrt().clamp(min=1e-6)  # std is slow
    z = z / deviation
    speed = _uniform(x, 1 - strength / 4, 1, 1, generator=generator)
    start = _uniform(x, 0, 1, 1, generator=generator) * last * (1 - speed)
    times = start + torch.arange(last + 1, device=x.device) * speed  # [B, T]
    before = times.long().clamp(max=last - 1)
    share = (times - before)[:, None]
    before = before[:, None].expand_as(z)
    z = z.gather(2, before) * (1 - share) + z.gather(2, before + 1) * share
    if symmetry == "rotate":
        axes = _draw(torch.randn, x, (3,), generator)
        turns = _rotations(axes, _uniform(x, 0, ANGLE * strength, generator=generator))
        z = (turns @ z.unflatten(1, (-1, 3))).flatten(1, 2)
    mean = z.mean(2, keepdim=True)
    shift = strength / 4 * _draw(torch.randn, x, (channels, 1), generator)
    factor = (0.3 * strength * _draw(torch.randn, x, (channels, 1), generator)).exp()
    z = mean + shift + (z - mean) * factor
    noise = _uniform(x, 0, strength / 5, 1, 1, generator=generator)
    z = z + noise * _draw(torch.randn, x, z.shape[1:], generator)
    return (z * deviation + center)[:, :, None]


def _rotations(axes: Tensor, degrees: Tensor) -> Tensor:
    """Rotations [B, 1, 3, 3] about axes [B, 3] by so many degrees [B]."""
    a, b, c = (F.normalize(axes, dim=1) * degrees.deg2rad()[:, None]).T
    zero = torch.zeros_like(a)
    turns = torch.stack([zero, -c, b, c, zero, -a, -b, a, zero], 1).view(-1, 1, 3, 3)
    return torch.linalg.matrix_exp(turns)


def recolour(x: Tensor) -> Tensor:
    """Other colours and more noise in each image, every pixel in its place.

    Its deviation from the mean of its band times 0.6 to 1.4; noise with a deviation of 0 to 0.1.
    Where there are colours (two bands or more), each band's factor is 0.2 to 1.8, negative with
    probability ½, and its mean shifts by up to 0.4. Drawn as in `distort`.
    """
    bands = x.shape[1]
    factor, shift = _uniform(x, 0.6, 1.4, 1, 1, 1), torch.zeros(())
    if bands > 1:
        sign = _uniform(x, -1, 1, bands, 1, 1).sign()
        factor = sign * _uniform(x, 0.2, 1.8, bands, 1, 1)
        shift = _uniform(x, -0.4, 0.4, bands, 1, 1)
    mean = x.mean((2, 3), keepdim=True)
    x = mean + shift + factor * (x - mean)
    return x + _uniform(x, 0, 0.1, 1, 1, 1) * torch.randn_like(x)


def _uniform(
    x: Tensor, low: float, high: float, *shape: int, generator: torch.Generator | None = None
) -> Tensor:
    """Numbers between low and high, `shape` of them for each image, `[B, *shape]`."""
    return low + (high - low) * _draw(torch.rand, x, shape, generator)


def _draw(
    numbers: Callable, x: Tensor, shape: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """`torch.rand` or `torch.randn`, `shape` of them for each image, `[B, *shape]`."""
    device = generator.device if generator else x.device
    drawn = numbers(len(x), *shape, device=device, dtype=x.dtype, generator=generator)
    return drawn.to(x.device)
