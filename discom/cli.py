"""`discom …`: list, prepare, check and look at data; train; tables; show runs; export; run the
notebooks."""

import dataclasses
import inspect
import sys
import warnings
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace

from discom.commands import (
    check,
    export,
    grid,
    listing,
    picture,
    predict,
    prepare,
    probe,
    reproduce,
    show,
    table,
    train,
)
from discom.config import Config
from discom.errors import ConfigError, DiscomError

__all__ = ["main"]


EXAMPLES = {
    "data list": "  discom data list --markdown",
    "data prepare": """  discom data prepare scenes --out data/scenes
  discom data prepare eurosat --download                              (raw files go to data/raw/eurosat)
  discom data prepare potsdam --root RAW --options '{"window": 256}'
  discom data prepare data/eurosat --split_seed 0 --out data/eurosat-0   (the released code's form)
  discom data prepare hls --root RAW --out data/hls --modalities rgb+elevation
  discom data prepare folders --root my_images --out data/mine --split_seed 0""",
    "data check": "  discom data check data/scenes",
    "data show": "  discom data show data/scenes --out pairs.png",
    "train": """  discom train --data scenes --method discom --profile cpu --seed 0 --runs runs
  discom train --data data/hls --method discom-solo --epochs 25
  discom train --data scenes --options '{"modality_targets": "released"}'
  discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'      (its teacher is trained first)
  discom train --method crodino --data scenes-dense    (a class for every pixel)
  discom train --config run.yaml        (the file holds what flags say, such as  data: scenes)""",
    "table": """  discom table 1 --data scenes --profile cpu --seeds 5 --out build/table1
  discom table 2 --data data/hls --seeds 3 --dry_run
  discom table 2 --data data/hls --engine ray --workers 4
  discom table dense --seeds 10 --out build/dense      (CroDiNo-KD and its competitors, a class for every pixel)
  discom table crodino --seeds 5 --out build/crodino   (its ideas switched off one by one)""",
    "grid": """  discom grid --dials '{"shared": [0, 0.5, 1]}' --seeds 5 --out build/shared
  discom grid --dials '{"spurious": [0, 0.6], "labelled": [0.2, 1]}' --methods student,discom,discom:pairing=paired
  discom grid --data scenes-dense --dials '{"noise": [0, 0.4]}' --methods single,crodino --against single""",
    "probe": """  discom probe runs/scenes/discom --data scenes --out build/probes""",
    "show": """  discom show runs/scenes/discom/0-0123456789 --out curves.png
  discom show runs --collect results/mine.json""",
    "export": """  discom export runs/scenes/discom/0-0123456789 --modality depth --out build/depth
  discom export RUN --modality elevation --data data/hls --modalities rgb+elevation --out build/elevation""",
    "predict": """  discom predict build/depth my_images --out answers.csv
  discom predict build/depth/model.onnx a.png b.tif     (CSV on the screen)""",
    "reproduce": """  discom reproduce --profile tiny
  discom reproduce --profile cpu --seeds 3 --workers 2
  discom reproduce --profile paper --data data/hls""",
}
SWITCHES = {  # options without a value
    "download": "fetch what is missing in --root first",
    "markdown": "print the table of data/README.md",
    "overwrite": "replace a folder that this command made before",
    "as_published": "use the options with which the DisCoM-KD authors' own code ran each method",
    "recompute": "train again where a result is there but damaged",
    "scored": "measure SAP, MIG and DCI as well, half a minute a modality",
    "dry_run": "say what is missing (and of trainings about how long it takes), and stop",
    "again": "begin a new folder, and leave the one before as it is",
}
MANY = {"files": "images, or folders of images"}  # arguments that take one value or more
COMMANDS = {"train": train, "table": table, "grid": grid, "probe": probe, "show": show, "export": export,
            "predict": predict, "reproduce": reproduce}  # fmt: skip
