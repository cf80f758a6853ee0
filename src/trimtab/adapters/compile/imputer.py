"""SimpleImputer, with the columns it drops and the missing-value indicators it adds."""

from typing import Any

import numpy as np
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.proto import onnx_proto

from trimtab.adapters.compile.graph_part import add_constant, add_node
from trimtab.atoms.error import ModelRefused


def imputer_shape(operator: Any) -> None:
    """Declare the output: float32, the kept columns, then one indicator per column that it marks."""
    imputer = operator.raw_operator
    width = len(_kept(imputer)) + (len(imputer.indicator_.features_) if imputer.add_indicator else 0)
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Replace NaN by the column's statistic."""
    imputer = operator.raw_operator
    if not (isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)):
        raise ModelRefused(
            f"SimpleImputer with missing_values={imputer.missing_values!r} cannot be compiled: use NaN"
        )
    rows = concatenate_variables(scope, operator.inputs, container)
    kept = _kept(imputer)
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)[kept]
    # A column that was missing throughout, kept by keep_empty_features, is filled with zero.
    fill = add_constant(
        scope, container, np.nan_to_num(statistics, nan=0.0).astype(np.float32).reshape(1, -1)
    )
    chosen = rows
    if len(kept) != len(imputer.statistics_):
        chosen = add_node(scope, container, "Gather", [rows, add_constant(scope, container, kept)], axis=1)
    missing = add_node(scope, container, "IsNaN", [chosen])
    filled = add_node(scope, container, "Where", [missing, fill, chosen])
    if imputer.add_indicator:
        marked = np.asarray(imputer.indicator_.features_, dtype=np.int64)
        looked = add_node(scope, container, "Gather", [rows, add_constant(scope, container, marked)], axis=1)
        flags = add_node(
            scope,
            container,
            "Cast",
            [add_node(scope, container, "IsNaN", [looked])],
            to=onnx_proto.TensorProto.FLOAT,
        )
        filled = add_node(scope, container, "Concat", [filled, flags], axis=1)
    container.add_node(
        "Identity", filled, operator.outputs[0].full_name, name=scope.get_unique_operator_name("Identity")
    )


def _kept(imputer: Any) -> Any:
    """Places of the columns that it lets through."""
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    if imputer.keep_empty_features:
        return np.arange(len(statistics))
    return np.flatnonzero(~np.isnan(statistics))
