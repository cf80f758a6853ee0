"""Converters from trained estimators to ONNX operators, exact on ties and on missing values."""
