"""The words of a project file: `source`, `feature_view`, `request_features`, `model`."""

from collections.abc import Callable, Sequence
from typing import Any

from trimtab.atoms.error import UsageError
from trimtab.spec.duration import parse_duration
from trimtab.spec.feature import Feature, FeatureView, RequestFeatures, RowsFunction
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source


def source(
    name: str,
    path: str,
    *,
    key: str | None = None,
    event_time: str | None = None,
    known_time: str | None = None,
    span: str = "1d",
) -> Source:
    """Declare where rows come from: CSV or Parquet files, by path or glob, relative to the project's folder.

    Where `path` is a folder the source is the files in it, images or whatever they are: their versions are kept,
    compared and brought back, and no model learns from them as rows.

    Args:
        key: Column that names what a row speaks of; a row with the key (and the event time, where there is one) of
            an earlier row is a duplicate.
        event_time: Column with the moment that the row speaks of.
        known_time: Column with the moment that the row became known, where that is later.
        span: Length of the stretches that rows are judged in: `1d`, `1w` or `1mo`.
    """
    if span not in ("1d", "1w", "1mo"):
        raise UsageError(f"source {name!r}: span={span!r} is not one of '1d', '1w', '1mo'")
    return Source(name=name, path=str(path), key=key, event_time=event_time, known_time=known_time, span=span)


def feature_view(
    source: Source, *, entity: str, max_age: str | None = None
) -> Callable[[RowsFunction], FeatureView]:
    """Declare features of an entity over time; rows get the newest value at or before their own event time.

    Args:
        entity: Column that the view and the rows share.
        max_age: Values older than this at the row's event time count as missing.
    """
    if source.event_time is None:
        raise UsageError(
            f"feature view over {source.name!r}: the source needs event_time= for a point-in-time join"
        )
    if max_age is not None:
        parse_duration(max_age, f"feature view over {source.name!r}: max_age")

    def declare(compute: RowsFunction) -> FeatureView:
        return FeatureView(
            name=_name(compute), source=source, entity=entity, compute=compute, max_age=max_age
        )

    return declare


def request_features(compute: RowsFunction) -> RequestFeatures:
    """Declare features computed from the row itself, by the same code in training and in serving."""
    return RequestFeatures(name=_name(compute), compute=compute)


def model(
    name: str,
    *,
    rows: Source,
    target: str,
    features: Sequence[Feature] = (),
    metrics: Sequence[str] = (),
    slices: Sequence[str] = (),
    label_delay: str = "0s",
    task: str | None = None,
    holdout: float = 0.2,
    history: str | None = None,
    seed: int = 0,
    **parameters: Any,
) -> Callable[[Callable[[Any, Any], Any]], ModelSpec]:
    """Declare a model: the decorated function takes (train, trial) and returns a fitted estimator."""
    if not 0 < holdout < 1:
        raise UsageError(f"model {name!r}: holdout={holdout} is not between 0 and 1")
    if task not in (None, "classification", "regression"):
        raise UsageError(f"model {name!r}: task={task!r} is neither 'classification' nor 'regression'")
    parse_duration(label_delay, f"model {name!r}: label_delay")
    if history is not None:
        parse_duration(history, f"model {name!r}: history")
    for feature in features:
        if not isinstance(feature, FeatureView | RequestFeatures):
            raise UsageError(
                f"model {name!r}: features= holds {feature!r}; decorate it with tt.feature_view or tt.request_features"
            )

    def declare(fit: Callable[[Any, Any], Any]) -> ModelSpec:
        return ModelSpec(
            name=name,
            rows=rows,
            target=target,
            fit=fit,
            features=tuple(features),
            metrics=tuple(metrics),
            slices=tuple(slices),
            label_delay=label_delay,
            task=task,
            holdout=holdout,
            history=history,
            seed=seed,
            parameters=dict(parameters),
        )

    return declare


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
