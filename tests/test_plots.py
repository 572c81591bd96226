"""Figures: what is drawn are the numbers, images and masks that were given."""

from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from fixtures.results import result
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import stats

from discom import plots
from discom.data import Modality, MultiModalData, Normalization, load
from discom.errors import RunError
from discom.plots.look import method_look, sensor_look
from discom.tables import compare, summary

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


def legend(figure):
    """Name → handle."""
    box = figure.legends[0]
    return dict(zip(words(box.texts), box.legend_handles, strict=True))


# ---------------------------------------------------------------- images and masks


@pytest.mark.parametrize("source", ["scenes:n=66", "objects:dark=0.5,n=60", "objects:n=60"])
def test_pairs_draws_the_scaled_images_of_its_rows(source):
    """Depth of objects alone in colours, its holes white."""
    train = load(f"{source},size=16").split().train
    axes = np.reshape(drawn(plots.pairs(train, rows=[3, 0])), (2, 2))
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["rgb", "depth"]
    titles = [train.classes[train.labels[row]].replace("/", "\n") for row in (3, 0)]
    assert [axis.get_title() for axis in axes[0]] == titles
    for row, place in enumerate((3, 0)):
        rgb, depth = (train.images(name, [place])[0] for name in ("rgb", "depth"))
        assert np.array_equal(pixels(axes[0, row]), rgb.transpose(1, 2, 0))
        picture = axes[1, row].images[0]
        assert np.array_equal(np.ma.filled(picture.get_array(), 0), depth[0])
        assert picture.get_clim() == (0, 1)
        colours = picture.to_rgba(picture.get_array())[..., :3]
        coloured = source.startswith("objects")
        assert np.allclose(colours[depth[0] == 0], 1 if coloured else 0)
        assert (np.ptp(colours[depth[0] > 0], axis=1).min() > 0.1) == coloured  # no grey


def test_pairs_takes_complete_pairs_of_classes_in_turn_and_says_what_is_missing():
    whole = load("scenes:n=66,size=16")
    rgb, depth = whole.modalities.values()
    rows = np.flatnonzero(np.arange(len(whole)) % 3)  # depth lacks every third scene
    uneven = MultiModalData({"rgb": rgb, "depth": depth.take(rows)}, whole.classes, name="uneven")
    axes = drawn(plots.pairs(uneven, rows=[0, 1, 3]))
    assert [words(axis.texts) for axis in axes] == [[], [], [], ["missing"], [], ["missing"]]
    x = uneven.modalities["depth"].x  # before a split, the picture's own scale
    assert np.array_equal(pixels(axes[4]), Normalization.fit(x)(x[[0]])[0, 0])
    plt.close("all")
    axes = drawn(plots.pairs(uneven))
    assert [len(axis.images) for axis in axes] == [1] * 18
    assert len({axis.get_title() for axis in axes[:9]}) == 9


def test_pairs_of_dense_data_end_with_the_classes():
    """Thirteen bands and depth; some pixels have no label."""
    rng, rows = np.random.default_rng(3), np.arange(6)
    masks = np.tile(np.array([[0, 0, 1], [1, 2, 255]], np.uint8), (6, 1, 1))
    bands = rng.integers(0, 9000, (6, 13, 2, 3)).astype(np.uint16)
    depth = Modality(rng.uniform(1, 9, (6, 1, 2, 3)).astype(np.float32), rows % 2, rows, "m")
    views = {"ms": Modality(bands, rows % 2, rows), "depth": depth}
    figure = plots.pairs(MultiModalData(views, CLASSES, masks=masks, dense=True), rows=[0, 1])
    axes = drawn(figure)
    assert [axis.get_ylabel() for axis in axes[::2]] == ["ms", "depth", "class"]
    scaled = Normalization.fit(bands)(bands[[0]])[0]
    assert np.array_equal(pixels(axes[0]), scaled[[3, 2, 1]].transpose(1, 2, 0))  # as an eye sees
    for place in (0, 1):
        for k, patch in enumerate(legend(figure).values()):
            there = pixels(axes[4 + place])[masks[place] == k]
            assert np.allclose(there, patch.get_facecolor()[:3])
        assert np.allclose(pixels(axes[4 + place])[masks[place] == 255], 0.85)


