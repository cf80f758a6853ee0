"""OneHotEncoder over float32 codes, without the detour over integers that would let 1.5 pass for 1."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.proto import onnx_proto

from trimtab.adapters.compile.graph_part import add_constant, add_node
from trimtab.atoms.error import ModelRefused

#: Stands for a missing value, which equals nothing, not even itself.
_MISSING = np.finfo(np.float32).min


def one_hot_shape(operator: Any) -> None:
    """Declare the output: float32, one column per kept category."""
    width = sum(table.shape[1] for table, _ in _tables(operator.raw_operator))
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])


def convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """Compare every row with every category at once, then let a matrix place, drop or merge the columns."""
    encoder = operator.raw_operator
    rows = concatenate_variables(scope, operator.inputs, container)
    categories = [np.asarray(values, dtype=np.float32) for values in encoder.categories_]
    flat = np.concatenate(categories)
    column_of = np.repeat(np.arange(len(categories)), [len(values) for values in categories])
    if np.isnan(flat).any():
        rows = _mark_missing(scope, container, rows)
        flat = np.where(np.isnan(flat), _MISSING, flat)
    matrix, unknown = _matrix(_tables(encoder))
    spread = add_node(scope, container, "Gather", [rows, add_constant(scope, container, column_of)], axis=1)
    equal = add_node(scope, container, "Equal", [spread, add_constant(scope, container, flat.reshape(1, -1))])
    hot = add_node(scope, container, "Cast", [equal], to=onnx_proto.TensorProto.FLOAT)
    if not np.array_equal(matrix, np.eye(len(flat), dtype=np.float32)):
        # A row of the matrix holds what a category adds over what an unknown value gives.
        hot = add_node(scope, container, "MatMul", [hot, add_constant(scope, container, matrix)])
    if unknown.any():
        hot = add_node(scope, container, "Add", [hot, add_constant(scope, container, unknown.reshape(1, -1))])
    container.add_node(
        "Identity", hot, operator.outputs[0].full_name, name=scope.get_unique_operator_name("Identity")
    )


def _tables(encoder: Any) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """What the fitted encoder itself makes of each category and of an unknown value, per input column."""
    widths, first = encoder._n_features_outs, 0
    tables = []
    for place, values in enumerate(encoder.categories_):
        if np.asarray(values).dtype.kind not in "iufb":
            raise ModelRefused(
                "OneHotEncoder over texts cannot be compiled: its columns must be the encoded numbers"
            )
        probe = np.array([[known[0] for known in encoder.categories_]] * len(values), dtype=np.float32)
        probe[:, place] = values
        last = first + widths[place]
        tables.append(
            (
                _transform(encoder, probe)[:, first:last],
                _unknown(encoder, probe[:1].copy(), place)[first:last],
            )
        )
        first = last
    return tables


def _unknown(encoder: Any, probe: NDArray[np.float32], place: int) -> NDArray[np.float32]:
    """The whole output row for a value that is no category of this column."""
    if encoder.handle_unknown == "error":
        # Training would raise; the parity check sees such rows, and serving refuses them before they come
        # here.
        return np.zeros(sum(encoder._n_features_outs), dtype=np.float32)
    probe[0, place] = np.nanmax(np.append(np.asarray(encoder.categories_[place], dtype=np.float32), 0)) + 1
    return np.asarray(_transform(encoder, probe)[0])


def _transform(encoder: Any, probe: NDArray[np.float32]) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of features, and the unknown value that is meant
        made = encoder.transform(probe)
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float32)


def _matrix(
    tables: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    height, width = sum(len(table) for table, _ in tables), sum(table.shape[1] for table, _ in tables)
    matrix, row, column = np.zeros((height, width), dtype=np.float32), 0, 0
    for table, unknown in tables:
        matrix[row : row + len(table), column : column + table.shape[1]] = table - unknown
        row, column = row + len(table), column + table.shape[1]
    return matrix, np.concatenate([unknown for _, unknown in tables]).astype(np.float32)


def _mark_missing(scope: Any, container: Any, rows: str) -> str:
    missing = add_node(scope, container, "IsNaN", [rows])
    return add_node(
        scope,
        container,
        "Where",
        [missing, add_constant(scope, container, np.array([_MISSING], dtype=np.float32)), rows],
    )
