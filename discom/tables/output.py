"""A summary or a table as Markdown and CSV."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from discom.files import atomic_file
from discom.tables.statistics import BASELINES, METRICS, metric_of

# what a seed draws → how the intervals are computed
INTERVALS = {
    "samples": "each seed has samples of its own; 95 % Student-t intervals of paired differences",
    "split": "each seed splits the same samples anew; 95 % intervals of paired differences, "
    "variance corrected after Nadeau and Bengio (2003)",
    "weights": "all seeds share one split; 95 % Student-t intervals of paired differences on its "
    "test part",
    "folds": "scores of all test predictions together; 95 % intervals of paired differences over "
    "groups, Student's t over jackknife pseudo-values",
}


def _text(values: pd.Series, form: str) -> pd.Series:
    """Numbers as text; NA stays NA."""
    return values.map(form.format, na_action="ignore").astype("string")


def _intervals(table: pd.DataFrame, columns: Sequence[str], stars: pd.Series | str) -> pd.Series:
    """Means with their interval, which a single seed lacks, of columns mean, low and high."""
    mean, low, high = (_text(table[name], "{:+.1f}") for name in columns)
    return mean + stars + (" [" + low + ", " + high + "]").fillna("")


def points(compared: pd.DataFrame) -> pd.Series:
    """Differences of `compare` as text with their interval; * where p after Holm's correction is
    below 0.05.

    >>> row = {"difference": [4.5], "low": [2.8], "high": [6.2], "holm": [0.009]}
    >>> points(pd.DataFrame(row)).item()
    '+4.5* [+2.8, +6.2]'
    """
    stars = compared["holm"].lt(0.05).map({True: "*", False: ""})
    return _intervals(compared, ("difference", "low", "high"), stars)


def cells(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> pd.DataFrame:
    """A summary, or a table of the paper, as text: scores as mean ± sd, differences with their
    interval."""
    metric = metric_of(table)
    texts = table.loc[:, :"modality"].astype("string").assign(n=table["n"].astype("string"))
    texts["labelled"] = _text(table["labelled"], "{:g}")
    if (table["labelled"] == 1).all():
        del texts["labelled"]
    texts["lr"] = _text(table["lr"], "{:g}")
    scores = _text(table[metric], "{:.1f}") + _text(table["sd"], " ± {:.1f}").fillna("")
    texts[METRICS[metric]] = (scores + " " + table.get("arrow", "")).str.strip()
    for name in baselines:
        columns = [f"vs {name}{end}" for end in ("", " low", " high")]
        texts[f"Δ {name}"] = _intervals(table, columns, "")
    for name in [name for name in ("best", "paper") if name in table]:
        texts[name] = _text(table[name], "{:.1f}")
    return texts.dropna(axis=1, how="all").fillna("–")


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """`cells` in Markdown, its columns aligned for a terminal; below it how intervals are computed
    and what `best` is."""
    shown, notes = cells(table, baselines), []
    text = shown.to_markdown(index=False, tablefmt="github", disable_numparse=True)
    known = table.filter(regex="^vs .* low$").notna().any(axis=1)
    for draws, part in table[known].groupby("draws", sort=False):
        how = INTERVALS.get(draws) or f"{draws}; {INTERVALS['folds']}"
        notes.append(f"{', '.join(part['data'].unique())}: {how}.")
    if table["best"].notna().any():
        possible = {"f1": "accuracy", "miou": "mIoU"}[metric_of(table)]
        notes.append(f"best: the best possible {possible} in %.")
    return text + "\n\n" * bool(notes) + " ".join(notes)


def write(
    table: pd.DataFrame, stem: Path | str, baselines: Sequence[str] = BASELINES
) -> list[Path]:
    """Write a table as STEM.md and STEM.csv (all digits); returns the files."""
    texts = {".md": to_markdown(table, baselines) + "\n", ".csv": table.to_csv(index=False)}
    for end, text in texts.items():
        with atomic_file(f"{stem}{end}") as part:
            part.write_text(text, encoding="utf-8")
    return [Path(f"{stem}{end}") for end in texts]
