"""The course: the form of a notebook, scenes, and what pictures and tables compute of them."""

import base64
import io
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import jupytext
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex, to_rgba
from PIL import Image

import course
from pictures import embeddings, method, preparation, segments, sorting, watch, wristband

COURSE = sorted((Path(__file__).parents[1] / "notebooks/py").glob("??_*.py"))


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_lines_of_code_fit_beside_the_file_browser(path):
    cells = jupytext.read(path, fmt="py:percent").cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert max(len(line) for source in code for line in source.splitlines()) <= 88


# ---------------------------------------------------------------- scenes and code


@pytest.fixture(scope="module")
def parts():
    return course.scenes("objects:n=900,size=16", seed=1)


def test_scenes_are_divided_once_and_hold_what_the_pictures_need(parts):
    train, test = parts
    assert len(train.labels) == len(test.labels) == 360
    assert train.images["rgb"].shape == (360, 3, 16, 16)
    assert not torch.equal(train.images["depth"], test.images["depth"])
    values = course.factors(test)
    assert list(values) == ["shape", "material", "size", "distance", "tilt"]
    assert torch.equal(values["shape"].argmax(1) * 3 + values["material"].argmax(1), test.labels)
    far = [row for row, name in course.queries(test).items() if name.endswith(", far")]
    assert [test.factors["far"][row].item() for row in far] == [1]
    assert sum(chosen.sum() for chosen in course.kinds(test).values()) < 360  # not dark and far


def test_two_scenes_of_a_fact_differ_where_a_sensor_sees_it():
    pairs, facts = course.fact_pairs()
    seen = {}
    for fact, (first, second) in facts.items():
        for sensor, images in pairs.images.items():
            seen[fact, sensor] = not torch.equal(images[first], images[second])
    blind = [("material, in the dark", "rgb"), ("material, far away", "depth")]
    blind += [("light", "depth"), ("distance of the wall", "rgb")]
    assert [key for key, differs in seen.items() if not differs] == blind


def test_scenes_with_masks_hold_what_colour_shows():
    scenes, test, best = segments.load("scenes-dense:n=40,size=32", seed=1)
    assert scenes.images["rgb"].shape == (20, 3, 32, 32)
    assert scenes.masks.shape == scenes.shown.shape == (20, 32, 32)
    assert len(test.masks) == 16
    assert best["rgb"] == best["depth"] < best["rgb+depth"] == 100
    same = torch.cat([(part.masks == part.shown).flatten() for part in (scenes, test)])
    masks = torch.cat([part.masks.flatten() for part in (scenes, test)])
    assert same[(masks == 0) | (masks == 3)].all()  # background, stone
    assert 0.5 < same[(masks == 1) | (masks == 2)].float().mean() < 0.9  # of wood, metal .7


# ---------------------------------------------------------------- numbers in pictures


def test_losses_are_shares_of_their_start():
    history = pd.DataFrame({"cl": [2.0, 1.0], "adv": [1.0, 1.0], "orth": [0.5, 0.1]})
    axis = sorting.plot_losses(history, {"cl": 2.0, "adv": 0.5, "orth": 0.5}, "").axes[0]
    curves = [line.get_ydata().tolist() for line in axis.lines[:3]]
    np.testing.assert_allclose(curves, [[1, 0.75], [2, 2], [1, 0.6]])


def test_a_fact_is_looked_for_where_its_sensor_alone_sees_it(parts):
    _, test = parts
    facts = course.facts(test)
    dark, far = test.factors["dark"].bool(), test.factors["far"].bool()
    for sensor, fact, where in (
        ("rgb", "material, far away", far & ~dark),
        ("depth", "material, in the dark", dark & ~far),
    ):
        values, rows = facts[sensor][fact]
        assert torch.equal(rows, where)
        assert torch.equal(values.argmax(1), test.labels % 3)
    assert facts["rgb"]["light"][1].all()
    for sensor in ("rgb", "depth"):
        values, rows = facts[sensor]["material, ordinary"]
        assert torch.equal(rows, ~dark & ~far)
        assert torch.equal(values.argmax(1), test.labels % 3)