def test_predictions_draw_images_masks_and_errors():
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, 255], (3, 24, 24)).astype(np.uint8)
    predicted = {name: rng.integers(0, 3, (3, 24, 24), np.uint8) for name in ("rgb", "depth")}
    views = {"rgb image": rng.random((3, 3, 24, 24)), "depth image": rng.random((3, 1, 24, 24))}
    figure = plots.predictions(views, truth, predicted, CLASSES)
    axes = np.array(drawn(figure)).reshape(-1, 3)
    lines = {line[0].get_ylabel(): line for line in axes}
    networks = [name + what for name in predicted for what in ("", ":\nerrors")]
    assert list(lines) == [*views, "truth", *networks]
    colours = {name: patch.get_facecolor()[:3] for name, patch in legend(figure).items()}
    assert list(colours) == [*CLASSES, "wrong", "no label"]
    for row in range(3):
        assert np.array_equal(
            pixels(lines["rgb image"][row]), views["rgb image"][row].T.swapaxes(0, 1)
        )
        assert np.array_equal(pixels(lines["depth image"][row]), views["depth image"][row, 0])
        for name, ids in {"truth": truth, **predicted}.items():
            for k, label in enumerate([*CLASSES, "no label"]):
                there = pixels(lines[name][row])[ids[row] == (k if k < 3 else 255)]
                assert np.allclose(there, colours[label])
        for name, ids in predicted.items():
            axis, known = lines[f"{name}:\nerrors"][row], truth[row] != 255
            wrong = known & (ids[row] != truth[row])
            assert np.array_equal(pixels(axis), np.where(wrong, 0, np.where(known, 1, 0.85)))
            assert axis.get_xlabel() == f"{100 * wrong[known].mean():.1f} % wrong"


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("count", [1, 12])
def test_curves_are_the_columns_of_the_tables(count):
    epochs, tables = np.arange(4), {}
    for k in range(count):
        scores = {f"valid_f1/{name}": k + 10.0 * epochs for name in ("rgb", "depth")}
        tables[f"run {k}"] = pd.DataFrame({"epoch": epochs, "loss": k + 1 / (1 + epochs), **scores})
    if count > 1:
        tables["run 0"] = tables["run 0"].drop(columns="valid_f1/depth")  # a teacher of RGB, say
    axes = drawn(plots.curves(tables if count > 1 else tables["run 0"]))
    scores = ["training loss", "rgb: validation F1 × 100", "depth: validation F1 × 100"]
    assert [axis.get_title() for axis in axes] == scores
    for axis, column in zip(axes, ["loss", "valid_f1/rgb", "valid_f1/depth"], strict=True):
        lines = [line for line in axis.lines if len(line.get_ydata())]
        expected = [table for table in tables.values() if column in table]
        for line, table in zip(lines, expected, strict=True):
            assert np.array_equal(line.get_xdata(), table["epoch"])
            assert np.allclose(line.get_ydata(), table[column])
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in axes[0].lines}
    assert len(looks) == count


@pytest.fixture(scope="module")
def runs():
    """Three methods over two sensors with a tenth of the labels and with all; a teacher."""
    rng, made = np.random.default_rng(0), []
    for share, seed in ((share, seed) for share in (1.0, 0.1) for seed in range(4)):
        for name in ("student", "kdv2", "discom-solo"):
            scores = {sensor: 70 + rng.normal() for sensor in ("rgb", "depth")}
            made.append(result(name, seed, scores, labelled=share))
        made.append(result("teacher", seed, {"rgb+depth": 90.0}, labelled=share))
    return made


def spans(container):
    """Places of the markers [N, 2] and ends of their intervals [N, 2]."""
    line, _, (lengths,) = container
    along = 1 if container.has_yerr else 0
    ends = [segment[:, along] for segment in lengths.get_segments() if len(segment)]
    return np.column_stack(line.get_data()).astype(float), np.array(ends)


