"""What later notebooks import, as it stands in 06_what_the_embeddings_hold.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

import course
from torch import nn
import torch
import torch.nn.functional as F

from lessons.model import sensors


# from 06_what_the_embeddings_hold
def fit(reader, z, answers):
    weights = list(reader.parameters())
    optimizer = torch.optim.LBFGS(weights, max_iter=300, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        errors = F.cross_entropy(reader(z), answers)
        squares = sum(weight.square().sum() for weight in weights)
        loss = errors + squares / (2 * len(z))
        loss.backward()
        return loss

    optimizer.step(cost)


def probe(z, answers, reader=None):  # % right on the half that it was not fitted to
    if reader is None:
        reader = nn.Linear(z.shape[1], int(answers.max()) + 1).to(z.device)
    half = len(z) // 2
    fit(reader, z[:half], answers[:half])
    right = reader(z[half:]).argmax(1) == answers[half:]
    return 100 * right.float().mean().item()


# from 06_what_the_embeddings_hold
@torch.no_grad()
def embed(network, images):  # part → [scenes, sensors, 64]
    network.eval()
    views = [network.branches[sensor](images[sensor]) for sensor in sensors]
    embedding = {}
    for k, part in enumerate(course.PARTS):  # inv, inf, irr
        z = torch.stack([view[k] for view in views], dim=1)
        embedding[part] = (z - z.mean((0, 1))) / (z.std((0, 1)) + 1e-6)
    return embedding


# from 06_what_the_embeddings_hold
def sensor_share(z):  # % of a part's variance
    colour, depth = z.mean(0)
    return 100 * ((colour - depth) / 2).square().mean().item()


# from 06_what_the_embeddings_hold
def erase(z, direction):
    unit = direction / direction.norm()
    share = z @ unit
    return z - share[..., None] * unit
