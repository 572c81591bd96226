"""The one loader of tests/golden: numbers that the official codes produced in float64."""

import json
from pathlib import Path
from typing import NamedTuple

import torch

GOLDEN = Path(__file__).parent / "golden"
LABELS = ("targets", "labels")  # inputs that hold classes begin so
EXACT = {"rtol": 1e-9, "atol": 1e-10}


class Golden(NamedTuple):
    """Numbers as float64 tensors, classes as int64."""

    inputs: dict
    outputs: dict


def golden(name):
    """What a file holds."""
    data = json.loads((GOLDEN / f"{name}.json").read_text())
    inputs = {
        key: tensors(value).long() if key.startswith(LABELS) else tensors(value)
        for key, value in data["inputs"].items()
    }
    return Golden(inputs, tensors(data["outputs"]))


def tensors(value):
    if isinstance(value, dict):
        return {key: tensors(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], (dict, str)):
        return [tensors(inner) for inner in value]
    if isinstance(value, (list, float, int)) and not isinstance(value, bool):
        return torch.tensor(value, dtype=torch.float64)
    return value


def gradients(value, leaves):
    """Of a scalar, with zeros for leaves that it does not depend on."""
    return torch.autograd.grad(value, leaves, retain_graph=True, materialize_grads=True)


def assert_golden(cases):
    """Each case is (name, value, expected value, (leaf, expected gradient), …)."""
    for name, value, expected, *leaves in cases:
        pairs = [(value, expected)]
        pairs += [(gradients(value, [leaf])[0], gradient) for leaf, gradient in leaves]
        for ours, theirs in pairs:
            ours, theirs = (torch.as_tensor(x, dtype=torch.float64) for x in (ours, theirs))
            torch.testing.assert_close(ours, theirs, msg=f"{name}: {ours} ≠ {theirs}", **EXACT)