def test_intervals_draw_every_difference_in_a_panel_for_each_sensor_and_setting(runs):
    baselines = ("student", "discom-solo")
    table = summary(runs, baselines)
    figure = plots.intervals(table, baselines)
    axes = drawn(figure)
    assert list(legend(figure)) == [f"− {name}" for name in baselines]
    places = [(share, sensor) for share in (1.0, 0.1) for sensor in ("rgb", "depth")]
    for axis, (share, sensor) in zip(axes, places, strict=True):  # the teacher is left out
        assert axis.get_title() == f"labelled={share}, {sensor} (n = 4)"
        rows = table[(table["labelled"] == share) & (table["modality"] == sensor)]
        rows = rows.set_index("method").loc[words(axes[0].get_yticklabels())]
        assert words(axis.texts) == ["F1", *rows["f1"].map("{:.1f}".format)]
        middles = []
        for container, baseline in zip(axis.containers, baselines, strict=True):
            middle, ends = spans(container)
            middles.append(middle)
            expected = rows[[f"vs {baseline} low", f"vs {baseline} high"]].dropna()
            assert np.allclose(middle[:, 0], rows[f"vs {baseline}"], equal_nan=True)
            assert np.allclose(ends, expected)
        assert not np.isclose(*(middle[:, 1] for middle in middles)).any()  # side by side
    plt.close("all")
    with pytest.raises(RunError, match="no method"):
        plots.intervals(table[table["method"] == "teacher"], baselines)
    assert plt.get_fignums() == []


def test_a_forest_fills_what_survives_holm_and_draws_far_seeds_at_its_edge(runs):
    table = compare(runs[:16], [("kdv2", "student"), ("discom-solo", "student")])
    table["holm"] = [0.01, 0.9, 0.06, 0.9]
    table.at[3, "each"] = np.array([-17.4, -1.0, 2.0])
    (axis,) = drawn(plots.forest(table, ["a gain", "nothing"], reach=5))
    assert words(axis.get_yticklabels()) == ["kdv2 minus student", "discom-solo minus student"]
    assert [text.strip() for text in words(axis.texts)] == ["-17", "a gain", "nothing"]
    for k, container in enumerate(axis.containers):
        sensor, (places, ends) = ("rgb", "depth")[k], spans(container)
        rows = table[table["modality"] == sensor]
        assert np.allclose(places[:, 0], rows["difference"])
        assert np.allclose(ends, rows[["low", "high"]])
        assert np.allclose(places[:, 1].round(), [0, 1])  # in their lines
        assert container[0].get_color() == sensor_look(sensor, 7)["color"]
    xs = {}
    for line in axis.lines:
        xs.setdefault(line.get_marker(), []).extend(line.get_xdata())
    seeds = [value for each in table["each"] for value in each if value > -5]
    assert sorted(xs["."]) == pytest.approx(sorted(seeds))
    assert xs["<"] == [-5]
    filled = [line for line in axis.lines if line.get_markerfacecolor() == line.get_color()]
    own = [
        line.get_xdata() for line in filled if line.get_marker() in "os" and line.get_zorder() == 3
    ]
    assert np.allclose(np.concatenate(own), table["difference"][0])


@pytest.mark.parametrize("best", [None, {"rgb": 93.3, "depth": 83.3}])
def test_gains_and_scores_draw_the_table_over_a_factor(runs, best):
    table = summary([replace(run, best=best or {}) for run in runs], ["student"])
    names, half = {"kdv2": "taught", "student": "alone"}, stats.t.ppf(0.975, 3) / 2
    figure = plots.gains(table, "labelled", against=["student"], names=names)
    axes, panels = drawn(figure), {}
    assert [axis.get_title() for axis in axes] == ["rgb, minus alone", "depth, minus alone"]
    assert words(axes[1].get_xticklabels()) == ["10", "100"]
    panels["vs student"] = axes
    plt.close("all")
    scores = plots.scores(table, "labelled", names=names)
    panels["f1"] = drawn(scores)
    assert list(legend(scores)) == ["taught", "alone"]
    own = method_look(0, "kdv2 contrast=3")["color"]  # in every figure
    assert np.allclose(to_rgb(legend(scores)["taught"].get_color()[0][:3]), own)
    for column, axes in panels.items():
        for axis, sensor in zip(axes, ("rgb", "depth"), strict=True):
            rows = table[(table["modality"] == sensor) & (table["method"] == "kdv2")]
            rows = rows.sort_values("labelled")
            ends = (
                rows[[f"{column} low", f"{column} high"]]
                if "vs" in column
                else np.stack([rows["f1"] - half * rows["sd"], rows["f1"] + half * rows["sd"]], 1)
            )
            places, drawn_ends = spans(axis.containers[0])
            assert np.allclose(places[:, 1], rows[column])
            assert np.allclose(drawn_ends, ends)
            if column == "f1":
                lines = [line for line in axis.lines if 83 < line.get_ydata()[0] < 94]
                assert [line.get_ydata()[0] for line in lines] == ([best[sensor]] if best else [])


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
