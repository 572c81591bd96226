"""What notebooks 12 to 14 do: data that are there, what runs cost, and training."""

import os
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display

import backups
from discom import data, methods, plots, tables
from discom.data import sources
from discom.data.multimodal import Split
from discom.errors import watched
from discom.running.forecast import Cost, probe
from discom.running.runs import Result, Run
from discom.running.sweep import Done, sweep
from reporting import HOUR, clock, place, readable, shown, title

HALF_HOUR, TEN_MINUTES = 1800, 600  # seconds


def set_up() -> None:
    """Figures look as in the course, and data are in the repository's data/, unless
    DISCOM_DATA or a folder data/ here says otherwise."""
    plots.style()
    if not Path("data").is_dir():
        os.environ.setdefault("DISCOM_DATA", os.path.abspath("../data"))


def fetched(source: str, split: str = "random", backup: str = "") -> str:
    """What `data.load` takes, once it is there. A public set is fetched, verified and
    prepared first, divided "random", as in the papers, by "place" or "official"; scenes
    stay as they are, and so do folders, which say themselves how they are divided: see
    `place`. A backup keeps what was prepared as one archive, and gives
    it back where nothing is prepared."""
    backups.check(backup)
    name = source.removesuffix(":")
    if name not in sources.names():
        source = place(source)
        if data.locate(source):
            how = "is for public sets, and this folder is divided its own way"
            print(f"note: split={split} {how}")
        return source
    home, archive = data.home(), Path(backup) / f"{name}-{split}.zip"
    if (home / f"{name}-{split}").is_dir():
        folder = home / f"{name}-{split}"
    elif (home / name).is_dir() and data.way_of(data.load(home / name)) == split:
        folder = home / name
    elif backup and archive.is_file():
        print(f"{name}: from {archive}", flush=True)
        folder = backups.unpack(archive, home)
    else:
        public = sources.get(name)
        print(f"{name}: {public.size} to fetch, unless it is there. {public.licence}")
        folder = data.prepare(name, download=bool(public.files), split=split)
    if backup and not archive.is_file():
        backups.pack(folder, archive)
    return str(folder)


def study_of(
    source: str,
    runs: Path | str,
    numbers: str | int,
    rows: str,
    seeds: int,
    *,
    modalities: str,
    profile: str,
    settings: Mapping[str, Any],
) -> tables.Study:
    """The study that a parameters cell asks for: `numbers` of tables and names of
    `rows`, texts with commas. An empty text keeps all rows."""
    asked = [number.strip() for number in str(numbers).split(",")]
    kept = [name.strip() for name in rows.split(",") if name.strip()]
    every = {"name": profile, **settings}
    return tables.Study(source, runs, asked, modalities, kept, seeds, settings=every)


def counts(split: Split) -> pd.DataFrame:
    """Samples, pairs, groups and labels of each class: a column for each part."""
    columns = {}
    for part, samples in split._asdict().items():
        labels = pd.Series(samples.labels).value_counts()
        column = {"samples": len(samples), "pairs": len(samples.paired_ids)}
        if samples.groups is not None:
            column["groups"] = len(np.unique(samples.groups))
        column |= {name: labels.get(k, 0) for k, name in enumerate(samples.classes)}
        columns[part] = column | {"without a label": labels.get(-1, 0)}
    return pd.DataFrame(columns)


def kind(run: Run) -> str:
    """What runs of the same cost are called: the method with its options, but for
    weights and conventions of its losses."""
    method = methods.get(run.method)
    same = {"weights", "reduction", "modality_targets", "grl_lambda", "reads"}
    changed = method.changed(run.config.options).items()
    return methods.display_name(run.method, {k: v for k, v in changed if k not in same})


def probed(absent: Iterable[Run], split: Split) -> dict[str, Cost]:
    """Kind of run → what an epoch of it costs on this machine, of each kind that is
    absent."""
    costs: dict[str, Cost] = {}
    for run in absent:
        if (name := kind(run)) not in costs:
            costs[name] = probe(run, split)
            print(f"{name}: {costs[name].seconds:.2g} s an epoch", flush=True)
    return costs


