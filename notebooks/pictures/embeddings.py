"""Embeddings laid out in the plane, and what is left when directions are erased."""

import base64
import io
from collections.abc import Mapping
from types import SimpleNamespace

import ipywidgets
import jscatter
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import display
from matplotlib.colors import to_rgb

from course import CLOUDS, SMALL
from course_data import SENSORS
from discom.data.scenes.drawing import SHAPES
from discom.evaluation.embeddings import project as project  # as notebook 06 calls it
from pictures import GREY

NAMED = {SENSORS[sensor]: colour for sensor, colour in CLOUDS.items()}
KINDS = {"of the probe": "#8c3fb0", "between the means": "#d55e00"}  # of direction


def picture(part: SimpleNamespace, row: int) -> str:
    """A scene, colour beside depth, as the address of a PNG."""
    paint = plt.get_cmap("viridis").with_extremes(bad="white")
    depth = part.images["depth"][row, 0].cpu().numpy()
    left = part.images["rgb"][row].cpu().numpy().transpose(1, 2, 0).clip(0, 1)
    both = np.hstack([left, paint(np.ma.masked_equal(depth, 0))[..., :3]])
    plt.imsave(file := io.BytesIO(), both.repeat(4, 0).repeat(4, 1), format="png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def explore(xy: np.ndarray, part: SimpleNamespace) -> jscatter.Scatter:
    """Where a kernel runs: a map of the first scenes, all in colour and then all in
    depth, `xy` [2N, 2]; a point under the cursor shows its scene in both sensors."""
    scenes = range(len(xy) // 2)
    points = pd.DataFrame(xy, columns=["x", "y"])
    points["sensor"] = pd.Categorical(np.repeat([*NAMED], len(scenes)), [*NAMED])
    classes = [part.classes[part.labels[k]] for k in scenes] * 2
    points["class"] = pd.Categorical(classes)  # text has no name under the cursor
    points["image"] = [picture(part, k) for k in scenes] * 2
    plot = jscatter.Scatter("x", "y", data=points, height=420, width=640)
    plot.color(by="sensor", map=[*NAMED.values()]).size(default=6).legend(True)
    show = {"preview": "image", "preview_type": "image", "preview_image_height": 120}
    plot.tooltip(True, properties=["color", "class"], histograms=False, **show)
    display(plot.show())
    return plot


def shades(colour: str) -> list[np.ndarray]:
    """A colour with white, as it is, and with black: one for each shape."""
    own = np.array(to_rgb(colour))
    return [0.4 * own + 0.6, own, 0.45 * own]


def plot_maps(maps: Mapping, part: SimpleNamespace, title: str):
    """(Loss, part of the embedding) → positions [2N, 2], all scenes in colour and then
    all in depth: a row for each loss. Hue: the sensor; shade: the shape."""
    losses = dict.fromkeys(loss for loss, _ in maps)
    size = (11, 3.7 * len(losses) + 0.8)
    figure, axes = plt.subplots(len(losses), 3, figsize=size, layout="constrained")
    for axis, ((loss, name), xy) in zip(axes.flat, maps.items(), strict=True):
        half = len(xy) // 2
        shapes = part.factors["shape"][:half]
        look = np.concatenate([np.array(shades(c))[shapes] for c in NAMED.values()])
        order = np.random.default_rng(0).permutation(len(xy))  # none hides the others
        axis.scatter(*xy[order].T, c=look[order], s=16, linewidths=0)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color="0.8")
        axis.set_title(f"{loss}: {name}", **SMALL)
    for sensor, colour in NAMED.items():
        for shape, shade in zip(SHAPES, shades(colour), strict=True):
            axis.scatter([], [], c=[shade], s=40, label=f"{sensor}, {shape}")
    figure.legend(loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(title)
    return figure


def plot_erased(curves: Mapping, title: str):
    """Kind of direction → a row for each number of erased ones, from 0 on, with what a
    probe reads then, %: a panel for each column, with the line of guessing."""
    facts = list(next(iter(curves.values())))
    figure, axes = plt.subplots(
        1, len(facts), figsize=(11, 3.7), sharey=True, layout="constrained"
    )
    for axis, fact in zip(axes, facts, strict=True):
        for name, table in curves.items():
            axis.plot(table[fact], marker="o", lw=2.2, label=name, color=KINDS[name])
        level = 50 if "sensor" in fact else 100 / 9
        axis.axhline(level, color="0.6", lw=1, ls=":")
        axis.text(6, level - 5, "guessing", ha="right", color=GREY, fontsize=9)
        axis.set(xlabel="directions erased", ylim=(0, 104), xticks=range(7))
        axis.set_title(fact, **SMALL)
    axes[0].set_ylabel("a new linear probe is right, %")
    axes[-1].legend(title="direction", frameon=False, loc="upper right")
    figure.suptitle(title)
    return figure


def plot_along(z: torch.Tensor, direction: torch.Tensor, share: float):
    """Points of both sensors, [N, D] in turn, along a direction of which a share is
    erased, and how many of them a cut in the middle names rightly."""
    whole = (z @ (direction / direction.norm())).cpu()
    along, reach = (1 - share) * whole, whole.abs().max().item()
    views = {sensor: along[k::2] for k, sensor in enumerate(CLOUDS)}
    means = torch.stack([view.mean() for view in views.values()])
    beyond = (along > means.mean()) == (torch.arange(len(z)) % 2 == means.argmax())
    figure, axis = plt.subplots(figsize=(7, 2.4), layout="constrained")
    for sensor, view in views.items():
        look = {"color": CLOUDS[sensor], "alpha": 0.6, "label": SENSORS[sensor]}
        axis.hist(view.numpy(), np.linspace(-reach, reach, 80), **look)
    axis.set(xlim=(-reach, reach), yticks=[], xlabel="place along the direction")
    right = 100 * beyond.float().mean()
    title = f"{100 * share:.0f} % erased: a cut names {right:.0f} % rightly"
    axis.set_title(title, **SMALL)
    axis.legend(frameon=False)
    return figure


def slider(z: torch.Tensor, direction: torch.Tensor) -> None:
    """The points along a direction, under a slider for the share that is erased, where
    a kernel runs."""

    def draw_one(share: float) -> None:
        plot_along(z, direction, share)

    bar = ipywidgets.FloatSlider(0, min=0, max=1, step=0.05, description="erased")
    ipywidgets.interact(draw_one, share=bar)
