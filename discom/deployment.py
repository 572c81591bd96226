"""Deployment: one trained branch as an ONNX file that answers raw images, and its use."""

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.data import MultiModalData, Split
from discom.data.arrays import LOWEST
from discom.data.images import ENDINGS, read_image
from discom.errors import ConfigError, DataError, RunError, first_line, install_hint
from discom.files import atomic_folder, check_place, write_json

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
        invalid, low, high: as in `Normalization`; no bounds where images come scaled.
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
    """Write one trained branch into the folder `out`, or nothing: model.onnx with scaling, network,
    softmax and contract, and contract.json. Before, the logits of the file on the raw images of the
    test part are compared with the branch's.

    Args:
        run_dir, split: a finished run, and the split of its data by its seed.
        modality: the sensor; None where the run has one alone.
        out: the folder to be; `overwrite` replaces an earlier export there.

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
        raise ConfigError(f"{module}: is not installed; {install_hint('deploy')}") from None


def _contract(run_dir: Path, split: Split, modality: str | None) -> Contract:
    from discom.running.runs import Result, read_predictions

    result, train = Result.read(run_dir / "result.json"), split.train
    branches = [name for name in result.scores if "+" not in name]
    if modality is None and len(branches) == 1:
        modality = branches[0]
    if modality not in branches:
        names = " or ".join(branches) or "none that reads one sensor"
        raise ConfigError(f"--modality: {modality} is not in {result.method}; it has {names}")
    classes = tuple(read_predictions(run_dir / "predictions.npz")["classes"].tolist())
    if classes != tuple(train.classes):
        raise RunError(f"{run_dir}: has classes {classes}, data {train.classes}; give its data")
    data, bounds = train.modalities[modality], (train.normalization or {}).get(modality)
    run = f"{result.data}/{result.method}/{result.seed}-{result.hash}"
    contract = Contract(run, modality, classes, data.x.shape[1:], data.unit, data.invalid)
    if bounds is None or train.normalized:
        return contract
    low, high = tuple(bounds.low), tuple(bounds.high)
    return replace(contract, invalid=bounds.invalid, low=low, high=high)


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and onnxscript deprecate each other's names
        program: Any = torch.onnx.export(
            network,
            (torch.zeros(2, *contract.shape),),
            input_names=["images"],
            output_names=["logits", "probabilities"],
            dynamic_shapes={"images": free},
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    model.metadata_props.add(key=CONTRACT, value=json.dumps(asdict(contract), allow_nan=False))
    file.write_bytes(model.SerializeToString())


def _compare(branch: Any, model: Model, test: MultiModalData) -> tuple[float, dict[str, float]]:
    import torch

    from discom.data.batches import ModalityTensor
    from discom.evaluation.scores import CLASSIFICATION, SEGMENTATION

    contract = model.contract
    task, dense = SEGMENTATION if contract.stride else CLASSIFICATION, contract.stride > 0
    raw = ModalityTensor(replace(test, normalization=None), contract.modality, "cpu", dense=dense)
    scaled = ModalityTensor(test, contract.modality, "cpu", dense=dense)
    answers, largest, difference = [], 1.0, 0.0
    for rows in torch.arange(len(raw)).split(task.batch_size):
        logits = torch.tensor(model.answer(raw[rows].numpy())[0])
        with torch.inference_mode():
            expected = branch(scaled[rows])
        largest = max(largest, float(expected.abs().max()))
        difference = float(np.maximum(difference, (logits - expected).abs().max()))
        answers.append(task.keep(logits))
    if not difference <= TOLERANCE * largest:  # also where it is NaN
        way_out = "nothing was written, install the versions that requirements.txt names"
        raise RunError(f"{ONNX}: logits differ from the branch's by {difference:.1g}; {way_out}")
    return difference, task.scores(torch.cat(answers), raw.truth(), contract.classes)


def load(path: Path | str) -> Model:
    """Read model.onnx, or the folder that `export` wrote, for ONNX Runtime on the CPU; a DataError
    where there is none, or one that is damaged or that `export` did not write."""
    file = Path(path) / ONNX if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise DataError(f"{file}: no such file; write it with: discom export RUN --out FOLDER")
    runtime = _require("onnxruntime")
    try:
        session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
        fields = json.loads(session.get_modelmeta().custom_metadata_map[CONTRACT])
        lists = {name: tuple(value) for name, value in fields.items() if type(value) is list}
        contract = Contract(**fields | lists)
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of failure
        reason = first_line(error)
        raise DataError(f"{file}: not by discom export ({reason}); export it") from None
    return Model(contract, lambda images: tuple(session.run(None, {"images": images})))


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named, and every image below a folder that is named, sorted; a DataError
    for a path that is not there, or no image at all."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; give images, or folders of images")
        inside = (file for file in path.rglob("[!.]*") if file.suffix.lower() in ENDINGS)
        files += sorted(inside) if path.is_dir() else [path]
    if not files:
        raise DataError(f"no image ({' '.join(ENDINGS)}) was named; give images or their folders")
    return files


def predict(model: Model, files: Sequence[Path]) -> pd.DataFrame:
    """The class of every image: rows of file, class, probability and "p(<class>)" of each class. A
    DataError for an image that is unreadable, holds NaN, or is not of the contract's shape."""
    rows, classes, shape = [], model.contract.classes, model.contract.shape
    for file in files:
        image = read_image(file)
        if image.shape != shape:
            expected = f"the model reads {shape} of {model.contract.modality}; convert the image"
            raise DataError(f"{file}: is bands × height × width {image.shape}, {expected}")
        shares = model.answer(image[None])[1][0].tolist()
        best = int(np.argmax(shares))
        row = {"file": str(file), "class": classes[best], "probability": shares[best]}
        rows.append(row | {f"p({k})": p for k, p in zip(classes, shares, strict=True)})
    return pd.DataFrame(rows)
