"""Odd command lines and odd arguments: what is wrong is refused in one line, and nothing is left
half-written. Downloads are replaced; trainings are real, of few runs on tiny images."""

import inspect
import io
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from discom import advice, cli, data, methods, profile, tables
from discom.errors import DiscomError
from discom.running import sweep

SMALL = "scenes:n=66,size=8"
RUNS = 12  # of a table or an answer: three methods in four folds
COMMANDS = [name for name in cli.ALL if name != "data"] + [f"data {name}" for name in cli.DATA]
# what is right for an argument or a flag, words apart; for all others it is a 2
USUAL = {
    "data": f"{SMALL} prepared images",
    "path": "runs runs/scenes/student all.csv",
    "number": "1 2 3 dense",
    "method": "student discom kdv2 mdico",
    "methods": "student discom,kdv2",
    "modalities": "rgb depth+rgb",
    "modality": "rgb",
    "profile": "tiny",
    "seeds": "1 3",
    "split": "random",
    "options": '{} {"group_copies":true} {"unit":{"rgb":"m"}} {"weights":{"cl":2}}',
    "root": "images",
    "out": "new new.png new.csv",
    "collect": "new.csv",
    "features": "none",
    **{name: str(value) for name, value in asdict(profile("tiny", augment=0.1)).items() if value},
    "seed": "0 1",
}
# what a person may type for anything: numbers, names, JSON, and places in the folder below
ODD_WORDS = f"""
    0 -1 1.5 nan inf 1e999 ² true Δ = + , a,b : rgb+ student, single huge x.abc new/new . .. x.csv
    folders scenes scenes: scenes:n=3 scenes:n=x {SMALL},seed=-1 scenes:= ./scenes empty broken
    scenes-dense:n=20,size=16 eurosat cellcycle: hls:n=1 prepared noise.json list.json noise.json/x
    [] null {{"a":1}} {{"size":0}} {{"size":[8,8,8]}} {{"unit":"mm"}} {{"weights":{{"cl":"x"}}}}
    {{"weights":3}} {{"teacher":[]}} {{"temperature":-1}} {{"invalid":{{"rgb":1e999}}}}
""".split()
ODD_WORDS += ["", " "]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), max_size=6)
WORD = st.sampled_from(ODD_WORDS) | TEXT
NUMBERS = [0, -1, 1, 2, 3, 8, 2**31, 2**70, 0.5, 1.0, -0.0, 1e-320, float("nan"), float("inf")]
DRAWERS = list(data.DRAWN.values())
SIDES = st.sampled_from([0, -1, 1, 7, 8, 12])
SENSOR = st.sampled_from(["rgb", "depth", "thermal", "x"])
VALUES = {  # type → values of that type, out of their range or not
    int: st.sampled_from([number for number in NUMBERS if isinstance(number, int)]),
    float: st.sampled_from(NUMBERS),
    bool: st.booleans(),
    str: WORD,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)


def quick(count: int):
    unchecked = list(HealthCheck)
    return settings(
        max_examples=count, derandomize=True, deadline=None, suppress_health_check=unchecked
    )


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A folder with things of all kinds, where little is trained and nothing downloaded."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("fuzz") / "a" / "b"
        for name in ("empty", "broken/rgb/a"):
            (place / name).mkdir(parents=True)
        patch.chdir(place)
        patch.delenv("DISCOM_DATA", raising=False)
        (place / "noise.json").write_bytes(bytes(range(256)))
        (place / "list.json").write_text('[{"checksum": 1}, 2]')
        (place / "broken/rgb/a/0.png").write_bytes(b"no image")
        for number, name in enumerate(product(("rgb", "depth"), "ab", range(6))):
            file = place.joinpath("images", *map(str, name)).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 255, (8, 8), np.uint8)
            Image.fromarray(pixels).save(file)
        for name in ("scenes", "prepared"):
            data.load(SMALL).save(place / name)
        trained = ["--data", SMALL, "--method", "student", "--profile", "tiny", "--epochs", "1"]
        assert cli.main(["train", *trained]) == 0
        tables.collect(tables.load_results("runs"), "all.csv")

        def no_network(downloader, url, *_):
            raise ValueError("no network in tests")

        every, count = sweep.sweep, sweep.worker_count

        def first_runs(runs, *given, workers=0, **how):
            count(workers)  # refuses an odd number
            return every([*runs][:RUNS], *given, workers=1, **how)

        for draw, few in zip(DRAWERS, ((66, 8), (20,), (66, 8)), strict=True):
            patch.setattr(draw, "__defaults__", (*few, *draw.__defaults__[len(few) :]))
        patch.setattr("pooch.HTTPDownloader.__call__", no_network)
        patch.setattr("pooch.core.time.sleep", lambda seconds: None)
        patch.setattr(sweep, "sweep", first_runs)
        patch.setattr(advice, "ALONE", advice.ALONE[:1])
        patch.setattr(advice, "BOTH", advice.BOTH[:1])
        patch.setattr(advice, "STEPS", 0)
        yield place
    plt.close("all")


