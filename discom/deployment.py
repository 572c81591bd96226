"""Deployment: one trained branch as an ONNX file that answers raw images, and its use: a class for
an image, or for every pixel of an image of any size, a tile at a time."""

import json
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import tifffile

from discom.data import MultiModalData, Split
from discom.data.arrays import LOWEST
from discom.data.checks import NO_LABEL
from discom.data.images import NO_DATA, read_pixels, read_tags
from discom.errors import ConfigError, DataError, RunError, first_line, install_hint
from discom.files import atomic_file, atomic_folder, check_place, restore, write_json

ONNX, CONTRACT = "model.onnx", "contract.json"  # what an exported folder holds
TOLERANCE = 1e-4  # largest difference of the file's logits from the branch's


@dataclass(frozen=True)
class Contract:
    """What an exported branch reads and answers; kept as JSON in the ONNX file's metadata.

    Args:
        run: data, method, seed and hash of its training, such as "scenes/discom/0-1f2e3d4c5b".
        modality, unit: the sensor, and the unit of its pixels, empty where they have none.
        classes: name of class k at place k.
        shape: of every image, [C, H, W].
        invalid, low, high: as in `Normalization`; no bounds where the split has none.
        stride: 0, or of a model that names the class of every pixel the number of pixels that
            divides the sides of the images that it reads, of any size.
    """

    run: str
    modality: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    unit: str = ""
    invalid: float | None = None
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    stride: int = 0


class Export(NamedTuple):
    """What was written; `difference` is that of its logits from torch's on the test `images`."""

    contract: Contract
    difference: float
    images: int
    scores: dict[str, float]
    parameters: int
    bytes: int


class Model(NamedTuple):
    """Its contract, and raw images [B, C, H, W], float32 → logits and probabilities [B, K], or
    [B, K, H, W] of every pixel."""

    contract: Contract
    answer: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def export(
    run_dir: Path, split: Split, modality: str | None, out: Path, *, overwrite: bool = False
) -> Export:
    """Write a branch of a finished run into the folder `out`, or nothing: model.onnx with scaling,
    network, softmax and contract, and contract.json with what is returned. Before, the logits of
    the file on the raw images of the split's test part are compared with those of the branch.

    Args:
        modality: the sensor; None where the run has one alone.

    Raises:
        RunError: not done, of other data, or logits differ by more than 1e-4 of the largest (or 1).
        ConfigError: no such branch, or onnx, onnxscript or onnxruntime is not installed.
        DataError: `out` exists and may not be replaced.
    """
    from discom.running.runs import load_run

    check_place(out, CONTRACT, overwrite)
    for module in ("onnx", "onnxscript", "onnxruntime"):
        _require(module)
    contract = _contract(run_dir, split, modality)
    branch = load_run(run_dir, split, contract.modality)[0].branch(contract.modality).eval()
    contract = replace(contract, stride=getattr(branch, "stride", 0))
    with atomic_folder(out, marker=CONTRACT, overwrite=overwrite) as folder:
        _write(branch, contract, folder / ONNX)
        difference, scores = _compare(branch, load(folder), split.test)
        parameters = sum(weights.numel() for weights in branch.parameters())
        images, size = len(split.test.modalities[contract.modality].x), (folder / ONNX).stat()
        exported = Export(contract, difference, images, scores, parameters, size.st_size)
        write_json(folder / CONTRACT, {**exported._asdict(), "contract": asdict(contract)})
    return exported


def _require(module: str) -> Any:
    try:
        return __import__(module)
    except ImportError:
        raise ConfigError(module, "is not installed", install_hint("deploy")) from None


def _contract(run_dir: Path, split: Split, modality: str | None) -> Contract:
    from discom.running.runs import Result, read_predictions

    result, train = Result.read(run_dir / "result.json"), split.train
    branches = [name for name in result.scores if "+" not in name]
    if modality is None and len(branches) == 1:
        modality = branches[0]
    if modality not in branches:
        names = " or ".join(branches) or "none that reads one sensor"
        raise ConfigError("--modality", f"{modality} is not in {result.method}", f"it has {names}")
    classes = tuple(read_predictions(run_dir / "predictions.npz")["classes"].tolist())
    data, bounds = train.modalities[modality], (train.normalization or {}).get(modality)
    run = f"{result.data}/{result.method}/{result.seed}-{result.hash}"
    contract = Contract(run, modality, classes, data.x.shape[1:], data.unit, data.invalid)
    if bounds is None:
        return contract
    return replace(contract, invalid=bounds.invalid, low=(*bounds.low,), high=(*bounds.high,))


