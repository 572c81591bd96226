"""Deployment: a trained network as an ONNX file that answers raw images, with a contract of what it
reads; and its answers about files, without torch."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discom.contract import Contract, Sensor, compare, oddity, read
from discom.data import Split
from discom.data.images import find_images, images_by_name, sensor_folders
from discom.data.multimodal import TWIN
from discom.data.scaling import LOWEST
from discom.errors import ConfigError, DataError, RunError, check_choice, install_hint
from discom.files import as_data_error, atomic_folder

ONNX, CONTRACT = "model.onnx", "contract.json"  # what an exported folder holds
TOLERANCE = 1e-4  # largest difference of the file's logits from the network's, of its largest


def export(
    run_dir: Path, split: Split, network: str, out: Path, *, overwrite: bool = False
) -> float:
    """Write a deployed network of a finished run into the folder `out`, or nothing: model.onnx with
    scaling, network and softmax, and contract.json. Returned is the largest difference of the
    file's logits from the network's, on the raw images of the split's test part; a RunError where
    it is above TOLERANCE of the largest one.

    `network` is one of the method's `deployed`, "" where the run has one alone; or all sensors of
    networks of one each, such as "rgb+depth", whose probabilities the file multiplies.
    """
    from discom.data.batches import ModalityTensor
    from discom.running.loading import load_run
    from discom.running.runs import Result

    _runtime()
    result = Result.read(run_dir / "result.json")
    if not network and len(result.scores) == 1:
        (network,) = result.scores
    together = "+".join(name for name in result.scores if "+" not in name)
    choices = sorted({*result.scores, together} - {""})
    if not network:
        raise ConfigError("--modality", "is not given", f"choose {', '.join(choices)}")
    check_choice("--modality", network, choices)
    networks = [network] if network in result.scores else network.split("+")
    branches = [load_run(run_dir, split, name)[0].branch(name).eval() for name in networks]
    bands = [split.train.channels[name] for name in network.split("+")]
    branch = _product(branches, bands) if branches[1:] else branches[0]
    contract = Contract(
        run=f"{result.data}/{result.method}/{result.seed}-{result.hash}",
        classes=split.train.classes,
        stride=getattr(branches[0], "stride", 0),
        sensors=tuple(_sensor(split, name) for name in network.split("+")),
    )
    raw = ModalityTensor(replace(split.test, normalization=None), network, "cpu")
    with atomic_folder(out, marker=CONTRACT, overwrite=overwrite) as folder:
        _write(branch, contract, folder / ONNX)
        difference = _compare(branch, folder, raw, ModalityTensor(split.test, network, "cpu"))
        text = contract.model_dump_json(indent=2) + "\n"
        (folder / CONTRACT).write_text(text, encoding="utf-8")
    return difference


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError("onnxruntime", "is not installed", install_hint("deploy")) from None
    return onnxruntime


def _sensor(split: Split, name: str) -> Sensor:
    own, about, stored = split.train.modalities[name], split.train.about, name.removesuffix(TWIN)
    files = about.get("files", {}).get(stored, {})
    return Sensor(
        name=name,
        unit=own.unit,
        shape=own.x.shape[1:],
        rule=about.get("rules", {}).get(stored, {}),
        types=tuple(files.get("types", [own.x.dtype.name])),
        scaling=files.get("scaling"),
        **split.train.normalization[name].to_dict(),
    )


def _product(branches: Sequence[Any], bands: Sequence[int]) -> Any:
    """Networks of one sensor each as one of all: the product of their probabilities."""
    import torch

    class Product(torch.nn.ModuleList):
        def forward(self, x):
            parts = zip(self, x.split(bands, 1), strict=True)
            return torch.stack([network(part).log_softmax(1) for network, part in parts]).sum(0)

    return Product(branches).eval()


def _write(branch: Any, contract: Contract, file: Path) -> None:
    """Scaling as by `Normalization`, the network and a softmax, as one file."""
    import torch

    bounds = []  # of each sensor [C, 1, 1]; the span before rounding, as `Normalization` takes it
    for sensor in contract.sensors:
        low, high = torch.tensor([sensor.low, sensor.high], dtype=torch.float64)[..., None, None]
        span = torch.where(high > low, high - low, torch.inf)
        bounds.append((low.float(), span.float(), sensor.invalid))

    def scale(x, low, span, invalid):
        scaled = ((x - low) / span).clamp(0, 1)
        if invalid is None:
            return scaled
        return torch.where(x == invalid, 0.0, LOWEST + (1 - LOWEST) * scaled)

    class Deployed(torch.nn.Module):
        def forward(self, *images):
            scaled = [scale(x, *bound) for x, bound in zip(images, bounds, strict=True)]
            logits = self.branch(torch.cat(scaled, 1))
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
    program.model.metadata_props[CONTRACT] = contract.model_dump_json()
    program.save(file)


def _compare(branch: Any, folder: Path, raw: Any, scaled: Any) -> float:
    """What `export` returns or raises, of a ModalityTensor of raw images and one of scaled ones."""
    import torch

    contract, session = load(folder)
    largest = difference = 0.0
    for rows in torch.arange(len(raw)).split(64):
        images = raw[rows].split([sensor.shape[0] for sensor in contract.sensors], 1)
        parts = zip(contract.sensors, images, strict=True)
        logits, _ = session.run(None, {sensor.name: image.numpy() for sensor, image in parts})
        with torch.inference_mode():
            expected = branch(scaled[rows]).numpy()
        largest = max(largest, float(abs(expected).max()))
        difference = float(np.maximum(difference, abs(logits - expected).max()))
    if not difference <= TOLERANCE * largest:  # also where it is NaN
        found = f"its logits, up to {largest:.2g}, differ from the network's by {difference:.1g}"
        way_out = "nothing was written; convert with the versions that requirements.txt names"
        raise RunError(ONNX, found, way_out)
    return difference


def load(path: Path | str) -> tuple[Contract, Any]:
    """The contract of model.onnx, or of the folder that `export` wrote, and a session of ONNX
    Runtime on the CPU: raw images [B, C, H, W], float32, by sensor → logits and probabilities
    [B, K], or [B, K, H, W] of every pixel. A DataError for another or a damaged file."""
    file = Path(path) / ONNX if Path(path).is_dir() else Path(path)
    runtime, way_out = _runtime(), "write it with: discom export RUN --out FOLDER"
    with as_data_error(file, "what this version's discom export writes", way_out):
        session = runtime.InferenceSession(file.resolve(True), providers=["CPUExecutionProvider"])
        text = session.get_modelmeta().custom_metadata_map[CONTRACT]
        return Contract.model_validate_json(text), session


def predict(path: Path | str, files: Sequence[Path]) -> pd.DataFrame:
    """What the network of `load` says of every image, or pair, of `find_inputs`: rows of its files,
    class, probability and "p(<class>)" of each class; empty where a sensor measured nothing.

    An image is prepared as those of training were. Warns of files of another number type, of images
    without a measured pixel or with one value throughout, and where more than one in twenty is
    unlike those by its `oddity`. A DataError for an image that cannot be
    prepared so, whose tags state another scale or offset, or a network for every pixel.
    """
    contract, session = load(path)
    if contract.stride:
        way_out = "ask model.onnx itself, see docs/guides/deploy.md"
        raise DataError(path, "names the class of every pixel", way_out)
    sensors, names = contract.sensors, np.array(contract.classes)
    table = find_inputs(files, sensors)
    shares, odd, types = np.empty((len(table), len(names))), [], []
    for row, inputs in enumerate(table.to_numpy()):
        pairs = [read(*each) for each in zip(inputs, sensors, strict=True)]
        images = [image for image, _ in pairs]
        batch = {sensor.name: image[None] for sensor, image in zip(sensors, images, strict=True)}
        shares[row] = session.run(["probabilities"], batch)[0][0]
        odd.append([*map(oddity, images, sensors)])
        if "empty" in odd[-1]:
            shares[row] = np.nan
        types.append([kind for _, kind in pairs])
    for place, sensor in enumerate(sensors):
        own = [row[place] for row in odd], [row[place] for row in types]
        compare(table.iloc[:, place], sensor, *own)
    table = table.astype(str)
    table["class"] = np.where(np.isnan(shares[:, 0]), "", names[shares.argmax(1)])
    table["probability"] = shares.max(1)
    table[[f"p({name})" for name in names]] = shares
    return table


def find_inputs(paths: Sequence[Path], sensors: Sequence[Sensor]) -> pd.DataFrame:
    """The images that are answered. Of one sensor, in the column "file", all below
    ``<path>/<sensor>`` or, without that folder, below the path. Of several, in a column each, the
    pairs ``<path>/<sensor>/<name>``, whatever their endings; warns of images without a partner."""
    if len(sensors) == 1:
        files = find_images(_folder(path, *sensors) or path for path in paths)
        return pd.DataFrame({"file": files})
    every = []
    for path in paths:
        named = {}
        for sensor in sensors:
            if not (folder := _folder(path, sensor)):
                above = " and ".join(each.name for each in sensors)
                way_out = f"give the folder that has {above}, equal names are a pair"
                raise DataError(path, f"has no folder {sensor.name}", way_out)
            named[sensor.name] = images_by_name(folder)
        every.append(named)
    table = pd.concat(map(pd.DataFrame, every))
    pairs = table.dropna()
    if pairs.empty:
        raise DataError(paths[0], "no name is in the folder of each sensor", "name pairs alike")
    if alone := len(table) - len(pairs):
        text = f"{alone} of {len(table)} images have no partner and are not answered"
        warnings.warn(f"{paths[0]}: {text}", stacklevel=3)
    return pairs.reset_index(drop=True)


def _folder(path: Path, sensor: Sensor) -> Path | None:
    """The folder of a sensor below a path, in whatever letters, if there is one."""
    return sensor_folders(path, [sensor.name]).get(sensor.name)
