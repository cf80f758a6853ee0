"""ONNX Runtime: the compiled model, in this process."""

from typing import Any

from trimtab.adapters.onnx_external import has_external_data
from trimtab.atoms.error import ModelRefused
from trimtab.ports.model_runtime import Array

#: Largest graph that is opened, in bytes.
LARGEST_BYTES = 1 << 30


class OnnxRuntime:
    """Opens graphs with one float32 input and one output, each a single tensor."""

    name = "onnx"

    def load(self, graph: bytes, task: str) -> "OnnxModel":
        """Make the model in `graph` ready to answer.

        Raises:
            ModelRefused: Not an ONNX graph, or one with external data, foreign operators or another
                signature.
        """
        _look(graph)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen types that share no other root
            raise ModelRefused(
                f"ONNX Runtime cannot open the graph: {(str(error).splitlines() or [''])[0][:300]}"
            ) from error
        return OnnxModel(session, task)


class OnnxModel:
    """A graph that answers; sessions may be shared between threads."""

    def __init__(self, session: Any, task: str) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        seen = [f"{item.name}: {item.type}{item.shape}" for item in inputs]
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
            raise ModelRefused(f"the graph takes ({', '.join(seen)}), not one float32 tensor of rows")
        if len(outputs) != 1 or outputs[0].type not in ("tensor(float)", "tensor(double)"):
            raise ModelRefused("the graph must give one tensor of float answers")
        dimensions = 2 if task == "classification" else 1
        if len(outputs[0].shape) != dimensions:
            raise ModelRefused(
                f"the graph's answers have {len(outputs[0].shape)} dimensions; {task} has {dimensions}"
            )
        self._session = session
        self._input = inputs[0].name
        self._outputs = [outputs[0].name]

    def answer(self, rows: Array) -> Array:
        """Probabilities (n, classes) or values (n,), float32."""
        return self._session.run(self._outputs, {self._input: rows})[0]

    def close(self) -> None:
        """Drop the session; its memory goes with the last request that still uses it."""
        self._session = None


def _look(graph: bytes) -> None:
    """Refuse what must not reach the runtime at all.

    A graph given as bytes has no folder, so the runtime would look for external data in the working folder.
    """
    if not 16 <= len(graph) <= LARGEST_BYTES or graph[:1] != b"\x08":
        raise ModelRefused("the bytes are no ONNX graph (one starts with its IR version)")
    try:
        external = has_external_data(graph)
    except ValueError as error:
        raise ModelRefused(f"the bytes are no ONNX graph: {error}") from error
    if external:
        raise ModelRefused(
            "the graph keeps tensors in another file (external data); pack them into the graph"
        )
