"""What later notebooks import, as it stands in 02_model_and_losses.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

import torch
import torch.nn.functional as F

from lessons.model import sensors


# from 02_model_and_losses
def class_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    logits = heads.task[sensor](torch.cat([inv, inf], dim=1))
    return F.cross_entropy(logits, labels)


# from 02_model_and_losses
def aux_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    of_inv = F.cross_entropy(heads.aux(inv), labels)
    of_inf = F.cross_entropy(heads.aux(inf), labels)
    return of_inv + of_inf


# from 02_model_and_losses
def sensor_loss(logits, sensor):
    log_probability = logits.log_softmax(1)[:, sensors.index(sensor)]
    return -log_probability.mean()


def mod_loss(parts, heads, sensor, labels):
    _, inf, irr = parts
    of_inf = sensor_loss(heads.mod_inf(inf), sensor)
    of_irr = sensor_loss(heads.mod_irr(irr), sensor)
    return of_inf + of_irr


# from 02_model_and_losses
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, strength):
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None  # none for the strength


def adv_loss(parts, heads, sensor, labels, strength=1.0):
    inv, _, _ = parts
    logits = heads.adv(Reverse.apply(inv, strength))
    return sensor_loss(logits, sensor)


# from 02_model_and_losses
def orth_loss(parts, heads=None, sensor=None, labels=None):
    inv, inf, irr = parts
    cosines = F.cosine_similarity(inv, inf) + F.cosine_similarity(inf, irr)
    return cosines.mean()


# from 02_model_and_losses
def losses(network, terms, images, labels):
    sums = dict.fromkeys(terms, 0.0)
    for sensor, branch in network.branches.items():
        parts = branch(images[sensor])
        for name, loss in terms.items():
            value = loss(parts, network.heads, sensor, labels[sensor])
            sums[name] = sums[name] + value
    return sums
