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
# each table but those whose rows are in another one, or need prepared data
ELSEWHERE = {"all-labels-kd", "taught-by-rgb", "labels-others", "watch"}
SHORT = {"terms-ten", "dense/scenes-table-crodino"}  # in ten epochs, with few masks
ANEW = sorted(stored.TABLES.keys() - ELSEWHERE - SHORT)
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
@pytest.mark.parametrize("name", ANEW)
def test_a_row_that_is_trained_anew_scores_as_it_did(name, tmp_path):
    """The quickest of the longest with most labels: else processors differ by more."""
    runs = [run for run in stored.runs_of(name) if not run.teacher]
    size = ("labelled", "epochs")
    old = min(runs, key=lambda run: (*(-run.config[name] for name in size), run.seconds))
    sensors = old.data.removeprefix("objects-").replace("-", "+") if name == "three" else ""
    source = "objects:modalities=rgb+depth+thermal" if sensors else old.data
    split = data.load(source, sensors, seed=old.drawn).split(*old.parts)
    new = fit(old.method, split, Config(**old.config), tmp_path / "run", progress=False)
    assert new.digest == old.digest
    assert new.main == pytest.approx(old.main, abs=3)
