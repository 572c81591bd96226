"""Figures: each draws something, and what is drawn are the numbers, images and masks given."""

import json
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused
from fixtures.results import result
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

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


def test_pairs_show_the_tenth_class_and_long_names_side_by_side_do_not_overlap():
    """EuroSAT's ten classes; the names of neighbours were drawn one upon another."""
    names = (
        "AnnualCrop",
        "HerbaceousVegetation",
        "PermanentCrop",
        *(f"Residential{k}" for k in range(7)),
    )
    labels = np.arange(30) % 10
    x = np.random.default_rng(0).random((30, 1, 8, 8), dtype=np.float32)
    sensors = {name: Modality(x, labels, np.arange(30)) for name in SENSORS}
    figure = plots.pairs(MultiModalData(sensors, names))
    axes = drawn(figure)
    titles = [axis.title for axis in axes[:10]]
    assert [title.get_text().replace("\n", "") for title in titles] == [*names]
    boxes = [title.get_window_extent() for title in titles]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_curves_are_the_runs_numbers_and_the_ring_is_the_tested_epoch(tmp_path):
    log = pd.DataFrame(
        {"epoch": range(4), "seconds": 1.0, "cl": [4.0, 3, 2, 1], "adv": [2.0, 1.5, 1.4, 1.3]}
    )
    log = log.assign(**{"valid_f1/rgb": [10.0, 40, 30, 20], "valid_f1/depth": [5.0, 6, 7, 8]})
    log.to_csv(tmp_path / "metrics.csv", index=False)
    left, right = drawn(plots.curves(tmp_path))
    lines = [line.get_ydata() for line in left.lines]
    assert [list(line) for line in lines[:2]] == [[4, 3, 2, 1], [2, 1.5, 1.4, 1.3]]
    assert lines[2][0] == pytest.approx(2 * np.log(2))  # an adversary of two sensors that guesses
    assert [list(line.get_ydata()) for line in right.lines] == [[10, 40, 30, 20], [5, 6, 7, 8]]
    done = result("discom", 0)
    done.scores["rgb"]["best_epoch"] = 1
    (tmp_path / "result.json").write_text(json.dumps(done.to_json()))
    _, right = drawn(plots.curves(tmp_path))
    rings = [
        (*line.get_xdata(), *line.get_ydata()) for line in right.lines if len(line.get_xdata()) == 1
    ]
    assert rings == [(2, 40), (4, 8)]  # epochs are counted from 1
    refused(partial(plots.curves, tmp_path / "none"), "metrics.csv")


def test_standings_keep_the_line_of_a_row_without_a_run():
    scores = {"student": 70.0, "kdv2": np.nan, "discom": 75.0}
    table = pd.DataFrame(
        {"method": name, "modality": sensor, "n": 3, "f1": score, "sd": 2.0, "paper": 77.0}
        for sensor in (*SENSORS, "rgb+depth")
        for name, score in scores.items()
    )
    axes = drawn(plots.standings(table))
    assert [axis.get_title() for axis in axes] == [*SENSORS]
    assert words(axes[0].get_yticklabels()) == ["discom", "kdv2", "student"]
    for axis in axes:
        means = [float(bars.lines[0].get_xdata()[0]) for bars in axis.containers]
        assert means == pytest.approx([75, np.nan, 70], nan_ok=True)
        assert [*axis.lines[-2].get_xdata()] == [77] * 3


def embedded(sensors, classes, samples=24):
    """Places of samples in two networks, the second without the part that is irrelevant."""
    rng = np.random.default_rng(0)
    parts = {part: rng.random((len(sensors), samples, 2)) for part in ("inv", "inf", "irr")}
    after = {part: parts[part] + 1 for part in ("inv", "inf")}
    read = {f"class, {name}": [50.0, np.nan, 60.0] for name in sensors}
    table = pd.DataFrame({"sensor": [100.0, 90.0, 80.0], **read}, ["inv", "inf", "irr"])
    names = [f"class {k}" for k in range(classes)]
    reads = {"before training": table, "DisCoM-KD": table}
    maps = {"before training": parts, "DisCoM-KD": after}
    return maps, np.arange(samples) % classes, sensors, names, reads, 12.0


@pytest.mark.parametrize("count", [3, 6])
def test_maps_draw_every_view_by_class_and_sensor_and_join_samples(count):
    given = embedded(["rgb", "depth", "thermal", "arm", "leg", "torso"][:count], 12)
    maps, labels, sensors, names, *_ = given
    figure = plots.embedding_maps(*given, lines=5)
    axes, (box,) = drawn(figure), figure.legends
    assert words(box.texts) == [*sensors, "the same sample", *names]
    handles = [to_hex(handle.get_color()) for handle in box.legend_handles[-12:]]
    assert len({*handles}) == 12
    for axis, places in zip(
        axes, [*maps["before training"].values(), *maps["DisCoM-KD"].values()], strict=False
    ):
        (joined,) = [each for each in axis.collections if isinstance(each, LineCollection)]
        assert len(joined.get_segments()) == 5
        assert np.allclose(joined.get_segments()[0], places[:, 0])
        views = axis.collections[-count:]
        shapes = {view.get_paths()[0].vertices.tobytes() for view in views}
        assert len(shapes) == count  # a marker for each sensor
        for view, own in zip(views, places, strict=True):
            assert np.allclose(view.get_offsets(), own)
            assert [to_hex(colour) for colour in view.get_facecolors()] == [
                handles[k] for k in labels
            ]
    assert words(axes[5].texts) == ["nothing varies"]
    (corner,) = axes[1].texts
    assert "90" in corner.get_text()
    assert corner.get_text().count("–") == count  # too few samples for a probe
    refused(partial(plots.embedding_maps, *embedded(SENSORS, 13, 26)), "13 classes")
