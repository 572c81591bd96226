"""Figures: what is drawn are the numbers, images and masks that were given."""

import math
from functools import partial

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fixtures.results import result
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from discom import plots
from discom.data import Modality, MultiModalData, Normalization, load, scenes
from discom.errors import RunError
from discom.plots.look import class_colours, method_look, sensor_look
from discom.tables import summary

THREE = ("rgb", "depth", "thermal")
CLASSES = ("grass", "crop", "water")

pytestmark = pytest.mark.usefixtures("clean_slate")


def drawn(figure):
    """The axes of a figure that was rendered, the only one that was made."""
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    assert [plt.figure(number) for number in plt.get_fignums()] == [figure]
    return figure.axes


def pixels(axis):
    (image,) = axis.images
    return np.asarray(image.get_array())


def words(texts):
    return [text.get_text() for text in texts]


def legend(owner):
    """Name → handle, of an axis or of a figure."""
    box = owner.legends[0] if isinstance(owner, Figure) else owner.get_legend()
    return dict(zip(words(box.texts), box.legend_handles, strict=True))


# ---------------------------------------------------------------- samples


@pytest.fixture(scope="module")
def whole():
    return scenes.make(66, size=16, modalities=THREE)


@pytest.fixture(scope="module")
def uneven(whole):
    """Depth lacks every third scene."""
    rgb, depth, _ = whole.modalities.values()
    rows = np.flatnonzero(np.arange(len(whole)) % 3)
    return MultiModalData({"rgb": rgb, "depth": depth.take(rows)}, whole.classes, name="uneven")


@pytest.fixture(scope="module")
def dense():
    """Thirteen bands and depth; class 2 is never the most frequent, some pixels have no label."""
    rng, rows = np.random.default_rng(3), np.arange(6)
    masks = np.tile(np.array([[0, 0, 1], [1, 2, 255]], np.uint8), (6, 1, 1))
    masks[rows % 2 == 1, 0] = 1
    depth = rng.uniform(1, 9, (6, 1, 2, 3)).astype(np.float32)
    depth[:, :, 0, 0] = 0
    bands = rng.integers(0, 9000, (6, 13, 2, 3)).astype(np.uint16)
    views = {
        "ms": Modality(bands, rows % 2, rows),
        "depth": Modality(depth, rows % 2, rows, "m", invalid=0.0),
    }
    return MultiModalData(views, ("sky", "land", "car"), masks=masks, dense=True)


def test_pairs_takes_classes_in_turn(whole):
    axes = np.reshape(drawn(plots.pairs(whole, 10)), (3, 10))
    assert [axis.get_ylabel() for axis in axes[:, 0]] == list(THREE)
    titles = {axis.get_title() for axis in axes[0]}
    assert titles == {name.replace("/", "\n") for name in whole.classes}


def test_pairs_draws_the_scaled_images_of_its_rows(whole):
    split = whole.split()
    axes = np.reshape(drawn(plots.pairs(split.train, rows=[3, 0])), (3, 2))
    for axis_row, name in zip(axes, THREE, strict=True):
        for axis, image in zip(axis_row, split.train.images(name, [3, 0]), strict=True):
            bands = image.transpose(1, 2, 0) if name == "rgb" else image[0]
            assert np.array_equal(pixels(axis), bands)
            assert axis.images[0].get_clim() == (0, 1)
    titles = [split.train.classes[split.train.labels[row]].replace("/", "\n") for row in (3, 0)]
    assert [axis.get_title() for axis in axes[0]] == titles


@pytest.mark.parametrize("source", ["objects:dark=0.5,n=60", "objects:n=60", "scenes:n=60"])
def test_depth_of_objects_alone_is_shown_in_colours_and_its_holes_white(source):
    train = load(f"{source},size=16").split().train
    rgb, depth = drawn(plots.pairs(train, rows=[0]))
    picture, values = depth.images[0], train.images("depth", [0])[0, 0]
    colours = picture.to_rgba(picture.get_array())[..., :3]
    assert np.array_equal(pixels(rgb), train.images("rgb", [0])[0].transpose(1, 2, 0))
    if source.startswith("scenes"):
        assert picture.get_cmap().name == "gray"
        assert np.allclose(colours[values == 0], 0)
    else:
        assert np.ptp(colours[values > 0], axis=1).min() > 0.1  # no grey
        assert np.allclose(colours[values == 0], 1)


