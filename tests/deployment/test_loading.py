"""The door for model files: ours pass, and everything else is one line that names the file."""

import json
import shutil
import sys
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from discom.deployment import load
from discom.deployment.loading import KEY, UNSEALED, seal
from discom.errors import ConfigError, DataError

FILES = ("model.onnx", "model.pt2")


def strangers_onnx(file):
    """A valid ONNX model of somebody else."""
    value = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 1, 8, 8])
        for name in ("images", "y")
    }
    graph = helper.make_graph(
        [helper.make_node("Relu", ["images"], ["y"])], "g", [value["images"]], [value["y"]]
    )
    onnx.save(helper.make_model(graph), file)


def strangers_zip(file):
    with zipfile.ZipFile(file, "w") as held:
        held.writestr("m/data/readme.txt", "nothing of ours")


def text(file):
    file.write_text("import antigravity\n")


def empty(file):
    file.write_bytes(b"")


def reformatted(contract: str) -> str:
    return json.dumps({**json.loads(contract), "format": 7})


def new_contract(file, change):
    """The same model with another contract, by somebody who knows how to seal it."""
    if file.suffix == ".onnx":
        model = onnx.load(file)
        for entry in model.metadata_props:
            entry.value = change(entry.value) if entry.key == KEY else UNSEALED
        file.write_bytes(seal(model.SerializeToString()))
        return
    copy = file.with_suffix(".copy")
    with zipfile.ZipFile(file) as held, zipfile.ZipFile(copy, "w") as written:
        for name in held.namelist():
            content = held.read(name)
            written.writestr(
                name, change(content.decode()) if name.endswith("/extra/contract.json") else content
            )
    shutil.move(copy, file)


@pytest.mark.parametrize("file", FILES)
def test_the_contract_is_in_the_file(made, file):
    folder, export = made
    held = load(folder / file).contract
    assert held == export.contract
    assert (held.modality, held.unit, held.invalid, held.shape) == ("depth", "mm", 0.0, (1, 8, 8))
    assert held.classes == ("disk/wood", "disk/metal", "square/wood", "square/metal")


def test_a_folder_stands_for_its_onnx_file(made):
    assert load(made[0]).contract == made[1].contract


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("make", [strangers_onnx, strangers_zip, text, empty])
def test_what_is_not_ours_is_refused(tmp_path, file, make):
    make(tmp_path / file)
    with pytest.raises(
        DataError, match=rf"{file}: is no model of `discom export`, or is cut short"
    ):
        load(tmp_path / file)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short_is_refused(folder, file, share):
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=file):
        load(folder / file)


@pytest.mark.parametrize("share", np.linspace(0, 0.9999, 25).round(4).tolist())
def test_one_flipped_bit_anywhere_in_an_onnx_file_is_seen(folder, share):
    content = bytearray((folder / "model.onnx").read_bytes())
    content[int(share * len(content))] ^= 4
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(DataError, match=r"model\.onnx: (was changed or damaged|is no model)"):
        load(folder / "model.onnx")


@pytest.mark.parametrize("which", ["weight_0", "contract.json", "model.json"])
def test_a_flipped_bit_in_what_a_pt2_file_holds_is_seen(folder, which):
    file = folder / "model.pt2"
    with zipfile.ZipFile(file) as held:
        info = next(info for info in held.infolist() if info.filename.endswith(which))
        place = file.read_bytes().index(held.read(info)[:64], info.header_offset)
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"model\.pt2: .*is damaged"):
        load(file)


@pytest.mark.parametrize("file", FILES)
def test_a_contract_of_another_version_is_refused(folder, file):
    new_contract(folder / file, reformatted)
    with pytest.raises(
        DataError, match=rf"{file}: its contract has format 7 .* this version reads 1; export"
    ):
        load(folder / file)


def test_a_sealed_file_without_a_graph_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(seal(b"not a graph " + UNSEALED.encode()))
    with pytest.raises(DataError, match=r"model\.onnx: ONNX Runtime cannot read it"):
        load(tmp_path / "model.onnx")


def test_an_archive_with_our_contract_and_no_network_is_refused(folder):
    with zipfile.ZipFile(folder / "model.pt2") as held:
        name = next(name for name in held.namelist() if name.endswith("contract.json"))
        contract = held.read(name)
    with zipfile.ZipFile(folder / "model.pt2", "w") as written:
        written.writestr(name, contract)
    with pytest.raises(DataError, match=r"model\.pt2: torch cannot read it"):
        load(folder / "model.pt2")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.pth", "is neither .onnx nor .pt2"),
        ("nothing.onnx", "no such file; make it with: discom export"),
        ("", "model.onnx: no such file; make it with: discom export"),
    ],
)
def test_a_wrong_place_is_named_with_the_way_out(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        load(tmp_path / name)


def test_without_onnxruntime_the_message_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        ConfigError, match=r"onnxruntime: is not installed; .*pip install 'discom\[deploy\]'"
    ):
        load(made[0] / "model.onnx")
