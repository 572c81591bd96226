"""What later notebooks import, as it stands in 03_training.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

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
        first_half, second_half = self.encoder(images).chunk(2, dim=1)
        return first_half, second_half, None


# from 03_training
def unpaired(part, sensors, size=125):
    rows_of = {}  # of each sensor: the rows of every batch
    for sensor in sensors:
        shuffled = torch.randperm(len(part.images[sensor]))
        rows_of[sensor] = shuffled.split(size)
    for batch in range(len(rows_of[sensors[0]])):
        images, labels = {}, {}
        for sensor in sensors:
            rows = rows_of[sensor][batch]
            own = part.images[sensor][rows]
            images[sensor] = apply_d4(own, random_d4(own))
            labels[sensor] = part.labels[rows]
        yield images, labels


# from 03_training
def make_optimizer(network, epochs, per_epoch=16):
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1.0)
    rates = epochs * per_epoch + 1  # one for the start, and one after each step
    schedule = OneCycleLR(optimizer, 0.01, rates, cycle_momentum=False)
    return optimizer, schedule


def one_epoch(network, terms, batches, optimizer, schedule, cost=losses):
    network.train()
    history = []
    for images, labels in batches:
        values = cost(network, terms, images, labels)
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append(torch.stack(list(values.values())).detach())
    means = torch.stack(history).mean(dim=0).tolist()
    return dict(zip(terms, means, strict=True))


# from 03_training
@torch.no_grad()
def right(network, sensor, part):  # 1 or 0 for each scene
    inv, inf, _ = network.eval().branches[sensor](part.images[sensor])
    logits = network.heads.task[sensor](torch.cat([inv, inf], 1))
    return (logits.argmax(1) == part.labels).float()


def train(network, terms, make_batches, epochs, test, cost=losses, per_epoch=16):
    optimizer, schedule = make_optimizer(network, epochs, per_epoch)
    history = []
    for epoch in range(epochs):
        batches = make_batches(epoch)
        means = one_epoch(network, terms, batches, optimizer, schedule, cost)
        score = 100 * right(network, "depth", test).mean().item()
        history.append({"right": score, **means})
    return pd.DataFrame(history)
