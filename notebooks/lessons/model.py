"""What later notebooks import, as it stands in 02_model_and_losses.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

from torch import nn
import torch

from discom.models.encoders import resnet10


# from 02_model_and_losses
bands = {"rgb": 3, "depth": 1}  # of an image of each sensor
sensors = list(bands)


class Branch(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.specific, features = resnet10(bands)  # mean over pixels last: [B, 128]
        self.invariant, _ = resnet10(bands)
        linear, norm = nn.Linear(features, features // 2), nn.BatchNorm1d(features // 2)
        self.project = nn.Sequential(linear, norm, nn.ReLU())

    def forward(self, images):
        inf, irr = self.specific(images).chunk(2, dim=1)
        return self.project(self.invariant(images)), inf, irr  # [B, 64] each


def make_heads(width=64, classes=9):
    heads = {"task": nn.ModuleDict({s: nn.Linear(2 * width, classes) for s in sensors})}
    heads |= {n: nn.Linear(width, len(sensors)) for n in ("adv", "mod_inf", "mod_irr")}
    return nn.ModuleDict(heads | {"aux": nn.Linear(width, classes)})


def make_network(branch=Branch, seed=0, kept=sensors):
    torch.manual_seed(seed)
    branches = nn.ModuleDict({sensor: branch(bands[sensor]) for sensor in kept})
    return nn.ModuleDict({"branches": branches, "heads": make_heads()})
