"""Pictures of embeddings: what is drawn are the positions that were given, in the colours and
markers of the key."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from discom.errors import DataError
from discom.plots import maps as module
from discom.plots.maps import maps, stability
from discom.plots.marks import MARKERS, RAMP, UNKNOWN, draw, marks

CLASSES = [f"class {k}" for k in range(9)]


pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.fixture(scope="module")
def xy():
    return np.random.default_rng(0).normal(size=(90, 2))


def positions(axis) -> np.ndarray:
    return np.concatenate([held.get_offsets() for held in axis.collections])


def same_rows(one, other) -> bool:
    return np.allclose(*(np.asarray(rows)[np.lexsort(np.asarray(rows).T)] for rows in (one, other)))


def key(axis) -> list[str]:
    return [text.get_text() for text in axis.get_legend().get_texts()]


# ---------------------------------------------------------------- marks


def test_nine_classes_differ_in_colour_and_in_marker():
    held = marks(CLASSES)
    assert held.labels == tuple(CLASSES)
    assert len(set(held.palette[:9])) == len(set(held.shapes[:9])) == 9


def test_colour_and_marker_together_name_up_to_a_hundred_classes():
    held = marks([f"{k:03d}" for k in range(100)])
    assert len(set(zip(held.palette[:-1], held.shapes[:-1], strict=True))) == 100


def test_categories_keep_their_order():
    held = marks(pd.Categorical(["small", "large"], categories=["small", "middle", "large"]))
    assert held.labels == ("small", "middle", "large")
    assert held.code.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([True, False], ("False", "True")),
        ([2, 0, 2], ("0", "2")),
        (np.array(["a", "b"]), ("a", "b")),
        ([0.5, 1], ()),
    ],
)
def test_kinds_of_values(values, labels):
    assert marks(values).labels == labels


def test_more_than_ten_integers_are_a_scale():
    held = marks(np.arange(11))
    assert (held.labels, held.limits) == ((), (0, 10))


def test_a_scale_runs_from_the_lowest_to_the_highest_and_unknown_is_grey():
    held = marks(np.array([3.0, 1.0, np.nan, 2.0]))
    assert held.limits == (1, 3)
    assert [held.palette[code] for code in held.code] == [RAMP[-1], RAMP[0], UNKNOWN, RAMP[128]]
    assert marks([None, "a"]).palette[marks([None, "a"]).code[0]] == UNKNOWN


@pytest.mark.parametrize("values", [[2.0, 2.0], [np.nan, np.nan]])
def test_a_scale_without_length_is_drawn_all_the_same(values):
    assert np.isfinite(marks(values).code).all()


def test_the_scale_is_readable_in_grey():
    grey = np.array([matplotlib.colors.to_rgb(colour) for colour in RAMP]) @ [0.299, 0.587, 0.114]
    assert (np.diff(grey[::15]) > 0.01).all()


def test_styles_fill_and_outline(xy):
    axis = plt.figure().subplots()
    draw(axis, xy[:3], marks(["a", "a", "a"]), style=np.array([0, 1, 2]))
    filled, outlined, edged = axis.collections
    assert len(outlined.get_facecolor()) == 0
    assert (
        to_hex(outlined.get_edgecolor()[0])
        == to_hex(filled.get_facecolor()[0])
        == marks(["a"]).palette[0]
    )
    assert to_hex(edged.get_edgecolor()[0]) == "#000000"


# ---------------------------------------------------------------- maps


def test_rows_are_embeddings_and_columns_colourings(xy):
    panels = {"z_inv": xy, "z_inf": -2 * xy}
    figure = maps(
        panels,
        {"class": np.repeat(CLASSES, 10), "modality": ["rgb", "depth"] * 45, "size": xy[:, 0]},
    )
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    grid = np.array(figure.axes[:9]).reshape(3, 3)
    assert [axis.get_title() for axis in grid[0]] == ["class", "modality", "size"]
    assert [axis.get_ylabel() for axis in grid[:2, 0]] == ["z_inv", "z_inf"]
    for axis_row, drawn in zip(grid, panels.values(), strict=False):
        for axis in axis_row:
            assert same_rows(positions(axis), drawn)
            assert [*axis.get_xticks(), *axis.get_yticks()] == []
    assert key(grid[2, 0]) == CLASSES
    assert key(grid[2, 1]) == ["depth", "rgb"]
    assert grid[2, 2].child_axes[0].get_xlim() == pytest.approx((xy[:, 0].min(), xy[:, 0].max()))
    assert "distances between groups" in figure.get_supxlabel()
    assert figure.dpi <= 150


def test_each_class_has_the_colour_of_its_key(xy):
    classes = np.repeat(CLASSES, 10)
    axis, foot = maps({"z": xy}, {"class": classes}).axes
    for handle, name in zip(foot.get_legend().legend_handles, CLASSES, strict=True):
        drawn = np.concatenate(
            [
                h.get_offsets()
                for h in axis.collections
                if to_hex(h.get_facecolor()[0]) == to_hex(handle.get_color())
            ]
        )
        assert same_rows(drawn, xy[classes == name])
        assert handle.get_marker() == MARKERS[CLASSES.index(name)]


def test_no_group_lies_on_top_of_the_others(xy):
    axis, _ = maps({"z": xy}, {"modality": np.repeat(["a", "b"], 45)}).axes
    first = [to_hex(held.get_facecolor()[0]) for held in axis.collections]
    assert first[:2] * 8 == first


@pytest.mark.parametrize(
    ("panels", "colours", "message"),
    [
        ({}, {"a": [1]}, "0 panels, 1 colourings"),
        ({"z": np.eye(2)}, {}, "1 panels, 0 colourings"),
        (
            {"z": np.eye(2), "y": np.eye(3, 2)},
            {"a": [1, 2]},
            r"panel y has shape \(3, 2\), the first panel 2 samples",
        ),
        ({"z": np.eye(3)}, {"a": [1, 2, 3]}, r"panel z has shape \(3, 3\)"),
        ({"z": np.eye(2)}, {"a": [1, 2, 3]}, r"colouring a has shape \(3, 2\)"),
    ],
)
def test_what_does_not_fit_together_is_named(panels, colours, message):
    with pytest.raises(DataError, match=message):
        maps(panels, colours)
    assert not plt.get_fignums()


# ---------------------------------------------------------------- stability


def test_stability_draws_every_seed_and_number_of_neighbours(xy, monkeypatch):
    made = []

    def layout(z, *, neighbors, seed):
        made.append((neighbors, seed))
        return z[:, :2] * neighbors + seed

    monkeypatch.setattr(module, "project", layout)
    figure = stability(xy, np.repeat(CLASSES, 10), neighbors=(5, 15), seeds=(0, 1))
    figure.canvas.draw()
    assert made == [(5, 0), (15, 0), (5, 1), (15, 1)]
    grid = np.array(figure.axes[:4]).reshape(2, 2)
    assert [axis.get_title() for axis in grid[0]] == ["5 neighbours", "15 neighbours"]
    assert [axis.get_ylabel() for axis in grid[:, 0]] == ["seed 0", "seed 1"]
    for axis, (neighbors, seed) in zip(grid.ravel(), made, strict=True):
        assert same_rows(positions(axis), xy * neighbors + seed)
        share = int(axis.get_xlabel().split(" %")[0])
        assert 90 <= share <= 100  # standardising moves few neighbours of a round cloud
    assert key(grid[0, 1]) == CLASSES


def test_stability_takes_a_scale_and_real_maps(xy):
    figure = stability(xy[:20], xy[:20, 0], neighbors=(3, 5), seeds=(0,))
    figure.canvas.draw()
    assert all("of 15 neighbours kept" in axis.get_xlabel() for axis in figure.axes[:2])


def test_stability_names_too_few_samples(xy):
    with pytest.raises(DataError, match="20 rows are too few for neighbors=50"):
        stability(xy[:20], xy[:20, 0], neighbors=(50,))