def test_means_tell_the_parts_that_facts_belong_into_from_the_others():
    columns = pd.MultiIndex.from_product([["rgb", "depth"], ["a", "b", "c", "d"]])
    table = pd.DataFrame(10.0, index=["inv", "inf", "irr"], columns=columns)
    for sensor in ("rgb", "depth"):
        for part, fact in zip(("inv", "inv", "inf", "irr"), "abcd", strict=True):
            table.loc[part, (sensor, fact)] = 40
    assert sorting.means(table) == (40, 10)


def test_the_part_that_a_fact_belongs_into_is_green(parts):
    facts = course.facts(parts[1])
    places = [(sensor, fact) for sensor, own in facts.items() for fact in own]
    table = pd.DataFrame(np.arange(24.0).reshape(3, 8), ["inv", "inf", "irr"])
    table.columns = pd.MultiIndex.from_tuples(places)
    figure = sorting.plot_facts(table + 50, table, "")
    for number, axis in enumerate(figure.axes):
        assert [bar.get_height() for bar in axis.patches] == table.iloc[:, number].tolist()
        green = [bar.get_facecolor() == to_rgba(course.RIGHT) for bar in axis.patches]
        assert green == [part == (0, 0, 1, 2)[number % 4] for part in range(3)]
        assert axis.lines[0].get_ydata().tolist() == (table.iloc[:, number] + 50).tolist()


def boxes(figure):
    """The names in filled boxes of the method's picture, that is of parts that are lit, and those
    in black on white."""
    dark = [text.get_text() for text in figure.axes[0].texts if text.get_color() == method.DARK]
    lit = [text.get_text() for text in figure.axes[0].texts if text.get_color() == "white"]
    return {text.split()[-1] for text in lit}, {text for text in dark if "?" in text}


def test_a_loss_lights_what_it_reads_and_its_heads():
    parts, heads = boxes(method.show(title="all"))
    assert parts == {"invariant", "informative", "irrelevant"}
    assert len(heads) == 5
    assert boxes(method.show("adv")) == ({"invariant"}, {"sensor? adv,\nreversed"})
    parts, heads = boxes(method.show("mod"))
    assert parts == {"informative", "irrelevant"}
    assert heads == {"sensor?\nmod_inf", "sensor?\nmod_irr"}
    assert boxes(method.show("orth"))[1] == set()
    assert boxes(method.show("specific", "irr")) == ({"irrelevant"}, set())


def test_persons_who_are_tested_are_found_in_both_deals():
    deals = {"acc": [0, 0, 1, 1, 2, 2], "gyro": [0, 1, 1, 2, 2, 0]}
    axis = watch.show_deals(deals, 0, "a title").axes[0]
    letters = {text.get_text(): text for text in axis.texts if len(text.get_text()) == 1}
    assert len(letters) == 6  # the later row, of the second sensor, stays in the dictionary
    box_of = {name: int(text.get_position()[0]) for name, text in letters.items()}
    assert box_of == {"A": 0, "F": 0, "B": 1, "C": 1, "D": 2, "E": 2}
    tested = [name for name, text in letters.items() if text.get_color() == watch.TESTED]
    assert sorted(tested) == ["A", "B"]
    assert [text.get_text() for text in axis.texts].count("test") == 2


def test_bars_say_what_the_second_sensor_adds():
    scores = pd.DataFrame({"random": [92.25, 92.6], "persons": [73.5, 77.8]})
    axis = watch.plot_worth(scores, "a title").axes[0]
    texts = [text.get_text() for text in axis.texts]
    assert {"+0.3 points", "+4.3 points", "92.2 %", "77.8 %"} < set(texts)


def test_pairs_to_look_at_are_near_and_have_their_own_image():
    far = np.array([0, 0, 1, 0, 0, 0])
    names = [f"disk/place0_000{k}" for k in range(6)]
    pairs = [*pairwise(names)]  # 1 and 2, 2 and 3 are with a far one
    there = dict.fromkeys([*names[:3], names[4]])
    assert preparation.near_ones(pairs, there, far, 2) == [pairs[0], pairs[4]]


