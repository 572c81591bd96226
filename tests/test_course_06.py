"""Notebook 06: checkers that refuse likely wrong answers, its map, its pictures."""

import base64
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import answers_with
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

import course
from checks import exercises_06
from pictures import embeddings

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def erase(z, direction):
    unit = direction / direction.norm()
    return z - (z @ unit)[:, None] * unit


def one_by_one(z, directions):
    for direction in directions:
        z = erase(z, direction)
    return z


def erase_all(z, directions):
    return one_by_one(z, torch.linalg.qr(directions.T).Q.T)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (erase_all, ""),
        (lambda z, directions: None, "return vectors"),
        (one_by_one, "a share in one"),
        (lambda z, directions: erase(z, directions.sum(0)), "a share in one"),
        (lambda z, directions: torch.zeros_like(z), "must stay"),
    ],
)
def test_several_directions_are_erased(answer, problem):
    assert answers_with(exercises_06.first(answer), problem)


def carried(z, labels, *, own=False, fitted=0, scored=1, half=True):
    rows = len(z) // 2
    middle = [z[:rows, k].mean(0) if own else z[:rows, fitted].mean(0) for k in (0, 1)]
    spread = [z[:rows, k].std(0) if own else z[:rows, fitted].std(0) for k in (0, 1)]
    units = [(z[:, k] - middle[k]) / spread[k] for k in (0, 1)]
    means = torch.stack([units[fitted][:rows][labels[:rows] == k].mean(0) for k in range(3)])
    nearest = torch.cdist(units[scored], means).argmin(1) == labels
    return 100 * (nearest[rows:] if half else nearest).float().mean().item()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, ""),
        ({"scored": 0}, "it names other classes there"),
        ({"fitted": 1}, "it names other classes there"),
        ({"own": True}, "not its own"),
        ({"half": False}, "not fitted on"),
    ],
)
def test_a_class_probe_is_carried(wrong, problem):
    assert answers_with(exercises_06.second(lambda *given: carried(*given, **wrong)), problem)


def test_a_carried_score_is_a_number_in_percent():
    assert answers_with(exercises_06.second(lambda z, labels: None), "return a number")
    share = exercises_06.second(lambda z, labels: carried(z, labels) / 100)
    assert answers_with(share, "100 %, not 1")


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        ({"with adv": 100.0, "without adv": 99.0}, ""),
        ({"with adv": 100.0}, "set both"),
        ({"with adv": 100.0, "without adv": None}, "set both"),
        ({"with adv": 1.0, "without adv": 0.99}, "guessing gets 50 %"),
    ],
)
def test_scores_of_the_open_exercise(scores, problem):
    assert answers_with(exercises_06.third(scores), problem)


@pytest.fixture
def part():
    torch.manual_seed(0)
    images = {"rgb": torch.rand(6, 3, 8, 8), "depth": torch.rand(6, 1, 8, 8)}
    images["depth"][2, 0, 0, 0] = 0  # a hole
    labels, classes = torch.arange(6) % 2, ["disk/wood", "disk/metal"]
    factors = {"shape": torch.arange(6) % 3}
    return SimpleNamespace(images=images, labels=labels, classes=classes, factors=factors)


def test_a_point_shows_its_scene_in_both_sensors(part):
    address = embeddings.picture(part, 2)
    file = io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))
    pixels = np.asarray(Image.open(file))[::4, ::4, :3] / 255
    assert pixels.shape == (8, 16, 3)
    np.testing.assert_allclose(pixels[:, :8].transpose(2, 0, 1), part.images["rgb"][2], atol=0.01)
    assert pixels[0, 8].tolist() == [1, 1, 1]


def test_the_map_knows_sensor_class_and_picture_of_each_point(part):
    xy = np.random.default_rng(0).random((12, 2))
    plot = embeddings.explore(xy, part)
    points = plot._data
    assert points["sensor"].tolist() == ["colour"] * 6 + ["depth"] * 6
    assert points["class"].tolist() == ["disk/wood", "disk/metal"] * 6
    assert points["image"].tolist() == [embeddings.picture(part, k) for k in range(6)] * 2
    colours = dict(zip(points["sensor"].cat.categories, plot.color()["map"], strict=True))
    assert plot.color()["by"] == "sensor"
    assert {name: to_hex(colour) for name, colour in colours.items()} == embeddings.NAMED
    shown = plot.tooltip()
    assert (shown["preview"], shown["preview_type"]) == ("image", "image")


def test_a_point_has_the_hue_of_its_sensor_and_the_shade_of_its_shape(part):
    xy = np.arange(24.0).reshape(12, 2)
    maps = {("loss", name): xy for name in ("inv", "inf", "irr")}
    points = embeddings.plot_maps(maps, part, "title").axes[0].collections[0]
    places, colours = np.asarray(points.get_offsets()), points.get_facecolors()
    own = {tuple(place): colour[:3] for place, colour in zip(places, colours, strict=True)}
    for sensor, colour in enumerate(embeddings.NAMED.values()):
        for scene in range(6):
            shade = embeddings.shades(colour)[scene % 3]
            np.testing.assert_allclose(own[tuple(xy[6 * sensor + scene])], shade)
        np.testing.assert_allclose(embeddings.shades(colour)[1], to_rgb(colour))


def test_curves_are_those_given_and_end_where_nothing_more_is_erased():
    tables = {"of the probe": [100, 80, 70], "between the means": [100, 50]}
    curves = {name: pd.DataFrame({"which sensor": own}) for name, own in tables.items()}
    curves = {name: own.assign(**{"class, depth": 60}) for name, own in curves.items()}
    figure = embeddings.plot_erased(curves, "title")
    drawn = [[line.get_ydata().tolist() for line in axis.lines[:2]] for axis in figure.axes]
    assert drawn == [[*tables.values()], [[60, 60, 60], [60, 60]]]


def test_the_table_of_the_course_has_the_means_of_stored_probes(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    table = course.results("06")["right, %"]
    assert table["sensor, from inv"].to_dict() == {"untrained": 100, "DisCoM-KD": 100, "MDiCo": 80}
    assert table["depth's class, from irr"].to_dict() == {
        "untrained": 16,
        "DisCoM-KD": 74,
        "MDiCo": 70,
    }


def test_a_cut_along_a_direction_is_right_until_all_of_it_is_erased():
    z = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    z[1::2, 0] += 9  # the second sensor
    for share, right in ((0.0, 100), (0.95, 100), (1.0, 50)):
        axis = embeddings.plot_along(z, torch.tensor([2.0, 0.0, 0.0]), share).axes[0]
        assert axis.get_title().endswith(f"a cut names {right} % rightly")
        heights = [bar.get_height() for bar in axis.patches]
        assert sum(heights) == 400
