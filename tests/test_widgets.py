"""The explorer without a browser: its state, and what it shows of a selection."""

import base64
import io
import re

import matplotlib.image
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure

import discom.explorer as module
from discom.data import MultiModalData, scenes
from discom.errors import DataError
from discom.explorer import SHOWN, Explorer, Points

COUNT = 44
PARTS = ("inv", "inf", "irr")


def embed(data: MultiModalData, wrong: int = 3) -> dict:
    """Random embeddings; logits that are right but for the first samples of each modality."""
    rng, embedded = np.random.default_rng(0), {}
    for name, modality in data.modalities.items():
        answers = modality.y.copy()
        answers[:wrong] = (answers[:wrong] + 1) % len(data.classes)
        parts = {part: rng.normal(size=(len(answers), 6)).astype(np.float32) for part in PARTS}
        embedded[name] = {**parts, "logits": np.eye(len(data.classes))[answers]}
    return embedded


@pytest.fixture(scope="module")
def uneven():
    """Depth lacks every fourth scene and comes in another order."""
    whole = scenes.make(COUNT, size=8)
    rgb, depth = whole.modalities.values()
    rows = np.flatnonzero(np.arange(COUNT) % 4)[::-1]
    modalities = {"rgb": rgb, "depth": depth.take(rows)}
    return MultiModalData(modalities, whole.classes, factors=whole.factors)


@pytest.fixture
def layouts(monkeypatch):
    """Positions without UMAP: what was asked for, in order."""
    asked = []

    def project(z, *, neighbors, seed):
        asked.append((len(z), neighbors, seed))
        return z[:, :2] + neighbors

    monkeypatch.setattr(module, "project", project)
    return asked


@pytest.fixture
def shown(uneven, layouts):
    return Explorer(uneven, embed(uneven))


def image(data_uri: str) -> np.ndarray:
    content = base64.b64decode(re.search(r'base64,([^"]*)', data_uri)[1])
    return matplotlib.image.imread(io.BytesIO(content))


# ---------------------------------------------------------------- the picture


def test_points_of_both_modalities_are_laid_out_once(shown, uneven, layouts):
    z, points = embed(uneven), COUNT + COUNT * 3 // 4
    expected = np.concatenate([z["rgb"]["inv"][:, :2], z["depth"]["inv"][:, :2]]) + 15
    np.testing.assert_allclose(shown.xy, expected)
    shown.embedding.value = "irr"
    assert not np.allclose(shown.xy, expected)
    shown.neighbors.value = 5
    shown.neighbors.value = 15
    shown.embedding.value = "inv"
    np.testing.assert_allclose(shown.xy, expected)
    assert layouts == [(points, 15, 0), (points, 15, 0), (points, 5, 0)]
    assert re.match(r"\d+ % of the 15 nearest neighbours are near here too", shown.status.value)


def test_controls_offer_parts_colours_and_neighbours(shown, layouts):
    assert shown.embedding.options == (("z_inv", "inv"), ("z_inf", "inf"), ("z_irr", "irr"))
    assert shown.colour.options[:3] == ("class", "right or wrong", "modality")
    assert "texture" in shown.colour.options
    assert shown.neighbors.options == (5, 15, 30, 50)
    few = scenes.make(9, size=8)
    assert Explorer(few, embed(few), neighbors=7).neighbors.options == (5, 7, 15)
    for control, value in ((shown.embedding, "all"), (shown.neighbors, 1000)):
        with pytest.raises(traitlets.TraitError):
            control.value = value


def test_values_follow_the_rows_of_each_modality(shown, uneven):
    points = shown.points
    for name, first in (("rgb", 0), ("depth", COUNT)):
        for row in (0, 3, 20):
            sample = uneven.ids.tolist().index(uneven.modalities[name].ids[row])
            values = {key: np.asarray(column)[first + row] for key, column in points.values.items()}
            assert values["class"] == uneven.classes[uneven.labels[sample]]
            assert values["modality"] == points.names[first + row] == name
            assert values["right or wrong"] == ("wrong" if row < 3 else "right")
            assert values["illumination"] == uneven.factors["illumination"][sample]


def test_each_place_in_the_picture_is_painted(shown):
    """The page finds a point where the picture shows one, in half the picture's pixels."""
    for colour in ("class", "illumination"):
        shown.colour.value = colour
        picture = image(shown.scatter.picture)[..., :3]
        assert picture.shape[:2] == (800, 1200)
        places = np.array(shown.scatter.places)
        assert len(places) == len(shown.xy)
        columns, rows = np.round(2 * places).astype(int).T
        assert (np.ptp(picture[rows, columns], axis=1) > 0.05).mean() > 0.9  # few colours are grey
        assert shown.scatter.label == f"77 points in z_inv, coloured by {colour}"


# ---------------------------------------------------------------- the selection


def test_a_click_in_the_page_is_a_selection(shown, uneven):
    assert shown.images.value == "Nothing is selected."
    row = 5
    same = uneven.modalities["rgb"].ids.tolist().index(uneven.modalities["depth"].ids[row])
    shown.scatter.chosen = [COUNT + row, 2, same]
    assert shown.ids == [uneven.modalities["depth"].ids[row], uneven.modalities["rgb"].ids[2]]
    assert [same, COUNT + row] in shown.scatter.links
    first = image(shown.images.value)
    shown.select([1])
    assert not np.array_equal(first, image(shown.images.value))
    shown.select([])
    assert (shown.images.value, shown.scatter.links) == ("Nothing is selected.", [])


