"""discom advise: what it trains, what it answers, and what it refuses."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused
from fixtures.results import result

from discom import advice, cli, data, deployment, frozen, profile
from discom.advice import FUSED, HALF, LATER, OWN, PAIRS, STUDENT, TAUGHT, Asked
from discom.data import Modality, MultiModalData
from discom.data.batches import Batches
from discom.data.images import shrink
from discom.errors import ConfigError, DataError
from discom.evaluation.scores import count_by_group
from discom.running.runs import Result
from discom.tables import answers as advice_answers
from discom.tables import summary
from discom.tables.answers import Difference, difference, gains, learned, lengthened, score
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


def grown(points, error=0.5):
    """A gain by a longer training; with an error as large as itself it is not shown."""
    return Difference(points, points - 2 * error, points + 2 * error, error, error, 1, 80)


def ask(rows, few=False, longer=None):
    """Question → the word that answers it; the lines; and what is recommended."""
    lines, deployed = advice.answers(rows, IMAGES, few, longer or {})
    parts = [line.partition("? ") for line in lines]
    return {question: text.partition(":")[0] for question, _, text in parts}, lines, deployed


@pytest.mark.parametrize("few", [False, True])
def test_the_questions_come_in_their_order_with_an_interval_each(few):
    rows = rows_of(few)
    _, lines, deployed = ask(rows, few)
    starts = ["Is rgb", "Mount both", "Deploy rgb", "Deploy depth", "Label more", "Label more"]
    starts = starts[: 6 if few else 4]
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts
    assert all(line.count("[") == 1 for line in lines)
    lead = difference(gains(rows[STUDENT]["rgb"], rows[STUDENT]["depth"], IMAGES))
    assert str(lead) in lines[0]
    assert lead.low < 20 < lead.high
    assert deployed == {"rgb": STUDENT, "depth": STUDENT}


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(
    ("share", "spread", "word"),
    [(0.9, 0.0, "Yes"), (0.5, 0.0, "No"), (None, 0.0, "No"), (0.65, 0.6, "Not decided")],
)
def test_each_verdict_on_training_with_the_other_sensor(few, share, spread, word):
    """depth has 60 % right alone; with the other sensor a share of its own, or the same ones."""
    other = PAIRS if few else TAUGHT
    shares = {} if share is None else {f"{other}/depth": share}
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
    assert f"({ours} against {theirs})" in lines[1]
    assert words[MOUNT] == word
    assert [*deployed.values()] == [FUSED, STUDENT, PAIRS][word == "No" :]


@pytest.mark.parametrize("few", [False, True])
def test_both_may_be_networks_that_trained_together_though_each_is_deployed_alone(few):
    other = PAIRS if few else TAUGHT
    _, lines, deployed = ask(rows_of(few, **{f"{other}/rgb+depth": 1.0}), few)
    assert f"({other} 100.0 against {STUDENT}" in lines[1]
    assert deployed == {"rgb+depth": other, "rgb": STUDENT, "depth": STUDENT}


@pytest.mark.parametrize("few", [False, True])
def test_what_is_open_takes_more_groups_and_labels_only_where_they_are_missing(few):
    other = PAIRS if few else TAUGHT
    rows = rows_of(few, spread=0.6, **{f"{other}/depth": 0.65, f"{OWN}/depth": 0.4})
    lines = [line for line in ask(rows, few)[1] if "Not decided" in line]
    gain = difference(gains(rows[other]["depth"], rows[STUDENT]["depth"], IMAGES))
    assert any(f"{gain.missing:,.0f} groups more (now 40)" in line for line in lines)
    lines = [line.partition("]")[2] for line in lines if "more (now" in line]
    assert all(("labels" in line) == few for line in lines)
    # so many groups, with the same spread, decide
    share = gain.groups / (gain.groups + gain.missing)
    error = (gain.error**2 - gain.of_groups**2 * (1 - share)) ** 0.5
    assert gain.mean - 2.8 * error > -0.1 or gain.mean + 2.8 * error < 2.1


def test_groups_are_missing_where_the_spread_of_groups_leaves_it_open():
    """Of a large gain that is nearly decided few; where seeds leave it open no number helps."""
    gain = Difference(10.3, -0.1, 20.7, error=5.3, of_groups=5.3, seeds=3, groups=50)
    assert gain.verdict == "open"
    assert gain.missing == pytest.approx(50 * (5.3 / (10.3 / 2.8)) ** 2 - 50, rel=0.05)
    values = pd.DataFrame(np.random.default_rng(1).normal(0, 0.1, (3, 40)))
    few = difference(values + np.array([[1.0], [4.0], [9.0]]))
    assert few.error < few.mean / 1.96  # of many seeds it would be decided
    values = pd.DataFrame(np.random.default_rng(0).normal(0, 8, (2, 40)))
    values += np.array([[9.0], [-9.0]])
    for gain in (few, difference(values)):
        assert gain.verdict == "open"
        assert gain.missing == np.inf
    assert difference(values - values.mean(1).to_numpy()[:, None]).missing < np.inf
    assert difference(pd.DataFrame([[0.0, 0.5, 1.0, 1.5, 2.0]] * 2) / 2).missing < np.inf


def test_more_labels_are_worth_what_half_of_them_lack():
    words, _, _ = ask(rows_of(True, **{f"{HALF}/depth": 0.5, f"{HALF}/rgb": 0.8}), True)
    assert words["Label more, for depth"] == "Yes" != words["Label more, for rgb"]


def test_networks_at_chance_are_no_answer_and_no_command():
    words, _, deployed = ask(rows_of(False, depth=0.5))
    assert words[DEPTH] == "Not known"
    assert [*deployed] == ["rgb"]
    assert learned(answered(0.6), IMAGES)
    assert not learned(answered(0.5), IMAGES)


LOW = {name: answered(0.1) for name in ("depth", "rgb+depth")}
ALIKE = answered(0.8, 7)


@pytest.mark.parametrize(
    ("trees", "gain", "named"),
    [
        ({**LOW, "rgb": answered(0.95)}, 0, "trees of rgb:"),
        ({**LOW, "rgb": answered(0.95)}, 16, ""),  # trained longer, rgb would be as good
        ({"rgb": ALIKE, "rgb+depth": answered(0.95)}, 0, "trees of rgb+depth:"),
        ({**LOW, "rgb": ALIKE, "depth": answered(0.95)}, 0, ""),  # rgb is as good
    ],
)
def test_a_cheap_row_that_is_better_is_named(trees, gain, named):
    longer = {(STUDENT, "rgb"): grown(gain)}
    last = ask({**rows_of(False), "trees": trees}, longer=longer)[1][-1]
    assert named in last
    assert ("trees" in last) == bool(named)


@pytest.mark.parametrize(("share", "short"), [(0.8, False), (0.95, True)])
def test_no_answer_where_a_longer_training_still_gains(share, short):
    rows, kind = rows_of(False), TAUGHT
    longer = {STUDENT: {name: own[:1] for name, own in rows[STUDENT].items()}}
    longer[kind] = {name: [answered(share, 5)[0].loc[:79]] for name in ("rgb", "depth")}
    rows[kind] = {name: answered(0.8, 6) for name in ("rgb", "depth")}
    longer[FUSED], rows[FUSED] = ({"rgb+depth": own["rgb"]} for own in (longer[kind], rows[kind]))
    found = lengthened(longer, rows, IMAGES)
    grow = [place for place, gain in found.items() if gain.verdict == "yes"]
    assert grow == [(kind, "rgb"), (kind, "depth"), (FUSED, "rgb+depth")] * short


ALONE, BESIDE, OWN_DEPTH, AGREED = ((kind, "depth") for kind in (STUDENT, TAUGHT, OWN, PAIRS))
BOTH = FUSED, "rgb+depth"


def shares_of(own, pairs):
    return {f"{OWN}/depth": own, f"{PAIRS}/depth": pairs}


WAITING = [  # few, shares, what longer trainings gain, a question, whether its answer waits
    # depth is at chance, and a longer training would teach it
    (False, {"depth": 0.5}, {BESIDE: grown(30)}, DEPTH, True),
    (False, {"depth": 0.5}, {BESIDE: grown(30), ALONE: grown(30)}, DEPTH, True),
    # depth has 60 % right alone, and more with the other sensor
    (False, {f"{TAUGHT}/depth": 0.85}, {ALONE: grown(10)}, DEPTH, False),
    (False, {f"{TAUGHT}/depth": 0.85}, {ALONE: grown(30)}, DEPTH, True),
    (False, {f"{TAUGHT}/depth": 0.85}, {ALONE: grown(30), BESIDE: grown(30)}, DEPTH, False),
    (False, {f"{TAUGHT}/depth": 0.85}, {BESIDE: grown(30)}, DEPTH, False),
    # of two networks that gain alike it does not matter which gain is shown
    (False, {f"{TAUGHT}/depth": 0.68}, {ALONE: grown(6)}, DEPTH, True),
    (False, {f"{TAUGHT}/depth": 0.68}, {ALONE: grown(6), BESIDE: grown(6, 6)}, DEPTH, False),
    # FixMatch is behind the student, and would overtake agreed labels, or not
    (True, shares_of(0.55, 0.7), {OWN_DEPTH: grown(20)}, DEPTH, True),
    (True, shares_of(0.3, 0.7), {OWN_DEPTH: grown(20)}, DEPTH, False),
    # a gain of a network that stays behind, and is not shown, does not count
    (True, shares_of(0.7, 0.85), {ALONE: grown(3), OWN_DEPTH: grown(14, 14)}, DEPTH, False),
    (True, shares_of(0.55, 0.85), {AGREED: grown(2), OWN_DEPTH: grown(30, 30)}, DEPTH, False),
    # one network of both is behind two networks, and would overtake them; or one of depth
    (False, {FUSED: 0.78}, {BOTH: grown(12)}, MOUNT, True),
    (False, {FUSED: 0.6}, {BOTH: grown(12)}, MOUNT, False),
    (False, {FUSED: 0.9, "depth": 0.79}, {ALONE: grown(12)}, MOUNT, True),
    (False, {FUSED: 1.0, "depth": 0.79}, {ALONE: grown(3)}, MOUNT, False),
    # depth, or the better one, waits
    (False, {FUSED: 0.9}, {BESIDE: grown(30)}, MOUNT, True),
    (False, {f"{TAUGHT}/rgb": 1.0, FUSED: 1.0}, {(STUDENT, "rgb"): grown(19)}, MOUNT, True),
]


@pytest.mark.parametrize(("few", "shares", "longer", "question", "waits"), WAITING)
def test_what_longer_trainings_would_change_is_not_answered(few, shares, longer, question, waits):
    assert (ask(rows_of(few, **shares), few, longer)[0][question] == LATER) == waits


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
    found = difference(gains(ours, theirs, IMAGES))
    assert found[:3] == pytest.approx(row.filter(like="vs"))
    pairs = IMAGES.take(np.arange(0, 240, 2))
    some = [own.loc[pairs.ids] for own in ours]
    expected = score(some, IMAGES) - score([own.loc[pairs.ids] for own in theirs], IMAGES)
    assert difference(gains(some, theirs, IMAGES)).mean == pytest.approx(expected)


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


def signals(length):
    x = np.random.default_rng(0).random((240, 3, 1, length), dtype=np.float32)
    own = {k: replace(m, x=x, symmetry="none") for k, m in IMAGES.modalities.items()}
    return replace(IMAGES, modalities=own)


@pytest.mark.parametrize("better", ["spectrum", "conv1d"])
def test_the_encoder_of_signals_is_the_one_whose_students_are_better_together(monkeypatch, better):
    """Alone they are worse with it. Short signals have one encoder, images a profile's."""
    tried = asked(signals(64)).candidates()

    def read(planned):
        ((kind, (run, *_)),) = planned.items()
        share = 0.8 if run.config.encoder == better else 0.6
        row = {name: answered(1 - share) for name in ("rgb", "depth")}
        return {kind: {**row, "rgb+depth": answered(share)}}

    monkeypatch.setattr(advice, "read", read)
    assert advice.best(tried)[0].config.encoder == better
    encoders = [[a.config.encoder for a in asked(d).candidates()] for d in (signals(16), IMAGES)]
    assert encoders == [["conv1d"], [profile("tiny").encoder]]
    assert asked(signals(64), labelled=0.5).run(PAIRS).config.options["weights"]["contrast"] == 0


