"""`discom …`: prepare, check and look at data; train; show runs; run the notebooks."""

import dataclasses
import sys
import warnings
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace

from discom.config import Config, profile
from discom.errors import ConfigError, DiscomError

__all__ = ["main"]


def prepare(
    name: str,
    out: Path | None = None,
    root: Path | None = None,
    modalities: str | None = None,
    split_seed: int | None = None,
    overwrite: bool = False,
) -> None:
    """Read raw data and write one prepared folder.

    Args:
        name: scenes (or scenes:n=600,epsilon=.2), hls, eurosat, or folders for your own <modality>/<class>/<image>.
        out: the folder to write; data/<name> by default.
        root: where the raw files are; scenes need none.
        modalities: which ones to keep, such as rgb+elevation; all by default.
        split_seed: fix the split drawn with this seed, scale by its training part, and use the file names of
            DisCoM-KD's released code. Without it every run draws the split of its own seed.
        overwrite: replace a folder that this command made before.
    """
    from discom import data as sets
    from discom.data.sources import SOURCES

    if name.startswith("scenes"):
        data = sets.load(name)
    elif name == "folders" or name in SOURCES:
        if root is None:
            raise ConfigError(f"--root: {name} needs the folder with its raw files; see data/README.md")
        data = (SOURCES | {"folders": sets.read_folders})[name](root)
    else:
        raise ConfigError(f"name: '{name}' is unknown; choose scenes, folders, {', '.join(SOURCES)}")
    data = data.select(modalities.split("+")) if modalities else data
    out = out or Path("data") / data.name
    data.save(out, split=None if split_seed is None else data.split(seed=split_seed), overwrite=overwrite)
    print(f"{out}: {_describe(data)}")


def check(path: str) -> None:
    """Verify a data set: checksums where it has them, pixels, labels, pairs and the split; exit status 2 if it fails.

    Args:
        path: a prepared folder, a folder of images, or scenes.
    """
    from discom import data as sets
    from discom.data.prepared import is_prepared, verify

    compared = verify(path) if is_prepared(path) else 0
    data = sets.load(path)
    split = data.split()
    print(f"{path}: {_describe(data)}")
    print(f"checksums compared: {compared}")
    for part, held in zip(split._fields, split, strict=True):
        counts = [int((held.labels == k).sum()) for k in range(len(data.classes))]
        print(f"{part:>5}: {len(held)} samples, by class {dict(zip(data.classes, counts, strict=True))}")


def picture(path: str, out: Path = Path("pairs.png"), columns: int = 9) -> None:
    """Draw a grid of pairs, the class counts and the pixel values as three PNG files.

    Args:
        path: a prepared folder, a folder of images, or scenes.
        out: the grid's file, such as pairs.png; the others get -classes and -values before the ending.
        columns: how many scenes are shown.
    """
    from discom import data as sets
    from discom import plots

    if columns < 1:
        raise ConfigError(f"--columns: {columns} scenes cannot be drawn; use 1 or more")
    _check_picture(out)
    plots.style()
    data = sets.load(path)
    drawn = {"": plots.pairs(data, columns), "-classes": plots.class_counts(data.split()._asdict()),
             "-values": plots.values(data)}  # fmt: skip
    for end, figure in drawn.items():
        file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
        figure.savefig(file)
        print(file)


