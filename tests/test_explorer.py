"""The explorer without a browser: its state, and what it shows of a selection."""

import re

import numpy as np
import pytest

import explorer as module
from discom.data import MultiModalData, scenes
from discom.errors import DataError
from explorer import SHOWN, Explorer

COUNT = 44
PARTS = ("inv", "inf", "irr")


def embed(data: MultiModalData, wrong: int = 3) -> dict:
    """Random embeddings; logits that are right but for the first samples of each modality."""
    rng, embedded = np.random.default_rng(0), {}
    for name, modality in data.modalities.items():
        predicted = modality.y.copy()
        predicted[:wrong] = (predicted[:wrong] + 1) % len(data.classes)
        parts = {part: rng.normal(size=(len(predicted), 6)).astype(np.float32) for part in PARTS}
        embedded[name] = {**parts, "logits": np.eye(len(data.classes))[predicted]}
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

    def project(z, *, seed):
        asked.append((len(z), seed))
        return z[:, :2] + 15

    monkeypatch.setattr(module, "project", project)
    return asked


@pytest.fixture
def shown(uneven, layouts):
    return Explorer(uneven, embed(uneven))


def test_each_embedding_is_laid_out_once(shown, uneven, layouts):
    z, points = embed(uneven), COUNT + COUNT * 3 // 4
    expected = np.concatenate([z["rgb"]["inv"][:, :2], z["depth"]["inv"][:, :2]]) + 15
    np.testing.assert_allclose(shown.xy, expected)
    shown.embedding.value = "irr"
    assert not np.allclose(shown.xy, expected)
    shown.embedding.value = "inv"
    np.testing.assert_allclose(shown.xy, expected)
    assert layouts == [(points, 0)] * 2
    assert re.match(r"\d+ % of the 15 nearest neighbours are near here too", shown.status.value)
    assert shown.embedding.options == (("z_inv", "inv"), ("z_inf", "inf"), ("z_irr", "irr"))


def test_points_follow_the_rows_of_each_modality(shown, uneven):
    assert shown.colour.options[:3] == ("class", "right or wrong", "modality")
    for name, first in (("rgb", 0), ("depth", COUNT)):
        for row in (0, 3, 20):
            sample = uneven.ids.tolist().index(uneven.modalities[name].ids[row])
            point = shown.points.iloc[first + row]
            assert point["class"] == uneven.classes[uneven.labels[sample]]
            assert point["modality"] == name
            assert point["right or wrong"] == ("wrong" if row < 3 else "right")
            assert point["illumination"] == uneven.factors["illumination"][sample]


def test_a_click_and_a_lasso_choose_the_points_that_the_picture_shows_there(shown):
    x, y = shown.places[7]
    shown.scatter.path = [[x + 0.2, y]]
    assert shown.chosen == [7]
    shown.scatter.path = [[0, 0], [900, 0], [900, 400], [0, 400]]
    assert shown.chosen == list(range(77))
    assert shown.status.value.endswith(f"Selected: {COUNT}")  # samples, in one or two modalities
    shown.scatter.path = [[899, 1]]  # beside every point
    assert shown.chosen == []
    assert shown.scatter.label == "77 points in z_inv, coloured by class"
    shown.colour.value = "illumination"
    assert shown.scatter.label == "77 points in z_inv, coloured by illumination"


def test_the_selection_shows_its_images_predictions_and_neighbours(shown, uneven):
    shown.select([COUNT + 11, 2, 4])  # rows 2 and 4 of RGB; depth lacks 4
    top, *rows = shown.figure().subfigs
    np.testing.assert_allclose(
        top.axes[0].collections[-1].get_offsets(), shown.xy[[COUNT + 11, 2, 4]]
    )
    assert [len(row.axes) for row in rows] == [3, 3, 5]
    first = uneven.modalities["depth"].ids[11]
    assert rows[0].axes[0].get_title() == rows[1].axes[0].get_title() == str(first)
    assert [text.get_text() for text in rows[1].axes[2].texts] == ["missing"]
    place = uneven.modalities["rgb"].ids.tolist().index(first)
    image = np.clip(uneven.images("rgb", [place])[0], 0, 1).transpose(1, 2, 0)
    np.testing.assert_allclose(rows[0].axes[0].images[0].get_array(), image)
    labels = uneven.modalities["rgb"].y
    assert rows[0].axes[1].get_xlabel() == f"✗ {uneven.classes[(labels[2] + 1) % 9]}"
    assert rows[0].axes[2].get_xlabel() == f"✓ {uneven.classes[labels[4]]}"
    z = embed(uneven)
    query, others = z["depth"]["inv"][11], z["rgb"]["inv"]
    similar = others @ query / np.linalg.norm(others, axis=1)
    expected = uneven.modalities["rgb"].ids[np.argsort(-similar)[:5]]
    assert [axis.get_title() for axis in rows[2].axes] == [str(sample) for sample in expected]
    shown.select(range(20))
    assert [len(row.axes) for row in shown.figure().subfigs[1:]] == [SHOWN, SHOWN, 5]


def test_points_without_a_label_are_neither_right_nor_wrong(uneven, layouts):
    few = uneven.keep_labels(0.4, seed=0)
    hidden = np.flatnonzero(few.labels < 0)
    shown = Explorer(few, embed(uneven))
    shown.select([0, int(hidden[0])])
    told = shown.points["right or wrong"].to_numpy()[:COUNT]  # of RGB, which has every scene
    assert np.array_equal(np.flatnonzero(told == "unlabelled"), hidden)


def test_embeddings_of_another_length_are_named(uneven):
    embedded = embed(uneven)
    embedded["depth"]["inv"] = np.zeros((4, 6))
    with pytest.raises(DataError, match=r"depth has {'inv': \(4, 6\)}; give 33 rows"):
        Explorer(uneven, embedded)
