"""Workers of a sweep: Ctrl-C ends all of them with one line."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow
WORK = """
import signal, time
from functools import partial
from discom.running.checkpoint import stoppable
from discom.running.sweep import spread
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start without it
try:
    with stoppable("the sweep"):
        print("ready", flush=True)
        list(spread([partial(time.sleep, 60)] * 12, 2))
except KeyboardInterrupt as stop:
    print(stop)
"""


def test_ctrl_c_in_a_terminal_ends_all_workers_with_one_line():
    """The terminal sends it to all processes of the group."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    sweeping = subprocess.Popen([sys.executable, "-c", WORK], start_new_session=True, **pipes)
    assert sweeping.stdout.readline() == "ready\n"
    time.sleep(2)  # they are at work
    os.killpg(sweeping.pid, signal.SIGINT)
    said = sweeping.communicate(timeout=60)
    line = "the sweep: interrupted; the same command goes on from the last saved epoch\n"
    assert said == (line, "")
