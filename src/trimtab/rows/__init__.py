"""ROWS: tables and what is computed from them, by the same code in training and in serving."""
