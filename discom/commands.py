"""What each `discom …` command does; cli.py makes the command line of them."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from discom.config import Config, profile
from discom.errors import ConfigError

__all__ = ["check", "picture", "prepare", "reproduce", "show", "table", "train"]


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
    teacher: Path | None = None,
    as_published: bool = False,
    recompute: bool = False,
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
        teacher: folder of a finished run of teacher, for a method that is taught; the one with the same settings by
            default, which is trained first if need be.
        as_published: use the options with which the DisCoM-KD authors' own code ran the method.
        recompute: train again where a result is there but damaged.
        settings: changes to the profile.
    """
    from discom import methods
    from discom.runs import Run
    from discom.sweep import Source
    from discom.sweep import train as train_run

    chosen, source = methods.get(method), Source(data, modalities)
    config = make_config(profile, seed, settings or {})
    if as_published:
        config = dataclasses.replace(config, options={**chosen.published, **config.options})
    methods.build(chosen, source.load(), config)  # refuses settings that do not fit before a teacher is trained
    run = Run.of(runs, chosen, source.load(), config, teacher)
    for needed in (run.teacher, run) if isinstance(run.teacher, Run) else (run,):
        result = train_run(needed, source, recompute=recompute, progress=True)
    print(run.folder)
    for name, scores in result.scores.items():
        print(f"{name}: F1 {scores['f1']:.1f}, accuracy {scores['accuracy']:.1f}, best epoch {scores['best_epoch']}")


def table(
    number: int,
    data: str = "scenes",
    profile: str = "cpu",
    seeds: int = 5,
    teacher: str | None = None,
    runs: Path = Path("runs"),
    modalities: str | None = None,
    engine: str = "local",
    workers: int = 0,
    address: str | None = None,
    as_published: bool = False,
    recompute: bool = False,
    dry_run: bool = False,
    out: Path | None = None,
    collect: Path | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Table 1 (cross-modal) or 2 (multi-modal) of the paper with its missing controls: train what is missing, print it.

    A run that fails does not stop the others and is listed at the end (exit status 1); the same command goes on where
    it stopped, and several of them share one folder of runs.

    Args:
        number: 1 or 2.
        data: scenes, a prepared folder, or a folder of images.
        profile: tiny, cpu or paper.
        seeds: how many, from 0 on.
        teacher: the modality of Table 1's teacher; the data's first by default.
        runs: the folder that holds all runs.
        modalities: which ones to use, such as rgb+elevation; all by default.
        engine: local (processes of this machine) or ray (cores or GPUs of this machine, or a cluster).
        workers: runs side by side; 0 lets the engine choose.
        address: of a Ray cluster.
        as_published: use the options with which the DisCoM-KD authors' own code ran each method.
        recompute: train again the runs whose result is damaged.
        dry_run: say what is missing and how long it takes, and stop.
        out: write FILE.txt, .md, .csv, .tex and .png.
        collect: write the results into this one JSON file.
        settings: changes to the profile.
    """
    from discom import experiments, methods, sweep, tables
    from discom.runs import Result, Run

    if seeds < 1:
        raise ConfigError(f"--seeds: {seeds} runs make no table; use 1 or more, 5 where a claim is made")
    source, runner = sweep.Source(data, modalities), sweep.make_engine(engine, workers, address)
    held = source.load()
    rows = tables.paper_rows(number, list(held.modalities), teacher, as_published)
    changes = settings or {}
    wanted = [
        Run.of(runs, methods.get(name), held, make_config(profile, seed, {**changes, "options": options}))
        for seed in range(seeds)
        for name, options in rows
    ]
    absent, _ = sweep.missing(wanted, recompute=recompute)
    minutes = sweep.estimate(absent, held) / 60
    print(f"{len(wanted)} runs, {len(absent)} of them to train: some {minutes:.0f} minutes on this machine", flush=True)
    if dry_run:
        return
    failed = sweep.sweep(wanted, source, runner, recompute=recompute)
    if results := [Result.read(run.folder / "result.json") for run in wanted if run.folder not in failed]:
        _publish(tables.paper_table(results, number, teacher, as_published), out)
        if collect:
            experiments.collect(results, collect)
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    if failed:
        sys.exit(1)


def _publish(made, out: Path | None) -> None:
    """Print a table, and write it in every form."""
    from discom import plots, tables
    from discom.experiments import BASELINES

    print(tables.to_text(made))
    if out:
        plots.style()
        picture = Path(f"{out}.png")
        files = [*tables.write(made, out), picture]
        plots.intervals(made, BASELINES).savefig(picture)
        print(*files, sep="\n")


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

    from discom import experiments, plots, tables
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
        compared = experiments.summary(results)
        print(f"{tables.to_markdown(compared)}\n\n{tables.cost_to_markdown(results)}")
        figures = {"": lambda: plots.differences(compared, "discom", experiments.BASELINES)}
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
