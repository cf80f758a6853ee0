"""MEMORY: folds over the ledger: releases, spans, windows, quality, runs, retrains, stages, lineage."""
