"""Many runs put together: means over seeds, and differences paired by seed.

What a seed draws decides how much n seeds tell. Where every seed has samples of its own ("samples":
synthetic data), the differences are independent, and the variance of their mean is s²/n. Where all
split one set anew ("split"), their training and test parts overlap; Nadeau and Bengio (2003) put
(1/n + n_test/n_train)·s² in its place (n_train counts samples whose label was hidden, and none that
never had one). Where all have one split ("weights": official parts), it is s²/n again, and says
nothing about other test samples. Runs that do not record their samples ("unknown") get s²/n and a
warning, and no arrow.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from discom import methods
from discom.errors import RunError
from discom.files import read_json, write_json
from discom.running.runs import Result
from discom.tables.intervals import holm, t_test

BASELINES = ("student", "student-2x", "discom-solo")  # what every method is compared with
METRICS = {"f1": "F1", "miou": "mIoU"}  # column of a table → what it is called


def load_results(path: Path | str) -> list[Result]:
    """Finished runs, ordered by data, method and seed, from a folder of runs, a file that `collect`
    wrote, or a folder of such files and others; a RunError where there is none."""
    path = Path(path)
    results = [Result.read(file) for file in sorted(path.rglob("result.json"))]
    if not results:
        for file in [path] if path.is_file() else sorted(path.glob("*.json")):
            content = read_json(file)
            ours = isinstance(content, list) and content and isinstance(content[0], dict)
            if ours and "checksum" in content[0]:
                results += [Result.from_json(fields, file) for fields in content]
    if not results:
        way_out = f"train one with: discom train --data scenes --runs {path}"
        raise RunError(f"{path}: no finished run in it; {way_out}")
    place = {name: number for number, name in enumerate(methods.names())}
    return sorted(results, key=lambda r: (r.data, place.get(r.method, len(place)), r.seed, r.hash))


def collect(results: Iterable[Result], file: Path | str) -> None:
    """Write results into one JSON file, which `load_results` reads."""
    write_json(file, [result.to_json() for result in results])


def settings_of(result: Result) -> str:
    """What two runs must share to be compared: data and settings but seed, and what each method has
    of its own, its learning rate and its options."""
    own = ("seed", "learning_rate", "options")
    shared = {name: value for name, value in result.config.items() if name not in own}
    return json.dumps([result.data, shared], sort_keys=True)


class _Group(NamedTuple):
    """Runs that may be compared: the data's name; scores, with rows seeds and columns (method,
    modality) in the order of the runs; each method's learning rate; what a seed draws; and the
    overlap of the seeds' samples, see `paired_difference`."""

    data: str
    scores: pd.DataFrame
    rates: dict[str, float]
    draws: str
    overlap: float

    def differences(self, method: str, minus: str, modality: str) -> np.ndarray:
        """Of two methods' scores on the seeds that both have, ascending: [n]."""
        if method == minus or (minus, modality) not in self.scores:
            return np.empty(0)
        differences = self.scores[method, modality] - self.scores[minus, modality]
        return differences.dropna().to_numpy()


