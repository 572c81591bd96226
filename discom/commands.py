"""`discom train`, `table` and the other commands on runs; discom.cli makes flags of the arguments.
Modules such as discom.plots are loaded when a function reads them, so that help is quick."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import discom
from discom.config import Config, profile
from discom.datasets import Data, Json, Modalities, Overwrite, draw
from discom.errors import ConfigError

__all__ = ["export", "grid", "predict", "probe", "reproduce", "show", "table", "train"]

DataOrScenes = Annotated[str | None, "scenes:n=600, a folder, … (default: scenes or scenes-dense)"]
Profile = Annotated[str, "tiny (seconds), cpu (minutes), paper (the full protocol, for a GPU)"]
Published = Annotated[bool, "the options of the DisCoM-KD authors' own code"]
Seeds = Annotated[int, "how many, counted from 0"]
Runs = Annotated[Path, "the folder that holds all runs"]
Recompute = Annotated[bool, "train again where a result is damaged"]
Collect = Annotated[Path | None, "write all results into this JSON file"]


@dataclass(frozen=True)
class Many:
    """What every command that trains many runs takes."""

    profile: Profile = "cpu"
    seeds: Seeds = 5
    runs: Runs = Path("runs")
    engine: Annotated[str, "local (processes of this machine) or ray"] = "local"
    workers: Annotated[int, "runs side by side; 0 lets the engine choose"] = 0
    address: Annotated[str | None, "of a Ray cluster, such as ray://head:10001"] = None
    recompute: Recompute = False
    dry_run: Annotated[bool, "say what is missing and how long it takes, and stop"] = False
    out: Annotated[Path | None, "write FILE.txt, .md, .csv, .tex and .png"] = None
    collect: Collect = None


def train(
    data: DataOrScenes = None,
    method: Annotated[str, "discom, student, …; crodino, single, … name every pixel"] = "discom",
    profile: Profile = "cpu",
    seed: Annotated[int, "of split, weights and batches"] = 0,
    runs: Runs = Path("runs"),
    modalities: Modalities = None,
    teacher: Annotated[Path | None, "a finished run of teacher (default: trained first)"] = None,
    options: Annotated[Json | None, "of the method: '{\"grl_lambda\": 0.5}'"] = None,
    as_published: Published = False,
    recompute: Recompute = False,
    **settings: Any,
) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    discom train --data scenes --method discom --profile cpu --seed 0
    discom train --data scenes --method kdv2 --options '{"teacher": "rgb"}'
    """
    chosen = discom.methods.get(method)
    data = data or ("scenes-dense" if chosen.dense else "scenes")
    images = discom.data.load(data, modalities)
    settings["options"] = {**(chosen.published if as_published else {}), **(options or {})}
    config = discom.profile(profile, dense=chosen.dense, seed=seed, **settings)
    discom.methods.build(chosen, images, config)  # refuses a setting before a teacher is trained
    run = discom.runs.Run.of(runs, chosen, images, config, teacher)
    for each in [run.teacher, run] if isinstance(run.teacher, discom.runs.Run) else [run]:
        result = discom.sweep.train(each, data, modalities, recompute=recompute, progress=True)
    if discom.machine.rank() == 0:  # of the processes that train the run
        print(run.folder)
        for name, scores in result.scores.items():
            score = f"{discom.tables.METRICS[result.metric]} {scores[result.metric]:.1f}"
            rest = f"accuracy {scores['accuracy']:.1f}, best epoch {scores['best_epoch']}"
            print(f"{name}: {score}, {rest}")


