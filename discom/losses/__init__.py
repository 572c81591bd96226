"""Losses: one pure function per equation."""
