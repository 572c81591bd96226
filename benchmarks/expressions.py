"""Numbers of results/ by small typed expressions, such as

    in few-labels/scenes-labelled-ten, 10 %, depth, nt-xent - student, +1

Parts stand between commas, in any order. Expressions between semicolons take what they do not say
from the one before.

    in FILE         of results/, without .json; FILE + FILE: the runs of both; FILE - FILE: what a
                    method of the first scores above the same of the second, paired by seed
    10 %, epochs=5  runs with this share of the labels (else all), this setting, or this seed
    rgb+depth       the network
    nt-xent         the method, as tables call it; nt-xent - student: the difference
    at a/0/b        what stands there in the JSON, of a list the median; the mean over the runs of
                    the method, if it has runs
    sd, ci, 1, +1   mean ± sd, difference and interval, one digit, with its sign; sd0, ci2: other
                    digits; ci*: with a star where Holm's p < 0.05 among a family of comparisons;
                    welch: the interval of runs that are not paired; low; high; spread; best; n
    runs            how many they are; minutes, of all; parameters, quickest (s), memory (MB)
"""

import re
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

import catalogue
import grid
from discom import methods, tables
from discom.errors import ConfigError
from discom.running.runs import Result

Expression = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]  # of methods
START: Expression = {"files": (), "less": (), "labelled": 1.0, "seed": None, "modality": ""}
START |= {"method": "", "minus": "", "at": "", "form": ""}
NO_COLUMN = ("files", "less", "seed", "minus", "at", "form")  # of a summary
KINDS = "sd|ci|welch|low|high|spread|best|n|runs|minutes|parameters|quickest|memory"
FORM = re.compile(rf"(\+|{KINDS}|)(\d?)(\*?)")
ONE_DIGIT = {"sd", "ci", "welch", "low", "high", "spread", "best"}  # where none is asked for
ENDS = ("", "low", "high")


def parse(text: str, base: Expression = START) -> list[Expression]:
    """The expressions of a text; the first takes from `base` what it does not say."""
    made = []
    for one in text.split(";"):
        for part in filter(None, map(str.strip, one.split(","))):
            base = base | _change(part)
        made.append(base)
    return made


def _change(part: str) -> Expression:
    if part.startswith("in "):
        files, _, less = part[3:].partition(" - ")
        return {"files": tuple(files.split(" + ")), "less": (less,) if less else ()}
    if part.startswith("at "):
        return {"at": part[3:]}
    if part.endswith(" %"):
        return {"labelled": round(float(part[:-2]) / 100, 9)}
    if setting := re.fullmatch(r"(\w+)=([\d.]+)", part):
        return {setting[1]: float(setting[2])}
    if FORM.fullmatch(part):
        return {"form": part}
    if part.split()[0] in methods.names():
        method, _, minus = part.partition(" - ")
        return {"method": method, "minus": minus}
    return {"modality": part}


def write(e: Expression, family: Pairs = ()) -> str:
    """The number of an expression; `family` has the pairs among which stars are corrected."""
    form = e["form"] or ("ci" if e["minus"] or e["less"] else "sd")
    kind, digits, star = FORM.fullmatch(form).groups()
    if e["minus"] and e["minus"] == e["method"]:
        return "–"
    found = _values(e)
    plain = f",.{digits or int(kind in ONE_DIGIT)}f"
    if kind in ("ci", "welch"):
        clear = star and _row(compared(e["files"], family), e, minus=e["minus"])["holm"] < 0.05
        mean, low, high = (f"{found[end]:+{plain}}" for end in ENDS)
        text = f"{mean}{'*' if clear else ''} [{low}, {high}]"
    elif kind == "sd":
        text = f"{found['']:{plain}} ± {found['spread']:{plain}}".removesuffix(" ± 0")
    else:
        sign, name = ("+", "") if kind == "+" else ("", kind)
        if name not in found:
            raise ConfigError(f"no {name or 'score'}", f"there are {', '.join(found)}")
        text = f"{found[name]:{sign}{plain}}".replace(",", " ")
    return text


