"""What a person can put right: one class per kind, each message one line with the place, the value
and the way out."""

import sys
from collections.abc import Callable, Collection
from functools import cache
from typing import Any


class DiscomError(ValueError):
    """Base of every error that the input caused; the command line prints it alone (status 2).

    >>> str(DataError("rgb/1.png", "has 5 bands", "give 3"))
    'rgb/1.png: has 5 bands; give 3'
    """

    def __init__(self, place: object, found: str = "", way_out: str = ""):
        text = f"{place}: {found}" if found else str(place)
        line = " ".join(part.strip() for part in text.splitlines())
        super().__init__(f"{line}; {way_out}" if way_out else line)


class DataError(DiscomError):
    """A file, a folder or an array that cannot be used as it is."""


class ConfigError(DiscomError):
    """A setting out of its range, or a name that nobody registered."""


class RunError(DiscomError):
    """A run folder that belongs to something else, or a training whose loss is no longer finite."""


class OutOfTime(DiscomError):
    """A training that stopped at a given moment, with a checkpoint: the same call goes on."""


def check_choice(setting: str, value: str, choices: Collection[str]) -> None:
    """Raise a ConfigError unless the value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(setting, f"'{value}' is unknown", f"choose {', '.join(choices)}")


def check_kind(place: str, value: Any, kind: type, way_out: str) -> None:
    """Raise a ConfigError unless the value is of this kind."""
    if not isinstance(value, kind):
        raise ConfigError(place, f"is a {type(value).__name__}, no {kind.__name__}", way_out)


def install_hint(name: str) -> str:
    """How to install an extra of this package: from its folder, since no index has it yet."""
    return f"in discom's folder: pip install '.[{name}]'"


def first_line(error: BaseException) -> str:
    """The first line of what a library's exception says; its name where it says nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]


def say(text: str) -> None:
    """One line of the command line, beside its output."""
    print(f"discom: {' '.join(text.split())}", file=sys.stderr)


def watched() -> bool:
    """Whether a person looks, so that a bar is worth drawing: where no terminal or notebook shows
    it, it is litter. A notebook that papermill or nbconvert executes cannot ask for input."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if "google.colab" in sys.modules:
        return True
    if kernel := getattr(shell, "kernel", None):
        return bool(kernel.get_parent().get("content", {}).get("allow_stdin"))
    return sys.stderr is not None and sys.stderr.isatty()


def say_warnings_once() -> Callable[..., None]:
    """Of the command line: a `warnings.showwarning` that says what is alike once."""
    show = cache(lambda text: say(f"warning: {text}"))
    return lambda message, *_, **__: show(str(message))
