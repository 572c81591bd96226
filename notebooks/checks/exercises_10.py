"""The exercises of notebook 10: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from checks import report
from checks.exercises_00 import third
from discom.losses import dense


def overlap(
    logits: Tensor, masks: Tensor, power: int = 2, axes: tuple[int, ...] = (0, 2, 3)
) -> Tensor:
    """The soft Dice of each class, with probabilities to this power, sums over axes."""
    drawn = (masks != 255)[:, None]
    p = logits.softmax(1) * drawn
    y = F.one_hot(masks.where(masks != 255, 0), logits.shape[1]).movedim(3, 1) * drawn
    return 2 * (p * y).sum(axes) / ((p**power).sum(axes) + y.sum(axes))


def first(dice_loss: Callable) -> str:
    """A Dice loss over the drawn pixels of a batch; what is wrong, or nothing."""
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 8, 8, generator=draws)
    masks = torch.randint(4, (3, 8, 8), generator=draws)
    own = dice_loss(logits.clone(), masks.clone())
    if not isinstance(own, Tensor) or own.dim():
        return "return a loss"
    for value, problem in (
        (overlap(logits, masks).mean(), "a loss falls as Dice rises: 1 minus Dice"),
        (
            1 - overlap(logits, masks).mean() / 2,
            "above the line stands 2 Σ p y",
        ),
        (1 - overlap(logits, masks, power=1).mean(), "below the line p is squared"),
        (
            1 - overlap(logits, masks, axes=(2, 3)).mean(),
            "sum over the whole batch: an image may lack a class",
        ),
    ):
        if torch.isclose(own, value, atol=1e-4):
            return problem
    if not torch.isclose(own, dense.soft_dice(logits, masks), atol=1e-4):
        return "1 minus the mean over classes of 2 Σ p y / (Σ p² + Σ y)"
    masks[1, :4] = 255
    try:
        own = dice_loss(logits.clone(), masks.clone())
    except (IndexError, RuntimeError) as error:
        return f"255 is no class: {str(error).splitlines()[0]}"
    right = torch.isclose(own, dense.soft_dice(logits, masks), atol=1e-4)
    return "" if right else "leave pixels of 255 out of all three sums"


def second(hard: Callable) -> str:
    """Masks from logits, 255 where unsure; what is wrong, or nothing."""
    p = torch.tensor([[0.95, 0.03, 0.02], [0.05, 0.92, 0.03], [0.8, 0.1, 0.1]])
    answer = hard(p.log().T[None, :, None] - 9)  # logits [1, 3, 1, 3], none above 0
    if not isinstance(answer, Tensor) or answer.shape != (1, 1, 3):
        return "return masks [N, H, W]: a number for each pixel"
    if answer.is_floating_point():
        return "a mask holds the numbers of classes, not probabilities"
    expected = {
        (0, 1, 255): "",
        (255, 255, 255): "a drawing holds logits: take the softmax before you compare",
        (0, 1, 0): "80 % is unsure: it must be 255",
    }
    found = tuple(answer.flatten().tolist())
    return expected.get(found, f"95, 92 and 80 % sure of 0, 1 and 0 gave {found}")


def check(
    dice_loss: Callable, hard: Callable, worth: Mapping[int, float], goal: float
) -> None:
    """Print what is solved and what is missing."""
    report(first(dice_loss), second(hard), third(worth, goal, "run of alone"))
