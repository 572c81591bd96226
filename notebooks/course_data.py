"""What the pictures of the course show: scenes as tensors and their facts, and results
that are stored."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import jupytext
import numpy as np
import pandas as pd
import torch

from discom import data, tables
from discom.data.scenes import drawing, objects

SENSORS = {"rgb": "colour", "depth": "depth"}
# method of a stored table → its name here
METHODS = {"student": "alone", "fixmatch": "FixMatch", "nt-xent contrast=3": "pairs"}
METHODS |= {"agreed strong=False": "pairs and labels"}
METHODS |= {"agreed": "pairs and labels, harder views"}
METHODS |= {"nt-xent partners=shuffled contrast=3": "strangers"}
ROWS = ("alone", "FixMatch", "strangers", "pairs", "pairs and labels")
ROWS += ("pairs and labels, harder views",)
# the same in 08, part by part
WAYS = {"student": "alone", "fixmatch": "own labels"}
WAYS |= {"agreed contrast=0": "pair labels"}
WAYS |= {"nt-xent contrast=3": "contrast", "agreed": "contrast + pair labels"}
WAYS |= {"nt-xent partners=shuffled contrast=3": "contrast, strangers"}
# the same where every scene has its label
PAIRED = "discom pairing=paired"
EVERY = {"student": "student", "discom-solo": "branch alone", "discom": "DisCoM-KD"}
EVERY |= {PAIRED: "DisCoM-KD, pairs", "teacher": "both sensors"}
RELEASED = "discom reduction=released modality_targets=released"
# column of results/margins.csv → its name here
MARGINS = {"student, as they are": "student, images as they are"}
MARGINS |= {"student, turned": "student, images turned"}
MARGINS |= {"branch alone, turned": "branch alone, images turned"}


def scenes(
    source: str, seed: int = 0, device: torch.device | str = "cpu"
) -> tuple[SimpleNamespace, SimpleNamespace]:
    """The first two fifths of the scenes, to learn from, and the last two, to test on:
    `images` [n, bands, 32, 32] and `labels`, both on the device, `factors` on the CPU,
    `classes`, `best` possible."""
    whole, parts = data.load(source, seed=seed), []
    for rows in (slice(0, len(whole) * 2 // 5), slice(-(len(whole) * 2 // 5), None)):
        images = {s: torch.tensor(m.x[rows]) for s, m in whole.modalities.items()}
        there = {"device": device, "memory_format": torch.channels_last}
        images = {s: x.to(**there) for s, x in images.items()}
        factors = {name: torch.tensor(v[rows]) for name, v in whole.factors.items()}
        labels = torch.tensor(whole.labels[rows]).to(device)
        part = {"images": images, "labels": labels}
        part |= {"factors": factors, "classes": whole.classes, "best": whole.best}
        parts.append(SimpleNamespace(**part))
    return parts[0], parts[1]


def factors(part: SimpleNamespace) -> dict[str, torch.Tensor]:
    """What a linear fit looks for: name → [scenes, numbers]."""
    f = {name: values.float()[:, None] for name, values in part.factors.items()}
    kinds = {name: torch.eye(3)[part.factors[name]] for name in ("shape", "material")}
    tilt = torch.cat([f["tilt_x"], f["tilt_y"]], dim=1)
    return kinds | {"size": f["scale"], "distance": f["shift"], "tilt": tilt}


def kinds(part: SimpleNamespace) -> dict[str, torch.Tensor]:
    """Which scenes are ordinary, dark, or far away, but not both."""
    dark, far = part.factors["dark"].bool(), part.factors["far"].bool()
    return {"ordinary": ~dark & ~far, "dark": dark & ~far, "far away": far & ~dark}


def of_each(part: SimpleNamespace, kind: str, *classes: int) -> dict[int, str]:
    """The first scene of this kind in each of these classes, and the class."""
    labels = part.labels.cpu().where(kinds(part)[kind], -1).tolist()
    rows = [labels.index(k) for k in classes if k in labels]
    return {row: part.classes[labels[row]].replace("/", "\n") for row in rows}


def queries(part: SimpleNamespace) -> dict[int, str]:
    """Two ordinary scenes and one far away, of three classes, and their names."""
    far = {row: f"{name}, far" for row, name in of_each(part, "far away", 8).items()}
    return of_each(part, "ordinary", 0, 4) | far


def facts(part: SimpleNamespace) -> dict[str, dict[str, tuple]]:
    """Sensor → fact → its values, [scenes, numbers], and in which scenes it is looked
    for. A sensor's four facts belong into inv, inv, inf and irr."""
    values, where = factors(part), kinds(part)
    every = torch.ones(len(part.labels), dtype=torch.bool)
    both = {
        "shape": (values["shape"], every),
        "material, ordinary": (values["material"], where["ordinary"]),
    }
    light = part.factors["illumination"].float()[:, None]
    far = {"material, far away": (values["material"], where["far away"])}
    dark = {"material, in the dark": (values["material"], where["dark"])}
    return {
        "rgb": both | far | {"light": (light, every)},
        "depth": both | dark | {"distance of the wall": (values["distance"], every)},
    }


