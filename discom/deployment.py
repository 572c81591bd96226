"""Deployment: one trained network as an ONNX file that answers raw images, with a contract of what
it reads; `discom.prediction` asks it."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from discom.data import Modality, MultiModalData, Split
from discom.data.arrays import LOWEST
from discom.data.images import Rule
from discom.errors import ConfigError, DataError, RunError, first_line, install_hint
from discom.files import atomic_folder, check_place, write_json

ONNX, CONTRACT = "model.onnx", "contract.json"  # what an exported folder holds
TOLERANCE = 1e-4  # largest difference of the file's logits from the network's, of its largest
SAMPLE = 1000  # so many training images say what is usual
STATED = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STATED)
class Sensor:
    """A sensor that a deployed network reads.

    Args:
        name, unit: the sensor, and the unit of its pixels, empty where they have none.
        shape: of every image, [C, H, W].
        invalid, low, high: as in `Normalization`.
        rule: by which preparation made an image of a file.
        range: of each band the least and the largest mean of a training image, and the standard
            deviation that 99 of 100 of them exceed, over measured pixels.
    """

    name: str
    shape: tuple[int, int, int]
    unit: str = ""
    invalid: float | None = None
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    rule: Rule = field(default_factory=Rule)
    range: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, config=STATED)
class Contract:
    """What an exported network reads and answers; kept as JSON in the ONNX file's metadata.

    Args:
        run: data, method, seed and hash of its training, such as "objects/discom/0-1f2e3d4c5b".
        network: which of `Method.deployed`, such as "depth", or "rgb+depth" which reads pairs.
        classes: name of class k at place k.
        sensors: what it reads; each is an input of the file, by its name.
        stride: 0, or of a model that names the class of every pixel the number of pixels that
            divides the sides of the images that it reads, of any size.
    """

    run: str
    network: str
    classes: tuple[str, ...]
    sensors: tuple[Sensor, ...]
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
    """Its contract, and raw images [B, C, H, W], float32, of each sensor → logits and probabilities
    [B, K], or [B, K, H, W] of every pixel."""

    contract: Contract
    answer: Callable[..., tuple[np.ndarray, np.ndarray]]


def export(
    run_dir: Path, split: Split, network: str, out: Path, *, overwrite: bool = False
) -> Export:
    """Write a deployed network of a finished run into the folder `out`, or nothing: model.onnx with
    scaling, network, softmax and contract, and contract.json with what is returned. Before, the
    logits of the file on the raw images of the split's test part are compared with the network's.

    Args:
        network: one of the method's `deployed`; "" where the run has one alone. Of several, such as
            "rgb+depth", one file multiplies their probabilities.

    Raises:
        RunError: not done, of other data, or logits differ by more than 1e-4 of the largest.
        ConfigError: no such network, or onnx, onnxscript or onnxruntime is not installed.
        DataError: `out` exists and may not be replaced.
    """
    from discom.running.runs import Result, load_run

    check_place(out, CONTRACT, overwrite)
    for module in ("onnx", "onnxscript", "onnxruntime"):
        _require(module)
    result = Result.read(run_dir / "result.json")
    if not network and len(result.scores) == 1:
        (network,) = result.scores
    networks = [network] if network in result.scores else network.split("+")
    able = result.metric == "f1" and len({*networks}) == len(networks)
    if not {*networks} <= {*result.scores} or (networks[1:] and not able):
        found = f"{result.method} has no network {network}" if network else "is missing"
        raise ConfigError("--modality", found, f"choose {' or '.join(result.scores)}")
    branches = {name: load_run(run_dir, split, name)[0].branch(name) for name in networks}
    branch = _product(branches, split) if networks[1:] else branches[network].eval()
    contract = _contract(run_dir, result, split, network, getattr(branch, "stride", 0))
    with atomic_folder(out, marker=CONTRACT, overwrite=overwrite) as folder:
        _write(branch, contract, folder / ONNX)
        compared = _compare(branch, load(folder), split.test)
        parameters = sum(weights.numel() for weights in branch.parameters())
        exported = Export(contract, *compared, parameters, (folder / ONNX).stat().st_size)
        write_json(folder / CONTRACT, {**exported._asdict(), "contract": asdict(contract)})
    return exported


def _require(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise ConfigError(module, "is not installed", install_hint("deploy")) from None


def _product(branches: Mapping[str, Any], split: Split) -> Any:
    """Networks of one sensor each as one of all: the product of their probabilities."""
    import torch

    if len({split.train.modalities[name].x.shape[2:] for name in branches}) > 1:
        found = f"images of {' and '.join(branches)} have different sizes"
        raise ConfigError("--modality", found, "prepare them in one size, or export each alone")
    bands = [split.train.channels[name] for name in branches]

    class Product(torch.nn.Module):
        def forward(self, x):
            parts = zip(self.branches, x.split(bands, 1), strict=True)
            return torch.stack([own(part).log_softmax(1) for own, part in parts]).sum(0)

    product = Product()
    product.branches = torch.nn.ModuleList(branches.values())
    return product.eval()


def _contract(run_dir: Path, result: Any, split: Split, network: str, stride: int) -> Contract:
    from discom.running.runs import read_predictions

    sensors, rules = [], split.train.about.get("rules", {})
    for name in network.split("+"):
        own, bounds = split.train.modalities[name], split.train.normalization[name]
        scale = bounds.invalid, bounds.low.tolist(), bounds.high.tolist()
        stated: Any = own.x.shape[1:], own.unit, *scale, rules.get(name, {}), _range(own)
        sensors.append(Sensor(name, *stated))
    run = f"{result.data}/{result.method}/{result.seed}-{result.hash}"
    classes = read_predictions(run_dir / "predictions.npz")["classes"].tolist()
    return Contract(run, network, classes, tuple(sensors), stride)


def levels(image: np.ndarray, invalid: float | None = None) -> np.ndarray:
    """Of each band of [C, H, W] mean and standard deviation of its measured pixels, NaN where there
    is none, and their share, [3, C]. Pixels equal to `invalid` were not measured.

    >>> levels(np.array([[[1.0, 3.0, 0.0, 0.0]]]), invalid=0.0).tolist()
    [[2.0], [1.0], [0.5]]
    """
    values = image.reshape(len(image), -1).astype(float)
    bands = np.ma.array(values, mask=values == invalid)
    mean, deviation = bands.mean(1).filled(np.nan), bands.std(1).filled(np.nan)
    return np.stack([mean, deviation, bands.count(1) / values.shape[1]])


def _range(own: Modality) -> list[tuple[float, ...]]:
    rows = range(0, len(own.x), -(-len(own.x) // SAMPLE))
    images = np.array([levels(np.asarray(own.x[row]), own.invalid) for row in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a band that was measured nowhere
        mean, deviation, _ = np.nanquantile(images, (0, 0.01, 1), axis=0).swapaxes(0, 1)
    usual = np.nan_to_num([mean[0], mean[2], deviation[1]])
    return [(*band,) for band in usual.T.tolist()]


def _write(branch: Any, contract: Contract, file: Path) -> None:
    """Scaling as by `Normalization`, the network and a softmax, as one file."""
    import torch

    bounds = [
        (low, high, np.nan if sensor.invalid is None else sensor.invalid)
        for sensor in contract.sensors
        for low, high in zip(sensor.low, sensor.high, strict=True)
    ]
    # of the stacked bands; the span before rounding, as `Normalization` takes it
    low, high, invalid = torch.tensor(bounds, dtype=torch.float64).T.reshape(3, -1, 1, 1)
    span = torch.where(high > low, high - low, torch.inf).float()
    low, invalid = low.float(), invalid.float()
    least = torch.where(invalid.isnan(), 0.0, LOWEST)

    class Deployed(torch.nn.Module):
        def forward(self, *images):
            stacked = torch.cat(images, 1)
            scaled = least + (1 - least) * ((stacked - low) / span).clamp(0, 1)
            logits = self.branch(torch.where(stacked == invalid, 0.0, scaled))
            return logits, logits.softmax(1)

    network = Deployed().eval()
    network.branch = branch
    free: dict[int, Any] = {0: torch.export.Dim("batch")}
    if contract.stride:
        height, width = (contract.stride * torch.export.Dim(side) for side in ("rows", "columns"))
        free |= {2: height, 3: width}
    example = tuple(torch.zeros(2, *sensor.shape) for sensor in contract.sensors)
    options: dict[str, Any] = {
        "dynamic_shapes": {"images": (free,) * len(example)},
        "input_names": [sensor.name for sensor in contract.sensors],
        "output_names": ["logits", "probabilities"],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and onnxscript deprecate each other's names
        program: Any = torch.onnx.export(network, example, dynamo=True, verbose=False, **options)
    model = program.model_proto
    model.metadata_props.add(key=CONTRACT, value=json.dumps(asdict(contract), allow_nan=False))
    file.write_bytes(model.SerializeToString())


def _compare(branch: Any, model: Model, test: MultiModalData) -> tuple[float, int, dict]:
    """The largest difference of the logits, the number of images, and the scores of the file."""
    import torch

    from discom.data.batches import ModalityTensor
    from discom.evaluation.scores import CLASSIFICATION, SEGMENTATION

    contract = model.contract
    task = SEGMENTATION if contract.stride else CLASSIFICATION
    read = partial(ModalityTensor, name=contract.network, device="cpu", dense=contract.stride > 0)
    raw, scaled = read(replace(test, normalization=None)), read(test)
    bands = [sensor.shape[0] for sensor in contract.sensors]
    answers, largest, difference = [], 0.0, 0.0
    for rows in torch.arange(len(raw)).split(task.batch_size):
        images = [own.numpy() for own in raw[rows].split(bands, 1)]
        logits = torch.tensor(model.answer(*images)[0])
        with torch.inference_mode():
            expected = branch(scaled[rows])
        largest = max(largest, float(expected.abs().max()))
        difference = float(np.maximum(difference, (logits - expected).abs().max()))
        answers.append(task.keep(logits))
    if not difference <= TOLERANCE * largest:  # also where it is NaN
        found = f"its logits, up to {largest:.2g}, differ from the network's by {difference:.1g}"
        way_out = "nothing was written; convert with the versions that requirements.txt names"
        raise RunError(ONNX, found, way_out)
    return difference, len(raw), task.scores(torch.cat(answers), raw.truth(), contract.classes)


def load(path: Path | str) -> Model:
    """Read model.onnx, or the folder that `export` wrote, for ONNX Runtime on the CPU; a DataError
    where there is none, or one that is damaged or that `export` did not write."""
    file = Path(path) / ONNX if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise DataError(file, "no such file", "write it with: discom export RUN --out FOLDER")
    runtime = _require("onnxruntime")
    try:
        session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
        contract = Contract(**json.loads(session.get_modelmeta().custom_metadata_map[CONTRACT]))
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of failure
        found = f"not by discom export, or by another version ({first_line(error)})"
        raise DataError(file, found, "export the run again") from None
    names = [sensor.name for sensor in contract.sensors]
    return Model(contract, lambda *x: session.run(None, dict(zip(names, x, strict=True))))
