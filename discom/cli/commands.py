"""`discom train`, `table` and the other commands on runs. Modules such as discom.plots are loaded
when a function reads them, so that help is quick."""

import runpy
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import discom
from discom.cli.data import draw, intervals, reader
from discom.config import profile
from discom.errors import ConfigError

SCENES = {False: "scenes:", True: "scenes-dense:"}  # what dense methods and others take unasked


def train(flags: Namespace) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    from discom.running import sweep
    from discom.running.runs import Run

    method = discom.methods.get(flags.method)
    config = profile(flags.profile, dense=method.dense, **flags.settings)
    data = flags.data or SCENES[method.dense]
    images = reader(data, flags.modalities)(flags.seed)
    discom.methods.build(method, images, config)  # refuses a setting before a teacher is trained
    run = Run.of(flags.runs, method, images, config, data, flags.modalities)
    for each in filter(None, (run.teacher, run)):
        sweep.train(each, images, progress=True)
    print(run.folder)
    show(Namespace(path=run.folder, out=None, collect=None), classes=False)


def table(flags: Namespace) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 what separates
    them; dense: all methods of segmentation; crodino: ideas of our CroDiNo-KD switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    discom table 2 --data hls --methods student,discom,mdico --dry-run
    """
    from discom import inspection
    from discom.running import sweep

    tables, number = discom.tables, flags.number
    data = flags.data or SCENES[isinstance(number, str)]
    images_of = reader(data, flags.modalities)
    planned = discom.data.planned(data, flags.modalities)
    runs = _plan(flags, data, planned)
    known = tables.collected(flags.collect)
    absent, _ = sweep.missing(runs, known)
    print(f"{len(runs)} runs, {len(absent)} to train with their teachers", flush=True)
    if flags.dry_run:
        return True
    after = inspection.write_probes if number == 5 else None
    engine = {"workers": flags.workers, "backend": flags.backend}
    results, failed = sweep.sweep(runs, known=known, after=after, **engine)
    for result in list(results) if number == 4 else ():
        here = (result.folder(flags.runs) / "result.json").exists()
        read = [each for each in known if each.hash == result.hash and each.label != result.label]
        if here or not read:  # else what was committed stands for the weights
            split = images_of(result.drawn).split(*result.parts)
            read = inspection.readings(result.folder(flags.runs), split)
        results += read
    if results and not (flags.folds and failed):  # of a score of all folds together
        baselines, sensors = tables.baselines(number), [*planned(None).modalities]
        rows = tables.paper_table(results, number, sensors)
        print(tables.to_markdown(rows, baselines))
        if flags.collect:
            tables.collect(results, flags.collect)
        if flags.out:
            print(*tables.write(rows, flags.out, baselines), sep="\n")
            draw(Path(f"{flags.out}.png"), intervals("", rows, baselines))
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def _plan(flags: Namespace, data: str, images_of: Callable) -> list[Any]:
    """The runs of a table."""
    from discom.running.runs import Run

    tables, methods, runs = discom.tables, discom.methods, []
    names = flags.methods.split(",") if flags.methods else []
    kept = [methods.get(name.strip()) for name in names]
    sensors, usual = [*images_of(1).modalities], images_of(1).origin_at(1).drawn == 1
    rows = tables.paper_rows(flags.number, sensors)
    seeds = flags.seeds or (1 if flags.folds else tables.SEEDS if usual else tables.FEW)
    folds = range(flags.folds or 1)
    if flags.folds:
        _check_folds(flags, images_of, range(seeds))
    for seed, row, fold in product(range(seeds), rows, folds):
        method, options = methods.get(row.method), {"options": row.options, **flags.settings}
        if (flags.seeds is None and seed >= row.seeds) or (kept and method not in kept):
            continue
        images = images_of(seed)
        config = profile(flags.profile, dense=method.dense, seed=seed, **options)
        if methods.lacks_labels(method, images, config):
            left_out = f"{method.name}: left out, it needs the label of every sample"
            warnings.warn(left_out, stacklevel=2)
        else:
            place = flags.runs, method, images, config, data, flags.modalities
            runs.append(Run.of(*place, flags.folds or 0, fold))
    if not runs:
        raise ConfigError("--methods", "no run of the table is left", "keep at least one")
    return runs


def _check_folds(flags: Namespace, images_of: Callable, seeds: range) -> None:
    """Refuse, before a training, what cannot be divided; say once what is divided."""
    from discom.data.splitting import warn_ungrouped

    if flags.number == 4:
        raise ConfigError("--folds", "table 4 reads parts of embeddings", "leave it out")
    if images_of(0).drawn:
        found = "scenes are drawn anew for each seed"
        raise ConfigError("--folds", found, "leave it out, or prepare them: discom data prepare")
    for seed, fold in product(seeds, range(flags.folds)):
        images_of(seed).split_indices(seed, flags.folds, fold)
    warn_ungrouped(images_of(0))


def probe(flags: Namespace) -> None:
    """Measure what the embeddings of finished runs hold.

    Linear probes read every known factor; a linear probe and an MLP read modality and class.

    discom probe results/scenes-table5.json --runs runs
    """
    from tqdm.auto import tqdm

    from discom import inspection
    from discom.running.runs import Result

    path, out, methods = flags.path, flags.out, discom.methods
    if out:
        draw(out, {})  # refuses a wrong name before the work
    runs = [(each.parent, Result.read(each)) for each in sorted(path.rglob("result.json"))]
    if not runs:  # a file of collected results, or a path with none
        runs = [(each.folder(flags.runs), each) for each in discom.tables.load_results(path)]
    # others have no embedding; what Table 4 reads of a run is no run
    known = [n for n in methods.names() if methods.get(n).embed is not methods.Method.embed]
    runs = sorted((run for run in runs if run[1].method in known), key=lambda run: run[1].seed)
    if not runs:
        found = "no finished run of a method with an embedding"
        raise ConfigError(path, found, f"train one: discom train --runs {path}")
    file = out.with_suffix(".json") if out else None
    measured = inspection.read_probes([folder for folder, _ in runs], file)
    images_of = reader(flags.data or SCENES[False], flags.modalities)
    for folder, run in tqdm(runs, unit="run", leave=False):
        if run.hash not in measured:
            split = images_of(run.drawn).split(*run.parts)
            measured[run.hash] = inspection.inspect(folder, split)
    measures = [measured[run.hash] for _, run in runs]
    matrices = inspection.mean_matrices(measures)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
        scores = inspection.part_scores(each for each in measures if each["method"] == name)
        means = scores.groupby(["modality", "part"], sort=False).mean(numeric_only=True)
        print(f"{means.drop(columns='seed').round(1).to_string(na_rep='')}\n")
    if out and file:
        discom.files.write_json(file, measures)
        print(file)
        shown = matrices.get("discom", next(iter(matrices.values())))
        draw(out, {"": partial(discom.plots.probe_map, shown, measures[0]["chance"])})


def show(flags: Namespace, classes: bool = True) -> None:
    """Show a run (scores, also of each class; curves), or compare all runs of a folder."""
    import pandas as pd

    from discom.running.runs import read_metrics

    plots, tables, path = discom.plots, discom.tables, flags.path
    results, figures = tables.load_results(path), dict[str, Callable]()
    if (path / "config.json").is_file():
        (run,) = results
        cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s"
        print(f"{run.method} on {run.data}, seed {run.seed}: {cost}, {run.peak_memory_mb:.0f} MB")
        scores = pd.DataFrame(run.scores).T
        scores = scores[[name for name in scores if "/" not in name]]  # those stand by class
        print(scores.to_string(float_format="{:.2f}".format))
        file = path / "predictions.npz"
        texts = tables.by_class(file, run.scores) if classes and file.exists() else {}
        for name, text in texts.items():
            print(f"\n{name}: each true class, and what it was taken for in %\n{text}")
        figures[""] = lambda: plots.curves(read_metrics(path / "metrics.csv"))
    else:
        whole = _whole(results)
        for metric, number in (("f1", 2), ("miou", "dense")):
            if chosen := [result for result in whole if result.metric == metric]:
                baselines = tables.baselines(number)[:3]
                rows = tables.summary(chosen, baselines)
                print(tables.to_markdown(rows, baselines), end="\n\n")
                figures |= intervals("-dense" if figures else "", rows, baselines)
    if flags.collect:
        tables.collect(results, flags.collect)
    if flags.out:
        draw(flags.out, figures)


def _whole(results: list[Any]) -> list[Any]:
    """Without folds of which others are missing, such as learning rates that `advise` tried."""
    runs = [discom.files.digest([run.digest, run.method, run.config]) for run in results]
    count = Counter(runs)
    whole = [run for run, own in zip(results, runs, strict=True) if count[own] >= run.folds]
    if left_out := len(results) - len(whole):
        warnings.warn(f"runs left out, whose other folds are missing: {left_out}", stacklevel=2)
    return whole


def export(flags: Namespace) -> None:
    """Write one trained network as ONNX with its contract, after a check on the test part."""
    tables, files = discom.tables, sorted(flags.path.rglob("result.json"))
    result, *others = tables.load_results(flags.path)
    if others or not files:
        raise ConfigError(flags.path, "is not the folder of one run", "name that folder")
    images = reader(flags.data or result.data, flags.modalities)(result.drawn)
    where = files[0].parent, images.split(*result.parts), flags.modality, flags.out
    model = discom.deployment.export(*where, overwrite=flags.overwrite)
    before, after = result.main[model.contract.network], model.scores[result.metric]
    score = f"{tables.METRICS[result.metric]} on the test part"
    print(f"{flags.out}: {model.parameters:,} parameters, {model.bytes:,} bytes")
    print(f"{score}: the run {before:.2f}, model.onnx {after:.2f};", end=" ")
    print(f"logits of {model.images} images differ by {model.difference:.1e} at most")


def predict(flags: Namespace) -> None:
    """Name the class of images by an exported network alone.

    A network of several sensors reads pairs, FILES/<sensor>/<name>.
    """
    from discom import prediction

    model = discom.deployment.load(flags.model)
    if flags.out:
        with discom.files.atomic_file(flags.out) as part:
            answers = prediction.predict(model, flags.files)
            answers.to_csv(part, index=False)
        print(f"{flags.out}: {len(answers)} images")
    else:
        print(prediction.predict(model, flags.files).to_csv(index=False), end="")


def reproduce(flags: Namespace) -> bool:
    """Execute every notebook into a folder with an index page; a stopped batch continues."""
    notebooks = Path("notebooks")
    if not (notebooks / "batch.py").is_file():
        raise ConfigError(notebooks, "no such folder with discom's notebooks", "go to its clone")
    run_notebooks = runpy.run_path("notebooks/batch.py")["run_notebooks"]
    only = [] if flags.only is None else flags.only.split(",")
    return run_notebooks(notebooks, flags.profile, flags.out, flags.workers, only)
