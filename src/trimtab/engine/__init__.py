"""MOTION: how a step of a stage runs: held to its card, remembered, resumed."""
