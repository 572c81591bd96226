"""`discom train`, `table` and the other commands on runs. Modules such as discom.plots are loaded
when a function reads them, so that help is quick."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

from tqdm.auto import tqdm

import discom
from discom.cli.data import check_picture, draw
from discom.config import Config, profile
from discom.errors import ConfigError, DiscomError, RunError


def train(flags: Namespace) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    from discom.running import sweep
    from discom.running.runs import Run

    method = discom.methods.get(flags.method)
    data = flags.data or ("scenes-dense" if method.dense else "scenes")
    images = _images_of(data, flags.modalities)(flags.seed)
    options = {**(method.published if flags.as_published else {}), **(flags.options or {})}
    config = _config(flags, method.dense, flags.seed, options)
    discom.methods.build(method, images, config)  # refuses a setting before a teacher is trained
    run = Run.of(flags.runs, method, images, config)
    for each in filter(None, (run.teacher, run)):
        sweep.train(each, data, flags.modalities, progress=True)
    if discom.hardware.rank() == 0:  # of the processes that train the run
        print(run.folder)
        _show_run(run.folder)


def table(flags: Namespace) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 what separates
    them; dense: all methods of segmentation; crodino: ideas of our CroDiNo-KD switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    discom table 2 --data hls --methods student,discom,mdico --dry-run
    """
    from discom.evaluation import inspection
    from discom.running import sweep
    from discom.running.runs import Result, Run

    tables = discom.tables
    key = int(flags.number) if flags.number.isdigit() else flags.number
    dense, how, runs = tables.is_dense(key), (flags.teacher, flags.as_published), []
    data = flags.data or ("scenes-dense" if dense else "scenes")
    images_of, given = _images_of(data, flags.modalities), flags.seeds
    kept = [discom.methods.get(name).name for name in (flags.methods or "").split(",") if name]
    left_out: set[str] = set()
    most = tables.FEW if discom.data.at_seed(data, 0) == data else tables.SEEDS
    for seed in range(most if given is None else given):
        images = images_of(seed)
        for row in tables.paper_rows(key, list(images.modalities), *how):
            if (given is None and seed >= row.seeds) or (kept and row.method not in kept):
                continue
            config = _config(flags, dense, seed, row.options)
            method = discom.methods.get(row.method)
            hidden = config.labelled < 1 or (images.labels == discom.data.checks.UNLABELLED).any()
            if method.every_label and hidden:
                left_out.add(row.method)
                continue
            runs.append(Run.of(flags.runs, method, images, config))
    for name in sorted(left_out):
        print(f"{name}: left out, it needs the label of every sample", file=sys.stderr)
    if not runs:
        raise ConfigError("--seeds, --methods: no run of the table is left; keep at least one")
    if runs[0].config.devices > 1:
        raise ConfigError("--devices: works with discom train alone; use --workers here")
    absent, _ = sweep.missing(runs)
    print(f"{len(runs)} runs, {len(absent)} to train with their teachers", flush=True)
    if flags.dry_run:
        return True
    names = ("modalities", "engine", "workers", "address")
    failed = sweep.sweep(runs, data, **{name: getattr(flags, name) for name in names})
    folders = [run.folder for run in runs if run.folder not in failed]
    results = [Result.read(folder / "result.json") for folder in folders]
    if key == 4:
        for folder, result in zip(folders, list(results), strict=True):
            split = images_of(result.seed).split(seed=result.seed)
            results += inspection.readings(folder, split)
    if results:
        rows = tables.paper_table(results, key, *how, list(images.modalities))
        baselines = tables.baselines(key)
        print(tables.to_markdown(rows, baselines))
        if flags.collect:
            tables.collect(results, flags.collect)
        if flags.out:
            print(*tables.write(rows, flags.out, baselines), sep="\n")
            draw(Path(f"{flags.out}.png"), _intervals("", rows, baselines))
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def _intervals(end: str, rows: Any, baselines: Sequence[str]) -> dict[str, Callable]:
    """The figure of a table, for `draw`; none where no row is compared with a baseline."""
    if rows[[f"vs {name}" for name in baselines]].notna().any(axis=None):
        return {end: partial(discom.plots.intervals, rows, baselines)}
    print(f"no picture: no method shares a seed with {', '.join(baselines)}")
    return {}


