"""Our path: the training that `fit` runs, without its validation and files."""

from discom import devices
from discom.config import Config
from discom.data import MultiModalData, Split
from discom.methods import build, get
from discom.training import _batches, _laid_out, _optimizer, _schedule, _train_epoch

__all__ = ["Ours"]


class Ours:
    """Images resident on the device and moved a batch at a time, precision and memory layout of the
    settings.

    Args:
        data: the training part.
        config: as for `fit`.
    """

    def __init__(self, data: MultiModalData, config: Config):
        self.fabric = devices.start(config)
        self.device = self.fabric.device
        model, layout = _laid_out(build(get("discom"), data, config), config, self.device)
        self.optimizer = _optimizer(model, config)
        self.batches, _ = _batches(
            self.fabric, model, Split(data, data, data), config, layout, None
        )
        self.schedule = _schedule(self.optimizer, config, len(self.batches))
        self.model, self.stepping = self.fabric.setup(model, self.optimizer)

    def epoch(self, number: int) -> float:
        """One pass over the data; the mean loss."""
        return _train_epoch(
            self.fabric, self.model, self.stepping, self.schedule, self.batches, number
        )["loss"]
