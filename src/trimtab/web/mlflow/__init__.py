"""GUEST: MLflow's protocol, spoken so that its clients work unchanged; translates, and decides nothing of its own."""
