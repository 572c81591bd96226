"""`discom …`: words of a command line become the typed arguments of a function."""

import inspect
import json
import re
import sys
import warnings
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

import yaml

from discom import commands, datasets
from discom.config import Config
from discom.errors import ConfigError, DiscomError, explain, first_line
from discom.version import __version__

__all__ = ["COMMANDS", "main", "parse"]

COMMANDS: dict[str, Callable[..., Any]] = {
    "data list": datasets.listing,
    "data prepare": datasets.prepare,
    "data check": datasets.check,
    "data show": datasets.show,
    "train": commands.train,
    "table": commands.table,
    "grid": commands.grid,
    "probe": commands.probe,
    "show": commands.show,
    "export": commands.export,
    "predict": commands.predict,
    "reproduce": commands.reproduce,
}
HELP = {"-h", "--help", "--help-all"}
NONE = inspect.Parameter.empty  # the default of an argument that has to be given
USUAL = ("epochs", "batch_size")  # the settings of Config that the short help shows
RARE = ("address", "as_published", "collect", "recompute")  # other flags that it does not show
RELATED = {"--device": "--accelerator", "--gpu": "--accelerator", "--lr": "--learning-rate"}
KINDS = {int: "no whole number", float: "no number", bool: "neither true nor false"}
KINDS |= {dict: "no JSON object; write such as '{\"name\": 1}'"}

Flags = dict[str, tuple[Any, Any, str]]  # name → type, default, meaning


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument "))


def _parser(name: str, full: bool = False) -> _Parser:
    """The arguments of a command; with `full`, its help shows every flag."""
    flags = _flags(COMMANDS[name])
    needed = [flag.upper() for flag, (_, default, _) in flags.items() if default is NONE]
    parser = _Parser(
        usage=" ".join([f"discom {name}", *needed, "[FLAGS]"]),
        description=inspect.getdoc(COMMANDS[name]),
        epilog="" if full else "--help-all shows every flag.",
        formatter_class=partial(RawDescriptionHelpFormatter, max_help_position=20, width=200),
        allow_abbrev=False,
        add_help=False,
    )
    for flag, (kind, default, meaning) in flags.items():
        hidden = flag in RARE or (flag in _settings() and flag not in USUAL)
        if default is not NONE and "(default: " not in meaning:
            shown = "none" if default is None else "off" if default is False else default
            meaning += f" (default: {shown})"
        parser.add_argument(
            flag if default is NONE else f"--{_hyphens(flag)}",
            nargs="+" if get_origin(kind) is list else None,
            type=partial(_value, kind),
            default=default,
            metavar=flag.upper() if default is NONE else "",
            help=SUPPRESS if hidden and not full else meaning.replace("%", "%%"),
        )
    parser.add_argument("--config", metavar="", help="YAML file of flags (default: none)")
    return parser


def _flags(function: Callable) -> Flags:
    """The arguments of a function; a dataclass among them stands for its fields, **settings for
    those of Config."""
    flags: Flags = {}
    kinds = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            flags |= _settings()
        elif is_dataclass(kinds[name]):
            flags |= _flags(kinds[name])
        else:
            kind, meaning = get_args(kinds[name])
            flags[name] = kind, parameter.default, meaning
    return flags


def _settings() -> Flags:
    """What Config has besides the seed and the method's options, explained as there."""
    flags: Flags = {}
    kinds = get_type_hints(Config)
    arguments = r"^    (\w+): (.+(?:\n {8}.+)*)"
    for name, text in re.findall(arguments, inspect.getdoc(Config) or "", re.MULTILINE):
        if name in kinds and name not in ("seed", "options"):
            text = re.sub(r" \([^)]*\)", "", " ".join(text.split()))
            meaning = re.split(r"[;.](?: |$)", text)[0]
            flags[name] = kinds[name], None, f"{meaning} (default: the profile's)"
    return flags


