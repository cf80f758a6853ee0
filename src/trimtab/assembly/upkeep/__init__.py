"""Looking after a store: prove it whole, free what nothing needs, back it up and restore it."""
