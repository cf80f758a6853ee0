"""A trained estimator as an ONNX graph: one float32 tensor in, probabilities or values out."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

from trimtab.atoms.error import ModelRefused

#: What the graphs are written in: old enough for every ONNX Runtime of the last years.
OPSET = {"": 18, "ai.onnx.ml": 3}


def compile_estimator(estimator: Any, feature_count: int, names: Sequence[str], task: str) -> bytes:
    """Write a fitted estimator as an ONNX graph.

    The graph has one input `x`, float32 (n, features), and one output `answer`: probabilities (n, classes) in
    the order of `estimator.classes_`, or values (n,). Equal estimators give equal bytes.

    Args:
        names: The features' names in their order, as the estimator met them in training.
        task: `classification` or `regression`.

    Raises:
        ModelRefused: Some part has no exact ONNX form; the message names its type.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.preprocessing import StandardScaler

    from trimtab.adapters.compile.finished_graph import finished_graph
    from trimtab.adapters.compile.fitted_twin import fitted_twin
    from trimtab.adapters.compile.registration import register_converters

    if len(names) != feature_count:
        raise ValueError(f"{len(names)} names for {feature_count} features")
    register_converters()
    # Division, as scikit-learn does it: multiplying by the inverse moves values across the thresholds of a
    # later tree.
    options: dict[Any, Any] = {StandardScaler: {"div": "div"}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            twin = fitted_twin(estimator)
            if task == "classification":
                options[id(twin)] = {"zipmap": False}
            model = convert_sklearn(
                twin,
                name="trimtab",
                initial_types=[("x", FloatTensorType([None, feature_count]))],
                target_opset=OPSET,
                options=options,
            )
    except ModelRefused:
        raise
    except Exception as error:
        raise ModelRefused(
            f"{_culprit(estimator, error)} cannot be compiled to ONNX: {_first_line(error)}"
        ) from error
    return finished_graph(model, task, OPSET)


def _culprit(estimator: Any, error: Exception) -> str:
    """The type that could not be converted: the one that the error names, else the whole."""
    named = re.search(r"<class '(?:[\w.]*\.)?(\w+)'>", str(error))
    return named[1] if named else type(estimator).__name__


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]