def test_pairs_stand_in_columns_with_their_names():
    images = {"rgb": np.zeros((2, 3, 8, 8)), "by name": np.ones((2, 1, 8, 8))}
    one = {sensor: x[:1] for sensor, x in images.items()}
    figure = preparation.show_pairs({"a": images, "b": one}, "a title", {"a": ["x", "y"]})
    rows = [axis.get_ylabel() for axis in figure.axes]
    assert rows == ["colour", "", "by name", "", "", ""]
    assert [axis.get_xlabel() for axis in figure.axes] == ["", "", "x", "y", "", ""]
    assert [axis.images[0].get_array().ndim for axis in figure.axes] == [3, 3, 2, 2, 3, 2]


def test_the_map_knows_sensor_class_and_picture_of_each_point():
    torch.manual_seed(0)
    images = {"rgb": torch.rand(6, 3, 8, 8), "depth": torch.rand(6, 1, 8, 8)}
    images["depth"][2, 0, 0, 0] = 0  # a hole
    labels, classes = torch.arange(6) % 2, ["disk/wood", "disk/metal"]
    part = SimpleNamespace(images=images, labels=labels, classes=classes)
    address = embeddings.picture(part, 2)
    file = io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))
    pixels = np.asarray(Image.open(file))[::4, ::4, :3] / 255
    assert pixels.shape == (8, 16, 3)
    np.testing.assert_allclose(pixels[:, :8].transpose(2, 0, 1), images["rgb"][2], atol=0.01)
    assert pixels[0, 8].tolist() == [1, 1, 1]
    plot = embeddings.explore(np.random.default_rng(0).random((12, 2)), part)
    points = plot._data
    assert points["sensor"].tolist() == ["colour"] * 6 + ["depth"] * 6
    assert points["class"].tolist() == classes * 6
    assert points["image"].tolist() == [embeddings.picture(part, k) for k in range(6)] * 2
    colours = dict(zip(points["sensor"].cat.categories, plot.color()["map"], strict=True))
    assert {name: to_hex(colour) for name, colour in colours.items()} == embeddings.NAMED


def test_gains_are_drawn_with_their_mean_and_interval():
    points = pd.Series(np.arange(10.0))
    gains = pd.DataFrame(dict.fromkeys(segments.WAYS, points))
    axis = segments.plot_gains({"few": gains}, "title").axes[0]
    assert [text.get_text() for text in axis.texts] == ["+4.5"] * 4
    # 9 degrees of freedom: 2.262 standard errors of 0.957
    for _, bar in zip(gains, axis.collections[1::3], strict=True):
        np.testing.assert_allclose(bar.get_segments()[0][:, 0], [2.334, 6.666], atol=0.001)


def test_a_mean_of_one_seed_has_no_interval():
    assert segments.interval(pd.Series([1.5])) == "+1.5"
    # 2 degrees of freedom: 4.303 standard errors of 0.577
    assert segments.interval(pd.Series([1.0, 2, 3])) == "+2.0 [-0.5, +4.5]"


def test_two_networks_are_compared_seed_by_seed():
    kinds = ["mIoU", "outline", "colour true", "colour deceives"]
    rows = [(1, "a", 50, 4, 20, 60), (2, "a", 54, 4, 30, 70)]
    rows += [(1, "b", 49, 4, 25, 60), (2, "b", 51, 5, 31, 60)]
    table = segments.compare(pd.DataFrame(rows, columns=["seed", "network", *kinds]), "a", "b")
    assert table.iloc[0].tolist() == ["52.0", "50.0", "+2.0 [-10.7, +14.7]", "0 lower, 2 higher"]
    assert table["seeds"].tolist()[1:] == [
        "1 lower, 0 higher",  # equal with one seed
        "2 lower, 0 higher",
        "0 lower, 1 higher",
    ]


