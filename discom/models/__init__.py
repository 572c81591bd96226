"""Networks: encoders, DisCoM-KD's branches, the baselines, and encoder–decoders."""

from importlib import import_module
from typing import Any

HOMES = {  # imported when first asked for
    "disentangled": ("Branch", "DisCoM", "Embedding", "Heads"),
    "encoders": ("FusionNetwork", "SingleModality", "encoder", "resnet10", "resnet18"),
    "segmentation": ("EncoderDecoder", "FusionDecoder", "network"),
}


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
            return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
