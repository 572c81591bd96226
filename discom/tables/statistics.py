"""Many runs put together: means over seeds, and differences paired by seed.

What a seed draws decides how much n seeds tell. Where every seed has samples of its own ("samples":
synthetic data), the differences are independent, and the variance of their mean is s²/n. Where all
split one set anew ("split"), their training and test parts overlap; Nadeau and Bengio (2003) put
(1/n + n_test/n_train)·s² in its place (n_train counts samples whose label was hidden, and none that
never had one). Where all have one split ("weights": official parts), it is s²/n again, and says
nothing about other test samples. Folds are pooled, and the interval is one over groups.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from discom.errors import RunError
from discom.running.runs import SEEDS, Result
from discom.tables.intervals import group_test, holm, pooled_score, t_test, tally

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called
APART = "collect them apart"
# settings that each row may have of its own; runs are compared where they share all others
OWN = ("seed", "learning_rate", "precision", "options")
# which of a run's seeds differ → what a seed draws
DRAWS = dict(zip(SEEDS, ("samples", "split", "weights"), strict=True))


class _Group(NamedTuple):
    """Runs that may be compared, since they share data and settings."""

    place: dict[str, Any]  # the data's name, and the settings in which it differs from others
    rows: pd.DataFrame  # of each network and SEEDS: method, modality, lr, draw, score, tally
    best: dict[str, float]  # network → best possible score
    draws: str  # what a seed draws; its number is the column `draw`
    overlap: float  # of the seeds' samples, see `paired_difference`
    metric: str

    def test(self, method: str, minus: str, modality: str) -> tuple[np.ndarray, tuple[float, ...]]:
        """The differences of two methods on the seeds that both have, ascending, [n]; and their
        mean, its 95 % interval and p-value."""
        rows = self.rows[self.rows["modality"] == modality]
        ours, theirs = (rows[rows["method"] == name] for name in (method, minus))
        both = ours.merge(theirs[theirs["method"] != method], on=[*SEEDS, "draw"])
        each = (both["score_x"] - both["score_y"]).groupby(both["draw"], dropna=False).mean()
        if both["tally_x"].notna().any():
            return each.to_numpy(), group_test(both["tally_x"], both["tally_y"], self.metric)
        return each.to_numpy(), t_test(each.to_numpy(), self.overlap)


def _groups(results: Iterable[Result]) -> list[_Group]:
    """All runs, in groups of the same data and settings; see `summary` for the errors."""
    results = list(results)
    if len(metrics := sorted({run.metric for run in results})) != 1:
        found = f"results scored by {' and by '.join(metrics)}" if metrics else "no results"
        raise RunError("summary", found, APART if metrics else "train some runs first")
    runs = pd.DataFrame([{"folds": run.folds, **run.config} for run in results])
    shared = [name for name in runs if name not in OWN]
    runs["run"], runs["digest"] = results, [run.digest for run in results]
    names = pd.Series([run.data for run in results]).groupby(runs["digest"]).transform("first")
    several = runs.groupby(names)["digest"].transform("nunique") > 1  # data sets of one name
    runs["data"] = names.where(~several, names + " [" + runs["digest"].str[:4] + "]")
    varied = runs.groupby("digest")[shared].nunique(dropna=False).gt(1).any()
    place = ["data", *dict.fromkeys(["labelled", *varied.index[varied]])]
    runs["method"] = [run.label for run in results]
    same = runs.groupby([*place, "method"], dropna=False)
    several = same[["learning_rate", "precision"]].transform("nunique") > 1
    for setting, form in (("learning_rate", " lr={:g}"), ("precision", " {}")):
        runs["method"] += runs[setting].map(form.format).where(several[setting], "")
    groups = runs.groupby(place, sort=False, dropna=False)
    return [_group(own, own[place].iloc[0].to_dict()) for _, own in groups]


def _group(runs: pd.DataFrame, place: dict[str, Any]) -> _Group:
    results, best = runs["run"].tolist(), dict[str, float]()
    same: dict[tuple, dict[int | None, Result]] = {}  # method and SEEDS → fold → its run
    for method, run in zip(runs["method"], results, strict=True):
        best |= run.best
        folds = same.setdefault((method, *(getattr(run, name) for name in SEEDS)), {})
        if other := folds.get(run.fold):
            places = f"{other.folder('.')} and {run.folder('.')}"
            found = f"two runs of {method} with seed {run.seed}, {places}"
            raise RunError(place["data"], found, APART)
        folds[run.fold] = run
    drawing = [name for name in SEEDS if len({getattr(run, name) for run in results}) > 1]
    draws, draw = (DRAWS[drawing[0]], drawing[0]) if drawing else ("", "seed")
    rows, overlap = [], 0.0
    for (method, *seeds), folds in same.items():
        first = next(iter(folds.values()))
        tallies = tally([*folds.values()]) if first.folds else {}
        totals = {name: own.to_numpy().sum(0).reshape(3, -1) for name, own in tallies.items()}
        pooled = {name: pooled_score(cells, first.metric) for name, cells in totals.items()}
        about = {"method": method, **dict(zip(SEEDS, seeds, strict=True))}
        about |= {"draw": getattr(first, draw), "lr": first.config["learning_rate"]}
        for network, score in (pooled or first.main).items():
            row = {"modality": network, "score": float(score), "tally": tallies.get(network)}
            rows.append(about | row)
    if first.folds and draws == "samples":
        raise RunError(place["data"], "folds of samples that each seed draws", "fix it: seed=0")
    if first.folds:
        draws = f"{first.folds} folds, {max(len(row['tally']) for row in rows)} groups"
    elif draws == "split":
        tested = [run.counts["test"] * run.config["labelled"] for run in results]
        trained = [run.counts.get("labelled", run.counts["train"]) for run in results]
        overlap = float(np.mean(np.divide(tested, trained)))
    return _Group(place, pd.DataFrame(rows), best, draws, overlap, first.metric)


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
    for group in _groups(results):
        for (method, modality), own in group.rows.groupby(["method", "modality"], sort=False):
            each = own.groupby("draw", dropna=False)["score"].mean()
            row = {**group.place, "method": method, "modality": modality, "n": len(each)}
            row |= {"lr": own["lr"].iloc[0], group.metric: each.mean(), "sd": each.std()}
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
    groups, rows = _groups(results), []
    for method, minus in pairs:
        for group in groups:
            for modality in group.rows.loc[group.rows["method"] == method, "modality"].unique():
                each, test = group.test(method, minus, modality)
                if len(each):
                    compared = [modality, method, minus, len(each), *test, np.nan, each]
                    rows.append([*group.place.values(), *compared])
    names = "modality method minus n difference low high p holm each"
    table = pd.DataFrame(rows, columns=[*groups[0].place, *names.split()])
    return table.assign(holm=holm(table["p"].to_numpy(float)))


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
