"""Many runs put together: means over seeds, differences paired by seed, and Holm's correction."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from discom import methods
from discom.errors import RunError
from discom.files import read_json, write_json
from discom.runs import Result

__all__ = ["BASELINES", "METRICS", "collect", "compare", "holm", "load_results"]
__all__ += ["metric_of", "paired_difference", "settings_of", "summary"]

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called


def load_results(path: Path | str) -> list[Result]:
    """Finished runs, ordered by data, method and seed.

    Args:
        path: a folder of runs; a file that `collect` wrote; or a folder of such files.

    Raises:
        RunError: there is none, or a file holds something else.
    """
    path = Path(path)
    results = [Result.read(file) for file in sorted(path.rglob("result.json"))]
    if not results:
        for file in [path] if path.is_file() else sorted(path.glob("*.json")):
            content = read_json(file)
            listed = content if isinstance(content, list) else [content]
            results += [Result.from_json(fields, file) for fields in listed]
    if not results:
        way_out = f"train one with: discom train --data scenes --runs {path}"
        raise RunError(f"{path}: no finished run in it; {way_out}")
    place = {name: number for number, name in enumerate(methods.names())}
    return sorted(results, key=lambda r: (r.data, place.get(r.method, len(place)), r.seed, r.hash))


def collect(results: Iterable[Result], file: Path | str) -> None:
    """Write results into one JSON file, which `load_results` reads."""
    write_json(file, [result.to_json() for result in results])


def paired_difference(
    ours: Sequence[float] | np.ndarray, theirs: Sequence[float] | np.ndarray
) -> tuple[float, float, float]:
    """Mean of the differences of runs with the same seed, and its 95 % Student-t interval.

        d_i = a_i - b_i;  d̄ ± t_{n-1} · sd(d) / √n

    Row i of both comes from the same seed and split; the bounds are NaN for n = 1.

    Raises:
        ValueError: lengths that differ, or no scores.

    >>> tuple(round(v, 2) for v in paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]))
    (2.0, -0.48, 4.48)
    """
    return _paired_test(ours, theirs)[:3]


def _paired_test(ours, theirs) -> tuple[float, float, float, float]:
    """`paired_difference` and the p-value of the paired t test, 1 for one seed."""
    if not len(ours) == len(theirs) > 0:
        raise ValueError(f"{len(ours)} scores against {len(theirs)}: pairs need equal shapes")
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    mean = float(difference.mean())
    if len(difference) < 2:
        return mean, np.nan, np.nan, 1.0
    if np.ptp(difference) < 1e-12:  # no spread but rounding: scipy would divide by 0
        return mean, mean, mean, float(abs(mean) < 1e-12)
    test = stats.ttest_rel(ours, theirs)
    low, high = test.confidence_interval()
    return mean, float(low), float(high), float(test.pvalue)


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's correction of the p-values of all comparisons that are read together [m], in their
    order: p̃ < α makes any false alarm among them as rare as α.

        p̃_(i) = max_{j ≤ i} min(1, (m - j + 1) p_(j)),  with p_(j) the j-th smallest of m

    Source: S. Holm, A simple sequentially rejective multiple test procedure, 1979.

    Raises:
        ValueError: a value outside of [0, 1], or NaN.

    >>> [round(float(v), 2) for v in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"holm: p-values lie in [0, 1], got {values.tolist()}")
    order, adjusted = np.argsort(values), np.empty(len(values))
    steps = (len(values) - np.arange(len(values))) * values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def settings_of(result: Result) -> str:
    """What two runs must share to be compared: data and settings but seed and method's options."""
    own = ("seed", "options")
    shared = {name: value for name, value in result.config.items() if name not in own}
    return json.dumps([result.data, shared], sort_keys=True)


def _groups(results: Iterable[Result]) -> list[tuple[str, pd.DataFrame]]:
    """The scores of all runs that may be compared: for each data set and settings the data's name,
    and a frame with rows seeds, columns (method, modality), in the order of the runs."""
    groups: dict[tuple[str, str], dict[tuple[str, str], dict[int, float]]] = {}
    for result in results:
        columns = groups.setdefault((result.data, settings_of(result)), {})
        method = methods.label(result.method, result.config["options"])
        for modality, score in result.main.items():
            seeds = columns.setdefault((method, modality), {})
            if result.seed in seeds:
                run = f"{method} with seed {result.seed}"
                raise RunError(f"{result.data}: two runs of {run}; collect them apart")
            seeds[result.seed] = score
    return [(data, pd.DataFrame(columns).sort_index()) for (data, _), columns in groups.items()]


def _pairs(group: pd.DataFrame, method: str, minus: str, modality: str) -> np.ndarray:
    """Scores of two methods on the seeds that both have, ascending: [2, n]."""
    columns = [(method, modality), (minus, modality)]
    if method == minus or not all(column in group for column in columns):
        return np.empty((2, 0))
    return group[columns].dropna().to_numpy().T


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options) and deployed network.

    Columns: data, method, modality, n (seeds), f1 or miou (mean), sd, and for each baseline b
    `vs b`, `vs b low`, `vs b high`: the paired difference with its 95 % interval.

    Raises:
        RunError: no results; results of classification and of dense prediction; or two runs of the
            same data, settings, method, options and seed.
    """
    results = list(results)
    metrics = sorted({result.metric for result in results})
    if len(metrics) != 1:
        reason = f"results scored by {' and by '.join(metrics)}; collect them apart"
        raise RunError(f"summary: {reason if results else 'no results; train some runs first'}")
    rows = []
    for data, group in _groups(results):
        for method, modality in group:
            values = group[method, modality].dropna()
            row = {"data": data, "method": method, "modality": modality}
            row |= {"n": len(values), metrics[0]: values.mean(), "sd": values.std()}
            for baseline in baselines:
                ours, theirs = _pairs(group, method, baseline, modality)
                interval = paired_difference(ours, theirs) if len(ours) else (np.nan,) * 3
                for end, value in zip(("", " low", " high"), interval, strict=True):
                    row[f"vs {baseline}{end}"] = value
            rows.append(row)
    return pd.DataFrame(rows)


def compare(results: Iterable[Result], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Differences of pairs (method, method to subtract), named as by `label`, paired by seed, on
    every data set, settings and deployed network that both have.

    Returns:
        A row for each comparison: data, modality, method, minus, n (seeds in common), difference,
        low, high (95 % Student-t interval, NaN for one seed), p (of the paired t test, 1 for one
        seed), holm (p corrected for all rows) and each (the differences, [n], seeds ascending).

    Raises:
        RunError: two runs of the same data, settings, method, options and seed.
    """
    columns = ["data", "modality", "method", "minus", "n", "difference", "low", "high", "p", "each"]
    groups, rows = _groups(results), []
    for method, minus in pairs:
        for data, group in groups:
            for modality in [name for own, name in group if own == method]:
                ours, theirs = _pairs(group, method, minus, modality)
                if len(ours):
                    place = (data, modality, method, minus, len(ours))
                    rows.append((*place, *_paired_test(ours, theirs), ours - theirs))
    table = pd.DataFrame(rows, columns=columns)
    table.insert(9, "holm", holm(table["p"].to_numpy()))
    return table


def metric_of(table: pd.DataFrame) -> str:
    """The column that holds the score of a summary: "f1" or "miou".

    >>> metric_of(pd.DataFrame({"method": ["crodino"], "miou": [60.0]}))
    'miou'
    """
    return next(name for name in METRICS if name in table)
