"""What commands there are, and what their arguments and flags mean."""

import inspect
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from discom import __version__
from discom.cli import commands, data
from discom.cli.advise import advise
from discom.config import FIELDS


def text(value: str) -> str:
    """A word; an empty one, as of an unset variable of a shell, must not mean the default."""
    if not value:
        raise click.BadParameter("is empty; give it a value, or leave the flag out")
    return value


def path(value: str) -> Path:
    """A file or a folder."""
    return Path(text(value))


def json_object(value: str) -> dict[str, Any]:
    """Options."""
    with suppress(ValueError, RecursionError):
        if isinstance(content := json.loads(value), dict):
            return content
    raise click.BadParameter(f"'{value}' is not a JSON object; write e.g. '{{\"name\": 1}}'")


def by_sensor(value: str) -> dict[str, Any]:
    """A word or numbers for each sensor."""
    words = dict(re.findall(r"(\w+)=([\w,]+)", value))
    if not words or ";".join(map("=".join, words.items())) != value:
        raise click.BadParameter(f"'{value}' is not of the form 'rgb=flip;sar=none'")
    listed = re.compile(r"\d+(,\d+)*").fullmatch
    return {k: [*map(int, v.split(","))] if listed(v) else v for k, v in words.items()}


SEED, COUNT, ANY_COUNT = click.IntRange(0, 2**32 - 1), click.IntRange(1), click.IntRange(0)
NUMBER = click.Choice([1, 2, 3, 4, 5, "dense", "crodino"])
# name → type, default, meaning
FLAGS: dict[str, tuple[Any, Any, str]] = {
    "bands": (by_sensor, None, "bands of sensors: 'rgb=1,2,3;nir=4'  [default: all of a folder]"),
    "collect": (path, None, "add the results to this table, a .csv and a .json  [default: none]"),
    "backend": (text, "loky", "what runs side by side: loky, processes here, or dask"),
    "data": (text, None, "name or folder, such as scenes:n=600  [default: scenes or scenes-dense]"),
    "download": (bool, False, "fetch what is missing in --root first"),
    "dry_run": (bool, False, "say which runs are missing, and stop"),
    "features": (text, "imagenet", "weights of frozen features: imagenet, a file, or none"),
    "files": (path, None, "images or their folders; for pairs a folder of <sensor>/<name>"),
    "fit": (text, None, "other proportions: squeeze, crop or pad  [default: squeeze]"),
    "folds": (click.IntRange(2), None, "test every image once, in so many parts  [default: none]"),
    "groups": (text, None, "pattern of names, as '(.+)_[0-9]+'  [default: groups.csv]"),
    "method": (text, "discom", "such as discom, student; for pixels single, crodino (ours)"),
    "modalities": (text, None, "sensors in this order, such as rgb+elevation  [default: all]"),
    "methods": (text, None, "methods to keep, such as student,discom  [default: all]"),
    "modality": (text, None, "network to write, such as rgb+depth  [default: the only one]"),
    "model": (path, None, "model.onnx, or the folder that discom export wrote"),
    "motions": (by_sensor, None, "augmentation: 'rgb=flip;sar=none', or all  [default: flip]"),
    "number": (NUMBER, None, "1 to 5, dense, or crodino (our reconstruction)"),
    "only": (text, None, "notebooks by their numbers, such as 02,07  [default: all]"),
    "options": (json_object, None, "of a method or reader: '{\"size\": 32}'  [default: none]"),
    "out": (path, None, "file or folder to write  [default: none]"),
    "overwrite": (bool, False, "replace what this command wrote there before"),
    "path": (path, None, "a run's folder, a folder of runs, or collected results"),
    "profile": (text, "cpu", "tiny (seconds), cpu (minutes), finetune or paper (for a GPU)"),
    "root": (path, None, "folder of the raw files  [default: data/raw/NAME]"),
    "runs": (path, "runs", "folder of all runs"),
    "seed": (SEED, 0, "seed of the split, weights and batches"),
    "seeds": (COUNT, None, "number of seeds, from 0 on  [default: 5, on scenes 10]"),
    "size": (COUNT, None, "side in pixels to which images are resized  [default: the reader's]"),
    "split": (text, None, "official, grouped or random  [default: the first]"),
    "workers": (ANY_COUNT, 0, "number of runs side by side; 0: one a core, one on a GPU"),
}
SETTINGS = [name for name in FIELDS if name not in ("seed", "dense", "options")]
for name in SETTINGS:
    kind, about = FIELDS[name].annotation, FIELDS[name].description or ""
    meaning = re.split(r"\.\s|[.;]$|; ", about)[0]  # its first clause
    meaning = f"{meaning[:1].lower()}{meaning[1:]}  [default: the profile's]"
    FLAGS[name] = (kind if kind in (int, float, bool) else text, None, meaning)
