"""A state to resume from that is damaged is passed over for the one before it; one that carries
code is refused."""

import os
import shutil
import signal

import pytest
import torch
from fixtures import children
from fixtures.children import Signal

from discom.checkpoint import State, forget
from discom.errors import RunError


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of runs of a run that was killed in its last epoch, with two states."""
    folder = tmp_path_factory.mktemp("begun")
    last = 2 * children.EPOCHS
    assert (
        children.start(folder, children.train, folder / "runs", Signal(last, "step")).end()
        == -signal.SIGKILL
    )
    run = children.folder_of(folder / "runs")
    assert all((run / name).exists() for name in children.STATES)
    return folder / "runs"


def test_a_run_with_a_truncated_state_goes_on_from_the_one_before_to_the_same_numbers(
    whole, begun, tmp_path
):
    runs = shutil.copytree(begun, tmp_path / "runs")
    state = children.folder_of(runs) / "state.pt"
    os.truncate(state, state.stat().st_size // 2)
    child = children.start(tmp_path, children.train, runs)
    assert child.end() == 0, child.said()
    (line,) = [line for line in child.said().splitlines() if line.startswith("discom: warning: /")]
    assert line.startswith(f"discom: warning: {state}: cannot be resumed from (")
    assert line.endswith("); going on from state-before.pt, the state before it")
    children.same_run(whole[0], children.folder_of(runs))


def test_where_both_are_damaged_both_are_named_with_the_way_out(begun, tmp_path):
    runs = shutil.copytree(begun, tmp_path / "runs")
    folder = children.folder_of(runs)
    for name in children.STATES:
        (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    child = children.start(tmp_path, children.train, runs)
    assert child.end() == 2
    (line,) = child.errors()
    assert line.startswith(f"discom: error: {folder}/state.pt: cannot be resumed from (")
    assert line.endswith("; delete state.pt and state-before.pt to start anew")


# ---------------------------------------------------------------- State by itself


def flipped(content: bytes) -> bytes:
    """One bit of a weight is another: torch itself would load it."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "garbage": lambda content: b"not a state",
    "a flipped bit": flipped,
}


class Code:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def state(folder, value: float = 0.0) -> State:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    torch.nn.init.constant_(network.weight, value)
    return State(folder, network, optimizer, schedule)


def weight(held: State) -> float:
    return held.parts["model"].weight.item()


@pytest.fixture
def two(tmp_path):
    """A folder with the states after epochs 0 and 1."""
    held = state(tmp_path)
    for epoch in range(2):
        held.seconds += 1e6  # writing has its share
        torch.nn.init.constant_(held.parts["model"].weight, float(epoch))
        held.epoch_done(epoch)
    return tmp_path


def test_a_state_is_what_was_written(two):
    held = state(two)
    assert (held.epoch, held.seconds, weight(held)) == (2, 2e6, 1.0)
    assert sorted(os.listdir(two)) == sorted(children.STATES)


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_state_is_named_and_the_one_before_it_taken(two, what):
    file = two / "state.pt"
    file.write_bytes(DAMAGE[what](file.read_bytes()))
    with pytest.warns(
        UserWarning,
        match=r"state\.pt: cannot be resumed from \(.+\); going on from state-before\.pt",
    ):
        held = state(two)
    assert (held.epoch, held.seconds, weight(held)) == (1, 1e6, 0.0)


def test_a_kill_between_two_moves_costs_one_state_and_no_warning(two, recwarn):
    (two / "state.pt").unlink()
    held = state(two)
    assert (held.epoch, weight(held), len(recwarn)) == (1, 0.0, 0)


def test_a_damaged_state_does_not_push_the_good_one_out(two):
    (two / "state.pt").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="going on from state-before"):
        held = state(two)
    held.seconds += 1e6
    held.epoch_done(1)
    (two / "state.pt").write_bytes(b"torn again")
    with pytest.warns(UserWarning, match="going on from state-before"):
        assert state(two).epoch == 1


@pytest.mark.filterwarnings("ignore:.*going on from")
@pytest.mark.parametrize("name", children.STATES)
def test_a_state_that_carries_code_is_refused_and_nothing_is_run(two, tmp_path_factory, name):
    executed = tmp_path_factory.mktemp("code") / "executed"
    (two / "state.pt").write_bytes(b"torn")  # so that the one before it is looked at
    torch.save({"model": Code(executed)}, two / name)
    with pytest.raises(
        RunError, match=rf"{name}: holds more than tensors and numbers, perhaps code"
    ):
        state(two)
    assert not executed.exists()


def test_code_in_torchs_old_format_is_not_run_either(two, tmp_path_factory):
    executed = tmp_path_factory.mktemp("code") / "executed"
    torch.save({"model": Code(executed)}, two / "state.pt", _use_new_zipfile_serialization=False)
    with pytest.warns(UserWarning, match="not a zip file"):
        assert state(two).epoch == 1
    assert not executed.exists()


def test_an_archive_of_something_else_is_no_state(tmp_path):
    torch.save({"model": {}}, tmp_path / "state.pt")
    with pytest.raises(
        RunError,
        match=r"state\.pt: cannot be resumed from \(.*it has no best.*\); delete state\.pt",
    ):
        state(tmp_path)


def test_states_are_forgotten_when_a_run_is_done(two):
    forget(two)
    assert os.listdir(two) == []
    forget(two)
