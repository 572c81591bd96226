"""A checkpoint that is damaged, or carries code, is refused with one line; it takes little time."""

import os

import pytest
import torch

from discom.errors import RunError
from discom.running.checkpoint import STATE, Checkpoint

DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "garbage": lambda content: b"not a checkpoint",
}


class Code:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def checkpoint(folder) -> Checkpoint:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    return Checkpoint(folder, model=network, optimizer=optimizer, schedule=schedule)


@pytest.fixture
def saved(tmp_path):
    """A folder with the checkpoint after epochs 0 and 1."""
    state = checkpoint(tmp_path)
    for epoch in range(2):
        state.seconds += 1e6  # writing may take its share of it
        torch.nn.init.constant_(state.parts["model"].weight, float(epoch))
        state.save(epoch, {"loss": 1.0})
    return tmp_path


def test_a_checkpoint_is_what_was_written(saved):
    state = checkpoint(saved)
    assert (state.epoch, state.seconds, state.parts["model"].weight.item()) == (2, 2e6, 1.0)
    assert state.rows == [{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": 1.0}]
    assert sorted(os.listdir(saved)) == ["metrics.csv", STATE]


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_checkpoint_is_named_with_the_way_out(saved, what):
    file = saved / STATE
    file.write_bytes(DAMAGE[what](file.read_bytes()))
    message = (
        r"state\.pt: is damaged, or holds more than tensors and numbers; delete it to start anew$"
    )
    with pytest.raises(RunError, match=message):
        checkpoint(saved)
    file.unlink()
    assert checkpoint(saved).epoch == 0


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_carries_code_is_refused_and_nothing_is_run(tmp_path, zipped):
    """In torch's present format and its old one."""
    executed = tmp_path / "executed"
    content = {"model": Code(executed)}
    torch.save(content, tmp_path / STATE, _use_new_zipfile_serialization=zipped)
    with pytest.raises(RunError, match=f"{STATE}: is damaged, or holds more"):
        checkpoint(tmp_path)
    assert not executed.exists()


def test_writing_takes_a_bounded_share_of_the_time(tmp_path):
    state = checkpoint(tmp_path)
    for writing, written in ((4.9, True), (5.1, False)):
        state.seconds, state.writing = 100.0, writing
        state.save(0, {"loss": 1.0})
        assert (tmp_path / STATE).exists() == written
        (tmp_path / STATE).unlink(missing_ok=True)
