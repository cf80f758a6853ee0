"""The model runtime's suite on ONNX Runtime, on the native child process and on the fake."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from trimtab.adapters.estimator_file import write_estimator
from trimtab.adapters.native_runtime import NativeRuntime
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.ports.model_runtime import ModelRuntime
from trimtab.testing.linear_runtime import LinearRuntime
from trimtab.testing.model_runtime_suite import MakeRuntime, ModelRuntimeAnswers


def onnx_graph(task: str) -> bytes:
    """Missing as 0, a weighted sum, and for classes their shares."""
    columns = 2 if task == "classification" else 1
    weights = np.array([[0.5, -0.5], [1.0, -1.0], [-2.0, 2.0]], dtype=np.float32)[:, :columns]
    nodes = [
        helper.make_node("IsNaN", ["rows"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "rows"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["score"]),
    ]
    if task == "classification":
        nodes.append(helper.make_node("Softmax", ["score"], ["answers"], axis=1))
    else:
        nodes.append(helper.make_node("Squeeze", ["score", "axis"], ["answers"]))
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.zeros((1, 1), dtype=np.float32), "zero"),
        numpy_helper.from_array(np.array([1]), "axis"),
    ]
    shape = [None, 2] if task == "classification" else [None]
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("answers", TensorProto.FLOAT, shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def native_graph(task: str) -> bytes:
    """Ten trees over rows made up."""
    rows = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32)
    if task == "classification":
        return write_estimator(HistGradientBoostingClassifier(max_iter=10).fit(rows, rows[:, 0] > 0))
    return write_estimator(HistGradientBoostingRegressor(max_iter=10).fit(rows, rows[:, 0]))


@pytest.fixture(params=["onnx", "native", "linear"])
def make(request: pytest.FixtureRequest) -> MakeRuntime:
    def made(task: str) -> tuple[ModelRuntime, bytes, int]:
        if request.param == "onnx":
            return OnnxRuntime(), onnx_graph(task), 3
        if request.param == "native":
            return NativeRuntime(), native_graph(task), 3
        return LinearRuntime(), b"[0.5, 1.0, -2.0]", 3

    return made


class TestAnswers(ModelRuntimeAnswers):
    pass
