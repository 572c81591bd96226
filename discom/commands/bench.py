"""`discom bench`: is our training quick?"""

import tempfile
from pathlib import Path

from discom.commands.shared import check_picture
from discom.errors import ConfigError

__all__ = ["bench"]

# a measure as the JSON has it → what it is called, and how a value is written
MEASURES = {
    "pairs_per_second": ("pairs/s", "{:.1f}"),
    "share_of_peak": ("% of matmul peak", "{:.1%}"),
    "peak_memory": ("peak memory, MB", "{:.0f}"),
    "data": ("data, ms/step", "{:.1f}"),
    "forward": ("forward, ms/step", "{:.1f}"),
    "backward": ("backward, ms/step", "{:.1f}"),
    "optimizer": ("optimizer, ms/step", "{:.1f}"),
}


def bench(
    json: Path | None = None,
    out: Path | None = None,
    what: str = "speed",
    accelerator: str = "auto",
    rounds: int = 7,
    workers: int = 0,
    limit: float = 2.0,
) -> None:
    """Measure the training: how fast it is beside a plain script, how its cost grows, and data
    larger than memory.

    speed: the paper's recipe as a plain script has it against our path, in turn. Both train the
    same network on the same data; that they compute the same loss is checked first. Two sizes, 13 +
    2 bands of 64×64 pixels and the drawn scenes. growth: the time of an epoch of drawn scenes over
    samples, modalities and pixels, and runs side by side.
    memory: a data set three times as large as the process may hold, read from disk, against the
    same from memory. Each takes some minutes of a machine that should have nothing else to do.

    Args:
        json: write every figure into this file.
        out: draw speed or growth into this picture.
        what: speed, growth or memory.
        accelerator: auto, cpu or cuda; growth and memory are measured on the CPU.
        rounds: timed rounds; medians are shown.
        workers: of speed: processes of each of the recipe's two loaders; 0, torch's default, loads
            in the process that trains.
        limit: of memory: gigabytes that the process may hold.
    """
    if what not in ("speed", "growth", "memory"):
        raise ConfigError(f"--what: '{what}' is unknown; choose speed, growth or memory")
    if what != "speed" and (accelerator == "cuda" or workers):
        raise ConfigError(
            f"--what: {what} is measured on the CPU, without loaders; leave --accelerator and --workers out"
        )
    if out:
        if what == "memory":
            raise ConfigError("--out: memory has no picture; leave it out, or use --json")
        check_picture(out)
        out = out.with_suffix(out.suffix or ".png")
    for flag, file in (("--json", json), ("--out", out)):
        if file:
            _check_place(flag, file)  # before minutes of measuring
    from discom import bench as room
    from discom import files, plots

    if what == "speed":
        report = room.bench(accelerator, rounds, workers)
    else:
        report = (
            room.grow(rounds) if what == "growth" else room.larger_than_memory(limit, rounds=rounds)
        )
    print({"speed": _table, "growth": _growth, "memory": _memory}[what](report))
    if json:
        files.write_json(json, report)
        print(json)
    if out:
        plots.style()
        figure = (
            plots.step_bars(report["comparisons"])
            if what == "speed"
            else plots.cost_curves(report["dials"])
        )
        figure.savefig(out)
        print(out)


def _check_place(flag: str, file: Path) -> None:
    """Raise a ConfigError unless a file can be written there."""
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    try:
        if file.is_dir():
            raise IsADirectoryError(0, "is a folder")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigError(
            f"{flag}: {file} cannot be written ({error.strerror}); choose another place"
        ) from None


def _growth(report) -> str:
    lines = []
    for dial, found in report["dials"].items():
        held = ", ".join(
            f"{value}: {seconds:.3g}"
            for value, seconds in zip(found["values"], found["measured"], strict=True)
        )
        lines.append(
            f"{dial:<10} {held} {found['unit']}; grows with the power {found['slope']:.2f}"
        )
    return "\n".join(lines)


def _memory(report) -> str:
    settings = report["settings"]
    lines = [
        f"limit {settings['limit_bytes'] / 2**30:.1f} GiB, data {settings['times']:g} times as large"
    ]
    for name, found in report["comparisons"].items():
        rate = found["pairs_per_second"]
        lines.append("{}: from memory {:.1f} pairs/s, from disk {:.1f}, ratio {:.2f} [{:.2f}, {:.2f}]".format(
            name, rate["reference"], rate["ours"], rate["ratio"], *rate["interval"]))  # fmt: skip
    return "\n".join(lines)


def _table(report) -> str:
    import pandas as pd

    machine, parts = report["machine"], []
    for name, found in report["comparisons"].items():
        rows = {}
        for measure, (title, form) in MEASURES.items():
            held = found[measure]
            rows[title] = [
                form.format(held["reference"]),
                form.format(held["ours"]),
                f"{held['ratio']:.2f}",
            ]
            if "interval" in held:
                rows[title][-1] += " [{:.2f}, {:.2f}]".format(*held["interval"])
        table = pd.DataFrame.from_dict(
            rows, orient="index", columns=["recipe", "ours", "ours / recipe"]
        )
        parts.append(f"{name}: {found['about']}\n{table.to_string()}")
    where = (
        machine["device"]
        if machine["device"] != "cpu"
        else f"{machine['processor']}, {machine['threads']} threads"
    )
    peaks = [report["matmul_peak"][side] / 1e9 for side in ("reference", "ours")]
    return "\n\n".join(
        [
            f"{where}; matmul peak {peaks[0]:.0f} GFLOP/s in float32, {peaks[1]:.0f} in bfloat16",
            *parts,
        ]
    )
