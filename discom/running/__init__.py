"""Training: a run on disk, the one loop, a teacher, checkpoints, and many runs side by side."""
