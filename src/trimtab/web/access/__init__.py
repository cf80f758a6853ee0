"""DOOR: who gets in, and what each may do; deny by default, decided in one place."""
