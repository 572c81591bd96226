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
        width = features // 2
        linear, norm = nn.Linear(features, width), nn.BatchNorm1d(width)
        self.project = nn.Sequential(linear, norm, nn.ReLU())

    def forward(self, images):
        inf, irr = self.specific(images).chunk(2, dim=1)
        inv = self.project(self.invariant(images))
        return inv, inf, irr  # [B, 64] each


# from 02_model_and_losses
def make_heads(width=64, classes=9):
    task_heads = {sensor: nn.Linear(2 * width, classes) for sensor in sensors}
    heads = {"task": nn.ModuleDict(task_heads)}
    for name in ("adv", "mod_inf", "mod_irr"):
        heads[name] = nn.Linear(width, len(sensors))  # which sensor?
    heads["aux"] = nn.Linear(width, classes)  # which class?
    return nn.ModuleDict(heads)


def make_network(branch=Branch, seed=0, kept=sensors):
    torch.manual_seed(seed)
    branches = {sensor: branch(bands[sensor]) for sensor in kept}
    parts = {"branches": nn.ModuleDict(branches), "heads": make_heads()}
    return nn.ModuleDict(parts)
