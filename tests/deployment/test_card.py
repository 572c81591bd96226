"""The model card: every figure is the run's or the export's, and its example runs."""

import re
from dataclasses import replace

import numpy as np
import pytest

from discom.deployment import load
from discom.deployment.card import CARD, write_card
from discom.runs import Result


@pytest.fixture(scope="module")
def card(made):
    return (made[0] / CARD).read_text()


def row(card: str, first: str) -> list[str]:
    """The cells behind the first one of a table's row."""
    line = next(line for line in card.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_scores_are_those_of_the_run_and_of_the_file(card, made, run):
    tested, measured = Result.read(run / "result.json").scores["depth"], made[1].scores
    for first, scores in (("the run, 32-true", tested), ("`model.onnx`, float32", measured)):
        cells = row(card, first)
        expected = [
            f"{scores['f1']:.2f}",
            f"{scores['accuracy']:.2f}",
            f"{scores['calibration_error']:.3f}",
        ]
        assert cells == expected
    assert f"{tested['valid_f1']:.2f}" in card
    assert "One run with one seed" in card


def test_costs_and_differences_are_those_that_were_measured(card, made):
    export = made[1]
    ours, theirs = export.costs["branch"], export.costs["student"]
    assert row(card, "parameters") == [f"{ours['parameters']:,}", f"{theirs['parameters']:,}"]
    assert row(card, "`model.onnx`, bytes") == [
        f"{c['bytes']['model.onnx']:,}" for c in (ours, theirs)
    ]
    for form, called in {
        "torch": "torch",
        "model.pt2": "torch.export",
        "model.onnx": "ONNX Runtime",
    }.items():
        for batch in (1, 32):
            expected = [f"{c['milliseconds'][form][batch]:.3f}" for c in (ours, theirs)]
            assert row(card, f"{called}, {batch} at once, ms an image") == expected
    for file, found in export.differences.items():
        line = next(line for line in card.splitlines() if line.startswith(f"| `{file}` |"))
        assert f"| {found['logits']:.1e} | {found['probabilities']:.1e} |" in line
    assert f"Median of {export.rounds} rounds" in card


def test_the_contract_is_told(card, split):
    assert "[B, 1, 8, 8]" in row(card, "input `images`")[0]
    assert "in mm" in row(card, "values")[0]
    assert row(card, "missing pixels")[0].startswith("0, which is scaled like any other value")
    assert row(card, "classes") == ["0 disk/wood, 1 disk/metal, 2 square/wood, 3 square/metal"]
    bounds = split.train.normalization["depth"]
    assert f"{bounds.low[0]:.6g} to {bounds.high[0]:.6g}" in row(card, "bounds")[0]
    counts = [len(part.modalities["depth"].x) for part in split]
    assert "{} training, {} validation and {} test images".format(*counts) in card


def test_the_cards_example_runs_beside_the_file(card, made, monkeypatch):
    monkeypatch.chdir(made[0])
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", card, re.DOTALL)[1], names)
    expected = load(made[0]).answer(np.zeros((1, 1, 8, 8), np.float32))
    assert np.array_equal(names["logits"], expected[0])
    assert np.array_equal(names["probabilities"], expected[1])


def test_no_gap_and_no_leftover(card):
    assert not re.search(r"(?<!run\()\bNone\b|\bnan\b|\binf\b|\{\{|\{%|Undefined", card)
    assert "\n\n\n" not in card


def test_other_runs_read_as_well(made, split, tmp_path):
    """Data that come scaled, of several bands, by a method that was taught."""
    export = made[1]
    contract = replace(export.contract, bands=2, unit="", invalid=None, low=None, high=None)
    config = {**export.result.config, "options": {"teacher": "rgb"}}
    taught = replace(export.result, teacher="abcdef0123", method="kdv2", config=config)
    write_card(replace(export, contract=contract, result=taught), split, tmp_path / CARD)
    text = (tmp_path / CARD).read_text()
    assert row(text, "values") == [
        "scaled to [0, 1] already, as the prepared folder has them; nothing is scaled inside"
    ]
    assert row(text, "missing pixels") == ["no value stands for them; NaN is not allowed"]
    assert "2 bands of 8×8" in text
    assert "taught by the teacher of run `abcdef0123`" in text
    assert not any(line.startswith("| bounds") for line in text.splitlines())
