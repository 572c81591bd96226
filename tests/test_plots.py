"""Figures: each draws something, and what is drawn are the numbers, images and masks given."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from fixtures.refusal import refused

from discom import plots
from discom.data import Modality, MultiModalData, Normalization, load

CLASSES = ("grass", "crop", "water")
SENSORS = ("rgb", "depth")


def drawn(figure):
    """The axes of a figure that was rendered, the only one that was made."""
    figure.canvas.draw()
    assert [plt.figure(number) for number in plt.get_fignums()] == [figure]
    plt.close(figure)
    return figure.axes


def pixels(axis):
    (image,) = axis.images
    return np.asarray(image.get_array())


def words(texts):
    return [text.get_text() for text in texts]


def legend(figure):
    """Name → handle."""
    box = figure.legends[0]
    return dict(zip(words(box.texts), box.legend_handles, strict=True))


def test_pairs_draw_scaled_images_and_masks_in_the_colours_of_the_legend():
    """Depth of objects in colours, its holes white; then of thirteen bands with masks."""
    train = load("objects:n=60,size=16").split().train.take(np.array([3, 0]))
    axes = np.reshape(drawn(plots.pairs(train)), (2, 2))
    for column, row in enumerate(np.argsort(train.labels)):
        rgb, depth = (train.images(name, [row])[0] for name in SENSORS)
        assert np.array_equal(pixels(axes[0, column]), rgb.transpose(1, 2, 0))
        picture = axes[1, column].images[0]
        assert np.array_equal(np.ma.filled(picture.get_array(), 0), depth[0])
        coloured = picture.to_rgba(picture.get_array())[..., :3]
        assert np.ptp(coloured[depth[0] > 0], axis=1).max() > 0
        assert np.allclose(coloured[depth[0] == 0], 1)
    rng, rows = np.random.default_rng(0), np.arange(6)
    truth = rng.choice([0, 1, 2, 255], (6, 24, 24)).astype(np.uint8)
    bands = rng.integers(0, 9000, (6, 13, 24, 24)).astype(np.uint16)
    views = {"ms": Modality(bands, rows % 2, rows)}
    figure = plots.pairs(MultiModalData(views, CLASSES, masks=truth, dense=True))
    axes, colours = drawn(figure), [patch.get_facecolor()[:3] for patch in legend(figure).values()]
    scaled = Normalization.fit(bands)(bands[[0]])[0]
    assert np.array_equal(pixels(axes[0]), scaled[[3, 2, 1]].transpose(1, 2, 0))  # as an eye sees
    for picture, mask in zip(map(pixels, axes[6:]), truth[[0, 2, 4, 1, 3, 5]], strict=True):
        for k, colour in zip((0, 1, 2, 255), [*colours, (0.85,) * 3], strict=True):
            assert np.allclose(picture[mask == k], colour)


def test_data_without_a_pair_are_not_drawn():
    scenes = load("objects:n=60,size=16").modalities
    halves = {name: scenes[name].take(np.arange(60) % 2 == k) for k, name in enumerate(SENSORS)}
    apart = MultiModalData(halves, tuple("abcdefghi"), name="mine")
    refused(partial(plots.pairs, apart), "mine: there is no pair")