def _images_of(data: str, modalities: str | None) -> Callable[[int], Any]:
    """A function of a seed: the data `at_seed`. What is the same for all seeds is read once."""
    load = lru_cache(maxsize=1)(discom.data.load)
    return lambda seed: load(discom.data.at_seed(data, seed), modalities)


def _config(flags: Namespace, dense: bool, seed: int, options: Mapping[str, Any]) -> Config:
    """The profile's settings, and those that flags change."""
    given = {field.name: getattr(flags, field.name, None) for field in fields(Config)}
    given |= {"seed": seed, "options": options}
    changes = {name: value for name, value in given.items() if value is not None}
    return profile(flags.profile, dense=dense, **changes)


def advise(flags: Namespace) -> None:
    """Should you train with your second sensor? Trains both ways on your pairs, and answers.

    Each sensor alone (student, simclr) and with the other (kdv2, nt-xent), with three seeds
    and twice the profile's epochs, since few labels take longer to learn. Images without a label
    are used, too. The same command continues where it stopped.

    discom advise my_images --labelled 0.2
    """
    from discom import advice
    from discom.running import sweep
    from discom.running.runs import Result

    images_of = _images_of(flags.data, flags.modalities)
    config = _config(flags, False, 0, {})
    if flags.epochs is None:
        config = replace(config, epochs=2 * config.epochs)

    def trained(runs: Sequence[Any]) -> list[Any]:
        failed = sweep.sweep(runs, flags.data, modalities=flags.modalities, workers=flags.workers)
        if failed:
            raise RunError(next(iter(failed.values())))
        return [Result.read(run.folder / "result.json") for run in runs]

    rate = flags.learning_rate
    rates = advice.RATES if rate is None else (rate,)
    planned = advice.plan(images_of, config, rates, flags.seeds, flags.runs)
    if rate is None:
        tried = [run for runs in planned.values() for run in runs if run.method == "student"]
        rate = advice.best_rate(trained(tried))
    results = trained(planned[rate])
    print(discom.tables.to_markdown(discom.tables.summary(results, ["student"]), ["student"]))
    print("", *(answer.text for answer in advice.answers(results)), sep="\n")
    if flags.collect:
        discom.tables.collect(results, flags.collect)


def probe(flags: Namespace) -> None:
    """Measure what the embeddings of finished runs hold.

    Linear probes read every known factor; a linear probe and an MLP read modality and class.

    discom probe results/scenes-table5.json --runs runs
    """
    from discom.evaluation import inspection
    from discom.running import sweep
    from discom.running.runs import Result

    path, out = flags.path, flags.out
    if out:
        check_picture(out)
    if path.is_file():
        results = [(each.folder(flags.runs), each) for each in discom.tables.load_results(path)]
    else:
        files = sorted(path.rglob("result.json"))
        results = [(file.parent, Result.read(file)) for file in files]
    methods, base = discom.methods, discom.methods.Method
    known = [name for name in methods.names() if methods.get(name).embed is not base.embed]
    # others have no embedding, and what Table 4 reads of a run is no run
    seeds = {folder: each.seed for folder, each in results if each.method in known}
    if not seeds:
        reason = "no finished run of a method with an embedding"
        raise ConfigError(f"{path}: {reason}; train one: discom train --runs {path}")
    source = flags.data or "scenes", flags.modalities
    ordered = sorted(seeds.items(), key=itemgetter(1))  # the data of a seed are read once
    jobs = [partial(_inspect, folder, seed, *source) for folder, seed in ordered]
    count = min(len(jobs), sweep.worker_count(workers=flags.workers))
    measures = sweep.spread(jobs, count, "generator")
    measures = list(tqdm(measures, "runs", len(jobs), unit="run", leave=False))
    matrices, readers = inspection.mean_matrices(measures), inspection.reader_tables(measures)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
        print(f"{readers[name].round(1).to_string(na_rep='')}\n")
    if out:
        discom.files.write_json(out.with_suffix(".json"), measures)
        print(out.with_suffix(".json"))
        shown = matrices.get("discom", next(iter(matrices.values())))
        figures = {"": partial(discom.plots.probe_map, shown, measures[0]["chance"])}
        draw(out, figures | {"-separation": partial(discom.plots.separation, measures)})


