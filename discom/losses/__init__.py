"""Losses: one pure function per equation."""

from discom.losses import disentangle

__all__ = ["disentangle"]
