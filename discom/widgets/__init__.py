"""Explorers for JupyterLab."""

from discom.widgets.interactive import Explorer, explorer

__all__ = ["Explorer", "explorer"]
