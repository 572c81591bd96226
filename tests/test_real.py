"""benchmarks/real.py: claims over persons, pooled over folds, label draws and pairs of sensors."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from fixtures.results import result
from sklearn.metrics import f1_score

import both
import derive
import real
import untrained
from discom import cli, data, tables
from discom.errors import RunError
from discom.tables.intervals import t_test

PERSONS, WINDOWS = 6, 30
AGREED = {"threshold": 0.95, "weights": {"contrast": 0}}
OPTIONS = {"agreed": AGREED, "fixmatch": {"threshold": 0.8}}


def runs(method, networks, seed, labelled_groups=0, skill=0.5, labelled=0.1):
    """Two folds of a method, whose networks are right by chance; persons differ."""
    rng, made = np.random.default_rng([seed, len(method), int(100 * skill)]), []
    for fold in range(2):
        counts = {}
        for network in networks:
            cells = []
            for place in range(PERSONS // 2):
                right = rng.binomial(WINDOWS, skill + 0.02 * place, 2)
                cells += [[place, c, c, int(right[c])] for c in range(2)]
                cells += [[place, c, 1 - c, WINDOWS - int(right[c])] for c in range(2)]
            counts[network] = [cell for cell in cells if cell[3]]
        tested = {"groups": [f"p{fold}{k}" for k in range(PERSONS // 2)], "counts": counts}
        of = {"fold": fold, "folds": 2, "tested": tested, "classes": 2}
        about = {"labelled": labelled, "labelled_groups": labelled_groups, "draws": "split"}
        names = "+".join(networks)
        made.append(
            result(
                method,
                seed,
                dict.fromkeys(networks, 50.0),
                options=OPTIONS.get(method),
                data=f"worn-{names}",
                digest=names,
                **about,
            )
        )
        made[-1] = replace(made[-1], **of)
    return made


@pytest.fixture
def tables_of(tmp_path, monkeypatch):
    """What writes made runs as a table where real.py looks."""
    monkeypatch.setattr(real, "RESULTS", tmp_path)
    real.tallies.cache_clear()

    def write(name, *made):
        tables.collect([run for part in made for run in part], tmp_path / name)

    yield write
    real.tallies.cache_clear()


def test_a_claim_on_one_sensor_is_the_tables_difference(tables_of):
    both = ["acc", "gyro"]
    made = [runs("agreed", both, seed, skill=0.7) for seed in range(3)]
    made += [runs(name, both, seed) for name in ("student", "fixmatch") for seed in range(3)]
    tables_of("watch", *made)
    expected = tables.summary([run for part in made for run in part], ["student"])
    place = "agreed threshold=0.95 contrast=0", "gyro"
    expected = expected.set_index(["method", "modality"]).loc[place].filter(like="vs")
    found = t_test(real.difference(real.CLAIMS["watch"][0]).to_numpy())[:3]
    np.testing.assert_allclose(found, expected.to_numpy(float))
    assert real.claims("watch")["persons"].tolist() == [PERSONS] * 3


def test_a_mean_over_pairs_takes_every_partner_and_a_twin_its_copy(tables_of):
    units, made = ["larm", "torso", "rleg"], []
    for seed in range(2):
        for one, two in (("larm", "torso"), ("larm", "rleg"), ("torso", "rleg")):
            made.append(runs("agreed", [one, two], seed, 1, skill=0.8))
        made += [runs("agreed", [unit, unit + real.TWIN], seed, 1, skill=0.6) for unit in units]
        made += [runs(name, units, seed, 1) for name in ("student", "fixmatch")]
    tables_of("dsads", *made)
    assert real.deployed("dsads") == sorted(units)
    claim = real.Claim("dsads", "one person", "agreed", "twin")
    each = [
        real.difference(claim._replace(deployed=unit, beside=other))
        for unit in units for other in units if other != unit
    ]  # fmt: skip
    found = real.difference(claim)
    np.testing.assert_allclose(found, np.mean(each, 0), rtol=1e-6)
    assert 10 < found.mean() < 30  # 80 % right against 60 %
    assert len(found) == PERSONS
    above_own = real.difference(real.Claim("dsads", "one person", "agreed", "fixmatch"))
    assert above_own.mean() > found.mean()
    table = real.pairs("one person")
    assert len(table) == 6
    np.testing.assert_allclose(table["own part"], table["gain"] - table["placebo"])
    every = real.pair_seeds("one person")
    assert len(every) == 2 * len(table)  # a row for each seed
    means = every.groupby(["deployed", "beside"]).mean()
    for (unit, other), row in means.iterrows():
        pair = real.score("dsads", "one person", "agreed", unit, other)
        np.testing.assert_allclose(row["pair"], pair)
        np.testing.assert_allclose(row["own"], real.score("dsads", "one person", "fixmatch", unit))
    assert (means["twin"] < means["pair"]).all()


def test_twins_are_copies_beside_their_sensors(tmp_path):
    whole = data.load("objects:n=45,size=8")
    whole.save(tmp_path / "units")
    assert cli.main(["twins", str(tmp_path / "units")], derive.derive) == 0
    both = data.load(str(tmp_path / "units-twins"))
    for name, sensor in whole.modalities.items():
        np.testing.assert_array_equal(both.modalities[name + real.TWIN].x[:], sensor.x)
    assert both.select([*whole.modalities]).fingerprint == whole.fingerprint


def test_doubled_images_are_a_line_between_their_pixels(tmp_path):
    whole = data.load("objects:n=45,size=8")
    ramp = np.tile(np.arange(8, dtype="float32"), (45, 1, 8, 1))
    depth = replace(whole.modalities["depth"], x=ramp)
    large = derive.doubled(whole.with_modalities({"depth": depth})).modalities["depth"]
    assert large.x.shape == (45, 1, 16, 16)
    expected = np.clip(np.arange(16) / 2 - 0.25, 0, 7)
    np.testing.assert_allclose(large.x[7, 0], np.tile(expected, (16, 1)), atol=1e-6)
    assert large.ids.tolist() == depth.ids.tolist()
    assert cli.main(["halved", str(tmp_path)], derive.derive) == 2


def test_two_networks_together_say_the_product_of_their_beliefs():
    logits = np.random.default_rng(0).normal(size=(2, 5, 3))
    ids = np.array([*"abcde"])
    stored = {f"{k}_logits": own for k, own in zip(("acc", "gyro"), logits, strict=True)}
    stored |= {"acc_ids": ids, "gyro_ids": ids}
    beliefs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = both.product(stored, ["acc", "gyro"]).exp().numpy()
    np.testing.assert_allclose(found, beliefs.prod(0))
    with pytest.raises(RunError, match="other samples"):
        both.product({**stored, "gyro_ids": ids[::-1]}, ["acc", "gyro"])


def test_two_sensors_are_compared_on_pairs_and_seeds_that_every_method_has(tables_of, tmp_path):
    units = ["larm", "rleg", "torso"]
    made = [runs("student", units, seed, skill=0.5 + 0.1 * seed) for seed in range(2)]
    tables_of("dsads-spread", *made)
    rows = [
        ("student", f"{a}+{b}", seed, 60 + seed)
        for a, b in combinations(units, 2)
        for seed in (0, 1)
    ]
    rows += [
        ("agreed", f"{a}+{b}", seed, 70 + seed)
        for a, b in combinations(units, 2)
        for seed in (0, 1)
    ]
    rows += [("teacher", "larm+torso", 1, 80), ("agreed", "larm+larm_twin", 1, 10)]
    known = pd.DataFrame(rows, columns=["method", "sensors", "seed", "f1"])
    lost = known.assign(missing="larm", f1=0)
    file = pd.concat([known.assign(missing="none"), lost]).assign(labelled=0.1)
    file.to_csv(tmp_path / "dsads-spread-both.csv", index=False)
    ((labels, means),) = real.both("dsads-spread").iterrows()
    alone = [
        real.tally_score(real.of("dsads-spread", labels, "student", k)[0][1], "f1")
        for k in ("larm", "torso")
    ]
    assert labels == "few"
    assert means.to_dict() == pytest.approx(
        {"alone": max(alone), "student": 61, "agreed": 71, "teacher": 80}
    )
    assert real.together().to_numpy().tolist() == [
        ["body units", "few", f"{max(alone):.0f}", "61", "71", "80"]
    ]


def test_models_without_training_take_the_shares_seeds_and_folds_of_a_table(tmp_path, monkeypatch):
    whole = data.load("objects:n=45,size=8,seed=0")
    whole.save(tmp_path / "images")
    few = [runs("student", ["rgb", "depth"], seed, labelled=0.1) for seed in range(2)]
    every = runs("student", ["rgb", "depth"], 0, labelled=1.0)
    tables.collect([run for part in (*few, every) for run in part], tmp_path / "t.json")
    asked, right = [], np.eye(len(whole.classes))[whole.labels]

    def rows(images, config, seeds, folds):
        asked.append((config.labelled, seeds, folds))
        half = right.copy()
        half[::2] = np.roll(half[::2], 1, axis=1)  # every second label is wrong
        return {"trees": {"rgb": [pd.DataFrame(half, images.ids)] * seeds}}

    monkeypatch.setattr(untrained.frozen, "rows", rows)
    words = [str(tmp_path / "t.csv"), "--source", str(tmp_path / "images")]
    assert cli.main(words, untrained.untrained) == 0
    assert asked == [(0.1, 2, 2), (1.0, 1, 2)]
    found = pd.read_csv(tmp_path / "t-untrained.csv")
    assert found[["labelled", "seed"]].to_numpy().tolist() == [[0.1, 0], [0.1, 1], [1.0, 0]]
    wrong = whole.labels.copy()
    wrong[::2] = (wrong[::2] + 1) % len(whole.classes)
    expected = 100 * f1_score(whole.labels, wrong, average="weighted")
    assert found["f1"].tolist() == pytest.approx([expected] * 3, abs=1e-3)
