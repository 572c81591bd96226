"""Notebook 06: checkers that refuse likely wrong answers, its map, its pictures."""

import base64
import io
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fixtures.refusal import each_answer
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from checks import exercises_06
from pictures import embeddings


def erase(z, direction):
    unit = direction / direction.norm()
    return z - (z @ unit)[:, None] * unit


def one_by_one(z, directions):
    for direction in directions:
        z = erase(z, direction)
    return z


def erase_all(z, directions):
    return one_by_one(z, torch.linalg.qr(directions.T).Q.T)


def carried(z, labels, *, own=False, fitted=0, scored=1, half=True):
    rows = len(z) // 2
    middle = [z[:rows, k].mean(0) if own else z[:rows, fitted].mean(0) for k in (0, 1)]
    spread = [z[:rows, k].std(0) if own else z[:rows, fitted].std(0) for k in (0, 1)]
    units = [(z[:, k] - middle[k]) / spread[k] for k in (0, 1)]
    means = torch.stack([units[fitted][:rows][labels[:rows] == k].mean(0) for k in range(3)])
    nearest = torch.cdist(units[scored], means).argmin(1) == labels
    return 100 * (nearest[rows:] if half else nearest).float().mean().item()


ERASE, CARRY, SCORES = exercises_06.first, exercises_06.second, exercises_06.third
ANSWERS = [
    (ERASE, erase_all, ""),
    (ERASE, lambda z, directions: None, "return vectors"),
    (ERASE, one_by_one, "a share in one"),
    (ERASE, lambda z, directions: erase(z, directions.sum(0)), "a share in one"),
    (ERASE, lambda z, directions: torch.zeros_like(z), "must stay"),
    (CARRY, carried, ""),
    (CARRY, partial(carried, scored=0), "it names other classes there"),
    (CARRY, partial(carried, fitted=1), "it names other classes there"),
    (CARRY, partial(carried, own=True), "not its own"),
    (CARRY, partial(carried, half=False), "not fitted on"),
    (CARRY, lambda z, labels: None, "return a number"),
    (CARRY, lambda *given: carried(*given) / 100, "100 %, not 1"),
    (SCORES, {"with adv": 100.0, "without adv": 99.0}, ""),
    (SCORES, {"with adv": 100.0}, "set both"),
    (SCORES, {"with adv": 100.0, "without adv": None}, "set both"),
    (SCORES, {"with adv": 1.0, "without adv": 0.99}, "guessing gets 50 %"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


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


def test_a_cut_along_a_direction_is_right_until_all_of_it_is_erased():
    z = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    z[1::2, 0] += 9  # the second sensor
    for share, right in ((0.0, 100), (0.95, 100), (1.0, 50)):
        axis = embeddings.plot_along(z, torch.tensor([2.0, 0.0, 0.0]), share).axes[0]
        assert axis.get_title().endswith(f"a cut names {right} % rightly")
        assert sum(bar.get_height() for bar in axis.patches) == 400
