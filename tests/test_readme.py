"""What the README says: its commands run, its table is what the results say, its map points at
things that exist."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from discom import cli, tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
LINES = [
    line.strip()
    for kind, block in BLOCKS
    if kind == "bash"
    for line in block.splitlines()
    if line.strip()
]
OURS = [
    line.removeprefix(".venv/bin/")
    for line in LINES
    if line.startswith((".venv/bin/discom", "discom"))
]


def test_the_first_screen_shows_the_three_make_targets():
    first = (
        README[: README.index("## ")]
        if "## " in README[:200]
        else "\n".join(README.splitlines()[:45])
    )
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
def test_the_deployment_section_runs_as_it_stands_after_the_first_steps(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for title in ("## First steps", "## Use a trained branch"):
        section = README[README.index(title) :].partition("\n## ")[0]
        blocks = re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)
        for kind, block in blocks[:1] if title == "## First steps" else blocks:
            if kind == "python":
                exec(block, {})
            for line in block.splitlines() if kind == "bash" else ():
                assert cli.main(shlex.split(line, comments=True)[1:]) == 0, line
    assert "\nbuild/readme/images/2.npy," in capsys.readouterr().out
    assert len(json.loads((tmp_path / "build/readme/answers.json").read_text())) == 3


@pytest.mark.slow
def test_the_python_example_runs_as_it_stands(tmp_path):
    block = next(block for kind, block in BLOCKS if kind == "python")
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "rgb" in done.stdout


COMMITTED = [
    file
    for file in sorted((ROOT / "results").rglob("*.md"))
    if re.search(r"-table-?\w+$", file.stem)
]


@pytest.mark.parametrize("committed", COMMITTED, ids=lambda file: file.stem)
def test_a_committed_table_is_what_the_results_say(committed, tmp_path):
    name = committed.stem
    number = re.search(r"-table-?(\w+)$", name)[1]
    number = int(number) if number.isdigit() else number
    own = committed.with_suffix(".json")  # Tables 1 and 2 share their runs
    results = tables.load_results(
        own if own.exists() else ROOT / f"results/{name.partition('-')[0]}-cpu.json"
    )
    made = tables.paper_table(results, number)
    for file in tables.write(made, tmp_path / name, tables.baselines(number)):
        assert file.read_text() == committed.with_name(file.name).read_text(), (
            "make it again with: discom table --out"
        )


def test_the_readmes_tables_are_what_the_results_say():
    made = "".join(file.read_text() for file in (ROOT / "results").rglob("*.md"))
    made += tables.cost_to_markdown(tables.load_results(ROOT / "results/scenes-cpu.json"))
    rows = [line for line in README.splitlines() if line.startswith(("| scenes", "| hls"))]
    assert len(rows) > 30
    assert [line for line in rows if line not in made] == []


@pytest.mark.parametrize("page", ["README.md", "data/README.md"])
def test_paths_in_the_pages_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target
    for target in re.findall(r"`((?:discom|tests|notebooks|results)/[\w/.-]+)`", text):
        assert (ROOT / target).exists(), target


def test_every_command_of_the_data_page_parses():
    block = re.search(r"```bash\n(.*?)```", (ROOT / "data/README.md").read_text(), re.DOTALL)[1]
    commands = [line.split("#")[0] for line in block.splitlines() if line.startswith("discom ")]
    assert len(commands) >= 6
    for command in commands:
        cli.make_parser().parse_args(shlex.split(command)[1:])


def leak_row(method: str, modality: str) -> str:
    """A method's score with places kept whole and with places divided, paired by seed."""
    found = [
        tables.load_results(ROOT / "results" / file)
        for file in ("hls-cpu.json", "splits/hls-random.json")
    ]
    places, divided = (
        [r.f1[modality] for seed in range(3) for r in results
         if r.seed == seed and tables.label(r.method, r.config["options"]) == method]
        for results in found
    )  # fmt: skip
    (one, two), difference = (pairs_of(places, divided), tables.paired_difference(divided, places))
    return f"| {method} | {modality} | {one} | {two} | {'{:+.1f} [{:+.1f}, {:+.1f}]'.format(*difference)} |"


def pairs_of(*scores) -> list[str]:
    return [f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}" for values in scores]


@pytest.mark.parametrize("method", ["student", "student-2x", "discom-solo", "discom"])
@pytest.mark.parametrize("modality", ["rgb", "elevation"])
def test_what_a_leaking_split_is_worth_is_what_the_results_say(method, modality):
    assert leak_row(method, modality) in (ROOT / "data/README.md").read_text()


SAMPLES = {"eurosat": 27_000, "sunrgbd": 2_105, "tristar": 14_201}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_work_of_the_papers_tables_is_what_was_counted(name):
    """Samples of the training part × 300 epochs × 5 seeds, for the rows of each table."""
    flops = json.loads((ROOT / "results/costs.json").read_text())["gflop_per_training_sample"][name]
    baselines = sum(flops[method] for method in ("student", "student-2x", "discom-solo", "discom"))
    kinds = {key.partition(" ")[0]: [] for key in flops}
    for key, value in flops.items():
        kinds[key.partition(" ")[0]].append(value)  # one-sensor teacher first, then all
    scale = 0.7 * SAMPLES[name] * 300 * 5 * 1e9 / 1e18
    tables_ = [
        baselines + kinds["teacher"][k] + 8 * kinds["distilled"][k] + 2 * kinds["mlkd"][k]
        for k in (0, 1)
    ]
    page = (ROOT / "data/README.md").read_text()
    row = next(
        line
        for line in page[page.index("| set | archives") :].splitlines()
        if line.startswith(f"| {name}")
    )
    told = [float(cell) for cell in row.split("|")[-4:-1]]
    assert told == pytest.approx(
        [scale * t for t in tables_] + [scale * (sum(tables_) - baselines)], abs=0.012
    )


def test_what_a_linear_layer_is_worth_is_what_the_results_say():
    results = tables.load_results(ROOT / "results/ablations/scenes-options-table3.json")

    def scores(method: str, modality: str) -> list[float]:
        held = {
            r.seed: r.f1[modality]
            for r in results
            if tables.label(r.method, r.config["options"]) == method
        }
        return [held[seed] for seed in range(5)]

    layer = " dimension=256"
    for ours, theirs in (("discom" + layer, "discom"), ("discom-solo" + layer, "discom-solo"),
                         ("discom" + layer, "discom-solo" + layer)):  # fmt: skip
        for modality in ("rgb", "depth"):
            found = tables.paired_difference(scores(ours, modality), scores(theirs, modality))
            assert "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found) in README
