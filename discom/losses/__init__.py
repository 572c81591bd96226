"""Losses: one pure function per equation."""

from discom.losses import disentangle, distill, multilevel

__all__ = ["disentangle", "distill", "multilevel"]
