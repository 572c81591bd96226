"""The explorer without a browser: its state, what it shows of a selection, and what it says when it
cannot draw."""

import base64
import html
import io
import re

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from discom.data import MultiModalData, scenes
from discom.errors import DataError
from discom.evaluation.projection import project
from discom.explorer import interactive as widgets
from discom.explorer.interactive import SHOWN, explorer
from discom.explorer.points import Points
from discom.plots.marks import marks

COUNT = 44


def embed(data: MultiModalData, wrong: int = 3) -> dict:
    """Random embeddings; logits that are right but for the first `wrong` samples of each
    modality."""
    rng = np.random.default_rng(0)
    held = {}
    for name, modality in data.modalities.items():
        said = modality.y.copy()
        said[:wrong] = (said[:wrong] + 1) % len(data.classes)
        parts = {
            part: rng.normal(size=(len(said), 6)).astype(np.float32)
            for part in ("inv", "inf", "irr")
        }
        held[name] = {**parts, "logits": np.eye(len(data.classes))[said]}
    return held


@pytest.fixture(scope="module")
def uneven():
    """Depth lacks every fourth scene and comes in another order."""
    whole = scenes.make(COUNT, size=8)
    rgb, depth = whole.modalities.values()
    rows = np.flatnonzero(np.arange(COUNT) % 4)[::-1]
    return MultiModalData(
        {"rgb": rgb, "depth": depth.take(rows)}, whole.classes, factors=whole.factors
    )


@pytest.fixture
def layouts(monkeypatch):
    """Maps without UMAP: what was asked for, in order."""
    asked = []

    def project(z, *, neighbors, seed):
        asked.append((len(z), neighbors, seed))
        return z[:, :2] + neighbors

    monkeypatch.setattr(widgets, "project", project)
    return asked


@pytest.fixture
def seen(uneven, layouts):
    return explorer(uneven, embed(uneven))


def point_of(data: MultiModalData, name: str, row: int) -> int:
    """The number of a point, counted the long way: modality by modality."""
    before = list(data.modalities)[: list(data.modalities).index(name)]
    return sum(len(data.modalities[other].ids) for other in before) + row


def alternative(widget) -> str:
    return html.unescape(re.search(r"alt='([^']*)'", widget.value)[1])


def pixels(widget) -> np.ndarray:
    return matplotlib.image.imread(
        io.BytesIO(base64.b64decode(re.search(r"base64,([^']*)'", widget.value)[1]))
    )


# ---------------------------------------------------------------- state


def test_both_modalities_points_are_in_one_picture(seen, uneven):
    z = embed(uneven)
    expected = np.concatenate([z["rgb"]["inv"][:, :2], z["depth"]["inv"][:, :2]]) + 15
    np.testing.assert_allclose(seen.xy, expected, rtol=1e-6)
    assert len(seen.xy) == COUNT + COUNT * 3 // 4


def test_the_first_state_is_the_first_embedding_coloured_by_class(seen):
    assert (seen.embedding, seen.colour, seen.neighbors, seen.selection) == ("inv", "class", 15, ())
    assert re.match(
        r"\d+ % of the 15 nearest neighbours are the nearest in this picture too", seen.status
    )
    assert "Nothing is selected" in seen.images.value


def test_pictures_are_made_when_they_are_asked_for_and_once(seen, layouts):
    points = len(seen.points)
    first = seen.xy
    seen.embedding = "irr"
    assert not np.allclose(seen.xy, first)
    seen.neighbors = 5
    seen.neighbors = 15
    seen.embedding = "inv"
    np.testing.assert_array_equal(seen.xy, first)
    assert layouts == [(points, 15, 0), (points, 15, 0), (points, 5, 0)]


def test_it_says_that_it_is_computing_before_it_does(seen, monkeypatch):
    said = []
    seen.observe(lambda change: said.append(change["new"]), "status")
    monkeypatch.setattr(widgets, "project", lambda z, **_: said.append("project") or z[:, :2])
    seen.embedding = "inf"
    assert said[0] == "computing … (z_inf, 15 neighbours)"
    assert said[1] == "project"
    assert "% of the 15" in said[2]
    assert said[2] in html.unescape(seen.status_line.value)


