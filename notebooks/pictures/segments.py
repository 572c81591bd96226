"""Scenes of several objects: what the sensors see, the masks that networks draw, and
stored scores."""

from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from course import SMALL, draw
from discom import data as sets
from discom import tables
from discom.data.scenes import drawing
from discom.plots import class_colours, class_legend, show
from discom.tables.intervals import group_dice, t_test, tally
from pictures import GREY, dots_and_interval

# method of the stored tables → its name here; a teacher is one network there
SAME, BOTH = "student of one, same sensor", "student of one, both sensors"
MASKED = {"single": "alone", "dense-self": SAME, "dense-kdv2": BOTH}
MASKED |= {"crodino": "our CroDiNo-KD"}
FUSED = {"dense-teacher": "one network of both"}
WAYS = {"alone": "#4d4d4d", BOTH: "#029e73", "our CroDiNo-KD": "#8c3fb0"}


def load(
    source: str, seed: int = 0, device: torch.device | str = "cpu"
) -> tuple[SimpleNamespace, SimpleNamespace, dict]:
    """Scenes of four objects, to learn from and to test on, on the device: `images`
    [n, bands, H, W], `masks` [n, H, W], and `shown`, what colour alone shows. And the
    best possible mIoU."""
    whole, parts = sets.load(source, seed=seed), []
    split = whole.split(seed=seed)
    for part in (split.train, split.test):
        images = {s: torch.tensor(m.x) for s, m in part.modalities.items()}
        there = {"device": device, "memory_format": torch.channels_last}
        images = {s: x.to(**there) for s, x in images.items()}
        masks, shown = torch.tensor(part.masks).long(), of_objects(part, "texture")
        both = {"images": images, "masks": masks.to(device), "shown": shown.to(device)}
        both |= {"classes": part.classes}
        parts.append(SimpleNamespace(**both))
    return parts[0], parts[1], whole.best


def of_objects(part, factor: str) -> torch.Tensor:
    """1 plus this factor of the foremost object at each pixel, 0 without one."""
    found = np.zeros(part.masks.shape, int)
    for k in range(1, 5):  # a later one hides the earlier ones
        own = ("shape", "scale", "rotation", "centre_x", "centre_y", factor)
        thing = {name: part.factors[f"{name}_{k}"] for name in own}
        there = drawing.geometry(thing, found.shape[-1])["mask"] > 0.5
        found = np.where(there, 1 + thing[factor][:, None, None], found)
    return torch.from_numpy(found)


def show_scenes(part: SimpleNamespace, rows: list[int], title: str):
    """Scenes in columns: colour, depth, and the class of every pixel. A line is drawn
    around objects whose colour deceives."""
    names = ("colour", "depth", "mask")
    size = (1.6 * len(rows), 5.6)
    figure, axes = plt.subplots(3, len(rows), figsize=size, layout="constrained")
    figure.suptitle(title)
    for column, row in zip(axes.T, rows, strict=True):
        draw(column[0], part.images["rgb"][row])
        draw(column[1], part.images["depth"][row])
        show_mask(column[2], part.masks[row])
        for axis in column:
            outline(axis, part, row)
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name)
    class_legend(figure, np.arange(4), part.classes)
    return figure


def show_mask(axis, mask: Tensor) -> None:
    """A mask in the colours of its classes."""
    show(axis, class_colours(4)[mask.cpu()].transpose(2, 0, 1))
    axis.spines[:].set_visible(False)


def outline(axis, part: SimpleNamespace, row: int) -> None:
    """A line around the pixels where colour shows another material than theirs."""
    deceives = (part.shown[row] != part.masks[row]).float().cpu()
    if deceives.any():  # white on black, so that it shows on every colour
        axis.contour(deceives, [0.5], colors="black", linewidths=4)
        axis.contour(deceives, [0.5], colors="white", linewidths=2)


