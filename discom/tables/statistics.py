"""Many runs put together: means over seeds, and differences paired by seed.

What a seed draws decides how much n seeds tell. Where every seed has samples of its own ("samples":
synthetic data), the differences are independent, and the variance of their mean is s²/n. Where all
split one set anew ("split"), their training and test parts overlap; Nadeau and Bengio (2003) put
(1/n + n_test/n_train)·s² in its place (n_train counts samples whose label was hidden, and none that
never had one). Where all have one split ("weights": official parts), it is s²/n again, and says
nothing about other test samples. Folds are pooled, and the interval is one over groups: `folds`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.errors import RunError
from discom.files import digest
from discom.running.identity import SEEDS
from discom.running.runs import Result
from discom.tables.folds import group_test, tally, total
from discom.tables.intervals import holm, t_test

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called
APART = "collect them apart"


# of a run or a row; all else must be shared
OWN = ("seed", "learning_rate", "precision", "options")


def _shared(result: Result) -> dict[str, Any]:
    """What two runs must share to be compared, beside their data: the number of folds, and the
    settings but the seed, and what each row has of its own: learning rate, precision, options."""
    shared = {name: value for name, value in result.config.items() if name not in OWN}
    return {"folds": result.folds, **shared}


class _Group(NamedTuple):
    """Runs that may be compared: the data's name; the settings in which it differs from others;
    scores, with rows SEEDS and columns (method, modality) in the order of the runs; each method's
    learning rate; network → best possible score; what a seed draws, and its name among SEEDS; the
    overlap of the seeds' samples, see `paired_difference`; and of folds (method, modality) → seeds
    → their `tally`."""

    data: str
    settings: dict[str, Any]
    scores: pd.DataFrame
    rates: dict[str, float]
    best: dict[str, float]
    draws: str
    drawing: str
    overlap: float
    tallies: dict[tuple[str, str], dict[tuple, pd.DataFrame]]
    metric: str

    def each(self, values: pd.Series) -> np.ndarray:
        """The mean of the values with each seed that draws, ascending: [n]."""
        return values.dropna().groupby(level=self.drawing, dropna=False).mean().to_numpy()

    def differences(self, method: str, minus: str, modality: str) -> np.ndarray:
        """Of two methods' scores on the seeds that both have, ascending: [n]."""
        if method == minus or (minus, modality) not in self.scores:
            return np.empty(0)
        return self.each(self.scores[method, modality] - self.scores[minus, modality])

    def test(self, method: str, minus: str, modality: str) -> tuple[float, float, float, float]:
        """Mean of the differences, its 95 % interval and p-value."""
        each = self.differences(method, minus, modality)
        if not self.tallies or not len(each):
            return t_test(each, self.overlap)
        ours, theirs = (self.tallies[name, modality] for name in (method, minus))
        seeds = [each for each in ours if each in theirs]
        return group_test([ours[s] for s in seeds], [theirs[s] for s in seeds], self.metric)