def test_controls_and_state_are_tied_both_ways(seen):
    embedding, colour, neighbours = seen.view.children[0].children
    assert [label for label, _ in embedding.options] == ["z_inv", "z_inf", "z_irr"]
    assert [label for label, _ in colour.options][:3] == ["class", "modality", "right or wrong"]
    assert ("texture", "texture") in colour.options
    assert [value for _, value in neighbours.options] == [5, 15, 30, 50]
    embedding.value, colour.value = "inf", "texture"
    assert (seen.embedding, seen.colour) == ("inf", "texture")
    seen.colour = "modality"
    assert colour.value == "modality"


def test_fewer_points_offer_fewer_neighbours(layouts):
    few = scenes.make(9, size=8)
    seen = explorer(few, embed(few), neighbors=7)
    assert seen.choices["neighbors"] == [5, 7, 15]


def test_colours_follow_the_rows_of_each_modality(seen, uneven):
    for name in ("rgb", "depth"):
        for row in (0, 3, 20):
            sample = uneven.ids.tolist().index(uneven.modalities[name].ids[row])
            point = point_of(uneven, name, row)
            values = {key: np.asarray(held)[point] for key, held in seen.points.values.items()}
            assert values["class"] == uneven.classes[uneven.labels[sample]]
            assert values["modality"] == name
            assert values["right or wrong"] == ("wrong" if row < 3 else "right")
            assert values["illumination"] == uneven.factors["illumination"][sample]


@pytest.mark.parametrize("colour", ["class", "right or wrong", "illumination"])
def test_what_is_sent_to_the_page_are_the_marks(seen, colour):
    seen.colour = colour
    expected = marks(seen.points.values[colour])
    assert np.frombuffer(seen.scatter.code, np.uint16).tolist() == expected.code.tolist()
    assert seen.scatter.key["palette"] == expected.palette
    assert (seen.scatter.key["limits"] is None) == (colour != "illumination")
    assert np.frombuffer(seen.scatter.outline, np.uint16).tolist() == seen.points.modality.tolist()


# ---------------------------------------------------------------- selection


def test_a_selection_shows_its_samples_once(seen, uneven):
    row = 5
    same = uneven.modalities["rgb"].ids.tolist().index(uneven.modalities["depth"].ids[row])
    seen.select([point_of(uneven, "depth", row), 2, point_of(uneven, "rgb", same)])
    expected = [uneven.modalities["depth"].ids[row], uneven.modalities["rgb"].ids[2]]
    assert seen.ids == expected
    assert all(
        f"rgb {i}" in alternative(seen.images) and f"depth {i}" in alternative(seen.images)
        for i in expected
    )
    assert [point_of(uneven, "rgb", same), point_of(uneven, "depth", row)] in seen.scatter.links


def test_another_selection_is_another_image_and_none_is_none(seen):
    seen.select([1])
    first = pixels(seen.images)
    seen.select([2])
    assert first.shape == pixels(seen.images).shape
    assert not np.array_equal(first, pixels(seen.images))
    seen.select([])
    assert (seen.images.value, seen.nearest_images.value, seen.scatter.links) == (
        "Nothing is selected.",
        "",
        [],
    )


def test_a_click_in_the_page_is_a_selection(seen):
    seen.scatter.chosen = (7,)
    assert seen.selection == (7,)
    assert seen.points.data.ids[seen.points.sample[7]] in alternative(seen.images)
    seen.selection = (3, 4)
    assert seen.scatter.chosen == (3, 4)


def test_of_many_samples_the_first_are_shown_and_all_are_counted(seen):
    seen.select(range(20))
    assert len(seen.ids) == 20
    assert f"the first {SHOWN} of 20" in seen.images.value
    assert alternative(seen.images).count("rgb ") == SHOWN


