"""Figures: each draws something, and what is drawn are the numbers, images and masks given."""

from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fixtures.results import result
from scipy import stats

from discom import plots
from discom.data import Modality, MultiModalData, Normalization, load
from discom.errors import RunError
from discom.plots.look import method_look, sensor_look
from discom.tables import compare, summary

CLASSES = ("grass", "crop", "water")
SENSORS = ("rgb", "depth")
BASELINES = ("student", "discom-solo")

pytestmark = pytest.mark.usefixtures("clean_slate")


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


# ---------------------------------------------------------------- images and masks


@pytest.mark.parametrize("source", ["scenes:n=66,size=16", "objects:n=60,size=16"])
def test_pairs_draw_scaled_images_and_say_what_is_missing(source):
    """Depth of objects alone in colours, its holes white; before a split, bounds of its own."""
    train = load(source).split().train
    axes = np.reshape(drawn(plots.pairs(train, rows=[3, 0])), (2, 2))
    assert [axis.get_ylabel() for axis in axes[:, 0]] == [*SENSORS]
    for column, row in enumerate((3, 0)):
        name = train.classes[train.labels[row]]
        assert axes[0, column].get_title() == name.replace("/", "\n")
        rgb, depth = (train.images(name, [row])[0] for name in SENSORS)
        assert np.array_equal(pixels(axes[0, column]), rgb.transpose(1, 2, 0))
        picture = axes[1, column].images[0]
        assert np.array_equal(np.ma.filled(picture.get_array(), 0), depth[0])
        coloured = picture.to_rgba(picture.get_array())[..., :3]
        is_grey = np.ptp(coloured[depth[0] > 0], axis=1).max() == 0
        assert is_grey == source.startswith("scenes")
        assert np.allclose(coloured[depth[0] == 0], 0 if is_grey else 1)
    rgb, depth = load(source).modalities.values()
    few = depth.take(np.flatnonzero(np.arange(len(depth.ids)) % 3))  # lacks every third scene
    uneven = MultiModalData({"rgb": rgb, "depth": few}, train.classes, name="uneven")
    axes = drawn(plots.pairs(uneven, rows=[0, 1, 3]))
    assert [words(axis.texts) for axis in axes] == [[], [], [], ["missing"], [], ["missing"]]
    assert np.array_equal(pixels(axes[4]), Normalization.fit(few.x)(few.x[[0]])[0, 0])
    axes = drawn(plots.pairs(uneven))  # complete pairs, classes in turn
    assert [len(axis.images) for axis in axes] == [1] * 18
    assert len({axis.get_title() for axis in axes[:9]}) == len(train.classes)


