"""One run on sensors with units of their own, and its depth branch exported; made once, and changed
in copies."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from discom import cli, data, fit, profile
from discom.deployment import exporting


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """A prepared folder: RGB from 0 to 255, depth in millimetres where 0 is a hole, as a camera
    stores them."""
    drawn = data.load("scenes:n=99,size=8,shapes=2,materials=2")
    rgb, depth = drawn.modalities["rgb"], drawn.modalities["depth"]
    levels = (255 * rgb.x).round().astype(np.uint8)
    millimetres = np.where(depth.x == 0, 0, 1000 + 7000 * depth.x).astype(np.uint16)
    sensors = {
        "rgb": replace(rgb, x=levels),
        "depth": replace(depth, x=millimetres, unit="mm", invalid=0.0),
    }
    folder = tmp_path_factory.mktemp("deployment") / "camera"
    replace(drawn, modalities=sensors, name="camera").save(folder)
    return folder


@pytest.fixture(scope="session")
def split(source):
    return data.load(source).split(seed=0)


@pytest.fixture(scope="session")
def run(source, split, tmp_path_factory):
    """A finished run of discom."""
    folder = tmp_path_factory.mktemp("runs") / "camera/discom/0-0123456789"
    fit("discom", split, profile("tiny", epochs=2), folder, progress=False)
    return folder


@pytest.fixture(scope="session")
def made(run, split, tmp_path_factory):
    """The folder of the exported depth branch, and what export said; not to be changed."""
    folder = tmp_path_factory.mktemp("exported") / "depth"
    return folder, exporting.export(run, split, "depth", folder, rounds=2)


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the exported folder."""
    return shutil.copytree(made[0], tmp_path / "depth")


@pytest.fixture
def refused(capsys):
    """A function of arguments: the one line on stderr of a command that ends with status 2."""

    def one_line(*arguments) -> str:
        capsys.readouterr()
        assert cli.main([str(argument) for argument in arguments]) == 2
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        assert len(lines) == 1, printed.err
        assert lines[0].startswith("discom: error: ")
        assert "Traceback" not in printed.out + printed.err
        return lines[0]

    return one_line
