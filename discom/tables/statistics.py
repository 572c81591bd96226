"""Many runs put together: means over seeds, and differences paired by seed, as a table and as
Markdown. What a seed draws decides what n seeds tell: see INTERVALS."""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from discom.errors import RunError
from discom.running.runs import SEEDS, Result
from discom.tables.intervals import pseudo_values, resampled_interval, t_test, tally, tally_score

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called
APART = "collect them apart"
# settings that each row may have of its own; runs are compared where they share all others
OWN = ("seed", "learning_rate", "options")
# which of a run's seeds differ → what a seed draws
DRAWS = dict(zip(SEEDS, ("samples", "split", "weights"), strict=True))
# what a seed draws → how the intervals are computed, as it stands below a table
INTERVALS = {
    "samples": "each seed has samples of its own; 95 % Student-t intervals of paired differences",
    "split": "each seed splits the same samples anew, and such splits overlap; approximate 95 % "
    "intervals of paired differences (Nadeau and Bengio 2003), from three seeds on; --folds gives "
    "better ones",
    "weights": "all seeds share one split; 95 % Student-t intervals of paired differences on its "
    "test part",
    "folds": "scores of all test predictions together; 95 % intervals of paired differences over "
    "{}, Student's t over jackknife pseudo-values",  # groups, or samples where there are none
}


def _difference(
    ours: pd.DataFrame, theirs: pd.DataFrame, metric: str, ratio: float
) -> tuple[float, ...]:
    """Of two methods on the seeds that both have: the mean and its 95 % interval. Of folds, groups
    are what varies: it is a t interval over their `pseudo_values`, which covers where a bootstrap
    over few groups is too narrow (docs/results/protocol.md). Where seeds split the same samples
    anew, `ratio` is that of test to training samples, else 0."""
    theirs = theirs[theirs["method"] != ours["method"].iloc[0]]
    both = ours.merge(theirs, on=[*SEEDS, "draw"])
    if both["tally_x"].notna().any():
        values = pseudo_values(both["tally_x"], both["tally_y"], metric)
    else:
        values = (both["score_x"] - both["score_y"]).groupby(both["draw"], dropna=False).mean()
        if ratio:
            return resampled_interval(values, ratio)
    return t_test(values.to_numpy())[:3]


def _runs(results: Sequence[Result]) -> tuple[pd.DataFrame, list[str]]:
    """A row for each run, and the columns in which runs agree that may be compared: the data, the
    share of the labels, and what else differs between runs on data of one name."""
    runs = pd.DataFrame([{"folds": run.folds, **run.config} for run in results])
    shared = ["digest", *(name for name in runs if name not in OWN)]
    for name in ("data", "digest", "fold", *SEEDS):
        runs[name] = [getattr(run, name) for run in results]
    runs["run"], runs["method"] = results, [run.display_name for run in results]
    varied = runs.groupby("data")[shared].nunique(dropna=False).gt(1).any()
    place = ["data", *dict.fromkeys(["labelled", *varied.index[varied]])]
    rates = runs.groupby([*place, "method"], dropna=False)["learning_rate"].transform("nunique")
    runs["method"] += runs["learning_rate"].map(" lr={:g}".format).where(rates > 1, "")
    return runs, place


