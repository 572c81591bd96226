"""Frozen features: what a pretrained encoder says of each image, as images of one pixel. A linear
layer on them is logistic regression: the first thing to compare a trained network with."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from discom.data import Modality, MultiModalData, Normalization
from discom.errors import DataError
from discom.models import encoder

ENCODER = "timm:tf_efficientnet_lite0"  # small, and quick on a CPU
BATCH = 32


@torch.inference_mode()
def frozen(
    data: MultiModalData, name: str = ENCODER, pretrained: str = "imagenet", size: int = 224
) -> MultiModalData:
    """The same samples, with the features of each image in the place of its pixels, [N, D, 1, 1].

    Bounds of all images of a sensor scale them to [0, 1], so no label is read, and bilinear
    interpolation brings them to `size`×`size` pixels. Train on them with `encoder="none"`.

    Args:
        name, pretrained: see `discom.models.encoder`.

    Raises:
        DataError: a class for every pixel.
        ConfigError: an encoder that does not exist, or weights that cannot be had.
    """
    if data.dense:
        raise DataError(data.name, "has a class for every pixel", "take one class for each image")
    modalities = {}
    for sensor, m in data.modalities.items():
        scale = Normalization.fit(m.x, f"{data.name}/{sensor}", m.invalid)
        module = encoder(name, pretrained=pretrained)(m.x.shape[1])[0].eval()
        features = []
        for rows in tqdm(range(0, len(m.x), BATCH), f"{sensor}: features", leave=False):
            images = torch.from_numpy(scale(m.x[rows : rows + BATCH]))
            images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
            features.append(module(images).numpy())
        x = np.concatenate(features)[:, :, None, None]
        modalities[sensor] = Modality(x, m.y, m.ids)
    about = {**data.about, "features": {"encoder": name, "pretrained": pretrained, "size": size}}
    about["features"]["of"] = data.fingerprint
    features_of = data.with_modalities(modalities, data.parts)
    return replace(features_of, name=f"{data.name}-frozen", about=about)