def test_signals_are_answered_with_one_of_two_encoders(tmp_path, capsys):
    """All networks have the chosen one, and another encoder is tried by students alone."""
    signals(64).save(tmp_path / "mine")
    runs = tmp_path / "runs"
    asked_for = [*map(str, ("advise", tmp_path / "mine", "--runs", runs)), *TINY]
    assert cli.main(asked_for) == 0
    said = capsys.readouterr().out
    chosen = said.partition("Encoder ")[2].partition(":")[0]
    results = [Result.read(file) for file in runs.rglob("result.json")]
    others = [run.method for run in results if run.config["encoder"] != chosen]
    assert others == ["student"] * 4
    assert {run.method for run in results} == {"student", "kdv2", "teacher"}
    assert cli.main(asked_for) == 0
    assert capsys.readouterr().out == said[said.index("Encoder") :]  # nothing is left to train


def test_larger_images_are_shrunk_and_small_ones_stay():
    assert shrink(IMAGES, 8) is IMAGES
    x = np.arange(240 * 8 * 16, dtype=np.float32).reshape(240, 1, 8, 16)
    holes = np.where(np.arange(16) < 3, 0, x)
    depth = replace(IMAGES.modalities["depth"], x=holes, invalid=0.0)
    sensors = {"depth": depth, "rgb": IMAGES.modalities["rgb"]}
    about = {"rules": {"rgb": {"fit": "crop"}}}
    small = shrink(replace(IMAGES, modalities=sensors, about=about), 8)
    assert {m.x.shape for m in small.modalities.values()} == {(240, 1, 4, 8)}
    assert small.modalities["depth"].x[1, 0, 0, 0] == 0  # more than half of it was not measured
    np.testing.assert_allclose(small.modalities["depth"].x[1, 0, 0, 2], x[1, 0, :2, 4:6].mean())
    sides = {"size": [4, 8]}
    expected = {"fit": "crop", "invalid": None, **sides}, {"invalid": 0.0, **sides}
    assert (small.about["rules"]["rgb"], small.about["rules"]["depth"]) == expected


