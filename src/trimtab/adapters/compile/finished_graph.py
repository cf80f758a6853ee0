"""The last step of a compilation: one output, nothing superfluous, names that do not depend on the past."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

#: The one input and the one output of every graph that is served.
INPUT, OUTPUT = "x", "answer"


def finished_graph(model: Any, task: str, opset: Mapping[str, int]) -> bytes:
    """Write skl2onnx's model in the form that is served.

    Only the last output (probabilities, or values made flat) and what it needs is kept. The converters count
    names through the whole process, so that the same estimator would get other bytes the second time: names
    are given anew.
    """
    graph = model.graph
    nodes, initializers = list(graph.node), list(graph.initializer)
    produced = graph.output[-1].name
    if task == "regression":
        initializers.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), "flat shape"))
        nodes.append(helper.make_node("Reshape", [produced, "flat shape"], [OUTPUT]))
    else:
        nodes.append(helper.make_node("Identity", [produced], [OUTPUT]))
    kept = _needed(nodes)
    used = {name for node in kept for name in _read(node)}
    small = helper.make_graph(
        kept,
        "trimtab",
        [item for item in graph.input if item.name == INPUT],
        [
            helper.make_tensor_value_info(
                OUTPUT, TensorProto.FLOAT, [None] if task == "regression" else [None, None]
            )
        ],
        [item for item in initializers if item.name in used],
    )
    _rename(small, {INPUT: INPUT, OUTPUT: OUTPUT, "": ""})
    opsets = [helper.make_opsetid(domain, version) for domain, version in opset.items()]
    finished = helper.make_model(small, opset_imports=opsets, ir_version=8, producer_name="trimtab")
    return bytes(finished.SerializeToString(deterministic=True))


def _needed(nodes: list[Any]) -> list[Any]:
    wanted, kept = {OUTPUT}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(_read(node))
    return kept[::-1]


def _read(node: Any) -> Iterator[str]:
    """Names that a node reads, also from inside its bodies (loops and scans)."""
    yield from node.input
    for body in _bodies(node):
        for inner in body.node:
            yield from _read(inner)
        yield from (output.name for output in body.output)


def _bodies(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _rename(graph: Any, names: dict[str, str]) -> None:
    def new(name: str) -> str:
        return names.setdefault(name, f"t{len(names)}")

    for item in (*graph.input, *graph.initializer, *graph.output):
        item.name = new(item.name)
        item.doc_string = ""
    for place, node in enumerate(graph.node):
        node.name = f"n{place}"
        node.doc_string = ""
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        for body in _bodies(node):
            body.name = "body"
            del body.value_info[:]
            _rename(body, names)
    del graph.value_info[:]
