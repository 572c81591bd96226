"""The claims of claims.csv, named before their runs in results/README.md, and what came of them;
and what unlabelled pairs are worth with 200 labels of `objects`.

A claim compares a method with another, of the same labels: the mean over deployed sensors, and over
all that trained beside them, where none is named. "twin" in the place of a method is `agreed` with
the sensor's copy; a teacher reads the deployed sensor and the others.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from discom import tables
from discom.errors import check_choice
from discom.tables.intervals import group_dice, pseudo_values, t_test
from stored import deployed, networks, of, runs_of

CLAIMS = pd.read_csv(Path(__file__).with_suffix(".csv"), keep_default_na=False)
TUMOUR = 1  # number of the class
TRAIN = 2000  # pairs of the training part of `objects`


def differences(
    table: str, labels: str, ours: str, theirs: str, sensor: str = "", beside: str = ""
) -> pd.DataFrame:
    """One method minus another in points, of the seeds that both have: a column for each deployed
    sensor and each set of sensors that trained; a row for each seed, or of folds for each person,
    place or patient. F1, of folds see `intervals.pseudo_values`; of masks Dice of the tumour."""
    columns = []
    for one in [sensor] if sensor else deployed(table):
        others = of(table, labels, theirs, one)
        for _, own in of(table, labels, ours, one, beside).groupby("sensors"):
            both = own.merge(others, on="seed").set_index("seed")
            pairs = zip(both["tally_x"], both["tally_y"], strict=True)
            if both["tally_x"].isna().all():
                columns.append(both["score_x"] - both["score_y"])
            elif runs_of(table)[0].metric == "miou":
                columns += [group_dice(a, TUMOUR) - group_dice(b, TUMOUR) for a, b in pairs]
            else:
                columns.append(pseudo_values(*zip(*pairs, strict=True), "f1"))
    return pd.concat(columns, axis=1)


def claims(name: str) -> pd.DataFrame:
    """A table's claims as a page shows them: mean differences with 95 % t intervals, and p-values
    that Holm's method corrects for all of them."""
    check_choice("claims", name, CLAIMS["claims"].unique())
    asked, rows = CLAIMS[CLAIMS["claims"] == name], []
    unit = asked["unit"].iloc[0]
    for _, claim in asked.loc[:, "table":].iterrows():
        table, labels, method, other, sensor, _ = claim
        each = differences(*claim)
        ways = f"{each.shape[1]} ordered pairs" if each.shape[1] > 2 else "both"
        about = ", both sensors" * method.endswith("teacher")
        about += ", pretrained" * (table == "hls-pretrained")
        names = f"`{method}`{about}", f"`{other}`", sensor or f"mean of {ways}", labels
        means = each.mean(axis=1).dropna().to_numpy()
        rows.append([*names, len(means), *t_test(means)])
    head = ["method", "compared with", "deployed", "labels", unit]
    tested = pd.DataFrame(rows, columns=[*head, "difference", "low", "high", "p"])
    holm = pd.Series(tables.holm(tested["p"]))
    score = "Dice" if unit == "patients" else "F1"
    points = tables.points(tested, ["difference", "low", "high"])
    exact = holm.map("{:.3f}".format).str.removeprefix("0").mask(holm < 0.001, "< .001")
    return tested[head].assign(**{f"{score} points [95 %]": points, "p after Holm": exact})


def worth(sensor: str, rival: str = "student") -> tuple[float, float, float]:
    """How many labels a rival that sees one sensor needs to score as `agreed` does with 200, and
    the interval; numbers of labels that not all seeds have are left out."""
    own = pd.concat([networks("labels"), networks("labels-more")]).query("network == @sensor")
    own = own.assign(number=(TRAIN * own["share"]).round())
    own = own.drop_duplicates(["method", "number", "seed"])
    scores = own.pivot(index="seed", columns=["method", "number"], values="score")
    return labels_worth(scores["agreed", 200], scores[rival].dropna(axis=1))


def labels_worth(scores: ArrayLike, curve: Mapping[float, ArrayLike]) -> tuple[float, float, float]:
    """How many labels a baseline needs to score as a method does with few, and a 95 % interval.

    The baseline's scores are interpolated between the measured numbers of labels, for each seed,
    along the logarithm. The interval reaches from the first to the last number at which the paired
    t test finds no difference; the number is where the mean difference first passes zero.

    Args:
        scores: of the method, one for each seed, [n].
        curve: number of labels → the baseline's scores with the same seeds, [n].

    Returns:
        The number and its bounds. Infinity stands for more labels than the curve has, 0 for fewer
        than its first.
    """
    labels = np.array(sorted(curve), float)
    grid = np.linspace(np.log(labels[0]), np.log(labels[-1]), 2001)
    baseline = np.stack([np.asarray(curve[number], float) for number in labels], 1)
    each = [np.interp(grid, np.log(labels), own) for own in baseline]
    each = np.asarray(scores, float)[:, None] - each  # [n, 2001]
    mean, half = each.mean(0), stats.t.ppf(0.975, len(each) - 1) * stats.sem(each)
    # from the other end: after the last number that is not clearly too many
    too_many = np.logical_and.accumulate((mean + half < 0)[::-1])[::-1]

    def first(reached: np.ndarray) -> float:
        if not reached.any():
            return np.inf
        return float(np.exp(grid[reached.argmax()])) if reached.argmax() else 0.0

    return first(mean <= 0), first(mean - half <= 0), first(too_many)
