"""What notebooks share: scenes as tensors, pictures, stored results. Nothing learns."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from discom import data, tables
from discom.plots.look import show

GREY, RIGHT = "0.45", "#2ca02c"
# one meaning each, in every figure; what exercises add is green
COLOURS = defaultdict(lambda: RIGHT)
COLOURS |= dict.fromkeys(("alone", "before", "two students"), "#4d4d4d")
COLOURS |= {"strangers": "#b0b0b0", "pairs": "#0173b2", "pairs and labels": "#d55e00"}
# method of a stored table → its name here
METHODS = {"student": "alone", "fixmatch": "FixMatch", "agreed": "pairs and labels"}
METHODS |= {"nt-xent contrast=3": "pairs"}
METHODS |= {"nt-xent partners=shuffled contrast=3": "strangers"}
ROWS = ("alone", "FixMatch", "strangers", "pairs", "pairs and labels")
SENSORS = {"rgb": "colour", "depth": "depth"}
SMALL = {"fontsize": 10.5, "fontweight": "normal"}


def style() -> None:
    """The look of every figure."""
    plt.rcParams.update({"figure.dpi": 100, "savefig.dpi": 110, "font.size": 10.5})
    plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
    for kind in ("axes", "figure"):
        plt.rcParams.update({f"{kind}.titlesize": 12.5, f"{kind}.titleweight": "bold"})


def scenes(source: str, seed: int = 0) -> tuple[SimpleNamespace, SimpleNamespace]:
    """The first two fifths of the scenes, to learn from, and the last two, to test on:
    `images` [n, bands, 32, 32], `labels`, `factors`, `classes`, `best` possible."""
    whole, parts = data.load(source, seed=seed), []
    for rows in (slice(0, len(whole) * 2 // 5), slice(-(len(whole) * 2 // 5), None)):
        images = {s: torch.tensor(m.x[rows]) for s, m in whole.modalities.items()}
        images = {s: x.to(memory_format=torch.channels_last) for s, x in images.items()}
        factors = {name: torch.from_numpy(v[rows]) for name, v in whole.factors.items()}
        part = {"images": images, "labels": torch.from_numpy(whole.labels[rows])}
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
    labels = part.labels.where(kinds(part)[kind], -1).tolist()
    rows = [labels.index(k) for k in classes if k in labels]
    return {row: part.classes[labels[row]].replace("/", "\n") for row in rows}


def queries(part: SimpleNamespace) -> dict[int, str]:
    """Two ordinary scenes and one far away, of three classes, and their names."""
    far = {row: f"{name}, far" for row, name in of_each(part, "far away", 8).items()}
    return of_each(part, "ordinary", 0, 4) | far


def draw(axis, image: torch.Tensor) -> None:
    """An image [bands, 32, 32], depth in colours; its holes are white."""
    show(axis, image.numpy(), in_colours=len(image) == 1)
    axis.spines[:].set_visible(False)


def show_pairs(part: SimpleNamespace, title: str):
    """Ordinary, dark and far scenes, colour above depth."""
    figure = plt.figure(figsize=(11, 2.9), layout="constrained")
    figure.suptitle(title)
    for block, kind in zip(figure.subfigures(1, 3), kinds(part), strict=True):
        axes = block.subplots(2, 4)
        block.suptitle(kind, **SMALL)
        for k, (row, name) in enumerate(of_each(part, kind, 0, 4, 8, 2).items()):
            for axis, sensor in zip(axes[:, k], SENSORS, strict=True):
                draw(axis, part.images[sensor][row])
            axes[1, k].set_xlabel(name, fontsize=8)
        for axis, sensor in zip(axes[:, 0], SENSORS.values(), strict=True):
            axis.set_ylabel(sensor if kind == "ordinary" else "")
    return figure


def plot_fork(curves: Mapping, stored: pd.DataFrame, title: str, best: float):
    """Depth's accuracy while training: a common start, then each way to go on. Thick:
    way → {step: {sensor: %}}; thin: the same ways with other seeds."""
    live, fork = table_of(curves, seed=-1), max(curves["two students"])
    stored = stored[stored["way"].isin(["two students", "alone", "pairs"])]
    figure, axis = plt.subplots(figsize=(9.2, 4.6), layout="constrained")
    for table, look in ((stored, {"lw": 0.8, "alpha": 0.6}), (live, {"lw": 2.8})):
        for (_, way), curve in table.groupby(["seed", "way"], sort=False):
            axis.plot(curve["step"], curve["depth"], color=COLOURS[way], **look)
    last, height = live["step"].max(), -np.inf
    ends = live[live["step"] == last].set_index("way")["depth"].sort_values()
    for way, end in ends.items():  # the lowest first, so that no names touch
        height = max(end, height + 5)
        name = {"color": COLOURS[way], "va": "center", "fontweight": "bold"}
        axis.text(1.01 * last, height, f"{end:.0f} %  {way}", **name)
    small = {"color": GREY, "fontsize": 9}
    axis.axvline(fork, color="0.6", lw=1)
    axis.text(0.99 * fork, 3, "two students, each on its own", ha="right", **small)
    axis.text(1.03 * fork, 3, "from here one change each; thin: other seeds", **small)
    ends = pd.concat([live, stored]).query("step == @last").set_index(["way", "seed"])
    gains = (ends["depth"]["pairs"] - ends["depth"]["alone"]).map("{:+.0f}".format)
    axis.text(
        1.03 * fork, 76, f"pairs − alone, every seed: {', '.join(gains)}", **small
    )
    for level, name in ((best, "best possible with depth"), (100 / 9, "guessing")):
        axis.plot([0, last], [level, level], color="0.6", lw=1, ls=":")
        axis.text(last, level + 1.2, name, ha="right", **small)
    axis.set(xlim=(0, 1.27 * last), ylim=(0, 86), xticks=np.linspace(0, last, 6))
    axis.set(xlabel="training step", ylabel="new depth images right, %", title=title)
    return figure


def show_neighbours(part, queries: Mapping, found: Mapping, title: str):
    """For each query, scene → name, its depth image and the colour images found,
    heading → [scenes, 5]. A green frame: the class of the query."""
    figure = plt.figure(figsize=(11, 1.02 * len(queries) + 0.9), layout="constrained")
    figure.suptitle(title)
    own, *blocks = figure.subfigures(1, 3, width_ratios=[1.6, 5, 5])
    own.suptitle("depth", **SMALL)
    for axis, row in zip(own.subplots(len(queries), 1), queries, strict=True):
        draw(axis, part.images["depth"][row])
        axis.set_ylabel(queries[row], fontsize=8, rotation=0, ha="right", va="center")
    for block, (heading, nearest) in zip(blocks, found.items(), strict=True):
        block.suptitle(heading, **SMALL)
        axes = block.subplots(len(queries), 5)
        for line, row in zip(axes, queries, strict=True):
            for axis, index in zip(line, nearest[row], strict=True):
                draw(axis, part.images["rgb"][index])
                same = part.labels[index] == part.labels[row]
                axis.spines[:].set(visible=True, color=RIGHT if same else "0.8", lw=3)
    return figure


def plot_bars(rows: Mapping, names: Sequence[str], title: str):
    """Way → R² of each of the `factors`, under a heading that says who sees them."""
    figure, axis = plt.subplots(figsize=(9.2, 3.7), layout="constrained")
    width, places = 0.8 / len(rows), np.arange(len(names))
    for k, (way, values) in enumerate(rows.items()):
        shift = (k - (len(rows) - 1) / 2) * width
        look = {"edgecolor": COLOURS[way], "label": way}
        look["facecolor"] = "white" if way == "before" else COLOURS[way]
        bars = axis.bar(places + shift, values, 0.92 * width, **look)
        axis.bar_label(bars, fmt="%.0f", fontsize=9, padding=2)
    for heading, first, last in (("both sensors see", 0, 2), ("only depth sees", 3, 4)):
        axis.text((first + last) / 2, 102, heading, ha="center", color=GREY)
        axis.plot([first - 0.42, last + 0.42], [99, 99], color="0.6", lw=1)
    axis.set(xticks=places, xticklabels=names, ylim=(0, 110), yticks=range(0, 101, 25))
    axis.set(title=title, ylabel="R² of a linear fit, %")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 0.95))
    return figure


def table_of(curves: Mapping, seed: int) -> pd.DataFrame:
    """A row for each way and step; from way → {step: {sensor: %}}."""
    rows = [
        {"seed": seed, "way": way, "step": step, **scores}
        for way, curve in curves.items()
        for step, scores in curve.items()
    ]
    return pd.DataFrame(rows, columns=["seed", "way", "step", "depth", "rgb"])


def other_seeds(curves: Mapping, seed: int, record: str = "") -> pd.DataFrame:
    """The stored curves of other seeds; with `record`, these curves are put into that
    file, in the place of those with the same seed."""
    file = Path(record or "../results/fork.csv")
    keep(table_of(curves, seed), record)
    stored = pd.read_csv(file)
    return stored[stored["seed"] != seed]


def keep(table: pd.DataFrame, record: str) -> None:
    """With `record`, put a seed's rows into that file, in the place of earlier ones."""
    if record:
        file = Path(record)
        stored = pd.read_csv(file) if file.exists() else table[:0]
        others = stored[~stored["seed"].isin(table["seed"])]
        table = pd.concat([others, table.round(1)])
        table.sort_values("seed", kind="stable").to_csv(file, index=False)


def results_table(file: Path | str, labelled: float = 0.1) -> pd.DataFrame:
    """Mean F1 of each sensor with this share of labels, from a stored table."""
    table = tables.summary(tables.load_results(file), []).query("labelled == @labelled")
    table = table.pivot_table(index="method", columns="modality", values="f1")
    table = table.rename(METHODS).loc[list(ROWS), ["depth", "rgb"]].round(1)
    return table.rename(columns=SENSORS).rename_axis(index=None, columns="F1, %")


def results(until: str) -> pd.DataFrame:
    """What the notebooks up to this one have measured: means over stored seeds."""
    fork = pd.read_csv("../results/fork.csv").query("step == step.max()")
    ways = fork.groupby("way")["depth"].mean()
    watch = pd.read_csv("../results/watch-splits.csv").query(
        "model == 'nearest window'"
    )
    splits = watch.drop(columns=["model", "seed"]).mean()
    found = {
        ("00", "depth, 200 labels"): ways[["alone", "strangers", "pairs"]],
        ("01", "watch, nearest window"): splits,
    }
    table = pd.concat(found, names=["notebook", "data", "way"]).to_frame("right, %")
    return table[table.index.get_level_values(0) <= until].round(0)
