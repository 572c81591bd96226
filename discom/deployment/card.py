"""The model card: what an exported branch is, from the run and from what was measured at its
export."""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from discom.data import Split
from discom.methods import label

if TYPE_CHECKING:
    from discom.deployment.exporting import Export

__all__ = ["CARD", "write_card"]

CARD = "MODEL_CARD.md"
TEMPLATE = files("discom.deployment").joinpath("card.md.jinja")
FORMS = {
    "torch": "torch",
    "model.pt2": "torch.export",
    "model.onnx": "ONNX Runtime",
}  # as rows of the costs are called
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def write_card(made: "Export", split: Split, file: Path) -> None:
    """Write MODEL_CARD.md; a name that the template asks for and nobody gave is an error, not a
    gap."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    modality = made.contract.modality
    text = template.render(
        made=made,
        contract=made.contract,
        result=made.result,
        method=label(made.result.method, made.result.config["options"]),
        tested=made.result.scores[modality],
        counts={
            part: len(data.modalities[modality].x)
            for part, data in zip(split._fields, split, strict=True)
        },
        about={
            key: value
            for key, value in split.train.about.items()
            if isinstance(value, str | int | float)
        },
        scaling=split.train.scaling,
        others=[name for name in split.train.modalities if name != modality],
        forms=FORMS,
        zip=zip,
        versions={name: version(name) for name in PACKAGES},
    )
    file.write_text(text, encoding="utf-8")
