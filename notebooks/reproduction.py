"""What notebooks 12 to 14 share: data that are there, what runs cost, one line for each
run, rows as a person calls them, and a report in one zip."""

import re
import shutil
import time
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from discom import data, methods, plots, profile, tables
from discom.data import sources
from discom.data.multimodal import MultiModalData, Split
from discom.errors import DataError, watched
from discom.files import atomic_file, atomic_folder
from discom.hardware import machine, precision_used
from discom.running.forecast import Cost, probe
from discom.running.runs import Result, Run, read_predictions
from discom.running.sweep import Done, sweep

HOUR, HALF_HOUR = 3600, 1800  # seconds
READABLE = {  # ends of a row's name → what a reader calls it
    r" (adv|mod|aux|orth|contrast|soft)=0(?![.\d])": r", without \1",
    r" augment=0(?![.\d])": ", images as they are",
    r" only=(\w+)": r", \1 alone",
    r" (adversary|pairing|augmentation)=(\w+)": r", \2 \1",
    r" (dimension|grl_lambda)=([\d.]+)": r", \1 \2",
    r" reduction=released modality_targets=released": ", as its public code",
}

# ---------------------------------------------------------------- data


def fetched(source: str, split: str = "random") -> str:
    """What `data.load` takes, once it is there. A public set is fetched, verified and
    prepared first, divided "random", as in the papers, by "place" or "official"; other
    sources stay as they are."""
    name = source.removesuffix(":")
    if name not in sources.names():
        return source
    home = data.home()
    if (folder := home / f"{name}-{split}").is_dir():
        return str(folder)
    if (folder := home / name).is_dir() and data.way_of(data.load(folder)) == split:
        return str(folder)
    public = sources.get(name)
    print(f"{name}: {public.size} to fetch, unless it is there. {public.licence}")
    return str(data.prepare(name, download=bool(public.files), split=split))


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


def plot_values(train: MultiModalData) -> Figure:
    """How often each scaled value occurs in up to 500 training images: a panel for each
    sensor, a line for each band."""
    figure, axes = plots.panels(1, len(train.modalities), 10, 2.6)
    for axis, (name, sensor) in zip(axes[0], train.modalities.items(), strict=True):
        rows = np.linspace(0, len(sensor.x) - 1, min(500, len(sensor.x))).astype(int)
        bands = (
            train.images(name, rows).transpose(1, 0, 2, 3).reshape(len(sensor.x[0]), -1)
        )
        for band in bands:
            share, edges = np.histogram(band, np.linspace(0, 1, 51))
            axis.stairs(100 * share / share.sum(), edges, lw=1.2)
        axis.set(xlabel="value", ylabel="pixels, %", title=name)
    return figure


# ---------------------------------------------------------------- what it costs


def kind(run: Run) -> str:
    """What runs of the same cost are called: the method with its options, but for
    weights and conventions of its losses."""
    method = methods.get(run.method)
    same = {"weights", "reduction", "modality_targets", "grl_lambda", "reads"}
    changed = method.changed(run.config.options).items()
    return methods.display_name(run.method, {k: v for k, v in changed if k not in same})


def probed(absent: Iterable[Run], split_of: Callable[[int], Split]) -> dict[str, Cost]:
    """Kind of run → what an epoch of it costs on this machine, of each kind that is
    absent."""
    costs: dict[str, Cost] = {}
    for run in absent:
        if (name := kind(run)) not in costs:
            costs[name] = probe(run, split_of(run.config.seed))
            print(f"{name}: {costs[name].seconds:.2g} s an epoch", flush=True)
    return costs


def forecast(
    study: tables.Study, absent: Sequence[Run], costs: Mapping[str, Cost]
) -> pd.DataFrame:
    """A row for each row of the tables whose runs are absent, and for their teachers:
    how many, seconds an epoch, hours of all, memory in MB. A run that several rows need
    is counted in the first."""
    left = {run.folder: run for run in absent}
    rows: dict[str, list[Run]] = {}
    for number, planned in study.planned.items():
        for name, runs in planned.items():
            here = [left.pop(run.folder) for run in runs if run.folder in left]
            rows[f"{number}: {readable(name)}"] = here
    rows["teachers of rows"] = [*left.values()]
    lines = {}
    for name, runs in rows.items():
        if runs:
            cost = costs[kind(runs[0])]
            seconds = [run.config.epochs * seconds_of(run, costs) for run in runs]
            hours = sum(seconds) / HOUR
            line = {"runs": len(runs), "s an epoch": cost.seconds, "hours": hours}
            lines[name] = line | {"MB": cost.memory_mb}
    return pd.DataFrame(lines).T