def test_seeds_are_lines_and_the_gain_is_of_students():
    scores = pd.DataFrame({"alone": [40.0, 50], segments.TWICE: [50.0, 52]})
    scores[segments.BOTH] = [54.0, 58]
    scores = scores.rename_axis("seed").reset_index()
    rows = scores.melt("seed", var_name="network", value_name="mIoU")
    axis = segments.plot_students(rows, "title").axes[0]
    assert [line.get_ydata().tolist() for line in axis.lines] == [[50, 52, 58], [40, 50, 54]]
    assert [line.get_linewidth() for line in axis.lines] == [1, 3]  # the first seed is the page's
    gains = [text.get_text() for text in axis.texts[1:3]]
    assert gains == ["+6.0 [-44.8, +56.8]", "+5.0 [-7.7, +17.7]"]  # 6 ± 4·12.706, 5 ± 12.706


# ---------------------------------------------------------------- networks that label a watch


def test_a_table_holds_these_answers_and_other_seeds(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    rows = [("labels alone", k, 50.0, 40.0, 60.0, seed) for k in range(10) for seed in (0, 1)]
    columns = ["way", "person", "acc", "gyro", "both", "seed"]
    pd.DataFrame(rows, columns=columns).to_csv("../results/watch-pairs.csv", index=False)
    belief = torch.zeros(4, 7)
    answers = {"labels alone": {"acc": belief, "gyro": belief + 1}}
    answers["twin labels"] = {"gyro": belief, "twin": belief}
    answers["pair labels"] = {"acc": belief + 1, "gyro": belief + 2}
    answers["lent labels"] = {"acc": belief, "gyro": belief + 3}
    table = wristband.with_stored(answers, lambda z: [10 * z[0, 0].item() + 70] * 10, 0)
    means = table.groupby(["way", "seed"])[["acc", "gyro", "both"]].mean()
    assert means.loc["labels alone", 0].tolist() == [70, 80, 80]
    assert means.loc["labels alone", 1].tolist() == [50, 40, 60]  # of the file
    assert means.loc["twin labels", 0].isna().tolist() == [True, False, True]
    gains = wristband.differences(table[table["seed"] == 0], "pair labels", "labels alone")
    assert [own[0].tolist() for own in gains.values()] == [[10] * 10, [10] * 10]
    shown = wristband.decision(table)
    both = shown.loc["both alone, multiplied"].tolist()
    assert both[:3] == [70, 60, 80]
    assert both[3].startswith("+10.0 points")  # 10 and 10
    assert both[4] == ""
    assert shown.loc["gyroscope, pair labels"].tolist()[:3] == [90, 90, 90]
    assert shown.loc["accelerometer alone"].tolist()[3:] == ["", ""]
    persons = wristband.by_person(table[table["seed"] == 0])
    assert persons.loc["alone: accelerometer − gyroscope"].tolist() == [-10] * 10
    assert persons.loc["gyroscope: pair labels − labels alone"].tolist() == [10] * 10
    points = pd.DataFrame({0: np.arange(10.0), 1: np.arange(10.0) + 4})
    assert wristband.interval(points) == "+6.5 points [+4.3, +8.7]"  # 6.5 ± 2.2


def test_mistakes_of_two_networks_overlap():
    labels = torch.tensor([0, 0, 0, 0, 1])
    first = torch.eye(7)[[1, 1, 0, 2, 1]] * 99  # wrong in three
    other = torch.eye(7)[[1, 2, 1, 0, 0]] * 99  # in one of these it makes the same mistake
    other[3] = 0.0  # not sure
    classes = torch.tensor([*labels, *range(2, 7)])  # one window of each other exercise
    right = torch.eye(7)[2:] * 99
    first, other = torch.cat([first, right]), torch.cat([other, right])
    share, chance = wristband.overlap(
        first, other, classes, lambda z: (z.max(1)[0] > 9, z.argmax(1))
    )
    assert chance == pytest.approx((2 / 4 + 2 / 4 + 1 / 4) / 3)  # 1: two of four, 2: one of four
    assert share == pytest.approx(1 / 3)
