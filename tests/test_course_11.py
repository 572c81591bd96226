"""Notebook 11: checkers that refuse likely wrong answers, the folder that it reads, pictures."""

import numpy as np
import pytest
import torch
from fixtures.refusal import answers_with, refused

from checks import exercises_11
from discom.data import read_folders, scenes
from pictures import groups
from rooms import write_rooms

pytestmark = pytest.mark.usefixtures("clean_slate")  # of pictures


def decide(low, high, worth):
    return "both" if low > worth else "one" if high < worth else "label more"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (decide, ""),
        (lambda low, high, worth: None, "return one of"),
        (lambda low, high, worth: low > worth, "return one of"),
        (lambda low, high, worth: decide(low, high, 0), "nothing is worth 3 points"),
        (lambda low, high, worth: decide(low, high, 3), "`worth` decides"),
        (lambda low, high, worth: "both" if low + high > 2 * worth else "one", "or not"),
        (lambda low, high, worth: "both" if high > worth else "one", "or not"),
    ],
)
def test_an_interval_decides(answer, problem):
    assert answers_with(exercises_11.first(answer), problem)


def drop(images, *, each=True, both=False, copies=True, whole=True):
    n = len(next(iter(images.values())))
    choice = torch.randint(3, (n if each else 1,)).expand(n)
    images = images if not copies else {name: x.clone() for name, x in images.items()}
    for place, (name, x) in enumerate(images.items()):
        gone = (choice == (0 if both else place))[:, None, None, None]
        images[name] = x * ~gone if whole else x * (1 - 0.5 * gone.float())
    return images


def in_place(images):
    for place, x in enumerate(images.values()):
        x[place::3] = 0
    return images


def every_third(images):
    return {name: x * (torch.arange(len(x)) % 3 != k)[:, None, None, None]
            for k, (name, x) in enumerate(images.items())}  # fmt: skip


def half(images):
    gone = (torch.rand(len(images["a"])) < 0.5)[:, None, None, None]
    return {"a": images["a"] * gone, "b": images["b"] * ~gone}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (drop, ""),
        (lambda images: None, "both sensors, by their names"),
        (lambda images: drop(images, each=False), "not for the batch"),
        (lambda images: drop(images, both=True), "never both"),
        (lambda images: drop(images, whole=False), "keeps all its pixels"),
        (lambda images: {name: x[:10] for name, x in images.items()}, "keeps its shape"),
        (in_place, "those given are changed"),
        (every_third, "at random"),
        (half, "a third each"),
    ],
)
def test_a_sensor_is_dropped_at_random(answer, problem):
    assert answers_with(exercises_11.second(answer), problem)


MINE = {"low": 4.0, "high": 9.0, "worth": 3.0, "verdict": "both"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"verdict": None}, "enter low, high"),
        ({"verdict": "one"}, "says: both"),
        ({"low": 1.0}, "says: label more"),
        ({"low": 9.0, "high": 4.0}, "lower end"),
        ({"low": 10.02, "high": 17.0}, "set `folder`"),
    ],
)
def test_a_verdict_on_images_of_ones_own(change, problem):
    assert answers_with(exercises_11.third(MINE | change, (10.0, 17.0)), problem)


def test_rooms_are_written_as_a_person_would(tmp_path):
    drawn = scenes.objects.make(n=240, size=8)
    names = write_rooms(tmp_path, drawn, seed=1, rooms=12, pairs=120)
    own = read_folders(tmp_path, invalid={"depth": 0}, groups="(.+)_[0-9]+")
    depth, colour = own.modalities["depth"].x, own.modalities["colour"].x
    assert (len(names), len(own), len(set(own.groups))) == (120, 120, 12)
    assert (depth.dtype, colour.dtype) == (np.uint16, np.uint8)
    assert np.bincount((own.labels >= 0).astype(int)).tolist() == [84, 36]
    labelled = [one for one in own.ids if not one.startswith("unlabelled")]
    of = {f"room{k // 10 + 1:02}_{k % 10:03}": name for k, name in enumerate(names)}
    assert all(of[one.partition("/")[2]] == one.partition("/")[0] for one in labelled)
    levels = {room: depth[own.groups == room].max() for room in set(own.groups)}
    odd = levels.pop("room08")
    assert odd < 310 < 1200 < min(levels.values())  # centimetres among millimetres
    assert refused(lambda: write_rooms(tmp_path, drawn.select(["rgb"])), "rgb and depth")


def test_differences_are_drawn_with_their_mean_and_interval():
    points = {"unclear": np.array([-3.0, 1.0, 2.0, 4.0]), "clear": np.arange(5.0, 9.0)}
    axis = groups.plot_differences(points, "title").axes[0]
    assert [text.get_text() for text in axis.texts] == ["+1 [-4, +6]", "+6 [+4, +9]"]
    bars = [bar.get_segments()[0][:, 0] for bar in axis.collections if hasattr(bar, "get_segments")]
    assert [bar.mean().round(1) for bar in bars] == [1.0, 6.5]


def test_pairs_of_each_group_are_drawn_on_one_scale():
    images = {"colour": torch.rand(6, 3, 4, 4), "depth": torch.full((6, 1, 4, 4), 500.0)}
    images["depth"][0], images["depth"][5, 0, 0, 0] = 100, 0
    figure = groups.show_groups(images, {"a": [0, 1, 2], "b": [5]}, "title")
    shown = [axis.images[0].get_array() for axis in figure.axes]
    assert len(shown) == 8
    assert np.ma.max(shown[4]) == np.ma.max(shown[7]) == 1  # 500 is bright in both groups
    assert shown[7].mask.sum() == 1  # what was not measured is white
