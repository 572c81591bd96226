"""What later notebooks import, as it stands in 02_model_and_losses.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

import torch

from lessons.losses import losses


# from 02_model_and_losses
def random_batch(part, size=32):
    images, labels = {}, {}
    for sensor, own in part.images.items():
        rows = torch.randperm(len(own))[:size]
        images[sensor], labels[sensor] = own[rows], part.labels[rows]
    return images, labels


# from 02_model_and_losses
def train_steps(network, terms, part, steps):
    network.train()
    weights = network.parameters()
    optimizer = torch.optim.AdamW(weights, weight_decay=0.03, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, steps + 1)
    history = []
    for _ in range(steps):
        values = losses(network, terms, *random_batch(part))
        optimizer.zero_grad()
        sum(values.values()).backward()
        optimizer.step()
        schedule.step()
        history.append({name: value.item() for name, value in values.items()})
    return history
