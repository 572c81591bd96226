"""A person's own folder of images, as notebook 11 reads it; and synthetic scenes as
such a folder, recorded in rooms."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from discom.config import as_type, check_options
from discom.data import MultiModalData, load, read_folders
from discom.data.augmentation import apply_d4, random_d4
from discom.errors import ConfigError, DataError, first_line
from discom.files import parse_json
from discom.models.encoders import encoder

SENSORS = {"rgb": "colour", "depth": "depth"}  # sensor → its folder
ENCODER = "timm:tf_efficientnet_lite0"  # small, and quick on a CPU
NEARNESS = 8  # the room whose depth another program stored: 255 at 0 m, 0 at 4 m


def write_rooms(
    root: Path | str,
    scenes: MultiModalData,
    seed: int = 0,
    rooms: int = 12,
    pairs: int = 1200,
    labelled: float = 1 / 3,
) -> list[str]:
    """Write <root>/<sensor>/<class>/room01_000.png, the same number of pairs in each
    room: photographs of 8 bits, and depth of 16 bits in millimetres, 0 where nothing
    was measured. Most are in the folder "unlabelled".

    A room has its own lamp and camera height. In room 8 another program stored depth,
    as nearness from 0 to 255.

    Returns:
        The class of every pair, in the order of rooms and numbers.

    Raises:
        DataError: sensors other than RGB and depth, or fewer scenes than rooms.
    """
    if set(scenes.modalities) != set(SENSORS) or len(scenes) < rooms:
        found = f"{len(scenes)} scenes of {' and '.join(scenes.modalities)}"
        raise DataError(scenes.name, found, f"give {rooms} or more of rgb and depth")
    rng, names = np.random.default_rng(seed), []
    each = min(pairs, len(scenes)) // rooms
    for room in range(1, rooms + 1):
        rows = np.arange((room - 1) * each, room * each)
        images = _measure(scenes, rows, rng)
        if room == NEARNESS:
            depth = images["depth"]
            nearness = np.where(depth == 0, 0, 255 - depth // 16)
            images["depth"] = nearness.astype(np.uint8)
        for place, row in enumerate(rows):
            names.append(scenes.classes[scenes.labels[row]].replace("/", "-"))
            kind = names[-1] if place < labelled * each else "unlabelled"
            for sensor, x in images.items():
                folder = Path(root) / SENSORS[sensor] / kind
                folder.mkdir(parents=True, exist_ok=True)
                image = Image.fromarray(x[place].transpose(1, 2, 0).squeeze())
                image.save(folder / f"room{room:02}_{place:03}.png")
    return names


def _measure(
    scenes: MultiModalData, rows: np.ndarray, rng: np.random.Generator
) -> dict:
    """What the two cameras of one room store of these scenes, [rows, bands, H, W]."""
    lamp, height = rng.uniform(0.5, 1.2, (3, 1, 1)), rng.uniform(2200, 2800)
    rgb, depth = (scenes.modalities[sensor].x[rows] for sensor in SENSORS)
    millimetres = np.where(depth == 0, 0, np.round(height - 1500 * depth))
    photograph = np.round(255 * np.clip(lamp * rgb, 0, 1)).astype(np.uint8)
    return {"rgb": photograph, "depth": millimetres.astype(np.uint16)}


def _as_object(text: str) -> dict[str, Any]:
    try:
        return as_type("it", parse_json(text), dict)
    except ValueError as error:  # also a ConfigError, of a list
        found = f"{text!r} is no JSON object ({first_line(error)})"
        way_out = """write such as '{"size": 16}'"""
        raise ConfigError("options", found, way_out) from None


def read_pairs(
    folder: str, options: Mapping[str, Any] | str, data: str, seed: int
) -> SimpleNamespace:
    """The complete pairs of a person's own folder, or of rooms that are drawn. Options
    may be text, as `papermill -p options` gives them; a ConfigError for what is no JSON
    object, or for an option that folders do not have.

    Returns:
        `images` sensor → [n, bands, size, size] as they were stored, `holes` sensor →
        the value that says "not measured", or NaN, `labels` [n], -1 for none, `groups`
        [n], `classes`, `symmetry`, what augmentation may do, `data`, the same as the
        package has it, and `place`, a folder that is deleted in the end.
    """
    if isinstance(options, str):
        options = _as_object(options)
    options, place = {"size": 32} | dict(options), TemporaryDirectory()
    if not folder:
        folder = f"{place.name}/rooms"
        options |= {"invalid": {"depth": 0}, "groups": "(.+)_[0-9]+"}
        options["symmetry"] = dict.fromkeys(SENSORS.values(), "all")
        write_rooms(folder, load(data, seed=seed), seed)
    check_options("options", read_folders, options)
    own = read_folders(Path(folder).absolute(), **options)
    own = own.take(np.flatnonzero(np.isin(own.ids, own.paired_ids)))
    sensors = own.modalities.items()
    return SimpleNamespace(
        images={s: torch.tensor(np.float32(m.x)) for s, m in sensors},
        holes={s: np.nan if m.invalid is None else m.invalid for s, m in sensors},
        symmetry={s: m.symmetry for s, m in sensors},
        labels=torch.tensor(own.labels),
        classes=own.classes,
        groups=own.ids if own.groups is None else own.groups,
        data=own,
        place=place,
    )


def views(
    own: SimpleNamespace, rows: torch.Tensor, device: torch.device | str = "cpu"
) -> dict[str, torch.Tensor]:
    """The images of these pairs on the device, each turned or mirrored as its sensor
    allows."""
    moved = {}
    for sensor, images in own.images.items():
        x = images[rows].to(device)
        moved[sensor] = apply_d4(x, random_d4(x, own.symmetry[sensor]))
    return moved


@torch.no_grad()
def pretrained(
    own: SimpleNamespace,
    rows: torch.Tensor,
    fold: torch.Tensor,
    scale: Callable,
    name: str = ENCODER,
    size: int = 112,
    device: torch.device | str = "cpu",
) -> dict[str, torch.Tensor]:
    """Sensor → log probabilities of each class for these pairs: logistic regression on
    the features of a network that ImageNet has trained, learned from the other folds.
    Without its weights nothing, and a line that says so.

    Images of three bands are shown as they are, as photographs; others are scaled.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    tests = {"cv": PredefinedSplit(fold[rows]), "method": "predict_proba"}
    answers = {}
    for sensor, images in own.images.items():
        try:
            network, _ = encoder(name, pretrained="imagenet")(images.shape[1])
        except ConfigError as error:
            print(f"no pretrained network: {error}")
            return {}
        x = images[rows]
        x = x / images.max() if x.shape[1] == 3 else scale(x, own.holes[sensor])
        x = F.interpolate(x, (size, size), mode="bilinear")
        network = network.to(device).eval()
        features = [network(part.to(device)) for part in x.split(50)]
        features = torch.cat(features).cpu().numpy()
        answer = cross_val_predict(model, features, own.labels[rows].numpy(), **tests)
        answers[sensor] = torch.tensor(answer).log()
    return answers


def stored_gains(file: Path | str, compared: Mapping) -> dict[str, dict[int, float]]:
    """Question → {seed: points} of the runs that this file keeps; nothing without it.
    Compared: question → two places, each a way and a network."""
    gains = {question: {} for question in compared}
    if not Path(file).is_file():
        return gains
    for seed, rows in pd.read_csv(file).groupby("seed"):
        scores = rows.set_index("way").stack().dropna()  # of what was run
        for question, (first, second) in compared.items():
            if first in scores and second in scores:
                gains[question][int(seed)] = float(scores[first] - scores[second])
    return gains