# what the short help leaves out
RARE = {"backend", "collect", *SETTINGS} - {"epochs", "batch_size"}
RUN = " ".join(["profile", "runs", *SETTINGS])
# what is called, its ARGUMENTS and flags
COMMANDS: dict[str, tuple[Callable, str]] = {
    "data list": (data.listing, ""),
    "data prepare": (
        data.prepare,
        "DATA out root modalities split size fit bands groups motions options download overwrite",
    ),
    "data check": (data.check, "DATA seed"),
    "data show": (data.show, "DATA out=pairs.png"),
    "train": (commands.train, f"data method seed modalities options {RUN}"),
    "table": (
        commands.table,
        f"NUMBER data modalities methods {RUN} seeds folds workers backend dry_run out collect",
    ),
    "advise": (advise, f"DATA modalities folds=4 features workers dry_run collect {RUN}"),
    "probe": (commands.probe, "PATH runs data modalities out"),
    "show": (commands.show, "PATH out collect"),
    "export": (commands.export, "PATH data modality modalities out=exported overwrite"),
    "predict": (commands.predict, "MODEL FILES out"),
    "reproduce": (commands.reproduce, "profile only workers=2 out=build/notebooks"),
}


def _command(name: str, full: bool) -> click.Command:
    call, words = COMMANDS[name]
    about = (inspect.getdoc(call) or "").split("\n\n")  # python -OO has none
    parameters: list[click.Parameter] = []
    how: dict[str, Any]
    for word in words.split():
        flag, _, own = word.lower().partition("=")
        kind, default, meaning = FLAGS[flag]
        plain = meaning.partition("  [")[0]  # an argument has no default, and click adds the own
        if word.isupper():
            how = {"metavar": word, "required": True, "nargs": -1 if flag == "files" else 1}
            parameters.append(click.Argument([flag], type=kind, **how))
            about.append(f"{word}: {plain}")
        else:
            spelled = [f"--{flag.replace('_', '-')}"]
            how = {"is_flag": default is False, "help": plain if own else meaning}
            how |= {"hidden": flag in RARE and not full, "default": own or default}
            parameters.append(click.Option(spelled, type=kind, **how))

    def called(**flags: Any) -> Any:
        changed = {name: flags[name] for name in FIELDS if flags.get(name) is not None}
        return call(SimpleNamespace(**flags, settings=changed))

    return click.Command(
        name.split()[-1],
        callback=called,
        params=parameters,
        help="\n\n\b\n".join(about),  # without a \b click would fill the lines of a paragraph
        epilog="--help-all shows every flag.",
    )


def group(full: bool = False) -> click.Group:
    """`discom` with all its commands; `full`: help shows every flag."""
    settings = {
        "help_option_names": ["-h", "--help", "--help-all"],
        "show_default": True,
        "terminal_width": 240,  # one line for each flag
        "token_normalize_func": lambda name: name.replace("_", "-"),  # both spellings of a flag
    }
    about = "Run the tutorial's experiments. --debug shows where an error is from."
    discom = click.Group("discom", help=about, context_settings=settings)
    of_data = click.Group("data", help="Prepare, check and show data sets.")
    discom.add_command(of_data)
    for name in COMMANDS:
        (of_data if name.startswith("data ") else discom).add_command(_command(name, full))
    return click.version_option(__version__, message="discom %(version)s")(discom)