def _groups(results: Iterable[Result]) -> list[_Group]:
    """All runs, in groups of the same data and settings; see `summary` for the errors."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(settings_of(result), []).append(result)
    listed = list(groups.values())
    return [_group(group, _named(group[0], [each[0] for each in listed])) for group in listed]


def _named(result: Result, others: Sequence[Result]) -> str:
    """The data's name, with the share of labels if not all, and every setting in which a run of
    `others` on the same data differs."""
    share, same = result.config.get("labelled", 1), [o for o in others if o.data == result.data]
    own = ("seed", "learning_rate", "options", "labelled")
    shown = [
        f" {name}={value}"
        for name, value in result.config.items()
        if name not in own and any(other.config.get(name) != value for other in same)
    ]
    return "".join([result.data, f" labelled={share:g}" if share < 1 else "", *shown])


def _group(results: Sequence[Result], data: str) -> _Group:
    way_out = "collect them apart"
    columns: dict[tuple[str, str], dict[int, float]] = {}
    rates: dict[str, float] = {}
    samples: dict[int, dict[str, str]] = {}
    tried = {(result.label, result.config["learning_rate"]) for result in results}
    several = Counter(method for method, _ in tried)
    for result in results:
        method, seed, rate = result.label, result.seed, result.config["learning_rate"]
        if several[method] > 1:
            method += f" lr={rate:g}"
        rates[method] = rate
        for modality, score in result.main.items():
            if seed in columns.setdefault((method, modality), {}):
                raise RunError(f"{data}: two runs of {method} with seed {seed}; {way_out}")
            columns[method, modality][seed] = score
        if samples.setdefault(seed, result.samples) != result.samples:
            raise RunError(f"{data}: seed {seed} has two sets of samples; {way_out}")
    draws, overlap = _draws(list(samples.values())), 0.0
    if draws == "split":
        shares = [result.config.get("labelled", 1.0) for result in results]
        known = [r.counts.get("labelled", r.counts["train"]) for r in results]
        tested = [result.counts["test"] for result in results]
        overlap = float(np.mean(np.array(tested) * shares / known))
    return _Group(data, pd.DataFrame(columns).sort_index(), rates, draws, overlap)


def _draws(samples: Sequence[dict[str, str]]) -> str:
    """What a seed draws: "samples", a "split" of them, or the "weights" alone; "unknown" where the
    runs do not say, nothing where there is one seed."""
    if len(samples) < 2:
        return ""
    if not all(samples):
        return "unknown"
    kinds = (("all", "samples"), ("test", "split"))
    differing = (name for part, name in kinds if len({each[part] for each in samples}) > 1)
    return next(differing, "weights")


def summary(results: Iterable[Result], baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """One row for each data set, method (with its options, and with its learning rate where it has
    several) and deployed network.

    Columns: data, method, modality, n (seeds), lr (learning rate), f1 or miou (mean), sd, draws
    (what a seed draws: see this module), and for each baseline b `vs b`, `vs b low`, `vs b high`:
    the paired difference with its 95 % interval.

    Raises:
        RunError: no results; results of classification and of dense prediction; two runs of the
            same data, settings, method, options, learning rate and seed; or a seed with two sets
            of samples.
    """
    results = list(results)
    metrics = sorted({result.metric for result in results})
    if len(metrics) != 1:
        reason = f"results scored by {' and by '.join(metrics)}; collect them apart"
        raise RunError(f"summary: {reason if results else 'no results; train some runs first'}")
    rows = []
    for group in _groups(results):
        for method, modality in group.scores:
            values = group.scores[method, modality].dropna()
            row = {"data": group.data, "method": method, "modality": modality}
            row |= {"n": len(values), "lr": group.rates[method]}
            row |= {metrics[0]: values.mean(), "sd": values.std(), "draws": group.draws}
            for baseline in baselines:
                differences = group.differences(method, baseline, modality)
                interval = t_test(differences, group.overlap)[:3]
                names = (f"vs {baseline}{end}" for end in ("", " low", " high"))
                row |= zip(names, interval, strict=True)
            rows.append(row)
    return pd.DataFrame(rows)


def compare(results: Iterable[Result], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Differences of pairs (method, method to subtract), named as by `label`, paired by seed, on
    every data set, settings and deployed network that both have.

    A row for each comparison: data, modality, method, minus, n (seeds in common), difference, low,
    high (95 % interval of `paired_difference`), p (of the same t test, 1 for one seed), holm (p
    corrected for all rows) and each (the differences, [n], seeds ascending). Refuses the runs that
    `summary` refuses.
    """
    columns = ["data", "modality", "method", "minus", "n", "difference", "low", "high", "p", "each"]
    groups, rows = _groups(results), []
    for method, minus in pairs:
        for group in groups:
            for modality in [name for own, name in group.scores if own == method]:
                each = group.differences(method, minus, modality)
                if len(each):
                    place = (group.data, modality, method, minus, len(each))
                    rows.append((*place, *t_test(each, group.overlap), each))
    table = pd.DataFrame(rows, columns=columns)
    table.insert(9, "holm", holm(table["p"].to_numpy()))
    return table


def added_sensor(
    larger: Sequence[Result], smaller: Sequence[Result], methods: Iterable[str]
) -> pd.DataFrame:
    """What one more sensor changes: runs of the larger data set minus runs of the smaller one, as
    rows of `compare`, for each method (named as by `label`) and each sensor that both read."""
    data = smaller[0].data  # only runs on data of one name are compared
    named = []
    for run in larger:
        config = run.config | {"options": {}}  # the name holds them
        named.append(replace(run, data=data, method=f"{run.label}, one more", config=config))
    return compare([*smaller, *named], [(f"{name}, one more", name) for name in methods])


def labelled(table: pd.DataFrame) -> pd.Series:
    """The share of labelled samples of each row of a summary or a comparison, in (0, 1], which
    its column `data` names where it is not 1.

    >>> labelled(pd.DataFrame({"data": ["scenes labelled=0.2", "scenes"]})).tolist()
    [0.2, 1.0]
    """
    return table["data"].str.extract(r" labelled=([\d.e-]+)")[0].astype(float).fillna(1)


def metric_of(table: pd.DataFrame) -> str:
    """The column that holds the score of a summary: "f1" or "miou".

    >>> metric_of(pd.DataFrame({"method": ["crodino"], "miou": [60.0]}))
    'miou'
    """
    return next(name for name in METRICS if name in table)