def test_masks_predictions_and_errors_are_drawn_in_the_colours_of_the_legend():
    """Of data with thirteen bands, and of two networks; some pixels have no label."""
    rng, rows = np.random.default_rng(0), np.arange(6)
    truth = rng.choice([0, 1, 2, 255], (6, 24, 24)).astype(np.uint8)
    bands = rng.integers(0, 9000, (6, 13, 24, 24)).astype(np.uint16)
    views = {"ms": Modality(bands, rows % 2, rows)}
    figure = plots.pairs(MultiModalData(views, CLASSES, masks=truth, dense=True), rows=range(3))
    axes, colours = drawn(figure), [patch.get_facecolor()[:3] for patch in legend(figure).values()]
    scaled = Normalization.fit(bands)(bands[[0]])[0]
    assert np.array_equal(pixels(axes[0]), scaled[[3, 2, 1]].transpose(1, 2, 0))  # as an eye sees
    truth, predicted = truth[:3], {name: rng.integers(0, 3, (3, 24, 24), np.uint8) for name in "ab"}
    images = {"rgb": rng.random((3, 3, 24, 24)), "depth": rng.random((3, 1, 24, 24))}
    figure = plots.predictions(images, truth, predicted, CLASSES)
    lines = np.reshape(drawn(figure), (-1, 3))
    shown = {line[0].get_ylabel(): [pixels(axis) for axis in line] for line in lines}
    assert list(shown) == [*images, "truth", "a", "a:\nerrors", "b", "b:\nerrors"]
    assert list(legend(figure)) == [*CLASSES, "wrong", "no label"]
    assert np.array_equal(shown["rgb"], images["rgb"].transpose(0, 2, 3, 1))
    assert np.array_equal(shown["depth"], images["depth"][:, 0])
    drawn_masks = [(shown["truth"], truth), ([pixels(axis) for axis in axes[3:]], truth)]
    drawn_masks += [(shown[name], masks) for name, masks in predicted.items()]
    for pictures, masks in drawn_masks:
        for k, colour in enumerate([*colours, (0.85,) * 3]):
            assert np.allclose(np.array(pictures)[masks == (k if k < 3 else 255)], colour)
    for name, masks in predicted.items():
        wrong, known = (truth != 255) & (masks != truth), truth != 255
        expected = np.where(wrong, 0, np.where(known, 1, 0.85))
        assert np.array_equal(shown[f"{name}:\nerrors"], expected)
        shares = 100 * wrong.sum((1, 2)) / known.sum((1, 2))
        line = next(line for line in lines if line[0].get_ylabel() == f"{name}:\nerrors")
        assert [axis.get_xlabel() for axis in line] == [f"{share:.1f} % wrong" for share in shares]


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("count", [1, 12])
def test_curves_are_the_columns_of_the_tables(count):
    epochs, tables = np.arange(4), {}
    for k in range(count):
        scores = {f"valid_f1/{name}": k + 10.0 * epochs for name in SENSORS}
        tables[f"run {k}"] = pd.DataFrame({"epoch": epochs, "loss": k + 1 / (1 + epochs), **scores})
    if count > 1:
        tables["run 0"] = tables["run 0"].drop(columns="valid_f1/depth")  # a teacher of RGB, say
    axes = drawn(plots.curves(tables if count > 1 else tables["run 0"]))
    titles = ["training loss", "rgb: validation F1 × 100", "depth: validation F1 × 100"]
    assert [axis.get_title() for axis in axes] == titles
    for axis, column in zip(axes, ["loss", "valid_f1/rgb", "valid_f1/depth"], strict=True):
        lines = [line for line in axis.lines if len(line.get_ydata())]
        expected = [table for table in tables.values() if column in table]
        for line, table in zip(lines, expected, strict=True):
            assert np.allclose(line.get_xydata(), table[["epoch", column]])


def spans(container):
    """Places of the markers [N, 2] and ends of their intervals [N, 2]."""
    line, _, (lengths,) = container
    along = 1 if container.has_yerr else 0
    ends = [segment[:, along] for segment in lengths.get_segments() if len(segment)]
    return np.column_stack(line.get_data()).astype(float), np.array(ends)


