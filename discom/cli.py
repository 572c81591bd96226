"""`discom …`: words of a command line become the typed arguments of a function."""

import inspect
import json
import re
import sys
import warnings
from argparse import SUPPRESS, Action, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from jsonargparse import ArgumentParser

from discom import commands, datasets
from discom.config import PROFILES, Config
from discom.datasets import Json
from discom.errors import ConfigError, DiscomError, explain
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
RARE = ("address", "as_published", "collect", "recompute")  # what it does not show
RELATED = {"--device": "--accelerator", "--gpu": "--accelerator", "--lr": "--learning_rate"}
KINDS = {int: "no whole number", float: "no number", bool: "neither true nor false"}

Flags = dict[str, tuple[Any, Any, str]]  # name → type, default, meaning


class _Help(RawDescriptionHelpFormatter):
    """One line per flag."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=20)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [text]

    def _format_action_invocation(self, action: Action) -> str:
        return "".join(action.option_strings).replace("_", "-") or action.dest.upper()


class _Parser(ArgumentParser):
    """The arguments of one command; a wrong one is a ConfigError of one line."""

    def __init__(self, name: str, full: bool = False):
        self.flags = _flags(COMMANDS[name])
        needed = [flag.upper() for flag, (_, default, _) in self.flags.items() if default is NONE]
        super().__init__(
            prog=f"discom {name}",
            usage=" ".join([f"discom {name}", *needed, "[FLAGS]"]),
            description=inspect.getdoc(COMMANDS[name]),
            epilog="" if full else "--help-all shows every flag.",
            formatter_class=_Help,
            allow_abbrev=False,
            add_help=False,
            print_config=None,
        )
        meaning = "YAML file that holds what flags say (default: none)"
        self.add_argument("--config", action="config", help=meaning)
        for flag, (kind, default, meaning) in self.flags.items():
            hidden = flag in RARE or (flag in _settings() and flag not in USUAL)
            shown = SUPPRESS if hidden and not full else _with_default(meaning, default)
            if default is NONE and get_origin(kind) is list:
                self.add_argument(flag, nargs="+", type=get_args(kind)[0], help=shown)
            elif default is NONE:
                self.add_argument(flag, type=kind, help=shown)
            elif default is False:
                self.add_argument(f"--{flag}", action="store_true", help=shown)
            else:
                kind = _json if kind == Json | None else kind
                self.add_argument(f"--{flag}", type=kind, default=default, help=shown)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise ConfigError(" ".join(self._plain(message).split())) from ex

    def _plain(self, message: str) -> str:
        """What jsonargparse says, in the words of a command line."""
        key = re.match(r'(?:Parser key "|argument --)(\w+)(?:"|: invalid)', message)
        if key and key[1] in self.flags:
            value = message.rpartition("value: ")[2].strip("'")
            return f"--{_hyphens(key[1])}: '{value}' is {_no(self.flags[key[1]][0])}"
        if word := re.match(r"unrecognized arguments: (\S+)", message):
            flags = [f"--{flag}" for flag in self.flags]
            return _unknown(word[1], "flag", flags, f"see {self.prog} --help-all")
        if word := re.search(r"(?:[Oo]ption|[Kk]ey) [\"']([\w-]+)[\"'] is not", message):
            return "--config: " + _unknown(word[1], "flag", self.flags, "remove it")
        if word := re.match(r"the following arguments are required: (.*)", message):
            return f"{word[1].upper()}: is missing; see {self.prog} --help"
        message = re.sub(r'^Parser key "config"|^Problems parsing config', "--config", message)
        message = re.sub(r"^Unexpected config", "--config: no flags in it", message)
        return message.removeprefix("argument ")


def _flags(function: Callable) -> Flags:
    """The arguments of a function; a dataclass among them stands for its fields, **settings for
    what else Config has."""
    flags: Flags = {}
    kinds = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            flags |= {name: flag for name, flag in _settings().items() if name not in flags}
        elif is_dataclass(kinds[name]):
            flags |= _flags(kinds[name])
        else:
            kind, meaning = get_args(kinds[name])
            flags[name] = kind, parameter.default, meaning
    return flags


def _settings() -> Flags:
    """What Config has besides the seed and the method's options, each with its first words there;
    what is not given is the profile's."""
    lines = re.findall(r"^ +(\w+): (.+?)[.;,]?$", Config.__doc__ or "", re.MULTILINE)
    meanings = {name: re.split(r" \(|[;:] |, each| such as", line)[0] for name, line in lines}
    kinds = get_type_hints(Config)
    flags: Flags = {}
    for name, kind in kinds.items():
        if name not in ("seed", "options"):
            choices = " or ".join(get_args(kind)) if get_origin(kind) is Literal else ""
            meaning = f"{choices or meanings[name]} (default: the profile's)"
            flags[name] = kind | None, None, meaning
    return flags


