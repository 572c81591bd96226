"""What later notebooks import, as it stands in 03_training.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

import numpy as np
import pandas as pd
from torch import nn
import torch
from torch.optim.lr_scheduler import OneCycleLR

from discom.data.augmentation import apply_d4
from discom.data.augmentation import random_d4
from discom.models.encoders import resnet10
from lessons.losses import losses


# from 03_training
class Student(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.encoder, _ = resnet10(bands)  # [B, bands, 32, 32] → [B, 128]

    def forward(self, images):
        return *self.encoder(images).chunk(2, dim=1), None  # two halves, no third part


# from 03_training
def unpaired(part, sensors, size=125):
    orders = [torch.randperm(len(part.images[s])).split(size) for s in sensors]
    for batch in zip(*orders, strict=True):
        images, labels = {}, {}
        for sensor, rows in zip(sensors, batch, strict=True):
            own = part.images[sensor][rows]
            images[sensor] = apply_d4(own, random_d4(own))
            labels[sensor] = part.labels[rows]
        yield images, labels


# from 03_training
@torch.no_grad()
def right(network, sensor, part):  # 1 or 0 for each scene
    inv, inf, _ = network.eval().branches[sensor](part.images[sensor])
    logits = network.heads.task[sensor](torch.cat([inv, inf], 1))
    return (logits.argmax(1) == part.labels).float()


def train(network, terms, batches, epochs, test, cost=losses, per_epoch=16):
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    steps = epochs * per_epoch + 1
    schedule = OneCycleLR(optimizer, 0.01, steps, cycle_momentum=False)
    history = []
    for epoch in range(epochs):
        network.train()
        seen = []
        for images, labels in batches(epoch):
            values = cost(network, terms, images, labels)
            optimizer.zero_grad()
            sum(values.values()).backward()
            optimizer.step()
            schedule.step()
            seen.append([value.item() for value in values.values()])
        means = dict(zip(terms, np.mean(seen, axis=0), strict=True))
        score = 100 * right(network, "depth", test).mean().item()
        history.append({"right": score, **means})
    return pd.DataFrame(history)
