"""Losses: one pure function per equation."""

from discom.losses import dense, disentangle, distill, multilevel

__all__ = ["dense", "disentangle", "distill", "multilevel"]
