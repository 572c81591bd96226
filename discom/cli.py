"""`discom …`: what commands and flags there are, and what the words of a command line ask for."""

import inspect
import json
import re
import sys
import warnings
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from argparse import RawDescriptionHelpFormatter as Raw
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from yaml import YAMLError, safe_load

from discom import __version__, commands, datasets
from discom.config import Config
from discom.errors import ConfigError, DiscomError, explain, first_line

__all__ = ["COMMANDS", "main", "parse"]

RUN = "profile runs settings"
MANY = f"{RUN} seeds engine workers address dry_run out collect"

Command = Callable[[Namespace], Any]
Flags = dict[str, tuple[Any, Any, str]]  # name → type, default, meaning

COMMANDS: dict[str, tuple[Command, str]] = {  # what is called, its ARGUMENTS and flags
    "data list": (datasets.listing, ""),
    "data prepare": (
        datasets.prepare,
        "DATA out root modalities split split_seed size options download overwrite",
    ),
    "data check": (datasets.check, "DATA seed"),
    "data show": (datasets.show, "DATA out=pairs.png"),
    "train": (commands.train, f"data method seed modalities options as_published {RUN}"),
    "table": (commands.table, f"NUMBER data modalities teacher as_published {MANY}"),
    "grid": (commands.grid, f"data dials methods against {MANY}"),
    "probe": (commands.probe, "PATH data modalities out"),
    "show": (commands.show, "PATH out collect"),
    "export": (commands.export, "PATH data modality modalities out=exported overwrite"),
    "predict": (commands.predict, "MODEL FILES out"),
    "reproduce": (
        commands.reproduce,
        "profile data seeds=1 only workers=2 again notebooks out=build/notebooks",
    ),
}
FLAGS: Flags = {
    "address": (str, None, "of a Ray cluster, such as ray://head:10001"),
    "again": (bool, False, "begin a new folder instead of continuing the last one"),
    "against": (str, None, "baselines (default: student,discom-solo or single)"),
    "as_published": (bool, False, "the options of the DisCoM-KD authors' own code"),
    "collect": (Path, None, "write all results into this JSON file"),
    "data": (str, None, "scenes:n=600, a name or a folder (default: scenes or scenes-dense)"),
    "dials": (dict, None, 'argument → values (default: {"shared": [0, 0.5, 1]})'),
    "download": (bool, False, "fetch what is missing in --root first"),
    "dry_run": (bool, False, "say what is missing and how long it takes, and stop"),
    "engine": (str, "local", "local (processes of this machine) or ray"),
    "files": (Path, None, "images, or folders of images"),
    "method": (str, "discom", "discom, student, …; for segmentation crodino, single, …"),
    "methods": (str, None, "options behind a colon (default: controls)"),
    "modalities": (str, None, "sensors in this order, such as rgb+elevation (default: all)"),
    "modality": (str, None, "the sensor (default: the only one)"),
    "model": (Path, None, "model.onnx, or the folder that discom export wrote"),
    "notebooks": (Path, "notebooks", "the folder that holds NN_….ipynb"),
    "number": (str, None, "1 to 5, dense or crodino"),
    "only": (str, None, "beginnings of names, such as 03,07 (default: all)"),
    "options": (dict, None, "of the method, or of a reader: '{\"grl_lambda\": 0.5}'"),
    "out": (Path, None, "the file or folder to write"),
    "overwrite": (bool, False, "replace what this command wrote there before"),
    "path": (Path, None, "a run's folder, a folder of runs, or collected results"),
    "profile": (str, "cpu", "tiny (seconds), cpu (minutes), paper (for a GPU)"),
    "root": (Path, None, "the folder of the raw files (default: data/raw/NAME)"),
    "runs": (Path, "runs", "the folder that holds all runs"),
    "seed": (int, 0, "of split, weights and batches"),
    "seeds": (int, 5, "how many, counted from 0"),
    "size": (int, None, "pixels of a side that photos are resized to"),
    "split": (str, None, "official, grouped or random (default: the first)"),
    "split_seed": (int, None, "fix this split, in the released code's files"),
    "teacher": (str, None, "the modality of Table 1's (default: the first)"),
    "workers": (int, 0, "how many side by side; 0 lets the engine choose"),
}
HELP = {"-h", "--help", "--help-all"}
NONE = object()  # the default of an argument that has to be given
USUAL = ("epochs", "batch_size")  # the settings of Config that the short help shows
RARE = ("address", "as_published", "collect")  # other flags that it does not show
RELATED = {"--device": "--accelerator", "--gpu": "--accelerator", "--lr": "--learning-rate"}
KINDS = {int: "no whole number", float: "no number", bool: "neither true nor false"}
KINDS |= {dict: "no JSON object; write such as '{\"name\": 1}'"}


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument "))


