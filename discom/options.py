"""Types of settings and options in one place: those of Config, of methods, and of readers."""

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from types import NoneType
from typing import Any, get_args, get_origin

from discom.errors import ConfigError

WORDS = {int: "integer", float: "number", bool: "true or false", str: "string", Any: "value"}


def as_type(place: str, value: Any, kind: Any) -> Any:
    """A value in the annotated type: 1 and 1.0 are one setting and must give one identity. A
    ConfigError for another type: true is no number, "2" is none either, nor is NaN.

    >>> as_type("epochs", 2.0, int), as_type("share", {"rgb": 1}, Mapping[str, float])
    (2, {'rgb': 1.0})
    >>> as_type("epochs", "2", int)
    Traceback (most recent call last):
    discom.errors.ConfigError: epochs: '2' is of type str; give integer
    """
    try:
        return _fitted(value, kind)
    except TypeError:
        found = f"{value!r} is of type {type(value).__name__}"
        if isinstance(value, Real) and not math.isfinite(value):
            found = f"{value} is not finite"
        raise ConfigError(place, found, f"give {_words(kind)}") from None


def options_of(function: Callable) -> dict[str, inspect.Parameter]:
    """What a reader takes besides its folder and its modalities."""
    return dict(list(inspect.signature(function).parameters.items())[2:])


def check_options(name: str, function: Callable, options: Mapping[str, Any]) -> None:
    """Raise a ConfigError for an option that the function called `name` lacks, or a value that is
    not of its annotated type.

    >>> def read(root, modalities, size: int | Sequence[int] = 32): ...
    >>> check_options("mine", read, {"size": [24, 32]})
    >>> check_options("mine", read, {"size": "24"})
    Traceback (most recent call last):
    discom.errors.ConfigError: --options: size cannot be "24"; give integer or [integer, …]
    """
    known = options_of(function)
    for option, value in options.items():
        if option not in known:
            way_out = f"it has {', '.join(known) or 'none'}"
            raise ConfigError("--options", f"{name} has no option '{option}'", way_out)
        try:
            _fitted(value, known[option].annotation)
        except TypeError:
            found = f"{option} cannot be {json.dumps(value)}"
            way_out = f"give {_words(known[option].annotation)}"
            raise ConfigError("--options", found, way_out) from None


def _fitted(value: Any, kind: Any) -> Any:
    """The value in the annotated type, or a TypeError."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if kind is Any:
        return value
    if origin is Mapping and isinstance(value, Mapping):
        return {key: _fitted(each, inner[1]) for key, each in value.items()}
    if origin is Sequence and isinstance(value, list | tuple):
        return [_fitted(each, inner[0]) for each in value]
    if kind is int and number and float(value).is_integer():
        return int(value)
    if kind is float and number:
        return float(value)
    if kind in (bool, str, NoneType) and isinstance(value, kind):
        return value
    if inner and origin not in (Mapping, Sequence):
        for each in inner:
            try:
                return _fitted(value, each)
            except TypeError:
                continue
    raise TypeError


def _words(kind: Any) -> str:
    """An annotated type as JSON is written."""
    if kind in WORDS:
        return WORDS[kind]
    inner = [_words(each) for each in get_args(kind) if each is not NoneType]
    forms = {Mapping: f'{{"sensor": {inner[-1]}}}', Sequence: f"[{inner[0]}, …]"}
    return forms.get(get_origin(kind), " or ".join(inner))
