"""A checkpoint that is damaged is passed over for the one before it; one that carries code is
refused."""

import os

import pytest
import torch

from discom.checkpoint import FILES, Checkpoint, forget
from discom.errors import RunError


def flip(content: bytes) -> bytes:
    """One bit of a weight is another: torch itself would load it."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "garbage": lambda content: b"not a checkpoint",
    "a flipped bit": flip,
}


class Code:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def checkpoint(folder, value: float = 0.0) -> Checkpoint:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    torch.nn.init.constant_(network.weight, value)
    return Checkpoint(folder, model=network, optimizer=optimizer, schedule=schedule)


def weight(state: Checkpoint) -> float:
    return state.parts["model"].weight.item()


@pytest.fixture
def two(tmp_path):
    """A folder with the checkpoints after epochs 0 and 1."""
    state = checkpoint(tmp_path)
    for epoch in range(2):
        state.seconds += 1e6  # writing may take its share of it
        torch.nn.init.constant_(state.parts["model"].weight, float(epoch))
        state.save(epoch, {"loss": 1.0})
    return tmp_path


def test_a_checkpoint_is_what_was_written(two):
    state = checkpoint(two)
    assert (state.epoch, state.seconds, weight(state)) == (2, 2e6, 1.0)
    assert state.rows == [{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": 1.0}]
    assert sorted(os.listdir(two)) == sorted([*FILES, "metrics.csv"])


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(two, what):
    file = two / "state.pt"
    file.write_bytes(DAMAGE[what](file.read_bytes()))
    message = r"state\.pt: cannot be resumed from \(.+\); going on from state-before\.pt"
    with pytest.warns(UserWarning, match=message):
        state = checkpoint(two)
    assert (state.epoch, state.seconds, weight(state)) == (1, 1e6, 0.0)


def test_a_kill_between_two_moves_costs_one_checkpoint_and_no_warning(two, recwarn):
    (two / "state.pt").unlink()
    state = checkpoint(two)
    assert (state.epoch, weight(state), len(recwarn)) == (1, 0.0, 0)


def test_a_damaged_checkpoint_does_not_push_the_good_one_out(two):
    for content in (b"torn", b"torn again"):
        (two / "state.pt").write_bytes(content)
        with pytest.warns(UserWarning, match="going on from state-before"):
            state = checkpoint(two)
        assert state.epoch == 1
        state.seconds += 1e6
        state.save(1, {"loss": 1.0})


@pytest.mark.filterwarnings("ignore:.*going on from")
@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_that_carries_code_is_refused_and_nothing_is_run(two, tmp_path_factory, name):
    executed = tmp_path_factory.mktemp("code") / "executed"
    (two / "state.pt").write_bytes(b"torn")  # so that the one before it is looked at
    torch.save({"model": Code(executed)}, two / name)
    with pytest.raises(RunError, match=rf"{name}: holds more than tensors and numbers"):
        checkpoint(two)
    torch.save({"model": Code(executed)}, two / name, _use_new_zipfile_serialization=False)
    if name == "state.pt":  # torch's old format is no zip file, and not opened at all
        assert checkpoint(two).epoch == 1
    assert not executed.exists()


def test_an_archive_of_something_else_is_no_checkpoint(tmp_path):
    torch.save({"model": {}}, tmp_path / "state.pt")
    message = r"state\.pt: cannot be resumed from \(.*it has no best.*\); delete state\.pt"
    with pytest.raises(RunError, match=message):
        checkpoint(tmp_path)


def test_writing_takes_a_bounded_share_of_the_time(tmp_path):
    state = checkpoint(tmp_path)
    state.seconds, state.writing = 100.0, 4.9
    state.save(0, {"loss": 1.0})
    assert (tmp_path / "state.pt").exists()
    (tmp_path / "state.pt").unlink()
    state.writing = 5.1
    state.save(1, {"loss": 1.0})
    assert not (tmp_path / "state.pt").exists()


def test_checkpoints_are_forgotten_when_a_run_is_done(two):
    forget(two)
    assert os.listdir(two) == ["metrics.csv"]
    forget(two)