def _scores(runs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Of runs that may be compared a row for each network and SEEDS (method, modality, lr, score,
    best, tally; draw, the number of the seed that draws), and what a seed draws."""
    twice = runs[runs.duplicated(["method", *SEEDS, "fold"])]
    for method, run in zip(twice["method"], twice["run"], strict=True):
        found = f"two runs of {method} with seed {run.seed}, one is {run.folder('.')}"
        raise RunError(run.data, found, APART)
    drawing = next((name for name in SEEDS if runs[name].nunique(dropna=False) > 1), "")
    rows = []
    for (method, *seeds), folds in runs.groupby(["method", *SEEDS], sort=False, dropna=False):
        first = folds["run"].iloc[0]
        tallies = tally(folds["run"].tolist()) if first.folds else {}
        pooled = {name: tally_score(table, first.metric) for name, table in tallies.items()}
        about = {"method": method, **dict(zip(SEEDS, seeds, strict=True))}
        about |= {"draw": getattr(first, drawing or "seed"), "lr": first.config["learning_rate"]}
        for network, score in (pooled or first.main).items():
            row = {"modality": network, "score": float(score), "tally": tallies.get(network)}
            rows.append({**about, **row, "best": first.best.get(network)})
    if first.folds and drawing == "drawn":
        raise RunError(first.data, "folds of samples that each seed draws", "fix it: seed=0")
    if first.folds:
        groups = max(len(row["tally"]) for row in rows)
        each = [run.counts["test"] == len(run.tested["groups"]) for run in runs["run"]]
        kind = "samples" if all(each) else "groups"
        return pd.DataFrame(rows), f"{first.folds} folds, {groups} {kind}"
    return pd.DataFrame(rows), DRAWS.get(drawing, "")


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options, and with its learning rate where it has
    several) and deployed network.

    Columns: data, labelled (share of the labels), every other setting in which runs on data of this
    name differ, its digest too, method, modality, n (seeds), lr (learning rate), f1 or miou (mean),
    sd, low and high (95 % interval of the mean, NaN of folds), best (the best possible score in %,
    where the data say it), draws (what a seed draws, see INTERVALS; of folds how many, and of how
    many groups, or samples where there are none), and for each baseline b `vs b`, `vs b low`,
    `vs b high`: the paired difference with its 95 % interval.

    A RunError for no results, for results of classification and of dense prediction, or for two
    runs that differ in nothing.
    """
    results = list(results)
    if len(metrics := sorted({run.metric for run in results})) != 1:
        found = f"results scored by {' and by '.join(metrics)}" if metrics else "no results"
        raise RunError("summary", found, APART if metrics else "train some runs first")
    metric, lines = metrics[0], []
    runs, place = _runs(results)
    for _, compared in runs.groupby(place, sort=False, dropna=False):
        _warn_of_precisions(compared)
        rows, draws = _scores(compared)
        sizes = compared["run"].map(lambda run: run.counts["test"] / run.counts["train"])
        ratio = float(sizes.mean()) if draws == "split" else 0.0
        for (method, modality), scores in rows.groupby(["method", "modality"], sort=False):
            means = scores.groupby("draw", dropna=False)["score"].mean()
            row = {**compared[place].iloc[0], "method": method, "modality": modality}
            row |= {"n": len(means), "lr": scores["lr"].iloc[0], metric: means.mean()}
            interval = resampled_interval(means, ratio) if ratio else t_test(means.to_numpy())
            bounds = (np.nan, np.nan) if scores["tally"].notna().any() else interval[1:3]
            row |= {"sd": means.std(), "low": bounds[0], "high": bounds[1]}
            row |= {"best": scores["best"].iloc[0], "draws": draws}
            others = rows[rows["modality"] == modality]
            for baseline in baselines:
                names = (f"vs {baseline}{end}" for end in ("", " low", " high"))
                gain = _difference(scores, others[others["method"] == baseline], metric, ratio)
                row |= zip(names, gain, strict=True)
            lines.append(row)
    return pd.DataFrame(lines)


def _warn_of_precisions(runs: pd.DataFrame) -> None:
    """Warn where machines made several precisions of the one that was asked for."""
    used = pd.Series([run.precision for run in runs["run"]], runs.index)
    rows = {name: ", ".join(methods.unique()) for name, methods in runs["method"].groupby(used)}
    if len(rows) > 1:
        found = "; ".join(f"in {precision}: {names}" for precision, names in rows.items())
        way_out = "train them on one kind of machine, or with precision 32-true"
        warnings.warn(f"{runs['data'].iloc[0]}: rows {found}; {way_out}", stacklevel=3)


def metric_of(table: pd.DataFrame) -> str:
    """The column that holds the score of a summary: "f1" or "miou"."""
    return next(name for name in METRICS if name in table)


def _text(values: pd.Series, form: str) -> pd.Series:
    """Numbers as text; NA stays NA."""
    return values.map(form.format, na_action="ignore").astype("string")


def points(table: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Differences as text, with the interval, which a single seed lacks: columns mean, low, high.

    >>> row = {"difference": [4.5], "low": [2.8], "high": [6.2]}
    >>> points(pd.DataFrame(row), [*row]).item()
    '+4.5 [+2.8, +6.2]'
    """
    mean, low, high = (_text(table[name], "{:+.1f}") for name in columns)
    return mean + (" [" + low + ", " + high + "]").fillna("")


def cells(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """A summary, or a table of the paper, as text: scores as mean ± sd, differences with their
    interval, and where seeds are missing how many are there, of how many."""
    metric = metric_of(table)
    texts, count = table.loc[:, :"modality"].astype("string"), table["n"].astype("string")
    seeds = table.get("wanted", table["n"])
    texts["n"] = count.mask(table["n"] < seeds, count + " of " + seeds.astype("string"))
    texts["labelled"] = _text(table["labelled"], "{:g}")
    if (table["labelled"] == 1).all():
        del texts["labelled"]
    texts["lr"] = _text(table["lr"], "{:g}")
    scores = _text(table[metric], "{:.1f}") + _text(table["sd"], " ± {:.1f}").fillna("")
    scores = (scores + " " + table.get("arrow", "")).str.strip()
    texts[METRICS[metric]] = scores.mask(table["n"] == 0, "missing")
    for name in baselines:
        columns = [f"vs {name}{end}" for end in ("", " low", " high")]
        texts[f"Δ {name}"] = points(table, columns)
    for name in [name for name in ("best", "paper") if name in table]:
        texts[name] = _text(table[name], "{:.1f}")
    return texts.dropna(axis=1, how="all").fillna("–")


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """`cells` in Markdown, its columns aligned for a terminal; below it how intervals are computed
    and what `best` is."""
    texts, notes = cells(table, baselines), []
    text = texts.to_markdown(index=False, tablefmt="github", disable_numparse=True)
    compared = table.filter(regex="^vs .* low$").notna().any(axis=1)
    compared |= (table["draws"] == "split") & table.filter(regex="^vs ").notna().any(axis=1)
    for draws, part in table[compared].groupby("draws", sort=False):
        how = INTERVALS.get(draws) or f"{draws}; {INTERVALS['folds'].format(draws.split()[-1])}"
        notes.append(f"{', '.join(part['data'].unique())}: {how}.")
    if table["best"].notna().any():
        possible = {"f1": "accuracy", "miou": "mIoU"}[metric_of(table)]
        notes.append(f"best: the best possible {possible} in %.")
    return text + "\n\n" * bool(notes) + " ".join(notes)
