"""Results in a small form: NAME.csv, a row for each run and network, and of folds one for each
group, too, with its confusions, "0>0:5,1:2 1>1:7" where two of class 0 were taken for class 1;
NAME.json, the settings of the rows, each once. Numbers have seven digits, as a float32."""

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from discom import methods
from discom.errors import RunError
from discom.files import as_data_error, atomic_file, digest, read_json, write_json
from discom.running.runs import Result

WHICH = ["seed", "drawn", "divided", "fold"]  # of the runs with the same settings
COSTS = ["seconds", "pairs_per_second", "peak_memory_mb"]
NEWER = {"optimizer": "adamw"}  # settings that older tables lack, and what these had
SIZES = "samples/"  # begins the columns of how many samples a part has


def load_results(path: Path | str) -> list[Result]:
    """Finished runs, ordered by data, method and seed, from a folder of runs or from a table that
    `collect` wrote (its .csv or .json); a RunError where there is none. Of runs that differ in
    their code alone it is the last one."""
    path = Path(path)
    files = sorted(path.rglob("result.json"), key=lambda file: file.stat().st_mtime_ns)
    runs = read_runs(path) if path.is_file() else map(Result.read, files)
    results = {(run.data, run.display_name, run.hash): run for run in runs}.values()
    if not results:
        way_out = f"train one with: discom train --data objects --runs {path}"
        found = "no finished run in it" if path.exists() else "no such file or folder"
        raise RunError(path, found, way_out)
    place = {name: number for number, name in enumerate(methods.names())}
    return sorted(results, key=lambda r: (r.data, place.get(r.method, len(place)), r.seed, r.hash))


def complete(results: list[Result]) -> list[Result]:
    """Without folds of which others are missing, such as learning rates that `discom advise` tried
    on one; warns of them."""
    keys = [digest([run.digest, run.method, run.config]) for run in results]
    folds = Counter(keys)
    whole = [run for run, key in zip(results, keys, strict=True) if folds[key] >= run.folds]
    if left_out := len(results) - len(whole):
        warnings.warn(f"runs left out, whose other folds are missing: {left_out}", stacklevel=2)
    return whole


def collect(results: Iterable[Result], file: Path | str) -> None:
    """Add results to a table, FILE.csv and FILE.json, which `load_results` reads: a run that is
    there is written anew, every other stays. Two commands that add wait for each other."""
    file = _rows_of(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f".{file.stem}.lock")):
        merged = {(run.display_name, run.hash): run for run in [*collected(file), *results]}
        _write(merged.values(), file)


def collected(file: Path | str | None, *, missing_ok: bool = True) -> list[Result]:
    """What a table that `collect` writes has so far: nothing where it is not there, or None. Unless
    it is `missing_ok`, a RunError for a file that is not there, such as a name with a slip: its
    runs would all be trained anew."""
    table = _rows_of(file) if file else None
    if table and not table.exists():
        if missing_ok:
            return []
        raise RunError(table, "no such file", "name a .csv that discom table --collect wrote")
    return load_results(table) if table else []


def _rows_of(file: Path | str) -> Path:
    """FILE.csv of FILE, FILE.csv or FILE.json; a point in a name begins no other ending, so that
    tables called noise-0.1 and noise-0.2 are two."""
    file = Path(file)
    return file.with_name(file.name.removesuffix(".json").removesuffix(".csv") + ".csv")