def forecast(
    study: tables.Study, absent: Sequence[Run], costs: Mapping[str, Cost]
) -> pd.DataFrame:
    """A row for each row of the tables, and for teachers: how many of its runs are
    there, how many are to train, and of these seconds an epoch, hours of all, memory
    and size of a checkpoint in MB. A run to train that several rows need is counted in
    the first."""
    asked = {run.folder for run in absent}
    left = {run.folder: run for run in absent}
    rows: dict[str, list[Run]] = {}
    there: dict[str, int] = {}
    for number, planned in study.planned.items():
        for name, runs in planned.items():
            here = [left.pop(run.folder) for run in runs if run.folder in left]
            row = f"Table {number}: {readable(name)}"
            rows[row] = here
            there[row] = sum(run.folder not in asked for run in runs)
    rows["teachers of rows"] = [*left.values()]
    lines = {}
    for name, runs in rows.items():
        line = {"there": there.get(name, 0), "to train": len(runs)}
        if runs:
            cost = costs[kind(runs[0])]
            seconds = [run.config.epochs * seconds_of(run, costs) for run in runs]
            line |= {"s an epoch": cost.seconds, "hours": sum(seconds) / HOUR}
            line |= {"MB": cost.memory_mb, "MB a checkpoint": cost.checkpoint_mb}
        if runs or line["there"]:
            lines[name] = line
    return pd.DataFrame(lines).T


def hours_of(
    study: tables.Study, absent: Sequence[Run], costs: Mapping[str, Cost]
) -> dict[str, float]:
    """Hours of what is absent of each table if it were made alone, its teachers among
    them, and of "all", where a run that several tables need counts once."""
    left = {run.folder: run for run in absent}
    needed = {"all": set(left)}
    for number, planned in study.planned.items():
        runs = [run for row in planned.values() for run in row]
        teachers = [run.teacher for run in runs if run.teacher and run.folder in left]
        folders = {run.folder for run in [*runs, *teachers]}
        needed[f"Table {number}"] = folders & set(left)
    hours = {}
    for name, folders in needed.items():
        runs = [left[folder] for folder in folders]
        seconds = [run.config.epochs * seconds_of(run, costs) for run in runs]
        hours[name] = sum(seconds) / HOUR
    return hours


def totals(hours: Mapping[str, float]) -> str:
    """The hours of `hours_of` in a line: of all, and of each table of several."""
    alone = [f"{name} alone: {clock(hours[name])}" for name in hours if name != "all"]
    whole = f"all of it: {clock(hours['all'])}"
    return "; ".join([*alone, whole] if len(alone) > 1 else [whole])


def seconds_of(run: Run, costs: Mapping[str, Cost]) -> float:
    """Of an epoch; NaN for a kind that was not probed."""
    return costs[kind(run)].seconds if kind(run) in costs else np.nan


