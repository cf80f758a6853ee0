"""RobustScaler, rounding where scikit-learn rounds: steps in float64, each kept as float32."""

from typing import Any

import numpy as np
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.proto import onnx_proto

from trimtab.adapters.compile.graph_part import add_constant, add_node

_FLOAT, _DOUBLE = onnx_proto.TensorProto.FLOAT, onnx_proto.TensorProto.DOUBLE


def convert_robust_scaler(scope: Any, operator: Any, container: Any) -> None:
    """Subtract the centre, then divide by the scale."""
    scaler = operator.raw_operator
    rows = concatenate_variables(scope, operator.inputs, container)
    for kind, values in (
        ("Sub", scaler.center_ if scaler.with_centering else None),
        ("Div", scaler.scale_ if scaler.with_scaling else None),
    ):
        if values is not None:
            constant = add_constant(scope, container, np.asarray(values, dtype=np.float64).reshape(1, -1))
            wide = add_node(scope, container, "Cast", [rows], to=_DOUBLE)
            rows = add_node(
                scope, container, "Cast", [add_node(scope, container, kind, [wide, constant])], to=_FLOAT
            )
    container.add_node(
        "Identity", rows, operator.outputs[0].full_name, name=scope.get_unique_operator_name("Identity")
    )
