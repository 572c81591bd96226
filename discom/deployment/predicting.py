"""Image files in, classes out; by an exported file alone, no torch needed."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from discom.data.images import ENDINGS, read_image
from discom.deployment.contract import Contract
from discom.deployment.loading import Model
from discom.errors import DataError

__all__ = ["Prediction", "find_images", "predict", "to_csv", "to_json"]

BATCH = 64  # images that are held and answered at once


class Prediction(NamedTuple):
    """What a model says about one image.

    Args:
        file: as it was given.
        label: name of the most probable class.
        probability: of that class, by the network's own word.
        probabilities: class → probability; they sum to 1.
    """

    file: str
    label: str
    probability: float
    probabilities: dict[str, float]


def find_images(paths: Iterable[Path | str]) -> list[Path]:
    """Every file that is named, and every image below a folder that is named, in the order of
    names.

    Raises:
        DataError: no such file or folder, a folder without images, or nothing named.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("[!.]*")
                if file.suffix.lower() in ENDINGS and file.is_file()
            )
            if not inside:
                raise DataError(f"{path}: no image in this folder; there are {' '.join(ENDINGS)}")
            found += inside
        elif not path.exists():
            raise DataError(f"{path}: no such file or folder; give images, or folders of images")
        else:
            found.append(path)
    if not found:
        raise DataError("no image was named; give images, or folders of images")
    return found


def predict(model: Model, files: Sequence[Path | str]) -> list[Prediction]:
    """The class of every image; one that cannot be used refuses them all, so that no list comes out
    short.

    Args:
        model: what `load` gave.
        files: images of the size and the bands that its contract names, in the sensor's unit.

    Raises:
        DataError: naming the first image that is unreadable, of another size or bands, or holds
            NaN; and how many more.
    """
    found: list[Prediction] = []
    refused: list[DataError] = []
    for chunk in (files[first : first + BATCH] for first in range(0, len(files), BATCH)):
        images = list(_read(chunk, model.contract, refused))
        if not refused:
            found += _answers(model, chunk, np.stack(images))
    if refused:
        more = (
            f" ({len(refused) - 1} more of {len(files)} images cannot be used either)"
            if refused[1:]
            else ""
        )
        raise DataError(f"{refused[0]}{more}")
    return found


def _read(
    files: Sequence[Path | str], contract: Contract, refused: list[DataError]
) -> Iterator[np.ndarray]:
    for file in files:
        try:
            pixels = read_image(file)
            contract.check(pixels, file)
            yield pixels
        except DataError as error:
            refused.append(error)


def _answers(model: Model, files: Sequence[Path | str], images: np.ndarray) -> Iterator[Prediction]:
    _, probabilities = model.answer(images)
    for file, row in zip(files, probabilities, strict=True):
        if not np.isfinite(row).all():
            raise DataError(
                f"{file}: its pixels are so large that the answer is not finite; check their unit"
            )
        named = dict(zip(model.contract.classes, row.tolist(), strict=True))
        best = model.contract.classes[int(row.argmax())]
        yield Prediction(str(file), best, named[best], named)


def to_csv(predictions: Sequence[Prediction]) -> str:
    """file, class, probability, and a column `p(…)` for every class; one line an image.

    >>> print(to_csv([Prediction("a.png", "cat", 0.75, {"cat": 0.75, "dog": 0.25})]), end="")
    file,class,probability,p(cat),p(dog)
    a.png,cat,0.75,0.75,0.25
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = list(predictions[0].probabilities)
    writer.writerow(["file", "class", "probability", *(f"p({name})" for name in classes)])
    for one in predictions:
        writer.writerow(
            [one.file, one.label, one.probability, *(one.probabilities[name] for name in classes)]
        )
    return text.getvalue()


def to_json(predictions: Sequence[Prediction]) -> str:
    """A list of {file, class, probability, probabilities: {class: …}}.

    >>> to_json([Prediction("a.png", "cat", 1.0, {"cat": 1.0})]).split()[:3]
    ['[', '{', '"file":']
    """
    rows = [
        {
            "file": one.file,
            "class": one.label,
            "probability": one.probability,
            "probabilities": one.probabilities,
        }
        for one in predictions
    ]
    return json.dumps(rows, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
