"""Pictures of dense prediction: what is drawn are the masks and the numbers that were given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from discom import data, plots
from discom.errors import DataError, RunError
from discom.evaluation.dense import boundary_scores
from discom.plots.look import class_colours

CLASSES = ("grass", "crop", "water")
SIZE = 24

pytestmark = pytest.mark.usefixtures("clean_slate")


def drawn(figure):
    """The figure rendered: whatever would fail when it is saved fails here; it must hold more than
    one colour."""
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 2
    return figure.axes


def shapes(count=3, size=SIZE):
    """Masks of a circle and a square that wander over class 0."""
    row, column = np.mgrid[:size, :size]
    masks = np.zeros((count, size, size), np.uint8)
    for k, mask in enumerate(masks):
        mask[(row - 8 - k) ** 2 + (column - 8) ** 2 < 25] = 1
        mask[(abs(row - 15) < 4) & (abs(column - 16 - k) < 4)] = 2
    return masks


def frozen(array):
    array.flags.writeable = False  # whatever writes into what it was given fails
    return array


@pytest.fixture(scope="module")
def truth():
    masks = shapes()
    masks[0, :4, 18:] = 255
    return frozen(masks)


@pytest.fixture(scope="module")
def predicted():
    clean = shapes()
    flipped = clean.copy()
    flipped[:, :2] = 1  # also where there is no label
    return {
        "rgb": frozen(flipped),
        "depth": frozen(np.roll(clean, 1, axis=2)),
        "rgb+depth": frozen(clean),
    }


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return {
        "rgb": frozen(rng.random((3, 3, SIZE, SIZE))),
        "depth": frozen(rng.random((3, 1, SIZE, SIZE))),
    }


@pytest.fixture(scope="module")
def rows_of_images(images, truth, predicted):
    """Drawn once, since a figure of 27 panels takes a second."""
    figure = plots.predictions(images, truth, predicted, CLASSES, titles=["a", "b", "c"])
    drawn(figure)
    return figure


@pytest.fixture(scope="module")
def confused(truth, predicted):
    figure = plots.pixel_confusions(predicted, truth, CLASSES)
    drawn(figure)
    return figure


def pixels(axis):
    (image,) = axis.images
    return np.asarray(image.get_array())


def key(figure):
    """Legend of the figure: name → colour."""
    (legend,) = figure.legends
    return {
        t.get_text(): h.get_facecolor()[:3]
        for t, h in zip(legend.texts, legend.legend_handles, strict=True)
    }


def ticks(axis, which):
    return [text.get_text() for text in getattr(axis, f"get_{which}ticklabels")()]


# ---------------------------------------------------------------- predictions


def table_of(figure, rows):
    axes = np.array(figure.axes).reshape(rows, -1)
    return {axis.get_title(): column for axis, column in zip(axes[0], axes.T, strict=True)}


def test_predictions_have_a_row_for_each_image_and_name_their_columns(rows_of_images, predicted):
    columns = table_of(rows_of_images, 3)
    networks = [f"{name}\n{what}" for name in predicted for what in ("prediction", "errors")]
    assert list(columns) == ["rgb\nimage", "depth\nimage", "truth", *networks]
    assert [axis.get_ylabel() for axis in columns["rgb\nimage"]] == ["a", "b", "c"]
    assert not any(axis.get_ylabel() for axis in columns["truth"])
    assert rows_of_images.get_size_inches()[0] < 12  # of a notebook


def test_predictions_draw_the_images_that_they_are_given(rows_of_images, images):
    columns = table_of(rows_of_images, 3)
    for row in range(3):
        assert np.array_equal(
            pixels(columns["rgb\nimage"][row]), images["rgb"][row].transpose(1, 2, 0)
        )
        assert np.array_equal(pixels(columns["depth\nimage"][row]), images["depth"][row, 0])
        assert columns["depth\nimage"][row].images[0].get_clim() == (0, 1)


def test_thirteen_bands_are_shown_in_the_colours_that_an_eye_would_see(truth):
    bands = np.random.default_rng(1).random((1, 13, SIZE, SIZE))
    columns = table_of(plots.predictions({"ms": bands}, truth[:1], {}, CLASSES), 1)
    assert np.array_equal(pixels(columns["ms\nimage"][0]), bands[0, [3, 2, 1]].transpose(1, 2, 0))


@pytest.mark.parametrize("count", [2, 4, 9, 40])
def test_class_colours_are_told_apart_in_grey(count):
    colours = class_colours(count)
    assert colours.shape == (256, 3)
    assert 0 <= colours.min() <= colours.max() <= 1
    grey = colours @ [0.299, 0.587, 0.114]
    for first in range(max(1, count - 3)):
        assert np.diff(np.sort(grey[first : min(first + 4, count)])).min() > 0.15
    assert np.ptp(colours[count:]) == 0  # no class: one grey


def test_masks_have_the_colours_of_the_legend(rows_of_images, truth, predicted):
    columns, colours = table_of(rows_of_images, 3), key(rows_of_images)
    assert list(colours) == [*CLASSES, "wrong", "no label"]
    assert len(set(colours.values())) == 5
    for row in range(3):
        for name, masks in {
            "truth": truth,
            **{f"{k}\nprediction": v for k, v in predicted.items()},
        }.items():
            picture = pixels(columns[name][row])
            for k, label in enumerate(CLASSES):
                assert np.allclose(picture[masks[row] == k], colours[label])
    assert np.allclose(pixels(columns["truth"][0])[truth[0] == 255], colours["no label"])
    assert np.ptp(colours["no label"]) == 0  # grey
    assert colours["no label"][0] > 0.8


def test_classes_have_the_colours_that_pairs_gives_them():
    masks = (np.arange(2 * 25).reshape(2, 5, 5) % 20).astype(np.uint8)
    names = tuple(f"class {k}" for k in range(20))
    view = data.Modality(
        np.random.default_rng(0).random((2, 1, 5, 5)), np.zeros(2, int), np.arange(2)
    )
    pairs = plots.pairs(
        data.MultiModalData({"depth": view}, names, masks=masks, dense=True), rows=[0, 1]
    )
    figure = plots.predictions({"depth": view.x}, masks, {"depth": masks}, names)
    ours, theirs = key(figure), key(pairs)
    assert ours.keys() - {"wrong"} == theirs.keys()
    assert all(np.allclose(ours[name], theirs[name]) for name in theirs)


def test_errors_are_the_labelled_pixels_that_are_wrong(rows_of_images, truth, predicted):
    columns, colours = table_of(rows_of_images, 3), key(rows_of_images)
    for name, masks in predicted.items():
        for row, axis in enumerate(columns[f"{name}\nerrors"]):
            wrong, seen = (masks[row] != truth[row]) & (truth[row] != 255), truth[row] != 255
            picture = pixels(axis)
            assert np.allclose(picture[wrong], colours["wrong"])
            assert np.allclose(picture[~seen], colours["no label"])
            assert np.allclose(picture[seen & ~wrong], 1)
            assert axis.get_xlabel() == f"{100 * wrong[seen].mean():.1f} % wrong"
    assert columns["rgb+depth\nerrors"][0].get_xlabel() == "0.0 % wrong"
    assert not columns["rgb+depth\nprediction"][0].get_xlabel()


def test_the_legend_names_what_occurs(images, truth):
    clean = np.where(truth == 255, 0, truth)
    clean[clean == 2] = 0
    figure = plots.predictions(images, clean, {"rgb": np.where(clean == 1, 0, clean)}, CLASSES)
    assert list(key(figure)) == ["grass", "crop", "wrong"]
    figure = plots.predictions(images, clean, {"rgb": np.full_like(clean, 2)}, CLASSES)
    assert list(key(figure)) == [*CLASSES, "wrong"]


def test_an_image_without_a_label_says_so(images, truth, predicted):
    truth = truth.copy()
    truth[1] = 255
    columns = table_of(
        plots.predictions(images, truth, {"rgb+depth": predicted["rgb+depth"]}, CLASSES), 3
    )
    assert [axis.get_xlabel() for axis in columns["rgb+depth\nerrors"]] == [
        "0.0 % wrong",
        "no label",
        "0.0 % wrong",
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_predictions_of_one_network_and_one_sensor(count):
    masks = shapes(count)
    view = np.zeros((count, 1, SIZE, SIZE))
    assert (
        len(plots.predictions({"depth": view}, masks, {"depth": masks}, CLASSES).axes) == 4 * count
    )


def texts_overlap(figure):
    """Whether the words of two neighbours, or words and a panel of another, lie upon each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    words = [text.get_window_extent(renderer) for axis in figure.axes for text in (axis.title, axis.xaxis.label)
             if text.get_text()]  # fmt: skip
    words += [legend.get_window_extent(renderer) for legend in figure.legends]
    inside = [axis.get_window_extent(renderer) for axis in figure.axes]
    return any(
        a.overlaps(b) for number, a in enumerate(words) for b in words[number + 1 :] + inside
    )