def seconds_of(run: Run, costs: Mapping[str, Cost]) -> float:
    """Of an epoch; NaN for a kind that was not probed."""
    return costs[kind(run)].seconds if kind(run) in costs else np.nan


def clock(hours: float) -> str:
    """A length of time as a person says it."""
    if np.isnan(hours):
        return "an unknown time"
    if hours < 0.025:
        return f"{hours * HOUR:.0f} s"
    return f"{60 * hours:.0f} min" if hours < 1.5 else f"{hours:.1f} h"


# ---------------------------------------------------------------- training


def fetch(study: tables.Study, backup: str) -> None:
    """Copy from a backup the folders of runs that are not here, or not as far."""
    for run in study.every if backup else ():
        for wanted in filter(None, (run.teacher, run)):
            copy_of(Path(backup) / wanted.folder.relative_to(study.runs), wanted.folder)


def save(run: Run, runs: Path | str, backup: str) -> None:
    """Copy a run's folder into a backup that is not as far. A full disk is told, and
    ends no training. A Drive is slow where each checkpoint is written to it."""
    try:
        if backup:
            copy_of(run.folder, Path(backup) / run.folder.relative_to(runs))
    except (OSError, DataError) as error:
        print(f"note: {run.folder.name} is not in the backup: {error}", flush=True)


def copy_of(source: Path, target: Path) -> None:
    """Copy a run's folder, whole or not at all, where the target is not as far."""
    if how_far(source) > how_far(target):
        with atomic_folder(target, marker="config.json", overwrite=True) as part:
            shutil.copytree(source, part, dirs_exist_ok=True)


def how_far(folder: Path) -> tuple[bool, int]:
    """Whether a run is done, and its epochs; none where there is no checkpoint."""
    done, log = (folder / "result.json").is_file(), folder / "metrics.csv"
    going = log.is_file() and (done or (folder / "state.pt").is_file())
    return done, len(pd.read_csv(log)) if going else 0


def train(
    study: tables.Study,
    known: Sequence[Result],
    costs: Mapping[str, Cost],
    until: float | None = None,
    backup: str = "",
) -> Done:
    """Train what is absent until a moment as of `time.time()`: a line for each run, and
    where somebody looks a line that changes, and the first table after each seed.
    DisCoM-KD and teachers keep their weights. A backup gets a run when it ends or
    stops, and every half hour."""
    known = study.usable(known)
    absent = study.absent(known)
    seconds = {run.folder: seconds_of(run, costs) for run in absent}
    left = {run.folder: run.config.epochs * seconds[run.folder] for run in absent}
    status = display("", display_id=True) if watched() else None
    board = display("", display_id=True) if watched() else None
    saved = [time.time()]

    def on_run(run: Run, error: str) -> None:
        left.pop(run.folder, None)
        save(run, study.runs, backup)
        if error:
            print(f"seed {run.config.seed}, {title(run)}: FAILED, {error}", flush=True)
            return
        result = Result.read(run.folder / "result.json")
        scores = ", ".join(f"{name} {value:.1f}" for name, value in result.main.items())
        took = clock(result.seconds / HOUR)
        place = f"({took}; {run.folder.name})"
        print(f"seed {run.config.seed}, {title(run)}: {scores}  {place}", flush=True)
        seeds_left = {other.config.seed for other in absent if other.folder in left}
        if board and run.config.seed not in seeds_left:
            number = study.numbers[0]
            board.update(shown(tables.standings(study, number, known), number))

    def on_epoch(run: Run, epochs: int, network: methods.Method) -> None:
        left[run.folder] = (run.config.epochs - epochs) * seconds[run.folder]
        if time.time() > saved[-1] + HALF_HOUR:
            save(run, study.runs, backup)
            saved.append(time.time())
        if status is None:
            return
        now = f"seed {run.config.seed}, {title(run)}: epoch {epochs} of"
        rest = clock(sum(left.values()) / HOUR)
        status.update(f"{now} {run.config.epochs}; {rest} for all that is left")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = sweep(
            study.every,
            known=known,
            workers=1,
            until=until,
            keep_weights=lambda run: run.method.startswith("discom"),
            on_run=on_run,
            on_epoch=on_epoch,
            progress=False,
        )
    notes = dict[str, list[str]]()
    for each in caught:
        place, _, text = str(each.message).partition(": ")
        notes.setdefault(text or place, []).append(place)
    for text, places in notes.items():
        others = f" and {len(places) - 1} others" * (len(places) > 1)
        print(f"note: {Path(places[0]).name}{others}: {text}")
    for run in done.left:
        if (log := run.folder / "metrics.csv").is_file():
            epochs = f"{len(pd.read_csv(log))} of {run.config.epochs} epochs"
            stopped = f"seed {run.config.seed}, {title(run)}: stopped after {epochs}"
            print(f"{stopped}; the same cell goes on there")
            save(run, study.runs, backup)
    if status:
        status.update(f"{len(left)} runs are left" if left else "done")
    return done


