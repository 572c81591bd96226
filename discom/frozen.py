"""What needs no training of a network, and comes first: extra trees on coarse features, and
logistic regression on what a pretrained encoder says of each image."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from discom.config import Config
from discom.data import MultiModalData, Normalization
from discom.data.checks import is_signal
from discom.errors import ConfigError
from discom.models.encoders import encoder
from discom.tables.answers import Row

ENCODER = "timm:tf_efficientnet_lite0"  # small, and quick on a CPU


def coarse(x: np.ndarray) -> np.ndarray:
    """Scaled images [N, C, H, W] as means of 8×8 parts; signals as mean, deviation and logarithms
    of the power in six bands of each channel; [N, D]."""
    if is_signal(x.shape):
        power = np.abs(np.fft.rfft(x[:, :, 0])[..., 1:]) ** 2
        bands = [np.log(b.mean(-1) + 1e-6) for b in np.array_split(power, 6, axis=-1) if b.size]
        return np.concatenate([x.mean((2, 3)), x.std((2, 3)), *bands], 1)
    return F.adaptive_avg_pool2d(torch.from_numpy(x), 8).flatten(1).numpy()


@torch.inference_mode()
def frozen(
    x: np.ndarray, name: str = ENCODER, pretrained: str = "imagenet", size: int = 128
) -> np.ndarray:
    """Features [N, D] of scaled images by a pretrained encoder, at size×size pixels; a ConfigError
    for weights that cannot be had."""
    module, features = encoder(name, pretrained=pretrained)(x.shape[1])[0].eval(), []
    for images in tqdm(torch.from_numpy(x).split(32), "frozen features", leave=False):
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
        features.append(module(images).numpy())
    return np.concatenate(features)


def rows(images: MultiModalData, config: Config, seeds: int, folds: int) -> dict[str, Row]:
    """Answers of extra trees and, on images, of logistic regression, by each sensor and by complete
    samples of all, with the labels and folds of runs of these settings."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scaled = {k: Normalization.fit(m.x, k, m.invalid)(m.x) for k, m in images.modalities.items()}
    features, models = {"extra trees": {k: coarse(x) for k, x in scaled.items()}}, dict[str, Any]()
    models["extra trees"] = ExtraTreesClassifier(random_state=0, n_jobs=-1)
    models["frozen features"] = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    try:
        if not any(is_signal(x.shape) for x in scaled.values()):
            features["frozen features"] = {k: frozen(x) for k, x in scaled.items()}
    except ConfigError as error:
        warnings.warn(f"frozen features are left out: {error}", stacklevel=2)
    found: dict[str, Row] = {}
    for kind, own in features.items():
        tables = {k: pd.DataFrame(x, images.modalities[k].ids) for k, x in own.items()}
        tables["+".join(own)] = pd.concat(tables.values(), axis=1, join="inner", ignore_index=True)
        found[kind] = {name: [] for name in tables}
        for seed in range(seeds):
            splits = [images.split_indices(seed, folds, fold) for fold in range(folds)]
            for name, table in tables.items():
                where = table, images, seed, config
                each = [_answers(models[kind], rows, *where) for rows in splits]
                found[kind][name].append(pd.concat(each))
    return found


def _answers(
    model: Any, rows: Any, table: pd.DataFrame, images: MultiModalData, seed: int, config: Config
) -> pd.DataFrame:
    """The test part's probabilities, [N, C]."""
    train = images.take(rows["train"]).keep_labels(config.labelled, seed, config.labelled_groups)
    labels = pd.Series(train.labels, train.ids)[train.labels >= 0]
    labels = labels[labels.index.isin(table.index)]
    tested = table[table.index.isin(images.ids[rows["test"]])]
    model.fit(table.loc[labels.index], labels)
    found = pd.DataFrame(model.predict_proba(tested), tested.index, model.classes_)
    return found.reindex(columns=range(len(images.classes)), fill_value=0.0)