def show_answers(part: SimpleNamespace, rows: list[int], answers: Mapping, title: str):
    """A line for each scene: colour, the truth, and the masks of networks, name →
    [N, H, W]. A line is drawn around objects whose colour deceives."""
    names = ["colour", "truth", *answers]
    size = (1.9 * len(names), 1.9 * len(rows) + 1)
    figure, axes = plt.subplots(
        len(rows), len(names), figsize=size, layout="constrained"
    )
    figure.suptitle(title)
    for line, row in zip(axes, rows, strict=True):
        draw(line[0], part.images["rgb"][row])
        masks = [part.masks[row], *(a[row] for a in answers.values())]
        for axis, mask in zip(line[1:], masks, strict=True):
            show_mask(axis, mask)
        for axis in line:
            outline(axis, part, row)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, **SMALL)
    class_legend(figure, np.arange(4), part.classes)
    return figure


def plot_gains(gains: Mapping[str, Mapping[str, pd.Series]], title: str):
    """Points above a student of the same sensor: panel → way → a number for each seed;
    a bar: mean and 95 % interval."""
    look = {"figsize": (9.2, 3.5), "sharey": True, "layout": "constrained"}
    figure, (axes,) = plt.subplots(1, len(gains), squeeze=False, **look)
    figure.suptitle(title)
    for axis, (heading, ways) in zip(axes, gains.items(), strict=True):
        for place, (way, points) in enumerate(ways.items()):
            high = dots_and_interval(axis, place, points, WAYS[way])
            text = f"{points.mean():+.1f} ± {high - points.mean():.1f}"
            axis.text(place + 0.1, 12, text, ha="center", va="top", fontweight="bold")
        axis.axhline(0, color=GREY, lw=1, ls=":")
        names = [way.replace(", ", ",\n").replace("our ", "our\n") for way in ways]
        axis.set(xlim=(-0.5, len(names) - 0.3), ylim=(-4.5, 12))
        axis.set_xticks(range(len(names)), names)
        axis.set_title(heading, **SMALL)
    axes[0].set_ylabel(f"mIoU points above\n{SAME}")
    return figure


def stored_gains() -> dict[str, pd.DataFrame]:
    """Stored points of mIoU in colour above the student of a teacher of colour: for few
    masks and for all a row for each seed and a column for each other way."""
    runs = tables.load_results("../results/dense/scenes-labelled.json")
    gains = {}
    for name, share in {"30 masks": 0.05, "all 600 masks": 1.0}.items():
        scores = {
            (run.seed, MASKED[run.display_name]): run.main["rgb"]
            for run in runs
            if run.display_name in MASKED and run.config["labelled"] == share
        }
        table = pd.Series(scores).unstack()[list(MASKED.values())]
        gains[name] = table.sub(table.pop(SAME), axis=0)
    return gains


def patients(file: str = "../results/mri.csv") -> pd.DataFrame:
    """Stored Dice of the tumour, %: a row for each patient, a column for whose masks
    there were, what is read, and the way to learn."""
    folds = defaultdict(list)
    for run in tables.load_results(file):
        masks = "7 patients" if run.config["labelled_groups"] else "all patients"
        folds[masks, (MASKED | FUSED)[run.display_name]].append(run)
    columns = {
        (masks, network.upper(), way): group_dice(cells, 1)
        for (masks, way), runs in folds.items()
        for network, cells in tally(runs).items()
    }
    return pd.DataFrame(columns).rename_axis(columns=["masks of", "reads", "way"])


def of_patients(dice: pd.DataFrame) -> pd.DataFrame:
    """Its mean over patients, where T1 is read or nothing was taught; and what T1 was
    taught: points above alone with a 95 % interval."""
    shown = defaultdict(dict)
    for masks, read, way in dice:
        own, alone = dice[masks, read, way], dice[masks, "T1", "alone"]
        if read == "T1" or way in ("alone", *FUSED.values()):
            shown[masks, "Dice"][read, way] = f"{own.mean():.0f}"
        if read == "T1" and way != "alone":
            mean, low, high, _ = t_test((own - alone).dropna().to_numpy())
            gain = f"{mean:+.0f} [{low:+.0f}, {high:+.0f}]"
            shown[masks, "above alone"][read, way] = gain
    table = pd.DataFrame(shown).sort_index(ascending=[False, True])
    table = table.sort_index(axis=1, level=0, sort_remaining=False)
    missing = {name: "not run" for name in table if "Dice" in name}
    return table.fillna(missing).fillna("")
