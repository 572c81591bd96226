"""What the embeddings of finished runs hold: every measure of `inspection.inspect`, run by run.

python benchmarks/probes.py results/scenes-table5.csv --out results/scenes-probes
"""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import discom.data
import grid
from discom import cli, files, inspection, methods, plots, tables
from discom.cli import flags
from discom.errors import ConfigError


def name_of(method: str, seed: int, f1: Mapping[str, float]) -> tuple:
    """What names a run in OUT.json: its method, seed, and test F1 in the file's six digits. A hash
    would change with every setting that is added."""
    return method, seed, *(f"{sensor} {score:.6g}" for sensor, score in sorted(f1.items()))


@flags.command
def probe(
    path: Path,
    data: grid.Data = "scenes",
    runs: flags.Runs = Path("runs"),
    out: Annotated[Path, Path, "Write OUT.json and OUT.png."] = Path("build/probes"),
) -> None:
    """Measure the runs of PATH, a table of results/ or a folder of runs, that OUT.json lacks, add
    them to it, and draw those of PATH."""
    readable = [n for n in methods.names() if methods.get(n).embed is not methods.Method.embed]
    found = [run for run in tables.load_results(path) if run.method in readable]
    if not found:
        raise ConfigError(path, "no run of a method with an embedding", "train one")
    wanted = {name_of(r.label, r.seed, r.f1): r for r in sorted(found, key=lambda run: run.seed)}
    file = out.with_suffix(".json")
    known = files.read_json(file) if file.is_file() else []
    measured = {name_of(row["method"], row["seed"], row["f1"]): row for row in known}
    if absent := {name: run for name, run in wanted.items() if name not in measured}:
        for name, run in absent.items():
            split = discom.data.load(data, seed=run.drawn).split(*run.parts)
            measured[name] = inspection.inspect(run.folder(runs), split)
        files.write_json(file, [*measured.values()])
    rows = [measured[name] for name in wanted]
    matrices = inspection.mean_matrices(rows)
    shown = matrices.get("discom", next(iter(matrices.values())))
    plots.style()
    plots.probe_map(shown, rows[0]["chance"]).savefig(out.with_suffix(".png"))


main = partial(cli.main, command=probe)

if __name__ == "__main__":
    sys.exit(main())
