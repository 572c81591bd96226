"""What the embeddings of finished runs hold: every measure of `inspection.inspect`, run by run.

python benchmarks/probes.py results/scenes-table5.csv --out results/scenes-probes
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import grid
from discom import data, files, inspection, methods, plots, tables
from discom.errors import ConfigError


def name_of(method: str, seed: int, f1: Mapping[str, float]) -> tuple:
    """What names a run in OUT.json: its method, seed, and test F1 in the file's six digits. A hash
    would change with every setting that is added."""
    return method, seed, *(f"{sensor} {score:.6g}" for sensor, score in sorted(f1.items()))


def probe(chosen: argparse.Namespace) -> None:
    """Measure what OUT.json lacks and add it; draw the runs that were asked for."""
    readable = [n for n in methods.names() if methods.get(n).embed is not methods.Method.embed]
    runs = [run for run in tables.load_results(chosen.path) if run.method in readable]
    if not runs:
        raise ConfigError(chosen.path, "no run of a method with an embedding", "train one")
    asked = {name_of(r.label, r.seed, r.f1): r for r in sorted(runs, key=lambda run: run.seed)}
    file = chosen.out.with_suffix(".json")
    known = files.read_json(file) if file.is_file() else []
    measured = {name_of(row["method"], row["seed"], row["f1"]): row for row in known}
    if absent := {name: run for name, run in asked.items() if name not in measured}:
        for name, run in absent.items():
            split = data.load(chosen.data, seed=run.drawn).split(*run.parts)
            measured[name] = inspection.inspect(run.folder(chosen.runs), split)
        files.write_json(file, [*measured.values()])
    rows = [measured[name] for name in asked]
    matrices = inspection.mean_matrices(rows)
    shown = matrices.get("discom", next(iter(matrices.values())))
    plots.style()
    plots.probe_map(shown, rows[0]["chance"]).savefig(chosen.out.with_suffix(".png"))


def main(arguments: list[str] | None = None) -> int:
    """Probe; see `grid.status`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="scenes", help="such as scenes:n=600, or a folder")
    parser.add_argument("--runs", type=Path, default="runs", help="the folder of all runs")
    parser.add_argument("path", type=Path, help="a table of results/, or a folder of runs")
    parser.add_argument("--out", type=Path, required=True, help="write OUT.json and OUT.png")
    chosen = parser.parse_args(arguments)
    return grid.status("probes", lambda: probe(chosen))


if __name__ == "__main__":
    sys.exit(main())
