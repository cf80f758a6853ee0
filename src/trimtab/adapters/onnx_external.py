"""Finds tensors of an ONNX graph that point to a file, by walking its bytes; needs no ONNX library."""

from collections.abc import Iterator

#: Messages that can hold a tensor, as field number -> message, after onnx.proto.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def has_external_data(graph: bytes) -> bool:
    """Whether any tensor of the graph keeps its values in another file.

    Raises:
        ValueError: The bytes are no protobuf message.
    """
    # Every such tensor names its file under this key; most graphs do not hold the word at all.
    return b"location" in graph and _any_external(memoryview(graph))


def _any_external(graph: memoryview) -> bool:
    waiting = [("model", graph)]
    while waiting:
        message, content = waiting.pop()
        for number, value in _fields(content):
            if message == "tensor" and (
                number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
            ):
                return True
            inner = _INSIDE[message].get(number)
            if inner is not None and isinstance(value, memoryview):
                waiting.append((inner, value))
    return False


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place, end = 0, len(content)
    while place < end:
        key, place = _varint(content, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield number, value
            continue
        if wire == 2:
            size, place = _varint(content, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {place}")
        if place + size > end:
            raise ValueError(f"field {number} runs over its message's end")
        yield number, content[place : place + size]
        place += size


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("a number runs over its message's end")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number longer than ten bytes")
