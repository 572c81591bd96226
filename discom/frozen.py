"""Frozen features: what a pretrained encoder says of each image, as images of one pixel. A linear
layer on them is logistic regression: the first thing to compare a trained network with."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from discom.data import Modality, MultiModalData, Normalization
from discom.data.batches import paired_rows
from discom.models.encoders import encoder

ENCODER = "timm:tf_efficientnet_lite0"  # small, and quick on a CPU
BATCH = 32


@torch.inference_mode()
def frozen(
    data: MultiModalData,
    bounds: Mapping[str, Normalization],
    name: str = ENCODER,
    pretrained: str = "imagenet",
    size: int = 224,
) -> MultiModalData:
    """The same samples, with the features of each image in the place of its pixels, [N, D, 1, 1];
    of several sensors also those of complete samples side by side, as a sensor called "fused".

    Bilinear interpolation brings the scaled images to `size`×`size` pixels. Train on the features
    with `encoder="none"`.

    Args:
        bounds: sensor → what scales its images, those of the training part.
        name, pretrained: see `discom.models.encoder`.

    A ConfigError for weights that cannot be had.
    """
    modalities = {}
    for sensor, m in data.modalities.items():
        module = encoder(name, pretrained=pretrained)(m.x.shape[1])[0].eval()
        features = []
        for first in tqdm(range(0, len(m.x), BATCH), f"{sensor}: features", leave=False):
            images = torch.from_numpy(bounds[sensor](m.x[first : first + BATCH]))
            images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
            features.append(module(images).numpy())
        modalities[sensor] = Modality(
            np.concatenate(features)[:, :, None, None], m.y, m.ids, motions="all"
        )
    if len(modalities) > 1 and len(data.paired_ids):
        rows = paired_rows(data, list(modalities))
        parts = [modalities[sensor].take(own.numpy()) for sensor, own in rows.items()]
        modalities["fused"] = replace(parts[0], x=np.concatenate([part.x for part in parts], 1))
    made = data.with_modalities(modalities, data.parts)
    return replace(made, name=f"{data.name}-frozen", about={**data.about, "encoder": name})