def _write(results: Iterable[Result], file: Path) -> None:
    """Write FILE.csv and FILE.json, whose settings are those of the old rows, too, until the new
    ones are there: a process that is killed leaves a table that can be read."""
    settings, rows = dict[str, Any](), list[dict[str, Any]]()
    for result in results:
        fields = result.to_json()
        run, costs = ({name: fields.pop(name) for name in names} for names in (WHICH, COSTS))
        costs |= {f"{SIZES}{part}": size for part, size in fields.pop("counts").items()}
        scores, best, tested = (fields.pop(name) for name in ("scores", "best", "tested"))
        for config in (fields["config"], (fields["teacher"] or {}).get("config", {})):
            if config.get("seed") == result.seed:
                del config["seed"]
            for setting, usual in NEWER.items():
                if config.get(setting) == usual:
                    del config[setting]
        if fields["precision"] == fields["config"]["precision"]:  # as asked for
            del fields["precision"]
        run["settings"] = digest(fields)
        settings[run["settings"]] = fields
        for network, values in scores.items():
            possible = {"best": best[network]} if network in best else {}
            rows.append({**run, "network": network, **values, **possible, **costs})
        for network, counts in tested["counts"].items() if tested else ():
            for place, cells in groupby(counts, itemgetter(0)):
                group = {"network": network, "group": json.dumps(tested["groups"][place])}
                kinds = groupby(cells, itemgetter(1))
                texts = [f"{c}>{','.join(f'{k}:{n}' for *_, k, n in row)}" for c, row in kinds]
                rows.append({**run, **group, "counts": " ".join(texts)})
    # whole numbers are written as such, also where their column has gaps
    table = pd.DataFrame(rows).convert_dtypes(convert_string=False, convert_floating=False)
    header = file.with_suffix(".json")
    write_json(header, {**(read_json(header) if header.exists() else {}), **settings})
    with atomic_file(file) as part:
        table.to_csv(part, index=False, float_format="%.7g")
    write_json(header, settings)


def read_runs(file: Path) -> list[Result]:
    """The results of FILE.csv and FILE.json, in their order; a DataError where one is missing,
    damaged or something else."""
    table, way_out = file.with_suffix(".csv"), "name a folder of runs, or a table with its .json"
    settings = read_json(file.with_suffix(".json"), way_out)
    how: Any = {"float_precision": "round_trip", "keep_default_na": False, "na_values": [""]}
    texts = dict.fromkeys(["settings", "network", "group", "counts"], str)
    with as_data_error(table, "a table of runs", way_out):
        every = pd.read_csv(table, dtype=texts, **how)
        runs = []
        for (*seeds, key), rows in every.groupby([*WHICH, "settings"], dropna=False, sort=False):
            which = {n: None if pd.isna(v) else int(v) for n, v in zip(WHICH, seeds, strict=True)}
            runs.append(_fields({**settings[key], **which}, rows))
    return [Result.from_json(fields, table) for fields in runs]


def _fields(settings: Mapping[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """The fields of a result, from its settings and seeds and from its rows."""
    seed = {"seed": settings["seed"]}
    fields: dict[str, Any] = {**settings, "config": seed | settings["config"], "tested": None}
    fields.setdefault("precision", settings["config"]["precision"])
    if teacher := settings["teacher"]:
        fields["teacher"] = {**teacher, "config": seed | teacher["config"]}
    scored = rows[rows["seconds"].notna()].set_index("network")
    fields |= {name: float(scored[name].iloc[0]) for name in COSTS}
    sizes = scored.filter(like=SIZES).iloc[0].dropna()
    fields["counts"] = {name.removeprefix(SIZES): int(size) for name, size in sizes.items()}
    scores = scored.drop(columns=[*WHICH, *COSTS, *sizes.index, "settings"])
    fields["scores"] = {network: values.dropna().to_dict() for network, values in scores.iterrows()}
    for values in fields["scores"].values():
        values["best_epoch"] = int(values["best_epoch"])
    networks = fields["scores"].items()
    fields["best"] = {name: values.pop("best") for name, values in networks if "best" in values}
    if len(counted := rows[rows["seconds"].isna()]):
        place, groups = pd.factorize(counted["group"])
        counts: dict[str, list] = {network: [] for network in counted["network"]}
        for group, network, cells in zip(place, counted["network"], counted["counts"], strict=True):
            for label, row in (text.split(">") for text in cells.split()):
                pairs = (map(int, cell.split(":")) for cell in row.split(","))
                counts[network] += [[int(group), int(label), k, n] for k, n in pairs]
        fields["tested"] = {"groups": [*map(json.loads, groups)], "counts": counts}
    return fields
