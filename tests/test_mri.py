"""benchmarks/mri.py: Dice over patients, pooled over folds, and the claims about it."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.results import result

import mri
from discom import cli, tables
from discom.tables import paired_difference

PATIENTS = 6
METHODS = {"single": ["t1", "flair"], "dense-teacher": ["t1+flair"], "crodino": ["t1", "flair"]}
METHODS["dense-kdv2"] = METHODS["single"]


def runs(method, labelled_groups, fold, hits):
    """A run that tests every other patient, all of 100 pixels and ten of tumour; `hits` of these
    are found, network → patient → how many, and five other pixels are taken for tumour."""
    groups = [*range(fold, PATIENTS, 2)]
    counts = {
        network: [
            cell
            for place, patient in enumerate(groups)
            for cell in (
                [place, 0, 0, 85],
                [place, 0, 1, 5],
                [place, 1, 0, 10 - int(found[patient])],
                [place, 1, 1, int(found[patient])],
            )
        ]
        for network, found in hits.items()
    }
    tested = {"groups": [f"{patient}" for patient in groups], "counts": counts}
    of = {"fold": fold, "folds": 2, "tested": tested, "classes": 2}
    scores = dict.fromkeys(hits, 50.0)
    about = {"metric": "miou", "labelled_groups": labelled_groups, "draws": "split"}
    return replace(result(method, 0, scores, data="lgg", **about), **of)


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Masks → method → network → pixels found, [PATIENTS]; written where mri.py looks."""
    monkeypatch.setattr(mri, "RESULTS", tmp_path)
    rng, made, found = np.random.default_rng(0), [], {}
    for masks, count in (("all", 0), ("10 %", 2)):
        for method, networks in METHODS.items():
            hits = {network: rng.integers(2, 9, PATIENTS) for network in networks}
            found[masks, method] = hits
            made += [runs(method, count, fold, hits) for fold in range(2)]
    made.append(runs("single-2x", 0, 0, hits))  # of which a fold is missing
    tables.collect(made, tmp_path / "mri")
    return found


def test_claims_are_differences_of_dice_paired_over_patients(found):
    def dice(masks, method, network):
        hits = found[masks, method][network]
        return 200 * hits / (10 + 5 + hits)

    table = mri.claims("mri")
    assert table["patients"].tolist() == [PATIENTS] * len(mri.CLAIMS["mri"])
    for claim, shown in zip(mri.CLAIMS["mri"], table["Dice points [95 %]"], strict=True):
        ours = dice(claim.masks, claim.ours, claim.network)
        theirs = dice(claim.masks, claim.theirs, claim.other or claim.network)
        mean, low, high = paired_difference(ours, theirs)
        assert shown == f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    assert ("all", "single-2x", "t1") not in mri.dice("mri")


def test_its_figure_is_written_and_means_are_printed(found, tmp_path, capsys):
    assert cli.main([], mri.mri) == 0
    assert (tmp_path / "mri.png").stat().st_size > 10_000
    hits = found["10 %", "crodino"]["t1"]
    assert f"{(200 * hits / (15 + hits)).mean():.1f}" in capsys.readouterr().out
