"""Pictures of the notebooks, a file for each set of data."""
