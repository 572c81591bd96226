"""The scaled loss of fp16, and the steps that it skips."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from discom.errors import RunError

SKIPPED = 10  # steps in a row whose gradients overflow end a run


class LossScale:
    """fp16's factor on the loss, by which small gradients do not vanish: where one overflows, the
    step is skipped and the factor halved. In other precisions there is none."""

    def __init__(self, fabric: Fabric):
        self.scaler: Any = getattr(fabric.strategy.precision, "scaler", None)
        self.one = torch.ones((), device=fabric.device)
        self.factors: list[Tensor] = []  # before each step of the epoch
        self.skipped = 0  # steps in a row, the last ones

    def note(self) -> None:
        """Note the factor of the step to come; it is read once an epoch."""
        if self.scaler is not None:
            self.factors.append(self.scaler.scale(self.one))

    def report(self, epoch: int) -> dict[str, float]:
        """How many steps of the epoch were skipped, and the factor at its end; a RunError after
        SKIPPED in a row."""
        if self.scaler is None:
            return {}
        self.note()  # after the last step
        factors, self.factors = torch.stack(self.factors).cpu(), []
        fell = factors.diff() < 0
        for skipped in fell.tolist():
            self.skipped = self.skipped + 1 if skipped else 0
            if self.skipped == SKIPPED:
                found = f"gradients overflowed in {SKIPPED} steps in a row, up to epoch {epoch}"
                raise RunError("precision 16-mixed", found, "set mixed or 32-true")
        return {"skipped_steps": int(fell.sum()), "loss_scale": factors[-1].item()}

    def state_dict(self) -> dict[str, Any]:
        """Of the factor, which is one for a run that goes on."""
        return {"skipped": self.skipped, **self.scaler.state_dict()} if self.scaler else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave; nothing where either run is not in fp16."""
        if self.scaler is not None and state:
            self.skipped = state["skipped"]
            self.scaler.load_state_dict({k: v for k, v in state.items() if k != "skipped"})
