"""What one notebook writes and a later one imports.

For example `from lessons.losses import aux_loss`.

The files beside this one are made of cells that a notebook's twin tags `lesson-NAME`.
Each definition has the notebook that explains it above it.
"""
