"""`discom train`, `show` and `reproduce`."""

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import Any

from discom.commands.shared import check_picture, make_config

__all__ = ["reproduce", "show", "train"]


def train(
    data: str | None = None,
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
        data: scenes, scenes:n=600, a prepared folder, or a folder of images; scenes by default, and
            for a method of dense prediction scenes-dense.
        method: discom, student, kdv2 and so on; crodino, single, dense-kdv2 and so on name a class
        for every pixel.
        profile: tiny (seconds), cpu (a minute or two on two cores) or paper (the full protocol, for
            a GPU; of dense prediction one of ours).
        seed: of split, weights and batches.
        runs: the folder that holds all runs.
        modalities: which ones to use, such as rgb+elevation; all by default.
        teacher: folder of a finished run of teacher, for a method that is taught; the one with the
            same settings by default, which is trained first if need be.
        as_published: use the options with which the DisCoM-KD authors' own code ran the method.
        recompute: train again where a result is there but damaged.
        settings: changes to the profile.
    """
    from discom import data as sets
    from discom import devices, methods, shares
    from discom.runs import Run
    from discom.sweep import train as train_run
    from discom.tables.statistics import METRICS

    chosen = methods.get(method)
    data = data or ("scenes-dense" if chosen.dense else "scenes")
    images = sets.load(data, modalities)
    given = {key: value for key, value in (settings or {}).items() if value is not None}
    config = make_config(profile, seed, {"devices": devices.started(), **given}, chosen.dense)
    if as_published:
        config = dataclasses.replace(config, options={**chosen.published, **config.options})
    methods.build(
        chosen, images, config
    )  # refuses settings that do not fit before a teacher is trained
    run = Run.of(runs, chosen, images, config, teacher)
    for needed in (run.teacher, run) if isinstance(run.teacher, Run) else (run,):
        result = train_run(needed, data, modalities, recompute=recompute, progress=True)
    if shares.rank():  # the first process tells
        return
    print(run.folder)
    for name, scores in result.scores.items():
        main = f"{METRICS[result.metric]} {scores[result.metric]:.1f}"
        print(
            f"{name}: {main}, accuracy {scores['accuracy']:.1f}, best epoch {scores['best_epoch']}"
        )


def show(path: Path, out: Path | None = None, collect: Path | None = None) -> None:
    """Show a run (scores, curves, confusion) or compare all runs of a folder (means and paired
    differences).

    Args:
        path: a run's folder, a folder of runs, or a JSON file of collected results.
        out: where to draw; for a run, curves and (with -confusion before the ending) the confusion;
            for several, the paired differences of discom.
        collect: write every result of a folder of runs into this one JSON file.
    """
    import pandas as pd

    from discom import plots, tables
    from discom.runs import Result, read_metrics

    if out:
        check_picture(out)
    if (path / "config.json").is_file():
        result = Result.read(path / "result.json")
        print(f"{result.method} on {result.data}, seed {result.seed}: {result.seconds:.0f} s,"
              f" {result.pairs_per_second:.0f} samples/s, {result.peak_memory_mb:.0f} MB")  # fmt: skip
        print(pd.DataFrame(result.scores).T.to_string(float_format="{:.2f}".format))
        results = [result]
        figures = {"": lambda: plots.curves(read_metrics(path / "metrics.csv")),
                   "-confusion": lambda: plots.confusions(path / "predictions.npz")}  # fmt: skip
    else:
        results = tables.load_results(path)
        figures = {}
        for metric, end, method, baselines in (
            ("f1", "", "discom", tables.BASELINES),
            ("miou", "-dense", "crodino", tables.baselines("dense")[:3]),
        ):
            if some := [result for result in results if result.metric == metric]:
                compared = tables.summary(some, baselines)
                print(
                    f"{tables.to_markdown(compared, baselines)}\n\n{tables.cost_to_markdown(some)}"
                )
                figures[end if figures else ""] = partial(
                    plots.differences, compared, method, baselines
                )
    if collect:
        tables.collect(results, collect)
    if out:
        plots.style()
        for end, draw in figures.items():
            file = out.with_name(f"{out.stem}{end}{out.suffix or '.png'}")
            draw().savefig(file)
            print(file)


def reproduce(
    notebooks: Path = Path("notebooks"),
    profile: str = "cpu",
    data: str | None = None,
    seeds: int = 1,
    only: str | None = None,
    workers: int = 2,
    again: bool = False,
    out: Path = Path("build/notebooks"),
) -> None:
    """Execute every notebook into one dated folder with an index page; the same command goes on
    where it stopped.

    A notebook that fails does not stop the others (exit status 1). The newest folder of the same
    profile, data, seeds and package is gone on with: what is missing, failed or was changed is
    executed. Of other data than the package's own only names and folders are compared, so use
    --again when their content has changed.

    Args:
        notebooks: the folder that holds NN_….ipynb.
        profile: tiny, cpu or paper.
        data: scenes, scenes:n=600, a prepared folder, or a folder of images; the profile's scenes
            by default. A notebook that needs scenes is skipped on other data, and says so.
        seeds: how many times each notebook is executed, with seeds from 0 on.
        only: the beginnings of the wanted notebooks' names, such as 03,07; all by default.
        workers: notebooks side by side.
        again: begin a new folder.
        out: the folder that holds the dated ones.
    """
    from discom.reproduce import run_notebooks

    if not run_notebooks(
        notebooks, profile, out, data=data, seeds=seeds, only=only, workers=workers, again=again
    ):
        sys.exit(1)
