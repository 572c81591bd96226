"""`discom train`, `table` and the other commands on runs. Modules such as discom.plots are loaded
when a function reads them, so that help is quick."""

import runpy
import sys
import warnings
from collections import Counter
from itertools import product
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

from click import Choice, IntRange, argument, option

import discom
from discom.cli import flags
from discom.cli.data import draw
from discom.cli.flags import command
from discom.errors import ConfigError

SCENES = {False: "scenes:", True: "scenes-dense:"}  # what dense methods and others take unasked


@command(
    flags.DATA,
    option(
        "--method",
        default="discom",
        help="Such as student; for pixels single; or a class of yours, mine.py:Mine.",
    ),
    option("--seed", type=flags.SEED, default=0, help="Of the split, weights and batches."),
    option("--options", **flags.JSON, help="Of the method, such as '{\"grl_lambda\": 0.5}'."),
    *flags.TRAINING,
)
def train(asked: Namespace) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    \b
    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    from discom.running import sweep
    from discom.running.runs import Run

    method, own = discom.methods.get(asked.method), {"seed": asked.seed, "options": asked.options}
    config = discom.profile(asked.profile, dense=method.dense, **own, **asked.settings)
    data = asked.data or SCENES[method.dense]
    images = discom.data.load(data, asked.modalities, asked.seed)
    discom.methods.build(method, images, config)  # refuses a setting before a teacher is trained
    run = Run.of(asked.runs, method, images, config, data, asked.modalities)
    for each in filter(None, (run.teacher, run)):
        sweep.train(each, images, progress=True)
    print(run.folder)
    _show_run(run.folder)


