"""FACTS: the control plane's own API under `/api/v1`: every view, and experiments and runs with what they log."""
