"""The exercises of notebook 02: a line for each, solved or what is missing."""

from collections.abc import Callable
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from checks import report


def first(reverse: Callable) -> str:
    """The same value, the gradient turned around; what is wrong, or nothing."""
    z = torch.tensor([1.0, -2.0], requires_grad=True)
    value = reverse(z, 0.5)
    if not isinstance(value, Tensor):
        return "return a tensor"
    if not torch.allclose(value, z):
        return f"forward nothing may change: [1, -2] became {value.tolist()}"
    if not value.requires_grad:
        return "no gradient comes back: not all of z may be detached"
    (gradient,) = torch.autograd.grad(value.sum(), z)
    if not torch.allclose(gradient, torch.full((2,), -0.5)):
        return f"the gradient 1 must become -0.5 at λ = 0.5, not {gradient[0]:g}"
    return ""


def second(right_angles: Callable) -> str:
    """Least at 90° for every scene; what is wrong, or nothing."""
    first = torch.tensor([[1.0, 0.0]])
    angles = {0: [2.0, 0.0], 60: [1.0, 3**0.5], 90: [0.0, 1.0], 180: [-3.0, 0.0]}
    losses = {}
    for angle, vector in angles.items():
        value = right_angles((first, torch.tensor([vector]), first))
        if not isinstance(value, Tensor | float | int):
            return "return a loss"
        losses[angle] = float(value)
    if losses[180] < losses[90] + 0.1:
        return "opposite vectors, 180°, must cost more than right angles"
    if not losses[90] < losses[60] < losses[0]:
        return "the loss must grow from 90° over 60° to 0°"
    mixed = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])  # 0° in one scene, 180° in another
    both = (first.repeat(2, 1), mixed, first.repeat(2, 1))
    if float(right_angles(both)) < losses[90] + 0.1:
        return "scenes at 0° and 180° must not cancel: take the mean last"
    middle = torch.tensor([[0.0, 1.0]])
    if float(right_angles((middle, first, first))) < losses[90] + 0.1:
        return "inf and irr must be at right angles, too"
    return ""


def third(hide_loss: Callable) -> str:
    """A head reads the class from irr, the encoder hides it; what is wrong."""
    torch.manual_seed(0)
    parts = [torch.rand(6, 64, requires_grad=True) for _ in range(3)]
    labels, hide = torch.tensor([0, 1, 2, 3, 4, 8]), nn.Linear(64, 9)
    value = hide_loss(parts, _heads(hide), "depth", labels)
    if not isinstance(value, Tensor):
        return "return a loss"
    expected = F.cross_entropy(hide(parts[2]), labels)
    if abs(value.item() - expected.item()) > 1e-4:
        return "it must be the cross-entropy of heads.hide(irr) and the class"
    inputs = [parts[2], *hide.parameters()]
    wanted = torch.autograd.grad(expected, inputs)
    found = torch.autograd.grad(value, inputs, materialize_grads=True)
    if torch.allclose(found[0], wanted[0]):
        return "the encoder still shows the class: turn the gradient around"
    if torch.allclose(found[1], -wanted[1]):
        return "the head must learn to read: reverse irr, not what the head says"
    if not torch.allclose(found[0], -wanted[0]):
        return "irr must get the gradient of the cross-entropy times -1"
    blank = nn.Linear(64, 9)
    for weights in blank.parameters():
        nn.init.zeros_(weights)
    blind = hide_loss(parts, _heads(blank), "depth", labels)
    return "" if abs(blind.item() - log(9)) < 1e-4 else "a head of zeros costs log 9"


def _heads(hide: nn.Module) -> nn.ModuleDict:
    """Heads with that one to read `irr`."""
    others = {name: nn.Linear(64, 2) for name in ("adv", "mod_inf", "mod_irr")}
    return nn.ModuleDict({"hide": hide, "aux": nn.Linear(64, 9), **others})


def check(reverse: Callable, right_angles: Callable, hide_loss: Callable) -> None:
    """Print what is solved and what is missing."""
    report(first(reverse), second(right_angles), third(hide_loss))
