"""The contract: what is written is what is read, and nothing else is taken for one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discom.deployment import Contract
from discom.errors import DataError

HELD = Contract("discom", "camera", 3, "0123456789", "depth", ("cat", "dög, or so"), 2, 8, 12, "mm", 0.0,
                (0.1, 1 / 3), (8000.0, 1e9))  # fmt: skip
finite = st.floats(allow_nan=False, allow_infinity=False)


# text draws a table of characters the first time, which takes seconds on a busy machine
@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=9), min_size=1, max_size=5), finite, finite, st.none() | finite)
def test_a_contract_survives_its_text(classes, low, high, invalid):
    held = replace(HELD, classes=tuple(classes), low=(low,), high=(high,), invalid=invalid)
    assert Contract.from_text(held.to_text(), "m.onnx") == held


def test_data_that_come_scaled_have_no_bounds():
    held = replace(HELD, low=None, high=None)
    assert Contract.from_text(held.to_text(), "m.onnx") == held


def test_the_text_names_input_and_outputs():
    held = json.loads(HELD.to_text())
    assert held["input"] == "images"
    assert held["outputs"] == ["logits", "probabilities"]


def changed(**changes) -> str:
    return json.dumps({**json.loads(HELD.to_text()), **changes})


def without(name: str) -> str:
    return json.dumps(
        {key: value for key, value in json.loads(HELD.to_text()).items() if key != name}
    )


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "another format": (
            changed(format=2, version="9.0"),
            r"has format 2 \(discom 9\.0\), this version reads 1",
        ),
        "no json": ("{", "its contract is damaged"),
        "no object": ("null", "its contract is damaged"),
        "a list": ("[1]", "its contract is damaged"),
        "a field too few": (without("unit"), "its contract is damaged"),
        "a field too many": (changed(colour="red"), "its contract is damaged"),
        "no format": (without("format"), "its contract is damaged"),
        "classes are no list": (changed(classes=3), "its contract is damaged"),
    }.values(),
)
def test_what_is_no_contract_is_refused_by_the_files_name(text, message):
    with pytest.raises(DataError, match=rf"^m\.onnx: .*{message}") as caught:
        Contract.from_text(text, "m.onnx")
    assert "export the run again" in str(caught.value)


def test_an_image_of_the_right_form_passes():
    HELD.check(np.zeros((2, 8, 12), np.uint16), "a.tif")


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((2, 12, 8)), "12×8 with 2"),
        (np.zeros((1, 8, 12)), "8×12 with 1"),
        (np.zeros((2, 8, 12), complex), "complex"),
    ],
)
def test_another_form_is_named_with_the_expected_one(pixels, found):
    with pytest.raises(
        DataError, match=rf"^a\.tif: is .*{found}.*reads 8×12 with 2 band\(s\) of depth"
    ):
        HELD.check(pixels, "a.tif")
