"""`discom …`: what commands and flags there are, and what the words of a command line ask for."""

import inspect
import json
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import click
from yaml import YAMLError, safe_load

from discom import __version__
from discom.cli import commands
from discom.cli import data as datasets
from discom.config import Config
from discom.errors import ConfigError, DiscomError, explain, first_line

__all__ = ["COMMANDS", "main"]


def json_object(text: str) -> dict[str, Any]:
    """The type of --options."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise click.BadParameter(f"'{text}' is not a JSON object; write e.g. '{{\"name\": 1}}'")
    return value


RUN = "profile runs settings"

COMMANDS: dict[str, tuple[Callable, str]] = {  # what is called, its ARGUMENTS and flags
    "data list": (datasets.listing, ""),
    "data prepare": (
        datasets.prepare,
        "DATA out root modalities split split_seed size options download overwrite",
    ),
    "data check": (datasets.check, "DATA seed"),
    "data show": (datasets.show, "DATA out=pairs.png"),
    "train": (commands.train, f"data method seed modalities options as_published {RUN}"),
    "table": (
        commands.table,
        f"NUMBER data modalities teacher methods as_published {RUN} seeds engine workers address"
        " dry_run out collect",
    ),
    "advise": (
        commands.advise,
        f"DATA modalities seeds=3 workers collect {RUN}=twice_the_profile's",
    ),
    "probe": (commands.probe, "PATH runs data modalities workers out"),
    "show": (commands.show, "PATH out collect"),
    "export": (commands.export, "PATH data modality modalities out=exported overwrite"),
    "predict": (commands.predict, "MODEL FILES out tile"),
    "reproduce": (
        commands.reproduce,
        "profile data seed only workers=2 notebooks out=build/notebooks",
    ),
}
FLAGS: dict[str, tuple[Callable, Any, str]] = {  # name → type, default, meaning
    "address": (str, None, "of a Ray cluster, such as ray://head:10001  [default: none]"),
    "as_published": (bool, False, "use the options of the DisCoM-KD authors' own code"),
    "collect": (Path, None, "write all results into this JSON file  [default: none]"),
    "data": (str, None, "name or folder, such as scenes:n=600  [default: scenes or scenes-dense]"),
    "download": (bool, False, "fetch what is missing in --root first"),
    "dry_run": (bool, False, "say which runs are missing, and stop"),
    "engine": (str, "local", "local (processes on this machine) or ray"),
    "files": (Path, None, "images, or folders of images"),
    "method": (
        str,
        "discom",
        "such as discom, student; for pixels single, crodino (our version)",
    ),
    "modalities": (str, None, "sensors in this order, such as rgb+elevation  [default: all]"),
    "methods": (str, None, "methods to keep, such as student,discom  [default: all]"),
    "modality": (str, None, "the sensor whose branch is written  [default: the only one]"),
    "model": (Path, None, "model.onnx, or the folder that discom export wrote"),
    "notebooks": (Path, "notebooks", "folder of the notebooks"),
    "number": (str, None, "1 to 5, dense, or crodino (our reconstruction)"),
    "only": (str, None, "notebooks whose names begin so, such as 03,07  [default: all]"),
    "options": (
        json_object,
        None,
        "of a method or reader: '{\"grl_lambda\": 0.5}'  [default: none]",
    ),
    "out": (Path, None, "file or folder to write  [default: none]"),
    "overwrite": (bool, False, "replace what this command wrote there before"),
    "path": (Path, None, "a run's folder, a folder of runs, or collected results"),
    "profile": (str, "cpu", "tiny (seconds), cpu (minutes) or paper (for a GPU)"),
    "root": (Path, None, "folder of the raw files  [default: data/raw/NAME]"),
    "runs": (Path, "runs", "folder of all runs"),
    "seed": (int, 0, "seed of the split, weights and batches"),
    "seeds": (int, None, "number of seeds, from 0 on (table: 5, on scenes 10)"),
    "size": (int, None, "side in pixels to which images are resized  [default: the reader's]"),
    "split": (str, None, "official, grouped or random  [default: the first]"),
    "split_seed": (int, None, "split by this seed, as files of the released code  [default: none]"),
    "teacher": (str, None, "modality of the teacher of Table 1  [default: the first]"),
    "tile": (int, None, "side of a tile in pixels, for models of pixels  [default: 256]"),
    "workers": (int, 0, "number of runs side by side; 0 lets the engine choose"),
}
USUAL = ("epochs", "batch_size")  # the settings of Config that the short help shows
RARE = ("address", "as_published", "collect")  # other flags that it does not show


HELP = {
    "help_option_names": ["-h", "--help"],
    "show_default": True,
    "terminal_width": 200,  # one line for each flag
    "token_normalize_func": lambda name: name.replace("_", "-"),  # both spellings of a flag
}


def _flag(name: str, kind: Any, default: Any, meaning: str, rare: bool) -> click.Option:
    """A flag; the short help leaves out what is rare."""
    words, switch = [f"--{name.replace('_', '-')}"], default is False
    return click.Option(
        words, type=kind, default=default, is_flag=switch, hidden=rare, help=meaning
    )


def _settings(epochs: str) -> list[click.Option]:
    """What Config has besides the seed and what is said for each method, explained as there;
    `epochs` is what the command says of their default, if not the profile's."""
    kinds, flags = get_type_hints(Config), []
    arguments = r"^    (\w+): (.+(?:\n {8}.+)*)"
    for name, text in re.findall(arguments, inspect.getdoc(Config) or "", re.MULTILINE):
        if name in kinds and name not in ("seed", "options"):
            kind = kinds[name] if kinds[name] in (int, float, bool) else str
            first = re.split(r"[;.](?: |$)", " ".join(text.split()))[0]
            usual = epochs if epochs and name == "epochs" else "the profile's"
            meaning = f"{first}  [default: {usual.replace('_', ' ')}]"
            flags.append(_flag(name, kind, None, meaning, name not in USUAL))
    return flags


