"""Notebook 11: the folder that it writes, and folders of other people that it reads."""

from functools import partial
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
import torch
from fixtures.refusal import refused
from PIL import Image

from discom.data import read_folders, scenes
from discom.errors import ConfigError
from pictures import groups
from rooms import read_pairs, stored_gains, views, write_rooms

TWIN = Path(__file__).parents[1] / "notebooks/py/11_your_own_data_and_deployment.py"


def test_rooms_are_written_as_a_person_would(tmp_path):
    drawn = scenes.objects.make(n=240, size=8)
    names = write_rooms(tmp_path, drawn, seed=1, rooms=12, pairs=120)
    with pytest.warns(UserWarning, match="room08.* uint8, as 10 of 120 .*uint16"):
        own = read_folders(tmp_path, invalid={"depth": 0}, groups="(.+)_[0-9]+")
    depth, colour = own.modalities["depth"].x, own.modalities["colour"].x
    assert (len(names), len(own), len(set(own.groups))) == (120, 120, 12)
    assert (depth.dtype, colour.dtype) == (np.uint16, np.uint8)
    assert np.bincount((own.labels >= 0).astype(int)).tolist() == [72, 48]
    labelled = [one for one in own.ids if not one.startswith("unlabelled")]
    of = {f"room{k // 10 + 1:02}_{k % 10:03}": name for k, name in enumerate(names)}
    assert all(of[one.partition("/")[2]] == one.partition("/")[0] for one in labelled)
    levels = {room: depth[own.groups == room].max() for room in set(own.groups)}
    odd = levels.pop("room08")
    assert odd < 256 < 1200 < min(levels.values())  # nearness among millimetres
    assert refused(lambda: write_rooms(tmp_path, drawn.select(["rgb"])), "rgb and depth")


def made_folder(root, n=48):
    """Photographs and temperatures of other sizes, in other kinds of files; no groups."""
    rng = np.random.default_rng(0)
    for row in range(n):
        kind = ("Unlabelled", "broken", "ok")[row % 3]
        for sensor in ("Photo", "thermo"):
            (root / sensor / kind).mkdir(parents=True, exist_ok=True)
        photo = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8)
        Image.fromarray(photo).save(root / "Photo" / kind / f"{row}.jpg")
        if row:  # the first photograph has no partner
            warm = 280 + 5 * (row % 3) + rng.standard_normal((24, 20))
            np.save(root / "thermo" / kind / f"{row}.npy", warm.astype(np.float32))


def test_a_folder_of_other_names_is_read_without_a_word(tmp_path):
    made_folder(tmp_path)
    own = read_pairs(str(tmp_path), {}, "objects", seed=0)
    assert {name: tuple(x.shape) for name, x in own.images.items()} == {
        "photo": (47, 3, 32, 32),
        "thermo": (47, 1, 32, 32),
    }
    assert own.classes == ("broken", "ok")
    assert own.labels.unique().tolist() == [-1, 0, 1]
    assert len(set(own.groups)) == 47
    assert all(np.isnan(hole) for hole in own.holes.values())
    assert set(own.symmetry.values()) == {"flip"}
    large = read_pairs(str(tmp_path), {"size": 48}, "objects", seed=0)
    assert large.images["photo"].shape == (47, 3, 48, 48)
    mean = own.images["thermo"][own.labels == 1].mean()
    assert abs(mean - 290) < 0.2  # as it was stored
    shown = views(own, torch.arange(5))["photo"]
    stored = own.images["photo"][:5]
    for moved, image in zip(shown, stored, strict=True):
        assert torch.equal(moved, image) or torch.equal(moved, image.flip(2))


def test_options_may_be_text_as_papermill_gives_them(tmp_path):
    made_folder(tmp_path)
    small = read_pairs(str(tmp_path), '{"size": 16}', "objects", seed=0)
    assert small.images["photo"].shape == (47, 3, 16, 16)
    for text in ("size=16", "[16]", '{"size": 16, "size": 32}'):
        refused(lambda text=text: read_pairs(str(tmp_path), text, "", 0), "options", ConfigError)
    for options in ('{"sizes": 16}', {"sizes": 16}):
        call = partial(read_pairs, str(tmp_path), options, "", 0)
        refused(call, "^options: has no option 'sizes'", ConfigError)


