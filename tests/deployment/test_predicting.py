"""Image files in, classes out: in order, complete, or refused by name."""

import csv
import io
import json
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile

from discom.deployment import find_images, load, predict
from discom.deployment.predicting import BATCH, Prediction, to_csv, to_json
from discom.errors import DataError


@pytest.fixture
def images(split, tmp_path):
    """Four raw test images of depth as PNG, TIFF and .npy, one in a folder below; their pixels [4,
    1, 8, 8]."""
    pixels = split.test.modalities["depth"].x[:4]
    place = tmp_path / "images"
    (place / "more").mkdir(parents=True)
    (place / "a.png").write_bytes(imagecodecs.png_encode(pixels[0, 0]))
    tifffile.imwrite(place / "b.tif", pixels[1, 0])
    np.save(place / "c.npy", pixels[2])
    np.save(place / "more/d.npy", pixels[3].astype(np.float32))
    (place / "notes.txt").write_text("no image")
    (place / ".hidden.png").write_bytes(b"")
    return place, np.asarray(pixels, np.float32)


@pytest.fixture(scope="module")
def model(made):
    return load(made[0])


def test_a_folder_is_read_in_the_order_of_names_with_what_is_below_it(images, tmp_path):
    place, _ = images
    names = ["a.png", "b.tif", "c.npy", "more/d.npy"]
    assert find_images([place]) == [place / name for name in names]
    assert find_images([place / "c.npy", place]) == [
        place / "c.npy",
        *(place / name for name in names),
    ]


@pytest.mark.parametrize("file", ["model.onnx", "model.pt2"])
def test_every_image_has_the_models_answer_for_its_pixels(made, images, file):
    place, pixels = images
    model = load(made[0] / file)
    found = predict(model, find_images([place]))
    _, expected = model.answer(pixels)
    assert [one.file for one in found] == [str(file) for file in find_images([place])]
    for one, row in zip(found, expected, strict=True):
        np.testing.assert_allclose(list(one.probabilities.values()), row, atol=1e-5)
        assert list(one.probabilities) == list(model.contract.classes)
        assert one.label == model.contract.classes[row.argmax()]
        assert one.probability == max(one.probabilities.values())


def test_more_images_than_are_held_at_once(model, images):
    place, _ = images
    files = find_images([place]) * BATCH
    found = predict(model, files[: 2 * BATCH + 3])
    assert len(found) == 2 * BATCH + 3
    alone = predict(model, [files[2 * BATCH + 2]])[0]
    assert found[-1].file == alone.file
    assert found[-1].probability == pytest.approx(alone.probability, abs=1e-5)


def test_csv_and_json_say_the_same(model, images):
    place, _ = images
    found = predict(model, find_images([place]))
    rows, held = list(csv.DictReader(io.StringIO(to_csv(found)))), json.loads(to_json(found))
    for one, row, entry in zip(found, rows, held, strict=True):
        assert (
            (row["file"], row["class"]) == (entry["file"], entry["class"]) == (one.file, one.label)
        )
        assert float(row["probability"]) == entry["probability"] == one.probability
        assert {name: float(row[f"p({name})"]) for name in one.probabilities} == entry[
            "probabilities"
        ]


def test_names_with_commas_and_quotes_survive():
    one = Prediction('a,"b".png', "x, y", 0.5, {"x, y": 0.5, 'é"': 0.5})
    row = next(csv.DictReader(io.StringIO(to_csv([one]))))
    assert (row["file"], row["class"], row['p(é")']) == (one.file, one.label, "0.5")
    assert json.loads(to_json([one]))[0]["probabilities"] == one.probabilities


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["empty"], "empty: no image in this folder"),
        (["nowhere"], "nowhere: no such file or folder"),
        (["nowhere/a.png"], "a.png: no such file or folder"),
        ([], "no image was named"),
    ],
)
def test_places_without_images_are_refused(tmp_path, paths, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        find_images([tmp_path / path for path in paths])


def bad(name: str, place):
    """An image that the model cannot read."""
    file = place / name
    if name == "no-image.png":
        file.write_text("hello")
    elif name == "larger.npy":
        np.save(file, np.zeros((16, 8), np.uint16))
    elif name == "colour.png":
        file.write_bytes(imagecodecs.png_encode(np.zeros((8, 8, 3), np.uint8)))
    else:
        np.save(file, np.full((8, 8), {"nan.npy": np.nan, "inf.npy": np.inf}[name], np.float32))
    return file


BAD = {
    "no-image.png": "cannot be read as an image",
    "larger.npy": r"is 16×8 with 1 band\(s\) .* reads 8×8 with 1 band\(s\) of depth",
    "colour.png": r"is 8×8 with 3 band\(s\) .* reads 8×8 with 1 band\(s\)",
    "nan.npy": "holds nan at pixel",
    "inf.npy": "holds inf at pixel",
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_image_refuses_all_by_its_name(model, images, name):
    place, _ = images
    file = bad(name, place)
    with pytest.raises(DataError, match=f"{file}: .*{BAD[name]}") as caught:
        predict(model, [*find_images([place / "a.png"]), file])
    assert "more of" not in str(caught.value)


def test_several_bad_images_are_counted(model, images):
    place, _ = images
    files = [
        place / "a.png",
        bad("nan.npy", place),
        place / "c.npy",
        bad("larger.npy", place),
        bad("colour.png", place),
    ]
    with pytest.raises(
        DataError, match=r"nan\.npy: .*\(2 more of 5 images cannot be used either\)$"
    ):
        predict(model, files)


def test_an_answer_that_is_not_finite_is_refused(model, images):
    place, _ = images
    wrong = model._replace(answer=lambda x: (np.zeros((len(x), 4)), np.full((len(x), 4), np.nan)))
    with pytest.raises(DataError, match=r"a\.png: its pixels are so large"):
        predict(wrong, [place / "a.png"])


def test_an_onnx_file_is_used_without_torch(made, images):
    place, _ = images
    code = (
        "import sys\nfrom discom import cli\n"
        f"assert cli.main(['predict', {str(made[0] / 'model.onnx')!r}, {str(place)!r}]) == 0\n"
        "print([name for name in ('torch', 'onnx', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 4 + 1
    assert lines[-1] == "[]"