def test_of_many_samples_the_first_are_shown(shown):
    shown.select(range(20))
    assert len(shown.ids) == 20
    assert f"Selected: 20, at most {SHOWN} shown" in shown.images.value
    assert [len(line) for line in shown._grid()] == [SHOWN, SHOWN, 5]


def test_images_titles_and_answers_are_those_of_the_sample(layouts):
    test = scenes.make(330, size=8).split().test  # with bounds
    rgb, depth = test.modalities.values()
    test = test.having({"rgb": rgb, "depth": depth.take(np.arange(1, len(depth.ids)))})
    points, figure = Points(test, embed(test)), Figure()
    points.draw(figure, [[("rgb", 4, "a"), ("depth", 0, "b")], [("depth", 4, "c")]])
    axes = figure.axes
    bands = np.clip(test.images("rgb", [4])[0], 0, 1)
    np.testing.assert_allclose(axes[0].images[0].get_array(), bands.transpose(1, 2, 0))
    np.testing.assert_allclose(axes[2].images[0].get_array(), test.images("depth", [3])[0, 0])
    assert [text.get_text() for text in axes[1].texts] == ["missing"]
    assert axes[0].get_title() == "rgb\na"
    assert axes[0].get_xlabel() == f"✓ {test.classes[test.labels[4]]}"
    points.draw(figure := Figure(), [[("rgb", 0, "")]])
    assert figure.axes[0].get_xlabel() == f"✗ {test.classes[(test.labels[0] + 1) % 9]}"


@pytest.mark.parametrize("part", ["inv", "irr"])
@pytest.mark.parametrize(("name", "row", "other"), [("rgb", 4, "depth"), ("depth", 11, "rgb")])
def test_neighbours_equal_the_long_way_round(uneven, part, name, row, other):
    z = embed(uneven)
    query, search = z[name][part][row], z[other][part]
    similar = search @ query / np.linalg.norm(search, axis=1) / np.linalg.norm(query)
    expected = uneven.modalities[other].ids[np.argsort(-similar)[:5]]
    nearest = Points(uneven, z).near(row + COUNT * (name == "depth"), part)
    assert list(nearest) == [other]
    assert uneven.ids[nearest[other]].tolist() == expected.tolist()


@pytest.mark.parametrize("modalities", [("rgb",), ("rgb", "depth", "thermal")])
def test_one_modality_or_three(layouts, modalities):
    data = scenes.make(30, size=8, modalities=modalities)
    shown = Explorer(data, embed(data))
    shown.select([3])
    assert len(shown.scatter.links) == len(modalities) - 1
    assert len(shown._grid()) == 2 * len(modalities) - 1


def test_pages_that_run_no_widgets_get_the_same_state_as_a_picture(shown):
    alone = len(shown.figure().axes)
    shown.select([1, 2])
    figure = shown.figure()
    figure.canvas.draw()
    np.testing.assert_allclose(figure.axes[0].collections[-1].get_offsets(), shown.xy[[1, 2]])
    assert len(figure.axes) > alone
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"


# ---------------------------------------------------------------- bad input, and a real layout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z: z.clear(), "no embedding was given"),
        (lambda z: z.update(thermal=z["rgb"]), r"thermal/.* for each of \['rgb', 'depth'\]"),
        (lambda z: z["depth"].pop("logits"), r"depth/logits has shape \(0,\); give 33"),
        (lambda z: z["depth"].pop("irr"), r"depth/irr has shape \(0,\); give 33 finite rows"),
        (lambda z: z["depth"].update(inv=np.zeros((4, 6))), r"depth/inv has shape \(4, 6\)"),
        (lambda z: z["rgb"].update(inf=np.full((44, 6), np.nan)), "rgb/inf .* give 44 finite"),
    ],
)
def test_embeddings_that_do_not_fit_the_data_are_named(uneven, change, message):
    embedded = embed(uneven)
    change(embedded)
    with pytest.raises(DataError, match=message):
        Explorer(uneven, embedded)


def test_an_embedding_that_cannot_be_laid_out_leaves_the_picture(shown, monkeypatch):
    before, picture = shown.xy, shown.scatter.picture

    def refuse(z, **_):
        raise DataError("project: no unit varies")

    monkeypatch.setattr(module, "project", refuse)
    shown.embedding.value = "irr"
    assert shown.status.value == "project: no unit varies; the picture is still the last one"
    np.testing.assert_array_equal(shown.xy, before)
    assert shown.scatter.picture == picture


@pytest.mark.slow
def test_a_real_layout_is_the_same_again(uneven):
    both = [Explorer(uneven, embed(uneven), neighbors=5).xy for _ in range(2)]
    np.testing.assert_array_equal(*both)
    with pytest.raises(DataError, match="77 rows are too few for neighbors=90"):
        Explorer(uneven, embed(uneven), neighbors=90)
