"""What commands there are, and what their arguments and flags mean."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import click

from discom import __version__
from discom.cli import commands, data
from discom.config import Config


def text(value: str) -> str:
    """A word; an empty one, as of an unset variable of a shell, must not mean the default."""
    if not value:
        raise click.BadParameter("is empty; give it a value, or leave the flag out")
    return value


def path(value: str) -> Path:
    """A file or a folder."""
    return Path(text(value))


def names(value: str) -> tuple[str, ...]:
    """Words between commas."""
    words = tuple(word.strip() for word in value.split(","))
    if not all(words):
        raise click.BadParameter(f"'{value}' has an empty name; write e.g. a,b")
    return words


def json_object(value: str) -> dict[str, Any]:
    """Options."""
    try:
        content = json.loads(value, parse_constant=lambda _: None)  # NaN and Infinity
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise click.BadParameter(f"'{value}' is not a JSON object; write e.g. '{{\"name\": 1}}'")
    return content


SEED, COUNT, ANY_COUNT = click.IntRange(0, 2**32 - 1), click.IntRange(1), click.IntRange(0)
NUMBER = click.Choice([*"12345", "dense", "crodino"])
# name → type, default, meaning
FLAGS: dict[str, tuple[Any, Any, str]] = {
    "address": (text, None, "of a Ray cluster, such as ray://head:10001  [default: none]"),
    "as_published": (bool, False, "use the options of the DisCoM-KD authors' own code"),
    "collect": (path, None, "write all results into this JSON file  [default: none]"),
    "data": (text, None, "name or folder, such as scenes:n=600  [default: scenes or scenes-dense]"),
    "download": (bool, False, "fetch what is missing in --root first"),
    "dry_run": (bool, False, "say which runs are missing, and stop"),
    "engine": (text, "local", "local (processes on this machine) or ray"),
    "files": (path, None, "images, or folders of images"),
    "method": (text, "discom", "such as discom, student; for pixels single, crodino (ours)"),
    "modalities": (text, None, "sensors in this order, such as rgb+elevation  [default: all]"),
    "methods": (names, None, "methods to keep, such as student,discom  [default: all]"),
    "modality": (text, None, "the sensor whose branch is written  [default: the only one]"),
    "model": (path, None, "model.onnx, or the folder that discom export wrote"),
    "notebooks": (path, "notebooks", "folder of the notebooks"),
    "number": (NUMBER, None, "1 to 5, dense, or crodino (our reconstruction)"),
    "only": (names, None, "notebooks whose names begin so, such as 03,07  [default: all]"),
    "options": (json_object, None, "of a method or reader: '{\"size\": 32}'  [default: none]"),
    "out": (path, None, "file or folder to write  [default: none]"),
    "overwrite": (bool, False, "replace what this command wrote there before"),
    "path": (path, None, "a run's folder, a folder of runs, or collected results"),
    "profile": (text, "cpu", "tiny (seconds), cpu (minutes) or paper (for a GPU)"),
    "root": (path, None, "folder of the raw files  [default: data/raw/NAME]"),
    "runs": (path, "runs", "folder of all runs"),
    "seed": (SEED, 0, "seed of the split, weights and batches"),
    "seeds": (COUNT, None, "number of seeds, from 0 on  [default: 5, on scenes 10]"),
    "size": (COUNT, None, "side in pixels to which images are resized  [default: the reader's]"),
    "split": (text, None, "official, grouped or random  [default: the first]"),
    "split_seed": (SEED, None, "split by this seed, as the released code reads  [default: none]"),
    "teacher": (text, None, "modality of the teacher of Table 1  [default: the first]"),
    "tile": (COUNT, None, "side of a tile in pixels, for models of pixels  [default: 256]"),
    "workers": (ANY_COUNT, 0, "number of runs side by side; 0 lets the engine choose"),
}
SETTINGS = {  # of Config, besides seed and options; the method says whether it is dense
    "epochs": "passes over the training part",
    "batch_size": "samples of each modality in a step",
    "learning_rate": "of AdamW",
    "schedule": "constant or one-cycle",
    "weight_decay": "of AdamW",
    "encoder": "of classification: resnet18, resnet10, timm:NAME or torchvision:NAME",
    "width": "feature maps of the first stage of resnet10, resnet18 and small",
    "augment": "probability that an image is flipped and turned",
    "labelled": "share of the training labels that are kept, in (0, 1]",
    "precision": "32-true or bf16-mixed",
    "channels_last": "memory layout of images and weights, true or false; changes speed alone",
    "network": "of dense prediction: small, or e.g. unet:resnet34",
    "accelerator": "auto, cpu or cuda",
    "devices": "processes that train the run together",
}
KINDS = {name: get_type_hints(Config)[name] for name in SETTINGS}
FLAGS |= {
    name: (
        kind if kind in (int, float, bool) else text,
        None,
        f"{SETTINGS[name]}  [default: the profile's]",
    )
    for name, kind in KINDS.items()
}
# what the short help leaves out
RARE = {"address", "as_published", "collect", *KINDS} - {"epochs", "batch_size"}
RUN = " ".join(["profile", "runs", *KINDS])
# what is called, its ARGUMENTS and flags
COMMANDS: dict[str, tuple[Callable, str]] = {
    "data list": (data.listing, ""),
    "data prepare": (
        data.prepare,
        "DATA out root modalities split split_seed size options download overwrite",
    ),
    "data check": (data.check, "DATA seed"),
    "data show": (data.show, "DATA out=pairs.png"),
    "train": (commands.train, f"data method seed modalities options as_published {RUN}"),
    "table": (
        commands.table,
        f"NUMBER data modalities teacher methods as_published {RUN} seeds engine workers address"
        " dry_run out collect",
    ),
    "advise": (commands.advise, f"DATA modalities seeds=3 workers collect {RUN}"),
    "probe": (commands.probe, "PATH runs data modalities workers out"),
    "show": (commands.show, "PATH out collect"),
    "export": (commands.export, "PATH data modality modalities out=exported overwrite"),
    "predict": (commands.predict, "MODEL FILES out tile"),
    "reproduce": (
        commands.reproduce,
        "profile data seed only workers=2 notebooks out=build/notebooks",
    ),
}


def _command(name: str) -> click.Command:
    call, words = COMMANDS[name]
    about = (inspect.getdoc(call) or "").split("\n\n")  # python -OO has none
    every: dict[str, Any] = {"is_flag": True, "is_eager": True, "expose_value": False}
    every |= {"callback": _show_all, "help": "Show every flag."}
    parameters: list[click.Parameter] = []
    for word in words.split():
        flag, _, own = word.lower().partition("=")
        kind, default, meaning = FLAGS[flag]
        if word.isupper():
            how = {"type": kind, "required": True, "nargs": -1 if flag == "files" else 1}
            parameters.append(click.Argument([flag], metavar=word, **how))
            about.append(f"{word}: {meaning.partition('  [')[0]}")  # it has no default
        else:
            how = {"is_flag": default is False, "hidden": flag in RARE, "help": meaning}
            spelled = f"--{flag.replace('_', '-')}"
            parameters.append(click.Option([spelled], type=kind, default=own or default, **how))
    return click.Command(
        name.split()[-1],
        callback=lambda **flags: call(SimpleNamespace(**flags)),
        params=[*parameters, click.Option(["--help-all"], **every)],
        help="\n\n\b\n".join(about),  # without a \b click would fill their lines
    )


def _show_all(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given:
        for flag in context.command.params:
            if isinstance(flag, click.Option):
                flag.hidden = False
        click.echo(context.get_help())
        context.exit()


def group() -> click.Group:
    """`discom` with all its commands."""
    settings = {
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "terminal_width": 200,  # one line for each flag
        "token_normalize_func": lambda name: name.replace("_", "-"),  # both spellings of a flag
    }
    about = "Run the tutorial's experiments. --debug shows where an error is from."
    discom = click.Group("discom", help=about, context_settings=settings)
    of_data = click.Group("data", help="Prepare, check and show data sets.")
    discom.add_command(of_data)
    for name in COMMANDS:
        (of_data if name.startswith("data ") else discom).add_command(_command(name))
    return click.version_option(__version__, message="discom %(version)s")(discom)
