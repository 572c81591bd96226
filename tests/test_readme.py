"""What the README says: its commands run, its table is what the results say, its map points at things that exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from discom import cli, experiments

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
LINES = [line.strip() for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line.strip()]
OURS = [line.removeprefix(".venv/bin/") for line in LINES if line.startswith((".venv/bin/discom", "discom"))]


def test_the_first_screen_shows_the_three_make_targets():
    first = README[: README.index("## ")] if "## " in README[:200] else "\n".join(README.splitlines()[:45])
    for target in ("make tutorial", "make test", "make lab"):
        assert target in first


def test_make_targets_exist():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in LINES:
        if line.startswith("make "):
            assert line.split()[1] in targets


def test_every_discom_command_parses():
    assert len(OURS) >= 6
    for line in OURS:
        line = re.sub(r"\$\w+", "0", line.split("#")[0])
        cli.make_parser().parse_args(shlex.split(line)[1:])


@pytest.mark.slow
def test_the_quick_start_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start = README.index("## First steps")
    block = re.search(r"```bash\n(.*?)```", README[start:], re.DOTALL)[1]
    commands = [line.split("#")[0].strip() for line in block.splitlines() if line.strip()]
    assert len(commands) >= 4
    for command in commands:
        assert cli.main(shlex.split(command)[1:]) == 0, command
    assert "Δ" in capsys.readouterr().out or (tmp_path / "build").exists()


@pytest.mark.slow
def test_the_python_example_runs_as_it_stands(tmp_path):
    block = next(block for kind, block in BLOCKS if kind == "python")
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "rgb" in done.stdout


@pytest.mark.parametrize("name", ["scenes-cpu", "hls-cpu"])
def test_the_table_is_what_the_results_say(name):
    table = experiments.summary(experiments.load_results(ROOT / f"results/{name}.json"))
    for line in experiments.to_markdown(table).splitlines():
        assert line in README, f"regenerate the README's table: discom show results/{name}.json"


def test_the_cost_table_is_what_the_results_say():
    cost = experiments.cost_to_markdown(experiments.load_results(ROOT / "results/scenes-cpu.json"))
    for line in cost.splitlines():
        assert line in README, "regenerate the README's cost table: discom show results/scenes-cpu.json"


def test_paths_in_the_readme_exist():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    named = re.findall(r"`((?:discom|tests|notebooks|results|data)/[\w/.-]+)`", README)
    for target in links + named:
        assert (ROOT / target).exists(), target