def fact_pairs(seed: int = 5) -> tuple[SimpleNamespace, dict[str, dict[int, str]]]:
    """Scenes in pairs that differ in one fact alone, and fact → {row: state}. So that
    relief can be seen, an image is the median of nine shots before an upright wall, and
    depth's contrast is raised in each pair."""
    plain = objects.draw_factors(1, seed, dark=0, far=0)
    same = {"colour_a": [[0.9, 0.7, 0.2]], "colour_b": [[0.3, 0.1, 0.1]]}
    same |= {"scale": [0.8], "tilt_x": [0.0], "tilt_y": [0.0]}
    plain |= {name: np.array(value) for name, value in same.items()}
    materials = [{"material": k, "texture": k, "relief": k} for k in (0, 1)]
    dark = [kind | {"dark": 1, "texture": objects.HIDDEN} for kind in materials]
    far = [kind | {"far": 1, "relief": objects.HIDDEN} for kind in materials]
    states = {
        "shape": {"disk": {"shape": 0}, "square": {"shape": 1}},
        "material, ordinary": {"wood": materials[0], "metal": materials[1]},
        "material, in the dark": {"wood": dark[0], "metal": dark[1]},
        "material, far away": {"wood": far[0], "metal": far[1]},
        "light": {"dim": {"illumination": 0.6}, "bright": {"illumination": 1.2}},
        "distance of the wall": {"near": {"shift": 0.2}, "farther": {"shift": -0.2}},
    }
    images, blocks = {sensor: [] for sensor in SENSORS}, {}
    for fact, pair in states.items():
        blocks[fact] = {len(images["rgb"]) + k: name for k, name in enumerate(pair)}
        for change in pair.values():
            scene = plain | {name: np.array([value]) for name, value in change.items()}
            view = drawing.geometry(scene, 32)
            for sensor in SENSORS:  # the noise is the same each time
                noise = [np.random.default_rng([seed, k]) for k in range(9)]
                shots = [objects.SENSES[sensor](scene, view, rng)[0] for rng in noise]
                images[sensor].append(torch.from_numpy(np.median(shots, axis=0)))
        both = torch.stack(images["depth"][-2:])
        low, high = both.quantile(torch.tensor([0.01, 0.99]).double())
        images["depth"][-2:] = ((both - low) / (high - low)).clamp(0.01, 1)
    return SimpleNamespace(images=images), blocks


def keep(table: pd.DataFrame, record: str, by: Sequence[str] = ("seed",)) -> None:
    """With `record`, put a seed's rows into that file, in the place of earlier ones."""
    if record:
        file = Path(record)
        stored = pd.read_csv(file) if file.exists() else table[:0]
        old, new = (rows.set_index([*by]).index for rows in (stored, table))
        table = pd.concat([stored[~old.isin(new)], table.round(1)])
        table.sort_values([*by], kind="stable").to_csv(file, index=False)


