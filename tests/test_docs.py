"""Pages and the code: commands parse, links lead somewhere, numbers come from `results/`."""

import importlib
import io
import json
import math
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import discom
from discom import cli, methods, profile, tables
from discom.tables import rows as rows_of_tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GENERATED = {DOCS / "api", DOCS / "data", DOCS / "notebooks"}
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
PAGES += [page for page in sorted(DOCS.rglob("*.md")) if not GENERATED & set(page.parents)]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()
METHODS = (DOCS / "methods.md").read_text()
SPLITS = (DOCS / "guides/splits.md").read_text()
CLAIM = re.compile(r"\d+\.\d ± \d+\.\d|[+-]\d+\.\d \[.+?\]")  # mean ± sd, or an interval
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(text: str, kind: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The arguments of every `discom …` line without shell variables."""
    lines = re.sub(r"\\\n", " ", "\n".join(blocks(text, "bash"))).splitlines()
    words = [shlex.split(line, comments=True) for line in lines if "$" not in line]
    return [line[1:] for line in words if line[:1] == ["discom"]]


def run_python(code: str, folder: Path) -> str:
    file = folder / "example.py"
    file.write_text(code)
    command = [sys.executable, file.name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


# ------------------------------------------------------------------------------ every page


@each_page
def test_links_lead_somewhere(page):
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`((?:discom|tests|notebooks|results)/[\w/.-]+)`", text):
        assert (ROOT / target).exists(), target


def test_linkcheck_asks_for_every_address():
    """It reads the site, so an address of another file has to stand there, too."""
    address = re.compile(r"https?://[\w./-]+\w")
    asked = {each for page in DOCS.rglob("*.md") for each in address.findall(page.read_text())}
    for name in ("README.md", "CITATION.cff"):
        for found in address.findall((ROOT / name).read_text()):
            own = found.startswith(tuple(url.strip("/") for url in PROJECT["urls"].values()))
            assert own or "colab.research.google.com" in found or found in asked, found


@each_page
def test_commands_parse(page, flags_of):
    for arguments in commands(page.read_text()):
        flags_of(*arguments)


@each_page
def test_make_targets_exist(page):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"`make ([\w-]+)", page.read_text())
    named += re.findall(
        r"^make ([\w-]+)", "\n".join(blocks(page.read_text(), "bash")), re.MULTILINE
    )
    assert set(named) <= set(targets)


def test_quick_start_and_catalogue_hold_commands():
    assert len(commands(README)) >= 4
    assert len(commands((DOCS / "cli.md").read_text())) >= 15


# ------------------------------------------------------------------------------ examples run


@pytest.mark.slow
def test_quick_start_runs(tmp_path):
    (code,) = blocks(README, "python")
    short = code.replace('"scenes"', '"scenes:n=330"').replace('"cpu"', '"tiny"')
    assert "discom {'rgb': " in run_python(short, tmp_path)


@pytest.mark.slow
def test_first_steps_and_deployment_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "cli.md").read_text()
    first = page[page.index("## First steps") :].partition("\n## ")[0]
    guide = (DOCS / "guides/deploy.md").read_text().partition("\n## Large images")[0]
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
@pytest.mark.parametrize("guide", ["new_method", "new_data"])
def test_guide_runs(guide, tmp_path):
    for code in blocks((DOCS / f"guides/{guide}.md").read_text(), "python"):
        assert "'rgb': " in run_python(code, tmp_path)
    assert list(tmp_path.glob("runs/*/result.json"))


# ------------------------------------------------------------------------------ numbers


def mean_and_sd(scores, digits: int = 1) -> str:
    return f"{np.mean(scores):.{digits}f} ± {np.std(scores, ddof=1):.{digits}f}"


def means(table: pd.DataFrame, *columns: str) -> str:
    return " / ".join(f"{table[column].mean():.0f}" for column in columns)


TABLES = [
    file for file in (ROOT / "results").rglob("*.md") if re.search(r"-table-?\w+$", file.stem)
]


@pytest.mark.parametrize("committed", sorted(TABLES), ids=lambda file: file.stem)
def test_committed_table_equals_its_runs(committed, tmp_path):
    name = committed.stem
    number = re.search(r"-table-?(\w+)$", name)[1]
    number = int(number) if number.isdigit() else number
    table = tables.paper_table(tables.load_results(committed.with_suffix(".json")), number)
    for file in tables.write(table, tmp_path / name, tables.baselines(number)):
        again, stored = (f.read_text() for f in (file, committed.with_name(file.name)))
        if file.suffix == ".csv":  # other versions of scipy differ in the tenth digit
            again, stored = (pd.read_csv(io.StringIO(text)) for text in (again, stored))
            pd.testing.assert_frame_equal(again, stored, rtol=1e-8)
        else:
            assert again == stored, file.name


def test_rows_and_intervals_of_the_pages_come_from_results():
    source = "".join(file.read_text() for file in (ROOT / "results").rglob("*.md"))
    pages = (DOCS / "results").glob("*.md")
    rows = [
        line
        for page in pages
        for line in page.read_text().splitlines()
        if line.startswith(("| scenes", "| hls", "| cellcycle"))
    ]
    assert len(rows) > 60
    unpadded = re.sub(" +", " ", source)
    assert [row for row in rows if row not in unpadded] == []


def test_costs_of_runs_come_from_results():
    page = (DOCS / "performance.md").read_text()
    costs = tables.cost_to_markdown(tables.load_results(ROOT / "results/scenes-table2.json"))
    claims = re.findall(r"^\| `(.+)` \| (.+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in costs.splitlines()]
    known = {(row[2], row[3], row[4], row[6], row[8]) for row in rows if len(row) > 8}
    assert len(claims) == 9
    assert [claim for claim in claims if claim not in known] == []


def test_speed_comes_from_results():
    page = (DOCS / "performance.md").read_text()
    bench = ROOT / "results/bench"
    for size, each in json.loads((bench / "speed.json").read_text())["comparisons"].items():
        speed = each["pairs_per_second"]
        low, high = speed["interval"]
        pairs = [f"{speed[path]:.{speed[path] < 1000:d}f}" for path in ("reference", "ours")]
        row = f"| `{size}` | {' | '.join(pairs)} | {speed['ratio']:.2f} [{low:.2f}, {high:.2f}] |"
        assert row in page
    job = json.loads((bench / "main-job.json").read_text())
    (stated,) = re.findall(r"takes (\d+) s with two threads .* it took (\d+) s", page, re.DOTALL)
    medians = [np.median(job[when]["seconds"]) for when in ("after", "before")]
    assert [int(seconds) for seconds in stated] == [round(seconds) for seconds in medians]


def test_gains_of_the_second_sensor_come_from_results():
    source = "".join(file.read_text() for file in (ROOT / "results/few-labels").glob("*.md"))
    pages = [DOCS / f"{name}.md" for name in ("guides/second_sensor", "results/few_labels")]
    page = "".join(file.read_text() for file in pages)
    chart = (DOCS / "_static/second-sensor.svg").read_text().replace("−", "-")
    claims = CLAIM.findall(page)
    claims += [f"{gain} [" for gain in re.findall(r"[+-]\d+\.\d", chart)]
    assert len(claims) > 80
    assert [claim for claim in claims if claim not in source] == []


def test_gains_of_dense_prediction_come_from_results():
    source = "".join(file.read_text() for file in (ROOT / "results/dense").glob("*.md"))
    pages = [DOCS / f"results/{name}.md" for name in ("segmentation", "crodino")]
    page = "".join(file.read_text() for file in pages).replace("*", "")
    claims = CLAIM.findall(page)
    assert len(claims) > 90
    assert [claim for claim in claims if claim not in source] == []


def test_table_of_the_readme_comes_from_results():
    runs = tables.load_results(ROOT / "results/scenes-table2.json")
    rows = re.findall(r"^\| (.+?) \| (\d\d\..*?) \| (\d\d\..*?) \|$", README, re.MULTILINE)
    table = tables.paper_table(runs, 2).query("method == 'student'")
    assert [float(cell) for cell in rows[0][1:]] == table["best"].round(1).tolist()
    names = ["student", "student-2x", "discom-solo", "discom"]
    for (_, *cells), method in zip(rows[1:], names, strict=True):
        own = [run.f1 for run in runs if run.label == method]
        assert cells == [mean_and_sd([f1[sensor] for f1 in own]) for sensor in ("rgb", "depth")]
    source = "".join((ROOT / f"results/{name}.md").read_text() for name in (T2, TEN))
    claims = CLAIM.findall(README)
    assert len(claims) >= 12
    assert [claim for claim in claims if claim not in source] == []


def test_minutes_of_the_notebooks_are_those_of_their_last_run():
    stated = re.findall(r"notebooks/(\w+)\.ipynb\) \|.*?\| (<1|\d) \|", README)
    assert len(stated) == 11
    for name, minutes in stated:
        page = (ROOT / f"notebooks/{name}.ipynb").read_text()
        (seconds,) = re.findall(r"checks passed · (\d+) s", page)
        assert int(minutes.strip("<")) == math.ceil(int(seconds) / 60), (name, seconds)
        assert ("<" in minutes) == (int(seconds) < 60)


def test_runs_and_minutes_come_from_results():
    lines = (ROOT / "results/README.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| `" in line]
    rows = [row for row in rows if row[5][0].isdigit() and not re.search(r"\*|bench", row[0])]
    assert len(rows) > 20
    for name, *_, stated, minutes in rows:
        runs = tables.load_results(ROOT / f"results/{name.strip('`').removesuffix('.json')}.json")
        seconds = sum(run.seconds for run in runs)
        expected = f"{len(runs)}", f"{seconds / 60:.0f}"
        assert (re.match(r"\d+", stated)[0], re.match(r"\d+", minutes)[0]) == expected, name


def test_first_runs_of_the_quick_start_come_from_results():
    page = (DOCS / "start.md").read_text()
    runs = tables.load_results(ROOT / "results/scenes-table2.json")
    for method in ("student", "discom"):
        (run,) = [run for run in runs if run.label == method and run.seed == 0]
        for sensor, f1 in run.f1.items():
            assert re.search(rf"{method} on scenes.*?^{sensor} +{f1:.2f} ", page, re.S | re.M)
            assert re.search(rf"scenes \| {method} +\| {sensor} .*\| {f1:.1f} ", page)
    (stated,) = re.findall(r"with one thread `student` scores (\S+) in depth", README)
    (student,) = [run.f1 for run in runs if run.label == "student" and run.seed == 0]
    assert stated == f"{student['depth']:.1f}"


WORDS = {"four": 4, "seven": 7, "nineteen": 19, "twenty": 20}
N = r"([\d.]+)"
TEN, DENSE = "few-labels/scenes-labelled-ten", "dense/scenes-labelled"
T1, T2, T3, T5 = (f"scenes-table{number}" for number in (1, 2, 3, 5))
STATED = [  # page, words around the numbers, runs, share labelled, what each number is
    ("README", r"by (twenty) F1 points", TEN, 0.1, "depth: nt-xent - student"),
    ("README", r"with 400 by (seven) points", TEN, 0.2, "depth: nt-xent - student"),
    ("README", rf"RGB gains {N} from SimCLR, {N} from NT-Xent", TEN, 0.1,
     "rgb: simclr depth=0.1 - student", "rgb: nt-xent - student"),
    ("README", rf"student gains {N} points of mIoU, an RGB teacher's {N};", DENSE, 0.05,
     "rgb: dense-kdv2 - single", "rgb: dense-self - single"),
    ("README", r"Without it RGB falls (four) points", T3, 1, "rgb: discom - discom aux=0"),
    ("docs/start", rf"lies {N} points above the student in RGB and {N} in depth", T2, 1,
     "rgb: discom - student", "depth: discom - student"),
    *((page, rf"from {N} to {N} F1", TEN, 0.1, "depth: student", "depth: nt-xent")
      for page in ("docs/index", "docs/guides/second_sensor")),
    ("docs/guides/second_sensor", rf"scored {N} with 400 labels", TEN, 0.2, "depth: student"),
    ("docs/guides/second_sensor", rf"gained {N} points, of which {N}", TEN, 0.1,
     "rgb: nt-xent - student", "rgb: simclr depth=0.1 - student"),
    ("docs/results/segmentation", rf"gains {N} points of mIoU .* alone brings {N}", DENSE, 0.05,
     "rgb: dense-kdv2 - single", "rgb: dense-self - single"),
    ("docs/results/index", rf"masks for 5 % of the images: {N} points", DENSE, 0.05,
     "rgb: dense-kdv2 - single"),
    ("docs/results/classification", "`dkd` (nineteen)", T1, 1, "depth: student - dkd teacher=rgb"),
    ("docs/results/ablations", rf"is {N} points below the branch .* and {N} points below", T3, 1,
     "depth: discom-solo orth=0 - discom orth=0",
     "depth: discom-solo dimension=256 - discom dimension=256"),
    ("docs/results/invariance", rf"most of it for {N} points in depth", T5, 1,
     "depth: discom - discom xcov=5"),
]  # fmt: skip


@pytest.mark.parametrize("claim", STATED, ids=lambda claim: f"{claim[0]}: {claim[1]}")
def test_numbers_that_sentences_state_come_from_results(claim):
    page, words, file, share, *comparisons = claim
    text = " ".join((ROOT / f"{page}.md").read_text().split())
    (found,) = re.finditer(words, text)
    runs = tables.load_results(ROOT / f"results/{file}.json")
    for stated, comparison in zip(found.groups(), comparisons, strict=True):
        sensor, method, minus = re.fullmatch("(.+?): (.+?)(?: - (.+))?", comparison).groups()
        table = tables.summary(runs) if minus is None else tables.compare(runs, [(method, minus)])
        rows = table[(table["modality"] == sensor) & (table["method"] == method)]
        value = rows.loc[np.isclose(tables.labelled(rows), share), "difference" if minus else "f1"]
        digits = len(stated.partition(".")[2])
        assert float(WORDS.get(stated, stated)) == round(value.item(), digits)


STRONG = "discom dimension=32 adversary=alternating adversary_head=64 orth=0"
PROBED = {  # row of a table → the method in scenes-probes.json
    "the paper's": "discom",
    "alternating adversary": "discom adversary=alternating",
    "MDiCo": "mdico",
    "without `adv`": "discom adv=0",
    "without `orth`": "discom orth=0",
    "without `adv`, `mod`, `orth`": "discom adv=0 mod=0 orth=0",
    "strong adversary: alternating, 64 hidden units, z of 32 units, without `orth`": STRONG,
    "strong adversary and `hsic=0.2`": f"{STRONG} hsic=0.2",
    "`discom-solo`": "discom-solo",
    "none": "discom",
    "`irr=1`": "discom irr=1",
    "`xcov=5`": "discom xcov=5",
    "`hsic=0.2`": "discom hsic=0.2",
}


def test_probes_come_from_results():
    page = (DOCS / "results/invariance.md").read_text()
    runs = json.loads((ROOT / "results/scenes-probes.json").read_text())
    for name, method in PROBED.items():
        probes = pd.json_normalize([run for run in runs if run["method"] == method])
        invariant = [
            mean_and_sd(probes["modality.z_inv.score"], 0).removesuffix(" ± 0"),
            mean_and_sd(probes["mlp.modality.z_inv.score"], 0).removesuffix(" ± 0"),
            means(probes, "matrix.rgb.z_inv.class", "matrix.depth.z_inv.class"),
            means(probes, "transfer.rgb.depth", "transfer.depth.rgb"),
        ]
        irrelevant = [
            means(probes, f"matrix.{sensor}.z_irr.class", f"mlp.matrix.{sensor}.z_irr.class")
            for sensor in ("rgb", "depth")
        ]
        rows = [f"\n| {name} | {' | '.join(cells)} |" for cells in (invariant, irrelevant)]
        lines = len(re.findall(rf"^\| {re.escape(name)} \|.* / ", page, re.MULTILINE))
        assert lines == sum(row in page for row in rows) > 0, rows


def test_every_table_of_results_is_shown():
    linked, shown = ((DOCS / f"results/{name}.md").read_text() for name in ("index", "tables"))
    for file in (ROOT / "results").rglob("*-*.md"):
        path = f"../../{file.relative_to(ROOT).as_posix()}"
        assert f"]({path})" in linked, file.name
        assert f"{{include}} {path}\n" in shown, file.name


@pytest.mark.parametrize("method", ["student", "discom", "discom adversary=alternating"])
@pytest.mark.parametrize("modality", ["rgb", "elevation"])
def test_cost_of_a_leaking_split_comes_from_results(method, modality):
    scores, ratios = [], []
    for file in ("hls-table2.json", "hls-random-table2.json"):
        runs = tables.load_results(ROOT / "results" / file)
        runs = [run for run in runs if run.label == method]
        ratios += [run.counts["test"] / run.counts["train"] for run in runs]
        scores.append([run.f1[modality] for run in runs])
    mean, low, high = tables.unpaired_difference(scores[1], scores[0], np.mean(ratios))
    cells = [method, modality, *map(mean_and_sd, scores), f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"]
    assert f"| {' | '.join(cells)} |" in SPLITS


@pytest.mark.parametrize("setting", ["weight decay", "batch", "epochs", "width"])
def test_chosen_settings_come_from_results(setting):
    name = {"batch": "batch-size"}.get(setting, setting.replace(" ", "-"))
    tries = json.loads((ROOT / f"results/choices/{name}.json").read_text())
    scores = [f"{value}: {tries[value]['student']:.1f}" for value in tries if value[0].isdigit()]
    page = (DOCS / "results/protocol.md").read_text()
    assert f"| {setting} | {', '.join(scores)} |" in page


def test_settings_of_the_tables_are_the_chosen_ones():
    choices = ROOT / "results/choices"
    best = json.loads((choices / "temperature.json").read_text())["chosen"]
    assert best == rows_of_tables.TEMPERATURES
    best = json.loads((choices / "learning-rate.json").read_text())["chosen"]
    assert set(best.values()) == {profile("cpu").learning_rate}
    for name, table in (("hls", "hls"), ("cellcycle", "cellcycle-stain")):
        tries = json.loads((choices / f"{name}-learning-rate.json").read_text())
        means = {value: np.mean([*tries[value].values()]) for value in tries if value[0].isdigit()}
        used = tables.load_results(ROOT / f"results/{table}-table2.json")
        assert {run.config["learning_rate"] for run in used} == {float(max(means, key=means.get))}
    tries = json.loads((choices / "dense/learning-rate.json").read_text())
    means = {value: np.mean([*tries[value].values()]) for value in tries if value[0].isdigit()}
    used = means[f"{profile('cpu', dense=True).learning_rate:g}"]
    assert used > max(means.values()) - 0.01  # two rates tie
    for name in ("contrast", "soft"):
        for method, best in json.loads((choices / f"dense/{name}.json").read_text())[
            "chosen"
        ].items():
            assert methods.get(method).terms[name] == best


# ------------------------------------------------------------------------------ methods page


def rows(pattern: str) -> list[list[str]]:
    """The cells of the methods page's table rows whose first cell matches."""
    lines = [line for line in METHODS.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [row for row in cells if re.fullmatch(pattern, row[0])]


def test_methods_page_lists_every_method_with_its_weights():
    listed = {row[0].strip("`"): row for row in rows(r"`[a-z\d+-]+`")}
    assert list(listed) == methods.names()
    for name, row in listed.items():
        weights = dict(term.split() for term in row[2].split(", "))
        assert {term: float(weight) for term, weight in weights.items()} == dict(
            methods.get(name).terms
        )


def test_methods_page_says_which_terms_learn_without_labels():
    listed = {}
    for line in re.findall(r"^- (`.+`): (.+)", METHODS, re.MULTILINE):
        listed |= {name.strip("`"): line[1] for name in line[0].split(", ")}
    assert set(listed) == set(methods.names())
    for name, terms in listed.items():
        method = methods.get(name)
        expected = "refused, " if method.every_label else ", ".join(method.unlabelled) or "none"
        assert terms.startswith(expected)


def test_methods_page_lists_every_loss():
    listed = {row[0].strip("`") for row in rows(r"`discom\.losses\..+`")}
    public = set()
    for file in (ROOT / "discom/losses").glob("[a-z]*.py"):
        module = importlib.import_module(f"discom.losses.{file.stem}")
        public |= {
            f"{module.__name__}.{name}"
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__
            and not name.startswith(("_", "check_"))
        }
    assert listed == public


# ------------------------------------------------------------------------------ forms


def test_citation_and_hooks_are_valid():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert citation["version"] == discom.__version__
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert len(citation["references"]) == 2
    command = [sys.executable, "-m", "pre_commit", "validate-config"]
    subprocess.run([*command, str(ROOT / ".pre-commit-config.yaml")], check=True)