def test_images_titles_and_predictions_are_those_of_the_sample(uneven):
    points = Points(uneven, embed(uneven))
    figure = Figure()
    points.draw(figure, points.across([0, 1]))
    (rgb_missing, rgb, depth_missing, depth), ids = figure.axes, uneven.ids
    place = uneven.modalities["depth"].ids.tolist().index(ids[1])
    np.testing.assert_array_equal(
        depth.images[0].get_array(), uneven.modalities["depth"].x[place, 0]
    )
    np.testing.assert_array_equal(
        rgb.images[0].get_array(), uneven.modalities["rgb"].x[1].transpose(1, 2, 0)
    )
    assert rgb.get_title() == f"{ids[1]}\n{uneven.classes[uneven.labels[1]]}"
    assert rgb.get_xlabel() == f"✗ {uneven.classes[(uneven.labels[1] + 1) % 9]}"
    assert depth.get_xlabel() == f"✓ {uneven.classes[uneven.labels[1]]}"
    assert (rgb_missing.get_ylabel(), depth_missing.get_ylabel(), depth.get_ylabel()) == (
        "rgb",
        "depth",
        "",
    )


def test_a_sample_that_a_modality_lacks_is_called_missing(uneven):
    points = Points(uneven, embed(uneven))
    figure = Figure()
    points.draw(figure, points.across([0, 1]))
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [
        [],
        [],
        ["missing"],
        [],
    ]
    assert points.of(0) == [0]
    assert len(points.of(1)) == 2


def test_images_are_scaled_by_the_bounds_of_the_split(layouts):
    test = scenes.make(330, size=8).split().test
    points = Points(test, embed(test))
    figure = Figure()
    points.draw(figure, points.across([4]))
    np.testing.assert_allclose(
        figure.axes[1].images[0].get_array(), np.clip(test.images("depth", [4])[0, 0], 0, 1)
    )


