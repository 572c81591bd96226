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
    the networks gives the classes of the true shape. Bold: the true class."""
    figure = plt.figure(figsize=(11, 3.6), layout="constrained")
    figure.suptitle(title)
    for column, (name, row) in zip(
        figure.subfigures(1, len(scenes)), scenes.items(), strict=True
    ):
        axes = column.subplot_mosaic(
            [["rgb", "words"], ["depth", "words"]], width_ratios=[1, 1.5]
        )
        for sensor, heading in SENSORS.items():
            draw(axes[sensor], part.images[sensor][row])
            axes[sensor].set_xlabel(heading, fontsize=9)
        words, true = axes["words"], part.classes[part.labels[row]]
        shape = true.split("/")[0]
        alike = [k for k, c in enumerate(part.classes) if c.startswith(f"{shape}/")]
        names = [*(part.classes[k] for k in alike), "another shape"]
        places = np.arange(len(names))
        for k, (network, p) in enumerate(said.items()):
            look = {"color": LOOKS[network]["color"], "label": network}
            shares = p[row].cpu()[alike]
            bars = [*shares.tolist(), 1 - shares.sum().item()]
            words.barh(places + 0.4 * (k - 0.5), 100 * np.array(bars), 0.36, **look)
        words.set(xlim=(0, 100), yticks=places, xlabel="probability, %")
        words.set_title(name, **SMALL)
        words.set_yticklabels([label.replace("/", ", ") for label in names])
        words.get_yticklabels()[names.index(true)].set_fontweight("bold")
        words.invert_yaxis()
    handles, names = words.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return figure