@command(
    argument("number", type=Choice([1, 2, 3, 4, 5, "dense", "crodino"])),
    flags.DATA,
    option("--methods", help="Methods to keep, such as student,discom  [default: all]"),
    option("--seeds", type=IntRange(1), help="Number of seeds  [default: 5, on scenes 10]"),
    option("--folds", type=IntRange(2), help="Test every image once, in so many parts."),
    flags.WORKERS,
    option(
        "--backend",
        type=Choice(["loky", "dask"]),
        default="loky",
        help="loky: processes on this machine; or dask.",
    ),
    flags.DRY_RUN,
    option("--out", help="Write the table as OUT.md and OUT.csv, and OUT.png."),
    option("--collect", type=flags.PATH, help="Add the results to this .csv and its .json."),
    *flags.TRAINING,
)
def table(asked: Namespace) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 what separates
    them; dense: all methods of segmentation; crodino: ideas of our CroDiNo-KD switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    \b
    discom table 2 --data hls --methods student,discom,mdico --dry-run
    """
    from discom.running import sweep

    tables, number, out = discom.tables, asked.number, asked.out
    asked.data = asked.data or SCENES[isinstance(number, str)]
    runs, known = _plan(asked), tables.collected(asked.collect)
    absent, _ = sweep.missing(runs, known)
    print(f"{len(runs)} runs, {len(absent)} to train with their teachers", flush=True)
    if asked.dry_run:
        return True
    how = {"workers": asked.workers, "backend": asked.backend}
    results, failed = sweep.sweep(runs, known=known, **how)
    if number == 4:
        results += _readings(results, known, asked)
    if results and not (asked.folds and failed):  # of a score of all folds together
        baselines = tables.baselines(number)
        sensors = discom.data.planned(asked.data, asked.modalities)(None).modalities
        rows = tables.paper_table(results, number, [*sensors])
        print(tables.to_markdown(rows, baselines))
        if asked.collect:
            tables.collect(results, asked.collect)
        if out:
            print(*tables.write(rows, out, baselines), sep="\n")
        if out and rows[[f"vs {name}" for name in baselines]].notna().any(axis=None):
            draw(Path(f"{out}.png"), lambda: discom.plots.intervals(rows, baselines))
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def _plan(asked: Namespace) -> list[Any]:
    """The runs of a table."""
    from discom.data.splitting import warn_ungrouped
    from discom.running.runs import Run

    tables, methods, runs, folds = discom.tables, discom.methods, [], asked.folds or 0
    kept = [methods.get(name.strip()) for name in asked.methods.split(",")] if asked.methods else []
    images_of = discom.data.planned(asked.data, asked.modalities)
    rows = tables.paper_rows(asked.number, [*images_of(1).modalities])
    if absent := [each.name for each in kept if each.name not in {row.method for row in rows}]:
        raise ConfigError("--methods", f"table {asked.number} has no {absent[0]}", "leave it out")
    usual = tables.SEEDS if images_of(1).origin_at(1).drawn == 1 else tables.FEW
    if folds and asked.number == 4:
        raise ConfigError("--folds", "table 4 reads parts of embeddings", "leave it out")
    if folds and images_of(0).drawn:
        way_out = "leave it out, or prepare them: discom data prepare"
        raise ConfigError("--folds", "scenes are drawn anew for each seed", way_out)
    if folds:
        warn_ungrouped(images_of(0))
    seeds = range(asked.seeds or (1 if folds else usual))
    for seed, row, fold in product(seeds, rows, range(folds or 1)):
        method, options = methods.get(row.method), {"options": row.options, **asked.settings}
        if (asked.seeds is None and seed >= row.seeds) or (kept and method not in kept):
            continue
        images = images_of(seed)
        config = discom.profile(asked.profile, dense=method.dense, seed=seed, **options)
        if error := methods.misfit(method, images, config):
            warnings.warn(f"left out: {error}", stacklevel=2)
        else:
            place = asked.runs, method, images, config, asked.data, asked.modalities
            runs.append(Run.of(*place, folds, fold))
    if not runs:
        raise ConfigError("--methods", "no run of the table is left", "keep at least one")
    return runs


def _readings(results: list[Any], known: list[Any], asked: Namespace) -> list[Any]:
    """What table 4 reads from the parts of each run: from its weights here, or as it is known."""
    from discom.inspection import readings

    found: list[Any] = []
    for result in results:
        folder = result.folder(asked.runs)
        read = [each for each in known if each.hash == result.hash and each.label != result.label]
        if (folder / "result.json").exists() or not read:
            images = discom.data.load(asked.data, asked.modalities, result.drawn)
            read = readings(folder, images.split(*result.parts))
        found += read
    return found


@command(argument("path", type=flags.PATH))
def show(asked: Namespace) -> None:
    """Show a run (its scores, also of each class), or compare all runs of a folder or table."""
    tables, path = discom.tables, asked.path
    if (path / "config.json").is_file():
        scores, file = _show_run(path), path / "predictions.npz"
        for name, text in tables.by_class(file, scores).items() if file.exists() else ():
            print(f"\n{name}: each true class, and what it was taken for in %\n{text}")
        return
    whole = _whole(tables.load_results(path))
    for metric, number in (("f1", 2), ("miou", "dense")):
        if chosen := [result for result in whole if result.metric == metric]:
            baselines = tables.baselines(number)[:3]
            print(tables.to_markdown(tables.summary(chosen, baselines), baselines), end="\n\n")


def _show_run(path: Path) -> dict[str, Any]:
    """Print what a run cost and its scores, which are returned."""
    import pandas as pd

    (run,) = discom.tables.load_results(path)
    cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s"
    print(f"{run.method} on {run.data}, seed {run.seed}: {cost}, {run.peak_memory_mb:.0f} MB")
    scores = pd.DataFrame(run.scores).T
    scores = scores[[name for name in scores if "/" not in name]]  # those stand by class
    print(scores.to_string(float_format="{:.2f}".format))
    return run.scores


def _whole(results: list[Any]) -> list[Any]:
    """Without folds of which others are missing, such as learning rates that `advise` tried."""
    runs = [discom.files.digest([run.digest, run.method, run.config]) for run in results]
    count = Counter(runs)
    whole = [run for run, own in zip(results, runs, strict=True) if count[own] >= run.folds]
    if left_out := len(results) - len(whole):
        warnings.warn(f"runs left out, whose other folds are missing: {left_out}", stacklevel=2)
    return whole


@command(
    argument("path", type=flags.PATH),
    option("--data", help="Name or folder  [default: the run's]"),
    option("--modality", help="Network to write: rgb, rgb+depth  [default: the only one]"),
    flags.MODALITIES,
    option("--out", type=flags.PATH, default="exported", help="Folder to write."),
    flags.OVERWRITE,
)
def export(asked: Namespace) -> None:
    """Write one trained network as ONNX with its contract, after a check on the test part."""
    tables, out, files = discom.tables, asked.out, sorted(asked.path.rglob("result.json"))
    result, *others = tables.load_results(asked.path)
    if others or not files:
        raise ConfigError(asked.path, "is not the folder of one run", "name that folder")
    images = discom.data.load(asked.data or result.data, asked.modalities, result.drawn)
    where = files[0].parent, images.split(*result.parts), asked.modality, out
    model = discom.deployment.export(*where, overwrite=asked.overwrite)
    before, after = result.main[model.contract.network], model.scores[result.metric]
    score = f"{tables.METRICS[result.metric]} on the test part"
    print(f"{out}: {model.parameters:,} parameters, {model.bytes:,} bytes")
    print(f"{score}: the run {before:.2f}, model.onnx {after:.2f};", end=" ")
    print(f"logits of {model.images} images differ by {model.difference:.1e} at most")


@command(
    argument("model", type=flags.PATH),
    argument("files", type=flags.PATH, nargs=-1, required=True),
    option("--out", type=flags.PATH, help="CSV to write  [default: the screen]"),
)
def predict(asked: Namespace) -> None:
    """Name the class of images by an exported network alone.

    MODEL is the folder that discom export wrote, or its model.onnx. A network of several sensors
    reads pairs, FILES/<sensor>/<name>.
    """
    from discom import prediction

    answers = prediction.predict(discom.deployment.load(asked.model), asked.files)
    if asked.out:
        with discom.files.atomic_file(asked.out) as part:
            answers.to_csv(part, index=False)
        print(f"{asked.out}: {len(answers)} images")
    else:
        print(answers.to_csv(index=False), end="")


@command(
    option("--profile", default="cpu", help="tiny, cpu or paper."),
    option("--only", help="Notebooks by their numbers, such as 02,07  [default: all]"),
    option("--workers", type=IntRange(0), default=2, help="Notebooks side by side; 0: one a core."),
    option("--out", type=flags.PATH, default="build/notebooks", help="Folder to write."),
)
def reproduce(asked: Namespace) -> bool:
    """Execute every notebook into a folder with an index page; a stopped batch continues."""
    notebooks, only = Path("notebooks"), asked.only.split(",") if asked.only else []
    if not (notebooks / "batch.py").is_file():
        raise ConfigError(notebooks, "no such folder with discom's notebooks", "go to its clone")
    run_notebooks = runpy.run_path("notebooks/batch.py")["run_notebooks"]
    return run_notebooks(notebooks, asked.profile, asked.out, asked.workers, only)


COMMANDS = (train, table, show, export, predict, reproduce)
