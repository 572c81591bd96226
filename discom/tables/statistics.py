"""Many runs put together: means over seeds, and differences paired by seed.

What a seed draws decides how much n seeds tell. Where every seed has samples of its own ("samples":
synthetic data), the differences are independent, and the variance of their mean is s²/n. Where all
split one set anew ("split"), their training and test parts overlap; Nadeau and Bengio (2003) put
(1/n + n_test/n_train)·s² in its place (n_train counts samples whose label was hidden, and none that
never had one). Where all have one split ("weights": official parts), it is s²/n again, and says
nothing about other test samples. Folds are pooled, and the interval is one over groups: `folds`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.errors import RunError
from discom.running.runs import SEEDS, Result
from discom.tables.folds import group_test, tally, total
from discom.tables.intervals import holm, t_test

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called
APART = "collect them apart"
# settings that each row may have of its own; runs are compared where they share all others
OWN = ("seed", "learning_rate", "precision", "options")
# which of a run's seeds differ → what a seed draws
DRAWS = dict(zip(SEEDS, ("samples", "split", "weights"), strict=True))
TESTED = ("difference", "low", "high", "p")


class _Group(NamedTuple):
    """Runs that may be compared, since they share data and settings."""

    place: dict[str, Any]  # the data's name, and the settings in which it differs from others
    rows: pd.DataFrame  # a row for each network and SEEDS: method, modality, lr, score, tally
    best: dict[str, float]  # network → best possible score
    draws: str  # what a seed draws
    drawing: str  # and its name among SEEDS
    overlap: float  # of the seeds' samples, see `paired_difference`
    metric: str

    def of_each_seed(self, scores: pd.Series, rows: pd.DataFrame) -> np.ndarray:
        """The mean of the scores with each seed that draws, ascending: [n]."""
        return scores.groupby(rows[self.drawing], dropna=False).mean().to_numpy()

    def test(
        self, method: str, minus: str, modality: str
    ) -> tuple[np.ndarray, tuple[float, float, float, float]]:
        """The differences of two methods on the seeds that both have, ascending, [n]; and their
        mean, its 95 % interval and p-value."""
        rows = self.rows[self.rows["modality"] == modality]
        ours, theirs = (rows[rows["method"] == name] for name in (method, minus))
        both = ours.merge(theirs[theirs["method"] != method], on=[*SEEDS])
        each = self.of_each_seed(both["score_x"] - both["score_y"], both)
        if both["tally_x"].notna().any():
            return each, group_test(both["tally_x"], both["tally_y"], self.metric)
        return each, t_test(each, self.overlap)


def _groups(results: Sequence[Result]) -> list[_Group]:
    """All runs, in groups of the same data and settings; see `summary` for the errors."""
    if len(metrics := sorted({result.metric for result in results})) != 1:
        found = f"results scored by {' and by '.join(metrics)}" if metrics else "no results"
        raise RunError("summary", found, APART if metrics else "train some runs first")
    settings = pd.DataFrame([{"folds": run.folds, **run.config} for run in results])
    digests = pd.Series([run.digest for run in results])
    names = pd.Series([run.data for run in results]).groupby(digests).transform("first")
    several = digests.groupby(names).transform("nunique") > 1  # data sets of one name
    shared = settings.drop(columns=[*OWN], errors="ignore")
    counts = shared.groupby(digests).nunique(dropna=False)
    varied = [name for name in counts if (counts[name] > 1).any()]
    places = settings[[*dict.fromkeys(["labelled", *varied])]]
    places.insert(0, "data", names.where(~several, names + " [" + digests.str[:4] + "]"))
    groups = places.groupby([*places], sort=False, dropna=False).indices.items()
    return [
        _group([results[row] for row in rows], dict(zip(places, place, strict=True)))
        for place, rows in groups
    ]


def _group(results: Sequence[Result], place: dict[str, Any]) -> _Group:
    first, best = results[0], dict[str, float]()
    same: dict[tuple, dict[int | None, Result]] = {}  # method and SEEDS → fold → its run
    for method, result in zip(_names(results), results, strict=True):
        best |= result.best
        runs = same.setdefault((method, *(getattr(result, name) for name in SEEDS)), {})
        if other := runs.get(result.fold):
            places = f"{other.folder('.')} and {result.folder('.')}"
            found = f"two runs of {method} with seed {result.seed}, {places}"
            raise RunError(place["data"], found, APART)
        runs[result.fold] = result
    rows = []
    for (method, *seeds), runs in same.items():
        own = next(iter(runs.values()))
        pooled = tally([*runs.values()]) if own.folds else {}
        scores = {name: total(table, own.metric) for name, table in pooled.items()} or own.main
        about = {"method": method, **dict(zip(SEEDS, seeds, strict=True))}
        about["lr"] = own.config["learning_rate"]
        for name, score in scores.items():
            rows.append({**about, "modality": name, "score": score, "tally": pooled.get(name)})
    drawn = [name for name in SEEDS if len({getattr(run, name) for run in results}) > 1]
    draws, drawing = (DRAWS[drawn[0]], drawn[0]) if drawn else ("", "seed")
    overlap = 0.0
    if first.folds and draws == "samples":
        raise RunError(place["data"], "folds of samples that each seed draws", "fix it: seed=0")
    if first.folds:
        draws = f"{first.folds} folds, {max(len(row['tally']) for row in rows)} groups"
    elif draws == "split":
        tested = [run.counts["test"] * place["labelled"] for run in results]
        trained = [run.counts.get("labelled", run.counts["train"]) for run in results]
        overlap = float(np.mean(np.divide(tested, trained)))
    return _Group(place, pd.DataFrame(rows), best, draws, drawing, overlap, first.metric)


def _names(results: Sequence[Result]) -> list[str]:
    """What their rows are called: by method and options, and by learning rate and the precision
    that was used where a method has several."""
    labels = pd.Series([result.label for result in results])
    names = labels.copy()
    for setting, form in (("learning_rate", " lr={:g}"), ("precision", " {}")):
        used = pd.Series([result.config[setting] for result in results])
        several = used.groupby(labels).transform("nunique") > 1
        names += used.map(form.format).where(several, "")
    return names.to_list()


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options, and with its learning rate and precision
    where it has several) and deployed network.

    Columns: data, labelled (share of the labels), every other setting in which runs on the same
    data differ, method, modality, n (seeds), lr (learning rate), f1 or miou (mean), sd, best (the
    best possible score in %, where the data say it), draws (what a seed draws: see this module; of
    folds how many, and of how many groups), and for each baseline b `vs b`, `vs b low`, `vs b
    high`: the paired difference with its 95 % interval. Two data sets of one name have four digits
    behind it.

    Raises:
        RunError: no results; results of classification and of dense prediction; or two runs of the
            same data, settings, method, options, learning rate and seed.
    """
    rows = []
    for group in _groups(list(results)):
        for (method, modality), own in group.rows.groupby(["method", "modality"], sort=False):
            values = pd.Series(group.of_each_seed(own["score"], own))
            row = {**group.place, "method": method, "modality": modality, "n": len(values)}
            row |= {"lr": own["lr"].iloc[0], group.metric: values.mean(), "sd": values.std()}
            row |= {"best": group.best.get(modality, np.nan), "draws": group.draws}
            for baseline in baselines:
                names = (f"vs {baseline}{end}" for end in ("", " low", " high"))
                row |= zip(names, group.test(method, baseline, modality)[1], strict=False)
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
    groups, rows = _groups(list(results)), []
    for method, minus in pairs:
        for group in groups:
            for modality in group.rows.loc[group.rows["method"] == method, "modality"].unique():
                each, test = group.test(method, minus, modality)
                if len(each):
                    row = {**group.place, "modality": modality, "method": method, "minus": minus}
                    row |= zip(("n", *TESTED), (len(each), *test), strict=True)
                    rows.append(row | {"each": each})
    none = [] if rows else ["data", "labelled", "modality", "method", "minus", "n", *TESTED, "each"]
    table = pd.DataFrame(rows, columns=none or None)
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
    """The column that holds the score of a summary: "f1" or "miou"."""
    return next(name for name in METRICS if name in table)
