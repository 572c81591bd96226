"""Figures: pairs, curves of a run, tables as dots, and maps of embeddings."""

from discom.plots.maps import embedding_maps
from discom.plots.panels import class_colours, class_legend, pairs, panels, show, style
from discom.plots.progress import curves, standings

__all__ = ["class_colours", "class_legend", "curves", "embedding_maps", "pairs", "panels", "show"]
__all__ += ["standings", "style"]