def _with_default(meaning: str, default: Any) -> str:
    said = default is NONE or "(default: " in meaning
    shown = "none" if default is None else "off" if default is False else default
    return meaning.replace("%", "%%") + ("" if said else f" (default: {shown})")


def _hyphens(flag: str) -> str:
    return flag.replace("_", "-")


def _json(value: Any) -> Json:
    """The object that a flag or a YAML file gives; texts in it stay texts, also "yes" and "1e3"."""
    with suppress(ValueError):
        value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, dict):
        raise ValueError(f"Given value: {value}")
    return value


def _no(kind: Any) -> str:
    """What a value is not, in words.

    >>> _no(int | None), _no(Literal["a", "b"])
    ('no whole number', 'none of a, b')
    """
    kinds = [part for part in get_args(kind) if part is not NoneType]
    kind = kinds[0] if NoneType in get_args(kind) else kind
    if get_origin(kind) is Literal:
        return f"none of {', '.join(get_args(kind))}"
    return KINDS.get(kind, "no JSON object; write such as '{\"name\": 1}'")


def _unknown(word: str, what: str, names: Iterable[str], advice: str) -> str:
    """The line for a name that does not exist, with the nearest one that does."""
    names, word = list(names), word.partition("=")[0]
    near = get_close_matches(word, names, n=1)
    near += [RELATED[word]] if RELATED.get(word) in names else []
    meant = f"did you mean {' or '.join(map(_hyphens, near))}?" if near else advice
    return f"'{word}' is no {what}; {meant}"


def parse(words: Sequence[str]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function that a command line calls, and its arguments.

    Raises:
        ConfigError: no such command or flag, or a value of the wrong kind.

    >>> parse(["data", "check", "scenes", "--seed", "3"])[1]
    {'data': 'scenes', 'seed': 3}
    """
    name, rest = _divide(words)
    rest = [re.sub(r"^--[\w-]+", lambda m: "--" + m[0][2:].replace("-", "_"), w) for w in rest]
    given = vars(_Parser(name).parse_args(rest))
    del given["config"]
    arguments: dict[str, Any] = {}
    kinds = get_type_hints(COMMANDS[name])
    for key, parameter in inspect.signature(COMMANDS[name]).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:  # the last one
            arguments |= {flag: value for flag, value in given.items() if value is not None}
        elif is_dataclass(kinds[key]):
            own = {field.name: given.pop(field.name) for field in fields(kinds[key])}
            arguments[key] = kinds[key](**own)
        else:
            arguments[key] = given.pop(key)
    return COMMANDS[name], arguments


def _divide(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command's name, of one word or two, and what follows."""
    for count in (2, 1):
        if (name := " ".join(words[:count])) in COMMANDS:
            return name, list(words[count:])
    head = "data " if words[0] == "data" else ""
    names = {name.removeprefix(head).split()[0] for name in COMMANDS if name.startswith(head)}
    raise ConfigError(_unknown(words[bool(head)], "command", names, f"see discom {head}--help"))


def _check_names(profile: str | None, data: str | None) -> None:
    """Suggest the nearest profile or data set where there is none of that name."""
    if profile and profile not in PROFILES:
        advice = f"choose {', '.join(PROFILES)}"
        raise ConfigError("--profile: " + _unknown(profile, "profile", PROFILES, advice))
    name = (data or "").partition(":")[0]
    if name and not Path(name).exists():
        from discom.data import DRAWN
        from discom.data.sources import SOURCES

        names = [*DRAWN, "folders", *SOURCES]
        if name not in names and get_close_matches(name, names):
            raise ConfigError("--data: " + _unknown(name, "folder and no data set", names, ""))


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
        print(_Parser(_divide(chosen)[0], full="--help-all" in words).format_help())
    else:
        function, arguments = parse(words)
        many = arguments.get("many")
        profile = many.profile if many else arguments.get("profile")
        _check_names(profile, arguments.get("data"))
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
