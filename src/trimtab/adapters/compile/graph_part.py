"""Adds constants and nodes to a graph that skl2onnx is building."""

from typing import Any

from numpy.typing import NDArray


def add_constant(scope: Any, container: Any, values: NDArray[Any]) -> str:
    """Add an int64, float32 or float64 tensor; returns its name."""
    from skl2onnx.proto import onnx_proto

    name = str(scope.get_unique_variable_name("constant"))
    kinds = {
        "int64": onnx_proto.TensorProto.INT64,
        "float32": onnx_proto.TensorProto.FLOAT,
        "float64": onnx_proto.TensorProto.DOUBLE,
    }
    kind = kinds[values.dtype.name]
    container.add_initializer(name, kind, list(values.shape), values.ravel().tolist())
    return name


def add_node(scope: Any, container: Any, kind: str, inputs: list[str], **attributes: Any) -> str:
    """Add a node of ONNX's main domain with one output; returns the output's name."""
    name = str(scope.get_unique_variable_name(kind.lower()))
    container.add_node(kind, inputs, name, name=scope.get_unique_operator_name(kind), **attributes)
    return name
