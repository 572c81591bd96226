"""The exercises of notebook 10: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from checks import report
from checks.exercises_00 import third


def dice(
    logits: Tensor, labels: Tensor, own: tuple[int, ...] = (0, 2, 3), twice: float = 2
) -> Tensor:
    """1 minus the mean Dice of the classes; sums over these axes."""
    drawn = (labels != 255)[:, None]
    p = logits.softmax(1) * drawn
    y = F.one_hot(labels.where(labels != 255, 0), logits.shape[1]).movedim(3, 1) * drawn
    return 1 - (twice * (p * y).sum(own) / (p.sum(own) + y.sum(own))).mean()


def first(dice_loss: Callable) -> str:
    """A Dice loss over the labelled pixels of a batch; what is wrong, or nothing."""
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 8, 8, generator=draws)
    labels = torch.randint(4, (3, 8, 8), generator=draws)
    own = dice_loss(logits.clone(), labels.clone())
    if not isinstance(own, Tensor) or own.dim():
        return "return a loss"
    if torch.isclose(own, 1 - dice(logits, labels), atol=1e-4):
        return "a loss falls as Dice rises: 1 minus Dice"
    if torch.isclose(own, dice(logits, labels, twice=1), atol=1e-4):
        return "twice the overlap: where all is right Dice is 1"
    if torch.isclose(own, dice(logits, labels, own=(2, 3)), atol=1e-4):
        return "sum over the whole batch: an image may lack a class"
    if not torch.isclose(own, dice(logits, labels), atol=1e-4):
        return "1 minus the mean over classes of 2·Σ p·y / (Σ p + Σ y)"
    labels[1, :4] = 255
    try:
        own = dice_loss(logits.clone(), labels.clone())
    except (IndexError, RuntimeError) as error:
        return f"255 is no class: {str(error).splitlines()[0]}"
    right = torch.isclose(own, dice(logits, labels), atol=1e-4)
    return "" if right else "leave pixels of label 255 out of all three sums"


def second(hard: Callable) -> str:
    """Masks from log probabilities, 255 where unsure; what is wrong, or nothing."""
    p = torch.tensor([[0.95, 0.03, 0.02], [0.05, 0.92, 0.03], [0.8, 0.1, 0.1]])
    answer = hard(p.log().T[None, :, None])  # [1, 3, 1, 3]
    if not isinstance(answer, Tensor) or answer.shape != (1, 1, 3):
        return "return masks [N, H, W]: a number for each pixel"
    if answer.is_floating_point():
        return "a mask holds the numbers of classes, not probabilities"
    expected = {
        (0, 1, 255): "",
        (
            255,
            255,
            255,
        ): "`soft` holds logarithms: take exp before you compare",
        (0, 1, 0): "80 % is unsure: it must be 255",
    }
    found = tuple(answer.flatten().tolist())
    return expected.get(found, f"95, 92 and 80 % sure of 0, 1 and 0 gave {found}")


def check(
    dice_loss: Callable, hard: Callable, worth: Mapping[int, float], goal: float
) -> None:
    """Print what is solved and what is missing."""
    report(first(dice_loss), second(hard), third(worth, goal))
