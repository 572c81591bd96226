"""`discom table`, `grid` and `probe`: many runs, and what they say together."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from discom.commands.shared import check_picture, make_config
from discom.errors import ConfigError

__all__ = ["grid", "probe", "table"]


def table(
    number: int | str,
    data: str | None = None,
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
    """A table of the paper with its missing controls: train what is missing, print it.

    1 is the cross-modal one, 2 the multi-modal one, 3 switches terms off, 4 reads the parts of the
    embedding, and 5, ours, adds terms that separate them. dense compares CroDiNo-KD with its
    competitors where every pixel has a class, training seconds beside; crodino switches its ideas
    off one by one. A run that fails does not stop the others and is listed at the end (exit status
    1); the same command goes on where it stopped, and several of them share one folder of runs.

    Args:
        number: 1 to 5, dense or crodino.
        data: scenes, a prepared folder, or a folder of images; scenes by default, scenes-dense for
        dense and crodino.
        profile: tiny, cpu or paper (of dense prediction, a protocol of ours).
        seeds: how many, from 0 on.
        teacher: the modality of Table 1's teacher; the data's first by default.
        runs: the folder that holds all runs.
        modalities: which ones to use, such as rgb+elevation; all by default.
        engine: local (processes of this machine) or ray (cores or GPUs of this machine, or a
        cluster).
        workers: runs side by side; 0 lets the engine choose.
        address: of a Ray cluster.
        as_published: use the options with which the DisCoM-KD authors' own code ran each method.
        recompute: train again the runs whose result is damaged.
        dry_run: say what is missing and how long it takes, and stop.
        out: write FILE.txt, .md, .csv, .tex and .png.
        collect: write the results into this one JSON file.
        settings: changes to the profile.
    """
    from discom import methods, plots, sweep, tables
    from discom.evaluation import inspection
    from discom.runs import Run

    _check_seeds(seeds)
    dense = tables.is_dense(number)
    source = sweep.Source(data or ("scenes-dense" if dense else "scenes"), modalities)
    runner = sweep.make_engine(engine, workers, address)
    held = source.load()
    if held.parts is not None:
        print(f"{held.name}: every seed takes the one split that came with the data")
    rows = tables.paper_rows(number, list(held.modalities), teacher, as_published)
    changes = settings or {}
    wanted = [
        Run.of(
            runs,
            methods.get(name),
            held,
            make_config(profile, seed, {**changes, "options": options}, dense),
        )
        for seed in range(seeds)
        for name, options in rows
    ]

    def report(done: list[Run], results: list) -> None:
        if number == 4:
            splits = {seed: held.split(seed=seed) for seed in range(seeds)}
            results += [
                part
                for run in done
                for part in inspection.readings(run.folder, splits[run.config.seed])
            ]
        against = tables.baselines(number)
        made = tables.paper_table(results, number, teacher, as_published)
        _publish(made, against, out, lambda: plots.intervals(made, against))
        if collect:
            tables.collect(results, collect)

    _train(wanted, source, runner, report, recompute=recompute, dry_run=dry_run)


def grid(
    data: str = "scenes",
    dials: str = '{"shared": [0, 0.5, 1]}',
    methods: str | None = None,
    against: str | None = None,
    profile: str = "cpu",
    seeds: int = 5,
    runs: Path = Path("runs"),
    engine: str = "local",
    workers: int = 0,
    address: str | None = None,
    recompute: bool = False,
    dry_run: bool = False,
    out: Path | None = None,
    collect: Path | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Methods along dials of the drawn scenes: when does the other modality help?

    Every combination of the dials' values is a data set, drawn anew with each run's seed. What is
    missing is trained; the paired differences are printed and drawn, over one dial as a curve and
    over two as a map.

    Args:
        data: scenes or scenes-dense, with arguments that stay as they are, such as scenes:n=2200.
        dials: JSON, argument of the scenes → its values, such as '{"spurious": [0, 0.6], "shared":
        [0.5, 1]}'.
        methods: names with commas between, options after a colon:
            student,discom,discom:pairing=paired. By default student,kdv2,discom-solo,discom, and
            for scenes-dense single,dense-kdv2,crodino.
        against: the baselines among them; by default student,discom-solo or single.
        profile: tiny, cpu or paper.
        seeds: how many, from 0 on.
        runs: the folder that holds all runs.
        engine: local (processes of this machine) or ray (cores or GPUs of this machine, or a
        cluster).
        workers: runs side by side; 0 lets the engine choose.
        address: of a Ray cluster.
        recompute: train again the runs whose result is damaged.
        dry_run: say what is missing and how long it takes, and stop.
        out: write FILE.txt, .md, .csv, .tex and .png.
        collect: write the results into this one JSON file.
        settings: changes to the profile.
    """
    from discom import plots, sweep, tables
    from discom.methods import get

    _check_seeds(seeds)
    dense = data.partition(":")[0] == "scenes-dense"
    methods = methods or (
        "single,dense-kdv2,crodino" if dense else "student,kdv2,discom-solo,discom"
    )
    against = against or ("single" if dense else "student,discom-solo")
    try:
        turned = json.loads(dials)
    except ValueError:
        raise ConfigError(
            f"--dials: {dials} is no JSON; write e.g. '{{\"shared\": [0, 0.5, 1]}}'"
        ) from None
    arms, baselines = [sweep.arm(text) for text in methods.split(",")], against.split(",")
    if absent := set(baselines) - {tables.label(*arm) for arm in arms}:
        raise ConfigError(
            f"--against: '{absent.pop()}' is not among the methods {methods}; add it there"
        )
    if other := [name for name, _ in arms if get(name).dense != dense]:
        kind = (
            "a class for every pixel, take scenes-dense"
            if not dense
            else "one class for an image, take scenes"
        )
        raise ConfigError(f"--methods: {other[0]} needs {kind}")
    changes, wanted, sources = settings or {}, {}, {}
    for source in sweep.cells(data, turned, seeds):
        made = sweep.cell_runs(
            source,
            arms,
            runs,
            lambda s, o: make_config(profile, s, {**changes, "options": o}, dense),
        )
        wanted |= {
            run.folder: run for run in made
        }  # a dial may change nothing where another is at rest
        sources |= {run.fingerprint: source for run in made}

    def report(done, results) -> None:
        made = tables.summary(results, baselines)
        _publish(made, baselines, out, lambda: plots.gains(tables.by_dials(made), baselines))
        if collect:
            tables.collect(results, collect)

    runner, source_of = (
        sweep.make_engine(engine, workers, address),
        lambda run: sources[run.fingerprint],
    )
    _train(list(wanted.values()), source_of, runner, report, recompute=recompute, dry_run=dry_run)


