"""Claims over persons and patients, pooled over folds, label draws and pairs of sensors; two
sensors at inference."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from fixtures.results import result

import advice
import claims
import grid
import measure
import stored
from discom import cli, data, tables
from discom.errors import RunError
from discom.tables import intervals, paired_difference
from discom.tables.intervals import t_test

PERSONS, WINDOWS = 6, 30
AGREED = {"threshold": 0.95, "weights": {"contrast": 0}}
OPTIONS = {"agreed": AGREED, "fixmatch": {"threshold": 0.8}}


def fold_of(fold, groups, counts, method, seed, **about):
    """A run that tests the groups of one of two folds: network → cells [group, true class, said
    class, how many]."""
    run = result(method, seed, dict.fromkeys(counts, 50.0), draws="split", **about)
    tested = {"groups": groups, "counts": counts}
    return replace(run, fold=fold, folds=2, tested=tested, classes=2)


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
        groups, names = [f"p{fold}{k}" for k in range(PERSONS // 2)], "+".join(networks)
        about = {"labelled": labelled, "labelled_groups": labelled_groups}
        about |= {"options": OPTIONS.get(method), "data": f"worn-{names}", "digest": names}
        made.append(fold_of(fold, groups, counts, method, seed, **about))
    return made


@pytest.fixture
def results_in(tmp_path, monkeypatch):
    """A folder in the place of results/."""
    for module in (stored, claims):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    cached = stored.runs_of, stored.networks, claims.both
    for function in cached:
        function.cache_clear()
    yield tmp_path
    for function in cached:
        function.cache_clear()


@pytest.fixture
def tables_of(results_in):
    """What writes made runs as a table where claims look."""

    def write(name, *made):
        tables.collect([run for part in made for run in part], results_in / name)

    return write


def test_a_claim_on_one_sensor_is_the_tables_difference(tables_of):
    both = ["acc", "gyro"]
    made = [runs("agreed", both, seed, skill=0.7) for seed in range(3)]
    made += [runs(name, both, seed) for name in ("student", "fixmatch") for seed in range(3)]
    tables_of("watch", *made)
    expected = tables.summary([run for part in made for run in part], ["student"])
    place = "agreed threshold=0.95 contrast=0", "gyro"
    expected = expected.set_index(["method", "modality"]).loc[place].filter(like="vs")
    found = claims.differences("watch", "few", "agreed", "student", "gyro").mean(axis=1)
    np.testing.assert_allclose(t_test(found.to_numpy())[:3], expected.to_numpy(float))
    assert claims.claims("watch")["persons"].tolist() == [PERSONS] * 3


def test_the_rival_of_two_sensors_is_the_best_of_one_that_has_all_seeds(tables_of):
    both = ["acc", "gyro"]
    made = [runs("student", both, seed, skill=0.5) for seed in range(3)]
    made += [runs("fixmatch", both, seed, skill=0.7) for seed in range(3)]
    made += [runs("agreed", both, seed, skill=0.95) for seed in range(3)]
    made.append(runs("simclr", both, 0, skill=0.9))
    tables_of("watch", *made)
    rival = claims.best_alone("watch", "few", ["acc"], pd.Index(range(3)))
    assert (set(rival["method"]), set(rival["network"])) == ({"fixmatch"}, {"acc"})
    assert claims.best_alone("watch", "few", ["acc"], pd.Index([0]))["method"].item() == "simclr"
    asked = {"table": "watch", "labels": "few", "method": "agreed", "deployed": "acc", "beside": ""}
    *found, seeds, rival = advice.trained(pd.Series(asked))
    assert (seeds, rival) == (3, "fixmatch")
    expected = claims.differences("watch", "few", "agreed", "fixmatch", "acc").mean(axis=1)
    np.testing.assert_allclose(found, t_test(expected.to_numpy())[:3])


def test_a_mean_over_pairs_takes_every_partner_and_a_twin_its_copy(tables_of):
    units, made = ["larm", "torso", "rleg"], []
    for seed in range(2):
        for one, two in (("larm", "torso"), ("larm", "rleg"), ("torso", "rleg")):
            made.append(runs("agreed", [one, two], seed, 1, skill=0.8))
        made += [runs("agreed", [unit, unit + stored.TWIN], seed, 1, skill=0.6) for unit in units]
        made += [runs(name, units, seed, 1) for name in ("student", "fixmatch")]
    tables_of("dsads", *made)
    assert stored.deployed("dsads") == sorted(units)
    claim = "dsads", "one person", "agreed", "twin"
    every = claims.differences(*claim)
    assert every.shape == (PERSONS, 6)
    found = every.mean(axis=1)
    each = [
        claims.differences(*claim, unit, other)
        for unit in units for other in units if other != unit
    ]  # fmt: skip
    np.testing.assert_allclose(found, np.mean(each, 0)[:, 0], rtol=1e-6)
    assert 10 < found.mean() < 30  # 80 % right against 60 %
    above_own = claims.differences("dsads", "one person", "agreed", "fixmatch").mean(axis=None)
    assert above_own > found.mean()
    strongest = claims.best_alone("dsads", "one person", units, pd.Index([0, 1]))
    assert set(strongest["method"]) == {"twin"}  # it never sees the other sensor
    table = claims.pairs()
    assert len(table) == 2 * 6  # a row for each seed
    means = table.groupby(["deployed", "beside"]).mean()
    for (unit, other), row in means.iterrows():
        for way, method, beside in (("pair", "agreed", other), ("own", "fixmatch", "")):
            rows = stored.of("dsads", "one person", method, unit, beside)
            np.testing.assert_allclose(row[way], rows["score"].mean())
    assert (means["twin"] < means["pair"]).all()


def test_twins_are_copies_beside_their_sensors(tmp_path):
    whole = data.load("objects:n=45,size=8")
    whole.save(tmp_path / "units")
    assert cli.main(["twins", str(tmp_path / "units")], grid.grid) == 0
    both = data.load(str(tmp_path / "units-twins"))
    for name, sensor in whole.modalities.items():
        np.testing.assert_array_equal(both.modalities[name + stored.TWIN].x[:], sensor.x)
    assert both.select([*whole.modalities]).fingerprint == whole.fingerprint


def test_two_networks_together_say_the_product_of_their_beliefs():
    logits = np.random.default_rng(0).normal(size=(2, 5, 3))
    ids = np.array([*"abcde"])
    stored = {f"{k}_logits": own for k, own in zip(("acc", "gyro"), logits, strict=True)}
    stored |= {"acc_ids": ids, "gyro_ids": ids}
    beliefs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = measure.together(stored, ["acc", "gyro"]).exp().numpy()
    np.testing.assert_allclose(found, beliefs.prod(0))
    with pytest.raises(RunError, match="other samples"):
        measure.together({**stored, "gyro_ids": ids[::-1]}, ["acc", "gyro"])


def test_two_sensors_are_compared_on_pairs_and_seeds_that_every_method_has(
    tables_of, results_in, monkeypatch
):
    units = ["larm", "rleg", "torso"]
    made = [runs("student", units, seed, skill=0.5 + 0.1 * seed) for seed in range(2)]
    made += [runs("fixmatch", ["torso"], seed, skill=0.9) for seed in range(2)]
    tables_of("dsads-spread", *made)
    rows = [
        (method, f"{a}+{b}", seed, score + seed)
        for method, score in (("student", 60), ("agreed", 70))
        for a, b in combinations(units, 2)
        for seed in (0, 1)
    ]
    rows += [("teacher", "larm+torso", 1, 80), ("agreed", "larm+larm_twin", 1, 10)]
    known = pd.DataFrame(rows, columns=["method", "sensors", "seed", "f1"])
    lost = known.assign(missing="larm", f1=0)
    file = pd.concat([known.assign(missing="none"), lost]).assign(labelled=0.1)
    file.to_csv(results_in / "dsads-spread-both.csv", index=False)
    gains = claims.both("dsads-spread").loc["few"]
    alone = [
        stored.of("dsads-spread", "few", method, sensor).set_index("seed")["score"][1]
        for method, sensor in product(("student", "fixmatch"), ("larm", "torso"))
        if (method, sensor) != ("fixmatch", "larm")
    ]
    assert max(alone) == alone[-1]  # FixMatch
    assert gains["f1"].to_dict() == {"student": 61, "agreed": 71, "teacher": 80}
    assert set(gains["seeds"]) == {1}  # that of the teacher
    np.testing.assert_allclose(gains["alone"], max(alone))
    np.testing.assert_allclose(gains["mean"], gains["f1"] - max(alone))
    assert gains[["low", "high"]].isna().all(axis=None)  # the file has no groups
    monkeypatch.setattr(claims, "SETS", {"dsads-spread": "body units"})
    shown = [f"{gain - max(alone):+.1f}" for gain in (61, 71, 80)]
    assert claims.together().to_numpy().tolist() == [
        ["body units", "few", f"{max(alone):.1f}", shown[0], "–", *shown[1:]]
    ]


def test_both_sensors_gain_over_groups_as_any_other_network_does(tables_of, results_in):
    """From a file of both with rows of groups: the difference of pooled F1 of tallies, its interval
    that of `pseudo_values`."""
    made = [runs("student", ["acc", "gyro"], seed) for seed in range(2)]
    tables_of("watch", *made)
    fused = [runs("teacher", ["acc+gyro"], seed, skill=0.9) for seed in range(2)]
    rows, tallies = [], []
    for seed, folds in enumerate(fused):
        tally = intervals.tally(folds)["acc+gyro"]
        tallies.append(tally)
        place = {"method": "teacher", "sensors": "acc+gyro", "labelled": 0.1, "seed": seed}
        place["missing"] = "none"
        rows.append(place | {"f1": intervals.tally_score(tally, "f1")})
        for group, cells in tally.iterrows():
            texts = (" ".join(f"{n:g}" for n in part) for part in cells.to_numpy().reshape(3, -1))
            rows.append(place | {"group": group} | dict(zip(claims.CELLS, texts, strict=True)))
    pd.DataFrame(rows).to_csv(results_in / "watch-both.csv", index=False)
    ((_, found),) = claims.both("watch").iterrows()
    alone = [stored.of("watch", "few", "student", sensor) for sensor in ("acc", "gyro")]
    best = max(alone, key=lambda own: own["score"].mean())
    expected = t_test(intervals.pseudo_values(tallies, [*best["tally"]], "f1").to_numpy())[:3]
    np.testing.assert_allclose(found[["mean", "low", "high"]].astype(float), expected)
    assert found["mean"] == pytest.approx(found["f1"] - found["alone"])


def test_rows_of_groups_hold_what_was_said_of_each():
    groups, truth = np.array(["b", "a", "b", "b"]), np.array([0, 1, 1, 2])
    assert measure.tallied(groups, truth, np.array([0, 0, 1, 1])) == {
        "a": {"hits": "0 0 0", "labels": "0 1 0", "predicted": "1 0 0"},
        "b": {"hits": "1 1 0", "labels": "1 1 1", "predicted": "1 2 0"},
    }


PATIENTS = 6
METHODS = {"single": ["t1", "flair"], "dense-teacher": ["t1+flair"], "crodino": ["t1", "flair"]}
METHODS["dense-kdv2"] = METHODS["single"]


def mask_runs(method, labelled_groups, fold, hits):
    """A run that tests every other patient, all of 100 pixels and ten of tumour; `hits` of these
    are found, network → patient → how many, and five other pixels are taken for tumour."""
    patients, counts = [*range(fold, PATIENTS, 2)], {}
    for network, found in hits.items():
        cells = counts[network] = []
        for place, patient in enumerate(patients):
            hit = int(found[patient])
            cells += [[place, 0, 0, 85], [place, 0, 1, 5]]
            cells += [[place, 1, 0, 10 - hit], [place, 1, 1, hit]]
    about = {"metric": "miou", "labelled_groups": labelled_groups, "data": "lgg"}
    return fold_of(fold, [*map(str, patients)], counts, method, 0, **about)


def test_claims_are_differences_of_dice_paired_over_patients(results_in):
    rng, made, found = np.random.default_rng(0), [], {}
    for labels, count in (("all", 0), ("7 patients", 7)):
        for method, networks in METHODS.items():
            hits = {network: rng.integers(2, 9, PATIENTS) for network in networks}
            found[labels, method] = hits
            made += [mask_runs(method, count, fold, hits) for fold in range(2)]
    tables.collect(made, results_in / "mri")

    def dice(labels, method, sensor):
        networks = found[labels, method]
        hits = networks.get(sensor, networks.get("t1+flair"))
        return 200 * hits / (10 + 5 + hits)

    table = claims.claims("mri")
    asked = claims.CLAIMS[claims.CLAIMS["claims"] == "mri"]
    assert table["patients"].tolist() == [PATIENTS] * len(asked)
    for shown, claim in zip(table["Dice points [95 %]"], asked.itertuples(), strict=True):
        ours = dice(claim.labels, claim.method, claim.deployed)
        theirs = dice(claim.labels, asked.loc[claim.Index, "compared with"], claim.deployed)
        mean, low, high = paired_difference(ours, theirs)
        assert shown == f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
