"""SEAMS: every touch with the world, as a Protocol whose docstring is its contract."""
