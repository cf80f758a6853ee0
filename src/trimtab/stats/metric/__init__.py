"""How good predictions are: one metric a file, all of them in `catalog.METRICS`."""
