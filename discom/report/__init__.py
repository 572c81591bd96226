"""One run as one page: scores, confusion, calibration, classes and curves, in a single HTML
file."""

from discom.report.measures import class_scores, hardest_confusions
from discom.report.page import render, write_report

__all__ = ["class_scores", "hardest_confusions", "render", "write_report"]
