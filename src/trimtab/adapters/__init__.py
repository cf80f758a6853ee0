"""WORLD: the implementations of the ports."""
