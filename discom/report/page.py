"""The page: numbers and pictures of a finished run put into the template beside this file."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure
from scipy.special import softmax
from scipy.stats import binomtest

from discom import plots
from discom.evaluation import calibration_error, confusion, reliability
from discom.files import atomic_file
from discom.report.measures import class_scores, hardest_confusions
from discom.runs import Result, read_metrics, read_predictions
from discom.tables.statistics import METRICS

__all__ = ["render", "write_report"]


def write_report(run_dir: Path | str, file: Path | str) -> None:
    """Write the page of a finished run, whole or not at all.

    Raises:
        RunError: the run is not finished, or a file of it is damaged.
    """
    page = render(run_dir)
    with atomic_file(file) as part:
        part.write_text(page, encoding="utf-8")


def render(run_dir: Path | str) -> str:
    """One self-contained HTML page of a finished run: pictures are part of it, nothing is fetched
    and no script runs.

    For each deployed network: scores, confusion, precision, recall and F1 of every class, the
    hardest confusions, and reliability; of a dense method IoU in its place, since a run keeps
    classes of pixels and no probabilities. Then training curves, counts, settings and machine. The
    same run gives the same bytes.

    Raises:
        RunError: the run is not finished, or a file of it is damaged.
    """
    run_dir = Path(run_dir)
    result = Result.read(run_dir / "result.json")
    held = read_predictions(run_dir / "predictions.npz")
    with matplotlib.rc_context(), plt.ioff():
        plots.style()
        plt.rcParams |= {"svg.hashsalt": result.hash, "savefig.transparent": False}
        pages = [_network(run_dir, held, name, result) for name in result.scores]
        curves = _picture(plots.curves(read_metrics(run_dir / "metrics.csv")))
    environment = Environment(loader=PackageLoader("discom.report", "."), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    template = environment.get_template("report.html.jinja")
    return template.render(result=result, metric=METRICS[result.metric], networks=pages, curves=curves,
                           settings=_flat(result.config), machine=_flat(result.machine))  # fmt: skip


def _network(
    run_dir: Path, held: Mapping[str, np.ndarray], name: str, result: Result
) -> dict[str, Any]:
    """What the template is told of one deployed network."""
    classes, labels = held["classes"].tolist(), held[f"{name}_labels"]
    dense = f"{name}_predicted" in held
    if dense:
        answers = torch.from_numpy(held[f"{name}_predicted"])
        counts = confusion(answers, torch.from_numpy(labels), len(classes)).numpy()
    else:
        answers = held[f"{name}_logits"].argmax(1)
        counts = np.zeros((len(classes), len(classes)), np.int64)
        np.add.at(counts, (labels, answers), 1)
    made = {"name": name, "dense": dense, "classes": class_scores(counts, classes),
            "hardest": hardest_confusions(counts, classes), "scores": result.scores[name],
            "main": result.scores[name][result.metric], "parameters": result.parameters[name],
            "confusion": _picture(plots.confusions(run_dir / "predictions.npz", [name]))}  # fmt: skip
    if not dense:
        table = reliability(softmax(held[f"{name}_logits"].astype(np.float64), axis=1), labels)
        right = binomtest(int(counts.trace()), len(labels)).proportion_ci(method="wilson")
        made |= {"reliability": _picture(plots.reliability_diagram({name: table})), "error": calibration_error(table),
                 "bins": table[table["count"] > 0], "interval": (100 * right.low, 100 * right.high)}  # fmt: skip
    return made


def _picture(figure: Figure) -> str:
    """The figure as a data URI, without the date, and closed."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def _flat(held: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings as one table: options.weights.aux and so on."""
    rows: dict[str, Any] = {}
    for key, value in held.items():
        rows |= (
            _flat(value, f"{above}{key}.")
            if isinstance(value, Mapping)
            else {f"{above}{key}": value}
        )
    return rows
