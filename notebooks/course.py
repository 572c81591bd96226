"""The pictures of the notebooks. Nothing learns here."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch

from course_data import *  # noqa: F403 (notebooks call it here)
from course_data import IDEA, SENSORS, facts, kinds, of_each, table_of
from discom.plots import show
from pictures import GREY, apart, plot_bounds

RIGHT = "#2ca02c"
# one meaning each, in every figure; what exercises add is green
COLOURS = defaultdict(lambda: RIGHT)
COLOURS |= dict.fromkeys(("alone", "before", "two students"), "#4d4d4d")
COLOURS |= {"strangers": "#b0b0b0", "pairs": "#0173b2", "pairs and labels": "#d55e00"}
CLOUDS = {"rgb": "#cc3377", "depth": "#117788"}
PARTS = ("inv", "inf", "irr")  # of an embedding, in this order
SMALL = {"fontsize": 10.5, "fontweight": "normal"}


def style() -> None:
    """The look of every figure."""
    plt.rcParams.update({"figure.dpi": 100, "savefig.dpi": 110, "font.size": 10.5})
    plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
    for kind in ("axes", "figure"):
        plt.rcParams.update({f"{kind}.titlesize": 12.5, f"{kind}.titleweight": "bold"})


def draw(axis, image: torch.Tensor) -> None:
    """An image [bands, 32, 32], depth in colours; its holes are white."""
    show(axis, image.cpu().numpy(), in_colours=len(image) == 1)
    axis.spines[:].set_visible(False)


def show_pairs(part: SimpleNamespace, title: str, blocks: Mapping | None = None):
    """Scenes, colour above depth. Blocks: heading → {row: name}; by default ordinary,
    dark and far scenes."""
    blocks = blocks or {kind: of_each(part, kind, 0, 4, 8, 2) for kind in kinds(part)}
    figure = plt.figure(figsize=(11, 2.6), layout="constrained")
    figure.get_layout_engine().set(rect=(0.02, 0, 0.98, 1))  # a margin for two names
    figure.suptitle(title)
    columns = figure.subfigures(1, len(blocks))
    for block, (heading, names) in zip(columns, blocks.items(), strict=True):
        axes = block.subplots(2, len(names))
        block.suptitle(heading, **SMALL)
        for k, (row, name) in enumerate(names.items()):
            for axis, sensor in zip(axes[:, k], SENSORS, strict=True):
                draw(axis, part.images[sensor][row])
            axes[1, k].set_xlabel(name, fontsize=8)
    for height, sensor in zip((0.62, 0.25), SENSORS.values(), strict=True):
        figure.text(0.008, height, sensor, rotation=90, va="center")
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
    last = live["step"].max()
    ends = live[live["step"] == last].set_index("way")["depth"].sort_values()
    for (way, end), height in zip(ends.items(), apart(ends, 5), strict=True):
        name = {"color": COLOURS[way], "va": "center", "fontweight": "bold"}
        axis.text(1.01 * last, height, f"{end:.0f} %  {way}", **name)
    small = {"color": GREY, "fontsize": 9}
    axis.axvline(fork, color="0.6", lw=1)
    axis.text(0.99 * fork, 3, "two students, each on its own", ha="right", **small)
    axis.text(1.03 * fork, 3, "from here one change each; thin: other seeds", **small)
    ends = pd.concat([live, stored]).query("step == @last").set_index(["way", "seed"])
    gains = (ends["depth"]["pairs"] - ends["depth"]["alone"]).map("{:+.0f}".format)
    name = f"pairs − alone, every seed: {', '.join(gains)}"
    axis.text(1.03 * fork, 76, name, **small)
    plot_bounds(axis, last, best)
    axis.set(xlim=(0, 1.27 * last), ylim=(0, 86), xticks=np.linspace(0, last, 6))
    axis.set(xlabel="training step", ylabel="new depth images right, %", title=title)
    return figure


def show_neighbours(part, asked: Mapping, found: Mapping, title: str):
    """For each query, scene → name, its depth image and the colour images found,
    heading → [scenes, 5]. A green frame: the class of the query."""
    figure = plt.figure(figsize=(11, 1.02 * len(asked) + 0.9), layout="constrained")
    figure.suptitle(title)
    own, *blocks = figure.subfigures(1, 3, width_ratios=[1.6, 5, 5])
    own.suptitle("depth", **SMALL)
    for axis, row in zip(own.subplots(len(asked), 1), asked, strict=True):
        draw(axis, part.images["depth"][row])
        axis.set_ylabel(asked[row], fontsize=8, rotation=0, ha="right", va="center")
    for block, (heading, nearest) in zip(blocks, found.items(), strict=True):
        block.suptitle(heading, **SMALL)
        axes = block.subplots(len(asked), 5)
        for line, row in zip(axes, asked, strict=True):
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


def plot_clouds(move: Callable, *strengths: float):
    """Two clouds of points, and arrows from where they started; `move` makes of a
    strength λ the start, the end [sensor, point, xy], and the adversary's loss."""
    size = (3.6 * len(strengths), 3.1)
    figure, axes = plt.subplots(1, len(strengths), figsize=size, layout="constrained")
    for axis, strength in zip(np.atleast_1d(axes), strengths, strict=True):
        start, end, loss = move(strength)
        for old, new, sensor in zip(start, end, SENSORS, strict=True):
            look = {"color": CLOUDS[sensor], "alpha": 0.4, "angles": "xy"}
            axis.quiver(*old.T, *(new - old).T, scale_units="xy", scale=1, **look)
            axis.scatter(*new.T, s=14, color=CLOUDS[sensor], label=SENSORS[sensor])
        axis.set(xlim=(-4, 4), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        axis.set_title(f"λ = {strength:g}: the adversary's loss is {loss:.2f}", **SMALL)
    figure.axes[0].legend(frameon=False, loc="lower left")
    return figure


def slider(move: Callable) -> None:
    """The clouds under a slider for λ, where a kernel runs."""

    def draw_one(strength: float) -> None:
        plot_clouds(move, strength)

    bar = ipywidgets.FloatSlider(1, min=-1, max=4, step=0.1, description="λ")
    ipywidgets.interact(draw_one, strength=bar)


def plot_losses(history: Sequence[Mapping], guessing: Mapping):
    """Loss curves, each divided by what guessing costs; the adversary's in colour."""
    curves = pd.DataFrame(history)[[*guessing]].rolling(9, min_periods=1).mean()
    shares = curves / pd.Series(guessing)
    figure, axis = plt.subplots(figsize=(9.2, 3.4), layout="constrained")
    for name, curve in shares.items():
        look = {"color": "0.1"} if name != "adv" else {"color": "#d55e00", "lw": 2.8}
        axis.plot(curve, ls="--" if name == "aux" else "-", **look)
        axis.text(1.01 * len(curve), curve.iloc[-1], f"L {name}", va="center_baseline")
    axis.axhline(1, color="0.6", lw=1, ls=":")
    axis.set(xlabel="training step", ylabel="loss, guessing = 1", ylim=(-0.05, 1.9))
    axis.set_title("Three losses fall; the adversary ends worse than a guess")
    return figure


def plot_facts(read: Callable, parts: Mapping, part: SimpleNamespace):
    """What `read(z, values, rows)` finds of each fact, R² in %, in the three parts of
    each sensor; green boxes: where the idea wants it."""
    where, found = facts(part), {}
    sensors = torch.arange(2.0).repeat(len(part.labels))[:, None]
    for k, name in enumerate(PARTS):
        both = torch.stack([z[k] for z in parts.values()], 1).flatten(0, 1)
        for sensor, z in parts.items():
            column = {fact: read(z[k], *own) for fact, own in where.items()}
            column["which sensor"] = read(both, sensors, sensors[:, 0] >= 0)
            found[sensor, name] = column
    table = pd.DataFrame({place: found[place] for place in product(parts, PARTS)})
    table.columns = [f"{SENSORS[sensor]}\n{name}" for sensor, name in table]
    figure, axis = plt.subplots(figsize=(9.2, 3.9), layout="constrained")
    look = {"cmap": "Greys", "annot": True, "fmt": ".0f", "linewidths": 1}
    sns.heatmap(table, vmin=0, vmax=100, cbar=False, ax=axis, **look)
    for row, fact in enumerate(table.index):
        for column in IDEA.get(fact, ()):
            box = {"fill": False, "edgecolor": RIGHT, "linewidth": 3}
            axis.add_patch(plt.Rectangle((column, row), 1, 1, **box))
    axis.tick_params(length=0)
    axis.set_title("Hardly a part lacks what its sensor sees (R², %)")
    return figure
