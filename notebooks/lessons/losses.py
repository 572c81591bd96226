"""What later notebooks import, as it stands in 02_model_and_losses.

`python notebooks/build.py --heads` writes this file: edit the notebook's twin instead.
"""

import torch
import torch.nn.functional as F

from lessons.model import sensors


# from 02_model_and_losses
def class_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return F.cross_entropy(heads.task[sensor](torch.cat([inv, inf], 1)), labels)


def aux_loss(parts, heads, sensor, labels):
    inv, inf, _ = parts
    return sum(F.cross_entropy(heads.aux(part), labels) for part in (inv, inf))


# from 02_model_and_losses
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, strength):
        ctx.strength = strength
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def sensor_loss(logits, sensor):
    return -logits.log_softmax(1)[:, sensors.index(sensor)].mean()


def mod_loss(parts, heads, sensor, labels):
    _, inf, irr = parts
    return sum(sensor_loss(z, sensor) for z in (heads.mod_inf(inf), heads.mod_irr(irr)))


def adv_loss(parts, heads, sensor, labels, strength=1.0):
    return sensor_loss(heads.adv(Reverse.apply(parts[0], strength)), sensor)


# from 02_model_and_losses
def orth_loss(parts, heads=None, sensor=None, labels=None):
    inv, inf, irr = parts
    return (F.cosine_similarity(inv, inf) + F.cosine_similarity(inf, irr)).mean()


# from 02_model_and_losses
def losses(network, terms, images, labels):
    sums = dict.fromkeys(terms, 0.0)
    for sensor, branch in network.branches.items():
        parts, own = branch(images[sensor]), labels[sensor]
        for name, loss in terms.items():
            sums[name] = sums[name] + loss(parts, network.heads, sensor, own)
    return sums