def _command(name: str) -> click.Command:
    function, words = COMMANDS[name]
    parameters: list[click.Parameter] = []
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    for word in words.split():
        flag, _, own = word.lower().partition("=")
        if flag == "settings":
            parameters += _settings(own)
            continue
        kind, default, meaning = FLAGS[flag]
        if word.isupper():
            count = -1 if flag == "files" else 1
            parameters.append(click.Argument([flag], type=kind, required=True, nargs=count))
            paragraphs.append(f"{word}: {meaning.partition('  [')[0]}")  # it has no default
        else:
            parameters.append(_flag(flag, kind, own or default, meaning, flag in RARE))
    command = click.Command(
        name.split()[-1],
        callback=lambda **flags: function(SimpleNamespace(**flags)),
        params=parameters,
        help="\n\n\b\n".join(paragraphs),  # without a \b click would fill their lines
    )
    early: dict[str, Any] = {"is_eager": True, "expose_value": False}
    about = "YAML file of flags  [default: none]"
    click.option("--config", type=Path, callback=_read_config, help=about, **early)(command)
    about = "Show every flag."
    click.option("--help-all", is_flag=True, callback=_show_all, help=about, **early)(command)
    return command


def _read_config(context: click.Context, parameter: click.Parameter, file: Path | None) -> None:
    """Take what a YAML file says for the flags that are not given."""
    if file is None:
        return
    try:
        content = safe_load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError) as error:
        raise ConfigError(f"--config: {file} is not valid YAML ({first_line(error)})") from None
    if not isinstance(content, dict):
        raise ConfigError(f"--config: {file} has no flags; write lines such as epochs: 3")
    options = [flag for flag in context.command.params if isinstance(flag, click.Option)]
    flags = {flag.name: flag.opts[0] for flag in options if flag.expose_value}
    context.default_map = {}
    for name, value in content.items():
        name = str(name).replace("-", "_")
        if name not in flags:
            raise click.NoSuchOption(f"--{name}", possibilities=flags.values(), ctx=context)
        context.default_map[name] = value if isinstance(value, str) else json.dumps(value)


def _show_all(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given:
        for flag in context.command.params:
            if isinstance(flag, click.Option):
                flag.hidden = False
        click.echo(context.get_help())
        context.exit()


def _group() -> click.Group:
    """`discom` with all its commands."""
    about = "Run the tutorial's experiments. --debug shows where an error is from."
    discom = click.Group("discom", help=about, context_settings=HELP)
    data = click.Group("data", help="Prepare, check and show data sets.")
    discom.add_command(data)
    for name in COMMANDS:
        (data if name.startswith("data ") else discom).add_command(_command(name))
    return click.version_option(__version__, message="discom %(version)s")(discom)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 some runs failed, 2 the input is wrong, 130 interrupted and
        resumable.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    group = _group()
    try:
        with warnings.catch_warnings(), group.make_context("discom", words) as context:
            warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
            return 1 if group.invoke(context) is False else 0
    except click.exceptions.Exit as end:  # of --help and --version
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as help_text:  # `discom` and `discom data`
        click.echo(help_text)
        return 0
    except KeyboardInterrupt as stop:
        _say(str(stop) or "interrupted")
        return 130
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "discom"
        _say(f"error: {error.format_message()} See {path} --help.")
        return 2
    except (DiscomError, OSError) as error:
        if debug:
            raise
        _say(f"error: {explain(error) if isinstance(error, OSError) else error}")
        return 2


def _say(text: str) -> None:
    print(f"discom: {' '.join(text.split())}", file=sys.stderr)
