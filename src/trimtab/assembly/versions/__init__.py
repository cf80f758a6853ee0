"""Versions of data: which one is meant, what changed between two, and bringing one back."""
