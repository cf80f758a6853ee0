"""Trimtab keeps machine-learning models right in production: one loop that measures, judges and acts.

The words of a project file are here, and the client of the prediction plane; everything heavy loads when it is
first used.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trimtab.adapters.prediction_client import Client
    from trimtab.spec.dataset import Dataset, Trial
    from trimtab.spec.declaration import feature_view, model, request_features, source

_WORDS = {
    "Client": "trimtab.adapters.prediction_client",
    "Dataset": "trimtab.spec.dataset",
    "Trial": "trimtab.spec.dataset",
    "feature_view": "trimtab.spec.declaration",
    "model": "trimtab.spec.declaration",
    "request_features": "trimtab.spec.declaration",
    "source": "trimtab.spec.declaration",
}

__all__ = ["Client", "Dataset", "Trial", "feature_view", "model", "request_features", "source"]


def __getattr__(name: str) -> Any:
    if name not in _WORDS:
        raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WORDS[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