def _parser(name: str, full: bool = False) -> _Parser:
    """The arguments of a command; with `full`, its help shows every flag."""
    flags, settings = _flags(name), _settings()
    needed = [flag.upper() for flag, (_, default, _) in flags.items() if default is NONE]
    parser = _Parser(
        usage=" ".join([f"discom {name}", *needed, "[FLAGS]"]),
        description=inspect.getdoc(COMMANDS[name][0]),
        epilog="" if full else "--help-all shows every flag.",
        formatter_class=partial(Raw, max_help_position=20, width=200),
        allow_abbrev=False,
        add_help=False,
    )
    for flag, (kind, default, meaning) in flags.items():
        given = default is NONE
        if not given and "(default: " not in meaning:
            shown = "none" if default is None else "off" if default is False else default
            meaning += f" (default: {shown})"
        hidden = not full and (flag in RARE or (flag in settings and flag not in USUAL))
        parser.add_argument(
            flag if given else _option(flag),
            type=partial(_value, kind),
            default=default,
            metavar=flag.upper() if given else "",
            nargs="+" if flag == "files" else None,
            help=SUPPRESS if hidden else meaning.replace("%", "%%"),
        )
    parser.add_argument("--config", metavar="", help="YAML file of flags (default: none)")
    return parser


def _flags(name: str) -> Flags:
    """The arguments and flags of a command."""
    flags: Flags = {}
    for word in COMMANDS[name][1].split():
        flag, _, default = word.lower().partition("=")
        if flag == "settings":
            flags |= _settings()
        else:
            kind, usual, meaning = FLAGS[flag]
            flags[flag] = kind, NONE if word.isupper() else default or usual, meaning
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
    """What a word stands for."""
    if kind not in KINDS:
        return Path(text) if kind is Path else text
    try:
        value = json.loads(text) if kind in (bool, dict) else kind(text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise ArgumentTypeError(f"'{text}' is {KINDS[kind]}")
    return value


def _option(flag: str) -> str:
    return "--" + flag.removeprefix("--").replace("_", "-")


def _unknown(word: str, what: str, names: Iterable[str], advice: str) -> ConfigError:
    """The error for a name that does not exist, with the nearest one that does."""
    names, word = list(names), word.partition("=")[0]
    near = get_close_matches(word, names, n=1)
    near += [RELATED[word]] if RELATED.get(word) in names else []
    meant = f"did you mean {' or '.join(near)}?" if near else advice
    return ConfigError(f"'{word}' is no {what}; {meant}")


def parse(words: Sequence[str]) -> tuple[Command, Namespace]:
    """The function that a command line calls, and its flags; `settings` are those of Config that
    were given. A wrong word is a ConfigError.

    >>> parse(["data", "check", "scenes", "--seed", "3"])[1]
    Namespace(data='scenes', seed=3, settings={})
    """
    name, rest = _divide(words)
    flags = _flags(name)
    files = _Parser(allow_abbrev=False, add_help=False)
    files.add_argument("--config", action="append", default=[])
    given, rest = files.parse_known_args(rest)
    rest = [word for file in given.config for word in _from_file(file)] + rest
    rest = [re.sub(r"^--[\w-]+", lambda match: _option(match[0]), word) for word in rest]
    switches = [_option(flag) for flag, (_, default, _) in flags.items() if default is False]
    rest = [f"{word}=true" if word in switches else word for word in rest]
    given, unknown = _parser(name).parse_known_args(rest)
    if unknown:
        advice = f"see discom {name} --help-all"
        raise _unknown(unknown[0], "flag", map(_option, flags), advice)
    settings = {key: vars(given).pop(key) for key in _settings() if key in flags}
    given.settings = {key: value for key, value in settings.items() if value is not None}
    del given.config
    return COMMANDS[name][0], given


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
        content = safe_load(Path(file).read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError) as error:
        raise ConfigError(f"--config: {file} is no YAML ({first_line(error)})") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--config: no flags in {file}; write such as epochs: 3")
    texts = {name: v if isinstance(v, str) else json.dumps(v) for name, v in content.items()}
    return [f"--{name}={text}" for name, text in texts.items()]


def _overview(words: Sequence[str]) -> str:
    """The help of `discom` and of `discom data`."""
    lines = [f"usage: discom {' '.join([*words, 'COMMAND'])} …", "", "commands:"]
    for name, (function, _) in COMMANDS.items():
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
        command, flags = parse(words)
        return 1 if command(flags) is False else 0
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
