"""What to do with two sensors, in one table: what each situation gained above the strongest network
that never saw the other sensor. Its rows are those of advice.csv, its numbers those of results/."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

import claims
from discom import tables
from discom.advice import Difference
from stored import deployed, networks

ASKED = pd.read_csv(Path(__file__).with_suffix(".csv"), keep_default_na=False)
BOTH = "both"  # in the place of the deployed sensor: both are mounted
POINTS = ["mean", "low", "high"]
NUMBERS = [*POINTS, "seeds"]
LITTLE = "small or none"  # what a page calls the verdict "no gain": it may be less than two points
RIVALS = {"student": "labels alone", "discom-solo": "its branch alone", "fixmatch": "FixMatch"}
RIVALS |= {"fixmatch-simclr": "FixMatch + SimCLR", "simclr": "SimCLR", "single": "masks alone"}
RIVALS |= {"twin": "agreed labels with a twin"}  # what a page calls the strongest network
LABELS = {"deploy one, a label for every pair": "all"}
LABELS |= {"deploy one, few labels of all persons or places": "few"}
LABELS |= {"deploy one, labels of one person": "few, of one person"}
COLUMNS = {"Yes": "gains", "Not decided": "open", "No": "no gain"}


@lru_cache
def gains() -> pd.DataFrame:
    """A row for each of ASKED: situation, recommendation, data, method, whether its runs are
    withdrawn, the gain in points, mean, low and high of a 95 % interval (NaN where none is known),
    seeds, and the strongest method that never saw the other sensor, of several sensors each one's.
    """
    rows = []
    for _, asked in ASKED.iterrows():
        own = mounted(asked) if asked["deployed"] == BOTH else trained(asked)
        rows.append(dict(zip([*NUMBERS, "rival"], own, strict=True)))
    situations = ASKED[["situation", "recommendation"]].replace("", pd.NA).ffill()
    named = ASKED[["data", "method", "withdrawn"]]
    return pd.concat([situations, named, pd.DataFrame(rows)], axis=1)


def trained(asked: pd.Series) -> tuple[float, float, float, int, str]:
    """One sensor is deployed: what training with the other one adds to the strongest method of it
    alone; the mean over the sensors of a table where none is named."""
    table, labels, method, beside = asked[["table", "labels", "method", "beside"]]
    each, rivals = [], {}
    for sensor in [asked["deployed"]] if asked["deployed"] else deployed(table):
        ours = claims.of(table, labels, method, sensor, beside)
        if len(ours):  # not every unit is in one of the pairs
            seeds = ours["seed"].unique()
            name = claims.best_alone(table, labels, [sensor], seeds)["method"].iloc[0]
            rivals[name.split()[0]] = None
            each.append(claims.differences(table, labels, method, name, sensor, beside))
    return *claims.mean_test(pd.concat(each, axis=1))[:3], len(seeds), "+".join(rivals)


def mounted(asked: pd.Series) -> tuple[float, float, float, int, str]:
    """Both sensors are deployed: what one network of both, or the product of two, adds to the
    strongest method of the better one alone; the mean over pairs of sensors."""
    table, labels, method = asked[["table", "labels", "method"]]
    if not method.endswith("teacher"):
        mean, low, high, seeds = claims.both(table).loc[(labels, method), NUMBERS]
        return mean, low, high, int(seeds), ""
    every = networks(table).query("labels == @labels and method == @method")
    every, each, rivals = every[every["network"].str.contains("+", regex=False)], [], {}
    for pair, rows in every.groupby("network"):
        sensors = pair.split("+")
        seeds = rows["seed"].unique()
        rival = claims.best_alone(table, labels, sensors, seeds)
        name, better = rival[["method", "network"]].iloc[0]
        (other,) = {*sensors} - {better}
        rivals[name.split()[0]] = None
        each.append(claims.differences(table, labels, method, name, better, other))
    return *claims.mean_test(pd.concat(each, axis=1))[:3], len(seeds), "+".join(rivals)


def expected(query: str) -> pd.DataFrame:
    """A line for each gain that is known, of those of LABELS that a pandas query chooses."""
    every = judged().dropna(subset="mean").query(query).reset_index(drop=True)
    labels = every["situation"].map(LABELS)
    rivals = every["rival"].str.split("+")
    above = rivals.map(lambda names: ", ".join(RIVALS[name] for name in names))
    every["method"] = "`" + every["method"] + "`"
    shown = {"labels": labels, "deployed": every["data"], "trained by": every["method"]}
    return pd.DataFrame({**shown, "gain [95 %]": tables.points(every, POINTS), "above": above})


def judged() -> pd.DataFrame:
    """`gains`, and what each row says by the rule of `discom advise`: gains, open or no gain. What
    is withdrawn is open, and has no numbers."""
    every, withdrawn = gains().drop(columns="withdrawn"), gains()["withdrawn"] == "yes"
    every[NUMBERS] = every[NUMBERS].mask(withdrawn)
    every["seeds"] = every["seeds"].astype("Int64")
    verdicts = [Difference(*own).verdict for own in gains()[POINTS].to_numpy()]
    verdicts = pd.Series(verdicts).map(COLUMNS).mask(withdrawn, COLUMNS["Not decided"])
    return every.assign(verdict=verdicts)


def advice(query: str = "") -> pd.DataFrame:
    """The table as a page shows it: a row for each situation, or for those that a pandas query
    chooses; where two points or more are gained, where that is open, and where less is; and how
    many seeds that took."""
    withdrawn, every = gains()["withdrawn"] == "yes", judged()
    texts = every["data"] + " " + tables.points(every, POINTS).mask(withdrawn, "(withdrawn)")
    every = every.assign(text=texts)
    every, names = every.query(query) if query else every, ["situation", "recommendation"]
    shown = every.pivot_table("text", names, "verdict", "<br>".join, sort=False)
    shown = shown.reindex(columns=[*COLUMNS.values()]).fillna("–")
    shown = shown.rename(columns={"no gain": LITTLE})
    return shown.assign(seeds=every.groupby(names, sort=False).apply(seeds_of)).reset_index()


def seeds_of(rows: pd.DataFrame) -> str:
    """How many seeds each set of some rows of `judged` has, or each row of a set where they differ;
    what is withdrawn is left out."""
    rows = rows.dropna(subset="seeds")
    sets = rows["data"].str.split(",").str[0]
    differ = rows.groupby(sets)["seeds"].transform("nunique") > 1
    texts = sets.mask(differ, rows["data"]) + " " + rows["seeds"].astype(str)
    return "<br>".join(texts.unique())
