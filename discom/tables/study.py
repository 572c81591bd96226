"""What tables of one data set need: their runs, in which order, and which of them are absent."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from discom import data, methods
from discom.config import Config, profile
from discom.data import MultiModalData
from discom.errors import ConfigError, DiscomError, check_choice
from discom.hardware import forked_random
from discom.running.runs import Result, Run
from discom.running.sweep import missing, of_other_code
from discom.tables.rows import Row, paper_figures, paper_rows, read_from

PAPER = "paper"  # keeps the rows of which the paper has figures
# what decides whether a second sensor helped is trained first
FIRST = ("student", "discom-solo", "discom", "single", "crodino")


def warn_of_single_samples(images: MultiModalData, source: str) -> None:
    """Warn of folds of data without groups."""
    if images.groups is None:
        advice = "give groups where samples belong together, such as frames of one video"
        warnings.warn(f"{source}: folds divide single samples; {advice}", stacklevel=5)


@dataclass(frozen=True, eq=False)
class Study:
    """Tables on one data set: which runs they need, in which order, and what is absent.

    A ConfigError for a row that no table has, for folds of synthetic data, or for no row that is
    left, when the runs are asked for.

    Args:
        source: as `data.load` takes it, and so are `modalities`.
        runs: the folder of all runs.
        numbers: of the tables, 1 to 4, "dense" or "crodino".
        kept: the rows to keep, by default all, by their names ("discom", "discom adv=0",
            "student augment=0"), or "paper", those of the paper's own table. A row that reads a
            part of a run's embedding comes with the row that reads all.
        seeds: how many, by default 5, or 1 with folds.
        folds: of the samples, each tested once; 0 splits them by each seed.
        settings: those of `profile`, its name too.

    >>> study = Study("objects", "runs", [3], kept=["paper"], seeds=1, settings={"name": "paper"})
    >>> [*study.planned["3"]]
    ['discom', 'discom adv=0', 'discom mod=0', 'discom aux=0', 'discom orth=0']
    """

    source: str
    runs: Path | str
    numbers: Sequence[int | str]
    modalities: str = ""
    kept: Sequence[str] = ()
    seeds: int | None = None
    folds: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def images_of(self) -> Callable[[int | None], MultiModalData]:
        """See `data.planned`: the set is read once for all tables."""
        return cache(data.planned(self.source, self.modalities))

    @property
    def sensors(self) -> list[str]:
        """The modalities in their order."""
        return [*self.images_of(1).modalities]

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """Number of a table → its rows that are kept."""
        tables = {str(number): paper_rows(number, self.sensors) for number in self.numbers}
        figures, rows, choices = paper_figures(), dict[str, list[Row]](), dict[str, None]()
        for number, every in tables.items():
            published = {*figures[figures["table"].astype(str) == number]["method"]}
            rows[number] = []
            for row in every:
                names = [row.name, row.method] if row.part else [row.name]
                names += [PAPER] if row.name in published else []
                choices |= dict.fromkeys(names)
                if not self.kept or {*names} & {*self.kept}:
                    rows[number].append(row)
        for name in self.kept:
            check_choice(f"rows of table {', '.join(tables)}", name, choices)
        return rows

    @cached_property
    def planned(self) -> dict[str, dict[str, list[Run]]]:
        """Number of a table → name of a row → its runs, folds within seeds. A method that cannot
        learn from the labels, classes or sizes is left out, with a warning, and so is a row that
        asks what another of its table does."""
        self._check_folds()
        planned = {}
        for number, rows in self.rows.items():
            if not rows:
                found = f"no run of table {number} is left"
                raise ConfigError("--methods", found, "keep one of its rows, or leave it out")
            misfits = [self._misfit(row) for row in rows]
            if methods.get(rows[0].method).dense != (dense := self.images_of(0).dense):
                kind, other = ("pixel", "dense") if dense else ("image", "2")
                found = f"{self.source} has a class for every {kind}"
                way_out = f"ask for: discom table {other} --data {self.source}"
                raise ConfigError(f"table {number}", found, way_out)
            if all(misfits):
                raise ConfigError(f"table {number}", f"none of its rows fits: {misfits[0]}")
            runs, asked = dict[str, list[Run]](), set[tuple[str, str]]()
            for row, error in zip(rows, misfits, strict=True):
                if error:
                    warnings.warn(f"left out: {error}", stacklevel=4)
                    continue
                row_runs = self._runs_of(row)
                if (row_runs[0].hash, row.part) not in asked:
                    runs[row.name] = row_runs
                    asked |= {(run.hash, row.part) for run in row_runs}
            planned[number] = runs
        return planned

    def _check_folds(self) -> None:
        if not self.folds:
            return
        if any(row.part for rows in self.rows.values() for row in rows):
            found = "scores of one part of the embedding are kept of a split alone"
            raise ConfigError("--folds", found, "leave it out of table 4")
        images = self.images_of(0)
        if images.drawn:
            way_out = "leave it out, or prepare them: discom data prepare"
            raise ConfigError("--folds", "scenes are drawn anew for each seed", way_out)
        warn_of_single_samples(images, self.source)
        images.split_indices(0, self.folds)  # refuses more folds than groups

    def _config(self, row: Row, seed: int) -> Config:
        dense = methods.get(row.method).dense
        defaults: dict[str, Any] = {"dense": dense, "seed": seed, "options": row.options}
        return profile(**{"name": "cpu", **defaults, **self.settings, **row.settings})

    def _misfit(self, row: Row) -> ConfigError | None:
        """Why nothing can train for this row, or its teacher: its labels, classes or encoder."""
        method, images, config = methods.get(row.method), self.images_of(0), self._config(row, 0)
        if error := methods.misfit(method, images, config):
            return error
        run = Run.of(self.runs, method, images, config)
        for each in filter(None, (run.teacher, run)):
            if problem := self._problem(each):
                return ConfigError(row.name, problem)
        return None

    def _problem(self, run: Run) -> str:
        """Why the networks of a run cannot be built, or nothing; many rows share a teacher."""
        if run.folder not in self._problems:
            try:
                with forked_random():  # the caller's own draws stay as they are
                    kind = methods.get(run.method)
                    methods.build(kind, self.images_of(0), run.config, restored=True)
                self._problems[run.folder] = ""
            except DiscomError as error:
                self._problems[run.folder] = str(error)
        return self._problems[run.folder]

    @cached_property
    def _problems(self) -> dict[Path, str]:
        """Folder of a run that was tried → see `_problem`."""
        return {}

    def _runs_of(self, row: Row) -> list[Run]:
        runs = list[Run]()
        for seed in range(self.seeds or (1 if self.folds else 5)):
            images, config = self.images_of(seed), self._config(row, seed)
            where = self.runs, methods.get(row.method), images, config, self.source, self.modalities
            folds = range(self.folds or 1)
            runs += [Run.of(*where, self.folds, fold) for fold in folds]
        return runs

    @cached_property
    def every(self) -> list[Run]:
        """The runs of all rows, each once: one seed of every row before the second, and rows that
        decide before others. Teachers that are no row of their own are not among them."""
        rows = [row for table in self.planned.values() for row in table.items()]
        items = [(name, run) for name, runs in rows for run in runs]

        def place(item: tuple[str, Run]) -> tuple[int, int]:
            name, run = item
            return run.config.seed, FIRST.index(name) if name in FIRST else len(FIRST)

        return [*{run.folder: run for _, run in sorted(items, key=place)}.values()]

    def usable(self, known: Iterable[Result]) -> list[Result]:
        """Of known results those that have what the rows read: older ones lack the scores of one
        part of the embedding."""
        parts: dict[str, set[str]] = {}
        for number, rows in self.rows.items():
            for row in rows:
                for run in self.planned[number].get(row.name, ()) if row.part else ():
                    parts.setdefault(run.hash, set()).add(row.part)
        return [
            result
            for result in known
            if all(read_from(part, result) for part in parts.get(result.hash, ()))
        ]

    def of_other_code(self, known: Iterable[Result]) -> int:
        """See `running.sweep.of_other_code`."""
        return of_other_code(self.every, self.usable(known))

    def absent(self, known: Iterable[Result] = ()) -> list[Run]:
        """What has to be trained, in the order of `every`, a teacher before its first student; see
        `running.sweep.missing`."""
        absent = {run.folder: run for run in missing(self.every, self.usable(known))[0]}
        ordered: dict[Path, Run] = {}
        for run in self.every:
            for needed in filter(None, (run.teacher, run)):
                if run.folder in absent and needed.folder in absent:
                    ordered.setdefault(needed.folder, needed)
        return [*ordered.values()]

    def found(self, number: int | str, known: Iterable[Result] = ()) -> list[Result]:
        """The finished results of a table, in their folders or among the known ones."""
        rows = self.planned[str(number)].values()
        return missing([run for runs in rows for run in runs], self.usable(known))[1]
