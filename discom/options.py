"""Options that come as JSON: their names and types are those of the function that takes them."""

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, get_args, get_origin

from discom.errors import ConfigError

WORDS = {int: "integer", float: "number", bool: "true or false", str: "string"}


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
        kind = known[option].annotation
        if not _fits(value, kind):
            found = f"{option} cannot be {json.dumps(value)}"
            raise ConfigError("--options", found, f"give {_words(kind)}")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of an annotated type. True is an int to Python, here it is not."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(each, inner[1]) for each in value.values())
    if origin is Sequence:
        return isinstance(value, list) and all(_fits(each, inner[0]) for each in value)
    if kind is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    return any(_fits(value, each) for each in inner) if inner else type(value) is kind


def _words(kind: Any) -> str:
    """An annotated type as JSON is written."""
    if kind in WORDS:
        return WORDS[kind]
    inner = [_words(each) for each in get_args(kind) if each is not NoneType]
    forms = {Mapping: f'{{"sensor": {inner[-1]}}}', Sequence: f"[{inner[0]}, …]"}
    return forms.get(get_origin(kind), " or ".join(inner))
