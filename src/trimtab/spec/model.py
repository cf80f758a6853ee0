"""A model as the project declares it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.spec.feature import Feature, FeatureView, RequestFeatures
from trimtab.spec.source import Source


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What to predict, from what, judged how; `fit` makes the estimator."""

    name: str
    rows: Source
    target: str
    #: Takes (train: Dataset, trial: Trial); returns a fitted estimator with the scikit-learn API.
    fit: Callable[[Any, Any], Any]
    features: tuple[Feature, ...] = ()
    #: The first one decides at the gate.
    metrics: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    #: How long after the event the outcome is known.
    label_delay: str = "0s"
    #: `classification` or `regression`; None: decided by the target's values.
    task: str | None = None
    #: Share of the newest rows (or of all, where there is no event time) that training never sees, in (0, 1).
    holdout: float = 0.2
    #: Rows older than this before the newest are not trained on, such as `90d`; None: all rows.
    history: str | None = None
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def views(self) -> tuple[FeatureView, ...]:
        """The feature views among the features, in order."""
        return tuple(feature for feature in self.features if isinstance(feature, FeatureView))

    @property
    def request_features(self) -> tuple[RequestFeatures, ...]:
        """The row-level features, in order."""
        return tuple(feature for feature in self.features if isinstance(feature, RequestFeatures))
