"""discom advise: what it trains, what it answers, and what it refuses."""

import shlex
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused
from fixtures.results import result

from discom import advice, cli, data, deployment
from discom.advice import (
    FUSED,
    HALF,
    OWN,
    PAIRS,
    STUDENT,
    TAUGHT,
    Asked,
    difference,
    has_learned,
    score,
)
from discom.data import Modality, MultiModalData
from discom.data.batches import Batches
from discom.errors import ConfigError, DataError
from discom.evaluation.scores import count_by_group
from discom.running.runs import Result
from discom.tables import summary
from discom.tables.intervals import crossed_test

TINY = ["--profile", "tiny", "--steps", "4", "--folds", "2", "--seeds", "2", "--workers", "1"]
DEPTH, MOUNT = "Deploy depth alone: train it with rgb", "Mount both"


def images_of(groups=40, size=6, unlabelled=0):
    """Samples of two sensors and classes, in groups of `size`; the last groups have no label."""
    ids = np.arange(groups * size)
    labels = np.where(ids >= (groups - unlabelled) * size, -1, ids % 2)
    x = np.random.default_rng(0).random((len(ids), 1, 8, 8), dtype=np.float32)
    sensors = {name: Modality(x, labels, ids) for name in ("rgb", "depth")}
    return MultiModalData(sensors, ("cat", "dog"), groups=ids // size, name="mine")


IMAGES = images_of()


def answered(share, seed=0, spread=0.0, images=IMAGES, seeds=3):
    """For each of some seeds answers of which about a share is right, more in some groups."""
    rng, found = np.random.default_rng(seed), []
    own = share + spread * rng.uniform(-1, 1, images.groups.max() + 1)
    for _ in range(seeds):
        right = rng.random(len(images)) < own[images.groups]
        truth = np.where(right, images.labels, 1 - images.labels)
        found.append(pd.DataFrame(np.eye(2)[truth], images.ids)[images.labels >= 0])
    return found


def rows_of(few, **shares):
    """Rows of networks that get shares of the images right: rgb, depth, both, or of a kind."""
    usual = {"rgb": 0.8, "depth": 0.6, "both": 0.8, "spread": 0.0} | shares
    spread, rows = usual["spread"], {}
    for number, kind in enumerate((STUDENT, PAIRS, OWN, HALF) if few else (STUDENT, TAUGHT)):
        row = {}
        for place, name in enumerate(("rgb", "depth", "rgb+depth")):
            share = usual.get(f"{kind}/{name}", usual["both" if "+" in name else name])
            same = spread == 0 and f"{kind}/{name}" not in usual  # networks that agree everywhere
            row[name] = answered(share, place if same else 10 * number + place, spread)
        rows[kind] = row
    return {**rows, FUSED: {"rgb+depth": answered(usual.get(FUSED, 0.5), 99)}}


def ask(rows, few=False):
    """Question → the word that answers it; the lines; and what is recommended."""
    lines, deployed = advice.answers(rows, IMAGES, few)
    parts = [line.partition("? ") for line in lines]
    return {question: text.partition(":")[0] for question, _, text in parts}, lines, deployed


@pytest.mark.parametrize("few", [False, True])
def test_the_questions_come_in_their_order_with_an_interval_each(few):
    rows = rows_of(few)
    _, lines, deployed = ask(rows, few)
    starts = ["Is rgb", "Deploy rgb", "Deploy depth", "Mount both", "Label more", "Label more"]
    starts = starts[: 6 if few else 4]
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts
    assert all(line.count("[") == 1 for line in lines)
    lead = difference(rows[STUDENT]["rgb"], rows[STUDENT]["depth"], IMAGES)
    assert str(lead) in lines[0]
    assert lead.low < 20 < lead.high
    assert deployed == {"rgb": STUDENT, "depth": STUDENT}


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(
    ("share", "spread", "word"),
    [(0.9, 0.0, "Yes"), (0.5, 0.0, "No"), (None, 0.0, "No"), (0.8, 0.6, "Not decided")],
)
def test_each_verdict_on_training_with_the_other_sensor(few, share, spread, word):
    """depth has 60 % right alone, or where groups differ 75 %; with the other sensor a share of its
    own, or the same ones."""
    other = PAIRS if few else TAUGHT
    shares = {} if share is None else {f"{other}/depth": share}
    shares |= {"depth": 0.75} if spread else {}
    words, _, deployed = ask(rows_of(few, spread=spread, **shares), few)
    assert words[DEPTH] == word
    assert (deployed["depth"] == other) == (word == "Yes")


@pytest.mark.parametrize(("fused", "word"), [(1.0, "Yes"), (0.6, "No")])
def test_both_are_compared_with_the_better_one_as_it_is_deployed(fused, word):
    """rgb has 80 % right alone, depth 90 % where rgb trained with it."""
    rows = rows_of(True, **{FUSED: fused, f"{PAIRS}/depth": 0.9, f"{PAIRS}/rgb+depth": 0.5})
    words, lines, deployed = ask(rows, True)
    ours, theirs = (
        f"{kind} {score(rows[kind][name], IMAGES):.1f}"
        for kind, name in ((FUSED, "rgb+depth"), (PAIRS, "depth"))
    )
    assert f"({ours} against {theirs})" in lines[3]
    assert words[MOUNT] == word
    assert [*deployed.values()] == [STUDENT, PAIRS, FUSED][: 3 if word == "Yes" else 2]


@pytest.mark.parametrize("few", [False, True])
def test_both_may_be_networks_that_trained_together_though_each_is_deployed_alone(few):
    other = PAIRS if few else TAUGHT
    _, lines, deployed = ask(rows_of(few, **{f"{other}/rgb+depth": 1.0}), few)
    assert f"({other} 100.0 against {STUDENT}" in lines[3]
    assert deployed == {"rgb+depth": other, "rgb": STUDENT, "depth": STUDENT}


LOST = "Nothing learned, as far as these data show"


@pytest.mark.parametrize("few", [False, True])
def test_where_nothing_has_learned_the_answer_is_no_no(few):
    """Networks that guess were answered by "No", and their commands followed."""
    words, lines, deployed = ask(rows_of(few, rgb=0.5, depth=0.5, both=0.5), few)
    assert {*words.values()} == {LOST}
    assert len(lines) == (6 if few else 4)
    assert deployed == {}


@pytest.mark.parametrize("few", [False, True])
def test_a_sensor_that_has_learned_is_advised_beside_one_that_has_not(few):
    words, _, deployed = ask(rows_of(few, rgb=0.9, depth=0.5, both=0.9), few)
    assert words[DEPTH] == LOST
    assert words["Is rgb alone better than depth"] == "Yes"
    assert words[MOUNT] != LOST
    assert deployed == {"rgb": STUDENT}


def test_guesses_of_one_class_have_learned_nothing_however_rare_the_others():
    """Their weighted F1 is far above that of guessing."""
    y = np.where(np.arange(240) % 12 == 0, 1, 0)
    sensors = {k: replace(m, y=y) for k, m in IMAGES.modalities.items()}
    images = replace(IMAGES, modalities=sensors)
    constant = [pd.DataFrame(np.tile([0.9, 0.1], (240, 1)), images.ids)] * 3
    assert score(constant, images) > 80
    assert not has_learned(constant, images)
    assert score(constant, images, "recall") == 50
    assert has_learned([pd.DataFrame(np.eye(2)[y], images.ids)] * 3, images)


def test_guessing_is_taken_for_learning_at_the_rate_of_the_interval():
    rng, images, found = np.random.default_rng(0), images_of(30), 0
    for _ in range(200):
        guesses = [pd.DataFrame(rng.random((180, 2)), images.ids) for _ in range(3)]
        found += has_learned(guesses, images)
    assert 0 < found / 200 < 0.06  # one side of 95 %


def test_more_labels_are_worth_what_half_of_them_lack():
    words, _, _ = ask(rows_of(True, **{f"{HALF}/depth": 0.5, f"{HALF}/rgb": 0.8}), True)
    assert words["Label more, for depth"] == "Yes" != words["Label more, for rgb"]


def test_a_longer_training_is_named_where_it_is_shown_to_gain():
    rows = rows_of(False)
    lengthened = {kind: {name: own[:1] for name, own in row.items()} for kind, row in rows.items()}
    assert advice.longer(lengthened, rows, IMAGES) == []
    lengthened[TAUGHT]["depth"] = [answered(0.95, 5)[0].loc[:79]]  # of one fold
    (line,) = advice.longer(lengthened, rows, IMAGES)
    assert line.startswith(f"{TAUGHT} of depth +")


def test_gains_are_those_of_tables_for_one_seed():
    """On every image, and on those that both answer."""
    ours, theirs = answered(0.8, 1, seeds=1), answered(0.7, 2, seeds=1)
    test, runs = IMAGES.changed(), []
    for name, (own,) in {"student": ours, "kdv2": theirs}.items():
        kept = {"rgb_labels": IMAGES.labels, "rgb_ids": IMAGES.ids, "rgb_logits": own.to_numpy()}
        run = result(name, 0, {"rgb": 1.0}, draws="weights", code=name)
        tested = count_by_group(test, kept, ["rgb"])
        runs.append(replace(run, fold=0, folds=1, tested=tested, classes=2))
    row = summary(runs, ["kdv2"]).set_index("method").loc["student"]
    assert difference(ours, theirs, IMAGES) == pytest.approx(row.filter(like="vs"))
    pairs = IMAGES.take(np.arange(0, 240, 2))
    some = [own.loc[pairs.ids] for own in ours]
    expected = score(some, IMAGES) - score([own.loc[pairs.ids] for own in theirs], IMAGES)
    assert difference(some, theirs, IMAGES).mean == pytest.approx(expected)


def test_an_interval_covers_other_groups_and_other_seeds():
    """Where seeds differ as a whole, one over groups alone is too narrow."""
    rng, held = np.random.default_rng(0), {"groups": 0, "both": 0}
    for _ in range(800):
        values = 12 * rng.normal(size=(1, 30)) + 4 * rng.normal(size=(3, 1))
        values = values + 20 * rng.normal(size=(3, 30))
        for name, own in (("groups", values.mean(0)[None]), ("both", values)):
            _, low, high, _ = crossed_test(own)
            held[name] += low < 0 < high
    assert held["both"] / 800 > 0.92 > 0.89 > held["groups"] / 800
    values = np.array([[1.0, 2.0, 6.0]])
    assert crossed_test(values) == pytest.approx((3, -3.57, 9.57, 1.5275), abs=0.01)


def asked(images, steps=40, folds=3, seeds=3, **given):
    config = advice.settings(images, "tiny", **given)
    return Asked(images, config, "mine", "", Path("runs"), steps, folds, seeds)


def test_trainings_are_as_long_as_their_steps_and_once_twice_as_long():
    images = images_of(unlabelled=20)
    plan = asked(images).plan
    assert [*plan] == [STUDENT, PAIRS, OWN, HALF, FUSED]
    assert len({run.folder for runs in plan.values() for run in runs}) == 45
    for kind, (run, *_) in plan.items():
        train = images.split(*run.parts).train.keep_labels(run.config.labelled, 0)
        batches = Batches(train, run.config.batch_size, 0)
        assert 40 <= run.config.epochs * len(batches) < 40 + len(batches), kind
    longer = asked(images).longer
    assert [*longer] == [*plan]
    for kind, (run,) in longer.items():
        assert run.config.epochs == 2 * plan[kind][0].config.epochs
    assert {run.config.labelled for run in plan[HALF]} == {0.5}


def test_with_all_labels_nothing_is_trained_for_missing_ones():
    plan = asked(IMAGES).plan
    assert [*plan] == [STUDENT, TAUGHT, FUSED]
    # the teacher is the network of both, trained once
    assert [run.teacher.folder for run in plan[TAUGHT]] == [run.folder for run in plan[FUSED]]
    assert [*asked(IMAGES, labelled=0.5).plan] == [*asked(images_of(unlabelled=1)).plan]


def test_signals_have_an_encoder_and_options_of_their_own():
    x = np.random.default_rng(0).random((240, 3, 1, 64), dtype=np.float32)
    own = {k: replace(m, x=x, symmetry="none") for k, m in IMAGES.modalities.items()}
    config = asked(replace(IMAGES, modalities=own), labelled=0.5).run(PAIRS).config
    assert (config.encoder, config.options["weights"]["contrast"]) == ("conv1d", 0)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A person's folder."""
    monkeypatch.chdir(tmp_path)
    data.load("objects:n=66,size=16").save("mine")
    return [*shlex.split("advise mine"), *TINY]


def test_a_persons_folder_is_planned_and_answered_once(mine, tmp_path, capsys):
    assert cli.main([*mine, "--dry-run"]) == 0
    assert "15 runs of about 4 steps" in capsys.readouterr().out  # four a kind, three longer
    assert not list(tmp_path.rglob("result.json"))
    assert cli.main(mine) == 0
    said = capsys.readouterr().out
    for name in (STUDENT, TAUGHT, FUSED):
        assert f"| {name} " in said
    (guide,) = [word for word in said.split() if word.startswith("https://")]
    page = Path(advice.__file__).parents[1] / guide.partition("discom/")[2].replace(".html", ".md")
    assert "<!-- advice -->" in page.read_text("utf-8")
    assert cli.main(mine) == 0  # nothing is left to train
    assert capsys.readouterr().out == said


def test_the_commands_train_on_all_images_and_export_what_is_recommended(mine, tmp_path, capsys):
    images = data.load("mine")
    config = advice.settings(images, "tiny", learning_rate=0.02)
    own = Asked(images, config, "mine", "", Path("runs"), 9, 2, 2)
    lines = own.commands({"rgb+depth": STUDENT, "depth": TAUGHT}, "tiny")
    assert [line.split()[1] for line in lines] == ["train", "export", "train", "export"]
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0
    assert capsys.readouterr().out.count("images that it trained on") == 2  # no test part
    assert [own.name for own in deployment.load("deployed/depth")[0].sensors] == ["depth"]
    for file in tmp_path.rglob("result.json"):
        counts = Result.read(file).counts
        assert counts["train"] == counts["labelled"] == counts["test"] == 66
    hidden = replace(own, config=replace(config, labelled=0.5))
    assert not [line for line in hidden.commands({"rgb": PAIRS}, "tiny") if "discom" in line]


APART = replace(IMAGES.modalities["depth"], ids=np.arange(240, 480))
UNPAIRED = replace(IMAGES, modalities={**IMAGES.modalities, "depth": APART}, groups=None)


DENSE, ONE = data.load("scenes-dense:n=20,size=16"), IMAGES.select(["rgb"])


@pytest.mark.parametrize(
    ("images", "error"), [(ONE, ConfigError), (DENSE, ConfigError), (UNPAIRED, DataError)]
)
def test_what_cannot_be_answered_is_refused_before_the_trainings(images, error):
    refused(lambda: asked(images).plan, "", error)


def test_sensors_of_two_sizes_are_refused_before_the_first_training(tmp_path, monkeypatch, capsys):
    """Fifty runs were promised and twenty trained before the refusal."""
    monkeypatch.chdir(tmp_path)
    sensors = {**IMAGES.modalities}
    sensors["rgb"] = replace(sensors["rgb"], x=np.zeros((len(IMAGES), 3, 8, 6), np.float32))
    replace(IMAGES, modalities=sensors).save("mine")
    for words in (["--dry-run"], []):
        assert cli.main(["advise", "mine", *TINY, *words]) == 2
        assert "cannot be stacked" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_samples_without_groups_are_told_and_not_called_groups():
    single = replace(IMAGES, groups=None)
    with pytest.warns(UserWarning, match="^mine: folds divide single samples"):
        said = asked(single).outlook()
    assert "240 groups" not in said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "40 groups" in asked(IMAGES).outlook()
