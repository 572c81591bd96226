"""What the functions of a method return: named terms of its loss, and logits."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from discom.errors import ConfigError, check_kind


def as_terms(place: str, terms: Any) -> Mapping[str, Tensor]:
    """What a function of a method, such as "Mine.loss", returns, if that is name → scalar; else a
    ConfigError."""
    way_out = "return a dictionary: name of a term → scalar tensor"
    check_kind(place, terms, Mapping, way_out)
    for name, term in terms.items():
        check_kind(f"{place}, term '{name}'", term, Tensor, way_out)
        if term.ndim:
            found = f"has the shape {[*term.shape]}"
            raise ConfigError(f"{place}, term '{name}'", found, "take its mean, or its sum")
    return terms


def check_logits(place: str, logits: Any, shape: tuple[int, int]) -> None:
    """Refuse anything but logits of this shape, [B, C], with a ConfigError."""
    way_out = f"return logits [B, {shape[1]}]"
    check_kind(place, logits, Tensor, way_out)
    if logits.shape != shape:
        raise ConfigError(place, f"makes {[*logits.shape]} of {shape[0]} images", way_out)
