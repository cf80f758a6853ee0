"""Trimtab keeps machine-learning models right in production: one loop that measures, judges and acts.

The words of a project file are here, those that record runs, and the client of the prediction plane; everything heavy
loads when it is first used.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trimtab.adapters.prediction_client import Client
    from trimtab.assembly.recording import callback
    from trimtab.assembly.recording.active_run import ActiveRun, active_run
    from trimtab.assembly.recording.run import run
    from trimtab.assembly.recording.sklearn_fit import autolog_sklearn
    from trimtab.assembly.recording.sync import sync
    from trimtab.spec.dataset import Dataset, Trial
    from trimtab.spec.declaration import feature_view, model, request_features, source

_WORDS = {
    "ActiveRun": "trimtab.assembly.recording.active_run",
    "Client": "trimtab.adapters.prediction_client",
    "Dataset": "trimtab.spec.dataset",
    "Trial": "trimtab.spec.dataset",
    "active_run": "trimtab.assembly.recording.active_run",
    "autolog_sklearn": "trimtab.assembly.recording.sklearn_fit",
    "callback": "trimtab.assembly.recording.callback",
    "feature_view": "trimtab.spec.declaration",
    "model": "trimtab.spec.declaration",
    "request_features": "trimtab.spec.declaration",
    "run": "trimtab.assembly.recording.run",
    "source": "trimtab.spec.declaration",
    "sync": "trimtab.assembly.recording.sync",
}

__all__ = [
    "ActiveRun",
    "Client",
    "Dataset",
    "Trial",
    "active_run",
    "autolog_sklearn",
    "callback",
    "feature_view",
    "model",
    "request_features",
    "run",
    "source",
    "sync",
]


def __getattr__(name: str) -> Any:
    if name not in _WORDS:
        raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
    import importlib

    module = importlib.import_module(_WORDS[name])
    return module if name == "callback" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