@st.composite
def command_lines(draw, names):
    """A command with its arguments and some of its flags, of which some are odd."""
    words = draw(st.sampled_from(names)).split()
    command, is_odd = cli.group, st.sampled_from([False] * 5 + [True])
    right = draw(st.booleans())  # half of them have nothing odd, and go on to what they are for
    for part in words:
        command = command.commands[part]
    for parameter in command.params:
        name, argument = parameter.name, parameter.param_type_name == "argument"
        always = argument or name in ("data", "profile", "features")  # their defaults take long
        if not parameter.expose_value or not (always or draw(st.booleans())):
            continue
        if right and not (always or parameter.is_flag or name in USUAL):
            continue
        words += [] if argument else parameter.opts
        if argument or not parameter.is_flag:
            odd = not right and draw(is_odd)
            words.append(draw(WORD if odd else st.sampled_from(USUAL.get(name, "2").split())))
    return words


@quick(40)
@given(command_lines([*COMMANDS, "table", "advise"]))
def test_a_command_line_is_done_or_refused_in_one_line(folder, words):
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        status = cli.main(words)
    errors = [line for line in said.getvalue().splitlines() if line.startswith("discom: error: ")]
    assert status in (0, 1, 2)
    assert (status > 0) == (len(errors) > 0), said.getvalue()
    assert status < 2 or len(errors) == 1, said.getvalue()
    assert not [file for file in folder.rglob("*") if file.suffix in (".part", ".old")]


def done_or_refused(function, *given, **named) -> None:
    with suppress(DiscomError):
        function(*given, **named)


def sources():
    """Strings that `data.load` takes or refuses."""
    names = st.sampled_from([*data.DRAWN, "eurosat", "hls", "scenez", "images"]) | TEXT
    keys = st.sampled_from(["n", "size", "seed", "modalities", "noise", "objects", "dark", "x"])
    values = st.sampled_from(["", "0", "-1", "2", "9", "16", "nan", "1e999", "true", "rgb+rgb"])
    items = st.lists(st.builds("{}={}".format, keys, values | TEXT), max_size=3)
    colons = st.sampled_from(["", ":", "::"])
    return st.builds("{}{}{}".format, names, colons, items.map(",".join))


@quick(150)
@given(sources(), st.none() | WORD)
def test_a_source_is_read_or_refused(source, modalities):
    done_or_refused(data.load, source, modalities)


@quick(100)
@given(st.data())
def test_options_of_methods_are_taken_or_refused(draws):
    method = methods.get(draws.draw(st.sampled_from(methods.names())))
    options, terms = list(method.defaults()), list(method.terms)
    given = draws.draw(st.dictionaries(st.sampled_from(options) | TEXT, JSON, max_size=2))
    if draws.draw(st.booleans()):
        term = st.sampled_from(terms) | TEXT
        given["weights"] = draws.draw(st.dictionaries(term, JSON, max_size=2))
    done_or_refused(method.changed, given)


@quick(80)
@given(st.data())
def test_scenes_are_drawn_or_refused(draws):
    make = draws.draw(st.sampled_from(DRAWERS))
    parameters = inspect.signature(make).parameters.values()
    sensors = st.lists(SENSOR, max_size=3)
    kinds = {each.name: VALUES.get(each.annotation, sensors) for each in parameters}
    kinds |= {"n": SIDES, "size": SIDES, "objects": SIDES}
    names = draws.draw(st.lists(st.sampled_from([each.name for each in parameters]), max_size=3))
    changes = {name: draws.draw(kinds[name]) for name in names}
    done_or_refused(make, **{"n": 6, "size": 8, **changes})
