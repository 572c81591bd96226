"""A summary or a table as Markdown and CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from discom.errors import DataError
from discom.files import atomic_file
from discom.running.runs import read_predictions
from discom.tables.statistics import BASELINES, METRICS, metric_of

PLAIN: dict[str, Any] = {"index": False, "tablefmt": "github", "disable_numparse": True}
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


def confusions(predictions: Path | str) -> dict[str, pd.DataFrame]:
    """Network → how many images, or pixels, of each true class (rows) were taken for each class
    (columns), of a run's predictions.npz. A DataError where a network has no labelled image."""
    arrays, matrices = read_predictions(predictions), {}
    classes = arrays["classes"].tolist()
    for name in [key.removesuffix("_labels") for key in arrays if key.endswith("_labels")]:
        truth, ids = arrays[f"{name}_labels"].ravel(), arrays.get(f"{name}_predicted")
        if not np.isin(truth, range(len(classes))).any():
            unlabelled = f"no image of {name} has a label"
            raise DataError("confusions", unlabelled, "give images with labels")
        ids = arrays[f"{name}_logits"].argmax(1) if ids is None else ids.ravel()
        counts = confusion_matrix(truth, ids, labels=range(len(classes)))
        matrices[name] = pd.DataFrame(counts, classes, classes)
    return matrices


def by_class(counts: pd.DataFrame, scores: Mapping[str, float] = {}) -> str:
    """Confusions as text: of each class that is present its count, recall and, where `scores` hold
    them, IoU and Dice; then the percentage that was taken for each class, by its number."""
    totals = counts.sum(axis=1).to_numpy()
    shares = 100 * counts.to_numpy() / totals.clip(1)[:, None]
    names = [f"{number} {name}" for number, name in enumerate(counts)]
    table = pd.DataFrame({"n": totals, "recall": shares.diagonal()}, names)
    for kind in ("iou", "dice"):
        table[kind] = [scores.get(f"{kind}/{name}", np.nan) for name in counts]
    table[[*range(len(counts))]] = shares.round().astype(int)
    present = table[totals > 0].dropna(axis=1, how="all")
    return present.to_string(float_format="{:.1f}".format, line_width=120)


def _cells(table: pd.DataFrame, baselines: Sequence[str]) -> pd.DataFrame:
    """Every cell as text: scores as mean ± sd with an arrow, differences with their interval."""
    metric, names = metric_of(table), list(table)
    settings = names[names.index("labelled") + 1 : names.index("method")]
    shown = ["labelled"] if (table["labelled"] < 1).any() else []
    cells = table[["data", *shown, *settings, "method", "modality", "n"]].copy()
    for name in (*shown, *settings):
        cells[name] = table[name].map("{:g}".format if name in shown else str)
    cells["lr"] = _text(table["lr"], "{:g}")
    scores = _text(table[metric], "{:.1f}") + _text(table["sd"], " ± {:.1f}").fillna("")
    if "arrow" in table:
        scores = (scores + " " + table["arrow"]).str.strip()
    cells[METRICS[metric]] = scores
    for name in baselines:
        if table[f"vs {name}"].notna().any():
            columns = [f"vs {name}{end}" for end in ("", " low", " high")]
            cells[f"Δ {name}"] = _intervals(table, columns).fillna("–")
    for name in ("best", "paper"):
        if name in table and table[name].notna().any():
            cells[name] = _text(table[name], "{:.1f}").fillna("–")
    return cells


def _text(values: pd.Series, form: str) -> pd.Series:
    """Numbers as text; NA stays NA."""
    return values.map(form.format, na_action="ignore").astype("string")


def _intervals(table: pd.DataFrame, columns: Sequence[str], stars: Any = "") -> pd.Series:
    """Means with their interval, which a single seed lacks, of columns mean, low and high."""
    mean, low, high = (_text(table[name], "{:+.1f}") for name in columns)
    return mean + stars + (" [" + low + ", " + high + "]").fillna("")


def _note(table: pd.DataFrame) -> str:
    """What stands under a table, after an empty line: how its intervals are computed."""
    texts, ends = [], [name for name in table if name.startswith("vs ") and name.endswith(" low")]
    for draws, part in table[table[ends].notna().any(axis=1)].groupby("draws", sort=False):
        if draws:
            name = ", ".join(part["data"].unique())
            how = INTERVALS.get(draws) or f"{draws}; {INTERVALS['folds']}"
            texts.append(f"{name}: {how}.")
    if table["best"].notna().any():
        possible = {"f1": "accuracy", "miou": "mIoU"}[metric_of(table)]
        texts.append(f"best: the best possible {possible} in %.")
    return "\n\n" + " ".join(texts) if texts else ""


def to_markdown(table: pd.DataFrame, baselines: Sequence[str] = BASELINES) -> str:
    """A summary, or a table of the paper, in Markdown; its columns are aligned, for a terminal."""
    return _cells(table, baselines).to_markdown(**PLAIN) + _note(table)


def write(
    table: pd.DataFrame, stem: Path | str, baselines: Sequence[str] = BASELINES
) -> list[Path]:
    """Write a table as STEM.md and STEM.csv (all digits); returns the files."""
    texts = {".md": to_markdown(table, baselines) + "\n", ".csv": table.to_csv(index=False)}
    for end, text in texts.items():
        with atomic_file(f"{stem}{end}") as part:
            part.write_text(text, encoding="utf-8")
    return [Path(f"{stem}{end}") for end in texts]


def points(compared: pd.DataFrame) -> pd.Series:
    """Differences of `compare` as text with their interval; * where p after Holm's correction is
    below 0.05.

    >>> row = {"difference": [4.5], "low": [2.8], "high": [6.2], "holm": [0.009]}
    >>> points(pd.DataFrame(row)).item()
    '+4.5* [+2.8, +6.2]'
    """
    stars = compared["holm"].lt(0.05).map({True: "*", False: ""})
    return _intervals(compared, ("difference", "low", "high"), stars)