def test_every_figure_of_a_table_draws_its_numbers():
    """Three methods and a teacher with all labels and with a tenth: forest, intervals, gains and
    scores have the mean and the interval of every row, in their panel."""
    rng, runs = np.random.default_rng(0), []
    for share, seed in ((share, seed) for share in (1.0, 0.1) for seed in range(4)):
        for name in ("student", "kdv2", "discom-solo"):
            scores = {sensor: 70 + rng.normal() for sensor in SENSORS}
            runs.append(result(name, seed, scores, labelled=share))
        runs.append(result("teacher", seed, {"rgb+depth": 90.0}, labelled=share))
    runs = [replace(run, best={"rgb": 93.3}) for run in runs]
    table, half = summary(runs, BASELINES), stats.t.ppf(0.975, 3) / 2
    ends = {"low": table["f1"] - half * table["sd"], "high": table["f1"] + half * table["sd"]}
    table = table.assign(**{f"f1 {end}": values for end, values in ends.items()})

    def check(container, column, rows, along):
        places, drawn_ends = spans(container)
        assert np.allclose(places[:, along], rows[column], equal_nan=True)
        assert np.allclose(drawn_ends, rows[[f"{column} low", f"{column} high"]].dropna())

    figure = plots.intervals(table, BASELINES)
    axes = drawn(figure)
    assert list(legend(figure)) == [f"− {name}" for name in BASELINES]
    panels = [(share, sensor) for share in (1.0, 0.1) for sensor in SENSORS]
    for axis, (share, sensor) in zip(axes, panels, strict=True):  # the teacher is left out
        assert axis.get_title() == f"labelled={share}, {sensor} (n = 4)"
        rows = table[(table["labelled"] == share) & (table["modality"] == sensor)]
        rows = rows.set_index("method").loc[words(axes[0].get_yticklabels())]
        assert words(axis.texts) == ["F1", *rows["f1"].map("{:.1f}".format)]
        for container, baseline in zip(axis.containers, BASELINES, strict=True):
            check(container, f"vs {baseline}", rows, 0)
    with pytest.raises(RunError, match="no method"):
        plots.intervals(table[table["method"] == "teacher"], BASELINES)

    names = {"kdv2": "taught", "student": "alone"}
    gains, scores = (
        plots.gains(table, "labelled", against=["student"], names=names),
        plots.scores(table, "labelled", names=names),
    )
    assert list(legend(scores)) == ["taught", "alone"]
    own = method_look(0, "kdv2 contrast=3")["color"]  # in every figure
    assert np.allclose(legend(scores)["taught"].get_color()[0][:3], own)
    for figure, column in ((gains, "vs student"), (scores, "f1")):
        for axis, sensor in zip(figure.axes, SENSORS, strict=True):
            assert axis.get_title().startswith(sensor)
            rows = table[(table["modality"] == sensor) & (table["method"] == "kdv2")]
            check(axis.containers[0], column, rows.sort_values("labelled"), 1)
            best = [line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1]
            assert (93.3 in best) == (column == "f1" and sensor == "rgb")
    plt.close("all")

    compared = compare(runs[:16], [("kdv2", "student"), ("discom-solo", "student")])
    compared["holm"] = [0.01, 0.9, 0.06, 0.9]
    compared.at[3, "each"] = np.array([-17.4, -1.0, 2.0])
    named = {"difference": "d", "low": "d low", "high": "d high"}
    (axis,) = drawn(plots.forest(compared, ["a gain", "nothing"], reach=5))
    assert words(axis.get_yticklabels()) == ["kdv2 minus student", "discom-solo minus student"]
    assert [text.strip() for text in words(axis.texts)] == ["-17", "a gain", "nothing"]
    for sensor, container in zip(SENSORS, axis.containers, strict=True):
        check(container, "d", compared[compared["modality"] == sensor].rename(columns=named), 0)
        assert np.allclose(spans(container)[0][:, 1].round(), [0, 1])  # in their lines
        assert container[0].get_color() == sensor_look(sensor, 7)["color"]
    xs = {}
    for line in axis.lines:
        filled = line.get_zorder() == 3 and line.get_markerfacecolor() == line.get_color()
        xs.setdefault("filled" if filled else line.get_marker(), []).extend(line.get_xdata())
    assert sorted(xs["."]) == sorted(one for each in compared["each"] for one in each if one > -5)
    assert (xs["<"], xs["filled"]) == ([-5], [compared["difference"][0]])  # far; clear by Holm


def test_a_probe_map_colours_what_is_beyond_chance():
    """Each row beyond the chance of its own modality; below chance is chance."""
    scores = {"shape": [100.0, 40.0, 20.0], "shift": [0.75, 0, -0.3], "class": [55.6, 11.1, 100]}
    rows = [("rgb", "z_inv"), ("rgb", "z_inf"), ("depth", "z_irr")]
    matrix = pd.DataFrame(scores, pd.MultiIndex.from_tuples(rows, names=["modality", "part"]))
    chance = {"shape": 40.0, "shift": 0.0, "class": 11.2}
    panel, _ = drawn(plots.probe_map(matrix, {"rgb": chance, "depth": {**chance, "shape": 10.0}}))
    assert words(panel.texts) == ["100", "0.75", "56", "40", "0.00", "11", "20", "-0.30", "100"]
    expected = [[1, 0.75, (55.6 - 11.2) / 88.8], [0, 0, 0], [10 / 90, 0, 1]]
    assert np.allclose(panel.collections[0].get_array(), expected)
    assert words(panel.get_xticklabels()) == ["shape\n(40–10)", "shift", "class\n(11)"]
