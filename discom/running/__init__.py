"""Training: a run on disk, the one loop, checkpoints, and many runs side by side."""
