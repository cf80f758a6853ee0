"""Tree tables as ONNX operators, inside skl2onnx's conversion."""

from typing import Any

import numpy as np

from trimtab.adapters.compile.tree_table import TreeTable

_POST_TRANSFORM = {"none": "NONE", "logistic": "LOGISTIC", "softmax": "SOFTMAX"}


def add_classifier(
    table: TreeTable, link: str, labels: Any, scope: Any, operator: Any, container: Any
) -> None:
    """Write label and probabilities; with one raw score and two classes the score is the second class's."""
    attributes = table.attributes("class")
    values = np.asarray(labels)
    if values.dtype.kind in "iufb":
        attributes["classlabels_int64s"] = [int(value) for value in values]
    else:
        attributes["classlabels_strings"] = [str(value) for value in values]
    container.add_node(
        "TreeEnsembleClassifier",
        _float_input(scope, operator, container),
        [output.full_name for output in operator.outputs],
        op_domain="ai.onnx.ml",
        name=scope.get_unique_operator_name("TreeEnsembleClassifier"),
        post_transform=_POST_TRANSFORM[link],
        **attributes,
    )


def add_regressor(table: TreeTable, link: str, scope: Any, operator: Any, container: Any) -> None:
    """Write values, shape (n, 1)."""
    answer = operator.outputs[0].full_name
    raw = scope.get_unique_variable_name("raw_score") if link == "exp" else answer
    container.add_node(
        "TreeEnsembleRegressor",
        _float_input(scope, operator, container),
        raw,
        op_domain="ai.onnx.ml",
        name=scope.get_unique_operator_name("TreeEnsembleRegressor"),
        n_targets=table.outputs,
        post_transform="NONE",
        **table.attributes("target"),
    )
    if link == "exp":
        container.add_node("Exp", raw, answer, name=scope.get_unique_operator_name("Exp"))


def _float_input(scope: Any, operator: Any, container: Any) -> str:
    """The operator's input as one float32 tensor, cast where a step before it made integers or booleans."""
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.proto import onnx_proto

    variable = operator.inputs[0]
    if isinstance(variable.type, FloatTensorType):
        return str(variable.full_name)
    name = scope.get_unique_variable_name("as_float")
    container.add_node(
        "Cast",
        variable.full_name,
        name,
        to=onnx_proto.TensorProto.FLOAT,
        name=scope.get_unique_operator_name("Cast"),
    )
    return str(name)
