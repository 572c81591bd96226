"""`discom train`, `table` and the other commands on runs. Modules such as discom.plots are loaded
when a function reads them, so that help is quick."""

import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import discom
from discom.config import Config, profile
from discom.datasets import draw
from discom.errors import ConfigError

__all__ = ["export", "grid", "predict", "probe", "reproduce", "show", "table", "train"]


def train(flags: Namespace) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    method = discom.methods.get(flags.method)
    data = flags.data or ("scenes-dense" if method.dense else "scenes")
    images = discom.data.load(data, flags.modalities)
    options = {**(method.published if flags.as_published else {}), **(flags.options or {})}
    settings = {**flags.settings, "seed": flags.seed, "options": options}
    config = profile(flags.profile, dense=method.dense, **settings)
    discom.methods.build(method, images, config)  # refuses a setting before a teacher is trained
    run = discom.runs.Run.of(flags.runs, method, images, config)
    for each in filter(None, (run.teacher, run)):
        discom.sweep.train(each, data, flags.modalities, recompute=flags.recompute, progress=True)
    if discom.machine.rank() == 0:  # of the processes that train the run
        print(run.folder)
        _show_run(run.folder)


def table(flags: Namespace) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 terms that
    separate them; dense: CroDiNo-KD and its competitors; crodino: its ideas switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    discom table 2 --data data/hls --seeds 3 --dry-run
    """
    from discom.evaluation import inspection

    key = int(flags.number) if flags.number.isdigit() else flags.number
    tables, dense = discom.tables, discom.tables.is_dense(key)
    data = flags.data or ("scenes-dense" if dense else "scenes")
    images = discom.data.load(data, flags.modalities)
    how, runs = (flags.teacher, flags.as_published), []
    for seed in range(flags.seeds):
        for name, options in tables.paper_rows(key, list(images.modalities), *how):
            config = profile(
                flags.profile, dense=dense, seed=seed, options=options, **flags.settings
            )
            runs.append(discom.runs.Run.of(flags.runs, discom.methods.get(name), images, config))

    def rows_of(results: list, folders: list[Path]):
        for folder, result in zip(folders, list(results), strict=True) if key == 4 else ():
            results += inspection.readings(folder, images.split(seed=result.seed))
        return tables.paper_table(results, key, *how)

    baselines, plot = tables.baselines(key), discom.plots.intervals
    return _train(runs, lambda run: data, flags, rows_of, baselines, plot)


def grid(flags: Namespace) -> bool:
    """Compare methods along dials of the synthetic scenes: when does the other sensor help?

    Every combination of the dials' values is a data set, generated anew for each seed.

    discom grid --dials '{"spurious": [0, 0.6], "labelled": [0.2, 1]}' --methods student,discom
    """
    data, tables = flags.data or "scenes", discom.tables
    dense = data.partition(":")[0] == "scenes-dense"
    usual = "single,dense-kdv2,crodino" if dense else "student,kdv2,discom-solo,discom"
    arms = [discom.sweep.arm(text) for text in (flags.methods or usual).split(",")]
    baselines = (flags.against or ("single" if dense else "student,discom-solo")).split(",")
    if absent := set(baselines) - {tables.label(*arm) for arm in arms}:
        raise ConfigError(f"--against: '{absent.pop()}' is not among --methods; add it there")

    def config(seed: int, options: dict[str, Any]) -> Config:
        return profile(flags.profile, dense=dense, seed=seed, options=options, **flags.settings)

    runs, cell_of = {}, {}
    for cell in discom.sweep.cells(data, flags.dials or {"shared": [0, 0.5, 1]}, flags.seeds):
        for run in discom.sweep.cell_runs(cell, arms, flags.runs, config):
            runs[run.folder] = run  # a dial may change nothing where another is at rest
            cell_of[run.fingerprint] = cell

    def rows_of(results: list, folders: list[Path]):
        return tables.by_dials(tables.summary(results, baselines))

    def data_of(run) -> str:
        return cell_of[run.fingerprint]

    return _train(list(runs.values()), data_of, flags, rows_of, baselines, discom.plots.gains)


def _train(runs, data_of, flags: Namespace, rows_of, baselines, plot) -> bool:
    """Train what is missing, then print, write and draw the table; whether no run failed."""
    if not runs:
        raise ConfigError(f"--seeds: {flags.seeds} runs make no table; use 1 or more")
    if runs[0].config.devices > 1:
        raise ConfigError("--devices: is for one run, discom train; many runs take --workers")
    modalities = getattr(flags, "modalities", None)  # a grid takes all
    sweep, tables = discom.sweep, discom.tables
    where = {"engine": flags.engine, "workers": flags.workers, "address": flags.address}
    workers = sweep.worker_count(**where)
    absent, _ = sweep.missing(runs, recompute=flags.recompute)
    seconds = sweep.estimate(absent, discom.data.load(data_of(runs[0]), modalities))
    minutes = seconds / 60 / max(1, min(workers, len(absent)))
    print(f"{len(runs)} runs, {len(absent)} of them to train: ~{minutes:.0f} minutes", flush=True)
    if flags.dry_run:
        return True
    where |= {"modalities": modalities, "recompute": flags.recompute}
    failed = sweep.sweep(runs, data_of, **where)
    folders = [run.folder for run in runs if run.folder not in failed]
    results = [discom.runs.Result.read(folder / "result.json") for folder in folders]
    if results:
        rows = rows_of(results, folders)
        print(tables.to_markdown(rows, baselines))
        if flags.collect:
            tables.collect(results, flags.collect)
        if flags.out:
            print(*tables.write(rows, flags.out, baselines), sep="\n")
            draw(Path(f"{flags.out}.png"), {"": partial(plot, rows, baselines)})
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def probe(flags: Namespace) -> None:
    """Measure what the embeddings of finished runs hold: linear probes of every known factor."""
    from discom.evaluation import inspection

    path, out = flags.path, flags.out
    folders = sorted(file.parent for file in path.rglob("result.json"))
    if not folders:
        raise ConfigError(f"{path}: no finished run in it; train one: discom train --runs {path}")
    images, measures = discom.data.load(flags.data or "scenes", flags.modalities), []
    for folder in folders:
        split = images.split(seed=discom.runs.Result.read(folder / "result.json").seed)
        measures.append(inspection.inspect(folder, split))
    matrices = inspection.mean_matrices(measures)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
    if out:
        discom.files.write_json(out.with_suffix(".json"), measures)
        print(out.with_suffix(".json"))
        mean, chance = next(iter(matrices.values())), measures[0]["chance"]
        draw(out.with_suffix(".png"), {"": partial(discom.plots.probe_map, mean, chance)})


def show(flags: Namespace) -> None:
    """Show a run (scores, curves, confusion), or compare all runs of a folder."""
    plots, tables = discom.plots, discom.tables
    figures: dict[str, Callable] = {}
    if (flags.path / "config.json").is_file():
        results = [_show_run(flags.path)]
        figures[""] = lambda: plots.curves(discom.runs.read_metrics(flags.path / "metrics.csv"))
        figures["-confusion"] = partial(plots.confusions, flags.path / "predictions.npz")
    else:
        results = tables.load_results(flags.path)
        for metric, method in (("f1", "discom"), ("miou", "crodino")):
            if chosen := [result for result in results if result.metric == metric]:
                baselines = tables.baselines(2 if metric == "f1" else "dense")[:3]
                rows = tables.summary(chosen, baselines)
                print(tables.to_markdown(rows, baselines), end="\n\n")
                print(tables.cost_to_markdown(chosen))
                end = "-dense" if figures else ""
                rows = rows[rows["method"] == method]
                figures[end] = partial(plots.intervals, rows, baselines)
    if flags.collect:
        tables.collect(results, flags.collect)
    if flags.out:
        draw(flags.out, figures)


def _show_run(folder: Path):
    """Print the scores and the cost of a run."""
    import pandas as pd

    run = discom.runs.Result.read(folder / "result.json")
    cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s, {run.peak_memory_mb:.0f} MB"
    print(f"{run.method} on {run.data}, seed {run.seed}: {cost}")
    print(pd.DataFrame(run.scores).T.to_string(float_format="{:.2f}".format))
    return run


def export(flags: Namespace) -> None:
    """Write one trained branch as ONNX with its contract, after a check on the test part."""
    folder, out = flags.path, flags.out
    files = sorted(folder.rglob("result.json"))
    if len(files) > 1:
        example = f"name one, such as {files[0].parent}"
        raise ConfigError(f"{folder}: holds {len(files)} runs; {example}")
    folder = files[0].parent if files else folder
    result = discom.runs.Result.read(folder / "result.json")
    images = discom.data.load(flags.data or result.data, flags.modalities)
    split, where = images.split(seed=result.seed), (flags.modality, out)
    model = discom.deployment.export(folder, split, *where, overwrite=flags.overwrite)
    before, after = result.f1[model.contract.modality], model.scores["f1"]
    print(f"{out}: {model.parameters:,} parameters, {model.bytes:,} bytes")
    print(f"F1 on the test part: the run {before:.2f}, model.onnx {after:.2f};", end=" ")
    print(f"logits of {model.images} images differ by {model.difference:.1e} at most")


def predict(flags: Namespace) -> None:
    """Name the class of images by an exported branch alone."""
    import pandas as pd

    model, images = discom.deployment.load(flags.model), discom.deployment.find_images(flags.files)
    answers = discom.deployment.predict(model, images, flags.out)
    if flags.out:
        print(f"{flags.out}: {len(answers)} images")
    else:
        print(pd.DataFrame(answers).to_csv(index=False), end="")


def reproduce(flags: Namespace) -> bool:
    """Execute every notebook into a dated folder with an index page; a stopped batch continues."""
    names = ("data", "seeds", "only", "workers", "again")
    how = {name: getattr(flags, name) for name in names}
    return discom.reproduce.run_notebooks(flags.notebooks, flags.profile, flags.out, **how)