@pytest.mark.parametrize("points", [[-1], [0, COUNT + COUNT * 3 // 4]])
def test_points_that_are_not_there_are_refused(seen, points):
    with pytest.raises(DataError, match=rf"no point {points[-1]}; there are 0 to 76"):
        seen.select(points)
    assert seen.selection == ()


# ---------------------------------------------------------------- neighbours


@pytest.mark.parametrize("part", ["inv", "irr"])
@pytest.mark.parametrize(("name", "row", "other"), [("rgb", 4, "depth"), ("depth", 11, "rgb")])
def test_neighbours_equal_the_long_way_round(seen, uneven, part, name, row, other):
    z = embed(uneven)
    query, search = z[name][part][row], z[other][part]
    similar = search @ query / np.linalg.norm(search, axis=1) / np.linalg.norm(query)
    expected = uneven.modalities[other].ids[np.argsort(-similar)[:5]].tolist()
    seen.embedding = part
    point = point_of(uneven, name, row)
    assert seen.nearest(point) == {other: expected}
    seen.select([point, 0])
    said = alternative(seen.nearest_images)
    assert (
        re.findall(rf"{other} ([\w-]+)", said.partition("; rgb" if name == "rgb" else "; depth")[2])
        == expected
    )
    assert f"z_{part}" in said


def test_three_modalities_search_the_two_others(layouts):
    data = scenes.make(30, size=8, modalities=("rgb", "depth", "thermal"))
    seen = explorer(data, embed(data))
    assert list(seen.nearest(35)) == ["rgb", "thermal"]
    seen.select([35])
    assert len(seen.scatter.links) == 2
    seen.figure().canvas.draw()


def test_one_modality_has_nobody_to_search(layouts):
    data = scenes.make(30, size=8, modalities=("rgb",))
    seen = explorer(data, embed(data))
    seen.select([3])
    assert seen.nearest(3) == {}
    assert "<img" in seen.images.value
    assert seen.nearest_images.value == ""


def test_the_own_pair_is_marked(uneven):
    held = embed(uneven)
    sample = 1
    place = uneven.modalities["depth"].ids.tolist().index(uneven.ids[sample])
    held["depth"]["inv"][place] = 3 * held["rgb"]["inv"][sample]
    (own, first, second, *_), *_ = Points(uneven, held).around(sample, "inv")
    assert own[:2] == (0, sample)
    assert first[:2] == (1, sample)
    assert first[2].startswith("= ")
    assert not second[2].startswith("= ")


# ---------------------------------------------------------------- pages without widgets


def test_the_figure_shows_the_same_state(seen):
    plain = seen.figure()
    seen.select([1, 2])
    figure = seen.figure()
    figure.canvas.draw()
    axis = figure.axes[0]
    assert "z_inv by class, 15 neighbours (rgb filled, depth outlined)" in axis.get_title()
    np.testing.assert_allclose(axis.collections[-1].get_offsets(), seen.xy[[1, 2]])
    drawn = np.concatenate([held.get_offsets() for held in axis.collections[:-1]])
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, seen.xy.astype(float)))
    assert len(figure.axes) > len(plain.axes)
    seen.colour = "illumination"
    seen.figure().canvas.draw()


def test_pages_that_run_no_widgets_get_the_picture(seen):
    bundle = seen._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("Explorer of")


def test_the_warning_is_part_of_the_view(seen):
    assert any(
        "Distances between clusters" in getattr(child, "value", "") for child in seen.view.children
    )


# ---------------------------------------------------------------- what cannot be drawn


def test_too_few_samples_are_counted():
    few = scenes.make(9, size=8, modalities=("rgb",))
    with pytest.raises(DataError, match="9 rows are too few for neighbors=15"):
        explorer(few, embed(few))


def test_an_embedding_that_cannot_be_laid_out_is_named_and_the_picture_stays(seen, monkeypatch):
    monkeypatch.setattr(widgets, "project", project)
    before = seen.xy
    seen.points.z["irr"] = np.ones_like(seen.points.z["irr"])
    seen.embedding = "irr"
    assert "no unit varies" in seen.status
    assert "still the last one" in seen.status
    np.testing.assert_array_equal(seen.xy, before)


@pytest.mark.parametrize(
    ("name", "value"), [("embedding", "all"), ("colour", "weather"), ("neighbors", 1000)]
)
def test_what_is_not_offered_is_refused_and_nothing_changes(seen, name, value):
    before = getattr(seen, name)
    with pytest.raises(DataError, match=f"{name}={value!r} is not offered; choose one of"):
        setattr(seen, name, value)
    assert getattr(seen, name) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: held.clear(), r"embeddings of \[\]; the data has \['rgb', 'depth'\]"),
        (lambda held: held.update(thermal=held["rgb"]), r"\['rgb', 'depth', 'thermal'\]"),
        (lambda held: held["depth"].pop("logits"), "depth has no logits"),
        (lambda held: held["depth"].pop("irr"), "depth has no irr"),
        (
            lambda held: [
                part.pop(name) for part in held.values() for name in ("inv", "inf", "irr")
            ],
            "logits alone",
        ),
        (
            lambda held: held["depth"].update(inv=np.zeros((4, 6))),
            r"depth/inv has shape \(4, 6\); \(33, 6\) would",
        ),
        (
            lambda held: held["depth"].update(inv=np.zeros((33, 5))),
            r"depth/inv has shape \(33, 5\); \(33, 6\) would",
        ),
        (
            lambda held: held["rgb"].update(logits=np.zeros((44, 4))),
            r"logits has shape \(44, 4\); \(44, 9\) would",
        ),
        (lambda held: held["rgb"].update(inf=np.full((44, 6), np.nan)), "rgb/inf has NaN"),
    ],
)
def test_embeddings_that_do_not_fit_the_data_are_named(uneven, layouts, change, message):
    held = embed(uneven)
    change(held)
    with pytest.raises(DataError, match=message):
        explorer(uneven, held)


def test_a_real_map_of_both_modalities(uneven):
    seen = explorer(uneven, embed(uneven), neighbors=5)
    again = explorer(uneven, embed(uneven), neighbors=5)
    np.testing.assert_array_equal(seen.xy, again.xy)
