"""The ONNX runtime opens what it should and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from trimtab.adapters.onnx_external import has_external_data
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.atoms.error import ModelRefused


def graph(
    *,
    inputs: list[tuple[str, int]] | None = None,
    weights: onnx.TensorProto | None = None,
    outputs: int = 1,
    rank: int = 2,
    note: str = "",
) -> bytes:
    """A graph that adds a weight to its rows."""
    weights = weights or helper.make_tensor("w", TensorProto.FLOAT, [1, 2], [1.0, 2.0])
    taken = inputs or [("x", TensorProto.FLOAT)]
    nodes = [helper.make_node("Add", ["x", "w"], ["sum"])]
    last = "sum"
    if rank == 1:
        nodes.append(helper.make_node("ReduceMax", ["sum"], ["top"], axes=[1], keepdims=0))
        last = "top"
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, [None, 2]) for name, kind in taken],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [None] * rank)]
        + [helper.make_tensor_value_info("w", TensorProto.FLOAT, [1, 2])] * (outputs - 1),
        [weights],
        doc_string=note,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def external(folder: Path) -> bytes:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1, 2], [1.0, 2.0])
    (folder / "weights.bin").write_bytes(tensor.raw_data or np.float32([9, 9]).tobytes())
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return graph(weights=tensor)


def test_a_graph_answers() -> None:
    running = OnnxRuntime().load(graph(), "classification")
    assert running.answer(np.float32([[1, 1], [0, 5]])).tolist() == [[2, 3], [1, 7]]


def test_external_data_is_refused_though_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelRefused, match="external data"):
        OnnxRuntime().load(external(tmp_path), "classification")


def test_external_data_inside_a_node_is_found(tmp_path: Path) -> None:
    inner = onnx.load_from_string(external(tmp_path)).graph.initializer[0]
    node = helper.make_node("Constant", [], ["c"], value=inner)
    made = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1, 2])])
    assert has_external_data(helper.make_model(made).SerializeToString())


def test_the_mere_word_is_no_external_data() -> None:
    content = graph(note="location")
    assert b"location" in content
    assert not has_external_data(content)
    OnnxRuntime().load(content, "classification")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + b"x" * 50,
        b"\x80\x04\x95" + b"x" * 50,
        b"\x08\x08location" + b"\xff" * 40,
        b"\x08\x08" * 20,
    ],
)
def test_what_is_no_graph_is_refused(content: bytes) -> None:
    with pytest.raises(ModelRefused):
        OnnxRuntime().load(content, "classification")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"inputs": [("x", TensorProto.FLOAT), ("y", TensorProto.FLOAT)]}, "not one float32 tensor"),
        ({"inputs": [("x", TensorProto.DOUBLE)]}, "ONNX Runtime cannot open|not one float32 tensor"),
        ({"outputs": 2}, "one tensor"),
        ({"rank": 1}, "dimensions"),
    ],
)
def test_another_signature_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelRefused, match=said):
        OnnxRuntime().load(graph(**words), "classification")


def test_operators_of_a_foreign_domain_are_refused() -> None:
    node = helper.make_node("Evil", ["x"], ["y"], domain="evil.corp")
    made = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("evil.corp", 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=8)
    with pytest.raises(ModelRefused, match="cannot open"):
        OnnxRuntime().load(model.SerializeToString(), "classification")