def _value(kind: Any, text: str) -> Any:
    """What a word stands for.

    >>> _value(int | None, "3"), _value(dict, '{"size": 64}'), _value(str, "3")
    (3, {'size': 64}, '3')
    """
    if NoneType in get_args(kind) or get_origin(kind) is list:
        kind = get_args(kind)[0]
    kind = get_origin(kind) or kind
    if kind not in KINDS:
        return Path(text) if kind is Path else text
    try:
        value = json.loads(text) if kind in (bool, dict) else kind(text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise ArgumentTypeError(f"'{text}' is {KINDS[kind]}")
    return value


def _hyphens(flag: str) -> str:
    return flag.replace("_", "-")


def _unknown(word: str, what: str, names: Iterable[str], advice: str) -> ConfigError:
    """The error for a name that does not exist, with the nearest one that does."""
    names, word = list(names), word.partition("=")[0]
    near = get_close_matches(word, names, n=1)
    near += [RELATED[word]] if RELATED.get(word) in names else []
    meant = f"did you mean {' or '.join(near)}?" if near else advice
    return ConfigError(f"'{word}' is no {what}; {meant}")


def parse(words: Sequence[str]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function that a command line calls, and its arguments.

    Raises:
        ConfigError: no such command or flag, or a value of the wrong kind.

    >>> parse(["data", "check", "scenes", "--seed", "3"])[1]
    {'data': 'scenes', 'seed': 3}
    """
    name, rest = _divide(words)
    function, flags = COMMANDS[name], _flags(COMMANDS[name])
    files = _Parser(allow_abbrev=False, add_help=False)
    files.add_argument("--config", action="append", default=[])
    given, rest = files.parse_known_args(rest)
    rest = [word for file in given.config for word in _from_file(file)] + rest
    rest = [re.sub(r"^--[\w-]+", lambda match: _hyphens(match[0]), word) for word in rest]
    switches = [
        f"--{_hyphens(flag)}" for flag, (_, default, _) in flags.items() if default is False
    ]
    given, unknown = _parser(name).parse_known_args(
        [f"{word}=true" if word in switches else word for word in rest]
    )
    if unknown:
        names = [f"--{_hyphens(flag)}" for flag in flags]
        raise _unknown(unknown[0], "flag", names, f"see discom {name} --help-all")
    values, arguments = vars(given), {}
    del values["config"]
    for key, kind in get_type_hints(function).items():
        if is_dataclass(kind):
            own = {field.name: values.pop(field.name) for field in fields(kind)}
            arguments[key] = kind(**own)
    asked = {key: v for key, v in values.items() if key not in _settings() or v is not None}
    return function, arguments | asked


def _divide(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command's name, of one word or two, and what follows."""
    for count in (2, 1):
        if (name := " ".join(words[:count])) in COMMANDS:
            return name, list(words[count:])
    head = "data " if words[0] == "data" else ""
    names = {name.removeprefix(head).split()[0] for name in COMMANDS if name.startswith(head)}
    raise _unknown(words[bool(head)], "command", names, f"see discom {head}--help")


def _from_file(file: str) -> list[str]:
    """The flags that a YAML file stands for."""
    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeError) as error:
        raise ConfigError(f"--config: {file} is no YAML ({first_line(error)})") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--config: no flags in {file}; write such as epochs: 3")
    texts = {name: v if isinstance(v, str) else json.dumps(v) for name, v in content.items()}
    return [f"--{name}={text}" for name, text in texts.items()]


def _check_data(source: str) -> None:
    """Suggest the nearest data set where there is neither a folder nor a set of that name."""
    name = source.partition(":")[0]
    if not Path(name).exists():
        from discom.data import DRAWN
        from discom.data.sources import SOURCES

        names = [*DRAWN, "folders", *SOURCES]
        if name not in names and get_close_matches(name, names):
            raise _unknown(name, "folder and no data set", names, "")


def _overview(words: Sequence[str]) -> str:
    """The help of `discom` and of `discom data`."""
    lines = [f"usage: discom {' '.join([*words, 'COMMAND'])} …", "", "commands:"]
    for name, function in COMMANDS.items():
        if name.split()[: len(words)] == list(words):
            lines.append(f"  {name:<14}{(function.__doc__ or '').splitlines()[0]}")
    tail = "flags: --help, --help-all (of a command), --version, --debug (an error's traceback)"
    return "\n".join([*lines, "", tail])


def _run(words: list[str]) -> int:
    chosen = [word for word in words if word not in HELP]
    if chosen == ["--version"]:
        print(f"discom {__version__}")
    elif chosen in ([], ["data"]):
        print(_overview(chosen))
    elif chosen != words:
        print(_parser(_divide(chosen)[0], full="--help-all" in words).format_help(), end="")
    else:
        function, arguments = parse(words)
        if data := arguments.get("data"):
            _check_data(data)
        return 1 if function(**arguments) is False else 0
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 some runs failed, 2 the input is wrong, 130 interrupted and
        resumable.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
            return _run([word for word in words if word != "--debug"])
    except KeyboardInterrupt as stop:
        _say(str(stop) or "interrupted")
        return 130
    except (DiscomError, OSError) as error:
        if debug:
            raise
        _say(f"error: {explain(error) if isinstance(error, OSError) else error}")
        return 2


def _say(text: str) -> None:
    print(f"discom: {' '.join(text.split())}", file=sys.stderr)
