"""The claims of claims.csv, named before their runs in results/README.md, and what came of them.

A claim compares a method with another, of the same labels: the mean over deployed sensors, and over
all that trained beside them, where none is named. "twin" in the place of a method is `agreed` with
the sensor's copy; a teacher reads the deployed sensor and the others.
"""

from pathlib import Path

import pandas as pd

from discom import tables
from discom.errors import check_choice
from discom.tables.intervals import group_dice, pseudo_values, t_test
from stored import deployed, of, runs_of

CLAIMS = pd.read_csv(Path(__file__).with_suffix(".csv"), keep_default_na=False)
TUMOUR = 1  # number of the class


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
        points = each.mean(axis=1).dropna().to_numpy()
        rows.append([*names, len(points), *t_test(points)])
    head = ["method", "compared with", "deployed", "labels", unit]
    tested = pd.DataFrame(rows, columns=[*head, "difference", "low", "high", "p"])
    holm = pd.Series(tables.holm(tested["p"]))
    shown = tested[head].assign(points=tables.points(tested, ["difference", "low", "high"]))
    exact = holm.map("{:.3f}".format).str.removeprefix("0")
    shown["p after Holm"] = exact.mask(holm < 0.001, "< .001")
    score = "Dice" if unit == "patients" else "F1"
    return shown.rename(columns={"points": f"{score} points [95 %]"})
