"""What notebooks 12 and 14 say: rows as a person calls them, tables, what agrees with
the paper, and a report in one zip."""

import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from discom import data, methods, profile, tables
from discom.files import as_data_error, atomic_file
from discom.hardware import machine, precision_used
from discom.running.runs import Result, Run
from discom.running.sweep import Done

HOUR = 3600  # seconds
READABLE = {  # ends of a row's name → what a reader calls it
    r" (adv|mod|aux|orth|contrast|soft)=0(?![.\d])": r", without \1",
    r" augment=0(?![.\d])": ", images as they are",
    r" only=(\w+)": r", \1 alone",
    r" (adversary|pairing|augmentation)=(\w+)": r", \2 \1",
    r" (dimension|grl_lambda)=([\d.]+)": r", \1 \2",
    r" reduction=released modality_targets=released": ", as its public code",
}


def place(name: str) -> str:
    """A file or folder as it is named or, where nothing is there, from the root of the
    repository: commands are called there, and notebooks run in notebooks/."""
    from_root = Path("..") / name
    return str(from_root) if not os.path.exists(name) and from_root.exists() else name


def clock(hours: float) -> str:
    """A length of time as a person says it."""
    if np.isnan(hours):
        return "an unknown time"
    if hours < 0.025:
        return f"{hours * HOUR:.0f} s"
    return f"{60 * hours:.0f} min" if hours < 1.5 else f"{hours:.1f} h"


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


def shown(table: pd.DataFrame, number: int | str) -> pd.DataFrame:
    """A table of `tables.standings` as text, by row and network: means with their 95 %
    interval, and behind each difference an arrow, see `tables.arrows`."""
    compared = [name for name in tables.baselines(number) if name != "student-2x"]
    text = tables.cells(table.assign(method=table["method"].map(readable)), compared)
    metric = tables.metric_of(table)
    scores = [_mean(*row) for row in table[["n", metric, "low", "high"]].to_numpy()]
    text[{"f1": "F1", "miou": "mIoU"}[metric]] = scores
    for name in compared:
        if f"Δ {name}" in text:
            text[f"Δ {name}"] += " " + tables.arrows(table, name)
            text[f"Δ {name}"] = text[f"Δ {name}"].str.strip()
    return text.drop(columns=["data"]).set_index(["method", "modality"])


def _mean(count: float, mean: float, low: float, high: float) -> str:
    """A mean of so many seeds, with its interval where there is one."""
    if not count:
        return "missing"
    return f"{mean:.1f}" if np.isnan(low) else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def show(study: tables.Study, done: Done) -> dict[str, pd.DataFrame]:
    """Say how many runs are there, and show each table as text in columns; number of a
    table → what `tables.standings` says of it."""
    there, left, failed = len(done.results), len(done.left), len(done.failed)
    print(f"{there} runs are there, {left} are left, {failed} failed")
    standing = {}
    for number in map(str, study.numbers):
        standing[number] = tables.standings(study, number, done.results)
        print(f"Table {number}")
        display(shown(standing[number], number))
    return standing


def agreement(table: pd.DataFrame, number: int | str) -> list[str]:
    """What of a table came out as in the paper, what did not, and what is missing, in
    sentences."""
    missing = table[table["n"] < table.get("wanted", table["n"])]
    absent = [f"Not all seeds are there: {_places(missing)}."] * bool(len(missing))
    if "paper" not in table or table.loc[table["n"] > 0, "paper"].isna().all():
        return ["The paper has no figure for these data.", *absent]
    both = table[(table["n"] > 0) & table["paper"].notna()]
    gaps = both[tables.metric_of(both)] - both["paper"]
    away = (
        f"{gaps.median():+.1f} points (median), {gaps.min():+.1f} to {gaps.max():+.1f}"
    )
    lines = [f"{len(both)} scores beside the paper's; ours minus theirs: {away}."]
    baseline = tables.baselines(number)[0]
    theirs = table[table["method"] == baseline].set_index("modality")["paper"]
    compared = both[both[f"vs {baseline}"].notna()]
    published = compared["paper"] - compared["modality"].map(theirs)
    same = np.sign(published) == np.sign(compared[f"vs {baseline}"])
    decided = compared["arrow"].isin(["↑", "↓"]).sum()
    text = f"Of {len(compared)} differences from {baseline}, {same.sum()} have"
    interval = f"for {decided} our 95 % interval excludes zero"
    lines.append(f"{text} the paper's sign; {interval}.")
    if not same.all():
        lines.append(f"Another sign than in the paper: {_places(compared[~same])}.")
    return [*lines, *absent]


def _places(table: pd.DataFrame) -> str:
    """Rows and their networks, in words: "discom, without adv (rgb, depth)"."""
    networks = table.groupby("method", sort=False)["modality"].agg(", ".join)
    return "; ".join(f"{readable(name)} ({each})" for name, each in networks.items())


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


def results_of(files: str) -> list[Result]:
    """The runs of results files, and of zips of a `report`, whose names stand between
    commas; none without a name. A RunError for a name with a slip, a DataError for a
    zip without results."""
    names = [place(name.strip()) for name in files.split(",") if name.strip()]
    return [result for name in names for result in _results_of(name)]


def _results_of(file: str) -> list[Result]:
    if not file.endswith(".zip"):
        return tables.collected(file, missing_ok=False)
    advice = "name the zip of a report, or its results.csv"
    with TemporaryDirectory() as folder:
        with as_data_error(file, "the zip of a report", advice):
            shutil.unpack_archive(file, folder)
            (found,) = Path(folder).glob("*/results.csv")
        return tables.collected(found, missing_ok=False)