def _values(e: Expression) -> dict[str, float]:
    """What an expression asks for, and what is known beside it by the names of FORM."""
    if e["at"]:
        return {"": _inside(e).mean(), "spread": _inside(e).std()}
    if e["less"]:
        return dict(zip(ENDS, _apart(e), strict=True))
    if e["modality"]:
        table = summary(e["files"], e["seed"], e["minus"])
        row = _row(table, e)
        made = {"": row[tables.metric_of(table)], "spread": row["sd"], **row[["n", "best"]]}
        if e["minus"]:
            _row(table, e | {"method": e["minus"]})
            made |= {end: row[f"vs {e['minus']} {end}".strip()] for end in ENDS}
        return made
    every = runs(e["files"], e["method"], e["seed"])
    seconds, memory = zip(*((run.seconds, run.peak_memory_mb) for run in every), strict=True)
    made = {"runs": len(every), "minutes": sum(seconds) / 60, "quickest": min(seconds)}
    made["parameters"] = max(every[0].parameters.values())
    return made | {"memory": float(np.median(memory))}


@lru_cache
def runs(files: tuple[str, ...], method: str = "", seed: float | None = None) -> list[Result]:
    """The runs of a method, or all, of one seed or all; a ConfigError for none."""
    every = catalogue.runs(files)
    chosen = [r for r in every if method in ("", r.label) and seed in (None, r.seed)]
    if not chosen:
        labels = ", ".join(dict.fromkeys(run.label for run in every))
        raise ConfigError(f"no runs of {method} in {' + '.join(files)}", f"there are {labels}")
    return chosen


@lru_cache
def summary(files: tuple[str, ...], seed: float | None, minus: str) -> pd.DataFrame:
    """What the methods of some files score, and how much above one of them."""
    return grid.summary(runs(files, seed=seed), [minus] if minus else [], grid.SCENES)


@lru_cache
def compared(files: tuple[str, ...], pairs: Pairs) -> pd.DataFrame:
    """Comparisons that Holm's correction counts together."""
    return tables.compare(catalogue.runs(files), pairs)


def _row(table: pd.DataFrame, e: Expression, **more: str) -> pd.Series:
    """The row of an expression; a ConfigError where there is none, or are several."""
    wanted = {name: value for name, value in e.items() if name not in NO_COLUMN} | more
    fits = np.ones(len(table), bool)
    for name, value in wanted.items():
        column = table[name].to_numpy() if name in table else np.array([])
        if not (column == value).any():
            found = f"no {name} '{value}' in {' + '.join(e['files'])}"
            raise ConfigError(found, f"there are {', '.join(map(str, pd.unique(column)))}")
        fits &= column == value
    if fits.sum() != 1:
        found = f"{fits.sum()} rows of {e['method']} in {' + '.join(e['files'])}"
        raise ConfigError(found, "say which", f"there are the columns {', '.join(table)}")
    return table.iloc[int(fits.argmax())]


def _inside(e: Expression) -> pd.Series:
    """What stands at a path of a JSON file, or for each run of a method in it."""
    content, found = catalogue.content(*e["files"]), []
    for value in content if isinstance(content, list) else [content]:
        if e["method"] in ("", value.get("method")):
            try:
                for key in e["at"].split("/"):
                    value = value[int(key) if isinstance(value, list) else key]
                found.append(np.median(value))
            except (KeyError, ValueError, IndexError, TypeError):
                found = []
                break
    if not found:
        raise ConfigError(
            " ".join(["no number at", e["at"], "in", *e["files"], e["method"]]).strip()
        )
    return pd.Series(found)


def _apart(e: Expression) -> tuple[float, ...]:
    """What a method scores above the same in another file, and the interval."""
    sides = [runs(files, e["method"]) for files in (e["files"], e["less"])]
    if not e["form"].startswith("welch"):
        table = tables.added_sensor(*sides, [e["method"]])
        row = _row(table, e | {"method": f"{e['method']}, one more"})
        return tuple(row[["difference", "low", "high"]])
    overlap = np.mean([run.counts["test"] / run.counts["train"] for run in chain(*sides)])
    scores = [[run.main[e["modality"]] for run in side] for side in sides]
    return tables.unpaired_difference(*scores, overlap)