def test_no_words_lie_upon_others(rows_of_images, confused):
    assert not texts_overlap(rows_of_images)
    assert not texts_overlap(confused)


# ---------------------------------------------------------------- confusions


def numbers(axis):
    return {
        tuple(int(p) for p in t.get_position()[::-1]): t.get_text()
        for t in axis.texts
        if t.get_text()
    }


def test_pixel_confusions_are_scikit_learns_in_percent_of_the_row(confused, truth, predicted):
    axes = confused.axes
    assert [axis.get_title() for axis in axes] == list(predicted)
    seen = truth != 255
    for axis, masks in zip(axes, predicted.values(), strict=True):
        expected = 100 * confusion_matrix(truth[seen], masks[seen], normalize="true")
        assert np.allclose(axis.collections[0].get_array().reshape(3, 3), expected)
        assert numbers(axis) == {place: f"{value:.0f}" for place, value in np.ndenumerate(expected)}
        assert axis.collections[0].get_clim() == (0, 100)
        assert ticks(axis, "x") == list(CLASSES)
        assert axis.get_xlabel() == "predicted"
    assert ticks(axes[0], "y") == list(CLASSES)
    assert [axis.get_ylabel() for axis in axes] == ["true class (row = 100 %)", "", ""]


def test_numbers_can_be_read_on_their_grey(confused):
    for axis in confused.axes:
        for text in axis.texts:
            assert text.get_color() == ("white" if float(text.get_text()) >= 65 else "black")