def table(
    number: Annotated[int | str, "1 to 5, dense or crodino"],
    many: Many,
    data: DataOrScenes = None,
    modalities: Modalities = None,
    teacher: Annotated[str | None, "the modality of Table 1's (default: the first)"] = None,
    as_published: Published = False,
    **settings: Any,
) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 parts of the embedding; 5 terms that
    separate them; dense: CroDiNo-KD and its competitors; crodino: its ideas switched off. Runs
    that fail are listed at the end (exit status 1); the same command continues where it stopped.

    discom table 2 --data data/hls --seeds 3 --dry-run
    """
    from discom.evaluation import inspection

    tables, dense = discom.tables, discom.tables.is_dense(number)
    data = data or ("scenes-dense" if dense else "scenes")
    images = discom.data.load(data, modalities)
    rows = tables.paper_rows(number, list(images.modalities), teacher, as_published)
    wanted = []
    for seed in range(many.seeds):
        for name, options in rows:
            config = profile(many.profile, dense=dense, seed=seed, options=options, **settings)
            wanted.append(discom.runs.Run.of(many.runs, discom.methods.get(name), images, config))

    def rows_of(results: list, folders: list[Path]):
        for folder, result in zip(folders, list(results), strict=True) if number == 4 else ():
            results += inspection.readings(folder, images.split(seed=result.seed))
        return tables.paper_table(results, number, teacher, as_published)

    baselines, plot = tables.baselines(number), discom.plots.intervals
    return _train(wanted, lambda run: data, many, rows_of, baselines, plot, modalities)


def grid(
    many: Many,
    data: Data = "scenes",
    dials: Annotated[Json | None, 'argument → values (default: {"shared": [0, 0.5, 1]})'] = None,
    methods: Annotated[str | None, "options behind a colon (default: controls)"] = None,
    against: Annotated[str | None, "baselines (default: student,discom-solo or single)"] = None,
    **settings: Any,
) -> bool:
    """Compare methods along dials of the synthetic scenes: when does the other sensor help?

    Every combination of the dials' values is a data set, generated anew for each seed.

    discom grid --dials '{"spurious": [0, 0.6], "labelled": [0.2, 1]}' --methods student,discom
    """
    tables, dense = discom.tables, data.partition(":")[0] == "scenes-dense"
    usual = "single,dense-kdv2,crodino" if dense else "student,kdv2,discom-solo,discom"
    arms = [discom.sweep.arm(text) for text in (methods or usual).split(",")]
    baselines = (against or ("single" if dense else "student,discom-solo")).split(",")
    if absent := set(baselines) - {tables.label(*arm) for arm in arms}:
        raise ConfigError(f"--against: '{absent.pop()}' is not among --methods; add it there")

    def config(seed: int, options: dict[str, Any]) -> Config:
        return profile(many.profile, dense=dense, seed=seed, options=options, **settings)

    wanted, cell_of = {}, {}
    for cell in discom.sweep.cells(data, dials or {"shared": [0, 0.5, 1]}, many.seeds):
        for run in discom.sweep.cell_runs(cell, arms, many.runs, config):
            wanted[run.folder] = run  # a dial may change nothing where another is at rest
            cell_of[run.fingerprint] = cell

    def rows_of(results: list, folders: list[Path]):
        return tables.by_dials(tables.summary(results, baselines))

    runs, plot = list(wanted.values()), discom.plots.gains
    return _train(runs, lambda run: cell_of[run.fingerprint], many, rows_of, baselines, plot)


def _train(runs, data_of, many: Many, rows_of, baselines, plot, modalities=None) -> bool:
    """Train what is missing, then print, write and draw the table; whether no run failed."""
    if not runs:
        raise ConfigError(f"--seeds: {many.seeds} runs make no table; use 1 or more")
    if runs[0].config.devices > 1:
        raise ConfigError("--devices: is for one run, discom train; many runs take --workers")
    sweep, tables = discom.sweep, discom.tables
    where = {"engine": many.engine, "workers": many.workers, "address": many.address}
    workers = sweep.worker_count(**where)
    absent, _ = sweep.missing(runs, recompute=many.recompute)
    seconds = sweep.estimate(absent, discom.data.load(data_of(runs[0]), modalities))
    minutes = seconds / 60 / max(1, min(workers, len(absent)))
    print(f"{len(runs)} runs, {len(absent)} of them to train: ~{minutes:.0f} minutes", flush=True)
    if many.dry_run:
        return True
    where |= {"modalities": modalities, "recompute": many.recompute}
    failed = sweep.sweep(runs, data_of, **where)
    folders = [run.folder for run in runs if run.folder not in failed]
    results = [discom.runs.Result.read(folder / "result.json") for folder in folders]
    if results:
        rows = rows_of(results, folders)
        print(tables.to_text(rows, baselines))
        if many.collect:
            tables.collect(results, many.collect)
        if many.out:
            print(*tables.write(rows, many.out, baselines), sep="\n")
            draw(Path(f"{many.out}.png"), {"": lambda: plot(rows, baselines)})
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    return not failed


def probe(
    path: Annotated[Path, "the folder of a finished run, or of several"],
    data: Data = "scenes",
    modalities: Modalities = None,
    scored: Annotated[bool, "SAP, MIG and DCI as well, half a minute a modality"] = False,
    out: Annotated[Path | None, "write FILE.json and a map, FILE.png"] = None,
) -> None:
    """Measure what the embeddings of finished runs hold: linear probes of every known factor."""
    from discom.evaluation import inspection

    folders = sorted(file.parent for file in path.rglob("result.json"))
    if not folders:
        raise ConfigError(f"{path}: no finished run in it; train one: discom train --runs {path}")
    images, measures = discom.data.load(data, modalities), []
    for folder in folders:
        split = images.split(seed=discom.runs.Result.read(folder / "result.json").seed)
        measures.append(inspection.inspect(folder, split, scored=scored))
    matrices = inspection.mean_matrices(measures)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
    if out:
        discom.files.write_json(out.with_suffix(".json"), measures)
        print(out.with_suffix(".json"))
        mean, chance = next(iter(matrices.values())), measures[0]["chance"]
        draw(out.with_suffix(".png"), {"": lambda: discom.plots.probe_map(mean, chance)})


def show(
    path: Annotated[Path, "a run's folder, a folder of runs, or a JSON file of collected results"],
    out: Annotated[Path | None, "draw a run's curves and confusion, or the differences"] = None,
    collect: Collect = None,
) -> None:
    """Show a run (scores, curves, confusion), or compare all runs of a folder."""
    import pandas as pd

    figures: dict[str, Callable] = {}
    plots, tables = discom.plots, discom.tables
    if (path / "config.json").is_file():
        results = [discom.runs.Result.read(path / "result.json")]
        (run,) = results
        print(f"{run.method} on {run.data}, seed {run.seed}: {run.seconds:.0f} s,", end=" ")
        print(f"{run.pairs_per_second:.0f} samples/s, {run.peak_memory_mb:.0f} MB")
        print(pd.DataFrame(run.scores).T.to_string(float_format="{:.2f}".format))
        figures[""] = lambda: plots.curves(discom.runs.read_metrics(path / "metrics.csv"))
        figures["-confusion"] = lambda: plots.confusions(path / "predictions.npz")
    else:
        results = tables.load_results(path)
        for metric, method, baselines in (
            ("f1", "discom", tables.BASELINES),
            ("miou", "crodino", tables.baselines("dense")[:3]),
        ):
            if chosen := [result for result in results if result.metric == metric]:
                rows, costs = tables.summary(chosen, baselines), tables.cost_to_markdown(chosen)
                print(tables.to_markdown(rows, baselines), costs, sep="\n\n")
                end = "-dense" if figures else ""
                figures[end] = partial(plots.differences, rows, method, baselines)
    if collect:
        tables.collect(results, collect)
    if out:
        draw(out, figures)


def export(
    run: Annotated[Path, "the folder of a finished run, or one with a single run below it"],
    modality: Annotated[str | None, "the sensor (default: the only one)"] = None,
    out: Annotated[Path, "the folder for model.onnx and its contract"] = Path("exported"),
    data: Annotated[str | None, "what the run was trained on (default: as it says)"] = None,
    modalities: Modalities = None,
    overwrite: Overwrite = False,
) -> None:
    """Write one trained branch as ONNX with its contract, after a check on the test part."""
    files = sorted(run.rglob("result.json"))
    if len(files) > 1:
        raise ConfigError(f"{run}: holds {len(files)} runs; name one, such as {files[0].parent}")
    run = files[0].parent if files else run
    result = discom.runs.Result.read(run / "result.json")
    split = discom.data.load(data or result.data, modalities).split(seed=result.seed)
    written = discom.deployment.export(run, split, modality, out, overwrite=overwrite)
    scores = result.f1[written.contract.modality], written.scores["f1"]
    print(f"{out}: {', '.join(sorted(file.name for file in out.iterdir()))}")
    print(f"{written.parameters:,} parameters, {written.bytes:,} bytes")
    print(f"F1 on the test part: the run {scores[0]:.2f}, model.onnx {scores[1]:.2f};", end=" ")
    print(f"logits of {written.images} images differ by {written.difference:.1e} at most")


def predict(
    model: Annotated[Path, "model.onnx, or the folder that discom export wrote"],
    files: Annotated[list[Path], "images, or folders of images"],
    out: Annotated[Path | None, "a .csv file for the answers (default: the screen)"] = None,
) -> None:
    """Name the class of images by an exported branch alone."""
    import pandas as pd

    answers = discom.deployment.predict(
        discom.deployment.load(model), discom.deployment.find_images(files), out
    )
    text = f"{out}: {len(answers)} images\n" if out else pd.DataFrame(answers).to_csv(index=False)
    print(text, end="")


def reproduce(
    notebooks: Annotated[Path, "the folder that holds NN_….ipynb"] = Path("notebooks"),
    profile: Profile = "cpu",
    data: Annotated[str | None, "what they run on (default: the profile's scenes)"] = None,
    seeds: Seeds = 1,
    only: Annotated[str | None, "beginnings of names, such as 03,07 (default: all)"] = None,
    workers: Annotated[int, "notebooks side by side"] = 2,
    again: Annotated[bool, "begin a new folder instead of continuing the last one"] = False,
    out: Annotated[Path, "holds the dated folders"] = Path("build/notebooks"),
) -> bool:
    """Execute every notebook into a dated folder with an index page; a stopped batch continues."""
    how = {"data": data, "seeds": seeds, "only": only, "workers": workers, "again": again}
    return discom.reproduce.run_notebooks(notebooks, profile, out, **how)
