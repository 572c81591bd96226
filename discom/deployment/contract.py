"""What an exported file says of itself: which images it reads, what it answers, and which run it
came from."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from discom.errors import DataError
from discom.version import __version__

__all__ = ["INPUT", "OUTPUTS", "Contract"]

FORMAT = 1
INPUT = "images"  # float32 [B, bands, height, width], in the sensor's unit
OUTPUTS = ("logits", "probabilities")  # float32 [B, C] each
AGAIN = "export the run again"


@dataclass(frozen=True)
class Contract:
    """Input, classes and origin of an exported branch; plain JSON, kept inside the file itself.

    Args:
        method, data, seed, run: of the run that trained it; `run` is its hash.
        modality: the sensor that it reads.
        classes: name of class k at place k.
        bands, height, width: of every image, C × H × W.
        unit: of the pixels, such as "m"; empty where they have none.
        invalid: the value that stands for "nothing was measured here"; None where there is none. It
            is scaled like any other value, as in training.
        low, high: bounds of each band, which the file itself clips and scales by; None where the
            images must come scaled already.
        version: of discom.
        format: of this contract.

    >>> held = Contract("student", "scenes", 0, "ab", "depth", ("cat", "dog"), 1, 8, 8, "m", 0.0, (0.1,), (0.9,))
    >>> Contract.from_text(held.to_text(), "model.onnx") == held
    True
    """

    method: str
    data: str
    seed: int
    run: str
    modality: str
    classes: tuple[str, ...]
    bands: int
    height: int
    width: int
    unit: str = ""
    invalid: float | None = None
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    version: str = __version__
    format: int = FORMAT

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image, [C, H, W]."""
        return self.bands, self.height, self.width

    def to_text(self) -> str:
        """Its JSON."""
        return json.dumps({**asdict(self), "input": INPUT, "outputs": OUTPUTS}, allow_nan=False)

    @classmethod
    def from_text(cls, text: str, file: Path | str) -> "Contract":
        """What `to_text` gave, found in `file`.

        Raises:
            DataError: no JSON, another format, or fields that are missing or wrong.
        """
        try:
            held = json.loads(text)
            if (found := held["format"]) != FORMAT:
                version = held.get("version", "unknown")
                raise DataError(
                    f"{file}: its contract has format {found} (discom {version}), this version reads {FORMAT};"
                    f" {AGAIN}, or use that version"
                )
            if set(held) != {*(f.name for f in fields(cls)), "input", "outputs"}:
                raise ValueError("fields of another kind")
            lists = {
                name: tuple(held[name])
                for name in ("classes", "low", "high")
                if held[name] is not None
            }
            return cls(
                **{name: held[name] for name in held if name not in ("input", "outputs")} | lists
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{file}: its contract is damaged ({error}); {AGAIN}") from None

    def check(self, pixels: np.ndarray, where: Path | str) -> None:
        """Refuse an image that the network was not trained for; nothing is resized without a word.

        Args:
            pixels: [C, H, W].
            where: its name in the message.

        Raises:
            DataError: another number of bands, another size, or no numbers.
        """
        if pixels.shape != self.shape or pixels.dtype.kind not in "fiu":
            raise DataError(
                f"{where}: is {_size(pixels.shape)} of {pixels.dtype}; the model reads {_size(self.shape)} of"
                f" {self.modality}: bring the image to that size and those bands"
            )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[2]} with {shape[0]} band(s)"
