"""Scenes of several objects: what the sensors see, the masks that networks draw, stored
scores, and the package's losses of them."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from torch import Tensor, nn

from course import SMALL, draw
from course_data import keep
from discom import data as sets
from discom import methods, tables
from discom.data.augmentation import apply_d4
from discom.data.scenes import drawing
from discom.methods import Method
from discom.models import segmentation
from discom.plots import show
from discom.tables.intervals import group_dice, t_test, tally
from pictures import GREY

# method of the stored tables → its name here
OWN, BOTH = "student of one colour network", "student of both sensors"
MASKED = {"single": "alone", "single-2x": "alone, twice as large", "dense-self": OWN}
MASKED |= {"dense-kdv2": BOTH, "crodino": "our CroDiNo-KD"}
FUSED = {"dense-teacher": "one network of both"}
# grey: never saw depth
WAYS = {"alone, twice as large": "#4d4d4d", OWN: "#4d4d4d", BOTH: "#029e73"}
WAYS |= {"our CroDiNo-KD": "#8c3fb0"}
TWICE = "student of colour twice"  # the notebook's control
HONEST, THIRD = "student of both without deceit", "student of its third decoder"
MATERIALS = ("#e8e8e8", "#2556c4", "#6ea31f", "#4e0f45")  # of a mask's classes


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
    name_classes(figure, part)
    return figure


def show_mask(axis, mask: Tensor) -> None:
    """A mask in the colours of its classes."""
    show(axis, np.array([*map(to_rgb, MATERIALS)])[mask.cpu()].transpose(2, 0, 1))
    axis.spines[:].set_visible(False)


def name_classes(figure, part: SimpleNamespace) -> None:
    """Below the figure, the colours of the classes."""
    named = zip(MATERIALS, part.classes, strict=True)
    handles = [Patch(color=colour, label=name) for colour, name in named]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


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
    name_classes(figure, part)
    return figure


def beside(
    table: pd.DataFrame, seed: int, steps: int, record: str = ""
) -> pd.DataFrame:
    """This page's scores, a row for each network, above theirs with other seeds and as
    many steps that are stored; with `record` they are put into that file."""
    live = table.rename_axis("network").reset_index()
    live.insert(0, "steps", steps)
    live.insert(1, "seed", seed)
    keep(live, record, ("steps", "seed"))
    stored = pd.read_csv(record or "../results/segments.csv")
    others = stored.query("steps == @steps and seed != @seed")
    others = others[others["network"].isin(table.index)]
    return pd.concat([live, others[list(live)]], ignore_index=True)


def by_seed(scores: pd.DataFrame) -> pd.DataFrame:
    """mIoU, a row for each seed, that of this page first, and a column for each
    network."""
    table = scores.pivot(index="seed", columns="network", values="mIoU")
    return table.loc[scores["seed"].unique()]


def interval(points: pd.Series) -> str:
    """Their mean, and its 95 % interval where there are several."""
    mean, low, high, _ = t_test(points.to_numpy())
    return f"{mean:+.1f}" + f" [{low:+.1f}, {high:+.1f}]" * (len(points) > 1)


def plot_students(scores: pd.DataFrame, title: str):
    """mIoU of three networks, a line for each seed from one to the next, and the mean
    differences between them with 95 % intervals. The seed of this page, the first, is
    thick."""
    scores = by_seed(scores)[["alone", TWICE, BOTH]]
    figure, axis = plt.subplots(figsize=(9.2, 4.6), layout="constrained")
    for seed, line in scores.iloc[::-1].iterrows():
        own = seed == scores.index[0]
        look = {"lw": 3, "zorder": 3} if own else {"lw": 1, "alpha": 0.6}
        axis.plot(range(3), line, marker="o", color="black" if own else GREY, **look)
    axis.text(2.06, scores[BOTH].iloc[0], "this page", va="center", fontweight="bold")
    look = {"transform": axis.get_xaxis_transform(), "ha": "center"}
    for place, ours, theirs in ((0.5, TWICE, "alone"), (1.5, BOTH, TWICE)):
        gain = interval(scores[ours].sub(scores[theirs]))
        axis.text(place, 0.02, gain, fontweight="bold", **look)
    axis.text(1, 0.09, f"mean difference of {len(scores)} seeds", color=GREY, **look)
    names = ("alone\n30 masks", "student of\ncolour twice", "student of\nboth sensors")
    axis.set_xticks(range(3), names)
    axis.set(xlim=(-0.2, 2.4), ylabel="mIoU on new pictures, colour alone", title=title)
    return figure


def compare(scores: pd.DataFrame, ours: str, theirs: str) -> pd.DataFrame:
    """Two networks over all seeds: a row for mIoU and one for each kind of error, with
    the means of both, their difference with a 95 % interval, and with how many seeds
    the first is lower or higher."""
    kinds = {"mIoU": "mIoU", "outline": "outline errors, %"}
    kinds["colour true"] = "wrong material, colour true, %"
    kinds["colour deceives"] = "wrong material, colour deceives, %"
    rows = {}
    for column, name in kinds.items():
        table = scores.pivot(index="seed", columns="network", values=column)
        points = table[ours] - table[theirs]
        rows[name] = {who: f"{table[who].mean():.1f}" for who in (ours, theirs)}
        rows[name]["difference"] = interval(points)
        lower, higher = (points < -0.05).sum(), (points > 0.05).sum()  # stored to 0.1
        rows[name]["seeds"] = f"{lower} lower, {higher} higher"
    count = scores["seed"].nunique()
    return pd.DataFrame(rows).T.rename_axis(f"mean of {count} seeds")


def above_control(scores: pd.DataFrame) -> pd.DataFrame:
    """mIoU of the networks that read colour alone: of this page, the mean and range of
    all seeds, and points above the student of colour twice with a 95 % interval."""
    table, rows = by_seed(scores), {}
    for name in ("alone", TWICE, BOTH, HONEST, "our CroDiNo-KD", THIRD):
        above = "" if name == TWICE else interval(table[name].sub(table[TWICE]))
        own = {"this page": table[name].iloc[0], "mean": table[name].mean()}
        rows[name] = {k: f"{v:.1f}" for k, v in own.items()}
        rows[name]["range"] = f"{table[name].min():.1f} to {table[name].max():.1f}"
        rows[name][f"above {TWICE}"] = above
    return pd.DataFrame(rows).T.rename_axis(f"mIoU, {len(table)} seeds")


def plot_gains(gains: Mapping[str, pd.DataFrame], title: str):
    """Points above alone: panel → a row for each seed, a column for each way; a bar:
    mean and 95 % interval. A panel names the mean of alone, if `attrs` has it."""
    look = {"figsize": (9.2, 3.9), "sharex": True, "sharey": True}
    figure, axes = plt.subplots(1, len(gains), layout="constrained", **look)
    figure.suptitle(title)
    for axis, (heading, ways) in zip(np.atleast_1d(axes), gains.items(), strict=True):
        for place, (way, points) in enumerate(ways.items()):
            mean, low, high, _ = t_test(points.to_numpy())
            seeds = {"color": WAYS[way], "s": 45, "lw": 0, "alpha": 0.4}
            axis.scatter(points, np.full(len(points), place), **seeds)
            axis.hlines(place - 0.25, low, high, color=WAYS[way], lw=3)
            axis.scatter(mean, place - 0.25, s=55, zorder=3, color=WAYS[way])
            name = {"color": WAYS[way], "va": "center", "fontweight": "bold"}
            axis.text(high + 0.6, place - 0.25, f"{mean:+.1f}", **name)
        axis.axvline(0, color=GREY, lw=1, ls=":")
        axis.set_yticks(range(len(ways.columns)), ways.columns)
        axis.set(xlabel="mIoU points above alone", ylim=(len(ways.columns) - 0.5, -0.7))
        level = f" (alone: {ways.attrs['alone']:.1f})" if "alone" in ways.attrs else ""
        axis.set_title(heading + level, **SMALL)
    figure.supxlabel("pale dots: seeds · bars: mean and 95 % interval", fontsize=11)
    return figure


def stored_gains() -> dict[str, pd.DataFrame]:
    """Stored points of mIoU in colour above a network alone: for few masks and for all
    a row for each seed and a column for each other way, and in `attrs` alone's mean."""
    runs = tables.load_results("../results/dense/scenes-labelled.json")
    gains = {}
    for name, share in {"30 masks": 0.05, "all 600 masks": 1.0}.items():
        scores = {
            (run.seed, MASKED[run.display_name]): run.main["rgb"]
            for run in runs
            if run.display_name in MASKED and run.config["labelled"] == share
        }
        table = pd.Series(scores).unstack()[list(MASKED.values())]
        alone = table.pop("alone")
        gains[name] = table.sub(alone, axis=0)
        gains[name].attrs["alone"] = alone.mean()
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
    """Its mean over patients, where T1 is read or nothing was taught; and of T1 the
    points above T1 alone with a 95 % interval."""
    shown = defaultdict(dict)
    for masks, read, way in dice:
        own, alone = dice[masks, read, way], dice[masks, "T1", "alone"]
        if read != "T1" and way not in ("alone", *FUSED.values()):
            continue
        text = f"{own.mean():.0f}"
        if read == "T1" and way != "alone":
            text += f" ({interval((own - alone).dropna())})"
        shown[f"masks of {masks}"][read, way.replace("colour", "T1")] = text
    table = pd.DataFrame(shown).sort_index(ascending=[False, True]).fillna("not run")
    return table.rename_axis(["reads", "way"])


# ---------------------------------------------------------------- the package's own


def in_package(name: str, own: nn.Module, device: torch.device) -> Method:
    """The package's method of that name, of colour and depth, with these weights, layer
    by layer."""
    network = partial(segmentation.network, classes=4)
    method = methods.get(name)({"rgb": 3, "depth": 1}, 4, network)
    weights = zip(method.state_dict(), own.state_dict().values(), strict=True)
    method.load_state_dict(dict(weights))
    return method.to(device)


def package_loss(
    method: Method, images: Mapping, masks: Tensor, motions: Mapping
) -> Tensor:
    """Its loss of a batch, images [B, bands, H, W] and masks [B, H, W], each sensor
    moved by its own motions [B]."""
    moved = {s: apply_d4(x, motions[s]) for s, x in images.items()}
    labels = {s: apply_d4(masks[:, None], motions[s])[:, 0] for s in images}
    terms = method.loss(SimpleNamespace(x=moved, y=labels, transform_ids=motions))
    return sum(method.weights[term] * loss for term, loss in terms.items())
