"""Exchange with MLflow stores: taken over and given back, counted and verified on both sides."""
