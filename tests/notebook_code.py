"""Functions of a notebook that no lesson exports."""

import ast
from pathlib import Path

import jupytext

TWINS = Path(__file__).resolve().parents[1] / "notebooks" / "py"


def written(number: str, name: str) -> str:
    """The source of a function, as it stands in a notebook's twin."""
    (twin,) = TWINS.glob(f"{number}_*.py")
    for cell in jupytext.read(twin, fmt="py:percent").cells:
        if cell.cell_type == "code" and f"def {name}(" in cell.source:
            for node in ast.parse(cell.source).body:
                if getattr(node, "name", "") == name:
                    return ast.unparse(node)
    raise LookupError(f"{twin.name} has no {name}")