class Progress:
    """What somebody sees of a training, and what a backup gets of it.

    A line for each run, and the tables after each seed; where somebody looks, a line
    that changes with each epoch; elsewhere, as in batch, a line every ten minutes.
    The time left is that of the probes, of a kind that trains here that of its epochs.
    """

    def __init__(
        self,
        study: tables.Study,
        known: Sequence[Result],
        costs: Mapping[str, Cost],
        backup: str,
    ):
        self.study, self.known, self.backup = study, known, backup
        absent = study.absent(known)
        self.epochs = {run.folder: run.config.epochs for run in absent}  # that are left
        self.kinds = {run.folder: kind(run) for run in absent}
        self.seeds = {run.folder: run.config.seed for run in absent}
        self.seconds = {name: cost.seconds for name, cost in costs.items()}
        self.status = display("", display_id=True) if watched() else None
        numbers = map(str, study.numbers) if watched() else ()
        self.boards = {number: display("", display_id=True) for number in numbers}
        self.saved = self.said = time.time()
        self.trained: Run | None = None  # the run that trains,
        self.start = 0.0, 0  # when it began here, and at which epoch

    def on_run(self, run: Run, error: str) -> None:
        """Of a run that ended, or failed."""
        self.epochs.pop(run.folder, None)
        backups.save(run, self.study.runs, self.backup)
        name = f"seed {run.config.seed}, {title(run)}"
        if error:
            print(f"{name}: FAILED, {error}", flush=True)
            return
        result = Result.read(run.folder / "result.json")
        scores = ", ".join(f"{key} {value:.1f}" for key, value in result.main.items())
        place = f"({clock(result.seconds / HOUR)}; {run.folder.name})"
        print(f"{name}: {scores}  {place}", flush=True)
        seeds_left = {self.seeds[folder] for folder in self.epochs}
        if run.config.seed not in seeds_left:
            self.show_tables(run.config.seed)

    def show_tables(self, seed: int) -> None:
        """As they are after a seed; who looks sees them in the place of the last."""
        for number in map(str, self.study.numbers):
            table = shown(tables.standings(self.study, number, self.known), number)
            table = table.rename_axis(columns=f"Table {number}, after seed {seed}")
            if number in self.boards:
                self.boards[number].update(table)
            else:
                display(table)

    def on_epoch(self, run: Run, done: int, network: methods.Method) -> None:
        """Of a run that trains: at its start, and after each epoch."""
        now, total = time.time(), run.config.epochs
        if run is not self.trained:
            self.trained, self.start = run, (now, done)
        since, first = self.start
        if done > first:
            self.seconds[self.kinds[run.folder]] = (now - since) / (done - first)
        self.epochs[run.folder] = total - done
        if now > self.saved + HALF_HOUR:
            backups.save(run, self.study.runs, self.backup)
            self.saved = now
        text = f"seed {run.config.seed}, {title(run)}: epoch {done} of {total}; "
        text += f"{clock(self.left() / HOUR)} for all that is left"
        if self.status:
            self.status.update(text)
        elif now > self.said + TEN_MINUTES:
            print(text, flush=True)
            self.said = now

    def left(self) -> float:
        """Seconds of all epochs that are left; NaN where a kind was not probed."""
        epochs = self.epochs.items()
        return sum(n * self.seconds.get(self.kinds[run], np.nan) for run, n in epochs)


def train(
    study: tables.Study,
    known: Sequence[Result],
    costs: Mapping[str, Cost],
    until: float | None = None,
    backup: str = "",
) -> Done:
    """Train what is absent until a moment as of `time.time()`, and say what comes: see
    `Progress`. DisCoM-KD and teachers keep their weights. A backup gets a run when it
    ends or stops, and every half hour."""
    known = study.usable(known)
    progress = Progress(study, known, costs, backup)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = sweep(
            study.every,
            known=known,
            workers=1,
            until=until,
            keep_weights=lambda run: run.method.startswith("discom"),
            on_run=progress.on_run,
            on_epoch=progress.on_epoch,
            progress=False,
        )
    say_once(caught)
    for run in done.left:
        if (log := run.folder / "metrics.csv").is_file():
            epochs = f"{len(pd.read_csv(log))} of {run.config.epochs} epochs"
            stopped = f"seed {run.config.seed}, {title(run)}: stopped after {epochs}"
            print(f"{stopped}; the same cell goes on there")
            backups.save(run, study.runs, backup)
    if progress.status:
        left = len(progress.epochs)
        progress.status.update(f"{left} runs are left" if left else "done")
    return done


def say_once(caught: Iterable[warnings.WarningMessage]) -> None:
    """Each warning in a line, with the first place that it speaks of."""
    notes = dict[str, list[str]]()
    for each in caught:
        place, _, text = str(each.message).partition(": ")
        notes.setdefault(text or place, []).append(place)
    for text, places in notes.items():
        others = f" and {len(places) - 1} others" * (len(places) > 1)
        print(f"note: {Path(places[0]).name}{others}: {text}")


def until(budget_hours: float, started: float) -> float | None:
    """The moment at which a budget that began then is over; None without one."""
    return started + HOUR * budget_hours if budget_hours else None
