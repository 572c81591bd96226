"""Explorers for JupyterLab."""

from discom.explorer.interactive import Explorer, explorer

__all__ = ["Explorer", "explorer"]