def test_a_class_without_a_label_has_an_empty_row_and_no_warning(truth, predicted, recwarn):
    (axis,) = plots.pixel_confusions({"rgb": predicted["rgb"]}, truth, (*CLASSES, "snow")).axes
    assert {row for row, _ in numbers(axis)} == {0, 1, 2}
    assert {column for _, column in numbers(axis)} == {0, 1, 2, 3}
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_networks_that_do_not_fit_beside_each_other_stand_below(truth, predicted):
    names = [*CLASSES, *(f"class {k}" for k in range(3, 9))]
    figure = plots.pixel_confusions(predicted, truth, names)
    assert [axis.get_title() for axis in figure.axes] == list(predicted)
    assert figure.get_size_inches()[0] < 12
    places = [axis.get_subplotspec() for axis in figure.axes]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [
        (0, 0),
        (0, 1),
        (1, 0),
    ]
    assert [ticks(axis, "y") for axis in figure.axes] == [names, [], names]


def test_of_many_classes_zeros_are_not_written():
    masks = np.arange(400).reshape(1, 20, 20) % 20
    (axis,) = plots.pixel_confusions({"rgb": masks}, masks, [f"class {k}" for k in range(20)]).axes
    assert numbers(axis) == {(k, k): "100" for k in range(20)}


def test_ids_that_are_no_class_are_refused(truth, predicted):
    with pytest.raises(DataError, match="predictions hold the id 2"):
        plots.pixel_confusions(predicted, np.minimum(truth, 1), CLASSES[:2])


# ---------------------------------------------------------------- boundaries


def line(axis, label):
    (found,) = [held for held in axis.lines if held.get_label() == label]
    return np.asarray(found.get_xdata(), float), np.asarray(found.get_ydata(), float)