def grouped(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """Digits of the data and settings → runs that may be compared."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.digest, digest(_shared(result))), []).append(result)
    return groups


def _groups(results: Iterable[Result]) -> list[_Group]:
    """All runs, in groups of the same data and settings; see `summary` for the errors."""
    groups = grouped(results)
    every = pd.DataFrame([{**_shared(runs[0]), "data": key[0]} for key, runs in groups.items()])
    values = every.groupby("data").nunique() if len(every) else every
    varied = [name for name in values if (values[name] > 1).any()]
    named = Counter(name for name, _ in {(runs[0].data, key[0]) for key, runs in groups.items()})
    made = []
    for (data, _), runs in groups.items():
        shared, name = _shared(runs[0]), runs[0].data
        settings = {key: shared.get(key) for key in ("labelled", *varied)}
        name = name if named[name] == 1 else f"{name} [{data[:4]}]"
        made.append(_group(runs, name, settings))
    return made


def _group(results: Sequence[Result], data: str, settings: dict[str, Any]) -> _Group:
    rates: dict[str, float] = {}
    best: dict[str, float] = {}
    same: dict[tuple[str, tuple], list[Result]] = {}  # one, or as many as there are folds
    for method, result in zip(_names(results), results, strict=True):
        rates[method], best = result.config["learning_rate"], {**best, **result.best}
        runs = same.setdefault((method, _seeds(result)), [])
        for other in runs:
            if other.fold == result.fold:
                places = f"{other.folder('.')} and {result.folder('.')}"
                found = f"two runs of {method} with seed {result.seed}, {places}"
                raise RunError(data, found, APART)
        runs.append(result)
    metric, overlap = results[0].metric, 0.0
    draws, drawing = _draws(results)
    columns: dict[tuple[str, str], dict[tuple, float]] = {}
    tallies: dict[tuple[str, str], dict[tuple, pd.DataFrame]] = {}
    for (method, seeds), runs in same.items():
        pooled = tally(runs) if runs[0].folds else {}
        for modality, table in pooled.items():
            tallies.setdefault((method, modality), {})[seeds] = table
        scores = {name: total(table, metric) for name, table in pooled.items()} or runs[0].main
        for modality, score in scores.items():
            columns.setdefault((method, modality), {})[seeds] = score
    if tallies and draws == "samples":
        raise RunError(data, "folds of samples that each seed draws", "fix it: scenes:seed=0")
    if tallies:
        groups = max(len(table) for tables in tallies.values() for table in tables.values())
        draws = f"{results[0].folds} folds, {groups} groups"
    if draws == "split":
        tested = [run.counts["test"] * settings["labelled"] for run in results]
        trained = [run.counts.get("labelled", run.counts["train"]) for run in results]
        overlap = float(np.mean(np.divide(tested, trained)))
    rows = pd.MultiIndex.from_tuples(sorted({seeds for _, seeds in same}), names=SEEDS)
    frame = pd.DataFrame({key: pd.Series(own).reindex(rows) for key, own in columns.items()})
    return _Group(data, settings, frame, rates, best, draws, drawing, overlap, tallies, metric)


UNDRAWN = -1  # the seed of what no seed draws


def _seeds(result: Result) -> tuple[int, ...]:
    """The values of SEEDS: runs are compared where all are the same."""
    return tuple(UNDRAWN if (s := getattr(result, name)) is None else s for name in SEEDS)


def _names(results: Sequence[Result]) -> list[str]:
    """What their rows are called: by method and options, and by learning rate and the precision
    that was used where a method has several."""
    tried = {(r.label, r.config["learning_rate"], r.config["precision"]) for r in results}
    rates = Counter(method for method, _ in {each[:2] for each in tried})
    precisions = Counter(method for method, _ in {(each[0], each[2]) for each in tried})
    names = []
    for result in results:
        rate, precision = result.config["learning_rate"], result.config["precision"]
        several = [f"lr={rate:g}"] * (rates[result.label] > 1)
        several += [precision] * (precisions[result.label] > 1)
        names.append(" ".join([result.label, *several]))
    return names


def _draws(results: Sequence[Result]) -> tuple[str, str]:
    """What a seed draws, and its name among SEEDS: "samples", a "split" of them, or the "weights"
    alone; nothing where there is one seed."""
    for name, kind in zip(SEEDS, ("samples", "split", "weights"), strict=True):
        if len({getattr(result, name) for result in results}) > 1:
            return kind, name
    return "", "seed"


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options, and with its learning rate and precision
    where it has several) and deployed network.

    Columns: data, labelled (share of the labels), every other setting in which runs on the same
    data differ, method, modality, n (seeds), lr (learning rate), f1 or miou (mean), sd, best (the
    best possible score in %, where the data say it), draws (what a seed draws: see this module; of
    folds how many, and of how many groups),
    and for each baseline b `vs b`, `vs b low`, `vs b high`: the paired difference with its 95 %
    interval. Two data sets of one name have four digits behind it.

    Raises:
        RunError: no results; results of classification and of dense prediction; or two runs of the
            same data, settings, method, options, learning rate and seed.
    """
    results = list(results)
    metrics = sorted({result.metric for result in results})
    if not metrics:
        raise RunError("summary", "no results", "train some runs first")
    if len(metrics) > 1:
        raise RunError("summary", f"results scored by {' and by '.join(metrics)}", APART)
    rows = []
    for group in _groups(results):
        for method, modality in group.scores:
            values = pd.Series(group.each(group.scores[method, modality]))
            row = {"data": group.data, **group.settings, "method": method, "modality": modality}
            row |= {"n": len(values), "lr": group.rates[method]}
            row |= {metrics[0]: values.mean(), "sd": values.std()}
            row |= {"best": group.best.get(modality, np.nan), "draws": group.draws}
            for baseline in baselines:
                interval = group.test(method, baseline, modality)[:3]
                names = (f"vs {baseline}{end}" for end in ("", " low", " high"))
                row |= zip(names, interval, strict=True)
            rows.append(row)
    return pd.DataFrame(rows)


def compare(results: Iterable[Result], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Differences of pairs (method, method to subtract), named as by `label`, paired by seed, on
    every data set, settings and deployed network that both have.

    A row for each comparison: data and settings as in `summary`, modality, method, minus, n (seeds
    in common), difference, low, high (95 % interval of `paired_difference`, of folds `group_test`),
    p (of the same test, 1 for one seed), holm (p corrected for all rows) and each (the differences,
    [n], seeds ascending). Refuses the runs that `summary` refuses.
    """
    groups, rows = _groups(results), []
    for method, minus in pairs:
        for group in groups:
            for modality in [name for own, name in group.scores if own == method]:
                each = group.differences(method, minus, modality)
                if len(each):
                    row = {"data": group.data, **group.settings, "modality": modality}
                    row |= {"method": method, "minus": minus, "n": len(each)}
                    test = group.test(method, minus, modality)
                    row |= zip(("difference", "low", "high", "p"), test, strict=True)
                    rows.append(row | {"each": each})
    names = ["data", "labelled", "modality", "method", "minus", "n", "difference", "low", "high"]
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*names, "p", "each"])
    table.insert(list(table).index("each"), "holm", holm(table["p"].to_numpy()))
    return table


def added_sensor(
    larger: Sequence[Result], smaller: Sequence[Result], methods: Iterable[str]
) -> pd.DataFrame:
    """What one more sensor changes: runs of the larger data set minus runs of the smaller one, as
    rows of `compare`, for each method (named as by `label`) and each sensor that both read."""
    data, digits = smaller[0].data, smaller[0].digest  # runs on other data are not compared
    named = [
        replace(run, data=data, digest=digits, method=f"{run.label}, one more", changed={})
        for run in larger
    ]
    return compare([*smaller, *named], [(f"{name}, one more", name) for name in methods])


def metric_of(table: pd.DataFrame) -> str:
    """The column that holds the score of a summary: "f1" or "miou".

    >>> metric_of(pd.DataFrame({"method": ["crodino"], "miou": [60.0]}))
    'miou'
    """
    return next(name for name in METRICS if name in table)
