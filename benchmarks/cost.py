"""What a method costs to train: seconds of each, its teacher's included, in turn in one process, as
a share of the first method's in the same round. Run it alone on the machine.

python benchmarks/cost.py --data scenes-dense --methods dense-kdv2 single crodino
python benchmarks/cost.py --data scenes-dense --methods crodino 'crodino:{"weights":{"soft":0}}'
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import common
from discom import data, files, fit, methods, profile
from discom.data import Split
from discom.errors import ConfigError
from discom.hardware import device_type, machine
from discom.running.runs import Run
from discom.tables.intervals import t_test


def seconds(run: Run, split: Split) -> float:
    """Training and validation of a run, and of its teacher if it has one; all files are deleted."""
    with tempfile.TemporaryDirectory() as folder:
        spent, teacher = 0.0, None
        for one in [run.teacher, run] if run.teacher else [run]:
            place = Path(folder) / one.method
            result = fit(one.method, split, one.config, place, teacher=teacher, progress=False)
            spent, teacher = spent + result.seconds, place
    return spent


def ratios(rounds: list[dict[str, float]]) -> dict[str, list[float]]:
    """Method → its seconds as a share of the first method's: mean and 95 % interval over rounds."""
    first, *others = rounds[0]
    shares = {name: np.array([one[name] / one[first] for one in rounds]) for name in others}
    return {name: list(t_test(share)[:3]) for name, share in shares.items()}


def measure(chosen: argparse.Namespace) -> None:
    """Train every method in every round; print and write the machine, the ratios, the seconds."""
    if chosen.rounds < 2 or not chosen.methods[1:]:
        raise ConfigError("give --rounds 2 or more, and two methods or more")
    common.check_arms(chosen.methods)
    torch.set_num_threads(1)
    images = data.load(chosen.data, seed=0)
    split = images.split(seed=0)
    runs = {}
    for row in chosen.methods:
        settings = {"epochs": chosen.epochs, **row.settings}
        config = profile("cpu", dense=images.dense, options=row.options, **settings)
        runs[row.label] = Run.of(".", methods.get(row.method), images, config)
    seconds(next(iter(runs.values())), split)  # the first use of a library is slow
    rounds = []
    for number in range(1, chosen.rounds + 1):
        rounds.append({name: seconds(run, split) for name, run in runs.items()})
        print(f"cost: round {number} of {chosen.rounds}", file=sys.stderr)
    here = machine(torch.device(device_type(config.accelerator)))
    what = f"seconds of {chosen.epochs} epochs on {images.name}, teachers included, one thread"
    report = {"what": what, "machine": here, "ratio": ratios(rounds), "rounds": rounds}
    print(json.dumps(report, indent=1))
    if chosen.json:
        files.write_json(chosen.json, report)


def main(arguments: list[str] | None = None) -> int:
    """Measure; see `common.run`. The first of --methods is the reference."""
    parser = common.parser(__doc__, "methods data")
    parser.add_argument("--epochs", type=int, default=2, help="of a training (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="of every method (default: 5)")
    parser.add_argument("--json", type=Path, help="write the figures into this file, too")
    chosen = parser.parse_args(arguments)
    return common.run("cost", lambda: measure(chosen))


if __name__ == "__main__":
    sys.exit(main())