def test_a_folder_that_is_not_here_is_told_as_it_was_looked_for(tmp_path, monkeypatch):
    """A notebook runs in its own folder, where a relative one is not."""
    monkeypatch.chdir(tmp_path)
    refused(lambda: read_pairs("my_images", {}, "", 0), f"^{tmp_path}/my_images: ")


@pytest.mark.slow
@pytest.mark.usefixtures("in_notebooks")
def test_the_cells_answer_for_a_folder_of_other_names(tmp_path, capsys):
    made_folder(tmp_path)
    cells = jupytext.read(TWIN, fmt="py:percent").cells
    page = {"__name__": "page"}
    for cell in cells:
        if cell.cell_type == "code" and "git clone" not in cell.source:
            exec(cell.source, page)
            if "parameters" in cell.metadata.get("tags", []):
                page |= {"folder": str(tmp_path), "profile": "tiny"}
    said = capsys.readouterr().out
    assert "47 pairs in 47 groups, 32 with a label" in said
    assert said.count("the file is the network") == 3
    assert said.count("kB") == 3
    assert "exercise 3: not yet: enter low" in said
    ways = {network for way, network in page["answers"] if way == "labels"}
    assert {"one network", "one network, no thermo", "photo", "two networks"} <= ways


def test_pairs_of_each_group_are_drawn_on_one_scale():
    images = {"colour": torch.rand(6, 3, 4, 4), "depth": torch.full((6, 1, 4, 4), 500.0)}
    images["depth"][0], images["depth"][5, 0, 0, 0] = 100, 0
    figure = groups.show_groups(images, np.array(list("aaabbb")), "title")
    shown = [axis.images[0].get_array() for axis in figure.axes]
    assert len(shown) == 12
    assert np.ma.max(shown[4]) == np.ma.max(shown[10]) == 1  # 500 is bright in both groups
    assert shown[11].mask.sum() == 1  # what was not measured is white


def test_groups_that_are_named_have_a_scale_of_their_own():
    images = {"depth": torch.rand(6, 1, 4, 4) + 0.1}
    images["depth"][3:] *= 100
    figure = groups.show_groups(images, np.array(list("aaabbb")), "title", ["b"])
    assert len(figure.axes) == 3
    figure = groups.show_groups(images, np.array(list("aaabbb")), "title", ["b", "a"])
    shown = [axis.images[0].get_array().max() for axis in figure.axes]
    assert max(shown[:3]) == max(shown[3:]) == 1


def test_gains_of_stored_runs_are_differences_of_their_means(tmp_path):
    both, alone = ("labels", "two networks"), ("labels", "depth")
    compared = {"both": (both, alone), "other": (("pretrained", "depth"), alone)}
    assert stored_gains("", compared) == {"both": {}, "other": {}}
    rows = [["labels", 40.0, 60.0, 1], ["pretrained", 25.0, None, 1], ["labels", 50, 58.5, 2]]
    table = pd.DataFrame(rows, columns=["way", "depth", "two networks", "seed"])
    table.to_csv(tmp_path / "runs.csv", index=False)
    expected = {"both": {1: 20, 2: 8.5}, "other": {1: -15}}
    assert stored_gains(tmp_path / "runs.csv", compared) == expected


def test_a_difference_is_coloured_where_all_runs_agree():
    points = {"gain": [4, 5, 6], "loss": [-4, -5, -6], "open": [-4, 5, 0], "seeds": [4, 5, 6]}
    stored = {"gain": {1: 2.0, 2: 1.0}, "loss": {1: -3.0}, "seeds": {1: 2.0, 2: -1.0}}
    axis = groups.plot_differences(points, "title", stored).axes[0]
    digits = [text.get_text() for text in axis.texts if len(text.get_text()) == 1]
    assert digits == ["1", "2", "1", "1", "2"]
    colours = [text.get_color() for text in axis.texts if "[" in text.get_text()]
    assert colours == ["#0173b2", "#d55e00", "#4d4d4d", "#4d4d4d"]
    alone = groups.plot_differences({"seeds": [4, 5, 6]}, "title").axes[0]
    assert alone.texts[0].get_color() == "#0173b2"
