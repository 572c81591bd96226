"""What a teacher says about a scene, and what its student makes of it."""

from collections.abc import Mapping
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from course import SENSORS, SMALL, draw
from pictures.training import LOOKS


def show_words(
    part: SimpleNamespace, scenes: Mapping, said: Mapping[str, Tensor], title: str
):
    """Scenes, name → row: both images, and the probabilities [N, classes] that each of
    the networks gives the classes. Bold: the true class."""
    figure = plt.figure(figsize=(11, 3.9), layout="constrained")
    figure.suptitle(title)
    places = np.arange(len(part.classes))
    for column, (name, row) in zip(
        figure.subfigures(1, len(scenes)), scenes.items(), strict=True
    ):
        column.suptitle(name, **SMALL)
        axes = column.subplot_mosaic(
            [["rgb", "words"], ["depth", "words"]], width_ratios=[1, 1.5]
        )
        for sensor, heading in SENSORS.items():
            draw(axes[sensor], part.images[sensor][row])
            axes[sensor].set_xlabel(heading, fontsize=9)
        words = axes["words"]
        for k, (network, p) in enumerate(said.items()):
            look = {"color": LOOKS[network]["color"], "label": network}
            words.barh(places + 0.4 * (k - 0.5), 100 * p[row], 0.36, **look)
        words.set(xlim=(0, 100), yticks=places, xlabel="probability, %")
        words.set_yticklabels(part.classes, fontsize=8.5)
        words.get_yticklabels()[part.labels[row]].set_fontweight("bold")
        words.invert_yaxis()
    handles, names = words.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return figure
