"""What comes in about a run while it runs: one record of the stream `tracking`.

Taking the same event in twice changes nothing: a point is the same point where metric, step, moment and value are, a
parameter is set once, a tag and a file are what they were last. So whoever got no answer may send it again.

Events of several processes are not read in the order in which they came, and not twice in the same one. What events
come to does not depend on it: `RunEvent.at_us` says which was the first and which the last.
"""

import msgspec

from trimtab.atoms.run import LoggedDataset, LoggedFile, ModelLink

#: The stream of all runs' events, in the order in which they came.
STREAM = "tracking"


class RunEvent(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Things that were logged at one time about one run or logged model; they take effect together."""

    #: Id of the run or of the logged model.
    owner: str
    #: `encode_points` of metric points; empty: none.
    points: bytes = b""
    #: The logged model that the points measure; empty: none.
    points_model: str = ""
    #: Name and digest of the data that the points were measured on.
    points_dataset: tuple[str, str] = ("", "")
    parameters: dict[str, str] = {}
    #: None: the tag is taken away.
    tags: dict[str, str | None] = {}
    files: tuple[LoggedFile, ...] = ()
    #: Paths of files that are taken away; a path of a folder stands for all in it.
    removed: tuple[str, ...] = ()
    datasets: tuple[LoggedDataset, ...] = ()
    models_in: tuple[ModelLink, ...] = ()
    models_out: tuple[ModelLink, ...] = ()
    #: When it was logged, microseconds since 1970, UTC; rises within a process. Of two events that set or take away
    #: the same tag or file, the later one holds (of one moment: the greater value); of two that set the same
    #: parameter, the earlier one (of one moment: the lesser value).
    at_us: int = 0
    #: Digests of blobs that an upload has put so far: they are needed although no file names them yet.
    pieces: tuple[str, ...] = ()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(RunEvent)


def encode_event(event: RunEvent) -> bytes:
    """The record of an event."""
    return _ENCODER.encode(event)


def decode_event(record: bytes) -> RunEvent:
    """The event of a record; fields that a later version adds have defaults."""
    return _DECODER.decode(record)
