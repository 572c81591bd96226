"""Many runs put together: means over seeds, and differences paired by seed."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from discom import methods
from discom.errors import RunError
from discom.runs import Result
from discom.storage import read_json, write_json

__all__ = ["BASELINES", "collect", "cost_to_markdown", "load_results", "paired_difference", "summary", "to_markdown"]

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with


def load_results(path: Path | str) -> list[Result]:
    """Finished runs, ordered by data, method and seed: all under a folder of runs, or those collected in a JSON file.

    Args:
        path: a folder of runs; a file that `collect` wrote; or a folder of such files.

    Raises:
        RunError: there is none, or a file holds something else.
    """
    path = Path(path)
    if path.is_file():
        found = _collected(path)
    else:
        found = [Result.read(file) for file in sorted(path.rglob("result.json"))]
        found = found or [result for file in sorted(path.glob("*.json")) for result in _collected(file)]
    if not found:
        raise RunError(f"{path}: no finished run in it; train one with: discom train --data scenes --runs {path}")
    known = methods.names()
    place = {name: number for number, name in enumerate(known)}
    return sorted(found, key=lambda r: (r.data, place.get(r.method, len(known)), r.seed, r.hash))


def _collected(file: Path) -> list[Result]:
    held = read_json(file)
    try:
        return [Result(**fields) for fields in (held if isinstance(held, list) else [held])]
    except TypeError as error:
        raise RunError(f"{file}: not results of ours ({error}); collect them again") from None


def collect(results: Iterable[Result], file: Path | str) -> None:
    """Write results into one JSON file, which `load_results` reads."""
    write_json(file, [vars(result) for result in results])


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], level: float = 0.95
) -> tuple[float, float, float]:
    """Mean of the differences of runs with the same seed, and its Student-t interval.

    d_i = a_i - b_i;  d̄ ± t_{n-1} · sd(d) / √n

    Args:
        ours, theirs: scores of equal length n, row i of both from the same seed and split.
        level: coverage of the interval.

    Returns:
        Mean, lower and upper bound, in the unit of the scores; the bounds are NaN for n = 1.

    Raises:
        ValueError: lengths that differ, or no scores.

    >>> tuple(round(v, 2) for v in paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]))
    (2.0, -0.48, 4.48)
    """
    if not len(ours) == len(theirs) > 0:
        raise ValueError(f"{len(ours)} scores against {len(theirs)}: pairs need equal shapes, and one pair at least")
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    if len(difference) < 2:
        return float(difference.mean()), np.nan, np.nan
    alike = np.ptp(difference) < 1e-12  # no spread but rounding: the interval is the point itself
    low, high = (difference.mean(),) * 2 if alike else stats.ttest_rel(ours, theirs).confidence_interval(level)
    return float(difference.mean()), float(low), float(high)


def _group(result: Result) -> str:
    """What two runs must share to stand in one table: data and settings, but not the seed or the method's options."""
    shared = {name: value for name, value in result.config.items() if name not in ("seed", "options")}
    return json.dumps([result.data, sorted(result.scores), shared], sort_keys=True)


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method and modality.

    Columns: data, method, modality, n (seeds), f1 (mean), sd, and for each baseline b
    `vs b`, `vs b low`, `vs b high`: the paired difference and its 95 % interval, over the seeds that both have.

    Raises:
        RunError: no results; or two runs of the same data, method and seed that differ in the method's options.
    """
    listed = [{"data": r.data, "group": _group(r), "result": r} for r in results]
    if not listed:
        raise RunError("summary: no results; train some runs first")
    rows, groups = [], pd.DataFrame(listed)
    for (data, _), group in groups.groupby(["data", "group"], sort=False):
        runs: dict[str, dict[int, Result]] = {}
        for result in group["result"]:
            if result.seed in runs.setdefault(result.method, {}):
                raise RunError(f"{data}: two runs of {result.method} with seed {result.seed}; collect them apart")
            runs[result.method][result.seed] = result
        for method, seeds in runs.items():
            for modality in next(iter(seeds.values())).scores:
                rows.append(
                    {"data": data, "method": method, "modality": modality, **_row(runs, method, modality, baselines)}
                )
    return pd.DataFrame(rows)


def _row(runs, method: str, modality: str, baselines: Sequence[str]) -> dict[str, float]:
    seeds = runs[method]
    f1 = [result.f1[modality] for result in seeds.values()]
    row = {
        "n": len(f1),
        "f1": float(np.mean(f1)),
        "sd": float(np.std(f1, ddof=1)) if len(f1) > 1 else np.nan,
    }
    for baseline in baselines:
        common = [seed for seed in seeds if seed in runs.get(baseline, {})] if baseline != method else []
        values = (np.nan,) * 3
        if common:
            ours, theirs = ([runs[name][seed].f1[modality] for seed in common] for name in (method, baseline))
            values = paired_difference(ours, theirs)
        row |= dict(zip((f"vs {baseline}", f"vs {baseline} low", f"vs {baseline} high"), values, strict=True))
    return row


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """A summary as a Markdown table: F1 as mean ± sd, differences with their interval in brackets."""
    shown = [name for name in baselines if table[f"vs {name}"].notna().any()]
    heads = ["data", "method", "modality", "n", "F1", *(f"Δ {name}" for name in shown)]
    rows = []
    for _, row in table.iterrows():
        f1 = f"{row['f1']:.1f}" + ("" if np.isnan(row["sd"]) else f" ± {row['sd']:.1f}")
        cells = [row["data"], row["method"], row["modality"], str(row["n"]), f1]
        cells += [_difference(row, f"vs {name}") for name in shown]
        rows.append(cells)
    return _markdown(heads, rows)


def cost_to_markdown(results: Iterable[Result]) -> str:
    """What a run costs, as a Markdown table: medians over the runs of a method, its quickest run, and the machine."""
    rows = pd.DataFrame(
        [
            {
                "data": r.data,
                "method": r.method,
                "parameters at use": f"{max(r.parameters.values()):,}".replace(",", " "),
                "s per run": r.seconds,
                "samples/s": r.pairs_per_second,
                "peak MB": r.peak_memory_mb,
                "machine": f"{r.machine['processor']}, {r.machine['threads']} threads, device {r.machine['device']}",
            }
            for r in results
        ]
    )
    groups = rows.groupby(["data", "method", "parameters at use"], sort=False)
    table = groups[["s per run", "samples/s", "peak MB"]].median()
    table.insert(1, "quickest", groups["s per run"].min())
    heads = ["data", "method", "parameters at use", "n", *table.columns]
    counts = groups.size()
    cells = [[*named, str(counts[named]), *(f"{value:.0f}" for value in row)] for named, row in table.iterrows()]
    return f"{_markdown(heads, cells)}\n\nMachine: {'; '.join(rows['machine'].unique())}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])


def _difference(row, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    interval = "" if np.isnan(row[f"{name} low"]) else f" [{row[f'{name} low']:+.1f}, {row[f'{name} high']:+.1f}]"
    return f"{row[name]:+.1f}{interval}"
