"""Every table that a page or notebook reads is the one that was frozen before results were stored
in another form and rows were grouped in another way; and a run of a table can be made again."""

import io
from pathlib import Path

import pandas as pd
import pytest

import stored
from discom import data, fit
from discom.config import Config

FROZEN = Path(__file__).parent / "fixtures/tables"
KEYS = ("data", "labelled", "epochs", "learning_rate", "noise", "method", "modality")


@pytest.mark.parametrize("name", sorted(stored.TABLES))
def test_a_table_is_what_it_was(name):
    """To the eighth digit: scipy's tenth may differ. A row that came later is no change."""
    frozen = pd.read_csv(FROZEN / f"{name}.csv")
    table = pd.read_csv(io.StringIO(stored.table(name)[0].to_csv(index=False)))
    keys = [key for key in KEYS if key in frozen]
    found = frozen[keys].merge(table, on=keys)[[*frozen]]
    pd.testing.assert_frame_equal(found, frozen, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all-labels", "ladder"])  # few labels move by more
def test_a_row_that_is_trained_anew_scores_as_it_did(name, tmp_path):
    runs = stored.runs_of(name)
    old = min((run for run in runs if run.method == "student"), key=lambda run: run.seconds)
    split = data.load(old.data, seed=old.seed).split(old.seed)
    new = fit("student", split, Config(**old.config), tmp_path / "run", progress=False)
    assert new.digest == old.digest
    assert new.main == pytest.approx(old.main, abs=3)
