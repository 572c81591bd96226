"""Colab: what it has installed satisfies our bounds, so that pip replaces nothing it has loaded.

`make colab` resolves the whole set with the network; here is what can be told without.
"""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES = (ROOT / "tests/fixtures/colab-constraints.txt").read_text().splitlines()
COLAB = [Requirement(line) for line in LINES if line and not line.startswith("#")]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = [
    Requirement(line) for line in PROJECT["dependencies"] + EXTRAS["dense"] + EXTRAS["deploy"]
]

pytestmark = pytest.mark.slow


def test_what_colab_has_is_allowed():
    installed = {canonicalize_name(p.name): str(p.specifier).removeprefix("==") for p in COLAB}
    needed = {canonicalize_name(requirement.name): requirement for requirement in NEEDED}
    shared = installed.keys() & needed.keys()
    assert {"torch", "torchvision", "numpy", "pandas", "ipykernel", "ipywidgets"} <= shared
    refused = [
        f"{needed[name]}, Colab has {installed[name]}"
        for name in shared
        if installed[name] not in needed[name].specifier
    ]
    assert refused == [], "a higher bound makes pip replace what Colab's kernel has loaded"