def test_coarse_features_are_means_of_parts_and_powers_of_bands():
    x = np.random.default_rng(0).random((5, 2, 16, 16), dtype=np.float32)
    parts = frozen.coarse(x).reshape(5, 2, 8, 8)
    np.testing.assert_allclose(parts[3, 1, 2, 7], x[3, 1, 4:6, 14:16].mean(), rtol=1e-5)
    waves = np.sin(2 * np.pi * np.array([3, 40])[:, None] * np.arange(96) / 96)[:, None, None]
    low, high = frozen.coarse(waves)[:, 2:]
    assert (low.argmax(), high.argmax()) == (0, 4)  # of 48 frequencies in six bands


def test_cheap_rows_learn_from_kept_labels_and_answer_every_labelled_image_once(monkeypatch):
    """An image is its class; those of the unlabelled say another one."""
    images = images_of(unlabelled=4)
    classes = images.ids % 2
    x = np.zeros((240, 1, 8, 8), np.float32) + classes[:, None, None, None]
    depth = replace(images.modalities["depth"], x=np.random.default_rng(0).random(x.shape))
    depth = depth.take(np.arange(0, 240, 3))
    sensors = {"rgb": replace(images.modalities["rgb"], x=x), "depth": depth}
    images = images.with_modalities(sensors)
    monkeypatch.setattr(frozen, "frozen", lambda x: x.reshape(len(x), -1))
    rows = frozen.rows(images, profile("tiny", labelled=0.2), 2, 2)
    assert [*rows] == ["extra trees", "frozen features"]
    known = set(images.ids[images.labels >= 0].tolist())
    for row in rows.values():
        assert [len(own) for own in row.values()] == [2, 2, 2]
        assert all(sorted(own.index) == sorted(known) for own in row["rgb"])
        assert set(row["rgb+depth"][0].index) == known & set(depth.ids.tolist())
        assert score(row["rgb"], images) == 100 > 90 > score(row["depth"], images)

    def refuse(x):
        raise ConfigError("pretrained", "cannot be had")

    monkeypatch.setattr(frozen, "frozen", refuse)
    with pytest.warns(UserWarning, match="left out"):
        assert [*frozen.rows(images, profile("tiny"), 1, 3)] == ["extra trees"]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A person's folder of images that are larger than is needed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(frozen, "frozen", lambda x: x.mean((2, 3)))
    data.load("objects:n=66,size=40").save("mine")
    return [*shlex.split("advise mine --size 16"), *TINY]