def test_pairs_says_what_is_missing(uneven):
    axes = drawn(plots.pairs(uneven, rows=[0, 1, 3]))  # depth lacks 0 and 3
    assert [words(axis.texts) for axis in axes] == [[], [], [], ["missing"], [], ["missing"]]
    assert [len(axis.images) for axis in axes] == [1, 1, 1, 0, 1, 0]
    x = uneven.modalities["depth"].x  # before a split, the picture's own scale
    assert np.array_equal(pixels(axes[4]), Normalization.fit(x)(x[[0]])[0, 0])
    plt.close("all")
    assert [len(axis.images) for axis in drawn(plots.pairs(uneven, 6))] == [1] * 12


def test_pairs_of_dense_data_end_with_the_classes(dense):
    figure = plots.pairs(dense, rows=[0, 1])
    axes = drawn(figure)
    assert [axis.get_ylabel() for axis in axes[::2]] == ["ms", "depth", "class"]
    bands = Normalization.fit(dense.modalities["ms"].x)(dense.modalities["ms"].x[[0]])[0]
    assert np.array_equal(pixels(axes[0]), bands[[3, 2, 1]].transpose(1, 2, 0))  # as an eye sees
    colours = {name: patch.get_facecolor()[:3] for name, patch in legend(figure).items()}
    assert len(set(colours.values())) == 3
    for place in (0, 1):
        picture = pixels(axes[4 + place])
        for k, name in enumerate(dense.classes):
            assert np.allclose(picture[dense.masks[place] == k], colours[name])
        assert np.allclose(picture[dense.masks[place] == 255], 0.85)


# ---------------------------------------------------------------- runs


def metrics(*names, start=0.0):
    scores = {f"valid_f1/{name}": start + 10.0 * np.arange(4) + k for k, name in enumerate(names)}
    return pd.DataFrame({"epoch": range(4), "loss": start + 1 / (1 + np.arange(4)), **scores})


@pytest.mark.parametrize("count", [1, 12])
def test_curves_are_the_columns_of_the_tables(count):
    tables = {f"run {k}": metrics("rgb", "depth", start=k) for k in range(count)}
    if count > 1:
        tables["run 0"] = tables["run 0"].drop(columns="valid_f1/depth")  # a teacher of RGB, say
    figure = plots.curves(tables if count > 1 else tables["run 0"])
    axes = drawn(figure)
    scores = ["training loss", "rgb: validation F1 × 100", "depth: validation F1 × 100"]
    assert [axis.get_title() for axis in axes] == scores
    columns = ["loss", "valid_f1/rgb", "valid_f1/depth"]
    for axis, column in zip(axes, columns, strict=True):
        lines = [line for line in axis.lines if len(line.get_ydata())]
        expected = [table for table in tables.values() if column in table]
        for line, table in zip(lines, expected, strict=True):
            assert np.array_equal(line.get_xdata(), table["epoch"])
            assert np.allclose(line.get_ydata(), table[column])
    if count > 1:
        assert list(legend(figure)) == list(tables)
        looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in axes[0].lines}
        assert len(looks) == count


# ---------------------------------------------------------------- dense prediction


@pytest.fixture(scope="module")
def masks():
    """A circle and a square that wander over class 0: clean, truth and predictions."""
    row, column = np.mgrid[:24, :24]
    clean = np.zeros((3, 24, 24), np.uint8)
    for k, mask in enumerate(clean):
        mask[(row - 8 - k) ** 2 + (column - 8) ** 2 < 25] = 1
        mask[(abs(row - 15) < 4) & (abs(column - 16 - k) < 4)] = 2
    truth, flipped = clean.copy(), clean.copy()
    truth[0, :4, 18:] = 255
    flipped[:, :2] = 1  # also where there is no label
    predicted = {"rgb": flipped, "depth": np.roll(clean, 1, axis=2), "rgb+depth": clean}
    for array in (truth, *predicted.values()):
        array.flags.writeable = False
    return truth, predicted