DATA_COMMANDS = {"list": listing, "prepare": prepare, "check": check, "show": picture}
# Every setting of Config but the seed, none of them required: what is not given stays as the
# profile has it.
SETTINGS = dataclasses.make_dataclass(
    "Settings",
    [(f.name, f.type | None, None) for f in dataclasses.fields(Config) if f.name != "seed"],
)
SETTINGS.__doc__ = Config.__doc__.replace(
    "the defaults are the paper's protocol", "what is not given is the profile's"
)


class _Help(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Examples keep their lines."""


class _Parser(ArgumentParser):
    """Says what is wrong in one line, as an exception, instead of printing its usage and
    leaving."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, formatter_class=_Help, **kwargs)

    def error(self, message: str, ex: Exception | None = None):
        raise ConfigError(" ".join(str(message).split())) from ex


def _headline(function) -> str:
    return function.__doc__.partition("\n")[0]


def _command(function, name: str) -> _Parser:
    text = f"examples:\n{EXAMPLES[name]}"
    parser = _Parser(description=_headline(function), epilog=text)
    parser.add_argument("--config", action="config", help="YAML file that holds what flags say")
    parser.add_function_arguments(function, skip={"settings", *SWITCHES, *MANY}, as_positional=True)
    for name, meaning in MANY.items():
        if name in inspect.signature(function).parameters:
            parser.add_argument(name, nargs="+", type=Path, help=meaning)
    for switch, meaning in SWITCHES.items():
        if switch in inspect.signature(function).parameters:
            parser.add_argument(f"--{switch}", action="store_true", help=meaning)
    if "settings" in inspect.signature(function).parameters:
        parser.add_class_arguments(
            SETTINGS, skip={"options"} if function in (table, grid) else set()
        )
    return parser


def make_parser() -> _Parser:
    """The command line; `discom --help` prints it."""
    parser = _Parser(
        prog="discom",
        description="Cross-modal knowledge distillation without a teacher, a class for every image or pixel:"
        " data, runs, tables.",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subcommands(dest="command")
    sets = _Parser(description="Prepare, check and look at data.")
    commands.add_subcommand("data", sets, help="list, prepare, check and look at data")
    subcommands = sets.add_subcommands(dest="data_command")
    for name, function in DATA_COMMANDS.items():
        subcommands.add_subcommand(
            name, _command(function, f"data {name}"), help=_headline(function)
        )
    for name, function in COMMANDS.items():
        commands.add_subcommand(name, _command(function, name), help=_headline(function))
    return parser


def _call(arguments: Namespace) -> None:
    chosen, name = arguments[arguments["command"]], arguments["command"]
    function = COMMANDS.get(name)
    if name == "data":
        function, chosen = DATA_COMMANDS[chosen["data_command"]], chosen[chosen["data_command"]]
    given = {key: value for key, value in vars(chosen).items() if key != "config"}
    if "settings" in inspect.signature(function).parameters:
        given["settings"] = {f.name: given.pop(f.name, None) for f in dataclasses.fields(SETTINGS)}
    function(**given)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit status 0 done, 2 the input is wrong, 130 interrupted and resumable."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]  # it may stand anywhere
    warnings.showwarning = lambda message, *_: print(f"discom: warning: {message}", file=sys.stderr)
    try:
        _call(make_parser().parse_args(given))
    except KeyboardInterrupt as stop:
        print(f"discom: {str(stop) or 'interrupted'}", file=sys.stderr)
        return 130
    except (DiscomError, OSError) as error:
        if debug:
            raise
        if getattr(error, "agreed", False) and sys.modules["discom.shares"].rank():
            return 2  # the first process of the run tells
        text = str(error)
        if isinstance(error, OSError) and error.strerror:  # the disk's own words name no way out
            place = f"{error.filename}: " if error.filename else ""
            text = f"{place}{error.strerror}; make room, check the rights, or choose another place"
        print(f"discom: error: {' '.join(text.split())}", file=sys.stderr)
        return 2
    return 0