def _write(branch: Any, contract: Contract, file: Path) -> None:
    import torch

    low, high = (np.reshape(bound or (), (-1, 1, 1)) for bound in (contract.low, contract.high))
    span = np.where(high > low, high - low, np.inf)
    start, scale = (torch.tensor(bound, dtype=torch.float32) for bound in (low, span))

    class Deployed(torch.nn.Module):
        def forward(self, images):
            scaled = images if contract.low is None else ((images - start) / scale).clamp(0, 1)
            if contract.low is not None and contract.invalid is not None:
                scaled = LOWEST + (1 - LOWEST) * scaled
                scaled = torch.where(images == contract.invalid, 0.0, scaled)
            logits = self.branch(scaled)
            return logits, logits.softmax(1)

    network = Deployed().eval()
    network.branch = branch
    free: dict[int, Any] = {0: torch.export.Dim("batch")}
    if contract.stride:
        height, width = (contract.stride * torch.export.Dim(side) for side in ("rows", "columns"))
        free |= {2: height, 3: width}
    example, shapes = (torch.zeros(2, *contract.shape),), {"images": free}
    names: Any = {"input_names": ["images"], "output_names": ["logits", "probabilities"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and onnxscript deprecate each other's names
        program: Any = torch.onnx.export(
            network, example, dynamic_shapes=shapes, dynamo=True, verbose=False, **names
        )
    model = program.model_proto
    model.metadata_props.add(key=CONTRACT, value=json.dumps(asdict(contract), allow_nan=False))
    file.write_bytes(model.SerializeToString())


def _compare(branch: Any, model: Model, test: MultiModalData) -> tuple[float, dict[str, float]]:
    import torch

    from discom.data.batches import ModalityTensor
    from discom.evaluation.scores import CLASSIFICATION, SEGMENTATION

    contract = model.contract
    task = SEGMENTATION if contract.stride else CLASSIFICATION
    read = partial(ModalityTensor, name=contract.modality, device="cpu", dense=contract.stride > 0)
    raw, scaled = read(replace(test, normalization=None)), read(test)
    answers, largest, difference = [], 1.0, 0.0
    for rows in torch.arange(len(raw)).split(task.batch_size):
        logits = torch.tensor(model.answer(raw[rows].numpy())[0])
        with torch.inference_mode():
            expected = branch(scaled[rows])
        largest = max(largest, float(expected.abs().max()))
        difference = float(np.maximum(difference, (logits - expected).abs().max()))
        answers.append(task.keep(logits))
    if not difference <= TOLERANCE * largest:  # also where it is NaN
        found = f"logits differ from the branch's by {difference:.1g}, nothing was written"
        raise RunError(ONNX, found, "install the versions that requirements.txt names")
    return difference, task.scores(torch.cat(answers), raw.truth(), contract.classes)


def load(path: Path | str) -> Model:
    """Read model.onnx, or the folder that `export` wrote, for ONNX Runtime on the CPU; a DataError
    where there is none, or one that is damaged or that `export` did not write."""
    restore(Path(path))
    file = Path(path) / ONNX if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise DataError(file, "no such file", "write it with: discom export RUN --out FOLDER")
    runtime = _require("onnxruntime")
    try:
        session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
        fields = json.loads(session.get_modelmeta().custom_metadata_map[CONTRACT])
        lists = {name: tuple(value) for name, value in fields.items() if type(value) is list}
        contract = Contract(**fields | lists)  # what an older version did not write has a default
        model = Model(contract, lambda images: tuple(session.run(None, {"images": images})))
        logits, _ = model.answer(np.zeros((1, *contract.shape), np.float32))
        kinds = type(contract.classes), type(contract.stride)
        pixels = contract.shape[1:] if contract.stride else ()
        if kinds != (tuple, int) or logits.shape != (1, len(contract.classes), *pixels):
            raise ValueError("its contract contradicts its answers")
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of failure
        found = f"not by discom export, or by another version ({first_line(error)})"
        raise DataError(file, found, "export the run again") from None
    return model


def predict(model: Model, files: Sequence[Path]) -> pd.DataFrame:
    """The class of every image: rows of file, class, probability and "p(<class>)" of each class. A
    DataError for an image that is unreadable, holds NaN, or is not of the contract's shape."""
    rows, classes, shape = [], model.contract.classes, model.contract.shape
    for file in files:
        image = read_pixels(file).astype(np.float32)
        if image.shape != shape:
            found = f"is bands × height × width {image.shape}, the model reads {shape}"
            raise DataError(file, f"{found} of {model.contract.modality}", "convert the image")
        shares = model.answer(image[None])[1][0].tolist()
        best = int(np.argmax(shares))
        row = {"file": str(file), "class": classes[best], "probability": shares[best]}
        rows.append(row | {f"p({k})": p for k, p in zip(classes, shares, strict=True)})
    return pd.DataFrame(rows)


def segment(
    model: Model, image: np.ndarray, tile: int = 256, place: object = "image"
) -> np.ndarray:
    """The class of every pixel of a raw image [C, H, W]: ids [H, W], uint8.

    Tiles overlap by half. A pixel takes the class with the largest sum of its tiles' logits, each
    weighted by how near the pixel is to the middle of that tile, so that no seam shows. At the
    border the image is continued by its last row and column. Logits are held for `tile` rows.
    A ConfigError for a model of whole images, or a tile that its stride does not divide; a
    DataError at `place` for an image with other bands than the model reads.
    """
    contract, (bands, height, width) = model.contract, image.shape
    if not contract.stride:
        raise ConfigError("--tile", "the model names one class for each image", "leave it out")
    if tile < 1 or tile % contract.stride:
        found = f"{tile} pixels are no multiple of {contract.stride}"
        raise ConfigError("--tile", found, f"try {32 * contract.stride}")
    if bands != contract.shape[0]:
        found = f"has {bands} bands, the model reads {contract.shape[0]} of {contract.modality}"
        raise DataError(place, found, "give images of that sensor")
    step = max(1, tile // 2)
    last = [max(0, math.ceil((side - tile) / step)) * step for side in (height, width)]
    beyond = [(0, first + tile - side) for first, side in zip(last, (height, width), strict=True)]
    padded = np.pad(image, [(0, 0), *beyond], mode="edge")
    near = np.minimum(np.arange(1, tile + 1), np.arange(tile, 0, -1)).astype(np.float32)
    weight = near[:, None] * near
    ids = np.empty((height, width), np.uint8)
    total = np.zeros((len(contract.classes), tile, padded.shape[2]), np.float32)
    for top in range(0, last[0] + 1, step):
        for left in range(0, last[1] + 1, step):
            columns = slice(left, left + tile)
            pixels = padded[None, :, top : top + tile, columns].astype(np.float32)
            total[:, :, columns] += weight * model.answer(pixels)[0][0]
        ready = min(tile if top == last[0] else step, height - top)
        ids[top : top + ready] = total[:, :ready, :width].argmax(0)
        total = np.concatenate([total[:, step:], np.zeros_like(total[:, :step])], 1)
    return ids


def segment_files(
    model: Model, files: Sequence[Path], out: Path | None, tile: int = 256
) -> Iterator[tuple[Path, tuple[int, int]]]:
    """`segment` each image into `out`/<name>.tif, which names its classes and lies where an image
    that is a GeoTIFF does; gives each file when it is written, with its height and width. Pixels
    that a TIFF calls "no data" (GDAL's tag), in all bands, are 255, which is "no data" of the map.
    A ConfigError for no `out`, one that holds images, or two images of one name; a DataError that
    names an image which the model cannot read."""
    if out is None or out.suffix == ".csv":
        raise ConfigError("--out", "maps need a folder", "name one, such as maps")
    if out.resolve() in {file.resolve().parent for file in files}:
        raise ConfigError("--out", f"{out} holds some of the images", "name another folder")
    maps = {file: out / f"{file.stem}.tif" for file in files}
    if len(maps) > len(set(maps.values())):
        raise ConfigError("--out", "two images of one name would share a map", "rename one")
    names = ", ".join(f"{k} {name}" for k, name in enumerate(model.contract.classes)).encode()
    for file, target in maps.items():
        image, tags = read_pixels(file), read_tags(file)
        value = tags.pop(NO_DATA, None)
        empty = np.all(image == float(value[3]), 0) if value else np.zeros(image.shape[1:], bool)
        if empty.any():
            image[:, empty] = model.contract.invalid or 0
            tags[NO_DATA] = (NO_DATA, 2, 0, str(NO_LABEL), True)
        ids, own = segment(model, image, tile, file), list(tags.values())
        ids[empty] = NO_LABEL
        with atomic_file(target) as part:
            tifffile.imwrite(part, ids, compression="zlib", description=names, extratags=own)
        yield target, ids.shape