def probe(
    path: Path,
    data: str = "scenes",
    modalities: str | None = None,
    scored: bool = False,
    out: Path | None = None,
) -> None:
    """What the embeddings of trained runs hold: linear probes of every known factor, and all other
    measures.

    Args:
        path: the folder of a finished run of discom or discom-solo, or a folder of such runs.
        data: what they were trained on: scenes, a prepared folder, or a folder of images.
        modalities: which ones were used, such as rgb+elevation; all by default.
        scored: measure SAP, MIG and DCI as well, half a minute a modality.
        out: write the measures of every run into FILE.json, and the map of their means into
            FILE.png.
    """
    from discom import data as sets
    from discom import files, plots
    from discom.evaluation import inspection

    if out:
        check_picture(out)
    held = sets.load(data, modalities)
    folders = (
        [path]
        if (path / "result.json").is_file()
        else sorted(file.parent for file in path.rglob("result.json"))
    )
    if not folders:
        raise ConfigError(
            f"{path}: no finished run in it; train one with: discom train --method discom --runs {path}"
        )
    seeds = [inspection.seed_of(folder) for folder in folders]
    splits = {seed: held.split(seed=seed) for seed in set(seeds)}
    found = [
        inspection.inspect(folder, splits[seed], scored=scored)
        for folder, seed in zip(folders, seeds, strict=True)
    ]
    matrices = inspection.mean_matrices(found)
    for name, matrix in matrices.items():
        print(f"{name}\n{matrix.round(2).T.to_string()}\n")
    if out:
        plots.style()
        paths = [out.with_suffix(".json"), out.with_suffix(".png")]
        files.write_json(paths[0], found)
        plots.probe_map(next(iter(matrices.values())), found[0]["chance"]).savefig(paths[1])
        print(*paths, sep="\n")


def _check_seeds(seeds: int) -> None:
    if seeds < 1:
        raise ConfigError(
            f"--seeds: {seeds} runs make no table; use 1 or more, 5 where a claim is made"
        )


def _train(
    wanted, source, runner, report: Callable[[list, list], None], *, recompute: bool, dry_run: bool
) -> None:
    """Train what is missing and report what is there; what failed is listed, with exit status 1."""
    from discom import sweep
    from discom.runs import Result

    if wanted[0].config.devices > 1:
        raise ConfigError(
            "--devices: many runs fill them side by side (--workers); one run shares them: discom train"
        )
    absent, _ = sweep.missing(wanted, recompute=recompute)
    first = source(wanted[0]) if callable(source) else source
    cost = sweep.forecast(absent, first.load(), runner)
    print(f"{len(wanted)} runs, {len(absent)} of them to train: {cost}", flush=True)
    if dry_run:
        return
    failed = sweep.sweep(wanted, source, runner, recompute=recompute)
    if done := [run for run in wanted if run.folder not in failed]:
        report(done, [Result.read(run.folder / "result.json") for run in done])
    for error in failed.values():
        print(f"discom: error: {error}", file=sys.stderr)
    if failed:
        sys.exit(1)


def _publish(made, baselines: Sequence[str], out: Path | None, picture: Callable) -> None:
    """Print a table, and write it in every form."""
    from discom import plots, tables

    print(tables.to_text(made, baselines))
    if out:
        plots.style()
        files = [*tables.write(made, out, baselines), Path(f"{out}.png")]
        picture().savefig(files[-1])
        print(*files, sep="\n")