def train(
    data: str = "scenes",
    method: str = "discom",
    profile: str = "cpu",
    seed: int = 0,
    runs: Path = Path("runs"),
    modalities: str | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Train one method on one data set; a run that is done is shown, one that was cut off goes on.

    Args:
        data: scenes, scenes:n=600, a prepared folder, or a folder of images.
        method: one of the registered names.
        profile: tiny (seconds), cpu (a minute or two on two cores) or paper (the full protocol, for a GPU).
        seed: of split, weights and batches.
        runs: the folder that holds all runs.
        modalities: which ones to use, such as rgb+elevation; all by default.
        settings: changes to the profile.
    """
    from discom import data as sets
    from discom import methods
    from discom.runs import Run
    from discom.training import fit

    config = make_config(profile, seed, settings or {})
    chosen = methods.get(method)
    held = sets.load(data)
    held = held.select(modalities.split("+")) if modalities else held
    folder = Run.of(runs, chosen, held, config).folder
    result = fit(chosen, held.split(seed=seed), config, folder)
    print(folder)
    for name, scores in result.scores.items():
        print(f"{name}: F1 {scores['f1']:.1f}, accuracy {scores['accuracy']:.1f}, best epoch {scores['best_epoch']}")


def make_config(name: str, seed: int, settings: dict[str, Any]) -> Config:
    """A profile with a seed and the settings that were given."""
    return profile(name, seed=seed, **{key: value for key, value in settings.items() if value is not None})


def show(path: Path, out: Path | None = None, collect: Path | None = None) -> None:
    """Show a run (scores, curves, confusion) or compare all runs of a folder (means and paired differences).

    Args:
        path: a run's folder, a folder of runs, or a JSON file of collected results.
        out: where to draw; for a run, curves and (with -confusion before the ending) the confusion; for several, the
            paired differences of discom.
        collect: write every result of a folder of runs into this one JSON file.
    """
    import pandas as pd

    from discom import experiments, plots
    from discom.runs import Result, read_metrics

    if out:
        _check_picture(out)
    if (path / "config.json").is_file():
        result = Result.read(path / "result.json")
        print(f"{result.method} on {result.data}, seed {result.seed}: {result.seconds:.0f} s,"
              f" {result.pairs_per_second:.0f} samples/s, {result.peak_memory_mb:.0f} MB")  # fmt: skip
        print(pd.DataFrame(result.scores).T.to_string(float_format="{:.2f}".format))
        results = [result]
        figures = {"": lambda: plots.curves(read_metrics(path / "metrics.csv")),
                   "-confusion": lambda: plots.confusions(path / "predictions.npz")}  # fmt: skip
    else:
        results = experiments.load_results(path)
        table = experiments.summary(results)
        print(f"{experiments.to_markdown(table)}\n\n{experiments.cost_to_markdown(results)}")
        figures = {"": lambda: plots.differences(table, "discom", experiments.BASELINES)}
    if collect:
        experiments.collect(results, collect)
    if out:
        plots.style()
        for end, draw in figures.items():
            file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
            draw().savefig(file)
            print(file)


def reproduce(notebooks: Path = Path("notebooks"), profile: str = "cpu", out: Path = Path("build/notebooks")) -> None:
    """Run every notebook in order with papermill on the embedded data; one line each, exit status 1 when one fails.

    Args:
        notebooks: the folder that holds NN_….ipynb.
        profile: tiny, cpu or paper.
        out: where the executed copies go.
    """
    from discom.reproduce import run_notebooks

    if not run_notebooks(notebooks, profile, out):
        sys.exit(1)


def _check_picture(file: Path) -> None:
    if file.suffix not in ("", ".png", ".pdf", ".svg"):
        raise ConfigError(f"--out: '{file}' ends in {file.suffix}; pictures are .png, .pdf or .svg")


def _describe(data) -> str:
    sizes = ", ".join(f"{name} {'×'.join(map(str, m.x.shape))}" for name, m in data.modalities.items())
    return f"{len(data)} samples in {len(data.classes)} classes, {len(data.paired_ids)} complete pairs; {sizes}"


EXAMPLES = {
    "data prepare": """  discom data prepare scenes --out data/scenes
  discom data prepare hls --root RAW --out data/hls --modalities rgb+elevation
  discom data prepare folders --root my_images --out data/mine --split_seed 0""",
    "data check": "  discom data check data/scenes",
    "data show": "  discom data show data/scenes --out pairs.png",
    "train": """  discom train --data scenes --method discom --profile cpu --seed 0 --runs runs
  discom train --data data/hls --method discom-solo --epochs 25
  discom train --data scenes --options '{"modality_targets": "released"}'
  discom train --config run.yaml        (the file holds what flags say, such as  data: scenes)""",
    "show": """  discom show runs/scenes/discom/0-0123456789 --out curves.png
  discom show runs --collect results/mine.json""",
    "reproduce": "  discom reproduce --profile tiny",
}
COMMANDS = {"train": train, "show": show, "reproduce": reproduce}
DATA_COMMANDS = {"prepare": prepare, "check": check, "show": picture}
# Every setting of Config but the seed, none of them required: what is not given stays as the profile has it.
SETTINGS = dataclasses.make_dataclass(
    "Settings", [(f.name, f.type | None, None) for f in dataclasses.fields(Config) if f.name != "seed"]
)
SETTINGS.__doc__ = Config.__doc__.replace("the defaults are the paper's protocol", "what is not given is the profile's")


class _Help(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Examples keep their lines."""


class _Parser(ArgumentParser):
    """Says what is wrong in one line, as an exception, instead of printing its usage and leaving."""

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
    parser.add_function_arguments(function, skip={"settings", "overwrite"}, as_positional=True)
    if function is prepare:
        parser.add_argument("--overwrite", action="store_true", help="replace a folder that this command made before")
    if function is train:
        parser.add_class_arguments(SETTINGS)
    return parser


def make_parser() -> _Parser:
    """The command line; `discom --help` prints it."""
    parser = _Parser(
        prog="discom", description="Cross-modal knowledge distillation without a teacher: data, runs, tables."
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subcommands(dest="command")
    sets = _Parser(description="Prepare, check and look at data.")
    commands.add_subcommand("data", sets, help="prepare, check and look at data")
    subcommands = sets.add_subcommands(dest="data_command")
    for name, function in DATA_COMMANDS.items():
        subcommands.add_subcommand(name, _command(function, f"data {name}"), help=_headline(function))
    for name, function in COMMANDS.items():
        commands.add_subcommand(name, _command(function, name), help=_headline(function))
    return parser


def _call(arguments: Namespace) -> None:
    chosen, name = arguments[arguments["command"]], arguments["command"]
    function = COMMANDS.get(name)
    if name == "data":
        function, chosen = DATA_COMMANDS[chosen["data_command"]], chosen[chosen["data_command"]]
    given = {key: value for key, value in vars(chosen).items() if key != "config"}
    if function is train:
        changes = {f.name: given.pop(f.name) for f in dataclasses.fields(SETTINGS)}
        given["settings"] = changes
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
        print(f"discom: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0