def title(run: Run) -> str:
    """What a reader calls a run."""
    changed = methods.get(run.method).changed(run.config.options)
    hidden = {
        name: value
        for name, value in changed.items()
        if name not in ("teacher", "reads")
    }
    turned = {} if run.config.augment else {"augment": 0}
    return readable(methods.display_name(run.method, hidden | turned))


def readable(name: str) -> str:
    """A row's name in words.

    >>> readable("discom adv=0"), readable("discom only=inv")
    ('discom, without adv', 'discom, inv alone')
    """
    for pattern, words in READABLE.items():
        name = re.sub(pattern, words, name)
    return name


# ---------------------------------------------------------------- what came out


def shown(table: pd.DataFrame, number: int | str) -> pd.DataFrame:
    """A table of `tables.standings` as text, by row and network."""
    compared = [name for name in tables.baselines(number) if name != "student-2x"]
    text = tables.cells(table.assign(method=table["method"].map(readable)), compared)
    return text.drop(columns=["data"]).set_index(["method", "modality"])


def show(standings: Mapping[str, pd.DataFrame]) -> None:
    """Each table, as text in columns."""
    for number, table in standings.items():
        print(f"Table {number}")
        display(shown(table, number))


def agreement(table: pd.DataFrame, number: int | str) -> list[str]:
    """What of a table came out as in the paper, in sentences."""
    if "paper" not in table or table.loc[table["n"] > 0, "paper"].isna().all():
        return ["The paper has no figure for these data."]
    both = table[(table["n"] > 0) & table["paper"].notna()]
    gaps = both["f1"] - both["paper"]
    away = (
        f"{gaps.median():+.1f} points (median), {gaps.min():+.1f} to {gaps.max():+.1f}"
    )
    lines = [f"{len(both)} scores beside the paper's; ours minus theirs: {away}."]
    baseline = tables.baselines(number)[0]
    theirs = table[table["method"] == baseline].set_index("modality")["paper"]
    compared = both[both[f"vs {baseline}"].notna()]
    published = compared["paper"] - compared["modality"].map(theirs)
    same = (np.sign(published) == np.sign(compared[f"vs {baseline}"])).sum()
    decided = compared["arrow"].isin(["↑", "↓"]).sum()
    text = (
        f"Of {len(compared)} differences from {baseline}, {same} have the paper's sign"
    )
    return [*lines, f"{text}; for {decided} our 95 % interval excludes zero."]


def differences(study: tables.Study) -> list[str]:
    """What stands beside the paper's protocol, in sentences."""
    images, seeds = study.images_of(0), study.seeds or 5
    dense = {"dense": images.dense}
    used, paper = (
        profile(**{"name": "cpu", **study.settings, **dense}),
        profile("paper", **dense),
    )
    names = {n: v for n, v in used.identity().items() if v != paper.identity()[n]}
    changed = [
        f"{name} {value}" for name, value in names.items() if name != "channels_last"
    ]
    lines = [f"Settings unlike profile paper: {', '.join(changed)}."] if changed else []
    lines += [f"Divided: {data.split_rule(images)[0]}.", f"Seeds: {seeds}."]
    lines += [f"Precision: {precision_used(used.precision)}."]
    if images.dense:
        return [*lines, "The method is a reconstruction, not the authors' code."]
    if images.name not in set(tables.paper_figures()["data"]):
        lines.append(f"{images.name} is none of the paper's three sets.")
    lines.append("The paper divides at random, 70, 10 and 20 %, and has five runs.")
    lines.append("Bounds for scaling come from the training part, not from all images.")
    return [*lines, "Losses follow the paper's equations, not the authors' code."]


