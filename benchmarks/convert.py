"""Bring results of the older form, NAME.json with every run in full, into the one of today,
NAME.csv and NAME.json. What is not the same afterwards is said.

python benchmarks/convert.py results
"""

import json
import sys
from pathlib import Path
from typing import Any

from discom import methods
from discom.config import Config
from discom.running.runs import Result, asked
from discom.tables.stored import read_runs, write_runs

UNREAD = ("cka", "shuffled", "kind")  # of probes
UNUSED = ("format", "checksum", "hash")  # their digits were of the older form


def converted(run: dict) -> Result:
    """A run of today: settings in full, and its teacher's, which are its own. The precision stays
    the one that was asked for: three rows of scenes-table5 have runs of two machines
    (docs/results/protocol.md says which); the one that was used stands in `machine`."""
    fields = {name: value for name, value in run.items() if name not in UNUSED}
    config = {**Config().identity(), **run["config"]}
    if run["teacher"]:
        method = methods.get(run["method"].split()[0])
        chosen = config["options"].get("teacher")
        options = method.teacher_method.options({"reads": chosen} if chosen else {})
        taught = {**config, "options": options}
        fields["teacher"] = asked(method.teacher_method.name, taught, None)
    return Result.from_json({**fields, "config": config}, "results")


def rounded(value: Any) -> Any:
    """Nested JSON with six significant digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items() if name not in UNREAD}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def shorten(file: Path, content: list[dict]) -> None:
    """Write probes with six digits, a run a line, without what nothing reads."""
    lines = ",\n".join(json.dumps(rounded(run)) for run in content)
    file.write_text(f"[\n{lines}\n]\n")
    print(f"{file}: {len(content)} runs without {', '.join(UNREAD)}")


def main(folder: Path) -> None:
    """Convert each table of a folder, and compare what is read with what was written."""
    for file in sorted(folder.rglob("*.json")):
        content = json.loads(file.read_text())
        if isinstance(content, list) and content and "matrix" in content[0]:
            shorten(file, content)
        if not (isinstance(content, list) and content and "checksum" in content[0]):
            continue
        results = [converted(run) for run in content]
        taught = {run["hash"]: run for run in content}
        for run, result in zip(content, results, strict=True):
            if theirs := taught.get(run["teacher"]):
                assert converted(theirs).config == result.teacher["config"], (file, run["hash"])
            for name in ("scores", "changed", "counts", "seconds", "tested"):
                if run.get(name) and run[name] != result.to_json()[name]:
                    print(f"{file}: {result.label}, seed {result.seed}: {name} differs")
        file.unlink()
        write_runs(results, file)
        again = {(run.label, run.hash): run for run in read_runs(file)}
        assert all(again[run.label, run.hash].to_json() == run.to_json() for run in results), file
        print(f"{file}: {len(results)} runs, {len(json.loads(file.read_text()))} settings")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
