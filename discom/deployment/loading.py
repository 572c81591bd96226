"""From an exported file to a function of images. Nothing but the file is read, and nothing is run
before it is known to be whole."""

import hashlib
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from discom.deployment.contract import INPUT, OUTPUTS, Contract
from discom.errors import ConfigError, DataError, first_line

__all__ = ["Model", "load", "require", "seal"]

ONNX, PT2 = "model.onnx", "model.pt2"  # what an export's folder holds
KEY = "discom.contract"  # of the ONNX file's metadata
EXTRA = "contract.json"  # of the torch.export archive
SEAL = b"discom-sha256:"
UNSEALED = (SEAL + b"0" * 64).decode()  # what the metadata holds until the file is sealed
STRANGER = "is no model of `discom export`, or is cut short or damaged; export the run again"


class Model(NamedTuple):
    """An exported branch, ready to answer.

    Args:
        contract: what it reads and what its classes are.
        answer: images [B, C, H, W] float32 → logits [B, K] and probabilities [B, K], float32.
    """

    contract: Contract
    answer: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def load(path: Path | str, threads: int = 0) -> Model:
    """Read what `discom export` wrote: model.onnx, run by ONNX Runtime without torch, or model.pt2,
    run by torch.

    A .pt2 archive may hold code: take none from people you do not trust.

    Args:
        path: one of the files, or their folder, of which model.onnx is taken.
        threads: of ONNX Runtime; 0 lets it choose.

    Raises:
        DataError: no such file, one of another maker, a damaged one, or a contract of another
        version.
        ConfigError: onnxruntime is not installed.
    """
    path = Path(path)
    file = path / ONNX if path.is_dir() else path
    readers = {".onnx": _load_onnx, ".pt2": _load_pt2}
    if file.suffix.lower() not in readers:
        raise DataError(
            f"{file}: is neither .onnx nor .pt2; give a file of `discom export`, or its folder"
        )
    if not file.is_file():
        raise DataError(
            f"{file}: no such file; make it with: discom export RUN --out {path if path.is_dir() else '…'}"
        )
    return readers[file.suffix.lower()](file, threads)


def require(module: str) -> Any:
    """Import a package of the extra `deploy`.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return __import__(module)
    except ImportError:
        raise ConfigError(
            f"{module}: is not installed; install it with: pip install 'discom[deploy]'"
        ) from None


def seal(content: bytes) -> bytes:
    """Put the SHA-256 of a file's bytes into its own metadata, where `UNSEALED` keeps the place.

    ONNX has no checksum: with one flipped bit in its weights, a file would load and answer wrongly.
    """
    place = _place(content, "content")
    return content[: place.start(1)] + _digest(content, place).encode() + content[place.end(1) :]


def _place(content: bytes, file: Path | str) -> re.Match[bytes]:
    found = re.search(SEAL + rb"([0-9a-f]{64})", content)
    if found is None:
        raise DataError(f"{file}: {STRANGER}")
    return found


def _digest(content: bytes, place: re.Match[bytes]) -> str:
    """SHA-256 of the content with zeros where the seal's digits are."""
    view, total = memoryview(content), hashlib.sha256()
    for part in (view[: place.start(1)], b"0" * 64, view[place.end(1) :]):
        total.update(part)
    return total.hexdigest()


def _load_onnx(file: Path, threads: int) -> Model:
    content = file.read_bytes()
    place = _place(content, file)
    if _digest(content, place).encode() != place[1]:
        raise DataError(
            f"{file}: was changed or damaged since it was written (its SHA-256 differs); export it again"
        )
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # classes of its own, one for each kind of failure
        raise DataError(
            f"{file}: ONNX Runtime cannot read it ({first_line(error)}); use a newer onnxruntime"
        ) from None
    contract = Contract.from_text(
        session.get_modelmeta().custom_metadata_map.get(KEY, "null"), file
    )
    return Model(contract, lambda images: tuple(session.run(list(OUTPUTS), {INPUT: images})))


def _load_pt2(file: Path, threads: int) -> Model:
    try:
        with zipfile.ZipFile(file) as held:
            name = next(name for name in held.namelist() if name.endswith(f"/extra/{EXTRA}"))
            if damaged := held.testzip():
                raise DataError(
                    f"{file}: {damaged} in it is damaged (its checksum differs); export it again"
                )
            contract = Contract.from_text(held.read(name).decode(), file)
    except (
        zipfile.BadZipFile,
        StopIteration,
        UnicodeDecodeError,
        NotImplementedError,
        EOFError,
        OSError,
    ) as error:
        if isinstance(error, OSError) and error.strerror:
            raise
        raise DataError(f"{file}: {STRANGER}") from None
    import torch

    try:
        network = torch.export.load(str(file)).module()
    except Exception as error:  # whatever a damaged archive leads to
        raise DataError(
            f"{file}: torch cannot read it ({first_line(error)}); export it again"
        ) from None

    @torch.inference_mode()
    def answer(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, probabilities = network(torch.from_numpy(images))
        return logits.numpy(), probabilities.numpy()

    return Model(contract, answer)
