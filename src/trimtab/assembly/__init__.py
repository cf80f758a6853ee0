"""WIRING: the only place that knows every stage and every adapter."""
