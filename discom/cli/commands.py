"""`discom train`, `table` and the other commands on runs. Modules such as discom.plots are loaded
when a function reads them, so that help is quick."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import discom
from discom.cli.data import check_picture, draw, intervals, reader, settings
from discom.errors import ConfigError, RunError

SCENES = {False: "scenes:", True: "scenes-dense:"}  # what dense methods and others take unasked


def train(flags: Namespace) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    from discom.running import sweep
    from discom.running.runs import Run

    method = discom.methods.get(flags.method)
    data = flags.data or SCENES[method.dense]
    images = reader(data, flags.modalities)(flags.seed)
    options = {**(method.published if flags.as_published else {}), **(flags.options or {})}
    config = settings(flags, method.dense, flags.seed, options)
    discom.methods.build(method, images, config)  # refuses a setting before a teacher is trained
    run = Run.of(flags.runs, method, images, config, data, flags.modalities)
    for each in filter(None, (run.teacher, run)):
        sweep.train(each, images, progress=True)
    if discom.hardware.rank() == 0:  # of the processes that train the run
        print(run.folder)
        show(Namespace(path=run.folder, out=None, collect=None))


def table(flags: Namespace) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 what separates
    them; dense: all methods of segmentation; crodino: ideas of our CroDiNo-KD switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    discom table 2 --data hls --methods student,discom,mdico --dry-run
    """
    from discom import inspection
    from discom.running import sweep

    tables = discom.tables
    number = int(flags.number) if flags.number.isdigit() else flags.number
    data = flags.data or SCENES[tables.is_dense(number)]
    images_of = reader(data, flags.modalities)
    runs = _plan(flags, number, data, images_of)
    known = tables.load_results(flags.collect) if flags.collect and flags.collect.exists() else []
    absent, _ = sweep.missing(runs, known)
    print(f"{len(runs)} runs, {len(absent)} to train with their teachers", flush=True)
    if flags.dry_run:
        return True
    where = {name: getattr(flags, name) for name in ("engine", "workers", "address")}
    after = inspection.write_probes if number == 5 else None
    results, failed = sweep.sweep(runs, known=known, after=after, **where)
    for result in list(results) if number == 4 else ():
        read = [each for each in known if each.hash == result.hash and each.label != result.label]
        if not read:  # else what was committed stands for the weights
            split = images_of(result.seed).split(seed=result.seed)
            read = inspection.readings(result.folder(flags.runs), split)
        results += read
    if results:
        baselines, images = tables.baselines(number), images_of(results[-1].seed)
        sensors = list(images.modalities)
        how = flags.teacher, flags.as_published
        rows = tables.paper_table(results, number, *how, sensors)
        print(tables.to_markdown(rows, baselines))
        if flags.collect:
            tables.collect(results, flags.collect)
        if flags.out:
            print(*tables.write(rows, flags.out, baselines), sep="\n")
            draw(Path(f"{flags.out}.png"), intervals("", rows, baselines))
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def _plan(flags: Namespace, number: Any, data: str, images_of: Callable) -> list[Any]:
    """The runs of a table."""
    from discom.running.runs import Run

    tables, runs = discom.tables, []
    kept = [discom.methods.get(name).name for name in flags.methods or ()]
    usual = tables.SEEDS if images_of(1).origin_at(1).drawn == 1 else tables.FEW
    for seed in range(flags.seeds or usual):
        images = images_of(seed)
        unlabelled = (images.labels == discom.data.checks.UNLABELLED).any()
        sensors = list(images.modalities)
        for row in tables.paper_rows(number, sensors, flags.teacher, flags.as_published):
            if (flags.seeds is None and seed >= row.seeds) or (kept and row.method not in kept):
                continue
            config = settings(flags, tables.is_dense(number), seed, row.options)
            method = discom.methods.get(row.method)
            if method.every_label and (config.labelled < 1 or unlabelled):
                left_out = f"{method.name}: left out, it needs the label of every sample"
                warnings.warn(left_out, stacklevel=2)
            else:
                where = data, flags.modalities
                runs.append(Run.of(flags.runs, method, images, config, *where))
    if not runs:
        raise ConfigError("--methods", "no run of the table is left", "keep at least one")
    if runs[0].config.devices > 1:
        raise ConfigError("--devices", "works with discom train alone", "use --workers here")
    return runs


