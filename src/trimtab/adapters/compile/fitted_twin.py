"""A copy of a fitted estimator that converters understand and that gives the same answers."""

import copy
from collections.abc import Iterator
from typing import Any

from trimtab.atoms.error import ModelRefused


def fitted_twin(estimator: Any) -> Any:
    """A deep copy whose ColumnTransformers choose columns by place: the graph has one tensor and no names.

    Raises:
        ModelRefused: It holds a part that the converter library writes wrongly, without an error.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.ensemble import VotingClassifier

    twin = copy.deepcopy(estimator)
    for part in _parts(twin, set()):
        if isinstance(part, ColumnTransformer) and hasattr(part, "_transformer_to_input_indices"):
            # The fitted transformer knows the place of each column, whether asked for by name, mask, slice or
            # callable.
            places = part._transformer_to_input_indices
            part.transformers_ = [
                (name, step, [int(place) for place in places[name]]) for name, step, _ in part.transformers_
            ]
        elif isinstance(part, VotingClassifier):
            part.flatten_transform = (
                False  # says how `transform` answers, which nobody asks; True is not converted
            )
        elif isinstance(part, LinearDiscriminantAnalysis) and len(getattr(part, "classes_", ())) == 2:
            raise ModelRefused("LinearDiscriminantAnalysis of two classes cannot be compiled exactly")
        elif isinstance(part, CalibratedClassifierCV) and part.method != "sigmoid":
            raise ModelRefused(
                f"CalibratedClassifierCV with method={part.method!r} cannot be compiled exactly: "
                "use method='sigmoid'"
            )
    return twin


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    """The estimator and every estimator inside it, whatever attribute holds it."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _parts(item, seen)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _parts(item, seen)
    elif hasattr(value, "get_params") or type(value).__module__.startswith("sklearn."):
        yield value
        for item in vars(value).values() if hasattr(value, "__dict__") else ():
            yield from _parts(item, seen)
