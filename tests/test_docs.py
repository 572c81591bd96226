"""Pages and the code: commands parse, links lead somewhere, examples run, choices are those of
`results/`. test_pages.py has the numbers."""

import json
import math
import re
import shlex
import subprocess
import sys
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from discom import cli, data, methods, profile, tables
from discom.running.runs import Result

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
PAGES += sorted(DOCS.rglob("*.md"))
README = (ROOT / "README.md").read_text()
METHODS = (DOCS / "methods.md").read_text()
NAMES = methods.names()  # before other tests register methods of their own
SETS = {*data.DRAWN, *data.OWN, *data.sources.names(), "my_images"}  # a folder of images
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(text: str, kind: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The arguments of every `discom …` line without shell variables."""
    lines = re.sub(r"\\\n", " ", "\n".join(blocks(text, "bash"))).splitlines()
    words = [shlex.split(line, comments=True) for line in lines if "$" not in line]
    return [line[1:] for line in words if line[:1] == ["discom"]]


@each_page
def test_tests_links_and_make_targets_of_a_page_are_there(page):
    text = page.read_text()
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        defined = re.compile(rf"^(def {name}\(|{name} = )", re.MULTILINE)
        assert defined.search((ROOT / file).read_text()), (file, name)
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`((?:discom|tests|notebooks|results)/[\w/.-]+)`", text):
        assert (ROOT / target).exists(), target
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([\w-]+)", text, re.MULTILINE)) <= set(targets)


@each_page
def test_commands_parse(page, flags_of):
    found = commands(page.read_text())
    assert len(found) >= {ROOT / "README.md": 2, DOCS / "cli.md": 15}.get(page, 0)
    for arguments in found:
        source = flags_of(*arguments).get("data") or "objects"  # a set, or a folder: data/mine, RAW
        assert "/" in source or source.isupper() or source.partition(":")[0] in SETS, source


def test_images_are_sorted_by_a_table_whatever_their_names(tmp_path, monkeypatch):
    """A pattern of names took v1.2.png for v1, and found no name in brackets."""
    monkeypatch.chdir(tmp_path)
    labels = {"v1": "cat", "v1.2": "dog", "w[1]": "cat", "x*.png": "dog", "y": "", "z": "None"}
    for name in labels:
        for sensor in ("RGB", "thermal"):
            Path(sensor).mkdir(exist_ok=True)
            Path(sensor, f"{name.removesuffix('.png')}.png").touch()
    table = "\n".join(["name,label", *(f"{name},{kind}" for name, kind in labels.items())])
    Path("labels.csv").write_text(table)
    (code,) = blocks((DOCS / "guides/own_data.md").read_text(), "py")
    exec(code, {})
    for sensor, (name, kind) in product(("RGB", "thermal"), labels.items()):
        places = Path("my_images", sensor).glob("*/*")
        stem = name.removesuffix(".png")
        own = [file.parent.name for file in places if file.stem == stem]
        assert own == [kind or "unlabelled"]
    copies = sorted(Path("my_images").rglob("*"))
    Path("labels.csv").write_text(table.replace("v1,cat", "v1,dog"))
    with pytest.raises(FileExistsError, match="my_images"):  # else v1 was a cat and a dog
        exec(code, {})
    for row, error in (("v3,cat", KeyError), ("v1.png,dog", ValueError)):
        Path("labels.csv").write_text(f"{table}\n{row}")
        with pytest.raises(error, match=row[:2]):
            exec(code, {})
    Path("labels.csv").write_text("\n".join(["sep=;", *table.replace(",", ";").split("\n")]))
    for how, error in (('sep=";"', KeyError), ('sep=";", skiprows=1', FileExistsError)):
        with pytest.raises(error, match=r"name|my_images"):  # or all was read, and the copies stay
            exec(code.replace("dtype=str", f"dtype=str, {how}"), {})
    assert sorted(Path("my_images").rglob("*")) == copies


def test_labels_that_are_words_become_arrays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my_arrays").mkdir()
    np.save("my_arrays/acc.npy", np.zeros((3, 3, 64)))
    rows = ["window,label,person", "2,walk,anna", "0,None,ben", "1,,anna"]
    Path("labels.csv").write_text("\n".join(rows))
    (code,) = blocks((DOCS / "guides/signals.md").read_text(), "py")
    exec(code, {})
    windows = data.read_arrays("my_arrays")
    assert windows.classes == ("None", "walk")
    assert windows.labels.tolist() == [0, -1, 1]
    assert windows.groups.tolist() == ["ben", "anna", "anna"]
    for rows, groups in ((["2,walk,7", "0,walk,8"], ["8", "7"]), (["5,walk,7", "0,sit,"], None)):
        Path("labels.csv").write_text("\n".join(["window,label,person", *rows]))
        if groups is None:
            with pytest.raises(ValueError, match=r"\[0\]"):
                exec(code, {})
        else:
            exec(code, {})
            assert np.load("my_arrays/groups.npy").tolist() == groups


@pytest.mark.slow
def test_first_steps_and_deployment_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "cli.md").read_text()
    first = page[page.index("## First steps") :].partition("\n## ")[0]
    guide = (DOCS / "guides/deploy.md").read_text().partition("\n## A class for every pixel")[0]
    images, alone = blocks(guide, "python")
    for arguments in commands(f"```bash\n{blocks(first, 'bash')[0]}```"):
        assert cli.main(arguments) == 0, arguments
    exec(images, {})
    for arguments in commands(guide):
        assert cli.main(arguments) == 0, arguments
    answers = capsys.readouterr().out
    assert "build/readme/images/2.npy," in answers
    exec(alone, {})
    assert f"images/0.npy,{capsys.readouterr().out.split()[0]}," in answers


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["README.md", "docs/guides/new_method.md", "docs/guides/new_data.md"]
)
def test_examples_run(page, tmp_path):
    for code in blocks((ROOT / page).read_text(), "python"):
        short = code.replace('"cpu"', '"tiny"')
        short = short.replace('"objects"', '"objects:n=330"')
        name = "mutual.py" if "class Mutual" in code else "example.py"  # a later block reads it
        (tmp_path / name).write_text(short)
        command = [sys.executable, name]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert re.search(r"'rgb': \d|\| rgb ", done.stdout)
    assert list(tmp_path.glob("runs/*/result.json"))


def test_a_loop_of_ones_own_trains_both_methods():
    """The page's blocks, one after the other: every weight gets a gradient of the last loss,
    and what it deploys answers for each image and each pixel."""
    page: dict = {}
    for code in blocks((DOCS / "guides/own_loop.md").read_text(), "python"):
        exec(code, page)
    assert page["logits"].shape == (64, 9)
    assert page["classes"].shape == page["masks"].shape
    assert page["z_inv"]["rgb"].grad is None
    page["adversarial"].backward()
    assert page["z_inv"]["rgb"].grad.any()
    for trained in (page["model"], page["segmenter"]):
        moved = {name for name, weight in trained.named_parameters() if weight.grad.any()}
        assert {name for name, _ in trained.named_parameters()} == moved


def test_settings_of_the_tables_are_the_chosen_ones():
    def choice(name: str) -> dict:
        return json.loads((ROOT / f"results/choices/{name}.json").read_text())

    def means(tries: dict) -> dict[float, float]:  # value → its mean over methods
        return {float(v): np.mean([*tries[v].values()]) for v in tries if v[0].isdigit()}

    def by_method(name: str, run: Result, every: bool) -> dict[float, float]:
        tried = {}
        for file in (ROOT / f"results/choices/{name}").glob("learning-rate*.json"):
            if ("-all" in file.stem) == every:
                tries = choice(f"{name}/{file.stem}")
                values = [v for v in tries if v[0].isdigit() and run.method in tries[v]]
                tried |= {float(v): tries[v][run.method] for v in values}
        return tried

    def by_network(files: list[Path], run: Result) -> dict[float, float]:  # pooled over folds
        (network,) = run.scores
        chosen = [json.loads(file.read_text())["networks"] for file in files]
        tries = [each.get(f"{run.method} / {network}", {}) for each in chosen]
        return {float(v): own[v] for own in tries for v in own if v[0].isdigit()}

    chosen = choice("all-labels/learning-rate")["chosen"]
    assert set(chosen.values()) == {profile("cpu").learning_rate}
    for name in ("cells", "hls"):
        pooled = [*(ROOT / f"results/choices/{name}").glob("every-label-rate*.json")]
        for run in tables.load_results(ROOT / f"results/{name}.csv"):
            every = run.config["labelled"] == 1
            tried = by_network(pooled, run) if every and pooled else by_method(name, run, every)
            assert run.config["learning_rate"] == max(tried, key=tried.get), (name, run.method)
    tried = means(choice("dense/learning-rate"))
    assert tried[profile("cpu", dense=True).learning_rate] > max(tried.values()) - 0.01  # a tie
    for name in ("contrast", "soft"):
        for method, best in choice(f"dense/{name}")["chosen"].items():
            assert methods.get(method).terms[name] == best


def test_minutes_of_the_notebooks_are_those_of_their_last_run():
    stated = re.findall(r"notebooks/(\w+)\.ipynb\) \|.*?\| (<1|\d+) \|", README)
    assert len(stated) == 15
    for name, minutes in stated:
        page = (ROOT / f"notebooks/{name}.ipynb").read_text()
        (seconds,) = re.findall(r"checks passed · (\d+) s", page)
        assert int(minutes.strip("<")) == math.ceil(int(seconds) / 60), (name, seconds)
        assert ("<" in minutes) == (int(seconds) < 60)


def test_methods_page_lists_every_method_with_its_weights():
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in METHODS.splitlines()]
    cells = [row for row in cells if row and re.fullmatch(r"`[a-z\d+-]+`", row[0])]
    listed = {row[0].strip("`"): row for row in cells}
    assert list(listed) == NAMES, "a method in a new file is the last row"
    for name, row in listed.items():
        weights = dict(term.split() for term in row[2].split(", "))
        assert {term: float(weight) for term, weight in weights.items()} == methods.get(name).terms
        method = methods.get(name)
        assert row[1] == f"`discom.methods.{method.__name__}`"
        assert getattr(methods, method.__name__) is method


def test_methods_page_names_what_there_is():
    """Every function and class of its tables, in the file that its link leads to."""
    rows = re.findall(r"\[`(discom[\w.]*)\.(\w+)`\]\(\.\./([\w/.]+)\)", METHODS)
    assert len(rows) > 30
    for module, name, file in rows:
        defined = getattr(import_module(module), name)
        assert (defined.__module__, Path(sys.modules[module].__file__)) == (module, ROOT / file)
