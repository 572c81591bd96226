"""The reference: DisCoM-KD's recipe as a plain PyTorch script trains it."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from discom.config import Config
from discom.data import Batch, MultiModalData
from discom.methods import build, get

__all__ = ["Recipe", "motions"]


def motions(probability: float) -> nn.Module:
    """The paper's augmentation of one image: with `probability`, each flip with ½, and with ½ some
    quarter turns.

    Quarter turns take torchvision's short cut, which copies pixels; nothing is interpolated.
    """
    turn = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
    moved = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomApply([turn])])
    return v2.RandomApply([moved], p=probability)


class OneSensor(Dataset):
    """The images of one modality, scaled and in memory; each is moved when it is asked for."""

    def __init__(self, data: MultiModalData, name: str, augment: float):
        self.images = torch.from_numpy(data.images(name))
        self.labels = torch.from_numpy(data.modalities[name].y)
        self.move = motions(augment)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int):
        return self.move(self.images[row]), self.labels[row]


class Recipe:
    """Float32, contiguous tensors, Adam, and a loader for each modality, shuffled on its own,
    moving image by image.

    Network, loss and initial weights are those of our own method; it waits for the device once an
    epoch, when the losses are read.

    Args:
        data: the training part.
        config: batch size, learning rate, augmentation, network and seed are followed; precision,
            memory layout and schedule are the recipe's own.
        workers: processes of each loader; 0, torch's default, loads in this one.
    """

    def __init__(self, data: MultiModalData, config: Config, workers: int = 0):
        self.device = torch.device(config.accelerator)
        self.model = build(get("discom"), data, config).to(self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        self.loaders = {
            name: DataLoader(
                OneSensor(data, name, config.augment), config.batch_size, shuffle=True, drop_last=True,
                num_workers=workers, persistent_workers=workers > 0, pin_memory=self.device.type == "cuda",
            )
            for name in data.modalities
        }  # fmt: skip

    def epoch(self, number: int) -> float:
        """One pass over the data; the mean loss."""
        self.model.train()
        losses = []
        for loaded in zip(*self.loaders.values(), strict=False):  # as long as the shorter loader
            pairs = [[part.to(self.device, non_blocking=True) for part in pair] for pair in loaded]
            x, y = (
                dict(zip(self.loaders, parts, strict=True)) for parts in zip(*pairs, strict=True)
            )
            terms = self.model(Batch(x, y, number))
            total = sum(self.model.weights[name] * value for name, value in terms.items())
            self.optimizer.zero_grad()
            total.backward()
            self.optimizer.step()
            losses.append(total.detach())
        return torch.stack(losses).mean().item()
