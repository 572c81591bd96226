"""Figures: each draws something, and what is drawn are the numbers, images and masks given."""

import matplotlib.pyplot as plt
import numpy as np
from fixtures.results import result

from discom import plots
from discom.data import Modality, MultiModalData, Normalization, load
from discom.tables import summary

CLASSES = ("grass", "crop", "water")
SENSORS = ("rgb", "depth")
BASELINES = ("student", "discom-solo")


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
    train = load("objects:n=60,size=16").split().train
    axes = np.reshape(drawn(plots.pairs(train, rows=[3, 0])), (2, 2))
    for column, row in enumerate((3, 0)):
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
    figure = plots.pairs(MultiModalData(views, CLASSES, masks=truth, dense=True), rows=range(3))
    axes, colours = drawn(figure), [patch.get_facecolor()[:3] for patch in legend(figure).values()]
    scaled = Normalization.fit(bands)(bands[[0]])[0]
    assert np.array_equal(pixels(axes[0]), scaled[[3, 2, 1]].transpose(1, 2, 0))  # as an eye sees
    for picture, mask in zip(map(pixels, axes[3:]), truth[:3], strict=True):
        for k, colour in zip((0, 1, 2, 255), [*colours, (0.85,) * 3], strict=True):
            assert np.allclose(picture[mask == k], colour)


def spans(container):
    """Places of the markers [N, 2] and ends of their intervals [N, 2]."""
    line, _, (lengths,) = container
    ends = [segment[:, 0] for segment in lengths.get_segments() if len(segment)]
    return np.column_stack(line.get_data()).astype(float), np.array(ends)


def test_a_figure_of_a_table_draws_its_numbers():
    """Three methods and a teacher with all labels and with a tenth: the mean and the interval of
    every row are in their panel."""
    rng, runs = np.random.default_rng(0), []
    for share, seed in ((share, seed) for share in (1.0, 0.1) for seed in range(4)):
        for name in ("student", "kdv2", "discom-solo"):
            scores = {sensor: 70 + rng.normal() for sensor in SENSORS}
            runs.append(result(name, seed, scores, labelled=share))
        runs.append(result("teacher", seed, {"rgb+depth": 90.0}, labelled=share))
    table = summary(runs, BASELINES)
    figure = plots.intervals(table, BASELINES)
    axes = drawn(figure)
    panels = [(share, sensor) for share in (1.0, 0.1) for sensor in SENSORS]
    for axis, (share, sensor) in zip(axes, panels, strict=True):  # the teacher is left out
        rows = table[(table["labelled"] == share) & (table["modality"] == sensor)]
        rows = rows.set_index("method").loc[words(axes[0].get_yticklabels())]
        for container, baseline in zip(axis.containers, BASELINES, strict=True):
            places, ends = spans(container)
            assert np.allclose(places[:, 0], rows[f"vs {baseline}"], equal_nan=True)
            wanted = rows[[f"vs {baseline} low", f"vs {baseline} high"]].dropna()
            assert np.allclose(ends, wanted)
