"""The Open Inference Protocol, version 2, in JSON: one named tensor a column."""

from itertools import chain
from typing import Any

import msgspec

from trimtab.atoms.content.bundle import Manifest
from trimtab.loop.serve.prediction import Prediction
from trimtab.loop.serve.problem import Problem

#: Tensor types by the type of a column; everything that is not here travels as text.
_DATATYPES = {
    "Boolean": "BOOL",
    "Float32": "FP32",
    "Float64": "FP64",
    **{f"Int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
}
#: JSON types that the elements of a tensor may have.
_ELEMENTS: dict[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    "BYTES": (str,),
    **dict.fromkeys(("FP16", "FP32", "FP64"), (int, float)),
    **{f"{sign}INT{bits}": (int,) for sign in ("", "U") for bits in (8, 16, 32, 64)},
}


class Tensor(msgspec.Struct, frozen=True):
    """An input tensor; JSON null in `data` is a missing value."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class WantedOutput(msgspec.Struct, frozen=True):
    """An output that the client asks for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, frozen=True):
    """The body of `POST /v2/models/{model}/infer`."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[WantedOutput] = []


def rows_of(request: InferRequest) -> list[dict[str, Any]]:
    """The tensors as rows; Problem names the tensor that does not fit."""
    if not request.inputs:
        raise Problem(422, "the request has no inputs: send one tensor a column", rule="inputs not empty")
    count = request.inputs[0].shape[0] if request.inputs[0].shape else -1
    columns: dict[str, list[Any]] = {}
    for tensor in request.inputs:
        if tensor.name in columns:
            raise Problem(422, f"tensor {tensor.name!r} is there twice", column=tensor.name, rule="tensor")
        columns[tensor.name] = _values(tensor, count)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _values(tensor: Tensor, count: int) -> list[Any]:
    def problem(sentence: str) -> Problem:
        return Problem(422, f"tensor {tensor.name!r}: {sentence}", column=tensor.name, rule="tensor")

    if tensor.shape not in ([count], [count, 1]) or count < 0:
        raise problem(f"its shape {tensor.shape[:8]} is not [n] or [n, 1] with the n of the first tensor")
    wanted = _ELEMENTS.get(tensor.datatype)
    if wanted is None:
        raise problem(f"its datatype {tensor.datatype[:40]!r} is none of {', '.join(_ELEMENTS)}")
    data = tensor.data
    if data and all(type(item) is list for item in data):
        data = list(chain.from_iterable(data))
    if len(data) != count:
        raise problem(f"it has {len(data)} elements, and its shape says {count}")
    for place, value in enumerate(data):
        if value is not None and type(value) not in wanted:
            raise Problem(
                422,
                f"tensor {tensor.name!r}: element {place} does not fit its datatype {tensor.datatype}",
                column=tensor.name,
                rule="type",
                row=place,
            )
    return data


def require_outputs(wanted: list[WantedOutput], manifest: Manifest) -> None:
    """Problem where the client asks for an output that the model does not have."""
    names = [output["name"] for output in model_metadata(manifest, [])["outputs"]]
    for one in wanted:
        if one.name not in names:
            raise Problem(
                422, f"there is no output {one.name[:100]!r}; there are {', '.join(names)}", rule="outputs"
            )


def infer_reply(prediction: Prediction, wanted: list[WantedOutput]) -> bytes:
    """The answer: `predictions`, and for a classifier `probabilities`."""
    manifest, count = prediction.manifest, len(prediction.answers)
    outputs = [
        {
            "name": "predictions",
            "datatype": _label_type(manifest),
            "shape": [count],
            "data": prediction.values(),
        }
    ]
    if manifest.task == "classification":
        flat = list(chain.from_iterable(prediction.answers))
        outputs.append(
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [count, len(manifest.classes)],
                "data": flat,
            }
        )
    if wanted:
        names = [one.name for one in wanted]
        outputs = [output for output in outputs if output["name"] in names]
    return msgspec.json.encode(
        {
            "model_name": manifest.model,
            "model_version": str(prediction.version),
            "id": prediction.request_id,
            "outputs": outputs,
        }
    )


def model_metadata(manifest: Manifest, versions: list[int]) -> dict[str, Any]:
    """What `GET /v2/models/{model}` says."""
    outputs = [{"name": "predictions", "datatype": _label_type(manifest), "shape": [-1]}]
    if manifest.task == "classification":
        outputs.append({"name": "probabilities", "datatype": "FP64", "shape": [-1, len(manifest.classes)]})
    return {
        "name": manifest.model,
        "versions": [str(version) for version in versions],
        "platform": f"trimtab_{manifest.runtime}",
        "inputs": [
            {"name": column.name, "datatype": _DATATYPES.get(column.dtype, "BYTES"), "shape": [-1]}
            for column in manifest.inputs
        ],
        "outputs": outputs,
    }


def _label_type(manifest: Manifest) -> str:
    if manifest.task != "classification":
        return "FP64"
    kinds = {type(value) for value in manifest.classes}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"