def test_a_persons_folder_is_planned_and_answered_once(mine, tmp_path, capsys, monkeypatch):
    assert cli.main([*mine, "--dry-run"]) == 0
    assert "15 runs of 4 steps" in capsys.readouterr().out  # four a kind, three twice as long
    assert not list(tmp_path.rglob("result.json"))
    monkeypatch.setattr(advice_answers, "lengthened", lambda *rows: {})
    assert cli.main(mine) == 0
    said = capsys.readouterr().out
    for name in ("extra trees", "frozen features", STUDENT, TAUGHT, FUSED):
        assert f"| {name} " in said
    assert cli.main(mine) == 0
    assert capsys.readouterr().out == said[said.index("| F1") :]  # nothing is left to train


def test_the_commands_train_on_all_images_and_export_what_is_recommended(mine, tmp_path, capsys):
    source = "runs/mine-16x16/saved"
    shrink(data.load("mine"), 16).save(source)
    images = data.load(source)
    config = advice.settings(images, "tiny", learning_rate=0.02)
    own = Asked(images, config, source, "", Path("runs"), 9, 2, 2)
    lines = own.commands({"rgb+depth": STUDENT, "depth": TAUGHT}, "tiny")
    assert [line.split()[1] for line in lines] == ["train", "export", "train", "export"]
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0
        said = capsys.readouterr().out  # no score is of a test part
        assert "images that it trained on" in said or "images that trained" in said
    (sensor,) = deployment.load("deployed/depth").contract.sensors
    assert sensor.rule.size == (16, 16)
    for file in tmp_path.rglob("result.json"):
        counts = Result.read(file).counts
        assert counts["train"] == counts["labelled"] == counts["test"] == 66
    hidden = replace(own, config=replace(config, labelled=0.5))
    assert not [line for line in hidden.commands({"rgb": PAIRS}, "tiny") if "discom" in line]


APART = replace(IMAGES.modalities["depth"], ids=np.arange(240, 480))
UNPAIRED = replace(IMAGES, modalities={**IMAGES.modalities, "depth": APART}, groups=None)


DENSE, ONE = shrink(data.load("scenes-dense:n=20,size=16"), 8), IMAGES.select(["rgb"])


@pytest.mark.parametrize(
    ("images", "error"), [(ONE, ConfigError), (DENSE, DataError), (UNPAIRED, DataError)]
)
def test_what_cannot_be_answered_is_refused_before_the_trainings(images, error):
    refused(lambda: asked(images).plan, "", error)


@pytest.mark.parametrize("settings", [{}, {"labelled_groups": 60}])
def test_minutes_are_told_of_many_images_with_few_labels(settings):
    """Every n-th image had no label, and the first ones no partner."""
    images = images_of(groups=300, size=10)
    y = np.where((images.ids % 43 == 1) | bool(settings), images.labels, -1)
    rgb = replace(images.modalities["rgb"], y=y)
    sensors = {"rgb": rgb, "depth": rgb.take(np.flatnonzero(images.ids % 3 > 0))}
    few = replace(images, modalities=sensors)
    assert "5 runs of 40 steps" in asked(few, **settings).outlook(5, 1)