def advise(flags: Namespace) -> None:
    """Should you train with your second sensor? Trains both ways on your pairs, and answers.

    Each sensor alone (student, simclr) and with the other (kdv2, nt-xent), with three seeds
    and twice the profile's epochs, since few labels take longer to learn. Images without a label
    are used, too. The same command continues where it stopped.

    discom advise my_images --labelled 0.2
    """
    from discom import advice
    from discom.running import sweep

    config = settings(flags, False, 0, {})
    if flags.epochs is None:
        config = replace(config, epochs=2 * config.epochs)

    def trained(runs: Sequence[Any]) -> list[Any]:
        results, failed = sweep.sweep(runs, workers=flags.workers)
        if failed:
            raise RunError(next(iter(failed.values())))
        return results

    rate, images_of = flags.learning_rate, reader(flags.data, flags.modalities)
    rates = advice.RATES if rate is None else (rate,)
    where = flags.runs, flags.data, flags.modalities
    planned = advice.plan(images_of, config, rates, flags.seeds, *where)
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
    from tqdm.auto import tqdm

    from discom import inspection
    from discom.running import sweep
    from discom.running.runs import Result

    path, out = flags.path, flags.out
    if out:
        check_picture(out)
    results = [(file.parent, Result.read(file)) for file in sorted(path.rglob("result.json"))]
    if path.is_file():
        results = [(each.folder(flags.runs), each) for each in discom.tables.load_results(path)]
    methods = discom.methods
    known = [n for n in methods.names() if methods.get(n).embed is not methods.Method.embed]
    # others have no embedding; what Table 4 reads of a run is no run
    results = [(folder, each) for folder, each in results if each.method in known]
    if not results:
        found = "no finished run of a method with an embedding"
        raise ConfigError(path, found, f"train one: discom train --runs {path}")
    file = out.with_suffix(".json") if out else None
    measured = inspection.read_probes([folder for folder, _ in results], file)
    seeds: dict[int, list[Path]] = {}  # whose data are read once for all their runs
    for folder, each in results:
        if each.hash not in measured:
            seeds.setdefault(each.seed, []).append(folder)
    source = flags.data or SCENES[False], flags.modalities
    jobs = [partial(_inspect, folders, seed, *source) for seed, folders in sorted(seeds.items())]
    count = max(1, min(len(jobs), sweep.worker_count(workers=flags.workers)))
    each_seed = sweep.spread(jobs, count, "generator") if jobs else ()
    each_seed = tqdm(each_seed, "seeds", len(jobs), unit="seed", leave=False, disable=not jobs)
    measured |= {each["hash"]: each for each in chain.from_iterable(each_seed)}
    measures = [measured[each.hash] for _, each in results]
    matrices = inspection.mean_matrices(measures)
    readers = inspection.mean_matrices(measures, inspection.reader_scores)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
        print(f"{readers[name].round(1).to_string(na_rep='')}\n")
    if out and file:
        discom.files.write_json(file, measures)
        print(file)
        shown = matrices.get("discom", next(iter(matrices.values())))
        figures = {"": partial(discom.plots.probe_map, shown, measures[0]["chance"])}
        draw(out, figures | {"-separation": partial(discom.plots.separation, measures)})


def _inspect(folders: Sequence[Path], seed: int, data: str, modalities: str | None) -> list[Any]:
    """What `inspect` measures of each run of a seed."""
    from discom import inspection

    split = reader(data, modalities)(seed).split(seed=seed)
    return [inspection.inspect(folder, split) for folder in folders]


def show(flags: Namespace) -> None:
    """Show a run (scores, curves, confusion), or compare all runs of a folder."""
    from discom.running.runs import Result, read_metrics

    plots, tables, path = discom.plots, discom.tables, flags.path
    figures: dict[str, Callable] = {}
    if (path / "config.json").is_file():
        results = [Result.read(path / "result.json")]
        _print(results[0])
        figures[""] = lambda: plots.curves(read_metrics(path / "metrics.csv"))
        figures["-confusion"] = partial(plots.confusions, path / "predictions.npz")
    else:
        results = tables.load_results(path)
        for metric, number in (("f1", 2), ("miou", "dense")):
            if chosen := [result for result in results if result.metric == metric]:
                baselines = tables.baselines(number)[:3]
                rows = tables.summary(chosen, baselines)
                print(tables.to_markdown(rows, baselines), end="\n\n")
                print(tables.cost_to_markdown(chosen))
                figures |= intervals("-dense" if figures else "", rows, baselines)
    if flags.collect:
        tables.collect(results, flags.collect)
    if flags.out:
        draw(flags.out, figures)


def _print(run: Any) -> None:
    """The scores and the cost of a run."""
    import pandas as pd

    cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s, {run.peak_memory_mb:.0f} MB"
    print(f"{run.method} on {run.data}, seed {run.seed}: {cost}")
    print(pd.DataFrame(run.scores).T.to_string(float_format="{:.2f}".format))


def export(flags: Namespace) -> None:
    """Write one trained branch as ONNX with its contract, after a check on the test part."""
    from discom.running.runs import Result

    out, files = flags.out, sorted(flags.path.rglob("result.json"))
    if len(files) > 1:
        raise ConfigError(flags.path, f"holds {len(files)} runs", f"name one: {files[0].parent}")
    folder = files[0].parent if files else flags.path
    result = Result.read(folder / "result.json")
    images = reader(flags.data or result.data, flags.modalities)(result.seed)
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

    model, out, images = discom.deployment.load(flags.model), flags.out, find_images(flags.files)
    if model.contract.stride or flags.tile:
        maps = discom.deployment.segment_files(model, images, out, flags.tile or 256)
        for file, (height, width) in maps:
            print(f"{file}: {height}×{width} pixels")
        return
    if out and out.suffix != ".csv":
        raise ConfigError("--out", f"{out} is not a .csv file", "try predictions.csv")
    predictions = discom.deployment.predict(model, images)
    if not out:
        print(predictions.to_csv(index=False), end="")
        return
    with discom.files.atomic_file(out) as part:
        predictions.to_csv(part, index=False)
    print(f"{out}: {len(predictions)} images")


def reproduce(flags: Namespace) -> bool:
    """Execute every notebook into a folder with an index page; a stopped batch continues."""
    from discom.cli.reproduce import run_notebooks

    return run_notebooks(**vars(flags))