def _inspect(folder: Path, seed: int, data: str, modalities: str | None) -> dict[str, Any]:
    """`inspect` of one run, in a process that may have read its data already."""
    from discom.evaluation import inspection

    images = _load(discom.data.at_seed(data, seed), modalities)
    try:
        return inspection.inspect(folder, images.split(seed=seed))
    except DiscomError as error:
        raise type(error)(f"{folder}: {error}") from None


@lru_cache(maxsize=1)
def _load(data: str, modalities: str | None) -> Any:
    return discom.data.load(data, modalities)


def show(flags: Namespace) -> None:
    """Show a run (scores, curves, confusion), or compare all runs of a folder."""
    from discom.running.runs import read_metrics

    plots, tables = discom.plots, discom.tables
    figures: dict[str, Callable] = {}
    if (flags.path / "config.json").is_file():
        results = [_show_run(flags.path)]
        figures[""] = lambda: plots.curves(read_metrics(flags.path / "metrics.csv"))
        figures["-confusion"] = partial(plots.confusions, flags.path / "predictions.npz")
    else:
        results = tables.load_results(flags.path)
        for metric in ("f1", "miou"):
            if chosen := [result for result in results if result.metric == metric]:
                baselines = tables.baselines(2 if metric == "f1" else "dense")[:3]
                rows = tables.summary(chosen, baselines)
                print(tables.to_markdown(rows, baselines), end="\n\n")
                print(tables.cost_to_markdown(chosen))
                figures |= _intervals("-dense" if figures else "", rows, baselines)
    if flags.collect:
        tables.collect(results, flags.collect)
    if flags.out:
        draw(flags.out, figures)


def _show_run(folder: Path):
    """Print the scores and the cost of a run."""
    import pandas as pd

    from discom.running.runs import Result

    run = Result.read(folder / "result.json")
    cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s, {run.peak_memory_mb:.0f} MB"
    print(f"{run.method} on {run.data}, seed {run.seed}: {cost}")
    print(pd.DataFrame(run.scores).T.to_string(float_format="{:.2f}".format))
    return run


def export(flags: Namespace) -> None:
    """Write one trained branch as ONNX with its contract, after a check on the test part."""
    from discom.running.runs import Result

    folder, out = flags.path, flags.out
    files = sorted(folder.rglob("result.json"))
    if len(files) > 1:
        raise ConfigError(f"{folder}: holds {len(files)} runs; name one: {files[0].parent}")
    folder = files[0].parent if files else folder
    result = Result.read(folder / "result.json")
    images = _images_of(flags.data or result.data, flags.modalities)(result.seed)
    split, where = images.split(seed=result.seed), (flags.modality, out)
    model = discom.deployment.export(folder, split, *where, overwrite=flags.overwrite)
    before, after = result.main[model.contract.modality], model.scores[result.metric]
    score = discom.tables.METRICS[result.metric]
    print(f"{out}: {model.parameters:,} parameters, {model.bytes:,} bytes")
    print(f"{score} on the test part: the run {before:.2f}, model.onnx {after:.2f};", end=" ")
    print(f"logits of {model.images} images differ by {model.difference:.1e} at most")


def predict(flags: Namespace) -> None:
    """Name the class of images, or of each of their pixels, by an exported branch alone.

    Of pixels: an image of any size is read in tiles, and its map is a TIFF in the folder --out, in
    the same place where the image is a GeoTIFF.
    """
    from discom.data.images import find_images

    model, images = discom.deployment.load(flags.model), find_images(flags.files)
    if model.contract.stride or flags.tile:
        maps = discom.deployment.segment_files(model, images, flags.out, flags.tile or 256)
        for file, (height, width) in maps:
            print(f"{file}: {height}×{width} pixels")
        return
    if flags.out and flags.out.suffix != ".csv":
        raise ConfigError(f"--out: {flags.out} is not a .csv file; try answers.csv")
    answers = discom.deployment.predict(model, images)
    if not flags.out:
        print(answers.to_csv(index=False), end="")
        return
    with discom.files.atomic_file(flags.out) as part:
        answers.to_csv(part, index=False)
    print(f"{flags.out}: {len(answers)} images")


def reproduce(flags: Namespace) -> bool:
    """Execute every notebook into a folder with an index page; a stopped batch continues."""
    return discom.cli.reproduce.run_notebooks(**vars(flags))