def beside(file: str, points: Mapping, seed: int, record: str = "") -> pd.DataFrame:
    """These points, a row for each way, and those of other seeds that are stored; with
    `record` they are put into that file."""
    live = pd.DataFrame([{"seed": seed, **points}])
    keep(live, record)
    others = pd.read_csv(record or f"../results/{file}").query("seed != @seed")
    return pd.concat([live, others]).set_index("seed").T.round(1)


def means(right: Mapping, seed: int) -> pd.DataFrame:
    """(way, sensor) → % right of each sample: a row for each way, a column a sensor."""
    shares = pd.Series({place: float(own.mean()) for place, own in right.items()})
    return shares.unstack().rename_axis("way").reset_index().assign(seed=seed)


def results_table(file, labelled=0.1, names=METHODS, rows=ROWS) -> pd.DataFrame:
    """Mean F1 of each sensor with this share of labels, from a stored table."""
    table = tables.summary(tables.load_results(file), []).query("labelled == @labelled")
    table = table.pivot_table(index="method", columns="modality", values="f1")
    table = table.rename(names).loc[list(rows), ["depth", "rgb"]].round(1)
    return table.rename(columns=SENSORS).rename_axis(index=None, columns="F1, %")


def seeds(
    file: Path | str, names: Mapping[str, str], sensor: str, labelled: float = 1
) -> pd.DataFrame:
    """F1 of a stored table, a row for each seed and a column for each method in
    `names`: of the network that reads this sensor, alone or with others, where this
    share of the scenes has a label."""
    runs = [run for run in tables.load_results(file) if run.display_name in names]
    runs = [run for run in runs if run.config["labelled"] == labelled]
    scores = {
        (run.seed, names[run.display_name]): f1
        for run in runs
        for network, f1 in run.main.items()
        if sensor in network.split("+")
    }
    return pd.Series(scores).unstack()[list(names.values())]


def stored_kinds(file: Path | str, method: str, sensor: str) -> pd.Series:
    """% right in scenes of each kind, mean over stored seeds: of the network that reads
    this sensor, alone or with others."""
    table = pd.read_csv(file).query("method == @method")
    table = table[table["network"].str.contains(sensor)]
    return table.groupby("kind", sort=False)["accuracy"].mean()


def cells_of(number: str, beginnings: tuple[str, ...], *ends: str) -> str:
    """The source of the cells of a notebook that begin so, each up to the first of
    `ends` that it has, behind the cell that chooses the device."""
    beginnings = ("from discom import hardware", *beginnings)
    (file,) = (Path(__file__).parent / "py").glob(f"{number}_*.py")
    cells = [cell.source for cell in jupytext.read(file, fmt="py:percent").cells]
    chosen = [cell for cell in cells if cell.startswith(beginnings)]
    for end in ends:
        chosen = [cell.partition(end)[0] for cell in chosen]
    return "\n\n\n".join(chosen)


def results(number: str) -> pd.DataFrame:
    """What the notebook of this number, 01, 07 or 08, has measured: means over stored
    seeds."""
    watch = pd.read_csv("../results/watch-splits.csv").groupby("model").mean()
    acc, both = watch.loc["nearest window"], watch.loc["nearest window, both sensors"]
    splits = {name: acc[name] for name in ("windows at random", "whole persons")}
    splits["whole persons, both sensors"] = both["whole persons"]
    margins = pd.read_csv("../results/margins.csv").query("epochs == 20").mean()
    few = results_table("../results/labels.csv", 0.1, WAYS, WAYS.values())
    found = {
        ("01", "watch, mean of 5 deals"): pd.Series(splits),
        ("07", "colour, 20 epochs"): margins[[*MARGINS]].rename(MARGINS),
        ("08", "depth, 200 labels, F1"): few["depth"],
        ("08", "colour, 200 labels, F1"): few["colour"],
    }
    table = pd.concat(found, names=["notebook", "data", "way"]).to_frame("right, %")
    return table.loc[number].round(0).astype(int)
