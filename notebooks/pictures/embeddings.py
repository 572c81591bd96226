"""A map of an embedding whose points show their images."""

import base64
import io
from types import SimpleNamespace

import jscatter
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from course import CLOUDS
from course_data import SENSORS

NAMED = {SENSORS[sensor]: colour for sensor, colour in CLOUDS.items()}


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