def test_boundaries_draw_the_accuracy_near_them_and_away(truth, predicted):
    left, right = drawn(plots.boundaries(predicted, truth, CLASSES))
    assert ticks(left, "y") == list(predicted)
    dots = [held for held in left.lines if held.get_marker() != "None"]
    for place, masks in enumerate(predicted.values()):
        found = boundary_scores(torch.tensor(masks), torch.tensor(truth), 3)
        near, away = dots[2 * place : 2 * place + 2]
        assert near.get_fillstyle() == "none"
        assert away.get_fillstyle() == "full"
        assert [near.get_xdata()[0], away.get_xdata()[0]] == pytest.approx(
            [found["near"], found["away"]]
        )
        assert near.get_ydata()[0] == away.get_ydata()[0] == place
    bottom, top = left.get_ylim()
    assert bottom > top
    assert "2 pixels" in left.get_title()
    assert [text.get_text() for text in right.get_legend().get_texts()] == list(predicted)


def test_errors_against_the_distance_are_counted_by_hand():
    """Two half-planes: the distance of a column is known; wrong are the first column right, half of
    the second."""
    truth = np.zeros((2, 10, 40), np.uint8)
    truth[:, :, 20:] = 1
    masks = truth.copy()
    masks[:, :, 20] = 0
    masks[:, :5, 18] = 1
    truth[1, :, 25:] = 255
    _, right = plots.boundaries({"rgb": masks}, truth, ("a", "b")).axes
    places, shares = line(right, "rgb")
    assert places.tolist() == list(range(1, 20))  # 19 of 20 columns: 95 %
    assert shares[:2].tolist() == [50, 25]
    assert not shares[2:].any()
    assert right.get_xlabel() == "distance to the nearest boundary (pixels)"


def test_images_of_one_class_have_no_distance():
    one = np.ones((2, 6, 6), np.uint8)
    left, right = drawn(plots.boundaries({"rgb": one}, one, ("a", "b")))
    assert line(right, "rgb")[0].size == 0
    near, away = [held for held in left.lines if held.get_marker() != "None"]
    assert np.isnan(near.get_xdata()[0])
    assert away.get_xdata()[0] == 100


def test_each_network_has_a_look_of_its_own(truth, predicted):
    _, right = plots.boundaries(predicted, truth, CLASSES).axes
    assert len({(held.get_marker(), held.get_color()) for held in right.lines}) == 3


# ---------------------------------------------------------------- IoU of classes


def ious():
    return pd.DataFrame([
        {"method": method, "modality": modality, "class": name, "iou": 20.0 * k + 10 * m + (modality == "depth") + seed}
        for m, method in enumerate(("student", "crodino"))
        for modality in ("rgb", "depth")
        for k, name in enumerate(CLASSES)
        for seed in (0, 1)
    ])  # fmt: skip


def test_class_ious_are_means_by_method_and_class():
    rgb, depth = drawn(plots.class_ious(ious()))
    assert [axis.get_title() for axis in (rgb, depth)] == ["rgb", "depth"]
    for more, axis in enumerate((rgb, depth)):
        expected = np.array([[20 * k + 10 * m + more + 0.5 for k in range(3)] for m in range(2)])
        assert np.allclose(axis.collections[0].get_array().reshape(2, 3), expected)
        assert numbers(axis) == {place: f"{value:.1f}" for place, value in np.ndenumerate(expected)}
        assert ticks(axis, "x") == list(CLASSES)  # the table's order, not the alphabet's
    assert ticks(rgb, "y") == ["student", "crodino"]
    assert rgb.figure.get_supxlabel() == "IoU of each class in %"


def test_what_a_table_does_not_have_is_left_empty():
    teacher = pd.DataFrame(
        [{"method": "teacher", "modality": "rgb+depth", "class": "crop", "iou": 70.0}]
    )
    fused, rgb, _ = plots.class_ious(pd.concat([teacher, ious()])).axes
    assert numbers(fused) == {(0, 0): "70.0"}
    assert ticks(fused, "y") == ["teacher", "student", "crodino"]
    assert ticks(fused, "x") == ["crop", "grass", "water"]
    assert {row for row, _ in numbers(rgb)} == {1, 2}


def test_class_ious_without_a_row_say_so():
    with pytest.raises(RunError, match="class_ious: no run of a dense method"):
        plots.class_ious(ious()[:0])
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ["pixel_confusions", "boundaries"])
def test_each_function_makes_one_figure(draw, truth, predicted):
    figure = getattr(plots, draw)(predicted, truth, CLASSES)
    assert [plt.figure(number) for number in plt.get_fignums()] == [figure]