def test_predictions_draw_images_masks_and_errors(masks):
    (truth, predicted), rng = masks, np.random.default_rng(0)
    views = {"rgb": rng.random((3, 3, 24, 24)), "depth": rng.random((3, 1, 24, 24))}
    seen = {f"{name} image": view for name, view in views.items()}
    figure = plots.predictions(seen, truth, predicted, CLASSES)
    axes = np.array(drawn(figure)).reshape(-1, 3)
    lines = {line[0].get_ylabel(): line for line in axes}
    networks = [name + what for name in predicted for what in ("", ":\nerrors")]
    assert list(lines) == ["rgb image", "depth image", "truth", *networks]
    colours = {name: patch.get_facecolor()[:3] for name, patch in legend(figure).items()}
    assert list(colours) == [*CLASSES, "wrong", "no label"]
    assert len(set(colours.values())) == 5
    maps = {"truth": truth, **predicted}
    for row in range(3):
        assert np.array_equal(pixels(lines["rgb image"][row]), views["rgb"][row].transpose(1, 2, 0))
        assert np.array_equal(pixels(lines["depth image"][row]), views["depth"][row, 0])
        for name, ids in maps.items():
            for k, label in enumerate([*CLASSES, "no label"]):
                where = ids[row] == (k if k < 3 else 255)
                assert np.allclose(pixels(lines[name][row])[where], colours[label])
        for name, ids in predicted.items():
            axis, known = lines[f"{name}:\nerrors"][row], truth[row] != 255
            wrong = known & (ids[row] != truth[row])
            assert np.array_equal(pixels(axis), np.where(wrong, 0, np.where(known, 1, 0.85)))
            assert axis.get_xlabel() == f"{100 * wrong[known].mean():.1f} % wrong"


@pytest.mark.parametrize("count", [2, 4, 9, 40])
def test_class_colours_are_told_apart_in_grey(count):
    colours = class_colours(count)
    assert 0 <= colours.min() <= colours.max() <= 1
    grey = colours @ [0.299, 0.587, 0.114]
    for first in range(max(1, count - 3)):
        assert np.diff(np.sort(grey[first : min(first + 4, count)])).min() > 0.15
    assert colours.shape == (256, 3)
    assert np.ptp(colours[count:]) == 0  # no class: one grey


# ---------------------------------------------------------------- tables

BASELINES = ("student", "discom-solo")


def row(method, modality, middle, n=5, f1=70.0, name="scenes"):
    """A row of a summary whose differences to both baselines are `middle`, 1 below and 2 above."""
    spans = {"": middle, " low": middle - 1, " high": middle + 2}
    versus = {f"vs {b}{end}": value for b in BASELINES for end, value in spans.items()}
    first = {"data": name, "method": method, "modality": modality, "n": n, "f1": f1, "sd": 1.0}
    return {**first, "best": {"rgb": 93.3, "depth": 83.3}.get(modality, np.nan), **versus}


def spans(container):
    """Places of the markers [N, 2] and ends of their intervals [N, 2]."""
    line, _, (lengths,) = container
    along = 1 if container.has_yerr else 0
    ends = [segment[:, along] for segment in lengths.get_segments() if len(segment)]
    return np.column_stack(line.get_data()).astype(float), np.array(ends)


def test_intervals_draw_every_difference_of_every_method():
    table = pd.DataFrame([
        row("student", "rgb", np.nan, f1=78.0), row("kdv2", "depth", -3.0, n=3, f1=71.25),
        row("discom", "rgb", 2.0, f1=81.0), row("discom", "depth", 4.0, f1=70.0),
        row("teacher", "rgb+depth", np.nan),
    ])  # fmt: skip
    table.loc[0, ["vs discom-solo", "vs discom-solo low", "vs discom-solo high"]] = [1, 0, 3]
    figure = plots.intervals(table, BASELINES)
    rgb, depth = drawn(figure)
    assert rgb.get_title() == "rgb (n = 5)"
    assert depth.get_title() == "depth (n = 3 or 5)"
    assert words(rgb.get_yticklabels()) == ["student", "kdv2", "discom"]
    assert rgb.yaxis_inverted()
    assert words(rgb.texts) == ["F1", "78.0", "", "81.0"]
    assert list(legend(figure)) == [f"− {name}" for name in BASELINES]
    (places, ends), (others, other_ends) = map(spans, rgb.containers)
    assert np.allclose(places[:, 0], [np.nan, np.nan, 2], equal_nan=True)
    assert np.allclose(ends, [[1, 4]])
    assert np.allclose(others[:, 0], [1, np.nan, 2], equal_nan=True)
    assert np.allclose(other_ends, [[0, 3], [1, 4]])
    assert not np.isclose(places[:, 1], others[:, 1]).any()  # side by side
    assert len({c[0].get_marker() for c in rgb.containers}) == 2


