"""What tests of several rooms share."""

from pathlib import Path

import click
import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import simulated_gpu  # noqa: F401 (torch counts devices at its first backward pass, once)

from discom import cli, fit, methods

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def clean_slate():
    """The test starts without figures, and neither its figures nor its look outlive it."""
    plt.close("all")
    with matplotlib.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def in_notebooks(monkeypatch):
    """The test runs where a notebook does."""
    monkeypatch.chdir(Path(__file__).parents[1] / "notebooks")


@pytest.fixture
def flags_of():
    """A function of a command line: what its command would be called with."""

    def flags_of(*words) -> dict:
        command, rest = cli.group, [str(word) for word in words]
        while isinstance(command, click.Group):
            command, rest = command.commands[rest[0]], rest[1:]
        return command.make_context(command.name, rest).params

    return flags_of


@pytest.fixture
def stop_at(monkeypatch):
    """A function of a method's name and a step: as by Ctrl-C, its training ends there, once."""

    def stop_at(name: str, step: int) -> None:
        method, calls = methods.get(name), []
        original = method.loss

        def loss(self, batch):
            calls.append(1)
            if len(calls) == step:
                raise KeyboardInterrupt
            return original(self, batch)

        monkeypatch.setattr(method, "loss", loss)

    return stop_at


@pytest.fixture
def same_once_resumed(tmp_path, stop_at):
    """A function that trains a run at a stretch, and again with an interruption at a step: the same
    command goes on, and ends with the same numbers. It returns the folder of the first."""

    def check(name, split, config, step, **given):
        whole, cut = tmp_path / "whole", tmp_path / "cut"
        expected = fit(name, split, config, whole, progress=False, **given)
        stop_at(name, step)
        with pytest.raises(KeyboardInterrupt):
            fit(name, split, config, cut, progress=False, **given)
        assert (cut / "state.pt").exists()
        result = fit(name, split, config, cut, progress=False, **given)
        for part in ("scores", "parameters", "config", "counts"):
            assert getattr(result, part) == getattr(expected, part)
        logs = [pd.read_csv(run / "metrics.csv").drop(columns="seconds") for run in (whole, cut)]
        pd.testing.assert_frame_equal(*logs, check_exact=True)
        assert not list(cut.glob("state*"))
        return expected, whole

    return check
