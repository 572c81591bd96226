"""`discom train`, `table` and the other commands on runs. Other modules of the package are loaded
at their first use, so that help is quick."""

from pathlib import Path
from typing import Annotated, Any, Literal

from click import IntRange

import discom
from discom.cli import flags
from discom.cli.flags import command, json_text
from discom.errors import ConfigError, DataError, say

# has the table of what we measured in each situation
GUIDE = "https://discom-kd.github.io/discom/docs/guides/second_sensor.html"
SCENES = {False: "objects:", True: "scenes-dense:"}  # what dense methods and others take unasked


@command
def train(
    data: flags.Data = "",
    method: Annotated[
        str, "Such as student, single; or a class of yours, mine.py:Mine."
    ] = "discom",
    seed: flags.Seed = 0,
    options: Annotated[Any, json_text, "Of the method, such as '{\"grl_lambda\": 0.5}'."] = "{}",
    modalities: flags.Modalities = "",
    everything: Annotated[bool, "Train on all images; no test part is left."] = False,
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Train one method on one data set; a finished run is shown, a stopped one continues.

    \b
    discom train --data objects --method discom --profile cpu --seed 0
    discom train --data objects --method kdv2 --options '{"teacher": "rgb"}'
    """
    from discom.running import sweep
    from discom.running.runs import Run

    kind = discom.methods.get(method)
    config = discom.profile(dense=kind.dense, seed=seed, options=options, **settings)
    source = data or SCENES[kind.dense]
    images = discom.data.load(source, modalities, seed)
    discom.methods.build(kind, images, config)  # refuses a setting before a teacher is trained
    run = Run.of(runs, kind, images, config, source, modalities, int(everything))
    split = images.split(*run.parts)
    for training in filter(None, (run.teacher, run)):
        sweep.train(training, split)
    print(run.folder)
    _show_run(run.folder)


@command
def table(
    number: Literal[1, 2, 3, 4, "dense", "crodino"],
    data: flags.Data = "",
    methods: Annotated[
        Any,
        flags.names,
        "Methods or rows to keep: 'student,discom adv=0', or paper  [default: all]",
    ] = "",
    seeds: Annotated[int | None, IntRange(1), "How many  [default: 5, or 1 with --folds]"] = None,
    folds: Annotated[int | None, IntRange(2), "Test every image once, in so many parts."] = None,
    workers: flags.Workers = 0,
    backend: Annotated[Literal["loky", "dask"], "Processes here, or of Dask."] = "loky",
    dry_run: Annotated[bool, "Say which runs are missing, and stop."] = False,
    collect: Annotated[Path | None, Path, "Add the results to this .csv and its .json."] = None,
    modalities: flags.Modalities = "",
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> bool:
    """Make a table of the paper with the controls it lacks: train what is missing, print it.

    1 cross-modal; 2 multi-modal; 3 terms switched off; 4 the class read from one part of the
    embedding; dense: all methods of segmentation; crodino: ideas of our CroDiNo-KD switched off.
    Runs that fail are listed at the end (exit status 1); the same command continues where it
    stopped.

    \b
    discom table 2 --data hls --methods student,discom,mdico --dry-run
    """
    from discom.running import sweep

    tables, source = discom.tables, data or SCENES[isinstance(number, str)]
    study = tables.Study(source, runs, [number], modalities, methods, seeds, folds or 0, settings)
    known = study.usable(tables.collected(collect))
    absent = study.absent(known)
    print(f"{len(study.every)} runs, {len(absent)} to train with their teachers", flush=True)
    if older := study.of_other_code(known):
        found = f"{older} of its results were made by other code, or by code that is not known"
        say(f"{collect}: {found}; name another file to train them anew")
    if dry_run:
        return True
    results, failed, _ = sweep.sweep(study.every, known=known, workers=workers, backend=backend)
    if results and not (folds and failed):  # of a score of all folds together
        rows = tables.standings(study, number, known)
        print(tables.to_markdown(rows, tables.baselines(number)))
        if collect:
            tables.collect(results, collect)
    for error in failed.values():
        say(f"error: {error}")
    return not failed


@command
def show(path: Path) -> None:
    """Show the scores of a run, or compare all runs of a folder or table."""
    tables = discom.tables
    if (path / "config.json").is_file():
        return _show_run(path)
    if (path / discom.data.MANIFEST).is_file():
        way_out = f"show it with: discom data show {path}"
        raise ConfigError(path, "is a prepared data set, and no run", way_out)
    results = tables.complete(tables.load_results(path))
    for metric, number in (("f1", 2), ("miou", "dense")):
        if chosen := [result for result in results if result.metric == metric]:
            baselines = tables.baselines(number)[:3]
            print(tables.to_markdown(tables.summary(chosen, baselines), baselines), end="\n\n")


def _show_run(path: Path) -> None:
    import pandas as pd

    (run,) = discom.tables.load_results(path)
    cost = f"{run.seconds:.0f} s, {run.pairs_per_second:.0f} samples/s"
    print(f"{run.method} on {run.data}, seed {run.seed}: {cost}, {run.peak_memory_mb:.0f} MB")
    scores = pd.DataFrame(run.scores).T
    scores = scores[[name for name in scores if "/" not in name]]  # those are of a class
    if run.folds == 1:
        print("These are scores of images that it trained on:")
    print(scores.to_string(float_format="{:.2f}".format))


@command
def export(
    path: tuple[Path, ...],
    data: Annotated[str, "As for train  [default: the run's, without arguments]"] = "",
    modality: Annotated[str, "Network to write: rgb, or rgb+depth  [default: the only one]"] = "",
    modalities: flags.Modalities = "",
    out: Annotated[Path, "Folder to write."] = Path("exported"),
    overwrite: flags.Overwrite = False,
) -> None:
    """Write one trained network as ONNX with its contract, after a check on the test part.

    PATH is the folder of a run, or one that holds a single run.
    """
    files = sorted({file for each in path for file in each.rglob("result.json")})
    if len(files) > 1:
        names = [str(file.parent) for file in files[:3]] + ["…"] * (len(files) > 3)
        found = f"there are {len(files)} runs: {', '.join(names)}"
        raise ConfigError("export", found, "name the folder of one")
    run = discom.tables.load_results(path[0] if not files else files[0].parent)[0]
    if not files:
        raise ConfigError(path[0], "is a table of runs", "name the folder of one run")
    images = _data_of(run, data, modalities) if data else _unnamed_data_of(run, modalities)
    where = files[0].parent, images.split(*run.parts), modality, out
    difference = discom.deployment.export(*where, overwrite=overwrite)
    print(f"{out}: on the test part its logits differ from the run's by {difference:.1e} at most")


def _unnamed_data_of(run: Any, modalities: str) -> Any:
    """The data of a run that are found by their name alone; a ConfigError where these are none, or
    others, such as a folder of raw images that is called as the prepared one."""
    try:
        images = _data_of(run, "", modalities)
        if images.drawn or images.origin_at(*run.parts).digest == run.digest:
            return images
        found = f"'{discom.data.locate(run.data)}' here is not what the run was trained on"
    except DataError as error:
        found = str(error)
    way_out, prepared = "name what the run was trained on", discom.data.home() / run.data
    if (prepared / discom.data.MANIFEST).is_file():
        images = _data_of(run, str(prepared), modalities)
        if images.origin_at(*run.parts).digest == run.digest:
            way_out = f"write --data {prepared}"
    raise ConfigError("--data is not given", found, way_out)


def _data_of(run: Any, source: str, modalities: str) -> Any:
    """The data of a run, from `source` if it is given, with the sensors that the run had: a set of
    which only some were taken is called by its name and theirs, "mine-sar". A ConfigError for other
    `modalities` than those."""
    source = source or _source_of(run)
    images = discom.data.load(source, modalities, run.drawn)
    if images.name == run.data:
        return images
    whole = discom.data.load(source, "", run.drawn) if modalities else images
    had = run.data.removeprefix(f"{whole.name}-").split("-")
    if whole.name == run.data:
        raise ConfigError("--modalities", "the run had all sensors", "leave it out")
    if not {*had} <= {*whole.channels}:
        return images  # of another set, or the same one by another name
    if modalities:
        names = "+".join(had)
        raise ConfigError("--modalities", f"the run had {names}", f"write --modalities {names}")
    return whole.select(had)


def _source_of(run: Any) -> str:
    """The name by which the data of a run are found: its own, or that without the last sensors."""
    sensors = {name for network in run.scores for name in network.split("+")}
    name = run.data
    while (folder := discom.data.locate(name)) is not None and not folder.exists():
        start, _, end = name.rpartition("-")
        if not start or end not in sensors:
            break
        name = start
    return name


@command
def predict(model: Path, files: tuple[Path, ...]) -> None:
    """Name the class of images by an exported network alone, as CSV.

    MODEL is the folder that discom export wrote, or its model.onnx. A network of several sensors
    reads pairs, FILES/<sensor>/<name>.
    """
    print(discom.deployment.predict(model, files).to_csv(index=False), end="")


@command
def advise(
    data: str,
    steps: Annotated[int, IntRange(3), "Of each training."] = 500,
    folds: Annotated[int, IntRange(2), "Parts; each is tested once."] = 3,
    seeds: Annotated[int, IntRange(2), "Of parts and weights, and of labels that are hidden."] = 3,
    workers: flags.Workers = 0,
    dry_run: Annotated[bool, "Say how many runs there are and what they can show."] = False,
    modalities: flags.Modalities = "",
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Which sensor alone, both, or one trained with the other? Measures it on your pairs.

    Every image is tested once. The answers come with 95 % intervals and with the commands that
    train and export what is recommended. The same command continues where it stopped.

    \b
    discom advise data/mine --dry-run
    discom advise data/mine
    """
    from discom.running import sweep

    if "epochs" in settings:
        raise ConfigError("--epochs", "advise counts steps", "give --steps")
    advice, images = discom.advice, discom.data.load(data, modalities, 0)
    config = advice.settings(images, **settings)
    study = advice.Asked(images, config, data, modalities, runs, steps, folds, seeds)
    print(study.outlook(), flush=True)
    if dry_run:
        return
    sweep.results(study.every, workers=workers)
    rows = advice.read(study.plan)
    lines, deployed = advice.answers(rows, images, study.few)
    print("", advice.to_markdown(rows, images), "", *lines, sep="\n")
    if grown := advice.longer(advice.read(study.longer), rows, images):
        print(f"Twice as long a training gains: {', '.join(grown)}; ask with --steps {2 * steps}.")
    if not {*images.modalities} <= {*deployed}:
        print(f"Where nothing learned, look at the pairs: discom data show {data}.")
        print(f"Then try: {study.remedy()}.")
    if deployed:
        print("", *study.commands(deployed, settings["name"]), sep="\n")
    print(f"\nWhat we measured in each situation: {GUIDE}")
