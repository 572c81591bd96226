"""Many runs put together: means over seeds, and differences paired by seed."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from discom import methods
from discom.errors import RunError
from discom.files import read_json, write_json
from discom.methods import label
from discom.runs import Result

__all__ = ["BASELINES", "METRICS", "by_dials", "collect", "label", "load_results", "metric_of", "paired_difference",
           "summary"]  # fmt: skip

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called


def load_results(path: Path | str) -> list[Result]:
    """Finished runs, ordered by data, method and seed: all under a folder of runs, or those
    collected in a JSON file.

    Args:
        path: a folder of runs; a file that `collect` wrote; or a folder of such files.

    Raises:
        RunError: there is none, a file holds something else, or a run is there twice.
    """
    path = Path(path)
    if path.is_file():
        found = _collected(path)
    else:
        found = _read(path)
        found = found or [
            result for file in sorted(path.glob("*.json")) for result in _collected(file)
        ]
    if not found:
        raise RunError(
            f"{path}: no finished run in it; train one with: discom train --data scenes --runs {path}"
        )
    known = methods.names()
    place = {name: number for number, name in enumerate(known)}
    return sorted(found, key=lambda r: (r.data, place.get(r.method, len(known)), r.seed, r.hash))


def _read(folder: Path) -> list[Result]:
    """The results of all runs under a folder; one that was copied would count twice."""
    found: dict[tuple, tuple[Path, Result]] = {}
    for file in sorted(folder.rglob("result.json")):
        result = Result.read(file)
        measured = (result.data, result.method, result.seed, result.hash, result.seconds)
        if measured in found:
            raise RunError(f"{file}: a copy of {found[measured][0]}; delete one of the two folders")
        found[measured] = file, result
    return [result for _, result in found.values()]


def _collected(file: Path) -> list[Result]:
    held = read_json(file)
    return [
        Result.from_json(fields, file) for fields in (held if isinstance(held, list) else [held])
    ]


def collect(results: Iterable[Result], file: Path | str) -> None:
    """Write results into one JSON file, which `load_results` reads."""
    write_json(file, [result.to_json() for result in results])


def paired_difference(
    ours: Sequence[float] | np.ndarray, theirs: Sequence[float] | np.ndarray, level: float = 0.95
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
        raise ValueError(
            f"{len(ours)} scores against {len(theirs)}: pairs need equal shapes, and one pair at least"
        )
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    if len(difference) < 2:
        return float(difference.mean()), np.nan, np.nan
    alike = np.ptp(difference) < 1e-12  # no spread but rounding: the interval is the point itself
    low, high = (
        (difference.mean(),) * 2
        if alike
        else stats.ttest_rel(ours, theirs).confidence_interval(level)
    )
    return float(difference.mean()), float(low), float(high)


def _group(result: Result) -> str:
    """What two runs must share to stand in one table: data and settings, but not the seed or the
    method's options."""
    shared = {
        name: value for name, value in result.config.items() if name not in ("seed", "options")
    }
    return json.dumps([result.data, shared], sort_keys=True)


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options) and deployed network.

    Columns: data, method, modality, n (seeds), f1 or miou (mean), sd, and for each baseline b
    `vs b`, `vs b low`, `vs b high`: the paired difference and its 95 % interval, over the seeds
    that both have.

    Raises:
        RunError: no results; results of classification and of dense prediction; or two runs of the
            same data, method, options and seed.
    """
    listed = [{"data": r.data, "group": _group(r), "result": r} for r in results]
    if not listed:
        raise RunError("summary: no results; train some runs first")
    if len(kinds := {row["result"].metric for row in listed}) > 1:
        raise RunError(
            f"summary: results scored by {' and by '.join(sorted(kinds))}; collect them apart"
        )
    rows, groups = [], pd.DataFrame(listed)
    for (data, _), group in groups.groupby(["data", "group"], sort=False):
        runs: dict[str, dict[int, Result]] = {}
        for result in group["result"]:
            method = label(result.method, result.config["options"])
            if result.seed in runs.setdefault(method, {}):
                raise RunError(
                    f"{data}: two runs of {method} with seed {result.seed}; collect them apart"
                )
            runs[method][result.seed] = result
        for method, seeds in runs.items():
            for modality in dict.fromkeys(name for run in seeds.values() for name in run.scores):
                rows.append(
                    {
                        "data": data,
                        "method": method,
                        "modality": modality,
                        **_row(runs, method, modality, baselines),
                    }
                )
    return pd.DataFrame(rows)


def _row(runs, method: str, modality: str, baselines: Sequence[str]) -> dict[str, float]:
    seeds = {seed: run for seed, run in runs[method].items() if modality in run.main}
    held = [result.main[modality] for result in seeds.values()]
    row = {
        "n": len(held),
        next(iter(seeds.values())).metric: float(np.mean(held)),
        "sd": float(np.std(held, ddof=1)) if len(held) > 1 else np.nan,
    }
    for baseline in baselines:
        others = {seed: run for seed, run in runs.get(baseline, {}).items() if modality in run.main}
        common = [seed for seed in seeds if seed in others] if baseline != method else []
        values = (np.nan,) * 3
        if common:
            ours, theirs = (
                [runs[seed].main[modality] for seed in common] for runs in (seeds, others)
            )
            values = paired_difference(ours, theirs)
        row |= dict(
            zip(
                (f"vs {baseline}", f"vs {baseline} low", f"vs {baseline} high"), values, strict=True
            )
        )
    return row


def metric_of(table: pd.DataFrame) -> str:
    """The column that holds the score of a summary: "f1" or "miou".

    >>> metric_of(pd.DataFrame({"method": ["crodino"], "miou": [60.0]}))
    'miou'
    """
    return next(name for name in METRICS if name in table)


def by_dials(table: pd.DataFrame) -> pd.DataFrame:
    """A summary with a column for every dial that the names of its data sets tell; a dial at rest
    is filled in.

    >>> table = pd.DataFrame({"data": ["scenes-shared=0.5", "scenes"], "f1": [60.0, 70.0]})
    >>> by_dials(table)[["shared", "f1"]].to_numpy().tolist()
    [[0.5, 60.0], [1.0, 70.0]]
    """
    rest = {"shared": 1.0, "labelled": 1.0, "labelled_rgb": 1.0, "labelled_thermal": 1.0}
    told = [
        dict(re.findall(r"-([a-z_]+)=([0-9.e+-]+?)(?=-[a-z]|$)", name)) for name in table["data"]
    ]
    names = list(dict.fromkeys(name for dials in told for name in dials))
    columns = {
        name: [float(dials.get(name, rest.get(name, 0.0))) for dials in told] for name in names
    }
    return table.assign(**columns)