def report(
    study: tables.Study,
    done: Done,
    standings: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Figure],
    about: Mapping[str, str],
    backup: str = "",
) -> Path:
    """Write tables, figures, curves of runs that trained here and all results, which
    `known` reads, beside the runs, and one zip of them, into the backup, too; its path.
    """
    folder = Path(study.runs) / f"report-{study.images_of(0).name}"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier call
    (folder / "curves").mkdir(parents=True)
    lines = [f"# {study.images_of(0).name}", ""]
    place, hours = machine(), sum(result.seconds for result in done.results) / HOUR
    about = {**about, "commit": place["commit"], **place["versions"]}
    lines += [f"- {name}: {text}" for name, text in about.items()]
    lines += [f"- training: {clock(hours)} in all, on the machines of results.json"]
    lines += ["", "## Beside the paper's protocol", ""]
    lines += [f"- {text}" for text in differences(study)]
    for number, table in standings.items():
        text = shown(table, number).reset_index().to_markdown(index=False)
        lines += ["", f"## Table {number}", "", text, "", *agreement(table, number)]
        table.to_csv(folder / f"table-{number}.csv", index=False)
    left = pd.Series([title(run) for run in done.left], dtype=str).value_counts(
        sort=False
    )
    lines += ["", "## What is missing", ""]
    lines += [f"- {name}: {count} runs" for name, count in left.items()] or ["Nothing."]
    lines += [
        f"- failed: {place.name}: {error}" for place, error in done.failed.items()
    ]
    with atomic_file(folder / "report.md") as part:
        part.write_text("\n".join([*lines, ""]), encoding="utf-8")
    if done.results:
        tables.collect(done.results, folder / "results.csv")
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png")
    for run in study.every:
        if (log := run.folder / "metrics.csv").is_file():
            shutil.copyfile(
                log, folder / "curves" / f"{run.method}-{run.folder.name}.csv"
            )
    file = folder.with_name(f"{folder.name}.zip")
    with (
        atomic_file(file) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for each in sorted(folder.rglob("*")):
            if each.is_file() and not each.name.startswith("."):
                archive.write(each, each.relative_to(folder.parent))
    if backup:
        Path(backup).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, Path(backup) / file.name)
    place = file.name if file.is_absolute() else file
    print(f"{place}, {file.stat().st_size / 2**20:.1f} MB, in the folder of runs")
    return file


def until(budget_hours: float, started: float) -> float | None:
    """The moment at which a budget that began then is over; None without one."""
    return started + HOUR * budget_hours if budget_hours else None


def results_of(file: str) -> list[Result]:
    """The runs of a results file; none without a name. A RunError for a name with a
    slip."""
    return tables.collected(file or None, missing_ok=False)


def plot_masks(test: MultiModalData, run: Path | str, count: int = 6) -> Figure:
    """Test images, their masks, and what each network of a run drew: a row for each."""
    predicted = read_predictions(Path(run) / "predictions.npz")
    networks = list(Result.read(Path(run) / "result.json").scores)
    ids = test.paired_ids[:count].astype(str)
    chosen = test.take(pd.Index(test.ids.astype(str)).get_indexer(ids))
    colours = plots.class_colours(len(test.classes))
    rows = {name: chosen.images(name) for name in chosen.modalities}
    masks = {"truth": np.asarray(chosen.masks)}
    for name in networks:
        places = pd.Index(predicted[f"{name}_ids"].astype(str)).get_indexer(ids)
        masks[f"by {name}"] = predicted[f"{name}_predicted"][places]
    rows |= {name: colours[own].transpose(0, 3, 1, 2) for name, own in masks.items()}
    figure, axes = plots.panels(len(rows), count, 1.3 * count, 1.35 * len(rows) + 0.4)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, pictures, strict=True):
            plots.show(axis, image, in_colours=len(image) == 1)
    plots.class_legend(figure, np.unique(masks["truth"]), test.classes)
    return figure
