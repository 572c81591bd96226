"""Compare methods along dials of the synthetic scenes: when does the other sensor help?

Each combination of dials is a data set, drawn anew for each seed. A stopped sweep continues.

python benchmarks/grid.py --dials '{"shared": [0, 0.5, 1]}' --methods student kdv2 discom
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from discom import data, methods, plots, profile, sweep, tables
from discom.config import Config
from discom.errors import ConfigError, DiscomError
from discom.plots.look import look, panels
from discom.runs import Result, Run

DIALS = ("shared", "seen", "labelled", "unpaired")  # the numbers that stand in a data set's name


def dials(text: str) -> dict[str, list[float]]:
    """The type of --dials: arguments of the scenes, and the values that each takes."""
    turned = {name: list(values) for name, values in dict(json.loads(text)).items()}
    if not turned or set(turned) - set(DIALS) or not all(turned.values()):
        raise argparse.ArgumentTypeError(f"{text}: give one of {', '.join(DIALS)} its values")
    return turned


def arm(text: str) -> tuple[str, dict]:
    """The type of --methods: a method and its options, `name` or `name:{JSON}`."""
    name, _, options = text.partition(":")
    return name, dict(json.loads(options or "{}"))


def setting(text: str) -> tuple[str, object]:
    """The type of --set: a setting of Config and its value."""
    name, _, value = text.partition("=")
    kind = type(getattr(Config, name, ""))
    return name, json.loads(value) if kind is bool else kind(value)


def gains(table: pd.DataFrame, dial: str, *others: str, against: list[str]) -> Figure:
    """Differences to each baseline over a dial, with 95 % intervals: a panel for each baseline and
    modality, a curve for each method and value of the other dials."""
    score = tables.METRICS["f1" if "f1" in table else "miou"]
    ordered = table.sort_values([dial, *others], kind="stable")
    modalities = [name for name in table["modality"].unique() if "+" not in name]
    figure, axes = panels(len(against), len(modalities), 4.8 * len(modalities), 3 * len(against))
    for axis, (baseline, modality) in zip(axes.flat, product(against, modalities), strict=True):
        rows = ordered[(ordered["modality"] == modality) & (ordered["method"] != baseline)]
        curves = rows.groupby(["method", *others], sort=False)
        for number, ((method, *values), curve) in enumerate(curves):
            label = ", ".join([method, *map("{}={:g}".format, others, values)])
            ends = [curve[f"vs {baseline}{end}"] for end in (" low", "", " high")]
            aside = 0.012 * number * np.ptp(table[dial])  # lest one hides another
            style = {"label": label, "capsize": 2, **look(number)}
            axis.errorbar(curve[dial] + aside, ends[1], np.diff(ends, axis=0), **style)
        axis.axhline(0, color="black", linewidth=0.8, linestyle=":")
        axis.set(xlabel=dial, ylabel=f"{score} points", title=f"{modality}, minus {baseline}")
        axis.legend(frameon=False, fontsize=8)
    return figure


def plan(chosen: argparse.Namespace) -> tuple[list[Run], dict[str, str], pd.DataFrame]:
    """The runs; the scenes to draw for a run, by its fingerprint; the dials of each data set."""
    fixed = chosen.data if ":" in chosen.data else f"{chosen.data}:"
    runs, places, turned = [], {}, {}
    for seed, *values in product(range(chosen.seeds), *chosen.dials.values()):
        point = dict(zip(chosen.dials, values, strict=True))
        place = ",".join([fixed, *map("{}={}".format, point, values)])
        images = data.load(data.at_seed(place, seed))
        places[images.fingerprint], turned[images.name] = place, point
        for name, options in chosen.methods:
            changes = {**dict(chosen.set), "seed": seed, "options": options}
            config = profile(chosen.profile, dense=images.dense, **changes)
            runs.append(Run.of(chosen.runs, methods.get(name), images, config))
    return runs, places, pd.DataFrame(turned).T.astype(float)


def compare(chosen: argparse.Namespace) -> bool:
    """Train what is missing, then print, write and draw the table; whether no run failed."""
    labels = [methods.label(*each) for each in chosen.methods]
    against = chosen.against or labels[:1]
    if absent := set(against) - set(labels):
        raise ConfigError(f"--against: '{absent.pop()}' is not among {', '.join(labels)}")
    runs, places, turned = plan(chosen)
    if not runs:
        raise ConfigError(f"--seeds: {chosen.seeds} runs make no table; use 1 or more")
    failed = sweep.sweep(runs, lambda run: places[run.fingerprint], workers=chosen.workers)
    folders = [run.folder for run in runs if run.folder not in failed]
    if results := [Result.read(folder / "result.json") for folder in folders]:
        table = tables.summary(results, against).join(turned, on="data")
        print(tables.to_markdown(table, against))
        if chosen.collect:
            tables.collect(results, chosen.collect)
        if chosen.out:
            tables.write(table, chosen.out, against)
            plots.style()
            gains(table, *chosen.dials, against=against).savefig(f"{chosen.out}.png")
    sys.stderr.writelines(f"grid: error: {error}\n" for error in failed.values())
    return not failed


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; the exit status is 1 where runs failed, 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="scenes", help="scenes-dense, or such as scenes:n=600")
    parser.add_argument("--dials", type=dials, required=True, help="argument → its values, JSON")
    parser.add_argument("--methods", type=arm, nargs="+", required=True, help="name or name:{JSON}")
    parser.add_argument("--against", nargs="+", help="labels of baselines (default: the first)")
    parser.add_argument("--profile", default="cpu", help="tiny, cpu (default) or paper")
    parser.add_argument("--set", type=setting, nargs="+", default=[], help="such as epochs=15")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--runs", type=Path, default="runs", help="the folder of all runs")
    parser.add_argument("--workers", type=int, default=0, help="side by side (default: all cores)")
    parser.add_argument("--out", type=Path, help="write OUT.md, .csv, .tex and .png")
    parser.add_argument("--collect", type=Path, help="write all results into this JSON file")
    try:
        return 0 if compare(parser.parse_args(arguments)) else 1
    except KeyboardInterrupt as stop:
        print(f"grid: {stop or 'interrupted'}", file=sys.stderr)
        return 130
    except (DiscomError, OSError) as error:
        print(f"grid: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