@pytest.mark.parametrize("kept", [("rgb",), ("rgb+depth",), ("rgb", "rgb+depth")])
def test_intervals_leave_out_what_one_method_alone_reads(kept):
    rows = [row("kdv2", "rgb", 1.0), row("crodino", "rgb", 1.0), row("crodino", "rgb+depth", 1.0)]
    table = pd.DataFrame([one for one in rows if one["modality"] in kept])
    titles = [axis.get_title() for axis in drawn(plots.intervals(table, BASELINES))]
    assert titles == [f"{kept[0]} (n = 5)"]


def test_intervals_have_a_panel_for_each_setting_that_differs():
    """The rows of two settings were one panel, which had a method twice: a traceback."""
    runs = [
        result(method, seed, {"rgb": score + seed}, epochs=epochs)
        for method, score in (("student", 70.0), ("discom", 72.0))
        for epochs in (2, 9)
        for seed in range(2)
    ]
    table = summary(runs, ["student"])
    titles = [axis.get_title() for axis in drawn(plots.intervals(table, ["student"]))]
    assert titles == ["epochs=2, rgb (n = 2)", "epochs=9, rgb (n = 2)"]


def test_a_forest_fills_what_survives_holm_and_keeps_the_colour_of_a_sensor():
    names = ["modality", "method", "minus", "difference", "low", "high", "holm", "each"]
    rows = [
        ("depth", "discom", "student", 2.0, 1.0, 3.0, 0.01, np.array([1.5, 2.5])),
        ("rgb", "discom", "student", -1.0, -3.0, 1.0, 0.9, np.array([-2.0, 0.0])),
        ("rgb", "mdico", "student", 0.5, 0.0, 1.0, 0.06, np.array([0.5, 0.5])),
    ]
    (axis,) = drawn(plots.forest(pd.DataFrame(rows, columns=names), ["a gain", "nothing"]))
    assert words(axis.get_yticklabels()) == ["discom minus student", "mdico minus student"]
    assert words(axis.texts) == ["a gain", "nothing"]
    depth, rgb = axis.containers
    (places, ends), (others, other_ends) = spans(depth), spans(rgb)
    assert np.allclose([*places[:, 0], *others[:, 0]], [2, -1, 0.5])
    assert np.allclose([*ends, *other_ends], [[1, 3], [-3, 1], [0, 1]])
    assert places[0, 1] < 0 < others[0, 1] < 0.5 < others[1, 1]  # above one another, in their lines
    filled = [line for line in axis.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [2.0] in [line.get_xdata().tolist() for line in filled]
    assert depth[0].get_color() == sensor_look("depth", 7)["color"] != rgb[0].get_color()


def test_a_forest_draws_seeds_beyond_its_reach_at_the_edge_with_their_number():
    each = np.array([-17.4, -1.0, 2.0])
    row = {"modality": "depth", "row": "a", "difference": -1.0, "low": -3.0, "high": 1.0}
    (axis,) = drawn(plots.forest(pd.DataFrame([{**row, "holm": 1.0, "each": each}]), reach=5))
    dots, arrow = (
        [line.get_xdata() for line in axis.lines if line.get_marker() == m] for m in ".<"
    )
    assert [sorted(xs) for xs in dots] == [[-1, 2]]
    assert [list(xs) for xs in arrow] == [[-5]]
    assert [text.strip() for text in words(axis.texts)] == ["-17"]


def over_labels():
    """Summaries of a student and another method with 10 and all labels in 100, the last first."""
    rows = []
    for share, more in ((1.0, 0.5), (0.1, 6.0)):
        for name in ("rgb", "depth"):
            rows.append({**row("student", name, np.nan), "labelled": share})
            rows.append({**row("kdv2", name, more, f1=70 + more), "labelled": share})
    return pd.DataFrame(rows)


def test_gains_draw_every_difference_over_a_factor():
    figure = plots.gains(over_labels(), "labelled", against=["student"])
    rgb, depth = drawn(figure)
    assert (rgb.get_title(), depth.get_title()) == ("rgb, minus student", "depth, minus student")
    assert words(depth.get_xticklabels()) == ["10", "100"]
    (container,) = rgb.containers  # the baseline is the line at zero
    places, ends = spans(container)
    assert places[:, 1].tolist() == [6.0, 0.5]
    assert np.allclose(ends, [[5, 8], [-0.5, 2.5]])
    assert rgb.get_ylim() == depth.get_ylim()
    assert list(legend(figure)) == ["kdv2"]


def test_a_method_has_one_colour_in_every_figure_and_no_other_takes_it():
    names = {"student": "alone", "mdico": "absent", "kdv2": "taught"}
    own = method_look(0, "kdv2 contrast=3")["color"]
    for order in (names, dict(reversed(names.items()))):
        for draw in (plots.scores, partial(plots.gains, against=["student"])):
            figure = draw(over_labels(), "labelled", names=order)
            drawn(figure)
            handle = legend(figure)["taught"]
            assert np.allclose(to_rgb(handle.get_color()[0][:3]), own)
            plt.close(figure)
    others = [method_look(number, name)["color"] for number, name in enumerate(["mdico", "dkd"])]
    assert own not in others
    assert method_look(0, "student")["color"] != own


@pytest.mark.parametrize("known", [True, False])
def test_scores_draw_means_and_the_best_possible_over_a_factor(known):
    table = over_labels()
    if not known:
        table["best"] = np.nan
    figure = plots.scores(table, "labelled", names={"kdv2": "taught", "student": "alone"})
    rgb, depth = drawn(figure)
    assert list(legend(figure)) == ["taught", "alone"]
    places, ends = spans(rgb.containers[0])
    assert places[:, 1].tolist() == [76.0, 70.5]
    half = 2.7764451051977987 / math.sqrt(5)  # Student's t of four degrees of freedom, sd 1
    assert np.allclose(ends, places[:, 1:] + [-half, half])
    for axis, best in ((rgb, 93.3), (depth, 83.3)):
        lines = [line for line in axis.lines if np.allclose(line.get_ydata(), best, atol=0.05)]
        assert len(lines) == known


def test_a_table_without_anything_to_draw_says_so():
    with pytest.raises(RunError, match="no method"):
        plots.intervals(pd.DataFrame([row("a", "rgb", np.nan)]), BASELINES)
    assert plt.get_fignums() == []


def test_a_probe_map_colours_what_is_beyond_chance():
    """Each row beyond the chance of its own modality; below chance is chance."""
    scores = {"shape": [100.0, 40.0, 20.0], "shift": [0.75, 0, -0.3], "class": [55.6, 11.1, 100]}
    rows = [("rgb", "z_inv"), ("rgb", "z_inf"), ("depth", "z_irr")]
    matrix = pd.DataFrame(scores, pd.MultiIndex.from_tuples(rows, names=["modality", "part"]))
    chance = {"shape": 40.0, "shift": 0.0, "class": 11.2}
    levels = {"rgb": chance, "depth": {**chance, "shape": 10.0}}
    panel, _ = drawn(plots.probe_map(matrix, levels))
    written = ["100", "0.75", "56", "40", "0.00", "11", "20", "-0.30", "100"]
    assert words(panel.texts) == written
    expected = [[1, 0.75, (55.6 - 11.2) / 88.8], [0, 0, 0], [10 / 90, 0, 1]]
    assert np.allclose(panel.collections[0].get_array(), expected)
    assert words(panel.get_xticklabels()) == ["shape\n(40–10)", "shift", "class\n(11)"]
    assert words(panel.get_yticklabels()) == ["rgb z_inv", "rgb z_inf", "depth z_irr"]
