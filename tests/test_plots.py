"""Pictures: each function returns one figure with named axes, and what is drawn are the numbers
that were given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from discom import data, plots
from discom.data import MultiModalData, scenes
from discom.errors import DiscomError, RunError
from discom.evaluation import calibration_error, reliability
from discom.tables.statistics import BASELINES, by_dials, paired_difference

THREE = ("rgb", "depth", "thermal")


pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.fixture(scope="module")
def whole():
    return scenes.make(66, size=16, modalities=THREE)


@pytest.fixture(scope="module")
def uneven(whole):
    """Depth lacks every third scene."""
    rgb, depth, _ = whole.modalities.values()
    rows = np.flatnonzero(np.arange(len(whole)) % 3)
    return MultiModalData({"rgb": rgb, "depth": depth.take(rows)}, whole.classes, name="uneven")


def drawn(figure):
    """The figure rendered: whatever would fail when it is saved fails here; it must hold more than
    one colour."""
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 2
    return figure.axes


def labels(axes):
    return [(axis.get_xlabel(), axis.get_ylabel()) for axis in axes]


def legend(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_nothing_is_shown_on_a_screen():
    assert matplotlib.get_backend().lower() == "agg"


def test_each_function_makes_one_figure(whole):
    figure = plots.values(whole)
    assert [plt.figure(number) for number in plt.get_fignums()] == [figure]


def test_style_takes_the_frame_off():
    plt.rcParams.update({"axes.spines.right": True, "axes.spines.top": True})
    plots.style()
    assert not plt.rcParams["axes.spines.right"]
    assert not plt.rcParams["axes.spines.top"]
    assert (plt.rcParams["figure.dpi"], plt.rcParams["savefig.dpi"]) == (90, 120)


# ---------------------------------------------------------------- pairs


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pairs_has_a_row_for_each_modality_and_a_column_for_each_scene(whole, count):
    axes = drawn(plots.pairs(whole.select(THREE[:count]), columns=4))
    assert len(axes) == 4 * count
    assert [axis.get_ylabel() for axis in axes[::4]] == list(THREE[:count])
    assert all(axis.get_title() for axis in axes[:4])


def test_pairs_shows_each_class_once_before_any_twice(whole):
    axes = drawn(plots.pairs(whole, columns=9))
    assert [axis.get_title() for axis in axes[:9]] == [
        name.replace("/", "\n") for name in whole.classes
    ]


def test_pairs_of_columns_more_than_classes_shows_one_class_twice(whole):
    titles = [axis.get_title() for axis in drawn(plots.pairs(whole, columns=10))[:10]]
    assert len(titles) == 10
    assert len(set(titles)) == 9


def test_pairs_draws_the_scaled_images_of_the_rows_it_is_given(whole):
    train = whole.split().train
    axes = drawn(plots.pairs(train, rows=[3, 0]))
    for place, name in enumerate(THREE):
        expected = train.images(name, [3, 0])
        for column in (0, 1):
            image = expected[column].transpose(1, 2, 0) if name == "rgb" else expected[column, 0]
            shown = axes[2 * place + column].images[0]
            assert np.array_equal(np.asarray(shown.get_array()), image)
            assert shown.get_clim() == (0, 1)
    titles = [train.classes[train.labels[row]].replace("/", "\n") for row in (3, 0)]
    assert [axis.get_title() for axis in axes[:2]] == titles


def test_pairs_says_what_is_missing(uneven):
    rows = [0, 1, 3]  # depth lacks 0 and 3
    axes = drawn(plots.pairs(uneven, rows=rows))
    texts = [[text.get_text() for text in axis.texts] for axis in axes]
    assert texts == [[], [], [], ["missing"], [], ["missing"]]
    assert [len(axis.images) for axis in axes] == [1, 1, 1, 0, 1, 0]
    x = uneven.modalities["depth"].x  # before a split, the picture's own scale
    depth = data.Normalization.fit(x)(x[[0]])[0, 0]
    assert np.array_equal(np.asarray(axes[4].images[0].get_array()), depth)


def dense(count=6, classes=("sky", "land", "car"), bands=13):
    """Images whose class 2 is never the most frequent, with some pixels without a label."""
    rng, rows = np.random.default_rng(3), np.arange(count)
    masks = np.tile(np.array([[0, 0, 1], [1, 2, 255]], np.uint8), (count, 1, 1))
    masks[rows % 2 == 1, 0] = 1
    depth = rng.uniform(1, 9, (count, 1, 2, 3)).astype(np.float32)
    depth[:, :, 0, 0] = 0
    views = {"ms": data.Modality(rng.integers(0, 9000, (count, bands, 2, 3)).astype(np.uint16), rows % 2, rows),
             "depth": data.Modality(depth, rows % 2, rows, "m", invalid=0.0)}  # fmt: skip
    return data.MultiModalData(views, classes, masks=masks, dense=True)


def test_pairs_of_dense_data_end_with_the_classes():
    held = dense()
    figure = plots.pairs(held, rows=[0, 1])
    axes = drawn(figure)
    assert [axis.get_ylabel() for axis in axes[::2]] == ["ms", "depth", "class"]
    for place in (0, 1):
        picture = np.asarray(axes[4 + place].images[0].get_array())
        colours = {name: patch.get_facecolor()[:3] for name, patch in legend_of(figure).items()}
        for k, name in enumerate(held.classes):
            assert np.allclose(picture[held.masks[place] == k], colours[name])
        assert (picture[held.masks[place] == 255] == 0.85).all()  # no label is light grey
    assert len(set(colours.values())) == 3


def legend_of(figure):
    (legend,) = figure.legends
    return dict(zip([text.get_text() for text in legend.texts], legend.legend_handles, strict=True))


def test_thirteen_bands_are_shown_in_the_colours_that_an_eye_would_see():
    held = dense()
    bounds = data.Normalization.fit(held.modalities["ms"].x)
    expected = bounds(held.modalities["ms"].x[[0]])[0, [3, 2, 1]].transpose(1, 2, 0)
    assert np.array_equal(
        np.asarray(drawn(plots.pairs(held, rows=[0]))[0].images[0].get_array()), expected
    )


def test_class_counts_of_dense_data_leave_out_what_is_never_the_most_frequent():
    axis = drawn(plots.class_counts({"train": dense()}))[0]
    assert axis.get_xlabel() == "most frequent class"
    assert [text.get_text() for text in axis.get_xticklabels()] == ["sky", "land"]


def test_values_have_their_unit_and_leave_out_what_was_not_measured():
    axes = drawn(plots.values(dense()))
    assert [axis.get_xlabel() for axis in axes] == ["pixel value", "pixel value (m)"]
    assert axes[1].patches[0].get_path().vertices[:, 0].min() >= 1  # holes are 0


def test_pairs_prefers_complete_pairs(uneven):
    axes = drawn(plots.pairs(uneven, columns=6))
    assert [len(axis.images) for axis in axes] == [1] * 12


def test_pairs_of_unpaired_data_says_missing_once_a_column(whole):
    rgb, depth, _ = whole.modalities.values()
    other = type(depth)(depth.x, depth.y, np.array([f"other-{i}" for i in depth.ids]))
    axes = drawn(
        plots.pairs(MultiModalData({"rgb": rgb, "depth": other}, whole.classes), columns=5)
    )
    assert sum(len(axis.texts) for axis in axes) == 5
    assert sum(len(axis.images) for axis in axes) == 5


def test_pairs_of_two_bands_shows_the_first(whole):
    depth = whole.modalities["depth"]
    both = type(depth)(np.concatenate([depth.x, depth.x[:, :, ::-1]], axis=1), depth.y, depth.ids)
    train = MultiModalData({"sar": both}, whole.classes).split().train
    (axis,) = drawn(plots.pairs(train, rows=[2]))
    assert np.array_equal(np.asarray(axis.images[0].get_array()), train.images("sar", [2])[0, 0])


# ---------------------------------------------------------------- class counts


def test_class_counts_are_the_heights_of_the_bars(whole):
    parts = whole.split()._asdict()
    (axis,) = drawn(plots.class_counts(parts))
    assert labels([axis]) == [("class", "samples")]
    assert legend(axis) == ["train", "valid", "test"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == list(whole.classes)
    for container, part in zip(axis.containers, parts.values(), strict=True):
        assert [bar.get_height() for bar in container] == [
            int((part.labels == k).sum()) for k in range(9)
        ]
    assert sum(bar.get_height() for container in axis.containers for bar in container) == 66


def test_class_counts_shows_a_class_without_samples_as_zero(whole):
    part = whole.take(np.flatnonzero(whole.labels != 4))
    (axis,) = drawn(plots.class_counts({"all": part}))
    heights = [bar.get_height() for bar in axis.containers[0]]
    assert heights[4] == 0
    assert sum(heights) == len(part)


@pytest.mark.parametrize("count", [1, 3])
def test_class_counts_counts_scenes_however_many_sensors_saw_them(whole, count):
    (axis,) = drawn(plots.class_counts({"all": whole.select(THREE[:count])}))
    assert sum(bar.get_height() for bar in axis.containers[0]) == len(whole)


def test_class_counts_of_a_class_more_than_there_are_colours():
    many = len(plots.COLOURS) + 1
    depth = scenes.make(many * 2, size=16).modalities["depth"]
    held = MultiModalData(
        {"depth": type(depth)(depth.x, np.arange(many * 2) % many, depth.ids)},
        tuple(f"c{k}" for k in range(many)),
    )
    (axis,) = drawn(plots.class_counts({"all": held}))
    assert [bar.get_height() for bar in axis.containers[0]] == [2] * many


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("count", [1, 2, 3])
def test_values_has_a_panel_for_each_modality(whole, count):
    axes = drawn(plots.values(whole.select(THREE[:count])))
    assert [axis.get_title() for axis in axes] == list(THREE[:count])
    assert labels(axes) == [("pixel value", "density")] + [("pixel value", "")] * (count - 1)
    assert [len(axis.patches) for axis in axes] == [3, 1, 1][:count]


def test_values_are_densities_of_the_pixels_in_the_sensors_unit(whole):
    depth = whole.modalities["depth"]
    metres = MultiModalData(
        {"depth": type(depth)(1000 * depth.x, depth.y, depth.ids)}, whole.classes
    )
    (axis,) = drawn(plots.values(metres))
    expected, edges = np.histogram(1000 * depth.x[:, 0], bins=60, density=True)
    outline = axis.patches[0].get_xy()
    assert outline[:, 1].max() == pytest.approx(expected.max(), rel=1e-4)
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx((edges[0], edges[-1]))
    assert set(np.round(expected, 6)) <= set(np.round(outline[:, 1], 6))


def test_values_names_the_bands_where_they_are_few(whole):
    rgb = whole.modalities["rgb"]
    five = type(rgb)(np.concatenate([rgb.x, rgb.x[:, :2]], axis=1), rgb.y, rgb.ids)
    few, many = drawn(plots.values(MultiModalData({"rgb": rgb, "five": five}, whole.classes)))
    assert legend(few) == ["band 0", "band 1", "band 2"]
    assert many.get_legend() is None


# ---------------------------------------------------------------- curves


def metrics(*names, epochs=4, start=0.0):
    columns = {
        f"valid_f1/{name}": start + 10.0 * np.arange(epochs) + k for k, name in enumerate(names)
    }
    return pd.DataFrame(
        {"epoch": range(epochs), "loss": start + 1 / (1 + np.arange(epochs)), **columns}
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_curves_are_the_columns_of_the_table(count):
    table = metrics(*THREE[:count])
    axes = drawn(plots.curves(table))
    assert len(axes) == 1 + count
    assert labels(axes) == [("epoch", "total loss")] + [("epoch", "weighted F1 × 100")] * count
    assert [axis.get_title() for axis in axes] == [
        "training",
        *(f"{name}, validation" for name in THREE[:count]),
    ]
    for axis, column in zip(
        axes, ["loss", *(f"valid_f1/{name}" for name in THREE[:count])], strict=True
    ):
        (line,) = axis.lines
        assert np.array_equal(line.get_xdata(), table["epoch"])
        assert np.array_equal(line.get_ydata(), table[column])
    assert not axes[0].figure.legends


def test_curves_of_several_runs_are_told_apart():
    tables = {
        f"run {k}": metrics("rgb", start=float(k)) for k in range(len(plots.MARKERS) + 1)
    }  # one more than markers
    figure = plots.curves(tables)
    loss, valid = drawn(figure)
    assert list(legend_of(figure)) == list(tables)
    assert (
        figure.legends[0].get_window_extent().y1 < loss.get_window_extent().y0
    )  # no curve runs through it
    for axis, column in ((loss, "loss"), (valid, "valid_f1/rgb")):
        for line, table in zip(axis.lines, tables.values(), strict=True):
            assert np.array_equal(line.get_ydata(), table[column])
    looks = {(line.get_marker(), line.get_color()) for line in loss.lines}
    assert len(looks) == len(tables)


def test_curves_of_a_run_more_than_there_are_colours():
    tables = {f"run {k}": metrics("rgb", start=float(k)) for k in range(len(plots.COLOURS) + 1)}
    assert len(drawn(plots.curves(tables))[0].lines) == len(tables)


# ---------------------------------------------------------------- confusions


def predictions(file, classes, **modalities):
    """modality → (labels, predicted), as predictions.npz of a run."""
    arrays = {}
    for name, (true, predicted) in modalities.items():
        logits = np.zeros((len(true), len(classes)), np.float32)
        logits[np.arange(len(true)), predicted] = 2.0
        arrays |= {
            f"{name}_logits": logits,
            f"{name}_labels": np.array(true),
            f"{name}_ids": np.arange(len(true)),
        }
    np.savez(file, classes=np.array(classes), **arrays)
    return file


def matrix(axis, classes):
    return np.array([float(text.get_text()) for text in axis.texts]).reshape(classes, classes)


def test_confusions_are_percent_of_the_true_class(tmp_path):
    file = predictions(
        tmp_path / "p.npz", ["cat", "dog"], rgb=([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0])
    )
    (axis,) = drawn(plots.confusions(file))
    assert np.array_equal(matrix(axis, 2), [[75, 25], [50, 50]])
    assert np.allclose(axis.collections[0].get_array().reshape(2, 2), [[75, 25], [50, 50]])
    assert axis.collections[0].get_clim() == (0, 100)
    assert labels([axis]) == [("predicted", "true class (row = 100 %)")]
    assert axis.get_title() == "rgb"
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["cat", "dog"]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["cat", "dog"]


def test_confusions_has_a_panel_for_each_modality(tmp_path):
    true = [0, 1, 2, 2]
    file = predictions(
        tmp_path / "p.npz",
        "abc",
        rgb=(true, true),
        depth=(true, [1, 1, 1, 1]),
        thermal=(true, [0, 1, 2, 0]),
    )
    axes = drawn(plots.confusions(str(file)))
    assert [axis.get_title() for axis in axes] == ["rgb", "depth", "thermal"]
    assert [axis.get_xlabel() for axis in axes] == ["predicted"] * 3
    assert axes[0].get_ylabel()
    assert np.array_equal(matrix(axes[0], 3), 100 * np.eye(3))
    assert np.array_equal(matrix(axes[1], 3), [[0, 100, 0]] * 3)
    assert np.array_equal(matrix(axes[2], 3), [[100, 0, 0], [0, 100, 0], [50, 0, 50]])


def test_confusions_of_a_class_without_test_samples_is_a_row_of_zeros(tmp_path):
    file = predictions(tmp_path / "p.npz", "abc", rgb=([0, 2], [0, 1]))
    (axis,) = drawn(plots.confusions(file))
    assert np.array_equal(matrix(axis, 3), [[100, 0, 0], [0, 0, 0], [0, 100, 0]])


def test_confusions_of_modalities_with_different_samples(tmp_path):
    file = predictions(tmp_path / "p.npz", "ab", rgb=([0, 1, 1, 1], [0, 1, 1, 0]), depth=([1], [0]))
    rgb, depth = drawn(plots.confusions(file))
    assert np.array_equal(matrix(rgb, 2), [[100, 0], [33, 67]])
    assert np.array_equal(matrix(depth, 2), [[0, 0], [100, 0]])


# ---------------------------------------------------------------- differences


def row(dataset="scenes", method="discom", modality="rgb", n=5, f1=80.0, **versus):
    """versus: baseline (with _ for -) → (middle, low, high)."""
    columns = {}
    for name in BASELINES:
        middle, low, high = versus.get(name.replace("-", "_"), (np.nan,) * 3)
        columns |= {f"vs {name}": middle, f"vs {name} low": low, f"vs {name} high": high}
    return {"data": dataset, "method": method, "modality": modality, "n": n, "f1": f1, **columns}


FULL = {
    "student": (2.0, 1.0, 3.5),
    "student_2x": (-1.0, -1.5, -0.25),
    "discom_solo": (0.5, -0.5, 1.5),
}


def bars(axis):
    """Per modality: middles, heights and the ends of the error bars."""
    found = []
    for container in axis.containers:
        line, _, (spans,) = container
        ends = np.array(
            [span[:, 0] for span in spans.get_segments() if len(span)]
        )  # an interval of NaN has none
        found.append((line.get_xdata(), line.get_ydata(), ends))
    return found


def test_differences_draws_middle_and_interval_of_every_baseline():
    table = pd.DataFrame([row(**FULL), row(method="student", **FULL)])
    (axis,) = drawn(plots.differences(table, "discom", BASELINES))
    ((middles, heights, ends),) = bars(axis)
    assert np.allclose(middles, [2.0, -1.0, 0.5])
    assert np.allclose(heights, [0, 1, 2])
    assert np.allclose(ends, [[1.0, 3.5], [-1.5, -0.25], [-0.5, 1.5]])
    assert axis.get_xlabel() == "F1 of discom − F1 of …"
    assert axis.get_title() == "scenes"
    assert [tick.get_text() for tick in axis.get_yticklabels()] == list(BASELINES)
    assert legend(axis) == ["rgb (n = 5)"]


@pytest.mark.parametrize("count", [1, 3])
def test_differences_keeps_the_modalities_apart(count):
    table = pd.DataFrame([row(modality=name, **FULL) for name in THREE[:count]])
    (axis,) = drawn(plots.differences(table, "discom", BASELINES))
    heights = np.array([heights for _, heights, _ in bars(axis)])
    assert heights.shape == (count, 3)
    assert np.allclose(heights.mean(0), [0, 1, 2])  # around the tick of their baseline
    assert (abs(heights - [0, 1, 2]) < 0.5).all()
    assert len(np.unique(heights.round(6))) == 3 * count
    assert legend(axis) == [f"{name} (n = 5)" for name in THREE[:count]]


def test_differences_of_a_modality_more_than_there_are_markers():
    names = [f"m{k}" for k in range(len(plots.MARKERS) + 1)]
    (axis,) = drawn(
        plots.differences(
            pd.DataFrame([row(modality=name, **FULL) for name in names]), "discom", BASELINES
        )
    )
    looks = {(container[0].get_marker(), container[0].get_color()) for container in axis.containers}
    assert len(looks) == len(names)


def test_differences_has_a_panel_for_each_data_set():
    table = pd.DataFrame([row(**FULL), row(dataset="hls", student=(9.0, 8.0, 10.0))])
    axes = drawn(plots.differences(table, "discom", BASELINES))
    assert [axis.get_title() for axis in axes] == ["scenes", "hls"]
    assert bars(axes[1])[0][0][0] == 9.0
    assert all(axis.get_xlabel() for axis in axes)


def test_differences_without_an_interval_or_a_baseline_draws_what_there_is():
    table = pd.DataFrame([row(n=1, student=(2.0, np.nan, np.nan))])
    (axis,) = drawn(plots.differences(table, "discom", BASELINES))
    middles = bars(axis)[0][0]
    assert middles[0] == 2.0
    assert np.isnan(middles[1:]).all()
    assert len(bars(axis)[0][2]) == 0


def test_differences_of_equal_differences_has_an_interval_of_no_length():
    """paired_difference: mean 0.10000000000000002, low = high = 0.1."""
    same = paired_difference([0.1, 0.1, 0.1], [0.0, 0.0, 0.0])
    (axis,) = drawn(
        plots.differences(pd.DataFrame([row(n=3, student=same)]), "discom", ["student"])
    )
    assert np.allclose(bars(axis)[0][2], [[0.1, 0.1]])


def test_differences_of_a_method_without_runs_says_so():
    table = pd.DataFrame([row(method="student", **FULL)])
    with pytest.raises(DiscomError, match="discom"):
        plots.differences(table, "discom", BASELINES)


# ---------------------------------------------------------------- intervals

COMPARED = [
    row(
        method="student",
        modality="rgb",
        f1=78.0,
        student_2x=(-1.0, -1.5, -0.5),
        discom_solo=(-2.0, -3.0, -1.0),
    ),
    row(
        method="student",
        modality="depth",
        f1=68.0,
        student_2x=(-0.5, -1.5, 0.5),
        discom_solo=(-1.0, -3.0, 1.0),
    ),
    row(method="kdv2 teacher=rgb", modality="depth", f1=71.24, **FULL),
    row(method="discom", modality="rgb", f1=81.0, **FULL),
    row(method="discom", modality="depth", f1=70.0, n=3, student=(1.0, 0.5, 1.5)),
]


def dots(axis):
    """Per baseline: method → (middle, low, high), where there is a dot; the first panel names the
    methods."""
    names = [tick.get_text() for tick in axis.figure.axes[0].get_yticklabels()]
    found = []
    for middles, heights, ends in bars(axis):
        assert (abs(heights - np.arange(len(names))) < 0.5).all()  # beside the tick of their method
        drawn_at = ~np.isnan(np.asarray(middles, float))
        assert len(ends) == drawn_at.sum()
        named = [name for name, there in zip(names, drawn_at, strict=True) if there]
        found.append(dict(zip(named, zip(middles[drawn_at], *ends.T, strict=True), strict=True)))
    return found


def test_intervals_draws_every_method_against_every_baseline():
    figure = plots.intervals(pd.DataFrame(COMPARED), BASELINES)
    rgb, depth = drawn(figure)
    for axis, modality in ((rgb, "rgb"), (depth, "depth")):
        rows_ = [r for r in COMPARED if r["modality"] == modality]
        for baseline, found in zip(BASELINES, dots(axis), strict=True):
            columns = [f"vs {baseline}{end}" for end in ("", " low", " high")]
            expected = {
                r["method"]: [r[c] for c in columns] for r in rows_ if not np.isnan(r[columns[0]])
            }
            assert found.keys() == expected.keys()
            assert all(np.allclose(found[name], expected[name]) for name in found)
    assert rgb.get_title() == "rgb (n = 5; mean F1 at the right)"
    assert depth.get_title() == "depth (n = 3 or 5; mean F1 at the right)"
    assert [axis.get_xlabel() for axis in (rgb, depth)] == ["difference in F1 points"] * 2
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == [f"− {name}" for name in BASELINES]


def test_intervals_names_methods_in_the_tables_order_from_above():
    rgb, depth = drawn(plots.intervals(pd.DataFrame(COMPARED), BASELINES))
    assert [tick.get_text() for tick in rgb.get_yticklabels()] == [
        "student",
        "kdv2 teacher=rgb",
        "discom",
    ]
    for axis in (rgb, depth):
        bottom, top = axis.get_ylim()
        assert bottom > top


def test_intervals_writes_the_f1_beside_each_method():
    rgb, depth = drawn(plots.intervals(pd.DataFrame(COMPARED), BASELINES))
    assert [text.get_text() for text in rgb.texts] == ["78.0", "", "81.0"]  # no kdv2 on rgb
    assert [text.get_text() for text in depth.texts] == ["68.0", "71.2", "70.0"]
    assert [text.xy[1] for text in depth.texts] == [0, 1, 2]


def test_intervals_keeps_baselines_apart_in_place_and_look():
    _, depth = drawn(plots.intervals(pd.DataFrame(COMPARED), BASELINES))
    heights = np.array([heights for _, heights, _ in bars(depth)])
    assert heights.shape == (3, 3)
    assert np.allclose(heights.mean(0), [0, 1, 2])
    assert len(np.unique(heights.round(6))) == 9
    assert len({(held[0].get_marker(), held[0].get_color()) for held in depth.containers}) == 3


def test_intervals_leaves_out_what_is_compared_with_nothing():
    teacher = row(method="teacher", modality="rgb+depth", f1=90.0)
    axes = drawn(plots.intervals(pd.DataFrame([teacher, *COMPARED]), BASELINES))
    assert [axis.get_title()[:6] for axis in axes] == ["rgb (n", "depth "]
    assert "teacher" not in [tick.get_text() for tick in axes[0].get_yticklabels()]


@pytest.mark.parametrize("baselines", [["student"], ["student-2x", "discom-solo"]])
def test_intervals_draws_the_baselines_it_is_given(baselines):
    figure = plots.intervals(pd.DataFrame([row(**FULL)]), baselines)
    (axis,) = drawn(figure)
    assert len(axis.containers) == len(baselines)
    found = [name["discom"][0] for name in dots(axis)]
    assert found == [FULL[name.replace("-", "_")][0] for name in baselines]


def test_intervals_of_one_seed_are_dots():
    (axis,) = drawn(
        plots.intervals(pd.DataFrame([row(n=1, student=(2.0, np.nan, np.nan))]), BASELINES)
    )
    middles, _, ends = bars(axis)[0]
    assert middles.tolist() == [2.0]
    assert len(ends) == 0
    assert axis.get_title() == "rgb (n = 1; mean F1 at the right)"


def test_intervals_of_equal_differences_have_no_length():
    same = paired_difference([0.1, 0.1, 0.1], [0.0, 0.0, 0.0])
    (axis,) = drawn(plots.intervals(pd.DataFrame([row(n=3, student=same)]), ["student"]))
    assert np.allclose(bars(axis)[0][2], [[0.1, 0.1]])


def test_intervals_of_many_methods_are_all_drawn():
    table = pd.DataFrame([row(method=f"method {k}", **FULL) for k in range(20)])
    (axis,) = drawn(plots.intervals(table, BASELINES))
    assert len(axis.get_yticklabels()) == len(dots(axis)[0]) == 20


def test_intervals_without_anything_to_compare_says_so():
    with pytest.raises(DiscomError, match="no method shares a seed with a baseline"):
        plots.intervals(
            pd.DataFrame([row(), row(method="teacher", modality="rgb+depth")]), BASELINES
        )


# ---------------------------------------------------------------- gains along dials


def gain(method="discom", modality="rgb", dials=(("shared", 0.0),), **versus):
    """A row as `by_dials` gives it: differences with the baselines that are given, then a column
    for each dial."""
    whole = row(method=method, modality=modality, **versus)
    others = [f"vs {name}{end}" for name in BASELINES if name.replace("-", "_") not in versus
              for end in ("", " low", " high")]  # fmt: skip
    kept = {key: value for key, value in whole.items() if key not in others}
    return {**kept, **dict(dials)}


def one_dial():
    return pd.DataFrame([
        gain(method, modality, (("shared", value),), student=(middle + value, middle + value - 1, middle + value + 2))
        for value in (1.0, 0.0, 0.5)
        for method, middle in (("discom", 3.0), ("kdv2", -1.0))
        for modality in ("rgb", "depth")
    ])  # fmt: skip


def curves_of(axis):
    """Method → (places, middles, ends of the intervals) from left to right, by the legend's
    names."""
    found = {}
    for container, name in zip(*axis.get_legend_handles_labels(), strict=True):
        line, _, (spans,) = container
        ends = np.array([span[:, 1] for span in spans.get_segments()])
        found[name] = (
            np.asarray(line.get_xdata(), float),
            np.asarray(line.get_ydata(), float),
            ends,
        )
    return found


def test_gains_over_one_dial_are_curves():
    figure = plots.gains(one_dial(), ["student"])
    rgb, depth = drawn(figure)
    assert [axis.get_title() for axis in (rgb, depth)] == [
        "rgb: F1 − F1 of student",
        "depth: F1 − F1 of student",
    ]
    assert labels([rgb, depth]) == [("shared", "F1 points")] * 2
    for axis in (rgb, depth):
        found = curves_of(axis)
        assert list(found) == ["discom", "kdv2"]
        for name, middle in (("discom", 3.0), ("kdv2", -1.0)):
            places, middles, ends = found[name]
            assert np.allclose(
                places, [0, 0.5, 1], atol=0.02
            )  # beside its value, lest methods hide each other
            assert np.allclose(middles, [middle, middle + 0.5, middle + 1])
            assert np.allclose(ends, middles[:, None] + [-1, 2])
        assert not np.allclose(found["discom"][0], found["kdv2"][0], atol=1e-6)
        assert axis.get_xticks().tolist() == [0, 0.5, 1]
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == ["discom", "kdv2"]


def test_gains_has_a_row_of_panels_for_each_baseline_and_none_for_a_stacked_network():
    table = one_dial()
    for place, (end, value) in enumerate({"": 1.5, " low": 1.0, " high": 2.0}.items()):
        table.insert(
            list(table).index("vs student high") + 1 + place, f"vs discom-solo{end}", value
        )
    table = pd.concat([table, table.assign(modality="rgb+depth")])
    axes = drawn(plots.gains(table, ["student", "discom-solo"]))
    assert [axis.get_title() for axis in axes] == [
        f"{modality}: F1 − F1 of {baseline}"
        for baseline in ("student", "discom-solo")
        for modality in ("rgb", "depth")
    ]
    assert np.allclose(curves_of(axes[3])["discom"][1], 1.5)


def test_gains_leaves_the_baseline_and_teachers_out():
    more = [gain(name, modality, (("shared", value),), student=(9.0, 8.0, 10.0))
            for name in ("student", "teacher")
            for modality in ("rgb", "depth") for value in (0.0, 0.5, 1.0)]  # fmt: skip
    axes = drawn(plots.gains(pd.concat([pd.DataFrame(more), one_dial()]), ["student"]))
    assert list(curves_of(axes[0])) == ["discom", "kdv2"]


def two_dials():
    return pd.DataFrame([
        gain(method, "rgb", (("shared", shared), ("labelled", labelled)),
             student=(10 * shared + labelled, 10 * shared + labelled - 1, 10 * shared + labelled + 2))
        for method in ("kdv2", "discom")
        for shared in (0.0, 1.0)
        for labelled in (0.2, 0.5, 1.0)
    ])  # fmt: skip


def test_gains_over_two_dials_are_a_map_of_the_last_method():
    panel, bar = drawn(plots.gains(two_dials(), ["student"]))
    assert panel.get_title() == "rgb: F1 of discom − F1 of student"
    assert labels([panel]) == [("labelled", "shared")]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0.2", "0.5", "1.0"]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["0.0", "1.0"]
    expected = [[10 * shared + labelled for labelled in (0.2, 0.5, 1.0)] for shared in (0.0, 1.0)]
    assert np.allclose(panel.collections[0].get_array().reshape(2, 3), expected)
    texts = [text.get_text() for text in panel.texts]
    assert texts == [f"{m:+.1f}\n[{m - 1:+.1f}, {m + 2:+.1f}]" for m in np.ravel(expected)]
    assert panel.collections[0].get_clim() == (
        -11,
        11,
    )  # no difference is the middle of the colours
    bottom, top = panel.get_ylim()
    assert bottom < top  # values rise upwards
    assert bar.get_ylabel() == "F1 points"


@pytest.mark.parametrize("dials", [(), (("shared", 0.0), ("labelled", 1.0), ("spurious_rgb", 0.6))])
def test_gains_over_no_dial_or_three_say_so(dials):
    table = pd.DataFrame([gain(dials=dials, student=(1.0, 0.0, 2.0))])
    with pytest.raises(
        RunError, match=f"gains: {len(dials)} dials were turned .*; a picture has one or two"
    ):
        plots.gains(table, ["student"])
    assert plt.get_fignums() == []


def test_gains_of_one_seed_are_dots():
    table = one_dial().assign(**{"vs student low": np.nan, "vs student high": np.nan})
    axes = drawn(plots.gains(table, ["student"]))
    assert [container[0].get_ydata().tolist() for container in axes[0].containers] == [
        [3, 3.5, 4],
        [-1, -0.5, 0],
    ]


def test_gains_draws_the_baselines_it_is_given():
    table = by_dials(pd.DataFrame([row(f"scenes-shared={value}", **FULL) for value in (0, 0.5)]))
    (axis,) = drawn(plots.gains(table, ["student"]))
    assert axis.get_title() == "rgb: F1 − F1 of student"


def test_a_map_of_one_seed_has_no_intervals():
    table = two_dials().assign(**{"vs student low": np.nan, "vs student high": np.nan})
    panel, _ = drawn(plots.gains(table, ["student"]))
    assert not [text for text in panel.texts if "nan" in text.get_text()]


# ---------------------------------------------------------------- probe map

MATRIX = pd.DataFrame(
    {"shape": [100.0, 40.0, 20.0], "shift": [0.75, 0.0, -0.3], "class": [55.6, 11.1, 100.0]},
    index=["rgb z_inv", "rgb z_inf", "rgb z_irr"],
)
CHANCE = {"shape": 40.0, "shift": 0.0, "class": 11.2}


def test_a_probe_map_says_the_scores_and_colours_what_is_beyond_chance():
    panel, bar = drawn(plots.probe_map(MATRIX, CHANCE))
    assert [text.get_text() for text in panel.texts] == [
        "100",
        "0.75",
        "56",
        "40",
        "0.00",
        "11",
        "20",
        "-0.30",
        "100",
    ]
    expected = [[1, 0.75, (55.6 - 11.2) / 88.8], [0, 0, 0], [0, 0, 1]]  # below chance is chance
    assert np.allclose(panel.collections[0].get_array().reshape(3, 3), expected)
    assert panel.collections[0].get_clim() == (0, 1)
    assert [tick.get_text() for tick in panel.get_xticklabels()] == [
        "shape\n(40)",
        "shift",
        "class\n(11)",
    ]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == list(MATRIX.index)
    assert bar.get_ylabel() == "read beyond chance"
    assert "chance in %" in panel.get_xlabel()


def test_a_probe_map_of_chosen_factors_in_that_order():
    panel, _ = drawn(plots.probe_map(MATRIX, CHANCE, ["class", "shape"]))
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["class\n(11)", "shape\n(40)"]
    assert [text.get_text() for text in panel.texts] == ["56", "100", "11", "40", "100", "20"]


# ---------------------------------------------------------------- all together


def test_a_prepared_folder_is_drawn_like_the_data_it_holds(whole, tmp_path):
    whole.save(tmp_path / "scaled", split=whole.split(seed=0))
    held = data.load(tmp_path / "scaled")
    ours = drawn(plots.pairs(held, rows=[5]))
    theirs = drawn(plots.pairs(whole.split(seed=0).train.take(np.array([0])), rows=[0]))
    assert len(ours) == len(theirs) == 3
    assert np.array_equal(
        np.asarray(ours[1].images[0].get_array()), held.modalities["depth"].x[5, 0]
    )
    counts = drawn(plots.class_counts(held.split()._asdict()))[0]
    assert sum(bar.get_height() for container in counts.containers for bar in container) == len(
        whole
    )


def test_gain_map_writes_every_difference_and_marks_those_that_exclude_zero():
    table = pd.DataFrame(
        [
            {"data": data, "method": method, "modality": "rgb", "n": 3, "miou": 50.0, "sd": 1.0,
             "vs single": middle, "vs single low": middle - 2, "vs single high": middle + 2}
            for data, method, middle in (
                ("a", "crodino", 3.0), ("a", "cwd", -1.0), ("b", "crodino", -4.0), ("a", "single", np.nan)
            )
        ]
    )  # fmt: skip
    figure = plots.gain_map(table, "single", names={"b": "wrong labels"})
    texts = {text.get_text(): text.get_fontweight() for text in figure.axes[0].texts}
    assert texts == {
        "+3.0\n[+1.0, +5.0]": "bold",
        "-1.0\n[-3.0, +1.0]": "normal",
        "-4.0\n[-6.0, -2.0]": "bold",
    }
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "wrong labels"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["crodino", "cwd"]


# ---------------------------------------------------------------- reliability_diagram


def test_reliability_shows_each_bins_accuracy_and_count():
    sure, right = np.array([0.6, 0.7, 0.95, 0.9]), np.array([1, 0, 1, 1])
    table = reliability(np.stack([sure, 1 - sure], 1), np.where(right, 0, 1), bins=4)
    upper, lower = drawn(plots.reliability_diagram({"rgb": table}))
    (points,) = (line for line in upper.lines if line.get_marker() == "o")
    assert points.get_xdata().tolist() == pytest.approx([0.65, 0.925])
    assert points.get_ydata().tolist() == [0.5, 1.0]
    assert [bar.get_height() for bar in lower.patches] == [0, 0, 2, 2]
    assert upper.get_title() == f"rgb: ECE {calibration_error(table):.3f}"
    assert upper.get_ylabel() == "accuracy"
    assert lower.get_xlabel().startswith("confidence")


def test_reliability_has_a_column_for_each_network():
    table = reliability(np.array([[0.9, 0.1]] * 3), np.array([0, 0, 1]))
    axes = drawn(plots.reliability_diagram({"rgb": table, "depth": table}))
    assert [axis.get_title().partition(":")[0] for axis in axes[:2]] == ["rgb", "depth"]
